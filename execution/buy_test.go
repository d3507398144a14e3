package execution_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"skinarb/execution"
	"skinarb/pricing"
)

func TestBuy(t *testing.T) {
	for name, tc := range map[string]struct {
		fault outcome
		want  execution.State
		steps []execution.Event
	}{
		"bought":   {bought, execution.Placed, []execution.Event{"", execution.OnSend, execution.OnPlaced}},
		"refused":  {refused, execution.Rejected, []execution.Event{"", execution.OnSend, execution.OnReject}},
		"busy":     {busy, execution.Planned, []execution.Event{"", execution.OnSend, execution.OnUnsent}},
		"lost":     {lost, execution.InDoubt, []execution.Event{"", execution.OnSend, execution.OnSilence}},
		"unbought": {unbought, execution.InDoubt, []execution.Event{"", execution.OnSend, execution.OnSilence}},
		"hangs":    {hangs, execution.InDoubt, []execution.Event{"", execution.OnSend, execution.OnSilence}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j, m, r := newMemJournal(), newFake(pricing.SkinsBack), wish(1, pricing.Dollar)
				m.plan = func(execution.Order) outcome { return tc.fault }
				var told []execution.State
				x := newExecutor(t, execution.Config{Markets: []execution.Market{m}, Journal: j,
					OnStep: func(_ execution.Order, s execution.Step) { told = append(told, s.State) }})
				o, err := x.Buy(t.Context(), r)
				if err != nil || o.State != tc.want || !slices.Equal(events(o), tc.steps) {
					t.Errorf("got %s after %q, error %v, want %s after %q", o.State, events(o), err, tc.want, tc.steps)
				}
				if len(told) != len(o.History) {
					t.Errorf("the observer was told of %v, the history has %d steps", told, len(o.History))
				}
				sent := m.times("Place")
				again, err := x.Buy(t.Context(), r)
				if err != nil || again.State != tc.want || m.times("Place") != sent {
					t.Errorf("again: got %s, error %v, %d requests, want %s and no further one than %d", again.State, err, m.times("Place"), tc.want, sent)
				}
			})
		})
	}
}

func TestBuyRefuses(t *testing.T) {
	dear := errors.New("the other leg fell")
	type world struct {
		m   *fakeMarket
		cfg *execution.Config
		r   *execution.Request
	}
	limit := func(rule string) func(error) bool {
		return func(err error) bool {
			var over *execution.LimitError
			return errors.As(err, &over) && over.Rule == rule
		}
	}
	is := func(want error) func(error) bool { return func(err error) bool { return errors.Is(err, want) } }
	for name, tc := range map[string]struct {
		make func(world)
		want func(error) bool
	}{
		"stopped":      {func(w world) { w.cfg.Journal.SetTrading(context.Background(), execution.Trading{Stopped: true}) }, is(execution.ErrStopped)},
		"over a limit": {func(w world) { w.cfg.Limits.Order = pricing.Cent }, limit("max_order")},
		"never compared": {func(w world) { w.m.down = errReset }, func(err error) bool {
			var broken *execution.BreakerError
			return errors.As(err, &broken) && broken.Break.Rule == execution.BreakUnreconciled
		}},
		"low balance": {func(w world) { w.m.balance = pricing.Cent }, limit("min_balance")},
		"gone":        {func(w world) { w.m.asks[w.r.Item] = 0 }, is(execution.ErrNotOffered)},
		"dearer":      {func(w world) { w.m.asks[w.r.Item] = w.r.Ask + 1 }, is(execution.ErrMoved)},
		"expired":     {func(w world) { w.r.ExpiresAt = time.Now().Add(-time.Second) }, is(execution.ErrExpired)},
		"recheck": {func(w world) {
			w.cfg.Recheck = func(context.Context, execution.Request, execution.Offer) error { return dear }
		}, is(dear)},
		"no such market":   {func(w world) { w.r.Market = pricing.SIH }, func(err error) bool { return err != nil }},
		"no ask":           {func(w world) { w.r.Ask = 0 }, func(err error) bool { return err != nil }},
		"cost below ask":   {func(w world) { w.r.Cost = w.r.Ask - 1 }, func(err error) bool { return err != nil }},
		"cost beyond all":  {func(w world) { w.r.Cost = pricing.MaxMoney + 1 }, func(err error) bool { return err != nil }},
		"journal is wrong": {func(w world) { w.cfg.Journal = &crashing{Journal: w.cfg.Journal, at: 1, how: failsOnce} }, func(err error) bool { return err != nil }},
	} {
		t.Run(name, func(t *testing.T) {
			j, m, r := newMemJournal(), newFake(pricing.SkinsBack), wish(1, pricing.Dollar)
			cfg := execution.Config{Markets: []execution.Market{m}, Journal: j, Limits: roomy}
			tc.make(world{m, &cfg, &r})
			x := newExecutor(t, cfg)
			if _, err := x.Buy(t.Context(), r); !tc.want(err) {
				t.Errorf("got error %v", err)
			}
			if got := state(t, j, r.ID()); got != "" || m.times("Place") != 0 {
				t.Errorf("the journal has it %q, %d requests, want neither", got, m.times("Place"))
			}
		})
	}
}

