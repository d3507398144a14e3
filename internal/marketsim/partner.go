package marketsim

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"
)

// SIH's other mode of selling, in which the client does the trade and SIH asks it
// how that goes. With a Partner in Config or by SetPartner:
//
//  1. A buyer takes an item that the client has on sale. It leaves the shelf.
//  2. SIH sends create-purchase, once, and again only if no answer came.
//  3. It polls get-purchase every few seconds until the order has finished or
//     failed, then slower until trade protection has. Orders that the partner
//     does not find fail after 15 minutes.
//  4. Failed: the item is on sale again. Finished: it is gone, and when protection
//     is over, the price less the fee arrives in the deposit wallet. Reversed: it
//     is back in the inventory.
//
// Every answer is held against the schema, against the answers before it and, if
// the client bought for the buyer on SkinsBack, against what happened there.
// PartnerFaults tells of all that was wrong. Buyers come with SteamIDs of their
// own, so a purchase on SkinsBack tells by its recipient whose it is.

// DemoDepositKey is the depositApiKey of a Partner that names none.
const DemoDepositKey = "demo-deposit-key"

// Partner is how SIH reaches a client that does its own trades.
type Partner struct {
	PurchaseURL string // where create-purchase is sent
	CheckURL    string // where get-purchase is; both empty: there is no partner
	Key         string // depositApiKey, which signs; empty means DemoDepositKey

	// Poll and PollProtected are the pauses between two looks at an order, until it
	// has finished and from then on; 0 means 3s and 1m. Config.Speed divides them,
	// down to 20ms.
	Poll          time.Duration
	PollProtected time.Duration

	// Patience is how long an answer may take, on a real clock; 0 means 5s.
	Patience time.Duration

	Hostility Hostility
}

// Bounds and times of the protocol.
const (
	minPoll           = 20 * time.Millisecond
	tolerateNotFound  = 15 * time.Minute    // before Config.Speed
	longestProtection = 10 * 24 * time.Hour // the same; how long a missing protection block is waited for
	maxPartnerFaults  = 1000                // that are kept
	century           = 100 * 365 * 24 * time.Hour
)

// aboutPartner is the topic of draws about buyers and how SIH asks.
const aboutPartner topic = 200

// on tells whether there is a partner.
func (p Partner) on() bool { return p.PurchaseURL != "" }

// withDefaults fills in what was left out, and says what cannot be.
func (p Partner) withDefaults() (Partner, error) {
	if (p.PurchaseURL == "") != (p.CheckURL == "") {
		return p, errors.New("a Partner needs both a PurchaseURL and a CheckURL")
	}
	for _, address := range []string{p.PurchaseURL, p.CheckURL} {
		if u, err := url.Parse(address); address != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
			return p, errors.New("the addresses of a Partner are http or https URLs")
		}
	}
	if p.Poll < 0 || p.PollProtected < 0 || p.Patience < 0 {
		return p, errors.New("Poll, PollProtected or Patience of a Partner is negative")
	}
	if err := p.Hostility.check(); err != nil {
		return p, err
	}
	if p.Key == "" {
		p.Key = DemoDepositKey
	}
	if p.Poll == 0 {
		p.Poll = 3 * time.Second
	}
	if p.PollProtected == 0 {
		p.PollProtected = time.Minute
	}
	if p.Patience == 0 {
		p.Patience = 5 * time.Second
	}
	return p, nil
}

