package execution_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"skinarb/execution"
	"skinarb/pricing"
)

// TestBreakers: what opens each rule, for how long nothing is asked of the
// market then, and what happens at the next try.
func TestBreakers(t *testing.T) {
	account := outcome{err: &execution.RejectedError{Reason: "steam_trade_ban", Account: true}}
	gone := outcome{err: &execution.RejectedError{Reason: "skin_unavailable"}}
	unreached := outcome{err: &execution.RetryLaterError{After: time.Second, Reason: "not connected"}}
	throttled := outcome{err: &execution.RetryLaterError{After: 90 * time.Second, Reason: "too many requests", Throttled: true}}
	for name, tc := range map[string]struct {
		fails outcome
		after int // failures that open it
		rule  execution.BreakerRule
		first time.Duration
		again time.Duration // when the next try fails, too
	}{
		"unanswered":  {unbought, 5, execution.BreakUnanswered, time.Minute, 2 * time.Minute},
		"not reached": {unreached, 5, execution.BreakUnanswered, time.Minute, 2 * time.Minute},
		"refused":     {gone, 8, execution.BreakRefused, 5 * time.Minute, 10 * time.Minute},
		"account":     {account, 1, execution.BreakAccount, 10 * time.Minute, 20 * time.Minute},
		"throttled":   {throttled, 1, execution.BreakThrottled, 90 * time.Second, 90 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			now := time.Now()
			m := newFake(pricing.SkinsBack)
			m.plan = func(execution.Order) outcome { return tc.fails }
			var notices []execution.Notice
			x := newExecutor(t, execution.Config{
				Markets: []execution.Market{m}, Journal: newMemJournal(), Now: func() time.Time { return now },
				Notify: func(n execution.Notice) { notices = append(notices, n) },
			})
			n := 0
			try := func() error {
				n++
				r := wish(n, pricing.Cent)
				r.ExpiresAt = now.Add(time.Minute)
				_, err := x.Buy(t.Context(), r)
				return err
			}
			wantOpen := func(until time.Time) {
				t.Helper()
				sent := m.times("Place")
				var open *execution.BreakerError
				if err := try(); !errors.As(err, &open) || open.Break.Rule != tc.rule || !open.Break.Until.Equal(until) {
					t.Fatalf("got error %v, want %s open until %s", err, tc.rule, until)
				}
				if got := m.times("Place"); got != sent {
					t.Errorf("%d requests while it is open, want none", got-sent)
				}
			}
			for range tc.after {
				if err := try(); err != nil {
					t.Fatalf("attempt %d: %v, want it to leave", n, err)
				}
			}
			wantOpen(now.Add(tc.first))
			if len(notices) != 1 || notices[0].Kind != execution.NoticeBreaker {
				t.Errorf("got notices %+v, want one of the breaker", notices)
			}

			now = now.Add(tc.first)
			if got := x.Breaks(); len(got) != 1 || !got[0].Trying {
				t.Errorf("afterwards: %+v, want it to wait for a try", got)
			}
			if err := try(); err != nil {
				t.Fatalf("the try: %v, want it to leave", err)
			}
			wantOpen(now.Add(tc.again))

			now = now.Add(tc.again)
			m.plan = nil
			if err := try(); err != nil {
				t.Fatal(err)
			}
			if got := x.Breaks(); len(got) != 0 {
				t.Errorf("after a purchase: %+v, want all closed", got)
			}
		})
	}
}

