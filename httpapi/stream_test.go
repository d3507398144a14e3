package httpapi

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"skinarb/pricing"
)

// event is one server-sent event; a comment has only that.
type event struct {
	id, kind, data, comment string
}

// readEvent reads to the next empty line.
func readEvent(r *bufio.Reader) (event, error) {
	var e event
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return e, err
		}
		line = strings.TrimSuffix(line, "\n")
		if line == "" {
			return e, nil
		}
		name, value, _ := strings.Cut(line, ": ")
		switch name {
		case "id":
			e.id = value
		case "event":
			e.kind = value
		case "data":
			e.data = value
		case "":
			e.comment = value
		}
	}
}

// reader follows a stream inside a test.
type reader struct {
	t    *testing.T
	buf  *bufio.Reader
	done chan error
}

// listen follows a ring through a pipe, without a socket.
func listen(t *testing.T, s *Server, g pricing.Game, cursor uint64) *reader {
	pr, pw := io.Pipe()
	r := &reader{t: t, buf: bufio.NewReader(pr), done: make(chan error, 1)}
	go func() {
		err := s.follow(bufio.NewWriter(pw), func() {}, s.rings[g], cursor)
		pw.Close()
		r.done <- err
	}()
	return r
}

func (r *reader) next() event {
	r.t.Helper()
	e, err := readEvent(r.buf)
	if err != nil {
		r.t.Fatalf("read an event: %v", err)
	}
	return e
}

// change publishes a new ask of an item.
func change(s *Server, b *pricing.Book, name, ask string) *pricing.Book {
	c, _ := b.Catalog(sbCS2)
	next, changed, ok := b.Apply(pricing.Change{Feed: sbCS2, From: c.Version, To: c.Version + 1, ObservedAt: now, Set: []pricing.Listing{listing(pricing.CS2, name, ask, 1)}})
	if !ok {
		panic("the change does not fit the book")
	}
	s.Publish(next, sbCS2, changed, false)
	return next
}

func id(t *testing.T, e event) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(e.id, 10, 64)
	if err != nil {
		t.Fatalf("event %+v: %v", e, err)
	}
	return n
}

func TestStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b := New(newWorld().cfg), testBook()
		head := s.rings[pricing.CS2].head
		live := listen(t, s, pricing.CS2, head)
		if e := live.next(); e.kind != "" || id(t, e) != head {
			t.Fatalf("got %+v first, want the id to begin after and no event", e)
		}
		for i := range 5 {
			b = change(s, b, redline, fmt.Sprintf("%d.50", i+1))
			e := live.next()
			if e.kind != "price" || id(t, e) != head+uint64(i)+1 {
				t.Fatalf("change %d: got %+v, want a price with id %d", i, e, head+uint64(i)+1)
			}
			if want := fmt.Sprintf(`"ask":"%d.50"`, i+1); !strings.Contains(e.data, want) || !strings.HasPrefix(e.data, `{"item":{"game":"cs2","name":"`+redline) {
				t.Errorf("change %d: got %s, want %s of %s", i, e.data, want, redline)
			}
		}

		// One that comes back hears exactly what it missed.
		back := listen(t, s, pricing.CS2, head+2)
		back.next()
		for want := head + 3; want <= head+5; want++ {
			if e := back.next(); e.kind != "price" || id(t, e) != want {
				t.Fatalf("after coming back: got %+v, want the price %d", e, want)
			}
		}

		// Of another game nothing is heard, and of nothing changed neither.
		s.Publish(b, sihTF2, []int{0}, false)
		s.Publish(b, sbCS2, nil, false)
		// A feed that is new as a whole, and one that changed too much, is a reset
		// in the same sequence.
		s.Publish(b, sbCS2, nil, true)
		s.Publish(b, sbCS2, make([]int, maxBurst+1), false)
		for i, r := range []*reader{live, back, live, back} {
			want := head + 6 + uint64(i/2)
			if e := r.next(); e.kind != "reset" || id(t, e) != want {
				t.Errorf("got %+v, want reset %d", e, want)
			}
		}

		// An item that is gone is told without quotes.
		c, _ := b.Catalog(sbCS2)
		it, _ := pricing.ParseItem(pricing.CS2, "Desert Eagle | Emerald Jörmungandr (Factory New)", "")
		b, changed, _ := b.Apply(pricing.Change{Feed: sbCS2, From: c.Version, To: c.Version + 1, ObservedAt: now, Gone: []pricing.Item{it}})
		s.Publish(b, sbCS2, changed, false)
		if e := live.next(); !strings.Contains(e.data, it.Name) || !strings.Contains(e.data, `"quotes":[],"best_ask":null`) {
			t.Errorf("got %+v, want %s without quotes", e, it.Name)
		}
		back.next()

		close(s.stopping)
		for _, r := range []*reader{live, back} {
			if err := <-r.done; err != nil {
				t.Errorf("at the end: got %v, want nil", err)
			}
		}
	})
}

