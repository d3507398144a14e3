package marketsim

import (
	"slices"
	"strings"
	"sync"
)

// name is one generated item: what it is called on Steam (with the phase, if it
// has one) and roughly what it costs there.
type name struct {
	text string
	game string
	ref  int64 // reference price, micro-dollars
}

// Games, by the names SkinsBack gives them. SIH knows them by Steam's app id.
const (
	cs2   = "cs2"
	rust  = "rust"
	dota2 = "dota2" // SkinsBack only
	tf2   = "tf2"   // SIH only
)

// allNames is the whole generated catalog, in a fixed order. It depends on
// nothing, so it is made once; seeds only decide what markets do with it.
var allNames = sync.OnceValue(func() []name {
	g := generator{seen: make(map[string]bool, 1<<15)}
	g.guns()
	g.knives()
	g.gloves()
	g.collectibles()
	g.otherGames()
	return g.names
})

type generator struct {
	names []name
	seen  map[string]bool
}

// add lists a name at around price micro-dollars, with a lognormal deviation of
// the given width. A name that exists already is left alone.
func (g *generator) add(game, text string, price int64, width float64) {
	if g.seen[game+text] {
		return
	}
	g.seen[game+text] = true
	z := normal(roll(0, aboutNames, hashName(text)))
	ref := roundTo(scale(price, ratio(width*z)), cent)
	g.names = append(g.names, name{text, game, max(ref, 3*cent)})
}

// rarities of guns: how many of a hundred finishes have each, and what a
// Field-Tested one costs, in cents.
var rarities = []struct {
	share int
	price int64
}{
	{22, 9}, {22, 35}, {30, 110}, {15, 420}, {8, 1500}, {3, 5200},
}

// wear is how much dearer than Field-Tested each exterior is, in millionths.
var wear = []int64{2_300_000, 1_350_000, 1_000_000, 920_000, 860_000}

func (g *generator) guns() {
	for _, w := range weapons {
		own := list(w.finishes)
		for i, finish := range finishesOf(w.name, own, 54) {
			g.gun(w.name+" | "+finish, i < len(own))
		}
	}
	for i, exterior := range exteriors {
		for _, p := range phases["Gamma Doppler"] {
			price := scale(scale(95*dollar, p.ratio), wear[i])
			g.add(cs2, "Glock-18 | Gamma Doppler "+p.name+" ("+exterior+")", price, 0.1)
		}
	}
}

// gun adds everything painted with one finish. A finish that is the weapon's own
// is never of the commonest rarity.
func (g *generator) gun(skin string, own bool) {
	draw := roll(0, aboutNames, hashName(skin))
	if price, ok := grails[skin]; ok {
		g.worn(skin, price*dollar, exteriors, 0.15)
		return
	}
	share, i := below(draw, 100), 0
	if own {
		share = rarities[0].share + below(draw, 100-rarities[0].share)
	}
	for share >= rarities[i].share {
		share -= rarities[i].share
		i++
	}
	price := rarities[i].price * cent
	price = scale(price, ratio(0.9*normal(mix(draw))))

	// Most finishes come in every wear, some only in the first or last three.
	worn := exteriors
	switch below(mix(draw+1), 8) {
	case 0:
		worn = exteriors[:3]
	case 1:
		worn = exteriors[2:]
	}
	g.worn(skin, price, worn, 0.25)

	// A finish comes either from a case (StatTrak™) or from a collection that
	// was dropped at tournaments (Souvenir), or from neither.
	switch kind := below(mix(draw+2), 100); {
	case kind < 70:
		g.worn("StatTrak™ "+skin, scale(price, 2_100_000), worn, 0.35)
	case kind < 90:
		g.worn("Souvenir "+skin, scale(price, 3_000_000), worn, 0.6)
	}
}

// worn adds one name per exterior, dearer the less worn.
func (g *generator) worn(skin string, price int64, worn []string, width float64) {
	for _, exterior := range worn {
		i := slices.Index(exteriors, exterior)
		g.add(cs2, skin+" ("+exterior+")", scale(price, wear[i]), width)
	}
}

func (g *generator) knives() {
	for _, k := range knives {
		for _, mark := range []struct {
			prefix string
			ratio  int64
		}{{"★ ", million}, {"★ StatTrak™ ", 1_250_000}} {
			knife, price := mark.prefix+k.name, scale(k.price*dollar, mark.ratio)
			g.add(cs2, knife, scale(price, 1_300_000), 0.1)
			for _, finish := range list(knifeFinishes) {
				draw := roll(0, aboutNames, hashName(knife[len(mark.prefix):]+finish))
				g.worn(knife+" | "+finish, scale(price, ratio(0.35*normal(draw))), exteriors, 0.12)
			}
			g.doppler(knife, "Doppler", k.doppler, scale(price, 1_600_000))
			g.doppler(knife, "Gamma Doppler", k.gamma, scale(price, 1_800_000))
		}
	}
}

// doppler adds the phases of a knife. They exist only nearly unworn.
func (g *generator) doppler(knife, family string, exists bool, price int64) {
	if !exists {
		return
	}
	for _, p := range phases[family] {
		for _, exterior := range exteriors[:2] {
			g.add(cs2, knife+" | "+family+" "+p.name+" ("+exterior+")", scale(price, p.ratio), 0.1)
		}
	}
}

