package sih

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"skinarb/internal/scan"
	"skinarb/pricing"
)

// byName sorts listings, whose order means nothing.
var byName = cmpopts.SortSlices(func(a, b pricing.Listing) bool { return a.MarketName < b.MarketName })

func TestGetItemsSamples(t *testing.T) {
	karambit := pricing.Item{Game: pricing.CS2, Name: "★ Karambit | Doppler (Factory New)", Phase: pricing.Phase2}
	butterfly := "★ StatTrak™ Butterfly Knife | Doppler (Factory New)"
	for _, tc := range []struct {
		file     string
		game     pricing.Game
		want     []pricing.Listing
		rejected map[string]int
	}{
		{"get-items.normal.ok.json", pricing.CS2, []pricing.Listing{
			{Item: cs2(redline), MarketName: redline, Ask: money("31.422"), Count: 57, Steam: money("36.9"), SellHint: money("29.85"), Source: "waxpeer"},
			{Item: cs2("StatTrak™ FAMAS | Macabre (Factory New)"), MarketName: "StatTrak™ FAMAS | Macabre (Factory New)", Ask: money("1.01"), Count: 10, Steam: money("1.01"), SellHint: money("1.01"), Source: "Test Market"},
			{Item: cs2("Sealed Graffiti | Tombstone (Monarch Blue)"), MarketName: "Sealed Graffiti | Tombstone (Monarch Blue)", Ask: money("0.03"), Count: 412, Steam: money("0.03"), SellHint: money("0.02"), Source: "Test Market"},
			{Item: karambit, MarketName: "★ Karambit | Doppler Phase 2 (Factory New)", Ask: money("1184.5"), Count: 2, Steam: money("1390.15"), SellHint: money("1120"), Source: "Test Market"},
		}, nil},
		{"get-items.extended.ok.json", pricing.CS2, []pricing.Listing{
			{Item: cs2("AK-47 | Wild Lotus (Factory New)"), MarketName: "AK-47 | Wild Lotus (Factory New)", Ask: money("15893.36"), Count: 1},
			{Item: pricing.Item{Game: pricing.CS2, Name: butterfly, Phase: pricing.Ruby}, MarketName: "★ StatTrak™ Butterfly Knife | Doppler Ruby (Factory New)", Ask: money("15844.29"), Count: 1},
			{Item: pricing.Item{Game: pricing.CS2, Name: butterfly, Phase: pricing.UnknownPhase}, MarketName: butterfly, Ask: money("2411.08"), Count: 3},
			{Item: cs2("MP7 | Akoben (Minimal Wear)"), MarketName: "MP7 | Akoben (Minimal Wear)", Ask: money("0.53"), Count: 88},
			{Item: cs2("Sticker | Titan | Katowice 2014"), MarketName: "Sticker | Titan | Katowice 2014", Ask: money("9120.5"), Count: 1},
		}, nil},
		{"get-items.minified.ok.json", pricing.CS2, []pricing.Listing{
			{Item: cs2(redline), MarketName: redline, Ask: money("31.422"), Count: 57},
			{Item: cs2("MP7 | Akoben (Minimal Wear)"), MarketName: "MP7 | Akoben (Minimal Wear)", Ask: money("0.53"), Count: 88},
		}, nil},
		{"get-items.minified-bare-number.ok.json", pricing.CS2, []pricing.Listing{
			{Item: cs2(redline), MarketName: redline, Ask: money("31.422"), Count: pricing.CountUnknown},
			{Item: cs2("MP7 | Akoben (Minimal Wear)"), MarketName: "MP7 | Akoben (Minimal Wear)", Ask: money("0.53"), Count: pricing.CountUnknown},
		}, nil},
		{"get-items.offer-array.ok.json", pricing.CS2, []pricing.Listing{
			{Item: cs2(redline), MarketName: redline, Ask: money("31.422"), Count: 3, Source: "waxpeer"},
		}, nil},
		{"get-items.dirty.ok.json", pricing.CS2, []pricing.Listing{
			{Item: cs2(redline), MarketName: redline, Ask: money("31.422"), Count: 57},
			{Item: cs2("padded name"), MarketName: " padded name ", Ask: money("1"), Count: 1},
		}, map[string]int{"price": 3, "shape": 2}},
		{"get-items.rust.ok.json", pricing.Rust, []pricing.Listing{
			{Item: pricing.Item{Game: pricing.Rust, Name: "Whiteout Helmet"}, MarketName: "Whiteout Helmet", Ask: money("40.8"), Count: 4},
			{Item: pricing.Item{Game: pricing.Rust, Name: "Brutalist Sheet Metal Door"}, MarketName: "Brutalist Sheet Metal Door", Ask: money("17.54"), Count: 11},
		}, nil},
		{"get-items.empty.ok.json", pricing.CS2, nil, nil},
	} {
		t.Run(tc.file, func(t *testing.T) {
			body := sample(t, tc.file)
			got, err := answering(t, 200, body).GetItems(t.Context(), tc.game, Flags{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got.Listings, byName, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("listings (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.rejected, got.Rejected, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("rejected (-want +got):\n%s", diff)
			}
			if got.Bytes != int64(len(body)) || got.ObservedAt.IsZero() {
				t.Errorf("got %d bytes at %v, want %d and a time", got.Bytes, got.ObservedAt, len(body))
			}
		})
	}
}

// TestEntries reads entries of every shape that SIH is thought to send.
func TestEntries(t *testing.T) {
	listing := func(ask string, count int) *pricing.Listing {
		return &pricing.Listing{Item: cs2("A"), MarketName: "A", Ask: money(ask), Count: count}
	}
	for _, tc := range []struct {
		entry  string
		want   *pricing.Listing
		reject string
	}{
		{`1.011`, listing("1.011", pricing.CountUnknown), ""},
		{`"1.011"`, listing("1.011", pricing.CountUnknown), ""},
		{`{"price":1e-2,"count":1}`, listing("0.01", 1), ""},
		{`{"price":"1.5","count":"7"}`, listing("1.5", 7), ""},
		{`{"price":1.5}`, listing("1.5", pricing.CountUnknown), ""},
		{`{"price":1.5,"count":null}`, listing("1.5", pricing.CountUnknown), ""},
		{`{"price":0.0000001,"count":1}`, listing("0.000001", 1), ""},
		{`{"price":1,"count":1,"steam":-3,"sell":"?","market":7,"more":{"a":[1]}}`, &pricing.Listing{Item: cs2("A"), MarketName: "A", Ask: money("1"), Count: 1, Source: "7"}, ""},
		{`{"price":1,"count":1,"steam":null,"sell":{},"market":[],"phase":{}}`, listing("1", 1), ""},
		{`{"price":1,"count":1,"market":"a\u0000b"}`, listing("1", 1), ""},
		{`{"price":1,"count":0}`, nil, ""},
		{`[]`, nil, ""},
		{`[{"price":1,"count":0}]`, nil, ""},
		{`[{"price":3,"count":1},{"price":2,"count":4}]`, listing("2", 5), ""},
		{`[{"price":3,"count":1},{"price":2}]`, listing("2", pricing.CountUnknown), ""},
		{`[{"price":3},{"price":0,"count":1},{"price":4,"count":2},null]`, listing("3", pricing.CountUnknown), ""},
		{`[2,"3"]`, listing("2", pricing.CountUnknown), ""},
		{`[[{"price":3,"count":1}]]`, nil, "shape"},
		{`[{"price":0,"count":1}]`, nil, "price"},
		{`0`, nil, "price"},
		{`-1`, nil, "price"},
		{`true`, nil, "shape"},
		{`null`, nil, "shape"},
		{`"n/a"`, nil, "shape"},
		{`{}`, nil, "price"},
		{`{"price":null,"count":1}`, nil, "price"},
		{`{"price":"","count":1}`, nil, "price"},
		{`{"price":1e99,"count":1}`, nil, "price"},
		{`{"price":1e1000000,"count":1}`, nil, "price"},
		{`{"price":99999999,"count":1}`, nil, "price"},
		{`{"price":[1],"count":1}`, nil, "price"},
		{`{"price":1,"count":-1}`, nil, "count"},
		{`{"price":1,"count":1.5}`, nil, "count"},
		{`{"price":1,"count":"many"}`, nil, "count"},
		{`{"price":1,"count":true}`, nil, "count"},
		{`{"price":1,"count":99999999999999999999}`, nil, "count"},
	} {
		c := decoding(t)
		cat, err := c.decodeItems(received(t, c, 200, strings.NewReader(`{"success":true,"items":{"A":`+tc.entry+`}}`)), pricing.CS2)
		if err != nil {
			t.Errorf("%s: %v", tc.entry, err)
			continue
		}
		var want []pricing.Listing
		if tc.want != nil {
			want = append(want, *tc.want)
		}
		rejected := map[string]int{}
		if tc.reject != "" {
			rejected[tc.reject] = 1
		}
		if diff := cmp.Diff(want, cat.found.Listings); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.entry, diff)
		}
		if diff := cmp.Diff(rejected, cat.rejected); diff != "" {
			t.Errorf("%s rejected (-want +got):\n%s", tc.entry, diff)
		}
	}
}

