package marketsim

import (
	"strings"
	"sync"
)

// traits describe an item beyond its name; "" where a trait does not apply.
type traits struct {
	kind     string // Rifle, Knife, Sticker ...
	weapon   string
	exterior string
	quality  string // Normal, StatTrak™, Souvenir, ★, ★ StatTrak™
	rarity   string
	color    string // of the rarity, six hex digits
}

// grades are rarities with the price, in dollars, from which an item is taken
// to have them.
var grades = []struct {
	rarity, color string
	from          int64
}{
	{"Covert", "eb4b4b", 60},
	{"Classified", "d32ce6", 18},
	{"Restricted", "8847ff", 5},
	{"Mil-Spec Grade", "4b69ff", 1},
	{"Industrial Grade", "5e98d9", 0},
}

var kindOf = sync.OnceValue(func() map[string]string {
	kinds := map[string]string{
		"Sticker": "Sticker", "Patch": "Patch", "Charm": "Charm",
		"Music Kit": "Music Kit", "Sealed Graffiti": "Graffiti",
	}
	for _, w := range weapons {
		kinds[w.name] = w.kind
	}
	for _, k := range knives {
		kinds[k.name] = "Knife"
	}
	for _, g := range gloves {
		kinds[g.name] = "Gloves"
	}
	return kinds
})

// traitsOf reads the traits of an item off its name and price. Items of other
// games have none.
func traitsOf(it *item) traits {
	if it.game != cs2 {
		return traits{}
	}
	var t traits
	for _, g := range grades {
		if it.ref >= g.from*dollar {
			t.rarity, t.color = g.rarity, g.color
			break
		}
	}
	rest := it.bare
	for _, mark := range []string{"★ StatTrak™", "★", "StatTrak™", "Souvenir"} {
		if after, ok := strings.CutPrefix(rest, mark+" "); ok {
			t.quality, rest = mark, after
			break
		}
	}
	before, _, _ := strings.Cut(rest, " | ")
	t.kind = kindOf()[before]
	for _, exterior := range exteriors {
		if strings.HasSuffix(rest, " ("+exterior+")") {
			t.weapon, t.exterior = before, exterior
		}
	}
	switch {
	case t.kind == "" && strings.Contains(rest, " | "):
		t.kind = "Agent"
	case t.kind == "":
		t.kind = "Container"
	case t.exterior != "" && t.quality == "":
		t.quality = "Normal"
	}
	if t.kind == "Knife" || t.kind == "Gloves" {
		t.rarity, t.color = "Covert", "eb4b4b"
	}
	return t
}
