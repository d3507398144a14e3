package execution

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"skinarb/pricing"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func sentOrder(s State) Order {
	o := Order{
		Request: Request{
			Market: pricing.SIH, Item: pricing.Item{Game: pricing.CS2, Name: "★ Karambit | Doppler (Factory New)", Phase: pricing.Phase2},
			MarketName: "★ Karambit | Doppler Phase 2 (Factory New)", Ask: 10 * pricing.Dollar, Cost: 10 * pricing.Dollar,
		},
		State: s, Rev: 7,
	}
	o.ID = o.Request.ID()
	return o
}

// TestIntentOfABuyer: a buyer's order is one intent whatever is asked for it, and
// no other's.
func TestIntentOfABuyer(t *testing.T) {
	r := sentOrder(Planned).Request
	own := r.ID()
	r.SellOn, r.Buyer = pricing.SIH, Buyer{Ref: "fast-1", To: Recipient{Partner: "7", Token: "AbCd-_12"}}
	id := r.ID()
	if len(id) > 36 || id == own {
		t.Errorf("got %s, want at most 36 characters, and not those of our own wish %s", id, own)
	}
	moved, other := r, r
	moved.Ask, moved.Cost, moved.Since = r.Ask+1, r.Cost+1, r.Since+1
	other.Buyer.Ref = "fast-2"
	if moved.ID() != id || other.ID() == id {
		t.Errorf("another ask is %s and another order %s, want %s and another one", moved.ID(), other.ID(), id)
	}
	if s := fmt.Sprintf("%v %+v %#v", r, r, r); strings.Contains(s, r.Buyer.To.Token) {
		t.Errorf("the token is shown: %s", s)
	}
}

func TestApplyMoves(t *testing.T) {
	o := sentOrder(InDoubt)
	o.Error = "timeout"
	next, step, changed, err := apply(o, Evidence{Event: OnDelivered, Status: "finished", Paid: 9 * pricing.Dollar, MarketRef: "17", OfferID: "42", MarketName: o.MarketName}, noon)
	if err != nil || !changed {
		t.Fatalf("changed %t, error %v", changed, err)
	}
	want := o
	want.State, want.Paid, want.MarketRef, want.OfferID, want.Error = Delivered, 9*pricing.Dollar, "17", "42", ""
	want.UpdatedAt, want.SpentAt, want.DeliveredAt = noon, noon, noon
	if d := cmp.Diff(want, next); d != "" {
		t.Errorf("order (-want +got):\n%s", d)
	}
	if d := cmp.Diff(Step{At: noon, State: Delivered, Event: OnDelivered, Note: "finished"}, step); d != "" {
		t.Errorf("step (-want +got):\n%s", d)
	}

	later := noon.Add(time.Hour)
	back, _, _, err := apply(next, Evidence{Event: OnRolledBack, Refunded: 8 * pricing.Dollar}, later)
	if err != nil || back.State != RolledBack || back.SpentAt != noon || back.DeliveredAt != noon || back.Refunded != 8*pricing.Dollar {
		t.Errorf("rolled back: %+v, error %v, want the first times kept", back, err)
	}
}

func TestApplySameState(t *testing.T) {
	o := sentOrder(Placed)
	o.SpentAt = noon
	if next, step, changed, err := apply(o, Evidence{Event: OnPlaced}, noon); changed || err != nil || step != (Step{}) || next.UpdatedAt != o.UpdatedAt {
		t.Errorf("no news: changed %t, step %+v, error %v, want nothing", changed, step, err)
	}
	next, step, changed, err := apply(o, Evidence{Event: OnPlaced, OfferID: "9", Paid: pricing.Dollar}, noon)
	if !changed || err != nil || step != (Step{}) || next.OfferID != "9" || next.Paid != pricing.Dollar {
		t.Errorf("a detail: %+v, changed %t, step %+v, error %v, want it kept without a step", next, changed, step, err)
	}
	// A failed order takes news of its refund, though nothing moves it.
	o.State = Failed
	if next, _, changed, err = apply(o, Evidence{Event: OnFailed, Refunded: pricing.Cent}, noon); !changed || err != nil || next.Refunded != pricing.Cent {
		t.Errorf("a refund: %+v, changed %t, error %v", next, changed, err)
	}
}

