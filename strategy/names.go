package strategy

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"skinarb/pricing"
)

// Bounds of a list of names.
const (
	maxLine     = 256 // bytes
	maxLines    = 200_000
	maxGlobs    = 5_000 // each is tried on every candidate
	maxBadLines = 50    // reported one by one
)

// Names is a list of item names and globs. Upper and lower case are the same in
// it, and so is white space of any length. It is immutable; nil matches nothing.
type Names struct {
	exact   map[string]struct{} // as pricing.Item.String writes items of CS2
	written map[string]struct{} // the same lines as they stand, for games without phases
	globs   []string
}

// ParseNames reads one name or glob a line. In a glob * stands for any text and
// ? for one character; all else, brackets too, stands for itself. Blank lines
// and lines that begin with # are skipped; the few items whose name begins with
// # are reached with ? in its place. A Doppler's name matches all of its
// phases, with a phase only that one, in any spelling that pricing.ParseItem
// knows. That is so in CS2; items of other games have no phases and match what is
// written. The error joins all bad lines with their numbers.
func ParseNames(r io.Reader) (*Names, error) {
	n := &Names{exact: map[string]struct{}{}, written: map[string]struct{}{}}
	var bad []error
	lines := bufio.NewScanner(r)
	for no := 1; lines.Scan(); no++ {
		if no > maxLines {
			return nil, fmt.Errorf("more than %d lines", maxLines)
		}
		line := lines.Text()
		if no == 1 {
			line = strings.TrimPrefix(line, "\ufeff")
		}
		if strings.HasPrefix(line, "#") || strings.TrimSpace(line) == "" {
			continue
		}
		if err := n.add(line); err != nil {
			if len(bad) == maxBadLines {
				bad = append(bad, errors.New("and more"))
				break
			}
			bad = append(bad, fmt.Errorf("line %d: %w", no, err))
		}
	}
	if err := lines.Err(); err != nil {
		bad = append(bad, fmt.Errorf("read names: %w", err))
	}
	if len(bad) > 0 {
		return nil, errors.Join(bad...)
	}
	return n, nil
}

func (n *Names) add(line string) error {
	if len(line) > maxLine {
		return fmt.Errorf("%d bytes are more than a name has (%d)", len(line), maxLine)
	}
	if !utf8.ValidString(line) {
		return errors.New("not UTF-8")
	}
	if strings.ContainsFunc(line, func(r rune) bool { return unicode.IsControl(r) && !unicode.IsSpace(r) }) {
		return errors.New("control character")
	}
	if strings.ContainsAny(line, "*?") {
		if len(n.globs) == maxGlobs {
			return fmt.Errorf("more than %d globs", maxGlobs)
		}
		n.globs = append(n.globs, fold(line))
		return nil
	}
	// A spelling of a phase that nobody uses would silently match nothing.
	it, err := pricing.ParseItem(pricing.CS2, fixedWords.ReplaceAllStringFunc(line, title), "")
	if err != nil {
		return err
	}
	n.exact[fold(it.String())], n.written[fold(line)] = struct{}{}, struct{}{}
	return nil
}

// fixedWords are those that ParseItem wants in their own case.
var fixedWords = regexp.MustCompile(`(?i)\b(gamma +)?doppler\b|\((factory new|minimal wear|field-tested|well-worn|battle-scarred)\)`)

// title makes the first letter of every word a capital and the others small.
func title(s string) string {
	inWord := false
	return strings.Map(func(r rune) rune {
		first := !inWord
		inWord = unicode.IsLetter(r)
		if first {
			return unicode.ToUpper(r)
		}
		return unicode.ToLower(r)
	}, s)
}

// fold removes what names in a list need not agree in.
func fold(s string) string {
	return strings.ToLower(norm.NFC.String(strings.Join(strings.Fields(s), " ")))
}

// Len is the number of names and globs.
func (n *Names) Len() int {
	if n == nil {
		return 0
	}
	return len(n.exact) + len(n.globs)
}

// Match tells whether the item is on the list, by its name or by its name with
// its phase.
func (n *Names) Match(it pricing.Item) bool {
	if n == nil {
		return false
	}
	exact := n.exact
	if it.Game != pricing.CS2 {
		exact = n.written
	}
	if n.match(exact, fold(it.Name)) {
		return true
	}
	phased := it.String()
	return phased != it.Name && n.match(exact, fold(phased))
}

func (n *Names) match(exact map[string]struct{}, name string) bool {
	if _, ok := exact[name]; ok {
		return true
	}
	for _, g := range n.globs {
		if glob(g, name) {
			return true
		}
	}
	return false
}

// glob matches the whole of s. When text after a * does not fit, only the last
// * is tried anew one character on, so it takes at most len(pattern)*len(s)
// steps.
func glob(pattern, s string) bool {
	star, from := -1, 0 // after the last *, and where its text begins
	p, i := 0, 0
	for i < len(s) {
		if p < len(pattern) && pattern[p] == '*' {
			p++
			star, from = p, i
			continue
		}
		if p < len(pattern) {
			want, wide := utf8.DecodeRuneInString(pattern[p:])
			got, width := utf8.DecodeRuneInString(s[i:])
			if want == '?' || want == got {
				p, i = p+wide, i+width
				continue
			}
		}
		if star < 0 {
			return false
		}
		_, width := utf8.DecodeRuneInString(s[from:])
		from += width
		p, i = star, from
	}
	return strings.Trim(pattern[p:], "*") == ""
}
