package marketsim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Hostility is what a partner may meet with beside the friendly protocol: shares,
// in percent, of the buyers or of the requests. The zero value is friendly.
type Hostility struct {
	// Of the buyers.
	Haggle  int // pay a cent less than the price; taken or refused with "bad price"
	Lowball int // pay a tenth; refused with "bad price"
	BadLink int // have no trade URL; refused with "invalid tradelink"
	OtherID int // order by the id that SIH gave the item, in place of the one it was deposited under

	// Of the requests about orders.
	Odd  int // create-purchase is written otherwise than SIH does, with the same meaning
	Lost int // the connection closes before the answer is read; then the order is sent again, or asked about
	Slow int // takes SlowFor to write and to read
	Twin int // two or three at once, whose answers may overtake each other

	// Of the requests about orders, beside which comes another.
	Duplicate int // create-purchase of an order that stands, one in four with another price; answered as it stands
	Forged    int // not signed by SIH; "invalid signature", and nothing happens
	Garbage   int // create-purchase without JSON; "invalid signature"
	Stranger  int // a poll of an order that never was, or of none; "not found"

	SlowFor time.Duration // on a real clock; 0 means 300ms
}

// DefaultHostility has all of it, now and then.
var DefaultHostility = Hostility{
	Haggle: 10, Lowball: 5, BadLink: 5, OtherID: 20,
	Odd: 20, Lost: 8, Slow: 1, Twin: 10,
	Duplicate: 5, Forged: 5, Garbage: 3, Stranger: 3,
}

func (h Hostility) check() error {
	for _, percent := range []int{
		h.Haggle + h.Lowball + h.BadLink, h.OtherID, h.Odd, h.Lost + h.Slow, h.Twin, h.Duplicate, h.Forged, h.Garbage, h.Stranger,
	} {
		if percent < 0 || percent > 100 {
			return fmt.Errorf("Hostility has shares outside 0 to 100 percent: %d", percent)
		}
	}
	if h.SlowFor < 0 {
		return fmt.Errorf("Hostility.SlowFor is negative: %v", h.SlowFor)
	}
	return nil
}

func (h Hostility) slowFor() time.Duration {
	if h.SlowFor == 0 {
		return 300 * time.Millisecond
	}
	return h.SlowFor
}

// buyer is how a buyer orders.
type buyer int

const (
	fair buyer = iota
	haggler
	lowballer
	withoutLink
)

// acceptable tells whether an order may be accepted, and refusals with which errors
// it may be refused. A fair one may come too late for the item.
func (b buyer) acceptable() bool { return b == fair || b == haggler }

func (b buyer) refusals() []string {
	if b == withoutLink {
		return []string{"invalid tradelink"}
	}
	return []string{"bad price"}
}

// dress gives an order its buyer's manners.
func (w *World) dress(o *partnerOrder) {
	h, draw := w.partner.Hostility, w.partnerDraw(o.n, 0, 1)
	if hits(mix(draw), h.OtherID) {
		o.itemID = o.deposit.text()
	}
	switch share := below(draw, 100); {
	case share < h.Haggle:
		o.buyer = haggler
		o.price = max(o.price-cent, cent)
	case share < h.Haggle+h.Lowball:
		o.buyer = lowballer
		o.price = max(o.price/10/cent*cent, mill)
	case share < h.Haggle+h.Lowball+h.BadLink:
		o.buyer = withoutLink
		switch below(mix(draw), 3) {
		case 0:
			o.token = ""
		case 1:
			o.steamID = "123"
		default:
			o.steamID = o.steamID[:16] + "x"
		}
	}
}

// text is the body of create-purchase, as SIH writes it or, at odds, otherwise.
func (o *partnerOrder) text(h Hostility, draw uint64) string {
	price := formatMoney(o.price)
	plain := o.body(price, o.customID)
	if !hits(draw, h.Odd) {
		return plain
	}
	switch below(mix(draw), 5) {
	case 0: // with white space
		var b bytes.Buffer
		if json.Indent(&b, []byte(plain), "", "  ") != nil {
			return plain
		}
		return b.String()
	case 1: // in another order
		return fmt.Sprintf(`{"customId":%q,"price":%s,"token":%q,"steamId":%q,"id":%q}`, o.customID, price, o.token, o.steamID, o.itemID)
	case 2: // with zeros that mean nothing
		if !strings.Contains(price, ".") {
			price += "."
		}
		return o.body(price+"0", o.customID)
	case 3: // with an escape for what needs none
		return o.body(price, strings.Replace(o.customID, "-", `\u002d`, 1))
	default: // with members that nobody knows
		return strings.TrimSuffix(plain, "}") + `,"note":"a<b>&c \u2605","meta":{"2":null,"1":[1.50,true]}}`
	}
}

