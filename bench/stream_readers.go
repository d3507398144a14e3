package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// eventPatience bounds the wait for an event at all readers.
const eventPatience = 10 * time.Second

// errNoRoom is what a server answers that has as many streams as it allows.
var errNoRoom = errors.New("the server takes no more streams")

// maxServers bounds how many servers are started for one audience.
const maxServers = 32

// audience is some readers of /v1/stream, over as many servers as take them.
type audience struct {
	apis    *apis
	readers []*reader
	running sync.WaitGroup
	closing atomic.Bool
	failed  chan error // the first

	left atomic.Int64  // readers that have not reached their targets
	all  chan struct{} // closed by the last of them
}

// reader reads one stream in a goroutine of its own.
type reader struct {
	stream *stream
	target atomic.Int64 // how many events it is to have
	bytes  atomic.Int64
	at     time.Time // when the target was reached; read it after that
}

func newAudience(prices *liveBook) *audience {
	return &audience{apis: &apis{prices: prices}, failed: make(chan error, 1)}
}

// join opens so many more streams.
func (a *audience) join(readers int) error {
	for range readers {
		if err := a.open(); err != nil {
			return err
		}
	}
	return nil
}

// open opens one more stream, at the last server or, if that has no room, at a
// new one.
func (a *audience) open() error {
	err := errNoRoom
	for errors.Is(err, errNoRoom) {
		if n := len(a.apis.servers); n > 0 {
			var s *stream
			if s, err = openStream(a.apis.servers[n-1].address); err == nil {
				r := &reader{stream: s}
				a.readers = append(a.readers, r)
				a.running.Go(func() { a.follow(r) })
			}
		}
		if errors.Is(err, errNoRoom) {
			if len(a.apis.servers) == maxServers {
				return err
			}
			if err := a.apis.start(); err != nil {
				return err
			}
		}
	}
	return err
}

// close ends all streams and the servers.
func (a *audience) close() {
	a.closing.Store(true)
	for _, r := range a.readers {
		r.stream.conn.Close()
	}
	a.running.Wait()
	a.apis.close()
}

// follow reads events until the stream ends.
func (a *audience) follow(r *reader) {
	for n := int64(1); ; n++ {
		size, err := r.stream.next()
		if err != nil {
			if !a.closing.Load() {
				select {
				case a.failed <- err:
				default: // the first one tells enough
				}
			}
			return
		}
		r.bytes.Add(int64(size))
		if n == r.target.Load() {
			r.at = time.Now()
			if a.left.Add(-1) == 0 {
				close(a.all)
			}
		}
	}
}

// expect is called before events are published. What it gives waits until every
// reader has so many more.
func (a *audience) expect(events int) (wait func(context.Context) error) {
	a.all = make(chan struct{})
	a.left.Store(int64(len(a.readers)))
	for _, r := range a.readers {
		r.target.Add(int64(events))
	}
	return func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, eventPatience)
		defer cancel()
		select {
		case <-a.all:
			return nil
		case err := <-a.failed:
			return err
		case <-ctx.Done():
			return fmt.Errorf("%d of %d readers have not got their events: %w", a.left.Load(), len(a.readers), ctx.Err())
		}
	}
}

// stream is a connection that gets events.
type stream struct {
	conn net.Conn
	body *bufio.Reader
}

// openStream asks for a stream and returns when everything that happens from
// then on will be in it.
func openStream(address string) (*stream, error) {
	conn, err := askForStream(address)
	if err != nil {
		return nil, err
	}
	s, err := beginStream(conn)
	if err != nil {
		conn.Close()
		return nil, err
	}
	return s, nil
}

// askForStream sends the request and reads nothing.
func askForStream(address string) (net.Conn, error) {
	conn, err := net.DialTimeout("tcp", address, requestTimeout)
	if err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintf(conn, "GET /v1/stream?game=%s HTTP/1.1\r\nHost: %s\r\n\r\n", game, address); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// beginStream reads an answer up to its first event.
func beginStream(conn net.Conn) (*stream, error) {
	if err := conn.SetReadDeadline(time.Now().Add(requestTimeout)); err != nil {
		return nil, err
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil) //nolint:bodyclose // it ends with the connection
	if err != nil {
		return nil, err
	}
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		return nil, errNoRoom
	default:
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 200)) // it only explains
		return nil, unexpected("/v1/stream", resp.StatusCode, text)
	}
	s := &stream{conn, bufio.NewReaderSize(resp.Body, 16<<10)}
	for line := []byte("id"); len(bytes.TrimSpace(line)) > 0; { // where it begins
		if line, err = s.body.ReadSlice('\n'); err != nil {
			return nil, err
		}
	}
	return s, conn.SetReadDeadline(time.Time{})
}

// next reads to the end of the next price, and gives its size in bytes.
func (s *stream) next() (size int, err error) {
	for price := false; ; {
		line, err := s.body.ReadSlice('\n')
		if err != nil {
			return size, err
		}
		size += len(line)
		switch {
		case bytes.HasPrefix(line, []byte("event: reset")):
			return size, errors.New("a reader was told that it missed events")
		case bytes.HasPrefix(line, []byte("event: price")):
			price = true
		case len(line) == 1 && price:
			return size, nil
		}
	}
}
