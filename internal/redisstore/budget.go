package redisstore

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"skinarb/fetch"
	"skinarb/pricing"
)

// window is a little over the minute by which markets count, because a request
// leaves a little after its permit.
const window = 62 * time.Second

// share is how full of permits a window may be, in percent, for a class still
// to get one. What is left above is there for the more important classes.
var share = map[fetch.Class]int{
	fetch.ForPurchase: 100,
	fetch.ForStatus:   85,
	fetch.ForCatalog:  60,
}

var className = map[fetch.Class]string{
	fetch.ForPurchase: "a purchase",
	fetch.ForStatus:   "a status",
	fetch.ForCatalog:  "a catalog",
}

// Budget gives the budget of a market's account, which all processes on this
// Redis share: at most perMinute permits in any 62 seconds, and in any second
// at most a tenth of that, or five. Without Redis there is no permit, and so no
// request.
func (s *Store) Budget(m pricing.Market, perMinute int) fetch.Budget {
	return &budget{store: s, market: m, perMinute: max(1, perMinute)}
}

type budget struct {
	store     *Store
	market    pricing.Market
	perMinute int
}

// Take waits for a permit, at most until ctx ends; when it must wait longer
// than ctx lives, it says so at once.
func (b *budget) Take(ctx context.Context, c fetch.Class) error {
	token := rand.Text()
	for {
		wait, err := b.try(ctx, c, token)
		if err == nil && wait == 0 {
			return nil
		}
		if deadline, ok := ctx.Deadline(); err == nil && ok && time.Until(deadline) < wait {
			err = context.DeadlineExceeded
		}
		if err == nil {
			err = sleep(ctx, wait)
		}
		if err != nil {
			return fmt.Errorf("permit of %s for %s: %w", b.market, className[c], err)
		}
	}
}

// try takes a permit if there is one now; else it gives how long to wait.
func (b *budget) try(ctx context.Context, c fetch.Class, token string) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	percent, ok := share[c]
	if !ok {
		return 0, fmt.Errorf("class %d is not known", c)
	}
	granted, paused := budgetKeys(b.market)
	ms, err := permitScript.Run(ctx, b.store.client, []string{granted, paused},
		token, window.Milliseconds(), max(1, b.perMinute*percent/100), max(5, b.perMinute/10)).Int64()
	if err == nil && ms == 0 && b.store.files != nil {
		err = b.store.files.notePermit(b.market, time.Now())
	}
	return time.Duration(ms) * time.Millisecond, err
}

// Pause stops all permits of the account for d, in every process. A longer
// pause that is already there stays.
func (b *budget) Pause(ctx context.Context, d time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	_, paused := budgetKeys(b.market)
	err := pauseScript.Run(ctx, b.store.client, []string{paused}, max(1, d.Milliseconds())).Err()
	if err == nil && b.store.files != nil {
		err = b.store.files.notePause(b.market, time.Now(), d)
	}
	if err != nil {
		return fmt.Errorf("pause %s for %s: %w", b.market, d, err)
	}
	return nil
}

// sleep waits for d, or gives ctx's error.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
