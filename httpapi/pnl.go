package httpapi

import (
	"context"
	"fmt"
	"time"

	"github.com/gofiber/fiber/v2"

	"skinarb/execution"
	"skinarb/strategy"
)

// Practice is how much of what looks worth buying can be had.
type Practice struct {
	Paper *PaperFills        // nil in live mode, and until the journal has been read
	Since time.Time          // edges are watched since then; zero: they are not
	Decay []strategy.Horizon // in ascending order
}

// PaperFills counts paper orders of all time, by what the next catalog said.
type PaperFills struct {
	Placed int // all, also those that still wait
	Filled int // the offer was still there
	Gone   int // it was not, or nobody knows
}

// rate gives the part of the decided orders that were filled, in basis points
// rounded down; nil while none is decided.
func (p PaperFills) rate() *int64 {
	decided := int64(p.Filled) + int64(p.Gone)
	if decided == 0 {
		return nil
	}
	bps := int64(p.Filled) * 10_000 / decided
	return &bps
}

// amountsJSON adds up orders. What is realised is what sold positions brought,
// less what failed purchases cost.
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

func toAmounts(a execution.Amounts) amountsJSON {
	return amountsJSON{
		Spent: a.Spent.String(), Refunded: a.Refunded.String(), Reserved: a.Reserved.String(),
		AtRisk: a.AtRisk.String(), Settled: a.Settled.String(),
		ExpectedProfit: a.ExpectedProfit.String(), RealisedProfit: (-a.RealisedLoss).String(), Orders: a.Orders,
	}
}

type dayJSON struct {
	Day string `json:"day"`
	amountsJSON
}

type paperJSON struct {
	Placed             int    `json:"placed"`
	Filled             int    `json:"filled"`
	Gone               int    `json:"gone"`
	WouldHaveFilledBps *int64 `json:"would_have_filled_bps"`
}

type decayJSON struct {
	Since    *string       `json:"since"`
	Horizons []horizonJSON `json:"horizons"`
}

// horizonJSON has null medians where nothing was observed.
type horizonJSON struct {
	After          string `json:"after"`
	Observed       int    `json:"observed"`
	Still          int    `json:"still"`
	EdgeBpsAtFirst *int64 `json:"edge_bps_at_first"`
	EdgeBpsThen    *int64 `json:"edge_bps_then"`
}

func toDecay(since time.Time, horizons []strategy.Horizon) decayJSON {
	out := decayJSON{instant(since), make([]horizonJSON, len(horizons))}
	for i, h := range horizons {
		out.Horizons[i] = horizonJSON{After: h.After, Observed: h.Observed, Still: h.Still}
		if h.Observed > 0 {
			out.Horizons[i].EdgeBpsAtFirst, out.Horizons[i].EdgeBpsThen = &h.FirstBps, &h.ThenBps
		}
	}
	return out
}

type pnlJSON struct {
	Total     amountsJSON `json:"total"`
	Days      []dayJSON   `json:"days"`
	Paper     *paperJSON  `json:"paper"`
	EdgeDecay decayJSON   `json:"edge_decay"`
}

// getPnL answers GET /v1/pnl.
func (s *Server) getPnL(c *fiber.Ctx, _ params) error {
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	t, err := s.cfg.Trading.Totals(ctx)
	if err != nil {
		return fmt.Errorf("add up orders: %w", err)
	}
	practice := s.cfg.Trading.Practice()
	out := pnlJSON{Total: toAmounts(t.All), Days: make([]dayJSON, len(t.Days)), EdgeDecay: toDecay(practice.Since, practice.Decay)}
	for i, d := range t.Days {
		out.Days[i] = dayJSON{d.Day.UTC().Format("2006-01-02"), toAmounts(d.Amounts)}
	}
	if p := practice.Paper; p != nil {
		out.Paper = &paperJSON{p.Placed, p.Filled, p.Gone, p.rate()}
	}
	return writeValue(c, out)
}
