package pricefeed

import (
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestDurationsHaveUnits(t *testing.T) {
	for _, format := range []string{"json", "text"} {
		var out strings.Builder
		NewLogger(&out, format, slog.LevelInfo).Info("pulled", "took", 1167*time.Millisecond)
		if !strings.Contains(out.String(), "1.167s") {
			t.Errorf("%s: got %s, want 1.167s", format, out.String())
		}
	}
}
