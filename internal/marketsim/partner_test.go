package marketsim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

const day = 24 * time.Hour

// noFaults checks that the partner was found to be honest.
func (f *fakePartner) noFaults() {
	f.t.Helper()
	if faults, n := f.world.PartnerFaults(); n > 0 {
		f.t.Errorf("got %d faults, want none; the first are %+v", n, faults[:min(3, len(faults))])
	}
}

// only returns the one order there is.
func (f *fakePartner) only() PartnerOrder {
	f.t.Helper()
	orders := f.world.PartnerOrders()
	if len(orders) != 1 {
		f.t.Fatalf("got %d orders, want 1: %+v", len(orders), orders)
	}
	return orders[0]
}

func TestPartnerSells(t *testing.T) {
	f := rigPartner(t, Config{Seed: 1, Partner: Partner{Poll: 3 * time.Second, PollProtected: time.Hour}})
	f.list("item-1", 13*dollar)
	f.run(16*time.Minute, 3*time.Second)
	o := f.only()
	if o.State != "finished" || o.Protection != "processing" || o.Creates != 1 || o.Ref != "1000" || len(o.Bought) != 1 || o.Credited != 0 || o.Final {
		t.Errorf("delivered: got %+v", o)
	}
	if sales := f.world.Sales(); sales[0].State != "delivered" || f.world.DepositBalance() != 0 {
		t.Errorf("delivered: got %+v, deposit wallet %s", sales, FormatUSD(f.world.DepositBalance()))
	}
	f.run(8*day, time.Hour)
	o = f.only()
	if o.Protection != "finished" || !o.Final || o.Credited != 11_700_000 {
		t.Errorf("protected: got %+v, want 13 less 10 %% credited", o)
	}
	if got := f.world.DepositBalance(); got != 11_700_000 {
		t.Errorf("deposit wallet: got %s, want 11.7", FormatUSD(got))
	}
	if sales := f.world.Sales(); sales[0].State != "paid" {
		t.Errorf("sales: got %+v", sales)
	}
	polls := o.Polls
	if f.run(day, time.Hour); f.only().Polls != polls {
		t.Errorf("asked %d times more after the end", f.only().Polls-polls)
	}
	p := f.world.Purchases()
	if len(p) != 1 || p[0].Partner != o.Partner || p[0].Token != o.Token || p[0].SteamID != o.SteamID {
		t.Errorf("purchases: got %+v, want one for %s %s", p, o.Partner, o.Token)
	}
	f.noFaults()
}

// TestPartnerFails follows orders whose trades come to nothing in every way that
// SkinsBack knows.
func TestPartnerFails(t *testing.T) {
	for _, c := range []struct {
		outcomes Outcomes
		state    string
		protect  string
		sale     string
	}{
		{Outcomes{Fail: 100}, "failed", "", "new"},
		{Outcomes{Timeout: 100}, "failed", "", "new"},
		{Outcomes{Rollback: 100}, "finished", "failed", "returned"},
	} {
		f := rigPartner(t, Config{Seed: 3, Outcomes: c.outcomes, Timing: Timing{Sale: 30 * day}})
		f.list("item-1", 13*dollar)
		f.run(60*day, day/4)
		orders := f.world.PartnerOrders()
		if o := orders[0]; o.State != c.state || o.Protection != c.protect || !o.Final || o.Credited != 0 || o.State == "failed" && o.Error == "" {
			t.Errorf("%+v: got %+v", c.outcomes, o)
		}
		if got := f.world.Sales()[0].State; got != c.sale {
			t.Errorf("%+v: the item is %s, want %s", c.outcomes, got, c.sale)
		}
		if got := f.world.DepositBalance(); got != 0 {
			t.Errorf("%+v: %s in the deposit wallet", c.outcomes, FormatUSD(got))
		}
		f.noFaults()
	}
}

// TestPartnerWithoutProtection has a partner that never tells of protection, which is
// legal: SIH waits as long as it can last.
func TestPartnerWithoutProtection(t *testing.T) {
	f := rigPartner(t, Config{Seed: 1, Partner: Partner{PollProtected: 6 * time.Hour}})
	f.spoil = func(_ http.ResponseWriter, _ bool, answer object) (int, string) {
		return 200, with(answer, object{"protection": missing})
	}
	f.list("item-1", 13*dollar)
	f.run(9*day, time.Hour)
	if o := f.only(); o.State != "finished" || o.Protection != "" || o.Final || o.Credited != 0 {
		t.Errorf("after 9 days: got %+v", o)
	}
	f.run(2*day, time.Hour)
	if o := f.only(); !o.Final || o.Credited != 11_700_000 {
		t.Errorf("after 11 days: got %+v", o)
	}
	f.noFaults()
}

