package main

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"skinarb/internal/marketsim"
	"skinarb/pricing"
)

// simulated gives the settings of accounts at simulated markets.
func simulated(t *testing.T) (*marketsim.World, map[string]string) {
	t.Helper()
	world, err := marketsim.New(marketsim.Config{Seed: 1, Items: 300})
	if err != nil {
		t.Fatal(err)
	}
	sim, err := marketsim.Serve(world, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sim.Close() })
	return world, map[string]string{
		"SKINSBACK_URL": sim.SkinsBackURL, "SKINSBACK_CLIENT_ID": marketsim.DemoClientID, "SKINSBACK_CLIENT_SECRET": marketsim.DemoClientSecret,
		"SIH_URL": sim.SIHURL, "SIH_API_KEY": marketsim.DemoAPIKey,
	}
}

func TestMarketIsPulled(t *testing.T) {
	world, env := simulated(t)
	for _, m := range pricing.Markets {
		before := requestsOf(world, m)
		out, errs := benchWith(t, t.Context(), 0, outside{lookup: lookupIn(env)}, "--market", string(m), "--rounds", "2", "--yes", "--json")
		if got := requestsOf(world, m) - before; got != 2 {
			t.Errorf("%s: got %d requests, want the 2 that were announced", m, got)
		}
		for _, want := range []string{"at most 2 requests", "127.0.0.1:", "REDIS_URL is not set"} {
			if !strings.Contains(errs, want) {
				t.Errorf("%s: %q is missing in\n%s", m, want, errs)
			}
		}
		for name, value := range env {
			if !strings.HasSuffix(name, "_URL") && strings.Contains(out+errs, value) {
				t.Errorf("%s: %s is shown", m, name)
			}
		}
		var r Report
		if err := json.Unmarshal([]byte(out), &r); err != nil {
			t.Fatal(err)
		}
		figures := figuresOf(&r, "market", string(m)+", cs2")
		for _, measure := range []string{"first byte", "body arriving", "decoded, after the last byte", "whole pull", "on the wire", "inflated", "items", "items, whole pull", "inflated, whole pull", "rows refused"} {
			f := figures[measure]
			if f == nil || f.Rounds != 2 || f.Min < 0 || f.Min == 0 && f.Measure != "rows refused" && f.Measure != "body arriving" {
				t.Errorf("%s: %s: got %+v, want two rounds", m, measure, f)
			}
		}
		if figures["on the wire"].Median >= figures["inflated"].Median {
			t.Errorf("%s: got %g MB on the wire and %g inflated, want fewer", m, figures["on the wire"].Median, figures["inflated"].Median)
		}
	}
}

func requestsOf(w *marketsim.World, m pricing.Market) (n int) {
	for _, of := range w.Requests(string(m)) {
		n += of
	}
	return n
}

func TestMarketIsLeftAlone(t *testing.T) {
	world, env := simulated(t)
	without := func(name string) map[string]string {
		fewer := maps.Clone(env)
		delete(fewer, name)
		return fewer
	}
	wrong := maps.Clone(env)
	wrong["SIH_RATE_PER_MINUTE"] = "many"
	tests := []struct {
		name string
		env  outside
		args []string
		want string
	}{
		{"nobody to ask", outside{lookup: lookupIn(env)}, nil, "--yes"},
		{"no", outside{lookup: lookupIn(env), stdin: strings.NewReader("n\n"), terminal: true}, nil, "nothing was sent"},
		{"only enter", outside{lookup: lookupIn(env), stdin: strings.NewReader("\n"), terminal: true}, nil, "nothing was sent"},
		{"nothing typed", outside{lookup: lookupIn(env), stdin: strings.NewReader(""), terminal: true}, nil, "nothing was sent"},
		{"no key", outside{lookup: lookupIn(without("SIH_API_KEY"))}, []string{"--yes"}, "SIH_API_KEY"},
		{"a mistake in the settings", outside{lookup: lookupIn(wrong)}, []string{"--yes"}, "SIH_RATE_PER_MINUTE"},
	}
	for _, tt := range tests {
		_, errs := benchWith(t, t.Context(), 1, tt.env, append([]string{"--market", "sih"}, tt.args...)...)
		if !strings.Contains(errs, tt.want) {
			t.Errorf("%s: %q is missing in\n%s", tt.name, tt.want, errs)
		}
	}
	if got := requestsOf(world, pricing.SIH); got != 0 {
		t.Errorf("got %d requests, want none", got)
	}
	benchWith(t, t.Context(), 0, outside{lookup: lookupIn(env), stdin: strings.NewReader("Y\n"), terminal: true}, "--market", "sih", "--rounds", "1")
	if got := requestsOf(world, pricing.SIH); got != 1 {
		t.Errorf("after yes: got %d requests, want 1", got)
	}
}

// A client that tries again after an error must not send more than was said.
func TestMarketIsAskedNoMoreThanAnnounced(t *testing.T) {
	world, env := simulated(t)
	world.Inject(marketsim.Fault{Market: marketsim.SIH, Kind: marketsim.FaultErrorBefore})
	_, errs := benchWith(t, t.Context(), 1, outside{lookup: lookupIn(env)}, "--market", "sih", "--rounds", "2", "--yes")
	if got := requestsOf(world, pricing.SIH); got != 2 {
		t.Errorf("got %d requests to a market that fails, want the 2 that were announced", got)
	}
	if !strings.Contains(errs, "have been sent") {
		t.Errorf("got %s, want it to say why it ended", errs)
	}
}
