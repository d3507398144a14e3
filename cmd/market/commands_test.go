package main

import (
	"encoding/json"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"skinarb/internal/marketsim"
)

// step is a command that a person gives, and words of the answer.
type step struct {
	line string // arguments, separated by a space; _ stands for a space in one
	want string // in the table
}

// aDay is every command, in an order in which each has something to show. ASSET
// and OTHER are items that the account has, THIRD and FOURTH those that it has
// after PASS, which lets time pass.
var aDay = []step{
	{"skinsback status", "available"},
	{"skinsback balance", "9975.10"},
	{"skinsback currencies", "Euro"},
	{"skinsback prices", redline},
	{"skinsback lots --extended", "Field-Tested"},
	{"skinsback search Redline", redline},
	{"skinsback search-names " + strings.ReplaceAll(redline, " ", "_"), redline},
	{"skinsback purchase 70001", "bought-1"},
	{"skinsback purchase --custom bought-1 bought-2", "70002"},
	{"skinsback purchases", "accepted"},
	{"skinsback inventory", "ASSET"},
	{"skinsback sell ASSET --order-id sold-1 --yes", "sold-1"},
	{"skinsback sell OTHER --order-id sold-2 --yes --json", "sold-2"},
	{"skinsback deposit --custom sold-1", "pending"},
	{"skinsback deposits", "sold-2"},
	{"skinsback deposit-page page-1 " + account + " --min 1 --max 900.50", "https://"},
	{"skinsback deposit-page page-2 " + account + " --json", "https://"},
	{"PASS", ""},
	{"skinsback approve --custom sold-1 --yes", "hold_approved"},
	{"skinsback approve --custom sold-2 --yes --json", "hold_approved"},
	{"skinsback callback-errors", ""},
	{"skinsback events --for 1ms", ""}, // see TestEvents

	{"sih set-webhook https://t.example.com", "https://t.example.com/..."},
	{"sih project", "https://t.example.com/..."},
	{"sih remove-webhook --json", "null"},
	{"sih remove-webhook", "webhook"},
	{"sih set-webhook https://t.example.com/below --json", "https://t.example.com/..."},
	{"sih items", redline},
	{"sih min-item " + strings.ReplaceAll(redline, " ", "_"), "12.45"},
	{"sih order 700001", "bought-1"},
	{"sih order 700001 700002", "bought-2"},
	{"sih order --custom bought-2", "700002"},
	{"sih order --custom bought-1 bought-2", "700001"},
	{"sih orders", "finished"},
	{"sih wallet", "purchase"},
	{"sih wallet --types 1", "-13.00"},
	{"sih add-account", account},
	{"sih add-account --json", account},
	{"sih accounts", "online"},
	{"sih check-accounts", account},
	{"sih account " + account, account},
	{"sih deposit THIRD=900 --yes", "on_sale"},
	{"sih deposit FOURTH=901x1 --yes --json", "on_sale"},
	{"sih on-sale", "900.00"},
	{"sih offline " + account, "offline"},
	{"sih online " + account + " --json", "online"},
	{"sih online " + account, "online"},
	{"sih offline " + account + " --json", "offline"},
	{"sih delete-deposit --custom DEPOSITED", ""},
	{"sih delete-deposit 50232 --json", "50232"}, // the simulator's next number
}

// TestEveryCommand gives every command, as a table and as JSON.
func TestEveryCommand(t *testing.T) {
	w := newWorld(t)
	w.buy(t, "bought-1")
	w.buy(t, "bought-2")
	w.pass(marketsim.DefaultTiming.TradeCreation + marketsim.DefaultTiming.Acceptance + marketsim.DefaultTiming.Protection)
	assets := w.sellable(t, 2)
	deposited := ""
	tables, jsons := map[string]bool{}, map[string]bool{}
	for _, st := range aDay {
		if st.line == "PASS" {
			w.pass(marketsim.DefaultTiming.TradeCreation + marketsim.DefaultTiming.Acceptance)
			assets = append(assets, w.give(t), w.give(t))
			continue
		}
		names := []string{"ASSET", "OTHER", "THIRD", "FOURTH"}
		line := strings.ReplaceAll(st.line, "DEPOSITED", deposited)
		for i, id := range assets {
			line = strings.ReplaceAll(line, names[i], id)
		}
		want := strings.ReplaceAll(st.want, "ASSET", assets[0])
		var args []string
		for _, a := range strings.Fields(line) {
			args = append(args, strings.ReplaceAll(a, "_", " "))
		}
		c, err := find(args)
		if err != nil {
			t.Fatal(err)
		}
		got := w.run(t, args...)
		if got.status != 0 || !strings.Contains(got.out, want) {
			t.Errorf("market %s: exit status %d, want 0 and %q in it:\n%s%s", line, got.status, want, got.out, got.err)
			continue
		}
		if m := regexp.MustCompile(`hand-\d+-\w+`).FindString(got.out); m != "" && deposited == "" {
			deposited = m
		}
		if slices.Contains(args, "--json") {
			jsons[c.path()] = true
			checkJSON(t, c, got.out)
			continue
		}
		tables[c.path()] = true
		if c.lookup != "" {
			continue // a change is not made twice
		}
		if got = w.run(t, append(args, "--json")...); got.status != 0 {
			t.Errorf("market %s --json: exit status %d, want 0:\n%s", line, got.status, got.err)
			continue
		}
		jsons[c.path()] = true
		checkJSON(t, c, got.out)
	}
	for _, c := range commands {
		switch {
		case !tables[c.path()]:
			t.Errorf("%s: never asked for a table", c.path())
		case !jsons[c.path()]:
			t.Errorf("%s: never asked for JSON", c.path())
		}
	}
	if spent := len(w.Purchases()); spent != 4 {
		t.Errorf("got %d purchases, want the 4 that were there before", spent)
	}
}