func TestEntryNames(t *testing.T) {
	knife := func(p pricing.Phase) pricing.Item {
		return pricing.Item{Game: pricing.CS2, Name: "★ Karambit | Doppler (Factory New)", Phase: p}
	}
	for _, tc := range []struct {
		name, phase string
		want        pricing.Item
		reject      string
	}{
		{"Sealed Graffiti | Tombstone (Monarch Blue)", `"Phase 1"`, cs2("Sealed Graffiti | Tombstone (Monarch Blue)"), ""},
		{"Ground Rebel  | Elite Crew", `null`, cs2("Ground Rebel | Elite Crew"), ""},
		{"★ Karambit | Doppler (Factory New)", `"Ruby"`, knife(pricing.Ruby), ""},
		{"★ Karambit | Doppler Ruby (Factory New)", `"Ruby"`, knife(pricing.Ruby), ""},
		{"★ Karambit | Doppler Ruby (Factory New)", `null`, knife(pricing.Ruby), ""},
		{"★ Karambit | Doppler (Factory New)", `null`, knife(pricing.UnknownPhase), ""},
		{"★ Karambit | Doppler Ruby (Factory New)", `"Phase 1"`, pricing.Item{}, "phase"},
		{"★ Karambit | Doppler Emerald (Factory New)", `null`, pricing.Item{}, "phase"},
		{"★ Karambit | Doppler (Factory New)", `"Phase 9"`, pricing.Item{}, "phase"},
		{"★ Karambit | Doppler (Factory New)", `["Ruby"]`, pricing.Item{}, "phase"},
		{"", `null`, pricing.Item{}, "name"},
		{" ", `null`, pricing.Item{}, "name"},
		{"a\x00b", `null`, pricing.Item{}, "name"},
		{strings.Repeat("long", 100), `null`, pricing.Item{}, "name"},
	} {
		c := decoding(t)
		key, _ := json.Marshal(tc.name)
		body := fmt.Sprintf(`{"items":{%s:{"price":1,"count":1,"phase":%s}},"success":true}`, key, tc.phase)
		cat, err := c.decodeItems(received(t, c, 200, strings.NewReader(body)), pricing.CS2)
		switch {
		case err != nil:
			t.Errorf("%q: %v", tc.name, err)
		case tc.reject != "":
			if cat.rejected[tc.reject] != 1 || len(cat.found.Listings) != 0 {
				t.Errorf("%q, phase %s: got %v rejected %v, want reason %s", tc.name, tc.phase, cat.found.Listings, cat.rejected, tc.reject)
			}
		case len(cat.found.Listings) != 1 || cat.found.Listings[0].Item != tc.want || cat.found.Listings[0].MarketName != tc.name:
			t.Errorf("%q, phase %s: got %+v, want %+v under this very name", tc.name, tc.phase, cat.found.Listings, tc.want)
		}
	}
}