// TestBreakersAreOfOneMarket: the other market is bought on all the same, and a
// success between keeps a rule from counting on.
func TestBreakersAreOfOneMarket(t *testing.T) {
	bad, good := newFake(pricing.SIH), newFake(pricing.SkinsBack)
	n := 0
	bad.plan = func(execution.Order) outcome {
		if n++; n%5 == 0 {
			return bought
		}
		return unbought
	}
	x := newExecutor(t, execution.Config{Markets: []execution.Market{bad, good}, Journal: newMemJournal()})
	on := func(i int, m pricing.Market) error {
		r := wish(i, pricing.Cent)
		r.Market = m
		_, err := x.Buy(t.Context(), r)
		return err
	}
	for i := range 20 {
		if err := on(i, pricing.SIH); err != nil {
			t.Fatalf("four failures in a row, and attempt %d does not leave: %v", i, err)
		}
	}
	bad.plan = func(execution.Order) outcome { return unbought }
	for i := range 5 {
		if err := on(100+i, pricing.SIH); err != nil {
			t.Fatal(err)
		}
	}
	var open *execution.BreakerError
	if err := on(200, pricing.SIH); !errors.As(err, &open) {
		t.Errorf("after five: got error %v, want a BreakerError", err)
	}
	if err := on(201, pricing.SkinsBack); err != nil {
		t.Errorf("the other market: got error %v, want none", err)
	}
}

func TestDoubtsSuspend(t *testing.T) {
	bubble(t, execution.Config{MaxInDoubt: 2}, func(t *testing.T, x *execution.Executor, j *memJournal, m *fakeMarket) {
		m.plan = func(execution.Order) outcome { return lost }
		buy(t, x, wish(1, pricing.Dollar), execution.InDoubt)
		buy(t, x, wish(2, pricing.Dollar), execution.InDoubt)
		m.mu.Lock()
		m.down = errReset // nobody can say what became of them
		m.mu.Unlock()
		time.Sleep(20 * time.Second)
		var open *execution.BreakerError
		if _, err := x.Buy(t.Context(), wish(3, pricing.Dollar)); !errors.As(err, &open) || open.Break.Rule != execution.BreakDoubts {
			t.Fatalf("with two in doubt: got error %v, want a BreakerError of that", err)
		}
		m.mu.Lock()
		m.down = nil
		m.mu.Unlock()
		time.Sleep(3 * time.Minute)
		m.plan = nil
		r := wish(4, pricing.Dollar)
		r.ExpiresAt = time.Now().Add(time.Minute)
		buy(t, x, r, execution.Placed)
	})
}

func TestReset(t *testing.T) {
	m := newFake(pricing.SkinsBack)
	m.plan = once(outcome{err: &execution.RejectedError{Reason: "shop_not_active", Account: true}})
	x := newExecutor(t, execution.Config{Markets: []execution.Market{m}, Journal: newMemJournal()})
	buy(t, x, wish(1, pricing.Dollar), execution.Rejected)
	if got := x.Breaks(); len(got) != 1 || got[0].Rule != execution.BreakAccount {
		t.Fatalf("got %+v, want it open for the account", got)
	}
	if err := x.Reset(t.Context(), pricing.SkinsBack, "operator"); err != nil {
		t.Fatal(err)
	}
	buy(t, x, wish(2, pricing.Dollar), execution.Placed)
	if err := x.Reset(t.Context(), pricing.SIH, "operator"); err == nil {
		t.Error("reset of a market that is not configured: no error")
	}
}

