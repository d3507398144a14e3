package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"runtime"
	"runtime/metrics"
	"sync"
	"time"

	"skinarb/internal/marketsim"
	"skinarb/internal/pricefeed"
	"skinarb/internal/settings"
	"skinarb/pricing"
)

// How a soak is watched.
const (
	soakSamples = 120             // that a soak takes about
	soakPause   = 5 * time.Second // between two of them at most
	soakWarmUp  = 0.2             // share of the samples in which caches and pools may still fill
	soakReady   = 2 * time.Minute // for the first catalogs to be there
)

// A trend counts if chance would explain it in less than growthChance of cases,
// and if the line rises by more than growthShare over the part that is looked at.
// Neighbouring samples resemble each other, which makes chance look rarer than it
// is; so it has to be rarer here than where rounds are compared.
const (
	growthChance = 0.01
	growthShare  = 0.05
)

// Soak is what was seen over time.
type Soak struct {
	From    float64  `json:"trend_from_seconds"` // trends leave out what was before
	Samples []Sample `json:"samples"`
	Trends  []Trend  `json:"trends"`
}

// Sample is what was seen since the sample before.
type Sample struct {
	Seconds    float64 `json:"seconds"` // since the load began
	Heap       float64 `json:"heap_mb"` // what the last collection left, MB
	RSS        float64 `json:"rss_mb"`  // memory of the process, MB; without /proc what the Go runtime has of the system
	Goroutines float64 `json:"goroutines"`
	Rate       float64 `json:"requests_per_second"`
	P50        float64 `json:"p50_us"`
	P99        float64 `json:"p99_us"`
	Errors     float64 `json:"errors"`   // requests
	SoldOut    float64 `json:"sold_out"` // answers: no market has the item any more
	Stale      float64 `json:"stale"`    // good answers with a stale quote
}

// Trend is a straight line through one quantity, and what it means.
type Trend struct {
	Measure string  `json:"measure"`
	Unit    string  `json:"unit"`
	First   float64 `json:"first"` // the line's value at the soak's From
	Last    float64 `json:"last"`  // and at the last sample
	PerHour float64 `json:"per_hour"`
	Percent float64 `json:"percent"` // by how much Last is more than First
	P       float64 `json:"p"`       // that chance alone parts the first third from the last third so far
	Verdict string  `json:"verdict"` // grows, falls or steady
}

// Verdicts on a trend.
const (
	grows  = "grows"
	falls  = "falls"
	steady = "steady"
)

// soakMeasures are the quantities that have a trend.
var soakMeasures = []struct {
	name, unit string
	of         func(Sample) float64
}{
	{"heap after collection", "MB", func(s Sample) float64 { return s.Heap }},
	{"memory of the process", "MB", func(s Sample) float64 { return s.RSS }},
	{"goroutines", "running", func(s Sample) float64 { return s.Goroutines }},
	{"p99", "µs", func(s Sample) float64 { return s.P99 }},
}

// runSoak runs an aggregator as it is, on simulated markets and an embedded
// Redis, and looks prices up at a steady rate.
func runSoak(ctx context.Context, s *session) (err error) {
	s.progress.say("soak: starting markets and aggregator")
	a, err := startOwnAggregator(ctx, s.opts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.stop()) }()
	items, err := a.items(ctx, s.opts.seed)
	if err != nil {
		return err
	}
	s.out.note("One aggregator as it is: both simulated markets over HTTP, pulled every second, checked, published to an embedded Redis, followed and served. About 2 %% of the prices move each second. All of it, and the load, is in this process, so its memory is theirs together.")
	s.out.note("%d requests a second over %d connections, for %d names. A request's time begins when it was really sent.", s.opts.rate, s.opts.connections, len(items))
	s.out.note("Trends: the line is the median of the slopes between all pairs of samples (Theil and Sen), after the first fifth. It grows if it rises by more than %.0f %% and the last third lies above the first with less than %.0f %% chance (Mann and Whitney).", 100*growthShare, 100*growthChance)

	soaking, cancel := context.WithTimeout(ctx, s.opts.length)
	defer cancel()
	t := newTraffic(a.url, "", singleRequests(items), s.opts.connections, s.opts.rate)
	var loading sync.WaitGroup
	loading.Go(func() { t.run(soaking) })
	soak := &Soak{Samples: []Sample{}}
	s.watch(soaking, t, soak)
	cancel()
	loading.Wait()

	s.report.Soak = soak
	if len(soak.Samples) == 0 {
		return errors.Join(ctx.Err(), errors.New("it ended before the first sample"))
	}
	soak.fit()
	return ctx.Err()
}

