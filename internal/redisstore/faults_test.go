package redisstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"skinarb/fetch"
	"skinarb/internal/storetest"
	"skinarb/pricing"
)

// deafConn loses what the server answers while *deaf is above zero, once for
// each: the command was carried out, and the caller never hears of it.
type deafConn struct {
	net.Conn
	deaf *atomic.Int32
	cut  bool
}

func (c *deafConn) Read(b []byte) (int, error) {
	if c.cut {
		return 0, io.EOF
	}
	n, err := c.Conn.Read(b)
	if err == nil && c.deaf.Add(-1) >= 0 {
		c.cut = true
		return 0, io.EOF
	}
	return n, err
}

// lossy gives a store that loses as many replies as the counter says.
func lossy(t *testing.T) (*Store, *atomic.Int32) {
	t.Helper()
	server := miniredis.NewMiniRedis()
	server.ClockTTL(true)
	deaf := new(atomic.Int32)
	o := options().Simple()
	o.Dialer = func(context.Context, string, string) (net.Conn, error) {
		conn, err := server.Dial()
		return &deafConn{Conn: conn, deaf: deaf}, err
	}
	s := newStore(func() redis.UniversalClient { return redis.NewClient(o) })
	t.Cleanup(func() {
		closing(t, s)()
		server.Close()
	})
	return s, deaf
}

// TestChangesThatAreLost, because Redis made room or somebody deleted them: whoever
// fetches finds the snapshot and publishes, and all readers get there.
func TestChangesThatAreLost(t *testing.T) {
	k := keysOf(storetest.Feed)
	for name, lose := range map[string]func(ctx context.Context, c redis.Cmdable) error{
		"all":  func(ctx context.Context, c redis.Cmdable) error { return c.Del(ctx, k.changes).Err() },
		"some": func(ctx context.Context, c redis.Cmdable) error { return c.XTrimMaxLen(ctx, k.changes, 1).Err() },
	} {
		servers(t, func(t *testing.T, open func(t rapid.TB) *Store) {
			t.Run(name, func(t *testing.T) {
				ctx, s := t.Context(), open(t)
				t.Cleanup(closing(t, s))
				follow := func() *storetest.Running {
					r := storetest.Start(t, NewReplica(s, []pricing.Feed{storetest.Feed}, nil))
					t.Cleanup(r.Stop)
					return r
				}
				early := follow()
				ls := make([]pricing.Listing, 500) // so many that a change needs no snapshot
				for i := range ls {
					ls[i] = pricing.Listing{Item: pricing.Item{Game: pricing.CS2, Name: rand.Text()}, Ask: 1}
				}
				first, ch := storetest.Follow(pricing.Catalog{}, ls)
				last := first
				for n := range 3 {
					if n > 0 {
						last, ch = storetest.Follow(last, ls[n:])
					}
					if err := s.Publish(ctx, last, ch); err != nil {
						t.Fatalf("publish: %v", err)
					}
				}
				early.WantCatalog(t, last)
				if err := lose(ctx, s.client); err != nil {
					t.Fatalf("lose changes: %v", err)
				}

				if c, err := s.catalog(ctx, storetest.Feed, false); err == nil {
					t.Errorf("a reader: got version %d, want an error", c.Version)
				}
				if now, err := s.versions(ctx, []pricing.Feed{storetest.Feed}); err != nil || now[0] != last.Version {
					t.Errorf("after a reader: got version %d, %v, want still %d", now, err, last.Version)
				}
				late := follow()
				back, err := s.Catalog(ctx, storetest.Feed)
				if diff := cmp.Diff(storetest.Sorted(first), storetest.Sorted(back)); err != nil || diff != "" {
					t.Fatalf("who fetches: got %v, want the snapshot (-want +got):\n%s", err, diff)
				}
				next := pricing.Catalog{Feed: storetest.Feed, Version: last.Version + 1, ObservedAt: last.ObservedAt, Listings: ls[100:]}
				if err := s.Publish(ctx, next, fetch.Diff(back, next)); err != nil {
					t.Fatalf("publish again: %v", err)
				}
				early.WantCatalog(t, next)
				late.WantCatalog(t, next)
			})
		})
	}
}

