package execution

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"skinarb/pricing"
)

// Batcher is a Market that can take several orders in one request.
type Batcher interface {
	Market

	// PlaceMany is Place for orders to one recipient, each of another listing. It
	// gives what became of each, in their order: a request without a usable answer
	// leaves every one of them unknown, by itself.
	PlaceMany(ctx context.Context, orders []Placing, wrote func()) []Outcome
}

// Placing is an order that is sent, and the offer that it takes.
type Placing struct {
	Order Order
	Offer Offer
}

// Outcome is what Place gives for one order.
type Outcome struct {
	Evidence Evidence
	Err      error
}

// trip is one request to a market, for which one permit is taken, and the orders
// that travel with it: those to one recipient that waited for a permit at the
// same time. When permits are at hand every order travels alone; when they are
// short, several share one.
//
// Boarding ends when the permit is there. Each rider then goes through its own
// last checks and its own write to the journal, and is ready or quits. With the
// last of them, those that are ready leave.
type trip struct {
	market   Market
	departed chan struct{} // closed when boarding has ended
	err      error         // why there is no permit; read after departed

	mu       sync.Mutex
	listings []string // of all who boarded
	riders   int      // who are neither ready nor have quit
	ready    []*seat
}

// seat is one order's place on a trip. Its methods are called by one goroutine.
type seat struct {
	trip    *trip
	used    bool // ready, or given up
	placing Placing
	wrote   func()
	outcome chan Outcome
}

// timetable has the trips that can still be boarded.
type timetable struct {
	mu   sync.Mutex
	open map[tripKey]*trip
}

type tripKey struct {
	market pricing.Market
	to     Recipient
}

// board waits for a permit. Whoever gets a seat must quit it, which does nothing
// after it has travelled.
func (x *Executor) board(ctx context.Context, m Market, o Order, offer Offer) (*seat, error) {
	alone := &seat{trip: &trip{market: m, riders: 1}, outcome: make(chan Outcome, 1)}
	budget := x.cfg.Budgets[o.Market]
	if budget == nil {
		return alone, nil
	}
	if _, ok := m.(Batcher); !ok || offer.ListingID == "" {
		return alone, budget.Take(ctx)
	}
	key := tripKey{o.Market, o.Buyer.To}
	s, first := x.trips.board(key, m, offer.ListingID, x.cfg.MaxInFlight)
	if first {
		s.trip.err = budget.Take(ctx)
		x.trips.depart(key, s.trip)
		return s, s.trip.err
	}
	select {
	case <-s.trip.departed:
		return s, s.trip.err
	case <-ctx.Done():
		return s, ctx.Err()
	}
}

// board gives a seat on the trip that waits for a permit, or on a new one, whose
// first rider has to get the permit. Nobody rides with another one for the same
// listing.
func (tt *timetable) board(key tripKey, m Market, listing string, most int) (s *seat, first bool) {
	tt.mu.Lock()
	defer tt.mu.Unlock()
	t := tt.open[key]
	if first = t == nil || len(t.listings) >= most || slices.Contains(t.listings, listing); first {
		t = &trip{market: m, departed: make(chan struct{})}
		if tt.open == nil {
			tt.open = map[tripKey]*trip{}
		}
		tt.open[key] = t
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.listings = append(t.listings, listing)
	t.riders++
	return &seat{trip: t, outcome: make(chan Outcome, 1)}, first
}

// depart ends boarding.
func (tt *timetable) depart(key tripKey, t *trip) {
	tt.mu.Lock()
	defer tt.mu.Unlock()
	if tt.open[key] == t {
		delete(tt.open, key)
	}
	close(t.departed)
}

// quit gives a seat up, so that the others do not wait for it.
func (x *Executor) quit(s *seat) {
	if s.used {
		return
	}
	s.used = true
	if s.trip.settle(nil) {
		go x.send(s.trip)
	}
}

// travel sends the order when all others of its trip are ready, too, and gives
// what became of it. wrote is called as by Place.
func (x *Executor) travel(s *seat, p Placing, wrote func()) Outcome {
	s.used, s.placing, s.wrote = true, p, wrote
	if s.trip.settle(s) {
		x.send(s.trip)
	}
	return <-s.outcome
}

// settle notes that a rider is ready, or with nil that it has quit. It is true
// when there is something to send and nobody left to wait for.
func (t *trip) settle(s *seat) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.riders--
	if s != nil {
		t.ready = append(t.ready, s)
	}
	return t.riders == 0 && len(t.ready) > 0
}

// keptError says that an order did not leave and that it cannot be written down
// either, because another process leads. Whoever does looks it up.
type keptError struct{ error }

func (e keptError) Error() string { return fmt.Sprintf("kept from leaving: %v", e.error) }
func (e keptError) Unwrap() error { return e.error }

// send hands the riders to the market, and to each what became of it.
func (x *Executor) send(t *trip) {
	slices.SortFunc(t.ready, func(a, b *seat) int { return cmp.Compare(a.placing.Order.ID, b.placing.Order.ID) })
	outcomes := x.sendAll(t)
	for i, s := range t.ready {
		s.outcome <- outcomes[i]
	}
}

func (x *Executor) sendAll(t *trip) []Outcome {
	outcomes := make([]Outcome, len(t.ready))
	all := func(err error) []Outcome {
		for i := range outcomes {
			outcomes[i].Err = err
		}
		return outcomes
	}
	// Whoever leads next counts on it that nothing leaves later than PlaceTimeout
	// after it was journaled as sent, however long one rider waited for another.
	left := x.cfg.PlaceTimeout
	for _, s := range t.ready {
		left = min(left, x.cfg.PlaceTimeout-x.now().Sub(s.placing.Order.SentAt))
	}
	if left <= 0 {
		return all(&RetryLaterError{After: retryFirst, Reason: "it waited too long for those that it was to travel with"})
	}
	if err := x.cfg.Fence(); err != nil {
		return all(keptError{err})
	}
	wire, cancel := context.WithTimeout(context.Background(), left)
	defer cancel()
	defer context.AfterFunc(x.wire, cancel)()
	placings := make([]Placing, len(t.ready))
	for i, s := range t.ready {
		x.sentHere.note(s.placing.Order)
		placings[i] = s.placing
	}
	if len(placings) == 1 {
		outcomes[0].Evidence, outcomes[0].Err = t.market.Place(wire, placings[0].Order, placings[0].Offer, t.ready[0].wrote)
		return outcomes
	}
	got := t.market.(Batcher).PlaceMany(wire, placings, func() {
		for _, s := range t.ready {
			s.wrote()
		}
	})
	if len(got) != len(placings) {
		return all(fmt.Errorf("%d orders were sent and the market client told of %d", len(placings), len(got)))
	}
	return got
}
