package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"time"

	"github.com/klauspost/compress/gzip"

	"skinarb/fetch"
	"skinarb/internal/redisstore"
	"skinarb/pricing"
)

// runIngest measures refreshes: a catalog is in force, a fiftieth of the prices
// has moved since, and the next catalog is pulled and published.
func runIngest(ctx context.Context, s *session) error {
	stores, stop, err := openStores(ctx, s)
	if err != nil {
		return err
	}
	defer stop()
	s.out.note("A refresh: GET with gzip, decode, check, diff, publish, while about 2 %% of the prices have moved since the one before. The market has its answer ready.")
	s.out.note("The peer gets the same body with the same inflater, then io.ReadAll and encoding/json into structs with every documented member, image and colour too, which ours passes over. Else it does less: numbers stay text, names unread, nothing is checked or stored. The floor gets it and inflates it.")
	s.out.note("The first-written stack goes on from what that peer has: decimals, and HSET for each item in pipelines of %d to the redis-server. It checks nothing and writes everything each time, where ours writes what changed.", pipelineLength)
	s.out.note("In memory: the decoders alone, on the inflated body. Ours knows the names from the pulls before, as it would.")
	ccxt, err := findCcxt(ctx, s)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		s.out.note("ccxt was not measured: %v.", err)
	default:
		s.out.note("ccxt, the price API that many know, reads all tickers of an exchange, as many as the market has items in a body as large, over HTTP with gzip, in one call that its users would make. Equal are the items, the bytes and the way they come. Not equal: it is JavaScript on one core, keeps every raw ticker beside more fields of its own, and neither checks a catalog nor stores it; ours knows the market's names from before, ccxt its symbols.")
	}
	for _, src := range s.rig.sources {
		if err := ingestMarket(ctx, s, src, stores, ccxt); err != nil {
			return err
		}
	}
	return nil
}

// target is a Redis to publish to.
type target struct {
	name    string
	store   *redisstore.Store
	address string // empty: nobody else gets to it
}

// openStores opens the embedded Redis and, when there is one to start, a real one.
func openStores(ctx context.Context, s *session) ([]target, func(), error) {
	embedded, err := redisstore.OpenEmbedded("")
	if err != nil {
		return nil, nil, fmt.Errorf("open the embedded redis: %w", err)
	}
	targets, stop := []target{{name: "embedded Redis", store: embedded}}, func() { embedded.Close() }
	program, err := exec.LookPath("redis-server")
	if err != nil {
		s.out.note("No redis-server in PATH: publishing to a real one was not measured.")
		return targets, stop, nil
	}
	s.progress.say("ingest: starting " + program)
	real, address, end, err := startRedisWith(ctx, program, "--appendonly", "no")
	if err != nil {
		stop()
		return nil, nil, err
	}
	return append(targets, target{"redis-server", real, address}), func() { end(); embedded.Close() }, nil
}

// ingestMarket measures one market. A ccxt that is not there is left out.
func ingestMarket(ctx context.Context, s *session, src fetch.Source, stores []target, ccxt ccxtProgram) (err error) {
	m := src.Market()
	peer := &jsonPeer{rig: s.rig, market: m, subject: fmt.Sprintf("%s: ReadAll + encoding/json", m)}
	var refreshes []*refresh
	for _, t := range stores {
		r := &refresh{src: src, store: t.store, subject: fmt.Sprintf("%s → %s", m, t.name)}
		if err := r.run(ctx); err != nil { // the first publication, which is whole
			return err
		}
		if t.address != "" {
			r.first = newFirstStack(s.rig, m, t)
			defer r.first.close()
		}
		refreshes = append(refreshes, r)
	}

	var tasks []task
	for _, r := range refreshes {
		tasks = append(tasks, task{r.subject, func() error { return r.measure(ctx, s.out) }})
		if r.first != nil {
			tasks = append(tasks, task{r.first.subject, func() error { return r.first.measure(ctx, s.out) }})
		}
	}
	tasks = append(tasks, task{peer.subject, func() error { return peer.measure(ctx, s.out) }})
	floor := &floor{rig: s.rig, market: m, subject: fmt.Sprintf("%s: inflate alone", m)}
	tasks = append(tasks, task{floor.subject, func() error { return floor.measure(ctx, s.out) }})
	memory := &memory{rig: s.rig, src: src, peer: peer}
	tasks = append(tasks, memory.tasks(s.out)...)

	var tickers *ccxtPeer
	if ccxt.node != "" {
		r := refreshes[0]
		if tickers, err = startCcxt(ccxt, string(m), len(r.inForce.Listings), int(r.bytes)); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, tickers.close()) }()
		tasks = append(tasks, task{tickers.subject, func() error { return tickers.measure(ctx, s.out) }})
	}

	prices := func() error {
		s.rig.move()
		return memory.fetch(ctx)
	}
	return s.rounds(ctx, round{before: prices, tasks: tasks, after: func() error {
		for _, r := range refreshes {
			s.out.add(r.subject, "published, against encoding/json decoding", "x", peer.took.Seconds()/r.took.Seconds())
			s.out.add(r.subject, "decoded, against encoding/json decoding", "x", peer.took.Seconds()/r.decoded.Seconds())
			s.out.add(r.subject, "published, against inflating alone", "x", floor.took.Seconds()/r.took.Seconds())
			if r.first != nil {
				s.out.add(r.subject, "published, against the first-written stack", "x", r.first.took.Seconds()/r.took.Seconds())
			}
			if tickers != nil {
				items := float64(len(r.inForce.Listings))
				s.out.add(r.subject, "published, against ccxt decoding", "x", items/r.took.Seconds()/tickers.perSecond)
			}
		}
		memory.compare(s.out)
		if err := prices(); err != nil {
			return err
		}
		for _, r := range refreshes {
			if err := s.addPeak(r.subject, func() error { return r.run(ctx) }); err != nil {
				return err
			}
		}
		return s.addPeak(peer.subject, func() error { return peer.run(ctx) })
	}})
}

