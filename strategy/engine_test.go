package strategy

import (
	"fmt"
	"math/big"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"skinarb/pricing"
)

// items that random books are made of: plain ones, all phases of two knives,
// and one of another game.
func someItems() []pricing.Item {
	var out []pricing.Item
	for i := range 6 {
		out = append(out, pricing.Item{Game: pricing.CS2, Name: fmt.Sprintf("AK-47 | No %d (Field-Tested)", i)})
	}
	for _, p := range pricing.Phases[1:] {
		if p != pricing.Emerald {
			out = append(out, karambit(p))
		}
	}
	return append(out, pricing.Item{Game: pricing.Rust, Name: "Tempered AK47"}, pricing.Item{Game: pricing.Rust, Name: "Metal Door"})
}

func drawListing(t *rapid.T, it pricing.Item) pricing.Listing {
	l := pricing.Listing{
		Item:  it,
		Ask:   pricing.Money(rapid.Int64Range(8_000_000, 22_000_000).Draw(t, "ask")),
		Count: rapid.IntRange(-1, 3).Draw(t, "count"),
	}
	if rapid.IntRange(0, 2).Draw(t, "has steam") == 0 {
		l.Steam = pricing.Money(rapid.Int64Range(3_000_000, 40_000_000).Draw(t, "steam"))
	}
	return l
}

func drawStatuses(t *rapid.T, now time.Time) []pricing.FeedStatus {
	out := healthy(now)
	if rapid.IntRange(0, 5).Draw(t, "a feed is held") == 0 {
		out[rapid.IntRange(0, 3).Draw(t, "which")].State = pricing.Held
	}
	return out
}

// TestIncrementalEqualsFull lets an engine follow random changes, hours apart
// or seconds, and compares it with one that judges everything anew each time.
// In passing it checks what must hold for every opportunity.
func TestIncrementalEqualsFull(t *testing.T) {
	items := someItems()
	rapid.Check(t, func(t *rapid.T) {
		rules := DefaultRules()
		rules.MinProfit = pricing.Money(rapid.Int64Range(-1_000_000, 2_000_000).Draw(t, "least profit"))
		rules.MinEdgeBps = rapid.Int64Range(-500, 1000).Draw(t, "least edge")
		e := New(rules)
		now, book := noon, pricing.NewBook()
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.SampledFrom([]int64{1, 60, 3 * 3600, 7 * 3600}).Draw(t, "seconds")) * time.Second)
			feed := pricing.Feed{
				Market: rapid.SampledFrom(pricing.Markets).Draw(t, "market"),
				Game:   rapid.SampledFrom([]pricing.Game{pricing.CS2, pricing.Rust}).Draw(t, "game"),
			}
			var set []pricing.Listing
			var gone []pricing.Item
			for _, it := range items {
				if it.Game != feed.Game {
					continue
				}
				switch rapid.IntRange(0, 4).Draw(t, "what happens") {
				case 0, 1:
					set = append(set, drawListing(t, it))
				case 2:
					gone = append(gone, it)
				}
			}
			observed := now.Add(-time.Duration(rapid.IntRange(0, 360).Draw(t, "age")) * time.Second)
			var changed []int
			if c, ok := book.Catalog(feed); ok && rapid.Bool().Draw(t, "as a change") {
				book, changed, ok = book.Apply(pricing.Change{Feed: feed, From: c.Version, To: c.Version + 1, ObservedAt: observed, Set: set, Gone: gone})
				if !ok {
					t.Fatal("Apply refused the next version")
				}
			} else {
				book, changed = book.With(catalog(feed.Market, feed.Game, c.Version+1, observed, set...))
			}
			if rapid.IntRange(0, 9).Draw(t, "doubled") == 0 {
				changed = append(changed, changed...)
			}
			statuses := drawStatuses(t, now)
			e.Update(book, changed, false, statuses, now)

			anew := New(rules)
			stored, err := e.References().MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			if err := anew.References().UnmarshalBinary(stored); err != nil {
				t.Fatal(err)
			}
			anew.Update(book, nil, true, statuses, now)
			got, want := e.Opportunities(now), anew.Opportunities(now)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("opportunities after changes (-all judged anew +got):\n%s", diff)
			}
			checkOpportunities(t, e, book, items, got, now)
			if rapid.IntRange(0, 4).Draw(t, "checked") == 0 && !e.Check() {
				t.Fatal("Check finds a state that changes did not lead to")
			}
		}
	})
}

