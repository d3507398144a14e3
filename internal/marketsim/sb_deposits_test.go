package marketsim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	depositor = "76561198060265729" // who receives in buy
	token     = "AbCdEf12"
)

// items gives the rows of an inventory by asset id.
func (r *rig) items(more object) map[string]object {
	r.t.Helper()
	p := object{"game": "cs2", "steam_id": depositor, "trade_token": token}
	for k, v := range more {
		p[k] = v
	}
	rows := map[string]object{}
	for _, row := range r.sb("user_inventory", p)["items"].([]any) {
		row := row.(object)
		rows[row["item"].(object)["asset_id"].(string)] = row
	}
	return rows
}

// sellable gives the asset ids that SkinsBack takes now, in order.
func (r *rig) sellable() []string {
	r.t.Helper()
	var ids []string
	for id, row := range r.items(nil) {
		if row["item"].(object)["tradable"] == true && row["disabled"] == false {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

func (r *rig) sell(orderID string, ids ...string) object {
	r.t.Helper()
	return r.sb("create_from_user_inventory", object{
		"game": "cs2", "steam_id": depositor, "trade_token": token, "item_asset_ids": ids, "order_id": orderID,
	})
}

// wantState asks for a deposit by our id.
func (r *rig) wantState(orderID, want string) object {
	r.t.Helper()
	got := r.sb("orderstatus", object{"order_id": orderID})
	if got["status"] != want {
		r.t.Errorf("%s: got %v, want %s", orderID, got["status"], want)
	}
	return got
}

func TestInventoryIsTheAccountsOwn(t *testing.T) {
	r := start(t, Config{Items: 300, Seed: 7})
	mine := r.items(nil)
	if again := start(t, Config{Items: 300, Seed: 7}).items(nil); fmt.Sprint(again) != fmt.Sprint(mine) {
		t.Errorf("the same seed: got %v, want %v", again, mine)
	}
	if len(mine) < 4 {
		t.Fatalf("got %d items", len(mine))
	}
	for id, row := range r.items(object{"steam_id": "76561198000000001"}) {
		if mine[id] != nil {
			t.Errorf("two accounts have %s: %v", id, row)
		}
	}
	for id, row := range r.items(object{"currency": "eur", "custom_multiplier": "1.5"}) {
		price := number(t, mine[id]["price"])
		local := number(t, row["price_local"])
		if number(t, row["price"]) != price || local != scale(price, 860_000) || number(t, row["multiplied_price_local"]) != scale(local, 1_500_000) {
			t.Errorf("%s: got %v, want it at 0.86 and that by 1.5", id, row)
		}
	}
	wrapped := start(t, Config{NumberStrings: true}).sb("user_inventory", object{"game": "cs2", "steam_id": depositor, "trade_token": token})
	if data := wrapped["data"].(object); data["currency_local"] != "usd" || len(data["items"].([]any)) == 0 || wrapped["items"] != nil {
		t.Errorf("got %v, want the items under data", wrapped)
	}
}

// TestWhatIsBoughtCanBeSold: an item is in the inventory when it is accepted, and
// can be sold after its protection.
func TestWhatIsBoughtCanBeSold(t *testing.T) {
	r := start(t, Config{})
	r.pin(SkinsBack, redline, "10", 1)
	before := r.items(nil)
	r.buy(redline, nil)
	found := func() (id string, tradable any) {
		for id, row := range r.items(nil) {
			if before[id] == nil {
				return id, row["item"].(object)["tradable"]
			}
		}
		return "", nil
	}
	if id, _ := found(); id != "" {
		t.Errorf("%s is there before it was accepted", id)
	}
	r.clock.advance(DefaultTiming.TradeCreation + DefaultTiming.Acceptance)
	if id, tradable := found(); id == "" || tradable != false {
		t.Errorf("accepted: got %q, tradable %v, want it there and not tradable", id, tradable)
	}
	r.clock.advance(DefaultTiming.Protection)
	if _, tradable := found(); tradable != true {
		t.Errorf("after protection: got tradable %v, want true", tradable)
	}
}

func TestALifeOfADeposit(t *testing.T) {
	r := start(t, Config{})
	id := r.sellable()[0]
	price := number(t, r.items(nil)[id]["price"])
	before := r.Balance(SkinsBack)

	sold := r.sell("dep-1", id)["data"].(object)
	if number(t, sold["sum"]) != price || sold["trade_offer_expiry_at"] != "2026-02-02T02:50:00.000000Z" || sold["bot_steam_id"] == "" {
		t.Errorf("got %v, want an offer of ten minutes for %s", sold, FormatUSD(price))
	}
	if r.items(nil)[id] != nil {
		t.Error("what is offered can be offered again")
	}
	wantError(t, r.sell("dep-1", id), 7, "order_id_already_exists")
	wantError(t, r.sell("dep-2", id), 25, "items_unavailable")
	if got := r.wantState("dep-1", "pending"); got["amount"] != nil || got["transaction_id"] != sold["transaction_id"].(json.Number).String() {
		t.Errorf("got %v, want no amount yet", got)
	}
	r.clock.advance(DefaultTiming.Acceptance)
	if got := r.wantState("dep-1", "in_hold"); number(t, got["amount"]) != price || got["amount_currency"] != "usd" || len(got["skins"].([]any)) != 1 {
		t.Errorf("got %v, want %s", got, FormatUSD(price))
	}
	r.clock.advance(DefaultTiming.Protection - time.Second)
	if r.wantState("dep-1", "in_hold"); r.Balance(SkinsBack) != before {
		t.Errorf("credited in hold: %d, want %d", r.Balance(SkinsBack), before)
	}
	r.clock.advance(time.Second)
	if r.wantState("dep-1", "success"); r.Balance(SkinsBack) != before+price {
		t.Errorf("got balance %d, want %d", r.Balance(SkinsBack), before+price)
	}
	wantError(t, r.sb("offer_approve", object{"order_id": "dep-1"}), 5, "offer_already_approved_or_canceled")
	if d := r.Deposits(); len(d) != 1 || d[0].Credited != price || d[0].State != "success" || !slices.Equal(d[0].AssetIDs, []string{id}) {
		t.Errorf("got %+v", d)
	}
}

func TestApprovalCreditsAtOnce(t *testing.T) {
	r := start(t, Config{Outcomes: Outcomes{Rollback: 100}})
	before := r.Balance(SkinsBack)
	ids := r.sellable()
	r.sell("approved", ids[0])
	r.sell("reversed", ids[1])
	wantError(t, r.sb("offer_approve", object{"order_id": "approved"}), 5, "offer_already_approved_or_canceled")
	r.clock.advance(DefaultTiming.Acceptance)
	if got := r.sb("offer_approve", object{"order_id": "approved"}); fmt.Sprint(got) != "map[status:success]" {
		t.Errorf("got %v", got)
	}
	worth := number(t, r.wantState("approved", "hold_approved")["amount"])
	if got := r.Balance(SkinsBack) - before; got != worth {
		t.Errorf("credited %d, want %d", got, worth)
	}
	r.clock.advance(DefaultTiming.Protection)
	r.wantState("approved", "hold_approved")
	if got := r.wantState("reversed", "hold_returned"); got["amount"] != nil {
		t.Errorf("got %v, want no amount", got)
	}
	if r.items(nil)[ids[1]] == nil || r.items(nil)[ids[0]] != nil || r.Balance(SkinsBack)-before != worth {
		t.Error("what was reversed is not back, or what was approved is")
	}
}

func TestDepositsThatComeToNothing(t *testing.T) {
	for name, odds := range map[string]Outcomes{"declined": {Fail: 100}, "not accepted": {Timeout: 100}} {
		r := start(t, Config{Outcomes: odds})
		before := r.Balance(SkinsBack)
		id := r.sellable()[0]
		r.sell("dep-1", id)
		r.clock.advance(DefaultTiming.AcceptTimeout)
		r.wantState("dep-1", "fail")
		if r.items(nil)[id] == nil || r.Balance(SkinsBack) != before {
			t.Errorf("%s: the item is gone, or was paid for", name)
		}
	}
}

func TestAPageMakesADeposit(t *testing.T) {
	r := start(t, Config{})
	made := r.sb("create", object{"order_id": "dep-1", "steam_id": depositor, "min_amount": "1.00", "currency": "usd"})
	if !strings.HasPrefix(made["url"].(string), "https://") || made["transaction_id"] != json.Number("116700001") {
		t.Errorf("got %v", made)
	}
	r.wantState("dep-1", "pending")
	r.clock.advance(DefaultTiming.TradeCreation + DefaultTiming.Acceptance)
	r.wantState("dep-1", "in_hold")
	got := r.sb("orders", object{"starting": 1, "ending": 1_770_000_000})
	if rows := got["items"].([]any); got["total_count"] != json.Number("1") || got["has_more"] != false || rows[0].(object)["order_id"] != "dep-1" {
		t.Errorf("orders: got %v", got)
	}
	if got := r.sb("orders", object{"starting": 1, "ending": 2}); len(got["items"].([]any)) != 0 {
		t.Errorf("orders out of range: got %v", got)
	}
}

func TestDepositRefusals(t *testing.T) {
	r := start(t, Config{})
	r.sb("create", object{"order_id": "taken", "steam_id": depositor})
	inventory := func(more object) object {
		p := object{"game": "cs2", "steam_id": depositor, "trade_token": token, "order_id": "new", "item_asset_ids": []string{"1"}}
		for k, v := range more {
			p[k] = v
		}
		return p
	}
	for _, c := range []struct {
		method string
		params object
		code   int
		text   string
	}{
		{"create", object{"steam_id": depositor}, 1, "invalid_order_id"},
		{"create", object{"order_id": "x", "steam_id": "me"}, 2, "invalid_steam_id"},
		{"create", object{"order_id": "x", "steam_id": depositor, "trade_token": "short"}, 3, "invalid_trade_token"},
		{"create", object{"order_id": "x", "steam_id": depositor, "min_amount": "1"}, 4, "min_amount_requires_currency"},
		{"create", object{"order_id": "taken", "steam_id": depositor}, 5, "order_id_already_exists"},
		{"create", object{"order_id": "x", "steam_id": depositor, "min_amount": 2, "max_amount": 1, "currency": "usd"}, 7, "invalid_max_amount"},
		{"create", object{"order_id": "x", "steam_id": depositor, "currency": "gold"}, 8, "invalid_currency"},
		{"orderstatus", nil, 1, "order_id_or_transaction_id_missing"},
		{"orderstatus", object{"order_id": strings.Repeat("x", 101)}, 2, "invalid_order_id"},
		{"orderstatus", object{"transaction_id": "x"}, 3, "invalid_transaction_id"},
		{"orderstatus", object{"transaction_id": 116700002}, 4, "transaction_not_found"},
		{"orderstatus", object{"order_id": "never"}, 4, "transaction_not_found"},
		{"offer_approve", object{"order_id": "taken"}, 5, "offer_already_approved_or_canceled"},
		{"orders", nil, 1, "missing_starting_or_ending"},
		{"user_inventory", inventory(object{"steam_id": "7"}), 2, "invalid_steam_id"},
		{"user_inventory", inventory(object{"trade_token": ""}), 3, "invalid_trade_token"},
		{"user_inventory", inventory(object{"game": "tf2"}), 20, "invalid_game"},
		{"user_inventory", inventory(object{"custom_multiplier": "2.1"}), 21, "invalid_custom_multiplier"},
		{"user_inventory", inventory(object{"custom_currency": "coins", "custom_currency_rate": "1"}), 22, "invalid_custom_currency"},
		{"create_from_user_inventory", inventory(object{"order_id": "taken"}), 7, "order_id_already_exists"},
		{"create_from_user_inventory", inventory(object{"item_asset_ids": []string{}}), 24, "item_asset_ids_required"},
		{"create_from_user_inventory", inventory(nil), 25, "items_unavailable"},
		{"create_from_user_inventory", inventory(object{"result_url": "here"}), 23, "invalid_result_url"},
	} {
		t.Run(c.method+" "+c.text, func(t *testing.T) {
			wantError(t, r.sb(c.method, c.params), c.code, c.text)
		})
	}
	if len(r.Deposits()) != 1 {
		t.Errorf("refusals made deposits: %+v", r.Deposits())
	}
}

// TestCallbacks: every change is told, signed, in both encodings.
func TestCallbacks(t *testing.T) {
	r := start(t, Config{})
	got := newReceiver(t)
	if err := r.SetResultURL(got.url); err != nil {
		t.Fatal(err)
	}
	ids := r.sellable()
	r.sell("dep-1", ids[0])
	r.sell("dep-2", ids[1])
	kinds := map[string]bool{}
	for _, state := range []string{"in_hold", "success"} {
		r.clock.advance(DefaultTiming.Acceptance + DefaultTiming.Protection*time.Duration(len(kinds)/2))
		for _, call := range got.wait(2) {
			kind := call.header.Get("Content-Type")
			kinds[kind] = true
			p := parseParams(kind, []byte(call.body))
			if p.text("status") != state || p.text("sign") != p.signature(DemoClientSecret) || call.header.Get("X-SIGN") != demoXSign {
				t.Errorf("%s: got %s, want %s and a signature", kind, call.body, state)
			}
			if risk, _ := p["user_risk"].(map[string]any); (risk["joined_at"] != nil) != (state == "in_hold") {
				t.Errorf("%s %s: got the risk %v", kind, state, risk)
			}
		}
	}
	if len(kinds) != 2 {
		t.Errorf("got %v, want both encodings", kinds)
	}
	if got := r.sb("callback_error_list", nil); len(got["items"].([]any)) != 0 {
		t.Errorf("errors: got %v, want none", got)
	}
}

func TestCallbacksThatFail(t *testing.T) {
	r := start(t, Config{RatePerMinute: 1_000_000})
	told := make(chan string, 10)
	down := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, req *http.Request) {
		rw.WriteHeader(http.StatusBadGateway)
		told <- req.URL.Path
	}))
	t.Cleanup(down.Close)
	r.sb("create_from_user_inventory", object{
		"game": "cs2", "steam_id": depositor, "trade_token": token, "item_asset_ids": r.sellable()[:1], "order_id": "dep-1", "result_url": down.URL + "/own",
	})
	r.clock.advance(DefaultTiming.Acceptance)
	late := time.After(20 * time.Second)
	select {
	case path := <-told:
		if path != "/own" {
			t.Errorf("got a callback at %s, want /own", path)
		}
	case <-late:
		t.Fatal("no callback came within 20 s")
	}
	for {
		rows := r.sb("callback_error_list", nil)["items"].([]any)
		if len(rows) == 1 {
			if row := rows[0].(object); row["order_id"] != "dep-1" || row["http_code"] != "502" {
				t.Errorf("got %v", row)
			}
			break
		}
		select {
		case <-late:
			t.Fatal("a failed callback is not in the list")
		default:
		}
	}
	if err := r.SetResultURL("nowhere"); err == nil {
		t.Error("an address that is none: got no error")
	}
}

