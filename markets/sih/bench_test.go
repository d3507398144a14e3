package sih

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"testing"

	"skinarb/internal/marketsim"
	"skinarb/internal/scan"
	"skinarb/pricing"
)

// wholeCatalog is the catalog of a simulated market, as it would be sent.
func wholeCatalog(t testing.TB, items int) []byte {
	t.Helper()
	w, err := marketsim.New(marketsim.Config{Seed: 1, Items: items, APIKey: testKey})
	if err != nil {
		t.Fatal(err)
	}
	rec := httptest.NewRecorder()
	req := httptest.NewRequest("GET", "/api/v1/get-items?appId=730", nil)
	req.Header.Set("apikey", testKey)
	w.SIH().ServeHTTP(rec, req)
	if rec.Code != 200 {
		t.Fatalf("the simulated market: %d %s", rec.Code, rec.Body)
	}
	return rec.Body.Bytes()
}

// BenchmarkItems reads a whole catalog out of memory, whose names are known.
func BenchmarkItems(b *testing.B) {
	body := wholeCatalog(b, 0)
	b.Run("scan", func(b *testing.B) {
		names := scan.NewNames(pricing.CS2)
		read := func() {
			cat := newCatalog(names, bytes.NewReader(body))
			if h, err := cat.read(); err != nil || !h.success {
				b.Fatal(h, err)
			}
			cat.found.Done()
		}
		read()
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
		for b.Loop() {
			read()
		}
	})
	b.Run("encoding/json", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
		for b.Loop() {
			var list struct {
				Items map[string]*struct {
					Price  json.RawMessage `json:"price"`
					Count  json.RawMessage `json:"count"`
					Phase  *string         `json:"phase"`
					Market *string         `json:"market"`
					Sell   json.RawMessage `json:"sell"`
					Steam  json.RawMessage `json:"steam"`
				} `json:"items"`
			}
			if err := json.Unmarshal(body, &list); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("quotes", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		for b.Loop() {
			n := 0
			for rest := body; ; n++ {
				i := bytes.IndexByte(rest, '"')
				if i < 0 {
					break
				}
				rest = rest[i+1:]
			}
			if n == 0 {
				b.Fatal("no quotes")
			}
		}
	})
}
