package execution

import "sync"

// leaving counts the purchase requests between the look at the kill switch and
// the moment from which no further byte of them can leave.
type leaving struct {
	mu   sync.Mutex
	n    int
	none chan struct{} // closed when n falls to 0; nil when nobody waits for that
}

// begin counts one more, and gives what to call when it has left or will not.
func (l *leaving) begin() (end func()) {
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

// quiet gives a channel that is closed as soon as none is leaving. It is not a
// mutex's turn, so that waiting for it can be given up.
func (l *leaving) quiet() <-chan struct{} {
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
