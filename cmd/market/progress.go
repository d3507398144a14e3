package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"skinarb/fetch"
	"skinarb/pricing"
)

// When progress is told: from a moment on that feels like waiting, and then as
// often as the eye wants on a terminal, and as a log bears elsewhere.
const (
	firstSign = 2 * time.Second
	onScreen  = 500 * time.Millisecond
	inLog     = 10 * time.Second
)

// progress tells a person what is going on, on standard error: lines that stay,
// and while a market takes its time how much has come so far. On a terminal that
// is one line, written over. All methods may be called concurrently.
type progress struct {
	w        io.Writer
	terminal bool

	mu    sync.Mutex // guards what follows, and the order of what is written
	what  string
	start time.Time
	bytes int64
	rows  int
	drawn bool // the line is on the screen
	still bool // somebody is being asked

	ticking sync.WaitGroup
	ended   chan struct{}
}

func newProgress(w io.Writer, terminal bool) *progress {
	return &progress{w: w, terminal: terminal}
}

// begin starts to tell of a command, until end.
func (p *progress) begin(what string) {
	p.what, p.start, p.ended = what, time.Now(), make(chan struct{})
	every := inLog
	if p.terminal {
		every = onScreen
	}
	p.ticking.Go(func() {
		timer := time.NewTimer(firstSign)
		defer timer.Stop()
		for {
			select {
			case <-p.ended:
				return
			case <-timer.C:
				p.draw()
				timer.Reset(every)
			}
		}
	})
}

// end stops what begin started, if it did.
func (p *progress) end() {
	if p.ended == nil {
		return
	}
	close(p.ended)
	p.ticking.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
}

// row counts a row that was read.
func (p *progress) row() {
	p.mu.Lock()
	p.rows++
	p.mu.Unlock()
}

func (p *progress) draw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.still {
		return
	}
	line := fmt.Sprintf("%s: %s, %.1f MB", p.what, time.Since(p.start).Round(time.Second), float64(p.bytes)/1e6)
	if p.rows > 0 {
		line += fmt.Sprintf(", %d rows", p.rows)
	}
	line += " so far"
	if !p.terminal {
		fmt.Fprintln(p.w, line)
		return
	}
	// Without wrapping, a narrow terminal cuts the line off and it stays one.
	fmt.Fprintf(p.w, "\r\x1b[K\x1b[?7l%s\x1b[?7h", line)
	p.drawn = true
}

// clear removes the line that is written over. The caller holds mu.
func (p *progress) clear() {
	if p.drawn {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.drawn = false
	}
}

// say writes a line that stays.
func (p *progress) say(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	fmt.Fprintln(p.w, text)
}

// Write is say for a logger, whose lines end by themselves.
func (p *progress) Write(line []byte) (int, error) {
	p.say(strings.TrimSuffix(string(line), "\n"))
	return len(line), nil
}

// ask writes a question, and keeps still until the function that it returns is
// called.
func (p *progress) ask(question string) func() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	p.still = true
	fmt.Fprint(p.w, question)
	return func() {
		p.mu.Lock()
		p.still = false
		p.mu.Unlock()
	}
}

type dialer func(ctx context.Context, network, addr string) (net.Conn, error)

// counting gives a dialer whose connections count what they receive, which is
// what there is to tell of an answer that is handed out at its end.
func (p *progress) counting(dial dialer) dialer {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return counted{conn, p}, nil
	}
}

type counted struct {
	net.Conn
	p *progress
}

func (c counted) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.p.mu.Lock()
	c.p.bytes += int64(n)
	c.p.mu.Unlock()
	return n, err
}

// announced is a budget that says when it has to wait.
type announced struct {
	fetch.Budget
	p         *progress
	market    pricing.Market
	perMinute int
}

// noticeable is how long a permit may take without a word.
const noticeable = time.Second

// Take is the budget's. A *budgetError says that there would be no permit in time.
func (a announced) Take(ctx context.Context, c fetch.Class) error {
	timer := time.AfterFunc(noticeable, func() {
		a.p.say(fmt.Sprintf("waiting: the budget of %d requests a minute at %s is used up for now", a.perMinute, a.market))
	})
	defer timer.Stop()
	err := a.Budget.Take(ctx, c)
	if errors.Is(err, context.DeadlineExceeded) {
		return &budgetError{a.market, a.perMinute, err}
	}
	return err
}

// Pause is the budget's.
func (a announced) Pause(ctx context.Context, d time.Duration) error {
	a.p.say(fmt.Sprintf("%s asks to be left alone for %s", a.market, d))
	return a.Budget.Pause(ctx, d)
}
