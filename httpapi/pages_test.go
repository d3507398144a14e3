package httpapi

import (
	"regexp"
	"strings"
	"testing"
)

// TestDashboardIsSelfContained asserts what keeps a market's text from becoming
// markup, and the page from asking anybody else.
func TestDashboardIsSelfContained(t *testing.T) {
	got := ask(t, New(newWorld().cfg), request("GET", "/", ""))
	if got.status != 200 || got.header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("GET /: got %d %s, want 200 and HTML", got.status, got.header.Get("Content-Type"))
	}
	policy := got.header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "connect-src 'self'", "script-src 'sha256-", "style-src 'sha256-", "frame-ancestors 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("got policy %q, want %s in it", policy, want)
		}
	}
	for _, never := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "unsafe-inline", "http://", "https://", ` style="`, ` onclick=`} {
		if strings.Contains(got.body+policy, never) {
			t.Errorf("the dashboard has %q, want it without", never)
		}
	}
	for _, element := range []string{"script", "style"} {
		if n := len(regexp.MustCompile("<"+element+`[ >]`).FindAllString(got.body, -1)); n != 1 {
			t.Errorf("the dashboard has %d elements %s, want the one whose hash is in the policy", n, element)
		}
	}
}

func TestMetrics(t *testing.T) {
	s := New(newWorld().cfg)
	for _, target := range []string{"/v1/prices" + price("name", redline), "/v1/prices?name=nothing", "/v1/orders/sa-newest", "/secret-looking-path"} {
		ask(t, s, request("GET", target, ""))
	}
	ask(t, s, request("BREW", "/v1/prices", ""))
	got := ask(t, s, request("GET", "/metrics", ""))
	for _, want := range []string{
		`skinarb_http_requests_total{code="200",route="/v1/prices"} 1`,
		`skinarb_http_requests_total{code="404",route="/v1/prices"} 1`,
		`skinarb_http_requests_total{code="200",route="/v1/orders/:id"} 1`,
		`skinarb_http_requests_total{code="404",route="none"} 1`,
		`skinarb_http_requests_total{code="405",route="none"} 1`,
		`skinarb_http_request_seconds_count{route="/v1/prices"} 2`,
	} {
		if !strings.Contains(got.body, want+"\n") {
			t.Errorf("GET /metrics: got\n%s\nwant the line %s", got.body, want)
		}
	}
	if strings.Contains(got.body, "secret-looking-path") {
		t.Error("GET /metrics: a path of a client became a label")
	}
}
