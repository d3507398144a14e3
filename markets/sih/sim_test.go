package sih

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"skinarb/execution"
	"skinarb/internal/marketsim"
	"skinarb/pricing"
)

func order(id string) execution.Order {
	return execution.Order{
		ID:      execution.OrderID(id),
		Request: execution.Request{Market: pricing.SIH, Item: cs2(redline), MarketName: redline, Ask: money("12.345"), Cost: money("12.35")},
	}
}

func TestPullSimulated(t *testing.T) {
	_, c := simulated(t, marketsim.Config{}, nil)
	for _, flags := range []Flags{{}, {Extended: true}, {Minified: true}} {
		pull, err := c.GetItems(t.Context(), pricing.CS2, flags)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(pull.Listings, func(l pricing.Listing) bool { return l.Item == cs2(redline) })
		if i < 0 || pull.Listings[i].Ask != money("12.345") || pull.Listings[i].Count != 3 {
			t.Errorf("%+v: got %+v, want the Redline at 12.345, three of it", flags, pull.Listings)
		}
		ruby := pricing.Item{Game: pricing.CS2, Name: "★ Karambit | Doppler (Factory New)", Phase: pricing.Ruby}
		if !slices.ContainsFunc(pull.Listings, func(l pricing.Listing) bool { return l.Item == ruby && l.MarketName == rubyKnife }) {
			t.Errorf("%+v: got %+v, want the Ruby under its own name", flags, pull.Listings)
		}
	}
}

// TestPullWholeSimulated reads every generated name over gzip, the damaged ones
// included.
func TestPullWholeSimulated(t *testing.T) {
	w, err := marketsim.New(marketsim.Config{Seed: 3, APIKey: testKey})
	if err != nil {
		t.Fatal(err)
	}
	s, err := marketsim.Serve(w, "")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, g := range []pricing.Game{pricing.CS2, pricing.Rust, pricing.TF2} {
		pull, err := client(t, s.SIHURL, nil).Pull(t.Context(), g)
		if err != nil {
			t.Fatal(err)
		}
		bad := 0
		for _, n := range pull.Rejected {
			bad += n
		}
		if len(pull.Listings) < 100 || bad*20 > len(pull.Listings) {
			t.Errorf("%s: got %d listings and rejected %v, want nearly all", g, len(pull.Listings), pull.Rejected)
		}
	}
}

// TestPullFaults: a catalog comes whole or not at all.
func TestPullFaults(t *testing.T) {
	for kind, want := range map[string]struct {
		requests int
		ok       bool
	}{
		// The wire broke or a server failed: worth another try.
		marketsim.FaultRefuse: {2, true}, marketsim.FaultDropBefore: {2, true}, marketsim.FaultDropAfter: {2, true},
		marketsim.FaultErrorBefore: {2, true}, marketsim.FaultErrorAfter: {2, true}, marketsim.FaultTruncate: {2, true},
		marketsim.FaultHang: {2, true},
		// An answer that makes no sense, or says no.
		marketsim.FaultHTMLBefore: {1, false}, marketsim.FaultHTMLAfter: {1, false}, marketsim.FaultGarble: {1, false},
		marketsim.FaultErrorCode: {1, false}, marketsim.FaultRateLimit: {1, false},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			w, c := simulated(t, marketsim.Config{}, nil)
			if kind == marketsim.FaultHang {
				c.cfg.CatalogTimeout = time.Second
			}
			w.Inject(marketsim.Fault{Market: marketsim.SIH, Method: "get-items", Kind: kind, Times: 1})
			pull, err := c.Pull(t.Context(), pricing.CS2)
			if got := len(pull.Listings); (err == nil) != want.ok || want.ok && got != 2 || !want.ok && got != 0 {
				t.Errorf("got %d listings, %v, want success: %v", got, err, want.ok)
			}
			if got := w.Requests(marketsim.SIH)["get-items"]; got != want.requests {
				t.Errorf("got %d requests, want %d", got, want.requests)
			}
		})
	}
}

