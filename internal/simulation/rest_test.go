package simulation

import (
	"context"
	"fmt"
	"slices"
	"time"

	"skinarb/execution"
	"skinarb/pricing"
)

// restMost is how long it may take until nothing is open any more, once
// everything works.
const restMost = 15 * time.Minute

// rest lets everything work again and time pass until nothing happens any more,
// and then compares the books.
func (s *sim) rest() {
	if s.broke() {
		return
	}
	s.note("everything works from here on")
	s.calm.Store(true)
	for _, m := range pricing.Markets {
		s.down[m].Store(false)
	}
	for labels := s.parking.labels(); len(labels) > 0; labels = s.parking.labels() {
		s.parking.release(labels[0], proceed)
		s.settle()
	}
	for _, z := range slices.Clone(s.zombies) {
		s.kill(z, never)
	}
	if s.closing || s.life != nil && s.hasEnded() {
		time.Sleep(20 * time.Second)
		s.settle()
		if !s.hasEnded() {
			s.violate("a process that was asked to end is still there after 20 s")
		}
		s.kill(s.life, never)
	}
	if s.life == nil {
		s.begin()
	}
	if s.dice.chance(50) {
		s.stopAtRest()
	}
	// The markets may have asked to be left alone a moment ago, and a process may
	// wait for its next round: the books need not agree at once. Once they do, they
	// must still after another round.
	agreed := false
	for end := time.Now().Add(restMost); !s.broke(); {
		pass := 10 * quantum
		if agreed {
			pass += s.plan.exec.ReconcileEvery
		}
		time.Sleep(pass)
		s.settle()
		s.check()
		if s.hasEnded() { // its recovery had failed
			s.kill(s.life, never)
			s.begin()
		}
		if s.protected() { // a clock that ticks would take long to get there
			s.kill(s.life, never)
			time.Sleep(one[time.Duration](s.dice, 9, 25) * time.Hour)
			s.begin()
			end = time.Now().Add(restMost)
			continue
		}
		differ := s.compare()
		if agreed && len(differ) == 0 {
			return
		}
		if agreed = len(differ) == 0; !agreed && time.Now().After(end) {
			for _, d := range differ {
				s.violate("after %s of rest %s", restMost, d)
			}
		}
	}
}

// protected tells whether nothing is left but to wait for the end of a long trade
// protection.
func (s *sim) protected() bool {
	waits := false
	for _, o := range s.checks.orders {
		if !o.State.Final() && o.State != execution.Delivered {
			return false
		}
		waits = waits || o.State == execution.Delivered && clock().Sub(o.DeliveredAt) < s.plan.exec.Protection[o.Market]
	}
	return waits && s.plan.world.Timing.Protection > execution.Day
}

func (s *sim) hasEnded() bool {
	_, ended := s.life.running()
	return ended
}

func (s *sim) stopAtRest() {
	done := make(chan error, 1)
	l := s.life
	go func() {
		ctx, cancel := context.WithTimeout(l.ctx, 2*time.Minute)
		defer cancel()
		done <- l.x.Stop(ctx, "rest", "the harness")
	}()
	if err := <-done; err != nil {
		s.violate("stop at rest: %v", err)
	}
	s.quiet.Store(true)
	s.settle()
}

// compare tells in what the journal differs from the markets' own books.
func (s *sim) compare() (differ []string) {
	say := func(format string, args ...any) { differ = append(differ, fmt.Sprintf(format, args...)) }
	known := map[execution.OrderID]bool{}
	for _, p := range s.world.Purchases() {
		i := slices.IndexFunc(s.checks.orders, func(o execution.Order) bool {
			return string(o.Market) == p.Market && (string(o.ID) == p.CustomID && !s.foreign[p.Market+p.Ref] || o.MarketRef == p.Ref)
		})
		if i < 0 && s.foreign[p.Market+p.Ref] && p.At.Unix() < s.since[pricing.Market(p.Market)].Load() && clock().Sub(p.At) > execution.Day {
			continue // long before we kept books of the account
		}
		if i < 0 {
			say("purchase %s of %s (%q) at %s is not in the journal", p.Ref, p.Market, p.CustomID, p.At.Sub(s.start))
			continue
		}
		o := s.checks.orders[i]
		known[o.ID] = true
		if o.MarketRef != p.Ref {
			say("%s has the reference %q, the market calls it %s", short(o.ID), o.MarketRef, p.Ref)
		}
		taken, back := pricing.Money(p.Debited), pricing.Money(p.Refunded)
		switch {
		case o.Booked && (o.Paid != taken || o.Refunded != back):
			say("%s (%s) is booked with %s taken and %s back, the market has %s and %s", short(o.ID), o.State, o.Paid, o.Refunded, taken, back)
		case !o.Booked && toldByOrder(o) && o.Paid-o.Refunded != taken-back:
			say("%s (%s) cost %s less %s, the market took %s and gave %s back", short(o.ID), o.State, o.Paid, o.Refunded, taken, back)
		}
	}
	for _, m := range pricing.Markets {
		if s.amid[m].Load() && !openAmid {
			continue
		}
		b, err := s.journal.Books(context.Background(), m)
		if has := pricing.Money(s.world.Balance(sims[m])); err != nil || b.OpenedAt.IsZero() || max(b.Expected()-has, has-b.Expected()) > pricing.Cent {
			say("the books of %s, opened at %s, expect a balance of %s, it is %s: %v", m, b.OpenedAt.Sub(s.start), b.Expected(), has, err)
		}
	}
	for _, o := range s.checks.orders {
		switch {
		case !o.State.Final():
			say("%s is still %s: %v", short(o.ID), o.State, o.History)
		case o.State.Spent() && !known[o.ID]:
			say("%s is %s and no market sold it", short(o.ID), o.State)
		}
	}
	return differ
}

// toldByOrder tells whether the orders of a market say what one in this state
// came to. SkinsBack does not tell what it gives back for a trade that was
// reversed, nor SIH what it keeps as a penalty.
func toldByOrder(o execution.Order) bool {
	return o.State != execution.Penalized && !(o.State == execution.RolledBack && o.Market == pricing.SkinsBack)
}
