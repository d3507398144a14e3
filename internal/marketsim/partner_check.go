package marketsim

import (
	"fmt"
	"math"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// What SIH accepts as an answer, to the letter. Whatever else a partner says is a
// PartnerFault, also where a real SIH might let it pass.

// Rules that an answer of a partner can break, as PartnerFault names them.
const (
	RuleStatus      = "status"       // the HTTP status is 200, of errors too
	RuleContentType = "content-type" // application/json, in UTF-8 if it says so
	RuleJSON        = "json"         // one JSON value, not over 64 KiB
	RuleSchema      = "schema"       // every member there, none more, each of its type, in its place and once
	RuleEnum        = "enum"         // a status, reason or error that SIH knows
	RuleID          = "id"           // of digits only, and exact in a double if it is a number
	RuleOffer       = "offer"        // null while created, a whole number from sent on
	RuleTimes       = "times"        // unix seconds, and of these days
	RuleUnexpected  = "unexpected"   // the error, or the success, that this request must have
	RulePrice       = "price"        // the one that was agreed on
	RuleChanged     = "changed"      // ids and what is final stay as they were told
	RuleBackwards   = "backwards"    // no state returns
	RuleLate        = "late"         // an answer within Partner.Patience
	RuleUntrue      = "untrue"       // what the partner says of a trade that it bought on SkinsBack has happened there
	RuleTwice       = "twice"        // at most one purchase on SkinsBack for each order
	RuleUnasked     = "unasked"      // and none for those that were refused or never signed
	RuleRecipient   = "recipient"    // which goes to the buyer
)

// maxPartnerAnswer bounds the body of an answer, in bytes.
const maxPartnerAnswer = 64 << 10

// partnerReply is what came back of a request.
type partnerReply struct {
	none        bool // nothing did
	late        bool // because it took too long
	status      int
	contentType string
	body        string // of maxPartnerAnswer and a byte at most
}

// problem is a rule that was broken, and how.
type problem struct{ rule, detail string }

// problems gathers them.
type problems []problem

func (p *problems) add(rule, format string, args ...any) {
	*p = append(*p, problem{rule, fmt.Sprintf(format, args...)})
}

// partnerRecord is an order as the partner tells it.
type partnerRecord struct {
	state    string // as partnerMoves has them
	id       string
	price    string
	offer    string // "" is null
	reason   string
	until    string // unix seconds; "": not told
	rollback string // who, when and how much
}

// partnerMoves are the states that may follow each other, or themselves, between
// two looks: the status, with that of trade protection after a colon.
var partnerMoves = map[string][]string{
	"":                    {"created", "sent", "failed", "finished", "finished:processing", "finished:finished", "finished:failed"},
	"created":             {"created", "sent", "failed", "finished", "finished:processing", "finished:finished", "finished:failed"},
	"sent":                {"sent", "failed", "finished", "finished:processing", "finished:finished", "finished:failed"},
	"finished":            {"finished", "finished:processing", "finished:finished", "finished:failed"},
	"finished:processing": {"finished:processing", "finished:finished", "finished:failed"},
	"finished:finished":   {"finished:finished"},
	"finished:failed":     {"finished:failed"},
	"failed":              {"failed"},
}

var (
	partnerReasons   = []string{"canceled by buyer", "canceled by seller", "send timeout", "bad price", "invalid tradelink"}
	partnerRollbacks = []string{"rollback user", "rollback supplier"}
	partnerErrors    = []string{"invalid signature", "not found", "bad price", "invalid tradelink"}
)

// read checks an answer by itself and returns what it says: a record, or else an
// error's text. With problems it may be neither.
func (r partnerReply) read() (rec *partnerRecord, refusal string, found problems) {
	if r.status != http.StatusOK {
		found.add(RuleStatus, "got %d", r.status)
	}
	media, params, err := mime.ParseMediaType(r.contentType)
	if charset := params["charset"]; err != nil || media != "application/json" || charset != "" && !strings.EqualFold(charset, "utf-8") {
		found.add(RuleContentType, "got %q", r.contentType)
	}
	if len(r.body) > maxPartnerAnswer {
		found.add(RuleJSON, "the answer is longer than %d bytes", maxPartnerAnswer)
		return nil, "", found
	}
	root, err := parseJS(r.body)
	if err != nil || root.kind != jsObject {
		found.add(RuleJSON, "the answer is no JSON object")
		return nil, "", found
	}
	if success, _ := root.member("success"); success.text == "true" {
		got := found.fit("the answer", root, field{"success", jsBool, need}, field{"data", jsObject, need})
		if data, ok := got["data"]; ok {
			rec = found.record(data)
		}
		return rec, "", found
	}
	got := found.fit("the answer", root, field{"success", jsBool, need}, field{"error", jsString, need})
	refusal = got["error"].text
	if !slices.Contains(partnerErrors, refusal) {
		found.add(RuleEnum, "error %q", refusal)
	}
	return nil, refusal, found
}

func (v jsValue) member(name string) (jsValue, bool) {
	for _, m := range v.members {
		if m.name == name {
			return m.value, true
		}
	}
	return jsValue{}, false
}

// field is a member of an object in SIH's schema.
type field struct {
	name string
	kind jsKind // "": several, checked elsewhere
	when presence
}

type presence int

const (
	need presence = iota
	may
	never
)

// fit checks the members of an object and returns those that are right.
func (p *problems) fit(where string, v jsValue, fields ...field) map[string]jsValue {
	got := map[string]jsValue{}
	for _, m := range v.members {
		i := slices.IndexFunc(fields, func(f field) bool { return f.name == m.name })
		_, again := got[m.name]
		switch {
		case i < 0:
			p.add(RuleSchema, "%s has a member %q", where, m.name)
		case fields[i].when == never:
			p.add(RuleSchema, "%s has %q, which it must not have now", where, m.name)
		case again:
			p.add(RuleSchema, "%s has %q twice", where, m.name)
		case fields[i].kind != "" && fields[i].kind != m.value.kind:
			p.add(RuleSchema, "%s has %q as %s, want %s", where, m.name, m.value.kind, fields[i].kind)
		default:
			got[m.name] = m.value
		}
	}
	for _, f := range fields {
		if _, there := v.member(f.name); !there && f.when == need {
			p.add(RuleSchema, "%s lacks %q", where, f.name)
		}
	}
	return got
}

// onlyIf is need when something holds, and never otherwise.
func onlyIf(holds bool) presence {
	if holds {
		return need
	}
	return never
}

// record checks the data of a success.
func (p *problems) record(data jsValue) *partnerRecord {
	status, _ := data.member("status")
	withProtection := never
	if status.text == "finished" {
		withProtection = may
	}
	got := p.fit("data", data,
		field{"id", "", need},
		field{"price", jsNumber, need},
		field{"offerId", "", need},
		field{"status", jsString, need},
		field{"avatar", jsString, need},
		field{"nickname", jsString, need},
		field{"reason", jsString, onlyIf(status.text == "failed")},
		field{"protection", jsObject, withProtection},
	)
	rec := &partnerRecord{
		state:  status.text,
		id:     got["id"].text,
		price:  got["price"].text,
		offer:  got["offerId"].text,
		reason: got["reason"].text,
	}
	if _, known := partnerMoves[rec.state]; !known || rec.state == "" || strings.Contains(rec.state, ":") {
		p.add(RuleEnum, "status %q", rec.state)
	}
	if id := got["id"]; !digitsOnly(rec.id) || id.kind != jsString && id.kind != jsNumber || id.kind == jsNumber && !exact(rec.id) {
		p.add(RuleID, "id %q as %s", rec.id, id.kind)
	}
	switch offer := got["offerId"]; {
	case offer.kind == jsNull && rec.state != "sent" && rec.state != "finished":
	case offer.kind == jsNumber && rec.state != "created" && digitsOnly(rec.offer) && exact(rec.offer) && rec.offer != "0":
	default:
		p.add(RuleOffer, "offerId %q as %s while %s", rec.offer, offer.kind, rec.state)
	}
	if rec.state == "failed" && !slices.Contains(partnerReasons, rec.reason) {
		p.add(RuleEnum, "reason %q", rec.reason)
	}
	if protection, ok := got["protection"]; ok {
		p.protection(rec, protection)
	}
	return rec
}

// protection checks the state of trade protection and adds it to a record.
func (p *problems) protection(rec *partnerRecord, protection jsValue) {
	status, _ := protection.member("status")
	failed := onlyIf(status.text == "failed")
	got := p.fit("protection", protection,
		field{"status", jsString, need},
		field{"until", jsNumber, may},
		field{"error", jsString, failed},
		field{"rollbackAt", jsNumber, failed},
		field{"rollbackAmount", jsNumber, failed},
	)
	rec.state += ":" + status.text
	if _, known := partnerMoves[rec.state]; !known {
		p.add(RuleEnum, "protection status %q", status.text)
	}
	rec.until = got["until"].text
	if status.text == "failed" {
		rec.rollback = got["error"].text + " " + got["rollbackAt"].text + " " + got["rollbackAmount"].text
		if who := got["error"].text; !slices.Contains(partnerRollbacks, who) {
			p.add(RuleEnum, "protection error %q", who)
		}
		if amount := got["rollbackAmount"].text; strings.HasPrefix(amount, "-") {
			p.add(RulePrice, "rollbackAmount %s", amount)
		}
	}
	for _, name := range []string{"until", "rollbackAt"} {
		if at, told := got[name]; told && !seconds(at.text) {
			p.add(RuleTimes, "%s %s is not in unix seconds", name, at.text)
		}
	}
}

func digitsOnly(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// exact tells whether a double keeps a whole number.
func exact(digits string) bool {
	n, err := strconv.ParseInt(digits, 10, 64)
	return err == nil && n < 1<<53
}

// seconds tells a time in unix seconds from one in milliseconds.
func seconds(digits string) bool {
	n, err := strconv.ParseInt(digits, 10, 64)
	return err == nil && n >= 1e9 && n < 1e11
}

// same tells whether a number in JSON is an amount, as a double.
func same(text string, amount int64) bool {
	got, err := strconv.ParseFloat(text, 64)
	want, _ := strconv.ParseFloat(formatMoney(amount), 64)
	return err == nil && !math.IsInf(got, 0) && got == want
}

// compare checks a record against what was agreed and what was told before. The
// answer may be older than o's state if another came meanwhile, but not older than
// the state when it was asked for: before.
func (p *problems) compare(o *partnerOrder, rec partnerRecord, before string) {
	if !same(rec.price, o.price) {
		p.add(RulePrice, "got %s, agreed on %s", rec.price, formatMoney(o.price))
	}
	told := o.told
	if told == nil {
		return
	}
	forward := slices.Contains(partnerMoves[told.state], rec.state)
	if !slices.Contains(partnerMoves[before], rec.state) || !forward && !slices.Contains(partnerMoves[rec.state], told.state) {
		p.add(RuleBackwards, "%s after %s", rec.state, told.state)
	}
	changed := func(what, from, to string) {
		if from != to {
			p.add(RuleChanged, "%s is %q, was %q", what, to, from)
		}
	}
	changed("id", told.id, rec.id)
	if forward && (told.offer != "" || rec.state == told.state) {
		changed("offerId", told.offer, rec.offer)
	}
	if forward && told.until != "" && (rec.until != "" || rec.state != "finished:failed") {
		changed("until", told.until, rec.until)
	}
	if rec.state == told.state {
		changed("reason", told.reason, rec.reason)
		changed("rollback", told.rollback, rec.rollback)
	}
}
