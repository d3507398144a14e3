package selling

import (
	"slices"

	"skinarb/pricing"
)

// findAsset gives the asset of the inventory that a position is to sell, or why
// there is none. held are all positions that are not done.
//
// What is the position's already stays so while it is there. Otherwise it is one
// of the same name and phase that no other position has, and of several the one
// that came last: Steam numbers assets as they arrive, and what the account had
// before we bought is its owner's. An asset whose phase cannot be told counts
// only if it can be no other: no position has another phase of that name, and
// there are no more such assets than positions that want one.
func findAsset(p Position, assets []Asset, held []Position) (a Asset, reason string) {
	if i := indexAsset(assets, p.Asset); i >= 0 {
		if !assets[i].Tradable {
			return Asset{}, "its asset is not tradable"
		}
		return assets[i], ""
	}
	taken := map[string]bool{}
	otherPhase, wanting := false, 0
	for _, h := range held {
		switch {
		case h.ID == p.ID || h.Asset == "" && h.Item == p.Item:
			wanting++
		case h.Asset != "":
			taken[h.Asset] = true
		}
		if h.Item.Game == p.Item.Game && h.Item.Name == p.Item.Name && h.Item.Phase != p.Item.Phase {
			otherPhase = true
		}
	}
	var told, untold []Asset
	for _, a := range assets {
		it, err := pricing.ParseItem(p.Item.Game, a.Name, "")
		switch {
		case err != nil || it.Name != p.Item.Name || taken[a.ID]:
		case it == p.Item:
			told = append(told, a)
		case it.Phase == pricing.UnknownPhase:
			untold = append(untold, a)
		}
	}
	found := told
	if len(told) == 0 && len(untold) > 0 {
		if otherPhase || len(untold) > wanting {
			return Asset{}, "the inventory does not tell its phase, and it could be another"
		}
		found = untold
	}
	if len(found) == 0 {
		return Asset{}, "the inventory has none that is not another position's"
	}
	found = slices.DeleteFunc(found, func(a Asset) bool { return !a.Tradable })
	if len(found) == 0 {
		return Asset{}, "the one in the inventory is not tradable"
	}
	return slices.MaxFunc(found, func(a, b Asset) int { return compareIDs(a.ID, b.ID) }), ""
}

// indexAsset gives where an asset is, or -1.
func indexAsset(assets []Asset, id string) int {
	return slices.IndexFunc(assets, func(a Asset) bool { return id != "" && a.ID == id })
}

// compareIDs compares decimal numbers without leading zeros.
func compareIDs(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	if a < b {
		return -1
	}
	if a > b {
		return 1
	}
	return 0
}
