package selling

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"skinarb/execution"
	"skinarb/pricing"
)

// Memory is a Journal that tests run on. It is held to the contract by the suite
// of the stores.
type Memory struct {
	mu        sync.Mutex
	stopped   bool
	orders    map[execution.OrderID]execution.Order
	listings  map[ListingID]Listing
	positions map[execution.OrderID]Position
}

var _ Journal = (*Memory)(nil)

func NewMemory() *Memory {
	return &Memory{orders: map[execution.OrderID]execution.Order{}, listings: map[ListingID]Listing{}, positions: map[execution.OrderID]Position{}}
}

// Adopt enters a purchase as it is.
func (m *Memory) Adopt(o execution.Order) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.orders[o.ID] = o
	return nil
}

// Stop sets the kill switch.
func (m *Memory) Stop(stopped bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stopped = stopped
	return nil
}

func (m *Memory) order(_ context.Context, id execution.OrderID) (execution.Order, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	o, ok := m.orders[id]
	if !ok {
		return o, execution.ErrNoOrder
	}
	return o, nil
}

func (m *Memory) isStopped(context.Context) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.stopped, nil
}

func (m *Memory) Begin(ctx context.Context, o Offer, now time.Time) (Listing, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return Listing{}, err
	}
	if m.stopped {
		return Listing{}, execution.ErrStopped
	}
	round := 1
	for _, l := range m.listings {
		if l.State.Open() && (l.Goods == o.Goods || l.Holder == o.Holder) {
			return Listing{}, ErrOnSale
		}
		if l.Holder == o.Holder {
			round = max(round, l.Round+1)
		}
	}
	l := NewListing(o, round, now)
	m.listings[l.ID] = l
	return l, nil
}

func (m *Memory) Advance(ctx context.Context, l Listing) (Listing, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before, ok := m.listings[l.ID]
	switch {
	case ctx.Err() != nil:
		return Listing{}, ctx.Err()
	case !ok:
		return Listing{}, ErrNoListing
	case before.Rev != l.Rev:
		return Listing{}, ErrStale
	}
	for _, other := range m.listings {
		if l.CreditRef != "" && other.CreditRef == l.CreditRef && other.Market == before.Market && other.ID != l.ID {
			return Listing{}, ErrCredited
		}
	}
	l.Offer, l.Round, l.CreatedAt = before.Offer, before.Round, before.CreatedAt
	l.Rev++
	m.listings[l.ID] = l
	return l, nil
}

func (m *Memory) Listing(_ context.Context, id ListingID) (Listing, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	l, ok := m.listings[id]
	if !ok {
		return Listing{}, ErrNoListing
	}
	return l, nil
}

func (m *Memory) InStates(_ context.Context, market pricing.Market, since time.Time, states ...State) ([]Listing, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []Listing
	for _, l := range m.listings {
		if (market == "" || l.Market == market) && !l.UpdatedAt.Before(since) && slices.Contains(states, l.State) {
			all = append(all, l)
		}
	}
	slices.SortFunc(all, func(a, b Listing) int { return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID)) })
	return all, nil
}

func (m *Memory) Ended(_ context.Context, market pricing.Market, since time.Time, after Listing, limit int) ([]Listing, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	newestFirst := func(a, b Listing) int { return cmp.Or(b.UpdatedAt.Compare(a.UpdatedAt), cmp.Compare(b.ID, a.ID)) }
	var all []Listing
	for _, l := range m.listings {
		if l.Market == market && !l.UpdatedAt.Before(since) && slices.Contains(EndedStates, l.State) && (after.ID == "" || newestFirst(after, l) < 0) {
			all = append(all, l)
		}
	}
	slices.SortFunc(all, newestFirst)
	return all[:min(len(all), limit)], nil
}

func (m *Memory) Prune(_ context.Context, before time.Time, limit int) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	last := map[string]int{} // round, by holder
	for _, l := range m.listings {
		last[l.Holder] = max(last[l.Holder], l.Round)
	}
	pruned := 0
	for id, l := range m.listings {
		_, held := m.positions[execution.OrderID(l.Holder)]
		if pruned < limit && !l.State.Open() && l.State != Sold && l.UpdatedAt.Before(before) && (!held || l.Round < last[l.Holder]) {
			delete(m.listings, id)
			pruned++
		}
	}
	return pruned, nil
}

func (m *Memory) Unsold(context.Context) ([]execution.Order, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []execution.Order
	for _, o := range m.orders {
		if _, ok := m.positions[o.ID]; !ok && o.State == execution.Settled && o.Proceeds > 0 && o.Buyer == (execution.Buyer{}) {
			all = append(all, o)
		}
	}
	slices.SortFunc(all, func(a, b execution.Order) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	return all[:min(len(all), 100)], nil
}

func (m *Memory) Enter(_ context.Context, p Position) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.positions[p.ID]; !ok {
		p.Rev, p.Listing = 1, Listing{}
		m.positions[p.ID] = p
	}
	return nil
}

func (m *Memory) Update(_ context.Context, p Position) (Position, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before, ok := m.positions[p.ID]
	switch {
	case !ok:
		return Position{}, ErrNoPosition
	case before.Rev != p.Rev:
		return Position{}, ErrStale
	}
	for _, other := range m.positions {
		if p.Asset != "" && other.Asset == p.Asset && other.ID != p.ID {
			return Position{}, ErrTaken
		}
	}
	before.Asset, before.Floor, before.Note, before.UpdatedAt = p.Asset, p.Floor, p.Note, p.UpdatedAt
	before.Rev++
	m.positions[p.ID] = before
	return m.stands(before), nil
}

// stands gives a position with the listing that counts.
func (m *Memory) stands(p Position) Position {
	for _, l := range m.listings {
		if l.Holder == string(p.ID) && (l.State == Sold || p.Listing.State != Sold && l.Round > p.Listing.Round) {
			p.Listing = l
		}
	}
	return p
}

func (m *Memory) all() []Position {
	var all []Position
	for _, p := range m.positions {
		all = append(all, m.stands(p))
	}
	slices.SortFunc(all, func(a, b Position) int { return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID)) })
	return all
}

func (m *Memory) Held(context.Context) ([]Position, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.DeleteFunc(m.all(), Position.Done), nil
}

func (m *Memory) Page(_ context.Context, q Query) ([]Position, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := m.all()
	slices.Reverse(all)
	if q.After != "" {
		i := slices.IndexFunc(all, func(p Position) bool { return p.ID == q.After })
		if i < 0 {
			return nil, ErrNoPosition
		}
		all = all[i+1:]
	}
	all = slices.DeleteFunc(all, func(p Position) bool { return len(q.States) > 0 && !slices.Contains(q.States, p.State()) })
	return all[:min(len(all), q.PageLimit())], nil
}

func (m *Memory) Count(context.Context) (map[PositionState]int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	counts := map[PositionState]int{}
	for _, p := range m.all() {
		counts[p.State()]++
	}
	return counts, nil
}

func (m *Memory) Profits(context.Context) ([]Profit, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	byDay := map[time.Time]pricing.Money{}
	for _, p := range m.all() {
		if p.Listing.State == Sold {
			byDay[p.BoughtAt.Truncate(24*time.Hour)] += p.Profit()
		}
	}
	var all []Profit
	for _, day := range slices.SortedFunc(maps.Keys(byDay), func(a, b time.Time) int { return b.Compare(a) }) {
		all = append(all, Profit{day, byDay[day]})
	}
	return all, nil
}
