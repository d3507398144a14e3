package strategy

import (
	"testing"
	"time"

	"skinarb/pricing"
)

// noon is the time at which tests begin, well inside a reference slot.
var noon = time.Date(2026, 3, 1, 15, 0, 0, 0, time.UTC)

var redline = pricing.Item{Game: pricing.CS2, Name: "AK-47 | Redline (Field-Tested)"}

func karambit(p pricing.Phase) pricing.Item {
	return pricing.Item{Game: pricing.CS2, Name: "★ Karambit | Doppler (Factory New)", Phase: p}
}

func usd(t testing.TB, s string) pricing.Money {
	t.Helper()
	m, err := pricing.ParseMoney(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func catalog(m pricing.Market, g pricing.Game, version uint64, at time.Time, ls ...pricing.Listing) pricing.Catalog {
	return pricing.Catalog{Feed: pricing.Feed{Market: m, Game: g}, Version: version, ObservedAt: at, Listings: ls}
}

// healthy gives statuses under which every feed is fresh as of now.
func healthy(now time.Time) []pricing.FeedStatus {
	var out []pricing.FeedStatus
	for _, g := range pricing.Games {
		for _, m := range pricing.Markets {
			out = append(out, pricing.FeedStatus{Feed: pricing.Feed{Market: m, Game: g}, State: pricing.Fresh, LastSuccess: now})
		}
	}
	return out
}

// scene is one item on both markets, all of which a test can bend. As it comes
// it is an opportunity: cost 10.00, proceeds (13.00 - 0.01) less 10 % = 11.69.
type scene struct {
	rules        Rules
	item         pricing.Item
	buy, sell    pricing.Listing // SkinsBack's and SIH's
	buyAt        time.Time
	sellAt       time.Time
	statuses     []pricing.FeedStatus
	onlyBuySide  bool
	onlySellSide bool
}

func newScene(t testing.TB) *scene {
	return &scene{
		rules:    DefaultRules(),
		item:     redline,
		buy:      pricing.Listing{Ask: usd(t, "10"), Count: 3},
		sell:     pricing.Listing{Ask: usd(t, "13"), Count: 5, Steam: usd(t, "12")},
		buyAt:    noon,
		sellAt:   noon,
		statuses: healthy(noon),
	}
}

func (s *scene) book() *pricing.Book {
	s.buy.Item, s.sell.Item = s.item, s.item
	b := pricing.NewBook()
	if !s.onlySellSide {
		b, _ = b.With(catalog(pricing.SkinsBack, s.item.Game, 1, s.buyAt, s.buy))
	}
	if !s.onlyBuySide {
		b, _ = b.With(catalog(pricing.SIH, s.item.Game, 1, s.sellAt, s.sell))
	}
	return b
}

func (s *scene) engine() *Engine {
	e := New(s.rules)
	e.Update(s.book(), nil, true, s.statuses, noon)
	return e
}

// feed gives one of the scene's statuses to bend.
func (s *scene) feed(m pricing.Market) *pricing.FeedStatus {
	for i := range s.statuses {
		if s.statuses[i].Feed == (pricing.Feed{Market: m, Game: s.item.Game}) {
			return &s.statuses[i]
		}
	}
	panic("no such feed")
}
