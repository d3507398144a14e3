package selling

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"skinarb/execution"
	"skinarb/pricing"
)

const (
	listedState    = PositionState(Listed)
	inDoubtState   = PositionState(InDoubt)
	goneState      = PositionState(Gone)
	soldState      = PositionState(Sold)
	vanishedState  = PositionState(Vanished)
	withdrawnState = PositionState(Withdrawing)
)

func TestSoldOnSIH(t *testing.T) {
	w := newTestWorld(t)
	id := w.buy(1, pricing.SkinsBack)
	w.pass(time.Minute)
	p := w.want(id, listedState)
	if p.Listing.Price != usd("11.99") || p.Floor != usd("10.00") || p.Asset != "101" {
		t.Errorf("got %s of asset %s for %s, floor %s, want it for 11.99, floor 10.00", p.Item, p.Asset, p.Listing.Price, p.Floor)
	}
	w.shops[pricing.SIH].sell(false)
	w.pass(10 * 24 * time.Hour) // trade protection
	w.want(id, goneState)
	w.shops[pricing.SIH].sell(true)
	w.pass(2 * time.Minute)
	p = w.want(id, soldState)
	if got, want := p.Profit(), usd("10.79")-usd("8.50"); got != want {
		t.Errorf("got a profit of %s, want %s", got, want)
	}
	if len(w.notices) != 0 {
		t.Errorf("got notices %v, want none", w.notices)
	}
}

func TestSoldOnSIHByACreditThatNamesNothing(t *testing.T) {
	w := newTestWorld(t)
	w.shops[pricing.SIH].unnamed = true
	first, second := w.buy(1, pricing.SkinsBack), w.buy(2, pricing.SkinsBack)
	w.pass(time.Minute)
	w.shops[pricing.SIH].sell(false)
	w.pass(time.Hour)
	w.shops[pricing.SIH].sell(true)
	w.pass(time.Minute)
	for _, id := range []execution.OrderID{first, second} {
		if p := w.want(id, soldState); p.Listing.Proceeds != usd("10.79") {
			t.Errorf("%s: got proceeds of %s, want 10.79", id, p.Listing.Proceeds)
		}
	}
	a, b := w.position(first).Listing.CreditRef, w.position(second).Listing.CreditRef
	if a == b {
		t.Errorf("both are paid by movement %s", a)
	}
}

func TestACreditOfAnotherAmountPaysNothing(t *testing.T) {
	w := newTestWorld(t)
	sih := w.shops[pricing.SIH]
	sih.unnamed = true
	id := w.buy(1, pricing.SkinsBack)
	w.pass(time.Minute)
	sih.sell(false)
	w.pass(time.Hour)
	sih.sales[0].status, sih.sales[0].proceeds = "paid", usd("10.81")
	w.pass(time.Hour)
	w.want(id, goneState)
}

func TestSoldOnSkinsBack(t *testing.T) {
	w := newTestWorld(t)
	id := w.buy(1, pricing.SIH)
	w.assets[0].Pays = usd("9.47") // the floor is 9.48
	w.pass(time.Hour)
	if p := w.want(id, Held); p.Note != "skinsback pays 9.47, less than the floor" {
		t.Errorf("got note %q", p.Note)
	}
	w.assets[0].Pays = usd("9.48")
	w.pass(2 * time.Minute)
	w.want(id, listedState)
	if got := w.noticed(NoticeOffer); got != 1 {
		t.Errorf("got %d notices of a trade offer to accept, want 1", got)
	}
	w.shops[pricing.SkinsBack].sell(false)
	w.pass(8 * 24 * time.Hour)
	w.want(id, listedState) // in hold
	w.shops[pricing.SkinsBack].sell(true)
	w.pass(time.Minute)
	w.want(id, soldState)
}

// TestAnOfferThatIsNotAccepted is made again only a while later.
func TestAnOfferThatIsNotAccepted(t *testing.T) {
	w := newTestWorld(t)
	id := w.buy(1, pricing.SIH)
	w.pass(time.Minute)
	shop := w.shops[pricing.SkinsBack]
	shop.sales[0].status = "returned"
	w.pass(29 * time.Minute)
	w.want(id, Held)
	w.pass(5 * time.Minute)
	w.want(id, listedState)
	if len(shop.sales) != 2 {
		t.Errorf("%d offers were made, want 2", len(shop.sales))
	}
}

