package selling

import (
	"context"
	"fmt"
	"testing"
	"time"

	"skinarb/execution"
	"skinarb/pricing"
)

// death ends the seller at a chosen step: before or after any write to the
// journal or any request to a market.
type death struct {
	left  int // steps to live; negative: for ever
	steps int // taken in all
}

type died struct{}

func (d *death) step() {
	d.steps++
	if d.left == 0 {
		d.left = -1
		panic(died{})
	}
	d.left--
}

type mortalJournal struct {
	Journal
	*death
}

func (j mortalJournal) Begin(ctx context.Context, o Offer, now time.Time) (Listing, error) {
	j.step()
	defer j.step()
	return j.Journal.Begin(ctx, o, now)
}

func (j mortalJournal) Advance(ctx context.Context, l Listing) (Listing, error) {
	j.step()
	defer j.step()
	return j.Journal.Advance(ctx, l)
}

func (j mortalJournal) Enter(ctx context.Context, p Position) error {
	j.step()
	defer j.step()
	return j.Journal.Enter(ctx, p)
}

func (j mortalJournal) Update(ctx context.Context, p Position) (Position, error) {
	j.step()
	defer j.step()
	return j.Journal.Update(ctx, p)
}

type mortalMarket struct {
	*fakeShop
	*death
}

func (m mortalMarket) List(ctx context.Context, l Listing) (Word, error) {
	m.step()
	defer m.step()
	return m.fakeShop.List(ctx, l)
}

func (m mortalMarket) Withdraw(ctx context.Context, l Listing) error {
	m.step()
	defer m.step()
	return m.fakeShop.Withdraw(ctx, l)
}

// passMortal is pass for a seller that may die, and is then started again. A
// round comes every five minutes, which is soon enough for all that happens here.
func (w *world) passMortal(d time.Duration, again func()) {
	for end := w.at.Add(d); w.at.Before(end); w.at = w.at.Add(5 * time.Minute) {
		func() {
			defer func() {
				if r := recover(); r != nil {
					if _, ours := r.(died); !ours {
						panic(r)
					}
					again()
					w.mustRestart()
				}
			}()
			w.seller.Round(context.Background())
		}()
	}
}

// mustRestart starts again, and again if that dies, too.
func (w *world) mustRestart() {
	defer func() {
		if r := recover(); r != nil {
			if _, ours := r.(died); !ours {
				panic(r)
			}
			w.mustRestart()
		}
	}()
	w.restart()
}

// TestCrash ends the seller at each step, twice in a row, crossed with the fates
// of the first requests. What the fakes watch for is that nothing is on sale
// twice, below its floor, or asked for twice; here, that nothing is lost: in the
// end each position is sold, and its proceeds are what the market paid.
func TestCrash(t *testing.T) {
	for _, m := range pricing.Markets {
		for _, listing := range fates {
			for _, removal := range fates {
				if removal != done && (m == pricing.SkinsBack || listing != done && listing != removal) {
					continue // it removes nothing; and one trouble at a time, or the same twice
				}
				t.Run(fmt.Sprintf("%s/%s/%s", m, listing, removal), func(t *testing.T) {
					t.Parallel()
					steps := live(t, m, listing, removal, -1, -1)
					for first := range steps {
						for _, second := range []int{-1, 1} {
							if live(t, m, listing, removal, first, second); t.Failed() {
								t.Fatalf("with a crash at step %d, and then at %d", first, second)
							}
						}
					}
				})
			}
		}
	}
}

// live lets a seller live, with crashes after so many steps, and gives how many
// steps it took.
func live(t *testing.T, m pricing.Market, listing, removal fate, first, second int) int {
	t.Helper()
	w := newTestWorld(t)
	w.rules.ReturnAfter = time.Hour // enough here, where buyers accept at once
	w.death = &death{left: first}
	w.restart()
	shop := w.shops[m]
	shop.listing, shop.removal = []fate{listing}, []fate{removal}
	again := func() { w.death.left = second; second = -1 }
	ids := []execution.OrderID{w.buy(1, other(m)), w.buy(2, other(m))}

	w.passMortal(35*time.Minute, again)
	w.ask = usd("11.00") // time to re-price
	w.passMortal(2*time.Hour, again)
	for range 3 { // what was refused or returned is on sale again by then
		shop.sell(false)
		w.passMortal(100*time.Minute, again)
	}
	shop.sell(true)
	w.passMortal(20*time.Minute, again)

	var proceeds pricing.Money
	for _, id := range ids {
		p := w.position(id)
		if p.State() != soldState {
			t.Errorf("%s is %s (%s; %s), want it sold", id, p.State(), p.Note, p.Listing.Error)
		}
		proceeds += p.Listing.Proceeds
	}
	if got := shop.credited(); got != proceeds {
		t.Errorf("the market credited %s, and the positions have %s", got, proceeds)
	}
	if len(w.assets) != 0 {
		t.Errorf("%d assets are left", len(w.assets))
	}
	return w.death.steps
}