// TestStreamResets when it can not go on where the client was.
func TestStreamResets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b := New(newWorld().cfg), testBook()
		r := s.rings[pricing.CS2]
		start := r.head
		for i := range ringEvents + 10 {
			b = change(s, b, redline, fmt.Sprintf("%d", i+1))
		}
		head := r.head
		for _, tt := range []struct {
			name   string
			cursor uint64
			kind   string
			id     uint64
		}{
			{"at the head", head, "", head},
			{"the last that is kept", head - ringEvents, "", head - ringEvents},
			{"one that is not kept", head - ringEvents - 1, "reset", head},
			{"the start", start, "reset", head},
			{"of an earlier process", start - 5_000_000, "reset", head},
			{"of a later process", head + 1, "reset", head},
			{"none of ours", 0, "reset", head},
		} {
			l := listen(t, s, pricing.CS2, tt.cursor)
			if e := l.next(); e.kind != tt.kind || id(t, e) != tt.id {
				t.Errorf("%s: got %+v, want %q %d", tt.name, e, tt.kind, tt.id)
			}
			for want := tt.id + 1; want <= head; want++ {
				if e := l.next(); e.kind != "price" || id(t, e) != want {
					t.Fatalf("%s: got %+v, want price %d", tt.name, e, want)
				}
			}
		}
		close(s.stopping)
	})
}

// TestStreamOfAnotherProcess: of two behind one balancer, that started together and
// tell of the same changes in another order, neither goes on where the other was.
func TestStreamOfAnotherProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // in which no time passes between the two
		one, two := New(newWorld().cfg), New(newWorld().cfg)
		a := change(one, change(one, testBook(), redline, "3"), doppler, "777")
		b := change(two, change(two, testBook(), doppler, "777"), redline, "3")
		seen := two.rings[pricing.CS2].head - 1
		change(one, a, redline, "4")
		change(two, b, redline, "4")
		l := listen(t, one, pricing.CS2, seen)
		if e := l.next(); e.kind != "reset" || id(t, e) != one.rings[pricing.CS2].head {
			t.Errorf("got %+v, want reset %d", e, one.rings[pricing.CS2].head)
		}
		if first := one.rings[pricing.CS2].head; first >= 1<<53 {
			t.Errorf("got id %d, want one that JavaScript holds", first)
		}
		close(one.stopping)
	})
}

// TestStreamHeartbeat expects a sign of life within 15 s, always.
func TestStreamHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(newWorld().cfg)
		l := listen(t, s, pricing.CS2, s.rings[pricing.CS2].head)
		l.next()
		for range 5 {
			before := time.Now()
			if e := l.next(); e.comment == "" || time.Since(before) > 15*time.Second {
				t.Errorf("got %+v after %s, want a comment within 15 s", e, time.Since(before))
			}
		}
		close(s.stopping)
		<-l.done
	})
}

// TestSlowReaderIsDropped when the ring has passed it; the others are not held.
func TestSlowReaderIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b := New(newWorld().cfg), testBook()
		slow := listen(t, s, pricing.CS2, s.rings[pricing.CS2].head)
		synctest.Wait() // it is in its first write, and nobody reads
		for i := range ringEvents + readEvents {
			b = change(s, b, redline, fmt.Sprintf("%d", i+1))
		}
		for {
			if _, err := readEvent(slow.buf); err != nil {
				break
			}
		}
		if err := <-slow.done; err != nil {
			t.Errorf("got %v, want it to end", err)
		}
	})
}

// openStream connects to /v1/stream over a socket and reads its first event.
func openStream(t *testing.T, addr, lastID string) (net.Conn, *bufio.Reader, event) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(c, "GET /v1/stream?game=cs2 HTTP/1.1\r\nHost: x\r\n%s\r\n", lastID)
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("got %d %s, want 200 and an event stream", resp.StatusCode, resp.Header.Get("Content-Type"))
	}
	r := bufio.NewReader(resp.Body)
	e, err := readEvent(r)
	if err != nil {
		t.Fatal(err)
	}
	return c, r, e
}

