package main

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"skinarb/execution"
	"skinarb/pricing"
)

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

// What /metrics shows of trading besides counts. Money is in US dollars, as
// close as a metric can say it.
var (
	breakerOpen = prometheus.NewDesc("skinarb_breaker_open", "1 while buying on a market is suspended by a rule.", []string{"market", "rule"}, nil)
	difference  = prometheus.NewDesc("skinarb_account_difference_usd", "What a market's account is out of what our books allow; negative when money is missing.", []string{"market"}, nil)
	inDoubt     = prometheus.NewDesc("skinarb_orders_in_doubt", "Orders whose outcome is not known.", []string{"market"}, nil)
	spentDay    = prometheus.NewDesc("skinarb_spent_day_usd", "Spent in the last 24 h, unknown outcomes counted.", []string{"market"}, nil)
	stopped     = prometheus.NewDesc("skinarb_trading_stopped", "1 while the kill switch is on.", nil, nil)
	leads       = prometheus.NewDesc("skinarb_leader", "1 while this trader may write the journal.", nil, nil)
)

// Describe implements prometheus.Collector.
func (d *desk) Describe(ch chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{breakerOpen, difference, inDoubt, spentDay, stopped, leads} {
		ch <- desc
	}
}

// Collect implements prometheus.Collector. What the journal does not tell in
// time is left out.
func (d *desk) Collect(ch chan<- prometheus.Metric) {
	gauge := func(desc *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, v, labels...)
	}
	usd := func(m pricing.Money) float64 { return float64(m) / float64(pricing.Dollar) }
	flag := map[bool]float64{true: 1}

	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	t, err := d.Status(ctx)
	gauge(leads, flag[d.terms.role() != "standby"])
	if err != nil {
		return
	}
	gauge(stopped, flag[t.Trading.Stopped])
	open := map[pricing.Market]map[execution.BreakerRule]bool{}
	for _, k := range t.Breaks {
		if open[k.Market] == nil {
			open[k.Market] = map[execution.BreakerRule]bool{}
		}
		open[k.Market][k.Rule] = !k.Trying
	}
	for m, a := range t.Accounts {
		for _, rule := range execution.BreakerRules {
			gauge(breakerOpen, flag[open[m][rule]], string(m), string(rule))
		}
		gauge(difference, usd(a.Compared.Off), string(m))
		gauge(inDoubt, float64(t.Usage.ByMarket[m].InDoubt), string(m))
		gauge(spentDay, usd(t.Usage.ByMarket[m].Day), string(m))
	}
}
