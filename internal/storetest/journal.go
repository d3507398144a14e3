package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"skinarb/execution"
	"skinarb/pricing"
)

// OpenJournal opens an empty journal for a test. reopen closes it and opens the
// same records again, as after a restart.
type OpenJournal func(t *testing.T) (j execution.Journal, reopen func() execution.Journal)

// Journal tests the contract of execution.Journal.
func Journal(t *testing.T, open OpenJournal) {
	for name, test := range map[string]func(*testing.T, OpenJournal){
		"reserve":                       journalReserve,
		"reserve asks admit once":       journalAdmit,
		"reserve never exceeds a limit": journalReserveRace,
		"one of many gets the order":    journalDuplicateRace,
		"replan":                        journalReplan,
		"replan for a buyer":            journalReplanBuyer,
		"advance":                       journalAdvance,
		"stale revisions":               journalStale,
		"history is bounded":            journalHistory,
		"adopt":                         journalAdopt,
		"list":                          journalList,
		"paging":                        journalPaging,
		"no limit is ever exceeded":     journalGate,
		"usage":                         journalUsage,
		"usage of each market":          journalMarketUsage,
		"totals":                        journalTotals,
		"books":                         journalBooks,
		"kill switch":                   journalTrading,
		"reopening keeps all":           journalReopen,
		"a caller that gave up":         journalCancelled,
	} {
		t.Run(name, func(t *testing.T) { test(t, open) })
	}
}

// journalStart is the time at which every test of the suite begins.
var journalStart = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)

func journalItem(n int) pricing.Item {
	return pricing.Item{Game: pricing.CS2, Name: fmt.Sprintf("AK-47 | Redline %d (Field-Tested)", n), Phase: pricing.NoPhase}
}

// journalOrder gives the nth order, which costs n dollars and was created n
// seconds after the start. Every fifth is for a buyer.
func journalOrder(n int) execution.Order {
	at := journalStart.Add(time.Duration(n) * time.Second)
	cost := pricing.Money(n) * pricing.Dollar
	r := execution.Request{
		Market: pricing.SkinsBack, Item: journalItem(n), MarketName: journalItem(n).Name,
		Ask: cost - pricing.Cent, Cost: cost, Since: 1<<63 + uint64(n), SellOn: pricing.SIH, Proceeds: cost + pricing.Dollar,
		ExpiresAt: at.Add(5 * time.Minute),
	}
	if n%5 == 0 {
		r.Buyer = execution.Buyer{Ref: fmt.Sprint("fast-", n), To: execution.Recipient{Partner: fmt.Sprint(n), SteamID: fmt.Sprint(76561197960265728 + int64(n)), Token: "AbCd-_12"}}
	}
	return execution.Order{
		ID: r.ID(), Request: r, State: execution.Planned, CreatedAt: at, UpdatedAt: at,
		History: []execution.Step{{At: at, State: execution.Planned, Note: "plan"}},
	}
}

func admitAll(execution.Usage) error { return nil }

// journalDiff compares what matters of orders: times by instant, and no
// difference between an empty list and none.
func journalDiff(got, want any) string {
	return cmp.Diff(want, got, cmpopts.EquateEmpty(), cmp.Comparer(time.Time.Equal))
}

func mustReserve(t *testing.T, j execution.Journal, o execution.Order) execution.Order {
	t.Helper()
	stored, created, err := j.Reserve(t.Context(), o, admitAll)
	if err != nil || !created {
		t.Fatalf("reserve %s: created %t, error %v", o.ID, created, err)
	}
	return stored
}

// mustAdvance moves an order, whatever the rules of orders say.
func mustAdvance(t *testing.T, j execution.Journal, o execution.Order, to execution.State, change func(*execution.Order)) execution.Order {
	t.Helper()
	o.State = to
	o.UpdatedAt = o.UpdatedAt.Add(time.Second)
	if change != nil {
		change(&o)
	}
	stored, err := j.Advance(t.Context(), o, execution.Step{At: o.UpdatedAt, State: to, Event: execution.Event(to), Note: "to " + string(to)})
	if err != nil {
		t.Fatalf("advance %s to %s: %v", o.ID, to, err)
	}
	return stored
}

