package backtoback

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
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
	}
}

// numbers gives ids for goods: digits, rising, none twice, also over restarts.
func numbers(now func() time.Time) func() string {
	last := int64(0)
	return func() string {
		last = max(last+1, now().UnixMicro())
		return strconv.FormatInt(last, 10)
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

// tend keeps the listings. Each request of theirs may take its time, and no buyer
// waits for that.
func (d *Dealer) tend(ctx context.Context) {
	round := time.NewTicker(d.cfg.Every)
	defer round.Stop()
	look := time.Time{}
	recovered := d.cfg.Shared
	for {
		if !recovered {
			err := d.cfg.Keeper.Recover(ctx)
			d.tell("recover the listings", err)
			recovered = err == nil
		}
		if recovered {
			if now := d.cfg.Now(); !d.cfg.Shared && (now.Sub(look) >= d.cfg.LookEvery || now.Before(look)) {
				look = now
				d.tell("look at the listings", d.cfg.Keeper.Look(ctx))
			}
			d.tell("keep the listings", d.keep(ctx))
		}
		select {
		case <-ctx.Done():
			return
		case <-round.C:
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

// holderPrefix begins the holders of our listings; those of positions are ids of
// purchases.
const holderPrefix = "btb "

// holder names what a listing is for: goods of an item. Those that are sold and not
// paid for do not keep others of the same item from being listed.
func holder(it pricing.Item, goods string) string {
	return holderPrefix + string(it.Game) + " " + it.String() + " " + goods
}

func mine(l selling.Listing) bool {
	return len(l.Holder) > len(holderPrefix) && l.Holder[:len(holderPrefix)] == holderPrefix
}

// keep brings what is on sale in line with the book.
func (d *Dealer) keep(ctx context.Context) error {
	now := d.cfg.Now().UTC()
	stopped, err := d.cfg.Stopped(ctx)
	if err != nil {
		return err
	}
	stopped = stopped || d.cfg.Closed
	admits, err := d.cfg.Admits(ctx)
	if err != nil {
		return err
	}
	all, err := d.cfg.Listings.InStates(ctx, pricing.SIH, now.Add(-lingers), selling.States...)
	if err != nil {
		return err
	}
	standing, err := d.cfg.Listings.InStates(ctx, pricing.SIH, time.Time{}, selling.OpenStates...)
	if err != nil {
		return err
	}
	var open, recent []selling.Listing
	for _, l := range standing {
		if mine(l) {
			open = append(open, l)
		}
	}
	for _, l := range all {
		if mine(l) && !l.State.Open() {
			recent = append(recent, l)
		}
	}
	d.offerOnly(open, stopped, admits)
	errs := []error{d.conclude(ctx, open, now)}

	terms := func(it pricing.Item) (Terms, bool) {
		if stopped {
			return Terms{}, false
		}
		return d.cfg.Terms(it, now)
	}
	var wanted []pricing.Item
	if !stopped {
		wanted = d.cfg.Wanted(now)
	}
	p := d.cfg.Rules.plan(view{now, open, recent, wanted, terms, admits})
	left := perRound
	for _, w := range p.withdraw {
		if left--; left < 0 || ctx.Err() != nil {
			break
		}
		_, err := d.cfg.Keeper.Withdraw(ctx, w.listing, w.why)
		var gone *execution.RejectedError
		if !errors.As(err, &gone) { // it has just been sold, most likely; a look will tell
			errs = append(errs, err)
		}
	}
	for _, o := range p.list {
		if left--; left < 0 || ctx.Err() != nil {
			break
		}
		errs = append(errs, d.list(ctx, o))
	}
	return errors.Join(errs...)
}

// offerOnly says what is for sale: what may be on sale, and nothing while trading
// is stopped.
func (d *Dealer) offerOnly(open []selling.Listing, stopped bool, admits func(execution.Request) error) {
	forSale, goodsOf := map[string]selling.Listing{}, map[string]string{}
	for _, l := range open {
		forSale[l.Goods] = l
		for _, id := range []string{string(l.ID), l.MarketRef, l.Goods} {
			if id != "" {
				goodsOf[id] = l.Goods
			}
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.forSale, d.goodsOf, d.closed, d.admits = forSale, goodsOf, stopped, admits
}

// list offers an item. Its goods are for sale before SIH hears of them: a buyer
// may be faster than the answer.
func (d *Dealer) list(ctx context.Context, o offer) error {
	goods := d.goods()
	wanted := selling.Offer{
		Holder: holder(o.item, goods), Market: pricing.SIH, Item: o.item, Goods: goods, Price: o.price, Floor: o.floor,
	}
	d.mu.Lock()
	d.forSale[goods], d.goodsOf[goods] = selling.Listing{Offer: wanted}, goods
	d.mu.Unlock()
	l, err := d.cfg.Keeper.List(ctx, wanted)
	if l.MarketRef != "" {
		d.mu.Lock()
		d.goodsOf[l.MarketRef], d.goodsOf[string(l.ID)] = goods, goods
		d.mu.Unlock()
	}
	if errors.Is(err, selling.ErrOnSale) || errors.Is(err, execution.ErrStopped) {
		return nil // the next round sees why
	}
	return err
}

// conclude ends listings that are off sale: the goods are ours again when nobody
// ordered them, or the order failed. That they were paid for, the market says.
func (d *Dealer) conclude(ctx context.Context, open []selling.Listing, now time.Time) error {
	var errs []error
	for _, l := range open {
		if l.State != selling.Gone {
			continue
		}
		p, err := d.cfg.Purchases.OfItem(ctx, l.Goods)
		switch {
		case errors.Is(err, partner.ErrNoPurchase):
			if now.Sub(l.GoneAt) >= unsold {
				_, err = d.cfg.Keeper.Conclude(ctx, l, selling.OnReturned, "off sale, and nobody ordered it")
			} else {
				err = nil
			}
		case err != nil:
		case p.State == partner.Failed, p.State == partner.RolledBack:
			_, err = d.cfg.Keeper.Conclude(ctx, l, selling.OnReturned, "the order for it "+string(p.State))
		case p.State == partner.Settled && now.Sub(p.UpdatedAt) >= unpaid:
			_, err = d.cfg.Keeper.Conclude(ctx, l, selling.OnVanished, "delivered to its buyer, and not paid for")
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// serve sees to every buyer's order that is not done. Each is seen to by one
// goroutine at a time.
func (d *Dealer) serve(ctx context.Context, caller Caller) error {
	stopped, err := d.cfg.Stopped(ctx)
	if err != nil {
		return err
	}
	if stopped { // a round of listings may take its time to find out
		d.mu.Lock()
		d.closed = true
		d.mu.Unlock()
	}
	open, err := d.cfg.Purchases.Open(ctx)
	if err != nil {
		return err
	}
	for _, p := range open {
		if !d.claim(p.CustomID) {
			continue
		}
		d.serving.Go(func() {
			defer d.release(p.CustomID)
			if err := d.attend(ctx, p, caller.Polled(p.CustomID)); err != nil && ctx.Err() == nil {
				d.log.Error("back to back: see to a buyer's order", "custom_id", p.CustomID, "purchase", p.ID, "error", err)
			}
		})
	}
	return nil
}

func (d *Dealer) claim(customID string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.busy[customID] {
		return false
	}
	d.busy[customID] = true
	return true
}

func (d *Dealer) release(customID string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.busy, customID)
}

// attend buys what a buyer's order wants, if that was not begun, and tells SIH what
// became of it.
func (d *Dealer) attend(ctx context.Context, p partner.Purchase, polled time.Time) error {
	// It was read before it was claimed: what was told meanwhile must stand.
	p, err := d.cfg.Purchases.Get(ctx, p.CustomID)
	if err != nil || !p.State.Open() {
		return err
	}
	o, err := d.cfg.Order(ctx, intent(p).ID())
	if errors.Is(err, execution.ErrNoOrder) {
		return d.begin(ctx, p, polled)
	}
	if err != nil {
		return err
	}
	return d.report(ctx, p, o)
}

// begin decides about a buyer's order for which nothing was bought yet.
func (d *Dealer) begin(ctx context.Context, p partner.Purchase, polled time.Time) error {
	now := d.cfg.Now().UTC()
	age := now.Sub(p.CreatedAt)
	if p.State != partner.Created {
		return fmt.Errorf("it is %s and the journal of purchases has none for it: a person has to look", p.State)
	}
	stopped, err := d.cfg.Stopped(ctx)
	switch {
	case err != nil:
		return err
	case stopped:
		return d.fail(ctx, p, partner.CanceledBySeller, "trading is stopped")
	case d.cfg.Closed:
		return d.fail(ctx, p, partner.CanceledBySeller, "back-to-back trading is off")
	case polled.IsZero() && age < unpolled:
		return nil
	case polled.IsZero(), age >= sendBy:
		return d.fail(ctx, p, partner.SendTimeout, "too late to be bought")
	case !Fresh(polled, d.cfg.Now()):
		return nil // SIH has given it up, or is away for a moment
	}
	r, why, err := d.request(ctx, p, now)
	if err != nil {
		return err
	}
	if why != "" {
		return d.fail(ctx, p, partner.CanceledBySeller, why)
	}
	o, err := d.cfg.Buy(ctx, r)
	if err == nil {
		return d.report(ctx, p, o)
	}
	// Whatever kept it, only what the journal has counts: a planned order may leave
	// yet.
	lookup, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookupMax)
	defer cancel()
	stored, getErr := d.cfg.Order(lookup, r.ID())
	switch {
	case errors.Is(getErr, execution.ErrNoOrder) && final(err):
		return d.fail(ctx, p, partner.CanceledBySeller, err.Error())
	case getErr == nil:
		return errors.Join(err, d.report(ctx, p, stored))
	}
	return err // the next round tries again
}

// Fresh tells whether SIH has asked for an order so lately that it still waits for
// it. Nothing may be bought for another one.
func Fresh(polled, now time.Time) bool {
	age := now.Sub(polled)
	return !polled.IsZero() && age <= pollFresh && age >= -pollFresh
}

// final tells whether a purchase that was kept from the market will not be let
// through in a moment.
func final(err error) bool {
	var limit *execution.LimitError
	return errors.As(err, &limit) || errors.Is(err, execution.ErrNotOffered) || errors.Is(err, execution.ErrMoved) ||
		errors.Is(err, execution.ErrStopped) || errors.Is(err, execution.ErrExpired)
}

// intent gives as much of the wish for a buyer's order as its key is made of.
func intent(p partner.Purchase) execution.Request {
	return execution.Request{Market: pricing.SkinsBack, SellOn: pricing.SIH, Buyer: execution.Buyer{
		Ref: p.CustomID,
		To:  execution.Recipient{Partner: p.Buyer.Partner(), SteamID: p.Buyer.SteamID, Token: p.Buyer.Token},
	}}
}

// request gives what to buy for a buyer's order, or why it cannot be.
func (d *Dealer) request(ctx context.Context, p partner.Purchase, now time.Time) (r execution.Request, why string, err error) {
	it, found, err := d.itemOf(ctx, p)
	if err != nil {
		return r, "", err
	}
	if !found {
		return r, "it is for goods that were not listed lately", nil
	}
	t, ok := d.cfg.Terms(it, now)
	if !ok {
		return r, "skinsback has no offer of it that may be traded on", nil
	}
	r = d.cfg.Rules.wish(it, t, p.Price)
	if r.Ask < t.Ask {
		return r, fmt.Sprintf("skinsback asks %s, and %s leaves us at most %s", t.Ask, p.Price, r.Ask), nil
	}
	r.Buyer, r.ExpiresAt = intent(p).Buyer, p.CreatedAt.Add(sendBy)
	return r, "", nil
}

// itemOf gives what the goods of a buyer's order are: they are on sale, or were
// lately.
func (d *Dealer) itemOf(ctx context.Context, p partner.Purchase) (it pricing.Item, found bool, err error) {
	open, err := d.cfg.Listings.InStates(ctx, pricing.SIH, time.Time{}, selling.OpenStates...)
	if err != nil {
		return it, false, err
	}
	recent, err := d.cfg.Listings.InStates(ctx, pricing.SIH, p.CreatedAt.Add(-unsold), selling.States...)
	if err != nil {
		return it, false, err
	}
	for _, l := range slices.Concat(open, recent) {
		if l.Goods == p.ItemID && mine(l) {
			return l.Item, true, nil
		}
	}
	return it, false, nil
}

// report tells SIH what became of the purchase, if that is new.
func (d *Dealer) report(ctx context.Context, p partner.Purchase, o execution.Order) error {
	n, ok := news(p, o, d.cfg.Protection, d.cfg.Now().UTC())
	if !ok {
		return nil
	}
	if next, err := p.With(n); err == nil && next == p {
		return nil
	}
	_, err := d.cfg.Purchases.Advance(ctx, p.CustomID, n)
	return err
}

// fail tells SIH that nothing was bought and nothing will be.
func (d *Dealer) fail(ctx context.Context, p partner.Purchase, reason partner.Reason, why string) error {
	d.log.Warn("a buyer's order is given up", "custom_id", p.CustomID, "purchase", p.ID, "reason", string(reason), "why", why)
	_, err := d.cfg.Purchases.Advance(ctx, p.CustomID, partner.News{State: partner.Failed, At: d.cfg.Now().UTC(), Reason: reason})
	return err
}
