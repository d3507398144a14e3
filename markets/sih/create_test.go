package sih

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"skinarb/execution"
	"skinarb/fetch"
	"skinarb/pricing"
)

// buy is the order that the samples of create-order are about.
var buy = execution.Order{
	ID: "arb-000123",
	Request: execution.Request{
		Market: pricing.SIH, Item: cs2(caseHardened), MarketName: caseHardened, Ask: money("1.01"), Cost: money("1.01"),
	},
}

// outcome names what an error of Place means to execution.
func outcome(err error) string {
	var rejected *execution.RejectedError
	var later *execution.RetryLaterError
	switch {
	case err == nil:
		return "bought"
	case errors.As(err, &rejected):
		return "rejected: " + rejected.Reason
	case errors.As(err, &later):
		return "later"
	}
	return "unknown"
}

func TestPlaceAnswers(t *testing.T) {
	duplicate := sample(t, "create-order.duplicate.json")
	swap := func(old, new string) string { return strings.Replace(duplicate, old, new, 1) }
	for _, tc := range []struct {
		name   string
		status int
		body   string
		want   string
		text   string // part of the error
	}{
		{"ok", 200, sample(t, "create-order.ok.json"), "bought", ""},
		{"ok, id as text", 200, `{"success":true,"id":"700123"}`, "bought", ""},
		{"ok without id", 200, `{"success":true,"balance":3}`, "unknown", "without an order id"},
		{"ok, id zero", 200, `{"success":true,"id":0}`, "unknown", ""},
		{"ok, id of another shape", 200, `{"success":true,"id":{}}`, "unknown", ""},
		{"no success", 200, `{"id":700123}`, "unknown", ""},
		{"cut off", 200, `{"success":true,"id":7001`, "unknown", "unreadable"},
		{"empty", 200, ``, "unknown", ""},
		{"html", 200, `<html>welcome</html>`, "unknown", "welcome"},
		{"created with another status", 201, `{"success":true,"id":700123}`, "unknown", ""},
		{"success with a failure's status", 400, `{"success":true,"id":700123}`, "unknown", ""},
		{"listed text with success", 400, `{"success":true,"error":"private inventory"}`, "unknown", ""},
		{"listed text with 200", 200, `{"success":false,"error":"private inventory"}`, "unknown", ""},
		{"listed text with 500", 500, `{"success":false,"error":"private inventory"}`, "unknown", ""},
		{"listed text, cut off", 400, `{"success":false,"error":"private inventory"`, "unknown", ""},
		{"listed text in capitals", 400, `{"success":false,"error":" Private Inventory "}`, "rejected: private_inventory", ""},
		{"tradelink", 400, sample(t, "create-order.error.invalid-tradelink.json"), "rejected: invalid_tradelink", ""},
		{"private", 400, sample(t, "create-order.error.private-inventory.json"), "rejected: private_inventory", ""},
		{"hold", 400, sample(t, "create-order.error.steam-guard-in-hold.json"), "rejected: steam_guard_in_hold", ""},
		{"guard", 400, sample(t, "create-order.error.steam-guard-not-enabled.json"), "rejected: steam_guard_not_enabled", ""},
		{"ban", 400, sample(t, "create-order.error.steam-trade-ban.json"), "rejected: steam_trade_ban", ""},
		{"unknown error", 400, sample(t, "create-order.error.unknown-error.json"), "unknown", "unknown error"},
		{"unlisted", 400, sample(t, "create-order.error.unlisted.json"), "unknown", "not enough balance"},
		{"bad key", 401, `{"success":false,"error":"invalid api key"}`, "rejected: unauthorized", ""},
		{"forbidden", 403, `{"error":"forbidden"}`, "rejected: unauthorized", ""},
		{"forbidden by a proxy", 403, `<html>Attention Required!</html>`, "unknown", ""},
		{"forbidden, no text", 403, `{}`, "unknown", ""},
		{"not there", 404, `{"success":false,"error":"not found"}`, "unknown", ""},
		{"too many", 429, `slow down`, "later", ""},
		{"server error", 500, `{"success":false,"error":"oops"}`, "unknown", "oops"},
		{"bad gateway", 502, `<html>502</html>`, "unknown", "502"},
		{"redirect", 302, ``, "unknown", "302"},
		{"duplicate", 409, duplicate, "bought", ""},
		{"duplicate that failed", 409, sample(t, "create-order.duplicate-failed.json"), "bought", ""},
		{"duplicate, cheaper", 409, swap("1.01", "0.5"), "bought", ""},
		{"duplicate, spelled otherwise", 409, swap("AK-47 |", "AK-47  |"), "bought", ""},
		{"duplicate of another item", 409, swap("Field-Tested", "Well-Worn"), "unknown", "Well-Worn"},
		{"duplicate for more", 409, swap("1.01", "1.011"), "unknown", "1.011"},
		{"duplicate for another recipient", 409, swap("76561198000000000", "76561198000000001"), "unknown", "76561198000000001"},
		{"duplicate of another customId", 409, swap("arb-000123", "arb-000124"), "unknown", "another customId"},
		{"duplicate of unknown status", 409, swap("processing", "sleeping"), "unknown", "sleeping"},
		{"duplicate without amount", 409, swap(`"amount": 1.01,`, ""), "unknown", "amount"},
		{"duplicate without order", 409, `{"success":false,"error":"custom id already exists"}`, "unknown", ""},
		{"duplicate, unreadable order", 409, `{"success":false,"order":7}`, "unknown", ""},
		{"duplicate, cut off", 409, duplicate[:len(duplicate)-10], "unknown", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			requests, wrote := 0, 0
			c := served(t, func(w http.ResponseWriter, r *http.Request) {
				requests++
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(tc.status)
				io.WriteString(w, tc.body)
			})
			_, err := c.Place(t.Context(), buy, execution.Offer{}, func() { wrote++ })
			if got := outcome(err); got != tc.want {
				t.Errorf("got %s (%v), want %s", got, err, tc.want)
			}
			if err != nil && !strings.Contains(err.Error(), tc.text) {
				t.Errorf("got %v, want %q in it", err, tc.text)
			}
			if errors.Is(err, execution.ErrNotFound) || requests != 1 || wrote != 1 {
				t.Errorf("got %d requests, wrote called %d times (%v), want one of each", requests, wrote, err)
			}
		})
	}
}

