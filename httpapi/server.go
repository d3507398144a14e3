package httpapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"

	"skinarb/execution"
	"skinarb/pricing"
	"skinarb/selling"
	"skinarb/strategy"
)

// Prices is what the API asks of the price side. Book and Statuses answer from
// memory; every method is safe for concurrent use.
type Prices interface {
	// Book gives the book in force; never nil.
	Book() *pricing.Book

	// Statuses gives what is known of each feed.
	Statuses() []pricing.FeedStatus

	// Release accepts the catalog that a feed holds.
	Release(ctx context.Context, f pricing.Feed) error

	// Ready tells whether prices are loaded and their store is reachable, and if
	// not, why.
	Ready() (bool, string)
}

// Strategy is what the API asks of the strategy. Both answer from memory.
type Strategy interface {
	// Opportunities gives what is worth acting on now, best first.
	Opportunities(now time.Time) []strategy.Opportunity

	// Verdicts gives every rule's word on an item.
	Verdicts(it pricing.Item, now time.Time) []strategy.Verdict
}

// Trading is what the API asks of the trading side.
type Trading interface {
	// Orders gives orders, newest first.
	Orders(ctx context.Context, q execution.Query) ([]execution.Order, error)

	// Order gives one order with its history, or execution.ErrNoOrder.
	Order(ctx context.Context, id execution.OrderID) (execution.Order, error)

	// Positions gives what we hold to be sold, and what was, newest first.
	Positions(ctx context.Context, q selling.Query) ([]selling.Position, error)

	// Totals gives what the orders came to.
	Totals(ctx context.Context) (execution.Totals, error)

	// Practice gives how much of what looks worth buying can be had, from memory.
	Practice() Practice

	// Status gives the kill switch, the limits and what is used of them.
	Status(ctx context.Context) (TradingStatus, error)

	// Stop returns nil only when no request to buy leaves any process any more, and
	// none to put on sale. Start undoes it. by says who asked, for the record.
	Stop(ctx context.Context, reason, by string) error
	Start(ctx context.Context, by string) error

	// Tighten puts smaller limits in force, or returns a *execution.LoosenError.
	Tighten(to execution.Limits, by string) error

	// Reset closes a market's breakers for an operator who has seen to their
	// causes, and accepts what the account holds.
	Reset(ctx context.Context, m pricing.Market, by string) error

	// Ready tells whether the journal can be written, and if not, why.
	Ready(ctx context.Context) (bool, string)
}

// TradingStatus is the answer of Trading.Status.
type TradingStatus struct {
	Mode     string // paper or live
	Role     string // alone, leader or standby: which of several traders on one journal this is
	Trading  execution.Trading
	Limits   execution.Limits
	Usage    execution.Usage
	Accounts map[pricing.Market]AccountStatus // of every configured market
	Breaks   []execution.Break
}

// Config is what a Server needs. Prices and MaxQuoteAge are required.
type Config struct {
	Prices   Prices
	Strategy Strategy // nil: no opportunities, no verdicts
	Trading  Trading  // nil on an aggregator: the trading endpoints do not exist
	Hooks    Hooks    // nil: markets cannot send events, the webhooks do not exist
	Partner  Partner  // nil: we sell nothing to SIH's buyers, its endpoints do not exist

	Feeds       []pricing.Feed // all that settings name, also those that are off
	MaxQuoteAge time.Duration  // older quotes are flagged stale

	APIToken   string   // empty: nothing can be changed
	ReadTokens []string // empty: prices are open

	Metrics    prometheus.Gatherer   // what /metrics shows; nil: the registry of this server
	Registerer prometheus.Registerer // takes the request metrics; nil: the registry of this server

	Version  string
	Settings any // what /v1/config shows: secrets are already gone from it

	Now    func() time.Time // nil: time.Now
	Logger *slog.Logger     // nil: nothing is logged
}

// Bounds of a request.
const (
	maxBody      = 1 << 20          // bytes
	maxHeader    = 8 << 10          // bytes of request line and headers
	readTimeout  = 15 * time.Second // from the first byte of a request to its last
	writeTimeout = 30 * time.Second // for an answer; streams renew it
	idleTimeout  = 60 * time.Second // between two requests of a connection

	askTimeout  = 5 * time.Second  // for journal and feed store
	stopTimeout = 30 * time.Second // for what is on the wire to return
)

