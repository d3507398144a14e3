package execution

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"skinarb/internal/crashpoint"
	"skinarb/pricing"
)

// Bookkeeper is a Market whose account can be compared with our books. A paper
// market is none.
type Bookkeeper interface {
	// Bookings gives what the market's own account book says of each purchase
	// made since a time; none at all when it keeps no book that can be read.
	Bookings(ctx context.Context, since time.Time) ([]Booking, error)
}

// Booking is all that a market's account book says of one purchase.
type Booking struct {
	MarketRef string
	Taken     pricing.Money
	Returned  pricing.Money
}

// compareTolerance is what rounding may hide in a balance.
const compareTolerance = pricing.Cent

// confirmDifference is how long this executor must have seen a difference before
// it acts on it, however old it is: what a start finds may be on its way, or be
// explained by what has not been looked at yet.
const confirmDifference = 30 * time.Second

// Comparison is how our books and a market's account agree.
type Comparison struct {
	At       time.Time     // of the last one; zero: never
	Balance  pricing.Money // what the market said
	Expected pricing.Money // what our books said, with what was sold since they were off
	Off      pricing.Money // by how much the balance is not what they can explain, negative when money is missing
	Since    time.Time     // when it began to be; zero when it is not
	seen     time.Time     // the instant at which this executor first saw it
}

// errUnconfirmed leaves an account that was not compared since the start so.
var errUnconfirmed = errors.New("money was missing when the last run ended, or went missing since; looking once more")

// comparisons remember the last comparison of each market.
type comparisons struct {
	mu       sync.Mutex
	byMarket map[pricing.Market]Comparison
}

func (cs *comparisons) get(m pricing.Market) Comparison {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return cs.byMarket[m]
}

func (cs *comparisons) set(m pricing.Market, c Comparison) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.byMarket == nil {
		cs.byMarket = map[pricing.Market]Comparison{}
	}
	cs.byMarket[m] = c
}

// Compared gives how the books of every market that has been compared agree.
func (x *Executor) Compared() map[pricing.Market]Comparison {
	out := map[pricing.Market]Comparison{}
	for m := range x.markets {
		if c := x.comparisons.get(m); !c.At.IsZero() {
			out[m] = c
		}
	}
	return out
}

// book applies the market's account book to our orders: what it says of an
// order's money goes before what the order says itself.
func (x *Executor) book(ctx context.Context, m Market, since time.Time) error {
	keeper, ok := m.(Bookkeeper)
	if !ok {
		return nil
	}
	bookings, err := keeper.Bookings(ctx, since)
	if err != nil {
		return fmt.Errorf("read the account book: %w", err)
	}
	if from, err := x.cutOff(ctx, m.Market(), bookings); err != nil {
		return err
	} else if from.Before(since) {
		if bookings, err = keeper.Bookings(ctx, from); err != nil {
			return fmt.Errorf("read the account book further back: %w", err)
		}
	}
	for _, b := range bookings {
		if b.Taken <= 0 {
			continue // the purchase itself is older than what was read
		}
		o, err := x.byRef(ctx, m.Market(), b.MarketRef)
		if err != nil {
			return err
		}
		if o.ID == "" {
			continue // history enters it, and then this does
		}
		if _, err := x.learn(ctx, o, Evidence{MarketRef: b.MarketRef, Paid: b.Taken, Refunded: b.Returned, Booked: true}); err != nil {
			return err
		}
	}
	return nil
}

// cutOff gives from when the account book must be read, so that it has the whole
// of what came back lately for purchases that were made long before: a delivery
// may be reversed after a week.
func (x *Executor) cutOff(ctx context.Context, m pricing.Market, bookings []Booking) (time.Time, error) {
	from := x.now()
	for _, b := range bookings {
		if b.Taken > 0 || b.Returned <= 0 {
			continue
		}
		o, err := x.byRef(ctx, m, b.MarketRef)
		if err != nil {
			return from, err
		}
		undone := o.State == RolledBack || o.State == Penalized || o.State == Failed
		if o.ID == "" || o.Refunded >= b.Returned && !(undone && o.Refunded < o.Paid) {
			continue // not ours, or counted
		}
		if at := o.CreatedAt.Add(-clockMargin); at.Before(from) {
			from = at
		}
	}
	if oldest := x.now().Add(-longestReview); from.Before(oldest) {
		from = oldest
	}
	return from, nil
}

