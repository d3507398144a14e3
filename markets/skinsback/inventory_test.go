package skinsback

import (
	"io"
	"net/http"
	"testing"
	"time"

	"skinarb/pricing"
)

var testSale = SellRequest{
	OrderID: "dep-79", Game: pricing.CS2, SteamID: "76561198060000001", TradeToken: "AbCdEf12", AssetIDs: []string{"40000000001", "40000000002"},
}

var testInventory = InventoryRequest{Game: pricing.CS2, SteamID: "76561198060000001", TradeToken: "AbCdEf12"}

func TestInventorySamples(t *testing.T) {
	want := Inventory{Currency: "usd", Items: []InventoryItem{{
		AssetID: "40000000001", AppID: "730", ClassID: "310776959", IconURL: "EXAMPLE_ICON_HASH", Name: "AK-47 | Redline (Field-Tested)",
		Price: 11_020_000, Local: dec("11.02"), LocalMultiplied: dec("12.12"), Tradable: true,
	}}}
	for _, name := range []string{"user_inventory.json", "user_inventory_data_wrapped.json"} {
		got, err := answering(t, 200, sample(t, name)).GetInventory(t.Context(), testInventory)
		if d := diff(want, got); d != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, d)
		}
	}
}

// TestWhatIsNotSurelySellableIsNot reads the same item told in other ways.
func TestWhatIsNotSurelySellableIsNot(t *testing.T) {
	for row, want := range map[string]bool{
		`{"item":{"asset_id":"1","tradable":true},"price":1}`:                          true,
		`{"item":{"asset_id":1,"tradable":"1"},"price":"1","disabled":0}`:              true,
		`{"item":{"asset_id":"1","tradable":1},"price":1,"disabled":null}`:             true,
		`{"item":{"asset_id":"1","tradable":0},"price":1}`:                             false,
		`{"item":{"asset_id":"1"},"price":1}`:                                          false,
		`{"item":{"asset_id":"1","tradable":"maybe"},"price":1}`:                       false,
		`{"item":{"asset_id":"1","tradable":true},"price":1,"disabled":true}`:          false,
		`{"item":{"asset_id":"1","tradable":true},"price":1,"disabled":"overstock"}`:   false,
		`{"item":{"asset_id":"1","tradable":true},"price":0}`:                          false,
		`{"item":{"asset_id":"1","tradable":true},"price":"-1"}`:                       false,
		`{"item":{"asset_id":"1","tradable":true},"price":0.0000001}`:                  false, // nothing, rounded down
		`{"item":{"asset_id":"1","tradable":true},"price_local":1}`:                    false,
		`{"item":{"asset_id":"1","tradable":true,"new":[{}]},"price":"n/a","more":{}}`: false,
	} {
		got, err := answering(t, 200, `{"status":"success","items":[`+row+`]}`).GetInventory(t.Context(), testInventory)
		if err != nil || len(got.Items) != 1 || got.Items[0].Sellable() != want {
			t.Errorf("%s: got %+v, %v, want sellable %v", row, got, err, want)
		}
	}
}

func TestInventoriesOfOtherShapes(t *testing.T) {
	for body, want := range map[string]struct {
		items, rejected int
		bad             bool
	}{
		`{"status":"success","items":[]}`:                                                      {},
		`{"status":"success","items":{}}`:                                                      {},
		`{"status":"success","data":{"items":{"3":{"item":{"asset_id":"1"}}}}}`:                {items: 1},
		`{"status":"success","items":[{"item":[]},{"item":{"asset_id":"1"}},{"name":"none"}]}`: {items: 1, rejected: 2},
		`{"status":"success","items":[null]}`:                                                  {rejected: 1},
		`{"status":"success"}`:                                                                 {bad: true},
		`{"status":"success","data":[]}`:                                                       {bad: true},
		`{"status":"success","data":{"x":1}}`:                                                  {bad: true},
		`{"status":"success","items":null}`:                                                    {bad: true},
		`{"status":"success","items":"none"}`:                                                  {bad: true},
		`{"status":"error","error_code":2,"error_message":"invalid_steam_id"}`:                 {bad: true},
	} {
		got, err := answering(t, 200, body).GetInventory(t.Context(), testInventory)
		if len(got.Items) != want.items || got.Rejected != want.rejected || (err != nil) != want.bad {
			t.Errorf("%s: got %+v, %v, want %+v", body, got, err, want)
		}
	}
}

