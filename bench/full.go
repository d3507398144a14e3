package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"skinarb/markets/skinsback"
	"skinarb/pricing"
)

// runFull measures SkinsBack's full list, which is too large to be held whole.
func runFull(ctx context.Context, s *session) error {
	const floor = "inflate alone"
	s.out.note("The simulated market's lots, seven of each, in no order, under ids and at prices of their own, from a server that has the list ready.")
	s.out.note("lowest: the lowest price and the number of lots of each name, as a catalog. lots: each handed out and dropped.")
	s.out.note("The floor gets the same body and inflates it, and looks at none of it.")
	s.progress.say("full: making the list")
	list, err := newLongList(ctx, s)
	if err != nil {
		return err
	}
	defer list.close()

	var (
		inflated  int64
		floorTook time.Duration
		took      = map[string]time.Duration{}
		ours      = []struct {
			subject string
			run     func() (int64, error)
		}{
			{"skinsback full=1 → lowest", func() (int64, error) {
				pull, err := list.client.PullLots(ctx, game)
				return pull.Bytes, err
			}},
			{"skinsback full=1 → lots", func() (int64, error) {
				l, err := list.client.FullPricelist(ctx, game, false, func(skinsback.Lot) error { return nil })
				return l.Bytes, err
			}},
		}
		tasks []task
	)
	for _, o := range ours {
		tasks = append(tasks, task{o.subject, func() error {
			var n int64
			d, objects, err := timed(func() (err error) { n, err = o.run(); return err })
			if err != nil {
				return err
			}
			took[o.subject], inflated = d, n
			s.out.add(o.subject, "rows", "rows/s", float64(list.rows)/d.Seconds())
			s.out.add(o.subject, "inflated", "MB/s", float64(n)/1e6/d.Seconds())
			s.out.add(o.subject, "whole list", "ms", d.Seconds()*1e3)
			s.out.add(o.subject, "allocations", "/row", float64(objects)/float64(list.rows))
			return nil
		}})
	}
	tasks = append(tasks, task{floor, func() error {
		var n int64
		d, _, err := timed(func() (err error) { n, err = list.inflate(ctx); return err })
		if err != nil {
			return err
		}
		floorTook = d
		s.out.add(floor, "inflated", "MB/s", float64(n)/1e6/d.Seconds())
		s.out.add(floor, "whole list", "ms", d.Seconds()*1e3)
		return nil
	}})
	if _, err := ours[0].run(); err != nil { // the names are known from then on
		return err
	}
	return s.rounds(ctx, round{tasks: tasks, after: func() error {
		s.out.note("The list has %d rows and %.1f MB, %.1f MB compressed.", list.rows, float64(inflated)/1e6, float64(len(list.body))/1e6)
		for _, o := range ours {
			s.out.add(o.subject, "speed against inflating alone", "x", floorTook.Seconds()/took[o.subject].Seconds())
			if err := s.addPeak(o.subject, func() error { _, err := o.run(); return err }); err != nil {
				return err
			}
		}
		return s.addPeak(floor, func() error { _, err := list.inflate(ctx); return err })
	}})
}

// copies is how many lots of the list come of one of the simulated market, which
// has fewer than a real one.
const copies = 7

// newLongList serves a full list as long as a real one. Nobody says in which order
// a real one is. Its lots are in none and its ids random, so that it compresses no
// better than a real one may, to about a quarter.
func newLongList(ctx context.Context, s *session) (*listServer, error) {
	var lots []skinsback.Lot
	if _, err := s.rig.skinsback.FullPricelist(ctx, game, false, func(lot skinsback.Lot) error {
		lots = append(lots, lot)
		return nil
	}); err != nil {
		return nil, err
	}
	return serveList(func(yield func([]byte) bool) {
		random := rand.New(rand.NewPCG(s.opts.seed, 1))
		var row []byte
		for _, i := range random.Perm(copies * len(lots)) {
			lot := lots[i/copies]
			price := lot.Ask + pricing.Cent*pricing.Money(random.IntN(100))
			row = fmt.Appendf(row[:0], `{"id":"%d","name":%q,"price":%s,"classid":%q}`, 1e9+random.Int64N(9e9), lot.Name, price, lot.ClassID)
			if !yield(row) {
				return
			}
		}
	})
}
