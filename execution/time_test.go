package execution_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"skinarb/execution"
	"skinarb/pricing"
)

const window = 12 * time.Hour // of trade protection

// bubble runs a test with faked time, one market and a running executor.
func bubble(t *testing.T, cfg execution.Config, test func(t *testing.T, x *execution.Executor, j *memJournal, m *fakeMarket)) {
	t.Helper()
	bubbleOver(t, func() *fakeMarket { return newFake(pricing.SkinsBack) }, cfg,
		func(t *testing.T, x *execution.Executor, j *memJournal, m *fakeMarket) {
			defer m.late.Wait()
			test(t, x, j, m)
		})
}

// bubbleOver is bubble over another market, which is made within it.
func bubbleOver[M execution.Market](t *testing.T, open func() M, cfg execution.Config, test func(t *testing.T, x *execution.Executor, j *memJournal, m M)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		j, m := newMemJournal(), open()
		cfg.Journal, cfg.Markets = j, []execution.Market{m}
		x := newExecutor(t, cfg)
		stop := run(t, x)
		defer stop()
		synctest.Wait() // for the first round of every loop
		test(t, x, j, m)
	})
}

func buy(t *testing.T, x *execution.Executor, r execution.Request, want execution.State) execution.Order {
	t.Helper()
	o, err := x.Buy(t.Context(), r)
	if err != nil || o.State != want {
		t.Fatalf("buy: got %s, error %v, want %s", o.State, err, want)
	}
	return o
}

// TestNotFoundWaitsForGrace: a market's "not found" counts only when it can no
// longer be at work on the request, and only when said twice.
func TestNotFoundWaitsForGrace(t *testing.T) {
	bubble(t, execution.Config{PlaceTimeout: time.Minute, Grace: 30 * time.Second}, func(t *testing.T, x *execution.Executor, j *memJournal, m *fakeMarket) {
		m.plan = once(unbought) // and says so at once
		o := buy(t, x, wish(1, pricing.Dollar), execution.InDoubt)
		time.Sleep(90 * time.Second)
		if got := state(t, j, o.ID); got != execution.InDoubt {
			t.Fatalf("within the grace period: got %s, want in doubt", got)
		}
		time.Sleep(10 * time.Second)
		got, err := j.Get(t.Context(), o.ID)
		if err != nil || got.State != execution.Placed {
			t.Fatalf("afterwards: got %s, error %v, want it sent again and placed: %v", got.State, err, events(got))
		}
		i := slices.IndexFunc(got.History, func(s execution.Step) bool { return s.Event == execution.OnNotFound })
		if i < 0 || got.History[i].At.Sub(o.SentAt) < 95*time.Second {
			t.Errorf("not found was believed %+v after sending, want 95 s at least", got.History)
		}
		m.wantOnce(t)
	})
}

// TestNotFoundWaitsForTheOneBefore: a process that led before us may still have been
// sending for as long as a purchase may take, and the market be at work on it after
// that.
func TestNotFoundWaitsForTheOneBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, m := newMemJournal(), newFake(pricing.SIH)
		r := wish(1, pricing.Dollar)
		r.Market = pricing.SIH
		o := execution.Order{ID: r.ID(), Request: r, State: execution.Planned, CreatedAt: time.Now(), UpdatedAt: time.Now()}
		o, _, err := j.Reserve(t.Context(), o, func(execution.Usage) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		o.State, o.SentAt = execution.Sent, time.Now()
		if o, err = j.Advance(t.Context(), o, execution.Step{At: o.SentAt, State: execution.Sent, Event: execution.OnSend}); err != nil {
			t.Fatal(err)
		}
		x := newExecutor(t, execution.Config{
			Markets: []execution.Market{m}, Journal: j, PlaceTimeout: 20 * time.Second, Grace: 30 * time.Second, Fence: func() error { return nil },
		})
		defer run(t, x)()
		time.Sleep(48 * time.Second) // it left after 19 s, and the market took 29
		m.buy(o)
		time.Sleep(2 * time.Minute)
		if got := state(t, j, o.ID); got != execution.Placed || m.times("Place") != 0 {
			t.Errorf("got %s after %d requests of ours, want placed after none", got, m.times("Place"))
		}
		m.wantOnce(t)
	})
}

