package execution_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"skinarb/execution"
	"skinarb/internal/sqlitejournal"
	"skinarb/pricing"
)

var errCrash = errors.New("the process died")

// crashing is a journal whose process dies at a write: right before it, right
// after it, or, when that fails with an error, without dying at all.
type crashing struct {
	execution.Journal
	mu    sync.Mutex
	at    int // the write that ends it, from 1; 0 means none
	how   string
	n     int
	ended bool
}

const (
	diesBefore = "dies before"
	diesAfter  = "dies after"
	failsOnce  = "fails once" // a full disk, for a moment
)

// write does one write, or ends the process.
func (c *crashing) write(do func() error) error {
	c.mu.Lock()
	c.n++
	hit, ended := c.n == c.at, c.ended
	if hit && c.how != failsOnce {
		c.ended = true
	}
	c.mu.Unlock()
	switch {
	case ended:
		panic(errCrash) // nothing of a dead process is ever written
	case hit && c.how == failsOnce:
		return errors.New("disk full")
	case hit && c.how == diesBefore:
		panic(errCrash)
	}
	err := do()
	if hit {
		panic(errCrash)
	}
	return err
}

func (c *crashing) Reserve(ctx context.Context, o execution.Order, admit func(execution.Usage) error) (stored execution.Order, created bool, err error) {
	err = c.write(func() error { stored, created, err = c.Journal.Reserve(ctx, o, admit); return err })
	return stored, created, err
}

func (c *crashing) Advance(ctx context.Context, o execution.Order, s execution.Step) (stored execution.Order, err error) {
	err = c.write(func() error { stored, err = c.Journal.Advance(ctx, o, s); return err })
	return stored, err
}

func (c *crashing) Adopt(ctx context.Context, o execution.Order) (stored execution.Order, err error) {
	err = c.write(func() error { stored, err = c.Journal.Adopt(ctx, o); return err })
	return stored, err
}

// life runs f until it returns or its process dies. A real one would take its
// goroutines along; here they only ever panic on their next write.
func life(f func()) (died bool) {
	defer func() { died = recover() != nil }()
	f()
	return false
}

var faults = map[string]outcome{
	"bought": bought, "refused": refused, "busy": busy, "reply lost": lost, "not bought, error": unbought,
	"hangs": hangs, "bought, hangs": hangsBuy, "bought late, error": slow,
}

// TestCrash crosses what the market does with a death at every write, of the
// first life and of the second one's recovery. Whatever happens, nothing is
// bought twice, and at rest the journal says what the market says.
func TestCrash(t *testing.T) {
	for name, fault := range faults {
		for _, how := range []string{diesBefore, diesAfter, failsOnce} {
			for first := range 4 {
				for second := range 4 {
					t.Run(fmt.Sprintf("%s/%s/%d/%d", name, how, first, second), func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) { crashTwice(t, fault, how, first, second) })
					})
				}
			}
		}
	}
}

func crashTwice(t *testing.T, fault outcome, how string, first, second int) {
	j, m, r := newMemJournal(), newFake(pricing.SkinsBack), wish(1, pricing.Dollar)
	m.plan = once(fault)
	for _, at := range []int{first, second} {
		life(func() {
			x, err := execution.New(execution.Config{Markets: []execution.Market{m}, Limits: roomy, Journal: &crashing{Journal: j, at: at, how: how}})
			if err == nil && x.Recover(t.Context()) == nil {
				_, _ = x.Buy(t.Context(), r) // whatever it says, the market and the journal are asked below
			}
		})
		time.Sleep(time.Second)
	}

	x := newExecutor(t, execution.Config{Markets: []execution.Market{m}, Journal: j})
	stop := run(t, x)
	for range 4 { // the strategy goes on finding the opportunity
		if _, err := x.Buy(t.Context(), r); err != nil {
			t.Errorf("buy again: %v", err)
		}
		time.Sleep(time.Minute)
	}
	time.Sleep(10 * time.Minute)
	stop()
	m.late.Wait()

	m.wantOnce(t)
	o, err := j.Get(t.Context(), r.ID())
	if err != nil {
		t.Fatal(err)
	}
	want := execution.Cancelled
	switch {
	case m.count[o.ID] == 1:
		want = execution.Placed
	case o.State == execution.Rejected && fault.err == refused.err:
		want = execution.Rejected
	}
	if o.State != want {
		t.Errorf("bought %d times and the journal says %s, want %s: %v", m.count[o.ID], o.State, want, events(o))
	}
	if want == execution.Placed && (o.Paid != r.Cost || o.MarketRef == "") {
		t.Errorf("paid %s, reference %q, want what the market says", o.Paid, o.MarketRef)
	}
	if fault.err != refused.err && m.count[o.ID] != 1 {
		t.Errorf("bought %d times in the end, want once: %v", m.count[o.ID], events(o))
	}
}