func TestBuyNeedsRecover(t *testing.T) {
	x, err := execution.New(execution.Config{Markets: []execution.Market{newFake(pricing.SkinsBack)}, Journal: newMemJournal()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.Buy(t.Context(), wish(1, pricing.Dollar)); !errors.Is(err, execution.ErrNotRecovered) {
		t.Errorf("got error %v, want ErrNotRecovered", err)
	}
}

func TestNewRefuses(t *testing.T) {
	m := newFake(pricing.SIH)
	for name, cfg := range map[string]execution.Config{
		"no journal":       {},
		"one market twice": {Journal: newMemJournal(), Markets: []execution.Market{m, m}},
	} {
		if _, err := execution.New(cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestRecheckThatCannotTellYet keeps a planned order until it can, or until the order
// expires; it is asked before and after the wait for a permit.
func TestRecheckThatCannotTellYet(t *testing.T) {
	for name, tc := range map[string]struct {
		tells  func(asked int, waited time.Duration) bool
		want   execution.State
		placed int
	}{
		"it can after a while": {func(_ int, waited time.Duration) bool { return waited > 20*time.Second }, execution.Placed, 1},
		"not after the permit": {func(asked int, _ time.Duration) bool { return asked == 1 || asked > 2 }, execution.Placed, 1},
		"it never can":         {func(int, time.Duration) bool { return false }, execution.Cancelled, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j, m, r := newMemJournal(), newFake(pricing.SkinsBack), wish(1, pricing.Dollar)
				start := time.Now()
				r.ExpiresAt = start.Add(2 * time.Minute)
				asked := 0
				planned := execution.Order{ID: r.ID(), Request: r, State: execution.Planned, CreatedAt: start, UpdatedAt: start}
				if _, _, err := j.Reserve(t.Context(), planned, func(execution.Usage) error { return nil }); err != nil {
					t.Fatal(err)
				}
				x := newExecutor(t, execution.Config{
					Markets: []execution.Market{m}, Journal: j,
					Recheck: func(context.Context, execution.Request, execution.Offer) error {
						if asked++; tc.tells(asked, time.Since(start)) {
							return nil
						}
						return &execution.RetryLaterError{Reason: "not asked yet"}
					},
				})
				stop := run(t, x)
				time.Sleep(15 * time.Second)
				if got := state(t, j, r.ID()); got == execution.Cancelled {
					t.Error("it was withdrawn at once")
				}
				time.Sleep(4 * time.Minute)
				stop()
				if got := state(t, j, r.ID()); got != tc.want || m.times("Place") != tc.placed {
					t.Errorf("it is %s after %d requests, want %s after %d", got, m.times("Place"), tc.want, tc.placed)
				}
			})
		})
	}
}

// TestRecheckRightBeforeSending: the strategy changes its mind while we wait for
// a permit.
func TestRecheckRightBeforeSending(t *testing.T) {
	j, m, r := newMemJournal(), newFake(pricing.SkinsBack), wish(1, pricing.Dollar)
	gone := errors.New("the other leg fell")
	var mind error
	x := newExecutor(t, execution.Config{
		Markets: []execution.Market{m}, Journal: j,
		Budgets: map[pricing.Market]execution.Budget{pricing.SkinsBack: budget(func(context.Context) error { mind = gone; return nil })},
		Recheck: func(context.Context, execution.Request, execution.Offer) error { return mind },
	})
	o, err := x.Buy(t.Context(), r)
	if !errors.Is(err, gone) || o.State != execution.Cancelled || !strings.Contains(o.Error, gone.Error()) || m.times("Place") != 0 {
		t.Errorf("got %s (%s), error %v, %d requests, want it cancelled with the reason", o.State, o.Error, err, m.times("Place"))
	}
	mind = nil
	// The same opportunity is there again: nothing was ever bought.
	x = newExecutor(t, execution.Config{Markets: []execution.Market{m}, Journal: j})
	if o, err = x.Buy(t.Context(), r); err != nil || o.State != execution.Placed {
		t.Errorf("again: got %s, error %v, want it placed", o.State, err)
	}
}

type budget func(context.Context) error

func (b budget) Take(ctx context.Context) error { return b(ctx) }

// TestBudgetDenied: without a permit nothing is sent; the order stays planned,
// and Run goes on.
func TestBudgetDenied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, m, r := newMemJournal(), newFake(pricing.SkinsBack), wish(1, pricing.Dollar)
		denied := errors.New("no permit")
		answer := denied
		x := newExecutor(t, execution.Config{Markets: []execution.Market{m}, Journal: j,
			Budgets: map[pricing.Market]execution.Budget{pricing.SkinsBack: budget(func(context.Context) error { return answer })}})
		o, err := x.Buy(t.Context(), r)
		if !errors.Is(err, denied) || o.State != execution.Planned || m.times("Place") != 0 {
			t.Fatalf("got %s, error %v, %d requests, want it planned and unsent", o.State, err, m.times("Place"))
		}
		answer = nil
		stop := run(t, x)
		time.Sleep(3 * time.Second)
		stop()
		if got := state(t, j, r.ID()); got != execution.Placed {
			t.Errorf("got %s, want it placed with the permit", got)
		}
	})
}

