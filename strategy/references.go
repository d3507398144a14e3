package strategy

import (
	"maps"
	"slices"
	"sync"
	"time"

	"skinarb/pricing"
)

// slot numbers the stretches of six hours since 1970. Each market gives each
// item at most one sample a slot, its first ask there, so that neither frequent
// pulls nor a price that jumps about outweigh a week.
type slot int32

const (
	slotLength = 6 * time.Hour
	week       = 28 // slots that count
	// minSpan is how far apart, in slots, the oldest and the newest sample must
	// be: five slots are more than 24 hours. The median of a few minutes is just
	// the current ask again and would make an absurd price look normal.
	minSpan = 5
	// maxHistories bounds the items remembered, at half a kilobyte each. An item
	// beyond it has no reference.
	maxHistories = 200_000
)

func slotOf(t time.Time) slot { return slot(t.Unix() / int64(slotLength/time.Second)) }

// index is where a slot stands in a history; a slot before 1970 has one too.
func (s slot) index() int { return int((s%week + week) % week) }

// References remembers a week of asks, and gives their median where Steam's
// price is no reference. It is safe for concurrent use.
type References struct {
	mu        sync.RWMutex
	histories map[pricing.Item]*history

	// What Observe has done so far, so that it need not do it again.
	book    *pricing.Book
	now     slot
	feeds   map[pricing.Feed]slot
	sampled [2][]slot // by position: the slot of the last sample
}

// history is one item's asks by market and slot modulo week; 0 where none.
type history struct {
	since  slot // of the first sample, which may have been forgotten
	newest slot
	asks   [2][week]pricing.Money
}

// NewReferences gives references that have seen nothing.
func NewReferences() *References {
	return &References{histories: map[pricing.Item]*history{}, feeds: map[pricing.Feed]slot{}}
}

// Observe takes samples of the changed positions of book, or of all when full.
// A sample belongs to the time at which the market answered, so a feed that has
// stopped adds nothing. It reports whether the references of items that did not
// change may have moved, because a slot has passed.
func (r *References) Observe(book *pricing.Book, changed []int, full bool, now time.Time) (moved bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.book == nil || !book.Extends(r.book) {
		r.sampled = [2][]slot{}
		full = true
	}
	r.book = book
	for m := range r.sampled {
		if n := book.Len() - len(r.sampled[m]); n > 0 {
			r.sampled[m] = append(r.sampled[m], make([]slot, n)...)
		}
	}
	if s := slotOf(now); s != r.now {
		r.now, moved = s, true
		maps.DeleteFunc(r.histories, func(_ pricing.Item, h *history) bool {
			// A newest sample in the future was taken by a clock that was wrong.
			return h.newest <= s-week || h.newest > s
		})
	}
	for _, g := range pricing.Games {
		var slots [2]slot
		for m, market := range pair {
			f := pricing.Feed{Market: market, Game: g}
			if c, ok := book.Catalog(f); ok {
				slots[m] = min(slotOf(c.ObservedAt), r.now)
				moved = moved || r.feeds[f] != slots[m]
				r.feeds[f] = slots[m]
			}
		}
		r.sample(book, g, slots, changed, full || moved)
	}
	return moved
}

// sample takes what is new of one game.
func (r *References) sample(book *pricing.Book, g pricing.Game, slots [2]slot, changed []int, full bool) {
	cols := columnsOf(book, g)
	for m := range pair {
		if slots[m] <= r.now-week {
			continue // older than what counts, or no catalog
		}
		if full {
			sampled := r.sampled[m]
			for pos, ask := range cols.asks[m] {
				if sampled[pos] != slots[m] { // take would see to it, but nearly all are
					r.take(book, m, pos, ask, slots[m])
				}
			}
			continue
		}
		for _, pos := range changed {
			r.take(book, m, pos, cols.ask(m, pos), slots[m])
		}
	}
}

// take puts an ask into its item's history, unless its slot has one.
func (r *References) take(book *pricing.Book, m, pos int, ask pricing.Money, s slot) {
	if !priced(ask) || r.sampled[m][pos] == s {
		return
	}
	r.sampled[m][pos] = s
	it := book.Item(pos)
	if it.Phase == pricing.UnknownPhase {
		return
	}
	h := r.histories[it]
	if h == nil {
		if len(r.histories) >= maxHistories {
			return
		}
		h = &history{since: s, newest: s}
		r.histories[it] = h
	}
	h.put(m, ask, s)
}

// put stores the first ask of a slot.
func (h *history) put(m int, ask pricing.Money, s slot) {
	if s <= h.newest-week {
		return
	}
	for t := max(h.newest+1, s-week+1); t <= s; t++ {
		h.asks[0][t.index()], h.asks[1][t.index()] = 0, 0
	}
	h.since, h.newest = min(h.since, s), max(h.newest, s)
	if old := &h.asks[m][s.index()]; *old == 0 {
		*old = ask
	}
}

// Median gives the lower median of all samples of an item in the last seven
// days, or false when they span less than a day.
func (r *References) Median(it pricing.Item, now time.Time) (pricing.Money, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	h := r.histories[it]
	if h == nil {
		return 0, false
	}
	return h.median(slotOf(now))
}

func (h *history) median(now slot) (pricing.Money, bool) {
	if h.newest-h.since < minSpan {
		return 0, false // it is too young, whatever it has
	}
	var asks [2 * week]pricing.Money
	n := 0
	first, last := slot(0), slot(0)
	for s := max(h.newest, now) - week + 1; s <= min(h.newest, now); s++ {
		for m := range h.asks {
			ask := h.asks[m][s.index()]
			if ask == 0 {
				continue
			}
			if n == 0 {
				first = s
			}
			last = s
			asks[n] = ask
			n++
		}
	}
	if n == 0 || last-first < minSpan {
		return 0, false
	}
	slices.Sort(asks[:n])
	return asks[(n-1)/2], true
}

// toldBy says where Steam's price is from, by the index of the market in pair.
var toldBy = [2]string{"Steam's price as told by " + string(pair[0]), "Steam's price as told by " + string(pair[1])}

// of gives an item's reference price and where it is from, or 0.
func (r *References) of(it pricing.Item, ls [2]*pricing.Listing, now time.Time) (pricing.Money, string) {
	if !it.IsDoppler() { // Steam has one price for all phases of a name
		for m, l := range ls {
			if l != nil && l.Steam > 0 && l.Steam <= pricing.MaxMoney {
				return l.Steam, toldBy[m]
			}
		}
	}
	if m, ok := r.Median(it, now); ok {
		return m, "median of its asks in seven days"
	}
	return 0, ""
}
