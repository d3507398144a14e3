package httpapi

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden answers anew")

// question is a request that succeeds. Its answer is testdata/<name>.json.
type question struct {
	name    string
	method  string
	target  string
	body    string
	headers []string
}

func price(query ...string) string {
	v := url.Values{}
	for i := 0; i < len(query); i += 2 {
		v.Set(query[i], query[i+1])
	}
	return "?" + v.Encode()
}

var questions = []question{
	{"price", "GET", "/v1/prices" + price("game", "cs2", "name", redline), "", nil},
	{"price_percent_escapes", "GET", "/v1/prices?name=AK-47%20%7C%20Redline%20%28Field-Tested%29", "", nil},
	{"price_sold_out_and_quoted", "GET", "/v1/prices" + price("name", `Sticker | "Quoted" \ Name`), "", nil},
	{"price_stale_only", "GET", "/v1/prices" + price("name", "Glock-18 | Fade (Factory New)"), "", nil},
	{"price_phased_spelling", "GET", "/v1/prices" + price("name", "★ Karambit | Doppler (Factory New) - Ruby"), "", nil},
	{"price_phase_parameter", "GET", "/v1/prices" + price("name", doppler, "phase", "p2"), "", nil},
	{"price_phase_not_offered", "GET", "/v1/prices" + price("name", doppler, "phase", "Sapphire"), "", nil},
	{"price_bare_doppler", "GET", "/v1/prices" + price("name", doppler), "", nil},
	{"price_bare_doppler_without_bare_row", "GET", "/v1/prices" + price("name", "★ Bayonet | Gamma Doppler (Factory New)"), "", nil},
	{"prices", "POST", "/v1/prices", `{"game":"cs2","names":["Glock-18 | Fade (Factory New)","nothing","` + redline + `","★ Karambit | Doppler Phase 9 (Factory New)","★ Karambit | Doppler Ruby (Factory New)","` + redline + `",""]}`, []string{"Content-Type: application/json"}},
	{"prices_none", "POST", "/v1/prices", `{"names":[]}`, nil},
	{"items", "GET", "/v1/items?q=karambit%20dopp&limit=2", "", nil},
	{"items_diacritics", "GET", "/v1/items?q=JORM+eagle&game=cs2&cursor=", "", nil},
	{"items_none", "GET", "/v1/items?q=zzz", "", nil},
	{"feeds", "GET", "/v1/feeds", "", nil},
	{"opportunities", "GET", "/v1/opportunities?min_profit=&limit=", "", nil},
	{"opportunities_min_profit", "GET", "/v1/opportunities?min_profit=0.61", "", nil},
	{"opportunities_limit", "GET", "/v1/opportunities?limit=1", "", nil},
	{"verdicts", "GET", "/v1/verdicts" + price("name", redline), "", nil},
	{"orders", "GET", "/v1/orders", "", nil},
	{"orders_page", "GET", "/v1/orders?limit=1&cursor=sa-newest", "", nil},
	{"orders_last_page", "GET", "/v1/orders?limit=1&cursor=sa-planned", "", nil},
	{"orders_by_state", "GET", "/v1/orders?state=planned,rejected", "", nil},
	{"order", "GET", "/v1/orders/sa-newest", "", nil},
	{"pnl", "GET", "/v1/pnl", "", nil},
	{"trading", "GET", "/v1/trading", "", nil},
	{"config", "GET", "/v1/config", "", nil},
	{"health", "GET", "/healthz", "", nil},
	{"ready", "GET", "/readyz", "", nil},
	{"release", "POST", "/v1/feeds/sih/cs2/release", "", nil},
	{"stop", "POST", "/v1/trading/stop", `{"reason":"lunch"}`, []string{"Content-Type: application/json; charset=utf-8"}},
	{"stop_without_body", "POST", "/v1/trading/stop", "", nil},
	{"tighten", "POST", "/v1/trading/limits", `{"max_order":"5.00","max_open_orders":1,"markets":{"sih":{"max_day":"10"}}}`, []string{"Content-Type: application/json"}},
	{"tighten_nothing", "POST", "/v1/trading/limits", "", nil},
	{"reset", "POST", "/v1/trading/breakers/sih/reset", "", nil},
	{"start", "POST", "/v1/trading/start", "{}", []string{"Content-Type: application/json"}},
}

