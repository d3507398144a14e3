package pricing

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var monday = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func plain(n int) Item { return Item{CS2, fmt.Sprintf("AK-47 | No %d (Field-Tested)", n), NoPhase} }

func phased(p Phase) Item { return Item{CS2, "★ Karambit | Doppler (Factory New)", p} }

// content is all that a book answers about items, without positions.
type content struct {
	Feeds  map[Feed]Catalog
	Live   map[Feed]int
	Quotes map[Item][]Quote
	Phases map[string][]Phase
}

func contentOf(b *Book, items []Item) content {
	c := content{map[Feed]Catalog{}, map[Feed]int{}, map[Item][]Quote{}, map[string][]Phase{}}
	for _, g := range Games {
		for _, m := range Markets {
			f := Feed{m, g}
			if cat, ok := b.Catalog(f); ok {
				c.Feeds[f], c.Live[f] = cat, b.Live(f)
			}
		}
	}
	for _, it := range items {
		if qs := b.Quotes(it); qs != nil {
			c.Quotes[it] = qs
		}
		c.Phases[it.Name] = b.PhasesOf(it.Game, it.Name)
	}
	return c
}

// TestBookFollowsChanges applies random catalogs and changes to a book and keeps
// plain maps of the same. Each book must equal one built from scratch, earlier
// ones must stay as they were, and the positions told must be those that differ.
func TestBookFollowsChanges(t *testing.T) {
	var items []Item
	for i := range 5 {
		items = append(items, plain(i))
	}
	for _, p := range []Phase{Ruby, Phase1, UnknownPhase} {
		items = append(items, phased(p))
	}
	items = append(items, Item{Rust, "Metal Door", NoPhase})
	rapid.Check(t, func(t *rapid.T) {
		model := map[Feed]map[Item]Listing{}
		heads := map[Feed]Catalog{}
		type kept struct {
			book *Book
			was  content
		}
		var old []kept
		book := NewBook()
		for step := range rapid.IntRange(1, 15).Draw(t, "steps") {
			f := Feed{rapid.SampledFrom(Markets).Draw(t, "market"), rapid.SampledFrom([]Game{CS2, Rust}).Draw(t, "game")}
			old = append(old, kept{book, contentOf(book, items)})
			before := book
			head, exists := heads[f]
			head.Feed, head.ObservedAt = f, monday.Add(time.Duration(step)*time.Minute)
			from := head.Version
			head.Version += uint64(rapid.IntRange(1, 3).Draw(t, "versions"))
			heads[f] = head

			var set []Listing
			var gone []Item
			for _, it := range items {
				if it.Game != f.Game {
					continue
				}
				switch rapid.IntRange(0, 3).Draw(t, "what") {
				case 0:
					set = append(set, Listing{Item: it, Ask: Money(rapid.Int64Range(1, 3).Draw(t, "ask")), Count: 1})
				case 1:
					gone = append(gone, it)
				}
			}
			var changed []int
			if exists && rapid.Bool().Draw(t, "as a change") {
				var ok bool
				book, changed, ok = book.Apply(Change{f, from, head.Version, head.ObservedAt, set, gone})
				if !ok {
					t.Fatal("Apply refused the next version")
				}
			} else {
				c := head
				c.Listings = set
				book, changed = book.With(c)
				model[f] = map[Item]Listing{}
			}
			for _, l := range set {
				model[f][l.Item] = l
			}
			for _, it := range gone {
				delete(model[f], it)
			}

			scratch := NewBook()
			for f, c := range heads {
				for _, l := range model[f] {
					c.Listings = append(c.Listings, l)
				}
				scratch, _ = scratch.With(c)
			}
			if diff := cmp.Diff(contentOf(scratch, items), contentOf(book, items)); diff != "" {
				t.Fatalf("step %d (-built from scratch +followed):\n%s", step, diff)
			}
			for _, g := range Games {
				if got, want := book.Version(g), scratch.Version(g); got != want {
					t.Fatalf("version of %s: got %d, want %d", g, got, want)
				}
			}
			checkPositions(t, before, book, f, changed)
		}
		for i, k := range old {
			if diff := cmp.Diff(k.was, contentOf(k.book, items)); diff != "" {
				t.Fatalf("book %d changed afterwards (-was +is):\n%s", i, diff)
			}
		}
	})
}

