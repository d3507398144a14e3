//go:build unix

package redisstore

import (
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"skinarb/execution"
)

func TestAKilledAndAStoppedProcessAreReplaced(t *testing.T) {
	url := realServer(t)
	killed, _ := trader(t, url, "killed")
	stopped, lines := trader(t, url, "stopped")
	at := time.Now()
	if err := errors.Join(killed.Process.Kill(), stopped.Process.Signal(syscall.SIGSTOP)); err != nil {
		t.Fatalf("kill one and stop the other: %v", err)
	}
	s, err := Open(t.Context(), url)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(closing(t, s))
	for _, name := range []string{"killed", "stopped"} {
		j := s.Journal(name)
		_, release := mustLead(t, j)
		defer release()
		if waited := time.Since(at); waited > 30*time.Second { // twice the promise, for a busy machine
			t.Errorf("the %s trader was replaced after %s, want at most 15s", name, waited)
		}
		o, err := j.Get(t.Context(), wish(1).ID)
		if err != nil || o.State != execution.Planned {
			t.Errorf("the order of the %s trader: got %q, %v, want it planned", name, o.State, err)
		}
		if _, err := j.Advance(t.Context(), first(to(o, execution.Cancelled)), execution.Step{}); err != nil {
			t.Errorf("advance the order of the %s trader: %v", name, err)
		}
	}
	if err := stopped.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatalf("continue: %v", err)
	}
	for _, word := range []string{"woke: ", "wrote: "} {
		if got := await(t, lines, word); !strings.Contains(got, ErrFenced.Error()) {
			t.Errorf("%sgot %s, want ErrFenced", word, got)
		}
	}
}
