package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"skinarb/execution"
	"skinarb/internal/marketsim"
	"skinarb/internal/sqlitejournal"
	"skinarb/pricing"
	"skinarb/selling"
)

func TestSellNeedsLiveAndAFile(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ env, want string }{
		{"MODE=paper", "SELL: on needs MODE=live"},
		{"JOURNAL=redis", "SELL: on needs JOURNAL=sqlite"},
	} {
		if stderr := refused(t, []string{"SELL=on", "REDIS_URL=redis://127.0.0.1:1/0", tt.env}); !strings.Contains(stderr, tt.want) {
			t.Errorf("%s: got %q, want %q in it", tt.env, stderr, tt.want)
		}
	}
}

// position is what the tests read of a position.
type position struct {
	Order, State, Note string
}

func (p *process) positions(t *testing.T, states string) []position {
	t.Helper()
	var page struct{ Positions []position }
	p.get(t, "/v1/positions?limit=500&state="+states, &page)
	return page.Positions
}

// listRequests counts the requests to put on sale that both markets have had.
func (m *markets) listRequests() int {
	return m.world.Requests(marketsim.SIH)["project/deposit"] + m.world.Requests(marketsim.SkinsBack)["create_from_user_inventory"]
}

// soldTwice says what is on sale, or on its way to a buyer, twice.
func (m *markets) soldTwice() (twice []string) {
	under := map[string]string{}
	add := func(asset, id string) {
		if before, ok := under[asset]; ok {
			twice = append(twice, fmt.Sprintf("%s as %s and as %s", asset, before, id))
		}
		under[asset] = id
	}
	for _, s := range m.world.Sales() {
		if s.State != "deleted" && s.State != "returned" {
			add(s.AssetID, s.CustomID)
		}
	}
	for _, d := range m.world.Deposits() {
		for _, asset := range d.AssetIDs {
			if d.State != "fail" && d.State != "hold_returned" {
				add(asset, d.OrderID)
			}
		}
	}
	return twice
}

// TestSells: what was bought and is settled is put on sale, once, over lost
// answers and power cuts, and not any more after stop has answered.
func TestSells(t *testing.T) {
	t.Parallel()
	m := newMarkets(t)
	m.set("SELL", "on")
	m.set("LOOKUP_GRACE", "1s")
	for _, method := range []string{"project/deposit", "create_from_user_inventory"} {
		m.world.Inject(marketsim.Fault{Method: method, Kind: marketsim.FaultDropAfter, Times: 2})
		m.world.Inject(marketsim.Fault{Method: method, Kind: marketsim.FaultDelay, Delay: 200 * time.Millisecond})
	}
	p := m.start(t)
	onSale := func(want int) {
		t.Helper()
		eventually(t, fmt.Sprintf("%d positions on sale", want), func() (bool, string) {
			listed := p.positions(t, "listed,withdrawing,gone,sold")
			return len(listed) >= want, fmt.Sprint(listed)
		})
	}
	onSale(3)
	for range 2 {
		asked := m.listRequests()
		eventually(t, "one more request to list", func() (bool, string) {
			return m.listRequests() > asked, fmt.Sprint(asked)
		})
		p.kill(t) // most likely while that waits for its answer
		p = m.start(t)
	}
	onSale(5)
	if twice := m.soldTwice(); len(twice) > 0 {
		t.Errorf("on sale twice: %v", twice)
	}

	p.command(t, "/v1/trading/stop", `{"reason":"enough"}`)
	atStop := m.listRequests()
	for end := time.Now().Add(2 * time.Second); time.Now().Before(end); <-time.After(20 * time.Millisecond) {
		if n := m.listRequests(); n > atStop {
			t.Fatalf("after stop: got %d requests to list, want no more than %d", n, atStop)
		}
	}
	p.terminate(t)
}

func TestQuotesThatMayBeTradedOn(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	item := pricing.Item{Game: pricing.CS2, Name: "AK-47 | Redline (Field-Tested)"}
	feed := pricing.Feed{Market: pricing.SIH, Game: pricing.CS2}
	status := func(state pricing.FeedState, ago time.Duration) []pricing.FeedStatus {
		return []pricing.FeedStatus{{Feed: feed, State: state, LastSuccess: now.Add(-ago)}}
	}
	for _, tt := range []struct {
		name     string
		statuses []pricing.FeedStatus
		observed time.Duration
		item     pricing.Item
		offered  bool
		fails    string
	}{
		{"fresh", status(pricing.Fresh, time.Minute), time.Minute, item, true, ""},
		{"fresh, and not offered", status(pricing.Fresh, time.Minute), time.Minute, pricing.Item{Game: pricing.CS2, Name: "none"}, false, ""},
		{"held", status(pricing.Held, time.Minute), time.Minute, item, false, "prices of sih/cs2 are held"},
		{"down", status(pricing.Down, time.Minute), time.Minute, item, false, "prices of sih/cs2 are down"},
		{"pulled long ago", status(pricing.Fresh, time.Hour), time.Minute, item, false, "prices of sih/cs2 are stale"},
		{"observed long ago", status(pricing.Fresh, time.Minute), time.Hour, item, false, "prices of sih/cs2 are stale"},
		{"observed in the future", status(pricing.Fresh, time.Minute), -time.Hour, item, false, "prices of sih/cs2 are stale"},
		{"not known", nil, time.Minute, item, false, "prices of sih/cs2 are off"},
	} {
		book, _ := pricing.NewBook().With(pricing.Catalog{Feed: feed, ObservedAt: now.Add(-tt.observed), Listings: []pricing.Listing{{Item: item, Ask: 5}}})
		qs := quotes{func() *pricing.Book { return book }, func() []pricing.FeedStatus { return tt.statuses }, 5 * time.Minute, func() time.Time { return now }}
		q, offered, err := qs.quote(pricing.SIH, tt.item)
		if got := fmt.Sprint(err); offered != tt.offered || (tt.fails == "") != (err == nil) || err != nil && got != tt.fails {
			t.Errorf("%s: got offered %t, error %v, want %t, %q", tt.name, offered, err, tt.offered, tt.fails)
		}
		if offered && q.Ask != 5 {
			t.Errorf("%s: got ask %s, want that of the book", tt.name, q.Ask)
		}
	}
}

