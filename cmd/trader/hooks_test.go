package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"skinarb/execution"
	"skinarb/httpapi"
	"skinarb/internal/marketsim"
	"skinarb/internal/sqlitejournal"
	"skinarb/markets/sih"
	"skinarb/markets/skinsback"
	"skinarb/pricing"
)

var _ httpapi.Hooks = (*hooks)(nil)

// hooked is hooks with a clock set by hand, and the hints that they gave.
type hooked struct {
	*hooks
	now time.Time

	mu    sync.Mutex
	hints []string
}

const sihSecret = "a-long-and-unguessable-part"

func newHooked(t testing.TB) *hooked {
	t.Helper()
	client, err := skinsback.New(skinsback.Config{ClientID: marketsim.DemoClientID, ClientSecret: marketsim.DemoClientSecret})
	if err != nil {
		t.Fatal(err)
	}
	h := &hooked{now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	h.hooks = newHooks(client, "", sihSecret, h.note, func() time.Time { return h.now }, slog.New(slog.DiscardHandler))
	return h
}

func (h *hooked) note(m pricing.Market, hint execution.Hint) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hints = append(h.hints, fmt.Sprintf("%s %s/%s", m, hint.ID, hint.MarketRef))
}

// take gives the hints since the last time.
func (h *hooked) take() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	hints := h.hints
	h.hints = nil
	return hints
}

// sign is SkinsBack's signature of a body.
func sign(body string) string {
	mac := hmac.New(sha256.New, []byte(marketsim.DemoClientSecret))
	mac.Write([]byte(body))
	return hex.EncodeToString(mac.Sum(nil))
}

func sbEvent(kind, buyID, customID, status string) string {
	return fmt.Sprintf(`{"event":%q,"data":{"buy_id":%q,"custom_id":%q,"offer_status":%q}}`, kind, buyID, customID, status)
}

func TestHooks(t *testing.T) {
	h := newHooked(t)
	sb := func(signature, body string) bool { return h.SkinsBack(signature, "", []byte(body)) }
	bought, changed := sbEvent("buy_item", "65", "sa-1", "creating_trade"), sbEvent("status_change", "65", "sa-1", "accepted")
	for _, step := range []struct {
		name string
		do   func() bool
		ok   bool
		want []string
	}{
		{"a purchase", func() bool { return sb(sign(bought), bought) }, true, []string{"skinsback sa-1/65"}},
		{"the same again", func() bool { return sb(sign(bought), bought) }, true, nil},
		{"the same over the socket", func() bool {
			h.event(skinsback.Event{Kind: "buy_item", CustomID: "sa-1", BuyID: "65", Status: "creating_trade"})
			return true
		}, true, nil},
		{"the same in other bytes", func() bool { return sb(sign(bought+" "), bought+" ") }, true, nil},
		{"a change", func() bool { return h.SkinsBack("", "HMAC "+sign(changed), []byte(changed)) }, true, []string{"skinsback sa-1/65"}},
		{"an older event after a newer one", func() bool { return sb(sign(bought), bought) }, true, nil},
		{"another purchase of somebody else", func() bool { b := sbEvent("buy_item", "66", "", "x"); return sb(sign(b), b) }, true, []string{"skinsback /66"}},
		{"money moved", func() bool { b := `{"event":"balance_change","data":{"balance_value":"1"}}`; return sb(sign(b), b) }, true, nil},
		{"something unknown", func() bool { b := `{"event":"news"}`; return sb(sign(b), b) }, true, []string{"skinsback /"}},
		{"something unknown again, at once", func() bool { b := `{"event":"news"}`; return sb(sign(b), b) }, true, nil},
		{"something unknown again, later", func() bool {
			h.now = h.now.Add(sweepEvery)
			b := `{"event":"news"}`
			return sb(sign(b), b)
		}, true, []string{"skinsback /"}},
		{"forged", func() bool { return sb(sign("other"), sbEvent("status_change", "67", "sa-3", "timeout")) }, false, nil},
		{"unsigned", func() bool { return sb("", sbEvent("status_change", "67", "sa-3", "timeout")) }, false, nil},

		{"SIH", func() bool { return h.SIH(sihSecret, []byte(`{"order":{"id":7,"customId":"sa-2","status":"sent"}}`)) }, true, []string{"sih sa-2/7"}},
		{"SIH again", func() bool { return h.SIH(sihSecret, []byte(`{"order":{"id":7,"customId":"sa-2","status":"sent"}}`)) }, true, nil},
		{"SIH, news of the same order", func() bool { return h.SIH(sihSecret, []byte(`{"order":{"id":7,"customId":"sa-2","status":"failed"}}`)) }, true, []string{"sih sa-2/7"}},
		{"SIH, several orders", func() bool { return h.SIH(sihSecret, []byte(`[{"id":8},{"customId":"sa-9"}]`)) }, true, []string{"sih /8", "sih sa-9/"}},
		{"SIH says nothing that can be read", func() bool { return h.SIH(sihSecret, []byte(`ping`)) }, true, []string{"sih /"}},
		{"SIH, a wrong secret", func() bool { return h.SIH(sihSecret+"x", []byte(`{"id":9}`)) }, false, nil},
		{"SIH, no secret", func() bool { return h.SIH("", []byte(`{"id":9}`)) }, false, nil},
	} {
		if got := step.do(); got != step.ok {
			t.Errorf("%s: got %v, want %v", step.name, got, step.ok)
		}
		if diff := cmp.Diff(step.want, h.take()); diff != "" {
			t.Errorf("%s: hints, want - got +\n%s", step.name, diff)
		}
	}
}

