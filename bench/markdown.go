package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// Lines between which --markdown writes. Whatever else a file says stays.
const (
	markdownBegin = "<!-- figures of bench begin; --markdown replaces all until they end -->"
	markdownEnd   = "<!-- figures of bench end -->"
)

// document is a Markdown file with a place for a report.
type document struct {
	file          *os.File
	before, after string
}

// openDocument opens a file that has the two lines, or makes a new one.
func openDocument(path string) (d *document, err error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			file.Close()
		}
	}()
	text, err := io.ReadAll(file)
	if err != nil {
		return nil, err
	}
	if len(text) == 0 {
		return &document{file: file}, nil
	}
	before, rest, begins := strings.Cut(string(text), markdownBegin)
	_, after, ends := strings.Cut(rest, markdownEnd)
	if !begins || !ends {
		return nil, fmt.Errorf("%s has no place for figures: it needs the lines\n%s\n%s", path, markdownBegin, markdownEnd)
	}
	return &document{file, before, strings.TrimPrefix(after, "\n")}, nil
}

// write puts a report in its place.
func (d *document) write(r *Report) error {
	text := d.before + markdownBegin + "\n" + markdown(r) + markdownEnd + "\n" + d.after
	if err := d.file.Truncate(0); err != nil {
		return err
	}
	_, err := d.file.WriteAt([]byte(text), 0)
	return err
}

// markdown writes a report as one table for each suite.
func markdown(r *Report) string {
	var b strings.Builder
	b.WriteString("\n" + markdownSummary(r))
	for _, s := range r.Suites {
		fmt.Fprintf(&b, "### %s\n\n%s.\n\n", s.Name, upperFirst(s.About))
		for _, n := range s.Notes {
			fmt.Fprintf(&b, "- %s\n", n)
		}
		b.WriteString("\n| what | figures | beside what | ratio | goal (floor) | verdict |\n| --- | --- | --- | --- | --- | --- |\n")
		for _, row := range markdownRows(s) {
			b.WriteString("| " + strings.Join(row[:], " | ") + " |\n")
		}
		b.WriteString("\n")
	}
	if r.Soak != nil {
		b.WriteString("### over time\n\n| what | at first | at last | change an hour | verdict |\n| --- | --- | --- | --- | --- |\n")
		for _, t := range r.Soak.Trends {
			fmt.Fprintf(&b, "| %s | %s %s | %s | %s | %s |\n", t.Measure, short(t.First), t.Unit, short(t.Last), signed(t.PerHour), t.Verdict)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// markdownSummary tells where it was measured and what came of the goals.
func markdownSummary(r *Report) string {
	text := fmt.Sprintf("%s. %s. Brackets hold the middle half of the rounds.", r.Machine, r.Settings)
	if r.Interrupted {
		text += " The run was interrupted."
	}
	count := map[string]int{}
	for _, f := range r.judged() {
		count[f.Goal.Verdict]++
	}
	if len(count) > 0 {
		text += fmt.Sprintf("\n\nOf the goals %d are reached, %d are missed but above their floor, %d are below it.", count[reached], count[aboveFloor], count[belowFloor])
	}
	return text + "\n\n"
}

// String tells how long was measured, and with what.
func (s Settings) String() string {
	items := "all items"
	if s.Items > 0 {
		items = itemsSubject(s.Items)
	}
	return fmt.Sprintf("%d rounds, loads of %g s, %s, seed %d", s.Rounds, s.Seconds, items, s.Seed)
}

// markdownRow has the cells of the table's columns.
type markdownRow [6]string

// markdownRows gives one row for each subject with all that has no goal, and
// more for its other ratios and for what has one.
func markdownRows(s *Suite) (rows []markdownRow) {
	figures := s.BySubject()
	for len(figures) > 0 {
		subject := figures[0].Subject
		n := slices.IndexFunc(figures, func(f *Figure) bool { return f.Subject != subject })
		if n < 0 {
			n = len(figures)
		}
		var plain []string
		var further []markdownRow
		for _, f := range figures[:n] {
			figure := fmt.Sprintf("%s (%s .. %s)", short(f.Median), short(f.Q1), short(f.Q3))
			switch {
			case f.Unit == "x":
				further = append(further, markdownRow{2: f.Measure, 3: figure})
			case f.Goal != nil:
				further = append(further, markdownRow{1: cell(f.Measure, figure, f.Unit)})
			case len(plain) == 0:
				plain = append(plain, cell(f.Measure, figure, f.Unit))
				continue
			default:
				plain = append(plain, cell(f.Measure, short(f.Median), f.Unit))
				continue
			}
			if g := f.Goal; g != nil {
				row := &further[len(further)-1]
				row[4], row[5] = fmt.Sprintf("%s (%s)", short(g.Goal), short(g.Floor)), g.Verdict
			}
		}
		if text := strings.Join(plain, "; "); len(further) > 0 && further[0][1] == "" {
			further[0][1] = text
		} else if text != "" {
			further = slices.Insert(further, 0, markdownRow{1: text})
		}
		further[0][0] = strings.ReplaceAll(subject, "|", `\|`)
		rows, figures = append(rows, further...), figures[n:]
	}
	return rows
}

// cell names a figure, unless its unit does already.
func cell(measure, figure, unit string) string {
	if strings.HasPrefix(unit, measure) {
		return figure + " " + unit
	}
	return measure + " " + figure + " " + unit
}

func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
