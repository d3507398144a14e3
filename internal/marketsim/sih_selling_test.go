package marketsim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const seller1 = "76561198000000001"

// sells starts a world with an attached account and the Redline at 12.345, three
// of it.
func sells(t *testing.T, cfg Config) *rig {
	t.Helper()
	r := start(t, cfg)
	r.pin(SIH, redline, "12.345", 3)
	if status, got := r.post("/project/user", object{"steamId": seller1, "tradeToken": "SSH18JS"}); status != 200 {
		t.Fatalf("attach: got %d %v", status, got)
	}
	return r
}

// give puts a Redline into the inventory.
func (r *rig) give() string {
	r.t.Helper()
	id, err := r.Give(seller1, redline)
	if err != nil {
		r.t.Fatal(err)
	}
	return id
}

// deposit puts one item on sale and expects it there; it gives SIH's id.
func (r *rig) deposit(asset, price, customID string) string {
	r.t.Helper()
	status, got := r.offer(asset, price, customID, nil)
	data := got["data"].([]any)
	if status != 200 || len(data) != 1 || len(got["errors"].([]any)) != 0 {
		r.t.Fatalf("deposit: got %d %v", status, got)
	}
	return data[0].(object)["id"].(string)
}

func (r *rig) offer(asset, price, customID string, more object) (int, object) {
	r.t.Helper()
	item := object{"id": asset, "price": json.Number(price), "customId": customID, "amount": 1}
	for k, v := range more {
		item[k] = v
	}
	return r.post("/project/deposit", object{"steamId": seller1, "appId": 730, "items": []object{item}})
}

// state is what became of what was put on sale first.
func (r *rig) state() string {
	r.t.Helper()
	return r.Sales()[0].State
}

func TestSIHAccounts(t *testing.T) {
	r := start(t, Config{})
	r.BanAccount("76561198000000009", "steam trade ban")
	mays := func(trade, p2p string) string {
		return fmt.Sprintf(`map[canP2P:map[error:%s success:%t] canTrade:map[error:%s success:%t] steamId:`, p2p, p2p == "", trade, trade == "")
	}
	for _, c := range []struct {
		name, steamID, token string
		status               int
		want                 string
	}{
		{"good", seller1, "SSH18JS", 200, mays("", "")},
		{"again", seller1, "other", 200, mays("", "")},
		{"banned", "76561198000000009", "SSH18JS", 400, mays("steam trade ban", "user not found")},
		{"no account", "5", "SSH18JS", 400, mays("invalid tradelink", "user not found")},
		{"no token", seller1, "", 400, mays("invalid tradelink", "user not found")},
	} {
		status, got := r.post("/project/user", object{"steamId": c.steamID, "tradeToken": c.token})
		if want := c.want + c.steamID + "]"; status != c.status || got["success"] != true || fmt.Sprint(got["data"]) != want {
			t.Errorf("%s: got %d %v, want %d %s", c.name, status, got, c.status, want)
		}
	}
	for i := range 149 {
		r.post("/project/user", object{"steamId": fmt.Sprintf("76561198000001%03d", i), "tradeToken": "SSH18JS"})
	}
	for _, c := range []struct {
		query string
		rows  int
		page  string // pagination, or the text of a 400
	}{
		{"", 100, "map[hasMore:true limit:100 offset:0 total:150]"},
		{"check=true&limit=60&offset=100", 50, "map[hasMore:false limit:60 offset:100 total:150]"},
		{"check=false", 150, "map[hasMore:false limit:1000 offset:0 total:150]"},
		{"check=false&offset=500", 0, "map[hasMore:false limit:1000 offset:500 total:150]"},
		{"check=false&limit=2000", 0, "limit 2000 exceeds the cap of 1000 for check=false. Use check=false for larger pages (cap 1000)."},
		{"limit=101", 0, "limit 101 exceeds the cap of 100 for check=true. Use check=false for larger pages (cap 1000)."},
		{"limit=0", 0, "invalid limit"},
		{"limit=x", 0, "invalid limit"},
		{"offset=-1", 0, "invalid offset"},
	} {
		resp, body, err := r.do(http.MethodGet, r.server.SIHURL+"/project/users?"+c.query, "")
		if err != nil {
			t.Fatal(err)
		}
		got := decode(t, body)
		rows, _ := got["data"].([]any)
		if resp.StatusCode == 400 && got["error"] != c.page || resp.StatusCode == 200 && fmt.Sprint(got["pagination"]) != c.page || len(rows) != c.rows {
			t.Errorf("%s: got %d, %d rows, %v %v, want %d rows and %s", c.query, resp.StatusCode, len(rows), got["pagination"], got["error"], c.rows, c.page)
		}
	}

	online := func() bool {
		_, got := r.get("/project/users", "check", "false", "limit", "1")
		return got["data"].([]any)[0].(object)["online"].(bool)
	}
	for _, c := range []struct {
		path   string
		body   object
		status int
		online bool
	}{
		{"/project/user/" + seller1 + "/online/false", object{}, 200, false},
		{"/project/users/online/true", object{"steamIds": []string{seller1}}, 200, true},
		{"/project/users/online/false", object{"steamIds": []string{seller1, "5"}}, 400, true},
		{"/project/users/online/false", object{}, 400, true},
		{"/project/users/online/maybe", object{"steamIds": []string{seller1}}, 400, true},
		{"/project/user/5/online/false", object{}, 400, true},
	} {
		status, got := r.post(c.path, c.body)
		if status != c.status || online() != c.online {
			t.Errorf("%s %v: got %d %v and online %t, want %d and %t", c.path, c.body, status, got, online(), c.status, c.online)
		}
	}
	if status, got := r.get("/project/user/" + seller1); status != 200 || got["data"].(object)["steamId"] != seller1 {
		t.Errorf("one: got %d %v", status, got)
	}
	if status, got := r.get("/project/user/5"); status != 400 || got["success"] != false {
		t.Errorf("nobody: got %d %v", status, got)
	}
	if n := r.Requests(SIH)["project/user/{steamId}/online/{online}"]; n != 2 {
		t.Errorf("got %d requests under the path's pattern, want 2", n)
	}
}

