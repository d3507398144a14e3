package pricing

// Fees is what one market takes, in basis points of the price.
type Fees struct {
	BuyBps  int // added to the ask when we buy
	SellBps int // taken from the sale price when we sell
}

// Cost is what buying at ask costs all in, rounded up to the cent.
func (f Fees) Cost(ask Money) Money {
	return ceilDiv(int64(ask)*int64(10_000+f.BuyBps), 10_000).CeilCent()
}

// Proceeds is what selling brings when the lowest competing ask is ask: one cent
// below it, less the fee, rounded down to the cent. It can be negative.
func (f Fees) Proceeds(ask Money) Money {
	return floorDiv(int64(ask-Cent)*int64(10_000-f.SellBps), 10_000).FloorCent()
}

func floorDiv(a, b int64) Money {
	q := a / b
	if a%b < 0 {
		q--
	}
	return Money(q)
}

func ceilDiv(a, b int64) Money { return -floorDiv(-a, b) }

// Bps is part over whole in basis points, rounded down; whole must be positive.
func Bps(part, whole Money) int64 {
	return int64(floorDiv(int64(part)*10_000, int64(whole)))
}
