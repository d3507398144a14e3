package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
)

// openRiverPostgres starts a Postgres of our own and opens River on it.
func openRiverPostgres(ctx context.Context, _ []string) (queue, error) {
	server, err := startPostgres(ctx)
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.New(ctx, server.url+"&pool_max_conns=16")
	if err != nil {
		return nil, errors.Join(err, server.stop())
	}
	q := &riverQueue[pgx.Tx]{
		driver: riverpgxv5.New(pool),
		forget: func(ctx context.Context) error {
			_, err := pool.Exec(ctx, "TRUNCATE river_job")
			return err
		},
		end: func(context.Context) error { pool.Close(); return server.stop() },
	}
	var release, fsync, commit string
	if err := pool.QueryRow(ctx, "SELECT current_setting('server_version'), current_setting('fsync'), current_setting('synchronous_commit')").Scan(&release, &fsync, &commit); err != nil {
		_ = q.close() // the first error tells more
		return nil, fmt.Errorf("ask the server what it is: %w", err)
	}
	q.says = hello{
		Name:       fmt.Sprintf("River %s, PostgreSQL %.5s", version("github.com/riverqueue/river"), release),
		Durability: fmt.Sprintf("fsync %s, synchronous_commit %s: an acknowledged insert survives kill -9 of the program, kill -9 of the server, and a power cut", fsync, commit),
		Settings:   riverSettings,
	}
	return openRiver(ctx, q)
}
