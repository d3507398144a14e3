package execution_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"skinarb/execution"
	"skinarb/pricing"
)

var evening = time.Date(2026, 3, 1, 20, 0, 0, 0, time.UTC)

// TestUsage says for every state what a four dollar order takes of the limits:
// while it is young, and two days after the money left.
// TestProfitOfAnOrder: an ask of 10.00 with a fee of 0.30, sold for 13.00.
func TestProfitOfAnOrder(t *testing.T) {
	const c = pricing.Cent
	r := execution.Request{Ask: 1000 * c, Cost: 1030 * c, Proceeds: 1300 * c}
	for paid, want := range map[pricing.Money]pricing.Money{
		0:        270 * c, // not told
		1000 * c: 270 * c, // what was asked: the fee comes on top
		900 * c:  370 * c, // less
		1030 * c: 270 * c, // the fee is in it
		1040 * c: 260 * c,
	} {
		if got := (execution.Order{Request: r, Paid: paid}).Profit(); got != want {
			t.Errorf("paid %s: got %s, want %s", paid, got, want)
		}
	}
}

func TestUsage(t *testing.T) {
	type takes struct {
		open, locked, unrecorded, day, unit bool
	}
	for s, want := range map[execution.State]struct{ young, old takes }{
		execution.Planned:    {takes{true, true, true, true, true}, takes{true, true, true, true, true}},
		execution.Sent:       {takes{true, true, true, true, true}, takes{true, true, true, true, true}},
		execution.InDoubt:    {takes{true, true, true, true, true}, takes{true, true, true, true, true}},
		execution.Placed:     {takes{true, true, false, true, true}, takes{true, true, false, false, false}},
		execution.Delivering: {takes{true, true, false, true, true}, takes{true, true, false, false, false}},
		execution.Delivered:  {takes{false, true, false, true, true}, takes{false, true, false, false, false}},
		execution.Settled:    {takes{false, false, false, true, true}, takes{}},
		execution.Failed:     {takes{false, false, false, true, false}, takes{}},
		execution.Penalized:  {takes{false, false, false, true, false}, takes{}},
		execution.RolledBack: {takes{false, false, false, true, true}, takes{}},
		execution.Rejected:   {takes{}, takes{}},
		execution.Cancelled:  {takes{}, takes{}},
	} {
		for age, want := range map[time.Duration]takes{time.Hour: want.young, 48 * time.Hour: want.old} {
			o := execution.Order{Request: wish(1, 4*pricing.Dollar), State: s, CreatedAt: evening.Add(-age)}
			if !s.Unrecorded() {
				o.SpentAt = evening.Add(-age)
			}
			var u execution.Usage
			u.Add(o, evening)
			got := takes{u.Open == 1, u.Locked == o.Cost, u.Unrecorded == o.Cost, u.Day == o.Cost, u.Units[o.Item] == 1}
			if got != want {
				t.Errorf("%s, %s old: takes %+v, want %+v", s, age, got, want)
			}
		}
	}
}

func TestAmounts(t *testing.T) {
	order := func(s execution.State, refunded pricing.Money) execution.Order {
		return execution.Order{Request: wish(1, 4*pricing.Dollar), State: s, Paid: 3 * pricing.Dollar, Refunded: refunded} // expected profit 2.00
	}
	const d = pricing.Dollar
	for s, want := range map[execution.State]execution.Amounts{
		execution.Planned:    {Reserved: 3 * d, ExpectedProfit: 2 * d, Orders: 1},
		execution.InDoubt:    {Reserved: 3 * d, ExpectedProfit: 2 * d, Orders: 1},
		execution.Delivered:  {Spent: 3 * d, Refunded: 2 * d, AtRisk: d, ExpectedProfit: 2 * d, Orders: 1},
		execution.Settled:    {Spent: 3 * d, Refunded: 2 * d, Settled: d, ExpectedProfit: 2 * d, Orders: 1},
		execution.Penalized:  {Spent: 3 * d, Refunded: 2 * d, RealisedLoss: d, Orders: 1},
		execution.RolledBack: {Spent: 3 * d, Refunded: 2 * d, RealisedLoss: d, Orders: 1},
		execution.Rejected:   {Orders: 1},
		execution.Cancelled:  {Orders: 1},
	} {
		var got execution.Amounts
		got.Add(execution.SumOf(order(s, 2*d)))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", s, diff)
		}
	}
	adopted := order(execution.Placed, 0)
	adopted.Proceeds = 0
	if s := execution.SumOf(adopted); s.Profit != 0 {
		t.Errorf("a purchase that nobody planned: profit %s, want none expected", s.Profit)
	}
}

