package selling

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"skinarb/execution"
	"skinarb/pricing"
)

// KeeperConfig is what a Keeper is made of. Zero durations mean the default that
// stands behind them.
type KeeperConfig struct {
	Markets []Market
	Journal Listings
	Fees    map[pricing.Market]pricing.Fees // by which a credit that names no listing is recognised

	// Stopped tells whether the kill switch is on, also when it could not be
	// written. Nil means never.
	Stopped func(ctx context.Context) (bool, error)

	Grace time.Duration // how long a market may take to know a listing that was sent; 2 min

	Now    func() time.Time // nil means time.Now
	Logger *slog.Logger     // nil is silent

	// OnMove is told of every move that was stored, and Notify of what a person
	// should hear of. Both may be called by many goroutines and must not block.
	OnMove func(Listing)
	Notify func(Notice)
}

// Notice is something that a person should hear of.
type Notice struct {
	Kind    string // one of the Notice constants
	Market  pricing.Market
	Listing ListingID
	Text    string
}

// Kinds of notices.
const (
	NoticeVanished = "vanished" // off sale, and neither goods nor money came
	NoticeStray    = "stray"    // on sale, and nothing of ours to be sold any more
	NoticeOffer    = "offer"    // a trade offer waits to be accepted
	NoticeUnderbid = "underbid" // the market took it for less than it said before
	NoticeLate     = "late"     // credited for a listing that had ended otherwise
)

// Bounds that are no settings.
const (
	writeTimeout = 15 * time.Second // writing an answer down, shutting down or not
	listTimeout  = time.Minute      // of our patience; a Market has its own
	lookTimeout  = 2 * time.Minute  // of our patience; a Market has its own, shorter one
	drainTimeout = 6 * time.Second  // waiting for an answer when the caller ends
	confirmAfter = 5 * time.Second  // between two looks that must both not show a listing
)

// Keeper holds listings to the discipline that is told in the package comment,
// whatever is sold and for whom. All methods are safe for concurrent use.
type Keeper struct {
	cfg     KeeperConfig
	markets map[pricing.Market]Market
	log     *slog.Logger
	leaving execution.Leaving

	mu      sync.Mutex              // guards everything below
	flying  map[string]bool         // holders with a request to list and no answer yet
	missed  map[ListingID]time.Time // when a look first did not show it
	removed map[ListingID]bool      // that the market said it took off sale
	strays  map[ListingID]bool      // that a person was told of

	late time.Time                  // when ended listings were last asked about
	turn map[pricing.Market]Listing // the last of them that was; the next turn begins after it
}

