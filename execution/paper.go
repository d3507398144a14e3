package execution

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync"
	"time"

	"skinarb/pricing"
)

// Paper is a Market on which nothing is bought. An order is filled only if the
// first catalog after it was placed still shows the offer, at its price or
// below: what is gone by then would have been gone from under us, too. A catalog
// that the market answered before the order was placed can take the offer away,
// but it does not confirm it; then the one after it decides.
//
// Paper is told of every catalog (Observe) and notes at once what it means for
// the orders that wait, however late somebody asks. It keeps nothing over a
// restart but the catalog version in force at placing, which is the order's
// MarketRef. Of catalogs that it was not told of it reasons from a later one: an
// ask that first appeared by the version of placing and still stands was in each
// of them. Everything else may or may not have been there; it counts as gone,
// and the order says so. An order that a crash left in doubt is not known here.
//
// What it cannot know: what happened between two catalogs, so that a fill means
// "nobody took it for that long" and not "we would have been first"; how many
// units a catalog showed that it was not told of; whether the market would have
// delivered, so that every fill is delivered; and which of the units shown would
// still be there, had we bought for real. Units that were bought on paper stay in
// the catalogs and are taken off their count (Bought), as if the market never
// replaced them.
type Paper struct {
	// Bought gives the units of an item that were bought on paper lately, orders
	// that wait included. Nil takes nothing off. It must be set before use.
	Bought func(ctx context.Context, it pricing.Item) (int, error)

	market  pricing.Market
	book    func() *pricing.Book
	balance pricing.Money

	mu     sync.Mutex // also held from reading the book to entering an order, so that Observe misses none
	trials map[OrderID]*trial
}

var _ Market = (*Paper)(nil)

// NewPaper gives a paper market that stands for m, sells what book shows, and
// says at all times that the account holds balance.
func NewPaper(m pricing.Market, book func() *pricing.Book, balance pricing.Money) *Paper {
	return &Paper{market: m, book: book, balance: balance, trials: map[OrderID]*trial{}}
}

// trial is a paper order and what the catalogs said of its offer.
type trial struct {
	order  Order
	placed uint64 // version in force at placing
	stood  uint64 // newest version known to follow placing without a gap, in all of which the offer stood
	ruling
}

// ruling is the word of the catalog that decided. The zero ruling is none yet.
type ruling struct {
	catalog pricing.Catalog
	units   int    // shown at the order's ask or below; 0 is gone
	why     string // it is gone
}

func (r ruling) made() bool { return r.catalog.Version != 0 }

// unitsAt gives the units that a book shows at an ask or below; a count that the
// market did not tell is taken for one.
func (p *Paper) unitsAt(book *pricing.Book, it pricing.Item, ask pricing.Money) (units int, q pricing.Quote) {
	q, ok := book.Quote(p.market, it)
	switch {
	case !ok || q.Ask > ask:
		return 0, q
	case q.Count == pricing.CountUnknown:
		return 1, q
	}
	return q.Count, q
}

// look rules on t if a book tells enough. The caller holds mu.
func (p *Paper) look(t *trial, book *pricing.Book) {
	c, ok := book.Catalog(pricing.Feed{Market: p.market, Game: t.order.Item.Game})
	fresh := c.ObservedAt.After(t.order.SentAt)
	if t.made() || !ok || c.Version == t.stood || c.Version < t.stood && !fresh {
		return // no later catalog
	}
	units, q := p.unitsAt(book, t.order.Item, t.order.Ask)
	next := c.Version == t.stood+1
	switch {
	case units > 0 && (next || c.Version > t.stood && q.Since <= t.stood):
		t.stood = c.Version
		if fresh {
			t.ruling = ruling{catalog: c, units: units}
		}
	case next:
		t.ruling = ruling{catalog: c, why: "gone before the fill"}
	default:
		t.ruling = ruling{catalog: c, why: fmt.Sprintf("counted as gone: the catalog after version %d was not seen, and version %d does not prove that the offer was in it", t.stood, c.Version)}
	}
}

// Observe is told of every new catalog, in order. It is a subscriber of a
// replica and does not block.
func (p *Paper) Observe(book *pricing.Book, f pricing.Feed, _ []int, _ bool) {
	if f.Market != p.market {
		return
	}
	c, _ := book.Catalog(f)
	p.mu.Lock()
	defer p.mu.Unlock()
	maps.DeleteFunc(p.trials, func(_ OrderID, t *trial) bool {
		if t.order.Item.Game != f.Game {
			return false
		}
		p.look(t, book)
		// By then whoever tracks orders has asked.
		return t.made() && c.ObservedAt.Sub(t.catalog.ObservedAt) > Day
	})
}