// TestLimits moves one figure at a time over its limit.
func TestLimits(t *testing.T) {
	const d = pricing.Dollar
	limits := execution.Limits{Order: 5 * d, Day: 20 * d, Locked: 30 * d, OpenOrders: 3, ItemUnits: 2, MinBalance: 10 * d}
	r := wish(1, 5*d)
	at := func(change func(*execution.Usage, *pricing.Money)) error {
		u := execution.Usage{
			MarketUsage: execution.MarketUsage{Open: 2, Locked: 25 * d, Day: 15 * d},
			Units:       map[pricing.Item]int{r.Item: 1},
			ByMarket:    map[pricing.Market]execution.MarketUsage{r.Market: {Unrecorded: 7 * d}, pricing.SIH: {Unrecorded: 100 * d}},
		}
		balance := 22 * d
		change(&u, &balance)
		return limits.Admit(r, u, balance)
	}
	if err := at(func(*execution.Usage, *pricing.Money) {}); err != nil {
		t.Errorf("at every limit exactly: got error %v, want none", err)
	}
	for rule, change := range map[string]func(*execution.Usage, *pricing.Money){
		"max_day":         func(u *execution.Usage, _ *pricing.Money) { u.Day++ },
		"max_locked":      func(u *execution.Usage, _ *pricing.Money) { u.Locked++ },
		"max_open_orders": func(u *execution.Usage, _ *pricing.Money) { u.Open++ },
		"max_item_units":  func(u *execution.Usage, _ *pricing.Money) { u.Units[r.Item]++ },
		"min_balance":     func(_ *execution.Usage, b *pricing.Money) { *b-- },
	} {
		var over *execution.LimitError
		if err := at(change); !errors.As(err, &over) || over.Rule != rule {
			t.Errorf("one over %s: got error %v", rule, err)
		}
	}
	limits.Order = 5*d - 1
	var over *execution.LimitError
	if err := at(func(*execution.Usage, *pricing.Money) {}); !errors.As(err, &over) || over.Rule != "max_order" {
		t.Errorf("one over max_order: got error %v", err)
	}
	free := execution.Limits{OpenOrders: 1, ItemUnits: 1}
	if err := free.Admit(r, execution.Usage{MarketUsage: execution.MarketUsage{Day: 1000 * d, Locked: 1000 * d}}, r.Cost); err != nil {
		t.Errorf("no limit of money: got error %v, want none", err)
	}
}

func TestOrderID(t *testing.T) {
	r := wish(1, pricing.Dollar)
	id := r.ID()
	if len(id) > 36 || id[:3] != "sa-" {
		t.Errorf("%q is not an ID that both markets take", id)
	}
	same := r
	same.ExpiresAt, same.Proceeds, same.Cost, same.MarketName = time.Time{}, 0, 2*r.Cost, "another  spelling"
	if same.ID() != id {
		t.Errorf("the same offer found again has ID %s, want %s", same.ID(), id)
	}
	seen := map[execution.OrderID]string{id: "the request"}
	for name, change := range map[string]func(*execution.Request){
		"market": func(r *execution.Request) { r.Market = pricing.SIH },
		"game":   func(r *execution.Request) { r.Item.Game = pricing.Rust },
		"name":   func(r *execution.Request) { r.Item.Name += "x" },
		"phase":  func(r *execution.Request) { r.Item.Phase = pricing.Ruby },
		"ask":    func(r *execution.Request) { r.Ask++ },
		"since":  func(r *execution.Request) { r.Since++ },
	} {
		other := wish(1, pricing.Dollar)
		change(&other)
		if twin, ok := seen[other.ID()]; ok {
			t.Errorf("another %s has the same ID as %s", name, twin)
		}
		seen[other.ID()] = name
	}
}
