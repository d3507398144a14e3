package storetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"skinarb/partner"
	"skinarb/pricing"
)

// OpenPurchases opens an empty store for a test. reopen closes it and opens the
// same records again, as after a restart.
type OpenPurchases func(t testing.TB) (s partner.Store, reopen func() partner.Store)

// Purchases tests the contract of partner.Store.
func Purchases(t *testing.T, open OpenPurchases) {
	for name, test := range map[string]func(*testing.T, OpenPurchases){
		"create":                         purchasesCreate,
		"a customId is stored once":      purchasesRepeat,
		"one of many gets the customId":  purchasesRace,
		"one of many gets the item":      purchasesItemRace,
		"an item is free again":          purchasesItemFree,
		"advance":                        purchasesAdvance,
		"advance refuses":                purchasesRefuse,
		"one of many moves it":           purchasesAdvanceRace,
		"identifiers are kept as given":  purchasesIdentifiers,
		"a caller that gave up":          purchasesCancelled,
		"a store is what happened to it": purchasesModel,
	} {
		t.Run(name, func(t *testing.T) { test(t, open) })
	}
}

// aPurchase gives the nth purchase, of an item of its own.
func aPurchase(n int) partner.Purchase {
	at := journalStart.Add(time.Duration(n) * time.Second)
	return partner.Purchase{
		CustomID: fmt.Sprintf("fast-%d", n), ItemID: fmt.Sprint(50_000 + n),
		Buyer: partner.Buyer{SteamID: "76561198000000000", Token: "SSH18JS"}, Price: 1_230_000 + pricing.Money(n),
		State: partner.Created, CreatedAt: at, UpdatedAt: at,
	}
}

func mustCreate(t testing.TB, s partner.Store, p partner.Purchase) partner.Purchase {
	t.Helper()
	stored, created, err := s.Create(t.Context(), p)
	if err != nil || !created {
		t.Fatalf("create %s: created %t, error %v", p.CustomID, created, err)
	}
	return stored
}

func mustTell(t testing.TB, s partner.Store, customID string, n partner.News) partner.Purchase {
	t.Helper()
	p, err := s.Advance(t.Context(), customID, n)
	if err != nil {
		t.Fatalf("advance %s to %s: %v", customID, n.State, err)
	}
	return p
}

func mustOpen(t testing.TB, s partner.Store) []partner.Purchase {
	t.Helper()
	all, err := s.Open(t.Context())
	if err != nil {
		t.Fatalf("open purchases: %v", err)
	}
	return all
}

func purchasesCreate(t *testing.T, open OpenPurchases) {
	s, reopen := open(t)
	last := int64(0)
	var want []partner.Purchase
	for n := range 3 {
		p := mustCreate(t, s, aPurchase(n))
		if p.ID <= last {
			t.Errorf("purchase %d got id %d, want one above %d", n, p.ID, last)
		}
		last = p.ID
		given := aPurchase(n)
		given.ID = p.ID
		if d := journalDiff(p, given); d != "" {
			t.Errorf("created purchase (-want +got):\n%s", d)
		}
		want = append(want, given)
		s = reopen()
	}
	for _, p := range want {
		got, err := s.Get(t.Context(), p.CustomID)
		if err != nil {
			t.Fatal(err)
		}
		if d := journalDiff(got, p); d != "" {
			t.Errorf("purchase read back (-want +got):\n%s", d)
		}
	}
	if d := journalDiff(mustOpen(t, s), want); d != "" {
		t.Errorf("open purchases (-want +got):\n%s", d)
	}
	if _, err := s.Get(t.Context(), "fast-none"); !errors.Is(err, partner.ErrNoPurchase) {
		t.Errorf("get of an unknown customId: got error %v, want ErrNoPurchase", err)
	}
	if _, err := s.Get(t.Context(), "FAST-1"); !errors.Is(err, partner.ErrNoPurchase) {
		t.Errorf("get in other case: got error %v, want ErrNoPurchase", err)
	}
}

func purchasesRepeat(t *testing.T, open OpenPurchases) {
	s, reopen := open(t)
	mustCreate(t, s, aPurchase(1))
	for _, n := range []partner.News{
		{State: partner.Sent, At: journalStart.Add(time.Hour), OfferID: 7912345678},
		{State: partner.Failed, At: journalStart.Add(2 * time.Hour), Reason: partner.CanceledByBuyer},
	} {
		now := mustTell(t, s, "fast-1", n)
		other := aPurchase(2)
		other.CustomID = "fast-1"
		for _, p := range []partner.Purchase{aPurchase(1), other} {
			got, created, err := s.Create(t.Context(), p)
			if err != nil || created {
				t.Errorf("create again while %s: created %t, error %v, want false and none", n.State, created, err)
			}
			if d := journalDiff(got, now); d != "" {
				t.Errorf("create again while %s (-want +got):\n%s", n.State, d)
			}
		}
		s = reopen()
	}
	mustCreate(t, s, aPurchase(2)) // asking for its item under another customId has not taken it
}

