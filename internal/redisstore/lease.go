package redisstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bsm/redislock"

	"skinarb/pricing"
)

// A leader that dies is replaced after leaseTTL + leaseRetry at the latest.
const (
	leaseTTL   = 11 * time.Second
	leaseRenew = 3 * time.Second
	leaseRetry = 3 * time.Second
)

// Lease waits until this process leads the feed; see fetch.Leaser. A lease is
// renewed until it is released. When Redis does not confirm it in time, the
// process stops leading before anybody else can begin.
func (s *Store) Lease(ctx context.Context, f pricing.Feed) (context.Context, func(), error) {
	lock, asked, err := s.obtain(ctx, keysOf(f).lease)
	if err != nil {
		return nil, nil, fmt.Errorf("lease of %s: %w", f, err)
	}
	led, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer cancel()
		renew(led, lock, asked)
	}()
	release := func() {
		cancel()
		<-done
		// Also at shutdown, so that a standby need not wait for the end of the TTL.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callLimit)
		defer cancel()
		_ = lock.Release(ctx) // it ends by itself
	}
	return led, release, nil
}

// obtain waits for the lease, and tells when it asked for it: the lease holds
// for leaseTTL after that at least.
func (s *Store) obtain(ctx context.Context, key string) (*redislock.Lock, time.Time, error) {
	for {
		asked := time.Now()
		call, cancel := context.WithTimeout(ctx, callLimit)
		lock, err := s.locks.Obtain(call, key, leaseTTL, nil)
		cancel()
		if !errors.Is(err, redislock.ErrNotObtained) {
			return lock, asked, err
		}
		if err := sleep(ctx, leaseRetry); err != nil {
			return nil, time.Time{}, err
		}
	}
}

// renew returns when ctx ends or the lease is lost. It was ours for leaseTTL
// from sure on.
func renew(ctx context.Context, lock *redislock.Lock, sure time.Time) {
	for sleep(ctx, leaseRenew) == nil {
		asked := time.Now()
		call, cancel := context.WithTimeout(ctx, time.Until(sure.Add(leaseTTL-time.Second)))
		err := lock.Refresh(call, leaseTTL, nil)
		cancel()
		switch {
		case err == nil:
			sure = asked
		case errors.Is(err, redislock.ErrNotObtained), time.Since(sure) > leaseTTL-leaseRenew-time.Second:
			return
		}
	}
}