// soldPositions is a journal with two positions sold and one held.
func soldPositions(t *testing.T) *sales {
	t.Helper()
	file, err := sqlitejournal.Open(filepath.Join(t.TempDir(), "journal.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	j := file.Selling()
	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for n, proceeds := range []pricing.Money{5 * pricing.Dollar, 2 * pricing.Dollar, 0} {
		p := selling.Position{ID: execution.OrderID(fmt.Sprint("sa-", n)), SellOn: pricing.SIH, Cost: 3 * pricing.Dollar, BoughtAt: day.Add(time.Duration(n) * 24 * time.Hour), CreatedAt: day}
		if err := j.Enter(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		if proceeds == 0 {
			continue
		}
		l, err := j.Begin(t.Context(), selling.Offer{Holder: string(p.ID), Market: pricing.SIH, Goods: fmt.Sprint(n), Price: 1}, day)
		if err != nil {
			t.Fatal(err)
		}
		l.State, l.Proceeds = selling.Sold, proceeds
		if _, err := j.Advance(t.Context(), l); err != nil {
			t.Fatal(err)
		}
	}
	return &sales{journal: j}
}

// TestRealised: what sold positions brought counts on the day of their purchase,
// against what failed ones cost.
func TestRealised(t *testing.T) {
	s := soldPositions(t)
	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	totals := execution.Totals{All: execution.Amounts{RealisedLoss: pricing.Dollar / 2}}
	for n := 2; n >= 0; n-- {
		totals.Days = append(totals.Days, execution.DayAmounts{Day: day.Add(time.Duration(n) * 24 * time.Hour)})
	}
	if err := s.realise(t.Context(), &totals); err != nil {
		t.Fatal(err)
	}
	if got, want := totals.All.RealisedLoss, -pricing.Dollar/2; got != want {
		t.Errorf("in all: got a loss of %s, want %s", got, want)
	}
	for i, want := range []pricing.Money{0, pricing.Dollar, -2 * pricing.Dollar} {
		if got := totals.Days[i].RealisedLoss; got != want {
			t.Errorf("%s: got a loss of %s, want %s", totals.Days[i].Day.Format(time.DateOnly), got, want)
		}
	}
}

// TestEarned: what SIH credits for sales is not in the balance that is compared.
func TestEarned(t *testing.T) {
	s := soldPositions(t)
	l, err := s.journal.Begin(t.Context(), selling.Offer{Holder: "sa-2", Market: pricing.SkinsBack, Goods: "2", Price: 1}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	l.State, l.Proceeds = selling.Sold, 3*pricing.Dollar
	if _, err := s.journal.Advance(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	for m, want := range map[pricing.Market]pricing.Money{pricing.SIH: 0, pricing.SkinsBack: 3 * pricing.Dollar} {
		if got, err := s.earned(t.Context(), m, time.Time{}); got != want || err != nil {
			t.Errorf("%s: got %s, error %v, want %s", m, got, err, want)
		}
	}
}

func TestPositionMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(soldPositions(t))
	families, err := registry.Gather()
	if err != nil || len(families) != 1 || families[0].GetName() != "skinarb_positions" {
		t.Fatalf("got %v, error %v, want skinarb_positions", families, err)
	}
	got := map[string]float64{}
	for _, m := range families[0].GetMetric() {
		got[m.GetLabel()[0].GetValue()] = m.GetGauge().GetValue()
	}
	want := map[string]float64{"held": 1, "listing": 0, "in_doubt": 0, "listed": 0, "withdrawing": 0, "gone": 0, "sold": 2, "vanished": 0}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("skinarb_positions (-want +got):\n%s", diff)
	}
}

// TestNothingToSell: without a file there are no positions, and nothing fails.
func TestNothingToSell(t *testing.T) {
	s := &sales{}
	var totals execution.Totals
	positions, err := s.positions(t.Context(), selling.Query{})
	if len(positions) != 0 || err != nil || s.realise(t.Context(), &totals) != nil || s.quiet(t.Context()) != nil {
		t.Errorf("got positions %v, error %v, want none", positions, err)
	}
	if diff := cmp.Diff(execution.Totals{}, totals); diff != "" {
		t.Errorf("totals changed:\n%s", diff)
	}
	s.run(t.Context()) // returns, since it is off
}

func TestSellingAlerts(t *testing.T) {
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for kind, urgent := range map[string]bool{
		selling.NoticeVanished: true, selling.NoticeUnderbid: true, selling.NoticeOffer: true, selling.NoticeStray: false, selling.NoticeLate: false,
	} {
		a := fromSelling(selling.Notice{Kind: kind, Market: pricing.SIH, Listing: "sl-1", Text: "why"}, at)
		if a.Kind != kind || a.Market != "sih" || a.Order != "sl-1" || a.Text != "why" || a.At != at || a.Urgent != urgent {
			t.Errorf("%s: got %+v, want it urgent: %t", kind, a, urgent)
		}
	}
}
