//go:build riversqlite

package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/riverqueue/river/riverdriver/riversqlite"
	_ "modernc.org/sqlite" // the driver
)

func init() { open["river-sqlite"] = openRiverSQLite }

// openRiverSQLite opens River on a file that is written as our journal is: WAL,
// every commit synced, one connection.
func openRiverSQLite(ctx context.Context, _ []string) (queue, error) {
	dir, err := os.MkdirTemp("", "bench-river-")
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "river.sqlite")+"?_txlock=immediate&_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=fullfsync(1)")
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	db.SetMaxOpenConns(1)
	return openRiver(ctx, &riverQueue[*sql.Tx]{
		driver: riversqlite.New(db),
		forget: func(ctx context.Context) error {
			_, err := db.ExecContext(ctx, "DELETE FROM river_job")
			return err
		},
		end: func(context.Context) error { return errors.Join(db.Close(), os.RemoveAll(dir)) },
		says: hello{
			Name:       fmt.Sprintf("River %s, SQLite", version("github.com/riverqueue/river")),
			Durability: "WAL, synchronous FULL: an acknowledged insert survives kill -9 of the program and a power cut; there is no server",
			Settings:   riverSettings + "; one connection, as its documentation advises; the version is that of the pinned driver",
		},
	})
}
