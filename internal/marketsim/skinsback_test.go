package marketsim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestSkinsBackBuyTellsWhatItDid(t *testing.T) {
	r := start(t, Config{})
	r.pin(SkinsBack, redline, "12.45", 3)
	got := r.buy(redline, object{"custom_id": "ord-0001", "max_price": "12.45"})
	item := got["item"].(object)
	if item["name"] != redline || item["price"] != json.Number("12.45") || item["id"] == "" {
		t.Errorf("item: got %v", item)
	}
	if got["offer_status"] != "creating_trade" || got["balance_debited_sum"] != json.Number("12.45") || got["custom_id"] != "ord-0001" {
		t.Errorf("got %v", got)
	}
	if balance := r.sb("balance", nil); balance["balance"] != "9987.550" || balance["balance_in_currencies"].(object)["eur"] != "8589.293" {
		t.Errorf("balance: got %v", balance)
	}
	info := r.sb("market_getinfo", object{"buy_id": got["buy_id"]})
	want := object{
		"status": "success",
		"item": object{
			"id": string(item["id"].(json.Number)), "name": redline, "price": "12.45", "classid": item["classid"],
		},
		"buy_id": string(got["buy_id"].(json.Number)), "offer_status": "creating_trade",
		"steamid": "76561198060265729", "date": "1770000000", "balance_debited_sum": "12.45",
		"tradeofferid": nil, "custom_id": "ord-0001", "error_reason": nil,
	}
	if fmt.Sprint(info) != fmt.Sprint(want) {
		t.Errorf("getinfo: got %v, want %v", info, want)
	}
	r.checkBooks(10_000 * dollar)
}

func TestSkinsBackRefusals(t *testing.T) {
	r := start(t, Config{Balance: 50 * dollar})
	r.pin(SkinsBack, redline, "12.45", 3)
	r.pin(SkinsBack, asiimov, "70", 1)
	r.pin(SkinsBack, phase2, "600", 0)
	if got := r.buy(redline, object{"custom_id": "taken"}); got["status"] != "success" {
		t.Fatalf("got %v", got)
	}
	before := r.Balance(SkinsBack)
	for _, c := range []struct {
		method string
		params object
		code   int
		text   string
	}{
		{"market_steal", nil, -5, "invalid_method"},
		{"", nil, -5, "invalid_method"},
		{"market_buy", object{"partner": "1", "token": "t"}, 1, "missing_name_and_id"},
		{"market_buy", object{"name": "AK", "partner": "1", "token": "t"}, 2, "name_min_length_3"},
		{"market_buy", object{"name": redline, "token": "t"}, 3, "missing_partner_or_token"},
		{"market_buy", object{"name": redline, "partner": "1"}, 3, "missing_partner_or_token"},
		{"market_buy", object{"name": asiimov, "partner": "1", "token": "t"}, 4, "insufficient_funds"},
		{"market_buy", object{"name": phase2, "partner": "1", "token": "t"}, 5, "skin_unavailable"},
		{"market_buy", object{"name": redline, "game": "rust", "partner": "1", "token": "t"}, 5, "skin_unavailable"},
		{"market_buy", object{"id": 7, "partner": "1", "token": "t"}, 5, "skin_unavailable"},
		{"market_buy", object{"id": "x", "partner": "1", "token": "t"}, 5, "skin_unavailable"},
		{"market_buy", object{"name": redline, "partner": "1", "token": "t", "max_price": 12.44}, 6, "skins_not_found_at_specified_price"},
		{"market_buy", object{"name": redline, "partner": "1", "token": "t", "custom_id": "taken"}, 7, "custom_id_already_exists"},
		{"market_buy", object{"name": redline, "partner": "me", "token": "t"}, 8, "invalid_partner_value"},
		{"market_search", nil, 1, "name_or_names_required"},
		{"market_search", object{"name": "ak"}, 2, "name_min_length_3"},
		{"market_search", object{"names": []string{redline, "x"}}, 2, "name_min_length_3"},
		{"market_getinfo", nil, 1, "missing_buy_id"},
		{"market_getinfo", object{"buy_id": 1}, 2, "offer_not_found"},
		{"market_history", object{"starting": 1}, 1, "missing_starting_or_ending"},
	} {
		t.Run(c.method+" "+c.text, func(t *testing.T) {
			wantError(t, r.sb(c.method, c.params), c.code, c.text)
		})
	}
	_, body, err := r.do(http.MethodGet, r.server.SkinsBackURL, "")
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, decode(t, body), -1, "please_use_post_method")
	if after := r.Balance(SkinsBack); after != before || len(r.Purchases()) != 1 {
		t.Errorf("refusals cost money: balance %d, was %d, purchases %v", after, before, r.Purchases())
	}
}

