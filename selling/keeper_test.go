package selling

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"skinarb/execution"
	"skinarb/pricing"
)

// slowShop answers a request to list after a while, and loses the answer when its
// context ends before.
type slowShop struct {
	*fakeShop
	after time.Duration
}

func (s slowShop) List(ctx context.Context, l Listing) (Word, error) {
	select {
	case <-time.After(s.after):
		return s.fakeShop.List(ctx, l)
	case <-ctx.Done():
		return Word{}, ctx.Err()
	}
}

func slowKeeper(t *testing.T, after time.Duration) (*Keeper, *world) {
	w := newTestWorld(t)
	w.assets = []Asset{{ID: "101", Name: redline, Tradable: true}}
	return NewKeeper(KeeperConfig{Markets: []Market{slowShop{w.shops[pricing.SIH], after}}, Journal: w.journal, Stopped: w.journal.isStopped}), w
}

func anOffer() Offer {
	return Offer{Holder: "anybody", Market: pricing.SIH, Item: pricing.Item{Game: pricing.CS2, Name: redline}, Goods: "101", Price: usd("12.00"), Floor: usd("10.00")}
}

// TestQuietWaits: once the kill switch is on and Quiet has returned, nothing
// leaves.
func TestQuietWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, w := slowKeeper(t, 5*time.Second)
		listed := make(chan error, 1)
		go func() {
			_, err := k.List(t.Context(), anOffer())
			listed <- err
		}()
		synctest.Wait()
		if err := w.journal.Stop(true); err != nil {
			t.Fatal(err)
		}
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := k.Quiet(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after a second: got error %v, want that it is still leaving", err)
		}
		if err := k.Quiet(t.Context()); err != nil {
			t.Errorf("got error %v, want none", err)
		}
		if err := <-listed; err != nil {
			t.Errorf("what had left: got error %v, want none", err)
		}
		other := anOffer()
		other.Holder, other.Goods = "somebody", "102"
		if _, err := k.List(t.Context(), other); !errors.Is(err, execution.ErrStopped) {
			t.Errorf("after that: got error %v, want ErrStopped", err)
		}
		if got := len(w.shops[pricing.SIH].requests); got != 1 {
			t.Errorf("%d requests left, want 1", got)
		}
	})
}

// TestStopBeforeItCouldBeWritten: a switch that holds only in memory counts.
func TestStopBeforeItCouldBeWritten(t *testing.T) {
	w := newTestWorld(t)
	k := NewKeeper(KeeperConfig{Markets: []Market{w.shops[pricing.SIH]}, Journal: w.journal, Stopped: func(context.Context) (bool, error) { return true, nil }})
	if _, err := k.List(t.Context(), anOffer()); !errors.Is(err, execution.ErrStopped) {
		t.Errorf("got error %v, want ErrStopped", err)
	}
	failed := errors.New("disk")
	k = NewKeeper(KeeperConfig{Markets: []Market{w.shops[pricing.SIH]}, Journal: w.journal, Stopped: func(context.Context) (bool, error) { return false, failed }})
	if _, err := k.List(t.Context(), anOffer()); !errors.Is(err, failed) {
		t.Errorf("a switch that cannot be read: got error %v, want that", err)
	}
	if got := len(w.journal.listings); got != 0 {
		t.Errorf("%d listings began, want none", got)
	}
}

// TestShuttingDownKeepsTheAnswer: what is on the wire when the program ends has a
// few seconds, and is in doubt after that.
func TestShuttingDownKeepsTheAnswer(t *testing.T) {
	for name, tt := range map[string]struct {
		after time.Duration
		want  State
		took  time.Duration
	}{
		"an answer in time":     {5 * time.Second, Listed, 5 * time.Second},
		"an answer too late":    {20 * time.Second, InDoubt, drainTimeout},
		"an answer that is due": {0, Listed, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k, _ := slowKeeper(t, tt.after)
				ctx, cancel := context.WithCancel(t.Context())
				began := time.Now()
				if tt.after == 0 {
					defer cancel()
				} else {
					time.AfterFunc(time.Nanosecond, cancel)
				}
				l, err := k.List(ctx, anOffer())
				if err != nil || l.State != tt.want {
					t.Errorf("got %s, error %v, want %s", l.State, err, tt.want)
				}
				if took := time.Since(began).Truncate(time.Second); took != tt.took {
					t.Errorf("it took %s, want %s", took, tt.took)
				}
			})
		})
	}
}

