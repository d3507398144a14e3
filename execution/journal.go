package execution

import (
	"context"
	"errors"
	"time"

	"skinarb/pricing"
)

// Journal remembers orders and whether trading is stopped. A write is durable
// when it returns, and every method bounds its own wait.
type Journal interface {
	// Reserve stores o as planned, if admit allows it. The usage that admit sees
	// and the write are one atomic step: no other reservation comes between. If
	// an order with this ID exists, it is returned with created false and admit
	// is not asked, except that a cancelled one is planned again (OnReplan).
	// admit's error is returned as it is. While trading is stopped it returns
	// ErrStopped.
	Reserve(ctx context.Context, o Order, admit func(Usage) error) (stored Order, created bool, err error)

	// Advance applies a step: it stores o, which the caller has moved to its new
	// state with the step appended, if the stored revision is still o.Rev; else
	// ErrStale. It returns the order with its new revision. A step to Sent is
	// refused with ErrStopped while trading is stopped.
	Advance(ctx context.Context, o Order, s Step) (Order, error)

	// Adopt stores an order that the market reported and we did not know. If the
	// ID exists it returns the stored one.
	Adopt(ctx context.Context, o Order) (Order, error)

	// Get gives one order with its history, or ErrNoOrder.
	Get(ctx context.Context, id OrderID) (Order, error)

	// List gives orders, newest first.
	List(ctx context.Context, q Query) ([]Order, error)

	// Usage gives what counts against the limits as of now.
	Usage(ctx context.Context, now time.Time) (Usage, error)

	// Totals gives what the orders came to, in all and per UTC day of creation.
	Totals(ctx context.Context) (Totals, error)

	// Trading and SetTrading keep the kill switch over restarts.
	Trading(ctx context.Context) (Trading, error)
	SetTrading(ctx context.Context, t Trading) error

	// Ping tells whether the journal can be written.
	Ping(ctx context.Context) error
}

// Errors of Journal.
var (
	ErrStale   = errors.New("the order changed meanwhile")
	ErrNoOrder = errors.New("no such order")
	ErrStopped = errors.New("trading is stopped")
)

// Query selects orders. Zero fields select all.
type Query struct {
	States []State
	Market pricing.Market
	Limit  int     // 0 means 1000
	After  OrderID // the last order of the page before
}

// Usage is what open and recent orders take of the limits.
type Usage struct {
	Open       int                              // orders not yet delivered
	Locked     pricing.Money                    // committed in orders not yet settled
	Day        pricing.Money                    // spent in the last 24 h, unknown outcomes included
	Units      map[pricing.Item]int             // bought of each item in the last 24 h
	Unrecorded map[pricing.Market]pricing.Money // committed in planned, sent and in-doubt orders: not in the market's balance yet
}

// Trading is the kill switch.
type Trading struct {
	Stopped bool
	Reason  string
	By      string
	At      time.Time
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
