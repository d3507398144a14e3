package storetest

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"skinarb/execution"
	"skinarb/pricing"
)

// journalGate: however reservations, purchases, refusals, refunds, crashes and
// the passing of time interleave, no reservation exceeds a limit that is in
// force. What is used of the limits is counted here from the orders, and not by
// execution.Usage.
func journalGate(t *testing.T, open OpenJournal) {
	rapid.Check(t, func(rt *rapid.T) {
		j, reopen := open(t)
		g := &gate{j: j, now: journalStart, limits: drawLimits(rt), held: map[pricing.Market]pricing.Money{}}
		for _, m := range pricing.Markets {
			g.held[m] = pricing.Money(rapid.IntRange(0, 30).Draw(rt, "held")) * pricing.Dollar
		}
		rt.Repeat(map[string]func(*rapid.T){
			"reserve": g.reserve,
			"move":    g.move,
			"wait": func(rt *rapid.T) {
				g.now = g.now.Add(time.Duration(rapid.IntRange(1, 20).Draw(rt, "hours")) * time.Hour)
			},
			"crash":   func(*rapid.T) { g.j = reopen() },
			"tighten": func(rt *rapid.T) { g.limits = g.limits.Tightest(drawLimits(rt)) },
		})
	})
}

// gate is a journal, what the accounts began with, and the limits in force.
type gate struct {
	j      execution.Journal
	now    time.Time
	limits execution.Limits
	held   map[pricing.Market]pricing.Money
	n      uint64 // requests so far
}

func drawLimits(t *rapid.T) execution.Limits {
	money := func(what string, most int) pricing.Money {
		return pricing.Money(rapid.IntRange(0, most).Draw(t, what)) * pricing.Dollar
	}
	count := func(what string) int { return rapid.IntRange(0, 12).Draw(t, what) }
	l := execution.Limits{
		Order: money("order", 9), Day: money("day", 30), Locked: money("locked", 30),
		OpenOrders: count("open"), ItemUnits: count("units"), MinBalance: money("floor", 10),
		Markets: map[pricing.Market]execution.MarketLimits{},
	}
	for _, m := range pricing.Markets {
		l.Markets[m] = execution.MarketLimits{Day: money("day there", 30), Locked: money("locked there", 30), OpenOrders: count("open there"), MinBalance: money("floor there", 10)}
	}
	return l
}

// reserve plans some orders at the same time, and counts afterwards if any was.
func (g *gate) reserve(t *rapid.T) {
	var wishes []execution.Order
	for range rapid.IntRange(1, 4).Draw(t, "at once") {
		g.n++
		o := journalOrder(1)
		o.Market = rapid.SampledFrom(pricing.Markets).Draw(t, "market")
		o.Item = journalItem(rapid.IntRange(1, 3).Draw(t, "item"))
		o.Cost = pricing.Money(rapid.IntRange(1, 10).Draw(t, "cost")) * pricing.Dollar
		o.Ask, o.Since = o.Cost, g.n
		if rapid.IntRange(0, 4).Draw(t, "an old wish") == 0 {
			o.Since = 1
		}
		o.ID, o.CreatedAt, o.UpdatedAt = o.Request.ID(), g.now, g.now
		wishes = append(wishes, o)
	}
	left := g.left(g.orders(t))
	created := make([]bool, len(wishes))
	var all sync.WaitGroup
	for i, o := range wishes {
		all.Go(func() {
			var err error
			_, created[i], err = g.j.Reserve(t.Context(), o, func(u execution.Usage) error {
				return g.limits.Admit(o.Request, u, left[o.Market])
			})
			var over *execution.LimitError
			if err != nil && !errors.As(err, &over) {
				t.Errorf("reserve: %v", err)
			}
		})
	}
	all.Wait()
	if slices.Contains(created, true) {
		g.count(t, wishes, created)
	}
}

