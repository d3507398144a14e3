package httpapi

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzParams compares with net/url: what it accepts is what net/url reads, and
// no listed name is lost.
func FuzzParams(f *testing.F) {
	for _, s := range []string{
		"", "game=cs2", "game=cs2&name=a+b%20c", "name=%E2%98%85+x&phase=", "game", "&&game=x&", "game==", "a=b=c",
		"name=%2F%26%3D", "game=1&game=2", "%67ame=x", "name=%", "name=%f", "name=\xff", "x;y=1", "name=a;b", "=", "name=%C3",
	} {
		f.Add(s)
	}
	names := []string{"game", "name", "phase"}
	f.Fuzz(func(t *testing.T, raw string) {
		q, err := parseParams([]byte(raw), names)
		if err != nil {
			if e := describe(err); e.status != 400 || e.code != codeInvalidParameter || !utf8.ValidString(e.message) || len(e.message) > 300 {
				t.Fatalf("query %q: got %+v, want a short invalid_parameter", raw, e)
			}
			return
		}
		for _, n := range names {
			// net/url refuses semicolons; to us they are text, as to browsers.
			want, err := url.ParseQuery(strings.ReplaceAll(raw, ";", "%3B"))
			if err != nil {
				t.Fatalf("query %q: got %v, but net/url says %v", raw, q.values, err)
			}
			if len(want[n]) > 1 || q.get(n) != want.Get(n) || !utf8.ValidString(q.get(n)) {
				t.Fatalf("query %q: got %s=%q, want %q", raw, n, q.get(n), want[n])
			}
			delete(want, n)
			for other := range want {
				if !slices.Contains(names, other) {
					t.Fatalf("query %q: %q was not refused", raw, other)
				}
			}
		}
	})
}

// TestParamsAreCopies changes the request after parsing, as Fiber does.
func TestParamsAreCopies(t *testing.T) {
	raw := []byte("name=abc&game=cs2")
	q, err := parseParams(raw, []string{"game", "name"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		raw[i] = 'z'
	}
	if q.get("name") != "abc" || q.get("game") != "cs2" {
		t.Errorf("got name %q and game %q after the request changed, want abc and cs2", q.get("name"), q.get("game"))
	}
}

// FuzzPrices sends any body to POST /v1/prices: it is answered in full or
// refused, never half.
func FuzzPrices(f *testing.F) {
	for _, s := range []string{
		`{"game":"cs2","names":["` + redline + `"]}`, `{"names":["` + doppler + `","x"]}`, `{}`, `null`, `[]`, `{"names":null}`, `{"names":[null]}`,
		`{"names":["\ud800"]}`, `{"names":["a","a"]}x`, `{"game":1}`, "\xff", `{"NAMES":["x"]}`, `{"names":["x"],"names":["y","z"]}`,
	} {
		f.Add([]byte(s))
	}
	s := New(newWorld().cfg)
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) > 64<<10 {
			return
		}
		got := ask(t, s, request("POST", "/v1/prices", string(body)))
		var answer struct {
			Prices   []json.RawMessage
			NotFound []string `json:"not_found"`
			Error    *struct{ Code string }
		}
		if err := json.Unmarshal([]byte(got.body), &answer); err != nil {
			t.Fatalf("body %q: got %q, want JSON: %v", body, got.body, err)
		}
		if got.status == 200 {
			var asked struct{ Names []string }
			if err := json.Unmarshal(body, &asked); err != nil {
				t.Fatalf("body %q was accepted, but it is not JSON: %v", body, err)
			}
			if len(asked.Names) != len(answer.Prices)+len(answer.NotFound) {
				t.Fatalf("body %q: asked %d names, got %d prices and %d not found", body, len(asked.Names), len(answer.Prices), len(answer.NotFound))
			}
			return
		}
		if got.status != 400 || answer.Error == nil {
			t.Fatalf("body %q: got %d %s, want 200 or an error with 400", body, got.status, got.body)
		}
	})
}