// TestPartnerOfDeposits sells what an account holds and was put on sale over HTTP.
func TestPartnerOfDeposits(t *testing.T) {
	f := rigPartner(t, Config{Seed: 1})
	asset, err := f.world.Give(sellerSteamID, redline)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(path, body string) {
		t.Helper()
		req := httptest.NewRequest(http.MethodPost, sihPrefix+path, strings.NewReader(body))
		req.Header.Set("apikey", DemoAPIKey)
		rw := httptest.NewRecorder()
		if f.world.SIH().ServeHTTP(rw, req); rw.Code != 200 {
			t.Fatalf("%s: got %d %s", path, rw.Code, rw.Body)
		}
	}
	ask("project/user", `{"steamId":"`+sellerSteamID+`","tradeToken":"AbCdEf12"}`)
	ask("project/deposit", `{"steamId":"`+sellerSteamID+`","appId":730,"items":[{"id":"`+asset+`","price":13,"customId":"c","amount":1}]}`)
	f.mu.Lock()
	f.items[asset] = &fakeItem{least: 12 * dollar}
	f.mu.Unlock()
	holds := func() bool {
		return slices.ContainsFunc(f.world.Inventory(sellerSteamID), func(a Asset) bool { return a.ID == asset })
	}
	if !holds() {
		t.Fatal("the account does not hold what it was given")
	}
	f.run(17*time.Minute, 5*time.Second)
	if o := f.only(); o.ItemID != asset || o.State != "finished" || holds() {
		t.Errorf("got %+v, and the account still holds it: %v", o, holds())
	}
	f.noFaults()
}

// TestPartnerSoldAgain has every trade fail, so that the item is back on sale and
// bought by somebody else.
func TestPartnerSoldAgain(t *testing.T) {
	f := rigPartner(t, Config{Seed: 3, Outcomes: Outcomes{Fail: 100}})
	f.list("item-1", 13*dollar)
	f.run(2*time.Hour, 5*time.Second)
	orders := f.world.PartnerOrders()
	if len(orders) < 3 {
		t.Fatalf("got %d orders, want one after the other", len(orders))
	}
	for i, o := range orders[1:] {
		if o.SteamID == orders[i].SteamID || o.CustomID == orders[i].CustomID || !orders[i].Final {
			t.Errorf("got %+v after %+v", o, orders[i])
		}
	}
	f.noFaults()
}

// TestPartnerInTheCatalog checks that an item leaves the catalog when it is taken.
func TestPartnerInTheCatalog(t *testing.T) {
	f := rigPartner(t, Config{Seed: 1})
	f.list("item-1", 13*dollar)
	l := f.world.sih.bySteam[key{cs2, redline}]
	onShelf := func() bool {
		f.world.mu.Lock()
		defer f.world.mu.Unlock()
		return slices.ContainsFunc(f.world.shelf(f.world.sih, l), func(x lot) bool { return x.price == 13*dollar })
	}
	if !onShelf() {
		t.Fatal("it is not in the catalog")
	}
	if f.run(16*time.Minute, 10*time.Second); onShelf() || len(f.world.PartnerOrders()) != 1 {
		t.Errorf("it is in the catalog after it was taken, or was not: %+v", f.world.PartnerOrders())
	}
}

var hostile = Hostility{
	Haggle: 10, Lowball: 10, BadLink: 10, OtherID: 30,
	Odd: 40, Lost: 20, Twin: 20, Slow: 1, SlowFor: time.Millisecond,
	Duplicate: 10, Forged: 10, Garbage: 5, Stranger: 10,
}

// sellMany has a hostile SIH and a SkinsBack where everything happens.
func sellMany(t *testing.T, seed uint64) *fakePartner {
	f := rigPartner(t, Config{
		Seed: seed, Balance: 1_000_000 * dollar, RatePerMinute: 1_000_000,
		Outcomes: Outcomes{Fail: 15, Timeout: 10, Rollback: 15, SoldOut: 10},
		Partner:  Partner{Hostility: hostile, PollProtected: 3 * time.Hour},
	})
	for i := range 40 {
		f.list(fmt.Sprintf("item-%d", i), 13*dollar+int64(i)*cent)
	}
	f.run(40*time.Minute, 3*time.Second)
	f.run(9*day, 3*time.Hour)
	return f
}

