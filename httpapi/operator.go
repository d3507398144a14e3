package httpapi

import (
	"context"
	"fmt"

	"github.com/gofiber/fiber/v2"

	"skinarb/execution"
	"skinarb/pricing"
)

// operator names who gave a command, for the record.
func operator(c *fiber.Ctx) string { return "api " + c.IP() }

// newLimits is the body of POST /v1/trading/limits: what is left out stays. The
// names are those of the gate's rules.
type newLimits struct {
	MaxOrder      *string                         `json:"max_order"`
	MaxDay        *string                         `json:"max_day"`
	MaxLocked     *string                         `json:"max_locked"`
	MaxOpenOrders *int                            `json:"max_open_orders"`
	MaxItemUnits  *int                            `json:"max_item_units"`
	MinBalance    *string                         `json:"min_balance"`
	Markets       map[pricing.Market]marketLimits `json:"markets"`
}

type marketLimits struct {
	MaxDay        *string `json:"max_day"`
	MaxLocked     *string `json:"max_locked"`
	MaxOpenOrders *int    `json:"max_open_orders"`
	MinBalance    *string `json:"min_balance"`
}

// over gives l with what is asked for.
func (n newLimits) over(l execution.Limits) (execution.Limits, error) {
	var failed error
	money := func(to *pricing.Money, from *string, name string) {
		if from == nil || failed != nil {
			return
		}
		m, err := pricing.ParseMoney(*from)
		if err != nil || m < 0 {
			failed = problem(codeInvalidParameter, "%s must be an amount of dollars, such as \"12.50\"", name)
		}
		*to = m
	}
	// A limit of 0 is none, which is not what somebody means who asks for it.
	positive := func(asked bool, set int64, name string) {
		if asked && set == 0 && failed == nil {
			failed = problem(codeInvalidParameter, "%s of 0 would be no limit; to buy nothing, stop trading or set max_open_orders to 0", name)
		}
	}
	count := func(to, from *int, name string) {
		if from == nil || failed != nil {
			return
		}
		if *from < 0 {
			failed = problem(codeInvalidParameter, "%s may not be negative", name)
		}
		*to = *from
	}
	money(&l.Order, n.MaxOrder, "max_order")
	money(&l.Day, n.MaxDay, "max_day")
	money(&l.Locked, n.MaxLocked, "max_locked")
	positive(n.MaxOrder != nil, int64(l.Order), "max_order")
	positive(n.MaxDay != nil, int64(l.Day), "max_day")
	positive(n.MaxLocked != nil, int64(l.Locked), "max_locked")
	money(&l.MinBalance, n.MinBalance, "min_balance")
	count(&l.OpenOrders, n.MaxOpenOrders, "max_open_orders")
	count(&l.ItemUnits, n.MaxItemUnits, "max_item_units")
	markets := map[pricing.Market]execution.MarketLimits{}
	for m, own := range l.Markets {
		markets[m] = own
	}
	for name, change := range n.Markets {
		if _, err := pricing.ParseMarket(string(name)); err != nil {
			return l, problem(codeInvalidParameter, "markets: %s", err)
		}
		own := markets[name]
		money(&own.Day, change.MaxDay, "max_day")
		money(&own.Locked, change.MaxLocked, "max_locked")
		money(&own.MinBalance, change.MinBalance, "min_balance")
		count(&own.OpenOrders, change.MaxOpenOrders, "max_open_orders")
		positive(change.MaxDay != nil, int64(own.Day), "max_day of a market")
		positive(change.MaxLocked != nil, int64(own.Locked), "max_locked of a market")
		positive(change.MaxOpenOrders != nil, int64(own.OpenOrders), "max_open_orders of a market")
		markets[name] = own
	}
	l.Markets = markets
	return l, failed
}

// postLimits answers POST /v1/trading/limits: a running trader's limits can be
// made smaller, and larger only by a restart.
func (s *Server) postLimits(c *fiber.Ctx, _ params) error {
	var body newLimits
	if err := readCommand(c, &body); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	now, err := s.cfg.Trading.Status(ctx)
	if err != nil {
		return fmt.Errorf("read the limits: %w", err)
	}
	to, err := body.over(now.Limits)
	if err != nil {
		return err
	}
	if err := s.cfg.Trading.Tighten(to, operator(c)); err != nil {
		return err
	}
	after, err := s.cfg.Trading.Status(ctx)
	if err != nil {
		return fmt.Errorf("read the limits: %w", err)
	}
	return writeValue(c, map[string]any{"limits": toTrading(after).Limits})
}

// postReset answers POST /v1/trading/breakers/{market}/reset.
func (s *Server) postReset(c *fiber.Ctx, _ params) error {
	if err := readCommand(c, &struct{}{}); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	now, err := s.cfg.Trading.Status(ctx)
	if err != nil {
		return fmt.Errorf("read the state of trading: %w", err)
	}
	m, err := pricing.ParseMarket(c.Params("market"))
	if _, ok := now.Accounts[m]; err != nil || !ok {
		return problem(codeMarketNotFound, "no such market is configured")
	}
	if err := s.cfg.Trading.Reset(ctx, m, operator(c)); err != nil {
		return fmt.Errorf("reset breakers of %s: %w", m, err)
	}
	after, err := s.cfg.Trading.Status(ctx)
	if err != nil {
		return fmt.Errorf("read the state of trading: %w", err)
	}
	return writeValue(c, map[string]any{"breakers": toTrading(after).Breakers})
}

// breakerJSON is what keeps a market from being bought on.
type breakerJSON struct {
	Market pricing.Market        `json:"market"`
	Rule   execution.BreakerRule `json:"rule"`
	Reason string                `json:"reason"`
	Since  *string               `json:"since"`
	Until  *string               `json:"until"`  // null: until its cause ends
	Trying bool                  `json:"trying"` // the time is over, and the next purchase shows whether the cause is
}

// accountJSON is how a market's account agrees with our books.
type accountJSON struct {
	Balance    *string `json:"balance"`    // what can be spent, as last told and less what was spent since; null when not known
	Expected   *string `json:"expected"`   // by our books when they were last compared; null before
	Difference *string `json:"difference"` // negative: money is missing
	ComparedAt *string `json:"compared_at"`
	Since      *string `json:"differs_since"`
}

// AccountStatus is one market's account.
type AccountStatus struct {
	Balance  execution.Balance
	Compared execution.Comparison
}

func toAccount(a AccountStatus) accountJSON {
	var out accountJSON
	money := func(m pricing.Money) *string {
		s := m.String()
		return &s
	}
	if a.Balance.Known {
		out.Balance = money(a.Balance.Amount)
	}
	if !a.Compared.At.IsZero() {
		out.Expected, out.Difference = money(a.Compared.Expected), money(a.Compared.Off)
		out.ComparedAt, out.Since = instant(a.Compared.At), instant(a.Compared.Since)
	}
	return out
}
