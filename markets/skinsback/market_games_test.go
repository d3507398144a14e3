package skinsback

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"skinarb/execution"
	"skinarb/internal/marketsim"
	"skinarb/pricing"
)

const rubySword = "Sword | Doppler Ruby (Factory New)"

func inGame(t testing.TB, g pricing.Game, name string) pricing.Item {
	t.Helper()
	it, err := pricing.ParseItem(g, name, "")
	if err != nil {
		t.Fatal(err)
	}
	return it
}

// TestListsOfOtherGamesHaveNoPhases: what CS2 takes for a phase, or refuses, is a
// name in Rust and Dota 2.
func TestListsOfOtherGamesHaveNoPhases(t *testing.T) {
	names := []string{"Rock", "StatTrak™ Drill (Factory New)", rubySword, "Sword | Doppler (Factory New)", "Doppler Phase 2 (Factory New)", "Sword | Doppler Emerald (Factory New)"}
	var list []string
	for _, name := range names {
		list = append(list, `{"name":"`+name+`","price":3,"count":2}`)
	}
	c := answering(t, 200, rows(strings.Join(list, ",")))
	for range 2 { // the second time with the names that the client remembers
		for game, rejected := range map[pricing.Game]map[string]int{pricing.CS2: {"phase": 2}, pricing.Rust: nil, pricing.Dota2: nil} {
			got, err := c.Pull(t.Context(), game)
			if err != nil {
				t.Fatal(err)
			}
			var want []pricing.Listing
			for _, name := range names {
				if it, err := pricing.ParseItem(game, name, ""); err == nil {
					want = append(want, pricing.Listing{Item: it, MarketName: name, Ask: 3 * pricing.Dollar, Count: 2})
				}
			}
			if diff := cmp.Diff(want, got.Listings); diff != "" {
				t.Errorf("%s (-want +got):\n%s", game, diff)
			}
			if diff := cmp.Diff(rejected, got.Rejected, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s, rejected (-want +got):\n%s", game, diff)
			}
			for _, l := range got.Listings {
				if game != pricing.CS2 && (l.Item != pricing.Item{Game: game, Name: l.MarketName}) {
					t.Errorf("%s: got %+v, want the name as it stands", game, l.Item)
				}
			}
		}
	}
}

// TestLotsOfOtherGames: a lot whose name has no phase is a lot of its own item, and
// not one of a Doppler that does not tell.
func TestLotsOfOtherGames(t *testing.T) {
	const bare = "Sword | Doppler (Factory New)"
	found := []Lot{{ID: "1", Name: bare, Ask: 5}, {ID: "2", Name: rubySword, Ask: 7}, {ID: "3", Name: bare, Ask: 4}}
	for _, game := range []pricing.Game{pricing.Rust, pricing.Dota2} {
		for name, want := range map[string]execution.Offer{
			bare:      {Ask: 4, Count: 2, ListingID: "3"},
			rubySword: {Ask: 7, Count: 1, ListingID: "2"},
		} {
			if got, ok := cheapest(inGame(t, game, name), found); !ok || got != want {
				t.Errorf("%s %q: got %+v, %t, want %+v", game, name, got, ok, want)
			}
		}
	}
	if got, ok := cheapest(item(t, bare), found); ok {
		t.Errorf("CS2 %q: got %+v, want that it is not offered", bare, got)
	}
}

