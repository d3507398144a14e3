package httpapi

import (
	"strconv"
	"sync/atomic"
	"time"

	"skinarb/pricing"
)

// Prices are encoded when they change, not when they are asked.
//
// What is said of an item falls into three parts by how long it is true. The
// item and its quotes stay as they are until a market changes a listing: that is
// an answer, text that is made once. The times of the catalogs and the version
// belong to the whole book: that is an edition. Ages depend on when one asks: they
// are written for each request, once for each market.
//
// An answer is recognised by the listings that it was made of, which are never
// changed. So it can be shared by all editions and made by whoever needs it
// first, and can never speak of another version than the book in hand. Publish
// makes the answers of what changed before anybody asks.

// markets is how many markets an item can have quotes of: len(pricing.Markets).
const markets = 2

// answer is what is said of an item, with a gap in each quote for the time of
// its catalog and its age.
type answer struct {
	quotes [markets]quoteText // in the order of pricing.Markets
	text   string             // from "item": to the end of the last quote
	name   [2]int32           // where the item's name stands in text, in its quotation marks
	item   int32              // where the item ends in text
	family string             // the name of a Doppler, whose phases are told too; empty for all others
}

// quoteText is one quote of an answer, as places in its text.
type quoteText struct {
	listing                *pricing.Listing // nil: the market has none, and there is no text
	ask                    pricing.Money    // 0 when the listing is sold out and thus cannot be the best
	begin, asked, gap, end int32            // begin of the object; ends of its ask, of what precedes the gap, of the object
}