func (g *generator) gloves() {
	for _, kind := range gloves {
		for _, finish := range list(kind.finishes) {
			draw := roll(0, aboutNames, hashName(kind.name+finish))
			price := scale(130*dollar, ratio(0.8*normal(draw)))
			g.worn("★ "+kind.name+" | "+finish, price, exteriors, 0.2)
		}
	}
}

// collectibles adds everything that is not worn out by use.
func (g *generator) collectibles() {
	for i, event := range list(events) {
		age := int64(20 - i) // older stickers cost more
		for _, team := range list(teams) {
			// A team plays about half of the events.
			if below(roll(0, aboutNames, hashName(team+event)), 2) == 0 {
				continue
			}
			g.stickers(team, event, age*age*cent, 1)
		}
		for _, player := range list(players) {
			if i < 8 || below(roll(0, aboutNames, hashName(player+event)), 2) == 0 {
				continue
			}
			g.stickers(player, event, age*2*cent, 0.8)
		}
	}
	for _, design := range list(designs) {
		for _, f := range foils[:3] {
			g.add(cs2, "Sticker | "+design+f.mark, scale(40*cent, f.ratio), 1.1)
		}
	}
	for _, motif := range list(graffiti) {
		for _, paint := range list(graffitiPaint) {
			g.add(cs2, "Sealed Graffiti | "+motif+" ("+paint+")", 4*cent, 0.7)
		}
	}
	for _, kit := range strings.Split(musicKits, "; ") {
		g.add(cs2, "Music Kit | "+kit, 5*dollar, 0.5)
		g.add(cs2, "StatTrak™ Music Kit | "+kit, 11*dollar, 0.5)
	}
	g.each("", agents, 6*dollar, 1)
	g.each("Charm | ", charms, 2*dollar, 1.2)
	g.each("Patch | ", patches, 3*dollar, 1)
	g.each("", containers, 2*dollar, 1.4)
}

func (g *generator) stickers(who, event string, price int64, width float64) {
	gap := " | "
	if who == "Ninjas in Pyjamas" || who == "niko" {
		gap = "  | " // as Steam spells these
	}
	for _, f := range foils {
		g.add(cs2, "Sticker | "+who+f.mark+gap+event, scale(price, f.ratio), width)
	}
}

// foils are the printings of a sticker, and how much dearer than paper.
var foils = []struct {
	mark  string
	ratio int64
}{
	{"", million}, {" (Holo)", 5_000_000}, {" (Foil)", 3_500_000}, {" (Gold)", 11_000_000},
}

func (g *generator) each(prefix, names string, price int64, width float64) {
	for _, n := range list(names) {
		g.add(cs2, prefix+n, price, width)
	}
}

func (g *generator) otherGames() {
	for _, adjective := range list(rustAdjectives) {
		for _, thing := range list(rustThings) {
			g.add(rust, adjective+" "+thing, 2*dollar, 1.3)
		}
	}
	for _, thing := range list(dotaThings) {
		g.add(dota2, thing, 3*dollar, 1.4)
		for _, quality := range list(dotaQualities) {
			g.add(dota2, quality+" "+thing, 4*dollar, 1.4)
		}
	}
	for _, thing := range list(tf2Things) {
		g.add(tf2, thing, dollar, 1.2)
		for _, quality := range list(tf2Qualities) {
			g.add(tf2, quality+" "+thing, 3*dollar, 1.5)
		}
	}
	// They wear out by the same words as the skins of CS2.
	for _, paint := range list(tf2Paints) {
		for i, exterior := range exteriors {
			g.add(tf2, paint+" War Paint ("+exterior+")", scale(2*dollar, wear[i]), 0.8)
		}
	}
}

// finishesOf returns n finishes of a weapon: its own, then common ones.
func finishesOf(weapon string, own []string, n int) []string {
	finishes := slices.Clone(own)
	common, adjectives, nouns := list(commonFinishes), list(finishAdjectives), list(finishNouns)
	for i := uint64(0); len(finishes) < n; i++ {
		draw := roll(0, aboutNames, hashName(weapon), i)
		finish := common[below(draw, len(common))]
		if below(mix(draw), 3) > 0 {
			finish = adjectives[below(mix(draw+1), len(adjectives))] + " " + nouns[below(mix(draw+2), len(nouns))]
		}
		if !slices.Contains(finishes, finish) {
			finishes = append(finishes, finish)
		}
	}
	return finishes
}

func list(s string) []string { return strings.Split(s, ", ") }

// splitPhase takes the phase out of a name: the Steam name, then the phase, or
// "" if the name has none. A phase counts only straight after the finish
// Doppler or Gamma Doppler, and only if that family has it.
func splitPhase(text string) (bare, phase string) {
	for family, members := range phases {
		before, after, found := strings.Cut(text, "| "+family+" ")
		if !found {
			continue
		}
		for _, p := range members {
			if strings.HasPrefix(after, p.name+" (") {
				return before + "| " + family + after[len(p.name):], p.name
			}
		}
	}
	return text, ""
}

// isDoppler reports whether a name without a phase is of an item that must have
// one.
func isDoppler(bare string) bool {
	return strings.Contains(bare, "| Doppler (") || strings.Contains(bare, "| Gamma Doppler (")
}
