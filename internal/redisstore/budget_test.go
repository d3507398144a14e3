package redisstore

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"skinarb/fetch"
	"skinarb/pricing"
)

// processes gives n stores on one embedded server, as n processes would have
// them, and what closes all.
func processes(n int) (stores []*Store, stop func()) {
	server := miniredis.NewMiniRedis()
	server.ClockTTL(true)
	o := options().Simple()
	o.Dialer = func(context.Context, string, string) (net.Conn, error) { return server.Dial() }
	for range n {
		stores = append(stores, newStore(func() redis.UniversalClient { return redis.NewClient(o) }))
	}
	return stores, func() {
		for _, s := range stores {
			_ = s.Close() // a test may have closed it
		}
		server.Close()
	}
}

// permit is one that was granted.
type permit struct {
	at    time.Time
	class fetch.Class
}

// request is one Take of a process, some time after its last was granted.
type request struct {
	After time.Duration
	Class fetch.Class
}

// TestClockSetBack: what was granted before counts for a whole window, and no longer.
func TestClockSetBack(t *testing.T) {
	server := miniredis.NewMiniRedis()
	server.ClockTTL(true)
	defer server.Close()
	o := options().Simple()
	o.Dialer = func(context.Context, string, string) (net.Conn, error) { return server.Dial() }
	s := newStore(func() redis.UniversalClient { return redis.NewClient(o) })
	defer s.Close()
	b := s.Budget(pricing.SIH, 5).(*budget)
	try := func(at time.Time, token string) time.Duration {
		t.Helper()
		server.SetTime(at)
		wait, err := b.try(t.Context(), fetch.ForPurchase, token)
		if err != nil {
			t.Fatal(err)
		}
		return wait
	}
	now := time.Now().Truncate(time.Millisecond)
	for n := range 5 { // all of a minute
		if wait := try(now, fmt.Sprint(n)); wait != 0 {
			t.Fatalf("permit %d: got a wait of %s, want none", n, wait)
		}
	}
	back := now.Add(-time.Hour)
	for _, tc := range []struct{ after, want time.Duration }{{0, window}, {time.Minute, window - time.Minute}, {window, 0}} {
		if wait := try(back.Add(tc.after), "late"); wait != tc.want {
			t.Errorf("%s after the clock was set back: got a wait of %s, want %s", tc.after, wait, tc.want)
		}
	}
}

func TestTheBudgetIsNeverExceeded(t *testing.T) {
	requests := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) request {
		return request{
			time.Duration(rapid.IntRange(0, 3000).Draw(t, "after ms")) * time.Millisecond,
			fetch.Class(rapid.IntRange(int(fetch.ForPurchase), int(fetch.ForCatalog)).Draw(t, "class")),
		}
	}), 1, 30)
	rapid.Check(t, func(rt *rapid.T) {
		perMinute := rapid.IntRange(1, 80).Draw(rt, "per minute")
		wanted := rapid.SliceOfN(requests, 3, 3).Draw(rt, "requests")
		var granted []permit
		synctest.Test(t, func(t *testing.T) { granted = takeAll(t, perMinute, wanted) })
		checkPermits(rt, granted, perMinute)
	})
}

// takeAll lets one process for each list take its permits, and gives all of
// them in the order of time.
func takeAll(t *testing.T, perMinute int, wanted [][]request) []permit {
	stores, stop := processes(len(wanted))
	defer stop()
	var mu sync.Mutex
	var granted []permit
	var running sync.WaitGroup
	for i, s := range stores {
		running.Go(func() {
			b := s.Budget(pricing.SIH, perMinute)
			for _, r := range wanted[i] {
				_ = sleep(t.Context(), r.After)
				if err := b.Take(t.Context(), r.Class); err != nil {
					t.Errorf("take: %v", err)
					return
				}
				mu.Lock()
				granted = append(granted, permit{time.Now(), r.Class})
				mu.Unlock()
			}
		})
	}
	running.Wait()
	slices.SortStableFunc(granted, func(a, b permit) int { return a.at.Compare(b.at) })
	return granted
}

// checkPermits looks back from every permit. That covers every window: one that
// holds too many ends with one of them.
func checkPermits(t *rapid.T, granted []permit, perMinute int) {
	for i, p := range granted {
		within := func(d time.Duration) (n int) {
			for _, earlier := range granted[:i+1] {
				if p.at.Sub(earlier.at) < d {
					n++
				}
			}
			return n
		}
		if n := within(time.Minute); n > perMinute {
			t.Fatalf("permit %d: got %d in a minute, want at most %d", i, n, perMinute)
		}
		if n, burst := within(time.Second), max(5, perMinute/10); n > burst {
			t.Fatalf("permit %d: got %d in a second, want at most %d", i, n, burst)
		}
		// Permits of the same instant have no order among themselves: the
		// strictest class of the instant need not have been last.
		before := 0
		for _, earlier := range granted[:i] {
			if earlier.at.Before(p.at) && p.at.Sub(earlier.at) < time.Minute {
				before++
			}
		}
		if limit := max(1, perMinute*share[p.class]/100); before >= limit {
			t.Fatalf("permit %d of class %d: got %d before it, want fewer than %d", i, p.class, before, limit)
		}
	}
}

func TestTakeWaitsForTheWindowAndForThePause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stores, stop := processes(1)
		defer stop()
		b := stores[0].Budget(pricing.SIH, 1)
		began := time.Now()
		take := func(want time.Duration) {
			t.Helper()
			if err := b.Take(t.Context(), fetch.ForPurchase); err != nil {
				t.Errorf("take: %v", err)
			}
			if got := time.Since(began); got < want || got > want+50*time.Millisecond {
				t.Errorf("granted after: got %s, want %s", got, want)
			}
		}
		take(0)
		take(window)
		if err := b.Pause(t.Context(), 5*time.Minute); err != nil {
			t.Fatalf("pause: %v", err)
		}
		if err := b.Pause(t.Context(), time.Second); err != nil {
			t.Fatalf("pause: %v", err)
		}
		take(window + 5*time.Minute)
	})
}

func TestMarketsHaveBudgetsOfTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stores, stop := processes(1)
		defer stop()
		if err := stores[0].Budget(pricing.SIH, 1).Pause(t.Context(), time.Hour); err != nil {
			t.Fatalf("pause: %v", err)
		}
		began := time.Now()
		if err := stores[0].Budget(pricing.SkinsBack, 1).Take(t.Context(), fetch.ForCatalog); err != nil || time.Since(began) > time.Second {
			t.Errorf("take of another market: got %v after %s", err, time.Since(began))
		}
	})
}

func TestWithoutRedisThereIsNoPermit(t *testing.T) {
	s := embedded(t)
	closing(t, s)()
	if err := s.Budget(pricing.SIH, 100).Take(t.Context(), fetch.ForPurchase); err == nil {
		t.Error("take without redis: got a permit")
	}
}
