package execution_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"skinarb/execution"
	"skinarb/pricing"
)

// TestStopMeansStop: once Stop has returned no request begins, however many
// callers are at it.
func TestStopMeansStop(t *testing.T) {
	for round := range 30 {
		j, m := newMemJournal(), newFake(pricing.SkinsBack)
		limits := roomy
		limits.OpenOrders, limits.Locked, limits.Day = 1<<30, 0, 0
		var stopped atomic.Bool
		m.placed = func() {
			for range 50 {
				runtime.Gosched()
			}
			if stopped.Load() {
				t.Error("a request began after Stop had returned")
			}
		}
		x := newExecutor(t, execution.Config{Markets: []execution.Market{m}, Journal: j, Limits: limits, MaxInFlight: 8})
		var wg sync.WaitGroup
		started := make(chan struct{}, 8)
		for g := range 8 {
			wg.Go(func() {
				for n := 0; ; n++ {
					_, err := x.Buy(t.Context(), wish(g*100_000+n, pricing.Cent))
					if n == 0 {
						started <- struct{}{}
					}
					if err != nil {
						if !errors.Is(err, execution.ErrStopped) {
							t.Errorf("buy: got error %v, want ErrStopped", err)
						}
						return
					}
				}
			})
		}
		<-started
		if err := x.Stop(t.Context(), "test", "operator"); err != nil {
			t.Fatal(err)
		}
		stopped.Store(true)
		wg.Wait()
		if tr, err := x.Trading(t.Context()); err != nil || !tr.Stopped || tr.By != "operator" || tr.Reason != "test" {
			t.Fatalf("round %d: %+v, error %v, want it stopped", round, tr, err)
		}
		planned, err := j.List(t.Context(), execution.Query{States: []execution.State{execution.Planned, execution.Sent}})
		if err != nil || len(planned) != 0 {
			t.Fatalf("%d orders are left planned or sent, error %v", len(planned), err)
		}
		stopped.Store(false)
		if err := x.Start(t.Context(), "operator"); err != nil {
			t.Fatal(err)
		}
		if _, err := x.Buy(t.Context(), wish(9_999_999, pricing.Cent)); err != nil {
			t.Errorf("after start: %v", err)
		}
	}
}

// TestStopIsKept: another executor on the same journal is stopped, too, and one
// after a restart.
func TestStopIsKept(t *testing.T) {
	j, m := newMemJournal(), newFake(pricing.SkinsBack)
	cfg := execution.Config{Markets: []execution.Market{m}, Journal: j}
	first, second := newExecutor(t, cfg), newExecutor(t, cfg)
	if err := first.Stop(t.Context(), "", "operator"); err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]*execution.Executor{"the same": first, "another": second, "after a restart": newExecutor(t, cfg)} {
		if _, err := x.Buy(t.Context(), wish(1, pricing.Dollar)); !errors.Is(err, execution.ErrStopped) {
			t.Errorf("%s: got error %v, want ErrStopped", name, err)
		}
	}
	if err := second.Start(t.Context(), "operator"); err != nil {
		t.Fatal(err)
	}
	if _, err := first.Buy(t.Context(), wish(1, pricing.Dollar)); err != nil {
		t.Errorf("started by another: %v", err)
	}
}

// stuckMarket has not written its request until it may.
type stuckMarket struct {
	*fakeMarket
	began, may chan struct{}
}

func (m *stuckMarket) Place(ctx context.Context, o execution.Order, offer execution.Offer, wrote func()) (execution.Evidence, error) {
	close(m.began)
	<-m.may
	return m.fakeMarket.Place(ctx, o, offer, wrote)
}

func TestStopWaitsForTheWire(t *testing.T) {
	m := &stuckMarket{newFake(pricing.SkinsBack), make(chan struct{}), make(chan struct{})}
	x := newExecutor(t, execution.Config{Markets: []execution.Market{m}, Journal: newMemJournal()})
	bought := make(chan execution.Order)
	go func() {
		o, _ := x.Buy(context.Background(), wish(1, pricing.Dollar))
		bought <- o
	}()
	<-m.began
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := x.Stop(over, "", ""); !errors.Is(err, context.Canceled) {
		t.Errorf("while a request is being written: got error %v, want the caller's patience to end", err)
	}
	close(m.may)
	if err := x.Stop(t.Context(), "", ""); err != nil {
		t.Errorf("once it is written: %v", err)
	}
	if o := <-bought; o.State != execution.Placed {
		t.Errorf("what was on the wire: got %s, want its answer written", o.State)
	}
}

