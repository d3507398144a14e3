package strategy

import (
	"fmt"
	"testing"

	"skinarb/pricing"
)

// bigBooks gives two markets with n common items in different orders, a few of which
// are opportunities, and a second book in which two of a hundred have changed.
func bigBooks(n int) (first, second *pricing.Book, changed []int) {
	make := func(m pricing.Market, version uint64, factor pricing.Money) []pricing.Listing {
		var ls []pricing.Listing
		for i := range n {
			k := i
			if m == pricing.SIH {
				k = i * 7919 % n
			}
			ask := pricing.Money(1+k%500) * 97 * pricing.Cent * factor / 100
			if m == pricing.SIH && k%24 == 0 {
				ask = ask * 13 / 10
			}
			if version == 2 && k%50 == 0 {
				ask += pricing.Cent
			}
			ls = append(ls, pricing.Listing{Item: pricing.Item{Game: pricing.CS2, Name: fmt.Sprintf("AK-47 | Number %d (Field-Tested)", k)}, Ask: ask, Count: 3})
		}
		return ls
	}
	first, _ = pricing.NewBook().With(catalog(pricing.SkinsBack, pricing.CS2, 1, noon, make(pricing.SkinsBack, 1, 100)...))
	first, _ = first.With(catalog(pricing.SIH, pricing.CS2, 1, noon, make(pricing.SIH, 1, 104)...))
	second, changed = first.With(catalog(pricing.SIH, pricing.CS2, 2, noon, make(pricing.SIH, 2, 104)...))
	return first, second, changed
}

func BenchmarkFullScan25k(b *testing.B) {
	first, _, _ := bigBooks(25_000)
	e := New(DefaultRules())
	statuses := healthy(noon)
	e.Update(first, nil, true, statuses, noon)
	b.ReportAllocs()
	for b.Loop() {
		e.Update(first, nil, true, nil, noon)
	}
	b.ReportMetric(float64(len(e.Opportunities(noon))), "opportunities")
}

func BenchmarkIncremental2Percent(b *testing.B) {
	first, second, changed := bigBooks(25_000)
	e := New(DefaultRules())
	e.Update(first, nil, true, healthy(noon), noon)
	b.ReportAllocs()
	books := [2]*pricing.Book{second, first}
	for i := 0; b.Loop(); i++ {
		e.Update(books[i%2], changed, false, nil, noon)
	}
	b.ReportMetric(float64(len(changed)), "changed")
}

func BenchmarkOpportunities(b *testing.B) {
	first, _, _ := bigBooks(25_000)
	e := New(DefaultRules())
	e.Update(first, nil, true, healthy(noon), noon)
	b.ReportAllocs()
	for b.Loop() {
		e.Opportunities(noon)
	}
}

// TestUpdateAllocates pins what an update may allocate whatever the catalog's
// size: the new state and its ranking, nothing for each item.
func TestUpdateAllocates(t *testing.T) {
	const most = 10
	first, second, changed := bigBooks(5_000)
	e := New(DefaultRules())
	e.Update(first, nil, true, healthy(noon), noon)
	books := [2]*pricing.Book{second, first}
	i := 0
	for what, update := range map[string]func(){
		"full":        func() { e.Update(first, nil, true, nil, noon) },
		"incremental": func() { e.Update(books[i%2], changed, false, nil, noon); i++ },
	} {
		if got := testing.AllocsPerRun(20, update); got > most {
			t.Errorf("%s update: got %.0f allocations, want at most %d", what, got, most)
		}
	}
}
