package skinsback

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"skinarb/execution"
	"skinarb/pricing"
)

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

func diff(want, got any) string {
	return cmp.Diff(want, got, cmp.Comparer(decimal.Decimal.Equal))
}

var sampleDeposit = Deposit{
	TransactionID: "116749001", OrderID: "dep-77", SteamID: "76561198060000001", Status: DepositSuccess,
	USD: 7_680_000, UserUSD: 8_448_000, Amount: dec("7.68"), Currency: "usd",
	CreatedAt: time.Unix(1_760_000_000, 0).UTC(), OfferedAt: time.Unix(1_760_000_120, 0).UTC(), SentAt: time.Unix(1_760_000_300, 0).UTC(),
	Items: []DepositItem{{"AK-47 | Redline (Field-Tested)", 7_680_000}},
}

// bare is a deposit before anything is told of its worth.
func bare(d Deposit, status DepositStatus) Deposit {
	return Deposit{TransactionID: d.TransactionID, OrderID: d.OrderID, SteamID: d.SteamID, CreatedAt: d.CreatedAt, Status: status}
}

func TestDepositSamples(t *testing.T) {
	hold := sampleDeposit
	hold.Status, hold.OfferedAt, hold.SentAt, hold.Items = DepositInHold, time.Time{}, time.Time{}, nil
	for name, want := range map[string]Deposit{
		"orderstatus_success.json": sampleDeposit,
		"orderstatus_in_hold.json": hold,
		"orderstatus_pending.json": bare(sampleDeposit, DepositPending),
		"orderstatus_fail.json":    bare(sampleDeposit, DepositFail),
	} {
		for _, ref := range []DepositRef{{OrderID: "dep-77"}, {TransactionID: "116749001"}} {
			got, err := answering(t, 200, sample(t, name)).GetDeposit(t.Context(), ref)
			if d := diff(want, got); d != "" || err != nil {
				t.Errorf("%s: %v (-want +got):\n%s", name, err, d)
			}
		}
	}
}

// TestTheStatusOfADepositIsNoEnvelope: fail is a state there, and an error
// everywhere else.
func TestTheStatusOfADepositIsNoEnvelope(t *testing.T) {
	for body, want := range map[string]string{
		`{"status":"fail","order_id":"a"}`:                                                 "fail",
		`{"status":"hold_returned","order_id":"a"}`:                                        "hold_returned",
		`{"status":"escrow","order_id":"a"}`:                                               "escrow",
		`{"status":"success","order_id":"a"}`:                                              "success",
		`{"status":"success","order_id":"b"}`:                                              "error",
		`{"status":"success"}`:                                                             "error",
		`{"order_id":"a"}`:                                                                 "error",
		`{"status":"error","order_id":"a"}`:                                                "error",
		`{"status":"fail","error_code":4,"error_message":"transaction_not_found"}`:         "not found",
		`{"status":"error","error_code":4,"error_message":"transaction_not_found"}`:        "not found",
		`{"status":"error","error_code":4}`:                                                "not found",
		`{"status":"error","error_code":2,"error_message":"invalid_order_id"}`:             "error",
		`{"status":"success","order_id":"a","error_code":5,"error_message":"x"}`:           "error",
		`{"status":"pending","order_id":"a","skins":7,"amount_in_currencies":["usd"]}`:     "pending", // nothing depends on those
		`{"status":"error","error_code":-7,"error_message":"request_limit_reached"}`:       "later",
		`{"status":"error","error_code":1,"error_message":"offer_not_found"}`:              "error",
		`{"status":"in_hold","order_id":"a","amount":"n/a","amount_currency":"usd"}`:       "in_hold",
		`{"status":"in_hold","order_id":"a","transaction_id":[],"date":"2026-01-01"}`:      "in_hold",
		`{"status":"in_hold","order_id":["a"],"transaction_id":[],"date":"2026-01-01"}`:    "error",
		`{"status":"in_hold","order_id":"a","amount":-5,"amount_in_currencies":{"usd":0}}`: "in_hold",
	} {
		d, err := answering(t, 200, body).GetDeposit(t.Context(), DepositRef{OrderID: "a"})
		got := string(d.Status)
		switch {
		case errors.Is(err, execution.ErrNotFound):
			got = "not found"
		case err != nil && outcome(err) == "later":
			got = "later"
		case err != nil:
			got = "error"
		}
		if got != want || d.USD != 0 {
			t.Errorf("%s: got %s (%+v, %v), want %s", body, got, d, err, want)
		}
	}
	c := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") })
	if _, err := c.GetDeposit(t.Context(), DepositRef{}); err == nil {
		t.Error("no deposit named: got no error")
	}
}

