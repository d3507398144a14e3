package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"skinarb/execution"
	"skinarb/pricing"
)

const (
	burst   = 64   // orders that are written before they are cleared away, untimed
	busyDay = 1000 // purchases of a day on which the limits were generous
)

// journalLoad measures one journal.
type journalLoad struct {
	name        string
	journal     execution.Journal
	reserveOnly bool          // and by one caller
	last        atomic.Uint64 // number of the last order

	reserved []float64 // orders/s of the last round, by callerCounts
}

func (l *journalLoad) reserveSubject() string { return l.name + ": Reserve" }

// order makes an order that no other is like, for one of a few hundred items.
func (l *journalLoad) order() execution.Order {
	n, now := l.last.Add(1), time.Now().UTC()
	item := pricing.Item{Game: game, Name: fmt.Sprintf("AK-47 | Redline %d (Field-Tested)", n%500)}
	r := execution.Request{
		Market: pricing.SkinsBack, Item: item, MarketName: item.Name,
		Ask: 12_340_000, Cost: 12_340_000, Since: n,
		SellOn: pricing.SIH, Proceeds: 14 * pricing.Dollar, ExpiresAt: now.Add(time.Minute),
	}
	return execution.Order{
		ID: r.ID(), Request: r, State: execution.Planned, CreatedAt: now, UpdatedAt: now,
		History: []execution.Step{{At: now, State: execution.Planned, Note: "expected profit " + r.Profit().String()}},
	}
}

// generous limits look at everything and forbid nothing that the load does.
var generous = execution.Limits{
	Order: 100 * pricing.Dollar, Day: 1_000_000 * pricing.Dollar, Locked: 1_000_000 * pricing.Dollar,
	OpenOrders: 1 << 20, ItemUnits: 1 << 20, MinBalance: pricing.Dollar,
}

func (l *journalLoad) reserve(ctx context.Context) (execution.Order, error) {
	o := l.order()
	stored, created, err := l.journal.Reserve(ctx, o, func(u execution.Usage) error {
		return generous.Admit(o.Request, u, 1_000_000*pricing.Dollar)
	})
	if err == nil && !created {
		err = fmt.Errorf("%s: order %s was there already", l.name, o.ID)
	}
	return stored, err
}

// buy writes what a purchase that goes well has written until it is paid for.
func (l *journalLoad) buy(ctx context.Context) (execution.Order, error) {
	o, err := l.reserve(ctx)
	if err != nil {
		return o, err
	}
	now := time.Now().UTC()
	o.SentAt = now
	if o, err = move(ctx, l.journal, o, execution.Sent, execution.OnSend); err != nil {
		return o, err
	}
	o.Paid, o.MarketRef, o.SpentAt = o.Cost, "123456789", now
	return move(ctx, l.journal, o, execution.Placed, execution.OnPlaced)
}

func move(ctx context.Context, j execution.Journal, o execution.Order, to execution.State, by execution.Event) (execution.Order, error) {
	o.State, o.UpdatedAt = to, time.Now().UTC()
	return j.Advance(ctx, o, execution.Step{At: o.UpdatedAt, State: to, Event: by})
}

// retire ends an order so that it counts against no limit, as one that was
// cancelled, or bought the day before yesterday.
func retire(ctx context.Context, j execution.Journal, o execution.Order) error {
	if o.State == execution.Planned {
		_, err := move(ctx, j, o, execution.Cancelled, execution.OnCancel)
		return err
	}
	o.SpentAt = o.SpentAt.Add(-2 * execution.Day)
	_, err := move(ctx, j, o, execution.Settled, execution.OnSettled)
	return err
}

// fill enters n purchases of today that are settled already.
func (l *journalLoad) fill(ctx context.Context, n int) error {
	for range n {
		o := l.order()
		o.State, o.Paid, o.MarketRef, o.SentAt, o.SpentAt = execution.Settled, o.Cost, "123456789", o.CreatedAt, o.CreatedAt
		if _, err := l.journal.Adopt(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

func (l *journalLoad) measure(ctx context.Context, out *Suite, length time.Duration) error {
	l.reserved = l.reserved[:0]
	for _, callers := range callerCounts {
		r, err := l.bursts(ctx, callers, length, l.reserve)
		if err != nil {
			return err
		}
		out.addRate(l.reserveSubject(), callers, r)
		l.reserved = append(l.reserved, r.perSecond)
		if l.reserveOnly {
			return nil
		}
		if r, err = l.bursts(ctx, callers, length, l.buy); err != nil {
			return err
		}
		out.addRate(l.name+": reserve, sent, placed", callers, r)
	}
	return nil
}

// bursts has callers write orders, and clears them away between one burst and
// the next, until the bursts have taken length.
func (l *journalLoad) bursts(ctx context.Context, callers int, length time.Duration, write func(context.Context) (execution.Order, error)) (rate, error) {
	var took []time.Duration
	var spent time.Duration
	for spent < length {
		if err := ctx.Err(); err != nil {
			return rate{}, err
		}
		written, times, elapsed, err := burstOf(callers, length-spent, func() (execution.Order, error) { return write(ctx) })
		if err != nil {
			return rate{}, err
		}
		took, spent = append(took, times...), spent+elapsed
		for _, o := range written {
			if err := retire(ctx, l.journal, o); err != nil {
				return rate{}, err
			}
		}
	}
	return rateOf(took, spent), nil
}

// burstOf has callers write orders, each at least one, until there are enough of
// them or length is over.
func burstOf(callers int, length time.Duration, write func() (execution.Order, error)) ([]execution.Order, []time.Duration, time.Duration, error) {
	var (
		written = make([][]execution.Order, callers)
		took    = make([][]time.Duration, callers)
		errs    = make([]error, callers)
		writing sync.WaitGroup
	)
	start := time.Now()
	for c := range callers {
		writing.Go(func() {
			for n := 0; n == 0 || n < burst/callers && time.Since(start) < length; n++ {
				began := time.Now()
				o, err := write()
				if err != nil {
					errs[c] = err
					return
				}
				written[c], took[c] = append(written[c], o), append(took[c], time.Since(began))
			}
		})
	}
	writing.Wait()
	return slices.Concat(written...), slices.Concat(took...), time.Since(start), errors.Join(errs...)
}

// rateOf sums up what took these times, one after another or side by side, in
// elapsed. There must be at least one.
func rateOf(took []time.Duration, elapsed time.Duration) rate {
	slices.Sort(took)
	n := len(took)
	return rate{float64(n) / elapsed.Seconds(), took[n/2], took[n*99/100]}
}

// syncFloor writes a page and waits until the disk has it: no journal can do
// less for one order.
type syncFloor struct {
	file      *os.File
	perSecond float64 // of the last round
}

func newSyncFloor(path string) (*syncFloor, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	return &syncFloor{file: f}, nil
}

func (f *syncFloor) close() error { return f.file.Close() }

func (*syncFloor) subject() string { return "write and fsync of 4 KiB" }

func (f *syncFloor) measure(ctx context.Context, out *Suite, length time.Duration) error {
	page := make([]byte, 4096)
	var took []time.Duration
	start := time.Now()
	for len(took) == 0 || time.Since(start) < length && ctx.Err() == nil {
		began := time.Now()
		if _, err := f.file.Write(page); err != nil {
			return err
		}
		if err := f.file.Sync(); err != nil {
			return err
		}
		took = append(took, time.Since(began))
	}
	r := rateOf(took, time.Since(start))
	f.perSecond = r.perSecond
	out.addRate(f.subject(), 1, r)
	return ctx.Err()
}