func TestTighten(t *testing.T) {
	const d = pricing.Dollar
	base := execution.Limits{
		Order: 10 * d, Day: 100 * d, OpenOrders: 5, ItemUnits: 2, MinBalance: 3 * d,
		Markets: map[pricing.Market]execution.MarketLimits{pricing.SIH: {Day: 50 * d, OpenOrders: 3}},
	}
	sih := func(change func(*execution.MarketLimits)) func(*execution.Limits) {
		return func(l *execution.Limits) {
			own := l.Markets[pricing.SIH]
			change(&own)
			l.Markets = map[pricing.Market]execution.MarketLimits{pricing.SIH: own}
		}
	}
	for name, tc := range map[string]struct {
		change func(*execution.Limits)
		looser []string // nil: it is tighter, or the same
	}{
		"same":                        {func(*execution.Limits) {}, nil},
		"order down":                  {func(l *execution.Limits) { l.Order-- }, nil},
		"order up":                    {func(l *execution.Limits) { l.Order++ }, []string{"max_order"}},
		"no order limit":              {func(l *execution.Limits) { l.Order = 0 }, []string{"max_order"}},
		"locked where there was none": {func(l *execution.Limits) { l.Locked = 1 }, nil},
		"two at once":                 {func(l *execution.Limits) { l.Day++; l.ItemUnits++ }, []string{"max_day", "max_item_units"}},
		"one up, one down":            {func(l *execution.Limits) { l.Day--; l.OpenOrders++ }, []string{"max_open_orders"}},
		"floor up":                    {func(l *execution.Limits) { l.MinBalance++ }, nil},
		"floor down":                  {func(l *execution.Limits) { l.MinBalance-- }, []string{"min_balance"}},
		"a market's day up":           {sih(func(l *execution.MarketLimits) { l.Day++ }), []string{"max_day_sih"}},
		"a market's day down":         {sih(func(l *execution.MarketLimits) { l.Day-- }), nil},
		"a market's without":          {func(l *execution.Limits) { l.Markets = nil }, []string{"max_day_sih", "max_open_orders_sih"}},
		"nothing at all":              {func(l *execution.Limits) { l.OpenOrders = 0 }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			x := newExecutor(t, execution.Config{Markets: []execution.Market{newFake(pricing.SkinsBack)}, Journal: newMemJournal(), Limits: base})
			to := base
			tc.change(&to)
			err := x.Tighten(to, "operator")
			var loose *execution.LoosenError
			if (tc.looser == nil) != (err == nil) || errors.As(err, &loose) && !slices.Equal(loose.Rules, tc.looser) {
				t.Fatalf("got error %v, want %v", err, tc.looser)
			}
			want := base
			if tc.looser == nil {
				want = to
			}
			if got := x.Limits(); got.Order != want.Order || got.Day != want.Day || got.OpenOrders != want.OpenOrders || got.Locked != want.Locked || got.Markets[pricing.SIH] != want.Markets[pricing.SIH] {
				t.Errorf("in force: %+v, want %+v", got, want)
			}
			if tightest := base.Tightest(to); x.Tighten(tightest, "operator") != nil {
				t.Errorf("the tightest of both, %+v, is refused", tightest)
			}
		})
	}
}

// TestTightenedWhilePlanned: an order that was planned under a larger limit does
// not leave under a smaller one.
func TestTightenedWhilePlanned(t *testing.T) {
	bubble(t, execution.Config{}, func(t *testing.T, x *execution.Executor, j *memJournal, m *fakeMarket) {
		m.plan = once(busy)
		o := buy(t, x, wish(1, 5*pricing.Dollar), execution.Planned)
		limits := roomy
		limits.Order = 4 * pricing.Dollar
		if err := x.Tighten(limits, "operator"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Second)
		if got, sent := state(t, j, o.ID), m.times("Place"); got != execution.Cancelled || sent != 1 {
			t.Errorf("got it %s after %d requests, want it cancelled after the first", got, sent)
		}
		var limit *execution.LimitError
		if _, err := x.Buy(t.Context(), wish(2, 5*pricing.Dollar)); !errors.As(err, &limit) || limit.Rule != "max_order" {
			t.Errorf("a new one: got error %v, want max_order", err)
		}
	})
}

// keptBooks is a fake market whose account is compared.
type keptBooks struct {
	*fakeMarket
	mu       sync.Mutex
	bookings []execution.Booking
	lines    []movement
}

// movement is one line of an account book.
type movement struct {
	at time.Time
	execution.Booking
}

func (k *keptBooks) Bookings(_ context.Context, since time.Time) ([]execution.Booking, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	out := slices.Clone(k.bookings)
	for _, m := range k.lines {
		if m.at.Before(since) {
			continue
		}
		i := slices.IndexFunc(out, func(b execution.Booking) bool { return b.MarketRef == m.MarketRef })
		if i < 0 {
			out = append(out, m.Booking)
			continue
		}
		out[i].Taken += m.Taken
		out[i].Returned += m.Returned
	}
	return out, nil
}