// TestProceedsRoundDown: what we receive must not look more than it is.
func TestProceedsRoundDown(t *testing.T) {
	for in, want := range map[text]pricing.Money{
		"7.68": 7_680_000, "0.0000019": 1, "0.0000001": 0, "1e1": 10_000_000, "12.3456789": 12_345_678,
		"": 0, "-5": 0, "+5": 0, "0": 0, "n/a": 0, "--5": 0, "1e99": 0, "99999999999": 0,
	} {
		if got, ok := in.proceeds(); got != want || ok != (want > 0) {
			t.Errorf("%q: got %d, %v, want %d", in, got, ok, want)
		}
	}
}

func TestAnAmountInAnotherCurrencyIsNotTakenForDollars(t *testing.T) {
	for body, want := range map[string]pricing.Money{
		`"amount":"624","amount_currency":"rub"`: 0,
		`"amount":"624"`:                         0,
		`"amount":"624","amount_currency":"rub","amount_in_currencies":{"usd":"7.680"}`:   7_680_000,
		`"amount":"7.68","amount_currency":"USD","amount_in_currencies":[]`:               7_680_000,
		`"amount":7.68,"amount_currency":"usd","amount_in_currencies":{"rub":"624.000"}`:  7_680_000,
		`"amount":"7.68","amount_currency":"usd","amount_in_currencies":{"usd":"7.6799"}`: 7_679_900,
	} {
		got, err := answering(t, 200, `{"status":"success","order_id":"a",`+body+`}`).GetDeposit(t.Context(), DepositRef{OrderID: "a"})
		if err != nil || got.USD != want {
			t.Errorf("%s: got %s, %v, want %s", body, got.USD, err, want)
		}
	}
}

func TestOrdersSample(t *testing.T) {
	var asked string
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		asked = string(b)
		io.WriteString(w, sample(t, "orders.json"))
	})
	got, err := c.GetDeposits(t.Context(), time.Unix(100, 0), time.Unix(200, 0))
	if want := `{"ending":"200","method":"orders","starting":"100"}`; asked != want || err != nil || len(got) != 2 {
		t.Fatalf("asked %s and got %d, %v, want %s and 2", asked, len(got), err, want)
	}
	approved := bare(sampleDeposit, DepositHoldApproved)
	approved.TransactionID, approved.OrderID = "116749002", "dep-78"
	approved.USD, approved.UserUSD, approved.Amount, approved.Currency = 3_200_000, 3_520_000, dec("3.2"), "usd"
	if d := diff([]Deposit{sampleDeposit, approved}, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

// TestDepositPages: the pages are those of the history of purchases, which is
// tested for everything else.
func TestDepositPages(t *testing.T) {
	var cursors []string
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		cursors = append(cursors, string(b))
		fmt.Fprintf(w, `{"status":"success","total_count":"3","has_more":%v,"start_from":"x%d","items":[{"transaction_id":%d,"order_id":"o","http_code":"502"},{"transaction_id":9}]}`,
			len(cursors) < 3, len(cursors), len(cursors))
	})
	got, err := c.GetCallbackErrors(t.Context())
	want := []CallbackError{{"1", "o", "502"}, {TransactionID: "9"}, {"2", "o", "502"}, {"3", "o", "502"}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	if want := []string{
		`{"method":"callback_error_list"}`,
		`{"method":"callback_error_list","start_from":"x1"}`,
		`{"method":"callback_error_list","start_from":"x2"}`,
	}; !slices.Equal(cursors, want) {
		t.Errorf("asked %s, want %s", cursors, want)
	}
	got, err = answering(t, 200, sample(t, "callback_error_list.json")).GetCallbackErrors(t.Context())
	if want := []CallbackError{{"116749001", "dep-77", "502"}}; err != nil || !slices.Equal(got, want) {
		t.Errorf("the sample: got %v, %v, want %v", got, err, want)
	}
}

