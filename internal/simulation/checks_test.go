package simulation

import (
	"context"
	"slices"
	"strings"
	"time"

	"skinarb/execution"
	"skinarb/internal/marketsim"
	"skinarb/pricing"
)

// checks look at the market and the journal from outside, and at nothing that
// the executor says of itself.
type checks struct {
	stats         stats
	limitsChanged bool

	writes    int64 // of the journal, when it was last read
	orders    []execution.Order
	histories map[execution.OrderID][]execution.Step
	ceiling   ceiling
}

func (c *checks) begin() {
	c.histories = map[execution.OrderID][]execution.Step{}
	c.writes = -1
}

// ceiling is what may be used at the moment: the limits in force, or, since they
// were made smaller, what was used then and has not been given free.
type ceiling struct {
	all    execution.MarketUsage
	market map[pricing.Market]execution.MarketUsage
	units  map[pricing.Item]int
}

// raise gives the ceiling after limits came into force while u was used.
func raise(l execution.Limits, u execution.Usage) ceiling {
	c := ceiling{market: map[pricing.Market]execution.MarketUsage{}, units: map[pricing.Item]int{}}
	top := func(own execution.MarketLimits, used execution.MarketUsage) execution.MarketUsage {
		return execution.MarketUsage{Day: max(own.Day, used.Day), Locked: max(own.Locked, used.Locked), Open: max(own.OpenOrders, used.Open)}
	}
	c.all = top(execution.MarketLimits{Day: l.Day, Locked: l.Locked, OpenOrders: l.OpenOrders}, u.MarketUsage)
	for _, m := range pricing.Markets {
		own := l.Markets[m]
		const none = pricing.MaxMoney
		if own.Day == 0 {
			own.Day = none
		}
		if own.Locked == 0 {
			own.Locked = none
		}
		if own.OpenOrders == 0 {
			own.OpenOrders = int(none)
		}
		c.market[m] = top(own, u.ByMarket[m])
	}
	for it, n := range u.Units {
		c.units[it] = max(n, l.ItemUnits)
	}
	return c
}

// lower gives the ceiling now that u is used: what was given free counts no more.
func (c ceiling) lower(l execution.Limits, u execution.Usage) ceiling {
	least := func(a, b execution.MarketUsage) execution.MarketUsage {
		return execution.MarketUsage{Day: min(a.Day, b.Day), Locked: min(a.Locked, b.Locked), Open: min(a.Open, b.Open)}
	}
	now := execution.Usage{MarketUsage: least(c.all, u.MarketUsage), ByMarket: map[pricing.Market]execution.MarketUsage{}, Units: map[pricing.Item]int{}}
	for m := range c.market {
		now.ByMarket[m] = least(c.market[m], u.ByMarket[m])
	}
	for it, n := range u.Units {
		now.Units[it] = min(n, max(c.units[it], l.ItemUnits))
	}
	return raise(l, now)
}

// check sees whether every invariant holds at this instant.
func (s *sim) check() {
	c := &s.checks
	now := clock()
	if w := s.writes.Load(); w != c.writes {
		c.writes = w
		orders, err := s.journal.List(context.Background(), execution.Query{})
		if err != nil {
			s.violate("the journal cannot be read: %v", err)
			return
		}
		c.orders = orders
		for _, o := range orders {
			s.checkHistory(o)
		}
	}
	s.checkLimits(now)
	s.checkPurchases(now)
}

// checkHistory follows an order's moves through the table.
func (s *sim) checkHistory(o execution.Order) {
	c := &s.checks
	seen := c.histories[o.ID]
	c.histories[o.ID] = o.History
	if len(o.History) < len(seen) {
		s.violate("%s forgot some of its past: %d steps, it had %d", short(o.ID), len(o.History), len(seen))
		return
	}
	if len(o.History) == 0 || o.History[len(o.History)-1].State != o.State {
		s.violate("%s is %s and its history does not end so: %v", short(o.ID), o.State, o.History)
		return
	}
	for i := max(1, len(seen)); i < len(o.History); i++ {
		from, step := o.History[i-1].State, o.History[i]
		if to, err := from.Next(step.Event); err != nil || to != step.State {
			s.violate("%s moved from %s by %s to %s, which the table does not have", short(o.ID), from, step.Event, step.State)
		}
		if step.State == execution.InDoubt {
			c.stats.doubts++
		}
	}
}

