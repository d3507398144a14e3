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
	// Reserve stores o as planned, if admit allows it. The usage that admit sees,
	// which is that of the time o.UpdatedAt, and the write are one atomic step: no
	// other reservation comes between. If an order with this ID exists, it is
	// returned with created false and admit is not asked, except that a cancelled
	// one is planned again (Order.Replan) like a new one, if admit allows it, and
	// returned with created true. admit's error is returned as it is. While
	// trading is stopped it returns ErrStopped. admit must not use the journal.
	Reserve(ctx context.Context, o Order, admit func(Usage) error) (stored Order, created bool, err error)

	// Advance applies a step: it stores o, which the caller has moved to its new
	// state, and appends s to the stored history, if the stored revision is still
	// o.Rev; else ErrStale. The zero Step leaves the history as it is. It returns
	// the order as it is then stored. The request, CreatedAt and o.History are not
	// looked at. A step to Sent is refused with ErrStopped while trading is
	// stopped.
	Advance(ctx context.Context, o Order, s Step) (Order, error)

	// Adopt stores an order that the market reported and we did not know, with its
	// history, whatever the limits and the kill switch say: the money is gone. If
	// the ID exists it returns the stored one.
	Adopt(ctx context.Context, o Order) (Order, error)

	// Get gives one order with its history, or ErrNoOrder.
	Get(ctx context.Context, id OrderID) (Order, error)

	// List gives orders with their history, newest first: by descending
	// CreatedAt, then by descending ID. ErrNoOrder means that q.After is unknown.
	List(ctx context.Context, q Query) ([]Order, error)

	// Usage gives what counts against the limits as of now.
	Usage(ctx context.Context, now time.Time) (Usage, error)

	// Totals gives what the orders came to, in all and per UTC day of creation.
	Totals(ctx context.Context) (Totals, error)

	// Books gives what the account on a market should hold. OpenBooks stores its
	// opening: what Books then gives as Opening and OpenedAt.
	Books(ctx context.Context, m pricing.Market) (Books, error)
	OpenBooks(ctx context.Context, m pricing.Market, opening pricing.Money, at time.Time) error

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
	States    []State
	Market    pricing.Market
	MarketRef string  // the market's id of the purchase
	Limit     int     // 0 means 1000
	After     OrderID // the last order of the page before
}

// PageLimit is the number of orders that q asks for.
func (q Query) PageLimit() int {
	if q.Limit <= 0 {
		return 1000
	}
	return q.Limit
}

// Trading is the kill switch.
type Trading struct {
	Stopped bool
	Reason  string
	By      string
	At      time.Time
}
