package main

import (
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"
)

// Tickers are as many and as long as asked for, unless they must be longer.
func TestTickersHaveTheirSize(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		items := rapid.IntRange(1, 300).Draw(t, "items")
		each := rapid.IntRange(10, 900).Draw(t, "bytes of each")
		body := tickers(items, items*each)
		var answer struct {
			Data struct {
				Ticker []map[string]string `json:"ticker"`
			} `json:"data"`
		}
		if err := json.Unmarshal(body, &answer); err != nil {
			t.Fatalf("%v: %.300s", err, body)
		}
		if got := len(answer.Data.Ticker); got != items {
			t.Fatalf("got %d tickers, want %d", got, items)
		}
		symbols := map[string]bool{}
		for _, ticker := range answer.Data.Ticker {
			symbols[ticker["symbol"]] = true
			for _, field := range []string{"symbol", "buy", "sell", "last"} {
				if ticker[field] == "" {
					t.Fatalf("got no %s in %v", field, ticker)
				}
			}
		}
		if len(symbols) != items {
			t.Fatalf("got %d symbols, want %d", len(symbols), items)
		}
		if each >= 150 { // enough for the envelope, and what is left of a field
			if off := len(body) - items*each; off > 16 || off < -16 {
				t.Fatalf("got %d bytes, want %d", len(body), items*each)
			}
		}
	})
}

// ccxt, where an earlier run of the bench has installed it.
func TestCcxtReadsEveryTicker(t *testing.T) {
	s := testSession(t, "--items", "10")
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skip(err)
	}
	if there, _ := filepath.Glob(filepath.Join(cache, "skinarb-bench", "ccxt-*", "node_modules", "ccxt")); len(there) == 0 {
		t.Skip("ccxt is not installed")
	}
	program, err := findCcxt(t.Context(), s)
	if err != nil {
		t.Skip(err)
	}
	c, err := startCcxt(program, "test", 250, 250*300)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.measure(t.Context(), s.out); err != nil || c.perSecond <= 0 {
		t.Errorf("got %g tickers/s, %v, want some", c.perSecond, err)
	}
	if err := c.close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

func TestZippedServerSpeaksGzip(t *testing.T) {
	body, err := zipped([]byte(`{"a":1}`))
	if err != nil {
		t.Fatal(err)
	}
	server := zippedServer(body)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go server.Serve(ln)
	defer server.Close()
	resp, err := http.Get("http://" + ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var got struct{ A int }
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil || got.A != 1 || !resp.Uncompressed {
		t.Errorf("got %+v, %v, uncompressed %t, want 1 from gzip", got, err, resp.Uncompressed)
	}
}
