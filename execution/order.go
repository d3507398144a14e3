package execution

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strings"
	"time"

	"skinarb/pricing"
)

// OrderID is our key of an order at the market: its customId or custom_id. It
// has at most 36 characters of [A-Za-z0-9-], which both markets take.
type OrderID string

// Request is a wish to buy one unit.
type Request struct {
	Market     pricing.Market
	Item       pricing.Item
	MarketName string        // the market's own spelling
	Ask        pricing.Money // what the catalog asks, and the most that we send as price
	Cost       pricing.Money // Ask and the buying fee, rounded up: what limits count
	Since      uint64        // catalog version in which this ask first appeared
	SellOn     pricing.Market
	Proceeds   pricing.Money // expected when sold there
	ExpiresAt  time.Time     // not sent after this
	Buyer      Buyer         // for whom; the zero Buyer is ourselves
}

// Buyer is somebody else whom we buy for: a buyer's order on SellOn, which the
// purchase fulfils by being delivered to him.
type Buyer struct {
	Ref string // the order's id on SellOn; never empty
	To  Recipient
}

// Profit is what the purchase is expected to bring.
func (r Request) Profit() pricing.Money { return r.Proceeds - r.Cost }

// ID derives the order's key from market, item, ask, and the version in which
// the ask first appeared. The same opportunity found again, by another process
// or after a crash, has the same ID, so an offer that persists is one intent.
//
// What is bought for a buyer's order has a key of that order alone: whatever the
// price becomes meanwhile, it is bought once.
func (r Request) ID() OrderID {
	intent := fmt.Appendf(nil, "%s\x00%s\x00%s\x00%s\x00%d\x00%d",
		r.Market, r.Item.Game, r.Item.Name, r.Item.Phase, r.Ask, r.Since)
	if r.Buyer.Ref != "" {
		intent = fmt.Appendf(nil, "buyer\x00%s\x00%s\x00%s", r.Market, r.SellOn, r.Buyer.Ref)
	}
	sum := sha256.Sum256(intent)
	return OrderID("sa-" + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:20])))
}

// Order is our commitment: one intent, at most one purchase.
type Order struct {
	ID OrderID
	Request
	State State
	Rev   int64 // rises with every write; guards against lost updates

	Paid      pricing.Money // what the market took, 0 until it said so
	Refunded  pricing.Money // what came back
	Booked    bool          // both are those of the market's account book, and what the order says of money no longer counts
	MarketRef string        // the market's id of the purchase
	OfferID   string        // Steam trade offer
	Error     string        // the market's last reason, or ours

	CreatedAt   time.Time
	UpdatedAt   time.Time
	SentAt      time.Time // last time that bytes may have left
	SpentAt     time.Time // when we learned that the market took the money
	DeliveredAt time.Time // start of the protection window

	History []Step // oldest first
}

// MaxHistory bounds an order's history: a market that goes back and forth
// between two states must not fill the disk. The newest steps are kept.
const MaxHistory = 100

// Step is one move of an order. The zero Step is none.
type Step struct {
	At    time.Time
	State State
	Event Event
	Note  string
}

// Committed is the money that the order holds against the limits: the cost
// until the market told what it took.
func (o Order) Committed() pricing.Money {
	if o.Paid > 0 {
		return o.Paid
	}
	return o.Cost
}

// Outlay is what the purchase costs us in all, by what the market took as soon as it
// has told. The buying fee comes on top of that, unless the market took more than the
// ask: then the fee is in it.
func (o Order) Outlay() pricing.Money {
	switch {
	case o.Paid <= 0:
		return o.Cost
	case o.Paid <= o.Ask:
		return o.Paid + (o.Cost - o.Ask)
	}
	return o.Paid
}

// Profit is what the purchase is expected to bring.
func (o Order) Profit() pricing.Money { return o.Proceeds - o.Outlay() }

// Replan gives what a journal stores when the cancelled order o is wished for
// again as fresh, and the step to it: the new wish with the old order's past.
func (o Order) Replan(fresh Order) (Order, Step) {
	o.Request, o.State, o.Error, o.UpdatedAt = fresh.Request, Planned, "", fresh.UpdatedAt
	return o, Step{At: fresh.UpdatedAt, State: Planned, Event: OnReplan}
}
