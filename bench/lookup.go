package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"time"

	"github.com/valyala/fasthttp"

	"skinarb/httpapi"
	"skinarb/pricing"
)

const (
	connections = 64   // that the load is spread over
	batchSize   = 100  // names in one request
	batches     = 50   // different ones
	pace        = 5000 // requests a second of a load that is far from the limit
)

// runLookup measures look-ups of names in random order.
func runLookup(ctx context.Context, s *session) error {
	s.progress.say("lookup: filling the book")
	book, err := s.rig.book(ctx)
	if err != nil {
		return err
	}
	items := onOffer(book, s.opts.seed)
	if len(items) == 0 {
		return errors.New("nothing is on offer on both markets; more --items would help")
	}

	prices := &liveBook{}
	prices.book.Store(book)
	api := httpapi.New(httpapi.Config{Prices: prices, MaxQuoteAge: time.Hour})
	address, err := listen(api.Serve)
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = api.Shutdown(ctx) // all its clients are here, and gone
	}()
	singles := singleRequests(items)
	many, err := batchRequests(items)
	if err != nil {
		return err
	}
	size, err := meanAnswer(address, singles)
	if err != nil {
		return err
	}
	bare := bareServer(size)
	bareAddress, err := listen(bare.Serve)
	if err != nil {
		return err
	}
	defer func() { _ = bare.Shutdown() }()

	s.out.note("HTTP: %d connections of a fasthttp client on loopback, each sending its next request when the answer is there. Client and server share the cores.", connections)
	s.out.note("Bare fasthttp answers every request with the same %d bytes, the mean size of ours.", size)
	s.out.note("%d names that both markets have, in random order.", len(items))
	s.out.note("A refresh changes listings of both markets, once at the start of a load and then every %s, in the process that answers.", refreshEvery)

	const (
		inMemory = "Book.Quote"
		single   = "GET /v1/prices"
		floor    = "bare fasthttp"
		batch    = "POST /v1/prices, 100 names"
		little   = "GET /v1/prices, 2 % change a second"
		much     = "GET /v1/prices, all change a second"
	)
	paced := fmt.Sprintf(" at %d/s", pace)
	var ours, peer, batched, oursPaced, peerPaced, littleChanges, allChange rate
	measure := func(into *rate, subject, address string, requests []request, length time.Duration, perSecond int) task {
		return task{subject, func() error {
			got, err := pacedLoad(ctx, address, requests, connections, length, perSecond)
			if err != nil {
				return fmt.Errorf("%s: %w", subject, err)
			}
			*into = got
			s.out.add(subject, "requests", "requests/s", got.perSecond)
			s.out.add(subject, "p50", "µs", float64(got.p50)/1e3)
			s.out.add(subject, "p99", "µs", float64(got.p99)/1e3)
			return nil
		}}
	}
	whileRefreshing := func(share int, t task) task {
		run := t.run
		t.run = func() error {
			stop := prices.refreshing(api, share)
			return errors.Join(run(), stop())
		}
		return t
	}
	return s.rounds(ctx, round{
		before: func() error { // connections, caches and pools of all three
			for _, warm := range []struct {
				address  string
				requests []request
			}{{address, singles}, {bareAddress, singles}, {address, many}} {
				if _, err := load(ctx, warm.address, warm.requests, connections, min(s.opts.length/10, 200*time.Millisecond)); err != nil {
					return err
				}
			}
			return nil
		},
		tasks: []task{
			{inMemory, func() error {
				ns, err := quoteTime(book, items, min(s.opts.length/5, time.Second))
				if err != nil {
					return err
				}
				s.out.add(inMemory, "time", "ns/op", ns)
				s.out.add(inMemory, "look-ups, one core", "look-ups/s", 1e9/ns)
				return nil
			}},
			measure(&ours, single, address, singles, s.opts.length, 0),
			measure(&peer, floor, bareAddress, singles, s.opts.length, 0),
			measure(&batched, batch, address, many, s.opts.length/2, 0),
			whileRefreshing(50, measure(&littleChanges, little, address, singles, s.opts.length, 0)),
			whileRefreshing(1, measure(&allChange, much, address, singles, s.opts.length, 0)),
			measure(&oursPaced, single+paced, address, singles, s.opts.length/2, pace),
			measure(&peerPaced, floor+paced, bareAddress, singles, s.opts.length/2, pace),
		},
		after: func() error {
			s.out.add(single, "requests against bare fasthttp", "x", ours.perSecond/peer.perSecond)
			s.out.add(single, "p99 of bare fasthttp against ours", "x", float64(peer.p99)/float64(ours.p99))
			s.out.add(single+paced, "p99 of bare fasthttp against ours", "x", float64(peerPaced.p99)/float64(oursPaced.p99))
			s.out.add(little, "requests against no change", "x", littleChanges.perSecond/ours.perSecond)
			s.out.add(much, "requests against no change", "x", allChange.perSecond/ours.perSecond)
			s.out.add(batch, "names", "names/s", batched.perSecond*float64(min(batchSize, len(items))))
			s.out.add(batch, "names against single look-ups", "x", batched.perSecond*float64(min(batchSize, len(items)))/ours.perSecond)
			return nil
		},
	})
}

