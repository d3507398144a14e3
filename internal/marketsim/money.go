package marketsim

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// Amounts of money, in micro-dollars.
const (
	dollar = 1_000_000
	cent   = dollar / 100
	mill   = dollar / 1000 // a tenth of a cent, the finest price either market shows
)

// million is the unit of ratios: a ratio of 650_000 is 0.65.
const million = 1_000_000

// mulDiv returns a*b/c, rounded half up, for non-negative a and b whose product
// may exceed 64 bits.
func mulDiv(a, b, c int64) int64 {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	lo, carry := bits.Add64(lo, uint64(c)/2, 0)
	q, _ := bits.Div64(hi+carry, lo, uint64(c))
	return int64(q)
}

// scale multiplies an amount by a ratio in millionths.
func scale(amount, ratio int64) int64 { return mulDiv(amount, ratio, million) }

// roundTo rounds a price to a multiple of unit, never to less than a cent.
func roundTo(price, unit int64) int64 {
	return max((price+unit/2)/unit*unit, cent)
}

// appendMoney appends the shortest decimal form: 12.5, 0.285, 901.
func appendMoney(b []byte, amount int64) []byte {
	if amount < 0 {
		b, amount = append(b, '-'), -amount
	}
	b = strconv.AppendInt(b, amount/dollar, 10)
	frac := amount % dollar
	if frac == 0 {
		return b
	}
	b = append(b, '.')
	for unit := int64(dollar / 10); frac > 0; unit /= 10 {
		b = append(b, byte('0'+frac/unit))
		frac %= unit
	}
	return b
}

func formatMoney(amount int64) string { return string(appendMoney(nil, amount)) }

// formatMills writes an amount with exactly three decimals, as SkinsBack writes
// balances. Anything finer is dropped.
func formatMills(amount int64) string {
	sign := ""
	if amount < 0 {
		sign, amount = "-", -amount
	}
	frac := strconv.FormatInt(amount%dollar/mill+1000, 10)[1:]
	return sign + strconv.FormatInt(amount/dollar, 10) + "." + frac
}

// ParseUSD reads an amount of dollars such as "12.345" and returns it in
// micro-dollars.
func ParseUSD(s string) (int64, error) {
	amount, ok := parseMoney(s)
	if !ok {
		return 0, fmt.Errorf("%q is no amount of dollars", s)
	}
	return amount, nil
}

// FormatUSD writes micro-dollars as dollars, without zeros at the end.
func FormatUSD(amount int64) string { return formatMoney(amount) }

// parseMoney reads a decimal such as "12.345". Decimals beyond the sixth are
// dropped: a ceiling must not grow by being read. Exponents are refused, as is
// anything above a trillion dollars.
func parseMoney(s string) (amount int64, ok bool) {
	s, negative := strings.CutPrefix(s, "-")
	whole, frac, _ := strings.Cut(s, ".")
	if whole == "" && frac == "" || len(whole) > 12 {
		return 0, false
	}
	for _, c := range whole {
		if c < '0' || c > '9' {
			return 0, false
		}
		amount = amount*10 + int64(c-'0')
	}
	amount *= dollar
	unit := int64(dollar / 10)
	for _, c := range frac {
		if c < '0' || c > '9' {
			return 0, false
		}
		amount += unit * int64(c-'0')
		unit /= 10
	}
	if negative {
		amount = -amount
	}
	return amount, true
}
