package execution_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"skinarb/execution"
)

var update = flag.Bool("update", false, "write golden files")

// TestTransitions compares an order's whole life, every state with every event,
// with a file that a change must be seen in.
func TestTransitions(t *testing.T) {
	var b strings.Builder
	for _, s := range execution.States {
		for _, e := range execution.Events {
			to, err := s.Next(e)
			var refused *execution.TransitionError
			switch {
			case errors.As(err, &refused):
				if to != s || refused.From != s || refused.Event != e {
					t.Errorf("%s × %s: refused into %s with %+v, want it to stay", s, e, to, *refused)
				}
				fmt.Fprintf(&b, "%-12s %-12s -\n", s, e)
			case err != nil:
				t.Errorf("%s × %s: got error %v, want a *TransitionError", s, e, err)
			default:
				fmt.Fprintf(&b, "%-12s %-12s %s\n", s, e, to)
			}
		}
	}
	path := filepath.Join("testdata", "transitions.golden")
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), b.String()); d != "" {
		t.Errorf("transitions (-want +got):\n%s", d)
	}
}

func TestUnknownState(t *testing.T) {
	if _, err := execution.State("").Next(execution.OnSend); err == nil {
		t.Error("the zero state takes an event")
	}
}
