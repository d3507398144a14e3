package marketsim

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// listing is one item on one market: a shelf with places for lots. What stands
// on it is a function of the seed and of how often it has moved, less what was
// bought. Lots of different listings come and go at different ticks.
type listing struct {
	item    *item
	name    string // as this market spells it
	quoted  []byte // the same as JSON
	index   int64  // in the market's listings
	salt    uint64 // separates the two markets in draws about one item
	blemish blemish
	bait    bool // hostile price; never delivered

	base   int64 // ask before it wanders, micro-dollars
	unit   int64 // prices are multiples of it, micro-dollars
	offset int64 // in ticks, when it moves
	places int   // 0: the market does not stock it

	class string // classid, once asked for

	pinnedAsk  int64          // 0: not pinned
	pinnedLots []int64        // ids; nil: not pinned
	gone       map[int64]bool // ids of lots bought here
	ours       []*deposit     // SIH: what a client has on sale, whether it shows or not

	step  int64 // lots below are of this step
	fresh bool
	ask   int64
	lots  []lot
}

// lot is one unit for sale.
type lot struct {
	id    int64
	price int64 // micro-dollars
}

// blemish is damage to an entry of the catalog, as real ones have it.
type blemish uint8

const (
	sound blemish = iota
	nullRecord
	zeroPrice
	textPrice // "n/a"
	paddedName
	blemishes
)

// Sizes of the numbers that make up the id of a lot.
const (
	firstLot  = 7_000_000
	maxPlaces = 64
	pinnedGen = 1 << 20 // generations from here on are those of SetCount
)

// stock fills both markets with listings.
func (w *World) stock(items []*item) {
	hasPhases := map[string]bool{}
	for _, it := range items {
		if it.phase != "" {
			hasPhases[it.bare] = true
		}
	}
	for _, it := range items {
		// SkinsBack tells every phase; its bare names are made from the phases.
		if it.game != tf2 && !(it.hidden && (w.cfg.Catalog == nil || hasPhases[it.bare])) {
			w.enlist(w.skinsback, it)
		}
		if it.game != dota2 {
			w.enlist(w.sih, it)
		}
	}
	if w.cfg.Catalog == nil {
		damage(w.skinsback)
		damage(w.sih)
	}
}

// enlist puts an item on a market.
func (w *World) enlist(m *market, it *item) {
	l := &listing{
		item:  it,
		name:  it.name,
		index: int64(len(m.listings)),
		salt:  hashName(m.name),
	}
	draw := func(about topic) uint64 { return roll(w.cfg.Seed, about, it.key, l.salt) }
	common := normal(roll(w.cfg.Seed, aboutPrice, it.key))
	l.base = scale(it.ref, scale(640_000, ratio(0.155*common+0.09*normal(draw(aboutPrice)))))
	l.unit = m.unit(l.base, draw(aboutRounding))
	l.offset = int64(below(draw(aboutPace), int(w.pace())))
	l.places = shelfSize(l.base, draw(aboutShelf))
	if w.cfg.Catalog != nil {
		l.places = max(l.places, 3)
	} else {
		w.roughen(m, l, draw)
	}
	l.quoted = quote(l.name)

	m.listings = append(m.listings, l)
	m.byName[key{it.game, l.name}] = l
	m.bySteam[key{it.game, it.name}] = l
	if m.name == SkinsBack && it.phase != "" {
		bare := key{it.game, it.bare}
		m.families[bare] = append(m.families[bare], l)
	}
}

// roughen makes a listing of the generated catalog as uneven as real ones: not
// every market stocks it, its name may be spelled otherwise, and now and then
// its price is a trap.
func (w *World) roughen(m *market, l *listing, draw func(topic) uint64) {
	stocked := 90
	if m.name == SkinsBack {
		stocked = 44
	}
	if !hits(draw(aboutStock), stocked) {
		l.places = 0
	}
	switch spelling := draw(aboutSpelling); {
	case m.name == SkinsBack && below(spelling, 2) == 0:
		l.name = strings.ReplaceAll(l.name, "  ", " ")
	case m.name == SIH && below(spelling, 2) == 0:
		l.name = decomposed.Replace(l.name)
	}
	if trap := draw(aboutOutlier); below(trap, 600) == 0 && l.item.game == cs2 && !l.item.hidden {
		if l.bait = below(mix(trap), 2) == 0; l.bait {
			l.base = max(l.base/20, cent)
		} else {
			l.base *= 10
		}
	}
}

