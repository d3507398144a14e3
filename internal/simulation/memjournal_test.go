package simulation

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"skinarb/execution"
	"skinarb/internal/storetest"
	"skinarb/pricing"
)

// memJournal is a journal in memory: most seeds have it, because a disk makes
// them many times slower.
type memJournal struct {
	mu      sync.Mutex
	orders  map[execution.OrderID]*execution.Order
	books   map[pricing.Market]execution.Books
	trading execution.Trading
}

func newMemJournal() *memJournal {
	return &memJournal{orders: map[execution.OrderID]*execution.Order{}, books: map[pricing.Market]execution.Books{}}
}

// begin locks the journal, or fails like a caller that gave up.
func (j *memJournal) begin(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j.mu.Lock()
	return nil
}

// put must be called with mu held.
func (j *memJournal) put(o execution.Order, history []execution.Step, s execution.Step) execution.Order {
	o.Rev++
	o.History = slices.Clone(history)
	if s != (execution.Step{}) {
		o.History = append(o.History, s)
	}
	o.History = o.History[max(0, len(o.History)-execution.MaxHistory):]
	j.orders[o.ID] = &o
	return o
}

func (j *memJournal) usage(now time.Time) (u execution.Usage) {
	for _, o := range j.orders {
		u.Add(*o, now)
	}
	return u
}

func (j *memJournal) Reserve(ctx context.Context, o execution.Order, admit func(execution.Usage) error) (execution.Order, bool, error) {
	if err := j.begin(ctx); err != nil {
		return execution.Order{}, false, err
	}
	defer j.mu.Unlock()
	if j.trading.Stopped {
		return execution.Order{}, false, execution.ErrStopped
	}
	stored, known := j.orders[o.ID]
	if known && stored.State != execution.Cancelled {
		return *stored, false, nil
	}
	if err := admit(j.usage(o.UpdatedAt)); err != nil {
		return execution.Order{}, false, err
	}
	if !known {
		o.State = execution.Planned
		return j.put(o, o.History, execution.Step{}), true, nil
	}
	replanned, step := stored.Replan(o)
	return j.put(replanned, stored.History, step), true, nil
}

func (j *memJournal) Advance(ctx context.Context, o execution.Order, s execution.Step) (execution.Order, error) {
	if err := j.begin(ctx); err != nil {
		return execution.Order{}, err
	}
	defer j.mu.Unlock()
	before, ok := j.orders[o.ID]
	switch {
	case !ok:
		return execution.Order{}, execution.ErrNoOrder
	case before.Rev != o.Rev:
		return execution.Order{}, execution.ErrStale
	case o.State == execution.Sent && before.State != execution.Sent && j.trading.Stopped:
		return execution.Order{}, execution.ErrStopped
	}
	o.Request, o.CreatedAt = before.Request, before.CreatedAt
	return j.put(o, before.History, s), nil
}

func (j *memJournal) Adopt(ctx context.Context, o execution.Order) (execution.Order, error) {
	if err := j.begin(ctx); err != nil {
		return execution.Order{}, err
	}
	defer j.mu.Unlock()
	if stored, ok := j.orders[o.ID]; ok {
		return *stored, nil
	}
	return j.put(o, o.History, execution.Step{}), nil
}

func (j *memJournal) Get(ctx context.Context, id execution.OrderID) (execution.Order, error) {
	if err := j.begin(ctx); err != nil {
		return execution.Order{}, err
	}
	defer j.mu.Unlock()
	o, ok := j.orders[id]
	if !ok {
		return execution.Order{}, execution.ErrNoOrder
	}
	return *o, nil
}

func newestFirst(a, b execution.Order) int {
	if c := b.CreatedAt.Compare(a.CreatedAt); c != 0 {
		return c
	}
	return strings.Compare(string(b.ID), string(a.ID))
}

func (j *memJournal) List(ctx context.Context, q execution.Query) ([]execution.Order, error) {
	if err := j.begin(ctx); err != nil {
		return nil, err
	}
	defer j.mu.Unlock()
	last, ok := j.orders[q.After]
	if q.After != "" && !ok {
		return nil, execution.ErrNoOrder
	}
	var out []execution.Order
	for _, o := range j.orders {
		if (len(q.States) == 0 || slices.Contains(q.States, o.State)) &&
			(q.Market == "" || q.Market == o.Market) &&
			(q.MarketRef == "" || q.MarketRef == o.MarketRef) &&
			(q.After == "" || newestFirst(*o, *last) > 0) {
			out = append(out, *o)
		}
	}
	slices.SortFunc(out, newestFirst)
	return out[:min(len(out), q.PageLimit())], nil
}

func (j *memJournal) Usage(ctx context.Context, now time.Time) (execution.Usage, error) {
	if err := j.begin(ctx); err != nil {
		return execution.Usage{}, err
	}
	defer j.mu.Unlock()
	return j.usage(now), nil
}

func (j *memJournal) Totals(ctx context.Context) (t execution.Totals, err error) {
	if err := j.begin(ctx); err != nil {
		return t, err
	}
	defer j.mu.Unlock()
	older := func(a, b *execution.Order) int { return newestFirst(*a, *b) }
	for _, o := range slices.SortedFunc(maps.Values(j.orders), older) {
		day := o.CreatedAt.UTC().Truncate(24 * time.Hour)
		if n := len(t.Days); n == 0 || !t.Days[n-1].Day.Equal(day) {
			t.Days = append(t.Days, execution.DayAmounts{Day: day})
		}
		t.Days[len(t.Days)-1].Add(execution.SumOf(*o))
		t.All.Add(execution.SumOf(*o))
	}
	return t, nil
}

func (j *memJournal) Books(ctx context.Context, m pricing.Market) (execution.Books, error) {
	if err := j.begin(ctx); err != nil {
		return execution.Books{}, err
	}
	defer j.mu.Unlock()
	b := j.books[m]
	for _, o := range j.orders {
		if o.Market == m {
			b.Add(execution.SumOf(*o))
		}
	}
	return b, nil
}

func (j *memJournal) OpenBooks(ctx context.Context, m pricing.Market, opening pricing.Money, at time.Time) error {
	if err := j.begin(ctx); err != nil {
		return err
	}
	defer j.mu.Unlock()
	j.books[m] = execution.Books{Opening: opening, OpenedAt: at}
	return nil
}

func (j *memJournal) Trading(ctx context.Context) (execution.Trading, error) {
	if err := j.begin(ctx); err != nil {
		return execution.Trading{}, err
	}
	defer j.mu.Unlock()
	return j.trading, nil
}

func (j *memJournal) SetTrading(ctx context.Context, t execution.Trading) error {
	if err := j.begin(ctx); err != nil {
		return err
	}
	defer j.mu.Unlock()
	j.trading = t
	return nil
}

func (j *memJournal) Ping(ctx context.Context) error { return ctx.Err() }

func TestMemJournal(t *testing.T) {
	storetest.Journal(t, func(*testing.T) (execution.Journal, func() execution.Journal) {
		j := newMemJournal()
		return j, func() execution.Journal { return j }
	})
}