// TestShutHooks have no client, no secret and no address: nothing comes in.
func TestShutHooks(t *testing.T) {
	h := newHooks(nil, "", "", func(pricing.Market, execution.Hint) { t.Error("got a hint") }, time.Now, slog.New(slog.DiscardHandler))
	body := sbEvent("buy_item", "65", "sa-1", "creating_trade")
	if h.SkinsBack(sign(body), "", []byte(body)) {
		t.Error("SkinsBack: got true without a client")
	}
	for _, secret := range []string{"", "x"} {
		if h.SIH(secret, []byte(`{"id":1}`)) {
			t.Errorf("SIH with secret %q: got true without a secret", secret)
		}
	}
	h.listen(t.Context()) // returns at once
}

// TestFloodOfEvents asserts the bounds of what events make us ask, however they
// come: so many hints at once, one a second in the long run, and of each market
// on its own account. What was dropped passes when it comes again later.
func TestFloodOfEvents(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := newHooked(t)
		began, passed := h.now, map[string]int{}
		for i := range rapid.IntRange(1, 300).Draw(rt, "events") {
			h.now = h.now.Add(rapid.SampledFrom([]time.Duration{0, 0, 0, 100 * time.Millisecond, 3 * time.Second}).Draw(rt, "pause"))
			if rapid.Bool().Draw(rt, "sih") {
				h.SIH(sihSecret, fmt.Appendf(nil, `{"id":%d}`, i))
			} else {
				h.event(skinsback.Event{Kind: "status_change", BuyID: fmt.Sprint(i)})
			}
			for _, hint := range h.take() {
				passed[strings.Fields(hint)[0]]++
			}
			for m, n := range passed {
				if most := hintBurst + int(h.now.Sub(began)/hintEvery); n > most {
					rt.Fatalf("%s: %d hints passed in %v, want at most %d", m, n, h.now.Sub(began), most)
				}
			}
		}
	})

	h := newHooked(t)
	for i := range 2 * hintBurst {
		h.event(skinsback.Event{Kind: "status_change", BuyID: fmt.Sprint(i)})
	}
	if got := len(h.take()); got != hintBurst {
		t.Errorf("at once: got %d hints, want %d", got, hintBurst)
	}
	h.now = h.now.Add(hintEvery)
	h.event(skinsback.Event{Kind: "status_change", BuyID: fmt.Sprint(hintBurst)}) // dropped before
	h.event(skinsback.Event{Kind: "status_change", BuyID: "0"})                   // passed before
	if diff := cmp.Diff([]string{fmt.Sprintf("skinsback /%d", hintBurst)}, h.take()); diff != "" {
		t.Errorf("a second later: want - got +\n%s", diff)
	}
}