// decomposed writes letters with marks as letter and mark, which looks the same
// and compares differently.
var decomposed = strings.NewReplacer("ö", "o\u0308", "Ö", "O\u0308", "ñ", "n\u0303", "ā", "a\u0304")

// unit is how fine a listing's price is. SkinsBack shows mills only for some of
// the cheapest items, SIH for a third of all.
func (m *market) unit(base int64, draw uint64) int64 {
	mills := below(draw, 3) == 0
	if m.name == SkinsBack {
		mills = base < dollar && below(draw, 8) == 0
	}
	if mills {
		return mill
	}
	return cent
}

// shelfSize is the number of lots a shelf has room for: fewer the dearer.
func shelfSize(base int64, draw uint64) int {
	most := 2
	switch {
	case base < dollar:
		most = 24
	case base < 20*dollar:
		most = 16
	case base < 200*dollar:
		most = 10
	case base < 2000*dollar:
		most = 4
	}
	return 1 + below(draw, most)
}

// damage spoils a few entries of a market's CS2 list.
func damage(m *market) {
	var stocked []*listing
	for _, l := range m.listings {
		if l.places > 0 && l.item.game == cs2 && l.item.phase == "" && !l.item.hidden {
			stocked = append(stocked, l)
		}
	}
	n := min(8, len(stocked)/25)
	for i := range n {
		l := stocked[i*len(stocked)/n]
		l.blemish = 1 + blemish(i)%(blemishes-1)
		if l.blemish == paddedName {
			delete(m.byName, key{l.item.game, l.name})
			l.name = " " + l.name + " "
			l.quoted = quote(l.name)
			m.byName[key{l.item.game, l.name}] = l
		}
	}
}

// unsaleable reports whether the entry is too damaged to be bought.
func (b blemish) unsaleable() bool { return b == nullRecord || b == zeroPrice || b == textPrice }

// pace is how many ticks a listing stands still between two moves; in each tick
// an equal part of all listings moves.
func (w *World) pace() int64 {
	if w.cfg.MovePct < 0 {
		return 1
	}
	return int64(100 / w.cfg.MovePct)
}

// stepOf is how often a listing has moved by now.
func (w *World) stepOf(l *listing) int64 {
	return w.stepAt(l, w.tick)
}

// stepAt is how often it had moved by a tick.
func (w *World) stepAt(l *listing, tick int64) int64 {
	if w.cfg.MovePct < 0 {
		return 0
	}
	return (tick + l.offset) / w.pace()
}

// askAt is the price at a step from which the lots' prices go up.
func (w *World) askAt(l *listing, step int64) int64 {
	if l.pinnedAsk != 0 {
		return l.pinnedAsk
	}
	drift := ratio(0.04 * wander(w.cfg.Seed, l.item.key^l.salt, step))
	return roundTo(scale(l.base, drift), l.unit)
}

// shelf returns a listing's lots, cheapest first. The slice is the listing's
// own.
func (w *World) shelf(m *market, l *listing) []lot {
	step := w.stepOf(l)
	if l.fresh && l.step == step {
		return l.lots
	}
	l.step, l.fresh = step, true
	l.ask = w.askAt(l, step)
	l.lots = l.lots[:0]
	if l.pinnedLots != nil {
		for i, id := range l.pinnedLots {
			l.put(id, min(int64(i)*5_000, 500_000))
		}
	} else {
		w.putPlaces(m, l)
	}
	for _, d := range l.ours {
		if w.seller.shows(d) {
			l.lots = append(l.lots, lot{d.lot(), d.price})
		}
	}
	slices.SortFunc(l.lots, func(a, b lot) int {
		return cmp.Or(cmp.Compare(a.price, b.price), cmp.Compare(a.id, b.id))
	})
	return l.lots
}

