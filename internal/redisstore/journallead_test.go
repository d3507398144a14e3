package redisstore

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"skinarb/execution"
)

func TestOnlyTheLeaderWritesOrders(t *testing.T) {
	servers(t, func(t *testing.T, open func(rapid.TB) *Store) {
		s := open(t)
		t.Cleanup(closing(t, s))
		j := leader(t, s)
		known := mustReserve(t, j, wish(1))
		before := read(t, j)

		standby := sibling(t, s).Journal("live")
		for name, call := range ordersOnly(standby, known) {
			if err := call(); !errors.Is(err, ErrFenced) {
				t.Errorf("%s by one that never led: got %v, want ErrFenced", name, err)
			}
		}
		if err := standby.Leading(); !errors.Is(err, ErrFenced) {
			t.Errorf("leading, of one that never led: got %v, want ErrFenced", err)
		}
		wantContents(t, j, before)
		for name, call := range others(standby, known.ID) {
			if err := call(); err != nil {
				t.Errorf("%s by a standby: %v", name, err)
			}
		}
		if err := standby.SetTrading(t.Context(), execution.Trading{Stopped: true}); err != nil {
			t.Errorf("stop by a standby: %v", err)
		}
		if _, _, err := j.Reserve(t.Context(), wish(2), admitAll); !errors.Is(err, execution.ErrStopped) {
			t.Errorf("reserve after a standby stopped: got %v, want ErrStopped", err)
		}
	})
}

// The kill switch may fall while a reservation is being judged.
func TestAStopIsSeenByWhatIsUnderWay(t *testing.T) {
	s := embedded(t)
	t.Cleanup(closing(t, s))
	j, standby := leader(t, s), sibling(t, s).Journal("live")
	asked := 0
	_, created, err := j.Reserve(t.Context(), wish(1), func(execution.Usage) error {
		asked++
		return standby.SetTrading(context.Background(), execution.Trading{Stopped: true})
	})
	if !errors.Is(err, execution.ErrStopped) || created || asked != 1 {
		t.Errorf("got created %t, error %v after %d questions, want ErrStopped after 1", created, err, asked)
	}
}

// A leader that was away, and does not know that another took over, writes
// nothing.
func TestAPausedLeaderWritesNothing(t *testing.T) {
	servers(t, func(t *testing.T, open func(rapid.TB) *Store) {
		s := open(t)
		t.Cleanup(closing(t, s))
		old, next := s.Journal("live"), sibling(t, s).Journal("live")
		led, release := mustLead(t, old)
		defer release()
		known := mustReserve(t, old, wish(1))

		// Its lease runs out; nobody took over yet, so that it may write down what
		// it knows.
		if err := s.client.Del(t.Context(), old.keys.lease).Err(); err != nil {
			t.Fatalf("end the lease: %v", err)
		}
		known, err := old.Advance(t.Context(), first(to(known, execution.InDoubt)), execution.Step{})
		if err != nil {
			t.Errorf("advance before another leads: %v", err)
		}

		_, releaseNext := mustLead(t, next)
		defer releaseNext()
		before := read(t, next)
		for name, call := range ordersOnly(old, known) {
			if err := call(); !errors.Is(err, ErrFenced) {
				t.Errorf("%s of the leader before: got %v, want ErrFenced", name, err)
			}
		}
		wantContents(t, next, before)
		if err := old.Leading(); !errors.Is(err, ErrFenced) || led.Err() == nil {
			t.Errorf("after a write was refused: leading %v, led %v, want both over", err, led.Err())
		}
		if err := next.Leading(); err != nil {
			t.Errorf("the new leader: %v", err)
		}
		mustReserve(t, next, wish(2))
	})
}

// One that got the lease and then was away must not fence out who has it now.
func TestNoFencingNumberWithoutTheLease(t *testing.T) {
	s := embedded(t)
	t.Cleanup(closing(t, s))
	late, j := sibling(t, s).Journal("live"), s.Journal("live")
	l, err := late.store.lease(t.Context(), late.keys.lease)
	if err != nil {
		t.Fatalf("lease: %v", err)
	}
	defer l.release()
	if err := s.client.Del(t.Context(), j.keys.lease).Err(); err != nil {
		t.Fatalf("end the lease: %v", err)
	}
	_, release := mustLead(t, j)
	defer release()
	if fence, err := late.fence(t.Context(), l); !errors.Is(err, ErrFenced) {
		t.Errorf("fencing number without the lease: got %q, %v, want ErrFenced", fence, err)
	}
	mustReserve(t, j, wish(1))
}

