package main

import (
	"fmt"
	"slices"

	"github.com/shopspring/decimal"

	"skinarb/pricing"
	"skinarb/strategy"
)

// mapScan is the scan of both catalogs that one would write first: it makes the
// names comparable, joins them in a map, and reckons in decimals, each time anew.
// It keeps to two rules, the least profit and the least edge; the engine's others
// it leaves out.
type mapScan struct {
	sides     []side
	minProfit decimal.Decimal
	minEdge   decimal.Decimal // of the cost
}

// side is one market's catalog as a decoder leaves it, with what a dollar comes
// to there with fees.
type side struct {
	market    pricing.Market
	rows      []textRow
	buy, sell decimal.Decimal
}

type textRow struct {
	name, phase string // the market's spelling
	ask         decimal.Decimal
	count       int
}

// found is a purchase that is worth its money.
type found struct {
	item                   string
	buyOn                  pricing.Market
	cost, proceeds, profit decimal.Decimal
	edge                   decimal.Decimal // of the cost
}

func newMapScan(rules strategy.Rules, catalogs ...pricing.Catalog) *mapScan {
	m := &mapScan{minProfit: decimalOf(rules.MinProfit), minEdge: bps(rules.MinEdgeBps)}
	one := decimal.NewFromInt(1)
	for _, c := range catalogs {
		fees := rules.Fees[c.Feed.Market]
		s := side{market: c.Feed.Market, buy: one.Add(bps(int64(fees.BuyBps))), sell: one.Sub(bps(int64(fees.SellBps)))}
		for _, l := range c.Listings {
			phase := string(l.Item.Phase)
			if l.Item.Phase == pricing.UnknownPhase {
				phase = "" // which is how a market does not tell it
			}
			s.rows = append(s.rows, textRow{l.MarketName, phase, decimalOf(l.Ask), l.Count})
		}
		m.sides = append(m.sides, s)
	}
	return m
}

// scan gives what is worth buying, best first.
func (m *mapScan) scan() ([]found, error) {
	var byName []map[string]textRow
	for _, s := range m.sides {
		rows := make(map[string]textRow, len(s.rows))
		for _, row := range s.rows {
			it, err := pricing.ParseItem(game, row.name, row.phase)
			if err != nil {
				return nil, fmt.Errorf("a name of %s that was read before: %w", s.market, err)
			}
			if it.Phase != pricing.UnknownPhase {
				rows[it.String()] = row
			}
		}
		byName = append(byName, rows)
	}
	var all []found
	for name, first := range byName[0] {
		if second, ok := byName[1][name]; ok {
			all = m.judge(all, name, m.sides[0], m.sides[1], first, second)
			all = m.judge(all, name, m.sides[1], m.sides[0], second, first)
		}
	}
	slices.SortFunc(all, func(a, b found) int { return b.edge.Cmp(a.edge) })
	return all, nil
}

// judge adds the purchase of an item on one market for sale on the other if that
// is worth it.
func (m *mapScan) judge(all []found, name string, buyOn, sellOn side, bought, sold textRow) []found {
	if bought.count == 0 || !bought.ask.IsPositive() || !sold.ask.IsPositive() {
		return all
	}
	f := found{item: name, buyOn: buyOn.market}
	f.cost = bought.ask.Mul(buyOn.buy).RoundCeil(2)
	f.proceeds = sold.ask.Sub(cent).Mul(sellOn.sell).RoundFloor(2)
	f.profit = f.proceeds.Sub(f.cost)
	f.edge = f.profit.Div(f.cost)
	if f.profit.LessThan(m.minProfit) || f.edge.LessThan(m.minEdge) {
		return all
	}
	return append(all, f)
}

var cent = decimal.New(1, -2)

// bps is a number of basis points as a part of one.
func bps(n int64) decimal.Decimal { return decimal.New(n, -4) }
