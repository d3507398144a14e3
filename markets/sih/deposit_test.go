package sih

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"skinarb/execution"
	"skinarb/pricing"
)

// twoItems is what the samples of deposits are about.
var twoItems = NewDeposit{SteamID: testSteam, Game: pricing.CS2, Items: []NewDepositItem{
	{AssetID: "38906340786", Price: money("1.23"), CustomID: "dep-0001", Quantity: 1},
	{AssetID: "38906340787", Price: money("4.5"), CustomID: "dep-0002"},
}}

// The two items of the samples, on sale.
var (
	listedAK = Listed{
		ID: "50231", CustomID: "dep-0001", AssetID: "38906340786", Name: caseHardened,
		Price: money("1.23"), Quantity: 1, Float: "0.2213",
	}
	listedKnife = Listed{
		ID: "50232", CustomID: "dep-0002", AssetID: "38906340787", Name: "★ Karambit | Doppler (Factory New)", Phase: "Phase 2",
		Price: money("4.5"), Quantity: 1, Float: "0.0123", Stickers: []string{"Sticker | Titan | Katowice 2014"},
	}
)

func TestDepositSamples(t *testing.T) {
	for file, want := range map[string]Deposited{
		"deposit.ok.json":         {Items: []Listed{listedAK, listedKnife}},
		"deposit.partial.ok.json": {Items: []Listed{listedAK}, Left: twoItems.Items[1:], Problems: []string{"item 38906340787 is not tradable"}},
	} {
		var sent []byte
		c := served(t, func(w http.ResponseWriter, r *http.Request) {
			sent, _ = io.ReadAll(r.Body)
			io.WriteString(w, sample(t, file))
		})
		got, err := c.Deposit(t.Context(), twoItems)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Left) == 0 {
			got.Left = nil
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", file, diff)
		}
		var gotSent, wantSent map[string]any
		if err := errors.Join(json.Unmarshal(sent, &gotSent), json.Unmarshal([]byte(sample(t, "deposit.request.json")), &wantSent)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(wantSent, gotSent); diff != "" {
			t.Errorf("request (-want +got):\n%s", diff)
		}
	}
	_, err := answering(t, 400, sample(t, "deposit.error.json")).Deposit(t.Context(), twoItems)
	var rejected *execution.RejectedError
	if !errors.As(err, &rejected) || rejected.Reason != "private_inventory" || !rejected.Account {
		t.Errorf("refused: got %v, want private_inventory of the account", err)
	}
}

// TestDepositSendsExactly: prices that cents or floats would spoil, the game, and
// the quantity under the name that means money elsewhere.
func TestDepositSendsExactly(t *testing.T) {
	var sent string
	c := served(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		sent = string(body)
		io.WriteString(w, `{"success":true,"errors":[],"data":[]}`)
	})
	for price, want := range map[string]string{"1.011": "1.011", "0.000001": "0.000001", "12": "12.00", "9007199.254741": "9007199.254741"} {
		d := NewDeposit{SteamID: testSteam, Game: pricing.Rust, Items: []NewDepositItem{{AssetID: "38906340786", Price: money(price), CustomID: "a", Quantity: 3}}}
		if _, err := c.Deposit(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		want = `{"steamId":"` + testSteam + `","appId":252490,"items":[{"id":"38906340786","price":` + want + `,"customId":"a","amount":3}]}`
		if sent != want {
			t.Errorf("%s: sent %s, want %s", price, sent, want)
		}
	}
}

// TestOddDeposits: an answer that puts something on sale which we cannot place
// decides nothing.
func TestOddDeposits(t *testing.T) {
	item := func(members string) string { return `{"success":true,"errors":[],"data":[{` + members + `}]}` }
	for _, tc := range []struct {
		name, body, want string
		left             int
	}{
		{"nothing listed", `{"success":true,"errors":["a","b"],"data":[]}`, "bought", 2},
		{"errors of another shape", `{"success":true,"errors":{"a":1},"data":[]}`, "bought", 2},
		{"the least that it can say", item(`"id":"1","price":"1.230","assetid":38906340786`), "bought", 1},
		{"members of other shapes", item(`"id":1,"price":1.23,"assetid":"38906340786","amount":{},"float":[],"stickers":7,"phase":null,"item":null`), "bought", 1},
		{"another price", item(`"id":"1","price":0.5,"assetid":"38906340786"`), "bought", 1},
		{"no id", item(`"price":1,"assetid":"38906340786"`), "unknown", 0},
		{"no price", item(`"id":"1","assetid":"38906340786"`), "unknown", 0},
		{"price of another shape", item(`"id":"1","price":[1],"assetid":"38906340786"`), "unknown", 0},
		{"price zero", item(`"id":"1","price":0,"assetid":"38906340786"`), "unknown", 0},
		{"no asset", item(`"id":"1","price":1`), "unknown", 0},
		{"another asset", item(`"id":"1","price":1,"assetid":"5"`), "unknown", 0},
		{"twice", item(`"id":"1","price":1,"assetid":"38906340786"},{"id":"2","price":1,"assetid":"38906340786"`), "unknown", 0},
		{"no data", `{"success":true,"errors":[]}`, "unknown", 0},
		{"data of another shape", `{"success":true,"data":{}}`, "unknown", 0},
	} {
		got, err := answering(t, 200, tc.body).Deposit(t.Context(), twoItems)
		if outcome(err) != tc.want || len(got.Left) != tc.left {
			t.Errorf("%s: got %+v, %v, want %s and %d left", tc.name, got, err, tc.want, tc.left)
		}
		for _, l := range got.Items {
			if l.CustomID != "dep-0001" || tc.name == "another price" && l.Price != money("0.5") {
				t.Errorf("%s: got %+v, want it under our id at SIH's price", tc.name, l)
			}
		}
	}
}

