package strategy

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"skinarb/pricing"
)

// inGame is what a spelling means in a game.
func inGame(t testing.TB, g pricing.Game, spelling string) pricing.Item {
	t.Helper()
	it, err := pricing.ParseItem(g, spelling, "")
	if err != nil {
		t.Fatal(err)
	}
	return it
}

// TestSameNameOfTwoGamesIsTwoItems: what one market has in one game is never sold
// as what another market has in another, however alike they are called.
func TestSameNameOfTwoGamesIsTwoItems(t *testing.T) {
	for _, name := range []string{"Rock", redline.Name, "★ Karambit | Doppler Ruby (Factory New)"} {
		for _, buyIn := range pricing.Games {
			for _, sellIn := range pricing.Games {
				cheap := pricing.Listing{Item: inGame(t, buyIn, name), MarketName: name, Ask: usd(t, "10"), Count: 3}
				dear := pricing.Listing{Item: inGame(t, sellIn, name), MarketName: name, Ask: usd(t, "13"), Count: 3}
				book, _ := pricing.NewBook().With(catalog(pricing.SkinsBack, buyIn, 1, noon, cheap))
				book, _ = book.With(catalog(pricing.SIH, sellIn, 1, noon, dear))
				e := New(DefaultRules())
				e.Update(book, nil, true, healthy(noon), noon)

				got := e.Opportunities(noon)
				if want := buyIn == sellIn; (len(got) == 1) != want || len(got) > 1 || want && got[0].Item != cheap.Item {
					t.Errorf("%q of %s on skinsback, of %s on sih: got %+v, want an opportunity %t", name, buyIn, sellIn, got, want)
				}
				if err := e.Recheck(cheap.Item, pricing.SkinsBack, pricing.SIH, cheap.Ask, noon); (err == nil) != (buyIn == sellIn) {
					t.Errorf("%q of %s on skinsback, of %s on sih: recheck got %v", name, buyIn, sellIn, err)
				}
			}
		}
	}
}

// TestSteamPricesAnItemWhoseNameOnlySoundsLikeAPhase: Steam's price is no reference
// for the phases of CS2, and one for every item of another game.
func TestSteamPricesAnItemWhoseNameOnlySoundsLikeAPhase(t *testing.T) {
	const name = "★ Karambit | Doppler Ruby (Factory New)"
	for game, refused := range map[pricing.Game]bool{pricing.CS2: false, pricing.Rust: true, pricing.Dota2: true, pricing.TF2: true} {
		s := newScene(t)
		s.item = inGame(t, game, name)
		s.sell.Steam = usd(t, "2") // a fifth of the ask
		_, vs := s.engine().Evaluate(s.book(), s.item, pricing.SkinsBack, pricing.SIH, noon)
		i := slices.IndexFunc(vs, func(v Verdict) bool { return v.Rule == "buy_reference" })
		if i < 0 || vs[i].Pass == refused {
			t.Errorf("%s: got %+v, want it refused %t by Steam's price", game, vs, refused)
		}
		i = slices.IndexFunc(vs, func(v Verdict) bool { return v.Rule == "phase_known" })
		if want := string(s.item.Phase); i < 0 || !vs[i].Pass || game == pricing.CS2 && vs[i].Detail != want || game != pricing.CS2 && vs[i].Detail != "the item has no phases" {
			t.Errorf("%s: got %+v, want its phase %q", game, vs, want)
		}
	}
}

// TestABareDopplerIsTradedInOtherGames: that a phase is not told can only be said
// of CS2.
func TestABareDopplerIsTradedInOtherGames(t *testing.T) {
	for _, g := range pricing.Games {
		s := newScene(t)
		s.item = inGame(t, g, "★ Karambit | Doppler (Factory New)")
		if got, want := len(s.engine().Opportunities(noon)) == 1, g != pricing.CS2; got != want {
			t.Errorf("%s: got an opportunity %t, want %t", g, got, want)
		}
	}
}

// TestUnitsOfOneGameStopOnlyThat: markets that disagree about Rust are still
// believed about CS2.
func TestUnitsOfOneGameStopOnlyThat(t *testing.T) {
	for _, wrong := range pricing.Games {
		book := pricing.NewBook()
		for _, g := range pricing.Games {
			sell := usd(t, "13")
			if g == wrong {
				sell *= 100
			}
			it := inGame(t, g, "Rock")
			book, _ = book.With(catalog(pricing.SkinsBack, g, 1, noon, pricing.Listing{Item: it, Ask: usd(t, "10"), Count: 1}))
			book, _ = book.With(catalog(pricing.SIH, g, 1, noon, pricing.Listing{Item: it, Ask: sell, Count: 1}))
		}
		e := New(DefaultRules())
		e.Update(book, nil, true, healthy(noon), noon)
		for _, g := range pricing.Games {
			traded := slices.ContainsFunc(e.Opportunities(noon), func(o Opportunity) bool { return o.Item.Game == g })
			agree := !slices.ContainsFunc(e.Verdicts(inGame(t, g, "Rock"), noon), func(v Verdict) bool { return v.Rule == "markets_agree" && !v.Pass })
			if want := g != wrong; traded != want || agree != want {
				t.Errorf("units of %s are wrong: %s is traded %t, its markets agree %t, want %t", wrong, g, traded, agree, want)
			}
		}
	}
}

