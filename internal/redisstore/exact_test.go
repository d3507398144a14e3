package redisstore

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"runtime"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"

	"skinarb/execution"
	"skinarb/internal/storetest"
	"skinarb/pricing"
)

// trips counts how often a client waits for an answer: once for a command, once
// for a pipeline.
type trips struct{ n atomic.Int64 }

func (t *trips) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

func (t *trips) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error { t.n.Add(1); return next(ctx, cmd) }
}

func (t *trips) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error { t.n.Add(1); return next(ctx, cmds) }
}

// of counts the trips of do.
func (t *trips) of(do func()) int {
	before := t.n.Load()
	do()
	return int(t.n.Load() - before)
}

func countTrips(s *Store) *trips {
	t := &trips{}
	s.client.AddHook(t)
	return t
}

// realistic gives listings whose texts and prices do not compress better than
// real ones.
func realistic(n int) []pricing.Listing {
	random := rand.New(rand.NewPCG(1, 2))
	ls := make([]pricing.Listing, n)
	for i := range ls {
		name := fmt.Sprintf("StatTrak™ AK-47 | Redline %08x (Field-Tested)", random.Uint32())
		ask := pricing.Money(1+random.IntN(100_000)) * pricing.Cent
		ls[i] = pricing.Listing{
			Item: pricing.Item{Game: pricing.CS2, Name: name}, MarketName: name, Ask: ask, Count: random.IntN(100),
			Steam: ask * 13 / 10, SellHint: ask * 9 / 10, Source: "waxpeer",
		}
	}
	return ls
}

// withLots gives each listing the id of a lot, of as many digits as the market's
// have and as random.
func withLots(ls []pricing.Listing) []pricing.Listing {
	random := rand.New(rand.NewPCG(3, 4))
	for i := range ls {
		ls[i].Lot = strconv.FormatInt(1e9+random.Int64N(9e9), 10)
	}
	return ls
}

// dearer gives the listings with every share-th one dearer, beginning with a
// certain one.
func dearer(ls []pricing.Listing, from, share int) []pricing.Listing {
	next := slices.Clone(ls)
	for i := from % share; i < len(next); i += share {
		next[i].Ask += pricing.Cent
	}
	return next
}

// TestPublishingTakesOneRoundTrip, whole or not; only a snapshot that has become
// due, which the server finds out, takes a second one.
func TestPublishingTakesOneRoundTrip(t *testing.T) {
	const share = 50
	s := embedded(t)
	defer closing(t, s)()
	counted := countTrips(s)
	publish := func(c pricing.Catalog, ch pricing.Change) int {
		return counted.of(func() {
			if err := s.Publish(t.Context(), c, ch); err != nil {
				t.Fatalf("publish version %d: %v", c.Version, err)
			}
		})
	}
	other, ch := storetest.Follow(pricing.Catalog{}, realistic(1))
	other.Feed.Game, ch.Feed.Game, other.Listings, ch.Set = pricing.Rust, pricing.Rust, nil, nil
	publish(other, ch) // the server has the script from then on

	c, ch := storetest.Follow(pricing.Catalog{}, realistic(2_000))
	if got := publish(c, ch); got != 1 {
		t.Errorf("a whole catalog: got %d round trips, want 1", got)
	}
	snapshots := 0
	for i := range 2 * share {
		c, ch = storetest.Follow(c, dearer(c.Listings, i, share))
		switch got := publish(c, ch); got {
		case 1:
		case 2:
			snapshots++
		default:
			t.Errorf("delta %d: got %d round trips, want 1 or, with a snapshot, 2", i, got)
		}
	}
	if snapshots == 0 || snapshots > share/5 {
		t.Errorf("got %d snapshots in %d deltas of 2 %%, want some and at most %d", snapshots, 2*share, share/5)
	}
	c, ch = storetest.Follow(c, dearer(c.Listings, 0, 1))
	if got := publish(c, ch); got != 2 {
		t.Errorf("a change of everything: got %d round trips, want 2", got)
	}
}

