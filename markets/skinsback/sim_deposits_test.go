package skinsback

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"skinarb/execution"
	"skinarb/internal/marketsim"
	"skinarb/pricing"
)

// simAccount is the Steam account that newClient buys for.
const simAccount = "76561198060265729"

// sellable gives what the account can sell now.
func (w *world) sellable(t *testing.T) []InventoryItem {
	t.Helper()
	all, err := w.client.GetInventory(t.Context(), InventoryRequest{Game: pricing.CS2, SteamID: simAccount, TradeToken: "AbCdEf12"})
	if err != nil {
		t.Fatal(err)
	}
	var now []InventoryItem
	for _, i := range all.Items {
		if i.Sellable() {
			now = append(now, i)
		}
	}
	if len(now) < 2 {
		t.Fatalf("the account can sell %d of %d items, want some", len(now), len(all.Items))
	}
	return now
}

func saleOf(orderID string, items ...InventoryItem) SellRequest {
	r := SellRequest{OrderID: orderID, Game: pricing.CS2, SteamID: simAccount, TradeToken: "AbCdEf12"}
	for _, i := range items {
		r.AssetIDs = append(r.AssetIDs, i.AssetID)
	}
	return r
}

// TestBuyAndSellOnTheSimulator buys an item, waits until it is ours, sells it back
// and follows the money, with both authentications and both encodings.
func TestBuyAndSellOnTheSimulator(t *testing.T) {
	for _, auth := range []Auth{AuthHeaders, AuthSignature} {
		for _, form := range []bool{false, true} {
			for _, numberStrings := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s form=%v strings=%v", auth, form, numberStrings), func(t *testing.T) {
					w := simulate(t, marketsim.Config{NumberStrings: numberStrings}, func(cfg *Config) { cfg.Auth, cfg.FormBody = auth, form })
					w.buyAndSell(t)
				})
			}
		}
	}
}

