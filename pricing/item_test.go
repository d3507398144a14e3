package pricing

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

// spelling is one row of testdata/spellings.tsv.
type spelling struct {
	line   int
	game   Game
	text   string
	field  string
	item   Item
	refuse error // nil when item is what it means
}

func spellings(t testing.TB) []spelling {
	t.Helper()
	file := filepath.Join("testdata", "spellings.tsv")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	reasons := map[string]error{"name": ErrName, "phase": ErrUnknownPhase, "pair": ErrPhasePair, "clash": ErrPhaseClash}
	var out []spelling
	for i, line := range strings.Split(strings.TrimSuffix(string(b), "\n"), "\n") {
		if strings.HasPrefix(line, "# ") {
			continue
		}
		f := strings.Split(line, "\t")
		if len(f) != 5 {
			t.Fatalf("%s:%d: got %d fields, want 5", file, i+1, len(f))
		}
		s := spelling{line: i + 1, game: Game(f[0]), text: f[1], field: f[2]}
		if f[3] == "!" {
			if s.refuse = reasons[f[4]]; s.refuse == nil {
				t.Fatalf("%s:%d: %q is no reason", file, i+1, f[4])
			}
		} else {
			s.item = Item{s.game, f[3], Phase(f[4])}
		}
		out = append(out, s)
	}
	return out
}

func TestSpellings(t *testing.T) {
	all := spellings(t)
	if len(all) < 140 {
		t.Fatalf("got %d spellings, want at least 140", len(all))
	}
	for _, s := range all {
		got, err := ParseItem(s.game, s.text, s.field)
		if !errors.Is(err, s.refuse) || got != s.item {
			t.Errorf("line %d: %q with field %q: got %+v, %v, want %+v, %v", s.line, s.text, s.field, got, err, s.item, s.refuse)
		}
	}
}

// TestSpellingsAgree: rows of one item are equal items, and rows of different
// ones are not.
func TestSpellingsAgree(t *testing.T) {
	byPrint := map[string]Item{}
	for _, s := range spellings(t) {
		if s.refuse != nil {
			continue
		}
		it, err := ParseItem(s.game, s.text, s.field)
		if err != nil {
			t.Fatalf("line %d: %v", s.line, err)
		}
		print := string(it.Game) + " " + it.String() + " " + string(it.Phase)
		if other, ok := byPrint[print]; ok && other != it {
			t.Errorf("line %d: %+v and %+v both print as %q", s.line, it, other, print)
		}
		byPrint[print] = it
	}
}

func TestUnparsableText(t *testing.T) {
	for _, text := range []string{"\xff", "AK-47 \xc3", "\x00", strings.Repeat("a", 1<<20), strings.Repeat(" ", 300) + "AK-47"} {
		if _, err := ParseItem(CS2, text, ""); !errors.Is(err, ErrName) {
			t.Errorf("%.20q (%d bytes): got %v, want ErrName", text, len(text), err)
		}
	}
	longest := strings.Repeat("a", maxName)
	if it, err := ParseItem(CS2, longest, ""); err != nil || it.Name != longest {
		t.Errorf("a name of %d bytes: got %v, want it taken", maxName, err)
	}
}

// drawDoppler gives a name of Steam's and a phase that its finish has.
func drawDoppler(t *rapid.T) (name string, p Phase) {
	weapon := rapid.SampledFrom([]string{"★ Karambit", "★ StatTrak™ M9 Bayonet", "Glock-18", "★ Shadow Daggers"}).Draw(t, "weapon")
	finish := rapid.SampledFrom([]string{doppler, gammaDoppler}).Draw(t, "finish")
	wear := rapid.SampledFrom(wears).Draw(t, "wear")
	p = rapid.SampledFrom(Phases[1:9]).Filter(func(p Phase) bool { return phaseExists(finish, p) }).Draw(t, "phase")
	return weapon + " | " + finish + " " + wear, p
}

