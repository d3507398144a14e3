package marketsim

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"
)

// follow opens SkinsBack's socket.
func (r *rig) follow(id, signature string) *websocket.Conn {
	r.t.Helper()
	address := r.server.SocketURL + "?" + url.Values{"shopid": {id}, "signature": {signature}}.Encode()
	conn, _, err := websocket.Dial(r.t.Context(), address, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { conn.CloseNow() })
	return conn
}

// login is follow with the right credentials, up to auth_success.
func (r *rig) login() *websocket.Conn {
	r.t.Helper()
	conn := r.follow(DemoClientID, demoXSign)
	r.wantFrame(conn, `{"event":"auth_success"}`)
	return conn
}

// demoXSign is md5 of DemoClientID and DemoClientSecret.
const demoXSign = "16af07d7050cab820bb1603baf47189c"

func (r *rig) frame(conn *websocket.Conn) string {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 20*time.Second)
	defer cancel()
	_, frame, err := conn.Read(ctx)
	if err != nil {
		r.t.Fatalf("read a frame: %v", err)
	}
	return string(frame)
}

func (r *rig) wantFrame(conn *websocket.Conn, want string) {
	r.t.Helper()
	if got := r.frame(conn); got != want {
		r.t.Errorf("got the frame %s, want %s", got, want)
	}
}

// TestSocketTellsALife follows one purchase, in the very words of the
// documentation, with every number a string.
func TestSocketTellsALife(t *testing.T) {
	r := start(t, Config{Outcomes: Outcomes{Rollback: 100}})
	r.pin(SkinsBack, redline, "12.45", 1)
	r.buy(redline, object{"custom_id": "unheard"})
	r.pin(SkinsBack, redline, "12.45", 1)
	conn := r.login()
	r.buy(redline, object{"custom_id": "ord-0001"})

	events := map[string][]object{}
	read := func() string {
		e := decode(t, []byte(r.frame(conn)))
		data := e["data"].(object)
		kind := e["event"].(string)
		if id, ok := data["custom_id"]; ok && id != "ord-0001" {
			kind += " of another"
		}
		events[kind] = append(events[kind], data)
		return kind
	}
	wantNext := func(kinds ...string) {
		t.Helper()
		for _, want := range kinds {
			if got := read(); got != want {
				t.Errorf("got %s, want %s; so far %v", got, want, events)
			}
		}
	}
	wantNext("buy_item", "balance_change")
	bought := events["buy_item"][0]
	item := bought["item"].(object)
	if bought["offer_status"] != "creating_trade" || bought["balance_debited_sum"] != "12.45" || bought["buy_id"] != "70002" ||
		item["price"] != "12.45" || item["name"] != redline || item["id"] == "" || item["classid"] == "" {
		t.Errorf("got the purchase %v", bought)
	}
	if got := events["balance_change"][0]["balance_value"]; got != "9975.1" {
		t.Errorf("got the balance %v, want 9975.1", got)
	}

	r.clock.advance(DefaultTiming.TradeCreation)
	wantNext("status_change of another", "status_change")
	r.clock.advance(DefaultTiming.Acceptance)
	wantNext("status_change of another", "status_change")
	r.clock.advance(DefaultTiming.Protection / 2)
	wantNext("status_change of another", "balance_change", "status_change", "balance_change")
	var states []string
	for _, data := range events["status_change"] {
		states = append(states, data["offer_status"].(string))
		if data["buy_id"] != "70002" || data["error_reason"] != nil || data["item"].(object)["id"] != item["id"] || data["item"].(object)["name"] != nil || data["tradeofferid"] == "" {
			t.Errorf("got the change %v", data)
		}
	}
	if got := strings.Join(states, " "); !strings.HasPrefix(got, "waiting_accept accepted rollback_") {
		t.Errorf("got the states %s", got)
	}
	if got := events["balance_change"][2]["balance_value"]; got != "10000" {
		t.Errorf("got the balance %v in the end, want 10000", got)
	}
}

// TestDocumentedBalanceChange is a purchase over again.
func TestDocumentedBalanceChange(t *testing.T) {
	r := start(t, Config{})
	r.pin(SkinsBack, redline, "1", 10)
	conn := r.login()
	kinds := map[string]int{}
	for range 8 {
		r.buy(redline, nil)
		for range 2 {
			kinds[decode(t, []byte(r.frame(conn)))["event"].(string)]++
		}
	}
	if kinds["buy_item"] != 10 || kinds["balance_change"] != 6 {
		t.Errorf("got %v for 8 purchases, want two of 8 balance changes told as purchases", kinds)
	}
}

