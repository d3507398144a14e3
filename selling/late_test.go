package selling

import (
	"context"
	"fmt"
	"testing"
	"time"

	"skinarb/execution"
	"skinarb/pricing"
)

// countingShop counts what it is asked about, and pays for one listing.
type countingShop struct {
	*fakeShop
	asked map[ListingID]int
	most  int
	paid  ListingID
}

func (s *countingShop) Look(_ context.Context, ls []Listing) ([]Word, []Credit, error) {
	s.most = max(s.most, len(ls))
	var words []Word
	for _, l := range ls {
		s.asked[l.ID]++
		if l.ID == s.paid {
			words = append(words, Word{ID: l.ID, Event: OnSold, Shown: true, Proceeds: l.Price, CreditRef: "m"})
		}
	}
	return words, nil, s.away
}

// endMany lets n listings on a market end, one each second before w's time.
func endMany(w *world, m pricing.Market, n int) []Listing {
	var all []Listing
	for i := range n {
		at := w.at.Add(-time.Duration(n-i) * time.Second)
		o := anOffer()
		o.Market, o.Holder, o.Goods = m, fmt.Sprint("holder ", i%7), fmt.Sprint(1000+i)
		l := NewListing(o, 1+i/7, at)
		l.State = EndedStates[i%len(EndedStates)]
		w.journal.listings[l.ID] = l
		all = append(all, l)
	}
	return all
}

// TestEndedByTurns: however many listings have ended, a look asks about a bounded
// number of them, the newest first, and each has its turn. SkinsBack, which takes a
// request for each, is asked about few.
func TestEndedByTurns(t *testing.T) {
	endedByTurns(t, pricing.SIH, 1000)
	endedByTurns(t, pricing.SkinsBack, 30)
}

func endedByTurns(t *testing.T, m pricing.Market, most int) {
	t.Helper()
	w := newTestWorld(t)
	all := endMany(w, m, 2*most+most/2)
	oldest, newest := all[0], all[len(all)-1]
	shop := &countingShop{fakeShop: w.shops[m], asked: map[ListingID]int{}, paid: oldest.ID}
	k := NewKeeper(KeeperConfig{Markets: []Market{shop}, Journal: w.journal, Now: func() time.Time { return w.at }})
	look := func(want error) {
		t.Helper()
		if err := k.Look(t.Context()); (err == nil) != (want == nil) {
			t.Fatalf("look: got error %v, want %v", err, want)
		}
		w.at = w.at.Add(lateEvery)
	}
	look(nil)
	if shop.asked[newest.ID] != 1 || len(shop.asked) != most {
		t.Errorf("the first look asked about %d, the newest %d times, want %d and once", len(shop.asked), shop.asked[newest.ID], most)
	}
	shop.away = context.DeadlineExceeded
	look(shop.away) // is no turn
	shop.away = nil
	look(nil)
	look(nil)
	for _, l := range all {
		if shop.asked[l.ID] == 0 {
			t.Fatalf("%s had no turn", l.ID)
		}
	}
	look(nil)
	if shop.asked[newest.ID] != 2 || shop.most > most {
		t.Errorf("the newest was asked about %d times, and %d at a look, want twice, and at most %d", shop.asked[newest.ID], shop.most, most)
	}
	if l, err := w.journal.Listing(t.Context(), oldest.ID); err != nil || l.State != Sold {
		t.Errorf("the one that was paid for is %s, error %v, want it sold", l.State, err)
	}
}

// TestForgetsWhatEndedLongAgo, some at a look, and counts the rounds of a position on.
func TestForgetsWhatEndedLongAgo(t *testing.T) {
	w := newTestWorld(t)
	all := endMany(w, pricing.SIH, forgetMost+500)
	for _, l := range all {
		if err := w.journal.Enter(t.Context(), Position{ID: execution.OrderID(l.Holder)}); err != nil {
			t.Fatal(err)
		}
	}
	w.at = w.at.Add(forgetAfter)
	for range 2 {
		if err := w.keeper.Look(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.at = w.at.Add(lateEvery)
	}
	if got := len(w.journal.listings); got != 7 {
		t.Errorf("%d listings are left, want the last of 7 holders", got)
	}
	o := all[0].Offer
	next, err := w.journal.Begin(t.Context(), o, w.at)
	if want := (forgetMost+500+6)/7 + 1; err != nil || next.Round != want {
		t.Errorf("the next of %s is round %d, error %v, want %d", o.Holder, next.Round, err, want)
	}
}
