package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"skinarb/execution"
	"skinarb/fetch"
	"skinarb/internal/marketsim"
	"skinarb/internal/redisstore"
	"skinarb/markets/sih"
	"skinarb/markets/skinsback"
	"skinarb/pricing"
)

const (
	mostPurchases = 500              // in one measurement
	settleIn      = 20 * time.Second // longest wait until an executor begins to buy
)

// openWires makes an executor for each market and journal, each with simulated
// markets of its own whose clock runs.
func (o *orders) openWires(ctx context.Context) error {
	o.out.note("Intent to wire: one Executor.Buy at a time, from its call until the first byte of the purchase is read by the simulated market. The check asks the market for its ask; a purchase always opens a connection of its own. Gate and journal are everything else that Buy does: two looks at what is used, two synced writes. %q is gate, journal and permits.", workMeasure)
	permits, err := o.permits()
	if err != nil {
		return err
	}
	for name, open := range o.journalKinds() {
		for _, client := range []func(*site, fetch.Budget) (buyer, error){onSkinsBack, onSIH} {
			site, err := o.openSite()
			if err != nil {
				return err
			}
			budget := &timedBudget{}
			market, err := client(site, budget)
			if err != nil {
				return err
			}
			budget.Budget = permits.Budget(market.Market(), 1<<30)
			pull, err := market.Pull(ctx, game)
			if err != nil {
				return err
			}
			w := &wire{
				subject: fmt.Sprintf("%s, %s: intent to wire", market.Market(), name),
				site:    site, market: &timedMarket{account: market, site: site, budget: budget}, budget: budget, listings: pull.Listings,
			}
			if w.journal, err = open(ctx, string(market.Market())); err != nil {
				return err
			}
			if err := o.start(ctx, w); err != nil {
				return err
			}
			o.wires = append(o.wires, w)
		}
	}
	return nil
}

// buyer is a market's client.
type buyer interface {
	execution.Market
	fetch.Source
}

func onSkinsBack(s *site, budget fetch.Budget) (buyer, error) {
	return skinsback.New(skinsback.Config{
		URL: s.address + "/api.php", ClientID: marketsim.DemoClientID, ClientSecret: marketsim.DemoClientSecret,
		Recipient: skinsback.Recipient{Partner: "100000001", Token: "AbCdEf12"}, Budget: budget,
	})
}

func onSIH(s *site, budget fetch.Budget) (buyer, error) {
	return sih.New(sih.Config{
		URL: s.address + "/api/v1", APIKey: marketsim.DemoAPIKey,
		Recipient: sih.Recipient{SteamID: "76561198060265729", Token: "AbCdEf12"}, Budget: budget,
	})
}

// permits gives the Redis that the request budgets are kept in.
func (o *orders) permits() (*redisstore.Store, error) {
	if o.servers.everysec != nil {
		o.out.note("Permits, one for the check and one for the purchase, come from a redis-server with appendfsync everysec.")
		return o.servers.everysec.store, nil
	}
	o.out.note("Permits, one for the check and one for the purchase, come from the embedded Redis.")
	store, err := redisstore.OpenEmbedded("")
	if err != nil {
		return nil, fmt.Errorf("open the embedded redis: %w", err)
	}
	o.onClose(store.Close)
	return store, nil
}

