package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"skinarb/pricing"
)

// twoThousand is a catalog of more listings than are sent together.
func twoThousand() pricing.Catalog {
	c := pricing.Catalog{Feed: feedOf(pricing.SIH), Version: 1}
	for i := range 2000 {
		name := fmt.Sprintf("AK-47 | Redline %d (Field-Tested)", i)
		c.Listings = append(c.Listings, pricing.Listing{
			Item: pricing.Item{Game: game, Name: name}, MarketName: name, Ask: pricing.Money(i+1) * pricing.Cent, Count: i, Steam: pricing.Dollar, Source: "waxpeer",
		})
	}
	return c
}

// memoryRedis gives a Redis in this process.
func memoryRedis(t *testing.T) (*miniredis.Miniredis, *redis.Client) {
	t.Helper()
	server := miniredis.RunT(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr()})
	t.Cleanup(func() { client.Close() })
	return server, client
}

func TestPeersWriteWholeCatalogs(t *testing.T) {
	c := twoThousand()
	for _, tt := range []struct {
		name   string
		trips  int
		stored func(*miniredis.Miniredis) (items int, sample string)
		want   string
	}{
		{"HSET per item, pipelined", 2, func(m *miniredis.Miniredis) (int, string) {
			return len(m.Keys()), m.HGet("peer:item:AK-47 | Redline 1999 (Field-Tested)", "ask")
		}, "20.00"},
		{"one hash", 2, func(m *miniredis.Miniredis) (int, string) {
			fields, _ := m.HKeys("peer:items")
			return len(fields), m.HGet("peer:items", "AK-47 | Redline 1999 (Field-Tested)")
		}, `"ask":"20.00"`},
		{"one blob with swap", 1, func(m *miniredis.Miniredis) (int, string) {
			blob, _ := m.Get("peer:catalog")
			var all []peerListing
			if err := json.Unmarshal([]byte(blob), &all); err != nil || len(all) == 0 {
				return 0, blob
			}
			return len(all), all[len(all)-1].Name + all[len(all)-1].Ask
		}, "AK-47 | Redline 1999 (Field-Tested)20.00"},
	} {
		server, client := memoryRedis(t)
		for _, p := range publishPeers {
			if p.name != tt.name {
				continue
			}
			trips, err := p.write(t.Context(), client, c)
			if err != nil || trips != tt.trips {
				t.Errorf("%s: got %d round trips, %v, want %d", tt.name, trips, err, tt.trips)
			}
		}
		if items, sample := tt.stored(server); items != len(c.Listings) || !strings.Contains(sample, tt.want) {
			t.Errorf("%s: got %d items and %q, want %d and %q", tt.name, items, sample, len(c.Listings), tt.want)
		}
	}
}

func TestRelayCountsRoundTrips(t *testing.T) {
	server, _ := memoryRedis(t)
	r, err := newRelay(server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	client := redis.NewClient(&redis.Options{Addr: r.address()})
	defer client.Close()
	ask := func(do func(context.Context) error) {
		t.Helper()
		if err := do(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	ask(func(ctx context.Context) error { return client.Ping(ctx).Err() }) // what a new connection begins with
	large := bytes.Repeat([]byte("x"), 1<<20)                              // more than passes at once
	for i, do := range []func(context.Context) error{
		func(ctx context.Context) error { return client.Set(ctx, "k", large, 0).Err() },
		func(ctx context.Context) error { return client.Get(ctx, "k").Err() },
		func(ctx context.Context) error { return client.Del(ctx, "k").Err() },
	} {
		before := r.trips.Load()
		ask(do)
		if got := r.trips.Load() - before; got != 1 {
			t.Errorf("command %d: got %d round trips, want 1", i, got)
		}
	}
}

func TestChangedIsAFiftieth(t *testing.T) {
	c := twoThousand()
	next, change := changed(c)
	if len(change.Set) != len(c.Listings)/changeShare || len(change.Gone) != 0 || change.From != 1 || change.To != 2 {
		t.Errorf("got %d changed, %d gone, from %d to %d, want %d, 0, from 1 to 2", len(change.Set), len(change.Gone), change.From, change.To, len(c.Listings)/changeShare)
	}
	if &next.Listings[0] == &c.Listings[0] || c.Version != 1 {
		t.Error("the catalog before shares its listings, or was changed")
	}
}
