package backtoback

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"skinarb/execution"
	"skinarb/pricing"
	"skinarb/selling"
)

// refusingSIH takes nothing that it has a reason against.
type refusingSIH struct {
	*world
	why   func(pricing.Item) error
	asked map[pricing.Item]int
}

func (s refusingSIH) List(ctx context.Context, l selling.Listing) (selling.Word, error) {
	s.mu.Lock()
	s.asked[l.Item]++
	s.mu.Unlock()
	if err := s.why(l.Item); err != nil {
		return selling.Word{}, err
	}
	return s.world.List(ctx, l)
}

// TestWhatSIHDoesNotTakeIsLeftInPeace: with ten items wanted, a round of whose
// listings all would be ten requests.
func TestWhatSIHDoesNotTakeIsLeftInPeace(t *testing.T) {
	refuses := func(reason string) error { return &execution.RejectedError{Reason: reason} }
	unsent := &execution.RetryLaterError{After: time.Second, Reason: "no connection"}
	one := func(err error) func(pricing.Item) error {
		return func(it pricing.Item) error {
			if it == item(0) {
				return err
			}
			return nil
		}
	}
	all := func(err error) func(pricing.Item) error { return func(pricing.Item) error { return err } }
	for name, tc := range map[string]struct {
		why           func(pricing.Item) error
		first, others int // most requests for the first item and for all others, in 10 minutes
	}{
		"nothing, since the account cannot sell": {all(refuses("user_cannot_trade")), 10, 110},
		"nothing, since SIH cannot be reached":   {all(unsent), 10, 110},
		"everything for another item":            {all(refuses(anotherItem)), 1, 9},
		"one item":                               {one(refuses("too_expensive")), 10, 9},
		"one item for another":                   {one(refuses(anotherItem)), 1, 9},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				for n := range 10 {
					w.terms[item(n)] = good
				}
				shop := refusingSIH{w, tc.why, map[pricing.Item]int{}}
				w.shop = shop
				_, stop := deal(t, w)
				time.Sleep(10*time.Minute - time.Second)
				stop()
				others, least := 0, 1
				for n := 1; n < 10; n++ {
					others += shop.asked[item(n)]
					least = min(least, shop.asked[item(n)])
				}
				if first := shop.asked[item(0)]; first > tc.first || others > tc.others || least == 0 || first == 0 {
					t.Errorf("listed the first item %d times, at most %d wanted, and others %d times, at most %d wanted, and each once", first, tc.first, others, tc.others)
				}
			})
		})
	}
}

// TestWhatSIHTakesForAnotherIsOfferedADayLater.
func TestWhatSIHTakesForAnotherIsOfferedADayLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.terms[item(0)], w.every = good, time.Hour
		shop := refusingSIH{w, func(pricing.Item) error { return &execution.RejectedError{Reason: anotherItem} }, map[pricing.Item]int{}}
		w.shop = shop
		d, stop := deal(t, w)
		time.Sleep(25 * time.Hour)
		stop()
		if shop.asked[item(0)] != 2 || len(d.resting) != 1 {
			t.Errorf("listed %d times in 25 hours, want 2; %d items rest, want 1", shop.asked[item(0)], len(d.resting))
		}
	})
}