// watch takes samples until ctx ends.
func (s *session) watch(ctx context.Context, t *traffic, soak *Soak) {
	pause := min(soakPause, max(50*time.Millisecond, s.opts.length/soakSamples))
	tick := time.NewTicker(pause)
	defer tick.Stop()
	start := time.Now()
	before, failed := start, false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		sum, now := t.drain(), time.Now()
		sample := Sample{
			Seconds: now.Sub(start).Seconds(),
			Heap:    float64(readMetric(liveBytes)) / 1e6, RSS: float64(processBytes()) / 1e6, Goroutines: float64(runtime.NumGoroutine()),
			Rate: float64(len(sum.took)) / now.Sub(before).Seconds(),
			P50:  micros(sum.late(0.5)), P99: micros(sum.late(0.99)),
			Errors: float64(sum.failed), SoldOut: float64(sum.soldOut), Stale: float64(sum.stale),
		}
		before = now
		soak.Samples = append(soak.Samples, sample)
		s.addSample(sample)
		if sum.err != nil && !failed {
			failed = true
			s.out.note("The first error came after %s: %v.", clockTime(now.Sub(start)), sum.err)
		}
		s.progress.share(now.Sub(start).Seconds()/s.opts.length.Seconds(),
			fmt.Sprintf("soak: %.0f requests/s, p99 %.0f µs, heap %.0f MB, process %.0f MB, %.0f goroutines", sample.Rate, sample.P99, sample.Heap, sample.RSS, sample.Goroutines))
	}
}

// addSample makes a sample a round of the figures, which can be compared with
// another soak's.
func (s *session) addSample(sample Sample) {
	const subject = "GET /v1/prices, steady"
	s.out.add(subject, "requests", "requests/s", sample.Rate)
	s.out.add(subject, "p50", "µs", sample.P50)
	s.out.add(subject, "p99", "µs", sample.P99)
	s.out.add(subject, "errors", "requests", sample.Errors)
	s.out.add(subject, "sold out", "answers", sample.SoldOut)
	s.out.add(subject, "stale answers", "answers", sample.Stale)
	s.out.add("process", "heap after collection", "MB", sample.Heap)
	s.out.add("process", "memory of the process", "MB", sample.RSS)
	s.out.add("process", "goroutines", "running", sample.Goroutines)
}

// fit finds the trends.
func (s *Soak) fit() {
	kept := s.Samples[int(soakWarmUp*float64(len(s.Samples))):]
	s.From = kept[0].Seconds
	s.Trends = nil
	xs := make([]float64, len(kept))
	for i, k := range kept {
		xs[i] = k.Seconds
	}
	for _, m := range soakMeasures {
		ys := make([]float64, len(kept))
		for i, k := range kept {
			ys[i] = m.of(k)
		}
		s.Trends = append(s.Trends, trendOf(m.name, m.unit, xs, ys))
	}
}

// trendOf judges values over ascending times, seconds.
func trendOf(measure, unit string, xs, ys []float64) Trend {
	l := fitLine(xs, ys)
	third := len(ys) / 3
	t := Trend{
		Measure: measure, Unit: unit, PerHour: l.Slope * 3600,
		First: l.at(xs[0]), Last: l.at(xs[len(xs)-1]),
		P: mannWhitney(ys[:third], ys[len(ys)-third:]), Verdict: steady,
	}
	if t.First != 0 {
		t.Percent = 100 * (t.Last - t.First) / math.Abs(t.First)
	}
	if t.P < growthChance && math.Abs(t.Percent) > 100*growthShare {
		if t.Verdict = grows; t.Percent < 0 {
			t.Verdict = falls
		}
	}
	return t
}

