package pricefeed

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"skinarb/internal/marketsim"
	"skinarb/internal/settings"
)

// TestNotReadyWithoutPrices: a market that cannot be reached has no catalog, and
// that is not the same as being loaded.
func TestNotReadyWithoutPrices(t *testing.T) {
	nobody := closedPort(t)
	down := map[string]string{
		"SKINSBACK_URL": "http://" + nobody + "/api.php", "SKINSBACK_CLIENT_ID": "1", "SKINSBACK_CLIENT_SECRET": "s",
		"SIH_URL": "http://" + nobody, "SIH_API_KEY": "k",
	}
	f := running(t, down, true)
	waitSettled(t, f)
	ok, why := f.Ready()
	if ok || !strings.Contains(why, "skinsback/cs2") || !strings.Contains(why, "sih/cs2") {
		t.Errorf("both markets down: got %v, %q, want not ready, and both feeds named", ok, why)
	}
	// The same on a Redis that nobody publishes to.
	down["REDIS_URL"] = "redis://" + miniredis.RunT(t).Addr()
	f = running(t, down, false)
	waitSettled(t, f)
	if ok, why := f.Ready(); ok || !strings.Contains(why, "aggregator") {
		t.Errorf("empty Redis: got %v, %q, want not ready, and who should publish", ok, why)
	}
}

// TestReadyWithOneMarketDown: what is served of one market is not taken away by the
// other.
func TestReadyWithOneMarketDown(t *testing.T) {
	set := simulated(t)
	set["SIH_URL"] = "http://" + closedPort(t)
	f := running(t, set, true)
	waitFor(t, f, func() bool { ok, _ := f.Ready(); return ok })
}

// TestAMarketWithoutKeysIsOff: what others fetch into the same Redis is not served
// here, and so not fresh here.
func TestAMarketWithoutKeysIsOff(t *testing.T) {
	all := simulated(t)
	all["REDIS_URL"] = "redis://" + miniredis.RunT(t).Addr()
	both := running(t, all, true)
	waitFor(t, both, func() bool { return states(both) == "fresh fresh" })

	f := running(t, map[string]string{
		"REDIS_URL": all["REDIS_URL"], "SIH_URL": all["SIH_URL"], "SIH_API_KEY": all["SIH_API_KEY"],
	}, false)
	waitFor(t, f, func() bool { return states(f) == "off fresh" })
	if f.Reads() {
		t.Error("with a key of a market: got a reader")
	}
	trader := running(t, map[string]string{"REDIS_URL": all["REDIS_URL"]}, false)
	waitFor(t, trader, func() bool { return len(trader.replica.Statuses()) > 0 })
	if ok, why := trader.Ready(); ok || states(trader) != "off off" || trader.Reads() || why != "no market is configured" {
		t.Errorf("a trader without keys: got ready %v, %q, feeds %s, want both off", ok, why, states(trader))
	}
}

// TestAnAggregatorWithoutKeysReads: on a shared Redis it serves what others fetch,
// and fetches nothing.
func TestAnAggregatorWithoutKeysReads(t *testing.T) {
	all := simulated(t)
	all["REDIS_URL"], all["GAMES"] = "redis://"+miniredis.RunT(t).Addr(), "cs2,tf2"
	f := running(t, map[string]string{"REDIS_URL": all["REDIS_URL"], "GAMES": "cs2,tf2"}, true)
	if !f.Reads() || f.fetcher != nil || len(f.Markets()) > 0 {
		t.Fatalf("got reads %v, fetcher %v, %d markets, want a reader alone", f.Reads(), f.fetcher, len(f.Markets()))
	}
	waitSettled(t, f)
	if ok, why := f.Ready(); ok || states(f) != "down off down down" {
		t.Errorf("before anybody has published: got ready %v, %q, feeds %s", ok, why, states(f))
	}
	running(t, all, true)
	waitFor(t, f, func() bool { return states(f) == "fresh off fresh fresh" })
	waitFor(t, f, func() bool { ok, _ := f.Ready(); return ok })
	for _, feed := range f.feeds {
		waitFor(t, f, func() bool { return f.Book().Live(feed) > 0 })
	}

	alone := running(t, nil, true) // nothing to read from
	if ok, why := alone.Ready(); ok || alone.Reads() || why != "no market is configured" {
		t.Errorf("without REDIS_URL: got ready %v, %q, want that no market is configured", ok, why)
	}
}

// simulated gives the settings of simulated markets that end with the test.
func simulated(t *testing.T) map[string]string {
	t.Helper()
	world, err := marketsim.New(marketsim.Config{
		Seed: 1, Items: 200, MovePct: -1, ClientID: marketsim.DemoClientID, ClientSecret: marketsim.DemoClientSecret,
	})
	if err != nil {
		t.Fatal(err)
	}
	market, err := marketsim.Serve(world, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { market.Close() })
	return map[string]string{
		"SKINSBACK_URL": market.SkinsBackURL, "SKINSBACK_CLIENT_ID": marketsim.DemoClientID, "SKINSBACK_CLIENT_SECRET": marketsim.DemoClientSecret,
		"SIH_URL": market.SIHURL, "SIH_API_KEY": marketsim.DemoAPIKey, "FETCH_INTERVAL": "200ms",
	}
}

// running gives the price side of a process that ends with the test.
func running(t *testing.T, set map[string]string, fetch bool) *PriceFeed {
	t.Helper()
	f := opened(t, set, fetch)
	ctx, stop := context.WithCancel(t.Context())
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		f.Run(ctx)
	}()
	t.Cleanup(func() {
		stop()
		<-stopped
		f.Close()
	})
	return f
}

// waitSettled waits until each feed was loaded, or found to have no catalog.
func waitSettled(t *testing.T, f *PriceFeed) {
	t.Helper()
	waitFor(t, f, f.replica.Ready)
}

func waitFor(t *testing.T, f *PriceFeed, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); <-time.After(20 * time.Millisecond) {
		if time.Now().After(end) {
			ready, why := f.Ready()
			t.Fatalf("did not happen within 30 s; ready %v, %q, feeds %+v", ready, why, f.Statuses())
		}
	}
}

// states gives what the feeds say of themselves, in their order.
func states(f *PriceFeed) string {
	var said []string
	for _, st := range f.Statuses() {
		said = append(said, string(st.Judge(time.Now(), f.cfg.Settings.MaxQuoteAge)))
	}
	return strings.Join(said, " ")
}

// closedPort gives an address at which nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// opened gives the price side of a process with these settings. It does not run yet.
func opened(t *testing.T, set map[string]string, fetch bool) *PriceFeed {
	t.Helper()
	var p settings.Prices
	all := settings.New("test", "")
	p.Declare(all, "127.0.0.1:0")
	if err := all.Load(nil, func(name string) (string, bool) { v, ok := set[name]; return v, ok }, nil); err != nil {
		t.Fatal(err)
	}
	f, err := Open(t.Context(), Config{
		Settings: &p, Dir: t.TempDir(), Fetch: fetch, Registry: NewRegistry(), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}