// TestCrashOnDisk is the same death on the journal that live trading uses.
func TestCrashOnDisk(t *testing.T) {
	for _, how := range []string{diesBefore, diesAfter} {
		for at := 1; at <= 3; at++ {
			t.Run(fmt.Sprintf("%s/%d", how, at), func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "journal.db")
				m, r := newFake(pricing.SkinsBack), wish(1, pricing.Dollar)
				j, err := sqlitejournal.Open(path)
				if err != nil {
					t.Fatal(err)
				}
				died := life(func() {
					x := newExecutor(t, execution.Config{Markets: []execution.Market{m}, Journal: &crashing{Journal: j, at: at, how: how}})
					_, _ = x.Buy(t.Context(), r)
				})
				if !died {
					t.Fatal("it was meant to die")
				}
				if err := j.Close(); err != nil {
					t.Fatal(err)
				}

				j, err = sqlitejournal.Open(path)
				if err != nil {
					t.Fatal(err)
				}
				defer j.Close()
				x := newExecutor(t, execution.Config{Markets: []execution.Market{m}, Journal: j})
				sentAndLost := how == diesAfter && at == 2 // before the request
				if _, err := x.Buy(t.Context(), r); err != nil {
					t.Fatal(err)
				}
				m.wantOnce(t)
				want := execution.Placed
				if sentAndLost {
					want = execution.InDoubt // until a grace period has passed
				}
				if got := state(t, j, r.ID()); got != want {
					t.Errorf("got %s, want %s", got, want)
				}
			})
		}
	}
}

