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
	"skinarb/internal/alert"
	"skinarb/internal/crashpoint"
	"skinarb/internal/pricefeed"
	"skinarb/internal/settings"
	"skinarb/pricing"
	"skinarb/selling"
)

// trade runs the trader until ctx ends: prices, API, recovery, and only then
// purchases. read gives the limits as they are set by then.
func trade(ctx context.Context, c *config, read func() (*config, error), show *show, stderr io.Writer) error {
	log := pricefeed.NewLogger(stderr, c.LogFormat, c.LogLevel)
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return fmt.Errorf("DATA_DIR: %w", err)
	}
	journal, err := c.openJournal(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = journal.close() }() // every write was durable when it returned
	ln, err := pricefeed.Listen(ctx, c.ListenAddr)
	if err != nil {
		return err
	}
	defer ln.Close()
	registry := pricefeed.NewRegistry()
	feed, err := pricefeed.Open(ctx, pricefeed.Config{
		Settings: &c.Prices, Dir: filepath.Join(c.DataDir, "trader-feeds"), Fetch: c.RedisURL == "",
		Recipient: c.Recipient, Registry: registry, Log: log, OnPull: show.pull, Now: crashpoint.Now,
	})
	if err != nil {
		return err
	}
	defer feed.Close()

	alerts := alert.New(alert.Config{
		Targets: c.AlertTargets, Secrets: c.secrets(), Registerer: registry, Log: log,
	})
	practice := newPractice()
	markets := c.markets(feed, journal)
	steps := newStepMetrics(registry)
	terms := &terms{book: journal, tell: alerts.Send, log: log}
	terms.begin = func(ctx context.Context) error {
		if c.Mode == live {
			return journal.durable(ctx)
		}
		return practice.count(ctx, journal)
	}
	sales := c.openSales(feed, journal, terms.executor, show, func(n selling.Notice) { alerts.Send(fromSelling(n, time.Now())) }, log)
	deals, err := c.openDeals(ctx, feed, journal, terms, sales, show, alerts.Send, log)
	if err != nil {
		return err
	}
	terms.open = func() (*execution.Executor, error) {
		return execution.New(execution.Config{
			Markets: markets, Journal: journal, Budgets: budgets(feed), Limits: c.Limits,
			Recheck: func(_ context.Context, r execution.Request, fresh execution.Offer) error {
				if r.Buyer.Ref != "" {
					return deals.recheck(r)
				}
				return feed.Engine().Recheck(r.Item, r.Market, r.SellOn, fresh.Ask, crashpoint.Now())
			},
			Protection: map[pricing.Market]time.Duration{
				pricing.SkinsBack: c.SkinsBackProtection, pricing.SIH: c.SIHProtection,
			},
			GameOf: feed.GameOf, Sold: sales.earned,
			TrackEvery: c.TrackEvery, Grace: c.Grace, PlaceTimeout: c.PlaceTimeout, ReconcileEvery: c.ReconcileEvery,
			Patience: c.Patience, MaxInDoubt: c.MaxInDoubt, Fence: journal.leading, Now: crashpoint.Now, Logger: log,
			OnStep: func(o execution.Order, s execution.Step) {
				steps.count(o, s)
				practice.step(s)
				show.step(o, s)
				deals.step(o, s)
			},
			Notify: func(n execution.Notice) { alerts.Send(fromNotice(n, time.Now())) },
		})
	}
	if err := terms.renew(); err != nil {
		return err
	}
	desk := &desk{mode: c.Mode, terms: terms, journal: journal, sales: sales, deals: deals, engine: feed.Engine(), practice: practice, log: log}
	registry.MustRegister(desk, sales, deals)
	hooks := newHooks(feed.SkinsBack(), c.SkinsBackWS, c.SIHWebhookSecret,
		func(m pricing.Market, h execution.Hint) { terms.executor().Hint(m, h) }, time.Now, log)
	api := feed.API(desk, desk, hooks, deals.partner())

	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var running conc.WaitGroup
	failed := make(chan error, 2) // one for each that may
	watch := &watch{
		feeds: feed.Statuses, maxAge: c.MaxQuoteAge, journal: journal,
		trading:  func(ctx context.Context) (execution.Trading, error) { return terms.executor().Trading(ctx) },
		balances: func() map[pricing.Market]execution.Balance { return terms.executor().Balances() },
		alert:    alerts.Send, now: time.Now, log: log,
	}
	// Alerts go out to the end: the last purchases may have something to say.
	alerting, quiet := context.WithCancel(context.WithoutCancel(ctx))
	var alerted conc.WaitGroup
	alerted.Go(func() { alerts.Run(alerting) })
	defer alerted.Wait()
	defer quiet()
	running.Go(func() { watch.run(ctx) })
	running.Go(func() { practice.watch(ctx, feed.Engine(), feed.Subscribe) })
	running.Go(func() { feed.Run(ctx) })
	running.Go(func() { c.reload(ctx, read, terms.executor, log) })
	running.Go(func() { terms.executor().KeepStop(ctx) })
	if c.Mode == live { // on paper the markets have nothing to tell
		running.Go(func() { hooks.listen(ctx) })
	}
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
		err := terms.run(ctx, func(ctx context.Context, x *execution.Executor) {
			var side conc.WaitGroup
			side.Go(func() { sales.run(ctx) })
			side.Go(func() { deals.run(ctx) })
			newTrader(feed, x, journal, deals.offered, log).run(ctx)
			side.Wait()
		})
		if err != nil {
			failed <- err
			stop()
		}
	})
	show.watch(ctx, feed, &running)
	running.Wait()
	show.summary(journal, sales, feed.Statuses())
	log.Info("trader has stopped")
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

// secrets are what an alert must never show.
func (c *config) secrets() []string {
	return append([]string{
		c.SkinsBack.ClientID, c.SkinsBack.ClientSecret, c.SIH.APIKey, c.SIHWebhookSecret, c.SIHDepositKey, c.APIToken, c.Recipient.Token,
	}, c.ReadTokens...)
}

// markets gives what purchases go through: the accounts, or paper.
func (c *config) markets(feed *pricefeed.PriceFeed, j execution.Journal) []execution.Market {
	if c.Mode == live {
		return feed.Markets()
	}
	return papers(feed.Markets(), feed.Book, j, feed.Subscribe)
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
