package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"skinarb/fetch"
	"skinarb/httpapi"
	"skinarb/internal/redisstore"
	"skinarb/pricing"
)

const (
	sightings = 10              // changes that are followed in a round
	patience  = 5 * time.Second // for one of them to be seen
)

// visible measures how long a change at a market takes to the answers of another
// process, from the time when its body is here.
func (p *publishing) visible(ctx context.Context, subject string, src fetch.Source) error {
	if err := p.redis.empty(ctx); err != nil {
		return err
	}
	feed := pricing.Feed{Market: src.Market(), Game: game}
	inForce, err := p.rig.catalog(ctx, src, 1)
	if err != nil {
		return err
	}
	if err := first(ctx, p.redis.store, inForce); err != nil {
		return err
	}
	other, err := newOtherProcess(ctx, p.redis.address, feed, inForce.Listings[0].Item)
	if err != nil {
		return err
	}
	defer other.close()
	if _, err := other.await(ctx, inForce.Version); err != nil {
		return err
	}

	var seen, decoded, published []time.Duration
	for range sightings {
		p.rig.move()
		body, err := p.rig.compressed(ctx, src.Market())
		if err != nil {
			return err
		}
		start := time.Now()
		pull, err := readZipped(src, body)
		if err != nil {
			return err
		}
		decoded = append(decoded, time.Since(start))
		next := pricing.Catalog{Feed: feed, Version: inForce.Version + 1, ObservedAt: pull.ObservedAt, Listings: pull.Listings}
		if v := fetch.Check(inForce, next); v.Held() {
			return fmt.Errorf("%s: the catalog is held: %s: %s", subject, v.Reason, v.Detail)
		}
		if err := p.redis.store.Publish(ctx, next, fetch.Diff(inForce, next)); err != nil {
			return err
		}
		published = append(published, time.Since(start))
		at, err := other.await(ctx, next.Version)
		if err != nil {
			return fmt.Errorf("%s: %w", subject, err)
		}
		seen = append(seen, at.Sub(start))
		inForce = next
	}
	for _, times := range [][]time.Duration{seen, decoded, published} {
		slices.Sort(times)
	}
	ms := func(d time.Duration) float64 { return d.Seconds() * 1e3 }
	p.out.add(subject, "from the body to another's answer, p50", "ms", ms(seen[sightings/2]))
	p.out.add(subject, "from the body to another's answer, slowest", "ms", ms(seen[sightings-1]))
	p.out.add(subject, "from the body until decoded, p50", "ms", ms(decoded[sightings/2]))
	p.out.add(subject, "from the body until published, p50", "ms", ms(published[sightings/2]))
	return nil
}

// otherProcess is a replica with an HTTP API, and a client of that. It shares
// nothing with whoever publishes but Redis.
type otherProcess struct {
	store  *redisstore.Store
	api    *httpapi.Server
	end    context.CancelFunc
	ended  sync.WaitGroup
	client *fasthttp.HostClient
	ask    request
}

func newOtherProcess(ctx context.Context, redis string, feed pricing.Feed, it pricing.Item) (*otherProcess, error) {
	// A batch answers also when the market has the name no longer.
	question, err := json.Marshal(map[string][]string{"names": {it.String()}})
	if err != nil {
		return nil, err
	}
	o := &otherProcess{ask: request{uri: "/v1/prices", body: question}}
	if o.store, err = redisstore.Open(ctx, "redis://"+redis); err != nil {
		return nil, err
	}
	replica := redisstore.NewReplica(o.store, []pricing.Feed{feed}, nil)
	o.api = httpapi.New(httpapi.Config{Prices: followed{replica}, MaxQuoteAge: time.Hour})
	replica.Subscribe(o.api.Publish)
	address, err := listen(o.api.Serve)
	if err != nil {
		o.store.Close()
		return nil, err
	}
	o.client = &fasthttp.HostClient{Addr: address, ReadTimeout: requestTimeout, WriteTimeout: requestTimeout}
	ctx, o.end = context.WithCancel(ctx)
	o.ended.Go(func() { replica.Run(ctx) })
	return o, nil
}

func (o *otherProcess) close() {
	o.end()
	o.ended.Wait()
	o.client.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = o.api.Shutdown(ctx) // its only client is gone
	o.store.Close()
}

// await asks without pause until an answer has the version, and gives the time at
// which that was read.
func (o *otherProcess) await(ctx context.Context, version uint64) (time.Time, error) {
	req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(resp)
	for start := time.Now(); time.Since(start) < patience; {
		if err := ctx.Err(); err != nil {
			return time.Time{}, err
		}
		o.ask.prepare(req, o.client.Addr)
		if err := o.client.Do(req, resp); err != nil {
			return time.Time{}, err
		}
		var answer struct {
			Version uint64 `json:"version"`
		}
		if err := json.Unmarshal(resp.Body(), &answer); err != nil || resp.StatusCode() != fasthttp.StatusOK {
			return time.Time{}, fmt.Errorf("got status %d: %.200s", resp.StatusCode(), resp.Body())
		}
		if answer.Version >= version {
			return time.Now(), nil
		}
	}
	return time.Time{}, fmt.Errorf("version %d was not seen within %s", version, patience)
}

// followed is the price side of a process that only reads.
type followed struct{ *redisstore.Replica }

func (f followed) Ready() (bool, string) { return f.Replica.Ready(), "" }
func (followed) Release(context.Context, pricing.Feed) error {
	return errors.New("this one only reads")
}
