package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"skinarb/execution"
	"skinarb/httpapi"
	"skinarb/internal/crashpoint"
	"skinarb/pricing"
	"skinarb/selling"
	"skinarb/strategy"
)

// desk answers the API's questions about strategy and trading.
type desk struct {
	mode     string
	terms    *terms
	journal  execution.Journal
	sales    *sales
	deals    *deals
	engine   *strategy.Engine
	practice *practice
	log      *slog.Logger
}

// Opportunities gives what is worth acting on now, best first.
func (d *desk) Opportunities(now time.Time) []strategy.Opportunity {
	return d.engine.Opportunities(now)
}

// Verdicts gives the strategy's rules and, for a direction that passes them
// all, the limits and whether the intent was acted on already.
func (d *desk) Verdicts(it pricing.Item, now time.Time) []strategy.Verdict {
	verdicts := d.engine.Verdicts(it, now)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	for _, o := range d.engine.Opportunities(now) {
		if o.Item != it {
			continue
		}
		r := request(o)
		for _, c := range d.terms.executor().Judge(ctx, r) {
			verdicts = append(verdicts, strategy.Verdict{Buy: r.Market, Sell: r.SellOn, Rule: c.Rule, Pass: c.Pass, Detail: c.Detail})
		}
		v := strategy.Verdict{Buy: r.Market, Sell: r.SellOn, Rule: "not_ordered_yet", Pass: true, Detail: "no order for this offer"}
		if known, err := d.journal.Get(ctx, r.ID()); err == nil {
			v.Pass = known.State == execution.Cancelled
			v.Detail = "order " + string(known.ID) + " is " + string(known.State)
		}
		verdicts = append(verdicts, v)
	}
	return verdicts
}

// Orders gives orders, newest first.
func (d *desk) Orders(ctx context.Context, q execution.Query) ([]execution.Order, error) {
	return d.journal.List(ctx, q)
}

// Order gives one order.
func (d *desk) Order(ctx context.Context, id execution.OrderID) (execution.Order, error) {
	return d.journal.Get(ctx, id)
}

// Totals gives what the orders came to: what failed ones cost, and what sold ones
// brought, which counts as the opposite of a loss.
func (d *desk) Totals(ctx context.Context) (execution.Totals, error) {
	t, err := d.journal.Totals(ctx)
	if err != nil {
		return t, err
	}
	return t, d.sales.realise(ctx, &t)
}

// Positions gives what we hold to be sold, and what was.
func (d *desk) Positions(ctx context.Context, q selling.Query) ([]selling.Position, error) {
	return d.sales.positions(ctx, q)
}

// Status gives the kill switch, the limits, and what is used of them.
func (d *desk) Status(ctx context.Context) (httpapi.TradingStatus, error) {
	trading, err := d.terms.executor().Trading(ctx)
	if err != nil {
		return httpapi.TradingStatus{}, err
	}
	usage, err := d.journal.Usage(ctx, crashpoint.Now())
	if err != nil {
		return httpapi.TradingStatus{}, err
	}
	x := d.terms.executor()
	accounts := map[pricing.Market]httpapi.AccountStatus{}
	compared := x.Compared()
	for m, b := range x.Balances() {
		accounts[m] = httpapi.AccountStatus{Balance: b, Compared: compared[m]}
	}
	return httpapi.TradingStatus{
		Mode: d.mode, Role: d.terms.role(), Trading: trading, Limits: x.Limits(), Usage: usage,
		Accounts: accounts, Breaks: x.Breaks(),
	}, nil
}

// Stop returns nil when no request to buy or to list leaves any more.
func (d *desk) Stop(ctx context.Context, reason, by string) error {
	return errors.Join(d.terms.executor().Stop(ctx, reason, by), d.sales.quiet(ctx), d.deals.quiet(ctx))
}

// Start undoes Stop.
func (d *desk) Start(ctx context.Context, by string) error { return d.terms.executor().Start(ctx, by) }

// Tighten puts smaller limits in force.
func (d *desk) Tighten(to execution.Limits, by string) error {
	return d.terms.executor().Tighten(to, by)
}

// Reset closes the breakers of a market.
func (d *desk) Reset(ctx context.Context, m pricing.Market, by string) error {
	return d.terms.executor().Reset(ctx, m, by)
}

// Practice gives how much of what looks worth buying can be had.
func (d *desk) Practice() httpapi.Practice { return d.practice.tell() }

// Ready tells whether the journal can be written.
func (d *desk) Ready(ctx context.Context) (bool, string) {
	if err := d.journal.Ping(ctx); err != nil {
		d.log.Error("the journal cannot be written", "error", err)
		return false, "the journal cannot be written"
	}
	return true, ""
}
