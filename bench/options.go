package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"skinarb/pricing"
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

	markdown string

	// What is measured in place of the suites, one of them at most.
	target *url.URL       // an instance that runs somewhere
	market pricing.Market // a real market
	soak   bool
	from   *Report // nothing: it was measured earlier

	connections int // of a load on target, or in a soak
	rate        int // requests a second of a steady load
	yes         bool

	compare     *Report // an earlier one
	failOnWorse bool

	noPeers             bool
	list, help, version bool
}

// Defaults that depend on what is measured.
const (
	standardRounds = 5
	marketRounds   = 3
	maxMarketPulls = 10
	standardLength = 3 * time.Second
	soakLength     = 10 * time.Minute
)

// runs tells whether a suite was asked for.
func (o options) runs(suite string) bool {
	return len(o.suites) == 0 || slices.Contains(o.suites, suite)
}

// plan gives what is to be measured, in order.
func (o options) plan() []suite {
	switch {
	case o.target != nil:
		return []suite{{"target", "price look-ups on an instance that runs already", runTarget}}
	case o.market != "":
		return []suite{{"market", "pulls of the catalog of " + string(o.market) + ", the real one", runMarket}}
	case o.soak:
		return []suite{{"soak", "look-ups at a steady rate while catalogs refresh every second", runSoak}}
	}
	return slices.DeleteFunc(slices.Clone(suites), func(s suite) bool { return !o.runs(s.name) })
}

// simulated tells whether the plan needs the simulated markets that suites share.
func (o options) simulated() bool { return o.target == nil && o.market == "" && !o.soak }

// mode names what is measured: only reports of the same can be compared.
func (o options) mode() string {
	switch {
	case o.target != nil:
		return "target"
	case o.market != "":
		return "market " + string(o.market)
	case o.soak:
		return "soak"
	}
	return suitesMode
}

// suitesMode is the mode of a run of suites.
const suitesMode = "suites"

// note is what a reader of every figure has to know.
func (o options) note() string {
	switch {
	case o.target != nil:
		return "The instance is wherever it is: the network between, and this machine, are in every figure."
	case o.market != "":
		return "The market is real, and far: its network, and what it had to do just then, are in every figure."
	}
	return sharedCores
}

// option is a flag: how it is read, and what --help says.
type option struct {
	name, placeholder, about string // no placeholder: a switch without a value
	set                      func(*options, string) error
}

