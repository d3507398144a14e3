package strategy

import (
	"fmt"

	"skinarb/pricing"
)

// pair is the two markets that are traded between. Per-market arrays of this
// package are in its order.
var pair = [2]pricing.Market{pricing.SkinsBack, pricing.SIH}

// agreement counts, for one game, how the two markets' asks for the same items
// compare. The median of their ratio lies within 0.5 to 2 exactly if not more
// than half of the ratios lie below 0.5 and not more than half above 2, so
// counting is enough, no division is done, and a changed item costs one step.
// With an even number of items the middle one nearer to 1 is the median.
type agreement struct {
	common, below, above int // items both have; first ask under half of, over twice the second
}

// relation is how one item's asks compare.
type relation uint8

const (
	apart  relation = iota // not on both markets, or of unknown phase
	within                 // 0.5 to 2
	below
	above
)

// relate compares two asks, each 0 where there is none.
func relate(p pricing.Phase, a, b pricing.Money) relation {
	switch {
	case !priced(a) || !priced(b) || p == pricing.UnknownPhase:
		return apart
	case 2*a < b:
		return below
	case a > 2*b:
		return above
	}
	return within
}

// priced tells whether an ask is there and can be calculated with.
func priced(ask pricing.Money) bool { return ask > 0 && ask <= pricing.MaxMoney }

// move takes an item out of one count and puts it into another.
func (g *agreement) move(from, to relation) {
	if from == to {
		return
	}
	g.add(from, -1)
	g.add(to, 1)
}

func (g *agreement) add(r relation, n int) {
	switch r {
	case apart:
		return
	case below:
		g.below += n
	case above:
		g.above += n
	}
	g.common += n
}

// holds tells whether the markets agree on units.
func (g agreement) holds() bool {
	return 2*g.below <= g.common && 2*g.above <= g.common
}

func (g agreement) String() string {
	return fmt.Sprintf("of %d common items %s asks less than half of %s for %d and more than twice for %d; at most half may",
		g.common, pair[0], pair[1], g.below, g.above)
}

// agreementOf counts a whole game.
func agreementOf(book *pricing.Book, game pricing.Game) agreement {
	var g agreement
	c := columnsOf(book, game)
	for pos := range min(len(c.asks[0]), len(c.asks[1])) {
		g.add(relate(book.Item(pos).Phase, c.ask(0, pos), c.ask(1, pos)), 1)
	}
	return g
}

// columns holds one game's listings and asks of each market by position.
type columns struct {
	listings [2][]*pricing.Listing
	asks     [2][]pricing.Money
}

func columnsOf(book *pricing.Book, game pricing.Game) columns {
	var c columns
	for m, market := range pair {
		c.listings[m], c.asks[m] = book.Column(pricing.Feed{Market: market, Game: game})
	}
	return c
}

// ask gives a market's ask at a position, or 0.
func (c *columns) ask(m, pos int) pricing.Money {
	if pos < len(c.asks[m]) {
		return c.asks[m][pos]
	}
	return 0
}

// at gives the listings at a position, nil where there is none.
func (c *columns) at(pos int) (ls [2]*pricing.Listing) {
	for m := range ls {
		if pos < len(c.listings[m]) {
			ls[m] = c.listings[m][pos]
		}
	}
	return ls
}
