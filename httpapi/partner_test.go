package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fakePartner knows the purchase fast-1, refuses what is not signed good, and keeps
// what reached it.
type fakePartner struct {
	mu     sync.Mutex
	calls  []string
	panics bool
}

func (f *fakePartner) answer(call, signature string, known bool) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.panics {
		panic("no partner today")
	}
	f.calls = append(f.calls, call)
	switch {
	case signature != "good":
		return []byte(`{"success":false,"error":"invalid signature"}`)
	case !known:
		return []byte(`{"success":false,"error":"not found"}`)
	}
	return []byte(`{"success":true,"data":{"id":"9223372036854775807","price":1.23,"offerId":7912345678,"status":"finished",` +
		`"avatar":"a","nickname":"n","protection":{"status":"processing","until":1769740800}}}`)
}

func (f *fakePartner) Create(ctx context.Context, body []byte, signature string) []byte {
	_, bounded := ctx.Deadline()
	return f.answer(fmt.Sprintf("create %s|%s|%t", body, signature, bounded), signature, strings.Contains(string(body), "fast-1"))
}

func (f *fakePartner) Get(ctx context.Context, rawQuery, signature string) []byte {
	_, bounded := ctx.Deadline()
	return f.answer(fmt.Sprintf("get %s|%s|%t", rawQuery, signature, bounded), signature, strings.Contains(rawQuery, "fast-1"))
}

// TestPartner: whatever SIH asks gets 200 and the partner's own answer, without any
// token of ours, and reaches the partner as it was sent.
func TestPartner(t *testing.T) {
	const create, get = "/partner/sih/create-purchase", "/partner/sih/get-purchase"
	for _, tt := range []struct {
		name                 string
		method, target, body string
		headers              []string
		call                 string
		success              bool
	}{
		{"an order", "POST", create, `{"customId": "fast-1"}`, []string{"signature: good", "Content-Type: application/json"}, `create {"customId": "fast-1"}|good|true`, true},
		{"no type", "POST", create, `{"customId":"fast-1"}`, []string{"signature: good"}, `create {"customId":"fast-1"}|good|true`, true},
		{"unsigned", "POST", create, "{}", nil, "create {}||true", false},
		{"no JSON", "POST", create, "\x00\xff", []string{"signature: bad"}, "create \x00\xff|bad|true", false},
		{"no body", "POST", create, "", nil, "create ||true", false},
		{"compressed", "POST", create, "\x1f\x8b", []string{"Content-Encoding: gzip"}, "create \x1f\x8b||true", false},
		{"a query", "POST", create + "?a=b", "{}", nil, "create {}||true", false},
		{"a poll", "GET", get + "?customId=fast-1", "", []string{"signature: good"}, "get customId=fast-1|good|true", true},
		{"escapes", "GET", get + "?customId=a%2Bb+c%ff", "", []string{"signature: good"}, "get customId=a%2Bb+c%ff|good|true", false},
		{"twice and more", "GET", get + "?customId=a&customId=b&x=1", "", nil, "get customId=a&customId=b&x=1||true", false},
		{"no query", "GET", get, "", nil, "get ||true", false},
	} {
		w := newWorld().withTokens()
		got := ask(t, New(w.cfg), request(tt.method, tt.target, tt.body, tt.headers...))
		var answer struct{ Success bool }
		if err := json.Unmarshal([]byte(got.body), &answer); got.status != 200 || got.header.Get("Content-Type") != "application/json" || err != nil || answer.Success != tt.success {
			t.Errorf("%s: got %d %s, want 200 and success %t", tt.name, got.status, got.body, tt.success)
		}
		if d := cmp.Diff([]string{tt.call}, w.partner.calls); d != "" {
			t.Errorf("%s: calls (-want +got):\n%s", tt.name, d)
		}
	}
}

// TestPartnerOnTheWire sends what Node sends: header names in lower case.
func TestPartnerOnTheWire(t *testing.T) {
	w := newWorld()
	_, addr := serve(t, w.cfg)
	const body = `{"customId":"fast-1"}`
	for _, raw := range []string{
		"POST /partner/sih/create-purchase HTTP/1.1\r\nhost: x\r\nsignature: good\r\ncontent-type: application/json\r\ncontent-length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body,
		"GET /partner/sih/get-purchase?customId=fast-1 HTTP/1.1\r\nhost: x\r\nsignature: good\r\n\r\n",
	} {
		if got := exchange(t, addr, strings.NewReader(raw)); got.status != 200 || !strings.Contains(got.body, `"success":true`) {
			t.Errorf("%q: got %d %s, want 200 and success", raw, got.status, got.body)
		}
	}
}

func TestWithoutPartner(t *testing.T) {
	w := newWorld()
	w.cfg.Partner = nil
	s := New(w.cfg)
	wantError(t, "create", ask(t, s, request("POST", "/partner/sih/create-purchase", "{}")), 404, "not_found")
	wantError(t, "get", ask(t, s, request("GET", "/partner/sih/get-purchase?customId=x", "")), 404, "not_found")
}

// TestPartnerLeavesNoTrace looks for what SIH sent in logs and metrics, also when
// something breaks: a token is in it.
func TestPartnerLeavesNoTrace(t *testing.T) {
	var out strings.Builder
	w := newWorld()
	w.cfg.Logger = slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s := New(w.cfg)
	for _, w.partner.panics = range []bool{false, true} {
		ask(t, s, request("POST", "/partner/sih/create-purchase", `{"token":"SECRET01"}`, "signature: SECRET02"))
		ask(t, s, request("GET", "/partner/sih/get-purchase?customId=SECRET03", "", "signature: SECRET02"))
	}
	out.WriteString(ask(t, s, request("GET", "/metrics", "")).body)
	if !strings.Contains(out.String(), "no partner today") || !strings.Contains(out.String(), `route="/partner/sih/get-purchase"`) {
		t.Errorf("got %q, want the failure and the route in it", out.String())
	}
	if strings.Contains(out.String(), "SECRET") {
		t.Errorf("what SIH sent is in a log or a metric: %q", out.String())
	}
}