// optionGroups are all flags, in the order of --help.
var optionGroups = []struct {
	title   string
	options []option
}{
	{"What is measured", []option{
		{"suite", "NAMES", "Suites to run, separated by commas. Default: all.", setSuites},
		{"target", "URL", "Measure look-ups on an instance of our API that runs already, aggregator or trader, such as http://127.0.0.1:8080. If it wants a token, put one into the environment as READ_TOKEN or API_TOKEN, or name a file with it by READ_TOKEN_FILE or API_TOKEN_FILE. A flag would show it to every user of this machine.", setTarget},
		{"market", "NAME", "Pull the catalog of the real market, skinsback or sih, with the settings and keys that the aggregator reads from the environment (SKINSBACK_..., SIH_..., REDIS_URL, GAMES). It keeps to the account's rate limit, and with REDIS_URL shares it with all that run. At most --rounds requests are sent, and first it asks.", setMarket},
		{"soak", "", "Look prices up for a long time while catalogs refresh, and watch memory and latency for growth.", func(o *options, _ string) error { o.soak = true; return nil }},
		{"from", "FILE", "Measure nothing: show what --json wrote to FILE, as a table, a page, Markdown, or beside another with --compare.", func(o *options, v string) (err error) {
			o.from, err = readReport(v)
			return err
		}},
	}},
	{"How", []option{
		{"rounds", "N", "How often everything is measured, 1 to 100; the table has the median and the spread. Default: 5; with --market 3, and 10 at most.", func(o *options, v string) (err error) {
			o.rounds, err = number(v, 1, 100)
			return err
		}},
		{"for", "TIME", "How long one load lasts, 10ms to 1m, default 3s. With --soak: how long the whole soak lasts, 1s to 24h, default 10m.", setLength},
		{"items", "N", "CS2 names on the simulated markets, 0 to 1000000; 0 is all of them, more than 20,000. Default: 0.", func(o *options, v string) (err error) {
			o.items, err = number(v, 0, 1_000_000)
			return err
		}},
		{"seed", "N", "Decides all names, prices and stock: the same seed measures the same work. Default: 1.", func(o *options, v string) (err error) {
			if o.seed, err = strconv.ParseUint(v, 10, 64); err != nil {
				err = fmt.Errorf("%q is not a whole number from 0", v)
			}
			return err
		}},
		{"connections", "N", "With --target or --soak: connections of the load, 1 to 1024. Default: 64.", func(o *options, v string) (err error) {
			o.connections, err = number(v, 1, 1024)
			return err
		}},
		{"rate", "N", "With --target or --soak: requests a second of the steady load, 1 to 1000000. Default: 5000.", func(o *options, v string) (err error) {
			o.rate, err = number(v, 1, 1_000_000)
			return err
		}},
		{"no-peers", "", "Leave out peers that are programs of their own (nginx, webdis, wrk, Redis GET, ccxt, River, asynq), and scale's API processes.", func(o *options, _ string) error { o.noPeers = true; return nil }},
		{"yes", "", "With --market: do not ask before requests are sent.", func(o *options, _ string) error { o.yes = true; return nil }},
	}},
	{"What comes out", []option{
		{"json", "", "Write JSON with the machine, and every figure with its unit and each round's value, instead of the table.", func(o *options, _ string) error { o.json = true; return nil }},
		{"html", "FILE", "Also write one self-contained page with plots.", func(o *options, v string) error {
			if v == "" {
				return errors.New("needs the name of a file")
			}
			o.html = v
			return nil
		}},
		{"markdown", "FILE", "Also write the figures as Markdown tables: into a new file, or into one that has been written so before, where all else in it stays.", func(o *options, v string) error {
			if v == "" {
				return errors.New("needs the name of a file")
			}
			o.markdown = v
			return nil
		}},
		{"compare", "FILE", "Put every figure beside what an earlier --json wrote to FILE, and tell what got better or worse.", func(o *options, v string) (err error) {
			o.compare, err = readReport(v)
			return err
		}},
		{"fail-on-worse", "", "Exit with status 3 if --compare finds something worse, or --soak something that grows. Of suites only ratios to peers and what is counted by the piece are looked at: times are the machine's, too.", func(o *options, _ string) error { o.failOnWorse = true; return nil }},
		{"list", "", "List the suites and exit.", func(o *options, _ string) error { o.list = true; return nil }},
		{"version", "", "Print the version and exit.", func(o *options, _ string) error { o.version = true; return nil }},
		{"help", "", "Print this and exit.", func(o *options, _ string) error { o.help = true; return nil }},
	}},
}

