package selling

import "sync"

// leaving counts requests between the look at the kill switch and the answer.
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

// quiet gives a channel that is closed as soon as none is leaving.
func (l *leaving) quiet() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.n == 0 {
		none := make(chan struct{})
		close(none)
		return none
	}
	if l.none == nil {
		l.none = make(chan struct{})
	}
	return l.none
}
