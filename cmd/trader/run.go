package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/sourcegraph/conc"

	"skinarb/execution"
	"skinarb/fetch"
	"skinarb/internal/pricefeed"
	"skinarb/internal/settings"
	"skinarb/internal/sqlitejournal"
	"skinarb/pricing"
)

// trade runs the trader until ctx ends: prices, API, recovery, and only then
// purchases.
func trade(ctx context.Context, c *config, show *show, stderr io.Writer) error {
	log := pricefeed.NewLogger(stderr, c.LogFormat, c.LogLevel)
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return fmt.Errorf("DATA_DIR: %w", err)
	}
	// Paper and live never share a journal: a paper order is no purchase.
	journal, err := sqlitejournal.Open(filepath.Join(c.DataDir, c.Mode+".sqlite"))
	if err != nil {
		return err
	}
	defer journal.Close()
	ln, err := pricefeed.Listen(ctx, c.ListenAddr)
	if err != nil {
		return err
	}
	defer ln.Close()
	registry := pricefeed.NewRegistry()
	feed, err := pricefeed.Open(ctx, pricefeed.Config{
		Settings: &c.Prices, Dir: filepath.Join(c.DataDir, "trader-feeds"), Fetch: c.RedisURL == "",
		Recipient: c.Recipient, Registry: registry, Log: log, OnPull: show.pull,
	})
	if err != nil {
		return err
	}
	defer feed.Close()

	steps := newStepMetrics(registry)
	executor, err := execution.New(execution.Config{
		Markets: c.markets(feed), Journal: journal, Budgets: budgets(feed), Limits: c.Limits,
		Recheck: func(_ context.Context, r execution.Request, fresh execution.Offer) error {
			return feed.Engine().Recheck(r.Item, r.Market, r.SellOn, fresh.Ask, time.Now())
		},
		Protection: map[pricing.Market]time.Duration{
			pricing.SkinsBack: c.SkinsBackProtection, pricing.SIH: c.SIHProtection,
		},
		TrackEvery: c.TrackEvery, Grace: c.Grace, PlaceTimeout: c.PlaceTimeout, Logger: log,
		OnStep: func(o execution.Order, s execution.Step) { steps.count(o, s); show.step(o, s) },
	})
	if err != nil {
		return err
	}
	desk := &desk{mode: c.Mode, limits: c.Limits, executor: executor, journal: journal, engine: feed.Engine(), log: log}
	api := feed.API(desk, desk)

	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var running conc.WaitGroup
	failed := make(chan error, 2) // one for each that may
	running.Go(func() { feed.Run(ctx) })
	running.Go(func() {
		if err := pricefeed.Serve(ctx, api, ln); err != nil {
			failed <- err
			stop()
		}
	})
	log.Info("trader is up", "version", settings.Version(), "mode", c.Mode, "dashboard", "http://"+ln.Addr().String()+"/")
	show.up("http://" + ln.Addr().String() + "/")
	if len(feed.Markets()) == 0 {
		log.Warn("no market is configured: set SKINSBACK_CLIENT_ID and SKINSBACK_CLIENT_SECRET, or SIH_API_KEY; or try --demo")
	}
	running.Go(func() {
		// Nothing is bought before the orders of the last run are accounted for.
		if err := executor.Recover(ctx); err != nil {
			if ctx.Err() == nil {
				failed <- fmt.Errorf("recover the orders of the last run: %w", err)
				stop()
			}
			return
		}
		var trading conc.WaitGroup
		trading.Go(func() { executor.Run(ctx) })
		trading.Go(func() {
			t := newTrader(feed, executor, journal, c.Limits, log)
			t.run(ctx)
		})
		trading.Wait()
	})
	show.watch(ctx, feed, &running)
	running.Wait()
	show.summary(journal, feed.Statuses())
	log.Info("trader has stopped")
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

// markets gives what purchases go through: the accounts, or paper.
func (c *config) markets(feed *pricefeed.PriceFeed) []execution.Market {
	if c.Mode == live {
		return feed.Markets()
	}
	var papers []execution.Market
	for _, m := range feed.Markets() {
		papers = append(papers, execution.NewPaper(m.Market(), feed.Book, paperBalance))
	}
	return papers
}

// paperBalance is what a paper account always holds.
const paperBalance = 1_000_000 * pricing.Dollar

// purchases takes the permits of purchases from a market's budget.
type purchases struct{ fetch.Budget }

func (p purchases) Take(ctx context.Context) error { return p.Budget.Take(ctx, fetch.ForPurchase) }

func budgets(feed *pricefeed.PriceFeed) map[pricing.Market]execution.Budget {
	out := map[pricing.Market]execution.Budget{}
	for _, m := range feed.Markets() {
		out[m.Market()] = purchases{feed.Budget(m.Market())}
	}
	return out
}
