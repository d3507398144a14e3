package backtoback

import (
	"context"
	"errors"
	"maps"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"skinarb/execution"
	"skinarb/internal/sqlitejournal"
	"skinarb/partner"
	"skinarb/pricing"
	"skinarb/selling"
)

// world is SIH, SkinsBack and the journals, as a Dealer sees them; they outlive
// it.
type world struct {
	t       testing.TB
	journal *sqlitejournal.Journal

	mu      sync.Mutex
	onSale  map[selling.ListingID]selling.Listing // at SIH
	orders  map[execution.OrderID]execution.Order // at the executor
	bought  map[execution.OrderID]int
	buy     func(execution.Request) (execution.State, error) // what comes of a wish; "" is no order
	asked   []execution.Request
	terms   map[pricing.Item]Terms
	polled  map[string]time.Time
	stopped bool
	wake    chan struct{}
	every   time.Duration  // between two rounds; 0 is as usual
	shop    selling.Market // where the dealer lists; nil: here
}

func newWorld(t testing.TB) *world {
	t.Helper()
	j, err := sqlitejournal.Open(filepath.Join(t.TempDir(), "journal.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return &world{
		t: t, journal: j, onSale: map[selling.ListingID]selling.Listing{}, orders: map[execution.OrderID]execution.Order{},
		bought: map[execution.OrderID]int{}, terms: map[pricing.Item]Terms{}, polled: map[string]time.Time{},
		buy:  func(execution.Request) (execution.State, error) { return execution.Placed, nil },
		wake: make(chan struct{}),
	}
}

var rules = Rules{Sell: pricing.Fees{SellBps: 1000}, MinProfit: pricing.Dollar, MaxListings: 10}

// dealer gives one that finds the world as the last one left it.
func (w *world) dealer() *Dealer {
	shop := w.shop
	if shop == nil {
		shop = w
	}
	return New(Config{
		Rules: rules, Listings: w.journal.Selling(), Purchases: w.journal.Purchases(),
		Keeper:  selling.NewKeeper(selling.KeeperConfig{Markets: []selling.Market{shop}, Journal: w.journal.Selling(), Stopped: w.isStopped}),
		Buy:     w.Buy,
		Order:   w.Order,
		Stopped: w.isStopped,
		Admits:  func(context.Context) (func(execution.Request) error, error) { return admitsAll, nil },
		Wanted:  w.wanted,
		Terms:   w.Terms,
		Every:   w.every,
	})
}

func (w *world) isStopped(context.Context) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stopped, nil
}

func (w *world) wanted(time.Time) (items []pricing.Item) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for n := range 20 { // the order must not depend on a map's
		if _, ok := w.terms[item(n)]; ok {
			items = append(items, item(n))
		}
	}
	return items
}

func (w *world) Terms(it pricing.Item, _ time.Time) (Terms, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	t, ok := w.terms[it]
	return t, ok
}

// Wake and Polled are partner.Server's.
func (w *world) Wake() <-chan struct{} { return w.wake }
func (w *world) Polled(customID string) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.polled[customID]
}

func (w *world) Buy(_ context.Context, r execution.Request) (execution.Order, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, r)
	if o, ok := w.orders[r.ID()]; ok {
		return o, nil
	}
	state, err := w.buy(r)
	if state == "" {
		return execution.Order{}, err
	}
	o := execution.Order{ID: r.ID(), Request: r, State: state, History: []execution.Step{{State: state}}}
	if state == execution.Placed {
		w.bought[o.ID]++
	}
	w.orders[o.ID] = o
	return o, err
}

func (w *world) Order(_ context.Context, id execution.OrderID) (execution.Order, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	o, ok := w.orders[id]
	if !ok {
		return o, execution.ErrNoOrder
	}
	return o, nil
}

// becomes moves the purchase for a buyer's order.
func (w *world) becomes(customID string, s execution.State, word, offer string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	id := execution.Request{Market: pricing.SkinsBack, SellOn: pricing.SIH, Buyer: execution.Buyer{Ref: customID}}.ID()
	o, ok := w.orders[id]
	if !ok {
		w.t.Fatalf("nothing was bought for %s", customID)
	}
	o.State, o.OfferID = s, offer
	o.History = append(o.History, execution.Step{State: s, Note: word})
	if s == execution.Delivered {
		o.DeliveredAt = time.Now()
	}
	w.orders[id] = o
}

// Market, List, Withdraw and Look are SIH's.
func (w *world) Market() pricing.Market { return pricing.SIH }

func (w *world) List(_ context.Context, l selling.Listing) (selling.Word, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.onSale[l.ID] = l
	return selling.Word{MarketRef: "sih-" + l.Goods}, nil
}

func (w *world) Withdraw(_ context.Context, l selling.Listing) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.onSale, l.ID)
	return nil
}

func (w *world) Look(_ context.Context, ls []selling.Listing) ([]selling.Word, []selling.Credit, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var words []selling.Word
	for _, l := range ls {
		word := selling.Word{ID: l.ID}
		if shown, ok := w.onSale[l.ID]; ok {
			word.Event, word.Shown, word.Price = selling.OnListed, true, shown.Price
		}
		words = append(words, word)
	}
	return words, nil, nil
}

// sale gives the listing that SIH has, if it has one.
func (w *world) sale() (selling.Listing, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range w.onSale {
		return l, true
	}
	return selling.Listing{}, false
}

// order is a buyer's order for the goods that are on sale.
func (w *world) order(customID string) partner.Purchase {
	w.t.Helper()
	l, ok := w.sale()
	if !ok {
		w.t.Fatal("nothing is on sale")
	}
	buyer, err := partner.ParseBuyer("76561198000000000", "SSH18JS")
	if err != nil {
		w.t.Fatal(err)
	}
	p, _, err := w.journal.Purchases().Create(w.t.Context(), partner.Purchase{
		CustomID: customID, ItemID: l.Goods, Buyer: buyer, Price: l.Price, State: partner.Created, CreatedAt: time.Now(), UpdatedAt: time.Now(),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.onSale, l.ID)
	return p
}

func (w *world) poll(customID string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.polled[customID] = time.Now()
}

func (w *world) purchase(customID string) partner.Purchase {
	w.t.Helper()
	p, err := w.journal.Purchases().Get(context.Background(), customID)
	if err != nil && !errors.Is(err, partner.ErrNoPurchase) {
		w.t.Fatal(err)
	}
	return p
}

func (w *world) set(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
}

func (w *world) wishes() []execution.Request {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]execution.Request(nil), w.asked...)
}

func (w *world) purchases() map[execution.OrderID]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.bought)
}
