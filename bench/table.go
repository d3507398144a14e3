package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// writeTable writes a report for a person at a terminal.
func writeTable(out io.Writer, r *Report) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, r.Machine)
	fmt.Fprintln(w, r.Note)
	for _, s := range r.Suites {
		fmt.Fprintf(w, "\n%s: %s\n", s.Name, s.About)
		for _, n := range s.Notes {
			fmt.Fprintf(w, "  %s\n", n)
		}
		fmt.Fprintln(w)
		fmt.Fprintln(w, "  what\tfigure\tmedian\tmiddle half\tmin\tmax\tunit\trounds\tgoal")
		for _, f := range s.BySubject() {
			fmt.Fprintf(w, "  %s\t%s\t%s\t%s .. %s\t%s\t%s\t%s\t%d\t%s\n", f.Subject, f.Measure,
				short(f.Median), short(f.Q1), short(f.Q3), short(f.Min), short(f.Max), f.Unit, f.Rounds, f.Goal)
		}
	}
	writeGoals(w, r)
	writeSoak(w, r.Soak)
	writeComparison(w, r.Comparison)
	return w.Flush()
}

// String is the goal beside its figure; a figure without one has nil.
func (g *Goal) String() string {
	if g == nil {
		return ""
	}
	return fmt.Sprintf("%s (floor %s): %s", short(g.Goal), short(g.Floor), g.Verdict)
}

// writeGoals sums up what came of the goals.
func writeGoals(w io.Writer, r *Report) {
	judged := r.judged()
	if len(judged) == 0 {
		return
	}
	fmt.Fprintln(w, "\ngoals of the project, and the floors that it must not fall below")
	fmt.Fprintln(w, "  suite\twhat\tfigure\tmedian\tunit\tgoal\tfloor\tverdict")
	for _, f := range judged {
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", f.Suite, f.Subject, f.Measure, short(f.Median), f.Unit, short(f.Goal.Goal), short(f.Goal.Floor), f.Goal.Verdict)
	}
}

// writeSoak tells what grew.
func writeSoak(w io.Writer, s *Soak) {
	if s == nil {
		return
	}
	fmt.Fprintf(w, "\nover time, from %s on: %d samples\n", clockTime(seconds(s.From)), len(s.Samples))
	fmt.Fprintln(w, "  what\tat first\tat last\tunit\tchange an hour\tin this run\tchance\tverdict")
	for _, t := range s.Trends {
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\t%s\t%+.1f %%\t%s\t%s\n", t.Measure, short(t.First), short(t.Last), t.Unit, signed(t.PerHour), t.Percent, chance(t.P), t.Verdict)
	}
}

// writeComparison tells what changed.
func writeComparison(w io.Writer, c *Comparison) {
	if c == nil {
		return
	}
	fmt.Fprintf(w, "\ncompared with %s\n", c.Old)
	fmt.Fprintln(w, "  suite\twhat\tfigure\told\tnew\tunit\tchange\tchance\tverdict")
	for _, ch := range c.lastWorst() {
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\t%s\t%s\t%+.1f %%\t%s\t%s\n", ch.Suite, ch.Subject, ch.Measure, short(ch.Old), short(ch.New), ch.Unit, ch.Percent, chance(ch.P), ch.Verdict)
	}
	writeNames(w, "only in the earlier report", c.Missing)
	writeNames(w, "only in this report", c.Added)
	fmt.Fprintln(w)
	for _, text := range c.Warnings {
		fmt.Fprintf(w, "  %s\n", text)
	}
	fmt.Fprintf(w, "  %s\n", c.Summary())
}

// lastWorst gives the figures with those that matter most at the end, where a
// terminal stands still.
func (c *Comparison) lastWorst() []*Change {
	weight := map[string]int{gotBetter: 1, gotWorse: 2}
	sorted := slices.Clone(c.Figures)
	slices.SortStableFunc(sorted, func(a, b *Change) int { return weight[a.Verdict] - weight[b.Verdict] })
	return sorted
}

func writeNames(w io.Writer, title string, names []string) {
	if len(names) > 0 {
		fmt.Fprintf(w, "  %s: %s\n", title, strings.Join(names, "; "))
	}
}

// chance writes a probability.
func chance(p float64) string {
	if p < 0.001 {
		return "<0.1 %"
	}
	return strconv.FormatFloat(100*p, 'f', 1, 64) + " %"
}

func signed(v float64) string {
	if v > 0 {
		return "+" + short(v)
	}
	return short(v)
}

// String is one line about the machine.
func (m Machine) String() string {
	return fmt.Sprintf("%s, %s, bench %s, %s", m.kind(), m.Go, m.Version, m.Time.Format("2006-01-02 15:04:05 MST"))
}

// short writes a figure with two or three digits that count, and large ones
// whole, in groups of three.
func short(v float64) string {
	if math.Abs(v) < 1000 {
		digits := 2
		for x := math.Abs(v); x >= 10 && digits > 0; x /= 10 {
			digits--
		}
		for x := math.Abs(v); x > 0 && x < 0.1 && digits < 6; x *= 10 {
			digits++
		}
		return strconv.FormatFloat(v, 'f', digits, 64)
	}
	digits := strconv.FormatFloat(math.Abs(v), 'f', 0, 64)
	var b strings.Builder
	if v < 0 {
		b.WriteByte('-')
	}
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}
