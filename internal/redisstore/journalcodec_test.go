package redisstore

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"skinarb/execution"
	"skinarb/pricing"
)

func drawTime(t *rapid.T, label string) time.Time {
	if rapid.Bool().Draw(t, label+" is zero") {
		return time.Time{}
	}
	return time.Unix(rapid.Int64Range(-1<<40, 1<<40).Draw(t, label), rapid.Int64Range(0, 1e9-1).Draw(t, label+" ns")).UTC()
}

func drawOrder(t *rapid.T) execution.Order {
	// Texts are bytes of markets: not always UTF-8.
	text := func(label string) string { return string(rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, label)) }
	money := func(label string) pricing.Money { return pricing.Money(rapid.Int64().Draw(t, label)) }
	o := execution.Order{
		ID: execution.OrderID(text("id")),
		Request: execution.Request{
			Market:     pricing.Market(text("market")),
			Item:       pricing.Item{Game: pricing.Game(text("game")), Name: text("name"), Phase: pricing.Phase(text("phase"))},
			MarketName: text("market name"), Ask: money("ask"), Cost: money("cost"), Since: rapid.Uint64().Draw(t, "since"),
			SellOn: pricing.Market(text("sell on")), Proceeds: money("proceeds"), ExpiresAt: drawTime(t, "expires"),
			Buyer: execution.Buyer{Ref: text("buyer"), To: execution.Recipient{Partner: text("partner"), SteamID: text("steam id"), Token: text("token")}},
		},
		State: rapid.SampledFrom(execution.States).Draw(t, "state"), Rev: rapid.Int64().Draw(t, "rev"),
		Paid: money("paid"), Refunded: money("refunded"), Booked: rapid.Bool().Draw(t, "booked"),
		MarketRef: text("ref"), OfferID: text("offer"), Error: text("error"),
		CreatedAt: drawTime(t, "created"), UpdatedAt: drawTime(t, "updated"), SentAt: drawTime(t, "sent"),
		SpentAt: drawTime(t, "spent"), DeliveredAt: drawTime(t, "delivered"),
	}
	for range rapid.IntRange(0, 4).Draw(t, "steps") {
		o.History = append(o.History, execution.Step{At: drawTime(t, "step"), State: execution.State(text("step state")), Event: execution.Event(text("event")), Note: text("note")})
	}
	return o
}

func TestOrdersAreReadAsTheyWereWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawOrder(t)
		order, steps := string(encodeOrder(want)), string(encodeSteps(want.History))
		got, err := decodeWhole(order, steps)
		if err != nil {
			t.Fatalf("decode: %v", err)
		}
		if len(got.History) == 0 {
			got.History = want.History
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("order (-want +got):\n%s", d)
		}
		// Nothing less and nothing more is an order.
		cut := rapid.IntRange(0, len(order)-1).Draw(t, "cut")
		if _, err := decodeOrder(order[:cut]); err == nil {
			t.Errorf("the first %d of %d bytes were read as an order", cut, len(order))
		}
		if _, err := decodeOrder(order + "\x00"); err == nil {
			t.Error("an order with a byte behind it was read")
		}
		if _, err := decodeSteps(steps + "\x00"); err == nil {
			t.Error("a history with a byte behind it was read")
		}
	})
}

// TestTheSmallestStepIsRead: of the first second of 1970, and with no words.
func TestTheSmallestStepIsRead(t *testing.T) {
	want := []execution.Step{{At: time.Unix(0, 0).UTC()}}
	got, err := decodeSteps(string(encodeSteps(want)))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("steps (-want +got):\n%s", d)
	}
}

// TestOrdersOfTheFirstFormatAreRead takes off what the second format added.
func TestOrdersOfTheFirstFormatAreRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawOrder(t)
		want.Buyer = execution.Buyer{}
		b := encodeOrder(want)
		b = b[:len(b)-len(appendString(appendString(appendString(appendString(nil, ""), ""), ""), ""))]
		b[1] = 1
		got, err := decodeOrder(string(b))
		if err != nil {
			t.Fatal(err)
		}
		want.History = nil
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("an order of the first format (-want +got):\n%s", d)
		}
	})
}

func TestPlacesSortLikeTheOrders(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawOrder(t), drawOrder(t)
		if rapid.Bool().Draw(t, "same time") {
			b.CreatedAt = a.CreatedAt
		}
		want := a.CreatedAt.Compare(b.CreatedAt)
		if want == 0 {
			want = strings.Compare(string(a.ID), string(b.ID))
		}
		if got := strings.Compare(place(a), place(b)); got != want {
			t.Errorf("places of %v %q and %v %q: got %d, want %d", a.CreatedAt, a.ID, b.CreatedAt, b.ID, got, want)
		}
		if got := place(a)[placeTime:]; got != string(a.ID) {
			t.Errorf("the ID in a place: got %q, want %q", got, a.ID)
		}
	})
}

func TestValuesOfNewerProgramsAreRefused(t *testing.T) {
	order, steps := encodeOrder(execution.Order{State: execution.Planned}), encodeSteps(nil)
	order[1]++
	steps[1]++
	if _, err := decodeOrder(string(order)); !errors.Is(err, errNewer) {
		t.Errorf("order: got %v, want errNewer", err)
	}
	if _, err := decodeSteps(string(steps)); !errors.Is(err, errNewer) {
		t.Errorf("history: got %v, want errNewer", err)
	}
	if _, err := decodeOrder(string(encodeOrder(execution.Order{State: "lent"}))); err == nil || !strings.Contains(err.Error(), "lent") {
		t.Errorf("an unknown state: got %v, want an error that names it", err)
	}
}

func FuzzDecodeOrder(f *testing.F) {
	at := time.Unix(1_770_000_000, 123456789).UTC()
	o := execution.Order{ID: "sa-x", State: execution.Placed, CreatedAt: at, Rev: 3, Booked: true, Error: "★",
		Request: execution.Request{Market: pricing.SIH, Since: 1 << 63, Cost: pricing.Dollar},
		History: []execution.Step{{At: at, State: execution.Placed, Event: execution.OnPlaced, Note: "n"}}}
	f.Add(string(encodeOrder(o)), string(encodeSteps(o.History)))
	f.Add("", "")
	f.Add("o\x01", "s\x01\xff\xff\xff\xff\x0f")
	f.Fuzz(func(t *testing.T, order, steps string) {
		o, err := decodeWhole(order, steps)
		if err != nil {
			return
		}
		again, err := decodeWhole(string(encodeOrder(o)), string(encodeSteps(o.History)))
		if d := cmp.Diff(o, again); err != nil || d != "" {
			t.Errorf("written and read again: %v (-first +second):\n%s", err, d)
		}
	})
}
