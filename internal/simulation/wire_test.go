package simulation

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"skinarb/execution"
	"skinarb/internal/marketsim"
	"skinarb/pricing"
)

// wire is one connection of a life to a market. The client has one end, the
// simulated markets' server the other.
type wire struct {
	net.Conn
	life   *life
	market pricing.Market
	begun  bool // its request has begun to leave
	closed chan struct{}
	once   sync.Once
	left   atomic.Int64 // when the client closed it, seconds of the bubble's clock; 0 means not yet
}

// dialer gives a life's way to a market. Only purchases are refused a connection:
// a read tries again after a random pause, and all that follows would depend on
// it. A market that is down hangs up on reads when it has them.
func (l *life) dialer(m pricing.Market) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		if l.dead.Load() || ctx.Value(placeKey{}) != nil && l.sim.refuses(m) {
			return nil, errors.New("connection refused")
		}
		ours, theirs := net.Pipe()
		w := &wire{Conn: ours, life: l, market: m, closed: make(chan struct{})}
		if !l.keep(w) {
			return nil, errors.New("connection refused")
		}
		l.sim.accept <- farEnd{theirs, w}
		return w, nil
	}
}

// refuses tells whether a market takes no connection now.
func (s *sim) refuses(m pricing.Market) bool {
	return s.down[m].Load() || !s.calm.Load() && whim(s.seed, int(s.step.Load()), "dial "+string(m), s.plan.refuse/4)
}

type placeKey struct{}

// placing marks the contexts of purchases, for the dialer.
type placing struct{ client }

func (m placing) Place(ctx context.Context, o execution.Order, offer execution.Offer, wrote func()) (execution.Evidence, error) {
	return m.client.Place(context.WithValue(ctx, placeKey{}, true), o, offer, wrote)
}

// placingMany is placing for a market that takes several orders in one request.
type placingMany struct {
	placing
	many execution.Batcher
}

func (m placingMany) PlaceMany(ctx context.Context, orders []execution.Placing, wrote func()) []execution.Outcome {
	return m.many.PlaceMany(context.WithValue(ctx, placeKey{}, true), orders, wrote)
}

// Write lets a request leave. A purchase waits for the driver before its first
// byte: that is when a stop must still hold it back.
func (w *wire) Write(p []byte) (int, error) {
	if !w.begun {
		w.begun = true
		if what := describe(w.market, p); what.buys {
			t := &ticket{label: fmt.Sprintf("%d leave %s", w.life.number, what), kind: purchase, life: w.life, wire: w, buys: true}
			if !w.life.dead.Load() && w.life.sim.waits(t) && w.life.sim.parking.wait(t, w.closed) != proceed {
				_ = w.Close()
			}
			if w.isClosed() {
				return 0, net.ErrClosed
			}
			w.life.sim.purchaseLeaves(w.life, what)
		}
	}
	return w.Conn.Write(p)
}

func (w *wire) isClosed() bool {
	select {
	case <-w.closed:
		return true
	default:
		return w.life.dead.Load()
	}
}

// Close closes the client's end.
func (w *wire) Close() error {
	w.once.Do(func() {
		w.left.Store(time.Now().Unix())
		close(w.closed)
	})
	return w.Conn.Close()
}

// farEnd is the markets' end of a wire.
type farEnd struct {
	net.Conn
	wire *wire
}

// listener gives the markets' server its ends.
type listener struct {
	ends   chan farEnd
	closed chan struct{}
	once   sync.Once
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case end := <-l.ends:
		return end, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *listener) Addr() net.Addr { return &net.TCPAddr{} }

type wireKey struct{}

// serve starts the markets. Each connection carries one request: whether a
// request finds an open one is a race inside net/http that nobody can decide.
func (s *sim) serve() {
	s.accept = make(chan farEnd)
	mux := http.NewServeMux()
	mux.Handle("/api.php", s.market(pricing.SkinsBack, s.world.SkinsBack()))
	mux.Handle("/api/v1/", s.market(pricing.SIH, s.world.SIH()))
	s.server = &http.Server{
		Handler:  mux,
		ErrorLog: log.New(io.Discard, "", 0),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, wireKey{}, c.(farEnd).wire)
		},
	}
	s.server.SetKeepAlivesEnabled(false)
	go s.server.Serve(&listener{ends: s.accept, closed: make(chan struct{})})
}