// rule gives what is decided of an order that was placed on a version.
func (p *Paper) rule(o Order, placed uint64) ruling {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.trials[o.ID]
	if t == nil || t.placed != placed { // it was placed by another process
		t = &trial{order: o, placed: placed, stood: placed}
		p.trials[o.ID] = t
	}
	if book := p.book(); book != nil {
		p.look(t, book)
	}
	return t.ruling
}

// bought gives the units of an item that were bought on paper.
func (p *Paper) bought(ctx context.Context, it pricing.Item) (int, error) {
	if p.Bought == nil {
		return 0, nil
	}
	n, err := p.Bought(ctx, it)
	if err != nil {
		return 0, fmt.Errorf("count what was bought on paper of %s: %w", it, err)
	}
	return n, nil
}

// Market implements Market.
func (p *Paper) Market() pricing.Market { return p.market }

// Check implements Market: the offer is the book's, less what was bought on
// paper.
func (p *Paper) Check(ctx context.Context, it pricing.Item, _ string) (Offer, error) {
	book := p.book()
	if book == nil {
		return Offer{}, ErrNotOffered
	}
	units, q := p.unitsAt(book, it, pricing.MaxMoney)
	if units == 0 {
		return Offer{}, ErrNotOffered
	}
	bought, err := p.bought(ctx, it)
	if err != nil {
		return Offer{}, err
	}
	if units -= bought; units <= 0 {
		return Offer{}, ErrNotOffered
	}
	return Offer{Ask: q.Ask, Count: units}, nil
}

const paperRef = "paper-"

// Place implements Market. An offer that went since it was checked is refused,
// as the market would.
func (p *Paper) Place(_ context.Context, o Order, _ Offer, wrote func()) (Evidence, error) {
	defer wrote()
	p.mu.Lock()
	defer p.mu.Unlock()
	book := p.book()
	if book == nil {
		return Evidence{}, &RetryLaterError{After: time.Second, Reason: "no catalog yet"}
	}
	c, ok := book.Catalog(pricing.Feed{Market: p.market, Game: o.Item.Game})
	if !ok {
		return Evidence{}, &RetryLaterError{After: time.Second, Reason: "no catalog yet"}
	}
	if units, _ := p.unitsAt(book, o.Item, o.Ask); units == 0 {
		return Evidence{}, &RejectedError{Reason: "gone_before_placing"}
	}
	p.trials[o.ID] = &trial{order: o, placed: c.Version, stood: c.Version}
	return Evidence{ID: o.ID, Event: OnPlaced, Status: "paper order placed", MarketRef: paperRef + strconv.FormatUint(c.Version, 10)}, nil
}

// Lookup implements Market.
func (p *Paper) Lookup(ctx context.Context, o Order) (Evidence, error) {
	text, ok := strings.CutPrefix(o.MarketRef, paperRef)
	placed, err := strconv.ParseUint(text, 10, 64)
	if !ok || err != nil {
		return Evidence{}, ErrNotFound
	}
	ev := Evidence{ID: o.ID, MarketRef: o.MarketRef}
	switch o.State {
	case Delivered, Settled:
		ev.Event = OnDelivered
		return ev, nil
	case Failed:
		ev.Event = OnFailed
		return ev, nil
	}
	r := p.rule(o, placed)
	if !r.made() {
		ev.Event = OnPlaced
		return ev, nil
	}
	bought, err := p.bought(ctx, o.Item) // with this one, unless it is old
	if err != nil {
		return Evidence{}, err
	}
	if r.units > 0 && r.units < bought {
		r.why = fmt.Sprintf("gone before the fill: version %d shows %d, and on paper %d were bought", r.catalog.Version, r.units, bought)
	}
	ev.Paid = o.Cost
	if r.why != "" {
		ev.Event, ev.Error, ev.Refunded = OnFailed, r.why, o.Cost
		return ev, nil
	}
	ev.Event, ev.Status = OnDelivered, fmt.Sprintf("paper order filled on version %d", r.catalog.Version)
	return ev, nil
}

// Track implements Market.
func (p *Paper) Track(ctx context.Context, orders []Order) ([]Evidence, error) {
	var evs []Evidence
	for _, o := range orders {
		ev, err := p.Lookup(ctx, o)
		switch {
		case err == nil:
			evs = append(evs, ev)
		case !errors.Is(err, ErrNotFound):
			return nil, err
		}
	}
	return evs, nil
}

// History implements Market: there is no account to look at.
func (p *Paper) History(context.Context, time.Time) ([]Evidence, error) { return nil, nil }

// Balance implements Market.
func (p *Paper) Balance(context.Context) (pricing.Money, error) { return p.balance, nil }
