package skinsback

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"skinarb/pricing"
)

func TestPullSample(t *testing.T) {
	body := sample(t, "market_pricelist_grouped.json")
	got, err := answering(t, 200, body).Pull(t.Context(), pricing.CS2)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Listings) != 9 || got.Bytes != int64(len(body)) || !got.ObservedAt.Equal(testNow) || !cmp.Equal(got.Rejected, map[string]int{"out_of_stock": 1}) {
		t.Errorf("got %d listings of %d bytes at %s, rejected %v", len(got.Listings), got.Bytes, got.ObservedAt, got.Rejected)
	}
	byItem := map[pricing.Item]pricing.Listing{}
	for _, l := range got.Listings {
		byItem[l.Item] = l
	}
	const knife = "★ StatTrak™ Bowie Knife | Doppler (Factory New)"
	phased := pricing.Item{Game: pricing.CS2, Name: knife, Phase: pricing.Phase2}
	bare := pricing.Item{Game: pricing.CS2, Name: knife, Phase: pricing.UnknownPhase}
	for it, want := range map[pricing.Item]pricing.Listing{
		phased: {Item: phased, MarketName: "★ StatTrak™ Bowie Knife | Doppler Phase 2 (Factory New)", Ask: 498_770_000, Count: 2},
		bare:   {Item: bare, MarketName: knife, Ask: 498_770_000, Count: 2},
	} {
		if diff := cmp.Diff(want, byItem[it]); diff != "" {
			t.Errorf("%v (-want +got):\n%s", it, diff)
		}
	}
}

func TestPullRows(t *testing.T) {
	for name, tc := range map[string]struct {
		game     pricing.Game
		rows     string
		want     []pricing.Listing // without Item
		rejected map[string]int
	}{
		"the market's own spelling stays": {
			pricing.CS2, `{"name":"Michael Syfers  | FBI Sniper","price":5,"count":1}`,
			[]pricing.Listing{{MarketName: "Michael Syfers  | FBI Sniper", Ask: 5_000_000, Count: 1}}, map[string]int{},
		},
		"a missing count is unknown": {
			pricing.CS2, `{"name":"A case","price":5}`,
			[]pricing.Listing{{MarketName: "A case", Ask: 5_000_000, Count: pricing.CountUnknown}}, map[string]int{},
		},
		"of two rows the cheaper stays, with its own count": {
			pricing.CS2, `{"name":"A case","price":5,"count":9},{"name":"A  case","price":4,"count":2},{"name":"A case","price":6,"count":1}`,
			[]pricing.Listing{{MarketName: "A  case", Ask: 4_000_000, Count: 2}}, map[string]int{"duplicate": 2},
		},
		"phases never merge": {
			pricing.CS2, `{"name":"★ Karambit | Doppler (Factory New)","price":4,"count":3},{"name":"★ Karambit | Doppler Ruby (Factory New)","price":9,"count":1},{"name":"★ Karambit | Doppler Phase 1 (Factory New)","price":4,"count":2}`,
			[]pricing.Listing{
				{MarketName: "★ Karambit | Doppler (Factory New)", Ask: 4_000_000, Count: 3},
				{MarketName: "★ Karambit | Doppler Ruby (Factory New)", Ask: 9_000_000, Count: 1},
				{MarketName: "★ Karambit | Doppler Phase 1 (Factory New)", Ask: 4_000_000, Count: 2},
			}, map[string]int{},
		},
		"names and phases that are none": {
			pricing.CS2, `{"name":"a\u0000b","price":1,"count":1},{"name":"\u0020","price":1,"count":1},{"name":"★ Karambit | Doppler Emerald (Factory New)","price":1,"count":1},{"name":"★ Karambit | Doppler Phase 9 (Factory New)","price":1,"count":1},null`,
			nil, map[string]int{"name": 2, "phase": 2, "row": 1},
		},
		"other games have no phases": {
			pricing.Rust, `{"name":"★ Doppler (Factory New)","price":1,"count":1}`,
			[]pricing.Listing{{MarketName: "★ Doppler (Factory New)", Ask: 1_000_000, Count: 1}}, map[string]int{},
		},
	} {
		got, err := answering(t, 200, rows(tc.rows)).Pull(t.Context(), tc.game)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		seen := map[pricing.Item]bool{}
		for i := range got.Listings {
			it := got.Listings[i].Item
			if seen[it] || it.Game != tc.game {
				t.Errorf("%s: %v is there twice, or of another game", name, it)
			}
			seen[it] = true
			got.Listings[i].Item = pricing.Item{}
		}
		if diff := cmp.Diff(tc.want, got.Listings); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff(tc.rejected, got.Rejected); diff != "" {
			t.Errorf("%s, rejected (-want +got):\n%s", name, diff)
		}
	}
}

func TestSourceNamesWhatItSells(t *testing.T) {
	s := newClient(t, DefaultURL)
	if got, want := s.Games(), []pricing.Game{pricing.CS2, pricing.Rust, pricing.Dota2}; s.Market() != pricing.SkinsBack || !cmp.Equal(got, want) {
		t.Errorf("got %s with %v, want skinsback with %v", s.Market(), got, want)
	}
}
