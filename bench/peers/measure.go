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
)

// patience bounds the wait for a unit to be worked.
const patience = 10 * time.Second

// meter measures a queue.
type meter struct {
	queue queue
	last  atomic.Uint64 // number of the last unit
}

// next makes a unit that no other is like, in this process or another.
func (m *meter) next() unit {
	n := m.last.Add(1)
	return unit{
		ID:     fmt.Sprintf("sa-%08d-%016d", os.Getpid(), n),
		Market: "skinsback", Item: fmt.Sprintf("AK-47 | Redline %d (Field-Tested)", n%500), SellOn: "sih",
		Ask: 12_340_000, Cost: 12_340_000, Proceeds: 14_000_000, Recipient: "76561198000000000",
	}
}

// prove makes sure that the queue keeps one of two equal units.
func (m *meter) prove(ctx context.Context) error {
	u := m.next()
	for _, want := range []bool{true, false} {
		created, err := m.queue.insert(ctx, u)
		if err != nil {
			return fmt.Errorf("insert the first unit: %w", err)
		}
		if created != want {
			return fmt.Errorf("insert the same unit again: got created %t, want %t", created, want)
		}
	}
	return m.queue.clear(ctx)
}

// inserts has callers insert new units, each the next one as soon as the last
// is there.
func (m *meter) inserts(ctx context.Context, callers int, length time.Duration) (result, error) {
	var (
		over    atomic.Bool
		working sync.WaitGroup
		took    = make([][]time.Duration, callers)
		errs    = make([]error, callers)
	)
	start := time.Now()
	timer := time.AfterFunc(length, func() { over.Store(true) })
	defer timer.Stop()
	for c := range callers {
		working.Go(func() {
			for done := false; !done; done = over.Load() {
				began := time.Now()
				created, err := m.queue.insert(ctx, m.next())
				took[c] = append(took[c], time.Since(began))
				if err == nil && !created {
					err = errors.New("a new unit was taken for a known one")
				}
				if err != nil {
					errs[c] = err
					over.Store(true)
				}
			}
		})
	}
	working.Wait()
	elapsed := time.Since(start)
	if err := errors.Join(errs...); err != nil {
		return result{}, fmt.Errorf("insert: %w", err)
	}
	r := summary(slices.Concat(took...))
	r.PerSecond = float64(len(slices.Concat(took...))) / elapsed.Seconds()
	return r, m.queue.clear(ctx)
}

// works inserts one unit at a time and waits until it is being worked.
func (m *meter) works(ctx context.Context, length time.Duration) (r result, err error) {
	begun := make(chan string, 1)
	stop, err := m.queue.work(ctx, func(u unit) {
		select {
		case begun <- u.ID:
		default: // nobody waits for it any more
		}
	})
	if err != nil {
		return result{}, fmt.Errorf("begin to work: %w", err)
	}
	defer func() { err = errors.Join(err, stop(), m.queue.clear(ctx)) }()
	if _, err := m.worked(ctx, begun); err != nil { // the first one also waits for the workers
		return result{}, err
	}
	var took []time.Duration
	for start := time.Now(); len(took) == 0 || time.Since(start) < length; {
		d, err := m.worked(ctx, begun)
		if err != nil {
			return result{}, err
		}
		took = append(took, d)
	}
	return summary(took), nil
}

// worked inserts one unit and tells how long it took until it was being worked.
func (m *meter) worked(ctx context.Context, begun <-chan string) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	u, began := m.next(), time.Now()
	if _, err := m.queue.insert(ctx, u); err != nil {
		return 0, fmt.Errorf("insert: %w", err)
	}
	select {
	case id := <-begun:
		if id != u.ID {
			return 0, fmt.Errorf("%s was worked, and %s was inserted", id, u.ID)
		}
		return time.Since(began), nil
	case <-ctx.Done():
		return 0, fmt.Errorf("%s was not worked within %s", u.ID, patience)
	}
}

func summary(took []time.Duration) result {
	slices.Sort(took)
	us := func(d time.Duration) float64 { return float64(d) / 1e3 }
	n := len(took)
	r := result{P50: us(took[n/2]), P99: us(took[n*99/100])}
	var sum time.Duration
	for _, d := range took {
		sum += d
	}
	r.PerSecond = float64(n) / sum.Seconds()
	return r
}