func TestSkinsBackTakesItForLess(t *testing.T) {
	w := newTestWorld(t)
	w.buy(1, pricing.SIH)
	w.shops[pricing.SkinsBack].offers = usd("9.00")
	w.pass(10 * time.Minute)
	if got := w.noticed(NoticeUnderbid); got != 1 {
		t.Errorf("got %d notices that it would be sold below its floor, want 1", got)
	}
}

func TestRepriced(t *testing.T) {
	w := newTestWorld(t)
	id := w.buy(1, pricing.SkinsBack)
	w.pass(time.Minute)
	w.ask = usd("11.00")
	w.pass(29 * time.Minute)
	if p := w.want(id, listedState); p.Listing.Price != usd("11.99") {
		t.Errorf("after 29 minutes: got price %s, want 11.99 still", p.Listing.Price)
	}
	w.pass(5 * time.Minute)
	if p := w.want(id, listedState); p.Listing.Price != usd("10.99") || p.Listing.Round != 2 {
		t.Errorf("after 35 minutes: got price %s in round %d, want 10.99 in round 2", p.Listing.Price, p.Listing.Round)
	}
	w.ask = usd("9.00")
	w.pass(time.Hour)
	if p := w.want(id, listedState); p.Listing.Price != usd("10.00") || p.Note != "at its floor: the lowest ask there is 9.00" {
		t.Errorf("the market is below the floor: got price %s (%s), want 10.00", p.Listing.Price, p.Note)
	}
	w.pass(24 * time.Hour)
	if p := w.position(id); p.Listing.Round != 3 {
		t.Errorf("at a price that stays right it was listed %d times, want 3", p.Listing.Round)
	}
}

// TestSoldWhileWithdrawn: the deletion comes too late.
func TestSoldWhileWithdrawn(t *testing.T) {
	w := newTestWorld(t)
	id := w.buy(1, pricing.SkinsBack)
	w.pass(time.Minute)
	w.ask = usd("11.00")
	w.shops[pricing.SIH].removal = slices.Repeat([]fate{lostBefore}, 100)
	w.pass(31 * time.Minute)
	w.want(id, withdrawnState)
	w.shops[pricing.SIH].sell(false)
	w.pass(2 * time.Hour)
	w.want(id, goneState)
	w.shops[pricing.SIH].sell(true)
	w.pass(time.Minute)
	w.want(id, soldState)
}

func TestStaleAndHeldFeeds(t *testing.T) {
	w := newTestWorld(t)
	id := w.buy(1, pricing.SkinsBack)
	w.stale = errors.New("prices of sih/cs2 are held")
	w.pass(time.Hour)
	if p := w.want(id, Held); p.Note != "prices of sih/cs2 are held" {
		t.Errorf("got note %q", p.Note)
	}
	w.stale = nil
	w.pass(time.Minute)
	w.want(id, listedState)
	w.ask, w.stale = usd("11.00"), errors.New("prices of sih/cs2 are stale")
	w.pass(2 * time.Hour)
	if p := w.want(id, listedState); p.Listing.Round != 1 {
		t.Errorf("it was re-priced on stale prices: round %d", p.Listing.Round)
	}
}

func TestKillSwitch(t *testing.T) {
	w := newTestWorld(t)
	first := w.buy(1, pricing.SkinsBack)
	w.pass(time.Minute)
	w.ask = usd("11.00")
	w.pass(30 * time.Minute)
	w.want(first, withdrawnState)
	if err := w.journal.Stop(true); err != nil {
		t.Fatal(err)
	}
	second := w.buy(2, pricing.SkinsBack)
	w.pass(3 * time.Hour)
	w.want(first, Held) // withdrawing went on
	w.want(second, Held)
	if got := len(w.shops[pricing.SIH].sales); got != 1 {
		t.Errorf("%d listings left, want the one from before", got)
	}
	if err := w.journal.Stop(false); err != nil {
		t.Fatal(err)
	}
	w.pass(2 * time.Minute)
	w.want(first, listedState)
	w.want(second, listedState)
}

