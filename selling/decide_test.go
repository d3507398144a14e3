package selling

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"skinarb/pricing"
)

var testRules = Rules{
	Fees:      map[pricing.Market]pricing.Fees{pricing.SIH: {SellBps: 1000}, pricing.SkinsBack: {SellBps: 500}},
	MinProfit: pricing.Dollar / 2, RepriceEvery: 30 * time.Minute, ReturnAfter: 24 * time.Hour, VanishAfter: 12 * 24 * time.Hour,
}

// testPosition costs 8.50 and is sold on SIH, where its floor is 10.00.
func testPosition() Position {
	return Position{
		ID: "sa-1", Item: pricing.Item{Game: pricing.CS2, Name: redline}, BoughtOn: pricing.SkinsBack, SellOn: pricing.SIH,
		Cost: usd("8.50"), Expected: usd("10.80"), Asset: "9",
	}
}

// testView is what makes testPosition be listed for 11.99.
func testView() view {
	now := start.Add(24 * time.Hour)
	return view{
		now: now, assets: []Asset{{ID: "9", Name: redline, Tradable: true, Pays: usd("12.00")}},
		quote:   pricing.Quote{Market: pricing.SIH, ObservedAt: now, Listing: pricing.Listing{Ask: usd("12.00")}},
		offered: true,
	}
}

// on gives a listing in a state that began two hours before the test's view.
func on(s State, price string) Listing {
	at := start.Add(22 * time.Hour)
	return Listing{State: s, Offer: Offer{Goods: "9", Price: usd(price)}, Round: 1, CreatedAt: at, UpdatedAt: at, ListedAt: at, GoneAt: at}
}

