package httpapi

import (
	"log/slog"
	"strings"
	"testing"
)

// byAccess gives requests that succeed when they may pass.
var byAccess = []struct {
	access         access
	method, target string
}{
	{accessOpen, "GET", "/healthz"},
	{accessOpen, "GET", "/readyz"},
	{accessOpen, "GET", "/metrics"},
	{accessOpen, "GET", "/openapi.json"},
	{accessOpen, "GET", "/"},
	{accessOpen, "POST", "/webhooks/skinsback"},
	{accessOpen, "POST", hookTarget},
	{accessRead, "GET", "/v1/prices" + price("name", redline)},
	{accessRead, "GET", "/v1/items?q=ak"},
	{accessRead, "GET", "/v1/feeds"},
	{accessRead, "GET", "/v1/opportunities"},
	{accessRead, "GET", "/v1/verdicts" + price("name", redline)},
	{accessOperator, "GET", "/v1/orders"},
	{accessOperator, "GET", "/v1/orders/sa-newest"},
	{accessOperator, "GET", "/v1/positions"},
	{accessOperator, "GET", "/v1/pnl"},
	{accessOperator, "GET", "/v1/trading"},
	{accessOperator, "GET", "/v1/config"},
	{accessChange, "POST", "/v1/trading/stop"},
	{accessChange, "POST", "/v1/trading/start"},
	{accessChange, "POST", "/v1/trading/limits"},
	{accessChange, "POST", "/v1/trading/breakers/sih/reset"},
	{accessChange, "POST", "/v1/feeds/sih/cs2/release"},
}

// TestAccess crosses what is configured with what is sent. want gives the
// status for open, read, operator and change.
func TestAccess(t *testing.T) {
	const operator, reader, wrong = "Bearer " + operatorToken, "Bearer " + readToken, "Bearer wrong"
	for _, tt := range []struct {
		name     string
		operator string
		readers  []string
		headers  []string
		want     [4]int
	}{
		{"nothing set, nothing sent", "", nil, nil, [4]int{200, 200, 200, 403}},
		{"nothing set, a token sent", "", nil, []string{wrong}, [4]int{200, 200, 200, 403}},
		{"nothing set, an empty token sent", "", []string{""}, []string{"Bearer "}, [4]int{200, 200, 200, 403}},
		{"operator set, nothing sent", operatorToken, nil, nil, [4]int{200, 200, 401, 401}},
		{"operator set, wrong sent", operatorToken, nil, []string{wrong}, [4]int{200, 200, 401, 401}},
		{"operator set, sent", operatorToken, nil, []string{operator}, [4]int{200, 200, 200, 200}},
		{"readers set, nothing sent", "", []string{readToken}, nil, [4]int{200, 401, 200, 403}},
		{"readers set, reader sent", "", []string{readToken}, []string{reader}, [4]int{200, 200, 200, 403}},
		{"both set, nothing sent", operatorToken, []string{"x", readToken}, nil, [4]int{200, 401, 401, 401}},
		{"both set, reader sent", operatorToken, []string{"x", readToken}, []string{reader}, [4]int{200, 200, 403, 403}},
		{"both set, operator sent", operatorToken, []string{"x", readToken}, []string{operator}, [4]int{200, 200, 200, 200}},
		{"both set, wrong sent", operatorToken, []string{"x", readToken}, []string{wrong}, [4]int{200, 401, 401, 401}},
		{"a part of the token", operatorToken, nil, []string{operator[:len(operator)-1]}, [4]int{200, 200, 401, 401}},
		{"the token twice", operatorToken, nil, []string{operator, operator}, [4]int{200, 200, 401, 401}},
		{"another scheme", operatorToken, nil, []string{"Basic " + operatorToken}, [4]int{200, 200, 401, 401}},
		{"no scheme", operatorToken, nil, []string{operatorToken}, [4]int{200, 200, 401, 401}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld()
			w.cfg.APIToken, w.cfg.ReadTokens = tt.operator, tt.readers
			s := New(w.cfg)
			for _, r := range byAccess {
				var headers []string
				for _, h := range tt.headers {
					headers = append(headers, "Authorization: "+h)
				}
				got := ask(t, s, request(r.method, r.target, "", headers...))
				if want := tt.want[r.access]; got.status != want {
					t.Errorf("%s %s: got %d %s, want %d", r.method, r.target, got.status, got.body, want)
				}
				if challenge := got.header.Get("WWW-Authenticate"); (got.status == 401) != strings.HasPrefix(challenge, "Bearer") {
					t.Errorf("%s %s: got %d with WWW-Authenticate %q, want it with 401 only", r.method, r.target, got.status, challenge)
				}
			}
			if changed := w.trading.by != "" || len(w.prices.released) > 0; changed != (tt.want[accessChange] == 200) {
				t.Errorf("something was changed: %v, want it only where it is allowed", changed)
			}
		})
	}
}

// TestEveryRouteIsInTheAccessTest keeps TestAccess complete.
func TestEveryRouteIsInTheAccessTest(t *testing.T) {
	s := New(newWorld().cfg)
	count := map[access]int{}
	for _, r := range s.routes() {
		count[r.access]++
	}
	for _, r := range byAccess {
		count[r.access]--
	}
	// Of the price endpoints, those with a body or a stream are tested elsewhere.
	if count[accessOpen] != 0 || count[accessOperator] != 0 || count[accessChange] != 0 {
		t.Errorf("routes without a row in byAccess, by access: %v", count)
	}
}

// TestTokensStayInside looks for tokens in everything that leaves: logs,
// metrics, answers.
func TestTokensStayInside(t *testing.T) {
	var out strings.Builder
	w := newWorld().withTokens()
	w.cfg.Logger = slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w.trading.fail = errNotUTF8
	s := New(w.cfg)
	for _, r := range byAccess {
		for _, token := range []string{operatorToken, readToken, operatorToken + "x"} {
			got := ask(t, s, request(r.method, r.target, "", "Authorization: Bearer "+token))
			out.WriteString(got.body)
		}
	}
	for _, secret := range []string{operatorToken, readToken} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("%q is in a log or an answer", secret)
		}
	}
}
