package alert

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sourcegraph/conc"
)

const (
	quiet      = 5 * time.Minute // between two messages on one topic
	maxTopics  = 1000            // that are remembered: more than kinds and markets could make
	flushLimit = 3 * time.Second // for what is queued when Run ends
)

// Config is what a Sender is made of.
type Config struct {
	Targets []Target
	Secrets []string // never shown to anybody; the targets' addresses are among them anyway
	Program string   // who writes; "skinarb" when empty

	Transport  http.RoundTripper     // nil means a bounded one of its own
	Registerer prometheus.Registerer // nil means that nobody reads the metrics
	Log        *slog.Logger          // nil is silent
	Now        func() time.Time
}

// Sender delivers alerts. Send may be called by many goroutines, before, during
// and after Run.
type Sender struct {
	clean cleaner
	now   func() time.Time
	http  *http.Client
	boxes []*box // one for each target

	mu     sync.Mutex
	topics map[topic]*pause // of which something was said in the last five minutes
}

// topic is what is not spoken of too often.
type topic struct{ kind, market, about string }

// pause is the time in which a topic is not spoken of again.
type pause struct {
	until time.Time
	held  Alert // the newest that came meanwhile
	count int   // of those that came meanwhile
}

// New builds a Sender. Without targets it does nothing.
func New(cfg Config) *Sender {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	secrets := slices.Clone(cfg.Secrets)
	for _, t := range cfg.Targets {
		secrets = append(secrets, t.secrets()...)
	}
	results := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "skinarb_alerts_total", Help: "Alerts by kind of target and what became of them; a try that failed is retried.",
	}, []string{"target_kind", "result"})
	if cfg.Registerer != nil {
		cfg.Registerer.MustRegister(results)
	}
	s := &Sender{
		clean: newCleaner(secrets), now: cfg.Now, http: newClient(cfg.Transport),
		topics: map[topic]*pause{},
	}
	for _, t := range cfg.Targets {
		s.boxes = append(s.boxes, &box{
			target: t, program: cmp.Or(cfg.Program, "skinarb"), client: s.http, clean: s.clean, now: cfg.Now,
			log: cfg.Log.With("target", t.String()), results: newResults(results, t), wake: make(chan struct{}, 1),
		})
	}
	return s
}

// Send takes an alert and never waits for anything.
func (s *Sender) Send(a Alert) {
	if len(s.boxes) == 0 {
		return
	}
	now := s.now()
	if a.At.IsZero() {
		a.At = now
	}
	a = s.clean.alert(a)
	s.mu.Lock()
	defer s.mu.Unlock()
	if a.Always {
		s.queue(a, 0, now)
		return
	}
	key := topic{a.Kind, a.Market, a.About}
	p := s.topics[key]
	switch {
	case p == nil:
		if len(s.topics) < maxTopics {
			s.topics[key] = &pause{until: now.Add(quiet)}
		}
		s.queue(a, 0, now)
	case now.Before(p.until):
		p.held, p.count = a, p.count+1
	default:
		s.queue(a, p.count, now)
		*p = pause{until: now.Add(quiet)}
	}
}

// queue hands an alert to every target.
func (s *Sender) queue(a Alert, more int, now time.Time) {
	for _, b := range s.boxes {
		b.put(letter{Alert: a, more: more, queued: now})
	}
}

// Run delivers until ctx ends, and then for at most three seconds more what is
// waiting. Call it once.
func (s *Sender) Run(ctx context.Context) {
	wire, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	closing := make(chan struct{})
	var running conc.WaitGroup
	for _, b := range s.boxes {
		running.Go(func() { b.run(wire, closing) })
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-tick.C:
			s.release(func(p *pause, now time.Time) bool { return !now.Before(p.until) })
		}
	}
	s.release(func(*pause, time.Time) bool { return true })
	defer time.AfterFunc(flushLimit, cut).Stop()
	close(closing)
	running.Wait()
	s.http.CloseIdleConnections()
}

// release ends the pauses that are over, oldest alert first, and says what was
// held back in them.
func (s *Sender) release(over func(*pause, time.Time) bool) {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	var due []pause
	for key, p := range s.topics {
		switch {
		case !over(p, now):
		case p.count == 0:
			delete(s.topics, key)
		default:
			due = append(due, *p)
			*p = pause{until: now.Add(quiet)}
		}
	}
	slices.SortFunc(due, func(a, b pause) int { return a.held.At.Compare(b.held.At) })
	for _, p := range due {
		s.queue(p.held, p.count-1, now)
	}
}