// TestPlaceFaults crosses every fault with a purchase: whatever happens to the
// answer, one request leaves, we learn the truth by asking, and buying again
// under the same ID ends in exactly one purchase.
func TestPlaceFaults(t *testing.T) {
	for kind, want := range map[string]struct {
		outcome string
		happens bool
	}{
		marketsim.FaultRefuse: {"unknown", false}, marketsim.FaultDropBefore: {"unknown", false}, marketsim.FaultDropAfter: {"unknown", true},
		marketsim.FaultErrorBefore: {"unknown", false}, marketsim.FaultErrorAfter: {"unknown", true},
		marketsim.FaultHTMLBefore: {"unknown", false}, marketsim.FaultHTMLAfter: {"unknown", true},
		marketsim.FaultTruncate: {"unknown", true}, marketsim.FaultGarble: {"unknown", true},
		marketsim.FaultHang: {"unknown", false}, marketsim.FaultErrorCode: {"unknown", false},
		marketsim.FaultRateLimit: {"later", false}, marketsim.FaultDelay: {"bought", true},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			w, c := simulated(t, marketsim.Config{}, nil)
			if kind == marketsim.FaultHang {
				c.cfg.Timeout = time.Second
			}
			w.Inject(marketsim.Fault{Market: marketsim.SIH, Method: "create-order", Kind: kind, Times: 1})
			o := order("sa-1")
			if _, err := c.Place(t.Context(), o, execution.Offer{}, nil); outcome(err) != want.outcome {
				t.Errorf("got %s (%v), want %s", outcome(err), err, want.outcome)
			}
			if got := w.Requests(marketsim.SIH)["create-order"]; got != 1 {
				t.Errorf("got %d requests for one purchase, want 1", got)
			}
			found, err := c.Lookup(t.Context(), o)
			if want.happens && (err != nil || found.ID != o.ID || found.Event != execution.OnPlaced || found.Paid != o.Ask) ||
				!want.happens && !errors.Is(err, execution.ErrNotFound) {
				t.Errorf("looked up %+v, %v, want it to have happened: %v", found, err, want.happens)
			}
			again, err := c.Place(t.Context(), o, execution.Offer{}, nil)
			if err != nil || again.ID != o.ID || again.Event != execution.OnPlaced || again.MarketRef == "" || again.Paid != o.Ask {
				t.Errorf("again: got %+v, %v, want the one purchase", again, err)
			}
			if bought := w.Purchases(); len(bought) != 1 || bought[0].Ref != again.MarketRef || bought[0].Debited != int64(o.Ask) {
				t.Errorf("the market has %+v, want one purchase for %s", bought, o.Ask)
			}
		})
	}
}

// TestDuplicateThatDiffers: an order under our ID that is not what we ask for.
func TestDuplicateThatDiffers(t *testing.T) {
	w, c := simulated(t, marketsim.Config{}, nil)
	o := order("sa-1")
	o.Ask = money("13")
	if _, err := c.Place(t.Context(), o, execution.Offer{}, nil); err != nil {
		t.Fatal(err)
	}
	other := order("sa-1")
	if _, err := c.Place(t.Context(), other, execution.Offer{}, nil); outcome(err) != "unknown" || !strings.Contains(err.Error(), "13.00") {
		t.Errorf("got %v, want the other amount named", err)
	}
	if got := len(w.Purchases()); got != 1 {
		t.Errorf("got %d purchases, want 1", got)
	}
}

func TestRefusalsSimulated(t *testing.T) {
	_, c := simulated(t, marketsim.Config{}, func(cfg *Config) { cfg.Recipient.SteamID = "1" })
	if _, err := c.Place(t.Context(), order("sa-1"), execution.Offer{}, nil); outcome(err) != "rejected: invalid_tradelink" {
		t.Errorf("got %v, want the trade link rejected", err)
	}
	_, c = simulated(t, marketsim.Config{}, func(cfg *Config) { cfg.APIKey = "wrong" })
	if _, err := c.Place(t.Context(), order("sa-1"), execution.Offer{}, nil); outcome(err) != "rejected: unauthorized" {
		t.Errorf("got %v, want the key rejected", err)
	}
	if _, err := c.Pull(t.Context(), pricing.CS2); err == nil || strings.Contains(err.Error(), "wrong") {
		t.Errorf("got %v, want an error without the key", err)
	}
	_, c = simulated(t, marketsim.Config{Balance: 5_000_000}, nil)
	if _, err := c.Place(t.Context(), order("sa-1"), execution.Offer{}, nil); outcome(err) != "unknown" || !strings.Contains(err.Error(), "not enough balance") {
		t.Errorf("got %v, want a text that is not documented to decide nothing", err)
	}
}

