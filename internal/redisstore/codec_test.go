package redisstore

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"skinarb/internal/storetest"
	"skinarb/pricing"
)

// extreme is a catalog that has every field at its limits.
var extreme = pricing.Catalog{
	Feed: storetest.Feed, Version: math.MaxUint64, ObservedAt: time.Time{}.UTC(),
	Listings: []pricing.Listing{
		{Item: pricing.Item{Game: storetest.Feed.Game}},
		{
			Item:       pricing.Item{Game: storetest.Feed.Game, Name: "\xff\x00", Phase: "no known phase"},
			MarketName: strings.Repeat("long", 1000), Ask: math.MinInt64, Count: math.MinInt64,
			Steam: math.MaxInt64, SellHint: -1, Source: "x", Lot: strings.Repeat("7", 1000), Since: math.MaxUint64,
		},
	},
}

func TestBlobsAreReadAsWritten(t *testing.T) {
	same := func(t rapid.TB, c pricing.Catalog, ch pricing.Change) {
		t.Helper()
		blob, err := encodeCatalog(c)
		if err != nil {
			t.Fatalf("encode catalog: %v", err)
		}
		if got, err := decodeCatalog(blob); err != nil || !cmp.Equal(c, got) {
			t.Errorf("catalog: got %v, %v, want %v", got, err, c)
		}
		if blob, err = encodeChange(ch); err != nil {
			t.Fatalf("encode change: %v", err)
		}
		if got, err := decodeChange(blob); err != nil || !cmp.Equal(ch, got) {
			t.Errorf("change: got %v, %v, want %v", got, err, ch)
		}
	}
	same(t, extreme, pricing.Change{Feed: extreme.Feed, To: math.MaxUint64, ObservedAt: extreme.ObservedAt, Set: extreme.Listings})
	rapid.Check(t, func(t *rapid.T) {
		old, _ := storetest.Follow(pricing.Catalog{}, storetest.Listings().Draw(t, "old"))
		next, ch := storetest.Follow(old, storetest.Listings().Draw(t, "next"))
		if len(next.Listings) == 0 {
			next.Listings = nil
		}
		same(t, next, ch)
	})
}

// beforeLots is the body of a catalog, and of a change cut short, as they were
// written before listings had lots.
var beforeLots = []byte{3, 's', 'i', 'h', 3, 'c', 's', '2', 7, 0, 0, 1, 1<<1 | 1<<4, 1, 'n', 1, 'm', 4, 2, 6, 1, 's'}

func TestABodyWithoutLotsIsRead(t *testing.T) {
	got, err := decodeCatalog(sealed(t, beforeLots))
	want := pricing.Catalog{
		Feed: storetest.Feed, Version: 7, ObservedAt: time.Unix(0, 0).UTC(),
		Listings: []pricing.Listing{{
			Item: pricing.Item{Game: storetest.Feed.Game, Name: "n"}, MarketName: "m", Ask: 2, Count: 1, Since: 6, Source: "s",
		}},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("got %v (-want +got):\n%s", err, diff)
	}
}

func TestOnlyWholeBlobsAreRead(t *testing.T) {
	c, _ := storetest.Follow(pricing.Catalog{}, extreme.Listings)
	whole, err := encodeCatalog(c)
	if err != nil {
		t.Fatalf("encode: %v", err)
	}
	change, err := encodeChange(pricing.Change{Feed: c.Feed})
	if err != nil {
		t.Fatalf("encode: %v", err)
	}
	body := slices.Clip(bodyOf(t, whole))
	for name, bad := range map[string][]byte{
		"nothing":            nil,
		"the format alone":   {formatCatalog},
		"another format":     append([]byte{'?'}, whole[1:]...),
		"a change":           change,
		"the beginning":      whole[:len(whole)-5],
		"a body cut short":   sealed(t, body[:len(body)-1]),
		"a body with more":   sealed(t, append(body, 0)),
		"a flag of later":    sealed(t, bytes.Replace(beforeLots, []byte{1<<1 | 1<<4}, []byte{1<<1 | 1<<4 | notKnown}, 1)),
		"a count of 2^63":    sealed(t, append(appendTime(append(appendString(appendString(nil, "sih"), "cs2"), 1), time.Time{}), 255, 255, 255, 255, 255, 255, 255, 255, 127)),
		"a count and no end": sealed(t, append(appendTime(append(appendString(appendString(nil, "sih"), "cs2"), 1), time.Time{}), 255)),
	} {
		if got, err := decodeCatalog(bad); !errors.Is(err, errBlob) {
			t.Errorf("decode %s: got %v, %v, want errBlob", name, got, err)
		}
	}
}

func bodyOf(t *testing.T, blob []byte) []byte {
	t.Helper()
	d, err := open(formatCatalog, blob)
	if err != nil {
		t.Fatalf("open a blob: %v", err)
	}
	return d.b
}

func sealed(t *testing.T, body []byte) []byte {
	t.Helper()
	blob, err := seal(formatCatalog, body)
	if err != nil {
		t.Fatalf("seal a body: %v", err)
	}
	return blob
}

func TestATooLargeBodyIsNotWritten(t *testing.T) {
	l := pricing.Listing{Item: pricing.Item{Game: storetest.Feed.Game}, MarketName: strings.Repeat("x", maxBody)}
	if _, err := encodeCatalog(pricing.Catalog{Feed: storetest.Feed, Listings: []pricing.Listing{l}}); err == nil {
		t.Error("encode a body that cannot be decoded: got no error")
	}
}

// FuzzDecode reads bodies, not blobs: a fuzzer finds no way through zstd.
func FuzzDecode(f *testing.F) {
	f.Add(beforeLots)
	f.Add(append(slices.Clone(beforeLots), 1, 1, 'g', 0))
	f.Add([]byte{3, 's', 'i', 'h', 3, 'c', 's', '2', 7, 0, 0, 1, hasPhase | hasLot, 1, 'n', 4, 'R', 'u', 'b', 'y', 4, 2, 6, 1, '7'})
	f.Add([]byte{3, 's', 'i', 'h', 3, 'c', 's', '2', 1, 2, 0, 0, 0, 1, 1, 'g', 0})
	f.Add([]byte{255, 255, 255, 255, 255, 255, 255, 255, 255, 1})
	f.Fuzz(func(t *testing.T, body []byte) {
		if blob, err := seal(formatCatalog, body); err != nil {
			t.Fatalf("seal: %v", err)
		} else if c, err := decodeCatalog(blob); err == nil {
			again, err := encodeCatalog(c)
			if err != nil {
				t.Fatalf("encode what was decoded: %v", err)
			}
			if got, err := decodeCatalog(again); err != nil || !cmp.Equal(c, got) {
				t.Fatalf("catalog: got %v, %v, want %v", got, err, c)
			}
		}
		if blob, err := seal(formatChange, body); err != nil {
			t.Fatalf("seal: %v", err)
		} else if ch, err := decodeChange(blob); err == nil {
			again, err := encodeChange(ch)
			if err != nil {
				t.Fatalf("encode what was decoded: %v", err)
			}
			if got, err := decodeChange(again); err != nil || !cmp.Equal(ch, got) {
				t.Fatalf("change: got %v, %v, want %v", got, err, ch)
			}
		}
	})
}
