package fetch_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"skinarb/fetch"
	"skinarb/pricing"
)

func TestAFeedIsPulledAtOnceAndThenEveryInterval(t *testing.T) {
	inWorld(t, inTurn(items(10, 100), items(10, 100), items(10, 101)), func(w *world) {
		began := time.Now()
		w.start()
		w.want("at once", 10, 100, pricing.Fresh)
		first := w.inForce()
		if first.Version != uint64(began.Unix()) {
			w.Errorf("first version: got %d, want the time, %d", first.Version, began.Unix())
		}
		w.after(64 * time.Second)
		second := w.inForce()
		if second.Version != first.Version+1 || !second.ObservedAt.After(first.ObservedAt) || second.Listings[0].Since != first.Version {
			w.Errorf("after a pull without a change: got version %d of %s with since %d, want the next version, younger, with since %d",
				second.Version, second.ObservedAt, second.Listings[0].Since, first.Version)
		}
		if s := w.status(); s.Changed != 0 || s.Rejected != 3 || s.Version != second.Version || !s.LastSuccess.Equal(second.ObservedAt) || s.LastError != "" {
			w.Errorf("status: got %+v, want no change, 3 rejected, version %d", s, second.Version)
		}
		w.after(time.Hour)
		w.want("after an hour", 10, 101, pricing.Fresh)
		for i, gap := range w.src.gaps() {
			if gap < 57*time.Second || gap > 63*time.Second {
				w.Errorf("gap %d: got %s, want a minute, 5 %% more or less", i, gap)
			}
		}
		if n := len(w.src.gaps()); n < 58 || n > 64 {
			w.Errorf("pulls in an hour: got %d", n)
		}
		w.stop()
		if o := w.seen[2]; o.Feed != feed || o.Outcome != fetch.Published || o.Items != 10 || o.Changed != 10 || o.Bytes != 10 || o.Rejected["name"] != 1 {
			w.Errorf("observation of the third pull: got %+v", o)
		}
	})
}

func TestOnlyGamesThatAMarketKnowsAreFeeds(t *testing.T) {
	f := fetch.New(fetch.Config{Sources: []fetch.Source{&fakeSource{}}, Games: pricing.Games, Store: newMemStore()})
	want := []pricing.Feed{{Market: feed.Market, Game: pricing.CS2}, {Market: feed.Market, Game: pricing.Rust}}
	if got := f.Feeds(); !slices.Equal(got, want) {
		t.Errorf("feeds: got %v, want %v", got, want)
	}
}

func TestAFailedPullChangesNoPriceAndBacksOff(t *testing.T) {
	down := failing(errors.New(`Get "https://h/v1?key=secret": no route`))
	answers := slices.Concat(repeated(1, items(10, 100)), repeated(30, down), repeated(1, items(10, 101)))
	inWorld(t, inTurn(answers...), func(w *world) {
		w.start()
		w.after(2 * time.Minute)
		w.want("while pulls fail", 10, 100, pricing.Fresh)
		if got, want := w.status().LastError, `pull sih/cs2: Get "https://h": no route`; got != want {
			w.Errorf("last error: got %q, want %q", got, want)
		}
		w.after(30 * time.Minute)
		w.want("after half an hour", 10, 100, pricing.Stale)
		w.after(3 * time.Hour)
		w.want("when the market is back", 10, 101, pricing.Fresh)
		if s := w.status(); s.LastError != "" {
			w.Errorf("last error of a feed that works: got %q, want none", s.LastError)
		}
		gaps := w.src.gaps()[1:31]
		for i, want := range []time.Duration{15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 5 * time.Minute, 5 * time.Minute} {
			if gaps[i] < want*8/10 || gaps[i] > want*12/10 {
				w.Errorf("pause after failure %d: got %s, want %s, 20 %% more or less", i+1, gaps[i], want)
			}
		}
		if longest := slices.Max(gaps); longest > 6*time.Minute {
			w.Errorf("longest pause: got %s, want at most 6m", longest)
		}
	})
}

