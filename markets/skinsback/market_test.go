package skinsback

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"skinarb/execution"
	"skinarb/pricing"
)

func item(t testing.TB, name string) pricing.Item {
	t.Helper()
	it, err := pricing.ParseItem(pricing.CS2, name, "")
	if err != nil {
		t.Fatal(err)
	}
	return it
}

func TestCheapestOfAnItem(t *testing.T) {
	const (
		phase2   = "★ Karambit | Doppler Phase 2 (Factory New)"
		phase4   = "★ Karambit | Doppler Phase 4 (Factory New)"
		bare     = "★ Karambit | Doppler (Factory New)"
		redline  = "AK-47 | Redline (Field-Tested)"
		stattrak = "StatTrak™ AK-47 | Redline (Field-Tested)"
	)
	lot := func(id, name string, dollars pricing.Money) Lot {
		return Lot{ID: id, Name: name, Ask: dollars * pricing.Dollar}
	}
	for name, tc := range map[string]struct {
		item  string
		found []Lot
		want  execution.Offer // zero: not offered
	}{
		"by name":                       {redline, []Lot{lot("1", redline, 13), lot("2", redline, 12)}, execution.Offer{Ask: 12 * pricing.Dollar, Count: 2, ListingID: "2"}},
		"others whose name contains it": {redline, []Lot{lot("1", stattrak, 5), lot("2", redline, 12)}, execution.Offer{Ask: 12 * pricing.Dollar, Count: 1, ListingID: "2"}},
		"only others":                   {redline, []Lot{lot("1", stattrak, 5)}, execution.Offer{}},
		"nothing":                       {redline, nil, execution.Offer{}},
		"another spelling":              {redline, []Lot{lot("1", "AK-47 |  Redline  (Field-Tested)", 12)}, execution.Offer{Ask: 12 * pricing.Dollar, Count: 1, ListingID: "1"}},
		"one lot twice":                 {redline, []Lot{lot("1", redline, 12), lot("1", redline, 13)}, execution.Offer{Ask: 13 * pricing.Dollar, Count: 1, ListingID: "1"}},
		"by lot":                        {phase2, []Lot{lot("1", phase2, 13), lot("2", phase2, 12), lot("3", phase4, 5)}, execution.Offer{Ask: 12 * pricing.Dollar, Count: 2, ListingID: "2"}},
		"with its twin":                 {phase2, []Lot{lot("1", bare, 13), lot("1", phase2, 13), lot("2", bare, 5), lot("2", phase4, 5)}, execution.Offer{Ask: 13 * pricing.Dollar, Count: 1, ListingID: "1"}},
		"only bare":                     {phase2, []Lot{lot("1", bare, 13)}, execution.Offer{}},
		"a lot of two phases":           {phase2, []Lot{lot("1", phase2, 5), lot("1", phase4, 5), lot("2", phase2, 9)}, execution.Offer{Ask: 9 * pricing.Dollar, Count: 1, ListingID: "2"}},
		"equal asks":                    {phase2, []Lot{lot("3", phase2, 5), lot("2", phase2, 5)}, execution.Offer{Ask: 5 * pricing.Dollar, Count: 2, ListingID: "2"}},
		"a phase nobody knows":          {phase2, []Lot{lot("1", "★ Karambit | Doppler Phase 7 (Factory New)", 5)}, execution.Offer{}},
	} {
		got, ok := cheapest(item(t, tc.item), tc.found)
		if got != tc.want || ok != (tc.want.Count > 0) {
			t.Errorf("%s: got %+v, %v, want %+v", name, got, ok, tc.want)
		}
	}
}

func TestUnknownPhaseIsNeitherCheckedNorBought(t *testing.T) {
	m := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") })
	it := item(t, "★ Karambit | Doppler (Factory New)")
	if _, err := m.Check(t.Context(), it, it.Name); !errors.Is(err, execution.ErrNotOffered) {
		t.Errorf("check: got %v, want %v", err, execution.ErrNotOffered)
	}
	for _, phase := range []pricing.Phase{pricing.UnknownPhase, pricing.Phase2} {
		it.Phase = phase
		o := execution.Order{ID: "ord-0001", Request: execution.Request{Item: it, MarketName: it.Name, Ask: pricing.Dollar}}
		offer := execution.Offer{ListingID: "7"}
		if phase != pricing.UnknownPhase {
			offer.ListingID = "" // the name alone may bring any phase
		}
		if _, err := m.Place(t.Context(), o, offer, func() {}); !strings.HasPrefix(outcome(err), "rejected") {
			t.Errorf("place %s: got %v, want a refusal", phase, err)
		}
	}
}