// TestMemoryOfEvents is bounded, and forgets the oldest.
func TestMemoryOfEvents(t *testing.T) {
	h := newHooked(t)
	event := func(i int) skinsback.Event {
		h.now = h.now.Add(hintEvery)
		return skinsback.Event{Kind: "status_change", BuyID: fmt.Sprint(i)}
	}
	const extra = 10
	for i := range maxEvents + extra {
		h.event(event(i))
	}
	d := h.doors[pricing.SkinsBack]
	if len(d.seen) != maxEvents || len(d.order) != maxEvents {
		t.Errorf("got %d and %d events in memory, want %d", len(d.seen), len(d.order), maxEvents)
	}
	h.take()
	for _, i := range []int{extra, maxEvents + extra - 1} { // the oldest and the newest that are remembered
		h.event(event(i))
	}
	if got := h.take(); got != nil {
		t.Errorf("got %v for events that are remembered, want nothing", got)
	}
	h.event(event(extra - 1))
	if got := len(h.take()); got != 1 {
		t.Errorf("got %d hints for an event that is forgotten, want 1", got)
	}
}

// office is hooks with all that they work on: both simulated markets, an
// executor that looks at nothing by itself for an hour, and the API.
type office struct {
	world    *marketsim.World
	sim      *marketsim.Server
	hooks    *hooks
	executor *execution.Executor
	journal  execution.Journal
	api      string // base address
}

