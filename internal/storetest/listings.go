package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"skinarb/execution"
	"skinarb/pricing"
	"skinarb/selling"
)

// SellingStore is an empty selling.Journal, and what is beside it: the purchases
// and the kill switch of the same store.
type SellingStore struct {
	selling.Journal
	Adopt  func(execution.Order) error // enters a purchase as it is
	Stop   func(stopped bool) error    // sets the kill switch
	Reopen func() selling.Journal      // the same records, as after a restart
}

// Selling tests the contract of selling.Journal.
func Selling(t *testing.T, open func(t *testing.T) SellingStore) {
	for name, test := range map[string]func(*testing.T, SellingStore){
		"begin":                           sellingBegin,
		"goods are on sale once":          sellingOnSale,
		"one of many gets the goods":      sellingRace,
		"begin while stopped":             sellingStopped,
		"advance":                         sellingAdvance,
		"stale revisions of listings":     sellingStale,
		"money is one listing's":          sellingCredited,
		"in states":                       sellingInStates,
		"ended, by pages":                 sellingEnded,
		"prune":                           sellingPrune,
		"unsold":                          sellingUnsold,
		"at most a hundred are unsold":    sellingUnsoldMany,
		"enter and update":                sellingUpdate,
		"an asset is one position's":      sellingTaken,
		"a position stands as it is sold": sellingStands,
		"pages of positions":              sellingPages,
		"profits":                         sellingProfits,
		"reopening keeps listings":        sellingReopen,
		"a caller that gave up":           sellingCancelled,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

// sellingOffer gives the nth offer.
func sellingOffer(n int) selling.Offer {
	return selling.Offer{
		Holder: fmt.Sprint("sa-", n), Market: pricing.SIH, Item: journalItem(n), Goods: fmt.Sprint(40_000_000_000 + int64(n)),
		Price: pricing.Money(n)*pricing.Dollar + 1, Floor: pricing.Money(n) * pricing.Dollar,
	}
}

// sellingPosition gives the nth position, created n seconds after the start.
func sellingPosition(n int) selling.Position {
	at := journalStart.Add(time.Duration(n) * time.Second)
	return selling.Position{
		ID: execution.OrderID(fmt.Sprint("sa-", n)), Item: journalItem(n), BoughtOn: pricing.SkinsBack, SellOn: pricing.SIH,
		Cost: pricing.Money(n) * pricing.Dollar, Expected: pricing.Money(n+1) * pricing.Dollar, BoughtAt: at.Add(-8 * 24 * time.Hour),
		CreatedAt: at, UpdatedAt: at,
	}
}

func mustBegin(t *testing.T, j selling.Journal, o selling.Offer, at time.Time) selling.Listing {
	t.Helper()
	l, err := j.Begin(t.Context(), o, at)
	if err != nil {
		t.Fatalf("begin for %s: %v", o.Holder, err)
	}
	return l
}

// mustBecome stores l in another state.
func mustBecome(t *testing.T, j selling.Journal, l selling.Listing, to selling.State) selling.Listing {
	t.Helper()
	l.State = to
	stored, err := j.Advance(t.Context(), l)
	if err != nil {
		t.Fatalf("advance %s to %s: %v", l.ID, to, err)
	}
	return stored
}

func mustEnter(t *testing.T, j selling.Journal, p selling.Position) selling.Position {
	t.Helper()
	if err := j.Enter(t.Context(), p); err != nil {
		t.Fatalf("enter %s: %v", p.ID, err)
	}
	p.Rev = 1
	return p
}

func sellingBegin(t *testing.T, s SellingStore) {
	o := sellingOffer(1)
	got := mustBegin(t, s, o, journalStart)
	if diff := cmp.Diff(selling.NewListing(o, 1, journalStart), got); diff != "" {
		t.Errorf("begin (-want +got):\n%s", diff)
	}
	read, err := s.Listing(t.Context(), got.ID)
	if diff := cmp.Diff(got, read); err != nil || diff != "" {
		t.Errorf("read back: error %v (-want +got):\n%s", err, diff)
	}
	if _, err := s.Listing(t.Context(), "sl-none"); !errors.Is(err, selling.ErrNoListing) {
		t.Errorf("an unknown listing: got error %v, want ErrNoListing", err)
	}
}

func sellingOnSale(t *testing.T, s SellingStore) {
	first := mustBegin(t, s, sellingOffer(1), journalStart)
	same, other := sellingOffer(2), sellingOffer(3)
	same.Goods, same.Market = first.Goods, pricing.SkinsBack
	other.Holder = first.Holder
	for _, st := range selling.OpenStates {
		first = mustBecome(t, s, first, st)
		for what, o := range map[string]selling.Offer{"the same goods": same, "the same holder": other} {
			if l, err := s.Begin(t.Context(), o, journalStart); !errors.Is(err, selling.ErrOnSale) {
				t.Errorf("%s while the first is %s: got %s, error %v, want ErrOnSale", what, st, l.ID, err)
			}
		}
	}
	mustBecome(t, s, first, selling.Withdrawn)
	second := mustBegin(t, s, sellingOffer(1), journalStart.Add(time.Minute))
	if second.Round != 2 || second.ID == first.ID {
		t.Errorf("after it was withdrawn: got round %d with ID %s, want round 2 with another than %s", second.Round, second.ID, first.ID)
	}
}

func sellingRace(t *testing.T, s SellingStore) {
	const many = 16
	began := make([]error, many)
	var racing sync.WaitGroup
	for i := range many {
		racing.Go(func() {
			o := sellingOffer(i + 1)
			o.Goods = "40000000000"
			_, began[i] = s.Begin(t.Context(), o, journalStart)
		})
	}
	racing.Wait()
	won := 0
	for i, err := range began {
		switch {
		case err == nil:
			won++
		case !errors.Is(err, selling.ErrOnSale):
			t.Errorf("offer %d: got error %v, want ErrOnSale", i, err)
		}
	}
	if won != 1 {
		t.Errorf("%d of %d offers of the same goods began, want 1", won, many)
	}
}

func sellingStopped(t *testing.T, s SellingStore) {
	first := mustBegin(t, s, sellingOffer(1), journalStart)
	if err := s.Stop(true); err != nil {
		t.Fatal(err)
	}
	if l, err := s.Begin(t.Context(), sellingOffer(2), journalStart); !errors.Is(err, execution.ErrStopped) {
		t.Errorf("begin while stopped: got %s, error %v, want ErrStopped", l.ID, err)
	}
	mustBecome(t, s, first, selling.Listed) // what was sent is followed
	if err := s.Stop(false); err != nil {
		t.Fatal(err)
	}
	mustBegin(t, s, sellingOffer(2), journalStart)
}

func sellingAdvance(t *testing.T, s SellingStore) {
	l := mustBegin(t, s, sellingOffer(1), journalStart)
	want := l
	want.State, want.MarketRef, want.OfferID, want.Proceeds, want.CreditRef, want.Error = selling.Sold, "50231", "7100000001", 900_000, "move-1", "why"
	want.UpdatedAt, want.ListedAt, want.GoneAt = journalStart.Add(3), journalStart.Add(1), journalStart.Add(2)
	odd := want
	odd.Offer, odd.Round, odd.CreatedAt = sellingOffer(9), 9, journalStart.Add(time.Hour)
	got, err := s.Advance(t.Context(), odd)
	want.Rev++
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("advance: error %v (-want +got):\n%s", err, diff)
	}
	if _, err := s.Advance(t.Context(), selling.NewListing(sellingOffer(5), 1, journalStart)); !errors.Is(err, selling.ErrNoListing) {
		t.Errorf("an unknown listing: got error %v, want ErrNoListing", err)
	}
}

func sellingStale(t *testing.T, s SellingStore) {
	l := mustBegin(t, s, sellingOffer(1), journalStart)
	listed := mustBecome(t, s, l, selling.Listed)
	l.State = selling.InDoubt
	if _, err := s.Advance(t.Context(), l); !errors.Is(err, selling.ErrStale) {
		t.Errorf("an old revision: got error %v, want ErrStale", err)
	}
	read, err := s.Listing(t.Context(), l.ID)
	if diff := cmp.Diff(listed, read); err != nil || diff != "" {
		t.Errorf("after that: error %v (-want +got):\n%s", err, diff)
	}
}

func sellingCredited(t *testing.T, s SellingStore) {
	first, second := mustBegin(t, s, sellingOffer(1), journalStart), mustBegin(t, s, sellingOffer(2), journalStart)
	first.CreditRef, second.CreditRef = "move-1", "move-1"
	first = mustBecome(t, s, first, selling.Sold)
	second.State = selling.Sold
	if _, err := s.Advance(t.Context(), second); !errors.Is(err, selling.ErrCredited) {
		t.Errorf("the same movement for another: got error %v, want ErrCredited", err)
	}
	mustBecome(t, s, first, selling.Sold) // for itself it may be told again
	elsewhere := sellingOffer(3)
	elsewhere.Market = pricing.SkinsBack
	third := mustBegin(t, s, elsewhere, journalStart)
	third.CreditRef = "move-1"
	mustBecome(t, s, third, selling.Sold) // another market counts for itself
}

func sellingInStates(t *testing.T, s SellingStore) {
	var all []selling.Listing
	for n, st := range selling.States {
		o := sellingOffer(n + 1)
		if n%2 == 1 {
			o.Market = pricing.SkinsBack
		}
		l := mustBegin(t, s, o, journalStart.Add(time.Duration(n)*time.Second))
		l.UpdatedAt = journalStart.Add(time.Duration(n) * time.Minute)
		all = append(all, mustBecome(t, s, l, st))
	}
	for name, tt := range map[string]struct {
		market pricing.Market
		since  time.Time
		states []selling.State
		want   func(selling.Listing) bool
	}{
		"all":           {"", time.Time{}, selling.States, func(selling.Listing) bool { return true }},
		"open":          {"", time.Time{}, selling.OpenStates, func(l selling.Listing) bool { return l.State.Open() }},
		"of one market": {pricing.SIH, time.Time{}, selling.States, func(l selling.Listing) bool { return l.Market == pricing.SIH }},
		"since": {"", journalStart.Add(3 * time.Minute), selling.States, func(l selling.Listing) bool {
			return !l.UpdatedAt.Before(journalStart.Add(3 * time.Minute))
		}},
		"of no state": {"", time.Time{}, nil, func(selling.Listing) bool { return false }},
	} {
		got, err := s.InStates(t.Context(), tt.market, tt.since, tt.states...)
		var want []selling.Listing
		for _, l := range all {
			if tt.want(l) {
				want = append(want, l)
			}
		}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: error %v (-want +got):\n%s", name, err, diff)
		}
	}
}

