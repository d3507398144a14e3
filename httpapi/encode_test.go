package httpapi

import (
	"bytes"
	"encoding/json"
	"slices"
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
	ListingID  string         `json:"listing_id,omitempty"`
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
				Lot: rapid.String().Draw(t, "lot"),
			},
		}
		maxAge := time.Duration(rapid.Int64Range(0, 1e12).Draw(t, "max age"))
		want := quoteJSON{
			Market: q.Market, Ask: q.Ask.String(), MarketName: q.MarketName, ObservedAt: q.ObservedAt.UTC().Format(layout),
			AgeMS: q.Age(now).Milliseconds(), Stale: now.Sub(q.ObservedAt).Abs() > maxAge, Source: q.Source, ListingID: q.Lot,
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
		// The same quote in a price and in a line of a catalog.
		for _, got := range quoteIn(t, q, maxAge) {
			if got+"\n" != text.String() {
				t.Fatalf("got %s, want %s", got, text.String())
			}
		}
	})
}

// quoteIn gives a quote as it stands in a price and as a line of a catalog ends.
func quoteIn(t interface{ Fatalf(string, ...any) }, q pricing.Quote, maxAge time.Duration) [2]string {
	q.Item = pricing.Item{Game: pricing.CS2, Name: redline}
	book, _ := pricing.NewBook().With(pricing.Catalog{Feed: pricing.Feed{Market: q.Market, Game: pricing.CS2}, Version: 1, ObservedAt: q.ObservedAt, Listings: []pricing.Listing{q.Listing}})
	e := (&editions{game: pricing.CS2}).of(book)
	var ages ages
	e.tell(&ages, now, maxAge)
	b, found := e.appendPrice([]byte{'{'}, e.of(q.Item), &ages)
	var price struct{ Quotes []json.RawMessage }
	if err := json.Unmarshal(append(b, '}'), &price); err != nil || !found || len(price.Quotes) != 1 {
		t.Fatalf("got %s (%v), want a price with one quote", b, err)
	}
	line := string(e.appendLine(nil, 0, slices.Index(pricing.Markets, q.Market), &ages))
	rest, ok := strings.CutPrefix(line, `{"item":{"game":"cs2","name":"`+redline+`","phase":""},`)
	if !ok {
		t.Fatalf("got line %s, want it to begin with the item", line)
	}
	return [2]string{string(price.Quotes[0]), "{" + strings.TrimSuffix(rest, "\n")}
}

// TestStaleBegins where the age, or how far it is in the future, exceeds the
// allowed one, not before.
func TestStaleBegins(t *testing.T) {
	for _, tt := range []struct {
		age   time.Duration
		stale bool
	}{{-time.Minute - 1, true}, {-time.Minute, false}, {0, false}, {time.Minute, false}, {time.Minute + 1, true}} {
		got := quoteIn(t, pricing.Quote{Market: pricing.SIH, ObservedAt: now.Add(-tt.age)}, time.Minute)[0]
		if strings.Contains(got, `"stale":true`) != tt.stale {
			t.Errorf("a quote %s old, of at most a minute: got %s, want stale %v", tt.age, got, tt.stale)
		}
	}
}
