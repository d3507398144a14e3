package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"skinarb/internal/pricefeed"
)

// cost is about what a suite takes on two cores with all items: to get ready,
// for each round, and for each round in units of --for.
type cost struct {
	ready, round time.Duration
	loads        float64
	passes       int // how often it goes through its rounds
}

// costs are by suite. They only serve the estimate, which learns as it goes.
var costs = map[string]cost{
	"ingest":   {ready: 2 * time.Second, round: 3 * time.Second, passes: 2},
	"full":     {ready: 2 * time.Second, round: 2 * time.Second, passes: 1},
	"publish":  {ready: 2 * time.Second, round: 9 * time.Second, passes: 2},
	"lookup":   {ready: 2 * time.Second, round: 5 * time.Second, loads: 9, passes: 1},
	"stream":   {ready: 3 * time.Second, round: 3 * time.Second, loads: 3, passes: 1},
	"strategy": {ready: time.Second, loads: 0.4, passes: 1},
	"memory":   {ready: 15 * time.Second, round: 4 * time.Second, passes: 1},
	"orders":   {ready: 13 * time.Second, loads: 4, passes: 1},
	"scale":    {ready: 80 * time.Second, passes: 2}, // few rounds, whatever the flags say
	"market":   {ready: time.Second, round: 2 * time.Second, passes: 1},
	"target":   {ready: time.Second, loads: 4, passes: 1},
}

// typical is the cost of a suite that costs does not know.
var typical = cost{ready: 3 * time.Second, round: 2 * time.Second, loads: 3, passes: 1}

func costOf(suite string) cost {
	if c, ok := costs[suite]; ok {
		return c
	}
	return typical
}

// estimate tells how long a suite may take.
func estimate(suite string, o options) time.Duration {
	if o.soak {
		return o.length
	}
	c := costOf(suite)
	work := float64(c.ready) + float64(c.round)*float64(o.rounds)
	if o.items > 0 { // all are about 25,000
		work *= max(0.05, float64(o.items)/25_000)
	}
	return time.Duration(work + c.loads*float64(o.length)*float64(o.rounds)).Round(time.Second)
}

// progress tells a person what is being measured and how long it will take: in
// one line that is written over on a terminal, in a line for each round elsewhere.
// Its methods may be called concurrently.
type progress struct {
	mu       sync.Mutex
	w        io.Writer
	terminal bool
	now      func() time.Time

	start    time.Time
	names    []string
	expected []time.Duration // of the suites
	at       int             // the suite that runs; -1 before the first
	pass     int
	done     float64 // of that suite, 0 to 1; never goes back
	text     string
	last     string // line that was written, where lines stay
	still    bool   // the line is not drawn

	ticking sync.WaitGroup
	ended   chan struct{} // nil when nothing ticks
}

func newProgress(w io.Writer) *progress {
	return &progress{w: w, terminal: pricefeed.IsTerminal(w), now: time.Now, at: -1}
}

// begin lists what will be measured. On a terminal the line is then renewed every
// now and then until end.
func (p *progress) begin(plan []suite, o options) {
	total := time.Duration(0)
	for _, s := range plan {
		p.names = append(p.names, s.name)
		p.expected = append(p.expected, estimate(s.name, o))
		total += p.expected[len(p.expected)-1]
	}
	fmt.Fprintf(p.w, "This will take about %s:\n", clockTime(total))
	for i, s := range plan {
		fmt.Fprintf(p.w, "  %-9s %-7s %s\n", s.name, clockTime(p.expected[i]), s.about)
	}
	p.start = p.now()
	if !p.terminal {
		return
	}
	p.ended = make(chan struct{})
	p.ticking.Go(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-p.ended:
				return
			case <-tick.C:
				p.mu.Lock()
				p.draw()
				p.mu.Unlock()
			}
		}
	})
}

// suite tells that the next suite begins.
func (p *progress) suite() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at, p.pass, p.done, p.text = p.at+1, 0, 0, ""
}

// say tells what is going on before or between the rounds.
func (p *progress) say(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text, p.still = text, false
	if p.terminal {
		p.draw()
		return
	}
	fmt.Fprintln(p.w, text)
}

// round tells that task k of some begins in round n of so many, all from 0.
// Elsewhere than on a terminal only a new round is told.
func (p *progress) round(suite string, n, rounds, k, tasks int, task string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.still = false
	passes := costOf(suite).passes
	if n == 0 && k == 0 {
		p.pass++
	}
	done := float64(n)/float64(rounds) + float64(k)/float64(tasks*rounds)
	p.done = max(p.done, min(1, (float64(p.pass-1)+done)/float64(passes)))
	line := fmt.Sprintf("%s: round %d of %d", suite, n+1, rounds)
	if p.text = line + ", " + task; p.terminal {
		p.draw()
		return
	}
	if line != p.last {
		p.last = line
		fmt.Fprintf(p.w, "%s (suite %d of %d, %s)\n", line, p.at+1, len(p.names), p.times())
	}
}

// share tells how much of the suite that runs is done, 0 to 1, for those that
// have no rounds, and what is going on.
func (p *progress) share(done float64, text string) {
	p.mu.Lock()
	p.done = max(p.done, min(1, done))
	p.mu.Unlock()
	p.say(text)
}

// overall gives how much of the expected time's work is done, 0 to 1, and how
// long the rest should take at the speed until now.
func (p *progress) overall() (done float64, left time.Duration) {
	var past, total float64
	for i, e := range p.expected {
		total += float64(e)
		switch {
		case i < p.at:
			past += float64(e)
		case i == p.at:
			past += p.done * float64(e)
		}
	}
	if total == 0 {
		return 0, 0
	}
	// The estimate stands in for what has not been seen yet.
	speed := (float64(p.now().Sub(p.start)) + 0.1*total) / (past + 0.1*total)
	return past / total, time.Duration((total - past) * speed)
}

func (p *progress) times() string {
	_, left := p.overall()
	return fmt.Sprintf("%s gone, about %s left", clockTime(p.now().Sub(p.start)), clockTime(left))
}

// barCells is how wide the bar is, in characters.
const barCells = 16

// draw writes the line over. The caller holds mu.
func (p *progress) draw() {
	if p.still {
		return
	}
	done, _ := p.overall()
	full := int(done * barCells)
	line := fmt.Sprintf("%s%s %d/%d  %s  %s", strings.Repeat("█", full), strings.Repeat("░", barCells-full), max(1, p.at+1), len(p.names), p.times(), p.text)
	if runes := []rune(line); len(runes) > 110 {
		line = string(runes[:109]) + "…"
	}
	// Without wrapping, a narrow terminal cuts the line off and it stays one.
	fmt.Fprintf(p.w, "\r\x1b[K\x1b[?7l%s\x1b[?7h", line)
}

// end clears the line.
func (p *progress) end() {
	if p.ended != nil {
		close(p.ended)
		p.ticking.Wait()
		p.ended = nil
	}
	if p.terminal {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}

// clockTime writes a time as a person says it: 45s, 2m10s, 1h5m.
func clockTime(d time.Duration) string {
	d = d.Round(time.Second)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d%time.Minute/time.Second)
	}
	return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
}

// tell writes text that stays, and leaves the terminal alone until something is
// measured.
func (p *progress) tell(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.terminal && !p.still {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
	p.still = true
	fmt.Fprint(p.w, text)
}
