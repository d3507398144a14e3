package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// sampleReport has a subject of every kind.
func sampleReport() *Report {
	r := newReport(options{rounds: 2}, testTime)
	s := r.suite("lookup", "price look-ups")
	s.note("One note.")
	for _, v := range []float64{90, 110} {
		s.add("GET /v1/prices", "requests", "requests/s", v)
		s.add("GET /v1/prices", "p50", "µs", v/10)
		s.add("GET /v1/prices", "requests against bare fasthttp", "x", v/100)
		s.add("GET /v1/prices", "requests against webdis", "x", v/50)
	}
	s.add("★ | Doppler", "time", "ns/op", 5)
	f := r.suite("full", "lists")
	f.add("skinsback full=1 → lots", "peak live heap", "MB", 40)
	return r
}

func TestMarkdownRows(t *testing.T) {
	r := sampleReport()
	tests := []struct {
		suite int
		want  []string
	}{
		{0, []string{
			"GET /v1/prices|100 (95.0 .. 105) requests/s; p50 10.0 µs|requests against bare fasthttp|1.00 (0.95 .. 1.05)|0.88 (0.80)|reached",
			"||requests against webdis|2.00 (1.90 .. 2.10)|2.50 (2.00)|above the floor",
			`★ \| Doppler|time 5.00 (5.00 .. 5.00) ns/op||||`,
		}},
		{1, []string{"skinsback full=1 → lots|peak live heap 40.0 (40.0 .. 40.0) MB|||32.0 (48.0)|above the floor"}},
	}
	for _, tt := range tests {
		var got []string
		for _, row := range markdownRows(r.Suites[tt.suite]) {
			got = append(got, strings.Join(row[:], "|"))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("suite %s: got\n%s\nwant\n%s", r.Suites[tt.suite].Name, strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
		}
	}
	text := markdown(r)
	for _, want := range []string{"Of the goals 1 are reached, 2 are missed but above their floor, 0 are below it.", "### lookup\n\nPrice look-ups.\n\n- One note.\n", "2 rounds"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
}

// Only what stands between the two lines may change, however often it is written.
func TestMarkdownReplacesItsPartOnly(t *testing.T) {
	report := writeReport(t, sampleReport())
	tests := []struct{ name, before, after string }{
		{"a new file", "", ""},
		{"a page", "# Speed\n\nWhat it means.\n\n", "\nThe end.\n"},
	}
	for _, tt := range tests {
		path := filepath.Join(t.TempDir(), "page.md")
		if tt.before != "" {
			long := strings.Repeat("| old | figures |\n", 1000)
			if err := os.WriteFile(path, []byte(tt.before+markdownBegin+"\n"+long+markdownEnd+"\n"+tt.after), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var texts []string
		for range 2 {
			bench(t, t.Context(), 0, "--from", report, "--markdown", path)
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			texts = append(texts, string(text))
		}
		if got, want := texts[0], tt.before+markdownBegin+"\n"+markdown(sampleReport())+markdownEnd+"\n"+tt.after; got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, got, want)
		}
		if texts[1] != texts[0] {
			t.Errorf("%s: got another text the second time:\n%s", tt.name, texts[1])
		}
	}
}

func TestMarkdownLeavesOtherFilesAlone(t *testing.T) {
	report := writeReport(t, sampleReport())
	for _, text := range []string{"A letter.\n", markdownBegin + "\nno end\n", markdownEnd + "\n" + markdownBegin + "\n"} {
		path := filepath.Join(t.TempDir(), "letter.md")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, errs := bench(t, t.Context(), 1, "--from", report, "--markdown", path)
		got, err := os.ReadFile(path)
		if err != nil || string(got) != text || !strings.Contains(errs, "no place for figures") {
			t.Errorf("%q: got %q, %v and %q, want it unchanged and told", text, got, err, errs)
		}
	}
}
