package simulation

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"skinarb/execution"
	"skinarb/fetch"
	"skinarb/internal/marketsim"
	"skinarb/markets/sih"
	"skinarb/markets/skinsback"
	"skinarb/pricing"
)

// life is one process of the trader: clients and an executor on the journal of
// the ones before. When it dies nothing of it is written or sent any more: each
// of its goroutines ends at the next thing that it does.
type life struct {
	sim    *sim
	number int
	dead   atomic.Bool
	fenced atomic.Bool // another process leads
	hinted bool        // a hint may wait in it
	cancel context.CancelFunc
	ctx    context.Context
	x      *execution.Executor

	mu        sync.Mutex
	wires     []*wire
	recovered bool
	ended     bool  // Run has returned
	failed    error // of Recover, which ends the process
}

// recipient is who gets what is bought.
const (
	partner = "46143802"
	steamID = "76561198006409530"
	token   = "tradetok"
)

// begin starts a process.
func (s *sim) begin() {
	s.lives++
	l := &life{sim: s, number: s.lives}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	cfg := s.plan.exec
	cfg.Limits = s.plan.limits
	kept, lead := s.keep(l)
	cfg.Fence = l.leads
	cfg.Journal = &journal{Journal: kept, life: l}
	if s.broken.journal != nil {
		cfg.Journal = s.broken.journal(cfg.Journal)
	}
	cfg.Budgets = map[pricing.Market]execution.Budget{}
	for _, m := range pricing.Markets {
		b := &budget{s.accounts[m], l, m}
		c := s.client(l, m, b)
		var market execution.Market = placing{c}
		if many, ok := c.(execution.Batcher); ok {
			market = placingMany{placing{c}, many}
		}
		if s.broken.market != nil {
			market = s.broken.market(market.(client))
		}
		cfg.Markets = append(cfg.Markets, market)
		cfg.Budgets[m] = purchases{b}
	}
	var err error
	if l.x, err = execution.New(cfg); err != nil {
		panic(err) // the harness made a wrong Config
	}
	s.life = l
	s.limits = l.x.Limits()
	s.checks.limitsChanged = true
	go func() {
		err := lead(l.ctx)
		if err == nil {
			err = l.x.Recover(l.ctx)
		}
		l.mu.Lock()
		l.recovered, l.failed = err == nil, err
		l.mu.Unlock()
		if err == nil {
			var keeping sync.WaitGroup
			keeping.Go(func() { l.x.KeepStop(l.ctx) })
			l.x.Run(l.ctx)
			keeping.Wait()
		}
		l.mu.Lock()
		l.ended = true
		l.mu.Unlock()
	}()
}

func (s *sim) client(l *life, m pricing.Market, b fetch.Budget) (c client) {
	var err error
	switch m {
	case pricing.SkinsBack:
		c, err = skinsback.New(skinsback.Config{
			URL: "http://skinsback.test/api.php", ClientID: marketsim.DemoClientID, ClientSecret: marketsim.DemoClientSecret,
			Recipient: skinsback.Recipient{Partner: partner, Token: token}, Budget: b, Dial: l.dialer(m), Now: clock,
		})
	default:
		c, err = sih.New(sih.Config{
			URL: "http://sih.test/api/v1", APIKey: marketsim.DemoAPIKey,
			Recipient: sih.Recipient{SteamID: steamID, Token: token}, Budget: b, Dial: l.dialer(m), Now: clock,
		})
	}
	if err != nil {
		panic(err) // the harness made a wrong Config
	}
	return c
}

// park lets the driver decide about a call, if the seed wants that.
func (l *life) park(t *ticket) verdict {
	if l.dead.Load() {
		return die
	}
	t.label, t.life = fmt.Sprintf("%d %s", l.number, t.label), l
	if !l.sim.waits(t) {
		return proceed
	}
	t.label += " (" + caller() + ")"
	v := l.sim.parking.wait(t, nil)
	if l.dead.Load() && v != dieAfter {
		return die
	}
	return v
}

// caller names the executor's function that the goroutine began in, or came
// through first: two of its loops may want the same of the journal, and which of
// them is first makes a difference.
func caller() string {
	var pcs [48]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	for name := ""; ; {
		f, more := frames.Next()
		if rest, ok := strings.CutPrefix(f.Function, "skinarb/execution."); ok {
			name = strings.TrimPrefix(rest, "(*Executor).")
		}
		if !more {
			return name
		}
	}
}

// keep remembers a connection; a dead process gets none.
func (l *life) keep(w *wire) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead.Load() {
		return false
	}
	l.wires = append(l.wires, w)
	return true
}

// running tells how far the process is.
func (l *life) running() (recovered, ended bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.recovered, l.ended
}

// errFenced is what a process hears that does not lead any more.
var errFenced = errors.New("another process leads")

// leads is the process's fence.
func (l *life) leads() error {
	if l.fenced.Load() {
		return errFenced
	}
	return nil
}

// kill ends a process as kill -9 does. Writes that wait are done or not, as
// drawn says of each.
func (s *sim) kill(l *life, drawn func(label string) bool) {
	if s.life == l {
		s.life, s.closing = nil, false
	}
	s.zombies = slices.DeleteFunc(s.zombies, func(z *life) bool { return z == l })
	l.dead.Store(true)
	for _, label := range s.parking.labels() {
		t := s.parking.alike(label)[0]
		if t.life != l {
			continue
		}
		v := die
		if t.kind == journalWrite && drawn(label) {
			v = dieAfter
			s.note("  written before it died: %s", label)
		}
		s.parking.release(label, v)
		s.settle()
	}
	l.cancel()
	l.mu.Lock()
	wires := slices.Clone(l.wires)
	l.mu.Unlock()
	for _, w := range wires {
		_ = w.Close()
	}
	s.settle()
}

// never is for kill.
func never(string) bool { return false }

// account is the request budget of one market's account. It grants at once,
// except while the market wants to be left alone.
type account struct{ until atomic.Int64 } // nanoseconds of the bubble's clock

// budget is an account as one life sees it.
type budget struct {
	*account
	life   *life
	market pricing.Market
}

// Take implements fetch.Budget.
func (b *budget) Take(ctx context.Context, _ fetch.Class) error {
	for {
		left := time.Duration(b.until.Load() - time.Now().UnixNano())
		if b.life.dead.Load() {
			return errors.New("the process is dead")
		}
		if left <= 0 {
			return ctx.Err()
		}
		select {
		case <-time.After(left):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Pause implements fetch.Budget. It ends between two seconds: at no time at which
// somebody's patience ends, since nobody can decide which of two comes first.
func (b *budget) Pause(_ context.Context, d time.Duration) error {
	end := time.Now().Add(d).Truncate(time.Second).Add(time.Second / 2)
	b.until.Store(max(b.until.Load(), end.UnixNano()))
	return nil
}

// purchases is what execution sees of a budget.
type purchases struct{ *budget }

func (p purchases) Take(ctx context.Context) error {
	if v := p.life.park(&ticket{label: "permit " + string(p.market), kind: permit}); v != proceed {
		return errors.New("no permit")
	}
	if scarce := p.life.sim.plan.scarce; scarce > 0 { // as where Pause ends
		now := time.Now()
		select {
		case <-time.After(now.Truncate(scarce).Add(scarce + time.Second/2).Sub(now)):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return p.budget.Take(ctx, fetch.ForPurchase)
}
