package redisstore

import (
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"skinarb/execution"
)

// persisting are the arguments of a server that may keep a journal.
var persisting = []string{"--appendonly", "yes", "--appendfsync", "always"}

func TestDurableSaysWhatToSet(t *testing.T) {
	s := fresh(t, realServer(t, persisting...))
	t.Cleanup(closing(t, s))
	for _, tc := range []struct {
		name string
		set  []string // setting and value in turn
		want []string // of the error; none: it is durable
	}{
		{"as it should be", nil, nil},
		{"nothing is kept", []string{"appendonly", "no"}, []string{"`appendonly yes`"}},
		{"a second is lost", []string{"appendfsync", "everysec"}, []string{"`appendfsync always`"}},
		{"both", []string{"appendonly", "no", "appendfsync", "no"}, []string{"`appendonly yes`", "`appendfsync always`"}},
		{"not while rewriting", []string{"no-appendfsync-on-rewrite", "yes"}, []string{"`no-appendfsync-on-rewrite no`"}},
		{"full, it evicts", []string{"maxmemory", "100mb", "maxmemory-policy", "allkeys-lru"}, []string{"`maxmemory-policy noeviction`"}},
		{"full, it evicts what expires", []string{"maxmemory", "100mb", "maxmemory-policy", "volatile-ttl"}, []string{"`maxmemory-policy noeviction`"}},
		{"full, it refuses", []string{"maxmemory", "100mb", "maxmemory-policy", "noeviction"}, nil},
		{"never full", []string{"maxmemory", "0", "maxmemory-policy", "allkeys-lru"}, nil},
	} {
		defaults := []string{"appendonly", "yes", "appendfsync", "always", "no-appendfsync-on-rewrite", "no", "maxmemory", "0", "maxmemory-policy", "noeviction"}
		settings := append(defaults, tc.set...)
		for i := 0; i < len(settings); i += 2 {
			if err := s.client.ConfigSet(t.Context(), settings[i], settings[i+1]).Err(); err != nil {
				t.Fatalf("set %s %s: %v", settings[i], settings[i+1], err)
			}
		}
		wantDurable(t, tc.name, s, tc.want...)
	}
}

// wantDurable wants no error, or one that says all of some texts.
func wantDurable(t *testing.T, name string, s *Store, texts ...string) {
	t.Helper()
	err := s.Journal("live").Durable(t.Context())
	if len(texts) == 0 && err != nil {
		t.Errorf("%s: got %v, want it durable", name, err)
	}
	for _, text := range texts {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: got %v, want an error that says %q", name, err, text)
		}
	}
}

func TestWhatIsNeverDurable(t *testing.T) {
	s := embedded(t)
	t.Cleanup(closing(t, s))
	wantDurable(t, "embedded", s, "embedded")

	url := realServer(t, append([]string{"--cluster-enabled", "yes"}, persisting...)...)
	node := must(Open(t.Context(), url))
	t.Cleanup(closing(t, node))
	wantDurable(t, "a node of a cluster", node, "`cluster-enabled no`")
	if err := node.client.Do(t.Context(), "CLUSTER", "ADDSLOTSRANGE", 0, 16383).Err(); err != nil {
		t.Fatalf("give the node all slots: %v", err)
	}
	cluster := must(Open(t.Context(), strings.Replace(url, "redis://", "redis+cluster://", 1)))
	t.Cleanup(closing(t, cluster))
	wantDurable(t, "a cluster", cluster, "cluster", "replica")

	master := fresh(t, realServer(t, append([]string{"--repl-diskless-sync-delay", "0"}, persisting...)...))
	t.Cleanup(closing(t, master))
	replica := replicaOf(t, master)
	for _, set := range [][2]string{{"appendonly", "yes"}, {"appendfsync", "always"}} {
		if err := replica.client.ConfigSet(t.Context(), set[0], set[1]).Err(); err != nil {
			t.Fatalf("set %v: %v", set, err)
		}
	}
	wantDurable(t, "a replica", replica, "replica")
	wantDurable(t, "its master", master)
}

func TestASentinelIsNeverDurable(t *testing.T) {
	s := must(Open(t.Context(), sentinelOf(t, realServer(t, persisting...))))
	t.Cleanup(closing(t, s))
	wantDurable(t, "a sentinel's master", s, "sentinel", "replica")
}

func TestDurableWithoutTheRightToAsk(t *testing.T) {
	url := realServer(t, persisting...)
	admin := fresh(t, url)
	t.Cleanup(closing(t, admin))
	if err := admin.client.Do(t.Context(), "ACL", "SETUSER", "trader", "on", ">pass", "~*", "&*", "+@all", "-config").Err(); err != nil {
		t.Fatalf("make a user: %v", err)
	}
	s := must(Open(t.Context(), strings.Replace(url, "redis://", "redis://trader:pass@", 1)))
	t.Cleanup(closing(t, s))
	wantDurable(t, "a user who may not ask", s, "does not let us see", "+config|get")
	if err := admin.client.Do(t.Context(), "ACL", "SETUSER", "trader", "+config|get").Err(); err != nil {
		t.Fatalf("allow it: %v", err)
	}
	wantDurable(t, "the same user, allowed to", s)
}

// start starts a server that is killed when the test ends.
func start(t *testing.T, server *exec.Cmd, addr string) {
	t.Helper()
	if err := server.Start(); err != nil {
		t.Fatalf("start a server: %v", err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait() // it was killed
	})
	awaitServer(t, addr)
}

// A server that calls itself durable is killed after every write that it
// answered, and has it.
func TestADurableServerKeepsWhatItAnswered(t *testing.T) {
	if testing.Short() {
		t.Skip("a real redis-server is not started with -short")
	}
	addr, dir := freeAddress(t), t.TempDir()
	_, port, _ := net.SplitHostPort(addr)
	server := func() *exec.Cmd {
		return exec.Command("redis-server", append([]string{"--bind", "127.0.0.1", "--port", port, "--dir", dir, "--save", ""}, persisting...)...)
	}
	running := server()
	start(t, running, addr)
	s := must(Open(t.Context(), "redis://"+addr))
	t.Cleanup(closing(t, s))
	wantDurable(t, "the server", s)
	j := leader(t, s)
	if err := j.SetTrading(t.Context(), execution.Trading{By: "operator", At: began}); err != nil {
		t.Fatalf("set trading: %v", err)
	}
	for n := range 3 {
		o := mustReserve(t, j, wish(n))
		if _, err := j.Advance(t.Context(), first(to(o, execution.Sent)), execution.Step{}); err != nil {
			t.Fatalf("advance: %v", err)
		}
		before := read(t, j)
		if err := running.Process.Kill(); err != nil {
			t.Fatalf("kill: %v", err)
		}
		_ = running.Wait() // it was killed
		running = server()
		start(t, running, addr)
		for end := time.Now().Add(10 * time.Second); s.client.Ping(t.Context()).Err() != nil; { // it loads
			if time.Now().After(end) {
				t.Fatal("the server does not come back")
			}
			_ = sleep(t.Context(), 20*time.Millisecond)
		}
		wantContents(t, j, before)
		if err := j.Leading(); err != nil {
			t.Errorf("leading: %v", err)
		}
	}
	checkSums(t, j, began)
}
