package sih

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"skinarb/execution"
	"skinarb/internal/marketsim"
	"skinarb/internal/sqlitejournal"
	"skinarb/pricing"
	"skinarb/selling"
)

func consigned(name, goods string) selling.Listing {
	it, err := pricing.ParseItem(pricing.CS2, name, "")
	if err != nil {
		panic(err)
	}
	return selling.Listing{ID: selling.ListingID("sl-" + goods), Offer: selling.Offer{
		Holder: "btb", Market: pricing.SIH, Item: it, Goods: goods, Price: money("12.34"), Floor: money("12.00"),
	}}
}

// TestConsignments lists what no account holds with a market whose project is in
// polling mode, and takes it off again.
func TestConsignments(t *testing.T) {
	s := openShop(t, marketsim.Config{Partner: marketsim.Partner{
		PurchaseURL: "http://127.0.0.1:1/create-purchase", CheckURL: "http://127.0.0.1:1/get-purchase", Key: marketsim.DemoDepositKey,
	}})
	c := s.Consignments()
	for i, name := range []string{redline, rubyKnife} {
		l := consigned(name, []string{"1700000000000001", "1700000000000002"}[i])
		word, err := c.List(t.Context(), l)
		if err != nil || word.ID != l.ID || word.Event != selling.OnListed || word.Price != l.Price {
			t.Fatalf("list %s: got %+v, %v", name, word, err)
		}
		l.MarketRef = word.MarketRef
		words, _, err := c.Look(t.Context(), []selling.Listing{l})
		if err != nil || len(words) == 0 || words[0].ID != l.ID || words[0].Event != selling.OnListed {
			t.Errorf("look for %s: got %+v, %v, want it on sale", name, words, err)
		}
		if err := c.Withdraw(t.Context(), l); err != nil {
			t.Errorf("withdraw %s: %v", name, err)
		}
		s.pass(time.Second)
	}
	// The shop of what an account holds does not tell names, and SIH has none for it.
	if _, err := s.Shop().List(t.Context(), consigned(redline, "1700000000000003")); err == nil {
		t.Error("listed what nobody holds")
	}
}

// TestAnotherItemIsTakenOff: SIH that takes our id for another item does not keep
// it on sale.
func TestAnotherItemIsTakenOff(t *testing.T) {
	for name, tc := range map[string]struct {
		item, phase string
		deleted     string // answer to the deletion
		want        string
		calls       int
	}{
		"the same":         {redline, "", "", "", 1},
		"another":          {caseHardened, "", `{"success":true,"data":["77"]}`, "another_item", 2},
		"another phase":    {"★ Karambit | Doppler (Factory New)", "Ruby", `{"success":true,"data":["77"]}`, "another_item", 2},
		"and it stays":     {caseHardened, "", `{"success":true,"data":[]}`, "outcome is unknown", 2},
		"and cannot be":    {caseHardened, "", `{"success":false,"error":"no"}`, "outcome is unknown", 2},
		"nothing readable": {"\u0000", "", `{"success":true,"data":["77"]}`, "another_item", 2},
	} {
		var calls []string
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			calls = append(calls, r.URL.Path)
			if strings.HasSuffix(r.URL.Path, "delete-deposit") {
				_, _ = io.WriteString(w, tc.deleted)
				return
			}
			var asked struct{ Items []struct{ ID, Item string } }
			if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || len(asked.Items) != 1 || asked.Items[0].Item != redline {
				t.Errorf("%s: asked for %+v, %v", name, asked, err)
			}
			_ = json.NewEncoder(w).Encode(map[string]any{"success": true, "errors": []string{}, "data": []map[string]any{
				{"id": "77", "item": tc.item, "phase": tc.phase, "price": 12.34, "assetid": "1700000000000001", "amount": 1},
			}})
		}))
		c, err := New(Config{URL: srv.URL, APIKey: testKey, Recipient: Recipient{SteamID: testSteam, Token: testToken}})
		if err != nil {
			t.Fatal(err)
		}
		word, err := c.Consignments().List(t.Context(), consigned(redline, "1700000000000001"))
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) || len(calls) != tc.calls {
			t.Errorf("%s: got %+v, %v after %v, want %q", name, word, err, calls, tc.want)
		}
		srv.Close()
	}
}

// TestAnotherItemIsNotBelieved: SIH lists another item than was meant, and the
// answer to its deletion is lost. A keeper that finds it on sale takes it off.
func TestAnotherItemIsNotBelieved(t *testing.T) {
	var custom string
	deletable := false
	onSale := false
	c := served(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/project/deposit"):
			var in struct{ Items []struct{ CustomID string } }
			if err := json.NewDecoder(r.Body).Decode(&in); err != nil || len(in.Items) != 1 {
				t.Errorf("deposited %+v, %v", in, err)
			}
			custom, onSale = in.Items[0].CustomID, true
			io.WriteString(w, `{"success":true,"data":[{"id":"501","item":"AWP | Dragon Lore (Factory New)","price":12,"assetid":"77","amount":1}]}`)
		case strings.HasSuffix(r.URL.Path, "/project/delete-deposit") && !deletable:
			w.WriteHeader(http.StatusBadGateway)
		case strings.HasSuffix(r.URL.Path, "/project/delete-deposit"):
			onSale = false
			io.WriteString(w, `{"success":true,"data":["501"]}`)
		case strings.HasSuffix(r.URL.Path, "/project/deposits") && onSale:
			io.WriteString(w, `{"success":true,"data":[{"id":"501","customId":"`+custom+`","price":12}]}`)
		default:
			io.WriteString(w, `{"success":true,"data":[]}`)
		}
	})
	j, err := sqlitejournal.Open(filepath.Join(t.TempDir(), "j.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	k := selling.NewKeeper(selling.KeeperConfig{
		Markets: []selling.Market{c.Consignments()}, Journal: j.Selling(), Now: func() time.Time { return now },
	})
	l, err := k.List(t.Context(), selling.Offer{Holder: "btb 1", Market: pricing.SIH, Item: cs2(redline), Goods: "77", Price: money("12"), Floor: money("10")})
	if err != nil || l.State != selling.InDoubt {
		t.Fatalf("got %s, error %v, want it in doubt", l.State, err)
	}
	for _, want := range []selling.State{selling.Withdrawing, selling.Withdrawing, selling.Withdrawing, selling.Withdrawn} {
		err := k.Look(t.Context())
		if l, getErr := j.Selling().Listing(t.Context(), l.ID); getErr != nil || l.State != want || !l.ListedAt.IsZero() {
			t.Errorf("a look (%v): it is %s, error %v, want %s", err, l.State, getErr, want)
		}
		deletable, now = true, now.Add(15*time.Second)
	}
	if onSale {
		t.Error("it is on sale still")
	}
}

// TestNotForSomebodyElse: SIH delivers to the project's own account.
func TestNotForSomebodyElse(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") }))
	defer srv.Close()
	c, err := New(Config{URL: srv.URL, APIKey: testKey, Recipient: Recipient{SteamID: testSteam, Token: testToken}})
	if err != nil {
		t.Fatal(err)
	}
	o, left := buy, 0
	o.Buyer = execution.Buyer{Ref: "fast-1"}
	_, err = c.Place(t.Context(), o, execution.Offer{}, func() { left++ })
	var refused *execution.RejectedError
	if !errors.As(err, &refused) || left != 1 {
		t.Errorf("got %v, and %d times that it left, want a refusal and once", err, left)
	}
}
