package redisstore

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"skinarb/internal/storetest"
	"skinarb/pricing"
)

func TestOneProcessLeadsAFeed(t *testing.T) {
	servers(t, func(t *testing.T, open func(t rapid.TB) *Store) {
		s := open(t)
		t.Cleanup(closing(t, s))
		led, release, err := s.Lease(t.Context(), storetest.Feed)
		if err != nil {
			t.Fatalf("lease: %v", err)
		}
		briefly, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, _, err := s.Lease(briefly, storetest.Feed); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("second lease: got %v, want DeadlineExceeded", err)
		}
		_, releaseOther, err := s.Lease(t.Context(), pricing.Feed{Market: pricing.SkinsBack, Game: pricing.CS2})
		if err != nil {
			t.Fatalf("lease of another feed: %v", err)
		}
		releaseOther()
		if led.Err() != nil {
			t.Errorf("the first lease: got %v, want it to hold", led.Err())
		}
		release()
		if led.Err() == nil {
			t.Error("a lease that was released still holds")
		}
		_, release, err = s.Lease(t.Context(), storetest.Feed)
		if err != nil {
			t.Fatalf("lease after release: %v", err)
		}
		release()
	})
}

// standby leases the feed for s and sends when it leads. The channel is closed
// after the lease was released.
func standby(t *testing.T, s *Store) <-chan time.Time {
	leads := make(chan time.Time, 1)
	go func() {
		defer close(leads)
		_, release, err := s.Lease(t.Context(), storetest.Feed)
		if err != nil {
			t.Errorf("lease of the standby: %v", err)
			return
		}
		leads <- time.Now()
		release()
	}()
	return leads
}

func TestALeaseIsKeptAsLongAsItsOwnerLives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stores, stop := processes(2)
		defer stop()
		led, release, err := stores[0].Lease(t.Context(), storetest.Feed)
		if err != nil {
			t.Fatalf("lease: %v", err)
		}
		leads := standby(t, stores[1])
		_ = sleep(t.Context(), time.Hour)
		if led.Err() != nil || len(leads) > 0 {
			t.Fatalf("after an hour: got %v, standby leads: %d", led.Err(), len(leads))
		}
		given := time.Now()
		release()
		if waited := (<-leads).Sub(given); waited > leaseRetry {
			t.Errorf("standby leads after: got %s, want at most %s", waited, leaseRetry)
		}
		<-leads
	})
}

func TestADeadLeaderIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stores, stop := processes(2)
		defer stop()
		led, release, err := stores[0].Lease(t.Context(), storetest.Feed)
		if err != nil {
			t.Fatalf("lease: %v", err)
		}
		defer release()
		leads := standby(t, stores[1])
		_ = sleep(t.Context(), 20*time.Second)
		died := time.Now()
		if err := stores[0].client.Close(); err != nil { // it hears no more of Redis
			t.Fatalf("close: %v", err)
		}
		<-led.Done()
		stopped := time.Now()
		began := <-leads
		if began.Before(stopped) {
			t.Errorf("the standby led %s before the leader stopped", stopped.Sub(began))
		}
		if waited := began.Sub(died); waited > 15*time.Second {
			t.Errorf("standby leads after: got %s, want at most 15s", waited)
		}
		<-leads
	})
}
