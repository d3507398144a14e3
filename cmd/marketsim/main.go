// Command marketsim runs both simulated markets on one loopback address, for
// trying and developing the rest of the project without accounts. It prints the
// settings that point the other programs at it, then a line per purchase.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"skinarb/internal/marketsim"
	"skinarb/internal/settings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.LookupEnv, os.Stdout, os.Stderr))
}

const about = `marketsim serves SkinsBack and SIH Market, simulated, over HTTP. It prints the
settings that point the other programs at it.`

// run is the program; it returns the exit status: 0 after ctx ends, 2 for wrong
// settings, 1 for anything else.
func run(ctx context.Context, args []string, lookup func(string) (string, bool), stdout, stderr io.Writer) int {
	var listen string
	cfg := marketsim.Config{}
	set := settings.New("marketsim", about)
	declare(set, &cfg, &listen)
	switch err := set.Load(args, lookup, stdout); {
	case errors.Is(err, settings.ErrDone):
		return 0
	case err != nil:
		fmt.Fprintf(stderr, "marketsim: mistakes in the settings (see --help):\n%v\n", err)
		return 2
	}
	if err := serve(ctx, cfg, listen, stdout, stderr); err != nil {
		// The package's errors begin with its name, which is the program's, too.
		fmt.Fprintln(stderr, "marketsim:", strings.TrimPrefix(err.Error(), "marketsim: "))
		return 1
	}
	return 0
}

// declare says what the program can be told. In the environment the names begin
// with MARKETSIM_.
func declare(s *settings.Set, cfg *marketsim.Config, listen *string) {
	s.Prefix("MARKETSIM_")
	s.Var("LISTEN", "127.0.0.1:8090", "Address to serve both markets and the control API on. Port 0 takes a free one. Nobody is asked for a password on /sim, so stay on loopback.", func(v string) error {
		*listen = v
		_, _, err := net.SplitHostPort(v)
		return err
	})
	s.Var("SEED", "1", "Number that decides all prices, stock and outcomes: the same seed gives the same world.", func(v string) (err error) {
		cfg.Seed, err = strconv.ParseUint(v, 10, 64)
		return err
	})
	s.Var("SPEED", "1", "How many times faster than in reality orders proceed. 1000 brings the 8 days of trade protection down to 12 minutes.", func(v string) (err error) {
		if cfg.Speed, err = strconv.ParseFloat(v, 64); err == nil && !(cfg.Speed > 0) {
			err = errors.New("it is a number above 0")
		}
		return err
	})
	s.Int(&cfg.Items, "ITEMS", 0, 0, 1_000_000, "How many CS2 names to generate; 0 for all, more than 20,000.")
	s.Var("CATALOG", "", "File of names and reference prices in dollars to use instead of generated ones: a JSON object, or lines of name, tab, price.", func(path string) (err error) {
		if path != "" {
			cfg.Catalog, err = readCatalog(path)
		}
		return err
	})
	s.Var("BALANCE", "10000", "Money on each market at the start, in dollars.", func(v string) (err error) {
		if cfg.Balance, err = marketsim.ParseUSD(v); err == nil && cfg.Balance <= 0 {
			err = errors.New("it is more than 0 dollars")
		}
		return err
	})
	s.Duration(&cfg.Tick, "TICK", "10s", time.Millisecond, time.Hour, "How often prices and stock move, such as 500ms or 1m. Not affected by --speed.")
	s.Int(&cfg.MovePct, "MOVE", 2, 1, 100, "Share of the items that move each tick, in percent.")
	s.Var("MISHAPS", "true", "Whether a few percent of purchases fail, time out, are reversed or are sold out: true or false.", func(v string) error {
		on, err := strconv.ParseBool(v)
		if on {
			cfg.Outcomes = marketsim.DefaultOutcomes
		}
		return err
	})
	s.Switch(&cfg.NumberStrings, "STRINGS", "Make SkinsBack write numbers as strings.")
	s.Var("PARTNER", "", "Where a program delivers what it sells on SIH, such as http://127.0.0.1:8081/partner/sih: SIH sends BASE/create-purchase and polls BASE/get-purchase. Empty: SIH does the trades itself.", func(base string) error {
		if base == "" {
			return nil
		}
		u, err := url.Parse(base)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return errors.New("it is an http or https URL")
		}
		cfg.Partner.PurchaseURL = u.JoinPath("create-purchase").String()
		cfg.Partner.CheckURL = u.JoinPath("get-purchase").String()
		return nil
	})
	s.Var("HOSTILE", "false", "Whether that program also meets with forged signatures, lost replies, repeated orders and more: true or false.", func(v string) error {
		on, err := strconv.ParseBool(v)
		if on {
			cfg.Partner.Hostility = marketsim.DefaultHostility
		}
		return err
	})
}

func readCatalog(path string) (map[string]int64, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return marketsim.ReadCatalog(file)
}

// serve runs the markets until ctx ends.
func serve(ctx context.Context, cfg marketsim.Config, addr string, stdout, stderr io.Writer) error {
	world, err := marketsim.New(cfg)
	if err != nil {
		return err
	}
	server, err := marketsim.Serve(world, addr)
	if err != nil {
		return err
	}
	if host, _, _ := net.SplitHostPort(addr); !isLoopback(host) {
		fmt.Fprintf(stderr, "marketsim: %s is not loopback: whoever reaches it can steer the markets\n", addr)
	}
	fmt.Fprintf(stdout, `Both markets are up; /sim is for steering them. Settings for the other programs:

export SKINSBACK_URL=%s
export SKINSBACK_WS_URL=%s
export SKINSBACK_CLIENT_ID=%s
export SKINSBACK_CLIENT_SECRET=%s
export SIH_URL=%s
export SIH_API_KEY=%s
export SIH_DEPOSIT_API_KEY=%s

Control: %s/purchases, /balances, /requests, /faults, /price, /stock, /webhook, /attack, /partner, /sockets. Ctrl-C ends.
`, server.SkinsBackURL, server.SocketURL, marketsim.DemoClientID, marketsim.DemoClientSecret, server.SIHURL, marketsim.DemoAPIKey, marketsim.DemoDepositKey, server.ControlURL)

	report(ctx, world, stdout)
	return server.Close()
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// report prints a line per purchase until ctx ends.
func report(ctx context.Context, world *marketsim.World, stdout io.Writer) {
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for seen := 0; ; {
		purchases := world.PurchasesFrom(seen)
		seen += len(purchases)
		for _, p := range purchases {
			fmt.Fprintf(stdout, "%s %-9s #%s  $%s  %s  %s\n",
				p.At.Format(time.TimeOnly), p.Market, p.Ref, marketsim.FormatUSD(p.Price), p.Name, p.CustomID)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
