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

// TestWhoIsFree: goods of an order that failed, or that nobody ordered, are on
// sale again, and those that a buyer has are not.
func TestWhoIsFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.terms[item(0)] = good
		_, stop := deal(t, w)
		defer stop()
		time.Sleep(time.Second)
		w.order("fast-1")
		w.poll("fast-1")
		time.Sleep(time.Hour)
		if l, ok := w.sale(); ok {
			t.Errorf("on sale again as %+v, while a buyer has it", l)
		}
		w.becomes("fast-1", execution.Failed, "canceled", "")
		time.Sleep(time.Minute)
		l, ok := w.sale()
		if !ok {
			t.Fatal("not on sale after its order failed")
		}
		w.set(func() { delete(w.onSale, l.ID) }) // and SIH loses it
		time.Sleep(20 * time.Minute)
		if l, ok := w.sale(); ok {
			t.Errorf("on sale again as %+v after 20 minutes: an order for it may be on its way", l)
		}
		time.Sleep(20 * time.Minute)
		if _, ok := w.sale(); !ok {
			t.Error("not on sale again")
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
			listings, err := w.journal.Selling().InStates(t.Context(), pricing.SIH, time.Time{}, selling.OpenStates...)
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
