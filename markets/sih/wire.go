package sih

import (
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"skinarb/pricing"
)

// envelope is what every answer has.
type envelope struct {
	Success *bool          `json:"success"`
	Error   optional[text] `json:"error"`
}

// text is a JSON string or number as it stands; empty when null or missing.
// Numbers come as strings at times, and a float would lose what money needs.
type text string

var errNotText = errors.New("want a string or a number")

func (t *text) UnmarshalJSON(b []byte) error {
	switch c := b[0]; {
	case string(b) == "null":
		return nil
	case c == '"':
		return json.Unmarshal(b, (*string)(t))
	case c == '-' || c >= '0' && c <= '9':
		*t = text(b)
		return nil
	}
	return errNotText
}

// money gives an amount, and false when t is none.
func (t text) money() (pricing.Money, bool) {
	m, err := pricing.ParseMoney(string(t))
	return m, err == nil
}

// integer gives a whole number, and false when t is none.
func (t text) integer() (int64, bool) {
	n, err := strconv.ParseInt(string(t), 10, 64)
	return n, err == nil
}

// time reads Unix seconds below 1e12 and milliseconds from there: SIH has
// seconds in orders and milliseconds in the wallet. What is no time is zero.
func (t text) time() time.Time {
	n, ok := t.integer()
	switch {
	case !ok || n <= 0 || n >= 1e15:
		return time.Time{}
	case n < 1e12:
		return time.Unix(n, 0).UTC()
	}
	return time.UnixMilli(n).UTC()
}

// optional is a member that we can do without: one of another shape is as good
// as missing and does not spoil the answer.
type optional[T any] struct{ V T }

func (o *optional[T]) UnmarshalJSON(b []byte) error {
	var v T
	if json.Unmarshal(b, &v) == nil {
		o.V = v
	}
	return nil
}
