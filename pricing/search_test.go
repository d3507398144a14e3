package pricing

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// searchBook gives a book in which SIH offers names, one listing each.
func searchBook(t testing.TB, b *Book, f Feed, names ...string) *Book {
	t.Helper()
	c := Catalog{Feed: f, Version: 1, ObservedAt: time.Unix(1, 0)}
	for _, name := range names {
		it, err := ParseItem(f.Game, name, "")
		if err != nil {
			t.Fatal(err)
		}
		c.Listings = append(c.Listings, Listing{Item: it, MarketName: name, Ask: Dollar, Count: 1})
	}
	next, _ := b.With(c)
	return next
}

var searchable = []string{
	"AK-47 | Redline (Field-Tested)",
	"AK-47 | Redline (Well-Worn)",
	"StatTrak™ AK-47 | Redline (Field-Tested)",
	"Desert Eagle | Emerald Jörmungandr (Factory New)",
	"MAC-10 | Saibā Oni (Minimal Wear)",
	"Sticker | Man-o'-war (Holo)",
	"M4A4 | 龍王 (Dragon King) (Field-Tested)",
	"★ Karambit | Doppler (Factory New)",
	"★ Karambit | Doppler Ruby (Factory New)",
	"★ Karambit | Doppler Phase 2 (Factory New)",
	"Sticker | Redlined",
}

func TestSearch(t *testing.T) {
	b := searchBook(t, NewBook(), Feed{SIH, CS2}, searchable...)
	b = searchBook(t, b, Feed{SIH, TF2}, "Redline Hat")
	var s Search
	for _, tt := range []struct {
		query string
		want  []string
	}{
		{"ak redline", []string{"AK-47 | Redline (Well-Worn)", "AK-47 | Redline (Field-Tested)", "StatTrak™ AK-47 | Redline (Field-Tested)"}},
		{"REDLINE ak-47 field", []string{"AK-47 | Redline (Field-Tested)", "StatTrak™ AK-47 | Redline (Field-Tested)"}},
		{"ak47 red", []string{"AK-47 | Redline (Well-Worn)", "AK-47 | Redline (Field-Tested)", "StatTrak™ AK-47 | Redline (Field-Tested)"}},
		{"stattrak", []string{"StatTrak™ AK-47 | Redline (Field-Tested)"}},
		{"StatTrak™ ★", []string{"StatTrak™ AK-47 | Redline (Field-Tested)"}},
		{"redl", []string{"Sticker | Redlined", "AK-47 | Redline (Well-Worn)", "AK-47 | Redline (Field-Tested)", "StatTrak™ AK-47 | Redline (Field-Tested)"}},
		{"edline", nil}, // words are cut at their end only
		{"jormungandr", []string{"Desert Eagle | Emerald Jörmungandr (Factory New)"}},
		{"JÖRMUNGANDR", []string{"Desert Eagle | Emerald Jörmungandr (Factory New)"}},
		{"jo\u0308rm", []string{"Desert Eagle | Emerald Jörmungandr (Factory New)"}},
		{"saiba", []string{"MAC-10 | Saibā Oni (Minimal Wear)"}},
		{"manowar", []string{"Sticker | Man-o'-war (Holo)"}},
		{"man war", []string{"Sticker | Man-o'-war (Holo)"}},
		{"龍王", []string{"M4A4 | 龍王 (Dragon King) (Field-Tested)"}},
		{"karambit ruby", []string{"★ Karambit | Doppler Ruby (Factory New)"}},
		{"karambit phase 2", []string{"★ Karambit | Doppler Phase 2 (Factory New)"}},
		{"karambit", []string{"★ Karambit | Doppler Phase 2 (Factory New)", "★ Karambit | Doppler Ruby (Factory New)", "★ Karambit | Doppler (Factory New)"}},
		{"redline hat", nil}, // of another game
		{"redline awp", nil},
	} {
		found, next, err := s.Find(b, CS2, tt.query, 100, "")
		var got []string
		for _, it := range found {
			got = append(got, it.String())
		}
		if err != nil || next != "" || !slices.Equal(got, tt.want) {
			t.Errorf("query %q: got %q, cursor %q, error %v; want %q", tt.query, got, next, err, tt.want)
		}
	}
}

func TestSearchRefuses(t *testing.T) {
	b := searchBook(t, NewBook(), Feed{SIH, CS2}, searchable...)
	cursor := formatCursor(b.Item(0))
	for _, tt := range []struct {
		query, cursor string
		want          error
	}{
		{"", "", ErrSearch},
		{" | ™ ★", "", ErrSearch},
		{"a b c d e f g h i j", "", nil},
		{"a b c d e f g h i j k", "", ErrSearch},
		{"a-b-c-d-e-f-g-h-i-j-k", "", ErrSearch},
		{strings.Repeat("x", 200), "", nil},
		{strings.Repeat("x", 201), "", ErrSearch},
		{"\xff", "", ErrSearch},
		{"ak", cursor, nil},
		{"ak", "!", ErrCursor},
		{"ak", "eA", ErrCursor},
		{"ak", cursor[:len(cursor)-1] + "=", ErrCursor},
		{"ak", strings.Repeat("a", 1000), ErrCursor},
		{"ak", formatCursor(Item{Name: "x", Phase: "Phase 9"}), ErrCursor},
		{"ak", formatCursor(Item{Name: ""}), ErrCursor},
	} {
		if _, _, err := new(Search).Find(b, CS2, tt.query, 10, tt.cursor); !errors.Is(err, tt.want) {
			t.Errorf("query %.30q, cursor %.30q: got %v, want %v", tt.query, tt.cursor, err, tt.want)
		}
	}
}