// TestCheckMendsTheRanking spoils what changes have led to.
func TestCheckMendsTheRanking(t *testing.T) {
	first, second, changed := bigBooks(500)
	for what, spoil := range map[string]func(*state){
		"lost":      func(s *state) { s.ranked = s.ranked[1:] },
		"left over": func(s *state) { s.ranked = append(slices.Clone(s.ranked), s.ranked[0]) },
		"outdated":  func(s *state) { s.ranked = slices.Clone(s.ranked); s.ranked[0].profit-- },
		"counts":    func(s *state) { s.units = map[pricing.Game]agreement{pricing.CS2: {common: 500}} },
	} {
		e := New(DefaultRules())
		e.Update(first, nil, true, healthy(noon), noon)
		e.Update(second, changed, false, nil, noon)
		want := e.Opportunities(noon)
		spoiled := *e.state.Load()
		spoil(&spoiled)
		e.state.Store(&spoiled)
		if e.Check() {
			t.Errorf("%s: Check says that all is well", what)
		}
		if diff := cmp.Diff(want, e.Opportunities(noon)); diff != "" {
			t.Errorf("%s: after Check (-want +got):\n%s", what, diff)
		}
		if !e.Check() {
			t.Errorf("%s: Check is not content with its own work", what)
		}
	}
}

// checkOpportunities: exactly the directions whose every verdict passes are
// opportunities, ranked, and none pairs two phases or an unknown one.
func checkOpportunities(t *rapid.T, e *Engine, book *pricing.Book, items []pricing.Item, got []Opportunity, now time.Time) {
	for i, o := range got {
		if o.Buy.Item != o.Item || o.Sell.Item != o.Item || o.Item.Phase == pricing.UnknownPhase {
			t.Fatalf("opportunity in %v pairs %v with %v", o.Item, o.Buy.Item, o.Sell.Item)
		}
		if o.Buy.Market == o.Sell.Market || o.Profit != o.Proceeds-o.Cost {
			t.Fatalf("opportunity does not add up: %+v", o)
		}
		if i > 0 && (got[i-1].ReturnBps < o.ReturnBps || got[i-1].ReturnBps == o.ReturnBps && got[i-1].Profit < o.Profit) {
			t.Fatalf("opportunity %d returns %d after %d", i, o.ReturnBps, got[i-1].ReturnBps)
		}
	}
	for _, it := range items {
		for m := range pair {
			o, vs := e.Evaluate(book, it, pair[m], pair[1-m], now)
			listed := slices.ContainsFunc(got, func(x Opportunity) bool { return cmp.Equal(x, o) })
			if listed != passed(vs) {
				t.Fatalf("%s from %s: listed %t, but all verdicts passed %t: %+v", it, pair[m], listed, passed(vs), vs)
			}
		}
	}
}

// TestFiguresEqualDecimal calculates the same in decimals, without our rounding
// helpers.
func TestFiguresEqualDecimal(t *testing.T) {
	ten := decimal.NewFromInt(10_000)
	rapid.Check(t, func(t *rapid.T) {
		asks := rapid.Int64Range(1, int64(pricing.MaxMoney))
		bps := rapid.IntRange(0, 9_999)
		buy, sell := pricing.Money(asks.Draw(t, "buy")), pricing.Money(asks.Draw(t, "sell"))
		tm := terms{
			buy:  pricing.Fees{BuyBps: bps.Draw(t, "buy fee")},
			sell: pricing.Fees{SellBps: bps.Draw(t, "sell fee")},
			days: pricing.Money(rapid.IntRange(1, 30).Draw(t, "days")),
		}
		g := tm.profit(buy, sell)
		tm.returns(&g)

		cost := buy.Decimal().Mul(ten.Add(decimal.NewFromInt(int64(tm.buy.BuyBps)))).Div(ten).RoundUp(2)
		proceeds := sell.Decimal().Sub(decimal.New(1, -2)).Mul(ten.Sub(decimal.NewFromInt(int64(tm.sell.SellBps)))).Div(ten).RoundFloor(2)
		profit := proceeds.Sub(cost)
		for _, c := range []struct {
			what string
			got  pricing.Money
			want decimal.Decimal
		}{{"cost", g.cost, cost}, {"proceeds", g.proceeds, proceeds}, {"profit", g.profit, profit}} {
			if !c.got.Decimal().Equal(c.want) {
				t.Errorf("%s of %s to %s: got %s, want %s", c.what, buy, sell, c.got, c.want)
			}
		}
		floor := func(x, y decimal.Decimal) int64 {
			q, r := x.Mul(ten).QuoRem(y, 0)
			if r.IsNegative() {
				q = q.Sub(decimal.NewFromInt(1))
			}
			return q.IntPart()
		}
		if want := floor(profit, cost); g.edge != want {
			t.Errorf("edge of %s over %s: got %d, want %d", profit, cost, g.edge, want)
		}
		if want := floor(profit, cost.Mul(decimal.NewFromInt(int64(tm.days)))); g.perDay != want {
			t.Errorf("return of %s over %s in %d days: got %d, want %d", profit, cost, tm.days, g.perDay, want)
		}
	})
}