func TestDecide(t *testing.T) {
	type change = func(*Position, *view)
	listed := func(price string) change {
		return func(p *Position, _ *view) { p.Listing = on(Listed, price) }
	}
	gone := func(p *Position, v *view) {
		p.Listing = on(Gone, "12.00")
		p.Listing.GoneAt = v.now.Add(-testRules.ReturnAfter)
	}
	reversed := func(_ *Position, v *view) { v.reversed = true }
	toSkinsBack := func(p *Position, v *view) { p.BoughtOn, p.SellOn = pricing.SIH, pricing.SkinsBack }
	ended := func(s State, ago time.Duration) change {
		return func(p *Position, v *view) {
			p.Listing = on(s, "12.00")
			p.Listing.UpdatedAt, p.Listing.Error = v.now.Add(-ago), "user offline"
		}
	}
	for _, tt := range []struct {
		name    string
		changes []change
		do      action
		price   string
		note    string
	}{
		{"undercut by a cent", nil, list, "11.99", ""},
		{"the market is below the floor", []change{func(_ *Position, v *view) { v.quote.Ask = usd("9.80") }}, list, "10.00", "at its floor: the lowest ask there is 9.80"},
		{"the floor is the lowest ask", []change{func(_ *Position, v *view) { v.quote.Ask = usd("10.00") }}, list, "10.00", "at its floor"},
		{"nobody offers it: what was expected", []change{func(_ *Position, v *view) { v.offered = false }}, list, "12.00", "nobody else"},
		{"nobody offers it, and less was expected than the floor", []change{func(p *Position, v *view) { v.offered = false; p.Expected = usd("5.00") }}, list, "10.00", "nobody else"},
		{"our own lowest ask is met", []change{func(_ *Position, v *view) { v.ours = []pricing.Money{usd("12.00")} }}, list, "12.00", ""},
		{"stale prices", []change{func(_ *Position, v *view) { v.stale = "prices of sih/cs2 are stale" }}, wait, "", "prices of sih/cs2 are stale"},
		{"stopped", []change{func(_ *Position, v *view) { v.stopped = true }}, wait, "", "stopped"},
		{"reversed", []change{reversed}, wait, "", "not settled any more"},
		{"no inventory", []change{func(_ *Position, v *view) { v.blind = "the inventory is not known" }}, wait, "", "the inventory is not known"},
		{"not in the inventory", []change{func(_ *Position, v *view) { v.assets = nil }}, wait, "", "has none"},
		{"refused a moment ago", []change{ended(Refused, 29*time.Minute)}, wait, "", "refused: user offline"},
		{"refused a while ago", []change{ended(Refused, 30*time.Minute)}, list, "11.99", ""},
		{"returned a moment ago", []change{ended(Returned, time.Minute)}, wait, "", "returned"},
		{"unsent a moment ago", []change{ended(Unsent, 59*time.Second)}, wait, "", "unsent"},
		{"unsent a minute ago", []change{ended(Unsent, time.Minute)}, list, "11.99", ""},
		{"withdrawn to be listed again", []change{ended(Withdrawn, 0)}, list, "11.99", ""},
		{"withdrawn as soon as it was listed", []change{ended(Withdrawn, 0), func(p *Position, v *view) { p.Listing.CreatedAt = v.now.Add(-29 * time.Minute) }}, wait, "", "withdrawn"},

		{"skinsback pays enough", []change{toSkinsBack}, list, "12.00", ""},
		{"skinsback pays the floor", []change{toSkinsBack, func(_ *Position, v *view) { v.assets[0].Pays = usd("9.48") }}, list, "9.48", ""},
		{"skinsback pays a cent less", []change{toSkinsBack, func(_ *Position, v *view) { v.assets[0].Pays = usd("9.47") }}, wait, "", "pays 9.47, less than the floor"},
		{"skinsback does not take it", []change{toSkinsBack, func(_ *Position, v *view) { v.assets[0].Pays = 0 }}, wait, "", "does not take it"},
		{"on skinsback nothing is re-priced", []change{toSkinsBack, listed("12.00"), func(_ *Position, v *view) { v.quote.Ask = usd("11.00") }}, wait, "", ""},

		{"somebody is cheaper", []change{listed("12.50")}, withdraw, "11.99", "11.99 instead of 12.50"},
		{"we are the cheapest", []change{listed("12.00"), func(_ *Position, v *view) { v.ours = []pricing.Money{usd("12.00")} }}, wait, "", ""},
		{"all others are dearer and we are not shown", []change{listed("10.50")}, withdraw, "11.99", "instead of 10.50"},
		{"we stay at the floor", []change{listed("10.00"), func(_ *Position, v *view) { v.quote.Ask = usd("9.00") }}, wait, "", "at its floor"},
		{"nobody is there", []change{listed("12.50"), func(_ *Position, v *view) { v.offered = false }}, wait, "", ""},
		{"not so soon", []change{listed("12.50"), func(p *Position, v *view) { p.Listing.CreatedAt = v.now.Add(-29 * time.Minute) }}, wait, "", ""},
		{"by an ask from before it was listed", []change{listed("12.50"), func(p *Position, v *view) { v.quote.ObservedAt = p.Listing.ListedAt }}, wait, "", ""},
		{"while another's state is unknown", []change{listed("12.50"), func(_ *Position, v *view) { v.doubtful = true }}, wait, "", ""},
		{"on stale prices", []change{listed("12.50"), func(_ *Position, v *view) { v.stale = "held" }}, wait, "", ""},
		{"reversed while it is on sale", []change{listed("12.00"), reversed}, withdraw, "", "not settled any more"},
		{"reversed, stopped and on stale prices", []change{listed("12.00"), reversed, func(_ *Position, v *view) { v.stopped, v.stale = true, "held" }}, withdraw, "", "not settled any more"},
		{"reversed while skinsback offers a trade", []change{toSkinsBack, listed("12.00"), reversed}, wait, "", "decline the trade offer"},
		{"while stopped", []change{listed("12.50"), func(_ *Position, v *view) { v.stopped = true }}, wait, "", ""},

		{"gone and in the inventory", []change{gone}, giveBack, "", "in the inventory"},
		{"gone for a short time", []change{gone, func(p *Position, v *view) { p.Listing.GoneAt = v.now.Add(time.Minute - testRules.ReturnAfter) }}, wait, "", "in the inventory"},
		{"gone, and nobody knows what is there", []change{gone, func(_ *Position, v *view) { v.blind, v.assets = "no answer", nil }}, wait, "", "no answer"},
		{"gone and not there", []change{gone, func(_ *Position, v *view) { v.assets = nil }}, wait, "", "most likely sold"},
		{"gone and not there for long", []change{gone, func(p *Position, v *view) { v.assets = nil; p.Listing.GoneAt = v.now.Add(-testRules.VanishAfter) }}, giveUp, "", "not paid for"},
		{"another of the name is there", []change{gone, func(_ *Position, v *view) { v.assets[0].ID = "10" }}, wait, "", "most likely sold"},
		{"in doubt", []change{ended(InDoubt, time.Hour)}, wait, "", "user offline"},
		{"on its way", []change{ended(Sent, time.Hour)}, wait, "", "user offline"},
		{"being withdrawn", []change{ended(Withdrawing, time.Hour)}, wait, "", "user offline"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, v := testPosition(), testView()
			for _, c := range tt.changes {
				c(&p, &v)
			}
			v.held = []Position{p}
			got := testRules.decide(p, v)
			if got.do != tt.do || !strings.Contains(got.note, tt.note) || tt.note == "" && got.note != "" {
				t.Errorf("got %s (%s), want %s (%s)", got.do, got.note, tt.do, tt.note)
			}
			if tt.price != "" && got.price != usd(tt.price) {
				t.Errorf("got price %s, want %s", got.price, tt.price)
			}
			if got.do == list && got.asset.ID != "9" {
				t.Errorf("got asset %q, want 9", got.asset.ID)
			}
		})
	}
}