// TestStopWaitsForOthers: a request of another process that has just been
// journaled as sent may still be leaving.
func TestStopWaitsForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newMemJournal()
		cfg := execution.Config{Journal: j, PlaceTimeout: 20 * time.Second}
		slow := &slowMarket{newFake(pricing.SkinsBack), 5 * time.Second}
		cfg.Markets = []execution.Market{slow}
		mine, other := newExecutor(t, cfg), newExecutor(t, cfg)
		go func() { _, _ = other.Buy(t.Context(), wish(1, pricing.Dollar)) }()
		synctest.Wait()
		began := time.Now()
		if err := mine.Stop(t.Context(), "", ""); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < 5*time.Second || took > 6*time.Second {
			t.Errorf("took %s, want until the other's answer after 5 s", took)
		}
	})
}

// brokenSwitch is a journal whose kill switch cannot be written for a while.
type brokenSwitch struct {
	*memJournal
	broken atomic.Bool
}

func (b *brokenSwitch) SetTrading(ctx context.Context, t execution.Trading) error {
	if b.broken.Load() {
		return errors.New("disk full")
	}
	return b.memJournal.SetTrading(ctx, t)
}

func TestStopThatCannotBeWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, m := &brokenSwitch{memJournal: newMemJournal()}, newFake(pricing.SkinsBack)
		x := newExecutor(t, execution.Config{Markets: []execution.Market{m}, Journal: j})
		stop := run(t, x)
		defer stop()
		j.broken.Store(true)
		if held, ok := errors.AsType[*execution.HeldError](x.Stop(t.Context(), "", "")); !ok || !strings.Contains(held.What, "written") {
			t.Errorf("got %v, want that it holds and could not be written", held)
		}
		if _, err := x.Buy(t.Context(), wish(1, pricing.Dollar)); !errors.Is(err, execution.ErrStopped) || m.times("Place") != 0 {
			t.Errorf("buy: got error %v and %d requests, want ErrStopped", err, m.times("Place"))
		}
		if err := x.Start(t.Context(), ""); err == nil {
			t.Error("start could not be written and nobody says so")
		}
		if tr, err := x.Trading(t.Context()); err != nil || !tr.Stopped {
			t.Errorf("a start that failed: %+v, error %v, want it still stopped", tr, err)
		}
		j.broken.Store(false)
		time.Sleep(2 * time.Second)
		if tr, err := j.Trading(t.Context()); err != nil || !tr.Stopped {
			t.Errorf("the journal says %+v, error %v, want the stop written in the end", tr, err)
		}
	})
}

// TestStopIsInherited: a stop that could not be written holds in the executors that
// follow, and is written though none of them runs. A start ends it for all.
func TestStopIsInherited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, m := &brokenSwitch{memJournal: newMemJournal()}, newFake(pricing.SkinsBack)
		cfg := execution.Config{Markets: []execution.Market{m}, Journal: j}
		first, second := newExecutor(t, cfg), newExecutor(t, cfg)
		second.Inherit(first)
		ctx, cancel := context.WithCancel(t.Context())
		defer synctest.Wait()
		defer cancel()
		go first.KeepStop(ctx)
		buys := func(want error) {
			t.Helper()
			for _, x := range []*execution.Executor{first, second} {
				if _, err := x.Buy(t.Context(), wish(1, pricing.Dollar)); !errors.Is(err, want) {
					t.Errorf("buy: got error %v, want %v", err, want)
				}
			}
		}

		j.broken.Store(true)
		if err := first.Stop(t.Context(), "a drill", ""); err == nil {
			t.Error("it could not be written and nobody says so")
		}
		buys(execution.ErrStopped)
		time.Sleep(time.Minute)
		buys(execution.ErrStopped)
		j.broken.Store(false)
		time.Sleep(2 * time.Second)
		if tr, err := j.Trading(t.Context()); err != nil || !tr.Stopped || tr.Reason != "a drill" {
			t.Errorf("the journal says %+v, error %v, want the stop written in the end", tr, err)
		}

		j.broken.Store(true)
		if err := second.Stop(t.Context(), "", ""); err == nil {
			t.Error("it could not be written and nobody says so")
		}
		j.broken.Store(false)
		if err := second.Start(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		if tr, err := j.Trading(t.Context()); err != nil || tr.Stopped {
			t.Errorf("the journal says %+v, error %v, want it started", tr, err)
		}
		buys(nil)
	})
}

