package main

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
)

// traffic sends look-ups to an instance that may answer with anything, and goes
// on: what is refused, lost or stale is counted. load is for servers of our own,
// where any of that ends the measurement.
type traffic struct {
	to          *url.URL
	token       string // sent as a bearer; empty: none
	requests    []request
	connections int
	perSecond   int // over all connections; 0: the next one when the last is answered

	client *fasthttp.HostClient
	lanes  []lane
}

// lane is what came of one connection's requests since the last drain.
type lane struct {
	mu sync.Mutex
	tally
}

// tally is what came of requests.
type tally struct {
	took    []time.Duration // of good answers, from before the send to after the last byte
	stale   int             // good answers in which a quote was flagged stale
	soldOut int             // good answers that no market has the item: it had when we learned its name
	failed  int             // everything that was not a good answer
	err     error           // the first of those
}

// brokenPause is how long a connection waits after it broke, so that a server
// that is gone is not asked as fast as it can refuse.
const brokenPause = 10 * time.Millisecond

// maxAnswerBytes bounds an answer: a thousand times the largest one expected.
const maxAnswerBytes = 64 << 20

func newTraffic(to *url.URL, token string, requests []request, connections, perSecond int) *traffic {
	port := to.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[to.Scheme]
	}
	return &traffic{
		to: to, token: token, requests: requests, connections: connections, perSecond: perSecond,
		lanes: make([]lane, connections),
		client: &fasthttp.HostClient{
			Addr: to.Hostname() + ":" + port, IsTLS: to.Scheme == "https", MaxConns: connections,
			ReadTimeout: requestTimeout, WriteTimeout: requestTimeout, MaxResponseBodySize: maxAnswerBytes,
			DisablePathNormalizing: true, NoDefaultUserAgentHeader: true,
		},
	}
}

// run sends until ctx ends and returns how long that was. drain may be called
// meanwhile.
func (t *traffic) run(ctx context.Context) time.Duration {
	defer t.client.CloseIdleConnections()
	var lanes sync.WaitGroup
	start := time.Now()
	for n := range t.lanes {
		lanes.Go(func() { t.drive(ctx, n, start) })
	}
	lanes.Wait()
	return time.Since(start)
}

// drive sends the requests of one connection. With a pace each has its time to
// be sent, but its latency begins when it was: timers wake late, by a millisecond
// at times, and that is no fault of the server.
func (t *traffic) drive(ctx context.Context, n int, start time.Time) {
	req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(resp)
	pause := time.NewTimer(0)
	defer pause.Stop()
	wait := func(d time.Duration) {
		pause.Reset(d)
		select {
		case <-pause.C:
		case <-ctx.Done():
		}
	}
	for i := 0; ; i++ {
		if t.perSecond > 0 {
			nth := time.Duration(i*t.connections + n)
			wait(time.Until(start.Add(nth * time.Second / time.Duration(t.perSecond))))
		}
		if ctx.Err() != nil {
			return
		}
		t.requests[(n*len(t.requests)/t.connections+i)%len(t.requests)].prepare(req, t.to.Host)
		req.URI().SetScheme(t.to.Scheme)
		if t.token != "" {
			req.Header.Set(fasthttp.HeaderAuthorization, "Bearer "+t.token)
		}
		sent := time.Now()
		err := t.client.Do(req, resp)
		t.lanes[n].take(time.Since(sent), resp, t.token, err)
		if err != nil {
			wait(brokenPause)
		}
	}
}

func (l *lane) take(took time.Duration, resp *fasthttp.Response, token string, err error) {
	soldOut := err == nil && resp.StatusCode() == fasthttp.StatusNotFound && bytes.Contains(resp.Body(), []byte(`"item_not_found"`))
	if err == nil && resp.StatusCode() != fasthttp.StatusOK && !soldOut {
		err = fmt.Errorf("got status %d: %s", resp.StatusCode(), quoted(resp.Body(), token))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		if l.failed++; l.err == nil {
			l.err = err
		}
		return
	}
	l.took = append(l.took, took)
	if soldOut {
		l.soldOut++
	}
	if bytes.Contains(resp.Body(), []byte(`"stale":true`)) {
		l.stale++
	}
}

// drain gives what came of all requests since it was last called.
func (t *traffic) drain() (sum tally) {
	for i := range t.lanes {
		l := &t.lanes[i]
		l.mu.Lock()
		sum.took = append(sum.took, l.took...)
		sum.stale, sum.soldOut, sum.failed = sum.stale+l.stale, sum.soldOut+l.soldOut, sum.failed+l.failed
		if sum.err == nil {
			sum.err = l.err
		}
		l.tally = tally{took: l.took[:0]}
		l.mu.Unlock()
	}
	slices.Sort(sum.took)
	return sum
}

// late gives the latency that a share q, 0 to 1, of the good answers was not
// slower than; 0 without any.
func (s tally) late(q float64) time.Duration {
	if len(s.took) == 0 {
		return 0
	}
	return s.took[min(len(s.took)-1, int(q*float64(len(s.took))))]
}

// percent gives n as a share of all requests.
func (s tally) percent(n int) float64 {
	if all := len(s.took) + s.failed; all > 0 {
		return 100 * float64(n) / float64(all)
	}
	return 0
}

// quoted gives the beginning of an answer for an error. It may be anybody's, and
// repeat what it was sent: the token goes first, before it can be cut in two.
func quoted(body []byte, token string) string {
	text := string(body)
	if token != "" {
		text = strings.ReplaceAll(text, token, "[token]")
	}
	return fmt.Sprintf("%.200q", text)
}
