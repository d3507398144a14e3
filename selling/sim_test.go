package selling_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"skinarb/execution"
	"skinarb/internal/marketsim"
	"skinarb/internal/sqlitejournal"
	"skinarb/markets/sih"
	"skinarb/markets/skinsback"
	"skinarb/pricing"
	"skinarb/selling"
)

const (
	redline = "AK-47 | Redline (Field-Tested)"
	ruby    = "★ Karambit | Doppler Ruby (Factory New)"
	steamID = "76561198060265728"
	partner = "100000000"
	token   = "AbCdEf12"
)

// simulated is a seller with the real journal and the real clients, on both
// simulated markets, with a clock set by hand.
type simulated struct {
	t         *testing.T
	world     *marketsim.World
	clock     atomic.Int64
	journal   *sqlitejournal.Journal
	sih       *sih.Client
	skinsback *skinsback.Client
	seller    *selling.Seller
	rules     selling.Rules
}

func (s *simulated) now() time.Time { return time.Unix(0, s.clock.Load()).UTC() }

func simulate(t *testing.T, seed uint64, outcomes marketsim.Outcomes) *simulated {
	s := &simulated{t: t}
	s.clock.Store(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).UnixNano())
	var err error
	s.world, err = marketsim.New(marketsim.Config{
		Seed: seed, Now: s.now, MovePct: -1, Outcomes: outcomes,
		Catalog: map[string]int64{redline: 19_000_000, ruby: 1_500_000_000},
		Timing:  marketsim.Timing{TradeCreation: time.Minute, Acceptance: time.Minute, AcceptTimeout: 10 * time.Minute, Protection: 6 * time.Hour, Sale: 30 * time.Minute},
	})
	if err != nil {
		t.Fatal(err)
	}
	server, err := marketsim.Serve(s.world, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	if s.sih, err = sih.New(sih.Config{
		URL: server.SIHURL, APIKey: marketsim.DemoAPIKey, Recipient: sih.Recipient{SteamID: steamID, Token: token}, Now: s.now,
	}); err != nil {
		t.Fatal(err)
	}
	if s.skinsback, err = skinsback.New(skinsback.Config{
		URL: server.SkinsBackURL, ClientID: marketsim.DemoClientID, ClientSecret: marketsim.DemoClientSecret,
		Recipient: skinsback.Recipient{Partner: partner, Token: token}, Now: s.now,
	}); err != nil {
		t.Fatal(err)
	}
	if s.journal, err = sqlitejournal.Open(filepath.Join(t.TempDir(), "journal.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.journal.Close() })
	if err := s.sih.Shop().Attach(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.rules = selling.Rules{
		Fees:      map[pricing.Market]pricing.Fees{pricing.SIH: {SellBps: 1000}, pricing.SkinsBack: {SellBps: 0}},
		MinProfit: pricing.Dollar / 2, RepriceEvery: 30 * time.Minute, ReturnAfter: time.Hour, VanishAfter: 3 * 24 * time.Hour,
	}
	s.start()
	return s
}

// start begins a run of the seller, as a program that was started.
func (s *simulated) start() {
	s.t.Helper()
	keeper := selling.NewKeeper(selling.KeeperConfig{
		Markets: []selling.Market{s.sih.Shop(), s.skinsback.Shop(steamID)}, Journal: s.journal.Selling(), Fees: s.rules.Fees, Now: s.now,
	})
	s.seller = selling.NewSeller(selling.Config{
		Keeper: keeper, Journal: s.journal.Selling(), Inventory: s.skinsback.Shop(steamID), Rules: s.rules, Order: s.journal.Get, Now: s.now,
		Stopped: func(ctx context.Context) (bool, error) {
			t, err := s.journal.Trading(ctx)
			return t.Stopped, err
		},
		Quote: func(m pricing.Market, it pricing.Item) (pricing.Quote, bool, error) {
			if m != pricing.SIH {
				return pricing.Quote{}, false, nil
			}
			offer, err := s.sih.Check(s.t.Context(), it, it.String())
			if errors.Is(err, execution.ErrNotOffered) {
				return pricing.Quote{}, false, nil
			}
			return pricing.Quote{Market: m, ObservedAt: s.now(), Listing: pricing.Listing{Item: it, Ask: offer.Ask}}, true, err
		},
	})
	if err := keeper.Recover(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// buy settles a purchase and puts it into the inventory.
func (s *simulated) buy(n int, m pricing.Market, name, paid string) {
	s.t.Helper()
	it, err := pricing.ParseItem(pricing.CS2, name, "")
	if err != nil {
		s.t.Fatal(err)
	}
	cost, err := pricing.ParseMoney(paid)
	if err != nil {
		s.t.Fatal(err)
	}
	o := execution.Order{
		ID: execution.OrderID(fmt.Sprint("sa-", n)), State: execution.Settled, Paid: cost, CreatedAt: s.now().Add(time.Duration(n)), UpdatedAt: s.now(),
		Request: execution.Request{Market: m, Item: it, MarketName: name, Ask: cost, Cost: cost, Proceeds: cost + pricing.Dollar},
	}
	if _, err := s.journal.Adopt(s.t.Context(), o); err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.world.Give(steamID, name); err != nil {
		s.t.Fatal(err)
	}
}

// pass lets time go by, a round every ten minutes, and watches that nothing is on
// its way to two buyers.
func (s *simulated) pass(d time.Duration) {
	s.t.Helper()
	for end := s.now().Add(d); s.now().Before(end); s.clock.Add(int64(10 * time.Minute)) {
		s.seller.Round(s.t.Context())
		under := map[string]string{}
		requested := map[string]bool{}
		for _, sale := range s.world.Sales() {
			if requested[sale.CustomID] {
				s.t.Errorf("%s was put on sale twice", sale.CustomID)
			}
			requested[sale.CustomID] = true
			if sale.State == "deleted" || sale.State == "returned" {
				continue
			}
			if before, ok := under[sale.AssetID]; ok {
				s.t.Errorf("at %s asset %s is sold as %s and as %s", s.now(), sale.AssetID, before, sale.CustomID)
			}
			under[sale.AssetID] = sale.CustomID
		}
		for _, d := range s.world.Deposits() {
			if d.State == "fail" || d.State == "hold_returned" {
				continue
			}
			for _, asset := range d.AssetIDs {
				if before, ok := under[asset]; ok {
					s.t.Errorf("at %s asset %s is sold as %s and as %s", s.now(), asset, before, d.OrderID)
				}
				under[asset] = d.OrderID
			}
		}
	}
}

// TestSimulated sells on both markets through lost answers, failing buyers,
// reversed trades, a restart and new prices. In the end all is sold with a
// profit, and the books say what the markets say.
func TestSimulated(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			s := simulate(t, seed, marketsim.Outcomes{Fail: 15, Rollback: 15, Timeout: 10})
			if err := errors.Join(
				s.world.SetAsk(marketsim.SIH, redline, 19_000_000), s.world.SetCount(marketsim.SIH, redline, 3),
				s.world.SetAsk(marketsim.SkinsBack, ruby, 1_600_000_000),
			); err != nil {
				t.Fatal(err)
			}
			for n := 1; n <= 3; n++ {
				s.buy(n, pricing.SkinsBack, redline, "12.00")
				s.buy(10+n, pricing.SIH, ruby, "1200.00")
			}
			for _, f := range []marketsim.Fault{
				{Market: marketsim.SIH, Method: "project/deposit", Kind: marketsim.FaultDropAfter, Times: 1},
				{Market: marketsim.SIH, Method: "project/deposit", Kind: marketsim.FaultDropBefore, Times: 1},
				{Market: marketsim.SkinsBack, Method: "create_from_user_inventory", Kind: marketsim.FaultErrorAfter, Times: 1},
				{Market: marketsim.SkinsBack, Method: "create_from_user_inventory", Kind: marketsim.FaultHTMLBefore, Times: 1},
			} {
				s.world.Inject(f)
			}
			s.pass(20 * time.Minute)
			if err := s.world.SetAsk(marketsim.SIH, redline, 17_000_000); err != nil {
				t.Fatal(err)
			}
			s.world.Inject(marketsim.Fault{Market: marketsim.SIH, Method: "project/delete-deposit", Kind: marketsim.FaultDropAfter, Times: 1})
			s.pass(12 * time.Hour)
			s.start()
			s.pass(5 * 24 * time.Hour)

			positions, err := s.journal.Selling().Page(t.Context(), selling.Query{})
			if err != nil || len(positions) != 6 {
				t.Fatalf("got %d positions, error %v, want 6", len(positions), err)
			}
			proceeds := map[pricing.Market]pricing.Money{}
			for _, p := range positions {
				if p.State() != selling.PositionState(selling.Sold) || p.Profit() < s.rules.MinProfit {
					t.Errorf("%s is %s with a profit of %s (%s; %s), want it sold with %s at least", p.ID, p.State(), p.Profit(), p.Note, p.Listing.Error, s.rules.MinProfit)
				}
				proceeds[p.SellOn] += p.Listing.Proceeds
			}
			if got, want := proceeds[pricing.SIH], pricing.Money(s.world.DepositBalance()); got != want {
				t.Errorf("SIH credited %s, and the positions have %s", want, got)
			}
			var credited pricing.Money
			for _, d := range s.world.Deposits() {
				credited += pricing.Money(d.Credited)
			}
			if got := proceeds[pricing.SkinsBack]; got != credited {
				t.Errorf("SkinsBack credited %s, and the positions have %s", credited, got)
			}
		})
	}
}
