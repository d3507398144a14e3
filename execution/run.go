package execution

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sourcegraph/conc"
	"github.com/sourcegraph/conc/pool"

	"skinarb/internal/crashpoint"
	"skinarb/pricing"
)

// Recover makes the orders of the last run safe, before anything is bought: what
// was sent is in doubt, every unfinished order is looked up once, and plans that
// expired are cancelled. It returns nil also when a market does not answer; its
// orders stay in doubt and Run goes on looking. An error is the journal's.
func (x *Executor) Recover(ctx context.Context) error {
	crashpoint.At(crashpoint.RecoveryBegun)
	sent, err := x.all(ctx, "", Sent)
	if err != nil {
		return fmt.Errorf("recover: %w", err)
	}
	for _, o := range sent {
		if _, err := x.conclude(ctx, o, OnSilence, "the last run ended before the answer was written"); err != nil {
			return fmt.Errorf("recover: %w", err)
		}
		crashpoint.At(crashpoint.SilenceWritten)
	}
	if err := x.cancelHopeless(ctx); err != nil {
		return fmt.Errorf("recover: %w", err)
	}
	markets := pool.New().WithErrors()
	for _, m := range x.cfg.Markets {
		markets.Go(func() error { return x.recoverMarket(ctx, m) })
	}
	if err := markets.Wait(); err != nil {
		return fmt.Errorf("recover: %w", err)
	}
	x.recovered.Store(true)
	return nil
}

// cancelHopeless withdraws the plans that Run would never attempt, so that they
// hold no money.
func (x *Executor) cancelHopeless(ctx context.Context) error {
	planned, err := x.all(ctx, "", Planned)
	if err != nil {
		return err
	}
	for _, o := range planned {
		why := ""
		switch {
		case x.markets[o.Market] == nil:
			why = "its market is not configured"
		case x.expired(o.Request):
			why = ErrExpired.Error()
		default:
			continue
		}
		if _, err := x.conclude(ctx, o, OnCancel, why); err != nil {
			return err
		}
		crashpoint.At(crashpoint.Withdrawn)
	}
	return nil
}

func (x *Executor) recoverMarket(ctx context.Context, m Market) error {
	doubts, err := x.all(ctx, m.Market(), InDoubt)
	if err != nil {
		return err
	}
	for _, o := range doubts {
		x.pauses.set(o.ID, func(p *pause) { p.ripe = x.known(o) })
	}
	x.resolve(ctx, m, doubts)
	x.track(ctx, m, Placed, Delivering, Delivered)
	// A market that does not answer must not keep the others from trading.
	soon, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	x.attendAccount(soon, m)
	return nil
}

// Run sees to every order until ctx ends: it attempts planned ones again,
// resolves doubts, tracks purchases to their end and compares the account's
// history. When ctx ends it refuses new attempts, waits for what is on the wire,
// 6 s at most, and returns when all of that is written. It is called once.
func (x *Executor) Run(ctx context.Context) {
	var loops conc.WaitGroup
	for _, m := range x.cfg.Markets {
		loops.Go(func() { x.every(ctx, attendEvery, func() { x.attendPlanned(ctx, m) }) })
		loops.Go(func() { x.every(ctx, attendEvery, func() { x.attendDoubts(ctx, m) }) })
		loops.Go(func() { x.trackLoop(ctx, m) })
		loops.Go(func() { x.accountLoop(ctx, m) })
		loops.Go(func() { x.every(ctx, balanceEvery, func() { x.askBalance(ctx, m) }) })
		loops.Go(func() { x.followHints(ctx, m) })
	}

	<-ctx.Done()
	x.endWaiting()
	landed := x.flights.close()
	select {
	case <-landed:
	case <-time.After(drainTimeout):
		x.cutWire() // what got no answer is in doubt
		<-landed
	}
	loops.Wait()
}

