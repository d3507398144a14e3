package pricing

import (
	"maps"
	"slices"
)

// Book answers what every item costs on every market. It is immutable: any
// number of goroutines may read it, and With and Apply give a new one that
// shares what did not change. Items keep their position over successive
// books, so that readers can remember positions instead of items.
type Book struct {
	index   *index
	columns map[Feed]column
}

// index gives items positions. It only grows, and is replaced when it has to.
type index struct {
	items   []Item
	pos     map[Item]int
	spelled map[Game]map[string]int32 // positions by what Item.String gives
	phases  map[gameName][]int        // of Dopplers: positions of all items that share a name
}

type gameName struct {
	game Game
	name string
}

// column is one feed's listings by position; nil where it has none.
type column struct {
	catalog  Catalog // without Listings
	live     int
	listings []*Listing
	asks     []Money // of listings; 0 where none
}

// NewBook gives a book without a catalog.
func NewBook() *Book {
	return &Book{index: &index{pos: map[Item]int{}, spelled: map[Game]map[string]int32{}, phases: map[gameName][]int{}}, columns: map[Feed]column{}}
}

// With gives a book in which c is the catalog of its feed, and the positions of
// the items that differ from the one before. It keeps c's listings.
func (b *Book) With(c Catalog) (*Book, []int) {
	next, old := b.grow(len(c.Listings), func(i int) Item { return c.Listings[i].Item }), b.columns[c.Feed]
	col := column{catalog: c}
	col.catalog.Listings = nil
	col.resize(len(next.index.items))
	for i := range c.Listings {
		col.put(next.index.pos[c.Listings[i].Item], &c.Listings[i])
	}
	var changed []int
	for pos, l := range col.listings {
		var before *Listing
		if pos < len(old.listings) {
			before = old.listings[pos]
		}
		if (l == nil) != (before == nil) || l != nil && *l != *before {
			changed = append(changed, pos)
		}
	}
	next.columns[c.Feed] = col
	return next, changed
}

// Apply gives a book in which ch has been applied, and the positions of the
// items in it. It reports false, and changes nothing, when ch does not lead
// from the version that the book has: the reader missed one and must reload.
func (b *Book) Apply(ch Change) (*Book, []int, bool) {
	old, ok := b.columns[ch.Feed]
	if !ok || old.catalog.Version != ch.From {
		return b, nil, false
	}
	next := b.grow(len(ch.Set), func(i int) Item { return ch.Set[i].Item })
	col := old
	col.catalog.Version, col.catalog.ObservedAt = ch.To, ch.ObservedAt
	col.resize(len(next.index.items))
	changed := make([]int, 0, len(ch.Set)+len(ch.Gone))
	for _, it := range ch.Gone {
		if pos, ok := next.index.pos[it]; ok {
			col.put(pos, nil)
			changed = append(changed, pos)
		}
	}
	for i := range ch.Set {
		pos := next.index.pos[ch.Set[i].Item]
		col.put(pos, &ch.Set[i])
		changed = append(changed, pos)
	}
	next.columns[ch.Feed] = col
	return next, changed, true
}

// Share gives listings the text that the book has already: the name of an item is
// then kept once for all markets. They must not be anybody else's yet.
func (b *Book) Share(ls []Listing) {
	for i := range ls {
		l := &ls[i]
		pos, ok := b.index.pos[l.Item]
		if !ok {
			continue
		}
		if l.MarketName == l.Item.Name {
			l.MarketName = b.index.items[pos].Name
		}
		l.Item = b.index.items[pos]
	}
}

// resize gives the column storage of its own for n positions.
func (c *column) resize(n int) {
	listings, asks := c.listings, c.asks
	c.listings, c.asks = make([]*Listing, n), make([]Money, n)
	copy(c.listings, listings)
	copy(c.asks, asks)
}

// put sets the listing at a position; nil takes it away.
func (c *column) put(pos int, l *Listing) {
	if c.listings[pos] != nil {
		c.live--
	}
	c.listings[pos], c.asks[pos] = l, 0
	if l != nil {
		c.live++
		c.asks[pos] = l.Ask
	}
}

// grow gives a book of the same columns whose index knows n more items. The
// index is copied only when one of them is new, which is rare.
func (b *Book) grow(n int, item func(int) Item) *Book {
	next := &Book{index: b.index, columns: maps.Clone(b.columns)}
	for i := range n {
		it := item(i)
		if _, ok := next.index.pos[it]; ok {
			continue
		}
		if next.index == b.index {
			unknown := 0 // exactly, as far as there are no repetitions: maps do not shrink
			for k := i; k < n; k++ {
				if _, ok := b.index.pos[item(k)]; !ok {
					unknown++
				}
			}
			next.index = b.index.clone(unknown)
		}
		next.index.add(it)
	}
	return next
}

