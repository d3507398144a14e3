package marketsim

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// receiver takes webhooks.
type receiver struct {
	t      *testing.T
	server *httptest.Server
	url    string
	hang   bool // never answers
	done   chan struct{}
	once   sync.Once

	mu  sync.Mutex
	got []received
	all *sync.Cond // got has grown
}

type received struct {
	path   string
	header http.Header
	body   string
	length int
	took   time.Duration // to read the body
}

func newReceiver(t *testing.T) *receiver {
	rc := &receiver{t: t, done: make(chan struct{})}
	rc.all = sync.NewCond(&rc.mu)
	rc.server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		began := time.Now()
		body, _ := io.ReadAll(r.Body)
		rc.mu.Lock()
		rc.got = append(rc.got, received{r.URL.Path, r.Header, strings.TrimSpace(string(body)), len(body), time.Since(began)})
		rc.all.Broadcast()
		rc.mu.Unlock()
		if rc.hang {
			<-rc.done
		}
		rw.WriteHeader(http.StatusAccepted)
		io.WriteString(rw, "thanks")
	}))
	rc.url = rc.server.URL + "/hook"
	t.Cleanup(rc.close)
	return rc
}

func (rc *receiver) close() {
	rc.once.Do(func() {
		close(rc.done)
		rc.server.Close()
	})
}

// wait waits for so many webhooks, and returns and forgets them.
func (rc *receiver) wait(n int) []received {
	rc.t.Helper()
	late := time.AfterFunc(20*time.Second, func() {
		rc.mu.Lock()
		defer rc.mu.Unlock()
		rc.got = append(rc.got, make([]received, n)...)
		rc.all.Broadcast()
	})
	defer late.Stop()
	rc.mu.Lock()
	defer rc.mu.Unlock()
	for len(rc.got) < n {
		rc.all.Wait()
	}
	got := rc.got
	rc.got = nil
	if len(got) != n {
		rc.t.Fatalf("got %d webhooks, want %d, within 20 s", len(got), n)
	}
	return got
}

// TestWebhookSignature holds the signature against a vector that was computed
// elsewhere.
func TestWebhookSignature(t *testing.T) {
	w, err := New(Config{Catalog: smallCatalog, ClientSecret: "test-secret"})
	if err != nil {
		t.Fatal(err)
	}
	body := `{"event":"status_change","data":{"item":{"id":"2516"},"buy_id":"65","offer_status":"accepted","error_reason":null,"tradeofferid":"4176876858","custom_id":"ord-0001"}}`
	if got, want := w.signature([]byte(body)), "51905494382739edc79d1faa0fe6cf396592fedc16b76db4399d3b12c6fb2076"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := w.xSign(), "9d75bfb0f8c22b6c7be9821a96696227"; got != want {
		t.Errorf("X-SIGN: got %s, want %s", got, want)
	}
}

