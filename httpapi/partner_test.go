package httpapi

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
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

// partnerRefusal is what the protocol says to what is not signed.
const partnerRefusal = `{"success":false,"error":"invalid signature"}`

// TestPartnerAnswersEverything with 200 in the protocol's words: to SIH every
// other answer is a broken network.
func TestPartnerAnswersEverything(t *testing.T) {
	w := newWorld().withTokens()
	s := New(w.cfg)
	for _, path := range []string{"/partner/sih/create-purchase", "/partner/sih/get-purchase"} {
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "HEAD", "BREW"} {
			for _, end := range []string{"", "/", "?a=b", "/?a=b"} {
				got := ask(t, s, request(method, path+end, "{}"))
				want := partnerRefusal
				if method == "HEAD" {
					want = ""
				}
				if got.status != 200 || got.body != want || got.header.Get("Content-Type") != "application/json" || got.header.Get("Allow") != "" {
					t.Errorf("%s %s: got %d %v %s, want 200 %s", method, path+end, got.status, got.header, got.body, want)
				}
			}
		}
	}
	for _, path := range []string{"/partner/sih", "/partner/sih/create-purchase//", "/partner/sih/create-purchases", "/Partner/sih/get-purchase", "/partner/sih/get-purchase/x"} {
		wantError(t, path, ask(t, s, request("POST", path, "{}")), 404, "not_found")
	}
	metrics := ask(t, s, request("GET", "/metrics", "")).body
	for _, want := range []string{`{code="200",route="/partner/sih/create-purchase"} 36`, `{code="200",route="/partner/sih/get-purchase"} 36`} {
		if !strings.Contains(metrics, want+"\n") {
			t.Errorf("metrics: want %s in\n%s", want, metrics)
		}
	}
}

// TestPartnerBehindASlash is called like without.
func TestPartnerBehindASlash(t *testing.T) {
	s := New(newWorld().cfg)
	for _, r := range []struct{ method, target, body string }{
		{"POST", "/partner/sih/create-purchase/", `{"customId":"fast-1"}`}, {"GET", "/partner/sih/get-purchase/?customId=fast-1", ""},
	} {
		if got := ask(t, s, request(r.method, r.target, r.body, "signature: good")); got.status != 200 || !strings.Contains(got.body, `"success":true`) {
			t.Errorf("%s %s: got %d %s, want 200 and success", r.method, r.target, got.status, got.body)
		}
	}
}

// TestPartnerRefusesOnTheWire what fasthttp refuses before any handler, and then
// forgets.
func TestPartnerRefusesOnTheWire(t *testing.T) {
	w := newWorld()
	_, addr := serve(t, w.cfg)
	big := strings.Repeat(" ", 4<<20)
	chunked := fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n", len(big)) + big + "\r\n0\r\n\r\n"
	for name, raw := range map[string]string{
		"one byte too large":           fmt.Sprintf("Content-Length: %d\r\n\r\n", maxBody+1) + big[:maxBody+1],
		"much too large":               fmt.Sprintf("Content-Length: %d\r\n\r\n", len(big)) + big,
		"too large and without length": chunked,
		"too many headers":             strings.Repeat("X: "+big[:100]+"x\r\n", 200) + "\r\n",
		"a wrong length":               "Content-Length: x\r\n\r\n",
		"a wrong chunk":                "Transfer-Encoding: chunked\r\n\r\nx\r\n",
	} {
		for _, line := range []string{"POST /partner/sih/create-purchase", "POST /partner/sih/create-purchase/", "PUT /partner/sih/get-purchase?customId=x", "BREW /partner/sih/get-purchase/"} {
			got := exchange(t, addr, strings.NewReader(line+" HTTP/1.1\r\nHost: x\r\nSignature: good\r\n"+raw))
			if got.status != 200 || got.body != partnerRefusal || got.header.Get("Content-Type") != "application/json" {
				t.Errorf("%s, %s: got %d %s, want 200 %s", line, name, got.status, got.body, partnerRefusal)
			}
		}
	}
	const poll = "GET /partner/sih/get-purchase?customId="
	for name, raw := range map[string]string{
		"a long query": poll + strings.Repeat("x", 64<<10) + " HTTP/1.1\r\nHost: x\r\n\r\n",
		"no host":      poll + "x HTTP/1.1\r\n\r\n",
		"a wrong host": poll + "x HTTP/1.1\r\nHost: [x\r\n\r\n",
		"a large body": poll + "x HTTP/1.1\r\nHost: x\r\n" + chunked,
	} {
		if got := exchange(t, addr, strings.NewReader(raw)); got.status != 200 || got.body != partnerRefusal {
			t.Errorf("%s: got %d %s, want 200 %s", name, got.status, got.body, partnerRefusal)
		}
	}
}

// TestWhoseRequestIsForgotten on a connection that has more than one: only what is
// refused counts.
func TestWhoseRequestIsForgotten(t *testing.T) {
	_, addr := serve(t, newWorld().cfg)
	const (
		poll  = "GET /partner/sih/get-purchase?customId=fast-1 HTTP/1.1\r\nHost: x\r\nSignature: good\r\n\r\n"
		alive = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
	)
	tooLarge := fmt.Sprintf(" HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n", maxBody+1) + strings.Repeat(" ", maxBody+1)
	for _, tt := range []struct {
		name, first, second string
		status              int
	}{
		{"ours after SIH's", poll, "POST /v1/prices" + tooLarge, 413},
		{"SIH's after ours", alive, "POST /partner/sih/create-purchase" + tooLarge, 200},
		{"SIH's that waits", alive, "POST /partner/sih/create-purchase HTTP/1.1\r\nExpect: 100-continue" + strings.TrimPrefix(tooLarge, " HTTP/1.1"), 200},
	} {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		reader := bufio.NewReader(c)
		var last reply
		for _, raw := range []string{tt.first, tt.second} {
			head, body, _ := strings.Cut(raw, "\r\n\r\n")
			fmt.Fprint(c, head+"\r\n\r\n")
			if strings.Contains(head, "Expect") {
				if resp, err := http.ReadResponse(reader, nil); err != nil || resp.StatusCode != 100 {
					t.Fatalf("%s: got %v (%v), want 100", tt.name, resp, err)
				}
			}
			fmt.Fprint(c, body)
			resp, err := http.ReadResponse(reader, nil)
			if err != nil {
				t.Fatalf("%s: %v", tt.name, err)
			}
			text, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatalf("%s: %v", tt.name, err)
			}
			last = reply{resp.StatusCode, resp.Header, string(text)}
		}
		if last.status != tt.status || (tt.status == 200) != (last.body == partnerRefusal) {
			t.Errorf("%s: got %d %s, want %d", tt.name, last.status, last.body, tt.status)
		}
	}
}

func TestWithoutPartner(t *testing.T) {
	w := newWorld()
	w.cfg.Partner = nil
	s := New(w.cfg)
	wantError(t, "with a wrong method", ask(t, s, request("PUT", "/partner/sih/create-purchase", "{}")), 404, "not_found")
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
