package simulation

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"time"

	"skinarb/execution"
	"skinarb/internal/marketsim"
	"skinarb/pricing"
)

// quantum is what the clock advances by, or by multiples. The clients' random
// pauses are shorter, so that they end within one quantum in every run.
const quantum = 2 * time.Second

// action is one thing that the driver can do in a step.
type action struct {
	name     string
	weights  []int // of which a seed draws one
	possible func(*sim) bool
	do       func(*sim)
}

var actions []action

func init() {
	alive := func(s *sim) bool { return s.life != nil }
	open := func(s *sim) bool { return s.life != nil && !s.closing }
	always := func(*sim) bool { return true }
	// A process that has not recovered, or not compared the accounts, buys nothing.
	ready := func(s *sim) bool { return open(s) && (s.recovered() || s.dice.chance(10)) }
	actions = []action{
		{"release", []int{60, 120, 240}, func(s *sim) bool { return len(s.parking.labels()) > 0 }, (*sim).releaseOne},
		{"advance", []int{10}, always, func(s *sim) { s.advance(one[time.Duration](s.dice, 1, 1, 2, 3, 5) * quantum) }},
		{"buy", []int{5, 10, 20}, ready, (*sim).buy},
		{"price", []int{0, 2}, always, (*sim).reprice},
		{"stock", []int{0, 1}, always, (*sim).restock},
		{"foreign", []int{0, 0, 1}, always, (*sim).buyForeign},
		{"down", []int{0, 0, 2}, always, (*sim).goDown},
		{"up", []int{1, 4}, func(s *sim) bool { return s.anyDown() }, (*sim).allUp},
		{"hint", []int{0, 3}, alive, (*sim).hint},
		{"stop", []int{0, 0, 2}, func(s *sim) bool { return open(s) && !s.turning.Load() && !s.quiet.Load() }, (*sim).stop},
		{"start", []int{6}, func(s *sim) bool { return open(s) && !s.turning.Load() && s.quiet.Load() }, (*sim).restart},
		{"reset", []int{0, 2}, open, (*sim).reset},
		{"tighten", []int{0, 0, 1}, open, (*sim).tighten},
		{"crash", []int{0, 1, 3}, func(s *sim) bool { return alive(s) && s.checks.stats.crashes < 4 }, (*sim).crash},
		{"shut down", []int{0, 0, 1}, func(s *sim) bool { return open(s) && !s.life.hinted }, (*sim).shutDown},
		{"begin", []int{20}, func(s *sim) bool { return s.life == nil }, (*sim).comeBack},
		{"take over", []int{0, 0, 0, 2}, func(s *sim) bool { return open(s) && len(s.zombies) == 0 }, (*sim).takeOver},
		{"take over from a sender", []int{0, 0, 0, 30}, func(s *sim) bool { return open(s) && len(s.zombies) == 0 && s.sending() }, (*sim).takeOver},
		{"zombie dies", []int{1}, func(s *sim) bool { return len(s.zombies) > 0 }, func(s *sim) { s.note("the zombie dies"); s.kill(s.zombies[0], s.toss) }},
	}
}

// act draws an action that is possible and does it.
func (s *sim) act() {
	if s.life != nil {
		if _, ended := s.life.running(); ended {
			s.note("the process has ended")
			s.kill(s.life, never)
			return
		}
	}
	var can []action
	total := 0
	for _, a := range actions {
		if a.possible(s) {
			can = append(can, a)
			total += s.plan.weights[a.name]
		}
	}
	n := s.dice.IntN(total)
	i := slices.IndexFunc(can, func(a action) bool {
		n -= s.plan.weights[a.name]
		return n < 0
	})
	can[i].do(s)
}

// releaseOne lets one call go on, or go wrong.
func (s *sim) releaseOne() {
	labels := s.parking.labels()
	label := one(s.dice, labels...)
	if s.parking.alike(label)[0].buys && s.dice.chance(s.plan.linger) {
		label = one(s.dice, labels...)
	}
	faults := s.plan.deafen
	if s.parking.alike(label)[0].buys {
		faults = s.plan.refuse
	}
	s.release(label, s.dice.chance(faults), s.dice.chance(s.plan.disk))
}