func TestPlaceEvidence(t *testing.T) {
	for _, tc := range []struct {
		status int
		file   string
		want   execution.Evidence
	}{
		{200, "create-order.ok.json", execution.Evidence{Event: execution.OnPlaced}},
		{409, "create-order.duplicate.json", execution.Evidence{Event: execution.OnPlaced, Status: "processing", At: created}},
		{409, "create-order.duplicate-failed.json", execution.Evidence{Event: execution.OnFailed, Status: "failed", Error: "unknown error", At: created}},
	} {
		tc.want.ID, tc.want.MarketRef, tc.want.MarketName, tc.want.Paid = buy.ID, "700123", caseHardened, money("1.01")
		got, err := answering(t, tc.status, sample(t, tc.file)).Place(t.Context(), buy, execution.Offer{}, nil)
		if diff := cmp.Diff(tc.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", tc.file, err, diff)
		}
	}
}

// TestCreateOrderSends compares what leaves us with the samples, and prices that
// cents or floats would spoil.
func TestCreateOrderSends(t *testing.T) {
	var sent []byte
	var header http.Header
	c := served(t, func(w http.ResponseWriter, r *http.Request) {
		sent, _ = io.ReadAll(r.Body)
		header = r.Header
		io.WriteString(w, sample(t, "create-order.ok.json"))
	})
	for file, o := range map[string]NewOrder{
		"create-order.request.json":      {Game: pricing.CS2, Item: caseHardened, Amount: money("1.01"), CustomID: "arb-000123"},
		"create-order.request-test.json": {Game: pricing.CS2, Item: caseHardened, Amount: money("1.01"), CustomID: "arb-test-1", Test: true},
	} {
		done, err := c.CreateOrder(t.Context(), o, nil)
		if err != nil || done != (Created{ID: 700123, Balance: money("1531.461")}) {
			t.Errorf("%s: got %+v, %v", file, done, err)
		}
		var got, want map[string]any
		if err := errors.Join(json.Unmarshal(sent, &got), json.Unmarshal([]byte(sample(t, file)), &want)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", file, diff)
		}
	}
	if header.Get("apikey") != testKey || header.Get("Content-Type") != "application/json" {
		t.Errorf("got headers %v", header)
	}
	for amount, want := range map[string]string{"1.011": "1.011", "0.000001": "0.000001", "12": "12.00", "9007199.254741": "9007199.254741"} {
		if _, err := c.CreateOrder(t.Context(), NewOrder{Game: pricing.Rust, Item: "A", Amount: money(amount), CustomID: "x"}, nil); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(sent), `"amount":`+want+`,`) || !strings.Contains(string(sent), `"appId":252490`) {
			t.Errorf("%s: sent %s, want the amount %s and Rust", amount, sent, want)
		}
	}
}