func purchasesRace(t *testing.T, open OpenPurchases) {
	s, _ := open(t)
	var mu sync.Mutex
	var wg sync.WaitGroup
	ids, times := map[int64]bool{}, 0
	for n := range 20 {
		wg.Go(func() {
			p := aPurchase(n)
			p.CustomID = "fast-1"
			got, created, err := s.Create(t.Context(), p)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Errorf("create: %v", err)
			}
			ids[got.ID] = true
			if created {
				times++
			}
		})
	}
	wg.Wait()
	if times != 1 || len(ids) != 1 || len(mustOpen(t, s)) != 1 {
		t.Errorf("created %d times with %d ids, %d are open, want 1 each", times, len(ids), len(mustOpen(t, s)))
	}
}

func purchasesItemRace(t *testing.T, open OpenPurchases) {
	s, _ := open(t)
	var mu sync.Mutex
	var wg sync.WaitGroup
	times := 0
	for n := range 20 {
		wg.Go(func() {
			p := aPurchase(n)
			p.ItemID = "50231"
			_, created, err := s.Create(t.Context(), p)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case created && err == nil:
				times++
			case !errors.Is(err, partner.ErrItemTaken):
				t.Errorf("create %s: created %t, error %v, want ErrItemTaken", p.CustomID, created, err)
			}
		})
	}
	wg.Wait()
	if times != 1 || len(mustOpen(t, s)) != 1 {
		t.Errorf("an item was sold %d times, %d are open, want 1 each", times, len(mustOpen(t, s)))
	}
}

// purchasesItemFree: an item belongs to a purchase until that failed or was
// reversed.
func purchasesItemFree(t *testing.T, open OpenPurchases) {
	for _, state := range partner.States {
		s, reopen := open(t)
		first := mustCreate(t, s, aPurchase(1))
		if state != partner.Created {
			mustTell(t, s, "fast-1", newsOf(state))
		}
		s = reopen()
		next := aPurchase(2)
		next.ItemID = first.ItemID
		_, created, err := s.Create(t.Context(), next)
		if state.Holds() {
			if created || !errors.Is(err, partner.ErrItemTaken) {
				t.Errorf("%s: created %t, error %v, want ErrItemTaken", state, created, err)
			}
			if _, err := s.Get(t.Context(), next.CustomID); !errors.Is(err, partner.ErrNoPurchase) {
				t.Errorf("%s: the refused purchase: error %v, want ErrNoPurchase", state, err)
			}
		} else if !created || err != nil {
			t.Errorf("%s: created %t, error %v, want the item to be free", state, created, err)
		}
	}
}

// newsOf gives whole news of a state.
func newsOf(s partner.State) partner.News {
	return partner.News{
		State: s, At: journalStart.Add(time.Hour), OfferID: 7912345678, Reason: partner.SendTimeout, Until: journalStart.Add(8 * 24 * time.Hour),
		Rollback: partner.Rollback{By: partner.ByUser, At: journalStart.Add(24 * time.Hour), Amount: 980_000},
	}
}

func purchasesAdvance(t *testing.T, open OpenPurchases) {
	s, reopen := open(t)
	want := mustCreate(t, s, aPurchase(1))
	for _, state := range []partner.State{partner.Sent, partner.Accepted, partner.Protected, partner.RolledBack} {
		n := newsOf(state)
		var err error
		if want, err = want.With(n); err != nil {
			t.Fatal(err)
		}
		for _, when := range []string{"at first", "again"} {
			if d := journalDiff(mustTell(t, s, "fast-1", n), want); d != "" {
				t.Errorf("advance to %s %s (-want +got):\n%s", state, when, d)
			}
			n.At = n.At.Add(time.Minute) // the same news later is no news
		}
		s = reopen()
		got, err := s.Get(t.Context(), "fast-1")
		if err != nil {
			t.Fatal(err)
		}
		if d := journalDiff(got, want); d != "" {
			t.Errorf("%s read back (-want +got):\n%s", state, d)
		}
		if n := len(mustOpen(t, s)); (n == 1) != state.Open() {
			t.Errorf("%s: %d purchases are open", state, n)
		}
	}
}

