package pricing

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Item is the thing that is compared across markets. It is comparable with ==
// and usable as a map key when it came from ParseItem.
type Item struct {
	Game  Game
	Name  string // Steam's market_hash_name: NFC, white space collapsed, without a phase
	Phase Phase
}

// Phase tells the variants of one Doppler name apart. Steam sells them under
// one name, the markets at very different prices.
type Phase string

// The phases. NoPhase belongs to everything that is not a Doppler;
// UnknownPhase to a Doppler offer that does not tell. An UnknownPhase item
// equals no other one and is never traded.
const (
	NoPhase      Phase = ""
	Phase1       Phase = "Phase 1"
	Phase2       Phase = "Phase 2"
	Phase3       Phase = "Phase 3"
	Phase4       Phase = "Phase 4"
	Ruby         Phase = "Ruby"
	Sapphire     Phase = "Sapphire"
	BlackPearl   Phase = "Black Pearl"
	Emerald      Phase = "Emerald"
	UnknownPhase Phase = "unknown"
)

// Phases lists every phase, in the order in which answers name them.
var Phases = []Phase{NoPhase, Phase1, Phase2, Phase3, Phase4, Ruby, Sapphire, BlackPearl, Emerald, UnknownPhase}

// Reasons for which ParseItem refuses a name. They are counted per catalog.
var (
	ErrName         = errors.New("not an item name")
	ErrUnknownPhase = errors.New("unknown spelling of a Doppler phase")
	ErrPhasePair    = errors.New("phase does not exist for this finish")
	ErrPhaseClash   = errors.New("name and phase field disagree")
)

// Bounds in bytes. The longest real name has 84. A spelling may be longer than
// the name that it gives, by the phase and by white space.
const (
	maxSpelling = 256
	maxName     = 200
)

const (
	doppler      = "Doppler"
	gammaDoppler = "Gamma Doppler"
)

// phaseSpellings maps what foldPhase leaves of every known spelling.
var phaseSpellings = map[string]Phase{
	"phase1": Phase1, "p1": Phase1,
	"phase2": Phase2, "p2": Phase2,
	"phase3": Phase3, "p3": Phase3,
	"phase4": Phase4, "p4": Phase4,
	"ruby": Ruby, "rub": Ruby,
	"sapphire": Sapphire, "sap": Sapphire, "sphr": Sapphire,
	"blackpearl": BlackPearl, "bp": BlackPearl,
	"emerald": Emerald, "emrl": Emerald,
	"unknown": UnknownPhase,
}

// foldPhase removes what spellings differ in: case, spaces, dashes, brackets,
// and a slug's leading finish ("doppler-phase2").
func foldPhase(s string) string {
	s = strings.Map(func(r rune) rune {
		switch r {
		case ' ', '-', '_', '(', ')', '[', ']', '–', '—':
			return -1
		}
		return unicode.ToLower(r)
	}, s)
	s = strings.TrimPrefix(s, "gamma")
	return strings.TrimPrefix(s, "doppler")
}

// ParsePhase reads any known spelling of a phase; the empty string is NoPhase.
func ParsePhase(s string) (Phase, error) {
	if s == "" {
		return NoPhase, nil
	}
	if len(s) > 40 {
		return NoPhase, ErrUnknownPhase
	}
	if p, ok := phaseSpellings[foldPhase(s)]; ok {
		return p, nil
	}
	return NoPhase, fmt.Errorf("%w: %q", ErrUnknownPhase, s)
}

// ParseItem reads a market's spelling of an item: the phase may stand in the
// name before or after the wear, in brackets, after a dash, as a short code, or
// in a field of its own, which is empty when the market has none. The field of
// an item that is no Doppler is ignored: SIH's documentation fills it on all.
// A Doppler that tells no phase has UnknownPhase.
func ParseItem(game Game, spelling, phaseField string) (Item, error) {
	name, err := cleanName(spelling)
	if err != nil {
		return Item{}, err
	}
	it := Item{Game: game, Name: name}
	if game == CS2 && mentionsDoppler(name) {
		if it, err = parseDoppler(game, name, phaseField); err != nil {
			return Item{}, err
		}
	}
	if len(it.Name) > maxName {
		return Item{}, fmt.Errorf("%w: %d bytes", ErrName, len(it.Name))
	}
	return it, nil
}

// cleanName gives the name that is compared: NFC, runs of white space collapsed.
func cleanName(s string) (string, error) {
	if len(s) == 0 || len(s) > maxSpelling || !utf8.ValidString(s) {
		return "", fmt.Errorf("%w: %d bytes", ErrName, len(s))
	}
	if !norm.NFC.IsNormalString(s) {
		s = norm.NFC.String(s)
	}
	if !tidy(s) {
		s = strings.Join(strings.Fields(s), " ")
	}
	for _, r := range s {
		// Characters that nobody sees would make two items of one, or hide the
		// word Doppler.
		if unicode.IsControl(r) || r == utf8.RuneError || r > unicode.MaxLatin1 && unicode.Is(unicode.Cf, r) || r == '\u00ad' {
			return "", fmt.Errorf("%w: invisible character in %q", ErrName, s)
		}
	}
	if s == "" {
		return "", fmt.Errorf("%w: blank", ErrName)
	}
	return s, nil
}

