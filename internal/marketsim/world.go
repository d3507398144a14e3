package marketsim

import (
	"cmp"
	"container/heap"
	"errors"
	"fmt"
	"sync"
	"time"
)

// The markets, as every method that takes a market wants them named.
const (
	SkinsBack = "skinsback"
	SIH       = "sih"
)

// Credentials of a World whose Config names none.
const (
	DemoClientID     = "11111111-2222-4333-8444-555555555555"
	DemoClientSecret = "demo-client-secret"
	DemoAPIKey       = "demo-sih-api-key"
)

// Config describes a world. The zero value is complete: every name, prices and
// stock that move, and purchases that always succeed.
type Config struct {
	Seed uint64
	// Now is the clock; nil means time.Now. It is called with a lock held and
	// must not call back. A clock that goes backwards is taken to stand still.
	Now func() time.Time

	// Items is how many CS2 names to generate, picked evenly from all; 0 means
	// all, more than 20,000. Other games get no more than that each.
	Items int
	// Catalog replaces the generated names: Steam names of CS2 items, phases in
	// the name allowed, with reference prices in micro-dollars. Both markets
	// then stock every one of them, at least three lots to begin with, and no
	// hostile or damaged entries are mixed in.
	Catalog map[string]int64

	// Timing is how long the steps of an order take; zero fields mean those of
	// DefaultTiming. Speed divides all of them; 0 means 1.
	Timing Timing
	Speed  float64

	// Tick is how often prices and stock move, in the time of Now and not
	// divided by Speed; 0 means 10s. MovePct percent of the items move in each;
	// 0 means 2, negative none ever.
	Tick    time.Duration
	MovePct int

	Balance int64 // at the start, on each market, micro-dollars; 0 means 10,000 USD

	// SaleFeeBps is what SIH keeps of a sale, in basis points of the price; 0 means
	// 1000, negative nothing.
	SaleFeeBps int

	// RatePerMinute is how many requests SkinsBack allows in any 60 seconds; 0
	// means 500. One more and it refuses everything for BlockFor; 0 means 60s.
	RatePerMinute int
	BlockFor      time.Duration

	// Credentials; empty ones mean the Demo constants.
	ClientID, ClientSecret, APIKey string

	// Outcomes is what may go wrong with a purchase. The zero value: nothing.
	Outcomes Outcomes

	// Partner does the trades of what is sold on SIH. The zero value: nobody, SIH
	// does them itself.
	Partner Partner

	// NumberStrings makes SkinsBack write the numbers in its lists and answers
	// as strings, and an inventory under data: habits some of its clients have
	// seen.
	NumberStrings bool
}

// Timing is how long the steps of an order take, before Config.Speed.
type Timing struct {
	TradeCreation time.Duration // from purchase to the trade offer
	Acceptance    time.Duration // from offer to accepted (or declined)
	AcceptTimeout time.Duration // from offer to its expiry when nobody accepts
	Protection    time.Duration // from accepted to the end of trade protection
	Sale          time.Duration // SIH: between two people who look at what we have on sale, on average
}

// DefaultTiming is close to the real markets.
var DefaultTiming = Timing{
	TradeCreation: 20 * time.Second,
	Acceptance:    time.Minute,
	AcceptTimeout: 10 * time.Minute,
	Protection:    8 * 24 * time.Hour,
	Sale:          10 * time.Minute,
}

// Outcomes are the chances, in percent, of what may go wrong with a purchase.
// Those of one market's orders exclude each other and should not add up to more
// than 100.
type Outcomes struct {
	Fail      int // no trade comes about, or the recipient declines it
	Penalize  int // SIH: fails, and a penalty is kept
	Timeout   int // nobody accepts the offer
	Rollback  int // delivered, then reversed within trade protection
	Reprocess int // SIH: the first seller fails, the item is bought again
	SoldOut   int // refused at once: somebody else was faster
}

// DefaultOutcomes is mostly success, with everything that can happen now and
// then.
var DefaultOutcomes = Outcomes{Fail: 4, Penalize: 1, Timeout: 2, Rollback: 2, Reprocess: 4, SoldOut: 3}

