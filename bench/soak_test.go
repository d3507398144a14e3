package main

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSoakWatches(t *testing.T) {
	page := filepath.Join(t.TempDir(), "page.html")
	out, _ := bench(t, t.Context(), 0, "--soak", "--for", "3s", "--rate", "300", "--connections", "4", "--items", "300", "--json", "--html", page)
	var r Report
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	if r.Soak == nil || len(r.Soak.Samples) < 10 || len(r.Soak.Trends) != len(soakMeasures) {
		t.Fatalf("got %+v, want samples and a trend of each quantity", r.Soak)
	}
	for i, s := range r.Soak.Samples {
		if s.Heap <= 0 || s.RSS <= s.Heap || s.Goroutines < 5 || s.Errors != 0 || s.Stale != 0 {
			t.Errorf("sample %d: got %+v, want memory, goroutines, and good answers", i, s)
		}
	}
	figures := figuresOf(&r, "soak", "GET /v1/prices, steady")
	if f := figures["requests"]; f == nil || f.Median < 150 || f.Median > 400 {
		t.Errorf("requests: got %+v, want about 300/s", f)
	}
	if f := figures["p99"]; f == nil || f.Median <= 0 {
		t.Errorf("p99: got %+v, want some", f)
	}
	html, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(string(html), "<polyline"); got != 2*len(soakMeasures) {
		t.Errorf("the page: got %d lines, want one of the samples and one of the trend for each of %d quantities", got, len(soakMeasures))
	}
}

func TestTrend(t *testing.T) {
	const n = 100
	noisy := newNoise(1)
	series := func(f func(i int) float64) []float64 {
		out := make([]float64, n)
		for i := range out {
			out[i] = f(i)
		}
		return out
	}
	tests := []struct {
		name   string
		values []float64
		want   string
	}{
		{"still", series(func(int) float64 { return 100 }), steady},
		{"nothing", series(func(int) float64 { return 0 }), steady},
		{"noise", noisy.values(n), steady},
		{"a saw of collections", series(func(i int) float64 { return 100 + float64(i%7) }), steady},
		{"a leak", series(func(i int) float64 { return 100 + float64(i)/4 + 3*noisy.NormFloat64() }), grows},
		{"certain, and too little to matter", series(func(i int) float64 { return 100 + float64(i)/50 }), steady},
		{"what comes down", series(func(i int) float64 { return 200 - float64(i) }), falls},
		{"three bad moments at the end", series(func(i int) float64 {
			if i > n-4 {
				return 10_000
			}
			return 100
		}), steady},
	}
	xs := series(func(i int) float64 { return float64(i * 5) })
	for _, tt := range tests {
		got := trendOf("memory", "MB", xs, tt.values)
		if got.Verdict != tt.want {
			t.Errorf("%s: got %+v, want it %s", tt.name, got, tt.want)
		}
		if s := (&Soak{Trends: []Trend{{Verdict: steady}, got}}); s.grows() != (tt.want == grows) {
			t.Errorf("%s: got grows %t", tt.name, s.grows())
		}
	}
}

func TestTrendOfALeakTellsHowFast(t *testing.T) {
	s := &Soak{}
	for i := range 100 {
		sample := Sample{Seconds: float64(36 * i), Heap: 50, RSS: 100 + float64(i), Goroutines: 20, P99: 300}
		if i < 20 {
			sample.RSS = 1000 // while it warms up
		}
		s.Samples = append(s.Samples, sample)
	}
	s.fit()
	got := s.Trends[1]
	if math.Abs(got.PerHour-100) > 1e-9 || math.Abs(got.First-120) > 1e-9 || math.Abs(got.Last-199) > 1e-9 || got.Verdict != grows || s.From != 720 {
		t.Errorf("a MB every 36 s after the warm-up: got %+v from %g s on, want 100 an hour from 720 s on", got, s.From)
	}
}

func TestSoakThatGrowsFails(t *testing.T) {
	r := reportOf("ms", 1)
	r.Settings.Mode = "soak"
	r.Soak = &Soak{Samples: []Sample{{Seconds: 1}}, Trends: []Trend{{Measure: "goroutines", Verdict: grows}}}
	before := writeReport(t, r)
	out, _ := bench(t, t.Context(), 3, "--from", before, "--compare", before, "--fail-on-worse")
	if !strings.Contains(out, grows) {
		t.Errorf("the verdict is missing in\n%s", out)
	}
}