func TestPartnerHostile(t *testing.T) {
	f := sellMany(t, 5)
	f.noFaults()
	var credited int64
	states := map[string]int{}
	ours := map[string]bool{}
	for _, o := range f.world.PartnerOrders() {
		states[o.State+o.Protection+" "+o.Error]++
		credited += o.Credited
		if len(o.Bought) > 1 || len(o.Bought) > 0 && (o.Forged || o.Ref == "") {
			t.Errorf("bought %v for %+v", o.Bought, o)
		}
		if (o.Credited > 0) != (o.Protection == "finished") {
			t.Errorf("credited %s for %+v", FormatUSD(o.Credited), o)
		}
		ours[o.Partner+o.Token] = true
	}
	if got := f.world.DepositBalance(); got != credited || got == 0 {
		t.Errorf("deposit wallet: got %s, want %s", FormatUSD(got), FormatUSD(credited))
	}
	for _, p := range f.world.Purchases() {
		if !ours[p.Partner+p.Token] {
			t.Errorf("a purchase for a stranger: %+v", p)
		}
	}
	for _, want := range []string{"finishedfinished ", "finishedfailed ", "failed canceled by buyer", "failed send timeout", "failed bad price", "failed invalid tradelink", "failed invalid signature"} {
		if states[want] == 0 {
			t.Errorf("no order ended as %q: got %v", want, states)
		}
	}
	f.mu.Lock() // SIH does not wait for a call whose answer it loses
	defer f.mu.Unlock()
	for _, want := range []string{
		"POST <nil>", "GET <nil>", "POST invalid signature", "GET invalid signature", "GET not found", "POST bad price", "POST invalid tradelink",
	} {
		if f.seen[want] == 0 {
			t.Errorf("the partner never answered %q: got %v", want, f.seen)
		}
	}
	creates := 0
	for _, o := range f.world.PartnerOrders() {
		creates = max(creates, o.Creates)
	}
	if creates < 3 {
		t.Errorf("no order was sent more than %d times", creates)
	}
}

// TestPartnerSameSeed wants the same buyers and questions from the same seed. Lost
// replies are left out: whether a request that was cut off arrives is up to the
// network.
func TestPartnerSameSeed(t *testing.T) {
	orders := func(seed uint64) string {
		h := hostile
		h.Lost = 0
		f := rigPartner(t, Config{Seed: seed, Partner: Partner{Hostility: h}})
		for i := range 10 {
			f.list(fmt.Sprintf("item-%d", i), 13*dollar)
		}
		f.run(30*time.Minute, 10*time.Second)
		return fmt.Sprint(f.world.PartnerOrders())
	}
	first := orders(1)
	if second := orders(1); second != first {
		t.Errorf("got %s, want %s", second, first)
	}
	if orders(2) == first {
		t.Error("another seed made the same orders")
	}
}

// TestPartnerForgets has a partner that lost an order, or never got it.
func TestPartnerForgets(t *testing.T) {
	f := rigPartner(t, Config{Seed: 1, Timing: Timing{Sale: time.Hour}})
	f.list("item-1", 13*dollar)
	f.offline = true
	f.run(95*time.Minute, 15*time.Second)
	if o := f.only(); o.State != "asked" || o.Final || o.Creates+o.Polls < 5 {
		t.Errorf("without an answer: got %+v", o)
	}
	if sent, unreachable := f.world.PartnerRequests(); sent == 0 || unreachable != sent {
		t.Errorf("got %d requests of which %d unreachable, want all", sent, unreachable)
	}
	f.mu.Lock()
	f.offline = false
	sold := len(f.sales)
	f.mu.Unlock()
	if sold != 0 {
		t.Fatal("a partner that is offline sold something")
	}
	f.run(time.Minute, 15*time.Second)
	if o := f.world.PartnerOrders()[0]; o.State != "failed" || o.Error != "order is not found" || len(o.Bought) != 0 {
		t.Errorf("not found for more than 15 minutes: got %+v", o)
	}
	if got := f.world.Sales()[0].State; got != "new" {
		t.Errorf("the item is %s, want it on sale again", got)
	}
	f.noFaults()
}

