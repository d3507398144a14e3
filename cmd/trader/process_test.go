package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"skinarb/internal/marketsim"
)

// traderBinary is the program under test, built once for all tests here. It can
// be told where to crash and what time it is; untold it is the one that users
// have.
var traderBinary string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "trader-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	traderBinary = filepath.Join(dir, "trader.exe") // Windows wants the ending, others do not mind
	if out, err := exec.Command("go", "build", "-tags", "crashpoints", "-o", traderBinary, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the trader: %v\n%s", err, out)
		return 1
	}
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		flag.Set("test.parallel", "8") // these tests wait, they do not compute
	}
	return m.Run()
}

// After stop has answered nothing is bought, not even by the next process.
func TestStopMeansStop(t *testing.T) {
	t.Parallel()
	m := newMarkets(t)
	// Answers take a while, so that purchases are on the wire when stop comes.
	m.world.Inject(marketsim.Fault{Method: "market_buy", Kind: marketsim.FaultDelay, Delay: 300 * time.Millisecond})
	m.world.Inject(marketsim.Fault{Method: "create-order", Kind: marketsim.FaultDelay, Delay: 300 * time.Millisecond})
	p := m.start(t)
	m.waitBuying(t, 3)

	p.command(t, "/v1/trading/stop", `{"reason":"enough for today"}`)
	atStop := m.buyRequests()
	wantStopped := func() {
		t.Helper()
		var got trading
		p.get(t, "/v1/trading", &got)
		if got.State != "stopped" || got.Reason != "enough for today" {
			t.Errorf("got trading %s because of %q, want stopped because of %q", got.State, got.Reason, "enough for today")
		}
	}
	wantStopped()
	m.buysNothing(t, 2*time.Second, atStop)

	p.terminate(t)
	p = m.start(t)
	p.waitUp(t)
	wantStopped()
	eventually(t, "something worth buying", func() (bool, string) {
		return p.opportunities(t) > 0, "no opportunities"
	})
	m.buysNothing(t, 2*time.Second, atStop)

	p.command(t, "/v1/trading/start", "")
	m.waitBuying(t, atStop+1)
}

// Whoever has made five mistakes hears of five, and sees no secret.
func TestFiveMistakes(t *testing.T) {
	t.Parallel()
	stderr := refused(t, []string{
		"SKINSBACK_RATE_PER_MINUTE=501",
		"FETCH_INTERVAL=soon",
		"MAX_ORDER_USD=-5",
		"LISTEN_ADDR=0.0.0.0:0",
		"TRADE_URL=https://steamcommunity.com/tradeoffer/new/?partner=me&token=hush-token",
		"SKINSBACK_CLIENT_ID=hush-id", "SKINSBACK_CLIENT_SECRET=hush-secret", "SIH_API_KEY=hush-key",
		"REDIS_URL=redis://:hush-redis@127.0.0.1:1/0",
	})
	for _, name := range []string{"SKINSBACK_RATE_PER_MINUTE", "FETCH_INTERVAL", "MAX_ORDER_USD", "LISTEN_ADDR", "TRADE_URL"} {
		if !strings.Contains(stderr, name+":") {
			t.Errorf("got %q, want it to name %s", stderr, name)
		}
	}
	if strings.Contains(stderr, "hush") {
		t.Errorf("a secret is shown: %q", stderr)
	}
}

func TestLiveNeedsLimits(t *testing.T) {
	t.Parallel()
	stderr := refused(t, []string{"MODE=live", "SKINSBACK_CLIENT_ID=a", "SKINSBACK_CLIENT_SECRET=b", "SIH_API_KEY=c"})
	for _, name := range []string{"MAX_ORDER_USD", "MAX_DAY_USD", "SKINSBACK_SELL_FEE_BPS", "SIH_SELL_FEE_BPS", "TRADE_URL"} {
		if !strings.Contains(stderr, name+":") {
			t.Errorf("got %q, want it to name %s", stderr, name)
		}
	}
}

// refused runs the trader with settings that it must not start with, and gives
// what it says.
func refused(t *testing.T, env []string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, traderBinary)
	dir := t.TempDir()
	cmd.Dir, cmd.Env = dir, append(bareEnv(), env...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Run(); cmd.ProcessState.ExitCode() != 2 {
		t.Errorf("got %v, want exit status 2; it said %q", err, stderr.String())
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("got files %v and error %v, want that nothing was begun", left, err)
	}
	return stderr.String()
}

