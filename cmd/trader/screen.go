package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"charm.land/lipgloss/v2"

	"skinarb/internal/pricefeed"
)

// screen is what the demo tells a person, line by line. Colours only appear on
// a terminal. It is safe for concurrent use.
type screen struct {
	mu     sync.Mutex
	w      io.Writer
	colour bool
}

func newScreen(w io.Writer) *screen {
	return &screen{w: w, colour: pricefeed.IsTerminal(w) && os.Getenv("NO_COLOR") == ""}
}

// tone is the meaning of a line, shown as a colour.
type tone string

const (
	plain tone = ""
	good  tone = "2"
	bad   tone = "1"
	odd   tone = "3"
	faint tone = "8"
)

// say prints a line: the time, a word for what it is about, and the text.
func (s *screen) say(t tone, word, format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	head := fmt.Sprintf("%-10s", word)
	clock := time.Now().Format(time.TimeOnly)
	if s.colour {
		clock = lipgloss.NewStyle().Foreground(lipgloss.Color(string(faint))).Render(clock)
		if t != plain {
			head = lipgloss.NewStyle().Foreground(lipgloss.Color(string(t))).Render(head)
		}
	}
	fmt.Fprintf(s.w, "%s  %s %s\n", clock, head, fmt.Sprintf(format, args...))
}

// block prints text as it is.
func (s *screen) block(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintln(s.w, strings.TrimRight(text, "\n"))
}
