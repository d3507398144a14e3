// Command trader runs the strategy over both markets' prices and buys what is
// worth buying, within hard limits, each intent at most once.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"skinarb/internal/settings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.LookupEnv, os.Stdout, os.Stderr))
}

const about = `trader watches the prices of SkinsBack and SIH Market, finds what is worth
buying on one and selling on the other, and buys it.

Without accounts: go run ./cmd/trader --demo
It buys nothing real unless MODE=live is said, which needs spending limits.`

// run is the program; it returns the exit status: 0 when it was told to stop, 2
// for mistakes in the settings, 1 for anything else.
func run(ctx context.Context, args []string, lookup func(string) (string, bool), stdout, stderr io.Writer) int {
	var c config
	set := settings.New("trader", about)
	c.declare(set)
	err := set.Load(args, lookup, stdout)
	if errors.Is(err, settings.ErrDone) {
		return 0
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var demo *show
	if c.Demo && err == nil {
		d, clean, demoErr := c.startDemo(stop, newScreen(stdout))
		if demoErr != nil {
			fmt.Fprintln(stderr, "trader:", demoErr)
			return 1
		}
		defer clean()
		demo = d
	}
	if err := errors.Join(append([]error{err}, c.validate()...)...); err != nil {
		fmt.Fprintf(stderr, "trader: mistakes in the settings (see --help):\n%v\n", err)
		return 2
	}
	if err := trade(ctx, &c, reader(args, lookup), demo, stderr); err != nil {
		fmt.Fprintln(stderr, "trader:", err)
		return 1
	}
	return 0
}
