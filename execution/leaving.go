package execution

import (
	"sync"
	"time"
)

// Leaving counts requests between the look at the kill switch and the moment from
// which no further byte of them can leave. The zero value is ready, and safe for
// concurrent use.
type Leaving struct {
	mu   sync.Mutex
	n    int
	none chan struct{} // closed when n falls to 0; nil when nobody waits for that
}

// Begin counts one more, and gives what to call when it has left or will not.
func (l *Leaving) Begin() (end func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.n++
	return sync.OnceFunc(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.n--; l.n == 0 && l.none != nil {
			close(l.none)
			l.none = nil
		}
	})
}

// Quiet gives a channel that is closed as soon as none is leaving. It is not a
// mutex's turn, so that waiting for it can be given up.
func (l *Leaving) Quiet() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.none == nil {
		l.none = make(chan struct{})
	}
	none := l.none
	if l.n == 0 {
		close(none)
		l.none = nil
	}
	return none
}

// departures remember which requests this executor handed to a market, and when:
// another process may send the same order before or after.
type departures struct {
	mu sync.Mutex
	at map[OrderID]time.Time
}

func (d *departures) note(o Order) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.at == nil || len(d.at) > 10_000 {
		d.at = map[OrderID]time.Time{}
	}
	d.at[o.ID] = o.SentAt
}

// has tells whether it was this executor that sent o the last time.
func (d *departures) has(o Order) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	at, ok := d.at[o.ID]
	return ok && at.Equal(o.SentAt)
}
