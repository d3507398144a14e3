package sih

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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
		{`{"itemId":"50231"}`, "0", "", nil}, // nothing came
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