// TestPlaceAsksForExactlyTheOrder looks at the parameters that move money.
func TestPlaceAsksForExactlyTheOrder(t *testing.T) {
	for _, tc := range []struct {
		spelling string
		ask      pricing.Money
		listing  string
		want     string
	}{
		{"Michael Syfers  | FBI Sniper", 12_450_000, "99", `{"custom_id":"sa-1","game":"cs2","max_price":"12.45","method":"market_buy","name":"Michael Syfers  | FBI Sniper","partner":"100000001","token":"AbCdEf12"}`},
		{"Kilowatt Case", 285_001, "", `{"custom_id":"sa-1","game":"cs2","max_price":"0.285001","method":"market_buy","name":"Kilowatt Case","partner":"100000001","token":"AbCdEf12"}`},
		{"★ Karambit | Doppler Ruby (Factory New)", 901 * pricing.Dollar, "7001", `{"custom_id":"sa-1","id":"7001","max_price":"901.00","method":"market_buy","partner":"100000001","token":"AbCdEf12"}`},
	} {
		var got string
		m := serve(t, func(w http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			got = string(b)
			io.WriteString(w, `{"status":"success","buy_id":1,"balance_debited_sum":"99.99","offer_status":"creating_trade"}`)
		})
		o := execution.Order{ID: "sa-1", Request: execution.Request{Item: item(t, tc.spelling), MarketName: tc.spelling, Ask: tc.ask}}
		// What the offer asked meanwhile is not what we agreed to pay.
		e, err := m.Place(t.Context(), o, execution.Offer{Ask: 1, ListingID: tc.listing}, func() {})
		if err != nil || got != tc.want {
			t.Errorf("%s: sent %s (%v), want %s", tc.spelling, got, err, tc.want)
		}
		want := execution.Evidence{ID: "sa-1", MarketRef: "1", Event: execution.OnPlaced, Status: "creating_trade", Paid: 99_990_000}
		if e != want {
			t.Errorf("%s: got %+v, want %+v", tc.spelling, e, want)
		}
	}
}

func TestPlaceSamples(t *testing.T) {
	o := execution.Order{ID: "ord-0001", Request: execution.Request{
		Item: item(t, "AK-47 | Redline (Field-Tested)"), MarketName: "AK-47 | Redline (Field-Tested)", Ask: 12_450_000,
	}}
	want := execution.Evidence{
		ID: "ord-0001", MarketRef: "70065", Event: execution.OnPlaced, Status: "creating_trade",
		MarketName: "AK-47 | Redline (Field-Tested)", Paid: 12_450_000,
	}
	for _, name := range []string{"market_buy.json", "market_buy_strings.json"} {
		got, err := answering(t, 200, sample(t, name)).Place(t.Context(), o, execution.Offer{}, func() {})
		if err != nil || got != want {
			t.Errorf("%s: got %+v, %v, want %+v", name, got, err, want)
		}
	}
	// Success means bought, whatever the state is called.
	got, err := answering(t, 200, `{"status":"success","buy_id":5,"offer_status":"queued"}`).Place(t.Context(), o, execution.Offer{}, func() {})
	if err != nil || got.Event != execution.OnPlaced || got.Status != "queued" || got.Paid != 0 {
		t.Errorf("a new state: got %+v, %v", got, err)
	}
}

func TestGetInfoSamples(t *testing.T) {
	want := Purchase{
		BuyID: "70065", CustomID: "ord-0001", ItemID: "7001001", Name: "AK-47 | Redline (Field-Tested)", Price: 12_450_000,
		Debited: 12_450_000, OfferStatus: WaitingAccept, SteamID: "76561198060000001", TradeOfferID: "4176876858", At: time.Unix(1_760_000_000, 0).UTC(),
	}
	got, err := answering(t, 200, sample(t, "market_getinfo_single.json")).GetInfo(t.Context(), "70065")
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	want.BuyID, want.CustomID, want.TradeOfferID, want.OfferStatus = "70067", "", "", CreatingTrade
	got, err = answering(t, 200, sample(t, "market_getinfo_single_creating.json")).GetInfo(t.Context(), "70067")
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if _, err := answering(t, 200, sample(t, "market_getinfo_single.json")).GetInfo(t.Context(), "1"); err == nil {
		t.Error("an answer about another purchase: got no error")
	}
}

