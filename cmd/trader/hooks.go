package main

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"log/slog"
	"sync"
	"time"

	"skinarb/execution"
	"skinarb/markets/sih"
	"skinarb/markets/skinsback"
	"skinarb/pricing"
)

// Bounds of what events of one market may make us ask. What goes beyond is
// dropped, which costs nothing but time: tracking finds it.
const (
	hintEvery  = time.Second      // between hints about an order, in the long run
	hintBurst  = 30               // of them at once
	sweepEvery = 15 * time.Second // between hints about all orders
	maxEvents  = 4096             // that are remembered, to know a repetition
)

// hooks takes what markets tell by themselves and turns it into hints where to
// look. It believes nothing: an event that is forged, late, repeated or lost
// changes when we ask the market, and never what we take for true. It is an
// httpapi.Hooks.
type hooks struct {
	client  *skinsback.Client  // nil: SkinsBack is off
	address string             // of SkinsBack's socket; empty: no socket
	secret  *[sha256.Size]byte // of the path that SIH sends to; nil: it sends nothing
	hint    func(pricing.Market, execution.Hint)
	log     *slog.Logger
	doors   map[pricing.Market]*door // never changed
}

// newHooks makes hooks that call hint, which must not block. Without a client,
// an address or a secret that way of telling us is shut.
func newHooks(client *skinsback.Client, address, secret string, hint func(pricing.Market, execution.Hint), now func() time.Time, log *slog.Logger) *hooks {
	h := &hooks{client: client, address: address, hint: hint, log: log, doors: map[pricing.Market]*door{}}
	if secret != "" {
		sum := sha256.Sum256([]byte(secret))
		h.secret = &sum
	}
	for _, m := range pricing.Markets {
		h.doors[m] = newDoor(now)
	}
	return h
}

// SkinsBack takes a webhook of SkinsBack's; false if it is not signed.
func (h *hooks) SkinsBack(signature, authorization string, body []byte) bool {
	if h.client == nil {
		return false
	}
	e, err := h.client.Webhook(signature, authorization, body)
	if err != nil {
		return false
	}
	h.event(e)
	return true
}

// SIH takes a webhook of SIH's; false if it was sent to a wrong path. One that
// names no order that we can read still says that something happened.
func (h *hooks) SIH(secret string, body []byte) bool {
	// Hashes are equally long, so that comparing takes the same time always.
	sum := sha256.Sum256([]byte(secret))
	if h.secret == nil || subtle.ConstantTimeCompare(sum[:], h.secret[:]) == 0 {
		return false
	}
	// The body may have no word of what happened, so that only all of it can tell
	// a repetition from news.
	h.pass(pricing.SIH, sha256.Sum256(body), sih.Webhook(body)...)
	return true
}

// listen receives SkinsBack's events over its socket until ctx ends.
func (h *hooks) listen(ctx context.Context) {
	if h.client == nil || h.address == "" {
		return
	}
	// What happened while nobody listened is not sent again.
	all := func() { h.hint(pricing.SkinsBack, execution.Hint{}) }
	if err := h.client.Listen(ctx, h.address, all, h.event); err != nil {
		h.log.Error("SKINSBACK_WS_URL: no events come from the socket", "error", err)
	}
}

// event takes an event of SkinsBack's, which comes by both ways or either. That
// money moved is told for every purchase besides, without saying for which.
func (h *hooks) event(e skinsback.Event) {
	if e.Kind == "balance_change" && e.BuyID == "" && e.CustomID == "" {
		return
	}
	key := sha256.Sum256([]byte(e.Kind + "\x00" + e.BuyID + "\x00" + e.CustomID + "\x00" + string(e.Status)))
	h.pass(pricing.SkinsBack, key, execution.Hint{ID: execution.OrderID(e.CustomID), MarketRef: e.BuyID})
}

// pass hands the hints of an event on, unless the market's door is shut for it.
// No hint is the hint to look everywhere.
func (h *hooks) pass(m pricing.Market, key [sha256.Size]byte, hints ...execution.Hint) {
	if len(hints) == 0 {
		hints = []execution.Hint{{}}
	}
	for _, hint := range h.doors[m].admit(key, hints) {
		h.hint(m, hint)
	}
}

// door lets events of one market in, each once and not too many.
type door struct {
	now func() time.Time

	mu     sync.Mutex // guards everything below
	seen   map[[sha256.Size]byte]bool
	order  [][sha256.Size]byte // of seen, a ring
	oldest int                 // in order
	orders bucket              // hints about an order
	sweeps bucket              // hints about all orders
}

func newDoor(now func() time.Time) *door {
	return &door{
		now:    now,
		seen:   map[[sha256.Size]byte]bool{},
		orders: bucket{every: hintEvery, most: hintBurst},
		sweeps: bucket{every: sweepEvery, most: 1},
	}
}

// admit gives those of an event's hints that may pass: none of a repetition. An
// event that was refused for being one too many is news when it comes again.
func (d *door) admit(key [sha256.Size]byte, hints []execution.Hint) []execution.Hint {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.seen[key] {
		return nil
	}
	now := d.now()
	var admitted []execution.Hint
	for _, h := range hints {
		b := &d.orders
		if h == (execution.Hint{}) {
			b = &d.sweeps
		}
		if b.take(now) {
			admitted = append(admitted, h)
		}
	}
	if len(admitted) == len(hints) && hints[0] != (execution.Hint{}) {
		d.remember(key)
	}
	return admitted
}

// remember forgets the oldest event for a new one when it is full.
func (d *door) remember(key [sha256.Size]byte) {
	d.seen[key] = true
	if len(d.order) < maxEvents {
		d.order = append(d.order, key)
		return
	}
	delete(d.seen, d.order[d.oldest])
	d.order[d.oldest] = key
	d.oldest = (d.oldest + 1) % maxEvents
}

// bucket grants one permit in every span, and up to most that were not taken
// before.
type bucket struct {
	every time.Duration
	most  int
	// empty is when the bucket held nothing, had it been filled ever since.
	empty time.Time
}

func (b *bucket) take(now time.Time) bool {
	if full := now.Add(-time.Duration(b.most) * b.every); b.empty.Before(full) {
		b.empty = full
	}
	next := b.empty.Add(b.every)
	if next.After(now) {
		return false
	}
	b.empty = next
	return true
}