func TestAFeedWithoutACatalogIsDown(t *testing.T) {
	inWorld(t, inTurn(failing(errors.New("x")), failing(errors.New("x")), items(10, 100)), func(w *world) {
		w.start()
		w.want("after the first failure", 0, 0, pricing.Down)
		w.after(time.Minute)
		w.want("in the end", 10, 100, pricing.Fresh)
	})
}

func TestTheMarketIsLeftAloneForAsLongAsItAsks(t *testing.T) {
	pause := failing(errors.Join(errors.New("pull"), &fetch.PauseError{After: time.Hour, Reason: "banned"}))
	inWorld(t, inTurn(items(10, 100), pause, items(10, 101)), func(w *world) {
		w.start()
		w.after(3 * time.Hour)
		w.want("after the pause", 10, 101, pricing.Fresh)
		if gap := w.src.gaps()[1]; gap < time.Hour || gap > time.Hour+time.Second {
			w.Errorf("pause: got %s, want an hour", gap)
		}
	})
}

func TestASourceThatPanicsHasFailed(t *testing.T) {
	inWorld(t, inTurn(items(10, 100), func() (fetch.Pull, error) { panic("index out of range") }, items(10, 101)), func(w *world) {
		w.start()
		w.after(64 * time.Second)
		if got, want := w.status().LastError, "pull sih/cs2: the source panicked: index out of range"; got != want {
			w.Errorf("last error: got %q, want %q", got, want)
		}
		w.after(time.Minute)
		w.want("after the panic", 10, 101, pricing.Fresh)
	})
}

func TestASourceThatBreaksItsContractHasFailed(t *testing.T) {
	twice := func() (fetch.Pull, error) {
		p, err := answerOf(10, 100)
		p.Listings = append(p.Listings, p.Listings[0])
		return p, err
	}
	inWorld(t, inTurn(twice), func(w *world) {
		w.start()
		w.want("an item twice", 0, 0, pricing.Down)
	})
}

func TestFiveShrunkenCatalogsThatAgreeAreBelieved(t *testing.T) {
	small := func(n int) func() (fetch.Pull, error) { return items(n, 100) }
	for _, tc := range []struct {
		name     string
		answers  []func() (fetch.Pull, error)
		released int // pull that is published again, counted from 1
	}{
		{"five that agree", slices.Concat(repeated(1, items(100, 100)), repeated(5, small(40))), 6},
		{"within a tenth", []func() (fetch.Pull, error){items(100, 100), small(40), small(37), small(36), small(40), small(38), small(40)}, 6},
		{"one that does not agree", slices.Concat(repeated(1, items(100, 100)), repeated(4, small(40)), repeated(5, small(35))), 10},
		{"an empty one between", slices.Concat(repeated(1, items(100, 100)), repeated(4, small(40)), repeated(1, small(0)), repeated(5, small(40))), 11},
		{"a failure between", slices.Concat(repeated(1, items(100, 100)), repeated(3, small(40)), repeated(1, failing(errors.New("x"))), repeated(2, small(40))), 7},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, inTurn(tc.answers...), func(w *world) {
				w.start()
				for pull := 2; pull < tc.released; pull++ {
					w.afterPull(pull)
					w.want(tc.name+", held", 100, 100, pricing.Held)
				}
				if s := w.status(); !strings.HasPrefix(s.Reason, "shrunken: ") && !strings.HasPrefix(s.Reason, "empty: ") {
					w.Errorf("reason: got %q, want shrunken or empty", s.Reason)
				}
				w.afterPull(tc.released)
				if got := len(w.inForce().Listings); got >= 50 {
					w.Errorf("after pull %d: got %d items, want the shrunken catalog", tc.released, got)
				}
				if s := w.status(); s.State != pricing.Fresh || s.Reason != "" {
					w.Errorf("after pull %d: got %s, %q, want fresh", tc.released, s.State, s.Reason)
				}
				if len(w.alerts) != 1 {
					w.Errorf("alerts: got %q, want one for the hold", w.alerts)
				}
			})
		})
	}
}