func TestALostReplyIsNoSecondTime(t *testing.T) {
	ctx := t.Context()
	s, deaf := lossy(t)
	// The first call of a script makes it known to the server. After that, the
	// reply that is lost is that of the one command that acts.
	lose := func() { deaf.Store(1) }
	lost := func(what string) {
		t.Helper()
		if deaf.Load() > 0 {
			t.Errorf("%s: no reply was lost", what)
		}
	}

	ls := make([]pricing.Listing, 500) // so many that a change needs no snapshot
	for i := range ls {
		ls[i] = pricing.Listing{Item: pricing.Item{Game: pricing.CS2, Name: rand.Text()}, Ask: 1}
	}
	c, ch := storetest.Follow(pricing.Catalog{}, ls)
	if err := s.Publish(ctx, c, ch); err != nil {
		t.Fatalf("publish: %v", err)
	}
	c, ch = storetest.Follow(c, ls[1:])
	lose()
	if err := s.Publish(ctx, c, ch); err != nil {
		t.Errorf("publish with a lost reply: %v", err)
	}
	lost("publish")
	if entries, err := s.client.XLen(ctx, keysOf(c.Feed).changes).Result(); err != nil || entries != 2 {
		t.Errorf("stream after two publications: got %d entries, %v, want 2", entries, err)
	}

	b := s.Budget(pricing.SIH, 2) // the second permit is the last
	if err := b.Take(ctx, fetch.ForPurchase); err != nil {
		t.Fatalf("take: %v", err)
	}
	lose()
	briefly, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := b.Take(briefly, fetch.ForPurchase); err != nil {
		t.Errorf("take with a lost reply: %v", err)
	}
	lost("take")
	window, _ := budgetKeys(pricing.SIH)
	if n, err := s.client.ZCard(ctx, window).Result(); err != nil || n != 2 {
		t.Errorf("permits after two takes: got %d, %v, want 2", n, err)
	}

	if _, err := s.TakeRelease(ctx, c.Feed); err != nil {
		t.Fatalf("take release: %v", err)
	}
	if err := s.Release(ctx, c.Feed); err != nil {
		t.Fatalf("release: %v", err)
	}
	lose()
	if took, err := s.TakeRelease(ctx, c.Feed); err != nil || !took {
		t.Errorf("take release with a lost reply: got %v, %v, want true", took, err)
	}
	lost("take release")
	if took, err := s.TakeRelease(ctx, c.Feed); err != nil || took {
		t.Errorf("take release again: got %v, %v, want false", took, err)
	}
}

func TestFollowersSurviveCutConnections(t *testing.T) {
	url := realServer(t)
	storetest.RunFollower(t, func(t rapid.TB) (fetch.Store, func() storetest.Follower, func()) {
		s := fresh(t, url)
		return s, func() storetest.Follower { return NewReplica(s, []pricing.Feed{storetest.Feed}, nil) }, closing(t, s)
	}, func(t *rapid.T, s fetch.Store) {
		if !rapid.Bool().Draw(t, "cut") {
			return
		}
		if err := s.(*Store).client.Do(context.Background(), "CLIENT", "KILL", "TYPE", "normal").Err(); err != nil {
			t.Fatalf("cut all connections: %v", err)
		}
	})
}

func TestFollowersSurviveAServerThatForgetsEverything(t *testing.T) {
	url := realServer(t)
	addr := strings.TrimPrefix(url, "redis://")
	s := fresh(t, url)
	t.Cleanup(closing(t, s))
	replica := storetest.Start(t, NewReplica(s, []pricing.Feed{storetest.Feed}, nil))
	defer replica.Stop()
	publish := func(version uint64) pricing.Catalog {
		t.Helper()
		c := pricing.Catalog{Feed: storetest.Feed, Version: version, Listings: []pricing.Listing{{Item: pricing.Item{Game: pricing.CS2, Name: "x"}, Ask: pricing.Money(version)}}}
		if err := s.Publish(t.Context(), c, fetch.Diff(pricing.Catalog{}, c)); err != nil {
			t.Fatalf("publish version %d: %v", version, err)
		}
		return c
	}
	before := publish(1000)
	replica.WantCatalog(t, before)

	// NOSAVE loses all; the next server is another process at the same address.
	_ = s.client.ShutdownNoSave(t.Context()) // the connection ends without an answer
	if _, err := s.Catalog(t.Context(), storetest.Feed); err == nil || errors.Is(err, fetch.ErrNoCatalog) {
		t.Errorf("catalog without a server: got %v, want that it cannot be reached", err)
	}
	replica.WantCatalog(t, before)
	_, port, _ := net.SplitHostPort(addr)
	server := exec.Command("redis-server", "--bind", "127.0.0.1", "--port", port, "--save", "", "--dir", t.TempDir())
	if err := server.Start(); err != nil {
		t.Fatalf("start the server again: %v", err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait() // it was killed
	})
	awaitServer(t, addr)
	replica.WantCatalog(t, before) // nothing is published: what we have stays
	for _, version := range []uint64{2000, 5} {
		if err := s.client.FlushAll(t.Context()).Err(); err != nil {
			t.Fatalf("flush: %v", err)
		}
		replica.WantCatalog(t, publish(version))
	}
}

