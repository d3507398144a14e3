package selling

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"skinarb/execution"
	"skinarb/pricing"
)

// fate is what becomes of one request to a market, and what we hear of it.
type fate int

const (
	done       fate = iota
	refused         // it did nothing, and says so
	notTaken        // nothing happened, and it says so
	lostBefore      // it never came, and we hear nothing
	lostAfter       // it was done, and we hear nothing
)

var fates = []fate{done, refused, notTaken, lostBefore, lostAfter}

func (f fate) String() string {
	return [...]string{"done", "refused", "not taken", "lost before", "lost after"}[f]
}

// err is what the caller hears.
func (f fate) err() error {
	switch f {
	case refused:
		return &execution.RejectedError{Reason: "user_offline"}
	case notTaken:
		return &execution.RetryLaterError{After: time.Second, Reason: "no connection"}
	case lostBefore, lostAfter:
		return errors.New("no answer")
	}
	return nil
}

// sale is a listing as a fake market has it.
type sale struct {
	id       ListingID
	goods    string
	price    pricing.Money
	status   string // "new", "sold", "paid", "returned", "deleted"
	proceeds pricing.Money
}

// world is a Steam account and both markets, on which one seller sells. It is
// used by one goroutine.
type world struct {
	t       testing.TB
	at      time.Time
	journal *Memory
	assets  []Asset
	blind   error // of the inventory
	ask     pricing.Money
	stale   error
	rules   Rules
	shops   map[pricing.Market]*fakeShop
	notices []Notice
	death   *death // nil: nobody dies

	keeper *Keeper
	seller *Seller
}

func newTestWorld(t testing.TB) *world {
	w := &world{t: t, at: start, journal: NewMemory(), ask: usd("12.00"), rules: testRules}
	w.shops = map[pricing.Market]*fakeShop{
		pricing.SIH:       {world: w, market: pricing.SIH, requests: map[ListingID]int{}},
		pricing.SkinsBack: {world: w, market: pricing.SkinsBack, requests: map[ListingID]int{}},
	}
	w.restart()
	return w
}

// restart puts a new keeper and seller on the same journal and markets.
func (w *world) restart() {
	now := func() time.Time { return w.at }
	var journal Journal = w.journal
	markets := []Market{w.shops[pricing.SIH], w.shops[pricing.SkinsBack]}
	if w.death != nil {
		journal = mortalJournal{w.journal, w.death}
		markets = []Market{mortalMarket{w.shops[pricing.SIH], w.death}, mortalMarket{w.shops[pricing.SkinsBack], w.death}}
	}
	w.keeper = NewKeeper(KeeperConfig{
		Markets: markets, Journal: journal, Fees: testRules.Fees, Stopped: w.journal.isStopped, Now: now,
		Notify: func(n Notice) { w.notices = append(w.notices, n) },
	})
	w.seller = NewSeller(Config{
		Keeper: w.keeper, Journal: journal, Inventory: w, Rules: w.rules, Order: w.journal.order, Stopped: w.journal.isStopped, Now: now,
		Quote: func(m pricing.Market, it pricing.Item) (pricing.Quote, bool, error) {
			return pricing.Quote{Market: m, ObservedAt: w.at, Listing: pricing.Listing{Item: it, Ask: w.lowest(m)}}, true, w.stale
		},
	})
	if err := w.keeper.Recover(context.Background()); err != nil {
		w.t.Fatalf("recover: %v", err)
	}
}

// lowest is the lowest ask in a market's catalog, ours among them.
func (w *world) lowest(m pricing.Market) pricing.Money {
	lowest := w.ask
	for _, s := range w.shops[m].sales {
		if s.status == "new" && m == pricing.SIH {
			lowest = min(lowest, s.price)
		}
	}
	return lowest
}

// buy settles the nth purchase, for 8.50, and puts it into the inventory.
func (w *world) buy(n int, m pricing.Market) execution.OrderID {
	o := execution.Order{
		ID: execution.OrderID(fmt.Sprint("sa-", n)), State: execution.Settled, Paid: usd("8.50"), CreatedAt: start.Add(-8 * 24 * time.Hour),
		Request: execution.Request{Market: m, Item: pricing.Item{Game: pricing.CS2, Name: redline}, Ask: usd("8.50"), Cost: usd("8.50"), Proceeds: usd("10.80")},
	}
	if err := w.journal.Adopt(o); err != nil {
		w.t.Fatal(err)
	}
	w.assets = append(w.assets, Asset{ID: strconv.Itoa(100 + n), Name: redline, Tradable: true, Pays: usd("12.00")})
	return o.ID
}

// pass lets time go by, a round every minute.
func (w *world) pass(d time.Duration) {
	for end := w.at.Add(d); w.at.Before(end); {
		w.seller.Round(context.Background())
		w.at = w.at.Add(time.Minute)
	}
}

func (w *world) position(id execution.OrderID) Position {
	w.t.Helper()
	page, err := w.journal.Page(context.Background(), Query{})
	if err != nil {
		w.t.Fatal(err)
	}
	i := slices.IndexFunc(page, func(p Position) bool { return p.ID == id })
	if i < 0 {
		w.t.Fatalf("%s is no position", id)
	}
	return page[i]
}

// want fails unless a position stands somewhere.
func (w *world) want(id execution.OrderID, state PositionState) Position {
	w.t.Helper()
	p := w.position(id)
	if p.State() != state {
		w.t.Fatalf("%s at %s: got %s (%s; %s), want %s", id, w.at.Sub(start), p.State(), p.Note, p.Listing.Error, state)
	}
	return p
}

