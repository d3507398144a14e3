package execution

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"skinarb/pricing"
)

// BreakerRule names what stops buying on one market while selling, tracking and
// looking up go on.
type BreakerRule string

// The rules. What ends each is in the comment; an operator's Reset ends any but
// the last two, which end when their cause does.
const (
	BreakUnanswered   BreakerRule = "unanswered"   // five attempts in a row without a usable answer; time, 1 min and more each time
	BreakRefused      BreakerRule = "refused"      // eight refusals for one reason in a row; time, 5 min and more
	BreakAccount      BreakerRule = "account"      // one refusal that is about the account or the recipient; time, 10 min and more
	BreakThrottled    BreakerRule = "throttled"    // the market asks to be left alone (429, -7, -9); the time that it says
	BreakDifference   BreakerRule = "difference"   // the account holds less than our books say; their agreeing again, or Reset, which accepts what it holds
	BreakDoubts       BreakerRule = "doubts"       // too many orders in doubt; their being resolved
	BreakUnreconciled BreakerRule = "unreconciled" // the account was not compared since the start; its being compared
)

// BreakerRules lists every rule.
var BreakerRules = []BreakerRule{BreakUnanswered, BreakRefused, BreakAccount, BreakThrottled, BreakDifference, BreakDoubts, BreakUnreconciled}

// trips says after how many failures in a row a rule opens, and for how long:
// twice as long each time, until a purchase succeeds.
var trips = map[BreakerRule]struct {
	failures    int
	first, most time.Duration
}{
	BreakUnanswered: {5, time.Minute, 30 * time.Minute},
	BreakRefused:    {8, 5 * time.Minute, time.Hour},
	BreakAccount:    {1, 10 * time.Minute, 6 * time.Hour},
}

// Break is a breaker that is open, or was and waits for a purchase to prove that
// its cause is gone.
type Break struct {
	Market pricing.Market
	Rule   BreakerRule
	Reason string
	Since  time.Time
	Until  time.Time // zero: until its cause ends
	Trying bool      // Until has passed; the next failure opens it again
}

// BreakerError says why nothing is bought on a market now.
type BreakerError struct{ Break Break }

func (e *BreakerError) Error() string {
	return fmt.Sprintf("buying on %s is suspended (%s): %s", e.Break.Market, e.Break.Rule, e.Break.Reason)
}

// breakers keep what is open, by market. They live in memory: a restart tries
// again, and finds what still stands against it.
type breakers struct {
	mu       sync.Mutex
	byMarket map[pricing.Market]*breaker
}

type breaker struct {
	open     map[BreakerRule]*Break
	times    map[BreakerRule]int // opened in a row
	failures int                 // attempts in a row without an answer
	reason   string              // of the last refusal
	refusals int                 // in a row for that reason
}

func (bs *breakers) with(m pricing.Market, f func(*breaker)) {
	bs.mu.Lock()
	defer bs.mu.Unlock()
	if bs.byMarket == nil {
		bs.byMarket = map[pricing.Market]*breaker{}
	}
	b := bs.byMarket[m]
	if b == nil {
		b = &breaker{open: map[BreakerRule]*Break{}, times: map[BreakerRule]int{}}
		bs.byMarket[m] = b
	}
	f(b)
}

// get gives a rule that is open.
func (bs *breakers) get(m pricing.Market, rule BreakerRule) (k Break, open bool) {
	bs.with(m, func(b *breaker) {
		if b.open[rule] != nil {
			k, open = *b.open[rule], true
		}
	})
	return k, open
}

// list gives what is open on a market, by rule.
func (bs *breakers) list(m pricing.Market, now time.Time) (open []Break) {
	bs.with(m, func(b *breaker) {
		for _, k := range b.open {
			k := *k
			k.Trying = !k.Until.IsZero() && !now.Before(k.Until)
			open = append(open, k)
		}
	})
	slices.SortFunc(open, func(a, b Break) int { return cmp.Compare(a.Rule, b.Rule) })
	return open
}

// set opens a rule, or changes its reason and end; it tells whether it was
// closed, or was being tried.
func (b *breaker) set(m pricing.Market, rule BreakerRule, reason string, now, until time.Time) (news bool) {
	k := b.open[rule]
	news = k == nil || !k.Until.IsZero() && !now.Before(k.Until)
	if k == nil {
		k = &Break{Market: m, Rule: rule, Since: now}
		b.open[rule] = k
	}
	k.Reason, k.Until = clip(reason), until
	return news
}

// trip opens a rule for longer than the last time.
func (b *breaker) trip(m pricing.Market, rule BreakerRule, reason string, now time.Time) (news bool) {
	if k := b.open[rule]; k != nil && now.Before(k.Until) {
		return false // of attempts at the same time, one counts
	}
	limits := trips[rule]
	d := min(limits.first<<min(b.times[rule], 20), limits.most)
	b.times[rule]++
	return b.set(m, rule, reason, now, now.Add(d))
}

// Breaks gives what is open on every market.
func (x *Executor) Breaks() []Break {
	var all []Break
	for _, m := range x.cfg.Markets {
		all = append(all, x.breakers.list(m.Market(), x.instant())...)
	}
	return all
}

// suspended gives a *BreakerError when nothing may be bought on a market now.
func (x *Executor) suspended(m pricing.Market) error {
	for _, k := range x.breakers.list(m, x.instant()) {
		if !k.Trying {
			return &BreakerError{k}
		}
	}
	return nil
}

