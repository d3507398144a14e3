package execution_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"skinarb/execution"
	"skinarb/pricing"
)

// outcome is what comes of one Place: whether the market buys, and what the
// caller hears.
type outcome struct {
	happens bool
	late    time.Duration // the market buys only after this, when we gave up
	err     error         // nil means that the purchase is acknowledged
	hang    bool          // no answer until the caller gives up
}

var (
	errReset = errors.New("connection reset")

	bought   = outcome{happens: true}
	refused  = outcome{err: &execution.RejectedError{Reason: "insufficient_funds"}}
	busy     = outcome{err: &execution.RetryLaterError{After: 7 * time.Second, Reason: "rate limit", Throttled: true}}
	lost     = outcome{happens: true, err: errReset}
	unbought = outcome{err: errReset}
	hangs    = outcome{hang: true}
	hangsBuy = outcome{happens: true, hang: true}
	slow     = outcome{happens: true, late: 20 * time.Second, err: errReset}
)

// purchase is what the fake knows of one.
type purchase struct {
	ev execution.Evidence
	at time.Time
}

// fakeMarket is a market with state. It has no protection of its own against
// the same ID sent twice: that nothing is bought twice is execution's merit.
type fakeMarket struct {
	name    pricing.Market
	now     func() time.Time
	mu      sync.Mutex
	count   map[execution.OrderID]int // purchases by our ID
	ledger  map[execution.OrderID]*purchase
	foreign []execution.Evidence // History has them, too
	balance pricing.Money

	// plan decides Place; nil buys. down is what the other methods answer.
	plan   func(o execution.Order) outcome
	down   error
	asks   map[pricing.Item]pricing.Money // asks that moved; ErrNotOffered for 0
	placed func()                         // called when Place begins
	calls  map[string]int
	late   sync.WaitGroup
}

func newFake(name pricing.Market) *fakeMarket {
	return &fakeMarket{
		name: name, now: time.Now, balance: 1_000_000 * pricing.Dollar,
		count: map[execution.OrderID]int{}, ledger: map[execution.OrderID]*purchase{},
		asks: map[pricing.Item]pricing.Money{}, calls: map[string]int{},
	}
}

func (f *fakeMarket) Market() pricing.Market { return f.name }

func (f *fakeMarket) called(method string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls[method]++
	return f.down
}

func (f *fakeMarket) times(method string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[method]
}