// every calls f now and then each period, until ctx ends.
func (x *Executor) every(ctx context.Context, period time.Duration, f func()) {
	tick := time.NewTicker(period)
	defer tick.Stop()
	for ctx.Err() == nil {
		f()
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// trouble logs what a loop could not do; the next round tries again.
func (x *Executor) trouble(ctx context.Context, what string, m pricing.Market, err error) {
	if err != nil && ctx.Err() == nil {
		x.log.Warn(what, "market", m, "err", err)
	}
}

// accountLoop reconciles every ReconcileEvery, and much sooner while that has not
// worked since the start.
func (x *Executor) accountLoop(ctx context.Context, m Market) {
	for ctx.Err() == nil {
		next := time.NewTimer(x.cfg.ReconcileEvery) // from one's beginning to the next one's
		x.attendAccount(ctx, m)
		if _, waiting := x.breakers.get(m.Market(), BreakUnreconciled); waiting {
			next.Reset(min(x.cfg.ReconcileEvery, firstReconcile))
		}
		select {
		case <-next.C:
		case <-ctx.Done():
			next.Stop()
		}
	}
}

// attendPlanned attempts planned orders again, or withdraws them.
func (x *Executor) attendPlanned(ctx context.Context, m Market) {
	if !x.recovered.Load() {
		return
	}
	planned, err := x.all(ctx, m.Market(), Planned)
	x.trouble(ctx, "list planned orders", m.Market(), err)
	attempts := pool.New().WithMaxGoroutines(x.cfg.MaxInFlight)
	for _, o := range planned {
		attempts.Go(func() {
			f, mine, err := x.flights.begin(o.ID)
			if err != nil || !mine {
				return
			}
			defer func() { x.flights.end(f, o, err) }()
			ctx, cancel := x.patience(ctx)
			defer cancel()
			// Since the list was read an attempt may have ended.
			if o, err = x.cfg.Journal.Get(ctx, o.ID); err == nil && o.State == Planned {
				o, err = x.pursue(ctx, m, o)
			}
			if err != nil && ctx.Err() == nil {
				x.log.Info("planned order not sent", "order", o.ID, "market", m.Market(), "state", o.State, "err", err)
			}
		})
	}
	attempts.Wait()
}

// attendDoubts looks up the orders in doubt that are due. An order that is sent
// and not in flight is one whose answer could not be written down.
func (x *Executor) attendDoubts(ctx context.Context, m Market) {
	orders, err := x.all(ctx, m.Market(), InDoubt, Sent)
	x.trouble(ctx, "list orders in doubt", m.Market(), err)
	var due []Order
	doubts := 0
	for _, o := range orders {
		if o.State == InDoubt {
			doubts++
			if x.now().Sub(o.SentAt) > doubtNotice && x.doubts.first(o.ID) {
				x.cfg.Notify(Notice{Kind: NoticeDoubt, Market: o.Market, Order: o.ID, Text: fmt.Sprintf("whether %s was bought for %s is not known yet: %s", o.Item, o.Cost, o.Error)})
			}
		}
		switch {
		case o.State == InDoubt && x.pauses.due(o.ID, x.instant()):
			due = append(due, o)
		case o.State == Sent && !x.flights.has(o.ID) && x.longAgo(o.SentAt, x.cfg.PlaceTimeout+writeTimeout):
			_, err := x.conclude(ctx, o, OnSilence, "the answer was not written down")
			x.trouble(ctx, "put a sent order in doubt", m.Market(), err)
		}
	}
	if err == nil {
		x.countDoubts(m.Market(), doubts)
	}
	x.resolve(ctx, m, due)
}

// resolve looks orders in doubt up, each once.
func (x *Executor) resolve(ctx context.Context, m Market, orders []Order) {
	lookups := pool.New().WithMaxGoroutines(lookupsAtOnce)
	for _, o := range orders {
		lookups.Go(func() {
			if err := x.lookup(ctx, m, o); err != nil && ctx.Err() == nil {
				x.log.Warn("look-up failed", "order", o.ID, "market", m.Market(), "err", err)
			}
		})
	}
	lookups.Wait()
}

// lookup asks the market about one order and applies what it says.
func (x *Executor) lookup(ctx context.Context, m Market, o Order) error {
	asking, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	if o.State == InDoubt {
		x.pauses.grow(o.ID, x.instant())
	}
	ev, err := m.Lookup(asking, o)
	crashpoint.At(crashpoint.LookedUp)
	var rejected *RejectedError
	switch {
	case err == nil && ev.ID != "" && ev.ID != o.ID:
		return fmt.Errorf("the market answered about %q", clip(string(ev.ID)))
	case err == nil:
		_, err = x.learn(ctx, o, ev)
	case errors.As(err, &rejected):
		_, err = x.conclude(ctx, o, OnReject, rejected.Reason)
	case errors.Is(err, ErrNotFound) && o.State == InDoubt:
		err = x.notFound(ctx, o)
	}
	return err
}

// notFound counts a market's word that it does not know an order. It must be
// said twice, some seconds apart, and long enough after the request that the
// market can no longer be at work on it.
func (x *Executor) notFound(ctx context.Context, o Order) error {
	if o.MarketRef != "" {
		return fmt.Errorf("it was %s there once: %w", o.MarketRef, ErrNotFound) // never send that again
	}
	now := x.instant()
	var ripe time.Time
	x.pauses.set(o.ID, func(p *pause) {
		if !p.graced {
			p.graced = true
			for _, at := range []time.Time{x.known(o), x.until(silentSince(o).Add(x.cfg.Grace), x.cfg.Grace)} {
				if at.After(p.ripe) {
					p.ripe = at
				}
			}
		}
		ripe = p.ripe
	})
	if now.Before(ripe) {
		x.pauses.set(o.ID, func(p *pause) {
			if p.until.After(ripe) {
				p.until = ripe
			}
		})
		return nil
	}
	first := x.pauses.get(o.ID).notFound
	if first.IsZero() || now.Sub(first) < confirmAfter {
		x.pauses.set(o.ID, func(p *pause) {
			if p.notFound.IsZero() {
				p.notFound = now
			}
			p.until = p.notFound.Add(confirmAfter)
		})
		return nil
	}
	x.pauses.clear(o.ID)
	_, err := x.conclude(ctx, o, OnNotFound, "looked up twice")
	crashpoint.At(crashpoint.NotFoundWritten)
	return err
}

// known gives from when a market knows an order that it has: whoever sent it may be
// at it for PlaceTimeout, and the market after that, also where the connection
// broke at once.
func (x *Executor) known(o Order) time.Time {
	wait := x.cfg.PlaceTimeout + x.cfg.Grace
	return x.until(o.SentAt.Add(wait), wait)
}

// silentSince gives when we gave up waiting for the answer, never before the
// request left.
func silentSince(o Order) time.Time {
	since := o.SentAt
	for _, s := range o.History {
		if s.Event == OnSilence && s.At.After(since) {
			since = s.At
		}
	}
	return since
}