func TestPartnerNotFoundIsTolerated(t *testing.T) {
	f := rigPartner(t, Config{Seed: 1, Partner: Partner{Hostility: Hostility{Lost: 100}}})
	f.list("item-1", 13*dollar)
	f.run(18*time.Minute, 3*time.Second) // no answer is ever read
	if o := f.only(); o.State != "asked" || o.Creates < 1 || o.Creates > maxCreates || o.Polls < 10 {
		t.Errorf("with every answer lost: got %+v", o)
	}
	if _, unreachable := f.world.PartnerRequests(); unreachable != 0 {
		t.Errorf("%d lost replies count as unreachable", unreachable)
	}
	f.noFaults()
	if err := f.world.SetPartner(Partner{PurchaseURL: f.server.URL, CheckURL: f.server.URL}); err != nil {
		t.Fatal(err)
	}
	f.run(10*time.Second, 5*time.Second)
	if o := f.only(); o.State == "asked" || o.Final || len(o.Bought) != 1 {
		t.Errorf("with answers again: got %+v", o)
	}
	f.noFaults()
}

// TestPartnerFaults checks that each rule catches a partner that breaks it, and
// that nothing else is found.
func TestPartnerFaults(t *testing.T) {
	type spoiler = func(rw http.ResponseWriter, poll bool, answer object) (int, string)
	data := func(changes object) spoiler {
		return func(_ http.ResponseWriter, _ bool, answer object) (int, string) { return 200, with(answer, changes) }
	}
	// when spoils only answers of one status.
	when := func(status string, changes object) spoiler {
		return func(_ http.ResponseWriter, _ bool, answer object) (int, string) {
			if d, ok := answer["data"].(object); ok && d["status"] == status {
				return 200, with(answer, changes)
			}
			return 200, ""
		}
	}
	replace := func(from, to string) spoiler {
		return func(_ http.ResponseWriter, _ bool, answer object) (int, string) {
			return 200, strings.Replace(with(answer, nil), from, to, 1)
		}
	}
	count := 0
	everyTime := func(make func(n int) object) spoiler {
		return func(_ http.ResponseWriter, _ bool, answer object) (int, string) {
			count++
			return 200, with(answer, make(count))
		}
	}
	lowball, badLink, forged, stranger := Hostility{Lowball: 100}, Hostility{BadLink: 100}, Hostility{Forged: 100}, Hostility{Stranger: 100}
	for _, c := range []struct {
		name  string
		rules []string // that may be found, the first must
		spoil spoiler
		as    func(*fakePartner)
		h     Hostility
	}{
		{"500", []string{RuleStatus}, func(http.ResponseWriter, bool, object) (int, string) { return 500, "" }, nil, Hostility{}},
		{"404 for not found", []string{RuleStatus}, func(_ http.ResponseWriter, _ bool, a object) (int, string) {
			if a["error"] == "not found" {
				return 404, ""
			}
			return 200, ""
		}, nil, stranger},
		{"html", []string{RuleContentType}, func(rw http.ResponseWriter, _ bool, _ object) (int, string) {
			rw.Header().Set("Content-Type", "text/html")
			return 200, ""
		}, nil, Hostility{}},
		{"latin 1", []string{RuleContentType}, func(rw http.ResponseWriter, _ bool, _ object) (int, string) {
			rw.Header().Set("Content-Type", "application/json; charset=latin1")
			return 200, ""
		}, nil, Hostility{}},
		{"no JSON", []string{RuleJSON}, func(http.ResponseWriter, bool, object) (int, string) { return 200, "Not Found" }, nil, Hostility{}},
		{"two values", []string{RuleJSON}, func(http.ResponseWriter, bool, object) (int, string) { return 200, "{} {}" }, nil, Hostility{}},
		{"an array", []string{RuleJSON}, func(http.ResponseWriter, bool, object) (int, string) { return 200, "[]" }, nil, Hostility{}},
		{"too long", []string{RuleJSON}, func(http.ResponseWriter, bool, object) (int, string) {
			return 200, `"` + strings.Repeat("a", maxPartnerAnswer) + `"`
		}, nil, Hostility{}},
		{"wrong case", []string{RuleSchema, RuleOffer}, replace("offerId", "offerid"), nil, Hostility{}},
		{"wrong place", []string{RuleSchema}, replace(`{`, `{"protection":{"status":"processing"},`), nil, Hostility{}},
		{"an empty reason", []string{RuleSchema}, when("created", object{"reason": ""}), nil, Hostility{}},
		{"a reason of null", []string{RuleSchema}, when("sent", object{"reason": nil}), nil, Hostility{}},
		{"protection while sent", []string{RuleSchema}, when("sent", object{"protection": object{"status": "processing"}}), nil, Hostility{}},
		{"protection of null", []string{RuleSchema}, when("finished", object{"protection": nil}), nil, Hostility{}},
		{"an error while protected", []string{RuleSchema}, when("finished", object{"protection": object{"status": "processing", "error": ""}}), nil, Hostility{}},
		{"no avatar", []string{RuleSchema}, data(object{"avatar": missing}), nil, Hostility{}},
		{"no nickname", []string{RuleSchema}, data(object{"nickname": nil}), nil, Hostility{}},
		{"no offer", []string{RuleSchema, RuleOffer}, data(object{"offerId": missing}), nil, Hostility{}},
		{"no price", []string{RuleSchema, RulePrice}, data(object{"price": missing}), nil, Hostility{}},
		{"price as a string", []string{RuleSchema, RulePrice}, data(object{"price": "13"}), nil, Hostility{}},
		{"more than asked for", []string{RuleSchema}, data(object{"customId": "fast-1"}), nil, Hostility{}},
		{"a member twice", []string{RuleSchema}, replace(`"nickname":"bot"`, `"nickname":"bot","nickname":"bot"`), nil, Hostility{}},
		{"success as a string", []string{RuleSchema}, replace(`"success":false`, `"success":"false"`), nil, forged},
		{"an error of null with success", []string{RuleSchema}, replace(`"success":true`, `"success":true,"error":null`), nil, Hostility{}},
		{"a text that SIH does not know", []string{RuleEnum, RuleUnexpected}, replace("bad price", "Bad price"), nil, lowball},
		{"a status that SIH does not know", []string{RuleEnum, RuleOffer, RuleBackwards, RuleSchema}, data(object{"status": "processing"}), nil, Hostility{}},
		{"a reason that SIH does not know", []string{RuleEnum, RuleUntrue}, data(object{"status": "failed", "reason": "timeout"}), nil, Hostility{}},
		{"a protection that SIH does not know", []string{RuleEnum, RuleBackwards}, when("finished", object{"protection": object{"status": "hold"}}), nil, Hostility{}},
		{"letters in the id", []string{RuleID}, data(object{"id": "P-7"}), nil, Hostility{}},
		{"an id of null", []string{RuleID}, data(object{"id": nil}), nil, Hostility{}},
		{"an id that a double rounds", []string{RuleID}, data(object{"id": json.Number("9223372036854775807")}), nil, Hostility{}},
		{"an offer before it is sent", []string{RuleOffer, RuleUntrue, RuleChanged}, when("created", object{"offerId": 7}), nil, Hostility{}},
		{"sent without an offer", []string{RuleOffer}, when("sent", object{"offerId": nil}), nil, Hostility{}},
		{"an offer as a string", []string{RuleOffer, RuleUntrue, RuleChanged}, when("sent", object{"offerId": "7912345678"}), nil, Hostility{}},
		{"milliseconds", []string{RuleTimes}, when("finished", object{"protection": object{"status": "processing", "until": 1_770_604_800_000}}), nil, Hostility{}},
		{"another price", []string{RulePrice}, data(object{"price": json.Number("13.01")}), nil, Hostility{}},
		{"another id each time", []string{RuleChanged}, everyTime(func(n int) object { return object{"id": n} }), nil, Hostility{}},
		{"another end each time", []string{RuleChanged, RuleUntrue}, everyTime(func(n int) object {
			return object{"status": "finished", "offerId": 7, "protection": object{"status": "processing", "until": 1_770_604_800 + n}}
		}), func(f *fakePartner) { f.hasty = true }, Hostility{}},
		{"back and forth", []string{RuleBackwards, RuleUntrue, RuleSchema}, everyTime(func(n int) object {
			if n%2 == 0 {
				return object{"status": "created", "offerId": nil}
			}
			return object{"status": "sent", "offerId": 7}
		}), nil, Hostility{}},
		{"failed, but alive", []string{RuleUntrue}, data(object{"status": "failed", "reason": "send timeout"}), nil, Hostility{}},
		{"another offer", []string{RuleUntrue, RuleChanged}, when("sent", object{"offerId": 7}), nil, Hostility{}},
		{"done before it is", []string{RuleUntrue}, nil, func(f *fakePartner) { f.hasty = true }, Hostility{}},
		{"trusting", []string{RuleUnexpected, RuleUnasked, RulePrice}, nil, func(f *fakePartner) { f.trusting = true }, forged},
		{"not found, all of a sudden", []string{RuleUnexpected}, func(_ http.ResponseWriter, poll bool, _ object) (int, string) {
			if poll {
				return 200, `{"success":false,"error":"not found"}`
			}
			return 200, ""
		}, nil, Hostility{}},
		{"sells below its price", []string{RuleUnexpected}, nil, func(f *fakePartner) { f.cheap = true }, lowball},
		{"another error for a bad link", []string{RuleUnexpected}, replace("invalid tradelink", "bad price"), nil, badLink},
		// If the refusal of the twin comes first, the purchase is nobody's.
		{"refuses what it has", []string{RuleUnexpected, RuleUnasked}, replace("x", "y"), func(f *fakePartner) {
			n := 0
			f.spoil = func(_ http.ResponseWriter, poll bool, answer object) (int, string) {
				if n++; n == 2 {
					return 200, `{"success":false,"error":"bad price"}`
				}
				return 200, ""
			}
		}, Hostility{Twin: 100}},
		{"buys for those it refuses", []string{RuleUnasked}, nil, func(f *fakePartner) { f.generous = true }, lowball},
		{"buys twice", []string{RuleTwice}, nil, func(f *fakePartner) { f.double = true }, Hostility{}},
		{"sends to another", []string{RuleRecipient}, nil, func(f *fakePartner) { f.careless = true }, Hostility{}},
		{"hangs", []string{RuleLate}, nil, nil, Hostility{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			count = 0
			f := rigPartner(t, Config{Seed: 1, Partner: Partner{Hostility: c.h, PollProtected: 10 * time.Second, Patience: 5 * time.Second}})
			f.spoil = c.spoil
			if c.as != nil {
				c.as(f)
			}
			if c.rules[0] == RuleLate {
				released := make(chan struct{})
				hang := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-released }))
				defer hang.Close()
				defer close(released)
				if err := f.world.SetPartner(Partner{PurchaseURL: hang.URL, CheckURL: hang.URL, Patience: 10 * time.Millisecond}); err != nil {
					t.Fatal(err)
				}
			}
			f.list("item-1", 13*dollar)
			f.run(18*time.Minute, 10*time.Second)
			faults, n := f.world.PartnerFaults()
			found := map[string]string{}
			for _, fault := range faults {
				if found[fault.Rule] == "" && !slices.Contains(c.rules, fault.Rule) {
					t.Errorf("also found %+v", fault)
				}
				found[fault.Rule] = fault.Detail
				if strings.Contains(fmt.Sprintf("%+v", fault), DemoDepositKey) {
					t.Errorf("a fault tells the key: %+v", fault)
				}
			}
			if n == 0 || found[c.rules[0]] == "" {
				t.Errorf("got %v, want %s; orders %+v", found, c.rules[0], f.world.PartnerOrders())
			}
		})
	}
}