// afterPull waits until the nth pull, counted from 1, has been decided.
func (w *world) afterPull(n int) {
	w.Helper()
	for end := time.Now().Add(time.Hour); len(w.src.gaps())+1 < n; w.after(time.Second) {
		if time.Now().After(end) {
			w.Fatalf("pull %d did not come within an hour", n)
		}
	}
}

func TestEmptyAndRescaledCatalogsWaitForTheOperator(t *testing.T) {
	for reason, tc := range map[string]struct {
		bad   func() (fetch.Pull, error)
		items int
		ask   pricing.Money
	}{
		"empty":    {items(0, 0), 0, 0},
		"rescaled": {items(10, 10_000), 10, 10_000},
	} {
		t.Run(reason, func(t *testing.T) {
			inWorld(t, inTurn(items(10, 100), tc.bad), func(w *world) {
				w.start()
				if err := w.Release(w.Context(), feed); err != nil { // of nothing: it must not count later
					w.Fatalf("release: %v", err)
				}
				w.after(time.Hour)
				w.want("after an hour", 10, 100, pricing.Held)
				s := w.status()
				if !strings.HasPrefix(s.Reason, reason+": ") || time.Since(s.LastSuccess) < 59*time.Minute || len(w.alerts) != 1 {
					w.Errorf("held: got %+v, alerts %q, want the reason, the true age and one alert", s, w.alerts)
				}
				if err := w.Release(w.Context(), feed); err != nil {
					w.Fatalf("release: %v", err)
				}
				pulls := len(w.src.gaps())
				w.after(1500 * time.Millisecond)
				if len(w.src.gaps()) == pulls { // else the catalog came with a pull
					w.want("right after the release", tc.items, tc.ask, pricing.Fresh)
				}
				w.after(time.Hour)
				w.want("long after the release", tc.items, tc.ask, pricing.Fresh)
			})
		})
	}
}

func TestTheFirstCatalogEverMayBeEmptyOnlyWithTheOperatorsWord(t *testing.T) {
	inWorld(t, inTurn(items(0, 0), items(10, 100)), func(w *world) {
		w.start()
		w.want("empty from the start", 0, 0, pricing.Held)
		w.after(64 * time.Second)
		w.want("then not", 10, 100, pricing.Fresh)
	})
}

func TestACatalogThatPassesEndsTheHold(t *testing.T) {
	inWorld(t, inTurn(items(100, 100), items(40, 100), items(40, 100), items(99, 101), items(40, 100)), func(w *world) {
		w.start()
		w.afterPull(3)
		w.want("held", 100, 100, pricing.Held)
		w.afterPull(4)
		w.want("good again", 99, 101, pricing.Fresh)
		w.afterPull(5)
		w.want("held again", 99, 101, pricing.Held)
		if len(w.alerts) != 2 {
			w.Errorf("alerts: got %q, want one for each hold", w.alerts)
		}
	})
}

func TestARestartGoesOnWhereTheStoreIs(t *testing.T) {
	inWorld(t, inTurn(items(10, 100), items(10, 100), items(10, 9999)), func(w *world) {
		w.start()
		first := w.inForce()
		w.stop()
		w.start()
		second := w.inForce()
		if second.Version != first.Version+1 || second.Listings[0].Since != first.Version {
			w.Errorf("after a restart: got version %d since %d, want %d since %d", second.Version, second.Listings[0].Since, first.Version+1, first.Version)
		}
		w.stop()
		w.start()
		w.want("a bad catalog after a restart", 10, 100, pricing.Held)
	})
}