// release lets what waits under a label go on. With faulty it goes wrong if it
// is a market's, with diskFails if it is the journal's.
func (s *sim) release(label string, faulty, diskFails bool) {
	alike := s.parking.alike(label)
	t := alike[0]
	v := proceed
	switch t.kind {
	case journalWrite:
		if diskFails {
			v = one(s.dice, fail, failAfter)
		}
	case journalRead, orderRead:
		if diskFails {
			v = fail
		}
	case answer:
		if faulty {
			v = fail
		}
	case purchase, marketRead:
		switch {
		case !faulty:
		case t.method == "" || s.dice.chance(20): // it has not even left, or is lost on the way
			v = fail
		default:
			f := s.fault(t)
			f.Times = len(alike)
			s.note("%s: %s %s %s", label, f.Kind, f.Arg, f.Delay)
			s.world.Inject(f)
			s.parking.release(label, proceed)
			s.settle()
			s.world.ClearFaults()
			return
		}
	}
	s.note("%s%s", label, map[verdict]string{proceed: "", fail: ": FAILS", failAfter: ": DONE, BUT FAILS"}[v])
	s.parking.release(label, v)
}

// fault draws what goes wrong with one request. No fault lies: a market that
// denies a purchase that it made is beyond help.
func (s *sim) fault(t *ticket) marketsim.Fault {
	f := marketsim.Fault{Market: sims[t.wire.market], Method: t.method}
	f.Kind = one(s.dice,
		marketsim.FaultRefuse, marketsim.FaultDropBefore, marketsim.FaultDropAfter, marketsim.FaultErrorBefore, marketsim.FaultErrorAfter,
		marketsim.FaultHTMLBefore, marketsim.FaultHTMLAfter, marketsim.FaultTruncate, marketsim.FaultGarble,
		marketsim.FaultHang, marketsim.FaultDelay, marketsim.FaultDelay, marketsim.FaultRateLimit, marketsim.FaultErrorCode)
	switch {
	case f.Kind == marketsim.FaultDelay:
		f.Delay = one[time.Duration](s.dice, 3, 7, 13, 45) * time.Second // never when a patience of ours ends
	case f.Kind == marketsim.FaultErrorCode && t.kind == purchase && t.wire.market == pricing.SkinsBack:
		f.Arg = one(s.dice, "4 insufficient_funds", "5 skin_unavailable", "-9 under_maintenance", "-6 market_disabled", "99 surprise")
	case f.Kind == marketsim.FaultErrorCode && t.kind == purchase:
		f.Arg = one(s.dice, "steam trade ban", "item not found", "surprise")
	}
	return f
}

// patience is how long after its client left a purchase may still be bought.
// Executor.Config.Grace, 30 s, promises that a market is done by then.
const patience = 20 * time.Second

// advance lets time pass. Before it does, a purchase that a market has and whose
// client has left is decided if its time would run out.
func (s *sim) advance(d time.Duration) {
	for _, label := range s.parking.labels() {
		t := s.parking.alike(label)[0]
		if t.kind != purchase || t.life != nil {
			continue
		}
		if left := t.wire.left.Load(); left > 0 && time.Now().Add(d).Unix() > left+int64(patience/time.Second) {
			s.release(label, s.dice.chance(50), false)
			s.settle()
		}
	}
	s.note("%s pass", d)
	time.Sleep(d)
}

// buy wishes for something: new, or once more.
func (s *sim) buy() {
	var r execution.Request
	if n := len(s.wishes); n > 0 && s.dice.chance(40) {
		r = s.wishes[s.dice.IntN(n)]
	} else {
		r = s.newWish()
	}
	// Whoever waits for a permit gives up then: between two seconds, see Pause.
	r.ExpiresAt = clock().Add(one[time.Duration](s.dice, 6, 20, 60, 300)*time.Second + time.Second/4)
	s.wishes = append(s.wishes, r)
	l := s.life
	ctx, cancel := l.ctx, context.CancelFunc(func() {})
	if s.dice.chance(15) {
		ctx, cancel = context.WithTimeout(ctx, one[time.Duration](s.dice, 7, 21)*time.Second)
	}
	s.note("buy %s: %s on %s for %s", short(r.ID()), r.Item, r.Market, r.Ask)
	go func() {
		defer cancel()
		o, err := l.x.Buy(ctx, r)
		s.bought(l, r, o, err)
	}()
}

