package fetch

import (
	"fmt"

	"skinarb/pricing"
)

// pairs matches the listings of a new catalog with those of the same items in
// the one in force.
type pairs struct {
	old, next pricing.Catalog
	was       []int  // for each listing of next its place in old, or -1
	stays     []bool // for each listing of old whether next has the item
	kept      int    // how many do
	twice     int    // place in next of an item that was there before, or -1
}

// pair matches two catalogs. Markets list their items in much the same order
// every time, so the next one is mostly where the last one was, plus one; only
// when it is not are the items looked up by name.
func pair(old, next pricing.Catalog) pairs {
	p := pairs{old: old, next: next, was: make([]int, len(next.Listings)), stays: make([]bool, len(old.Listings)), twice: -1}
	var places map[pricing.Item]int // of old, built when it is needed
	added := map[pricing.Item]bool{}
	guess := 0
	for i := range next.Listings {
		it := next.Listings[i].Item
		at, ok := guess, guess < len(old.Listings) && old.Listings[guess].Item == it
		if !ok {
			if places == nil {
				places = placesOf(old)
			}
			at, ok = places[it]
		}
		switch {
		case !ok && added[it], ok && p.stays[at]:
			p.twice, p.was[i] = i, -1
			continue
		case !ok:
			added[it], p.was[i] = true, -1
			continue
		}
		p.was[i], p.stays[at], guess = at, true, at+1
		p.kept++
	}
	return p
}

func placesOf(c pricing.Catalog) map[pricing.Item]int {
	places := make(map[pricing.Item]int, len(c.Listings))
	for i := range c.Listings {
		places[c.Listings[i].Item] = i
	}
	return places
}

// validate refuses listings that a Source must never give. They would harm more
// than one item: the book keeps exactly one listing per item and feed.
func (p pairs) validate() error {
	for i := range p.next.Listings {
		l := &p.next.Listings[i]
		if l.Item.Game != p.next.Feed.Game {
			return fmt.Errorf("%q is an item of %q", l.Item, l.Item.Game)
		}
		if l.Ask <= 0 {
			return fmt.Errorf("%q has the ask %s", l.Item, l.Ask)
		}
	}
	if p.twice >= 0 {
		return fmt.Errorf("%q is listed twice", p.next.Listings[p.twice].Item)
	}
	return nil
}
