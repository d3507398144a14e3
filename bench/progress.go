package main

import (
	"fmt"
	"io"

	"skinarb/internal/pricefeed"
)

// progress tells a person what is being measured: in one line that is written
// over on a terminal, in a line for each step elsewhere.
type progress struct {
	w        io.Writer
	terminal bool
	last     string
}

func newProgress(w io.Writer) *progress { return &progress{w: w, terminal: pricefeed.IsTerminal(w)} }

func (p *progress) say(text string) {
	if p.terminal {
		fmt.Fprintf(p.w, "\r\x1b[K%.78s", text)
		return
	}
	fmt.Fprintln(p.w, text)
}

// round tells that a task of a round begins; elsewhere than on a terminal only
// that the round does.
func (p *progress) round(suite string, n, of int, task string) {
	line := fmt.Sprintf("%s: round %d of %d", suite, n, of)
	if p.terminal {
		p.say(line + ", " + task)
		return
	}
	if line != p.last {
		p.last = line
		p.say(line)
	}
}

// end clears the line.
func (p *progress) end() {
	if p.terminal {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
