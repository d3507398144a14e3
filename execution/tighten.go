package execution

import (
	"fmt"
	"maps"
	"strings"

	"skinarb/pricing"
)

// LoosenError says which limits a change would have loosened. Only a restart
// may: whoever can reach a running trader must not be able to raise what it may
// lose.
type LoosenError struct{ Rules []string }

func (e *LoosenError) Error() string {
	return "a running trader's limits can only be made smaller; these would be looser: " + strings.Join(e.Rules, ", ")
}

// Limits gives the limits in force.
func (x *Executor) Limits() Limits { return *x.limits.Load() }

// Tighten puts smaller limits in force, for every reservation from now on and
// for what was planned at a cost above them; what was sent stays. It changes
// nothing and returns a *LoosenError if any of them is looser than now.
func (x *Executor) Tighten(to Limits, by string) error {
	x.tightening.Lock()
	defer x.tightening.Unlock()
	from := x.Limits()
	if looser := from.Looser(to); len(looser) > 0 {
		return &LoosenError{looser}
	}
	changed := to.Looser(from) // what was looser before
	if len(changed) == 0 {
		return nil
	}
	to.Markets = maps.Clone(to.Markets)
	x.limits.Store(&to)
	x.log.Warn("limits tightened", "by", clip(by), "rules", changed, "from", fmt.Sprintf("%+v", from), "to", fmt.Sprintf("%+v", to))
	x.cfg.Notify(Notice{Kind: NoticeTightened, Text: fmt.Sprintf("limits tightened by %s: %s", clip(by), strings.Join(changed, ", "))})
	return nil
}

// Looser names the limits of to that allow more than those of l.
func (l Limits) Looser(to Limits) (rules []string) {
	money := func(rule string, from, to pricing.Money) {
		if from > 0 && (to == 0 || to > from) { // 0 is no limit
			rules = append(rules, rule)
		}
	}
	money("max_order", l.Order, to.Order)
	money("max_day", l.Day, to.Day)
	money("max_locked", l.Locked, to.Locked)
	if to.OpenOrders > l.OpenOrders {
		rules = append(rules, "max_open_orders")
	}
	if to.ItemUnits > l.ItemUnits {
		rules = append(rules, "max_item_units")
	}
	if to.MinBalance < l.MinBalance {
		rules = append(rules, "min_balance")
	}
	for _, m := range pricing.Markets {
		from, to := l.Markets[m], to.Markets[m]
		money(onMarket("max_day", m), from.Day, to.Day)
		money(onMarket("max_locked", m), from.Locked, to.Locked)
		if from.OpenOrders > 0 && (to.OpenOrders == 0 || to.OpenOrders > from.OpenOrders) {
			rules = append(rules, onMarket("max_open_orders", m))
		}
		if to.MinBalance < from.MinBalance {
			rules = append(rules, onMarket("min_balance", m))
		}
	}
	return rules
}

// Tightest gives the smaller one of each limit.
func (l Limits) Tightest(other Limits) Limits {
	money := func(a, b pricing.Money) pricing.Money {
		if a == 0 || b != 0 && b < a {
			return b
		}
		return a
	}
	out := Limits{
		Order: money(l.Order, other.Order), Day: money(l.Day, other.Day), Locked: money(l.Locked, other.Locked),
		OpenOrders: min(l.OpenOrders, other.OpenOrders), ItemUnits: min(l.ItemUnits, other.ItemUnits),
		MinBalance: max(l.MinBalance, other.MinBalance), Markets: map[pricing.Market]MarketLimits{},
	}
	for _, m := range pricing.Markets {
		a, b := l.Markets[m], other.Markets[m]
		open := a.OpenOrders
		if open == 0 || b.OpenOrders != 0 && b.OpenOrders < open {
			open = b.OpenOrders
		}
		out.Markets[m] = MarketLimits{
			Day: money(a.Day, b.Day), Locked: money(a.Locked, b.Locked),
			OpenOrders: open, MinBalance: max(a.MinBalance, b.MinBalance),
		}
	}
	return out
}

// onMarket names a rule of one market's own.
func onMarket(rule string, m pricing.Market) string { return rule + "_" + string(m) }
