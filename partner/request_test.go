package partner

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"skinarb/pricing"
)

// TestPriceOfEveryAmount: an amount that we tell is read as the same amount, in
// JavaScript's spelling.
func TestPriceOfEveryAmount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := pricing.Money(rapid.Int64Range(1, int64(pricing.MaxMoney)).Draw(t, "micros"))
		text := string(number(m))
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatalf("%s is told as %q: %v", m, text, err)
		}
		if m >= 1 && string(appendNumber(nil, f)) != text && f >= 1e-6 {
			t.Fatalf("%s is told as %s, JavaScript prints %s", m, text, appendNumber(nil, f))
		}
		if got := readPrice(f); got != m {
			t.Fatalf("%s is told as %s, which reads as %s", m, text, got)
		}
	})
}

// TestPriceNeverRoundsUp: what is read of a price is no more than the price, and
// less by under a millionth of a dollar.
func TestPriceNeverRoundsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.Float64Range(0, 9_999_999).Draw(t, "price")
		text := string(appendNumber(nil, f))
		if strings.Contains(text, "e") {
			if got := readPrice(f); got != 0 {
				t.Fatalf("%s: got %s, want 0", text, got)
			}
			return
		}
		whole, decimals, _ := strings.Cut(text, ".")
		want, err := strconv.ParseInt(whole+(decimals + "000000")[:6], 10, 64)
		if got := readPrice(f); err != nil || int64(got) != want {
			t.Fatalf("%s: got %d millionths, want %d, error %v", text, got, want, err)
		}
	})
	for _, f := range []float64{0, math.Copysign(0, -1), -1, -1e-9, 1e-7, 1e7 + 1, 1e21, math.MaxFloat64, math.Inf(1), math.Inf(-1)} {
		if got := readPrice(f); got != 0 {
			t.Errorf("price %g: got %s, want 0", f, got)
		}
	}
	if got := readPrice(1e7); got != pricing.MaxMoney {
		t.Errorf("price 1e7: got %s, want %s", got, pricing.MaxMoney)
	}
}

// TestReadQuery: what the signature of a poll is of.
func TestReadQuery(t *testing.T) {
	for _, tt := range []struct{ query, want string }{
		{"", `{}`},
		{"x=1", `{}`},
		{"customId", `{"customId":""}`},
		{"customId=", `{"customId":""}`},
		{"customId=a", `{"customId":"a"}`},
		{"custom%49d=a", `{"customId":"a"}`},
		{"customid=a", `{}`},
		{"x=1&customId=a&y", `{"customId":"a"}`},
		{"customId=a&customId=a", `{"customId":["a","a"]}`},
		{"customId=a%00b+c%2B", `{"customId":"a\u0000b c+"}`},
		{"customId=%F0%9F%98%80", `{"customId":"😀"}`},
		{"customId=%3Cb%3E%26", `{"customId":"<b>&"}`},
		{"customId=\u2028", "{\"customId\":\"\u2028\"}"},
		{"customId=%zz", ""},
		{"customId=%f", ""},
		{"customId=%ff", ""},
		{"customId=%ED%A0%BD", ""}, // a surrogate in three bytes
		{"customId=\xff", ""},
		{"customId=a;b", ""},
		{"x=" + strings.Repeat("y", maxText), ""},
	} {
		v, ok := readQuery(tt.query)
		if ok != (tt.want != "") || ok && string(v.append(nil)) != tt.want {
			t.Errorf("%.60q: got %s and %t, want %s", tt.query, v.append(nil), ok, tt.want)
		}
	}
}
