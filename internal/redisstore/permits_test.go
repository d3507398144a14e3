package redisstore

import (
	"context"
	"errors"
	"testing"
	"time"

	"skinarb/fetch"
	"skinarb/pricing"
)

// The market's minute does not begin anew when our process does.
func TestEmbeddedBudgetOutlivesTheProcess(t *testing.T) {
	dir := t.TempDir()
	const perMinute = 5
	taken := 0
	for life := range 3 {
		s, err := OpenEmbedded(dir)
		if err != nil {
			t.Fatal(err)
		}
		b := s.Budget(pricing.SkinsBack, perMinute)
		for {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			err := b.Take(ctx, fetch.ForPurchase)
			cancel()
			if errors.Is(err, context.DeadlineExceeded) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if taken++; life == 0 && taken == 3 {
				break
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if taken != perMinute {
		t.Errorf("got %d permits over three lives in a minute, want %d", taken, perMinute)
	}
}

// A pause that the market asked for goes on when our process begins anew, and the
// longest one counts.
func TestEmbeddedPauseOutlivesTheProcess(t *testing.T) {
	dir := t.TempDir()
	for life := range 3 {
		s, err := OpenEmbedded(dir)
		if err != nil {
			t.Fatal(err)
		}
		if life == 0 {
			for _, d := range []time.Duration{10 * time.Minute, time.Minute} {
				if err := s.Budget(pricing.SkinsBack, 450).Pause(t.Context(), d); err != nil {
					t.Fatal(err)
				}
			}
		}
		for m, paused := range map[pricing.Market]bool{pricing.SkinsBack: true, pricing.SIH: false} {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			if err := s.Budget(m, 450).Take(ctx, fetch.ForPurchase); (err != nil) != paused {
				t.Errorf("life %d, %s: got %v, want paused %t", life, m, err, paused)
			}
			cancel()
		}
		if left, err := s.files.pauseLeft(pricing.SkinsBack, time.Now().Add(-time.Hour)); err != nil || left != 10*time.Minute {
			t.Errorf("life %d, by a clock that was set back: got %s, %v, want what was asked for", life, left, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	f := &files{dir: dir}
	if left, err := f.pauseLeft(pricing.SkinsBack, time.Now().Add(time.Hour)); err != nil || left > 0 {
		t.Errorf("when it is over: got %s, %v, want none left", left, err)
	}
}
