package settings

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"skinarb/internal/redisstore"
	"skinarb/pricing"
	"skinarb/strategy"
)

// Prices is what both programs can be told: where prices come from, how they
// are judged, and how they are served.
type Prices struct {
	SkinsBack SkinsBack
	SIH       SIH

	RedisURL      string
	DataDir       string
	Games         []pricing.Game
	FetchInterval time.Duration
	MaxQuoteAge   time.Duration

	ListenAddr string
	APIToken   string
	ReadTokens []string

	Rules strategy.Rules

	LogLevel  slog.Level
	LogFormat string

	Demo    bool
	DemoFor time.Duration
	Seed    int

	set *Set
}

// SkinsBack is the account there.
type SkinsBack struct {
	URL, ClientID, ClientSecret, Auth string
	List                              string // grouped or full
	RatePerMinute                     int
	Fees                              pricing.Fees
}

// On tells whether the market is configured.
func (m SkinsBack) On() bool { return m.ClientID != "" && m.ClientSecret != "" }

// SIH is the project there.
type SIH struct {
	URL, APIKey   string
	RatePerMinute int
	Fees          pricing.Fees
}

// On tells whether the market is configured.
func (m SIH) On() bool { return m.APIKey != "" }

// Declare adds the settings to a set; listen is the program's default address.
func (p *Prices) Declare(s *Set, listen string) {
	p.set = s
	p.Rules.LockDays = strategy.DefaultRules().LockDays

	s.Switch(&p.Demo, "DEMO", "Try everything with no accounts: both markets simulated on loopback, an embedded Redis, a fast clock.")
	s.Duration(&p.DemoFor, "DEMO_FOR", "0s", 0, 24*time.Hour, "With --demo: end after this time with a summary, 0s to go on.")
	s.Int(&p.Seed, "DEMO_SEED", 1, 0, 1<<31-1, "With --demo: number that decides the simulated world.")
	s.Choice(&p.LogFormat, "LOG_FORMAT", "auto", []string{"auto", "text", "json"}, "How log lines look; auto is text on a terminal and json elsewhere.")
	s.add("LOG_LEVEL", "info", "Least level that is logged: debug, info, warn or error; off for nothing.", func(v string) error {
		if v == "off" {
			p.LogLevel = slog.LevelError + 4
			return nil
		}
		// slog also knows error+4 and the like, which nobody needs.
		if strings.ContainsAny(v, "+-") || p.LogLevel.UnmarshalText([]byte(v)) != nil {
			return errors.New("it is one of debug, info, warn, error, off")
		}
		return nil
	})

	s.Group("SkinsBack")
	s.Text(&p.SkinsBack.URL, "SKINSBACK_URL", "https://skinsback.com/api.php", "Endpoint of the API.")
	s.Private(&p.SkinsBack.ClientID, "SKINSBACK_CLIENT_ID", "Client ID of the project. Without it this market is off.")
	s.Secret(&p.SkinsBack.ClientSecret, "SKINSBACK_CLIENT_SECRET", "Client Secret of the project.")
	s.Choice(&p.SkinsBack.Auth, "SKINSBACK_AUTH", "headers", []string{"headers", "signature"}, "How requests are authenticated.")
	s.Choice(&p.SkinsBack.List, "SKINSBACK_LIST", "grouped", []string{"grouped", "full"}, "Price list that is pulled: grouped has the lowest ask and the count of each name, as the market sums them up; full has every lot, so that counts are exact and the id of the cheapest lot is known, and is some 30 times longer.")
	s.Int(&p.SkinsBack.RatePerMinute, "SKINSBACK_RATE_PER_MINUTE", 450, 10, 500, "Requests a minute of the account, shared by all processes on one Redis. The market blocks above 500.")
	s.Int(&p.SkinsBack.Fees.SellBps, "SKINSBACK_SELL_FEE_BPS", 1000, 0, 9999, "Cost of selling there, basis points of the sale price. Required in live mode.")
	s.Int(&p.SkinsBack.Fees.BuyBps, "SKINSBACK_BUY_FEE_BPS", 0, 0, 10000, "Cost added on buying there, basis points of the ask.")

	s.Group("SIH Market")
	s.Text(&p.SIH.URL, "SIH_URL", "https://api.sih.market/api/v1", "Base URL of the API.")
	s.Secret(&p.SIH.APIKey, "SIH_API_KEY", "Key of the project. Without it this market is off.")
	s.Int(&p.SIH.RatePerMinute, "SIH_RATE_PER_MINUTE", 300, 10, 6000, "Requests a minute of the account, shared by all processes on one Redis.")
	s.Int(&p.SIH.Fees.SellBps, "SIH_SELL_FEE_BPS", 1000, 0, 9999, "Cost of selling there, basis points of the sale price. Required in live mode.")
	s.Int(&p.SIH.Fees.BuyBps, "SIH_BUY_FEE_BPS", 0, 0, 10000, "Cost added on buying there, basis points of the ask.")

	s.Group("Prices")
	s.add("REDIS_URL", "", "redis://, rediss://, redis+cluster:// or redis+sentinel:// address where programs meet. Without it this program carries an embedded Redis and is complete alone.", func(v string) error {
		if p.RedisURL = v; v == "" {
			return nil
		}
		return redisstore.CheckURL(v)
	}).hidden = true
	s.Text(&p.DataDir, "DATA_DIR", "./data", "Directory of the purchase journal and of kept prices.")
	s.List("GAMES", "cs2", "Comma list of cs2, rust, dota2, tf2. A market skips games that it does not know.", func(names []string) error {
		p.Games = nil
		for _, name := range names {
			g, err := pricing.ParseGame(name)
			if err != nil {
				return err
			}
			if !slices.Contains(p.Games, g) {
				p.Games = append(p.Games, g)
			}
		}
		if len(p.Games) == 0 {
			return errors.New("at least one game is needed")
		}
		return nil
	})
	s.Duration(&p.FetchInterval, "FETCH_INTERVAL", "60s", 100*time.Millisecond, time.Hour, "Pause between two pulls of one catalog.")
	s.Duration(&p.MaxQuoteAge, "MAX_QUOTE_AGE", "5m", time.Second, 24*time.Hour, "Older quotes are stale: still served, flagged, never traded on.")

	s.Group("What is worth buying")
	s.Dollars(&p.Rules.MinProfit, "MIN_PROFIT_USD", "0.50", "Least profit of a purchase after all fees, US dollars.")
	s.Int64(&p.Rules.MinEdgeBps, "MIN_EDGE_BPS", 500, 0, 1_000_000, "Least profit over cost, basis points.")
	s.Int64(&p.Rules.MaxRatio, "MAX_STEAM_RATIO", 3, 1, 1000, "A leg above this multiple of the item's reference price, or below its inverse, is not traded.")
	s.Int64(&p.Rules.MaxEdgeBps, "MAX_EDGE_BPS", 5000, 0, 1_000_000, "Too good to be true: most profit over cost, basis points, for an item without a reference price.")
	s.names(&p.Rules.Allow, "ALLOW", "File with one item name or glob a line: only these are bought.")
	s.names(&p.Rules.Deny, "DENY", "File with one item name or glob a line: these are never bought.")

	s.Group("HTTP API")
	s.Text(&p.ListenAddr, "LISTEN_ADDR", listen, "Address to serve the API and the dashboard on. Beyond loopback it needs API_TOKEN.")
	s.Secret(&p.APIToken, "API_TOKEN", "The operator's bearer token. Without it nothing can be changed through the API.")
	s.SecretList(&p.ReadTokens, "READ_TOKENS", "Comma list of tokens; when set, price endpoints need one of them.")
}

