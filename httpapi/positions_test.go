package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"skinarb/execution"
	"skinarb/pricing"
	"skinarb/selling"
)

// Positions gives pages of f.positions, newest first.
func (f *fakeTrading) Positions(_ context.Context, q selling.Query) ([]selling.Position, error) {
	from := 0
	if q.After != "" {
		at := slices.IndexFunc(f.positions, func(p selling.Position) bool { return p.ID == q.After })
		if at < 0 {
			return nil, selling.ErrNoPosition
		}
		from = at + 1
	}
	var out []selling.Position
	for _, p := range f.positions[from:] {
		if len(out) < q.Limit && (len(q.States) == 0 || slices.Contains(q.States, p.State())) {
			out = append(out, p)
		}
	}
	return out, f.fail
}

// worldWithPositions has one position in each stage that its answer tells
// differently.
func worldWithPositions() *world {
	w := newWorld()
	it := w.trading.orders[0].Item
	at := func(ago time.Duration) time.Time { return now.Add(-ago) }
	position := func(id execution.OrderID, l selling.Listing) selling.Position {
		return selling.Position{
			ID: id, Item: it, BoughtOn: pricing.SkinsBack, SellOn: pricing.SIH, Cost: 7_990_000, Asset: "40000000001", Floor: 9_440_000,
			Note: "what was noted", CreatedAt: at(time.Hour), UpdatedAt: at(time.Hour), Listing: l,
		}
	}
	fresh := position("sa-fresh", selling.Listing{})
	fresh.Asset, fresh.Floor = "", 0
	w.trading.positions = []selling.Position{
		fresh,
		position("sa-refused", selling.Listing{State: selling.Refused, Offer: selling.Offer{Price: 10_000_000}, Error: "user offline"}),
		position("sa-listed", selling.Listing{State: selling.Listed, Offer: selling.Offer{Price: 10_490_000}, ListedAt: at(time.Minute), UpdatedAt: at(time.Minute)}),
		position("sa-sold", selling.Listing{State: selling.Sold, Offer: selling.Offer{Price: 10_000_000}, ListedAt: at(time.Minute), Proceeds: 9_000_000}),
		position("sa-lost", selling.Listing{State: selling.Vanished, Offer: selling.Offer{Price: 10_000_000}, ListedAt: at(time.Minute), Error: "not paid for"}),
	}
	return w
}

type positionsAnswer struct {
	Positions  []map[string]any `json:"positions"`
	NextCursor *string          `json:"next_cursor"`
}

func askPositions(t *testing.T, s *Server, target string) positionsAnswer {
	t.Helper()
	got := ask(t, s, request("GET", target, ""))
	var answer positionsAnswer
	if err := json.Unmarshal([]byte(got.body), &answer); err != nil || got.status != 200 {
		t.Fatalf("GET %s: got %d %s", target, got.status, got.body)
	}
	return answer
}

func TestPositionsTellWhatIsKnown(t *testing.T) {
	answer := askPositions(t, New(worldWithPositions().cfg), "/v1/positions")
	type told map[string]any
	want := map[string]told{
		"sa-fresh":   {"state": "held", "asset_id": nil, "price": nil, "floor": nil, "listed_at": nil, "proceeds": nil, "profit": nil, "note": "what was noted"},
		"sa-refused": {"state": "held", "asset_id": "40000000001", "price": nil, "floor": "9.44", "listed_at": nil, "proceeds": nil, "profit": nil, "note": "what was noted"},
		"sa-listed":  {"state": "listed", "asset_id": "40000000001", "price": "10.49", "floor": "9.44", "listed_at": "2026-11-22T11:59:00.000Z", "proceeds": nil, "profit": nil, "note": "what was noted"},
		"sa-sold":    {"state": "sold", "asset_id": "40000000001", "price": "10.00", "floor": "9.44", "listed_at": "2026-11-22T11:59:00.000Z", "proceeds": "9.00", "profit": "1.01", "note": nil},
		"sa-lost":    {"state": "vanished", "asset_id": "40000000001", "price": "10.00", "floor": "9.44", "listed_at": "2026-11-22T11:59:00.000Z", "proceeds": nil, "profit": nil, "note": "not paid for"},
	}
	if len(answer.Positions) != len(want) {
		t.Errorf("got %d positions, want %d", len(answer.Positions), len(want))
	}
	for _, p := range answer.Positions {
		order := p["order"].(string)
		got := told{}
		for k := range want[order] {
			got[k] = p[k]
		}
		if diff := cmp.Diff(want[order], got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", order, diff)
		}
		if p["cost"] != "7.99" || p["market"] != "sih" {
			t.Errorf("%s: got cost %v on %v, want 7.99 on sih", order, p["cost"], p["market"])
		}
	}
}

func TestPositionsPages(t *testing.T) {
	s := New(worldWithPositions().cfg)
	var got []string
	target := "/v1/positions?limit=2"
	for range 10 {
		answer := askPositions(t, s, target)
		for _, p := range answer.Positions {
			got = append(got, p["order"].(string))
		}
		if answer.NextCursor == nil {
			break
		}
		target = "/v1/positions?limit=2&cursor=" + *answer.NextCursor
	}
	if want := []string{"sa-fresh", "sa-refused", "sa-listed", "sa-sold", "sa-lost"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	held := askPositions(t, s, "/v1/positions?state=held,sold")
	if got := len(held.Positions); got != 3 {
		t.Errorf("held or sold: got %d positions, want 3", got)
	}
}

func TestPositionsRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		target string
		token  bool
		fail   error
		status int
	}{
		"an unknown state":             {"/v1/positions?state=sent", true, nil, 400},
		"an unknown cursor":            {"/v1/positions?cursor=sa-none", true, nil, 400},
		"a cursor that is none":        {"/v1/positions?cursor=%27", true, nil, 400},
		"a limit of nothing":           {"/v1/positions?limit=0", true, nil, 400},
		"an unknown parameter":         {"/v1/positions?market=sih", true, nil, 400},
		"no token":                     {"/v1/positions", false, nil, 401},
		"a journal that does not read": {"/v1/positions", true, errors.New("disk: secret path"), 500},
	} {
		t.Run(name, func(t *testing.T) {
			w := worldWithPositions().withTokens()
			w.trading.fail = tt.fail
			var headers []string
			if tt.token {
				headers = append(headers, "Authorization: Bearer "+operatorToken)
			}
			if got := ask(t, New(w.cfg), request("GET", tt.target, "", headers...)); got.status != tt.status {
				t.Errorf("GET %s: got status %d %s, want %d", tt.target, got.status, got.body, tt.status)
			}
		})
	}
}
