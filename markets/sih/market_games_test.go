package sih

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"skinarb/execution"
	"skinarb/internal/marketsim"
	"skinarb/pricing"
	"skinarb/selling"
)

// gameIDs are the games of SIH by Steam's app id; it has no items of Dota 2 (570).
var gameIDs = map[pricing.Game]int{pricing.CS2: 730, pricing.Rust: 252490, pricing.TF2: 440}

const rubySword = "Sword | Doppler Ruby (Factory New)"

// TestCatalogsOfOtherGamesHaveNoPhases: SIH fills its field for a phase on all kinds
// of entries. It makes phases in CS2 only, and refuses nothing elsewhere.
func TestCatalogsOfOtherGamesHaveNoPhases(t *testing.T) {
	const body = `{"success":true,"items":{
		"Rock":{"price":1,"count":1,"phase":"Phase 1"},
		"StatTrak™ Drill (Factory New)":{"price":2,"count":1,"phase":"Ruby","steam":3},
		"Sword | Doppler Ruby (Factory New)":{"price":3,"count":2,"phase":"Sapphire"},
		"Sword | Doppler (Factory New)":{"price":4,"count":2,"phase":"Emerald"},
		"Sword | Doppler Phase 9 (Factory New)":{"price":5,"count":2,"phase":["Phase 9"]},
		"Sword | Doppler (Well-Worn)":[{"price":7,"count":1,"phase":"Phase 1"},{"price":6,"count":2,"phase":"Phase 2"}],
		"Doppler  Phase 2":{"price":8,"count":1,"phase":""}}}`
	for game := range gameIDs {
		got, err := answering(t, 200, body).Pull(t.Context(), game)
		if err != nil {
			t.Fatal(err)
		}
		named := func(name, spelling, ask string, count int) pricing.Listing {
			return pricing.Listing{Item: pricing.Item{Game: game, Name: name}, MarketName: spelling, Ask: money(ask), Count: count}
		}
		drill := named("StatTrak™ Drill (Factory New)", "StatTrak™ Drill (Factory New)", "2", 1)
		drill.Steam = money("3")
		want := []pricing.Listing{named("Rock", "Rock", "1", 1), drill, named("Doppler Phase 2", "Doppler  Phase 2", "8", 1)}
		rejected := map[string]int{}
		unclear := named("Sword | Doppler (Well-Worn)", "Sword | Doppler (Well-Worn)", "6", 3)
		if game == pricing.CS2 {
			unclear.Item.Phase = pricing.UnknownPhase
			rejected["phase"] = 3
		} else {
			want = append(want,
				named(rubySword, rubySword, "3", 2),
				named("Sword | Doppler (Factory New)", "Sword | Doppler (Factory New)", "4", 2),
				named("Sword | Doppler Phase 9 (Factory New)", "Sword | Doppler Phase 9 (Factory New)", "5", 2))
		}
		if diff := cmp.Diff(append(want, unclear), got.Listings, byName); diff != "" {
			t.Errorf("%s (-want +got):\n%s", game, diff)
		}
		if diff := cmp.Diff(rejected, got.Rejected, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s, rejected (-want +got):\n%s", game, diff)
		}
	}
}

// TestGamesOfOneClientAreApart: what a client remembers of the names of one game
// says nothing of another's.
func TestGamesOfOneClientAreApart(t *testing.T) {
	c := answering(t, 200, `{"success":true,"items":{"`+rubySword+`":{"price":3,"count":2}}}`)
	for range 3 {
		for _, game := range []pricing.Game{pricing.CS2, pricing.Rust, pricing.TF2} {
			want, err := pricing.ParseItem(game, rubySword, "")
			if err != nil {
				t.Fatal(err)
			}
			pull, err := c.Pull(t.Context(), game)
			if err != nil || len(pull.Listings) != 1 || pull.Listings[0].Item != want {
				t.Errorf("%s: got %+v, %v, want %+v", game, pull.Listings, err, want)
			}
		}
	}
}

