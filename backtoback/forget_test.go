package backtoback

import (
	"testing"
	"testing/synctest"
	"time"

	"skinarb/selling"
)

// TestEndedListingsAreForgotten, every one of them: no other goods get their numbers.
func TestEndedListingsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.terms[item(0)] = good
		_, stop := deal(t, w)
		for range 3 { // offered, and taken off again
			time.Sleep(2 * time.Minute)
			w.set(func() { w.stopped = !w.stopped })
		}
		time.Sleep(2 * time.Minute)
		stop()
		all, err := w.journal.Selling().InStates(t.Context(), "", time.Time{}, selling.Withdrawn)
		if err != nil || len(all) != 2 {
			t.Fatalf("%d were taken off, error %v, want 2", len(all), err)
		}
		if got, err := w.journal.Selling().Prune(t.Context(), time.Now(), 1000); err != nil || got != len(all) {
			t.Errorf("%d were forgotten, error %v, want %d", got, err, len(all))
		}
	})
}
