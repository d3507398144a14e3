package skinsback

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"skinarb/execution"
	"skinarb/fetch"
	"skinarb/internal/marketsim"
	"skinarb/pricing"
)

const (
	simRedline = "AK-47 | Redline (Field-Tested)"
	simPhase2  = "★ Karambit | Doppler Phase 2 (Factory New)"
	simPhase4  = "★ Karambit | Doppler Phase 4 (Factory New)"
)

// world is a simulated market with a clock that stands still, and its client.
type world struct {
	*marketsim.World
	client *Client

	mu  sync.Mutex
	now time.Time
}

func (w *world) time() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func simulate(t *testing.T, sim marketsim.Config, change ...func(*Config)) *world {
	t.Helper()
	w := &world{now: testNow}
	sim.Now = w.time
	sim.Catalog = map[string]int64{simRedline: 20_000_000, simPhase2: 900_000_000, simPhase4: 700_000_000}
	var err error
	if w.World, err = marketsim.New(sim); err != nil {
		t.Fatal(err)
	}
	s, err := marketsim.Serve(w.World, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	for name, ask := range map[string]int64{simRedline: 12_450_000, simPhase2: 600_000_000, simPhase4: 450_000_000} {
		if err := errors.Join(w.SetAsk(marketsim.SkinsBack, name, ask), w.SetCount(marketsim.SkinsBack, name, 5)); err != nil {
			t.Fatal(err)
		}
	}
	account := func(cfg *Config) {
		cfg.ClientID, cfg.ClientSecret, cfg.Now = marketsim.DemoClientID, marketsim.DemoClientSecret, w.time
	}
	w.client = newClient(t, s.SkinsBackURL, append([]func(*Config){account}, change...)...)
	return w
}

func order(t *testing.T, id, name string, ask pricing.Money) execution.Order {
	return execution.Order{ID: execution.OrderID(id), Request: execution.Request{
		Market: pricing.SkinsBack, Item: item(t, name), MarketName: name, Ask: ask,
	}}
}

// TestALifeOnTheSimulator buys by name and by lot with both authentications and
// both encodings, and follows each purchase to its delivery.
func TestALifeOnTheSimulator(t *testing.T) {
	for _, auth := range []Auth{AuthHeaders, AuthSignature} {
		for _, form := range []bool{false, true} {
			for _, numberStrings := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s form=%v strings=%v", auth, form, numberStrings), func(t *testing.T) {
					w := simulate(t, marketsim.Config{NumberStrings: numberStrings}, func(cfg *Config) {
						cfg.Auth, cfg.FormBody = auth, form
					})
					w.live(t, simRedline, 12_450_000)
					w.live(t, simPhase2, 600_000_000)
				})
			}
		}
	}
}

