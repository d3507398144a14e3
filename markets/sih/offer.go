package sih

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/go-faster/jx"

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
}

// maxCount bounds a count; more is nonsense.
const maxCount = 1_000_000_000

// readOffers reads an entry: a record, a bare price, or a list of records. A
// reason that is not empty says why it cannot be used; an error means that the
// body is broken.
func readOffers(d *jx.Decoder) (offer, string, error) {
	if d.Next() != jx.Array {
		return readOffer(d)
	}
	best := offer{} // as of an empty list: sold out
	reject := ""
	err := d.Arr(func(d *jx.Decoder) error {
		o, reason, err := readOffer(d)
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

// readOffer reads a record or a bare price, whose count is not known.
func readOffer(d *jx.Decoder) (offer, string, error) {
	o := offer{count: pricing.CountUnknown}
	switch d.Next() {
	case jx.Object:
		return readRecord(d)
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
		return o, o.fault(true), nil
	}
	return o, "shape", d.Skip()
}

// readRecord reads {"price":1.01,"count":10,...}. Only the price has to be
// there. A count that cannot be read rejects the record; of the members that
// only inform, a bad value is as good as none.
func readRecord(d *jx.Decoder) (offer, string, error) {
	o := offer{count: pricing.CountUnknown}
	countable := true
	err := d.ObjBytes(func(d *jx.Decoder, key []byte) error {
		member := string(key)
		switch member {
		case "price", "count", "phase", "market", "sell", "steam":
		default:
			return d.Skip()
		}
		kind := d.Next()
		t, err := readScalar(d)
		if err != nil {
			return err
		}
		switch member {
		case "price":
			o.ask, _ = t.money()
		case "count":
			o.count, countable = readCount(t, kind)
		case "phase":
			o.phase = readPhase(t, kind)
		case "market":
			o.source = readSource(t)
		case "sell":
			o.sell = told(t)
		case "steam":
			o.steam = told(t)
		}
		return nil
	})
	return o, o.fault(countable), err
}

// fault says why a record cannot be used, or nothing.
func (o offer) fault(countable bool) string {
	switch {
	case o.ask <= 0:
		return "price"
	case !countable:
		return "count"
	}
	return ""
}

// readCount reads a count; null is not known, and every other thing that is no
// number of units is a mistake.
func readCount(t text, kind jx.Type) (int, bool) {
	if kind == jx.Null {
		return pricing.CountUnknown, true
	}
	n, err := strconv.Atoi(string(t))
	return n, err == nil && n >= 0 && n <= maxCount
}

// readPhase gives the phase field. One that is no text must not pass for a
// Doppler that tells no phase, so it becomes a spelling that nobody knows.
func readPhase(t text, kind jx.Type) string {
	switch kind {
	case jx.String, jx.Number, jx.Null:
		return string(t)
	}
	return kind.String()
}

// readSource gives the name of the marketplace that an offer is from, if it can
// be one.
func readSource(t text) string {
	if len(t) > 64 || strings.ContainsFunc(string(t), func(r rune) bool { return !unicode.IsPrint(r) }) {
		return ""
	}
	return string(t)
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