// TestEveryRequestNamesTheGame: a name alone could be another game's item.
func TestEveryRequestNamesTheGame(t *testing.T) {
	if got, want := decoding(t).Games(), []pricing.Game{pricing.CS2, pricing.Rust, pricing.TF2}; !cmp.Equal(got, want) {
		t.Errorf("games: got %v, want %v", got, want)
	}
	for game, id := range gameIDs {
		it, err := pricing.ParseItem(game, rubySword, "")
		if err != nil {
			t.Fatal(err)
		}
		var sent []string
		c := served(t, func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			sent = append(sent, r.URL.String()+" "+string(body))
			switch {
			case strings.Contains(r.URL.Path, "create-order"):
				io.WriteString(w, `{"success":true,"id":7,"balance":1}`)
			case strings.Contains(r.URL.Path, "deposit"):
				io.WriteString(w, `{"success":true,"errors":[],"data":[]}`)
			default:
				io.WriteString(w, `{"success":true,"items":{"`+rubySword+`":{"price":3,"count":2}}}`)
			}
		})
		offer, err := c.Check(t.Context(), it, rubySword)
		if want := (execution.Offer{Ask: money("3"), Count: 2}); err != nil || offer != want {
			t.Errorf("%s: check: got %+v, %v, want %+v", game, offer, err, want)
		}
		_, err = c.Pull(t.Context(), game)
		o := execution.Order{ID: "sa-1", Request: execution.Request{Item: it, MarketName: rubySword, Ask: money("3")}}
		_, bought := c.Place(t.Context(), o, offer, func() {})
		_, listed := c.Deposit(t.Context(), NewDeposit{SteamID: testSteam, Game: game, Items: []NewDepositItem{{AssetID: "1", Price: money("3"), CustomID: "a"}}})
		if err := errors.Join(err, bought, listed); err != nil || len(sent) != 4 {
			t.Fatalf("%s: got %v after %q, want four requests", game, err, sent)
		}
		for i, want := range []string{
			fmt.Sprintf("/get-min-item?appId=%d&", id), fmt.Sprintf("/get-items?appId=%d ", id),
			fmt.Sprintf(`"appId":%d`, id), fmt.Sprintf(`"appId":%d`, id),
		} {
			if !strings.Contains(sent[i], want) {
				t.Errorf("%s: sent %s, want %q in it", game, sent[i], want)
			}
		}
	}
}

// TestAGameThatSIHDoesNotSellIsNotAskedFor: an unknown appId is not documented, and
// could be taken for CS2.
func TestAGameThatSIHDoesNotSellIsNotAskedFor(t *testing.T) {
	for _, game := range []pricing.Game{pricing.Dota2, "", "chess"} {
		c := served(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("%q: %s was sent", game, r.URL) })
		it := pricing.Item{Game: game, Name: "Rock"}
		o := execution.Order{ID: "sa-1", Request: execution.Request{Item: it, MarketName: it.Name, Ask: 1}}
		_, pull := c.Pull(t.Context(), game)
		_, check := c.Check(t.Context(), it, it.Name)
		_, place := c.Place(t.Context(), o, execution.Offer{}, func() {})
		_, deposit := c.Deposit(t.Context(), NewDeposit{SteamID: testSteam, Game: game, Items: []NewDepositItem{{AssetID: "1", Price: 1, CustomID: "a"}}})
		if pull == nil || check == nil {
			t.Errorf("%q: pull got %v, check got %v, want errors", game, pull, check)
		}
		for what, err := range map[string]error{"purchase": place, "deposit": deposit} {
			if got := outcome(err); !strings.HasPrefix(got, "rejected") {
				t.Errorf("%q: %s: got %s (%v), want that nothing happened", game, what, got, err)
			}
		}
	}
}

// TestOurOrderOfAnotherGameIsKnown: an order that SIH has already is compared by the
// rules of its own game.
func TestOurOrderOfAnotherGameIsKnown(t *testing.T) {
	const ours, theirs = "Sword  | Doppler Ruby (Factory New)", "Sword | Doppler (Factory New) - Ruby"
	for game, same := range map[pricing.Game]bool{pricing.CS2: true, pricing.Rust: false} {
		it, err := pricing.ParseItem(game, ours, "")
		if err != nil {
			t.Fatal(err)
		}
		o := execution.Order{ID: "sa-1", Request: execution.Request{Item: it, MarketName: ours, Ask: money("3")}}
		for spelling, want := range map[string]bool{ours: true, rubySword: true, theirs: same} {
			c := answering(t, 409, `{"success":false,"error":"order with this customId already exists","order":{"id":5,"customId":"sa-1","steamId":"`+testSteam+`","item":"`+spelling+`","amount":3,"status":"created"}}`)
			e, err := c.Place(t.Context(), o, execution.Offer{}, func() {})
			if (err == nil) != want || want && e.MarketRef != "5" {
				t.Errorf("%s: SIH's order of %q for ours of %q: got %+v, %v, want it taken for ours %t", game, spelling, ours, e, err, want)
			}
		}
	}
}