func journalReserve(t *testing.T, open OpenJournal) {
	j, _ := open(t)
	o := journalOrder(3)
	stored := mustReserve(t, j, o)
	want := o
	want.Rev = stored.Rev
	if d := journalDiff(stored, want); d != "" {
		t.Errorf("reserved order (-want +got):\n%s", d)
	}
	got, err := j.Get(t.Context(), o.ID)
	if err != nil {
		t.Fatal(err)
	}
	if d := journalDiff(got, stored); d != "" {
		t.Errorf("order read back (-want +got):\n%s", d)
	}
	if _, err := j.Get(t.Context(), "sa-none"); !errors.Is(err, execution.ErrNoOrder) {
		t.Errorf("get of an unknown order: got error %v, want ErrNoOrder", err)
	}

	// Every state but cancelled: the order is given back as it is.
	for _, s := range execution.States {
		if s == execution.Cancelled {
			continue
		}
		stored = mustAdvance(t, j, stored, s, nil)
		again, created, err := j.Reserve(t.Context(), o, func(execution.Usage) error { return errors.New("asked") })
		if err != nil || created {
			t.Errorf("reserve again while %s: created %t, error %v, want false and none", s, created, err)
		}
		if d := journalDiff(again, stored); d != "" {
			t.Errorf("reserve again while %s (-want +got):\n%s", s, d)
		}
	}
}

func journalAdmit(t *testing.T, open OpenJournal) {
	j, _ := open(t)
	mustReserve(t, j, journalOrder(5))
	refused := &execution.LimitError{Rule: "max_day", Detail: "enough"}
	var seen []execution.Usage
	_, created, err := j.Reserve(t.Context(), journalOrder(7), func(u execution.Usage) error {
		seen = append(seen, u)
		return refused
	})
	if err != error(refused) || created {
		t.Errorf("got created %t, error %v, want false and admit's own error", created, err)
	}
	one := execution.MarketUsage{Open: 1, Locked: 5 * pricing.Dollar, Day: 5 * pricing.Dollar, Unrecorded: 5 * pricing.Dollar}
	want := []execution.Usage{{
		MarketUsage: one,
		Units:       map[pricing.Item]int{journalItem(5): 1},
		ByMarket:    map[pricing.Market]execution.MarketUsage{pricing.SkinsBack: one},
	}}
	if d := journalDiff(seen, want); d != "" {
		t.Errorf("usage that admit saw (-want +got):\n%s", d)
	}
	if _, err := j.Get(t.Context(), journalOrder(7).ID); !errors.Is(err, execution.ErrNoOrder) {
		t.Errorf("a refused order was stored: error %v, want ErrNoOrder", err)
	}
}

