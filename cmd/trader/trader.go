package main

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/sourcegraph/conc"

	"skinarb/execution"
	"skinarb/internal/crashpoint"
	"skinarb/internal/pricefeed"
	"skinarb/pricing"
	"skinarb/strategy"
)

const (
	roundEvery = time.Second // between two looks at the opportunities when nothing changes
	buysAtOnce = 4           // purchases under way at the same time on one market
	perRound   = 64          // most opportunities that one round tries
	retryAfter = time.Minute // before an opportunity that fell through is tried again
)

// finder gives ranked opportunities.
type finder interface {
	Opportunities(now time.Time) []strategy.Opportunity
}

// trader turns opportunities into purchases, best first.
type trader struct {
	find     finder
	executor *execution.Executor
	journal  execution.Journal
	slots    map[pricing.Market]chan struct{} // for each market that we can buy on, its purchases under way
	now      func() time.Time
	log      *slog.Logger
	changed  <-chan struct{}              // prices have changed
	left     func(execution.Request) bool // to others; nil leaves nothing

	buying conc.WaitGroup
	mu     sync.Mutex
	tried  map[execution.OrderID]time.Time // when an opportunity may be tried again
}

func newTrader(feed *pricefeed.PriceFeed, x *execution.Executor, j execution.Journal, left func(execution.Request) bool, log *slog.Logger) *trader {
	t := &trader{
		find: feed.Engine(), executor: x, journal: j, now: crashpoint.Now, log: log, changed: feed.Changed(), left: left,
		slots: map[pricing.Market]chan struct{}{}, tried: map[execution.OrderID]time.Time{},
	}
	for _, m := range feed.Markets() {
		t.slots[m.Market()] = make(chan struct{}, buysAtOnce)
	}
	return t
}

// run buys what is worth buying until ctx ends, and returns when no purchase is
// under way.
func (t *trader) run(ctx context.Context) {
	defer t.buying.Wait()
	tick := time.NewTicker(roundEvery)
	defer tick.Stop()
	for {
		if err := t.round(ctx); err != nil && ctx.Err() == nil {
			t.log.Error("cannot look for purchases", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-t.changed:
		case <-tick.C:
		}
	}
}

// round tries the best opportunities that no limit forbids.
func (t *trader) round(ctx context.Context) error {
	trading, err := t.executor.Trading(ctx)
	if err != nil || trading.Stopped {
		return err
	}
	now := t.now()
	usage, err := t.journal.Usage(ctx, now)
	if err != nil {
		return err
	}
	open := t.executor.Limits().OpenOrders
	tries := 0
	for _, o := range t.find.Opportunities(now) {
		r := request(o)
		if ctx.Err() != nil || tries == perRound || usage.Open+tries >= open {
			return nil
		}
		// The gate decides again, atomically; this look only spares the markets
		// requests that could not become purchases.
		if t.left != nil && t.left(r) || t.executor.Admissible(r, usage) != nil || !t.claim(r, now) {
			continue
		}
		tries++
		t.buying.Go(func() {
			defer func() { <-t.slots[r.Market] }()
			t.buy(ctx, r)
		})
	}
	return nil
}

// claim takes one of the market's slots, if one is free and the opportunity was
// not tried lately, and remembers the try. A market that hangs keeps its own
// slots and no other's.
func (t *trader) claim(r execution.Request, now time.Time) bool {
	id := r.ID()
	t.mu.Lock()
	defer t.mu.Unlock()
	if now.Before(t.tried[id]) {
		return false
	}
	select {
	case t.slots[r.Market] <- struct{}{}: // nil, and so never ready, where we cannot buy
	default:
		return false
	}
	if len(t.tried) > 10_000 {
		maps.DeleteFunc(t.tried, func(_ execution.OrderID, again time.Time) bool { return now.After(again) })
	}
	t.tried[id] = now.Add(retryAfter)
	return true
}

// buy makes one purchase. What became of it is in the journal; only what never
// got there is logged here.
func (t *trader) buy(ctx context.Context, r execution.Request) {
	_, err := t.executor.Buy(ctx, r)
	var limit *execution.LimitError
	var open *execution.BreakerError
	switch {
	case err == nil, errors.Is(err, execution.ErrStopped), errors.Is(err, context.Canceled):
	case errors.As(err, &open):
		t.log.Debug("buying is suspended", "market", r.Market, "rule", open.Break.Rule)
	case errors.As(err, &limit):
		t.log.Debug("a limit forbids a purchase", "item", r.Item.String(), "market", r.Market, "rule", limit.Rule, "detail", limit.Detail)
	default:
		t.log.Info("an opportunity fell through", "item", r.Item.String(), "market", r.Market, "reason", err)
	}
}

// request is the wish to act on an opportunity.
func request(o strategy.Opportunity) execution.Request {
	return execution.Request{
		Market: o.Buy.Market, Item: o.Item, MarketName: o.Buy.MarketName,
		Ask: o.Buy.Ask, Cost: o.Cost, Since: o.Buy.Since,
		SellOn: o.Sell.Market, Proceeds: o.Proceeds, ExpiresAt: o.ExpiresAt,
	}
}
