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
	"skinarb/pricing"
)

const caseHardened = "AK-47 | Case Hardened (Field-Tested)"

var created = time.Unix(1769136000, 0).UTC()

// TestOrderEvidence reads every sample of get-order into what execution learns.
func TestOrderEvidence(t *testing.T) {
	for _, tc := range []struct {
		file string
		want execution.Evidence // without what all samples share
	}{
		{"created", execution.Evidence{Event: execution.OnPlaced, Status: "created", Paid: money("1.01")}},
		{"processing", execution.Evidence{Event: execution.OnPlaced, Status: "processing", Paid: money("1.01")}},
		{"sent", execution.Evidence{Event: execution.OnDelivering, Status: "sent", Paid: money("1.01"), OfferID: "7912345678"}},
		{"processing-again", execution.Evidence{Event: execution.OnPlaced, Status: "processing", Paid: money("1.01"), OfferID: "7912345678"}},
		{"sent-again", execution.Evidence{Event: execution.OnDelivering, Status: "sent", Paid: money("1.01"), OfferID: "7912399001"}},
		{"finished", execution.Evidence{Event: execution.OnDelivered, Status: "finished", Paid: money("1.01"), Refunded: money("0.02"), OfferID: "7912345678"}},
		{"finished-protection-processing", execution.Evidence{Event: execution.OnDelivered, Status: "finished", Paid: money("1.01"), Refunded: money("0.02"), OfferID: "7912345678", Protection: execution.ProtectionOpen}},
		{"finished-protection-finished", execution.Evidence{Event: execution.OnSettled, Status: "finished", Paid: money("1.01"), Refunded: money("0.02"), OfferID: "7912345678", Protection: execution.ProtectionOver}},
		{"finished-rollback-user", execution.Evidence{Event: execution.OnRolledBack, Status: "finished", Paid: money("1.01"), Refunded: money("1.01"), OfferID: "7912345678", Error: "rollback user"}},
		{"finished-rollback-supplier", execution.Evidence{Event: execution.OnRolledBack, Status: "finished", Paid: money("1.01"), Refunded: money("1.01"), OfferID: "7912345678", Error: "rollback supplier"}},
		{"failed", execution.Evidence{Event: execution.OnFailed, Status: "failed", Paid: money("1.01"), OfferID: "7912345678", Error: "send timeout"}},
		{"failed-not-found", execution.Evidence{Event: execution.OnFailed, Status: "failed", Paid: money("1.01"), Error: "order is not found"}},
		{"penalized", execution.Evidence{Event: execution.OnPenalized, Status: "penalized", Paid: money("1.01"), OfferID: "7912345678", Error: "canceled by buyer"}},
	} {
		tc.want.ID, tc.want.MarketRef, tc.want.MarketName, tc.want.At = "arb-000123", "700123", caseHardened, created
		got, err := answering(t, 200, sample(t, "get-order."+tc.file+".ok.json")).Lookup(t.Context(), execution.Order{ID: "arb-000123"})
		if err != nil {
			t.Errorf("%s: %v", tc.file, err)
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.file, diff)
		}
	}
}

