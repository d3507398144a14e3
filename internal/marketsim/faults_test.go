package marketsim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestFaultsOnPurchases injects each kind that can hit a purchase, on both
// markets, and checks what the client hears and whether the market acted.
func TestFaultsOnPurchases(t *testing.T) {
	const ok = "answered" // with JSON, which says what happened
	for _, c := range []struct {
		kind  string
		acts  bool
		hears string // on SkinsBack
	}{
		{FaultRefuse, false, "reset"},
		{FaultDropBefore, false, "closed"},
		{FaultDropAfter, true, "closed"},
		{FaultErrorBefore, false, "502"},
		{FaultErrorAfter, true, "502"},
		{FaultHTMLBefore, false, "html"},
		{FaultHTMLAfter, true, "html"},
		{FaultTruncate, true, "cut off"},
		{FaultGarble, true, "no JSON"},
		{FaultErrorCode, false, ok},
		{FaultRateLimit, false, ok},
		{FaultDelay, true, ok},
		{FaultEmptyCatalog, true, ok}, // does not concern purchases
	} {
		for _, market := range []string{SkinsBack, SIH} {
			t.Run(market+" "+c.kind, func(t *testing.T) {
				r := start(t, Config{})
				r.pin(market, redline, "10", 5)
				method := map[string]string{SkinsBack: "market_buy", SIH: "create-order"}[market]
				r.Inject(Fault{Market: market, Method: method, Kind: c.kind, Times: 1, Delay: time.Millisecond})
				place := func(id string) (*http.Response, []byte, error) {
					if market == SkinsBack {
						return r.rawSB("market_buy", object{"name": redline, "partner": "1", "token": "t", "custom_id": id})
					}
					body := `{"steamId":"76561198000000000","token":"t","amount":10,"item":"` + redline + `","customId":"` + id + `","appId":730}`
					return r.do(http.MethodPost, r.server.SIHURL+"/create-order", body)
				}
				resp, body, err := place("first")
				if got := heard(resp, body, err); got != c.hears {
					t.Errorf("heard %q (%v), want %q", got, err, c.hears)
				}
				want := 0
				if c.acts {
					want = 1
				}
				if got := len(r.Purchases()); got != want {
					t.Errorf("%d purchases, want %d", got, want)
				}
				// The next one goes through, and the first is known if it was made.
				if resp, body, err := place("second"); heard(resp, body, err) != ok {
					t.Errorf("after the fault: %v, %q, %v", resp, body, err)
				}
				resp, body, err = place("first")
				duplicate := err == nil && (resp.StatusCode == 409 || bytes.Contains(body, []byte("custom_id_already_exists")))
				if duplicate != c.acts {
					t.Errorf("asked again: got %q, want duplicate %t", body, c.acts)
				}
				r.checkBooks(10_000 * dollar)
			})
		}
	}
}

// heard sums up what came back.
func heard(resp *http.Response, body []byte, err error) string {
	switch {
	case errors.Is(err, syscall.ECONNRESET):
		return "reset"
	case err != nil && resp == nil:
		return "closed"
	case err != nil:
		return "cut off"
	case resp.StatusCode == 502:
		return "502"
	case strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html"):
		return "html"
	case !json.Valid(body):
		return "no JSON"
	}
	return "answered"
}

func TestFaultHang(t *testing.T) {
	r := start(t, Config{})
	r.Inject(Fault{Market: SIH, Kind: FaultHang, Times: 1})
	ctx, cancel := context.WithCancel(t.Context())
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, r.server.SIHURL+"/project", nil)
	go func() {
		for r.Requests(SIH)["project"] == 0 {
			runtime.Gosched() // until the request hangs
		}
		cancel()
	}()
	if resp, err := http.DefaultClient.Do(req); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, %v, want the client to give up", resp, err)
	}
	if status, _ := r.get("/project"); status != 200 {
		t.Errorf("after the fault: got %d", status)
	}
}

// TestFaultDelay: a client that gives up while it waits has been served.
func TestFaultDelay(t *testing.T) {
	w, err := New(Config{Catalog: smallCatalog})
	if err != nil {
		t.Fatal(err)
	}
	w.Inject(Fault{Kind: FaultDelay, Delay: time.Hour})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	body := `{"method":"market_buy","name":"` + redline + `","partner":"1","token":"t"}`
	req := httptest.NewRequestWithContext(ctx, http.MethodPost, "/api.php", strings.NewReader(body))
	req.Header.Set("X-CLIENT-ID", DemoClientID)
	req.Header.Set("X-CLIENT-SECRET", DemoClientSecret)
	w.SkinsBack().ServeHTTP(httptest.NewRecorder(), req)
	if got := len(w.Purchases()); got != 1 {
		t.Errorf("%d purchases, want 1", got)
	}
}

