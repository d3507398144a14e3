package marketsim

import (
	"slices"
	"strconv"
	"time"
)

// What a test outside of the world can hold a partner to: every order with what was
// bought for it, and everything that was wrong.

// PartnerOrder is one order that a partner was asked to deliver: what its books and
// its purchases are checked against.
type PartnerOrder struct {
	CustomID   string
	ItemID     string // as it was sent
	Name       string // as SIH spells it; "" if nobody ordered
	Price      int64  // micro-dollars
	SteamID    string // the buyer's, his alone
	Partner    string // the same as the account id of a trade URL
	Token      string
	State      string // "asked" before an answer came; "created", "sent", "finished" or "failed"
	Protection string // with "finished": "", "processing", "finished" or "failed"
	Error      string // with "failed": why
	Final      bool   // nothing is asked about it any more
	Forged     bool   // it was never signed
	Ref        string // the partner's id of it
	OfferID    string
	Creates    int
	Polls      int
	Credited   int64    // micro-dollars
	Bought     []string // SkinsBack's ids of the purchases that go to the buyer
	At         time.Time
}

// PartnerOrders returns every order that the partner was asked for, also those that
// it was right to refuse, in the order made.
func (w *World) PartnerOrders() []PartnerOrder {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance()
	all := make([]PartnerOrder, 0, len(w.partner.orders))
	for _, o := range w.partner.orders {
		out := PartnerOrder{
			CustomID: o.customID, ItemID: o.itemID, Price: o.price, SteamID: o.steamID, Partner: accountID(o.steamID),
			Token: o.token, State: "asked", Error: o.err, Final: o.final, Forged: o.deposit == nil,
			Creates: o.creates, Polls: o.polls, Credited: o.credited, At: o.at,
		}
		if o.deposit != nil {
			out.Name = o.deposit.listing.name
		}
		if o.told != nil {
			out.State, out.Protection = splitState(o.told.state)
			out.Ref, out.OfferID = o.told.id, o.told.offer
			if o.err == "" {
				out.Error = o.told.reason
			}
		}
		if o.err != "" {
			out.State = "failed"
		}
		for _, b := range w.boughtFor(o.steamID) {
			out.Bought = append(out.Bought, strconv.FormatInt(b.id, 10))
		}
		all = append(all, out)
	}
	return all
}

// boughtFor gives SkinsBack's purchases that go to a buyer, the first one first.
func (w *World) boughtFor(steamID string) []*order {
	p := &w.partner
	for _, b := range w.skinsback.orders[p.indexed:] {
		p.bought[b.steamID] = append(p.bought[b.steamID], b)
	}
	p.indexed = len(w.skinsback.orders)
	return p.bought[steamID]
}

// PartnerFault is one thing that a partner did wrong.
type PartnerFault struct {
	At       time.Time
	CustomID string
	Rule     string // one of the Rule constants
	Detail   string
	Request  string // what was asked, if it was an answer that was wrong; the signature is left out
	Answer   string // how it began
}

// PartnerFaults returns the last 1000 things that the partner did wrong, and how
// many there were in all. Those of its purchases on SkinsBack come last.
func (w *World) PartnerFaults() ([]PartnerFault, int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance()
	purchases := w.purchaseFaults()
	all := append(slices.Clone(w.partner.faults), purchases...)
	return lastOf(all, maxPartnerFaults), w.partner.faultCount + len(purchases)
}

// PartnerRequests returns how many requests the partner had, and how many of them
// got no answer at all although one was waited for.
func (w *World) PartnerRequests() (sent, unreachable int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.partner.requests, w.partner.unreachable
}

// purchaseFaults holds the partner's purchases on SkinsBack against its orders.
func (w *World) purchaseFaults() []PartnerFault {
	var all []PartnerFault
	for _, o := range w.partner.orders {
		found := problems{}
		mine := w.boughtFor(o.steamID)
		if len(mine) > 1 {
			found.add(RuleTwice, "%d purchases on SkinsBack go to its buyer", len(mine))
		}
		if len(mine) > 0 && o.told == nil && (o.deposit == nil || o.final) {
			found.add(RuleUnasked, "purchase %d on SkinsBack, although there is no such order: %s", mine[0].id, o.err)
		}
		for _, b := range mine {
			if b.token != o.token {
				found.add(RuleRecipient, "purchase %d on SkinsBack has another trade token", b.id)
			}
		}
		for _, p := range found {
			all = append(all, PartnerFault{At: w.now, CustomID: o.customID, Rule: p.rule, Detail: p.detail})
		}
	}
	return all
}

// truth checks what a partner says of a trade that it bought on SkinsBack. It may
// know less than has happened there, but not more.
func (p *problems) truth(rec partnerRecord, b *order) {
	if rec.offer != "" && rec.offer != strconv.FormatInt(b.offerID, 10) {
		p.add(RuleUntrue, "offerId %s, while SkinsBack's purchase %d has %d", rec.offer, b.id, b.offerID)
	}
	reversed := b.state == "rollback_user" || b.state == "rollback_supplier"
	possible := true
	switch status, protection := splitState(rec.state); {
	case protection == "failed":
		possible = reversed
	case protection == "finished":
		possible = b.state == "accepted"
	case status == "finished":
		possible = b.state == "accepted" || reversed
	case status == "failed":
		possible = b.state != "accepted" && !reversed && len(b.plan) == 0
	}
	if !possible {
		p.add(RuleUntrue, "%s, while SkinsBack's purchase %d is %s", rec.state, b.id, b.state)
	}
}
