package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// fakeInstance answers as an instance of our API does, and badly where it is
// told to.
type fakeInstance struct {
	token   string // wanted of those who ask; empty: none
	catalog string
	feeds   string
	stale   bool
	refuse  int64 // every so many-th look-up is refused; 0: none
	soldOut bool  // single look-ups find nothing

	lookups atomic.Int64
}

const (
	oneFeed  = `{"feeds":[{"market":"skinsback","game":"cs2","items":2},{"market":"sih","game":"rust","items":9}]}`
	twoNames = `{"item":{"game":"cs2","name":"AK-47 | Redline (Field-Tested)","phase":""},"ask":"1.00"}
{"item":{"game":"cs2","name":"★ Karambit | Doppler (Factory New)","phase":"Phase 2"},"ask":"900.00"}
`
)

func (f *fakeInstance) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if f.token != "" && r.Header.Get("Authorization") != "Bearer "+f.token {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	switch r.Method + " " + r.URL.Path {
	case "GET /v1/feeds":
		fmt.Fprint(w, f.feeds)
	case "GET /v1/catalog":
		if got := r.URL.RawQuery; got != "game=cs2&market=skinsback" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		fmt.Fprint(w, f.catalog)
	case "GET /v1/prices", "POST /v1/prices":
		if n := f.lookups.Add(1); f.refuse > 0 && n%f.refuse == 0 {
			w.WriteHeader(http.StatusInternalServerError)
			fmt.Fprint(w, "sent were ", r.Header) // the token among them
			return
		}
		if f.soldOut && r.Method == http.MethodGet {
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"error":{"code":"item_not_found"}}`)
			return
		}
		fmt.Fprintf(w, `{"quotes":[{"stale":%t}]}`, f.stale)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// against runs the bench against an instance.
func against(t *testing.T, f *fakeInstance, want int, env map[string]string, args ...string) (stdout, stderr string) {
	t.Helper()
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	args = append([]string{"--target", server.URL, "--rounds", "2", "--for", "60ms", "--connections", "4", "--rate", "500"}, args...)
	return benchWith(t, t.Context(), want, outside{lookup: lookupIn(env)}, args...)
}

func TestTargetIsMeasured(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("from-a-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name          string
		instance      *fakeInstance
		env           map[string]string
		errors, stale bool
	}{
		{name: "open to all", instance: &fakeInstance{}},
		{name: "stale", instance: &fakeInstance{stale: true}, stale: true},
		{name: "sold out meanwhile", instance: &fakeInstance{soldOut: true}},
		{name: "refuses some", instance: &fakeInstance{refuse: 3}, errors: true},
		{name: "an echo of the token", instance: &fakeInstance{token: "echo-me", refuse: 3}, env: map[string]string{"READ_TOKEN": "echo-me"}, errors: true},
		{name: "a read token", instance: &fakeInstance{token: "read-me"}, env: map[string]string{"READ_TOKEN": "read-me", "API_TOKEN": "operate"}},
		{name: "the operator's token", instance: &fakeInstance{token: "operate"}, env: map[string]string{"API_TOKEN": "operate", "CONFIG": "/nowhere"}},
		{name: "a token in a file", instance: &fakeInstance{token: "from-a-file"}, env: map[string]string{"READ_TOKEN_FILE": file}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := tt.instance
			f.feeds, f.catalog = oneFeed, twoNames
			out, errs := against(t, f, 0, tt.env, "--json")
			if f.token != "" && strings.Contains(out+errs, f.token) {
				t.Errorf("the token is in the output:\n%s%s", out, errs)
			}
			var r Report
			if err := json.Unmarshal([]byte(out), &r); err != nil {
				t.Fatal(err)
			}
			for _, subject := range []string{"GET /v1/prices, 1 connection", "GET /v1/prices", "POST /v1/prices, 2 names", "GET /v1/prices at 500/s"} {
				figures := figuresOf(&r, "target", subject)
				for _, measure := range []string{"requests", "p50", "p99", "p99.9"} {
					if f := figures[measure]; f == nil || f.Rounds != 2 || f.Min <= 0 {
						t.Errorf("%s: %s: got %+v, want two rounds above 0", subject, measure, f)
					}
				}
				if f := figures["p99"]; f != nil && f.Median < figures["p50"].Median {
					t.Errorf("%s: got p99 %g below p50 %g", subject, f.Median, figures["p50"].Median)
				}
				if f := figures["errors"]; f == nil || f.Median > 0 != tt.errors || tt.errors && (f.Median < 20 || f.Median > 45) {
					t.Errorf("%s: errors: got %+v, want some: %t, then a third", subject, f, tt.errors)
				}
				if f := figures["sold out"]; f == nil || f.Median > 0 != (tt.instance.soldOut && !strings.HasPrefix(subject, "POST")) {
					t.Errorf("%s: sold out: got %+v, want some: %t", subject, f, tt.instance.soldOut)
				}
				if f := figures["stale answers"]; f == nil || f.Median > 0 != tt.stale {
					t.Errorf("%s: stale answers: got %+v, want some: %t", subject, f, tt.stale)
				}
			}
			if f := figuresOf(&r, "target", "GET /v1/prices at 500/s")["requests"]; f != nil && f.Max > 650 {
				t.Errorf("at 500/s: got %g requests/s", f.Max)
			}
		})
	}
}

func TestTargetThatCannotBeMeasured(t *testing.T) {
	tests := []struct {
		name     string
		instance *fakeInstance
		want     string
	}{
		{"a token is missing", &fakeInstance{token: "secret"}, "READ_TOKEN"},
		{"not our API", &fakeInstance{feeds: "<html>"}, "feeds"},
		{"no prices yet", &fakeInstance{feeds: `{"feeds":[{"market":"sih","game":"cs2","items":0}]}`}, "no prices"},
		{"an empty catalog", &fakeInstance{feeds: oneFeed}, "no items"},
		{"a garbled catalog", &fakeInstance{feeds: oneFeed, catalog: twoNames + "{"}, "line 3"},
		{"a name that is none", &fakeInstance{feeds: oneFeed, catalog: `{"item":{"name":""}}`}, "line 1"},
		{"refuses everything", &fakeInstance{feeds: oneFeed, catalog: twoNames, refuse: 1}, "nothing was answered: got status 500"},
	}
	for _, tt := range tests {
		out, errs := against(t, tt.instance, 1, nil)
		if out != "" {
			t.Errorf("%s: got a report of nothing:\n%s", tt.name, out)
		}
		if !strings.Contains(errs, tt.want) {
			t.Errorf("%s: %q is missing in\n%s", tt.name, tt.want, errs)
		}
		if tt.instance.token != "" && strings.Contains(errs, tt.instance.token) {
			t.Errorf("%s: the token is in\n%s", tt.name, errs)
		}
	}
}

// A server that is gone is not asked as fast as it can refuse.
func TestTrafficWaitsForAServerThatIsGone(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	o, err := parseOptions([]string{"--target", server.URL})
	if err != nil {
		t.Fatal(err)
	}
	server.Close()
	traffic := newTraffic(o.target, "", []request{{uri: "/v1/prices"}}, 2, 0)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	traffic.run(ctx)
	sum := traffic.drain()
	if most := 2 * (200/10 + 2); sum.failed == 0 || sum.failed > most || sum.err == nil || len(sum.took) > 0 {
		t.Errorf("got %d failed with %v and %d answers, want 1 to %d failed", sum.failed, sum.err, len(sum.took), most)
	}
	if again := traffic.drain(); again.failed != 0 || again.err != nil {
		t.Errorf("drained twice: got %+v, want nothing new", again)
	}
}
