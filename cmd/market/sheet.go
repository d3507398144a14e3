package main

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"charm.land/lipgloss/v2"
)

// sheet is what a command answers: rows under named columns, written as a table
// or as JSON. It is used by one goroutine.
//
// As JSON, a list is an array with a row on each line, written as rows come. An
// array that was not closed is an answer that broke off; the exit status says
// so, too. What is live has no end, and so no brackets: an object on each line.
type sheet struct {
	w       io.Writer
	columns []string
	brief   []string // those that a table of several rows shows
	single  bool     // one thing, not a list
	live    bool     // rows are written as they come
	longest []string // of what is live: what the columns have room for
	json    bool
	colour  bool
	zone    *time.Location // of times in a table
	limit   int            // rows; 0 means all
	state   string         // only rows with it in their column state; empty means all
	words   []string       // only rows with all of these in their column name, in lower case

	seen, fit, written int
	otherStates        []string // that were seen and not asked for
	rows               [][]any  // of a table, which is written when all are known
	widths             []int    // of the columns of a table, kept while it is live
	err                error    // the first of writing
}

func newSheet(w io.Writer, c *command, in *input, zone *time.Location, colour bool) *sheet {
	return &sheet{
		w: w, columns: c.columns, brief: c.brief, single: c.single, live: c.live, longest: c.longest,
		json: in.on(asJSON.name), colour: colour, zone: zone,
		limit: in.limit, state: in.given[byState.name],
		words: strings.Fields(strings.ToLower(in.given[byName.name])),
	}
}

// add takes a row, a value for each column. A nil value was not told.
func (s *sheet) add(values ...any) {
	s.seen++
	if i := slices.Index(s.columns, byState.name); s.state != "" && i >= 0 {
		if state := plain(values[i]); state != s.state {
			if !slices.Contains(s.otherStates, state) && len(s.otherStates) < 20 {
				s.otherStates = append(s.otherStates, state)
			}
			return
		}
	}
	if i := slices.Index(s.columns, byName.name); i >= 0 {
		name := strings.ToLower(plain(values[i]))
		if slices.ContainsFunc(s.words, func(w string) bool { return !strings.Contains(name, w) }) {
			return
		}
	}
	s.fit++
	if s.limit > 0 && s.written == s.limit {
		return
	}
	s.written++
	if s.json {
		s.addJSON(values)
		return
	}
	s.rows = append(s.rows, values)
	if s.live {
		s.writeTable()
		s.rows = nil
	}
}

// touched tells whether anything was added.
func (s *sheet) touched() bool { return s.seen > 0 }

// end writes what is left to write. After an answer that is not whole, an array
// stays open.
func (s *sheet) end(whole bool) error {
	switch {
	case s.json:
		s.endJSON(whole)
	case s.single:
		s.writeSingle()
	case len(s.rows) == 1 && s.brief != nil: // one row has room for everything
		s.writeSingle()
	default:
		s.writeTable()
	}
	return s.err
}

// summary tells a person what the rows do not show.
func (s *sheet) summary() string {
	switch {
	case s.single, s.json && s.seen == 0:
		return ""
	case s.seen == 0:
		return "none"
	case s.fit == 0 && s.state == "":
		return fmt.Sprintf("none of %d", s.seen)
	case s.fit == 0:
		return fmt.Sprintf("none of %d is in the state %s; there are %s", s.seen, s.state, strings.Join(s.otherStates, ", "))
	case s.written < s.fit:
		return fmt.Sprintf("%d of %d; --limit 0 shows all", s.written, s.fit)
	}
	return ""
}

func (s *sheet) print(text string) {
	if s.err == nil {
		_, s.err = io.WriteString(s.w, text)
	}
}

// gap is between two columns.
const gap = "  "

