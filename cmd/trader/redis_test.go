//go:build unix

package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"skinarb/internal/marketsim"
)

// redisServer is a real Redis that has every write on disk before it answers.
type redisServer struct {
	addr, dir string
	server    *exec.Cmd
}

func startRedis(t *testing.T) *redisServer {
	t.Helper()
	if testing.Short() {
		t.Skip("a real redis-server is not started with -short")
	}
	r := &redisServer{addr: freeAddress(t), dir: t.TempDir()}
	t.Cleanup(func() { r.kill() })
	r.start(t)
	return r
}

func (r *redisServer) start(t *testing.T) {
	t.Helper()
	_, port, _ := net.SplitHostPort(r.addr)
	r.server = exec.Command("redis-server", "--bind", "127.0.0.1", "--port", port, "--dir", r.dir,
		"--save", "", "--appendonly", "yes", "--appendfsync", "always")
	if err := r.server.Start(); err != nil {
		t.Fatalf("these tests need redis-server in PATH (Debian: apt-get install redis-server; macOS: brew install redis), or -short: %v", err)
	}
	eventually(t, "redis-server", func() (bool, string) {
		said, err := r.ask("PING")
		return said == "+PONG", fmt.Sprintf("%q, %v", said, err)
	})
}

// kill ends the server as a power cut would.
func (r *redisServer) kill() {
	r.server.Process.Kill()
	r.server.Wait() // it was killed
}

// do sends a command.
func (r *redisServer) do(t *testing.T, command string) {
	t.Helper()
	if said, err := r.ask(command); err != nil || said != "+OK" {
		t.Fatalf("%s: got %q, error %v, want +OK", command, said, err)
	}
}

// orders gives a digest of the orders in the live journal, whatever order Redis
// gives them in: that changes while it grows a hash, which it does bit by bit with
// each reading.
func (r *redisServer) orders(t *testing.T) string {
	t.Helper()
	said, err := r.ask(`EVAL "local all = redis.call('hgetall', KEYS[1]) table.sort(all) return redis.status_reply(#all .. ' ' .. redis.sha1hex(table.concat(all)))" 1 skinarb:{journal:live}:orders`)
	if err != nil || !strings.HasPrefix(said, "+") || strings.HasPrefix(said, "+0 ") {
		t.Fatalf("digest of the orders: got %q, error %v", said, err)
	}
	return said
}

func (r *redisServer) ask(command string) (string, error) {
	conn, err := net.DialTimeout("tcp", r.addr, time.Second)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := fmt.Fprintf(conn, "%s\r\n", command); err != nil {
		return "", err
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	return strings.TrimSpace(line), err
}

var buildAggregator = sync.OnceValues(func() (string, error) {
	binary := filepath.Join(filepath.Dir(traderBinary), "aggregator.exe")
	out, err := exec.Command("go", "build", "-o", binary, "../aggregator").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, out)
	}
	return binary, err
})

// share puts prices, and what else the settings say, on a Redis, which an
// aggregator fills.
func (m *markets) share(t *testing.T) *redisServer {
	t.Helper()
	r := startRedis(t)
	binary, err := buildAggregator()
	if err != nil {
		t.Fatalf("build the aggregator: %v", err)
	}
	m.set("REDIS_URL", "redis://"+r.addr)
	m.run(t, binary, "DATA_DIR="+t.TempDir(), "SKINARB_CRASH_AT=")
	return r
}

// A Redis that dies, comes back, is read-only for a while or loses all, makes
// nobody buy twice or without a record, wherever the journal is; and once it
// works again, so does the trader.
func TestRedisFails(t *testing.T) {
	t.Parallel()
	for _, journal := range []string{"sqlite", "redis"} {
		t.Run("journal "+journal, func(t *testing.T) {
			t.Parallel()
			m := newMarkets(t)
			m.manyLives()
			r := m.share(t)
			m.set("JOURNAL", journal)
			m.set("MAX_OPEN_ORDERS", "30")
			m.set("MAX_ITEM_UNITS", "3")
			m.disturb(marketsim.FaultDropAfter, 25)
			p := m.start(t)
			m.waitBuying(t, 3)

			for range 3 { // killed under load
				m.waitBuying(t, m.buyRequests()+1)
				r.kill()
				r.start(t)
			}
			m.goesOn(t, p)
			r.kill()
			m.quiet(t)
			p.waitUnready(t, "")
			r.start(t)
			m.goesOn(t, p)

			r.do(t, "CONFIG SET min-replicas-to-write 1") // there is none
			m.quiet(t)
			if journal == "redis" {
				p.waitUnready(t, "the journal cannot be written")
			}
			r.do(t, "CONFIG SET min-replicas-to-write 0")
			m.goesOn(t, p)

			r.do(t, "FLUSHALL")
			if journal == "redis" {
				p.waitUnready(t, "the journal cannot be written")
				m.quiet(t)
				p.terminate(t)
				p = m.start(t) // by which a person says to begin a new journal
			}
			m.goesOn(t, p)
			m.settle(t, p)
			t.Log(m.wantSound(t, p))
		})
	}
}

// quiet fails unless purchases end within a second and none follows for some.
func (m *markets) quiet(t *testing.T) {
	t.Helper()
	<-time.After(time.Second)
	m.buysNothing(t, 3*time.Second, m.buyRequests())
}

// goesOn waits until the trader is ready again and buys.
func (m *markets) goesOn(t *testing.T, p *process) {
	t.Helper()
	eventually(t, "the trader to be ready again", p.ready)
	m.waitBuying(t, m.buyRequests()+2)
}

