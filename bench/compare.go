package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
)

// A change counts if chance would explain it in less than maxChance of cases, and
// if it is more than minChange: a small one can be certain, and of no interest.
const (
	maxChance = 0.05
	minChange = 0.03
)

// Bounds of a report that is read.
const (
	maxReport = 64 << 20 // bytes
	maxValues = 10_000   // of a figure
)

// Comparison is a report beside an earlier one.
type Comparison struct {
	Old      Machine   `json:"old"`
	Warnings []string  `json:"warnings"` // what makes the two hard to compare
	Figures  []*Change `json:"figures"`  // in the order of the newer report
	Missing  []string  `json:"missing"`  // figures that only the earlier one has
	Added    []string  `json:"added"`    // figures that only the newer one has

	anotherMachine, otherWork bool
}

// Change is a figure then and now.
type Change struct {
	Suite   string  `json:"suite"`
	Subject string  `json:"subject"`
	Measure string  `json:"measure"`
	Unit    string  `json:"unit"`
	Better  string  `json:"better"`
	Old     float64 `json:"old"` // medians
	New     float64 `json:"new"`
	Percent float64 `json:"percent"` // by how much New differs from Old; 100 when Old is 0 and New is not
	P       float64 `json:"p"`       // that chance alone makes such a difference
	Verdict string  `json:"verdict"` // one of the verdicts below
}

// Verdicts on a change.
const (
	gotBetter    = "better"
	gotWorse     = "worse"
	same         = "same" // or not told apart
	differs      = "differs"
	tooFew       = "too few rounds"
	otherMachine = "another machine"
	otherWork    = "other work"
)

// compare puts a report beside an earlier one of the same mode.
func compare(before, now *Report) (*Comparison, error) {
	if before.Settings.Mode != now.Settings.Mode {
		return nil, fmt.Errorf("--compare: the earlier report is of %q, this one of %q", before.Settings.Mode, now.Settings.Mode)
	}
	c := &Comparison{Old: before.Machine, Warnings: []string{}, Figures: []*Change{}, Missing: []string{}, Added: []string{}}
	c.warn(before, now)
	old := map[[3]string]*Figure{}
	for _, s := range before.Suites {
		for _, f := range s.Figures {
			old[[3]string{s.Name, f.Subject, f.Measure}] = f
		}
	}
	for _, s := range now.Suites {
		for _, f := range s.Figures {
			key := [3]string{s.Name, f.Subject, f.Measure}
			was := old[key]
			if was == nil || was.Unit != f.Unit {
				c.Added = append(c.Added, strings.Join(key[:], ": "))
				continue
			}
			delete(old, key)
			c.Figures = append(c.Figures, c.judge(s.Name, was, f))
		}
	}
	for _, s := range before.Suites {
		for _, f := range s.Figures {
			if key := [3]string{s.Name, f.Subject, f.Measure}; old[key] != nil {
				c.Missing = append(c.Missing, strings.Join(key[:], ": "))
			}
		}
	}
	return c, nil
}

// warn notes how the two runs differ in what no figure shows.
func (c *Comparison) warn(before, now *Report) {
	say := func(format string, args ...any) { c.Warnings = append(c.Warnings, fmt.Sprintf(format, args...)) }
	if before.Machine.kind() != now.Machine.kind() {
		c.anotherMachine = true
		say("The machines differ, %s then and %s now: only ratios to peers of the same run are judged.", before.Machine.kind(), now.Machine.kind())
	}
	if before.Settings.Items != now.Settings.Items || before.Settings.Seed != now.Settings.Seed {
		c.otherWork = true
		say("The work differs, --items %d --seed %d then and --items %d --seed %d now: nothing is judged.", before.Settings.Items, before.Settings.Seed, now.Settings.Items, now.Settings.Seed)
	}
	if before.Settings.Seconds != now.Settings.Seconds {
		say("Loads lasted %gs then and %gs now, which moves tails and warm-ups.", before.Settings.Seconds, now.Settings.Seconds)
	}
	if before.Machine.Go != now.Machine.Go {
		say("It was %s then and is %s now.", before.Machine.Go, now.Machine.Go)
	}
	if before.Interrupted || now.Interrupted {
		say("One of the runs was interrupted.")
	}
}

// kind is what two machines must have in common for their times to be compared.
func (m Machine) kind() string {
	kind := fmt.Sprintf("%s/%s with %d CPUs", m.OS, m.Arch, m.CPUs)
	if m.GOMAXPROCS != m.CPUs {
		kind += fmt.Sprintf(" (GOMAXPROCS %d)", m.GOMAXPROCS)
	}
	if m.CPU != "" {
		kind += ", " + m.CPU
	}
	return kind
}