func TestSkinsBackStockRunsOut(t *testing.T) {
	r := start(t, Config{})
	r.pin(SkinsBack, redline, "12.45", 2)
	for i := range 2 {
		if got := r.buy(redline, nil); got["status"] != "success" {
			t.Fatalf("purchase %d: got %v", i, got)
		}
	}
	wantError(t, r.buy(redline, nil), 5, "skin_unavailable")
	row := r.grouped()[redline]
	if row["count"] != json.Number("0") {
		t.Errorf("got %v, want count 0", row)
	}
}

// grouped returns the price list by name.
func (r *rig) grouped() map[string]object {
	r.t.Helper()
	rows := map[string]object{}
	for _, row := range r.sb("market_pricelist", nil)["items"].([]any) {
		if row, ok := row.(object); ok {
			rows[row["name"].(string)] = row
		}
	}
	return rows
}

// lots returns the rows of the full price list.
func (r *rig) lots(more object) []object {
	r.t.Helper()
	p := object{"full": 1}
	for k, v := range more {
		p[k] = v
	}
	var rows []object
	for _, row := range r.sb("market_pricelist", p)["items"].([]any) {
		rows = append(rows, row.(object))
	}
	return rows
}

func TestSkinsBackDopplers(t *testing.T) {
	r := start(t, Config{})
	r.pin(SkinsBack, phase2, "600", 3)
	r.pin(SkinsBack, ruby, "2500", 2)

	rows := r.grouped()
	for name, want := range map[string][2]json.Number{phase2: {"600", "3"}, ruby: {"2500", "2"}, bareKnife: {"600", "5"}} {
		if got := rows[name]; got["price"] != want[0] || got["count"] != want[1] {
			t.Errorf("%s: got %v, want price and count %v", name, got, want)
		}
	}
	// In the full list every lot comes with and without its phase.
	names := map[any]map[any]int{}
	for _, row := range r.lots(nil) {
		if names[row["id"]] == nil {
			names[row["id"]] = map[any]int{}
		}
		names[row["id"]][row["name"]]++
	}
	phased := 0
	for id, of := range names {
		if of[phase2]+of[ruby] > 0 {
			phased++
			if of[bareKnife] != 1 || len(of) != 2 {
				t.Errorf("lot %v: got names %v, want a twin without phase", id, of)
			}
		}
	}
	if phased != 5 {
		t.Errorf("got %d lots with a phase, want 5", phased)
	}
	got := r.buy(bareKnife, nil)
	if item := got["item"].(object); item["name"] != phase2 {
		t.Errorf("bought %v, want the cheapest phase", item)
	}
	if got := r.buy(ruby, object{"custom_id": "r"}); got["item"].(object)["name"] != ruby {
		t.Errorf("got %v, want the ruby", got)
	}
}

func TestSkinsBackBuyByID(t *testing.T) {
	r := start(t, Config{})
	var want object
	for _, row := range r.lots(nil) {
		if row["name"] == redline {
			want = row // the dearest, prices ascend
		}
	}
	p := object{"id": want["id"], "partner": "1", "token": "t"}
	got := r.sb("market_buy", p)
	if item, _ := got["item"].(object); fmt.Sprint(item["id"]) != want["id"] || item["price"] != want["price"] {
		t.Errorf("got %v, want lot %v", got, want)
	}
	wantError(t, r.sb("market_buy", p), 5, "skin_unavailable")
}

func TestSkinsBackLotsAscend(t *testing.T) {
	r := start(t, Config{Items: 300})
	last, seen := map[string]int64{}, map[string]bool{}
	extended := r.lots(object{"extended": 1})
	for i, row := range r.lots(nil) {
		name, id := row["name"].(string), row["id"].(string)
		price, ok := parseMoney(string(row["price"].(json.Number)))
		if !ok || price < last[name] {
			t.Fatalf("row %d: %v is cheaper than the one before", i, row)
		}
		if last[name] = price; seen[id+name] {
			t.Fatalf("row %d: %v comes twice", i, row)
		}
		seen[id+name] = true
		if extended[i]["id"] != id || extended[i]["extra"] == nil {
			t.Fatalf("extended row %d: got %v", i, extended[i])
		}
	}
}