// TestConsignmentsOfOtherGames: what SIH lists for an id of ours is the item we
// meant, whatever stands in its field for a phase.
func TestConsignmentsOfOtherGames(t *testing.T) {
	for _, tc := range []struct {
		game        pricing.Game
		name, phase string
		want        selling.Event // "" is: taken off sale again
	}{
		{pricing.Rust, "Rock", "", selling.OnListed},
		{pricing.Rust, "Rock", "Phase 1", selling.OnListed},
		{pricing.Rust, rubySword, "Sapphire", selling.OnListed},
		{pricing.TF2, rubySword, "", selling.OnListed},
		{pricing.Rust, "Tempered Rock", "", ""},
		{pricing.CS2, rubySword, "Sapphire", ""},
	} {
		var item string
		withdrawn := 0
		c := served(t, func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "delete-deposit") {
				withdrawn++
				io.WriteString(w, `{"success":true,"data":[{"id":"50231","customId":"sl-1"}]}`)
				return
			}
			body, _ := io.ReadAll(r.Body)
			item = string(body)
			io.WriteString(w, `{"success":true,"errors":[],"data":[{"id":"50231","assetid":"38906340786","price":3,"item":"`+tc.name+`","phase":"`+tc.phase+`"}]}`)
		})
		wanted := tc.name
		if tc.name == "Tempered Rock" {
			wanted = "Rock"
		}
		it, err := pricing.ParseItem(tc.game, wanted, "")
		if err != nil {
			t.Fatal(err)
		}
		l := selling.Listing{ID: "sl-1", Offer: selling.Offer{Market: pricing.SIH, Item: it, Goods: "38906340786", Price: money("3")}}
		word, err := c.Consignments().List(t.Context(), l)
		if word.Event != tc.want || (err == nil) != (tc.want != "") || (withdrawn > 0) != (tc.want == "") {
			t.Errorf("%s %q, listed as %q %q: got %+v, %v, withdrawn %d times, want %q", tc.game, wanted, tc.name, tc.phase, word, err, withdrawn, tc.want)
		}
		if want := fmt.Sprintf(`"appId":%d`, gameIDs[tc.game]); !strings.Contains(item, want) || !strings.Contains(item, `"item":"`+wanted+`"`) {
			t.Errorf("%s: sent %s, want %s and the name %q", tc.game, item, want, wanted)
		}
	}
}

// TestOtherGamesSimulated pulls, checks and buys something of each other game.
func TestOtherGamesSimulated(t *testing.T) {
	w, err := marketsim.New(marketsim.Config{Seed: 5, APIKey: testKey, MovePct: -1})
	if err != nil {
		t.Fatal(err)
	}
	s, err := marketsim.Serve(w, "")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c := client(t, s.SIHURL, nil)
	for _, game := range []pricing.Game{pricing.Rust, pricing.TF2} {
		pull, err := c.Pull(t.Context(), game)
		if err != nil || len(pull.Listings) == 0 {
			t.Fatalf("%s: got %d listings, %v", game, len(pull.Listings), err)
		}
		for _, l := range pull.Listings {
			if l.Item.Game != game || l.Item.IsDoppler() {
				t.Errorf("%s: got %+v, want an item of the game without a phase", game, l.Item)
			}
		}
		painted := slices.ContainsFunc(pull.Listings, func(l pricing.Listing) bool { return strings.Contains(l.Item.Name, "War Paint (Factory New)") })
		if want := game == pricing.TF2; painted != want {
			t.Errorf("%s: got a war paint %t, want %t", game, painted, want)
		}
		l := pull.Listings[0]
		offer, err := c.Check(t.Context(), l.Item, l.MarketName)
		if err != nil || offer.Ask != l.Ask || offer.Count != l.Count {
			t.Errorf("%s: check %s: got %+v, %v, want %s and %d", game, l.Item, offer, err, l.Ask, l.Count)
		}
		o := execution.Order{ID: execution.OrderID("sa-" + string(game)), Request: execution.Request{Market: pricing.SIH, Item: l.Item, MarketName: l.MarketName, Ask: l.Ask, Cost: l.Ask}}
		if e, err := c.Place(t.Context(), o, offer, func() {}); err != nil || e.Event != execution.OnPlaced {
			t.Errorf("%s: buy %s: got %+v, %v", game, l.Item, e, err)
		}
		if e, err := c.Lookup(t.Context(), o); err != nil || e.MarketName != l.MarketName {
			t.Errorf("%s: look up %s: got %+v, %v", game, l.Item, e, err)
		}
	}
}
