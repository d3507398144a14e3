package scan

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"skinarb/pricing"
)

// TestNamesMeanWhatParseItemSays finds names in any order, over several pulls.
func TestNamesMeanWhatParseItemSays(t *testing.T) {
	spellings := []string{
		"AK-47 | Redline (Field-Tested)", " AK-47 | Redline (Field-Tested)", "Kilowatt Case", "", " ", "a\x00b", "\xff",
		"★ Karambit | Doppler (Factory New)", "★ Karambit | Doppler Ruby (Factory New)", "★ Karambit | Doppler Emerald (Factory New)",
		"Cafe\u0301", "Café", strings.Repeat("long", 200),
	}
	phases := []string{"", "Ruby", "Phase 1", "Phase 9", strings.Repeat("long", 200)}
	rapid.Check(t, func(t *rapid.T) {
		names := NewNames(pricing.CS2)
		for pull := range rapid.IntRange(1, 4).Draw(t, "pulls") {
			catalog := names.Catalog()
			seen := map[pricing.Item]bool{}
			for range rapid.IntRange(0, 40).Draw(t, "rows") {
				name, phase := rapid.SampledFrom(spellings).Draw(t, "name"), rapid.SampledFrom(phases).Draw(t, "phase")
				got, err := names.Find([]byte(name), phase)
				if err != nil {
					t.Fatal(err)
				}
				want, wantErr := pricing.ParseItem(pricing.CS2, name, phase)
				if got.Spelling != name || got.Item != want || (got.Err == nil) != (wantErr == nil) || errors.Is(got.Err, pricing.ErrName) != errors.Is(wantErr, pricing.ErrName) {
					t.Fatalf("pull %d, %q, %q: got %+v, want %+v, %v", pull, name, phase, got, want, wantErr)
				}
				if wantErr != nil {
					continue
				}
				l, taken := catalog.Place(got)
				if l.Item != want || taken != seen[want] || !taken && l.Ask != 0 || taken && l.Ask == 0 {
					t.Fatalf("pull %d, %q, %q: got %+v, taken %t, want taken %t", pull, name, phase, l, taken, seen[want])
				}
				seen[want], l.Ask = true, 1
			}
			if len(catalog.Listings) != len(seen) {
				t.Fatalf("pull %d: got %d listings, want %d", pull, len(catalog.Listings), len(seen))
			}
			catalog.Done()
		}
	})
}

func TestIndexesCountSpellings(t *testing.T) {
	names := NewNames(pricing.CS2)
	long := strings.Repeat("x", maxKept+1)
	for i, want := range []int{0, 1, 0, 2, -1, 1, 2, 3} {
		name := []string{"A", " A", "A", "B", long, " A", "B", "C"}[i]
		if got, err := names.Find([]byte(name), ""); err != nil || got.Index != want {
			t.Errorf("%.10q: got index %d, %v, want %d", name, got.Index, err, want)
		}
	}
}

func TestKnownNamesCostNothing(t *testing.T) {
	names := NewNames(pricing.CS2)
	var all [][]byte
	for i := range 2000 {
		all = append(all, fmt.Appendf(nil, "★ Karambit | Doppler Phase %d (Factory New) %d", 1+i%4, i))
	}
	find := func(step int) {
		for i := range all {
			if _, err := names.Find(all[i*step%len(all)], ""); err != nil {
				t.Fatal(err)
			}
		}
	}
	find(1)
	for _, step := range []int{1, 7, 1999} {
		if n := testing.AllocsPerRun(5, func() { find(step) }); n != 0 {
			t.Errorf("every %d. of %d known names: got %g allocations, want 0", step, len(all), n)
		}
	}
}

func TestNamesAreBounded(t *testing.T) {
	names := NewNames(pricing.Rust)
	for i := range MaxNames {
		if _, err := names.Find(fmt.Appendf(nil, "%d", i), ""); err != nil {
			t.Fatalf("name %d: %v", i, err)
		}
	}
	if _, err := names.Find([]byte("7"), ""); err != nil {
		t.Errorf("a known name: got %v", err)
	}
	if _, err := names.Find([]byte("one too many"), ""); err == nil {
		t.Errorf("name %d: got no error", MaxNames+1)
	}
	var tables Tables
	tables.Return(names) // nothing is sold under any of them
	if names = tables.Take(pricing.Rust); len(names.names) > 1 {
		t.Errorf("got %d names that nothing is sold under, want them forgotten", len(names.names))
	}
}

func TestTablesKeepNames(t *testing.T) {
	var tables Tables
	first := tables.Take(pricing.CS2)
	if second := tables.Take(pricing.CS2); second == first {
		t.Fatal("two pulls got one table")
	}
	if _, err := first.Find([]byte("A"), ""); err != nil {
		t.Fatal(err)
	}
	tables.Return(first)
	if other := tables.Take(pricing.Rust); other == first {
		t.Error("Rust got the names of CS2")
	}
	again := tables.Take(pricing.CS2)
	if again != first || len(again.names) != 2 {
		t.Errorf("got a table of %d names, want the one that was returned", len(again.names))
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				n := tables.Take(pricing.CS2)
				if _, err := n.Find([]byte("B"), ""); err != nil {
					t.Error(err)
				}
				tables.Return(n)
			}
		})
	}
	wg.Wait()
}

func TestWords(t *testing.T) {
	read := 0
	w := NewWords(func(s string) string { read++; return strings.ToUpper(s) })
	for range 3 {
		for _, s := range []string{"", "a", "b", strings.Repeat("c", maxWord+1)} {
			if got := w.Read([]byte(s)); got != strings.ToUpper(s) {
				t.Errorf("%q: got %q", s, got)
			}
		}
	}
	if read != 3+3 {
		t.Errorf("got %d readings, want one of each short text and three of the long one", read)
	}
	for i := range 3 * maxWords {
		w.Read(fmt.Append(nil, i))
	}
	if len(w.known) > maxWords {
		t.Errorf("got %d words, want at most %d", len(w.known), maxWords)
	}
}

func TestBlock(t *testing.T) {
	var block Block
	var got, want []string
	for i := range 5000 {
		s := strings.Repeat(fmt.Sprint(i), i%200)
		b := []byte(s)
		got, want = append(got, block.Text(b)), append(want, s)
		clear(b) // the text must be a copy
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("text %d: got %q, want %q", i, got[i], want[i])
		}
	}
	id := []byte("7001001123")
	if n := testing.AllocsPerRun(1000, func() { block.Text(id) }); n > 0.01 {
		t.Errorf("got %g allocations for a text of %d bytes, want one in hundreds", n, len(id))
	}
}
