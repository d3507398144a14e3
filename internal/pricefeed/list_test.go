package pricefeed

import (
	"context"
	"testing"
	"time"

	"skinarb/internal/marketsim"
	"skinarb/pricing"
)

// TestTheListThatIsSetIsPulled: SKINSBACK_LIST decides whether the book has lots,
// and nothing else about it.
func TestTheListThatIsSetIsPulled(t *testing.T) {
	feed := pricing.Feed{Market: pricing.SkinsBack, Game: pricing.CS2}
	world, err := marketsim.New(marketsim.Config{
		Seed: 1, Items: 500, MovePct: -1, ClientID: marketsim.DemoClientID, ClientSecret: marketsim.DemoClientSecret,
	})
	if err != nil {
		t.Fatal(err)
	}
	market, err := marketsim.Serve(world, "")
	if err != nil {
		t.Fatal(err)
	}
	defer market.Close()

	books := map[string]*pricing.Book{}
	for _, list := range []string{"grouped", "full"} {
		books[list] = pulled(t, feed, map[string]string{
			"SKINSBACK_URL": market.SkinsBackURL, "SKINSBACK_LIST": list,
			"SKINSBACK_CLIENT_ID": marketsim.DemoClientID, "SKINSBACK_CLIENT_SECRET": marketsim.DemoClientSecret,
		})
	}
	lots := 0
	listings, _ := books["full"].Column(feed)
	for _, l := range listings {
		if l == nil {
			continue
		}
		lots++
		group, ok := books["grouped"].Quote(feed.Market, l.Item)
		if !ok || group.Ask != l.Ask || group.Count != l.Count || group.Lot != "" || l.Lot == "" {
			t.Errorf("%s: got %+v of the full list and %+v (%v) of the grouped one, want the same and a lot in the first alone", l.Item, l, group.Listing, ok)
		}
	}
	if lots < 100 {
		t.Errorf("got %d listings, want more than 100", lots)
	}
}

// pulled gives the book that a process with these settings has after its first pull
// of a feed.
func pulled(t *testing.T, feed pricing.Feed, set map[string]string) *pricing.Book {
	t.Helper()
	f := opened(t, set, true)
	first := make(chan *pricing.Book, 1)
	f.Subscribe(func(book *pricing.Book, changed pricing.Feed, _ []int, _ bool) {
		if changed == feed {
			select {
			case first <- book:
			default: // it has one
			}
		}
	})
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		f.Run(ctx)
	}()
	defer func() {
		stop()
		<-stopped
		if err := f.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}()
	select {
	case book := <-first:
		return book
	case <-ctx.Done():
		t.Fatalf("got no prices of %s: %+v", feed, f.Statuses())
		return nil
	}
}
