package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// options is what the flags say.
type options struct {
	suites []string // empty: all
	rounds int
	items  int // CS2 names; 0: all
	length time.Duration
	seed   uint64
	json   bool
	html   string

	noPeers             bool
	list, help, version bool
}

// runs tells whether a suite was asked for.
func (o options) runs(suite string) bool {
	return len(o.suites) == 0 || slices.Contains(o.suites, suite)
}

// option is a flag: how it is read, and what --help says.
type option struct {
	name, placeholder, about string // no placeholder: a switch without a value
	set                      func(*options, string) error
}

var optionTable = []option{
	{"suite", "NAMES", "Suites to run, separated by commas. Default: all.", setSuites},
	{"rounds", "N", "How often everything is measured, 1 to 100; the table has the median and the extremes. Default: 5.", func(o *options, v string) (err error) {
		o.rounds, err = number(v, 1, 100)
		return err
	}},
	{"items", "N", "CS2 names on the simulated markets, 0 to 1000000; 0 is all of them, more than 20,000. Default: 0.", func(o *options, v string) (err error) {
		o.items, err = number(v, 0, 1_000_000)
		return err
	}},
	{"for", "TIME", "How long one round of load on the HTTP server lasts, 10ms to 1m. Default: 3s.", setLength},
	{"seed", "N", "Decides all names, prices and stock: the same seed measures the same work. Default: 1.", func(o *options, v string) (err error) {
		if o.seed, err = strconv.ParseUint(v, 10, 64); err != nil {
			err = fmt.Errorf("%q is not a whole number from 0", v)
		}
		return err
	}},
	{"json", "", "Write JSON with the machine, and every figure with its unit, instead of the table.", func(o *options, _ string) error { o.json = true; return nil }},
	{"html", "FILE", "Also write one self-contained page with plots.", func(o *options, v string) error {
		if v == "" {
			return errors.New("needs the name of a file")
		}
		o.html = v
		return nil
	}},
	{"no-peers", "", "Leave out River and asynq, which the suite orders builds and starts as programs of their own.", func(o *options, _ string) error { o.noPeers = true; return nil }},
	{"list", "", "List the suites and exit.", func(o *options, _ string) error { o.list = true; return nil }},
	{"version", "", "Print the version and exit.", func(o *options, _ string) error { o.version = true; return nil }},
	{"help", "", "Print this and exit.", func(o *options, _ string) error { o.help = true; return nil }},
}

func setSuites(o *options, v string) error {
	var unknown []string
	for name := range strings.SplitSeq(v, ",") {
		name = strings.TrimSpace(name)
		if !slices.ContainsFunc(suites, func(s suite) bool { return s.name == name }) {
			unknown = append(unknown, strconv.Quote(name))
			continue
		}
		o.suites = append(o.suites, name)
	}
	if unknown != nil {
		return fmt.Errorf("there is no suite %s; --list shows them", strings.Join(unknown, ", "))
	}
	return nil
}

func setLength(o *options, v string) (err error) {
	o.length, err = time.ParseDuration(v)
	if err != nil || o.length < 10*time.Millisecond || o.length > time.Minute {
		return fmt.Errorf("%q is not a time from 10ms to 1m, such as 500ms or 3s", v)
	}
	return nil
}

func number(v string, from, to int) (int, error) {
	n, err := strconv.Atoi(v)
	if err != nil || n < from || n > to {
		return 0, fmt.Errorf("%q is not a whole number from %d to %d", v, from, to)
	}
	return n, nil
}

// parseOptions reads flags written as --name value or --name=value. The
// standard library stops at the first mistake; this names all of them.
func parseOptions(args []string) (options, error) {
	o := options{rounds: 5, length: 3 * time.Second, seed: 1}
	var mistakes []error
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		name, value, hasValue := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if arg == "-h" {
			name = "help"
		}
		i := slices.IndexFunc(optionTable, func(op option) bool { return op.name == name })
		if i < 0 || !strings.HasPrefix(arg, "-") {
			mistakes = append(mistakes, fmt.Errorf("%s: there is no such flag", arg))
			continue
		}
		op := optionTable[i]
		switch {
		case op.placeholder == "" && hasValue:
			mistakes = append(mistakes, fmt.Errorf("--%s: takes no value", name))
			continue
		case op.placeholder != "" && !hasValue:
			if len(args) == 0 || strings.HasPrefix(args[0], "--") {
				mistakes = append(mistakes, fmt.Errorf("--%s: the value is missing", name))
				continue
			}
			value, args = args[0], args[1:]
		}
		if err := op.set(&o, value); err != nil {
			mistakes = append(mistakes, fmt.Errorf("--%s: %w", name, err))
		}
	}
	return o, errors.Join(mistakes...)
}

func writeHelp(w io.Writer) {
	fmt.Fprint(w, `Usage: bench [flags]

Measures fetching, look-ups, the strategy and orders on simulated markets in
this process, over loopback. Client, server and load share the cores, so ratios
tell more than rates. All suites with the default flags take about three minutes
on two cores.

Orders are measured beside River and asynq, which are built from bench/peers by
the go command; the first time it downloads their modules. They use a
redis-server and a PostgreSQL of their own, if these are installed. Nothing else
leaves the machine, and nothing is installed.

Suites:
`)
	for _, s := range suites {
		fmt.Fprintf(w, "  %-9s %s\n", s.name, s.about)
	}
	fmt.Fprint(w, "\nFlags:\n")
	for _, op := range optionTable {
		fmt.Fprintf(w, "  %-15s %s\n", strings.TrimSpace("--"+op.name+" "+op.placeholder), op.about)
	}
	fmt.Fprint(w, `
Examples:
  bench --suite lookup --for 10s
  bench --json > before.json
  bench --suite ingest,full --rounds 9 --html ingest.html

Progress goes to stderr. Ctrl-C ends with what was measured until then.
`)
}
