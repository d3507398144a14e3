package partner_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"skinarb/partner"
)

// fromTo is every move that there is.
var fromTo = map[partner.State]string{
	partner.Created:    "sent accepted protected settled rolled_back failed",
	partner.Sent:       "accepted protected settled rolled_back failed",
	partner.Accepted:   "protected settled rolled_back",
	partner.Protected:  "settled rolled_back",
	partner.Settled:    "",
	partner.RolledBack: "",
	partner.Failed:     "",
}

// wholeNews is news with everything that any state needs.
func wholeNews(to partner.State) partner.News {
	return partner.News{
		State: to, At: start.Add(time.Hour), OfferID: offerID, Reason: partner.SendTimeout, Until: windowEnd,
		Rollback: partner.Rollback{By: partner.BySupplier, At: reversed, Amount: 980_000},
	}
}

func TestMoves(t *testing.T) {
	for _, from := range partner.States {
		moves := ""
		for _, to := range partner.States {
			p := partner.Purchase{ID: 1, State: from, OfferID: offerID, UpdatedAt: start}
			got, err := p.With(wholeNews(to))
			switch {
			case from == to:
				if err != nil || got.State != from {
					t.Errorf("%s again: got %s, error %v, want no move", from, got.State, err)
				}
			case err == nil && got.State == to:
				moves += " " + string(to)
			case !errors.Is(err, partner.ErrBackwards) || got != p:
				t.Errorf("%s to %s: got %+v, error %v, want it as it was and ErrBackwards", from, to, got, err)
			}
		}
		if want := fromTo[from]; moves != "" && moves[1:] != want || moves == "" && want != "" {
			t.Errorf("from %s: got%s, want %s", from, moves, want)
		}
		if got, want := from.Open(), fromTo[from] != ""; got != want {
			t.Errorf("%s is open: got %t, want %t", from, got, want)
		}
	}
}

func TestNews(t *testing.T) {
	later := start.Add(time.Hour)
	created := partner.Purchase{State: partner.Created, UpdatedAt: start}
	sent := partner.Purchase{State: partner.Sent, OfferID: offerID, UpdatedAt: start}
	protected := partner.Purchase{State: partner.Protected, OfferID: offerID, Until: windowEnd, UpdatedAt: start}
	rollback := partner.Rollback{By: partner.ByUser, At: reversed}
	for _, tt := range []struct {
		name string
		p    partner.Purchase
		n    partner.News
		want partner.Purchase
		err  error
	}{
		{"sent without an offer", created, partner.News{State: partner.Sent}, created, partner.ErrNews},
		{"sent again without an offer", sent, partner.News{State: partner.Sent, At: later}, sent, nil},
		{"sent with another offer", sent, partner.News{State: partner.Sent, OfferID: 5, At: later}, sent, nil},
		{"a negative offer", created, partner.News{State: partner.Sent, OfferID: -1}, created, partner.ErrNews},
		{"an offer that JavaScript rounds", created, partner.News{State: partner.Sent, OfferID: 1 << 53}, created, partner.ErrNews},
		{"created again with an offer", created, partner.News{State: partner.Created, OfferID: 5, At: later}, created, nil},
		{"no state", created, partner.News{}, created, partner.ErrBackwards},
		{"an unknown state", created, partner.News{State: "lost"}, created, partner.ErrBackwards},
		{"failed without a reason", created, partner.News{State: partner.Failed}, created, partner.ErrNews},
		{"failed for another reason", created, partner.News{State: partner.Failed, Reason: "timeout"}, created, partner.ErrNews},
		{"failed", sent, partner.News{State: partner.Failed, Reason: partner.CanceledByBuyer, At: later},
			partner.Purchase{State: partner.Failed, OfferID: offerID, Reason: partner.CanceledByBuyer, UpdatedAt: later}, nil},
		{"accepted, and the offer only now", created, partner.News{State: partner.Accepted, OfferID: offerID, At: later},
			partner.Purchase{State: partner.Accepted, OfferID: offerID, UpdatedAt: later}, nil},
		{"the offer later", partner.Purchase{State: partner.Protected}, partner.News{State: partner.Protected, OfferID: offerID, Until: windowEnd, At: later},
			partner.Purchase{State: partner.Protected, OfferID: offerID, Until: windowEnd, UpdatedAt: later}, nil},
		{"the window moves", protected, partner.News{State: partner.Protected, Until: later, At: later}, protected, nil},
		{"settled keeps the window", protected, partner.News{State: partner.Settled, Until: later, At: later},
			partner.Purchase{State: partner.Settled, OfferID: offerID, Until: windowEnd, UpdatedAt: later}, nil},
		{"reversed by nobody", protected, partner.News{State: partner.RolledBack, Rollback: partner.Rollback{At: reversed}}, protected, partner.ErrNews},
		{"reversed at no time", protected, partner.News{State: partner.RolledBack, Rollback: partner.Rollback{By: partner.ByUser}}, protected, partner.ErrNews},
		{"reversed for less than nothing", protected, partner.News{State: partner.RolledBack, Rollback: partner.Rollback{By: partner.ByUser, At: reversed, Amount: -1}}, protected, partner.ErrNews},
		{"reversed for nothing", protected, partner.News{State: partner.RolledBack, Rollback: rollback, At: later},
			partner.Purchase{State: partner.RolledBack, OfferID: offerID, Until: windowEnd, Rollback: rollback, UpdatedAt: later}, nil},
	} {
		got, err := tt.p.With(tt.n)
		if d := cmp.Diff(tt.want, got); d != "" || !errors.Is(err, tt.err) {
			t.Errorf("%s: error %v, want %v (-want +got):\n%s", tt.name, err, tt.err, d)
		}
	}
}

// TestToldOnce: whatever news comes in whatever order, every answer is one of the
// protocol, and what SIH was told of offer, end of the window, reason and rollback
// does not change any more.
func TestToldOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		sh := newShop(t)
		sh.live(t, scenario{}, "create")
		told := map[string]any{}
		for range rapid.IntRange(1, 12).Draw(rt, "news") {
			sh.now = sh.now.Add(time.Minute)
			n := partner.News{
				State:   rapid.SampledFrom(partner.States).Draw(rt, "state"),
				At:      sh.now,
				OfferID: rapid.SampledFrom([]int64{0, 1, offerID}).Draw(rt, "offer"),
				Reason:  rapid.SampledFrom([]partner.Reason{"", partner.BadPrice, partner.CanceledByBuyer, "timeout"}).Draw(rt, "reason"),
				Until:   rapid.SampledFrom([]time.Time{{}, windowEnd, sh.now}).Draw(rt, "until"),
				Rollback: partner.Rollback{
					By: rapid.SampledFrom([]partner.Side{"", partner.ByUser, partner.BySupplier}).Draw(rt, "by"),
					At: sh.now, Amount: 10_000,
				},
			}
			if _, err := sh.store.Advance(t.Context(), "fast-12345", n); err != nil && !errors.Is(err, partner.ErrBackwards) && !errors.Is(err, partner.ErrNews) {
				rt.Fatalf("advance to %s: %v", n.State, err)
			}
			data := sh.poll(rt)
			for _, name := range []string{"offerId", "reason", "id", "price", "protection.until", "protection.error", "protection.rollbackAt"} {
				now, has := data[name]
				before, had := told[name]
				if had && has && now != before {
					rt.Fatalf("%s was told as %v, and now as %v", name, before, now)
				}
				if has && now != nil {
					told[name] = now
				}
			}
		}
	})
}
