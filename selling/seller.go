package selling

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"skinarb/execution"
	"skinarb/pricing"
)

// Config is what a Seller is made of. Zero durations mean the default that stands
// behind them.
type Config struct {
	Keeper    *Keeper
	Journal   Journal
	Inventory Inventory
	Rules     Rules // RepriceEvery 30 min, ReturnAfter 24 h, VanishAfter 12 days

	// Order gives a purchase as it stands; see execution.Journal.
	Order func(ctx context.Context, id execution.OrderID) (execution.Order, error)

	// Quote gives the lowest ask of an item on a market, by prices that may be
	// traded on, and whether there is one. An error says why its prices may not.
	Quote func(m pricing.Market, it pricing.Item) (pricing.Quote, bool, error)

	// Stopped tells whether the kill switch is on.
	Stopped func(ctx context.Context) (bool, error)

	Every          time.Duration // between two rounds; 30 s
	InventoryEvery time.Duration // between two looks into the inventory of one game; 1 min

	Now    func() time.Time // nil means time.Now
	Logger *slog.Logger     // nil is silent
}

// Seller sells what we hold: it makes settled purchases positions, and keeps
// each on sale for the right price until it is sold. It has one loop, and no
// method may be called beside another.
type Seller struct {
	cfg     Config
	log     *slog.Logger
	looks   map[pricing.Game]inventoryLook
	trouble map[string]string // by step: what it last failed with, so that it is logged once
}

// inventoryLook is an inventory as it was at a time.
type inventoryLook struct {
	at     time.Time
	assets []Asset
	err    error
}

// NewSeller gives a Seller, which does nothing before Run or Round.
func NewSeller(cfg Config) *Seller {
	defaults := func(d *time.Duration, value time.Duration) {
		if *d <= 0 {
			*d = value
		}
	}
	defaults(&cfg.Rules.RepriceEvery, 30*time.Minute)
	defaults(&cfg.Rules.ReturnAfter, 24*time.Hour) // a buyer has 12 h at most in practice to accept a trade
	defaults(&cfg.Rules.VanishAfter, 12*24*time.Hour)
	defaults(&cfg.Every, 30*time.Second)
	defaults(&cfg.InventoryEvery, time.Minute)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Seller{cfg: cfg, log: cfg.Logger, looks: map[pricing.Game]inventoryLook{}, trouble: map[string]string{}}
}

