package simulation

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var (
	oneSeed  = flag.Uint64("seed", 0, "run this seed alone; -v shows its steps")
	fromSeed = flag.Uint64("from", 1, "the first seed")
	seeds    = flag.Int("seeds", 400, "how many seeds to run")
	replays  = flag.Int("replays", 25, "how many seeds to run twice")
	runFor   = flag.Duration("for", 15*time.Second, "begin no further seed after this time; 0 means no limit")
	workers  = flag.Int("workers", 2, "seeds that run at the same time")
	goOn     = flag.Bool("go-on", false, "run the other seeds, too, when one broke")
)

// TestSeeds runs many seeds, or the one that -seed names.
func TestSeeds(t *testing.T) {
	if *oneSeed != 0 {
		r := simulate(t, *oneSeed, mutation{})
		t.Logf("seed %d, trace %016x:\n%s", r.seed, r.hash, strings.Join(r.trace, "\n"))
		report(t, r)
		return
	}
	begun := time.Now()
	var next atomic.Uint64
	next.Store(*fromSeed)
	var mu sync.Mutex
	var sum stats
	ran := 0
	if testing.Verbose() {
		done := make(chan struct{})
		defer close(done)
		go progress(done, func() (int, time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			return ran, time.Since(begun)
		})
	}
	t.Run("all", func(t *testing.T) {
		for i := range *workers {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				for (*goOn || !t.Failed()) && (*runFor == 0 || time.Since(begun) < *runFor) {
					seed := next.Add(1) - 1
					if seed >= *fromSeed+uint64(*seeds) {
						return
					}
					r := watched(t, seed, mutation{})
					report(t, r)
					mu.Lock()
					ran++
					sum.add(r.stats)
					mu.Unlock()
				}
			})
		}
	})
	spent := time.Since(begun)
	t.Logf("%d seeds in %s, %s each: %d steps, %d purchases, %d requests for several, %d of others, %d crashes, %d zombies, %d doubts",
		ran, spent.Round(time.Millisecond), (spent / time.Duration(max(1, ran))).Round(time.Microsecond), sum.steps, sum.bought, sum.batches, sum.foreign, sum.crashes, sum.zombies, sum.doubts)
	if !t.Failed() && (sum.bought < ran/2 || sum.doubts == 0 || sum.crashes == 0 || ran >= 100 && sum.batches == 0) {
		t.Errorf("the seeds got nowhere: %+v", sum)
	}
}

// progress tells every ten seconds how many seeds have run.
func progress(done <-chan struct{}, sofar func() (ran int, spent time.Duration)) {
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
			ran, spent := sofar()
			fmt.Fprintf(os.Stderr, "%d of %d seeds, %.1f a second\n", ran, *seeds, float64(ran)/spent.Seconds())
		}
	}
}

func (s *stats) add(o stats) {
	s.bought += o.bought
	s.batches += o.batches
	s.foreign += o.foreign
	s.crashes += o.crashes
	s.zombies += o.zombies
	s.doubts += o.doubts
	s.steps += o.steps
}

// report fails the test with what a seed broke, and how to see it again.
func report(t *testing.T, r result) {
	t.Helper()
	if len(r.bad) > 0 {
		t.Errorf("seed %d broke after %d steps:\n\t%s\nreplay: go test ./internal/simulation -run TestSeed -seed=%d -v",
			r.seed, r.stats.steps, strings.Join(r.bad, "\n\t"), r.seed)
	}
}

// seedMost is how long a seed may take on a real clock.
const seedMost = 2 * time.Minute

// watched names the seed if it hangs, which the bubble itself does not see when
// a goroutine waits for a mutex.
func watched(t *testing.T, seed uint64, broken mutation) result {
	dog := time.AfterFunc(seedMost, func() { panic(fmt.Sprintf("seed %d hangs", seed)) })
	defer dog.Stop()
	return simulate(t, seed, broken)
}