// TestPhasesInOneEntry: a name whose offers tell different phases does not say
// which of them its lowest price would buy.
func TestPhasesInOneEntry(t *testing.T) {
	c := decoding(t)
	body := `{"success":true,"items":{"★ Karambit | Doppler (Factory New)":[{"price":900,"count":1,"phase":"Phase 2"},{"price":4000,"count":1,"phase":"Ruby"}]}}`
	cat, err := c.decodeItems(received(t, c, 200, strings.NewReader(body)), pricing.CS2)
	if err != nil || len(cat.found.Listings) != 1 || cat.found.Listings[0].Item.Phase != pricing.UnknownPhase {
		t.Errorf("got %+v, %v, want one listing of unknown phase", cat, err)
	}
}

// TestDuplicatesInAnyOrder: spellings of one item give the lowest ask with its
// own name and count, in whichever order SIH sends them.
func TestDuplicatesInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spellings := []string{"AK-47 | Redline", " AK-47 | Redline", "AK-47  | Redline", "AK-47 | Redline  "}
		type entry struct {
			name string
			ask  int
		}
		entries := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) entry {
			return entry{rapid.SampledFrom(spellings).Draw(t, "name"), rapid.IntRange(1, 3).Draw(t, "ask")}
		}), 1, 8).Draw(t, "entries")
		want := slices.MinFunc(entries, func(a, b entry) int {
			if a.ask != b.ask {
				return a.ask - b.ask
			}
			return strings.Compare(a.name, b.name)
		})
		cat := newCatalog(scan.NewNames(pricing.CS2), nil)
		duplicates := 0
		for _, e := range entries {
			reason, err := cat.add([]byte(e.name), &offer{ask: pricing.Money(e.ask), count: e.ask * 10})
			if err != nil {
				t.Fatal(err)
			}
			if reason == "duplicate" {
				duplicates++
			}
		}
		got := cat.found.Listings[0]
		if len(cat.found.Listings) != 1 || got.MarketName != want.name || got.Ask != pricing.Money(want.ask) || got.Count != want.ask*10 {
			t.Fatalf("%v: got %+v, want %+v alone", entries, cat.found.Listings, want)
		}
		if duplicates != len(entries)-1 {
			t.Fatalf("%v: got %d duplicates, want %d", entries, duplicates, len(entries)-1)
		}
	})
}

