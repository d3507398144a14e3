package backtoback

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"skinarb/execution"
	"skinarb/partner"
	"skinarb/selling"
)

// hastySIH sells what it has not confirmed yet, and answers, 20 s later, with err.
type hastySIH struct {
	*world
	err error
}

func (s hastySIH) List(ctx context.Context, l selling.Listing) (selling.Word, error) {
	word, _ := s.world.List(ctx, l)
	time.Sleep(20 * time.Second)
	if s.err != nil {
		s.mu.Lock()
		delete(s.onSale, l.ID)
		s.mu.Unlock()
	}
	return word, s.err
}

// TestABuyerFasterThanTheAnswer waits for it: what SIH listed as another item, or did
// not say as what, is not bought.
func TestABuyerFasterThanTheAnswer(t *testing.T) {
	for name, tc := range map[string]struct {
		err    error
		want   partner.State
		bought int
	}{
		"listed as meant":        {nil, partner.Created, 1},
		"listed as another item": {&execution.RejectedError{Reason: anotherItem}, partner.Failed, 0},
		"not listed":             {&execution.RetryLaterError{After: time.Second}, partner.Failed, 0},
		"the answer was lost":    {errors.New("reset"), partner.Failed, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.terms[item(0)] = good
				w.shop = hastySIH{w, tc.err}
				d, stop := deal(t, w)
				defer stop()
				time.Sleep(time.Second)
				l, _ := w.sale()
				if _, sells := d.Ask(l.Goods); !sells {
					t.Error("it is not for sale before the answer")
				}
				w.order("fast-1")
				for second := 2; second < 4*60; second++ {
					w.poll("fast-1")
					time.Sleep(time.Second)
					if _, sells := d.Ask(l.Goods); sells && second == 22 && tc.err != nil {
						t.Error("it is for sale after the answer")
					}
					if second < 20 && (len(w.purchases()) > 0 || w.purchase("fast-1").State != partner.Created) {
						t.Fatalf("decided after %d s, before the answer", second)
					}
				}
				if p := w.purchase("fast-1"); p.State != tc.want || len(w.purchases()) != tc.bought {
					t.Errorf("the order is %s %q and %d were bought for it, want %s and %d", p.State, p.Reason, len(w.purchases()), tc.want, tc.bought)
				}
			})
		})
	}
}
