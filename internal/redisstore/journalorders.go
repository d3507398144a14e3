package redisstore

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"skinarb/execution"
	"skinarb/pricing"
)

// moment is an order and the kill switch as they were at a generation.
type moment struct {
	generation string
	stopped    bool
	order      execution.Order // with its history; no ID: there is none
}

// load reads an order, and what a write of it rests on. An empty fence is
// anybody's.
func (j *Journal) load(ctx context.Context, id execution.OrderID, fence string) (moment, error) {
	generation, rest, err := j.ask(ctx, journalOrderScript, []string{j.keys.orders, j.keys.steps}, string(id), fence)
	if err != nil {
		return moment{}, err
	}
	if len(rest) != 3 {
		return moment{}, fmt.Errorf("the script gave %d texts", len(rest))
	}
	now := moment{generation: generation, stopped: rest[0] == "1"}
	if rest[1] == "" {
		return now, nil
	}
	if now.order, err = decodeWhole(rest[1], rest[2]); err == nil && now.order.ID != id {
		err = fmt.Errorf("order %s is stored in its place", now.order.ID)
	}
	return now, err
}

// decodeWhole gives an order with its history.
func decodeWhole(order, steps string) (execution.Order, error) {
	o, err := decodeOrder(order)
	if err != nil {
		return execution.Order{}, err
	}
	if o.History, err = decodeSteps(steps); err != nil {
		return execution.Order{}, fmt.Errorf("order %s: %w", o.ID, err)
	}
	return o, nil
}

// Reserve implements execution.Journal. admit is asked again when another write
// came between.
func (j *Journal) Reserve(ctx context.Context, o execution.Order, admit func(execution.Usage) error) (stored execution.Order, created bool, err error) {
	var refused error
	err = j.write(ctx, func(ctx context.Context, fence string) (string, []command, error) {
		created = false
		now, err := j.load(ctx, o.ID, fence)
		if err == nil && now.stopped {
			err = execution.ErrStopped
		}
		if err != nil {
			return "", nil, err
		}
		known := now.order.ID != ""
		if known && now.order.State != execution.Cancelled {
			stored = now.order
			return "", nil, nil
		}
		generation, u, err := j.usage(ctx, o.UpdatedAt)
		if err == nil && generation != now.generation {
			err = errConflict
		}
		if err != nil {
			return "", nil, err
		}
		if refused = admit(u); refused != nil {
			return "", nil, refused
		}
		after, step := o, execution.Step{}
		if known {
			after, step = now.order.Replan(o)
		}
		after.State = execution.Planned
		var commands []command
		stored, commands, err = j.change(now.order, after, step)
		created = true
		return generation, commands, err
	})
	switch {
	case refused != nil:
		return execution.Order{}, false, refused
	case err != nil:
		return execution.Order{}, false, fmt.Errorf("reserve %s in the journal: %w", o.ID, err)
	}
	return stored, created, nil
}

// Advance implements execution.Journal.
func (j *Journal) Advance(ctx context.Context, o execution.Order, s execution.Step) (stored execution.Order, err error) {
	err = j.write(ctx, func(ctx context.Context, fence string) (string, []command, error) {
		now, err := j.load(ctx, o.ID, fence)
		before := now.order
		switch {
		case err != nil:
			return "", nil, err
		case before.ID == "":
			return "", nil, execution.ErrNoOrder
		case before.Rev != o.Rev:
			return "", nil, fmt.Errorf("%w: it is at revision %d, not %d", execution.ErrStale, before.Rev, o.Rev)
		case now.stopped && o.State == execution.Sent && before.State != execution.Sent:
			return "", nil, execution.ErrStopped
		}
		after := o
		after.Request, after.CreatedAt, after.History = before.Request, before.CreatedAt, before.History
		var commands []command
		stored, commands, err = j.change(before, after, s)
		return now.generation, commands, err
	})
	if err != nil {
		return execution.Order{}, fmt.Errorf("advance %s to %s in the journal: %w", o.ID, o.State, err)
	}
	return stored, nil
}

// Adopt implements execution.Journal.
func (j *Journal) Adopt(ctx context.Context, o execution.Order) (stored execution.Order, err error) {
	err = j.write(ctx, func(ctx context.Context, fence string) (string, []command, error) {
		now, err := j.load(ctx, o.ID, fence)
		if err != nil {
			return "", nil, err
		}
		if now.order.ID != "" {
			stored = now.order
			return "", nil, nil
		}
		var commands []command
		stored, commands, err = j.change(execution.Order{}, o, execution.Step{})
		return now.generation, commands, err
	})
	if err != nil {
		return execution.Order{}, fmt.Errorf("adopt %s into the journal: %w", o.ID, err)
	}
	return stored, nil
}