// TestLooksAtNothingOnTheWire: a look while a request waits for its answer
// concludes nothing about it.
func TestLooksAtNothingOnTheWire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, w := slowKeeper(t, 50*time.Second)
		go func() {
			for range 8 {
				time.Sleep(6 * time.Second)
				if err := k.Look(t.Context()); err != nil {
					t.Errorf("look: %v", err)
				}
			}
		}()
		l, err := k.List(t.Context(), anOffer())
		if err != nil || l.State != Listed || l.Rev != 2 {
			t.Errorf("got %s at revision %d, error %v, want listed at 2", l.State, l.Rev, err)
		}
		if got := w.shops[pricing.SIH].requests[l.ID]; got != 1 {
			t.Errorf("%d requests left, want 1", got)
		}
		synctest.Wait()
	})
}

// TestOneRequestOfAHolder: of two offers at the same time one is sent.
func TestOneRequestOfAHolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, _ := slowKeeper(t, time.Second)
		results := make(chan error, 2)
		for range 2 {
			go func() {
				_, err := k.List(t.Context(), anOffer())
				results <- err
			}()
		}
		a, b := <-results, <-results
		if (a == nil) == (b == nil) || !errors.Is(errors.Join(a, b), ErrOnSale) {
			t.Errorf("got errors %v and %v, want one, ErrOnSale", a, b)
		}
	})
}

func TestOffersThatAreNone(t *testing.T) {
	for name, spoil := range map[string]func(*Offer){
		"no holder":       func(o *Offer) { o.Holder = "" },
		"no goods":        func(o *Offer) { o.Goods = "" },
		"no price":        func(o *Offer) { o.Price, o.Floor = 0, 0 },
		"below the floor": func(o *Offer) { o.Price = o.Floor - 1 },
		"beyond money":    func(o *Offer) { o.Price = pricing.MaxMoney + 1 },
		"no such market":  func(o *Offer) { o.Market = "steam" },
	} {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t)
			o := anOffer()
			spoil(&o)
			if l, err := w.keeper.List(t.Context(), o); err == nil {
				t.Errorf("%+v was listed as %s", o, l.ID)
			}
			if got := len(w.journal.listings); got != 0 {
				t.Errorf("%d listings began, want none", got)
			}
		})
	}
}

// TestConclude: the holder's word counts for what is gone, and for nothing else.
func TestConclude(t *testing.T) {
	for _, s := range States {
		for _, e := range Events {
			w := newTestWorld(t)
			l, err := w.journal.Begin(t.Context(), anOffer(), start)
			if err != nil {
				t.Fatal(err)
			}
			l.State = s
			if l, err = w.journal.Advance(t.Context(), l); err != nil {
				t.Fatal(err)
			}
			_, err = w.keeper.Conclude(t.Context(), l, e, "why")
			if want := s == Gone && (e == OnReturned || e == OnVanished); (err == nil) != want {
				t.Errorf("%s concluded by %s: got error %v, want it allowed: %t", s, e, err, want)
			}
		}
	}
}

// TestRunGoesRound: the loop recovers first, and then goes round until it is told
// to stop.
func TestRunGoesRound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTestWorld(t)
		id := w.buy(1, pricing.SkinsBack)
		if err := w.journal.Enter(t.Context(), PositionOf(w.journal.orders[id], start)); err != nil {
			t.Fatal(err)
		}
		o := anOffer()
		o.Holder = string(id)
		left, err := w.journal.Begin(t.Context(), o, w.at) // by a run that died
		if err != nil {
			t.Fatal(err)
		}
		w.keeper.cfg.Now, w.seller.cfg.Now = time.Now, time.Now
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			w.seller.Run(ctx)
		}()
		synctest.Wait()
		if l, err := w.journal.Listing(t.Context(), left.ID); err != nil || l.State != InDoubt {
			t.Errorf("at once: got %s, error %v, want in_doubt", l.State, err)
		}
		time.Sleep(testRules.ReturnAfter + 10*time.Minute + 31*time.Minute)
		synctest.Wait()
		if p := w.position(id); p.State() != listedState || p.Listing.Round != 2 {
			t.Errorf("after a day and more: got %s in round %d (%s), want listed in round 2", p.State(), p.Listing.Round, p.Note)
		}
		cancel()
		<-ended
	})
}
