package redisstore

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"skinarb/fetch"
	"skinarb/internal/freeport"
	"skinarb/internal/storetest"
	"skinarb/pricing"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// embedded opens an embedded store without files.
func embedded(t rapid.TB) *Store {
	t.Helper()
	s, err := OpenEmbedded("")
	if err != nil {
		t.Fatalf("open an embedded store: %v", err)
	}
	return s
}

// realServer starts a redis-server on a free loopback port and gives its URL.
func realServer(t *testing.T, args ...string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("a real redis-server is not started with -short")
	}
	path, err := exec.LookPath("redis-server")
	if err != nil {
		t.Fatalf("these tests need redis-server in PATH (Debian: apt-get install redis-server; macOS: brew install redis), or -short: %v", err)
	}
	addr := freeAddress(t)
	_, port, _ := net.SplitHostPort(addr)
	dir, err := os.MkdirTemp("", "redisstore")
	if err != nil {
		t.Fatalf("make a directory: %v", err)
	}
	server := exec.Command(path, append([]string{"--bind", "127.0.0.1", "--port", port, "--dir", dir,
		"--save", "", "--appendonly", "no"}, args...)...)
	if err := server.Start(); err != nil {
		t.Fatalf("start redis-server: %v", err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait() // it was killed
		_ = os.RemoveAll(dir)
	})
	awaitServer(t, addr)
	return "redis://" + addr
}

// freeAddress gives an address that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	port, err := freeport.Pick()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("127.0.0.1:%d", port)
}

// awaitServer returns when addr takes connections.
func awaitServer(t *testing.T, addr string) {
	t.Helper()
	awaitSuccess(t, "no redis-server answers", func() error {
		conn, err := net.DialTimeout("tcp", addr, time.Second)
		if err == nil {
			_ = conn.Close()
		}
		return err
	})
}

// awaitSuccess returns when what it asks for succeeds, which must be within a minute.
func awaitSuccess(t *testing.T, otherwise string, succeeds func() error) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; {
		err := succeeds()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s: %v", otherwise, err)
		}
		_ = sleep(t.Context(), 20*time.Millisecond)
	}
}

// realCluster starts a cluster of one node, which refuses commands on keys of
// several slots as a larger one does.
func realCluster(t *testing.T) string {
	t.Helper()
	url := realServer(t, "--cluster-enabled", "yes")
	node := fresh(t, url)
	defer closing(t, node)()
	if err := node.client.Do(t.Context(), "CLUSTER", "ADDSLOTSRANGE", 0, 16383).Err(); err != nil {
		t.Fatalf("give the node all slots: %v", err)
	}
	awaitSuccess(t, "the cluster is not ready", func() error {
		info, err := node.client.ClusterInfo(t.Context()).Result()
		if err == nil && !strings.Contains(info, "cluster_state:ok") {
			err = errors.New(info)
		}
		return err
	})
	return strings.Replace(url, "redis://", "redis+cluster://", 1)
}

// fresh connects to a real server and empties it.
func fresh(t rapid.TB, url string) *Store {
	t.Helper()
	s, err := Open(context.Background(), url)
	if err != nil {
		t.Fatalf("open %s: %v", url, err)
	}
	if err := s.client.FlushAll(context.Background()).Err(); err != nil {
		t.Fatalf("empty %s: %v", url, err)
	}
	return s
}

func closing(t rapid.TB, s *Store) func() {
	return func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
}

// servers runs a test on the embedded stand-in, on a real server and on a real
// cluster.
func servers(t *testing.T, test func(t *testing.T, open func(t rapid.TB) *Store)) {
	t.Run("embedded", func(t *testing.T) { test(t, embedded) })
	t.Run("redis-server", func(t *testing.T) {
		url := realServer(t)
		test(t, func(t rapid.TB) *Store { return fresh(t, url) })
	})
	t.Run("cluster", func(t *testing.T) {
		url := realCluster(t)
		test(t, func(t rapid.TB) *Store { return fresh(t, url) })
	})
}