// change gives the order as it will be stored after a step, and what must be
// written so that after stands where before stood. A before without an ID is
// none.
func (j *Journal) change(before, after execution.Order, s execution.Step) (execution.Order, []command, error) {
	// Indexes and sums are kept for these alone.
	if after.ID == "" || !slices.Contains(pricing.Markets, after.Market) || !slices.Contains(execution.States, after.State) {
		return execution.Order{}, nil, fmt.Errorf("an order %q on market %q in state %q is not known", after.ID, after.Market, after.State)
	}
	after.Rev = before.Rev + 1
	if s != (execution.Step{}) {
		after.History = append(slices.Clone(after.History), s)
	}
	after.History = after.History[max(0, len(after.History)-execution.MaxHistory):]

	order, steps := string(encodeOrder(after)), string(encodeSteps(after.History))
	commands := []command{{"HSET", j.keys.orders, string(after.ID), order}}
	if before.ID == "" || s != (execution.Step{}) {
		commands = append(commands, command{"HSET", j.keys.steps, string(after.ID), steps})
	}
	commands = append(commands, j.keys.reindex(before, after)...)
	commands = append(commands, j.keys.recount(before, after)...)
	stored, err := decodeWhole(order, steps)
	return stored, commands, err
}

// Get implements execution.Journal.
func (j *Journal) Get(ctx context.Context, id execution.OrderID) (execution.Order, error) {
	ctx, cancel := context.WithTimeout(ctx, journalWait)
	defer cancel()
	o, err := j.get(ctx, id)
	if err != nil {
		return execution.Order{}, fmt.Errorf("read %s from the journal: %w", id, err)
	}
	return o, nil
}

func (j *Journal) get(ctx context.Context, id execution.OrderID) (execution.Order, error) {
	now, err := j.load(ctx, id, "")
	if err == nil && now.order.ID == "" {
		err = execution.ErrNoOrder
	}
	return now.order, err
}

// List implements execution.Journal.
func (j *Journal) List(ctx context.Context, q execution.Query) ([]execution.Order, error) {
	ctx, cancel := context.WithTimeout(ctx, journalWait)
	defer cancel()
	orders, err := j.list(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("list orders of the journal: %w", err)
	}
	return orders, nil
}

func (j *Journal) list(ctx context.Context, q execution.Query) ([]execution.Order, error) {
	above, below := "+", "-"
	if q.After != "" {
		last, err := j.get(ctx, q.After)
		if err != nil {
			return nil, err
		}
		above = "(" + place(last) // it never changes
	}
	if q.MarketRef != "" {
		return j.listRef(ctx, q, above)
	}
	markets, states := pricing.Markets, execution.States
	if q.Market != "" {
		markets = []pricing.Market{q.Market}
	}
	if len(q.States) > 0 {
		states = q.States
	}
	var sets []string
	for _, m := range markets {
		for _, s := range states {
			if key := j.keys.index(m, s); !slices.Contains(sets, key) {
				sets = append(sets, key)
			}
		}
	}
	return j.merge(ctx, sets, placeTime, above, below, q.PageLimit())
}

// listRef gives the orders with a reference of the market: one, or the few for
// which a market used it again.
func (j *Journal) listRef(ctx context.Context, q execution.Query, above string) ([]execution.Order, error) {
	prefix := refPrefix(q.MarketRef)
	if above == "+" {
		above = "(" + prefix[:len(prefix)-1] + ";" // what sorts after the colon
	} else {
		above = "(" + prefix + above[1:]
	}
	orders, err := j.merge(ctx, []string{j.keys.refs}, len(prefix)+placeTime, above, "["+prefix, maxSameRef)
	orders = slices.DeleteFunc(orders, func(o execution.Order) bool {
		return q.Market != "" && o.Market != q.Market || len(q.States) > 0 && !slices.Contains(q.States, o.State)
	})
	return orders[:min(len(orders), q.PageLimit())], err
}

// merge gives the orders of sorted sets, highest members first. A member is cut
// characters long before the ID.
func (j *Journal) merge(ctx context.Context, sets []string, cut int, above, below string, limit int) ([]execution.Order, error) {
	_, rest, err := j.ask(ctx, journalListScript, append([]string{j.keys.orders, j.keys.steps}, sets...), cut, above, below, limit)
	if err == nil && len(rest)%2 != 0 {
		err = errors.New("the script gave an order without its history")
	}
	if err != nil {
		return nil, err
	}
	orders := make([]execution.Order, 0, len(rest)/2)
	for pair := range slices.Chunk(rest, 2) {
		o, err := decodeWhole(pair[0], pair[1])
		if err != nil {
			return nil, err
		}
		orders = append(orders, o)
	}
	return orders, nil
}
