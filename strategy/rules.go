package strategy

import (
	"fmt"
	"strings"
	"time"

	"skinarb/pricing"
)

// facts is all that the rules judge: one item, bought on one market and sold on
// the other. Markets are indexes into pair.
type facts struct {
	rules *Rules
	item  pricing.Item
	buyOn int
	legs  [2]leg // by market

	figures

	reference pricing.Money // 0 when there is none
	refSource string

	now   time.Time
	units agreement
}

// leg is one market's side.
type leg struct {
	ask   pricing.Money // 0 where the item is not on offer at a price
	count int

	// Only filled when a question is answered.
	observedAt time.Time
	feed       pricing.FeedStatus
}

func (f *facts) buy() *leg                  { return &f.legs[f.buyOn] }
func (f *facts) sell() *leg                 { return &f.legs[1-f.buyOn] }
func (f *facts) buyMarket() pricing.Market  { return pair[f.buyOn] }
func (f *facts) sellMarket() pricing.Market { return pair[1-f.buyOn] }

// offered tells whether both asks are there.
func (f *facts) offered() bool { return f.legs[0].ask > 0 && f.legs[1].ask > 0 }

// figures is what a purchase comes to.
type figures struct {
	cost, proceeds, profit pricing.Money
	edge, perDay           int64 // basis points
}

// terms is what one direction of trading costs.
type terms struct {
	buy, sell pricing.Fees
	days      pricing.Money // a number of days, in the type it is multiplied with
}

// termsOf gives the terms by the market that is bought on.
func termsOf(r *Rules) [2]terms {
	var t [2]terms
	for m := range pair {
		t[m] = terms{r.Fees[pair[m]], r.Fees[pair[1-m]], pricing.Money(r.LockDays[pair[m]])}
	}
	return t
}

// profit calculates as much as nearly every item needs; returns does the rest.
func (t *terms) profit(buy, sell pricing.Money) figures {
	var g figures
	g.cost = t.buy.Cost(buy)
	g.proceeds = t.sell.Proceeds(sell)
	g.profit = g.proceeds - g.cost
	return g
}

// figures gives all of them.
func (t *terms) figures(buy, sell pricing.Money) figures {
	g := t.profit(buy, sell)
	t.returns(&g)
	return g
}

func (t *terms) returns(g *figures) {
	if g.cost > 0 {
		g.edge = pricing.Bps(g.profit, g.cost)
		g.perDay = pricing.Bps(g.profit, g.cost*t.days)
	}
}

// rule is one condition of an opportunity.
type rule struct {
	name string
	// timed rules hang on time and on the feeds, not on the item; they are judged
	// when a question is answered. The others hold until the listings, the rules
	// or the references change.
	timed bool
	// needs is that both asks are known.
	needs  bool
	pass   func(f *facts) bool
	detail func(f *facts) string
}

// rules is every condition, in the order in which verdicts are given.
var rules = []rule{
	{
		name: "phase_known",
		pass: func(f *facts) bool { return f.item.Phase != pricing.UnknownPhase },
		detail: func(f *facts) string {
			switch f.item.Phase {
			case pricing.NoPhase:
				return "the item has no phases"
			case pricing.UnknownPhase:
				return "the offer does not tell its phase"
			}
			return string(f.item.Phase)
		},
	},
	{
		name: "on_offer",
		pass: (*facts).offered,
		detail: func(f *facts) string {
			return says(f.buyMarket(), f.buy()) + ", " + says(f.sellMarket(), f.sell())
		},
	},
	{
		name: "in_stock",
		pass: func(f *facts) bool { return f.buy().ask > 0 && f.buy().count > 0 },
		detail: func(f *facts) string {
			switch {
			case f.buy().ask <= 0:
				return says(f.buyMarket(), f.buy())
			case f.buy().count == pricing.CountUnknown:
				return "count not told"
			}
			return fmt.Sprintf("%d on %s", f.buy().count, f.buyMarket())
		},
	},
	{
		name: "buy_fresh", timed: true,
		pass:   func(f *facts) bool { return f.fresh(f.buy()) },
		detail: func(f *facts) string { return f.age(f.buy()) },
	},
	{
		name: "sell_fresh", timed: true,
		pass:   func(f *facts) bool { return f.fresh(f.sell()) },
		detail: func(f *facts) string { return f.age(f.sell()) },
	},
	{
		name: "buy_feed_healthy", timed: true,
		pass:   func(f *facts) bool { return f.state(f.buy()) == pricing.Fresh },
		detail: func(f *facts) string { return f.health(f.buy()) },
	},
	{
		name: "sell_feed_healthy", timed: true,
		pass:   func(f *facts) bool { return f.state(f.sell()) == pricing.Fresh },
		detail: func(f *facts) string { return f.health(f.sell()) },
	},
	{
		name: "markets_agree", timed: true,
		pass:   func(f *facts) bool { return f.units.holds() },
		detail: func(f *facts) string { return f.units.String() },
	},
	{
		name: "buy_reference", needs: true,
		pass:   func(f *facts) bool { return f.plausible(f.buy()) },
		detail: func(f *facts) string { return f.against(f.buy()) },
	},
	{
		name: "sell_reference", needs: true,
		pass:   func(f *facts) bool { return f.plausible(f.sell()) },
		detail: func(f *facts) string { return f.against(f.sell()) },
	},
	{
		name: "max_edge", needs: true,
		pass: func(f *facts) bool { return f.reference > 0 || f.edge <= f.rules.MaxEdgeBps },
		detail: func(f *facts) string {
			if f.reference > 0 {
				return "does not apply: there is a reference price"
			}
			return fmt.Sprintf("edge %d bps, at most %d without a reference price", f.edge, f.rules.MaxEdgeBps)
		},
	},
	{
		name: "allowed",
		pass: func(f *facts) bool { return f.rules.Allow == nil || f.rules.Allow.Match(f.item) },
		detail: func(f *facts) string {
			if f.rules.Allow == nil {
				return "no list: all are allowed"
			}
			return fmt.Sprintf("%t by a list of %d", f.rules.Allow.Match(f.item), f.rules.Allow.Len())
		},
	},
	{
		name: "not_denied",
		pass: func(f *facts) bool { return !f.rules.Deny.Match(f.item) },
		detail: func(f *facts) string {
			if f.rules.Deny == nil {
				return "no list: none is denied"
			}
			return fmt.Sprintf("%t by a list of %d", !f.rules.Deny.Match(f.item), f.rules.Deny.Len())
		},
	},
	{
		name: "min_profit", needs: true,
		pass: func(f *facts) bool { return f.profit >= f.rules.MinProfit },
		detail: func(f *facts) string {
			return fmt.Sprintf("cost %s, proceeds %s, profit %s, at least %s", f.cost, f.proceeds, f.profit, f.rules.MinProfit)
		},
	},
	{
		name: "min_edge", needs: true,
		pass:   func(f *facts) bool { return f.cost > 0 && f.edge >= f.rules.MinEdgeBps },
		detail: func(f *facts) string { return fmt.Sprintf("edge %d bps, at least %d", f.edge, f.rules.MinEdgeBps) },
	},
}