func (f *fakeMarket) Check(_ context.Context, it pricing.Item, _ string) (execution.Offer, error) {
	if err := f.called("Check"); err != nil {
		return execution.Offer{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	ask, moved := f.asks[it]
	switch {
	case !moved:
		return execution.Offer{Ask: pricing.Cent, Count: 1}, nil
	case ask == 0:
		return execution.Offer{}, execution.ErrNotOffered
	}
	return execution.Offer{Ask: ask, Count: 1}, nil
}

func (f *fakeMarket) Place(ctx context.Context, o execution.Order, _ execution.Offer, wrote func()) (execution.Evidence, error) {
	if f.placed != nil {
		f.placed()
	}
	f.mu.Lock()
	f.calls["Place"]++
	out := bought
	if f.plan != nil {
		out = f.plan(o)
	}
	f.mu.Unlock()
	switch {
	case out.late > 0:
		f.late.Go(func() {
			time.Sleep(out.late)
			f.buy(o)
		})
	case out.happens:
		f.buy(o)
	}
	wrote()
	if out.hang {
		<-ctx.Done()
		return execution.Evidence{}, ctx.Err()
	}
	if out.err != nil {
		return execution.Evidence{}, out.err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ledger[o.ID].ev, nil
}

func (f *fakeMarket) buy(o execution.Order) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.count[o.ID]++
	f.balance -= o.Cost
	f.ledger[o.ID] = &purchase{at: f.now(), ev: execution.Evidence{
		ID: o.ID, MarketRef: fmt.Sprint(1000 + len(f.ledger)), Event: execution.OnPlaced, MarketName: o.MarketName, Paid: o.Cost, At: f.now(),
	}}
}

// becomes changes what the market says of a purchase.
func (f *fakeMarket) becomes(id execution.OrderID, change func(*execution.Evidence)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(&f.ledger[id].ev)
}

func (f *fakeMarket) Lookup(_ context.Context, o execution.Order) (execution.Evidence, error) {
	if err := f.called("Lookup"); err != nil {
		return execution.Evidence{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if p, ok := f.ledger[o.ID]; ok {
		return p.ev, nil
	}
	return execution.Evidence{}, execution.ErrNotFound
}

func (f *fakeMarket) Track(_ context.Context, orders []execution.Order) ([]execution.Evidence, error) {
	if err := f.called("Track"); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var evs []execution.Evidence
	for _, o := range orders {
		if p, ok := f.ledger[o.ID]; ok {
			evs = append(evs, p.ev)
		}
	}
	return evs, nil
}

func (f *fakeMarket) History(_ context.Context, since time.Time) ([]execution.Evidence, error) {
	if err := f.called("History"); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	evs := slices.Clone(f.foreign)
	for _, id := range slices.Sorted(maps.Keys(f.ledger)) {
		if p := f.ledger[id]; !p.at.Before(since) {
			evs = append(evs, p.ev)
		}
	}
	return evs, nil
}

func (f *fakeMarket) Balance(context.Context) (pricing.Money, error) {
	if err := f.called("Balance"); err != nil {
		return 0, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.balance, nil
}

// wantOnce fails the test if anything was bought twice.
func (f *fakeMarket) wantOnce(t interface {
	Helper()
	Errorf(string, ...any)
}) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	for id, n := range f.count {
		if n > 1 {
			t.Errorf("%s was bought %d times", id, n)
		}
	}
}

// once plans one outcome for the first Place and buys from then on.
func once(first outcome) func(execution.Order) outcome {
	n := 0
	return func(execution.Order) outcome {
		if n++; n == 1 {
			return first
		}
		return bought
	}
}

// wish gives the nth request: an item of its own that costs cost.
func wish(n int, cost pricing.Money) execution.Request {
	return execution.Request{
		Market: pricing.SkinsBack, Item: pricing.Item{Game: pricing.CS2, Name: fmt.Sprintf("P250 | Sand Dune %d (Field-Tested)", n)},
		MarketName: fmt.Sprintf("P250 | Sand Dune %d (Field-Tested)", n), Ask: cost, Cost: cost, Since: 1,
		SellOn: pricing.SIH, Proceeds: cost + pricing.Dollar, ExpiresAt: time.Now().Add(5 * time.Minute),
	}
}

var roomy = execution.Limits{
	Order: 100 * pricing.Dollar, Day: 1000 * pricing.Dollar, Locked: 1000 * pricing.Dollar, OpenOrders: 100, ItemUnits: 1,
}

// newExecutor builds one and recovers, without Run.
func newExecutor(t testing.TB, cfg execution.Config) *execution.Executor {
	t.Helper()
	if cfg.Limits.OpenOrders == 0 {
		cfg.Limits = roomy
	}
	x, err := execution.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	return x
}

// run starts x, as a trader does, and gives what ends it and waits.
func run(t *testing.T, x *execution.Executor) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { x.Run(ctx) })
	running.Go(func() { x.KeepStop(ctx) })
	return func() { cancel(); running.Wait() }
}

func state(t testing.TB, j execution.Journal, id execution.OrderID) execution.State {
	t.Helper()
	o, err := j.Get(t.Context(), id)
	if errors.Is(err, execution.ErrNoOrder) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	return o.State
}

// events lists what happened to an order.
func events(o execution.Order) []execution.Event {
	var out []execution.Event
	for _, s := range o.History {
		out = append(out, s.Event)
	}
	return out
}