// move takes an order one step on, as the table of states allows. That a market
// takes money for what it refused is nothing that a gate could keep it from.
func (g *gate) move(t *rapid.T) {
	orders := slices.DeleteFunc(g.orders(t), func(o execution.Order) bool {
		return o.State == execution.Cancelled || o.State == execution.Rejected
	})
	if len(orders) == 0 {
		t.Skip("nothing can move")
	}
	o := rapid.SampledFrom(orders).Draw(t, "order")
	e := rapid.SampledFrom(execution.Events).Draw(t, "event")
	to, err := o.State.Next(e)
	if err != nil {
		t.Skip("no such arrow")
	}
	o.State, o.UpdatedAt = to, g.now
	if tookMoney(o) && o.SpentAt.IsZero() {
		o.SpentAt = g.now
		o.Paid = o.Cost - pricing.Money(rapid.IntRange(0, 99).Draw(t, "cheaper"))*pricing.Cent
	}
	if _, err := g.j.Advance(t.Context(), o, execution.Step{At: g.now, State: to, Event: e}); err != nil {
		t.Fatalf("advance: %v", err)
	}
}

func (g *gate) orders(t *rapid.T) []execution.Order {
	orders, err := g.j.List(t.Context(), execution.Query{})
	if err != nil {
		t.Fatalf("list: %v", err)
	}
	return orders
}

// left is what the markets would say: what orders took is gone.
func (g *gate) left(orders []execution.Order) map[pricing.Market]pricing.Money {
	left := map[pricing.Market]pricing.Money{}
	for m, held := range g.held {
		left[m] = held
		for _, o := range orders {
			if o.Market == m {
				left[m] -= o.Paid
			}
		}
	}
	return left
}

func undecided(o execution.Order) bool {
	return o.State == execution.Planned || o.State == execution.Sent || o.State == execution.InDoubt
}

func tookMoney(o execution.Order) bool {
	return !undecided(o) && o.State != execution.Rejected && o.State != execution.Cancelled
}

func undelivered(o execution.Order) bool {
	return undecided(o) || o.State == execution.Placed || o.State == execution.Delivering
}

// count adds up every order and holds the sums against the limits.
func (g *gate) count(t *rapid.T, wishes []execution.Order, created []bool) {
	orders := g.orders(t)
	left := g.left(orders)
	today := func(o execution.Order) bool {
		return undecided(o) || tookMoney(o) && o.SpentAt.After(g.now.Add(-24*time.Hour))
	}
	unsettled := func(o execution.Order) bool { return undelivered(o) || o.State == execution.Delivered }
	sum := func(counts func(execution.Order) bool) (n int, money pricing.Money) {
		for _, o := range orders {
			if !counts(o) {
				continue
			}
			n++
			if o.Paid > 0 {
				money += o.Paid
			} else {
				money += o.Cost
			}
		}
		return n, money
	}
	atMost := func(what string, got, limit int64) {
		if got > limit {
			t.Fatalf("%s comes to %d, the limit is %d; orders %+v", what, got, limit, orders)
		}
	}
	optional := func(what string, got, limit int64) {
		if limit > 0 {
			atMost(what, got, limit)
		}
	}

	n, _ := sum(undelivered)
	atMost("open orders", int64(n), int64(g.limits.OpenOrders))
	_, money := sum(today)
	optional("spent in a day", int64(money), int64(g.limits.Day))
	_, money = sum(unsettled)
	optional("not settled", int64(money), int64(g.limits.Locked))
	for i, o := range wishes {
		if !created[i] {
			continue
		}
		optional("the cost", int64(o.Cost), int64(g.limits.Order))
		n, _ = sum(func(x execution.Order) bool {
			return x.Item == o.Item && today(x) && x.State != execution.Failed && x.State != execution.Penalized
		})
		atMost("units of an item", int64(n), int64(g.limits.ItemUnits))

		own := g.limits.Markets[o.Market]
		there := func(counts func(execution.Order) bool) (int, pricing.Money) {
			return sum(func(x execution.Order) bool { return x.Market == o.Market && counts(x) })
		}
		n, _ = there(undelivered)
		optional("open orders there", int64(n), int64(own.OpenOrders))
		_, money = there(today)
		optional("spent there in a day", int64(money), int64(own.Day))
		_, money = there(unsettled)
		optional("not settled there", int64(money), int64(own.Locked))
		_, money = there(undecided)
		if floor := max(g.limits.MinBalance, own.MinBalance); left[o.Market]-money < floor {
			t.Fatalf("%s would hold %s, the floor is %s; orders %+v", o.Market, left[o.Market]-money, floor, orders)
		}
	}
}
