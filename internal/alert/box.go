package alert

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	maxQueue  = 64 // letters that wait for one target
	perMinute = 20 // POSTs to one target; Discord and Telegram take about that much
	reserved  = 5  // of them, for urgent letters

	firstPause = time.Second // after a failure; doubled with each in a row
	mostPause  = 2 * time.Minute
	patience   = 30 * time.Minute // after which a letter that waited is given up
)

// box is one target's queue and the way there. One goroutine runs it; put may be
// called by any.
type box struct {
	target  Target
	program string
	client  *http.Client
	clean   cleaner
	now     func() time.Time
	log     *slog.Logger
	results results
	wake    chan struct{} // ready when a letter came since it was last read

	mu              sync.Mutex
	urgent, routine []letter // oldest first
	lost            int      // letters since the last message that arrived

	// Only run looks at these.
	posts    []time.Time // of the last minute
	failures int         // in a row
	until    time.Time   // nothing is posted before
}

// results counts what became of a target's letters.
type results struct{ sent, retried, failed, dropped prometheus.Counter }

func newResults(all *prometheus.CounterVec, t Target) results {
	of := func(result string) prometheus.Counter { return all.WithLabelValues(string(t.kind), result) }
	return results{sent: of("sent"), retried: of("retried"), failed: of("failed"), dropped: of("dropped")}
}

// put queues a letter. When the queue is full the oldest that is not urgent
// makes room, and an urgent one only for an urgent one.
func (b *box) put(l letter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.urgent)+len(b.routine) >= maxQueue {
		b.lost++
		b.results.dropped.Inc()
		switch {
		case len(b.routine) > 0:
			b.routine = b.routine[1:]
		case l.Urgent:
			b.urgent = b.urgent[1:]
		default:
			return
		}
	}
	q := b.queueOf(l)
	*q = append(*q, l)
	select {
	case b.wake <- struct{}{}:
	default: // run will look anyway
	}
}

// queueOf must be called with mu held.
func (b *box) queueOf(l letter) *[]letter {
	if l.Urgent {
		return &b.urgent
	}
	return &b.routine
}

// putBack returns a letter that could not be delivered to the head of its queue,
// so that what happened first is told first. Its place may have been taken
// meanwhile: one letter more than maxQueue may then wait.
func (b *box) putBack(l letter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	q := b.queueOf(l)
	*q = slices.Insert(*q, 0, l)
}

// take gives the next letter to deliver, urgent ones first, if its turn has
// come: the pause after a failure is over and the minute is not used up. wait is
// how long until then, 0 when there is no letter.
func (b *box) take() (l letter, wait time.Duration, ok bool) {
	now := b.now()
	b.mu.Lock()
	defer b.mu.Unlock()
	q, most := &b.urgent, perMinute
	if len(*q) == 0 {
		q, most = &b.routine, perMinute-reserved
	}
	if len(*q) == 0 {
		return letter{}, 0, false
	}
	b.posts = slices.DeleteFunc(b.posts, func(t time.Time) bool { return now.Sub(t) >= time.Minute })
	turn := b.until
	if n := len(b.posts); n >= most {
		if free := b.posts[n-most].Add(time.Minute); free.After(turn) {
			turn = free
		}
	}
	if now.Before(turn) {
		return letter{}, turn.Sub(now), false
	}
	l, *q = (*q)[0], (*q)[1:]
	return l, 0, true
}

// expired takes out the letters that have waited too long.
func (b *box) expired() []letter {
	now := b.now()
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []letter
	for _, q := range []*[]letter{&b.urgent, &b.routine} {
		for len(*q) > 0 && now.Sub((*q)[0].queued) >= patience {
			out, *q = append(out, (*q)[0]), (*q)[1:]
		}
	}
	return out
}

func (b *box) giveUp(l letter, why string) {
	b.mu.Lock()
	b.lost++
	b.mu.Unlock()
	b.results.failed.Inc()
	b.log.Error("alert given up", "kind", l.Kind, "market", l.Market, "order", l.Order, "why", why)
}

// run delivers until closing, and then what is left. wire ends what is on the
// wire.
func (b *box) run(wire context.Context, closing <-chan struct{}) {
	for {
		for _, l := range b.expired() {
			b.giveUp(l, "it has waited too long")
		}
		l, wait, ok := b.take()
		if ok {
			b.attempt(wire, l)
			continue
		}
		var turn <-chan time.Time
		if wait > 0 {
			turn = time.After(wait)
		}
		select {
		case <-closing:
			b.flush(wire)
			return
		case <-b.wake:
		case <-turn:
		}
	}
}

// attempt tries to deliver one letter. If that may work later, the letter goes
// back, and the target is left alone for a while.
func (b *box) attempt(wire context.Context, l letter) {
	now := b.now()
	b.posts = append(b.posts, now)
	err := b.deliver(wire, l)
	var later *laterError
	if !errors.As(err, &later) {
		b.failures, b.until = 0, time.Time{}
		return
	}
	pause := max(later.after, min(firstPause<<min(b.failures, 10), mostPause))
	b.failures++
	b.until = b.now().Add(pause)
	b.putBack(l)
	b.results.retried.Inc()
	b.log.Warn("alert not delivered yet", "kind", l.Kind, "market", l.Market, "again_in", pause, "err", later)
}

// deliver posts a letter, and settles it unless it returns a *laterError.
func (b *box) deliver(wire context.Context, l letter) error {
	b.mu.Lock()
	lost := b.lost
	b.mu.Unlock()
	body, err := b.target.body(b.program, l, lost)
	if err != nil {
		err = &refusedError{"it cannot be written as JSON"}
	} else {
		err = b.post(wire, body)
	}
	var refused *refusedError
	switch {
	case err == nil:
		b.mu.Lock()
		b.lost -= lost // others may have been lost meanwhile
		b.mu.Unlock()
		b.results.sent.Inc()
	case errors.As(err, &refused):
		b.giveUp(l, refused.detail)
	}
	return err
}

// flush tries every letter that is left once, without pauses, until the target
// fails in a way that only time could mend: there is none.
func (b *box) flush(wire context.Context) {
	b.mu.Lock()
	left := slices.Concat(b.urgent, b.routine)
	b.urgent, b.routine = nil, nil
	b.mu.Unlock()
	why := ""
	for _, l := range left {
		if why == "" {
			err := b.deliver(wire, l)
			var later *laterError
			if !errors.As(err, &later) {
				continue
			}
			why = later.detail
		}
		b.giveUp(l, "the program ends: "+why)
	}
}
