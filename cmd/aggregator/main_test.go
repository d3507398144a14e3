package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
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

func TestDemoServesBothMarkets(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	var out, log output
	status := make(chan int, 1)
	go func() {
		status <- run(ctx, []string{"--demo", "--listen-addr", "127.0.0.1:0", "--fetch-interval", "500ms"}, noEnv, &out, &log)
	}()
	var address string
	find := regexp.MustCompile(`dashboard +(http://\S+/)`)
	eventually(t, func() bool {
		if m := find.FindStringSubmatch(out.String()); m != nil {
			address = m[1]
		}
		return address != ""
	})
	eventually(t, func() bool {
		return strings.Count(get(t, address+"v1/feeds"), `"state":"fresh"`) == 2
	})
	if body := get(t, address+"v1/items?q=awp&limit=1"); !strings.Contains(body, `"name":"`) {
		t.Errorf("search for awp: got %s, want an item", body)
	}
	if body := get(t, address+"v1/orders"); !strings.Contains(body, `"not_found"`) {
		t.Errorf("orders of an aggregator: got %s, want not_found", body)
	}
	cancel()
	select {
	case got := <-status:
		if got != 0 {
			t.Errorf("exit status: got %d, want 0; log:\n%s", got, log.String())
		}
	case <-time.After(10 * time.Second):
		t.Fatal("did not stop within 10 s")
	}
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

// eventually fails the test unless ok holds within half a minute.
func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); <-tick.C {
		if ok() {
			return
		}
	}
	t.Fatal("did not happen within 30 s")
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
