package main

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"charm.land/lipgloss/v2"
	"pgregory.net/rapid"

	"skinarb/internal/marketsim"
	"skinarb/pricing"
)

// TestTables looks at what a person sees.
func TestTables(t *testing.T) {
	w := newWorld(t)
	w.buy(t, "bought-1")
	w.pass(90 * time.Minute)
	w.buy(t, "bought-2")
	w.pass(marketsim.DefaultTiming.TradeCreation)
	for _, line := range []string{
		"skinsback balance", "skinsback prices", "skinsback purchases", "skinsback purchases --state accepted",
		"skinsback purchases --json", "skinsback purchases --limit 1", "skinsback purchases --state lost", "skinsback purchases --since 1h",
		"sih orders", "sih orders --json --limit 1", "sih wallet", "sih items --name DOPPLER_ruby", "sih items --name nothing", "sih on-sale", "sih on-sale --json",
	} {
		var args []string
		for _, a := range strings.Fields(line) {
			args = append(args, strings.ReplaceAll(a, "_", " "))
		}
		got := w.run(t, args...)
		golden(t, strings.NewReplacer(" ", "_", "--", "").Replace(line), fmt.Sprintf("%s%s(exit status %d)\n", got.out, got.err, got.status))
	}
}

func TestHelp(t *testing.T) {
	w := newWorld(t)
	for _, line := range []string{"--help", "skinsback -h", "sih --help", "skinsback sell --help", "sih orders --help", "--help sih deposit"} {
		got := w.run(t, strings.Fields(line)...)
		if got.status != 0 || got.err != "" {
			t.Errorf("%s: exit status %d, %q, want 0", line, got.status, got.err)
		}
		golden(t, strings.NewReplacer(" ", "_", "--", "", "-h", "help").Replace(line), got.out)
	}
	for _, c := range commands {
		got := w.run(t, append(strings.Fields(c.path())[1:], "--help")...)
		for _, want := range []string{c.does, c.usage(), c.method} {
			if got.status != 0 || !strings.Contains(got.out, want) {
				t.Errorf("%s --help: exit status %d, want %q in it", c.path(), got.status, want)
			}
		}
		for text := range strings.Lines(got.out) {
			if width := lipgloss.Width(strings.TrimSpace(text)); width > 100 {
				t.Errorf("%s --help: a line of %d characters, want 100 at most: %s", c.path(), width, text)
			}
		}
	}
	if got := w.run(t, "sih", "--help", "nothing"); got.status != 2 || !strings.Contains(got.err, `"nothing"`) {
		t.Errorf("got %+v, want that there is no such command", got)
	}
	if got := w.run(t, "--version"); got.status != 0 || !strings.HasPrefix(got.out, "market ") {
		t.Errorf("--version: got %+v", got)
	}
}

// TestOneFlagOneMeaning: whether a flag has a value must not depend on where it
// stands, and no option may hide a setting.
func TestOneFlagOneMeaning(t *testing.T) {
	isSetting := settingFlags()
	for _, c := range commands {
		for _, o := range c.allOptions() {
			if all := findOption(o.name); (all.value == "") != (o.value == "") {
				t.Errorf("--%s has a value in one command and none in %s", o.name, c.path())
			}
			if isSetting[o.name] {
				t.Errorf("--%s of %s is a setting, too", o.name, c.path())
			}
		}
		if c.least > c.most || c.most > 0 && c.args == "" || c.gives != "" && c.lookup == "" {
			t.Errorf("%s: its arguments or what it gives away do not fit each other", c.path())
		}
	}
}

