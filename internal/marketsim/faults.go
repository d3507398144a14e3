package marketsim

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Fault is a rule for making requests go wrong. Of several that fit a request
// the oldest acts.
type Fault struct {
	Market  string        // SkinsBack, SIH, or "" for both
	Method  string        // as in Requests, as "market_buy" or "create-order"; "" for all
	Kind    string        // one of the Fault constants
	Times   int           // how many requests it hits; 0: until cleared
	Percent int           // of the fitting requests that it hits; 0 means 100
	Delay   time.Duration // waited before anything else, on a real clock. A client that leaves meanwhile ends the wait
	Arg     string        // for FaultErrorCode and FaultRateLimit
}

// Kinds of faults. Those that act leave the same traces as an undisturbed
// request: an order, a debit.
const (
	FaultRefuse     = "refuse"      // the connection is reset; nothing happens
	FaultDelay      = "delay"       // the answer is late, by Delay
	FaultHang       = "hang"        // never answers, never acts
	FaultDropBefore = "drop-before" // the connection closes without an answer; nothing happens
	FaultDropAfter  = "drop-after"  // acts, then closes the connection without an answer

	FaultErrorBefore = "error-before" // 502 with an HTML page; nothing happens
	FaultErrorAfter  = "error-after"  // acts, then 502 with an HTML page
	FaultHTMLBefore  = "html-before"  // 200 with an HTML page; nothing happens
	FaultHTMLAfter   = "html-after"   // acts, then 200 with an HTML page
	FaultTruncate    = "truncate"     // acts, then the connection closes in the middle of the body
	FaultGarble      = "garble"       // acts, then 200 with a body that is no JSON

	// Only requests for a catalog can have these.
	FaultEmptyCatalog    = "empty-catalog"    // no rows at all
	FaultShrunkenCatalog = "shrunken-catalog" // a tenth of the rows
	FaultRescaledCatalog = "rescaled-catalog" // prices times 100
	FaultStalledCatalog  = "stalled-catalog"  // the same body again and again

	// FaultErrorCode answers an error and does nothing else. Arg is, on
	// SkinsBack, a code and a text such as "-9 under_maintenance" (the
	// default); on SIH the text of a 400, by default "unknown error".
	FaultErrorCode = "error-code"
	// FaultRateLimit answers -7 on SkinsBack and, on SIH, 429 with a
	// Retry-After of Arg seconds, by default 30.
	FaultRateLimit = "rate-limit"
)

var faultKinds = []string{
	FaultRefuse, FaultDelay, FaultHang, FaultDropBefore, FaultDropAfter, FaultErrorBefore, FaultErrorAfter,
	FaultHTMLBefore, FaultHTMLAfter, FaultTruncate, FaultGarble, FaultEmptyCatalog, FaultShrunkenCatalog,
	FaultRescaledCatalog, FaultStalledCatalog, FaultErrorCode, FaultRateLimit,
}

// check reports what is wrong with a fault.
func (f Fault) check() error {
	switch {
	case !slices.Contains(faultKinds, f.Kind):
		return fmt.Errorf("unknown kind of fault %q: want one of %s", f.Kind, strings.Join(faultKinds, ", "))
	case f.Market != "" && f.Market != SkinsBack && f.Market != SIH:
		return fmt.Errorf("no market %q: want %q, %q or nothing", f.Market, SkinsBack, SIH)
	case f.Times < 0 || f.Percent < 0 || f.Percent > 100 || f.Delay < 0:
		return fmt.Errorf("times %d, percent %d or delay %v is out of range", f.Times, f.Percent, f.Delay)
	}
	return nil
}

// Inject adds a fault and returns its number. It panics if the fault's kind or
// market does not exist: that is a mistake in a test.
func (w *World) Inject(f Fault) (id int) {
	if err := f.check(); err != nil {
		panic("marketsim: " + err.Error())
	}
	f.Method = strings.TrimPrefix(strings.TrimPrefix(f.Method, sihPrefix), "/")
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults.last++
	w.faults.rules = append(w.faults.rules, &rule{Fault: f, id: w.faults.last, left: f.Times})
	return w.faults.last
}

// ClearFaults removes every fault. What is going wrong at the moment still does.
func (w *World) ClearFaults() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults.rules = nil
}

type faults struct {
	rules []*rule
	last  int // id
}

// rule is a fault at work.
type rule struct {
	Fault
	id    int
	left  int // requests still to hit, if Times is set
	seen  int // requests it fitted
	hits  int
	stale map[form]*body // FaultStalledCatalog
}

