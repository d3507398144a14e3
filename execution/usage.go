package execution

import (
	"time"

	"skinarb/pricing"
)

// Usage is what open and recent orders take of the limits.
type Usage struct {
	Open       int                              // orders not yet delivered
	Locked     pricing.Money                    // committed in orders not yet settled
	Day        pricing.Money                    // spent in the last 24 h, unknown outcomes included
	Units      map[pricing.Item]int             // bought of each item in the last 24 h
	Unrecorded map[pricing.Market]pricing.Money // committed in planned, sent and in-doubt orders: not in the market's balance yet
}

// Add counts one order as of now. Every journal counts with it, so that a limit
// means the same wherever orders are kept. An order whose outcome is open counts
// as spent, however old it is. Of o only the request, State, Paid and SpentAt
// are looked at.
func (u *Usage) Add(o Order, now time.Time) {
	amount := o.Committed()
	if o.State.Open() {
		u.Open++
	}
	if o.State.Locked() {
		u.Locked += amount
	}
	if o.State.Unrecorded() {
		if u.Unrecorded == nil {
			u.Unrecorded = map[pricing.Market]pricing.Money{}
		}
		u.Unrecorded[o.Market] += amount
	}
	if !o.State.Unrecorded() && !(o.State.Spent() && o.SpentAt.After(now.Add(-Day))) {
		return
	}
	u.Day += amount
	if o.State == Failed || o.State == Penalized {
		return // the money was spent and came back, or will; the unit was never ours
	}
	if u.Units == nil {
		u.Units = map[pricing.Item]int{}
	}
	u.Units[o.Item]++
}

// Totals is the ledger's summary.
type Totals struct {
	All  Amounts
	Days []DayAmounts // newest first
}

// DayAmounts is one UTC day of Totals.
type DayAmounts struct {
	Day time.Time
	Amounts
}

// Amounts adds up orders.
type Amounts struct {
	Spent          pricing.Money // taken by the markets
	Refunded       pricing.Money // given back
	Reserved       pricing.Money // planned, sent and in doubt
	AtRisk         pricing.Money // paid for what is not settled
	Settled        pricing.Money // paid for what is ours for good
	ExpectedProfit pricing.Money // of everything not failed, rejected or cancelled
	RealisedLoss   pricing.Money // spent less refunded on orders that failed, were penalized or rolled back
	Orders         int
}

// Sum is a group of orders of one state, for Amounts.Add.
type Sum struct {
	State     State
	Orders    int
	Committed pricing.Money // Order.Committed of each
	Refunded  pricing.Money
	Profit    pricing.Money // Request.Profit of those that have Proceeds
}

// SumOf gives the group of one order.
func SumOf(o Order) Sum {
	s := Sum{State: o.State, Orders: 1, Committed: o.Committed(), Refunded: o.Refunded}
	if o.Proceeds > 0 { // an adopted purchase has none: nobody said what it is for
		s.Profit = o.Profit()
	}
	return s
}

// Add counts a group of orders.
func (a *Amounts) Add(s Sum) {
	a.Orders += s.Orders
	switch s.State {
	case Rejected, Cancelled:
		return
	case Planned, Sent, InDoubt:
		a.Reserved += s.Committed
		a.ExpectedProfit += s.Profit
		return
	}
	a.Spent += s.Committed
	a.Refunded += s.Refunded
	switch s.State {
	case Placed, Delivering, Delivered:
		a.AtRisk += s.Committed
		a.ExpectedProfit += s.Profit
	case Settled:
		a.Settled += s.Committed
		a.ExpectedProfit += s.Profit
	case Failed, Penalized, RolledBack:
		a.RealisedLoss += s.Committed - s.Refunded
	}
}