// checkLimits adds up what our own orders take. What somebody else bought counts
// for us, too, but nobody can keep that from happening.
func (s *sim) checkLimits(now time.Time) {
	c := &s.checks
	var own execution.Usage
	for _, o := range c.orders {
		if s.wished(o.ID) {
			own.Add(o, now)
		}
	}
	if c.limitsChanged {
		c.limitsChanged = false
		c.ceiling = raise(s.limits, own)
	}
	over := func(where string, used, top execution.MarketUsage) {
		if used.Day > top.Day || used.Locked > top.Locked || used.Open > top.Open {
			s.violate("over a limit %s: %s in a day of %s, %s locked of %s, %d open of %d", where, used.Day, top.Day, used.Locked, top.Locked, used.Open, top.Open)
		}
	}
	over("of all", own.MarketUsage, c.ceiling.all)
	for _, m := range pricing.Markets {
		over("of "+string(m), own.ByMarket[m], c.ceiling.market[m])
	}
	for it, n := range own.Units {
		if top := max(s.limits.ItemUnits, c.ceiling.units[it]); n > top {
			s.violate("%d units of %s in a day, the limit is %d", n, it, top)
		}
	}
	c.ceiling = c.ceiling.lower(s.limits, own)
}

// wished tells whether an order is for one of our wishes.
func (s *sim) wished(id execution.OrderID) bool {
	return slices.ContainsFunc(s.wishes, func(r execution.Request) bool { return r.ID() == id })
}

// checkPurchases compares what the markets sold with what the journal knows.
func (s *sim) checkPurchases(now time.Time) {
	c := &s.checks
	times := map[string]int{}
	var day pricing.Money
	for _, p := range s.world.Purchases() {
		if s.foreign[p.Market+p.Ref] {
			continue
		}
		id := execution.OrderID(p.CustomID)
		if times[p.CustomID]++; times[p.CustomID] > 1 {
			s.violate("%s was bought %d times", short(id), times[p.CustomID])
		}
		if !s.wished(id) {
			s.violate("%s sold something as %q, which nobody wished for", p.Market, p.CustomID)
		}
		if now.Sub(p.At) < execution.Day {
			day += pricing.Money(p.Debited)
		}
		i := slices.IndexFunc(c.orders, func(o execution.Order) bool { return o.ID == id })
		if i < 0 {
			s.violate("%s sold %s, which the journal does not have", p.Market, short(id))
		} else if o := c.orders[i]; !o.State.Spent() {
			s.violate("%s sold %s, which the journal calls %s", p.Market, short(id), o.State)
		}
	}
	if day > c.ceiling.all.Day {
		s.violate("the markets took %s in a day, the limit is %s", day, c.ceiling.all.Day)
	}
	c.stats.bought = len(times)
	if len(s.foreign) == 0 {
		for _, m := range pricing.Markets {
			if left := pricing.Money(s.world.Balance(sims[m])); left < min(s.plan.limits.MinBalance, pricing.Money(s.plan.world.Balance)) {
				s.violate("%s has %s left, the floor is %s", m, left, s.plan.limits.MinBalance)
			}
		}
	}
}

// purchaseLeaves is told when the first byte of a purchase request leaves.
func (s *sim) purchaseLeaves(l *life, what request) {
	if s.quiet.Load() {
		s.violate("a purchase leaves life %d after a stop: %s", l.number, what)
	}
	if l.dead.Load() {
		s.violate("a purchase leaves life %d, which is dead: %s", l.number, what)
	}
}

// purchaseActs is told when a market is about to act on a purchase request. One
// that it has sold already must not be asked for again: that a market would see
// the duplicate is its merit, not ours.
func (s *sim) purchaseActs(l *life, m pricing.Market, what request) {
	asked := strings.Split(what.about, "+")
	if len(asked) > 1 {
		s.batches.Add(1)
	}
	for _, p := range s.world.Purchases() {
		if p.Market == sims[m] && slices.Contains(asked, p.CustomID) && !s.foreign[p.Market+p.Ref] {
			s.violate("life %d asks %s for %s again, which is bought", l.number, m, p.CustomID)
		}
	}
}

// opened notes since when a market's books are kept, and whether they are opened
// while there are purchases already.
func (s *sim) opened(m pricing.Market) {
	s.since[m].CompareAndSwap(0, clock().Unix())
	if slices.ContainsFunc(s.world.Purchases(), func(p marketsim.Purchase) bool { return p.Market == sims[m] }) {
		s.amid[m].Store(true)
	}
}

// bought judges what Buy returned.
func (s *sim) bought(l *life, r execution.Request, o execution.Order, err error) {
	if l.dead.Load() || err != nil {
		return
	}
	if o.ID != r.ID() {
		s.violate("buy %s gave order %s", short(r.ID()), short(o.ID))
	}
}
