package pricing

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// sorted gives s in order; also used by the tests of names.
func sorted(s []string) []string {
	slices.Sort(s)
	return slices.Compact(s)
}

func TestParseMoney(t *testing.T) {
	for _, c := range []struct {
		text string
		want string // printed; empty means refused
	}{
		{"12.34", "12.34"},
		{"0", "0.00"},
		{"7", "7.00"},
		{"1.011", "1.011"},
		{"0.285", "0.285"},
		{"0.000001", "0.000001"},
		{"00012.50", "12.50"},
		{"0000000000012.50", "12.50"},
		{".5", "0.50"},
		{"5.", "5.00"},
		{"-1", "-1.00"},
		{"-0.000001", "-0.000001"},
		{"1.2e1", "12.00"},
		{"1E-2", "0.01"},
		{"15e+2", "1500.00"},
		{"10000000", "10000000.00"},
		{"99999999", ""},
		{"10000000.000001", ""},
		{"10000000.0000001", ""},
		{"-10000000", "-10000000.00"},
		{"-10000001", ""},
		// Beyond the sixth digit asks round up, so none looks cheaper than it is.
		{"0.0000001", "0.000001"},
		{"1.00000000000000000001", "1.000001"},
		{"1.0000010", "1.000001"},
		{"1e-30", "0.000001"},
		{"-0.0000009", "0.00"},
		{"", ""},
		{" ", ""},
		{"null", ""},
		{".", ""},
		{"-", ""},
		{"1.2.3", ""},
		{"1,234.00", ""},
		{"$5", ""},
		{"5 ", ""},
		{"0x10", ""},
		{"1_000", ""},
		{"NaN", ""},
		{"Inf", ""},
		{"-Infinity", ""},
		{"１２", ""},
		{"1e", ""},
		{"e5", ""},
		{"1e5e5", ""},
		{"1e16", ""},
		{"1e-31", ""},
		{"1e9999999999999999999", ""},
		{strings.Repeat("9", 41), ""},
	} {
		got, err := ParseMoney(c.text)
		if c.want == "" {
			if !errors.Is(err, ErrMoney) || got != 0 {
				t.Errorf("%q: got %s, %v, want ErrMoney", c.text, got, err)
			}
			continue
		}
		if err != nil || got.String() != c.want {
			t.Errorf("%q: got %s, %v, want %s", c.text, got, err, c.want)
		}
	}
}

// TestHugeExponentsAreQuick: texts of a few bytes that would be numbers of a
// billion digits.
func TestHugeExponentsAreQuick(t *testing.T) {
	start := time.Now()
	for _, text := range []string{"1e1000000000", "1e-1000000000", "9e2147483647", "1E-2147483648", "0e999999999", "-1e99999999"} {
		if got, err := ParseMoney(text); !errors.Is(err, ErrMoney) {
			t.Errorf("%q: got %s, %v, want ErrMoney", text, got, err)
		}
	}
	for _, exp := range []int32{21, 1_000_000_000, math.MaxInt32, -61, -1_000_000_000, math.MinInt32} {
		if got, err := MoneyFromDecimal(decimal.New(1, exp)); !errors.Is(err, ErrMoney) {
			t.Errorf("1e%d: got %s, %v, want ErrMoney", exp, got, err)
		}
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("took %s, want no time at all", took)
	}
}

func TestMoneyRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := Money(rapid.Int64Range(-int64(MaxMoney), int64(MaxMoney)).Draw(t, "micros"))
		if rapid.Bool().Draw(t, "whole cents") {
			m = m.FloorCent()
			if m < -MaxMoney {
				m = -MaxMoney
			}
		}
		text := m.String()
		if got, err := ParseMoney(text); err != nil || got != m {
			t.Errorf("%d prints as %q, which gives %d, %v", int64(m), text, int64(got), err)
		}
		if _, decimals, ok := strings.Cut(text, "."); !ok || len(decimals) < 2 || len(decimals) > 6 || len(decimals) > 2 && strings.HasSuffix(decimals, "0") {
			t.Errorf("%d prints as %q, want two to six decimals without idle zeros", int64(m), text)
		}
		if got, err := MoneyFromDecimal(m.Decimal()); err != nil || got != m {
			t.Errorf("%s through a decimal: got %s, %v", m, got, err)
		}
		if !json.Valid([]byte(text)) {
			t.Errorf("%q is no JSON number", text)
		}
	})
	if got := Money(math.MinInt64).String(); got != "-9223372036854.775808" {
		t.Errorf("the least: got %s", got)
	}
}

func TestRoundingToTheCent(t *testing.T) {
	for _, c := range []struct{ in, ceil, floor Money }{
		{0, 0, 0},
		{1, Cent, 0},
		{Cent, Cent, Cent},
		{Cent + 1, 2 * Cent, Cent},
		{Cent - 1, Cent, 0},
		{-1, 0, -Cent},
		{-Cent, -Cent, -Cent},
		{-Cent - 1, -Cent, -2 * Cent},
	} {
		if got := c.in.CeilCent(); got != c.ceil {
			t.Errorf("%d up: got %d, want %d", c.in, got, c.ceil)
		}
		if got := c.in.FloorCent(); got != c.floor {
			t.Errorf("%d down: got %d, want %d", c.in, got, c.floor)
		}
	}
}

func TestParseMoneyDoesNotAllocate(t *testing.T) {
	if got := testing.AllocsPerRun(100, func() { _, _ = ParseMoney("1234.56") }); got != 0 {
		t.Errorf("got %.0f allocations for a plain price, want 0", got)
	}
}

// FuzzParseMoney compares with decimal wherever that can read the text, within
// the bounds that we set.
func FuzzParseMoney(f *testing.F) {
	for _, s := range []string{"12.34", "1e3", "-0.0000001", "00000000.1234567", "1.", ".1", "+5", "99999999.999999", "1e-30", "null"} {
		f.Add(s)
	}
	limit := decimal.NewFromInt(int64(MaxMoney / Dollar))
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ParseMoney(text)
		if err != nil && !errors.Is(err, ErrMoney) {
			t.Fatalf("%q: got %v, which is no ErrMoney", text, err)
		}
		if len(text) > 40 || strings.ContainsAny(text, "eE") && err != nil {
			return // refused for its length or its exponent, as decimal would not
		}
		d, derr := decimal.NewFromString(text)
		if derr != nil {
			if err == nil {
				t.Fatalf("%q: got %s, but decimal refuses it: %v", text, got, derr)
			}
			return
		}
		want := d.RoundCeil(6)
		if want.Abs().GreaterThan(limit) {
			if err == nil {
				t.Fatalf("%q: got %s, want it refused", text, got)
			}
			return
		}
		if err != nil || !got.Decimal().Equal(want) {
			t.Fatalf("%q: got %s, %v, want %s", text, got, err, want)
		}
	})
}
