package backtoback

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"skinarb/execution"
	"skinarb/partner"
	"skinarb/pricing"
	"skinarb/selling"
)

// deal runs a dealer in a bubble until the test or stop ends it.
func deal(t *testing.T, w *world) (d *Dealer, stop func()) {
	t.Helper()
	d = w.dealer()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		d.Run(ctx, w)
	}()
	return d, func() { cancel(); <-done }
}

// good are terms under which item 0 is listed for 11.99: a dollar of profit needs
// 10.00.
var good = Terms{MarketName: "P250 | Sand Dune 0  (Field-Tested)", Ask: 8 * pricing.Dollar, Lowest: 12 * pricing.Dollar}

func TestASale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.terms[item(0)] = good
		d, stop := deal(t, w)
		defer stop()
		time.Sleep(time.Second)
		l, _ := w.sale()
		if least, ok := d.Ask(l.Goods); !ok || least != 10*pricing.Dollar || l.Price != dollars(11.99) {
			t.Fatalf("on sale for %s, taken from %s on, %t, want 11.99 and 10.00", l.Price, least, ok)
		}

		w.order("fast-1")
		time.Sleep(time.Minute)
		if len(w.wishes()) != 0 {
			t.Fatalf("bought %+v before SIH asked for the order", w.wishes())
		}
		w.poll("fast-1")
		time.Sleep(10 * time.Second)
		wishes := w.wishes()
		if len(wishes) != 1 {
			t.Fatalf("%d wishes, want one", len(wishes))
		}
		r := wishes[0]
		// 11.99 leaves 10.79 after the fee and 9.79 with the profit.
		if r.Market != pricing.SkinsBack || r.SellOn != pricing.SIH || r.Item != item(0) || r.MarketName != good.MarketName ||
			r.Ask != dollars(9.79) || r.Cost != dollars(9.79) || r.Proceeds != dollars(10.79) {
			t.Errorf("wish %+v", r)
		}
		if to := (execution.Recipient{Partner: "39734272", SteamID: "76561198000000000", Token: "SSH18JS"}); r.Buyer.Ref != "fast-1" || r.Buyer.To != to {
			t.Errorf("bought for %s, want fast-1, delivered to %s", r.Buyer.Ref, to)
		}

		for _, step := range []struct {
			state  execution.State
			offer  string
			want   partner.State
			passes time.Duration
		}{
			{execution.Placed, "", partner.Created, time.Minute},
			{execution.Delivering, "7912345678", partner.Sent, time.Minute},
			{execution.Delivered, "7912345678", partner.Protected, time.Minute},
			{execution.Settled, "7912345678", partner.Settled, time.Minute},
		} {
			w.becomes("fast-1", step.state, "", step.offer)
			time.Sleep(10 * time.Second)
			p := w.purchase("fast-1")
			if p.State != step.want || step.offer != "" && p.OfferID != 7912345678 {
				t.Errorf("after %s the order is %s with offer %d, want %s", step.state, p.State, p.OfferID, step.want)
			}
			time.Sleep(step.passes)
		}
		if n := len(w.wishes()); n != 1 {
			t.Errorf("%d wishes, want one", n)
		}
	})
}