func TestSIHDepositRefusals(t *testing.T) {
	r := sells(t, Config{})
	asset, taken := r.give(), r.give()
	r.deposit(taken, "15", "dep-0")
	for _, c := range []struct {
		name, asset, price, customID string
		more                         object
		problem                      string
	}{
		{"another's item", "7", "12", "a", nil, "item 7 is not in the inventory"},
		{"no price", asset, "0", "a", nil, "item " + asset + " has no price"},
		{"two of one", asset, "12", "a", object{"amount": 2}, "item " + asset + " has another amount"},
		{"already on sale", taken, "12", "a", nil, "item " + taken + " is on sale already"},
		{"id used before", asset, "12", "dep-0", nil, "item " + asset + " has a custom id that already exists"},
	} {
		status, got := r.offer(c.asset, c.price, c.customID, c.more)
		if want := fmt.Sprintf("map[data:[] errors:[%s] success:true]", c.problem); status != 200 || fmt.Sprint(got) != want {
			t.Errorf("%s: got %d %v, want %s", c.name, status, got, want)
		}
	}
	// One bad item does not keep the others away.
	status, got := r.post("/project/deposit", object{"steamId": seller1, "appId": 730, "items": []object{
		{"id": "7", "price": 1, "customId": "x", "amount": 1}, {"id": asset, "price": "12.5", "customId": "y", "amount": 1},
	}})
	if listed := got["data"].([]any); status != 200 || len(listed) != 1 || len(got["errors"].([]any)) != 1 || listed[0].(object)["assetid"] != asset || listed[0].(object)["price"] != json.Number("12.5") {
		t.Errorf("one of two: got %d %v", status, got)
	}
	for name, in := range map[string]object{
		"no items":    {"steamId": seller1, "appId": 730, "items": []object{}},
		"many items":  {"steamId": seller1, "appId": 730, "items": make([]object, maxDeposit+1)},
		"no such app": {"steamId": seller1, "appId": 1, "items": []object{{"id": "1"}}},
	} {
		if status, got := r.post("/project/deposit", in); status != 400 || got["error"] != "unknown error" {
			t.Errorf("%s: got %d %v, want 400", name, status, got)
		}
	}
	// Who may not sell is told why, with the account.
	for steamID, why := range map[string]string{seller1: "steam trade ban", "76561198000000002": "user not found"} {
		r.BanAccount(seller1, "steam trade ban")
		status, got := r.post("/project/deposit", object{"steamId": steamID, "appId": 730, "items": []object{{"id": asset}}})
		if data, _ := got["data"].(object); status != 400 || got["success"] != false || got["error"] != why || data["steamId"] != steamID {
			t.Errorf("%s: got %d %v, want %q", steamID, status, got, why)
		}
	}
	// In protection an item cannot be traded on.
	r = sells(t, Config{})
	if status, got := r.order(redline, "12.345", "buy-1", object{"steamId": seller1}); status != 200 {
		t.Fatalf("got %d %v", status, got)
	}
	bought := func() string {
		had := r.Inventory(seller1)
		return had[len(had)-1].ID
	}
	r.clock.advance(5 * time.Minute)
	if status, got := r.offer(bought(), "12", "a", nil); status != 200 || !strings.Contains(fmt.Sprint(got["errors"]), "is not tradable") {
		t.Errorf("in protection: got %d %v, want it not tradable", status, got)
	}
	r.clock.advance(9 * 24 * time.Hour)
	r.deposit(bought(), "12", "a")
}