// note writes a line into the account book.
func (k *keptBooks) note(b execution.Booking) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.lines = append(k.lines, movement{time.Now(), b})
}

func (k *keptBooks) put(b ...execution.Booking) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.bookings = b
}

// moves changes the account by what no order explains.
func (k *keptBooks) moves(by pricing.Money) {
	k.fakeMarket.mu.Lock()
	defer k.fakeMarket.mu.Unlock()
	k.balance += by
}

// accountBubble runs an executor over an account that is compared every minute,
// with a patience of five.
func accountBubble(t *testing.T, f func(*testing.T, *execution.Executor, *memJournal, *keptBooks, func() []execution.Notice)) {
	soldBubble(t, nil, f)
}

// soldBubble does the same with something to say of what we sell.
func soldBubble(t *testing.T, sold func(context.Context, pricing.Market, time.Time) (pricing.Money, error), f func(*testing.T, *execution.Executor, *memJournal, *keptBooks, func() []execution.Notice)) {
	var mu sync.Mutex
	var notices []execution.Notice
	bubbleOver(t, func() *keptBooks { return &keptBooks{fakeMarket: newFake(pricing.SkinsBack)} }, execution.Config{
		ReconcileEvery: time.Minute, Patience: 5 * time.Minute, Sold: sold,
		Notify: func(n execution.Notice) { mu.Lock(); defer mu.Unlock(); notices = append(notices, n) },
	}, func(t *testing.T, x *execution.Executor, j *memJournal, m *keptBooks) {
		f(t, x, j, m, func() []execution.Notice { mu.Lock(); defer mu.Unlock(); return slices.Clone(notices) })
	})
}

// suspendedBy gives the rules that keep from buying.
func suspendedBy(x *execution.Executor) (rules []execution.BreakerRule) {
	for _, b := range x.Breaks() {
		rules = append(rules, b.Rule)
	}
	return rules
}