// TestReturned: off sale for whatever reason, and still in the inventory.
func TestReturned(t *testing.T) {
	w := newTestWorld(t)
	id := w.buy(1, pricing.SkinsBack)
	w.pass(time.Minute)
	w.shops[pricing.SIH].sales[0].status = "deleted" // by a person
	w.pass(testRules.ReturnAfter - 30*time.Minute)
	w.want(id, goneState)
	w.pass(40 * time.Minute)
	w.want(id, Held)
	w.pass(30 * time.Minute)
	w.want(id, listedState)
}

// TestSlowBuyer: a buyer takes hours to accept the trade, and until then the item
// is in the inventory.
func TestSlowBuyer(t *testing.T) {
	w := newTestWorld(t)
	id := w.buy(1, pricing.SkinsBack)
	w.pass(time.Minute)
	sih := w.shops[pricing.SIH]
	first := sih.sales[0]
	first.status = "sold" // and not handed over yet
	w.pass(12 * time.Hour)
	if n := len(sih.sales); n != 1 {
		t.Errorf("put on sale %d times, want once: a second buyer could order what the first one bought", n)
	}
	w.lose(first.goods)
	first.status, first.proceeds = "paid", Proceeds(testRules.Fees[pricing.SIH], first.price)
	w.pass(time.Hour)
	w.want(id, soldState)
}

// TestPaidAfterItWasListedAgain: the money for a listing that was taken for
// returned, or withdrawn, comes while its position is on sale again. Nothing stays
// on sale.
func TestPaidAfterItWasListedAgain(t *testing.T) {
	for name, tt := range map[string]struct {
		second  fate // what is heard of the second listing
		removal fate // and of taking it off
		hidden  bool // SIH does not show it at first
		want    State
	}{
		"on sale":                      {done, done, false, Withdrawn},
		"on sale, and its answer lost": {lostAfter, done, false, Withdrawn},
		"the removal's answer lost":    {done, lostAfter, false, Vanished},
		"the removal got lost":         {done, lostBefore, false, Withdrawn},
		"gone, and shown later":        {done, done, true, Vanished},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t)
			id := w.buy(1, pricing.SkinsBack)
			w.pass(time.Minute)
			shop := w.shops[pricing.SIH]
			first := shop.sales[0]
			first.status = "sold"
			shop.listing, shop.removal = []fate{tt.second}, []fate{tt.removal}
			w.pass(testRules.ReturnAfter + 36*time.Minute)
			if n := len(shop.sales); n != 2 {
				t.Fatalf("put on sale %d times, want twice", n)
			}
			shop.hidden = tt.hidden
			w.lose(first.goods)
			first.status, first.proceeds = "paid", Proceeds(testRules.Fees[pricing.SIH], first.price)
			w.pass(20 * time.Minute)
			shop.hidden = false
			w.pass(time.Hour)
			if p := w.want(id, soldState); p.Listing.ID != first.id {
				t.Errorf("sold by %s, want %s", p.Listing.ID, first.id)
			}
			second, err := w.journal.Listing(t.Context(), shop.sales[1].id)
			if err != nil || second.State != tt.want || shop.sales[1].status != "deleted" {
				t.Errorf("the second listing is %s (%s), error %v, and %s at the market, want %s and deleted", second.State, second.Error, err, shop.sales[1].status, tt.want)
			}
			if got := w.noticed(NoticeStray); got != 1 {
				t.Errorf("got %d notices of something that should not be on sale, want 1: %v", got, w.notices)
			}
		})
	}
}

// TestPaidWhileAnotherOfferWaits: SkinsBack takes nothing back, so that a person has to
// decline its second trade offer.
func TestPaidWhileAnotherOfferWaits(t *testing.T) {
	w := newTestWorld(t)
	id := w.buy(1, pricing.SIH)
	w.pass(time.Minute)
	shop := w.shops[pricing.SkinsBack]
	shop.sales[0].status = "returned"
	w.pass(35 * time.Minute)
	w.want(id, listedState)
	shop.sales[0].status, shop.sales[0].proceeds = "paid", usd("11.00")
	w.pass(time.Hour)
	w.want(id, soldState)
	second, err := w.journal.Listing(t.Context(), shop.sales[1].id)
	if err != nil || second.State != Listed || w.noticed(NoticeStray) != 1 {
		t.Errorf("the second is %s, error %v, with %d notices, want it listed and one", second.State, err, w.noticed(NoticeStray))
	}
}

