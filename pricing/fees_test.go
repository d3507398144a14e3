package pricing

import (
	"testing"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

func TestFees(t *testing.T) {
	for _, c := range []struct {
		fees           Fees
		ask            string
		cost, proceeds string
	}{
		{Fees{}, "10", "10.00", "9.99"},
		{Fees{SellBps: 1000}, "13", "13.00", "11.69"}, // 12.99 less 10 % is 11.691
		{Fees{BuyBps: 250}, "10", "10.25", "9.99"},
		{Fees{BuyBps: 1}, "10", "10.01", "9.99"}, // 10.001 up
		{Fees{}, "10.001", "10.01", "9.99"},      // 9.991 down
		{Fees{}, "0.000001", "0.01", "-0.01"},
		{Fees{SellBps: 1000}, "0.01", "0.01", "0.00"},
		{Fees{SellBps: 1000}, "0.02", "0.02", "0.00"}, // 0.009 down
		{Fees{SellBps: 10_000}, "5", "5.00", "0.00"},
		{Fees{BuyBps: 10_000, SellBps: 9_999}, "10000000", "20000000.00", "999.99"},
	} {
		ask, err := ParseMoney(c.ask)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.fees.Cost(ask).String(); got != c.cost {
			t.Errorf("%+v at %s: got cost %s, want %s", c.fees, c.ask, got, c.cost)
		}
		if got := c.fees.Proceeds(ask).String(); got != c.proceeds {
			t.Errorf("%+v at %s: got proceeds %s, want %s", c.fees, c.ask, got, c.proceeds)
		}
	}
}

// TestFeesEqualDecimal calculates the same without integers.
func TestFeesEqualDecimal(t *testing.T) {
	whole := decimal.NewFromInt(10_000)
	rapid.Check(t, func(t *rapid.T) {
		f := Fees{BuyBps: rapid.IntRange(0, 10_000).Draw(t, "buy"), SellBps: rapid.IntRange(0, 10_000).Draw(t, "sell")}
		ask := Money(rapid.Int64Range(1, int64(MaxMoney)).Draw(t, "ask"))
		cost := ask.Decimal().Mul(whole.Add(decimal.NewFromInt(int64(f.BuyBps)))).Div(whole).RoundCeil(2)
		if got := f.Cost(ask); !got.Decimal().Equal(cost) {
			t.Errorf("cost of %s with %+v: got %s, want %s", ask, f, got, cost)
		}
		proceeds := ask.Decimal().Sub(decimal.New(1, -2)).Mul(whole.Sub(decimal.NewFromInt(int64(f.SellBps)))).Div(whole).RoundFloor(2)
		if got := f.Proceeds(ask); !got.Decimal().Equal(proceeds) {
			t.Errorf("proceeds of %s with %+v: got %s, want %s", ask, f, got, proceeds)
		}
		if f.Proceeds(ask) >= f.Cost(ask) {
			t.Errorf("buying and selling at %s with %+v brings a profit", ask, f)
		}
	})
}

func TestBps(t *testing.T) {
	for _, c := range []struct {
		part, whole Money
		want        int64
	}{
		{169 * Cent, 10 * Dollar, 1690},
		{1, 3, 3333},
		{-1, 3, -3334}, // down, not towards zero
		{0, 1, 0},
		{MaxMoney, 1 * Cent, 10_000_000_000_000},
	} {
		if got := Bps(c.part, c.whole); got != c.want {
			t.Errorf("%s of %s: got %d, want %d", c.part, c.whole, got, c.want)
		}
	}
}
