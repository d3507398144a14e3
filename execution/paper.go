package execution

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"skinarb/pricing"
)

// Paper is a Market on which nothing is bought. An order is filled against the
// first catalog later than the one that was in force when it was placed: what is
// gone by then would have been gone from under us, too.
//
// It keeps nothing: the catalog version in force at placing is the order's
// MarketRef. An order that a crash left in doubt is therefore not known to it.
type Paper struct {
	market  pricing.Market
	book    func() *pricing.Book
	balance pricing.Money
}

var _ Market = (*Paper)(nil)

// NewPaper gives a paper market that stands for m, sells what book shows, and
// says at all times that the account holds balance.
func NewPaper(m pricing.Market, book func() *pricing.Book, balance pricing.Money) *Paper {
	return &Paper{market: m, book: book, balance: balance}
}

// Market implements Market.
func (p *Paper) Market() pricing.Market { return p.market }

// Check implements Market: the offer is the book's.
func (p *Paper) Check(_ context.Context, it pricing.Item, _ string) (Offer, error) {
	book := p.book()
	if book == nil {
		return Offer{}, ErrNotOffered
	}
	q, ok := book.Quote(p.market, it)
	if !ok || q.Count == 0 {
		return Offer{}, ErrNotOffered
	}
	return Offer{Ask: q.Ask, Count: q.Count}, nil
}

const paperRef = "paper-"

// Place implements Market.
func (p *Paper) Place(_ context.Context, o Order, _ Offer, wrote func()) (Evidence, error) {
	defer wrote()
	c, ok := p.catalog(o.Item.Game)
	if !ok {
		return Evidence{}, &RetryLaterError{After: time.Second, Reason: "no catalog yet"}
	}
	return Evidence{ID: o.ID, Event: OnPlaced, Status: "paper order placed", MarketRef: paperRef + strconv.FormatUint(c.Version, 10)}, nil
}

func (p *Paper) catalog(g pricing.Game) (pricing.Catalog, bool) {
	book := p.book()
	if book == nil {
		return pricing.Catalog{}, false
	}
	return book.Catalog(pricing.Feed{Market: p.market, Game: g})
}

// Lookup implements Market.
func (p *Paper) Lookup(_ context.Context, o Order) (Evidence, error) {
	text, ok := strings.CutPrefix(o.MarketRef, paperRef)
	placed, err := strconv.ParseUint(text, 10, 64)
	if !ok || err != nil {
		return Evidence{}, ErrNotFound
	}
	return p.fill(o, placed), nil
}

// fill decides an order that was placed on a catalog version.
func (p *Paper) fill(o Order, placed uint64) Evidence {
	ev := Evidence{ID: o.ID, MarketRef: o.MarketRef}
	switch o.State {
	case Delivered, Settled:
		ev.Event = OnDelivered
		return ev
	case Failed:
		ev.Event = OnFailed
		return ev
	}
	now, ok := p.catalog(o.Item.Game)
	// Versions that began anew, with an empty store, are later, too.
	later := now.Version > placed || now.Version < placed && now.ObservedAt.After(o.SentAt)
	if !ok || !later {
		ev.Event = OnPlaced
		return ev
	}
	q, ok := p.book().Quote(p.market, o.Item)
	if !ok || q.Ask > o.Ask {
		ev.Event, ev.Error = OnFailed, "gone before the fill"
		ev.Paid, ev.Refunded = o.Cost, o.Cost
		return ev
	}
	ev.Event, ev.Paid = OnDelivered, o.Cost
	ev.Status = fmt.Sprintf("paper order filled on version %d", now.Version)
	return ev
}

// Track implements Market.
func (p *Paper) Track(ctx context.Context, orders []Order) ([]Evidence, error) {
	var evs []Evidence
	for _, o := range orders {
		if ev, err := p.Lookup(ctx, o); err == nil {
			evs = append(evs, ev)
		}
	}
	return evs, nil
}

// History implements Market: there is no account to look at.
func (p *Paper) History(context.Context, time.Time) ([]Evidence, error) { return nil, nil }

// Balance implements Market.
func (p *Paper) Balance(context.Context) (pricing.Money, error) { return p.balance, nil }
