// Package main measures how fast this project fetches, stores, looks up and
// judges prices, and writes purchases down and sends them. It decides nothing
// and nothing imports it; its figures are for people who choose between
// programs, and for us, to notice when one gets worse.
//
//	go run ./bench --suite ingest,lookup --rounds 7
//
// What is measured is real: HTTP on loopback, gzip, a Redis, the API's own
// server. At the other end stands internal/marketsim in this same process, so
// client, server and load share the cores, and no figure says anything about a
// network.
//
// Figures of one machine are only good beside others of the same minute. So
// suites have peers: what one would write first, what others run, or the floor
// that nothing can be faster than. Peers take turns with ours within every round,
// the order changes from round to round, and a ratio is taken in each round
// before its median is. Peers that are programs (redis-server, nginx, webdis, wrk,
// ccxt, job queues from the module bench/peers) are processes of their own, as
// are the API processes of the suite scale; what is not installed is left out,
// and a note says so.
//
// Heap is measured in passes of its own, whose times count nowhere; heap.go
// says how.
//
// The same tables, pages and comparisons serve what is no suite: an instance
// that runs somewhere (--target), a real market (--market), and look-ups that go
// on for hours (--soak). The first two alone send anything to where they are told.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"skinarb/internal/pricefeed"
	"skinarb/internal/settings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(run(ctx, os.Args[1:], outside{os.LookupEnv, os.Stdin, pricefeed.IsTerminal(os.Stdin)}, os.Stdout, os.Stderr))
}

// outside is what the program can learn besides its flags.
type outside struct {
	lookup   func(name string) (string, bool) // the environment
	stdin    io.Reader
	terminal bool // somebody types at stdin
}

// run is the program; it returns the exit status: 0 when everything was
// measured or ctx ended, 2 for wrong flags, 3 when something got worse and the
// flags want to hear of it, 1 for anything else.
func run(ctx context.Context, args []string, env outside, stdout, stderr io.Writer) int {
	opts, err := parseOptions(args)
	switch {
	case opts.help:
		writeHelp(stdout)
		return 0
	case err != nil:
		fmt.Fprintf(stderr, "bench: wrong flags:\n%v\nbench --help explains them.\n", err)
		return 2
	case opts.version:
		fmt.Fprintln(stdout, "bench", settings.Version())
		return 0
	case opts.list:
		writeSuites(stdout)
		return 0
	}
	r, err := measure(ctx, opts, env, stdout, stderr)
	switch {
	case err != nil:
		fmt.Fprintln(stderr, "bench:", err)
		return 1
	case opts.failOnWorse && r.worse():
		fmt.Fprintln(stderr, "bench: something is worse than it should be, see above")
		return 3
	}
	return 0
}

// measure does what the flags ask for and writes what was found, also when ctx
// ends or something fails before all is done.
func measure(ctx context.Context, opts options, env outside, stdout, stderr io.Writer) (r *Report, err error) {
	var page *os.File
	if opts.html != "" { // found out now, not after a minute of measuring
		if page, err = os.Create(opts.html); err != nil {
			return nil, fmt.Errorf("--html: %w", err)
		}
		defer func() { err = errors.Join(err, page.Close()) }()
	}

	var doc *document
	if opts.markdown != "" {
		if doc, err = openDocument(opts.markdown); err != nil {
			return nil, fmt.Errorf("--markdown: %w", err)
		}
		defer func() { err = errors.Join(err, doc.file.Close()) }()
	}

	var failed error
	if r = opts.from; r == nil {
		r = newReport(opts, time.Now())
		failed = runPlan(ctx, opts, env, r, newProgress(stderr))
		if ctx.Err() != nil {
			r.Interrupted, failed = true, nil
			fmt.Fprintln(stderr, "bench: interrupted; this is what was measured until then")
		}
	}
	if failed != nil && !r.any() {
		return r, failed // a report of nothing would only hide why
	}
	if opts.compare != nil {
		r.Comparison, err = compare(opts.compare, r)
		failed = errors.Join(failed, err)
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
	if doc != nil {
		err = errors.Join(err, doc.write(r))
	}
	return r, errors.Join(failed, err)
}

// runPlan measures what is planned, suites on one pair of simulated markets that
// all of them share.
func runPlan(ctx context.Context, opts options, env outside, r *Report, p *progress) error {
	plan := opts.plan()
	p.begin(plan, opts)
	defer p.end()
	var rig *rig
	if opts.simulated() {
		p.say("making the simulated markets")
		var err error
		if rig, err = newRig(opts); err != nil {
			return err
		}
		defer rig.Close()
	}
	for _, s := range plan {
		p.suite()
		out := r.suite(s.name, s.about)
		if err := s.run(ctx, &session{opts: opts, rig: rig, out: out, progress: p, report: r, outside: env}); err != nil {
			return fmt.Errorf("suite %s: %w", s.name, err)
		}
	}
	return nil
}

// any tells whether anything was measured.
func (r *Report) any() bool {
	return slices.ContainsFunc(r.Suites, func(s *Suite) bool { return len(s.Figures) > 0 })
}

// worse tells whether a comparison or a soak found something that it should not.
func (r *Report) worse() bool {
	return r.Comparison != nil && r.Comparison.regressed(r.Settings.Mode) || r.Soak != nil && r.Soak.grows()
}