// TestGamesAreJudgedApart: an engine that follows four games at once, with the same
// names in all of them, finds in each what an engine finds that knows only that one.
func TestGamesAreJudgedApart(t *testing.T) {
	names := []string{"Rock", redline.Name, "★ Karambit | Doppler (Factory New)", "★ Karambit | Doppler Ruby (Factory New)", "★ Karambit | Doppler Phase 2 (Factory New)"}
	rapid.Check(t, func(rt *rapid.T) {
		rules := DefaultRules()
		rules.MinProfit, rules.MinEdgeBps = pricing.Money(rapid.Int64Range(-1_000_000, 1_000_000).Draw(rt, "least profit")), -500
		all, alone := New(rules), map[pricing.Game]*Engine{}
		book, books := pricing.NewBook(), map[pricing.Game]*pricing.Book{}
		for _, g := range pricing.Games {
			alone[g], books[g] = New(rules), pricing.NewBook()
		}
		now := noon
		for version := range rapid.IntRange(1, 15).Draw(rt, "pulls") {
			now = now.Add(time.Duration(rapid.SampledFrom([]int{1, 60, 9 * 3600}).Draw(rt, "seconds")) * time.Second)
			m, g := rapid.SampledFrom(pricing.Markets).Draw(rt, "market"), rapid.SampledFrom(pricing.Games).Draw(rt, "game")
			var listings []pricing.Listing
			for _, name := range names {
				if rapid.IntRange(0, 3).Draw(rt, "on sale") > 0 {
					listings = append(listings, drawListing(rt, inGame(t, g, name)))
				}
			}
			c := catalog(m, g, uint64(version+1), now, listings...)
			statuses := healthy(now)
			var changed []int
			book, changed = book.With(c)
			all.Update(book, changed, false, statuses, now)
			books[g], changed = books[g].With(c)
			alone[g].Update(books[g], changed, false, statuses, now)

			byGame, got := map[pricing.Game][]Opportunity{}, all.Opportunities(now)
			for _, o := range got {
				byGame[o.Item.Game] = append(byGame[o.Item.Game], o)
			}
			for _, g := range pricing.Games {
				alone[g].SetStatuses(statuses)
				if diff := cmp.Diff(alone[g].Opportunities(now), byGame[g], cmpopts.EquateEmpty()); diff != "" {
					rt.Fatalf("opportunities of %s (-alone +among four games):\n%s", g, diff)
				}
			}
		}
	})
}

// TestNamesOfOtherGamesAreListedAsTheyStand: in an allow or deny list the spellings
// of a phase are one item in CS2, and as many as there are elsewhere.
func TestNamesOfOtherGamesAreListedAsTheyStand(t *testing.T) {
	const behind, inside = "Sword | Doppler (Factory New) - P2", "Sword | Doppler Phase 2 (Factory New)"
	for _, g := range pricing.Games {
		for _, tc := range []struct {
			line, name string
			want       bool
		}{
			{behind, behind, true},
			{"sword  | DOPPLER (factory new) - p2", behind, true},
			{inside, inside, true},
			{behind, inside, g == pricing.CS2},
			{inside, behind, g == pricing.CS2},
			{"Sword | Doppler (Factory New)", inside, g == pricing.CS2}, // a name without its phase is all phases
			{"Sword | Doppler*", inside, true},
			{"Rock", "Rock", true},
			{"Rock", "Tempered Rock", false},
		} {
			if got := names(t, tc.line).Match(inGame(t, g, tc.name)); got != tc.want {
				t.Errorf("%s: the line %q matches %q: got %t, want %t", g, tc.line, tc.name, got, tc.want)
			}
		}
	}
}

// TestReferencesOfGamesAreApart: the week of asks of one game prices nothing of
// another, also over a restart.
func TestReferencesOfGamesAreApart(t *testing.T) {
	w := newWatcher()
	asks := map[pricing.Game]pricing.Money{pricing.CS2: 10 * pricing.Dollar, pricing.Rust: 2 * pricing.Dollar, pricing.TF2: 5 * pricing.Dollar}
	for day := range 3 {
		for g, ask := range asks {
			w.see(pricing.SIH, inGame(t, g, "Rock"), ask, noon.AddDate(0, 0, day))
		}
	}
	kept, err := w.refs.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	w.refs = NewReferences()
	if err := w.refs.UnmarshalBinary(kept); err != nil {
		t.Fatal(err)
	}
	for _, g := range pricing.Games {
		w.want(t, inGame(t, g, "Rock"), noon.AddDate(0, 0, 2), asks[g]) // none of Dota 2
	}
}
