package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/gzip"

	"skinarb/fetch"
	"skinarb/internal/marketsim"
	"skinarb/internal/scan"
	"skinarb/markets/sih"
	"skinarb/markets/skinsback"
	"skinarb/pricing"
)

// game is the game that everything is measured with.
const game = pricing.CS2

// tick is how often prices move on the simulated markets.
const tick = 10 * time.Second

// clock is the time that markets and clients go by. It stands still until it is
// moved, so that prices change between measurements and never within one.
type clock struct{ ns atomic.Int64 }

func (c *clock) now() time.Time { return time.Unix(0, c.ns.Load()).UTC() }

// rig is both markets, simulated, and their clients.
type rig struct {
	clock     clock
	server    *marketsim.Server
	skinsback *skinsback.Client
	sources   []fetch.Source
	http      *http.Client // of the peers; it does not inflate by itself
}

func newRig(o options) (*rig, error) {
	r := &rig{http: &http.Client{Transport: &http.Transport{DisableCompression: true}, Timeout: 5 * time.Minute}}
	r.clock.ns.Store(time.Now().UnixNano())
	world, err := marketsim.New(marketsim.Config{
		Seed: o.seed, Items: o.items, Now: r.clock.now, Tick: tick,
		RatePerMinute: 1 << 30, // its own minute hardly passes
	})
	if err != nil {
		return nil, fmt.Errorf("make the simulated markets: %w", err)
	}
	if r.server, err = marketsim.Serve(world, ""); err != nil {
		return nil, err
	}
	if r.skinsback, err = skinsback.New(skinsback.Config{
		URL: r.server.SkinsBackURL, ClientID: marketsim.DemoClientID, ClientSecret: marketsim.DemoClientSecret, Now: r.clock.now,
	}); err != nil {
		r.Close()
		return nil, fmt.Errorf("make a client of skinsback: %w", err)
	}
	onSIH, err := sih.New(sih.Config{URL: r.server.SIHURL, APIKey: marketsim.DemoAPIKey, Now: r.clock.now})
	if err != nil {
		r.Close()
		return nil, fmt.Errorf("make a client of sih: %w", err)
	}
	r.sources = []fetch.Source{r.skinsback, onSIH}
	return r, nil
}

// Close ends the markets.
func (r *rig) Close() {
	r.http.CloseIdleConnections()
	_ = r.server.Close() // a market that is not needed any more
}

// move lets time pass on the markets until prices have moved.
func (r *rig) move() { r.clock.ns.Add(int64(tick)) }

// open asks for a market's catalog, or SkinsBack's full one, and gives the body
// as it was sent: gzip. The caller closes it.
func (r *rig) open(ctx context.Context, m pricing.Market, full bool) (io.ReadCloser, error) {
	method, address, body := http.MethodGet, r.server.SIHURL+"/get-items?appId=730", ""
	if m == pricing.SkinsBack {
		method, address, body = http.MethodPost, r.server.SkinsBackURL, `{"method":"market_pricelist","game":"cs2"}`
		if full {
			body = `{"method":"market_pricelist","game":"cs2","full":"1"}`
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept-Encoding", "gzip")
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("apikey", marketsim.DemoAPIKey)
	req.Header.Set("X-CLIENT-ID", marketsim.DemoClientID)
	req.Header.Set("X-CLIENT-SECRET", marketsim.DemoClientSecret)
	resp, err := r.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask %s for its catalog: %w", m, err)
	}
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Encoding") != "gzip" {
		resp.Body.Close()
		return nil, fmt.Errorf("ask %s for its catalog: got %s with encoding %q, want 200 with gzip", m, resp.Status, resp.Header.Get("Content-Encoding"))
	}
	return resp.Body, nil
}

// compressed gives a market's answer as it was sent.
func (r *rig) compressed(ctx context.Context, m pricing.Market) ([]byte, error) {
	body, err := r.open(ctx, m, false)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(body)
}

// readZipped reads what compressed gave, inflating ahead as the clients do.
func readZipped(src fetch.Source, body []byte) (fetch.Pull, error) {
	inflated, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return fetch.Pull{}, err
	}
	ahead := scan.ReadAhead(inflated)
	defer ahead.Close()
	return readBody(src, ahead)
}

// readBody reads a market's inflated answer.
func readBody(src fetch.Source, body io.Reader) (fetch.Pull, error) {
	switch src := src.(type) {
	case *skinsback.Client:
		return src.ReadPricelist(game, body)
	case *sih.Client:
		return src.ReadItems(game, body)
	}
	return fetch.Pull{}, fmt.Errorf("%s has no way to read a body", src.Market())
}

// catalog pulls a market's catalog without measuring anything.
func (r *rig) catalog(ctx context.Context, src fetch.Source, version uint64) (pricing.Catalog, error) {
	pull, err := src.Pull(ctx, game)
	if err != nil {
		return pricing.Catalog{}, err
	}
	return pricing.Catalog{Feed: pricing.Feed{Market: src.Market(), Game: game}, Version: version, ObservedAt: pull.ObservedAt, Listings: pull.Listings}, nil
}

// catalogs gives both markets' first catalogs, in the order of sources.
func (r *rig) catalogs(ctx context.Context) (both []pricing.Catalog, err error) {
	for _, src := range r.sources {
		c, err := r.catalog(ctx, src, 1)
		if err != nil {
			return nil, err
		}
		both = append(both, c)
	}
	return both, nil
}

// book gives a book of both markets.
func (r *rig) book(ctx context.Context) (*pricing.Book, error) {
	both, err := r.catalogs(ctx)
	return bookOf(both), err
}

func bookOf(catalogs []pricing.Catalog) *pricing.Book {
	book := pricing.NewBook()
	for _, c := range catalogs {
		book, _ = book.With(c)
	}
	return book
}
