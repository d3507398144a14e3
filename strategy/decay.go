package strategy

import (
	"slices"
	"sync"
	"time"

	"skinarb/pricing"
)

// Bounds of Decay.
const (
	maxWatched = 5_000 // edges that are followed at the same time; more are not watched
	maxSamples = 5_000 // newest that a horizon remembers
)

// horizons are the times after its appearance at which an edge is looked at
// again, in ascending order. Zero is the next catalog of the feed that is bought
// from, which is also what decides a paper order.
var horizons = [...]struct {
	name  string
	after time.Duration
}{
	{"next_catalog", 0},
	{"1m", time.Minute},
	{"5m", 5 * time.Minute},
	{"15m", 15 * time.Minute},
	{"1h", time.Hour},
}

// Decay watches how long opportunities last and what becomes of their edge: what
// a purchase that is a minute late still finds. All methods are safe for
// concurrent use.
//
// An edge is an ask that has become worth buying: market, item, and the version
// in which that ask appeared. It is watched from the look that first finds it, if
// the look before could have found it and did not; what stands already when
// watching begins, after an outage, or under new rules, is of unknown age and
// would make edges seem to last. At each horizon it is still there if the same
// item can still be bought on that market for the other by every rule, at
// whatever ask. While a feed is stale, held or down nobody can tell, and the
// horizons that fall due then are left out.
type Decay struct {
	mu       sync.Mutex
	since    time.Time             // of the first look
	rules    *Rules                // at the last look
	open     map[pricing.Game]bool // games whose feeds could be relied on at the last look
	standing map[edgeKey]bool      // edges at the last look
	spare    map[edgeKey]bool      // reused
	edges    []edge                // watched, in the order of appearance
	watched  map[edgeKey]bool      // the keys of edges
	samples  [len(horizons)]samples
}

// NewDecay gives a Decay that has seen nothing.
func NewDecay() *Decay {
	return &Decay{open: map[pricing.Game]bool{}, standing: map[edgeKey]bool{}, spare: map[edgeKey]bool{}, watched: map[edgeKey]bool{}}
}

// Look takes new edges under watch and judges those at a horizon, by what e knows
// now. It is to be called after each update of e, so that no catalog is missed,
// and every second or so. It costs one pass over the opportunities and the edges
// that are watched, not over the book.
func (d *Decay) Look(e *Engine, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := e.state.Load()
	if d.since.IsZero() {
		d.since = now
	}
	open := make(map[pricing.Game]bool, len(pricing.Games))
	for _, g := range pricing.Games {
		f := s.facts(s.book, pricing.Item{Game: g}, 0, now) // timed rules ask the same of all items
		open[g] = f.open()
	}

	kept := d.edges[:0]
	for _, ed := range d.edges {
		in, _ := s.book.Catalog(ed.feed())
		for _, h := range ed.due(in.Version, now) {
			if open[ed.item.Game] {
				d.samples[h].add(s.sample(e, &ed, now))
			}
		}
		if ed.over() {
			delete(d.watched, ed.edgeKey)
		} else {
			kept = append(kept, ed)
		}
	}
	d.edges = kept

	standing := d.spare
	clear(standing)
	for _, c := range s.ranked {
		pos := int(c.pos)
		key := edgeKey{item: s.book.Item(pos), buyOn: int(c.buyOn)}
		key.since = s.book.At(key.feed(), pos).Since
		standing[key] = true
		g := key.item.Game
		couldBeSeen := open[g] && d.open[g] && d.rules == s.rules
		if !couldBeSeen || d.standing[key] || d.watched[key] || len(d.edges) == maxWatched {
			continue
		}
		in, _ := s.book.Catalog(key.feed())
		d.watched[key] = true
		d.edges = append(d.edges, edge{edgeKey: key, at: now, bps: s.opportunity(s.book, key.item, key.buyOn).EdgeBps, version: in.Version, next: true, timed: 1})
	}
	d.standing, d.spare, d.open, d.rules = standing, d.standing, open, s.rules
}

// edgeKey tells edges apart.
type edgeKey struct {
	item  pricing.Item
	buyOn int
	since uint64
}

func (k edgeKey) feed() pricing.Feed { return pricing.Feed{Market: pair[k.buyOn], Game: k.item.Game} }

// edge is one that is watched.
type edge struct {
	edgeKey
	at      time.Time // first seen
	bps     int64     // then
	version uint64    // of the feed that is bought from, then
	next    bool      // the next catalog is still to come
	timed   int       // the next of the horizons after that, which are times
}

// due gives the horizons that ed has come to since it was last asked. One that
// was passed long ago, or skipped, is not among them: what holds now says nothing
// about then.
func (ed *edge) due(version uint64, now time.Time) []int {
	var due []int
	if ed.next && version != ed.version {
		ed.next = false
		if version == ed.version+1 {
			due = append(due, 0)
		}
	}
	for ; ed.timed < len(horizons); ed.timed++ {
		after := horizons[ed.timed].after
		late := now.Sub(ed.at) - after
		if late < 0 {
			break
		}
		if late <= after/5 {
			due = append(due, ed.timed)
		}
	}
	return due
}

// over tells whether the last horizon has passed.
func (ed *edge) over() bool { return ed.timed == len(horizons) }

// sample is what became of an edge.
type sample struct {
	first, then int64 // basis points
	still       bool
}

// sample judges an edge anew. What cannot be bought any more has an edge of zero;
// what can be has the one that it has, be it too small or negative.
func (s *state) sample(e *Engine, ed *edge, now time.Time) sample {
	f := e.gather(s, s.book, ed.item, ed.buyOn, 0, now)
	out := sample{first: ed.bps, still: f.lasting()}
	if f.offered() && f.buy().count > 0 {
		out.then = f.edge
	}
	return out
}

// samples are the newest of one horizon.
type samples struct {
	ring   []sample
	oldest int // once the ring is full
}

func (s *samples) add(x sample) {
	if len(s.ring) < maxSamples {
		s.ring = append(s.ring, x)
		return
	}
	s.ring[s.oldest] = x
	s.oldest = (s.oldest + 1) % maxSamples
}

// Horizon is what became of the newest edges some time after each was first seen.
type Horizon struct {
	After    string // next_catalog, 1m, 5m, 15m or 1h
	Observed int    // edges, 5,000 at most
	Still    int    // of them, those that were still worth buying

	// Medians over all that were observed, in basis points; 0 where nothing was.
	// Of two in the middle it is the lower.
	FirstBps int64 // when first seen
	ThenBps  int64 // at the horizon; an edge that could not be bought any more counts as 0
}

// Horizons gives what was seen since the first look, whose time is zero if there
// was none.
func (d *Decay) Horizons() (since time.Time, all []Horizon) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range horizons {
		all = append(all, d.samples[i].horizon(horizons[i].name))
	}
	return d.since, all
}

func (s *samples) horizon(name string) Horizon {
	h := Horizon{After: name, Observed: len(s.ring)}
	first, then := make([]int64, 0, len(s.ring)), make([]int64, 0, len(s.ring))
	for _, x := range s.ring {
		first, then = append(first, x.first), append(then, x.then)
		if x.still {
			h.Still++
		}
	}
	h.FirstBps, h.ThenBps = median(first), median(then)
	return h
}

// median sorts xs and gives its lower middle.
func median(xs []int64) int64 {
	if len(xs) == 0 {
		return 0
	}
	slices.Sort(xs)
	return xs[(len(xs)-1)/2]
}