// TestNotFoundWaitsForABrokenConnection: that we heard early that there will be no
// answer does not make the market any faster.
func TestNotFoundWaitsForABrokenConnection(t *testing.T) {
	for name, restarts := range map[string]bool{"running": false, "over a restart": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j, m := newMemJournal(), newFake(pricing.SkinsBack)
				cfg := execution.Config{Markets: []execution.Market{m}, Journal: j, PlaceTimeout: time.Minute, Grace: 30 * time.Second}
				x := newExecutor(t, cfg)
				stop := run(t, x)
				m.plan = once(outcome{happens: true, late: 88 * time.Second, err: errReset})
				o := buy(t, x, wish(1, pricing.Dollar), execution.InDoubt)
				if restarts {
					stop()
					stop = run(t, newExecutor(t, cfg))
				}
				time.Sleep(5 * time.Minute)
				if got := state(t, j, o.ID); got != execution.Placed || m.times("Place") != 1 {
					t.Errorf("got %s after %d requests, want placed after 1", got, m.times("Place"))
				}
				stop()
				m.late.Wait()
				m.wantOnce(t)
			})
		})
	}
}

func TestNotFoundOnceIsNoWord(t *testing.T) {
	bubble(t, execution.Config{}, func(t *testing.T, x *execution.Executor, j *memJournal, m *fakeMarket) {
		m.plan = func(execution.Order) outcome { return unbought }
		o := buy(t, x, wish(1, pricing.Dollar), execution.InDoubt)
		time.Sleep(91 * time.Second) // the first not-found after the grace period has been heard
		m.mu.Lock()
		m.down = errReset
		m.mu.Unlock()
		time.Sleep(time.Minute)
		if got := state(t, j, o.ID); got != execution.InDoubt {
			t.Errorf("found once and then no answer: got %s, want in doubt", got)
		}
	})
}

// TestNotFoundExpired: what expired meanwhile is not sent again.
func TestNotFoundExpired(t *testing.T) {
	bubble(t, execution.Config{}, func(t *testing.T, x *execution.Executor, j *memJournal, m *fakeMarket) {
		m.plan = once(unbought)
		r := wish(1, pricing.Dollar)
		r.ExpiresAt = time.Now().Add(10 * time.Second)
		o := buy(t, x, r, execution.InDoubt)
		time.Sleep(2 * time.Minute)
		if got := state(t, j, o.ID); got != execution.Cancelled || m.times("Place") != 1 {
			t.Errorf("got %s and %d requests, want it cancelled after 1", got, m.times("Place"))
		}
	})
}

func TestDoubtPausesGrow(t *testing.T) {
	bubble(t, execution.Config{}, func(t *testing.T, x *execution.Executor, j *memJournal, m *fakeMarket) {
		m.plan = func(execution.Order) outcome { return lost }
		o := buy(t, x, wish(1, pricing.Dollar), execution.InDoubt)
		m.mu.Lock()
		m.down = errReset
		m.mu.Unlock()
		time.Sleep(time.Hour)
		if n := m.times("Lookup"); n < 28 || n > 40 {
			t.Errorf("%d look-ups in an hour without an answer, want one every two minutes in the end", n)
		}
		m.mu.Lock()
		m.down = nil
		m.mu.Unlock()
		time.Sleep(2*time.Minute + time.Second)
		if got := state(t, j, o.ID); got != execution.Placed {
			t.Errorf("once the market answers: got %s, want placed", got)
		}
	})
}

func TestRetryLater(t *testing.T) {
	bubble(t, execution.Config{}, func(t *testing.T, x *execution.Executor, j *memJournal, m *fakeMarket) {
		m.plan = once(busy) // 7 s
		o := buy(t, x, wish(1, pricing.Dollar), execution.Planned)
		time.Sleep(6 * time.Second)
		if n := m.times("Place"); n != 1 {
			t.Errorf("%d requests before the market wanted another, want 1", n)
		}
		time.Sleep(3 * time.Second)
		if got := state(t, j, o.ID); got != execution.Placed {
			t.Errorf("afterwards: got %s, want placed", got)
		}
	})
}

func TestRetryLaterUntilExpiry(t *testing.T) {
	bubble(t, execution.Config{}, func(t *testing.T, x *execution.Executor, j *memJournal, m *fakeMarket) {
		m.plan = func(execution.Order) outcome { return busy }
		o := buy(t, x, wish(1, pricing.Dollar), execution.Planned)
		time.Sleep(6 * time.Minute)
		if got := state(t, j, o.ID); got != execution.Cancelled {
			t.Errorf("after it expired: got %s, want cancelled", got)
		}
		if n := m.times("Place"); n < 30 || n > 44 {
			t.Errorf("%d requests in 5 min at 7 s, want about 40", n)
		}
	})
}

