package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"skinarb/execution"
)

// wantError asserts the one shape of an error: nothing but error, code and
// message.
func wantError(t *testing.T, what string, got reply, status int, code string) {
	t.Helper()
	if got.status != status {
		t.Errorf("%s: got status %d (%s), want %d", what, got.status, got.body, status)
	}
	if ct := got.header.Get("Content-Type"); ct != "application/json" {
		t.Errorf("%s: got Content-Type %q, want application/json", what, ct)
	}
	var body struct {
		Error struct{ Code, Message string }
	}
	dec := json.NewDecoder(strings.NewReader(got.body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&body); err != nil {
		t.Errorf("%s: got %q, want an error as JSON: %v", what, got.body, err)
		return
	}
	if body.Error.Code != code || body.Error.Message == "" {
		t.Errorf("%s: got code %q and message %q, want code %q and a message", what, body.Error.Code, body.Error.Message, code)
	}
}

func TestErrors(t *testing.T) {
	const jsonBody = "Content-Type: application/json"
	manyNames := `{"names":[` + strings.Repeat(`"x",`, 1000) + `"x"]}`
	for _, tt := range []struct {
		method, target, body string
		headers              []string
		status               int
		code                 string
	}{
		{"GET", "/v1/prices", "", nil, 400, "missing_parameter"},
		{"GET", "/v1/prices?name=", "", nil, 400, "missing_parameter"},
		{"GET", "/v1/prices?name=nothing", "", nil, 404, "item_not_found"},
		{"GET", "/v1/prices" + price("name", redline, "game", "tf2"), "", nil, 404, "item_not_found"},
		{"GET", "/v1/prices?name=x&game=chess", "", nil, 400, "invalid_parameter"},
		{"GET", "/v1/prices?name=x&Game=cs2", "", nil, 400, "invalid_parameter"},
		{"GET", "/v1/prices?name=x&market=sih", "", nil, 400, "invalid_parameter"},
		{"GET", "/v1/prices?name=x&name=y", "", nil, 400, "invalid_parameter"},
		{"GET", "/v1/prices?name=x&name=", "", nil, 400, "invalid_parameter"},
		{"GET", "/v1/prices?name=%zz", "", nil, 400, "invalid_parameter"},
		{"GET", "/v1/prices?name=%ff", "", nil, 400, "invalid_parameter"},
		{"GET", "/v1/prices?name=%00", "", nil, 400, "invalid_parameter"},
		{"GET", "/v1/prices?name=" + strings.Repeat("x", 201), "", nil, 400, "invalid_parameter"},
		{"GET", "/v1/prices?%zz=1", "", nil, 400, "invalid_parameter"},
		{"GET", "/v1/prices?=1", "", nil, 400, "invalid_parameter"},
		{"GET", "/v1/prices" + price("name", doppler, "phase", "Phase 5"), "", nil, 400, "invalid_parameter"},
		{"GET", "/v1/prices" + price("name", doppler, "phase", "Emerald"), "", nil, 400, "invalid_parameter"},
		{"GET", "/v1/prices" + price("name", "★ Karambit | Doppler Ruby (Factory New)", "phase", "Sapphire"), "", nil, 400, "invalid_parameter"},
		{"GET", "/v1/prices" + price("name", "★ Karambit | Doppler Phase 9 (Factory New)"), "", nil, 400, "invalid_parameter"},
		{"GET", "/v1/prices" + price("name", redline, "phase", "Ruby"), "", nil, 400, "invalid_parameter"},
		{"GET", "/v1/prices" + price("name", redline, "phase", "unknown"), "", nil, 400, "invalid_parameter"},
		{"GET", "/v1/prices" + price("name", "★ Karambit | Doppler Phase 2 (Factory New)", "phase", "unknown"), "", nil, 400, "invalid_parameter"},
		{"GET", "/v1/verdicts" + price("name", "★ Karambit | Doppler (Factory New) - Ruby", "phase", "unknown"), "", nil, 400, "invalid_parameter"},

		{"POST", "/v1/prices", "", nil, 400, "invalid_body"},
		{"POST", "/v1/prices", "names", nil, 400, "invalid_body"},
		{"POST", "/v1/prices", "[]", nil, 400, "invalid_body"},
		{"POST", "/v1/prices", `{"names":["x"]} x`, nil, 400, "invalid_body"},
		{"POST", "/v1/prices", `{"names":["x"]}{}`, nil, 400, "invalid_body"},
		{"POST", "/v1/prices", `{"names":["x"],"limit":1}`, nil, 400, "invalid_body"},
		{"POST", "/v1/prices", `{"names":"x"}`, nil, 400, "invalid_body"},
		{"POST", "/v1/prices", `{"names":[1]}`, nil, 400, "invalid_body"},
		{"POST", "/v1/prices", `{"names":["x"`, nil, 400, "invalid_body"},
		{"POST", "/v1/prices", `{"Names":["x"]}`, nil, 400, "invalid_body"},
		{"POST", "/v1/prices", `{"nameſ":["x"]}`, nil, 400, "invalid_body"},
		{"POST", "/v1/prices", `{"names":["x"],"names":["y"]}`, nil, 400, "invalid_body"},
		{"POST", "/v1/prices", `{"names":["x"],"Names":["y"]}`, nil, 400, "invalid_body"},
		{"POST", "/v1/prices", `{"game":"cs2","names":["x"],"game":"rust"}`, nil, 400, "invalid_body"},
		{"POST", "/v1/prices", "{\"names\":[\"x\xff\"]}", nil, 400, "invalid_body"},
		{"POST", "/v1/prices", `{"names":["\ud800"]}`, nil, 400, "invalid_body"},
		{"POST", "/v1/prices", `{"names":["\\\uDC00x"]}`, nil, 400, "invalid_body"},
		{"POST", "/v1/prices", `{"names":["\ud83d\ud83d\ude00"]}`, nil, 400, "invalid_body"},
		{"POST", "/v1/prices", "null", nil, 400, "missing_parameter"},
		{"POST", "/v1/prices", `{"game":"cs2"}`, nil, 400, "missing_parameter"},
		{"POST", "/v1/prices", `{"game":"chess","names":[]}`, nil, 400, "invalid_parameter"},
		{"POST", "/v1/prices", manyNames, nil, 400, "invalid_parameter"},
		{"POST", "/v1/prices?game=cs2", `{"names":[]}`, nil, 400, "invalid_parameter"},
		{"POST", "/v1/prices", `{"names":[]}`, []string{"Content-Encoding: gzip"}, 415, "unsupported_media_type"},

		{"GET", "/v1/items", "", nil, 400, "missing_parameter"},
		{"GET", "/v1/items?q=%7C", "", nil, 400, "invalid_parameter"},
		{"GET", "/v1/items?q=a+b+c+d+e+f+g+h+i+j+k", "", nil, 400, "invalid_parameter"},
		{"GET", "/v1/items?q=" + strings.Repeat("x", 201), "", nil, 400, "invalid_parameter"},
		{"GET", "/v1/items?q=x&limit=0", "", nil, 400, "invalid_parameter"},
		{"GET", "/v1/items?q=x&limit=101", "", nil, 400, "invalid_parameter"},
		{"GET", "/v1/items?q=x&limit=1.5", "", nil, 400, "invalid_parameter"},
		{"GET", "/v1/items?q=x&limit=%2B5", "", nil, 400, "invalid_parameter"},
		{"GET", "/v1/items?q=x&cursor=!", "", nil, 400, "invalid_parameter"},
		{"GET", "/v1/items?q=x&game=chess", "", nil, 400, "invalid_parameter"},

		{"GET", "/v1/catalog?game=cs2", "", nil, 400, "missing_parameter"},
		{"GET", "/v1/catalog?market=steam", "", nil, 400, "invalid_parameter"},
		{"GET", "/v1/catalog?market=sih&game=chess", "", nil, 400, "invalid_parameter"},
		{"GET", "/v1/catalog?market=sih&game=tf2", "", nil, 404, "feed_not_found"},
		{"GET", "/v1/stream?game=chess", "", nil, 400, "invalid_parameter"},
		{"GET", "/v1/stream?market=sih", "", nil, 400, "invalid_parameter"},

		{"GET", "/v1/feeds?x=1", "", nil, 400, "invalid_parameter"},
		{"POST", "/v1/feeds/sih/dota2/release", "", nil, 404, "feed_not_found"},
		{"POST", "/v1/feeds/steam/cs2/release", "", nil, 404, "feed_not_found"},
		{"POST", "/v1/feeds/%ff/cs2/release", "", nil, 404, "feed_not_found"},
		{"POST", "/v1/feeds/skinsback/cs2/release", "", nil, 409, "not_held"},
		{"POST", "/v1/feeds/sih/rust/release", "", nil, 409, "not_held"},
		{"POST", "/v1/feeds/sih/cs2/release", `{"force":true}`, []string{jsonBody}, 400, "invalid_body"},

		{"GET", "/v1/opportunities?min_profit=abc", "", nil, 400, "invalid_parameter"},
		{"GET", "/v1/opportunities?min_profit=-1", "", nil, 400, "invalid_parameter"},
		{"GET", "/v1/opportunities?min_profit=1e99", "", nil, 400, "invalid_parameter"},
		{"GET", "/v1/opportunities?limit=1001", "", nil, 400, "invalid_parameter"},
		{"GET", "/v1/verdicts", "", nil, 400, "missing_parameter"},
		{"GET", "/v1/verdicts?name=nothing", "", nil, 404, "item_not_found"},

		{"GET", "/v1/orders?state=lost", "", nil, 400, "invalid_parameter"},
		{"GET", "/v1/orders?state=planned,", "", nil, 400, "invalid_parameter"},
		{"GET", "/v1/orders?limit=501", "", nil, 400, "invalid_parameter"},
		{"GET", "/v1/orders?cursor=no/id", "", nil, 400, "invalid_parameter"},
		{"GET", "/v1/orders?cursor=sa-never", "", nil, 400, "invalid_parameter"},
		{"GET", "/v1/orders/sa-never", "", nil, 404, "order_not_found"},
		{"GET", "/v1/orders/" + strings.Repeat("a", 37), "", nil, 404, "order_not_found"},
		{"GET", "/v1/orders/a%2Fb", "", nil, 404, "order_not_found"},
		{"GET", "/v1/pnl?day=1", "", nil, 400, "invalid_parameter"},
		{"POST", "/v1/trading/stop", `{"reason":"x"}`, []string{"Content-Encoding: gzip"}, 415, "unsupported_media_type"},
		{"POST", "/v1/trading/stop", `{"why":"x"}`, []string{jsonBody}, 400, "invalid_body"},
		{"POST", "/v1/trading/stop", `{"reason":"` + strings.Repeat("x", 501) + `"}`, []string{jsonBody}, 400, "invalid_parameter"},
		{"POST", "/v1/trading/limits", `{"max_day":"1000000"}`, []string{jsonBody}, 409, "would_loosen"},
		{"POST", "/v1/trading/limits", `{"max_day":"-1"}`, []string{jsonBody}, 400, "invalid_parameter"},
		{"POST", "/v1/trading/limits", `{"max_day":"0"}`, []string{jsonBody}, 400, "invalid_parameter"},
		{"POST", "/v1/trading/limits", `{"max_order":"0.00"}`, []string{jsonBody}, 400, "invalid_parameter"},
		{"POST", "/v1/trading/limits", `{"markets":{"sih":{"max_locked":"0"}}}`, []string{jsonBody}, 400, "invalid_parameter"},
		{"POST", "/v1/trading/limits", `{"markets":{"sih":{"max_open_orders":0}}}`, []string{jsonBody}, 400, "invalid_parameter"},
		{"POST", "/v1/trading/limits", `{"max_open_orders":-1}`, []string{jsonBody}, 400, "invalid_parameter"},
		{"POST", "/v1/trading/limits", `{"markets":{"steam":{"max_day":"1"}}}`, []string{jsonBody}, 400, "invalid_parameter"},
		{"POST", "/v1/trading/limits", `{"max_week":"1"}`, []string{jsonBody}, 400, "invalid_body"},
		{"POST", "/v1/trading/limits", `{"max_day":"1","max_day":"2"}`, []string{jsonBody}, 400, "invalid_body"},
		{"POST", "/v1/trading/limits", `{"markets":{"sih":{"max_day":"1"},"sih":{}}}`, []string{jsonBody}, 400, "invalid_body"},
		{"POST", "/v1/trading/limits", `{"markets":{"sih":{"Max_day":"1"}}}`, []string{jsonBody}, 400, "invalid_body"},
		{"POST", "/v1/trading/breakers/steam/reset", "", nil, 404, "market_not_found"},
		{"POST", "/v1/trading/start", `{"now":true}`, []string{jsonBody}, 400, "invalid_body"},

		{"GET", "/v1/nothing", "", nil, 404, "not_found"},
		{"GET", "/v1/prices/", "", nil, 404, "not_found"},
		{"GET", "/V1/prices", "", nil, 404, "not_found"},
		{"DELETE", "/v1/prices", "", nil, 405, "method_not_allowed"},
		{"GET", "/v1/trading/stop", "", nil, 405, "method_not_allowed"},
		{"OPTIONS", "/v1/feeds", "", nil, 405, "method_not_allowed"},
		{"BREW", "/v1/feeds", "", nil, 405, "method_not_allowed"},
	} {
		what := tt.method + " " + tt.target + " " + tt.body
		what = what[:min(len(what), 120)]
		s := New(newWorld().withTokens().cfg)
		got := ask(t, s, request(tt.method, tt.target, tt.body, append(tt.headers, "Authorization: Bearer "+operatorToken)...))
		wantError(t, what, got, tt.status, tt.code)
	}
}

// TestBodiesAreExplained in words of the API, not of the program.
func TestBodiesAreExplained(t *testing.T) {
	for _, tt := range []struct{ target, body, want string }{
		{"/v1/prices", "[]", "the body: expected an object, got an array"},
		{"/v1/prices", `"x"`, "the body: expected an object, got a string"},
		{"/v1/prices", `{"names":"x"}`, `"names": expected an array, got a string`},
		{"/v1/prices", `{"names":{}}`, `"names": expected an array, got an object`},
		{"/v1/prices", `{"names":["x",12.5]}`, `"names": expected a string, got a number`},
		{"/v1/prices", `{"game":true,"names":[]}`, `"game": expected a string, got a boolean`},
		{"/v1/prices", `{"Names":[]}`, `unknown member "Names"`},
		{"/v1/prices", `{"limit":1}`, `unknown member "limit"`},
		{"/v1/prices", `{"` + strings.Repeat("x", 5000) + `":1}`, `unknown member "` + strings.Repeat("x", 40) + `…"`},
		{"/v1/prices", `{"names":[],"names":[]}`, `member "names" is given twice`},
		{"/v1/trading/limits", `{"max_open_orders":1.5}`, `"max_open_orders": expected a whole number, got another number`},
		{"/v1/trading/limits", `{"max_open_orders":"1"}`, `"max_open_orders": expected a whole number, got a string`},
		{"/v1/trading/limits", `{"markets":{"sih":1}}`, `"markets": expected an object, got a number`},
	} {
		got := ask(t, New(newWorld().withTokens().cfg), request("POST", tt.target, tt.body, "Authorization: Bearer "+operatorToken))
		var answer struct{ Error struct{ Message string } }
		if err := json.Unmarshal([]byte(got.body), &answer); err != nil || got.status != 400 || answer.Error.Message != tt.want {
			t.Errorf("%.80s: got %d %q, want 400 %q", tt.body, got.status, answer.Error.Message, tt.want)
		}
	}
}

// TestStrangeNamesAreText all the same: what is no name costs no others.
func TestStrangeNamesAreText(t *testing.T) {
	body := `{"names":["\ud83d\ude00\n","\uD83D\uDE00","\\ud800","\\\\ud800","\ufffd","` + redline + `"]}`
	got := ask(t, New(newWorld().cfg), request("POST", "/v1/prices", body))
	var answer struct {
		Prices   []json.RawMessage
		NotFound []string `json:"not_found"`
	}
	if err := json.Unmarshal([]byte(got.body), &answer); err != nil || got.status != 200 || len(answer.Prices) != 1 {
		t.Errorf("got %d %s (%v), want 200 and one price", got.status, got.body, err)
	}
	if d := cmp.Diff([]string{"😀\n", "😀", `\ud800`, `\\ud800`, "\ufffd"}, answer.NotFound); d != "" {
		t.Errorf("not_found (-want +got):\n%s", d)
	}
}

// TestMethodNotAllowedSaysWhatIs asserts the header that a 405 must have.
func TestMethodNotAllowedSaysWhatIs(t *testing.T) {
	got := ask(t, New(newWorld().cfg), request("DELETE", "/v1/prices", ""))
	if allow := got.header.Get("Allow"); allow != "GET, HEAD, POST" {
		t.Errorf("DELETE /v1/prices: got Allow %q, want GET, HEAD, POST", allow)
	}
}

// TestErrorsBelow asserts what becomes of errors of what we serve, and that
// their text stays inside.
func TestErrorsBelow(t *testing.T) {
	for _, tt := range []struct {
		err    error
		status int
		code   string
	}{
		{errors.New("dial redis.internal:6379"), 500, "internal"},
		{fmt.Errorf("ask redis.internal: %w", context.DeadlineExceeded), 503, "timeout"},
		{fmt.Errorf("redis.internal: %w", execution.ErrNoOrder), 404, "order_not_found"},
		{fmt.Errorf("stop: %w", &execution.HeldError{What: "it could not be written down", Err: errors.New("redis.internal")}), 503, "stop_incomplete"},
	} {
		for _, r := range []struct{ method, target string }{
			{"GET", "/v1/orders"}, {"GET", "/v1/orders/sa-newest"}, {"GET", "/v1/pnl"}, {"GET", "/v1/trading"},
			{"POST", "/v1/trading/stop"}, {"POST", "/v1/trading/start"}, {"POST", "/v1/feeds/sih/cs2/release"},
		} {
			w := newWorld().withTokens()
			w.trading.fail, w.prices.fail = tt.err, tt.err
			got := ask(t, New(w.cfg), request(r.method, r.target, "", "Authorization: Bearer "+operatorToken))
			what := fmt.Sprintf("%s %s with %v below", r.method, r.target, tt.err)
			wantError(t, what, got, tt.status, tt.code)
			if strings.Contains(got.body, "redis.internal") {
				t.Errorf("%s: got %s, want nothing of the error's text", what, got.body)
			}
		}
	}
}

func TestNotReady(t *testing.T) {
	w := newWorld()
	w.prices.notReady, w.trading.notReady = "no prices yet", "the journal cannot be written"
	got := ask(t, New(w.cfg), request("GET", "/readyz", ""))
	wantError(t, "GET /readyz", got, 503, "not_ready")
	for _, why := range []string{w.prices.notReady, w.trading.notReady} {
		if !strings.Contains(got.body, why) {
			t.Errorf("GET /readyz: got %s, want it to say %q", got.body, why)
		}
	}
	if got := ask(t, New(w.cfg), request("GET", "/healthz", "")); got.status != 200 {
		t.Errorf("GET /healthz: got %d, want 200: it is alive", got.status)
	}
}

// TestPanic ends one request; it is logged, and the next one is answered.
func TestPanic(t *testing.T) {
	var log strings.Builder
	w := newWorld()
	w.cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
	w.prices.book = nil
	s := New(w.cfg)
	wantError(t, "GET /v1/prices with a panic inside", ask(t, s, request("GET", "/v1/prices?name=x", "")), 500, "internal")
	if !strings.Contains(log.String(), "panic") {
		t.Errorf("got log %q, want the panic in it", log.String())
	}
	if got := ask(t, s, request("GET", "/healthz", "")); got.status != 200 {
		t.Errorf("GET /healthz after a panic: got %d, want 200", got.status)
	}
}

// TestTable keeps the table of codes usable.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range problems {
		if seen[p.code] || p.message == "" || p.status < 400 || p.status > 599 {
			t.Errorf("row %+v: want a code once, a message, and a status of an error", p)
		}
		seen[p.code] = true
	}
}
