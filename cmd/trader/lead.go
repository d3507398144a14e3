package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"time"

	"skinarb/execution"
	"skinarb/internal/alert"
	"skinarb/internal/redisstore"
	"skinarb/internal/sqlitejournal"
)

// book is where purchases are remembered, and who may write there.
type book struct {
	execution.Journal
	close func() error

	// durable is nil if every write is on disk before it is answered. It is asked
	// at start and at each term, because a server's settings can change.
	durable func(context.Context) error

	// lead waits until this trader leads; nil where it is alone. leading is its
	// word on whether it still does.
	lead    func(context.Context) (led context.Context, release func(), err error)
	leading func() error
}

// openJournal opens the journal that the settings name. Paper and live never
// share one: a paper order is no purchase.
func (c *config) openJournal(ctx context.Context) (*book, error) {
	if c.Journal == inSQLite {
		j, err := sqlitejournal.Open(c.journalPath(c.Mode))
		if err != nil {
			return nil, err
		}
		return &book{Journal: j, close: j.Close, durable: func(context.Context) error { return nil }}, nil
	}
	store, err := redisstore.Open(ctx, c.RedisURL)
	if err != nil {
		return nil, fmt.Errorf("JOURNAL: %w", err)
	}
	j := store.Journal(c.Mode)
	b := &book{Journal: j, close: store.Close, lead: j.Lead, leading: j.Leading, durable: func(ctx context.Context) error {
		if c.Mode != live {
			return nil
		}
		if err := j.Durable(ctx); err != nil {
			return fmt.Errorf("JOURNAL: %w; or take JOURNAL=sqlite", err)
		}
		return nil
	}}
	if err := b.durable(ctx); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return b, nil
}

// journalPath is the file that purchases of a mode are in.
func (c *config) journalPath(mode string) string { return filepath.Join(c.DataDir, mode+".sqlite") }

// terms are the times in which this trader leads, each with an executor of its
// own: what one knows by heart is worth nothing after somebody else has led.
// Alone there is one term, which lasts.
type terms struct {
	book  *book
	open  func() (*execution.Executor, error)
	begin func(context.Context) error // of each term, before recovery
	tell  func(alert.Alert)           // must not block
	log   *slog.Logger

	current atomic.Pointer[execution.Executor] // also answers questions while standing by
	leads   atomic.Bool
}

// renew makes the executor of the next term, and before run that of the first. Limits
// that were tightened stay, and so does a stop that is not written yet.
func (t *terms) renew() error {
	x, err := t.open()
	if err != nil {
		return err
	}
	if last := t.current.Load(); last != nil {
		x.Inherit(last)
		if err := x.Tighten(x.Limits().Tightest(last.Limits()), "the term before"); err != nil {
			return err
		}
	}
	t.current.Store(x)
	return nil
}

func (t *terms) executor() *execution.Executor { return t.current.Load() }

// role says which of several traders this is.
func (t *terms) role() string {
	switch {
	case t.book.lead == nil:
		return "alone"
	case t.leads.Load():
		return "leader"
	}
	return "standby"
}

// run serves one term after another until ctx ends: recovery first, and nothing
// is bought before the orders of whoever led last are accounted for; then the
// executor and trade, which must return when its context ends. An error is one
// that waiting would not help.
func (t *terms) run(ctx context.Context, trade func(context.Context, *execution.Executor)) error {
	if t.book.lead == nil {
		return t.serve(ctx, trade)
	}
	for ctx.Err() == nil {
		led, release, err := t.book.lead(ctx)
		if err != nil {
			t.cannotLead(ctx, err)
			continue
		}
		t.log.Warn("this trader leads")
		t.leads.Store(true)
		err = t.serve(led, trade)
		t.leads.Store(false)
		release()
		if ctx.Err() != nil {
			break
		}
		t.log.Warn("this trader no longer leads, and stands by", "error", err)
		if err := t.renew(); err != nil {
			return err
		}
		pause(ctx, time.Second)
	}
	return nil
}

// alertJournal is the kind of the alert that the journal is gone.
const alertJournal = "journal_lost"

// cannotLead waits before the next try. A journal that is gone does not come
// back, and with it went the kill switch: only a person may begin a new one.
func (t *terms) cannotLead(ctx context.Context, err error) {
	switch {
	case ctx.Err() != nil:
	case errors.Is(err, redisstore.ErrLost):
		const text = "Redis has lost the purchase journal; nothing is bought. Find out why, then restart the trader: it begins a new journal and fills it from the markets' histories"
		t.log.Error(text, "error", err)
		t.tell(alert.Alert{Kind: alertJournal, Text: text, Urgent: true})
		pause(ctx, time.Minute)
	default:
		t.log.Error("cannot stand by to lead", "error", err)
		pause(ctx, 2*time.Second)
	}
}

func (t *terms) serve(ctx context.Context, trade func(context.Context, *execution.Executor)) error {
	x := t.executor()
	if err := errors.Join(t.begin(ctx), x.Recover(ctx)); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("recover the orders of the last run: %w", err)
	}
	trading := make(chan struct{})
	go func() {
		defer close(trading)
		trade(ctx, x)
	}()
	x.Run(ctx)
	<-trading
	return nil
}

// pause waits, at most until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
