package main

import (
	"bytes"
	"encoding/json"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// noise is rounds of something around 100.
type noise struct{ *rand.Rand }

func newNoise(seed uint64) noise { return noise{rand.New(rand.NewPCG(seed, 0))} }

func (n noise) values(count int) []float64 {
	out := make([]float64, count)
	for i := range out {
		out[i] = 100 + 2*n.NormFloat64()
	}
	return out
}

var testTime = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// reportOf makes a report of one figure.
func reportOf(unit string, values ...float64) *Report {
	r := newReport(options{rounds: len(values)}, testTime)
	s := r.suite("s", "about")
	for _, v := range values {
		s.add("what", "figure", unit, v)
	}
	return r
}

func TestCompareJudges(t *testing.T) {
	slow, fast := []float64{10, 11, 12, 13}, []float64{5, 5.1, 5.2, 5.3}
	tests := []struct {
		name     string
		unit     string
		old, new []float64
		change   func(old *Report)
		want     string
	}{
		{"a time that fell", "ms", slow, fast, nil, gotBetter},
		{"a time that rose", "ms", fast, slow, nil, gotWorse},
		{"a rate that fell", "items/s", slow, fast, nil, gotWorse},
		{"a ratio that rose", "x", fast, slow, nil, gotBetter},
		{"what only describes the work", "% of items", fast, slow, nil, differs},
		{"rounds that mix", "ms", []float64{1, 2, 3, 4}, []float64{1.5, 2.5, 3.5, 4.5}, nil, same},
		{"certain and tiny", "ms", []float64{100, 100.1, 100.2, 100.3}, []float64{101, 101.1, 101.2, 101.3}, nil, same},
		{"exact and the same", "/item", []float64{0, 0, 0, 0}, []float64{0, 0, 0, 0}, nil, same},
		{"exact, and no longer nothing", "/item", []float64{0, 0, 0, 0}, []float64{1, 1, 1, 1}, nil, gotWorse},
		{"three rounds against three", "ms", []float64{1, 2, 3}, []float64{10, 11, 12}, nil, tooFew},
		{"three rounds against five", "ms", []float64{1, 2, 3}, []float64{10, 11, 12, 13, 14}, nil, gotWorse},
		{"a time on another machine", "ms", fast, slow, func(old *Report) { old.Machine.CPUs++ }, otherMachine},
		{"a ratio on another machine", "x", fast, slow, func(old *Report) { old.Machine.CPU = "another" }, gotBetter},
		{"other items", "x", fast, slow, func(old *Report) { old.Settings.Items = 5 }, otherWork},
		{"another seed", "x", fast, slow, func(old *Report) { old.Settings.Seed = 5 }, otherWork},
	}
	for _, tt := range tests {
		old, now := reportOf(tt.unit, tt.old...), reportOf(tt.unit, tt.new...)
		if tt.change != nil {
			tt.change(old)
		}
		c, err := compare(old, now)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if got := c.Figures[0].Verdict; got != tt.want {
			t.Errorf("%s: %v, then %v: got %q, want %q", tt.name, tt.old, tt.new, got, tt.want)
		}
		if tt.change != nil && len(c.Warnings) == 0 {
			t.Errorf("%s: got no warning, want one that says so", tt.name)
		}
	}
}

func TestCompareNamesWhatOnlyOneHas(t *testing.T) {
	old, now := reportOf("ms", 1), reportOf("ms", 1)
	old.Suites[0].add("old", "figure", "ms", 1)
	now.Suites[0].add("new", "figure", "ms", 1)
	now.Suites[0].add("unit", "figure", "ms", 1)
	old.Suites[0].add("unit", "figure", "µs", 1)
	c, err := compare(old, now)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(c.Missing, ", "); got != "s: old: figure, s: unit: figure" {
		t.Errorf("missing: got %q, want old and unit", got)
	}
	if got := strings.Join(c.Added, ", "); got != "s: new: figure, s: unit: figure" {
		t.Errorf("added: got %q, want new and unit", got)
	}
	now.Settings.Mode = "soak"
	if _, err := compare(old, now); err == nil || !strings.Contains(err.Error(), `"suites"`) {
		t.Errorf("suites beside a soak: got %v, want an error that names both", err)
	}
}

func TestReadReportRefuses(t *testing.T) {
	whole, err := json.Marshal(reportOf("ms", 1, 2))
	if err != nil {
		t.Fatal(err)
	}
	edit := func(old, new string) string {
		text := string(whole)
		if !strings.Contains(text, old) {
			t.Fatalf("%s is not in %s", old, text)
		}
		return strings.Replace(text, old, new, 1)
	}
	tests := []struct {
		name, text, want string
	}{
		{"nothing", "", "not a report"},
		{"garbage", "\x00\x1f\x8b", "not a report"},
		{"another document", `{"hello": 1}`, "names no machine"},
		{"a list", `[1]`, "not a report"},
		{"cut off", string(whole[:len(whole)/2]), "not a report"},
		{"two in a row", string(whole) + string(whole), "not a report"},
		{"an older one", edit(`{"format":2,`, `{`), "older bench"},
		{"a newer one", edit(`"format":2`, `"format":3`), "format 3"},
		{"no values", edit(`"values":[1,2]`, `"values":[]`), "0 values"},
		{"too many values", edit(`"values":[1,2]`, `"values":[1`+strings.Repeat(",1", maxValues)+`]`), "10001 values"},
		{"a value that is no number", edit(`"values":[1,2]`, `"values":[1,"2"]`), "not a report"},
		{"a value beyond all numbers", edit(`"values":[1,2]`, `"values":[1,1e999]`), "not a report"},
		{"no suite", edit(`"suites":[{`, `"suites":[null,{`), "suite 1"},
		{"no figure", edit(`"figures":[{`, `"figures":[null,{`), "figure 1"},
	}
	for _, tt := range tests {
		if _, err := decodeReport(strings.NewReader(tt.text)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want an error with %q", tt.name, err, tt.want)
		}
	}
	endless := io.MultiReader(strings.NewReader(`"`), endlessText{})
	if _, err := decodeReport(endless); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("without an end: got %v, want an error", err)
	}
}