func TestGetOrderWhole(t *testing.T) {
	got, err := answering(t, 200, sample(t, "get-order.finished-rollback-user.ok.json")).GetOrder(t.Context(), 700123, "")
	want := Order{
		ID: 700123, CustomID: "arb-000123", SteamID: testSteam, Item: caseHardened,
		Amount: money("1.01"), Expected: money("0.99"), Status: StatusFinished,
		OfferID: "7912345678", OfferDeadline: time.Unix(1769143200, 0).UTC(),
		Protection: ProtectionFailed, ProtectionError: "rollback user",
		RollbackAt: time.Unix(1769400000, 0).UTC(), RollbackAmount: money("0.99"),
		Created: created, Updated: time.Unix(1769400010, 0).UTC(),
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// TestOddOrders reads orders as the documentation does not show them.
func TestOddOrders(t *testing.T) {
	const order = `{"success":true,"order":{"id":"9","customId":"c","item":"A","steamId":76561198000000000,"amount":"2.5","status":"finished"MORE}}`
	for _, tc := range []struct {
		name, more string
		want       execution.Evidence
	}{
		{"strings for numbers, little else", ``, execution.Evidence{Event: execution.OnDelivered, Paid: money("2.5")}},
		{"nulls", `,"expectedAmount":null,"error":null,"sender":null,"protection":null,"created":null`, execution.Evidence{Event: execution.OnDelivered, Paid: money("2.5")}},
		{"expected nothing", `,"expectedAmount":0`, execution.Evidence{Event: execution.OnDelivered, Paid: money("2.5")}},
		{"milliseconds", `,"created":1769136000387`, execution.Evidence{Event: execution.OnDelivered, Paid: money("2.5"), At: created.Add(387 * time.Millisecond)}},
		{"no time", `,"created":"soon"`, execution.Evidence{Event: execution.OnDelivered, Paid: money("2.5")}},
		{"sender of another shape", `,"sender":[],"error":{"code":1}`, execution.Evidence{Event: execution.OnDelivered, Paid: money("2.5")}},
		{"protection without a status", `,"protection":{}`, execution.Evidence{Event: execution.OnDelivered, Paid: money("2.5")}},
		{"unknown protection must not settle by time", `,"protection":{"status":"frozen"}`, execution.Evidence{Event: execution.OnDelivered, Paid: money("2.5"), Protection: execution.ProtectionOpen}},
		{"rollback without an amount", `,"protection":{"status":"failed"}`, execution.Evidence{Event: execution.OnRolledBack, Paid: money("2.5")}},
		{"unknown status", `,"status":"lost"`, execution.Evidence{Status: "lost", Paid: money("2.5")}},
	} {
		tc.want.ID, tc.want.MarketRef, tc.want.MarketName = "c", "9", "A"
		if tc.want.Status == "" {
			tc.want.Status = "finished"
		}
		got, err := answering(t, 200, strings.Replace(order, "MORE", tc.more, 1)).Lookup(t.Context(), execution.Order{ID: "c"})
		if diff := cmp.Diff(tc.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", tc.name, err, diff)
		}
	}
}

// TestLookupSaysNothing: only a 400 in the API's own form says that SIH does not
// know the order, because such an order may be sent again.
func TestLookupSaysNothing(t *testing.T) {
	for _, tc := range []struct {
		status int
		body   string
		known  bool // whether SIH said that it does not know it
	}{
		{400, sample(t, "get-order.error.json"), true},
		{400, `{"success":false,"error":"Order Not Found"}`, true},
		{400, `{"success":false,"error":"unknown error"}`, false},
		{400, `{"success":false}`, false},
		{400, `{"success":true,"error":"order is not found"}`, false},
		{400, `{"error":"order is not found"}`, false},
		{400, `{"success":false,"error":"order is not found"`, false},
		{400, `<html>not found</html>`, false},
		{404, `{"success":false,"error":"not found"}`, false},
		{200, `{"success":false,"error":"order is not found"}`, false},
		{502, `{"success":false,"error":"order is not found"}`, false},
		{200, `{"success":true}`, false},
		{200, `{"success":true,"order":null}`, false},
		{200, `{"success":true,"order":[]}`, false},
		{200, `{"success":true,"order":{}}`, false},
		{200, `{"success":true,"order":{"id":1,"customId":"arb-1","status":"created"}}`, false},
		{200, `{"success":true,"order":{"id":1,"customId":"arb-1","amount":1}}`, false},
		{200, `{"success":true,"order":{"id":1,"customId":"another","amount":1,"status":"created"}}`, false},
		{200, sample(t, "get-order.failed-not-found.ok.json"), false}, // of another customId
	} {
		_, err := answering(t, tc.status, tc.body).Lookup(t.Context(), execution.Order{ID: "arb-1"})
		if err == nil || errors.Is(err, execution.ErrNotFound) != tc.known {
			t.Errorf("%d %s: got %v, want an error, and ErrNotFound: %v", tc.status, tc.body, err, tc.known)
		}
	}
}

func TestGetOrders(t *testing.T) {
	var sent string
	c := served(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		sent = r.Method + " " + r.URL.Path + " " + string(body)
		io.WriteString(w, sample(t, "get-orders.ok.json"))
	})
	orders, err := c.GetOrders(t.Context(), []int64{700122}, []string{"arb-000123"}) // as in get-orders.request.json
	if err != nil || len(orders) != 2 || orders[0].Status != StatusSent || orders[1].Status != StatusFailed {
		t.Errorf("got %+v, %v, want the two orders of the sample", orders, err)
	}
	if want := `POST /get-orders {"ids":[700122],"customIds":["arb-000123"]}`; sent != want {
		t.Errorf("sent %s, want %s", sent, want)
	}
	if _, err := c.GetOrders(t.Context(), nil, []string{"a"}); err != nil || !strings.Contains(sent, `{"ids":[],"customIds":["a"]}`) {
		t.Errorf("sent %s, %v, want empty lists and no null", sent, err)
	}
	if _, err := c.GetOrders(t.Context(), nil, make([]string, MaxBatch+1)); err == nil {
		t.Error("more than a batch: got no error")
	}
	for status, file := range map[int]string{200: "get-orders.empty.ok.json", 400: "get-orders.error.json"} {
		orders, err := answering(t, status, sample(t, file)).GetOrders(t.Context(), nil, []string{"a"})
		if len(orders) != 0 || (err != nil) != (status == 400) {
			t.Errorf("%s: got %+v, %v", file, orders, err)
		}
	}
	for _, body := range []string{`{"success":true}`, `{"success":true,"orders":null}`, `{"success":true,"orders":{}}`, `{"success":true,"orders":[{"id":1}]}`} {
		if orders, err := answering(t, 200, body).GetOrders(t.Context(), nil, []string{"a"}); err == nil {
			t.Errorf("%s: got %+v and no error", body, orders)
		}
	}
}

func TestProject(t *testing.T) {
	for file, want := range map[string]Project{
		"project.ok.json":            {ID: 412, Name: "skin-arb-demo", Balance: money("1532.471"), Webhook: "https://hooks.example.com/sih?secret=5f1c9a"},
		"project.no-webhook.ok.json": {ID: 412, Name: "skin-arb-demo"},
	} {
		c := answering(t, 200, sample(t, file))
		got, err := c.Project(t.Context())
		if err != nil || got != want {
			t.Errorf("%s: got %+v, %v, want %+v", file, got, err, want)
		}
		if balance, err := c.Balance(t.Context()); err != nil || balance != want.Balance {
			t.Errorf("%s: got balance %s, %v, want %s", file, balance, err, want.Balance)
		}
	}
	for status, bodies := range map[int][]string{
		400: {sample(t, "project.error.json")},
		200: {`{"success":true}`, `{"success":true,"project":{}}`, `{"success":true,"project":{"balance":null}}`, `{"success":true,"project":{"balance":{}}}`},
	} {
		for _, body := range bodies {
			if p, err := answering(t, status, body).Project(t.Context()); err == nil {
				t.Errorf("%d %s: got %+v and no error", status, body, p)
			}
		}
	}
}

func TestTimes(t *testing.T) {
	for in, want := range map[text]time.Time{
		"1769136000":       created,
		"1769136000387":    created.Add(387 * time.Millisecond),
		"999999999999":     time.Unix(999_999_999_999, 0).UTC(),
		"1000000000000":    time.UnixMilli(1_000_000_000_000).UTC(),
		"1769136000387000": {}, "0": {}, "-5": {}, "": {}, "1.5": {}, "now": {}, "1e9": {},
	} {
		if got := in.time(); !got.Equal(want) {
			t.Errorf("%q: got %v, want %v", in, got, want)
		}
	}
}

func FuzzOrder(f *testing.F) {
	samples(f, "get-order.*.json")
	c := decoding(f)
	f.Fuzz(func(t *testing.T, body string) {
		o, err := c.decodeOrder(received(t, c, 200, strings.NewReader(body)))
		if err == nil {
			checkOrder(t, body, o)
		}
	})
}

func FuzzOrders(f *testing.F) {
	samples(f, "get-orders.*.json")
	samples(f, "get-order-history.*.json")
	c := decoding(f)
	f.Fuzz(func(t *testing.T, body string) {
		orders, count, err := c.decodeOrders(received(t, c, 200, strings.NewReader(body)))
		if err != nil {
			return
		}
		if count < -1 {
			t.Fatalf("a count of %d", count)
		}
		for _, o := range orders {
			checkOrder(t, body, o)
		}
	})
}

// checkOrder asserts what holds for every order that was read.
func checkOrder(t *testing.T, body string, o Order) {
	t.Helper()
	e := o.evidence()
	if !json.Valid([]byte(body)) || o.ID <= 0 || o.Status == "" || o.Amount < 0 || o.Amount > pricing.MaxMoney || o.Expected < 0 || o.RollbackAmount < 0 {
		t.Fatalf("impossible order %+v", o)
	}
	if len(o.Status)+len(o.Error)+len(o.OfferID)+len(o.Protection)+len(o.ProtectionError) > 5*quoteLen {
		t.Fatalf("unbounded texts in %+v", o)
	}
	if (e.Event == execution.OnSettled) != (e.Protection == execution.ProtectionOver) || e.Refunded != 0 && o.Status != StatusFinished || e.Refunded < 0 {
		t.Fatalf("contradictory evidence %+v of %+v", e, o)
	}
}

func FuzzProject(f *testing.F) {
	samples(f, "project.*.json")
	c := decoding(f)
	f.Fuzz(func(t *testing.T, body string) {
		p, err := c.decodeProject(received(t, c, 200, strings.NewReader(body)))
		if err == nil && (!json.Valid([]byte(body)) || p.Balance > pricing.MaxMoney || p.Balance < -pricing.MaxMoney) {
			t.Fatalf("impossible project %+v", p)
		}
	})
}

func FuzzWallet(f *testing.F) {
	samples(f, "wallet-history.*.json")
	c := decoding(f)
	f.Fuzz(func(t *testing.T, body string) {
		rows, _, err := c.decodeWallet(received(t, c, 200, strings.NewReader(body)))
		if err != nil {
			return
		}
		for _, m := range rows {
			if !json.Valid([]byte(body)) || m.ID == "" || m.Amount > pricing.MaxMoney || m.Amount < -pricing.MaxMoney {
				t.Fatalf("impossible movement %+v", m)
			}
		}
	})
}

// FuzzRefusal: no refusal is taken for a success, and no text breaks its bounds.
func FuzzRefusal(f *testing.F) {
	samples(f, "*.error*.json")
	c := decoding(f)
	f.Fuzz(func(t *testing.T, body string) {
		for _, status := range []int{400, 500} {
			err := c.decode(received(t, c, status, strings.NewReader(body)), &struct{}{})
			if err == nil || len(err.Error()) > 1000 || strings.Contains(err.Error(), testKey) {
				t.Fatalf("status %d: got %v", status, err)
			}
		}
	})
}
