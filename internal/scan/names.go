package scan

import (
	"fmt"
	"sync"

	"skinarb/pricing"
)

// MaxNames bounds the spellings of one catalog. The largest game has some
// 30,000.
const MaxNames = 1 << 20

// maxKept bounds a spelling and its phase together, in bytes, that is kept. No
// item has a longer one; what is longer is found out anew each time.
const maxKept = 320

// Name is what one spelling means. It must not be changed.
type Name struct {
	Spelling string // as the market writes it
	Item     pricing.Item
	Err      error // why pricing.ParseItem refuses it; then Item is zero

	// Index counts the spellings of a Names from 0 without a gap, so that what a
	// pull finds of each can be kept in slices. It is -1 of a spelling that is too
	// long to be kept; that has an Err.
	Index int

	phase string // the field that came with it
	item  int32  // counts the items of a Names from 0; -1 of none
	next  int32  // the name that came after this one the last time
}

func (n *Name) is(name []byte, phase string) bool {
	return n.Spelling == string(name) && n.phase == phase
}

// Names remembers over pulls what every spelling of one game's catalog means:
// it is found out once, and its text is kept once for all pulls. A catalog comes
// in much the same order every time, so the name that followed the last one is
// tried before it is looked up. It is not for concurrent use.
type Names struct {
	game  pricing.Game
	names []Name // the first is none
	known map[spelling]int32
	items map[pricing.Item]int32
	last  int32 // in names
	size  int   // of the last catalog, in listings
	place []int32
}

type spelling struct{ name, phase string }

// NewNames gives a table without names.
func NewNames(g pricing.Game) *Names {
	n := &Names{game: g}
	n.forget()
	return n
}

func (n *Names) forget() {
	n.names = make([]Name, 1)
	n.known, n.items, n.last = map[spelling]int32{}, map[pricing.Item]int32{}, 0
}

// Find tells what a spelling means together with the market's field for a phase,
// which may be empty. The Name stays good when others are found. More than MaxNames different
// spellings are an error.
func (n *Names) Find(name []byte, phase string) (*Name, error) {
	at := n.last
	if at == 0 || !n.names[at].is(name, phase) {
		if at = n.names[n.last].next; at == 0 || !n.names[at].is(name, phase) {
			var ok bool
			if at, ok = n.known[spelling{string(name), phase}]; !ok {
				return n.learn(string(name), phase)
			}
			n.names[n.last].next = at
		}
		n.last = at
	}
	return &n.names[at], nil
}

// learn finds out what a new spelling means.
func (n *Names) learn(name, phase string) (*Name, error) {
	it, err := pricing.ParseItem(n.game, name, phase)
	found := Name{Spelling: name, Item: it, Err: err, Index: -1, phase: phase, item: -1}
	if err != nil && len(name)+len(phase) > maxKept {
		return &found, nil
	}
	if len(n.names) > MaxNames {
		return nil, fmt.Errorf("more than %d different names", MaxNames)
	}
	if err == nil {
		at, ok := n.items[it]
		if !ok {
			at = int32(len(n.items))
			n.items[it] = at
		}
		found.item = at
	}
	at := int32(len(n.names))
	found.Index = int(at) - 1
	n.names = append(n.names, found)
	n.known[spelling{name, phase}] = at
	n.names[n.last].next = at
	n.last = at
	return &n.names[at], nil
}

// Catalog gathers the listings of one pull, one for each item.
type Catalog struct {
	Listings []pricing.Listing
	names    *Names
}

// Catalog begins a pull, and ends the one before.
func (n *Names) Catalog() *Catalog {
	clear(n.place)
	n.last = 0
	c := &Catalog{names: n}
	if n.size > 0 {
		c.Listings = make([]pricing.Listing, 0, n.size+n.size/16)
	}
	return c
}

// Place gives the listing of a name's item, which must not have an error: the
// one that is there already, with true, or a new one that has its Item only. It
// may be changed until the next call.
func (c *Catalog) Place(name *Name) (*pricing.Listing, bool) {
	n := c.names
	if int(name.item) >= len(n.place) {
		n.place = append(n.place, make([]int32, len(n.items)-len(n.place))...)
	}
	if at := n.place[name.item]; at > 0 {
		return &c.Listings[at-1], true
	}
	c.Listings = append(c.Listings, pricing.Listing{Item: name.Item})
	n.place[name.item] = int32(len(c.Listings))
	return &c.Listings[len(c.Listings)-1], false
}

// Done says that the catalog is whole.
func (c *Catalog) Done() { c.names.size = len(c.Listings) }

// Tables keeps the names of every game from one pull to the next. The zero value
// is ready, and safe for concurrent use.
type Tables struct {
	mu   sync.Mutex
	idle map[pricing.Game]*Names
}

// Take gives the names of a game to one pull. A second pull at the same time
// gets a table of its own.
func (t *Tables) Take(g pricing.Game) *Names {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := t.idle[g]; n != nil {
		delete(t.idle, g)
		return n
	}
	return NewNames(g)
}

// Return takes the names back. When there are far more than the market sells,
// because its names change or an answer was garbage, they are forgotten.
func (t *Tables) Return(n *Names) {
	if len(n.names) > 4*n.size+1024 {
		n.forget()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.idle == nil {
		t.idle = map[pricing.Game]*Names{}
	}
	t.idle[n.game] = n
}