// fresh takes a quote that seems to come from the future for as bad as an old
// one: a clock is wrong, and its true age unknown.
func (f *facts) fresh(l *leg) bool {
	age := f.now.Sub(l.observedAt)
	return !l.observedAt.IsZero() && max(age, -age) <= f.rules.MaxAge
}

func (f *facts) age(l *leg) string {
	if l.observedAt.IsZero() {
		return "no catalog was seen"
	}
	return fmt.Sprintf("seen %s ago, at most %s", f.now.Sub(l.observedAt).Round(time.Millisecond), f.rules.MaxAge)
}

func (f *facts) state(l *leg) pricing.FeedState { return l.feed.Judge(f.now, f.rules.MaxAge) }

func (f *facts) health(l *leg) string {
	s := "the feed is " + string(f.state(l))
	if l.feed.Reason != "" {
		s += ": " + l.feed.Reason
	}
	return s
}

// plausible multiplies where it could divide, so nothing is rounded.
func (f *facts) plausible(l *leg) bool {
	ratio := pricing.Money(f.rules.MaxRatio)
	return f.reference == 0 || l.ask <= ratio*f.reference && l.ask*ratio >= f.reference
}

func (f *facts) against(l *leg) string {
	if f.reference == 0 {
		return "no reference price"
	}
	return fmt.Sprintf("ask %s, reference %s (%s), at most %d times either way", l.ask, f.reference, f.refSource, f.rules.MaxRatio)
}

func says(m pricing.Market, l *leg) string {
	if l.ask <= 0 {
		return string(m) + " does not offer it"
	}
	return fmt.Sprintf("%s asks %s", m, l.ask)
}

// holds judges one rule.
func (r *rule) holds(f *facts) bool { return (!r.needs || f.offered()) && r.pass(f) }

// lasting tells whether every rule passes that is not timed.
func (f *facts) lasting() bool {
	for i := range rules {
		if r := &rules[i]; !r.timed && !r.holds(f) {
			return false
		}
	}
	return true
}

// open tells whether every timed rule passes.
func (f *facts) open() bool {
	for i := range rules {
		if r := &rules[i]; r.timed && !r.holds(f) {
			return false
		}
	}
	return true
}

// verdicts gives every rule's word.
func (f *facts) verdicts() []Verdict {
	out := make([]Verdict, len(rules))
	for i := range rules {
		r := &rules[i]
		v := Verdict{Buy: f.buyMarket(), Sell: f.sellMarket(), Rule: r.name, Pass: r.holds(f)}
		if r.needs && !f.offered() {
			v.Detail = "not judged: both markets must offer it"
		} else {
			v.Detail = r.detail(f)
		}
		out[i] = v
	}
	return out
}

// RefusedError says which rules forbid a purchase, at least one.
type RefusedError struct {
	Failed []Verdict
}

func (e *RefusedError) Error() string {
	var b strings.Builder
	b.WriteString("the strategy refuses")
	for i, v := range e.Failed {
		b.WriteString([]string{": ", "; "}[min(i, 1)])
		b.WriteString(v.Rule + " (" + v.Detail + ")")
	}
	return b.String()
}
