package selling

import (
	"strings"
	"testing"

	"skinarb/pricing"
)

const (
	redline  = "AK-47 | Redline (Field-Tested)"
	karambit = "★ Karambit | Doppler (Factory New)"
)

// doppler gives a phase of karambit.
func doppler(p pricing.Phase) pricing.Item {
	return pricing.Item{Game: pricing.CS2, Name: karambit, Phase: p}
}

func TestFindAsset(t *testing.T) {
	ak := pricing.Item{Game: pricing.CS2, Name: redline}
	own := func(id, name string) Asset { return Asset{ID: id, Name: name, Tradable: true} }
	locked := func(a Asset) Asset { a.Tradable = false; return a }
	for _, tt := range []struct {
		name   string
		item   pricing.Item
		asset  string
		assets []Asset
		others []Position
		want   string
		reason string
	}{
		{"by name", ak, "", []Asset{own("7", "Glock-18 | Fade (Factory New)"), own("8", redline)}, nil, "8", ""},
		{"another spelling", ak, "", []Asset{own("8", "AK-47 |  Redline (Field-Tested) ")}, nil, "8", ""},
		{"the one that came last", ak, "", []Asset{own("9", redline), own("10", redline), own("8", redline)}, nil, "10", ""},
		{"the one that came last is locked", ak, "", []Asset{own("9", redline), locked(own("10", redline))}, nil, "9", ""},
		{"all are locked", ak, "", []Asset{locked(own("9", redline))}, nil, "", "not tradable"},
		{"none", ak, "", []Asset{own("9", "StatTrak™ "+redline)}, nil, "", "has none"},
		{"not another position's", ak, "", []Asset{own("9", redline), own("8", redline)}, []Position{{ID: "sa-2", Item: ak, Asset: "9"}}, "8", ""},
		{"only another position's", ak, "", []Asset{own("9", redline)}, []Position{{ID: "sa-2", Item: ak, Asset: "9"}}, "", "has none"},
		{"its own again", ak, "8", []Asset{own("9", redline), own("8", redline)}, nil, "8", ""},
		{"its own is locked", ak, "8", []Asset{own("9", redline), locked(own("8", redline))}, nil, "", "not tradable"},
		{"its own has another id now", ak, "8", []Asset{own("9", redline)}, nil, "9", ""},
		{"the phase is told", doppler(pricing.Phase2), "", []Asset{own("8", "★ Karambit | Doppler Phase 2 (Factory New)"), own("9", "★ Karambit | Doppler Ruby (Factory New)")}, nil, "8", ""},
		{"another phase is told", doppler(pricing.Phase2), "", []Asset{own("9", "★ Karambit | Doppler Ruby (Factory New)")}, nil, "", "has none"},
		{"the phase is not told", doppler(pricing.Phase2), "", []Asset{own("9", karambit)}, nil, "9", ""},
		{"not told, and another phase is held", doppler(pricing.Phase2), "", []Asset{own("9", karambit)}, []Position{{ID: "sa-2", Item: doppler(pricing.Ruby)}}, "", "could be another"},
		{"not told, and there is one too many", doppler(pricing.Phase2), "", []Asset{own("8", karambit), own("9", karambit)}, nil, "", "could be another"},
		{"not told, and two want one", doppler(pricing.Phase2), "", []Asset{own("8", karambit), own("9", karambit)}, []Position{{ID: "sa-2", Item: doppler(pricing.Phase2)}}, "9", ""},
		{"told goes before not told", doppler(pricing.Phase2), "", []Asset{own("9", karambit), own("8", "★ Karambit | Doppler Phase 2 (Factory New)")}, []Position{{ID: "sa-2", Item: doppler(pricing.Ruby)}}, "8", ""},
		{"a name that is none", ak, "", []Asset{own("9", ""), own("8", strings.Repeat("x", 300))}, nil, "", "has none"},
	} {
		p := Position{ID: "sa-1", Item: tt.item, Asset: tt.asset}
		got, reason := findAsset(p, tt.assets, append([]Position{p}, tt.others...))
		if got.ID != tt.want || (reason == "") != (tt.reason == "") || !strings.Contains(reason, tt.reason) {
			t.Errorf("%s: got asset %q, reason %q, want %q, %q", tt.name, got.ID, reason, tt.want, tt.reason)
		}
	}
}
