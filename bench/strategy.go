package main

import (
	"context"
	"time"

	"skinarb/pricing"
	"skinarb/strategy"
)

// runStrategy measures the engine on two markets' books.
func runStrategy(ctx context.Context, s *session) error {
	const (
		all  = "Engine.Update, all items"
		some = "Engine.Update, what changed in a tick"
	)
	s.progress.say("strategy: filling the books")
	book, err := s.rig.book(ctx)
	if err != nil {
		return err
	}
	src := s.rig.sources[1]
	earlier, err := s.rig.catalog(ctx, src, 1)
	if err != nil {
		return err
	}
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
	books, turn := [2]*pricing.Book{second, first}, 0
	length := min(s.opts.length/10, time.Second)
	var full, incremental time.Duration
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
		},
		after: func() error {
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
