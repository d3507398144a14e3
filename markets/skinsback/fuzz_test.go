package skinsback

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"skinarb/execution"
	"skinarb/pricing"
)

// seed adds every sample, and bodies that PHP and proxies are known for.
func seed(f *testing.F) {
	for _, name := range samples(f, "*.json") {
		f.Add([]byte(sample(f, name)))
	}
	for _, s := range []string{
		``, `null`, `[]`, `{}`, `<html></html>`, `{"status":"success","items":{"1":{"id":1,"name":"a","price":"1e1"}}}`,
		`{"status":"success","buy_id":1e3,"item":[],"balance_debited_sum":"-1"}`,
		`{"status":"success","has_more":1,"start_from":[],"items":null}`,
		`{"status":"error","error_code":"-7"}`, `{"status":"success","balance":[],"balance_in_currencies":[]}`,
		"{\"status\":\"success\",\"items\":[{\"name\":\"\xff\",\"price\":01}]}",
	} {
		f.Add([]byte(s))
	}
}

func FuzzPricelist(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, in []byte) {
		got, rejected, err := readGroups(strings.NewReader(string(in)))
		checkList(t, in, err, len(got), rejected)
		for _, g := range got {
			if g.Name == "" || len(g.Name) > maxField || g.Ask <= 0 || g.Ask > pricing.MaxMoney || g.Count == 0 || g.Count < pricing.CountUnknown {
				t.Errorf("got %+v", g)
			}
		}
	})
}

// FuzzLots covers the full list and the search, which share their rows, and what
// PullLots keeps of them.
func FuzzLots(f *testing.F) {
	seed(f)
	f.Add([]byte(rows(`{"id":"10","name":"A","price":1},{"id":"9","name":"A","price":1},{"id":"100","name":"A","price":0.5},{"id":"2","name":" A","price":0.5}`)))
	f.Fuzz(func(t *testing.T, in []byte) {
		got, rejected, err := readLots(strings.NewReader(string(in)))
		checkList(t, in, err, len(got), rejected)
		for _, l := range got {
			if l.ID == "" || l.Name == "" || l.Ask <= 0 || l.Ask > pricing.MaxMoney {
				t.Errorf("got %+v", l)
			}
		}
		lowest, lowestErr := pulledLots(bytes.NewReader(in))
		if (lowestErr == nil) != (err == nil) {
			t.Fatalf("%q: got %v for the lowest lots, and %v for all", in, lowestErr, err)
		}
		if diff := cmp.Diff(lowestOf(pricing.CS2, got), lowest, cmpopts.EquateEmpty()); err == nil && diff != "" {
			t.Errorf("%q (-all +lowest):\n%s", in, diff)
		}
	})
}

// checkList holds what is true of every list: only whole JSON is accepted, and
// every row is either handed out or counted.
func checkList(t *testing.T, in []byte, err error, used int, rejected map[string]int) {
	if err != nil {
		return
	}
	if !json.Valid(in) {
		t.Fatalf("%q was accepted and is not JSON", in)
	}
	for _, n := range rejected {
		used += n
	}
	var answer struct {
		Items list[json.RawMessage] `json:"items"`
	}
	if json.Unmarshal(in, &answer) == nil && len(answer.Items) != used && strings.Count(string(in), "items") == 1 {
		t.Errorf("%q: %d rows were used or counted, want %d", in, used, len(answer.Items))
	}
}

func FuzzPurchase(f *testing.F) {
	seed(f)
	c, err := New(Config{ClientID: testID, ClientSecret: testSecret})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var answer purchaseFields
		if err := decode("market_buy", in, &answer); err != nil {
			var no *execution.RejectedError
			var api *APIError
			if errors.As(err, &api) && errors.As(c.decide(api, 0), &no) && buyErrors[no.Reason] != refused && generalErrors[no.Reason] != refused {
				t.Errorf("%q was taken for the refusal %s", in, no.Reason)
			}
			return
		}
		p := answer.purchase()
		e := c.evidence(p)
		if p.Debited < 0 || p.Price < 0 || e.Paid != p.Debited || e.Refunded != 0 || len(e.Status) > 100 || len(e.Error) > 200 {
			t.Errorf("%q: got %+v and %+v", in, p, e)
		}
		if !json.Valid(in) {
			t.Errorf("%q was accepted and is not JSON", in)
		}
	})
}

func FuzzHistory(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, in []byte) {
		var answer page[purchaseFields]
		if decode("market_history", in, &answer) != nil {
			return
		}
		all, err := each(answer.items, "market_history", purchaseFields.purchase)
		if (err == nil) != (answer.Items != nil) {
			t.Errorf("%q: got %v", in, err)
		}
		for _, p := range all {
			if p.Debited < 0 || p.At.Year() > 40_000 {
				t.Errorf("%q: got %+v", in, p)
			}
		}
	})
}

