package scan

import (
	"strconv"
	"testing"

	"skinarb/pricing"
)

var numbers = []string{
	"", "0", "1", "01", "1.", ".5", "1.5", "0.285", "12.34", "31.422", "1e1", "1E+2", "1e-7", "-1", "+1", "-0", "1,5", " 1", "1 ",
	"0.000001", "0.0000001", "1.0000000", "1.00000000000000000000001", "1.9999999", "0.1234567890123456789012345678901234567890",
	"99999999", "999999999", "10000000", "10000000.0000001", "10000000.1", "9999999.9999999", "9999999.999999", "123456789012345678", "1234567890123456789",
	"9223372036854775807", "9223372036854775808", "-9223372036854775808", "0x10", "1_000", "NaN", "Inf", "true", "1.5.5", "1.5x", "½", "000000001", "1.1234567x",
}

func checkNumber(t *testing.T, s string) {
	t.Helper()
	want, err := pricing.ParseMoney(s)
	if err != nil {
		want = 0
	}
	if got, ok := Money([]byte(s)); ok != (err == nil) || ok && got != want {
		t.Errorf("Money(%q): got %d, %t, want %d, %t", s, got, ok, want, err == nil)
	}
	whole, err := strconv.ParseInt(s, 10, 64)
	if got, ok := Whole([]byte(s)); ok != (err == nil) || ok && got != whole {
		t.Errorf("Whole(%q): got %d, %t, want %d, %t", s, got, ok, whole, err == nil)
	}
}

func TestNumbers(t *testing.T) {
	for _, s := range numbers {
		checkNumber(t, s)
	}
}

func FuzzNumber(f *testing.F) {
	for _, s := range numbers {
		f.Add(s)
	}
	f.Fuzz(checkNumber)
}
