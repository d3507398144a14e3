package execution

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"
	"time"

	"skinarb/internal/crashpoint"
	"skinarb/pricing"
)

// Reconciliation looks back over the open orders, with a margin for clocks that
// disagree, for a day at least and for a month at most.
const (
	clockMargin   = 5 * time.Minute
	longestReview = 30 * 24 * time.Hour
)

// reconcile makes journal and account agree: what the market reports is applied
// to the orders that we know, and entered where we know none; then its account
// book goes before what orders say of money, and its balance is compared with
// our books. An error means that the market or the journal did not answer.
func (x *Executor) reconcile(ctx context.Context, m Market) error {
	since, err := x.reviewSince(ctx, m.Market())
	if err != nil {
		return err
	}
	asked := x.now()
	asking, cancel := context.WithTimeout(ctx, 4*lookupTimeout) // many pages
	defer cancel()
	evs, err := m.History(asking, since)
	if err != nil {
		return fmt.Errorf("read the account's history: %w", err)
	}
	for _, ev := range evs {
		x.trouble(ctx, "reconcile a purchase", m.Market(), x.reconcileOne(ctx, m.Market(), ev, asked))
	}
	if err := x.book(asking, m, since); err != nil {
		return err
	}
	return x.compare(asking, m)
}

// attendAccount reconciles, and lets buying begin when that has worked once.
func (x *Executor) attendAccount(ctx context.Context, m Market) {
	if err := x.reconcile(ctx, m); err != nil {
		x.trouble(ctx, "reconcile the account", m.Market(), err)
		return
	}
	x.release(m.Market(), BreakUnreconciled)
}

// reviewSince gives how far a review looks back: over a day, to the oldest
// purchase of which something may still be told, and to when the books were last
// found right, so that nothing of a long absence is missed.
func (x *Executor) reviewSince(ctx context.Context, m pricing.Market) (time.Time, error) {
	open, err := x.all(ctx, m, Planned, Sent, InDoubt, Placed, Delivering)
	if err != nil {
		return time.Time{}, err
	}
	delivered, err := x.all(ctx, m, Delivered)
	if err != nil {
		return time.Time{}, err
	}
	books, err := x.cfg.Journal.Books(ctx, m)
	if err != nil {
		return time.Time{}, err
	}
	since := x.now().Add(-Day)
	look := func(at time.Time) {
		if at = at.Add(-clockMargin); at.Before(since) {
			since = at
		}
	}
	if !books.OpenedAt.IsZero() {
		look(books.OpenedAt)
	}
	for _, o := range open {
		look(o.CreatedAt)
	}
	for _, o := range delivered {
		// What others bought has no ID that the market could be asked for: only
		// its history tells how that ends.
		if !strings.HasPrefix(string(o.ID), ownPrefix) {
			look(o.CreatedAt)
		}
	}
	if oldest := x.now().Add(-longestReview); since.Before(oldest) {
		since = oldest
	}
	return since, nil
}

// ownPrefix begins every ID that Request.ID derives.
const ownPrefix = "sa-"

// reconcileOne applies one purchase of the history that was asked for at a time.
// What we have learned of the order since then may be younger.
func (x *Executor) reconcileOne(ctx context.Context, m pricing.Market, ev Evidence, asked time.Time) error {
	if ev.ID == "" && ev.MarketRef == "" {
		return errors.New("the market reports a purchase without any key")
	}
	id := ev.ID
	if !strings.HasPrefix(string(id), ownPrefix) || !plainID(string(id)) {
		id = foreignID(m, or(ev.MarketRef, string(ev.ID)))
		known, err := x.byRef(ctx, m, ev.MarketRef)
		if err != nil {
			return err
		}
		id = OrderID(or(string(known.ID), string(id)))
	}
	o, err := x.cfg.Journal.Get(ctx, id)
	switch {
	case errors.Is(err, ErrNoOrder):
		return x.adopt(ctx, m, id, ev)
	case err != nil:
		return err
	case o.Market != m:
		return fmt.Errorf("%s reports %s, which was ordered on %s", m, id, o.Market)
	case o.UpdatedAt.After(asked) && !o.UpdatedAt.After(x.now()): // unless the clock was set back
		return nil
	}
	_, err = x.learn(ctx, o, ev)
	return err
}

// byRef finds an order by the market's own key; the zero Order means none.
func (x *Executor) byRef(ctx context.Context, m pricing.Market, ref string) (Order, error) {
	if ref == "" {
		return Order{}, nil
	}
	found, err := x.cfg.Journal.List(ctx, Query{Market: m, MarketRef: ref, Limit: 1})
	if err != nil || len(found) == 0 {
		return Order{}, err
	}
	return found[0], nil
}

// adopt enters a purchase that the journal does not know, in the state in which
// the market has it, so that it counts in the limits and can be seen.
func (x *Executor) adopt(ctx context.Context, m pricing.Market, id OrderID, ev Evidence) error {
	now := x.now()
	made := ev.At.UTC()
	if ev.At.IsZero() || made.After(now) {
		made = now
	}
	game := ev.Game
	if game == "" {
		game = x.cfg.GameOf(m, ev.MarketName)
	}
	item, err := pricing.ParseItem(game, ev.MarketName, "")
	if err != nil {
		item = pricing.Item{Game: game, Name: clip(ev.MarketName)}
	}
	state, known := evidence[ev.Event]
	if !known {
		state = Placed
	}
	step := Step{At: now, State: state, Event: ev.Event, Note: "the market reports it and it was not in the journal"}
	o := Order{
		ID: id, State: state,
		Request: Request{Market: m, Item: item, MarketName: clip(ev.MarketName), Ask: ev.Paid, Cost: ev.Paid, ExpiresAt: made},
		Paid:    ev.Paid, Refunded: ev.Refunded, MarketRef: ev.MarketRef, OfferID: ev.OfferID, Error: clip(ev.Error),
		CreatedAt: made, UpdatedAt: now, SentAt: made, SpentAt: made,
		History: []Step{step},
	}
	if state == Delivered || state == Settled {
		o.DeliveredAt = now // the market does not say since when: the later, the safer
	}
	if state == Failed && !ev.Booked && ev.Refunded == 0 {
		o.Refunded = ev.Paid // as for any order: that is what failed means
	}
	if ev.Paid == 0 {
		o.Error = or(o.Error, "the market did not tell the price")
	}
	write, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	stored, err := x.cfg.Journal.Adopt(write, o)
	if err != nil {
		return err
	}
	crashpoint.At(crashpoint.Adopted)
	x.balances.forget(m)
	x.log.Warn("purchase entered that was not in the journal", "order", id, "market", m, "market_ref", ev.MarketRef, "state", state)
	x.cfg.Notify(Notice{Kind: NoticeAdopted, Market: m, Order: id, Text: fmt.Sprintf("a purchase of %s for %s was not in the journal and was entered", clip(ev.MarketName), ev.Paid)})
	x.cfg.OnStep(stored, step)
	return nil
}

// foreignID gives an order ID to a purchase that was not made by us.
func foreignID(m pricing.Market, key string) OrderID {
	if id := "ext-" + string(m) + "-" + key; plainID(id) {
		return OrderID(id)
	}
	sum := sha256.Sum256([]byte(string(m) + "\x00" + key))
	return OrderID("ext-" + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:20])))
}

// plainID tells whether text has the form of an OrderID.
func plainID(s string) bool {
	for _, c := range []byte(s) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-':
		default:
			return false
		}
	}
	return len(s) > 0 && len(s) <= 36
}