// Server is the API over HTTP. Its methods are safe for concurrent use.
type Server struct {
	cfg     Config
	app     *fiber.App
	guard   guard
	log     *slog.Logger
	now     func() time.Time
	openAPI []byte // what this server serves
	metrics *requestMetrics
	search  pricing.Search

	editions map[pricing.Game]*editions // never changed
	packers  map[pricing.Feed]*packer   // never changed
	rings    map[pricing.Game]*ring     // never changed
	streams  atomic.Int64               // readers of /v1/stream
	stopping chan struct{}              // closed by Shutdown: streams end

	mu     sync.Mutex // guards ln and closed
	ln     net.Listener
	closed bool
}

// New gives a server that is ready to Serve.
func New(cfg Config) *Server {
	s := &Server{cfg: cfg, guard: newGuard(cfg.APIToken, cfg.ReadTokens), log: cfg.Logger, now: cfg.Now}
	s.cfg.APIToken, s.cfg.ReadTokens = "", nil // the guard keeps their hashes only
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	own := prometheus.NewRegistry()
	if s.cfg.Metrics == nil {
		s.cfg.Metrics = own
	}
	if s.cfg.Registerer == nil {
		s.cfg.Registerer = own
	}
	s.metrics = newRequestMetrics(s.cfg.Registerer)
	s.stopping = make(chan struct{})
	s.editions, s.packers, s.rings = map[pricing.Game]*editions{}, map[pricing.Feed]*packer{}, map[pricing.Game]*ring{}
	for _, g := range pricing.Games {
		s.editions[g] = &editions{game: g}
		for _, m := range pricing.Markets {
			s.packers[pricing.Feed{Market: m, Game: g}] = &packer{}
		}
		s.rings[g] = newRing()
	}

	s.app = fiber.New(fiber.Config{
		DisableStartupMessage:        true,
		CaseSensitive:                true,
		StrictRouting:                true,
		UnescapePath:                 false, // a %2F in a path would become a separator
		BodyLimit:                    maxBody,
		ReadBufferSize:               maxHeader,
		ReadTimeout:                  readTimeout,
		WriteTimeout:                 writeTimeout,
		IdleTimeout:                  idleTimeout,
		DisablePreParseMultipartForm: true,
		ErrorHandler: func(c *fiber.Ctx, err error) error {
			s.refuse(c, err)
			return nil
		},
	})
	routes := s.routes()
	for _, r := range routes {
		s.mount(r)
	}
	s.openAPI = describeRoutes(routes)
	s.app.Server().Handler = s.plainFirst(s.checkMethod(s.app.Server().Handler))
	return s
}

// handler answers a request whose query parameters have been read.
type handler func(c *fiber.Ctx, q params) error

// route is one endpoint.
type route struct {
	method string
	path   string // in Fiber's notation
	access access
	params []string // query parameters that it knows; all others are refused
	handle handler
}

