package simulation

import (
	"fmt"
	"hash/fnv"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"skinarb/execution"
	"skinarb/internal/marketsim"
	"skinarb/pricing"
)

// clock is the time of the simulated world. A bubble begins in the year 2000, when
// milliseconds since 1970 still looked like seconds.
func clock() time.Time { return time.Now().AddDate(26, 0, 0) }

// sim is the run of one seed.
type sim struct {
	seed   uint64
	dice   dice
	plan   plan
	broken mutation
	start  time.Time

	world    *marketsim.World
	server   *http.Server
	accept   chan farEnd
	down     map[pricing.Market]*atomic.Bool // refuses connections
	accounts map[pricing.Market]*account
	since    map[pricing.Market]*atomic.Int64 // its books were first opened, seconds of clock
	amid     map[pricing.Market]*atomic.Bool  // and opened when there were purchases
	journal  execution.Journal                // as the checks read it
	keep     keeper

	lives   int
	life    *life            // that leads; nil while no process runs
	closing bool             // it was asked to end
	zombies []*life          // that led before, and have not found out
	limits  execution.Limits // in force

	parking parking
	step    atomic.Int64
	calm    atomic.Bool  // nothing waits and nothing goes wrong any more
	writes  atomic.Int64 // of the journal
	quiet   atomic.Bool  // a stop has returned nil, and nobody has started since
	turning atomic.Bool  // a stop or start is under way

	asks    map[pricing.Market]map[string]pricing.Money
	wishes  []execution.Request
	foreign map[string]bool // refs of purchases that somebody else made, by market and ref

	checks checks

	batches atomic.Int64 // requests for several purchases that a market acted on

	mu    sync.Mutex // guards what follows
	trace []string
	bad   []string
}

// result is what came of a seed.
type result struct {
	seed  uint64
	trace []string
	hash  uint64
	bad   []string // broken invariants
	stats stats
}

// stats say what a seed got to, so that a harness that tests nothing is seen.
type stats struct {
	bought, batches, foreign, crashes, zombies, doubts, steps int
}

// simulate runs one seed in a bubble of its own.
func simulate(t *testing.T, seed uint64, broken mutation) (r result) {
	synctest.Test(t, func(t *testing.T) {
		s := newSim(t, seed, broken)
		s.drive()
		s.rest()
		s.end()
		r = result{seed: seed, trace: s.trace, bad: s.bad, stats: s.checks.stats}
		r.stats.steps, r.stats.batches = int(s.step.Load()), int(s.batches.Load())
		h := fnv.New64a()
		for _, line := range s.trace {
			_, _ = h.Write([]byte(line))
		}
		r.hash = h.Sum64()
	})
	return r
}

func newSim(t *testing.T, seed uint64, broken mutation) *sim {
	d := newDice(seed)
	s := &sim{
		seed: seed, dice: d, plan: newPlan(seed, d), broken: broken, start: clock(),
		down: map[pricing.Market]*atomic.Bool{}, amid: map[pricing.Market]*atomic.Bool{}, since: map[pricing.Market]*atomic.Int64{}, accounts: map[pricing.Market]*account{},
		asks: map[pricing.Market]map[string]pricing.Money{}, foreign: map[string]bool{},
	}
	if broken.shape != nil {
		broken.shape(&s.plan)
	}
	s.limits = s.plan.limits
	s.checks.begin()
	var err error
	if s.world, err = marketsim.New(s.plan.world); err != nil {
		t.Fatal(err)
	}
	s.keep = keepers[s.plan.kept](t)
	s.journal, _ = s.keep(nil)
	for _, m := range pricing.Markets {
		s.down[m], s.amid[m], s.since[m], s.accounts[m], s.asks[m] = &atomic.Bool{}, &atomic.Bool{}, &atomic.Int64{}, &account{}, map[string]pricing.Money{}
		for _, name := range names {
			s.price(m, name)
		}
	}
	return s
}

// drive takes the seed's steps.
func (s *sim) drive() {
	s.serve()
	s.enter()
	for range s.plan.steps {
		s.settle()
		if s.check(); s.broke() {
			return
		}
		s.step.Add(1)
		s.act()
	}
	s.settle()
	s.check()
}

// settle waits until every goroutine waits for the driver, a timer, or another.
func (s *sim) settle() { synctest.Wait() }

// waits tells whether a call waits for the driver. One that comes between two
// seconds always does: the clients' random pauses end there, and what happens
// then must not depend on them.
func (s *sim) waits(t *ticket) bool {
	if s.calm.Load() {
		return false
	}
	return time.Now().Nanosecond() != 0 || whim(s.seed, int(s.step.Load()), t.label, s.plan.parks[t.kind])
}

func (s *sim) wrote() { s.writes.Add(1) }

// note adds a line to the trace.
func (s *sim) note(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trace = append(s.trace, fmt.Sprintf("%4d %8s  ", s.step.Load(), clock().Sub(s.start))+fmt.Sprintf(format, args...))
}

// violate reports a broken invariant.
func (s *sim) violate(format string, args ...any) {
	s.note("VIOLATION: "+format, args...)
	s.mu.Lock()
	defer s.mu.Unlock()
	if line := fmt.Sprintf(format, args...); len(s.bad) < 10 && !slices.Contains(s.bad, line) {
		s.bad = append(s.bad, line)
	}
}

func (s *sim) broke() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.bad) > 0
}

// end takes everything down, so that the bubble can end.
func (s *sim) end() {
	s.calm.Store(true)
	for _, label := range s.parking.labels() {
		if s.parking.alike(label)[0].life == nil {
			s.parking.release(label, fail)
		}
	}
	for _, l := range append(slices.Clone(s.zombies), s.life) {
		if l != nil {
			s.kill(l, never)
		}
	}
	_ = s.server.Close()
	s.settle()
}
