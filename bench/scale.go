package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"skinarb/fetch"
	"skinarb/httpapi"
	"skinarb/internal/redisstore"
	"skinarb/pricing"
	"skinarb/strategy"
)

// runScale measures how everything grows: with the number of items, and with the
// number of processes that answer on one Redis.
func runScale(ctx context.Context, s *session) error {
	shop, err := openScaleRedis(ctx, s)
	if err != nil {
		return err
	}
	defer shop.close()
	fewer := *s
	if fewer.opts.rounds = min(s.opts.rounds, scaleRounds); fewer.opts.rounds < s.opts.rounds {
		s.out.note("A round takes long: there are %d.", fewer.opts.rounds)
	}
	if err := scaleItems(ctx, &fewer, shop); err != nil {
		return err
	}
	return scaleProcesses(ctx, &fewer)
}

// scaleRounds is how many rounds there are at most.
const scaleRounds = 3

// scaleSizes gives how many items are tried: a thousandth, a hundredth, a tenth
// and all of the largest.
func scaleSizes(items int) []int {
	if items == 0 {
		items = 1_000_000
	}
	sizes := []int{max(1, items/1000), max(1, items/100), max(1, items/10), items}
	return slices.Compact(sizes)
}

// scaleRedis is where catalogs are published, or nothing where there is no
// redis-server.
type scaleRedis struct {
	store  *redisstore.Store
	client *redis.Client
	stop   func()
}

func openScaleRedis(ctx context.Context, s *session) (*scaleRedis, error) {
	program, err := findProgram("redis-server")
	if err != nil {
		s.out.note("Publishing was not measured: %v.", err)
		return &scaleRedis{}, nil
	}
	store, address, stop, err := startRedisWith(ctx, program, "--appendonly", "no")
	if err != nil {
		return nil, err
	}
	return &scaleRedis{store, redis.NewClient(&redis.Options{Addr: address}), stop}, nil
}

func (r *scaleRedis) close() {
	if r.store != nil {
		r.client.Close()
		r.stop()
	}
}

// grown is a quantity that was measured at several sizes, for a line through
// their logarithms.
type grown struct {
	name   string
	sizes  []float64
	totals []float64
	slopes []float64 // of the rounds
}

func (g *grown) add(size int, total float64) {
	if total > 0 {
		g.sizes, g.totals = append(g.sizes, math.Log(float64(size))), append(g.totals, math.Log(total))
	}
}

// fit ends a round: it gives the exponent of the growth and forgets the round. The
// smallest size does not count: in it, what any size costs would hide the growth.
func (g *grown) fit() (exponent float64, ok bool) {
	defer func() { g.sizes, g.totals = nil, nil }()
	if len(g.sizes) < 3 {
		return 0, false
	}
	smallest := slices.Index(g.sizes, slices.Min(g.sizes))
	exponent = fitLine(slices.Delete(g.sizes, smallest, smallest+1), slices.Delete(g.totals, smallest, smallest+1)).Slope
	g.slopes = append(g.slopes, exponent)
	return exponent, true
}

// kind says what an exponent means.
func kind(exponent float64) string {
	switch {
	case exponent < 0.9:
		return "less than linear"
	case exponent > 1.1:
		return "more than linear"
	}
	return "linear"
}

// scaled is everything that is measured at one size.
type scaled struct {
	*shelf
	subject string
	quote   float64 // ns of Book.Quote, of the last round
	perS    float64 // requests/s, of the last round
}

// growths are the quantities that should grow with the items and no faster.
type growths struct{ pull, publish, memory, judge grown }

func (g *growths) all() []*grown { return []*grown{&g.pull, &g.publish, &g.memory, &g.judge} }

func scaleItems(ctx context.Context, s *session, shop *scaleRedis) error {
	s.out.note("Items are made up: names of 40 bytes on both markets. The list that is pulled is SkinsBack's, over HTTP with gzip, known names; published is that list, whole, to a redis-server.")
	s.out.note("Growth: the slope of the line through the logarithms of size and total, without the smallest size, in each round. 10 times is linear. What grows out of a cache grows faster for a while.")
	g := &growths{pull: grown{name: "pull"}, publish: grown{name: "publish"}, memory: grown{name: "memory"}, judge: grown{name: "strategy"}}
	var (
		sizes []*scaled
		tasks []task
	)
	for _, n := range scaleSizes(s.opts.items) {
		s.progress.say(fmt.Sprintf("scale: making %s items", short(float64(n))))
		shelf, err := newShelf(n)
		if err != nil {
			return err
		}
		defer shelf.close()
		sc := &scaled{shelf: shelf, subject: itemsSubject(n)}
		sizes = append(sizes, sc)
		tasks = append(tasks, task{sc.subject, func() error { return sc.measure(ctx, s, shop, g) }})
	}
	err := s.rounds(ctx, round{tasks: tasks, after: func() error {
		least, most := sizes[0], sizes[len(sizes)-1]
		s.out.add(most.subject, "Book.Quote against "+least.subject, "x", least.quote/most.quote)
		s.out.add(most.subject, "GET /v1/prices against "+least.subject, "x", most.perS/least.perS)
		for _, q := range g.all() {
			if exponent, ok := q.fit(); ok {
				s.out.add("growth", q.name+" for 10 times the items", "times", math.Pow(10, exponent))
			}
		}
		return nil
	}})
	for _, q := range g.all() {
		if len(q.slopes) > 0 {
			s.out.note("Growth of %s: items to the power of %.2f, which is %s.", q.name, median(q.slopes), kind(median(q.slopes)))
		}
	}
	return err
}