// TestAHoldOutlivesItsFetcher: until the next one has had an answer, nobody knows
// better.
func TestAHoldOutlivesItsFetcher(t *testing.T) {
	bad, down := items(10, 9999), failing(errors.New("timeout"))
	inWorld(t, inTurn(items(10, 100), bad, down, down, bad, items(10, 101)), func(w *world) {
		w.start()
		w.afterPull(2)
		w.want("held", 10, 100, pricing.Held)
		why := w.status().Reason
		for n := 3; n <= 4; n++ { // a restart, and one more before any answer
			w.stop()
			w.start()
			w.want("before an answer", 10, 100, pricing.Held)
			if s := w.status(); s.Reason != why || s.LastError == "" {
				t.Errorf("before an answer: got %q, last error %q, want %q and the error", s.Reason, s.LastError, why)
			}
		}
		w.afterPull(5)
		w.want("still wrong", 10, 100, pricing.Held)
		w.afterPull(6)
		w.want("right again", 10, 101, pricing.Fresh)
	})
}

// TestOnlyWhatWasFreshIsFreshBeforeAnAnswer: the embedded store keeps catalogs over
// a restart and forgets what was said of them.
func TestOnlyWhatWasFreshIsFreshBeforeAnAnswer(t *testing.T) {
	inWorld(t, inTurn(items(10, 100), failing(errors.New("timeout")), failing(errors.New("timeout")), items(10, 101)), func(w *world) {
		w.start()
		w.stop()
		w.start()
		w.want("that was fresh", 10, 100, pricing.Fresh)
		w.stop()
		clear(w.statuses)
		w.start()
		w.want("of which nothing is known", 10, 100, pricing.Down)
		w.afterPull(4)
		w.want("after an answer", 10, 101, pricing.Fresh)
	})
}

func TestVersionsRiseOverAStoreThatForgot(t *testing.T) {
	inWorld(t, inTurn(items(10, 100)), func(w *world) {
		w.config.Now = func() time.Time { return time.Unix(1, 0) } // so that the time cannot make them rise
		w.start()
		w.after(10 * time.Minute)
		before := w.inForce().Version
		w.mu.Lock()
		clear(w.catalogs)
		w.mu.Unlock()
		w.after(2 * time.Minute)
		if got := w.inForce(); got.Version <= before || got.Listings[0].Since <= before {
			w.Errorf("after the store forgot: got version %d since %d, want more than %d", got.Version, got.Listings[0].Since, before)
		}
	})
}

// TestAVersionIsGivenOnce although whoever leads does not know what was lost.
func TestAVersionIsGivenOnce(t *testing.T) {
	t.Run("the store falls back", func(t *testing.T) {
		inWorld(t, inTurn(items(10, 100)), func(w *world) {
			w.start()
			before := w.inForce()
			w.after(10 * time.Minute)
			lost := w.inForce().Version
			w.stop()
			w.catalogs[feed] = before
			w.start()
			if got := w.inForce().Version; got <= lost {
				t.Errorf("got version %d, want more than %d", got, lost)
			}
		})
	})
	t.Run("the store is wiped, and who led before another leads again", func(t *testing.T) {
		inWorld(t, inTurn(items(10, 100)), func(w *world) {
			var terms [2]chan context.Context
			var stops [2]func()
			for i := range terms {
				terms[i] = make(chan context.Context)
				w.config.Leaser = fakeLeaser{terms[i]}
				w.start()
				stops[i] = w.stop
			}
			w.stop = func() { stops[0](); stops[1]() }
			var before uint64
			for _, who := range []int{0, 1, 0} {
				term, end := context.WithCancel(w.Context())
				terms[who] <- term
				w.after(10 * time.Minute)
				end()
				w.after(0)
				if got := w.inForce().Version; got <= before {
					t.Errorf("got version %d, want more than %d", got, before)
				} else if before = got; who == 1 {
					clear(w.catalogs)
				}
			}
		})
	})
}

