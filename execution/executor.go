package execution

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"skinarb/internal/crashpoint"
	"skinarb/pricing"
)

// Budget paces the requests to one market account. Purchases take one permit
// immediately before they are sent; whatever else a Market asks, it takes
// permits for itself.
type Budget interface {
	// Take waits for a permit, at most until ctx ends.
	Take(ctx context.Context) error
}

// Config is what an Executor is made of. Zero durations and counts mean the
// default that stands behind them.
type Config struct {
	Markets []Market
	Journal Journal
	Budgets map[pricing.Market]Budget // a market without one is not paced
	Limits  Limits                    // to begin with; see Tighten

	// Recheck is the strategy's word on a request by the current book and the
	// offer that the market just made. It is asked after Market.Check and again
	// right before sending. A *RetryLaterError keeps an order planned, until it
	// expires; any other error withdraws it. Nil allows all.
	Recheck func(ctx context.Context, r Request, fresh Offer) error

	// Protection is the time from delivery to settled on a market that does not
	// tell when the trade protection is over; 8 days. Give it a margin.
	Protection map[pricing.Market]time.Duration

	PlaceTimeout   time.Duration // longest that Place may take, 60 s; shutting down does not end it
	Grace          time.Duration // how long after PlaceTimeout a market may come to know an order that was sent; 30 s
	TrackEvery     time.Duration // how often undelivered purchases are asked for; 15 s
	ReconcileEvery time.Duration // how often the account's history is compared; 5 min
	Patience       time.Duration // how long money may be missing from an account before buying there is suspended; three times ReconcileEvery
	MaxInFlight    int           // purchases attempted at the same time on one market; 4
	MaxInDoubt     int           // orders in doubt on one market at which buying there is suspended; 0 means any number

	// GameOf says which game an item is of that a market sells under a name, for
	// purchases that we did not make and whose game the market does not tell. Nil
	// says CS2, which nearly every one is.
	GameOf func(m pricing.Market, marketName string) pricing.Game

	// Sold gives what the account of a market has been credited since a time for
	// what we sold there, so that it is not taken for money of unknown origin. Nil
	// says nothing.
	Sold func(ctx context.Context, m pricing.Market, since time.Time) (pricing.Money, error)

	Now    func() time.Time
	Logger *slog.Logger // nil is silent

	// Fence is asked right before a purchase's first byte may leave; an error
	// keeps it. It is how one trader of several on one journal knows that it is
	// still the one that may send. Nil allows all.
	Fence func() error

	// OnStep is told of every step that was stored, and Notify of what a person
	// should hear of. Both are called by many goroutines and must not block.
	OnStep func(Order, Step)
	Notify func(Notice)
}

// Notice is something that a person should hear of.
type Notice struct {
	Kind   string         // one of the Notice constants
	Market pricing.Market // empty when it is about all
	Order  OrderID        // empty when it is about no single one
	Rule   BreakerRule    // empty when it is about no breaker
	Text   string
}

// Kinds of notices.
const (
	NoticeDoubt      = "in_doubt"    // an order has been in doubt for longer than a minute
	NoticeDifference = "difference"  // our books and the market's do not agree, or do again
	NoticeBreaker    = "breaker"     // a breaker opened or closed
	NoticeLimit      = "limit"       // a limit of money is used up
	NoticeStopped    = "stopped"     // trading was stopped, and by whom
	NoticeStarted    = "started"     // or started
	NoticeTightened  = "tightened"   // limits were made smaller, and by whom
	NoticeRolledBack = "rolled_back" // a delivered item was taken back
	NoticePenalized  = "penalized"   // a purchase failed and a penalty was kept
	NoticeAdopted    = "adopted"     // a purchase that was not in the journal was entered
)

// Bounds that are no settings.
const (
	writeTimeout  = 15 * time.Second // writing an answer down, shutting down or not
	drainTimeout  = 6 * time.Second  // waiting for answers when Run ends
	lookupTimeout = 30 * time.Second // of our patience; a Market has its own, shorter one
	retryFirst    = 2 * time.Second  // first pause of an order that could not be attempted or looked up
	retryMost     = 2 * time.Minute
	confirmAfter  = 5 * time.Second  // between two look-ups that must both not find an order
	attendEvery   = time.Second      // how often planned and in-doubt orders are seen to
	balanceAge    = 30 * time.Second // of a balance that may be bought on
	balanceEvery  = 20 * time.Second

	firstReconcile = 15 * time.Second // between tries while an account was not compared since the start
	doubtNotice    = time.Minute      // in doubt for longer than this is announced
	trackBatch     = 100              // orders in one Track
	lookupsAtOnce  = 4                // per market
	maxStale       = 5                // times that an order may change under our hands
)