func journalReserveRace(t *testing.T, open OpenJournal) {
	j, _ := open(t)
	limits := execution.Limits{Day: 10 * pricing.Dollar, OpenOrders: 100, ItemUnits: 100}
	var wg sync.WaitGroup
	for n := range 40 {
		wg.Go(func() {
			o := journalOrder(1)
			o.Since = uint64(n) // another intent each
			o.ID = o.Request.ID()
			_, _, err := j.Reserve(t.Context(), o, func(u execution.Usage) error {
				return limits.Admit(o.Request, u, 1000*pricing.Dollar)
			})
			var over *execution.LimitError
			if err != nil && !errors.As(err, &over) {
				t.Errorf("reserve: %v", err)
			}
		})
	}
	wg.Wait()
	u, err := j.Usage(t.Context(), journalStart.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	if u.Day != limits.Day || u.Open != 10 {
		t.Errorf("40 reservations of a dollar against a limit of ten: %s in %d orders, want 10.00 in 10", u.Day, u.Open)
	}
}

func journalDuplicateRace(t *testing.T, open OpenJournal) {
	j, _ := open(t)
	var mu sync.Mutex
	var wg sync.WaitGroup
	n := 0
	for range 16 {
		wg.Go(func() {
			_, created, err := j.Reserve(t.Context(), journalOrder(1), admitAll)
			if err != nil {
				t.Errorf("reserve: %v", err)
			}
			mu.Lock()
			defer mu.Unlock()
			if created {
				n++
			}
		})
	}
	wg.Wait()
	if n != 1 {
		t.Errorf("one order reserved by many was created %d times, want once", n)
	}
}

// journalReplanBuyer: what is bought for a buyer stays one intent when its ask
// has moved, and its wish is that of the last time.
func journalReplanBuyer(t *testing.T, open OpenJournal) {
	j, _ := open(t)
	first := mustAdvance(t, j, mustReserve(t, j, journalOrder(5)), execution.Cancelled, func(*execution.Order) {})
	fresh := journalOrder(5)
	fresh.MarketName, fresh.Ask, fresh.Cost, fresh.Since = "another spelling", fresh.Ask-pricing.Cent, fresh.Cost-pricing.Cent, 7
	if fresh.Request.ID() != first.ID {
		t.Fatalf("another ask: got intent %s, want %s", fresh.Request.ID(), first.ID)
	}
	got, created, err := j.Reserve(t.Context(), fresh, admitAll)
	if err != nil || !created {
		t.Fatalf("replan: created %t, error %v", created, err)
	}
	if d := journalDiff(got.Request, fresh.Request); d != "" {
		t.Errorf("the wish of a replanned order (-want +got):\n%s", d)
	}
}

func journalReplan(t *testing.T, open OpenJournal) {
	j, _ := open(t)
	first := mustReserve(t, j, journalOrder(3))
	first = mustAdvance(t, j, first, execution.Cancelled, func(o *execution.Order) { o.Error, o.SentAt = "expired", journalStart })
	fresh := journalOrder(3)
	fresh.UpdatedAt = journalStart.Add(time.Hour)
	fresh.CreatedAt = fresh.UpdatedAt
	fresh.ExpiresAt = journalStart.Add(2 * time.Hour)
	fresh.Proceeds = 9 * pricing.Dollar

	refused := errors.New("no")
	if _, _, err := j.Reserve(t.Context(), fresh, func(execution.Usage) error { return refused }); err != refused {
		t.Errorf("replanning asks admit: got error %v, want its own", err)
	}
	got, created, err := j.Reserve(t.Context(), fresh, admitAll)
	if err != nil || !created {
		t.Fatalf("replan: created %t, error %v", created, err)
	}
	want, step := first.Replan(fresh)
	want.Rev, want.History = got.Rev, append(slices.Clone(first.History), step)
	if d := journalDiff(got, want); d != "" {
		t.Errorf("replanned order (-want +got):\n%s", d)
	}
	if got.Rev <= first.Rev {
		t.Errorf("replanned at revision %d after %d, want a higher one", got.Rev, first.Rev)
	}
	if got.ExpiresAt != fresh.ExpiresAt || got.CreatedAt != first.CreatedAt {
		t.Errorf("replanned order expires %v and was created %v, want the new wish's %v and the old order's %v", got.ExpiresAt, got.CreatedAt, fresh.ExpiresAt, first.CreatedAt)
	}
}

func journalAdvance(t *testing.T, open OpenJournal) {
	j, _ := open(t)
	o := mustReserve(t, j, journalOrder(3))
	moved := o
	moved.State = execution.Delivered
	moved.Paid, moved.Refunded, moved.Booked = 2*pricing.Dollar, pricing.Cent, true
	moved.MarketRef, moved.OfferID, moved.Error = "70065", "7912345678", "late ★"
	moved.UpdatedAt, moved.SentAt = journalStart.Add(time.Minute), journalStart.Add(2*time.Minute)
	moved.SpentAt, moved.DeliveredAt = journalStart.Add(3*time.Minute), journalStart.Add(4*time.Minute)
	step := execution.Step{At: journalStart.Add(5 * time.Minute), State: execution.Delivered, Event: execution.OnDelivered, Note: "accepted"}
	got, err := j.Advance(t.Context(), moved, step)
	if err != nil {
		t.Fatal(err)
	}
	want := moved
	want.Rev, want.History = got.Rev, append(slices.Clone(o.History), step)
	if d := journalDiff(got, want); d != "" {
		t.Errorf("advanced order (-want +got):\n%s", d)
	}
	if got.Rev <= o.Rev {
		t.Errorf("advanced to revision %d from %d, want a higher one", got.Rev, o.Rev)
	}

	silent := got
	silent.OfferID = "8000000000"
	after, err := j.Advance(t.Context(), silent, execution.Step{})
	if err != nil {
		t.Fatal(err)
	}
	if after.OfferID != silent.OfferID || len(after.History) != len(got.History) {
		t.Errorf("the zero step: offer %q and %d steps, want %q and %d", after.OfferID, len(after.History), silent.OfferID, len(got.History))
	}

	unknown := journalOrder(4)
	if _, err := j.Advance(t.Context(), unknown, step); !errors.Is(err, execution.ErrNoOrder) {
		t.Errorf("advance of an unknown order: got error %v, want ErrNoOrder", err)
	}
}

func journalStale(t *testing.T, open OpenJournal) {
	j, _ := open(t)
	o := mustReserve(t, j, journalOrder(3))
	var mu sync.Mutex
	var wg sync.WaitGroup
	won := 0
	for n := range 12 {
		wg.Go(func() {
			mine := o
			mine.State, mine.MarketRef = execution.Sent, fmt.Sprint(n)
			_, err := j.Advance(t.Context(), mine, execution.Step{At: journalStart, State: execution.Sent, Event: execution.OnSend})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			} else if !errors.Is(err, execution.ErrStale) {
				t.Errorf("advance: got error %v, want ErrStale", err)
			}
		})
	}
	wg.Wait()
	if won != 1 {
		t.Errorf("%d of 12 advances from one revision were stored, want 1", won)
	}
	got, err := j.Get(t.Context(), o.ID)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.History) != 2 {
		t.Errorf("the history has %d steps, want 2: a stale advance left something", len(got.History))
	}
}

