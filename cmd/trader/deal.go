package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sourcegraph/conc"

	"skinarb/backtoback"
	"skinarb/execution"
	"skinarb/httpapi"
	"skinarb/internal/alert"
	"skinarb/internal/crashpoint"
	"skinarb/internal/pricefeed"
	"skinarb/internal/sqlitejournal"
	"skinarb/markets/sih"
	"skinarb/partner"
	"skinarb/pricing"
	"skinarb/selling"
	"skinarb/strategy"
)

// deals is what SIH's buyers order from us, and what is bought for them.
type deals struct {
	offers bool               // BACK_TO_BACK=on: new ones are made
	orders partner.Store      // nil without a file
	dealer *backtoback.Dealer // nil where there is nothing to sell, and nothing can have been sold
	keeper *selling.Keeper    // nil where it is not the dealer's alone
	server *partner.Server    // nil without SIH_DEPOSIT_API_KEY
	attach func(context.Context) error
	alert  func(alert.Alert)
	log    *slog.Logger
}

// openDeals gives the partner side of SIH. Without back-to-back trading it takes no
// orders, and ends those that it took before.
func (c *config) openDeals(ctx context.Context, feed *pricefeed.PriceFeed, b *book, terms *terms, sales *sales, show *show, send func(alert.Alert), log *slog.Logger) (*deals, error) {
	d := &deals{offers: c.BackToBack, alert: send, log: log}
	if err := c.forsakes(ctx); err != nil {
		return d, err
	}
	file, ok := b.Journal.(*sqlitejournal.Journal)
	if !ok {
		return d, nil
	}
	d.orders = file.Purchases()
	if c.SIHDepositKey == "" {
		open, err := d.orders.Open(ctx)
		if err == nil && len(open) > 0 {
			err = fmt.Errorf("SIH_DEPOSIT_API_KEY: %d orders of buyers are not done, and without it SIH is told nothing of them; set it until they are, with BACK_TO_BACK=off no new ones are taken", len(open))
		}
		return d, err
	}
	var desk partner.Desk = closedDesk{}
	if c.Mode == live {
		d.open(c, feed, file, terms, sales, show)
		desk = d.dealer
	}
	var err error
	d.server, err = partner.New(partner.Config{
		Key: []byte(c.SIHDepositKey), Store: d.orders, Desk: desk,
		Bot: partner.Bot{Nickname: c.SIHBotName, Avatar: c.SIHBotAvatar}, Now: crashpoint.Now, Logger: log,
	})
	return d, err
}

