package httpapi

import (
	"testing"
	"unsafe"

	"skinarb/pricing"
)

// TestPublishEncodesWhatChanged, before anybody asks, and nothing else.
func TestPublishEncodesWhatChanged(t *testing.T) {
	const items = 50
	w := newWorld()
	w.prices.book = wideBook(items)
	s := New(w.cfg)
	s.Publish(w.prices.book, sihCS2, nil, true)
	kept := func(e *edition) (out []*answer) {
		for pos := range e.book.Len() {
			out = append(out, e.answers[pos].Load())
		}
		return out
	}
	e := s.edition(pricing.CS2)
	before := kept(e)
	for pos, a := range before {
		if a == nil || e.at(pos) != a {
			t.Fatalf("after a whole catalog: the answer at %d is not ready", pos)
		}
	}

	brandNew := listing(pricing.CS2, "Brand New", "5", 1)
	next, changed, _ := w.prices.book.Apply(pricing.Change{
		Feed: sbCS2, From: 1, To: 2, ObservedAt: now,
		Set: []pricing.Listing{listing(pricing.CS2, e.book.Item(3).Name, "7", 1), brandNew}, Gone: []pricing.Item{e.book.Item(4)},
	})
	w.prices.book = next
	s.Publish(next, sbCS2, changed, false)
	e = s.edition(pricing.CS2)
	after := kept(e)
	for pos, a := range after {
		isNew := pos == 3 || pos == 4 || pos == items
		if a == nil || e.at(pos) != a {
			t.Errorf("after a change: the answer at %d is not ready", pos)
		}
		if pos < items && (a != before[pos]) != isNew {
			t.Errorf("the answer at %d: made anew is %t, want %t", pos, a != before[pos], isNew)
		}
	}
}

// TestAnswersStaySmall states what an item on both markets costs in memory.
func TestAnswersStaySmall(t *testing.T) {
	const items, most = 1000, 800 // bytes
	book := wideBook(items)
	e := (&editions{game: pricing.CS2}).of(book)
	e.encodeAll()
	bytes := len(e.answers) * int(unsafe.Sizeof(e.answers[0]))
	for pos := range book.Len() {
		bytes += int(unsafe.Sizeof(answer{})) + len(e.at(pos).text)
	}
	if each := bytes / items; each > most {
		t.Errorf("got %d bytes for each item, want at most %d", each, most)
	} else {
		t.Logf("%d bytes for each item", each)
	}
}

// TestEditionsOfUnrelatedBooks: positions mean other items there, answers do not.
func TestEditionsOfUnrelatedBooks(t *testing.T) {
	s := New(newWorld().cfg)
	e := s.edition(pricing.CS2)
	e.encodeAll()
	other, _ := pricing.NewBook().With(pricing.Catalog{Feed: sihCS2, Version: 1, ObservedAt: now, Listings: []pricing.Listing{listing(pricing.CS2, "Other", "1", 1)}})
	empty, _, _ := other.Apply(pricing.Change{Feed: sihCS2, From: 1, To: 2, Gone: []pricing.Item{other.Item(0)}})
	sold, _, _ := e.book.Apply(pricing.Change{Feed: sbCS2, From: 3, To: 4, Gone: []pricing.Item{e.book.Item(0), e.book.Item(1)}})
	for _, book := range []*pricing.Book{other, e.book, other, empty, sold, empty} {
		x := s.editions[pricing.CS2].of(book)
		for pos := range book.Len() {
			want := newAnswer(book.Item(pos), [markets]*pricing.Listing{book.At(sbCS2, pos), book.At(sihCS2, pos)})
			if got := x.at(pos); got.text != want.text || got.family != want.family {
				t.Errorf("at %d: got %s, want %s", pos, got.text, want.text)
			}
		}
	}
}

// TestMarketsHaveRoom keeps the constant that arrays need beside the list.
func TestMarketsHaveRoom(t *testing.T) {
	if markets != len(pricing.Markets) {
		t.Errorf("got room for %d markets, want %d", markets, len(pricing.Markets))
	}
}