// TestStreamOverTheWire resumes by header, and ends with Shutdown at once: serve
// asserts that nothing is left.
func TestStreamOverTheWire(t *testing.T) {
	s, addr := serve(t, newWorld().cfg)
	_, live, first := openStream(t, addr, "")
	change(s, testBook(), redline, "3")
	e, err := readEvent(live)
	if err != nil || e.kind != "price" || id(t, e) != id(t, first)+1 {
		t.Fatalf("got %+v (%v), want the price after %s", e, err, first.id)
	}
	_, back, again := openStream(t, addr, "Last-Event-ID: "+first.id+"\r\n")
	if missed, err := readEvent(back); err != nil || again.kind != "" || missed != e {
		t.Errorf("after coming back: got %+v, %+v (%v), want %+v", again, missed, err, e)
	}
	if _, _, reset := openStream(t, addr, "Last-Event-ID: nonsense\r\n"); reset.kind != "reset" || reset.id != e.id {
		t.Errorf("an id that is none: got %+v, want reset %s", reset, e.id)
	}

	started := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil || time.Since(started) > 5*time.Second {
		t.Errorf("Shutdown with open streams: got %v after %s, want nil at once", err, time.Since(started))
	}
	if e, err := readEvent(live); err == nil {
		t.Errorf("after Shutdown: got %+v, want the stream to end", e)
	}
}

// TestTooManyStreams refuses one, and takes one again when another has gone.
func TestTooManyStreams(t *testing.T) {
	w := newWorld()
	s := New(w.cfg)
	s.streams.Store(maxStreams)
	wantError(t, "one stream too many", ask(t, s, request("GET", "/v1/stream", "")), 503, "too_many_streams")
	if n := s.streams.Load(); n != maxStreams {
		t.Errorf("after a refusal: got %d streams, want %d", n, maxStreams)
	}
	s.streams.Store(maxStreams - 1)
	close(s.stopping) // so that the stream ends
	if got := ask(t, s, request("GET", "/v1/stream", "")); got.status != 200 {
		t.Errorf("the last stream: got %d %s, want 200", got.status, got.body)
	}
	if got := ask(t, s, request("HEAD", "/v1/stream", "")); got.status != 200 || got.body != "" {
		t.Errorf("HEAD: got %d %q, want 200 and no body", got.status, got.body)
	}
}

// TestSlowReadersHoldNobody: while some readers of both streaming endpoints take
// nothing, Publish returns, another reader hears of every change, and look-ups
// and catalogs are answered.
func TestSlowReadersHoldNobody(t *testing.T) {
	w := newWorld()
	w.prices.book = wideBook(20_000)
	s, addr := serve(t, w.cfg)
	for range 4 {
		for _, target := range []string{"/v1/stream", catalogTarget} {
			c, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if err := c.(*net.TCPConn).SetReadBuffer(1); err != nil { // as little as the system allows
				t.Fatal(err)
			}
			fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", target)
			if _, err := io.ReadFull(c, make([]byte, 1)); err != nil { // it is being answered, and takes no more
				t.Fatal(err)
			}
		}
	}
	_, live, first := openStream(t, addr, "")
	book := testBook()             // a small one: a book is copied for each change
	const changes = 3 * ringEvents // more than the slow ones have buffers for, and than the ring holds
	last := id(t, first)
	for n := 0; n < changes; n += 64 {
		for i := range 64 {
			book = change(s, book, redline, fmt.Sprintf("%d", n+i+1))
		}
		for range 64 {
			e, err := readEvent(live)
			if err != nil || e.kind != "price" || id(t, e) != last+1 {
				t.Fatalf("got %+v (%v), want the price after %d", e, err, last)
			}
			last++
		}
	}
	for _, target := range []string{"/v1/prices" + price("name", w.prices.book.Item(0).Name), catalogTarget} {
		if got := exchange(t, addr, strings.NewReader("GET "+target+" HTTP/1.1\r\nHost: x\r\nAccept-Encoding: zstd\r\nConnection: close\r\n\r\n")); got.status != 200 {
			t.Errorf("%s: got %d, want 200", target, got.status)
		}
	}
}