func (s *sim) newWish() execution.Request {
	m, name := one(s.dice, pricing.Markets...), one(s.dice, names...)
	it, err := pricing.ParseItem(pricing.CS2, name, "")
	if err != nil {
		panic(err) // the harness sells something that is no item
	}
	ask := s.asks[m][name]
	r := execution.Request{
		Market: m, Item: it, MarketName: name, Ask: ask, Since: uint64(s.dice.between(1, 3)),
		Cost:     (ask + ask*pricing.Money(s.plan.feeBps)/10_000).CeilCent(),
		Proceeds: ask + pricing.Dollar,
	}
	for _, other := range pricing.Markets {
		if other != m {
			r.SellOn = other
		}
	}
	return r
}

// price draws an ask.
func (s *sim) price(m pricing.Market, name string) {
	ask := pricing.Money(s.dice.between(100, 600)) * pricing.Cent
	if m == pricing.SIH && s.dice.chance(30) {
		ask += 5_000 // half a cent
	}
	s.asks[m][name] = ask
	if err := s.world.SetAsk(sims[m], name, int64(ask)); err != nil {
		panic(err) // the harness prices what is not sold
	}
}

func (s *sim) reprice() {
	m, name := one(s.dice, pricing.Markets...), one(s.dice, names...)
	s.price(m, name)
	s.note("%s asks %s for %s", m, s.asks[m][name], name)
}

func (s *sim) restock() {
	m, name, n := one(s.dice, pricing.Markets...), one(s.dice, names...), one(s.dice, 0, 1, 2, -1)
	s.note("%s has %d of %s", m, n, name)
	if err := s.world.SetCount(sims[m], name, n); err != nil {
		panic(err)
	}
}

// buyForeign lets somebody else buy on our account, past us.
func (s *sim) buyForeign() {
	m, name := one(s.dice, pricing.Markets...), one(s.dice, names...)
	id := one(s.dice, "", "sb-7_"+strconv.Itoa(s.dice.IntN(1e6)), "sa-"+strconv.Itoa(s.dice.IntN(1e6)), strings.Repeat("x", 40)+strconv.Itoa(s.dice.IntN(1e6)))
	if m == pricing.SIH && id == "" {
		id = "manual"
	}
	var h http.Handler
	var r *http.Request
	switch m {
	case pricing.SkinsBack:
		h, r = s.world.SkinsBack(), httptest.NewRequest(http.MethodPost, "/api.php", strings.NewReader(
			`{"method":"market_buy","partner":"`+partner+`","token":"`+token+`","custom_id":"`+id+`","name":"`+name+`"}`))
		r.Header.Set("X-Client-Id", marketsim.DemoClientID)
		r.Header.Set("X-Client-Secret", marketsim.DemoClientSecret)
	default:
		h, r = s.world.SIH(), httptest.NewRequest(http.MethodPost, "/api/v1/create-order", strings.NewReader(
			`{"steamId":"`+steamID+`","token":"`+token+`","amount":6.1,"customId":"`+id+`","item":"`+name+`"}`))
		r.Header.Set("apikey", marketsim.DemoAPIKey)
	}
	before := len(s.world.Purchases())
	h.ServeHTTP(httptest.NewRecorder(), r)
	for _, p := range s.world.PurchasesFrom(before) {
		s.note("somebody buys %s on %s as %q: %s", name, m, id, p.Ref)
		s.foreign[p.Market+p.Ref] = true
		s.checks.stats.foreign++
	}
}

func (s *sim) goDown() {
	m := one(s.dice, pricing.Markets...)
	s.note("%s is down", m)
	s.down[m].Store(true)
}

// hint tells of an event at a market, true or not.
func (s *sim) hint() {
	var h execution.Hint
	m := one(s.dice, pricing.Markets...)
	all := s.world.Purchases()
	switch n := len(all); {
	case n > 0 && s.dice.chance(50):
		p := all[s.dice.IntN(n)]
		m, h.MarketRef = pricing.Market(p.Market), p.Ref
	case len(s.wishes) > 0 && s.dice.chance(80):
		r := one(s.dice, s.wishes...)
		m, h.ID = r.Market, r.ID()
	}
	s.note("hint: %s %s %s", m, short(h.ID), h.MarketRef)
	s.life.x.Hint(m, h)
	s.life.hinted = true
}

