package partner_test

import (
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"skinarb/partner"
)

// scenario is a history of a purchase, what SIH asks then, and the exact answers.
type scenario struct {
	ID       string   `json:"id"`
	Title    string   `json:"title"`
	Given    []string `json:"given"`     // steps before the calls, see given
	NextID   int64    `json:"next_id"`   // 0: 1001
	CustomID string   `json:"custom_id"` // of the purchase that is given; empty: fast-12345
	Calls    []call   `json:"calls"`
	Stored   int      `json:"stored"` // purchases afterwards
}

const offerID = 7912345678

var (
	windowEnd = start.Add(7 * 24 * time.Hour)
	reversed  = time.Unix(1_769_400_000, 0)
)

// given is the news behind the words of scenarios.
var given = map[string]partner.News{
	"sent":                 {State: partner.Sent, OfferID: offerID},
	"protected":            {State: partner.Protected, Until: windowEnd},
	"settled":              {State: partner.Settled},
	"accepted":             {State: partner.Accepted},
	"declined":             {State: partner.Failed, Reason: partner.CanceledByBuyer},
	"withdrawn":            {State: partner.Failed, Reason: partner.CanceledBySeller},
	"unsent":               {State: partner.Failed, Reason: partner.SendTimeout},
	"too cheap":            {State: partner.Failed, Reason: partner.BadPrice},
	"bad token":            {State: partner.Failed, Reason: partner.InvalidTradelink},
	"reversed by user":     {State: partner.RolledBack, Rollback: partner.Rollback{By: partner.ByUser, At: reversed, Amount: 1_230_000}},
	"reversed by supplier": {State: partner.RolledBack, Rollback: partner.Rollback{By: partner.BySupplier, At: reversed, Amount: 1_230_000}},
	"reversed for less":    {State: partner.RolledBack, Rollback: partner.Rollback{By: partner.ByUser, At: reversed, Amount: 980_000}},
}

// TestScenarios plays every scenario of the protocol: calls, signatures and
// answers are facts of the protocol, or what was decided where it is silent.
func TestScenarios(t *testing.T) {
	var all []scenario
	readTestdata(t, "scenarios.json", &all)
	if len(all) != 40 {
		t.Fatalf("got %d scenarios, want 40", len(all))
	}
	for _, sc := range all {
		t.Run(sc.ID+" "+sc.Title, func(t *testing.T) {
			sh := newShop(t)
			if sc.NextID != 0 {
				sh.store.nextID = sc.NextID
			}
			for _, step := range sc.Given {
				sh.live(t, sc, step)
			}
			for _, c := range sc.Calls {
				var wg sync.WaitGroup
				for range max(1, c.Times) {
					wg.Go(func() { c.check(t, sh.Server) })
				}
				wg.Wait()
			}
			if len(sh.store.all) != sc.Stored {
				t.Errorf("got %d purchases stored, want %d", len(sh.store.all), sc.Stored)
			}
		})
	}
}

// live makes a step of a history happen.
func (sh *shop) live(t *testing.T, sc scenario, step string) {
	t.Helper()
	customID := sc.CustomID
	if customID == "" {
		customID = "fast-12345"
	}
	switch step {
	case "create":
		if _, created, err := sh.store.Create(t.Context(), partner.Purchase{
			CustomID: customID, ItemID: "50231", Buyer: partner.Buyer{SteamID: "76561198000000000", Token: "SSH18JS"},
			Price: 1_230_000, State: partner.Created, CreatedAt: sh.now, UpdatedAt: sh.now,
		}); err != nil || !created {
			t.Fatalf("create: created %t, error %v", created, err)
		}
	case "crash":
		sh.restart(t)
	default:
		n, known := given[step]
		if !known {
			t.Fatalf("no step %q", step)
		}
		sh.now = sh.now.Add(time.Minute)
		n.At = sh.now
		if _, err := sh.store.Advance(t.Context(), customID, n); err != nil {
			t.Fatalf("%s: %v", step, err)
		}
	}
}

// check makes a call and compares its answer as JSON.
func (c call) check(t *testing.T, s *partner.Server) {
	t.Helper()
	got := c.make(s)
	if err := checkAnswer(got); err != nil {
		t.Errorf("%s: %s is no answer of the protocol: %v", c, got, err)
	}
	var answer, want any
	if err := json.Unmarshal(got, &answer); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(c.Want, &want); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, answer); d != "" {
		t.Errorf("%s (-want +got):\n%s", c, d)
	}
}