// TestPartnerControl sells one item by what the control API offers, in a world that
// asks by itself.
func TestPartnerControl(t *testing.T) {
	r := start(t, Config{Timing: Timing{Sale: time.Second}})
	call := func(method, path, body string, into any) int {
		t.Helper()
		resp, data, err := r.do(method, r.server.ControlURL+path, body)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, into); err != nil {
			t.Fatalf("%s %s: %v in %s", method, path, err, data)
		}
		return resp.StatusCode
	}
	answered := make(chan string, 100)
	shop := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, q *http.Request) {
		rw.Header().Set("Content-Type", "application/json")
		rw.Write([]byte(`{"success":false,"error":"bad price"}`))
		answered <- q.URL.Path
	}))
	defer shop.Close()
	r.pin(SIH, redline, "20", 1)
	var got object
	if status := call("POST", "/partner", `{"purchase_url":"`+shop.URL+`/create","check_url":"`+shop.URL+`/get"}`, &got); status != 200 {
		t.Fatalf("set the partner: got %d %v", status, got)
	}
	if status := call("POST", "/partner/items", `{"steam_id":"`+sellerSteamID+`","id":"a","custom_id":"b","name":"`+redline+`","price":"13"}`, &got); status != 200 || got["id"] != "50231" {
		t.Fatalf("consign: got %d %v", status, got)
	}
	r.clock.advance(2 * time.Second)
	if path := <-answered; path != "/create" {
		t.Errorf("asked for %s", path)
	}
	if err := r.SetPartner(Partner{}); err != nil {
		t.Fatal(err)
	}
	r.AskPartner(t.Context()) // nothing, but after the turn that asked
	var orders []object
	call("GET", "/partner/purchases", "", &orders)
	if len(orders) != 1 || orders[0]["state"] != "failed" || orders[0]["error"] != "bad price" || orders[0]["item_id"] != "a" || orders[0]["price"] != 13.0 {
		t.Errorf("purchases: got %v", orders)
	}
	call("GET", "/partner/faults", "", &got)
	if faults, none := got["faults"].([]any); !none || len(faults) != 0 || got["count"] != 0.0 {
		t.Errorf("faults: got %v", got)
	}
	call("GET", "/partner", "", &got)
	if got["orders"] != 1.0 || got["open"] != 0.0 || got["requests"] != 1.0 || got["purchase_url"] != "" {
		t.Errorf("partner: got %v", got)
	}
	for path, body := range map[string]string{
		"/partner":       `{"purchase_url":"` + shop.URL + `","check_url":"` + shop.URL + `","shares":{"lost":101}}`,
		"/partner/items": `{"steam_id":"1","id":"c","name":"` + redline + `","price":1}`,
	} {
		if status := call("POST", path, body, &got); status != 400 || got["error"] == "" {
			t.Errorf("%s %s: got %d %v, want 400", path, body, status, got)
		}
	}
	if status := call("POST", "/partner/items", `{"price":"dear"}`, &got); status != 400 {
		t.Errorf("a price in words: got %d %v", status, got)
	}
}