// TestAgreementIsTheMedian compares the counts with sorted exact ratios.
func TestAgreementIsTheMedian(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var a, b []pricing.Listing
		var ratios []*big.Rat
		for i := range rapid.IntRange(0, 9).Draw(t, "items") {
			it := pricing.Item{Game: pricing.CS2, Name: fmt.Sprint("item ", i)}
			x, y := rapid.Int64Range(1, 12).Draw(t, "ask"), rapid.Int64Range(1, 12).Draw(t, "other ask")
			a = append(a, pricing.Listing{Item: it, Ask: pricing.Money(x)})
			b = append(b, pricing.Listing{Item: it, Ask: pricing.Money(y)})
			ratios = append(ratios, big.NewRat(x, y))
		}
		// Not common, so they do not count.
		a = append(a, pricing.Listing{Item: karambit(pricing.UnknownPhase), Ask: 1}, pricing.Listing{Item: karambit(pricing.Ruby), Ask: 1})
		b = append(b, pricing.Listing{Item: karambit(pricing.UnknownPhase), Ask: 100}, pricing.Listing{Item: karambit(pricing.Phase1), Ask: 100})

		slices.SortFunc(ratios, (*big.Rat).Cmp)
		want := true
		if n := len(ratios); n > 0 {
			lower, upper := ratios[(n-1)/2], ratios[n/2]
			want = upper.Cmp(big.NewRat(1, 2)) >= 0 && lower.Cmp(big.NewRat(2, 1)) <= 0
		}
		book, _ := pricing.NewBook().With(catalog(pricing.SkinsBack, pricing.CS2, 1, noon, a...))
		book, _ = book.With(catalog(pricing.SIH, pricing.CS2, 1, noon, b...))
		g := agreementOf(book, pricing.CS2)
		if g.holds() != want || g.common != len(ratios) {
			t.Errorf("ratios %v: got %v (%t), want %d common and %t", ratios, g, g.holds(), len(ratios), want)
		}
	})
}

// TestUnitsWrongStopsEverything multiplies one market's catalog by a hundred
// and brings it back.
func TestUnitsWrongStopsEverything(t *testing.T) {
	list := func(scale pricing.Money, cents ...pricing.Money) []pricing.Listing {
		var ls []pricing.Listing
		for i, c := range cents {
			ls = append(ls, pricing.Listing{Item: pricing.Item{Game: pricing.CS2, Name: fmt.Sprint("item ", i)}, Ask: c * pricing.Cent * scale, Count: 1})
		}
		return ls
	}
	rules := DefaultRules()
	rules.MaxEdgeBps = 1_000_000
	e := New(rules)
	book, changed := pricing.NewBook().With(catalog(pricing.SkinsBack, pricing.CS2, 1, noon, list(1, 1000, 1000, 1000)...))
	e.Update(book, changed, false, healthy(noon), noon)
	for version, c := range []struct {
		scale pricing.Money
		want  int
	}{{1, 1}, {100, 0}, {1, 1}} {
		book, changed = book.With(catalog(pricing.SIH, pricing.CS2, uint64(version+1), noon, list(c.scale, 1000, 1000, 1300)...))
		e.Update(book, changed, false, nil, noon)
		if got := e.Opportunities(noon); len(got) != c.want {
			t.Errorf("at scale %d: got %d opportunities, want %d", c.scale, len(got), c.want)
		}
	}
}

// TestUnchangedItemLivesWithItsFeed: an item that no change names stays an
// opportunity while its feeds go on, and ends with them.
func TestUnchangedItemLivesWithItsFeed(t *testing.T) {
	s := newScene(t)
	e, book := s.engine(), s.book()
	now := noon
	for v := uint64(1); v < 10; v++ {
		now = now.Add(3 * time.Minute)
		for _, m := range pricing.Markets {
			var changed []int
			var ok bool
			book, changed, ok = book.Apply(pricing.Change{Feed: pricing.Feed{Market: m, Game: pricing.CS2}, From: v, To: v + 1, ObservedAt: now})
			if !ok || len(changed) != 0 {
				t.Fatalf("empty change: got %v %t, want none and true", changed, ok)
			}
			e.Update(book, changed, false, healthy(now), now)
		}
		got := e.Opportunities(now)
		if len(got) != 1 || !got[0].ObservedAt.Equal(now) || !got[0].ExpiresAt.Equal(now.Add(5*time.Minute)) {
			t.Fatalf("after %s: got %+v, want one observed now", now.Sub(noon), got)
		}
	}
	expires := now.Add(5 * time.Minute)
	if got := e.Opportunities(expires); len(got) != 1 {
		t.Errorf("at expiry: got %d opportunities, want 1", len(got))
	}
	e.SetStatuses(healthy(expires.Add(1)))
	if got := e.Opportunities(expires.Add(1)); len(got) != 0 {
		t.Errorf("past expiry: got %+v, want none", got)
	}
}