// TestEveryRequestNamesTheGame: without one SkinsBack takes CS2 to be meant.
func TestEveryRequestNamesTheGame(t *testing.T) {
	for _, game := range []pricing.Game{pricing.CS2, pricing.Rust, pricing.Dota2} {
		it := inGame(t, game, "Rock")
		var sent []string
		c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			sent = append(sent, string(body))
			switch {
			case strings.Contains(sent[len(sent)-1], "market_buy"):
				io.WriteString(w, `{"status":"success","buy_id":1,"offer_status":"creating_trade"}`)
			case strings.Contains(sent[len(sent)-1], "user_inventory"):
				io.WriteString(w, `{"status":"success","items":[]}`)
			default:
				io.WriteString(w, rows(`{"id":"7","name":"Rock","price":3,"count":1}`))
			}
		})
		_, pull := c.Pull(t.Context(), game)
		_, lots := c.PullLots(t.Context(), game)
		offer, check := c.Check(t.Context(), it, "Rock")
		o := execution.Order{ID: "sa-1", Request: execution.Request{Item: it, MarketName: "Rock", Ask: offer.Ask}}
		_, place := c.Place(t.Context(), o, offer, func() {})
		_, assets := c.Shop("76561198060000001").Assets(t.Context(), game)
		if err := errors.Join(pull, lots, check, place, assets); err != nil || len(sent) != 5 {
			t.Fatalf("%s: got %v after %q, want five requests", game, err, sent)
		}
		for _, body := range sent {
			if !strings.Contains(body, `"game":"`+string(game)+`"`) {
				t.Errorf("%s: sent %s, want the game in it", game, body)
			}
		}
	}
}

// TestOtherGamesAreBoughtByName: only a phase of CS2 needs a lot, since only there
// the name may not tell it.
func TestOtherGamesAreBoughtByName(t *testing.T) {
	for game, want := range map[pricing.Game]string{
		pricing.CS2:   `"id":"99","max_price":"3.00"`,
		pricing.Rust:  `"game":"rust","max_price":"3.00","method":"market_buy","name":"` + rubySword + `"`,
		pricing.Dota2: `"game":"dota2","max_price":"3.00","method":"market_buy","name":"` + rubySword + `"`,
	} {
		var sent string
		c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			sent = string(body)
			io.WriteString(w, `{"status":"success","buy_id":1,"offer_status":"creating_trade"}`)
		})
		o := execution.Order{ID: "sa-1", Request: execution.Request{Item: inGame(t, game, rubySword), MarketName: rubySword, Ask: 3 * pricing.Dollar}}
		if _, err := c.Place(t.Context(), o, execution.Offer{ListingID: "99"}, func() {}); err != nil || !strings.Contains(sent, want) {
			t.Errorf("%s: sent %s, %v, want %s in it", game, sent, err, want)
		}
	}
}

// TestOtherGamesSimulated pulls, checks and buys something of each other game.
func TestOtherGamesSimulated(t *testing.T) {
	w, err := marketsim.New(marketsim.Config{Seed: 5, MovePct: -1})
	if err != nil {
		t.Fatal(err)
	}
	s, err := marketsim.Serve(w, "")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c := newClient(t, s.SkinsBackURL, func(cfg *Config) {
		cfg.ClientID, cfg.ClientSecret = marketsim.DemoClientID, marketsim.DemoClientSecret
	})
	for _, game := range []pricing.Game{pricing.Rust, pricing.Dota2} {
		pull, err := c.Pull(t.Context(), game)
		if err != nil || len(pull.Listings) == 0 {
			t.Fatalf("%s: got %d listings, %v", game, len(pull.Listings), err)
		}
		for _, l := range pull.Listings {
			if l.Item.Game != game || l.Item.IsDoppler() {
				t.Errorf("%s: got %+v, want an item of the game without a phase", game, l.Item)
			}
		}
		l := pull.Listings[0]
		offer, err := c.Check(t.Context(), l.Item, l.MarketName)
		if err != nil || offer.Ask != l.Ask || offer.Count != l.Count {
			t.Errorf("%s: check %s: got %+v, %v, want %s and %d", game, l.Item, offer, err, l.Ask, l.Count)
		}
		o := execution.Order{ID: execution.OrderID("sa-" + string(game)), Request: execution.Request{Market: pricing.SkinsBack, Item: l.Item, MarketName: l.MarketName, Ask: l.Ask, Cost: l.Ask}}
		if e, err := c.Place(t.Context(), o, offer, func() {}); err != nil || e.Event != execution.OnPlaced || e.MarketName != l.MarketName {
			t.Errorf("%s: buy %s: got %+v, %v", game, l.Item, e, err)
		}
	}
}