func TestPartnerFaultsAreBounded(t *testing.T) {
	f := rigPartner(t, Config{Seed: 1, Partner: Partner{Poll: time.Second}})
	f.spoil = func(http.ResponseWriter, bool, object) (int, string) { return 500, strings.Repeat("x", 2000) }
	for i := range 20 {
		f.list(fmt.Sprintf("item-%d", i), 13*dollar)
	}
	f.run(20*time.Minute, 10*time.Second)
	faults, n := f.world.PartnerFaults()
	if len(faults) != maxPartnerFaults || n <= maxPartnerFaults {
		t.Errorf("kept %d of %d faults, want %d of more", len(faults), n, maxPartnerFaults)
	}
	if got := len(faults[0].Answer); got != 500 {
		t.Errorf("kept %d bytes of an answer, want 500", got)
	}
}

func TestPartnerRefusesMistakes(t *testing.T) {
	for _, p := range []Partner{
		{PurchaseURL: "http://a/b"},
		{CheckURL: "http://a/b"},
		{PurchaseURL: "a/b", CheckURL: "http://a/b"},
		{PurchaseURL: "ftp://a/b", CheckURL: "http://a/b"},
		{Poll: -1}, {PollProtected: -1}, {Patience: -1},
		{Hostility: Hostility{Lost: 101}},
		{Hostility: Hostility{Haggle: 50, Lowball: 51}},
		{Hostility: Hostility{Twin: -1}},
		{Hostility: Hostility{SlowFor: -1}},
	} {
		if _, err := New(Config{Catalog: smallCatalog, Partner: p}); err == nil {
			t.Errorf("%+v: accepted", p)
		}
	}
}

func TestConsignRefusals(t *testing.T) {
	f := rigPartner(t, Config{})
	f.list("item-1", dollar)
	for _, c := range []struct {
		steamID, id, customID, name string
		price                       int64
	}{
		{sellerSteamID, "item-2", "", "nothing", dollar},
		{sellerSteamID, "item-2", "", redline, 0},
		{sellerSteamID, "", "", redline, dollar},
		{"1", "item-2", "", redline, dollar},
		{sellerSteamID, "item-1", "", redline, dollar},
		{sellerSteamID, "item-2", "mine-item-1", redline, dollar},
	} {
		if _, err := f.world.Consign(c.steamID, c.id, c.customID, c.name, c.price); err == nil {
			t.Errorf("%+v: accepted", c)
		}
	}
	if _, err := f.world.Consign(sellerSteamID, "item-2", "", asiimov, dollar); err != nil {
		t.Error(err)
	}
}
