package fetch

import (
	"fmt"
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"skinarb/pricing"
)

var testFeed = pricing.Feed{Market: pricing.SIH, Game: pricing.CS2}

// catalogOf gives a catalog of items named after their place, with these asks.
func catalogOf(asks ...pricing.Money) pricing.Catalog {
	c := pricing.Catalog{Feed: testFeed, Version: 1}
	for i, ask := range asks {
		c.Listings = append(c.Listings, pricing.Listing{Item: pricing.Item{Game: testFeed.Game, Name: fmt.Sprint(i)}, Ask: ask})
	}
	return c
}

// even gives n asks of the same amount.
func even(n int, ask pricing.Money) []pricing.Money { return slices.Repeat([]pricing.Money{ask}, n) }

func TestCheck(t *testing.T) {
	hundred := catalogOf(even(10, 100)...)
	others := catalogOf(even(20, 100)...)
	others.Listings = others.Listings[10:]
	for _, tc := range []struct {
		name string
		old  pricing.Catalog
		next pricing.Catalog
		want Reason
	}{
		{"the first catalog", pricing.Catalog{}, hundred, Passes},
		{"the first is empty", pricing.Catalog{}, pricing.Catalog{}, Empty},
		{"empty", hundred, catalogOf(), Empty},
		{"still empty after it was accepted", catalogOf(), catalogOf(), Passes},
		{"after an empty one", catalogOf(), hundred, Passes},
		{"the same", hundred, hundred, Passes},
		{"grown tenfold", hundred, catalogOf(even(100, 100)...), Passes},
		{"half is left", hundred, catalogOf(even(5, 100)...), Passes},
		{"less than half is left", hundred, catalogOf(even(4, 100)...), Shrunken},
		{"as many, but others", hundred, others, Shrunken},
		{"at the upper bound", hundred, catalogOf(even(10, 150)...), Passes},
		{"above the upper bound", hundred, catalogOf(even(10, 151)...), Rescaled},
		{"at the lower bound", hundred, catalogOf(even(10, 67)...), Passes},
		{"below the lower bound", hundred, catalogOf(even(10, 66)...), Rescaled},
		{"cents for dollars", hundred, catalogOf(even(10, 10_000)...), Rescaled},
		{"fewer than half the prices off", hundred, catalogOf(append(even(4, 9000), even(6, 100)...)...), Passes},
		{"half the prices off, their mean is in", hundred, catalogOf(append(even(5, 200), even(5, 100)...)...), Passes},
		{"half the prices off, their mean is out", hundred, catalogOf(append(even(5, 202), even(5, 100)...)...), Rescaled},
		{"shrunken and rescaled waits for the operator", hundred, catalogOf(even(3, 10_000)...), Rescaled},
		{"the largest money", catalogOf(even(3, pricing.MaxMoney-1)...), catalogOf(even(3, pricing.MaxMoney)...), Passes},
	} {
		if got := Check(tc.old, tc.next); got.Reason != tc.want || got.Held() != (tc.want != Passes) || got.Held() != (got.Detail != "") {
			t.Errorf("%s: got %+v, want %q", tc.name, got, tc.want)
		}
	}
}

func TestMedianIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ask := rapid.Uint64Range(1, uint64(pricing.MaxMoney))
		rs := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) ratio { return ratio{ask.Draw(t, "next"), ask.Draw(t, "old")} }), 1, 9).Draw(t, "ratios")
		exact := make([]*big.Rat, len(rs))
		for i, r := range rs {
			exact[i] = r.rat()
		}
		slices.SortFunc(exact, (*big.Rat).Cmp)
		want := exact[len(exact)/2]
		if len(exact)%2 == 0 {
			want = new(big.Rat).Add(want, exact[len(exact)/2-1])
			want.Mul(want, big.NewRat(1, 2))
		}
		if got, ok := medianOf(rs); !ok || got.Cmp(want) != 0 {
			t.Errorf("median: got %s, %v, want %s", got, ok, want)
		}
	})
}

