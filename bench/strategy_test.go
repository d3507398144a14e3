package main

import (
	"testing"

	"skinarb/pricing"
	"skinarb/strategy"
)

// The peer of the strategy suite must do the same work: whatever the engine finds
// it finds too, at the same cost and profit. It has fewer rules, so it finds more.
func TestMapScanFindsWhatTheEngineFinds(t *testing.T) {
	r, err := newRig(options{seed: 1, items: 2000})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	both, err := r.catalogs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	engine := strategy.New(strategy.DefaultRules())
	now := r.clock.now()
	engine.Update(bookOf(both), nil, true, fresh(now), now)
	got, err := newMapScan(strategy.DefaultRules(), both...).scan()
	if err != nil {
		t.Fatal(err)
	}

	type key struct {
		item  string
		buyOn pricing.Market
	}
	byKey := map[key]found{}
	for i, f := range got {
		byKey[key{f.item, f.buyOn}] = f
		if i > 0 && got[i-1].edge.LessThan(f.edge) {
			t.Errorf("%s, edge %s, comes after %s with %s, want the best first", f.item, f.edge, got[i-1].item, got[i-1].edge)
		}
	}
	all := engine.Opportunities(now)
	if len(all) == 0 {
		t.Fatal("the engine found nothing, want a market with opportunities")
	}
	for _, o := range all {
		f, ok := byKey[key{o.Item.String(), o.Buy.Market}]
		if !ok {
			t.Errorf("%s on %s: got nothing, want a profit of %s", o.Item, o.Buy.Market, o.Profit)
			continue
		}
		if !f.cost.Equal(decimalOf(o.Cost)) || !f.proceeds.Equal(decimalOf(o.Proceeds)) || !f.profit.Equal(decimalOf(o.Profit)) {
			t.Errorf("%s on %s: got cost %s, proceeds %s, profit %s, want %s, %s, %s", o.Item, o.Buy.Market, f.cost, f.proceeds, f.profit, o.Cost, o.Proceeds, o.Profit)
		}
	}
}