// TestShownForLess: what SIH has on sale below its floor is taken off, a person
// hears of it, and it is not tried again at once.
func TestShownForLess(t *testing.T) {
	w := newTestWorld(t)
	id := w.buy(1, pricing.SkinsBack)
	w.pass(2 * time.Minute)
	sih := w.shops[pricing.SIH]
	sih.sales[0].price = usd("9.99") // the floor is 10.00
	w.pass(20 * time.Minute)
	if p := w.want(id, Held); sih.sales[0].status != "deleted" || p.Listing.State != Withdrawn {
		t.Errorf("it is %s at the market, and %s (%s), want it taken off", sih.sales[0].status, p.Listing.State, p.Listing.Error)
	}
	if got := w.noticed(NoticeUnderbid); got != 1 || len(sih.sales) != 1 {
		t.Errorf("got %d notices after %d listings, want one of each", got, len(sih.sales))
	}
	w.pass(15 * time.Minute)
	w.want(id, listedState)
}

// TestNotSurelyWhatWasMeant: what a market shows and cannot vouch for is taken off,
// whether it was in doubt or gone by then.
func TestNotSurelyWhatWasMeant(t *testing.T) {
	for name, hidden := range map[string]time.Duration{"shown at once": 0, "shown when it was taken for gone": 10 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t)
			sih := w.shops[pricing.SIH]
			sih.unsure, sih.hidden = true, true
			sih.listing = []fate{lostAfter}
			id := w.buy(1, pricing.SkinsBack)
			w.pass(time.Minute)
			w.want(id, inDoubtState)
			w.pass(hidden)
			sih.hidden = false
			w.pass(10 * time.Minute)
			if l, err := w.journal.Listing(t.Context(), sih.sales[0].id); err != nil || l.State != Withdrawn || !l.ListedAt.IsZero() || sih.sales[0].status != "deleted" {
				t.Errorf("it is %s (%s), error %v, and %s at the market, want it withdrawn and never listed", l.State, l.Error, err, sih.sales[0].status)
			}
			w.pass(25 * time.Minute)
			if p := w.want(id, listedState); p.Listing.Round != 2 {
				t.Errorf("got round %d, want the second, whose answer came", p.Listing.Round)
			}
		})
	}
}

// TestOnSaleAgain: a buyer's trade failed, and SIH put it back.
func TestOnSaleAgain(t *testing.T) {
	w := newTestWorld(t)
	id := w.buy(1, pricing.SkinsBack)
	w.pass(time.Minute)
	s := w.shops[pricing.SIH].sales[0]
	s.status = "sold"
	w.pass(20 * time.Minute)
	w.want(id, goneState)
	s.status = "new"
	w.pass(2 * time.Minute)
	if p := w.want(id, listedState); p.Listing.Round != 1 {
		t.Errorf("got round %d, want the first listing again", p.Listing.Round)
	}
}

func TestVanished(t *testing.T) {
	w := newTestWorld(t)
	id := w.buy(1, pricing.SkinsBack)
	w.pass(time.Minute)
	w.shops[pricing.SIH].sell(false)
	w.pass(testRules.VanishAfter - time.Hour)
	w.want(id, goneState)
	w.pass(2 * time.Hour)
	w.want(id, vanishedState)
	if got := w.noticed(NoticeVanished); got != 1 {
		t.Errorf("got %d notices, want 1", got)
	}
	w.shops[pricing.SIH].sell(true)
	w.pass(15 * time.Minute)
	w.want(id, soldState) // late, and believed
	if got := w.noticed(NoticeLate); got != 1 {
		t.Errorf("got %d notices of late money, want 1", got)
	}
}

// TestOneGlanceIsNoWord: a look that does not show a listing must be confirmed.
func TestOneGlanceIsNoWord(t *testing.T) {
	w := newTestWorld(t)
	id := w.buy(1, pricing.SkinsBack)
	w.pass(time.Minute)
	w.shops[pricing.SIH].hidden = true
	w.pass(time.Minute)
	w.shops[pricing.SIH].hidden = false
	w.pass(time.Minute)
	w.shops[pricing.SIH].hidden = true
	w.pass(time.Minute)
	w.want(id, listedState)
}

