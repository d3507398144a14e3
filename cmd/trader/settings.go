package main

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"skinarb/execution"
	"skinarb/internal/alert"
	"skinarb/internal/settings"
	"skinarb/pricing"
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
	ReconcileEvery      time.Duration
	Patience            time.Duration
	Grace, PlaceTimeout time.Duration
	MaxInDoubt          int
	Sell, BackToBack    bool
	MaxListings         int
	RepriceEvery        time.Duration
	Recipient           execution.Recipient

	SkinsBackWS      string
	SIHWebhookSecret string
	SIHDepositKey    string
	SIHBotName       string
	SIHBotAvatar     string
	AlertURLs        []string
	AlertTargets     []alert.Target
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
	s.Choice(&c.Journal, "JOURNAL", inSQLite, []string{inSQLite, inRedis}, "Where purchases are remembered. sqlite is a file in DATA_DIR, for one trader; redis is shared by several over REDIS_URL, of which one leads and the others stand by, and must persist every write.")
	s.Dollars(&c.Limits.Order, "MAX_ORDER_USD", "", "Most that one purchase may cost, US dollars. Required in live mode.")
	s.Dollars(&c.Limits.Day, "MAX_DAY_USD", "", "Most that may be spent in any rolling 24 h, US dollars, unknown outcomes counted as spent. Required in live mode.")
	s.Int(&c.Limits.OpenOrders, "MAX_OPEN_ORDERS", 10, 0, 10_000, "Most purchases not yet delivered.")
	s.Dollars(&c.Limits.Locked, "MAX_LOCKED_USD", "", "Most money in purchases not yet settled, US dollars.")
	s.Int(&c.Limits.ItemUnits, "MAX_ITEM_UNITS", 1, 0, 10_000, "Most units of one item bought in 24 h.")
	s.Dollars(&c.Limits.MinBalance, "MIN_BALANCE_USD", "0", "Floor of each market's balance, US dollars.")
	c.Limits.Markets = map[pricing.Market]execution.MarketLimits{}
	for _, m := range pricing.Markets {
		c.declareMarket(s, m)
	}
	s.Int(&c.MaxInDoubt, "MAX_IN_DOUBT", 10, 0, 10_000, "Purchases of unknown outcome on one market at which buying there is suspended; 0 for any number.")

	s.Group("Selling")
	s.OnOff(&c.Sell, "SELL", "on: what was bought is sold on the other market once it is settled, never for less than its cost, the fee and MIN_PROFIT_USD: for a price of ours on SIH, for what it pays on SkinsBack. Needs MODE=live and JOURNAL=sqlite. The first start sells what the journal has of settled purchases, too.")
	s.Duration(&c.RepriceEvery, "REPRICE_EVERY", "30m", time.Minute, 7*24*time.Hour, "Least time between two listings of one item: how often a price on SIH follows the market.")

	s.OnOff(&c.BackToBack, "BACK_TO_BACK", "on: what is worth buying on SkinsBack to sell on SIH is offered on SIH, and bought only when a buyer there has ordered it, for delivery to that buyer. It is then not bought for ourselves. Needs MODE=live, JOURNAL=sqlite, SIH_DEPOSIT_API_KEY, and an SIH project in polling mode with /partner/sih/create-purchase and /partner/sih/get-purchase of this program as its addresses; not with SELL=on.")
	s.Int(&c.MaxListings, "MAX_LISTINGS", 50, 1, 1000, "Most items that are offered back to back at the same time.")
	s.Secret(&c.SIHDepositKey, "SIH_DEPOSIT_API_KEY", "Key with which SIH signs its calls to /partner/sih/...; without it there are no such paths.")
	s.Text(&c.SIHBotName, "SIH_BOT_NICKNAME", "SkinsBack", "Nickname of the trading account that SIH shows to buyers.")
	s.Text(&c.SIHBotAvatar, "SIH_BOT_AVATAR", "https://avatars.akamai.steamstatic.com/fef49e7fa7e1997310d705b2a6158ff8dc1cdfeb_medium.jpg", "Picture of it: an https address.")

	s.Group("Following purchases")
	s.Duration(&c.SkinsBackProtection, "SKINSBACK_PROTECTION", "198h", 0, 90*24*time.Hour, "Time after delivery at SkinsBack after which a purchase counts as settled: 8 days of trade protection and a margin.")
	s.Duration(&c.SIHProtection, "SIH_PROTECTION", "246h", 0, 90*24*time.Hour, "The same at SIH where the market does not tell: 10 days and a margin.")
	s.Duration(&c.TrackEvery, "TRACK_INTERVAL", "15s", 100*time.Millisecond, time.Hour, "Pause between two looks at purchases that are not delivered.")
	s.Duration(&c.ReconcileEvery, "RECONCILE_INTERVAL", "5m", time.Second, time.Hour, "Pause between two comparisons of a market's history, account book and balance with the journal.")
	s.Duration(&c.Patience, "DIFFERENCE_PATIENCE", "15m", 0, 24*time.Hour, "How long money may be missing from an account before buying there is suspended: refunds may take a while.")
	s.Duration(&c.PlaceTimeout, "PLACE_TIMEOUT", "60s", time.Second, 10*time.Minute, "Longest wait for a market's answer to a purchase; after it the purchase is in doubt.")
	s.Duration(&c.Grace, "LOOKUP_GRACE", "30s", time.Second, time.Hour, "How long after that a market may still come to know a purchase. Only then is its word believed that there was none.")
	s.Blank(&c.SkinsBackWS, "SKINSBACK_WS_URL", skinsBackSocket, "SkinsBack's real-time events, which speed tracking up; empty turns them off, and so does another SKINSBACK_URL unless this is set, too.")
	s.Secret(&c.SIHWebhookSecret, "SIH_WEBHOOK_SECRET", "Unguessable last part of the path /webhooks/sih/... that SIH's events are sent to. Without it there is no such path.")
	s.SecretList(&c.AlertURLs, "ALERT_URLS", "Comma list of where alerts go: webhook addresses of Discord, Slack, Telegram (https://api.telegram.org/bot.../sendMessage?chat_id=...), or any https address that takes JSON.")
}

