// Package storetest holds the contracts of the stores as tests, which every
// implementation runs: what is only true of one of them is not a contract.
package storetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"skinarb/fetch"
	"skinarb/pricing"
)

// patience is how long a test waits for what must happen.
const patience = 20 * time.Second

// Feed is the feed that the generated catalogs are of.
var Feed = pricing.Feed{Market: pricing.SIH, Game: pricing.CS2}

// OpenStore gives an empty store and what closes it. It may be called again
// after that.
type OpenStore func(t rapid.TB) (s fetch.Store, closeStore func())

// Listings generates the listings of a catalog of Feed, at most one per item.
// They use every field, and few names, so that catalogs overlap.
func Listings() *rapid.Generator[[]pricing.Listing] {
	return rapid.SliceOfNDistinct(listing(), 0, 30, func(l pricing.Listing) pricing.Item { return l.Item })
}

func listing() *rapid.Generator[pricing.Listing] {
	money := rapid.OneOf(rapid.Just(pricing.Money(0)), rapid.Map(rapid.Int64Range(1, int64(pricing.MaxMoney)), func(n int64) pricing.Money { return pricing.Money(n) }))
	return rapid.Custom(func(t *rapid.T) pricing.Listing {
		name := fmt.Sprintf("★ Flip Knife | Doppler %d (Factory New)", rapid.IntRange(1, 40).Draw(t, "item"))
		return pricing.Listing{
			Item:       pricing.Item{Game: Feed.Game, Name: name, Phase: rapid.SampledFrom(pricing.Phases).Draw(t, "phase")},
			MarketName: rapid.SampledFrom([]string{name, name + "  Phase 2", "\x00\xff"}).Draw(t, "market name"),
			Ask:        pricing.Money(rapid.Int64Range(1, 5).Draw(t, "ask")) * pricing.Dollar,
			Count:      rapid.IntRange(pricing.CountUnknown, 3).Draw(t, "count"),
			Steam:      money.Draw(t, "steam"),
			SellHint:   money.Draw(t, "sell hint"),
			Source:     rapid.SampledFrom([]string{"", "steam", "p2p"}).Draw(t, "source"),
			Lot:        rapid.SampledFrom([]string{"", "7001001", "\xff"}).Draw(t, "lot"),
		}
	})
}

// start is when the generated catalogs begin to be observed.
var start = time.Date(2026, 3, 1, 12, 0, 0, 1000, time.UTC)

// Follow gives the catalog of Feed that comes after old (zero for none) and has
// these listings, and the change that leads to it.
func Follow(old pricing.Catalog, ls []pricing.Listing) (pricing.Catalog, pricing.Change) {
	next := pricing.Catalog{Feed: Feed, Version: old.Version + 1, ObservedAt: start.Add(time.Duration(old.Version) * time.Minute), Listings: slices.Clone(ls)}
	return next, fetch.Diff(old, next)
}

// Sorted gives the catalog with its listings in a fixed order, for comparing.
func Sorted(c pricing.Catalog) pricing.Catalog {
	c.Listings = slices.Clone(c.Listings)
	slices.SortFunc(c.Listings, func(a, b pricing.Listing) int {
		return cmp.Or(cmp.Compare(a.Item.Name, b.Item.Name), cmp.Compare(a.Item.Phase, b.Item.Phase))
	})
	if len(c.Listings) == 0 {
		c.Listings = nil
	}
	return c
}