func TestMissingMoneySuspends(t *testing.T) {
	accountBubble(t, func(t *testing.T, x *execution.Executor, j *memJournal, m *keptBooks, notices func() []execution.Notice) {
		buy(t, x, wish(1, pricing.Dollar), execution.Placed)
		time.Sleep(2 * time.Minute)
		if got := x.Compared()[pricing.SkinsBack]; got.Off != 0 || got.Balance != got.Expected {
			t.Fatalf("after a purchase: %+v, want them to agree", got)
		}
		m.moves(-3 * pricing.Dollar)
		time.Sleep(4 * time.Minute)
		if got := suspendedBy(x); len(got) != 0 {
			t.Errorf("before patience is over: %v, want none", got)
		}
		time.Sleep(3 * time.Minute)
		if got := suspendedBy(x); !slices.Equal(got, []execution.BreakerRule{execution.BreakDifference}) {
			t.Fatalf("got %v, want the difference to suspend buying", got)
		}
		if got := x.Compared()[pricing.SkinsBack]; got.Off != -3*pricing.Dollar {
			t.Errorf("off by %s, want -3.00: what is missing", got.Off)
		}
		var open *execution.BreakerError
		if _, err := x.Buy(t.Context(), wish(2, pricing.Dollar)); !errors.As(err, &open) {
			t.Errorf("got error %v, want a BreakerError", err)
		}
		m.moves(3 * pricing.Dollar) // it was on its way
		time.Sleep(2 * time.Minute)
		if got := suspendedBy(x); len(got) != 0 {
			t.Errorf("once it agrees again: %v, want none", got)
		}
		kinds := 0
		for _, n := range notices() {
			if n.Kind == execution.NoticeDifference {
				kinds++
			}
		}
		if kinds != 2 {
			t.Errorf("%d notices of the difference, want one when it suspends and one when it is over: %+v", kinds, notices())
		}

		m.moves(-3 * pricing.Dollar)
		time.Sleep(7 * time.Minute)
		if err := x.Reset(t.Context(), pricing.SkinsBack, "operator"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		if got := suspendedBy(x); len(got) != 0 {
			t.Errorf("after the operator accepted it: %v, want none", got)
		}
	})
}

func TestMoneyPutIn(t *testing.T) {
	accountBubble(t, func(t *testing.T, x *execution.Executor, j *memJournal, m *keptBooks, notices func() []execution.Notice) {
		m.moves(500 * pricing.Dollar)
		time.Sleep(4 * time.Minute)
		if got := x.Compared()[pricing.SkinsBack]; got.Off != 0 {
			t.Errorf("%+v, want it taken as put in", got)
		}
		// What was put in does not hide what goes missing afterwards.
		m.moves(-pricing.Dollar)
		time.Sleep(7 * time.Minute)
		if got := suspendedBy(x); !slices.Equal(got, []execution.BreakerRule{execution.BreakDifference}) {
			t.Errorf("got %v, want the difference to suspend buying", got)
		}
	})
}

// TestMoneyOfSales: what our sales brought is nothing to tell, and what comes
// beside it is.
func TestMoneyOfSales(t *testing.T) {
	var at time.Time // of a sale for 7.00
	sold := func(_ context.Context, m pricing.Market, since time.Time) (pricing.Money, error) {
		if m != pricing.SkinsBack || at.Before(since) {
			return 0, nil
		}
		return 7 * pricing.Dollar, nil
	}
	soldBubble(t, sold, func(t *testing.T, x *execution.Executor, j *memJournal, m *keptBooks, notices func() []execution.Notice) {
		time.Sleep(90 * time.Second)
		at = time.Now()
		m.moves(7 * pricing.Dollar)
		time.Sleep(4 * time.Minute)
		if got := x.Compared()[pricing.SkinsBack]; got.Off != 0 || len(notices()) != 0 {
			t.Errorf("after a sale: %+v and %v, want nothing to tell", got, notices())
		}
		at = time.Now()
		m.moves(9 * pricing.Dollar)
		time.Sleep(4 * time.Minute)
		if got := notices(); len(got) != 1 || !strings.Contains(got[0].Text, " holds 2.00 more than ") {
			t.Errorf("after 9.00 of which 7.00 are a sale: %v, want 2.00 to be told", got)
		}
	})
}

// TestSalesHideNothingMissing: what our sales brought does not pay for what
// somebody took, whichever comes first and whether or not the sums are the same.
func TestSalesHideNothingMissing(t *testing.T) {
	for name, tc := range map[string]struct {
		taken pricing.Money
		apart time.Duration
	}{
		"less than is sold, long before": {5, 10 * time.Minute},
		"less than is sold, with it":     {5, 0},
		"as much as is sold":             {7, 10 * time.Minute},
		"more than is sold":              {9, 10 * time.Minute},
		"more than is sold, with it":     {9, 0},
	} {
		t.Run(name, func(t *testing.T) {
			taken := tc.taken * pricing.Dollar
			var at atomic.Int64 // when 7.00 were sold
			sold := func(_ context.Context, m pricing.Market, since time.Time) (pricing.Money, error) {
				if at.Load() < since.UnixNano() {
					return 0, nil
				}
				return 7 * pricing.Dollar, nil
			}
			soldBubble(t, sold, func(t *testing.T, x *execution.Executor, j *memJournal, m *keptBooks, notices func() []execution.Notice) {
				time.Sleep(90 * time.Second)
				m.moves(-taken)
				time.Sleep(tc.apart)
				at.Store(time.Now().UnixNano())
				m.moves(7 * pricing.Dollar)
				time.Sleep(time.Hour)
				if got := suspendedBy(x); !slices.Equal(got, []execution.BreakerRule{execution.BreakDifference}) {
					t.Errorf("got %v, want the difference to suspend buying", got)
				}
				if got := x.Compared()[pricing.SkinsBack]; got.Off != -taken || got.Balance != got.Expected-taken {
					t.Errorf("%+v, want %s missing", got, taken)
				}
				m.moves(taken)
				time.Sleep(4 * time.Minute)
				if got, c := suspendedBy(x), x.Compared()[pricing.SkinsBack]; len(got) != 0 || c.Off != 0 {
					t.Errorf("once it is back: %v, %+v, want them to agree", got, c)
				}
				if got := notices(); len(got) != 2 {
					t.Errorf("%+v, want a notice when it suspends and one when it is over", got)
				}
			})
		})
	}
}

// TestMissingOverARestart: what was missing when the last run ended, or since,
// suspends buying from the start, once it was seen twice.
func TestMissingOverARestart(t *testing.T) {
	for name, tc := range map[string]struct {
		missing, back time.Duration // how long the money is missing before the restart, and until it is back after it
		want          int           // notices after the restart
	}{
		"for good":                {time.Hour, time.Hour, 2},
		"a refund on its way":     {time.Hour, 20 * time.Second, 0},
		"for less than patience":  {time.Minute, 13 * time.Minute, 0},
		"nothing was missing yet": {0, 13 * time.Minute, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := &keptBooks{fakeMarket: newFake(pricing.SkinsBack)}
				var notices atomic.Int32
				cfg := execution.Config{Markets: []execution.Market{m}, Journal: newMemJournal(), Notify: func(n execution.Notice) {
					if n.Kind == execution.NoticeDifference {
						notices.Add(1)
					}
				}}
				x := newExecutor(t, cfg)
				stop := run(t, x)
				time.Sleep(time.Minute)
				m.moves(-300 * pricing.Dollar)
				time.Sleep(tc.missing)
				stop()

				notices.Store(0)
				x = newExecutor(t, cfg)
				stop = run(t, x)
				defer stop()
				if tc.back > 14*time.Minute {
					for i := range 14 {
						if o, err := x.Buy(t.Context(), wish(i, pricing.Dollar)); err == nil {
							t.Fatalf("%d min after the restart %s was bought: %s, want nothing bought while money is missing", i, o.ID, o.State)
						}
						time.Sleep(time.Minute)
					}
					if got := suspendedBy(x); !slices.Equal(got, []execution.BreakerRule{execution.BreakDifference}) {
						t.Errorf("got %v, want the difference to suspend buying", got)
					}
				}
				time.Sleep(tc.back)
				m.moves(300 * pricing.Dollar)
				time.Sleep(10 * time.Minute)
				if got := suspendedBy(x); len(got) != 0 {
					t.Errorf("once it is back: %v, want none", got)
				}
				if got := int(notices.Load()); got != tc.want {
					t.Errorf("%d notices, want %d", got, tc.want)
				}
			})
		})
	}
}

