package fetch

import (
	"slices"

	"skinarb/pricing"
)

// agreeing is how many shrunken catalogs in a row must agree until we believe
// that the market really sells less.
const agreeing = 5

// hold is a feed's withheld catalogs: none, or those that agree with each
// other, the newest last. The zero value holds nothing.
type hold struct {
	verdict   Verdict
	catalogs  []pricing.Catalog
	listening bool // requests to release from before the hold have been cleared
}

func (h *hold) active() bool { return len(h.catalogs) > 0 }

// newest gives the catalog that a release would put in force.
func (h *hold) newest() pricing.Catalog { return h.catalogs[len(h.catalogs)-1] }

// add withholds c and tells whether it has been confirmed by now: five shrunken
// catalogs in a row agree. Pulls that failed are not in the row.
func (h *hold) add(v Verdict, c pricing.Catalog) (confirmed bool) {
	if v.Reason != Shrunken || h.verdict.Reason != Shrunken || !agrees(h.catalogs, c) {
		h.catalogs = nil
	}
	h.verdict = v
	if len(h.catalogs) == agreeing { // confirmed, but it could not be published
		h.catalogs = h.catalogs[1:]
	}
	h.catalogs = append(slices.Clip(h.catalogs), c)
	return v.Reason == Shrunken && len(h.catalogs) >= agreeing
}

// agrees tells whether c is within a tenth of the size of every other one and
// neither empty nor rescaled against it.
func agrees(others []pricing.Catalog, c pricing.Catalog) bool {
	for _, o := range others {
		small, large := min(len(o.Listings), len(c.Listings)), max(len(o.Listings), len(c.Listings))
		if 10*(large-small) > large {
			return false
		}
		if r := Check(o, c).Reason; r == Empty || r == Rescaled {
			return false
		}
	}
	return true
}
