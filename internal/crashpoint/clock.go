//go:build crashpoints

package crashpoint

import (
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"time"
	"unsafe"
)

// lookEvery is how often the file is read, while the time is asked for.
const lookEvery = 100 * time.Millisecond

var clockFile = os.Getenv("SKINARB_CLOCK_FILE")

// setting is how far the clock is off.
type setting struct {
	offset time.Duration
	read   time.Time
}

var clock atomic.Pointer[setting]

// Now is the time by the clock on the wall, which tests set; how long ago
// something was by the time since the start of the machine it leaves alone, as
// setting a clock does.
func Now() time.Time {
	now := time.Now()
	if clockFile == "" {
		return now
	}
	s := clock.Load()
	if s == nil || now.Sub(s.read) >= lookEvery {
		s = &setting{offset: readClock(), read: now}
		clock.Store(s)
	}
	return set(now, s.offset)
}

// readClock panics when the file does not say how far the clock is off: a test
// that sets no clock proves nothing.
func readClock() time.Duration {
	b, err := os.ReadFile(clockFile)
	if err != nil {
		panic("SKINARB_CLOCK_FILE: " + err.Error())
	}
	d, err := time.ParseDuration(strings.TrimSpace(string(b)))
	if err != nil {
		panic("SKINARB_CLOCK_FILE: " + err.Error())
	}
	return d
}

// set moves the wall clock's reading within t, in whole seconds, and not the
// monotonic one: Add would move both. The layout is that of time.Time: a bit
// that says there are two readings, 33 bits of seconds, 30 of nanoseconds.
func set(t time.Time, offset time.Duration) time.Time {
	moved := t
	wall := (*uint64)(unsafe.Pointer(&moved))
	*wall += uint64(int64(offset/time.Second)) << 30
	if got := moved.Round(0).Sub(t.Round(0)); got != offset.Truncate(time.Second) || moved.Sub(t) != 0 {
		panic(fmt.Sprintf("the layout of time.Time has changed: set by %v, moved by %v and %v", offset, got, moved.Sub(t)))
	}
	return moved
}