func TestStore(t *testing.T) {
	servers(t, func(t *testing.T, open func(rapid.TB) *Store) {
		storetest.RunStore(t, func(t rapid.TB) (fetch.Store, func()) {
			s := open(t)
			return s, closing(t, s)
		})
	})
}

func TestStoreWithFiles(t *testing.T) {
	storetest.RunStore(t, func(t rapid.TB) (fetch.Store, func()) {
		dir, err := os.MkdirTemp("", "redisstore")
		if err != nil {
			t.Fatalf("make a directory: %v", err)
		}
		s, err := OpenEmbedded(dir)
		if err != nil {
			t.Fatalf("open an embedded store in %s: %v", dir, err)
		}
		return s, func() {
			closing(t, s)()
			_ = os.RemoveAll(dir)
		}
	})
}

func TestBudget(t *testing.T) {
	servers(t, func(t *testing.T, open func(rapid.TB) *Store) {
		storetest.RunBudget(t, func(t *testing.T) (a, b fetch.Budget) {
			s := open(t)
			t.Cleanup(closing(t, s))
			return s.Budget(pricing.SIH, 5), s.Budget(pricing.SIH, 5)
		})
	})
}

func TestFollower(t *testing.T) {
	followed := func(open func(rapid.TB) *Store) storetest.OpenFollowed {
		return func(t rapid.TB) (fetch.Store, func() storetest.Follower, func()) {
			s := open(t)
			follow := func() storetest.Follower { return NewReplica(s, []pricing.Feed{storetest.Feed}, nil) }
			return s, follow, closing(t, s)
		}
	}
	servers(t, func(t *testing.T, open func(rapid.TB) *Store) {
		t.Run("calm", func(t *testing.T) { storetest.RunFollower(t, followed(open), nil) })
		t.Run("streams are cut", func(t *testing.T) {
			storetest.RunFollower(t, followed(open), func(t *rapid.T, s fetch.Store) { cutStream(t, s.(*Store)) })
		})
	})
}

// cutStream does to the stream what only another user of the server would.
func cutStream(t *rapid.T, s *Store) {
	ctx, changes := context.Background(), keysOf(storetest.Feed).changes
	var err error
	switch rapid.IntRange(0, 2).Draw(t, "trouble") {
	case 1:
		err = s.client.XTrimMaxLen(ctx, changes, 1).Err()
	case 2:
		err = s.client.Del(ctx, changes).Err()
	}
	if err != nil {
		t.Fatalf("cut the stream: %v", err)
	}
}

func TestPublishIsRefusedWhenItDoesNotFitItself(t *testing.T) {
	s := embedded(t)
	t.Cleanup(closing(t, s))
	c, ch := storetest.Follow(pricing.Catalog{}, nil)
	for name, bad := range map[string]struct {
		c  pricing.Catalog
		ch pricing.Change
	}{
		"another version": {pricing.Catalog{Feed: c.Feed, Version: 9}, ch},
		"another feed":    {pricing.Catalog{Version: c.Version}, ch},
		"backwards":       {c, pricing.Change{Feed: c.Feed, From: c.Version, To: c.Version}},
		"another game's item": {
			pricing.Catalog{Feed: c.Feed, Version: 1, Listings: []pricing.Listing{{Item: pricing.Item{Game: pricing.Rust}}}}, ch,
		},
	} {
		if err := s.Publish(t.Context(), bad.c, bad.ch); err == nil || errors.Is(err, fetch.ErrSuperseded) {
			t.Errorf("publish, %s: got %v, want a refusal", name, err)
		}
	}
	if _, err := s.Catalog(t.Context(), c.Feed); !errors.Is(err, fetch.ErrNoCatalog) {
		t.Errorf("after refusals: got %v, want ErrNoCatalog", err)
	}
}
