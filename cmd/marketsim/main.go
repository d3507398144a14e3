// Command marketsim runs both simulated markets on one loopback address, for
// trying and developing the rest of the project without accounts. It prints the
// settings that point the other programs at it, then a line per purchase.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"skinarb/internal/marketsim"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}

// flags are also environment variables: MARKETSIM_LISTEN and so on.
type flags struct {
	Listen  string        `default:"127.0.0.1:8090" help:"Address to serve both markets and the control API on. Port 0 takes a free one. Nobody is asked for a password on /sim, so stay on loopback."`
	Seed    uint64        `default:"1" help:"Number that decides all prices, stock and outcomes: the same seed gives the same world."`
	Speed   float64       `default:"1" help:"How many times faster than in reality orders proceed. 1000 brings the 8 days of trade protection down to 12 minutes."`
	Items   int           `default:"0" help:"How many CS2 names to generate; 0 for all, more than 20,000."`
	Catalog string        `placeholder:"FILE" help:"Names and reference prices in dollars to use instead of generated ones: a JSON object, or lines of name, tab, price."`
	Balance dollars       `default:"10000" help:"Money on each market at the start, in dollars."`
	Tick    time.Duration `default:"10s" help:"How often prices and stock move, such as 500ms or 1m. Not affected by --speed."`
	Move    int           `default:"2" help:"Share of the items that move each tick, in percent, 1 to 100."`
	Mishaps bool          `default:"true" negatable:"" help:"Let a few percent of purchases fail, time out, be reversed or be sold out."`
	Strings bool          `help:"Make SkinsBack write numbers as strings."`

	Version kong.VersionFlag `help:"Print the version and exit."`
}

// dollars is money given in dollars, kept in micro-dollars.
type dollars int64

func (d *dollars) UnmarshalText(text []byte) error {
	amount, err := marketsim.ParseUSD(string(text))
	*d = dollars(amount)
	return err
}

// run is the program; it returns the exit status: 0 after ctx ends, 2 for wrong
// settings, 1 for anything else.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	var f flags
	status, done := parse(&f, args, getenv, stdout, stderr)
	if done {
		return status
	}
	cfg, err := f.config()
	if err != nil {
		fmt.Fprintln(stderr, "marketsim: wrong settings:\n"+err.Error())
		return 2
	}
	if err := serve(ctx, cfg, f.Listen, stdout, stderr); err != nil {
		fmt.Fprintln(stderr, "marketsim:", err)
		return 1
	}
	return 0
}

// parse reads the flags, with the environment as default. done is true if there
// is nothing left to do.
func parse(f *flags, args []string, getenv func(string) string, stdout, stderr io.Writer) (status int, done bool) {
	fromEnv := func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		if value := getenv(envName(flag.Name)); value != "" {
			return value, nil
		}
		return nil, nil
	}
	parser, err := kong.New(f,
		kong.Name("marketsim"),
		kong.Description("Serves SkinsBack and SIH Market, simulated, over HTTP."),
		kong.Vars{"version": version()},
		kong.Resolvers(kong.ResolverFunc(fromEnv)),
		kong.ValueFormatter(func(v *kong.Value) string {
			if v.Name == "help" || v.Name == "version" {
				return v.Help
			}
			return fmt.Sprintf("%s [default: %s, $%s]", v.Help, orNone(v.Default), envName(v.Name))
		}),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { status, done = code, true }),
	)
	if err != nil {
		fmt.Fprintln(stderr, "marketsim:", err)
		return 1, true
	}
	_, err = parser.Parse(args)
	if done { // --help or --version
		return status, true
	}
	if err != nil {
		fmt.Fprintln(stderr, "marketsim:", err)
		return 2, true
	}
	return 0, false
}

func envName(flag string) string {
	return "MARKETSIM_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

func orNone(value string) string {
	if value == "" {
		return "none"
	}
	return value
}

// version is the module's version as the build recorded it.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return "marketsim " + info.Main.Version
	}
	return "marketsim (devel)"
}

// config checks all settings and makes a world's configuration of them.
func (f *flags) config() (marketsim.Config, error) {
	var errs []error
	check := func(ok bool, flag, want string) {
		if !ok {
			errs = append(errs, fmt.Errorf("  --%s (%s): want %s", flag, envName(flag), want))
		}
	}
	check(f.Speed > 0, "speed", "a number above 0")
	check(f.Items >= 0, "items", "0 or more")
	check(f.Balance > 0, "balance", "more than 0 dollars")
	check(f.Tick > 0, "tick", "a duration above 0")
	check(f.Move >= 1 && f.Move <= 100, "move", "1 to 100")
	_, _, err := net.SplitHostPort(f.Listen)
	check(err == nil, "listen", "host:port")

	cfg := marketsim.Config{
		Seed:          f.Seed,
		Items:         f.Items,
		Speed:         f.Speed,
		Tick:          f.Tick,
		MovePct:       f.Move,
		Balance:       int64(f.Balance),
		NumberStrings: f.Strings,
	}
	if f.Mishaps {
		cfg.Outcomes = marketsim.DefaultOutcomes
	}
	if f.Catalog != "" {
		var err error
		if cfg.Catalog, err = readCatalog(f.Catalog); err != nil {
			errs = append(errs, fmt.Errorf("  --catalog (%s): %w", envName("catalog"), err))
		}
	}
	return cfg, errors.Join(errs...)
}

func readCatalog(path string) (map[string]int64, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return marketsim.ReadCatalog(file)
}

// serve runs the markets until ctx ends.
func serve(ctx context.Context, cfg marketsim.Config, addr string, stdout, stderr io.Writer) error {
	world, err := marketsim.New(cfg)
	if err != nil {
		return err
	}
	server, err := marketsim.Serve(world, addr)
	if err != nil {
		return err
	}
	if host, _, _ := net.SplitHostPort(addr); !isLoopback(host) {
		fmt.Fprintf(stderr, "marketsim: %s is not loopback: whoever reaches it can steer the markets\n", addr)
	}
	fmt.Fprintf(stdout, `Both markets are up; /sim is for steering them. Settings for the other programs:

export SKINSBACK_URL=%s
export SKINSBACK_WS_URL=
export SKINSBACK_CLIENT_ID=%s
export SKINSBACK_CLIENT_SECRET=%s
export SIH_URL=%s
export SIH_API_KEY=%s

Control: %s/purchases, /balances, /requests, /faults, /price, /stock. Ctrl-C ends.
`, server.SkinsBackURL, marketsim.DemoClientID, marketsim.DemoClientSecret, server.SIHURL, marketsim.DemoAPIKey, server.ControlURL)

	report(ctx, world, stdout)
	return server.Close()
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// report prints a line per purchase until ctx ends.
func report(ctx context.Context, world *marketsim.World, stdout io.Writer) {
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for seen := 0; ; {
		purchases := world.PurchasesFrom(seen)
		seen += len(purchases)
		for _, p := range purchases {
			fmt.Fprintf(stdout, "%s %-9s #%s  $%s  %s  %s\n",
				p.At.Format(time.TimeOnly), p.Market, p.Ref, marketsim.FormatUSD(p.Price), p.Name, p.CustomID)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