func TestSkinsBackBatch(t *testing.T) {
	r := start(t, Config{Balance: 1000 * dollar})
	r.pin(SkinsBack, redline, "10", 3)
	r.pin(SkinsBack, ruby, "2500", 1)
	ids := map[string][]string{}
	for _, row := range r.lots(nil) {
		ids[row["name"].(string)] = append(ids[row["name"].(string)], row["id"].(string))
	}
	r.buy(redline, object{"id": ids[redline][2], "custom_id": "old"})
	in := object{"partner": "1", "token": "t", "items": []object{
		{"id": ids[redline][0], "max_price": 10, "custom_id": "a"},
		{"id": ids[ruby][0], "custom_id": "b"},
		{"id": ids[redline][2], "custom_id": "c"},
		{"id": ids[redline][1], "max_price": "9.99", "custom_id": "d"},
		{"id": ids[redline][1], "custom_id": "old"},
	}}
	got := r.sb("market_batch_buy", in)
	if bought := got["purchased"].([]any); len(bought) != 1 || bought[0].(object)["custom_id"] != "a" {
		t.Errorf("purchased: got %v", bought)
	}
	reasons := map[string]string{}
	for _, row := range got["unavailable"].([]any) {
		row := row.(object)
		reasons[row["custom_id"].(string)] = fmt.Sprint(row["error_code"], row["error_message"])
	}
	want := map[string]string{
		"b": "4insufficient_funds", "c": "5skin_unavailable",
		"d": "6skins_not_found_at_specified_price", "old": "7custom_id_already_exists",
	}
	if fmt.Sprint(reasons) != fmt.Sprint(want) {
		t.Errorf("unavailable: got %v, want %v", reasons, want)
	}
	wantError(t, r.sb("market_batch_buy", object{"items": in["items"]}), 3, "missing_partner_or_token")
	wantError(t, r.sb("market_batch_buy", object{"partner": "1", "token": "t"}), 27, "missing_items")
}

func TestSkinsBackSearch(t *testing.T) {
	r := start(t, Config{})
	r.pin(SkinsBack, phase2, "600", 2)
	r.pin(SkinsBack, ruby, "2500", 1)
	rows := r.sb("market_search", object{"name": "karambit"})["items"].([]any)
	if len(rows) != 6 {
		t.Errorf("by part of a name: got %d rows, want 3 lots under 2 names", len(rows))
	}
	rows = r.sb("market_search", object{"names": []string{ruby, redline[:10]}})["items"].([]any)
	if len(rows) != 1 || rows[0].(object)["price"] != "2500" {
		t.Errorf("by exact names: got %v, want the ruby", rows)
	}
	if rows := r.sb("market_search", object{"name": "nowhere"})["items"].([]any); len(rows) != 0 {
		t.Errorf("got %v, want nothing", rows)
	}
}

func TestSkinsBackGetInfoOfMany(t *testing.T) {
	r := start(t, Config{})
	r.pin(SkinsBack, redline, "10", 3)
	first := r.buy(redline, object{"custom_id": "a"})["buy_id"]
	r.buy(redline, object{"custom_id": "b"})
	for _, p := range []object{
		{"custom_ids": []string{"a", "missing", "b"}},
		{"buy_ids": []any{first, "70002", 99}},
	} {
		if got := r.sb("market_getinfo", p)["items"].([]any); len(got) != 2 {
			t.Errorf("%v: got %v, want two purchases", p, got)
		}
	}
	// The same as a form, arrays the way PHP writes them.
	body := "method=market_getinfo&custom_ids%5B%5D=a&custom_ids%5B%5D=b"
	req, _ := http.NewRequest(http.MethodPost, r.server.SkinsBackURL, strings.NewReader(body))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("X-CLIENT-ID", DemoClientID)
	req.Header.Set("X-CLIENT-SECRET", DemoClientSecret)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var got struct{ Items []any }
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil || len(got.Items) != 2 {
		t.Errorf("form: got %v, %v", got, err)
	}
}

