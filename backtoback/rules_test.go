package backtoback

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"skinarb/execution"
	"skinarb/pricing"
	"skinarb/selling"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func drawRules(t *rapid.T) Rules {
	return Rules{
		Buy:       pricing.Fees{BuyBps: rapid.IntRange(0, 3000).Draw(t, "buy fee")},
		Sell:      pricing.Fees{SellBps: rapid.IntRange(0, 5000).Draw(t, "sell fee")},
		MinProfit: pricing.Money(rapid.IntRange(0, 500).Draw(t, "least profit, cents")) * pricing.Cent, MaxListings: 10,
	}
}

// TestCeilingProtectsTheProfit: what is bought for the ceiling leaves the least
// profit, and a cent more would not.
func TestCeilingProtectsTheProfit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRules(t)
		price := pricing.Money(rapid.Int64Range(1, int64(pricing.MaxMoney)).Draw(t, "price"))
		ask, proceeds := r.ceiling(price)
		if proceeds != selling.Proceeds(r.Sell, price) {
			t.Fatalf("proceeds %s, want %s", proceeds, selling.Proceeds(r.Sell, price))
		}
		if ask > 0 && proceeds-r.Buy.Cost(ask) < r.MinProfit {
			t.Fatalf("a ceiling of %s leaves %s", ask, proceeds-r.Buy.Cost(ask))
		}
		if more := ask + pricing.Cent; proceeds-r.Buy.Cost(more) >= r.MinProfit {
			t.Fatalf("a ceiling of %s, though %s leaves %s", ask, more, proceeds-r.Buy.Cost(more))
		}
	})
}

// TestWhatIsListedIsProfitable, whatever the markets ask; and what was listed can
// be bought for what SkinsBack asked then.
func TestWhatIsListedIsProfitable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRules(t)
		terms := map[pricing.Item]Terms{}
		var wanted []pricing.Item
		for n := range rapid.IntRange(0, 15).Draw(t, "items") {
			it := item(n)
			wanted = append(wanted, it)
			terms[it] = Terms{
				Ask:    pricing.Money(rapid.Int64Range(1, 1e10).Draw(t, "ask")),
				Lowest: pricing.Money(rapid.Int64Range(0, 1e10).Draw(t, "lowest")),
			}
		}
		p := r.plan(view{now: noon, wanted: wanted, terms: func(it pricing.Item) (Terms, bool) { t, ok := terms[it]; return t, ok }, admits: admitsAll})
		if len(p.list) > r.MaxListings {
			t.Fatalf("%d offers, want at most %d", len(p.list), r.MaxListings)
		}
		for _, o := range p.list {
			asked := terms[o.item]
			if profit := selling.Proceeds(r.Sell, o.price) - r.Buy.Cost(asked.Ask); profit < r.MinProfit || o.price < o.floor {
				t.Fatalf("%+v at %+v brings %s, want %s", o, asked, profit, r.MinProfit)
			}
			if ceiling, _ := r.ceiling(o.price); ceiling < asked.Ask.FloorCent() {
				t.Fatalf("listed for %s at an ask of %s, and to be bought for at most %s", o.price, asked.Ask, ceiling)
			}
			if o.price >= asked.Lowest {
				t.Fatalf("listed for %s beside %s", o.price, asked.Lowest)
			}
		}
	})
}

func admitsAll(execution.Request) error { return nil }

func item(n int) pricing.Item {
	return pricing.Item{Game: pricing.CS2, Name: fmt.Sprintf("P250 | Sand Dune %d (Field-Tested)", n)}
}

func dollars(d float64) pricing.Money { return pricing.Money(d * float64(pricing.Dollar)).FloorCent() }

// listing is one of item 0.
func listing(state selling.State, price float64) selling.Listing {
	return selling.Listing{
		ID: "sl-1", State: state, CreatedAt: noon.Add(-time.Hour),
		Offer: selling.Offer{Holder: holder(item(0), "1"), Market: pricing.SIH, Item: item(0), Goods: "1", Price: dollars(price)},
	}
}