func TestSocketRefuses(t *testing.T) {
	r := start(t, Config{})
	for _, c := range [][2]string{{"", ""}, {DemoClientID, ""}, {DemoClientID, strings.ToUpper(demoXSign)}, {"other", demoXSign}} {
		conn := r.follow(c[0], c[1])
		r.wantFrame(conn, `{"event":"auth_failed"}`)
		conn.CloseNow()
	}
	if n := r.server.Sockets(); n != 0 {
		t.Errorf("got %d sockets logged in, want none", n)
	}
	resp, err := http.Get(strings.Replace(r.server.SocketURL, "ws:", "http:", 1))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusUpgradeRequired {
		t.Errorf("without an upgrade: got status %d, want 426", resp.StatusCode)
	}
}

// TestSocketPingAndCut also asks the control API how many there are.
func TestSocketPingAndCut(t *testing.T) {
	r := start(t, Config{})
	conn := r.login()
	if err := conn.Write(t.Context(), websocket.MessageText, []byte("ping")); err != nil {
		t.Fatal(err)
	}
	r.wantFrame(conn, "pong")
	sockets := func(method, want string) {
		t.Helper()
		if _, got, err := r.do(method, r.server.ControlURL+"/sockets", ""); err != nil || string(got) != want {
			t.Errorf("%s /sockets: got %s, %v, want %s", method, got, err, want)
		}
	}
	sockets("GET", `{"connected":1}`)
	sockets("DELETE", `{"cut":1}`)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, frame, err := conn.Read(ctx); err == nil || ctx.Err() != nil {
		t.Errorf("after the cut: got %q, %v, want the end", frame, err)
	}
	r.login()
}

// TestNobodyListens: then the clock is never looked at, and nothing is kept.
func TestNobodyListens(t *testing.T) {
	var looks atomic.Int64
	w, err := New(Config{Catalog: smallCatalog, Now: func() time.Time { looks.Add(1); return time.Unix(1_770_000_000, 0) }})
	if err != nil {
		t.Fatal(err)
	}
	before := looks.Load()
	for range 3 {
		if events, webhook := w.news(w.skinsback); events != nil || webhook != "" {
			t.Errorf("got %d events for %q", len(events), webhook)
		}
	}
	if got := looks.Load(); got != before {
		t.Errorf("the clock was looked at %d times", got-before)
	}
}

// TestOutboxIsBounded keeps the newest events when nobody takes them.
func TestOutboxIsBounded(t *testing.T) {
	w, err := New(Config{Catalog: smallCatalog, Balance: 100_000 * dollar})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.SetWebhook(SIH, "http://127.0.0.1:1/"); err != nil {
		t.Fatal(err)
	}
	w.mu.Lock()
	o := &order{market: w.sih, listing: w.sih.listings[0]}
	for i := range maxNews + 10 {
		o.id = int64(i)
		w.tell(o, true, true)
	}
	w.mu.Unlock()
	events, _ := w.news(w.sih)
	var last struct{ ID int }
	if err := json.Unmarshal(events[len(events)-1], &last); err != nil {
		t.Fatal(err)
	}
	if len(events) != maxNews || last.ID != maxNews+9 || len(w.sih.outbox.sent) != maxSent {
		t.Errorf("got %d events, the last %d, and %d kept; want %d, %d and %d", len(events), last.ID, len(w.sih.outbox.sent), maxNews, maxNews+9, maxSent)
	}
}

// TestCloseEndsCouriers with sockets open and a webhook that hangs.
func TestCloseEndsCouriers(t *testing.T) {
	leaks := goleak.IgnoreCurrent()
	r := start(t, Config{})
	hanging := newReceiver(t)
	hanging.hang = true
	if err := r.SetWebhook(SkinsBack, hanging.url); err != nil {
		t.Fatal(err)
	}
	r.login()
	refused := r.follow("nobody", "")
	r.wantFrame(refused, `{"event":"auth_failed"}`)
	r.buy(redline, nil)
	hanging.wait(1)
	began := time.Now()
	if err := r.server.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("Close took %v", took)
	}
	hanging.close()
	http.DefaultClient.CloseIdleConnections()
	refused.CloseNow()
	if err := goleak.Find(leaks); err != nil {
		t.Error(err)
	}
	if _, _, err := websocket.Dial(t.Context(), r.server.SocketURL, nil); err == nil {
		t.Error("a socket after Close")
	}
}