func FuzzAccount(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, in []byte) {
		var money balanceFields
		if decode("balance", in, &money) == nil {
			b, err := money.balance()
			if err != nil && b != (Balance{}) || b.USD > pricing.MaxMoney || b.USD < -pricing.MaxMoney {
				t.Errorf("%q: got %+v, %v", in, b, err)
			}
		}
		var state statusFields
		if decode("status", in, &state) == nil {
			if s, err := state.status(); err != nil && s != (Status{}) {
				t.Errorf("%q: got %+v, %v", in, s, err)
			}
		}
	})
}

// FuzzEnvelope feeds errors of every HTTP status to the judge of purchases.
func FuzzEnvelope(f *testing.F) {
	for _, name := range samples(f, "error_*.json") {
		f.Add([]byte(sample(f, name)), 200)
	}
	f.Add([]byte(`{"status":"success","buy_id":1}`), 500)
	f.Add([]byte(`<html>`+testSecret), 502)
	f.Add([]byte(``), 429)
	c, err := New(Config{ClientID: testID, ClientSecret: testSecret})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, in []byte, status int) {
		resp := &http.Response{StatusCode: status, Header: http.Header{}, Body: http.NoBody}
		resp.Body = readCloser{strings.NewReader(string(in))}
		err := c.answer("market_buy", resp, &purchaseFields{})
		switch {
		case err == nil:
			if status != http.StatusOK || !json.Valid(in) {
				t.Errorf("HTTP %d %q was taken for a success", status, in)
			}
		case strings.Contains(err.Error(), testSecret):
			t.Errorf("%q shows the secret", err)
		case len(err.Error()) > 2000:
			t.Errorf("an error of %d bytes", len(err.Error()))
		}
	})
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

// FuzzDeposit covers every answer about deposits, and the inventory they are made
// of: no amount is negative or beyond what money can be, and only whole JSON is
// taken.
func FuzzDeposit(f *testing.F) {
	seed(f)
	f.Add([]byte(`{"status":"hold_returned","amount":"1e-7","amount_currency":"usd","skins":{"2":{"price":"-1"}}}`))
	f.Add([]byte(`{"status":"success","data":{"items":[{"item":{"asset_id":1,"tradable":1},"price":"1e400"}]}}`))
	f.Add([]byte(`{"status":"success","items":[{"code":"USD","rate":"1e-9"},{"code":"eur","rate":1e15}]}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		amount := func(m pricing.Money) {
			if m < 0 || m > pricing.MaxMoney {
				t.Errorf("%q: got the amount %s", in, m)
			}
		}
		taken := func(err error) bool {
			if err == nil && !json.Valid(in) {
				t.Errorf("%q was accepted and is not JSON", in)
			}
			return err == nil
		}
		deposit := func(d Deposit) {
			amount(d.USD)
			amount(d.UserUSD)
			for _, i := range d.Items {
				amount(i.USD)
			}
		}
		var one depositFields
		if taken(decode("orderstatus", in, &one)) {
			deposit(one.deposit())
		}
		var many page[depositFields]
		if taken(decode("orders", in, &many)) {
			all, err := each(many.items, "orders", depositFields.deposit)
			if (err == nil) != (many.Items != nil) {
				t.Errorf("%q: got %v", in, err)
			}
			for _, d := range all {
				deposit(d)
			}
		}
		var sold saleAnswer
		if taken(decode("create_from_user_inventory", in, &sold)) {
			if s, err := sold.sale("a"); err == nil && (s.TransactionID == "" || s.OrderID != "a") {
				t.Errorf("%q: got %+v", in, s)
			} else {
				amount(s.USD)
			}
		}
		var inventory inventoryAnswer
		if taken(decode("user_inventory", in, &inventory)) {
			got, err := inventory.inventory()
			for _, i := range got.Items {
				if amount(i.Price); i.AssetID == "" || i.Sellable() && i.Price == 0 || err != nil {
					t.Errorf("%q: got %+v, %v", in, i, err)
				}
			}
		}
		var rates items[currencyFields]
		if taken(decode("currencies", in, &rates)) {
			all, _ := currencies(rates)
			for _, c := range all {
				if c.Code == "" || c.Rate.IsNegative() {
					t.Errorf("%q: got %+v", in, c)
				}
			}
		}
		var missed page[callbackErrorFields]
		taken(decode("callback_error_list", in, &missed))
	})
}
