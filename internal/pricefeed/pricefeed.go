// Package pricefeed is the price side of a process, which both programs run:
// the markets' clients, the loops that fetch, the store, the replica that
// follows it, the strategy that is told of every change, and the API over them.
package pricefeed

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sourcegraph/conc"

	"skinarb/execution"
	"skinarb/fetch"
	"skinarb/internal/redisstore"
	"skinarb/internal/settings"
	"skinarb/markets/sih"
	"skinarb/markets/skinsback"
	"skinarb/pricing"
	"skinarb/strategy"
)

// Config says what the price side of a process is made of.
type Config struct {
	Settings  *settings.Prices
	Dir       string              // where reference prices, and an embedded Redis's catalogs, are kept over restarts
	Fetch     bool                // pull catalogs, unless Reads; false when others do, over a shared Redis
	Recipient execution.Recipient // of purchases; zero where nothing is bought
	Registry  *prometheus.Registry
	Log       *slog.Logger
	OnPull    func(fetch.Observation) // may be nil
	Now       func() time.Time        // nil means time.Now
}

// PriceFeed is running after Open and until Close. Its methods are safe for
// concurrent use.
type PriceFeed struct {
	cfg     Config
	store   *redisstore.Store
	replica *redisstore.Replica
	fetcher *fetch.Fetcher
	engine  *strategy.Engine
	markets []execution.Market
	events  *skinsback.Client // nil where SkinsBack is off
	budgets map[pricing.Market]fetch.Budget
	feeds   []pricing.Feed // that are followed
	reads   bool           // see Reads
	changed chan struct{}
	amended atomic.Int64 // how often the strategy's own check found it wrong
}

// Open connects everything. Nothing is pulled before Run.
func Open(ctx context.Context, cfg Config) (*PriceFeed, error) {
	s := cfg.Settings
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	f := &PriceFeed{
		cfg:     cfg,
		engine:  strategy.New(s.Rules),
		budgets: map[pricing.Market]fetch.Budget{},
		changed: make(chan struct{}, 1),
		reads:   cfg.Fetch && s.RedisURL != "" && !s.SkinsBack.On() && !s.SIH.On(),
	}
	var err error
	if s.RedisURL != "" {
		f.store, err = redisstore.Open(ctx, s.RedisURL)
	} else {
		f.store, err = redisstore.OpenEmbedded(cfg.Dir)
	}
	if err != nil {
		return nil, err
	}
	sources, err := f.openMarkets()
	if err != nil {
		f.store.Close()
		return nil, err
	}
	f.replica = redisstore.NewReplica(f.store, f.feeds, cfg.Log)
	f.replica.Subscribe(f.update)
	f.loadReferences()
	if cfg.Fetch && !f.reads {
		f.fetcher = fetch.New(fetch.Config{
			Sources: sources, Games: s.Games, Store: f.store, Leaser: f.store,
			Interval: s.FetchInterval, MaxAge: s.MaxQuoteAge, Now: cfg.Now, Log: cfg.Log,
			Alert:   func(_ context.Context, text string) { cfg.Log.Warn("feed held", "detail", text) },
			Observe: f.observer(),
		})
	}
	cfg.Registry.MustRegister(&feedCollector{feed: f})
	return f, nil
}

