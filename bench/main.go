// Package main measures how fast this project fetches, stores, looks up and
// judges prices, and writes purchases down and sends them. It decides nothing
// and nothing imports it; its figures are for people who choose between
// programs, and for us, to notice when one gets worse.
//
//	go run ./bench --suite ingest,lookup --rounds 7
//
// What is measured is real: HTTP on loopback, gzip, a Redis, the API's own
// server. What stands at the other end is internal/marketsim in this same
// process, so client, server and load share the cores, and no figure says
// anything about a network. The load is bounded by the flags. Job queues that
// one could use for purchases are in bench/peers, a module of its own; they run
// as processes of their own, each with the durability that its note tells.
//
// Figures of one machine are only good beside others of the same minute. So
// every suite has a peer: what one would write first, or the floor that nothing
// can be faster than. Peers take turns with ours within every round, the order
// changes from round to round, and a ratio is taken in each round before its
// median is.
//
// Heap is measured in passes of its own, whose times count nowhere; heap.go
// says how.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"skinarb/internal/settings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program; it returns the exit status: 0 when everything was
// measured or ctx ended, 2 for wrong flags, 1 for anything else.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	opts, err := parseOptions(args)
	if err != nil {
		fmt.Fprintf(stderr, "bench: wrong flags:\n%v\nbench --help explains them.\n", err)
		return 2
	}
	switch {
	case opts.help:
		writeHelp(stdout)
		return 0
	case opts.version:
		fmt.Fprintln(stdout, "bench", settings.Version())
		return 0
	case opts.list:
		for _, s := range suites {
			fmt.Fprintf(stdout, "%-9s %s\n", s.name, s.about)
		}
		return 0
	}
	if err := measure(ctx, opts, stdout, stderr); err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return 1
	}
	return 0
}

// measure runs the suites and writes what they found, also when ctx ends or one
// of them fails before all is done.
func measure(ctx context.Context, opts options, stdout, stderr io.Writer) (err error) {
	var page *os.File
	if opts.html != "" { // found out now, not after a minute of measuring
		if page, err = os.Create(opts.html); err != nil {
			return fmt.Errorf("--html: %w", err)
		}
		defer func() { err = errors.Join(err, page.Close()) }()
	}

	r := newReport(opts, time.Now())
	failed := runSuites(ctx, opts, r, newProgress(stderr))
	if ctx.Err() != nil {
		r.Interrupted, failed = true, nil
		fmt.Fprintln(stderr, "bench: interrupted; this is what was measured until then")
	}
	if opts.json {
		enc := json.NewEncoder(stdout)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		err = enc.Encode(r)
	} else {
		err = writeTable(stdout, r)
	}
	if page != nil {
		err = errors.Join(err, writePage(page, r))
	}
	return errors.Join(failed, err)
}

// runSuites measures on one pair of simulated markets, which all suites share.
func runSuites(ctx context.Context, opts options, r *Report, p *progress) error {
	defer p.end()
	p.say("making the simulated markets")
	rig, err := newRig(opts)
	if err != nil {
		return err
	}
	defer rig.Close()
	for _, s := range suites {
		if !opts.runs(s.name) {
			continue
		}
		out := r.suite(s.name, s.about)
		if err := s.run(ctx, &session{opts: opts, rig: rig, out: out, progress: p}); err != nil {
			return fmt.Errorf("suite %s: %w", s.name, err)
		}
	}
	return nil
}
