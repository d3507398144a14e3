package marketsim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// clock is set by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// rig is a world on a real socket with a clock set by hand.
type rig struct {
	*World
	t      *testing.T
	clock  *clock
	server *Server
}

// object is a decoded JSON object; numbers are json.Number.
type object = map[string]any

const (
	redline   = "AK-47 | Redline (Field-Tested)"
	asiimov   = "AWP | Asiimov (Battle-Scarred)"
	ruby      = "★ Karambit | Doppler Ruby (Factory New)"
	phase2    = "★ Karambit | Doppler Phase 2 (Factory New)"
	bareKnife = "★ Karambit | Doppler (Factory New)"
)

var smallCatalog = map[string]int64{
	redline: 20 * dollar,
	asiimov: 100 * dollar,
	ruby:    4000 * dollar,
	phase2:  900 * dollar,
}

// start serves a world. Without a catalog in cfg it gets the small one.
func start(t *testing.T, cfg Config) *rig {
	t.Helper()
	c := &clock{now: time.Unix(1_770_000_000, 0)}
	cfg.Now = c.Now
	if cfg.Catalog == nil && cfg.Items == 0 {
		cfg.Catalog = smallCatalog
	}
	w, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Serve(w, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &rig{w, t, c, s}
}

// do sends a request with all credentials and returns the status, the header
// and the whole body.
func (r *rig) do(method, address, body string) (*http.Response, []byte, error) {
	r.t.Helper()
	req, err := http.NewRequest(method, address, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("X-CLIENT-ID", DemoClientID)
	req.Header.Set("X-CLIENT-SECRET", DemoClientSecret)
	req.Header.Set("apikey", DemoAPIKey)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return resp, data, err
}

// sb calls a SkinsBack method and expects an answer.
func (r *rig) sb(method string, p object) object {
	r.t.Helper()
	resp, body, err := r.rawSB(method, p)
	if err != nil {
		r.t.Fatalf("%s %v: %v", method, p, err)
	}
	if resp.StatusCode != http.StatusOK {
		r.t.Fatalf("%s %v: status %d", method, p, resp.StatusCode)
	}
	return decode(r.t, body)
}

func (r *rig) rawSB(method string, p object) (*http.Response, []byte, error) {
	r.t.Helper()
	all := object{"method": method}
	for k, v := range p {
		all[k] = v
	}
	body, err := json.Marshal(all)
	if err != nil {
		r.t.Fatal(err)
	}
	return r.do(http.MethodPost, r.server.SkinsBackURL, string(body))
}

// buy buys by name on SkinsBack, with a recipient.
func (r *rig) buy(name string, more object) object {
	r.t.Helper()
	p := object{"name": name, "game": "cs2", "partner": "100000001", "token": "AbCdEf12"}
	for k, v := range more {
		p[k] = v
	}
	return r.sb("market_buy", p)
}

// get and post call SIH and expect an answer.
func (r *rig) get(path string, query ...string) (int, object) {
	r.t.Helper()
	q := url.Values{}
	for i := 0; i < len(query); i += 2 {
		q.Set(query[i], query[i+1])
	}
	resp, body, err := r.do(http.MethodGet, r.server.SIHURL+path+"?"+q.Encode(), "")
	if err != nil {
		r.t.Fatalf("GET %s %v: %v", path, query, err)
	}
	return resp.StatusCode, decode(r.t, body)
}

func (r *rig) post(path string, in object) (int, object) {
	r.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		r.t.Fatal(err)
	}
	resp, data, err := r.do(http.MethodPost, r.server.SIHURL+path, string(body))
	if err != nil {
		r.t.Fatalf("POST %s %v: %v", path, in, err)
	}
	return resp.StatusCode, decode(r.t, data)
}

// order places an order on SIH.
func (r *rig) order(name, amount, customID string, more object) (int, object) {
	r.t.Helper()
	in := object{
		"steamId": "76561198000000000", "token": "SSH18JS", "amount": json.Number(amount),
		"item": name, "customId": customID, "test": false, "appId": 730,
	}
	for k, v := range more {
		in[k] = v
	}
	return r.post("/create-order", in)
}

// stored reads an order of SIH back.
func (r *rig) stored(customID string) object {
	r.t.Helper()
	status, answer := r.get("/get-order", "customId", customID)
	if status != http.StatusOK {
		r.t.Fatalf("get-order %s: status %d, %v", customID, status, answer)
	}
	return answer["order"].(object)
}

func decode(t *testing.T, body []byte) object {
	t.Helper()
	var v object
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("decode %.200q: %v", body, err)
	}
	return v
}

// pin puts count lots at an ask in dollars on a market.
func (r *rig) pin(market, name, ask string, count int) {
	r.t.Helper()
	amount, err := ParseUSD(ask)
	if err != nil {
		r.t.Fatal(err)
	}
	if err := r.SetAsk(market, name, amount); err != nil {
		r.t.Fatal(err)
	}
	if err := r.SetCount(market, name, count); err != nil {
		r.t.Fatal(err)
	}
}

// wantError checks a SkinsBack error.
func wantError(t *testing.T, got object, code int, text string) {
	t.Helper()
	want := object{"status": "error", "error_code": json.Number(fmt.Sprint(code)), "error_message": text}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// checkBooks checks that money is neither made nor lost: what purchases say
// explains each balance.
func (r *rig) checkBooks(start int64) {
	r.t.Helper()
	spent := map[string]int64{}
	for _, p := range r.Purchases() {
		spent[p.Market] += p.Debited - p.Refunded
	}
	for _, market := range []string{SkinsBack, SIH} {
		if got, want := r.Balance(market), start-spent[market]; got != want {
			r.t.Errorf("%s: balance %s, purchases leave %s", market, FormatUSD(got), FormatUSD(want))
		}
	}
}
