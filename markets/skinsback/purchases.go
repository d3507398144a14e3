package skinsback

import (
	"context"
	"errors"
	"fmt"
	"time"

	"skinarb/execution"
	"skinarb/pricing"
)

// OfferStatus is how far a purchase is. SkinsBack may send others than these.
type OfferStatus string

// The states that are documented. All but the last two follow a purchase in
// this order or end it; those two reverse an accepted one within Steam's trade
// protection.
// https://skinsback.com/docs/api/v1/market_history
const (
	CreatingTrade     OfferStatus = "creating_trade"
	WaitingAccept     OfferStatus = "waiting_accept"
	Accepted          OfferStatus = "accepted"
	Canceled          OfferStatus = "canceled"
	Timeout           OfferStatus = "timeout" // not accepted within 10 minutes
	InvalidTradeToken OfferStatus = "invalid_trade_token"
	UserNotTradable   OfferStatus = "user_not_tradable"
	TradeCreateError  OfferStatus = "trade_create_error"
	RollbackUser      OfferStatus = "rollback_user"
	RollbackSupplier  OfferStatus = "rollback_supplier"
)

// Purchase is a purchase as SkinsBack tells it. Fields that were not told, or
// cannot be read, are zero.
type Purchase struct {
	BuyID        string
	CustomID     string // ours; empty for purchases made without one
	ItemID       string
	Name         string
	Price        pricing.Money // of the item
	Debited      pricing.Money // taken from the balance; refunds are not told
	OfferStatus  OfferStatus
	SteamID      string // of the recipient
	TradeOfferID string // empty until the trade exists
	ErrorReason  string
	At           time.Time // when it was made
}

// BuyRequest says what to buy: the lot with ID, or else the cheapest of Name.
type BuyRequest struct {
	ID   string
	Name string // the market's exact spelling, at least three characters
	Game pricing.Game

	MaxPrice pricing.Money // the most that it may cost, inclusive; needed
	CustomID string        // ours, never used before; needed

	Recipient Recipient // who gets it; zero: the configured one
}

// recipient gives who gets what is bought.
func (c *Client) recipient(wanted Recipient) Recipient {
	if wanted == (Recipient{}) {
		return c.cfg.Recipient
	}
	return wanted
}

// Buy buys one thing, at most once however it ends. Nil means bought and paid for, not delivered.
//
// Errors: *execution.RejectedError, the market refused and took no money;
// *execution.RetryLaterError, nothing happened. After any other error the
// outcome is open until GetInfoByCustomIDs tells it.
// https://skinsback.com/docs/api/v1/market_buy
func (c *Client) Buy(ctx context.Context, r BuyRequest) (Purchase, error) {
	if err := c.permit(ctx, "market_buy"); err != nil {
		return Purchase{}, err
	}
	return c.buy(ctx, r, func() {})
}

// buy is Buy without a permit. wrote is called as soon as no further byte of
// the request can leave, if it ever left.
func (c *Client) buy(ctx context.Context, r BuyRequest, wrote func()) (Purchase, error) {
	if r.MaxPrice <= 0 || r.CustomID == "" {
		// SkinsBack would buy at any price, or twice.
		return Purchase{}, fmt.Errorf("market_buy: %w", &execution.RejectedError{Reason: "missing_max_price_or_custom_id"})
	}
	c = c.hiding(r.Recipient.Token)
	to := c.recipient(r.Recipient)
	p := params{
		"partner":   to.Partner,
		"token":     to.Token,
		"max_price": r.MaxPrice.String(),
		"custom_id": r.CustomID,
	}
	if r.ID != "" {
		p["id"] = r.ID
	} else {
		p["name"], p["game"] = r.Name, string(r.Game)
	}
	var answer purchaseFields
	if err := c.once(ctx, "market_buy", p, wrote, &answer); err != nil {
		return Purchase{}, err
	}
	bought := answer.purchase()
	switch {
	case bought.BuyID == "":
		return Purchase{}, errors.New("market_buy: the answer says success and has no buy_id")
	case bought.CustomID == "":
		bought.CustomID = r.CustomID // whether it is echoed is not documented
	case bought.CustomID != r.CustomID:
		return Purchase{}, errors.New("market_buy: the answer is about another custom_id")
	}
	return bought, nil
}

// GetInfo gives the purchase with SkinsBack's own ID.
//
// Errors, here and in the methods below: execution.ErrNotFound,
// *execution.RetryLaterError, *APIError, *AnswerError, or the network's.
// https://skinsback.com/docs/api/v1/market_getinfo
func (c *Client) GetInfo(ctx context.Context, buyID string) (Purchase, error) {
	var answer purchaseFields
	if err := c.read(ctx, "market_getinfo", params{"buy_id": buyID}, &answer); err != nil {
		return Purchase{}, err
	}
	if string(answer.BuyID) != buyID {
		return Purchase{}, errors.New("market_getinfo: the answer is about another buy_id")
	}
	return answer.purchase(), nil
}

// GetInfoMany gives the purchases with SkinsBack's own IDs. How many it takes at
// once is not documented; 50 are safe to assume. Unknown ones are left out.
func (c *Client) GetInfoMany(ctx context.Context, buyIDs []string) ([]Purchase, error) {
	return c.getInfo(ctx, "buy_ids", buyIDs)
}

// GetInfoByCustomIDs is GetInfoMany by the IDs that we gave.
func (c *Client) GetInfoByCustomIDs(ctx context.Context, customIDs []string) ([]Purchase, error) {
	return c.getInfo(ctx, "custom_ids", customIDs)
}

func (c *Client) getInfo(ctx context.Context, by string, ids []string) ([]Purchase, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var answer items[purchaseFields]
	if err := c.read(ctx, "market_getinfo", params{by: ids}, &answer); err != nil {
		return nil, err
	}
	return each(answer, "market_getinfo", purchaseFields.purchase)
}

// GetHistory gives every purchase made from one time to another, once each. The
// order is the market's, which is not documented.
//
// Errors are those of GetInfo; and pages that do not end.
// https://skinsback.com/docs/api/v1/market_history
func (c *Client) GetHistory(ctx context.Context, from, to time.Time) ([]Purchase, error) {
	return allPages(ctx, c, "market_history", within(from, to), purchaseFields.purchase, func(p Purchase) string { return p.BuyID })
}

// purchaseFields is a purchase as sent.
type purchaseFields struct {
	Item object[struct {
		ID    text `json:"id"`
		Name  text `json:"name"`
		Price text `json:"price"`
	}] `json:"item"`
	BuyID        text `json:"buy_id"`
	CustomID     text `json:"custom_id"`
	OfferStatus  text `json:"offer_status"`
	Debited      text `json:"balance_debited_sum"`
	SteamID      text `json:"steamid"`
	TradeOfferID text `json:"tradeofferid"`
	ErrorReason  text `json:"error_reason"`
	Date         text `json:"date"`
}

func (f purchaseFields) purchase() Purchase {
	return Purchase{
		BuyID:        string(f.BuyID),
		CustomID:     string(f.CustomID),
		ItemID:       string(f.Item.Value.ID),
		Name:         string(f.Item.Value.Name),
		Price:        f.Item.Value.Price.amount(),
		Debited:      f.Debited.amount(),
		OfferStatus:  OfferStatus(f.OfferStatus),
		SteamID:      string(f.SteamID),
		TradeOfferID: string(f.TradeOfferID),
		ErrorReason:  string(f.ErrorReason),
		At:           f.Date.unix(),
	}
}
