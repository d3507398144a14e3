package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"skinarb/execution"
	"skinarb/internal/storetest"
	"skinarb/pricing"
)

var began = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)

// wish gives the nth order, which costs a dollar.
func wish(n int) execution.Order {
	r := execution.Request{
		Market: pricing.Markets[n%len(pricing.Markets)], Item: pricing.Item{Game: pricing.CS2, Name: fmt.Sprintf("item %d", n)},
		Ask: pricing.Dollar, Cost: pricing.Dollar, Since: uint64(n), ExpiresAt: began.Add(time.Hour),
	}
	return execution.Order{ID: r.ID(), Request: r, State: execution.Planned, CreatedAt: began, UpdatedAt: began,
		History: []execution.Step{{At: began, State: execution.Planned}}}
}

func admitAll(execution.Usage) error { return nil }

// to gives o in another state, and the step there.
func to(o execution.Order, s execution.State) (execution.Order, execution.Step) {
	o.State = s
	return o, execution.Step{At: began, State: s, Event: execution.Event(s)}
}

func mustReserve(t rapid.TB, j *Journal, o execution.Order) execution.Order {
	t.Helper()
	stored, created, err := j.Reserve(context.Background(), o, admitAll)
	if err != nil || !created {
		t.Fatalf("reserve %s: created %t, error %v", o.ID, created, err)
	}
	return stored
}

// sibling connects to the same servers as another process would.
func sibling(t testing.TB, s *Store) *Store {
	t.Helper()
	other := newStore(s.connect)
	t.Cleanup(func() { _ = other.Close() }) // a test may have closed it
	return other
}

// mustLead makes the process of j lead.
func mustLead(t rapid.TB, j *Journal) (led context.Context, release func()) {
	t.Helper()
	led, release, err := j.Lead(context.Background())
	if err != nil {
		t.Fatalf("lead: %v", err)
	}
	return led, release
}

// leader gives a journal of s that leads until the test ends.
func leader(t testing.TB, s *Store) *Journal {
	t.Helper()
	j := s.Journal("live")
	_, release := mustLead(t, j)
	t.Cleanup(release)
	return j
}

// contents is all that a journal tells.
type contents struct {
	Orders  []execution.Order
	Usage   execution.Usage
	Totals  execution.Totals
	Books   [2]execution.Books
	Trading execution.Trading
}

func read(t rapid.TB, j *Journal) (c contents) {
	t.Helper()
	ctx := context.Background()
	var errs [6]error
	c.Orders, errs[0] = j.List(ctx, execution.Query{})
	c.Usage, errs[1] = j.Usage(ctx, began)
	c.Totals, errs[2] = j.Totals(ctx)
	c.Books[0], errs[3] = j.Books(ctx, pricing.SkinsBack)
	c.Books[1], errs[4] = j.Books(ctx, pricing.SIH)
	c.Trading, errs[5] = j.Trading(ctx)
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatalf("read the journal: %v", err)
	}
	return c
}

func wantContents(t rapid.TB, j *Journal, want contents) {
	t.Helper()
	if d := cmp.Diff(want, read(t, j), cmpopts.EquateEmpty()); d != "" {
		t.Errorf("the journal (-want +got):\n%s", d)
	}
}

// writes are the methods that write orders: known is moved, and nothing else is
// there yet.
func writes(j *Journal, known execution.Order) map[string]func() error {
	ctx := context.Background()
	return map[string]func() error{
		"Reserve":   func() error { _, _, err := j.Reserve(ctx, wish(901), admitAll); return err },
		"Advance":   func() error { _, err := j.Advance(ctx, first(to(known, execution.Sent)), execution.Step{}); return err },
		"Adopt":     func() error { _, err := j.Adopt(ctx, wish(902)); return err },
		"OpenBooks": func() error { return j.OpenBooks(ctx, pricing.SIH, pricing.Dollar, began) },
	}
}

// ordersOnly is writes and the same methods where they would write nothing even
// if they were allowed to.
func ordersOnly(j *Journal, known execution.Order) map[string]func() error {
	ctx := context.Background()
	calls := writes(j, known)
	calls["Reserve of a known order"] = func() error { _, _, err := j.Reserve(ctx, known, admitAll); return err }
	calls["Adopt of a known order"] = func() error { _, err := j.Adopt(ctx, known); return err }
	calls["Advance of no order"] = func() error { _, err := j.Advance(ctx, wish(903), execution.Step{}); return err }
	calls["Advance of an old revision"] = func() error {
		old := known
		old.Rev--
		_, err := j.Advance(ctx, old, execution.Step{})
		return err
	}
	return calls
}

func first[A, B any](a A, _ B) A { return a }

// others are the methods that everybody may call.
func others(j *Journal, known execution.OrderID) map[string]func() error {
	ctx := context.Background()
	return map[string]func() error{
		"Get":        func() error { _, err := j.Get(ctx, known); return err },
		"List":       func() error { _, err := j.List(ctx, execution.Query{}); return err },
		"List ref":   func() error { _, err := j.List(ctx, execution.Query{MarketRef: "7"}); return err },
		"List after": func() error { _, err := j.List(ctx, execution.Query{After: known}); return err },
		"Usage":      func() error { _, err := j.Usage(ctx, began); return err },
		"Totals":     func() error { _, err := j.Totals(ctx); return err },
		"Books":      func() error { _, err := j.Books(ctx, pricing.SIH); return err },
		"Trading":    func() error { _, err := j.Trading(ctx); return err },
		"SetTrading": func() error { return j.SetTrading(ctx, execution.Trading{}) },
		"Ping":       func() error { return j.Ping(ctx) },
	}
}

