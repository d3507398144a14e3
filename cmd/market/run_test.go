package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"

	"skinarb/internal/marketsim"
)

// TestMistakes makes several at once: all are told, and nothing is sent.
func TestMistakes(t *testing.T) {
	w := newWorld(t)
	env := w.env
	for _, c := range []struct {
		line string
		env  map[string]string // instead of the world's
		want []string
	}{
		{"", nil, []string{"say which market"}},
		{"nowhere balance", nil, []string{`"nowhere"`, "skinsback, sih"}},
		{"sih", nil, []string{"say what to do", "orders"}},
		{"sih balnce", nil, []string{`"balnce"`, "project"}},
		{"skinsback buy x", nil, []string{"trader's alone"}},
		{"sih create-order x", nil, []string{"trader's alone"}},
		{"sih order", nil, []string{"missing", "market sih order ID..."}},
		{"sih order mine", nil, []string{`"mine"`, "--custom"}},
		{"sih account 1 2", nil, []string{`"2"`, "too much", `"1"`, "SteamID64"}},
		{"sih orders --limit x --since soon --state", nil, []string{"--limit: got", "--since: got", "--state: it needs a value"}},
		{"sih orders --game cs2 --yes --json=1 --foo=2 -x", nil, []string{"--game: not for", "--yes: not for", "--json: it takes no value", "--foo: no such flag", "-x: no such flag"}},
		{"skinsback prices --game chess", nil, []string{"--game", `"chess"`}},
		{"skinsback search ab", nil, []string{"three characters"}},
		{"skinsback sell x", nil, []string{`"x"`, "Steam's id of an item"}},
		{"skinsback inventory --multiplier 1e9 --custom-rate -1", nil, []string{"--multiplier", "--custom-rate"}},
		{"skinsback inventory --multiplier 5 --custom-rate 0.09 --custom-currency coins", nil, []string{`--multiplier: got "5", but`, "from 0.5 to 2", `--custom-rate: got "0.09", but`, "at least 0.1", `--custom-currency: got "coins", but`, "4 characters"}},
		{"skinsback inventory --multiplier 0.49 --custom-rate 2", nil, []string{"from 0.5 to 2", "--custom-currency and --custom-rate"}},
		{"skinsback inventory --custom-currency coin", nil, []string{"--custom-currency and --custom-rate"}},
		{"skinsback deposit-page a b --min 0 --max=much", nil, []string{`"b"`, "SteamID64", "--min", "--max"}},
		{"skinsback deposit-page a.b " + account + " --min 10 --max 9.99", nil, []string{`"a.b"`, "64 letters", "--min", "more than --max"}},
		{"skinsback deposit-page p 76561190000000000000", nil, []string{`"76561190000000000000"`, "SteamID64"}},
		{"skinsback sell 40265729002 1 40265729002 --order-id a.b --yes", nil, []string{"--order-id: got", "64 letters", `"40265729002": `, "once"}},
		{"skinsback sell 1 --order-id " + strings.Repeat("a", 65), nil, []string{"--order-id: got", "64 letters"}},
		{"sih deposit 1=1 2=1 1=2 --game dota2 --yes", nil, []string{`"1=2": `, "once", "--game", "sells nothing of it"}},
		{"sih items --game dota2", nil, []string{"--game", "sells nothing of it"}},
		{"sih deposit 1 2= 3=0 4=1.005 5=1x0 6=1xa =1 --yes", nil, []string{`"1"`, `"2="`, `"3=0"`, `"4=1.005"`, `"5=1x0"`, `"6=1xa"`, `"=1"`}},
		{"sih wallet --wallet other --types 1,x", nil, []string{"--wallet", "main, deposit", "--types"}},
		{"sih set-webhook ftp://x", nil, []string{`"ftp://x"`}},
		{"sih set-webhook https://x", map[string]string{"SIH_WEBHOOK_SECRET": "short"}, []string{"SIH_WEBHOOK_SECRET", "16 characters"}},
		{"skinsback balance --bad", map[string]string{"SKINSBACK_CLIENT_ID": "", "SKINSBACK_URL": "gopher://x", "SKINSBACK_RATE_PER_MINUTE": "501"}, []string{"--bad", "SKINSBACK_CLIENT_ID: not set", "marketsim", "SKINSBACK_URL", "501"}},
		{"sih project", map[string]string{"SIH_API_KEY": "", "SIH_URL": "http://u:p@h/"}, []string{"SIH_API_KEY: not set", "SIH_URL"}},
		{"skinsback events --for never", map[string]string{"SKINSBACK_WS_URL": ""}, []string{"SKINSBACK_WS_URL: not set", "--for"}},
		{"skinsback inventory", map[string]string{"TRADE_URL": ""}, []string{"TRADE_URL: not set"}},
		{"skinsback inventory", map[string]string{"TRADE_URL": "https://example.com/?token=" + secrets["trade token"]}, []string{"TRADE_URL: trade URL"}},
		{"sih project --sih-api-key " + "api-key" + "-0", nil, []string{"SIH_API_KEY: a flag would show the secret"}},
		{"sih project --trade-url=x --sih-url", nil, []string{"TRADE_URL: a flag would show", "SIH_URL"}},
		{"sih project", map[string]string{"CONFIG": "/does/not/exist"}, []string{"CONFIG"}},
	} {
		w.env = maps.Clone(env)
		maps.Copy(w.env, c.env)
		got := w.run(t, strings.Fields(c.line)...)
		if got.status != 2 || got.out != "" {
			t.Errorf("%q: exit status %d and %q, want 2 and nothing", c.line, got.status, got.out)
		}
		for _, want := range c.want {
			if !strings.Contains(got.err, want) {
				t.Errorf("%q: got %q, want %q in it", c.line, got.err, want)
			}
		}
	}
	if n := len(w.Requests(marketsim.SkinsBack)) + len(w.Requests(marketsim.SIH)); n != 0 {
		t.Errorf("got %d kinds of requests, want none", n)
	}
}

