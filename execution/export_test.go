package execution

import "context"

// Round does once what Run does periodically, for tests that have a clock of
// their own.
func (x *Executor) Round(ctx context.Context) {
	for _, m := range x.cfg.Markets {
		x.attendDoubts(ctx, m)
		x.attendPlanned(ctx, m)
		x.track(ctx, m, Placed, Delivering, Delivered)
		x.reconcile(ctx, m)
	}
}
