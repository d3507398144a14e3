package skinsback

import (
	"bytes"
	"crypto/hmac"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"strings"

	"skinarb/pricing"
)

// Callback is what SkinsBack posts to the result URL when a deposit changes. It
// tells where to look and should not be believed further: an old one may be sent
// again. GetDeposit tells what is.
type Callback struct {
	// Deposit has what the signature covers. Items, and amounts by currency, are not
	// covered, and left out.
	Deposit
	// Risk comes with deposits in hold, else it is nil. The signature does not cover
	// it: whoever can send us a callback that he has seen can change it.
	Risk *UserRisk
}

// UserRisk is what SkinsBack knows of a user whose deposit is in hold. Times are
// as sent, in more than one form; sums are taken for dollars, which is not
// documented.
type UserRisk struct {
	Deposits         int64
	DepositsSum      pricing.Money
	RolledBack       int64
	RolledBackSum    pricing.Money
	JoinedAt         string
	LastDepositAt    string
	InventoryDollars map[string]pricing.Money // by game
}

// maxCallback bounds the body of a callback, in bytes.
const maxCallback = 256 << 10

// DepositCallback reads a callback that was posted to our result URL, if it
// carries a signature of ours: sign, the HMAC-SHA1 in hex, by the client secret,
// of every scalar parameter in order of the names as "name:value;". Bodies come as
// a form or as JSON; both are read. The header X-SIGN, which would do by the
// documentation, is the same for every body and so proves nothing.
//
// That text has no quotes, so what could be read in two ways is refused: names
// with other than letters, digits, - and _, a semicolon in a value, a name that comes
// twice. The only error is ErrSignature. It takes as long to find a signature
// wrong in its first character as in its last.
// https://skinsback.com/docs/api/v1/callback
func (c *Client) DepositCallback(body []byte) (Callback, error) {
	if len(body) > maxCallback {
		return Callback{}, ErrSignature
	}
	p, err := readCallback(body)
	if err != nil || !p.signed(c.cfg.ClientSecret) {
		return Callback{}, ErrSignature
	}
	told := func(name string) text { return text(p.scalars[name]) }
	return Callback{
		Deposit: depositFields{
			Status:        told("status"),
			TransactionID: told("transaction_id"),
			OrderID:       told("order_id"),
			SteamID:       told("steam_id"),
			Date:          told("date"),
			Amount:        told("amount"),
			Currency:      told("amount_currency"),
			UserAmount:    told("user_amount"),
			OfferDate:     told("offer_date"),
			SendDate:      told("skins_send_date"),
		}.deposit(),
		Risk: p.risk(),
	}, nil
}

var errAmbiguous = errors.New("the parameters can be read in two ways")

// callbackParams are the parameters of a callback.
type callbackParams struct {
	scalars map[string]string // at the top, which are signed
	nulls   map[string]bool   // scalars that were null
	nested  map[string]string // all others, by their name in a form: user_risk[joined_at]
}

// readCallback reads a form or a JSON object.
func readCallback(body []byte) (callbackParams, error) {
	p := callbackParams{map[string]string{}, map[string]bool{}, map[string]string{}}
	if trimmed := bytes.TrimLeft(body, " \t\r\n"); len(trimmed) > 0 && trimmed[0] == '{' {
		return p, p.readJSON(trimmed)
	}
	return p, p.readForm(string(body))
}

// add notes a scalar at the top.
func (p callbackParams) add(name, value string) error {
	_, twice := p.scalars[name]
	if twice || !idLetters(name) || name == "" || strings.Contains(value, ";") {
		return errAmbiguous
	}
	p.scalars[name] = value
	return nil
}

func (p callbackParams) readForm(body string) error {
	form, err := url.ParseQuery(body)
	if err != nil {
		return err
	}
	for name, values := range form {
		if len(values) != 1 {
			return errAmbiguous
		}
		if strings.Contains(name, "[") {
			p.nested[name] = values[0]
			continue
		}
		if err := p.add(name, values[0]); err != nil {
			return err
		}
	}
	return nil
}

func (p callbackParams) readJSON(body []byte) error {
	dec := json.NewDecoder(bytes.NewReader(body))
	if _, err := dec.Token(); err != nil {
		return err
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return err
		}
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return err
		}
		name, _ := key.(string) // a key of an object is one
		if raw[0] == '{' || raw[0] == '[' {
			p.flatten(name, raw, maxNesting)
			continue
		}
		var value text
		if err := json.Unmarshal(raw, &value); err != nil {
			return err
		}
		if err := p.add(name, phpText(value, raw)); err != nil {
			return err
		}
		p.nulls[name] = raw[0] == 'n'
	}
	if _, err := dec.Token(); err != nil { // the end of the object
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errAmbiguous
	}
	return nil
}

// phpText is the text that PHP makes of a scalar: of true "1", of false "".
func phpText(value text, raw []byte) string {
	switch raw[0] {
	case 't':
		return "1"
	case 'f':
		return ""
	}
	return string(value)
}

// maxNesting is how deep parameters are looked into.
const maxNesting = 4

// flatten notes everything below name. What is deeper than deep is left out, and
// so is a list: none is read.
func (p callbackParams) flatten(name string, raw json.RawMessage, deep int) {
	var fields map[string]json.RawMessage
	if deep == 0 || json.Unmarshal(raw, &fields) != nil {
		var value text
		if json.Unmarshal(raw, &value) == nil {
			p.nested[name] = string(value)
		}
		return
	}
	for field, raw := range fields {
		p.flatten(name+"["+field+"]", raw, deep-1)
	}
}

// signed tells whether sign is right. Whether a null is signed as an empty text or
// not at all is not documented; since both mean that nothing was told, either will
// do.
func (p callbackParams) signed(secret string) bool {
	with, without := params{}, params{}
	for name, value := range p.scalars {
		if with[name] = value; !p.nulls[name] {
			without[name] = value
		}
	}
	got := []byte(strings.ToLower(p.scalars["sign"]))
	as := hmac.Equal(got, []byte(with.signature(secret)))
	or := hmac.Equal(got, []byte(without.signature(secret)))
	return as || or
}

// risk gives user_risk, or nil.
func (p callbackParams) risk() *UserRisk {
	var r UserRisk
	found := false
	for name, value := range p.nested {
		path, ok := strings.CutPrefix(name, "user_risk[")
		path, closed := strings.CutSuffix(path, "]")
		if !ok || !closed {
			continue
		}
		found = true
		t := text(value)
		switch path {
		case "total_deposits_count":
			r.Deposits, _ = t.whole()
		case "total_deposits_sum":
			r.DepositsSum = t.amount()
		case "total_rollback_deposits_count":
			r.RolledBack, _ = t.whole()
		case "total_rollback_deposits_sum":
			r.RolledBackSum = t.amount()
		case "joined_at":
			r.JoinedAt = value
		case "last_deposit_at":
			r.LastDepositAt = value
		}
		if game, ok := strings.CutPrefix(path, "user_inventory]["); ok {
			if game, ok := strings.CutSuffix(game, "][sum"); ok {
				if r.InventoryDollars == nil {
					r.InventoryDollars = map[string]pricing.Money{}
				}
				r.InventoryDollars[game] = t.amount()
			}
		}
	}
	if !found {
		return nil
	}
	return &r
}
