package selling

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strings"
	"time"

	"skinarb/pricing"
)

// ListingID is our key of a listing at its market: SIH's customId, SkinsBack's
// order_id. It has at most 36 characters of [a-z0-9-], which both markets take.
type ListingID string

// ListingPrefix begins the IDs of listings; those of purchases begin otherwise.
const ListingPrefix = "sl-"

// Offer is a wish to have one thing on sale on one market.
type Offer struct {
	// Holder says what the listing is for, in the words of whoever offers: the ID
	// of a position's order. One holder has one listing at a time, and each gets
	// the holder's next round.
	Holder string
	Market pricing.Market
	Item   pricing.Item
	// Goods is what is handed over when it is sold: Steam's asset id, or an id of
	// our own for what we do not have yet. No two open listings on all markets
	// have the same.
	Goods string
	Price pricing.Money // what we ask or, where the market names the price, what it said it pays
	Floor pricing.Money // the least that Price may be
}

// Listing is our commitment: an offer that was sent to a market once, at most.
type Listing struct {
	ID ListingID
	Offer
	Round int // counts the holder's listings from 1
	State State
	Rev   int64 // rises with every write; guards against lost updates

	MarketRef string        // the market's id of it
	OfferID   string        // Steam trade offer, where the market makes one
	Proceeds  pricing.Money // what the market credited
	CreditRef string        // the market's id of that movement of money; no two listings have the same
	Error     string        // the market's last reason, or ours

	CreatedAt time.Time // when bytes may have left
	UpdatedAt time.Time
	ListedAt  time.Time // when the market first showed it; zero: never
	GoneAt    time.Time // when it was missed; zero while it is not
}

// NewListing is what a journal stores when the holder's nth listing begins. The
// ID is derived from both, so that no two offers share one.
func NewListing(o Offer, round int, now time.Time) Listing {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%d", o.Market, o.Holder, round))
	id := ListingPrefix + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:20]))
	return Listing{ID: ListingID(id), Offer: o, Round: round, State: Sent, Rev: 1, CreatedAt: now, UpdatedAt: now}
}

// State is where a listing stands. The zero value is invalid.
type State string

// The states.
const (
	Sent        State = "listing"     // written down; the request may have left
	InDoubt     State = "in_doubt"    // no usable answer
	Listed      State = "listed"      // the market has it on sale
	Withdrawing State = "withdrawing" // we have asked, or are about to ask, to take it off
	Gone        State = "gone"        // the market does not show it, and why is not known yet
	Sold        State = "sold"        // the market credited us
	Withdrawn   State = "withdrawn"   // off sale by our wish
	Returned    State = "returned"    // off sale, and the goods are ours still or again
	Refused     State = "refused"     // the market did not take it
	Unsent      State = "unsent"      // nothing happened: the request did not leave, or was not taken up
	Vanished    State = "vanished"    // off sale, and neither goods nor money came
)

// States lists every state, in the order of a listing's life.
var States = []State{Sent, InDoubt, Listed, Withdrawing, Gone, Sold, Withdrawn, Returned, Refused, Unsent, Vanished}

// EndedStates are those of listings that may turn out to have been sold.
var EndedStates = []State{Withdrawn, Returned, Vanished}

// OpenStates lists the states in which the goods may be on sale or on their way to a
// buyer, so that they must not be offered again.
var OpenStates = []State{Sent, InDoubt, Listed, Withdrawing, Gone}

// Open tells whether s is one of OpenStates.
func (s State) Open() bool {
	switch s {
	case Sent, InDoubt, Listed, Withdrawing, Gone:
		return true
	}
	return false
}

// Unknown tells whether what the market made of our last request is not known.
func (s State) Unknown() bool { return s == Sent || s == InDoubt }

// Event is what happened to a listing.
type Event string

// The events. The first six are ours, OnReturned and OnVanished the holder's,
// who can see where the goods are, and the others the market's word. OnWithdraw is
// the market's, too, of what it shows and may have taken for something else.
const (
	OnUnsent   Event = "unsent"   // nothing happened
	OnRefuse   Event = "refuse"   // the market refused
	OnSilence  Event = "silence"  // no usable answer, or a crash while sent
	OnWithdraw Event = "withdraw" // we are about to ask to take it off sale
	OnTaken    Event = "taken"    // the market said that it took it off, and does not show it any more
	OnMissed   Event = "missed"   // looked for twice, and not shown

	OnListed   Event = "listed"
	OnSold     Event = "sold"
	OnReturned Event = "returned"
	OnVanished Event = "vanished"
)

// Events lists every event.
var Events = []Event{OnUnsent, OnRefuse, OnSilence, OnWithdraw, OnTaken, OnMissed, OnListed, OnSold, OnReturned, OnVanished}

// transitions is a listing's whole life; anything absent is refused. Money is
// believed also for a listing that we took for ended.
var transitions = map[State]map[Event]State{
	Sent:        {OnUnsent: Unsent, OnRefuse: Refused, OnSilence: InDoubt, OnListed: Listed, OnSold: Sold, OnReturned: Returned},
	InDoubt:     {OnWithdraw: Withdrawing, OnMissed: Gone, OnListed: Listed, OnSold: Sold, OnReturned: Returned},
	Listed:      {OnListed: Listed, OnWithdraw: Withdrawing, OnMissed: Gone, OnSold: Sold, OnReturned: Returned},
	Withdrawing: {OnListed: Withdrawing, OnWithdraw: Withdrawing, OnTaken: Withdrawn, OnMissed: Gone, OnSold: Sold, OnReturned: Returned},
	Gone:        {OnWithdraw: Withdrawing, OnListed: Listed, OnSold: Sold, OnReturned: Returned, OnVanished: Vanished}, // a buyer's trade failed, and it is on sale again
	Sold:        {OnSold: Sold},
	Withdrawn:   {OnSold: Sold},
	Returned:    {OnReturned: Returned, OnSold: Sold},
	Vanished:    {OnSold: Sold},
}

// Next gives the state after e, or a *TransitionError.
func (s State) Next(e Event) (State, error) {
	to, ok := transitions[s][e]
	if !ok {
		return s, &TransitionError{From: s, Event: e}
	}
	return to, nil
}

// TransitionError is an event that a listing's state does not allow.
type TransitionError struct {
	From  State
	Event Event
}

func (e *TransitionError) Error() string {
	return fmt.Sprintf("a listing that is %s cannot take %q", e.From, e.Event)
}

// move gives l after an event, with the reason for it. An error leaves it as it
// was.
func move(l Listing, e Event, reason string, now time.Time) (Listing, error) {
	to, err := l.State.Next(e)
	if err != nil {
		return l, err
	}
	if to == l.State {
		return l, nil
	}
	l.State, l.Error, l.UpdatedAt = to, clip(reason), now
	switch to {
	case Listed:
		l.GoneAt = time.Time{}
		if l.ListedAt.IsZero() {
			l.ListedAt = now
		}
	case Withdrawing:
		l.GoneAt = time.Time{}
	case Gone:
		l.GoneAt = now
	}
	return l, nil
}

// maxReason bounds what a market may make us write down, in bytes.
const maxReason = 300

// clip bounds text that came from outside.
func clip(s string) string {
	if len(s) <= maxReason {
		return s
	}
	return strings.ToValidUTF8(s[:maxReason], "") + "…"
}