// grows tells whether anything does.
func (s *Soak) grows() bool {
	for _, t := range s.Trends {
		if t.Verdict == grows {
			return true
		}
	}
	return false
}

// processBytes gives the memory that the system holds for this process.
func processBytes() uint64 {
	if resident, _, err := residentBytes(os.Getpid()); err == nil {
		return uint64(resident)
	}
	sample := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64() - sample[1].Value.Uint64()
}

// ownAggregator is the price side of one in this process, on simulated markets.
type ownAggregator struct {
	url  *url.URL
	feed *pricefeed.PriceFeed
	stop func() error
}

// startOwnAggregator starts one and returns when its prices are there.
func startOwnAggregator(ctx context.Context, o options) (_ *ownAggregator, err error) {
	var closers []func() error
	stop := func() error {
		var errs []error
		for i := len(closers) - 1; i >= 0; i-- {
			errs = append(errs, closers[i]())
		}
		return errors.Join(errs...)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, stop())
		}
	}()
	world, err := marketsim.New(marketsim.Config{Seed: o.seed, Items: o.items, Tick: time.Second, RatePerMinute: 1 << 30})
	if err != nil {
		return nil, fmt.Errorf("make the simulated markets: %w", err)
	}
	sim, err := marketsim.Serve(world, "")
	if err != nil {
		return nil, err
	}
	closers = append(closers, sim.Close)
	dir, err := os.MkdirTemp("", "bench-soak-")
	if err != nil {
		return nil, err
	}
	closers = append(closers, func() error { return os.RemoveAll(dir) })

	var p settings.Prices
	set := settings.New("bench", "")
	p.Declare(set, "127.0.0.1:0")
	nothing := func(string) (string, bool) { return "", false } // no key of the operator's comes near this
	if err := errors.Join(append([]error{set.Load(nil, nothing, io.Discard)}, p.Validate()...)...); err != nil {
		return nil, err
	}
	p.UseDemo(sim.SkinsBackURL, marketsim.DemoClientID, marketsim.DemoClientSecret, sim.SIHURL, marketsim.DemoAPIKey, dir)
	p.Override("FETCH_INTERVAL", refreshEvery.String())
	feed, err := pricefeed.Open(ctx, pricefeed.Config{
		Settings: &p, Dir: dir, Fetch: true, Registry: pricefeed.NewRegistry(), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, err
	}
	closers = append(closers, feed.Close)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	api := feed.API(feed.Engine(), nil, nil, nil)
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var parts sync.WaitGroup
	var served error
	parts.Go(func() { feed.Run(running) })
	parts.Go(func() { served = pricefeed.Serve(running, api, ln) })
	closers = append(closers, func() error {
		cancel()
		parts.Wait()
		return served
	})
	a := &ownAggregator{url: &url.URL{Scheme: "http", Host: ln.Addr().String()}, feed: feed, stop: stop}
	return a, a.wait(ctx)
}

// wait waits for the first catalogs.
func (a *ownAggregator) wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, soakReady)
	defer cancel()
	for !a.loaded() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the first prices: %w", ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

func (a *ownAggregator) loaded() bool {
	for _, st := range a.feed.Statuses() {
		if st.Feed.Game == game && st.State != pricing.Fresh {
			return false
		}
	}
	return true
}

// items gives the names to look up.
func (a *ownAggregator) items(ctx context.Context, seed uint64) ([]pricing.Item, error) {
	items, err := (&instance{url: a.url}).items(ctx)
	if err == nil {
		rand.New(rand.NewPCG(seed, 0)).Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
	}
	return items, err
}

// seconds gives a number of them as a time.
func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