func TestPlan(t *testing.T) {
	// Ten per cent for selling and a dollar of profit: an ask of 8 needs 10.
	r := Rules{Sell: pricing.Fees{SellBps: 1000}, MinProfit: pricing.Dollar, MaxListings: 3, RepriceEvery: time.Minute}
	young := listing(selling.Listed, 10)
	young.CreatedAt = noon.Add(-10 * time.Second)
	for name, tc := range map[string]struct {
		open, recent []selling.Listing
		wanted       []int
		ask, lowest  float64 // of all items; an ask of 0 means no terms
		list         []string
		withdraw     string
		forbidden    bool // by a limit
	}{
		"over a limit":                   {wanted: []int{0}, ask: 8, lowest: 12, forbidden: true},
		"listed, and over a limit":       {ask: 8, lowest: 11, open: []selling.Listing{young}, forbidden: true, withdraw: "max_day"},
		"worth it":                       {wanted: []int{0}, ask: 8, lowest: 12, list: []string{"0 for 11.99"}},
		"at the floor":                   {wanted: []int{0}, ask: 8, lowest: 10.01, list: []string{"0 for 10.00"}},
		"not the cheapest":               {wanted: []int{0}, ask: 8, lowest: 10},
		"nobody offers it":               {wanted: []int{0}, ask: 8},
		"no terms":                       {wanted: []int{0}, lowest: 12},
		"no more than allowed":           {wanted: []int{1, 2, 3, 4}, ask: 8, lowest: 12, open: []selling.Listing{listing(selling.InDoubt, 11.99)}, list: []string{"1 for 11.99", "2 for 11.99"}},
		"listed and right":               {wanted: []int{0}, ask: 8, lowest: 11, open: []selling.Listing{listing(selling.Listed, 11)}},
		"listed, others are cheaper":     {wanted: []int{0}, ask: 8, lowest: 10.5, open: []selling.Listing{listing(selling.Listed, 11)}, withdraw: "to be listed for 10.49"},
		"listed, others are far cheaper": {ask: 8, lowest: 9, open: []selling.Listing{listing(selling.Listed, 11)}, withdraw: "sih has it for 9.00, less than the floor of 10.00"},
		"listed just now":                {ask: 8, lowest: 10.5, open: []selling.Listing{func() selling.Listing { l := young; l.Price = dollars(11); return l }()}},
		"listed, and the ask rose":       {ask: 9, lowest: 10, open: []selling.Listing{young}, withdraw: "skinsback asks 9.00: the floor is 11.12"},
		"listed, and the ask fell":       {wanted: []int{0}, ask: 5, lowest: 10, open: []selling.Listing{listing(selling.Listed, 10)}},
		"listed, and no offer":           {lowest: 10, open: []selling.Listing{young}, withdraw: "skinsback has no offer of it that may be traded on"},
		"in doubt":                       {wanted: []int{0}, open: []selling.Listing{listing(selling.InDoubt, 10)}},
		"gone":                           {wanted: []int{0}, ask: 8, lowest: 12, open: []selling.Listing{listing(selling.Gone, 10)}, list: []string{"0 for 11.99"}},
		"our own lingers":                {wanted: []int{0}, ask: 8, lowest: 10.5, recent: []selling.Listing{listing(selling.Withdrawn, 10.5)}, list: []string{"0 for 10.50"}},
		"our own lingers, and is cheap":  {ask: 9, lowest: 10, recent: []selling.Listing{listing(selling.Withdrawn, 10)}, open: []selling.Listing{listing(selling.Listed, 11.12)}},
	} {
		var wanted []pricing.Item
		for _, n := range tc.wanted {
			wanted = append(wanted, item(n))
		}
		admits := admitsAll
		if tc.forbidden {
			admits = func(execution.Request) error { return errors.New("max_day") }
		}
		p := r.plan(view{noon, tc.open, tc.recent, wanted, func(pricing.Item) (Terms, bool) {
			return Terms{Ask: dollars(tc.ask), Lowest: dollars(tc.lowest)}, tc.ask > 0
		}, admits})
		var list []string
		for _, o := range p.list {
			n, _, _ := strings.Cut(strings.TrimPrefix(o.item.Name, "P250 | Sand Dune "), " ")
			list = append(list, n+" for "+o.price.String())
		}
		withdraw := ""
		for _, w := range p.withdraw {
			withdraw += w.why
		}
		if d := cmp.Diff(tc.list, list); d != "" || withdraw != tc.withdraw {
			t.Errorf("%s: offers (-want +got):\n%swithdrawn %q, want %q", name, d, withdraw, tc.withdraw)
		}
	}
}

// TestWhatIsTakenCanBeBought: at its floor an item can be paid for, whatever fraction
// of a cent is asked.
func TestWhatIsTakenCanBeBought(t *testing.T) {
	bad := 0
	for bps := 0; bps <= 500; bps += 50 {
		r := Rules{Buy: pricing.Fees{BuyBps: bps}, Sell: pricing.Fees{SellBps: 1000}, MinProfit: pricing.Dollar}
		for ask := pricing.Money(1_001_000); ask < 3_000_000; ask += 1_000 {
			floor, err := r.floor(ask)
			if err != nil {
				t.Fatal(err)
			}
			if most, _ := r.ceiling(floor); most < ask {
				if bad++; bad < 4 {
					t.Errorf("fee of %d bps: skinsback asks %s, the floor is %s, and of that we pay at most %s", bps, ask, floor, most)
				}
			}
		}
	}
}
