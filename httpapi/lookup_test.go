package httpapi

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/valyala/fasthttp"

	"skinarb/pricing"
)

// plainTargets name an item as we do. odd ones mean the same or an error, in
// ways that only the long way knows.
var (
	plainTargets = []string{
		"?game=cs2&name=" + url.QueryEscape(redline),
		"?name=" + url.PathEscape(redline),
		"?name=" + url.QueryEscape(doppler) + "&phase=Phase+2&game=cs2",
		"?name=" + url.QueryEscape(doppler),
		"?name=" + url.QueryEscape("★ Karambit | Doppler Ruby (Factory New)"),
		"?name=" + url.QueryEscape(`Sticker | "Quoted" \ Name`),
		"?name=Glock-18%20|%20Fade%20(Factory%20New)#name=x",
	}
	oddTargets = []string{
		"", "?", "?name=", "?name=nothing", "?name=%zz", "?name=%f", "?name=%ff", "?nam%65=x", "?&name=x", "?name=x&name=x", "?name",
		"?game=&name=" + url.QueryEscape(redline), "?game=tf2&name=" + url.QueryEscape(redline), "?game=chess&name=x", "?market=sih&name=x",
		"?name=AK-47++|+Redline+(Field-Tested)", "?name=" + url.QueryEscape(redline) + "&phase=unknown",
		"?name=" + url.QueryEscape(doppler) + "&phase=p2", "?name=" + url.QueryEscape(doppler) + "&phase=Sapphire", "?name=" + url.QueryEscape("★ Karambit | Doppler Phase 2 (Factory New)") + "&phase=unknown",
		"?name=" + url.QueryEscape("★ Karambit | Doppler (Factory New) - Ruby"), "?name=" + url.QueryEscape("★ Bayonet | Gamma Doppler (Factory New)"),
		"?name=" + strings.Repeat("x", maxValue+1),
	}
)