// TestCreateOrderRefusesItself: what cannot be an order does not leave us.
func TestCreateOrderRefusesItself(t *testing.T) {
	good := NewOrder{Game: pricing.CS2, Item: "A", Amount: 1, CustomID: "x"}
	for name, change := range map[string]func(*NewOrder, *Config){
		"no item":      func(o *NewOrder, _ *Config) { o.Item = "" },
		"no amount":    func(o *NewOrder, _ *Config) { o.Amount = 0 },
		"below zero":   func(o *NewOrder, _ *Config) { o.Amount = -1 },
		"no customId":  func(o *NewOrder, _ *Config) { o.CustomID = "" },
		"other game":   func(o *NewOrder, _ *Config) { o.Game = pricing.Dota2 },
		"no recipient": func(_ *NewOrder, c *Config) { c.Recipient = Recipient{} },
	} {
		requests, wrote := 0, 0
		c := served(t, func(http.ResponseWriter, *http.Request) { requests++ })
		o := good
		change(&o, &c.cfg)
		_, err := c.CreateOrder(t.Context(), o, func() { wrote++ })
		if got := outcome(err); !strings.HasPrefix(got, "rejected") || requests != 0 || wrote != 1 {
			t.Errorf("%s: got %s after %d requests, wrote %d times, want rejected after none, wrote once", name, got, requests, wrote)
		}
	}
}

func TestTooManyPurchases(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"": time.Minute, "nonsense": time.Minute, "-4": time.Minute, "7": 7 * time.Second, "999999": time.Hour,
		now.Add(90 * time.Second).Format(http.TimeFormat): 90 * time.Second,
	} {
		c := served(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", header)
			w.WriteHeader(http.StatusTooManyRequests)
		})
		b := &budget{}
		c.cfg.Budget, c.cfg.Now = b, func() time.Time { return now }
		_, err := c.Place(t.Context(), buy, execution.Offer{}, nil)
		var later *execution.RetryLaterError
		if !errors.As(err, &later) || later.After != want {
			t.Errorf("Retry-After %q: got %v, want to wait %s", header, err, want)
		}
		if taken, pauses := b.counts(); len(taken) != 0 || len(pauses) != 1 || pauses[0] != want {
			t.Errorf("Retry-After %q: took %v and paused %v, want nothing taken and a pause of %s", header, taken, pauses, want)
		}
	}
}

// TestTooManyReads: a read that is refused for the rate tells the fetcher and
// every other process, and is not tried again.
func TestTooManyReads(t *testing.T) {
	for header, want := range map[string][2]time.Duration{"": {0, time.Minute}, "7": {7 * time.Second, 7 * time.Second}} {
		requests := 0
		c := served(t, func(w http.ResponseWriter, r *http.Request) {
			requests++
			w.Header().Set("Retry-After", header)
			w.WriteHeader(http.StatusTooManyRequests)
		})
		b := &budget{}
		c.cfg.Budget = b
		_, err := c.Pull(t.Context(), pricing.CS2)
		var pause *fetch.PauseError
		if !errors.As(err, &pause) || pause.After != want[0] {
			t.Errorf("Retry-After %q: got %v, want to pause %s", header, err, want[0])
		}
		if taken, pauses := b.counts(); requests != 1 || taken[fetch.ForCatalog] != 1 || len(pauses) != 1 || pauses[0] != want[1] {
			t.Errorf("Retry-After %q: %d requests, took %v, paused %v", header, requests, taken, pauses)
		}
	}
}

func FuzzCreated(f *testing.F) {
	samples(f, "create-order.*.json")
	c := decoding(f)
	f.Fuzz(func(t *testing.T, body string) {
		for _, status := range []int{200, 400, 401, 403, 409, 500, 502} {
			done, err := c.decodeCreated(received(t, c, status, strings.NewReader(body)), "arb-000123")
			var duplicate *DuplicateError
			valid := json.Valid([]byte(body))
			switch got := outcome(err); {
			case got == "bought" && (status != 200 || done.ID <= 0 || !valid),
				strings.HasPrefix(got, "rejected") && (status != 400 && status != 401 && status != 403 || !valid),
				got == "later",
				errors.As(err, &duplicate) && (status != 409 || duplicate.Order.CustomID != "arb-000123" || !valid):
				t.Fatalf("status %d: got %s (%v), %+v", status, got, err, done)
			}
			if err != nil && len(err.Error()) > 1000 {
				t.Fatalf("an error of %d bytes", len(err.Error()))
			}
		}
	})
}