// What Leading says depends on no timer: here none has run, as in a process that
// wakes from a stop.
func TestLeadingIsOverByTheClock(t *testing.T) {
	s := embedded(t)
	t.Cleanup(closing(t, s))
	j := s.Journal("live")
	led, release := mustLead(t, j)
	defer release()
	if err := j.Leading(); err != nil {
		t.Fatalf("leading: %v", err)
	}
	now := time.Now()
	for name, tc := range map[string]struct {
		sure time.Time
		want error
	}{
		"just now":                       {now, nil},
		"a little ago":                   {now.Add(-leaseTTL / 2), nil},
		"long ago":                       {now.Add(-leaseTTL), ErrFenced},
		"the machine slept":              {now.Round(0).Add(-leaseTTL), ErrFenced}, // no monotonic reading: the wall clock alone
		"the clock was set back by then": {now.Round(0).Add(time.Hour), nil},       // and the monotonic one is young
	} {
		j.lead.Load().sure.Store(&tc.sure)
		if err := j.Leading(); !errors.Is(err, tc.want) || tc.want == nil && err != nil {
			t.Errorf("confirmed %s: got %v, want %v", name, err, tc.want)
		}
	}
	if led.Err() != nil {
		t.Error("the timer ran: this test showed nothing")
	}
	release()
	if err := j.Leading(); !errors.Is(err, ErrFenced) {
		t.Errorf("after release: got %v, want ErrFenced", err)
	}
}

func TestADeadTraderIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stores, stop := processes(2)
		defer stop()
		old, next := stores[0].Journal("live"), stores[1].Journal("live")
		led, release, err := old.Lead(t.Context())
		if err != nil {
			t.Fatalf("lead: %v", err)
		}
		defer release()
		took := make(chan time.Time)
		go func() {
			defer close(took)
			_, release, err := next.Lead(t.Context())
			if err != nil {
				t.Errorf("lead of the standby: %v", err)
				return
			}
			defer release()
			if err := next.Leading(); err != nil {
				t.Errorf("leading of the standby: %v", err)
			}
			took <- time.Now()
		}()
		_ = sleep(t.Context(), time.Hour)
		if err := old.Leading(); err != nil || led.Err() != nil {
			t.Fatalf("after an hour: leading %v, led %v", err, led.Err())
		}
		died := time.Now()
		if err := stores[0].client.Close(); err != nil { // it hears no more of Redis
			t.Fatalf("close: %v", err)
		}
		<-led.Done()
		stopped := time.Now()
		if err := old.Leading(); !errors.Is(err, ErrFenced) {
			t.Errorf("leading after led ended: got %v, want ErrFenced", err)
		}
		began := <-took
		if !began.After(stopped) {
			t.Errorf("the standby led %s before the leader stopped", stopped.Sub(began))
		}
		if waited := began.Sub(died); waited > 15*time.Second {
			t.Errorf("the standby led after %s, want at most 15s", waited)
		}
		<-took
	})
}

// TestTraderProcess is no test: it is the process that the next test stops and
// kills. It leads, says so, and tells what it may do after it was stopped.
func TestTraderProcess(t *testing.T) {
	url := os.Getenv("SKINARB_TEST_TRADER")
	if url == "" {
		t.Skip("only another test runs it")
	}
	s, err := Open(t.Context(), url)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	defer closing(t, s)()
	j := s.Journal(os.Getenv("SKINARB_TEST_JOURNAL"))
	_, release := mustLead(t, j)
	defer release()
	known := mustReserve(t, j, wish(1))
	began := time.Now() // before it can be stopped
	fmt.Println("\nleads")
	for last, gap := began, time.Duration(0); gap < leaseTTL/2; {
		_ = sleep(t.Context(), time.Millisecond)
		now := time.Now() // one look each round, so that no stop falls between two
		last, gap = now, now.Sub(last)
		if now.Sub(began) > time.Minute+gap {
			t.Fatal("nobody stopped this process")
		}
	}
	fmt.Printf("\nwoke: %v\n", j.Leading()) // the first thing that it does
	_, err = j.Advance(t.Context(), first(to(known, execution.Sent)), execution.Step{})
	fmt.Printf("\nwrote: %v\n", err)
}

// trader starts TestTraderProcess and waits until it leads.
func trader(t *testing.T, url, journal string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	p := exec.Command(os.Args[0], "-test.run", "^TestTraderProcess$")
	p.Env = append(os.Environ(), "SKINARB_TEST_TRADER="+url, "SKINARB_TEST_JOURNAL="+journal)
	out, err := p.StdoutPipe()
	if err == nil {
		err = p.Start()
	}
	if err != nil {
		t.Fatalf("start a trader: %v", err)
	}
	t.Cleanup(func() {
		_ = p.Process.Kill()
		_ = p.Wait() // it was killed, or is over
	})
	lines := bufio.NewScanner(out)
	await(t, lines, "leads")
	return p, lines
}

// await gives the rest of the first line that begins with a word.
func await(t *testing.T, lines *bufio.Scanner, word string) string {
	t.Helper()
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), word); ok {
			return rest
		}
	}
	t.Fatalf("the trader ended without %q", word)
	return ""
}