type endlessText struct{}

func (endlessText) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

func FuzzDecodeReport(f *testing.F) {
	whole, err := json.Marshal(reportOf("ms", 1, 2))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add([]byte(`{"format":2,"machine":{},"suites":[{"figures":[{"values":[1e308,-1e308]}]}],"soak":{"samples":[],"trends":[{}]}}`))
	now := reportOf("ms", 3, 4)
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := decodeReport(bytes.NewReader(data))
		if err != nil {
			return
		}
		c, err := compare(r, now)
		if err == nil && len(c.Figures)+len(c.Added) != 1 {
			t.Errorf("got %d figures compared and %d added, want the one that there is", len(c.Figures), len(c.Added))
		}
		if err := errorsOf(writeTable(io.Discard, r), writePage(io.Discard, r)); err != nil {
			t.Errorf("showing what was read: %v", err)
		}
	})
}

func errorsOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// writeReport keeps a report in a file.
func writeReport(t *testing.T, r *Report) string {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "report.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTwoFilesAreCompared(t *testing.T) {
	before, after := writeReport(t, reportOf("ms", 1, 2, 3, 4)), writeReport(t, reportOf("ms", 11, 12, 13, 14))
	page := filepath.Join(t.TempDir(), "page.html")
	out, _ := bench(t, t.Context(), 0, "--from", after, "--compare", before, "--html", page)
	for _, want := range []string{"+400.0 %", "2.9 %", "worse", "0 figures got better, 1 worse"} {
		if !strings.Contains(out, want) {
			t.Errorf("the table: %q is missing in\n%s", want, out)
		}
	}
	html, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`id="comparison"`, `<rect class="worse"`, "2.50 → 12.5 ms"} {
		if !bytes.Contains(html, []byte(want)) {
			t.Errorf("the page: %s is missing", want)
		}
	}
	for unit, want := range map[string]int{"x": 0, "/item": 3, "B/item": 3, "ms": 0} {
		before, after := writeReport(t, reportOf(unit, 1, 2, 3, 4)), writeReport(t, reportOf(unit, 11, 12, 13, 14))
		bench(t, t.Context(), want, "--from", after, "--compare", before, "--fail-on-worse")
	}
	slower, faster := writeReport(t, reportOf("x", 1, 2, 3, 4)), writeReport(t, reportOf("x", 11, 12, 13, 14))
	bench(t, t.Context(), 3, "--from", slower, "--compare", faster, "--fail-on-worse")
	bench(t, t.Context(), 0, "--from", slower, "--compare", faster)
	_, errs := bench(t, t.Context(), 2, "--compare", filepath.Join(t.TempDir(), "nothing"), "--rounds", "0")
	for _, want := range []string{"--compare", "--rounds"} {
		if !strings.Contains(errs, want) {
			t.Errorf("a file that is not there: %s is missing in\n%s", want, errs)
		}
	}
}