func (w *world) live(t *testing.T, name string, ask pricing.Money) {
	t.Helper()
	ctx, m := t.Context(), w.client
	if s, err := w.client.Status(ctx); err != nil || !s.Available {
		t.Fatalf("status: got %+v, %v", s, err)
	}
	before, err := m.Balance(ctx)
	if err != nil || int64(before) != w.Balance(marketsim.SkinsBack) {
		t.Fatalf("balance: got %s, %v, want %d micros", before, err, w.Balance(marketsim.SkinsBack))
	}
	pull, err := w.client.Pull(ctx, pricing.CS2)
	if err != nil {
		t.Fatal(err)
	}
	it := item(t, name)
	var listing pricing.Listing
	for _, l := range pull.Listings {
		if l.Item == it {
			listing = l
		}
	}
	if listing.Ask != ask || listing.Count != 5 {
		t.Fatalf("%s: listed as %+v, want 5 at %s", name, listing, ask)
	}
	offer, err := m.Check(ctx, it, listing.MarketName)
	if err != nil || offer.Ask != ask || offer.Count != 5 || offer.ListingID == "" {
		t.Fatalf("check %s: got %+v, %v, want 5 at %s, and a lot", name, offer, err, ask)
	}
	o := order(t, "sa-"+fmt.Sprint(ask), listing.MarketName, ask)
	if _, err := m.Lookup(ctx, o); !errors.Is(err, execution.ErrNotFound) {
		t.Fatalf("look up before: got %v, want %v", err, execution.ErrNotFound)
	}
	placed, err := m.Place(ctx, o, offer, func() {})
	if err != nil || placed.Event != execution.OnPlaced || placed.Paid != ask || placed.ID != o.ID || placed.MarketName != name {
		t.Fatalf("place: got %+v, %v", placed, err)
	}
	if _, err := m.Place(ctx, o, offer, func() {}); outcome(err) != "in doubt" {
		t.Errorf("place again: got %s (%v), want in doubt", outcome(err), err)
	}
	after, err := m.Balance(ctx)
	if err != nil || before-after != ask {
		t.Errorf("the balance fell by %s, %v, want %s", before-after, err, ask)
	}
	for _, step := range []struct {
		pass  time.Duration
		event execution.Event
	}{{0, execution.OnPlaced}, {20 * time.Second, execution.OnDelivering}, {time.Minute, execution.OnDelivered}} {
		w.pass(step.pass)
		tracked, err := m.Track(ctx, []execution.Order{o, {ID: "never bought"}})
		if err != nil || len(tracked) != 1 || tracked[0].Event != step.event {
			t.Fatalf("track: got %+v, %v, want %s", tracked, err, step.event)
		}
		found, err := m.Lookup(ctx, o)
		if err != nil || found != tracked[0] {
			t.Errorf("look up: got %+v, %v, want %+v", found, err, tracked[0])
		}
	}
	one, err := w.client.GetInfo(ctx, placed.MarketRef)
	if err != nil || one.CustomID != string(o.ID) || one.OfferStatus != Accepted {
		t.Errorf("get info: got %+v, %v", one, err)
	}
	all, err := m.History(ctx, testNow.Add(-time.Hour))
	if err != nil || len(all) == 0 || all[len(all)-1].ID != o.ID {
		t.Errorf("history: got %+v, %v, want %s last", all, err, o.ID)
	}
}

