package execution

import (
	"errors"
	"fmt"
	"time"

	"skinarb/pricing"
)

// maxNote bounds what a market may make us write down, in bytes.
const maxNote = 300

// errEvidence is what every finding of apply wraps that a person should see.
var errEvidence = errors.New("the market's word does not fit the order")

// apply gives o after a market's word on it, and the step if that moved it. A
// word that the order's state does not allow never moves it; it is noted in
// Error. changed tells whether there is anything to store. err tells what a
// person should see, once: a finding that the order already notes is silent.
func apply(o Order, ev Evidence, now time.Time) (next Order, step Step, changed bool, err error) {
	next = o
	next.MarketRef = or(ev.MarketRef, o.MarketRef)
	next.OfferID = or(ev.OfferID, o.OfferID)
	next.Error = or(clip(ev.Error), o.Error)
	next.Paid, next.Refunded, next.Booked = money(o, ev)

	var findings []error
	to, refused := o.State.afterEvidence(ev.Event)
	if refused != nil {
		findings = append(findings, refused)
	}
	if to != o.State {
		next.State = to
		step = Step{At: now, State: to, Event: ev.Event, Note: clip(ev.Status)}
		if next.SpentAt.IsZero() { // what kept us in the dark is over
			next.SpentAt, next.Error = now, clip(ev.Error)
		}
		if next.DeliveredAt.IsZero() && (to == Delivered || to == Settled) {
			next.DeliveredAt = now
		}
		if to == Failed && next.Refunded == 0 && !next.Booked {
			next.Refunded = next.Committed() // that is what failed means; a penalty would have said so
		}
	}
	if next.Paid > o.Cost && next.Paid != o.Paid {
		findings = append(findings, fmt.Errorf("%s was taken, %s was reserved", next.Paid, o.Cost))
	}
	if otherItem(o, ev.MarketName) {
		findings = append(findings, fmt.Errorf("it names another item: %q", clip(ev.MarketName)))
	}

	if finding := errors.Join(findings...); finding != nil {
		next.Error = clip(finding.Error())
		if next.Error != o.Error {
			err = fmt.Errorf("%w: %w", errEvidence, finding)
		}
	}
	changed = step != Step{} || next.Booked != o.Booked || next.Paid != o.Paid || next.Refunded != o.Refunded ||
		next.MarketRef != o.MarketRef || next.OfferID != o.OfferID || next.Error != o.Error
	if changed {
		next.UpdatedAt = now
	}
	return next, step, changed, err
}

// money gives what an order cost and what came back, after a market's word. The
// account book has the last one.
func money(o Order, ev Evidence) (paid, refunded pricing.Money, booked bool) {
	switch {
	case ev.Booked:
		return ev.Paid, ev.Refunded, true
	case o.Booked:
		return o.Paid, o.Refunded, true
	}
	paid, refunded = o.Paid, o.Refunded
	if ev.Paid > 0 {
		paid = ev.Paid
	}
	if ev.Refunded > 0 {
		refunded = ev.Refunded
	}
	return paid, refunded, false
}

// otherItem tells whether a market names another item than we ordered. A Doppler
// named without its phase may be ours.
func otherItem(o Order, marketName string) bool {
	if marketName == "" || marketName == o.MarketName {
		return false
	}
	it, err := pricing.ParseItem(o.Item.Game, marketName, "")
	if it.Phase == pricing.UnknownPhase {
		it.Phase = o.Item.Phase
	}
	return err != nil || it != o.Item
}

// afterEvidence gives where a market's word leads. A word that says where the
// order is already is no move, and so is a status that we do not know.
func (s State) afterEvidence(e Event) (State, error) {
	if e == "" || evidence[e] == s {
		return s, nil
	}
	if _, ok := evidence[e]; !ok {
		return s, &TransitionError{From: s, Event: e}
	}
	return s.Next(e)
}

// move gives o after one of our own events.
func move(o Order, e Event, note string, now time.Time) (Order, Step, error) {
	to, err := o.State.Next(e)
	if err != nil {
		return o, Step{}, err
	}
	o.State, o.UpdatedAt = to, now
	switch e {
	case OnSend:
		o.SentAt, o.Error = now, ""
	case OnReject, OnSilence, OnUnsent, OnCancel:
		o.Error = clip(note)
	}
	return o, Step{At: now, State: to, Event: e, Note: clip(note)}, nil
}

// matured tells whether a delivered order is final: the market says that the
// trade protection is over, or it tells nothing and the window has passed. ev
// must be a word on o from after now.
func matured(o Order, ev Evidence, window time.Duration, now time.Time) bool {
	if o.State != Delivered || ev.Event != OnDelivered {
		return false
	}
	switch ev.Protection {
	case ProtectionOver:
		return true
	case ProtectionUntold:
		return !o.DeliveredAt.IsZero() && now.Sub(o.DeliveredAt) >= window
	}
	return false
}

// or gives the first that is not empty.
func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// clip bounds text that came from outside.
func clip(s string) string {
	if len(s) <= maxNote {
		return s
	}
	cut := maxNote
	for cut > 0 && s[cut]&0xC0 == 0x80 { // not within a character
		cut--
	}
	return s[:cut] + "…"
}