// tidy tells whether strings.Fields would leave s as it is.
func tidy(s string) bool {
	space := true // as if a space stood before the first rune
	for _, r := range s {
		if unicode.IsSpace(r) {
			if space || r != ' ' {
				return false
			}
			space = true
			continue
		}
		space = false
	}
	return !space
}

// mentionsDoppler tells whether name may be a Doppler skin: it has the word and
// is a weapon, which has a wear or the star of a knife, or its finish is nothing
// but Doppler and perhaps a phase. Stickers have neither.
func mentionsDoppler(name string) bool {
	if !containsFold(name, doppler) {
		return false
	}
	if strings.HasPrefix(name, "★") || slices.ContainsFunc(wears, func(w string) bool { return containsFold(name, w) }) {
		return true
	}
	_, rest, _ := strings.Cut(name, " | ")
	finish, phase := splitFinish(rest)
	_, err := ParsePhase(phase)
	return finish != "" && err == nil
}

// containsFold is strings.Contains with ASCII case ignored.
func containsFold(s, sub string) bool {
	for i := 0; i+len(sub) <= len(s); i++ {
		if strings.EqualFold(s[i:i+len(sub)], sub) {
			return true
		}
	}
	return false
}

var wears = []string{"(Factory New)", "(Minimal Wear)", "(Field-Tested)", "(Well-Worn)", "(Battle-Scarred)"}

// findWear gives where the last wear begins and ends, or -1.
func findWear(name string) (from, to int) {
	from, to = -1, -1
	for _, w := range wears {
		if i := strings.LastIndex(name, w); i > from {
			from, to = i, i+len(w)
		}
	}
	return from, to
}

// parseDoppler reads "weapon | [Gamma ]Doppler[ phase] (wear)[ phase]". name is
// clean and mentions Doppler; everything that does not fit is refused.
func parseDoppler(game Game, name, phaseField string) (Item, error) {
	unknown := func() (Item, error) { return Item{}, fmt.Errorf("%w: %q", ErrUnknownPhase, name) }
	weapon, rest, ok := strings.Cut(name, " | ")
	if !ok {
		return unknown()
	}
	from, to := findWear(rest)
	if from < 0 {
		return unknown()
	}
	wear := rest[from:to]
	finish, inside := splitFinish(strings.TrimSpace(rest[:from]))
	if finish == "" {
		if containsFold(rest, doppler) {
			return unknown()
		}
		return Item{Game: game, Name: name}, nil // the word stands in the weapon's part only
	}

	phase := NoPhase
	for _, spelling := range []string{inside, strings.TrimSpace(rest[to:]), strings.TrimSpace(phaseField)} {
		p, err := ParsePhase(spelling)
		switch {
		case err != nil:
			return unknown()
		case p == NoPhase || p == UnknownPhase:
		case phase != NoPhase && p != phase:
			return Item{}, fmt.Errorf("%w: %q is not %s", ErrPhaseClash, name, p)
		default:
			phase = p
		}
	}
	if !phaseExists(finish, phase) {
		return Item{}, fmt.Errorf("%w: %s of %s", ErrPhasePair, phase, finish)
	}
	if phase == NoPhase {
		phase = UnknownPhase
	}
	return Item{Game: game, Name: weapon + " | " + finish + " " + wear, Phase: phase}, nil
}

// splitFinish splits "Gamma Doppler Phase 1" after the finish. finish is empty
// when s is no Doppler.
func splitFinish(s string) (finish, phase string) {
	for _, f := range []string{gammaDoppler, doppler} {
		if s == f {
			return f, ""
		}
		if rest, ok := strings.CutPrefix(s, f+" "); ok {
			return f, rest
		}
	}
	return "", ""
}

// phaseExists knows that Emerald is a Gamma Doppler and the other gems are not.
func phaseExists(finish string, p Phase) bool {
	switch p {
	case Emerald:
		return finish == gammaDoppler
	case Ruby, Sapphire, BlackPearl:
		return finish == doppler
	}
	return true
}

// IsDoppler tells whether the item has a phase, known or not.
func (it Item) IsDoppler() bool { return it.Phase != NoPhase }

// String gives the name with its phase before the wear, the spelling that both
// markets use: "★ Karambit | Doppler Phase 2 (Factory New)". ParseItem reads
// it back.
func (it Item) String() string {
	if it.Phase == NoPhase || it.Phase == UnknownPhase {
		return it.Name
	}
	i, _ := findWear(it.Name)
	if i < 0 {
		return it.Name
	}
	return it.Name[:i] + string(it.Phase) + " " + it.Name[i:]
}
