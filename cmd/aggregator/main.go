// Command aggregator pulls both markets' catalogs concurrently into Redis and
// serves the query API over them. It buys nothing.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/sourcegraph/conc"

	"skinarb/fetch"
	"skinarb/internal/marketsim"
	"skinarb/internal/pricefeed"
	"skinarb/internal/settings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.LookupEnv, os.Stdout, os.Stderr))
}

const about = `aggregator pulls the catalogs of SkinsBack and SIH Market into Redis, checks
them, and serves what everything costs. With REDIS_URL and no keys of a market it
fetches nothing, and serves what others fetch.

Without accounts: go run ./cmd/aggregator --demo`

// run is the program; it returns the exit status: 0 when it was told to stop, 2
// for mistakes in the settings, 1 for anything else.
func run(ctx context.Context, args []string, lookup func(string) (string, bool), stdout, stderr io.Writer) int {
	var p settings.Prices
	set := settings.New("aggregator", about)
	p.Declare(set, "127.0.0.1:8080")
	set.Elsewhere(settings.TraderOnly...) // one file may serve both
	err := set.Load(args, lookup, stdout)
	if errors.Is(err, settings.ErrDone) {
		return 0
	}
	if p.Demo && err == nil {
		clean, err := startDemo(&p)
		if err != nil {
			fmt.Fprintln(stderr, "aggregator:", err)
			return 1
		}
		defer clean()
	}
	if err := errors.Join(append([]error{err}, p.Validate()...)...); err != nil {
		fmt.Fprintf(stderr, "aggregator: mistakes in the settings (see --help):\n%v\n", err)
		return 2
	}
	if p.DemoFor > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, p.DemoFor)
		defer cancel()
	}
	if err := aggregate(ctx, &p, stdout, stderr); err != nil {
		fmt.Fprintln(stderr, "aggregator:", err)
		return 1
	}
	return 0
}

// startDemo starts both simulated markets and points the settings at them.
func startDemo(p *settings.Prices) (clean func(), err error) {
	world, err := marketsim.New(marketsim.Config{Seed: uint64(p.Seed), Tick: 2 * time.Second})
	if err != nil {
		return nil, err
	}
	sim, err := marketsim.Serve(world, "")
	if err != nil {
		return nil, fmt.Errorf("start the simulated markets: %w", err)
	}
	dir, err := os.MkdirTemp("", "skinarb-demo-")
	if err != nil {
		return nil, err
	}
	p.UseDemo(sim.SkinsBackURL, marketsim.DemoClientID, marketsim.DemoClientSecret, sim.SIHURL, marketsim.DemoAPIKey, dir)
	return func() { sim.Close(); os.RemoveAll(dir) }, nil
}

// aggregate fetches and serves until ctx ends.
func aggregate(ctx context.Context, p *settings.Prices, stdout, stderr io.Writer) error {
	log := pricefeed.NewLogger(stderr, p.LogFormat, p.LogLevel)
	ln, err := pricefeed.Listen(ctx, p.ListenAddr)
	if err != nil {
		return err
	}
	defer ln.Close()
	feed, err := pricefeed.Open(ctx, pricefeed.Config{
		Settings: p, Dir: filepath.Join(p.DataDir, "aggregator-feeds"), Fetch: true,
		Registry: pricefeed.NewRegistry(), Log: log,
		OnPull: func(o fetch.Observation) {
			log.Info("pulled", "feed", o.Feed.String(), "outcome", o.Outcome, "items", o.Items, "changed", o.Changed, "took", o.Duration.Round(time.Millisecond))
		},
	})
	if err != nil {
		return err
	}
	defer feed.Close()
	api := feed.API(feed.Engine(), nil, nil, nil)
	address := "http://" + ln.Addr().String() + "/"
	log.Info("aggregator is up", "version", settings.Version(), "dashboard", address)
	if p.Demo {
		fmt.Fprintf(stdout, "dashboard  %s\ntry        curl '%sv1/items?q=ak+redline'\n", address, address)
	}
	switch {
	case feed.Reads():
		log.Info("no market is configured: this process fetches nothing, and serves what others publish to REDIS_URL")
	case len(feed.Markets()) == 0:
		log.Warn("no market is configured: set SKINSBACK_CLIENT_ID and SKINSBACK_CLIENT_SECRET, or SIH_API_KEY; or try --demo")
	}

	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var running conc.WaitGroup
	running.Go(func() { feed.Run(ctx) })
	err = pricefeed.Serve(ctx, api, ln)
	stop()
	running.Wait()
	if p.Demo {
		for _, st := range feed.Statuses() {
			fmt.Fprintf(stdout, "%-16s %6d items, %d rows refused, pull p50 %s\n", st.Feed, st.Items, st.Rejected, st.PullP50.Round(time.Millisecond))
		}
	}
	log.Info("aggregator has stopped")
	return err
}