// TestNoCatalog: whatever is not a whole catalog is an error.
func TestNoCatalog(t *testing.T) {
	whole := strings.TrimSpace(sample(t, "get-items.normal.ok.json"))
	bodies := []string{
		"", "null", "[]", "7", "{", "{}", `{"success":true}`, `{"success":true,"items":null}`, `{"success":true,"items":[]}`,
		`{"success":true,"items":"x"}`, `{"items":{"A":1}}`, `{"success":false,"items":{"A":1}}`, `{"success":"true","items":{}}`,
		`{"items":{"A":1},"success":false,"error":"late"}`, `{"success":true,"items":{"A":1},"items":{"B":1}}`,
		`{"A":1}`, whole + "x", whole + "{}", whole + ",", `{"success":true,"items":{"A":1,}}`, `{"success":true,"items":{"A":01}}`,
		strings.Replace(whole, `"count"`, "\x00ount\"", 1), "<!DOCTYPE html><html></html>", "  ",
		sample(t, "get-items.error.json"), sample(t, "get-items.error-no-text.json"),
	}
	for end := range len(whole) {
		bodies = append(bodies, whole[:end])
	}
	c := decoding(t)
	for _, body := range bodies {
		if cat, err := c.decodeItems(received(t, c, 200, strings.NewReader(body)), pricing.CS2); err == nil {
			t.Errorf("%q: got %d listings, want an error", tail(body), len(cat.found.Listings))
		}
		if _, err := c.decodeItems(received(t, c, 400, strings.NewReader(body)), pricing.CS2); err == nil {
			t.Errorf("status 400, %q: got no error", tail(body))
		}
	}
	if _, err := c.decodeItems(received(t, c, 400, strings.NewReader(whole)), pricing.CS2); err == nil {
		t.Error("a whole catalog with status 400: got no error")
	}
}

func tail(s string) string { return s[max(0, len(s)-40):] }

func TestRefusedCatalogKeepsTheText(t *testing.T) {
	_, err := answering(t, 400, `{"success":false,"error":"appId is wrong"}`).GetItems(t.Context(), pricing.CS2, Flags{})
	var refused *APIError
	if !errors.As(err, &refused) || refused.Status != 400 || refused.Text != "appId is wrong" {
		t.Errorf("got %v, want SIH's text", err)
	}
}

