package skinsback

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"skinarb/execution"
	"skinarb/pricing"
)

// sampleBatch is what was asked for in market_batch_buy.json, and one more.
var sampleBatch = []BuyRequest{
	{ID: "7001001", CustomID: "ord-0002", MaxPrice: 12_450_000},
	{ID: "7001103", CustomID: "ord-0003", MaxPrice: 900_000_000},
	{ID: "7001204", CustomID: "ord-0004", MaxPrice: 1},
	{ID: "7001406", CustomID: "ord-0005", MaxPrice: 1},
	{ID: "7001002", CustomID: "ord-0001", MaxPrice: 1},
	{ID: "7009999", CustomID: "ord-0006", MaxPrice: 1},
}

func TestBatchSample(t *testing.T) {
	said := 0
	got, err := answering(t, 200, sample(t, "market_batch_buy.json")).BuyMany(t.Context(), sampleBatch, func() { said++ })
	if err != nil || len(got) != len(sampleBatch) || said != 1 {
		t.Fatalf("got %d results, %v, said %d times that it left, want %d and once", len(got), err, said, len(sampleBatch))
	}
	for i, want := range []string{
		"bought",
		"rejected insufficient_funds",
		"rejected skin_unavailable",
		"rejected skins_not_found_at_specified_price",
		"in doubt", // the custom_id is taken: by whom?
		"in doubt", // not mentioned
	} {
		if o := outcome(got[i].Err); o != want {
			t.Errorf("%s: got %s (%v), want %s", sampleBatch[i].CustomID, o, got[i].Err, want)
		}
	}
	want := Purchase{
		BuyID: "70066", CustomID: "ord-0002", ItemID: "7001001", Name: "AK-47 | Redline (Field-Tested)",
		Price: 12_450_000, Debited: 12_450_000, OfferStatus: CreatingTrade,
	}
	if diff := cmp.Diff(want, got[0].Purchase); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestWhatABatchSaysOfOneItem asks for lots 1 and 2 as a and b and looks at both.
func TestWhatABatchSaysOfOneItem(t *testing.T) {
	asked := []BuyRequest{{ID: "1", CustomID: "a", MaxPrice: 1}, {ID: "2", CustomID: "b", MaxPrice: 1}}
	for name, tc := range map[string]struct{ answer, a, b string }{
		"all bought":              {`"purchased":[{"item":{"id":1},"buy_id":5,"custom_id":"a"},{"item":{"id":"2"},"buy_id":"6","custom_id":"b"}]`, "bought", "bought"},
		"by lot alone":            {`"purchased":[{"item":{"id":2},"buy_id":6}],"unavailable":[{"id":1,"error_code":5}]`, "rejected skin_unavailable", "bought"},
		"by custom_id alone":      {`"purchased":[{"buy_id":6,"custom_id":"b"}],"unavailable":[{"custom_id":"a","error_message":"skin_unavailable"}]`, "rejected skin_unavailable", "bought"},
		"as objects with numbers": {`"purchased":{"1":{"item":{"id":2},"buy_id":6}},"unavailable":{"0":{"id":1,"error_code":"6"}}`, "rejected skins_not_found_at_specified_price", "bought"},
		"nothing":                 {`"purchased":[],"unavailable":[]`, "in doubt", "in doubt"},
		"no lists":                {`"x":1`, "in doubt", "in doubt"},
		"lists of another shape":  {`"purchased":"none","unavailable":7`, "in doubt", "in doubt"},
		"rows of another shape":   {`"purchased":[null,7,[],"1",{"item":7}],"unavailable":["1",2,null]`, "in doubt", "in doubt"},
		"bought and refused":      {`"purchased":[{"item":{"id":1},"buy_id":5}],"unavailable":[{"id":1,"error_code":5},{"id":2,"error_code":5}]`, "in doubt", "rejected skin_unavailable"},
		"bought twice":            {`"purchased":[{"item":{"id":1},"buy_id":5},{"item":{"id":1},"buy_id":6}]`, "in doubt", "in doubt"},
		"no buy_id":               {`"purchased":[{"item":{"id":1},"custom_id":"a"}]`, "in doubt", "in doubt"},
		"IDs crossed":             {`"purchased":[{"item":{"id":1},"buy_id":5,"custom_id":"b"}]`, "in doubt", "in doubt"},
		"another's custom_id":     {`"purchased":[{"item":{"id":1},"buy_id":5,"custom_id":"z"}],"unavailable":[{"id":2,"error_code":4}]`, "in doubt", "rejected insufficient_funds"},
		"another lot":             {`"unavailable":[{"id":9,"custom_id":"a","error_code":5}]`, "in doubt", "in doubt"},
		"about others":            {`"purchased":[{"item":{"id":9},"buy_id":5,"custom_id":"z"}]`, "in doubt", "in doubt"},
		"a reason nobody knows":   {`"unavailable":[{"id":1,"error_code":44,"error_message":"moon"},{"id":2}]`, "in doubt", "in doubt"},
		"a reason of any method":  {`"unavailable":[{"id":1,"error_code":-7},{"id":2,"error_code":-4,"error_message":"shop_not_active"}]`, "in doubt", "in doubt"},
		"text wins over code":     {`"unavailable":[{"id":1,"error_code":5,"error_message":"custom_id_already_exists"},{"id":2,"error_code":7,"error_message":"skin_unavailable"}]`, "in doubt", "rejected skin_unavailable"},
	} {
		got, err := answering(t, 200, `{"status":"success",`+tc.answer+`}`).BuyMany(t.Context(), asked, nil)
		if err != nil || outcome(got[0].Err) != tc.a || outcome(got[1].Err) != tc.b {
			t.Errorf("%s: got %+v, %v, want %s and %s", name, got, err, tc.a, tc.b)
		}
	}
}

// TestEveryErrorOfABatch: an error of the whole refuses it only if it comes before
// the first purchase.
func TestEveryErrorOfABatch(t *testing.T) {
	for _, tc := range []struct {
		code int
		text string
		want string
	}{
		{-3, "invalid_signature", "rejected invalid_signature"},
		{-6, "market_disabled", "rejected market_disabled"},
		{-7, "request_limit_reached", "later"},
		{-9, "under_maintenance", "later"},
		{3, "missing_partner_or_token", "rejected missing_partner_or_token"},
		{8, "invalid_partner_value", "rejected invalid_partner_value"},
		{4, "insufficient_funds", "in doubt"},
		{5, "skin_unavailable", "in doubt"},
		{7, "custom_id_already_exists", "in doubt"},
		{3, "", "in doubt"},
		{99, "new", "in doubt"},
	} {
		body := fmt.Sprintf(`{"status":"error","error_code":%d,"error_message":%q}`, tc.code, tc.text)
		got, err := answering(t, 200, body).BuyMany(t.Context(), sampleBatch, nil)
		if outcome(err) != tc.want || got != nil {
			t.Errorf("%d %s: got %+v, %s (%v), want %s", tc.code, tc.text, got, outcome(err), err, tc.want)
		}
	}
}

func TestABatchThatIsNotSent(t *testing.T) {
	c := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") })
	good := BuyRequest{ID: "1", CustomID: "a", MaxPrice: 1}
	many := make([]BuyRequest, MaxBatch+1)
	for i := range many {
		many[i] = BuyRequest{ID: fmt.Sprint(i), CustomID: fmt.Sprint(i), MaxPrice: 1}
	}
	for reason, requests := range map[string][]BuyRequest{
		"too_many_items":                       many,
		"missing_id_or_max_price_or_custom_id": {good, {CustomID: "b", MaxPrice: 1, Name: "Kilowatt Case"}},
		"id_or_custom_id_twice":                {good, {ID: "1", CustomID: "b", MaxPrice: 1}},
	} {
		said := 0
		if got, err := c.BuyMany(t.Context(), requests, func() { said++ }); outcome(err) != "rejected "+reason || got != nil || said != 1 {
			t.Errorf("got %+v, %v, said %d times, want %s and once", got, err, said, reason)
		}
	}
	for _, bad := range []BuyRequest{{ID: "2", MaxPrice: 1}, {ID: "2", CustomID: "b"}, {ID: "2", CustomID: "b", MaxPrice: -1}, {ID: "2", CustomID: "a", MaxPrice: 1}} {
		if _, err := c.BuyMany(t.Context(), []BuyRequest{good, bad}, nil); !strings.HasPrefix(outcome(err), "rejected") {
			t.Errorf("%+v: got %v, want a refusal", bad, err)
		}
	}
	if got, err := c.BuyMany(t.Context(), nil, nil); got != nil || err != nil {
		t.Errorf("nothing: got %+v, %v", got, err)
	}
	no := errors.New("closed")
	c.cfg.Budget = &budget{refuse: no}
	if _, err := c.BuyMany(t.Context(), []BuyRequest{good}, nil); !errors.Is(err, no) || outcome(err) != "later" {
		t.Errorf("without a permit: got %v, want later", err)
	}
}

func TestABatchOnTheWire(t *testing.T) {
	for _, tc := range []struct {
		auth Auth
		form bool
		want string
	}{
		{AuthHeaders, false, `{"items":[{"custom_id":"a","id":"1","max_price":"0.50"}],"method":"market_batch_buy","partner":"100000001","token":"AbCdEf12"}`},
		{AuthHeaders, true, "items%5B0%5D%5Bcustom_id%5D=a&items%5B0%5D%5Bid%5D=1&items%5B0%5D%5Bmax_price%5D=0.50&method=market_batch_buy&partner=100000001&token=AbCdEf12"},
		{AuthSignature, false, ""},
	} {
		var got string
		c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			got = string(b)
			io.WriteString(w, `{"status":"success"}`)
		}, func(cfg *Config) { cfg.Auth, cfg.FormBody = tc.auth, tc.form })
		if _, err := c.BuyMany(t.Context(), []BuyRequest{{ID: "1", CustomID: "a", MaxPrice: 500_000}}, nil); err != nil {
			t.Fatal(err)
		}
		if tc.auth == AuthSignature { // the list is not signed
			tc.want = params{"method": "market_batch_buy", "partner": "100000001", "token": "AbCdEf12", "shopid": testID}.signature(testSecret)
			if !strings.Contains(got, tc.want) {
				t.Errorf("signed: %s does not have %s", got, tc.want)
			}
			continue
		}
		if got != tc.want {
			t.Errorf("form %v: got %s, want %s", tc.form, got, tc.want)
		}
	}
}