// start starts a wire's executor and waits until it buys.
func (o *orders) start(ctx context.Context, w *wire) (err error) {
	w.executor, err = execution.New(execution.Config{
		Markets: []execution.Market{w.market}, Journal: w.journal, Limits: generous,
		Budgets: map[pricing.Market]execution.Budget{w.market.Market(): forPurchase{w.budget}},
		// Once at the start is enough: what the loops do is not measured.
		TrackEvery: time.Hour, ReconcileEvery: time.Hour,
	})
	if err != nil {
		return err
	}
	if err := w.executor.Recover(ctx); err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() { defer close(ended); w.executor.Run(running) }()
	o.onClose(func() error { stop(); <-ended; return nil })

	o.progress.say("orders: the first purchase of " + w.subject)
	deadline := time.After(settleIn)
	for {
		_, err := w.buy(ctx) // not before the executor has looked at the account
		if err == nil {
			return nil
		}
		select {
		case <-deadline:
			return fmt.Errorf("%s: %w", w.subject, err)
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// wire measures the way of one intent to one market.
type wire struct {
	subject  string
	site     *site
	market   *timedMarket
	budget   *timedBudget
	journal  execution.Journal
	executor *execution.Executor
	listings []pricing.Listing
	next     int // listing to be bought
	bought   uint64
}

// stages are the parts of one intent's way.
type stages struct {
	whole, check, permits, sending time.Duration
}

// own is the part that is ours alone: gate and journal.
func (s stages) own() time.Duration { return s.whole - s.check - s.permits - s.sending }

func (w *wire) measure(ctx context.Context, out *Suite, length time.Duration) error {
	var all []stages
	for start := time.Now(); len(all) == 0 || time.Since(start) < length && len(all) < mostPurchases; {
		s, err := w.buy(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", w.subject, err)
		}
		all = append(all, s)
	}
	quantiles := func(of func(stages) time.Duration) rate {
		took := make([]time.Duration, len(all))
		for i, s := range all {
			took[i] = of(s)
		}
		return rateOf(took, time.Second)
	}
	whole := quantiles(func(s stages) time.Duration { return s.whole })
	out.add(w.subject, "p50", "µs", micros(whole.p50))
	out.add(w.subject, "p99", "µs", micros(whole.p99))
	for _, part := range []struct {
		name string
		of   func(stages) time.Duration
	}{
		{"the check, p50", func(s stages) time.Duration { return s.check }},
		{"gate and journal, p50", stages.own},
		{"permits, p50", func(s stages) time.Duration { return s.permits }},
		{"connecting and sending, p50", func(s stages) time.Duration { return s.sending }},
	} {
		out.add(w.subject, part.name, "µs", micros(quantiles(part.of).p50))
	}
	begun := quantiles(func(s stages) time.Duration { return s.whole - s.check - s.sending })
	out.add(w.subject, workMeasure+", p50", "µs", micros(begun.p50))
	out.add(w.subject, workMeasure+", p99", "µs", micros(begun.p99))
	return nil
}

// buy makes one purchase of something that the market still has, and clears it
// away.
func (w *wire) buy(ctx context.Context) (stages, error) {
	var last error
	for range len(w.listings) {
		l := w.listings[w.next%len(w.listings)]
		w.next++
		w.bought++
		r := execution.Request{
			Market: w.market.Market(), Item: l.Item, MarketName: l.MarketName,
			Ask: 3 * l.Ask, Cost: 3 * l.Ask, Since: w.bought, // wherever the ask has gone since
			SellOn: pricing.SIH, Proceeds: 4 * l.Ask, ExpiresAt: time.Now().Add(time.Minute),
		}
		if r.Cost > generous.Order || l.Item.Phase != pricing.NoPhase {
			continue
		}
		w.market.begin()
		w.budget.took.Store(0)
		start := time.Now()
		o, err := w.executor.Buy(ctx, r)
		if errors.Is(err, execution.ErrNotOffered) || errors.Is(err, execution.ErrMoved) || err == nil && o.State == execution.Rejected {
			last = fmt.Errorf("%s is not to be had: %w", l.MarketName, errors.Join(err, errors.New(o.Error)))
			continue // sold out, or a price out of this world
		}
		if err != nil {
			return stages{}, err
		}
		arrived := w.site.arrived.Load()
		if o.State != execution.Placed || arrived == nil {
			return stages{}, fmt.Errorf("order %s is %s, want placed: %s", o.ID, o.State, o.Error)
		}
		s := stages{
			whole: arrived.Sub(start), permits: time.Duration(w.budget.took.Load()),
			check: w.market.checked - w.market.permit, sending: arrived.Sub(w.market.placing),
		}
		return s, retire(ctx, w.journal, o)
	}
	return stages{}, fmt.Errorf("nothing is on offer: %w", last)
}

// account is an execution.Market under a name that is not its method's.
type account = execution.Market

// timedMarket tells when a market is asked what.
type timedMarket struct {
	account
	site   *site
	budget *timedBudget

	// Of the last purchase.
	checked time.Duration // that Check took
	permit  time.Duration // of it for a permit
	placing time.Time     // when Place was called
}

func (m *timedMarket) begin() {
	m.site.placing.Store(false)
	m.site.arrived.Store(nil)
}

// Check implements execution.Market.
func (m *timedMarket) Check(ctx context.Context, it pricing.Item, marketName string) (execution.Offer, error) {
	start, before := time.Now(), m.budget.took.Load()
	defer func() {
		m.checked, m.permit = time.Since(start), time.Duration(m.budget.took.Load()-before)
	}()
	return m.account.Check(ctx, it, marketName)
}

// Place implements execution.Market.
func (m *timedMarket) Place(ctx context.Context, o execution.Order, offer execution.Offer, wrote func()) (execution.Evidence, error) {
	m.site.placing.Store(true)
	m.placing = time.Now()
	return m.account.Place(ctx, o, offer, wrote)
}

// timedBudget adds up the waits for permits.
type timedBudget struct {
	fetch.Budget
	took atomic.Int64 // nanoseconds
}

// Take implements fetch.Budget.
func (b *timedBudget) Take(ctx context.Context, c fetch.Class) error {
	start := time.Now()
	defer func() { b.took.Add(int64(time.Since(start))) }()
	return b.Budget.Take(ctx, c)
}

// forPurchase is a market's budget as purchases take from it.
type forPurchase struct{ *timedBudget }

func (p forPurchase) Take(ctx context.Context) error {
	return p.timedBudget.Take(ctx, fetch.ForPurchase)
}

// site is both markets at an address. It tells when the first byte of a purchase
// was read.
type site struct {
	address string
	placing atomic.Bool               // the next request is a purchase
	arrived atomic.Pointer[time.Time] // nil: not yet
}

// openSite opens both markets with a few items, which are closed when the suite
// ends.
func (o *orders) openSite() (*site, error) {
	const most = 2000
	items := most
	if o.opts.items > 0 {
		items = min(o.opts.items, most)
	}
	world, err := marketsim.New(marketsim.Config{
		Seed: o.opts.seed, Items: items, RatePerMinute: 1 << 30, Balance: int64(pricing.MaxMoney),
	})
	if err != nil {
		return nil, fmt.Errorf("make the simulated markets: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("/api.php", world.SkinsBack())
	mux.Handle("/api/v1/", world.SIH())
	s := &site{}
	server := &http.Server{
		Handler: mux, ReadHeaderTimeout: requestTimeout,
		ConnState: func(_ net.Conn, state http.ConnState) {
			// A connection is active from the first byte of a request on.
			if state == http.StateActive && s.placing.CompareAndSwap(true, false) {
				now := time.Now()
				s.arrived.Store(&now)
			}
		},
	}
	address, err := listen(server.Serve)
	if err != nil {
		return nil, err
	}
	o.onClose(server.Close)
	s.address = "http://" + address
	return s, nil
}
