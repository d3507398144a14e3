package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tiny makes a run as short as it can be.
var tiny = []string{"--items", "300", "--rounds", "2", "--for", "20ms", "--no-peers"}

// bench runs the program and fails the test unless it exits with want.
func bench(t *testing.T, ctx context.Context, want int, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	if got := run(ctx, args, &out, &errs); got != want {
		t.Fatalf("bench %s: got status %d, want %d\n%s", strings.Join(args, " "), got, want, errs.String())
	}
	return out.String(), errs.String()
}

func TestRunMeasuresEverything(t *testing.T) {
	page := filepath.Join(t.TempDir(), "page.html")
	out, progress := bench(t, t.Context(), 0, append(tiny, "--json", "--html", page)...)

	var r Report
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("the JSON: %v", err)
	}
	if r.Machine.Go == "" || r.Machine.CPUs < 1 || r.Machine.Time.IsZero() || r.Settings.Items != 300 || r.Interrupted {
		t.Errorf("got machine %+v, settings %+v, interrupted %t", r.Machine, r.Settings, r.Interrupted)
	}
	if len(r.Suites) != len(suites) {
		t.Fatalf("got %d suites, want %d", len(r.Suites), len(suites))
	}
	for i, s := range r.Suites {
		if s.Name != suites[i].name || len(s.Notes) == 0 {
			t.Errorf("suite %d: got %s with %d notes, want %s with some", i, s.Name, len(s.Notes), suites[i].name)
		}
		ratios := 0
		for _, f := range s.Figures {
			what := s.Name + ": " + f.Subject + ": " + f.Measure
			// Few items may happen not to change, and little heap not to be noticed.
			mayBeZero := f.Unit == "% of items" || f.Unit == "MB"
			if f.Min < 0 || f.Min == 0 && !mayBeZero || f.Median < f.Min || f.Max < f.Median {
				t.Errorf("%s: got min %g, median %g, max %g, want positive and ascending", what, f.Min, f.Median, f.Max)
			}
			if f.Rounds != 2 || f.Unit == "" || f.Better != "higher" && f.Better != "lower" {
				t.Errorf("%s: got %d rounds in %q, better %q, want 2, a unit, a direction", what, f.Rounds, f.Unit, f.Better)
			}
			if f.Unit == "x" {
				ratios++
			}
		}
		if ratios == 0 {
			t.Errorf("%s: got no ratio, want some", s.Name)
		}
		if !strings.Contains(progress, s.Name+": round 2 of 2") {
			t.Errorf("%s: the last round is missing in the progress:\n%s", s.Name, progress)
		}
	}

	html, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<svg", "<rect", `id="ingest"`, `id="full"`, `id="lookup"`, `id="strategy"`, `id="orders"`} {
		if !bytes.Contains(html, []byte(want)) {
			t.Errorf("the page: %s is missing", want)
		}
	}
	for _, reference := range []string{"http:", "https:", "src=", "href=", "url(", "@import", "<script"} {
		if bytes.Contains(html, []byte(reference)) {
			t.Errorf("the page: got %s, want nothing that is fetched", reference)
		}
	}
}

func TestRunWritesATable(t *testing.T) {
	out, _ := bench(t, t.Context(), 0, append(tiny, "--suite", "strategy")...)
	for _, want := range []string{"strategy: ", "median", "Engine.Update, all items", "items/s", "share the cores"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in\n%s", want, out)
		}
	}
	if strings.Contains(out, "ingest") {
		t.Errorf("got a suite that was not asked for:\n%s", out)
	}
}

func TestInterruptedRunTellsWhatItHas(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	out, errs := bench(t, ctx, 0, append(tiny, "--json")...)
	var r Report
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("the JSON: %v", err)
	}
	if !r.Interrupted || !strings.Contains(errs, "interrupted") {
		t.Errorf("got interrupted %t and %q, want both to tell", r.Interrupted, errs)
	}
}

func TestWrongFlagsAreNamedAtOnce(t *testing.T) {
	tests := []struct {
		args []string
		want []string
	}{
		{[]string{"--rounds", "0", "--items=-1", "--for", "soon", "--suite", "ingest,lunch", "--json=1", "--color", "stray", "--html"},
			[]string{"--rounds", "--items", "--for", `"lunch"`, "--json", "--color", "stray", "--html"}},
		{[]string{"--seed", "-3", "--for", "1h"}, []string{"--seed", "--for"}},
		{[]string{"--suite", "--html="}, []string{"--suite: the value is missing", "--html"}},
		{[]string{"--rounds=101"}, []string{"1 to 100"}},
		{[]string{"json"}, []string{"json: there is no such flag"}},
	}
	for _, tt := range tests {
		out, errs := bench(t, t.Context(), 2, tt.args...)
		for _, want := range tt.want {
			if !strings.Contains(errs, want) {
				t.Errorf("%q: %s is missing in\n%s", tt.args, want, errs)
			}
		}
		if out != "" {
			t.Errorf("%q: got %q on stdout, want nothing", tt.args, out)
		}
	}
}

func TestHelpListAndVersion(t *testing.T) {
	help, _ := bench(t, t.Context(), 0, "--help")
	for _, op := range optionTable {
		if !strings.Contains(help, "--"+op.name) {
			t.Errorf("--help: --%s is missing", op.name)
		}
	}
	list, _ := bench(t, t.Context(), 0, "--list")
	for _, s := range suites {
		if !strings.Contains(list, s.name) {
			t.Errorf("--list: %s is missing", s.name)
		}
	}
	if version, _ := bench(t, t.Context(), 0, "--version"); !strings.HasPrefix(version, "bench ") {
		t.Errorf("--version: got %q", version)
	}
}

func TestFigureOverRounds(t *testing.T) {
	var s Suite
	for _, v := range []float64{4, 1, 3, 2} {
		s.add("x", "y", "ms", v)
	}
	if f := s.Figures[0]; f.Min != 1 || f.Median != 2.5 || f.Max != 4 || f.Rounds != 4 || f.Better != "lower" {
		t.Errorf("got %+v, want 1, 2.5, 4 in 4 rounds, lower is better", f)
	}
}

func TestShort(t *testing.T) {
	for v, want := range map[float64]string{0: "0.00", 0.5: "0.50", 12.34: "12.3", 999.4: "999", 1234: "1,234", 1234567: "1,234,567"} {
		if got := short(v); got != want {
			t.Errorf("short(%g): got %s, want %s", v, got, want)
		}
	}
}
