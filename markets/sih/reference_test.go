package sih

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/go-faster/jx"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"skinarb/internal/scan"
	"skinarb/pricing"
)

// reading is all that comes of a body.
type reading struct {
	Listings []pricing.Listing
	Rejected map[string]int
	Rows     int
	Head     head
	Failed   bool
}

// reference reads a catalog as one would write it first: the body by
// encoding/json, and every entry by catalog.offers, never by catalog.quick.
func reference(in []byte) reading {
	cat := newCatalog(scan.NewNames(pricing.CS2), nil)
	h, err := referenceHead(cat, in)
	if err != nil {
		return reading{Failed: true}
	}
	return reading{cat.found.Listings, cat.rejected, cat.rows, h, false}
}

func referenceHead(cat *catalog, in []byte) (head, error) {
	var h head
	if !json.Valid(in) {
		return h, errors.New("not JSON")
	}
	err := members(in, func(key string, raw []byte) (err error) {
		kind := jx.DecodeBytes(raw).Next()
		switch {
		case key == "success" && kind == jx.Bool:
			h.success = string(raw) == "true"
		case key == "error" && kind == jx.String:
			h.err, err = jx.DecodeBytes(raw).Str()
		case key == "items" && kind == jx.Object:
			if h.items {
				return errors.New("items twice")
			}
			h.items = true
			err = members(raw, func(name string, raw []byte) error {
				cat.rows++
				o, reason, err := cat.offers(jx.DecodeBytes(raw))
				if err == nil && reason == "" {
					reason, err = cat.add([]byte(name), &o)
				}
				if reason != "" {
					cat.rejected[reason]++
				}
				return err
			})
		}
		return err
	})
	return h, err
}

// members reads an object by encoding/json.
func members(in []byte, member func(key string, raw []byte) error) error {
	dec := json.NewDecoder(bytes.NewReader(in))
	if open, _ := dec.Token(); open != json.Delim('{') {
		return errors.New("not an object")
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return err
		}
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return err
		}
		if err := member(key.(string), raw); err != nil {
			return err
		}
	}
	return nil
}

// agree compares the scanner with the reference. names may know any names.
func agree(t *testing.T, names *scan.Names, in []byte) {
	t.Helper()
	want := reference(in)
	for kind, r := range map[string]io.Reader{
		"whole":  bytes.NewReader(in),
		"halves": iotest.HalfReader(bytes.NewReader(in)),
		"bytes":  iotest.OneByteReader(bytes.NewReader(in)),
	} {
		cat := newCatalog(names, r)
		h, err := cat.read()
		got := reading{cat.found.Listings, cat.rejected, cat.rows, h, false}
		if err != nil {
			got = reading{Failed: true}
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmp.AllowUnexported(head{})); diff != "" {
			t.Fatalf("%s, %q (-reference +scanner):\n%s", kind, in, diff)
		}
	}
}

// oddEntries are what a catalog may have besides ordinary entries.
var oddEntries = []string{
	`{"price":1.01,"count":10,"phase":null,"market":"waxpeer","sell":1,"steam":2.5,"image":"x","color":"d32ce6"}`, `{"price":"1.5","count":"7"}`, `{ "price" : 1 , "count" : 2 }`,
	`{"count":1,"price":2}`, `{"price":1,"price":2,"count":3,"count":null}`, `{"pr\u0069ce":1}`, `{"price":1e-2,"count":1}`, `{"price":0.0000001,"count":-0}`, `{"price":1,"count":"+5"}`,
	`{"price":1,"count":1.5}`, `{"price":1,"count":99999999999999999999}`, `{"price":1,"count":true}`, `{"price":true}`, `{"price":[1]}`, `{"price":1,"market":true,"steam":true,"sell":{}}`,
	`{"price":1,"market":"a\u0000b"}`, `{"price":1,"market":"` + strings.Repeat("m", 65) + `"}`, "{\"price\":1,\"market\":\"\u202e\xff\"}", `{"price":1,"phase":"Ruby"}`, `{"price":1,"phase":2}`, `{"price":1,"phase":["Ruby"]}`,
	`{"price":1,"phase":true}`, `{"price":1,"phase":"` + strings.Repeat("p", 400) + `"}`, `{"price":1,"image":"\n","more":{"a":[{}]}}`, `{"price":1,"count":0}`, `{"price":0}`, `{"price":-1}`, `{"price":"n/a"}`,
	`[]`, `[{"price":3,"count":1},{"price":2,"count":4}]`, `[[1]]`, `[2,"3",null]`, `1.5`, `"1.5"`, `0`, `null`, `true`, `""`, `{}`, `{"price":01}`, `{"price":1,}`, `{"price":1 "count":2}`,
}

var oddNames = []string{
	"A", "B", " A", "AK-47 | Redline (Field-Tested)", "★ Karambit | Doppler (Factory New)", "★ Karambit | Doppler Ruby (Factory New)", "★ Karambit | Doppler Phase 9 (Factory New)",
	"", `\u0041`, `\u0000`, `\ud800`, "\xff", strings.Repeat("long", 100), `Caf\u0065\u0301`, "Café", `a\"b`,
}

