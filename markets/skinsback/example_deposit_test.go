package skinsback_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"skinarb/execution"
	"skinarb/internal/marketsim"
	"skinarb/markets/skinsback"
	"skinarb/pricing"
)

// clock is the time of a simulated market, moved by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) time() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

const (
	redline = "AK-47 | Redline (Field-Tested)"
	steamID = "76561198060265729" // of the recipient below
	token   = "AbCdEf12"
)

// market makes a simulated market with five lots of the Redline at 12.45 USD, and a
// client of it.
func market() (client *skinsback.Client, passes func(time.Duration), end func()) {
	c := &clock{now: time.Unix(1_770_000_000, 0)}
	world, err := marketsim.New(marketsim.Config{Catalog: map[string]int64{redline: 20_000_000}, Now: c.time})
	if err != nil {
		panic(err)
	}
	if err := errors.Join(world.SetAsk(marketsim.SkinsBack, redline, 12_450_000), world.SetCount(marketsim.SkinsBack, redline, 5)); err != nil {
		panic(err)
	}
	server, err := marketsim.Serve(world, "")
	if err != nil {
		panic(err)
	}
	client, err = skinsback.New(skinsback.Config{
		URL:          server.SkinsBackURL,
		ClientID:     marketsim.DemoClientID,
		ClientSecret: marketsim.DemoClientSecret,
		Recipient:    skinsback.Recipient{Partner: "100000001", Token: token},
	})
	if err != nil {
		panic(err)
	}
	return client, c.pass, func() {
		client.Close()
		server.Close()
	}
}

// ExampleClient_Pricelist prints what is on offer.
func ExampleClient_Pricelist() {
	client, _, end := market()
	defer end()
	_, err := client.Pricelist(context.Background(), pricing.CS2, func(g skinsback.Group) error {
		fmt.Println(g.Count, g.Name, "from", g.Ask)
		return nil
	})
	if err != nil {
		panic(err)
	}
	// Output:
	// 5 AK-47 | Redline (Field-Tested) from 12.45
}

// ExampleClient_GetInfoByCustomIDs follows a purchase by the ID that we gave it.
func ExampleClient_GetInfoByCustomIDs() {
	client, passes, end := market()
	defer end()
	ctx := context.Background()
	// Whatever Buy says, asking by the same ID tells what happened.
	_, _ = client.Buy(ctx, skinsback.BuyRequest{Name: redline, Game: pricing.CS2, MaxPrice: 12_450_000, CustomID: "order-1"})
	for range 3 {
		found, err := client.GetInfoByCustomIDs(ctx, []string{"order-1"})
		if err != nil {
			panic(err)
		}
		fmt.Println(found[0].CustomID, "is", found[0].OfferStatus)
		passes(time.Minute)
	}
	// Output:
	// order-1 is creating_trade
	// order-1 is waiting_accept
	// order-1 is accepted
}

// ExampleClient_BuyMany buys two lots in one request, of which one costs more than
// its limit.
func ExampleClient_BuyMany() {
	client, _, end := market()
	defer end()
	ctx := context.Background()
	lots, err := client.SearchNames(ctx, pricing.CS2, []string{redline})
	if err != nil {
		panic(err)
	}
	results, err := client.BuyMany(ctx, []skinsback.BuyRequest{
		{ID: lots[0].ID, MaxPrice: lots[0].Ask, CustomID: "batch-1"},
		{ID: lots[1].ID, MaxPrice: lots[1].Ask - pricing.Cent, CustomID: "batch-2"},
	}, nil)
	if err != nil {
		panic(err) // refused, not sent, or all of it in doubt: see Buy
	}
	for _, r := range results {
		var refused *execution.RejectedError
		switch {
		case r.Err == nil:
			fmt.Println("bought", r.Purchase.CustomID, "for", r.Purchase.Debited)
		case errors.As(r.Err, &refused):
			fmt.Println("refused:", refused.Reason)
		default:
			fmt.Println("ask with GetInfoByCustomIDs:", r.Err)
		}
	}
	// Output:
	// bought batch-1 for 12.45
	// refused: skins_not_found_at_specified_price
}

