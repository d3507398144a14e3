package partner

import (
	"context"
	"errors"
	"time"

	"skinarb/pricing"
)

// Purchase is an order of SIH's that we took.
type Purchase struct {
	ID       int64  // ours, as SIH is told
	CustomID string // SIH's key of it, as it was sent
	ItemID   string // what is bought, by the id of its listing
	Buyer    Buyer
	Price    pricing.Money // what SIH pays

	State    State
	OfferID  int64     // Steam's trade offer; 0 until it is out
	Reason   Reason    // only when Failed
	Until    time.Time // end of the trade protection; zero when not known
	Rollback Rollback  // only when RolledBack

	CreatedAt time.Time
	UpdatedAt time.Time
}

// Store remembers purchases. A write is durable when it returns; every method
// bounds its own wait and may be called concurrently.
type Store interface {
	// Create stores p as Created, with an ID larger than all before, and reserves
	// its item. Both are one atomic step. If there is a purchase with p.CustomID,
	// that is returned as it is stored, with created false, whatever else p says.
	// If another one holds the item (State.Holds), ErrItemTaken is returned. After
	// any error nothing is stored, as far as the store can tell.
	Create(ctx context.Context, p Purchase) (stored Purchase, created bool, err error)

	// Get gives the purchase with a customId, or ErrNoPurchase.
	Get(ctx context.Context, customID string) (Purchase, error)

	// OfItem gives the newest purchase of an item, or ErrNoPurchase.
	OfItem(ctx context.Context, itemID string) (Purchase, error)

	// Advance stores what Purchase.With makes of the stored purchase and n, in one
	// atomic step, and returns it. Its errors are With's and ErrNoPurchase, and
	// change nothing.
	Advance(ctx context.Context, customID string, n News) (Purchase, error)

	// Open gives the purchases to which something may still happen (State.Open),
	// by ascending ID.
	Open(ctx context.Context) ([]Purchase, error)
}

// Errors of Store.
var (
	ErrNoPurchase = errors.New("no such purchase")
	ErrItemTaken  = errors.New("the item is sold already")
)