func TestNoFloorNoListing(t *testing.T) {
	r := testRules
	r.Fees = map[pricing.Market]pricing.Fees{pricing.SIH: {SellBps: 10_000}}
	if got := r.decide(testPosition(), testView()); got.do != wait || got.note == "" {
		t.Errorf("a fee that takes all: got %s (%s), want to wait for a reason", got.do, got.note)
	}
}

// TestNeverBelowTheFloor draws everything: whatever the market looks like, what
// is listed brings its cost and the least profit.
func TestNeverBelowTheFloor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		money := func(name string, most int64) pricing.Money {
			return pricing.Money(rapid.Int64Range(1, most).Draw(t, name))
		}
		r := testRules
		r.MinProfit = money("profit", int64(20*pricing.Dollar))
		r.Fees = map[pricing.Market]pricing.Fees{
			pricing.SIH:       {SellBps: rapid.IntRange(0, 9000).Draw(t, "sih fee"), BuyBps: rapid.IntRange(0, 500).Draw(t, "sih buy fee")},
			pricing.SkinsBack: {SellBps: rapid.IntRange(0, 9000).Draw(t, "skinsback fee")},
		}
		p, v := testPosition(), testView()
		p.SellOn = rapid.SampledFrom(pricing.Markets).Draw(t, "market")
		p.BoughtOn = other(p.SellOn)
		p.Cost, p.Expected = money("cost", int64(1000*pricing.Dollar)), money("expected", int64(1000*pricing.Dollar))
		v.quote.Ask, v.assets[0].Pays = money("ask", int64(2000*pricing.Dollar)), money("pays", int64(2000*pricing.Dollar))
		v.offered = rapid.Bool().Draw(t, "offered")
		if rapid.Bool().Draw(t, "own") {
			v.ours = []pricing.Money{v.quote.Ask}
		}
		if rapid.Bool().Draw(t, "listed") {
			p.Listing = on(Listed, "10.00")
		}
		d := r.decide(p, v)
		if d.do != list && d.do != withdraw {
			return
		}
		if got, least := Proceeds(r.Fees[p.SellOn], d.price), p.Cost+r.MinProfit; got < least {
			t.Fatalf("listed for %s it brings %s, want at least %s", d.price, got, least)
		}
		if d.price < d.floor {
			t.Fatalf("listed for %s, below the floor %s", d.price, d.floor)
		}
	})
}
