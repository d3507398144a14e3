package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// startWait bounds how long a Postgres may take to answer, and to end.
const startWait = 30 * time.Second

// postgres is a server of our own, which listens on a socket in its directory
// only.
type postgres struct {
	url  string
	stop func() error // ends it and removes its directory
}

// errNoPostgres tells how to have it measured.
var errNoPostgres = errors.New("initdb and postgres are neither in PATH nor in /usr/lib/postgresql: install PostgreSQL (Debian: apt-get install postgresql; macOS: brew install postgresql)")

// postgresProgram finds a program of Postgres. Debian keeps them out of PATH, in
// a directory for each version.
func postgresProgram(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	found, _ := filepath.Glob(filepath.Join("/usr/lib/postgresql/*/bin", name)) // the pattern is good
	if len(found) == 0 {
		return "", errNoPostgres
	}
	return slices.Max(found), nil
}

// startPostgres makes a database in a new directory and serves it as Postgres
// does by itself: every commit reaches the disk before it is acknowledged.
func startPostgres(ctx context.Context) (_ *postgres, err error) {
	initdb, err := postgresProgram("initdb")
	if err != nil {
		return nil, err
	}
	program, err := postgresProgram("postgres")
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "bench-postgres-")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	as, err := unprivileged(dir)
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	initialise := exec.CommandContext(ctx, initdb, "--pgdata", data, "--username", "bench", "--auth", "trust", "--encoding", "UTF8", "--no-locale")
	initialise.SysProcAttr, initialise.Dir = as, dir
	if out, err := initialise.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, bytes.TrimSpace(out))
	}

	server := exec.Command(program, "-D", data, "-k", dir, "-c", "listen_addresses=", "-c", "fsync=on", "-c", "synchronous_commit=on")
	server.SysProcAttr, server.Dir = as, dir
	var said bytes.Buffer
	server.Stderr = &said
	if err := server.Start(); err != nil {
		return nil, fmt.Errorf("start postgres: %w", err)
	}
	ended := make(chan struct{})
	var exit error
	go func() { defer close(ended); exit = server.Wait() }()
	p := &postgres{
		url: "postgres:///postgres?user=bench&host=" + url.QueryEscape(dir),
		stop: func() error {
			_ = server.Process.Signal(syscall.SIGINT) // a fast end: open sessions are cut
			select {
			case <-ended:
			case <-time.After(startWait):
				_ = server.Process.Kill() // nothing in it is worth keeping
				<-ended
			}
			return os.RemoveAll(dir)
		},
	}
	ctx, cancel := context.WithTimeout(ctx, startWait)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, p.url)
		if err == nil {
			return p, conn.Close(ctx)
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("wait for postgres: %w", err), p.stop())
		case <-ended:
			return nil, errors.Join(fmt.Errorf("postgres ended at once: %s", bytes.TrimSpace(said.Bytes())), exit)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
