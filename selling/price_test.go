package selling

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"skinarb/pricing"
)

func usd(s string) pricing.Money {
	m, err := pricing.ParseMoney(s)
	if err != nil {
		panic(err)
	}
	return m
}

func TestFloor(t *testing.T) {
	for _, tt := range []struct {
		feeBps   int
		proceeds string
		want     string
	}{
		{0, "10.00", "10.00"},
		{1000, "9.00", "10.00"},
		{1000, "9.01", "10.02"},  // 10.01 brings 9.009, which is 9.00
		{1000, "8.995", "10.00"}, // proceeds are whole cents
		{500, "10.50", "11.06"},  // 11.05 brings 10.4975
		{9999, "1.00", "10000.00"},
		{0, "0.000001", "0.01"},
	} {
		got, err := Floor(pricing.Fees{SellBps: tt.feeBps}, usd(tt.proceeds))
		if err != nil || got != usd(tt.want) {
			t.Errorf("floor for proceeds of %s with a fee of %d: got %s, error %v, want %s", tt.proceeds, tt.feeBps, got, err, tt.want)
		}
	}
	for name, tt := range map[string]struct {
		feeBps   int
		proceeds pricing.Money
	}{
		"a fee that takes all":  {10_000, pricing.Dollar},
		"more than all":         {12_000, pricing.Dollar},
		"beyond what we can do": {9999, pricing.MaxMoney},
	} {
		if got, err := Floor(pricing.Fees{SellBps: tt.feeBps}, tt.proceeds); !errors.Is(err, ErrNoFloor) {
			t.Errorf("%s: got floor %s, error %v, want ErrNoFloor", name, got, err)
		}
	}
}

// TestFloorIsTheLowest: the floor brings what is wanted, and a cent less does not.
func TestFloorIsTheLowest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := pricing.Fees{SellBps: rapid.IntRange(0, 9000).Draw(t, "fee")}
		want := pricing.Money(rapid.Int64Range(1, int64(100_000*pricing.Dollar)).Draw(t, "proceeds"))
		floor, err := Floor(f, want)
		if err != nil {
			t.Fatal(err)
		}
		if got := Proceeds(f, floor); got < want {
			t.Fatalf("the floor %s brings %s, want at least %s", floor, got, want)
		}
		if got := Proceeds(f, floor-pricing.Cent); got >= want {
			t.Fatalf("a cent below the floor %s brings %s, which is enough for %s", floor, got, want)
		}
		if floor%pricing.Cent != 0 {
			t.Fatalf("the floor %s is not in whole cents", floor)
		}
	})
}

func TestUndercut(t *testing.T) {
	for _, tt := range []struct {
		name, lowest, floor string
		ours                []pricing.Money
		want                string
	}{
		{"a cent below", "10.00", "9.00", nil, "9.99"},
		{"in whole cents", "1.011", "0.50", nil, "1.00"},
		{"never below the floor", "9.00", "9.44", nil, "9.44"},
		{"at the floor by a cent", "9.45", "9.44", nil, "9.44"},
		{"our own is met", "10.00", "9.00", []pricing.Money{usd("10.00")}, "10.00"},
		{"our own is dearer", "10.00", "9.00", []pricing.Money{usd("10.50")}, "9.99"},
		{"our own is below the floor of this one", "8.00", "9.00", []pricing.Money{usd("8.00")}, "9.00"},
	} {
		if got := Undercut(usd(tt.lowest), usd(tt.floor), tt.ours); got != usd(tt.want) {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}