// TestSoldInAbsence: a start sees the money of a sale before the sale.
func TestSoldInAbsence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &keptBooks{fakeMarket: newFake(pricing.SkinsBack)}
		var found atomic.Int64 // when the sale was
		cfg := execution.Config{Markets: []execution.Market{m}, Journal: newMemJournal(),
			Notify: func(n execution.Notice) { t.Errorf("told %+v, want nothing", n) },
			Sold: func(_ context.Context, _ pricing.Market, since time.Time) (pricing.Money, error) {
				if found.Load() < since.UnixNano() {
					return 0, nil
				}
				return 7 * pricing.Dollar, nil
			}}
		run(t, newExecutor(t, cfg))()
		m.moves(7 * pricing.Dollar)
		time.Sleep(24 * time.Hour)
		x := newExecutor(t, cfg)
		stop := run(t, x)
		defer stop()
		time.Sleep(10 * time.Second)
		found.Store(time.Now().UnixNano())
		time.Sleep(time.Hour)
		if got := x.Compared()[pricing.SkinsBack]; got.Off != 0 {
			t.Errorf("%+v, want the sale to explain it", got)
		}
	})
}

// busyBooks is an account on which something happens after each answer about its
// balance, and before it is heard.
type busyBooks struct {
	*keptBooks
	then func()
}