func TestSkinsBackHistoryPages(t *testing.T) {
	r := start(t, Config{Balance: 1_000_000 * dollar, RatePerMinute: 10_000})
	r.pin(SkinsBack, redline, "1", 2100)
	for range 2100 {
		w := r.World
		w.mu.Lock()
		l, best, ok := w.cheapest(w.skinsback, key{cs2, redline})
		if !ok {
			t.Fatal("sold out")
		}
		w.place(w.skinsback, purchaseTerms{listing: l, lot: best, amount: best.price})
		w.mu.Unlock()
	}
	p := object{"starting": 1_769_999_999, "ending": "1770000001"}
	seen := map[any]bool{}
	for page := 1; ; page++ {
		got := r.sb("market_history", p)
		if got["total_count"] != "2100" {
			t.Errorf("total_count: got %v", got["total_count"])
		}
		for _, row := range got["items"].([]any) {
			seen[row.(object)["buy_id"]] = true
		}
		if got["has_more"] == false {
			if page != 3 || len(seen) != 2100 || got["start_from"] != nil {
				t.Errorf("ended on page %d with %d purchases, start_from %v", page, len(seen), got["start_from"])
			}
			break
		}
		p["start_from"] = got["start_from"]
	}
	if got := r.sb("market_history", object{"starting": 1, "ending": 2}); got["total_count"] != "0" {
		t.Errorf("outside of the range: got %v", got["total_count"])
	}
}

func TestSkinsBackRateLimit(t *testing.T) {
	r := start(t, Config{RatePerMinute: 5})
	for range 5 {
		r.clock.advance(2 * time.Second)
		if got := r.sb("status", nil); got["available"] != true {
			t.Fatalf("got %v", got)
		}
	}
	tooMany := func() {
		t.Helper()
		wantError(t, r.sb("status", nil), -7, "request_limit_reached")
	}
	tooMany() // the sixth starts a block
	r.clock.advance(59 * time.Second)
	tooMany() // asking again does not prolong it
	r.clock.advance(time.Second)
	if got := r.sb("status", nil); got["status"] != "success" {
		t.Errorf("after the block: got %v", got)
	}
	if got := r.MaxPerMinute(SkinsBack); got != 6 {
		t.Errorf("most per minute: got %d, want 6", got)
	}
	if got := r.Requests(SkinsBack)["status"]; got != 8 {
		t.Errorf("requests: got %d, want 8", got)
	}
}

func TestSkinsBackNumberStrings(t *testing.T) {
	r := start(t, Config{NumberStrings: true})
	r.pin(SkinsBack, redline, "12.45", 2)
	if row := r.grouped()[redline]; row["price"] != "12.45" || row["count"] != "2" {
		t.Errorf("got %v, want strings", row)
	}
	if got := r.buy(redline, nil); got["balance_debited_sum"] != "12.45" || got["item"].(object)["price"] != "12.45" {
		t.Errorf("got %v, want strings", got)
	}
}

func TestSkinsBackOtherGames(t *testing.T) {
	r := start(t, Config{Items: 400})
	for _, game := range []string{"rust", "dota2"} {
		items := r.sb("market_pricelist", object{"game": game})["items"].([]any)
		if len(items) < 50 {
			t.Errorf("%s: got %d rows", game, len(items))
		}
		row := items[0].(object)
		if row["count"] == json.Number("0") {
			continue
		}
		got := r.buy(row["name"].(string), object{"game": game})
		if got["status"] != "success" {
			t.Errorf("%s: buy %v: got %v", game, row, got)
		}
	}
	if items := r.sb("market_pricelist", object{"game": "chess"})["items"].([]any); len(items) != 0 {
		t.Errorf("unknown game: got %d rows", len(items))
	}
}

func TestCurrencies(t *testing.T) {
	r := start(t, Config{})
	rows := r.sb("currencies", nil)["items"].([]any)
	if len(rows) != 10 || rows[0].(object)["rate"] != "1" || rows[1].(object)["rate"] != "81.25" {
		t.Errorf("got %v", rows)
	}
}

// number is a decimal of an answer in micro-dollars.
func number(t *testing.T, v any) int64 {
	t.Helper()
	amount, ok := parseMoney(fmt.Sprint(v))
	if !ok {
		t.Fatalf("%v is no amount", v)
	}
	return amount
}