// TestLifeOfAnOrder follows purchases to the end of trade protection, by every
// way of asking, and compares the books.
func TestLifeOfAnOrder(t *testing.T) {
	var now atomic.Int64
	now.Store(time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC).UnixNano())
	clock := func() time.Time { return time.Unix(0, now.Load()).UTC() }
	w, c := simulated(t, marketsim.Config{Now: clock, MovePct: -1}, func(cfg *Config) { cfg.Now = clock })
	const many = 130 // more than a batch and a page
	if err := w.SetCount(marketsim.SIH, redline, many); err != nil {
		t.Fatal(err)
	}
	before, err := c.Balance(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var orders []execution.Order
	for i := range many {
		o := order(fmt.Sprintf("sa-%d", i))
		o.Ask = money("12.5")
		if _, err := c.Place(t.Context(), o, execution.Offer{}, nil); err != nil {
			t.Fatal(err)
		}
		orders = append(orders, o)
	}
	unknown := order("sa-unknown")

	for _, step := range []struct {
		pass time.Duration
		want execution.Event
		cost string
	}{
		{0, execution.OnPlaced, "12.5"},
		{30 * time.Second, execution.OnDelivering, "12.5"},
		{5 * time.Minute, execution.OnDelivered, "12.345"},
		{9 * 24 * time.Hour, execution.OnSettled, "12.345"},
	} {
		now.Add(int64(step.pass))
		tracked, err := c.Track(t.Context(), append(slices.Clone(orders), unknown, orders[0]))
		if err != nil || len(tracked) != many {
			t.Fatalf("%s: tracked %d orders, %v, want %d", step.want, len(tracked), err, many)
		}
		history, err := c.History(t.Context(), time.Time{})
		if err != nil || len(history) != many {
			t.Fatalf("%s: history of %d orders, %v, want %d", step.want, len(history), err, many)
		}
		byID := map[execution.OrderID]execution.Evidence{}
		for _, e := range history {
			byID[e.ID] = e
		}
		for _, e := range tracked {
			if e.Event != step.want || e.Paid-e.Refunded != money(step.cost) || byID[e.ID] != e {
				t.Fatalf("%s: tracked %+v, in the history %+v, want that event and a cost of %s", step.want, e, byID[e.ID], step.cost)
			}
		}
	}

	if later, err := c.History(t.Context(), clock()); err != nil || len(later) != 0 {
		t.Errorf("history since now: got %d orders, %v, want none", len(later), err)
	}
	moves, err := c.WalletHistory(t.Context(), MainWallet, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	cost := map[int64]pricing.Money{}
	for _, m := range moves {
		cost[m.OrderID] += m.Amount
	}
	if got := slices.Compact(slices.Sorted(maps.Values(cost))); len(cost) != many || len(got) != 1 || got[0] != money("-12.345") {
		t.Errorf("the wallet has %d orders at %v, want %d at -12.345", len(cost), got, many)
	}
	booked, err := c.Bookings(t.Context(), time.Time{})
	if err != nil || len(booked) != many {
		t.Fatalf("%d orders in the account book, %v, want %d", len(booked), err, many)
	}
	for _, b := range booked {
		if b.Taken != money("12.5") || b.Returned != money("0.155") {
			t.Fatalf("got %+v, want 12.50 taken and 0.155 returned", b)
		}
	}
	after, err := c.Balance(t.Context())
	if want := before - many*money("12.345"); err != nil || after != want {
		t.Errorf("got a balance of %s, %v, want %s", after, err, want)
	}
}

func TestRollbackSimulated(t *testing.T) {
	var now atomic.Int64
	now.Store(time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC).UnixNano())
	clock := func() time.Time { return time.Unix(0, now.Load()).UTC() }
	_, c := simulated(t, marketsim.Config{Now: clock, MovePct: -1, Outcomes: marketsim.Outcomes{Rollback: 100}}, nil)
	o := order("sa-1")
	if _, err := c.Place(t.Context(), o, execution.Offer{}, nil); err != nil {
		t.Fatal(err)
	}
	now.Add(int64(9 * 24 * time.Hour))
	got, err := c.Lookup(t.Context(), o)
	if err != nil || got.Event != execution.OnRolledBack || got.Paid != got.Refunded || !strings.HasPrefix(got.Error, "rollback") {
		t.Errorf("got %+v, %v, want it rolled back and all refunded", got, err)
	}
}

// TestTestOrder: a simulated purchase moves no money.
func TestTestOrder(t *testing.T) {
	w, c := simulated(t, marketsim.Config{}, nil)
	before := w.Balance(marketsim.SIH)
	if _, err := c.CreateOrder(t.Context(), NewOrder{Game: pricing.CS2, Item: redline, Amount: money("12.345"), CustomID: "test-1", Test: true}, nil); err != nil {
		t.Fatal(err)
	}
	if got := w.Balance(marketsim.SIH); got != before || len(w.Purchases()) != 0 {
		t.Errorf("got a balance of %d and %d purchases, want %d and none", got, len(w.Purchases()), before)
	}
}

