package httpapi

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

func document(t *testing.T) (*openapi3.T, routers.Router) {
	t.Helper()
	return documentOf(t, openAPI)
}

func documentOf(t *testing.T, data []byte) (*openapi3.T, routers.Router) {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(data)
	if err != nil {
		t.Fatalf("load openapi.json: %v", err)
	}
	if err := doc.Validate(context.Background()); err != nil {
		t.Fatalf("openapi.json is not a valid document: %v", err)
	}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	return doc, router
}

// TestDocumentHasEveryRoute of a server and no other: it compares paths, methods
// and query parameters in both directions.
func TestDocumentHasEveryRoute(t *testing.T) {
	for name, leaveOut := range map[string]func(*Config){
		"a trader that sells":   func(*Config) {},
		"a trader":              func(c *Config) { c.Partner = nil },
		"a trader without keys": func(c *Config) { c.Partner, c.Hooks = nil, nil },
		"an aggregator":         func(c *Config) { c.Partner, c.Hooks, c.Trading, c.Strategy = nil, nil, nil, nil },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			leaveOut(&w.cfg)
			s := New(w.cfg)
			got := ask(t, s, request("GET", "/openapi.json", ""))
			if got.status != 200 || got.header.Get("Content-Type") != "application/json" {
				t.Fatalf("got %d %s, want 200 and JSON", got.status, got.header.Get("Content-Type"))
			}
			doc, _ := documentOf(t, []byte(got.body))
			sameRoutes(t, s, doc)
		})
	}
}

func sameRoutes(t *testing.T, s *Server, doc *openapi3.T) {
	t.Helper()
	var served, described []string
	for _, r := range s.routes() {
		names := slices.Sorted(slices.Values(r.params))
		served = append(served, r.method+" "+fiberParam.ReplaceAllString(r.path, "{$1}")+" "+strings.Join(names, ","))
	}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			var names []string
			for _, p := range op.Parameters {
				if p.Value.In == "query" {
					names = append(names, p.Value.Name)
				}
			}
			slices.Sort(names)
			described = append(described, method+" "+path+" "+strings.Join(names, ","))
		}
	}
	slices.Sort(served)
	slices.Sort(described)
	if !slices.Equal(served, described) {
		t.Errorf("served:\n%s\ndescribed:\n%s", strings.Join(served, "\n"), strings.Join(described, "\n"))
	}
}

// TestAnswersFitTheDocument holds real requests and answers of every route
// against the schemas.
func TestAnswersFitTheDocument(t *testing.T) {
	_, router := document(t)
	for _, kind := range []string{"text/html", "application/x-ndjson", "text/event-stream"} {
		openapi3filter.RegisterBodyDecoder(kind, openapi3filter.PlainBodyDecoder)
		defer openapi3filter.UnregisterBodyDecoder(kind)
	}
	more := []question{
		{"metrics", "GET", "/metrics", "", nil},
		{"openapi", "GET", "/openapi.json", "", nil},
		{"dashboard", "GET", "/", "", nil},
		{"catalog", "GET", "/v1/catalog?game=cs2&market=sih", "", nil},
		{"no market", "GET", "/v1/catalog?game=cs2&market=", "", nil},
		{"stream", "GET", "/v1/stream?game=cs2", "", []string{"Last-Event-ID: 1"}},
		{"an unknown item", "GET", "/v1/prices?name=nothing", "", nil},
		{"an unknown order", "GET", "/v1/orders/none", "", nil},
		{"an event of SkinsBack's", "POST", "/webhooks/skinsback", `{"event":"balance_change","data":{}}`, []string{"Signature: good", "Content-Type: application/json"}},
		{"a forged event", "POST", "/webhooks/skinsback", "{}", []string{"Signature: forged", "Content-Type: application/json"}},
		{"an event of SIH's", "POST", hookTarget, `{"id":1}`, nil},
		{"an event with a wrong secret", "POST", "/webhooks/sih/wrong", "", nil},
		{"an order of SIH's", "POST", "/partner/sih/create-purchase", `{"customId":"fast-1"}`, []string{"Signature: good", "Content-Type: application/json"}},
		{"a forged order", "POST", "/partner/sih/create-purchase", "{}", []string{"Signature: forged", "Content-Type: application/json"}},
		{"a poll of SIH's", "GET", "/partner/sih/get-purchase?customId=fast-1", "", []string{"Signature: good"}},
		{"a poll of nothing", "GET", "/partner/sih/get-purchase", "", []string{"Signature: good"}},
		{"positions", "GET", "/v1/positions?state=held,sold&limit=2", "", nil},
		{"an unknown position", "GET", "/v1/positions?cursor=none", "", nil},
		{"looser limits", "POST", "/v1/trading/limits", `{"max_day":"1000000"}`, nil},
		{"a reset of no market", "POST", "/v1/trading/breakers/steam/reset", "", nil},
		{"a feed that is not held", "POST", "/v1/feeds/skinsback/cs2/release", "", nil},
	}
	asked := map[string]bool{}
	for _, q := range slices.Concat(questions, more) {
		s := New(newWorld().withTokens().cfg)
		if q.name == "stream" { // which has no end while the server runs
			if err := s.Shutdown(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		auth := "Authorization: Bearer " + operatorToken
		headers := append([]string{auth}, q.headers...)
		if q.body != "" && q.headers == nil {
			headers = append(headers, "Content-Type: application/json")
		}
		got := ask(t, s, request(q.method, q.target, q.body, headers...))

		r := request(q.method, q.target, q.body, headers...)
		route, path, err := router.FindRoute(r)
		if err != nil {
			t.Errorf("%s: %s %s is not in the document: %v", q.name, q.method, q.target, err)
			continue
		}
		asked[q.method+" "+route.Path] = true
		in := &openapi3filter.RequestValidationInput{Request: r, PathParams: path, Route: route, Options: &openapi3filter.Options{
			AuthenticationFunc:    openapi3filter.NoopAuthenticationFunc,
			IncludeResponseStatus: true,
		}}
		// Empty parameters are as if absent, which a schema of a number cannot say.
		if !strings.Contains(q.target, "=&") && !strings.HasSuffix(q.target, "=") {
			if err := openapi3filter.ValidateRequest(context.Background(), in); err != nil {
				t.Errorf("%s: the request does not fit the document: %v", q.name, err)
			}
		}
		out := &openapi3filter.ResponseValidationInput{RequestValidationInput: in, Status: got.status, Header: got.header, Body: io.NopCloser(bytes.NewReader([]byte(got.body))), Options: in.Options}
		if err := openapi3filter.ValidateResponse(context.Background(), out); err != nil {
			t.Errorf("%s: the answer does not fit the document: %v", q.name, err)
		}
	}
	for _, r := range New(newWorld().cfg).routes() {
		if name := r.method + " " + fiberParam.ReplaceAllString(r.path, "{$1}"); !asked[name] {
			t.Errorf("no question asks %s", name)
		}
	}
}

// TestDocumentRefuses makes sure that the comparison above can fail.
func TestDocumentRefuses(t *testing.T) {
	_, router := document(t)
	r := request("GET", "/v1/pnl", "")
	route, path, err := router.FindRoute(r)
	if err != nil {
		t.Fatal(err)
	}
	in := &openapi3filter.RequestValidationInput{Request: r, PathParams: path, Route: route}
	out := &openapi3filter.ResponseValidationInput{RequestValidationInput: in, Status: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(`{"total":{"spent":1},"days":[]}`))}
	if openapi3filter.ValidateResponse(context.Background(), out) == nil {
		t.Error("a wrong answer to /v1/pnl fits the document, want it refused")
	}
}