func TestDeposits(t *testing.T) {
	for _, tc := range []struct {
		status int
		body   string
		want   []OnSale // nil: an error
	}{
		{200, sample(t, "deposits.ok.json"), []OnSale{{"50231", "dep-0001", money("1.23")}, {"50232", "dep-0002", money("4.5")}}},
		{200, sample(t, "deposits.empty.ok.json"), []OnSale{}},
		{200, `{"success":true,"data":[{"id":7,"customId":null,"price":"1"}]}`, []OnSale{{"7", "", money("1")}}},
		{400, sample(t, "deposits.error.json"), nil},
		{200, `{"success":true}`, nil},
		{200, `{"success":true,"data":{}}`, nil},
		{200, `{"success":true,"data":[{"customId":"a","price":1}]}`, nil},
		{200, `{"success":true,"data":[{"id":"1","customId":"a"}]}`, nil},
		{200, `{"success":true,"data":[{"id":"1","price":-1}]}`, nil},
		{200, `{"success":true,"data":[{"id":{},"price":1}]}`, nil},
		{200, `{"success":true,"data":[{"id":"two words","price":1}]}`, nil},
		{200, `{"success":true,"data":[{"id":"1","customId":"two words","price":1}]}`, []OnSale{{"1", "", money("1")}}},
		{200, `{"success":true,"data":[7]}`, nil},
	} {
		got, err := answering(t, tc.status, tc.body).Deposits(t.Context())
		if diff := cmp.Diff(tc.want, got); diff != "" || (err == nil) != (tc.want != nil) {
			t.Errorf("%d %s: %v (-want +got):\n%s", tc.status, tc.body, err, diff)
		}
	}
}

func TestDeleteDeposits(t *testing.T) {
	var sent string
	c := served(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		sent = string(body)
		io.WriteString(w, sample(t, "delete-deposit.ok.json"))
	})
	for _, tc := range []struct {
		ids     []DepositID
		customs []string
		want    string
	}{
		{[]DepositID{"50231"}, []string{"dep-0002"}, `{"ids":["50231"],"customIds":["dep-0002"]}`},
		{nil, []string{"a"}, `{"ids":[],"customIds":["a"]}`},
		{[]DepositID{"1"}, nil, `{"ids":["1"],"customIds":[]}`},
	} {
		named, err := c.DeleteDeposits(t.Context(), tc.ids, tc.customs)
		if diff := cmp.Diff([]DepositID{"50231", "50232"}, named); err != nil || diff != "" || sent != tc.want {
			t.Errorf("sent %s, want %s; got %v (-want +got):\n%s", sent, tc.want, err, diff)
		}
	}
	var want any
	if err := json.Unmarshal([]byte(sample(t, "delete-deposit.request.json")), &want); err != nil {
		t.Fatal(err)
	}
	if compact, _ := json.Marshal(want); !strings.Contains(string(compact), `"ids":["50231"]`) || !strings.Contains(string(compact), `"customIds":["dep-0002"]`) {
		t.Errorf("the sample of a request is %s, want what the first case sends", compact)
	}
	if named, err := answering(t, 200, `{"success":true,"data":[7,null,{},"x"]}`).DeleteDeposits(t.Context(), nil, []string{"a"}); err != nil || len(named) != 2 {
		t.Errorf("ids of other shapes: got %v, %v, want 7 and x", named, err)
	}
	for _, body := range []string{`{"success":true}`, `{"success":true,"data":true}`, `{"success":true,"data":7}`} {
		if named, err := answering(t, 200, body).DeleteDeposits(t.Context(), nil, []string{"a"}); outcome(err) != "unknown" {
			t.Errorf("%s: got %v, %v, want an unknown outcome", body, named, err)
		}
	}
}

func FuzzDeposited(f *testing.F) {
	samples(f, "deposit.*.json")
	c := decoding(f)
	f.Fuzz(func(t *testing.T, body string) {
		for _, status := range []int{200, 400, 401, 409, 500} {
			done, err := c.decodeDeposited(received(t, c, status, strings.NewReader(body)), twoItems.Items)
			valid := json.Valid([]byte(body))
			switch got := outcome(err); {
			case got == "bought" && (status != 200 || !valid),
				strings.HasPrefix(got, "rejected") && (status != 400 && status != 401 || !valid),
				got == "later",
				err != nil && len(done.Items)+len(done.Left) > 0,
				err == nil && len(done.Items)+len(done.Left) != len(twoItems.Items):
				t.Fatalf("status %d: got %s (%v), %+v", status, got, err, done)
			}
			for _, l := range done.Items {
				if l.ID == "" || l.Price <= 0 || l.CustomID == "" || l.Quantity < 0 {
					t.Fatalf("got %+v", l)
				}
			}
			if err != nil && len(err.Error()) > 1000 {
				t.Fatalf("an error of %d bytes", len(err.Error()))
			}
		}
	})
}

func FuzzDeposits(f *testing.F) {
	samples(f, "deposits.*.json")
	samples(f, "delete-deposit.*.json")
	c := decoding(f)
	f.Fuzz(func(t *testing.T, body string) {
		all, err := c.decodeDeposits(received(t, c, 200, strings.NewReader(body)))
		for _, d := range all {
			if err != nil || d.ID == "" || d.Price < 0 {
				t.Fatalf("got %+v, %v", d, err)
			}
		}
		if named, err := c.decodeDeleted(received(t, c, 200, strings.NewReader(body))); err != nil && (len(named) > 0 || outcome(err) != "unknown") {
			t.Fatalf("got %v, %v", named, err)
		}
	})
}