// newAnswer gives the answer for an item with these listings.
func newAnswer(it pricing.Item, listings [markets]*pricing.Listing) *answer {
	a := &answer{}
	if it.IsDoppler() {
		a.family = it.Name
	}
	b := appendString([]byte(`"item":{"game":`), string(it.Game))
	b = append(b, `,"name":`...)
	a.name[0] = int32(len(b))
	b = appendString(b, it.Name)
	a.name[1] = int32(len(b))
	b = append(b, `,"phase":`...)
	b = appendString(b, string(it.Phase))
	b = append(b, '}')
	a.item = int32(len(b))
	b = append(b, `,"quotes":[`...)
	first := true
	for m, l := range listings {
		if l == nil {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		q := quoteText{listing: l, begin: int32(len(b))}
		if l.Count != 0 {
			q.ask = l.Ask
		}
		b = append(b, `{"market":`...)
		b = appendString(b, string(pricing.Markets[m]))
		b = append(b, `,"ask":`...)
		b = appendMoney(b, l.Ask)
		q.asked = int32(len(b))
		b = append(b, `,"count":`...)
		b = appendCount(b, l.Count)
		b = append(b, `,"market_name":`...)
		b = appendString(b, l.MarketName)
		b = append(b, `,"observed_at":`...)
		q.gap = int32(len(b))
		b = appendHints(b, l)
		b = append(b, '}')
		q.end = int32(len(b))
		a.quotes[m] = q
	}
	a.text = string(b) // without the spare room of b
	return a
}

// madeOf tells whether the answer speaks of these listings.
func (a *answer) madeOf(listings [markets]*pricing.Listing) bool {
	for m := range listings {
		if a.quotes[m].listing != listings[m] {
			return false
		}
	}
	return true
}

// edition is one book as a game's answers are made from it. It is immutable but
// for the answers that it remembers, and safe for concurrent use.
type edition struct {
	book    *pricing.Book
	game    pricing.Game
	columns [markets]column
	version string

	// answers remembers answers by position, also for the editions that follow.
	// One that was made of other listings is made anew.
	answers []atomic.Pointer[answer]
}

// column is what an edition has of one market.
type column struct {
	listings   []*pricing.Listing // by position, maybe shorter than the book
	observedAt time.Time
	observed   string // observedAt as JSON
}

// editions gives the edition of the newest book of a game. It is safe for
// concurrent use.
type editions struct {
	game pricing.Game
	last atomic.Pointer[edition]
}

// of gives the edition of a book, which is the last one practically always.
func (e *editions) of(book *pricing.Book) *edition {
	last := e.last.Load()
	if last != nil && last.book == book {
		return last
	}
	// Several requests may come here at once. Each makes the same few words, and
	// if two enlarge answers, what one of them remembers is made again.
	next := &edition{book: book, game: e.game, version: strconv.FormatUint(book.Version(e.game), 10)}
	for m := range next.columns {
		f := pricing.Feed{Market: pricing.Markets[m], Game: e.game}
		c, _ := book.Catalog(f)
		listings, _ := book.Column(f)
		next.columns[m] = column{listings, c.ObservedAt, string(appendTime(nil, c.ObservedAt))}
	}
	if last != nil {
		next.answers = last.answers
	}
	if have, need := len(next.answers), book.Len(); have < need {
		next.answers = make([]atomic.Pointer[answer], need+need/16) // room for items to come
		for pos := range have {
			next.answers[pos].Store(last.answers[pos].Load())
		}
	}
	e.last.Store(next)
	return next
}

// at gives the answer for the item at a position.
func (e *edition) at(pos int) *answer {
	var listings [markets]*pricing.Listing
	for m := range e.columns {
		if col := e.columns[m].listings; pos < len(col) {
			listings[m] = col[pos]
		}
	}
	kept := &e.answers[pos]
	if a := kept.Load(); a != nil && a.madeOf(listings) {
		return a
	}
	a := newAnswer(e.book.Item(pos), listings)
	if listings == [markets]*pricing.Listing{} {
		kept.Store(nil) // there is nothing to recognise it by, and nobody asks for it often
		return a
	}
	kept.Store(a)
	return a
}

// encodeAll makes the answers of all items that are not made yet.
func (e *edition) encodeAll() {
	for pos := range e.book.Len() {
		if e.book.Item(pos).Game == e.game {
			e.at(pos)
		}
	}
}

// of gives the answer for an item, which no market may ever have had.
func (e *edition) of(it pricing.Item) *answer {
	if pos, ok := e.book.Position(it); ok {
		return e.at(pos)
	}
	return newAnswer(it, [markets]*pricing.Listing{})
}

// ages is what fills the gaps of all answers of an edition at one time.
type ages struct {
	text  [markets][88]byte // time of the catalog, age and staleness; it has 70 at most
	size  [markets]int
	stale [markets]bool
}

// tell fills in the ages as of now. It does not return them so that they can stay
// on the stack of the request.
func (e *edition) tell(t *ages, now time.Time, maxAge time.Duration) {
	for m := range e.columns {
		age := now.Sub(e.columns[m].observedAt)
		t.stale[m] = age.Abs() > maxAge // from the future: a clock is wrong, and the true age unknown
		b := append(t.text[m][:0], e.columns[m].observed...)
		b = append(b, `,"age_ms":`...)
		b = strconv.AppendInt(b, max(0, age.Milliseconds()), 10)
		b = append(b, `,"stale":`...)
		b = strconv.AppendBool(b, t.stale[m])
		t.size[m] = len(b)
	}
}

func (t *ages) of(m int) []byte { return t.text[m][:t.size[m]] }

// appendPrice appends the members of one item's price. It reports false, with
// nothing of use appended, when no market has the name in any phase. An item
// whose name is on offer in other phases only has no quotes, and its phases
// tell where to look.
func (e *edition) appendPrice(b []byte, a *answer, t *ages) (out []byte, found bool) {
	var best *quoteText
	done := int32(0)
	for m := range a.quotes {
		q := &a.quotes[m]
		if q.listing == nil {
			continue
		}
		found = true
		b = append(b, a.text[done:q.gap]...)
		b = append(b, t.of(m)...)
		done = q.gap
		if !t.stale[m] && q.ask > 0 && (best == nil || q.ask < best.ask) {
			best = q
		}
	}
	b = append(b, a.text[done:]...)
	b = append(b, `],"best_ask":`...)
	if best == nil {
		b = append(b, `null`...)
	} else { // a quote begins with what the best ask is told by
		b = append(b, a.text[best.begin:best.asked]...)
		b = append(b, '}')
	}
	b = append(b, `,"phases":[`...)
	if a.family != "" {
		var buf [12]pricing.Phase // more than there are
		phases := e.book.AppendPhases(buf[:0], e.game, a.family)
		found = found || len(phases) > 0
		b = appendKnownPhases(b, phases)
	}
	b = append(b, `],"version":`...)
	b = append(b, e.version...)
	return b, found
}

// appendKnownPhases appends the elements of a list of phases but the unknown one.
func appendKnownPhases(b []byte, phases []pricing.Phase) []byte {
	first := true
	for _, p := range phases {
		if p == pricing.UnknownPhase {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = appendString(b, string(p))
	}
	return b
}

// appendLine appends the line of a catalog for the item at a position, if the
// market has it.
func (e *edition) appendLine(b []byte, pos, market int, t *ages) []byte {
	if e.columns[market].listings[pos] == nil {
		return b
	}
	a := e.at(pos)
	q := &a.quotes[market]
	b = append(b, '{')
	b = append(b, a.text[:a.item]...)
	b = append(b, ',')
	b = append(b, a.text[q.begin+1:q.gap]...)
	b = append(b, t.of(market)...)
	b = append(b, a.text[q.gap:q.end]...)
	return append(b, '\n')
}
