package execution_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"skinarb/execution"
	"skinarb/pricing"
)

// shown is what a catalog shows of the one item of these tests. The zero shown
// is nothing.
type shown struct {
	ask   pricing.Money
	count int
	since uint64 // 0 is the version itself
}

// onPaper gives a book whose catalog of r's feed shows s.
func onPaper(r execution.Request, version uint64, at time.Time, s shown) *pricing.Book {
	c := pricing.Catalog{Feed: pricing.Feed{Market: r.Market, Game: pricing.CS2}, Version: version, ObservedAt: at}
	if s.since == 0 {
		s.since = version
	}
	if s.ask > 0 {
		c.Listings = []pricing.Listing{{Item: r.Item, MarketName: r.MarketName, Ask: s.ask, Count: s.count, Since: s.since}}
	}
	b, _ := pricing.NewBook().With(c)
	return b
}

// TestPaper places on version 7 with one executor and lets another, which knows
// only the journal, meet a later catalog.
func TestPaper(t *testing.T) {
	r := wish(1, 5*pricing.Dollar)
	for name, tc := range map[string]struct {
		version uint64
		age     time.Duration // of the market's answer
		shown   shown
		want    execution.State
		why     string // in the order's error
	}{
		"no later catalog":              {7, 0, shown{ask: r.Ask, count: 1}, execution.Placed, ""},
		"an older snapshot":             {6, time.Hour, shown{}, execution.Placed, ""},
		"still there":                   {8, 0, shown{r.Ask, 1, 7}, execution.Delivered, ""},
		"cheaper":                       {8, 0, shown{ask: r.Ask - 1, count: 1}, execution.Delivered, ""},
		"count not told":                {8, 0, shown{r.Ask, pricing.CountUnknown, 7}, execution.Delivered, ""},
		"dearer":                        {8, 0, shown{ask: r.Ask + 1, count: 1}, execution.Failed, "gone before the fill"},
		"sold out":                      {8, 0, shown{r.Ask, 0, 7}, execution.Failed, "gone before the fill"},
		"gone":                          {8, 0, shown{}, execution.Failed, "gone before the fill"},
		"there before, and no news":     {8, time.Minute, shown{r.Ask, 1, 7}, execution.Placed, ""},
		"gone before":                   {8, time.Minute, shown{}, execution.Failed, "gone before the fill"},
		"catalogs missed, it stood":     {11, 0, shown{r.Ask, 1, 5}, execution.Delivered, ""},
		"catalogs missed, it came back": {11, 0, shown{r.Ask, 1, 9}, execution.Failed, "was not seen"},
		"catalogs missed, cheaper":      {11, 0, shown{r.Ask - 1, 1, 8}, execution.Failed, "was not seen"},
		"catalogs missed, gone":         {11, 0, shown{}, execution.Failed, "was not seen"},
		"versions began anew":           {1, 0, shown{r.Ask, 1, 1}, execution.Failed, "was not seen"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var book atomic.Pointer[pricing.Book]
				book.Store(onPaper(r, 7, time.Now(), shown{ask: r.Ask, count: 1}))
				r := r
				r.ExpiresAt = time.Now().Add(time.Minute)
				j := newMemJournal()
				cfg := func() execution.Config {
					m := execution.NewPaper(r.Market, book.Load, 100*pricing.Dollar)
					return execution.Config{Markets: []execution.Market{m}, Journal: j, Protection: map[pricing.Market]time.Duration{r.Market: time.Hour}}
				}
				buy(t, newExecutor(t, cfg()), r, execution.Placed)

				time.Sleep(time.Second)
				book.Store(onPaper(r, tc.version, time.Now().Add(-tc.age), tc.shown))
				stop := run(t, newExecutor(t, cfg()))
				time.Sleep(time.Minute)
				o, err := j.Get(t.Context(), r.ID())
				if err != nil || o.State != tc.want || !strings.Contains(o.Error, tc.why) {
					t.Errorf("got %s (%s), error %v, want %s (%s)", o.State, o.Error, err, tc.want, tc.why)
				}
				switch {
				case o.State == execution.Delivered && (o.Paid != r.Cost || o.Refunded != 0):
					t.Errorf("paid %s and refunded %s, want the cost %s and nothing", o.Paid, o.Refunded, r.Cost)
				case o.State == execution.Failed && o.Paid != o.Refunded:
					t.Errorf("paid %s and refunded %s, want the same", o.Paid, o.Refunded)
				}
				// What was filled stays filled, and settles in its time.
				book.Store(onPaper(r, 99, time.Now(), shown{}))
				time.Sleep(2 * time.Hour)
				if got := state(t, j, r.ID()); tc.want == execution.Delivered && got != execution.Settled {
					t.Errorf("after the window: got %s, want settled", got)
				}
				stop()
			})
		})
	}
}