// onOffer gives the items that both markets have, shuffled.
func onOffer(book *pricing.Book, seed uint64) []pricing.Item {
	var items []pricing.Item
	for pos := range book.Len() {
		it := book.Item(pos)
		if it.Phase != pricing.UnknownPhase && len(book.Quotes(it)) == len(pricing.Markets) {
			items = append(items, it)
		}
	}
	rand.New(rand.NewPCG(seed, 0)).Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
	return items
}

// quoteTime gives the nanoseconds of one look-up in the book.
func quoteTime(book *pricing.Book, items []pricing.Item, length time.Duration) (float64, error) {
	const stretch = 4096 // look-ups between two looks at the clock
	done, found, at := 0, 0, 0
	start := time.Now()
	for time.Since(start) < length || done == 0 {
		for i := range stretch {
			if _, ok := book.Quote(pricing.Markets[i%len(pricing.Markets)], items[at]); ok {
				found++
			}
			if at++; at == len(items) {
				at = 0
			}
		}
		done += stretch
	}
	took := time.Since(start)
	if found != done {
		return 0, fmt.Errorf("the book answered %d of %d look-ups", found, done)
	}
	return float64(took.Nanoseconds()) / float64(done), nil
}

func singleRequests(items []pricing.Item) []request {
	var out []request
	for _, it := range items {
		q := url.Values{"game": {string(it.Game)}, "name": {it.Name}}
		if it.Phase != pricing.NoPhase {
			q.Set("phase", string(it.Phase))
		}
		out = append(out, request{uri: "/v1/prices?" + q.Encode()})
	}
	return out
}

func batchRequests(items []pricing.Item) ([]request, error) {
	var out []request
	for b := range batches {
		body := struct {
			Game  pricing.Game `json:"game"`
			Names []string     `json:"names"`
		}{Game: game}
		for i := range min(batchSize, len(items)) {
			body.Names = append(body.Names, items[(b*batchSize+i)%len(items)].String())
		}
		encoded, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		out = append(out, request{uri: "/v1/prices", body: encoded})
	}
	return out, nil
}

// listen has a server serve on a free port of loopback until it is shut down.
func listen(serve func(net.Listener) error) (address string, err error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	go func() { _ = serve(ln) }() // requests would fail if it did
	return ln.Addr().String(), nil
}

func bareServer(size int) *fasthttp.Server {
	body := make([]byte, size)
	for i := range body {
		body[i] = 'x'
	}
	return &fasthttp.Server{
		Handler: func(c *fasthttp.RequestCtx) {
			c.SetContentType("application/json")
			c.SetBody(body)
		},
		CloseOnShutdown: true,
	}
}

// meanAnswer gives the mean size of the answers to a sample of requests, bytes.
func meanAnswer(address string, requests []request) (int, error) {
	client := fasthttp.HostClient{Addr: address}
	defer client.CloseIdleConnections()
	sample, total := requests[:min(1000, len(requests))], 0
	for _, r := range sample {
		req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
		r.prepare(req, address)
		err := client.DoTimeout(req, resp, requestTimeout)
		if err == nil && resp.StatusCode() != fasthttp.StatusOK {
			err = fmt.Errorf("%s: got status %d: %s", r.uri, resp.StatusCode(), resp.Body())
		}
		total += len(resp.Body())
		fasthttp.ReleaseRequest(req)
		fasthttp.ReleaseResponse(resp)
		if err != nil {
			return 0, err
		}
	}
	return total / len(sample), nil
}