func TestAnswers(t *testing.T) {
	for _, q := range questions {
		t.Run(q.name, func(t *testing.T) {
			s := New(newWorld().withTokens().cfg)
			got := ask(t, s, request(q.method, q.target, q.body, append(q.headers, "Authorization: Bearer "+operatorToken)...))
			if got.status != 200 {
				t.Fatalf("%s %s: got %d %s, want 200", q.method, q.target, got.status, got.body)
			}
			if ct := got.header.Get("Content-Type"); ct != "application/json" {
				t.Errorf("%s %s: got Content-Type %q, want application/json", q.method, q.target, ct)
			}
			golden(t, q.name, got.body)
		})
	}
}

// golden compares a JSON answer with testdata/<name>.json.
func golden(t *testing.T, name, answer string) {
	t.Helper()
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, []byte(answer), "", "  "); err != nil {
		t.Fatalf("got %q, want JSON: %v", answer, err)
	}
	pretty.WriteByte('\n')
	file := filepath.Join("testdata", name+".json")
	if *update {
		if err := os.WriteFile(file, pretty.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), pretty.String()); diff != "" {
		t.Errorf("%s differs from the answer (- want, + got):\n%s", file, diff)
	}
}

// TestPagesMeet follows next_cursor to the end and expects every order once.
func TestPagesMeet(t *testing.T) {
	s := New(newWorld().cfg)
	var ids []string
	for cursor := ""; ; {
		var page struct {
			Orders     []struct{ ID string }
			NextCursor string `json:"next_cursor"`
		}
		got := ask(t, s, request("GET", "/v1/orders?limit=2&cursor="+cursor, ""))
		if err := json.Unmarshal([]byte(got.body), &page); err != nil {
			t.Fatalf("got %q: %v", got.body, err)
		}
		for _, o := range page.Orders {
			ids = append(ids, o.ID)
		}
		if cursor = page.NextCursor; cursor == "" || len(ids) > 10 {
			break
		}
	}
	if diff := cmp.Diff([]string{"sa-newest", "sa-planned", "sa-oldest"}, ids); diff != "" {
		t.Errorf("orders over all pages (- want, + got):\n%s", diff)
	}
}

// TestCommandsReachTheirOwner asserts what the API hands on.
func TestCommandsReachTheirOwner(t *testing.T) {
	w := newWorld().withTokens()
	s := New(w.cfg)
	auth := "Authorization: bearer " + operatorToken // the scheme's case does not count
	// curl declares every body as a form unless told otherwise.
	ask(t, s, request("POST", "/v1/trading/stop", `{"reason":"lunch"}`, auth, "Content-Type: application/x-www-form-urlencoded"))
	if got := w.trading.status.Trading; !got.Stopped || got.Reason != "lunch" || got.By != "api 0.0.0.0" {
		t.Errorf("after stop: got %+v, want stopped for lunch by api", got)
	}
	if got := ask(t, s, request("GET", "/v1/trading", "", auth)); !strings.Contains(got.body, `"state":"stopped","reason":"lunch"`) {
		t.Errorf("GET /v1/trading after stop: got %s, want it stopped for lunch", got.body)
	}
	ask(t, s, request("POST", "/v1/trading/start", "", auth))
	if got := w.trading.status.Trading; got.Stopped {
		t.Errorf("after start: got %+v, want running", got)
	}
	ask(t, s, request("POST", "/v1/feeds/sih/cs2/release", "", auth))
	if len(w.prices.released) != 1 || w.prices.released[0] != sihCS2 {
		t.Errorf("released: got %v, want sih/cs2 once", w.prices.released)
	}
}

// TestAggregator has no trading: its endpoints do not exist, and the rest works.
func TestAggregator(t *testing.T) {
	w := newWorld()
	w.cfg.Trading, w.cfg.Strategy = nil, nil
	s := New(w.cfg)
	for target, want := range map[string]int{
		"/v1/trading": 404, "/v1/orders": 404, "/v1/orders/x": 404, "/v1/pnl": 404,
		"/readyz": 200, "/v1/feeds": 200, "/v1/opportunities": 200, "/v1/verdicts" + price("name", redline): 200, "/": 200,
	} {
		if got := ask(t, s, request("GET", target, "")); got.status != want {
			t.Errorf("GET %s on an aggregator: got %d %s, want %d", target, got.status, got.body, want)
		}
	}
}

// TestHead answers like GET, without a body.
func TestHead(t *testing.T) {
	s := New(newWorld().cfg)
	get := ask(t, s, request("GET", "/v1/feeds", ""))
	head := ask(t, s, request("HEAD", "/v1/feeds", ""))
	if head.status != 200 || head.body != "" || head.header.Get("Content-Length") != get.header.Get("Content-Length") {
		t.Errorf("HEAD /v1/feeds: got %d, body %q, length %q; want 200, none, %q", head.status, head.body, head.header.Get("Content-Length"), get.header.Get("Content-Length"))
	}
}