// TraderOnly names the settings that the trader has besides those of Prices.
var TraderOnly = []string{
	"ALERT_URLS", "BACK_TO_BACK", "DIFFERENCE_PATIENCE", "JOURNAL", "LOOKUP_GRACE", "MAX_DAY_USD",
	"MAX_IN_DOUBT", "MAX_ITEM_UNITS", "MAX_LISTINGS", "MAX_LOCKED_USD", "MAX_OPEN_ORDERS",
	"MAX_ORDER_USD", "MIN_BALANCE_USD", "MODE", "PLACE_TIMEOUT", "RECONCILE_INTERVAL", "REPRICE_EVERY",
	"SELL", "SIH_BOT_AVATAR", "SIH_BOT_NICKNAME", "SIH_DEPOSIT_API_KEY", "SIH_MAX_DAY_USD",
	"SIH_MAX_LOCKED_USD", "SIH_MAX_OPEN_ORDERS", "SIH_MIN_BALANCE_USD", "SIH_PROTECTION",
	"SIH_WEBHOOK_SECRET", "SKINSBACK_MAX_DAY_USD", "SKINSBACK_MAX_LOCKED_USD",
	"SKINSBACK_MAX_OPEN_ORDERS", "SKINSBACK_MIN_BALANCE_USD", "SKINSBACK_PROTECTION",
	"SKINSBACK_WS_URL", "TRACK_INTERVAL", "TRADE_URL",
}

