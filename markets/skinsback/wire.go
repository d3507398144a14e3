package skinsback

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/shopspring/decimal"

	"skinarb/pricing"
)

// The types in this file read what PHP may write where the documentation
// promises something simpler. All of them take null and an absent field for
// their zero value.

// text is a scalar: a string, a number or a boolean, kept as it was written.
type text string

func (t *text) UnmarshalJSON(b []byte) error {
	switch b[0] {
	case '"':
		return json.Unmarshal(b, (*string)(t))
	case 'n':
		*t = ""
	case '[', '{':
		if !hollow(b) {
			return errors.New("a list or an object stands where a value belongs")
		}
		*t = ""
	default:
		*t = text(b)
	}
	return nil
}

// money gives an amount of dollars, and false when there is none to be read.
func (t text) money() (pricing.Money, bool) {
	m, err := pricing.ParseMoney(string(t))
	return m, err == nil
}

// amount gives a positive amount of dollars, and zero, which means not told, for
// everything else.
func (t text) amount() pricing.Money {
	m, _ := t.money()
	return max(m, 0)
}

// proceeds gives what we receive, in dollars: digits beyond the sixth round down,
// since money that comes must never look more than it is. False when there is no
// positive amount to be read.
func (t text) proceeds() (pricing.Money, bool) {
	if t == "" || t[0] < '0' || t[0] > '9' { // a sign
		return 0, false
	}
	m, ok := ("-" + t).money()
	return -m, ok && m < 0
}

// decimal gives a number that is no amount of dollars, and zero when there is
// none to be read or its exponent is absurd.
func (t text) decimal() decimal.Decimal {
	if len(t) > 40 {
		return decimal.Decimal{}
	}
	d, err := decimal.NewFromString(string(t))
	if err != nil || d.Exponent() < -30 || d.Exponent() > 15 {
		return decimal.Decimal{}
	}
	return d
}

// iso reads a time as ISO 8601 has it; zero when t tells none.
func (t text) iso() time.Time {
	at, err := time.Parse(time.RFC3339Nano, string(t))
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}

// whole gives an integer, and false when t is none.
func (t text) whole() (int64, bool) {
	n, err := strconv.ParseInt(string(t), 10, 64)
	return n, err == nil
}

// flag reads a boolean, which PHP also writes as 1 or 0, or as nothing.
func (t text) flag() (bool, error) {
	switch t {
	case "true", "1":
		return true, nil
	case "false", "0", "":
		return false, nil
	}
	return false, errors.New("a flag is neither true nor false")
}

// unix reads seconds since 1970; zero when t tells no time after it.
func (t text) unix() time.Time {
	if n, ok := t.whole(); ok && n > 0 && n < 1<<40 {
		return time.Unix(n, 0).UTC()
	}
	return time.Time{}
}

// list is a list, or the object with numbers for keys that PHP makes of a list
// with gaps.
type list[T any] []T

func (l *list[T]) UnmarshalJSON(b []byte) error {
	*l = nil
	switch {
	case b[0] == '[':
		return json.Unmarshal(b, (*[]T)(l))
	case b[0] == 'n':
		return nil
	case b[0] != '{':
		return errors.New("a value stands where a list belongs")
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	if _, err := dec.Token(); err != nil {
		return err
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return err
		}
		if k, _ := key.(string); !digits(k) {
			return errors.New("an object stands where a list belongs")
		}
		var element T
		if err := dec.Decode(&element); err != nil {
			return err
		}
		*l = append(*l, element)
	}
	return nil
}

// object is an object, or the empty list that PHP makes of an empty one.
type object[T any] struct {
	Value T
	Told  bool // it came with fields
}

func (o *object[T]) UnmarshalJSON(b []byte) error {
	*o = object[T]{}
	switch {
	case b[0] == 'n' || string(b) == `""` || hollow(b):
		return nil
	case b[0] != '{':
		return errors.New("something else stands where an object belongs")
	}
	o.Told = true
	return json.Unmarshal(b, &o.Value)
}

// optional is what nothing depends on: of another shape than expected it is as
// good as missing.
type optional[T any] struct{ Value T }

func (o *optional[T]) UnmarshalJSON(b []byte) error {
	*o = optional[T]{}
	if json.Unmarshal(b, &o.Value) != nil {
		*o = optional[T]{}
	}
	return nil
}

// hollow tells whether b is [] or {}.
func hollow(b []byte) bool {
	return (b[0] == '[' || b[0] == '{') && len(bytes.TrimSpace(b[1:len(b)-1])) == 0
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// envelope is what every answer has at its top.
type envelope struct {
	Status  text  `json:"status"`
	Code    *text `json:"error_code"`
	Message text  `json:"error_message"`
}

// check gives nil for a success, an error object's code and text as an
// *APIError without a decision, and else what is wrong. A success that names an
// error contradicts itself and is neither. The status of orderstatus is the
// deposit's, so there only error and a named error are one.
func (e envelope) check(method string) error {
	code := text("")
	if e.Code != nil {
		code = *e.Code
	}
	named := e.Message != "" || code != "" && code != "0"
	switch {
	case e.Status == "success" && !named:
		return nil
	case e.Status == "success":
		return errors.New("the answer says success and names an error")
	case method == "orderstatus" && !named && e.Status != "error" && e.Status != "":
		return nil
	case e.Status == "error" || e.Status == "fail" || named:
		n, _ := code.whole()
		return &APIError{Method: method, Code: int(n), Message: string(e.Message)}
	}
	return errors.New("the answer does not say success")
}

// decode reads a whole answer into v, a pointer to a struct.
func decode(method string, body []byte, v any) error {
	var e envelope
	if err := json.Unmarshal(body, &e); err != nil {
		return fmt.Errorf("not JSON as expected: %w", err)
	}
	if err := e.check(method); err != nil {
		return err
	}
	if err := json.Unmarshal(body, v); err != nil {
		return fmt.Errorf("not the fields expected: %w", err)
	}
	return nil
}
