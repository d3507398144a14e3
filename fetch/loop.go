package fetch

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/sourcegraph/conc/panics"

	"skinarb/pricing"
)

const (
	pullLimit    = 5 * time.Minute  // longest that a pull may take
	alertLimit   = 10 * time.Second // longest that an alert may take
	releaseCheck = time.Second      // how often a held feed looks for the operator's word
	publishTries = 3                // when other processes publish at the same time
	maxBackoff   = 5                // intervals
)

// loop keeps one feed. One goroutine owns it.
type loop struct {
	cfg  *Config
	src  Source
	feed pricing.Feed

	loaded   bool            // inForce is what the store had, as far as we know
	inForce  pricing.Catalog // zero when nothing is
	hold     hold
	decided  bool               // about a pull, since we lead
	before   pricing.FeedStatus // what the feed is until then: what was last said of it
	status   pricing.FeedStatus
	begun    bool // a version was given since we lead
	pulls    durations
	failures int // in a row
}

func newLoop(cfg *Config, src Source, f pricing.Feed) *loop {
	return &loop{cfg: cfg, src: src, feed: f, status: pricing.FeedStatus{Feed: f}}
}

// run leads the feed whenever it may, until ctx ends.
func (l *loop) run(ctx context.Context) {
	for ctx.Err() == nil {
		led, release, err := l.lease(ctx)
		if err != nil {
			if ctx.Err() == nil {
				l.cfg.Log.Warn("cannot ask who leads the feed", "feed", l.feed.String(), "error", err)
				l.failures++
				l.rest(ctx, l.backoff())
			}
			continue
		}
		l.lead(led)
		release()
	}
}

func (l *loop) lease(ctx context.Context) (context.Context, func(), error) {
	if l.cfg.Leaser == nil {
		return ctx, func() {}, nil
	}
	return l.cfg.Leaser.Lease(ctx, l.feed)
}

// lead pulls round after round until ctx ends. It begins with what the store
// has: another process may have led meanwhile.
func (l *loop) lead(ctx context.Context) {
	l.loaded, l.hold, l.begun, l.failures = false, hold{}, false, 0
	l.recall(ctx)
	for ctx.Err() == nil {
		l.rest(ctx, l.round(ctx))
	}
}

// recall reads what was last said of the feed. A hold that was forgotten with
// whoever held it would have its prices traded on until the market is asked, so
// nothing better is said before we have decided about a pull ourselves.
func (l *loop) recall(ctx context.Context) {
	l.decided = false
	l.before = pricing.FeedStatus{State: pricing.Down, Reason: "not pulled since the start"}
	all, err := l.cfg.Store.Statuses(ctx)
	if err != nil && ctx.Err() == nil {
		l.cfg.Log.Warn("cannot read what was said of the feed", "feed", l.feed.String(), "error", err)
	}
	for _, s := range all {
		if s.Feed == l.feed && s.State != pricing.Down {
			l.before = s
		}
	}
}

// round is one turn: pull, check, publish or hold, write the status down. It
// gives the pause until the next.
func (l *loop) round(ctx context.Context) time.Duration {
	err := l.load(ctx)
	if err == nil {
		err = l.pull(ctx)
	}
	if ctx.Err() != nil {
		return 0
	}
	pause := jitter(l.cfg.Interval, 5)
	l.status.LastError = ""
	if err == nil {
		l.failures = 0
	} else {
		l.failures++
		l.status.LastError = shortError(err)
		l.cfg.Log.Warn("pull failed", "feed", l.feed.String(), "failures", l.failures, "error", l.status.LastError)
		pause = l.backoff()
		if asked := (*PauseError)(nil); errors.As(err, &asked) {
			pause = max(pause, asked.After)
		}
	}
	l.report(ctx)
	return pause
}

// load reads the catalog in force, once.
func (l *loop) load(ctx context.Context) error {
	if l.loaded {
		return nil
	}
	c, err := l.cfg.Store.Catalog(ctx, l.feed)
	switch {
	case errors.Is(err, ErrNoCatalog):
		// The version stays: should the store have lost everything, versions
		// must rise all the same.
		c = pricing.Catalog{}
	case err != nil:
		return fmt.Errorf("load the catalog in force: %w", err)
	}
	l.inForce, l.loaded = c, true
	l.status.Version = max(l.status.Version, c.Version)
	return nil
}