// openMarkets makes the clients of the markets that are configured, and finds the
// feeds to follow.
func (f *PriceFeed) openMarkets() ([]fetch.Source, error) {
	s, log := f.cfg.Settings, f.cfg.Log
	var sources []fetch.Source
	add := func(c interface {
		fetch.Source
		execution.Market
	}) {
		sources, f.markets = append(sources, c), append(f.markets, c)
		f.follow(c)
	}
	if f.reads { // what a market sells is known without an account there
		f.follow(new(skinsback.Client))
		f.follow(new(sih.Client))
	}
	if s.SkinsBack.On() {
		f.budgets[pricing.SkinsBack] = f.store.Budget(pricing.SkinsBack, s.SkinsBack.RatePerMinute)
		c, err := skinsback.New(skinsback.Config{
			URL: s.SkinsBack.URL, ClientID: s.SkinsBack.ClientID, ClientSecret: s.SkinsBack.ClientSecret,
			Auth: skinsback.Auth(s.SkinsBack.Auth), FullList: s.SkinsBack.List == "full", Budget: f.budgets[pricing.SkinsBack], Now: f.cfg.Now, Log: log,
			Recipient: skinsback.Recipient{Partner: f.cfg.Recipient.Partner, Token: f.cfg.Recipient.Token},
		})
		if err != nil {
			return nil, fmt.Errorf("SkinsBack: %w", err)
		}
		add(c)
		f.events = c
	}
	if s.SIH.On() {
		f.budgets[pricing.SIH] = f.store.Budget(pricing.SIH, s.SIH.RatePerMinute)
		c, err := sih.New(sih.Config{
			URL: s.SIH.URL, APIKey: s.SIH.APIKey, Budget: f.budgets[pricing.SIH], Now: f.cfg.Now,
			Recipient: sih.Recipient{SteamID: f.cfg.Recipient.SteamID, Token: f.cfg.Recipient.Token},
		})
		if err != nil {
			return nil, fmt.Errorf("SIH Market: %w", err)
		}
		add(c)
	}
	return sources, nil
}

// follow adds the feeds of a market that are wanted.
func (f *PriceFeed) follow(src fetch.Source) {
	for _, g := range f.cfg.Settings.Games {
		if slices.Contains(src.Games(), g) {
			f.feeds = append(f.feeds, pricing.Feed{Market: src.Market(), Game: g})
		}
	}
}

// Reads tells whether this process serves what others publish: it would fetch, has
// a Redis to share, and a key of no market.
func (f *PriceFeed) Reads() bool { return f.reads }

// Run follows the store, and fetches where that is wanted, until ctx ends.
func (f *PriceFeed) Run(ctx context.Context) {
	var running conc.WaitGroup
	if f.fetcher != nil {
		running.Go(func() { f.fetcher.Run(ctx) })
	}
	running.Go(func() { f.replica.Run(ctx) })
	// A feed's state changes without a change of prices, too.
	running.Go(func() { every(ctx, time.Second, func() { f.engine.SetStatuses(f.replica.Statuses()) }) })
	running.Go(func() { every(ctx, checkEvery, f.checkStrategy) })
	running.Go(func() { f.keepReferences(ctx) })
	running.Wait()
}

// Close ends the connection to the store; call it after Run has returned.
func (f *PriceFeed) Close() error { return f.store.Close() }

// update is told of every change of the book, in order.
func (f *PriceFeed) update(book *pricing.Book, _ pricing.Feed, changed []int, full bool) {
	f.engine.Update(book, changed, full, f.replica.Statuses(), f.cfg.Now())
	select {
	case f.changed <- struct{}{}:
	default: // somebody will look anyway
	}
}

// checkEvery is how often all items are judged anew, in well under a millisecond.
const checkEvery = time.Minute

// checkStrategy holds what the strategy has kept up to date, change by change,
// against judging everything.
func (f *PriceFeed) checkStrategy() {
	if !f.engine.Check() {
		f.amended.Add(1)
		f.cfg.Log.Error("the opportunities were not what the prices make them, and have been judged anew: please report this")
	}
}

// every calls fn after each period until ctx ends.
func every(ctx context.Context, period time.Duration, fn func()) {
	tick := time.NewTicker(period)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			fn()
		}
	}
}

// Subscribe has fn called with every new book; see redisstore.Replica.
func (f *PriceFeed) Subscribe(fn func(book *pricing.Book, feed pricing.Feed, changed []int, full bool)) {
	f.replica.Subscribe(fn)
}

// SkinsBack is the client that hears SkinsBack's events; nil where it is off.
func (f *PriceFeed) SkinsBack() *skinsback.Client { return f.events }