// paperShop is a paper market, its catalogs and one order, without an executor.
type paperShop struct {
	book   *pricing.Book
	market *execution.Paper
	now    time.Time
	r      execution.Request
}

func newPaperShop() *paperShop {
	s := &paperShop{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), r: wish(1, 5*pricing.Dollar)}
	s.restart()
	return s
}

// restart forgets all that is not in the journal.
func (s *paperShop) restart() {
	s.market = execution.NewPaper(s.r.Market, func() *pricing.Book { return s.book }, pricing.Dollar)
}

func (s *paperShop) publish(version uint64, sh shown) {
	s.book = onPaper(s.r, version, s.now, sh)
}

func (s *paperShop) tell() {
	s.market.Observe(s.book, pricing.Feed{Market: s.r.Market, Game: pricing.CS2}, nil, false)
}

// place gives the placed order as the journal has it.
func (s *paperShop) place(t interface{ Fatalf(string, ...any) }) execution.Order {
	s.now = s.now.Add(time.Second)
	o := execution.Order{ID: s.r.ID(), Request: s.r, State: execution.Sent, SentAt: s.now}
	ev, err := s.market.Place(context.Background(), o, execution.Offer{}, func() {})
	if err != nil || ev.Event != execution.OnPlaced {
		t.Fatalf("place: got %+v, error %v, want placed", ev, err)
	}
	o.State, o.MarketRef = execution.Placed, ev.MarketRef
	s.now = s.now.Add(time.Second)
	return o
}

func (s *paperShop) track(t interface{ Fatalf(string, ...any) }, o execution.Order) execution.Evidence {
	evs, err := s.market.Track(context.Background(), []execution.Order{o})
	if err != nil || len(evs) != 1 {
		t.Fatalf("track: got %+v, error %v, want one answer", evs, err)
	}
	return evs[0]
}

// TestPaperDecidesByTheFirstCatalog has catalogs come faster than anybody tracks:
// the newest one at that time says the opposite of the first.
func TestPaperDecidesByTheFirstCatalog(t *testing.T) {
	there, gone := shown{5 * pricing.Dollar, 1, 7}, shown{}
	for name, tc := range map[string]struct {
		later []shown
		want  execution.Event
	}{
		"there, then gone":    {[]shown{there, gone}, execution.OnDelivered},
		"gone, then back":     {[]shown{gone, {ask: 5 * pricing.Dollar, count: 9}}, execution.OnFailed},
		"dearer, then cheap":  {[]shown{{ask: 6 * pricing.Dollar, count: 1}, {ask: pricing.Dollar, count: 1}}, execution.OnFailed},
		"cheaper, then gone":  {[]shown{{ask: pricing.Dollar, count: 1}, gone, gone}, execution.OnDelivered},
		"there, then dearest": {[]shown{there, {ask: 9 * pricing.Dollar, count: 1}}, execution.OnDelivered},
	} {
		t.Run(name, func(t *testing.T) {
			s := newPaperShop()
			s.publish(7, there)
			o := s.place(t)
			for i, sh := range tc.later {
				s.now = s.now.Add(time.Minute)
				s.publish(8+uint64(i), sh)
				s.tell()
			}
			for range 2 { // and it stays with it
				if got := s.track(t, o); got.Event != tc.want {
					t.Errorf("got %s (%s), want %s", got.Event, got.Error, tc.want)
				}
			}
			// A day later nothing is kept of it: the map must not grow for ever.
			s.now = s.now.Add(execution.Day + time.Hour)
			s.publish(8+uint64(len(tc.later)), gone)
			s.tell()
			if got := s.track(t, o); got.Event != execution.OnFailed || !strings.Contains(got.Error, "was not seen") {
				t.Errorf("a day later: got %s (%s), want it forgotten and counted as gone", got.Event, got.Error)
			}
		})
	}
}