func purchasesRefuse(t *testing.T, open OpenPurchases) {
	s, _ := open(t)
	mustCreate(t, s, aPurchase(1))
	want := mustTell(t, s, "fast-1", newsOf(partner.Protected))
	for _, tt := range []struct {
		customID string
		news     partner.News
		want     error
	}{
		{"fast-1", newsOf(partner.Sent), partner.ErrBackwards},
		{"fast-1", newsOf(partner.Failed), partner.ErrBackwards},
		{"fast-1", partner.News{State: partner.RolledBack}, partner.ErrNews},
		{"fast-2", newsOf(partner.Sent), partner.ErrNoPurchase},
	} {
		if _, err := s.Advance(t.Context(), tt.customID, tt.news); !errors.Is(err, tt.want) {
			t.Errorf("advance %s to %s: got error %v, want %v", tt.customID, tt.news.State, err, tt.want)
		}
	}
	got, err := s.Get(t.Context(), "fast-1")
	if err != nil {
		t.Fatal(err)
	}
	if d := journalDiff(got, want); d != "" {
		t.Errorf("after news that was refused (-want +got):\n%s", d)
	}
}

// purchasesAdvanceRace: of news that exclude each other one comes through.
func purchasesAdvanceRace(t *testing.T, open OpenPurchases) {
	s, _ := open(t)
	mustCreate(t, s, aPurchase(1))
	var mu sync.Mutex
	var wg sync.WaitGroup
	won := map[partner.State]int{}
	for n := range 20 {
		state := []partner.State{partner.Failed, partner.Settled}[n%2]
		wg.Go(func() {
			_, err := s.Advance(t.Context(), "fast-1", newsOf(state))
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				won[state]++
			case !errors.Is(err, partner.ErrBackwards):
				t.Errorf("advance to %s: got error %v, want ErrBackwards", state, err)
			}
		})
	}
	wg.Wait()
	p, err := s.Get(t.Context(), "fast-1")
	if err != nil || len(won) != 1 || won[p.State] != 10 {
		t.Errorf("it is %s (error %v), and %v came through, want the 10 of one kind", p.State, err, won)
	}
}

func purchasesIdentifiers(t *testing.T, open OpenPurchases) {
	s, reopen := open(t)
	ids := []string{"12345", "012345", "1e3", "fast-★-1", "a'b", `a"b\c`, "a b", "%", "null", "é", "e\u0301", "\U0001F600"}
	for n, id := range ids {
		p := aPurchase(n)
		p.CustomID, p.ItemID = id, "i"+id
		mustCreate(t, s, p)
	}
	s = reopen()
	for n, id := range ids {
		p, err := s.Get(t.Context(), id)
		if err != nil || p.CustomID != id || p.ItemID != "i"+id || p.Price != aPurchase(n).Price {
			t.Errorf("customId %q: got %+v, error %v, want it as it was given", id, p, err)
		}
	}
}

func purchasesCancelled(t *testing.T, open OpenPurchases) {
	s, _ := open(t)
	mustCreate(t, s, aPurchase(1))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, created, create := s.Create(ctx, aPurchase(2))
	_, get := s.Get(ctx, "fast-1")
	_, ofItem := s.OfItem(ctx, aPurchase(1).ItemID)
	_, advance := s.Advance(ctx, "fast-1", newsOf(partner.Sent))
	_, list := s.Open(ctx)
	for name, err := range map[string]error{"Create": create, "Get": get, "OfItem": ofItem, "Advance": advance, "Open": list} {
		if err == nil || errors.Is(err, partner.ErrNoPurchase) {
			t.Errorf("%s for a caller that gave up: got error %v, want another one", name, err)
		}
	}
	if all := mustOpen(t, s); created || len(all) != 1 || all[0].State != partner.Created {
		t.Errorf("left behind: %+v, want the first purchase as it was", all)
	}
}

// purchasesModel draws histories, with restarts in them, and compares the store
// with a map. They come one after another in the same store, which takes long to
// open on a disk.
func purchasesModel(t *testing.T, open OpenPurchases) {
	s, reopen := open(t)
	last, histories := int64(0), 0
	rapid.Check(t, func(rt *rapid.T) {
		m := purchaseModel{s: s, all: map[string]partner.Purchase{}, last: last, prefix: fmt.Sprintf("%d-", histories)}
		histories++
		for range rapid.IntRange(1, 20).Draw(rt, "steps") {
			switch step := rapid.IntRange(0, 40).Draw(rt, "step"); {
			case step == 0:
				m.s = reopen()
				s = m.s
			case step <= 20:
				m.create(rt)
			default:
				m.advance(rt)
			}
			last = m.last
		}
		m.compare(rt)
		m.close(rt)
	})
}

