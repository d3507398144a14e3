package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sourcegraph/conc"

	"skinarb/execution"
	"skinarb/internal/alert"
	"skinarb/internal/crashpoint"
	"skinarb/internal/pricefeed"
	"skinarb/internal/sqlitejournal"
	"skinarb/markets/sih"
	"skinarb/markets/skinsback"
	"skinarb/pricing"
	"skinarb/selling"
)

// sales are what we hold to be sold, and what sells it. It also collects their
// metrics.
type sales struct {
	journal selling.Journal // nil where purchases are not remembered in a file
	keeper  *selling.Keeper // nil with SELL=off, and so are the following
	seller  *selling.Seller
	attach  func(context.Context) error // makes our Steam account one that sells at SIH
	log     *slog.Logger
}

// openSales gives the sales of the journal that purchases are in. With SELL=off
// they can be read only. executor gives the executor in force, whose kill switch
// also holds for listings.
func (c *config) openSales(feed *pricefeed.PriceFeed, b *book, executor func() *execution.Executor, show *show, notify func(selling.Notice), log *slog.Logger) *sales {
	s := &sales{log: log}
	if file, ok := b.Journal.(*sqlitejournal.Journal); ok {
		s.journal = file.Selling()
	}
	if !c.Sell {
		return s
	}
	stopped := func(ctx context.Context) (bool, error) {
		t, err := executor().Trading(ctx)
		return t.Stopped, err
	}
	var shops []selling.Market
	var inventory selling.Inventory
	for _, m := range feed.Markets() {
		switch client := m.(type) {
		case *sih.Client:
			shop := client.Shop()
			shops, s.attach = append(shops, shop), shop.Attach
		case *skinsback.Client:
			shop := client.Shop(c.Recipient.SteamID)
			shops, inventory = append(shops, shop), shop
		}
	}
	s.keeper = selling.NewKeeper(selling.KeeperConfig{
		Markets: shops, Journal: s.journal, Fees: c.Rules.Fees, Stopped: stopped, Grace: c.Grace,
		Now: crashpoint.Now, Logger: log, OnMove: show.listing, Notify: notify,
	})
	s.seller = selling.NewSeller(selling.Config{
		Keeper: s.keeper, Journal: s.journal, Inventory: inventory,
		Rules: selling.Rules{
			Fees: c.Rules.Fees, MinProfit: c.Rules.MinProfit, RepriceEvery: c.RepriceEvery,
			VanishAfter: max(c.SIHProtection, c.SkinsBackProtection) + 2*24*time.Hour, // when the money comes, and patience
		},
		Order:   b.Get,
		Quote:   quotes{feed.Book, feed.Statuses, c.MaxQuoteAge, crashpoint.Now}.quote,
		Stopped: stopped,
		Every:   2 * c.TrackEvery, InventoryEvery: 4 * c.TrackEvery,
		Now: crashpoint.Now, Logger: log,
	})
	return s
}

// attachEvery is the time between two tries to attach our account at SIH.
const attachEvery = time.Minute

// untilAttached makes our Steam account one that sells at SIH, however often that
// has to be tried. SIH must know it before it takes anything of it; until then its
// refusals are what is seen.
func untilAttached(ctx context.Context, attach func(context.Context) error, log *slog.Logger) {
	for ctx.Err() == nil {
		err := attach(ctx)
		if err == nil {
			return
		}
		if ctx.Err() == nil {
			log.Warn("our Steam account cannot be attached at SIH to sell there", "error", err)
		}
		pause(ctx, attachEvery)
	}
}

// run sells until ctx ends, if that is on.
func (s *sales) run(ctx context.Context) {
	if s.seller == nil {
		return
	}
	var attaching conc.WaitGroup
	defer attaching.Wait()
	attaching.Go(func() { untilAttached(ctx, s.attach, s.log) })
	s.seller.Run(ctx)
}

// quiet waits until no request to list is leaving.
func (s *sales) quiet(ctx context.Context) error {
	if s.keeper == nil {
		return nil
	}
	return s.keeper.Quiet(ctx)
}

// positions gives what we hold to be sold, and what was.
func (s *sales) positions(ctx context.Context, q selling.Query) ([]selling.Position, error) {
	if s.journal == nil {
		return nil, nil
	}
	return s.journal.Page(ctx, q)
}

// earned gives what the balance of a market has been credited for listings that
// were found sold since a time. SIH credits a wallet of its own, which its balance
// does not show.
func (s *sales) earned(ctx context.Context, m pricing.Market, since time.Time) (sum pricing.Money, err error) {
	if s.journal == nil || m == pricing.SIH {
		return 0, nil
	}
	sold, err := s.journal.InStates(ctx, m, since, selling.Sold)
	for _, l := range sold {
		sum += l.Proceeds
	}
	return sum, err
}

// realise counts what sold positions brought into the totals of their purchases.
func (s *sales) realise(ctx context.Context, t *execution.Totals) error {
	if s.journal == nil {
		return nil
	}
	profits, err := s.journal.Profits(ctx)
	if err != nil {
		return err
	}
	byDay := map[int64]pricing.Money{}
	for _, p := range profits {
		byDay[p.Day.Unix()] = p.Amount
		t.All.RealisedLoss -= p.Amount
	}
	for i := range t.Days {
		t.Days[i].RealisedLoss -= byDay[t.Days[i].Day.Unix()]
	}
	return nil
}

// quotes are prices that may be traded on.
type quotes struct {
	book     func() *pricing.Book
	statuses func() []pricing.FeedStatus
	maxAge   time.Duration
	now      func() time.Time
}

// quote gives the lowest ask of an item on a market. An error says why prices
// there may not be traded on.
func (qs quotes) quote(m pricing.Market, it pricing.Item) (pricing.Quote, bool, error) {
	feed, now := pricing.Feed{Market: m, Game: it.Game}, qs.now()
	state := pricing.Off
	for _, st := range qs.statuses() {
		if st.Feed == feed {
			state = st.Judge(now, qs.maxAge)
		}
	}
	if state != pricing.Fresh {
		return pricing.Quote{}, false, fmt.Errorf("prices of %s are %s", feed, state)
	}
	q, ok := qs.book().Quote(m, it)
	if ok && now.Sub(q.ObservedAt).Abs() > qs.maxAge {
		return pricing.Quote{}, false, fmt.Errorf("prices of %s are %s", feed, pricing.Stale)
	}
	return q, ok, nil
}

// fromSelling turns what the keeper has to say into an alert.
func fromSelling(n selling.Notice, at time.Time) alert.Alert {
	return alert.Alert{
		Kind: n.Kind, Market: string(n.Market), Order: string(n.Listing), Text: n.Text, At: at,
		Urgent: n.Kind != selling.NoticeStray && n.Kind != selling.NoticeLate, // a person has to act
	}
}

var positionsDesc = prometheus.NewDesc("skinarb_positions", "What was bought to be sold, by where it stands.", []string{"state"}, nil)

// Describe implements prometheus.Collector.
func (s *sales) Describe(ch chan<- *prometheus.Desc) { ch <- positionsDesc }

// Collect implements prometheus.Collector. What the journal does not tell in
// time is left out.
func (s *sales) Collect(ch chan<- prometheus.Metric) {
	if s.journal == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	counts, err := s.journal.Count(ctx)
	if err != nil {
		return
	}
	for _, st := range selling.PositionStates {
		ch <- prometheus.MustNewConstMetric(positionsDesc, prometheus.GaugeValue, float64(counts[st]), string(st))
	}
}
