package marketsim

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// Of the account that sells in these tests.
const sellerSteamID = "76561198099999999"

// fakePartner sells what it does not have: it buys on the simulated SkinsBack for
// each order of SIH's. It is honest, unless one of its faults makes it otherwise.
type fakePartner struct {
	t      *testing.T
	world  *World
	clock  *clock
	server *httptest.Server

	// spoil changes an answer, which is to a poll or else to an order.
	spoil func(rw http.ResponseWriter, poll bool, answer object) (status int, body string)

	trusting bool // never looks at signatures
	cheap    bool // sells at any price
	generous bool // buys also for orders that it refuses
	double   bool // buys twice for each order
	careless bool // sends to another trade token
	hasty    bool // says that it is done before it is
	offline  bool // answers nothing

	mu    sync.Mutex
	items map[string]*fakeItem // by every id that they have
	sales map[string]*fakeSale // by SIH's customId
	seen  map[string]int       // answers by their text
}

type fakeItem struct {
	least int64 // micro-dollars
	taken bool
}

type fakeSale struct {
	id       int
	item     *fakeItem
	price    json.Number
	bought   string // SkinsBack's custom id
	until    int64  // 0: not accepted yet
	finished bool   // protection is over
}

// rigPartner serves an honest partner to a world.
func rigPartner(t *testing.T, cfg Config) *fakePartner {
	t.Helper()
	c := &clock{now: time.Unix(1_770_000_000, 0)}
	cfg.Now, cfg.Catalog, cfg.MovePct = c.Now, smallCatalog, -1
	w, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	f := &fakePartner{t: t, world: w, clock: c, items: map[string]*fakeItem{}, sales: map[string]*fakeSale{}, seen: map[string]int{}}
	f.server = httptest.NewServer(f)
	t.Cleanup(f.server.Close)
	p := cfg.Partner
	p.PurchaseURL, p.CheckURL = f.server.URL+"/create-purchase", f.server.URL+"/get-purchase"
	if err := w.SetPartner(p); err != nil {
		t.Fatal(err)
	}
	for market, ask := range map[string]int64{SkinsBack: 10 * dollar, SIH: 20 * dollar} {
		if err := w.SetAsk(market, redline, ask); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.SetCount(SkinsBack, redline, 10_000); err != nil {
		t.Fatal(err)
	}
	return f
}

// list puts an item on sale at SIH, to be sold for at least as much as it costs.
func (f *fakePartner) list(id string, price int64) {
	f.t.Helper()
	theirs, err := f.world.Consign(sellerSteamID, id, "mine-"+id, redline, price)
	if err != nil {
		f.t.Fatal(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.items[id] = &fakeItem{least: price - cent}
	f.items[theirs] = f.items[id]
}

// run lets the time of the world pass in steps, and SIH ask after each.
func (f *fakePartner) run(whole, step time.Duration) {
	f.t.Helper()
	for passed := time.Duration(0); passed < whole; passed += step {
		f.clock.advance(step)
		for turns := 0; f.world.AskPartner(f.t.Context()) > 0; turns++ {
			if turns > 100 {
				f.t.Fatal("SIH does not stop asking while the clock stands still")
			}
		}
	}
}

func (f *fakePartner) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil || f.offline {
		panic(http.ErrAbortHandler)
	}
	poll := r.Method == http.MethodGet
	answer := f.answer(r, poll, string(body))
	f.seen[fmt.Sprint(r.Method, " ", answer["error"])]++
	text, err := json.Marshal(answer)
	if err != nil {
		f.t.Error(err)
	}
	rw.Header().Set("Content-Type", "application/json")
	status, out := http.StatusOK, string(text)
	if f.spoil != nil {
		if status, out = f.spoil(rw, poll, answer); out == "" {
			out = string(text)
		}
	}
	rw.WriteHeader(status)
	io.WriteString(rw, out)
}

func refuse(text string) object { return object{"success": false, "error": text} }

func (f *fakePartner) answer(r *http.Request, poll bool, body string) object {
	signature := r.Header.Get("signature")
	if poll {
		text := "{}"
		if r.URL.Query().Has("customId") {
			text = pollText(r.URL.Query().Get("customId"))
		}
		if !f.trusting && signature != partnerSignature(DemoDepositKey, text) {
			return refuse("invalid signature")
		}
		s := f.sales[r.URL.Query().Get("customId")]
		if s == nil {
			return refuse("not found")
		}
		return f.tell(s)
	}
	root, err := parseJS(body)
	if err != nil || !f.trusting && signature != partnerSignature(DemoDepositKey, string(appendJS(nil, root))) {
		return refuse("invalid signature")
	}
	var in struct {
		ID, SteamID, Token, CustomID string
		Price                        json.Number
	}
	if err := json.Unmarshal([]byte(body), &in); err != nil {
		return refuse("invalid tradelink")
	}
	if s := f.sales[in.CustomID]; s != nil {
		return f.tell(s)
	}
	s := &fakeSale{id: 1000 + len(f.sales), item: f.items[in.ID], price: in.Price, bought: "arb-" + in.CustomID}
	partner, price := accountID(in.SteamID), int64(0)
	price, err = ParseUSD(in.Price.String())
	if err != nil || partner == "" || in.Token == "" {
		if f.generous && in.Token == "" {
			f.buy(s.bought, partner, "none")
		}
		return refuse("invalid tradelink")
	}
	if s.item == nil || s.item.taken || price < s.item.least && !f.cheap {
		if f.generous {
			f.buy(s.bought, partner, in.Token)
		}
		return refuse("bad price")
	}
	if f.careless {
		in.Token = "another"
	}
	if !f.buy(s.bought, partner, in.Token) {
		s.bought = "" // somebody else was faster, but the order stands
	}
	if f.double {
		f.buy(s.bought+"-again", partner, in.Token)
	}
	s.item.taken = true
	f.sales[in.CustomID] = s
	return f.tell(s)
}

func (f *fakePartner) skinsBack(p object) object {
	body, err := json.Marshal(p)
	if err != nil {
		f.t.Error(err)
	}
	req := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/api.php", strings.NewReader(string(body)))
	req.Header.Set("X-CLIENT-ID", DemoClientID)
	req.Header.Set("X-CLIENT-SECRET", DemoClientSecret)
	rw := httptest.NewRecorder()
	f.world.SkinsBack().ServeHTTP(rw, req)
	var out object
	dec := json.NewDecoder(rw.Body)
	dec.UseNumber()
	if err := dec.Decode(&out); err != nil {
		f.t.Error(err)
	}
	return out
}

func (f *fakePartner) buy(customID, partner, token string) bool {
	return f.skinsBack(object{"method": "market_buy", "name": redline, "partner": partner, "token": token, "custom_id": customID})["status"] == "success"
}

// tell answers how a sale stands, by what SkinsBack says of it.
func (f *fakePartner) tell(s *fakeSale) object {
	info := object{"offer_status": "trade_create_error"}
	if s.bought != "" {
		info = f.skinsBack(object{"method": "market_getinfo", "custom_ids": []string{s.bought}})["items"].([]any)[0].(object)
	}
	data := object{"id": s.id, "price": s.price, "offerId": nil, "status": "created", "avatar": "https://example.com/a.jpg", "nickname": "bot"}
	if offer, sent := info["tradeofferid"].(string); sent {
		data["offerId"], data["status"] = json.Number(offer), "sent"
	}
	fail := func(reason string) { data["status"], data["reason"], s.item.taken = "failed", reason, false }
	status := info["offer_status"].(string)
	if f.hasty {
		status = "accepted"
		data["offerId"] = 77
	}
	switch status {
	case "accepted", "rollback_user", "rollback_supplier":
		data["status"] = "finished"
		now := f.clock.Now().Unix()
		if s.until == 0 {
			s.until = now + 7*24*3600
		}
		switch protection := (object{"status": "processing", "until": s.until}); {
		case status != "accepted":
			data["protection"] = object{"status": "failed", "error": strings.ReplaceAll(status, "_", " "), "rollbackAt": now, "rollbackAmount": s.price}
			if s.finished {
				f.t.Errorf("a purchase was reversed after protection")
			}
		default:
			if now >= s.until {
				protection["status"], s.finished = "finished", true
			}
			data["protection"] = protection
		}
	case "canceled":
		fail("canceled by buyer")
	case "timeout":
		fail("send timeout")
	case "trade_create_error", "user_not_tradable":
		fail("canceled by seller")
	case "invalid_trade_token":
		fail("invalid tradelink")
	}
	return object{"success": true, "data": data}
}

// with gives an answer as JSON with other members in its data; a missing one is
// told by nil's own name.
func with(answer object, changes object) string {
	out := maps.Clone(answer)
	if data, ok := answer["data"].(object); ok {
		data = maps.Clone(data)
		for name, value := range changes {
			if data[name] = value; value == missing {
				delete(data, name)
			}
		}
		out["data"] = data
	}
	text, err := json.Marshal(out)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// missing is no value, in with.
var missing any = struct{ no string }{"such member"}
