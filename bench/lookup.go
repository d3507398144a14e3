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
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownLimit)
		defer cancel()
		_ = api.Shutdown(ctx) // all its clients are here, and gone
	}()
	singles := singleRequests(items)
	many, err := batchRequests(items)
	if err != nil {
		return err
	}
	answers, err := answersTo(ctx, address, singles)
	if err != nil {
		return err
	}
	peers, err := openLookupPeers(ctx, s, items, singles, answers)
	if err != nil {
		return err
	}
	defer peers.close()

	s.out.note("HTTP: %d connections of a fasthttp client on loopback, each sending its next request when the answer is there. Client and server share the cores.", connections)
	s.out.note("%d names that both markets have, in random order.", len(items))
	s.out.note("A refresh changes listings of both markets, once at the start of a load and then every %s, in the process that answers.", refreshEvery)

	const (
		inMemory = "Book.Quote"
		single   = "GET /v1/prices"
		batch    = "POST /v1/prices, 100 names"
		little   = "GET /v1/prices, 2 % change a second"
		much     = "GET /v1/prices, all change a second"
	)
	paced := fmt.Sprintf(" at %d/s", pace)
	bare := peers.bare()
	refreshed, others := &outdated{prices: prices}, &outdated{prices: prices}
	var ours, batched, oursPaced, barePaced, littleChanges, allChange rate
	var oursByWrk, littleByWrk, allByWrk rate
	measure := func(into *rate, subject, address string, requests []request, length time.Duration, perSecond int, check answerCheck) task {
		return measured(s.out, subject, into, func() (rate, error) {
			return pacedLoad(ctx, address, requests, connections, length, perSecond, check)
		})
	}
	whileRefreshing := func(share int, t task) task {
		run := t.run
		t.run = func() error {
			stop := prices.refreshing(api, share)
			return errors.Join(run(), stop())
		}
		return t
	}
	tasks := []task{
		{inMemory, func() error {
			ns, err := quoteTime(book, items, min(s.opts.length/5, time.Second))
			if err != nil {
				return err
			}
			s.out.add(inMemory, "time", "ns/op", ns)
			s.out.add(inMemory, "look-ups, one core", "look-ups/s", 1e9/ns)
			return nil
		}},
		// All four look at the answers, lest those without a refresh have less to do.
		measure(&ours, single, address, singles, s.opts.length, 0, others),
		measure(&bare.last, bare.name, bare.address, singles, s.opts.length, 0, others),
		measure(&batched, batch, address, many, s.opts.length/2, 0, nil),
		whileRefreshing(50, measure(&littleChanges, little, address, singles, s.opts.length, 0, refreshed)),
		whileRefreshing(1, measure(&allChange, much, address, singles, s.opts.length, 0, refreshed)),
		measure(&oursPaced, single+paced, address, singles, s.opts.length/2, pace, nil),
		measure(&barePaced, bare.name+paced, bare.address, singles, s.opts.length/2, pace, nil),
	}
	tasks = append(tasks, peers.tasks(ctx, s.opts.length/3)...)
	if peers.wrk != nil {
		measure := func(into *rate, subject string) task {
			return measured(s.out, byWrk(subject), into, func() (rate, error) { return peers.wrk.load(ctx, address, bare.list) })
		}
		tasks = append(tasks, measure(&oursByWrk, single),
			whileRefreshing(50, measure(&littleByWrk, little)), whileRefreshing(1, measure(&allByWrk, much)))
	}
	err = s.rounds(ctx, round{
		before: func() error { // connections, caches and pools of all
			warm := min(s.opts.length/30, 100*time.Millisecond)
			_, err := load(ctx, address, singles, connections, warm)
			if err == nil {
				_, err = load(ctx, address, many, connections, warm)
			}
			return errors.Join(err, peers.warm(ctx, warm))
		},
		tasks: tasks,
		after: func() error {
			names := float64(min(batchSize, len(items)))
			peers.compare(single, ours, oursByWrk)
			s.out.add(single, "p99 of bare fasthttp against ours", "x", float64(bare.last.p99)/float64(ours.p99))
			s.out.add(single+paced, "p99 of bare fasthttp against ours", "x", float64(barePaced.p99)/float64(oursPaced.p99))
			s.out.add(little, "requests against no change", "x", littleChanges.perSecond/ours.perSecond)
			s.out.add(much, "requests against no change", "x", allChange.perSecond/ours.perSecond)
			if peers.wrk != nil {
				s.out.add(byWrk(little), "requests against no change", "x", littleByWrk.perSecond/oursByWrk.perSecond)
				s.out.add(byWrk(much), "requests against no change", "x", allByWrk.perSecond/oursByWrk.perSecond)
			}
			s.out.add(batch, "names", "names/s", batched.perSecond*names)
			s.out.add(batch, "names against single look-ups", "x", batched.perSecond*names/ours.perSecond)
			return nil
		},
	})
	if err != nil {
		return err
	}
	// An answer that is not 200 ends a load with an error.
	s.out.note("While catalogs were refreshed %d answers came to our load: none failed, and %d were older than what had been published before they were asked for.", refreshed.answers.Load(), refreshed.stale.Load())
	return nil
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
