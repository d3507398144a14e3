package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"skinarb/execution"
	"skinarb/internal/sqlitejournal"
)

// peerRole, when it is set, makes this test program a peer.
const peerRole = "BENCH_TEST_PEER"

func TestMain(m *testing.M) {
	if role := os.Getenv(peerRole); role != "" {
		os.Exit(playPeer(role))
	}
	os.Exit(m.Run())
}

// playPeer is a peer that answers every command, or fails in one way.
func playPeer(role string) int {
	if role == "not installed" {
		fmt.Fprintln(os.Stderr, "peers: install the server")
		return 1
	}
	answers := json.NewEncoder(os.Stdout)
	_ = answers.Encode(peerHello{Name: "test queue v1", Durability: "none", Settings: "defaults"})
	for commands := json.NewDecoder(os.Stdin); ; {
		var c peerCommand
		if commands.Decode(&c) != nil {
			return 0
		}
		r := peerResult{PerSecond: float64(1000 * c.Callers), P50: 10, P99: 20}
		switch role {
		case "refuses":
			r.Error = "the disk is full"
		case "dies":
			return 3
		}
		_ = answers.Encode(r)
	}
}

func startTestPeer(t *testing.T, role string) (*peer, error) {
	t.Helper()
	t.Setenv(peerRole, role)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return startPeer(peerKind{name: "test", program: program{path: self}})
}

func TestPeerIsAsked(t *testing.T) {
	p, err := startTestPeer(t, "answers")
	if err != nil {
		t.Fatal(err)
	}
	var out Suite
	if err := p.measure(t.Context(), &out, 10*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if err := p.stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	want := map[string]float64{"1 caller": 1000, "1 caller, p50": 10, "1 caller, p99": 20, "8 callers": 8000, "8 callers, p99": 20, workMeasure + ", p50": 10, workMeasure + ", p99": 20}
	for _, f := range out.Figures {
		if f.Subject != "test queue v1: unique insert" || f.Median != want[f.Measure] {
			t.Errorf("%s, %s: got %g, want %g", f.Subject, f.Measure, f.Median, want[f.Measure])
		}
		delete(want, f.Measure)
	}
	if len(want) > 0 {
		t.Errorf("figures that are missing: %v", want)
	}
}

func TestPeerThatFailsIsTold(t *testing.T) {
	for role, want := range map[string]string{"refuses": "test queue v1: the disk is full", "dies": "test queue v1: EOF"} {
		p, err := startTestPeer(t, role)
		if err != nil {
			t.Fatalf("%s: %v", role, err)
		}
		if err := p.measure(t.Context(), &Suite{}, time.Millisecond); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", role, err, want)
		}
		_ = p.stop() // one has ended with a status of its own
	}
	if _, err := startTestPeer(t, "not installed"); err == nil || err.Error() != "install the server" {
		t.Errorf("got %v, want what the peer said", err)
	}
}

