package main

import (
	"strconv"
	"testing"

	"github.com/alicebob/miniredis/v2"

	"skinarb/pricing"
)

// The first-written stack must do all of its work: every item that ours reads is
// stored, at the same price and count.
func TestFirstStackStoresTheCatalog(t *testing.T) {
	server := miniredis.RunT(t)
	r, err := newRig(options{seed: 1, items: 1500}) // more than one pipeline
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for _, src := range r.sources {
		f := newFirstStack(r, src.Market(), target{name: "redis", address: server.Addr()})
		defer f.close()
		if err := f.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		c, err := r.catalog(t.Context(), src, 1)
		if err != nil || len(c.Listings) < 500 {
			t.Fatalf("%s: got %d listings, %v, want hundreds", src.Market(), len(c.Listings), err)
		}
		for _, l := range c.Listings {
			if l.Item.IsDoppler() || l.Item.Name != l.MarketName {
				continue // spelled in more than one way
			}
			key := "first:" + string(src.Market()) + ":" + l.Item.Name
			ask, err := pricing.ParseMoney(server.HGet(key, "ask"))
			if err != nil || ask != l.Ask {
				t.Errorf("%s: got ask %s, %v, want %s", key, ask, err, l.Ask)
			}
			if got := server.HGet(key, "count"); l.Count != pricing.CountUnknown && got != strconv.Itoa(l.Count) {
				t.Errorf("%s: got count %q, want %d", key, got, l.Count)
			}
		}
	}
}