// TestSecretsFromFiles reads a secret from the file that NAME_FILE names, and
// other settings from the one of --config.
func TestSecretsFromFiles(t *testing.T) {
	w := newWorld(t)
	dir := t.TempDir()
	secret, config := filepath.Join(dir, "secret"), filepath.Join(dir, "market.yaml")
	if err := os.WriteFile(secret, []byte(secrets["API key"]+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(config, []byte("sih_url: "+w.env["SIH_URL"]+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.env = map[string]string{"SIH_API_KEY_FILE": secret}
	if got := w.run(t, "sih", "--config", config, "project"); got.status != 0 || !strings.Contains(got.out, "10000.00") {
		t.Errorf("got exit status %d, %s%s, want the balance", got.status, got.out, got.err)
	}
}

// TestFailures lets the markets refuse, fail and lose answers: the exit status is
// 1, the text says what to do, and only what is known is claimed.
func TestFailures(t *testing.T) {
	const (
		change = "sih set-webhook https://t.example.com"
		read   = "sih project"
	)
	for _, c := range []struct {
		line  string
		fault marketsim.Fault
		want  []string
		not   string
	}{
		{read, marketsim.Fault{Kind: marketsim.FaultGarble}, []string{"unreadable"}, "not known"},
		{read, marketsim.Fault{Kind: marketsim.FaultRateLimit, Arg: "7"}, []string{"wait 7s", "left alone for 7s"}, "not known"},
		{change, marketsim.Fault{Kind: marketsim.FaultRateLimit, Arg: "7"}, []string{"nothing happened, try again in 7s"}, "not known"},
		{change, marketsim.Fault{Kind: marketsim.FaultDropAfter}, []string{"not known", "look: market sih project"}, "Nothing was changed"},
		{change, marketsim.Fault{Kind: marketsim.FaultErrorAfter}, []string{"not known", "look: market sih project"}, "Nothing was changed"},
		{change, marketsim.Fault{Kind: marketsim.FaultErrorCode, Arg: "no such thing"}, []string{"no such thing", "Nothing was changed."}, "not known"},
		{"skinsback balance", marketsim.Fault{Kind: marketsim.FaultErrorCode, Arg: "-2 invalid_shopid"}, []string{"SKINSBACK_CLIENT_ID"}, "not known"},
		{"skinsback balance", marketsim.Fault{Kind: marketsim.FaultErrorCode, Arg: "-9 under_maintenance"}, []string{"under_maintenance", "try again in 1m0s"}, "not known"},
		{"skinsback prices --json", marketsim.Fault{Kind: marketsim.FaultTruncate}, []string{"market_pricelist"}, "not known"},
		{"skinsback deposit-page p " + account, marketsim.Fault{Kind: marketsim.FaultDropAfter}, []string{"not known", "look: market skinsback deposit --custom"}, "Nothing was changed"},
		{"skinsback deposit-page p " + account, marketsim.Fault{Kind: marketsim.FaultErrorCode, Arg: "2 invalid_steam_id"}, []string{"invalid_steam_id", "Nothing was changed."}, "not known"},
		{"skinsback purchase 1", marketsim.Fault{Kind: marketsim.FaultDelay}, []string{"1:", "does not know", "--custom"}, "not known"},
		{"sih order 1", marketsim.Fault{Kind: marketsim.FaultDelay}, []string{"not found", "--custom"}, "not known"},
		{"skinsback sell 1 --yes", marketsim.Fault{Kind: marketsim.FaultDelay}, []string{"would not take 1", "Nothing was changed."}, "not known"},
	} {
		w := newWorld(t)
		w.Inject(c.fault)
		got := w.run(t, strings.Fields(c.line)...)
		if got.status != 1 {
			t.Errorf("%s, %s: exit status %d, want 1: %s%s", c.line, c.fault.Kind, got.status, got.out, got.err)
		}
		for _, want := range c.want {
			if !strings.Contains(got.err, want) {
				t.Errorf("%s, %s: got %q, want %q in it", c.line, c.fault.Kind, got.err, want)
			}
		}
		if strings.Contains(got.err, c.not) {
			t.Errorf("%s, %s: got %q, want nothing of %q", c.line, c.fault.Kind, got.err, c.not)
		}
		if strings.HasSuffix(got.out, "]\n") {
			t.Errorf("%s, %s: got %q, want no array that looks whole", c.line, c.fault.Kind, got.out)
		}
	}
}

// TestEmptyArgument: no market is asked about nothing.
func TestEmptyArgument(t *testing.T) {
	w := newWorld(t)
	for _, args := range [][]string{{"sih", "min-item", ""}, {"skinsback", "deposit", ""}, {"skinsback", "purchase", "1", ""}, {"sih", "delete-deposit", "", "--custom"}} {
		if got := w.run(t, args...); got.status != 2 || !strings.Contains(got.err, "empty") {
			t.Errorf("%q: got %+v, want 2 and that an argument is empty", args, got)
		}
	}
	if n := len(w.Requests(marketsim.SkinsBack)) + len(w.Requests(marketsim.SIH)); n != 0 {
		t.Errorf("got %d kinds of requests, want none", n)
	}
}

// TestPartlyNo: an answer that says no to a part, or to all, is whole. Its array
// is closed though the exit status is 1.
func TestPartlyNo(t *testing.T) {
	w := newWorld(t)
	w.buy(t, "bought-1")
	if got := w.run(t, "sih", "add-account"); got.status != 0 {
		t.Fatal(got.err)
	}
	asset, second := w.give(t), w.give(t)
	if got := w.run(t, "sih", "deposit", asset+"=900", "--yes"); got.status != 0 {
		t.Fatal(got.err)
	}
	for _, c := range []struct {
		line string
		rows int
		want string // in what is said
	}{
		{"sih deposit " + asset + "=900 " + second + "=901 --yes", 2, "1 of 2 were left out"},
		{"sih deposit " + asset + "=900 --yes", 1, "1 of 1 were left out"},
		{"sih delete-deposit 50231 9999", 1, "1 of 2 were left out"},
		{"skinsback purchase 70001 1", 1, "1: the market does not know"},
		{"skinsback purchase 1", 0, "1: the market does not know"},
		{"sih order 700001 999", 1, "999: the market does not know"},
		{"sih order 998 999", 0, "998, 999: the market does not know"},
		{"sih order 999", 0, "the market does not know"},
	} {
		got := w.run(t, append(strings.Fields(c.line), "--json")...)
		var rows []map[string]any
		if err := json.Unmarshal([]byte(got.out), &rows); err != nil || len(rows) != c.rows {
			t.Errorf("%s: got %v in %q, want %d rows", c.line, err, got.out, c.rows)
		}
		if got.status != 1 || !strings.Contains(got.err, c.want) {
			t.Errorf("%s: got exit status %d, %q, want 1 and %q", c.line, got.status, got.err, c.want)
		}
	}
	if got := w.run(t, "skinsback", "purchase", "1"); got.out != "" || strings.Contains(got.err, "none") {
		t.Errorf("got %q, %q, want no table", got.out, got.err)
	}
}

func TestUnreachable(t *testing.T) {
	w := newWorld(t)
	w.env["SIH_URL"] = "http://127.0.0.1:1/api/v1"
	if got := w.run(t, "sih", "project"); got.status != 1 || !strings.Contains(got.err, "look at the network, and at SIH_URL") {
		t.Errorf("got exit status %d, %q, want 1 and where to look", got.status, got.err)
	}
	w.env["REDIS_URL"] = "redis://user:" + secrets["API key"] + "@127.0.0.1:1/0"
	if got := w.run(t, "sih", "project"); got.status != 1 || !strings.Contains(got.err, "127.0.0.1:1") {
		t.Errorf("got exit status %d, %q, want 1 and the address of Redis", got.status, got.err)
	}
}

// TestBudgetIsShared: with a Redis, what one run spent is missing in the next.
func TestBudgetIsShared(t *testing.T) {
	w := newWorld(t)
	w.env["REDIS_URL"] = "redis://" + miniredis.RunT(t).Addr()
	w.env["SIH_RATE_PER_MINUTE"] = "10"
	var got said
	for i := 0; i < 10 && got.status == 0; i++ {
		got = w.run(t, "sih", "project")
	}
	if got.status != 1 || !strings.Contains(got.err, "10 requests a minute at sih is used up") || !strings.Contains(got.err, "SIH_RATE_PER_MINUTE") {
		t.Errorf("got exit status %d, %q, want 1 and that the budget is used up", got.status, got.err)
	}
	if n := w.Requests(marketsim.SIH)["project"]; n == 0 || n >= 10 {
		t.Errorf("got %d requests, want some, and fewer than the whole budget", n)
	}
}

// TestAsksFirst gives every command that gives something away to somebody who
// does not say yes.
func TestAsksFirst(t *testing.T) {
	for _, line := range []string{"skinsback sell ASSET", "skinsback approve --custom page-1", "sih deposit ASSET=3.50"} {
		for _, c := range []struct {
			typed  string // nothing: nobody is there
			status int
			sent   bool
		}{
			{"", 2, false}, {"no\n", 1, false}, {"y\n", 1, false}, {"\n", 1, false}, {"yes", 0, true}, {"yes\n", 0, true},
		} {
			w := newWorld(t)
			if got := w.run(t, "skinsback", "deposit-page", "page-1", account, "--max", "1"); got.status != 0 {
				t.Fatal(got.err)
			}
			w.pass(marketsim.DefaultTiming.TradeCreation + marketsim.DefaultTiming.Acceptance)
			if got := w.run(t, "sih", "add-account"); got.status != 0 {
				t.Fatal(got.err)
			}
			w.Inventory(account)
			asset := w.give(t)
			args := strings.Fields(strings.ReplaceAll(line, "ASSET", asset))
			got := w.do(t, t.Context(), c.typed, args...)
			if got.status != c.status {
				t.Errorf("%s, typed %q: exit status %d, want %d: %s", line, c.typed, got.status, c.status, got.err)
			}
			if asked := strings.Contains(got.err, "Type yes"); asked != (c.typed != "") {
				t.Errorf("%s, typed %q: asked %v: %s", line, c.typed, asked, got.err)
			}
			sent := 0
			for _, requests := range []map[string]int{w.Requests(marketsim.SkinsBack), w.Requests(marketsim.SIH)} {
				sent += requests["create_from_user_inventory"] + requests["offer_approve"] + requests["project/deposit"]
			}
			if (sent == 1) != c.sent || sent > 1 {
				t.Errorf("%s, typed %q: sent %d times, want %v", line, c.typed, sent, c.sent)
			}
		}
	}
}

// TestReadOnly: what is not declared to change something sends nothing that does.
func TestReadOnly(t *testing.T) {
	w := newWorld(t)
	changes := []string{
		"market_buy", "market_batch_buy", "create", "create_from_user_inventory", "offer_approve",
		"create-order", "set-webhook", "project/user", "project/deposit", "project/delete-deposit",
	}
	for _, c := range commands {
		if c.lookup != "" {
			continue
		}
		args := []string{string(c.market), c.name}
		for range c.least {
			args = append(args, account)
		}
		if c.live {
			args = append(args, "--for", "1ms")
		}
		w.run(t, args...)
	}
	if n := len(w.Requests(marketsim.SkinsBack)) + len(w.Requests(marketsim.SIH)); n < 20 {
		t.Errorf("got %d kinds of requests, want one of each read at least", n)
	}
	for _, m := range []string{marketsim.SkinsBack, marketsim.SIH} {
		for method := range w.Requests(m) {
			if slices.Contains(changes, method) || strings.Contains(method, "/online/") {
				t.Errorf("%s: a read sent %s", m, method)
			}
		}
	}
}

// TestEvents listens until something happens, and then until Ctrl-C.
func TestEvents(t *testing.T) {
	for _, format := range []string{"", "--json"} {
		w := newWorld(t)
		outs, out := io.Pipe()
		errs, err := io.Pipe()
		ctx, interrupt := context.WithCancel(t.Context())
		status := make(chan int, 1)
		go func() {
			status <- run(ctx, strings.Fields("skinsback events "+format), w.outside(""), out, err)
			out.Close()
			err.Close()
		}()
		if said, err := bufio.NewReader(errs).ReadString('\n'); said != "listening\n" {
			t.Fatalf("got %q, %v, want that it listens", said, err)
		}
		go io.Copy(io.Discard, errs)
		w.buy(t, "bought-1")
		r := bufio.NewReader(outs)
		for line := ""; !strings.Contains(line, "bought-1"); {
			var err error
			if line, err = r.ReadString('\n'); err != nil {
				t.Fatalf("%s: %v, want an event of the purchase", format, err)
			}
			if format == "--json" {
				checkJSON(t, &commands[slices.IndexFunc(commands, func(c command) bool { return c.live })], line)
			}
		}
		interrupt()
		go io.Copy(io.Discard, r)
		if got := <-status; got != 0 {
			t.Errorf("%s: exit status %d, want 0", format, got)
		}
	}
}

func TestInterrupted(t *testing.T) {
	w := newWorld(t)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	for _, line := range []string{"sih items", "skinsback prices"} {
		if got := w.do(t, ctx, "", strings.Fields(line)...); got.status != 1 || got.err != "market: interrupted\n" || got.out != "" {
			t.Errorf("%s: got %+v, want that it was interrupted", line, got)
		}
	}
	if got := w.do(t, ctx, "", "sih", "remove-webhook"); got.status != 1 || !strings.Contains(got.err, "nothing was sent") {
		t.Errorf("got %+v, want that nothing was sent", got)
	}
	if n := w.Requests(marketsim.SIH)["set-webhook"]; n != 0 {
		t.Errorf("got %d requests, want none", n)
	}
}