func TestPlaceMany(t *testing.T) {
	var placings []execution.Placing
	for _, r := range sampleBatch {
		placings = append(placings, execution.Placing{
			Order: order(t, r.CustomID, "AK-47 | Redline (Field-Tested)", r.MaxPrice),
			Offer: execution.Offer{ListingID: r.ID},
		})
	}
	got := answering(t, 200, sample(t, "market_batch_buy.json")).PlaceMany(t.Context(), placings, nil)
	if len(got) != len(placings) {
		t.Fatalf("got %+v", got)
	}
	want := execution.Evidence{
		ID: "ord-0002", MarketRef: "70066", Event: execution.OnPlaced, Status: "creating_trade",
		MarketName: "AK-47 | Redline (Field-Tested)", Paid: 12_450_000,
	}
	if got[0].Evidence != want || got[0].Err != nil {
		t.Errorf("got %+v, want %+v", got[0], want)
	}
	for i, r := range got[1:] {
		if r.Err == nil || r.Evidence != (execution.Evidence{}) {
			t.Errorf("%s: got %+v, want an error", placings[i+1].Order.ID, r)
		}
	}
	c := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") })
	for name, change := range map[string]func(*execution.Placing){
		"an order without an offer": func(p *execution.Placing) { p.Offer.ListingID = "" },
		"an unknown phase":          func(p *execution.Placing) { p.Order.Item.Phase = pricing.UnknownPhase },
		"another recipient":         func(p *execution.Placing) { p.Order.Buyer.To.Partner = "7" },
		"the same lot":              func(p *execution.Placing) { p.Offer.ListingID = placings[0].Offer.ListingID },
	} {
		bad := slices.Clone(placings)
		change(&bad[1])
		for i, o := range c.PlaceMany(t.Context(), bad, nil) {
			if !strings.HasPrefix(outcome(o.Err), "rejected") {
				t.Errorf("%s, order %d: got %v, want a refusal", name, i, o.Err)
			}
		}
	}
}