// TestColours: only where they are wanted, and never in the width.
func TestColours(t *testing.T) {
	draw := func(colour bool) string {
		var b bytes.Buffer
		s := &sheet{w: &b, columns: []string{"state", "name"}, colour: colour, zone: time.UTC}
		s.add("failed", "x")
		s.add("finished", "y")
		s.add("unheard_of", "z")
		if err := s.end(true); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	if got, want := draw(false), "state       name\nfailed      x\nfinished    y\nunheard_of  z\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := draw(true); strings.Count(got, "\x1b[") != 8 { // two headings, two states: each on and off
		t.Errorf("got %q, want four coloured words", got)
	}
}

// TestLiveTable: every row stands under the headings, which are written with the
// first. What is wider than expected moves its own row alone.
func TestLiveTable(t *testing.T) {
	var b bytes.Buffer
	c := &commands[slices.IndexFunc(commands, func(c command) bool { return c.live })]
	s := newSheet(&b, c, &input{}, time.UTC, false)
	for i, row := range [][]any{
		{"buy_item", "accepted", "70001", "mine-1"},
		{"balance_change", nil, nil, nil},
		{"status_change", "invalid_trade_token", "1234567890", "mine-2"},
		{"an_event_of_next_year", "accepted", "70001", "mine-1"},
		{"status_change", "timeout", "70001", "mine-1"},
	} {
		s.add(append([]any{startOfTests.Add(time.Duration(i) * 10 * time.Millisecond)}, row...)...)
	}
	const want = `received at                     kind            state                buy id      custom id
2026-11-02 09:00:00.000 +00:00  buy_item        accepted             70001       mine-1
2026-11-02 09:00:00.010 +00:00  balance_change  -                    -           -
2026-11-02 09:00:00.020 +00:00  status_change   invalid_trade_token  1234567890  mine-2
2026-11-02 09:00:00.030 +00:00  an_event_of_next_year  accepted             70001       mine-1
2026-11-02 09:00:00.040 +00:00  status_change   timeout              70001       mine-1
`
	if got := b.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// TestNewestFirst: of one second, too.
func TestNewestFirst(t *testing.T) {
	type entry struct {
		second int64
		id     string
	}
	all := []entry{{1, "9"}, {1, "10"}, {2, "8"}, {1, "11"}, {3, "7"}}
	var b bytes.Buffer
	s := &session{out: &sheet{w: &b, columns: []string{"id"}, zone: time.UTC}}
	if err := showNewest(s, all, nil, func(e entry) (time.Time, string) { return time.Unix(e.second, 0), e.id }, func(e entry) []any { return []any{e.id} }); err != nil {
		t.Fatal(err)
	}
	if err := s.out.end(true); err != nil {
		t.Fatal(err)
	}
	if got, want := b.String(), "id\n7\n8\n11\n10\n9\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestNothingSteersTheTerminal: names come from strangers.
func TestNothingSteersTheTerminal(t *testing.T) {
	var b bytes.Buffer
	s := &sheet{w: &b, columns: []string{"name", "items"}, zone: time.UTC}
	s.add("a\x1b[2Jb\nc\u202ed\xff", several{{"\x07", 1}})
	s.add(nil, nil)
	if err := s.end(true); err != nil {
		t.Fatal(err)
	}
	if got, want := b.String(), "name         items\na?[2Jb?c?d?  ? (0.000001)\n-            -\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestAmountsStandAtThePoint checks any column of amounts.
func TestAmountsStandAtThePoint(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amounts := rapid.SliceOfN(rapid.Int64Range(-1e12, 1e12), 1, 20).Draw(t, "amounts")
		var b bytes.Buffer
		s := &sheet{w: &b, columns: []string{"name", "ask", "count"}, zone: time.UTC}
		for i, a := range amounts {
			s.add(strings.Repeat("★", i), pricing.Money(a), i)
		}
		if err := s.end(true); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
		if len(lines) != len(amounts)+1 {
			t.Fatalf("got %d lines, want %d", len(lines), len(amounts)+1)
		}
		point, width := -1, lipgloss.Width(lines[1])
		for i, l := range lines[1:] {
			at := lipgloss.Width(l[:strings.IndexByte(l, '.')])
			if point < 0 {
				point = at
			}
			if at != point || lipgloss.Width(l) != width {
				t.Errorf("%s: the point is at %d of %d, want %d of %d", l, at, lipgloss.Width(l), point, width)
			}
			if !strings.Contains(l, pricing.Money(amounts[i]).String()) {
				t.Errorf("got %q, want %s in it", l, pricing.Money(amounts[i]))
			}
		}
	})
}

// brokenPipe is a reader that has left.
type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestWritingFails(t *testing.T) {
	for _, json := range []bool{false, true} {
		s := &sheet{w: brokenPipe{}, columns: []string{"name"}, json: json, zone: time.UTC}
		s.add("a")
		if err := s.end(true); err == nil {
			t.Errorf("json %v: got no error, want that nobody reads", json)
		}
	}
}

func TestParseTime(t *testing.T) {
	now := startOfTests
	for text, want := range map[string]time.Time{
		"0s": now, "90m": now.Add(-90 * time.Minute), "7d": now.AddDate(0, 0, -7),
		"2026-11-01": time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), "2026-11-01T09:00:00+02:00": time.Date(2026, 11, 1, 7, 0, 0, 0, time.UTC),
	} {
		if got, err := parseTime(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "d", "-1d", "99999d", "-5m", "yesterday", "2026-13-01", "1.11.2026"} {
		if got, err := parseTime(text, now); err == nil {
			t.Errorf("%q: got %v, want an error", text, got)
		}
	}
}

// FuzzLine takes command lines apart: nothing is lost, and nothing panics.
func FuzzLine(f *testing.F) {
	for _, text := range []string{"sih orders --state sent", "--json=1 skinsback", "--sih-url", "sih deposit 1=2x3 --yes", "- -- --= =", "--config x --help -h --version"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		args := strings.Fields(text)
		l := split(args)
		cmd, in, mistakes := l.read(startOfTests)
		if cmd == nil && len(mistakes) == 0 {
			t.Errorf("%q: got no command and no mistake", text)
		}
		if cmd != nil && len(mistakes) == 0 && (len(in.args) < cmd.least || len(in.args) > cmd.most) {
			t.Errorf("%q: got %d arguments, want %d to %d", text, len(in.args), cmd.least, cmd.most)
		}
		if len(l.words)+len(l.given)+len(l.settings)+len(l.unknown) == 0 && len(args) > 0 && !l.help && !l.version {
			t.Errorf("%q: it was all lost", text)
		}
	})
}