func TestDemo(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, traderBinary, "--demo", "--demo-for", "12s")
	cmd.Dir, cmd.Env = t.TempDir(), append(bareEnv(), "LISTEN_ADDR=127.0.0.1:0")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("got %v, want exit status 0\n%s", err, out)
	}
	for _, want := range []string{"dashboard", "bought", "Summary"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the demo says nothing of %q:\n%s", want, out)
		}
	}
}

func TestPaperSendsNothing(t *testing.T) {
	t.Parallel()
	m := newMarkets(t)
	m.set("MODE", "paper")
	p := m.start(t)
	p.waitUp(t)
	eventually(t, "paper orders", func() (bool, string) {
		n := len(p.orders(t, "placed,delivering,delivered,settled"))
		return n >= 3, fmt.Sprintf("%d bought on paper", n)
	})
	m.buysNothing(t, time.Second, 0)
	if n := len(m.world.Purchases()); n != 0 {
		t.Errorf("got %d purchases, want none", n)
	}
}

// A trader told to end while it buys does so in time, with every answer written
// down.
func TestSIGTERM(t *testing.T) {
	t.Parallel()
	m := newMarkets(t)
	m.world.Inject(marketsim.Fault{Method: "market_buy", Kind: marketsim.FaultDelay, Delay: time.Second})
	m.world.Inject(marketsim.Fault{Method: "create-order", Kind: marketsim.FaultDelay, Delay: time.Second})
	p := m.start(t)
	m.waitBuying(t, 1)
	p.terminate(t)

	after := len(m.world.Purchases())
	if after == 0 {
		t.Error("got no purchase, want what was on the wire to be finished")
	}
	p = m.start(t)
	p.waitUp(t)
	p.command(t, "/v1/trading/stop", "")
	for _, o := range p.orders(t, "") {
		for _, step := range o.History {
			if step.State == "in_doubt" {
				t.Errorf("order %s was in doubt: %s; want its answer written before the end", o.ID, step.Note)
			}
		}
	}
}

func TestHeldAndOutliers(t *testing.T) {
	t.Parallel()
	t.Run("markets disagree by 100", func(t *testing.T) {
		t.Parallel()
		m := newMarkets(t)
		m.world.Inject(marketsim.Fault{Market: marketsim.SIH, Kind: marketsim.FaultRescaledCatalog})
		p := m.start(t)
		p.waitUp(t)
		p.waitFeed(t, marketsim.SkinsBack, "fresh")
		p.waitFeed(t, marketsim.SIH, "fresh")
		m.buysNothing(t, 3*time.Second, 0)
		if n := p.opportunities(t); n != 0 {
			t.Errorf("got %d opportunities, want none", n)
		}
		p.wantVerdict(t, "markets_agree", false)
	})
	t.Run("a catalog shrinks", func(t *testing.T) {
		t.Parallel()
		m := newMarkets(t)
		m.set("FETCH_INTERVAL", "2s") // five pulls that agree would be believed
		p := m.start(t)
		m.waitBuying(t, 2)
		m.world.Inject(marketsim.Fault{Market: marketsim.SkinsBack, Kind: marketsim.FaultShrunkenCatalog})
		reason := p.waitFeed(t, marketsim.SkinsBack, "held")
		if reason == "" {
			t.Error("the held feed does not say why")
		}
		eventually(t, "nothing worth buying any more", func() (bool, string) {
			n := p.opportunities(t)
			return n == 0, fmt.Sprintf("%d opportunities", n)
		})
		// What passed its last check before that is sent already, or never.
		eventually(t, "purchases on the wire to land", func() (bool, string) {
			n := len(p.orders(t, "sent"))
			return n == 0, fmt.Sprintf("%d sent", n)
		})
		m.buysNothing(t, 2*time.Second, m.buyRequests())
		var got struct{ Feeds []feed }
		p.get(t, "/v1/feeds", &got)
		for _, f := range got.Feeds {
			if f.Market == marketsim.SkinsBack && f.State != "held" {
				t.Errorf("got feed %+v, want it held still", f)
			}
		}
	})
}
