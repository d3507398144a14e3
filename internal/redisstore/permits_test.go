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
