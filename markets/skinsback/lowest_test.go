package skinsback

import (
	"cmp"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"skinarb/internal/scan"
	"skinarb/pricing"
)

// lowestOf is what PullLots makes of lots, as one would write it first.
func lowestOf(g pricing.Game, lots []Lot) []pricing.Listing {
	spelled := map[string][]Lot{}
	for _, lot := range lots {
		spelled[lot.Name] = append(spelled[lot.Name], lot)
	}
	items := map[pricing.Item]pricing.Listing{}
	for name, of := range spelled {
		it, err := pricing.ParseItem(g, name, "")
		if err != nil {
			continue
		}
		best := slices.MinFunc(of, func(a, b Lot) int { return cmp.Or(cmp.Compare(a.Ask, b.Ask), cmp.Compare(a.ID, b.ID)) })
		was, taken := items[it]
		if !taken || cmp.Or(cmp.Compare(best.Ask, was.Ask), cmp.Compare(best.ID, was.Lot), cmp.Compare(name, was.MarketName)) < 0 {
			items[it] = pricing.Listing{Item: it, MarketName: name, Ask: best.Ask, Count: len(of), Lot: best.ID}
		}
	}
	var all []pricing.Listing
	for _, l := range items {
		all = append(all, l)
	}
	return byItem(all)
}

// byItem gives the listings in a fixed order.
func byItem(ls []pricing.Listing) []pricing.Listing {
	ls = slices.Clone(ls)
	slices.SortFunc(ls, func(a, b pricing.Listing) int {
		return cmp.Or(cmp.Compare(a.Item.Name, b.Item.Name), cmp.Compare(a.Item.Phase, b.Item.Phase))
	})
	return ls
}

// pulledLots reads a body as PullLots does.
func pulledLots(in io.Reader) ([]pricing.Listing, error) {
	lots := lowestLots{names: scan.NewNames(pricing.CS2)}
	r := newListReader("market_pricelist", &body{r: in, limit: math.MaxInt64}, lots.row)
	err := r.read()
	return byItem(lots.shelve(r.rejected).catalog.Listings), err
}

// TestTheOrderOfLotsDecidesNothing, and neither do ids of different lengths: of
// each name it is the lowest ask, and of equal asks the smallest id.
func TestTheOrderOfLotsDecidesNothing(t *testing.T) {
	const knife = "★ Karambit | Doppler"
	rapid.Check(t, func(t *rapid.T) {
		type row struct {
			ID    string `json:"id"`
			Name  string `json:"name"`
			Price int    `json:"price"`
		}
		generator := rapid.Custom(func(t *rapid.T) row {
			return row{
				ID:    rapid.StringMatching(`[1-9][0-9]{0,11}`).Draw(t, "id"),
				Name:  rapid.SampledFrom([]string{"A", " A", "A ", "B", knife + " (Factory New)", knife + " Ruby (Factory New)", knife + " Emerald (Factory New)"}).Draw(t, "name"),
				Price: rapid.IntRange(1, 3).Draw(t, "price"),
			}
		})
		given := rapid.SliceOfN(generator, 0, 40).Draw(t, "rows")
		want := make([]Lot, len(given))
		for i, r := range given {
			want[i] = Lot{ID: r.ID, Name: r.Name, Ask: pricing.Money(r.Price) * pricing.Dollar}
		}
		for _, order := range [][]row{given, rapid.Permutation(given).Draw(t, "order")} {
			items, err := json.Marshal(order)
			if err != nil {
				t.Fatal(err)
			}
			got, err := pulledLots(strings.NewReader(`{"status":"success","items":` + string(items) + `}`))
			if err != nil {
				t.Fatalf("read %s: %v", items, err)
			}
			if diff := gocmp.Diff(lowestOf(pricing.CS2, want), got, cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("%s (-want +got):\n%s", items, diff)
			}
		}
	})
}

// TestPullReadsTheListThatIsSet asks a market that has both.
func TestPullReadsTheListThatIsSet(t *testing.T) {
	grouped, full := sample(t, "market_pricelist_grouped.json"), sample(t, "market_pricelist_full.json")
	market := func(w http.ResponseWriter, r *http.Request) {
		var asked struct{ Method, Game, Full string }
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || asked.Method != "market_pricelist" || asked.Game != "cs2" {
			t.Errorf("asked for %+v (%v), want the price list of cs2", asked, err)
		}
		answer := grouped
		if asked.Full == "1" {
			answer = full
		}
		io.WriteString(w, answer)
	}
	redline := pricing.Item{Game: pricing.CS2, Name: "AK-47 | Redline (Field-Tested)"}
	for _, tc := range []struct {
		full bool
		want pricing.Listing
	}{
		{false, pricing.Listing{Item: redline, MarketName: redline.Name, Ask: 12_450_000, Count: 37}},
		{true, pricing.Listing{Item: redline, MarketName: redline.Name, Ask: 12_450_000, Count: 2, Lot: "7001001"}},
	} {
		got, err := serve(t, market, func(c *Config) { c.FullList = tc.full }).Pull(t.Context(), pricing.CS2)
		if err != nil {
			t.Fatal(err)
		}
		at := slices.IndexFunc(got.Listings, func(l pricing.Listing) bool { return l.Item == redline })
		if at < 0 || got.Listings[at] != tc.want {
			t.Errorf("full list %v: got %v, want it to have %+v", tc.full, got.Listings, tc.want)
		}
	}
}
