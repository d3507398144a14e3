package pricing

import "time"

// CountUnknown is the count of a listing whose market did not say.
const CountUnknown = -1

// Listing is one market's catalog entry for an item. The zero Money means that
// the market did not tell; an Ask is always positive.
//
// A Lot is told and not bought by: it may be gone by the time, so what is bought is
// decided by execution's Check, which asks the market anew. It changes alone when
// another lot asks the same: then the listing has changed, and its ask has not.
type Listing struct {
	Item       Item
	MarketName string // the market's own spelling, which orders are placed with
	Ask        Money  // lowest price at which one unit can be bought
	Count      int    // units on offer, or CountUnknown
	Steam      Money  // Steam's price of the name, as the market reports it
	SellHint   Money  // SIH's sell field: shown, never traded on
	Source     string // where the market has the offer from
	Lot        string // the market's id of one lot at Ask, where its list tells one
	Since      uint64 // catalog version in which this ask first appeared
}

// Catalog is all that one market sells of one game, as of one version. It is
// immutable once published.
type Catalog struct {
	Feed       Feed
	Version    uint64    // rises with every publication of this feed
	ObservedAt time.Time // when the market answered
	Listings   []Listing // one per item, in no particular order
}

// Change is what leads from one version of a catalog to a later one.
type Change struct {
	Feed       Feed
	From, To   uint64
	ObservedAt time.Time
	Set        []Listing // new, or changed in any field
	Gone       []Item
}

// FeedState is how far a feed can be relied on.
type FeedState string

// The states of a feed. Only fresh quotes are traded on.
const (
	Fresh FeedState = "fresh" // the last pull is in force and young enough
	Stale FeedState = "stale" // in force, but older than allowed
	Held  FeedState = "held"  // a newer catalog is withheld because it looks wrong
	Down  FeedState = "down"  // pulls fail and nothing is in force, or nothing is known since the start
	Off   FeedState = "off"   // not configured
)

// FeedStatus describes one feed. Its state is what the fetcher last knew; age
// is judged by whoever reads it, see Judge.
type FeedStatus struct {
	Feed        Feed
	State       FeedState
	Reason      string // why it is held, down or off; otherwise empty
	Items       int    // in force
	Changed     int    // by the last publication
	Rejected    int    // rows of the last pull that could not be used
	LastSuccess time.Time
	LastError   string
	PullP50     time.Duration
	PullP95     time.Duration
	Version     uint64
}

// Judge gives the state as of now: a feed that says fresh but is older than
// maxAge is stale. So is one from that far in the future: a clock is wrong, and
// its true age unknown.
func (s FeedStatus) Judge(now time.Time, maxAge time.Duration) FeedState {
	switch s.State {
	case Off, Held, Down:
		return s.State
	}
	if s.LastSuccess.IsZero() {
		return Down
	}
	if now.Sub(s.LastSuccess).Abs() > maxAge {
		return Stale
	}
	return Fresh
}

// Quote is one market's price of an item as seen at a time.
type Quote struct {
	Market     Market
	ObservedAt time.Time
	Listing
}

// Age is how old the quote is; never negative.
func (q Quote) Age(now time.Time) time.Duration { return max(0, now.Sub(q.ObservedAt)) }