// putPlaces fills the places of a shelf. Each place lives through generations of
// its own length; in each it either holds one lot or is empty.
func (w *World) putPlaces(m *market, l *listing) {
	for place := range int64(l.places) {
		draw := roll(w.cfg.Seed, aboutLot, l.item.key, l.salt, uint64(place))
		life := 6 + int64(below(draw, 18))
		gen := (l.step + int64(below(mix(draw), int(life)))) / life
		draw = mix(draw + uint64(gen))
		// In a given catalog the first places are never empty for long.
		if full := hits(draw, 72) || place < 3 && w.cfg.Catalog != nil; full {
			over := int64(below(mix(draw), 300)) // up to 9 % over the ask, mostly little
			if place == 0 {
				over = 0
			}
			l.put(m.lotID(l, gen, place), over*over)
		}
	}
}

// put adds a lot, unless it has been bought, at over millionths above the ask.
func (l *listing) put(id, over int64) {
	if l.gone[id] {
		return
	}
	price := l.ask
	if l.pinnedAsk == 0 {
		price = roundTo(scale(l.ask, million+over), l.unit)
	}
	l.lots = append(l.lots, lot{id, price})
}

// lotID packs a lot's listing, generation and place into one number.
func (m *market) lotID(l *listing, gen, place int64) int64 {
	return firstLot + (gen*maxPlaces+place)*int64(len(m.listings)) + l.index
}

// findLot returns the listing and lot with an id, if it is for sale now.
func (w *World) findLot(m *market, id int64) (*listing, lot, bool) {
	if id < firstLot {
		return nil, lot{}, false
	}
	l := m.listings[(id-firstLot)%int64(len(m.listings))]
	for _, lot := range w.shelf(m, l) {
		if lot.id == id && !l.blemish.unsaleable() {
			return l, lot, true
		}
	}
	return nil, lot{}, false
}

// cheapest returns the cheapest lot of a name. On SkinsBack the name of a
// Doppler without its phase stands for all of its phases.
func (w *World) cheapest(m *market, k key) (*listing, lot, bool) {
	of := m.families[k]
	if l := m.byName[k]; l != nil {
		of = []*listing{l}
	}
	var from *listing
	var best lot
	for _, l := range of {
		if lots := w.shelf(m, l); len(lots) > 0 && !l.blemish.unsaleable() && (from == nil || lots[0].price < best.price) {
			from, best = l, lots[0]
		}
	}
	return from, best, from != nil
}

// take removes a lot from its shelf.
func (m *market) take(l *listing, id int64) {
	if l.gone == nil {
		l.gone = map[int64]bool{}
	}
	l.gone[id] = true
	l.fresh = false
	m.version++
}

// SetAsk pins the price of an item on a market (SkinsBack or SIH), in micro-dollars: from then on
// every lot of it costs that much. 0 lets it move again. The name may be Steam's
// or the market's own. An item the market does not stock can be priced too.
func (w *World) SetAsk(where, name string, ask int64) error {
	return w.pin(where, name, func(_ *market, l *listing) error {
		if ask < 0 {
			return fmt.Errorf("negative ask %s", formatMoney(ask))
		}
		l.pinnedAsk = ask
		return nil
	})
}

// SetCount puts exactly count new lots of an item on a market. Purchases use
// them up and nobody else brings or buys any, until it is set again; -1 lets
// stock come and go as before.
func (w *World) SetCount(where, name string, count int) error {
	return w.pin(where, name, func(m *market, l *listing) error {
		if count < -1 || count > 100_000 {
			return fmt.Errorf("count %d is not in -1 to 100000", count)
		}
		l.pinnedLots = nil
		if count >= 0 {
			l.pinnedLots = make([]int64, count)
		}
		for i := range l.pinnedLots {
			l.pinnedLots[i] = m.lotID(l, pinnedGen+m.pinned/maxPlaces, m.pinned%maxPlaces)
			m.pinned++
		}
		return nil
	})
}

func (w *World) pin(where, name string, change func(*market, *listing) error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance()
	m := w.market(where)
	if m == nil {
		return fmt.Errorf("no market %q: want %q or %q", where, SkinsBack, SIH)
	}
	for _, game := range []string{cs2, rust, dota2, tf2} {
		l := cmp.Or(m.byName[key{game, name}], m.bySteam[key{game, name}])
		if l == nil {
			continue
		}
		if err := change(m, l); err != nil {
			return err
		}
		l.blemish, l.fresh = sound, false
		m.version++
		return nil
	}
	return fmt.Errorf("%s has no item %q", where, name)
}

// quote writes a string as JSON, leaving everything that may stand as it is.
func quote(s string) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		panic(err) // a string always encodes
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
