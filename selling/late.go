package selling

import (
	"context"
	"time"

	"skinarb/pricing"
)

// Bounds of what is done for listings that have ended, which are no settings. Where
// prices move quickly there may be a hundred thousand of them in lateFor: a turn
// through those takes less than a day, and money for one is not sooner than days.
const (
	lateEvery = 10 * time.Minute    // between looks at listings that have ended
	lateFor   = 14 * 24 * time.Hour // after which money for one is not looked for any more

	forgetAfter = 60 * 24 * time.Hour // after which one without money is pruned
	forgetMost  = 1000                // listings at a time, since the journal's other writers wait
)

// lateMost gives how many ended listings a look asks a market about; the others come
// by turns, newest first. SIH tells of all at once, SkinsBack of one with each request.
func lateMost(m pricing.Market) int {
	if m == pricing.SIH {
		return 1000
	}
	return 30
}

// lateIsDue tells whether it is time to look at listings that have ended, too.
func (k *Keeper) lateIsDue() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.cfg.Now()
	if !k.late.IsZero() && now.Sub(k.late) < lateEvery {
		return false
	}
	k.late = now
	return true
}

// nextEnded gives the ended listings on a market whose turn it is to be asked about.
func (k *Keeper) nextEnded(ctx context.Context, m pricing.Market) ([]Listing, error) {
	k.mu.Lock()
	after := k.turn[m]
	k.mu.Unlock()
	return k.cfg.Journal.Ended(ctx, m, k.now().Add(-lateFor), after, lateMost(m))
}

// askedEnded notes that those were asked about, so that others follow, and in the
// end the newest again.
func (k *Keeper) askedEnded(m pricing.Market, ended []Listing) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.turn, m)
	if len(ended) == lateMost(m) {
		k.turn[m] = ended[len(ended)-1]
	}
}

// prune forgets listings that ended long ago without being paid for.
func (k *Keeper) prune(ctx context.Context) error {
	_, err := k.cfg.Journal.Prune(ctx, k.now().Add(-forgetAfter), forgetMost)
	return err
}

// takeOffPaid sees to listings that should not have been begun, as money shows that
// came for an earlier one of the same holder since: what is on sale is taken off, and
// what is off sale already is concluded, since its goods went to the earlier buyer.
func (k *Keeper) takeOffPaid(ctx context.Context, m pricing.Market) error {
	open, err := k.cfg.Journal.InStates(ctx, m, time.Time{}, Listed, Gone)
	if err != nil || len(open) == 0 {
		return err
	}
	paid, err := k.cfg.Journal.InStates(ctx, m, open[0].CreatedAt, Sold)
	if err != nil {
		return err
	}
	last := map[string]Listing{} // by holder
	for _, l := range paid {
		if l.UpdatedAt.After(last[l.Holder].UpdatedAt) {
			last[l.Holder] = l
		}
	}
	var errs []error
	for _, l := range open {
		earlier, ok := last[l.Holder]
		switch {
		case !ok || !earlier.UpdatedAt.After(l.CreatedAt):
		case l.State == Gone && earlier.Goods == l.Goods:
			_, err := k.Conclude(ctx, l, OnVanished, "off sale, and its goods were paid for under "+string(earlier.ID))
			errs = append(errs, err)
		case l.State == Listed && l.OfferID != "":
			k.tellOfStray(l, "and was paid for under an earlier listing; decline trade offer "+l.OfferID)
		case l.State == Listed:
			k.tellOfStray(l, "and was paid for under an earlier listing; it is taken off")
			_, err := k.Withdraw(ctx, l, "paid for under "+string(earlier.ID))
			errs = append(errs, err)
		}
	}
	return unlessStale(errs)
}