// TestWebhooks sends both markets' events of one purchase each.
func TestWebhooks(t *testing.T) {
	r := start(t, Config{})
	sb, sih := newReceiver(t), newReceiver(t)
	if err := r.SetWebhook(SkinsBack, sb.url); err != nil {
		t.Fatal(err)
	}
	if status, _ := r.get("/set-webhook", "url", sih.url+"/secret"); status != http.StatusOK {
		t.Fatalf("set-webhook: got %d", status)
	}
	r.buy(redline, object{"custom_id": "ord-1"})
	r.order(redline, "900", "ord-2", nil)
	for _, got := range sb.wait(2) {
		if got.header.Get("Signature") != r.signature([]byte(got.body)) || got.header.Get("X-SIGN") != demoXSign || got.header.Get("Content-Type") != "application/json" || got.path != "/hook" {
			t.Errorf("SkinsBack: got %+v", got)
		}
	}
	created := sih.wait(1)[0]
	if created.header.Get("Signature") != "" || created.header.Get("X-SIGN") != "" || created.path != "/hook/secret" {
		t.Errorf("SIH: got %+v, want no signature", created)
	}
	r.clock.advance(DefaultTiming.TradeCreation + DefaultTiming.Acceptance)
	var states []string
	for _, got := range sb.wait(2) {
		states = append(states, decode(t, []byte(got.body))["data"].(object)["offer_status"].(string))
	}
	for _, got := range append([]received{created}, sih.wait(3)...) {
		o := decode(t, []byte(got.body))
		if inner, ok := o["order"]; ok { // the second order of this world
			o = inner.(object)
		}
		if o["customId"] != "ord-2" || o["id"] != json.Number("700001") {
			t.Errorf("SIH: got %s", got.body)
		}
		states = append(states, o["status"].(string))
	}
	if want := []string{"waiting_accept", "accepted", "created", "processing", "sent", "finished"}; !slices.Equal(states, want) {
		t.Errorf("got %v, want %v in this order", states, want)
	}

	// Without an address nothing is sent, and nothing was put aside meanwhile.
	if status, _ := r.get("/set-webhook"); status != http.StatusOK {
		t.Fatalf("set-webhook: got %d", status)
	}
	r.order(redline, "900", "ord-3", nil)
	if err := r.SetWebhook(SIH, sih.url); err != nil {
		t.Fatal(err)
	}
	r.order(redline, "900", "ord-4", nil)
	if got := sih.wait(1)[0].body; !strings.Contains(got, "ord-4") {
		t.Errorf("got %s, want ord-4 first", got)
	}
}

// TestSIHShapes: an order comes alone, or under order or data.
func TestSIHShapes(t *testing.T) {
	r := start(t, Config{})
	r.pin(SIH, redline, "1", 10)
	sih := newReceiver(t)
	if err := r.SetWebhook(SIH, sih.url); err != nil {
		t.Fatal(err)
	}
	shapes := map[string]int{}
	for i := range 6 {
		r.order(redline, "1", fmt.Sprint("ord-", i), nil)
		shape, body := "alone", decode(t, []byte(sih.wait(1)[0].body))
		for _, under := range []string{"order", "data"} {
			if body[under] != nil {
				shape, body = under, body[under].(object)
			}
		}
		if body["customId"] != fmt.Sprint("ord-", i) {
			t.Errorf("order %d: got %v", i, body)
		}
		shapes[shape]++
	}
	if shapes["alone"] != 2 || shapes["order"] != 2 || shapes["data"] != 2 {
		t.Errorf("got %v of 6 orders, want two of each shape", shapes)
	}
}