func TestInventoryRequests(t *testing.T) {
	var asked string
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		asked = string(b)
		io.WriteString(w, sample(t, "user_inventory.json"))
	})
	full := testInventory
	full.Multiplier, full.CustomCurrency, full.CustomRate, full.Currency = dec("1.50"), "coin", dec("0.1"), "eur"
	for want, r := range map[string]InventoryRequest{
		`{"game":"cs2","method":"user_inventory","steam_id":"76561198060000001","trade_token":"AbCdEf12"}`: testInventory,
		`{"currency":"eur","custom_currency":"coin","custom_currency_rate":"0.1","custom_multiplier":"1.5","game":"cs2","method":"user_inventory",` +
			`"steam_id":"76561198060000001","trade_token":"AbCdEf12"}`: full,
	} {
		if _, err := c.GetInventory(t.Context(), r); err != nil || asked != want {
			t.Errorf("asked %s, %v, want %s", asked, err, want)
		}
	}
	for name, change := range map[string]func(*InventoryRequest){
		"no game":                  func(r *InventoryRequest) { r.Game = "" },
		"no account":               func(r *InventoryRequest) { r.SteamID = "100000001" },
		"no token":                 func(r *InventoryRequest) { r.TradeToken = "" },
		"too small a multiplier":   func(r *InventoryRequest) { r.Multiplier = dec("0.49") },
		"too large a multiplier":   func(r *InventoryRequest) { r.Multiplier = dec("2.01") },
		"a long currency":          func(r *InventoryRequest) { r.CustomCurrency = "coins" },
		"a currency without rate":  func(r *InventoryRequest) { r.CustomRate = dec("0") },
		"too small a rate":         func(r *InventoryRequest) { r.CustomRate = dec("0.09") },
		"a rate without currency":  func(r *InventoryRequest) { r.CustomCurrency = "" },
		"a rate of less than none": func(r *InventoryRequest) { r.CustomRate = dec("-1") },
	} {
		r := full
		change(&r)
		asked = ""
		if _, err := c.GetInventory(t.Context(), r); err == nil || asked != "" {
			t.Errorf("%s: asked %q, %v, want an error and nothing sent", name, asked, err)
		}
	}
}

func TestSellSample(t *testing.T) {
	var asked string
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		asked = string(b)
		io.WriteString(w, sample(t, "create_from_user_inventory.json"))
	})
	said := 0
	got, err := c.Sell(t.Context(), testSale, func() { said++ })
	want := Sale{
		TransactionID: "116749003", OrderID: "dep-79", USD: 11_020_000, Local: dec("895.38"), LocalMultiplied: dec("984.92"), LocalCurrency: "rub",
		OfferID: "7100000003", OfferExpires: time.Date(2025, 10, 9, 9, 3, 20, 0, time.UTC), BotSteamID: "76561198060000002", BotName: "Bot 12",
	}
	if d := diff(want, got); d != "" || err != nil || said != 1 {
		t.Errorf("%v, said %d times (-want +got):\n%s", err, said, d)
	}
	if want := `{"game":"cs2","item_asset_ids":["40000000001","40000000002"],"method":"create_from_user_inventory","order_id":"dep-79",` +
		`"steam_id":"76561198060000001","trade_token":"AbCdEf12"}`; asked != want {
		t.Errorf("asked %s, want %s", asked, want)
	}
	for _, body := range []string{`{"status":"success"}`, `{"status":"success","data":[]}`, `{"status":"success","transaction_id":1}`, `{"status":"success","data":{"sum":5}}`} {
		if got, err := answering(t, 200, body).Sell(t.Context(), testSale, nil); outcome(err) != "in doubt" {
			t.Errorf("%s: got %+v, %v, want in doubt", body, got, err)
		}
	}
	// Nothing but the ID is needed to follow an offer.
	if got, err := answering(t, 200, `{"status":"success","data":{"transaction_id":"5","sum":"-1","trade_offer_expiry_at":"soon"}}`).Sell(t.Context(), testSale, nil); err != nil || got.USD != 0 || !got.OfferExpires.IsZero() {
		t.Errorf("got %+v, %v, want an offer of which little is known", got, err)
	}
}
