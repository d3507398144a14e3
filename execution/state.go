package execution

import "fmt"

// State is where an order stands. The zero value is invalid.
type State string

// The states, as the API shows them.
const (
	Planned    State = "planned"     // written down, money reserved, nothing has left us
	Sent       State = "sent"        // the request may have left
	InDoubt    State = "in_doubt"    // no usable answer
	Placed     State = "placed"      // the market took the order and our money
	Delivering State = "delivering"  // a trade offer is out
	Delivered  State = "delivered"   // accepted; may still be reversed
	Settled    State = "settled"     // final, ours
	Failed     State = "failed"      // not delivered, money back
	Penalized  State = "penalized"   // not delivered, money back less a penalty
	RolledBack State = "rolled_back" // reversed after delivery
	Rejected   State = "rejected"    // the market refused, no money moved
	Cancelled  State = "cancelled"   // withdrawn before it was sent
)

// States lists every state, in the order of an order's life.
var States = []State{Planned, Sent, InDoubt, Placed, Delivering, Delivered, Settled, Failed, Penalized, RolledBack, Rejected, Cancelled}

// Event is what happened to an order.
type Event string

// The events. The first seven are ours; the others are the market's evidence.
const (
	OnSend     Event = "send"      // the request is about to leave
	OnUnsent   Event = "unsent"    // it did not leave, or the market did nothing and may be asked again
	OnReject   Event = "reject"    // the market refused
	OnSilence  Event = "silence"   // no usable answer, or a crash while sent
	OnNotFound Event = "not_found" // the market does not know the ID, asked after a grace period
	OnCancel   Event = "cancel"    // withdrawn unsent
	OnReplan   Event = "replan"    // the same opportunity is there again and nothing was ever bought

	OnPlaced     Event = "placed"
	OnDelivering Event = "delivering"
	OnDelivered  Event = "delivered"
	OnSettled    Event = "settled"
	OnFailed     Event = "failed"
	OnPenalized  Event = "penalized"
	OnRolledBack Event = "rolled_back"
)

// Events lists every event.
var Events = []Event{OnSend, OnUnsent, OnReject, OnSilence, OnNotFound, OnCancel, OnReplan,
	OnPlaced, OnDelivering, OnDelivered, OnSettled, OnFailed, OnPenalized, OnRolledBack}

// evidence is where the market's word leads while the outcome is open. SIH may
// buy again when its supplier failed: delivering goes back to placed.
var evidence = map[Event]State{
	OnPlaced: Placed, OnDelivering: Delivering, OnDelivered: Delivered, OnSettled: Settled,
	OnFailed: Failed, OnPenalized: Penalized, OnRolledBack: RolledBack,
}

// transitions is an order's whole life; anything absent is refused.
var transitions = map[State]map[Event]State{
	Planned:    with(evidence, map[Event]State{OnSend: Sent, OnCancel: Cancelled}), // not found, planned again, and then it shows after all
	Sent:       with(evidence, map[Event]State{OnUnsent: Planned, OnReject: Rejected, OnSilence: InDoubt}),
	InDoubt:    with(evidence, map[Event]State{OnReject: Rejected, OnNotFound: Planned}), // may be sent again, with the same ID
	Placed:     evidence,
	Delivering: evidence,
	Delivered:  {OnDelivered: Delivered, OnSettled: Settled, OnRolledBack: RolledBack},
	Settled:    {OnSettled: Settled, OnDelivered: Settled, OnRolledBack: RolledBack}, // some say delivered for ever

	// Markets do report purchases after refusals. Believe the money.
	Rejected:  evidence,
	Cancelled: with(evidence, map[Event]State{OnReplan: Planned}),
}

func with(base, more map[Event]State) map[Event]State {
	out := make(map[Event]State, len(base)+len(more))
	for _, m := range []map[Event]State{base, more} {
		for e, s := range m {
			out[e] = s
		}
	}
	return out
}

// Next gives the state after e, or a *TransitionError.
func (s State) Next(e Event) (State, error) {
	to, ok := transitions[s][e]
	if !ok {
		return s, &TransitionError{From: s, Event: e}
	}
	return to, nil
}

// TransitionError is an event that an order's state does not allow.
type TransitionError struct {
	From  State
	Event Event
}

func (e *TransitionError) Error() string {
	return fmt.Sprintf("an order that is %s cannot take %q", e.From, e.Event)
}

// Open tells whether the purchase is not delivered yet and may still be.
func (s State) Open() bool {
	switch s {
	case Planned, Sent, InDoubt, Placed, Delivering:
		return true
	}
	return false
}

// Locked tells whether money is in the purchase and it is not settled.
func (s State) Locked() bool { return s.Open() || s == Delivered }

// Unrecorded tells whether money is committed that the market's balance does
// not show yet, or may not.
func (s State) Unrecorded() bool { return s == Planned || s == Sent || s == InDoubt }

// Spent tells whether money left us, or may have: what the daily limit counts.
// A failed purchase stays in the count for its day, because a refund is the
// market's to give and may come late.
func (s State) Spent() bool {
	switch s {
	case Rejected, Cancelled:
		return false
	}
	return true
}

// Final tells whether nothing is expected to happen any more.
func (s State) Final() bool { return !s.Locked() }
