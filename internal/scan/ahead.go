package scan

import (
	"io"

	"github.com/sourcegraph/conc/panics"
)

// How far an Ahead reads ahead.
const (
	chunks    = 16
	chunkSize = 32 << 10 // bytes; inflaters give no more at once
)

// Ahead reads another reader in a goroutine of its own, a bounded way ahead of
// whoever reads the Ahead: inflating and scanning then take a core each.
type Ahead struct {
	full chan chunk
	free chan []byte
	stop chan struct{}
	done chan struct{}

	now  chunk
	read int // bytes of now
}

type chunk struct {
	b   []byte
	err error // after b
}

// ReadAhead begins to read r. Close must be called.
func ReadAhead(r io.Reader) *Ahead {
	a := &Ahead{
		full: make(chan chunk, chunks),
		free: make(chan []byte, chunks),
		stop: make(chan struct{}),
		done: make(chan struct{}),
	}
	for range chunks {
		a.free <- nil // made when they are needed
	}
	go func() {
		defer close(a.done)
		if crash := panics.Try(func() { a.fill(r) }); crash != nil {
			a.give(chunk{err: crash.AsError()})
		}
	}()
	return a
}

// fill fills chunks until r or the wish for them ends.
func (a *Ahead) fill(r io.Reader) {
	for {
		var c chunk
		select {
		case <-a.stop:
			return
		case c.b = <-a.free:
		}
		if c.b == nil {
			c.b = make([]byte, chunkSize)
		}
		var n int
		n, c.err = r.Read(c.b[:chunkSize])
		c.b = c.b[:n]
		if !a.give(c) || c.err != nil {
			return
		}
	}
}

func (a *Ahead) give(c chunk) bool {
	select {
	case <-a.stop:
		return false
	case a.full <- c:
		return true
	}
}

// Read gives what was read ahead, and then the error of the reader, again and
// again.
func (a *Ahead) Read(p []byte) (int, error) {
	for a.read == len(a.now.b) {
		if a.now.err != nil {
			return 0, a.now.err
		}
		if a.now.b != nil {
			a.free <- a.now.b[:0]
		}
		a.now, a.read = <-a.full, 0
	}
	n := copy(p, a.now.b[a.read:])
	a.read += n
	return n, nil
}

// Close stops reading ahead and waits until it has stopped. A read under way is
// waited for too: where it may last, it has to be ended first. Nothing may be
// read any more.
func (a *Ahead) Close() {
	close(a.stop)
	<-a.done
}
