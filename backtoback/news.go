package backtoback

import (
	"strconv"
	"time"

	"skinarb/execution"
	"skinarb/partner"
)

// reasons translates SkinsBack's states of a purchase that failed, and its
// refusals, into the words that SIH knows. All others are the seller's.
var reasons = map[string]partner.Reason{
	"canceled":            partner.CanceledByBuyer,
	"timeout":             partner.SendTimeout,
	"invalid_trade_token": partner.InvalidTradelink,
	"user_not_tradable":   partner.InvalidTradelink,

	"invalid_partner_value": partner.InvalidTradelink,
}

// news gives what a purchase on SkinsBack tells of the buyer's order that it was
// made for, or false as long as there is nothing to tell. window is how long a
// delivered item may still be taken back.
func news(p partner.Purchase, o execution.Order, window time.Duration, now time.Time) (partner.News, bool) {
	n := partner.News{At: now, OfferID: offerID(o)}
	switch o.State {
	case execution.Delivering:
		n.State = partner.Sent
		return n, n.OfferID > 0 || p.OfferID > 0
	case execution.Delivered:
		n.State, n.Until = partner.Protected, o.DeliveredAt.Add(window)
	case execution.Settled:
		n.State = partner.Settled
		if !o.DeliveredAt.IsZero() {
			n.Until = o.DeliveredAt.Add(window)
		}
	case execution.RolledBack:
		n.State = partner.RolledBack
		n.Rollback = partner.Rollback{By: partner.ByUser, At: now, Amount: p.Price}
		if word(o) == "rollback_supplier" {
			n.Rollback.By = partner.BySupplier
		}
	case execution.Failed, execution.Penalized, execution.Rejected, execution.Cancelled:
		n.State, n.Reason = partner.Failed, partner.CanceledBySeller
		for _, said := range []string{word(o), o.Error} {
			if r, ok := reasons[said]; ok {
				n.Reason = r
				break
			}
		}
	default: // planned, sent, in doubt or placed: it may come, and no offer is out
		return partner.News{}, false
	}
	return n, true
}

// word gives the market's own word for the state that an order is in.
func word(o execution.Order) string {
	if len(o.History) == 0 {
		return ""
	}
	return o.History[len(o.History)-1].Note
}

// offerID reads the id of Steam's trade offer; 0 as long as there is none, and for
// one that SIH could not be told: it must not keep the other news back.
func offerID(o execution.Order) int64 {
	const most = 1<<53 - 1 // of what JavaScript reads as it was written
	id, err := strconv.ParseInt(o.OfferID, 10, 64)
	if err != nil || id < 0 || id > most {
		return 0
	}
	return id
}