func TestApplyFindings(t *testing.T) {
	for name, tc := range map[string]struct {
		from State
		ev   Evidence
		want string // part of the note; empty for none
		to   State
	}{
		"a word that leads nowhere":      {Settled, Evidence{Event: OnPlaced}, "cannot take", Settled},
		"an event that is ours":          {InDoubt, Evidence{Event: OnReject}, "cannot take", InDoubt},
		"a status that we do not know":   {Placed, Evidence{Status: "thinking"}, "", Placed},
		"taken more than reserved":       {Placed, Evidence{Event: OnPlaced, Paid: 11 * pricing.Dollar}, "11.00 was taken", Placed},
		"another item":                   {Sent, Evidence{Event: OnPlaced, MarketName: "★ Karambit | Doppler Ruby (Factory New)"}, "another item", Placed},
		"another spelling":               {Sent, Evidence{Event: OnPlaced, MarketName: "★  Karambit | Doppler (Factory New) - Phase 2"}, "", Placed},
		"its phase not told":             {Sent, Evidence{Event: OnPlaced, MarketName: "★ Karambit | Doppler (Factory New)"}, "", Placed},
		"no name at all":                 {Sent, Evidence{Event: OnPlaced, MarketName: "\x00"}, "another item", Placed},
		"bought after all, when planned": {Planned, Evidence{Event: OnPlaced}, "", Placed},
		"bought after all, cancelled":    {Cancelled, Evidence{Event: OnDelivering}, "", Delivering},
		"bought after all, rejected":     {Rejected, Evidence{Event: OnDelivered}, "", Delivered},
	} {
		next, _, changed, err := apply(sentOrder(tc.from), tc.ev, noon)
		if next.State != tc.to {
			t.Errorf("%s: state %s, want %s", name, next.State, tc.to)
		}
		if (tc.want == "") != (err == nil) || !strings.Contains(next.Error, tc.want) || tc.want == "" && next.Error != "" {
			t.Errorf("%s: note %q, error %v, want %q", name, next.Error, err, tc.want)
		}
		if err == nil {
			continue
		}
		if !errors.Is(err, errEvidence) || !changed {
			t.Errorf("%s: changed %t, error %v, want it noted", name, changed, err)
		}
		if again, _, changed, err := apply(next, tc.ev, noon.Add(time.Minute)); err != nil || changed {
			t.Errorf("%s, said again: changed %t, error %v, note %q, want silence", name, changed, err, again.Error)
		}
	}
}

func TestApplyFailedGivesAllBack(t *testing.T) {
	for _, tc := range []struct {
		ev   Evidence
		want pricing.Money
	}{
		{Evidence{Event: OnFailed}, 10 * pricing.Dollar},
		{Evidence{Event: OnFailed, Paid: 4 * pricing.Dollar}, 4 * pricing.Dollar},
		{Evidence{Event: OnFailed, Paid: 4 * pricing.Dollar, Refunded: 3 * pricing.Dollar}, 3 * pricing.Dollar},
		{Evidence{Event: OnPenalized, Paid: 4 * pricing.Dollar}, 0},
	} {
		if next, _, _, err := apply(sentOrder(Placed), tc.ev, noon); err != nil || next.Refunded != tc.want {
			t.Errorf("%+v: refunded %s, error %v, want %s", tc.ev, next.Refunded, err, tc.want)
		}
	}
}

// TestApplyNeverLeavesTheTable holds for every state and every word at once:
// evidence moves an order only where the table says.
func TestApplyNeverLeavesTheTable(t *testing.T) {
	for _, s := range States {
		for _, e := range append(Events, "", "nonsense") {
			next, step, _, _ := apply(sentOrder(s), Evidence{Event: e}, noon)
			want := s
			if _, word := evidence[e]; word && transitions[s][e] != "" {
				want = transitions[s][e]
			}
			if next.State != want {
				t.Errorf("%s × %q: got %s, want %s", s, e, next.State, want)
			}
			if (next.State != s) != (step != Step{}) {
				t.Errorf("%s × %q: state %s with step %+v", s, e, next.State, step)
			}
		}
	}
}

func TestMatured(t *testing.T) {
	const window = 7 * 24 * time.Hour
	for name, tc := range map[string]struct {
		state State
		ev    Evidence
		after time.Duration
		want  bool
	}{
		"before the window":   {Delivered, Evidence{Event: OnDelivered}, window - 1, false},
		"after the window":    {Delivered, Evidence{Event: OnDelivered}, window, true},
		"protection open":     {Delivered, Evidence{Event: OnDelivered, Protection: ProtectionOpen}, 10 * window, false},
		"protection over":     {Delivered, Evidence{Event: OnDelivered, Protection: ProtectionOver}, 0, true},
		"no word on delivery": {Delivered, Evidence{}, 10 * window, false},
		"a strange word":      {Delivered, Evidence{Event: OnPlaced}, 10 * window, false},
		"not delivered":       {Placed, Evidence{Event: OnDelivered, Protection: ProtectionOver}, window, false},
		"rolled back":         {RolledBack, Evidence{Event: OnDelivered}, window, false},
	} {
		o := sentOrder(tc.state)
		o.DeliveredAt = noon
		if got := matured(o, tc.ev, window, noon.Add(tc.after)); got != tc.want {
			t.Errorf("%s: got %t, want %t", name, got, tc.want)
		}
	}
}

func TestClip(t *testing.T) {
	long := strings.Repeat("a", maxNote-1) + "★★"
	if got := clip(long); got != strings.Repeat("a", maxNote-1)+"…" {
		t.Errorf("got %q", got)
	}
	if got := clip("short"); got != "short" {
		t.Errorf("got %q", got)
	}
}

func TestForeignID(t *testing.T) {
	if got, want := foreignID(pricing.SkinsBack, "70065"), OrderID("ext-skinsback-70065"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	odd, long := foreignID(pricing.SIH, "a b★"), foreignID(pricing.SIH, strings.Repeat("9", 80))
	for _, id := range []OrderID{odd, long} {
		if !plainID(string(id)) {
			t.Errorf("%q is no order ID", id)
		}
	}
	if odd == long || foreignID(pricing.SkinsBack, "a b★") == odd {
		t.Error("two purchases have one ID")
	}
}