// drawSpelling writes a phase into a name in one of the ways that are in use.
func drawSpelling(t *rapid.T, label, name string, p Phase) (text, field string) {
	words := []string{string(p)}
	for s, q := range phaseSpellings {
		if q == p {
			words = append(words, s, strings.ToUpper(s))
		}
	}
	words = append(words, strings.ReplaceAll(strings.ToLower(string(p)), " ", "-"))
	// The map gives its keys in any order; rapid needs the same each time.
	word := rapid.SampledFrom(sorted(words)).Draw(t, label+" word")
	at, _ := findWear(name)
	switch rapid.IntRange(0, 5).Draw(t, label+" way") {
	case 0:
		text = name[:at] + word + " " + name[at:]
	case 1:
		text = name[:at] + "(" + word + ") " + name[at:]
	case 2:
		text = name + " - " + word
	case 3:
		text = name + " [" + word + "]"
	case 4:
		text, field = name, word
	default:
		text, field = name[:at]+word+" "+name[at:], string(p)
	}
	if rapid.Bool().Draw(t, label+" wide") {
		text = strings.ReplaceAll(text, " ", "  ")
	}
	if rapid.Bool().Draw(t, label+" in parts") {
		text = norm.NFD.String(text)
	}
	return text, field
}

// TestTwoSpellingsOneItem: whatever the ways in which two markets write one
// phase, it is one item; and two phases are never one.
func TestTwoSpellingsOneItem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name, p := drawDoppler(t)
		want := Item{CS2, name, p}
		for _, label := range []string{"one", "other"} {
			text, field := drawSpelling(t, label, name, p)
			if got, err := ParseItem(CS2, text, field); err != nil || got != want {
				t.Errorf("%q with field %q: got %+v, %v, want %+v", text, field, got, err, want)
			}
		}
		q := rapid.SampledFrom(Phases[1:9]).Filter(func(q Phase) bool { return q != p }).Draw(t, "another phase")
		text, field := drawSpelling(t, "another", name, q)
		if got, err := ParseItem(CS2, text, field); err == nil && got == want {
			t.Errorf("%q with field %q is phase %s: got %+v", text, field, q, got)
		}
		if bare, err := ParseItem(CS2, name, ""); err != nil || bare == want || bare.Phase != UnknownPhase {
			t.Errorf("bare %q: got %+v, %v, want an unknown phase", name, bare, err)
		}
	})
}

// checkItem: what was parsed prints as a spelling of itself.
func checkItem(t testing.TB, it Item) {
	t.Helper()
	if again, err := ParseItem(it.Game, it.String(), ""); err != nil || again != it {
		t.Errorf("%+v prints as %q, which gives %+v, %v", it, it.String(), again, err)
	}
	if again, err := ParseItem(it.Game, it.Name, string(it.Phase)); err != nil || again != it {
		t.Errorf("%+v parsed from its parts: got %+v, %v", it, again, err)
	}
	if strings.Join(strings.Fields(it.Name), " ") != it.Name || !norm.NFC.IsNormalString(it.Name) || len(it.Name) > maxName || !utf8.ValidString(it.Name) {
		t.Errorf("%q is not clean", it.Name)
	}
	if it.IsDoppler() != (it.Phase != NoPhase) {
		t.Errorf("%+v: got IsDoppler %t", it, it.IsDoppler())
	}
}

func TestPrintedItemsParse(t *testing.T) {
	for _, s := range spellings(t) {
		if s.refuse == nil {
			checkItem(t, s.item)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		name, p := drawDoppler(t)
		checkPrinted(t, Item{CS2, name, p})
	})
}

// checkPrinted is checkItem for rapid, whose T is none of testing's.
func checkPrinted(t *rapid.T, it Item) {
	if again, err := ParseItem(it.Game, it.String(), ""); err != nil || again != it {
		t.Errorf("%+v prints as %q, which gives %+v, %v", it, it.String(), again, err)
	}
}

