package httpapi

import (
	"context"
	"fmt"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"skinarb/pricing"
)

// maxReason bounds the reason of a stop, in bytes.
const maxReason = 500

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

	Markets map[pricing.Market]marketLimitsJSON `json:"markets"` // limits of single markets, besides
}

type marketLimitsJSON struct {
	MaxDay        moneyLimit    `json:"max_day"`
	MaxLocked     moneyLimit    `json:"max_locked"`
	MaxOpenOrders optionalCount `json:"max_open_orders"`
	MinBalance    moneyLimit    `json:"min_balance"`
}

// optionalCount is a limit that need not be.
type optionalCount struct {
	Limit *int `json:"limit"`
	Used  int  `json:"used"`
}

type tradingJSON struct {
	Mode     string                    `json:"mode"`
	State    string                    `json:"state"`
	Reason   string                    `json:"reason"`
	By       *string                   `json:"by"`
	Since    *string                   `json:"since"`
	Limits   limitsJSON                `json:"limits"`
	Balances map[pricing.Market]string `json:"balances"`

	Role     string                         `json:"role"`
	Accounts map[pricing.Market]accountJSON `json:"accounts"`
	Breakers []breakerJSON                  `json:"breakers"`
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
		Role:     t.Role,
		Accounts: map[pricing.Market]accountJSON{},
		Breakers: []breakerJSON{},
	}
	if t.Trading.Stopped {
		out.State = "stopped"
	}
	for _, k := range t.Breaks {
		out.Breakers = append(out.Breakers, breakerJSON{k.Market, k.Rule, k.Reason, instant(k.Since), instant(k.Until), k.Trying})
	}
	out.Limits.Markets = map[pricing.Market]marketLimitsJSON{}
	for m, a := range t.Accounts {
		out.Accounts[m] = toAccount(a)
		if a.Balance.Known {
			out.Balances[m] = a.Balance.Amount.String()
		}
		own, usage := t.Limits.Markets[m], t.Usage.ByMarket[m]
		limits := marketLimitsJSON{
			MaxDay:        moneyLimit{amount(own.Day), used(usage.Day)},
			MaxLocked:     moneyLimit{amount(own.Locked), used(usage.Locked)},
			MaxOpenOrders: optionalCount{Used: usage.Open},
			MinBalance:    moneyLimit{Limit: amount(own.MinBalance)},
		}
		if own.OpenOrders > 0 {
			limits.MaxOpenOrders.Limit = &own.OpenOrders
		}
		out.Limits.Markets[m] = limits
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
	if err := s.cfg.Trading.Stop(ctx, body.Reason, operator(c)); err != nil {
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
	if err := s.cfg.Trading.Start(ctx, operator(c)); err != nil {
		return fmt.Errorf("start trading: %w", err)
	}
	s.log.Warn("trading started by the operator")
	return writeValue(c, map[string]string{"state": "running", "reason": ""})
}
