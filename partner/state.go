package partner

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"skinarb/pricing"
)

// State is where a purchase stands. The zero value is invalid.
type State string

// The states.
const (
	Created    State = "created"     // stored; no trade offer is out
	Sent       State = "sent"        // a trade offer is out
	Accepted   State = "accepted"    // the buyer has it; there is no trade protection, or nothing is known of it
	Protected  State = "protected"   // the buyer has it, and it may still be reversed
	Settled    State = "settled"     // the protection is over: the money is ours
	RolledBack State = "rolled_back" // reversed within the protection
	Failed     State = "failed"      // not delivered
)

// States lists every state, in the order of a purchase's life.
var States = []State{Created, Sent, Accepted, Protected, Settled, RolledBack, Failed}

// transitions is a purchase's whole life; anything absent is refused. That a
// purchase failed or is settled ends SIH's interest in it, so that nothing after
// it would be heard.
var transitions = map[State][]State{
	Created:   {Sent, Accepted, Protected, Settled, RolledBack, Failed},
	Sent:      {Accepted, Protected, Settled, RolledBack, Failed},
	Accepted:  {Protected, Settled, RolledBack},
	Protected: {Settled, RolledBack},
}

// Open tells whether something may still happen to a purchase.
func (s State) Open() bool { return len(transitions[s]) > 0 }

// Holds tells whether a purchase in this state has its item: no other purchase
// gets it.
func (s State) Holds() bool { return s != Failed && s != RolledBack }

// Reason says why a purchase failed, in SIH's words.
type Reason string

// The reasons that SIH knows. Which one is right when an offer that was sent is
// neither accepted nor declined is not documented.
const (
	CanceledByBuyer  Reason = "canceled by buyer"  // the buyer declined the offer
	CanceledBySeller Reason = "canceled by seller" // we withdrew, or cannot deliver
	SendTimeout      Reason = "send timeout"       // no offer went out in time
	BadPrice         Reason = "bad price"          // below our least price
	InvalidTradelink Reason = "invalid tradelink"  // Steam does not take the buyer's token
)

// Side is who reversed a trade, in SIH's words.
type Side string

// The sides.
const (
	ByUser     Side = "rollback user"
	BySupplier Side = "rollback supplier"
)

// Rollback is the reversal of a trade within its protection.
type Rollback struct {
	By     Side
	At     time.Time
	Amount pricing.Money // goes back to the buyer; it need not be the price
}

// News is what became of a purchase. State is always needed; the other fields are
// for the states that they name, and are ignored when they are known already:
// what SIH was told once stays.
type News struct {
	State    State
	At       time.Time // when we learned it
	OfferID  int64     // of Steam's trade offer: needed for Sent, welcome with everything later
	Reason   Reason    // needed for Failed
	Until    time.Time // end of the trade protection, if known: Protected, Settled
	Rollback Rollback  // needed for RolledBack
}

// Errors of Purchase.With.
var (
	ErrBackwards = errors.New("the purchase is past that")
	ErrNews      = errors.New("the news lacks what its state needs")
)

// With gives p after n. News of the state that p is in already changes nothing but
// what was not known. ErrBackwards means that p's state does not lead to n's, and
// ErrNews that n is not whole; p is then returned as it is.
func (p Purchase) With(n News) (Purchase, error) {
	if err := n.check(p); err != nil {
		return p, err
	}
	next := p
	if n.State != p.State {
		if !slices.Contains(transitions[p.State], n.State) {
			return p, fmt.Errorf("%w: it is %s, the news is %s", ErrBackwards, p.State, n.State)
		}
		next.State = n.State
		switch n.State {
		case Failed:
			next.Reason = n.Reason
		case RolledBack:
			next.Rollback = n.Rollback
		}
	}
	if next.OfferID == 0 && next.State != Created {
		next.OfferID = n.OfferID
	}
	if next.Until.IsZero() && (next.State == Protected || next.State == Settled) {
		next.Until = n.Until
	}
	if next != p {
		next.UpdatedAt = n.At
	}
	return next, nil
}

// check tells what of n's own words is missing or wrong.
func (n News) check(p Purchase) error {
	switch {
	case n.OfferID < 0 || n.OfferID > maxSafe:
		return fmt.Errorf("%w: offer id %d", ErrNews, n.OfferID)
	case n.State == Sent && n.OfferID == 0 && p.OfferID == 0:
		return fmt.Errorf("%w: sent without an offer id", ErrNews)
	case n.State == Failed && !n.Reason.known():
		return fmt.Errorf("%w: failed for the reason %q", ErrNews, n.Reason)
	case n.State == RolledBack && (n.Rollback.By != ByUser && n.Rollback.By != BySupplier || n.Rollback.At.IsZero() || n.Rollback.Amount < 0):
		return fmt.Errorf("%w: rolled back as %+v", ErrNews, n.Rollback)
	}
	return nil
}

func (r Reason) known() bool {
	switch r {
	case CanceledByBuyer, CanceledBySeller, SendTimeout, BadPrice, InvalidTradelink:
		return true
	}
	return false
}
