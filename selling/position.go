package selling

import (
	"time"

	"skinarb/execution"
	"skinarb/pricing"
)

// Position is a thing that we bought and are to sell: a settled purchase.
type Position struct {
	ID       execution.OrderID // of the purchase
	Item     pricing.Item
	BoughtOn pricing.Market
	SellOn   pricing.Market
	Cost     pricing.Money // of the purchase, with the fee of buying, less what came back
	Expected pricing.Money // proceeds for which it was bought
	BoughtAt time.Time     // creation of the order

	Asset string        // Steam's id; empty until it was found
	Floor pricing.Money // lowest price at which it is sold; 0 until it was worked out
	Note  string        // why it is not on sale, or what is odd about it
	Rev   int64

	CreatedAt time.Time
	UpdatedAt time.Time

	Listing Listing // the one that sold it, else the last; zero: none yet
}

// PositionOf gives the position that a settled purchase becomes.
func PositionOf(o execution.Order, now time.Time) Position {
	p := Position{
		ID: o.ID, Item: o.Item, BoughtOn: o.Market, SellOn: other(o.Market),
		Cost: o.Outlay() - o.Refunded, Expected: o.Proceeds, BoughtAt: o.CreatedAt,
		CreatedAt: now, UpdatedAt: now,
	}
	return p
}

// other gives the market that is not m.
func other(m pricing.Market) pricing.Market {
	if m == pricing.SIH {
		return pricing.SkinsBack
	}
	return pricing.SIH
}

// PositionState is where a position stands. It follows from its listing.
type PositionState string

// Held is the state of a position that is not on sale; the others are those of
// its listing.
const Held PositionState = "held"

// PositionStates lists every state, in the order of a position's life.
var PositionStates = []PositionState{Held, PositionState(Sent), PositionState(InDoubt), PositionState(Listed), PositionState(Withdrawing), PositionState(Gone), PositionState(Sold), PositionState(Vanished)}

// PositionStateOf gives the state of a position whose listing stands at s; the
// empty State means that it has none.
func PositionStateOf(s State) PositionState {
	if s.Open() || s == Sold || s == Vanished {
		return PositionState(s)
	}
	return Held
}

// State gives where the position stands.
func (p Position) State() PositionState { return PositionStateOf(p.Listing.State) }

// Done tells whether nothing is to be done about the position any more.
func (p Position) Done() bool { return p.Listing.State == Sold || p.Listing.State == Vanished }

// Changed gives when the position or its listing last changed.
func (p Position) Changed() time.Time {
	if p.Listing.UpdatedAt.After(p.UpdatedAt) {
		return p.Listing.UpdatedAt
	}
	return p.UpdatedAt
}

// Profit gives what a sold position brought, less what it cost; 0 before that.
func (p Position) Profit() pricing.Money {
	if p.Listing.State != Sold {
		return 0
	}
	return p.Listing.Proceeds - p.Cost
}