func TestReadyMeansLoadedOrKnownToBeAbsent(t *testing.T) {
	s := embedded(t)
	t.Cleanup(closing(t, s))
	empty := pricing.Feed{Market: pricing.SkinsBack, Game: pricing.CS2}
	status := pricing.FeedStatus{Feed: empty, State: pricing.Down}
	if err := s.SetStatus(t.Context(), status); err != nil {
		t.Fatalf("set status: %v", err)
	}
	r := NewReplica(s, []pricing.Feed{storetest.Feed, empty}, nil)
	if r.Ready() || r.Book().Len() != 0 || len(r.Statuses()) != 0 {
		t.Errorf("before it runs: got ready %v, %d items, %d statuses", r.Ready(), r.Book().Len(), len(r.Statuses()))
	}
	c, ch := storetest.Follow(pricing.Catalog{}, nil)
	if err := s.Publish(t.Context(), c, ch); err != nil {
		t.Fatalf("publish: %v", err)
	}
	running := storetest.Start(t, r)
	defer running.Stop()
	running.WantCatalog(t, c)
	for end := time.Now().Add(10 * time.Second); !r.Ready() || len(r.Statuses()) == 0; {
		if time.Now().After(end) {
			t.Fatalf("after 10 s: got ready %v, %d statuses", r.Ready(), len(r.Statuses()))
		}
		_ = sleep(t.Context(), time.Millisecond)
	}
	if got := r.Statuses()[0]; got != status {
		t.Errorf("status: got %+v, want %+v", got, status)
	}
}

// sentinelOf starts a sentinel that watches a real server, and gives the URL by
// which that one is found. One that is gone for half a second is replaced.
func sentinelOf(t *testing.T, url string) string {
	t.Helper()
	host, port, _ := net.SplitHostPort(strings.TrimPrefix(url, "redis://"))
	file := filepath.Join(t.TempDir(), "sentinel.conf")
	if err := os.WriteFile(file, fmt.Appendf(nil, `sentinel monitor main %s %s 1
sentinel down-after-milliseconds main 500
sentinel failover-timeout main 2000
`, host, port), 0o600); err != nil {
		t.Fatalf("write the sentinel's configuration: %v", err)
	}
	addr := freeAddress(t)
	_, port, _ = net.SplitHostPort(addr)
	start(t, exec.Command("redis-server", file, "--sentinel", "--bind", "127.0.0.1", "--port", port), addr)
	return "redis+sentinel://" + addr + "/main"
}

// TestAReplicaTakesOver ends a master while a store goes on by way of a sentinel.
func TestAReplicaTakesOver(t *testing.T) {
	ctx := t.Context()
	url := realServer(t)
	master := fresh(t, url)
	t.Cleanup(closing(t, master))
	replicaOf(t, master)
	watched := sentinelOf(t, url)
	sentinel := redis.NewSentinelClient(&redis.Options{Addr: strings.TrimSuffix(strings.TrimPrefix(watched, "redis+sentinel://"), "/main")})
	defer sentinel.Close()
	awaitSuccess(t, "the sentinel does not know the replica", func() error {
		known, err := sentinel.Replicas(ctx, "main").Result()
		if err == nil && len(known) == 0 {
			err = errors.New("it knows none")
		}
		return err
	})
	s := must(Open(ctx, watched))
	t.Cleanup(closing(t, s))
	ls := []pricing.Listing{{Item: pricing.Item{Game: pricing.CS2, Name: "Kilowatt Case"}, Ask: pricing.Dollar}}
	before, ch := storetest.Follow(pricing.Catalog{}, ls)
	if err := s.Publish(ctx, before, ch); err != nil {
		t.Fatalf("publish: %v", err)
	}
	if n, err := master.client.Do(ctx, "WAIT", 1, 20_000).Int(); err != nil || n != 1 {
		t.Fatalf("wait for the replica: %d, %v", n, err)
	}
	_ = master.client.Do(ctx, "SHUTDOWN", "NOSAVE").Err() // it ends instead of answering

	ls[0].Ask++
	after, ch := storetest.Follow(before, ls)
	awaitSuccess(t, "no replica takes over", func() error {
		err := s.Publish(ctx, after, ch)
		if errors.Is(err, fetch.ErrSuperseded) { // by ourselves, if an answer was lost
			err = nil
		}
		return err
	})
	got, err := s.Catalog(ctx, after.Feed)
	if diff := cmp.Diff(after, got); err != nil || diff != "" {
		t.Errorf("what the new master has: %v (-want +got):\n%s", err, diff)
	}
}
