package execution

import (
	"context"
	"errors"
	"fmt"

	"skinarb/internal/crashpoint"
	"skinarb/pricing"
)

// Reasons for which an order is withdrawn before it is sent.
var (
	ErrExpired = errors.New("the offer it rests on is too old")
	ErrMoved   = errors.New("the price moved")
)

// withdrawal is a reason for which a planned order should not be sent any more,
// as opposed to a failure that may pass.
type withdrawal struct{ error }

func (w withdrawal) Unwrap() error { return w.error }

// Buy makes one attempt at a purchase and returns the order in the state in
// which that left it: placed, rejected, in doubt, or planned when the market
// asked to be tried later, which Run does. An intent that was attempted before
// is not sent again: its order is returned as it stands.
//
// An error means that the purchase did not leave us, and why: ErrStopped, a
// *BreakerError, a *LimitError, ErrNotOffered, ErrMoved, ErrExpired or whatever failed. The one
// exception is an answer that could not be written down; the order is then found
// sent and looked up.
func (x *Executor) Buy(ctx context.Context, r Request) (o Order, err error) {
	if !x.recovered.Load() {
		return Order{}, ErrNotRecovered
	}
	m, ok := x.markets[r.Market]
	if !ok {
		return Order{}, fmt.Errorf("buy %s: market %q is not configured", r.Item, r.Market)
	}
	if r.Ask <= 0 || r.Cost < r.Ask || r.Cost > pricing.MaxMoney {
		return Order{}, fmt.Errorf("buy %s on %s: ask %s and cost %s make no request", r.Item, r.Market, r.Ask, r.Cost)
	}
	f, mine, err := x.flights.begin(r.ID())
	if err != nil {
		return Order{}, err
	}
	if !mine {
		return x.follow(ctx, f, r.ID())
	}
	defer func() { x.flights.end(f, o, err) }()
	ctx, cancel := x.patience(ctx)
	defer cancel()
	if o, err = x.buy(ctx, m, r); err != nil {
		return o, fmt.Errorf("buy %s on %s: %w", r.Item, r.Market, err)
	}
	return o, nil
}

// patience gives a context for what comes before sending: it ends with the
// caller's, and when Run ends.
func (x *Executor) patience(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	unhook := context.AfterFunc(x.waiting, cancel)
	return ctx, func() { unhook(); cancel() }
}

// follow gives the result of an attempt at the same intent that is under way:
// its order as soon as there is one.
func (x *Executor) follow(ctx context.Context, f *flight, id OrderID) (Order, error) {
	if o, err := x.cfg.Journal.Get(ctx, id); !errors.Is(err, ErrNoOrder) {
		return o, err
	}
	select {
	case <-f.done:
		return f.order, f.err
	case <-ctx.Done():
		return Order{}, ctx.Err()
	}
}

func (x *Executor) buy(ctx context.Context, m Market, r Request) (Order, error) {
	stored, err := x.cfg.Journal.Get(ctx, r.ID())
	switch {
	case errors.Is(err, ErrNoOrder):
	case err != nil:
		return Order{}, err
	case stored.State == Planned && x.expired(stored.Request): // this wish may be younger
		if stored, err = x.conclude(ctx, stored, OnCancel, ErrExpired.Error()); err != nil || stored.State != Cancelled {
			return stored, err
		}
	case stored.State == Planned:
		return x.pursue(ctx, m, stored)
	case stored.State != Cancelled:
		return stored, nil
	}

	if x.expired(r) {
		return Order{}, ErrExpired
	}
	if err := x.admissible(ctx, r); err != nil {
		return Order{}, err
	}
	free, err := x.slot(ctx, m)
	if err != nil {
		return Order{}, err
	}
	defer free()
	offer, err := x.check(ctx, m, r)
	if err != nil {
		return Order{}, err
	}
	x.freshen(ctx, m) // the check may have waited for its turn
	o, created, err := x.reserve(ctx, r)
	if err != nil {
		return Order{}, err
	}
	if !created && o.State != Planned { // another process was faster
		return o, nil
	}
	return x.attempt(ctx, m, o, offer)
}

