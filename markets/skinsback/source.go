package skinsback

import (
	"context"
	"errors"
	"fmt"

	"skinarb/fetch"
	"skinarb/pricing"
)

var _ fetch.Source = (*Client)(nil)

// Market names the market.
func (c *Client) Market() pricing.Market { return pricing.SkinsBack }

// Games lists what SkinsBack sells.
func (c *Client) Games() []pricing.Game {
	return []pricing.Game{pricing.CS2, pricing.Rust, pricing.Dota2}
}

// Pull reads the whole grouped price list of a game for fetch. The bare name of a Doppler, which
// SkinsBack lists beside its phases with the lowest of their prices and the sum
// of their counts, becomes an item of unknown phase of its own.
func (c *Client) Pull(ctx context.Context, g pricing.Game) (fetch.Pull, error) {
	var shelf shelf
	list, err := c.Pricelist(ctx, g, func(row Group) error {
		shelf.add(g, row)
		return nil
	})
	if err != nil {
		return fetch.Pull{}, fmt.Errorf("pull %s from skinsback: %w", g, err)
	}
	for reason, n := range shelf.rejected {
		list.Rejected[reason] += n
	}
	return fetch.Pull{ObservedAt: list.ObservedAt, Listings: shelf.listings, Rejected: list.Rejected, Bytes: list.Bytes}, nil
}

// shelf gathers one listing per item.
type shelf struct {
	listings []pricing.Listing
	place    map[pricing.Item]int // in listings
	rejected map[string]int
}

// add takes a row. Of two rows of one item the cheaper one stays, with its own
// spelling and count: that is what an order by that spelling can get.
func (s *shelf) add(g pricing.Game, row Group) {
	if s.place == nil {
		s.place, s.rejected = map[pricing.Item]int{}, map[string]int{}
	}
	it, err := pricing.ParseItem(g, row.Name, "")
	if err != nil {
		s.rejected[reasonOf(err)]++
		return
	}
	l := pricing.Listing{Item: it, MarketName: row.Name, Ask: row.Ask, Count: row.Count}
	i, known := s.place[it]
	switch {
	case !known:
		s.place[it] = len(s.listings)
		s.listings = append(s.listings, l)
		return
	case l.Ask < s.listings[i].Ask:
		s.listings[i] = l
	}
	s.rejected[duplicateRow]++
}

// reasonOf names why ParseItem refused a name.
func reasonOf(err error) string {
	if errors.Is(err, pricing.ErrName) {
		return badName
	}
	return badPhase
}
