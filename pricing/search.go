package pricing

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Bounds of a query.
const (
	maxQuery      = 200 // bytes
	maxQueryWords = 10
)

// Errors of Search.Find.
var (
	ErrSearch = errors.New("not a search")
	ErrCursor = errors.New("not a cursor of this search")
)

// Search finds items by words of their names. Case, diacritics and punctuation
// do not count, nor does the order of the words, and a word may be cut short:
// "RED ak" finds "AK-47 | Redline (Field-Tested)".
//
// It prepares the names once and again only when a book knows new items, not on
// every change of a price. The zero value is ready, and safe for concurrent use.
type Search struct {
	mu    sync.Mutex // guards the fields; what games holds is never changed
	index *index     // that games was made of
	games map[Game]*searchIndex
}

// searchIndex tells which items of a game have a word.
type searchIndex struct {
	entries []searchEntry // in the order of answers
	words   []string      // every word of a name, sorted
	having  [][]int32     // by word: the entries that have it
}

// searchEntry is one item at its position in a book.
type searchEntry struct {
	pos    int
	item   Item
	length int // of the name, in runes
}

// compare orders entries as answers list them: short names first, since a short
// name that has all the words is the closest. The order is total and depends on
// the item alone, so a cursor stays where it is when the book changes.
func (e searchEntry) compare(o searchEntry) int {
	if c := cmp.Compare(e.length, o.length); c != 0 {
		return c
	}
	if c := strings.Compare(e.item.Name, o.item.Name); c != 0 {
		return c
	}
	return slices.Index(Phases, e.item.Phase) - slices.Index(Phases, o.item.Phase)
}

// Find gives up to limit items of a game that have all words of query and are
// on offer somewhere in b, and a cursor to the ones that follow, empty at the
// end. Errors wrap ErrSearch or ErrCursor.
func (s *Search) Find(b *Book, g Game, query string, limit int, cursor string) (found []Item, next string, err error) {
	words, err := queryWords(query)
	if err != nil {
		return nil, "", err
	}
	x := s.of(b, g)
	start := 0
	if cursor != "" {
		last, err := parseCursor(cursor)
		if err != nil {
			return nil, "", err
		}
		i, hit := slices.BinarySearchFunc(x.entries, last, searchEntry.compare)
		if start = i; hit {
			start++
		}
	}
	match := x.match(words)
	for i := start; i < len(x.entries); i++ {
		if match[i/64]>>(i%64)&1 == 0 || !b.offered(x.entries[i].pos) {
			continue
		}
		if len(found) == limit {
			return found, formatCursor(found[limit-1]), nil
		}
		found = append(found, x.entries[i].item)
	}
	return found, "", nil
}

// match gives a bit for every entry: whether each of words begins one of its
// words. There is at least one word.
func (x *searchIndex) match(words []string) []uint64 {
	var all []uint64
	for _, w := range words {
		bits := make([]uint64, (len(x.entries)+63)/64)
		i, _ := slices.BinarySearch(x.words, w)
		for ; i < len(x.words) && strings.HasPrefix(x.words[i], w); i++ {
			for _, n := range x.having[i] {
				bits[n/64] |= 1 << (n % 64)
			}
		}
		if all == nil {
			all = bits
			continue
		}
		for i := range all {
			all[i] &= bits[i]
		}
	}
	return all
}

// offered tells whether some market has the item at a position.
func (b *Book) offered(pos int) bool {
	for _, m := range Markets {
		if b.At(Feed{m, b.index.items[pos].Game}, pos) != nil {
			return true
		}
	}
	return false
}

// of gives the index of a game, made anew if b's items differ from those that it
// was made of.
func (s *Search) of(b *Book, g Game) *searchIndex {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.index != b.index {
		s.index, s.games = b.index, map[Game]*searchIndex{}
	}
	if s.games[g] == nil {
		s.games[g] = newSearchIndex(b.index, g)
	}
	return s.games[g]
}

func newSearchIndex(from *index, g Game) *searchIndex {
	x := &searchIndex{}
	for pos, it := range from.items {
		if it.Game == g {
			x.entries = append(x.entries, searchEntry{pos, it, utf8.RuneCountInString(it.Name)})
		}
	}
	slices.SortFunc(x.entries, searchEntry.compare)
	having := map[string][]int32{}
	for i, e := range x.entries {
		for _, w := range nameWords(e.item.String()) {
			having[w] = append(having[w], int32(i))
		}
	}
	x.words = slices.Sorted(maps.Keys(having))
	x.having = make([][]int32, len(x.words))
	for i, w := range x.words {
		x.having[i] = having[w]
	}
	return x
}

// nameWords gives the words of a name. What has punctuation inside counts in
// its parts and as one: "AK-47" is found as "ak 47", "ak-47" and "ak47".
func nameWords(name string) []string {
	var words []string
	for field := range strings.FieldsSeq(fold(name)) {
		parts := splitWords(field)
		words = append(words, parts...)
		if len(parts) > 1 {
			words = append(words, strings.Join(parts, ""))
		}
	}
	return words
}

// queryWords gives the words that are searched.
func queryWords(query string) ([]string, error) {
	if len(query) > maxQuery || !utf8.ValidString(query) {
		return nil, fmt.Errorf("%w: at most %d bytes of UTF-8", ErrSearch, maxQuery)
	}
	words := splitWords(fold(query))
	switch {
	case len(words) == 0:
		return nil, fmt.Errorf("%w: no letter or digit in it", ErrSearch)
	case len(words) > maxQueryWords:
		return nil, fmt.Errorf("%w: more than %d words", ErrSearch, maxQueryWords)
	}
	return words, nil
}

// splitWords splits at everything that is neither letter nor digit.
func splitWords(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// fold removes what a search ignores within words: case, and marks such as
// those of "Jörmungandr". Signs that are neither, such as ™ and ★, go with the
// punctuation.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFD.String(s))
}

// formatCursor writes the last item of a page; parseCursor reads it back.
func formatCursor(it Item) string {
	return base64.RawURLEncoding.EncodeToString([]byte(string(it.Phase) + "\n" + it.Name))
}

func parseCursor(s string) (searchEntry, error) {
	if len(s) > 2*maxName {
		return searchEntry{}, ErrCursor
	}
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return searchEntry{}, ErrCursor
	}
	phase, name, ok := strings.Cut(string(raw), "\n")
	if !ok || name == "" || !utf8.ValidString(name) || !slices.Contains(Phases, Phase(phase)) {
		return searchEntry{}, ErrCursor
	}
	return searchEntry{0, Item{Name: name, Phase: Phase(phase)}, utf8.RuneCountInString(name)}, nil
}