// TestPaperPlacedAgain: an order that was withdrawn and sent again with the same
// ID, here by another process, is a new order.
func TestPaperPlacedAgain(t *testing.T) {
	s := newPaperShop()
	s.publish(7, shown{s.r.Ask, 1, 7})
	o := s.place(t)
	s.publish(8, shown{})
	s.tell()
	if got := s.track(t, o); got.Event != execution.OnFailed {
		t.Fatalf("got %s, want failed: it is gone", got.Event)
	}
	s.publish(9, shown{s.r.Ask, 1, 9})
	s.tell()
	o.MarketRef, o.SentAt, s.now = "paper-9", s.now, s.now.Add(time.Minute)
	if got := s.track(t, o); got.Event != execution.OnPlaced {
		t.Errorf("placed again on version 9: got %s (%s), want that it waits", got.Event, got.Error)
	}
	s.publish(10, shown{s.r.Ask, 1, 9})
	s.tell()
	if got := s.track(t, o); got.Event != execution.OnDelivered {
		t.Errorf("and then: got %s (%s), want delivered", got.Event, got.Error)
	}
}

// TestPaperNeverFillsWhatWasGone draws catalogs, of which some are not told of
// and some fall into a restart. A paper order that is told of all is filled
// exactly if the first catalog answered after placing, and all before it, show
// the offer; one that is not is filled only then.
func TestPaperNeverFillsWhatWasGone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newPaperShop()
		ask := s.r.Ask
		told := rapid.Bool().Draw(t, "told of all")
		before := shown{ask, 1, rapid.Uint64Range(5, 7).Draw(t, "since")}
		s.publish(7, before)
		o := s.place(t)

		want := execution.OnPlaced // until a catalog decides
		seen := execution.OnPlaced
		last := 7 + rapid.Uint64Range(1, 6).Draw(t, "catalogs")
		for v := uint64(8); v <= last; v++ {
			next := shown{
				ask:   rapid.SampledFrom([]pricing.Money{0, ask - 1, ask, ask, ask, ask + 1}).Draw(t, "ask"),
				count: rapid.SampledFrom([]int{pricing.CountUnknown, 1, 3}).Draw(t, "count"),
				since: v,
			}
			if next.ask == before.ask {
				next.since = before.since
			}
			before = next
			at := s.now
			if rapid.IntRange(0, 3).Draw(t, "answered before placing") == 0 {
				s.now = o.SentAt.Add(-time.Second)
			}
			s.publish(v, next)
			fresh := s.now.After(o.SentAt)
			s.now = at.Add(time.Minute)

			switch stands := next.ask > 0 && next.ask <= ask; {
			case want != execution.OnPlaced:
			case !stands:
				want = execution.OnFailed
			case fresh:
				want = execution.OnDelivered
			}
			if !told && rapid.IntRange(0, 3).Draw(t, "restart") == 0 {
				s.restart()
			}
			if told || rapid.Bool().Draw(t, "told") {
				s.tell()
			}
			if seen == execution.OnPlaced && rapid.Bool().Draw(t, "tracked") {
				seen = s.track(t, o).Event
			}
			if told && seen != execution.OnPlaced && seen != want {
				t.Fatalf("told of all up to version %d: got %s, want %s", v, seen, want)
			}
			if seen == execution.OnDelivered && want != execution.OnDelivered {
				t.Fatalf("at version %d it is filled, want %s", v, want)
			}
		}
		if seen == execution.OnPlaced {
			seen = s.track(t, o).Event
		}
		if told && seen != want || seen == execution.OnDelivered && want != seen {
			t.Fatalf("in the end: got %s, want %s (told of all: %t)", seen, want, told)
		}
	})
}

