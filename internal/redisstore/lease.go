package redisstore

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/bsm/redislock"

	"skinarb/pricing"
)

// A leader that dies is replaced after leaseTTL + leaseRetry at the latest.
const (
	leaseTTL   = 11 * time.Second
	leaseRenew = 3 * time.Second
	leaseRetry = 3 * time.Second
	leaseSpare = time.Second // of the lease's end, in which nobody counts on it
)

// Lease waits until this process leads the feed; see fetch.Leaser. A lease is
// renewed until it is released. When Redis does not confirm it in time, the
// process stops leading before anybody else can begin.
func (s *Store) Lease(ctx context.Context, f pricing.Feed) (context.Context, func(), error) {
	l, err := s.lease(ctx, keysOf(f).lease)
	if err != nil {
		return nil, nil, fmt.Errorf("lease of %s: %w", f, err)
	}
	return l.led, l.release, nil
}

// lease is a lock that is renewed until it is released or lost.
type lease struct {
	lock *redislock.Lock
	led  context.Context // ends with it
	end  context.CancelFunc
	done chan struct{}             // closed when it is renewed no more
	sure atomic.Pointer[time.Time] // it is ours for leaseTTL from then on
}

// lease waits until the lock is ours.
func (s *Store) lease(ctx context.Context, key string) (*lease, error) {
	lock, asked, err := s.obtain(ctx, key)
	if err != nil {
		return nil, err
	}
	l := &lease{lock: lock, done: make(chan struct{})}
	l.led, l.end = context.WithCancel(ctx)
	l.sure.Store(&asked)
	go func() {
		defer close(l.done)
		defer l.end()
		l.renew()
	}()
	return l, nil
}

// obtain waits for the lock, and tells when it asked for it: the lock holds for
// leaseTTL after that at least.
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

// renew returns when the lease ends or is lost.
func (l *lease) renew() {
	for sleep(l.led, leaseRenew) == nil {
		asked, sure := time.Now(), *l.sure.Load()
		call, cancel := context.WithTimeout(l.led, time.Until(sure.Add(leaseTTL-leaseSpare)))
		err := l.lock.Refresh(call, leaseTTL, nil)
		cancel()
		switch {
		case err == nil:
			l.sure.Store(&asked)
		case errors.Is(err, redislock.ErrNotObtained), time.Since(sure) > leaseTTL-leaseRenew-leaseSpare:
			return
		}
	}
}

// holds tells whether the lease is surely ours now. A process that was stopped
// hears it at once, before any timer of it runs: of the two clocks that say how
// long ago it was confirmed, the one stands still while the machine sleeps, and
// the other may be set back. The later counts.
func (l *lease) holds() bool {
	sure := *l.sure.Load()
	age := max(time.Since(sure), time.Since(sure.Round(0))) // monotonic, wall
	return l.led.Err() == nil && age < leaseTTL-leaseSpare
}

// release gives the lease back, also at shutdown, so that a standby need not
// wait for its end.
func (l *lease) release() {
	l.end()
	<-l.done
	ctx, cancel := context.WithTimeout(context.WithoutCancel(l.led), callLimit)
	defer cancel()
	_ = l.lock.Release(ctx) // it ends by itself
}