// TestWhoGetsIt: what is bought for a buyer goes to him, alone or in a batch, and
// everything else to the configured account.
func TestWhoGetsIt(t *testing.T) {
	for name, tc := range map[string]struct {
		to   execution.Recipient
		want string
	}{
		"us":      {execution.Recipient{}, "100000001 AbCdEf12"},
		"a buyer": {execution.Recipient{Partner: "39734272", SteamID: "76561198000000000", Token: "SSH18JS"}, "39734272 SSH18JS"},
	} {
		var got []string
		c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			var asked struct{ Partner, Token string }
			if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
				t.Error(err)
			}
			got = append(got, asked.Partner+" "+asked.Token)
			_, _ = io.WriteString(w, `{"status":"error","error_code":4,"error_message":"insufficient_funds"}`)
		})
		one, two := order(t, "a", "AK-47 | Redline (Field-Tested)", 1), order(t, "b", "AK-47 | Redline (Field-Tested)", 1)
		one.Buyer.To, two.Buyer.To = tc.to, tc.to
		_, _ = c.Place(t.Context(), one, execution.Offer{}, func() {})
		c.PlaceMany(t.Context(), []execution.Placing{{Order: one, Offer: execution.Offer{ListingID: "1"}}, {Order: two, Offer: execution.Offer{ListingID: "2"}}}, nil)
		if diff := cmp.Diff([]string{tc.want, tc.want}, got); diff != "" {
			t.Errorf("%s: recipients (-want +got):\n%s", name, diff)
		}
	}
}