func TestEveryStateOfAPurchase(t *testing.T) {
	m := answering(t, 200, sample(t, "market_getinfo_many.json"))
	var orders []execution.Order
	for i := range 11 {
		orders = append(orders, execution.Order{ID: execution.OrderID(fmt.Sprintf("ord-01%02d", i))})
	}
	got, err := m.Track(t.Context(), orders)
	if err != nil || len(got) != 10 {
		t.Fatalf("got %d, %v, want 10: the eleventh has no news", len(got), err)
	}
	for i, want := range []struct {
		status string
		event  execution.Event
		offer  string
	}{
		{"creating_trade", execution.OnPlaced, ""},
		{"waiting_accept", execution.OnDelivering, "4176876859"},
		{"accepted", execution.OnDelivered, "4176876860"},
		{"canceled", execution.OnFailed, "4176876861"},
		{"timeout", execution.OnFailed, "4176876862"},
		{"invalid_trade_token", execution.OnFailed, ""},
		{"user_not_tradable", execution.OnFailed, ""},
		{"trade_create_error", execution.OnFailed, ""},
		{"rollback_user", execution.OnRolledBack, "4176876866"},
		{"rollback_supplier", execution.OnRolledBack, "4176876867"},
	} {
		e := execution.Evidence{
			ID: orders[i].ID, MarketRef: strconv.Itoa(70100 + i), Event: want.event, Status: want.status,
			MarketName: "AK-47 | Redline (Field-Tested)", Paid: 12_450_000, OfferID: want.offer,
			At: time.Unix(1_760_000_000+60*int64(i), 0).UTC(),
		}
		if diff := cmp.Diff(e, got[i]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", want.status, diff)
		}
	}
	if e := m.evidence(Purchase{OfferStatus: "escrow"}); e.Event != "" || e.Status != "escrow" {
		t.Errorf("a new state: got %+v, want no event", e)
	}
}

func TestLookup(t *testing.T) {
	for name, tc := range map[string]struct {
		body     string
		found    bool
		notFound bool
	}{
		"ours":              {`{"status":"success","items":[{"buy_id":1,"custom_id":"ord-1","offer_status":"accepted"}]}`, true, false},
		"as object":         {`{"status":"success","items":{"3":{"buy_id":1,"custom_id":"ord-1","offer_status":"accepted"}}}`, true, false},
		"among others":      {`{"status":"success","items":[{"buy_id":2,"custom_id":"x"},{"buy_id":1,"custom_id":"ord-1","offer_status":"accepted"}]}`, true, false},
		"none":              {`{"status":"success","items":[]}`, false, true},
		"none, as object":   {`{"status":"success","items":{}}`, false, true},
		"offer_not_found":   {sample(t, "error_market_getinfo_2_offer_not_found.json"), false, true},
		"another":           {`{"status":"success","items":[{"buy_id":1,"custom_id":"ord-2"}]}`, false, false},
		"no custom_id":      {`{"status":"success","items":[{"buy_id":1}]}`, false, false},
		"a row of nothing":  {`{"status":"success","items":[null]}`, false, false},
		"no items":          {`{"status":"success"}`, false, false},
		"items null":        {`{"status":"success","items":null}`, false, false},
		"items empty text":  {`{"status":"success","items":""}`, false, false},
		"maintenance":       {sample(t, "error_general_minus9_under_maintenance.json"), false, false},
		"bad credentials":   {sample(t, "error_general_minus3_invalid_signature.json"), false, false},
		"market disabled":   {sample(t, "error_general_minus6_market_disabled.json"), false, false},
		"an HTML page":      {"<html>404 not found</html>", false, false},
		"an empty body":     {"", false, false},
		"half of an answer": {`{"status":"success","items":[`, false, false},
	} {
		e, err := answering(t, 200, tc.body).Lookup(t.Context(), execution.Order{ID: "ord-1"})
		var no *execution.RejectedError
		switch {
		case (err == nil) != tc.found, errors.Is(err, execution.ErrNotFound) != tc.notFound, errors.As(err, &no):
			t.Errorf("%s: got %+v, %v, want found %v, not found %v", name, e, err, tc.found, tc.notFound)
		case tc.found && (e.ID != "ord-1" || e.MarketRef != "1" || e.Event != execution.OnDelivered):
			t.Errorf("%s: got %+v", name, e)
		}
	}
}