// Executor buys. All methods are safe for concurrent use; see the package
// comment for the protocol.
type Executor struct {
	cfg     Config
	markets map[pricing.Market]Market
	log     *slog.Logger

	recovered   atomic.Bool
	limits      atomic.Pointer[Limits]
	tightening  sync.Mutex // one change of limits at a time
	breakers    breakers
	comparisons comparisons
	balances    balances
	pauses      pauses
	doubts      noticed                          // orders in doubt that were announced
	sentHere    departures                       // requests that this executor handed to the market
	shared      bool                             // other processes may have sent what the journal calls sent
	slots       map[pricing.Market]chan struct{} // one for each purchase that is attempted
	hints       map[pricing.Market]chan Hint

	leaving  Leaving // what Stop waits for
	switches *switches

	flights flights
	trips   timetable

	// Run, when it ends, cancels waiting at once, which ends what was not sent,
	// and wire after its drain, which ends what got no answer by then.
	waiting, wire       context.Context
	endWaiting, cutWire context.CancelFunc
}

// ErrNotRecovered is returned by Buy before Recover.
var ErrNotRecovered = errors.New("orders of the last run have not been recovered yet")

// New builds an Executor. It does nothing by itself: call Recover, then Run and
// Buy.
func New(cfg Config) (*Executor, error) {
	if cfg.Journal == nil {
		return nil, errors.New("new executor: it needs a journal")
	}
	defaults := func(d *time.Duration, value time.Duration) {
		if *d <= 0 {
			*d = value
		}
	}
	defaults(&cfg.PlaceTimeout, time.Minute)
	defaults(&cfg.Grace, 30*time.Second)
	defaults(&cfg.TrackEvery, 15*time.Second)
	defaults(&cfg.ReconcileEvery, 5*time.Minute)
	defaults(&cfg.Patience, 3*cfg.ReconcileEvery)
	if cfg.MaxInFlight <= 0 {
		cfg.MaxInFlight = 4
	}
	if cfg.Recheck == nil {
		cfg.Recheck = func(context.Context, Request, Offer) error { return nil }
	}
	if cfg.GameOf == nil {
		cfg.GameOf = func(pricing.Market, string) pricing.Game { return pricing.CS2 }
	}
	if cfg.Sold == nil {
		cfg.Sold = func(context.Context, pricing.Market, time.Time) (pricing.Money, error) { return 0, nil }
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.OnStep == nil {
		cfg.OnStep = func(Order, Step) {}
	}
	if cfg.Notify == nil {
		cfg.Notify = func(Notice) {}
	}
	shared := cfg.Fence != nil
	if !shared {
		cfg.Fence = func() error { return nil }
	}
	x := &Executor{
		cfg:     cfg,
		markets: map[pricing.Market]Market{},
		log:     cfg.Logger,
		slots:   map[pricing.Market]chan struct{}{},
		shared:  shared,
		hints:   map[pricing.Market]chan Hint{},

		switches: &switches{},
	}
	for _, m := range cfg.Markets {
		name := m.Market()
		if _, ok := x.markets[name]; ok {
			return nil, fmt.Errorf("new executor: market %s is given twice", name)
		}
		x.markets[name] = m
		x.slots[name] = make(chan struct{}, cfg.MaxInFlight)
		x.hints[name] = make(chan Hint, 256)
		x.hold(name, BreakUnreconciled, "the account was not compared with the journal since the start")
	}
	x.limits.Store(&cfg.Limits)
	x.waiting, x.endWaiting = context.WithCancel(context.Background())
	x.wire, x.cutWire = context.WithCancel(context.Background())
	return x, nil
}

// window is the time from delivery to settled on a market that does not tell.
func (x *Executor) window(m pricing.Market) time.Duration {
	if d := x.cfg.Protection[m]; d > 0 {
		return d
	}
	return 8 * 24 * time.Hour
}

// now is the time as orders keep it, by a clock that may be set.
func (x *Executor) now() time.Time { return x.cfg.Now().UTC() }

// instant is the time for what only this process remembers. What has passed
// between two of them is the same whether or not the clock was set: UTC would
// drop the reading that makes it so.
func (x *Executor) instant() time.Time { return x.cfg.Now() }

// longAgo tells whether a time that an order keeps is longer ago than d, or in
// the future, which is where it is when the clock was set back.
func (x *Executor) longAgo(at time.Time, d time.Duration) bool {
	age := x.now().Sub(at)
	return age > d || age < -d
}

// until gives the instant at which a time will have come that an order keeps. It
// is never further away than the longest that it can be unless the clock was set
// back since the order was written.
func (x *Executor) until(at time.Time, longest time.Duration) time.Time {
	return x.instant().Add(min(at.Sub(x.now()), longest))
}

// store writes a step of o down and tells the observer. It is not ended by the
// caller's context: what happened must be written, shutting down or not.
func (x *Executor) store(ctx context.Context, o Order, s Step) (Order, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	stored, err := x.cfg.Journal.Advance(ctx, o, s)
	if err != nil || s == (Step{}) {
		return stored, err
	}
	if s.State != Planned && s.State != InDoubt {
		x.pauses.clear(o.ID)
	}
	x.observe(stored, s)
	return stored, nil
}

func (x *Executor) observe(o Order, s Step) {
	x.log.Info("order moved", "order", o.ID, "market", o.Market, "item", o.Item.String(), "state", s.State, "event", s.Event, "note", s.Note)
	switch s.State {
	case RolledBack:
		x.cfg.Notify(Notice{Kind: NoticeRolledBack, Market: o.Market, Order: o.ID, Text: fmt.Sprintf("%s was taken back after delivery; paid %s, %s", o.Item, o.Paid, returned(o))})
	case Penalized:
		x.cfg.Notify(Notice{Kind: NoticePenalized, Market: o.Market, Order: o.ID, Text: fmt.Sprintf("%s was not delivered and a penalty kept; paid %s, %s", o.Item, o.Paid, returned(o))})
	}
	x.cfg.OnStep(o, s)
}

// returned says what came back, which a market may tell later, or never.
func returned(o Order) string {
	if o.Refunded == 0 && !o.Booked {
		return "what came back is not known yet"
	}
	return fmt.Sprintf("returned %s", o.Refunded)
}

// advance moves o by one of our own events and stores it. With an error it gives
// o as it was.
func (x *Executor) advance(ctx context.Context, o Order, e Event, note string) (Order, error) {
	next, step, err := move(o, e, note, x.now())
	if err != nil {
		return o, err
	}
	stored, err := x.store(ctx, next, step)
	if err != nil {
		return o, err
	}
	return stored, nil
}

// learn stores what a market says of o. When somebody else has moved the order
// since it was read, the word counts only if the market has not been heard about
// it yet: of two words that crossed, nobody knows which is the older, and the
// next look will tell. With an error it gives o as it was last read.
func (x *Executor) learn(ctx context.Context, o Order, ev Evidence) (Order, error) {
	for range maxStale {
		stored, err := x.learnOnce(ctx, o, ev)
		if !errors.Is(err, ErrStale) {
			return stored, err
		}
		if o, err = x.get(ctx, o.ID); err != nil || !o.SpentAt.IsZero() {
			return o, err
		}
	}
	return o, fmt.Errorf("learn about %s: %w", o.ID, ErrStale)
}

func (x *Executor) learnOnce(ctx context.Context, o Order, ev Evidence) (Order, error) {
	next, step, changed, finding := apply(o, ev, x.now())
	if finding != nil {
		x.log.Error("evidence noted", "order", o.ID, "market", o.Market, "market_ref", next.MarketRef, "err", finding)
	}
	if changed {
		if o.SpentAt.IsZero() && !next.SpentAt.IsZero() {
			// Before the write: between the two a reservation would see the money
			// neither committed nor gone.
			x.balances.spend(o.Market, next.Committed())
		}
		stored, err := x.store(ctx, next, step)
		if err != nil {
			return o, err
		}
		crashpoint.At(crashpoint.EvidenceWritten)
		o = stored
	}
	if matured(o, ev, x.window(o.Market), x.now()) {
		return x.advance(ctx, o, OnSettled, "the trade protection is over")
	}
	return o, nil
}

// conclude moves o by one of our own events that follows from an answer, if it
// still applies: evidence that came another way goes before, and an answer says
// nothing about a request that left after it.
func (x *Executor) conclude(ctx context.Context, o Order, e Event, note string) (Order, error) {
	for range maxStale {
		stored, err := x.advance(ctx, o, e, note)
		var overtaken *TransitionError
		if errors.As(err, &overtaken) {
			x.log.Warn("the answer came too late", "order", o.ID, "market", o.Market, "err", err)
			return o, nil
		}
		if !errors.Is(err, ErrStale) {
			return stored, err
		}
		sent := o.SentAt
		if o, err = x.get(ctx, o.ID); err != nil || !o.SentAt.Equal(sent) {
			return o, err
		}
	}
	return o, fmt.Errorf("conclude %s: %w", o.ID, ErrStale)
}

// get reads an order whether or not we are shutting down.
func (x *Executor) get(ctx context.Context, id OrderID) (Order, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	return x.cfg.Journal.Get(ctx, id)
}

// all gives every order of a market that is in one of the states.
func (x *Executor) all(ctx context.Context, m pricing.Market, states ...State) ([]Order, error) {
	q := Query{Market: m, States: states}
	var out []Order
	for {
		page, err := x.cfg.Journal.List(ctx, q)
		if err != nil {
			return nil, err
		}
		out = append(out, page...)
		if len(page) < q.PageLimit() {
			return out, nil
		}
		q.After = page[len(page)-1].ID
	}
}
