package marketsim

import (
	"slices"
	"strconv"
	"time"
)

// SIH sells what its clients deposit, in the mode in which it does the trade
// itself; partner.go has the other. What is on sale stands in the catalog like
// everybody's offers, as long as its account is online:
//
//	new ─> sold ─> delivered ─> paid
//	 │ ▲     │         └─> returned
//	 │ └─────┘
//	 └─> deleted
//
// People come to look at random times, drawn from the seed. Half of them take
// the item only if it is cheaper than everybody else's, the others pay up to 3 %
// more. A client that orders the item buys it, too. A buyer's trade may fail
// (Outcomes.Fail), which puts the item back on sale, or be reversed in trade
// protection (Outcomes.Rollback), which puts it back into the inventory. When
// protection is over, the price less the fee arrives in the deposit wallet. That
// a sale is booked there, then and as type 4 is a guess: SIH documents the wallet
// and the type, and nothing of when.

// seller is a client's side of selling at SIH.
type seller struct {
	accounts []*account // in the order in which they were attached
	deposits []*deposit // deposit i has the id firstDeposit+i
	open     []*deposit // to which something may still happen
	bans     map[string]string
	balance  int64 // of the deposit wallet, micro-dollars
}

const firstDeposit = 50_231

// account is a Steam account that sells.
type account struct {
	steamID string
	token   string
	online  bool
}

// deposit is one item that was put on sale.
type deposit struct {
	id       int64
	customID string
	steamID  string
	asset    string
	listing  *listing
	price    int64  // micro-dollars
	state    string // see above
	buyers   uint64 // who have looked, or more
	due      time.Time
}

// Sale is one item that a client has put on sale at SIH.
type Sale struct {
	ID       string // SIH's
	CustomID string // the client's
	SteamID  string
	AssetID  string
	Name     string // as SIH spells it, with the phase in it
	Price    int64  // micro-dollars
	State    string // "new", "sold", "delivered", "paid", "returned" or "deleted"
}

// Sales returns everything that was ever put on sale at SIH, in that order.
func (w *World) Sales() []Sale {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance()
	var all []Sale
	for _, d := range w.seller.deposits {
		all = append(all, Sale{d.text(), d.customID, d.steamID, d.asset, d.listing.name, d.price, d.state})
	}
	return all
}

// DepositBalance returns the money in SIH's deposit wallet, in micro-dollars.
func (w *World) DepositBalance() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance()
	return w.seller.balance
}

func (s *seller) account(steamID string) *account {
	i := slices.IndexFunc(s.accounts, func(a *account) bool { return a.steamID == steamID })
	if i < 0 {
		return nil
	}
	return s.accounts[i]
}

// shows tells whether an item stands in the catalog; SIH calls one that does not,
// because its account is offline, paused.
func (s *seller) shows(d *deposit) bool {
	return d.state == "new" && s.account(d.steamID).online && !d.listing.gone[d.lot()]
}

func (d *deposit) text() string { return strconv.FormatInt(d.id, 10) }

// lot is the item's id on its shelf. Those of other people are positive.
func (d *deposit) lot() int64 { return -d.id }

// offer puts an item on sale.
func (w *World) offer(d *deposit) {
	d.id = firstDeposit + int64(len(w.seller.deposits))
	d.state = "new"
	d.listing.blemish = sound
	d.listing.ours = append(d.listing.ours, d)
	w.seller.deposits = append(w.seller.deposits, d)
	w.seller.open = append(w.seller.open, d)
	w.await(d, w.now)
	w.restock(d.listing)
}

// maxLooks is how many people look at an item between two looks at the world;
// those before them are passed over, or a fast world would be busy with nothing
// else.
const maxLooks = 10_000

// await sets when the next person looks at an item.
func (w *World) await(d *deposit, from time.Time) {
	d.buyers++
	draw := roll(w.cfg.Seed, aboutSale, uint64(d.id), d.buyers)
	mean := max(w.span(w.cfg.Timing.Sale), time.Millisecond)
	if begin := w.now.Add(-maxLooks * mean); from.Before(begin) {
		from = begin
	}
	d.due = from.Add(mean/2 + time.Duration(float64(mean)*float64(below(draw, 1000))/1000))
}

func (w *World) restock(l *listing) {
	l.fresh = false
	w.sih.version++
}

// sell lets happen to what is on sale whatever was to happen until now. Items do
// not depend on each other, so each goes its way at once.
func (w *World) sell() {
	w.seller.open = slices.DeleteFunc(w.seller.open, func(d *deposit) bool {
		if d.state == "new" && d.listing.gone[d.lot()] { // bought by order, or by somebody who was faster
			w.sold(d, w.now)
		}
		for !d.closed() && !d.due.After(w.now) {
			w.stepSale(d)
		}
		return d.closed()
	})
}

func (d *deposit) closed() bool {
	return d.state == "paid" || d.state == "returned" || d.state == "deleted"
}

// stepSale makes the next thing happen to an item, at the time it was due.
func (w *World) stepSale(d *deposit) {
	at, odds := d.due, w.cfg.Outcomes
	fate := below(roll(w.cfg.Seed, aboutSaleFate, uint64(d.id), d.buyers), 100)
	switch d.state {
	case "new":
		if w.wants(d, at) {
			w.sold(d, at)
		} else {
			w.await(d, at)
		}
	case "sold":
		if fate < odds.Fail {
			d.state = "new"
			delete(d.listing.gone, d.lot())
			w.restock(d.listing)
			w.await(d, at)
			return
		}
		d.state = "delivered"
		w.handOver(d.steamID, d.asset)
		d.due = at.Add(w.span(w.cfg.Timing.Protection))
	case "delivered":
		d.leave()
		if fate >= 100-odds.Rollback {
			d.state = "returned"
			w.handBack(d.steamID, d.asset)
			return
		}
		d.state = "paid"
		net := d.price - mulDiv(d.price, int64(w.cfg.SaleFeeBps), 10_000)
		w.seller.balance += net
		w.sih.wallet = append(w.sih.wallet, movement{sale: d, amount: net, kind: walletDeposit, at: at})
	}
}

// wants tells whether the person who looks at an item takes it.
func (w *World) wants(d *deposit, at time.Time) bool {
	if !w.seller.shows(d) {
		return false
	}
	draw := roll(w.cfg.Seed, aboutSale, uint64(d.id), d.buyers, 1)
	ask := w.askAt(d.listing, w.stepAt(d.listing, int64(at.Sub(w.start)/w.cfg.Tick)))
	if below(draw, 2) == 0 {
		return d.price < ask
	}
	return d.price <= scale(ask, million+int64(below(mix(draw), 30_001)))
}

// sold takes an item off the shelf for a buyer, whose trade begins.
func (w *World) sold(d *deposit, at time.Time) {
	d.state = "sold"
	d.due = at.Add(w.span(w.cfg.Timing.TradeCreation + w.cfg.Timing.Acceptance))
	w.restock(d.listing)
}

// withdraw takes an item off sale, unless it is sold.
func (w *World) withdraw(d *deposit) bool {
	if d == nil || d.state != "new" {
		return false
	}
	d.state = "deleted"
	d.leave()
	w.restock(d.listing)
	return true
}

// leave takes an item that nothing can happen to any more from its listing.
func (d *deposit) leave() {
	d.listing.ours = slices.DeleteFunc(d.listing.ours, func(o *deposit) bool { return o == d })
}
