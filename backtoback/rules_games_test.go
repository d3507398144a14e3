package backtoback

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"skinarb/execution"
	"skinarb/pricing"
	"skinarb/selling"
)

// inGame is item 0 of another game, by the same name.
func inGame(g pricing.Game) pricing.Item { return pricing.Item{Game: g, Name: item(0).Name} }

// TestHoldersTellGamesApart: listings of two items never have one holder.
func TestHoldersTellGamesApart(t *testing.T) {
	seen := map[string]pricing.Item{}
	for _, g := range pricing.Games {
		for _, name := range []string{"Rock", "rust Rock", "tf2 Rock", item(0).Name} {
			it := pricing.Item{Game: g, Name: name}
			if other, twice := seen[holder(it, "1")]; twice {
				t.Errorf("%+v and %+v have the holder %q", it, other, holder(it, "1"))
			}
			seen[holder(it, "1")] = it
			if l := (selling.Listing{Offer: selling.Offer{Holder: holder(it, "1"), Item: it}}); !mine(l) {
				t.Errorf("the listing of %+v is not ours", it)
			}
		}
	}
}

// TestPlansOfGamesAreApart: an item of one game that is on sale neither stands in
// the way of its namesake in another, nor lends it its price.
func TestPlansOfGamesAreApart(t *testing.T) {
	onSale := listing(selling.Listed, 11.99) // of CS2
	p := rules.plan(view{
		now: noon, open: []selling.Listing{onSale}, wanted: []pricing.Item{inGame(pricing.CS2), inGame(pricing.Rust)},
		terms: func(it pricing.Item) (Terms, bool) {
			if it.Game == pricing.Rust {
				return Terms{MarketName: it.Name, Ask: 8 * pricing.Dollar, Lowest: dollars(11.99)}, true
			}
			return Terms{MarketName: it.Name, Ask: 8 * pricing.Dollar, Lowest: 12 * pricing.Dollar}, true
		},
		admits: admitsAll,
	})
	// What asks 11.99 in Rust is somebody else's, so it is undercut.
	if len(p.withdraw) != 0 || len(p.list) != 1 || p.list[0].item != inGame(pricing.Rust) || p.list[0].price != dollars(11.98) {
		t.Errorf("got %+v, want Rust's listed for 11.98 and CS2's left alone", p)
	}

	gone := rules.plan(view{
		now: noon, open: []selling.Listing{onSale}, wanted: []pricing.Item{inGame(pricing.Rust)},
		terms:  func(it pricing.Item) (Terms, bool) { return good, it.Game == pricing.Rust },
		admits: admitsAll,
	})
	if len(gone.withdraw) != 1 || gone.withdraw[0].listing.Item != item(0) || len(gone.list) != 1 || gone.list[0].item != inGame(pricing.Rust) {
		t.Errorf("skinsback has it in Rust only: got %+v, want CS2's withdrawn and Rust's listed", gone)
	}
}

// TestASaleInEveryGame: what a buyer has bought in a game is bought in that game.
func TestASaleInEveryGame(t *testing.T) {
	for _, g := range pricing.Games {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			it := inGame(g)
			d := w.dealer()
			d.cfg.Wanted = func(time.Time) []pricing.Item { return []pricing.Item{it} }
			d.cfg.Terms = func(other pricing.Item, _ time.Time) (Terms, bool) { return good, other == it }
			ctx, stop := context.WithCancel(context.Background())
			done := make(chan struct{})
			go func() {
				defer close(done)
				d.Run(ctx, w)
			}()
			defer func() { stop(); <-done }()
			time.Sleep(time.Second)
			if l, ok := w.sale(); !ok || l.Item != it {
				t.Errorf("%s: got %+v on sale, want %+v", g, l.Item, it)
			}
			w.order("fast-1")
			w.poll("fast-1")
			time.Sleep(10 * time.Second)
			wishes := w.wishes()
			if len(wishes) != 1 || wishes[0].Item != it || wishes[0].Market != pricing.SkinsBack {
				t.Fatalf("%s: got the wishes %+v, want one for %+v", g, wishes, it)
			}
			if o, err := w.Order(t.Context(), wishes[0].ID()); err != nil || o.Item != it || o.State != execution.Placed {
				t.Errorf("%s: got the order %+v, %v, want it placed for %+v", g, o, err, it)
			}
		})
	}
}