func TestCheck(t *testing.T) {
	ruby := pricing.Item{Game: pricing.CS2, Name: "★ Karambit | Doppler (Factory New)", Phase: pricing.Ruby}
	bare := ruby
	bare.Phase = pricing.UnknownPhase
	items := func(members string) string { return `{"success":true,"items":{` + members + `}}` }
	for _, tc := range []struct {
		name   string
		item   pricing.Item
		asked  string
		status int
		body   string
		want   execution.Offer
		absent bool // ErrNotOffered; otherwise a zero want is any other error
	}{
		{"sample", cs2("M4A4 | Asiimov (Well-Worn)"), "M4A4 | Asiimov (Well-Worn)", 200, sample(t, "get-min-item.ok.json"), execution.Offer{Ask: money("93.14"), Count: 1}, false},
		{"absent", cs2(redline), redline, 200, sample(t, "get-min-item.absent.ok.json"), execution.Offer{}, true},
		{"refused", cs2(redline), redline, 400, sample(t, "get-min-item.error.json"), execution.Offer{}, false},
		{"refused, not found", cs2(redline), redline, 400, `{"success":false,"error":"Item not found"}`, execution.Offer{}, true},
		{"not found by a proxy", cs2(redline), redline, 404, `<html>not found</html>`, execution.Offer{}, false},
		{"sold out", cs2(redline), redline, 200, items(`"AK-47 | Redline (Field-Tested)":{"price":1,"count":0}`), execution.Offer{}, true},
		{"count not told", cs2(redline), redline, 200, items(`"AK-47 | Redline (Field-Tested)":1.5`), execution.Offer{Ask: money("1.5"), Count: pricing.CountUnknown}, false},
		{"another spelling", cs2(redline), redline, 200, items(`"AK-47  | Redline (Field-Tested)":{"price":2,"count":4}`), execution.Offer{Ask: money("2"), Count: 4}, false},
		{"another spelling among others", cs2(redline), redline, 200, items(`"AK-47  | Redline (Field-Tested)":{"price":2,"count":4},"B":1`), execution.Offer{}, true},
		{"another spelling beside its own, sold out", cs2(redline), redline, 200, items(`"AK-47  | Redline (Field-Tested)":{"price":2,"count":4},"AK-47 | Redline (Field-Tested)":{"price":1,"count":0}`), execution.Offer{}, true},
		{"its own name among others", cs2(redline), redline, 200, items(`"AK-47 | Redline (Field-Tested)":{"price":2,"count":4},"B":1`), execution.Offer{Ask: money("2"), Count: 4}, false},
		{"another item", cs2(redline), redline, 200, items(`"AK-47 | Redline (Well-Worn)":{"price":1,"count":4}`), execution.Offer{}, true},
		{"another phase", ruby, rubyKnife, 200, items(`"★ Karambit | Doppler Phase 2 (Factory New)":{"price":1,"count":4}`), execution.Offer{}, true},
		{"no phase", ruby, rubyKnife, 200, items(`"★ Karambit | Doppler (Factory New)":{"price":1,"count":4}`), execution.Offer{}, true},
		{"phase in its field", ruby, rubyKnife, 200, items(`"★ Karambit | Doppler (Factory New)":{"price":1,"count":4,"phase":"Ruby"}`), execution.Offer{Ask: money("1"), Count: 4}, false},
		{"a phase that is not told", bare, "★ Karambit | Doppler (Factory New)", 200, items(`"★ Karambit | Doppler (Factory New)":{"price":1,"count":4}`), execution.Offer{}, true},
		{"unreadable", cs2(redline), redline, 200, items(`"AK-47 | Redline (Field-Tested)":{"price":"?"}`), execution.Offer{}, false},
	} {
		c := answering(t, tc.status, tc.body)
		got, err := c.Check(t.Context(), tc.item, tc.asked)
		if got != tc.want || errors.Is(err, execution.ErrNotOffered) != tc.absent || (err == nil) != (tc.want != execution.Offer{}) {
			t.Errorf("%s: got %+v, %v, want %+v, ErrNotOffered: %v", tc.name, got, err, tc.want, tc.absent)
		}
	}
}

func TestCheckSimulated(t *testing.T) {
	w, c := simulated(t, marketsim.Config{}, nil)
	if got, err := c.Check(t.Context(), cs2(redline), redline); err != nil || got != (execution.Offer{Ask: money("12.345"), Count: 3}) {
		t.Errorf("got %+v, %v, want 12.345, three of it", got, err)
	}
	if err := w.SetCount(marketsim.SIH, redline, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Check(t.Context(), cs2(redline), redline); !errors.Is(err, execution.ErrNotOffered) {
		t.Errorf("sold out: got %v, want ErrNotOffered", err)
	}
}
