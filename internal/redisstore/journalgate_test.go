package redisstore

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"skinarb/execution"
	"skinarb/pricing"
)

// checkSums compares what a journal keeps up to date with what its orders come
// to.
func checkSums(t rapid.TB, j *Journal, now time.Time) (u execution.Usage) {
	t.Helper()
	ctx := context.Background()
	orders, err := j.List(ctx, execution.Query{})
	if err != nil {
		t.Fatalf("list: %v", err)
	}
	var totals execution.Totals
	books := map[pricing.Market]execution.Books{}
	for _, o := range orders {
		u.Add(o, now)
		sum := execution.SumOf(o)
		totals.All.Add(sum)
		b := books[o.Market]
		b.Add(sum)
		books[o.Market] = b
		day := o.CreatedAt.Truncate(24 * time.Hour)
		if n := len(totals.Days); n == 0 || !totals.Days[n-1].Day.Equal(day) {
			totals.Days = append(totals.Days, execution.DayAmounts{Day: day})
		}
		totals.Days[len(totals.Days)-1].Add(sum)
	}
	gotUsage, err := j.Usage(ctx, now)
	if d := cmp.Diff(u, gotUsage, cmpopts.EquateEmpty()); err != nil || d != "" {
		t.Fatalf("usage: %v (-want +got):\n%s", err, d)
	}
	gotTotals, err := j.Totals(ctx)
	if d := cmp.Diff(totals, gotTotals, cmpopts.EquateEmpty()); err != nil || d != "" {
		t.Fatalf("totals: %v (-want +got):\n%s", err, d)
	}
	for _, m := range pricing.Markets {
		got, err := j.Books(ctx, m)
		got.Opening, got.OpenedAt = 0, time.Time{}
		if d := cmp.Diff(books[m], got); err != nil || d != "" {
			t.Fatalf("books of %s: %v (-want +got):\n%s", m, err, d)
		}
	}
	return u
}

var gateLimits = execution.Limits{Day: 6 * pricing.Dollar, Locked: 4 * pricing.Dollar, OpenOrders: 3, ItemUnits: 1}

// move is something that a process does, and what the other one does while the
// first waits for its limits' word.
type move struct {
	Process   int
	Kind      string
	Order     int
	Meanwhile []move
}

func drawMoves(disturbed bool) *rapid.Generator[[]move] {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) move {
		m := move{
			Process: rapid.IntRange(0, 1).Draw(t, "process"),
			Kind:    rapid.SampledFrom([]string{"reserve", "reserve", "reserve", "advance", "advance", "release", "lead", "an hour"}).Draw(t, "kind"),
			Order:   rapid.IntRange(0, 9).Draw(t, "order"),
		}
		if disturbed && m.Kind == "reserve" && rapid.Bool().Draw(t, "is disturbed") {
			m.Meanwhile = drawMoves(false).Draw(t, "meanwhile")
		}
		return m
	}), 1, 8)
}

// gate is two processes on one Redis.
type gate struct {
	journals [2]*Journal
	now      time.Time
	shared   bool // both hold the same fencing number: only generations keep them apart
	release  []func()
}