// TestControlOfDeposits reads and sets over the control API.
func TestControlOfDeposits(t *testing.T) {
	r := start(t, Config{})
	r.sell("dep-1", r.sellable()[0])
	_, body, err := r.do(http.MethodGet, r.server.ControlURL+"/deposits", "")
	if err != nil || !strings.Contains(string(body), `"order_id":"dep-1"`) {
		t.Errorf("got %s, %v, want dep-1", body, err)
	}
	for in, want := range map[string]int{`{"url":"http://127.0.0.1:1/x"}`: http.StatusOK, `{"url":"x"}`: http.StatusBadRequest, `{`: http.StatusBadRequest} {
		resp, _, err := r.do(http.MethodPost, r.server.ControlURL+"/result-url", in)
		if err != nil || resp.StatusCode != want {
			t.Errorf("%s: got %v, %v, want %d", in, resp, err, want)
		}
	}
}

func TestFormsAreWrittenAsPHPReadsThem(t *testing.T) {
	form := url.Values{}
	addForm(form, "", map[string]any{"a": "1", "b": map[string]any{"c": map[string]any{"d": int64(2)}}, "e": []any{"x", nil}})
	if got, want := form.Encode(), "a=1&b%5Bc%5D%5Bd%5D=2&e%5B0%5D=x&e%5B1%5D="; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