func TestSetRulesJudgesAnew(t *testing.T) {
	s := newScene(t)
	e := s.engine()
	s.rules.Deny = names(t, redline.Name)
	e.SetRules(s.rules, noon)
	if got := e.Opportunities(noon); len(got) != 0 {
		t.Errorf("denied: got %+v, want none", got)
	}
	e.SetRules(DefaultRules(), noon)
	if got := e.Opportunities(noon); len(got) != 1 {
		t.Errorf("allowed again: got %d opportunities, want 1", len(got))
	}
}

func TestRulesAreNotSharedWithTheCaller(t *testing.T) {
	s := newScene(t)
	e := s.engine()
	s.rules.Fees[pricing.SIH] = pricing.Fees{SellBps: 9999}
	e.Update(s.book(), nil, true, nil, noon)
	if got := e.Opportunities(noon); len(got) != 1 {
		t.Errorf("after the caller changed its map: got %d opportunities, want 1", len(got))
	}
}

// TestAnotherBookIsJudgedWhole: positions of an unrelated book mean other items.
func TestAnotherBookIsJudgedWhole(t *testing.T) {
	s := newScene(t)
	e := s.engine()
	s.item = pricing.Item{Game: pricing.CS2, Name: "AWP | Asiimov (Field-Tested)"}
	e.Update(s.book(), nil, false, nil, noon)
	got := e.Opportunities(noon)
	if len(got) != 1 || got[0].Item != s.item {
		t.Errorf("got %+v, want one in %s", got, s.item)
	}
}

func TestRankingOfEquals(t *testing.T) {
	var a, b []pricing.Listing
	for _, n := range []string{"C", "A", "B"} {
		it := pricing.Item{Game: pricing.CS2, Name: n}
		a = append(a, pricing.Listing{Item: it, Ask: 10 * pricing.Dollar, Count: 1})
		b = append(b, pricing.Listing{Item: it, Ask: 13 * pricing.Dollar, Count: 1})
	}
	a = append(a, pricing.Listing{Item: pricing.Item{Game: pricing.CS2, Name: "Z"}, Ask: 100 * pricing.Dollar, Count: 1})
	b = append(b, pricing.Listing{Item: pricing.Item{Game: pricing.CS2, Name: "Z"}, Ask: 145 * pricing.Dollar, Count: 1})
	book, _ := pricing.NewBook().With(catalog(pricing.SkinsBack, pricing.CS2, 1, noon, a...))
	book, _ = book.With(catalog(pricing.SIH, pricing.CS2, 1, noon, b...))
	e := New(DefaultRules())
	e.Update(book, nil, true, healthy(noon), noon)
	var got []string
	for _, o := range e.Opportunities(noon) {
		got = append(got, o.Item.Name)
	}
	if want := []string{"Z", "A", "B", "C"}; !slices.Equal(got, want) {
		t.Errorf("got order %v, want %v: by return, then by name", got, want)
	}
}

// TestReadersSeeWholeStates runs a writer against readers; the writer switches
// between two books, and no reader may see a mixture.
func TestReadersSeeWholeStates(t *testing.T) {
	s := newScene(t)
	first := s.book()
	s.sell.Ask += pricing.Dollar
	sell := s.sell
	second, changed := first.With(catalog(pricing.SIH, pricing.CS2, 2, noon, sell))
	e := New(s.rules)
	e.Update(first, nil, true, s.statuses, noon)
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				for _, o := range e.Opportunities(noon) {
					if want := pricing.SIH; o.Sell.Market != want || o.Profit != o.Proceeds-o.Cost || o.Proceeds != (pricing.Fees{SellBps: 1000}).Proceeds(o.Sell.Ask) {
						t.Errorf("got a mixture: %+v", o)
					}
				}
				if got := len(e.Verdicts(redline, noon)); got != 2*len(rules) {
					t.Errorf("got %d verdicts, want %d", got, 2*len(rules))
				}
			}
		})
	}
	for i := range 200 {
		e.Update([]*pricing.Book{second, first}[i%2], changed, false, nil, noon)
		e.SetStatuses(s.statuses)
	}
	close(done)
	readers.Wait()
}