// purchaseModel is a store, and what should be in it of one history.
type purchaseModel struct {
	s      partner.Store
	all    map[string]partner.Purchase // by customId
	last   int64                       // id
	prefix string                      // of every identifier
}

func (m *purchaseModel) drawCustomID(rt *rapid.T) string {
	return m.prefix + rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(rt, "customId")
}

func (m *purchaseModel) create(rt *rapid.T) {
	p := aPurchase(rapid.IntRange(0, 9).Draw(rt, "n"))
	p.CustomID, p.ItemID = m.drawCustomID(rt), m.prefix+rapid.SampledFrom([]string{"x", "y"}).Draw(rt, "item")
	known, isKnown := m.all[p.CustomID]
	taken := false
	for _, other := range m.all {
		taken = taken || other.ItemID == p.ItemID && other.State.Holds()
	}
	got, created, err := m.s.Create(context.Background(), p)
	switch {
	case isKnown:
		if d := journalDiff(got, known); err != nil || created || d != "" {
			rt.Fatalf("create again: created %t, error %v (-want +got):\n%s", created, err, d)
		}
	case taken:
		if created || !errors.Is(err, partner.ErrItemTaken) {
			rt.Fatalf("create with a taken item: created %t, error %v, want ErrItemTaken", created, err)
		}
	case err != nil || !created || got.ID <= m.last:
		rt.Fatalf("create: %+v, created %t, error %v, want a new id above %d", got, created, err, m.last)
	default:
		m.last, m.all[p.CustomID] = got.ID, got
	}
}

func (m *purchaseModel) advance(rt *rapid.T) {
	id := m.drawCustomID(rt)
	n := newsOf(rapid.SampledFrom(partner.States).Draw(rt, "state"))
	if rapid.Bool().Draw(rt, "without offer") {
		n.OfferID = 0
	}
	known, isKnown := m.all[id]
	want, wantErr := known.With(n)
	if !isKnown {
		wantErr = partner.ErrNoPurchase
	}
	got, err := m.s.Advance(context.Background(), id, n)
	switch {
	case wantErr != nil:
		if err == nil {
			rt.Fatalf("advance %s to %s: no error, want %v", id, n.State, wantErr)
		}
	case err != nil:
		rt.Fatalf("advance %s to %s: %v", id, n.State, err)
	default:
		if d := journalDiff(got, want); d != "" {
			rt.Fatalf("advance %s to %s (-want +got):\n%s", id, n.State, d)
		}
		m.all[id] = want
	}
}

func (m *purchaseModel) compare(rt *rapid.T) {
	var want []partner.Purchase
	for id, p := range m.all {
		if p.State.Open() {
			want = append(want, p)
		}
		got, err := m.s.Get(context.Background(), id)
		if d := journalDiff(got, p); err != nil || d != "" {
			rt.Fatalf("%s: error %v (-want +got):\n%s", id, err, d)
		}
	}
	for _, item := range []string{"x", "y"} {
		m.compareItem(rt, m.prefix+item)
	}
	slices.SortFunc(want, func(a, b partner.Purchase) int { return cmp.Compare(a.ID, b.ID) })
	got, err := m.s.Open(context.Background())
	if d := journalDiff(got, want); err != nil || d != "" {
		rt.Fatalf("open purchases: error %v (-want +got):\n%s", err, d)
	}
}

func (m *purchaseModel) compareItem(rt *rapid.T, item string) {
	var want partner.Purchase
	for _, p := range m.all {
		if p.ItemID == item && p.ID > want.ID {
			want = p
		}
	}
	got, err := m.s.OfItem(context.Background(), item)
	if want.ID == 0 {
		if !errors.Is(err, partner.ErrNoPurchase) {
			rt.Fatalf("newest purchase of %s: got error %v, want ErrNoPurchase", item, err)
		}
		return
	}
	if d := journalDiff(got, want); err != nil || d != "" {
		rt.Fatalf("newest purchase of %s: error %v (-want +got):\n%s", item, err, d)
	}
}

// close ends what is open, for the next history.
func (m *purchaseModel) close(rt *rapid.T) {
	for id, p := range m.all {
		if !p.State.Open() {
			continue
		}
		if _, err := m.s.Advance(context.Background(), id, newsOf(partner.Settled)); err != nil {
			rt.Fatalf("settle %s: %v", id, err)
		}
	}
}