const (
	inSQLite = "sqlite"
	inRedis  = "redis"

	skinsBackAPI    = "https://skinsback.com/api.php"
	skinsBackSocket = "wss://skinsback.com/ws/"
)

// declareMarket adds the limits of one market, which hold besides those of all
// together.
func (c *config) declareMarket(s *settings.Set, m pricing.Market) {
	var own execution.MarketLimits
	keep := func() { c.Limits.Markets[m] = own }
	prefix := strings.ToUpper(string(m)) + "_"
	dollars := func(p *pricing.Money, name, help string) {
		s.Var(prefix+name, "", help+" on this market alone, US dollars.", func(v string) (err error) {
			*p = 0
			if v != "" {
				if *p, err = pricing.ParseMoney(v); err != nil || *p <= 0 {
					return errors.New("it is an amount of US dollars, such as 25.50")
				}
			}
			keep()
			return nil
		})
	}
	dollars(&own.Day, "MAX_DAY_USD", "Most that may be spent in any rolling 24 h")
	dollars(&own.Locked, "MAX_LOCKED_USD", "Most money in purchases not yet settled")
	dollars(&own.MinBalance, "MIN_BALANCE_USD", "Balance floor")
	s.Var(prefix+"MAX_OPEN_ORDERS", "0", "Most purchases not yet delivered on this market alone; 0 for no limit of its own.", func(v string) (err error) {
		if own.OpenOrders, err = strconv.Atoi(v); err != nil || own.OpenOrders < 0 {
			return errors.New("it is a whole number from 0")
		}
		keep()
		return nil
	})
}

// address tells whether a URL is one of these schemes', with a host and without a
// password, which would be shown.
func address(raw string, schemes ...string) bool {
	u, err := url.Parse(raw)
	return err == nil && u.Hostname() != "" && u.User == nil && slices.Contains(schemes, u.Scheme)
}

// validate gives every mistake that only shows when settings are seen together.
func (c *config) validate() []error {
	mistakes := c.Prices.Validate()
	if c.Journal == inRedis && c.RedisURL == "" {
		mistakes = append(mistakes, errors.New("JOURNAL: redis needs REDIS_URL; the embedded Redis keeps prices, never purchases"))
	}
	if c.Sell && c.Mode != live {
		mistakes = append(mistakes, errors.New("SELL: on needs MODE=live; on paper nothing is held that could be sold"))
	}
	if c.Sell && c.Journal != inSQLite {
		mistakes = append(mistakes, errors.New("SELL: on needs JOURNAL=sqlite; what is on sale is remembered in the same file as purchases, and not in Redis"))
	}
	if c.BackToBack {
		if c.Mode != live {
			mistakes = append(mistakes, errors.New("BACK_TO_BACK: on needs MODE=live; on paper no buyer is served"))
		}
		if c.SIHDepositKey == "" {
			mistakes = append(mistakes, errors.New("BACK_TO_BACK: on needs SIH_DEPOSIT_API_KEY, by which SIH's calls are known"))
		}
		if c.Sell {
			mistakes = append(mistakes, errors.New("BACK_TO_BACK: not with SELL=on: an SIH project sells either what its accounts hold or what is ordered through these endpoints"))
		}
	}
	if c.SIHDepositKey != "" && c.Journal != inSQLite {
		mistakes = append(mistakes, errors.New("SIH_DEPOSIT_API_KEY: needs JOURNAL=sqlite; buyers' orders are remembered in the same file as purchases, and not in Redis"))
	}
	var err error
	if c.AlertTargets, err = alert.Parse(c.AlertURLs); err != nil {
		mistakes = append(mistakes, fmt.Errorf("ALERT_URLS: %w", err))
	}
	if c.SkinsBack.URL != skinsBackAPI && !c.Given("SKINSBACK_WS_URL") {
		c.SkinsBackWS = "" // what signs the socket's address must not go to another host than the rest
	}
	if c.SkinsBackWS != "" && !address(c.SkinsBackWS, "ws", "wss") {
		mistakes = append(mistakes, errors.New("SKINSBACK_WS_URL: it is a ws or wss address without a password, or empty"))
	}
	if c.SIHDepositKey != "" { // SIH shows both to buyers
		if strings.TrimSpace(c.SIHBotName) == "" {
			mistakes = append(mistakes, errors.New("SIH_BOT_NICKNAME: it must not be empty"))
		}
		if !address(c.SIHBotAvatar, "https") {
			mistakes = append(mistakes, errors.New("SIH_BOT_AVATAR: it is an https address without a password"))
		}
	}
	if n := len(c.SIHWebhookSecret); n > 0 && n < 16 {
		mistakes = append(mistakes, errors.New("SIH_WEBHOOK_SECRET: it needs 16 characters at least: whoever guesses it can make us ask SIH questions"))
	}
	if c.TradeURL != "" {
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
	neither := c.SkinsBack.ClientID == "" && c.SkinsBack.ClientSecret == "" // if one is missing, that was said
	need(!neither, "SKINSBACK_CLIENT_ID", "arbitrage needs both markets")
	need(!neither, "SKINSBACK_CLIENT_SECRET", "it goes with the ID")
	need(c.SIH.On(), "SIH_API_KEY", "arbitrage needs both markets")
	return mistakes
}