// checkPositions: items keep theirs, columns agree with At, and what differs was
// told.
func checkPositions(t *rapid.T, before, after *Book, f Feed, changed []int) {
	if !after.Extends(before) {
		t.Fatal("a book does not extend the one that it was made of")
	}
	listings, asks := after.Column(f)
	if len(listings) != len(asks) {
		t.Fatalf("got %d listings and %d asks", len(listings), len(asks))
	}
	for pos := range after.Len() {
		it := after.Item(pos)
		if got, ok := after.Position(it); !ok || got != pos {
			t.Fatalf("position of %v: got %d %t, want %d", it, got, ok, pos)
		}
		if pos < before.Len() && before.Item(pos) != it {
			t.Fatalf("position %d held %v and holds %v", pos, before.Item(pos), it)
		}
		a, b := before.At(f, pos), after.At(f, pos)
		if b != nil && (b.Item != it || listings[pos] != b || asks[pos] != b.Ask) || b == nil && pos < len(asks) && asks[pos] != 0 {
			t.Fatalf("position %d of %s: listing %+v, column %d", pos, f, b, asks[pos])
		}
		if (a == nil) != (b == nil) || a != nil && *a != *b {
			if !slices.Contains(changed, pos) {
				t.Fatalf("position %d of %s changed from %+v to %+v and was not told in %v", pos, f, a, b, changed)
			}
		}
	}
}

func TestWithTellsOnlyWhatDiffers(t *testing.T) {
	f := Feed{SIH, CS2}
	b, changed := NewBook().With(Catalog{Feed: f, Version: 1, ObservedAt: monday, Listings: []Listing{
		{Item: plain(0), Ask: 1}, {Item: plain(1), Ask: 1}, {Item: plain(2), Ask: 1},
	}})
	if want := []int{0, 1, 2}; !slices.Equal(changed, want) {
		t.Errorf("first catalog: got %v changed, want %v", changed, want)
	}
	_, changed = b.With(Catalog{Feed: f, Version: 2, ObservedAt: monday, Listings: []Listing{
		{Item: plain(3), Ask: 1}, {Item: plain(2), Ask: 1}, {Item: plain(0), Ask: 2},
	}})
	if want := []int{0, 1, 3}; !slices.Equal(changed, want) {
		t.Errorf("second catalog: got %v changed, want %v", changed, want)
	}
}

func TestMissedVersionIsRefused(t *testing.T) {
	f := Feed{SkinsBack, CS2}
	b, _ := NewBook().With(Catalog{Feed: f, Version: 5, ObservedAt: monday, Listings: []Listing{{Item: plain(0), Ask: 1}}})
	for _, ch := range []Change{
		{Feed: f, From: 4, To: 5, Gone: []Item{plain(0)}},
		{Feed: f, From: 6, To: 7, Gone: []Item{plain(0)}},
		{Feed: f, From: 0, To: 6, Gone: []Item{plain(0)}},
		{Feed: Feed{SIH, CS2}, From: 5, To: 6, Set: []Listing{{Item: plain(0), Ask: 1}}},
	} {
		got, changed, ok := b.Apply(ch)
		if ok || got != b || changed != nil {
			t.Errorf("%s from %d to %d on version 5: got %v %t, want it refused and the same book", ch.Feed, ch.From, ch.To, changed, ok)
		}
	}
	if q, ok := b.Quote(SkinsBack, plain(0)); !ok || q.Ask != 1 {
		t.Errorf("after refusals: got %+v %t, want the quote as it was", q, ok)
	}
}

func TestPhasesOf(t *testing.T) {
	b, _ := NewBook().With(Catalog{Feed: Feed{SIH, CS2}, Version: 1, Listings: []Listing{
		{Item: phased(UnknownPhase), Ask: 1}, {Item: phased(Sapphire), Ask: 1}, {Item: phased(Phase2), Ask: 1}, {Item: plain(1), Ask: 1},
	}})
	b, _ = b.With(Catalog{Feed: Feed{SkinsBack, CS2}, Version: 1, Listings: []Listing{{Item: phased(Sapphire), Ask: 1}, {Item: phased(Phase1), Ask: 1}}})
	name := phased(NoPhase).Name
	if got, want := b.PhasesOf(CS2, name), []Phase{Phase1, Phase2, Sapphire, UnknownPhase}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	b, _, _ = b.Apply(Change{Feed: Feed{SkinsBack, CS2}, From: 1, To: 2, Gone: []Item{phased(Phase1), phased(Sapphire)}})
	if got, want := b.PhasesOf(CS2, name), []Phase{Phase2, Sapphire, UnknownPhase}; !slices.Equal(got, want) {
		t.Errorf("after Phase 1 was sold: got %q, want %q", got, want)
	}
	if got := b.PhasesOf(CS2, plain(1).Name); !slices.Equal(got, []Phase{NoPhase}) {
		t.Errorf("a name without phases: got %q, want NoPhase alone", got)
	}
	for _, g := range []Game{CS2, Rust} {
		if got := b.PhasesOf(g, "no such name"); got != nil {
			t.Errorf("no such name: got %q, want none", got)
		}
	}
}

