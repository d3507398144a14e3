package main

import (
	"fmt"
	"io"
	"math"
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
		fmt.Fprintln(w, "  what\tfigure\tmedian\tmin\tmax\tunit\trounds")
		for _, f := range s.Figures {
			fmt.Fprintf(w, "  %s\t%s\t%s\t%s\t%s\t%s\t%d\n", f.Subject, f.Measure, short(f.Median), short(f.Min), short(f.Max), f.Unit, f.Rounds)
		}
	}
	return w.Flush()
}

// String is one line about the machine.
func (m Machine) String() string {
	return fmt.Sprintf("%s/%s, %d CPUs (GOMAXPROCS %d), %s, bench %s, %s", m.OS, m.Arch, m.CPUs, m.GOMAXPROCS, m.Go, m.Version, m.Time.Format("2006-01-02 15:04:05 MST"))
}

// short writes a figure with three digits that count, and large ones whole, in
// groups of three.
func short(v float64) string {
	if math.Abs(v) < 1000 {
		digits := 2
		for x := math.Abs(v); x >= 10 && digits > 0; x /= 10 {
			digits--
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
