package partner

import (
	"net/url"
	"strings"
	"unicode/utf8"

	"skinarb/pricing"
)

// Bounds of identifiers, in bytes.
const (
	maxCustomID = 200
	maxItemID   = 64
)

// order is what a create-purchase asks for. Its fields are valid as far as they
// are not empty.
type order struct {
	customID string
	itemID   string
	buyer    Buyer
	price    pricing.Money
}

// readOrder reads the body of create-purchase. The refusal is why it cannot be
// taken, or empty; customID is given also then, if it is valid.
//
// A payload that is not whole is to be called an invalid tradelink, also when
// another field is to blame; a price that nobody could take is a bad price.
func readOrder(body value) (order, refusal) {
	o := order{customID: readCustomID(body.member("customId")), itemID: readItemID(body.member("id"))}
	steamID, token, price := body.member("steamId"), body.member("token"), body.member("price")
	if o.customID == "" || o.itemID == "" || steamID.kind != isString || token.kind != isString || price.kind != isNumber {
		return o, invalidTradelink
	}
	var err error
	if o.buyer, err = ParseBuyer(steamID.text, token.text); err != nil {
		return o, invalidTradelink
	}
	if o.price = readPrice(price.number); o.price <= 0 {
		return o, badPrice
	}
	return o, ""
}

// readCustomID gives SIH's key as it was sent, or "" for what cannot be one.
func readCustomID(v value) string {
	if len(v.text) > maxCustomID || !utf8.ValidString(v.text) || strings.ContainsFunc(v.text, func(r rune) bool { return r < ' ' }) {
		return ""
	}
	return v.text
}

// readItemID gives the id of a listing, or "" for what cannot be one. SIH says that
// it is text; a whole number means the same.
func readItemID(v value) string {
	if v.kind == isNumber && v.number >= 0 && v.number <= maxSafe {
		v.text = string(v.append(nil))
		if strings.ContainsFunc(v.text, func(r rune) bool { return r < '0' || r > '9' }) {
			return ""
		}
	}
	if len(v.text) > maxItemID || strings.ContainsFunc(v.text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return ""
	}
	return v.text
}

// readPrice gives a price in dollars as money, rounded down since it is what we
// get, or 0 for what is no price.
func readPrice(f float64) pricing.Money {
	if f < 1e-6 || f >= 1e21 { // less than we count in, and more than is printed without an exponent
		return 0
	}
	whole, decimals, _ := strings.Cut(string(appendNumber(nil, f)), ".")
	m, err := pricing.ParseMoney(whole + "." + (decimals + "000000")[:6])
	if err != nil {
		return 0
	}
	return m
}

// readQuery gives what get-purchase's signature covers: an object with customId as
// the servers of SIH's partners see it. It is text when it came once, a list when it
// came several times, and missing when it did not. ok is false for what no program
// of SIH's sends.
func readQuery(raw string) (signed value, ok bool) {
	signed = value{kind: isObject}
	q, err := url.ParseQuery(raw)
	if err != nil || len(raw) > maxText {
		return signed, false
	}
	var ids []value
	for _, id := range q["customId"] {
		if !utf8.ValidString(id) {
			return signed, false
		}
		ids = append(ids, value{kind: isString, text: id})
	}
	switch len(ids) {
	case 0:
	case 1:
		signed.members = []member{{"customId", ids[0]}}
	default:
		signed.members = []member{{"customId", value{kind: isArray, items: ids}}}
	}
	return signed, true
}
