package alert

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var noon = time.Date(2026, 3, 4, 12, 0, 5, 0, time.UTC)

// seen is one request as a server got it.
type seen struct {
	Host, Target, Method, Type string
	Body                       map[string]any
}

// startServer answers for every host, over TLS as the platforms do, and gives a
// transport that leads there.
func startServer(t *testing.T, answer func(w http.ResponseWriter)) (http.RoundTripper, <-chan seen) {
	t.Helper()
	requests := make(chan seen, 100)
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got := seen{Host: r.Host, Target: r.URL.RequestURI(), Method: r.Method, Type: r.Header.Get("Content-Type")}
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = json.Unmarshal(body, &got.Body)
		}
		if err != nil {
			t.Errorf("the body is no JSON object: %v", err)
		}
		requests <- got
		answer(w)
	}))
	t.Cleanup(srv.Close)
	transport := srv.Client().Transport.(*http.Transport).Clone()
	transport.TLSClientConfig.InsecureSkipVerify = true // the names are not this server's
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, srv.Listener.Addr().String())
	}
	t.Cleanup(transport.CloseIdleConnections)
	return transport, requests
}

// start runs a sender, and gives what ends it and waits for that.
func start(s *Sender) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { s.Run(ctx); close(done) }()
	return func() { cancel(); <-done }
}

func TestWireFormats(t *testing.T) {
	transport, requests := startServer(t, func(w http.ResponseWriter) { w.WriteHeader(http.StatusNoContent) })
	const text = "no answer for <b>61 s</b> & *more* _of_ @everyone | `x`"
	const line = "trader · 12:00 UTC · in doubt · sih: "
	for _, c := range []struct {
		url  string
		want seen
	}{
		{discordURL, seen{
			Host: "discord.com", Target: "/api/webhooks/123456789012345678/dIsCoRdToKeN-aaaaaaaaaaaa?wait=true",
			Body: map[string]any{
				"content":          line + "no answer for \\<b\\>61 s\\</b\\> & \\*more\\* \\_of\\_ @everyone \\| \\`x\\` (order sa-1)",
				"allowed_mentions": map[string]any{"parse": []any{}},
				"flags":            4.0,
			},
		}},
		{telegramURL, seen{
			Host: "api.telegram.org", Target: "/bot987654321:tElEgRaMtOkEn-bbbbbbbb/sendMessage",
			Body: map[string]any{
				"chat_id": -100200300.0, "text": line + text + " (order sa-1)",
				"link_preview_options": map[string]any{"is_disabled": true},
			},
		}},
		{"https://api.telegram.org/bot1:x/sendMessage?chat_id=@floor&message_thread_id=7", seen{
			Host: "api.telegram.org", Target: "/bot1:x/sendMessage",
			Body: map[string]any{
				"chat_id": "@floor", "message_thread_id": 7.0, "text": line + text + " (order sa-1)",
				"link_preview_options": map[string]any{"is_disabled": true},
			},
		}},
		{slackURL, seen{
			Host: "hooks.slack.com", Target: "/services/T0000/B0000/sLaCkToKeNcccccccccc",
			Body: map[string]any{
				"text":   line + "no answer for &lt;b&gt;61 s&lt;/b&gt; &amp; *more* _of_ @everyone | `x` (order sa-1)",
				"mrkdwn": false, "unfurl_links": false,
			},
		}},
		{webhookURL, seen{
			Host: "hooks.example.net", Target: "/in/wEbHoOkToKeNdddddddd?key=kEyInAnAddressEeee",
			Body: map[string]any{
				"kind": "in_doubt", "market": "sih", "order": "sa-1", "text": text,
				"at": "2026-03-04T12:00:05Z", "program": "trader",
			},
		}},
	} {
		targets := mustParse(t, c.url)
		s := New(Config{Targets: targets, Transport: transport, Program: "trader"})
		stop := start(s)
		s.Send(Alert{Kind: "in_doubt", Market: "sih", Order: "sa-1", Text: text, At: noon})
		got := <-requests
		stop()
		c.want.Method, c.want.Type = "POST", "application/json"
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: wrong request (-want +got):\n%s", targets[0], diff)
		}
	}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	transport, requests := startServer(t, func(w http.ResponseWriter) {
		w.Header().Set("Location", "https://elsewhere.example.net/")
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	s := New(Config{Targets: mustParse(t, webhookURL), Transport: transport})
	stop := start(s)
	s.Send(Alert{Kind: "a"})
	s.Send(Alert{Kind: "b"})
	for range 2 {
		if got := <-requests; got.Host != "hooks.example.net" {
			t.Errorf("an alert went to %s", got.Host)
		}
	}
	stop()
	if n := len(requests); n != 0 {
		t.Errorf("got %d more requests, want none", n)
	}
}

// TestLengths: whatever is said, each platform gets no more than it takes, and
// what the sender adds at the end stays whole.
func TestLengths(t *testing.T) {
	limits := map[kind]int{discord: 2000, telegram: 4096, slack: 4000}
	targets := mustParse(t, discordURL, telegramURL, slackURL)
	rapid.Check(t, func(t *rapid.T) {
		runes := rapid.SampledFrom([]string{"a", "é", "<", "*", "&", "🌊", "★", "\n", "_"})
		text := strings.Repeat(strings.Join(rapid.SliceOfN(runes, 1, 20).Draw(t, "text"), ""), rapid.IntRange(1, 3000).Draw(t, "times"))
		l := letter{Alert: newCleaner(nil).alert(Alert{Kind: "x", Order: "sa-order", Text: text, At: noon}), more: 12}
		for _, target := range targets {
			body, err := target.body("skinarb", l, 3)
			if err != nil {
				t.Fatalf("%s: %v", target, err)
			}
			var got struct{ Text, Content string }
			if err := json.Unmarshal(body, &got); err != nil {
				t.Fatalf("%s: %v", target, err)
			}
			said := got.Text + got.Content
			if n := units(said); n > limits[target.kind] {
				t.Fatalf("%s: got %d characters, want at most %d", target, n, limits[target.kind])
			}
			if !utf8.ValidString(said) || strings.Contains(said, "\uFFFD") {
				t.Fatalf("%s: a character was cut in two: %q", target, said)
			}
			if want := " (order sa-order)\n(and 12 more; alerts lost before this one: 3)"; !strings.HasSuffix(said, want) {
				t.Fatalf("%s: got %q, want it to end with %q", target, said, want)
			}
		}
	})
}

func TestFit(t *testing.T) {
	for _, c := range []struct {
		text, tail string
		most       int
		escape     func(string) string
		want       string
	}{
		{"abc", "", 3, noEscape, "abc"},
		{"abcd", "", 3, noEscape, "ab…"},
		{"abc", "!", 3, noEscape, "a…!"},
		{"a🌊b", "", 3, noEscape, "a…"}, // the wave is two units
		{"a<b", "", 6, slackEscape, "a&lt;b"},
		{"a<bc", "", 6, slackEscape, "a&lt;…"},
		{"a<bc", "", 5, slackEscape, "a…"},
		{"a*b", "*", 5, discordEscape, `a…\*`},
	} {
		if got := fit(c.text, c.tail, c.most, c.escape); got != c.want {
			t.Errorf("fit(%q, %q, %d): got %q, want %q", c.text, c.tail, c.most, got, c.want)
		}
	}
}