func TestJournal(t *testing.T) {
	servers(t, func(t *testing.T, open func(rapid.TB) *Store) {
		storetest.Journal(t, func(t *testing.T) (execution.Journal, func() execution.Journal) {
			s := open(t)
			t.Cleanup(closing(t, s))
			j := s.Journal("live")
			_, release := mustLead(t, j)
			t.Cleanup(func() { release() })
			return j, func() execution.Journal {
				release()
				j = sibling(t, s).Journal("live")
				_, release = mustLead(t, j)
				return j
			}
		})
	})
}

func TestJournalsOfTwoNamesShareNothing(t *testing.T) {
	s := embedded(t)
	t.Cleanup(closing(t, s))
	live, paper := leader(t, s), s.Journal("paper")
	_, release := mustLead(t, paper) // although live is led
	defer release()
	empty := read(t, paper)
	mustReserve(t, live, wish(1))
	if err := live.SetTrading(t.Context(), execution.Trading{Stopped: true}); err != nil {
		t.Fatalf("stop live: %v", err)
	}
	wantContents(t, paper, empty)
	mustReserve(t, paper, wish(1))
}

func TestReferencesAreNotMixedUp(t *testing.T) {
	s := embedded(t)
	t.Cleanup(closing(t, s))
	j := leader(t, s)
	refs := []string{"7", "70", "", "7:0", "7;", "\xff\x00", "7"}
	want := map[string][]execution.OrderID{}
	for n, ref := range refs {
		o := wish(n)
		o.CreatedAt = began.Add(time.Duration(n) * time.Second)
		moved, step := to(mustReserve(t, j, o), execution.Placed)
		moved.MarketRef = ref
		if n == 1 { // one that changes is found by its new one only
			moved.MarketRef = "8"
			var err error
			if moved, err = j.Advance(t.Context(), moved, step); err != nil {
				t.Fatalf("advance: %v", err)
			}
			moved.MarketRef = ref
		}
		if _, err := j.Advance(t.Context(), moved, step); err != nil {
			t.Fatalf("advance: %v", err)
		}
		want[ref] = append([]execution.OrderID{o.ID}, want[ref]...)
	}
	want["8"] = nil
	delete(want, "") // selects all
	for ref, ids := range want {
		got, err := j.List(t.Context(), execution.Query{MarketRef: ref})
		if err != nil {
			t.Fatalf("list %q: %v", ref, err)
		}
		var gotIDs []execution.OrderID
		for _, o := range got {
			gotIDs = append(gotIDs, o.ID)
		}
		if d := cmp.Diff(ids, gotIDs); d != "" {
			t.Errorf("orders of reference %q (-want +got):\n%s", ref, d)
		}
	}
	page, err := j.List(t.Context(), execution.Query{MarketRef: "7", After: want["7"][0]})
	if err != nil || len(page) != 1 || page[0].ID != want["7"][1] {
		t.Errorf("orders of reference 7 after the first: got %v, %v, want the second", page, err)
	}
}

// What a journal cannot index is refused, and not half written.
func TestUnknownMarketsAndStatesAreRefused(t *testing.T) {
	s := embedded(t)
	t.Cleanup(closing(t, s))
	j := leader(t, s)
	stored := mustReserve(t, j, wish(1))
	before := read(t, j)
	strange := wish(2)
	strange.Market = "bazaar"
	if _, _, err := j.Reserve(t.Context(), strange, admitAll); err == nil || !strings.Contains(err.Error(), "bazaar") {
		t.Errorf("reserve on an unknown market: got %v, want an error that names it", err)
	}
	if _, err := j.Adopt(t.Context(), strange); err == nil {
		t.Error("adopt from an unknown market: no error")
	}
	if _, err := j.Advance(t.Context(), first(to(stored, "lent")), execution.Step{}); err == nil {
		t.Error("advance to an unknown state: no error")
	}
	wantContents(t, j, before)
}

// A value that another program damaged is told, not skipped: a limit that does
// not see an order is none.
func TestDamagedOrdersAreTold(t *testing.T) {
	for name, damage := range map[string]func(j *Journal, id string) error{
		"cut": func(j *Journal, id string) error {
			return j.store.client.HSet(context.Background(), j.keys.orders, id, "o\x01").Err()
		},
		"gone": func(j *Journal, id string) error {
			return j.store.client.HDel(context.Background(), j.keys.orders, id).Err()
		},
		"of a newer": func(j *Journal, id string) error {
			return j.store.client.HSet(context.Background(), j.keys.orders, id, "o\x02").Err()
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := embedded(t)
			t.Cleanup(closing(t, s))
			j := leader(t, s)
			o := mustReserve(t, j, wish(1))
			if err := damage(j, string(o.ID)); err != nil {
				t.Fatalf("damage: %v", err)
			}
			if _, err := j.Usage(t.Context(), began); err == nil {
				t.Error("usage: no error")
			}
			if _, err := j.List(t.Context(), execution.Query{}); err == nil {
				t.Error("list: no error")
			}
			if _, created, err := j.Reserve(t.Context(), wish(2), admitAll); err == nil || created {
				t.Errorf("reserve: created %t, error %v, want an error", created, err)
			}
		})
	}
}

func TestAJournalOfANewerProgramIsRefused(t *testing.T) {
	s := embedded(t)
	t.Cleanup(closing(t, s))
	j := leader(t, s)
	if err := s.client.HSet(t.Context(), j.keys.head, "layout", "2").Err(); err != nil {
		t.Fatalf("write the layout: %v", err)
	}
	if _, err := s.Journal("live").Trading(t.Context()); !errors.Is(err, errNewer) {
		t.Errorf("got %v, want errNewer", err)
	}
}
