package httpapi

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"skinarb/execution"
	"skinarb/pricing"
	"skinarb/selling"
	"skinarb/strategy"
)

// now is the time of every test.
var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

const (
	redline = "AK-47 | Redline (Field-Tested)"
	doppler = "★ Karambit | Doppler (Factory New)"
)

var (
	sbCS2  = pricing.Feed{Market: pricing.SkinsBack, Game: pricing.CS2}
	sihCS2 = pricing.Feed{Market: pricing.SIH, Game: pricing.CS2}
	sihTF2 = pricing.Feed{Market: pricing.SIH, Game: pricing.TF2}
)

// listing gives a catalog entry; a malformed spelling is the test's bug.
func listing(g pricing.Game, name, ask string, count int) pricing.Listing {
	it, err := pricing.ParseItem(g, name, "")
	if err != nil {
		panic(err)
	}
	m, err := pricing.ParseMoney(ask)
	if err != nil {
		panic(err)
	}
	return pricing.Listing{Item: it, MarketName: name, Ask: m, Count: count}
}

// testBook has fresh prices of SkinsBack, and prices of SIH that are ten minutes
// old: stale under the five minutes of newConfig.
func testBook() *pricing.Book {
	full := listing(pricing.CS2, redline, "12.3", 7)
	full.Steam, full.SellHint, full.Source, full.Lot = 15_500_000, 11_000_000, "steam", "7001001"
	b, _ := pricing.NewBook().With(pricing.Catalog{Feed: sbCS2, Version: 3, ObservedAt: now.Add(-1500 * time.Millisecond), Listings: []pricing.Listing{
		full,
		listing(pricing.CS2, doppler, "900", 5),
		listing(pricing.CS2, "★ Karambit | Doppler Phase 2 (Factory New)", "900", 2),
		listing(pricing.CS2, "★ Karambit | Doppler Ruby (Factory New)", "4000.125", 3),
		listing(pricing.CS2, "★ Bayonet | Gamma Doppler Emerald (Factory New)", "2000", 1),
		listing(pricing.CS2, "Desert Eagle | Emerald Jörmungandr (Factory New)", "800", 1),
		listing(pricing.CS2, `Sticker | "Quoted" \ Name`, "0.05", 0),
	}})
	b, _ = b.With(pricing.Catalog{Feed: sihCS2, Version: 5, ObservedAt: now.Add(-10 * time.Minute), Listings: []pricing.Listing{
		listing(pricing.CS2, redline, "11.9", pricing.CountUnknown),
		listing(pricing.CS2, "Glock-18 | Fade (Factory New)", "1200", 1),
	}})
	return b
}

type fakePrices struct {
	mu       sync.Mutex
	book     *pricing.Book
	statuses []pricing.FeedStatus
	released []pricing.Feed
	notReady string
	fail     error
}

func (f *fakePrices) Book() *pricing.Book {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.book
}

func (f *fakePrices) Statuses() []pricing.FeedStatus { return f.statuses }

func (f *fakePrices) Release(_ context.Context, feed pricing.Feed) error {
	f.released = append(f.released, feed)
	return f.fail
}

func (f *fakePrices) Ready() (bool, string) { return f.notReady == "", f.notReady }

type fakeStrategy struct{ opportunities []strategy.Opportunity }

func (f *fakeStrategy) Opportunities(time.Time) []strategy.Opportunity { return f.opportunities }

func (f *fakeStrategy) Verdicts(it pricing.Item, _ time.Time) []strategy.Verdict {
	return []strategy.Verdict{
		{Buy: pricing.SIH, Sell: pricing.SkinsBack, Rule: "fresh", Pass: false, Detail: it.Name + " is stale"},
		{Buy: pricing.SIH, Sell: pricing.SkinsBack, Rule: "phase_known", Pass: true, Detail: ""},
	}
}

// fakeTrading is a journal in memory, newest order first. fail is what every
// method returns instead.
type fakeTrading struct {
	orders    []execution.Order
	positions []selling.Position
	status    TradingStatus
	totals    execution.Totals
	practice  Practice
	notReady  string
	fail      error
	by        string
}