func (w *world) buyAndSell(t *testing.T) {
	t.Helper()
	ctx, c := t.Context(), w.client
	had := map[string]bool{}
	for _, i := range w.sellable(t) {
		had[i.AssetID] = true
	}
	if _, err := c.Buy(ctx, BuyRequest{Name: simRedline, Game: pricing.CS2, MaxPrice: 12_450_000, CustomID: "buy-1"}); err != nil {
		t.Fatal(err)
	}
	w.pass(marketsim.DefaultTiming.TradeCreation + marketsim.DefaultTiming.Acceptance + marketsim.DefaultTiming.Protection)
	var bought InventoryItem
	for _, i := range w.sellable(t) {
		if !had[i.AssetID] {
			bought = i
		}
	}
	if bought.Name != simRedline || bought.Price <= 0 || bought.Price >= 12_450_000 {
		t.Fatalf("got %+v, want what was bought, for less", bought)
	}
	before, err := c.Balance(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.GetDeposit(ctx, DepositRef{OrderID: "sell-1"}); !errors.Is(err, execution.ErrNotFound) {
		t.Fatalf("before: got %v, want %v", err, execution.ErrNotFound)
	}
	sale, err := c.Sell(ctx, saleOf("sell-1", bought), nil)
	if err != nil || sale.USD != bought.Price || sale.OfferID == "" || !sale.OfferExpires.Equal(w.time().Add(10*time.Minute)) {
		t.Fatalf("sell: got %+v, %v, want an offer for %s", sale, err, bought.Price)
	}
	if _, err := c.Sell(ctx, saleOf("sell-1", bought), nil); outcome(err) != "in doubt" {
		t.Errorf("sell again: got %s (%v), want in doubt", outcome(err), err)
	}
	for _, step := range []struct {
		pass   time.Duration
		status DepositStatus
		worth  pricing.Money
	}{
		{0, DepositPending, 0},
		{marketsim.DefaultTiming.Acceptance, DepositInHold, bought.Price},
		{marketsim.DefaultTiming.Protection, DepositSuccess, bought.Price},
	} {
		w.pass(step.pass)
		d, err := c.GetDeposit(ctx, DepositRef{OrderID: "sell-1"})
		if err != nil || d.Status != step.status || d.USD != step.worth || d.TransactionID != sale.TransactionID || d.SteamID != simAccount {
			t.Errorf("got %+v, %v, want %s and %s", d, err, step.status, step.worth)
		}
		other, err := c.GetDeposit(ctx, DepositRef{TransactionID: sale.TransactionID})
		if x := diff(d, other); x != "" || err != nil {
			t.Errorf("by transaction_id: %v\n%s", err, x)
		}
	}
	after, err := c.Balance(ctx)
	if err != nil || after-before != bought.Price {
		t.Errorf("the balance grew by %s, %v, want %s", after-before, err, bought.Price)
	}
	all, err := c.GetDeposits(ctx, testNow, w.time())
	if err != nil || len(all) != 1 || all[0].OrderID != "sell-1" || len(all[0].Items) != 1 || all[0].Items[0] != (DepositItem{simRedline, bought.Price}) {
		t.Errorf("deposits: got %+v, %v", all, err)
	}
	rates, err := c.GetCurrencies(ctx)
	if err != nil || len(rates) != 10 || rates[0].Code != "usd" || !rates[0].Rate.Equal(dec("1")) || !rates[3].Rate.Equal(dec("0.86")) {
		t.Errorf("currencies: got %+v, %v", rates, err)
	}
}

func TestDepositsOnTheSimulator(t *testing.T) {
	w := simulate(t, marketsim.Config{})
	ctx, c := t.Context(), w.client
	page, err := c.CreateDeposit(ctx, DepositRequest{OrderID: "page-1", SteamID: simAccount, Min: pricing.Dollar, Max: 100 * pricing.Dollar})
	if err != nil || page.URL == "" {
		t.Fatalf("got %+v, %v", page, err)
	}
	if _, err := c.CreateDeposit(ctx, DepositRequest{OrderID: "page-1", SteamID: simAccount}); outcome(err) != "in doubt" {
		t.Errorf("again: got %v, want in doubt", err)
	}
	if err := c.ApproveDeposit(ctx, DepositRef{OrderID: "page-1"}); outcome(err) != "in doubt" {
		t.Errorf("approve what is not in hold: got %v, want in doubt", err)
	}
	if err := c.ApproveDeposit(ctx, DepositRef{OrderID: "never"}); !errors.Is(err, execution.ErrNotFound) {
		t.Errorf("approve nothing: got %v, want %v", err, execution.ErrNotFound)
	}
	w.pass(marketsim.DefaultTiming.TradeCreation + marketsim.DefaultTiming.Acceptance)
	held, err := c.GetDeposit(ctx, DepositRef{OrderID: "page-1"})
	if err != nil || held.Status != DepositInHold {
		t.Fatalf("got %+v, %v, want it in hold", held, err)
	}
	before := w.Balance(marketsim.SkinsBack)
	if err := c.ApproveDeposit(ctx, DepositRef{TransactionID: held.TransactionID}); err != nil {
		t.Fatal(err)
	}
	approved, err := c.GetDeposit(ctx, DepositRef{OrderID: "page-1"})
	if err != nil || approved.Status != DepositHoldApproved || w.Balance(marketsim.SkinsBack)-before != int64(held.USD) {
		t.Errorf("got %+v, %v, want it approved and %s more", approved, err, held.USD)
	}
	if missed, err := c.GetCallbackErrors(ctx); err != nil || len(missed) != 0 {
		t.Errorf("callback errors: got %v, %v, want none", missed, err)
	}
}

// TestCallbacksOfTheSimulator reads what it posts, in both encodings.
func TestCallbacksOfTheSimulator(t *testing.T) {
	w := simulate(t, marketsim.Config{})
	bodies := make(chan []byte, 10)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		bodies <- b
	}))
	t.Cleanup(s.Close)
	if err := w.SetResultURL(s.URL); err != nil {
		t.Fatal(err)
	}
	items := w.sellable(t)
	for i, id := range []string{"cb-1", "cb-2"} {
		if _, err := w.client.Sell(t.Context(), saleOf(id, items[i]), nil); err != nil {
			t.Fatal(err)
		}
	}
	w.pass(marketsim.DefaultTiming.Acceptance)
	for i, id := range []string{"cb-1", "cb-2"} {
		var body []byte
		select {
		case body = <-bodies:
		case <-time.After(20 * time.Second):
			t.Fatalf("no callback about %s within 20 s", id)
		}
		got, err := w.client.DepositCallback(body)
		if err != nil || got.OrderID != id || got.Status != DepositInHold || got.USD != items[i].Price || got.Risk == nil || got.Risk.InventoryDollars["cs2"] == 0 {
			t.Errorf("%s: got %+v, %v, want %s in hold", body, got, err, id)
		}
		body[len(body)/2]++
		if _, err := w.client.DepositCallback(body); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: got %v, want %v", body, err, ErrSignature)
		}
	}
}