func oddBodies() []string {
	var bodies []string
	for i, entry := range oddEntries {
		for j, name := range oddNames {
			if i%4 == j%4 {
				bodies = append(bodies, fmt.Sprintf(`{"success":true,"items":{"%s":%s,"A":1,"%s":{"price":0.5}}}`, name, entry, name))
			}
		}
	}
	return append(bodies, ``, `{}`, `[]`, `null`, `{"success":true}`, `{"success":"true","items":{}}`, `{"success":true,"items":[]}`, `{"success":true,"items":null}`, `{"success":true,"items":{},"items":{}}`,
		`{"items":{"A":1},"success":false,"error":"late"}`, `{"error":"\ud83d\ude00","success":false}`, `{"error":{"a":1}}`, `{"it\u0065ms":{"A":1},"success":true}`, `{"items":{"A":1}}x`, " {\n\"items\" : { \"A\" : 1 } } ")
}

func TestScannerAgreesWithTheReference(t *testing.T) {
	names := scan.NewNames(pricing.CS2)
	for _, in := range oddBodies() {
		agree(t, names, []byte(in))
	}
	for _, name := range []string{"normal", "extended", "minified", "minified-bare-number", "offer-array", "dirty", "rust", "empty"} {
		agree(t, names, []byte(sample(t, "get-items."+name+".ok.json")))
	}
	agree(t, names, wholeCatalog(t, 500))
}

// TestMutationsAgree spoils bodies in ways that programs and wires do.
func TestMutationsAgree(t *testing.T) {
	seeds := []string{string(wholeCatalog(t, 40))}
	for _, name := range []string{"normal", "extended", "offer-array", "dirty"} {
		seeds = append(seeds, sample(t, "get-items."+name+".ok.json"))
	}
	rng := rand.New(rand.NewPCG(1, 2))
	names := scan.NewNames(pricing.CS2)
	for range 100 {
		for _, in := range seeds {
			b := []byte(in)[:min(len(in), 8<<10)]
			if len(in) > len(b) && rng.IntN(2) == 0 {
				b = append(b[:bytes.LastIndex(b, []byte("},"))], "}}}"...)
			}
			for range 1 + rng.IntN(3) {
				b = mutate(rng, b)
			}
			agree(t, names, b)
		}
	}
}

// mutate changes one thing about a body.
func mutate(rng *rand.Rand, b []byte) []byte {
	if len(b) == 0 {
		return b
	}
	snippets := append([]string{
		`"`, `\`, `\n`, `\u0041`, `\ud800`, "\x00", "\xff", " ", "\n", ",", ":", "{", "}", "[", "]", "0", "-", ".", "e", "null", "true", "[[[", `""`, "{}", `"price":`, `,"count":1`, `,"items":{}`,
	}, oddEntries...)
	at := rng.IntN(len(b))
	to := min(len(b), at+1+rng.IntN(60))
	switch rng.IntN(7) {
	case 0:
		return b[:at] // cut off
	case 1:
		b = slices.Clone(b)
		b[at] = byte(rng.IntN(256))
		return b
	case 2:
		return slices.Delete(slices.Clone(b), at, to)
	case 3:
		return slices.Insert(slices.Clone(b), at, b[at:to]...) // twice
	case 4:
		part := slices.Clone(b[at:to])
		return slices.Insert(slices.Delete(slices.Clone(b), at, to), rng.IntN(len(b)-len(part)+1), part...) // elsewhere
	case 5:
		return slices.Insert(slices.Clone(b), at, []byte(snippets[rng.IntN(len(snippets))])...)
	default: // a number or a text becomes something else
		return bytes.Replace(b, b[at:to], []byte(snippets[rng.IntN(len(snippets))]), 1)
	}
}

func FuzzScannerAgrees(f *testing.F) {
	for _, in := range oddBodies() {
		f.Add([]byte(in))
	}
	for _, name := range []string{"normal", "extended", "offer-array", "dirty"} {
		f.Add([]byte(sample(f, "get-items."+name+".ok.json")))
	}
	f.Add(wholeCatalog(f, 20))
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) > 1<<16 {
			t.Skip("longer than it has to be")
		}
		agree(t, scan.NewNames(pricing.CS2), in)
	})
}

// TestKnownEntriesCostNothing: the second pull allocates for the catalog as a
// whole and nothing for any entry.
func TestKnownEntriesCostNothing(t *testing.T) {
	names := scan.NewNames(pricing.CS2)
	allocations := func(rows int) float64 {
		var b strings.Builder
		for i := range rows {
			fmt.Fprintf(&b, `,"AK-47 | Redline %d (Field-Tested)":{"price":%d.5,"count":%d,"phase":null,"market":"waxpeer","sell":1.25,"steam":"36.90","image":"-9a81dlWLwJ2UUGcVs_nsVtzdOEdtWwKGZZLQHTxDZ7I56KU0Zwwo4NUX4oFJZEHLbXH5ApeO4Ym","color":"d32ce6"}`, i, i%900+1, i%20)
		}
		body := `{"success":true,"items":{` + b.String()[1:] + `}}`
		pull := func() {
			cat := newCatalog(names, strings.NewReader(body))
			if h, err := cat.read(); err != nil || !h.success || cat.rows != rows {
				t.Fatalf("got %+v, %v, %d rows, want %d", h, err, cat.rows, rows)
			}
			cat.found.Done()
		}
		pull()
		return testing.AllocsPerRun(3, pull)
	}
	if few, many := allocations(2_000), allocations(20_000); many != few {
		t.Errorf("got %g allocations for 2,000 entries and %g for 20,000, want the same", few, many)
	}
}
