package skinsback

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"skinarb/pricing"
)

// readGroups reads a grouped list off a reader, without a server.
func readGroups(r io.Reader) ([]Group, map[string]int, error) {
	var all []Group
	l := newListReader("market_pricelist", &body{r: r, limit: math.MaxInt64}, func(row *listRow) (string, error) {
		g, reason := row.group()
		if reason == "" {
			all = append(all, g)
		}
		return reason, nil
	})
	err := l.read()
	return all, l.rejected, err
}

func copied(name []byte) (string, error) { return string(name), nil }

// readLots does the same for lots.
func readLots(r io.Reader) ([]Lot, map[string]int, error) {
	var all []Lot
	l := newListReader("market_pricelist", &body{r: r, limit: math.MaxInt64}, lots(copied, func(lot Lot) error {
		all = append(all, lot)
		return nil
	}))
	err := l.read()
	return all, l.rejected, err
}

func rows(s string) string { return `{"status":"success","last_update":1,"items":[` + s + `]}` }

func TestPricelistSamples(t *testing.T) {
	want := []Group{
		{"AK-47 | Redline (Field-Tested)", 12_450_000, 37, "310776959"},
		{"AWP | Asiimov (Battle-Scarred)", 71_300_000, 5, "310777928"},
		{"★ Butterfly Knife | Gamma Doppler (Factory New)", 5_120_500_000, 1, "3106076656"},
		{"★ Butterfly Knife | Gamma Doppler Emerald (Factory New)", 5_120_500_000, 1, "3106076656"},
		{"★ StatTrak™ Bowie Knife | Doppler (Factory New)", 498_770_000, 2, "5189384166"},
		{"★ StatTrak™ Bowie Knife | Doppler Phase 2 (Factory New)", 498_770_000, 2, "5189384166"},
		{"Souvenir Nova | Candy Apple (Minimal Wear)", 400_000, 3, "469441983"},
		{"Kilowatt Case", 285_000, 412, "5710093913"},
		{"★ Karambit", 901_000_000, 1, "310848056"},
	}
	for _, name := range []string{"market_pricelist_grouped.json", "market_pricelist_grouped_strings.json"} {
		body := sample(t, name)
		var got []Group
		list, err := answering(t, 200, body).Pricelist(t.Context(), pricing.CS2, func(g Group) error {
			got = append(got, g)
			return nil
		})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		wantList := List{ObservedAt: testNow, LastUpdate: "1760000000", Rejected: map[string]int{"out_of_stock": 1}, Bytes: int64(len(body))}
		if diff := cmp.Diff(wantList, list); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for name, n := range map[string]int{"market_pricelist_empty.json": 0, "market_pricelist_full.json": 10, "market_pricelist_full_extended.json": 7} {
		got, rejected, err := readLots(strings.NewReader(sample(t, name)))
		if err != nil || len(got) != n || len(rejected) != 0 {
			t.Errorf("%s: got %d rows, rejected %v, %v, want %d rows", name, len(got), rejected, err, n)
		}
	}
}

func TestFullPricelistAsksForWhatItGives(t *testing.T) {
	var asked string
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		asked = string(b)
		io.WriteString(w, sample(t, "market_pricelist_full_extended.json"))
	})
	for extended, want := range map[bool]string{
		false: `{"full":"1","game":"rust","method":"market_pricelist"}`,
		true:  `{"extended":"1","full":"1","game":"rust","method":"market_pricelist"}`,
	} {
		var got []Lot
		if _, err := c.FullPricelist(t.Context(), pricing.Rust, extended, func(l Lot) error {
			got = append(got, l)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if asked != want {
			t.Errorf("asked %s, want %s", asked, want)
		}
		first := Lot{
			ID: "7001001", Name: "AK-47 | Redline (Field-Tested)", Ask: 12_450_000, ClassID: "310776959",
			Extra:    Extra{Type: "Rifle", Weapon: "AK-47", Exterior: "Field-Tested", Quality: "Normal", Rarity: "Classified"},
			Stickers: []string{"JOTA | Antwerp 2022", "Crown (Foil)"},
		}
		last := Lot{ID: "7001608", Name: "★ Karambit", Ask: 901_000_000, ClassID: "310848056"}
		if diff := cmp.Diff([]Lot{first, last}, []Lot{got[0], got[6]}); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestBadRowsAreCountedByReason(t *testing.T) {
	for in, want := range map[string]string{
		`{"name":"A","price":1,"count":1}`:                             "",
		`{"name":"A","price":"1","count":"1"}`:                         "",
		`{"count":1,"price":1e0,"name":"A","new":{"a":[1]}}`:           "",
		`{"name":"A","price":1}`:                                       "", // count unknown
		`{"name":"A","price":1,"count":null}`:                          "",
		`{"name":"A","price":1,"count":""}`:                            "",
		`{"name":"A","price":1,"count":0}`:                             "out_of_stock",
		`{"name":"A","price":1,"count":"0"}`:                           "out_of_stock",
		`{"name":"A","price":1,"count":-1}`:                            "count",
		`{"name":"A","price":1,"count":1.5}`:                           "count",
		`{"name":"A","price":1,"count":"many"}`:                        "count",
		`{"name":"A","price":1,"count":{"a":1}}`:                       "count",
		`{"name":"A","price":1,"count":99999999999}`:                   "count",
		`{"name":"A","price":1,"count":true}`:                          "count",
		`{"name":"A","price":0,"count":1}`:                             "price",
		`{"name":"A","price":-1,"count":1}`:                            "price",
		`{"name":"A","price":null,"count":1}`:                          "price",
		`{"name":"A","price":"","count":1}`:                            "price",
		`{"name":"A","price":"n/a","count":1}`:                         "price",
		`{"name":"A","price":"1,5","count":1}`:                         "price",
		`{"name":"A","price":[],"count":1}`:                            "price",
		`{"name":"A","price":1e300,"count":1}`:                         "price",
		`{"name":"A","count":1}`:                                       "price",
		`{"price":1,"count":1}`:                                        "name",
		`{"name":null,"price":1,"count":1}`:                            "name",
		`{"name":"","price":1,"count":1}`:                              "name",
		`{"name":{"en":"A"},"price":1,"count":1}`:                      "name",
		`{"name":"` + strings.Repeat("x", maxField+1) + `","price":1}`: "name",
		`null`:                     "row",
		`[]`:                       "row",
		`[{"name":"A","price":1}]`: "row",
		`"A"`:                      "row",
		`7`:                        "row",
	} {
		got, rejected, err := readGroups(strings.NewReader(rows(in + `,{"name":"next","price":2,"count":3}`)))
		wantRejected := map[string]int{}
		n := 2
		if want != "" {
			wantRejected[want] = 1
			n = 1
		}
		if err != nil || len(got) != n || !cmp.Equal(rejected, wantRejected) {
			t.Errorf("%s: got %v, rejected %v, %v, want rejected %v", in, got, rejected, err, wantRejected)
			continue
		}
		if last := got[n-1]; last != (Group{"next", 2_000_000, 3, ""}) {
			t.Errorf("%s: the row after it is %+v", in, last)
		}
	}
	_, rejected, err := readLots(strings.NewReader(rows(`{"name":"A","price":1}`)))
	if err != nil || rejected["id"] != 1 {
		t.Errorf("a lot without id: rejected %v, %v", rejected, err)
	}
}

func TestListsOfEveryShape(t *testing.T) {
	row := `{"name":"A","price":1,"count":1}`
	for in, want := range map[string]int{
		`{"status":"success","items":[` + row + `]}`:                          1,
		`{"items":[` + row + `,` + row + `],"status":"success"}`:              2,
		`{"status":"success","items":{"0":` + row + `,"7":` + row + `}}`:      2,
		`{"status":"success","items":[]}`:                                     0,
		`{"status":"success","items":{}}`:                                     0,
		`{"status":"success","items":null}`:                                   0,
		" \n{\"status\" : \"success\" , \"items\" : [ ] }\r\n ":               0,
		`{"status":"success","items":[],"more":{"items":[1]},"error_code":0}`: 0,
	} {
		got, _, err := readGroups(strings.NewReader(in))
		if err != nil || len(got) != want {
			t.Errorf("%s: got %v, %v, want %d rows", in, got, err, want)
		}
	}
	for _, in := range []string{
		``, `null`, `[]`, `{}`, `{"status":"success"}`, `{"items":[]}`,
		`{"status":"success","items":""}`, `{"status":"success","items":7}`, `{"status":"success","items":true}`,
		`{"status":"success","items":{"a":` + row + `}}`,
		`{"status":"success","items":[],"items":[]}`,
		`{"status":"success","items":[]} {}`, `{"status":"success","items":[]}x`, `{"status":"success","items":[]}]`,
		`{"status":"success","items":[` + row + `,]}`, `{"status":"success","items":[,]}`, `{"status":"success","items":[],}`,
		`{"status":"pending","items":[]}`,
		"{\"status\":\"success\",\"items\":[{\"name\":\"A\x00\",\"price\":1}]}",
		`<!DOCTYPE html><html></html>`,
	} {
		if got, _, err := readGroups(strings.NewReader(in)); err == nil {
			t.Errorf("%s: got %v, want an error", in, got)
		}
	}
}

// TestAnErrorAfterTheRowsIsAnError: the fields of an object have no order.
func TestAnErrorAfterTheRowsIsAnError(t *testing.T) {
	in := `{"items":[{"name":"A","price":1,"count":1}],"status":"error","error_code":-9,"error_message":"under_maintenance"}`
	_, err := answering(t, 200, in).Pull(t.Context(), pricing.CS2)
	var api *APIError
	if !errors.As(err, &api) || api.Code != -9 {
		t.Errorf("got %v, want error -9", err)
	}
}

// TestACutListIsAnError cuts a list at every byte: none of the pieces may look
// like a shorter catalog.
func TestACutListIsAnError(t *testing.T) {
	whole := strings.TrimSpace(sample(t, "market_pricelist_grouped.json"))
	for n := range len(whole) {
		if got, _, err := readGroups(strings.NewReader(whole[:n])); err == nil {
			t.Errorf("cut after %d bytes: got %d rows and no error", n, len(got))
		}
	}
}

// TestChunksMakeNoDifference reads the same list in pieces of every kind.
func TestChunksMakeNoDifference(t *testing.T) {
	for _, name := range samples(t, "market_pricelist_*.json") {
		whole := sample(t, name)
		want, wantRejected, err := readGroups(strings.NewReader(whole))
		if err != nil {
			t.Fatal(err)
		}
		for kind, r := range map[string]io.Reader{
			"bytes":       iotest.OneByteReader(strings.NewReader(whole)),
			"halves":      iotest.HalfReader(strings.NewReader(whole)),
			"end at once": iotest.DataErrReader(strings.NewReader(whole)),
		} {
			got, rejected, err := readGroups(r)
			if err != nil || !slices.Equal(got, want) || !cmp.Equal(rejected, wantRejected) {
				t.Errorf("%s in %s: got %d rows, %v, %v, want %d", name, kind, len(got), rejected, err, len(want))
			}
		}
	}
}

func TestARowsErrorEndsTheList(t *testing.T) {
	requests := 0
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		requests++
		io.WriteString(w, sample(t, "market_pricelist_grouped.json"))
	})
	enough := errors.New("enough")
	n := 0
	_, err := c.Pricelist(t.Context(), pricing.CS2, func(Group) error {
		if n++; n == 3 {
			return enough
		}
		return nil
	})
	if err != enough || n != 3 || requests != 1 {
		t.Errorf("got %v after %d rows and %d requests, want %v after 3 and 1", err, n, requests, enough)
	}
}

// TestRowsAreNotHandedOutTwice: a list that breaks after its first row is not
// asked for again, one that breaks before it is.
func TestRowsAreNotHandedOutTwice(t *testing.T) {
	for head, want := range map[string]int{
		`{"status":"success","items":[`:                                  3,
		`{"status":"success","items":[{"name":"A","price":1,"count":1},`: 1,
	} {
		requests, seen := 0, 0
		c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			requests++
			w.Header().Set("Content-Length", "1000")
			io.WriteString(w, head)
		})
		_, err := c.Pricelist(t.Context(), pricing.CS2, func(Group) error { seen++; return nil })
		if err == nil || requests != want || seen > 1 {
			t.Errorf("%s: got %v, %d requests and %d rows, want %d requests", head, err, requests, seen, want)
		}
	}
}

