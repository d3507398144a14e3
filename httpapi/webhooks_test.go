package httpapi

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

const hookSecret = "unguessable/last part"

// hookTarget is the path of SIH's webhook.
const hookTarget = "/webhooks/sih/unguessable%2Flast%20part"

// fakeHooks takes everything that is not said to be forged, and keeps it.
type fakeHooks struct {
	mu     sync.Mutex
	events []string
	panics bool
}

func (f *fakeHooks) take(event string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.panics {
		panic("no hooks today")
	}
	f.events = append(f.events, event)
	return true
}

func (f *fakeHooks) SkinsBack(signature, authorization string, body []byte) bool {
	return signature != "forged" && f.take(fmt.Sprintf("skinsback %s|%s|%s", signature, authorization, body))
}

func (f *fakeHooks) SIH(secret string, body []byte) bool {
	return secret == hookSecret && f.take(fmt.Sprintf("sih %s", body))
}

// TestWebhooks asserts what senders are told, and that what they sent arrives
// byte by byte, without any token of ours.
func TestWebhooks(t *testing.T) {
	var zipped bytes.Buffer
	zw := gzip.NewWriter(&zipped)
	zw.Write(bytes.Repeat([]byte("x"), 10<<20)) // a bomb: ten kilobytes as sent
	zw.Close()
	for _, tt := range []struct {
		name           string
		target, body   string
		headers        []string
		status         int
		code, received string
	}{
		{"signed", "/webhooks/skinsback", `{"event": "x"}`, []string{"Signature: s"}, 200, "", `skinsback s||{"event": "x"}`},
		{"signed elsewhere", "/webhooks/skinsback", "{}", []string{"Authorization: HMAC a"}, 200, "", "skinsback |HMAC a|{}"},
		{"no JSON", "/webhooks/skinsback", "\x00\xff", nil, 200, "", "skinsback ||\x00\xff"},
		{"no body", "/webhooks/skinsback", "", nil, 200, "", "skinsback ||"},
		{"a form", "/webhooks/skinsback", "a=b", []string{"Content-Type: application/x-www-form-urlencoded"}, 200, "", "skinsback ||a=b"},
		{"compressed", "/webhooks/skinsback", zipped.String(), []string{"Content-Encoding: gzip"}, 200, "", "skinsback ||" + zipped.String()},
		{"forged", "/webhooks/skinsback", "{}", []string{"Signature: forged"}, 401, "unauthorized", ""},
		{"with a query", "/webhooks/skinsback?a=b", "{}", nil, 400, "invalid_parameter", ""},

		{"with the secret", hookTarget, `{"id":1}`, nil, 200, "", `sih {"id":1}`},
		{"with the secret and no body", hookTarget, "", nil, 200, "", "sih "},
		{"with a wrong secret", "/webhooks/sih/wrong", "{}", nil, 404, "not_found", ""},
		{"with a part of the secret", hookTarget[:len(hookTarget)-1], "{}", nil, 404, "not_found", ""},
		{"with more than the secret", hookTarget + "/", "{}", nil, 404, "not_found", ""},
		{"with no secret", "/webhooks/sih/", "{}", nil, 404, "not_found", ""},
		{"with escapes that are none", "/webhooks/sih/%ff", "{}", nil, 404, "not_found", ""},
	} {
		w := newWorld().withTokens()
		got := ask(t, New(w.cfg), request("POST", tt.target, tt.body, tt.headers...))
		if tt.status == 200 {
			if got.status != 200 || got.body != "{}" || got.header.Get("Content-Type") != "application/json" {
				t.Errorf("%s: got %d %s, want 200 and {}", tt.name, got.status, got.body)
			}
		} else {
			wantError(t, tt.name, got, tt.status, tt.code)
		}
		if received := strings.Join(w.hooks.events, "\n"); received != tt.received {
			t.Errorf("%s: got %.100q, want %.100q", tt.name, received, tt.received)
		}
	}
}