func (w *world) noticed(kind string) (n int) {
	for _, notice := range w.notices {
		if notice.Kind == kind {
			n++
		}
	}
	return n
}

// Assets gives the inventory.
func (w *world) Assets(context.Context, pricing.Game) ([]Asset, error) {
	return slices.Clone(w.assets), w.blind
}

func (w *world) owns(id string) bool { return indexAsset(w.assets, id) >= 0 }

func (w *world) lose(id string) {
	w.assets = slices.DeleteFunc(w.assets, func(a Asset) bool { return a.ID == id })
}

// fakeShop sells as SIH does, or as SkinsBack, which tells more and withdraws
// nothing.
type fakeShop struct {
	*world
	market   pricing.Market
	sales    []*sale
	requests map[ListingID]int // that came, by listing
	listing  []fate            // of the next requests to list; then done
	removal  []fate            // and to withdraw
	away     error             // it answers no question
	hidden   bool              // it shows nothing of what is on sale
	unnamed  bool              // its credits name no listing
	unsure   bool              // what it shows and never confirmed may be something else
	offers   pricing.Money     // what it takes an item for; 0 is the price
}

func (s *fakeShop) Market() pricing.Market { return s.market }

func next(fs *[]fate) fate {
	if len(*fs) == 0 {
		return done
	}
	f := (*fs)[0]
	*fs = (*fs)[1:]
	return f
}

func (s *fakeShop) find(match func(*sale) bool) *sale {
	if i := slices.IndexFunc(s.sales, match); i >= 0 {
		return s.sales[i]
	}
	return nil
}

func (s *fakeShop) List(_ context.Context, l Listing) (Word, error) {
	f := next(&s.listing)
	if s.requests[l.ID]++; s.requests[l.ID] > 1 {
		s.t.Errorf("%s: the request to list left %d times", l.ID, s.requests[l.ID])
	}
	if f == done || f == lostAfter {
		for _, other := range s.shops {
			if double := other.find(func(o *sale) bool { return o.goods == l.Goods && o.status == "new" }); double != nil {
				s.t.Errorf("%s is put on sale as %s while it is as %s", l.Goods, l.ID, double.id)
			}
		}
		if !s.owns(l.Goods) {
			s.t.Errorf("%s is put on sale and is not in the inventory", l.Goods)
		}
		if l.Price < l.Floor {
			s.t.Errorf("%s is put on sale for %s, below its floor of %s", l.Goods, l.Price, l.Floor)
		}
		s.sales = append(s.sales, &sale{id: l.ID, goods: l.Goods, price: l.Price, status: "new"})
	}
	price := l.Price
	if s.offers > 0 {
		price = s.offers
	}
	w := Word{ID: l.ID, Event: OnListed, MarketRef: "ref-" + string(l.ID), Price: price}
	if s.market == pricing.SkinsBack {
		w.OfferID = "7100000001"
	}
	return w, f.err()
}

func (s *fakeShop) Withdraw(_ context.Context, l Listing) error {
	if s.market == pricing.SkinsBack {
		return errors.New("nothing can be withdrawn")
	}
	f := next(&s.removal)
	on := s.find(func(o *sale) bool { return o.id == l.ID && o.status == "new" })
	if f == done || f == lostAfter {
		if on == nil {
			return errors.New("items not found")
		}
		on.status = "deleted"
	}
	return f.err()
}

func (s *fakeShop) Look(_ context.Context, ls []Listing) ([]Word, []Credit, error) {
	if s.away != nil {
		return nil, nil, s.away
	}
	var words []Word
	var credits []Credit
	for _, o := range s.sales {
		asked := slices.ContainsFunc(ls, func(l Listing) bool { return l.ID == o.id })
		w := Word{ID: o.id, Shown: true, MarketRef: "ref-" + string(o.id)}
		switch {
		case o.status == "new" && !s.hidden:
			w.Event, w.Price = OnListed, o.price
			if s.unsure && slices.ContainsFunc(ls, func(l Listing) bool { return l.ID == o.id && l.State.Open() && l.ListedAt.IsZero() }) {
				w.Event, w.Status = OnWithdraw, "may be another item"
			}
		case o.status == "paid" && s.unnamed:
			credits = append(credits, Credit{Ref: "move-" + string(o.id), Amount: o.proceeds, At: s.at})
			continue
		case o.status == "paid" && asked:
			w.Event, w.Proceeds, w.CreditRef = OnSold, o.proceeds, "move-"+string(o.id)
		case s.market == pricing.SkinsBack && o.status == "sold":
			w.Event = OnListed
		case s.market == pricing.SkinsBack && o.status == "returned" && asked:
			w.Event, w.Status = OnReturned, "fail"
		default:
			continue
		}
		words = append(words, w)
	}
	for _, l := range ls {
		if !slices.ContainsFunc(words, func(w Word) bool { return w.ID == l.ID }) {
			words = append(words, Word{ID: l.ID})
		}
	}
	return words, credits, nil
}

// sell hands what is on sale to buyers, and with paid lets the money for all that
// was handed over arrive.
func (s *fakeShop) sell(paid bool) {
	for _, o := range s.sales {
		if o.status == "new" {
			o.status = "sold"
			s.lose(o.goods)
		}
		if o.status == "sold" && paid {
			o.status, o.proceeds = "paid", Proceeds(testRules.Fees[s.market], o.price)
		}
	}
}

// credited is all that the market paid us.
func (s *fakeShop) credited() (sum pricing.Money) {
	for _, o := range s.sales {
		sum += o.proceeds
	}
	return sum
}