func TestSIHDepositsAppearAndSell(t *testing.T) {
	r := sells(t, Config{SaleFeeBps: 500})
	id := r.deposit(r.give(), "12.3", "dep-1")
	_, got := r.get("/get-min-item", "item", redline)
	if want := "map[AK-47 | Redline (Field-Tested):map[count:4 price:12.3]]"; fmt.Sprint(got["items"]) != want {
		t.Errorf("got %v, want %s", got["items"], want)
	}
	_, got = r.get("/get-items", "appId", "730", "minified", "true")
	if want := "map[count:4 price:12.3]"; fmt.Sprint(got["items"].(object)[redline]) != want {
		t.Errorf("catalog: got %v, want %s", got["items"].(object)[redline], want)
	}
	_, got = r.get("/project/deposits")
	if want := fmt.Sprintf("[map[customId:dep-1 id:%s price:12.3]]", id); fmt.Sprint(got["data"]) != want {
		t.Errorf("on sale: got %v, want %s", got["data"], want)
	}

	// Cheaper than everybody else: the first who looks takes it.
	for waited := time.Duration(0); r.state() == "new" && waited < DefaultTiming.Sale*3/2; waited += 30 * time.Second {
		r.clock.advance(30 * time.Second)
	}
	if got := r.state(); got != "sold" {
		t.Errorf("after the first has looked: got %s, want sold", got)
	}
	if status, got := r.post("/project/delete-deposit", object{"ids": []string{id}}); status != 400 || got["error"] != "items not found" {
		t.Errorf("delete what is sold: got %d %v", status, got)
	}
	r.clock.advance(5 * time.Minute)
	if got := r.state(); got != "delivered" || r.DepositBalance() != 0 {
		t.Errorf("in protection: got %s and %s, want it delivered and no money yet", got, FormatUSD(r.DepositBalance()))
	}
	r.clock.advance(8 * 24 * time.Hour)
	if got := r.state(); got != "paid" || r.DepositBalance() != 11_685_000 || r.Balance(SIH) != 10_000*dollar {
		t.Errorf("after protection: got %s and %s, want it paid less five percent into the deposit wallet", got, FormatUSD(r.DepositBalance()))
	}
	rows := func(query ...string) []any {
		_, got := r.get("/wallet/history", query...)
		return got["data"].([]any)
	}
	if got := rows("walletTypeId", "2", "typeIds", "4"); len(got) != 1 || got[0].(object)["amount"] != json.Number("11.685") || got[0].(object)["data"].(object)["itemId"] != id {
		t.Errorf("deposit wallet: got %v", got)
	}
	if got := rows("walletTypeId", "1"); len(got) != 0 {
		t.Errorf("main wallet: got %v, want nothing", got)
	}
	if got := rows(); len(got) != 1 {
		t.Errorf("both: got %v, want the sale", got)
	}
}

// TestSIHDearDepositsStay: nobody pays more than a little over the others' ask,
// and who goes offline sells nothing.
func TestSIHDearDepositsStay(t *testing.T) {
	r := sells(t, Config{})
	asset := r.give()
	r.deposit(asset, "12.80", "dep-1")
	r.clock.advance(30 * 24 * time.Hour)
	if got := r.state(); got != "new" {
		t.Errorf("3.7 percent dearer: got %s, want it still on sale", got)
	}
	r.post("/project/delete-deposit", object{"customIds": []string{"dep-1"}})
	r.deposit(asset, "12.4", "dep-2")
	r.post("/project/user/"+seller1+"/online/false", object{})
	r.clock.advance(30 * 24 * time.Hour)
	if got := r.Sales()[1].State; got != "new" {
		t.Errorf("offline: got %s, want it still on sale", got)
	}
	r.post("/project/user/"+seller1+"/online/true", object{})
	r.clock.advance(24 * time.Hour)
	if got := r.Sales()[1].State; got != "delivered" {
		t.Errorf("half a percent dearer, a day: got %s, want it sold", got)
	}
}

// TestSIHSalesOfAFastWorld: a clock that jumps by years of buyers is followed at
// once.
func TestSIHSalesOfAFastWorld(t *testing.T) {
	r := sells(t, Config{Speed: 1e9})
	r.deposit(r.give(), "15", "dep-1")
	r.clock.advance(365 * 24 * time.Hour)
	if got := r.state(); got != "new" {
		t.Errorf("dearer than anybody pays: got %s, want it still on sale", got)
	}
	if looks := r.seller.deposits[0].buyers; looks < maxLooks/2 || looks > 3*maxLooks {
		t.Errorf("got %d people who looked, want about %d", looks, maxLooks)
	}
}

