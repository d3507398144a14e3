package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// tiny makes a run as short as it can be.
var tiny = []string{"--items", "300", "--rounds", "2", "--for", "20ms", "--no-peers"}

// lookupIn gives an environment.
func lookupIn(env map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		v, ok := env[name]
		return v, ok
	}
}

// bench runs the program in an empty environment, in which nobody types, and
// fails the test unless it exits with want.
func bench(t *testing.T, ctx context.Context, want int, args ...string) (stdout, stderr string) {
	t.Helper()
	return benchWith(t, ctx, want, outside{lookup: lookupIn(nil), stdin: strings.NewReader("")}, args...)
}

func benchWith(t *testing.T, ctx context.Context, want int, env outside, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	if got := run(ctx, args, env, &out, &errs); got != want {
		t.Fatalf("bench %s: got status %d, want %d\n%s", strings.Join(args, " "), got, want, errs.String())
	}
	return out.String(), errs.String()
}

// figuresOf gives a subject's figures by measure.
func figuresOf(r *Report, suite, subject string) map[string]*Figure {
	found := map[string]*Figure{}
	for _, s := range r.Suites {
		for _, f := range s.Figures {
			if s.Name == suite && f.Subject == subject {
				found[f.Measure] = f
			}
		}
	}
	return found
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
			if f.Q1 < f.Min || f.Q1 > f.Median || f.Q3 < f.Median || f.Q3 > f.Max || len(f.Values) != f.Rounds {
				t.Errorf("%s: got quartiles %g and %g of %v, want them on both sides of the median", what, f.Q1, f.Q3, f.Values)
			}
			if f.Goal != nil {
				t.Errorf("%s: got a goal with 300 items, want none", what)
			}
			if f.Rounds != 2 || f.Unit == "" || f.Better == "" {
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

	for _, g := range goals { // one for a figure that nothing measures would never be looked at
		if strings.Contains(g.subject+g.measure, "wrk") || strings.Contains(g.measure, "webdis") || strings.Contains(g.measure, "Redis") || strings.Contains(g.measure, "stack") {
			continue // programs that not every machine has
		}
		if !slices.ContainsFunc(r.Suites, func(s *Suite) bool {
			return slices.ContainsFunc(s.Figures, func(f *Figure) bool { return g.isOf(s.Name, f.Subject, f.Measure) })
		}) {
			t.Errorf("%s: %s: %s: got no such figure, want one for its goal", g.suite, g.subject, g.measure)
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
	for _, reference := range []string{"http://", "https://", "src=", "href=", "url(", "@import", "<script"} {
		if at := bytes.Index(html, []byte(reference)); at >= 0 {
			t.Errorf("the page: got %.200q, want nothing that is fetched", html[at:])
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
		{[]string{"--target", "localhost:8080", "--market", "steam", "--soak", "--for", "20ms", "--rate", "0", "--connections", "2000"},
			[]string{"--target: it is an address", `"steam" is not a market`, "only one of them", "a soak lasts", "--rate", "--connections"}},
		{[]string{"--target", "http://user:secret@host"}, []string{"must not contain a password"}},
		{[]string{"--target", "http://host/v1/prices"}, []string{"the paths of the API are known"}},
		{[]string{"--rate", "5", "--connections", "5", "--yes", "--fail-on-worse", "--for", "2m"},
			[]string{"--rate: only", "--connections: only", "--yes: only", "--fail-on-worse: only", "needs --soak"}},
		{[]string{"--market", "sih", "--rounds", "11"}, []string{"10 pulls"}},
		{[]string{"--from", "/nowhere/a.json", "--compare", "/nowhere/b.json"}, []string{"a.json", "b.json"}},
	}
	for _, tt := range tests {
		out, errs := bench(t, t.Context(), 2, tt.args...)
		for _, want := range tt.want {
			if !strings.Contains(errs, want) {
				t.Errorf("%q: %s is missing in\n%s", tt.args, want, errs)
			}
		}
		if out != "" || strings.Contains(errs, "secret") {
			t.Errorf("%q: got %q on stdout and %q, want nothing there, and no secret", tt.args, out, errs)
		}
	}
}

func TestHelpListAndVersion(t *testing.T) {
	help, _ := bench(t, t.Context(), 0, "--help")
	for _, g := range optionGroups {
		for _, op := range g.options {
			if !strings.Contains(help, "--"+op.name) {
				t.Errorf("--help: --%s is missing", op.name)
			}
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
	f := s.Figures[0]
	if f.Min != 1 || f.Q1 != 1.75 || f.Median != 2.5 || f.Q3 != 3.25 || f.Max != 4 || f.Rounds != 4 || f.Better != lower {
		t.Errorf("got %+v, want 1, 1.75, 2.5, 3.25, 4 in 4 rounds, lower is better", f)
	}
	if !slices.Equal(f.Values, []float64{4, 1, 3, 2}) {
		t.Errorf("got %v, want the rounds in their order", f.Values)
	}
}

func TestBetter(t *testing.T) {
	for unit, want := range map[string]string{"items/s": higher, "x": higher, "ms": lower, "/item": lower, "% of requests": lower, "% of items": neither, "items": neither} {
		if got := better(unit); got != want {
			t.Errorf("better(%q): got %s, want %s", unit, got, want)
		}
	}
}

func TestShort(t *testing.T) {
	for v, want := range map[float64]string{0: "0.00", 0.5: "0.50", 0.0123: "0.012", 0.00123: "0.0012", 1e-9: "0.000000", -0.05: "-0.050", 12.34: "12.3", 999.4: "999", 1234: "1,234", -1234567: "-1,234,567"} {
		if got := short(v); got != want {
			t.Errorf("short(%g): got %s, want %s", v, got, want)
		}
	}
}

func TestGoalVerdicts(t *testing.T) {
	tests := []struct {
		better      string
		goal, floor float64
		median      float64
		want        string
	}{
		{higher, 10, 7, 10, reached},
		{higher, 10, 7, 9.99, aboveFloor},
		{higher, 10, 7, 7, aboveFloor},
		{higher, 10, 7, 6.99, belowFloor},
		{lower, 32, 48, 32, reached},
		{lower, 32, 48, 48, aboveFloor},
		{lower, 32, 48, 48.1, belowFloor},
	}
	for _, tt := range tests {
		g := &Goal{Goal: tt.goal, Floor: tt.floor}
		if g.judge(tt.median, tt.better); g.Verdict != tt.want {
			t.Errorf("%g, where %s is better, goal %g, floor %g: got %q, want %q", tt.median, tt.better, tt.goal, tt.floor, g.Verdict, tt.want)
		}
	}
}

func TestGoalsAreShown(t *testing.T) {
	r := newReport(options{}, testTime)
	s := r.suite("strategy", "")
	s.add("Engine.Update, what changed in a tick", "speed against all items", "x", 35)
	s.add("Engine.Update, what changed in a tick", "time", "ms", 1)
	var table, page bytes.Buffer
	if err := errorsOf(writeTable(&table, r), writePage(&page, r)); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"table": table.String(), "page": page.String()} {
		if !strings.Contains(text, "30.0 (floor 10.0): reached") {
			t.Errorf("the %s: the goal is missing in\n%s", name, text)
		}
	}
	if s.Figures[1].Goal != nil {
		t.Errorf("got the goal %v for a figure that has none", s.Figures[1].Goal)
	}
}
