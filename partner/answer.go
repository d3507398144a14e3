package partner

import (
	"encoding/json"
	"strconv"
	"strings"

	"skinarb/pricing"
)

// refusal is an error in SIH's words; empty is none.
type refusal string

// What SIH documents, and one word that it does not: whatever else it reads, a
// create-purchase without success is an order that failed.
const (
	invalidSignature refusal = "invalid signature"
	invalidTradelink refusal = "invalid tradelink"
	badPrice         refusal = "bad price"
	notFound         refusal = "not found"
	internalError    refusal = "internal error"
)

// answer is the envelope of every answer.
type answer struct {
	Success bool    `json:"success"`
	Data    *data   `json:"data,omitempty"`
	Error   refusal `json:"error,omitempty"`
}

// data is a purchase as SIH wants it: every field where it belongs and nowhere
// else.
type data struct {
	ID         any         `json:"id"` // a number, or text of digits when JavaScript would round it
	Price      json.Number `json:"price"`
	OfferID    *int64      `json:"offerId"`
	Status     string      `json:"status"`
	Avatar     string      `json:"avatar"`
	Nickname   string      `json:"nickname"`
	Reason     Reason      `json:"reason,omitempty"`     // only failed
	Protection *protection `json:"protection,omitempty"` // only finished
}

// protection is Steam's trade protection; times are in unix seconds.
type protection struct {
	Status         string      `json:"status"`
	Until          int64       `json:"until,omitempty"`
	Error          Side        `json:"error,omitempty"` // this and what follows: only failed
	RollbackAt     int64       `json:"rollbackAt,omitempty"`
	RollbackAmount json.Number `json:"rollbackAmount,omitempty"`
}

// statuses is what SIH calls our states, and what it calls the protection then.
var statuses = map[State]struct{ status, protection string }{
	Created:    {"created", ""},
	Sent:       {"sent", ""},
	Accepted:   {"finished", ""},
	Protected:  {"finished", "processing"},
	Settled:    {"finished", "finished"},
	RolledBack: {"finished", "failed"},
	Failed:     {"failed", ""},
}

// Bot is the Steam account that SIH shows as the sender.
type Bot struct {
	Nickname string
	Avatar   string // URL of its picture
}

func describe(p Purchase, bot Bot) answer {
	is := statuses[p.State]
	d := &data{ID: p.ID, Price: number(p.Price), Status: is.status, Avatar: bot.Avatar, Nickname: bot.Nickname, Reason: p.Reason}
	if p.ID > maxSafe {
		d.ID = strconv.FormatInt(p.ID, 10)
	}
	if p.OfferID != 0 {
		d.OfferID = &p.OfferID
	}
	if is.protection != "" {
		d.Protection = &protection{Status: is.protection}
		if p.State == RolledBack {
			r := p.Rollback
			d.Protection.Error, d.Protection.RollbackAt, d.Protection.RollbackAmount = r.By, r.At.Unix(), number(r.Amount)
		} else if !p.Until.IsZero() {
			d.Protection.Until = p.Until.Unix()
		}
	}
	return answer{Success: true, Data: d}
}

// number gives an amount in dollars as JavaScript would print it.
func number(m pricing.Money) json.Number {
	return json.Number(strings.TrimSuffix(strings.TrimRight(m.String(), "0"), "."))
}

func (a answer) bytes() []byte {
	b, err := json.Marshal(a)
	if err != nil {
		panic("partner: " + err.Error()) // there is nothing in an answer that JSON lacks
	}
	return b
}