// lots gives the offers of an item, one for each lot, the cheapest first.
func (w *world) lots(t *testing.T, it pricing.Item, name string) []execution.Offer {
	t.Helper()
	found, err := w.client.Search(t.Context(), it.Game, name)
	if err != nil {
		t.Fatal(err)
	}
	return lotsOf(it, found)
}

func TestABatchOnTheSimulator(t *testing.T) {
	for _, form := range []bool{false, true} {
		w := simulate(t, marketsim.Config{Balance: 40_000_000}, func(cfg *Config) { cfg.FormBody = form })
		ctx, it := t.Context(), item(t, simRedline)
		lots := w.lots(t, it, simRedline)
		if len(lots) != 5 || lots[0].Ask != 12_450_000 {
			t.Fatalf("got %+v, want 5 lots", lots)
		}
		phased := w.lots(t, item(t, simPhase2), simPhase2)
		orders := []execution.Order{
			order(t, "b-0", simRedline, 12_450_000),
			order(t, "b-1", simRedline, 12_440_000), // a cent too little
			order(t, "b-2", simPhase2, 600_000_000), // more than there is
			order(t, "b-3", simRedline, 20_000_000),
		}
		got := w.client.PlaceMany(ctx, []execution.Placing{{Order: orders[0], Offer: lots[0]}, {Order: orders[1], Offer: lots[1]}, {Order: orders[2], Offer: phased[0]}, {Order: orders[3], Offer: lots[2]}}, nil)
		for i, want := range []string{"bought", "rejected skins_not_found_at_specified_price", "rejected insufficient_funds", "bought"} {
			if o := outcome(got[i].Err); o != want {
				t.Errorf("form %v, %s: got %s (%v), want %s", form, orders[i].ID, o, got[i].Err, want)
			}
			found, err := w.client.Lookup(ctx, orders[i])
			if want != "bought" && !errors.Is(err, execution.ErrNotFound) {
				t.Errorf("form %v, %s: looked up %+v, %v, want nothing", form, orders[i].ID, found, err)
			}
			if want == "bought" && (err != nil || found.MarketRef != got[i].Evidence.MarketRef || found.Paid != got[i].Evidence.Paid) {
				t.Errorf("form %v, %s: looked up %+v, %v, want %+v", form, orders[i].ID, found, err, got[i].Evidence)
			}
		}
		// The same batch again buys nothing more.
		again := w.client.PlaceMany(ctx, []execution.Placing{{Order: orders[0], Offer: lots[3]}}, nil)
		if outcome(again[0].Err) != "in doubt" || len(w.Purchases()) != 2 {
			t.Errorf("form %v, again: got %+v and %d purchases, want in doubt and 2", form, again, len(w.Purchases()))
		}
	}
}