// TestOrderTakesFewRoundTrips on the shared journal: what a step rests on is read
// in one, and written in one.
func TestOrderTakesFewRoundTrips(t *testing.T) {
	s := embedded(t)
	defer closing(t, s)()
	j := leader(t, s)
	counted := countTrips(s)
	fewest := map[string]int{}
	var o execution.Order
	step := func(name string, do func()) {
		got := counted.of(do)
		if was, ok := fewest[name]; !ok || got < was {
			fewest[name] = got
		}
	}
	for n := range 5 { // the lease is renewed over the same connections now and then, and scripts are sent once
		step("reserve", func() { o = mustReserve(t, j, wish(n)) })
		for _, state := range []execution.State{execution.Sent, execution.Placed, execution.Settled} {
			step(string(state), func() {
				var err error
				next, s := to(o, state)
				if o, err = j.Advance(t.Context(), next, s); err != nil {
					t.Fatalf("advance to %s: %v", state, err)
				}
			})
		}
	}
	for name, want := range map[string]int{"reserve": 3, "sent": 2, "placed": 2, "settled": 2} {
		if fewest[name] != want {
			t.Errorf("%s: got %d round trips, want %d", name, fewest[name], want)
		}
	}
}

// TestBytesPerItem bounds what a real server needs for a catalog, at any time
// between two snapshots.
func TestBytesPerItem(t *testing.T) {
	const items, share, most = 5_000, 50, 130
	s := fresh(t, realServer(t))
	defer closing(t, s)()
	k := keysOf(storetest.Feed)
	worst := 0.0
	c, ch := storetest.Follow(pricing.Catalog{}, withLots(realistic(items)))
	for i := range 2 * share {
		if err := s.Publish(t.Context(), c, ch); err != nil {
			t.Fatal(err)
		}
		bytes := int64(0)
		for _, key := range []string{k.catalog, k.changes} {
			n, err := s.client.MemoryUsage(t.Context(), key, 0).Result()
			if err != nil {
				t.Fatalf("ask for the size of %s: %v", key, err)
			}
			bytes += n
		}
		worst = max(worst, float64(bytes)/items)
		c, ch = storetest.Follow(c, dearer(c.Listings, i, share))
	}
	if worst > most {
		t.Errorf("got up to %.0f bytes per item, want at most %d", worst, most)
	}
	t.Logf("up to %.0f bytes per item", worst)
}

// TestBookBytesPerItem bounds what a replica holds of an item that both markets
// have: two listings of 136 bytes, each with texts of its own, and what finds them.
func TestBookBytesPerItem(t *testing.T) {
	t.Run("without lots", func(t *testing.T) { boundBook(t, realistic(20_000), 640) })
	t.Run("with one market's lots", func(t *testing.T) { boundBook(t, withLots(realistic(20_000)), 656) })
}

// boundBook gives both markets their listings: SkinsBack these, and SIH, which tells
// no lots, the same without.
func boundBook(t *testing.T, listings []pricing.Listing, most float64) {
	items := len(listings)
	plain := slices.Clone(listings)
	for i := range plain {
		plain[i].Lot = ""
	}
	s := embedded(t)
	defer closing(t, s)()
	for m, ls := range map[pricing.Market][]pricing.Listing{pricing.SkinsBack: listings, pricing.SIH: plain} {
		f := pricing.Feed{Market: m, Game: pricing.CS2}
		c := pricing.Catalog{Feed: f, Version: 1, ObservedAt: began, Listings: ls}
		if err := s.Publish(t.Context(), c, pricing.Change{Feed: f, To: 1, ObservedAt: began, Set: c.Listings}); err != nil {
			t.Fatal(err)
		}
	}
	inUse := func() uint64 {
		runtime.GC()
		runtime.GC() // what pools kept over the first
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	read := func() *pricing.Book {
		book := pricing.NewBook()
		for _, m := range pricing.Markets {
			c, err := s.Catalog(t.Context(), pricing.Feed{Market: m, Game: pricing.CS2})
			if err != nil {
				t.Fatal(err)
			}
			book, _ = book.With(c)
		}
		return book
	}
	read() // connections and decoders have their buffers from then on
	before := inUse()
	book := read()
	got := float64(inUse()-before) / float64(items)
	if book.Len() != items || got > most {
		t.Errorf("got %d items and %.0f bytes for each, want %d and at most %.0f", book.Len(), got, items, most)
	}
	t.Logf("%.0f bytes per item", got)
}
