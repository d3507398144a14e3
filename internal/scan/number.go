package scan

import (
	"strconv"

	"skinarb/pricing"
)

// Money reads an amount as pricing.ParseMoney does, and without allocating if
// it is written plainly. It is false where ParseMoney has an error.
func Money(b []byte) (pricing.Money, bool) {
	if m, ok := plainMoney(b); ok {
		return m, true
	}
	if len(b) == 0 {
		return 0, false
	}
	m, err := pricing.ParseMoney(string(b))
	if err != nil {
		return 0, false
	}
	return m, true
}

// decimals of a pricing.Money.
const decimals = 6

// plainMoney reads up to eight digits before a point and any number behind it.
func plainMoney(b []byte) (pricing.Money, bool) {
	whole, i := number(b, 0, 8)
	if i == 0 {
		return 0, false
	}
	m := pricing.Money(whole) * pricing.Dollar
	if i < len(b) {
		if b[i] != '.' || i+1 == len(b) || len(b) > 40 {
			return 0, false
		}
		from := i + 1
		frac, to := number(b, from, decimals)
		for n := to - from; n < decimals; n++ {
			frac *= 10
		}
		m += pricing.Money(frac)
		up := pricing.Money(0) // an ask must not look cheaper than it is
		for ; to < len(b); to++ {
			switch {
			case !digit(b[to]):
				return 0, false
			case b[to] != '0':
				up = 1
			}
		}
		m += up
	}
	return m, m <= pricing.MaxMoney
}

// number reads at most n digits from i on and gives the position after them.
func number(b []byte, i, n int) (int64, int) {
	var v int64
	for end := min(len(b), i+n); i < end && digit(b[i]); i++ {
		v = v*10 + int64(b[i]-'0')
	}
	return v, i
}

// Whole reads an integer as strconv.ParseInt does, and without allocating if it
// is written plainly.
func Whole(b []byte) (int64, bool) {
	if n, i := number(b, 0, 18); i == len(b) && i > 0 {
		return n, true
	}
	if len(b) == 0 {
		return 0, false
	}
	n, err := strconv.ParseInt(string(b), 10, 64)
	return n, err == nil
}
