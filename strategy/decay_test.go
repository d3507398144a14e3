package strategy

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"skinarb/pricing"
)

// stall is an item on both markets under a Decay's eyes. SIH always asks 13.00,
// so that SkinsBack's 10.00 is an edge of 1690 bps and 11.00 one of 627.
type stall struct {
	t      *testing.T
	engine *Engine
	decay  *Decay
	book   *pricing.Book
	now    time.Time
	down   bool
	sb     uint64 // SkinsBack's version
}

// newStall has been looked at once, with SkinsBack's ask.
func newStall(t *testing.T, ask string) *stall {
	s := &stall{t: t, engine: New(DefaultRules()), decay: NewDecay(), book: pricing.NewBook(), now: noon, sb: 100}
	s.book, _ = s.book.With(catalog(pricing.SIH, redline.Game, 500, s.now, pricing.Listing{Item: redline, Ask: usd(t, "13"), Count: 5, Steam: usd(t, "12"), Since: 500}))
	s.ask(ask)
	return s
}

// ask publishes SkinsBack's next catalog, with nothing in it for "", and looks.
func (s *stall) ask(ask string) { s.t.Helper(); s.offer(1, ask, 3) }

// offer is ask for a version that is some steps later and a count.
func (s *stall) offer(steps uint64, ask string, count int) {
	s.t.Helper()
	s.sb += steps
	var ls []pricing.Listing
	if ask != "" {
		ls = []pricing.Listing{{Item: redline, Ask: usd(s.t, ask), Count: count, Since: s.sb}}
		if was := s.book.At(pricing.Feed{Market: pricing.SkinsBack, Game: redline.Game}, 0); was != nil && was.Ask == ls[0].Ask {
			ls[0].Since = was.Since
		}
	}
	s.book, _ = s.book.With(catalog(pricing.SkinsBack, redline.Game, s.sb, s.now, ls...))
	s.look()
}

// after lets time pass in which both markets answer but nothing changes, and
// looks once at its end.
func (s *stall) after(d time.Duration) {
	s.t.Helper()
	s.now = s.now.Add(d)
	s.look()
}

func (s *stall) look() {
	s.t.Helper()
	for _, m := range pricing.Markets { // an answer without a change
		f := pricing.Feed{Market: m, Game: redline.Game}
		if c, ok := s.book.Catalog(f); ok {
			s.book, _, _ = s.book.Apply(pricing.Change{Feed: f, From: c.Version, To: c.Version, ObservedAt: s.now})
		}
	}
	statuses := healthy(s.now)
	if s.down {
		for i := range statuses {
			statuses[i].State = pricing.Down
		}
	}
	s.engine.Update(s.book, []int{0}, false, statuses, s.now)
	s.decay.Look(s.engine, s.now)
}

// want compares the horizons that observed something.
func (s *stall) want(want ...Horizon) {
	s.t.Helper()
	_, all := s.decay.Horizons()
	got := slices.DeleteFunc(all, func(h Horizon) bool { return h.Observed == 0 })
	if diff := cmp.Diff(want, got); diff != "" && len(want)+len(got) > 0 {
		s.t.Errorf("horizons that observed something (-want +got):\n%s", diff)
	}
}