// TestWrongSecretIsNoPath compares the whole answer with that of a path which
// does not exist.
func TestWrongSecretIsNoPath(t *testing.T) {
	s := New(newWorld().cfg)
	wrong := ask(t, s, request("POST", "/webhooks/sih/wrong", "{}"))
	none := ask(t, s, request("POST", "/webhooks/nothing/wrong", "{}"))
	same := func(a, b []string) bool { return strings.Join(a, ",") == strings.Join(b, ",") }
	if wrong.status != none.status || wrong.body != none.body || !maps.EqualFunc(wrong.header, none.header, same) {
		t.Errorf("got %+v for a wrong secret, want what there is for no path: %+v", wrong, none)
	}
}

func TestWithoutHooks(t *testing.T) {
	w := newWorld()
	w.cfg.Hooks = nil
	s := New(w.cfg)
	for _, target := range []string{"/webhooks/skinsback", hookTarget} {
		wantError(t, target, ask(t, s, request("POST", target, "{}")), 404, "not_found")
	}
}

// TestHostileWebhooks sends bodies that are too large or do not come to an end:
// they are refused, reach no hook, and hold nobody else up.
func TestHostileWebhooks(t *testing.T) {
	w := newWorld()
	_, addr := serve(t, w.cfg, func(s *Server) { s.app.Server().ReadTimeout = time.Second })
	head := func(target string, length int) string {
		return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nSignature: s\r\nContent-Length: %d\r\n\r\n", target, length)
	}
	big := strings.Repeat(" ", 8<<20)
	for _, target := range []string{"/webhooks/skinsback", hookTarget, "/webhooks/sih/wrong"} {
		wantError(t, "huge to "+target, exchange(t, addr, strings.NewReader(head(target, len(big))+big)), 413, "body_too_large")
	}

	var slow []net.Conn
	for _, target := range []string{"/webhooks/skinsback", hookTarget} {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := io.WriteString(c, head(target, 100)+`{"id":`); err != nil {
			t.Fatal(err)
		}
		slow = append(slow, c)
	}
	got := exchange(t, addr, strings.NewReader(head(hookTarget, 2)+"{}"))
	if got.status != 200 {
		t.Errorf("beside slow ones: got %d, want 200", got.status)
	}
	for _, c := range slow {
		if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(c) // to the end of the connection
		if err != nil || !strings.Contains(string(answer), "408") {
			t.Errorf("slow: got %q, %v, want 408 and the end", answer, err)
		}
	}
	if got := strings.Join(w.hooks.events, ";"); got != "sih {}" {
		t.Errorf("hooks got %q, want the one whole event", got)
	}
}

// TestHookSecretStaysInside looks for the secret of the path in logs, metrics
// and answers, also when something breaks.
func TestHookSecretStaysInside(t *testing.T) {
	var out strings.Builder
	w := newWorld()
	w.cfg.Logger = slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s := New(w.cfg)
	for _, method := range []string{"POST", "GET", "PUT", "BREW"} {
		for _, target := range []string{hookTarget, hookTarget + "?a=" + hookTarget, hookTarget + "/x", "/webhooks/sih/x" + hookTarget[13:]} {
			for _, w.hooks.panics = range []bool{false, true} {
				out.WriteString(ask(t, s, request(method, target, "{}")).body)
			}
		}
	}
	metrics := ask(t, s, request("GET", "/metrics", "")).body
	if !strings.Contains(out.String(), "no hooks today") || !strings.Contains(metrics, `route="/webhooks/sih/:secret"`) {
		t.Errorf("got log %q and metrics\n%s\nwant the failure and the route in them", out.String(), metrics)
	}
	out.WriteString(metrics)
	for _, secret := range []string{"unguessable", "last part", "last%20part"} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("%q is in a log, a metric or an answer", secret)
		}
	}
}
