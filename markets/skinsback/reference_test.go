package skinsback

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
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

// reference reads a list as one would write it first: the body by encoding/json,
// and every row by listRow.read, never by listRow.quick.
func reference(in []byte, use func(*listRow) (string, error)) (map[string]int, error) {
	if !json.Valid(in) {
		return nil, errors.New("not JSON")
	}
	dec := json.NewDecoder(bytes.NewReader(in))
	if open, _ := dec.Token(); open != json.Delim('{') {
		return nil, errors.New("not an object")
	}
	rejected, listed := map[string]int{}, false
	var row listRow
	var status, code, message field
	scalars := map[string]*field{"status": &status, "error_code": &code, "error_message": &message, "last_update": {}}
	for dec.More() {
		key, _ := dec.Token()
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return nil, err
		}
		if f := scalars[key.(string)]; f != nil {
			if err := f.read(jx.DecodeBytes(raw)); err != nil {
				return nil, err
			}
		}
		if key != "items" {
			continue
		}
		if listed {
			return nil, errors.New("items twice")
		}
		listed = true
		var all list[json.RawMessage]
		if err := json.Unmarshal(raw, &all); err != nil {
			return nil, err
		}
		for _, raw := range all {
			reason := badRow
			if raw[0] == '{' {
				if err := row.read(jx.DecodeBytes(raw)); err != nil {
					return nil, err
				}
				var err error
				if reason, err = use(&row); err != nil {
					return nil, err
				}
			}
			if reason != "" {
				rejected[reason]++
			}
		}
	}
	e := envelope{Status: status.text(), Message: message.text()}
	if code.told() {
		t := code.text()
		e.Code = &t
	}
	if err := e.check("market_pricelist"); err != nil {
		return nil, err
	}
	if !listed {
		return nil, errors.New("no items")
	}
	return rejected, nil
}

// reading is all that comes of a body.
type reading struct {
	Listings []pricing.Listing
	Lots     []Lot
	Lowest   []pricing.Listing // of PullLots
	Rejected [3]map[string]int
	Refused  string // by the market, in its words
	Failed   bool
}

// readAll reads a body three times with a way to read: as groups, as lots and as
// the lowest lots.
func readAll(names *scan.Names, read func(func(*listRow) (string, error)) (map[string]int, error)) reading {
	var got reading
	uses := [3]func(*listRow) (string, error){}
	groups := shelf{names, names.Catalog()}
	uses[0] = groups.row
	uses[1] = lots(copied, func(l Lot) error { got.Lots = append(got.Lots, l); return nil })
	lowest := lowestLots{names: names}
	uses[2] = lowest.row
	for i, use := range uses {
		var err error
		if got.Rejected[i], err = read(use); err != nil {
			got = reading{Failed: true}
			if refused := (*APIError)(nil); errors.As(err, &refused) {
				got.Refused = refused.Error()
			}
			return got
		}
	}
	got.Listings = groups.catalog.Listings
	got.Lowest = lowest.shelve(map[string]int{}).catalog.Listings
	return got
}

// agree compares the scanner with the reference. names may know any names.
func agree(t *testing.T, names *scan.Names, in []byte) {
	t.Helper()
	want := readAll(scan.NewNames(pricing.CS2), func(use func(*listRow) (string, error)) (map[string]int, error) {
		return reference(in, use)
	})
	for kind, wrap := range map[string]func(io.Reader) io.Reader{
		"whole":  func(r io.Reader) io.Reader { return r },
		"halves": iotest.HalfReader,
		"bytes":  iotest.OneByteReader,
	} {
		got := readAll(names, func(use func(*listRow) (string, error)) (map[string]int, error) {
			r := newListReader("market_pricelist", &body{r: wrap(bytes.NewReader(in)), limit: math.MaxInt64}, use)
			err := r.read()
			return r.rejected, err
		})
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("%s, %q (-reference +scanner):\n%s", kind, in, diff)
		}
	}
}