// Changed is ready when prices have changed since it was last read.
func (f *PriceFeed) Changed() <-chan struct{} { return f.changed }

// Engine is the strategy over these prices.
func (f *PriceFeed) Engine() *strategy.Engine { return f.engine }

// Markets are the clients that purchases go through.
func (f *PriceFeed) Markets() []execution.Market { return f.markets }

// Budget is the request budget of a market's account.
func (f *PriceFeed) Budget(m pricing.Market) fetch.Budget { return f.budgets[m] }

// Book is the book in force.
func (f *PriceFeed) Book() *pricing.Book { return f.replica.Book() }

// Statuses gives the state of every feed that could be, also of markets that
// are not configured.
func (f *PriceFeed) Statuses() []pricing.FeedStatus {
	known := map[pricing.Feed]pricing.FeedStatus{}
	for _, st := range f.replica.Statuses() {
		known[st.Feed] = st
	}
	var all []pricing.FeedStatus
	for _, m := range pricing.Markets {
		for _, g := range f.cfg.Settings.Games {
			feed := pricing.Feed{Market: m, Game: g}
			st, ok := known[feed]
			switch {
			case !f.reads && !f.cfg.Settings.On(m): // whatever others on this Redis fetch: none of it is served here
				st = pricing.FeedStatus{Feed: feed, State: pricing.Off, Reason: "the market is not configured"}
			case !slices.Contains(f.feeds, feed):
				st = pricing.FeedStatus{Feed: feed, State: pricing.Off, Reason: "the market does not sell this game"}
			case ok:
			case f.reads:
				st = pricing.FeedStatus{Feed: feed, State: pricing.Down, Reason: "nobody has pulled it yet"}
			default:
				st = pricing.FeedStatus{Feed: feed, State: pricing.Down, Reason: "not pulled yet"}
			}
			all = append(all, st)
		}
	}
	return all
}

// GameOf gives the first of the games in which a market sells an item under a name,
// or the first of all.
func (f *PriceFeed) GameOf(m pricing.Market, marketName string) pricing.Game {
	book := f.Book()
	for _, g := range f.cfg.Settings.Games {
		it, err := pricing.ParseItem(g, marketName, "")
		if err != nil {
			continue
		}
		if q, ok := book.Quote(m, it); ok && q.MarketName == marketName {
			return g
		}
	}
	return f.cfg.Settings.Games[0]
}

// Release accepts the catalog that is held of a feed.
func (f *PriceFeed) Release(ctx context.Context, feed pricing.Feed) error {
	return f.store.Release(ctx, feed)
}

// Ready tells whether there are prices to serve, and if not, why. One feed is
// enough once the others were looked for: a market that is down must not take the
// other one's prices away.
func (f *PriceFeed) Ready() (bool, string) {
	if len(f.markets) == 0 && !f.reads {
		return false, "no market is configured"
	}
	if len(f.feeds) == 0 {
		return false, "no configured market sells any of GAMES"
	}
	if !f.replica.Ready() {
		return false, "prices are not loaded yet"
	}
	if !f.loaded() {
		return false, f.missing()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := f.store.Ping(ctx); err != nil {
		return false, "the price store does not answer"
	}
	return true, ""
}

// loaded tells whether a catalog of any feed is in force.
func (f *PriceFeed) loaded() bool {
	book := f.Book()
	return slices.ContainsFunc(f.feeds, func(feed pricing.Feed) bool {
		c, _ := book.Catalog(feed)
		return c.Version > 0
	})
}

// missing says in words that no feed has a catalog. Why is told by /v1/feeds, which
// may need a token.
func (f *PriceFeed) missing() string {
	names := make([]string, len(f.feeds))
	for i, feed := range f.feeds {
		names[i] = feed.String()
	}
	why := "no prices are loaded: there is no catalog yet of " + strings.Join(names, ", ")
	if f.fetcher == nil {
		why += "; an aggregator that fetches must publish them to this Redis"
	}
	return why
}
