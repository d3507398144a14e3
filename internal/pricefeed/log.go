package pricefeed

import (
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"time"

	"github.com/lmittmann/tint"
	"golang.org/x/term"
)

// Version names the build: the module's version, or the commit it was built from.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return "devel-" + s.Value[:min(12, len(s.Value))]
		}
	}
	return "devel"
}

// NewLogger gives a logger in the wanted format: auto is text on a terminal and
// JSON elsewhere.
func NewLogger(w io.Writer, format string, level slog.Level) *slog.Logger {
	terminal := IsTerminal(w)
	switch {
	case format == "text" && !terminal:
		return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
	case format == "json" || !terminal:
		return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level}))
	}
	return slog.New(tint.NewTextHandler(w, &tint.Options{Level: level, TimeFormat: time.TimeOnly, NoColor: os.Getenv("NO_COLOR") != ""}))
}

// IsTerminal tells whether w is a screen that a person looks at.
func IsTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
