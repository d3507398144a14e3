package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
)

// output is a buffer that a running program writes and a test reads.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

func noEnv(string) (string, bool) { return "", false }

// demo runs the program on simulated markets until stop, which says how it ended.
func demo(t *testing.T, args ...string) (address string, log *output, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	var out output
	log = &output{}
	status := make(chan int, 1)
	go func() {
		status <- run(ctx, append([]string{"--demo", "--listen-addr", "127.0.0.1:0", "--fetch-interval", "500ms"}, args...), noEnv, &out, log)
	}()
	find := regexp.MustCompile(`dashboard +(http://\S+/)`)
	eventually(t, func() bool {
		if m := find.FindStringSubmatch(out.String()); m != nil {
			address = m[1]
		}
		return address != ""
	})
	return address, log, func() {
		t.Helper()
		cancel()
		select {
		case got := <-status:
			if got != 0 {
				t.Errorf("exit status: got %d, want 0; log:\n%s", got, log)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("did not stop within 10 s")
		}
	}
}

func TestDemoServesBothMarkets(t *testing.T) {
	address, _, stop := demo(t)
	eventually(t, func() bool {
		return strings.Count(get(t, address+"v1/feeds"), `"state":"fresh"`) == 2
	})
	if body := get(t, address+"v1/items?q=awp&limit=1"); !strings.Contains(body, `"name":"`) {
		t.Errorf("search for awp: got %s, want an item", body)
	}
	if body := get(t, address+"v1/orders"); !strings.Contains(body, `"not_found"`) {
		t.Errorf("orders of an aggregator: got %s, want not_found", body)
	}
	stop()
}

// TestDemoServesEveryGame: each market's feeds of the games that it sells run, and
// what is asked of one game is answered with nothing of another.
func TestDemoServesEveryGame(t *testing.T) {
	address, log, stop := demo(t, "--games=cs2,rust,dota2,tf2")
	sellers := map[string][]string{"cs2": {"skinsback", "sih"}, "rust": {"skinsback", "sih"}, "dota2": {"skinsback"}, "tf2": {"sih"}}
	eventually(t, func() bool {
		return strings.Count(get(t, address+"v1/feeds"), `"state":"fresh"`) == 6
	})
	for _, missing := range []string{"market=skinsback game=tf2", "market=sih game=dota2"} {
		asText, asJSON := missing, strings.NewReplacer("market=", `"market":"`, " game=", `","game":"`).Replace(missing)+`"`
		if said := log.String(); !strings.Contains(said, asText) && !strings.Contains(said, asJSON) {
			t.Errorf("the log does not say that %s is skipped:\n%s", missing, said)
		}
		if feeds := get(t, address+"v1/feeds"); !strings.Contains(feeds, asJSON+`,"state":"off","reason":"the market does not sell this game"`) {
			t.Errorf("feeds do not say why %s is off: %s", missing, feeds)
		}
	}
	type priced struct {
		Item struct{ Game, Name, Phase string }
	}
	for game, markets := range sellers {
		for _, market := range []string{"skinsback", "sih"} {
			catalog := get(t, address+"v1/catalog?game="+game+"&market="+market)
			if !slices.Contains(markets, market) {
				if !strings.Contains(catalog, `"feed_not_found"`) {
					t.Errorf("catalog of %s on %s: got %.200s, want feed_not_found", game, market, catalog)
				}
				continue
			}
			lines := strings.Split(strings.TrimSpace(catalog), "\n")
			if len(lines) < 50 {
				t.Errorf("catalog of %s on %s: got %d lines", game, market, len(lines))
			}
			for _, line := range lines[:min(len(lines), 1000)] {
				var p priced
				if err := json.Unmarshal([]byte(line), &p); err != nil || p.Item.Game != game || game != "cs2" && p.Item.Phase != "" {
					t.Fatalf("catalog of %s on %s: got %s, %v, want its own game, and no phase beyond CS2", game, market, line, err)
				}
			}
		}
		var found struct{ Items []struct{ Game, Name string } }
		body := get(t, address+"v1/items?q=a&limit=1&game="+game)
		if err := json.Unmarshal([]byte(body), &found); err != nil || len(found.Items) != 1 || found.Items[0].Game != game {
			t.Fatalf("search in %s: got %s, %v, want an item of it", game, body, err)
		}
		for other := range sellers {
			path := "?game=" + other + "&name=" + url.QueryEscape(found.Items[0].Name)
			for _, endpoint := range []string{"v1/prices", "v1/verdicts"} {
				body := get(t, address+endpoint+path)
				if got := strings.Contains(body, `"item":{"game":"`+game+`"`); got != (other == game) || !got && !strings.Contains(body, `"item_not_found"`) {
					t.Errorf("%s%s, which is of %s: got %s", endpoint, path, game, body)
				}
			}
			if body := get(t, address+"v1/prices"+path+"&phase=Ruby"); !strings.Contains(body, `"invalid_parameter"`) {
				t.Errorf("%s with a phase: got %s, want that it has none", path, body)
			}
		}
		if metrics := get(t, address+"metrics"); !strings.Contains(metrics, `skinarb_feed_items{game="`+game+`",market="`+markets[0]+`"}`) {
			t.Errorf("metrics have no items of %s on %s", game, markets[0])
		}
		if event := firstPrice(t, address+"v1/stream?game="+game); !strings.Contains(event, `"game":"`+game+`"`) {
			t.Errorf("stream of %s: got %s, want a change of it", game, event)
		}
	}
	stop()
}

// firstPrice gives the data of the first change that a stream tells.
func firstPrice(t *testing.T, url string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), slowest)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	price := false
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if ok && price {
			return data
		}
		price = lines.Text() == "event: price"
	}
	return fmt.Sprint("nothing: ", lines.Err())
}

