package selling

import (
	"context"
	"errors"
	"time"

	"skinarb/execution"
	"skinarb/pricing"
)

// Journal remembers listings, and the positions that they sell. A write is
// durable when it returns, and every method bounds its own wait.
type Journal interface {
	Listings
	Positions
}

// Listings is the part that knows nothing of positions.
type Listings interface {
	// Begin stores an offer as its holder's next listing, in state Sent: from then
	// on the request may leave. ErrOnSale means that the goods, or the holder,
	// have an open listing, whatever the market; execution.ErrStopped that
	// trading is stopped. Check and write are one atomic step.
	Begin(ctx context.Context, o Offer, now time.Time) (Listing, error)

	// Advance stores l, which the caller has moved, if the stored revision is still
	// l.Rev; else ErrStale. The offer, Round and CreatedAt are not looked at.
	// ErrCredited means that another listing has the same CreditRef there.
	Advance(ctx context.Context, l Listing) (Listing, error)

	// Listing gives one listing, or ErrNoListing.
	Listing(ctx context.Context, id ListingID) (Listing, error)

	// InStates gives every listing on a market that is in one of the states and
	// has changed at since or later, oldest first. An empty market means all, and
	// so does a zero since.
	InStates(ctx context.Context, m pricing.Market, since time.Time, states ...State) ([]Listing, error)

	// Ended gives listings on a market that are in one of EndedStates and have
	// changed at since or later: at most limit of them, by descending UpdatedAt and
	// then ID, from those that come after one on. A zero after means the newest.
	Ended(ctx context.Context, m pricing.Market, since time.Time, after Listing, limit int) ([]Listing, error)

	// Prune forgets listings that ended without being paid for and last changed
	// before a time: at most limit of them, and gives how many. It keeps the last of
	// each position, from which the next one's round is counted, and whatever a
	// position stands by or a buyer's order is for. A holder that is no position is
	// forgotten whole: it must not come again.
	Prune(ctx context.Context, before time.Time, limit int) (int, error)
}

// Positions is what the Seller needs besides.
type Positions interface {
	// Unsold gives settled purchases that are no position yet, oldest first, at
	// most 100 of them: those that were made by the strategy for ourselves. What
	// was bought for a buyer, or entered from a market's history, is not ours to
	// sell.
	Unsold(ctx context.Context) ([]execution.Order, error)

	// Enter stores a position, unless there is one with its ID.
	Enter(ctx context.Context, p Position) error

	// Update stores asset, floor and note of p if the stored revision is still
	// p.Rev; else ErrStale. ErrTaken means that another position has the asset.
	Update(ctx context.Context, p Position) (Position, error)

	// Held gives every position that is neither sold nor vanished, oldest first.
	Held(ctx context.Context) ([]Position, error)

	// Page gives positions, newest first: by descending CreatedAt, then by
	// descending ID. ErrNoPosition means that q.After is unknown.
	Page(ctx context.Context, q Query) ([]Position, error)

	// Count gives the number of positions in each state; none is zero.
	Count(ctx context.Context) (map[PositionState]int, error)

	// Profits gives what sold positions brought, and what was bought for a buyer and
	// paid for, per UTC day of the purchase's creation. The cost of a purchase that
	// failed or was rolled back is not taken off: its order's loss has it.
	Profits(ctx context.Context) ([]Profit, error)
}

// Errors of Journal.
var (
	ErrStale      = errors.New("it changed meanwhile")
	ErrOnSale     = errors.New("it may be on sale already")
	ErrCredited   = errors.New("that money is another listing's")
	ErrNoListing  = errors.New("no such listing")
	ErrTaken      = errors.New("the asset is another position's")
	ErrNoPosition = errors.New("no such position")
)

// Query selects positions. Zero fields select all.
type Query struct {
	States []PositionState
	Limit  int               // 0 means 1000
	After  execution.OrderID // the last position of the page before
}

// PageLimit is the number of positions that q asks for.
func (q Query) PageLimit() int {
	if q.Limit <= 0 {
		return 1000
	}
	return q.Limit
}

// Profit is what the positions brought that were bought on one UTC day.
type Profit struct {
	Day    time.Time
	Amount pricing.Money // proceeds less cost; negative is a loss
}
