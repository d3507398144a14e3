package backtoback

import (
	"context"
	"errors"
	"maps"
	"strconv"
	"time"

	"skinarb/execution"
	"skinarb/partner"
	"skinarb/pricing"
	"skinarb/selling"
)

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
		wanted = d.rested(d.cfg.Wanted(now), now)
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
		l, err := d.list(ctx, o)
		errs = append(errs, err)
		if rest := d.cfg.Rules.rest(l); rest > 0 {
			d.resting[o.item] = d.cfg.Now().UTC().Add(rest)
			break // the others may fare no better
		}
	}
	return errors.Join(errs...)
}

// rested gives the items that may be offered now: those that SIH did not take lately
// are left in peace.
func (d *Dealer) rested(items []pricing.Item, now time.Time) (ready []pricing.Item) {
	maps.DeleteFunc(d.resting, func(_ pricing.Item, until time.Time) bool { return !now.Before(until) })
	for _, it := range items {
		if _, rests := d.resting[it]; !rests {
			ready = append(ready, it)
		}
	}
	return ready
}

// offerOnly says what is for sale: what may be on sale, and nothing while trading
// is stopped.
func (d *Dealer) offerOnly(open []selling.Listing, stopped bool, admits func(execution.Request) error) {
	forSale, goodsOf := map[string]selling.Listing{}, map[string]string{}
	for _, l := range open {
		if l.State != selling.Withdrawing && (l.State != selling.InDoubt || !l.ListedAt.IsZero()) {
			forSale[l.Goods] = l // of one that SIH never confirmed nobody knows what SIH takes it for
		}
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
// may be faster than the answer, and his order then waits for that.
func (d *Dealer) list(ctx context.Context, o offer) (selling.Listing, error) {
	goods := d.goods()
	wanted := selling.Offer{
		Holder: holder(o.item, goods), Market: pricing.SIH, Item: o.item, Goods: goods, Price: o.price, Floor: o.floor,
	}
	d.mu.Lock()
	d.forSale[goods], d.goodsOf[goods] = selling.Listing{Offer: wanted}, goods
	d.mu.Unlock()
	l, err := d.cfg.Keeper.List(ctx, wanted)
	d.mu.Lock()
	if l.State != selling.Listed { // and if SIH has it all the same, it may be as another item
		delete(d.forSale, goods)
	}
	if l.MarketRef != "" {
		d.goodsOf[l.MarketRef], d.goodsOf[string(l.ID)] = goods, goods
	}
	d.mu.Unlock()
	if errors.Is(err, selling.ErrOnSale) || errors.Is(err, execution.ErrStopped) {
		err = nil // the next round sees why
	}
	return l, err
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

// numbers gives ids for goods: digits, rising, none twice, also over restarts.
func numbers(now func() time.Time) func() string {
	last := int64(0)
	return func() string {
		last = max(last+1, now().UnixMicro())
		return strconv.FormatInt(last, 10)
	}
}