func TestCatalogBounds(t *testing.T) {
	zip := func(s string) string {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		io.WriteString(w, s)
		w.Close()
		return b.String()
	}
	whole := `{"success":true,"items":{` + strings.Repeat(" ", 1<<20) + `"A":1}}`
	for _, tc := range []struct {
		name, coding, body string
		limit              int64
		want               string // in the error; empty for success
	}{
		{"plain", "", whole, 2 << 20, ""},
		{"gzip", "gzip", zip(whole), 2 << 20, ""},
		{"a bomb", "gzip", zip(whole), 1 << 20, "larger than allowed"},
		{"exactly as large as allowed", "", whole, int64(len(whole)), ""},
		{"one byte too large", "", whole, int64(len(whole)) - 1, "larger than allowed"},
		{"gzip cut off", "gzip", zip(whole)[:200], 2 << 20, "unexpected EOF"},
		{"gzip without its checksum", "gzip", zip(whole)[:len(zip(whole))-8], 2 << 20, "unexpected EOF"},
		{"no gzip", "gzip", whole, 2 << 20, "inflate"},
		{"another coding", "br", whole, 2 << 20, "encoding"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := served(t, func(w http.ResponseWriter, r *http.Request) {
				if tc.coding != "" {
					w.Header().Set("Content-Encoding", tc.coding)
				}
				io.WriteString(w, tc.body)
			})
			c.cfg.MaxCatalogBytes = tc.limit
			pull, err := c.GetItems(t.Context(), pricing.CS2, Flags{})
			switch {
			case tc.want == "" && (err != nil || len(pull.Listings) != 1 || pull.Bytes != int64(len(whole))):
				t.Errorf("got %d listings of %d bytes, %v, want one of %d", len(pull.Listings), pull.Bytes, err, len(whole))
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
				t.Errorf("got %v, want %q in it", err, tc.want)
			}
		})
	}
}

func TestGetItemsAsks(t *testing.T) {
	for game, want := range map[pricing.Game]string{
		pricing.CS2:  "/get-items?appId=730&extended=true&minified=true",
		pricing.Rust: "/get-items?appId=252490&extended=true&minified=true",
		pricing.TF2:  "/get-items?appId=440&extended=true&minified=true",
	} {
		var got string
		c := served(t, func(w http.ResponseWriter, r *http.Request) {
			got = r.Method + " " + r.URL.String() + " " + r.Header.Get("apikey")
			io.WriteString(w, `{"success":true,"items":{}}`)
		})
		if _, err := c.GetItems(t.Context(), game, Flags{Minified: true, Extended: true}); err != nil {
			t.Error(err)
		}
		if want := "GET " + want + " " + testKey; got != want {
			t.Errorf("%s: got %q, want %q", game, got, want)
		}
	}
	if _, err := decoding(t).GetItems(t.Context(), pricing.Dota2, Flags{}); err == nil || !strings.Contains(err.Error(), "dota2") {
		t.Errorf("Dota 2: got %v, want a refusal of ours", err)
	}
}

// FuzzItems compares the stream decoder with itself on other chunks and with
// encoding/json on what is JSON at all.
func FuzzItems(f *testing.F) {
	samples(f, "get-items.*.json")
	samples(f, "get-min-item.*.json")
	c := decoding(f)
	f.Fuzz(func(t *testing.T, body string) {
		cat, err := c.decodeItems(received(t, c, 200, strings.NewReader(body)), pricing.CS2)
		slow, slowErr := c.decodeItems(received(t, c, 200, iotest.OneByteReader(strings.NewReader(body))), pricing.CS2)
		if (err == nil) != (slowErr == nil) {
			t.Fatalf("whole: %v, byte by byte: %v", err, slowErr)
		}
		if err != nil {
			if len(err.Error()) > 1000 {
				t.Fatalf("an error of %d bytes", len(err.Error()))
			}
			return
		}
		if !json.Valid([]byte(body)) {
			t.Fatal("accepted, but is no JSON")
		}
		if diff := cmp.Diff(cat.found.Listings, slow.found.Listings); diff != "" {
			t.Fatalf("whole against byte by byte:\n%s", diff)
		}
		checkCatalog(t, cat)
	})
}