// market makes requests wait for the driver: when the market has received one
// and before it acts, and when it has acted and before it answers.
func (s *sim) market(m pricing.Market, h http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler) // it never arrived whole
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		w := r.Context().Value(wireKey{}).(*wire)
		what := describe(m, []byte(r.Method+" "+r.URL.RequestURI()+" "+string(body)))
		name := func(doing string) string { return fmt.Sprintf("%d %s %s", w.life.number, doing, what) }
		t := &ticket{label: name("reach"), kind: marketRead, wire: w, method: what.method, buys: what.buys}
		if what.buys {
			t.kind = purchase
		}
		if s.waits(t) && s.parking.wait(t, nil) != proceed || s.down[m].Load() {
			panic(http.ErrAbortHandler)
		}
		if what.buys {
			s.purchaseActs(w.life, m, what)
		}
		h.ServeHTTP(&replier{ResponseWriter: rw, sim: s, ticket: ticket{label: name("answer"), kind: answer, wire: w, buys: what.buys}}, r)
	})
}

// replier makes an answer wait for the driver.
type replier struct {
	http.ResponseWriter
	sim    *sim
	ticket ticket
	said   bool
}

// Unwrap lets the simulator take the connection to cut it.
func (r *replier) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r *replier) pause() {
	if r.said {
		return
	}
	r.said = true
	if r.sim.waits(&r.ticket) && r.sim.parking.wait(&r.ticket, nil) != proceed {
		panic(http.ErrAbortHandler)
	}
}

func (r *replier) WriteHeader(status int) {
	r.pause()
	r.ResponseWriter.WriteHeader(status)
}

func (r *replier) Write(b []byte) (int, error) {
	r.pause()
	return r.ResponseWriter.Write(b)
}

// request is what a trace calls a request to a market.
type request struct {
	market pricing.Market
	method string // as marketsim counts them
	about  string // the order, or the item
	buys   bool
}

func (r request) String() string {
	return strings.TrimSpace(string(r.market) + " " + r.method + " " + r.about)
}

// describe reads what a request is about from its bytes.
func describe(m pricing.Market, raw []byte) request {
	r := request{market: m}
	if m == pricing.SkinsBack {
		r.method = after(raw, `"method":"`, `"`)
		r.about = cmp.Or(strings.Join(each(raw, `"custom_id":"`, `"`), "+"), after(raw, `"custom_ids":["`, `]`), after(raw, `"name":"`, `"`))
	} else {
		r.method = after(raw, "/api/v1/", "? ")
		r.about = cmp.Or(after(raw, `"customId":"`, `"`), after(raw, "customId=", "& "), after(raw, `"customIds":["`, `]`), after(raw, "item=", "& "), after(raw, "offset=", "& "))
	}
	r.buys = r.method == "market_buy" || r.method == "market_batch_buy" || r.method == "create-order"
	return r
}

// each gives what stands behind every mark.
func each(raw []byte, mark, ends string) (out []string) {
	for {
		_, rest, ok := bytes.Cut(raw, []byte(mark))
		if !ok {
			return out
		}
		out, raw = append(out, after(raw, mark, ends)), rest
	}
}

// after gives what stands behind a mark, up to one of the ends.
func after(raw []byte, mark, ends string) string {
	_, rest, ok := bytes.Cut(raw, []byte(mark))
	if !ok {
		return ""
	}
	if i := bytes.IndexAny(rest, ends); i >= 0 {
		rest = rest[:i]
	}
	return string(rest)
}

var sims = map[pricing.Market]string{pricing.SkinsBack: marketsim.SkinsBack, pricing.SIH: marketsim.SIH}
