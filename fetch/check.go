package fetch

import (
	"cmp"
	"fmt"
	"math/big"
	"math/bits"
	"slices"

	"skinarb/pricing"
)

// Reason is why a catalog is held. Reasons are stable words that the API shows.
type Reason string

// The reasons, and none.
const (
	Passes   Reason = ""
	Empty    Reason = "empty"    // it has no item
	Rescaled Reason = "rescaled" // its prices are off as a whole: another unit or currency
	Shrunken Reason = "shrunken" // it lost more than half of the items in force
)

// Verdict is what Check says of a catalog.
type Verdict struct {
	Reason Reason
	Detail string // the figures that decided, for persons
}

// Held tells whether the catalog must not be put in force.
func (v Verdict) Held() bool { return v.Reason != Passes }

// The range in which the median ratio of new asks to old ones must stay.
var (
	lowestMedian  = big.NewRat(67, 100)
	highestMedian = big.NewRat(3, 2)
)

// Check compares a new catalog with the one in force, which is zero when
// nothing is. A market that answers with half a catalog, another game's, or
// cents where dollars were must not move a price.
//
// Where several reasons apply it gives the one that is hardest to release:
// empty and rescaled wait for the operator, shrunken also ends by itself.
func Check(inForce, next pricing.Catalog) Verdict { return pair(inForce, next).check() }

func (p pairs) check() Verdict {
	if len(p.next.Listings) == 0 {
		if p.old.Version > 0 && len(p.old.Listings) == 0 {
			return Verdict{} // the operator has accepted that nothing is sold
		}
		return Verdict{Empty, "the catalog has no items"}
	}
	ratios := p.ratios()
	if median, ok := medianOf(ratios); ok && (median.Cmp(lowestMedian) < 0 || median.Cmp(highestMedian) > 0) {
		return Verdict{Rescaled, fmt.Sprintf("the median of %d prices is %s times what it was", len(ratios), median.FloatString(3))}
	}
	had := len(p.old.Listings)
	if lost := had - p.kept; 2*lost > had {
		return Verdict{Shrunken, fmt.Sprintf("%d of %d items are gone", lost, had)}
	}
	return Verdict{}
}

// ratio is an item's new ask over its old one; both are positive.
type ratio struct{ next, old uint64 }

// ratios gives one ratio for every item that is in both catalogs.
func (p pairs) ratios() []ratio {
	rs := make([]ratio, 0, p.kept)
	for i, at := range p.was {
		if at < 0 {
			continue
		}
		next, old := p.next.Listings[i].Ask, p.old.Listings[at].Ask
		if next > 0 && old > 0 {
			rs = append(rs, ratio{uint64(next), uint64(old)})
		}
	}
	return rs
}

// medianOf gives the exact median, of an even number the mean of the middle
// two. It sorts rs.
func medianOf(rs []ratio) (*big.Rat, bool) {
	if len(rs) == 0 {
		return nil, false
	}
	slices.SortFunc(rs, func(a, b ratio) int {
		// a.next/a.old against b.next/b.old; the products need 128 bits
		ah, al := bits.Mul64(a.next, b.old)
		bh, bl := bits.Mul64(b.next, a.old)
		return cmp.Or(cmp.Compare(ah, bh), cmp.Compare(al, bl))
	})
	low, high := rs[(len(rs)-1)/2].rat(), rs[len(rs)/2].rat()
	sum := low.Add(low, high)
	return sum.Quo(sum, big.NewRat(2, 1)), true
}

func (r ratio) rat() *big.Rat {
	return new(big.Rat).SetFrac(new(big.Int).SetUint64(r.next), new(big.Int).SetUint64(r.old))
}