// compare holds the market's balance against our books. Money that is missing
// for longer than Patience suspends buying there: somebody else spends it, or a
// refund that we count on has not come. Money that came in is taken as put in by
// the operator, once it has been seen twice and for as long as confirmDifference.
//
// Orders move while the market is asked, so that the balance is compared with
// what the books allowed before and after, pending orders bought or not.
func (x *Executor) compare(ctx context.Context, m Market) error {
	if _, ok := m.(Bookkeeper); !ok {
		return nil
	}
	name := m.Market()
	before, err := x.cfg.Journal.Books(ctx, name)
	if err != nil {
		return err
	}
	asking, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	balance, err := m.Balance(asking)
	if err != nil {
		return fmt.Errorf("ask for the balance: %w", err)
	}
	after, err := x.cfg.Journal.Books(ctx, name)
	if err != nil {
		return err
	}
	now := x.now()
	if after.OpenedAt.IsZero() {
		return x.openBooks(ctx, name, before, balance, after)
	}
	last := x.comparisons.get(name)
	// While the books are off, the account should also hold what our sales have
	// brought: they explain what came in, and do not pay for what is missing.
	var sold pricing.Money
	if last.Off != 0 {
		if sold, err = x.cfg.Sold(ctx, name, after.OpenedAt); err != nil {
			return fmt.Errorf("see what was sold since %s: %w", after.OpenedAt, err)
		}
	}
	c := Comparison{At: now, Balance: balance, Expected: after.Expected() + sold, Since: last.Since, seen: last.seen}
	least := min(before.Expected(), after.Expected()) - max(before.Pending, after.Pending) + sold
	most := max(before.Expected(), after.Expected()) + sold
	switch {
	case balance < least-compareTolerance:
		c.Off = balance - least
	case balance > most+compareTolerance:
		c.Off = balance - most
	case sold > 0:
		if err := x.openBooks(ctx, name, before, balance, after); err != nil {
			return err
		}
		x.log.Info("money came in for what was sold", "market", name, "amount", sold, "balance", balance)
		x.release(name, BreakDifference)
		return nil
	default:
		c.Since, c.seen = time.Time{}, time.Time{}
		x.comparisons.set(name, c)
		x.release(name, BreakDifference)
		return x.writeBooks(ctx, name, after.Opening)
	}
	turned := (last.Off < 0) != (c.Off < 0)
	switch {
	case last.At.IsZero() && after.OpenedAt.Before(now):
		c.Since = after.OpenedAt // the last run may have seen it, too
	case c.Since.IsZero(), turned && sold == 0:
		c.Since = now
	}
	if c.seen.IsZero() || turned {
		c.seen = x.instant()
	}
	x.comparisons.set(name, c)
	confirmed := x.instant().Sub(c.seen) >= confirmDifference
	if c.Off < 0 {
		x.log.Warn("money is missing", "market", name, "balance", balance, "expected", c.Expected, "since", c.Since)
		if now.Sub(c.Since) >= x.cfg.Patience {
			if !confirmed {
				return errUnconfirmed
			}
			x.hold(name, BreakDifference, fmt.Sprintf("the account holds %s and should hold %s at least, since %s", balance, least, c.Since.Format(time.DateTime)))
		}
		return nil
	}
	if last.Off <= 0 || !confirmed {
		// A purchase that was reversed days ago looks like this until we know.
		x.track(ctx, m, Delivered)
		return nil
	}
	if err := x.openBooks(ctx, name, before, balance, after); err != nil {
		return err
	}
	x.log.Warn("money came in that nothing of ours explains; it counts as put in", "market", name, "amount", c.Off, "balance", balance)
	x.cfg.Notify(Notice{Kind: NoticeDifference, Market: name, Text: fmt.Sprintf("%s holds %s more than our orders and sales explain; it counts as put in", name, c.Off)})
	return nil
}

// acceptBalance begins the books of a market again with what it holds now.
func (x *Executor) acceptBalance(ctx context.Context, m Market) error {
	asking, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	for range maxStale {
		before, err := x.cfg.Journal.Books(ctx, m.Market())
		if err != nil {
			return err
		}
		balance, err := m.Balance(asking)
		if err != nil {
			return fmt.Errorf("ask for the balance: %w", err)
		}
		after, err := x.cfg.Journal.Books(ctx, m.Market())
		if err != nil {
			return err
		}
		if err := x.openBooks(ctx, m.Market(), before, balance, after); !errors.Is(err, errMoved) {
			return err
		}
	}
	return errMoved
}

// errMoved says that a balance cannot open books: whether what has just moved is
// in it, nobody knows.
var errMoved = errors.New("orders moved while the balance was asked for")

// openBooks begins the books of a market with a balance, if they were the same
// before and after it was asked for.
func (x *Executor) openBooks(ctx context.Context, m pricing.Market, before Books, balance pricing.Money, after Books) error {
	if before.Net() != after.Net() || before.Pending != after.Pending {
		return errMoved
	}
	if err := x.writeBooks(ctx, m, balance+after.Net()); err != nil {
		return err
	}
	x.comparisons.set(m, Comparison{At: x.now(), Balance: balance, Expected: balance})
	return nil
}

// writeBooks notes that the books of a market are right now.
func (x *Executor) writeBooks(ctx context.Context, m pricing.Market, opening pricing.Money) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	if err := x.cfg.Journal.OpenBooks(ctx, m, opening, x.now()); err != nil {
		return err
	}
	crashpoint.At(crashpoint.BooksOpened)
	return nil
}