// TestFindIsParseItemAndPosition wherever it finds something, and it finds every
// item by its own spelling.
func TestFindIsParseItemAndPosition(t *testing.T) {
	spellings := []string{
		"AK-47 | Redline (Field-Tested)", "AK-47  |  Redline (Field-Tested)", "★ Karambit | Doppler (Factory New)", "★ Karambit | Doppler Ruby (Factory New)",
		"★ Karambit | Doppler (Factory New) - Ruby", "★ Karambit | Doppler Phase 2 (Factory New)", "★ Bayonet | Gamma Doppler Emerald (Factory New)",
		"Sticker | Doppler Poison Frog (Foil)", "Doppler", "Sticker | Doppler", "Metal Door", "Jo\u0308rmungandr", "ruby",
	}
	rapid.Check(t, func(t *rapid.T) {
		book, feed := NewBook(), Feed{SIH, rapid.SampledFrom(Games).Draw(t, "game")}
		catalog := Catalog{Feed: feed, Version: 1}
		for _, s := range rapid.SliceOf(rapid.SampledFrom(spellings)).Draw(t, "on offer") {
			if it, err := ParseItem(feed.Game, s, ""); err == nil {
				catalog.Listings = append(catalog.Listings, Listing{Item: it, Ask: 1})
			}
		}
		book, _ = book.With(catalog)
		for pos := range book.Len() {
			it := book.Item(pos)
			if got, ok := book.Find(it.Game, []byte(it.String()), NoPhase); !ok || got != pos {
				t.Fatalf("%q: got position %d, %t, want %d", it, got, ok, pos)
			}
			if got, ok := book.Find(it.Game, []byte(it.Name), it.Phase); !ok || got != pos {
				t.Fatalf("%+v: got position %d, %t, want %d", it, got, ok, pos)
			}
		}
		asked := rapid.OneOf(rapid.SampledFrom(spellings), rapid.String()).Draw(t, "asked")
		phase, game := rapid.SampledFrom(Phases).Draw(t, "phase"), rapid.SampledFrom(Games).Draw(t, "other game")
		if pos, ok := book.Find(game, []byte(asked), phase); ok {
			it, err := ParseItem(game, asked, string(phase))
			if want, known := book.Position(it); err != nil || !known || pos != want {
				t.Fatalf("%q of %s with phase %q: got position %d, but ParseItem gives %+v (%v) at %d", asked, game, phase, pos, it, err, want)
			}
		}
	})
}

func TestFindMakesNoGarbage(t *testing.T) {
	book, _ := NewBook().With(Catalog{Feed: Feed{SIH, CS2}, Version: 1, Listings: []Listing{{Item: plain(0), Ask: 1}, {Item: phased(Ruby), Ask: 1}, {Item: phased(Phase1), Ask: 1}}})
	name, knife := []byte(plain(0).Name), []byte(phased(Ruby).Name)
	buf := make([]Phase, 0, len(Phases))
	if n := testing.AllocsPerRun(100, func() {
		book.Find(CS2, name, NoPhase)
		book.Find(CS2, knife, Ruby)
		book.AppendPhases(buf, CS2, phased(Ruby).Name)
	}); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}

func TestExtends(t *testing.T) {
	one, _ := NewBook().With(Catalog{Feed: Feed{SIH, CS2}, Version: 1, Listings: []Listing{{Item: plain(0), Ask: 1}}})
	two, _ := one.With(Catalog{Feed: Feed{SIH, CS2}, Version: 2, Listings: []Listing{{Item: plain(1), Ask: 1}}})
	other, _ := NewBook().With(Catalog{Feed: Feed{SIH, CS2}, Version: 1, Listings: []Listing{{Item: plain(1), Ask: 1}}})
	for _, c := range []struct {
		what   string
		b, old *Book
		want   bool
	}{
		{"itself", one, one, true},
		{"the next", two, one, true},
		{"the one before", one, two, false},
		{"an empty one", one, NewBook(), true},
		{"another", other, one, false},
	} {
		if got := c.b.Extends(c.old); got != c.want {
			t.Errorf("%s: got %t, want %t", c.what, got, c.want)
		}
	}
}