// refresh pulls a market's catalog and publishes it, as the fetch loop does.
type refresh struct {
	src     fetch.Source
	store   *redisstore.Store
	subject string
	first   *firstStack // that publishes to the same Redis, or nil

	inForce pricing.Catalog
	bytes   int64
	changed int
	pulled  time.Duration // of the last run, until the catalog was decoded

	// Of the last measured run.
	decoded, took time.Duration
}

func (r *refresh) run(ctx context.Context) error {
	start := time.Now()
	pull, err := r.src.Pull(ctx, game)
	if err != nil {
		return err
	}
	r.pulled, r.bytes = time.Since(start), pull.Bytes
	next := pricing.Catalog{
		Feed:    pricing.Feed{Market: r.src.Market(), Game: game},
		Version: r.inForce.Version + 1, ObservedAt: pull.ObservedAt, Listings: pull.Listings,
	}
	if v := fetch.Check(r.inForce, next); v.Held() {
		return fmt.Errorf("%s: the catalog is held: %s: %s", r.subject, v.Reason, v.Detail)
	}
	change := fetch.Diff(r.inForce, next)
	if err := r.store.Publish(ctx, next, change); err != nil {
		return fmt.Errorf("%s: %w", r.subject, err)
	}
	r.inForce, r.changed = next, len(change.Set)+len(change.Gone)
	return nil
}

func (r *refresh) measure(ctx context.Context, out *Suite) error {
	took, objects, err := timed(func() error { return r.run(ctx) })
	if err != nil {
		return err
	}
	r.decoded, r.took = r.pulled, took
	items := float64(len(r.inForce.Listings))
	out.add(r.subject, "items published", "items/s", items/took.Seconds())
	out.add(r.subject, "inflated", "MB/s", float64(r.bytes)/1e6/took.Seconds())
	out.add(r.subject, "whole refresh", "ms", took.Seconds()*1e3)
	out.add(r.subject, "until decoded", "ms", r.pulled.Seconds()*1e3)
	out.add(r.subject, "allocations", "/item", float64(objects)/items)
	out.add(r.subject, "changed", "% of items", 100*float64(r.changed)/items)
	return nil
}

// jsonPeer is what one would write first.
type jsonPeer struct {
	rig     *rig
	market  pricing.Market
	subject string
	items   int
	bytes   int
	took    time.Duration // of the last measured run
}

// wireItem is an item on either market with every member that is documented.
// Numbers stay text: the catalogs have rows in which one is none, and it would fail
// the rest.
type wireItem struct {
	Name   string          `json:"name"`
	Price  json.RawMessage `json:"price"`
	Count  json.RawMessage `json:"count"`
	Class  json.RawMessage `json:"classid"`
	Phase  *string         `json:"phase"`
	Market *string         `json:"market"`
	Sell   json.RawMessage `json:"sell"`
	Steam  json.RawMessage `json:"steam"`
	Image  string          `json:"image"`
	Color  string          `json:"color"`
}

func (p *jsonPeer) run(ctx context.Context) error {
	_, err := p.pull(ctx)
	return err
}

func (p *jsonPeer) pull(ctx context.Context) (wireList, error) {
	body, err := p.rig.open(ctx, p.market, false)
	if err != nil {
		return wireList{}, err
	}
	defer body.Close()
	inflated, err := gzip.NewReader(body)
	if err != nil {
		return wireList{}, err
	}
	data, err := io.ReadAll(inflated)
	if err != nil {
		return wireList{}, err
	}
	p.bytes = len(data)
	return p.decode(data)
}

// decode reads an inflated body.
func (p *jsonPeer) decode(data []byte) (list wireList, err error) {
	if p.market == pricing.SkinsBack {
		err = json.Unmarshal(data, &struct {
			Items *[]wireItem `json:"items"`
		}{&list.rows})
	} else {
		err = json.Unmarshal(data, &struct {
			Items *map[string]*wireItem `json:"items"`
		}{&list.byName})
	}
	if err != nil {
		return wireList{}, fmt.Errorf("%s: %w", p.subject, err)
	}
	p.items = list.len()
	return list, nil
}

func (p *jsonPeer) measure(ctx context.Context, out *Suite) error {
	took, objects, err := timed(func() error { return p.run(ctx) })
	if err != nil {
		return err
	}
	out.add(p.subject, "rows decoded", "items/s", float64(p.items)/took.Seconds())
	out.add(p.subject, "inflated", "MB/s", float64(p.bytes)/1e6/took.Seconds())
	out.add(p.subject, "until decoded", "ms", took.Seconds()*1e3)
	out.add(p.subject, "allocations", "/item", float64(objects)/float64(p.items))
	p.took = took
	return nil
}