// pick returns the fault that a request suffers from, or an innocent rule.
func (w *World) pick(c call) *rule {
	for _, r := range w.faults.rules {
		if r.Market != "" && r.Market != c.market.name || r.Method != "" && r.Method != c.method {
			continue
		}
		if strings.HasSuffix(r.Kind, "-catalog") && !c.catalog {
			continue
		}
		if r.Times > 0 && r.left == 0 {
			continue
		}
		r.seen++
		if r.Percent > 0 && !hits(roll(w.cfg.Seed, aboutFault, uint64(r.id), uint64(r.seen)), r.Percent) {
			continue
		}
		r.left--
		r.hits++
		return r
	}
	return &rule{}
}

// distort changes the form in which a catalog is about to be encoded.
func (r *rule) distort(f form) form {
	f.percent, f.factor = 100, 1
	switch r.Kind {
	case FaultEmptyCatalog:
		f.percent = 0
	case FaultShrunkenCatalog:
		f.percent = 10
	case FaultRescaledCatalog:
		f.factor = 100
	}
	return f
}

// catalogBody returns an encoded catalog, as the fault wants it.
func (w *World) catalogBody(m *market, r *rule, f form, build func(form) []byte) *body {
	if b := r.stale[f]; b != nil {
		return b
	}
	distorted := r.distort(f)
	b := m.bodies.get(distorted, w.tick, m.version, func() []byte { return build(distorted) })
	if r.Kind == FaultStalledCatalog {
		if r.stale == nil {
			r.stale = map[form]*body{}
		}
		r.stale[f] = b
	}
	return b
}

// keeps reports whether a row survives in a catalog of this form.
func (f form) keeps(row int) bool { return f.percent == 100 || row%100 < f.percent }

// call is one request to a market, understood but not yet acted on.
type call struct {
	market  *market
	method  string // as in Requests
	catalog bool   // asks for a whole catalog
	// act does what is asked, with World.mu held. Catalogs are encoded as the
	// rule wants them.
	act func(*rule) reply
	// refusal is this market's error answer for FaultErrorCode.
	refusal func(arg string) reply
	// tooMany is this market's answer to too many requests.
	tooMany func(arg string) reply
}

// answer sees a call through: it is counted, checked against the limit, made to
// suffer from a fault, acted on and answered.
func (w *World) answer(rw http.ResponseWriter, r *http.Request, c call) {
	w.mu.Lock()
	w.advance()
	c.market.traffic.note(c.method, w.now)
	if c.market == w.skinsback && !c.market.traffic.admit(w.cfg.RatePerMinute, w.cfg.BlockFor, w.now) {
		w.mu.Unlock()
		c.tooMany("").send(rw, r)
		return
	}
	fault := w.pick(c)
	w.mu.Unlock()

	if fault.Delay > 0 {
		late := time.NewTimer(fault.Delay)
		select {
		case <-late.C:
		case <-r.Context().Done():
		}
		late.Stop()
	}
	switch fault.Kind {
	case FaultRefuse:
		sever(rw, true)
		return
	case FaultDropBefore:
		sever(rw, false)
		return
	case FaultHang:
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	case FaultErrorBefore:
		badGateway.send(rw, r)
		return
	case FaultHTMLBefore:
		checkingBrowser.send(rw, r)
		return
	case FaultErrorCode:
		c.refusal(fault.Arg).send(rw, r)
		return
	case FaultRateLimit:
		c.tooMany(fault.Arg).send(rw, r)
		return
	}

	w.mu.Lock()
	w.advance()
	rep := c.act(fault)
	w.mu.Unlock()

	switch fault.Kind {
	case FaultDropAfter:
		sever(rw, false)
	case FaultErrorAfter:
		badGateway.send(rw, r)
	case FaultHTMLAfter:
		checkingBrowser.send(rw, r)
	case FaultTruncate:
		data := rep.header(rw, r)
		rw.WriteHeader(rep.status)
		rw.Write(data[:len(data)/2])
		http.NewResponseController(rw).Flush()
		panic(http.ErrAbortHandler)
	case FaultGarble:
		rep.body = &body{plain: garble(rep.body.plain)}
		rep.send(rw, r)
	default:
		rep.send(rw, r)
	}
}

// sever ends the connection without an answer, with a reset if asked for one.
// Where the connection cannot be had, the server is told to drop it.
func sever(rw http.ResponseWriter, reset bool) {
	conn, _, err := http.NewResponseController(rw).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(interface{ SetLinger(int) error }); ok && reset {
		tcp.SetLinger(0)
	}
	conn.Close()
}

// garble spoils a body where it hurts: control characters are allowed nowhere
// in JSON.
func garble(plain []byte) []byte {
	spoiled := bytes.Clone(plain)
	middle := len(spoiled) / 2
	copy(spoiled[middle:], "\x00\x01\x02\x03")
	return spoiled
}

var (
	badGateway = reply{
		status: http.StatusBadGateway, html: true,
		body: &body{plain: []byte("<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n")},
	}
	checkingBrowser = reply{
		status: http.StatusOK, html: true,
		body: &body{plain: []byte("<!DOCTYPE html><html><head><title>One moment</title></head><body>Checking your browser.</body></html>\n")},
	}
)
