package marketsim

import (
	"fmt"
	"strconv"
)

// What a Steam account has: some items of each game that the seed gives to
// everybody, what Give put there, and what was bought for it on either market,
// from delivery on. What it gave away is gone. Both markets look into the same
// inventories.

// Topics of draws about inventories and what is sold from them, far from the
// others'.
const (
	aboutInventory topic = 100 + iota
	aboutFloat
	aboutSale
	aboutSaleFate
	aboutDeposit
)

// asset is one thing in the inventory of a Steam account.
type asset struct {
	id       string
	item     *item
	tradable bool
}

// inventories is what cannot be worked out from the seed and the purchases. The
// zero value is ready to use.
type inventories struct {
	got  map[string][]*item // by account: from Give
	gone map[string]bool    // by account and asset
}

// Where asset ids begin, by how the account came by the item.
const (
	ownAssets    = 40_000_000_000
	boughtAssets = 50_000_000_000
	gotAssets    = 60_000_000_000
)

// Asset is one item in a Steam inventory.
type Asset struct {
	ID       string // Steam's asset id
	Game     string
	Name     string // Steam's, with the phase in it
	Tradable bool   // not under trade protection
}

// Inventory returns what an account has now, by its SteamID64.
func (w *World) Inventory(steamID string) []Asset {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance()
	var all []Asset
	for _, a := range w.inventory(steamID) {
		all = append(all, Asset{a.id, a.item.game, a.item.name, a.tradable})
	}
	return all
}

// Give puts one more item into an account's inventory, tradable, and returns its
// asset id. The name is Steam's, with the phase in it.
func (w *World) Give(steamID, name string) (assetID string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, it := range w.items {
		if it.name != name {
			continue
		}
		if w.inventories.got == nil {
			w.inventories.got = map[string][]*item{}
		}
		w.inventories.got[steamID] = append(w.inventories.got[steamID], it)
		return strconv.FormatInt(gotAssets+int64(len(w.inventories.got[steamID]))-1, 10), nil
	}
	return "", fmt.Errorf("marketsim: no item %q", name)
}

// inventory lists what an account has now. What was bought can be traded on when
// its protection has ended.
func (w *World) inventory(steamID string) []asset {
	account := uint64(max(number64(steamID), 0))
	var all []asset
	add := func(id int64, it *item, tradable bool) {
		a := asset{strconv.FormatInt(id, 10), it, tradable}
		if !w.inventories.gone[steamID+"/"+a.id] {
			all = append(all, a)
		}
	}
	for g, game := range []string{cs2, rust, dota2, tf2} {
		own := uint64(g * 100)
		for i := range uint64(4 + below(roll(w.cfg.Seed, aboutInventory, account, own), 12)) {
			draw := roll(w.cfg.Seed, aboutInventory, account, own+i+1)
			if it := w.someItem(game, draw); it != nil {
				add(int64(ownAssets+account%1_000_000*1000+own+i), it, !hits(mix(draw), 10))
			}
		}
	}
	for i, it := range w.inventories.got[steamID] {
		add(gotAssets+int64(i), it, true)
	}
	for _, o := range w.purchases {
		if o.steamID == steamID && o.delivered() {
			safe := o.protection == "finished"
			if o.market == w.skinsback {
				safe = !w.now.Before(o.updated.Add(w.span(w.cfg.Timing.Protection)))
			}
			add(boughtAssets+int64(o.seq), o.listing.item, safe)
		}
	}
	return all
}

// delivered tells whether the recipient has what was bought.
func (o *order) delivered() bool {
	return o.state == "accepted" || o.state == "finished" && o.protection != "failed"
}

// someItem draws an item of a game; nil if there is none.
func (w *World) someItem(game string, draw uint64) *item {
	n := len(w.items)
	for i := range n {
		if it := w.items[(below(draw, n)+i)%n]; it.game == game && !it.hidden {
			return it
		}
	}
	return nil
}

// asset finds one thing in the inventory of an account.
func (w *World) asset(steamID, id string) (asset, bool) {
	for _, a := range w.inventory(steamID) {
		if a.id == id {
			return a, true
		}
	}
	return asset{}, false
}

// handOver takes a thing out of an inventory.
func (w *World) handOver(steamID, id string) {
	if w.inventories.gone == nil {
		w.inventories.gone = map[string]bool{}
	}
	w.inventories.gone[steamID+"/"+id] = true
}

// handBack puts it back.
func (w *World) handBack(steamID, id string) { delete(w.inventories.gone, steamID+"/"+id) }