// pursue attempts a planned order again, or withdraws it.
func (x *Executor) pursue(ctx context.Context, m Market, o Order) (Order, error) {
	if x.expired(o.Request) {
		return x.withdraw(ctx, o, ErrExpired)
	}
	if t, err := x.Trading(ctx); err != nil {
		return o, err
	} else if t.Stopped {
		return x.withdraw(ctx, o, ErrStopped)
	}
	// What may pass before the order expires; until then it holds money.
	if !x.pauses.due(o.ID, x.instant()) || x.suspended(o.Market) != nil {
		return o, nil
	}
	free, err := x.slot(ctx, m)
	if err != nil {
		return o, err
	}
	defer free()
	offer, err := x.check(ctx, m, o.Request)
	var final withdrawal
	switch {
	case errors.As(err, &final):
		return x.withdraw(ctx, o, err)
	case err != nil:
		x.pauses.grow(o.ID, x.instant())
		return o, err
	}
	return x.attempt(ctx, m, o, offer)
}

// slot waits until fewer than MaxInFlight purchases are under way on a market, so
// that one that hangs keeps no other waiting.
func (x *Executor) slot(ctx context.Context, m Market) (free func(), err error) {
	slots := x.slots[m.Market()]
	select {
	case slots <- struct{}{}:
		return func() { <-slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// check asks the market for its ask now, and the strategy whether that is still
// worth it.
func (x *Executor) check(ctx context.Context, m Market, r Request) (Offer, error) {
	offer, err := m.Check(ctx, r.Item, r.MarketName)
	switch {
	case errors.Is(err, ErrNotOffered):
		return Offer{}, withdrawal{err}
	case err != nil:
		return Offer{}, fmt.Errorf("check the offer: %w", err)
	case offer.Ask <= 0 || offer.Ask > r.Ask:
		return Offer{}, withdrawal{fmt.Errorf("%w: the ask is %s, it was %s", ErrMoved, offer.Ask, r.Ask)}
	}
	return offer, x.recheck(ctx, r, offer)
}

func (x *Executor) recheck(ctx context.Context, r Request, offer Offer) error {
	err := x.cfg.Recheck(ctx, r, offer)
	var later *RetryLaterError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &later):
		return fmt.Errorf("recheck: %w", err)
	}
	return withdrawal{fmt.Errorf("not worth it any more: %w", err)}
}

// reserve journals the wish as planned, if the limits allow it.
func (x *Executor) reserve(ctx context.Context, r Request) (Order, bool, error) {
	now := x.now()
	step := Step{At: now, State: Planned, Note: "expected profit " + r.Profit().String()}
	o := Order{ID: r.ID(), Request: r, State: Planned, CreatedAt: now, UpdatedAt: now, History: []Step{step}}
	crashpoint.At(crashpoint.BeforeReserve)
	stored, created, err := x.cfg.Journal.Reserve(ctx, o, func(u Usage) error {
		return x.admit(r, u)
	})
	if err != nil {
		x.tellLimit(r.Market, err)
		return Order{}, false, err
	}
	crashpoint.At(crashpoint.Reserved)
	if created {
		x.observe(stored, stored.History[len(stored.History)-1])
	}
	return stored, created, nil
}

// attempt sends a planned order. A crash at any line leaves an order that
// recovery can finish, never a purchase that nobody recorded.
func (x *Executor) attempt(ctx context.Context, m Market, o Order, offer Offer) (Order, error) {
	// A market may ask for an hour's pause, and meanwhile the order holds money.
	boarding, cancel := context.WithTimeoutCause(ctx, o.ExpiresAt.Sub(x.now()), ErrExpired)
	defer cancel()
	seat, err := x.board(boarding, m, o, offer)
	defer x.quit(seat)
	switch {
	case err == nil:
	case errors.Is(context.Cause(boarding), ErrExpired):
		x.quit(seat) // nobody waits until that is written down
		return x.withdraw(ctx, o, ErrExpired)
	default:
		return o, fmt.Errorf("wait for a permit: %w", err)
	}
	crashpoint.At(crashpoint.PermitTaken)
	// The wait may have been long.
	if err := x.recheck(ctx, o.Request, offer); err != nil {
		x.quit(seat)
		return x.keep(ctx, o, err)
	}

	wrote := x.leaving.Begin()
	defer wrote()
	if err := x.mayLeave(ctx, o); err != nil {
		x.quit(seat)
		wrote()
		return x.keep(ctx, o, err)
	}
	crashpoint.At(crashpoint.BeforeSent)
	sent, err := x.advance(ctx, o, OnSend, "")
	switch {
	case errors.Is(err, ErrStopped):
		x.quit(seat)
		wrote()
		return x.withdraw(ctx, o, err)
	case err != nil:
		return o, err
	}
	crashpoint.At(crashpoint.SentWritten)
	return x.place(ctx, seat, Placing{sent, offer}, wrote)
}

// keep gives back why a planned order does not leave now, and withdraws it if it never
// should.
func (x *Executor) keep(ctx context.Context, o Order, why error) (Order, error) {
	var final withdrawal
	if errors.As(why, &final) {
		return x.withdraw(ctx, o, why)
	}
	return o, why
}

// mayLeave says why a planned order must not leave now: with a withdrawal when it
// never should, else for a reason that may pass before the order expires.
func (x *Executor) mayLeave(ctx context.Context, o Order) error {
	switch most := x.Limits().Order; {
	case x.switches.held():
		return withdrawal{ErrStopped}
	case x.expired(o.Request):
		return withdrawal{ErrExpired}
	case most > 0 && o.Cost > most: // tightened since
		return withdrawal{&LimitError{"max_order", fmt.Sprintf("the cost would be %s of %s", o.Cost, most)}}
	}
	if err := x.suspended(o.Market); err != nil {
		return err
	}
	return ctx.Err() // the next run sees to it
}

// place hands a sent order to the market and writes its answer down.
func (x *Executor) place(ctx context.Context, seat *seat, p Placing, wrote func()) (Order, error) {
	ctx = context.WithoutCancel(ctx) // shutting down must not lose the answer
	o := p.Order
	wrote = crashpoint.Then(wrote, crashpoint.RequestWritten)
	outcome := x.travel(seat, p, wrote)
	crashpoint.At(crashpoint.AnswerReceived)
	wrote()

	ev, err := outcome.Evidence, outcome.Err
	var kept keptError
	var rejected *RejectedError
	var later *RetryLaterError
	switch {
	case errors.As(err, &kept):
		return o, err
	case err == nil:
		x.succeeded(o.Market)
		ev.ID = o.ID
		if _, known := evidence[ev.Event]; !known {
			ev.Event = OnPlaced // no error means bought
		}
		o, err = x.learn(ctx, o, ev)
	case errors.As(err, &rejected):
		refusal := *rejected
		if o.Buyer != (Buyer{}) { // what is wrong may be the buyer's
			refusal.Account = false
		}
		x.refused(o.Market, &refusal)
		o, err = x.conclude(ctx, o, OnReject, rejected.Reason)
	case errors.As(err, &later):
		if later.Throttled {
			x.throttled(o.Market, later)
		} else {
			x.unanswered(o.Market, later.Reason)
		}
		x.pauses.until(o.ID, x.instant().Add(max(later.After, retryFirst)))
		o, err = x.conclude(ctx, o, OnUnsent, later.Reason)
	default:
		x.unanswered(o.Market, err.Error())
		o, err = x.conclude(ctx, o, OnSilence, err.Error())
	}
	if err != nil {
		return o, fmt.Errorf("write the market's answer to %s down: %w", o.ID, err)
	}
	crashpoint.At(crashpoint.AnswerWritten)
	return o, nil
}

// withdraw cancels an order that was not sent, and gives the reason back.
func (x *Executor) withdraw(ctx context.Context, o Order, why error) (Order, error) {
	cancelled, err := x.conclude(ctx, o, OnCancel, why.Error())
	crashpoint.At(crashpoint.Withdrawn)
	return cancelled, errors.Join(why, err)
}

func (x *Executor) expired(r Request) bool { return x.now().After(r.ExpiresAt) }
