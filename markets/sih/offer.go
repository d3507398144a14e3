package sih

import (
	"strings"
	"unicode"

	"github.com/go-faster/jx"

	"skinarb/internal/scan"
	"skinarb/pricing"
)

// offer is the value of one entry of a catalog.
type offer struct {
	ask    pricing.Money
	count  int // 0 is sold out
	phase  string
	source string
	steam  pricing.Money
	sell   pricing.Money

	uncountable bool // count is none; the offer must not be used
}

// maxCount bounds a count; more is nonsense.
const maxCount = 1_000_000_000

// offers reads an entry: a record, a bare price, or a list of records. A
// reason that is not empty says why it cannot be used; an error means that the
// body is broken.
func (cat *catalog) offers(d *jx.Decoder) (offer, string, error) {
	if d.Next() != jx.Array {
		return cat.offer(d)
	}
	best := offer{} // as of an empty list: sold out
	reject := ""
	err := d.Arr(func(d *jx.Decoder) error {
		o, reason, err := cat.offer(d)
		switch {
		case err != nil:
			return err
		case reason != "":
			reject = reason
		case o.count != 0:
			best = best.and(o)
		}
		return nil
	})
	if best.count != 0 {
		reject = ""
	}
	return best, reject, err
}

// and joins two offers of one name: the lower ask, and the units of both if both
// are known. Where they tell different phases the name alone does not say which
// phase can be bought.
func (o offer) and(p offer) offer {
	if o.count == 0 {
		return p
	}
	low := o
	if p.ask < o.ask {
		low = p
	}
	low.count = pricing.CountUnknown
	if o.count > 0 && p.count > 0 {
		low.count = min(o.count+p.count, maxCount)
	}
	if o.phase != p.phase {
		low.phase = string(pricing.UnknownPhase)
	}
	return low
}

// offer reads a record or a bare price, whose count is not known.
func (cat *catalog) offer(d *jx.Decoder) (offer, string, error) {
	o := newOffer()
	switch d.Next() {
	case jx.Object:
		return cat.record(d)
	case jx.Number, jx.String:
		t, err := readScalar(d)
		if err != nil {
			return o, "", err
		}
		price, ok := t.money()
		if !ok {
			return o, "shape", nil
		}
		o.ask = price
		return o, o.fault(), nil
	}
	return o, "shape", d.Skip()
}

// record reads {"price":1.01,"count":10,...}. Only the price has to be there. A
// count that cannot be read rejects the record; of the members that only inform,
// a bad value is as good as none.
func (cat *catalog) record(d *jx.Decoder) (offer, string, error) {
	o := newOffer()
	err := d.ObjBytes(func(d *jx.Decoder, key []byte) error {
		m := memberOf(key)
		if m == unused {
			return d.Skip()
		}
		kind := d.Next()
		t, err := readScalar(d)
		if err != nil {
			return err
		}
		o.set(m, []byte(t), kind, cat.words)
		return nil
	})
	return o, o.fault(), err
}

// quick reads a record at the beginning of b into cat.quickOffer and gives its
// length; 0 when it is not of the ordinary kind. It reads nothing that record
// would not read in the same way.
func (cat *catalog) quick(b []byte) int {
	o := &cat.quickOffer
	*o = newOffer()
	row := cat.shape.Open(b)
	for row.Next() {
		if row.Member == unused {
			row.Skip()
			continue
		}
		v, kind := row.Scalar()
		o.set(row.Member, v, kind, cat.words)
	}
	return row.End()
}

// The members of a record that mean something to us.
const (
	unused = iota
	priceMember
	countMember
	phaseMember
	marketMember
	sellMember
	steamMember
)

func memberOf(key []byte) int {
	switch string(key) {
	case "price":
		return priceMember
	case "count":
		return countMember
	case "phase":
		return phaseMember
	case "market":
		return marketMember
	case "sell":
		return sellMember
	case "steam":
		return steamMember
	}
	return unused
}

// words are texts that come with many offers.
type words struct{ phases, sources *scan.Words }

func newWords() words {
	same := func(s string) string { return s }
	return words{scan.NewWords(same), scan.NewWords(readSource)}
}

func newOffer() offer { return offer{count: pricing.CountUnknown} }

// set takes a member's value. Of a kind other than a string or a number, v means
// nothing.
func (o *offer) set(member int, v []byte, kind jx.Type, words words) {
	if kind != jx.String && kind != jx.Number {
		v = nil
	}
	switch member {
	case priceMember:
		o.ask, _ = scan.Money(v)
	case countMember:
		o.count, o.uncountable = readCount(v, kind)
	case phaseMember:
		o.phase = readPhase(v, kind, words.phases)
	case marketMember:
		o.source = words.sources.Read(v)
	case sellMember:
		o.sell = informs(v)
	case steamMember:
		o.steam = informs(v)
	}
}

// fault says why an offer cannot be used, or nothing.
func (o *offer) fault() string {
	switch {
	case o.ask <= 0:
		return "price"
	case o.uncountable:
		return "count"
	}
	return ""
}

// informs reads an amount that only informs; what is none is not told.
func informs(v []byte) pricing.Money {
	if len(v) == 0 {
		return 0
	}
	m, _ := scan.Money(v)
	return max(m, 0)
}

// readCount reads a count; null is not known, and every other thing that is no
// number of units is a mistake.
func readCount(v []byte, kind jx.Type) (count int, mistake bool) {
	if kind == jx.Null {
		return pricing.CountUnknown, false
	}
	n, ok := scan.Whole(v)
	if !ok || n < 0 || n > maxCount {
		return pricing.CountUnknown, true
	}
	return int(n), false
}

// readPhase gives the phase field. One that is no text must not pass for a
// Doppler that tells no phase, so it becomes a spelling that nobody knows.
func readPhase(v []byte, kind jx.Type, phases *scan.Words) string {
	switch kind {
	case jx.String, jx.Number:
		if len(v) == 0 {
			return ""
		}
		return phases.Read(v)
	case jx.Null:
		return ""
	}
	return kind.String()
}

// readSource gives the name of the marketplace that an offer is from, if it can
// be one.
func readSource(s string) string {
	if len(s) > 64 || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return ""
	}
	return s
}

// readScalar reads a string or a number as text; any other value is skipped and
// empty.
func readScalar(d *jx.Decoder) (text, error) {
	switch d.Next() {
	case jx.String:
		s, err := d.Str()
		return text(s), err
	case jx.Number:
		n, err := d.Num()
		return text(n), err
	}
	return "", d.Skip()
}