// TestEveryFaultOfAWrite crosses what moves items with what can go wrong: nothing
// is sent twice, and what is called refused or unsent was not done.
func TestEveryFaultOfAWrite(t *testing.T) {
	type act struct {
		do   func(*world) error
		done func(*world) int // how often it has been done
	}
	acts := map[string]func(*testing.T, *world) act{
		"market_batch_buy": func(t *testing.T, w *world) act {
			lots := w.lots(t, item(t, simRedline), simRedline)
			return act{func(w *world) error {
				_, err := w.client.BuyMany(t.Context(), []BuyRequest{{ID: lots[0].ListingID, CustomID: "a", MaxPrice: lots[0].Ask}}, nil)
				return err
			}, func(w *world) int { return len(w.Purchases()) }}
		},
		"create_from_user_inventory": func(t *testing.T, w *world) act {
			r := saleOf("dep-1", w.sellable(t)[0])
			return act{func(w *world) error { _, err := w.client.Sell(t.Context(), r, nil); return err }, func(w *world) int { return len(w.Deposits()) }}
		},
		"create": func(t *testing.T, _ *world) act {
			return act{func(w *world) error {
				_, err := w.client.CreateDeposit(t.Context(), DepositRequest{OrderID: "dep-1", SteamID: simAccount})
				return err
			}, func(w *world) int { return len(w.Deposits()) }}
		},
		"offer_approve": func(t *testing.T, w *world) act {
			if _, err := w.client.Sell(t.Context(), saleOf("dep-1", w.sellable(t)[0]), nil); err != nil {
				t.Fatal(err)
			}
			w.pass(marketsim.DefaultTiming.Acceptance)
			return act{func(w *world) error { return w.client.ApproveDeposit(t.Context(), DepositRef{OrderID: "dep-1"}) }, func(w *world) int {
				if w.Deposits()[0].Credited > 0 {
					return 1
				}
				return 0
			}}
		},
	}
	for method, begin := range acts {
		for _, tc := range []struct {
			kind, arg string
			want      string
			done      int
		}{
			{marketsim.FaultRefuse, "", "in doubt", 0},
			{marketsim.FaultDropBefore, "", "in doubt", 0},
			{marketsim.FaultDropAfter, "", "in doubt", 1},
			{marketsim.FaultErrorAfter, "", "in doubt", 1},
			{marketsim.FaultHTMLAfter, "", "in doubt", 1},
			{marketsim.FaultTruncate, "", "in doubt", 1},
			{marketsim.FaultGarble, "", "in doubt", 1},
			{marketsim.FaultHang, "", "in doubt", 0},
			{marketsim.FaultRateLimit, "", "later", 0},
			{marketsim.FaultErrorCode, "-9 under_maintenance", "later", 0},
			{marketsim.FaultErrorCode, "-4 shop_not_active", "rejected shop_not_active", 0},
			{marketsim.FaultErrorCode, "42 something_new", "in doubt", 0},
		} {
			t.Run(method+" "+tc.kind+tc.arg, func(t *testing.T) {
				w := simulate(t, marketsim.Config{}, func(cfg *Config) { cfg.Timeout = time.Second })
				a := begin(t, w)
				w.Inject(marketsim.Fault{Market: marketsim.SkinsBack, Method: method, Kind: tc.kind, Arg: tc.arg, Times: 1})
				if err := a.do(w); outcome(err) != tc.want {
					t.Errorf("got %s (%v), want %s", outcome(err), err, tc.want)
				}
				if n := w.Requests(marketsim.SkinsBack)[method]; n != 1 || a.done(w) != tc.done {
					t.Errorf("sent %d times and done %d times, want once and %d", n, a.done(w), tc.done)
				}
				_ = a.do(w) // whatever is heard
				if a.done(w) != 1 {
					t.Errorf("again: done %d times, want once", a.done(w))
				}
			})
		}
	}
}

// TestEveryWriteTakesOnePermit, and without one nothing is sent.
func TestEveryWriteTakesOnePermit(t *testing.T) {
	no := errors.New("the budget is closed")
	for method, write := range writes {
		b, requests := &budget{}, 0
		c := serve(t, func(w http.ResponseWriter, _ *http.Request) { requests++; w.WriteHeader(http.StatusBadGateway) }, with(b))
		if err := write(t, c); outcome(err) != "in doubt" || requests != 1 || len(b.taken) != 1 {
			t.Errorf("%s: got %v after %d requests with %d permits, want in doubt after 1 with 1", method, err, requests, len(b.taken))
		}
		b.refuse = no
		if err := write(t, c); outcome(err) != "later" || !errors.Is(err, no) || requests != 1 {
			t.Errorf("%s without a permit: got %v after %d requests, want later", method, err, requests)
		}
	}
}

// TestWritesSayWhenTheyHaveLeft: Sell and BuyMany say so before the answer comes.
func TestWritesSayWhenTheyHaveLeft(t *testing.T) {
	for name, write := range map[string]func(*Client, func()) error{
		"sell":  func(c *Client, wrote func()) error { _, err := c.Sell(t.Context(), testSale, wrote); return err },
		"batch": func(c *Client, wrote func()) error { _, err := c.BuyMany(t.Context(), sampleBatch, wrote); return err },
		"place": func(c *Client, wrote func()) error {
			c.PlaceMany(t.Context(), []execution.Placing{{Order: order(t, "a", simRedline, 1), Offer: execution.Offer{ListingID: "1"}}}, wrote)
			return nil
		},
	} {
		said, n := make(chan struct{}), 0
		c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			<-said
			io.WriteString(w, `{"status":"success","data":{"transaction_id":1}}`)
		})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		done := make(chan error, 1)
		go func() { done <- write(c, func() { n++; close(said) }) }()
		select {
		case err := <-done:
			if err != nil || n != 1 {
				t.Errorf("%s: got %v, said %d times, want once", name, err, n)
			}
		case <-ctx.Done():
			t.Fatalf("%s: never said that it left", name)
		}
	}
}