// stop asks the leader to stop trading, or a process that does not know yet
// that it leads no more: whoever asks is heard.
func (s *sim) stop() {
	l := one(s.dice, append(s.zombies, s.life)...)
	s.turning.Store(true)
	s.note("stop, by process %d", l.number)
	go func() {
		defer s.turning.Store(false)
		ctx, cancel := context.WithTimeout(l.ctx, 91*time.Second)
		defer cancel()
		if err := l.x.Stop(ctx, "a drill", "the harness"); err == nil && !l.dead.Load() {
			s.quiet.Store(true)
			s.note("stopped")
		}
	}()
}

// restart lets trading start again. One that fails may have been written: only
// a stop is a promise.
func (s *sim) restart() {
	l := s.life
	s.turning.Store(true)
	s.quiet.Store(false)
	s.note("start")
	go func() {
		defer s.turning.Store(false)
		_ = l.x.Start(l.ctx, "the harness")
	}()
}

// reset closes breakers.
func (s *sim) reset() {
	l, m := s.life, one(s.dice, pricing.Markets...)
	s.note("reset the breakers of %s", m)
	go func() { _ = l.x.Reset(l.ctx, m, "the harness") }()
}

// tighten makes limits smaller while the process runs.
func (s *sim) tighten() {
	to := s.limits
	to.Day, to.Locked, to.OpenOrders = max(to.Day*3/4, 4*pricing.Dollar), max(to.Locked*3/4, 4*pricing.Dollar), max(to.OpenOrders-1, 1)
	if err := s.life.x.Tighten(to.Tightest(s.limits), "the harness"); err != nil {
		s.violate("tighten %+v to %+v: %v", s.limits, to, err)
	}
	s.limits = s.life.x.Limits()
	s.checks.limitsChanged = true
	s.note("limits: %+v", s.limits)
}

func (s *sim) toss(string) bool { return s.dice.chance(50) }

func (s *sim) crash() {
	s.checks.stats.crashes++
	s.note("CRASH")
	s.kill(s.life, s.toss)
}

// shutDown asks a process to end. One that was given a hint goes on: which of the
// two it would see first is up to Go's select.
func (s *sim) shutDown() {
	s.note("shut down")
	s.closing = true
	s.life.cancel()
}

// takeOver lets a second process lead while the first has not found out: it was
// held up for so long that its lease is gone, and goes on where it was.
func (s *sim) takeOver() {
	s.note("process %d leads no more", s.life.number)
	s.checks.stats.zombies++
	s.life.fenced.Store(true)
	s.zombies = append(s.zombies, s.life)
	s.enter()
}

// sending tells whether a purchase of the leader is about to leave.
func (s *sim) sending() bool {
	return slices.ContainsFunc(s.parking.labels(), func(label string) bool {
		t := s.parking.alike(label)[0]
		return t.buys && t.life == s.life
	})
}

// comeBack starts the next process, maybe much later. A zombie's clock would tick all
// that time, which takes long to simulate.
func (s *sim) comeBack() {
	often := 10
	if s.plan.world.Timing.Protection > execution.Day {
		often = 40
	}
	if len(s.zombies) == 0 && s.dice.chance(often) {
		s.advance(one[time.Duration](s.dice, 1, 9, 25) * time.Hour)
		s.settle()
	}
	s.enter()
}

// enter starts a process. Often it gets through its recovery and its first
// comparison of the accounts at once, since nothing is bought before.
func (s *sim) enter() {
	smooth := s.dice.chance(s.plan.smooth)
	s.note("a process begins, smoothly: %v", smooth)
	s.calm.Store(smooth)
	s.begin()
	s.settle()
	s.calm.Store(false)
}

func (s *sim) recovered() bool {
	recovered, _ := s.life.running()
	return recovered
}

func (s *sim) anyDown() bool {
	return slices.ContainsFunc(pricing.Markets, func(m pricing.Market) bool { return s.down[m].Load() })
}

func (s *sim) allUp() {
	s.note("all markets are up")
	for _, m := range pricing.Markets {
		s.down[m].Store(false)
	}
}

// names are the keys of catalog, sorted.
var names = func() (all []string) {
	for name := range catalog {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}()