func TestDecay(t *testing.T) {
	for name, run := range map[string]func(t *testing.T){
		"an edge that lasts is seen at each horizon": func(t *testing.T) {
			s := newStall(t, "")
			s.ask("10")
			s.want()
			s.after(10 * time.Second)
			s.ask("10")
			s.want(Horizon{"next_catalog", 1, 1, 1690, 1690})
			for range 3600 {
				s.after(time.Second)
			}
			s.want(Horizon{"next_catalog", 1, 1, 1690, 1690}, Horizon{"1m", 1, 1, 1690, 1690}, Horizon{"5m", 1, 1, 1690, 1690}, Horizon{"15m", 1, 1, 1690, 1690}, Horizon{"1h", 1, 1, 1690, 1690})
			if len(s.decay.edges) != 0 || len(s.decay.watched) != 0 {
				t.Errorf("after the last horizon %d edges are watched under %d keys, want none", len(s.decay.edges), len(s.decay.watched))
			}
			for range 70 { // it is no new edge for having been watched to the end
				s.after(time.Minute)
				s.ask("10")
			}
			if _, all := s.decay.Horizons(); all[1].Observed != 1 {
				t.Errorf("after 1m: got %d observed, want the one edge", all[1].Observed)
			}
		},
		"an edge shrinks, falls below the rules, and goes": func(t *testing.T) {
			s := newStall(t, "")
			s.ask("10")
			s.ask("11")
			s.want(Horizon{"next_catalog", 1, 1, 1690, 627})
			s.after(time.Minute) // the ask of 11.00 is a new edge
			s.want(Horizon{"next_catalog", 1, 1, 1690, 627}, Horizon{"1m", 2, 2, 627, 627})
			s.ask("12")
			s.want(Horizon{"next_catalog", 2, 1, 627, -259}, Horizon{"1m", 2, 2, 627, 627})
			s.ask("")
			s.after(4 * time.Minute)
			s.want(Horizon{"next_catalog", 2, 1, 627, -259}, Horizon{"1m", 2, 2, 627, 627}, Horizon{"5m", 2, 0, 627, 0})
		},
		"what is sold out is worth nothing": func(t *testing.T) {
			s := newStall(t, "")
			s.ask("10")
			s.offer(1, "10", 0)
			s.want(Horizon{"next_catalog", 1, 0, 1690, 0})
		},
		"what stands at the first look is of unknown age": func(t *testing.T) {
			s := newStall(t, "10")
			s.ask("10")
			s.after(time.Minute)
			s.want()
			s.ask("10.5") // but a new ask has begun now
			s.ask("10.5")
			s.want(Horizon{"next_catalog", 1, 1, 1133, 1133})
		},
		"what came during an outage is of unknown age": func(t *testing.T) {
			s := newStall(t, "")
			s.down = true
			s.ask("10")
			s.down = false
			s.after(time.Second)
			s.ask("10")
			s.after(time.Minute)
			s.want()
		},
		"an outage observes nothing": func(t *testing.T) {
			s := newStall(t, "")
			s.ask("10")
			s.down = true
			s.ask("")
			s.after(time.Minute)
			s.down = false
			s.after(time.Second)
			s.ask("10")
			s.want()
			s.after(4*time.Minute + time.Second)
			s.want(Horizon{"5m", 1, 1, 1690, 1690})
		},
		"new rules make no edges": func(t *testing.T) {
			s := newStall(t, "11.1") // 531 bps
			r := DefaultRules()
			r.MinEdgeBps = 600
			s.engine.SetRules(r, s.now)
			s.look()
			s.engine.SetRules(DefaultRules(), s.now)
			s.look()
			s.ask("11.1")
			s.want()
		},
		"a look that comes late says nothing of then": func(t *testing.T) {
			s := newStall(t, "")
			s.ask("10")
			s.after(80 * time.Second)
			s.want()
			s.after(5*time.Minute - 70*time.Second)
			s.want(Horizon{"5m", 1, 1, 1690, 1690})
		},
		"a look that comes somewhat late counts": func(t *testing.T) {
			s := newStall(t, "")
			s.ask("10")
			s.after(72 * time.Second) // a fifth late, and no more
			s.after(5*time.Minute - 11*time.Second)
			s.want(Horizon{"1m", 1, 1, 1690, 1690})
		},
		"a catalog that was skipped is not the next": func(t *testing.T) {
			s := newStall(t, "")
			s.ask("10")
			s.offer(2, "10", 3)
			s.offer(1, "10", 3)
			s.want()
		},
		"an edge that comes back while it is watched is the same": func(t *testing.T) {
			s := newStall(t, "")
			s.ask("10")
			s.offer(1, "10", 0)
			s.offer(1, "10", 3)
			s.after(time.Minute)
			s.want(Horizon{"next_catalog", 1, 0, 1690, 0}, Horizon{"1m", 1, 1, 1690, 1690})
		},
	} {
		t.Run(name, run)
	}
}

func TestDecaySince(t *testing.T) {
	d := NewDecay()
	if since, all := d.Horizons(); !since.IsZero() || len(all) != len(horizons) {
		t.Errorf("before the first look: got %s and %d horizons, want no time and %d", since, len(all), len(horizons))
	}
	e := New(DefaultRules())
	d.Look(e, noon)
	d.Look(e, noon.Add(time.Hour))
	if since, _ := d.Horizons(); !since.Equal(noon) {
		t.Errorf("got since %s, want the first look at %s", since, noon)
	}
}