// Run recovers the listings of the last run, and then sells until ctx ends.
func (s *Seller) Run(ctx context.Context) {
	tick := time.NewTicker(s.cfg.Every)
	defer tick.Stop()
	recovered := false
	for ctx.Err() == nil {
		if !recovered {
			err := s.cfg.Keeper.Recover(ctx)
			s.tell(ctx, "recover", err)
			recovered = err == nil
		}
		if recovered {
			s.Round(ctx)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// Round enters new positions, looks at what is on sale, and does for each
// position the one thing that is to be done now. What fails is logged, and tried
// again by the next round.
func (s *Seller) Round(ctx context.Context) {
	s.tell(ctx, "enter positions", s.enter(ctx))
	s.tell(ctx, "look", s.cfg.Keeper.Look(ctx))
	held, err := s.cfg.Journal.Held(ctx)
	s.tell(ctx, "list positions", err)
	stopped, err := s.cfg.Stopped(ctx)
	s.tell(ctx, "read the kill switch", err)
	for i := range held {
		if ctx.Err() != nil {
			return
		}
		var failed error
		// Those that come after it see what it has taken, and what it asks.
		held[i], failed = s.attend(ctx, held[i], held, stopped || err != nil)
		s.tell(ctx, string(held[i].ID), failed)
	}
}

// tell logs what failed, once for as long as it fails with the same words.
func (s *Seller) tell(ctx context.Context, what string, err error) {
	switch {
	case err == nil:
		delete(s.trouble, what)
	case ctx.Err() != nil, s.trouble[what] == err.Error():
	default:
		s.trouble[what] = err.Error()
		s.log.Warn("selling", "what", what, "error", err)
	}
}

// enter makes settled purchases positions.
func (s *Seller) enter(ctx context.Context) error {
	for ctx.Err() == nil {
		orders, err := s.cfg.Journal.Unsold(ctx)
		if err != nil || len(orders) == 0 {
			return err
		}
		for _, o := range orders {
			if err := s.cfg.Journal.Enter(ctx, PositionOf(o, s.now())); err != nil {
				return err
			}
			s.log.Info("position entered", "order", o.ID, "item", o.Item.String(), "bought_on", o.Market)
		}
	}
	return nil
}

func (s *Seller) now() time.Time { return s.cfg.Now().UTC() }

// attend decides about a position and does it, and gives the position after that.
func (s *Seller) attend(ctx context.Context, p Position, held []Position, stopped bool) (Position, error) {
	v, err := s.view(ctx, p, held, stopped)
	if err != nil {
		return p, err
	}
	d := s.cfg.Rules.decide(p, v)
	if p, err = s.note(ctx, p, d); err != nil {
		return p, err
	}
	l := p.Listing
	switch d.do {
	case list:
		var begun Listing
		begun, err = s.cfg.Keeper.List(ctx, Offer{
			Holder: string(p.ID), Market: p.SellOn, Item: p.Item, Goods: d.asset.ID, Price: d.price, Floor: d.floor,
		})
		if begun.ID != "" {
			l = begun
		}
	case withdraw:
		l, err = s.cfg.Keeper.Withdraw(ctx, l, d.note)
	case giveBack:
		l, err = s.cfg.Keeper.Conclude(ctx, l, OnReturned, d.note)
	case giveUp:
		l, err = s.cfg.Keeper.Conclude(ctx, l, OnVanished, d.note)
	}
	if errors.Is(err, execution.ErrStopped) {
		err = nil // it came between
	}
	p.Listing = l
	return p, err
}

// note writes down what was decided, where that is news.
func (s *Seller) note(ctx context.Context, p Position, d decision) (Position, error) {
	next := p
	next.Floor, next.Note = d.floor, clip(d.note)
	if d.do == list {
		next.Asset = d.asset.ID
	}
	if next == p {
		return p, nil
	}
	next.UpdatedAt = s.now()
	stored, err := s.cfg.Journal.Update(ctx, next)
	if err != nil {
		return p, fmt.Errorf("note of %s that %q: %w", p.ID, d.note, err)
	}
	return stored, nil
}

// view gathers what a decision about p rests on. It asks for no more than the
// position's state needs.
func (s *Seller) view(ctx context.Context, p Position, held []Position, stopped bool) (view, error) {
	v := view{now: s.now(), stopped: stopped, held: held}
	state := p.State()
	if state == Held && !stopped || state == PositionState(Gone) {
		v.assets, v.blind = s.inventory(ctx, p.Item.Game)
	}
	if state != Held && state != PositionState(Listed) {
		return v, nil
	}
	o, err := s.cfg.Order(ctx, p.ID)
	if err != nil {
		return v, fmt.Errorf("read its purchase: %w", err)
	}
	v.reversed = o.State != execution.Settled
	quote, offered, err := s.cfg.Quote(p.SellOn, p.Item)
	if err != nil {
		v.stale = err.Error()
	}
	v.quote, v.offered = quote, offered
	for _, h := range held {
		if h.SellOn != p.SellOn {
			continue
		}
		v.doubtful = v.doubtful || h.Listing.State.Unknown()
		if h.Item == p.Item && h.Listing.State.Open() {
			v.ours = append(v.ours, h.Listing.Price)
		}
	}
	return v, nil
}

// inventory gives what the account has of a game, or why that is not known.
func (s *Seller) inventory(ctx context.Context, g pricing.Game) (assets []Asset, blind string) {
	look, ok := s.looks[g]
	if now := s.cfg.Now(); !ok || now.Sub(look.at) >= s.cfg.InventoryEvery {
		look = inventoryLook{at: now}
		look.assets, look.err = s.cfg.Inventory.Assets(ctx, g)
		s.looks[g] = look
		s.tell(ctx, "inventory of "+string(g), look.err)
	}
	if look.err != nil {
		return nil, "the inventory is not known: " + clip(look.err.Error())
	}
	return look.assets, ""
}
