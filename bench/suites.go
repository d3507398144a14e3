package main

import "context"

// suite is one group of measurements.
type suite struct {
	name, about string
	run         func(context.Context, *session) error
}

var suites = []suite{
	{"ingest", "each market's catalog from HTTP to published in Redis, beside encoding/json and ccxt", runIngest},
	{"full", "every lot of SkinsBack (full=1) as a stream, beside inflating alone", runFull},
	{"publish", "whole and changed catalogs into Redis and to other processes, beside one's first way", runPublish},
	{"lookup", "price look-ups in memory and over HTTP, beside bare fasthttp, nginx, webdis and Redis", runLookup},
	{"stream", "whole catalogs and changed prices to their readers, beside static files", runStream},
	{"strategy", "judging all items, and the 2 % that change", runStrategy},
	{"memory", "what prices hold in memory, and what long lists take, beside maps of structs", runMemory},
	{"orders", "writing purchases down, and from intent to wire, beside River and asynq", runOrders},
	{"scale", "from a thousand items to a million, and 1 to 8 API processes on one Redis", runScale},
}

// session is what a suite works with.
type session struct {
	opts     options
	rig      *rig
	out      *Suite
	progress *progress
	report   *Report
	outside  outside
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
			s.progress.round(s.out.Name, i, s.opts.rounds, k, len(r.tasks), t.name)
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