// TestExpiresWhileWaiting: an offer that grew old in the queue for a permit is
// not taken.
func TestExpiresWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newFake(pricing.SkinsBack)
		x := newExecutor(t, execution.Config{Markets: []execution.Market{m}, Journal: newMemJournal(),
			Budgets: map[pricing.Market]execution.Budget{pricing.SkinsBack: budget(func(context.Context) error { time.Sleep(time.Hour); return nil })}})
		o, err := x.Buy(t.Context(), wish(1, pricing.Dollar))
		if !errors.Is(err, execution.ErrExpired) || o.State != execution.Cancelled || m.times("Place") != 0 {
			t.Errorf("got %s, error %v, %d requests, want it cancelled as expired", o.State, err, m.times("Place"))
		}
	})
}

// TestPausedMarketKeepsItsOwnSlots: a market that asks for an hour's pause keeps the
// purchases there until they expire, and none on another market.
func TestPausedMarketKeepsItsOwnSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, paused, other := newMemJournal(), newFake(pricing.SkinsBack), newFake(pricing.SIH)
		x := newExecutor(t, execution.Config{Markets: []execution.Market{paused, other}, Journal: j, MaxInFlight: 2,
			Budgets: map[pricing.Market]execution.Budget{pricing.SkinsBack: hatch(nil)}})
		var waiting sync.WaitGroup
		for n := range 2 {
			waiting.Go(func() {
				r := wish(n, pricing.Dollar)
				o, err := x.Buy(t.Context(), r)
				if !errors.Is(err, execution.ErrExpired) || o.State != execution.Cancelled || !time.Now().Equal(r.ExpiresAt) {
					t.Errorf("got %s, error %v at %s, want it cancelled when it expires at %s", o.State, err, time.Now(), r.ExpiresAt)
				}
			})
		}
		synctest.Wait()
		began, r := time.Now(), wish(9, pricing.Dollar)
		r.Market, r.SellOn = pricing.SIH, pricing.SkinsBack
		if o, err := x.Buy(t.Context(), r); err != nil || o.State != execution.Placed || time.Since(began) > 0 {
			t.Errorf("on the other market: got %s, error %v after %s, want it placed at once", o.State, err, time.Since(began))
		}
		waiting.Wait()
		if u, err := j.Usage(t.Context(), time.Now()); err != nil || u.Open != 1 || paused.times("Place") != 0 {
			t.Errorf("%d orders are open, error %v, want the other market's alone", u.Open, err)
		}
	})
}