func sellingEnded(t *testing.T, s SellingStore) {
	var want []selling.Listing
	for n := range 30 {
		st := selling.States[n%len(selling.States)]
		o := sellingOffer(n + 1)
		if n%8 == 7 {
			o.Market = pricing.SkinsBack
		}
		l := mustBegin(t, s, o, journalStart)
		l.UpdatedAt = journalStart.Add(time.Duration(n/6) * time.Minute) // some at a time: the ID decides
		l = mustBecome(t, s, l, st)
		if o.Market == pricing.SIH && slices.Contains(selling.EndedStates, st) && n >= 6 {
			want = append(want, l)
		}
	}
	slices.SortFunc(want, func(a, b selling.Listing) int {
		if newer := b.UpdatedAt.Compare(a.UpdatedAt); newer != 0 {
			return newer
		}
		return strings.Compare(string(b.ID), string(a.ID))
	})
	for _, limit := range []int{1, 2, 100} {
		var got []selling.Listing
		after := selling.Listing{}
		for {
			page, err := s.Ended(t.Context(), pricing.SIH, journalStart.Add(time.Minute), after, limit)
			if err != nil || len(page) > limit {
				t.Fatalf("pages of %d: got %d, error %v", limit, len(page), err)
			}
			if len(page) == 0 {
				break
			}
			got, after = append(got, page...), page[len(page)-1]
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("pages of %d (-want +got):\n%s", limit, diff)
		}
	}
}

