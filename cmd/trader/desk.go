package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"skinarb/execution"
	"skinarb/httpapi"
	"skinarb/pricing"
	"skinarb/strategy"
)

// desk answers the API's questions about strategy and trading.
type desk struct {
	mode     string
	limits   execution.Limits
	executor *execution.Executor
	journal  execution.Journal
	engine   *strategy.Engine
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
		for _, c := range d.executor.Judge(ctx, r) {
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

// Totals gives what the orders came to.
func (d *desk) Totals(ctx context.Context) (execution.Totals, error) { return d.journal.Totals(ctx) }

// Status gives the kill switch, the limits, and what is used of them.
func (d *desk) Status(ctx context.Context) (httpapi.TradingStatus, error) {
	trading, err := d.executor.Trading(ctx)
	if err != nil {
		return httpapi.TradingStatus{}, err
	}
	usage, err := d.journal.Usage(ctx, time.Now())
	if err != nil {
		return httpapi.TradingStatus{}, err
	}
	balances := map[pricing.Market]pricing.Money{}
	for m, b := range d.executor.Balances() {
		if b.Known {
			balances[m] = b.Amount
		}
	}
	return httpapi.TradingStatus{Mode: d.mode, Trading: trading, Limits: d.limits, Usage: usage, Balances: balances}, nil
}

// Stop returns nil when no purchase request leaves any more.
func (d *desk) Stop(ctx context.Context, reason, by string) error {
	return d.executor.Stop(ctx, reason, by)
}

// Start undoes Stop.
func (d *desk) Start(ctx context.Context, by string) error { return d.executor.Start(ctx, by) }

// Ready tells whether the journal can be written.
func (d *desk) Ready(ctx context.Context) (bool, string) {
	if err := d.journal.Ping(ctx); err != nil {
		d.log.Error("the journal cannot be written", "error", err)
		return false, "the journal cannot be written"
	}
	return true, ""
}

// stepMetrics counts what orders go through.
type stepMetrics struct{ steps *prometheus.CounterVec }

func newStepMetrics(r *prometheus.Registry) stepMetrics {
	m := stepMetrics{prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "skinarb_order_steps_total", Help: "Orders that came into a state.",
	}, []string{"market", "state"})}
	r.MustRegister(m.steps)
	return m
}

func (m stepMetrics) count(o execution.Order, s execution.Step) {
	m.steps.WithLabelValues(string(o.Market), string(s.State)).Inc()
}