// pull asks the market once and decides about its answer.
func (l *loop) pull(ctx context.Context) error {
	began := l.cfg.Now()
	p, err := l.ask(ctx)
	seen := Observation{Feed: l.feed, Outcome: Failed, Duration: l.cfg.Now().Sub(began)}
	if err != nil && ctx.Err() != nil {
		return err // we are stopping; the market did nothing wrong
	}
	if l.cfg.Observe != nil {
		defer func() { l.cfg.Observe(seen) }()
	}
	if err != nil {
		return fmt.Errorf("pull %s: %w", l.feed, err)
	}
	seen.Bytes, seen.Items, seen.Rejected = p.Bytes, len(p.Listings), p.Rejected
	l.pulls.add(seen.Duration)
	l.status.Rejected = 0
	for _, n := range p.Rejected {
		l.status.Rejected += n
	}

	// A release that was asked for while we pulled is about the catalog that
	// the operator saw, not about this one.
	if l.hold.active() && l.released(ctx) {
		if err := l.accept(ctx); err != nil {
			return err
		}
	}
	// Listings are cloned because we write Since into them, and they may be the
	// source's own.
	next := pricing.Catalog{Feed: l.feed, ObservedAt: p.ObservedAt, Listings: slices.Clone(p.Listings)}
	seen.Outcome, err = l.consider(ctx, next)
	if err != nil {
		seen.Outcome = Failed
	}
	l.decided = l.decided || err == nil
	if seen.Outcome == Published {
		seen.Changed = l.status.Changed
	}
	return err
}

// ask pulls the catalog. A source that panics is one that failed.
func (l *loop) ask(ctx context.Context) (p Pull, err error) {
	ctx, cancel := context.WithTimeout(ctx, pullLimit)
	defer cancel()
	if crash := panics.Try(func() { p, err = l.src.Pull(ctx, l.feed.Game) }); crash != nil {
		l.cfg.Log.Error("a source panicked", "feed", l.feed.String(), "panic", crash.Value, "stack", string(crash.Stack))
		return Pull{}, fmt.Errorf("the source panicked: %v", crash.Value)
	}
	return p, err
}

// consider publishes a catalog that passes, or whose like we have seen often
// enough, and holds any other.
func (l *loop) consider(ctx context.Context, next pricing.Catalog) (Outcome, error) {
	p := pair(l.inForce, next)
	if err := p.validate(); err != nil {
		return Failed, fmt.Errorf("pull %s: %w", l.feed, err)
	}
	v := p.check()
	if !v.Held() {
		return l.put(ctx, p, Passes)
	}
	if l.withhold(ctx, v, next) {
		l.cfg.Log.Info("enough shrunken catalogs agree", "feed", l.feed.String(), "items", len(next.Listings))
		return l.put(ctx, p, Shrunken)
	}
	return Withheld, nil
}

// put puts p.next in force. When another process published meanwhile it checks
// again; a verdict other than the accepted one holds the catalog.
func (l *loop) put(ctx context.Context, p pairs, accepted Reason) (Outcome, error) {
	for range publishTries {
		p.next.Version = l.nextVersion()
		ch := p.diff()
		err := l.cfg.Store.Publish(ctx, p.next, ch)
		if err == nil {
			l.inForce, l.hold, l.begun = p.next, hold{}, true
			l.status.Version, l.status.Changed = p.next.Version, len(ch.Set)+len(ch.Gone)
			l.cfg.Log.Debug("published", "feed", l.feed.String(), "version", p.next.Version, "items", len(p.next.Listings), "changed", l.status.Changed)
			return Published, nil
		}
		l.loaded = false // whatever failed, the store knows better than we do
		if !errors.Is(err, ErrSuperseded) {
			return Failed, fmt.Errorf("publish %s: %w", l.feed, err)
		}
		if err := l.load(ctx); err != nil {
			return Failed, err
		}
		if l.inForce.ObservedAt.After(p.next.ObservedAt) {
			return Outdated, nil
		}
		p = pair(l.inForce, p.next)
		if v := p.check(); v.Held() && v.Reason != accepted {
			l.withhold(ctx, v, p.next)
			return Withheld, nil
		}
	}
	return Failed, fmt.Errorf("publish %s, %d times: %w", l.feed, publishTries, ErrSuperseded)
}