func TestCreateDeposit(t *testing.T) {
	var asked string
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		asked = string(b)
		io.WriteString(w, sample(t, "create.json"))
	})
	got, err := c.CreateDeposit(t.Context(), DepositRequest{
		OrderID: "dep-77", SteamID: "76561198060000001", TradeToken: "AbCdEf12", ResultURL: "https://a.example/r", SuccessURL: "https://a.example/s",
		FailURL: "https://a.example/f", Min: pricing.Dollar, Max: 99_990_000,
	})
	want := DepositPage{"https://skinsback.com/pay.php?hash=0123456789abcdef0123456789abcdef", "116749001"}
	if err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if want := `{"currency":"usd","fail_url":"https://a.example/f","max_amount":"99.99","method":"create","min_amount":"1.00","order_id":"dep-77",` +
		`"result_url":"https://a.example/r","steam_id":"76561198060000001","success_url":"https://a.example/s","trade_token":"AbCdEf12"}`; asked != want {
		t.Errorf("asked %s, want %s", asked, want)
	}
	if _, err := c.CreateDeposit(t.Context(), DepositRequest{OrderID: "dep-77", SteamID: "76561198060000001"}); err != nil {
		t.Error(err)
	}
	if want := `{"method":"create","order_id":"dep-77","steam_id":"76561198060000001"}`; asked != want {
		t.Errorf("the least: asked %s, want %s", asked, want)
	}
	for _, body := range []string{`{"status":"success"}`, `{"status":"success","url":"https://x"}`, `{"status":"success","transaction_id":1}`} {
		if _, err := answering(t, 200, body).CreateDeposit(t.Context(), DepositRequest{OrderID: "a", SteamID: "76561198060000001"}); outcome(err) != "in doubt" {
			t.Errorf("%s: got %v, want in doubt", body, err)
		}
	}
}

func TestApproveDeposit(t *testing.T) {
	var asked string
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		asked = string(b)
		io.WriteString(w, sample(t, "offer_approve.json"))
	})
	for want, ref := range map[string]DepositRef{
		`{"method":"offer_approve","order_id":"dep-77"}`:     {OrderID: "dep-77"},
		`{"method":"offer_approve","transaction_id":"1167"}`: {TransactionID: "1167"},
	} {
		if err := c.ApproveDeposit(t.Context(), ref); err != nil || asked != want {
			t.Errorf("asked %s, %v, want %s", asked, err, want)
		}
	}
}

// writes are the methods that move items or open deposits, and market_buy.
var writes = map[string]func(*testing.T, *Client) error{
	"market_buy": func(t *testing.T, c *Client) error { _, err := c.Buy(t.Context(), testRequest); return err },
	"market_batch_buy": func(t *testing.T, c *Client) error {
		_, err := c.BuyMany(t.Context(), sampleBatch, nil)
		return err
	},
	"create": func(t *testing.T, c *Client) error {
		_, err := c.CreateDeposit(t.Context(), DepositRequest{OrderID: "dep-1", SteamID: "76561198060000001"})
		return err
	},
	"create_from_user_inventory": func(t *testing.T, c *Client) error {
		_, err := c.Sell(t.Context(), testSale, nil)
		return err
	},
	"offer_approve": func(t *testing.T, c *Client) error {
		return c.ApproveDeposit(t.Context(), DepositRef{OrderID: "dep-1"})
	},
}

