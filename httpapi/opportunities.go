package httpapi

import (
	"github.com/gofiber/fiber/v2"

	"skinarb/pricing"
	"skinarb/strategy"
)

// Page sizes of the opportunities.
const (
	opportunitiesStandard = 100
	opportunitiesMost     = 1000
)

// legJSON is one side of an opportunity.
type legJSON struct {
	Market pricing.Market `json:"market"`
	Ask    string         `json:"ask"`
}

type opportunityJSON struct {
	Item       itemJSON `json:"item"`
	Buy        legJSON  `json:"buy"`
	Sell       legJSON  `json:"sell"`
	Cost       string   `json:"cost"`
	Proceeds   string   `json:"proceeds"`
	Profit     string   `json:"profit"`
	EdgeBps    int64    `json:"edge_bps"`
	ReturnBps  int64    `json:"return_per_locked_day_bps"`
	ObservedAt *string  `json:"observed_at"`
	ExpiresAt  *string  `json:"expires_at"`
}

func toOpportunity(o strategy.Opportunity) opportunityJSON {
	return opportunityJSON{
		Item: toItem(o.Item),
		Buy:  legJSON{o.Buy.Market, o.Buy.Ask.String()}, Sell: legJSON{o.Sell.Market, o.Sell.Ask.String()},
		Cost: o.Cost.String(), Proceeds: o.Proceeds.String(), Profit: o.Profit.String(),
		EdgeBps: o.EdgeBps, ReturnBps: o.ReturnBps,
		ObservedAt: instant(o.ObservedAt), ExpiresAt: instant(o.ExpiresAt),
	}
}

// getOpportunities answers GET /v1/opportunities, in the strategy's order.
func (s *Server) getOpportunities(c *fiber.Ctx, q params) error {
	limit, err := q.limit(opportunitiesStandard, opportunitiesMost)
	if err != nil {
		return err
	}
	var least pricing.Money
	if v := q.get("min_profit"); v != "" {
		if least, err = pricing.ParseMoney(v); err != nil || least < 0 {
			return problem(codeInvalidParameter, "min_profit %s is not an amount of dollars", quoted(v))
		}
	}
	found := []opportunityJSON{}
	if s.cfg.Strategy != nil {
		for _, o := range s.cfg.Strategy.Opportunities(s.now()) {
			if len(found) == limit {
				break
			}
			if o.Profit >= least {
				found = append(found, toOpportunity(o))
			}
		}
	}
	return writeValue(c, map[string]any{"opportunities": found})
}

// verdictJSON is one rule's word. Buy and sell say for which direction.
type verdictJSON struct {
	Buy    pricing.Market `json:"buy"`
	Sell   pricing.Market `json:"sell"`
	Rule   string         `json:"rule"`
	Pass   bool           `json:"pass"`
	Detail string         `json:"detail"`
}

// getVerdicts answers GET /v1/verdicts.
func (s *Server) getVerdicts(c *fiber.Ctx, q params) error {
	it, err := q.item()
	if err != nil {
		return err
	}
	if len(s.cfg.Prices.Book().PhasesOf(it.Game, it.Name)) == 0 {
		return problem(codeItemNotFound, "no market has %s", quoted(it.String()))
	}
	verdicts := []verdictJSON{}
	if s.cfg.Strategy != nil {
		for _, v := range s.cfg.Strategy.Verdicts(it, s.now()) {
			verdicts = append(verdicts, verdictJSON(v))
		}
	}
	return writeValue(c, map[string]any{"item": toItem(it), "verdicts": verdicts})
}
