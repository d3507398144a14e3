package pricefeed

import (
	"github.com/prometheus/client_golang/prometheus"

	"skinarb/fetch"
	"skinarb/pricing"
)

// observer counts pulls, and passes each on to the one who asked for it.
func (f *PriceFeed) observer() func(fetch.Observation) {
	pulls := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "skinarb_pulls_total", Help: "Catalog pulls by what became of them.",
	}, []string{"market", "game", "outcome"})
	bytes := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "skinarb_pull_bytes_total", Help: "Bytes of catalogs pulled, inflated.",
	}, []string{"market", "game"})
	seconds := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "skinarb_pull_seconds", Help: "Duration of catalog pulls.",
		Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120},
	}, []string{"market", "game"})
	rejected := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "skinarb_rows_rejected_total", Help: "Catalog rows that could not be used, by reason.",
	}, []string{"market", "game", "reason"})
	f.cfg.Registry.MustRegister(pulls, bytes, seconds, rejected)
	return func(o fetch.Observation) {
		m, g := string(o.Feed.Market), string(o.Feed.Game)
		pulls.WithLabelValues(m, g, string(o.Outcome)).Inc()
		bytes.WithLabelValues(m, g).Add(float64(o.Bytes))
		seconds.WithLabelValues(m, g).Observe(o.Duration.Seconds())
		for reason, n := range o.Rejected {
			rejected.WithLabelValues(m, g, reason).Add(float64(n))
		}
		if f.cfg.OnPull != nil {
			f.cfg.OnPull(o)
		}
	}
}

// feedCollector gives the feeds' states when metrics are read.
type feedCollector struct{ feed *PriceFeed }

var (
	itemsDesc         = prometheus.NewDesc("skinarb_feed_items", "Items in force.", []string{"market", "game"}, nil)
	ageDesc           = prometheus.NewDesc("skinarb_feed_age_seconds", "Age of the catalog in force.", []string{"market", "game"}, nil)
	stateDesc         = prometheus.NewDesc("skinarb_feed_state", "1 for the state that the feed is in.", []string{"market", "game", "state"}, nil)
	amendedDesc       = prometheus.NewDesc("skinarb_strategy_amended_total", "How often judging all items gave other opportunities than following the changes did. Anything but 0 is a fault of this program.", nil, nil)
	opportunitiesDesc = prometheus.NewDesc("skinarb_opportunities", "Opportunities at this moment.", nil, nil)
)

func (c *feedCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- itemsDesc
	ch <- ageDesc
	ch <- stateDesc
	ch <- opportunitiesDesc
	ch <- amendedDesc
}

func (c *feedCollector) Collect(ch chan<- prometheus.Metric) {
	now := c.feed.cfg.Now()
	for _, st := range c.feed.Statuses() {
		m, g := string(st.Feed.Market), string(st.Feed.Game)
		ch <- prometheus.MustNewConstMetric(itemsDesc, prometheus.GaugeValue, float64(st.Items), m, g)
		if !st.LastSuccess.IsZero() {
			ch <- prometheus.MustNewConstMetric(ageDesc, prometheus.GaugeValue, now.Sub(st.LastSuccess).Seconds(), m, g)
		}
		state := st.Judge(now, c.feed.cfg.Settings.MaxQuoteAge)
		for _, s := range []pricing.FeedState{pricing.Fresh, pricing.Stale, pricing.Held, pricing.Down, pricing.Off} {
			v := 0.0
			if s == state {
				v = 1
			}
			ch <- prometheus.MustNewConstMetric(stateDesc, prometheus.GaugeValue, v, m, g, string(s))
		}
	}
	ch <- prometheus.MustNewConstMetric(amendedDesc, prometheus.CounterValue, float64(c.feed.amended.Load()))
	ch <- prometheus.MustNewConstMetric(opportunitiesDesc, prometheus.GaugeValue, float64(len(c.feed.engine.Opportunities(now))))
}
