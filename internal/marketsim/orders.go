package marketsim

import (
	"container/heap"
	"strconv"
	"time"
)

// An order's whole life is drawn when it is placed, as a plan of changes; the
// clock then decides how much of the plan has happened.
//
// SkinsBack:
//
//	creating_trade ─> waiting_accept ─> accepted ─> rollback_user | rollback_supplier
//	      │                 └─> canceled | timeout
//	      └─> trade_create_error | invalid_trade_token | user_not_tradable
//
// SIH, with the state of trade protection after the colon:
//
//	created ─> processing ─> sent ─> finished ─> :processing ─> :finished | :failed
//	               │   ▲      │ │
//	               │   └──────┘ └─> failed | penalized
//	               └─> failed
//
// Every failure and rollback gives the money back at once, except for the
// penalty of penalized.

// Wallet movements, by SIH's type numbers.
const (
	walletPurchase   = 1
	walletRefund     = 2
	walletDeposit    = 4
	walletFairPrice  = 5
	walletProtection = 12
)

// order is a purchase on either market.
type order struct {
	market   *market
	seq      uint64 // of all orders of both markets
	id       int64
	customID string
	listing  *listing
	lot      lot
	partner  string // SkinsBack
	token    string // SkinsBack
	steamID  string
	test     bool // SIH: no money moves
	created  time.Time

	amount   int64 // SIH: what the buyer offered, micro-dollars
	debited  int64 // micro-dollars
	refunded int64 // micro-dollars

	state      string
	reason     string // why it failed
	protection string // SIH
	offerID    int64  // Steam trade offer; 0: none yet
	expires    time.Time
	rollbackAt time.Time
	updated    time.Time

	plan []change
	due  time.Time // of plan[0]
}

// change is one step in the life of an order.
type change struct {
	after      time.Duration // since the one before
	state      string        // "" keeps it
	protection string        // "" keeps it
	reason     string
	offer      time.Duration // > 0: there is a new trade offer, good for this long
	refund     int64         // micro-dollars
	kind       int           // of the refund, in the wallet
}

// purchaseTerms is what a client asks for, once it has been found acceptable.
type purchaseTerms struct {
	listing  *listing
	lot      lot
	customID string
	partner  string
	token    string
	steamID  string
	amount   int64 // to debit, micro-dollars
	test     bool
}

// place makes an order, takes the money and the lot, and draws the plan.
func (w *World) place(m *market, t purchaseTerms) *order {
	o := &order{
		market:   m,
		seq:      uint64(len(w.skinsback.orders) + len(w.sih.orders)),
		id:       m.firstID + int64(len(m.orders)),
		customID: t.customID,
		listing:  t.listing,
		lot:      t.lot,
		partner:  t.partner,
		token:    t.token,
		steamID:  t.steamID,
		test:     t.test,
		created:  w.now,
		updated:  w.now,
		amount:   t.amount,
	}
	m.orders = append(m.orders, o)
	if o.customID != "" {
		m.byCustom[o.customID] = o
	}
	if !o.test {
		w.purchases = append(w.purchases, o)
		m.take(o.listing, o.lot.id)
		o.debited = o.amount
		m.balance -= o.amount
		m.record(o, -o.amount, walletPurchase, w.now)
	}
	if m.name == SkinsBack {
		o.state, o.plan = "creating_trade", w.planSkinsBack(o)
	} else {
		o.state, o.plan = "created", w.planSIH(o)
	}
	o.due = w.now.Add(o.plan[0].after)
	heap.Push(&w.due, o)
	w.tell(o, true, o.debited > 0)
	return o
}

// soldOut draws whether somebody else takes the lot first, which removes it.
func (w *World) soldOut(m *market, l *listing, id int64) bool {
	m.attempts++
	draw := roll(w.cfg.Seed, aboutSoldOut, l.salt, m.attempts)
	if !hits(draw, w.cfg.Outcomes.SoldOut) {
		return false
	}
	m.take(l, id)
	return true
}

// span is a duration of the plan at the world's speed.
func (w *World) span(d time.Duration) time.Duration {
	return time.Duration(float64(d) / w.cfg.Speed)
}

// fate draws which of the given chances, in percent, comes true: its index, or
// -1 for none. A second draw is for its details.
func (w *World) fate(o *order, chances ...int) (which int, detail uint64) {
	draw := roll(w.cfg.Seed, aboutOutcome, o.listing.salt, uint64(o.id))
	rest := below(draw, 100)
	for i, chance := range chances {
		if rest < chance {
			return i, mix(draw)
		}
		rest -= chance
	}
	return -1, mix(draw)
}

func (w *World) planSkinsBack(o *order) []change {
	t, odds := w.cfg.Timing, w.cfg.Outcomes
	const fail, timeout, rollback = 0, 1, 2
	which, detail := w.fate(o, odds.Fail, odds.Timeout, odds.Rollback)
	undone := "rollback_supplier"
	switch {
	case o.listing.bait:
		which = rollback
	case below(detail, 4) == 0:
		undone = "rollback_user"
	}
	back := o.debited

	offer := change{after: w.span(t.TradeCreation), state: "waiting_accept", offer: w.span(t.AcceptTimeout)}
	accepted := change{after: w.span(t.Acceptance), state: "accepted"}
	switch which {
	case fail:
		if below(detail, 2) == 0 {
			return []change{offer, {after: w.span(t.Acceptance), state: "canceled", refund: back}}
		}
		state := []string{"trade_create_error", "invalid_trade_token", "user_not_tradable"}[below(mix(detail), 3)]
		return []change{{after: w.span(t.TradeCreation), state: state, refund: back}}
	case timeout:
		return []change{offer, {after: w.span(t.AcceptTimeout), state: "timeout", refund: back}}
	case rollback:
		return []change{offer, accepted, {after: w.span(t.Protection) / 2, state: undone, refund: back}}
	default:
		return []change{offer, accepted}
	}
}

