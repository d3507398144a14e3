package main

import (
	"cmp"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"skinarb/internal/crashpoint"
	"skinarb/internal/marketsim"
)

// faults are what may become of a purchase request on the wire; the first is
// nothing.
var faults = []string{
	"", marketsim.FaultDropBefore, marketsim.FaultDropAfter, marketsim.FaultErrorAfter,
	marketsim.FaultGarble, marketsim.FaultTruncate, marketsim.FaultHang,
}

// disturb makes some percent of all purchase requests suffer from a fault, and
// nothing else.
func (m *markets) disturb(kind string, percent int) {
	m.world.ClearFaults()
	if kind != "" {
		m.world.Inject(marketsim.Fault{Market: marketsim.SkinsBack, Method: "market_buy", Kind: kind, Percent: percent})
		m.world.Inject(marketsim.Fault{Market: marketsim.SkinsBack, Method: "market_batch_buy", Kind: kind, Percent: percent})
		m.world.Inject(marketsim.Fault{Market: marketsim.SIH, Method: "create-order", Kind: kind, Percent: percent})
	}
}

// manyLives prepares for traders that live for seconds: doubts are resolved
// soon, and what each start asks the markets leaves room in the accounts'
// budgets for catalogs.
func (m *markets) manyLives() {
	m.set("PLACE_TIMEOUT", "4s")
	m.set("LOOKUP_GRACE", "1s")
	m.set("FETCH_INTERVAL", "1s")
	m.set("TRACK_INTERVAL", "1s")
}

// crash starts a trader that ends itself at a label, does something with it
// meanwhile, and waits for its end.
func (m *markets) crash(t *testing.T, label string, meanwhile func(*process)) {
	t.Helper()
	p := m.launch(t, "SKINARB_CRASH_AT="+label)
	if meanwhile != nil {
		meanwhile(p)
	}
	select {
	case <-p.ended:
		if p.cmd.ProcessState.Exited() {
			t.Fatalf("the trader ended by itself: %v\n%s", p.cmd.ProcessState, p.said())
		}
	case <-time.After(slowest):
		t.Errorf("the trader did not come to %s within %s; it said\n%s\n%s", label, slowest, p.said(), p.situation(t))
		p.kill(t)
	}
}

// A trader that dies at any step of a purchase, whatever becomes of the request
// on the wire, buys no intent twice, loses sight of none and keeps every limit.
func TestKillAtEveryStep(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a hundred lives")
	}
	t.Parallel()
	for _, kind := range faults {
		t.Run(cmp.Or(kind, "no-fault"), func(t *testing.T) {
			t.Parallel()
			m := newMarkets(t)
			m.manyLives()
			m.dieAtEveryStep(t, kind, func() {})
		})
	}
}

// dieAtEveryStep ends one trader at each label while purchases suffer from a
// fault, and compares what the last one remembers with what was sold. It calls
// between before each life.
func (m *markets) dieAtEveryStep(t *testing.T, kind string, between func()) {
	t.Helper()
	m.set("MAX_ORDER_USD", "12")
	m.set("MAX_DAY_USD", "200")
	m.set("MAX_OPEN_ORDERS", "30")
	m.set("MAX_ITEM_UNITS", "2")
	m.set("MAX_QUOTE_AGE", "6s")
	m.set("SIH_RATE_PER_MINUTE", "1000") // a life a second asks for much, and leaves nothing for catalogs
	crash := func(label string, meanwhile func(*process)) {
		t.Helper()
		between()
		m.crash(t, label, meanwhile)
	}
	for _, label := range crashpoint.Labels {
		m.disturb(kind, 50)
		switch label {
		case crashpoint.RequestWritten, crashpoint.AnswerReceived, crashpoint.AnswerWritten:
			m.disturb(kind, 100) // the very request that it dies with
			crash(label, nil)
		case crashpoint.Adopted:
			m.buyByHand(t)
			crash(label, nil)
		case crashpoint.Withdrawn:
			crash(crashpoint.Reserved, nil)
			<-time.After(6 * time.Second) // MAX_QUOTE_AGE: what was planned is never sent
			crash(label, nil)
		case crashpoint.StopWritten:
			crash(label, func(p *process) {
				p.waitAddress(t)
				p.waitUp(t)
				p.tell("/v1/trading/stop", `{"reason":"the last word"}`)
			})
		default:
			crash(label, nil)
		}
	}

	between()
	p := m.start(t)
	p.waitUp(t)
	var got trading
	if p.get(t, "/v1/trading", &got); got.State != "stopped" || got.Reason != "the last word" {
		t.Errorf("got trading %s because of %q, want stopped because of %q: the stop was written", got.State, got.Reason, "the last word")
	}
	m.settle(t, p)
	b := m.wantSound(t, p)
	if b.cutOff == 0 {
		t.Errorf("got %v, want some that were cut off", b)
	}
	t.Log(b)
}

// A trader that is killed at any moment, by markets that lose its answers, buys
// no intent twice and loses sight of none. SKINARB_LONG=5m makes it as long.
func TestKillAnywhere(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes most of a minute")
	}
	t.Parallel()
	m := newMarkets(t)
	m.manyLives()
	m.set("MAX_ORDER_USD", "12")
	m.set("MAX_DAY_USD", "60")
	m.set("MAX_OPEN_ORDERS", "30")
	m.set("MAX_ITEM_UNITS", "3")
	long := 12 * time.Second
	kinds := faults[1:] // of which each purchase suffers one or none
	if s := os.Getenv("SKINARB_LONG"); s != "" {
		var err error
		if long, err = time.ParseDuration(s); err != nil {
			t.Fatalf("SKINARB_LONG: %v", err)
		}
		m.set("MAX_DAY_USD", "2000")
		kinds = []string{marketsim.FaultDropAfter} // lost replies
	}
	for i, method := range []string{"market_buy", "create-order"} {
		market := []string{marketsim.SkinsBack, marketsim.SIH}[i]
		for _, kind := range kinds {
			m.world.Inject(marketsim.Fault{Market: market, Method: method, Kind: kind, Percent: 25})
		}
	}

	// Half of the deaths come at a random moment, half just after a market took
	// money, when its answer is on the way or not yet written down.
	moments := rand.New(rand.NewPCG(7, 7))
	lives := 0
	for end := time.Now().Add(long); time.Now().Before(end); lives++ {
		p := m.start(t)
		p.waitUp(t)
		<-time.After(time.Second + time.Duration(moments.Int64N(int64(2*time.Second))))
		if lives%2 == 1 {
			before := len(m.world.Purchases())
			for end := time.Now().Add(2 * time.Second); time.Now().Before(end) && len(m.world.PurchasesFrom(before)) == 0; {
				<-time.After(100 * time.Microsecond)
			}
		}
		p.kill(t)
	}
	p := m.start(t)
	p.waitUp(t)
	m.settle(t, p)
	b := m.wantSound(t, p)
	if b.purchases < 5 || b.doubted == 0 {
		t.Errorf("got %v, want enough to tell something", b)
	}
	t.Logf("%v; %d lives; at most %d and %d requests in a minute", b, lives+1,
		m.world.MaxPerMinute(marketsim.SkinsBack), m.world.MaxPerMinute(marketsim.SIH))
}
