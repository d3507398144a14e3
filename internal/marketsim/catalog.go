package marketsim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// item is one tradable thing. It never changes.
type item struct {
	name   string // Steam's, with the phase before the exterior if it has one
	bare   string // Steam's, without the phase
	phase  string // or ""
	game   string
	ref    int64  // reference price, micro-dollars
	steam  int64  // what Steam shows, micro-dollars; 0 if it shows nothing
	key    uint64 // of all draws about the item
	hidden bool   // a Doppler offer that does not tell its phase
}

// steamCap is where Steam's price list ends, but for a few items.
const steamCap = 2000 * dollar

// catalog is the list of items that the world knows, in the order in which
// markets list them.
func catalog(cfg Config) []*item {
	var items []*item
	add := func(n name) {
		it := &item{name: n.text, game: n.game, ref: n.ref, key: hashName(n.game + "/" + n.text)}
		it.bare, it.phase = splitPhase(n.text)
		it.hidden = it.phase == "" && isDoppler(it.name)
		items = append(items, it)
	}
	if cfg.Catalog != nil {
		for _, text := range slices.Sorted(maps.Keys(cfg.Catalog)) {
			add(name{text, cs2, cfg.Catalog[text]})
		}
	} else {
		for _, n := range pick(allNames(), cfg.Items) {
			add(n)
		}
		for _, n := range untoldPhases(items, cfg.Seed) {
			add(n)
		}
	}
	priceOnSteam(items, cfg.Seed)
	return items
}

// pick returns n names of each game, or all if n is 0: those with the smallest
// keys, so that a small catalog is a fair sample of the whole.
func pick(all []name, n int) []name {
	if n == 0 {
		return all
	}
	byGame := map[string][]uint64{}
	for _, n := range all {
		byGame[n.game] = append(byGame[n.game], mix(hashName(n.text)))
	}
	limit := map[string]uint64{}
	for game, keys := range byGame {
		slices.Sort(keys)
		limit[game] = keys[min(n, len(keys))-1]
	}
	return slices.DeleteFunc(slices.Clone(all), func(n name) bool {
		return mix(hashName(n.text)) > limit[n.game]
	})
}

// untoldPhases are the Doppler offers without a phase that SIH lists beside the
// others, for about one name in ten. Their prices tell nothing: somewhere
// between the cheapest phase and the dearest.
func untoldPhases(items []*item, seed uint64) []name {
	var names []name
	seen := map[string]bool{}
	for _, it := range items {
		if it.phase == "" || seen[it.bare] {
			continue
		}
		seen[it.bare] = true
		if draw := roll(seed, aboutBare, hashName(it.bare)); below(draw, 10) == 0 {
			odd := 900_000 + int64(below(mix(draw), 2_500_000))
			names = append(names, name{it.bare, it.game, scale(it.ref, odd)})
		}
	}
	return names
}

// priceOnSteam fills in what Steam shows: one price for all phases, that of the
// cheapest, and hardly ever one above the cap.
func priceOnSteam(items []*item, seed uint64) {
	lowest := map[key]int64{}
	for _, it := range items {
		k := key{it.game, it.bare}
		if low, ok := lowest[k]; !ok || it.ref < low {
			lowest[k] = it.ref
		}
	}
	for _, it := range items {
		it.steam = lowest[key{it.game, it.bare}]
		if it.steam > steamCap {
			it.steam = 0
			if below(roll(seed, aboutSteam, it.key), 25) == 0 {
				it.steam = steamCap + 43*dollar
			}
		}
	}
}

// ReadCatalog reads a Config.Catalog. It takes a JSON object of name and price,
// or lines of a name, a tab and a price; prices are in dollars.
func ReadCatalog(r io.Reader) (map[string]int64, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read catalog: %w", err)
	}
	prices := map[string]loose{}
	if trimmed := bytes.TrimSpace(text); bytes.HasPrefix(trimmed, []byte("{")) {
		if err := json.Unmarshal(trimmed, &prices); err != nil {
			return nil, fmt.Errorf("read catalog: %w", err)
		}
	} else {
		for i, line := range strings.Split(string(trimmed), "\n") {
			name, price, ok := strings.Cut(strings.TrimSuffix(line, "\r"), "\t")
			if !ok {
				return nil, fmt.Errorf("read catalog: line %d has no tab", i+1)
			}
			prices[name] = loose(price)
		}
	}
	catalog := make(map[string]int64, len(prices))
	for name, price := range prices {
		amount, err := ParseUSD(string(price))
		if err != nil {
			return nil, fmt.Errorf("read catalog: %s: %w", name, err)
		}
		if name == "" || amount <= 0 {
			return nil, fmt.Errorf("read catalog: %q at %s: want a name and a price above 0", name, price)
		}
		catalog[name] = amount
	}
	return catalog, nil
}