func TestSearchSamples(t *testing.T) {
	got, err := answering(t, 200, sample(t, "market_search.json")).Search(t.Context(), pricing.CS2, "Redline")
	want := []Lot{
		{ID: "7001001", Name: "AK-47 | Redline (Field-Tested)", Ask: 12_450_000, ClassID: "310776959"},
		{ID: "7001002", Name: "AK-47 | Redline (Field-Tested)", Ask: 12_600_000, ClassID: "310776959"},
		{ID: "7001709", Name: "StatTrak™ AK-47 | Redline (Field-Tested)", Ask: 31_070_000, ClassID: "310776961"},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	got, err = answering(t, 200, sample(t, "market_search_empty.json")).Search(t.Context(), pricing.CS2, "Redline")
	if err != nil || len(got) != 0 {
		t.Errorf("empty: got %v, %v", got, err)
	}
}

// TestAnyListSurvivesTheWire writes random rows in random forms of the wire.
func TestAnyListSurvivesTheWire(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 50).Draw(t, "rows")
		quoted := rapid.Bool().Draw(t, "numbers as strings")
		keyed := rapid.Bool().Draw(t, "list as object")
		var b strings.Builder
		var want []Group
		for i := range n {
			g := Group{
				Name:  fmt.Sprintf("Item %d ★", i),
				Ask:   pricing.Money(rapid.Int64Range(1, 1_000_000_000).Draw(t, "ask")),
				Count: rapid.IntRange(1, 1000).Draw(t, "count"),
			}
			want = append(want, g)
			if i > 0 {
				b.WriteByte(',')
			}
			if keyed {
				fmt.Fprintf(&b, `"%d":`, i)
			}
			if quoted {
				fmt.Fprintf(&b, `{"price":"%s","count":"%d","name":%q}`, g.Ask, g.Count, g.Name)
			} else {
				fmt.Fprintf(&b, `{"name":%q,"price":%s,"count":%d}`, g.Name, g.Ask, g.Count)
			}
		}
		items := "[" + b.String() + "]"
		if keyed {
			items = "{" + b.String() + "}"
		}
		got, rejected, err := readGroups(strings.NewReader(`{"status":"success","items":` + items + `}`))
		if err != nil || !slices.Equal(got, want) || len(rejected) != 0 {
			t.Fatalf("got %v, rejected %v, %v, want %v", got, rejected, err, want)
		}
	})
}