// RunStore tests fetch.Store.
func RunStore(t *testing.T, open OpenStore) {
	knife := pricing.Listing{
		Item:       pricing.Item{Game: Feed.Game, Name: "★ Karambit | Doppler (Factory New)", Phase: pricing.Ruby},
		MarketName: "★ Karambit | Doppler Ruby (Factory New)", Ask: 900 * pricing.Dollar, Count: 2,
	}
	one, toOne := Follow(pricing.Catalog{}, []pricing.Listing{knife})
	dearer := knife
	dearer.Ask += pricing.Cent
	two, toTwo := Follow(one, []pricing.Listing{dearer})

	t.Run("nothing is published", func(t *testing.T) {
		s := opened(t, open)
		if _, err := s.Catalog(t.Context(), Feed); !errors.Is(err, fetch.ErrNoCatalog) {
			t.Errorf("catalog of a new store: got %v, want ErrNoCatalog", err)
		}
	})

	t.Run("a catalog is read as published", func(t *testing.T) {
		s := opened(t, open)
		mustPublish(t, s, one, toOne)
		wantCatalog(t, s, one)
		mustPublish(t, s, two, toTwo)
		wantCatalog(t, s, two)
		if _, err := s.Catalog(t.Context(), pricing.Feed{Market: pricing.SIH, Game: pricing.Rust}); !errors.Is(err, fetch.ErrNoCatalog) {
			t.Errorf("catalog of another game: got %v, want ErrNoCatalog", err)
		}
	})

	t.Run("another lot at the same ask is told, and is not another ask", func(t *testing.T) {
		s := opened(t, open)
		before := knife
		before.Lot = "7001001"
		c, ch := Follow(pricing.Catalog{}, []pricing.Listing{before})
		mustPublish(t, s, c, ch)
		after := knife
		after.Lot = "7001002"
		c, ch = Follow(c, []pricing.Listing{after})
		if len(ch.Set) != 1 || ch.Set[0].Lot != after.Lot || ch.Set[0].Since != 1 {
			t.Errorf("the change: got %+v, want the new lot at an ask since version 1", ch.Set)
		}
		mustPublish(t, s, c, ch)
		wantCatalog(t, s, c)
	})

	t.Run("a change that leads from elsewhere is superseded", func(t *testing.T) {
		s := opened(t, open)
		if err := s.Publish(t.Context(), two, toTwo); !errors.Is(err, fetch.ErrSuperseded) {
			t.Errorf("publish from a version that is not there: got %v, want ErrSuperseded", err)
		}
		mustPublish(t, s, one, toOne)
		mustPublish(t, s, two, toTwo)
		for _, late := range []struct {
			c  pricing.Catalog
			ch pricing.Change
		}{{one, toOne}, {two, toTwo}} {
			if err := s.Publish(t.Context(), late.c, late.ch); !errors.Is(err, fetch.ErrSuperseded) {
				t.Errorf("publish version %d again: got %v, want ErrSuperseded", late.c.Version, err)
			}
		}
		wantCatalog(t, s, two)
	})

	t.Run("one of many publishers wins", func(t *testing.T) {
		s := opened(t, open)
		mustPublish(t, s, one, toOne)
		var racing sync.WaitGroup
		results := make([]error, 8)
		for i := range results {
			racing.Go(func() {
				l := knife
				l.Count = 100 + i
				c, ch := Follow(one, []pricing.Listing{l})
				results[i] = s.Publish(t.Context(), c, ch)
			})
		}
		racing.Wait()
		winner := -1
		for i, err := range results {
			switch {
			case err == nil && winner >= 0:
				t.Errorf("publishers %d and %d both won", winner, i)
			case err == nil:
				winner = i
			case !errors.Is(err, fetch.ErrSuperseded):
				t.Errorf("publisher %d: got %v, want ErrSuperseded", i, err)
			}
		}
		c, err := s.Catalog(t.Context(), Feed)
		if err != nil || winner < 0 || c.Listings[0].Count != 100+winner {
			t.Errorf("publisher %d won: got %v, %v", winner, c, err)
		}
	})

	t.Run("any sequence of catalogs is read as published", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			s, closeStore := open(t)
			defer closeStore()
			var c pricing.Catalog
			for _, ls := range rapid.SliceOfN(Listings(), 1, 8).Draw(t, "catalogs") {
				next, ch := Follow(c, ls)
				mustPublish(t, s, next, ch)
				wantCatalog(t, s, next)
				c = next
			}
		})
	})

	t.Run("a large catalog and many small changes", func(t *testing.T) {
		s := opened(t, open)
		ls := make([]pricing.Listing, 3000)
		for i := range ls {
			ls[i] = knife
			ls[i].Item.Name = fmt.Sprintf("item %d", i)
		}
		c, ch := Follow(pricing.Catalog{}, ls)
		mustPublish(t, s, c, ch)
		for i := range 120 {
			ls := slices.Clone(c.Listings)
			ls[i].Ask += pricing.Cent
			c, ch = Follow(c, ls)
			mustPublish(t, s, c, ch)
		}
		wantCatalog(t, s, c)
	})

	t.Run("statuses are kept per feed", func(t *testing.T) {
		s := opened(t, open)
		want := pricing.FeedStatus{
			Feed: Feed, State: pricing.Held, Reason: "empty: x", Items: 3, Changed: 2, Rejected: 1, LastSuccess: start,
			LastError: "timeout", PullP50: time.Second, PullP95: 2 * time.Second, Version: 1 << 60,
		}
		other := pricing.FeedStatus{Feed: pricing.Feed{Market: pricing.SkinsBack, Game: pricing.CS2}, State: pricing.Down}
		for _, st := range []pricing.FeedStatus{{Feed: Feed, State: pricing.Fresh}, want, other} {
			if err := s.SetStatus(t.Context(), st); err != nil {
				t.Fatalf("set status %+v: %v", st, err)
			}
		}
		got, err := s.Statuses(t.Context())
		if err != nil {
			t.Fatalf("statuses: %v", err)
		}
		slices.SortFunc(got, func(a, b pricing.FeedStatus) int { return cmp.Compare(a.Feed.String(), b.Feed.String()) })
		if diff := gocmp.Diff([]pricing.FeedStatus{want, other}, got); diff != "" {
			t.Errorf("statuses (-want +got):\n%s", diff)
		}
	})

	t.Run("a release is taken once", func(t *testing.T) {
		s := opened(t, open)
		take := func(want bool) {
			t.Helper()
			if got, err := s.TakeRelease(t.Context(), Feed); err != nil || got != want {
				t.Errorf("take release: got %v, %v, want %v", got, err, want)
			}
		}
		take(false)
		for range 2 {
			for range 2 {
				if err := s.Release(t.Context(), Feed); err != nil {
					t.Fatalf("release: %v", err)
				}
			}
			if got, err := s.TakeRelease(t.Context(), pricing.Feed{Market: pricing.SkinsBack, Game: pricing.CS2}); err != nil || got {
				t.Errorf("take the release of another feed: got %v, %v, want false", got, err)
			}
			take(true)
			take(false)
		}
	})
}

