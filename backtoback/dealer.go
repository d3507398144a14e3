package backtoback

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"skinarb/execution"
	"skinarb/partner"
	"skinarb/pricing"
	"skinarb/selling"
)

// Config is what a Dealer is made of. Zero durations mean the default that stands
// behind them.
type Config struct {
	Rules     Rules
	Keeper    *selling.Keeper
	Listings  selling.Listings
	Purchases partner.Store

	// Buy and Order are the executor's, and its journal's.
	Buy     func(ctx context.Context, r execution.Request) (execution.Order, error)
	Order   func(ctx context.Context, id execution.OrderID) (execution.Order, error)
	Stopped func(ctx context.Context) (bool, error) // the kill switch

	// Admits gives what the limits and breakers say of a purchase, by what is used
	// of them now. What they forbid is not offered.
	Admits func(ctx context.Context) (func(execution.Request) error, error)

	// Wanted gives what is worth buying on SkinsBack to sell on SIH, best first,
	// and Terms what an item can be had for; false where it may not be traded on.
	// Both answer from memory and may be called concurrently.
	Wanted func(now time.Time) []pricing.Item
	Terms  func(it pricing.Item, now time.Time) (Terms, bool)

	// Closed is for a dealer that only ends what an earlier one began: it takes
	// everything off sale, begins no purchase, and tells what becomes of the others.
	Closed bool
	// Shared says that somebody else recovers Keeper and looks.
	Shared bool

	Protection time.Duration // how long a delivered item may be taken back; 8 days
	Every      time.Duration // between two rounds; 5 s
	LookEvery  time.Duration // between two looks at what SIH has on sale; 15 s

	Now    func() time.Time
	Logger *slog.Logger
}

// Bounds that are no settings.
const (
	sendBy    = 10 * time.Minute // after which a buyer's order that was not bought is given up
	unpolled  = 15 * time.Minute // after which one that SIH never asked for is
	pollFresh = time.Minute      // after which SIH, which asks every few seconds, has given an order up
	unsold    = 30 * time.Minute // after which goods that are off sale, and that nobody ordered, are ours again
	unpaid    = 3 * 24 * time.Hour
	lingers   = 3 * time.Minute // how long SIH's catalog may show a listing that has ended
	perRound  = 20              // requests to list or to withdraw
	lookupMax = 10 * time.Second

	unsentRest   = time.Minute    // before an item whose listing did not leave is offered again
	mistakenRest = 24 * time.Hour // before one is that SIH took for another
)

// Dealer keeps listings on SIH and serves the buyers' orders for them. It has one
// loop, Run; Ask may be called concurrently.
type Dealer struct {
	cfg   Config
	log   *slog.Logger
	goods func() string

	mu      sync.RWMutex
	forSale map[string]selling.Listing    // by goods: what SIH may sell
	goodsOf map[string]string             // by every id that SIH may call them by
	closed  bool                          // the kill switch is on, or was when it was last looked at
	admits  func(execution.Request) error // as of the last round

	resting map[pricing.Item]time.Time // of tend's goroutine alone: until when an item is not offered

	serving sync.WaitGroup
	busy    map[string]bool   // buyers' orders that are being seen to, by customId
	said    map[string]string // by what: trouble that was logged
}

// Caller is the part of partner.Server that a Dealer listens to.
type Caller interface {
	// Wake gives a value when a buyer's order came or was asked for.
	Wake() <-chan struct{}
	// Polled gives the last time that SIH asked for one.
	Polled(customID string) time.Time
}

// New gives a Dealer, which sells nothing before Run.
func New(cfg Config) *Dealer {
	defaults := func(d *time.Duration, value time.Duration) {
		if *d <= 0 {
			*d = value
		}
	}
	defaults(&cfg.Protection, 8*24*time.Hour)
	defaults(&cfg.Every, 5*time.Second)
	defaults(&cfg.LookEvery, 15*time.Second)
	defaults(&cfg.Rules.RepriceEvery, time.Minute)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Dealer{
		cfg: cfg, log: cfg.Logger, goods: numbers(cfg.Now),
		forSale: map[string]selling.Listing{}, goodsOf: map[string]string{}, closed: true, admits: func(execution.Request) error { return errNotYet }, busy: map[string]bool{}, said: map[string]string{},
		resting: map[pricing.Item]time.Time{},
	}
}

// Goods implements partner.Desk.
func (d *Dealer) Goods(id string) string {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if goods, ok := d.goodsOf[id]; ok {
		return goods
	}
	return id
}

// Ask implements partner.Desk: the least that we take for goods is what leaves
// the least profit at what SkinsBack asks now. What could not be bought now is not
// for sale.
func (d *Dealer) Ask(goods string) (least pricing.Money, listed bool) {
	d.mu.RLock()
	l, ok := d.forSale[goods]
	closed, admits := d.closed, d.admits
	d.mu.RUnlock()
	if !ok || closed {
		return 0, false
	}
	t, ok := d.cfg.Terms(l.Item, d.cfg.Now())
	if !ok || admits(d.cfg.Rules.wish(l.Item, t, l.Price)) != nil {
		return 0, false
	}
	floor, err := d.cfg.Rules.floor(t.Ask)
	return floor, err == nil
}

// errNotYet keeps everything from being sold before the first round.
var errNotYet = errors.New("the limits have not been looked at yet")

// Run deals until ctx ends, and then waits for what is under way. Listings stay:
// whoever runs next takes them over.
func (d *Dealer) Run(ctx context.Context, caller Caller) {
	var keeping sync.WaitGroup
	defer keeping.Wait()
	keeping.Go(func() { d.tend(ctx) })
	defer d.serving.Wait()
	round := time.NewTicker(d.cfg.Every)
	defer round.Stop()
	for {
		d.tell("serve the buyers", d.serve(ctx, caller))
		select {
		case <-ctx.Done():
			return
		case <-round.C:
		case <-caller.Wake():
		}
	}
}

// tell logs what went wrong, once until it changes.
func (d *Dealer) tell(what string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	text := ""
	if err != nil && !errors.Is(err, context.Canceled) {
		text = err.Error()
	}
	if text != "" && d.said[what] != text {
		d.log.Error("back to back: "+what, "error", err)
	}
	d.said[what] = text
}
