package main

import (
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"skinarb/internal/settings"
)

// TestTraderOnly: the aggregator takes a settings file that is the trader's, too, so
// it must be told of every name.
func TestTraderOnly(t *testing.T) {
	var c config
	set := settings.New("trader", "")
	c.declare(set)
	ours := set.Shown()
	var p settings.Prices
	both := settings.New("aggregator", "")
	p.Declare(both, "127.0.0.1:0")
	for name := range both.Shown() {
		delete(ours, name)
	}
	want := slices.Sorted(maps.Keys(ours))
	if got := slices.Sorted(slices.Values(settings.TraderOnly)); !slices.Equal(got, want) {
		t.Errorf("settings.TraderOnly: got %q, want %q", got, want)
	}
}

// mistakesOf gives what the trader has to say to settings, without starting.
func mistakesOf(pairs ...string) string {
	env := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		env[pairs[i]] = pairs[i+1]
	}
	var c config
	set := settings.New("trader", "")
	c.declare(set)
	err := set.Load(nil, func(name string) (string, bool) { v, ok := env[name]; return v, ok }, io.Discard)
	if err = errors.Join(append([]error{err}, c.validate()...)...); err != nil {
		return err.Error()
	}
	return ""
}

func TestMistakesName(t *testing.T) {
	t.Parallel()
	accounts := []string{"SKINSBACK_CLIENT_ID", "1", "SKINSBACK_CLIENT_SECRET", "hush", "SIH_API_KEY", "hush"}
	deposit := []string{"SIH_DEPOSIT_API_KEY", "hush"}
	for name, tc := range map[string]struct {
		env  []string
		want []string // settings that are named; none for no mistake
	}{
		"live without SkinsBack":      {[]string{"MODE", "live"}, []string{"SKINSBACK_CLIENT_ID", "SKINSBACK_CLIENT_SECRET", "SIH_API_KEY"}},
		"live without its secret":     {[]string{"MODE", "live", "SKINSBACK_CLIENT_ID", "1"}, []string{"SKINSBACK_CLIENT_SECRET"}},
		"socket over http":            {[]string{"SKINSBACK_WS_URL", "http://x/ws"}, []string{"SKINSBACK_WS_URL"}},
		"socket with a password":      {[]string{"SKINSBACK_WS_URL", "wss://u:hush@x/ws"}, []string{"SKINSBACK_WS_URL"}},
		"socket that is none":         {[]string{"SKINSBACK_WS_URL", "nonsense"}, []string{"SKINSBACK_WS_URL"}},
		"socket on loopback":          {[]string{"SKINSBACK_WS_URL", "ws://127.0.0.1:1/ws"}, nil},
		"no socket":                   {[]string{"SKINSBACK_WS_URL", ""}, nil},
		"avatar without a key":        {[]string{"SIH_BOT_AVATAR", "not-a-url"}, nil},
		"avatar that is no address":   {append(deposit, "SIH_BOT_AVATAR", "not-a-url"), []string{"SIH_BOT_AVATAR"}},
		"avatar over http":            {append(deposit, "SIH_BOT_AVATAR", "http://x"), []string{"SIH_BOT_AVATAR"}},
		"avatar and nickname":         {append(deposit, "SIH_BOT_AVATAR", "https://", "SIH_BOT_NICKNAME", "  "), []string{"SIH_BOT_AVATAR", "SIH_BOT_NICKNAME"}},
		"deposit key alone":           {deposit, nil},
		"accounts":                    {accounts, nil},
		"Redis with another mistake":  {[]string{"REDIS_URL", "foo:hush", "GAMES", "zz", "JOURNAL", "redis"}, []string{"REDIS_URL", "GAMES"}},
		"line break in a key":         {[]string{"SIH_API_KEY", "hush\nhush", "SKINSBACK_CLIENT_ID", "1\x00", "SKINSBACK_CLIENT_SECRET", "hush\r\n"}, []string{"SIH_API_KEY", "SKINSBACK_CLIENT_ID", "SKINSBACK_CLIENT_SECRET"}},
		"line break in a token":       {[]string{"API_TOKEN", "hush\x7f", "READ_TOKENS", "a,hush\nhush"}, []string{"API_TOKEN", "READ_TOKENS"}},
		"line break in other secrets": {append(accounts, "SIH_DEPOSIT_API_KEY", "hush\t", "SIH_WEBHOOK_SECRET", "hush-hush-hush-hush\n"), []string{"SIH_DEPOSIT_API_KEY", "SIH_WEBHOOK_SECRET"}},
		"lists of nothing":            {[]string{"READ_TOKENS", ",,", "ALERT_URLS", " , "}, []string{"READ_TOKENS", "ALERT_URLS"}},
	} {
		said := mistakesOf(tc.env...)
		for _, setting := range tc.want {
			if strings.Count("\n"+said, "\n"+setting+":") != 1 {
				t.Errorf("%s: got %q, want %s named once", name, said, setting)
			}
		}
		if len(tc.want) == 0 && said != "" {
			t.Errorf("%s: got %q, want no mistake", name, said)
		}
		if strings.Contains(said, "hush") {
			t.Errorf("%s: a secret is shown: %q", name, said)
		}
	}
}

// TestDemoOverridesTheOperatorsRedis: the demo needs nothing that is installed, and
// what it shows of its settings is what an operator could say.
func TestDemoOverridesTheOperatorsRedis(t *testing.T) {
	t.Parallel()
	env := map[string]string{"REDIS_URL": "redis://127.0.0.1:1", "JOURNAL": "redis"}
	var c config
	set := settings.New("trader", "")
	c.declare(set)
	if err := set.Load([]string{"--demo"}, func(name string) (string, bool) { v, ok := env[name]; return v, ok }, io.Discard); err != nil {
		t.Fatal(err)
	}
	_, clean, err := c.startDemo(func() {}, newScreen(io.Discard))
	if err != nil {
		t.Fatal(err)
	}
	defer clean()
	if mistakes := c.validate(); len(mistakes) > 0 {
		t.Errorf("got %v, want no mistakes", mistakes)
	}
	var again config
	other := settings.New("trader", "")
	again.declare(other)
	level := set.Shown()["LOG_LEVEL"]
	if err := other.Load([]string{"--log-level", level}, func(string) (string, bool) { return "", false }, io.Discard); err != nil || again.LogLevel != c.LogLevel {
		t.Errorf("shown LOG_LEVEL %q: got %v, %v, want that it can be said, too", level, err, again.LogLevel)
	}
}
