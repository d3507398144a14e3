package selling

import (
	"errors"

	"skinarb/pricing"
)

// ErrNoFloor means that no price brings the proceeds that are wanted.
var ErrNoFloor = errors.New("no price is high enough: the selling fee takes all of it")

// Floor gives the lowest price in whole cents whose proceeds, after a market's
// selling fee and rounded down to the cent, are at least the wanted ones.
func Floor(f pricing.Fees, proceeds pricing.Money) (pricing.Money, error) {
	kept := int64(10_000 - f.SellBps)
	if proceeds <= 0 {
		return pricing.Cent, nil
	}
	if kept <= 0 || proceeds > pricing.MaxMoney {
		return 0, ErrNoFloor
	}
	floor := pricing.Money((int64(proceeds.CeilCent())*10_000 + kept - 1) / kept).CeilCent()
	if floor > pricing.MaxMoney {
		return 0, ErrNoFloor
	}
	return floor, nil
}

// Proceeds gives what selling for a price brings after the fee, rounded down to
// the cent.
func Proceeds(f pricing.Fees, price pricing.Money) pricing.Money {
	return f.Proceeds(price + pricing.Cent) // which undercuts by one cent
}

// Undercut gives the price to ask where the lowest ask of others is lowest: one
// cent less in whole cents, and never less than the floor. An ask that is one of
// our own is met, not undercut: we do not compete with ourselves.
func Undercut(lowest, floor pricing.Money, ours []pricing.Money) pricing.Money {
	price := (lowest - pricing.Cent).FloorCent()
	for _, own := range ours {
		if own == lowest {
			price = lowest
		}
	}
	return max(price, floor)
}