// Reset closes what is open on a market, for an operator who has seen to the
// cause. What its cause keeps open stays so. A difference is accepted: our books
// begin again with what the account holds now, which must answer.
func (x *Executor) Reset(ctx context.Context, name pricing.Market, by string) error {
	m := x.markets[name]
	if m == nil {
		return fmt.Errorf("reset breakers: market %q is not configured", name)
	}
	accept := false
	x.breakers.with(name, func(b *breaker) { accept = b.open[BreakDifference] != nil })
	if accept {
		if err := x.acceptBalance(ctx, m); err != nil {
			return fmt.Errorf("reset breakers of %s: %w", name, err)
		}
	}
	var closed []BreakerRule
	x.breakers.with(name, func(b *breaker) {
		for rule := range b.open {
			if rule != BreakDoubts && rule != BreakUnreconciled {
				closed = append(closed, rule)
				delete(b.open, rule)
			}
		}
		b.failures, b.refusals = 0, 0
		clear(b.times)
	})
	slices.Sort(closed)
	x.log.Warn("breakers reset", "market", name, "rules", closed, "by", clip(by))
	if len(closed) > 0 {
		x.cfg.Notify(Notice{Kind: NoticeBreaker, Market: name, Text: fmt.Sprintf("%s: buying goes on, reset by %s", name, clip(by))})
	}
	return nil
}

// announce tells of a breaker that opened.
func (x *Executor) announce(m pricing.Market, rule BreakerRule, reason string, until time.Time) {
	for_ := "until that is over"
	if !until.IsZero() {
		for_ = "until " + until.UTC().Format(time.TimeOnly) + " UTC"
	}
	x.log.Warn("buying suspended", "market", m, "rule", rule, "reason", reason, "until", until)
	kind := NoticeBreaker
	if rule == BreakDifference {
		kind = NoticeDifference
	}
	x.cfg.Notify(Notice{Kind: kind, Market: m, Rule: rule, Text: fmt.Sprintf("buying on %s is suspended %s (%s): %s", m, for_, rule, clip(reason))})
}

// hold opens a rule until release, or changes its reason.
func (x *Executor) hold(m pricing.Market, rule BreakerRule, reason string) {
	var news bool
	x.breakers.with(m, func(b *breaker) { news = b.set(m, rule, reason, x.instant(), time.Time{}) })
	if news && rule != BreakUnreconciled { // every start begins with that one
		x.announce(m, rule, reason, time.Time{})
	}
}

// release closes a rule whose cause is over.
func (x *Executor) release(m pricing.Market, rule BreakerRule) {
	var was *Break
	x.breakers.with(m, func(b *breaker) {
		was = b.open[rule]
		delete(b.open, rule)
	})
	if was == nil {
		return
	}
	x.log.Info("buying no longer suspended", "market", m, "rule", rule, "since", was.Since)
	if rule != BreakUnreconciled {
		kind := NoticeBreaker
		if rule == BreakDifference {
			kind = NoticeDifference
		}
		x.cfg.Notify(Notice{Kind: kind, Market: m, Rule: rule, Text: fmt.Sprintf("%s: %s is over", m, rule)})
	}
}

// succeeded notes that a market took an order.
func (x *Executor) succeeded(m pricing.Market) {
	now := x.instant()
	var proven []BreakerRule
	x.breakers.with(m, func(b *breaker) {
		b.failures, b.refusals, b.reason = 0, 0, ""
		for rule, k := range b.open {
			if !k.Until.IsZero() && !now.Before(k.Until) {
				proven = append(proven, rule)
				delete(b.times, rule)
			}
		}
	})
	for _, rule := range proven {
		x.release(m, rule)
	}
}

// unanswered notes an attempt that brought no usable answer.
func (x *Executor) unanswered(m pricing.Market, reason string) {
	x.breakers.with(m, func(b *breaker) { b.failures++ })
	x.tripIf(m, BreakUnanswered, reason, func(b *breaker) int { return b.failures })
}

// refused notes a refusal.
func (x *Executor) refused(m pricing.Market, e *RejectedError) {
	x.breakers.with(m, func(b *breaker) {
		b.failures = 0
		if b.reason != e.Reason {
			b.reason, b.refusals = e.Reason, 0
		}
		b.refusals++
	})
	rule := BreakRefused
	if e.Account {
		rule = BreakAccount
	}
	x.tripIf(m, rule, "refused: "+e.Reason, func(b *breaker) int { return b.refusals })
}

// tripIf opens a rule when enough failures have come in a row, or one while it
// was being tried.
func (x *Executor) tripIf(m pricing.Market, rule BreakerRule, reason string, inARow func(*breaker) int) {
	now := x.instant()
	var news bool
	var until time.Time
	x.breakers.with(m, func(b *breaker) {
		if b.open[rule] == nil && inARow(b) < trips[rule].failures {
			return
		}
		news = b.trip(m, rule, reason, now)
		until = b.open[rule].Until
	})
	if news {
		x.announce(m, rule, reason, until)
	}
}

// throttled notes that a market asked to be left alone.
func (x *Executor) throttled(m pricing.Market, e *RetryLaterError) {
	now := x.instant()
	until := now.Add(e.After)
	var news bool
	x.breakers.with(m, func(b *breaker) {
		if k := b.open[BreakThrottled]; k != nil && k.Until.After(until) {
			until = k.Until
		}
		news = b.set(m, BreakThrottled, e.Reason, now, until)
	})
	if news {
		x.announce(m, BreakThrottled, e.Reason, until)
	}
}

// countDoubts opens or closes the rule about orders in doubt.
func (x *Executor) countDoubts(m pricing.Market, n int) {
	switch most := x.cfg.MaxInDoubt; {
	case most <= 0:
	case n >= most:
		x.hold(m, BreakDoubts, fmt.Sprintf("%d orders are in doubt, %d are the most", n, most))
	default:
		x.release(m, BreakDoubts)
	}
}