// TestPauseKeepsNoPlan: a plan that expired, or that a stop ends, does not hold its
// money for as long as the market asked us to wait.
func TestPauseKeepsNoPlan(t *testing.T) {
	for name, end := range map[string]func(context.Context, *execution.Executor) error{
		"expired": func(context.Context, *execution.Executor) error { time.Sleep(5 * time.Minute); return nil },
		"stopped": func(ctx context.Context, x *execution.Executor) error { return x.Stop(ctx, "a drill", "") },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, execution.Config{}, func(t *testing.T, x *execution.Executor, j *memJournal, m *fakeMarket) {
				m.plan = func(execution.Order) outcome {
					return outcome{err: &execution.RetryLaterError{After: time.Hour, Reason: "429", Throttled: true}}
				}
				o := buy(t, x, wish(1, 50*pricing.Dollar), execution.Planned)
				if err := end(t.Context(), x); err != nil {
					t.Fatal(err)
				}
				time.Sleep(2 * time.Second)
				u, err := j.Usage(t.Context(), time.Now())
				if got := state(t, j, o.ID); err != nil || got != execution.Cancelled || u.Open != 0 || u.Locked != 0 || u.Day != 0 {
					t.Errorf("got %s, %d open, %s locked, %s of the day, error %v, want it cancelled and nothing held", got, u.Open, u.Locked, u.Day, err)
				}
			})
		})
	}
}

func TestTrackToSettled(t *testing.T) {
	cfg := execution.Config{TrackEvery: 15 * time.Second, Protection: map[pricing.Market]time.Duration{pricing.SkinsBack: window}}
	bubble(t, cfg, func(t *testing.T, x *execution.Executor, j *memJournal, m *fakeMarket) {
		o := buy(t, x, wish(1, pricing.Dollar), execution.Placed)
		for _, e := range []execution.Event{execution.OnDelivering, execution.OnPlaced, execution.OnDelivering, execution.OnDelivered} {
			m.becomes(o.ID, func(ev *execution.Evidence) { ev.Event = e })
			time.Sleep(16 * time.Second)
			if got := state(t, j, o.ID); string(got) != string(e) {
				t.Fatalf("within one round: got %s, want %s", got, e)
			}
		}
		before := m.times("Track")
		time.Sleep(window - 2*time.Minute)
		if n := m.times("Track") - before; n < 470 || n > 500 {
			t.Errorf("a delivered order was asked for %d times in its window, want about 480", n)
		}
		if got := state(t, j, o.ID); got != execution.Delivered {
			t.Fatalf("before the window ends: got %s, want delivered", got)
		}
		time.Sleep(time.Hour)
		if got := state(t, j, o.ID); got != execution.Settled {
			t.Errorf("after the window: got %s, want settled", got)
		}
	})
}

func TestNeverSettledUnseen(t *testing.T) {
	cfg := execution.Config{Protection: map[pricing.Market]time.Duration{pricing.SkinsBack: window}}
	for name, change := range map[string]func(m *fakeMarket, ev *execution.Evidence){
		"the market is silent": func(m *fakeMarket, _ *execution.Evidence) { m.down = errReset },
		"protection is open":   func(_ *fakeMarket, ev *execution.Evidence) { ev.Protection = execution.ProtectionOpen },
		"an unknown word":      func(_ *fakeMarket, ev *execution.Evidence) { ev.Event = "" },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, cfg, func(t *testing.T, x *execution.Executor, j *memJournal, m *fakeMarket) {
				o := buy(t, x, wish(1, pricing.Dollar), execution.Placed)
				m.becomes(o.ID, func(ev *execution.Evidence) { ev.Event = execution.OnDelivered })
				time.Sleep(time.Minute)
				m.becomes(o.ID, func(ev *execution.Evidence) { change(m, ev) })
				time.Sleep(2 * window)
				if got := state(t, j, o.ID); got != execution.Delivered {
					t.Errorf("got %s, want delivered", got)
				}
			})
		})
	}
}

