package strategy

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"skinarb/pricing"
)

func TestNames(t *testing.T) {
	ruby := karambit(pricing.Ruby)
	dragon := pricing.Item{Game: pricing.CS2, Name: "M4A4 | 龍王 (Dragon King) (Field-Tested)"}
	syfers := pricing.Item{Game: pricing.CS2, Name: "Michael Syfers | FBI Sniper"}
	jormungandr := pricing.Item{Game: pricing.CS2, Name: "AUG | Flame Jörmungandr (Factory New)"}
	for _, c := range []struct {
		line string
		item pricing.Item
		want bool
	}{
		{"AK-47 | Redline (Field-Tested)", redline, true},
		{"  ak-47  |  REDLINE (field-tested)\r", redline, true},
		{"AK-47 | Redline", redline, false},
		{"AK-47 | Redline*", redline, true},
		{"*redline*", redline, true},
		{"*", redline, true},
		{"AK-?? | Redline (Field-Tested)", redline, true},
		{"AK-? | Redline (Field-Tested)", redline, false},
		{"?AK-47 | Redline (Field-Tested)", redline, false},
		{"M4A4 | * (Dragon King) (*)", dragon, true},
		{"M4A4 | ?? (Dragon King) (Field-Tested)", dragon, true},
		{"M4A4 | [龍王]* (Dragon King) (*)", dragon, false},
		{"Michael Syfers  | FBI Sniper", syfers, true},
		{"AUG | Flame Jo\u0308rmungandr (Factory New)", jormungandr, true},
		{"aug | flame J\u00d6RMUNGANDR*", jormungandr, true},
		{"★ Karambit | Doppler (Factory New)", ruby, true},
		{"★ Karambit | Doppler Ruby (Factory New)", ruby, true},
		{"★ karambit | doppler ruby (factory new)", ruby, true},
		{"★ Karambit | Doppler (Factory New) - Ruby", ruby, true},
		{"★ Karambit | Doppler Ruby (Factory New)", karambit(pricing.Sapphire), false},
		{"★ Karambit | Doppler Ruby (Factory New)", karambit(pricing.UnknownPhase), false},
		{"* | Doppler Ruby *", ruby, true},
		{"* | Doppler (*", ruby, true}, // the name without its phase
		{"*Doppler ruby*", karambit(pricing.Phase1), false},
		{"?CSGO_crate*", pricing.Item{Game: pricing.CS2, Name: "#CSGO_crate_musickit"}, true},
		{"#CSGO_crate_musickit", pricing.Item{Game: pricing.CS2, Name: "#CSGO_crate_musickit"}, false}, // a comment
		{"Tempered AK47", pricing.Item{Game: pricing.Rust, Name: "Tempered AK47"}, true},
		{"", redline, false},
		{"***", redline, true},
	} {
		n := names(t, "# a comment", "", c.line)
		if got := n.Match(c.item); got != c.want {
			t.Errorf("%q matches %s: got %t, want %t", c.line, c.item, got, c.want)
		}
	}
	var none *Names
	if none.Match(redline) || none.Len() != 0 {
		t.Errorf("nil: got a match or length %d, want none and 0", none.Len())
	}
	if got := names(t, "\ufeffAK-47 | Redline (Field-Tested)", "AWP | *"); got.Len() != 2 || !got.Match(redline) {
		t.Errorf("with a byte order mark: got length %d, match %t, want 2 and true", got.Len(), got.Match(redline))
	}
}

func TestBadNames(t *testing.T) {
	text := strings.Join([]string{
		"AK-47 | Redline (Field-Tested)",
		"a\x00b",
		"★ Karambit | Doppler Phase 9 (Factory New)",
		"\xff\xfe",
		strings.Repeat("x", maxLine+1),
		"* fine *",
		"★ karambit | doppler emerald (factory new)",
	}, "\n")
	_, err := ParseNames(strings.NewReader(text))
	if err == nil {
		t.Fatal("got nil, want an error")
	}
	for line, want := range map[string]bool{"line 1:": false, "line 2:": true, "line 3:": true, "line 4:": true, "line 5:": true, "line 6:": false, "line 7:": true} {
		if got := strings.Contains(err.Error(), line); got != want {
			t.Errorf("the error names %s %t, want %t: %v", line, got, want, err)
		}
	}
}

func TestNamesAreBounded(t *testing.T) {
	for what, text := range map[string]string{
		"lines":    strings.Repeat("#\n", maxLines+1),
		"globs":    strings.Repeat("a*\n", maxGlobs+1),
		"one line": strings.Repeat("x", 1<<20),
	} {
		if _, err := ParseNames(strings.NewReader(text)); err == nil {
			t.Errorf("too much of %s: got nil, want an error", what)
		}
	}
	_, err := ParseNames(strings.NewReader(strings.Repeat("\x01\n", 10_000)))
	if err == nil || strings.Count(err.Error(), "\n") > maxBadLines {
		t.Errorf("ten thousand bad lines: got %d reported, want at most %d", strings.Count(err.Error(), "\n"), maxBadLines)
	}
	broken := errors.New("disk on fire")
	if _, err := ParseNames(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("a reader that fails: got %v, want %v", err, broken)
	}
}

// TestGlobEqualsRegexp compares with the same pattern as a regular expression.
func TestGlobEqualsRegexp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringOfN(rapid.RuneFrom([]rune("ab*?[/龍")), 0, 12, -1).Draw(t, "pattern")
		text := rapid.StringOfN(rapid.RuneFrom([]rune("ab[/龍")), 0, 12, -1).Draw(t, "text")
		re := regexp.QuoteMeta(pattern)
		re = strings.ReplaceAll(strings.ReplaceAll(re, `\*`, "(?s:.*)"), `\?`, "(?s:.)")
		want := regexp.MustCompile("^" + re + "$").MatchString(text)
		if got := glob(pattern, text); got != want {
			t.Errorf("glob %q on %q: got %t, want %t", pattern, text, got, want)
		}
	})
}

func FuzzParseNames(f *testing.F) {
	f.Add("AK-47 | Redline (Field-Tested)\n# no\n*a?b*\n")
	f.Add("★ karambit | DOPPLER phase 2 (factory new)")
	f.Fuzz(func(t *testing.T, text string) {
		n, err := ParseNames(strings.NewReader(text))
		if err != nil {
			return
		}
		// An exact line that is an item as it stands matches that item.
		for line := range strings.Lines(text) {
			line = strings.TrimRight(line, "\r\n")
			if strings.HasPrefix(line, "#") || strings.HasPrefix(line, "\ufeff") {
				continue
			}
			if it, err := pricing.ParseItem(pricing.CS2, line, ""); err == nil && !n.Match(it) {
				t.Errorf("%q is in the list, but %v does not match", line, it)
			}
		}
	})
}
