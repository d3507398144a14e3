package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"skinarb/internal/marketsim"
)

const operator = "operator-token-of-the-tests"

// markets is both simulated markets and what a trader on them is told; it
// outlives traders, as real ones do.
type markets struct {
	world    *marketsim.World
	env      map[string]string
	mostOpen atomic.Int64 // see watchOpen
}

func newMarkets(t *testing.T) *markets {
	t.Helper()
	return newMarketsWith(t, func(*marketsim.Config) {})
}

// newMarketsWith is newMarkets with other markets.
func newMarketsWith(t *testing.T, change func(*marketsim.Config)) *markets {
	t.Helper()
	config := marketsim.Config{
		Seed: 3, Items: 300, Tick: 500 * time.Millisecond, MovePct: 10,
		Timing: marketsim.Timing{
			TradeCreation: 300 * time.Millisecond, Acceptance: 500 * time.Millisecond,
			AcceptTimeout: 5 * time.Second, Protection: 2 * time.Second,
		},
	}
	change(&config)
	world, err := marketsim.New(config)
	if err != nil {
		t.Fatal(err)
	}
	server, err := marketsim.Serve(world, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	m := &markets{world: world, env: map[string]string{
		"SKINSBACK_URL": server.SkinsBackURL, "SKINSBACK_WS_URL": server.SocketURL, "SKINSBACK_CLIENT_ID": marketsim.DemoClientID, "SKINSBACK_CLIENT_SECRET": marketsim.DemoClientSecret,
		"SIH_URL": server.SIHURL, "SIH_API_KEY": marketsim.DemoAPIKey,
		"MODE": "live", "TRADE_URL": "https://steamcommunity.com/tradeoffer/new/?partner=100000001&token=AbCdEf12",
		"LISTEN_ADDR": "127.0.0.1:0", "API_TOKEN": operator, "DATA_DIR": t.TempDir(),
		"FETCH_INTERVAL": "500ms", "TRACK_INTERVAL": "300ms", "MAX_QUOTE_AGE": "20s",
		"SKINSBACK_SELL_FEE_BPS": "1000", "SIH_SELL_FEE_BPS": "1000",
		"SKINSBACK_PROTECTION": "3s", "SIH_PROTECTION": "3s",
		"MIN_PROFIT_USD": "0.02", "MIN_EDGE_BPS": "50",
		"MAX_ORDER_USD": "60", "MAX_DAY_USD": "5000", "MAX_OPEN_ORDERS": "4",
		"LOG_FORMAT": "json",
	}}
	m.watchOpen(t)
	return m
}

func (m *markets) set(name, value string) { m.env[name] = value }

// buyRequests counts the purchase requests that both markets have had.
func (m *markets) buyRequests() int {
	onSkinsBack := m.world.Requests(marketsim.SkinsBack)
	return onSkinsBack["market_buy"] + onSkinsBack["market_batch_buy"] + m.world.Requests(marketsim.SIH)["create-order"]
}

// waitBuying waits until the markets have had so many purchase requests.
func (m *markets) waitBuying(t *testing.T, want int) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d purchase requests", want), func() (bool, string) {
		n := m.buyRequests()
		return n >= want, fmt.Sprintf("%d", n)
	})
}

// buysNothing fails when for some time there are more purchase requests than the
// allowed.
func (m *markets) buysNothing(t *testing.T, during time.Duration, allowed int) {
	t.Helper()
	for end := time.Now().Add(during); time.Now().Before(end); <-time.After(20 * time.Millisecond) {
		if n := m.buyRequests(); n > allowed {
			t.Fatalf("got %d purchase requests, want no more than %d", n, allowed)
		}
	}
}

// bareEnv is what every process needs and no setting of ours.
func bareEnv() []string {
	var env []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "SystemRoot", "TEMP"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// process is a running trader.
type process struct {
	cmd   *exec.Cmd
	base  string        // of its API
	ended chan struct{} // closed when it has

	mu   sync.Mutex
	text bytes.Buffer
}

// Write takes what the trader says.
func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

func (p *process) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

var dashboard = regexp.MustCompile(`"dashboard":"(http://[^/"]+)/"`)

// start starts a trader and waits for its address. It ends with the test.
func (m *markets) start(t *testing.T) *process {
	t.Helper()
	return m.startWith(t)
}

// startWith starts a trader with settings of its own.
func (m *markets) startWith(t *testing.T, settings ...string) *process {
	t.Helper()
	p := m.launch(t, settings...)
	p.waitAddress(t)
	return p
}

// launch starts a trader, which may have settings of its own, and waits for
// nothing. It ends with the test.
func (m *markets) launch(t *testing.T, settings ...string) *process {
	t.Helper()
	return m.run(t, traderBinary, settings...)
}

// run starts one of our programs, which ends with the test.
func (m *markets) run(t *testing.T, binary string, settings ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(binary), ended: make(chan struct{})}
	p.cmd.Dir, p.cmd.Env = t.TempDir(), bareEnv()
	for name, value := range m.env {
		p.cmd.Env = append(p.cmd.Env, name+"="+value)
	}
	p.cmd.Env = append(p.cmd.Env, settings...) // of two for one name the last counts
	p.cmd.Stdout, p.cmd.Stderr = p, p
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.cmd.Wait() // how it ended is in cmd.ProcessState
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.kill(t)
		said := p.said()
		for _, secret := range []string{operator, marketsim.DemoClientSecret, marketsim.DemoAPIKey, "AbCdEf12"} {
			if strings.Contains(said, secret) {
				t.Errorf("the log shows the secret %s", secret)
			}
		}
		if strings.Contains(said, "panic") || strings.Contains(said, "DATA RACE") {
			t.Errorf("the trader said\n%s", said)
		}
	})
	return p
}