// oddRows are what a list may have besides ordinary rows.
var oddRows = []string{
	`{"id":"1","name":"A","price":1,"classid":"2","count":3}`, `{"id":1,"name":"A","price":"1.50","count":"3"}`, `{ "name" : "A" , "price" : 1 }`,
	`{"count":1,"price":2,"name":"A","id":7}`, `{"name":"A","name":"B","price":1,"price":2}`, `{"name":"\u2605 Karambit","price":1}`, `{"n\u0061me":"A","price":1}`,
	`{"name":"A","price":1e1,"count":1e1}`, `{"name":"A","price":1.23456789,"count":-0}`, `{"name":"A","price":99999999,"count":99999999999999999999}`,
	`{"name":null,"price":null,"count":null}`, `{"name":true,"price":false,"count":true,"id":false}`, `{"name":[],"price":{},"count":[1]}`, `{"name":7,"price":"","count":""}`,
	`{"id":"1","name":"A","price":1,"extra":[],"stickers":[]}`, `{"id":"1","name":"A","price":1,"extra":{"type":"Rifle","x":[]},"stickers":[{"name":"S"},{"name":null},7]}`,
	`{"id":"1","name":"A","price":1,"extra":"x","stickers":null}`, `{"a":{"b":[{"c":"\n"}]},"name":"A","price":1}`, `{"name":"` + strings.Repeat("x", maxField+1) + `","price":1}`,
	"{\"name\":\"\xff\",\"price\":1}", `{"name":"\ud800","price":1}`, `{"name":"A\u0000","price":1}`, `{"name":"★ Karambit | Doppler Emerald (Factory New)","price":1}`,
	`{"name":"★ Karambit | Doppler Ruby (Factory New)","price":1,"count":0}`, `{}`, `[]`, `null`, `7`, `"A"`, `true`, `{"name":"A","price":01}`, `{"name":"A","price":1,}`, `{"name":"A" "price":1}`,
}

func oddBodies() []string {
	all := []string{rows(strings.Join(oddRows[:len(oddRows)-3], ","))}
	for _, row := range oddRows {
		all = append(all, rows(row), rows(row+","+oddRows[0]), `{"items":{"0":`+row+`,"5":`+row+`},"status":"success"}`)
	}
	return append(all, ``, `{}`, `[]`, `{"status":"success"}`, `{"status":"success","items":null}`, `{"status":"success","items":{}}`, `{"status":"success","items":""}`,
		`{"items":[],"items":[],"status":"success"}`, `{"status":"success","status":"error","items":[]}`, `{"st\u0061tus":"success","it\u0065ms":[]}`,
		`{"status":"success","items":{"a":1}}`, `{"status":"success","items":{"":1}}`, `{"error_code":"-7","error_message":"request_limit_reached","items":[{"name":"A","price":1}],"status":"error"}`,
		`{"status":["success"],"items":[]}`, `{"status":"success","items":[]}{}`, " \n"+`{ "status" : "success" , "items" : [ { } , { } ] }`+"\n ")
}

func TestScannerAgreesWithTheReference(t *testing.T) {
	names := scan.NewNames(pricing.CS2)
	for _, in := range oddBodies() {
		agree(t, names, []byte(in))
	}
	for _, name := range samples(t, "*.json") {
		agree(t, names, []byte(sample(t, name)))
	}
	for _, full := range []bool{false, true} {
		agree(t, names, wholeList(t, 300, full))
	}
}

