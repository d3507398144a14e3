package sih

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"skinarb/fetch"
	"skinarb/internal/marketsim"
	"skinarb/pricing"
)

const (
	testKey   = "test-key-0123456789"
	testToken = "SSH18JS"
	testSteam = "76561198000000000"
)

// client makes a client of a server, quick to try again.
func client(t testing.TB, url string, change func(*Config)) *Client {
	t.Helper()
	cfg := Config{URL: url, APIKey: testKey, Recipient: Recipient{SteamID: testSteam, Token: testToken}}
	if change != nil {
		change(&cfg)
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatalf("New(%s): %v", url, err)
	}
	c.firstWait = time.Millisecond
	t.Cleanup(c.reads.CloseIdleConnections)
	return c
}

// served makes a client of a handler.
func served(t testing.TB, h http.HandlerFunc) *Client {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return client(t, s.URL, nil)
}

// answering makes a client of a server that always gives the same answer.
func answering(t testing.TB, status int, body string) *Client {
	t.Helper()
	return served(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		io.WriteString(w, body)
	})
}

// decoding makes a client that needs no server, for its decoders.
func decoding(t testing.TB) *Client { return client(t, "http://127.0.0.1:1", nil) }

// received is an answer as if it had come over HTTP.
func received(t testing.TB, c *Client, status int, body io.Reader) *answer {
	t.Helper()
	a, err := open(&http.Response{StatusCode: status, Body: io.NopCloser(body)}, maxAnswer, c.keep(), time.Time{})
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return a
}

func sample(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// samples gives the bodies whose file names match a pattern, for fuzzing.
func samples(f *testing.F, pattern string) {
	f.Helper()
	names, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(names) == 0 {
		f.Fatalf("no samples match %s (%v)", pattern, err)
	}
	for _, name := range names {
		f.Add(sample(f, filepath.Base(name)))
	}
	for _, odd := range []string{"", "null", "{}", "[]", `{"success":true`, `{"success":false,"error":["x"]}`, "<html>", strings.Repeat("[", 20000)} {
		f.Add(odd)
	}
}

// simulated makes a client of a simulated market with one item at a pinned ask
// of 12.345 and three units of it.
func simulated(t *testing.T, world marketsim.Config, change func(*Config)) (*marketsim.World, *Client) {
	t.Helper()
	world.APIKey = testKey
	if world.Catalog == nil {
		world.Catalog = map[string]int64{redline: 19_000_000, rubyKnife: 1_500_000_000}
	}
	w, err := marketsim.New(world)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.SetAsk(marketsim.SIH, redline, 12_345_000), w.SetCount(marketsim.SIH, redline, 3)); err != nil {
		t.Fatal(err)
	}
	s, err := marketsim.Serve(w, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return w, client(t, s.SIHURL, change)
}

const (
	redline   = "AK-47 | Redline (Field-Tested)"
	rubyKnife = "★ Karambit | Doppler Ruby (Factory New)"
)

// budget counts permits and pauses.
type budget struct {
	mu     sync.Mutex
	taken  map[fetch.Class]int
	pauses []time.Duration
	refuse error
}

func (b *budget) Take(_ context.Context, c fetch.Class) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refuse != nil {
		return b.refuse
	}
	if b.taken == nil {
		b.taken = map[fetch.Class]int{}
	}
	b.taken[c]++
	return nil
}

func (b *budget) Pause(_ context.Context, d time.Duration) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pauses = append(b.pauses, d)
	return nil
}

func (b *budget) counts() (map[fetch.Class]int, []time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.taken), append([]time.Duration(nil), b.pauses...)
}

// money reads an amount that is certainly one.
func money(s string) pricing.Money {
	m, err := pricing.ParseMoney(s)
	if err != nil {
		panic(err)
	}
	return m
}

func cs2(name string) pricing.Item { return pricing.Item{Game: pricing.CS2, Name: name} }