// TestWhatIsNotSold: an order that is not bought is told so, for the right reason,
// and not before it is sure.
func TestWhatIsNotSold(t *testing.T) {
	unpolledOrder := func(*world) {}
	for name, tc := range map[string]struct {
		meanwhile func(w *world)
		poll      bool
		after     time.Duration
		want      partner.State
		reason    partner.Reason
		wishes    int
	}{
		"never asked for":                {unpolledOrder, false, 14 * time.Minute, partner.Created, "", 0},
		"never asked for, for long":      {unpolledOrder, false, 16 * time.Minute, partner.Failed, partner.SendTimeout, 0},
		"trading is stopped":             {func(w *world) { w.stopped = true }, true, 10 * time.Second, partner.Failed, partner.CanceledBySeller, 0},
		"the price moved":                {func(w *world) { w.terms[item(0)] = Terms{Ask: dollars(9.80), Lowest: good.Lowest} }, true, 10 * time.Second, partner.Failed, partner.CanceledBySeller, 0},
		"sold out":                       {func(w *world) { delete(w.terms, item(0)) }, true, 10 * time.Second, partner.Failed, partner.CanceledBySeller, 0},
		"over a limit":                   {func(w *world) { w.refuses("", &execution.LimitError{Rule: "max_day"}) }, true, 10 * time.Second, partner.Failed, partner.CanceledBySeller, 1},
		"balance not known":              {func(w *world) { w.refuses("", &execution.LimitError{Rule: "min_balance"}) }, true, 30 * time.Second, partner.Created, "", 0},
		"withdrawn":                      {func(w *world) { w.refuses(execution.Cancelled, execution.ErrMoved) }, true, 10 * time.Second, partner.Failed, partner.CanceledBySeller, 1},
		"refused":                        {func(w *world) { w.refuses(execution.Rejected, nil) }, true, 10 * time.Second, partner.Failed, partner.CanceledBySeller, 1},
		"kept by a breaker":              {func(w *world) { w.refuses("", errors.New("a breaker is open")) }, true, 9 * time.Minute, partner.Created, "", 0},
		"kept by a breaker for too long": {func(w *world) { w.refuses("", errors.New("a breaker is open")) }, true, 11 * time.Minute, partner.Failed, partner.SendTimeout, 0},
		"planned, and may leave yet":     {func(w *world) { w.refuses(execution.Planned, errors.New("no permit")) }, true, time.Hour, partner.Created, "", 1},
		"in doubt":                       {func(w *world) { w.refuses(execution.InDoubt, nil) }, true, time.Hour, partner.Created, "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.terms[item(0)] = good
				_, stop := deal(t, w)
				defer stop()
				time.Sleep(time.Second)
				w.order("fast-1")
				w.set(func() { tc.meanwhile(w) })
				if tc.poll {
					w.poll("fast-1")
				}
				time.Sleep(tc.after)
				if p := w.purchase("fast-1"); p.State != tc.want || p.Reason != tc.reason {
					t.Errorf("the order is %s %q, want %s %q", p.State, p.Reason, tc.want, tc.reason)
				}
				if n := len(w.wishes()); tc.wishes > 0 && n != tc.wishes || tc.want == partner.Failed && len(w.purchases()) > 0 {
					t.Errorf("%d wishes, want %d, and %d purchases", n, tc.wishes, len(w.purchases()))
				}
			})
		})
	}
}

// refuses plans what comes of every wish.
func (w *world) refuses(s execution.State, err error) {
	w.buy = func(execution.Request) (execution.State, error) { return s, err }
}

// TestListingsFollowTheBook and are withdrawn when SkinsBack's prices cannot be
// relied on, or trading is stopped.
func TestListingsFollowTheBook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.terms[item(0)] = good
		d, stop := deal(t, w)
		defer stop()
		time.Sleep(time.Second)
		first, _ := w.sale()
		for _, step := range []struct {
			what  string
			terms *Terms
			stop  bool
			want  string
		}{
			{"nothing changes", &good, false, "11.99"},
			{"others are cheaper", &Terms{Ask: good.Ask, Lowest: 11 * pricing.Dollar}, false, "10.99"},
			{"skinsback asks more", &Terms{Ask: dollars(9.50), Lowest: 14 * pricing.Dollar}, false, "13.99"},
			{"the feed is stale", nil, false, ""},
			{"the feed is back", &good, false, "11.99"},
			{"trading is stopped", &good, true, ""},
			{"trading goes on", &good, false, "11.99"},
		} {
			w.set(func() {
				delete(w.terms, item(0))
				if step.terms != nil {
					w.terms[item(0)] = *step.terms
				}
				w.stopped = step.stop
			})
			time.Sleep(5 * time.Minute)
			got := ""
			if l, ok := w.sale(); ok {
				got = l.Price.String()
				if _, sells := d.Ask(l.Goods); !sells {
					t.Errorf("%s: what is on sale would not be sold", step.what)
				}
			}
			if got != step.want {
				t.Errorf("%s: on sale for %q, want %q", step.what, got, step.want)
			}
			if _, sells := d.Ask(first.Goods); sells && step.stop {
				t.Errorf("%s: it would be sold", step.what)
			}
		}
	})
}

// TestGoodsAreSoldOnce: what is listed after a sale has other goods, and goods that
// nobody ordered, or whose order failed, are ours again.
func TestGoodsAreSoldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.terms[item(0)] = good
		_, stop := deal(t, w)
		defer stop()
		time.Sleep(time.Second)
		first, _ := w.sale()
		w.order("fast-1")
		w.poll("fast-1")
		time.Sleep(time.Minute)
		second, ok := w.sale()
		if !ok || second.Goods == first.Goods {
			t.Errorf("on sale is %+v, %t, want other goods than %s", second, ok, first.Goods)
		}
		state := func(l selling.Listing) selling.State {
			t.Helper()
			l, err := w.journal.Selling().Listing(t.Context(), l.ID)
			if err != nil {
				t.Fatal(err)
			}
			return l.State
		}
		if got := state(first); got != selling.Gone {
			t.Errorf("a listing whose buyer waits is %s, want gone", got)
		}
		w.becomes("fast-1", execution.Failed, "canceled", "")
		time.Sleep(time.Minute)
		if got := state(first); got != selling.Returned {
			t.Errorf("after its order failed it is %s, want returned", got)
		}
		w.set(func() { delete(w.onSale, second.ID) }) // SIH loses it
		time.Sleep(20 * time.Minute)
		if got := state(second); got != selling.Gone {
			t.Errorf("after 20 minutes what SIH lost is %s, want gone: an order for it may be on its way", got)
		}
		time.Sleep(20 * time.Minute)
		if got := state(second); got != selling.Returned {
			t.Errorf("after 40 minutes what SIH lost is %s, want returned", got)
		}
	})
}

