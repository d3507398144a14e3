package execution

import (
	"fmt"
	"time"

	"skinarb/pricing"
)

// Limits bound what may be spent, whatever the strategy finds. The zero Money
// means no limit, except in live mode, where settings demand the first two.
type Limits struct {
	Order      pricing.Money // most that one purchase may cost
	Day        pricing.Money // most in any rolling 24 h
	Locked     pricing.Money // most in purchases not yet settled
	OpenOrders int           // most purchases not yet delivered
	ItemUnits  int           // most units of one item in 24 h
	MinBalance pricing.Money // floor of each market's balance

	// Markets are limits of single markets, besides those of all together.
	Markets map[pricing.Market]MarketLimits
}

// MarketLimits bound what may be spent on one market. Zero means no limit of its
// own.
type MarketLimits struct {
	Day        pricing.Money
	Locked     pricing.Money
	OpenOrders int
	MinBalance pricing.Money // floor, besides that of all
}

// Day is the window of Limits.Day and Limits.ItemUnits.
const Day = 24 * time.Hour

// LimitError says which limit forbids an order. Rule is a stable name.
type LimitError struct {
	Rule   string
	Detail string
}

func (e *LimitError) Error() string { return e.Rule + ": " + e.Detail }

// Check is one rule's verdict on an order.
type Check struct {
	Rule   string
	Pass   bool
	Detail string
}

// Checks judges an order against every limit: cost more, given what is used
// and the balance of its market.
func (l Limits) Checks(r Request, u Usage, balance pricing.Money) []Check {
	money := func(rule string, amount, limit pricing.Money, what string) Check {
		if limit == 0 {
			return Check{rule, true, "no limit"}
		}
		return Check{rule, amount <= limit, fmt.Sprintf("%s would be %s of %s", what, amount, limit)}
	}
	here := u.ByMarket[r.Market]
	own := l.Markets[r.Market]
	left, floor := balance-here.Unrecorded-r.Cost, max(l.MinBalance, own.MinBalance)
	checks := []Check{
		money("max_order", r.Cost, l.Order, "the cost"),
		money("max_day", u.Day+r.Cost, l.Day, "spent in 24 h"),
		money("max_locked", u.Locked+r.Cost, l.Locked, "not yet settled"),
		{"max_open_orders", u.Open < l.OpenOrders, fmt.Sprintf("%d of %d are open", u.Open, l.OpenOrders)},
		{"max_item_units", u.Units[r.Item] < l.ItemUnits, fmt.Sprintf("%d of %d bought in 24 h", u.Units[r.Item], l.ItemUnits)},
		{"min_balance", left >= floor, fmt.Sprintf("%s would be left at %s, the floor is %s", left, r.Market, floor)},
	}
	if own.Day > 0 {
		checks = append(checks, money(onMarket("max_day", r.Market), here.Day+r.Cost, own.Day, "spent there in 24 h"))
	}
	if own.Locked > 0 {
		checks = append(checks, money(onMarket("max_locked", r.Market), here.Locked+r.Cost, own.Locked, "not yet settled there"))
	}
	if own.OpenOrders > 0 {
		checks = append(checks, Check{onMarket("max_open_orders", r.Market), here.Open < own.OpenOrders, fmt.Sprintf("%d of %d are open there", here.Open, own.OpenOrders)})
	}
	return checks
}

// Admit gives the first limit that forbids the order as a *LimitError.
func (l Limits) Admit(r Request, u Usage, balance pricing.Money) error {
	for _, c := range l.Checks(r, u, balance) {
		if !c.Pass {
			return &LimitError{c.Rule, c.Detail}
		}
	}
	return nil
}
