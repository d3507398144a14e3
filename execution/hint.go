package execution

import (
	"context"
	"errors"
	"time"

	"skinarb/pricing"
)

// hintEvery is how often hints make us look at the same order.
const hintEvery = time.Second

// Hint asks Run to look an order up soon: a webhook or a socket said that
// something happened. It never blocks; when too many hints wait it is dropped,
// and tracking finds out later. A hint decides nothing: only the market's answer
// to our own question does.
func (x *Executor) Hint(m pricing.Market, h Hint) {
	select {
	case x.hints[m] <- h: // nil, and so never ready, for a market that we do not have
	default:
	}
}

func (x *Executor) followHints(ctx context.Context, m Market) {
	type look struct {
		at    time.Time
		again bool // another is put off until a second later
	}
	looks := map[OrderID]look{}
	for {
		select {
		case <-ctx.Done():
			return
		case h := <-x.hints[m.Market()]:
			if h == (Hint{}) {
				x.lookAtAll(ctx, m)
				continue
			}
			o, err := x.hinted(ctx, m.Market(), h)
			if err != nil {
				x.trouble(ctx, "follow a hint", m.Market(), err)
				continue
			}
			if o.ID == "" || x.flights.has(o.ID) {
				continue // not ours, or its answer is about to arrive
			}
			if len(looks) > 1000 {
				clear(looks)
			}
			last := looks[o.ID]
			if wait := hintEvery - time.Since(last.at); wait > 0 {
				if !last.again {
					looks[o.ID] = look{last.at, true}
					time.AfterFunc(wait, func() { x.Hint(m.Market(), Hint{ID: o.ID}) })
				}
				continue
			}
			looks[o.ID] = look{at: time.Now()}
			if err := x.lookup(ctx, m, o); !errors.Is(err, ErrNotFound) {
				x.trouble(ctx, "follow a hint", m.Market(), err)
			}
		}
	}
}

// hinted finds the order that a hint names; the zero Order means none.
func (x *Executor) hinted(ctx context.Context, m pricing.Market, h Hint) (Order, error) {
	if h.ID == "" {
		return x.byRef(ctx, m, h.MarketRef)
	}
	o, err := x.cfg.Journal.Get(ctx, h.ID)
	if errors.Is(err, ErrNoOrder) || err == nil && o.Market != m {
		return Order{}, nil
	}
	return o, err
}

// lookAtAll asks about every order that something can have happened to while
// nobody told us.
func (x *Executor) lookAtAll(ctx context.Context, m Market) {
	doubts, err := x.all(ctx, m.Market(), InDoubt)
	x.trouble(ctx, "list orders in doubt", m.Market(), err)
	x.resolve(ctx, m, doubts)
	x.track(ctx, m, Placed, Delivering, Delivered)
}
