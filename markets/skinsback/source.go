package skinsback

import (
	"context"
	"errors"
	"fmt"

	"skinarb/fetch"
	"skinarb/internal/scan"
	"skinarb/pricing"
)

var _ fetch.Source = (*Client)(nil)

// Market names the market.
func (c *Client) Market() pricing.Market { return pricing.SkinsBack }

// Games lists what SkinsBack sells.
func (c *Client) Games() []pricing.Game {
	return []pricing.Game{pricing.CS2, pricing.Rust, pricing.Dota2}
}

// Pull reads the price list of a game for fetch: the grouped one, or as PullLots
// does if Config.FullList. The bare name of a Doppler, which SkinsBack lists beside
// its phases with the lowest of their prices and the sum of their counts, becomes
// an item of unknown phase of its own.
func (c *Client) Pull(ctx context.Context, g pricing.Game) (fetch.Pull, error) {
	if c.cfg.FullList {
		return c.PullLots(ctx, g)
	}
	names := c.names.Take(g)
	defer c.names.Return(names)
	shelf := shelf{names, names.Catalog()}
	list, err := c.list(ctx, c.pricelist(params{"game": string(g)}), shelf.row)
	if err != nil {
		return fetch.Pull{}, fmt.Errorf("pull %s from skinsback: %w", g, err)
	}
	return shelf.pull(list), nil
}

// shelf gathers one listing per item.
type shelf struct {
	names   *scan.Names
	catalog *scan.Catalog
}

// row takes a row of a grouped list, or tells why it is of no use.
func (s *shelf) row(r *listRow) (string, error) {
	ask, count, reason := r.offer()
	if reason != "" {
		return reason, nil
	}
	name, err := s.names.Find(r.name.bytes(), "")
	if err != nil {
		return "", err
	}
	return s.add(name, ask, count, ""), nil
}

// add puts up an offer, or tells why it cannot. Of two of one item the cheaper
// one stays, with its own spelling and count: that is what an order by that
// spelling can get. Of two that ask the same it is the one with the smaller lot, of
// one lot under two spellings the smaller of these, or the first one where no lots
// are told.
func (s *shelf) add(name *scan.Name, ask pricing.Money, count int, lot string) (reason string) {
	if name.Err != nil {
		return reasonOf(name.Err)
	}
	l, taken := s.catalog.Place(name)
	if taken {
		reason = duplicateRow
		later := lot > l.Lot || lot == l.Lot && (lot == "" || name.Spelling >= l.MarketName)
		if ask > l.Ask || ask == l.Ask && later {
			return reason
		}
	}
	l.MarketName, l.Ask, l.Count, l.Lot = name.Spelling, ask, count, lot
	return reason
}

func (s *shelf) pull(list List) fetch.Pull {
	s.catalog.Done()
	return fetch.Pull{ObservedAt: list.ObservedAt, Listings: s.catalog.Listings, Rejected: list.Rejected, Bytes: list.Bytes}
}

// reasonOf names why ParseItem refused a name.
func reasonOf(err error) string {
	if errors.Is(err, pricing.ErrName) {
		return badName
	}
	return badPhase
}
