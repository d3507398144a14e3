package sih

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"skinarb/execution"
	"skinarb/internal/marketsim"
	"skinarb/selling"
)

// TestSales reads what the deposit wallet says of a sale, whose form is not
// documented, in every form in which it can name one of ours.
func TestSales(t *testing.T) {
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	missing := []selling.Listing{{ID: "sl-1", MarketRef: "50231"}, {ID: "sl-2", MarketRef: "50232"}, {ID: "sl-3"}}
	paid := func(id selling.ListingID) selling.Word {
		return selling.Word{ID: id, Event: selling.OnSold, Shown: true, Proceeds: money("9"), CreditRef: "m"}
	}
	unnamed := []selling.Credit{{Ref: "m", Amount: money("9"), At: at}}
	for _, tt := range []struct {
		data    string
		amount  string
		sold    selling.ListingID
		credits []selling.Credit
	}{
		{`{"itemId":"50231"}`, "9", "sl-1", nil},
		{`{"itemId":50232}`, "9", "sl-2", nil},
		{`{"customId":"sl-3"}`, "9", "sl-3", nil},
		{`{"item":{"deposit":[{"id":"50231"}]}}`, "9", "sl-1", nil},
		{`"50231"`, "9", "sl-1", nil},
		{`{"itemId":"99"}`, "9", "", unnamed},
		{`{"itemId":"502310"}`, "9", "", unnamed},
		{`{}`, "9", "", unnamed},
		{`null`, "9", "", unnamed},
		{``, "9", "", unnamed},
		{`{"itemId":`, "9", "", unnamed},
		{`{"itemId":"50231"}`, "0", "", nil},  // nothing came
		{`{"customId":"sl-4"}`, "9", "", nil}, // another of ours, which was not asked about
		{`{"customId":"sl-4","itemId":"50231"}`, "9", "", nil},
		{`{"customId":"sl-3","itemId":"50231"}`, "9", "sl-3", nil},
		{`["50232","50231"]`, "9", "sl-1", nil},
	} {
		words, credits := sales(missing, []Movement{{ID: "m", Amount: money(tt.amount), Type: WalletDeposit, Data: tt.data, Created: at}})
		want := []selling.Word{{ID: "sl-1"}, {ID: "sl-2"}, {ID: "sl-3"}}
		for i, w := range want {
			if w.ID == tt.sold {
				want[i] = paid(tt.sold)
			}
		}
		if diff := cmp.Diff(want, words); diff != "" {
			t.Errorf("data %s: words (-want +got):\n%s", tt.data, diff)
		}
		if diff := cmp.Diff(tt.credits, credits); diff != "" {
			t.Errorf("data %s: credits (-want +got):\n%s", tt.data, diff)
		}
	}
}

// TestSalesAmongMany: what is found by index is what a look at each listing finds.
func TestSalesAmongMany(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		numbers := rapid.SliceOfNDistinct(rapid.IntRange(1, 60), 0, 40, rapid.ID[int]).Draw(t, "missing")
		var missing []selling.Listing
		for _, n := range numbers {
			missing = append(missing, selling.Listing{ID: selling.ListingID(fmt.Sprint("sl-", n)), MarketRef: strconv.Itoa(500 + n)})
		}
		var moves []Movement
		for i, n := range rapid.SliceOfNDistinct(rapid.IntRange(1, 80), 0, 20, rapid.ID[int]).Draw(t, "moves") {
			form := rapid.SampledFrom([]string{`{"itemId":ITEM}`, `{"customId":"OURS"}`, `{"itemId":"ITEM","customId":"OURS"}`, `{}`}).Draw(t, "form")
			data := strings.NewReplacer("ITEM", strconv.Itoa(500+n), "OURS", fmt.Sprint("sl-", n)).Replace(form)
			moves = append(moves, Movement{ID: strconv.Itoa(i), Amount: money("9"), Data: data})
		}
		words, credits := sales(missing, moves)
		if len(words) != len(missing) {
			t.Fatalf("%d words on %d listings", len(words), len(missing))
		}
		for i, l := range missing {
			want := selling.Word{ID: l.ID}
			for _, m := range moves {
				if strings.Contains(m.Data, `"`+string(l.ID)+`"`) || strings.Contains(m.Data, l.MarketRef) {
					want.Event, want.Shown, want.Proceeds, want.CreditRef = selling.OnSold, true, m.Amount, m.ID
				}
			}
			if words[i] != want {
				t.Fatalf("got %+v, want %+v", words[i], want)
			}
		}
		for _, c := range credits {
			i, _ := strconv.Atoi(c.Ref)
			if strings.Contains(moves[i].Data, "sl-") {
				t.Fatalf("a movement with data %s is told as naming none", moves[i].Data)
			}
		}
	})
}

