package selling

import (
	"context"
	"time"

	"skinarb/pricing"
)

// Market is what a Keeper asks of a market on which we sell. All methods bound
// their own wait and take their permits from the account's budget.
type Market interface {
	// Market names the market.
	Market() pricing.Market

	// List asks the market to put l.Goods on sale for l.Price, with l.ID as our
	// key. It sends once.
	//
	// A nil error means that the market took it. A *execution.RejectedError:
	// refused, nothing is on sale. A *execution.RetryLaterError: nothing happened.
	// After any other error the outcome is unknown.
	List(ctx context.Context, l Listing) (Word, error)

	// Withdraw asks the market to take l off sale. It may be asked again: doing it
	// twice is doing it once. Nil means that the market said it did; after an
	// error it may have.
	Withdraw(ctx context.Context, l Listing) error

	// Look asks what the market knows of listings. It may also tell of listings
	// that it was not asked about. A listing that no word is about got no answer:
	// that is no news, and what was learned before an error comes with it. Credits
	// are what the account was credited for sales since the oldest of the listings
	// without saying for which.
	Look(ctx context.Context, ls []Listing) ([]Word, []Credit, error)
}

// Word is what a market says of one listing. Only a word moves a listing that
// was sent. Empty fields were not told.
type Word struct {
	ID ListingID
	// Event is OnListed, OnSold or OnReturned; or OnWithdraw, of an open listing that
	// is on sale and may be of something else than was meant, so that it has to be
	// taken off. Without one, Shown tells whether the market knows the listing and
	// only its status is unknown to us, or does not show it at all.
	Event     Event
	Shown     bool
	MarketRef string
	OfferID   string
	Price     pricing.Money // for which the market has it on sale
	Proceeds  pricing.Money // credited, with OnSold
	CreditRef string        // the market's id of that movement
	Status    string        // the market's own word, or reason
}

// Credit is money that a market credited for a sale that it did not name.
type Credit struct {
	Ref    string // the market's id of the movement
	Amount pricing.Money
	At     time.Time // zero when not told
}

// Asset is one thing in the Steam inventory of the account that buys and sells.
type Asset struct {
	ID       string        // Steam's; it changes with every trade
	Name     string        // as whoever told it spells it
	Tradable bool          // not under trade protection or otherwise held
	Pays     pricing.Money // what SkinsBack credits for it now; 0 when it does not take it
}

// Inventory tells what the account has.
type Inventory interface {
	// Assets gives everything of one game. It is complete, or an error.
	Assets(ctx context.Context, g pricing.Game) ([]Asset, error)
}
