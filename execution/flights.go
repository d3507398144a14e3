package execution

import (
	"errors"
	"sync"
)

// flight is one attempt at an intent, and what came of it once done is closed.
type flight struct {
	id    OrderID
	done  chan struct{}
	order Order
	err   error
}

// flights are the attempts under way: one at a time for each intent.
type flights struct {
	mu     sync.Mutex
	byID   map[OrderID]*flight
	closed bool
	empty  chan struct{} // not nil once closed; closed when the last flight has ended
}

// ErrEnded is returned by Buy once Run has ended.
var ErrEnded = errors.New("the executor has ended")

// begin gives the flight of an intent, and whether the caller is to fly it.
func (fs *flights) begin(id OrderID) (f *flight, mine bool, err error) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if f, ok := fs.byID[id]; ok {
		return f, false, nil
	}
	if fs.closed {
		return nil, false, ErrEnded
	}
	if fs.byID == nil {
		fs.byID = map[OrderID]*flight{}
	}
	f = &flight{id: id, done: make(chan struct{})}
	fs.byID[id] = f
	return f, true, nil
}

func (fs *flights) end(f *flight, o Order, err error) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	f.order, f.err = o, err
	close(f.done)
	delete(fs.byID, f.id)
	if fs.closed && len(fs.byID) == 0 {
		close(fs.empty)
	}
}

func (fs *flights) has(id OrderID) bool {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return fs.byID[id] != nil
}

// close refuses new flights and gives a channel that is closed when the last
// one has ended.
func (fs *flights) close() <-chan struct{} {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if !fs.closed {
		fs.closed, fs.empty = true, make(chan struct{})
		if len(fs.byID) == 0 {
			close(fs.empty)
		}
	}
	return fs.empty
}
