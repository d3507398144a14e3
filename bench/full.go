package main

import (
	"context"
	"io"
	"time"

	"github.com/klauspost/compress/gzip"

	"skinarb/markets/skinsback"
	"skinarb/pricing"
)

// runFull measures SkinsBack's full list, which is too large to be held whole.
func runFull(ctx context.Context, s *session) error {
	const (
		ours  = "skinsback full=1 → lots"
		floor = "inflate alone"
	)
	s.out.note("Lots are read one by one and dropped, as one does who wants the lowest price of each name.")
	s.out.note("The floor gets the same body and inflates it, and looks at none of it.")
	var took, floorTook time.Duration
	var inflated int64
	stream := func() (rows int, err error) {
		list, err := s.rig.skinsback.FullPricelist(ctx, game, false, func(skinsback.Lot) error { rows++; return nil })
		inflated = list.Bytes
		return rows, err
	}
	inflate := func() (int64, error) {
		body, err := s.rig.open(ctx, pricing.SkinsBack, true)
		if err != nil {
			return 0, err
		}
		defer body.Close()
		r, err := gzip.NewReader(body)
		if err != nil {
			return 0, err
		}
		return io.Copy(io.Discard, r)
	}
	s.progress.say("full: the market makes its list")
	if err := s.rig.warm(ctx, pricing.SkinsBack, true); err != nil {
		return err
	}
	return s.rounds(ctx, round{
		tasks: []task{
			{ours, func() error {
				rows := 0
				d, objects, err := timed(func() (err error) { rows, err = stream(); return err })
				if err != nil {
					return err
				}
				took = d
				s.out.add(ours, "rows", "rows/s", float64(rows)/d.Seconds())
				s.out.add(ours, "inflated", "MB/s", float64(inflated)/1e6/d.Seconds())
				s.out.add(ours, "whole list", "ms", d.Seconds()*1e3)
				s.out.add(ours, "allocations", "/row", float64(objects)/float64(rows))
				s.out.note("The list has %d rows and %.1f MB inflated.", rows, float64(inflated)/1e6)
				return nil
			}},
			{floor, func() error {
				var n int64
				d, _, err := timed(func() (err error) { n, err = inflate(); return err })
				if err != nil {
					return err
				}
				floorTook = d
				s.out.add(floor, "inflated", "MB/s", float64(n)/1e6/d.Seconds())
				s.out.add(floor, "whole list", "ms", d.Seconds()*1e3)
				return nil
			}},
		},
		after: func() error {
			s.out.add(ours, "speed against inflating alone", "x", floorTook.Seconds()/took.Seconds())
			if err := s.addPeak(ours, func() error { _, err := stream(); return err }); err != nil {
				return err
			}
			return s.addPeak(floor, func() error { _, err := inflate(); return err })
		},
	})
}