// TestRestarts: with dealers that are ended at any time, every buyer's order is
// bought at most once, and none that SIH was told had failed.
func TestRestarts(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		actions := rapid.SliceOfN(rapid.SampledFrom([]string{"restart", "order", "poll", "wait", "long", "dear", "cheap", "stop", "go", "doubt", "refuse", "placed", "failed", "delivered"}), 1, 30).Draw(r, "actions")
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.terms[item(0)], w.every = good, 2*time.Minute // each round costs some writes to a disk
			_, stop := deal(t, w)
			orders := 0
			last := func() string { return fmt.Sprint("fast-", orders) }
			moves := map[string]execution.State{"placed": execution.Placed, "failed": execution.Failed, "delivered": execution.Delivered}
			for _, a := range actions {
				switch a {
				case "restart":
					stop()
					_, stop = deal(t, w)
				case "order":
					if _, ok := w.sale(); ok {
						orders++
						w.order(last())
					}
				case "poll":
					w.poll(last())
				case "wait":
					time.Sleep(3 * time.Minute)
				case "long":
					time.Sleep(20 * time.Minute)
				case "dear":
					w.set(func() { w.terms[item(0)] = Terms{Ask: dollars(9.80), Lowest: good.Lowest} })
				case "cheap":
					w.set(func() { w.terms[item(0)] = good })
				case "stop", "go":
					w.set(func() { w.stopped = a == "stop" })
				case "doubt":
					w.set(func() { w.refuses(execution.InDoubt, nil) })
				case "refuse":
					w.set(func() { w.refuses(execution.Rejected, nil) })
				default:
					id := execution.Request{Market: pricing.SkinsBack, SellOn: pricing.SIH, Buyer: execution.Buyer{Ref: last()}}.ID()
					if o, err := w.Order(t.Context(), id); err == nil && o.State.Open() {
						w.becomes(last(), moves[a], "", "7")
					}
				}
				for n := 1; n <= orders; n++ {
					w.check(r, fmt.Sprint("fast-", n))
				}
			}
			stop()
			listings, err := w.journal.Selling().InStates(t.Context(), pricing.SIH, time.Time{}, selling.Sent, selling.InDoubt, selling.Listed, selling.Withdrawing)
			if err != nil || len(listings) > 1 {
				r.Fatalf("%d open listings of one item, %v", len(listings), err)
			}
		})
	})
}

// check judges what SIH is told of an order by what its purchase is.
func (w *world) check(r *rapid.T, customID string) {
	p := w.purchase(customID)
	id := execution.Request{Market: pricing.SkinsBack, SellOn: pricing.SIH, Buyer: execution.Buyer{Ref: customID}}.ID()
	o, err := w.Order(context.Background(), id)
	if err == nil && p.State == partner.Failed && (o.State.Open() || o.State == execution.Delivered) {
		r.Fatalf("SIH was told that %s failed, and its purchase is %s", customID, o.State)
	}
	if n := w.purchases()[id]; n > 1 {
		r.Fatalf("%s was bought %d times", customID, n)
	}
}

// TestWhatIsOnSaleForLongIsSold: a buyer orders what has been on sale, unchanged,
// for an hour.
func TestWhatIsOnSaleForLongIsSold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.terms[item(0)] = good
		_, stop := deal(t, w)
		defer stop()
		time.Sleep(time.Hour)
		w.order("fast-1")
		w.poll("fast-1")
		time.Sleep(10 * time.Second)
		if p := w.purchase("fast-1"); p.State != partner.Created || len(w.purchases()) != 1 {
			t.Errorf("the order is %s %q with %d purchases, want it bought", p.State, p.Reason, len(w.purchases()))
		}
	})
}