// Int64 is Int for 64 bits.
func (s *Set) Int64(p *int64, name string, def, least, most int, help string) {
	var n int
	s.Int(&n, name, def, least, most, help)
	last := s.all[len(s.all)-1]
	parse := last.parse
	last.parse = func(v string) error {
		err := parse(v)
		*p = int64(n)
		return err
	}
}

// names declares a file of item names.
func (s *Set) names(p **strategy.Names, name, help string) {
	s.add(name, "", help, func(path string) error {
		if path == "" {
			return nil
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		*p, err = strategy.ParseNames(f)
		return err
	})
}

// Validate gives every mistake that only shows when settings are seen together,
// each beginning with the setting's name.
func (p *Prices) Validate() []error {
	var mistakes []error
	say := func(name, format string, args ...any) {
		mistakes = append(mistakes, fmt.Errorf(name+": "+format, args...))
	}
	if (p.SkinsBack.ClientID == "") != (p.SkinsBack.ClientSecret == "") {
		missing := "SKINSBACK_CLIENT_SECRET"
		if p.SkinsBack.ClientID == "" {
			missing = "SKINSBACK_CLIENT_ID"
		}
		say(missing, "is missing; SkinsBack needs both the ID and the secret")
	}
	for name, raw := range map[string]string{"SKINSBACK_URL": p.SkinsBack.URL, "SIH_URL": p.SIH.URL} {
		if u, err := url.Parse(raw); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			say(name, "it is an http or https address")
		} else if u.User != nil {
			say(name, "it must not contain a password")
		}
	}
	if file := notDirectory(p.DataDir); file != "" {
		say("DATA_DIR", "%s is not a directory", file)
	}
	host, port, err := net.SplitHostPort(p.ListenAddr)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	switch {
	case err != nil:
		say("LISTEN_ADDR", "got %q, but it is host:port with a port up to 65535, such as 127.0.0.1:8080", p.ListenAddr)
	case !loopback(host) && p.APIToken == "":
		say("LISTEN_ADDR", "%s can be reached from other machines, which needs API_TOKEN; set it, or listen on 127.0.0.1", p.ListenAddr)
	}
	if p.DemoFor > 0 && !p.Demo {
		say("DEMO_FOR", "only goes with --demo")
	}
	p.Rules.Fees = map[pricing.Market]pricing.Fees{pricing.SkinsBack: p.SkinsBack.Fees, pricing.SIH: p.SIH.Fees}
	p.Rules.MaxAge = p.MaxQuoteAge
	return mistakes
}

// notDirectory gives what on the way to a directory that may not exist yet is
// something else; "" if nothing is.
func notDirectory(path string) string {
	for {
		if info, err := os.Stat(path); err == nil {
			if info.IsDir() {
				return ""
			}
			return path
		}
		up := filepath.Dir(path)
		if up == path {
			return ""
		}
		path = up
	}
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

// Given tells whether the operator has set a setting.
func (p *Prices) Given(name string) bool { return p.set.Given(name) }

// Shown gives the settings in force without their secrets.
func (p *Prices) Shown() map[string]string { return p.set.Shown() }

// On tells whether a market is configured.
func (p *Prices) On(m pricing.Market) bool {
	if m == pricing.SkinsBack {
		return p.SkinsBack.On()
	}
	return p.SIH.On()
}

// UseDemo points the settings at simulated markets and away from everything
// that is real.
func (p *Prices) UseDemo(skinsbackURL, clientID, clientSecret, sihURL, apiKey, dir string) {
	for name, value := range map[string]string{
		"SKINSBACK_URL": skinsbackURL, "SKINSBACK_CLIENT_ID": clientID, "SKINSBACK_CLIENT_SECRET": clientSecret,
		"SIH_URL": sihURL, "SIH_API_KEY": apiKey, "REDIS_URL": "", "DATA_DIR": dir,
	} {
		p.Override(name, value)
	}
	p.Suggest("FETCH_INTERVAL", "2s")
}

// Override and Suggest are the set's.
func (p *Prices) Override(name, value string) { p.set.Override(name, value) }
func (p *Prices) Suggest(name, value string)  { p.set.Suggest(name, value) }