// TestFaultWithoutConnection: where the connection cannot be taken over, the
// server is told to drop it.
func TestFaultWithoutConnection(t *testing.T) {
	w, err := New(Config{Catalog: smallCatalog})
	if err != nil {
		t.Fatal(err)
	}
	w.Inject(Fault{Kind: FaultRefuse})
	defer func() {
		if got := recover(); got != http.ErrAbortHandler {
			t.Errorf("recovered %v, want http.ErrAbortHandler", got)
		}
	}()
	w.SIH().ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/api/v1/project", nil))
}

func TestFaultErrors(t *testing.T) {
	r := start(t, Config{})
	r.Inject(Fault{Market: SkinsBack, Kind: FaultErrorCode, Times: 1, Arg: "-6 market_disabled"})
	wantError(t, r.sb("status", nil), -6, "market_disabled")
	r.Inject(Fault{Market: SkinsBack, Kind: FaultErrorCode, Times: 1})
	wantError(t, r.sb("status", nil), -9, "under_maintenance")
	r.Inject(Fault{Market: SkinsBack, Kind: FaultRateLimit, Times: 1})
	wantError(t, r.sb("status", nil), -7, "request_limit_reached")

	r.Inject(Fault{Market: SIH, Kind: FaultErrorCode, Times: 1, Arg: "steam trade ban"})
	if status, got := r.get("/project"); status != 400 || got["error"] != "steam trade ban" {
		t.Errorf("got %d %v", status, got)
	}
	r.Inject(Fault{Market: SIH, Kind: FaultRateLimit, Times: 1, Arg: "7"})
	resp, _, err := r.do(http.MethodGet, r.server.SIHURL+"/project", "")
	if err != nil || resp.StatusCode != 429 || resp.Header.Get("Retry-After") != "7" {
		t.Errorf("got %v, %v, want 429 with Retry-After 7", resp, err)
	}
}

func TestFaultyCatalogs(t *testing.T) {
	r := start(t, Config{Items: 500, Tick: time.Second, MovePct: 100})
	size := func() (lots, items int) {
		_, got := r.get("/get-items", "appId", "730")
		return len(r.lots(nil)), len(got["items"].(object))
	}
	lots, items := size()

	r.Inject(Fault{Kind: FaultEmptyCatalog})
	if l, i := size(); l+i != 0 {
		t.Errorf("empty: got %d and %d rows", l, i)
	}
	r.ClearFaults()

	r.Inject(Fault{Kind: FaultShrunkenCatalog})
	if l, i := size(); l < lots/20 || l > lots/5 || i < items/20 || i > items/5 {
		t.Errorf("shrunken: got %d of %d and %d of %d rows", l, lots, i, items)
	}
	r.ClearFaults()

	before := number(t, r.lots(nil)[0]["price"])
	r.Inject(Fault{Kind: FaultRescaledCatalog})
	if after := number(t, r.lots(nil)[0]["price"]); after != 100*before {
		t.Errorf("rescaled: got %d, want 100 times %d", after, before)
	}
	r.ClearFaults()

	fetch := func() string {
		_, a, err := r.rawSB("market_pricelist", nil)
		if err != nil {
			t.Fatal(err)
		}
		_, b, err := r.do(http.MethodGet, r.server.SIHURL+"/get-items?appId=730", "")
		if err != nil {
			t.Fatal(err)
		}
		return string(a) + string(b)
	}
	r.Inject(Fault{Kind: FaultStalledCatalog})
	stalled := fetch()
	r.clock.advance(time.Minute)
	if fetch() != stalled {
		t.Error("stalled: the catalog changed")
	}
	r.ClearFaults()
	if fetch() == stalled {
		t.Error("the catalog is still the old one")
	}
}

func TestFaultPercentAndTimes(t *testing.T) {
	r := start(t, Config{Seed: 3})
	r.Inject(Fault{Kind: FaultErrorCode, Percent: 30, Times: 20})
	hit := 0
	for range 100 {
		if status, _ := r.get("/project"); status != 200 {
			hit++
		}
	}
	if hit != 20 {
		t.Errorf("hit %d of 100, want the 20 allowed", hit)
	}
	r.Inject(Fault{Kind: FaultErrorCode, Percent: 30})
	hit = 0
	for range 200 {
		if status, _ := r.get("/project"); status != 200 {
			hit++
		}
	}
	if hit < 40 || hit > 80 {
		t.Errorf("hit %d of 200, want about 60", hit)
	}
}

func TestInjectRefusesNonsense(t *testing.T) {
	w, err := New(Config{Catalog: smallCatalog})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []Fault{{}, {Kind: "typo"}, {Kind: FaultHang, Market: "ebay"}, {Kind: FaultHang, Percent: 101}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%+v was accepted", f)
				}
			}()
			w.Inject(f)
		}()
	}
}
