package execution

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"skinarb/pricing"
)

// Balance is what we can spend on a market as far as we know.
type Balance struct {
	Amount pricing.Money // what the market said, less what it took since
	At     time.Time     // when the market was asked
	Known  bool
}

// balances cache what the markets say. Money that a market takes is subtracted
// at once, because the next answer may be half a minute away.
type balances struct {
	mu       sync.Mutex
	byMarket map[pricing.Market]*account
}

type account struct {
	turn  chan struct{} // held by whoever asks the market
	known bool
	said  pricing.Money
	at    time.Time
	spent pricing.Money // in all; only differences matter
	mark  pricing.Money // spent when the market was asked
}

// account must be called with mu held.
func (b *balances) account(m pricing.Market) *account {
	if b.byMarket == nil {
		b.byMarket = map[pricing.Market]*account{}
	}
	a := b.byMarket[m]
	if a == nil {
		a = &account{turn: make(chan struct{}, 1)}
		b.byMarket[m] = a
	}
	return a
}

// spend subtracts money that the market has just taken. It may be subtracted
// twice until the market is asked again; that errs on the safe side.
func (b *balances) spend(m pricing.Market, amount pricing.Money) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.account(m).spent += amount
}

func (b *balances) get(m pricing.Market) Balance {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.account(m)
	return Balance{Amount: a.said - (a.spent - a.mark), At: a.at, Known: a.known}
}

// forget makes the balance unknown: something that we did not do changed it.
func (b *balances) forget(m pricing.Market) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.account(m).known = false
}

// refresh asks the market, unless somebody else did meanwhile.
func (b *balances) refresh(ctx context.Context, m Market, now func() time.Time) error {
	b.mu.Lock()
	a := b.account(m.Market())
	b.mu.Unlock()
	before := b.get(m.Market()).At
	select {
	case a.turn <- struct{}{}:
		defer func() { <-a.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}

	b.mu.Lock()
	at, mark, done := now(), a.spent, a.at.After(before)
	b.mu.Unlock()
	if done {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	said, err := m.Balance(ctx)
	if err != nil {
		return fmt.Errorf("ask %s for the balance: %w", m.Market(), err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	a.known, a.said, a.at, a.mark = true, said, at, mark
	return nil
}

// Balances gives what is known of every configured market's account.
func (x *Executor) Balances() map[pricing.Market]Balance {
	out := make(map[pricing.Market]Balance, len(x.markets))
	for m := range x.markets {
		out[m] = x.balance(m)
	}
	return out
}

// balance is not known when it is too old to buy on.
func (x *Executor) balance(m pricing.Market) Balance {
	b := x.balances.get(m)
	age := x.now().Sub(b.At) // negative when the clock was set back
	b.Known = b.Known && age >= 0 && age <= balanceAge
	return b
}

// freshen makes a balance known, if the market answers.
func (x *Executor) freshen(ctx context.Context, m Market) {
	if !x.balance(m.Market()).Known {
		x.askBalance(ctx, m)
	}
}

func (x *Executor) askBalance(ctx context.Context, m Market) {
	if err := x.balances.refresh(ctx, m, x.now); err != nil && ctx.Err() == nil {
		x.log.Warn("balance not known", "market", m.Market(), "err", err)
	}
}

// admit judges a request by the limits and by the balance as it is known. It
// does not wait: the journal asks it within its transaction.
func (x *Executor) admit(r Request, u Usage) error {
	b := x.balance(r.Market)
	if !b.Known {
		return &LimitError{"min_balance", fmt.Sprintf("the balance at %s is not known", r.Market)}
	}
	return x.Limits().Admit(r, u, b.Amount)
}

// Admissible says what Buy would say of a request by the breakers, the limits
// and what is known of the balance, without asking anybody. u is the usage of
// the limits, counted a moment ago.
func (x *Executor) Admissible(r Request, u Usage) error {
	if err := x.suspended(r.Market); err != nil {
		return err
	}
	err := x.admit(r, u)
	x.tellLimit(r.Market, err)
	return err
}

// tellLimit announces that a limit of money is used up. Too many open orders, or
// units of one item, are everyday matters.
func (x *Executor) tellLimit(m pricing.Market, err error) {
	var limit *LimitError
	if !errors.As(err, &limit) {
		return
	}
	for _, rule := range []string{"max_day", "max_locked"} {
		if strings.HasPrefix(limit.Rule, rule) {
			x.cfg.Notify(Notice{Kind: NoticeLimit, Market: m, Text: "nothing more is bought: " + limit.Error()})
		}
	}
}

// admissible says early what Reserve would say, before the market is troubled.
func (x *Executor) admissible(ctx context.Context, r Request) error {
	t, err := x.Trading(ctx)
	if err != nil {
		return err
	}
	if t.Stopped {
		return ErrStopped
	}
	u, err := x.cfg.Journal.Usage(ctx, x.now())
	if err != nil {
		return err
	}
	if err := x.suspended(r.Market); err != nil {
		return err
	}
	x.freshen(ctx, x.markets[r.Market])
	return x.admit(r, u)
}

// Judge gives every limit's verdict on a request, and reserves nothing.
func (x *Executor) Judge(ctx context.Context, r Request) []Check {
	u, err := x.cfg.Journal.Usage(ctx, x.now())
	if err != nil {
		return []Check{{"journal", false, "the usage of the limits cannot be read"}}
	}
	if m := x.markets[r.Market]; m != nil {
		x.freshen(ctx, m)
	}
	b := x.balance(r.Market)
	checks := x.Limits().Checks(r, u, b.Amount)
	for i := range checks {
		if checks[i].Rule == "min_balance" && !b.Known {
			checks[i] = Check{"min_balance", false, fmt.Sprintf("the balance at %s is not known", r.Market)}
		}
	}
	if err := x.suspended(r.Market); err != nil {
		return append(checks, Check{"breaker", false, err.Error()})
	}
	return append(checks, Check{"breaker", true, "buying there is not suspended"})
}
