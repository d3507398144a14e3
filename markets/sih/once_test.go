package sih

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"skinarb/execution"
	"skinarb/fetch"
	"skinarb/pricing"
)

// A change is one of our writes that are no purchases, asked for in the way that
// the samples are.
type change struct {
	path   string // of the request
	ok     string // sample of the answer
	secret bool   // testSecret is in the request
	call   func(*Client, context.Context) error
}

var changes = map[string]change{
	"SetWebhook": {"GET /set-webhook", "set-webhook.ok.json", true, func(c *Client, ctx context.Context) error {
		return c.SetWebhook(ctx, "https://hooks.example.com/sih/"+testSecret)
	}},
	"RemoveWebhook": {"GET /set-webhook", "set-webhook.ok.json", false, func(c *Client, ctx context.Context) error { return c.RemoveWebhook(ctx) }},
	"AddAccount": {"POST /project/user", "user-add.ok.json", true, func(c *Client, ctx context.Context) error {
		_, err := c.AddAccount(ctx, testSteam, testSecret)
		return err
	}},
	"SetAccountOnline": {"POST /project/user/" + testSteam + "/online/true", "user-online.ok.json", false, func(c *Client, ctx context.Context) error {
		return c.SetAccountOnline(ctx, testSteam, true)
	}},
	"SetAccountsOnline": {"POST /project/users/online/true", "users-online.ok.json", false, func(c *Client, ctx context.Context) error {
		return c.SetAccountsOnline(ctx, []string{testSteam, "76561198000000001"}, true)
	}},
	"Deposit": {"POST /project/deposit", "deposit.ok.json", false, func(c *Client, ctx context.Context) error {
		_, err := c.Deposit(ctx, twoItems)
		return err
	}},
	"DeleteDeposits": {"POST /project/delete-deposit", "delete-deposit.ok.json", false, func(c *Client, ctx context.Context) error {
		_, err := c.DeleteDeposits(ctx, []DepositID{"50231"}, []string{"dep-0002"})
		return err
	}},
}

// testSecret is in requests that must not come back in an error.
const testSecret = "s3cr3t-of-a-call"

// TestChangesAreJudged crosses every change with every kind of answer: what it
// means is one of the same few things as for a purchase, and one request leaves.
func TestChangesAreJudged(t *testing.T) {
	for name, ch := range changes {
		for _, tc := range []struct {
			status int
			body   string
			want   string
		}{
			{200, sample(t, ch.ok), "bought"},
			{400, sample(t, "set-webhook.error.json"), "rejected: refused"},
			{400, `{"success":false,"error":"Private Inventory"}`, "rejected: private_inventory"},
			{400, sample(t, "delete-deposit.error.json"), "unknown"}, // SIH does not know either
			{400, `{"success":false}`, "unknown"},
			{400, `{"error":"invalid url"}`, "unknown"},
			{400, `{"success":false,"error":"invalid url"`, "unknown"},
			{400, `<html>bad request</html>`, "unknown"},
			{401, `{"success":false,"error":"invalid api key"}`, "rejected: unauthorized"},
			{403, `{"error":"forbidden"}`, "rejected: unauthorized"},
			{403, `<html>Attention Required!</html>`, "unknown"},
			{404, `{"success":false,"error":"not found"}`, "unknown"},
			{409, `{"success":false,"error":"custom id already exists"}`, "unknown"},
			{429, `slow down`, "later"},
			{500, `{"success":false,"error":"oops"}`, "unknown"},
			{502, `<html>502</html>`, "unknown"},
			{302, ``, "unknown"},
			{201, sample(t, ch.ok), "unknown"},
			{200, `{"success":false,"error":"no"}`, "unknown"},
			{200, `{}`, "unknown"},
			{200, ``, "unknown"},
			{200, `<html>` + testSecret + `</html>`, "unknown"},
		} {
			var requests []string
			c := served(t, func(w http.ResponseWriter, r *http.Request) {
				requests = append(requests, r.Method+" "+r.URL.Path)
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(tc.status)
				io.WriteString(w, tc.body)
			})
			err := ch.call(c, t.Context())
			if got := outcome(err); got != tc.want {
				t.Errorf("%s, %d %s: got %s (%v), want %s", name, tc.status, tc.body, got, err, tc.want)
			}
			if len(requests) != 1 || requests[0] != ch.path {
				t.Errorf("%s, %d %s: got requests %q, want one %s", name, tc.status, tc.body, requests, ch.path)
			}
			if err != nil && ch.secret && strings.Contains(err.Error(), testSecret) {
				t.Errorf("%s, %d %s: the secret is in %v", name, tc.status, tc.body, err)
			}
		}
	}
}

// TestChangesLeaveOnce: a peer that takes a request and says nothing, or breaks
// the connection at any place, has had it once, and the outcome is unknown. One
// that cannot be reached has had nothing.
func TestChangesLeaveOnce(t *testing.T) {
	for name, ch := range changes {
		synctest.Test(t, func(t *testing.T) {
			for what, peer := range map[string]func(net.Conn){
				"silence":               func(conn net.Conn) { io.Copy(io.Discard, conn) },
				"cut in the request":    func(conn net.Conn) { io.ReadFull(conn, make([]byte, 10)); conn.Close() },
				"cut before the answer": func(conn net.Conn) { conn.Read(make([]byte, 64<<10)); conn.Close() },
				"cut in the answer": func(conn net.Conn) {
					conn.Read(make([]byte, 64<<10))
					io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"success\":true")
					conn.Close()
				},
			} {
				connections := 0
				c := piped(t, func(conn net.Conn) { connections++; peer(conn) })
				start := time.Now()
				if err := ch.call(c, t.Context()); outcome(err) != "unknown" || connections != 1 || time.Since(start) > DefaultTimeout {
					t.Errorf("%s, %s: got %s (%v) over %d connections after %s, want an unknown outcome over one", name, what, outcome(err), err, connections, time.Since(start))
				}
			}
			c := client(t, "http://sih.test", func(cfg *Config) {
				cfg.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("nobody there") }
			})
			if err := ch.call(c, t.Context()); outcome(err) != "later" {
				t.Errorf("%s, nobody there: got %v, want to try later", name, err)
			}
		})
	}
}

