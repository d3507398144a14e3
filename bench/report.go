package main

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"skinarb/internal/settings"
)

// Report is everything that a run found, as --json writes it.
type Report struct {
	Machine     Machine  `json:"machine"`
	Settings    Settings `json:"settings"`
	Interrupted bool     `json:"interrupted"` // some figures have fewer rounds, or are missing
	Note        string   `json:"note"`
	Suites      []*Suite `json:"suites"`
}

// Machine is where and with what it was measured.
type Machine struct {
	OS         string    `json:"os"`
	Arch       string    `json:"arch"`
	CPUs       int       `json:"cpus"`
	GOMAXPROCS int       `json:"gomaxprocs"`
	Go         string    `json:"go"`
	Version    string    `json:"version"` // of this program
	Time       time.Time `json:"time"`    // of the start
}

// Settings are the flags that decide the work.
type Settings struct {
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
}

// Figure is one quantity over all rounds.
type Figure struct {
	Subject string  `json:"subject"` // what was measured
	Measure string  `json:"measure"` // which of its properties
	Unit    string  `json:"unit"`
	Better  string  `json:"better"` // higher or lower
	Rounds  int     `json:"rounds"`
	Min     float64 `json:"min"`
	Median  float64 `json:"median"`
	Max     float64 `json:"max"`

	values []float64 // ascending
}

const sharedCores = "Simulated markets, servers and clients run in one process on loopback and share the cores: no network is measured, and ratios tell more than rates."

func newReport(o options, now time.Time) *Report {
	return &Report{
		Machine: Machine{
			OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU(), GOMAXPROCS: runtime.GOMAXPROCS(0),
			Go: runtime.Version(), Version: settings.Version(), Time: now.UTC().Truncate(time.Second),
		},
		Settings: Settings{Rounds: o.rounds, Items: o.items, Seconds: o.length.Seconds(), Seed: o.seed},
		Note:     sharedCores,
		Suites:   []*Suite{},
	}
}

func (r *Report) suite(name, about string) *Suite {
	s := &Suite{Name: name, About: about, Notes: []string{}, Figures: []*Figure{}}
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
		s.Figures = append(s.Figures, &Figure{Subject: subject, Measure: measure, Unit: unit, Better: better(unit)})
	}
	s.Figures[i].take(value)
}

func (f *Figure) take(value float64) {
	at, _ := slices.BinarySearch(f.values, value)
	f.values = slices.Insert(f.values, at, value)
	n := len(f.values)
	f.Rounds, f.Min, f.Max = n, f.values[0], f.values[n-1]
	f.Median = (f.values[(n-1)/2] + f.values[n/2]) / 2
}

// better tells which way a unit improves: rates and ratios upwards, times and
// sizes downwards.
func better(unit string) string {
	if strings.HasSuffix(unit, "/s") || unit == "x" {
		return "higher"
	}
	return "lower"
}