// World is both markets. All methods may be called concurrently.
type World struct {
	cfg   Config
	start time.Time // tick 0

	mu        sync.Mutex // guards everything below
	now       time.Time  // newest time seen
	tick      int64
	due       dueHeap // orders to which something will happen, soonest first
	purchases []*order
	skinsback *market
	sih       *market
	faults    faults

	items       []*item // all that exist
	inventories inventories
	sbDeposits  sbDeposits
	seller      seller
	partner     partnerSide
}

// market is one market's side of the world.
type market struct {
	name     string
	listings []*listing
	byName   map[key]*listing   // as the market spells it
	bySteam  map[key]*listing   // as Steam does, phases in the name
	families map[key][]*listing // SkinsBack: phases by Doppler name without one
	pinned   int64              // lots made by SetCount

	balance  int64
	orders   []*order // order i has the id firstID+i
	firstID  int64
	byCustom map[string]*order
	wallet   []movement
	attempts uint64 // purchases tried, for drawing their outcomes

	traffic traffic
	version uint64 // grows with every change to the stock
	bodies  bodies
	webhook string // where events are sent; empty: nowhere
	outbox  outbox
}

// key names an item of a game.
type key struct{ game, name string }

// New makes a world whose time starts now.
func New(cfg Config) (*World, error) {
	cfg, err := withDefaults(cfg)
	if err != nil {
		return nil, fmt.Errorf("marketsim: %w", err)
	}
	w := &World{cfg: cfg, start: cfg.Now()}
	w.now = w.start
	w.skinsback = newMarket(SkinsBack, cfg.Balance, 70_001)
	w.sih = newMarket(SIH, cfg.Balance, 700_001)
	w.items = catalog(cfg)
	w.stock(w.items)
	w.partner = newPartnerSide(cfg.Partner)
	return w, nil
}

func newMarket(name string, balance, firstID int64) *market {
	return &market{
		name:     name,
		byName:   map[key]*listing{},
		bySteam:  map[key]*listing{},
		families: map[key][]*listing{},
		balance:  balance,
		firstID:  firstID,
		byCustom: map[string]*order{},
	}
}

func withDefaults(cfg Config) (Config, error) {
	var errs []error
	for _, d := range []struct {
		name  string
		value *time.Duration
		def   time.Duration
	}{
		{"Timing.TradeCreation", &cfg.Timing.TradeCreation, DefaultTiming.TradeCreation},
		{"Timing.Acceptance", &cfg.Timing.Acceptance, DefaultTiming.Acceptance},
		{"Timing.AcceptTimeout", &cfg.Timing.AcceptTimeout, DefaultTiming.AcceptTimeout},
		{"Timing.Protection", &cfg.Timing.Protection, DefaultTiming.Protection},
		{"Timing.Sale", &cfg.Timing.Sale, DefaultTiming.Sale},
		{"Tick", &cfg.Tick, 10 * time.Second},
		{"BlockFor", &cfg.BlockFor, time.Minute},
	} {
		if *d.value = cmp.Or(*d.value, d.def); *d.value < 0 {
			errs = append(errs, fmt.Errorf("%s is negative: %v", d.name, *d.value))
		}
	}
	if cfg.Speed = cmp.Or(cfg.Speed, 1); !(cfg.Speed > 0) {
		errs = append(errs, fmt.Errorf("Speed is not positive: %v", cfg.Speed))
	}
	if cfg.Items < 0 || cfg.RatePerMinute < 0 || cfg.Balance < 0 || cfg.MovePct > 100 || cfg.SaleFeeBps > 10_000 {
		errs = append(errs, errors.New("Items, RatePerMinute or Balance is negative, MovePct above 100, or SaleFeeBps above 10,000"))
	}
	o := cfg.Outcomes
	for _, percent := range []int{o.Fail, o.Penalize, o.Timeout, o.Rollback, o.Reprocess, o.SoldOut} {
		if percent < 0 || percent > 100 {
			errs = append(errs, fmt.Errorf("Outcomes has a percentage outside 0 to 100: %d", percent))
		}
	}
	for text, ref := range cfg.Catalog {
		if text == "" || ref <= 0 {
			errs = append(errs, fmt.Errorf("Catalog has %q at %d micro-dollars", text, ref))
		}
	}
	partner, err := cfg.Partner.withDefaults()
	if err != nil {
		errs = append(errs, err)
	}
	cfg.Partner = partner
	cfg.MovePct = cmp.Or(cfg.MovePct, 2)
	cfg.Balance = cmp.Or(cfg.Balance, 10_000*dollar)
	cfg.SaleFeeBps = max(cmp.Or(cfg.SaleFeeBps, 1000), 0)
	cfg.RatePerMinute = cmp.Or(cfg.RatePerMinute, 500)
	cfg.ClientID = cmp.Or(cfg.ClientID, DemoClientID)
	cfg.ClientSecret = cmp.Or(cfg.ClientSecret, DemoClientSecret)
	cfg.APIKey = cmp.Or(cfg.APIKey, DemoAPIKey)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return cfg, errors.Join(errs...)
}

