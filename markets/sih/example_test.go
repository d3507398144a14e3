package sih_test

import (
	"context"
	"fmt"
	"log"

	"skinarb/execution"
	"skinarb/internal/marketsim"
	"skinarb/markets/sih"
	"skinarb/pricing"
)

// A market on loopback, its catalog, and one purchase.
func Example() {
	const name = "AK-47 | Redline (Field-Tested)"
	world, err := marketsim.New(marketsim.Config{Catalog: map[string]int64{name: 19_000_000}})
	if err != nil {
		log.Fatal(err)
	}
	if err := world.SetAsk(marketsim.SIH, name, 12_345_000); err != nil {
		log.Fatal(err)
	}
	server, err := marketsim.Serve(world, "")
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	client, err := sih.New(sih.Config{
		URL:       server.SIHURL,
		APIKey:    marketsim.DemoAPIKey,
		Recipient: sih.Recipient{SteamID: "76561198000000000", Token: "SSH18JS"},
	})
	if err != nil {
		log.Fatal(err)
	}
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
