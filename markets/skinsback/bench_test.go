package skinsback

import (
	"bytes"
	"encoding/json"
	"math"
	"net/http/httptest"
	"strings"
	"testing"

	"skinarb/internal/marketsim"
	"skinarb/internal/scan"
	"skinarb/pricing"
)

// wholeList is a price list of a simulated market, as it would be sent.
func wholeList(t testing.TB, items int, full bool) []byte {
	t.Helper()
	w, err := marketsim.New(marketsim.Config{Seed: 1, Items: items, ClientID: testID, ClientSecret: testSecret})
	if err != nil {
		t.Fatal(err)
	}
	body := `{"method":"market_pricelist","game":"cs2"}`
	if full {
		body = `{"method":"market_pricelist","game":"cs2","full":"1"}`
	}
	rec := httptest.NewRecorder()
	req := httptest.NewRequest("POST", "/", strings.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-CLIENT-ID", testID)
	req.Header.Set("X-CLIENT-SECRET", testSecret)
	w.SkinsBack().ServeHTTP(rec, req)
	if rec.Code != 200 || rec.Body.Len() < 1000 {
		t.Fatalf("the simulated market: %d %s", rec.Code, rec.Body)
	}
	return rec.Body.Bytes()
}

// BenchmarkLists reads whole lists out of memory, whose names are known.
func BenchmarkLists(b *testing.B) {
	names := scan.NewNames(pricing.CS2)
	grouped, full := wholeList(b, 0, false), wholeList(b, 0, true)
	read := func(b *testing.B, in []byte, use func(*listRow) (string, error)) {
		r := newListReader("market_pricelist", &body{r: bytes.NewReader(in), limit: math.MaxInt64}, use)
		if err := r.read(); err != nil {
			b.Fatal(err)
		}
	}
	for name, bench := range map[string]struct {
		body []byte
		run  func(b *testing.B, in []byte)
	}{
		"groups": {grouped, func(b *testing.B, in []byte) {
			shelf := shelf{names, names.Catalog()}
			read(b, in, shelf.row)
			shelf.catalog.Done()
		}},
		"lots": {full, func(b *testing.B, in []byte) {
			read(b, in, lots(func(b []byte) (string, error) {
				n, err := names.Find(b, "")
				return n.Spelling, err
			}, func(Lot) error { return nil }))
		}},
		"lowest lots": {full, func(b *testing.B, in []byte) {
			lots := lowestLots{names: names}
			read(b, in, lots.row)
		}},
		"groups with encoding_json": {grouped, func(b *testing.B, in []byte) {
			var list struct {
				Items []struct {
					Name  string          `json:"name"`
					Price json.RawMessage `json:"price"`
					Count json.RawMessage `json:"count"`
				} `json:"items"`
			}
			if err := json.Unmarshal(in, &list); err != nil {
				b.Fatal(err)
			}
		}},
	} {
		b.Run(name, func(b *testing.B) {
			bench.run(b, bench.body)
			b.SetBytes(int64(len(bench.body)))
			b.ReportAllocs()
			for b.Loop() {
				bench.run(b, bench.body)
			}
		})
	}
}