// writeTable aligns the columns: numbers to the right, amounts at the point. What
// is live stays under the headings of its first row; a cell that is wider moves
// the rest of its own row.
func (s *sheet) writeTable() {
	if len(s.rows) == 0 {
		return
	}
	cells := make([][]string, len(s.rows))
	for i, row := range s.rows {
		cells[i] = make([]string, len(row))
		for j, v := range row {
			cells[i][j] = s.text(v)
		}
	}
	first := s.widths == nil
	if first {
		s.widths = make([]int, len(s.columns))
		for j, text := range s.longest {
			s.widths[j] = lipgloss.Width(text)
		}
	}
	widths := s.widths
	right := make([]bool, len(s.columns))
	hidden := make([]bool, len(s.columns))
	for j, name := range s.columns {
		hidden[j] = s.brief != nil && !slices.Contains(s.brief, name)
		right[j] = alignPoints(s.rows, cells, j)
		if !first {
			continue
		}
		widths[j] = max(widths[j], lipgloss.Width(heading(name)))
		for i := range cells {
			widths[j] = max(widths[j], lipgloss.Width(cells[i][j]))
		}
	}
	var b strings.Builder
	line := func(cell func(j int) string, paint func(j int, text string) string) {
		var l strings.Builder
		for j := range s.columns {
			if hidden[j] {
				continue
			}
			text := cell(j)
			space := strings.Repeat(" ", max(0, widths[j]-lipgloss.Width(text)))
			if right[j] {
				l.WriteString(space + paint(j, text) + gap)
			} else {
				l.WriteString(paint(j, text) + space + gap)
			}
		}
		b.WriteString(strings.TrimRight(l.String(), " ") + "\n")
	}
	if first {
		line(func(j int) string { return heading(s.columns[j]) }, func(_ int, text string) string { return s.paint(faint, text) })
	}
	for i := range cells {
		line(func(j int) string { return cells[i][j] }, func(j int, text string) string {
			if s.columns[j] == byState.name {
				return s.paint(toneOf(text), text)
			}
			return text
		})
	}
	s.print(b.String())
}

// writeSingle writes one thing, a line for each of its values.
func (s *sheet) writeSingle() {
	widest := 0
	for _, name := range s.columns {
		widest = max(widest, lipgloss.Width(heading(name)))
	}
	for _, row := range s.rows {
		for j, v := range row {
			name, text := heading(s.columns[j]), s.text(v)
			if s.columns[j] == byState.name {
				text = s.paint(toneOf(text), text)
			}
			s.print(s.paint(faint, name) + strings.Repeat(" ", widest-lipgloss.Width(name)) + gap + text + "\n")
		}
	}
}

// heading is a column's name as a person reads it.
func heading(name string) string { return strings.ReplaceAll(name, "_", " ") }

// tone is the meaning of a word, shown as a colour.
type tone string

const (
	plainly tone = ""
	good    tone = "2"
	bad     tone = "1"
	odd     tone = "3"
	faint   tone = "8"
)

// tones are those of the markets' words for states. Others stay as they are.
var tones = map[string]tone{
	"accepted": good, "finished": good, "success": good, "hold_approved": good, "on_sale": good, "online": good, "available": good,

	"canceled": bad, "timeout": bad, "invalid_trade_token": bad, "user_not_tradable": bad, "trade_create_error": bad,
	"rollback_user": bad, "rollback_supplier": bad, "fail": bad, "hold_returned": bad, "failed": bad, "penalized": bad,
	"refused": bad, "unavailable": bad,

	"creating_trade": odd, "waiting_accept": odd, "pending": odd, "in_hold": odd, "created": odd, "processing": odd,
	"sent": odd, "offline": odd, "offered": odd,
}

func toneOf(state string) tone { return tones[state] }

func (s *sheet) paint(t tone, text string) string {
	if !s.colour || t == plainly {
		return text
	}
	return lipgloss.NewStyle().Foreground(lipgloss.Color(string(t))).Render(text)
}

// addJSON writes a row as an object with its columns in their order.
func (s *sheet) addJSON(values []any) {
	var b bytes.Buffer
	if !s.single && !s.live {
		b.WriteString(map[bool]string{true: "[\n", false: ",\n"}[s.written == 1])
	}
	b.WriteByte('{')
	for j, name := range s.columns {
		if j > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%q: ", name)
		if err := writeJSON(&b, values[j]); err != nil && s.err == nil {
			s.err = err
		}
	}
	b.WriteByte('}')
	if s.single || s.live {
		b.WriteByte('\n')
	}
	s.print(b.String())
}

func (s *sheet) endJSON(whole bool) {
	switch {
	case s.single, s.live:
	case !whole:
		s.print("\n")
	case s.written == 0:
		s.print("[]\n")
	default:
		s.print("\n]\n")
	}
}