// TestSameIntentAtOnce: of many callers with one intent one sends, and all get
// its order.
func TestSameIntentAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, m, r := newMemJournal(), newFake(pricing.SkinsBack), wish(1, pricing.Dollar)
		x := newExecutor(t, execution.Config{Markets: []execution.Market{m}, Journal: j,
			Recheck: func(context.Context, execution.Request, execution.Offer) error { time.Sleep(time.Second); return nil }})
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if o, err := x.Buy(t.Context(), r); err != nil || o.ID != r.ID() {
					t.Errorf("got order %q, error %v", o.ID, err)
				}
			})
		}
		wg.Wait()
		if n := m.times("Place"); n != 1 {
			t.Errorf("%d requests, want 1", n)
		}
		m.wantOnce(t)
	})
}

func TestMaxInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newFake(pricing.SkinsBack)
		m.plan = func(execution.Order) outcome { return hangsBuy }
		x := newExecutor(t, execution.Config{Markets: []execution.Market{m}, Journal: newMemJournal(), MaxInFlight: 2})
		var wg sync.WaitGroup
		for n := range 5 { // one more, and the market counts as silent
			wg.Go(func() { _, _ = x.Buy(t.Context(), wish(n, pricing.Dollar)) })
		}
		synctest.Wait()
		if n := m.times("Place"); n != 2 {
			t.Errorf("%d requests at once, want 2", n)
		}
		wg.Wait()
		if n := m.times("Place"); n != 5 {
			t.Errorf("%d requests in all, want 5", n)
		}
	})
}

// TestBalanceFalls: what was bought is missing in the balance before the market
// is asked again.
func TestBalanceFalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newFake(pricing.SkinsBack)
		m.balance = 10 * pricing.Dollar
		x := newExecutor(t, execution.Config{Markets: []execution.Market{m}, Journal: newMemJournal()})
		if b := x.Balances()[pricing.SkinsBack]; b.Known {
			t.Errorf("before anybody asked: %+v, want it unknown", b)
		}
		for n := range 2 {
			if _, err := x.Buy(t.Context(), wish(n, 4*pricing.Dollar)); err != nil {
				t.Fatal(err)
			}
		}
		if n := m.times("Balance"); n != 1 {
			t.Errorf("asked %d times, want once", n)
		}
		b := x.Balances()[pricing.SkinsBack]
		if !b.Known || b.Amount != 2*pricing.Dollar {
			t.Errorf("got %+v, want 2.00", b)
		}
		var over *execution.LimitError
		if _, err := x.Buy(t.Context(), wish(3, 4*pricing.Dollar)); !errors.As(err, &over) || over.Rule != "min_balance" {
			t.Errorf("third purchase: got error %v, want min_balance", err)
		}
		time.Sleep(31 * time.Second)
		if b := x.Balances()[pricing.SkinsBack]; b.Known {
			t.Errorf("half a minute later: %+v, want it unknown", b)
		}
		for _, c := range x.Judge(t.Context(), wish(3, pricing.Dollar)) {
			if !c.Pass {
				t.Errorf("a small purchase: %s does not pass: %s", c.Rule, c.Detail)
			}
		}
		m.down = errReset
		time.Sleep(31 * time.Second)
		checks := x.Judge(t.Context(), wish(3, pricing.Dollar))
		i := slices.IndexFunc(checks, func(c execution.Check) bool { return c.Rule == "min_balance" })
		if i < 0 || checks[i].Pass {
			t.Errorf("with an unknown balance: %+v, want min_balance to fail", checks)
		}
	})
}
