package simulation

import (
	"runtime"
	"slices"
	"testing"
)

// TestReplay runs seeds twice, with one processor and with several (but under the
// race detector), and compares every step.
func TestReplay(t *testing.T) {
	for seed := *fromSeed; seed < *fromSeed+uint64(*replays); seed++ {
		first := watched(t, seed, mutation{})
		before := runtime.GOMAXPROCS(1)
		second := watched(t, seed, mutation{})
		runtime.GOMAXPROCS(before)
		if first.hash == second.hash {
			continue
		}
		i := 0
		for i < min(len(first.trace), len(second.trace)) && first.trace[i] == second.trace[i] {
			i++
		}
		from := max(0, i-5)
		t.Errorf("seed %d runs in two ways from step %d on:\n%q\n%q", seed, i,
			slices.Clip(first.trace[from:min(i+2, len(first.trace))]), slices.Clip(second.trace[from:min(i+2, len(second.trace))]))
	}
}