// market returns one of the two by name, or nil.
func (w *World) market(name string) *market {
	switch name {
	case SkinsBack:
		return w.skinsback
	case SIH:
		return w.sih
	}
	return nil
}

// advance brings the world to the present: everything that was to happen to
// orders until now happens, in order of time. Every look at the world starts
// with it. Prices and stock need nothing: they are functions of the tick.
func (w *World) advance() {
	if now := w.cfg.Now(); now.After(w.now) {
		w.now = now
	}
	w.tick = int64(w.now.Sub(w.start) / w.cfg.Tick)
	for len(w.due) > 0 && !w.due[0].due.After(w.now) {
		o := w.due[0]
		refunded := o.refunded
		o.step()
		w.tell(o, false, o.refunded != refunded)
		if len(o.plan) == 0 {
			heap.Pop(&w.due)
		} else {
			heap.Fix(&w.due, 0)
		}
	}
	w.advanceDeposits()
	w.browse()
	w.sell()
}

// Purchase is one purchase as the market sees it: what a client's own books are
// checked against.
type Purchase struct {
	Market     string
	CustomID   string
	Ref        string // the market's own id: buy_id or order id
	Name       string // as this market spells it, with the phase if it has one
	Game       string
	Price      int64 // what the item costs, micro-dollars
	Debited    int64 // what was taken, refunds not subtracted, micro-dollars
	Refunded   int64 // what came back since, micro-dollars
	State      string
	Protection string // SIH: state of trade protection, or ""
	At         time.Time
	Partner    string // SkinsBack: the account id of the trade URL
	Token      string // SkinsBack: its token
	SteamID    string
}

// Purchases returns every purchase ever made on either market, in the order
// made. Refused ones and SIH's test orders are none.
func (w *World) Purchases() []Purchase { return w.PurchasesFrom(0) }

// PurchasesFrom returns Purchases without the first n.
func (w *World) PurchasesFrom(n int) []Purchase {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance()
	if n > len(w.purchases) {
		return nil
	}
	all := make([]Purchase, 0, len(w.purchases)-n)
	for _, o := range w.purchases[n:] {
		all = append(all, o.purchase())
	}
	return all
}

// Balance returns the money on a market, in micro-dollars; 0 if there is no
// such market.
func (w *World) Balance(market string) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance()
	if m := w.market(market); m != nil {
		return m.balance
	}
	return 0
}

// Requests returns how many requests a market has had by what they asked for:
// SkinsBack's method or SIH's path, as in "market_buy" or "create-order".
// Everything else is counted as "unknown".
func (w *World) Requests(market string) map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if m := w.market(market); m != nil {
		return m.traffic.counts()
	}
	return nil
}

// MaxPerMinute returns the most requests a market has had in any 60 seconds.
func (w *World) MaxPerMinute(market string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if m := w.market(market); m != nil {
		return m.traffic.most
	}
	return 0
}