func sellingPrune(t *testing.T, s SellingStore) {
	mustEnter(t, s, sellingPosition(1))
	var rounds []selling.Listing // of one holder
	for n, st := range []selling.State{selling.Sold, selling.Withdrawn, selling.Returned, selling.Refused, selling.Unsent, selling.Vanished, selling.Withdrawn, selling.Withdrawn} {
		l := mustBegin(t, s, sellingOffer(1), journalStart)
		l.UpdatedAt = journalStart.Add(time.Duration(n) * time.Hour)
		rounds = append(rounds, mustBecome(t, s, l, st))
	}
	open := mustBegin(t, s, sellingOffer(2), journalStart)
	once := mustBegin(t, s, sellingOffer(3), journalStart) // of no position
	once.UpdatedAt = journalStart.Add(100 * time.Hour)
	once = mustBecome(t, s, once, selling.Withdrawn)
	prune := func(before time.Time, limit, want int) {
		t.Helper()
		if got, err := s.Prune(t.Context(), before, limit); err != nil || got != want {
			t.Errorf("prune at most %d from before %s: got %d, error %v, want %d", limit, before, got, err, want)
		}
	}
	prune(rounds[1].UpdatedAt, 10, 0)
	prune(rounds[6].UpdatedAt, 3, 3)
	prune(rounds[6].UpdatedAt, 10, 2)
	prune(once.UpdatedAt, 10, 1)
	prune(journalStart.Add(time.Hour*1000), 10, 1)
	for _, kept := range []selling.Listing{rounds[0], rounds[7], open} {
		if got, err := s.Listing(t.Context(), kept.ID); err != nil || got != kept {
			t.Errorf("round %d of %s: got %+v, error %v, want it kept", kept.Round, kept.Holder, got, err)
		}
	}
	for _, gone := range []selling.Listing{rounds[1], once} {
		if _, err := s.Listing(t.Context(), gone.ID); !errors.Is(err, selling.ErrNoListing) {
			t.Errorf("round %d of %s, which was pruned: got error %v, want ErrNoListing", gone.Round, gone.Holder, err)
		}
	}
	if next := mustBegin(t, s, sellingOffer(1), journalStart); next.Round != len(rounds)+1 {
		t.Errorf("the next is round %d, want %d", next.Round, len(rounds)+1)
	}
}