// SetPartner sets who is asked from now on; the zero Partner is nobody. Orders that
// are under way wait for the next partner.
func (w *World) SetPartner(p Partner) error {
	p, err := p.withDefaults()
	if err != nil {
		return fmt.Errorf("marketsim: %w", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance() // what was to happen until now happens under the rules until now
	w.partner.Partner = p
	return nil
}

// partnerSide is what SIH holds of its dealings with the partner. Guarded by
// World.mu, but for turn and client.
type partnerSide struct {
	Partner
	orders      []*partnerOrder
	open        []*partnerOrder     // those that are still asked about
	bought      map[string][]*order // SkinsBack's, by the SteamID of their recipient
	indexed     int                 // how many of SkinsBack's orders are in there
	faults      []PartnerFault      // the last ones
	faultCount  int
	unreachable int // requests that got no answer, those not counted whose answer was not waited for
	requests    int

	turn   sync.Mutex // held by AskPartner, before World.mu
	client *http.Client
}

// partnerOrder is one buyer's order of an item that the partner delivers.
type partnerOrder struct {
	n        int // of all orders, from 0
	customID string
	itemID   string
	steamID  string
	token    string
	deposit  *deposit // nil: nobody ordered, somebody without the key only says so
	price    int64    // micro-dollars
	buyer    buyer
	at       time.Time

	told  *partnerRecord // the newest state that the partner told
	err   string         // why it failed, if SIH or the partner's refusal says so
	final bool

	create   bool      // whether create-purchase is the next request; else a poll
	next     time.Time // when that is due
	creates  int       // requests of each kind so far
	polls    int
	credited int64 // micro-dollars
}

// state is what partnerMoves knows it by, "" before the partner has told.
func (o *partnerOrder) state() string {
	if o.told == nil {
		return ""
	}
	return o.told.state
}

// Consign puts an item on sale that no Steam account needs to own: the partner gets
// hold of it once it is ordered. The id is the partner's, and comes back in
// create-purchase. The name is Steam's, with the phase in it; the price is in
// micro-dollars. How the real SIH learns of such items is not documented.
func (w *World) Consign(steamID, id, customID, name string, price int64) (depositID string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance()
	d := &deposit{customID: customID, steamID: steamID, asset: id, listing: w.sih.bySteam[key{cs2, name}], price: price}
	switch {
	case d.listing == nil:
		return "", fmt.Errorf("marketsim: SIH has no item %q", name)
	case price <= 0 || id == "" || accountID(steamID) == "":
		return "", errors.New("marketsim: to consign an item takes a price, an id and a SteamID")
	case w.seller.onSale(id, steamID):
		return "", fmt.Errorf("marketsim: item %s is on sale already", id)
	case customID != "" && w.seller.byCustomID(customID) != nil:
		return "", fmt.Errorf("marketsim: the custom id %s exists already", customID)
	}
	if w.seller.account(steamID) == nil {
		w.seller.accounts = append(w.seller.accounts, &account{steamID: steamID, online: true})
	}
	w.offer(d)
	return d.text(), nil
}

// browse lets buyers take what is on sale for the partner to deliver. What it takes
// and what waits for another buyer is due later, so that sell leaves it alone.
func (w *World) browse() {
	if !w.partner.on() {
		return
	}
	for _, d := range w.seller.open {
		if d.state == "new" && d.listing.gone[d.lot()] { // bought by order
			w.takeForPartner(d, w.now)
		}
		for d.state == "new" && !d.due.After(w.now) {
			if w.wants(d, d.due) {
				w.takeForPartner(d, d.due)
			} else {
				w.await(d, d.due)
			}
		}
	}
}

// takeForPartner makes a buyer's order of an item.
func (w *World) takeForPartner(d *deposit, at time.Time) {
	w.sold(d, at)
	d.due = at.Add(century)
	o := w.newPartnerOrder()
	o.deposit, o.at, o.next, o.create = d, at, at, true
	o.itemID, o.price = d.asset, d.price
	w.dress(o)
	w.partner.open = append(w.partner.open, o)
}

// newPartnerOrder makes an order whose buyer and whose ids were never seen before.
func (w *World) newPartnerOrder() *partnerOrder {
	n := len(w.partner.orders)
	draw := w.partnerDraw(n, 0)
	account := 20_000_000 + int64(n%4_000_000)*1000 + int64(below(draw, 1000)) // two never meet
	o := &partnerOrder{
		n:        n,
		customID: fmt.Sprintf("fast-%d%05d", w.start.Unix(), n), // another world's are others, and a partner may remember those
		steamID:  strconv.FormatInt(steamBase+account, 10),
		token:    tradeToken(mix(draw)),
		at:       w.now,
	}
	w.partner.orders = append(w.partner.orders, o)
	return o
}

// steamBase is what SteamIDs are more than account ids.
const steamBase = 76561197960265728

// accountID is a SteamID as trade URLs have it, "" if it is none.
func accountID(steamID string) string {
	if n := number64(steamID) - steamBase; n > 0 {
		return strconv.FormatInt(n, 10)
	}
	return ""
}

// tradeToken makes one out of a draw.
func tradeToken(draw uint64) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	b := make([]byte, 8)
	for i := range b {
		b[i] = letters[draw>>(6*i)&63]
	}
	return string(b)
}

// partnerDraw draws about the partner: of an order, for its i-th question.
func (w *World) partnerDraw(n, i int, about ...uint64) uint64 {
	return roll(w.cfg.Seed, aboutPartner, append([]uint64{uint64(n), uint64(i)}, about...)...)
}

// failPartnerOrder ends an order that brought nothing: the item is on sale again.
func (w *World) failPartnerOrder(o *partnerOrder, why string) {
	o.final = true
	o.err = why
	if d := o.deposit; d != nil && d.state == "sold" {
		d.state = "new"
		delete(d.listing.gone, d.lot())
		w.restock(d.listing)
		w.await(d, w.now)
	}
}

// follow brings an item to where its order is now.
func (w *World) follow(o *partnerOrder) {
	status, protection := splitState(o.told.state)
	d := o.deposit
	if status == "failed" {
		w.failPartnerOrder(o, "") // the partner told why
		return
	}
	if status == "finished" && d.state == "sold" {
		d.state = "delivered"
		w.handOver(d.steamID, d.asset)
	}
	switch protection {
	case "finished":
		w.payPartner(o)
	case "failed":
		o.final = true
		d.leave()
		d.state = "returned"
		w.handBack(d.steamID, d.asset)
	}
}

// payPartner books a sale that cannot be reversed any more.
func (w *World) payPartner(o *partnerOrder) {
	d := o.deposit
	o.final = true
	d.leave()
	d.state = "paid"
	o.credited = o.price - mulDiv(o.price, int64(w.cfg.SaleFeeBps), 10_000)
	w.seller.balance += o.credited
	w.sih.wallet = append(w.sih.wallet, movement{sale: d, amount: o.credited, kind: walletDeposit, at: w.now})
}
