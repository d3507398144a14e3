package marketsim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"testing"
	"time"
)

func TestSIHOrderAndDuplicate(t *testing.T) {
	r := start(t, Config{})
	r.pin(SIH, redline, "12.345", 3)
	status, got := r.order(redline, "13", "arb-1", nil)
	if want := (object{"success": true, "id": json.Number("700001"), "balance": json.Number("9987")}); status != 200 || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("got %d %v, want %v", status, got, want)
	}
	want := object{
		"id": json.Number("700001"), "customId": "arb-1", "steamId": "76561198000000000", "item": redline,
		"amount": json.Number("13"), "expectedAmount": json.Number("12.345"), "status": "created",
		"error": nil, "sender": nil, "created": json.Number("1770000000"), "updated": json.Number("1770000000"),
	}
	if got := r.stored("arb-1"); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("stored: got %v, want %v", got, want)
	}
	// A duplicate comes back as it is stored, whatever is asked for this time.
	delete(want, "expectedAmount")
	status, got = r.order(asiimov, "99", "arb-1", nil)
	if status != 409 || got["error"] != "custom id already exists" || fmt.Sprint(got["order"]) != fmt.Sprint(want) {
		t.Errorf("duplicate: got %d %v, want %v", status, got, want)
	}
	if purchases := r.Purchases(); len(purchases) != 1 || purchases[0].Price != 12_345_000 || purchases[0].Debited != 13*dollar {
		t.Errorf("purchases: got %+v", purchases)
	}
	r.checkBooks(10_000 * dollar)
}

func TestSIHRefusals(t *testing.T) {
	r := start(t, Config{Balance: 100 * dollar})
	r.pin(SIH, redline, "12.345", 1)
	r.pin(SIH, asiimov, "150", 1)
	for _, c := range []struct {
		name, item, amount string
		more               object
		status             int
		text               string
	}{
		{"above the amount", redline, "12.344", nil, 400, "item price changed"},
		{"no such item", "AK-47 | Nothing", "50", nil, 400, "item not found"},
		{"other game", redline, "50", object{"appId": 440}, 400, "item not found"},
		{"no money", asiimov, "150", nil, 400, "not enough balance"},
		{"bad steamId", redline, "50", object{"steamId": "1"}, 400, "invalid tradelink"},
		{"no token", redline, "50", object{"token": ""}, 400, "invalid tradelink"},
		{"no amount", redline, "0", nil, 400, "unknown error"},
		{"no customId", redline, "50", object{"customId": ""}, 400, "unknown error"},
	} {
		status, got := r.order(c.item, c.amount, "x", c.more)
		if status != c.status || got["error"] != c.text || got["success"] != false {
			t.Errorf("%s: got %d %v, want %d %q", c.name, status, got, c.status, c.text)
		}
	}
	if got := r.Balance(SIH); got != 100*dollar || len(r.Purchases()) != 0 {
		t.Errorf("refusals cost money: balance %s, %v", FormatUSD(got), r.Purchases())
	}
	if status, got := r.order(redline, "12.345", "x", nil); status != 200 {
		t.Errorf("the exact amount: got %d %v", status, got)
	}
	if status, got := r.order(redline, "50", "y", nil); status != 400 || got["error"] != "item not found" {
		t.Errorf("sold out: got %d %v", status, got)
	}
	for path, want := range map[string]string{"/get-order": "order is not found", "/get-items?appId=1": "unknown error"} {
		_, body, err := r.do(http.MethodGet, r.server.SIHURL+path, "")
		if err != nil {
			t.Fatal(err)
		}
		if got := decode(t, body); got["error"] != want {
			t.Errorf("%s: got %v, want %q", path, got, want)
		}
	}
}

func TestSIHKey(t *testing.T) {
	r := start(t, Config{})
	for _, key := range []string{"", "guess"} {
		req, _ := http.NewRequest(http.MethodGet, r.server.SIHURL+"/project", nil)
		req.Header.Set("apikey", key)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		var got object
		err = json.NewDecoder(resp.Body).Decode(&got)
		resp.Body.Close()
		if err != nil || resp.StatusCode != 401 || got["error"] != "invalid api key" {
			t.Errorf("key %q: got %d %v, %v", key, resp.StatusCode, got, err)
		}
	}
	if status, got := r.get("/nowhere"); status != 404 || got["success"] != false {
		t.Errorf("unknown path: got %d %v", status, got)
	}
	status, got := r.get("/project")
	if project := got["project"].(object); status != 200 || project["balance"] != json.Number("10000") || project["webhook"] != nil {
		t.Errorf("project: got %d %v", status, got)
	}
	r.get("/set-webhook", "url", "https://example.com/hook")
	if _, got := r.get("/project"); got["project"].(object)["webhook"] != "https://example.com/hook" {
		t.Errorf("project: got %v", got)
	}
}

func TestSIHTestOrder(t *testing.T) {
	r := start(t, Config{})
	r.pin(SIH, redline, "12", 1)
	status, got := r.order(redline, "12", "try", object{"test": true})
	if status != 200 || got["balance"] != json.Number("10000") {
		t.Fatalf("got %d %v", status, got)
	}
	r.clock.advance(80 * time.Second)
	if got := r.stored("try"); got["status"] != "finished" {
		t.Errorf("got %v, want a life like any other", got)
	}
	if len(r.Purchases()) != 0 || r.Balance(SIH) != 10_000*dollar {
		t.Errorf("a test order cost money: %v", r.Purchases())
	}
	if _, got := r.get("/wallet/history"); len(got["data"].([]any)) != 0 {
		t.Errorf("wallet: got %v", got)
	}
	if status, _ := r.order(redline, "12", "real", nil); status != 200 {
		t.Errorf("a test order used up the stock")
	}
}