// TestChangesTakePermits: one for each, and without one nothing leaves.
func TestChangesTakePermits(t *testing.T) {
	for name, ch := range changes {
		requests := 0
		c := served(t, func(w http.ResponseWriter, _ *http.Request) {
			requests++
			io.WriteString(w, sample(t, ch.ok))
		})
		b := &budget{}
		c.cfg.Budget = b
		if err := ch.call(c, t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if taken, _ := b.counts(); taken[fetch.ForStatus] != 1 || len(taken) != 1 || requests != 1 {
			t.Errorf("%s: got %d requests on %v, want one on one permit", name, requests, taken)
		}
		stopped := errors.New("stopped")
		c.cfg.Budget = &budget{refuse: stopped}
		if err := ch.call(c, t.Context()); outcome(err) != "later" || !errors.Is(err, stopped) || requests != 1 {
			t.Errorf("%s without a permit: got %v after %d requests, want to try later after 1", name, err, requests)
		}
	}
}

// TestChangesRefuseThemselves: what cannot be a request does not leave us.
func TestChangesRefuseThemselves(t *testing.T) {
	item := NewDepositItem{AssetID: "1", Price: 1, CustomID: "a"}
	deposit := func(change func(*NewDeposit)) func(*Client, context.Context) error {
		return func(c *Client, ctx context.Context) error {
			d := NewDeposit{SteamID: testSteam, Game: pricing.CS2, Items: []NewDepositItem{item}}
			change(&d)
			_, err := c.Deposit(ctx, d)
			return err
		}
	}
	deposited := func(change func(*NewDepositItem)) func(*Client, context.Context) error {
		return deposit(func(d *NewDeposit) { change(&d.Items[0]) })
	}
	for name, call := range map[string]func(*Client, context.Context) error{
		"webhook, empty":        func(c *Client, ctx context.Context) error { return c.SetWebhook(ctx, "") },
		"webhook, no address":   func(c *Client, ctx context.Context) error { return c.SetWebhook(ctx, "hooks.example.com") },
		"webhook, other scheme": func(c *Client, ctx context.Context) error { return c.SetWebhook(ctx, "ftp://hooks.example.com") },
		"account, no id":        func(c *Client, ctx context.Context) error { _, err := c.AddAccount(ctx, "1", "t"); return err },
		"account, path":         func(c *Client, ctx context.Context) error { return c.SetAccountOnline(ctx, "../users", true) },
		"account, no token":     func(c *Client, ctx context.Context) error { _, err := c.AddAccount(ctx, testSteam, ""); return err },
		"accounts, none":        func(c *Client, ctx context.Context) error { return c.SetAccountsOnline(ctx, nil, true) },
		"accounts, one is none": func(c *Client, ctx context.Context) error {
			return c.SetAccountsOnline(ctx, []string{testSteam, "x"}, true)
		},
		"deletion of nothing": func(c *Client, ctx context.Context) error { _, err := c.DeleteDeposits(ctx, nil, nil); return err },
		"deletion of too many": func(c *Client, ctx context.Context) error {
			_, err := c.DeleteDeposits(ctx, make([]DepositID, MaxDeposits), []string{"a"})
			return err
		},
		"deposit of nothing":       deposit(func(d *NewDeposit) { d.Items = nil }),
		"deposit of too many":      deposit(func(d *NewDeposit) { d.Items = make([]NewDepositItem, MaxDeposits+1) }),
		"deposit for nobody":       deposit(func(d *NewDeposit) { d.SteamID = "0" }),
		"deposit of another game":  deposit(func(d *NewDeposit) { d.Game = pricing.Dota2 }),
		"deposit twice":            deposit(func(d *NewDeposit) { d.Items = append(d.Items, NewDepositItem{AssetID: "1", Price: 1, CustomID: "b"}) }),
		"deposit under one id":     deposit(func(d *NewDeposit) { d.Items = append(d.Items, NewDepositItem{AssetID: "2", Price: 1, CustomID: "a"}) }),
		"deposit without asset":    deposited(func(it *NewDepositItem) { it.AssetID = "" }),
		"deposit of no number":     deposited(func(it *NewDepositItem) { it.AssetID = "a1" }),
		"deposit for nothing":      deposited(func(it *NewDepositItem) { it.Price = 0 }),
		"deposit below zero":       deposited(func(it *NewDepositItem) { it.Price = -1 }),
		"deposit of minus one":     deposited(func(it *NewDepositItem) { it.Quantity = -1 }),
		"deposit without customId": deposited(func(it *NewDepositItem) { it.CustomID = "" }),
		"deposit under two words":  deposited(func(it *NewDepositItem) { it.CustomID = "two words" }),
		"deposit under a long id":  deposited(func(it *NewDepositItem) { it.CustomID = strings.Repeat("a", maxCustomID+1) }),
	} {
		requests := 0
		b := &budget{}
		c := served(t, func(http.ResponseWriter, *http.Request) { requests++ })
		c.cfg.Budget = b
		err := call(c, t.Context())
		var rejected *execution.RejectedError
		if taken, _ := b.counts(); !errors.As(err, &rejected) || requests != 0 || len(taken) != 0 {
			t.Errorf("%s: got %v after %d requests and %v, want rejected after none", name, err, requests, taken)
		}
	}
}
