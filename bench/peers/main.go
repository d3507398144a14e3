// Package main runs one of the job queues that a trader could use for its
// purchases instead of a journal of its own, and measures how fast it takes
// units of work each of which must be there once. It is a module of its own, so
// that what the queues depend on is no dependency of ours.
//
//	go run . asynq 127.0.0.1:6379
//	go run . river-postgres
//	go run -modfile riversqlite.mod -tags riversqlite . river-sqlite
//
// It opens the queue and writes one line of JSON that says what it is, hello.
// Then it reads commands from its standard input, one line of JSON each, and
// answers each with one line, result. It ends with its input, and removes what
// it wrote. Bench drives it; a person can too:
//
//	{"do": "insert", "callers": 8, "seconds": 1}
//	{"do": "work", "seconds": 1}
//
// A driver of River fits only the River of its own version. The one for SQLite
// is pinned to an older version than the rest, so it has a module file of its
// own; with one that fits go.mod, that file and the build tag can go.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"
)

// queue is one of the peers. Its methods are called by one goroutine, except
// insert.
type queue interface {
	hello() hello

	// insert stores a unit of work durably, as far as the queue's settings make
	// it so. It tells whether the unit is new: one that is there already stays as
	// it is.
	insert(ctx context.Context, u unit) (created bool, err error)

	// work hands every unit that is inserted from now on to do, until stop.
	work(ctx context.Context, do func(unit)) (stop func() error, err error)

	// clear forgets all units.
	clear(ctx context.Context) error

	close() error
}

// hello says what a queue is.
type hello struct {
	Name       string `json:"name"`       // with versions
	Durability string `json:"durability"` // what of an acknowledged insert survives what
	Settings   string `json:"settings"`   // where they are not the queue's defaults
}

// unit is what a queue is given: what a request to buy has.
type unit struct {
	ID        string `json:"id"`
	Market    string `json:"market"`
	Item      string `json:"item"`
	Ask       int64  `json:"ask"`
	Cost      int64  `json:"cost"`
	Proceeds  int64  `json:"proceeds"`
	SellOn    string `json:"sell_on"`
	Recipient string `json:"recipient"`
}

// command is one thing to measure.
type command struct {
	Do      string  `json:"do"` // insert or work
	Callers int     `json:"callers"`
	Seconds float64 `json:"seconds"`
}

// result is what came of a command. Times are from the call of insert: to its
// return for insert, to the beginning of the work for work.
type result struct {
	PerSecond float64 `json:"per_second"`
	P50       float64 `json:"p50_us"`
	P99       float64 `json:"p99_us"`
	Error     string  `json:"error,omitempty"`
}

// open opens a queue. The build tags decide which ones there are.
var open = map[string]func(ctx context.Context, args []string) (queue, error){
	"asynq":          openAsynq,
	"river-postgres": openRiverPostgres,
}

func main() {
	// Ctrl-C is for whoever started this program, who then closes its input.
	signal.Ignore(os.Interrupt)
	if err := run(context.Background(), os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, in io.Reader, out io.Writer) (err error) {
	if len(args) == 0 || open[args[0]] == nil {
		return errors.New("name one of the queues: see the package comment")
	}
	q, err := open[args[0]](ctx, args[1:])
	if err != nil {
		return fmt.Errorf("open %s: %w", args[0], err)
	}
	defer func() { err = errors.Join(err, q.close()) }()
	m := &meter{queue: q}
	if err := m.prove(ctx); err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	answers := json.NewEncoder(out)
	if err := answers.Encode(q.hello()); err != nil {
		return err
	}
	commands := json.NewDecoder(in)
	for {
		var c command
		if err := commands.Decode(&c); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read a command: %w", err)
		}
		r, err := m.measure(ctx, c)
		if err != nil {
			r.Error = err.Error()
		}
		if err := answers.Encode(r); err != nil {
			return err
		}
	}
}

func (m *meter) measure(ctx context.Context, c command) (result, error) {
	if c.Seconds <= 0 || c.Seconds > 60 || c.Do == "insert" && (c.Callers < 1 || c.Callers > 64) {
		return result{}, fmt.Errorf("%+v: it takes 1 to 64 callers and at most 60 seconds", c)
	}
	length := time.Duration(c.Seconds * float64(time.Second))
	switch c.Do {
	case "insert":
		return m.inserts(ctx, c.Callers, length)
	case "work":
		return m.works(ctx, length)
	}
	return result{}, fmt.Errorf("%q: the commands are insert, work", c.Do)
}