func TestSettledAndRolledBackByTheMarket(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*execution.Evidence)
		want   execution.State
	}{
		"over":        {func(ev *execution.Evidence) { ev.Protection = execution.ProtectionOver }, execution.Settled},
		"settled":     {func(ev *execution.Evidence) { ev.Event = execution.OnSettled }, execution.Settled},
		"rolled back": {func(ev *execution.Evidence) { ev.Event, ev.Refunded = execution.OnRolledBack, pricing.Dollar }, execution.RolledBack},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, execution.Config{}, func(t *testing.T, x *execution.Executor, j *memJournal, m *fakeMarket) {
				o := buy(t, x, wish(1, pricing.Dollar), execution.Placed)
				m.becomes(o.ID, func(ev *execution.Evidence) { ev.Event = execution.OnDelivered })
				time.Sleep(time.Minute)
				m.becomes(o.ID, tc.change)
				time.Sleep(time.Hour)
				if got := state(t, j, o.ID); got != tc.want {
					t.Errorf("got %s, want %s", got, tc.want)
				}
			})
		})
	}
}

func TestHint(t *testing.T) {
	bubble(t, execution.Config{TrackEvery: time.Hour}, func(t *testing.T, x *execution.Executor, j *memJournal, m *fakeMarket) {
		o := buy(t, x, wish(1, pricing.Dollar), execution.Placed)
		m.becomes(o.ID, func(ev *execution.Evidence) { ev.Event = execution.OnDelivered })
		x.Hint(pricing.SkinsBack, execution.Hint{ID: "sa-unknown"})
		x.Hint(pricing.SIH, execution.Hint{ID: o.ID})
		synctest.Wait()
		if got := state(t, j, o.ID); got != execution.Placed {
			t.Errorf("hints that are not its own moved it to %s", got)
		}
		x.Hint(pricing.SkinsBack, execution.Hint{ID: o.ID})
		synctest.Wait()
		if got := state(t, j, o.ID); got != execution.Delivered {
			t.Errorf("got %s, want delivered at once", got)
		}

		// A flood of hints is two looks: one at once, and one for what came after.
		before := m.times("Lookup")
		time.Sleep(time.Minute)
		for range 100 {
			x.Hint(pricing.SkinsBack, execution.Hint{MarketRef: m.ledger[o.ID].ev.MarketRef})
		}
		synctest.Wait()
		m.becomes(o.ID, func(ev *execution.Evidence) { ev.Event = execution.OnRolledBack })
		time.Sleep(2 * time.Second)
		if got := state(t, j, o.ID); got != execution.RolledBack {
			t.Errorf("got %s, want rolled back by the look that was put off", got)
		}
		if n := m.times("Lookup") - before; n != 2 {
			t.Errorf("%d look-ups for a hundred hints, want 2", n)
		}
	})
}

// TestWordsThatCross: the answer to the purchase comes after a look-up that
// already saw the delivery.
func TestWordsThatCross(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, m, r := newMemJournal(), &slowMarket{newFake(pricing.SkinsBack), 10 * time.Second}, wish(1, pricing.Dollar)
		x := newExecutor(t, execution.Config{Markets: []execution.Market{m}, Journal: j, TrackEvery: 20 * time.Second})
		stop := run(t, x)
		defer stop()
		synctest.Wait()
		var o execution.Order
		var answered sync.WaitGroup
		answered.Go(func() { o, _ = x.Buy(t.Context(), r) })
		synctest.Wait()
		// The window's only word of the delivery: another process, say, saw it.
		seen, err := j.Get(t.Context(), r.ID())
		if err != nil || seen.State != execution.Sent {
			t.Fatalf("got %s, error %v, want it sent", seen.State, err)
		}
		seen.State, seen.SpentAt, seen.DeliveredAt = execution.Delivered, time.Now(), time.Now()
		if _, err := j.Advance(t.Context(), seen, execution.Step{At: time.Now(), State: execution.Delivered, Event: execution.OnDelivered}); err != nil {
			t.Fatal(err)
		}
		answered.Wait()
		if o.State != execution.Delivered || o.Error != "" {
			t.Errorf("got %s with note %q, want delivered without one", o.State, o.Error)
		}
	})
}

