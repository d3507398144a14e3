package fetch

import "skinarb/pricing"

// Diff gives what leads from old, which is zero when nothing is in force, to
// next, and sets Since in next's listings: an ask that did not change keeps
// its own, a new or changed one gets next's version. Orders are named after
// Since, so an offer that merely persists stays one intent. The two catalogs
// must not share their listings.
func Diff(old, next pricing.Catalog) pricing.Change { return pair(old, next).diff() }

func (p pairs) diff() pricing.Change {
	ch := pricing.Change{Feed: p.next.Feed, From: p.old.Version, To: p.next.Version, ObservedAt: p.next.ObservedAt}
	for i, at := range p.was {
		l := &p.next.Listings[i]
		l.Since = p.next.Version
		if at < 0 {
			ch.Set = append(ch.Set, *l)
			continue
		}
		was := &p.old.Listings[at]
		if was.Ask == l.Ask {
			l.Since = was.Since
		}
		if *was != *l {
			ch.Set = append(ch.Set, *l)
		}
	}
	for at, stays := range p.stays {
		if !stays {
			ch.Gone = append(ch.Gone, p.old.Listings[at].Item)
		}
	}
	return ch
}
