package strategy

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"skinarb/pricing"
)

func names(t testing.TB, lines ...string) *Names {
	t.Helper()
	n, err := ParseNames(strings.NewReader(strings.Join(lines, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestRules puts every rule just within and just beyond its boundary, and asks
// all four readers of the table.
func TestRules(t *testing.T) {
	needBoth := []string{"on_offer", "buy_reference", "sell_reference", "max_edge", "min_profit", "min_edge"}
	const tick = time.Nanosecond
	age := DefaultRules().MaxAge
	for _, c := range []struct {
		name   string
		bend   func(s *scene)
		failed []string
	}{
		{"as it comes", func(s *scene) {}, nil},
		{"a known phase", func(s *scene) { s.item, s.sell.Steam = karambit(pricing.Ruby), 0 }, nil},
		{"unknown phase", func(s *scene) { s.item, s.sell.Steam = karambit(pricing.UnknownPhase), 0 }, []string{"phase_known"}},
		{"only where we buy", func(s *scene) { s.onlyBuySide = true }, append([]string{"sell_fresh"}, needBoth...)},
		{"only where we sell", func(s *scene) { s.onlySellSide = true }, append([]string{"in_stock", "buy_fresh"}, needBoth...)},
		{"an ask beyond all bounds", func(s *scene) { s.sell.Ask = pricing.MaxMoney + 1 }, needBoth},
		{"no ask", func(s *scene) { s.sell.Ask = 0 }, needBoth},
		{"one left", func(s *scene) { s.buy.Count = 1 }, nil},
		{"none left", func(s *scene) { s.buy.Count = 0 }, []string{"in_stock"}},
		{"count not told", func(s *scene) { s.buy.Count = pricing.CountUnknown }, []string{"in_stock"}},
		{"count not told where we sell", func(s *scene) { s.sell.Count = pricing.CountUnknown }, nil},
		{"ask as old as allowed", func(s *scene) { s.buyAt = noon.Add(-age) }, nil},
		{"ask too old", func(s *scene) { s.buyAt = noon.Add(-age - tick) }, []string{"buy_fresh"}},
		{"other ask as old as allowed", func(s *scene) { s.sellAt = noon.Add(-age) }, nil},
		{"other ask too old", func(s *scene) { s.sellAt = noon.Add(-age - tick) }, []string{"sell_fresh"}},
		{"ask of a clock slightly ahead", func(s *scene) { s.buyAt = noon.Add(age) }, nil},
		{"ask from the future", func(s *scene) { s.buyAt = noon.Add(age + tick) }, []string{"buy_fresh"}},
		{"feed just fresh", func(s *scene) { s.feed(pricing.SkinsBack).LastSuccess = noon.Add(-age) }, nil},
		{"feed stale", func(s *scene) { s.feed(pricing.SkinsBack).LastSuccess = noon.Add(-age - tick) }, []string{"buy_feed_healthy"}},
		{"feed held", func(s *scene) { s.feed(pricing.SkinsBack).State = pricing.Held }, []string{"buy_feed_healthy"}},
		{"other feed held", func(s *scene) { s.feed(pricing.SIH).State = pricing.Held }, []string{"sell_feed_healthy"}},
		{"other feed down", func(s *scene) { s.feed(pricing.SIH).State = pricing.Down }, []string{"sell_feed_healthy"}},
		{"nothing known of feeds", func(s *scene) { s.statuses = nil }, []string{"buy_feed_healthy", "sell_feed_healthy"}},
		{"twice the ask", func(s *scene) { s.sell.Ask = 2 * s.buy.Ask }, nil},
		{"over twice the ask", func(s *scene) { s.sell.Ask = 2*s.buy.Ask + 1 }, []string{"markets_agree"}},
		{"leg at the reference's third", func(s *scene) { s.sell.Steam = 3 * s.buy.Ask }, nil},
		{"leg below the reference's third", func(s *scene) { s.sell.Steam = 3*s.buy.Ask + 1 }, []string{"buy_reference"}},
		{"leg at three times the reference", func(s *scene) { s.sell.Ask, s.sell.Steam = 15_000_000, 5_000_000 }, nil},
		{"leg above three times the reference", func(s *scene) { s.sell.Ask, s.sell.Steam = 15_000_001, 5_000_000 }, []string{"sell_reference"}},
		{"reference of the other market", func(s *scene) { s.buy.Steam, s.sell.Steam = 1_000_000, s.buy.Ask }, []string{"buy_reference", "sell_reference"}},
		{"Steam's price of a phase", func(s *scene) { s.item, s.sell.Steam = karambit(pricing.Phase2), 1 }, nil},
		{"edge as allowed without reference", func(s *scene) { s.sell.Steam, s.rules.MaxEdgeBps = 0, 1690 }, nil},
		{"edge too good without reference", func(s *scene) { s.sell.Steam, s.rules.MaxEdgeBps = 0, 1689 }, []string{"max_edge"}},
		{"edge too good of a phase", func(s *scene) { s.item, s.rules.MaxEdgeBps = karambit(pricing.Phase2), 1689 }, []string{"max_edge"}},
		{"edge with reference", func(s *scene) { s.rules.MaxEdgeBps = 0 }, nil},
		{"allowed", func(s *scene) { s.rules.Allow = names(t, "AK-47 | *") }, nil},
		{"not allowed", func(s *scene) { s.rules.Allow = names(t, "AWP | *") }, []string{"allowed"}},
		{"an empty list allows none", func(s *scene) { s.rules.Allow = names(t) }, []string{"allowed"}},
		{"denied", func(s *scene) { s.rules.Deny = names(t, redline.Name) }, []string{"not_denied"}},
		{"not denied", func(s *scene) { s.rules.Deny = names(t, "AWP | *") }, nil},
		{"least profit", func(s *scene) { s.rules.MinProfit = 1_690_000 }, nil},
		{"too little profit", func(s *scene) { s.rules.MinProfit = 1_690_001 }, []string{"min_profit"}},
		{"least edge", func(s *scene) { s.rules.MinEdgeBps = 1690 }, nil},
		{"too little edge", func(s *scene) { s.rules.MinEdgeBps = 1691 }, []string{"min_edge"}},
		{"a fee that eats it", func(s *scene) { s.rules.Fees[pricing.SIH] = pricing.Fees{SellBps: 2000} }, []string{"min_profit", "min_edge"}},
		{"no rules at all", func(s *scene) { s.rules = Rules{} }, []string{"buy_reference", "sell_reference"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t)
			c.bend(s)
			e := s.engine()
			want := map[string]bool{}
			for _, rule := range c.failed {
				want[rule] = true
			}

			vs := e.Verdicts(s.item, noon)
			if len(vs) != 2*len(rules) {
				t.Fatalf("got %d verdicts, want %d for each of 2 directions", len(vs), len(rules))
			}
			var there []Verdict
			for i, v := range vs {
				if v.Rule != rules[i%len(rules)].name || v.Detail == "" {
					t.Errorf("verdict %d: got rule %q with detail %q, want %q with some", i, v.Rule, v.Detail, rules[i%len(rules)].name)
				}
				if v.Buy == pricing.SkinsBack {
					there = append(there, v)
				}
			}
			got := map[string]bool{}
			for _, v := range there {
				if !v.Pass {
					got[v.Rule] = true
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("failed rules (-want +got):\n%s", diff)
			}

			_, again := e.Evaluate(s.book(), s.item, pricing.SkinsBack, pricing.SIH, noon)
			if diff := cmp.Diff(there, again); diff != "" {
				t.Errorf("Evaluate on an equal book (-verdicts +got):\n%s", diff)
			}

			found := e.Opportunities(noon)
			if wantN := map[bool]int{true: 1, false: 0}[len(want) == 0]; len(found) != wantN {
				t.Errorf("got %d opportunities, want %d: %+v", len(found), wantN, found)
			}

			err := e.Recheck(s.item, pricing.SkinsBack, pricing.SIH, s.buy.Ask, noon)
			if len(want) == 0 {
				if err != nil {
					t.Errorf("Recheck at the same ask: got %v, want nil", err)
				}
				return
			}
			var refused *RefusedError
			if !errors.As(err, &refused) {
				t.Fatalf("Recheck: got %v, want a *RefusedError", err)
			}
			for _, v := range refused.Failed {
				// A fresh ask can cure that the book has no buying side.
				if !want[v.Rule] {
					t.Errorf("Recheck: %s failed, want only %v", v.Rule, c.failed)
				}
			}
		})
	}
}

func TestOpportunityFigures(t *testing.T) {
	s := newScene(t)
	s.buyAt = noon.Add(-time.Minute)
	got := s.engine().Opportunities(noon)
	want := []Opportunity{{
		Item:       redline,
		Buy:        pricing.Quote{Market: pricing.SkinsBack, ObservedAt: s.buyAt, Listing: s.buy},
		Sell:       pricing.Quote{Market: pricing.SIH, ObservedAt: noon, Listing: s.sell},
		Cost:       usd(t, "10.00"),
		Proceeds:   usd(t, "11.69"), // 11.691 rounded down
		Profit:     usd(t, "1.69"),
		EdgeBps:    1690,
		ReturnBps:  211, // 1690 over 8 days is 211.25
		ObservedAt: s.buyAt,
		ExpiresAt:  s.buyAt.Add(5 * time.Minute),
	}}
	want[0].Buy.Item, want[0].Sell.Item = redline, redline
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("opportunities (-want +got):\n%s", diff)
	}
}

func TestLockDaysOfTheMarketThatIsBoughtOn(t *testing.T) {
	s := newScene(t)
	s.buy, s.sell = s.sell, s.buy // now SIH is the cheap side
	s.sell.Steam, s.buy.Steam = s.buy.Steam, 0
	got := s.engine().Opportunities(noon)
	if len(got) != 1 || got[0].Buy.Market != pricing.SIH || got[0].ReturnBps != 169 {
		t.Errorf("got %+v, want one bought on sih that returns 169 bps a day over 10 days", got)
	}
}

func TestRecheckWithAnotherAsk(t *testing.T) {
	e := newScene(t).engine()
	for _, c := range []struct {
		ask  string
		want string // failed rules
	}{
		{"9.00", ""},
		{"11.13", ""},                    // profit 0.56, edge 503
		{"11.14", "min_edge"},            // profit 0.55, edge 493
		{"11.20", "min_profit min_edge"}, // profit 0.49
		{"3.99", "buy_reference"},        // a third of Steam's 12.00 is 4.00
		{"0", "on_offer in_stock buy_reference sell_reference max_edge min_profit min_edge"},
	} {
		err := e.Recheck(redline, pricing.SkinsBack, pricing.SIH, usd(t, c.ask), noon)
		var failed []string
		if refused := (*RefusedError)(nil); errors.As(err, &refused) {
			for _, v := range refused.Failed {
				failed = append(failed, v.Rule)
				if !strings.Contains(err.Error(), v.Rule) {
					t.Errorf("ask %s: the error %q does not name %s", c.ask, err, v.Rule)
				}
			}
		} else if err != nil {
			t.Errorf("ask %s: got %v, want a *RefusedError", c.ask, err)
		}
		if got := strings.Join(failed, " "); got != c.want {
			t.Errorf("ask %s: got %q failed, want %q", c.ask, got, c.want)
		}
	}
}

func TestOnlyBetweenTwoMarkets(t *testing.T) {
	e := newScene(t).engine()
	for _, p := range [][2]pricing.Market{{pricing.SIH, pricing.SIH}, {"", pricing.SIH}, {pricing.SkinsBack, "other"}} {
		if err := e.Recheck(redline, p[0], p[1], usd(t, "10"), noon); err == nil {
			t.Errorf("Recheck %q to %q: got nil, want an error", p[0], p[1])
		}
		if _, vs := e.Evaluate(newScene(t).book(), redline, p[0], p[1], noon); passed(vs) {
			t.Errorf("Evaluate %q to %q: got all passed, want a failure", p[0], p[1])
		}
	}
	if passed(nil) {
		t.Error("Passed without verdicts: got true, want false")
	}
}

// passed tells whether every rule passed.
func passed(vs []Verdict) bool {
	return len(vs) > 0 && !slices.ContainsFunc(vs, func(v Verdict) bool { return !v.Pass })
}