func journalHistory(t *testing.T, open OpenJournal) {
	j, _ := open(t)
	o := mustReserve(t, j, journalOrder(3))
	for n := range execution.MaxHistory + 20 {
		to := []execution.State{execution.Placed, execution.Delivering}[n%2]
		o = mustAdvance(t, j, o, to, nil)
	}
	got, err := j.Get(t.Context(), o.ID)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.History) != execution.MaxHistory || got.History[len(got.History)-1].At != o.UpdatedAt {
		t.Errorf("%d steps, the last at %v, want %d and %v", len(got.History), got.History[len(got.History)-1].At, execution.MaxHistory, o.UpdatedAt)
	}
}

func journalAdopt(t *testing.T, open OpenJournal) {
	j, _ := open(t)
	if err := j.SetTrading(t.Context(), execution.Trading{Stopped: true}); err != nil {
		t.Fatal(err)
	}
	o := journalOrder(2)
	o.ID, o.State, o.MarketRef, o.Paid, o.SpentAt = "ext-skinsback-70065", execution.Placed, "70065", o.Cost, o.CreatedAt
	o.History = []execution.Step{{At: o.CreatedAt, State: execution.Placed, Event: execution.OnPlaced}}
	got, err := j.Adopt(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	want := o
	want.Rev = got.Rev
	if d := journalDiff(got, want); d != "" {
		t.Errorf("adopted order (-want +got):\n%s", d)
	}
	other := o
	other.State = execution.Failed
	again, err := j.Adopt(t.Context(), other)
	if err != nil {
		t.Fatal(err)
	}
	if d := journalDiff(again, got); d != "" {
		t.Errorf("adopted twice (-want +got):\n%s", d)
	}
}

// fillJournal stores orders 1 to n in the states in turn.
func fillJournal(t *testing.T, j execution.Journal, n int, states ...execution.State) []execution.Order {
	t.Helper()
	var out []execution.Order
	for i := 1; i <= n; i++ {
		o := journalOrder(i)
		if i%2 == 0 {
			o.Market = pricing.SIH
			o.ID = o.Request.ID()
		}
		o = mustReserve(t, j, o)
		if s := states[i%len(states)]; s != execution.Planned {
			o = mustAdvance(t, j, o, s, func(o *execution.Order) { o.MarketRef = fmt.Sprint("ref-", i) })
		}
		out = append(out, o)
	}
	return out
}

func journalList(t *testing.T, open OpenJournal) {
	j, _ := open(t)
	all := fillJournal(t, j, 12, execution.Planned, execution.Placed, execution.Delivered)
	for name, tc := range map[string]struct {
		q    execution.Query
		want func(execution.Order) bool
	}{
		"all":               {execution.Query{}, func(execution.Order) bool { return true }},
		"one state":         {execution.Query{States: []execution.State{execution.Placed}}, func(o execution.Order) bool { return o.State == execution.Placed }},
		"two states":        {execution.Query{States: []execution.State{execution.Placed, execution.Planned}}, func(o execution.Order) bool { return o.State != execution.Delivered }},
		"market":            {execution.Query{Market: pricing.SIH}, func(o execution.Order) bool { return o.Market == pricing.SIH }},
		"state and market":  {execution.Query{Market: pricing.SIH, States: []execution.State{execution.Planned}}, func(o execution.Order) bool { return o.Market == pricing.SIH && o.State == execution.Planned }},
		"ref":               {execution.Query{MarketRef: "ref-4"}, func(o execution.Order) bool { return o.MarketRef == "ref-4" }},
		"ref, other market": {execution.Query{MarketRef: "ref-4", Market: pricing.SkinsBack}, func(execution.Order) bool { return false }},
		"nothing":           {execution.Query{States: []execution.State{execution.Settled}}, func(execution.Order) bool { return false }},
	} {
		var want []execution.Order
		for _, o := range slices.Backward(all) {
			if tc.want(o) {
				want = append(want, o)
			}
		}
		got, err := j.List(t.Context(), tc.q)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if d := journalDiff(got, want); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
	if _, err := j.List(t.Context(), execution.Query{After: "sa-none"}); !errors.Is(err, execution.ErrNoOrder) {
		t.Errorf("list after an unknown order: got error %v, want ErrNoOrder", err)
	}
}

func journalPaging(t *testing.T, open OpenJournal) {
	j, _ := open(t)
	var want []execution.OrderID
	for i := range 11 {
		o := journalOrder(1)
		o.Since = uint64(i)
		o.ID = o.Request.ID()
		if i > 5 { // some created at the same time, some later
			o.CreatedAt = o.CreatedAt.Add(time.Duration(i) * time.Second)
		}
		want = append(want, mustReserve(t, j, o).ID)
	}
	early := want[:6]
	slices.Sort(early)
	slices.Reverse(want)
	slices.SortFunc(want[5:], func(a, b execution.OrderID) int { return strings.Compare(string(b), string(a)) })

	var got []execution.OrderID
	q := execution.Query{Limit: 3, Market: pricing.SkinsBack}
	for {
		page, err := j.List(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) > q.Limit {
			t.Fatalf("a page of %d, want at most %d", len(page), q.Limit)
		}
		for _, o := range page {
			got = append(got, o.ID)
		}
		if len(page) < q.Limit {
			break
		}
		q.After = page[len(page)-1].ID
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("orders over all pages (-want +got):\n%s", d)
	}
}

func journalUsage(t *testing.T, open OpenJournal) {
	j, _ := open(t)
	now := journalStart.Add(100 * time.Hour)
	var want execution.Usage
	n := 0
	for _, s := range execution.States {
		for _, age := range []time.Duration{0, execution.Day - time.Second, execution.Day, 90 * time.Hour} {
			for _, paid := range []pricing.Money{0, pricing.Cent} {
				n++
				o := journalOrder(n)
				o.Item = journalItem(n % 3)
				o.Market = pricing.Markets[n/2%2] // either, with each of paid
				o.ID = o.Request.ID()
				o = mustReserve(t, j, o)
				o = mustAdvance(t, j, o, s, func(o *execution.Order) {
					if !s.Unrecorded() {
						o.SpentAt = now.Add(-age)
					}
					o.Paid = paid
				})
				want.Add(o, now)
			}
		}
	}
	got, err := j.Usage(t.Context(), now)
	if err != nil {
		t.Fatal(err)
	}
	if d := journalDiff(got, want); d != "" {
		t.Errorf("usage (-want +got):\n%s", d)
	}
}

// journalMarketUsage counts a few orders by hand, as they move.
func journalMarketUsage(t *testing.T, open OpenJournal) {
	j, _ := open(t)
	now := journalStart.Add(time.Hour)
	reserve := func(n int, m pricing.Market) execution.Order {
		o := journalOrder(n)
		o.Market = m
		o.ID = o.Request.ID()
		return mustReserve(t, j, o)
	}
	want := func(when string, skinsback, sih execution.MarketUsage, units map[pricing.Item]int) {
		t.Helper()
		got, err := j.Usage(t.Context(), now)
		if err != nil {
			t.Fatal(err)
		}
		u := execution.Usage{Units: units, ByMarket: map[pricing.Market]execution.MarketUsage{}}
		for m, mu := range map[pricing.Market]execution.MarketUsage{pricing.SkinsBack: skinsback, pricing.SIH: sih} {
			if mu != (execution.MarketUsage{}) {
				u.ByMarket[m] = mu
			}
			u.Open, u.InDoubt, u.Locked = u.Open+mu.Open, u.InDoubt+mu.InDoubt, u.Locked+mu.Locked
			u.Day, u.Unrecorded = u.Day+mu.Day, u.Unrecorded+mu.Unrecorded
		}
		if d := journalDiff(got, u); d != "" {
			t.Errorf("usage %s (-want +got):\n%s", when, d)
		}
	}
	dollars := func(n int) pricing.Money { return pricing.Money(n) * pricing.Dollar }
	spent := func(o *execution.Order) { o.SpentAt = now }

	want("of nothing", execution.MarketUsage{}, execution.MarketUsage{}, nil)
	one, two, four := reserve(1, pricing.SkinsBack), reserve(2, pricing.SIH), reserve(4, pricing.SIH)
	want("of plans", execution.MarketUsage{Open: 1, Locked: dollars(1), Day: dollars(1), Unrecorded: dollars(1)},
		execution.MarketUsage{Open: 2, Locked: dollars(6), Day: dollars(6), Unrecorded: dollars(6)},
		map[pricing.Item]int{journalItem(1): 1, journalItem(2): 1, journalItem(4): 1})

	one = mustAdvance(t, j, one, execution.Sent, nil)
	one = mustAdvance(t, j, one, execution.InDoubt, nil)
	mustAdvance(t, j, two, execution.Placed, func(o *execution.Order) { o.Paid = dollars(1); spent(o) })
	mustAdvance(t, j, four, execution.Failed, spent)
	want("of a doubt, a purchase and a failure", execution.MarketUsage{Open: 1, InDoubt: 1, Locked: dollars(1), Day: dollars(1), Unrecorded: dollars(1)},
		execution.MarketUsage{Open: 1, Locked: dollars(1), Day: dollars(5)}, map[pricing.Item]int{journalItem(1): 1, journalItem(2): 1})

	mustAdvance(t, j, one, execution.Rejected, nil)
	now = now.Add(execution.Day)
	want("a day later", execution.MarketUsage{}, execution.MarketUsage{Open: 1, Locked: dollars(1)}, nil)
}

func journalTotals(t *testing.T, open OpenJournal) {
	j, _ := open(t)
	empty, err := j.Totals(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if d := journalDiff(empty, execution.Totals{}); d != "" {
		t.Errorf("totals of nothing (-want +got):\n%s", d)
	}
	want := execution.Totals{}
	for day := 2; day >= 0; day-- {
		date := journalStart.Truncate(24*time.Hour).AddDate(0, 0, day)
		amounts := execution.DayAmounts{Day: date}
		for i, s := range execution.States {
			o := journalOrder(10*day + i + 1)
			o.CreatedAt = date.Add(time.Duration(i) * 2 * time.Hour)
			if i == 0 {
				o.CreatedAt = date.Add(24*time.Hour - 1) // the last nanosecond
			}
			if i%3 == 0 {
				o.Proceeds = 0
			}
			o.Since = uint64(day)
			o.ID = o.Request.ID()
			o = mustReserve(t, j, o)
			o = mustAdvance(t, j, o, s, func(o *execution.Order) {
				switch i % 4 {
				case 0:
					o.Paid = o.Ask - pricing.Cent
				case 2:
					o.Paid = o.Cost + 3*pricing.Cent
				}
				o.Refunded = pricing.Money(i) * pricing.Cent
			})
			amounts.Add(execution.SumOf(o))
			want.All.Add(execution.SumOf(o))
		}
		want.Days = append(want.Days, amounts)
	}
	got, err := j.Totals(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if d := journalDiff(got, want); d != "" {
		t.Errorf("totals (-want +got):\n%s", d)
	}
}

func journalBooks(t *testing.T, open OpenJournal) {
	j, reopen := open(t)
	want := map[pricing.Market]execution.Books{}
	compare := func(when string) {
		t.Helper()
		for _, m := range pricing.Markets {
			got, err := j.Books(t.Context(), m)
			if err != nil {
				t.Fatal(err)
			}
			if d := journalDiff(got, want[m]); d != "" {
				t.Errorf("books of %s %s (-want +got):\n%s", m, when, d)
			}
		}
	}
	compare("of nothing")
	for i, s := range execution.States {
		for k, m := range pricing.Markets {
			o := journalOrder(3*i + k + 1)
			o.Market = m
			o.ID = o.Request.ID()
			o = mustReserve(t, j, o)
			if s != execution.Planned {
				o = mustAdvance(t, j, o, execution.InDoubt, func(o *execution.Order) { o.Paid = pricing.Dollar })
			}
			o = mustAdvance(t, j, o, s, func(o *execution.Order) {
				o.Paid, o.Refunded, o.Booked = pricing.Money(i%3)*pricing.Dollar, pricing.Money(i%5)*pricing.Cent, i%2 == 0
			})
			b := want[m]
			b.Add(execution.SumOf(o))
			want[m] = b
		}
	}
	compare("never opened")
	for i, m := range pricing.Markets {
		for _, opening := range []pricing.Money{pricing.Dollar, 100*pricing.Dollar + pricing.Money(i)} { // the last one counts
			at := journalStart.Add(time.Duration(opening))
			if err := j.OpenBooks(t.Context(), m, opening, at); err != nil {
				t.Fatal(err)
			}
			b := want[m]
			b.Opening, b.OpenedAt = opening, at
			want[m] = b
		}
	}
	compare("opened")
	j = reopen()
	compare("after reopening")
}

func journalTrading(t *testing.T, open OpenJournal) {
	j, reopen := open(t)
	planned := mustReserve(t, j, journalOrder(1))
	sent := mustAdvance(t, j, mustReserve(t, j, journalOrder(2)), execution.Sent, nil)
	stop := execution.Trading{Stopped: true, Reason: "price war", By: "operator", At: journalStart}
	if err := j.SetTrading(t.Context(), stop); err != nil {
		t.Fatal(err)
	}
	j = reopen()
	got, err := j.Trading(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if d := journalDiff(got, stop); d != "" {
		t.Errorf("kill switch after reopening (-want +got):\n%s", d)
	}
	if _, created, err := j.Reserve(t.Context(), journalOrder(3), admitAll); !errors.Is(err, execution.ErrStopped) || created {
		t.Errorf("reserve while stopped: created %t, error %v, want ErrStopped", created, err)
	}
	moved := planned
	moved.State = execution.Sent
	if _, err := j.Advance(t.Context(), moved, execution.Step{At: journalStart, State: execution.Sent, Event: execution.OnSend}); !errors.Is(err, execution.ErrStopped) {
		t.Errorf("advance to sent while stopped: got error %v, want ErrStopped", err)
	}
	mustAdvance(t, j, sent, execution.Placed, nil) // what is on its way is followed
	mustAdvance(t, j, planned, execution.Cancelled, nil)

	if err := j.SetTrading(t.Context(), execution.Trading{By: "operator", At: journalStart.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	mustReserve(t, j, journalOrder(3))
}

func journalReopen(t *testing.T, open OpenJournal) {
	j, reopen := open(t)
	fillJournal(t, j, 9, execution.Planned, execution.Sent, execution.Delivered, execution.Settled)
	now := journalStart.Add(time.Hour)
	type all struct {
		Orders  []execution.Order
		Usage   execution.Usage
		Totals  execution.Totals
		Trading execution.Trading
	}
	read := func() (a all) {
		var errs [4]error
		a.Orders, errs[0] = j.List(t.Context(), execution.Query{})
		a.Usage, errs[1] = j.Usage(t.Context(), now)
		a.Totals, errs[2] = j.Totals(t.Context())
		a.Trading, errs[3] = j.Trading(t.Context())
		if err := errors.Join(errs[:]...); err != nil {
			t.Fatal(err)
		}
		return a
	}
	before := read()
	if len(before.Orders) != 9 {
		t.Fatalf("%d orders, want 9", len(before.Orders))
	}
	j = reopen()
	if d := journalDiff(read(), before); d != "" {
		t.Errorf("after reopening (-want +got):\n%s", d)
	}
	if err := j.Ping(t.Context()); err != nil {
		t.Errorf("ping: %v", err)
	}
}

func journalCancelled(t *testing.T, open OpenJournal) {
	j, _ := open(t)
	o := mustReserve(t, j, journalOrder(1))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	moved := o
	moved.State = execution.Sent
	if _, err := j.Advance(ctx, moved, execution.Step{At: journalStart, State: execution.Sent, Event: execution.OnSend}); err == nil {
		t.Error("advance with a context that is over: no error")
	}
	got, err := j.Get(t.Context(), o.ID)
	if err != nil {
		t.Fatal(err)
	}
	if d := journalDiff(got, o); d != "" {
		t.Errorf("after an advance that failed (-want +got):\n%s", d)
	}
}