// RunBudget tests fetch.Budget. open gives two handles, as two processes would
// have, of one account with five permits a minute: three of them for catalogs,
// a fourth for status, the fifth for purchases alone.
func RunBudget(t *testing.T, open func(t *testing.T) (a, b fetch.Budget)) {
	// Who waits for a permit waits about a minute: this is not long enough.
	briefly := func(t *testing.T) context.Context {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		t.Cleanup(cancel)
		return ctx
	}

	t.Run("classes share one window", func(t *testing.T) {
		a, b := open(t)
		for i, step := range []struct {
			by      fetch.Budget
			class   fetch.Class
			granted bool
		}{
			{a, fetch.ForCatalog, true}, {b, fetch.ForCatalog, true}, {a, fetch.ForCatalog, true},
			{b, fetch.ForCatalog, false}, {a, fetch.ForCatalog, false},
			{b, fetch.ForStatus, true}, {a, fetch.ForStatus, false},
			{a, fetch.ForPurchase, true}, {b, fetch.ForPurchase, false},
		} {
			err := step.by.Take(briefly(t), step.class)
			if step.granted && err != nil || !step.granted && !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("step %d, class %d: got %v, want granted: %v", i, step.class, err, step.granted)
			}
		}
	})

	t.Run("a pause stops every class in every process", func(t *testing.T) {
		a, b := open(t)
		for _, d := range []time.Duration{time.Hour, time.Millisecond} { // the longer one stays
			if err := a.Pause(t.Context(), d); err != nil {
				t.Fatalf("pause %s: %v", d, err)
			}
		}
		for _, class := range []fetch.Class{fetch.ForPurchase, fetch.ForStatus, fetch.ForCatalog} {
			if err := b.Take(briefly(t), class); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("class %d while paused: got %v, want DeadlineExceeded", class, err)
			}
		}
	})

	t.Run("a caller who is gone gets none", func(t *testing.T) {
		a, _ := open(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := a.Take(ctx, fetch.ForPurchase); !errors.Is(err, context.Canceled) {
			t.Errorf("take with a cancelled context: got %v, want Canceled", err)
		}
	})
}

// Follower is what keeps a book from a store.
type Follower interface {
	Run(ctx context.Context)
	Book() *pricing.Book
	Ready() bool
	Subscribe(func(book *pricing.Book, feed pricing.Feed, changed []int, full bool))
}

// OpenFollowed gives an empty store, what makes followers of it, and what
// closes it.
type OpenFollowed func(t rapid.TB) (s fetch.Store, follow func() Follower, closeStore func())

// RunFollower tests that followers have what was published. disturb, which may
// be nil, is called between publications and may do to the store's server what
// happens to servers.
func RunFollower(t *testing.T, open OpenFollowed, disturb func(t *rapid.T, s fetch.Store)) {
	rapid.Check(t, func(t *rapid.T) {
		s, follow, closeStore := open(t)
		defer closeStore()
		early := Start(t, follow())
		defer early.Stop()
		var c pricing.Catalog
		publish := func(ls []pricing.Listing) {
			next, ch := Follow(c, ls)
			mustPublish(t, s, next, ch)
			c = next
		}
		for _, ls := range rapid.SliceOfN(Listings(), 1, 6).Draw(t, "catalogs") {
			publish(ls)
			if rapid.Bool().Draw(t, "wait") {
				early.WantCatalog(t, c)
			}
			if disturb != nil {
				disturb(t, s)
			}
		}
		if disturb != nil { // after any trouble the next publication heals
			publish(c.Listings)
		}
		early.WantCatalog(t, c)
		late := Start(t, follow())
		defer late.Stop()
		late.WantCatalog(t, c)
		publish(nil)
		early.WantCatalog(t, c)
		late.WantCatalog(t, c)
	})
}