func TestSIHItems(t *testing.T) {
	r := start(t, Config{Items: 2000})
	_, plain := r.get("/get-items", "appId", "730")
	_, extended := r.get("/get-items", "appId", "730", "extended", "true")
	_, minified := r.get("/get-items", "appId", "730", "minified", "true")
	if plain["success"] != true {
		t.Fatalf("got %v", plain)
	}
	items := plain["items"].(object)
	if len(items) < 1500 || len(items) != len(extended["items"].(object)) || len(items) != len(minified["items"].(object)) {
		t.Errorf("got %d, %d and %d names", len(items), len(extended["items"].(object)), len(minified["items"].(object)))
	}
	count := map[string]int{}
	for name, record := range items {
		record, ok := record.(object)
		if !ok {
			count["null"]++
			continue
		}
		switch price := record["price"].(type) {
		case json.Number:
			if price == "0" {
				count["zero"]++
			}
		case string:
			if price == "n/a" {
				count["n/a"]++
			} else {
				count["string"]++
			}
		}
		if name[0] == ' ' {
			count["padded"]++
		}
		bare, phase := splitPhase(name)
		if isDoppler(bare) && phase == "" {
			count["untold"]++
		}
		if phase == "" && record["phase"] == "Phase 1" {
			count["placeholder"]++
		}
		short, _ := minified["items"].(object)[name].(object)
		long, _ := extended["items"].(object)[name].(object)
		if len(short) != 2 || long["steam"] != nil || long["image"] == nil || fmt.Sprint(short["price"], long["count"]) != fmt.Sprint(record["price"], record["count"]) {
			t.Errorf("%s: plain %v, minified %v, extended %v", name, record, short, long)
		}
	}
	for _, want := range []string{"null", "zero", "n/a", "padded", "string", "untold", "placeholder"} {
		if count[want] == 0 {
			t.Errorf("no record is %s", want)
		}
	}
	for _, appID := range []string{"440", "252490"} {
		if _, got := r.get("/get-items", "appId", appID); len(got["items"].(object)) < 100 {
			t.Errorf("app %s: got %d names", appID, len(got["items"].(object)))
		}
	}
}

func TestSIHMinItem(t *testing.T) {
	r := start(t, Config{})
	r.pin(SIH, redline, "12.345", 2)
	status, got := r.get("/get-min-item", "item", redline, "appId", "730")
	want := object{"success": true, "items": object{redline: object{"price": json.Number("12.345"), "count": json.Number("2")}}}
	if status != 200 || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if _, got := r.get("/get-min-item", "item", "nothing"); len(got["items"].(object)) != 0 {
		t.Errorf("got %v, want no items", got)
	}
}

func TestSIHReadingManyOrders(t *testing.T) {
	r := start(t, Config{})
	r.pin(SIH, redline, "10", 5)
	for i := range 5 {
		r.order(redline, "10", fmt.Sprint("arb-", i), nil)
		r.clock.advance(time.Second)
	}
	status, got := r.get("/get-order-history", "limit", "2", "offset", "1")
	orders := got["orders"].([]any)
	if status != 200 || len(orders) != 2 || orders[0].(object)["customId"] != "arb-3" {
		t.Errorf("history: got %d %v, want the second newest first", status, got)
	}
	if p := got["pagination"].(object); p["count"] != json.Number("5") || p["limit"] != json.Number("2") {
		t.Errorf("pagination: got %v", p)
	}
	if status, _ := r.get("/get-order-history", "limit", "x"); status != 400 {
		t.Errorf("bad limit: got %d, want 400", status)
	}
	_, got = r.post("/get-orders", object{"ids": []int{700001, 700002, 5}, "customIds": []string{"arb-1", "arb-4", "none"}})
	if orders := got["orders"].([]any); len(orders) != 3 {
		t.Errorf("get-orders: got %v, want three different orders", orders)
	}
	if _, got := r.get("/get-order", "id", "700002"); got["order"].(object)["customId"] != "arb-1" {
		t.Errorf("by id: got %v", got)
	}
}

func TestSIHWallet(t *testing.T) {
	r := start(t, Config{})
	r.pin(SIH, redline, "10", 1)
	r.order(redline, "10.5", "arb-1", nil)
	r.clock.advance(80 * time.Second)
	status, got := r.get("/wallet/history", "walletTypeId", "1")
	rows := got["data"].([]any)
	if status != 200 || len(rows) != 2 {
		t.Fatalf("got %d %v, want two rows", status, got)
	}
	refund, purchase := rows[0].(object), rows[1].(object)
	if fmt.Sprintf("%v %v %v", purchase["typeId"], purchase["amount"], purchase["created"]) != "1 -10.5 1770000000000" {
		t.Errorf("purchase: got %v", purchase)
	}
	if fmt.Sprintf("%v %v %v %v", refund["typeId"], refund["amount"], refund["created"], refund["data"]) != "5 0.5 1770000080000 map[orderId:700001]" {
		t.Errorf("refund: got %v", refund)
	}
	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	if id := refund["id"].(string); !uuid.MatchString(id) || id == purchase["id"] {
		t.Errorf("id: got %v", id)
	}
	if _, got := r.get("/wallet/history", "typeIds", "2,5"); len(got["data"].([]any)) != 1 {
		t.Errorf("types 2 and 5: got %v", got)
	}
	if _, got := r.get("/wallet/history", "walletTypeId", "2"); len(got["data"].([]any)) != 0 {
		t.Errorf("deposit wallet: got %v", got)
	}
}