// routes lists every endpoint that this server has.
func (s *Server) routes() []route {
	rs := []route{
		{"GET", pricesPath, accessRead, []string{"game", "name", "phase"}, s.getPrice},
		{"POST", pricesPath, accessRead, nil, s.postPrices},
		{"GET", "/v1/items", accessRead, []string{"q", "game", "limit", "cursor"}, s.getItems},
		{"GET", "/v1/catalog", accessRead, []string{"game", "market"}, s.getCatalog},
		{"GET", "/v1/stream", accessRead, []string{"game"}, s.getStream},
		{"GET", "/v1/feeds", accessRead, nil, s.getFeeds},
		{"POST", "/v1/feeds/:market/:game/release", accessChange, nil, s.postRelease},
		{"GET", "/v1/opportunities", accessRead, []string{"min_profit", "limit"}, s.getOpportunities},
		{"GET", "/v1/verdicts", accessRead, []string{"game", "name", "phase"}, s.getVerdicts},
		{"GET", "/v1/config", accessOperator, nil, s.getConfig},
		{"GET", "/healthz", accessOpen, nil, s.getHealth},
		{"GET", "/readyz", accessOpen, nil, s.getReady},
		{"GET", "/metrics", accessOpen, nil, s.getMetrics()},
		{"GET", "/openapi.json", accessOpen, nil, s.getOpenAPI},
		{"GET", "/", accessOpen, nil, s.getDashboard},
	}
	if s.cfg.Hooks != nil {
		// A market has no token of ours: these know their senders themselves.
		rs = append(rs,
			route{"POST", "/webhooks/skinsback", accessOpen, nil, s.postSkinsBackHook},
			route{"POST", "/webhooks/sih/:secret", accessOpen, nil, s.postSIHHook},
		)
	}
	if s.cfg.Partner != nil {
		rs = append(rs,
			route{"POST", createPurchasePath, accessSigned, nil, s.postPartnerPurchase},
			route{"GET", getPurchasePath, accessSigned, []string{"customId"}, s.getPartnerPurchase},
		)
	}
	if s.cfg.Trading == nil {
		return rs
	}
	return append(rs,
		route{"GET", "/v1/orders", accessOperator, []string{"state", "limit", "cursor"}, s.getOrders},
		route{"GET", "/v1/orders/:id", accessOperator, nil, s.getOrder},
		route{"GET", "/v1/positions", accessOperator, []string{"state", "limit", "cursor"}, s.getPositions},
		route{"GET", "/v1/pnl", accessOperator, nil, s.getPnL},
		route{"GET", "/v1/trading", accessOperator, nil, s.getTrading},
		route{"POST", "/v1/trading/stop", accessChange, nil, s.postStop},
		route{"POST", "/v1/trading/start", accessChange, nil, s.postStart},
		route{"POST", "/v1/trading/limits", accessChange, nil, s.postLimits},
		route{"POST", "/v1/trading/breakers/:market/reset", accessChange, nil, s.postReset},
	)
}

// mount registers a route. The paths of whoever signs may end in a slash: they are
// written into SIH's settings by hand.
func (s *Server) mount(r route) {
	observe := s.metrics.of(r.path)
	handle := func(c *fiber.Ctx) error {
		s.serve(c, r, observe)
		return nil
	}
	paths := []string{r.path}
	if r.access == accessSigned {
		paths = append(paths, r.path+"/")
	}
	for _, path := range paths {
		s.app.Add(r.method, path, handle)
		if r.method == fiber.MethodGet {
			s.app.Add(fiber.MethodHead, path, handle)
		}
	}
}

// serve answers a request: authorisation, parameters, the handler, and then the
// metrics of whatever came out. A panic ends one request, not the process: a
// trader must not die of a question.
func (s *Server) serve(c *fiber.Ctx, r route, observe func(int, time.Duration)) {
	started := time.Now()
	if err := s.answer(c, r); err != nil {
		s.writeError(c, err)
	}
	observe(c.Response().StatusCode(), time.Since(started))
}

func (s *Server) answer(c *fiber.Ctx, r route) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	setSafeHeaders(&c.Response().Header)
	if r.access == accessSigned {
		return r.handle(c, params{}) // the signature is on the query as it stands
	}
	if err := s.guard.check(r.access, c.Request().Header.PeekAll(fiber.HeaderAuthorization)); err != nil {
		return err
	}
	q, err := parseParams(c.Request().URI().QueryString(), r.params)
	if err != nil {
		return err
	}
	return r.handle(c, q)
}

var (
	headerContentTypeOptions, valueNoSniff = []byte(fiber.HeaderXContentTypeOptions), []byte("nosniff")
	headerCacheControl, valueNoStore       = []byte(fiber.HeaderCacheControl), []byte("no-store")
)

// setSafeHeaders keeps an answer from being taken for anything else and, unless
// its handler says otherwise, from being kept.
func setSafeHeaders(h *fasthttp.ResponseHeader) {
	h.SetCanonical(headerContentTypeOptions, valueNoSniff)
	h.SetCanonical(headerCacheControl, valueNoStore)
}