// settledOrder gives the nth order as a settled purchase of ours.
func settledOrder(n int) execution.Order {
	o := journalOrder(n)
	o.Buyer, o.State, o.Paid = execution.Buyer{}, execution.Settled, o.Ask
	o.ID = execution.OrderID(fmt.Sprint("sa-", n))
	return o
}

func unsoldIDs(t *testing.T, s selling.Journal) (ids []execution.OrderID) {
	t.Helper()
	orders, err := s.Unsold(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range orders {
		ids = append(ids, o.ID)
	}
	return ids
}

func sellingUnsold(t *testing.T, s SellingStore) {
	ours, later := settledOrder(1), settledOrder(2)
	forBuyer, foreign := settledOrder(3), settledOrder(4)
	forBuyer.Buyer = execution.Buyer{Ref: "fast-3", To: execution.Recipient{Partner: "3", SteamID: "76561197960265731", Token: "AbCd-_12"}}
	foreign.Proceeds, foreign.SellOn = 0, ""
	orders := []execution.Order{later, ours, forBuyer, foreign}
	for n, st := range execution.States {
		if st != execution.Settled {
			o := settledOrder(10 + n)
			o.State = st
			orders = append(orders, o)
		}
	}
	for _, o := range orders {
		if err := s.Adopt(o); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := unsoldIDs(t, s), []execution.OrderID{ours.ID, later.ID}; !slices.Equal(got, want) {
		t.Errorf("unsold: got %v, want %v", got, want)
	}
	unsold, err := s.Unsold(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := unsold[0]; got.Item != ours.Item || got.Paid != ours.Paid || got.Proceeds != ours.Proceeds || got.Market != ours.Market {
		t.Errorf("unsold: got %+v, want the fields of %+v", got, ours)
	}
	mustEnter(t, s, selling.PositionOf(ours, journalStart))
	if got, want := unsoldIDs(t, s), []execution.OrderID{later.ID}; !slices.Equal(got, want) {
		t.Errorf("after one was entered: got %v, want %v", got, want)
	}
}

func sellingUnsoldMany(t *testing.T, s SellingStore) {
	for n := range 103 {
		if err := s.Adopt(settledOrder(n + 1)); err != nil {
			t.Fatal(err)
		}
	}
	entered := 0
	for {
		orders, err := s.Unsold(t.Context())
		if err != nil || len(orders) > 100 {
			t.Fatalf("unsold: got %d orders, error %v, want at most 100", len(orders), err)
		}
		if len(orders) == 0 {
			break
		}
		for _, o := range orders {
			mustEnter(t, s, selling.PositionOf(o, journalStart))
			entered++
		}
	}
	if entered != 103 {
		t.Errorf("entered %d positions in turn, want 103", entered)
	}
}

func sellingUpdate(t *testing.T, s SellingStore) {
	p := mustEnter(t, s, sellingPosition(1))
	again := sellingPosition(1)
	again.Cost = 77
	mustEnter(t, s, again)
	held, err := s.Held(t.Context())
	if diff := cmp.Diff([]selling.Position{p}, held); err != nil || diff != "" {
		t.Errorf("entered twice: error %v (-want +got):\n%s", err, diff)
	}

	p.Asset, p.Floor, p.Note, p.UpdatedAt = "40000000001", 1_230_000, "why", journalStart.Add(time.Hour)
	odd := p
	odd.Cost, odd.Expected, odd.Item, odd.CreatedAt = 77, 77, journalItem(9), journalStart.Add(time.Minute)
	got, err := s.Update(t.Context(), odd)
	want := p
	want.Rev++
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("update: error %v (-want +got):\n%s", err, diff)
	}
	if _, err := s.Update(t.Context(), p); !errors.Is(err, selling.ErrStale) {
		t.Errorf("an old revision: got error %v, want ErrStale", err)
	}
	if _, err := s.Update(t.Context(), sellingPosition(2)); !errors.Is(err, selling.ErrNoPosition) {
		t.Errorf("an unknown position: got error %v, want ErrNoPosition", err)
	}
}

func sellingTaken(t *testing.T, s SellingStore) {
	first, second := mustEnter(t, s, sellingPosition(1)), mustEnter(t, s, sellingPosition(2))
	first.Asset, second.Asset = "40000000001", "40000000001"
	stored, err := s.Update(t.Context(), first)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Update(t.Context(), second); !errors.Is(err, selling.ErrTaken) {
		t.Errorf("the asset of another: got error %v, want ErrTaken", err)
	}
	if _, err := s.Update(t.Context(), stored); err != nil {
		t.Errorf("its own asset again: got error %v, want none", err)
	}
}

// sellingStands follows a position through its listings.
func sellingStands(t *testing.T, s SellingStore) {
	p := mustEnter(t, s, sellingPosition(1))
	check := func(want selling.PositionState, listing selling.Listing) {
		t.Helper()
		page, err := s.Page(t.Context(), selling.Query{})
		if err != nil || len(page) != 1 {
			t.Fatalf("got %d positions, error %v, want 1", len(page), err)
		}
		if got := page[0]; got.State() != want || got.Listing != listing {
			t.Errorf("got %s with %+v, want %s with %+v", got.State(), got.Listing, want, listing)
		}
		held, err := s.Held(t.Context())
		if err != nil || len(held) == 1 == page[0].Done() {
			t.Errorf("%s: got %d held, error %v", want, len(held), err)
		}
		counts, err := s.Count(t.Context())
		if err != nil || counts[want] != 1 || len(counts) != 1 {
			t.Errorf("got counts %v, error %v, want one %s", counts, err, want)
		}
		for _, st := range selling.PositionStates {
			found, err := s.Page(t.Context(), selling.Query{States: []selling.PositionState{st}})
			if err != nil || (len(found) == 1) != (st == want) {
				t.Errorf("it is %s: asked for %s got %d positions, error %v", want, st, len(found), err)
			}
		}
	}
	check(selling.Held, selling.Listing{})
	first := mustBegin(t, s, sellingOffer(1), journalStart)
	for _, st := range selling.States {
		if st != selling.Sold {
			first = mustBecome(t, s, first, st)
			check(selling.PositionStateOf(st), first)
		}
	}
	first = mustBecome(t, s, first, selling.Withdrawn)
	second := mustBegin(t, s, sellingOffer(1), journalStart.Add(time.Minute))
	check(selling.PositionState(selling.Sent), second)
	first.Proceeds, first.CreditRef = 5, "move-1"
	check(selling.PositionState(selling.Sold), mustBecome(t, s, first, selling.Sold)) // the money counts
	if page, err := s.Page(t.Context(), selling.Query{States: []selling.PositionState{"none"}}); err != nil || len(page) != 0 {
		t.Errorf("of a state that there is none of: got %d positions, error %v", len(page), err)
	}
	if got, want := p.ID, execution.OrderID(first.Holder); got != want {
		t.Errorf("the listing's holder is %s, want the position %s", want, got)
	}
}

func sellingPages(t *testing.T, s SellingStore) {
	var want []execution.OrderID
	for n := 1; n <= 7; n++ {
		p := sellingPosition(n)
		p.CreatedAt = journalStart.Add(time.Duration(n/2) * time.Second) // two at a time: the ID decides
		mustEnter(t, s, p)
		want = append([]execution.OrderID{p.ID}, want...)
	}
	var got []execution.OrderID
	q := selling.Query{Limit: 3}
	for {
		page, err := s.Page(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range page {
			got = append(got, p.ID)
			q.After = p.ID
		}
		if len(page) < q.Limit {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if _, err := s.Page(t.Context(), selling.Query{After: "sa-none"}); !errors.Is(err, selling.ErrNoPosition) {
		t.Errorf("after an unknown position: got error %v, want ErrNoPosition", err)
	}
}

func sellingProfits(t *testing.T, s SellingStore) {
	const day = 24 * time.Hour
	today := journalStart.Truncate(day)
	for n, tt := range []struct {
		bought   time.Time
		proceeds pricing.Money
		state    selling.State
	}{
		{today, 3 * pricing.Dollar, selling.Sold},               // costs 1
		{today.Add(day - 1), 1_500_000, selling.Sold},           // costs 2
		{today.Add(-1), 10 * pricing.Dollar, selling.Sold},      // costs 3
		{today.Add(-1), 0, selling.Listed},                      // not sold yet
		{today.Add(-2 * day), 0, selling.Vanished},              // nor ever
		{today.Add(-3 * day), 4 * pricing.Dollar, selling.Sold}, // costs 6
	} {
		p := sellingPosition(n + 1)
		p.BoughtAt = tt.bought
		mustEnter(t, s, p)
		l := mustBegin(t, s, sellingOffer(n+1), journalStart)
		l.Proceeds = tt.proceeds
		mustBecome(t, s, l, tt.state)
	}
	got, err := s.Profits(t.Context())
	want := []selling.Profit{{Day: today, Amount: 1_500_000}, {Day: today.Add(-day), Amount: 7 * pricing.Dollar}, {Day: today.Add(-3 * day), Amount: -2 * pricing.Dollar}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("profits: error %v (-want +got):\n%s", err, diff)
	}
}

func sellingReopen(t *testing.T, s SellingStore) {
	p := mustEnter(t, s, sellingPosition(1))
	p.Listing = mustBegin(t, s, sellingOffer(1), journalStart)
	again := s.Reopen()
	held, err := again.Held(t.Context())
	if diff := cmp.Diff([]selling.Position{p}, held); err != nil || diff != "" {
		t.Errorf("after reopening: error %v (-want +got):\n%s", err, diff)
	}
	if _, err := again.Begin(t.Context(), sellingOffer(1), journalStart); !errors.Is(err, selling.ErrOnSale) {
		t.Errorf("after reopening the goods are offered again: got error %v, want ErrOnSale", err)
	}
}

func sellingCancelled(t *testing.T, s SellingStore) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Begin(ctx, sellingOffer(1), journalStart); err == nil {
		t.Error("begin with a context that has ended: got no error")
	}
	if got, err := s.InStates(t.Context(), "", time.Time{}, selling.States...); err != nil || len(got) != 0 {
		t.Errorf("after that: got %d listings, error %v, want none", len(got), err)
	}
}
