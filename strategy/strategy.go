// Package strategy finds what is worth buying on one market and selling on the
// other. It is pure: a book, the feeds' states, fees and rules go in, ranked
// opportunities and a verdict for every rule come out. It knows no market's
// wire format, keeps no clock, and buys nothing.
//
// An opportunity buys at one market's ask and sells on the other:
//
//	cost     = ask + buying fee, rounded up to the cent
//	proceeds = (the other market's ask - 0.01) - selling fee, rounded down
//	profit   = proceeds - cost
//
// The rules are one table (rules.go) with two readers. The Engine's loop asks
// it which of the changed items are candidates, in integers and without
// garbage; Verdicts, Evaluate and Recheck ask it for every figure, in words.
// Rules that only time or a feed's state can change are judged when a question
// is answered, never earlier: a candidate does not have to be touched to become
// untradable.
package strategy

import (
	"maps"
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

// Rules is what the operator asks of an opportunity. Zero means zero, and zero
// Rules trade nothing; only a market that is missing in Fees or LockDays has
// what is usual there.
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

// DefaultRules gives what holds when the operator says nothing. SkinsBack's
// items stay locked under Steam's trade protection for about eight days, SIH's
// for seven to ten.
func DefaultRules() Rules {
	return Rules{
		Fees: map[pricing.Market]pricing.Fees{
			pricing.SkinsBack: {SellBps: 1000},
			pricing.SIH:       {SellBps: 1000},
		},
		LockDays:   map[pricing.Market]int{pricing.SkinsBack: 8, pricing.SIH: 10},
		MaxAge:     5 * time.Minute,
		MinProfit:  50 * pricing.Cent,
		MinEdgeBps: 500,
		MaxRatio:   3,
		MaxEdgeBps: 5000,
	}
}

// maxRatio is the largest multiple that can be taken of MaxMoney; a larger one
// admits nothing more.
const maxRatio = 100_000

// complete gives a copy that shares no map with r, knows every market, and takes
// no fee below zero.
func (r Rules) complete() Rules {
	def := DefaultRules()
	maps.Copy(def.Fees, r.Fees)
	maps.Copy(def.LockDays, r.LockDays)
	for m, f := range def.Fees {
		def.Fees[m] = pricing.Fees{BuyBps: max(f.BuyBps, 0), SellBps: max(f.SellBps, 0)}
	}
	for m, days := range def.LockDays {
		def.LockDays[m] = max(days, 1) // a return for each day needs a day
	}
	r.Fees, r.LockDays = def.Fees, def.LockDays
	r.MaxRatio = min(r.MaxRatio, maxRatio)
	return r
}
