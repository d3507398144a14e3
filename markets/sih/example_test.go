package sih_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"skinarb/execution"
	"skinarb/internal/marketsim"
	"skinarb/markets/sih"
	"skinarb/pricing"
)

const (
	redline = "AK-47 | Redline (Field-Tested)"
	steamID = "76561198000000000"
)

// market is SIH Market on loopback, with one item at 12.345 dollars. With the
// real one, leave out Config.URL.
func market() (world *marketsim.World, client *sih.Client, end func()) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	world, err := marketsim.New(marketsim.Config{
		Catalog: map[string]int64{redline: 19_000_000},
		Now:     func() time.Time { return at },
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := errors.Join(world.SetAsk(marketsim.SIH, redline, 12_345_000), world.SetCount(marketsim.SIH, redline, 3)); err != nil {
		log.Fatal(err)
	}
	server, err := marketsim.Serve(world, "")
	if err != nil {
		log.Fatal(err)
	}
	client, err = sih.New(sih.Config{
		URL:       server.SIHURL,
		APIKey:    marketsim.DemoAPIKey,
		Recipient: sih.Recipient{SteamID: steamID, Token: "SSH18JS"},
	})
	if err != nil {
		log.Fatal(err)
	}
	return world, client, func() { server.Close() }
}

// A market on loopback, its catalog, and one purchase the way the trader makes
// it.
func Example() {
	world, client, end := market()
	defer end()
	ctx := context.Background()
	pull, err := client.Pull(ctx, pricing.CS2)
	if err != nil {
		log.Fatal(err)
	}
	listing := pull.Listings[0]
	fmt.Println(listing.Item, "asks", listing.Ask)

	order := execution.Order{ID: "sa-1", Request: execution.Request{
		Market: pricing.SIH, Item: listing.Item, MarketName: listing.MarketName, Ask: listing.Ask,
	}}
	offer, err := client.Check(ctx, order.Item, order.MarketName)
	if err != nil {
		log.Fatal(err)
	}
	evidence, err := client.Place(ctx, order, offer, func() {})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(evidence.Event, "for", evidence.Paid)

	// Placing it again, after a crash say, buys nothing more.
	if _, err := client.Place(ctx, order, offer, func() {}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(world.Purchases()), "purchase")
	// Output:
	// AK-47 | Redline (Field-Tested) asks 12.345
	// placed for 12.345
	// 1 purchase
}

func ExampleNew() {
	client, err := sih.New(sih.Config{
		APIKey:    "your-project-key",
		Recipient: sih.Recipient{SteamID: steamID, Token: "SSH18JS"}, // for buying
	})
	fmt.Println(client.Market(), err)

	// Every mistake is reported at once, without the key.
	_, err = sih.New(sih.Config{URL: "api.sih.market", APIKey: "two words"})
	fmt.Println(err)
	// Output:
	// sih <nil>
	// sih: the URL is not a plain http or https address
	// the APIKey is empty or has characters that no header can carry
}

func ExampleClient_GetItems() {
	_, client, end := market()
	defer end()
	pull, err := client.GetItems(context.Background(), pricing.CS2, sih.Flags{})
	if err != nil {
		log.Fatal(err)
	}
	for _, l := range pull.Listings {
		fmt.Println(l.Item, l.Ask, l.Count)
	}
	// Output: AK-47 | Redline (Field-Tested) 12.345 3
}

func ExampleClient_CreateOrder() {
	_, client, end := market()
	defer end()
	ctx := context.Background()
	order := sih.NewOrder{Game: pricing.CS2, Item: redline, Amount: 12_345_000 * pricing.Micro, CustomID: "order-1"}
	created, err := client.CreateOrder(ctx, order, nil)

	var rejected *execution.RejectedError
	var later *execution.RetryLaterError
	var duplicate *sih.DuplicateError
	switch {
	case err == nil:
		fmt.Println("order", created.ID, "leaves", created.Balance)
	case errors.As(err, &duplicate):
		fmt.Println("bought before:", duplicate.Order.Status)
	case errors.As(err, &rejected):
		fmt.Println("no money moved:", rejected.Reason)
	case errors.As(err, &later):
		fmt.Println("nothing happened, again in", later.After)
	default:
		fmt.Println("only GetOrder can tell:", err)
	}

	_, err = client.CreateOrder(ctx, order, nil)
	fmt.Println(errors.As(err, &duplicate), duplicate.Order.ID)
	// Output:
	// order 700001 leaves 9987.655
	// true 700001
}

func ExampleClient_WalletHistory() {
	_, client, end := market()
	defer end()
	ctx := context.Background()
	if _, err := client.CreateOrder(ctx, sih.NewOrder{Game: pricing.CS2, Item: redline, Amount: 13 * pricing.Dollar, CustomID: "order-1"}, nil); err != nil {
		log.Fatal(err)
	}
	moves, err := client.WalletHistory(ctx, sih.MainWallet, time.Time{}, sih.WalletPurchase, sih.WalletFairPrice)
	if err != nil {
		log.Fatal(err)
	}
	for _, m := range moves {
		fmt.Println(m.Created.Format(time.DateTime), m.Amount, "for order", m.OrderID)
	}
	// Output: 2026-01-02 03:04:05 -13.00 for order 700001
}

// An item from an inventory is put on sale, found among what is on sale, and
// taken off again.
func ExampleClient_Deposit() {
	world, client, end := market()
	defer end()
	asset, err := world.Give(steamID, redline) // what an inventory would tell
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	account, err := client.AddAccount(ctx, steamID, "SSH18JS")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("may trade:", account.Trade.OK)

	done, err := client.Deposit(ctx, sih.NewDeposit{SteamID: steamID, Game: pricing.CS2, Items: []sih.NewDepositItem{
		{AssetID: sih.AssetID(asset), Price: 12 * pricing.Dollar, CustomID: "sale-1"},
		{AssetID: "1", Price: 12 * pricing.Dollar, CustomID: "sale-2"},
	}})
	if err != nil {
		log.Fatal(err) // unless it is a refusal, look what Deposits has
	}
	fmt.Println(done.Items[0].Name, "as", done.Items[0].ID)
	fmt.Println(len(done.Left), "left:", done.Problems)

	onSale, err := client.Deposits(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(onSale[0].CustomID, "for", onSale[0].Price)

	deleted, err := client.DeleteDeposits(ctx, nil, []string{"sale-1"})
	fmt.Println(deleted, err)
	// Output:
	// may trade: true
	// AK-47 | Redline (Field-Tested) as 50231
	// 1 left: [item 1 is not in the inventory]
	// sale-1 for 12.00
	// [50231] <nil>
}

func ExampleClient_SetWebhook() {
	_, client, end := market()
	defer end()
	ctx := context.Background()
	if err := client.SetWebhook(ctx, "https://shop.example.com/hooks/an-unguessable-part"); err != nil {
		log.Fatal(err)
	}
	project, err := client.Project(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(project.Name, project.Balance, project.Webhook != "")
	// Output: skinarb-demo 10000.00 true
}

// Nothing that a webhook says is believed but where to look.
func ExampleWebhook() {
	for _, hint := range sih.Webhook([]byte(`{"order":{"id":700001,"customId":"order-1","status":"finished"}}`)) {
		fmt.Println("look up", hint.ID, hint.MarketRef)
	}
	// Output: look up order-1 700001
}