// TestABuyerOfWhomSomethingIsMissing gets nothing, and neither do we for him: the
// order is refused before it is sent.
func TestABuyerOfWhomSomethingIsMissing(t *testing.T) {
	c := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") })
	for name, to := range map[string]execution.Recipient{
		"all": {}, "the token": {Partner: "39734272"}, "the account": {Token: "SSH18JS"},
	} {
		o, ours := order(t, "a", "AK-47 | Redline (Field-Tested)", 1), order(t, "b", "AK-47 | Redline (Field-Tested)", 1)
		o.Buyer = execution.Buyer{Ref: "fast-1", To: to}
		left := 0
		_, err := c.Place(t.Context(), o, execution.Offer{}, func() { left++ })
		errs := []error{err}
		for _, out := range c.PlaceMany(t.Context(), []execution.Placing{{Order: o, Offer: execution.Offer{ListingID: "1"}}, {Order: ours, Offer: execution.Offer{ListingID: "2"}}}, func() { left++ }) {
			errs = append(errs, out.Err)
		}
		for _, err := range errs {
			if got := outcome(err); got != "rejected buyer_without_recipient" {
				t.Errorf("%s: got %s (%v), want it refused", name, got, err)
			}
		}
		if left != 2 {
			t.Errorf("%s: told %d times that no byte can leave any more, want once for each call", name, left)
		}
	}
}

