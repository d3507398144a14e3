package marketsim

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Bounds of asking.
const (
	maxAsksAtOnce = 16  // requests under way
	maxAsks       = 200 // orders asked about in one turn
	maxCreates    = 4   // create-purchase without an answer, before it is only asked about
)

// manner is how a request is made.
type manner int

const (
	plainly   manner = iota
	slowly           // byte after byte, and the answer is read late
	cutEarly         // the connection closes as soon as the request is written
	cutInTime        // the connection closes when the answer begins
)

// partnerAsk is one request to the partner, and what may come back.
type partnerAsk struct {
	order     *partnerOrder // nil: none that there is
	create    bool
	body      string // of create-purchase
	customID  string
	query     string // of get-purchase
	signature string
	unsigned  bool // there is no signature at all
	manner    manner

	before string   // the order's state when this was asked
	record bool     // whether a record may be the answer
	errors []string // that may be the answer

	reply partnerReply
}

// AskPartner sends what SIH has to ask its partner by now, waits for the answers and
// checks them. It returns how many requests that were: with a clock that stands
// still, none as soon as everything is asked. A world that is served calls it by
// itself.
func (w *World) AskPartner(ctx context.Context) int {
	w.partner.turn.Lock()
	defer w.partner.turn.Unlock()
	asks, p := w.partnerAsks()
	if len(asks) == 0 {
		return 0
	}
	var asking sync.WaitGroup
	free := make(chan struct{}, maxAsksAtOnce)
	for _, a := range asks {
		free <- struct{}{}
		asking.Go(func() {
			a.reply = w.askPartner(ctx, p, a)
			<-free
		})
	}
	asking.Wait()
	if ctx.Err() != nil {
		return len(asks) // what is missing is not the partner's fault; the next turns ask about it
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance()
	w.partner.requests += len(asks)
	for _, a := range asks {
		w.judge(a)
	}
	return len(asks)
}

// runPartner asks until ctx ends.
func (w *World) runPartner(ctx context.Context) {
	defer w.partner.client.CloseIdleConnections()
	tick := time.NewTicker(newsEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		w.AskPartner(ctx)
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

// newPartnerSide makes SIH's side. Its client follows nowhere.
func newPartnerSide(p Partner) partnerSide {
	return partnerSide{
		Partner: p,
		bought:  map[string][]*order{},
		client: &http.Client{
			Transport:     &http.Transport{MaxIdleConnsPerHost: maxAsksAtOnce, IdleConnTimeout: 30 * time.Second},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// partnerAsks decides what to ask now. Without a partner it does not even look at
// the clock.
func (w *World) partnerAsks() ([]*partnerAsk, Partner) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.partner.Partner
	if !p.on() {
		return nil, p
	}
	w.advance()
	var asks []*partnerAsk
	due := 0
	w.partner.open = slices.DeleteFunc(w.partner.open, func(o *partnerOrder) bool { return o.final })
	for _, o := range w.partner.open {
		if o.next.After(w.now) {
			continue
		}
		if due++; due > maxAsks {
			break
		}
		asks = append(asks, w.askAbout(o)...)
	}
	return asks, p
}

// pollPause is the time until the next look at an order.
func (w *World) pollPause(o *partnerOrder) time.Duration {
	pause := w.partner.Poll
	if strings.HasPrefix(o.state(), "finished") {
		pause = w.partner.PollProtected
	}
	return max(w.span(pause), minPoll)
}

// askAbout makes the next request of an order, and whatever SIH's temper adds.
func (w *World) askAbout(o *partnerOrder) []*partnerAsk {
	h := w.partner.Hostility
	draw := func(about uint64) uint64 { return w.partnerDraw(o.n, 1+o.creates+o.polls, about) }
	var a *partnerAsk
	if o.create {
		o.creates++
		a = w.createAsk(o, o.text(h, draw(1)))
	} else {
		o.polls++
		a = w.pollAsk(o)
	}
	o.create = false
	o.next = w.now.Add(w.pollPause(o))
	switch roll := below(draw(2), 100); {
	case roll < h.Lost/2:
		a.manner = cutEarly
	case roll < h.Lost:
		a.manner = cutInTime
	case roll < h.Lost+h.Slow:
		a.manner = slowly
	}
	return append([]*partnerAsk{a}, w.pesterAbout(o, a, draw)...)
}

// createAsk is create-purchase with a body, well signed.
func (w *World) createAsk(o *partnerOrder, body string) *partnerAsk {
	a := &partnerAsk{order: o, create: true, body: body, customID: o.customID, before: o.state()}
	if root, err := parseJS(body); err == nil {
		a.signature = partnerSignature(w.partner.Key, string(appendJS(nil, root)))
	}
	if a.record = o.told != nil || o.buyer.acceptable(); o.told == nil {
		a.errors = o.buyer.refusals()
	}
	return a
}

// pollAsk is get-purchase, well signed.
func (w *World) pollAsk(o *partnerOrder) *partnerAsk {
	a := &partnerAsk{
		order:     o,
		customID:  o.customID,
		query:     url.Values{"customId": {o.customID}}.Encode(),
		signature: partnerSignature(w.partner.Key, pollText(o.customID)),
		before:    o.state(),
		record:    true,
	}
	if o.told == nil {
		a.errors = []string{"not found"}
	}
	return a
}

// askPartner makes one request.
func (w *World) askPartner(ctx context.Context, p Partner, a *partnerAsk) partnerReply {
	patience := p.Patience
	if a.manner == slowly {
		patience += p.Hostility.slowFor()
	}
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteRequest: func(httptrace.WroteRequestInfo) {
			if a.manner == cutEarly {
				stop()
			}
		},
		GotFirstResponseByte: func() {
			if a.manner == cutInTime {
				stop()
			}
		},
	})
	none := func(err error) partnerReply {
		return partnerReply{none: true, late: errors.Is(err, context.DeadlineExceeded)}
	}
	req, err := a.request(ctx, p)
	if err != nil {
		return none(err)
	}
	resp, err := w.partner.client.Do(req)
	if err != nil {
		return none(err)
	}
	defer resp.Body.Close()
	if a.manner == slowly {
		time.Sleep(p.Hostility.slowFor() / 4)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxPartnerAnswer+1))
	if err != nil || a.manner == cutEarly || a.manner == cutInTime {
		return none(err)
	}
	return partnerReply{status: resp.StatusCode, contentType: resp.Header.Get("Content-Type"), body: string(body)}
}

// request is the request as it leaves.
func (a *partnerAsk) request(ctx context.Context, p Partner) (*http.Request, error) {
	method, address, body := http.MethodGet, p.CheckURL, io.Reader(nil)
	if a.create {
		method, address, body = http.MethodPost, p.PurchaseURL, strings.NewReader(a.body)
		if a.manner == slowly && a.body != "" {
			body = &drip{rest: []byte(a.body), pause: p.Hostility.slowFor() / 2 / time.Duration(len(a.body))}
		}
	} else if a.query != "" {
		separator := "?"
		if strings.Contains(address, "?") {
			separator = "&"
		}
		address += separator + a.query
	}
	req, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return nil, err
	}
	if a.create {
		req.ContentLength = int64(len(a.body))
		req.Header.Set("Content-Type", "application/json")
	}
	if !a.unsigned {
		req.Header.Set("signature", a.signature)
	}
	return req, nil
}

// judge checks an answer, and lets the order take its course.
func (w *World) judge(a *partnerAsk) {
	o := a.order
	if a.reply.none {
		w.unanswered(a)
		return
	}
	rec, refusal, found := a.reply.read()
	switch {
	case rec != nil && !a.record:
		found.add(RuleUnexpected, "success, want the error %s", strings.Join(a.errors, " or "))
	case refusal != "" && !slices.Contains(a.errors, refusal):
		found.add(RuleUnexpected, "the error %q, want %s", refusal, a.wanted())
	case refusal != "" && a.record && o.told != nil && a.before == "":
		found.add(RuleUnexpected, "the error %q, although another request at the same time got an order", refusal)
	case rec != nil && o.err != "":
		found.add(RuleUnexpected, "success, although another request at the same time got the error %q", o.err)
	case rec != nil:
		found.compare(o, *rec, a.before)
		if mine := w.boughtFor(o.steamID); len(mine) > 0 {
			found.truth(*rec, mine[0])
		}
	}
	for _, p := range found {
		w.partnerFault(a, p)
	}
	if o == nil || o.final || o.deposit == nil {
		return
	}
	switch {
	case rec != nil && slices.Contains(partnerMoves[o.state()], rec.state):
		w.hear(o, *rec)
	case refusal == "not found" && o.told == nil && w.now.Sub(o.at) > w.span(tolerateNotFound):
		w.failPartnerOrder(o, "order is not found")
	case refusal != "" && a.create && o.told == nil:
		w.failPartnerOrder(o, refusal)
	}
}

// wanted tells what may answer a request.
func (a *partnerAsk) wanted() string {
	all := slices.Clone(a.errors)
	if a.record {
		all = append(all, "success")
	}
	return strings.Join(all, " or ")
}

// hear takes what a partner tells of an order for true.
func (w *World) hear(o *partnerOrder, rec partnerRecord) {
	if o.told != nil && rec.until == "" {
		rec.until = o.told.until
	}
	o.told = &rec
	w.follow(o)
	if rec.state == "finished" && w.now.Sub(o.at) > w.span(longestProtection) {
		w.payPartner(o) // without a block SIH waits as long as protection can last
	}
	if !o.final {
		o.next = w.now.Add(w.pollPause(o))
	}
}

// unanswered decides what SIH does without an answer: send the order again, or ask
// whether it arrived.
func (w *World) unanswered(a *partnerAsk) {
	if a.manner != cutEarly && a.manner != cutInTime {
		w.partner.unreachable++
		if a.reply.late {
			w.partnerFault(a, problem{RuleLate, "no answer within " + w.partner.Patience.String()})
		}
	}
	if o := a.order; o != nil && a.create && o.deposit != nil && o.told == nil && !o.final && o.creates < maxCreates {
		o.create = below(w.partnerDraw(o.n, o.creates, 3), 2) == 0
	}
}

// partnerFault writes down what was wrong with an answer.
func (w *World) partnerFault(a *partnerAsk, p problem) {
	const shown = 500
	request := "POST create-purchase " + a.body
	if !a.create {
		request = "GET get-purchase?" + a.query
	}
	w.partner.faultCount++
	w.partner.faults = lastOf(append(w.partner.faults, PartnerFault{
		At:       w.now,
		CustomID: a.customID,
		Rule:     p.rule,
		Detail:   p.detail,
		Request:  request[:min(len(request), shown)],
		Answer:   a.reply.body[:min(len(a.reply.body), shown)],
	}), maxPartnerFaults)
}

// splitState takes the state of trade protection from a state.
func splitState(state string) (status, protection string) {
	status, protection, _ = strings.Cut(state, ":")
	return status, protection
}