// checkCatalog asserts what holds for every catalog.
func checkCatalog(t *testing.T, cat *catalog) {
	t.Helper()
	seen, total := map[pricing.Item]bool{}, len(cat.found.Listings)
	for _, l := range cat.found.Listings {
		if seen[l.Item] || l.Ask <= 0 || l.Ask > pricing.MaxMoney || l.Count == 0 || l.Count < pricing.CountUnknown || l.Steam < 0 || l.SellHint < 0 || l.Since != 0 {
			t.Fatalf("impossible listing %+v", l)
		}
		seen[l.Item] = true
	}
	for reason, n := range cat.rejected {
		if total += n; !slices.Contains([]string{"name", "phase", "price", "count", "shape", "duplicate"}, reason) {
			t.Fatalf("unknown reason %q", reason)
		}
	}
	if total > cat.rows {
		t.Fatalf("%d listings and rejects out of %d entries", total, cat.rows)
	}
}

// TestAKeptCatalogReadsAsItDid reads a body again that GetItems has read.
func TestAKeptCatalogReadsAsItDid(t *testing.T) {
	for _, in := range []string{sample(t, "get-items.normal.ok.json"), string(wholeCatalog(t, 500)), sample(t, "get-items.error.json"), "{"} {
		c := answering(t, 200, in)
		c.cfg.Now = func() time.Time { return time.Unix(1_760_000_000, 0) }
		want, wantErr := c.GetItems(t.Context(), pricing.CS2, Flags{})
		got, err := c.ReadItems(pricing.CS2, strings.NewReader(in))
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" || (err == nil) != (wantErr == nil) {
			t.Errorf("%.100s: got %v, want %v (-got by HTTP +read):\n%s", in, err, wantErr, diff)
		}
	}
	if _, err := decoding(t).ReadItems(pricing.Dota2, strings.NewReader("{}")); err == nil {
		t.Error("Dota 2: got no error")
	}
}

// TestALongCatalogEndsWhenItShould: a compressed body without end is inflated
// ahead of its reader, and ends with the caller or with a fault in the middle,
// which is no reason to ask again.
func TestALongCatalogEndsWhenItShould(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	var requests atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		zip := gzip.NewWriter(w)
		defer zip.Close()
		io.WriteString(zip, `{"success":true,"items":{`)
		entry := strings.Repeat(`"AK-47 | Redline (Field-Tested)":{"price":1},`, 1000)
		broken := requests.Add(1) > 1
		for i := 0; ; i++ {
			part := entry
			switch {
			case i == 100 && broken:
				part = `"A":{"price":}`
			case i == 100:
				zip.Flush()
				w.(http.Flusher).Flush()
				<-r.Context().Done()
			}
			if _, err := io.WriteString(zip, part); err != nil {
				return
			}
		}
	}))
	defer s.Close()
	c := client(t, s.URL, nil)
	defer c.reads.CloseIdleConnections()

	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := c.Pull(ctx, pricing.CS2); !errors.Is(err, context.DeadlineExceeded) || requests.Load() != 1 {
		t.Errorf("the caller's deadline: got %v after %d requests, want %v after 1", err, requests.Load(), context.DeadlineExceeded)
	}
	if _, err := c.Pull(t.Context(), pricing.CS2); err == nil || !strings.Contains(err.Error(), "unreadable") || requests.Load() != 2 {
		t.Errorf("a fault in the middle: got %v after %d requests, want it unreadable after 2", err, requests.Load())
	}
}

// TestABrokenWireIsAskedAgain: where compressed bytes are missing because the
// connection broke, another try may help; where SIH sent no more, it would not.
func TestABrokenWireIsAskedAgain(t *testing.T) {
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	zip.Write(wholeCatalog(t, 2000))
	zip.Close()
	for want, length := range map[int32]int{3: b.Len(), 1: b.Len() / 2} {
		var requests atomic.Int32
		c := served(t, func(w http.ResponseWriter, r *http.Request) {
			requests.Add(1)
			w.Header().Set("Content-Encoding", "gzip")
			w.Header().Set("Content-Length", fmt.Sprint(length))
			w.Write(b.Bytes()[:b.Len()/2])
		})
		if _, err := c.Pull(t.Context(), pricing.CS2); err == nil || requests.Load() != want {
			t.Errorf("half of %d bytes, %d announced: got %v after %d requests, want %d", b.Len(), length, err, requests.Load(), want)
		}
	}
}