func (x *index) clone(extra int) *index {
	next := &index{
		items:   make([]Item, len(x.items), len(x.items)+extra),
		pos:     make(map[Item]int, len(x.pos)+extra),
		spelled: make(map[Game]map[string]int32, len(Games)),
		phases:  make(map[gameName][]int, len(x.phases)),
	}
	copy(next.items, x.items)
	maps.Copy(next.pos, x.pos)
	for g, spelled := range x.spelled {
		next.spelled[g] = maps.Clone(spelled)
	}
	for k, v := range x.phases {
		next.phases[k] = slices.Clip(v) // an append must not write into the old index
	}
	return next
}

func (x *index) add(it Item) {
	pos := len(x.items)
	x.items = append(x.items, it)
	x.pos[it] = pos
	if x.spelled[it.Game] == nil {
		x.spelled[it.Game] = map[string]int32{}
	}
	x.spelled[it.Game][it.String()] = int32(pos)
	if it.IsDoppler() {
		key := gameName{it.Game, it.Name}
		x.phases[key] = append(x.phases[key], pos)
	}
}

// Len is the number of positions, with and without a listing.
func (b *Book) Len() int { return len(b.index.items) }

// Item gives the item at a position below Len.
func (b *Book) Item(pos int) Item { return b.index.items[pos] }

// Position gives the position of an item that some catalog once had.
func (b *Book) Position(it Item) (int, bool) {
	pos, ok := b.index.pos[it]
	return pos, ok
}

// Find is ParseItem and Position in one, without garbage, for an item that some
// catalog once had and that is spelled as we spell it: its name, with the phase
// in p or, where p is NoPhase, as Item.String writes it. That it finds nothing
// tells nothing of other spellings.
func (b *Book) Find(g Game, spelling []byte, p Phase) (pos int, ok bool) {
	if p != NoPhase {
		pos, ok = b.index.pos[Item{Game: g, Name: string(spelling), Phase: p}]
		return pos, ok
	}
	short, ok := b.index.spelled[g][string(spelling)]
	return int(short), ok
}

// Extends tells whether every position of old holds the same item in b, so that
// what was remembered by position for old is still right. That is so for all
// books that With and Apply made out of old.
func (b *Book) Extends(old *Book) bool {
	if b.index == old.index {
		return true
	}
	return b.Len() >= old.Len() && slices.Equal(b.index.items[:old.Len()], old.index.items)
}

// Column gives a feed's listings and their asks by position, nil and 0 where it
// has none; both may be shorter than Len. It is for loops over a whole catalog:
// asks that stand side by side are read many times faster than listings. The
// slices are the book's own and must not be changed.
func (b *Book) Column(f Feed) ([]*Listing, []Money) {
	c := b.columns[f]
	return c.listings, c.asks
}

// At gives the listing of a feed at a position, or nil. The listing is shared:
// it must not be changed.
func (b *Book) At(f Feed, pos int) *Listing {
	if col := b.columns[f].listings; pos < len(col) {
		return col[pos]
	}
	return nil
}

// Quote gives what a market asks for an item.
func (b *Book) Quote(m Market, it Item) (Quote, bool) {
	f := Feed{m, it.Game}
	pos, ok := b.index.pos[it]
	if !ok {
		return Quote{}, false
	}
	l := b.At(f, pos)
	if l == nil {
		return Quote{}, false
	}
	return Quote{Market: m, ObservedAt: b.columns[f].catalog.ObservedAt, Listing: *l}, true
}

// Quotes gives all quotes of an item, in the order of Markets.
func (b *Book) Quotes(it Item) []Quote {
	var qs []Quote
	for _, m := range Markets {
		if q, ok := b.Quote(m, it); ok {
			qs = append(qs, q)
		}
	}
	return qs
}

// PhasesOf gives the phases under which a name is on offer somewhere, in the
// order of Phases; for a name without phases that is NoPhase alone.
func (b *Book) PhasesOf(g Game, name string) []Phase {
	if pos, ok := b.index.pos[Item{Game: g, Name: name}]; ok && b.offered(pos) {
		return []Phase{NoPhase}
	}
	return b.AppendPhases(nil, g, name)
}

// AppendPhases appends the phases under which a Doppler is on offer somewhere,
// in the order of Phases.
func (b *Book) AppendPhases(out []Phase, g Game, name string) []Phase {
	from := len(out)
	for _, pos := range b.index.phases[gameName{g, name}] {
		if b.offered(pos) {
			out = append(out, b.index.items[pos].Phase)
		}
	}
	slices.SortFunc(out[from:], func(x, y Phase) int { return slices.Index(Phases, x) - slices.Index(Phases, y) })
	return out
}

// Catalog describes the catalog in force of a feed, without its listings.
func (b *Book) Catalog(f Feed) (Catalog, bool) {
	c, ok := b.columns[f]
	return c.catalog, ok
}

// Live is the number of listings of a feed.
func (b *Book) Live(f Feed) int { return b.columns[f].live }

// Version is the sum of the versions of a game's catalogs: every process that
// has the same catalogs gives the same number, and it rises with each of them.
func (b *Book) Version(g Game) uint64 {
	var v uint64
	for f, c := range b.columns {
		if f.Game == g {
			v += c.catalog.Version
		}
	}
	return v
}