func (f *fakeTrading) Orders(_ context.Context, q execution.Query) ([]execution.Order, error) {
	var out []execution.Order
	passed := q.After == ""
	for _, o := range f.orders {
		match := len(q.States) == 0
		for _, s := range q.States {
			match = match || s == o.State
		}
		if passed && match && len(out) < q.Limit {
			out = append(out, o)
		}
		passed = passed || o.ID == q.After
	}
	if !passed {
		return nil, execution.ErrNoOrder
	}
	return out, f.fail
}

func (f *fakeTrading) Order(_ context.Context, id execution.OrderID) (execution.Order, error) {
	for _, o := range f.orders {
		if o.ID == id {
			return o, f.fail
		}
	}
	return execution.Order{}, execution.ErrNoOrder
}

func (f *fakeTrading) Totals(context.Context) (execution.Totals, error) { return f.totals, f.fail }

func (f *fakeTrading) Practice() Practice { return f.practice }

func (f *fakeTrading) Status(context.Context) (TradingStatus, error) { return f.status, f.fail }

func (f *fakeTrading) Stop(_ context.Context, reason, by string) error {
	if f.fail == nil {
		f.status.Trading, f.by = execution.Trading{Stopped: true, Reason: reason, By: by, At: now}, by
	}
	return f.fail
}

func (f *fakeTrading) Start(_ context.Context, by string) error {
	if f.fail == nil {
		f.status.Trading, f.by = execution.Trading{By: by, At: now}, by
	}
	return f.fail
}

func (f *fakeTrading) Tighten(to execution.Limits, by string) error {
	if to.Day > f.status.Limits.Day {
		return &execution.LoosenError{Rules: []string{"max_day"}}
	}
	f.status.Limits, f.by = to, by
	return f.fail
}

func (f *fakeTrading) Reset(_ context.Context, m pricing.Market, by string) error {
	f.status.Breaks, f.by = nil, by
	return f.fail
}

func (f *fakeTrading) Ready(context.Context) (bool, string) { return f.notReady == "", f.notReady }

// world is a server with its fakes.
type world struct {
	prices   *fakePrices
	strategy *fakeStrategy
	trading  *fakeTrading
	hooks    *fakeHooks
	partner  *fakePartner
	cfg      Config
}