// TestABatchClaimsNoMoreThanItWasTold: whatever rows come in whatever order, an
// item is bought exactly if one row says so with a buy_id and no other row has one
// of its IDs, and refused exactly if one row says so.
func TestABatchClaimsNoMoreThanItWasTold(t *testing.T) {
	c := newClient(t, DefaultURL)
	asked := []BuyRequest{{ID: "1", CustomID: "a", MaxPrice: 1}, {ID: "2", CustomID: "b", MaxPrice: 1}, {ID: "3", CustomID: "c", MaxPrice: 1}}
	type row struct{ id, custom, says string }
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) row {
			return row{
				rapid.SampledFrom([]string{"", "1", "2", "3", "9"}).Draw(t, "id"),
				rapid.SampledFrom([]string{"", "a", "b", "c", "z"}).Draw(t, "custom_id"),
				rapid.SampledFrom([]string{"bought", "bought without a buy_id", "5", "7"}).Draw(t, "says"),
			}
		}), 0, 6).Draw(t, "rows")
		var bought, refused []map[string]any
		for _, r := range rows {
			fields := map[string]any{"custom_id": r.custom}
			switch r.says {
			case "bought":
				fields["item"], fields["buy_id"] = map[string]any{"id": r.id}, 1
				bought = append(bought, fields)
			case "bought without a buy_id":
				fields["item"] = map[string]any{"id": r.id}
				bought = append(bought, fields)
			default:
				fields["id"], fields["error_code"] = r.id, r.says
				refused = append(refused, fields)
			}
		}
		body, err := json.Marshal(map[string]any{"status": "success", "purchased": bought, "unavailable": refused})
		if err != nil {
			t.Fatal(err)
		}
		var answer batchFields
		if err := decode(batchBuy, body, &answer); err != nil {
			t.Fatal(err)
		}
		for i, got := range answer.results(c, asked) {
			want, mentioned := "in doubt", 0
			for _, r := range rows {
				id, custom := r.id == asked[i].ID, r.custom == asked[i].CustomID
				if !id && !custom {
					continue
				}
				mentioned++
				fits := (id || r.id == "") && (custom || r.custom == "")
				switch {
				case !fits:
				case r.says == "bought":
					want = "bought"
				case r.says == "5":
					want = "rejected skin_unavailable"
				}
			}
			if mentioned != 1 {
				want = "in doubt"
			}
			if o := outcome(got.Err); o != want {
				t.Errorf("%s, request %d: got %s (%v), want %s", body, i, o, got.Err, want)
			}
		}
	})
}

// FuzzBatch: nothing but a row with a buy_id is a purchase, and nothing but a known
// reason a refusal.
func FuzzBatch(f *testing.F) {
	seed(f)
	f.Add([]byte(`{"status":"success","purchased":{"3":{"item":[],"buy_id":1,"custom_id":"ord-0002"}},"unavailable":[{"id":7001103,"error_code":"4"}]}`))
	c, err := New(Config{ClientID: testID, ClientSecret: testSecret})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var answer batchFields
		if decode(batchBuy, in, &answer) != nil {
			return
		}
		results := answer.results(c, sampleBatch)
		if len(results) != len(sampleBatch) {
			t.Fatalf("%q: got %d results, want %d", in, len(results), len(sampleBatch))
		}
		for i, r := range results {
			var no *execution.RejectedError
			switch {
			case r.Err == nil && (r.Purchase.BuyID == "" || r.Purchase.CustomID != sampleBatch[i].CustomID):
				t.Errorf("%q: got %+v", in, r)
			case errors.As(r.Err, &no) && buyErrors[no.Reason] != refused:
				t.Errorf("%q: refused for %s", in, no.Reason)
			case r.Err != nil && (len(r.Err.Error()) > 1000 || strings.Contains(r.Err.Error(), testSecret)):
				t.Errorf("%q: got the error %q", in, r.Err)
			}
		}
	})
}

func TestSearchNames(t *testing.T) {
	var asked string
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		asked = string(b)
		io.WriteString(w, sample(t, "market_search.json"))
	})
	got, err := c.SearchNames(t.Context(), pricing.CS2, []string{"Kilowatt Case", "x & y"})
	if want := `{"game":"cs2","method":"market_search","names":["Kilowatt Case","x & y"]}`; err != nil || asked != want || len(got) == 0 {
		t.Errorf("asked %s and got %d lots, %v, want %s", asked, len(got), err, want)
	}
	asked = ""
	if got, err := c.SearchNames(t.Context(), pricing.CS2, nil); got != nil || err != nil || asked != "" {
		t.Errorf("no names: asked %q and got %v, %v, want nothing", asked, got, err)
	}
}
