package main

import (
	"errors"
	"fmt"
	"time"

	"skinarb/execution"
	"skinarb/internal/settings"
)

// config is all that the trader can be told.
type config struct {
	settings.Prices

	Mode                string
	Journal             string
	TradeURL            string
	Limits              execution.Limits
	SkinsBackProtection time.Duration
	SIHProtection       time.Duration
	TrackEvery          time.Duration
	Grace, PlaceTimeout time.Duration // zero: the executor's own
	Recipient           execution.Recipient
}

const (
	paper = "paper"
	live  = "live"
)

// declare adds the trader's settings to a set.
func (c *config) declare(s *settings.Set) {
	c.Prices.Declare(s, "127.0.0.1:8081")

	s.Group("Trading")
	s.Choice(&c.Mode, "MODE", paper, []string{paper, live}, "paper: orders are decided, journaled and filled against later prices, nothing is sent. live: real purchases.")
	s.Private(&c.TradeURL, "TRADE_URL", "Steam trade URL that receives purchases. Required in live mode.")
	s.Choice(&c.Journal, "JOURNAL", "sqlite", []string{"sqlite", "redis"}, "Where purchases are remembered. sqlite is a file in DATA_DIR; redis is not supported by this version.")
	s.Dollars(&c.Limits.Order, "MAX_ORDER_USD", "", "Most that one purchase may cost, US dollars. Required in live mode.")
	s.Dollars(&c.Limits.Day, "MAX_DAY_USD", "", "Most that may be spent in any rolling 24 h, US dollars, unknown outcomes counted as spent. Required in live mode.")
	s.Int(&c.Limits.OpenOrders, "MAX_OPEN_ORDERS", 10, 0, 10_000, "Most purchases not yet delivered.")
	s.Dollars(&c.Limits.Locked, "MAX_LOCKED_USD", "", "Most money in purchases not yet settled, US dollars.")
	s.Int(&c.Limits.ItemUnits, "MAX_ITEM_UNITS", 1, 0, 10_000, "Most units of one item bought in 24 h.")
	s.Dollars(&c.Limits.MinBalance, "MIN_BALANCE_USD", "0", "Floor of each market's balance, US dollars.")
	s.Duration(&c.SkinsBackProtection, "SKINSBACK_PROTECTION", "198h", 0, 90*24*time.Hour, "Time after delivery at SkinsBack after which a purchase counts as settled: 8 days of trade protection and a margin.")
	s.Duration(&c.SIHProtection, "SIH_PROTECTION", "246h", 0, 90*24*time.Hour, "The same at SIH where the market does not tell: 10 days and a margin.")
	s.Duration(&c.TrackEvery, "TRACK_INTERVAL", "15s", 100*time.Millisecond, time.Hour, "Pause between two looks at purchases that are not delivered.")
}

// validate gives every mistake that only shows when settings are seen together.
func (c *config) validate() []error {
	mistakes := c.Prices.Validate()
	if c.Journal == "redis" {
		mistakes = append(mistakes, errors.New("JOURNAL: redis is not supported by this version; use sqlite"))
	}
	if c.TradeURL != "" {
		var err error
		if c.Recipient, err = execution.ParseTradeURL(c.TradeURL); err != nil {
			mistakes = append(mistakes, fmt.Errorf("TRADE_URL: %w", err))
		}
	}
	if c.Mode != live {
		return mistakes
	}
	need := func(ok bool, name, why string) {
		if !ok {
			mistakes = append(mistakes, fmt.Errorf("%s: required in live mode: %s", name, why))
		}
	}
	need(c.TradeURL != "", "TRADE_URL", "it says where purchases are delivered")
	need(c.Limits.Order > 0 || c.Given("MAX_ORDER_USD"), "MAX_ORDER_USD", "the most that one purchase may cost")
	need(c.Limits.Day > 0 || c.Given("MAX_DAY_USD"), "MAX_DAY_USD", "the most that may be spent in 24 h")
	need(c.Given("SKINSBACK_SELL_FEE_BPS"), "SKINSBACK_SELL_FEE_BPS", "the market does not publish its fee, so you must say it")
	need(c.Given("SIH_SELL_FEE_BPS"), "SIH_SELL_FEE_BPS", "the market does not publish its fee, so you must say it")
	need(c.SkinsBack.On(), "SKINSBACK_CLIENT_ID", "arbitrage needs both markets")
	need(c.SIH.On(), "SIH_API_KEY", "arbitrage needs both markets")
	return mistakes
}
