package marketsim

import (
	"context"
	"crypto/subtle"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// Times of sockets and of the couriers.
const (
	newsEvery   = 20 * time.Millisecond // how often outboxes are emptied
	frameTime   = 5 * time.Second       // to write one frame
	refusedTime = 5 * time.Second       // that a refused client may stay
)

// Frames of a socket that are no events of orders.
var (
	wsAuthSuccess = []byte(`{"event":"auth_success"}`)
	wsAuthFailed  = []byte(`{"event":"auth_failed"}`)
	wsPong        = []byte("pong") // what the market answers to ping is not known
)

// couriers carry what happens to orders to those who listen: over SkinsBack's
// socket and by both markets' webhooks. They belong to a Server, since a World
// has no goroutines.
type couriers struct {
	world   *World
	ctx     context.Context // ends with stop
	stop    context.CancelFunc
	running sync.WaitGroup        // of every goroutine and every socket
	posts   map[*market]chan post // never changed

	mu      sync.Mutex // guards everything below
	closed  bool
	sockets map[*socket]bool // that have logged in
}

func newCouriers(w *World) *couriers {
	c := &couriers{world: w, posts: map[*market]chan post{}, sockets: map[*socket]bool{}}
	c.ctx, c.stop = context.WithCancel(context.Background())
	for _, m := range []*market{w.skinsback, w.sih} {
		posts := make(chan post, maxNews)
		c.posts[m] = posts
		c.running.Go(func() { c.deliver(posts) })
	}
	c.running.Go(c.collect)
	c.running.Go(c.callBackAll)
	return c
}

// close ends every socket and every delivery, and waits for them.
func (c *couriers) close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.stop()
	c.running.Wait()
}

// collect empties the outboxes until close. Webhooks that wait behind a slow
// receiver for too long are lost.
func (c *couriers) collect() {
	tick := time.NewTicker(newsEvery)
	defer tick.Stop()
	for {
		for m, posts := range c.posts {
			events, webhook := c.world.news(m)
			for _, e := range events {
				if m == c.world.skinsback {
					c.push(e)
				}
				if webhook == "" {
					continue
				}
				select {
				case posts <- c.world.genuine(m.name, webhook, e):
				default:
				}
			}
		}
		select {
		case <-c.ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// deliver sends a market's webhooks, each once and in order.
func (c *couriers) deliver(posts <-chan post) {
	for {
		select {
		case <-c.ctx.Done():
			return
		case p := <-posts:
			ctx, cancel := context.WithTimeout(c.ctx, postTimeout)
			p.send(ctx) // once, whatever becomes of it
			cancel()
		}
	}
}

// push gives an event to every socket. One that cannot keep up is cut.
func (c *couriers) push(event []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for s := range c.sockets {
		select {
		case s.events <- event:
		default:
			s.cut()
		}
	}
}

// cut ends every socket as a broken connection does, and tells how many.
func (c *couriers) cut() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	for s := range c.sockets {
		s.cut()
	}
	return len(c.sockets)
}

func (c *couriers) connected() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.sockets)
}

// socket is one client of SkinsBack's events.
type socket struct {
	conn   *websocket.Conn
	events chan []byte
	cut    context.CancelFunc
}

// ServeHTTP is SkinsBack's socket, until the client or close ends it.
func (c *couriers) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	closed := c.closed
	if !closed {
		c.running.Add(1)
	}
	c.mu.Unlock()
	if closed {
		return
	}
	defer c.running.Done()

	conn, err := websocket.Accept(rw, r, &websocket.AcceptOptions{InsecureSkipVerify: true}) // clients are no browsers
	if err != nil {
		return // Accept has answered
	}
	defer conn.CloseNow()
	ctx, cut := context.WithCancel(c.ctx)
	defer cut()
	s := &socket{conn: conn, events: make(chan []byte, maxNews), cut: cut}
	q := r.URL.Query()
	goodID := subtle.ConstantTimeCompare([]byte(q.Get("shopid")), []byte(c.world.cfg.ClientID))
	goodSignature := subtle.ConstantTimeCompare([]byte(q.Get("signature")), []byte(c.world.xSign()))
	if goodID&goodSignature == 0 {
		s.refuse(ctx)
		return
	}
	// It listens before it knows: what happens after auth_success is not missed.
	c.join(s)
	defer c.leave(s)
	if s.write(ctx, wsAuthSuccess) != nil {
		return
	}
	var reading sync.WaitGroup
	defer reading.Wait()
	defer cut()
	reading.Go(func() { s.read(ctx) })
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-s.events:
			if s.write(ctx, e) != nil {
				return
			}
		}
	}
}

func (c *couriers) join(s *socket) {
	c.mu.Lock()
	c.sockets[s] = true
	c.mu.Unlock()
	c.count(1)
}

func (c *couriers) leave(s *socket) {
	c.count(-1)
	c.mu.Lock()
	delete(c.sockets, s)
	c.mu.Unlock()
}

// count tells the world how many listen. What was to happen before the first
// came happens unheard.
func (c *couriers) count(change int) {
	w := c.world
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance()
	w.skinsback.outbox.sockets += change
}

// refuse says that the login failed, and waits a moment for the client to leave.
func (s *socket) refuse(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, refusedTime)
	defer cancel()
	if s.write(ctx, wsAuthFailed) != nil {
		return
	}
	for {
		if _, _, err := s.conn.Read(ctx); err != nil {
			return
		}
	}
}

// read answers pings until the connection ends.
func (s *socket) read(ctx context.Context) {
	defer s.cut()
	for {
		_, frame, err := s.conn.Read(ctx)
		if err != nil {
			return
		}
		if string(frame) == "ping" && s.write(ctx, wsPong) != nil {
			return
		}
	}
}

func (s *socket) write(ctx context.Context, frame []byte) error {
	ctx, cancel := context.WithTimeout(ctx, frameTime)
	defer cancel()
	return s.conn.Write(ctx, websocket.MessageText, frame)
}

func (c *couriers) controlSockets(rw http.ResponseWriter, r *http.Request) {
	respond(rw, r, map[string]int{"connected": c.connected()})
}

func (c *couriers) controlCut(rw http.ResponseWriter, r *http.Request) {
	respond(rw, r, map[string]int{"cut": c.cut()})
}
