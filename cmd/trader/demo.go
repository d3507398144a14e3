package main

import (
	"fmt"
	"log/slog"
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
		Tick: 2 * time.Second, MovePct: 2, Balance: int64(5_000 * pricing.Dollar),
		Timing: marketsim.Timing{TradeCreation: time.Second, Acceptance: 2 * time.Second, AcceptTimeout: 5 * time.Second, Protection: 8 * time.Second},
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
	c.Mode = live // against the simulated markets, where it costs nothing
	c.TradeURL = "https://steamcommunity.com/tradeoffer/new/?partner=100000001&token=AbCdEf12"
	c.TrackEvery = 500 * time.Millisecond
	c.Grace, c.PlaceTimeout = 3*time.Second, 10*time.Second
	c.SkinsBackProtection, c.SIHProtection = 9*time.Second, 12*time.Second
	for name, set := range map[string]func(){
		"MAX_ORDER_USD":   func() { c.Limits.Order = 100 * pricing.Dollar },
		"MAX_DAY_USD":     func() { c.Limits.Day = 2_000 * pricing.Dollar },
		"MAX_LOCKED_USD":  func() { c.Limits.Locked = 1_500 * pricing.Dollar },
		"MAX_OPEN_ORDERS": func() { c.Limits.OpenOrders = 6 },
		"LOG_LEVEL":       func() { c.LogLevel = slog.LevelError + 1 }, // the screen tells it better
	} {
		if !c.Given(name) {
			set()
		}
	}
	return &show{screen: screen, length: c.DemoFor, end: stop}, func() { sim.Close(); os.RemoveAll(dir) }, nil
}
