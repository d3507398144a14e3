package httpapi

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// noRoute is the label of requests that reached no endpoint.
const noRoute = "none"

// requestMetrics counts answers. Labels are our routes and the status, never
// what a client sent, so their number is bounded.
type requestMetrics struct {
	total   *prometheus.CounterVec
	seconds *prometheus.HistogramVec
}

func newRequestMetrics(r prometheus.Registerer) *requestMetrics {
	m := &requestMetrics{
		total: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "skinarb_http_requests_total",
			Help: "Answers of the API by route and status.",
		}, []string{"route", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "skinarb_http_request_seconds",
			Help:    "Time to make an answer of the API, by route.",
			Buckets: prometheus.ExponentialBuckets(0.00005, 4, 9), // 50 µs to 3.3 s
		}, []string{"route"}),
	}
	r.MustRegister(m.total, m.seconds)
	return m
}

// of gives what observes one answer of a route.
func (m *requestMetrics) of(route string) func(status int, took time.Duration) {
	ok, seconds := m.total.WithLabelValues(route, "200"), m.seconds.WithLabelValues(route)
	return func(status int, took time.Duration) {
		if status == 200 {
			ok.Inc() // without the look-up of labels
		} else {
			m.total.WithLabelValues(route, strconv.Itoa(status)).Inc()
		}
		seconds.Observe(took.Seconds())
	}
}