// TestEveryFaultOfAPurchase: what the client says must never be more than what
// the market did, and nothing is ever bought twice.
func TestEveryFaultOfAPurchase(t *testing.T) {
	for _, tc := range []struct {
		kind, arg string
		want      string
		bought    int
	}{
		{marketsim.FaultRefuse, "", "in doubt", 0},
		{marketsim.FaultDropBefore, "", "in doubt", 0},
		{marketsim.FaultDropAfter, "", "in doubt", 1},
		{marketsim.FaultErrorBefore, "", "in doubt", 0},
		{marketsim.FaultErrorAfter, "", "in doubt", 1},
		{marketsim.FaultHTMLBefore, "", "in doubt", 0},
		{marketsim.FaultHTMLAfter, "", "in doubt", 1},
		{marketsim.FaultTruncate, "", "in doubt", 1},
		{marketsim.FaultGarble, "", "in doubt", 1},
		{marketsim.FaultHang, "", "in doubt", 0},
		{marketsim.FaultRateLimit, "", "later", 0},
		{marketsim.FaultErrorCode, "-9 under_maintenance", "later", 0},
		{marketsim.FaultErrorCode, "5 skin_unavailable", "rejected skin_unavailable", 0},
		{marketsim.FaultErrorCode, "42 something_new", "in doubt", 0},
	} {
		t.Run(tc.kind+tc.arg, func(t *testing.T) {
			b := &budget{}
			w := simulate(t, marketsim.Config{}, with(b), func(cfg *Config) { cfg.Timeout = time.Second })
			w.Inject(marketsim.Fault{Market: marketsim.SkinsBack, Method: "market_buy", Kind: tc.kind, Arg: tc.arg, Times: 1})
			o := order(t, "sa-1", simRedline, 12_450_000)
			_, err := w.client.Place(t.Context(), o, execution.Offer{}, func() {})
			if got := outcome(err); got != tc.want {
				t.Errorf("got %s (%v), want %s", got, err, tc.want)
			}
			if n := w.Requests(marketsim.SkinsBack)["market_buy"]; n != 1 {
				t.Errorf("sent %d times, want once", n)
			}
			if n := len(w.Purchases()); n != tc.bought {
				t.Fatalf("bought %d, want %d", n, tc.bought)
			}
			if (len(b.pauses) > 0) != (tc.want == "later") {
				t.Errorf("the budget was paused for %v after %s", b.pauses, tc.want)
			}
			// Whatever was heard, looking it up tells what happened.
			e, err := w.client.Lookup(t.Context(), o)
			switch {
			case tc.bought == 0 && !errors.Is(err, execution.ErrNotFound):
				t.Errorf("look up: got %+v, %v, want %v", e, err, execution.ErrNotFound)
			case tc.bought == 1 && (err != nil || e.Paid != 12_450_000 || e.Event != execution.OnPlaced):
				t.Errorf("look up: got %+v, %v, want it placed", e, err)
			}
			// Sent again with the same ID, it is bought once in all.
			_, err = w.client.Place(t.Context(), o, execution.Offer{}, func() {})
			want := "bought"
			if tc.bought == 1 {
				want = "in doubt" // the market has the ID already
			}
			if got := outcome(err); got != want || len(w.Purchases()) != 1 {
				t.Errorf("again: got %s (%v) and %d purchases, want %s and 1", got, err, len(w.Purchases()), want)
			}
		})
	}
}

func TestEveryFaultOfAPull(t *testing.T) {
	for _, tc := range []struct {
		kind   string
		times  int
		want   string // of the error; empty for a catalog
		paused bool
	}{
		{marketsim.FaultRefuse, 2, "", false},
		{marketsim.FaultRefuse, 3, "error", false},
		{marketsim.FaultDropBefore, 2, "", false},
		{marketsim.FaultDropAfter, 1, "", false},
		{marketsim.FaultErrorBefore, 2, "", false},
		{marketsim.FaultErrorBefore, 0, "error", false},
		{marketsim.FaultHTMLBefore, 1, "error", false},
		{marketsim.FaultGarble, 1, "error", false},
		{marketsim.FaultTruncate, 0, "error", false},
		{marketsim.FaultHang, 1, "error", false},
		{marketsim.FaultRateLimit, 1, "pause", true},
		{marketsim.FaultErrorCode, 1, "pause", true},
		{marketsim.FaultEmptyCatalog, 1, "", false}, // whether to believe it is fetch's to say
	} {
		t.Run(fmt.Sprint(tc.kind, tc.times), func(t *testing.T) {
			b := &budget{}
			w := simulate(t, marketsim.Config{}, with(b), func(cfg *Config) { cfg.ListTimeout = time.Second })
			w.Inject(marketsim.Fault{Method: "market_pricelist", Kind: tc.kind, Times: tc.times})
			pull, err := w.client.Pull(t.Context(), pricing.CS2)
			var pause *fetch.PauseError
			got := ""
			switch {
			case errors.As(err, &pause):
				got = "pause"
			case err != nil:
				got = "error"
			}
			if got != tc.want || err != nil && len(pull.Listings) > 0 {
				t.Errorf("got %d listings and %v, want %q", len(pull.Listings), err, tc.want)
			}
			if (len(b.pauses) == 1) != tc.paused {
				t.Errorf("the budget was paused for %v, want %v", b.pauses, tc.paused)
			}
			if n := w.Requests(marketsim.SkinsBack)["market_pricelist"]; n != len(b.taken) || n > maxTries {
				t.Errorf("%d requests with %d permits", n, len(b.taken))
			}
		})
	}
}

