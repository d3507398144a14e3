package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// screen is progress on a terminal, by a clock that only the test moves.
func screen(terminal bool, o options, names ...string) (p *progress, out *bytes.Buffer, pass func(time.Duration)) {
	out = &bytes.Buffer{}
	now := testTime
	p = &progress{w: out, now: func() time.Time { return now }, at: -1}
	var plan []suite
	for _, n := range names {
		plan = append(plan, suite{name: n, about: "about " + n})
	}
	p.begin(plan, o) // before it is a terminal: nothing ticks
	p.terminal = terminal
	return p, out, func(d time.Duration) { now = now.Add(d) }
}

func TestProgressListsWhatItWillDo(t *testing.T) {
	_, out, _ := screen(false, options{rounds: 5, length: 3 * time.Second}, "lookup", "strategy", "something new")
	for _, want := range []string{"This will take about", "lookup", "about lookup", "strategy", "something new"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, out)
		}
	}
}

func TestProgressOnlyGoesForward(t *testing.T) {
	o := options{rounds: 3, length: time.Second}
	p, _, pass := screen(true, o, "ingest", "lookup")
	last := 0.0
	for _, name := range p.names {
		p.suite()
		for range costOf(name).passes + 1 { // more than expected, too
			for n := range 3 {
				for k := range 4 {
					p.round(name, n, 3, k, 4, "task")
					pass(time.Second)
					done, left := p.overall()
					if done < last || done > 1 || left < 0 {
						t.Fatalf("%s, round %d, task %d: got %g done after %g, %s left", name, n, k, done, last, left)
					}
					last = done
				}
			}
		}
	}
	if last < 0.9 {
		t.Errorf("at the last task: got %g done, want nearly all", last)
	}
}

// Twice as slow as was estimated: what is left is twice as long.
func TestProgressLearns(t *testing.T) {
	p, _, pass := screen(true, options{soak: true, length: 100 * time.Second}, "soak")
	p.suite()
	pass(100 * time.Second)
	p.share(0.5, "half")
	if _, left := p.overall(); left < 80*time.Second || left > 110*time.Second {
		t.Errorf("half done in 100s: got %s left, want about as much again", left)
	}
}

func TestProgressOnATerminalIsOneLine(t *testing.T) {
	p, out, _ := screen(true, options{rounds: 2, length: time.Second}, "lookup")
	out.Reset()
	p.suite()
	p.say("lookup: filling the book")
	p.round("lookup", 0, 2, 0, 3, "GET "+strings.Repeat("very ", 100)+"long")
	p.round("lookup", 1, 2, 1, 3, "bare fasthttp")
	if got := out.String(); strings.Contains(got, "\n") || !strings.Contains(got, "█") || !strings.Contains(got, "round 2 of 2, bare fasthttp") {
		t.Errorf("got %q, want one line with a bar and the task", got)
	}
	for _, line := range strings.Split(out.String(), "\r\x1b[K") {
		if n := len([]rune(line)); n > 130 {
			t.Errorf("got %d characters in %q, want a line that fits", n, line)
		}
	}
	out.Reset()
	p.tell("Go on? ")
	p.draw()
	if got := out.String(); !strings.HasSuffix(got, "Go on? ") {
		t.Errorf("got %q, want the question left alone", got)
	}
	p.end()
	if !strings.HasSuffix(out.String(), "\r\x1b[K") {
		t.Errorf("got %q, want the line cleared", out)
	}
}

func TestProgressElsewhereIsALineForEachRound(t *testing.T) {
	p, out, pass := screen(false, options{rounds: 2, length: time.Second}, "lookup")
	out.Reset()
	p.suite()
	for n := range 2 {
		for k := range 3 {
			p.round("lookup", n, 2, k, 3, "task")
			pass(time.Second)
		}
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 || !strings.HasPrefix(lines[0], "lookup: round 1 of 2 (suite 1 of 1, 0s gone") || !strings.HasPrefix(lines[1], "lookup: round 2 of 2 (suite 1 of 1, 3s gone") {
		t.Errorf("got %q, want a line for each round", lines)
	}
}

func TestClockTime(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "0s", 1400 * time.Millisecond: "1s", 130 * time.Second: "2m10s", 65 * time.Minute: "1h05m", 30 * time.Hour: "30h00m"} {
		if got := clockTime(d); got != want {
			t.Errorf("%d ns: got %s, want %s", d, got, want)
		}
	}
}
