package skinsback

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"skinarb/execution"
	"skinarb/pricing"
)

// InventoryRequest says whose items are asked for. Game, SteamID and TradeToken
// are needed. The other fields change local prices only, never Price; zero ones
// are not sent.
type InventoryRequest struct {
	Game       pricing.Game
	SteamID    string // SteamID64
	TradeToken string // 8 characters of the trade URL

	Currency   string          // of local prices, as GetCurrencies has it
	Multiplier decimal.Decimal // of local prices, LeastMultiplier to MostMultiplier
	// CustomCurrency is one of our own, up to MaxCustomCurrency characters, at
	// CustomRate, at least LeastCustomRate. Neither goes without the other.
	CustomCurrency string
	CustomRate     decimal.Decimal
}

// MaxCustomCurrency is how long a CustomCurrency can be, in bytes.
const MaxCustomCurrency = 4

// Bounds of the numbers in an InventoryRequest, inclusive.
var (
	LeastMultiplier = decimal.New(5, -1)
	MostMultiplier  = decimal.New(2, 0)
	LeastCustomRate = decimal.New(1, -1)
)

// Inventory is what somebody could give to SkinsBack.
type Inventory struct {
	Items    []InventoryItem
	Currency string // of local prices
	Rejected int    // items without an asset ID, which cannot be named and are left out
}

// InventoryItem is one thing in an inventory. Fields that were not told, or cannot
// be read, are zero.
type InventoryItem struct {
	AssetID string // of Steam, names it in SellRequest; it changes with every trade
	AppID   string
	ClassID string
	IconURL string
	Name    string // the market's own spelling
	// Price is what SkinsBack credits for it, in dollars, digits beyond the sixth
	// rounded down. That it is in dollars is seen in clients.
	Price pricing.Money
	// Local is Price in Inventory.Currency, and LocalMultiplied that times the
	// multiplier.
	Local, LocalMultiplied decimal.Decimal
	Tradable               bool // by Steam's rules, now; false when not told
	Disabled               bool // SkinsBack does not take it; true when told in no way we know
}

// Sellable tells whether SkinsBack would take the item now, for money.
func (i InventoryItem) Sellable() bool { return i.Tradable && !i.Disabled && i.Price > 0 }

// GetInventory gives the items of a Steam account in one game, with what SkinsBack
// credits for each.
//
// Errors: *execution.RetryLaterError, *APIError, *AnswerError, or the network's;
// and a request that cannot be right, which is not sent. The fields are
// documented, but there at the top of the answer, while a client finds them
// under data: both are read. Its errors are not documented.
// https://skinsback.com/docs/api/v1/user_inventory
func (c *Client) GetInventory(ctx context.Context, r InventoryRequest) (Inventory, error) {
	if err := r.check(); err != nil {
		return Inventory{}, fmt.Errorf("user_inventory: %w", err)
	}
	p := params{"game": string(r.Game), "steam_id": r.SteamID, "trade_token": r.TradeToken}
	p.tell("currency", r.Currency)
	p.tell("custom_currency", r.CustomCurrency)
	if !r.Multiplier.IsZero() {
		p["custom_multiplier"] = r.Multiplier.String()
	}
	if !r.CustomRate.IsZero() {
		p["custom_currency_rate"] = r.CustomRate.String()
	}
	var answer inventoryAnswer
	if err := c.read(ctx, "user_inventory", p, &answer); err != nil {
		return Inventory{}, err
	}
	return answer.inventory()
}

// tell adds a parameter unless it is empty.
func (p params) tell(name, value string) {
	if value != "" {
		p[name] = value
	}
}

func (r InventoryRequest) check() error {
	m := r.Multiplier
	switch {
	case r.Game == "" || !validSteamID(r.SteamID) || !validToken(r.TradeToken):
		return errors.New("the game, a SteamID64 or a trade token is missing or malformed")
	case !m.IsZero() && (m.LessThan(LeastMultiplier) || m.GreaterThan(MostMultiplier)):
		return fmt.Errorf("the multiplier is not from %s to %s", LeastMultiplier, MostMultiplier)
	case len(r.CustomCurrency) > MaxCustomCurrency:
		return fmt.Errorf("the custom currency is longer than %d characters", MaxCustomCurrency)
	case (r.CustomCurrency != "") != r.CustomRate.IsPositive(), r.CustomRate.IsPositive() && r.CustomRate.LessThan(LeastCustomRate):
		return fmt.Errorf("a custom currency needs a custom rate of at least %s, and the other way round", LeastCustomRate)
	}
	return nil
}

// inventoryAnswer is the answer with its fields at either place.
type inventoryAnswer struct {
	inventoryFields
	Data object[inventoryFields] `json:"data"`
}

type inventoryFields struct {
	items[itemFields]
	Currency text `json:"currency_local"`
}

type itemFields struct {
	Item object[struct {
		AssetID  text `json:"asset_id"`
		Tradable text `json:"tradable"`
		AppID    text `json:"app_id"`
		IconURL  text `json:"icon_url"`
		ClassID  text `json:"class_id"`
	}] `json:"item"`
	Name            text `json:"name"`
	Price           text `json:"price"`
	Local           text `json:"price_local"`
	LocalMultiplied text `json:"multiplied_price_local"`
	Disabled        text `json:"disabled"`
}

func (a inventoryAnswer) inventory() (Inventory, error) {
	f := a.inventoryFields
	if a.Data.Told {
		f = a.Data.Value
	}
	all, err := each(f.items, "user_inventory", itemFields.item)
	if err != nil {
		return Inventory{}, err
	}
	named := slices.DeleteFunc(all, func(i InventoryItem) bool { return i.AssetID == "" })
	return Inventory{named, strings.ToLower(string(f.Currency)), len(*f.Items) - len(named)}, nil
}