func TestAttacks(t *testing.T) {
	r := start(t, Config{})
	hooks := map[string]*receiver{SkinsBack: newReceiver(t), SIH: newReceiver(t)}
	attack := func(market, kind string) ([]Answer, []received) {
		t.Helper()
		answers, err := r.Attack(t.Context(), Attack{Market: market, Kind: kind, For: 200 * time.Millisecond})
		if err != nil {
			t.Fatalf("%s on %s: %v", kind, market, err)
		}
		for _, a := range answers {
			if a.Status != http.StatusAccepted || a.Body != "thanks" || a.Err != "" || a.Took <= 0 {
				t.Errorf("%s on %s: got the answer %+v", kind, market, a)
			}
		}
		return answers, hooks[market].wait(len(answers))
	}
	for _, market := range []string{SkinsBack, SIH} {
		if _, err := r.Attack(t.Context(), Attack{Market: market, Kind: AttackForged}); err == nil {
			t.Errorf("%s: attacked without a webhook", market)
		}
		if err := r.SetWebhook(market, hooks[market].url); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Attack(t.Context(), Attack{Market: market, Kind: AttackReplayed}); err == nil {
			t.Errorf("%s: replayed what was never sent", market)
		}
		attack(market, AttackForged) // of a purchase that never was
	}
	r.buy(redline, object{"custom_id": "ord-1"})
	r.order(redline, "900", "ord-1", nil)
	r.clock.advance(DefaultTiming.TradeCreation + DefaultTiming.Acceptance)
	genuine := map[string][]received{SkinsBack: hooks[SkinsBack].wait(4), SIH: hooks[SIH].wait(4)}

	for market, sent := range genuine {
		signed := func(got received) bool {
			return market == SIH || got.header.Get("Signature") == r.signature([]byte(got.body))
		}
		newest := sent[len(sent)-1].body
		_, forged := attack(market, AttackForged)
		if got := forged[0]; market == SkinsBack && (signed(got) || got.header.Get("Signature") == "") || !strings.Contains(got.body, "ord-1") || !strings.Contains(got.body, "cancel") || got.path != "/hook" {
			t.Errorf("%s, forged: got %+v", market, got)
		}
		_, stranger := attack(market, AttackStranger)
		if got := stranger[0]; got.header.Get("Signature") != "" || (got.path == "/hook") != (market == SkinsBack) || (got.header.Get("X-SIGN") == demoXSign) != (market == SkinsBack) {
			t.Errorf("%s, stranger: got %+v", market, got)
		}
		_, replayed := attack(market, AttackReplayed)
		for _, got := range replayed {
			if got.body != newest || !signed(got) {
				t.Errorf("%s, replayed: got %+v, want %s", market, got, newest)
			}
		}
		_, reordered := attack(market, AttackReordered)
		for i, got := range reordered {
			if got.body != sent[len(sent)-1-i].body || !signed(got) {
				t.Errorf("%s, reordered: got %+v at %d", market, got, i)
			}
		}
		if len(replayed) != replays || len(reordered) != len(sent) {
			t.Errorf("%s: replayed %d and reordered %d, want %d and %d", market, len(replayed), len(reordered), replays, len(sent))
		}
		_, huge := attack(market, AttackHuge)
		if huge[0].length != hugeBody {
			t.Errorf("%s, huge: got %d bytes, want %d", market, huge[0].length, hugeBody)
		}
		_, slow := attack(market, AttackSlow)
		if slow[0].body != newest || !signed(slow[0]) || slow[0].took < 100*time.Millisecond {
			t.Errorf("%s, slow: got %+v", market, slow[0])
		}
	}
	if p := r.Purchases(); p[0].State != "accepted" || p[1].State != "finished" {
		t.Errorf("lies changed the truth: got %+v", p)
	}
}

func TestControlOfWebhooks(t *testing.T) {
	r := start(t, Config{})
	sb := newReceiver(t)
	call := func(path, body string, want int) string {
		t.Helper()
		resp, data, err := r.do("POST", r.server.ControlURL+path, body)
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != want {
			t.Errorf("%s %s: got %d %s, want %d", path, body, resp.StatusCode, data, want)
		}
		return string(data)
	}
	call("/webhook", `{"market":"skinsback","url":"`+sb.url+`"}`, 200)
	r.buy(redline, nil)
	sb.wait(2)
	if got := call("/attack", `{"market":"skinsback","kind":"slow","for":"20ms"}`, 200); !strings.HasPrefix(got, `[{"status":202,"body":"thanks","took_ms":`) {
		t.Errorf("attack: got %s", got)
	}
	for _, c := range [][2]string{
		{"/webhook", `{"market":"ebay","url":"http://127.0.0.1/"}`},
		{"/webhook", `{"market":"sih","url":"file:///etc/passwd"}`},
		{"/webhook", `{"market":"sih","url":"http://"}`},
		{"/webhook", `{"address":"x"}`},
		{"/attack", `{"market":"sih","kind":"slow"}`}, // no webhook
		{"/attack", `{"market":"skinsback","kind":"rude"}`},
		{"/attack", `{"market":"ebay","kind":"slow"}`},
		{"/attack", `{"market":"skinsback","kind":"slow","for":"long"}`},
		{"/attack", `not JSON`},
	} {
		call(c[0], c[1], 400)
	}
	sb.close()
	if got := call("/attack", `{"market":"skinsback","kind":"forged"}`, 200); !strings.Contains(got, `"error":"`) || !strings.Contains(got, `"status":0`) {
		t.Errorf("attack on nobody: got %s", got)
	}
}
