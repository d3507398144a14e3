package execution

import (
	"context"
	"errors"
	"fmt"
	"time"

	"skinarb/pricing"
)

// Market is what execution asks of a market. All methods bound their own wait
// and never repeat a request by themselves.
type Market interface {
	// Market names the market.
	Market() pricing.Market

	// Check asks the market, now, for its lowest ask of an item. It returns
	// ErrNotOffered when the market has none. MarketName is the market's
	// spelling. The budget for the request is taken inside.
	Check(ctx context.Context, it pricing.Item, marketName string) (Offer, error)

	// Place asks the market to buy o for at most o.Ask, with o.ID as its
	// idempotency key. It takes no budget and waits for nothing before it sends:
	// the caller has done both. It calls wrote once, as soon as no further byte
	// of the request can leave, at the latest when it returns.
	//
	// A nil error means bought. A *RejectedError: refused, no money moved. A
	// *RetryLaterError: nothing happened, and the same order may be sent again.
	// After any other error the outcome is unknown.
	Place(ctx context.Context, o Order, offer Offer, wrote func()) (Evidence, error)

	// Lookup asks what the market knows of an order by its ID. ErrNotFound means
	// that the market says it does not know it; a *RejectedError that it knows
	// it and refused it; any other error means that it said nothing.
	Lookup(ctx context.Context, o Order) (Evidence, error)

	// Track asks for the state of many orders at once. An order that is missing
	// in the answer means no news.
	Track(ctx context.Context, orders []Order) ([]Evidence, error)

	// History gives every purchase of the account since a time, also those with
	// an ID that is not ours or empty.
	History(ctx context.Context, since time.Time) ([]Evidence, error)

	// Balance is the money that the account can spend.
	Balance(ctx context.Context) (pricing.Money, error)
}

// Offer is a market's answer to Check.
type Offer struct {
	Ask       pricing.Money
	Count     int    // or pricing.CountUnknown
	ListingID string // the listing to buy, where the market sells by listing; else empty
}

// Evidence is what a market says of one purchase. Only evidence moves an order
// that was sent.
type Evidence struct {
	ID         OrderID // ours; may be empty in History
	MarketRef  string
	Event      Event  // OnPlaced .. OnRolledBack, or empty when the market's status is unknown to us
	Status     string // the market's own word
	MarketName string
	Game       pricing.Game  // empty when not told
	Paid       pricing.Money // taken in all so far; 0 when not told
	Refunded   pricing.Money // 0 when not told
	OfferID    string
	Error      string
	Booked     bool      // Paid and Refunded are from the market's account book, both told
	At         time.Time // when the purchase was made, by the market's clock; zero when not told

	// Protection says what the market tells of Steam's trade protection. When it
	// tells nothing, a delivered order settles by time.
	Protection Protection
}

// Protection is the state of a delivered item's trade protection.
type Protection string

// The states of trade protection.
const (
	ProtectionUntold Protection = ""
	ProtectionOpen   Protection = "open"
	ProtectionOver   Protection = "over"
)

// Hint says where to look: an event of a market named a purchase by our key or
// by theirs. The zero Hint asks to look at every open order of the market.
type Hint struct {
	ID        OrderID
	MarketRef string
}

// Sentinels of Market.
var (
	ErrNotOffered = errors.New("the market does not offer it now")
	ErrNotFound   = errors.New("the market does not know the order")
)

// RejectedError is a market's refusal: no money moved, and sending the same
// order again would not help.
type RejectedError struct {
	Reason  string // stable word, such as "insufficient_funds"
	Account bool   // it is about the account or the recipient: any other order would be refused, too
}

func (e *RejectedError) Error() string { return "the market refused: " + e.Reason }

// RetryLaterError says that nothing happened: the request did not leave, or the
// market did not take it up. The same order may be sent again.
type RetryLaterError struct {
	After     time.Duration // at least this long
	Reason    string
	Throttled bool // the market asks to be left alone until then, whatever the request
}

func (e *RetryLaterError) Error() string {
	return fmt.Sprintf("nothing happened, try again in %s: %s", e.After, e.Reason)
}