// TestPaperUnits: what was bought on paper stays in the catalog, and is not
// there to be bought again.
func TestPaperUnits(t *testing.T) {
	for _, tc := range []struct {
		count, bought int // bought before
		offered       bool
		left          int // in the catalog that decides
		want          execution.Event
	}{
		{count: 1, bought: 0, offered: true, left: 1, want: execution.OnDelivered},
		{count: 1, bought: 1, offered: false},
		{count: 2, bought: 1, offered: true, left: 2, want: execution.OnDelivered},
		{count: 2, bought: 1, offered: true, left: 1, want: execution.OnFailed},
		{count: pricing.CountUnknown, bought: 0, offered: true, left: pricing.CountUnknown, want: execution.OnDelivered},
		{count: pricing.CountUnknown, bought: 1, offered: false},
	} {
		t.Run(fmt.Sprintf("%d of %d, then %d", tc.bought, tc.count, tc.left), func(t *testing.T) {
			s := newPaperShop()
			bought := tc.bought
			s.market.Bought = func(context.Context, pricing.Item) (int, error) { return bought, nil }
			s.publish(7, shown{s.r.Ask, tc.count, 7})
			offer, err := s.market.Check(t.Context(), s.r.Item, "")
			if !tc.offered {
				if !errors.Is(err, execution.ErrNotOffered) {
					t.Errorf("check: got %+v, error %v, want ErrNotOffered", offer, err)
				}
				return
			}
			if err != nil || offer.Ask != s.r.Ask || offer.Count != max(tc.count, 1)-tc.bought {
				t.Errorf("check: got %+v, error %v, want %d at %s", offer, err, max(tc.count, 1)-tc.bought, s.r.Ask)
			}
			o := s.place(t)
			bought++ // the journal counts it, too
			s.publish(8, shown{s.r.Ask, tc.left, 7})
			if got := s.track(t, o); got.Event != tc.want {
				t.Errorf("got %s (%s), want %s", got.Event, got.Error, tc.want)
			}
		})
	}

	s := newPaperShop()
	broken := errors.New("disk is gone")
	s.publish(7, shown{s.r.Ask, 1, 7})
	o := s.place(t)
	s.market.Bought = func(context.Context, pricing.Item) (int, error) { return 0, broken }
	s.publish(8, shown{s.r.Ask, 1, 7})
	if _, err := s.market.Check(t.Context(), s.r.Item, ""); !errors.Is(err, broken) {
		t.Errorf("check without a count: got error %v, want %v", err, broken)
	}
	if _, err := s.market.Track(t.Context(), []execution.Order{o}); !errors.Is(err, broken) {
		t.Errorf("track without a count: got error %v, want %v", err, broken)
	}
}

func TestPaperCheck(t *testing.T) {
	var book *pricing.Book
	m := execution.NewPaper(pricing.SIH, func() *pricing.Book { return book }, pricing.Dollar)
	for range 2 {
		if _, err := m.Check(t.Context(), wish(1, pricing.Dollar).Item, ""); !errors.Is(err, execution.ErrNotOffered) {
			t.Errorf("got error %v, want ErrNotOffered", err)
		}
		var later *execution.RetryLaterError
		if _, err := m.Place(t.Context(), execution.Order{}, execution.Offer{}, func() {}); !errors.As(err, &later) {
			t.Errorf("without a catalog: got error %v, want *RetryLaterError", err)
		}
		book = pricing.NewBook()
	}
	if b, err := m.Balance(t.Context()); err != nil || b != pricing.Dollar {
		t.Errorf("balance %s, error %v, want 1.00", b, err)
	}
	if _, err := m.Lookup(t.Context(), execution.Order{}); !errors.Is(err, execution.ErrNotFound) {
		t.Errorf("an order that was never placed: got error %v, want ErrNotFound", err)
	}
	if evs, err := m.Track(t.Context(), []execution.Order{{}}); err != nil || len(evs) != 0 {
		t.Errorf("track an order that was never placed: got %+v, error %v, want no news", evs, err)
	}
	s := newPaperShop()
	s.publish(7, shown{ask: s.r.Ask + 1, count: 1})
	var refused *execution.RejectedError
	if _, err := s.market.Place(t.Context(), execution.Order{Request: s.r}, execution.Offer{}, func() {}); !errors.As(err, &refused) {
		t.Errorf("an offer that went since it was checked: got error %v, want *RejectedError", err)
	}
}