// nextVersion rises over everything that we know of. The first version of each
// time of leading is the time, if that is higher: a store that was wiped, or fell
// back to what a replica had, must not give the same versions, and the order ids
// derived from them, once more. Where versions rise faster than one a second they
// are ahead of the time, and only what we know of counts.
func (l *loop) nextVersion() uint64 {
	next := max(l.inForce.Version, l.status.Version) + 1
	if l.begun {
		return next
	}
	return max(next, uint64(max(1, l.cfg.Now().Unix())))
}

// withhold adds a catalog to the hold and tells whether it is confirmed by now.
// A hold that begins forgets what was asked for before and alerts the operator.
func (l *loop) withhold(ctx context.Context, v Verdict, next pricing.Catalog) (confirmed bool) {
	began := !l.hold.active()
	confirmed = l.hold.add(v, next)
	if !began {
		return confirmed
	}
	l.released(ctx)
	l.cfg.Log.Warn("catalog held", "feed", l.feed.String(), "reason", v.Reason, "detail", v.Detail)
	if l.cfg.Alert != nil {
		ctx, cancel := context.WithTimeout(ctx, alertLimit)
		defer cancel()
		l.cfg.Alert(ctx, fmt.Sprintf("The catalog of %s is held (%s): %s. The last good one stays in force.", l.feed, v.Reason, v.Detail))
	}
	return confirmed
}

// released tells whether the operator has asked to accept the held catalog.
// The first answer of a hold is thrown away: it is from before.
func (l *loop) released(ctx context.Context) bool {
	asked, err := l.cfg.Store.TakeRelease(ctx, l.feed)
	if err != nil {
		if ctx.Err() == nil {
			l.cfg.Log.Warn("cannot see whether the feed was released", "feed", l.feed.String(), "error", err)
		}
		return false
	}
	if !l.hold.listening {
		l.hold.listening = true
		return false
	}
	return asked
}

// accept puts the held catalog in force.
func (l *loop) accept(ctx context.Context) error {
	l.cfg.Log.Info("the operator released the held catalog", "feed", l.feed.String(), "reason", l.hold.verdict.Reason)
	_, err := l.put(ctx, pair(l.inForce, l.hold.newest()), l.hold.verdict.Reason)
	return err
}

// report writes the status down. That it fails is no reason to stop: prices go
// on, and the next round tries again.
func (l *loop) report(ctx context.Context) {
	s := &l.status
	s.Items, s.LastSuccess = len(l.inForce.Listings), l.inForce.ObservedAt
	s.PullP50, s.PullP95 = l.pulls.percentile(50), l.pulls.percentile(95)
	s.State, s.Reason = pricing.Fresh, ""
	switch {
	case l.hold.active():
		s.State, s.Reason = pricing.Held, fmt.Sprintf("%s: %s", l.hold.verdict.Reason, l.hold.verdict.Detail)
	case l.inForce.Version == 0:
		s.State, s.Reason = pricing.Down, "no catalog yet"
	case !l.decided:
		s.State, s.Reason = l.before.State, l.before.Reason
	}
	s.State = s.Judge(l.cfg.Now(), l.cfg.MaxAge)
	if err := l.cfg.Store.SetStatus(ctx, *s); err != nil && ctx.Err() == nil {
		l.cfg.Log.Warn("cannot write the feed's status", "feed", l.feed.String(), "error", err)
	}
}

// rest waits for d. While the feed is held it looks for the operator's word.
func (l *loop) rest(ctx context.Context, d time.Duration) {
	over := time.NewTimer(d)
	defer over.Stop()
	check := time.NewTicker(releaseCheck)
	defer check.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-over.C:
			return
		case <-check.C:
			if !l.hold.active() || !l.released(ctx) {
				continue
			}
			if err := l.accept(ctx); err != nil {
				l.cfg.Log.Warn("cannot publish the released catalog", "feed", l.feed.String(), "error", err)
				l.status.LastError = shortError(err)
			}
			l.report(ctx)
		}
	}
}

// backoff gives the pause after the failures so far: a quarter of the interval,
// doubled with each, at most five intervals.
func (l *loop) backoff() time.Duration {
	pause := l.cfg.Interval / 4
	for i := 1; i < l.failures && pause < maxBackoff*l.cfg.Interval; i++ {
		pause *= 2
	}
	return jitter(min(pause, maxBackoff*l.cfg.Interval), 20)
}

// jitter moves d by up to the given percentage either way, so that processes
// and feeds do not ask in step.
func jitter(d time.Duration, percent int64) time.Duration {
	span := max(1, int64(d)*percent/100)
	return d + time.Duration(rand.Int64N(2*span+1)-span)
}