// TestEveryFaultOfALookup: no fault may look like "not found", which would let
// the order be sent again.
func TestEveryFaultOfALookup(t *testing.T) {
	for _, kind := range []string{
		marketsim.FaultRefuse, marketsim.FaultDropBefore, marketsim.FaultDropAfter, marketsim.FaultErrorBefore, marketsim.FaultErrorAfter,
		marketsim.FaultHTMLBefore, marketsim.FaultTruncate, marketsim.FaultGarble, marketsim.FaultHang, marketsim.FaultRateLimit, marketsim.FaultErrorCode,
	} {
		w := simulate(t, marketsim.Config{}, func(cfg *Config) { cfg.Timeout = time.Second })
		o := order(t, "sa-1", simRedline, 12_450_000)
		w.Inject(marketsim.Fault{Method: "market_getinfo", Kind: kind})
		e, err := w.client.Lookup(t.Context(), o)
		if err == nil || errors.Is(err, execution.ErrNotFound) {
			t.Errorf("%s: got %+v, %v, want an error that says nothing", kind, e, err)
		}
	}
}

func TestRealRefusals(t *testing.T) {
	w := simulate(t, marketsim.Config{Balance: 700_000_000})
	ctx := t.Context()
	if _, err := w.client.Place(ctx, order(t, "a", simRedline, 12_440_000), execution.Offer{}, func() {}); outcome(err) != "rejected skins_not_found_at_specified_price" {
		t.Errorf("a cent too little: got %v", err)
	}
	if err := w.SetCount(marketsim.SkinsBack, simRedline, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := w.client.Check(ctx, item(t, simRedline), simRedline); !errors.Is(err, execution.ErrNotOffered) {
		t.Errorf("sold out: got %v, want %v", err, execution.ErrNotOffered)
	}
	if _, err := w.client.Place(ctx, order(t, "b", simRedline, 12_450_000), execution.Offer{}, func() {}); outcome(err) != "rejected skin_unavailable" {
		t.Errorf("sold out: got %v", err)
	}
	o := order(t, "c", simPhase2, 600_000_000)
	offer, err := w.client.Check(ctx, o.Item, simPhase2)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.client.Place(ctx, o, offer, func() {}); err != nil {
		t.Fatal(err)
	}
	o.ID = "d"
	if _, err := w.client.Place(ctx, o, offer, func() {}); outcome(err) != "rejected skin_unavailable" && outcome(err) != "rejected insufficient_funds" {
		t.Errorf("the same lot again: got %v", err)
	}
	if n := len(w.Purchases()); n != 1 {
		t.Errorf("bought %d, want 1", n)
	}
	w.client.cfg.ClientSecret = "wrong"
	if _, err := w.client.Place(ctx, order(t, "e", simRedline, 12_450_000), execution.Offer{}, func() {}); outcome(err) != "rejected invalid_signature" {
		t.Errorf("bad secret: got %v", err)
	}
}

// TestManyAtOnce uses one client from many goroutines, for the race detector.
func TestManyAtOnce(t *testing.T) {
	w := simulate(t, marketsim.Config{RatePerMinute: 10_000})
	if err := w.SetCount(marketsim.SkinsBack, simRedline, 20); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			o := order(t, fmt.Sprint("sa-", i), simRedline, 12_450_000)
			if _, err := w.client.Place(ctx, o, execution.Offer{}, func() {}); err != nil {
				t.Errorf("place %s: %v", o.ID, err)
			}
			if _, err := w.client.Lookup(ctx, o); err != nil {
				t.Errorf("look up %s: %v", o.ID, err)
			}
			if _, err := w.client.Pull(ctx, pricing.CS2); err != nil {
				t.Errorf("pull: %v", err)
			}
		})
	}
	all.Wait()
	if n := len(w.Purchases()); n != 20 {
		t.Errorf("bought %d, want 20", n)
	}
}