// TestSearchFollowsTheBook sees items come and go without being told.
func TestSearchFollowsTheBook(t *testing.T) {
	var s Search
	count := func(b *Book) int {
		found, _, err := s.Find(b, CS2, "redline", 100, "")
		if err != nil {
			t.Fatal(err)
		}
		return len(found)
	}
	b1 := searchBook(t, NewBook(), Feed{SIH, CS2}, searchable[:2]...)
	b2 := searchBook(t, b1, Feed{SIH, CS2}, searchable[1])            // one is gone
	b3 := searchBook(t, b2, Feed{SkinsBack, CS2}, searchable[0:3]...) // it is back elsewhere, and a new one
	for i, b := range []*Book{b1, b2, b3, b1, b2} {
		if got, want := count(b), []int{2, 1, 3, 2, 1}[i]; got != want {
			t.Errorf("book %d: got %d items, want %d", i, got, want)
		}
	}
}

// TestSearchPages walks through pages of any size while items come and go. What
// was on offer all the time is found exactly once, in order.
func TestSearchPages(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var stay, first, later []string
		for i := range rapid.IntRange(1, 40).Draw(t, "items") {
			name := fmt.Sprintf("Item %s %d", strings.Repeat("x", i%5), i)
			switch rapid.IntRange(0, 2).Draw(t, "when") {
			case 0:
				stay = append(stay, name)
			case 1:
				first = append(first, name)
			default:
				later = append(later, name)
			}
		}
		book := func(names ...string) *Book {
			c := Catalog{Feed: Feed{SIH, CS2}}
			for _, n := range names {
				c.Listings = append(c.Listings, Listing{Item: Item{Game: CS2, Name: n}, Ask: Dollar})
			}
			b, _ := NewBook().With(c)
			return b
		}
		books := []*Book{book(slices.Concat(stay, first)...), book(slices.Concat(later, stay)...)}
		limit := rapid.IntRange(1, 10).Draw(t, "limit")
		var s Search
		var got []Item
		for page, cursor := 0, ""; ; page++ {
			found, next, err := s.Find(books[page%2], CS2, "item", limit, cursor)
			if err != nil {
				t.Fatal(err)
			}
			if len(found) > limit || next != "" && len(found) < limit {
				t.Fatalf("page %d: got %d items and cursor %q, want %d", page, len(found), next, limit)
			}
			got = append(got, found...)
			if cursor = next; cursor == "" {
				break
			}
		}
		seen := map[string]int{}
		for i, it := range got {
			seen[it.Name]++
			if i > 0 && (len(got[i-1].Name) > len(it.Name) || len(got[i-1].Name) == len(it.Name) && got[i-1].Name >= it.Name) {
				t.Fatalf("%q comes before %q", got[i-1].Name, it.Name)
			}
		}
		for _, name := range stay {
			if seen[name] != 1 {
				t.Fatalf("%q: found %d times, want once", name, seen[name])
			}
		}
	})
}

func FuzzSearch(f *testing.F) {
	for _, s := range []string{"ak redline", "★ ™", "Jö", "\u0308", "ﬀ", "İ", "a-b c.d", "\x00", "龍"} {
		f.Add(s, "")
	}
	f.Add("ak", formatCursor(Item{Name: "AK-47 | Redline (Field-Tested)"}))
	b := searchBook(f, NewBook(), Feed{SIH, CS2}, searchable...)
	f.Fuzz(func(t *testing.T, query, cursor string) {
		var s Search
		found, next, err := s.Find(b, CS2, query, 2, cursor)
		if err != nil {
			if !errors.Is(err, ErrSearch) && !errors.Is(err, ErrCursor) {
				t.Fatalf("query %q, cursor %q: got %v, want ErrSearch or ErrCursor", query, cursor, err)
			}
			return
		}
		if next == "" {
			return
		}
		more, _, err := s.Find(b, CS2, query, 2, next)
		if err != nil || len(more) == 0 || slices.Contains(found, more[0]) {
			t.Fatalf("query %q: page %v is followed by %v, error %v; want others", query, found, more, err)
		}
	})
}

// largeBook has as many items as the largest catalog.
func largeBook(b *testing.B) *Book {
	names := make([]string, 30_000)
	for i := range names {
		names[i] = fmt.Sprintf("%sWeapon-%d | Pattern %d Jörmungandr (%s)", []string{"", "StatTrak™ ", "Souvenir "}[i%3], i%40, i/40, []string{"Factory New", "Field-Tested", "Well-Worn"}[i%3])
	}
	return searchBook(b, NewBook(), Feed{SIH, CS2}, names...)
}

func BenchmarkSearch(b *testing.B) {
	book := largeBook(b)
	for _, query := range []string{"stattrak pattern 70", "zzz", "jorm wea field"} {
		b.Run(query, func(b *testing.B) {
			var s Search
			for b.Loop() {
				if _, _, err := s.Find(book, CS2, query, 20, ""); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSearchRebuild(b *testing.B) {
	book := largeBook(b)
	for b.Loop() {
		var s Search
		if _, _, err := s.Find(book, CS2, "zzz", 20, ""); err != nil {
			b.Fatal(err)
		}
	}
}