// TestStopReachesTheQueue: a purchase that waits for its permit when a stop comes
// that cannot be written is not sent either.
func TestStopReachesTheQueue(t *testing.T) {
	j, m := &brokenSwitch{memJournal: newMemJournal()}, newFake(pricing.SkinsBack)
	j.broken.Store(true)
	var x *execution.Executor
	x = newExecutor(t, execution.Config{Markets: []execution.Market{m}, Journal: j,
		Budgets: map[pricing.Market]execution.Budget{pricing.SkinsBack: budget(func(ctx context.Context) error {
			if err := x.Stop(ctx, "", ""); err == nil {
				t.Error("it could not be written and nobody says so")
			}
			return nil
		})}})
	o, err := x.Buy(t.Context(), wish(1, pricing.Dollar))
	if !errors.Is(err, execution.ErrStopped) || o.State != execution.Cancelled || m.times("Place") != 0 {
		t.Errorf("got %s, error %v, %d requests, want it cancelled and unsent", o.State, err, m.times("Place"))
	}
}

// TestStopWithdrawsPlans: what waits for its next attempt is cancelled.
func TestStopWithdrawsPlans(t *testing.T) {
	bubble(t, execution.Config{}, func(t *testing.T, x *execution.Executor, j *memJournal, m *fakeMarket) {
		m.plan = func(execution.Order) outcome { return busy }
		o := buy(t, x, wish(1, pricing.Dollar), execution.Planned)
		if err := x.Stop(t.Context(), "", ""); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		if got := state(t, j, o.ID); got != execution.Cancelled || m.times("Place") != 1 {
			t.Errorf("got %s after %d requests, want it cancelled after 1", got, m.times("Place"))
		}
	})
}

// TestStopWaitsForWhoLedBefore: a trader that took over from one that hangs makes
// its orders in doubt, and its Stop must still wait until that one has given up.
func TestStopWaitsForWhoLedBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newMemJournal()
		m := &stuckMarket{newFake(pricing.SkinsBack), make(chan struct{}), make(chan struct{})}
		fence := func() error { return nil }
		cfg := execution.Config{Markets: []execution.Market{m}, Journal: j, PlaceTimeout: 20 * time.Second, Fence: fence}
		first := newExecutor(t, cfg)
		bought := make(chan struct{})
		go func() {
			defer close(bought)
			_, _ = first.Buy(context.Background(), wish(1, pricing.Dollar))
		}()
		<-m.began
		second := newExecutor(t, cfg) // which recovers
		if got := state(t, j, wish(1, pricing.Dollar).ID()); got != execution.InDoubt {
			t.Fatalf("after the take-over: got %s, want in doubt", got)
		}
		began := time.Now()
		soon, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := second.Stop(soon, "", ""); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("within the time that a purchase may take: got error %v, want that it may still be leaving", err)
		}
		if err := second.Stop(t.Context(), "", ""); err != nil || time.Since(began) < 20*time.Second {
			t.Errorf("got error %v after %s, want none and 20 s at least", err, time.Since(began))
		}
		close(m.may)
		<-bought
	})
}

// slowGet is a journal that is slow to read single orders.
type slowGet struct {
	*memJournal
	may chan struct{}
}

func (s slowGet) Get(ctx context.Context, id execution.OrderID) (execution.Order, error) {
	<-s.may
	return s.memJournal.Get(ctx, id)
}

// TestStopWaitsForOthersOnTheSameOrder: that we are looking at an order, too, says
// nothing about the request of another process for it.
func TestStopWaitsForOthersOnTheSameOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, r := newMemJournal(), wish(1, pricing.Dollar)
		cfg := execution.Config{Journal: j, PlaceTimeout: 20 * time.Second, Markets: []execution.Market{&slowMarket{newFake(pricing.SkinsBack), 5 * time.Second}}}
		other := newExecutor(t, cfg)
		slow := slowGet{j, make(chan struct{})}
		cfg.Journal = slow
		mine := newExecutor(t, cfg)
		var buying sync.WaitGroup
		buying.Go(func() { _, _ = mine.Buy(t.Context(), r) })
		synctest.Wait()
		buying.Go(func() { _, _ = other.Buy(t.Context(), r) })
		synctest.Wait()
		began := time.Now()
		if err := mine.Stop(t.Context(), "", ""); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < 5*time.Second {
			t.Errorf("took %s, want until the other's answer after 5 s", took)
		}
		close(slow.may)
		buying.Wait()
	})
}
