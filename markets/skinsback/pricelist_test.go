package skinsback

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/klauspost/compress/gzip"

	"skinarb/internal/marketsim"
	"skinarb/pricing"
)

// TestLotsAddUpToTheGroups: on a market whose two lists are of one moment, the
// lots counted by us are the groups that it counts, and each comes with the lot
// that asks the least, which is the one that Check finds.
func TestLotsAddUpToTheGroups(t *testing.T) {
	w, err := marketsim.New(marketsim.Config{
		Seed: 1, Items: 2000, NumberStrings: true, ClientID: testID, ClientSecret: testSecret, Now: func() time.Time { return testNow },
	})
	if err != nil {
		t.Fatal(err)
	}
	c := serve(t, w.SkinsBack().ServeHTTP)
	groups, err := c.Pull(t.Context(), pricing.CS2)
	if err != nil {
		t.Fatal(err)
	}
	cheapest := map[pricing.Item]string{}
	var all []Lot
	if _, err := c.FullPricelist(t.Context(), pricing.CS2, false, func(lot Lot) error { all = append(all, lot); return nil }); err != nil {
		t.Fatal(err)
	}
	for _, l := range lowestOf(pricing.CS2, all) {
		cheapest[l.Item] = l.Lot
	}
	checked := 0
	for range 2 { // the second time with known names
		lots, err := c.PullLots(t.Context(), pricing.CS2)
		if err != nil {
			t.Fatal(err)
		}
		want := map[pricing.Item]pricing.Listing{}
		for _, l := range groups.Listings {
			want[l.Item] = l
		}
		if len(lots.Listings) < 500 || len(lots.Listings) > len(want) || lots.Bytes < groups.Bytes {
			t.Errorf("got %d listings of %d bytes, want nearly %d of more than %d", len(lots.Listings), lots.Bytes, len(want), groups.Bytes)
		}
		for _, got := range lots.Listings {
			if got.Lot == "" || got.Lot != cheapest[got.Item] {
				t.Errorf("%s: got the lot %q, want %q", got.Item, got.Lot, cheapest[got.Item])
			}
			if checked < 20 && got.Item.Phase != pricing.UnknownPhase {
				checked++
				if offer, err := c.Check(t.Context(), got.Item, got.MarketName); err != nil || offer.ListingID != got.Lot || offer.Ask != got.Ask {
					t.Errorf("check %s: got the lot %q at %s, %v, want %q at %s", got.Item, offer.ListingID, offer.Ask, err, got.Lot, got.Ask)
				}
			}
			got.Lot = "" // of which groups do not tell
			if diff := cmp.Diff(want[got.Item], got); diff != "" {
				t.Errorf("(-groups +lots):\n%s", diff)
			}
		}
	}
}

func TestLotsOfEveryKind(t *testing.T) {
	lot := `{"id":"1","name":"A","price":5},{"id":"2","name":"A","price":"4.5"},{"id":"3","name":" A","price":4},{"id":"4","name":" A","price":6},{"id":"5","name":"B","price":1},{"id":10,"name":"C","price":1},{"id":"11","name":"C","price":1}`
	bad := `,{"name":"A","price":1},{"id":"6","name":"A","price":0},{"id":"7","price":1},{"id":"8","name":"a\u0000b","price":1},{"id":"9","name":"★ Karambit | Doppler Emerald (Factory New)","price":1},null`
	got, err := answering(t, 200, rows(lot+bad)).PullLots(t.Context(), pricing.CS2)
	if err != nil {
		t.Fatal(err)
	}
	want := []pricing.Listing{
		{Item: pricing.Item{Game: pricing.CS2, Name: "A"}, MarketName: " A", Ask: 4_000_000, Count: 2, Lot: "3"},
		{Item: pricing.Item{Game: pricing.CS2, Name: "B"}, MarketName: "B", Ask: 1_000_000, Count: 1, Lot: "5"},
		{Item: pricing.Item{Game: pricing.CS2, Name: "C"}, MarketName: "C", Ask: 1_000_000, Count: 2, Lot: "10"},
	}
	if diff := cmp.Diff(want, got.Listings); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	rejected := map[string]int{"duplicate": 1, "id": 1, "price": 1, "name": 2, "phase": 1, "row": 1}
	if diff := cmp.Diff(rejected, got.Rejected); diff != "" {
		t.Errorf("rejected (-want +got):\n%s", diff)
	}
}

// TestAKeptListReadsAsItDid reads a body again that Pull has read.
func TestAKeptListReadsAsItDid(t *testing.T) {
	for _, in := range []string{sample(t, "market_pricelist_grouped.json"), string(wholeList(t, 500, false)), sample(t, "status.json"), "{"} {
		c := answering(t, 200, in)
		want, wantErr := c.Pull(t.Context(), pricing.CS2)
		got, err := c.ReadPricelist(pricing.CS2, strings.NewReader(in))
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" || (err == nil) != (wantErr == nil) {
			t.Errorf("%.100s: got %v, want %v (-pulled +read):\n%s", in, err, wantErr, diff)
		}
	}
}

// TestALongListEndsWhenItShould: a compressed list without end is inflated ahead
// of its reader, and ends with the reader, the caller or a fault in the middle.
func TestALongListEndsWhenItShould(t *testing.T) {
	fault := make(chan string, 1)
	c := serve(t, func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Encoding", "gzip")
		zip := gzip.NewWriter(rw)
		io.WriteString(zip, `{"status":"success","items":[`)
		row := strings.Repeat(`{"id":"1","name":"A","price":1},`, 1000)
		for i := 0; ; i++ {
			part := row
			if i == 500 {
				select {
				case part = <-fault:
				default:
				}
			}
			if _, err := io.WriteString(zip, part); err != nil {
				return
			}
		}
	})
	enough := errors.New("enough")
	n := 0
	if _, err := c.FullPricelist(t.Context(), pricing.CS2, false, func(Lot) error {
		if n++; n == 3 {
			return enough
		}
		return nil
	}); err != enough || n != 3 {
		t.Errorf("a row's error: got %v after %d rows, want %v after 3", err, n, enough)
	}

	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := c.PullLots(ctx, pricing.CS2); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the caller's deadline: got %v, want %v", err, context.DeadlineExceeded)
	}

	fault <- `{"id":}`
	var answer *AnswerError
	if _, err := c.PullLots(t.Context(), pricing.CS2); !errors.As(err, &answer) {
		t.Errorf("a fault in the middle: got %v, want an *AnswerError", err)
	}

	c.cfg.MaxListBody = 10 << 20
	if _, err := c.PullLots(t.Context(), pricing.CS2); !errors.As(err, &answer) || !strings.Contains(err.Error(), "larger") {
		t.Errorf("a list larger than allowed: got %v, want an *AnswerError that says so", err)
	}
}