func (c *Comparison) judge(suite string, was, is *Figure) *Change {
	ch := &Change{
		Suite: suite, Subject: is.Subject, Measure: is.Measure, Unit: is.Unit, Better: is.Better,
		Old: was.Median, New: is.Median, P: mannWhitney(was.Values, is.Values),
	}
	switch {
	case was.Median != 0:
		ch.Percent = 100 * (is.Median - was.Median) / math.Abs(was.Median)
	case is.Median != 0:
		ch.Percent = math.Copysign(100, is.Median)
	}
	switch {
	case c.otherWork:
		ch.Verdict = otherWork
	case c.anotherMachine && is.Unit != "x":
		ch.Verdict = otherMachine
	case leastP(len(was.Values), len(is.Values)) >= maxChance:
		ch.Verdict = tooFew
	case ch.P >= maxChance || math.Abs(ch.Percent) <= 100*minChange:
		ch.Verdict = same
	case is.Better == neither:
		ch.Verdict = differs
	case (ch.Percent > 0) == (is.Better == higher):
		ch.Verdict = gotBetter
	default:
		ch.Verdict = gotWorse
	}
	return ch
}

// count tells how many figures have a verdict.
func (c *Comparison) count(verdict string) (n int) {
	for _, ch := range c.Figures {
		if ch.Verdict == verdict {
			n++
		}
	}
	return n
}

// regressed tells whether something of ours got worse. In a run of suites only
// what does not depend on the mood of the machine counts: a ratio to a peer, and
// what is counted by the piece. A peer that got slower by itself is no harm.
func (c *Comparison) regressed(mode string) bool {
	return slices.ContainsFunc(c.Figures, func(ch *Change) bool {
		steady := ch.Unit == "x" || strings.HasPrefix(ch.Unit, "/") || strings.HasPrefix(ch.Unit, "B/")
		return ch.Verdict == gotWorse && (steady || mode != suitesMode)
	})
}

// Summary is the comparison in a sentence.
func (c *Comparison) Summary() string {
	judged := c.count(gotBetter) + c.count(gotWorse) + c.count(same)
	text := fmt.Sprintf("%d figures got better, %d worse, %d can't be told apart.", c.count(gotBetter), c.count(gotWorse), c.count(same))
	if n := len(c.Figures) - judged; n > 0 {
		text += fmt.Sprintf(" %d were not judged.", n)
	}
	if judged > 0 {
		text += fmt.Sprintf(" Of %d figures chance alone moves up to %d; one that moved with its ratio to a peer is more likely to be real.", judged, int(math.Ceil(float64(judged)*maxChance)))
	}
	return text
}

// readReport reads what --json wrote.
func readReport(path string) (*Report, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := decodeReport(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// decodeReport reads a report and checks all that is relied on: the file may be
// anybody's.
func decodeReport(in io.Reader) (*Report, error) {
	data, err := io.ReadAll(io.LimitReader(in, maxReport+1))
	switch {
	case err != nil:
		return nil, err
	case len(data) > maxReport:
		return nil, fmt.Errorf("it is larger than %d MiB, which no report is", maxReport>>20)
	}
	var version struct {
		Format  int             `json:"format"`
		Machine json.RawMessage `json:"machine"`
	}
	if err := json.Unmarshal(data, &version); err != nil {
		return nil, fmt.Errorf("it is not a report of --json: %w", err)
	}
	switch {
	case version.Machine == nil:
		return nil, errors.New("it is not a report of --json: it names no machine")
	case version.Format < reportFormat:
		return nil, errors.New("it was written by an older bench, without the values of each round; measure again with this one")
	case version.Format > reportFormat:
		return nil, fmt.Errorf("it has format %d, and this bench reads format %d: use the bench that wrote it, or a newer one", version.Format, reportFormat)
	}
	r := &Report{}
	if err := json.Unmarshal(data, r); err != nil {
		return nil, fmt.Errorf("it is not a report of --json: %w", err)
	}
	for i, s := range r.Suites {
		if s == nil {
			return nil, fmt.Errorf("suite %d of it is null", i+1)
		}
		for k, f := range s.Figures {
			if f == nil {
				return nil, fmt.Errorf("figure %d of suite %q is null", k+1, s.Name)
			}
			if len(f.Values) == 0 || len(f.Values) > maxValues {
				return nil, fmt.Errorf("%s: %s: %s: it has %d values, where 1 to %d are possible", s.Name, f.Subject, f.Measure, len(f.Values), maxValues)
			}
			f.recount()
		}
	}
	return r, nil
}