func TestAnotherPublisherIsNotOverwritten(t *testing.T) {
	other := func(observed time.Time, from uint64, n int, ask pricing.Money) pricing.Catalog {
		p, _ := answerOf(n, ask)
		return pricing.Catalog{Feed: feed, Version: from + 1, ObservedAt: observed, Listings: p.Listings}
	}
	for _, tc := range []struct {
		name  string
		age   time.Duration // of the other's catalog
		items int
		ask   pricing.Money
		want  fetch.Outcome
		after pricing.Money // ask in force in the end
	}{
		{"the other is younger", -time.Second, 10, 103, fetch.Outdated, 103},
		{"the other is older", time.Second, 10, 103, fetch.Published, 101},
		{"ours is wrong against the other's", time.Second, 10, 10_000, fetch.Withheld, 10_000},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, inTurn(items(10, 100), items(10, 101)), func(w *world) {
				w.start()
				before := w.inForce().Version
				w.mu.Lock()
				w.catalogs[feed] = other(time.Now().Add(time.Minute), before, 10, 100)
				w.fault = func(c pricing.Catalog) (bool, error) { // just before we publish
					w.fault = nil
					w.catalogs[feed] = other(c.ObservedAt.Add(-tc.age), before+1, tc.items, tc.ask)
					return true, nil
				}
				w.mu.Unlock()
				w.afterPull(2)
				w.after(0)
				if got := w.inForce(); got.Listings[0].Ask != tc.after {
					w.Errorf("in force: got %s, want %s", got.Listings[0].Ask, tc.after)
				}
				if got := w.seen[1].Outcome; got != tc.want {
					w.Errorf("outcome: got %s, want %s", got, tc.want)
				}
			})
		})
	}
}

func TestAPublicationWithoutAnAnswerIsNotRepeated(t *testing.T) {
	inWorld(t, inTurn(items(10, 100), items(10, 101), items(10, 101)), func(w *world) {
		w.start()
		before := w.inForce().Version
		w.mu.Lock()
		w.fault = func(pricing.Catalog) (bool, error) {
			w.fault = nil
			return true, errors.New("connection reset") // it happened
		}
		w.mu.Unlock()
		w.afterPull(2)
		if s := w.status(); !strings.Contains(s.LastError, "connection reset") {
			w.Errorf("last error: got %q, want the reset", s.LastError)
		}
		w.afterPull(3)
		if got := w.inForce(); got.Version != before+2 || got.Listings[0].Since != before+1 {
			w.Errorf("then: got version %d since %d, want %d since %d", got.Version, got.Listings[0].Since, before+2, before+1)
		}
	})
}

// fakeLeaser leads while its channel gives contexts.
type fakeLeaser struct{ terms chan context.Context }

func (l fakeLeaser) Lease(ctx context.Context, _ pricing.Feed) (context.Context, func(), error) {
	select {
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	case led := <-l.terms:
		if led == nil {
			return nil, nil, errors.New("redis is away")
		}
		led, cancel := context.WithCancel(led)
		stop := context.AfterFunc(ctx, cancel)
		return led, func() { stop(); cancel() }, nil
	}
}

func TestOnlyTheLeaderPulls(t *testing.T) {
	inWorld(t, inTurn(items(10, 100)), func(w *world) {
		leaser := fakeLeaser{make(chan context.Context)}
		w.config.Leaser = leaser
		w.start()
		w.after(time.Hour)
		if n := len(w.src.pulls); n != 0 {
			w.Fatalf("pulls of a standby: got %d, want 0", n)
		}
		leaser.terms <- nil // an error: it asks again
		w.after(time.Minute)
		term, end := context.WithCancel(w.Context())
		leaser.terms <- term
		w.after(10 * time.Minute)
		n := len(w.src.pulls)
		if n < 9 {
			w.Errorf("pulls of a leader in 10 minutes: got %d, want about 10", n)
		}
		end()
		w.after(time.Hour)
		if got := len(w.src.pulls); got != n {
			w.Errorf("pulls after the lead was lost: got %d, want 0", got-n)
		}
	})
}