// newWorld gives a trader without tokens.
func newWorld() *world {
	it, _ := pricing.ParseItem(pricing.CS2, redline, "")
	opportunity := strategy.Opportunity{
		Item:       it,
		Buy:        pricing.Quote{Market: pricing.SIH, Listing: pricing.Listing{Ask: 8 * pricing.Dollar}},
		Sell:       pricing.Quote{Market: pricing.SkinsBack, Listing: pricing.Listing{Ask: 12_300_000}},
		Cost:       8 * pricing.Dollar,
		Proceeds:   11_060_000,
		Profit:     3_060_000,
		EdgeBps:    3825,
		ReturnBps:  478,
		ObservedAt: now.Add(-time.Second),
		ExpiresAt:  now.Add(4 * time.Minute),
	}
	small := opportunity
	small.Profit = 600_000
	order := execution.Order{
		ID:      "sa-newest",
		Request: execution.Request{Market: pricing.SIH, Item: it, MarketName: redline, Ask: 8 * pricing.Dollar, Cost: 8_400_000, SellOn: pricing.SkinsBack, Proceeds: 11_060_000},
		State:   execution.Delivered, Paid: 7_990_000, MarketRef: "77", OfferID: "5511", CreatedAt: now.Add(-time.Hour), UpdatedAt: now.Add(-time.Minute),
		History: []execution.Step{{At: now.Add(-time.Hour), State: execution.Planned}, {At: now.Add(-time.Hour), State: execution.Sent, Event: execution.OnSend, Note: "at 8.00"}},
	}
	planned := execution.Order{ID: "sa-planned", Request: order.Request, State: execution.Planned, CreatedAt: now.Add(-2 * time.Hour), UpdatedAt: now.Add(-2 * time.Hour)}
	refused := execution.Order{ID: "sa-oldest", Request: order.Request, State: execution.Rejected, Error: "insufficient_funds", CreatedAt: now.Add(-3 * time.Hour), UpdatedAt: now.Add(-3 * time.Hour)}
	amounts := execution.Amounts{Spent: 7_990_000, Reserved: 8_400_000, AtRisk: 7_990_000, ExpectedProfit: 2_660_000, RealisedLoss: 250_000, Refunded: 100_000, Orders: 3}

	w := &world{
		hooks:   &fakeHooks{},
		partner: &fakePartner{},
		prices: &fakePrices{book: testBook(), statuses: []pricing.FeedStatus{
			{Feed: sihTF2, State: pricing.Fresh, LastSuccess: now.Add(-time.Hour), Version: 1},
			{Feed: sihCS2, State: pricing.Held, Reason: "it lost more than half of its items", Items: 2, LastSuccess: now.Add(-10 * time.Minute), LastError: "timeout", Version: 5},
			{Feed: sbCS2, State: pricing.Fresh, Items: 7, Changed: 3, Rejected: 1, LastSuccess: now.Add(-1500 * time.Millisecond), PullP50: 120 * time.Millisecond, PullP95: 450 * time.Millisecond, Version: 3},
		}},
		strategy: &fakeStrategy{opportunities: []strategy.Opportunity{opportunity, small}},
		trading: &fakeTrading{
			orders: []execution.Order{order, planned, refused},
			totals: execution.Totals{All: amounts, Days: []execution.DayAmounts{{Day: now.Truncate(24 * time.Hour), Amounts: amounts}}},
			practice: Practice{
				Paper: &PaperFills{Placed: 10, Filled: 6, Gone: 3},
				Since: now.Add(-time.Hour),
				Decay: []strategy.Horizon{{After: "next_catalog", Observed: 9, Still: 7, FirstBps: 812, ThenBps: 790}, {After: "1h"}},
			},
			status: TradingStatus{
				Mode: "paper",
				Limits: execution.Limits{
					Order: 50 * pricing.Dollar, Day: 100 * pricing.Dollar, OpenOrders: 10, ItemUnits: 1,
					Markets: map[pricing.Market]execution.MarketLimits{pricing.SIH: {Day: 60 * pricing.Dollar, OpenOrders: 4}},
				},
				Usage: execution.Usage{MarketUsage: execution.MarketUsage{Open: 1, Locked: 16_390_000, Day: 16_390_000}, Units: map[pricing.Item]int{it: 1}},
				Role:  "leader",
				Accounts: map[pricing.Market]AccountStatus{
					pricing.SIH:       {Balance: execution.Balance{Amount: 99_500_000, At: now, Known: true}, Compared: execution.Comparison{At: now.Add(-time.Minute), Balance: 99_500_000, Expected: 101_500_000, Off: -1_990_000, Since: now.Add(-time.Hour)}},
					pricing.SkinsBack: {},
				},
				Breaks: []execution.Break{
					{Market: pricing.SIH, Rule: execution.BreakDifference, Reason: "money is missing", Since: now.Add(-time.Hour)},
					{Market: pricing.SkinsBack, Rule: execution.BreakUnanswered, Reason: "timeout", Since: now.Add(-time.Minute), Until: now.Add(time.Minute)},
				},
			},
		},
	}
	w.cfg = Config{
		Prices: w.prices, Strategy: w.strategy, Trading: w.trading, Hooks: w.hooks, Partner: w.partner,
		Feeds:       []pricing.Feed{sbCS2, sihCS2, {Market: pricing.SIH, Game: pricing.Rust}},
		MaxQuoteAge: 5 * time.Minute, Version: "1.2.3",
		Settings: map[string]string{"GAMES": "cs2"},
		Now:      func() time.Time { return now },
	}
	return w
}

const (
	operatorToken = "operator-token"
	readToken     = "read-token"
)

// withTokens gives the world an operator and a reader.
func (w *world) withTokens() *world {
	w.cfg.APIToken, w.cfg.ReadTokens = operatorToken, []string{"other-reader", readToken}
	return w
}

// reply is an answer, read to its end.
type reply struct {
	status int
	header http.Header
	body   string
}

// request gives a request; headers are "Name: value".
func request(method, target, body string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	return r
}

// ask sends a request through the server without a socket.
func ask(t testing.TB, s *Server, r *http.Request) reply {
	t.Helper()
	resp, err := s.app.Test(r, 10_000)
	if err != nil {
		t.Fatalf("%s %s: %v", r.Method, r.URL, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: read the answer: %v", r.Method, r.URL, err)
	}
	return reply{resp.StatusCode, resp.Header, string(body)}
}
