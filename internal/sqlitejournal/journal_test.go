package sqlitejournal

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"skinarb/execution"
	"skinarb/internal/storetest"
	"skinarb/pricing"
)

func mustOpen(t *testing.T, path string) *Journal {
	t.Helper()
	j, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() }) // a second close is harmless
	return j
}

func TestJournal(t *testing.T) {
	storetest.Journal(t, func(t *testing.T) (execution.Journal, func() execution.Journal) {
		path := filepath.Join(t.TempDir(), "a ? # % é.db") // characters that mean something in a URI
		j := mustOpen(t, path)
		return j, func() execution.Journal {
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			j = mustOpen(t, path)
			return j
		}
	})
}

func TestOpenRefusesSecond(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	j := mustOpen(t, path)
	if _, err := Open(path); !errors.Is(err, ErrInUse) {
		t.Fatalf("second open: got error %v, want ErrInUse", err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	mustOpen(t, path)
}

func TestPrivateFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "journal.db")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	j := mustOpen(t, path)
	if err := j.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 3 {
		t.Errorf("%d files, want the journal, its log and its lock", len(files))
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != 0o600 {
			t.Errorf("%s has permissions %o, want 600", f.Name(), got)
		}
	}
}

func TestSettingsInForce(t *testing.T) {
	j := mustOpen(t, filepath.Join(t.TempDir(), "journal.db"))
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "user_version": strconv.Itoa(len(migrations))} {
		var got string
		if err := j.writer.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s: got %q, error %v, want %q", pragma, got, err, want)
		}
	}
	if _, err := j.readers.Exec("UPDATE pings SET n = 0"); err == nil {
		t.Error("a reader may write")
	}
}

