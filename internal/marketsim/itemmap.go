package marketsim

import "strconv"

// itemMap encodes SIH's catalog of one game: an object keyed by name. The
// shapes differ in what they say about an item:
//
//	plain     price, count, phase, market, sell, steam, image, color
//	extended  price, count, image, color
//	minified  price, count
func (w *World) itemMap(f form) []byte {
	b := []byte(`{"success":true,"items":{`)
	row, written := 0, 0
	for _, l := range w.sih.listings {
		if l.item.game != f.game {
			continue
		}
		lots := w.shelf(w.sih, l)
		if len(lots) == 0 {
			continue
		}
		if row++; !f.keeps(row - 1) {
			continue
		}
		if written++; written > 1 {
			b = append(b, ',')
		}
		b = append(b, l.quoted...)
		b = append(b, ':')
		b = w.appendRecord(b, f, l, lots[0].price*f.factor, len(lots))
	}
	return append(b, `}}`...)
}

func (w *World) appendRecord(b []byte, f form, l *listing, price int64, count int) []byte {
	if l.blemish == nullRecord {
		return append(b, "null"...)
	}
	// One record in a hundred has its numbers as strings.
	draw := roll(w.cfg.Seed, aboutRecord, l.item.key)
	mark := ""
	if below(draw, 100) == 0 {
		mark = `"`
	}
	b = append(b, `{"price":`...)
	switch l.blemish {
	case zeroPrice:
		b = append(b, '0')
	case textPrice:
		b = append(b, `"n/a"`...)
	default:
		b = append(b, mark...)
		b = appendMoney(b, price)
		b = append(b, mark...)
	}
	b = append(b, `,"count":`...)
	b = append(b, mark...)
	b = strconv.AppendInt(b, int64(count), 10)
	b = append(b, mark...)
	if f.shape == "minified" {
		return append(b, '}')
	}
	if f.shape == "plain" {
		b = l.appendPhase(b, draw)
		b = append(b, `,"market":"`...)
		b = append(b, sources[below(mix(draw+1), len(sources))]...)
		b = append(b, `","sell":`...)
		b = appendMoney(b, roundTo(scale(price, 940_000), cent))
		if l.item.steam > 0 {
			b = append(b, `,"steam":`...)
			b = appendMoney(b, l.item.steam*f.factor)
		}
	}
	b = append(b, `,"image":"`...)
	b = append(b, l.picture(f.shape)...)
	if color := traitsOf(l.item).color; color != "" {
		b = append(b, `","color":"`...)
		b = append(b, color...)
	}
	return append(b, `"}`...)
}

// sources are marketplaces that SIH may have an offer from.
var sources = []string{"Test Market", "waxpeer", "market-b", "market-c"}

// appendPhase writes the phase as unreliably as the real catalog may: Dopplers
// mostly have it, and some things that have no phases say "Phase 1".
func (l *listing) appendPhase(b []byte, draw uint64) []byte {
	which := below(mix(draw), 20)
	if l.item.phase != "" && which < 17 {
		return append(append(append(b, `,"phase":"`...), l.item.phase...), '"')
	}
	switch {
	case which < 6:
		return append(b, `,"phase":null`...)
	case which < 12:
		return append(b, `,"phase":""`...)
	case which < 13 && l.item.phase == "" && !l.item.hidden:
		return append(b, `,"phase":"Phase 1"`...)
	}
	return b
}

// picture is the image of an item: a bare hash as Steam has it, or in extended
// answers mostly an address at SIH's own network.
func (l *listing) picture(shape string) string {
	if shape == "extended" && l.item.key%50 > 0 {
		return "https://steaminventoryhelper.com/cdn-cgi/imagedelivery/MvHeJSvDbl13NYkuyvKbPw/weapons/" + image(l.item.key, 20) + "/public"
	}
	return "-9a81dlWLwJ2UUGcVs_nsVtzdOEdtWwKGZZLQHTxDZ7I56KU0Zwwo4NUX4oFJZEHLbXH5ApeO4Ym" + image(l.item.key, 120)
}

// image makes n hexadecimal digits.
func image(seed uint64, n int) string {
	const digits = "0123456789abcdef"
	b := make([]byte, n)
	for i := range b {
		if i%16 == 0 {
			seed = mix(seed)
		}
		b[i] = digits[seed>>(i%16*4)&15]
	}
	return string(b)
}
