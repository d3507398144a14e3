package pricefeed

import (
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/lmittmann/tint"
	"golang.org/x/term"
)

// NewLogger gives a logger in the wanted format: auto is text on a terminal and
// JSON elsewhere.
func NewLogger(w io.Writer, format string, level slog.Level) *slog.Logger {
	terminal := IsTerminal(w)
	switch {
	case format == "text" && !terminal:
		return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
	case format == "json" || !terminal:
		return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: withUnits}))
	}
	return slog.New(tint.NewTextHandler(w, &tint.Options{Level: level, TimeFormat: time.TimeOnly, NoColor: os.Getenv("NO_COLOR") != ""}))
}

// withUnits writes durations as text does: JSON would have bare nanoseconds.
func withUnits(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.StringValue(a.Value.Duration().String())
	}
	return a
}

// IsTerminal tells whether w is a screen that a person looks at.
func IsTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
