package pricing

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
)

// Money is an exact amount of US dollars in millionths: 12.34 USD is
// 12_340_000. Integers keep loops over a catalog exact and free of garbage;
// Decimal is for edges that persons and markets see.
type Money int64

// Units of Money.
const (
	Micro  Money = 1
	Cent   Money = 10_000
	Dollar Money = 1_000_000
)

// MaxMoney is the most that ParseMoney accepts, ten million dollars. It is far
// above any item and leaves room to multiply by basis points without overflow.
const MaxMoney = 10_000_000 * Dollar

// ErrMoney is what every failure of ParseMoney wraps.
var ErrMoney = errors.New("not an amount of money")

// ParseMoney reads a plain or exponent decimal such as "12.34" or "1.2e1". It
// takes text because markets send text; a float has already lost it. Digits
// beyond the sixth are rounded up: what we read are asks and limits, and an ask
// must never look cheaper than it is.
func ParseMoney(s string) (Money, error) {
	if m, ok := parsePlain(s); ok {
		return m, nil
	}
	// decimal accepts forms that no market should send, and an exponent of a
	// million would make it compute for minutes: bound the text first.
	if len(s) == 0 || len(s) > 40 {
		return 0, fmt.Errorf("%w: %d characters", ErrMoney, len(s))
	}
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		if exp, err := strconv.Atoi(s[i+1:]); err != nil || exp < -30 || exp > 15 {
			return 0, fmt.Errorf("%w: %q", ErrMoney, s)
		}
	}
	d, err := decimal.NewFromString(s)
	if err != nil {
		return 0, fmt.Errorf("%w: %q", ErrMoney, s)
	}
	return MoneyFromDecimal(d)
}

// parsePlain reads digits, at most one point and at most six decimals: the form
// of practically every price, without an allocation.
func parsePlain(s string) (Money, bool) {
	var whole, frac int64
	digits, decimals := 0, -1
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '.' && decimals < 0 && digits > 0:
			decimals = 0
		case c < '0' || c > '9':
			return 0, false
		case decimals < 0:
			if digits++; digits > 8 {
				return 0, false
			}
			whole = whole*10 + int64(c-'0')
		default:
			if decimals++; decimals > 6 {
				return 0, false
			}
			frac = frac*10 + int64(c-'0')
		}
	}
	if digits == 0 || decimals == 0 {
		return 0, false
	}
	for ; decimals < 6 && frac > 0; decimals++ {
		frac *= 10
	}
	m := Money(whole)*Dollar + Money(frac)
	return m, m <= MaxMoney
}

// MoneyFromDecimal converts d, rounding digits beyond the sixth up.
func MoneyFromDecimal(d decimal.Decimal) (Money, error) {
	// Arithmetic on a decimal takes as many digits as its exponent says.
	if e := d.Exponent(); e < -60 || e > 20 {
		return 0, fmt.Errorf("%w: exponent %d", ErrMoney, e)
	}
	micros := d.Shift(6).Ceil()
	if micros.Abs().GreaterThan(decimal.NewFromInt(int64(MaxMoney))) {
		return 0, fmt.Errorf("%w: %s is beyond ten million", ErrMoney, d)
	}
	return Money(micros.IntPart()), nil
}

// Decimal gives m in dollars.
func (m Money) Decimal() decimal.Decimal { return decimal.New(int64(m), -6) }

// String gives plain decimal dollars with at least two decimals: "12.30",
// "0.285", "-1.00".
func (m Money) String() string {
	var buf [24]byte
	return string(m.Append(buf[:0]))
}

// Append appends what String gives.
func (m Money) Append(b []byte) []byte {
	u := uint64(m)
	if m < 0 {
		b = append(b, '-')
		u = -u
	}
	b = strconv.AppendUint(b, u/1_000_000, 10)
	frac := u % 1_000_000
	b = append(b, '.')
	for unit := uint64(100_000); unit > 0; unit /= 10 {
		if unit < 10_000 && frac == 0 {
			break
		}
		b = append(b, byte('0'+frac/unit))
		frac %= unit
	}
	return b
}

// CeilCent rounds up to the cent, as costs are.
func (m Money) CeilCent() Money { return -((-m).FloorCent()) }

// FloorCent rounds down to the cent, as proceeds are.
func (m Money) FloorCent() Money {
	r := m % Cent
	if r < 0 {
		r += Cent
	}
	return m - r
}