// ExampleClient_Sell buys something, and sells it when Steam lets it go.
func ExampleClient_Sell() {
	client, passes, end := market()
	defer end()
	ctx := context.Background()
	if _, err := client.Buy(ctx, skinsback.BuyRequest{Name: redline, Game: pricing.CS2, MaxPrice: 12_450_000, CustomID: "order-1"}); err != nil {
		panic(err)
	}
	passes(9 * 24 * time.Hour)

	inventory, err := client.GetInventory(ctx, skinsback.InventoryRequest{Game: pricing.CS2, SteamID: steamID, TradeToken: token})
	if err != nil {
		panic(err)
	}
	var redlines []string
	for _, item := range inventory.Items {
		if item.Name == redline && item.Sellable() {
			redlines = append(redlines, item.AssetID)
		}
	}
	sale, err := client.Sell(ctx, skinsback.SellRequest{
		OrderID: "sale-1", Game: pricing.CS2, SteamID: steamID, TradeToken: token, AssetIDs: redlines[:1],
	}, nil)
	if err != nil {
		panic(err) // refused, not sent, or in doubt until GetDeposit tells
	}
	fmt.Println("accept the offer of", sale.BotName, "for", sale.USD)

	for _, wait := range []time.Duration{0, time.Minute, 8 * 24 * time.Hour} {
		passes(wait)
		deposit, err := client.GetDeposit(ctx, skinsback.DepositRef{OrderID: "sale-1"})
		if err != nil {
			panic(err)
		}
		fmt.Println(deposit.OrderID, "is", deposit.Status)
	}
	// Output:
	// accept the offer of Bot 12 for 10.58
	// sale-1 is pending
	// sale-1 is in_hold
	// sale-1 is success
}

// ExampleClient_Webhook takes events about purchases, and takes them for no more
// than a hint.
func ExampleClient_Webhook() {
	client, _, end := market()
	defer end()
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			return
		}
		event, err := client.Webhook(r.Header.Get("Signature"), r.Header.Get("Authorization"), body)
		if err != nil {
			fmt.Println("not from SkinsBack")
			w.WriteHeader(http.StatusForbidden)
			return
		}
		fmt.Println("look up", event.CustomID)
	}))
	defer hook.Close()

	const event = `{"event":"status_change","data":{"buy_id":"65","offer_status":"accepted","custom_id":"order-1"}}`
	mac := hmac.New(sha256.New, []byte(marketsim.DemoClientSecret))
	mac.Write([]byte(event))
	for _, signature := range []string{hex.EncodeToString(mac.Sum(nil)), "a guess"} {
		r, err := http.NewRequest(http.MethodPost, hook.URL, strings.NewReader(event))
		if err != nil {
			panic(err)
		}
		r.Header.Set("Signature", signature)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			panic(err)
		}
		answer.Body.Close()
	}
	http.DefaultClient.CloseIdleConnections()
	// Output:
	// look up order-1
	// not from SkinsBack
}

// ExampleClient_DepositCallback reads what SkinsBack posts to the result URL.
func ExampleClient_DepositCallback() {
	client, err := skinsback.New(skinsback.Config{ClientID: "id", ClientSecret: "test-secret"})
	if err != nil {
		panic(err)
	}
	defer client.Close()
	for _, body := range []string{
		"order_id=dep-77&status=success&sign=e5ac6a965e6b2a6c4e59211e4b3570edf6798d36",
		"order_id=dep-78&status=success&sign=e5ac6a965e6b2a6c4e59211e4b3570edf6798d36",
	} {
		callback, err := client.DepositCallback([]byte(body))
		if err != nil {
			fmt.Println("not from SkinsBack")
			continue
		}
		fmt.Println("ask with GetDeposit for", callback.OrderID)
	}
	// Output:
	// ask with GetDeposit for dep-77
	// not from SkinsBack
}