func (f itemFields) item() InventoryItem {
	it := f.Item.Value
	tradable, err := it.Tradable.flag()
	price, _ := f.Price.proceeds()
	disabled, odd := f.Disabled.flag()
	return InventoryItem{
		AssetID:         string(it.AssetID),
		AppID:           string(it.AppID),
		ClassID:         string(it.ClassID),
		IconURL:         string(it.IconURL),
		Name:            string(f.Name),
		Price:           price,
		Local:           f.Local.decimal(),
		LocalMultiplied: f.LocalMultiplied.decimal(),
		Tradable:        tradable && err == nil,
		Disabled:        disabled || odd != nil,
	}
}

// SellRequest says which items of an inventory are offered to SkinsBack. All of
// them are needed but Currency and ResultURL.
type SellRequest struct {
	OrderID    string // ours, never used before: see DepositRequest
	Game       pricing.Game
	SteamID    string // SteamID64 of the owner
	TradeToken string // 8 characters of the owner's trade URL
	AssetIDs   []string

	Currency  string // of local sums
	ResultURL string // for the callback; empty means the setting of the project
}

// Sale is a trade offer by which SkinsBack takes items. Nothing has changed hands
// yet: the owner has to accept the offer on Steam before it expires, and may
// leave it when USD is too little. GetDeposit tells what becomes of it.
type Sale struct {
	TransactionID string // SkinsBack's
	OrderID       string // ours
	// USD is what our balance will be credited, digits beyond the sixth rounded
	// down; zero when not told.
	USD pricing.Money
	// Local is the same in LocalCurrency, and LocalMultiplied that times the
	// multiplier of the project.
	Local, LocalMultiplied decimal.Decimal
	LocalCurrency          string
	OfferID                string // of Steam
	OfferExpires           time.Time
	BotSteamID, BotName    string // who makes the offer: to be compared before accepting
}

// MaxSale is how many items Sell offers at once at most. What SkinsBack allows is
// not documented.
const MaxSale = 100

// Sell offers items of an inventory to SkinsBack, at most once however it ends. It
// makes a deposit without SkinsBack's page. wrote is as of BuyMany.
//
// Errors: *execution.RejectedError, there is no offer; *execution.RetryLaterError,
// nothing happened. After any other error, that the OrderID has a deposit already
// among them, the offer may be there until GetDeposit, asked by OrderID, tells.
//
// Parameters and answer are documented, of the errors only the one for a taken
// OrderID; any that is not known decides nothing.
// https://skinsback.com/docs/api/v1/create_from_user_inventory
func (c *Client) Sell(ctx context.Context, r SellRequest, wrote func()) (Sale, error) {
	const method = "create_from_user_inventory"
	said := sayOnce(wrote)
	defer said()
	if reason := r.unfit(); reason != "" {
		return Sale{}, fmt.Errorf("%s: %w", method, &execution.RejectedError{Reason: reason})
	}
	p := params{
		"order_id":       r.OrderID,
		"game":           string(r.Game),
		"steam_id":       r.SteamID,
		"trade_token":    r.TradeToken,
		"item_asset_ids": r.AssetIDs,
	}
	p.tell("currency", r.Currency)
	p.tell("result_url", r.ResultURL)
	if err := c.permit(ctx, method); err != nil {
		return Sale{}, err
	}
	var answer saleAnswer
	if err := c.once(ctx, method, p, said, &answer); err != nil {
		return Sale{}, err
	}
	return answer.sale(r.OrderID)
}

func (r SellRequest) unfit() (reason string) {
	switch {
	case !validOrderID(r.OrderID):
		return "invalid_order_id"
	case !validSteamID(r.SteamID):
		return "invalid_steam_id"
	case !validToken(r.TradeToken):
		return "invalid_trade_token"
	case r.Game == "" || len(r.AssetIDs) == 0:
		return "missing_game_or_items"
	case len(r.AssetIDs) > MaxSale:
		return "too_many_items"
	}
	asked := map[string]bool{}
	for _, id := range r.AssetIDs {
		if !digits(id) || asked[id] {
			return "malformed_or_repeated_asset_id"
		}
		asked[id] = true
	}
	return ""
}

type saleAnswer struct {
	Data object[saleFields] `json:"data"`
}

type saleFields struct {
	TransactionID   text `json:"transaction_id"`
	Sum             text `json:"sum"`
	Local           text `json:"local_sum"`
	LocalMultiplied text `json:"local_sum_multiplied"`
	LocalCurrency   text `json:"local_currency"`
	OfferID         text `json:"trade_offer_id"`
	OfferExpires    text `json:"trade_offer_expiry_at"`
	BotSteamID      text `json:"bot_steam_id"`
	BotName         text `json:"bot_name"`
}

func (a saleAnswer) sale(orderID string) (Sale, error) {
	f := a.Data.Value
	if f.TransactionID == "" {
		return Sale{}, errors.New("create_from_user_inventory: the answer says success and has no transaction_id")
	}
	usd, _ := f.Sum.proceeds()
	return Sale{
		TransactionID:   string(f.TransactionID),
		OrderID:         orderID,
		USD:             usd,
		Local:           f.Local.decimal(),
		LocalMultiplied: f.LocalMultiplied.decimal(),
		LocalCurrency:   strings.ToLower(string(f.LocalCurrency)),
		OfferID:         string(f.OfferID),
		OfferExpires:    f.OfferExpires.iso(),
		BotSteamID:      string(f.BotSteamID),
		BotName:         string(f.BotName),
	}, nil
}
