package simulation

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"skinarb/execution"
	"skinarb/internal/redisstore"
	"skinarb/internal/sqlitejournal"
)

// keeper gives a life its way to the seed's journal, and what to wait for before
// it is used; without a life, a way to look at it.
type keeper func(l *life) (j execution.Journal, lead func(context.Context) error)

// The places where journals are kept. Those that live trading uses make a seed
// many times slower, so that only some have them.
const (
	inMemory = "memory"
	onDisk   = "disk"
	onRedis  = "redis"
)

var keepers = map[string]func(t *testing.T) keeper{
	inMemory: func(*testing.T) keeper { return one4all(newMemJournal()) },
	onDisk: func(t *testing.T) keeper {
		dir, err := os.MkdirTemp(ramDisk(), "simulation")
		if err != nil {
			t.Fatal(err)
		}
		j, err := sqlitejournal.Open(filepath.Join(dir, "journal.db"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			j.Close()
			os.RemoveAll(dir)
		})
		return one4all(j)
	},
	onRedis: func(t *testing.T) keeper {
		store, err := redisstore.OpenEmbedded("")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { store.Close() })
		return func(l *life) (execution.Journal, func(context.Context) error) {
			j := store.Journal("live")
			return j, func(ctx context.Context) error {
				_, _, err := j.Lead(ctx) // a process that dies releases nothing
				return err
			}
		}
	},
}

// one4all keeps one journal open for all lives. What a kill leaves behind on a
// disk is for the tests that kill a real process.
func one4all(j execution.Journal) keeper {
	return func(*life) (execution.Journal, func(context.Context) error) {
		return j, func(context.Context) error { return nil }
	}
}

// ramDisk is where files cost least, or empty.
func ramDisk() string {
	const shm = "/dev/shm"
	if info, err := os.Stat(shm); err == nil && info.IsDir() {
		return shm
	}
	return ""
}