// give puts a Redline into the account's inventory.
func (w *world) give(t *testing.T) string {
	t.Helper()
	w.Inventory(account) // what happened before this does not see it
	id, err := w.Give(account, redline)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// sellable gives n assets of the account that SkinsBack takes.
func (w *world) sellable(t *testing.T, n int) []string {
	t.Helper()
	var rows []struct {
		AssetID  string `json:"asset_id"`
		Sellable bool   `json:"sellable"`
	}
	got := w.run(t, "skinsback", "inventory", "--json")
	if err := json.Unmarshal([]byte(got.out), &rows); err != nil {
		t.Fatalf("%v in %s", err, got.out)
	}
	var ids []string
	for _, r := range rows {
		if r.Sellable {
			ids = append(ids, r.AssetID)
		}
	}
	if len(ids) < n {
		t.Fatalf("the account can sell %d items, want %d", len(ids), n)
	}
	return ids[:n]
}

var (
	moneyFields = []string{"usd", "user_usd", "ask", "price", "debited", "amount", "expected", "balance", "steam", "sell_hint", "plain", "rollback_amount"}
	timeFields  = []string{"created_at", "updated_at", "offered_at", "sent_at", "offer_expires_at", "offer_deadline", "rollback_at"}
	plainAmount = regexp.MustCompile(`^-?\d+(\.\d+)?$`)
)

// checkJSON holds an answer against what every answer promises.
func checkJSON(t *testing.T, c *command, text string) {
	t.Helper()
	rows := []json.RawMessage{json.RawMessage(text)}
	switch {
	case c.live:
		rows = nil
		for row := range strings.Lines(text) {
			rows = append(rows, json.RawMessage(row))
		}
	case !c.single:
		rows = nil
		if err := json.Unmarshal([]byte(text), &rows); err != nil {
			t.Errorf("%s: %v in %s", c.path(), err, text)
		}
	}
	for _, row := range rows {
		d := json.NewDecoder(strings.NewReader(string(row)))
		if got := keys(t, d); !slices.Equal(got, c.columns) {
			t.Errorf("%s: got the fields %q, want %q", c.path(), got, c.columns)
		}
		var fields map[string]any
		if err := json.Unmarshal(row, &fields); err != nil {
			t.Errorf("%s: %v in %s", c.path(), err, row)
		}
		for name, v := range fields {
			if n, ok := v.(float64); ok && n != float64(int(n)) {
				t.Errorf("%s: %s is %v, want no number with a point", c.path(), name, n)
			}
			if v == nil {
				continue
			}
			s, isText := v.(string)
			if slices.Contains(moneyFields, name) && (!isText || !plainAmount.MatchString(s)) {
				t.Errorf("%s: %s is %v, want an amount as text", c.path(), name, v)
			}
			if at, err := time.Parse(time.RFC3339Nano, s); slices.Contains(timeFields, name) && (err != nil || at.Location() != time.UTC) {
				t.Errorf("%s: %s is %v, want RFC 3339 in UTC", c.path(), name, v)
			}
		}
	}
}

// keys gives the names of an object's fields in their order.
func keys(t *testing.T, d *json.Decoder) []string {
	t.Helper()
	var names []string
	depth, isKey := 0, true
	for {
		token, err := d.Token()
		if err == io.EOF {
			return names
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
			isKey = true
			continue
		case json.Delim('}'), json.Delim(']'):
			depth--
			isKey = true
			continue
		}
		if depth != 1 {
			continue
		}
		if isKey {
			names = append(names, token.(string))
		}
		isKey = !isKey
	}
}
