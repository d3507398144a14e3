package skinsback_test

import (
	"context"
	"errors"
	"fmt"

	"skinarb/execution"
	"skinarb/internal/marketsim"
	"skinarb/markets/skinsback"
	"skinarb/pricing"
)

// Example buys the cheapest lot of a name, for no more than was seen.
func Example() {
	// A market to try it on. For the real one leave URL out.
	world, err := marketsim.New(marketsim.Config{Catalog: map[string]int64{"Kilowatt Case": 400_000}})
	if err != nil {
		panic(err)
	}
	if err := world.SetAsk(marketsim.SkinsBack, "Kilowatt Case", 285_000); err != nil {
		panic(err)
	}
	server, err := marketsim.Serve(world, "")
	if err != nil {
		panic(err)
	}
	defer server.Close()

	client, err := skinsback.New(skinsback.Config{
		URL:          server.SkinsBackURL,
		ClientID:     marketsim.DemoClientID,
		ClientSecret: marketsim.DemoClientSecret,
		Recipient:    skinsback.Recipient{Partner: "100000001", Token: "AbCdEf12"},
	})
	if err != nil {
		panic(err)
	}
	defer client.Close()

	ctx := context.Background()
	lots, err := client.Search(ctx, pricing.CS2, "Kilowatt Case")
	if err != nil {
		panic(err)
	}
	fmt.Println("asked", lots[0].Ask)

	bought, err := client.Buy(ctx, skinsback.BuyRequest{
		Name: "Kilowatt Case", Game: pricing.CS2, MaxPrice: lots[0].Ask, CustomID: "example-1",
	})
	var refused *execution.RejectedError
	switch {
	case errors.As(err, &refused):
		fmt.Println("nothing bought:", refused.Reason)
	case err != nil:
		fmt.Println("ask with GetInfoByCustomIDs:", err)
	default:
		fmt.Println("paid", bought.Debited, "and it is", bought.OfferStatus)
	}
	// Output:
	// asked 0.285
	// paid 0.285 and it is creating_trade
}