// TestLostReplies: only what the market shows moves a listing without an answer.
func TestLostReplies(t *testing.T) {
	for _, m := range pricing.Markets {
		t.Run(string(m), func(t *testing.T) {
			w := newTestWorld(t)
			shop := w.shops[m]
			shop.listing, shop.away = []fate{lostAfter, lostBefore}, errors.New("away")
			there, never := w.buy(1, other(m)), w.buy(2, other(m))
			w.pass(5 * time.Minute)
			w.want(there, inDoubtState)
			w.want(never, inDoubtState)
			shop.away = nil
			w.pass(3 * time.Minute)
			w.want(there, listedState)
			w.want(never, goneState)
			w.pass(testRules.ReturnAfter - 10*time.Minute)
			w.want(never, goneState)
			if got := len(shop.requests); got != 2 {
				t.Errorf("%d requests left, want 2", got)
			}
			w.pass(time.Hour)
			w.want(never, listedState)
		})
	}
}

func TestRefusedIsTriedLater(t *testing.T) {
	w := newTestWorld(t)
	shop := w.shops[pricing.SIH]
	shop.listing = []fate{refused, notTaken}
	id := w.buy(1, pricing.SkinsBack)
	w.pass(29 * time.Minute)
	p := w.want(id, Held)
	if want := "its last listing is refused: the market refused: user_offline"; p.Note != want {
		t.Errorf("got note %q, want %q", p.Note, want)
	}
	w.pass(3 * time.Minute)
	w.want(id, listedState)
	if got := w.position(id).Listing.Round; got != 3 {
		t.Errorf("got round %d, want the third", got)
	}
}

// TestStray: what is on sale under a listing that has ended is taken off.
func TestStray(t *testing.T) {
	w := newTestWorld(t)
	id := w.buy(1, pricing.SkinsBack)
	w.pass(time.Minute)
	s := w.shops[pricing.SIH].sales[0]
	s.status = "deleted"
	w.pass(testRules.ReturnAfter + 10*time.Minute)
	w.want(id, Held)
	s.status = "new"
	w.pass(12 * time.Minute)
	if s.status != "deleted" || w.noticed(NoticeStray) != 1 {
		t.Errorf("it is %s and there are %d notices, want it deleted and one", s.status, w.noticed(NoticeStray))
	}
}

func TestReversedPurchaseIsNotListed(t *testing.T) {
	w := newTestWorld(t)
	w.stale = errors.New("not yet")
	id := w.buy(1, pricing.SkinsBack)
	w.pass(time.Minute)
	w.stale = nil
	o, err := w.journal.order(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	o.State = execution.RolledBack
	if err := w.journal.Adopt(o); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Hour)
	w.want(id, Held)
}

// TestReversedPurchaseIsTakenOff, also while trading is stopped.
func TestReversedPurchaseIsTakenOff(t *testing.T) {
	for m, want := range map[pricing.Market]PositionState{pricing.SIH: Held, pricing.SkinsBack: listedState} {
		w := newTestWorld(t)
		id := w.buy(1, other(m))
		w.pass(time.Minute)
		w.want(id, listedState)
		o, err := w.journal.order(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		o.State = execution.RolledBack
		if err := errors.Join(w.journal.Adopt(o), w.journal.Stop(true)); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Hour)
		if p := w.want(id, want); m == pricing.SkinsBack && p.Note != "its purchase is not settled any more: decline the trade offer" {
			t.Errorf("on %s: got note %q", m, p.Note)
		}
	}
}

// TestEachHasItsOwnAsset: two of one item are two assets, whatever happens.
func TestEachHasItsOwnAsset(t *testing.T) {
	w := newTestWorld(t)
	first, second := w.buy(1, pricing.SkinsBack), w.buy(2, pricing.SIH)
	w.assets = w.assets[:1]
	w.pass(10 * time.Minute)
	held := w.want(second, Held)
	if listed := w.want(first, listedState); listed.Asset != "101" || held.Asset != "" {
		t.Errorf("got assets %q and %q, want 101 and none", listed.Asset, held.Asset)
	}
}

// TestNotesAreNotWrittenAgain: a round that finds nothing new writes nothing.
func TestNotesAreNotWrittenAgain(t *testing.T) {
	w := newTestWorld(t)
	id := w.buy(1, pricing.SkinsBack)
	w.pass(5 * time.Minute)
	before := w.position(id)
	w.pass(24 * time.Hour)
	if after := w.position(id); after != before {
		t.Errorf("nothing happened, and\n%+v became\n%+v", before, after)
	}
}