// TestAnswerOvertaken: an order that was touched, but not heard of, while its
// answer was on the way still gets it.
func TestAnswerOvertaken(t *testing.T) {
	for name, tc := range map[string]struct {
		fault outcome
		want  execution.State
	}{"bought": {bought, execution.Placed}, "refused": {refused, execution.Rejected}, "busy": {busy, execution.Planned}, "silent": {unbought, execution.InDoubt}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j, m, r := newMemJournal(), &slowMarket{newFake(pricing.SkinsBack), 10 * time.Second}, wish(1, pricing.Dollar)
				m.plan = func(execution.Order) outcome { return tc.fault }
				x := newExecutor(t, execution.Config{Markets: []execution.Market{m}, Journal: j})
				var o execution.Order
				var err error
				var answered sync.WaitGroup
				answered.Go(func() { o, err = x.Buy(t.Context(), r) })
				synctest.Wait()
				touched, getErr := j.Get(t.Context(), r.ID())
				if getErr != nil {
					t.Fatal(getErr)
				}
				touched.OfferID = "1"
				if _, err := j.Advance(t.Context(), touched, execution.Step{}); err != nil {
					t.Fatal(err)
				}
				answered.Wait()
				if err != nil || o.State != tc.want || o.OfferID != "1" {
					t.Errorf("got %s with offer %q, error %v, want %s with 1", o.State, o.OfferID, err, tc.want)
				}
			})
		})
	}
}

// TestAnswerNotWritten: the disk is full when the answer comes. The same process
// finds the order sent and asks again.
func TestAnswerNotWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, m, r := newMemJournal(), newFake(pricing.SkinsBack), wish(1, pricing.Dollar)
		x := newExecutor(t, execution.Config{Markets: []execution.Market{m}, Journal: &crashing{Journal: j, at: 3, how: failsOnce}, ReconcileEvery: time.Hour})
		stop := run(t, x)
		defer stop()
		synctest.Wait()
		o, err := x.Buy(t.Context(), r)
		if err == nil || o.State != execution.Sent {
			t.Fatalf("got %s, error %v, want it sent and an error", o.State, err)
		}
		time.Sleep(80 * time.Second)
		got, err := j.Get(t.Context(), r.ID())
		want := []execution.Event{"", execution.OnSend, execution.OnSilence, execution.OnPlaced}
		if err != nil || !slices.Equal(events(got), want) {
			t.Errorf("got %s after %q, error %v, want %q", got.State, events(got), err, want)
		}
		m.wantOnce(t)
	})
}

// TestNotFoundAfterReference: what the market once had a reference for is never
// sent again, whatever it says later.
func TestNotFoundAfterReference(t *testing.T) {
	bubble(t, execution.Config{}, func(t *testing.T, x *execution.Executor, j *memJournal, m *fakeMarket) {
		m.plan = once(lost)
		o := buy(t, x, wish(1, pricing.Dollar), execution.InDoubt)
		m.becomes(o.ID, func(ev *execution.Evidence) { ev.Event, ev.Status = "", "thinking" })
		time.Sleep(10 * time.Second)
		m.mu.Lock()
		delete(m.ledger, o.ID)
		m.mu.Unlock()
		time.Sleep(4 * time.Minute)
		if got := state(t, j, o.ID); got != execution.InDoubt || m.times("Place") != 1 {
			t.Errorf("got %s after %d requests, want in doubt after 1", got, m.times("Place"))
		}
	})
}

// TestShutdown: what is on the wire is waited for and written, what never
// answers is put in doubt in time, and nothing new begins.
func TestShutdown(t *testing.T) {
	for name, tc := range map[string]struct {
		fault       outcome
		answerAfter time.Duration
		want        execution.State
		within      time.Duration
	}{
		"answers":       {bought, 5 * time.Second, execution.Placed, 5 * time.Second},
		"never answers": {hangs, 0, execution.InDoubt, 9 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j, m, r := newMemJournal(), &slowMarket{newFake(pricing.SkinsBack), tc.answerAfter}, wish(1, pricing.Dollar)
				m.plan = func(execution.Order) outcome { return tc.fault }
				x := newExecutor(t, execution.Config{Markets: []execution.Market{m}, Journal: j})
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan struct{})
				go func() { defer close(done); x.Run(ctx) }()
				synctest.Wait() // reconciliation must not tell the answer first
				go func() { _, _ = x.Buy(ctx, r) }()
				synctest.Wait()
				began := time.Now()
				cancel()
				<-done
				if took := time.Since(began); took > tc.within {
					t.Errorf("took %s, want %s at most", took, tc.within)
				}
				if got := state(t, j, r.ID()); got != tc.want {
					t.Errorf("got %s, want %s", got, tc.want)
				}
				if _, err := x.Buy(t.Context(), wish(2, pricing.Dollar)); !errors.Is(err, execution.ErrEnded) {
					t.Errorf("buy after the end: got error %v, want ErrEnded", err)
				}
			})
		})
	}
}

