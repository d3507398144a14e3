package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/shopspring/decimal"

	"skinarb/pricing"
)

// A cell is nil, a string or a type made of it, a bool, an int or int64, a
// pricing.Money, a decimal.Decimal, a time.Time, a []string, or several.

// several is a cell with a list of things in it.
type several []thing

// thing is one of them; a worth of 0 was not told.
type thing struct {
	name  string
	worth pricing.Money
}

// told gives v, or nil where its zero value means that the market said nothing.
func told[T comparable](v T) any {
	if v == *new(T) {
		return nil
	}
	return v
}

// at is told for times, of which two may be one and differ.
func at(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}

// rational is told for decimals.
func rational(d decimal.Decimal) any {
	if d.IsZero() {
		return nil
	}
	return d
}

// untold stands in a table for what the market did not tell.
const untold = "-"

// text gives a cell for a table. What a market sends cannot steer the terminal.
func (s *sheet) text(v any) string {
	switch v := v.(type) {
	case time.Time:
		layout := "2006-01-02 15:04:05.999 -07:00"
		if s.live { // rows to come will have thousandths
			layout = "2006-01-02 15:04:05.000 -07:00"
		}
		return v.In(s.zone).Format(layout)
	case bool:
		return map[bool]string{true: "yes", false: "no"}[v]
	}
	if text := printable(plain(v)); text != "" {
		return text
	}
	return untold
}

// plain gives a cell as text, exactly.
func plain(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case []string:
		return strings.Join(v, ", ")
	case several:
		parts := make([]string, len(v))
		for i, one := range v {
			parts[i] = one.name
			if one.worth != 0 {
				parts[i] += " (" + one.worth.String() + ")"
			}
		}
		return strings.Join(parts, ", ")
	}
	return fmt.Sprint(v)
}

// printable replaces what moves a cursor, or hides, by a question mark.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, strings.ToValidUTF8(s, "?"))
}

// alignPoints tells whether column j has numbers, and if so fills their right
// ends up so that all points stand in one line.
func alignPoints(rows [][]any, cells [][]string, j int) bool {
	numbers := false
	longest := 0
	fraction := func(text string) int {
		if i := strings.IndexByte(text, '.'); i >= 0 {
			return len(text) - i
		}
		return 0
	}
	isNumber := func(v any) bool {
		switch v.(type) {
		case pricing.Money, decimal.Decimal, int, int64:
			return true
		}
		return false
	}
	for i := range rows {
		if isNumber(rows[i][j]) {
			numbers = true
			longest = max(longest, fraction(cells[i][j]))
		}
	}
	for i := range rows {
		if isNumber(rows[i][j]) {
			cells[i][j] += strings.Repeat(" ", longest-fraction(cells[i][j]))
		}
	}
	return numbers
}

// writeJSON appends a cell as JSON: amounts and decimals as text, since a reader
// may take numbers for floats, and times in UTC.
func writeJSON(b *bytes.Buffer, v any) error {
	switch c := v.(type) {
	case pricing.Money:
		v = c.String()
	case decimal.Decimal:
		v = c.String()
	case time.Time:
		v = c.UTC().Format(time.RFC3339Nano)
	case int64: // an id, which a reader of floats would round
		v = strconv.FormatInt(c, 10)
	case []string:
		v = append([]string{}, c...)
	case several:
		type named struct {
			Name  string  `json:"name"`
			Worth *string `json:"worth"`
		}
		all := make([]named, len(c))
		for i, one := range c {
			all[i].Name = one.name
			if one.worth != 0 {
				worth := one.worth.String()
				all[i].Worth = &worth
			}
		}
		v = all
	}
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	b.Truncate(b.Len() - 1) // the encoder ends a line
	return nil
}
