// Package strategy finds what is worth buying on one market and selling on the
// other. It is pure: a book, the feeds' states, fees and rules go in, ranked
// opportunities and a verdict for every rule come out. It knows no market's
// wire format and buys nothing.
//
// An opportunity buys at one market's ask and sells on the other:
//
//	cost     = ask + buying fee, rounded up to the cent
//	proceeds = (the other market's ask - 0.01) - selling fee, rounded down
//	profit   = proceeds - cost
package strategy

import (
	"time"

	"skinarb/pricing"
)

// Opportunity is a spread worth acting on, with the quotes it rests on.
type Opportunity struct {
	Item       pricing.Item
	Buy        pricing.Quote
	Sell       pricing.Quote
	Cost       pricing.Money
	Proceeds   pricing.Money
	Profit     pricing.Money
	EdgeBps    int64     // profit over cost, basis points
	ReturnBps  int64     // profit over cost for each day that the money is locked, basis points
	ObservedAt time.Time // the older of the two quotes
	ExpiresAt  time.Time // when the older quote becomes stale
}

// Verdict is one rule's word on buying an item on one market to sell it on the
// other. Rule names are stable.
type Verdict struct {
	Buy    pricing.Market
	Sell   pricing.Market
	Rule   string
	Pass   bool
	Detail string // the figures that decided
}

// Rules is what the operator asks of an opportunity.
type Rules struct {
	Fees        map[pricing.Market]pricing.Fees
	LockDays    map[pricing.Market]int // days for which what we buy there cannot be sold
	MaxAge      time.Duration          // of a quote
	MinProfit   pricing.Money
	MinEdgeBps  int64
	MaxRatio    int64  // a leg above this multiple of its reference, or below its inverse, is not traded
	MaxEdgeBps  int64  // without a reference
	Allow, Deny *Names // nil allows all, denies none
}
