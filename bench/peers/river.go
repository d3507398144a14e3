package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivermigrate"
)

// Kind names the work to River.
func (unit) Kind() string { return kind }

// riverQueue is River on some database, whose transactions are a TTx.
type riverQueue[TTx any] struct {
	driver riverdriver.Driver[TTx]
	client *river.Client[TTx]              // it inserts; while work is under way it also works
	idle   *river.Client[TTx]              // it only inserts
	forget func(context.Context) error     // deletes all jobs
	end    func(ctx context.Context) error // closes the database
	says   hello
}

// openRiver makes River's tables and its client. The queue owns the database
// from now on, also when there is an error.
func openRiver[TTx any](ctx context.Context, q *riverQueue[TTx]) (_ queue, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, q.close())
		}
	}()
	migrator, err := rivermigrate.New(q.driver, &rivermigrate.Config{Logger: quiet})
	if err != nil {
		return nil, err
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return nil, fmt.Errorf("make the tables: %w", err)
	}
	if q.idle, err = river.NewClient(q.driver, &river.Config{Logger: quiet}); err != nil {
		return nil, err
	}
	q.client = q.idle
	return q, nil
}

var quiet = slog.New(slog.DiscardHandler)

const riverSettings = "UniqueOpts{ByArgs}; FetchCooldown 1 ms instead of 100 ms, one worker"

func (q *riverQueue[TTx]) hello() hello { return q.says }

func (q *riverQueue[TTx]) insert(ctx context.Context, u unit) (bool, error) {
	r, err := q.client.Insert(ctx, u, &river.InsertOpts{UniqueOpts: river.UniqueOpts{ByArgs: true}})
	if err != nil {
		return false, err
	}
	return !r.UniqueSkippedAsDuplicate, nil
}

func (q *riverQueue[TTx]) work(ctx context.Context, do func(unit)) (func() error, error) {
	workers := river.NewWorkers()
	river.AddWorker(workers, river.WorkFunc(func(_ context.Context, job *river.Job[unit]) error {
		do(job.Args)
		return nil
	}))
	client, err := river.NewClient(q.driver, &river.Config{
		Logger: quiet, Workers: workers, FetchCooldown: time.Millisecond,
		Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 1}},
	})
	if err != nil {
		return nil, err
	}
	if err := client.Start(ctx); err != nil {
		return nil, err
	}
	q.client = client
	return func() error {
		q.client = q.idle
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		return client.Stop(ctx)
	}, nil
}

func (q *riverQueue[TTx]) clear(ctx context.Context) error { return q.forget(ctx) }

func (q *riverQueue[TTx]) close() error { return q.end(context.Background()) }