// naive is Decay without its economies: it keeps everything, asks with Evaluate,
// and knows an edge by what the engine's answers say.
type naive struct {
	open    map[pricing.Game]bool
	before  map[string]bool
	seen    map[string]*naiveEdge
	samples map[string][]sample
}

type naiveEdge struct {
	o     Opportunity
	in    uint64
	first time.Time
	done  map[string]bool
}

func (n *naive) look(e *Engine, book *pricing.Book, items []pricing.Item, now time.Time) {
	open := map[pricing.Game]bool{}
	for _, it := range items {
		_, vs := e.Evaluate(book, it, pair[0], pair[1], now)
		open[it.Game] = !slices.ContainsFunc(vs, func(v Verdict) bool {
			return !v.Pass && slices.Contains([]string{"buy_fresh", "sell_fresh", "buy_feed_healthy", "sell_feed_healthy", "markets_agree"}, v.Rule)
		})
	}
	version := func(ed *naiveEdge) uint64 {
		c, _ := book.Catalog(pricing.Feed{Market: ed.o.Buy.Market, Game: ed.o.Item.Game})
		return c.Version
	}
	for key, ed := range n.seen {
		for _, h := range horizons {
			age := now.Sub(ed.first)
			reached, intime := age >= h.after, age <= h.after+h.after/5
			if h.after == 0 {
				reached, intime = version(ed) != ed.in, version(ed) == ed.in+1
			}
			if !reached || ed.done[h.name] {
				continue
			}
			ed.done[h.name] = true
			if !intime || !open[ed.o.Item.Game] {
				continue
			}
			now, vs := e.Evaluate(book, ed.o.Item, ed.o.Buy.Market, ed.o.Sell.Market, now)
			x := sample{first: ed.o.EdgeBps, then: now.EdgeBps, still: passed(vs)}
			if now.Buy.Ask == 0 || now.Sell.Ask == 0 || now.Buy.Count <= 0 {
				x.then = 0
			}
			n.samples[h.name] = append(n.samples[h.name], x)
		}
		if ed.done["1h"] {
			delete(n.seen, key)
		}
	}
	standing := map[string]bool{}
	for _, it := range items {
		for m := range pair {
			o, vs := e.Evaluate(book, it, pair[m], pair[1-m], now)
			key := fmt.Sprint(it, m, o.Buy.Since)
			lasting := !slices.ContainsFunc(vs, func(v Verdict) bool {
				return !v.Pass && !slices.Contains([]string{"buy_fresh", "sell_fresh", "buy_feed_healthy", "sell_feed_healthy", "markets_agree"}, v.Rule)
			})
			if !lasting {
				continue
			}
			standing[key] = true
			if open[it.Game] && n.open[it.Game] && !n.before[key] && n.seen[key] == nil {
				ed := &naiveEdge{o: o, first: now, done: map[string]bool{}}
				ed.in = version(ed)
				n.seen[key] = ed
			}
		}
	}
	n.open, n.before = open, standing
}