func TestVersionIsTheSumOfAGame(t *testing.T) {
	b := NewBook()
	for _, c := range []Catalog{{Feed: Feed{SIH, CS2}, Version: 7}, {Feed: Feed{SkinsBack, CS2}, Version: 3}, {Feed: Feed{SIH, Rust}, Version: 100}} {
		b, _ = b.With(c)
	}
	if cs2, rust, tf2 := b.Version(CS2), b.Version(Rust), b.Version(TF2); cs2 != 10 || rust != 100 || tf2 != 0 {
		t.Errorf("got versions %d, %d, %d, want 10, 100, 0", cs2, rust, tf2)
	}
}

// TestDoubledListing: a catalog that names an item twice, which none should,
// still counts it once.
func TestDoubledListing(t *testing.T) {
	f := Feed{SIH, CS2}
	b, _ := NewBook().With(Catalog{Feed: f, Version: 1, Listings: []Listing{{Item: plain(0), Ask: 1}, {Item: plain(0), Ask: 2}}})
	if got := b.Live(f); got != 1 {
		t.Errorf("got %d live, want 1", got)
	}
}

func TestJudge(t *testing.T) {
	const age = 5 * time.Minute
	for _, c := range []struct {
		status FeedStatus
		want   FeedState
	}{
		{FeedStatus{}, Down},
		{FeedStatus{State: Fresh}, Down}, // nothing was ever pulled
		{FeedStatus{State: Fresh, LastSuccess: monday}, Fresh},
		{FeedStatus{State: Fresh, LastSuccess: monday.Add(-age)}, Fresh},
		{FeedStatus{State: Fresh, LastSuccess: monday.Add(-age - 1)}, Stale},
		{FeedStatus{State: Fresh, LastSuccess: monday.Add(age)}, Fresh},
		{FeedStatus{State: Fresh, LastSuccess: monday.Add(age + 1)}, Stale},
		{FeedStatus{State: Stale, LastSuccess: monday}, Fresh},
		{FeedStatus{State: Held, LastSuccess: monday}, Held},
		{FeedStatus{State: Down, LastSuccess: monday}, Down},
		{FeedStatus{State: Off, LastSuccess: monday}, Off},
	} {
		if got := c.status.Judge(monday, age); got != c.want {
			t.Errorf("%s, last success %s: got %s, want %s", c.status.State, c.status.LastSuccess, got, c.want)
		}
	}
	if got := (Quote{ObservedAt: monday.Add(time.Hour)}).Age(monday); got != 0 {
		t.Errorf("age of a quote from the future: got %s, want 0", got)
	}
}

func TestParseMarketAndGame(t *testing.T) {
	for _, m := range Markets {
		if got, err := ParseMarket(string(m)); err != nil || got != m {
			t.Errorf("%q: got %q, %v", m, got, err)
		}
	}
	for _, g := range Games {
		if got, err := ParseGame(string(g)); err != nil || got != g {
			t.Errorf("%q: got %q, %v", g, got, err)
		}
	}
	for _, s := range []string{"", "CS2", "steam", "sih "} {
		if got, err := ParseMarket(s); err == nil {
			t.Errorf("market %q: got %q, want an error", s, got)
		}
		if got, err := ParseGame(s); err == nil {
			t.Errorf("game %q: got %q, want an error", s, got)
		}
	}
}

// TestShareKeepsANameOnce: listings of a second market get the text of the first
// one's, and say the same as before.
func TestShareKeepsANameOnce(t *testing.T) {
	name := func() string { return strings.Clone("AK-47 | Redline (Field-Tested)") }
	list := func() []Listing {
		return []Listing{
			{Item: Item{Game: CS2, Name: name()}, MarketName: name(), Ask: Dollar},
			{Item: Item{Game: CS2, Name: "Kilowatt Case"}, MarketName: "kilowatt  case", Ask: Dollar},
		}
	}
	b, _ := NewBook().With(Catalog{Feed: Feed{SIH, CS2}, Version: 1, Listings: list()[:1]})
	ls := list()
	b.Share(ls)
	if d := cmp.Diff(list(), ls); d != "" {
		t.Errorf("shared listings (-want +got):\n%s", d)
	}
	have := unsafe.StringData(b.Item(0).Name)
	if unsafe.StringData(ls[0].Item.Name) != have || unsafe.StringData(ls[0].MarketName) != have {
		t.Error("a name that the book has is kept again")
	}
}
