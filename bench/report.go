package main

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"skinarb/internal/settings"
)

// reportFormat is the version of what --json writes. It changes when an older
// program could misread a newer report, or the other way round.
const reportFormat = 2

// Report is everything that a run found, as --json writes it.
type Report struct {
	Format      int         `json:"format"`
	Machine     Machine     `json:"machine"`
	Settings    Settings    `json:"settings"`
	Interrupted bool        `json:"interrupted"` // some figures have fewer rounds, or are missing
	Note        string      `json:"note"`
	Suites      []*Suite    `json:"suites"`
	Soak        *Soak       `json:"soak,omitempty"`       // with --soak
	Comparison  *Comparison `json:"comparison,omitempty"` // with --compare
}

// Machine is where and with what it was measured.
type Machine struct {
	OS         string    `json:"os"`
	Arch       string    `json:"arch"`
	CPU        string    `json:"cpu"` // its model, if the system tells
	CPUs       int       `json:"cpus"`
	GOMAXPROCS int       `json:"gomaxprocs"`
	Go         string    `json:"go"`
	Version    string    `json:"version"` // of this program
	Time       time.Time `json:"time"`    // of the start
}

// Settings are the flags that decide the work.
type Settings struct {
	Mode    string  `json:"mode"` // suites, target, market and its name, or soak
	Rounds  int     `json:"rounds"`
	Items   int     `json:"items"` // 0: all
	Seconds float64 `json:"seconds_per_load"`
	Seed    uint64  `json:"seed"`
}

// Suite is one suite's figures in the order in which they were first measured.
type Suite struct {
	Name    string    `json:"name"`
	About   string    `json:"about"`
	Notes   []string  `json:"notes"`
	Figures []*Figure `json:"figures"`

	small bool // the catalogs are too small for the goals, which are meant for whole ones
}

// Figure is one quantity over all rounds.
type Figure struct {
	Subject string    `json:"subject"` // what was measured
	Measure string    `json:"measure"` // which of its properties
	Unit    string    `json:"unit"`
	Better  string    `json:"better"` // higher, lower or neither
	Rounds  int       `json:"rounds"`
	Min     float64   `json:"min"`
	Q1      float64   `json:"q1"` // half of the rounds lie from Q1 to Q3
	Median  float64   `json:"median"`
	Q3      float64   `json:"q3"`
	Max     float64   `json:"max"`
	Values  []float64 `json:"values"` // of the rounds, in their order
	Goal    *Goal     `json:"goal,omitempty"`
}

// Which way a figure improves.
const (
	higher  = "higher"
	lower   = "lower"
	neither = "neither" // it describes the work
)

const sharedCores = "Simulated markets, servers and clients run in one process on loopback and share the cores: no network is measured, and ratios tell more than rates."

func newReport(o options, now time.Time) *Report {
	return &Report{
		Format: reportFormat,
		Machine: Machine{
			OS: runtime.GOOS, Arch: runtime.GOARCH, CPU: cpuModel(), CPUs: runtime.NumCPU(), GOMAXPROCS: runtime.GOMAXPROCS(0),
			Go: runtime.Version(), Version: settings.Version(), Time: now.UTC().Truncate(time.Second),
		},
		Settings: Settings{Mode: o.mode(), Rounds: o.rounds, Items: o.items, Seconds: o.length.Seconds(), Seed: o.seed},
		Note:     o.note(),
		Suites:   []*Suite{},
	}
}

func (r *Report) suite(name, about string) *Suite {
	s := &Suite{Name: name, About: about, Notes: []string{}, Figures: []*Figure{}, small: r.Settings.Items > 0 && r.Settings.Items < wholeCatalog}
	r.Suites = append(r.Suites, s)
	return s
}

// note adds a remark that a reader of the figures needs, once.
func (s *Suite) note(format string, args ...any) {
	if n := fmt.Sprintf(format, args...); !slices.Contains(s.Notes, n) {
		s.Notes = append(s.Notes, n)
	}
}

// add takes one round's value of a figure.
func (s *Suite) add(subject, measure, unit string, value float64) {
	i := slices.IndexFunc(s.Figures, func(f *Figure) bool { return f.Subject == subject && f.Measure == measure })
	if i < 0 {
		i = len(s.Figures)
		f := &Figure{Subject: subject, Measure: measure, Unit: unit, Better: better(unit)}
		if !s.small {
			f.Goal = goalOf(s.Name, subject, measure)
		}
		s.Figures = append(s.Figures, f)
	}
	s.Figures[i].take(value)
}

func (f *Figure) take(value float64) {
	f.Values = append(f.Values, value)
	f.recount()
}

// recount works out everything that follows from the values, which are not none.
func (f *Figure) recount() {
	ascending := slices.Sorted(slices.Values(f.Values))
	f.Rounds = len(ascending)
	f.Min, f.Max = ascending[0], ascending[len(ascending)-1]
	f.Q1, f.Median, f.Q3 = quantile(ascending, 0.25), quantile(ascending, 0.5), quantile(ascending, 0.75)
	if f.Goal != nil {
		f.Goal.judge(f.Median, f.Better)
	}
}

// better tells which way a unit improves: rates and ratios upwards, times and
// sizes downwards.
func better(unit string) string {
	switch {
	case strings.HasSuffix(unit, "/s") || unit == "x":
		return higher
	case unit == "% of items" || unit == "items":
		return neither
	}
	return lower
}

// judged gives the figures that have a goal, by suite.
func (r *Report) judged() (found []judgedFigure) {
	for _, s := range r.Suites {
		for _, f := range s.Figures {
			if f.Goal != nil {
				found = append(found, judgedFigure{s.Name, f})
			}
		}
	}
	return found
}

type judgedFigure struct {
	Suite string
	*Figure
}

// cpuModel names the processor as Linux does; empty elsewhere.
func cpuModel() string {
	text, _ := os.ReadFile("/proc/cpuinfo") // not there: not told
	for line := range strings.Lines(string(text)) {
		if name, model, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(model)
		}
	}
	return ""
}

// BySubject gives the figures with those of one subject side by side: its ratio
// to a peer belongs beside what it is the ratio of.
func (s *Suite) BySubject() []*Figure {
	first := map[string]int{}
	for i, f := range s.Figures {
		if _, ok := first[f.Subject]; !ok {
			first[f.Subject] = i
		}
	}
	sorted := slices.Clone(s.Figures)
	slices.SortStableFunc(sorted, func(a, b *Figure) int { return first[a.Subject] - first[b.Subject] })
	return sorted
}
