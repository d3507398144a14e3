package execution

import (
	"context"
	"slices"
	"time"
)

// trackLoop asks for undelivered purchases every TrackEvery and for delivered
// ones, which wait for a week, at a pace that fits their protection window.
func (x *Executor) trackLoop(ctx context.Context, m Market) {
	pace := max(x.cfg.TrackEvery, x.window(m.Market())/500)
	var last time.Time // when delivered ones were asked for
	x.every(ctx, x.cfg.TrackEvery, func() {
		states := []State{Placed, Delivering}
		if now := x.instant(); now.Sub(last) >= pace {
			last = now
			states = append(states, Delivered)
		}
		x.track(ctx, m, states...)
	})
}

// track asks for the orders of some states, many at once.
func (x *Executor) track(ctx context.Context, m Market, states ...State) {
	orders, err := x.all(ctx, m.Market(), states...)
	x.trouble(ctx, "list orders to track", m.Market(), err)
	for batch := range slices.Chunk(orders, trackBatch) {
		evs, err := x.ask(ctx, m, batch)
		if err != nil {
			x.trouble(ctx, "track orders", m.Market(), err)
			return
		}
		for _, ev := range evs {
			i := slices.IndexFunc(batch, func(o Order) bool {
				return ev.ID == o.ID || ev.ID == "" && ev.MarketRef != "" && ev.MarketRef == o.MarketRef
			})
			if i < 0 {
				continue // reconciliation sees to purchases that we did not ask for
			}
			batch[i], err = x.learn(ctx, batch[i], ev)
			x.trouble(ctx, "write down what became of an order", m.Market(), err)
		}
	}
}

func (x *Executor) ask(ctx context.Context, m Market, orders []Order) ([]Evidence, error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	return m.Track(ctx, orders)
}
