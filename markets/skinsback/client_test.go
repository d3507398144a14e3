package skinsback

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"skinarb/fetch"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const testSecret = "k/9+s3cret\"x"

var testNow = time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)

// newClient makes a client with short waits that talks to an address.
func newClient(t *testing.T, address string, change ...func(*Config)) *Client {
	t.Helper()
	cfg := Config{
		URL: address, ClientID: testID, ClientSecret: testSecret,
		Recipient: Recipient{Partner: "100000001", Token: "AbCdEf12"},
		Timeout:   5 * time.Second, ListTimeout: 5 * time.Second,
		Now: func() time.Time { return testNow },
	}
	for _, f := range change {
		f(&cfg)
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	c.retryAfter = time.Millisecond
	t.Cleanup(c.Close)
	return c
}

// serve makes a client of a server that does what handler does.
func serve(t *testing.T, handler http.HandlerFunc, change ...func(*Config)) *Client {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return newClient(t, s.URL+"/api.php", change...)
}

// answering makes a client of a server that answers everything with a body.
func answering(t *testing.T, status int, body string) *Client {
	t.Helper()
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		io.WriteString(w, body)
	})
}

func sample(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// samples gives the names of the files that fit a pattern, at least one.
func samples(t testing.TB, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no samples %s: %v", pattern, err)
	}
	for i := range paths {
		paths[i] = filepath.Base(paths[i])
	}
	return paths
}

// budget grants everything and remembers what was asked.
type budget struct {
	mu     sync.Mutex
	taken  []fetch.Class
	pauses []time.Duration
	refuse error
}

func (b *budget) Take(ctx context.Context, c fetch.Class) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.taken = append(b.taken, c)
	return b.refuse
}

func (b *budget) Pause(ctx context.Context, d time.Duration) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pauses = append(b.pauses, d)
	return nil
}

func with(b *budget) func(*Config) { return func(c *Config) { c.Budget = b } }

func TestNewNamesEveryMistake(t *testing.T) {
	_, err := New(Config{URL: "ftp://x", ClientID: "", ClientSecret: "hush\nhush", Auth: "basic", Timeout: -1})
	if err == nil {
		t.Fatal("got no error")
	}
	for _, setting := range []string{"URL", "ClientID", "ClientSecret", "Auth", "Timeout"} {
		if !strings.Contains(err.Error(), setting) {
			t.Errorf("%q does not name %s", err, setting)
		}
	}
	if strings.Contains(err.Error(), "hush") {
		t.Errorf("%q shows the secret", err)
	}
}

func TestDefaults(t *testing.T) {
	c, err := New(Config{ClientID: "id", ClientSecret: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	got, want := c.cfg, Config{
		URL: "https://skinsback.com/api.php", Auth: AuthHeaders,
		Timeout: 30 * time.Second, ListTimeout: 5 * time.Minute, MaxListBody: 512 << 20, MaxBody: 4 << 20,
	}
	if got.URL != want.URL || got.Auth != want.Auth || got.Timeout != want.Timeout || got.ListTimeout != want.ListTimeout ||
		got.MaxListBody != want.MaxListBody || got.MaxBody != want.MaxBody {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
