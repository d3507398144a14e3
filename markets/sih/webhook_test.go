package sih

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"skinarb/execution"
	"skinarb/internal/marketsim"
)

func TestWebhook(t *testing.T) {
	ours := execution.Hint{ID: "ord-1", MarketRef: "700001"}
	for _, tt := range []struct {
		body string
		want []execution.Hint
	}{
		// The shapes that clients expect.
		{`{"id":700001,"customId":"ord-1","status":"sent"}`, []execution.Hint{ours}},
		{`{"order":{"id":700001,"customId":"ord-1","status":"sent"}}`, []execution.Hint{ours}},
		{`{"data":{"id":"700001","customId":"ord-1"}}`, []execution.Hint{ours}},
		{`{"orderId":700001,"custom_id":"ord-1"}`, []execution.Hint{ours}},
		{`{"success":true,"data":{"order":{"id":700001,"customId":"ord-1"}}}`, []execution.Hint{ours}},

		{`{"id":700001}`, []execution.Hint{{MarketRef: "700001"}}},
		{`{"customId":"ord-1"}`, []execution.Hint{{ID: "ord-1"}}},
		{`{"id":"event-9","order":{"id":700001,"customId":"ord-1"}}`, []execution.Hint{ours}}, // the envelope's id is another
		{`{"id":9,"orderId":700001,"customId":"ord-1"}`, []execution.Hint{ours}},
		{`[{"id":1},{"id":2},7,null]`, []execution.Hint{{MarketRef: "1"}, {MarketRef: "2"}}},
		{`{"orders":[{"id":1},{"customId":"a"}]}`, []execution.Hint{{MarketRef: "1"}, {ID: "a"}}},

		// What says nothing that can be read.
		{`{"status":"sent"}`, nil},
		{`{"id":null,"customId":null}`, nil},
		{`{"id":{},"customId":["a"]}`, nil},
		{`{"id":true,"customId":"two words"}`, nil},
		{`{"id":"` + strings.Repeat("9", maxClue+1) + `"}`, nil},
		{`{"order":"sent","data":5,"id":4}`, []execution.Hint{{MarketRef: "4"}}},
		{`{"data":{"data":{"data":{"id":1}}}}`, nil}, // deeper than any order stands
		{strings.Repeat("[", 100_000), nil},
		{`{"id":1`, nil},
		{`{"id":1}` + strings.Repeat(" ", maxWebhook), nil},
		{`id=1&customId=ord-1`, nil},
		{``, nil},
	} {
		if diff := cmp.Diff(tt.want, Webhook([]byte(tt.body))); diff != "" {
			t.Errorf("%.100s: want - got +\n%s", tt.body, diff)
		}
	}
}

// TestWebhookIsBounded names more orders than anybody wants to look up.
func TestWebhookIsBounded(t *testing.T) {
	many := func(n int) string {
		var orders []string
		for i := range n {
			orders = append(orders, fmt.Sprintf(`{"id":%d}`, i))
		}
		return "[" + strings.Join(orders, ",") + "]"
	}
	for _, body := range []string{many(1000), `{"order":` + many(30) + `,"data":` + many(30) + `}`} {
		if got := len(Webhook([]byte(body))); got != maxWebhookHints {
			t.Errorf("%.40s: got %d hints, want %d", body, got, maxWebhookHints)
		}
	}
}

// TestWebhooksOfTheSimulator reads what marketsim sends of three orders, each in
// another shape.
func TestWebhooksOfTheSimulator(t *testing.T) {
	heard := make(chan []execution.Hint, 10)
	receiver := served(t, func(w http.ResponseWriter, r *http.Request) {
		var body strings.Builder
		if err := r.Write(&body); err != nil {
			t.Error(err)
		}
		_, content, _ := strings.Cut(body.String(), "\r\n\r\n")
		heard <- Webhook([]byte(content))
	})
	const name = "AK-47 | Redline (Field-Tested)"
	world, err := marketsim.New(marketsim.Config{Catalog: map[string]int64{name: 20_000_000}})
	if err != nil {
		t.Fatal(err)
	}
	server, err := marketsim.Serve(world, "")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	if err := world.SetWebhook(marketsim.SIH, receiver.cfg.URL+"/hook"); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		body := fmt.Sprintf(`{"steamId":%q,"token":"t","amount":900,"item":%q,"customId":"ord-%d","appId":730}`, testSteam, name, i)
		req, err := http.NewRequest(http.MethodPost, server.SIHURL+"/create-order", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("apikey", marketsim.DemoAPIKey)
		resp, err := http.DefaultClient.Do(req)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("create-order: %v, %v", resp, err)
		}
		resp.Body.Close()
		want := []execution.Hint{{ID: execution.OrderID(fmt.Sprintf("ord-%d", i)), MarketRef: fmt.Sprint(700_001 + i)}}
		if diff := cmp.Diff(want, <-heard); diff != "" {
			t.Errorf("order %d: want - got +\n%s", i, diff)
		}
	}
}

// FuzzWebhook asserts that whatever is read is bounded and fit for a look-up.
func FuzzWebhook(f *testing.F) {
	for _, s := range []string{
		`{"id":1,"customId":"a"}`, `{"order":[{"orderId":"1"}]}`, `{"data":{"order":{"custom_id":1}}}`,
		`[[[{"id":1}]]]`, `{"id":-1e9}`, "{\"id\":\"\xff\"}", `null`, `{"data":`, ``,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		hints := Webhook(in)
		if len(hints) > maxWebhookHints {
			t.Errorf("%q: got %d hints", in, len(hints))
		}
		for _, h := range hints {
			if h == (execution.Hint{}) || len(h.ID) > maxClue || len(h.MarketRef) > maxClue {
				t.Errorf("%q: got the hint %+v", in, h)
			}
			if odd := strings.Trim(string(h.ID)+h.MarketRef, "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"); odd != "" {
				t.Errorf("%q: got the hint %+v with %q", in, h, odd)
			}
		}
	})
}
