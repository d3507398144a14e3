package simulation

import (
	"maps"
	"slices"
	"sync"
)

// kind is what a goroutine is about to do where the driver can make it wait.
type kind int

const (
	journalWrite kind = iota
	journalRead       // of many orders, the limits or the kill switch
	orderRead         // of one order
	permit            // a budget's
	purchase          // a purchase request: before its first byte leaves, and when the market has it
	marketRead        // any other request, when the market has it
	answer            // of a market, once it has acted
)

// verdict is what the driver makes of a call that waits.
type verdict int

const (
	proceed   verdict = iota
	fail              // nothing happens and the caller hears of an error
	failAfter         // it happens and the caller hears of an error
	die               // nothing happens and the caller is dead
	dieAfter          // it happens and the caller is dead
)

// ticket is one goroutine that waits for the driver.
type ticket struct {
	label  string
	kind   kind
	life   *life // whose goroutine it is; nil for a market's
	wire   *wire // that it comes over, of a market's
	method string
	buys   bool // it is about a purchase request
	say    chan verdict
}

// parking holds the goroutines that wait for the driver, by label. Labels say
// nothing that depends on when a goroutine came. Where two are alike the driver
// treats them alike.
type parking struct {
	mu      sync.Mutex
	waiting map[string][]*ticket
}

// wait blocks until the driver decides, or until gone is closed, which counts as
// failing.
func (p *parking) wait(t *ticket, gone <-chan struct{}) verdict {
	t.say = make(chan verdict, 1)
	p.mu.Lock()
	if p.waiting == nil {
		p.waiting = map[string][]*ticket{}
	}
	p.waiting[t.label] = append(p.waiting[t.label], t)
	p.mu.Unlock()
	select {
	case v := <-t.say:
		return v
	case <-gone:
		p.mu.Lock()
		defer p.mu.Unlock()
		alike := slices.DeleteFunc(p.waiting[t.label], func(other *ticket) bool { return other == t })
		if p.waiting[t.label] = alike; len(alike) == 0 {
			delete(p.waiting, t.label)
		}
		return fail
	}
}

// labels gives who waits, sorted.
func (p *parking) labels() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Sorted(maps.Keys(p.waiting))
}

// alike gives those that wait under a label.
func (p *parking) alike(label string) []*ticket {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.waiting[label])
}

// release lets all of a label go.
func (p *parking) release(label string, v verdict) {
	p.mu.Lock()
	alike := p.waiting[label]
	delete(p.waiting, label)
	p.mu.Unlock()
	for _, t := range alike {
		t.say <- v
	}
}