func FuzzParseItem(f *testing.F) {
	for _, s := range spellings(f) {
		f.Add(s.text, s.field)
	}
	f.Add(strings.Repeat("a", maxSpelling-20)+" | Doppler Ruby (Factory New)", "")
	f.Add("X (Factory New) | Doppler Ruby (Minimal Wear)", "")
	f.Fuzz(func(t *testing.T, text, field string) {
		it, err := ParseItem(CS2, text, field)
		if err != nil {
			if it != (Item{}) {
				t.Errorf("%q, %q: got %+v beside %v, want no item", text, field, it, err)
			}
			if !errors.Is(err, ErrName) && !errors.Is(err, ErrUnknownPhase) && !errors.Is(err, ErrPhasePair) && !errors.Is(err, ErrPhaseClash) {
				t.Errorf("%q, %q: got %v, which is none of the four reasons", text, field, err)
			}
			return
		}
		checkItem(t, it)
	})
}

// realNames gives the names of a Steam price list that lies beside the
// repository on some machines.
func realNames(t *testing.T) []string {
	t.Helper()
	file := filepath.Join("..", "..", "shared", "data", "steam-prices-latest.json.zst")
	f, err := os.Open(file)
	if err != nil {
		t.Skipf("the list of all real names is not on this machine: %v", err)
	}
	defer f.Close()
	z, err := zstd.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	var list struct {
		Prices map[string]int64 `json:"prices"`
	}
	if err := json.NewDecoder(z).Decode(&list); err != nil {
		t.Fatal(err)
	}
	names := make([]string, 0, len(list.Prices))
	for name := range list.Prices {
		names = append(names, name)
	}
	return sorted(names)
}

// TestAllRealNames: none is refused, none falls together with another except by
// its spaces, and every phase of every Doppler is an item of its own.
func TestAllRealNames(t *testing.T) {
	names := realNames(t)
	if len(names) != 34_500 {
		t.Errorf("got %d names, want 34500", len(names))
	}
	seen := map[Item]string{}
	mention, dopplers := 0, 0
	for _, name := range names {
		it, err := ParseItem(CS2, name, "")
		if err != nil {
			t.Errorf("refused: %v", err)
			continue
		}
		checkItem(t, it)
		if strings.Contains(name, doppler) {
			mention++
		}
		squeezed := strings.Join(strings.Fields(name), "")
		if other, ok := seen[it]; ok && strings.Join(strings.Fields(other), "") != squeezed {
			t.Errorf("%q and %q are both %+v", name, other, it)
		}
		seen[it] = name
		if !it.IsDoppler() {
			if placeholder, err := ParseItem(CS2, name, "Phase 1"); err != nil || placeholder != it {
				t.Errorf("%q with a field that means nothing: got %+v, %v, want %+v", name, placeholder, err, it)
			}
			continue
		}
		dopplers++
		if it.Phase != UnknownPhase {
			t.Errorf("%q tells no phase: got %s", name, it.Phase)
		}
		at, _ := findWear(name)
		phases := 0
		for _, p := range Phases[1:9] {
			phased, err := ParseItem(CS2, name[:at]+string(p)+" "+name[at:], "")
			if err != nil {
				if !errors.Is(err, ErrPhasePair) {
					t.Errorf("%s of %q: got %v, want an item or ErrPhasePair", p, name, err)
				}
				continue
			}
			phases++
			if other, ok := seen[phased]; ok {
				t.Errorf("%s of %q and %q are both %+v", p, name, other, phased)
			}
			seen[phased] = name
		}
		if want := map[bool]int{true: 5, false: 7}[strings.Contains(name, gammaDoppler)]; phases != want {
			t.Errorf("%q: got %d phases, want %d", name, phases, want)
		}
	}
	// The two that only mention the word are a sticker and its slab.
	if mention != 95 || dopplers != 93 {
		t.Errorf("got %d names with the word and %d Dopplers, want 95 and 93", mention, dopplers)
	}
}

func BenchmarkParseItem(b *testing.B) {
	for name, text := range map[string]string{"plain": "StatTrak™ AK-47 | Redline (Field-Tested)", "doppler": "★ StatTrak™ Karambit | Doppler Phase 2 (Factory New)"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ParseItem(CS2, text, ""); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
