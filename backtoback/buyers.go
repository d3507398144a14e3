package backtoback

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"skinarb/execution"
	"skinarb/partner"
	"skinarb/pricing"
	"skinarb/selling"
)

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
	switch {
	case errors.Is(err, errUnconfirmed):
		return nil // SIH still owes us the answer, or a look will tell
	case err != nil:
		return err
	case why != "":
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
	if errors.As(err, &limit) {
		return limit.Rule != "min_balance" // which may only not be known for a moment
	}
	return errors.Is(err, execution.ErrNotOffered) || errors.Is(err, execution.ErrMoved) ||
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
		return r, "it is for goods that SIH did not confirm to list, or not lately", nil
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

// errUnconfirmed says that SIH has not told yet as what it lists the goods of an order.
var errUnconfirmed = errors.New("the goods are not confirmed to be listed")

// itemOf gives what the goods of a buyer's order are: they are on sale, or were
// lately. Those that SIH never confirmed may have been on sale as another item.
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
		switch {
		case l.Goods != p.ItemID || !mine(l):
		case l.State.Unknown():
			return it, false, errUnconfirmed
		case !l.ListedAt.IsZero():
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