func TestListingsThatNoSourceMayGive(t *testing.T) {
	twice := catalogOf(1, 2)
	twice.Listings[1].Item = twice.Listings[0].Item
	foreign := catalogOf(1)
	foreign.Listings[0].Item.Game = pricing.Rust
	for name, tc := range map[string]struct {
		old, next pricing.Catalog
		valid     bool
	}{
		"good":                   {catalogOf(1, 2), catalogOf(1, 2, 3), true},
		"a new item twice":       {catalogOf(), twice, false},
		"an item in force twice": {catalogOf(1, 2), twice, false},
		"another game's":         {catalogOf(), foreign, false},
		"for nothing":            {catalogOf(), catalogOf(0), false},
		"for less than nothing":  {catalogOf(), catalogOf(-1), false},
	} {
		if err := pair(tc.old, tc.next).validate(); (err == nil) != tc.valid {
			t.Errorf("%s: got %v, want valid: %v", name, err, tc.valid)
		}
	}
}

func TestDiff(t *testing.T) {
	old := catalogOf(10, 20, 30, 40)
	old.Version = 7
	for i := range old.Listings {
		old.Listings[i].Since = uint64(i + 1)
	}
	next := catalogOf(10, 21, 30, 0, 50)
	next.Version = 8
	next.Listings[2].Count = 5
	next.Listings = slices.Delete(next.Listings, 3, 4)
	ch := Diff(old, next)
	if ch.From != 7 || ch.To != 8 || ch.Feed != testFeed {
		t.Errorf("got a change of %s from %d to %d, want sih/cs2 from 7 to 8", ch.Feed, ch.From, ch.To)
	}
	for i, want := range []uint64{1, 8, 3, 8} {
		if got := next.Listings[i].Since; got != want {
			t.Errorf("since of %s: got %d, want %d", next.Listings[i].Item, got, want)
		}
	}
	if want := []pricing.Listing{next.Listings[1], next.Listings[2], next.Listings[3]}; !slices.Equal(ch.Set, want) {
		t.Errorf("set: got %v, want %v", ch.Set, want)
	}
	if want := []pricing.Item{old.Listings[3].Item}; !slices.Equal(ch.Gone, want) {
		t.Errorf("gone: got %v, want %v", ch.Gone, want)
	}
}

// A book that applies the change is the book of the new catalog.
func TestDiffLeadsFromOneToTheOther(t *testing.T) {
	listings := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) pricing.Listing {
		return pricing.Listing{
			Item: pricing.Item{Game: testFeed.Game, Name: rapid.StringMatching("[a-f]").Draw(t, "name")},
			Ask:  pricing.Money(rapid.IntRange(1, 3).Draw(t, "ask")), Count: rapid.IntRange(0, 1).Draw(t, "count"),
		}
	}), 0, 6, func(l pricing.Listing) pricing.Item { return l.Item })
	rapid.Check(t, func(t *rapid.T) {
		old := pricing.Catalog{Feed: testFeed, Version: 1, Listings: listings.Draw(t, "old")}
		Diff(pricing.Catalog{}, old)
		next := pricing.Catalog{Feed: testFeed, Version: 2, Listings: listings.Draw(t, "next")}
		ch := Diff(old, next)
		before, _ := pricing.NewBook().With(old)
		after, _, ok := before.Apply(ch)
		if !ok || after.Live(testFeed) != len(next.Listings) {
			t.Fatalf("apply: got %v with %d listings, want %d", ok, after.Live(testFeed), len(next.Listings))
		}
		for _, l := range next.Listings {
			q, _ := after.Quote(testFeed.Market, l.Item)
			if q.Listing != l {
				t.Errorf("%s: got %+v, want %+v", l.Item, q.Listing, l)
			}
			was, had := before.Quote(testFeed.Market, l.Item)
			if keeps := had && was.Ask == l.Ask; keeps != (l.Since == 1) {
				t.Errorf("%s at %s, before at %s: got since %d", l.Item, l.Ask, was.Ask, l.Since)
			}
		}
		if size := len(ch.Set) + len(ch.Gone); size > len(old.Listings)+len(next.Listings) {
			t.Errorf("the change has %d entries", size)
		}
	})
}
