package execution

import (
	"time"

	"skinarb/pricing"
)

// Usage is what open and recent orders take of the limits: of all markets
// together, and of each.
type Usage struct {
	MarketUsage
	Units    map[pricing.Item]int // bought of each item in the last 24 h
	ByMarket map[pricing.Market]MarketUsage
}

// MarketUsage is what the orders on one market take of the limits.
type MarketUsage struct {
	Open       int           // orders not yet delivered
	InDoubt    int           // of them, those without a usable answer
	Locked     pricing.Money // committed in orders not yet settled
	Day        pricing.Money // spent in the last 24 h, unknown outcomes included
	Unrecorded pricing.Money // committed in planned, sent and in-doubt orders: not in the market's balance yet
}

// Add counts one order as of now. Every journal counts with it, so that a limit
// means the same wherever orders are kept. An order whose outcome is open counts
// as spent, however old it is. Of o only the request, State, Paid and SpentAt
// are looked at.
func (u *Usage) Add(o Order, now time.Time) {
	young := o.State.Spent() && o.SpentAt.After(now.Add(-Day))
	if !o.State.Locked() && !young {
		return
	}
	if u.ByMarket == nil {
		u.ByMarket, u.Units = map[pricing.Market]MarketUsage{}, map[pricing.Item]int{}
	}
	market := u.ByMarket[o.Market]
	for _, m := range []*MarketUsage{&u.MarketUsage, &market} {
		m.add(o, young)
	}
	u.ByMarket[o.Market] = market
	// The money of a failed purchase was spent and came back, or will; the unit
	// was never ours.
	if (young || o.State.Unrecorded()) && o.State != Failed && o.State != Penalized {
		u.Units[o.Item]++
	}
}

func (m *MarketUsage) add(o Order, young bool) {
	amount := o.Committed()
	if o.State.Open() {
		m.Open++
	}
	if o.State == InDoubt {
		m.InDoubt++
	}
	if o.State.Locked() {
		m.Locked += amount
	}
	if o.State.Unrecorded() {
		m.Unrecorded += amount
	}
	if young || o.State.Unrecorded() {
		m.Day += amount
	}
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
	AtRisk         pricing.Money // paid for what is not settled, less what came back
	Settled        pricing.Money // paid for what is ours for good, less what came back
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
	Profit    pricing.Money // Order.Profit of those that have Proceeds
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
		a.AtRisk += s.Committed - s.Refunded
		a.ExpectedProfit += s.Profit
	case Settled:
		a.Settled += s.Committed - s.Refunded
		a.ExpectedProfit += s.Profit
	case Failed, Penalized, RolledBack:
		a.RealisedLoss += s.Committed - s.Refunded
	}
}

// Books are what the journal makes of our account on a market: what it should
// hold, by what it held once and what our orders have taken since.
type Books struct {
	Opening  pricing.Money // what the account held when they were opened, and all that orders had taken by then
	OpenedAt time.Time     // when they were opened, or last found right; zero: never

	Taken    pricing.Money // by orders that the market took, ever
	Returned pricing.Money // of that
	Pending  pricing.Money // what planned, sent and in-doubt orders may take
}

// Expected is what the account should hold if no pending order was bought.
func (b Books) Expected() pricing.Money { return b.Opening - b.Net() }

// Net is what orders have cost in all.
func (b Books) Net() pricing.Money { return b.Taken - b.Returned }

// Add counts a group of orders of one market.
func (b *Books) Add(s Sum) {
	switch {
	case s.State.Unrecorded():
		b.Pending += s.Committed
	case s.State.Spent():
		b.Taken += s.Committed
		b.Returned += s.Refunded
	}
}