// offSale is a market with nothing on sale and a deposit wallet of 3000 movements, one
// an hour, whose pages are counted.
func offSale(t *testing.T, now *time.Time, answer func(w http.ResponseWriter) bool) (c *Client, pages *int) {
	pages = new(int)
	newest := *now
	c = served(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/project/deposits") {
			io.WriteString(w, `{"success":true,"data":[]}`)
			return
		}
		*pages++
		if !answer(w) {
			return
		}
		offset, _ := strconv.Atoi(r.URL.Query().Get("offset"))
		var rows []string
		for n := offset; n < min(offset+100, 3000); n++ {
			rows = append(rows, fmt.Sprintf(`{"id":"m%d","amount":9,"typeId":4,"data":{},"created":%d}`, n, newest.Add(-time.Duration(n)*time.Hour).UnixMilli()))
		}
		io.WriteString(w, `{"success":true,"data":[`+strings.Join(rows, ",")+`],"pagination":{"count":3000}}`)
	})
	c.cfg.Now = func() time.Time { return *now }
	return c, pages
}

// TestWalletHasItsOwnPace: a look at what is off sale reads no more of the wallet
// than it needs, and not at each look.
func TestWalletHasItsOwnPace(t *testing.T) {
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	c, pages := offSale(t, &now, func(http.ResponseWriter) bool { return true })
	shop := c.Consignments()
	young, old := selling.Listing{ID: "sl-1", CreatedAt: now.Add(-time.Hour)}, selling.Listing{ID: "sl-2", CreatedAt: now.Add(-200 * time.Hour)}
	ancient := selling.Listing{ID: "sl-3", CreatedAt: now.Add(-2000 * time.Hour)}
	for _, step := range []struct {
		what    string
		pass    time.Duration
		asked   []selling.Listing
		pages   int
		credits int
	}{
		{"of an hour", 0, []selling.Listing{young}, 1, 3},
		{"a moment later", 15 * time.Second, []selling.Listing{young}, 0, 3},
		{"an older one", 15 * time.Second, []selling.Listing{young, old}, 3, 202},
		{"then without it", 15 * time.Second, []selling.Listing{young}, 0, 202},
		{"after the pause", walletEvery, []selling.Listing{young}, 1, 3},
		{"beyond the window", walletEvery, []selling.Listing{ancient}, 8, 720},
	} {
		now, *pages = now.Add(step.pass), 0
		words, credits, err := shop.Look(t.Context(), step.asked)
		if err != nil || len(words) != len(step.asked) || *pages != step.pages || len(credits) != step.credits {
			t.Errorf("%s: got %d words and %d credits of %d pages, error %v, want %d of %d pages", step.what, len(words), len(credits), *pages, err, step.credits, step.pages)
		}
	}
}