// Running is a follower at work.
type Running struct {
	Follower
	stop    context.CancelFunc
	stopped chan struct{}
	news    chan struct{} // holds a token when a book came since it was last empty

	mu     sync.Mutex
	mirror map[pricing.Item]pricing.Listing // kept from the changed positions alone
}

// Start runs a follower until Stop.
func Start(t rapid.TB, f Follower) *Running {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	r := &Running{Follower: f, stop: stop, stopped: make(chan struct{}), news: make(chan struct{}, 1), mirror: map[pricing.Item]pricing.Listing{}}
	f.Subscribe(func(book *pricing.Book, feed pricing.Feed, changed []int, _ bool) {
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, pos := range changed {
			if l := book.At(feed, pos); l != nil {
				r.mirror[book.Item(pos)] = *l
			} else {
				delete(r.mirror, book.Item(pos))
			}
		}
		select {
		case r.news <- struct{}{}:
		default:
		}
	})
	go func() {
		defer close(r.stopped)
		f.Run(ctx)
	}()
	return r
}

// Stop ends the follower and waits for it.
func (r *Running) Stop() {
	r.stop()
	<-r.stopped
}

// WantCatalog waits until the follower is ready with the version of want, and compares
// the book, and what a subscriber makes of the changes, with it.
func (r *Running) WantCatalog(t rapid.TB, want pricing.Catalog) {
	t.Helper()
	timeout := time.After(patience)
	for {
		book := r.Book()
		if c, _ := book.Catalog(want.Feed); c.Version == want.Version && r.Ready() {
			break
		}
		select {
		case <-r.news:
		case <-time.After(10 * time.Millisecond): // no news tells that another feed is absent
		case <-timeout:
			c, _ := book.Catalog(want.Feed)
			t.Fatalf("follower after %s: got version %d, ready %v, want %d", patience, c.Version, r.Ready(), want.Version)
		}
	}
	book := r.Book()
	got, _ := book.Catalog(want.Feed)
	for pos := range book.Len() {
		if l := book.At(want.Feed, pos); l != nil {
			got.Listings = append(got.Listings, *l)
		}
	}
	if diff := gocmp.Diff(Sorted(want), Sorted(got)); diff != "" {
		t.Fatalf("follower's book at version %d (-want +got):\n%s", want.Version, diff)
	}
	if got, want := book.Live(want.Feed), len(want.Listings); got != want {
		t.Fatalf("live listings: got %d, want %d", got, want)
	}
	r.wantMirror(t, want)
}

// wantMirror compares what the subscriber has. The book is visible a moment
// before its subscribers hear of it.
func (r *Running) wantMirror(t rapid.TB, want pricing.Catalog) {
	t.Helper()
	timeout := time.After(patience)
	for {
		r.mu.Lock()
		got := pricing.Catalog{Feed: want.Feed, Version: want.Version, ObservedAt: want.ObservedAt}
		for _, l := range r.mirror {
			got.Listings = append(got.Listings, l)
		}
		r.mu.Unlock()
		diff := gocmp.Diff(Sorted(want), Sorted(got))
		if diff == "" {
			return
		}
		select {
		case <-r.news:
		case <-timeout:
			t.Fatalf("a subscriber's catalog at version %d (-want +got):\n%s", want.Version, diff)
		}
	}
}

func opened(t *testing.T, open OpenStore) fetch.Store {
	t.Helper()
	s, closeStore := open(t)
	t.Cleanup(closeStore)
	return s
}

func mustPublish(t rapid.TB, s fetch.Store, c pricing.Catalog, ch pricing.Change) {
	t.Helper()
	if err := s.Publish(context.Background(), c, ch); err != nil {
		t.Fatalf("publish version %d: %v", c.Version, err)
	}
}

func wantCatalog(t rapid.TB, s fetch.Store, want pricing.Catalog) {
	t.Helper()
	got, err := s.Catalog(context.Background(), want.Feed)
	if err != nil {
		t.Fatalf("catalog at version %d: %v", want.Version, err)
	}
	if diff := gocmp.Diff(Sorted(want), Sorted(got)); diff != "" {
		t.Fatalf("catalog at version %d (-want +got):\n%s", want.Version, diff)
	}
}
