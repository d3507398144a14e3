package alert

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Alert is one thing that a person should hear of.
type Alert struct {
	Kind   string    // a word of a small set, such as "in_doubt"
	Market string    // empty when it is about none
	Order  string    // empty when it is about no single one
	Text   string    // plain text; it may have several lines
	At     time.Time // when it happened; zero means now
	Urgent bool      // goes before others, and is dropped after them
	About  string    // what else makes it a topic of its own; empty when nothing does
	Always bool      // never held back for one before it: what a person did, who expects to read of it
}

// Bounds of an alert's fields, in characters.
const (
	maxWord = 64
	maxText = 4000
)

// cleaner makes texts fit to be shown: plain, bounded, and without secrets.
type cleaner struct{ redact *strings.Replacer }

// newCleaner takes the secrets, each of which is also looked for as it would
// stand in a URL.
func newCleaner(secrets []string) cleaner {
	var all []string
	for _, s := range secrets {
		s = plain(s)
		if s != "" {
			all = append(all, s, url.QueryEscape(s), url.PathEscape(s))
		}
	}
	// Of a secret that begins another one, nothing of the longer must be left.
	slices.SortFunc(all, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	var pairs []string
	for _, s := range slices.Compact(all) {
		pairs = append(pairs, s, "•••")
	}
	return cleaner{strings.NewReplacer(pairs...)}
}

// alert cleans every field.
func (c cleaner) alert(a Alert) Alert {
	a.Kind = c.text(a.Kind, maxWord)
	a.Market = c.text(a.Market, maxWord)
	a.Order = c.text(a.Order, maxWord)
	a.Text = c.text(a.Text, maxText)
	return a
}

// text gives s as plain text without secrets, at most so many characters of it.
// It cuts last: half a secret would not be found.
func (c cleaner) text(s string, most int) string {
	s = strings.TrimSpace(c.redact.Replace(plain(s)))
	if utf8.RuneCountInString(s) > most {
		s = string([]rune(s)[:most-1]) + "…"
	}
	return s
}

// plain leaves line feeds of the control characters and of those that are not
// seen, such as the ones that turn the direction of writing.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == utf8.RuneError:
			return '?'
		case unicode.Is(unicode.Cf, r):
			return -1
		case unicode.IsControl(r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r):
			return ' '
		}
		return r
	}, s)
}