// slowMarket answers Place late.
type slowMarket struct {
	*fakeMarket
	after time.Duration
}

func (m *slowMarket) Place(ctx context.Context, o execution.Order, offer execution.Offer, wrote func()) (execution.Evidence, error) {
	ev, err := m.fakeMarket.Place(ctx, o, offer, wrote)
	select {
	case <-time.After(m.after):
		return ev, err
	case <-ctx.Done():
		return execution.Evidence{}, ctx.Err()
	}
}

// TestShutdownWhileWaiting: a purchase that waits for a permit is not sent.
func TestShutdownWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, m, r := newMemJournal(), newFake(pricing.SkinsBack), wish(1, pricing.Dollar)
		x := newExecutor(t, execution.Config{Markets: []execution.Market{m}, Journal: j,
			Budgets: map[pricing.Market]execution.Budget{pricing.SkinsBack: budget(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })}})
		stop := run(t, x)
		result := make(chan error, 1)
		go func() {
			_, err := x.Buy(t.Context(), r) // its own context goes on
			result <- err
		}()
		synctest.Wait()
		stop()
		if err := <-result; !errors.Is(err, context.Canceled) {
			t.Errorf("got error %v, want it cancelled", err)
		}
		if got := state(t, j, r.ID()); got != execution.Planned || m.times("Place") != 0 {
			t.Errorf("got %s and %d requests, want it planned and unsent", got, m.times("Place"))
		}
	})
}

func TestRecover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, m := newMemJournal(), newFake(pricing.SkinsBack)
		put := func(r execution.Request, s execution.State) execution.OrderID {
			now := time.Now()
			o := execution.Order{ID: r.ID(), Request: r, State: execution.Planned, CreatedAt: now, UpdatedAt: now}
			o, _, err := j.Reserve(t.Context(), o, func(execution.Usage) error { return nil })
			if err != nil {
				t.Fatal(err)
			}
			if s != execution.Planned {
				o.State, o.SentAt = s, now
				if _, err := j.Advance(t.Context(), o, execution.Step{At: now, State: s}); err != nil {
					t.Fatal(err)
				}
			}
			return o.ID
		}
		known := wish(1, pricing.Dollar)
		m.buy(execution.Order{ID: known.ID(), Request: known})
		foundID, lostID := put(known, execution.Sent), put(wish(2, pricing.Dollar), execution.Sent)
		old := wish(3, pricing.Dollar)
		old.ExpiresAt = time.Now().Add(-time.Second)
		elsewhere := wish(4, pricing.Dollar)
		elsewhere.Market = pricing.SIH
		expiredID, elsewhereID, plannedID := put(old, execution.Planned), put(elsewhere, execution.Planned), put(wish(5, pricing.Dollar), execution.Planned)

		newExecutor(t, execution.Config{Markets: []execution.Market{m}, Journal: j})
		for id, want := range map[execution.OrderID]execution.State{
			foundID: execution.Placed, lostID: execution.InDoubt, expiredID: execution.Cancelled, elsewhereID: execution.Cancelled, plannedID: execution.Planned,
		} {
			if got := state(t, j, id); got != want {
				t.Errorf("%s: got %s, want %s", id, got, want)
			}
		}
		if n := m.times("Place"); n != 0 {
			t.Errorf("recovery sent %d requests", n)
		}
	})
}

func TestRecoverWithoutMarket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, m := newMemJournal(), newFake(pricing.SkinsBack)
		m.plan = func(execution.Order) outcome { return lost }
		x := newExecutor(t, execution.Config{Markets: []execution.Market{m}, Journal: j})
		o := buy(t, x, wish(1, pricing.Dollar), execution.InDoubt)
		m.down = errReset
		newExecutor(t, execution.Config{Markets: []execution.Market{m}, Journal: j}) // fails the test on an error
		if got := state(t, j, o.ID); got != execution.InDoubt {
			t.Errorf("got %s, want in doubt", got)
		}
	})
}
