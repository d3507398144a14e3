package execution_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"skinarb/execution"
	"skinarb/pricing"
)

// stall sells by listing, and several at once.
type stall struct {
	*fakeMarket
	listing func(pricing.Item) string // nil: one for each item
	batches [][]execution.OrderID
}

func (s *stall) Check(ctx context.Context, it pricing.Item, name string) (execution.Offer, error) {
	offer, err := s.fakeMarket.Check(ctx, it, name)
	offer.ListingID = "listing of " + it.Name
	if s.listing != nil {
		offer.ListingID = s.listing(it)
	}
	return offer, err
}

func (s *stall) PlaceMany(ctx context.Context, placings []execution.Placing, wrote func()) []execution.Outcome {
	var ids []execution.OrderID
	outcomes := make([]execution.Outcome, len(placings))
	for i, p := range placings {
		ids = append(ids, p.Order.ID)
		outcomes[i].Evidence, outcomes[i].Err = s.fakeMarket.Place(ctx, p.Order, p.Offer, func() {})
	}
	s.mu.Lock()
	s.batches = append(s.batches, ids)
	s.mu.Unlock()
	wrote()
	return outcomes
}

// hatch gives a permit for each value sent to it.
type hatch chan struct{}

func (w hatch) Take(ctx context.Context) error {
	select {
	case <-w:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// crowd lets several wishes wait for a permit, and gives what comes of them once
// permits come.
func crowd(t *testing.T, x *execution.Executor, wishes ...execution.Request) (outcome func() ([]execution.Order, []error)) {
	t.Helper()
	orders, errs := make([]execution.Order, len(wishes)), make([]error, len(wishes))
	done := make(chan int, len(wishes))
	for i, r := range wishes {
		go func() {
			orders[i], errs[i] = x.Buy(t.Context(), r)
			done <- i
		}()
		synctest.Wait() // it waits for a permit
	}
	return func() ([]execution.Order, []error) {
		for range wishes {
			<-done
		}
		return orders, errs
	}
}

func newStall() (*stall, hatch, execution.Config) {
	m, permits := &stall{fakeMarket: newFake(pricing.SkinsBack)}, make(hatch)
	return m, permits, execution.Config{
		Markets: []execution.Market{m}, Journal: newMemJournal(), MaxInFlight: 8,
		Budgets: map[pricing.Market]execution.Budget{pricing.SkinsBack: permits},
	}
}

func TestOrdersThatWaitForAPermitTravelTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, permits, cfg := newStall()
		fates := map[string]outcome{wish(1, pricing.Dollar).MarketName: refused, wish(2, pricing.Dollar).MarketName: unbought}
		m.plan = func(o execution.Order) outcome {
			if fate, ok := fates[o.MarketName]; ok {
				return fate
			}
			return bought
		}
		x := newExecutor(t, cfg)
		end := crowd(t, x, wish(0, pricing.Dollar), wish(1, pricing.Dollar), wish(2, pricing.Dollar))
		permits <- struct{}{}
		orders, errs := end()
		for i, want := range []execution.State{execution.Placed, execution.Rejected, execution.InDoubt} {
			if orders[i].State != want || errs[i] != nil {
				t.Errorf("order %d: got %s, %v, want %s", i, orders[i].State, errs[i], want)
			}
		}
		if len(m.batches) != 1 || len(m.batches[0]) != 3 {
			t.Errorf("got batches %v, want one of three orders", m.batches)
		}
		// The next one finds a permit at hand and nobody to travel with.
		end = crowd(t, x, wish(3, pricing.Dollar))
		permits <- struct{}{}
		if orders, errs := end(); orders[0].State != execution.Placed || errs[0] != nil || len(m.batches) != 1 {
			t.Errorf("alone: got %s, %v and %d batches, want it placed by itself", orders[0].State, errs[0], len(m.batches))
		}
	})
}

// TestALostBatch leaves every order in doubt by itself, and each is found again.
func TestALostBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, permits, cfg := newStall()
		m.plan = func(o execution.Order) outcome {
			if o.MarketName == wish(1, pricing.Dollar).MarketName {
				return unbought
			}
			return lost
		}
		x := newExecutor(t, cfg)
		end := crowd(t, x, wish(0, pricing.Dollar), wish(1, pricing.Dollar), wish(2, pricing.Dollar))
		permits <- struct{}{}
		orders, _ := end()
		for i, o := range orders {
			if o.State != execution.InDoubt {
				t.Errorf("order %d: got %s, want in_doubt", i, o.State)
			}
		}
		m.plan = nil
		close(permits)
		defer run(t, x)()
		time.Sleep(3 * time.Minute)
		for i, o := range orders {
			if got := state(t, cfg.Journal, o.ID); got != execution.Placed && !(i == 1 && got == execution.Cancelled) {
				t.Errorf("order %d: got %s after its look-up, want placed", i, got)
			}
		}
		m.wantOnce(t)
	})
}

