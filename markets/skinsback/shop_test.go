package skinsback

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"skinarb/pricing"
	"skinarb/selling"
)

// TestDepositWords: only where our balance has the money is something sold, and
// an unknown state decides nothing.
func TestDepositWords(t *testing.T) {
	for status, want := range map[DepositStatus]struct {
		event    selling.Event
		proceeds pricing.Money
	}{
		DepositPending:      {selling.OnListed, 0},
		DepositInHold:       {selling.OnListed, 0},
		DepositSuccess:      {selling.OnSold, 5},
		DepositHoldApproved: {selling.OnSold, 5},
		DepositFail:         {selling.OnReturned, 0},
		DepositHoldReturned: {selling.OnReturned, 0},
		"on_the_moon":       {"", 0},
		"":                  {"", 0},
	} {
		got := Deposit{TransactionID: "7", OrderID: "sl-1", Status: status, USD: 5}.word()
		ref := ""
		if want.event == selling.OnSold {
			ref = "7"
		}
		if diff := cmp.Diff(selling.Word{ID: "sl-1", Event: want.event, Shown: true, MarketRef: "7", Proceeds: want.proceeds, CreditRef: ref, Status: string(status)}, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", status, diff)
		}
	}
}

func TestNothingIsWithdrawn(t *testing.T) {
	if err := (Shop{}).Withdraw(t.Context(), selling.Listing{}); err == nil {
		t.Error("got no error, want that SkinsBack has no method for it")
	}
}