// TestMutationsAgree spoils bodies in ways that programs and wires do.
func TestMutationsAgree(t *testing.T) {
	seeds := []string{sample(t, "market_pricelist_grouped.json"), sample(t, "market_pricelist_full_extended.json"), oddBodies()[0]}
	seeds = append(seeds, string(wholeList(t, 60, false)), string(wholeList(t, 40, true)))
	rng := rand.New(rand.NewPCG(1, 2))
	names := scan.NewNames(pricing.CS2)
	for range 100 {
		for _, in := range seeds {
			b := []byte(in)[:min(len(in), 8<<10)]
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
		`"`, `\`, `\n`, `\u0041`, `\ud800`, "\x00", "\xff", " ", "\n", ",", ":", "{", "}", "[", "]", "0", "-", ".", "e", "null", "true", "[[[", `""`, "{}", `"name":`, `,"price":1`, `,"items":[]`,
	}, oddRows...)
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
	seed(f)
	for _, in := range oddBodies() {
		f.Add([]byte(in))
	}
	f.Add(wholeList(f, 40, false))
	f.Add(wholeList(f, 20, true))
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) > 1<<16 {
			t.Skip("longer than it has to be")
		}
		agree(t, scan.NewNames(pricing.CS2), in)
	})
}

// longList is a full list of n lots, which is made while it is read.
type longList struct {
	n, i int
	left []byte
}

func (l *longList) Read(p []byte) (int, error) {
	for len(l.left) == 0 {
		switch {
		case l.i == 0:
			l.left = append(l.left, `{"status":"success","last_update":"1760000000","items":[`...)
		case l.i > l.n:
			return 0, io.EOF
		}
		if l.i < l.n {
			l.left = fmt.Appendf(l.left, `{"id":"%d","name":"AK-47 | Redline %d (Field-Tested)","price":%d.%02d,"classid":"3107%d"}`, 7_001_001+l.i, l.i/7%1000, l.i%900+1, l.i%100, l.i%1000)
			if l.i++; l.i < l.n {
				l.left = append(l.left, ',')
			}
			continue
		}
		l.left = append(l.left, "]}"...)
		l.i++
	}
	n := copy(p, l.left)
	l.left = append(l.left[:0], l.left[n:]...)
	return n, nil
}

// TestMemoryDoesNotGrowWithTheList reads lists of one length and of ten times
// that. All that either allocates must be the same: then no more can be held.
func TestMemoryDoesNotGrowWithTheList(t *testing.T) {
	names := scan.NewNames(pricing.CS2)
	allocated := func(rows int, use func(*listRow) (string, error)) (objects float64) {
		var list []byte
		list, err := io.ReadAll(&longList{n: rows})
		if err != nil {
			t.Fatal(err)
		}
		return testing.AllocsPerRun(3, func() {
			r := newListReader("market_pricelist", &body{r: bytes.NewReader(list), limit: math.MaxInt64}, use)
			if err := r.read(); err != nil || len(r.rejected) != 0 {
				t.Fatal(err, r.rejected)
			}
		})
	}
	known := func(b []byte) (string, error) {
		name, err := names.Find(b, "")
		return name.Spelling, err
	}
	lowest := lowestLots{names: names}
	for name, tc := range map[string]struct {
		use    func(*listRow) (string, error)
		perRow float64 // allocations
	}{
		"lowest lots": {lowest.row, 0},
		"lots":        {lots(known, func(Lot) error { return nil }), 0.01}, // blocks of texts
	} {
		few, many := allocated(10_000, tc.use), allocated(100_000, tc.use)
		if most := few + 90_000*tc.perRow; many > most {
			t.Errorf("%s: got %g allocations for 10,000 rows and %g for 100,000, want at most %g", name, few, many, most)
		}
	}
	if len(lowest.found) != 1000 {
		t.Errorf("got %d names, want 1000", len(lowest.found))
	}
	if got, want := len(lowest.ids), 1000*len("7001001"); got != want {
		t.Errorf("got %d bytes of ids, want %d: one for each name", got, want)
	}
}

// TestKnownRowsCostNothing: the second pull allocates for the catalog as a whole
// and nothing for any row.
func TestKnownRowsCostNothing(t *testing.T) {
	names := scan.NewNames(pricing.CS2)
	allocations := func(rows int) float64 {
		var b strings.Builder
		for i := range rows {
			fmt.Fprintf(&b, `,{"name":"AK-47 | Redline %d (Field-Tested)","price":%d.5,"classid":"3107%d","count":%d}`, i, i%900+1, i, i%20)
		}
		list := `{"status":"success","items":[` + b.String()[1:] + `]}`
		pull := func() {
			shelf := shelf{names, names.Catalog()}
			r := newListReader("market_pricelist", &body{r: strings.NewReader(list), limit: math.MaxInt64}, shelf.row)
			if err := r.read(); err != nil {
				t.Fatal(err)
			}
			shelf.catalog.Done()
		}
		pull()
		return testing.AllocsPerRun(3, pull)
	}
	if few, many := allocations(2_000), allocations(20_000); many != few {
		t.Errorf("got %g allocations for 2,000 rows and %g for 20,000, want the same", few, many)
	}
}