func (g *gate) do(t *rapid.T, m move) {
	ctx, j := context.Background(), g.journals[m.Process]
	var err error
	switch m.Kind {
	case "reserve":
		o := wish(m.Order)
		o.CreatedAt, o.UpdatedAt = g.now, g.now
		meanwhile := m.Meanwhile
		_, _, err = j.Reserve(ctx, o, func(u execution.Usage) error {
			admitted := gateLimits.Admit(o.Request, u, 1000*pricing.Dollar)
			for _, next := range meanwhile {
				next.Process = 1 - m.Process // the same one waits for its turn
				g.do(t, next)
			}
			meanwhile = nil
			return admitted
		})
	case "advance", "release":
		var o execution.Order
		if o, err = j.Get(ctx, wish(m.Order).ID); err != nil {
			break
		}
		next, ok := map[execution.State]execution.State{
			execution.Planned: execution.Sent, execution.Sent: execution.Placed, execution.InDoubt: execution.Placed,
			execution.Placed: execution.Delivered, execution.Delivered: execution.Settled,
		}[o.State]
		if m.Kind == "release" {
			next, ok = map[execution.State]execution.State{
				execution.Planned: execution.Cancelled, execution.Sent: execution.InDoubt, execution.InDoubt: execution.Rejected,
				execution.Placed: execution.Failed, execution.Delivered: execution.RolledBack,
			}[o.State]
		}
		if !ok {
			break
		}
		o, step := to(o, next)
		if next == execution.Placed {
			o.SpentAt, o.Paid, o.MarketRef = g.now, o.Cost-pricing.Cent, "ref"
		}
		_, err = j.Advance(ctx, o, step)
	case "lead":
		if g.shared {
			break
		}
		if err = j.store.client.Del(ctx, j.keys.lease).Err(); err == nil {
			_, release := mustLead(t, j)
			g.release = append(g.release, release)
		}
	case "an hour":
		g.now = g.now.Add(time.Hour)
	}
	var over *execution.LimitError
	if err != nil && !errors.As(err, &over) && !errors.Is(err, execution.ErrNoOrder) && !errors.Is(err, execution.ErrStale) &&
		(g.shared || !errors.Is(err, ErrFenced)) {
		t.Fatalf("%+v: %v", m, err)
	}
}

// However two processes reserve, advance, release and take over in each other's
// midst, the limits hold.
func TestTwoProcessesShareOneGate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := embedded(t)
		defer closing(t, s)()
		other := newStore(s.connect)
		defer closing(t, other)()
		g := &gate{journals: [2]*Journal{s.Journal("live"), other.Journal("live")}, now: began, shared: rapid.Bool().Draw(t, "shared fence")}
		defer func() {
			for _, release := range g.release {
				release()
			}
		}()
		_, release := mustLead(t, g.journals[0])
		g.release = append(g.release, release)
		if g.shared {
			g.journals[1].lead.Store(g.journals[0].lead.Load())
		}
		for _, m := range drawMoves(true).Draw(t, "moves") {
			g.do(t, m)
			u := checkSums(t, g.journals[0], g.now)
			if u.Day > gateLimits.Day || u.Locked > gateLimits.Locked || u.Open > gateLimits.OpenOrders {
				t.Fatalf("after %+v: %s in a day, %s locked, %d open; limits %+v", m, u.Day, u.Locked, u.Open, gateLimits)
			}
			for it, n := range u.Units {
				if n > gateLimits.ItemUnits {
					t.Fatalf("after %+v: %d of %s", m, n, it)
				}
			}
		}
	})
}

// The same with real concurrency on a real server.
func TestTwoProcessesRaceForOneGate(t *testing.T) {
	s := fresh(t, realServer(t))
	t.Cleanup(closing(t, s))
	one, two := leader(t, s), sibling(t, s).Journal("live")
	two.lead.Store(one.lead.Load()) // as if fencing had failed
	limits := execution.Limits{Day: 10 * pricing.Dollar, OpenOrders: 100, ItemUnits: 100}
	var wg sync.WaitGroup
	for n := range 40 {
		j := []*Journal{one, two}[n%2]
		wg.Go(func() {
			o := wish(n)
			_, _, err := j.Reserve(t.Context(), o, func(u execution.Usage) error { return limits.Admit(o.Request, u, 1000*pricing.Dollar) })
			var over *execution.LimitError
			if err != nil && !errors.As(err, &over) {
				t.Errorf("reserve: %v", err)
			}
		})
	}
	wg.Wait()
	if u := checkSums(t, one, began); u.Day != limits.Day || u.Open != 10 {
		t.Errorf("40 reservations of a dollar against a limit of ten: %s in %d orders, want 10.00 in 10", u.Day, u.Open)
	}
}
