package sqlitejournal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // the driver
)

// wait bounds every method of the journal.
const wait = 10 * time.Second

// Journal is an execution.Journal in a file. All methods are safe for
// concurrent use.
type Journal struct {
	writer  *sql.DB // one connection
	readers *sql.DB
	lock    *os.File
}

// ErrInUse is returned by Open when another process has the journal open.
var ErrInUse = errors.New("the journal is in use by another process")

// Open opens the journal at path and creates it, readable by its owner only, if
// there is none. Beside it path+".lock" is held until Close, because two traders
// on one file would each keep the limits only for themselves: a second one gets
// ErrInUse.
func Open(path string) (*Journal, error) {
	j, err := open(path)
	if err != nil {
		return nil, fmt.Errorf("open journal %s: %w", path, err)
	}
	return j, nil
}

func open(path string) (_ *Journal, err error) {
	path, err = filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	j := &Journal{}
	defer func() {
		if err != nil {
			_ = j.Close() // the first error tells more
		}
	}()
	if j.lock, err = lockFile(path + ".lock"); err != nil {
		return nil, err
	}
	if err := private(path); err != nil {
		return nil, err
	}
	// A commit reaches the disk before it returns: that is what FULL and, on
	// macOS, fullfsync are for.
	if j.writer, err = sql.Open("sqlite", dsn(path, "_txlock=immediate&_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=fullfsync(1)&_pragma=foreign_keys(1)")); err != nil {
		return nil, err
	}
	j.writer.SetMaxOpenConns(1)
	j.writer.SetConnMaxIdleTime(0)
	if err := j.migrate(); err != nil {
		return nil, err
	}
	if j.readers, err = sql.Open("sqlite", dsn(path, "_pragma=busy_timeout(5000)&_pragma=query_only(1)")); err != nil {
		return nil, err
	}
	j.readers.SetMaxOpenConns(4)
	return j, nil
}

// dsn names the file to SQLite; the path may hold characters that mean
// something in a URI.
func dsn(path, query string) string {
	return "file:" + (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath() + "?" + query
}

// private creates the file for its owner alone. SQLite gives the files that it
// puts beside it the same permissions.
func private(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(f.Chmod(0o600), f.Close())
}

// migrate brings the schema to the newest version, each step in a transaction
// of its own together with its number.
func (j *Journal) migrate() error {
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	var version int
	if err := j.writer.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return fmt.Errorf("read the schema's version: %w", err)
	}
	if version > len(migrations) {
		return fmt.Errorf("the journal has schema %d, this program knows %d: it was written by a newer one", version, len(migrations))
	}
	for ; version < len(migrations); version++ {
		err := j.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
			if _, err := tx.ExecContext(ctx, migrations[version]); err != nil {
				return err
			}
			_, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", version+1))
			return err
		})
		if err != nil {
			return fmt.Errorf("migrate to schema %d: %w", version+1, err)
		}
	}
	return nil
}

// Close closes the file and lets another process open it.
func (j *Journal) Close() error {
	var errs []error
	for _, db := range []*sql.DB{j.readers, j.writer} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	if j.lock != nil {
		errs = append(errs, j.lock.Close()) // the lock goes with the file
	}
	return errors.Join(errs...)
}

// write runs f in one transaction: all of it is stored, or nothing.
func (j *Journal) write(ctx context.Context, f func(context.Context, *sql.Tx) error) error {
	return inTx(ctx, j.writer, f)
}

// read runs f on one snapshot of the file.
func (j *Journal) read(ctx context.Context, f func(context.Context, *sql.Tx) error) error {
	return inTx(ctx, j.readers, f)
}

func inTx(ctx context.Context, db *sql.DB, f func(context.Context, *sql.Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing once committed; also when f panics
	if err := f(ctx, tx); err != nil {
		return err
	}
	return tx.Commit()
}