// body writes create-purchase from what is JSON already.
func (o *partnerOrder) body(price, customID string) string {
	return fmt.Sprintf(`{"id":%q,"steamId":%q,"token":%q,"price":%s,"customId":"%s"}`, o.itemID, o.steamID, o.token, price, customID)
}

// pesterAbout makes the requests that come beside a, if any.
func (w *World) pesterAbout(o *partnerOrder, a *partnerAsk, draw func(uint64) uint64) []*partnerAsk {
	h := w.partner.Hostility
	var more []*partnerAsk
	if hits(draw(10), h.Twin) {
		for range 1 + below(draw(11), 2) {
			twin := *a
			twin.manner = plainly
			more = append(more, &twin)
		}
	}
	if hits(draw(12), h.Duplicate) && o.told != nil {
		again := *o
		if below(draw(13), 4) == 0 {
			again.price += dollar
		}
		more = append(more, w.createAsk(o, again.text(h, draw(14))))
	}
	if hits(draw(15), h.Forged) {
		more = append(more, w.forge(o, draw(16))...)
	}
	if hits(draw(17), h.Garbage) {
		more = append(more, w.garbage(draw(18)))
	}
	if hits(draw(19), h.Stranger) {
		stranger := w.unknownAsk(&partnerOrder{customID: "fast-" + strconv.FormatUint(draw(20), 36)})
		if below(draw(21), 4) == 0 { // or of none at all
			stranger.query, stranger.signature = "", partnerSignature(w.partner.Key, "{}")
		}
		more = append(more, stranger)
	}
	for _, b := range more {
		switch {
		case b.order != o:
		case b.create:
			o.creates++
		default:
			o.polls++
		}
	}
	return more
}

// unknownAsk is a poll of an order that the partner cannot know.
func (w *World) unknownAsk(o *partnerOrder) *partnerAsk {
	a := w.pollAsk(o)
	a.order, a.record, a.errors = nil, false, []string{"not found"}
	return a
}

// forge makes requests that SIH did not sign: an order that nobody made, and a look
// at the one before of that kind, to which nothing may have happened; or a poll.
func (w *World) forge(o *partnerOrder, draw uint64) []*partnerAsk {
	var all []*partnerAsk
	var a *partnerAsk
	if below(draw, 2) == 0 {
		for i := len(w.partner.orders) - 1; i >= 0; i-- {
			if last := w.partner.orders[i]; last.deposit == nil {
				all = append(all, w.unknownAsk(last))
				break
			}
		}
		forged := w.newPartnerOrder()
		forged.itemID, forged.price = o.itemID, o.price
		forged.err, forged.final = "invalid signature", true
		forged.creates++
		a = w.createAsk(forged, forged.text(Hostility{}, 0))
	} else {
		a = w.pollAsk(o)
	}
	a.record, a.errors = false, []string{"invalid signature"}
	switch below(mix(draw), 5) {
	case 0:
		a.unsigned = true
	case 1:
		a.signature = a.signature[1:]
	case 2:
		a.signature = "zz" + a.signature[2:]
	case 3: // of another body
		a.signature = partnerSignature(w.partner.Key, pollText(o.customID+"0"))
	default: // with another key
		a.signature = partnerSignature(w.partner.Key+"0", pollText(o.customID))
	}
	return append(all, a)
}

// garbage is a create-purchase that is no JSON, so that nothing in it can be signed.
func (w *World) garbage(draw uint64) *partnerAsk {
	bodies := []string{"", "{", `{"id":"50231",`, "\xff\xfe{}", "<html></html>", `{"price":1e}`, strings.Repeat("[", 5000), `"` + strings.Repeat("a", 5000)}
	return &partnerAsk{
		create:    true,
		body:      bodies[below(draw, len(bodies))],
		signature: partnerSignature(w.partner.Key, ""),
		errors:    []string{"invalid signature"},
	}
}