// findOption finds a flag by its name.
func findOption(name string) (option, bool) {
	for _, g := range optionGroups {
		for _, op := range g.options {
			if op.name == name {
				return op, true
			}
		}
	}
	return option{}, false
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

func setTarget(o *options, v string) (err error) {
	o.target, err = url.Parse(v)
	switch u := o.target; {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		o.target = &url.URL{}
		return errors.New("it is an address such as http://127.0.0.1:8080")
	case u.User != nil:
		return errors.New("it must not contain a password; a token goes into the environment, see --help")
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "":
		return errors.New("it ends with the host or port: the paths of the API are known")
	}
	o.target.Path = ""
	return nil
}

func setMarket(o *options, v string) (err error) {
	if o.market, err = pricing.ParseMarket(v); err != nil {
		o.market = "unknown" // one mistake is enough
		return fmt.Errorf("%q is not a market: it is one of skinsback, sih", v)
	}
	return nil
}

func setLength(o *options, v string) (err error) {
	o.length, err = time.ParseDuration(v)
	if err != nil || o.length < 10*time.Millisecond || o.length > 24*time.Hour {
		o.length = 0 // one mistake is enough
		return fmt.Errorf("%q is not a time from 10ms to 1m, or 24h with --soak, such as 500ms or 3s", v)
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
	o := options{seed: 1}
	var mistakes []error
	given := map[string]bool{}
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		name, value, hasValue := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if arg == "-h" {
			name = "help"
		}
		op, ok := findOption(name)
		if !ok || !strings.HasPrefix(arg, "-") {
			mistakes = append(mistakes, fmt.Errorf("%s: there is no such flag", arg))
			continue
		}
		given[name] = true
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
	mistakes = append(mistakes, o.clashes(given)...)
	o.setDefaults()
	return o, errors.Join(mistakes...)
}

// clashes gives the mistakes that only show when flags are seen together.
func (o options) clashes(given map[string]bool) (mistakes []error) {
	var what []string
	for _, name := range []string{"suite", "target", "market", "soak", "from"} {
		if given[name] {
			what = append(what, "--"+name)
		}
	}
	if len(what) > 1 {
		mistakes = append(mistakes, fmt.Errorf("%s: only one of them can be measured at a time", strings.Join(what, ", ")))
	}
	for _, c := range []struct {
		name string
		fits bool
		with string
	}{
		{"connections", given["target"] || given["soak"], "--target or --soak"},
		{"rate", given["target"] || given["soak"], "--target or --soak"},
		{"yes", given["market"], "--market"},
		{"fail-on-worse", given["compare"] || given["soak"], "--compare or --soak"},
	} {
		if given[c.name] && !c.fits {
			mistakes = append(mistakes, fmt.Errorf("--%s: only goes with %s", c.name, c.with))
		}
	}
	switch {
	case !o.soak && o.length > time.Minute:
		mistakes = append(mistakes, errors.New("--for: more than 1m needs --soak"))
	case o.soak && o.length > 0 && o.length < time.Second:
		mistakes = append(mistakes, errors.New("--for: a soak lasts 1s at least"))
	}
	if o.market != "" && o.rounds > maxMarketPulls {
		mistakes = append(mistakes, fmt.Errorf("--rounds: %d pulls of a real market at most", maxMarketPulls))
	}
	return mistakes
}

func (o *options) setDefaults() {
	rounds, length := standardRounds, standardLength
	if o.market != "" {
		rounds = marketRounds
	}
	if o.soak {
		rounds, length = 1, soakLength
	}
	o.rounds = cmp.Or(o.rounds, rounds)
	o.length = cmp.Or(o.length, length)
	o.connections = cmp.Or(o.connections, connections)
	o.rate = cmp.Or(o.rate, pace)
}

const helpText = `Usage: go run ./bench [flags]

Measures fetching, publishing, look-ups, the strategy and orders. Without flags
it runs all suites on simulated markets in this process, over loopback, each
beside peers: the floor that nothing can be faster than, what one would write
first, and what others run. Client, server and load share the cores, so ratios
tell more than rates; where the project has a goal for one, it stands beside it.

How to read it: a figure is measured once in each round, and peers take turns
with ours within the round. The median of the rounds is the figure; half of the
rounds lie in "middle half", all of them from min to max. Ratios are taken
within each round, so what slowed both sides does not show in them.

How to compare: keep one run with --json, change something, run again with
--compare. A change counts when chance would explain it in less than 5 % of
cases (Mann and Whitney's test on the rounds) and it is more than 3 %; that
needs 4 rounds on each side, better 7. On another machine only ratios count.

Some peers are programs of their own. Suites start redis-server, nginx, webdis
and wrk if they are installed, put ccxt into the user's cache by npm, and build
River, asynq and our own API processes by the go command, downloading modules
the first time. --no-peers leaves them out; a redis-server to publish to is used
all the same. A note names what is missing. Nothing else leaves the machine,
unless --target or --market names another place.

All suites take about 8 minutes on two cores, 3 with --rounds 2 --for 1s.
`

const helpExamples = `
Examples:
  bench --suite lookup --for 10s                          one suite, longer
  bench --suite ingest,full --rounds 9 --html page.html   and a page to show
  bench --rounds 7 --json > before.json                   now change something
  bench --rounds 7 --compare before.json --html page.html
  bench --from after.json --compare before.json           two files, nothing measured
  bench --from after.json --markdown docs/performance.md
  bench --target http://127.0.0.1:8080 --rate 20000
  bench --market sih --rounds 3
  bench --soak --for 1h --fail-on-worse --html soak.html

Status: 0 measured, 1 something failed, 2 wrong flags, 3 see --fail-on-worse.
Progress goes to stderr. Ctrl-C ends with what was measured until then.
`

func writeHelp(w io.Writer) {
	fmt.Fprint(w, helpText, "\nSuites:\n")
	writeSuites(w)
	for _, g := range optionGroups {
		fmt.Fprintf(w, "\n%s:\n", g.title)
		for _, op := range g.options {
			fmt.Fprintf(w, "  %s\n", strings.TrimSpace("--"+op.name+" "+op.placeholder))
			for _, line := range wrap(op.about, 72) {
				fmt.Fprintf(w, "      %s\n", line)
			}
		}
	}
	fmt.Fprint(w, helpExamples)
}

// writeSuites lists the suites.
func writeSuites(w io.Writer) {
	for _, s := range suites {
		fmt.Fprintf(w, "  %-9s %s\n", s.name, s.about)
	}
}

// wrap breaks text into lines of at most width characters.
func wrap(text string, width int) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	return append(lines, line)
}
