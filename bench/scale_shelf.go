package main

import (
	"fmt"
	"time"

	"skinarb/pricing"
)

// shelf is so many items that are made up, on both markets, and a server that
// has SkinsBack's list of them ready.
type shelf struct {
	*listServer
	items int

	known    bool // the client has seen the names
	refused  bool // by our client
	tooLarge bool // for our store
}

func newShelf(items int) (s *shelf, err error) {
	s = &shelf{items: items}
	s.listServer, err = serveList(func(yield func([]byte) bool) {
		var row []byte
		for n := range items {
			row = fmt.Appendf(row[:0], `{"name":%q,"price":%s,"classid":"%d","count":%d}`, s.name(n), s.ask(pricing.SkinsBack, n), 1_000_000_000+n, 1+n%9)
			if !yield(row) {
				return
			}
		}
	})
	return s, err
}

// name gives the name of an item: a new string each time, as each process has.
func (*shelf) name(n int) string { return fmt.Sprintf("AK-47 | Pattern %07d (Field-Tested)", n) }

// ask gives an item's ask on a market. Three items in a hundred are worth buying
// on one to sell on the other.
func (*shelf) ask(m pricing.Market, n int) pricing.Money {
	ask := pricing.Dollar + pricing.Cent*pricing.Money(n*7919%10_000)
	if m == pricing.SIH && n%100 < 3 {
		ask += ask / 4
	}
	return ask
}

// catalog makes a market's catalog.
func (s *shelf) catalog(m pricing.Market) pricing.Catalog {
	c := pricing.Catalog{Feed: feedOf(m), Version: 1, ObservedAt: time.Now(), Listings: make([]pricing.Listing, s.items)}
	for n := range c.Listings {
		name := s.name(n)
		c.Listings[n] = pricing.Listing{
			Item: pricing.Item{Game: game, Name: name}, MarketName: name, Ask: s.ask(m, n), Count: 1 + n%9, Since: c.Version,
		}
	}
	return c
}

// book makes a book of both markets.
func (s *shelf) book() *pricing.Book {
	book := pricing.NewBook()
	for _, m := range pricing.Markets {
		book, _ = book.With(s.catalog(m))
	}
	return book
}