// TestDecayEqualsNaive lets both watch the same random markets.
func TestDecayEqualsNaive(t *testing.T) {
	items := someItems()
	rapid.Check(t, func(t *rapid.T) {
		rules := DefaultRules()
		rules.MaxAge = time.Hour
		rules.MinProfit = pricing.Money(rapid.Int64Range(-1_000_000, 1_000_000).Draw(t, "least profit"))
		rules.MinEdgeBps = rapid.Int64Range(-500, 500).Draw(t, "least edge")
		e, d := New(rules), NewDecay()
		n := &naive{seen: map[string]*naiveEdge{}, samples: map[string][]sample{}}
		now, book := noon, pricing.NewBook()
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.SampledFrom([]int64{0, 1, 30, 60, 120, 240, 600, 2400}).Draw(t, "seconds")) * time.Second)
			if rapid.IntRange(0, 3).Draw(t, "a catalog") > 0 {
				feed := pricing.Feed{
					Market: rapid.SampledFrom(pricing.Markets).Draw(t, "market"),
					Game:   rapid.SampledFrom([]pricing.Game{pricing.CS2, pricing.Rust}).Draw(t, "game"),
				}
				old, _ := book.Catalog(feed)
				version := old.Version + rapid.SampledFrom([]uint64{1, 1, 1, 2}).Draw(t, "versions on")
				var ls []pricing.Listing
				for _, it := range items {
					was, had := book.Quote(feed.Market, it)
					switch rapid.IntRange(0, 5).Draw(t, "what happens") {
					case 0, 1:
						l := drawListing(t, it)
						l.Since = version
						ls = append(ls, l)
					case 2: // gone
					default:
						if had && it.Game == feed.Game {
							ls = append(ls, was.Listing)
						}
					}
				}
				ls = slices.DeleteFunc(ls, func(l pricing.Listing) bool { return l.Item.Game != feed.Game })
				var changed []int
				book, changed = book.With(catalog(feed.Market, feed.Game, version, now, ls...))
				e.Update(book, changed, false, drawStatuses(t, now), now)
			} else {
				e.Update(book, nil, false, drawStatuses(t, now), now)
			}
			d.Look(e, now)
			n.look(e, book, items, now)

			_, got := d.Horizons()
			for i, h := range horizons {
				want := (&samples{ring: n.samples[h.name]}).horizon(h.name)
				if diff := cmp.Diff(want, got[i]); diff != "" {
					t.Fatalf("at %s (-naive +got):\n%s", now.Sub(noon), diff)
				}
				if got[i].Still > got[i].Observed {
					t.Fatalf("%+v: more are still there than were observed", got[i])
				}
			}
			if len(d.edges) != len(d.watched) || len(d.edges) != len(n.seen) {
				t.Fatalf("%d edges are watched under %d keys, want %d", len(d.edges), len(d.watched), len(n.seen))
			}
		}
	})
}

// TestDecayIsBounded has more edges appear than are watched, again and again.
func TestDecayIsBounded(t *testing.T) {
	e, d := New(DefaultRules()), NewDecay()
	book := pricing.NewBook()
	const items = maxWatched + 500
	for round := range uint64(3) {
		now := noon.Add(time.Duration(round) * time.Minute)
		ask := 13 * pricing.Dollar // no edge in the first round
		if round > 0 {
			ask = 10*pricing.Dollar + pricing.Money(round)*pricing.Cent
		}
		var buy, sell []pricing.Listing
		for i := range items {
			it := pricing.Item{Game: pricing.CS2, Name: fmt.Sprintf("AK-47 | No %d (Field-Tested)", i)}
			buy = append(buy, pricing.Listing{Item: it, Ask: ask, Count: 1, Since: round + 1})
			sell = append(sell, pricing.Listing{Item: it, Ask: 13 * pricing.Dollar, Count: 1, Since: 1})
		}
		book, _ = book.With(catalog(pricing.SkinsBack, pricing.CS2, round+1, now, buy...))
		book, _ = book.With(catalog(pricing.SIH, pricing.CS2, round+1, now, sell...))
		e.Update(book, nil, true, healthy(now), now)
		d.Look(e, now)
	}
	d.Look(e, noon.Add(2*time.Minute))
	if len(d.edges) != maxWatched || len(d.watched) != maxWatched {
		t.Errorf("got %d edges under %d keys, want %d", len(d.edges), len(d.watched), maxWatched)
	}
	for range 3 {
		for i := range d.samples {
			for range maxSamples {
				d.samples[i].add(sample{first: 100, then: 50})
			}
		}
	}
	d.samples[1].add(sample{first: 900, then: 800, still: true})
	if _, all := d.Horizons(); all[1] != (Horizon{"1m", maxSamples, 1, 100, 50}) {
		t.Errorf("got %+v, want the newest %d with one still there", all[1], maxSamples)
	}
}

func BenchmarkDecayLook(b *testing.B) {
	first, second, changed := bigBooks(25_000)
	e, d := New(DefaultRules()), NewDecay()
	e.Update(first, nil, true, healthy(noon), noon)
	d.Look(e, noon)
	e.Update(second, changed, false, nil, noon)
	b.ReportAllocs()
	for b.Loop() {
		d.Look(e, noon)
	}
	b.ReportMetric(float64(len(e.Opportunities(noon))), "opportunities")
}
