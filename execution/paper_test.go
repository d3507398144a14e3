package execution_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"skinarb/execution"
	"skinarb/pricing"
)

func TestPaper(t *testing.T) {
	r := wish(1, 5*pricing.Dollar)
	catalog := func(version uint64, ask pricing.Money) *pricing.Book {
		c := pricing.Catalog{Feed: pricing.Feed{Market: r.Market, Game: pricing.CS2}, Version: version, ObservedAt: time.Now()}
		if ask > 0 {
			c.Listings = []pricing.Listing{{Item: r.Item, MarketName: r.MarketName, Ask: ask, Count: 1}}
		}
		b, _ := pricing.NewBook().With(c)
		return b
	}
	for name, tc := range map[string]struct {
		later *pricing.Book
		want  execution.State
	}{
		"no later catalog":  {catalog(7, r.Ask), execution.Placed},
		"still there":       {catalog(8, r.Ask), execution.Delivered},
		"cheaper":           {catalog(9, r.Ask-1), execution.Delivered},
		"dearer":            {catalog(8, r.Ask+1), execution.Failed},
		"gone":              {catalog(8, 0), execution.Failed},
		"versions anew":     {nil, execution.Delivered}, // made in the bubble, see below
		"an older snapshot": {catalog(6, 0), execution.Placed},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var book atomic.Pointer[pricing.Book]
				book.Store(catalog(7, r.Ask))
				r := r
				r.ExpiresAt = time.Now().Add(time.Minute)
				m := execution.NewPaper(r.Market, book.Load, 100*pricing.Dollar)
				j := newMemJournal()
				cfg := execution.Config{Markets: []execution.Market{m}, Journal: j, Protection: map[pricing.Market]time.Duration{r.Market: time.Hour}}
				buy(t, newExecutor(t, cfg), r, execution.Placed)

				// The process that placed it is gone.
				time.Sleep(time.Second)
				book.Store(tc.later)
				switch name {
				case "versions anew":
					book.Store(catalog(1, r.Ask))
				case "an older snapshot":
					b, _ := pricing.NewBook().With(pricing.Catalog{Feed: pricing.Feed{Market: r.Market, Game: pricing.CS2}, Version: 6, ObservedAt: time.Now().Add(-time.Hour)})
					book.Store(b)
				}
				stop := run(t, newExecutor(t, cfg))
				time.Sleep(time.Minute)
				o, err := j.Get(t.Context(), r.ID())
				if err != nil || o.State != tc.want {
					t.Errorf("got %s (%s), error %v, want %s", o.State, o.Error, err, tc.want)
				}
				if o.State == execution.Delivered && o.Paid != r.Cost {
					t.Errorf("paid %s, want the cost %s", o.Paid, r.Cost)
				}
				// What was filled stays filled, and settles in its time.
				book.Store(catalog(99, 0))
				time.Sleep(2 * time.Hour)
				if got := state(t, j, r.ID()); tc.want == execution.Delivered && got != execution.Settled {
					t.Errorf("after the window: got %s, want settled", got)
				}
				stop()
			})
		})
	}
}

func TestPaperCheck(t *testing.T) {
	var book *pricing.Book
	m := execution.NewPaper(pricing.SIH, func() *pricing.Book { return book }, pricing.Dollar)
	for range 2 {
		if _, err := m.Check(t.Context(), wish(1, pricing.Dollar).Item, ""); !errors.Is(err, execution.ErrNotOffered) {
			t.Errorf("got error %v, want ErrNotOffered", err)
		}
		book = pricing.NewBook()
	}
	if b, err := m.Balance(t.Context()); err != nil || b != pricing.Dollar {
		t.Errorf("balance %s, error %v, want 1.00", b, err)
	}
	if _, err := m.Lookup(t.Context(), execution.Order{}); !errors.Is(err, execution.ErrNotFound) {
		t.Errorf("an order that was never placed: got error %v, want ErrNotFound", err)
	}
	var later *execution.RetryLaterError
	if _, err := m.Place(t.Context(), execution.Order{}, execution.Offer{}, func() {}); !errors.As(err, &later) {
		t.Errorf("without a catalog: got error %v, want *RetryLaterError", err)
	}
}