// forsakes gives an error when buyers' orders are not done in the live file and
// this run has another journal: SIH would be told that there are none, after they
// were bought. Whoever has the file open sees to them.
func (c *config) forsakes(ctx context.Context) error {
	path := c.journalPath(live)
	if c.Mode == live && c.Journal == inSQLite {
		return nil
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	file, err := sqlitejournal.Open(path)
	if errors.Is(err, sqlitejournal.ErrInUse) {
		return nil
	}
	if err != nil {
		return err
	}
	open, err := file.Purchases().Open(ctx)
	if err = errors.Join(err, file.Close()); err == nil && len(open) > 0 {
		err = fmt.Errorf("MODE: %d orders of buyers in %s are not done, and SIH is told of them only with MODE=live and JOURNAL=sqlite; keep to these until they are, with BACK_TO_BACK=off no new ones are taken", len(open), path)
	}
	return err
}

// closedDesk has nothing for sale.
type closedDesk struct{}

func (closedDesk) Goods(id string) string           { return id }
func (closedDesk) Ask(string) (pricing.Money, bool) { return 0, false }

// open makes the dealer.
func (d *deals) open(c *config, feed *pricefeed.PriceFeed, file *sqlitejournal.Journal, terms *terms, sales *sales, show *show) {
	stopped := func(ctx context.Context) (bool, error) {
		t, err := terms.executor().Trading(ctx)
		return t.Stopped, err
	}
	listings, keeper := file.Selling(), sales.keeper // one keeper for one journal
	if keeper == nil {
		var shops []selling.Market
		for _, m := range feed.Markets() {
			if client, ok := m.(*sih.Client); ok {
				shop := client.Consignments()
				shops, d.attach = append(shops, shop), shop.Attach
			}
		}
		keeper = selling.NewKeeper(selling.KeeperConfig{
			Markets: shops, Journal: listings, Fees: c.Rules.Fees, Stopped: stopped, Grace: c.Grace,
			Now: crashpoint.Now, Logger: d.log, OnMove: show.listing,
			Notify: func(n selling.Notice) { d.alert(fromSelling(n, time.Now())) },
		})
		d.keeper = keeper
	}
	counter := counter{feed.Engine(), feed.Book}
	d.dealer = backtoback.New(backtoback.Config{
		Rules: backtoback.Rules{
			Buy: c.Rules.Fees[pricing.SkinsBack], Sell: c.Rules.Fees[pricing.SIH],
			MinProfit: c.Rules.MinProfit, MaxListings: c.MaxListings,
		},
		Closed: !d.offers, Shared: d.keeper == nil,
		Keeper: keeper, Listings: listings, Purchases: d.orders,
		Buy: func(ctx context.Context, r execution.Request) (execution.Order, error) {
			return terms.executor().Buy(ctx, r)
		},
		Order: file.Get, Stopped: stopped,
		Admits: func(ctx context.Context) (func(execution.Request) error, error) {
			usage, err := file.Usage(ctx, crashpoint.Now())
			return func(r execution.Request) error { return terms.executor().Admissible(r, usage) }, err
		},
		Wanted: counter.wanted, Terms: counter.terms,
		Protection: c.SkinsBackProtection,
		Every:      min(c.TrackEvery, 5*time.Second), LookEvery: max(c.TrackEvery, 5*time.Second),
		Now: crashpoint.Now, Logger: d.log,
	})
}

// recheck tells why a purchase for a buyer must not be made now. Its ask is the
// ceiling, and its proceeds are agreed: what may have changed is that SIH waits for
// it. Right after a start nobody knows that.
func (d *deals) recheck(r execution.Request) error {
	if d.server == nil {
		return errors.New("SIH is not listened to")
	}
	polled := d.server.Polled(r.Buyer.Ref)
	switch {
	case polled.IsZero():
		return &execution.RetryLaterError{After: 3 * time.Second, Reason: "SIH has not asked for the order since the start"}
	case !backtoback.Fresh(polled, crashpoint.Now()):
		return errors.New("SIH does not ask for the order any more")
	}
	return nil
}

// step sees to a purchase for a buyer that turns out bought after SIH was told that
// it failed: the buyer gets it for nothing. A person should know.
func (d *deals) step(o execution.Order, s execution.Step) {
	if o.Buyer.Ref == "" || d.orders == nil {
		return
	}
	switch s.State {
	case execution.Placed, execution.Delivering, execution.Delivered, execution.Settled:
	default:
		return
	}
	go func() { // steps must not wait
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		p, err := d.orders.Get(ctx, o.Buyer.Ref)
		if err == nil && p.State == partner.Failed {
			d.alert(alert.Alert{
				Kind: "given_away", Market: string(o.Market), Order: string(o.ID), At: time.Now(), Urgent: true,
				Text: fmt.Sprintf("%s was bought for a buyer's order that SIH was told had failed (%s): nobody pays for it", o.Item, o.Buyer.Ref),
			})
		}
	}()
}

// run deals until ctx ends, if that is on.
func (d *deals) run(ctx context.Context) {
	if d.dealer == nil {
		return
	}
	var attaching conc.WaitGroup
	defer attaching.Wait()
	if d.offers && d.attach != nil {
		attaching.Go(func() { untilAttached(ctx, d.attach, d.log) })
	}
	d.dealer.Run(ctx, d.server)
}

// quiet waits until no request to list is leaving.
func (d *deals) quiet(ctx context.Context) error {
	if d.keeper == nil {
		return nil
	}
	return d.keeper.Quiet(ctx)
}

// partner gives what answers SIH, or nil.
func (d *deals) partner() httpapi.Partner {
	if d.server == nil {
		return nil
	}
	return d.server
}

// offered tells whether an opportunity is for SIH's buyers, so that we do not buy it
// for ourselves: with back-to-back trading SIH sells through our endpoints alone,
// and nothing that we hold.
func (d *deals) offered(r execution.Request) bool {
	return d.offers && r.Market == pricing.SkinsBack && r.SellOn == pricing.SIH
}

// counter is what the strategy says to the dealer.
type counter struct {
	engine *strategy.Engine
	book   func() *pricing.Book
}

// wanted gives what is worth buying on SkinsBack to sell on SIH, best first.
func (c counter) wanted(now time.Time) (items []pricing.Item) {
	for _, o := range c.engine.Opportunities(now) {
		if o.Buy.Market == pricing.SkinsBack && o.Sell.Market == pricing.SIH {
			items = append(items, o.Item)
		}
	}
	return items
}

// profitRules are those that the dealer has its own of: its price is not the one
// that the strategy would sell for.
var profitRules = map[string]bool{"min_profit": true, "min_edge": true}

// terms gives what an item can be had for, if every rule but those of profit
// allows it.
func (c counter) terms(it pricing.Item, now time.Time) (backtoback.Terms, bool) {
	o, verdicts := c.engine.Evaluate(c.book(), it, pricing.SkinsBack, pricing.SIH, now)
	for _, v := range verdicts {
		if !v.Pass && !profitRules[v.Rule] {
			return backtoback.Terms{}, false
		}
	}
	return backtoback.Terms{MarketName: o.Buy.MarketName, Ask: o.Buy.Ask, Lowest: o.Sell.Ask}, true
}

var partnerDesc = prometheus.NewDesc("skinarb_partner_calls_total", "Calls of SIH's to our partner endpoints, by what came of them.", []string{"result"}, nil)

// Describe implements prometheus.Collector.
func (d *deals) Describe(ch chan<- *prometheus.Desc) { ch <- partnerDesc }

// Collect implements prometheus.Collector.
func (d *deals) Collect(ch chan<- prometheus.Metric) {
	if d.server == nil {
		return
	}
	n := d.server.Counts()
	for result, count := range map[string]int64{
		"created": n.Created, "repeated": n.Repeated, "mismatched": n.Mismatched, "poll": n.Polls, "not_found": n.NotFound,
		"bad_signature": n.BadSignature, "bad_price": n.BadPrice, "bad_payload": n.BadPayload, "failed": n.Failed,
	} {
		ch <- prometheus.MustNewConstMetric(partnerDesc, prometheus.CounterValue, float64(count), result)
	}
}
