package main

import "context"

// suite is one group of measurements.
type suite struct {
	name, about string
	run         func(context.Context, *session) error
}

var suites = []suite{
	{"ingest", "each market's catalog from HTTP to published in Redis, beside encoding/json", runIngest},
	{"full", "every lot of SkinsBack (full=1) as a stream, beside inflating alone", runFull},
	{"lookup", "price look-ups in memory and over HTTP, beside bare fasthttp", runLookup},
	{"strategy", "judging all items, and the 2 % that change", runStrategy},
	{"orders", "writing purchases down, and from intent to wire, beside River and asynq", runOrders},
}

// session is what a suite works with.
type session struct {
	opts     options
	rig      *rig
	out      *Suite
	progress *progress
}

// round is what happens in every round: before, the tasks, after. Either end may
// be nil.
type round struct {
	before func() error // untimed
	tasks  []task
	after  func() error // ratios, and what has to be measured apart
}

type task struct {
	name string
	run  func() error
}

// rounds runs round after round. Each begins with another one of the tasks, so
// that none always has the cache, or the garbage, of the same neighbour.
func (s *session) rounds(ctx context.Context, r round) error {
	for i := range s.opts.rounds {
		if r.before != nil {
			if err := r.before(); err != nil {
				return err
			}
		}
		for k := range r.tasks {
			if err := ctx.Err(); err != nil {
				return err
			}
			t := r.tasks[(i+k)%len(r.tasks)]
			s.progress.round(s.out.Name, i+1, s.opts.rounds, t.name)
			if err := t.run(); err != nil {
				return err
			}
		}
		if r.after != nil {
			if err := r.after(); err != nil {
				return err
			}
		}
	}
	return nil
}
