package simulation

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"time"

	"skinarb/execution"
	"skinarb/pricing"
)

// errDisk is a journal's failure that passes.
var errDisk = errors.New("input/output error")

// journal is a life's way to the journal: every call may wait for the driver,
// and none returns to a dead process.
type journal struct {
	execution.Journal
	life *life
}

// write does one write, unless the driver has other plans.
func (j *journal) write(what string, do func() error) error {
	v := j.life.park(&ticket{label: what, kind: journalWrite})
	switch v {
	case die:
		runtime.Goexit()
	case fail:
		return errDisk
	}
	if err := j.life.leads(); err != nil {
		return err // a shared journal refuses who does not lead
	}
	err := do()
	j.life.sim.wrote()
	if v == dieAfter {
		runtime.Goexit()
	}
	if v == failAfter && err == nil {
		err = errDisk
	}
	return err
}

// read lets a read happen, or fail.
func (j *journal) read(k kind, what string) error {
	switch j.life.park(&ticket{label: what, kind: k}) {
	case proceed:
		return nil
	case fail, failAfter:
		return errDisk
	}
	runtime.Goexit()
	return nil
}

func (j *journal) Reserve(ctx context.Context, o execution.Order, admit func(execution.Usage) error) (stored execution.Order, created bool, err error) {
	err = j.write("reserve "+short(o.ID), func() (err error) {
		stored, created, err = j.Journal.Reserve(ctx, o, admit)
		return err
	})
	if err != nil {
		return execution.Order{}, false, err
	}
	return stored, created, nil
}

func (j *journal) Advance(ctx context.Context, o execution.Order, s execution.Step) (stored execution.Order, err error) {
	err = j.write("advance "+short(o.ID)+" "+string(o.State)+" "+string(s.Event), func() (err error) {
		stored, err = j.Journal.Advance(ctx, o, s)
		return err
	})
	if err != nil {
		return execution.Order{}, err
	}
	return stored, nil
}

func (j *journal) Adopt(ctx context.Context, o execution.Order) (stored execution.Order, err error) {
	err = j.write("adopt "+short(o.ID), func() (err error) {
		stored, err = j.Journal.Adopt(ctx, o)
		return err
	})
	if err != nil {
		return execution.Order{}, err
	}
	return stored, nil
}

func (j *journal) OpenBooks(ctx context.Context, m pricing.Market, opening pricing.Money, at time.Time) error {
	return j.write("open books "+string(m), func() error {
		if b, err := j.Journal.Books(ctx, m); err == nil && (b.OpenedAt.IsZero() || b.Opening != opening) {
			j.life.sim.opened(m) // and not only found right
		}
		return j.Journal.OpenBooks(ctx, m, opening, at)
	})
}

// SetTrading waits for nobody: the executor holds a mutex meanwhile, for which
// others would wait in a way that the bubble does not see.
func (j *journal) SetTrading(ctx context.Context, t execution.Trading) error {
	v := proceed
	switch l := j.life; {
	case l.dead.Load():
		runtime.Goexit()
	case !l.sim.calm.Load() && whim(l.sim.seed, int(l.sim.step.Load()), "switch", l.sim.plan.disk):
		v = fail
		if t.At.Unix()%4 == 0 {
			v = failAfter
		}
	}
	if v == fail {
		return errDisk
	}
	err := j.Journal.SetTrading(ctx, t)
	j.life.sim.wrote()
	if v == failAfter && err == nil {
		err = errDisk
	}
	return err
}

func (j *journal) Get(ctx context.Context, id execution.OrderID) (execution.Order, error) {
	if err := j.read(orderRead, "get "+short(id)); err != nil {
		return execution.Order{}, err
	}
	return j.Journal.Get(ctx, id)
}

func (j *journal) List(ctx context.Context, q execution.Query) ([]execution.Order, error) {
	what := "list " + string(q.Market)
	for _, s := range q.States {
		what += " " + string(s)
	}
	if err := j.read(journalRead, what+q.MarketRef+short(q.After)); err != nil {
		return nil, err
	}
	return j.Journal.List(ctx, q)
}

func (j *journal) Usage(ctx context.Context, now time.Time) (execution.Usage, error) {
	if err := j.read(journalRead, "usage"); err != nil {
		return execution.Usage{}, err
	}
	return j.Journal.Usage(ctx, now)
}

func (j *journal) Books(ctx context.Context, m pricing.Market) (execution.Books, error) {
	if err := j.read(journalRead, "books "+string(m)); err != nil {
		return execution.Books{}, err
	}
	return j.Journal.Books(ctx, m)
}

func (j *journal) Trading(ctx context.Context) (execution.Trading, error) {
	if err := j.read(journalRead, "trading"); err != nil {
		return execution.Trading{}, err
	}
	return j.Journal.Trading(ctx)
}

// short names an order in a trace.
func short(id execution.OrderID) string {
	s, _ := strings.CutPrefix(string(id), "sa-")
	return s[:min(len(s), 6)]
}