func TestTrackAsksFiftyAtATime(t *testing.T) {
	var sizes []int
	m := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var asked struct {
			IDs []string `json:"custom_ids"`
		}
		json.NewDecoder(r.Body).Decode(&asked)
		sizes = append(sizes, len(asked.IDs))
		switch len(sizes) {
		case 1:
			fmt.Fprintf(w, `{"status":"success","items":[{"buy_id":1,"custom_id":%q,"offer_status":"accepted"},{"buy_id":2,"custom_id":"not asked for"}]}`, asked.IDs[49])
		case 2:
			io.WriteString(w, sample(t, "error_market_getinfo_2_offer_not_found.json")) // none of the fifty
		default:
			io.WriteString(w, sample(t, "error_general_minus4_shop_not_active.json"))
		}
	})
	orders := make([]execution.Order, 120)
	for i := range orders {
		orders[i].ID = execution.OrderID(fmt.Sprint("o", i))
	}
	got, err := m.Track(t.Context(), orders)
	if err == nil || len(got) != 1 || got[0].ID != "o49" {
		t.Errorf("got %+v, %v, want the news of o49 and the third request's error", got, err)
	}
	if !slices.Equal(sizes, []int{50, 50, 20}) {
		t.Errorf("asked for %v, want 50, 50 and 20", sizes)
	}
	if got, err := m.Track(t.Context(), nil); err != nil || len(got) != 0 || len(sizes) != 3 {
		t.Errorf("nothing: got %v, %v and %d requests", got, err, len(sizes))
	}
}

func TestHistorySamples(t *testing.T) {
	var asked []string
	m := serve(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		asked = append(asked, string(b))
		io.WriteString(w, sample(t, []string{"market_history.json", "market_history_last_page.json"}[len(asked)-1]))
	})
	got, err := m.History(t.Context(), time.Unix(1_760_000_000, 500))
	if err != nil || len(got) != 5 {
		t.Fatalf("got %d, %v, want 5", len(got), err)
	}
	for i, e := range got {
		if want := execution.OrderID(fmt.Sprint("ord-010", i)); e.ID != want {
			t.Errorf("%d: got %s, want %s", i, e.ID, want)
		}
	}
	ending := testNow.Add(time.Hour).Unix()
	want := []string{
		fmt.Sprintf(`{"ending":"%d","method":"market_history","starting":"1760000000"}`, ending),
		fmt.Sprintf(`{"ending":"%d","method":"market_history","start_from":"3","starting":"1760000000"}`, ending),
	}
	if !slices.Equal(asked, want) {
		t.Errorf("asked %s, want %s", asked, want)
	}
}

func TestHistoryPages(t *testing.T) {
	page := func(more, cursor, rows string) string {
		return fmt.Sprintf(`{"status":"success","has_more":%s,"start_from":%s,"items":[%s]}`, more, cursor, rows)
	}
	for name, tc := range map[string]struct {
		pages []string
		want  []string // buy_id and state
		bad   bool
	}{
		"one": {[]string{page("false", "null", `{"buy_id":1}`)}, []string{"1 "}, false},
		"one seen twice, newer": {[]string{
			page("1", `"a"`, `{"buy_id":1,"offer_status":"waiting_accept"},{"buy_id":2}`),
			page("0", `""`, `{"buy_id":"1","offer_status":"accepted"},{"buy_id":3}`),
		}, []string{"1 accepted", "2 ", "3 "}, false},
		"no cursor":               {[]string{page("true", "null", `{"buy_id":1}`)}, nil, true},
		"the same cursor again":   {[]string{page("true", "5", ""), page("true", "5", "")}, nil, true},
		"has_more cannot be read": {[]string{page(`"perhaps"`, "5", "")}, nil, true},
		"has_more missing":        {[]string{`{"status":"success","items":[{"buy_id":1}]}`}, []string{"1 "}, false},
		"no items":                {[]string{`{"status":"success","has_more":false}`}, nil, true},
		"an error in the middle":  {[]string{page("true", "5", `{"buy_id":1}`), sample(t, "error_general_minus7_request_limit_reached.json")}, nil, true},
	} {
		n := 0
		c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, tc.pages[min(n, len(tc.pages)-1)])
			n++
		})
		all, err := c.GetHistory(t.Context(), testNow.Add(-time.Hour), testNow)
		var got []string
		for _, p := range all {
			got = append(got, p.BuyID+" "+string(p.OfferStatus))
		}
		if !slices.Equal(got, tc.want) || (err != nil) != tc.bad || n != len(tc.pages) {
			t.Errorf("%s: got %q, %v after %d requests, want %q, error %v after %d", name, got, err, n, tc.want, tc.bad, len(tc.pages))
		}
	}
}

