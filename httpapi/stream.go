package httpapi

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"skinarb/pricing"
)

// Bounds of the event streams.
const (
	ringEvents  = 8192             // events of a game that a reader can be behind
	maxBurst    = ringEvents / 2   // more changes at once are one reset
	readEvents  = 256              // events that a reader takes at a time
	maxStreams  = 256              // readers at a time, all games together
	heartbeat   = 10 * time.Second // between signs of life; clients may rely on 15 s
	streamWrite = 10 * time.Second // for one write; a reader that takes longer is dropped
	streamRetry = 2000             // ms after which a client should come back
)

// ring holds the last events of one game. Readers remember an id and take what
// follows, so a slow one costs no memory: it falls out of the ring.
//
// Ids rise by one with every event. The first one of a ring is drawn from so many
// that an id of another process, which may have started at the same moment, is not
// mistaken for one of ours. All of them are numbers that JavaScript holds exactly.
type ring struct {
	mu     sync.Mutex
	head   uint64        // id of the last event
	kept   uint64        // how many events are in the ring
	events [][]byte      // event n is at n % ringEvents, as it is sent after its id
	wake   chan struct{} // closed when there are new events
}

func newRing() *ring {
	return &ring{head: 1<<51 + rand.Uint64N(1<<51), events: make([][]byte, ringEvents), wake: make(chan struct{})}
}

// newEvent gives an event of a kind as it is sent after its id.
func newEvent(kind, data string) []byte {
	return []byte("event: " + kind + "\ndata: " + data + "\n\n")
}

// add appends events.
func (r *ring) add(events ...[]byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range events {
		r.head++
		r.kept = min(r.kept+1, ringEvents)
		r.events[r.head%ringEvents] = e
	}
	close(r.wake)
	r.wake = make(chan struct{})
}

// after gives the events that follow id, not all if there are many, and the id
// of the last one; or reports that some are lost. wake is closed when there are
// more than the ring had now.
func (r *ring) after(id uint64) (events [][]byte, last uint64, lost bool, wake <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if id > r.head || r.head-id > r.kept {
		return nil, r.head, true, r.wake
	}
	last = id
	for last < r.head && len(events) < readEvents {
		last++
		events = append(events, r.events[last%ringEvents])
	}
	return events, last, false, r.wake
}

// Publish takes a new book: it encodes what changed, before anybody asks, and
// tells the readers of /v1/stream. feed is the feed that made the book; it
// changed at the given positions, or as a whole if full. Publish waits for no
// reader, and none waits for it. Calls come in the order of the books.
func (s *Server) Publish(book *pricing.Book, feed pricing.Feed, changed []int, full bool) {
	r, ok := s.rings[feed.Game]
	if !ok {
		return
	}
	for _, other := range s.editions {
		if other.last.Load() != nil {
			other.of(book) // it would hold an old book until somebody asks for its game
		}
	}
	e := s.editions[feed.Game].of(book)
	if full || len(changed) > maxBurst {
		e.encodeAll()
		r.add(newEvent("reset", fmt.Sprintf(`{"reason":"the catalog of %s is new: load it again"}`, feed)))
		return
	}
	if len(changed) == 0 { // only the catalog's time is new
		return
	}
	var t ages
	e.tell(&t, s.now(), s.cfg.MaxQuoteAge)
	events := make([][]byte, len(changed))
	for i, pos := range changed {
		data, _ := e.appendPrice([]byte{'{'}, e.at(pos), &t) // an item that is gone has no quotes
		events[i] = newEvent("price", string(append(data, '}')))
	}
	r.add(events...)
}

// getStream answers GET /v1/stream. It begins after Last-Event-ID, with a reset
// when that is not possible, and without one with what happens from now on.
func (s *Server) getStream(c *fiber.Ctx, q params) error {
	g, err := q.game()
	if err != nil {
		return err
	}
	r := s.rings[g]
	r.mu.Lock()
	cursor := r.head
	r.mu.Unlock()
	if h := string(c.Request().Header.Peek("Last-Event-ID")); h != "" {
		if cursor, err = strconv.ParseUint(h, 10, 64); err != nil {
			cursor = 0 // not an id of ours, so not in the ring
		}
	}
	c.Set(fiber.HeaderContentType, "text/event-stream")
	if c.Method() == fiber.MethodHead {
		return nil
	}
	if s.streams.Add(1) > maxStreams {
		s.streams.Add(-1)
		return problem(codeTooManyStreams, "there are %d streams already", maxStreams)
	}
	s.stream(c, func(w *bufio.Writer, renew func()) error {
		defer s.streams.Add(-1)
		return s.follow(w, renew, r, cursor)
	})
	return nil
}

// follow writes the events of r after cursor until the reader is gone or too
// slow, or the server stops.
func (s *Server) follow(w *bufio.Writer, renew func(), r *ring, cursor uint64) error {
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for first := true; ; first = false {
		events, last, lost, wake := r.after(cursor)
		renew()
		switch {
		case lost && !first:
			return nil // too slow; it will come back and hear of the reset
		case lost:
			fmt.Fprintf(w, "id: %d\nevent: reset\ndata: {\"reason\":\"events were missed: load the catalog again\"}\nretry: %d\n\n", last, streamRetry)
		case first: // an id without data is remembered by the client and shown to nobody
			fmt.Fprintf(w, "id: %d\nretry: %d\n\n", cursor, streamRetry)
		}
		for i, e := range events { // an error stays in w and comes out of Flush
			fmt.Fprintf(w, "id: %d\n", cursor+uint64(i)+1)
			_, _ = w.Write(e)
		}
		cursor = last
		if err := w.Flush(); err != nil {
			return err
		}
		if len(events) == readEvents {
			continue
		}
		select {
		case <-s.stopping:
			return nil
		case <-wake:
		case <-beat.C:
			fmt.Fprint(w, ": heartbeat\n\n")
		}
	}
}

// stream lets write make the body while it is sent. renew grants the next write
// its time. What write returns means that the reader is gone.
func (s *Server) stream(c *fiber.Ctx, write func(w *bufio.Writer, renew func()) error) {
	conn, route := c.Context().Conn(), c.Route().Path
	renew := func() {
		// A connection that takes no deadline is closed, which the write finds out.
		_ = conn.SetWriteDeadline(time.Now().Add(streamWrite))
	}
	c.Context().SetBodyStreamWriter(func(w *bufio.Writer) {
		defer func() {
			if p := recover(); p != nil { // in a goroutine of fasthttp, where nobody else would
				s.log.Error("stream failed", "route", route, "error", p, "stack", string(debug.Stack()))
			}
		}()
		if err := write(w, renew); err != nil {
			s.log.Debug("stream ended by its reader", "route", route, "error", err)
		}
	})
}
