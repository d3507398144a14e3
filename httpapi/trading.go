package httpapi

import (
	"context"
	"fmt"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"skinarb/execution"
	"skinarb/pricing"
)

// maxReason bounds the reason of a stop, in bytes.
const maxReason = 500

// amountsJSON adds up orders. We buy and do not sell, so what is realised is
// what failed purchases cost: never above zero.
type amountsJSON struct {
	Spent          string `json:"spent"`
	Refunded       string `json:"refunded"`
	Reserved       string `json:"reserved"`
	AtRisk         string `json:"at_risk"`
	Settled        string `json:"settled"`
	ExpectedProfit string `json:"expected_profit"`
	RealisedProfit string `json:"realised_profit"`
	Orders         int    `json:"orders"`
}

type dayJSON struct {
	Day string `json:"day"`
	amountsJSON
}

func toAmounts(a execution.Amounts) amountsJSON {
	return amountsJSON{
		Spent: a.Spent.String(), Refunded: a.Refunded.String(), Reserved: a.Reserved.String(),
		AtRisk: a.AtRisk.String(), Settled: a.Settled.String(),
		ExpectedProfit: a.ExpectedProfit.String(), RealisedProfit: (-a.RealisedLoss).String(), Orders: a.Orders,
	}
}

// getPnL answers GET /v1/pnl.
func (s *Server) getPnL(c *fiber.Ctx, _ params) error {
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	t, err := s.cfg.Trading.Totals(ctx)
	if err != nil {
		return fmt.Errorf("add up orders: %w", err)
	}
	days := make([]dayJSON, len(t.Days))
	for i, d := range t.Days {
		days[i] = dayJSON{d.Day.UTC().Format("2006-01-02"), toAmounts(d.Amounts)}
	}
	return writeValue(c, map[string]any{"total": toAmounts(t.All), "days": days})
}

// moneyLimit is a limit and what is used of it; null where there is no limit,
// or where using it up is not what it is about.
type moneyLimit struct {
	Limit *string `json:"limit"`
	Used  *string `json:"used"`
}

type countLimit struct {
	Limit int `json:"limit"`
	Used  int `json:"used"`
}

// limitsJSON names the limits as the gate's rules are named.
type limitsJSON struct {
	MaxOrder      moneyLimit `json:"max_order"`
	MaxDay        moneyLimit `json:"max_day"`
	MaxLocked     moneyLimit `json:"max_locked"`
	MaxOpenOrders countLimit `json:"max_open_orders"`
	MaxItemUnits  countLimit `json:"max_item_units"` // used: by the item that was bought most
	MinBalance    moneyLimit `json:"min_balance"`
}

type tradingJSON struct {
	Mode     string                    `json:"mode"`
	State    string                    `json:"state"`
	Reason   string                    `json:"reason"`
	By       *string                   `json:"by"`
	Since    *string                   `json:"since"`
	Limits   limitsJSON                `json:"limits"`
	Balances map[pricing.Market]string `json:"balances"`
}

func toTrading(t TradingStatus) tradingJSON {
	used := func(m pricing.Money) *string {
		s := m.String()
		return &s
	}
	units := 0
	for _, n := range t.Usage.Units {
		units = max(units, n)
	}
	out := tradingJSON{
		Mode: t.Mode, State: "running", Reason: t.Trading.Reason,
		By: text(t.Trading.By), Since: instant(t.Trading.At),
		Limits: limitsJSON{
			MaxOrder:      moneyLimit{Limit: amount(t.Limits.Order)},
			MaxDay:        moneyLimit{amount(t.Limits.Day), used(t.Usage.Day)},
			MaxLocked:     moneyLimit{amount(t.Limits.Locked), used(t.Usage.Locked)},
			MaxOpenOrders: countLimit{t.Limits.OpenOrders, t.Usage.Open},
			MaxItemUnits:  countLimit{t.Limits.ItemUnits, units},
			MinBalance:    moneyLimit{Limit: used(t.Limits.MinBalance)},
		},
		Balances: map[pricing.Market]string{},
	}
	if t.Trading.Stopped {
		out.State = "stopped"
	}
	for m, b := range t.Balances {
		out.Balances[m] = b.String()
	}
	return out
}

// getTrading answers GET /v1/trading.
func (s *Server) getTrading(c *fiber.Ctx, _ params) error {
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	t, err := s.cfg.Trading.Status(ctx)
	if err != nil {
		return fmt.Errorf("read the state of trading: %w", err)
	}
	return writeValue(c, toTrading(t))
}

// postStop answers POST /v1/trading/stop. Its success says that no purchase
// request leaves any process any more. It waits for what is on the wire, also
// when the client has gone: a stop that was asked for happens.
func (s *Server) postStop(c *fiber.Ctx, _ params) error {
	var body struct {
		Reason string `json:"reason"`
	}
	if err := readCommand(c, &body); err != nil {
		return err
	}
	if len(body.Reason) > maxReason || !utf8.ValidString(body.Reason) {
		return problem(codeInvalidParameter, "reason may have %d bytes at most", maxReason)
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if err := s.cfg.Trading.Stop(ctx, body.Reason, "api"); err != nil {
		return fmt.Errorf("stop trading: %w", err)
	}
	s.log.Warn("trading stopped by the operator", "reason", body.Reason)
	return writeValue(c, map[string]string{"state": "stopped", "reason": body.Reason})
}

// postStart answers POST /v1/trading/start.
func (s *Server) postStart(c *fiber.Ctx, _ params) error {
	if err := readCommand(c, &struct{}{}); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	if err := s.cfg.Trading.Start(ctx, "api"); err != nil {
		return fmt.Errorf("start trading: %w", err)
	}
	s.log.Warn("trading started by the operator")
	return writeValue(c, map[string]string{"state": "running", "reason": ""})
}
