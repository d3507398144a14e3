package httpapi

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"skinarb/pricing"
)

// FuzzString compares with encoding/json, byte for byte.
func FuzzString(f *testing.F) {
	for _, s := range []string{"", "plain", `"\/`, "\b\f\n\r\t\x00\x1f\x7f", "★ ™ ö 壱", "\xff\xc3", "\u2028\u2029\u2027", "<&>", "\xed\xa0\x80", "\U0001F600", "a\xe2\x80"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var want bytes.Buffer
		enc := json.NewEncoder(&want)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(s); err != nil {
			t.Fatal(err)
		}
		if got := string(appendString(nil, s)); got+"\n" != want.String() {
			t.Fatalf("string %q: got %s, want %s", s, got, want.String())
		}
	})
}

// quoteJSON is a quote as encoding/json would write it.
type quoteJSON struct {
	Market     pricing.Market `json:"market"`
	Ask        string         `json:"ask"`
	Count      *int           `json:"count"`
	MarketName string         `json:"market_name"`
	ObservedAt string         `json:"observed_at"`
	AgeMS      int64          `json:"age_ms"`
	Stale      bool           `json:"stale"`
	Steam      string         `json:"steam_reference,omitempty"`
	Source     string         `json:"source_market,omitempty"`
	SellHint   string         `json:"sell_hint,omitempty"`
}

func TestQuoteIsWhatEncodingJSONWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		money := rapid.Map(rapid.Int64Range(0, int64(pricing.MaxMoney)), func(n int64) pricing.Money { return pricing.Money(n) })
		q := pricing.Quote{
			Market:     rapid.SampledFrom(pricing.Markets).Draw(t, "market"),
			ObservedAt: now.Add(-time.Duration(rapid.Int64Range(-1e12, 1e12).Draw(t, "age"))).In(time.FixedZone("", 3600)),
			Listing: pricing.Listing{
				MarketName: rapid.String().Draw(t, "name"), Ask: money.Draw(t, "ask"), Count: rapid.IntRange(-1, 1e6).Draw(t, "count"),
				Steam: money.Draw(t, "steam"), SellHint: money.Draw(t, "hint"), Source: rapid.String().Draw(t, "source"),
			},
		}
		maxAge := time.Duration(rapid.Int64Range(0, 1e12).Draw(t, "max age"))
		want := quoteJSON{
			Market: q.Market, Ask: q.Ask.String(), MarketName: q.MarketName, ObservedAt: q.ObservedAt.UTC().Format(layout),
			AgeMS: q.Age(now).Milliseconds(), Stale: q.Age(now) > maxAge, Source: q.Source,
		}
		if q.Count >= 0 {
			want.Count = &q.Count
		}
		if q.Steam > 0 {
			want.Steam = q.Steam.String()
		}
		if q.SellHint > 0 {
			want.SellHint = q.SellHint.String()
		}
		var text strings.Builder
		enc := json.NewEncoder(&text)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(want); err != nil {
			t.Fatal(err)
		}
		if got := string(appendQuote(nil, q, now, maxAge)); got+"\n" != text.String() {
			t.Fatalf("got %s, want %s", got, text.String())
		}
	})
}

// TestStaleBegins where the age exceeds the allowed one, not before.
func TestStaleBegins(t *testing.T) {
	for _, tt := range []struct {
		age   time.Duration
		stale bool
	}{{-time.Hour, false}, {0, false}, {time.Minute, false}, {time.Minute + 1, true}} {
		got := string(appendQuote(nil, pricing.Quote{ObservedAt: now.Add(-tt.age)}, now, time.Minute))
		if strings.Contains(got, `"stale":true`) != tt.stale {
			t.Errorf("a quote %s old, of at most a minute: got %s, want stale %v", tt.age, got, tt.stale)
		}
	}
}

func BenchmarkPrice(b *testing.B) {
	s, book := New(newWorld().cfg), testBook()
	it, _ := pricing.ParseItem(pricing.CS2, redline, "")
	buf := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := s.appendPrice(buf[:0], book, it, now); !ok {
			b.Fatal("not found")
		}
	}
}

// TestPriceAllocates nothing but what the phases of a Doppler need.
func TestPriceAllocates(t *testing.T) {
	s, book := New(newWorld().cfg), testBook()
	it, _ := pricing.ParseItem(pricing.CS2, redline, "")
	buf := make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(100, func() { s.appendPrice(buf[:0], book, it, now) }); n != 0 {
		t.Errorf("one price: got %v allocations, want 0", n)
	}
}