func TestMistakesAreReportedTogether(t *testing.T) {
	var log output
	args := []string{"--games=chess", "--fetch-interval=soon", "--listen-addr=nowhere", "--no-such-flag", "--sih-url=ftp://x"}
	if got := run(t.Context(), args, noEnv, io.Discard, &log); got != 2 {
		t.Errorf("exit status: got %d, want 2", got)
	}
	for _, name := range []string{"GAMES", "FETCH_INTERVAL", "LISTEN_ADDR", "--no-such-flag", "SIH_URL"} {
		if !strings.Contains(log.String(), name+":") {
			t.Errorf("mistakes lack %s:\n%s", name, log.String())
		}
	}
}

// TestOneFileServesTheTraderToo: what only the trader has is no mistake here, and
// what nobody has still is.
func TestOneFileServesTheTraderToo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "settings.yaml")
	if err := os.WriteFile(file, []byte("max_order_usd: 25\nsih_deposit_api_key_file: /nowhere\nmax_oder_usd: 25\ngames: chess\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var log output
	if got := run(t.Context(), []string{"--config", file}, noEnv, io.Discard, &log); got != 2 {
		t.Errorf("exit status: got %d, want 2", got)
	}
	if said := log.String(); strings.Contains(said, "max_order_usd") || strings.Contains(said, "deposit") ||
		!strings.Contains(said, "max_oder_usd: no such setting") || !strings.Contains(said, "GAMES:") {
		t.Errorf("got %q, want max_oder_usd and GAMES named, and nothing else", said)
	}
}

// TestWithoutKeysItReads: on a shared Redis, and says so once.
func TestWithoutKeysItReads(t *testing.T) {
	env := map[string]string{"REDIS_URL": "redis://" + miniredis.RunT(t).Addr(), "LISTEN_ADDR": "127.0.0.1:0", "DATA_DIR": t.TempDir(), "LOG_FORMAT": "json"}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var log output
	status := make(chan int, 1)
	go func() {
		status <- run(ctx, nil, func(name string) (string, bool) { v, ok := env[name]; return v, ok }, io.Discard, &log)
	}()
	var address string
	find := regexp.MustCompile(`"dashboard":"(http://[^"]+/)"`)
	eventually(t, func() bool {
		if m := find.FindStringSubmatch(log.String()); m != nil {
			address = m[1]
		}
		return address != ""
	})
	eventually(t, func() bool {
		return strings.Contains(get(t, address+"readyz"), "no catalog yet of skinsback/cs2, sih/cs2")
	})
	if feeds := get(t, address+"v1/feeds"); strings.Count(feeds, `"state":"down"`) != 2 {
		t.Errorf("feeds: got %s, want two that are down", feeds)
	}
	cancel()
	if got := <-status; got != 0 {
		t.Errorf("exit status: got %d, want 0", got)
	}
	if n := strings.Count(log.String(), "fetches nothing"); n != 1 {
		t.Errorf("said %d times that it only reads, want once:\n%s", n, log.String())
	}
}

// slowest is how long a test waits on a machine that has much else to do.
const slowest = 3 * time.Minute

// eventually fails the test unless ok holds in time.
func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(slowest); time.Now().Before(deadline); <-tick.C {
		if ok() {
			return
		}
	}
	t.Fatalf("did not happen within %v", slowest)
}

func get(t *testing.T, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err.Error()
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err.Error()
	}
	return string(body)
}