// A journal that an older version wrote opens, and its orders are as they were.
func TestOldSchema(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	old, err := sql.Open("sqlite", dsn(path, ""))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := old.Exec(migrations[0] + `PRAGMA user_version = 1;
		INSERT INTO orders VALUES ('sa-old', 'sih', 'cs2', 'AK-47 | Redline (Field-Tested)', '', 'AK-47 | Redline (Field-Tested)',
			1000000, 1000000, 7, 'skinsback', 2000000, 5, 'failed', 3, 1000000, 990000, '700001', '', '', 1, 2, 3, 4, 0);`); err != nil {
		t.Fatal(err)
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	j := mustOpen(t, path)
	o, err := j.Get(t.Context(), "sa-old")
	if err != nil || o.State != execution.Failed || o.Paid != pricing.Dollar || o.Refunded != 99*pricing.Cent || o.Booked || o.MarketRef != "700001" {
		t.Errorf("got %+v, error %v, want the order as it was, not booked", o, err)
	}
	b, err := j.Books(t.Context(), pricing.SIH)
	if err != nil || b.Taken != pricing.Dollar || b.Returned != 99*pricing.Cent || !b.OpenedAt.IsZero() {
		t.Errorf("got books %+v, error %v, want the order in them, never opened", b, err)
	}
}

func TestOpenRefusesNewerSchema(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	j := mustOpen(t, path)
	if _, err := j.writer.Exec("PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); err == nil || !strings.Contains(err.Error(), "newer") {
		t.Errorf("got error %v, want one that tells of a newer program", err)
	}
}

func TestOpenErrors(t *testing.T) {
	if _, err := Open(filepath.Join(t.TempDir(), "none", "journal.db")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no such directory: got error %v", err)
	}
	path := filepath.Join(t.TempDir(), "journal.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("not a database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); err == nil {
		t.Error("a file that is no database was opened")
	}
	// The failed open has let go of the lock.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	mustOpen(t, path)
}

func order(n int64) execution.Order {
	at := time.Unix(1_770_000_000+n, 0).UTC()
	r := execution.Request{
		Market: pricing.SIH, Item: pricing.Item{Game: pricing.CS2, Name: strings.Repeat("x", 150)},
		Ask: pricing.Dollar, Cost: pricing.Dollar, Since: uint64(n), ExpiresAt: at.Add(time.Minute),
	}
	return execution.Order{ID: r.ID(), Request: r, State: execution.Planned, CreatedAt: at, UpdatedAt: at,
		History: []execution.Step{{At: at, State: execution.Planned, Note: strings.Repeat("n", 300)}}}
}

func yes(execution.Usage) error { return nil }

func TestFullDisk(t *testing.T) {
	j := mustOpen(t, filepath.Join(t.TempDir(), "journal.db"))
	kept, _, err := j.Reserve(t.Context(), order(0), yes)
	if err != nil {
		t.Fatal(err)
	}
	// No page may be added from here on.
	if _, err := j.writer.Exec("PRAGMA max_page_count = 1"); err != nil {
		t.Fatal(err)
	}
	var failed execution.Order
	for n := int64(1); failed.ID == "" && n < 1000; n++ {
		if _, _, err := j.Reserve(t.Context(), order(n), yes); err != nil {
			failed = order(n)
		}
	}
	if failed.ID == "" {
		t.Fatal("the disk never filled up")
	}
	if _, err := j.Get(t.Context(), failed.ID); !errors.Is(err, execution.ErrNoOrder) {
		t.Errorf("half of a reservation was left: error %v, want ErrNoOrder", err)
	}
	var orphans int
	if err := j.readers.QueryRow("SELECT count(*) FROM steps WHERE order_id = ?", failed.ID).Scan(&orphans); err != nil || orphans != 0 {
		t.Errorf("%d steps of it were left, error %v", orphans, err)
	}
	broken := false
	for range 200 { // a step fits into a page that has room, until none has
		moved := kept
		moved.State = execution.Sent
		next, err := j.Advance(t.Context(), moved, execution.Step{At: kept.UpdatedAt, State: execution.Sent, Event: execution.OnSend, Note: strings.Repeat("n", 300)})
		if err != nil {
			broken = true
			break
		}
		kept = next
	}
	got, err := j.Get(t.Context(), kept.ID)
	if err != nil || got.Rev != kept.Rev || len(got.History) != len(kept.History) {
		t.Errorf("after the failure: revision %d with %d steps, error %v, want %d with %d", got.Rev, len(got.History), err, kept.Rev, len(kept.History))
	}
	if !broken {
		t.Error("the disk was full and every advance worked")
	}
	if _, err := j.writer.Exec("PRAGMA max_page_count = 1000000"); err != nil {
		t.Fatal(err)
	}
	if _, created, err := j.Reserve(t.Context(), failed, yes); err != nil || !created {
		t.Errorf("with room again: created %t, error %v", created, err)
	}
}

// TestFailingWrites breaks each table in turn: every method says so, and what
// was stored stays as it was.
func TestFailingWrites(t *testing.T) {
	for _, table := range []string{"orders", "steps"} {
		for _, verb := range []string{"INSERT", "UPDATE"} {
			if table == "steps" && verb == "UPDATE" {
				continue // steps are only ever added
			}
			t.Run(table+" "+verb, func(t *testing.T) {
				j := mustOpen(t, filepath.Join(t.TempDir(), "journal.db"))
				stored, _, err := j.Reserve(t.Context(), order(0), yes)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := j.writer.Exec("CREATE TRIGGER broken BEFORE " + verb + " ON " + table + " BEGIN SELECT raise(ABORT, 'broken'); END"); err != nil {
					t.Fatal(err)
				}
				if verb == "INSERT" {
					if _, created, err := j.Reserve(t.Context(), order(1), yes); err == nil || created {
						t.Errorf("reserve: created %t, error %v, want an error", created, err)
					}
					if _, err := j.Adopt(t.Context(), order(2)); err == nil {
						t.Error("adopt: no error")
					}
				}
				if table == "steps" || verb == "UPDATE" {
					moved := stored
					moved.State = execution.Sent
					if _, err := j.Advance(t.Context(), moved, execution.Step{At: stored.UpdatedAt, State: execution.Sent, Event: execution.OnSend}); err == nil {
						t.Error("advance: no error")
					}
				}
				all, err := j.List(t.Context(), execution.Query{})
				if err != nil || len(all) != 1 || all[0].State != execution.Planned || all[0].Rev != stored.Rev || len(all[0].History) != 1 {
					t.Errorf("left behind: %+v, error %v, want the first order as it was", all, err)
				}
			})
		}
	}
}

func TestClosed(t *testing.T) {
	j := mustOpen(t, filepath.Join(t.TempDir(), "journal.db"))
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	_, _, reserve := j.Reserve(ctx, order(0), yes)
	_, advance := j.Advance(ctx, order(0), execution.Step{})
	_, adopt := j.Adopt(ctx, order(0))
	_, get := j.Get(ctx, "x")
	_, list := j.List(ctx, execution.Query{})
	_, use := j.Usage(ctx, time.Now())
	_, totals := j.Totals(ctx)
	_, trading := j.Trading(ctx)
	for name, err := range map[string]error{
		"Reserve": reserve, "Advance": advance, "Adopt": adopt, "Get": get, "List": list, "Usage": use, "Totals": totals,
		"Trading": trading, "SetTrading": j.SetTrading(ctx, execution.Trading{}), "Ping": j.Ping(ctx),
	} {
		if err == nil || errors.Is(err, sql.ErrNoRows) {
			t.Errorf("%s on a closed journal: got error %v, want one", name, err)
		}
	}
}
