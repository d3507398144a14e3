package marketsim

import (
	"slices"
	"strings"
)

// games of SkinsBack.
var sbGames = []string{cs2, rust, dota2}

// offerable is a thing of an inventory as SkinsBack sees it.
type offerable struct {
	asset
	listing  *listing // nil: it does not know the item
	disabled bool     // it does not take it
}

// offerables is what a Steam account has in a game. SkinsBack does not take what
// it does not list, and of the rest now and then one.
func (w *World) offerables(game, steamID string) []offerable {
	var all []offerable
	for _, a := range w.inventory(steamID) {
		if a.item.game == game {
			l := w.skinsback.bySteam[key{game, a.item.name}]
			odd := hits(roll(w.cfg.Seed, aboutDeposit, hashName(a.id)), 8)
			all = append(all, offerable{a, l, l == nil || l.bait || odd})
		}
	}
	return all
}

// depositRatio is what SkinsBack credits of its own ask, in millionths.
const depositRatio = 850_000

// credits is what SkinsBack gives for an asset now, in micro-dollars.
func (w *World) credits(a offerable) int64 {
	if a.listing == nil {
		return 0
	}
	w.shelf(w.skinsback, a.listing)
	return roundTo(scale(a.listing.ask, depositRatio), cent)
}

// Errors of deposits and inventories. The market's words for those without a
// documented one are not known; these are made up, as a client must be ready for.
var (
	errOrderID    = &sbError{1, "invalid_order_id"}
	errSteamID    = &sbError{2, "invalid_steam_id"}
	errTradeToken = &sbError{3, "invalid_trade_token"}
	errGame       = &sbError{20, "invalid_game"}
	errCurrency   = &sbError{8, "invalid_currency"}
	errMultiplier = &sbError{21, "invalid_custom_multiplier"}
	errCustomRate = &sbError{22, "invalid_custom_currency"}
)

// owner reads whose inventory is meant.
func owner(p params) (steamID string, err *sbError) {
	steamID = p.text("steam_id")
	switch {
	case !validSteamID(steamID):
		return "", errSteamID
	case len(p.text("trade_token")) != 8:
		return "", errTradeToken
	case !slices.Contains(sbGames, p.text("game")):
		return "", errGame
	}
	return steamID, nil
}

func validSteamID(s string) bool {
	return len(s) == 17 && strings.HasPrefix(s, "7656119") && number64(s) > 0
}

// currencyRate is units for a dollar, in millionths; 0 for a currency that is not
// known. None named means dollars.
func currencyRate(code string) (string, int64) {
	if code == "" {
		return "usd", million
	}
	for _, c := range currencies {
		if c.code == code {
			return code, c.rate
		}
	}
	return "", 0
}

// localPrices reads in which currency and how much dearer local prices are.
func localPrices(p params) (currency string, rate, multiplier int64, err *sbError) {
	multiplier = million
	if text := p.text("custom_multiplier"); text != "" {
		m, ok := parseMoney(text)
		if !ok || m < million/2 || m > 2*million {
			return "", 0, 0, errMultiplier
		}
		multiplier = m
	}
	if currency = p.text("custom_currency"); currency != "" {
		rate, ok := parseMoney(p.text("custom_currency_rate"))
		if !ok || rate < million/10 || len(currency) > 4 {
			return "", 0, 0, errCustomRate
		}
		return currency, rate, multiplier, nil
	}
	if currency, rate = currencyRate(p.text("currency")); rate == 0 {
		return "", 0, 0, errCurrency
	}
	return currency, rate, multiplier, nil
}

type sbAsset struct {
	Item struct {
		AssetID  string `json:"asset_id"`
		Tradable any    `json:"tradable"`
		AppID    string `json:"app_id"`
		IconURL  string `json:"icon_url"`
		ClassID  string `json:"class_id"`
	} `json:"item"`
	Name            string `json:"name"`
	Price           any    `json:"price"`
	Local           any    `json:"price_local"`
	LocalMultiplied any    `json:"multiplied_price_local"`
	Disabled        bool   `json:"disabled"`
}

var appIDs = map[string]string{cs2: "730", rust: "252490", dota2: "570"}

// sbInventory answers as the documentation shows it, or, where numbers are
// strings, as the clients that saw those have it: under data, with 1 and 0.
func (w *World) sbInventory(p params) (any, *sbError) {
	steamID, err := owner(p)
	if err != nil {
		return nil, err
	}
	currency, rate, multiplier, err := localPrices(p)
	if err != nil {
		return nil, err
	}
	type fields struct {
		Items    []sbAsset `json:"items"`
		Currency string    `json:"currency_local"`
	}
	answer := fields{[]sbAsset{}, currency}
	for _, a := range w.offerables(p.text("game"), steamID) {
		name, class := a.item.name, ""
		if a.listing != nil {
			name, class = a.listing.name, a.listing.classID()
		}
		price := w.credits(a)
		local := scale(price, rate)
		row := sbAsset{
			Name:            name,
			Price:           w.number(formatMoney(price)),
			Local:           w.number(formatMoney(local)),
			LocalMultiplied: w.number(formatMoney(scale(local, multiplier))),
			Disabled:        a.disabled,
		}
		row.Item.AssetID = a.id
		row.Item.AppID = appIDs[p.text("game")]
		row.Item.IconURL = "icon-" + class
		row.Item.ClassID = class
		row.Item.Tradable = a.tradable
		if w.cfg.NumberStrings {
			row.Item.Tradable = map[bool]int{true: 1}[a.tradable]
		}
		answer.Items = append(answer.Items, row)
	}
	if w.cfg.NumberStrings {
		return struct {
			Status string `json:"status"`
			Data   fields `json:"data"`
		}{"success", answer}, nil
	}
	return struct {
		Status string `json:"status"`
		fields
	}{"success", answer}, nil
}