// TestEveryErrorOfAWrite: what is not known to be a refusal is none.
func TestEveryErrorOfAWrite(t *testing.T) {
	for _, tc := range []struct {
		method string
		code   int
		text   string
		want   string
	}{
		{"create", 1, "invalid_order_id", "rejected invalid_order_id"},
		{"create", 2, "invalid_steam_id", "rejected invalid_steam_id"},
		{"create", 3, "invalid_trade_token", "rejected invalid_trade_token"},
		{"create", 4, "min_amount_requires_currency", "rejected min_amount_requires_currency"},
		{"create", 5, "order_id_already_exists", "in doubt"},
		{"create", 2, "", "rejected invalid_steam_id"},
		{"create", 7, "", "in doubt"},
		{"create", 8, "unknown_currency", "in doubt"},
		{"create_from_user_inventory", 7, "order_id_already_exists", "in doubt"},
		{"create_from_user_inventory", 7, "", "in doubt"},
		{"create_from_user_inventory", 2, "", "in doubt"}, // codes of create are not its own
		{"create_from_user_inventory", 2, "invalid_steam_id", "rejected invalid_steam_id"},
		{"create_from_user_inventory", 26, "deposit_amount_less_minimum", "rejected deposit_amount_less_minimum"},
		{"create_from_user_inventory", 25, "items_unavailable", "in doubt"},
		{"offer_approve", 1, "order_id_or_transaction_id_missing", "rejected order_id_or_transaction_id_missing"},
		{"offer_approve", 2, "invalid_order_id", "rejected invalid_order_id"},
		{"offer_approve", 3, "invalid_transaction_id", "rejected invalid_transaction_id"},
		{"offer_approve", 4, "transaction_not_found", "not found"},
		{"offer_approve", 5, "offer_already_approved_or_canceled", "in doubt"},
	} {
		err := writes[tc.method](t, answering(t, 200, fmt.Sprintf(`{"status":"error","error_code":%d,"error_message":%q}`, tc.code, tc.text)))
		got := outcome(err)
		if errors.Is(err, execution.ErrNotFound) {
			got = "not found"
		}
		if got != tc.want {
			t.Errorf("%s %d %s: got %s (%v), want %s", tc.method, tc.code, tc.text, got, err, tc.want)
		}
	}
	for code, want := range map[int]string{-2: "rejected invalid_shopid", -7: "later", -9: "later", -10: "in doubt"} {
		for method, write := range writes {
			b := &budget{}
			c := serve(t, func(w http.ResponseWriter, r *http.Request) {
				fmt.Fprintf(w, `{"status":"error","error_code":%d}`, code)
			}, with(b))
			if err := write(t, c); outcome(err) != want || (len(b.pauses) == 1) != (want == "later") {
				t.Errorf("%s %d: got %s (%v) and pauses of %v, want %s", method, code, outcome(err), err, b.pauses, want)
			}
		}
	}
}

func TestRequestsThatCannotBeRightAreNotSent(t *testing.T) {
	c := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") })
	const steamID = "76561198060000001"
	for _, r := range []DepositRequest{
		{SteamID: steamID}, {OrderID: "a;status:success", SteamID: steamID}, {OrderID: strings.Repeat("x", 65), SteamID: steamID},
		{OrderID: "a"}, {OrderID: "a", SteamID: "1"}, {OrderID: "a", SteamID: "7656119806000000x"}, {OrderID: "a", SteamID: steamID, TradeToken: "short"},
		{OrderID: "a", SteamID: steamID, Min: -1}, {OrderID: "a", SteamID: steamID, Min: 2, Max: 1},
	} {
		if _, err := c.CreateDeposit(t.Context(), r); !strings.HasPrefix(outcome(err), "rejected") {
			t.Errorf("%+v: got %v, want a refusal", r, err)
		}
	}
	for name, change := range map[string]func(*SellRequest){
		"no order":         func(r *SellRequest) { r.OrderID = "" },
		"no account":       func(r *SellRequest) { r.SteamID = "" },
		"no token":         func(r *SellRequest) { r.TradeToken = "" },
		"a token of signs": func(r *SellRequest) { r.TradeToken = "AbCdEf1;" },
		"no game":          func(r *SellRequest) { r.Game = "" },
		"nothing":          func(r *SellRequest) { r.AssetIDs = nil },
		"one twice":        func(r *SellRequest) { r.AssetIDs = []string{"1", "1"} },
		"an empty one":     func(r *SellRequest) { r.AssetIDs = []string{"1", ""} },
		"too many":         func(r *SellRequest) { r.AssetIDs = make([]string, MaxSale+1) },
	} {
		r, said := testSale, 0
		change(&r)
		if _, err := c.Sell(t.Context(), r, func() { said++ }); !strings.HasPrefix(outcome(err), "rejected") || said != 1 {
			t.Errorf("%s: got %v, said %d times, want a refusal and once", name, err, said)
		}
	}
	if err := c.ApproveDeposit(t.Context(), DepositRef{}); !strings.HasPrefix(outcome(err), "rejected") {
		t.Errorf("approve nothing: got %v, want a refusal", err)
	}
}
