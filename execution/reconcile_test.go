package execution_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"skinarb/execution"
	"skinarb/pricing"
)

func TestReconcile(t *testing.T) {
	bubble(t, execution.Config{}, func(t *testing.T, x *execution.Executor, j *memJournal, m *fakeMarket) {
		ours := buy(t, x, wish(1, pricing.Dollar), execution.Placed)
		now := time.Now()
		name := "★ Karambit | Doppler Phase 2 (Factory New)"
		m.mu.Lock()
		m.foreign = []execution.Evidence{
			{MarketRef: "70065", Event: execution.OnDelivered, MarketName: name, Paid: 300 * pricing.Dollar, At: now.Add(-time.Hour)},
			{ID: "bot-7", MarketRef: "70066", Event: execution.OnPlaced, MarketName: "x", Paid: 2 * pricing.Dollar, At: now.Add(time.Hour)},
			{ID: "sa-forgotten", MarketRef: "70067", Status: "odd", MarketName: "y"},
			{MarketRef: "70068", Event: execution.OnFailed, MarketName: "z", Paid: pricing.Dollar, At: now.Add(-48 * time.Hour)},
			{MarketRef: m.ledger[ours.ID].ev.MarketRef, Event: execution.OnDelivering}, // ours, told without our ID
			{Event: execution.OnPlaced}, // no key at all
		}
		m.mu.Unlock()
		time.Sleep(6 * time.Minute)

		for id, want := range map[execution.OrderID]execution.State{
			"ext-skinsback-70065": execution.Delivered,
			"ext-skinsback-70066": execution.Placed,
			"sa-forgotten":        execution.Placed,
			"ext-skinsback-70068": execution.Failed,
		} {
			if got := state(t, j, id); got != want {
				t.Errorf("%s: got %q, want %s", id, got, want)
			}
		}
		all, err := j.List(t.Context(), execution.Query{})
		if err != nil || len(all) != 5 {
			t.Errorf("%d orders, error %v, want 5: each purchase once", len(all), err)
		}
		knife, err := j.Get(t.Context(), "ext-skinsback-70065")
		if err != nil || knife.Item.Phase != pricing.Phase2 || knife.Paid != 300*pricing.Dollar || !knife.SpentAt.Equal(now.Add(-time.Hour)) {
			t.Errorf("adopted %+v, error %v, want the item, the price and the time that the market told", knife, err)
		}
		failed, err := j.Get(t.Context(), "ext-skinsback-70068")
		if err != nil || failed.Refunded != pricing.Dollar {
			t.Errorf("adopted %+v, error %v, want its money given back", failed, err)
		}
		future, err := j.Get(t.Context(), "ext-skinsback-70066")
		if err != nil || future.SpentAt.After(time.Now()) {
			t.Errorf("adopted at %s, error %v, want no time to come", future.SpentAt, err)
		}
		u, err := j.Usage(t.Context(), time.Now())
		if err != nil || u.Day != 303*pricing.Dollar {
			t.Errorf("%s spent in a day, error %v, want what others bought to count: 303.00", u.Day, err)
		}
		m.mu.Lock()
		m.foreign[0].Event = execution.OnRolledBack
		m.mu.Unlock()
		time.Sleep(6 * time.Minute)
		if got := state(t, j, "ext-skinsback-70065"); got != execution.RolledBack {
			t.Errorf("later news of an adopted purchase: got %s, want rolled back", got)
		}
	})
}

// untilBefore is a market whose history leaves out what is older than it was
// asked for, as the markets' own do.
type untilBefore struct{ *fakeMarket }

func (f untilBefore) History(ctx context.Context, since time.Time) ([]execution.Evidence, error) {
	evs, err := f.fakeMarket.History(ctx, since)
	return slices.DeleteFunc(evs, func(ev execution.Evidence) bool { return ev.At.Before(since) }), err
}

// TestOthersPurchasesEnd: what others bought is followed until its protection is
// over, and holds no money in the limits after that.
func TestOthersPurchasesEnd(t *testing.T) {
	bubbleOver(t, func() untilBefore { return untilBefore{newFake(pricing.SkinsBack)} }, execution.Config{}, func(t *testing.T, x *execution.Executor, j *memJournal, m untilBefore) {
		now := time.Now()
		m.mu.Lock()
		m.foreign = []execution.Evidence{
			{MarketRef: "70065", Event: execution.OnDelivered, MarketName: "x", Paid: 99 * pricing.Dollar, At: now},
			{MarketRef: "70066", Event: execution.OnDelivered, MarketName: "y", Paid: pricing.Dollar, At: now},
		}
		m.mu.Unlock()
		time.Sleep(3 * 24 * time.Hour)
		m.mu.Lock()
		m.foreign[1].Event = execution.OnRolledBack
		m.mu.Unlock()
		time.Sleep(6 * 24 * time.Hour)
		for id, want := range map[execution.OrderID]execution.State{
			"ext-skinsback-70065": execution.Settled,
			"ext-skinsback-70066": execution.RolledBack,
		} {
			if got := state(t, j, id); got != want {
				t.Errorf("%s: got %q, want %s", id, got, want)
			}
		}
		if u, err := j.Usage(t.Context(), time.Now()); err != nil || u.Locked != 0 {
			t.Errorf("%s locked, error %v, want none", u.Locked, err)
		}
	})
}

// TestReconcileFindsForgotten: the journal is lost, the strategy finds the same
// opportunity, and it is not bought again.
func TestReconcileFindsForgotten(t *testing.T) {
	bubble(t, execution.Config{}, func(t *testing.T, x *execution.Executor, j *memJournal, m *fakeMarket) {
		r := wish(1, pricing.Dollar)
		m.buy(execution.Order{ID: r.ID(), Request: r})
		time.Sleep(6 * time.Minute)
		r.ExpiresAt = time.Now().Add(time.Minute)
		buy(t, x, r, execution.Placed)
		m.wantOnce(t)
		if n := m.times("Place"); n != 0 {
			t.Errorf("%d requests, want none", n)
		}
	})
}

// TestGameOfAnAdoptedPurchase: the market tells a name and no game.
func TestGameOfAnAdoptedPurchase(t *testing.T) {
	for name, tc := range map[string]struct {
		gameOf func(pricing.Market, string) pricing.Game
		want   pricing.Game
	}{
		"nobody knows": {nil, pricing.CS2},
		"the book": {func(m pricing.Market, name string) pricing.Game {
			return map[string]pricing.Game{"skinsback Metal Facemask": pricing.Rust}[string(m)+" "+name]
		}, pricing.Rust},
	} {
		synctest.Test(t, func(t *testing.T) {
			j, m := newMemJournal(), newFake(pricing.SkinsBack)
			x := newExecutor(t, execution.Config{Markets: []execution.Market{m}, Journal: j, GameOf: tc.gameOf})
			m.foreign = []execution.Evidence{{MarketRef: "70066", Event: execution.OnPlaced, MarketName: "Metal Facemask", Paid: pricing.Dollar, At: time.Now()}}
			stop := run(t, x)
			time.Sleep(10 * time.Minute)
			stop()
			o, err := j.Get(t.Context(), "ext-skinsback-70066")
			if err != nil || o.Item.Game != tc.want || o.Item.Name != "Metal Facemask" {
				t.Errorf("%s: got %+v, %v, want an item of %s", name, o.Item, err, tc.want)
			}
		})
	}
}