func TestWhoMustNotTravelTogether(t *testing.T) {
	forBuyer := func(n int, partner string) execution.Request {
		r := wish(n, pricing.Dollar)
		r.Buyer = execution.Buyer{Ref: fmt.Sprint("fast-", n), To: execution.Recipient{Partner: partner, Token: "AbCd-_12"}}
		return r
	}
	for name, tc := range map[string]struct {
		wishes  []execution.Request
		listing string // of all of them
		permits int
	}{
		"other recipients":   {[]execution.Request{wish(0, pricing.Dollar), forBuyer(1, "7"), forBuyer(2, "8")}, "", 3},
		"the same recipient": {[]execution.Request{forBuyer(0, "7"), forBuyer(1, "7")}, "", 1},
		"the same listing":   {[]execution.Request{wish(0, pricing.Dollar), wish(1, pricing.Dollar)}, "17", 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, permits, cfg := newStall()
				if tc.listing != "" {
					m.listing = func(pricing.Item) string { return tc.listing }
				}
				x := newExecutor(t, cfg)
				end := crowd(t, x, tc.wishes...)
				for range tc.permits {
					permits <- struct{}{}
				}
				orders, errs := end()
				for i, o := range orders {
					if o.State != execution.Placed || errs[i] != nil {
						t.Errorf("order %d: got %s, %v, want it placed", i, o.State, errs[i])
					}
				}
				for _, b := range m.batches {
					if tc.permits > 1 {
						t.Errorf("got a batch of %v, want each by itself", b)
					}
				}
			})
		})
	}
}

// TestNobodyWaitsForOneWhoQuits: an order that is withdrawn after boarding leaves
// the others to go, and a stop keeps all of them.
func TestNobodyWaitsForOneWhoQuits(t *testing.T) {
	for name, tc := range map[string]struct {
		quits func(ctx context.Context, x *execution.Executor, worth map[string]bool) error
		want  []execution.State
	}{
		"the first": {func(_ context.Context, _ *execution.Executor, worth map[string]bool) error {
			worth[wish(0, 0).MarketName] = false
			return nil
		}, []execution.State{execution.Cancelled, execution.Placed, execution.Placed}},
		"the last": {func(_ context.Context, _ *execution.Executor, worth map[string]bool) error {
			worth[wish(2, 0).MarketName] = false
			return nil
		}, []execution.State{execution.Placed, execution.Placed, execution.Cancelled}},
		"all but one": {func(_ context.Context, _ *execution.Executor, worth map[string]bool) error {
			worth[wish(0, 0).MarketName], worth[wish(1, 0).MarketName] = false, false
			return nil
		}, []execution.State{execution.Cancelled, execution.Cancelled, execution.Placed}},
		"a stop": {func(ctx context.Context, x *execution.Executor, _ map[string]bool) error {
			return x.Stop(ctx, "test", "operator")
		}, []execution.State{execution.Cancelled, execution.Cancelled, execution.Cancelled}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, permits, cfg := newStall()
				worth := map[string]bool{}
				for n := range 3 {
					worth[wish(n, 0).MarketName] = true
				}
				cfg.Recheck = func(_ context.Context, r execution.Request, _ execution.Offer) error {
					if !worth[r.MarketName] {
						return errors.New("the price moved")
					}
					return nil
				}
				x := newExecutor(t, cfg)
				end := crowd(t, x, wish(0, pricing.Dollar), wish(1, pricing.Dollar), wish(2, pricing.Dollar))
				if err := tc.quits(t.Context(), x, worth); err != nil {
					t.Fatal(err)
				}
				permits <- struct{}{}
				orders, _ := end()
				for i, want := range tc.want {
					if orders[i].State != want {
						t.Errorf("order %d: got %s, want %s", i, orders[i].State, want)
					}
				}
				if want := len(slices.DeleteFunc(tc.want, func(s execution.State) bool { return s != execution.Placed })); m.times("Place") != want {
					t.Errorf("the market was asked for %d purchases, want %d", m.times("Place"), want)
				}
			})
		})
	}
}

// TestOneThatExpiresOnATripIsAlone: when the one who waits for the permit expires, the
// others try again.
func TestOneThatExpiresOnATripIsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, permits, cfg := newStall()
		x := newExecutor(t, cfg)
		defer run(t, x)()
		synctest.Wait()
		soon := wish(0, pricing.Dollar)
		soon.ExpiresAt = time.Now().Add(10 * time.Second)
		end := crowd(t, x, soon, wish(1, pricing.Dollar), wish(2, pricing.Dollar))
		orders, errs := end()
		if orders[0].State != execution.Cancelled || !errors.Is(errs[0], execution.ErrExpired) {
			t.Errorf("got %s, %v, want it cancelled as expired", orders[0].State, errs[0])
		}
		permits <- struct{}{}
		close(permits)
		time.Sleep(5 * time.Second)
		for _, o := range orders[1:] {
			if got := state(t, cfg.Journal, o.ID); got != execution.Placed {
				t.Errorf("one that travelled with it: got %s, want placed", got)
			}
		}
		m.wantOnce(t)
	})
}

