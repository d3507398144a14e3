package execution

import (
	"sync"
	"time"
)

// pauses remember, for orders that could not be attempted or looked up, when to
// try again. They live in memory: after a restart everything is due.
type pauses struct {
	mu   sync.Mutex
	byID map[OrderID]pause
}

type pause struct {
	until    time.Time
	wait     time.Duration
	ripe     time.Time // a not-found before this says nothing; zero means any time
	graced   bool      // ripe counts the grace period
	notFound time.Time // when the market first did not know the order, once ripe
}

func (ps *pauses) get(id OrderID) pause {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return ps.byID[id]
}

func (ps *pauses) set(id OrderID, change func(*pause)) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if ps.byID == nil {
		ps.byID = map[OrderID]pause{}
	}
	p := ps.byID[id]
	change(&p)
	ps.byID[id] = p
}

func (ps *pauses) due(id OrderID, now time.Time) bool { return !now.Before(ps.get(id).until) }

// grow pauses an order twice as long as the last time.
func (ps *pauses) grow(id OrderID, now time.Time) {
	ps.set(id, func(p *pause) {
		p.wait = min(max(2*p.wait, retryFirst), retryMost)
		p.until = now.Add(p.wait)
	})
}

func (ps *pauses) until(id OrderID, t time.Time) {
	ps.set(id, func(p *pause) { p.until = t })
}

func (ps *pauses) clear(id OrderID) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	delete(ps.byID, id)
}

// noticed remembers orders of which something happened, for a while.
type noticed struct {
	mu   sync.Mutex
	seen map[OrderID]bool
}

// first tells whether id is new, and remembers it.
func (n *noticed) first(id OrderID) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.seen[id] {
		return false
	}
	if n.seen == nil || len(n.seen) > 10_000 {
		n.seen = map[OrderID]bool{}
	}
	n.seen[id] = true
	return true
}