const officeItem = "AK-47 | Redline (Field-Tested)"

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var err error
	o.world, err = marketsim.New(marketsim.Config{
		Catalog: map[string]int64{officeItem: 20_000_000},
		// An order is looked at once a second at most: news come slower.
		Timing: marketsim.Timing{TradeCreation: 1200 * time.Millisecond, Acceptance: 1200 * time.Millisecond, Protection: time.Hour},
	})
	must(err)
	o.sim, err = marketsim.Serve(o.world, "")
	must(err)
	t.Cleanup(func() { o.sim.Close() })
	for _, m := range []string{marketsim.SkinsBack, marketsim.SIH} {
		must(o.world.SetAsk(m, officeItem, 10_000_000))
		must(o.world.SetCount(m, officeItem, 20))
	}

	sb, err := skinsback.New(skinsback.Config{
		URL: o.sim.SkinsBackURL, ClientID: marketsim.DemoClientID, ClientSecret: marketsim.DemoClientSecret,
		Recipient: skinsback.Recipient{Partner: "100000001", Token: "AbCdEf12"},
	})
	must(err)
	t.Cleanup(sb.Close)
	other, err := sih.New(sih.Config{URL: o.sim.SIHURL, APIKey: marketsim.DemoAPIKey, Recipient: sih.Recipient{SteamID: "76561198060265729", Token: "AbCdEf12"}})
	must(err)
	journal, err := sqlitejournal.Open(filepath.Join(t.TempDir(), "journal.sqlite"))
	must(err)
	o.journal = journal
	t.Cleanup(func() { journal.Close() })
	o.executor, err = execution.New(execution.Config{
		Markets: []execution.Market{sb, other}, Journal: journal, Limits: execution.Limits{OpenOrders: 100, ItemUnits: 100},
		TrackEvery: time.Hour, ReconcileEvery: time.Hour,
	})
	must(err)
	must(o.executor.Recover(t.Context()))
	o.hooks = newHooks(sb, o.sim.SocketURL, sihSecret, o.executor.Hint, time.Now, slog.New(slog.DiscardHandler))

	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	o.api = "http://" + ln.Addr().String()
	server := httpapi.New(httpapi.Config{Hooks: o.hooks, MaxQuoteAge: time.Minute})
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { o.executor.Run(ctx) })
	running.Go(func() {
		if err := server.Serve(ln); err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	t.Cleanup(func() {
		cancel()
		if err := server.Shutdown(context.Background()); err != nil {
			t.Errorf("shut down: %v", err)
		}
		running.Wait()
	})
	return o
}

// webhooks points both markets at the API.
func (o *office) webhooks(t *testing.T) {
	t.Helper()
	for market, path := range map[string]string{marketsim.SkinsBack: "/webhooks/skinsback", marketsim.SIH: "/webhooks/sih/" + sihSecret} {
		if err := o.world.SetWebhook(market, o.api+path); err != nil {
			t.Fatal(err)
		}
	}
}

// buy buys the item; since tells one purchase from another.
func (o *office) buy(t *testing.T, m pricing.Market, since uint64) execution.OrderID {
	t.Helper()
	it, err := pricing.ParseItem(pricing.CS2, officeItem, "")
	if err != nil {
		t.Fatal(err)
	}
	placed, err := o.executor.Buy(t.Context(), execution.Request{
		Market: m, Item: it, MarketName: officeItem, Ask: 10 * pricing.Dollar, Cost: 10 * pricing.Dollar,
		Since: since, ExpiresAt: time.Now().Add(time.Minute),
	})
	if err != nil || placed.State != execution.Placed {
		t.Fatalf("buy on %s: got %s, %v, want it placed", m, placed.State, err)
	}
	return placed.ID
}

func (o *office) state(t *testing.T, id execution.OrderID) execution.State {
	t.Helper()
	stored, err := o.journal.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return stored.State
}

func (o *office) waitDelivered(t *testing.T, ids ...execution.OrderID) {
	t.Helper()
	for _, id := range ids {
		eventually(t, "delivery of "+string(id), func() (bool, string) {
			s := o.state(t, id)
			return s == execution.Delivered, string(s)
		})
	}
}

// TestWebhooksSpeedUp follows purchases by webhooks alone, and then lets both
// markets' webhooks turn hostile: no order moves, and next to nothing is asked.
func TestWebhooksSpeedUp(t *testing.T) {
	o := newOffice(t)
	o.webhooks(t)
	ids := []execution.OrderID{o.buy(t, pricing.SkinsBack, 1), o.buy(t, pricing.SIH, 1)}
	o.waitDelivered(t, ids...)

	orders := func() []execution.Order {
		all, err := o.journal.List(t.Context(), execution.Query{})
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	lookups := func() int {
		return o.world.Requests(marketsim.SkinsBack)["market_getinfo"] + o.world.Requests(marketsim.SIH)["get-order"] + o.world.Requests(marketsim.SIH)["get-orders"]
	}
	before, asked := orders(), lookups()
	for _, tt := range []struct {
		market, kind string
		want         int // status of every answer; 0: any refusal
	}{
		{marketsim.SkinsBack, marketsim.AttackForged, 401},
		{marketsim.SkinsBack, marketsim.AttackStranger, 401},
		{marketsim.SkinsBack, marketsim.AttackReplayed, 200},
		{marketsim.SkinsBack, marketsim.AttackReordered, 200},
		{marketsim.SkinsBack, marketsim.AttackHuge, 413},
		{marketsim.SkinsBack, marketsim.AttackSlow, 200},
		{marketsim.SIH, marketsim.AttackStranger, 404},
		{marketsim.SIH, marketsim.AttackReplayed, 200},
		{marketsim.SIH, marketsim.AttackReordered, 200},
		{marketsim.SIH, marketsim.AttackHuge, 413},
		{marketsim.SIH, marketsim.AttackSlow, 200},
		// SIH signs nothing: a hint to look, and no more. It comes last, when the
		// slow ones have taken longer than orders are left alone after a look.
		{marketsim.SIH, marketsim.AttackForged, 200},
	} {
		answers, err := o.world.Attack(t.Context(), marketsim.Attack{Market: tt.market, Kind: tt.kind, For: 1200 * time.Millisecond})
		if err != nil || len(answers) == 0 {
			t.Fatalf("%s on %s: got %v, %v", tt.kind, tt.market, answers, err)
		}
		for _, a := range answers {
			if a.Status != tt.want {
				t.Errorf("%s on %s: got %+v, want status %d", tt.kind, tt.market, a, tt.want)
			}
		}
	}
	// The one lie that was well sent makes one look-up, which finds the truth.
	eventually(t, "a look-up", func() (bool, string) {
		n := lookups() - asked
		return n > 0, fmt.Sprint(n)
	})
	if n := lookups() - asked; n > 2 {
		t.Errorf("hostile webhooks made %d look-ups, want 2 at most", n)
	}
	if diff := cmp.Diff(before, orders()); diff != "" {
		t.Errorf("hostile webhooks moved orders: before - after +\n%s", diff)
	}
	if n := len(o.world.Purchases()); n != len(ids) {
		t.Errorf("got %d purchases, want %d", n, len(ids))
	}
}

// TestSocketSpeedsUp follows a purchase by the socket alone; and one that was
// delivered while nobody listened is found by the look that follows a login.
func TestSocketSpeedsUp(t *testing.T) {
	o := newOffice(t)
	listen := func() (stop func()) {
		ctx, cancel := context.WithCancel(t.Context())
		var listening sync.WaitGroup
		listening.Go(func() { o.hooks.listen(ctx) })
		eventually(t, "the login", func() (bool, string) { return o.sim.Sockets() == 1, fmt.Sprint(o.sim.Sockets()) })
		return func() { cancel(); listening.Wait() }
	}
	stop := listen()
	defer func() { stop() }()
	o.waitDelivered(t, o.buy(t, pricing.SkinsBack, 1))
	stop()

	unheard := o.buy(t, pricing.SkinsBack, 2)
	eventually(t, "delivery at the market", func() (bool, string) {
		states := []string{}
		for _, p := range o.world.Purchases() {
			states = append(states, p.State)
		}
		return !slices.Contains(states, "creating_trade") && !slices.Contains(states, "waiting_accept"), strings.Join(states, ", ")
	})
	if got := o.state(t, unheard); got != execution.Placed {
		t.Fatalf("before anybody listens: got %s, want placed", got)
	}
	stop = listen()
	o.waitDelivered(t, unheard)
}

// TestEveryLoginLooksEverywhere cuts the socket several times.
func TestEveryLoginLooksEverywhere(t *testing.T) {
	world, err := marketsim.New(marketsim.Config{Items: 10})
	if err != nil {
		t.Fatal(err)
	}
	sim, err := marketsim.Serve(world, "")
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close()
	h := newHooked(t)
	h.address = sim.SocketURL
	ctx, cancel := context.WithCancel(t.Context())
	var listening sync.WaitGroup
	listening.Go(func() { h.listen(ctx) })
	for range 3 {
		eventually(t, "the hint to look everywhere", func() (bool, string) {
			got := h.take()
			return slices.Equal(got, []string{"skinsback /"}), strings.Join(got, ", ")
		})
		sim.CutSockets()
	}
	cancel()
	listening.Wait()
}

// TestWrongSocketAddress is told, without the address, and ends nothing else.
func TestWrongSocketAddress(t *testing.T) {
	var log bytes.Buffer
	h := newHooked(t)
	h.address, h.log = "https://hush.example/ws/", slog.New(slog.NewTextHandler(&log, nil))
	h.listen(t.Context())
	if got := log.String(); !strings.Contains(got, "SKINSBACK_WS_URL") || strings.Contains(got, "hush") {
		t.Errorf("got the log %q, want the setting's name and not its value", got)
	}
}