// NewKeeper gives a Keeper, which does nothing by itself: call Recover once,
// then Look from time to time.
func NewKeeper(cfg KeeperConfig) *Keeper {
	if cfg.Grace <= 0 {
		cfg.Grace = 2 * time.Minute
	}
	if cfg.Stopped == nil {
		cfg.Stopped = func(context.Context) (bool, error) { return false, nil }
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.OnMove == nil {
		cfg.OnMove = func(Listing) {}
	}
	if cfg.Notify == nil {
		cfg.Notify = func(Notice) {}
	}
	k := &Keeper{
		cfg: cfg, markets: map[pricing.Market]Market{}, log: cfg.Logger,
		flying: map[string]bool{}, missed: map[ListingID]time.Time{}, removed: map[ListingID]bool{}, strays: map[ListingID]bool{},
		turn: map[pricing.Market]Listing{},
	}
	for _, m := range cfg.Markets {
		k.markets[m.Market()] = m
	}
	return k
}

func (k *Keeper) now() time.Time { return k.cfg.Now().UTC() }

// Recover puts the listings in doubt that were sent when the last run ended. An
// error is the journal's.
func (k *Keeper) Recover(ctx context.Context) error {
	sent, err := k.cfg.Journal.InStates(ctx, "", time.Time{}, Sent)
	if err != nil {
		return fmt.Errorf("recover listings: %w", err)
	}
	for _, l := range sent {
		if _, err := k.advance(ctx, l, OnSilence, "the last run ended before the answer was written"); err != nil {
			return fmt.Errorf("recover listings: %w", err)
		}
	}
	return nil
}

// List sends an offer to its market, once, and returns the listing in the state
// in which that left it: listed, refused, unsent, or in doubt.
//
// An error means that nothing left us, and why: ErrOnSale, execution.ErrStopped,
// or whatever failed. The one exception is an answer that could not be written
// down; the listing is then found in state Sent, and looked for.
func (k *Keeper) List(ctx context.Context, o Offer) (Listing, error) {
	m, ok := k.markets[o.Market]
	if !ok {
		return Listing{}, fmt.Errorf("list %s: market %q is not configured for selling", o.Item, o.Market)
	}
	if o.Holder == "" || o.Goods == "" || o.Price <= 0 || o.Price < o.Floor || o.Price > pricing.MaxMoney {
		return Listing{}, fmt.Errorf("list %s on %s for %s: that makes no offer", o.Item, o.Market, o.Price)
	}
	left := k.leaving.Begin()
	defer left()
	stopped, err := k.cfg.Stopped(ctx)
	if err == nil && stopped {
		err = execution.ErrStopped
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return Listing{}, fmt.Errorf("list %s on %s: %w", o.Item, o.Market, err)
	}
	land, ok := k.fly(o.Holder)
	if !ok {
		return Listing{}, fmt.Errorf("list %s on %s: %w", o.Item, o.Market, ErrOnSale)
	}
	defer land()
	l, err := k.cfg.Journal.Begin(ctx, o, k.now())
	if err != nil {
		return Listing{}, fmt.Errorf("list %s on %s: %w", o.Item, o.Market, err)
	}
	k.tell(l)
	return k.send(ctx, m, l)
}

// send hands a listing to its market and writes the answer down.
func (k *Keeper) send(ctx context.Context, m Market, l Listing) (Listing, error) {
	wire, cancel := outlive(ctx)
	defer cancel()
	w, err := m.List(wire, l)
	var refused *execution.RejectedError
	var later *execution.RetryLaterError
	switch {
	case err == nil:
		if w.Event == "" {
			w.Event = OnListed // no error means that the market took it
		}
		w.ID, w.Shown = l.ID, true
		l, err = k.hear(ctx, l, w)
	case errors.As(err, &refused):
		l, err = k.advance(ctx, l, OnRefuse, err.Error())
	case errors.As(err, &later):
		l, err = k.advance(ctx, l, OnUnsent, err.Error())
	default:
		l, err = k.advance(ctx, l, OnSilence, err.Error())
	}
	if err != nil {
		return l, fmt.Errorf("write the market's answer to %s down: %w", l.ID, err)
	}
	return l, nil
}

// outlive gives a context for what is on the wire: the caller's end must not lose
// the answer, unless that takes too long.
func outlive(ctx context.Context) (context.Context, context.CancelFunc) {
	wire, cancel := context.WithTimeout(context.WithoutCancel(ctx), listTimeout)
	unhook := context.AfterFunc(ctx, func() {
		drain := time.NewTimer(drainTimeout)
		defer drain.Stop()
		select {
		case <-drain.C:
			cancel()
		case <-wire.Done():
		}
	})
	return wire, func() { unhook(); cancel() }
}

// Withdraw asks the market to take a listing off sale, which Look then sees
// done; until then the goods may be sold. It does nothing where there is nothing
// to take off. The kill switch does not keep it.
func (k *Keeper) Withdraw(ctx context.Context, l Listing, why string) (Listing, error) {
	m, ok := k.markets[l.Market]
	if !ok {
		return l, fmt.Errorf("withdraw %s: market %q is not configured for selling", l.ID, l.Market)
	}
	if l.State != Listed && l.State != Withdrawing {
		return l, fmt.Errorf("withdraw %s: %w", l.ID, &TransitionError{l.State, OnWithdraw})
	}
	l, err := k.advance(ctx, l, OnWithdraw, why)
	if err != nil {
		return l, fmt.Errorf("withdraw %s: %w", l.ID, err)
	}
	wire, cancel := outlive(ctx)
	defer cancel()
	if err := m.Withdraw(wire, l); err != nil {
		return l, fmt.Errorf("withdraw %s: %w", l.ID, err)
	}
	k.mu.Lock()
	k.removed[l.ID] = true
	k.mu.Unlock()
	return l, nil
}

// Conclude moves a listing that is gone by what its holder knows of the goods:
// OnReturned, or OnVanished, which a person hears of.
func (k *Keeper) Conclude(ctx context.Context, l Listing, e Event, why string) (Listing, error) {
	if l.State != Gone || e != OnReturned && e != OnVanished {
		return l, fmt.Errorf("conclude %s: %w", l.ID, &TransitionError{l.State, e})
	}
	stored, err := k.advance(ctx, l, e, why)
	if err == nil && e == OnVanished {
		k.cfg.Notify(Notice{NoticeVanished, l.Market, l.ID, fmt.Sprintf("%s was on sale for %s on %s and is %s", l.Item, l.Price, l.Market, why)})
	}
	return stored, err
}

// Quiet waits until no request to list is leaving. After the kill switch was set
// and this has returned nil, none leaves.
func (k *Keeper) Quiet(ctx context.Context) error {
	select {
	case <-k.leaving.Quiet():
		return nil
	case <-ctx.Done():
		return fmt.Errorf("a request to list is still being handed over: %w", ctx.Err())
	}
}

// advance moves l by one of our own events and stores it. With an error it gives
// l as it was.
func (k *Keeper) advance(ctx context.Context, l Listing, e Event, reason string) (Listing, error) {
	next, err := move(l, e, reason, k.now())
	if err != nil {
		return l, err
	}
	return k.store(ctx, l, next)
}

// store writes next, which l became, down. It is not ended by the caller's
// context: what happened must be written, shutting down or not.
func (k *Keeper) store(ctx context.Context, l, next Listing) (Listing, error) {
	if next == l {
		return l, nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	stored, err := k.cfg.Journal.Advance(ctx, next)
	if err != nil {
		return l, err
	}
	if stored.State != l.State {
		if !stored.State.Open() {
			k.forget(l.ID)
		}
		k.tell(stored)
	}
	return stored, nil
}

// tell passes a stored move on.
func (k *Keeper) tell(l Listing) {
	k.log.Info("listing moved", "listing", l.ID, "holder", l.Holder, "market", l.Market, "item", l.Item.String(), "goods", l.Goods, "price", l.Price, "state", l.State, "note", l.Error)
	k.cfg.OnMove(l)
}

// fly marks a holder's request as under way, unless one is, and gives what ends
// that.
func (k *Keeper) fly(holder string) (land func(), ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.flying[holder] {
		return nil, false
	}
	k.flying[holder] = true
	return func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		delete(k.flying, holder)
	}, true
}

func (k *Keeper) flies(holder string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.flying[holder]
}

// forget drops what is remembered of a listing that has ended.
func (k *Keeper) forget(id ListingID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.missed, id)
	delete(k.removed, id)
}
