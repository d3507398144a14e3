package main

import (
	"context"
	"errors"
	"time"

	"skinarb/pricing"
	"skinarb/strategy"
)

// runStrategy measures the engine on two markets' books.
func runStrategy(ctx context.Context, s *session) error {
	const (
		all  = "Engine.Update, all items"
		some = "Engine.Update, what changed in a tick"
		peer = "normalise + map + decimal"
	)
	s.progress.say("strategy: filling the books")
	both, err := s.rig.catalogs(ctx)
	if err != nil {
		return err
	}
	book, src, earlier := bookOf(both), s.rig.sources[1], both[1]
	s.rig.move()
	later, err := s.rig.catalog(ctx, src, 2)
	if err != nil {
		return err
	}
	// The engine goes back and forth between two books. Both know the items that
	// the tick brought, else the way back would be no small step.
	second, _ := book.With(later)
	earlier.Version = 3
	first, changed := second.With(earlier)
	s.out.note("%d items; in a tick of %s %d of them changed (%.1f %%). Making the book is not in these times.", first.Len(), src.Market(), len(changed), 100*float64(len(changed))/float64(first.Len()))

	now := s.rig.clock.now()
	engine := strategy.New(strategy.DefaultRules())
	engine.Update(first, nil, true, fresh(now), now)
	s.out.note("The peer is what one would write first: it normalises every name, joins both catalogs in maps and reckons in decimals, with two of the engine's rules. Neither side's time has the decoding of catalogs in it; ours knows the items by number from then, the peer joins anew.")
	naive := newMapScan(strategy.DefaultRules(), both...)
	books, turn := [2]*pricing.Book{second, first}, 0
	length := min(s.opts.length/10, time.Second)
	var full, incremental, mapped time.Duration
	return s.rounds(ctx, round{
		tasks: []task{
			{all, func() error {
				full = each(length, func() { engine.Update(first, nil, true, nil, now) })
				turn = 0
				s.out.add(all, "time", "µs", full.Seconds()*1e6)
				s.out.add(all, "items judged", "items/s", float64(first.Len())/full.Seconds())
				return nil
			}},
			{some, func() error {
				incremental = each(length, func() {
					engine.Update(books[turn%2], changed, false, nil, now)
					turn++
				})
				s.out.add(some, "time", "µs", incremental.Seconds()*1e6)
				s.out.add(some, "items judged", "items/s", float64(len(changed))/incremental.Seconds())
				return nil
			}},
			{peer, func() (err error) {
				mapped = each(length, func() {
					_, failed := naive.scan()
					err = errors.Join(err, failed)
				})
				s.out.add(peer, "time", "µs", mapped.Seconds()*1e6)
				s.out.add(peer, "items judged", "items/s", float64(first.Len())/mapped.Seconds())
				return err
			}},
		},
		after: func() error {
			s.out.add(all, "speed against "+peer, "x", mapped.Seconds()/full.Seconds())
			s.out.add(some, "speed against all items", "x", full.Seconds()/incremental.Seconds())
			return nil
		},
	})
}

// each gives the mean time of one do, over enough of them to fill length.
func each(length time.Duration, do func()) time.Duration {
	start, n := time.Now(), 0
	for n == 0 || time.Since(start) < length {
		do()
		n++
	}
	return time.Since(start) / time.Duration(n)
}

// fresh gives statuses under which every feed may be traded on.
func fresh(now time.Time) []pricing.FeedStatus {
	var out []pricing.FeedStatus
	for _, m := range pricing.Markets {
		out = append(out, pricing.FeedStatus{Feed: pricing.Feed{Market: m, Game: game}, State: pricing.Fresh, LastSuccess: now})
	}
	return out
}