func (b *busyBooks) Balance(ctx context.Context) (pricing.Money, error) {
	balance, err := b.keptBooks.Balance(ctx)
	b.keptBooks.mu.Lock()
	defer b.keptBooks.mu.Unlock()
	if b.then != nil {
		b.then()
	}
	return balance, err
}

func (b *busyBooks) do(then func()) {
	b.keptBooks.mu.Lock()
	defer b.keptBooks.mu.Unlock()
	b.then = then
}

// TestBooksOpenedAmid: books are not opened with a balance that lacks what the
// orders have moved since.
func TestBooksOpenedAmid(t *testing.T) {
	bubbleOver(t, func() *busyBooks { return &busyBooks{keptBooks: &keptBooks{fakeMarket: newFake(pricing.SkinsBack)}} }, execution.Config{
		ReconcileEvery: time.Minute, Patience: 5 * time.Minute,
	}, func(t *testing.T, x *execution.Executor, j *memJournal, m *busyBooks) {
		n := 0
		purchase := func() {
			m.moves(-pricing.Dollar)
			n++
			r := wish(n, pricing.Dollar)
			if _, err := j.Adopt(t.Context(), execution.Order{ID: r.ID(), Request: r, State: execution.Placed, Paid: pricing.Dollar}); err != nil {
				t.Error(err)
			}
		}
		wantRight := func(when string) {
			t.Helper()
			m.do(nil)
			time.Sleep(10 * time.Minute)
			if got, c := suspendedBy(x), x.Compared()[pricing.SkinsBack]; len(got) != 0 || c.Off != 0 {
				t.Errorf("%s: %v, %+v, want them to agree", when, got, c)
			}
		}
		m.do(purchase)
		m.moves(50 * pricing.Dollar)
		time.Sleep(10 * time.Minute)
		wantRight("after money was put in")

		m.moves(-50 * pricing.Dollar)
		time.Sleep(10 * time.Minute)
		m.do(purchase)
		if err := x.Reset(t.Context(), pricing.SkinsBack, "operator"); err == nil {
			t.Error("a reset while orders move at each try: got no error")
		}
		m.do(func() {
			purchase()
			m.then = nil
		})
		if err := x.Reset(t.Context(), pricing.SkinsBack, "operator"); err != nil {
			t.Error(err)
		}
		wantRight("after a reset")
	})
}

func TestAccountBookGoesFirst(t *testing.T) {
	accountBubble(t, func(t *testing.T, x *execution.Executor, j *memJournal, m *keptBooks, _ func() []execution.Notice) {
		o := buy(t, x, wish(1, 10*pricing.Dollar), execution.Placed)
		ref := m.ledger[o.ID].ev.MarketRef
		m.becomes(o.ID, func(ev *execution.Evidence) { ev.Event = execution.OnPenalized })
		m.moves(9 * pricing.Dollar)
		m.put(execution.Booking{MarketRef: ref, Taken: 10 * pricing.Dollar, Returned: 9 * pricing.Dollar},
			execution.Booking{MarketRef: "no order of ours", Taken: pricing.Dollar},
			execution.Booking{MarketRef: ref, Returned: pricing.Dollar}) // a part of the book that begins too late
		time.Sleep(3 * time.Minute)
		got, err := j.Get(t.Context(), o.ID)
		if err != nil || got.State != execution.Penalized || got.Paid != 10*pricing.Dollar || got.Refunded != 9*pricing.Dollar || !got.Booked {
			t.Errorf("got %+v, error %v, want it penalized with 9.00 of 10.00 returned", got, err)
		}
		if c := x.Compared()[pricing.SkinsBack]; c.Off != 0 || c.Balance != c.Expected {
			t.Errorf("%+v, want books and balance to agree", c)
		}
	})
}

