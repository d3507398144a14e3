package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"skinarb/internal/marketsim"
	"skinarb/markets/sih"
	"skinarb/markets/skinsback"
	"skinarb/pricing"
)

var update = flag.Bool("update", false, "write the golden files and the table in the documentation anew")

const (
	redline = "AK-47 | Redline (Field-Tested)"
	ruby    = "★ Karambit | Doppler (Factory New) - Ruby"

	account = "76561198060265729" // of the trade URL
)

// secrets are what no output may have in it.
var secrets = map[string]string{
	"client ID": "client-id-7f3a", "client secret": "client-secret-9d1c", "API key": "api-key-52be",
	"trade token": "Tok3nXYZ", "webhook secret": "webhook-secret-0a1b2c",
}

var startOfTests = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

// world is both markets, and a person's environment.
type world struct {
	*marketsim.World
	passed atomic.Int64 // since startOfTests, as a time.Duration
	env    map[string]string
}

func (w *world) time() time.Time { return startOfTests.Add(time.Duration(w.passed.Load())) }

func (w *world) pass(d time.Duration) { w.passed.Add(int64(d)) }

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{}
	var err error
	w.World, err = marketsim.New(marketsim.Config{
		Seed: 1, Now: w.time, Items: 200,
		Catalog:  map[string]int64{redline: 20_000_000, ruby: 900_000_000},
		ClientID: secrets["client ID"], ClientSecret: secrets["client secret"], APIKey: secrets["API key"],
	})
	if err != nil {
		t.Fatal(err)
	}
	s, err := marketsim.Serve(w.World, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, c := range []struct { // in this order, which decides the lots' numbers
		name string
		ask  int64
	}{{redline, 12_450_000}, {ruby, 600_000_000}} {
		for _, m := range []string{marketsim.SkinsBack, marketsim.SIH} {
			if err := errors.Join(w.SetAsk(m, c.name, c.ask), w.SetCount(m, c.name, 5)); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.env = map[string]string{
		"SKINSBACK_URL": s.SkinsBackURL, "SKINSBACK_CLIENT_ID": secrets["client ID"], "SKINSBACK_CLIENT_SECRET": secrets["client secret"],
		"SKINSBACK_WS_URL": s.SocketURL,
		"SIH_URL":          s.SIHURL, "SIH_API_KEY": secrets["API key"], "SIH_WEBHOOK_SECRET": secrets["webhook secret"],
		"TRADE_URL": "https://steamcommunity.com/tradeoffer/new/?partner=100000001&token=" + secrets["trade token"],
	}
	return w
}

// buy puts a purchase into both markets' histories, as the trader would.
func (w *world) buy(t *testing.T, id string) {
	t.Helper()
	sb, err := skinsback.New(skinsback.Config{
		URL: w.env["SKINSBACK_URL"], ClientID: secrets["client ID"], ClientSecret: secrets["client secret"],
		Recipient: skinsback.Recipient{Partner: "100000001", Token: secrets["trade token"]},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer sb.Close()
	if _, err := sb.Buy(t.Context(), skinsback.BuyRequest{Name: redline, Game: pricing.CS2, MaxPrice: 13 * pricing.Dollar, CustomID: id}); err != nil {
		t.Fatal(err)
	}
	s, err := sih.New(sih.Config{URL: w.env["SIH_URL"], APIKey: secrets["API key"], Recipient: sih.Recipient{SteamID: account, Token: secrets["trade token"]}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.CreateOrder(t.Context(), sih.NewOrder{Game: pricing.CS2, Item: redline, Amount: 13 * pricing.Dollar, CustomID: id}, nil); err != nil {
		t.Fatal(err)
	}
}

// said is what the program did.
type said struct {
	status   int
	out, err string
}

// do runs the program with an environment that others may have changed, at a
// terminal where somebody types.
func (w *world) do(t *testing.T, ctx context.Context, typed string, args ...string) said {
	t.Helper()
	var out, errs bytes.Buffer
	status := run(ctx, args, w.outside(typed), &out, &errs)
	got := said{status, out.String(), errs.String()}
	for name, secret := range secrets {
		if strings.Contains(got.out+got.err, secret) {
			t.Errorf("%v: the %s is in the output:\n%s%s", args, name, got.out, got.err)
		}
	}
	return got
}

func (w *world) outside(typed string) outside {
	env := maps.Clone(w.env)
	return outside{
		lookup: func(name string) (string, bool) { v, ok := env[name]; return v, ok },
		stdin:  strings.NewReader(typed), typed: typed != "",
		zone: time.FixedZone("", 2*60*60), now: w.time,
	}
}

// run is do where nobody types.
func (w *world) run(t *testing.T, args ...string) said {
	t.Helper()
	return w.do(t, t.Context(), "", args...)
}

// golden compares text with a file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs from its golden file (-want +got):\n%s", name, diff)
	}
}
