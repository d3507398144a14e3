//go:build crashpoints

package crashpoint

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
)

// fatal is where this process ends: at left more times that it comes there.
var fatal, left = parse(os.Getenv("SKINARB_CRASH_AT"))

func parse(s string) (label string, times *atomic.Int64) {
	times = new(atomic.Int64)
	times.Store(1)
	label, n, counted := strings.Cut(s, ":")
	if counted {
		nth, err := strconv.ParseInt(n, 10, 64)
		if err != nil || nth < 1 {
			panic(fmt.Sprintf("SKINARB_CRASH_AT: %q is not label or label:n", s))
		}
		times.Store(nth)
	}
	if label != "" && !slices.Contains(Labels, label) {
		panic(fmt.Sprintf("SKINARB_CRASH_AT: no label %q", label))
	}
	return label, times
}

// At ends the process if it was told to end here, and does not return then.
func At(label string) {
	if label != fatal || left.Add(-1) != 0 {
		return
	}
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Kill()
	}
	if err != nil {
		panic("crash point: " + err.Error())
	}
	select {} // the signal is on its way
}

// Then gives a function that calls f and comes to At(label).
func Then(f func(), label string) func() {
	return func() {
		f()
		At(label)
	}
}