// TestSIHOrdersBuyDeposits: what a client has on sale can be bought by order, as
// anybody's, and is then sold.
func TestSIHOrdersBuyDeposits(t *testing.T) {
	r := sells(t, Config{})
	r.deposit(r.give(), "12", "dep-1")
	if status, got := r.order(redline, "12", "buy-1", nil); status != 200 {
		t.Fatalf("got %d %v", status, got)
	}
	if _, got := r.get("/project/deposits"); len(got["data"].([]any)) != 0 || r.state() != "sold" {
		t.Errorf("got %v and %s, want it sold", got, r.state())
	}
	if status, _ := r.order(redline, "12", "buy-2", nil); status != 400 {
		t.Errorf("bought twice: got %d, want 400", status)
	}
	r.clock.advance(30 * 24 * time.Hour)
	if got := r.state(); got != "paid" {
		t.Errorf("got %s, want it paid", got)
	}
	r.checkBooks(10_000 * dollar)
}

func TestSIHSalesGoWrong(t *testing.T) {
	r := sells(t, Config{Outcomes: Outcomes{Fail: 100}})
	id := r.deposit(r.give(), "12", "dep-1")
	for range 3 { // sold and back again, for ever
		r.order(redline, "12", fmt.Sprint("buy-", r.clock.Now().Unix()), nil)
		if got := r.state(); got != "sold" {
			t.Errorf("got %s, want it sold", got)
		}
		r.clock.advance(80 * time.Second)
		if _, got := r.get("/project/deposits"); !strings.Contains(fmt.Sprint(got["data"]), id) {
			t.Errorf("got %v, want %s on sale again", got, id)
		}
	}

	r = sells(t, Config{Outcomes: Outcomes{Rollback: 100}})
	asset := r.give()
	has := func() bool {
		return slices.ContainsFunc(r.Inventory(seller1), func(a Asset) bool { return a.ID == asset })
	}
	r.deposit(asset, "12", "dep-1")
	r.clock.advance(time.Hour)
	if has() || r.state() != "delivered" {
		t.Errorf("got %s and the item in the inventory: %t, want it with its buyer", r.state(), has())
	}
	r.clock.advance(10 * 24 * time.Hour)
	if !has() || r.state() != "returned" || r.DepositBalance() != 0 {
		t.Errorf("got %s, %s and the item in the inventory: %t, want it back and no money", r.state(), FormatUSD(r.DepositBalance()), has())
	}
	r.deposit(asset, "12", "dep-2")
}

// TestSIHSalesDoNotDependOnLooking: looked at every few minutes or once at the
// end, the same things were sold at the same time.
func TestSIHSalesDoNotDependOnLooking(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.Uint64().Draw(rt, "seed")
		price := rapid.Int64Range(12_000_000, 13_000_000).Draw(rt, "price")
		looks := rapid.SliceOfN(rapid.Int64Range(1, int64(3*24*time.Hour)), 1, 20).Draw(rt, "looks")
		run := func(often bool) string {
			c := &clock{now: time.Unix(1_770_000_000, 0)}
			w, err := New(Config{Seed: seed, Now: c.Now, Catalog: smallCatalog, Outcomes: DefaultOutcomes})
			if err != nil {
				rt.Fatal(err)
			}
			w.mu.Lock()
			w.seller.accounts = []*account{{steamID: seller1, online: true}}
			for i := range 3 {
				w.offer(&deposit{steamID: seller1, asset: fmt.Sprint(i), listing: w.sih.bySteam[key{cs2, redline}], price: price + int64(i)*mill})
			}
			w.mu.Unlock()
			for _, d := range looks {
				c.advance(time.Duration(d))
				if often {
					w.Sales()
				}
			}
			got := []string{fmt.Sprint(w.Sales(), w.DepositBalance())}
			for _, mv := range w.sih.wallet { // booked item by item at each look
				got = append(got, fmt.Sprint(mv.at.Unix(), mv.sale.id, mv.amount))
			}
			slices.Sort(got)
			return strings.Join(got, "\n")
		}
		if once, often := run(false), run(true); once != often {
			rt.Errorf("looked at once: %s\nlooked at %d times: %s", once, len(looks), often)
		}
	})
}

func TestInventory(t *testing.T) {
	r := start(t, Config{Items: 500})
	own := r.Inventory(seller1)
	if again := r.Inventory(seller1); len(own) < 16 || !slices.Equal(own, again) || slices.Equal(own, r.Inventory("76561198000000002")) {
		t.Errorf("got %d items, want some of every game, the same every time, and others for others", len(own))
	}
	games, ids := map[string]int{}, map[string]bool{}
	for _, a := range own {
		games[a.Game]++
		ids[a.ID] = true
	}
	if len(games) != 4 || len(ids) != len(own) {
		t.Errorf("got games %v and %d ids of %d items, want four and every id once", games, len(ids), len(own))
	}
	if _, err := r.Give(seller1, "nothing"); err == nil {
		t.Error("give nothing: got no error")
	}
}