// refuse answers what Fiber and fasthttp refuse by themselves: an unknown path
// or method, a body that is too large, a request that is none.
func (s *Server) refuse(c *fiber.Ctx, err error) {
	status := describe(err).status
	unread := status != fiber.StatusNotFound && status != fiber.StatusMethodNotAllowed // fasthttp did not read the request to its end
	conn, _ := c.Context().Conn().(*lingerConn)
	path := c.Path()
	if unread && conn != nil && len(path) <= 1 { // it forgets some of those that it refuses
		path = conn.beginning.path()
	}
	if ours := s.partnerPath(path); ours != "" {
		s.serve(c, route{path: ours, access: accessSigned, handle: s.answerUnsigned}, s.metrics.of(ours))
	} else {
		s.writeError(c, err)
		s.metrics.of(noRoute)(status, 0)
	}
	if unread {
		linger(c.Context().Conn())
	}
}

// checkMethod refuses what is no HTTP method: Fiber would answer it in plain
// text.
func (s *Server) checkMethod(next fasthttp.RequestHandler) fasthttp.RequestHandler {
	known := map[string]bool{}
	for _, m := range fiber.DefaultMethods {
		known[m] = true
	}
	return func(ctx *fasthttp.RequestCtx) {
		if known[string(ctx.Method())] {
			next(ctx)
			return
		}
		c := s.app.AcquireCtx(ctx)
		defer s.app.ReleaseCtx(c)
		s.refuse(c, fiber.ErrMethodNotAllowed)
	}
}

// Serve answers requests on ln until Shutdown, and closes it. It returns nil
// after Shutdown.
func (s *Server) Serve(ln net.Listener) error {
	ln = lingerListener{ln}
	s.mu.Lock()
	closed := s.closed
	s.ln = ln
	s.mu.Unlock()
	if closed {
		return ln.Close()
	}
	err := s.app.Listener(ln)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || err == nil {
		return nil
	}
	return fmt.Errorf("serve the API on %s: %w", ln.Addr(), err)
}

// Shutdown takes no more requests, ends the streams, and waits until ctx ends for
// the requests that it has. What is left then is some client's own slowness, no
// failure of ours: it is logged, and ends with the process.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	if !s.closed {
		close(s.stopping) // an open stream would hold fasthttp until ctx ends
	}
	s.closed = true
	ln := s.ln
	s.mu.Unlock()
	var closing error
	if ln != nil {
		closing = ln.Close() // Serve may not have reached Fiber yet, which then would not know it
	}
	if errors.Is(closing, net.ErrClosed) {
		closing = nil
	}
	err := s.app.ShutdownWithContext(ctx)
	switch {
	case errors.Is(err, net.ErrClosed):
		err = nil
	case err != nil && errors.Is(err, ctx.Err()):
		s.log.Warn("clients that had not ended their requests were not waited for any longer")
		err = nil
	}
	if err := errors.Join(closing, err); err != nil {
		return fmt.Errorf("shut the API down: %w", err)
	}
	return nil
}

// A client that is still sending when its request is refused would lose our
// answer: closing a socket with unread bytes resets it. Such a connection is
// read on for a moment before it is closed.
const (
	lingerTime  = 2 * time.Second
	lingerBytes = 16 << 20
)

type lingerListener struct{ net.Listener }

func (l lingerListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &lingerConn{Conn: c}, nil
}

type lingerConn struct {
	net.Conn
	unread           atomic.Bool // the client may still be sending
	reading, writing deadline
	beginning        beginning
}

// linger makes closing c wait for a client that is still sending.
func linger(c net.Conn) {
	if c, ok := c.(*lingerConn); ok {
		c.unread.Store(true)
	}
}

// Close closes the connection, and the sending side first if the client is
// still sending.
func (c *lingerConn) Close() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok && c.unread.Load() && half.CloseWrite() == nil {
		if c.Conn.SetReadDeadline(time.Now().Add(lingerTime)) == nil {
			// Whatever ends the reading, the connection is closed next.
			_, _ = io.Copy(io.Discard, io.LimitReader(c.Conn, lingerBytes))
		}
	}
	return c.Conn.Close()
}
