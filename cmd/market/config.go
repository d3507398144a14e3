package main

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"skinarb/execution"
	"skinarb/internal/settings"
	"skinarb/markets/sih"
	"skinarb/markets/skinsback"
	"skinarb/pricing"
)

// config is the settings: those of the other programs that say how to reach the
// markets, under the same names.
type config struct {
	skinsback     settings.SkinsBack
	socketURL     string
	sih           settings.SIH
	tradeURL      string
	recipient     execution.Recipient
	webhookSecret string
	redisURL      string
}

const skinsBackSocket = "wss://skinsback.com/ws/"

// declare adds the settings to a set.
func (c *config) declare(s *settings.Set) {
	s.Group("SkinsBack")
	s.Text(&c.skinsback.URL, "SKINSBACK_URL", skinsback.DefaultURL, "Endpoint of the API.")
	s.Private(&c.skinsback.ClientID, "SKINSBACK_CLIENT_ID", "Client ID of the project.")
	s.Secret(&c.skinsback.ClientSecret, "SKINSBACK_CLIENT_SECRET", "Client Secret of the project.")
	s.Choice(&c.skinsback.Auth, "SKINSBACK_AUTH", "headers", []string{"headers", "signature"}, "How requests are authenticated.")
	s.Int(&c.skinsback.RatePerMinute, "SKINSBACK_RATE_PER_MINUTE", 450, 10, 500, "Requests a minute of the account. The market blocks above 500.")
	s.Blank(&c.socketURL, "SKINSBACK_WS_URL", skinsBackSocket, "SkinsBack's events, for events. With another SKINSBACK_URL it needs to be set, too.")

	s.Group("SIH Market")
	s.Text(&c.sih.URL, "SIH_URL", sih.DefaultURL, "Base URL of the API.")
	s.Secret(&c.sih.APIKey, "SIH_API_KEY", "Key of the project.")
	s.Int(&c.sih.RatePerMinute, "SIH_RATE_PER_MINUTE", 300, 10, 6000, "Requests a minute of the account.")
	s.Secret(&c.webhookSecret, "SIH_WEBHOOK_SECRET", "Unguessable last part of the path that SIH's events are sent to; for set-webhook.")

	s.Group("Both")
	s.Secret(&c.tradeURL, "TRADE_URL", "Steam trade URL of the account whose items are looked at or sold.")
	s.Private(&c.redisURL, "REDIS_URL", "Redis of the other programs: with it their requests and these count together. Without it these count alone, so leave the account some room.")
}

// settingFlags gives the flags that are settings.
func settingFlags() map[string]bool {
	flags := map[string]bool{"config": true}
	set := settings.New("market", "")
	new(config).declare(set)
	for name := range set.Shown() {
		flags[strings.ToLower(strings.ReplaceAll(name, "_", "-"))] = true
	}
	return flags
}

// load reads the settings; its error joins every mistake, also of what cmd
// needs. A nil cmd needs nothing.
func (c *config) load(args []string, lookup func(string) (string, bool), cmd *command) error {
	set := settings.New("market", "")
	c.declare(set)
	mistakes := []error{set.Load(args, lookup, io.Discard)}
	need := func(name, value, why string) {
		if value == "" {
			mistakes = append(mistakes, fmt.Errorf("%s: not set: %s", name, why))
		}
	}
	if c.tradeURL != "" {
		var err error
		if c.recipient, err = execution.ParseTradeURL(c.tradeURL); err != nil {
			mistakes = append(mistakes, fmt.Errorf("TRADE_URL: %w", err))
		}
	}
	if cmd == nil {
		return errors.Join(mistakes...)
	}
	const keys = "%s gives it to the owner of a project; to try all of this without one, run go run ./cmd/marketsim and use the settings that it prints"
	switch cmd.market {
	case pricing.SkinsBack:
		need("SKINSBACK_CLIENT_ID", c.skinsback.ClientID, fmt.Sprintf(keys, "SkinsBack"))
		need("SKINSBACK_CLIENT_SECRET", c.skinsback.ClientSecret, fmt.Sprintf(keys, "SkinsBack"))
		mistakes = append(mistakes, address("SKINSBACK_URL", c.skinsback.URL))
	case pricing.SIH:
		need("SIH_API_KEY", c.sih.APIKey, fmt.Sprintf(keys, "SIH"))
		mistakes = append(mistakes, address("SIH_URL", c.sih.URL))
	}
	if cmd.needsTradeURL {
		need("TRADE_URL", c.tradeURL, "it says whose items this is about, and Steam shows it to its owner")
	}
	if c.skinsback.URL != skinsback.DefaultURL && !set.Given("SKINSBACK_WS_URL") {
		c.socketURL = "" // what signs the socket's address must not go to another host than the rest
	}
	if cmd.needsSocket {
		need("SKINSBACK_WS_URL", c.socketURL, "it is where SkinsBack sends events, and goes with SKINSBACK_URL")
	}
	if cmd.needsWebhook && len(c.webhookSecret) < 16 {
		mistakes = append(mistakes, errors.New("SIH_WEBHOOK_SECRET: it needs 16 characters at least, the same as the trader has: SIH signs nothing, so only who knows them can be SIH"))
	}
	return errors.Join(mistakes...)
}

// address tells what is wrong with the address of an API. It quotes nothing,
// since there may be a password in it.
func address(name, raw string) error {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("%s: it is a plain http or https address, without a password", name)
	}
	return nil
}