// The journal in Redis survives the trader's death at every step as the one in a
// file does.
func TestKillAtEveryStepOnRedis(t *testing.T) {
	t.Parallel()
	m := newMarkets(t)
	m.manyLives()
	r := m.share(t)
	m.set("JOURNAL", "redis")
	m.dieAtEveryStep(t, marketsim.FaultDropAfter, func() {
		// Else each life would wait for the end of the last one's lease.
		if said, err := r.ask("DEL skinarb:{journal:live}:lease"); err != nil || !strings.HasPrefix(said, ":") {
			t.Fatalf("end the lease of the dead: got %q, error %v", said, err)
		}
	})
}

// Two traders on one journal: one leads and the other takes over, whether the
// leader dies or only sleeps; and one that wakes up finds that it has nothing to
// say any more.
func TestTwoTraders(t *testing.T) {
	t.Parallel()
	m := newMarkets(t)
	m.manyLives()
	r := m.share(t)
	m.set("JOURNAL", "redis")
	m.set("MAX_ORDER_USD", "12")
	m.set("MAX_DAY_USD", "300")
	m.set("MAX_OPEN_ORDERS", "30")
	m.set("MAX_ITEM_UNITS", "3")
	m.disturb(marketsim.FaultDropAfter, 25)
	start := func() *process { return m.startWith(t, "DATA_DIR="+t.TempDir()) }
	first := start()
	first.waitRole(t, "leader", slowest)
	second := start()
	second.waitRole(t, "standby", slowest)
	m.waitBuying(t, 4)

	// The leader dies.
	died := time.Now()
	first.kill(t)
	second.waitRole(t, "leader", takeOver)
	t.Logf("took over from the dead after %v", time.Since(died))
	m.waitBuying(t, m.buyRequests()+1)

	// The leader sleeps for longer than its lease, and wakes up when its successor
	// sleeps: whoever buys then is not the one that may.
	third := start()
	third.waitRole(t, "standby", slowest)
	second.signal(t, syscall.SIGSTOP)
	slept := time.Now()
	third.waitRole(t, "leader", takeOver)
	t.Logf("took over from the sleeper after %v", time.Since(slept))
	m.waitBuying(t, m.buyRequests()+2)
	third.signal(t, syscall.SIGSTOP)
	<-time.After(200 * time.Millisecond) // what left has arrived
	before, orders := m.buyRequests(), r.orders(t)
	said := len(second.said())
	second.signal(t, syscall.SIGCONT)
	m.buysNothing(t, 3*time.Second, before) // the sleeper's lease lasts for 8 at least
	if r.orders(t) != orders {
		t.Errorf("a trader that does not lead any more wrote to the journal:\n%s", second.said()[said:])
	}
	third.signal(t, syscall.SIGCONT)
	m.waitBuying(t, before+2)
	m.settle(t, third)
	second.waitRole(t, "standby", slowest)
	t.Log(m.wantSound(t, third))
}

// A trader that stands by and is told to stop while it does not reach Redis says
// that it goes on trying, and does: once it reaches Redis, nobody buys.
func TestStopOnAStandby(t *testing.T) {
	t.Parallel()
	m := newMarkets(t)
	m.manyLives()
	r := m.share(t)
	m.set("JOURNAL", "redis")
	m.set("MAX_OPEN_ORDERS", "30")
	m.set("MAX_ITEM_UNITS", "3")
	leader := m.startWith(t, "DATA_DIR="+t.TempDir())
	leader.waitRole(t, "leader", slowest)
	line := newLine(t, r.addr)
	standby := m.startWith(t, "DATA_DIR="+t.TempDir(), "REDIS_URL=redis://"+line.addr)
	standby.waitRole(t, "standby", slowest)
	m.waitBuying(t, m.buyRequests()+1)

	line.cut()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, standby.base+"/v1/trading/stop", strings.NewReader(`{"reason":"a drill"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+operator)
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("stop without Redis: got status %d, want 503", resp.StatusCode)
	}
	line.mend()
	eventually(t, "the leader to be stopped", func() (bool, string) {
		var got trading
		leader.get(t, "/v1/trading", &got)
		return got.State == "stopped", fmt.Sprintf("%+v", got)
	})
	m.quiet(t)
}

// line is a connection to a server that can be cut.
type line struct {
	addr string

	mu     sync.Mutex
	isCut  bool
	joined []net.Conn
}

func newLine(t *testing.T, server string) *line {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &line{addr: ln.Addr().String()}
	t.Cleanup(func() { ln.Close(); l.cut() })
	go func() {
		for {
			near, err := ln.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", server)
			if err != nil {
				near.Close()
				continue
			}
			l.join(near, far)
		}
	}()
	return l
}

func (l *line) join(near, far net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.isCut {
		near.Close()
		far.Close()
		return
	}
	l.joined = append(l.joined, near, far)
	for from, to := range map[net.Conn]net.Conn{near: far, far: near} {
		go func() {
			io.Copy(to, from) // until either ends
			to.Close()
		}()
	}
}

func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.isCut = true
	for _, c := range l.joined {
		c.Close()
	}
	l.joined = nil
}

func (l *line) mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.isCut = false
}

// takeOver is the 15 s in which a standby takes over, and as long again for a busy
// machine.
const takeOver = 30 * time.Second

// waitRole waits until a trader says what it is among several.
func (p *process) waitRole(t *testing.T, role string, within time.Duration) {
	t.Helper()
	eventuallyWithin(t, within, "the trader to be "+role, func() (bool, string) {
		var got trading
		p.get(t, "/v1/trading", &got)
		return got.Role == role, fmt.Sprintf("%+v", got)
	})
}

func (p *process) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatalf("%v: %v", s, err)
	}
}