// TestAFenceThatClosesKeepsATrip, whose riders have all been journaled as sent.
func TestAFenceThatClosesKeepsATrip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, permits, cfg := newStall()
		cfg.Fence = func() error { return errors.New("another process leads") }
		x := newExecutor(t, cfg)
		end := crowd(t, x, wish(0, pricing.Dollar), wish(1, pricing.Dollar))
		permits <- struct{}{}
		orders, errs := end()
		for i, o := range orders {
			if o.State != execution.Sent || errs[i] == nil {
				t.Errorf("order %d: got %s, %v, want it sent and an error", i, o.State, errs[i])
			}
		}
		if m.times("Place") != 0 {
			t.Errorf("the market was asked for %d purchases, want none", m.times("Place"))
		}
	})
}

// slowCancel is a journal in which cancelling takes long: its file is locked.
type slowCancel struct {
	*memJournal
	takes time.Duration
}

func (j slowCancel) Advance(ctx context.Context, o execution.Order, s execution.Step) (execution.Order, error) {
	if s.Event == execution.OnCancel {
		time.Sleep(j.takes)
	}
	return j.memJournal.Advance(ctx, o, s)
}

// TestNobodyWaitsForAWithdrawalToBeWritten: the others leave at once, by checks that
// they have just made.
func TestNobodyWaitsForAWithdrawalToBeWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, permits, cfg := newStall()
		cfg.Journal = slowCancel{newMemJournal(), 12 * time.Second}
		moved := wish(1, pricing.Dollar)
		var boarded atomic.Bool
		cfg.Recheck = func(_ context.Context, r execution.Request, _ execution.Offer) error {
			if r.ID() == moved.ID() && boarded.Load() {
				return errors.New("not worth it")
			}
			return nil
		}
		var placedAt time.Time
		m.placed = func() { placedAt = time.Now() }
		x := newExecutor(t, cfg)
		end := crowd(t, x, wish(0, pricing.Dollar), moved)
		boarded.Store(true)
		start := time.Now()
		permits <- struct{}{}
		orders, _ := end()
		if late := placedAt.Sub(start); late != 0 || orders[0].State != execution.Placed || orders[1].State != execution.Cancelled {
			t.Errorf("got %s and %s, sent after %s, want placed at once, and cancelled", orders[0].State, orders[1].State, late)
		}
	})
}

// slowSend is a journal in which an order takes long to be marked as sent.
type slowSend struct {
	*memJournal
	name  string
	takes time.Duration
}

func (j slowSend) Advance(ctx context.Context, o execution.Order, s execution.Step) (execution.Order, error) {
	if s.Event == execution.OnSend && o.MarketName == j.name {
		time.Sleep(j.takes)
	}
	return j.memJournal.Advance(ctx, o, s)
}

// TestATripThatTookTooLongDoesNotLeave: whoever leads next counts on it that nothing
// leaves later than a purchase may take after it was journaled.
func TestATripThatTookTooLongDoesNotLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, permits, cfg := newStall()
		cfg.PlaceTimeout = 10 * time.Second
		cfg.Journal = slowSend{newMemJournal(), wish(1, pricing.Dollar).MarketName, 12 * time.Second}
		x := newExecutor(t, cfg)
		end := crowd(t, x, wish(0, pricing.Dollar), wish(1, pricing.Dollar))
		permits <- struct{}{}
		orders, _ := end()
		if orders[0].State != execution.Planned || m.times("Place") != 0 {
			t.Errorf("got %s and %d requests, want it planned again and none", orders[0].State, m.times("Place"))
		}
	})
}

// TestTripsLoseNobody: whatever becomes of the permits, of the riders and of the
// answers, every wish ends, and nothing is bought twice.
func TestTripsLoseNobody(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		fates := rapid.SliceOfN(rapid.SampledFrom([]outcome{bought, refused, lost, unbought, busy}), 1, 12).Draw(r, "fates")
		gone := rapid.SliceOfN(rapid.Bool(), len(fates), len(fates)).Draw(r, "given up")
		permits := rapid.IntRange(0, len(fates)).Draw(r, "permits")
		synctest.Test(t, func(t *testing.T) {
			m, hatch, cfg := newStall()
			m.plan = func(o execution.Order) outcome {
				for n, fate := range fates {
					if o.MarketName == wish(n, 0).MarketName {
						return fate
					}
				}
				return bought
			}
			x := newExecutor(t, cfg)
			ended := make(chan error, len(fates))
			var cancels []context.CancelFunc
			for n := range fates {
				ctx, cancel := context.WithCancel(t.Context())
				cancels = append(cancels, cancel)
				go func() {
					_, err := x.Buy(ctx, wish(n, pricing.Dollar))
					ended <- err
				}()
				synctest.Wait()
			}
			for n, cancel := range cancels {
				if gone[n] {
					cancel()
				}
			}
			synctest.Wait()
			for range permits {
				select {
				case hatch <- struct{}{}:
				default:
				}
				synctest.Wait()
			}
			for _, cancel := range cancels {
				cancel()
			}
			for range fates {
				<-ended
			}
			m.wantOnce(r)
		})
	})
}