// itemsSubject names a size.
func itemsSubject(n int) string {
	if n > 0 && n < 1000 {
		return fmt.Sprintf("%d items", n)
	}
	return short(float64(n)) + " items"
}

func (sc *scaled) measure(ctx context.Context, s *session, shop *scaleRedis, g *growths) error {
	items := float64(sc.items)
	perItem := func(measure string, took time.Duration, to *grown) {
		s.out.add(sc.subject, measure, "ns/item", float64(took.Nanoseconds())/items)
		to.add(sc.items, took.Seconds())
	}
	if took, ok, err := sc.pull(ctx, s); err != nil {
		return err
	} else if ok {
		perItem("pulled", took, &g.pull)
	}
	if took, ok, err := sc.publish(ctx, s, shop); err != nil {
		return err
	} else if ok {
		perItem("published whole", took, &g.publish)
	}

	runtime.GC()
	before := readMetric(liveBytes)
	book := sc.book()
	runtime.GC()
	bytes := float64(max(readMetric(liveBytes), before+1) - before)
	s.out.add(sc.subject, "book of both markets", "B/item", bytes/items)
	g.memory.add(sc.items, bytes)

	judged := strategy.New(strategy.DefaultRules())
	now := time.Now()
	judged.Update(book, nil, true, fresh(now), now)
	perItem("judged, all", each(min(s.opts.length/100, 20*time.Millisecond), func() { judged.Update(book, nil, true, nil, now) }), &g.judge)
	return sc.lookup(ctx, s, book)
}

// pull pulls the list again; the names are known from the first time. A list that
// is refused is told in a note.
func (sc *scaled) pull(ctx context.Context, s *session) (took time.Duration, ok bool, err error) {
	if sc.refused {
		return 0, false, nil
	}
	if !sc.known {
		if _, err := sc.client.Pull(ctx, game); err != nil {
			sc.refused = true
			s.out.note("%s are not pulled: %v.", sc.subject, err)
			return 0, false, ctx.Err()
		}
		sc.known = true
	}
	var pulled fetch.Pull
	took, _, err = timed(func() (err error) { pulled, err = sc.client.Pull(ctx, game); return err })
	if err == nil && len(pulled.Listings) != sc.items {
		err = fmt.Errorf("%s: got %d listings", sc.subject, len(pulled.Listings))
	}
	return took, true, err
}

// publish publishes the list where nothing was. A list that is too large is told
// in a note.
func (sc *scaled) publish(ctx context.Context, s *session, shop *scaleRedis) (took time.Duration, ok bool, err error) {
	if shop.store == nil || sc.tooLarge {
		return 0, false, nil
	}
	if err := shop.client.FlushDB(ctx).Err(); err != nil {
		return 0, false, fmt.Errorf("empty a redis-server: %w", err)
	}
	c := sc.catalog(pricing.SkinsBack)
	took, _, err = timed(func() error { return first(ctx, shop.store, c) })
	if err != nil && ctx.Err() == nil {
		sc.tooLarge = true
		s.out.note("%s are not published: %v.", sc.subject, err)
		return 0, false, nil
	}
	return took, true, err
}

// lookup measures look-ups in a book and over HTTP.
func (sc *scaled) lookup(ctx context.Context, s *session, book *pricing.Book) error {
	items := onOffer(book, s.opts.seed)
	ns, err := quoteTime(book, items, min(s.opts.length/20, 200*time.Millisecond))
	if err != nil {
		return err
	}
	sc.quote = ns
	s.out.add(sc.subject, "Book.Quote", "ns/op", ns)

	prices := &liveBook{}
	prices.book.Store(book)
	api := httpapi.New(httpapi.Config{Prices: prices, MaxQuoteAge: time.Hour})
	address, err := listen(api.Serve)
	if err != nil {
		return err
	}
	// As many names are asked for as a client might know, else the requests would
	// need more memory than the book.
	requests := singleRequests(items[:min(len(items), 20_000)])
	got, err := load(ctx, address, requests, connections, s.opts.length/6)
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownLimit)
	defer cancel()
	if err = errors.Join(err, api.Shutdown(end)); err != nil {
		return fmt.Errorf("%s: %w", sc.subject, err)
	}
	sc.perS = got.perSecond
	s.out.add(sc.subject, "GET /v1/prices", "requests/s", got.perSecond)
	s.out.add(sc.subject, "GET /v1/prices, p50", "µs", float64(got.p50)/1e3)
	s.out.add(sc.subject, "GET /v1/prices, p99", "µs", float64(got.p99)/1e3)
	return nil
}
