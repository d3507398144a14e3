package marketsim

import (
	"strconv"
	"strings"
	"sync"
	"time"
)

// priceList encodes SkinsBack's catalog of one game.
func (w *World) priceList(p params, fault *rule) *body {
	f := form{game: game(p), shape: "grouped"}
	if p.flag("full") {
		f.shape = "full"
		if p.flag("extended") {
			f.shape = "extended"
		}
	}
	return w.catalogBody(w.skinsback, fault, f, func(f form) []byte {
		list := listWriter{form: f, quoteNumbers: w.cfg.NumberStrings}
		updated := w.start.Add(time.Duration(w.tick) * w.cfg.Tick)
		list.buf = append(list.buf, `{"status":"success","last_update":"`...)
		list.buf = strconv.AppendInt(list.buf, updated.Unix(), 10)
		list.buf = append(list.buf, `","items":[`...)
		if f.shape == "grouped" {
			w.writeGrouped(&list)
		} else {
			w.writeLots(&list)
		}
		return append(list.buf, `]}`...)
	})
}

// listWriter appends rows of a price list.
type listWriter struct {
	form
	quoteNumbers bool
	buf          []byte
	seen         int // rows, left out ones included
	written      int
}

// row starts a row, unless a fault leaves it out.
func (lw *listWriter) row() bool {
	lw.seen++
	if !lw.keeps(lw.seen - 1) {
		return false
	}
	if lw.written++; lw.written > 1 {
		lw.buf = append(lw.buf, ',')
	}
	return true
}

func (lw *listWriter) text(s string)   { lw.buf = append(lw.buf, s...) }
func (lw *listWriter) quoted(b []byte) { lw.buf = append(lw.buf, b...) }

func (lw *listWriter) price(amount int64) {
	lw.number(func(b []byte) []byte { return appendMoney(b, amount*lw.factor) })
}

func (lw *listWriter) count(n int) {
	lw.number(func(b []byte) []byte { return strconv.AppendInt(b, int64(n), 10) })
}

func (lw *listWriter) number(put func([]byte) []byte) {
	if !lw.quoteNumbers {
		lw.buf = put(lw.buf)
		return
	}
	lw.buf = append(put(append(lw.buf, '"')), '"')
}

// writeGrouped writes one row per name, and for Dopplers one more under the
// name without a phase: the lowest price of the phases and the sum of their
// counts.
func (w *World) writeGrouped(lw *listWriter) {
	m := w.skinsback
	group := func(quoted []byte, ask int64, count int, l *listing) {
		if !lw.row() {
			return
		}
		lw.text(`{"name":`)
		lw.quoted(quoted)
		lw.text(`,"price":`)
		switch l.blemish {
		case zeroPrice:
			lw.text("0")
		case textPrice:
			lw.text(`"n/a"`)
		default:
			lw.price(ask)
		}
		lw.text(`,"classid":"`)
		lw.text(l.classID())
		lw.text(`","count":`)
		lw.count(count)
		lw.text("}")
	}
	for _, l := range m.listings {
		if l.item.game != lw.game {
			continue
		}
		lots := w.shelf(m, l)
		switch {
		case l.blemish == nullRecord:
			if lw.row() {
				lw.text("null")
			}
		case len(lots) > 0:
			group(l.quoted, lots[0].price, len(lots), l)
		case l.places > 0 || l.pinnedLots != nil:
			group(l.quoted, l.ask, 0, l) // sold out
		}
		if of := m.families[key{l.item.game, l.item.bare}]; l.item.phase != "" && of[0] == l {
			if from, best, ok := w.cheapest(m, key{l.item.game, l.item.bare}); ok {
				count := 0
				for _, phase := range of {
					count += len(w.shelf(m, phase))
				}
				group(quote(l.item.bare), best.price, count, from)
			}
		}
	}
}

// writeLots writes one row per lot. A lot that has a phase comes twice under
// the same id, with and without it, in no particular order.
func (w *World) writeLots(lw *listWriter) {
	m := w.skinsback
	for _, l := range m.listings {
		if l.item.game != lw.game || l.blemish.unsaleable() {
			continue
		}
		names := [][]byte{l.quoted}
		if l.item.phase != "" {
			names = [][]byte{l.quoted, quote(l.item.bare)}
			if l.item.key%2 == 0 {
				names[0], names[1] = names[1], names[0]
			}
		}
		var extra string
		var stickers bool
		if lw.shape == "extended" {
			t := traitsOf(l.item)
			extra, stickers = t.extra(), t.exterior != ""
		}
		for _, lot := range w.shelf(m, l) {
			for _, name := range names {
				if !lw.row() {
					continue
				}
				lw.text(`{"id":"`)
				lw.buf = strconv.AppendInt(lw.buf, lot.id, 10)
				lw.text(`","name":`)
				lw.quoted(name)
				lw.text(`,"price":`)
				lw.price(lot.price)
				lw.text(`,"classid":"`)
				lw.text(l.classID())
				lw.text(`"`)
				if lw.shape == "extended" {
					lw.text(extra)
					if stickers {
						lw.stickers(lot)
					}
				}
				lw.text("}")
			}
		}
	}
}

// names are the names under which a listing's lots are found: its own, and
// without the phase if it has one.
func (l *listing) names() []string {
	if l.item.phase == "" {
		return []string{l.name}
	}
	return []string{l.name, l.item.bare}
}

// classID stands in for Steam's id of the kind of thing.
func (l *listing) classID() string {
	if l.class == "" {
		l.class = strconv.FormatInt(310_000_000+int64(mix(l.item.key)>>11%5_600_000_000), 10)
	}
	return l.class
}

// extra is the part of an extended row that describes the item. As in PHP, an
// empty object is an empty array.
func (t traits) extra() string {
	var parts []string
	for _, p := range []struct{ key, value string }{
		{"type", t.kind}, {"weapon", t.weapon}, {"exterior", t.exterior}, {"quality", t.quality}, {"rarity", t.rarity},
	} {
		if p.value != "" {
			parts = append(parts, `"`+p.key+`":`+string(quote(p.value)))
		}
	}
	if len(parts) == 0 {
		return `,"extra":[]`
	}
	return `,"extra":{` + strings.Join(parts, ",") + `}`
}

// stickers puts up to three stickers on a lot, mostly none. Things that cannot
// wear any have no such member.
func (lw *listWriter) stickers(lot lot) {
	lw.text(`,"stickers":[`)
	draw := mix(uint64(lot.id))
	for i := range max(0, below(draw, 7)-3) {
		if i > 0 {
			lw.text(",")
		}
		draw = mix(draw)
		names := stickerNames()
		lw.text(`{"name":"`)
		lw.text(names[below(draw, len(names))])
		lw.text(`"}`)
	}
	lw.text("]")
}

var stickerNames = sync.OnceValue(func() []string { return list(designs) })
