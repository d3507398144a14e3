package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"skinarb/fetch"
	"skinarb/internal/redisstore"
	"skinarb/internal/settings"
	"skinarb/markets/sih"
	"skinarb/markets/skinsback"
	"skinarb/pricing"
)

// pullPause is between two pulls of a real market, which is no place to hurry.
const pullPause = time.Second

// runMarket pulls a real market's catalog a few times, as the aggregator does:
// the same client, settings and budget. Nothing is stored.
func runMarket(ctx context.Context, s *session) error {
	var p settings.Prices
	set := settings.New("bench", "")
	p.Declare(set, "127.0.0.1:0")
	if err := errors.Join(append([]error{set.Load(nil, s.outside.lookup, io.Discard)}, p.Validate()...)...); err != nil {
		return fmt.Errorf("mistakes in the settings:\n%w", err)
	}
	m := s.opts.market
	if !p.On(m) {
		return fmt.Errorf("%s is not configured: set %s", m, map[pricing.Market]string{
			pricing.SkinsBack: "SKINSBACK_CLIENT_ID and SKINSBACK_CLIENT_SECRET", pricing.SIH: "SIH_API_KEY",
		}[m])
	}
	address, perMinute := p.SkinsBack.URL, p.SkinsBack.RatePerMinute
	if m == pricing.SIH {
		address, perMinute = p.SIH.URL, p.SIH.RatePerMinute
	}
	u, err := url.Parse(address)
	if err != nil {
		return fmt.Errorf("the address of %s is none", m) // Validate has told more
	}
	if err := s.mayAsk(m, u.Host, perMinute, p.RedisURL != ""); err != nil {
		return err
	}

	store, err := openStore(ctx, p.RedisURL)
	if err != nil {
		return err
	}
	defer store.Close()
	meter := &pullMeter{Budget: store.Budget(m, perMinute)}
	meter.left.Store(int64(s.opts.rounds))
	src, err := meter.client(m, &p)
	if err != nil {
		return err
	}
	g := p.Games[0]
	if at := slices.IndexFunc(p.Games, func(g pricing.Game) bool { return slices.Contains(src.Games(), g) }); at >= 0 {
		g = p.Games[at]
	}
	s.out.note("%s, the catalog of %s. The first pull opens the connection and meets every name for the first time.", u.Host, g)
	s.out.note("Bytes on the wire are those of the connection, headers and TLS included. First byte is since the permit was had; decoding goes on while the body arrives, and what it adds is \"decoded, after the last byte\".")
	subject := fmt.Sprintf("%s, %s", m, g)
	pulls := 0
	return s.rounds(ctx, round{tasks: []task{{subject, func() error {
		if pulls++; pulls > 1 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(pullPause):
			}
		}
		return meter.measure(ctx, s.out, subject, src, g)
	}}}})
}

// openStore opens the Redis that keeps the account's budget, or one of our own.
func openStore(ctx context.Context, redisURL string) (*redisstore.Store, error) {
	if redisURL == "" {
		return redisstore.OpenEmbedded("")
	}
	return redisstore.Open(ctx, redisURL)
}

// mayAsk tells what would be sent, and to whom, and lets a person decide.
func (s *session) mayAsk(m pricing.Market, host string, perMinute int, shared bool) error {
	budget := "counted for this process alone: REDIS_URL is not set, so others on this account do not know of it"
	if shared {
		budget = "shared with everything else on REDIS_URL"
	}
	s.progress.tell(fmt.Sprintf("This sends at most %d requests for the catalog of %s to %s,\nwithin its limit of %d a minute, %s.\n", s.opts.rounds, m, host, perMinute, budget))
	switch {
	case s.opts.yes:
		return nil
	case !s.outside.terminal:
		return errors.New("nobody is there to ask whether to go on: give --yes")
	}
	s.progress.tell("Go on? [y/N] ")
	answer, err := bufio.NewReader(io.LimitReader(s.outside.stdin, 100)).ReadString('\n')
	if err != nil && err != io.EOF {
		return fmt.Errorf("read the answer: %w", err)
	}
	if answer = strings.ToLower(strings.TrimSpace(answer)); answer != "y" && answer != "yes" {
		return errors.New("nothing was sent")
	}
	return nil
}