// newOrders gives the suite without anything opened.
func newOrders(t *testing.T) *orders {
	t.Helper()
	o := &orders{
		session: &session{opts: options{items: 300, seed: 1}, out: &Suite{}, progress: newProgress(io.Discard)},
		dir:     t.TempDir(),
	}
	t.Cleanup(func() {
		if err := o.close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return o
}

func TestPeersThatAreMissingAreNamed(t *testing.T) {
	t.Setenv("PATH", t.TempDir()) // no go command
	o := newOrders(t)
	if err := o.openPeers(t.Context()); err != nil {
		t.Fatal(err)
	}
	if notes := strings.Join(o.out.Notes, "\n"); !strings.Contains(notes, "River and asynq, were not measured") || !strings.Contains(notes, "bench/peers") {
		t.Errorf("got notes %q, want them to name the peers and where they are", notes)
	}
}

func TestWireStagesAreWithinTheWhole(t *testing.T) {
	o := newOrders(t)
	if err := o.openWires(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(o.wires) != 2 { // both markets with the SQLite journal: no server was started
		t.Fatalf("got %d wires, want 2", len(o.wires))
	}
	for _, w := range o.wires {
		s, err := w.buy(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", w.subject, err)
		}
		if s.check <= 0 || s.permits <= 0 || s.sending <= 0 || s.own() <= 0 {
			t.Errorf("%s: got %+v, of it %s our own, want all parts above zero", w.subject, s, s.own())
		}
		u, err := w.journal.Usage(t.Context(), time.Now())
		if err != nil || u.Open != 0 || u.Day != 0 {
			t.Errorf("%s: got usage %+v, error %v after the purchase was cleared away, want none", w.subject, u, err)
		}
		placed, err := w.journal.List(t.Context(), execution.Query{States: []execution.State{execution.Settled}})
		if err != nil || len(placed) != 2 { // the first one was bought when the wire was opened
			t.Errorf("%s: got %d purchases, error %v, want 2", w.subject, len(placed), err)
		}
	}
}

func TestBurstsLeaveNothingBehind(t *testing.T) {
	journal, err := sqlitejournal.Open(filepath.Join(t.TempDir(), "j.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	defer journal.Close()
	l := &journalLoad{name: "test", journal: journal}
	if err := l.fill(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	for _, write := range []func(context.Context) (execution.Order, error){l.reserve, l.buy} {
		for _, callers := range callerCounts {
			r, err := l.bursts(t.Context(), callers, time.Nanosecond, write)
			if err != nil {
				t.Fatal(err)
			}
			if r.perSecond <= 0 || r.p50 <= 0 || r.p99 < r.p50 {
				t.Errorf("%d callers: got %+v, want a rate and ascending times", callers, r)
			}
		}
	}
	u, err := journal.Usage(t.Context(), time.Now())
	if err != nil || u.Open != 0 || u.Day != 3*l.order().Cost {
		t.Errorf("got usage %+v, error %v, want nothing open and the three purchases of today", u, err)
	}
	// Each caller wrote once, and what was bought came on top of today's.
	for state, want := range map[execution.State]int{execution.Cancelled: 9, execution.Settled: 3 + 9} {
		got, err := journal.List(t.Context(), execution.Query{States: []execution.State{state}})
		if err != nil || len(got) != want {
			t.Errorf("%s: got %d orders, error %v, want %d", state, len(got), err, want)
		}
	}
}

// TestOrdersBesidePeers builds the peers' module, which needs its dependencies.
func TestOrdersBesidePeers(t *testing.T) {
	if testing.Short() {
		t.Skip("building the peers takes a while")
	}
	out, _ := bench(t, t.Context(), 0, "--suite", "orders", "--items", "300", "--rounds", "1", "--for", "60ms", "--json")
	var r Report
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	notes := r.Suites[0].Notes
	for _, tt := range []struct{ name, library, server string }{
		{"River on PostgreSQL", "River v", "PostgreSQL"},
		{"River on SQLite", "River v", "SQLite"},
		{"asynq, appendfsync always", "asynq v", "appendfsync always"},
		{"asynq, appendfsync everysec", "asynq v", "appendfsync everysec"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			named := func(s string) bool { return strings.HasPrefix(s, tt.library) && strings.Contains(s, tt.server) }
			i := slices.IndexFunc(notes, named)
			if i < 0 {
				i = slices.IndexFunc(notes, func(n string) bool {
					return strings.Contains(n, "measured") && (strings.HasPrefix(n, tt.name) || strings.Contains(n, "asynq"))
				})
				if i < 0 {
					t.Fatalf("it is neither measured nor said to be missing:\n%s", strings.Join(notes, "\n"))
				}
				t.Skip(notes[i])
			}
			if !strings.Contains(notes[i], "survives kill -9") || !strings.Contains(notes[i], "power cut") {
				t.Errorf("got note %q, want its durability", notes[i])
			}
			measured := 0
			for _, f := range r.Suites[0].Figures {
				if named(f.Subject) && f.Median > 0 {
					measured++
				}
			}
			if want := 9; measured != want { // two rates, three times of them, two of work, two ratios
				t.Errorf("got %d figures, want %d", measured, want)
			}
		})
	}
}