// plainBodies and oddBodies are the same for a batch.
var (
	plainBodies = []string{
		`{"game":"cs2","names":["` + redline + `","nothing","` + doppler + `","★ Karambit | Doppler Ruby (Factory New)",""]}`,
		`{"names": ["` + redline + `", "` + redline + `"], "game": "tf2"}`,
		`{"names":[]}`, ` { "names" : [ ] } `,
		`{"names":["AK-47 \u007c Redline (Field-Tested)","Sticker | \"Quoted\" \\ Name","\u2605 Karambit | Doppler (Factory New)","a\/b"]}`,
		`{"names":["AK-47  |  Redline (Field-Tested)","★ Karambit | Doppler Phase 9 (Factory New)","★ Karambit | Doppler (Factory New) - Ruby"]}`,
		"{\"names\":[\"line\u2028end\"]}",
	}
	oddBodies = []string{
		"", "{", "null", "[]", `{}`, `{"game":"cs2"}`, `{"names":null}`, `{"names":[null]}`, `{"names":[1]}`, `{"names":["a"`, `{"names":["a",]}`, `{"names":["a"]`, `{"names":["a"],}`,
		`{"names":["a"]}x`, `{"names":["a"]}{}`, `{"names":["a"],"names":["b"]}`, `{"NAMES":["a"]}`, `{"game":"","names":["a"]}`, `{"game":"chess","names":["a"]}`, `{"game":1,"names":[]}`,
		"{\"names\":[\"a\xff\"]}", "{\"names\":[\"a\tb\"]}", "{\"names\":[\"AK-47\t| Redline (Field-Tested)\"]}", "{\"names\":[\"\\u2605\t\"]}", "{\n\"names\":[\"a\"]}", `{"names":["\ud83d\ude00"]}`, `{"names":["\ud800"]}`, `{"names":["\n"]}`, `{"names":["\u00g0"]}`, `{"names":["\u12`, `{"names":["\`, `{"names":["\x"]}`,
		`{"n\u0061mes":["` + redline + `"],"limit":1}`, `{"names":["` + strings.Repeat(`x","`, maxNames) + `"]}`, `{"names":"x"}`, `{"names":["x" "y"]}`,
	}
)

// bothWays asks a server and its router behind the short way, and expects the
// same of both. It gives the status, and whether the short way was taken.
func bothWays(t testing.TB, s *Server, method, target, body string) (status int, plain bool) {
	t.Helper()
	short, long := wire(method, target, []byte(body)), wire(method, target, []byte(body))
	plain = s.answerPlain(wire(method, target, []byte(body)))
	everything(s)(short)
	s.app.Handler()(long)
	if short.Response.StatusCode() != long.Response.StatusCode() || string(short.Response.Body()) != string(long.Response.Body()) {
		t.Errorf("%s %q %q: got %d %s, but the router gives %d %s", method, target, body,
			short.Response.StatusCode(), short.Response.Body(), long.Response.StatusCode(), long.Response.Body())
	}
	if got, want := headers(short), headers(long); got != want {
		t.Errorf("%s %q %q: got headers\n%s\nbut the router gives\n%s", method, target, body, got, want)
	}
	if plain && long.Response.StatusCode() != 200 {
		t.Errorf("%s %q %q: the short way gave an answer, the router %d", method, target, body, long.Response.StatusCode())
	}
	return long.Response.StatusCode(), plain
}

// headers gives the headers of an answer but the time.
func headers(ctx *fasthttp.RequestCtx) string {
	var out []string
	for line := range strings.Lines(ctx.Response.Header.String()) {
		if !strings.HasPrefix(line, "Date: ") {
			out = append(out, line)
		}
	}
	return strings.Join(out, "")
}

// TestPlainAnswersAreTheRouters and come without it.
func TestPlainAnswersAreTheRouters(t *testing.T) {
	s := New(newWorld().cfg)
	for _, tt := range []struct {
		method    string
		questions []string
		plain     bool
	}{{"GET", plainTargets, true}, {"GET", oddTargets, false}, {"POST", plainBodies, true}, {"POST", oddBodies, false}, {"HEAD", plainTargets, false}, {"PUT", plainTargets, false}} {
		for _, q := range tt.questions {
			target, body := pricesPath+q, ""
			if tt.method == "POST" {
				target, body = pricesPath, q
			}
			status, plain := bothWays(t, s, tt.method, target, body)
			if plain != tt.plain {
				t.Errorf("%s %q: plain is %t, want %t", tt.method, q, plain, tt.plain)
			}
			if tt.plain && status != 200 {
				t.Errorf("%s %q: got %d, want 200", tt.method, q, status)
			}
		}
	}
	for _, target := range []string{"/v1/prices/", "/v1/Prices", "//v1/prices", "/v1/%70rices", "http://x/v1/prices"} {
		bothWays(t, s, "GET", target+plainTargets[0], "")
	}
	bothWays(t, s, "POST", pricesPath+"?game=cs2", plainBodies[0])
}

func FuzzPlainQuery(f *testing.F) {
	for _, q := range append(plainTargets, oddTargets...) {
		f.Add(strings.TrimPrefix(q, "?"))
	}
	s := New(newWorld().cfg)
	f.Fuzz(func(t *testing.T, query string) { bothWays(t, s, "GET", pricesPath+"?"+query, "") })
}

func FuzzPlainBatch(f *testing.F) {
	for _, b := range append(plainBodies, oddBodies...) {
		f.Add(b)
	}
	s := New(newWorld().cfg)
	f.Fuzz(func(t *testing.T, body string) { bothWays(t, s, "POST", pricesPath, body) })
}

// TestPlainNeedsAToken where the router does.
func TestPlainNeedsAToken(t *testing.T) {
	s := New(newWorld().withTokens().cfg)
	for token, want := range map[string]int{"": 401, "Bearer wrong": 401, "Bearer " + readToken: 200, "Bearer " + operatorToken: 200} {
		for method, body := range map[string]string{"GET": "", "POST": plainBodies[0]} {
			target := pricesPath
			if method == "GET" {
				target += plainTargets[0]
			}
			ctx := wire(method, target, []byte(body))
			if token != "" {
				ctx.Request.Header.Set("Authorization", token)
			}
			everything(s)(ctx)
			if got := ctx.Response.StatusCode(); got != want {
				t.Errorf("%s with %q: got %d, want %d", method, token, got, want)
			}
		}
	}
}

// TestPlainAnswersAreCounted like all others.
func TestPlainAnswersAreCounted(t *testing.T) {
	s := New(newWorld().cfg)
	for range 3 {
		everything(s)(wire("GET", pricesPath+plainTargets[0], nil))
	}
	got := ask(t, s, request("GET", "/metrics", "")).body
	for _, want := range []string{`skinarb_http_requests_total{code="200",route="/v1/prices"} 3`, `skinarb_http_request_seconds_count{route="/v1/prices"} 3`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is missing in\n%s", want, got)
		}
	}
}

// TestPlainAnswersMakeNoGarbage: neither one look-up nor a hundred in a batch.
func TestPlainAnswersMakeNoGarbage(t *testing.T) {
	const items = 1000
	w := newWorld()
	w.prices.book = wideBook(items)
	s := New(w.cfg)
	s.Publish(w.prices.book, sbCS2, nil, true)
	handle := everything(s)
	singles, batches := wideQuestions(items)
	for what, ctx := range map[string]*fasthttp.RequestCtx{"one": singles[0], "a hundred": batches[0]} {
		if n := testing.AllocsPerRun(1000, func() { handle(ctx); ctx.Response.Reset() }); n != 0 {
			t.Errorf("%s: got %v allocations, want 0", what, n)
		}
	}
	w.prices.book = testBook()
	knife := wire("GET", pricesPath+plainTargets[2], nil)
	if n := testing.AllocsPerRun(1000, func() { handle(knife); knife.Response.Reset() }); n != 0 {
		t.Errorf("a Doppler with its phases: got %v allocations, want 0", n)
	}
}

// TestLookupsNeverMixVersions asks while catalogs change: all that an answer says
// belongs to one of the books.
func TestLookupsNeverMixVersions(t *testing.T) {
	const items, versions, readers = 20, 200, 4
	w := newWorld()
	catalog := func(f pricing.Feed, v int) pricing.Catalog {
		c := pricing.Catalog{Feed: f, Version: uint64(v), ObservedAt: now}
		for i := range items {
			c.Listings = append(c.Listings, listing(pricing.CS2, fmt.Sprintf("Item %d", i), fmt.Sprintf("%d", v), v))
		}
		return c
	}
	book, _ := pricing.NewBook().With(catalog(sbCS2, 1))
	w.prices.book, _ = book.With(catalog(sihCS2, 1))
	s := New(w.cfg)
	handle := everything(s)

	over := make(chan struct{})
	var running sync.WaitGroup
	for r := range readers {
		running.Go(func() {
			ctx := wire("POST", pricesPath, []byte(`{"names":["Item 0","Item 7","Item 19"]}`))
			for {
				ctx.Response.Reset()
				handle(ctx)
				var got struct {
					Prices []struct {
						Quotes  []struct{ Ask string }
						Version int
					}
					Version int
				}
				if err := json.Unmarshal(ctx.Response.Body(), &got); err != nil || len(got.Prices) != 3 {
					t.Errorf("got %s (%v), want three prices", ctx.Response.Body(), err)
					return
				}
				for _, p := range got.Prices {
					sum := p.Quotes[0].Ask + "+" + p.Quotes[1].Ask
					higher := fmt.Sprintf("%d.00+%d.00", (p.Version+1)/2, p.Version/2)
					if p.Version != got.Version || sum != higher {
						t.Errorf("reader %d: got asks %s in version %d of %d, want %s", r, sum, p.Version, got.Version, higher)
						return
					}
				}
				select {
				case <-over:
					return
				default:
				}
			}
		})
	}
	book = w.prices.Book()
	for v := 2; v <= versions; v++ { // SkinsBack first: versions are v+(v-1), then v+v
		for _, f := range []pricing.Feed{sbCS2, sihCS2} {
			next, changed := book.With(catalog(f, v))
			w.prices.mu.Lock()
			w.prices.book = next
			w.prices.mu.Unlock()
			s.Publish(next, f, changed, v%2 == 0)
			book = next
		}
	}
	close(over)
	running.Wait()
}

// wideBook has n items on both markets.
func wideBook(n int) *pricing.Book {
	book := pricing.NewBook()
	for _, feed := range []pricing.Feed{sbCS2, sihCS2} {
		var listings []pricing.Listing
		for i := range n {
			l := listing(pricing.CS2, fmt.Sprintf("StatTrak™ AK-47 | Number %d (Field-Tested)", i), fmt.Sprintf("%d.25", i+1), i)
			l.Steam, l.Source = 2*l.Ask, "steam"
			listings = append(listings, l)
		}
		book, _ = book.With(pricing.Catalog{Feed: feed, Version: 1, ObservedAt: now, Listings: listings})
	}
	return book
}

// wire gives a request as it comes over a connection: with a buffer for bodies
// that stays with it.
func wire(method, target string, body []byte) *fasthttp.RequestCtx {
	ctx := &fasthttp.RequestCtx{}
	ctx.Init2(nil, nil, false)
	ctx.Request.Header.SetMethod(method)
	ctx.Request.SetRequestURI(target)
	ctx.Request.SetBody(body)
	return ctx
}

// everything gives all that a server does with a request.
func everything(s *Server) fasthttp.RequestHandler {
	s.app.Handler() // has Fiber make its routes ready, as serving does
	return s.app.Server().Handler
}

func wideQuestions(n int) (singles, batches []*fasthttp.RequestCtx) {
	r := rand.New(rand.NewPCG(1, 2))
	name := func() string { return fmt.Sprintf("StatTrak™ AK-47 | Number %d (Field-Tested)", r.IntN(n)) }
	for range 1000 {
		singles = append(singles, wire("GET", "/v1/prices?game=cs2&name="+url.QueryEscape(name()), nil))
	}
	for range 50 {
		var names []string
		for range 100 {
			names = append(names, name())
		}
		body, _ := json.Marshal(map[string]any{"game": "cs2", "names": names})
		batches = append(batches, wire("POST", "/v1/prices", body))
	}
	return singles, batches
}

func BenchmarkLookup(b *testing.B) {
	const items = 25_000
	w := newWorld()
	w.prices.book = wideBook(items)
	s := New(w.cfg)
	s.Publish(w.prices.book, sbCS2, nil, true)
	handle := everything(s)
	singles, batches := wideQuestions(items)
	for name, questions := range map[string][]*fasthttp.RequestCtx{"one": singles, "hundred": batches} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				ctx := questions[i%len(questions)]
				handle(ctx)
				if i++; ctx.Response.StatusCode() != 200 {
					b.Fatalf("got %d %s", ctx.Response.StatusCode(), ctx.Response.Body())
				}
				b.SetBytes(int64(len(ctx.Response.Body())))
				ctx.Response.Reset()
			}
		})
	}
}
