package pricing

import "fmt"

// Market is a place that sells items.
type Market string

// The markets that we trade on.
const (
	SkinsBack Market = "skinsback"
	SIH       Market = "sih"
)

// Markets lists every market, in the order in which answers name them.
var Markets = []Market{SkinsBack, SIH}

// ParseMarket reads a market's name as our API writes it.
func ParseMarket(s string) (Market, error) {
	for _, m := range Markets {
		if s == string(m) {
			return m, nil
		}
	}
	return "", fmt.Errorf("unknown market %q: it is one of skinsback, sih", s)
}

// Game is a game whose items are sold. Items of different games never match.
type Game string

// The games that at least one market knows.
const (
	CS2   Game = "cs2"
	Rust  Game = "rust"
	Dota2 Game = "dota2"
	TF2   Game = "tf2"
)

// Games lists every game.
var Games = []Game{CS2, Rust, Dota2, TF2}

// ParseGame reads a game's name as our settings and API write it.
func ParseGame(s string) (Game, error) {
	for _, g := range Games {
		if s == string(g) {
			return g, nil
		}
	}
	return "", fmt.Errorf("unknown game %q: it is one of cs2, rust, dota2, tf2", s)
}

// Feed is one market's catalog of one game: the unit that is pulled, checked
// and published whole.
type Feed struct {
	Market Market
	Game   Game
}

// String gives "skinsback/cs2".
func (f Feed) String() string { return string(f.Market) + "/" + string(f.Game) }