func TestHistoryEnds(t *testing.T) {
	n := 0
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n++
		fmt.Fprintf(w, `{"status":"success","has_more":true,"start_from":%d,"items":[]}`, n)
	})
	if _, err := c.GetHistory(t.Context(), testNow, testNow); err == nil || n != maxPages {
		t.Errorf("got %v after %d pages, want an error after %d", err, n, maxPages)
	}
}

func TestBalance(t *testing.T) {
	for body, want := range map[string]Balance{
		sample(t, "balance.json"): {USD: 1_532_407_000, Plain: 1_532_407_000, Deals: 20_411_120_000},
		`{"status":"success","balance":1532.407,"balance_in_currencies":{"usd":1532.4}}`:       {USD: 1_532_400_000, Plain: 1_532_407_000},
		`{"status":"success","balance":"124508.069","balance_in_currencies":{"usd":"1532.4"}}`: {USD: 1_532_400_000, Plain: 124_508_069_000, Disagree: true},
		`{"status":"success","balance":"5"}`:                                                   {USD: 5_000_000, Plain: 5_000_000},
		`{"status":"success","balance":"5","balance_in_currencies":[]}`:                        {USD: 5_000_000, Plain: 5_000_000},
		`{"status":"success","balance_in_currencies":{"usd":"5"}}`:                             {USD: 5_000_000},
		`{"status":"success","balance":"-1.5","balance_in_currencies":{"usd":"-1.5"}}`:         {USD: -1_500_000, Plain: -1_500_000},
	} {
		got, err := answering(t, 200, body).GetBalance(t.Context())
		if err != nil || got != want {
			t.Errorf("%s: got %+v, %v, want %+v", body, got, err, want)
		}
	}
	for _, body := range []string{
		`{"status":"success"}`,
		`{"status":"success","balance":"a lot"}`,
		`{"status":"success","balance":"5","balance_in_currencies":{"rub":"400"}}`,
		`{"status":"success","balance":"5","balance_in_currencies":{"usd":null}}`,
	} {
		if got, err := answering(t, 200, body).GetBalance(t.Context()); err == nil {
			t.Errorf("%s: got %+v, want an error", body, got)
		}
	}
}

func TestADisagreementGoesToTheLog(t *testing.T) {
	for plain, want := range map[string]bool{"1532.4": false, "124508.069": true} {
		var log bytes.Buffer
		c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, `{"status":"success","balance":%q,"balance_in_currencies":{"usd":"1532.4"}}`, plain)
		}, func(cfg *Config) { cfg.Log = slog.New(slog.NewTextHandler(&log, nil)) })
		got, err := c.Balance(t.Context())
		if err != nil || got != 1_532_400_000 {
			t.Errorf("%s: got %s, %v, want 1532.40", plain, got, err)
		}
		if strings.Contains(log.String(), plain) != want {
			t.Errorf("%s: logged %q, want a warning %v", plain, log.String(), want)
		}
	}
}

func TestStatus(t *testing.T) {
	for body, want := range map[string]Status{
		sample(t, "status.json"):                                 {Available: true},
		sample(t, "status_unavailable.json"):                     {Reason: "no_bots"},
		`{"status":"success","available":0,"reason":"site_off"}`: {Reason: "site_off"},
		`{"status":"success","available":"1"}`:                   {Available: true},
	} {
		got, err := answering(t, 200, body).Status(t.Context())
		if err != nil || got != want {
			t.Errorf("%s: got %+v, %v, want %+v", body, got, err, want)
		}
	}
	for _, body := range []string{`{"status":"success"}`, `{"status":"success","available":null}`, `{"status":"success","available":"maybe"}`} {
		if got, err := answering(t, 200, body).Status(t.Context()); err == nil {
			t.Errorf("%s: got %+v, want an error", body, got)
		}
	}
}

func TestGetInfoManyAsksByBuyID(t *testing.T) {
	var asked string
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		asked = string(b)
		io.WriteString(w, sample(t, "market_getinfo_many.json"))
	})
	all, err := c.GetInfoMany(context.Background(), []string{"70100", "70101"})
	if want := `{"buy_ids":["70100","70101"],"method":"market_getinfo"}`; err != nil || asked != want || len(all) != 10 {
		t.Errorf("asked %s and got %d, %v, want %s and 10", asked, len(all), err, want)
	}
}