// TestNothingIsBoughtForAnOrderThatSIHGaveUp: SIH asked for it once, and not for
// minutes when it could be bought.
func TestNothingIsBoughtForAnOrderThatSIHGaveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.terms[item(0)] = good
		_, stop := deal(t, w)
		defer stop()
		time.Sleep(time.Second)
		w.order("fast-1")
		w.set(func() { w.refuses("", errors.New("a breaker is open")) })
		w.poll("fast-1")
		time.Sleep(9 * time.Minute)
		w.set(func() {
			w.buy = func(execution.Request) (execution.State, error) { return execution.Placed, nil }
		})
		time.Sleep(30 * time.Second)
		if n := len(w.purchases()); n != 0 {
			t.Errorf("bought %d, 9 minutes after SIH last asked for the order", n)
		}
	})
}

// slowSIH takes 50 s for each deposit.
type slowSIH struct{ *world }

func (s slowSIH) List(ctx context.Context, l selling.Listing) (selling.Word, error) {
	time.Sleep(50 * time.Second)
	return s.world.List(ctx, l)
}

// TestBuyersDoNotWaitForListings, however long a round of them takes.
func TestBuyersDoNotWaitForListings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.terms[item(0)] = good
		d := New(Config{
			Rules: Rules{Sell: rules.Sell, MinProfit: rules.MinProfit, MaxListings: 50}, Listings: w.journal.Selling(), Purchases: w.journal.Purchases(),
			Keeper: selling.NewKeeper(selling.KeeperConfig{Markets: []selling.Market{slowSIH{w}}, Journal: w.journal.Selling(), Stopped: w.isStopped}),
			Buy:    w.Buy, Order: w.Order, Stopped: w.isStopped,
			Admits: func(context.Context) (func(execution.Request) error, error) { return admitsAll, nil },
			Wanted: w.wanted, Terms: w.Terms,
		})
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() { defer close(done); d.Run(ctx, w) }()
		defer func() { cancel(); <-done }()
		time.Sleep(2 * time.Minute)
		w.set(func() {
			for n := 1; n < 20; n++ {
				w.terms[item(n)] = Terms{MarketName: item(n).Name, Ask: good.Ask, Lowest: good.Lowest}
			}
		})
		time.Sleep(20 * time.Second) // a round of 19 listings has begun
		w.order("fast-1")
		w.poll("fast-1")
		began := time.Now()
		for len(w.wishes()) == 0 && w.purchase("fast-1").State == partner.Created && time.Since(began) < time.Hour {
			time.Sleep(time.Second)
		}
		p := w.purchase("fast-1")
		if waited := time.Since(began); waited > time.Minute {
			t.Errorf("seen to after %s: it is %s %q, %d purchases", waited, p.State, p.Reason, len(w.purchases()))
		}
	})
}

// TestSoldGoodsLeaveTheirPlace: with room for one listing, the next item is offered
// while a sold one waits for the end of its protection.
func TestSoldGoodsLeaveTheirPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.terms[item(0)], w.every = good, 30*time.Second
		rules.MaxListings = 1
		defer func() { rules.MaxListings = 10 }()
		_, stop := deal(t, w)
		defer stop()
		time.Sleep(time.Second)
		w.order("fast-1")
		w.poll("fast-1")
		time.Sleep(5 * time.Minute)
		w.becomes("fast-1", execution.Delivering, "", "7")
		time.Sleep(5 * time.Minute)
		w.becomes("fast-1", execution.Delivered, "", "7")
		w.set(func() {
			w.terms[item(1)] = Terms{MarketName: item(1).Name, Ask: good.Ask, Lowest: good.Lowest}
		})
		began := time.Now()
		for time.Since(began) < 48*time.Hour {
			if _, ok := w.sale(); ok {
				break
			}
			time.Sleep(10 * time.Minute)
		}
		if l, ok := w.sale(); !ok {
			t.Errorf("nothing was on sale for %s after one sale: its order is %s", time.Since(began), w.purchase("fast-1").State)
		} else {
			t.Logf("%s on sale after %s", l.Item.Name, time.Since(began))
		}
	})
}

// TestEveryIDOfAListing: SIH may name what it sold by our id of the goods, by its own
// of the deposit, or by our key of it.
func TestEveryIDOfAListing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.terms[item(0)] = good
		d, stop := deal(t, w)
		defer stop()
		time.Sleep(time.Minute)
		l, _ := w.sale()
		all, err := w.journal.Selling().InStates(t.Context(), pricing.SIH, time.Time{}, selling.Listed)
		if err != nil || len(all) != 1 {
			t.Fatal(all, err)
		}
		if _, ok := d.Ask(d.Goods(all[0].MarketRef)); !ok {
			t.Error("it is not for sale")
		}
		for what, id := range map[string]string{"our goods": l.Goods, "SIH's id": all[0].MarketRef, "our customId": string(l.ID)} {
			if goods := d.Goods(id); goods != l.Goods {
				t.Errorf("%s, %q: got goods %q, want %q", what, id, goods, l.Goods)
			}
		}
	})
}