// TestAccountBookOfLongAgo: what comes back days after the purchase is booked,
// though the review looks back for a day.
func TestAccountBookOfLongAgo(t *testing.T) {
	accountBubble(t, func(t *testing.T, x *execution.Executor, j *memJournal, m *keptBooks, _ func() []execution.Notice) {
		o := buy(t, x, wish(1, 10*pricing.Dollar), execution.Placed)
		ref := m.ledger[o.ID].ev.MarketRef
		m.note(execution.Booking{MarketRef: ref, Taken: 10 * pricing.Dollar})
		m.becomes(o.ID, func(ev *execution.Evidence) { ev.Event = execution.OnDelivered })
		time.Sleep(time.Hour)
		m.note(execution.Booking{MarketRef: ref, Returned: pricing.Cent})
		m.moves(pricing.Cent)
		time.Sleep(72 * time.Hour)
		m.note(execution.Booking{MarketRef: ref, Returned: 9 * pricing.Dollar})
		m.moves(9 * pricing.Dollar)
		m.becomes(o.ID, func(ev *execution.Evidence) { ev.Event = execution.OnRolledBack })
		time.Sleep(time.Hour)
		got, err := j.Get(t.Context(), o.ID)
		if err != nil || got.State != execution.RolledBack || got.Paid != 10*pricing.Dollar || got.Refunded != 9*pricing.Dollar+pricing.Cent {
			t.Errorf("got %s, %s of %s returned, error %v, want it rolled back and 9.01 of 10.00 returned", got.State, got.Refunded, got.Paid, err)
		}
		if c := x.Compared()[pricing.SkinsBack]; c.Off != 0 {
			t.Errorf("%+v, want books and balance to agree", c)
		}
	})
}

// TestAccountBookAfterAbsence: a purchase came to nothing while nobody was there
// for two days, and its refund is booked all the same.
func TestAccountBookAfterAbsence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, m := newMemJournal(), &keptBooks{fakeMarket: newFake(pricing.SkinsBack)}
		cfg := execution.Config{Journal: j, Markets: []execution.Market{m}}
		x := newExecutor(t, cfg)
		o := buy(t, x, wish(1, 10*pricing.Dollar), execution.Placed)
		ref := m.ledger[o.ID].ev.MarketRef
		m.note(execution.Booking{MarketRef: ref, Taken: 10 * pricing.Dollar})
		stop := run(t, x)
		time.Sleep(10 * time.Minute)
		stop()
		m.note(execution.Booking{MarketRef: ref, Returned: 10 * pricing.Dollar})
		m.moves(10 * pricing.Dollar)
		m.becomes(o.ID, func(ev *execution.Evidence) { ev.Event = execution.OnFailed })
		time.Sleep(48 * time.Hour)
		newExecutor(t, cfg)
		got, err := j.Get(t.Context(), o.ID)
		if err != nil || got.State != execution.Failed || got.Refunded != 10*pricing.Dollar {
			t.Errorf("got %s, %s returned, error %v, want it failed and 10.00 returned", got.State, got.Refunded, err)
		}
	})
}

// TestABuyersFault: that the market does not take a buyer's address says nothing of
// our account.
func TestABuyersFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newFake(pricing.SkinsBack)
		m.plan = once(outcome{err: &execution.RejectedError{Reason: "invalid_partner_value", Account: true}}) // as markets/skinsback says it
		x := newExecutor(t, execution.Config{Markets: []execution.Market{m}, Journal: newMemJournal()})
		r := wish(0, pricing.Dollar)
		r.Buyer = execution.Buyer{Ref: "fast-1", To: execution.Recipient{Partner: "1", SteamID: "76561197960265729", Token: "SSH18JS"}}
		if o, err := x.Buy(t.Context(), r); o.State != execution.Rejected {
			t.Fatalf("%s, %v", o.State, err)
		}
		if o, err := x.Buy(t.Context(), wish(1, pricing.Dollar)); err != nil {
			t.Errorf("the next purchase, for ourselves: %s, %v", o.State, err)
		}
	})
}
