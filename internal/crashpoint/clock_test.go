//go:build crashpoints

package crashpoint

import (
	"testing"
	"time"
)

func TestSetMovesTheWallClockOnly(t *testing.T) {
	for _, offset := range []time.Duration{0, -time.Hour, time.Hour, -30 * 24 * time.Hour, 3 * time.Second} {
		now := time.Now()
		moved := set(now, offset)
		if got := moved.Unix() - now.Unix(); got != int64(offset/time.Second) {
			t.Errorf("set by %v: got the wall clock moved by %d s", offset, got)
		}
		if got := moved.Nanosecond(); got != now.Nanosecond() {
			t.Errorf("set by %v: got %d ns, want %d", offset, got, now.Nanosecond())
		}
		if got := moved.Sub(now); got != 0 {
			t.Errorf("set by %v: got an elapsed time of %v, want none", offset, got)
		}
	}
}