// TestLimitsHold interleaves purchases, news, deaths and time at random, with
// every fault of the market. The limits hold by what the journal counts and by
// what the market took, and nothing is bought twice.
func TestLimitsHold(t *testing.T) {
	names := make([]string, 0, len(faults))
	for name, f := range faults {
		if !f.hang && f.late == 0 { // no timers here: the clock is ours
			names = append(names, name)
		}
	}
	slices.Sort(names)
	rapid.Check(t, func(t *rapid.T) {
		limits := execution.Limits{
			Order: 5 * pricing.Dollar, Day: 12 * pricing.Dollar, Locked: 16 * pricing.Dollar, OpenOrders: 4, ItemUnits: 2, MinBalance: 20 * pricing.Dollar,
		}
		clock := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		now := func() time.Time { return clock }
		j, m := newMemJournal(), newFake(pricing.SkinsBack)
		m.now, m.balance = now, 50*pricing.Dollar
		planned := map[execution.OrderID]outcome{}
		m.plan = func(o execution.Order) outcome { return planned[o.ID] }

		var x *execution.Executor
		live := func(do func()) {
			if x == nil || life(do) {
				x = nil
			}
		}
		restart := func() {
			var err error
			c := &crashing{Journal: j, at: rapid.IntRange(0, 30).Draw(t, "dies at"), how: rapid.SampledFrom([]string{diesBefore, diesAfter, failsOnce}).Draw(t, "how")}
			x, err = execution.New(execution.Config{Markets: []execution.Market{m}, Journal: c, Limits: limits, Now: now,
				Protection: map[pricing.Market]time.Duration{pricing.SkinsBack: 48 * time.Hour}})
			if err != nil {
				t.Fatal(err)
			}
			live(func() {
				if err := x.Recover(context.Background()); err != nil {
					x = nil
				}
			})
		}
		restart()

		t.Repeat(map[string]func(*rapid.T){
			"buy": func(t *rapid.T) {
				n := rapid.IntRange(1, 3).Draw(t, "at once")
				var wishes []execution.Request
				for range n {
					cost := pricing.Money(rapid.IntRange(1, 6).Draw(t, "dollars")) * pricing.Dollar
					r := wish(rapid.IntRange(1, 4).Draw(t, "item"), cost)
					r.Since = uint64(rapid.IntRange(1, 3).Draw(t, "since"))
					r.ExpiresAt = clock.Add(time.Hour)
					if _, ok := planned[r.ID()]; !ok {
						planned[r.ID()] = faults[rapid.SampledFrom(names).Draw(t, "fault")]
					}
					wishes = append(wishes, r)
				}
				var wg sync.WaitGroup
				for _, r := range wishes {
					if buyer := x; buyer != nil {
						wg.Go(func() { life(func() { _, _ = buyer.Buy(context.Background(), r) }) })
					}
				}
				wg.Wait()
			},
			"the market recovers": func(t *rapid.T) {
				for _, id := range slices.Sorted(maps.Keys(planned)) {
					if rapid.Bool().Draw(t, "well") {
						planned[id] = bought
					}
				}
			},
			"news": func(t *rapid.T) {
				for _, id := range slices.Sorted(maps.Keys(m.ledger)) {
					to := rapid.SampledFrom([]execution.Event{"", execution.OnPlaced, execution.OnDelivering, execution.OnDelivered, execution.OnFailed}).Draw(t, "news")
					m.becomes(id, func(ev *execution.Evidence) {
						if ev.Event == execution.OnPlaced || ev.Event == execution.OnDelivering {
							ev.Event = to
						}
					})
				}
			},
			"time": func(t *rapid.T) {
				clock = clock.Add(time.Duration(rapid.IntRange(1, 9*3600).Draw(t, "seconds")) * time.Second)
			},
			"round": func(t *rapid.T) {
				live(func() {
					x.Round(context.Background())
					clock = clock.Add(6 * time.Second)
					x.Round(context.Background())
				})
			},
			"down": func(t *rapid.T) {
				m.down = rapid.SampledFrom([]error{nil, nil, errReset}).Draw(t, "down")
			},
			"restart": func(*rapid.T) { restart() },
			"": func(t *rapid.T) {
				m.wantOnce(t)
				u, err := j.Usage(context.Background(), clock)
				if err != nil {
					t.Fatal(err)
				}
				if u.Day > limits.Day || u.Locked > limits.Locked || u.Open > limits.OpenOrders {
					t.Fatalf("over a limit: %+v", u)
				}
				for it, n := range u.Units {
					if n > limits.ItemUnits {
						t.Fatalf("%d units of %s", n, it)
					}
				}
				var day pricing.Money
				for id, p := range m.ledger {
					if clock.Sub(p.at) < execution.Day {
						day += p.ev.Paid
					}
					if o, err := j.Get(context.Background(), id); err != nil || !o.State.Spent() {
						t.Fatalf("the market sold %s and the journal says %q, error %v", id, o.State, err)
					}
				}
				if day > limits.Day {
					t.Fatalf("the market took %s in a day, the limit is %s", day, limits.Day)
				}
				if m.balance < limits.MinBalance {
					t.Fatalf("the balance fell to %s, the floor is %s", m.balance, limits.MinBalance)
				}
			},
		})
	})
}