func (w *World) planSIH(o *order) []change {
	t, odds := w.cfg.Timing, w.cfg.Outcomes
	const fail, penalize, timeout, rollback, reprocess = 0, 1, 2, 3, 4
	which, detail := w.fate(o, odds.Fail, odds.Penalize, odds.Timeout, odds.Rollback, odds.Reprocess)
	undone := "rollback supplier"
	switch {
	case o.listing.bait:
		which = penalize
	case below(detail, 4) == 0:
		undone = "rollback user"
	}
	back, price := o.debited, o.lot.price
	if o.test {
		price = 0 // nothing was taken, nothing comes back
	}

	found := change{after: w.span(t.TradeCreation) / 4, state: "processing"}
	sent := change{after: w.span(t.TradeCreation) - found.after, state: "sent", offer: w.span(t.AcceptTimeout)}
	finished := change{after: w.span(t.Acceptance), state: "finished", refund: back - price, kind: walletFairPrice}
	protected := change{after: w.span(t.TradeCreation) / 4, protection: "processing"}
	safe := change{after: w.span(t.Protection), protection: "finished"}
	switch which {
	case fail:
		if below(detail, 2) == 0 {
			return []change{found, {after: sent.after, state: "failed", reason: "unknown error", refund: back, kind: walletRefund}}
		}
		return []change{found, sent, {after: finished.after, state: "failed", reason: "canceled by seller", refund: back, kind: walletRefund}}
	case penalize:
		kept := roundTo(price/20, mill)
		return []change{found, sent, {
			after: finished.after, state: "penalized", reason: "canceled by buyer",
			refund: max(back-kept, 0), kind: walletRefund,
		}}
	case timeout:
		return []change{found, sent, {after: w.span(t.AcceptTimeout), state: "failed", reason: "send timeout", refund: back, kind: walletRefund}}
	case rollback:
		return []change{found, sent, finished, protected, {
			after: w.span(t.Protection) / 2, protection: "failed", reason: undone,
			refund: price, kind: walletProtection,
		}}
	case reprocess:
		again := change{after: finished.after / 2, state: "processing"}
		return []change{found, sent, again, sent, finished, protected, safe}
	default:
		return []change{found, sent, finished, protected, safe}
	}
}

// step makes the next change of the plan happen, at the time it was due.
func (o *order) step() {
	c, at := o.plan[0], o.due
	o.updated = at
	if c.state != "" {
		o.state = c.state
	}
	if c.protection != "" {
		o.protection = c.protection
	}
	if c.reason != "" {
		o.reason = c.reason
	}
	if c.offer > 0 {
		o.offerID = newOffer(o)
		o.expires = at.Add(c.offer)
	}
	if c.protection == "failed" {
		o.rollbackAt = at
	}
	if c.refund > 0 {
		o.refunded += c.refund
		o.market.balance += c.refund
		o.market.record(o, c.refund, c.kind, at)
	}
	if o.plan = o.plan[1:]; len(o.plan) > 0 {
		o.due = at.Add(o.plan[0].after)
	}
}

// newOffer numbers Steam trade offers. Steam is long past 32 bits.
func newOffer(o *order) int64 {
	draw := roll(0, aboutOffer, o.listing.salt, uint64(o.id), uint64(o.offerID))
	return 7_900_000_000 + int64(below(draw, 99_000_000))
}

// movement is one line of SIH's wallets.
type movement struct {
	order  *order   // in the main wallet
	sale   *deposit // in the deposit wallet
	amount int64    // micro-dollars; negative: taken
	kind   int
	at     time.Time
}

func (m *market) record(o *order, amount int64, kind int, at time.Time) {
	if m.name == SIH {
		m.wallet = append(m.wallet, movement{order: o, amount: amount, kind: kind, at: at})
	}
}

// order finds an order by the market's id.
func (m *market) order(id int64) *order {
	if i := id - m.firstID; i >= 0 && i < int64(len(m.orders)) {
		return m.orders[i]
	}
	return nil
}

func (o *order) purchase() Purchase {
	return Purchase{
		Market:     o.market.name,
		CustomID:   o.customID,
		Ref:        strconv.FormatInt(o.id, 10),
		Name:       o.listing.name,
		Game:       o.listing.item.game,
		Price:      o.lot.price,
		Debited:    o.debited,
		Refunded:   o.refunded,
		State:      o.state,
		Protection: o.protection,
		At:         o.created,
		Partner:    o.partner,
		Token:      o.token,
		SteamID:    o.steamID,
	}
}

// dueHeap is a heap.Interface of orders by the time of their next change.
type dueHeap []*order

func (h dueHeap) Len() int      { return len(h) }
func (h dueHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *dueHeap) Push(o any)   { *h = append(*h, o.(*order)) }

func (h dueHeap) Less(i, j int) bool {
	if h[i].due.Equal(h[j].due) {
		return h[i].seq < h[j].seq
	}
	return h[i].due.Before(h[j].due)
}

func (h *dueHeap) Pop() any {
	last := len(*h) - 1
	o := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return o
}
