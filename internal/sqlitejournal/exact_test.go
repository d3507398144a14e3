package sqlitejournal

import (
	"path/filepath"
	"testing"
	"time"

	"modernc.org/sqlite"

	"skinarb/execution"
	"skinarb/pricing"
)

// TestStepCommitsOnce: what an order costs is the syncs of the disk, one for each
// commit. Every step is one commit, and reading is none.
func TestStepCommitsOnce(t *testing.T) {
	ctx := t.Context()
	j := mustOpen(t, filepath.Join(t.TempDir(), "journal.db"))
	conn, err := j.writer.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	commits := 0
	if err := conn.Raw(func(driver any) error {
		driver.(sqlite.HookRegisterer).RegisterCommitHook(func() int32 { commits++; return 0 })
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil { // back to the pool, of which it is all
		t.Fatal(err)
	}
	step := func(name string, want int, do func() error) {
		t.Helper()
		before := commits
		if err := do(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := commits - before; got != want {
			t.Errorf("%s: got %d commits, want %d", name, got, want)
		}
	}

	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	r := execution.Request{
		Market: pricing.SIH, Item: pricing.Item{Game: pricing.CS2, Name: "AK-47 | Redline (Field-Tested)"},
		Ask: pricing.Dollar, Cost: pricing.Dollar, Since: 1, ExpiresAt: now.Add(time.Hour),
	}
	o := execution.Order{
		ID: r.ID(), Request: r, State: execution.Planned, CreatedAt: now, UpdatedAt: now,
		History: []execution.Step{{At: now, State: execution.Planned}},
	}
	admit := func(execution.Usage) error { return nil }
	step("reserve", 1, func() (err error) { o, _, err = j.Reserve(ctx, o, admit); return err })
	for _, state := range []execution.State{execution.Sent, execution.Placed, execution.Delivering, execution.Delivered, execution.Settled} {
		step("advance to "+string(state), 1, func() (err error) {
			o.State = state
			o, err = j.Advance(ctx, o, execution.Step{At: now, State: state, Event: execution.Event(state)})
			return err
		})
	}
	step("read", 0, func() error { _, err := j.Get(ctx, o.ID); return err })
	step("use of the limits", 0, func() error { _, err := j.Usage(ctx, now); return err })
}
