package backtoback

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"skinarb/execution"
	"skinarb/partner"
	"skinarb/pricing"
)

func TestNews(t *testing.T) {
	const window = 8 * 24 * time.Hour
	for name, tc := range map[string]struct {
		state   execution.State
		word    string // SkinsBack's own, with which the state came
		err     string
		offer   string
		want    partner.News
		nothing bool
	}{
		"planned":                   {state: execution.Planned, nothing: true},
		"sent":                      {state: execution.Sent, nothing: true},
		"in doubt":                  {state: execution.InDoubt, nothing: true},
		"placed":                    {state: execution.Placed, word: "creating_trade", nothing: true},
		"an offer without its id":   {state: execution.Delivering, word: "waiting_accept", nothing: true},
		"an offer of nonsense":      {state: execution.Delivering, offer: "-1", nothing: true},
		"an offer":                  {state: execution.Delivering, word: "waiting_accept", offer: "7912345678", want: partner.News{State: partner.Sent, OfferID: 7912345678}},
		"an offer beyond reckoning": {state: execution.Delivered, word: "accepted", offer: "9007199254740993", want: partner.News{State: partner.Protected, Until: noon.Add(window)}},
		"accepted":                  {state: execution.Delivered, word: "accepted", offer: "7", want: partner.News{State: partner.Protected, OfferID: 7, Until: noon.Add(window)}},
		"settled":                   {state: execution.Settled, want: partner.News{State: partner.Settled, Until: noon.Add(window)}},
		"taken back by the buyer":   {state: execution.RolledBack, word: "rollback_user", want: partner.News{State: partner.RolledBack, Rollback: partner.Rollback{By: partner.ByUser, At: noon, Amount: pricing.Dollar}}},
		"taken back by skinsback":   {state: execution.RolledBack, word: "rollback_supplier", want: partner.News{State: partner.RolledBack, Rollback: partner.Rollback{By: partner.BySupplier, At: noon, Amount: pricing.Dollar}}},
		"declined":                  {state: execution.Failed, word: "canceled", want: partner.News{State: partner.Failed, Reason: partner.CanceledByBuyer}},
		"not accepted in time":      {state: execution.Failed, word: "timeout", want: partner.News{State: partner.Failed, Reason: partner.SendTimeout}},
		"a wrong token":             {state: execution.Failed, word: "invalid_trade_token", want: partner.News{State: partner.Failed, Reason: partner.InvalidTradelink}},
		"who cannot trade":          {state: execution.Failed, word: "user_not_tradable", want: partner.News{State: partner.Failed, Reason: partner.InvalidTradelink}},
		"no trade":                  {state: execution.Failed, word: "trade_create_error", want: partner.News{State: partner.Failed, Reason: partner.CanceledBySeller}},
		"a wrong token, at once":    {state: execution.Rejected, err: "invalid_partner_value", want: partner.News{State: partner.Failed, Reason: partner.InvalidTradelink}},
		"sold out":                  {state: execution.Rejected, err: "skin_unavailable", want: partner.News{State: partner.Failed, Reason: partner.CanceledBySeller}},
		"withdrawn":                 {state: execution.Cancelled, err: "the price moved", want: partner.News{State: partner.Failed, Reason: partner.CanceledBySeller}},
		"penalized":                 {state: execution.Penalized, want: partner.News{State: partner.Failed, Reason: partner.CanceledBySeller}},
	} {
		o := execution.Order{State: tc.state, Error: tc.err, OfferID: tc.offer, History: []execution.Step{{Note: "expected profit 1.00"}, {Note: tc.word}}}
		if tc.state == execution.Delivered || tc.state == execution.Settled {
			o.DeliveredAt = noon
		}
		tc.want.At = noon
		got, ok := news(partner.Purchase{State: partner.Created, Price: pricing.Dollar}, o, window, noon)
		if ok == tc.nothing {
			t.Errorf("%s: got %+v, %t, want %t", name, got, ok, !tc.nothing)
			continue
		}
		if d := cmp.Diff(tc.want, got); ok && d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}