// waitAddress waits until the trader says where its API is.
func (p *process) waitAddress(t *testing.T) {
	t.Helper()
	eventually(t, "the trader's address", func() (bool, string) {
		if found := dashboard.FindStringSubmatch(p.said()); found != nil {
			p.base = found[1]
			return true, ""
		}
		select {
		case <-p.ended:
			t.Fatalf("the trader ended: %v\n%s", p.cmd.ProcessState, p.said())
		default:
		}
		return false, p.said()
	})
}

// kill ends the process as a power cut would.
func (p *process) kill(t *testing.T) {
	t.Helper()
	p.cmd.Process.Kill() // it may have ended by itself
	select {
	case <-p.ended:
	case <-time.After(10 * time.Second):
		t.Error("the trader survives being killed")
	}
}

// terminate tells the process to end as a service manager does.
func (p *process) terminate(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no SIGTERM")
	}
	told := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatalf("signal: %v", err)
	}
	select {
	case <-p.ended:
	case <-time.After(15 * time.Second):
		t.Fatal("the trader does not end")
	}
	if took := time.Since(told); p.cmd.ProcessState.ExitCode() != 0 || took > 10*time.Second {
		t.Errorf("got %v after %v, want exit status 0 within 10 s; it said\n%s", p.cmd.ProcessState, took, p.said())
	}
}

// waitUp waits until the trader answers and has prices.
func (p *process) waitUp(t *testing.T) {
	t.Helper()
	eventually(t, "the trader to be ready", p.ready)
}

// ready tells whether the trader says that it is, and what it says.
func (p *process) ready() (bool, string) {
	resp, err := client.Get(p.base + "/readyz")
	if err != nil {
		return false, err.Error()
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return resp.StatusCode == http.StatusOK, string(body)
}

// waitUnready waits until the trader says that it is not ready, in some words.
func (p *process) waitUnready(t *testing.T, words string) {
	t.Helper()
	eventually(t, "the trader not to be ready: "+words, func() (bool, string) {
		ready, said := p.ready()
		return !ready && strings.Contains(said, words), said
	})
}

var client = &http.Client{Timeout: 35 * time.Second}

// get reads an answer as the operator.
func (p *process) get(t *testing.T, path string, into any) {
	t.Helper()
	p.ask(t, http.MethodGet, path, "", into)
}

// command sends a command as the operator.
func (p *process) command(t *testing.T, path, body string) {
	t.Helper()
	p.ask(t, http.MethodPost, path, body, &struct{}{})
}

// tell sends a command as the operator whose answer nobody waits for, since the
// trader is about to die.
func (p *process) tell(path, body string) {
	if req, err := http.NewRequest(http.MethodPost, p.base+path, strings.NewReader(body)); err == nil {
		req.Header.Set("Authorization", "Bearer "+operator)
		req.Header.Set("Content-Type", "application/json")
		if resp, err := client.Do(req); err == nil {
			resp.Body.Close()
		}
	}
}

func (p *process) ask(t *testing.T, method, path, body string, into any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, p.base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+operator)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", method, path, err, p.said())
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: got status %d, error %v, body %s", method, path, resp.StatusCode, err, answer)
	}
	if err := json.Unmarshal(answer, into); err != nil {
		t.Fatalf("%s %s: %v in %s", method, path, err, answer)
	}
}

// slowest is how long a test waits for what has no time of its own, on a machine
// that has much else to do.
const slowest = 3 * time.Minute

// eventually waits until check is true; check also says what it sees, for when
// it never is.
func eventually(t *testing.T, what string, check func() (bool, string)) {
	t.Helper()
	eventuallyWithin(t, slowest, what, check)
}

func eventuallyWithin(t *testing.T, within time.Duration, what string, check func() (bool, string)) {
	t.Helper()
	for end := time.Now().Add(within); ; <-time.After(50 * time.Millisecond) {
		ok, seen := check()
		if ok {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("waited %v for %s; got %s", within, what, seen)
		}
	}
}