// pullMeter stands where a market's client takes its permits and opens its
// connections, and takes times there.
type pullMeter struct {
	fetch.Budget
	left  atomic.Int64 // requests that may still be sent
	taken atomic.Int64 // when the last permit was had, nanoseconds since 1970
	first atomic.Int64 // when the answer's first byte came
	last  atomic.Int64 // when bytes came last
	bytes atomic.Int64 // that came
}

// Take refuses what was not announced: a client tries again after some errors.
func (p *pullMeter) Take(ctx context.Context, c fetch.Class) error {
	if p.left.Add(-1) < 0 {
		return errors.New("all requests that were announced have been sent")
	}
	err := p.Budget.Take(ctx, c)
	p.taken.Store(time.Now().UnixNano())
	return err
}

func (p *pullMeter) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := (&net.Dialer{KeepAlive: 30 * time.Second}).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return &meteredConn{conn, p}, nil
}

type meteredConn struct {
	net.Conn
	meter *pullMeter
}

func (c *meteredConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.meter.bytes.Add(int64(n))
		c.meter.last.Store(time.Now().UnixNano())
	}
	return n, err
}

// client makes the market's client as the aggregator has it, but for the meter.
func (p *pullMeter) client(m pricing.Market, s *settings.Prices) (fetch.Source, error) {
	if m == pricing.SIH {
		return sih.New(sih.Config{URL: s.SIH.URL, APIKey: s.SIH.APIKey, Budget: p, Dial: p.dial})
	}
	return skinsback.New(skinsback.Config{
		URL: s.SkinsBack.URL, ClientID: s.SkinsBack.ClientID, ClientSecret: s.SkinsBack.ClientSecret,
		Auth: skinsback.Auth(s.SkinsBack.Auth), Budget: p, Dial: p.dial,
	})
}

// measure pulls once.
func (p *pullMeter) measure(ctx context.Context, out *Suite, subject string, src fetch.Source, g pricing.Game) error {
	p.bytes.Store(0)
	var opened atomic.Int64 // when the connection was there, if it was not before
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(i httptrace.GotConnInfo) {
			if !i.Reused {
				opened.Store(time.Now().UnixNano())
			}
		},
		GotFirstResponseByte: func() { p.first.Store(time.Now().UnixNano()) },
	})
	pull, err := src.Pull(ctx, g)
	if err != nil {
		return err
	}
	end := time.Now().UnixNano()
	taken, first, last := p.taken.Load(), p.first.Load(), min(p.last.Load(), end)
	wire, seconds := float64(p.bytes.Load()), float64(end-taken)/1e9
	if at := opened.Load(); at > 0 {
		out.note("Opening a connection took %s of the time to a first byte.", time.Duration(at-taken).Round(time.Millisecond/10))
	}
	out.add(subject, "first byte", "ms", float64(first-taken)/1e6)
	out.add(subject, "body arriving", "ms", float64(last-first)/1e6)
	out.add(subject, "decoded, after the last byte", "ms", float64(end-last)/1e6)
	out.add(subject, "whole pull", "ms", seconds*1e3)
	out.add(subject, "on the wire", "MB", wire/1e6)
	out.add(subject, "inflated", "MB", float64(pull.Bytes)/1e6)
	out.add(subject, "items", "items", float64(len(pull.Listings)))
	out.add(subject, "items, whole pull", "items/s", float64(len(pull.Listings))/seconds)
	out.add(subject, "inflated, whole pull", "MB/s", float64(pull.Bytes)/1e6/seconds)
	rejected := 0
	for _, n := range pull.Rejected {
		rejected += n
	}
	out.add(subject, "rows refused", "rows", float64(rejected))
	return nil
}