// TestUnreadableWallet: nothing is said of what is off sale, and the wallet is left
// alone for a while all the same.
func TestUnreadableWallet(t *testing.T) {
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	broken := true
	c, pages := offSale(t, &now, func(w http.ResponseWriter) bool {
		if broken {
			w.WriteHeader(http.StatusBadRequest)
		}
		return !broken
	})
	shop := c.Shop()
	l := selling.Listing{ID: "sl-1", CreatedAt: now}
	for range 2 {
		if words, credits, err := shop.Look(t.Context(), []selling.Listing{l}); err == nil || len(words) != 0 || len(credits) != 0 {
			t.Errorf("got %+v, %+v, error %v, want nothing but an error", words, credits, err)
		}
		l.CreatedAt = l.CreatedAt.Add(-100 * time.Hour)
	}
	if *pages != 1 {
		t.Errorf("the wallet was asked for %d times, want once", *pages)
	}
	broken, now = false, now.Add(walletEvery)
	if words, _, err := shop.Look(t.Context(), []selling.Listing{l}); err != nil || len(words) != 1 {
		t.Errorf("after the pause: got %+v, error %v, want a word", words, err)
	}
}

// TestDepositWithoutOurID is found by SIH's.
func TestDepositWithoutOurID(t *testing.T) {
	c := answering(t, 200, `{"success":true,"data":[{"id":"77","customId":null,"price":12},{"id":"78","customId":null,"price":12}]}`)
	words, _, err := c.Shop().Look(t.Context(), []selling.Listing{{ID: "sl-1", MarketRef: "77"}})
	want := []selling.Word{
		{ID: "sl-1", Event: selling.OnListed, Shown: true, MarketRef: "77", Price: money("12")},
		{Event: selling.OnListed, Shown: true, MarketRef: "78", Price: money("12")}, // nobody's
	}
	if diff := cmp.Diff(want, words); err != nil || diff != "" {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
}

// TestShopSimulated lists, looks and withdraws as a Keeper does.
func TestShopSimulated(t *testing.T) {
	s := openShop(t, marketsim.Config{})
	market := s.Shop()
	item, err := s.world.Give(testSteam, redline)
	if err != nil {
		t.Fatal(err)
	}
	l := selling.NewListing(selling.Offer{Holder: "sa-1", Market: market.Market(), Item: cs2(redline), Goods: item, Price: money("50")}, 1, s.cfg.Now())
	listed, err := market.List(t.Context(), l)
	if err != nil || listed.Event != selling.OnListed || listed.MarketRef == "" || listed.Price != l.Price {
		t.Fatalf("list: got %+v, error %v, want it listed", listed, err)
	}

	again := selling.NewListing(l.Offer, 2, s.cfg.Now())
	word, err := market.List(t.Context(), again)
	var refused *execution.RejectedError
	var later *execution.RetryLaterError
	if err == nil || errors.As(err, &refused) || errors.As(err, &later) {
		t.Errorf("the same asset again: got %+v, error %v, want that nobody knows", word, err)
	}

	look := func() []selling.Word {
		t.Helper()
		words, credits, err := market.Look(t.Context(), []selling.Listing{l, again})
		if err != nil || len(credits) != 0 {
			t.Fatalf("look: got credits %v, error %v, want none", credits, err)
		}
		slices.SortFunc(words, func(a, b selling.Word) int {
			return slices.Index([]selling.ListingID{l.ID, again.ID}, a.ID) - slices.Index([]selling.ListingID{l.ID, again.ID}, b.ID)
		})
		return words
	}
	if diff := cmp.Diff([]selling.Word{listed, {ID: again.ID}}, look()); diff != "" {
		t.Errorf("on sale (-want +got):\n%s", diff)
	}
	if err := market.Withdraw(t.Context(), l); err != nil {
		t.Errorf("withdraw: %v", err)
	}
	if diff := cmp.Diff([]selling.Word{{ID: l.ID}, {ID: again.ID}}, look()); diff != "" {
		t.Errorf("withdrawn (-want +got):\n%s", diff)
	}
	if err := market.Withdraw(t.Context(), l); err == nil {
		t.Error("withdrawn twice: got no error, want that nothing was taken off")
	}
}

// TestAttachOnce: an account that sells already is not attached again.
func TestAttachOnce(t *testing.T) {
	s := openShop(t, marketsim.Config{})
	before := fmt.Sprint(s.world.Requests(marketsim.SIH)["project/user"])
	if err := s.Shop().Attach(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(s.world.Requests(marketsim.SIH)["project/user"]); got != before {
		t.Errorf("got %s requests to attach, want %s", got, before)
	}
}
