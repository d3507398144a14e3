package main

import (
	"fmt"
	"os"
	"time"

	"skinarb/internal/marketsim"
	"skinarb/pricing"
)

// startDemo starts both simulated markets and points the settings at them. It
// returns what tells a person about it, and what cleans up.
func (c *config) startDemo(stop func(), screen *screen) (*show, func(), error) {
	world, err := marketsim.New(marketsim.Config{
		Seed: uint64(c.Seed),
		Tick: 2 * time.Second, MovePct: 2, Balance: int64(50_000 * pricing.Dollar),
		Timing: marketsim.Timing{TradeCreation: time.Second, Acceptance: 2 * time.Second, AcceptTimeout: 5 * time.Second, Protection: 8 * time.Second, Sale: 20 * time.Second},
		// More goes wrong than on a good day, because that is what is worth seeing.
		Outcomes: marketsim.Outcomes{Fail: 8, Penalize: 3, Timeout: 4, Rollback: 4, Reprocess: 8, SoldOut: 4},
	})
	if err != nil {
		return nil, nil, err
	}
	// Two purchases succeed and their answers are lost.
	world.Inject(marketsim.Fault{Market: "skinsback", Method: "market_buy", Kind: marketsim.FaultDropAfter, Times: 1})
	world.Inject(marketsim.Fault{Market: "sih", Method: "create-order", Kind: marketsim.FaultErrorAfter, Times: 1})
	sim, err := marketsim.Serve(world, "")
	if err != nil {
		return nil, nil, fmt.Errorf("start the simulated markets: %w", err)
	}
	dir, err := os.MkdirTemp("", "skinarb-demo-")
	if err != nil {
		return nil, nil, err
	}

	c.UseDemo(sim.SkinsBackURL, marketsim.DemoClientID, marketsim.DemoClientSecret, sim.SIHURL, marketsim.DemoAPIKey, dir)
	c.Override("MODE", live)        // against the simulated markets, where it costs nothing
	c.Override("JOURNAL", inSQLite) // as REDIS_URL is not used
	c.Override("TRADE_URL", "https://steamcommunity.com/tradeoffer/new/?partner=100000001&token=AbCdEf12")
	c.Override("TRACK_INTERVAL", "500ms")
	c.Override("SKINSBACK_PROTECTION", "9s")
	c.Override("SIH_PROTECTION", "12s")
	c.Override("LOOKUP_GRACE", "3s")
	c.Override("PLACE_TIMEOUT", "10s")
	c.Override("RECONCILE_INTERVAL", "2s")
	c.Override("SKINSBACK_WS_URL", sim.SocketURL)
	if c.BackToBack {
		c.Override("SIH_DEPOSIT_API_KEY", marketsim.DemoDepositKey)
	}
	if c.BackToBack { // purchases for buyers and for ourselves share the limits, and SIH's requests
		c.Override("TRACK_INTERVAL", "1s")
		c.Override("RECONCILE_INTERVAL", "10s")
		c.Suggest("MAX_OPEN_ORDERS", "20")
		c.Suggest("SIH_MAX_OPEN_ORDERS", "2")
		c.Suggest("MAX_LOCKED_USD", "5000")
		c.Suggest("MAX_ITEM_UNITS", "5")
		c.Suggest("MAX_LISTINGS", "30")
	}
	for name, value := range map[string]string{
		"MAX_ORDER_USD": "100", "MAX_DAY_USD": "50000", "MAX_LOCKED_USD": "1500", "MAX_OPEN_ORDERS": "6",
		"SKINSBACK_SELL_FEE_BPS": "1000", "SIH_SELL_FEE_BPS": "1000",
		"LOG_LEVEL": "off", // the screen tells it better
	} {
		c.Suggest(name, value)
	}
	s := &show{screen: screen, length: c.DemoFor, end: stop}
	if c.BackToBack {
		s.world = world
	}
	return s, func() { sim.Close(); os.RemoveAll(dir) }, nil
}
