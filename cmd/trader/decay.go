package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"skinarb/execution"
	"skinarb/httpapi"
	"skinarb/pricing"
	"skinarb/strategy"
)

// subscribe has a function called with every new book, in order.
type subscribe func(func(book *pricing.Book, feed pricing.Feed, changed []int, full bool))

// papers gives what stands for the accounts on paper.
func papers(accounts []execution.Market, book func() *pricing.Book, j execution.Journal, tell subscribe) []execution.Market {
	var out []execution.Market
	for _, m := range accounts {
		p := execution.NewPaper(m.Market(), book, paperBalance)
		p.Bought = func(ctx context.Context, it pricing.Item) (int, error) {
			u, err := j.Usage(ctx, time.Now())
			return u.Units[it], err
		}
		tell(p.Observe)
		out = append(out, p)
	}
	return out
}

// practice knows how much of what looks worth buying can be had: how many paper
// orders would have been filled, and how fast edges decay. Its methods are safe
// for concurrent use.
type practice struct {
	decay *strategy.Decay

	mu    sync.Mutex          // guards fills
	fills *httpapi.PaperFills // nil: live, or not counted yet
}

func newPractice() *practice { return &practice{decay: strategy.NewDecay()} }

// watch looks at the edges of e at each new book and every second, until ctx
// ends.
func (p *practice) watch(ctx context.Context, e *strategy.Engine, tell subscribe) {
	tell(func(*pricing.Book, pricing.Feed, []int, bool) { p.decay.Look(e, time.Now()) })
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			p.decay.Look(e, time.Now())
		}
	}
}

// count reads what became of all paper orders so far, and step counts on from
// there. It is for paper mode, and to be called before Recover: while it reads,
// no order may move.
func (p *practice) count(ctx context.Context, j execution.Journal) error {
	var fills httpapi.PaperFills
	q := execution.Query{States: []execution.State{execution.Placed, execution.Delivered, execution.Settled, execution.Failed, execution.Rejected}}
	for {
		page, err := j.List(ctx, q)
		if err != nil {
			return fmt.Errorf("count paper orders: %w", err)
		}
		for _, o := range page {
			if o.State != execution.Rejected {
				enter(&fills, execution.Placed)
			}
			switch o.State {
			case execution.Placed:
			case execution.Settled:
				enter(&fills, execution.Delivered)
			default:
				enter(&fills, o.State)
			}
		}
		if len(page) < q.PageLimit() {
			break
		}
		q.After = page[len(page)-1].ID
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fills = &fills
	return nil
}

// step is told of every step of an order.
func (p *practice) step(s execution.Step) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fills != nil {
		enter(p.fills, s.State)
	}
}

// enter counts a paper order that came into a state. One that is rejected was
// gone between the look at the offer and the order.
func enter(f *httpapi.PaperFills, s execution.State) {
	switch s {
	case execution.Placed:
		f.Placed++
	case execution.Delivered:
		f.Filled++
	case execution.Failed:
		f.Gone++
	case execution.Rejected:
		f.Placed++
		f.Gone++
	}
}

// tell gives what is known so far.
func (p *practice) tell() httpapi.Practice {
	var out httpapi.Practice
	out.Since, out.Decay = p.decay.Horizons()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fills != nil {
		fills := *p.fills
		out.Paper = &fills
	}
	return out
}
