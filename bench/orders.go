package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"skinarb/execution"
	"skinarb/internal/redisstore"
	"skinarb/internal/sqlitejournal"
)

// callerCounts are how many goroutines want an order written at the same time: a
// trader's usual one, and more than Executor lets through by itself.
var callerCounts = []int{1, 8}

// runOrders measures how fast purchases are written down and sent, beside queues
// that could be asked to remember them instead.
func runOrders(ctx context.Context, s *session) (err error) {
	dir, err := os.MkdirTemp("", "bench-orders-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	o := &orders{session: s, dir: dir, length: s.opts.length / 6}
	defer func() { err = errors.Join(err, o.close()) }()

	s.out.note("Everything is written below %s and synced there; what a disk makes of a sync is in the floor.", os.TempDir())
	s.out.note("Reserve does more than a unique insert: in the same step it adds up what counts against the limits, and refuses what is above them. A peer's unit of work has the same fields as a request to buy.")
	if err := o.openJournals(ctx); err != nil {
		return err
	}
	if err := o.openWires(ctx); err != nil {
		return err
	}
	if err := o.openPeers(ctx); err != nil {
		return err
	}
	return s.rounds(ctx, round{tasks: o.tasks(ctx), after: o.ratios})
}

// orders is what the suite measures. Whatever is opened is closed in reverse.
type orders struct {
	*session
	dir     string
	length  time.Duration // of one measurement
	servers redisServers

	floor    *syncFloor
	journals []*journalLoad
	wires    []*wire
	peers    []*peer

	closers []func() error
}

func (o *orders) onClose(f func() error) { o.closers = append(o.closers, f) }

func (o *orders) close() error {
	var errs []error
	for i := len(o.closers) - 1; i >= 0; i-- {
		errs = append(errs, o.closers[i]())
	}
	return errors.Join(errs...)
}

// redisServers are real Redis servers that persist, by their appendfsync. They
// are nil where there is no redis-server.
type redisServers struct {
	always, everysec *redisServer
}

type redisServer struct {
	address string
	store   *redisstore.Store
}

func (o *orders) openJournals(ctx context.Context) error {
	floor, err := newSyncFloor(filepath.Join(o.dir, "floor"))
	if err != nil {
		return err
	}
	o.floor = floor
	o.onClose(floor.close)
	if err := o.startServers(ctx); err != nil {
		return err
	}
	today := busyDay
	if o.opts.items > 0 {
		today = min(today, o.opts.items)
	}
	for name, open := range o.journalKinds() {
		quiet, err := open(ctx, "quiet")
		if err != nil {
			return err
		}
		busy, err := open(ctx, "busy")
		if err != nil {
			return err
		}
		o.progress.say(fmt.Sprintf("orders: entering %d purchases of today in the %s", today, name))
		full := &journalLoad{name: fmt.Sprintf("%s, %d bought today", name, today), journal: busy, reserveOnly: true}
		if err := full.fill(ctx, today); err != nil {
			return err
		}
		o.journals = append(o.journals, &journalLoad{name: name, journal: quiet}, full)
	}
	o.out.note("At most %d orders are open at a time, and none was bought today where it does not say so.", burst)
	return nil
}

// openJournal opens a new journal, which is closed when the suite ends.
type openJournal func(ctx context.Context, name string) (execution.Journal, error)

// journalKinds gives the journals that can be had here, and notes their
// durability. The first one is what the others are measured against.
func (o *orders) journalKinds() iter.Seq2[string, openJournal] {
	return func(yield func(string, openJournal) bool) {
		o.out.note("SQLite journal: WAL, synchronous FULL: an acknowledged write survives kill -9 of the program and a power cut; there is no server.")
		if !yield("SQLite journal", o.openSQLite) || o.servers.always == nil {
			return
		}
		o.out.note("Redis journal: appendonly yes, appendfsync always: an acknowledged write survives kill -9 of the program, kill -9 of the server, and a power cut.")
		yield("Redis journal", o.openRedis)
	}
}

func (o *orders) openSQLite(_ context.Context, name string) (execution.Journal, error) {
	journal, err := sqlitejournal.Open(filepath.Join(o.dir, name+".sqlite"))
	if err != nil {
		return nil, err
	}
	o.onClose(journal.Close)
	return journal, nil
}

// openRedis opens a journal that this process leads.
func (o *orders) openRedis(ctx context.Context, name string) (execution.Journal, error) {
	journal := o.servers.always.store.Journal(name)
	if err := journal.Durable(ctx); err != nil {
		return nil, err
	}
	_, release, err := journal.Lead(ctx)
	if err != nil {
		return nil, err
	}
	o.onClose(func() error { release(); return nil })
	return journal, nil
}

// startServers starts the real Redis servers, if there is a program for it.
func (o *orders) startServers(ctx context.Context) error {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		o.out.note("No redis-server in PATH: the Redis journal and asynq were not measured. Debian has it in the package redis-server.")
		return nil
	}
	for fsync, server := range map[string]**redisServer{"always": &o.servers.always, "everysec": &o.servers.everysec} {
		o.progress.say("orders: starting " + program + " with appendfsync " + fsync)
		store, address, stop, err := startRedisWith(ctx, program, "--appendonly", "yes", "--appendfsync", fsync)
		if err != nil {
			return err
		}
		o.onClose(func() error { stop(); return nil })
		*server = &redisServer{address, store}
	}
	return nil
}

// tasks gives everything that is measured in a round.
func (o *orders) tasks(ctx context.Context) []task {
	tasks := []task{{"sync", func() error { return o.floor.measure(ctx, o.out, o.length) }}}
	for _, j := range o.journals {
		tasks = append(tasks, task{j.name, func() error { return j.measure(ctx, o.out, o.length) }})
	}
	for _, w := range o.wires {
		tasks = append(tasks, task{w.subject, func() error { return w.measure(ctx, o.out, o.length) }})
	}
	for _, p := range o.peers {
		tasks = append(tasks, task{p.name, func() error { return p.measure(ctx, o.out, o.length) }})
	}
	return tasks
}

// ratios puts our first journal beside the others, at each number of callers.
func (o *orders) ratios() error {
	ours := o.journals[0]
	for i, n := range callerCounts {
		against := callersName(n) + ", our Reserve in SQLite against it"
		if i == 0 {
			o.out.add(o.floor.subject(), against, "x", ours.reserved[i]/o.floor.perSecond)
		}
		for _, j := range o.journals[1:] {
			if i < len(j.reserved) {
				o.out.add(j.reserveSubject(), against, "x", ours.reserved[i]/j.reserved[i])
			}
		}
		for _, p := range o.peers {
			o.out.add(p.insertSubject(), against, "x", ours.reserved[i]/p.inserted[i])
		}
	}
	return nil
}

// addRate adds what a number of callers achieved.
func (s *Suite) addRate(subject string, callers int, r rate) {
	name := callersName(callers)
	s.add(subject, name, "/s", r.perSecond)
	if callers == 1 { // with more, it is the queue that is seen
		s.add(subject, name+", p50", "µs", micros(r.p50))
	}
	s.add(subject, name+", p99", "µs", micros(r.p99))
}

func callersName(n int) string {
	if n == 1 {
		return "1 caller"
	}
	return fmt.Sprintf("%d callers", n)
}

func micros(d time.Duration) float64 { return float64(d) / 1e3 }
