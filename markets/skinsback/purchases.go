package skinsback

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"skinarb/execution"
	"skinarb/fetch"
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
}

// Buy buys one thing for the configured recipient, at most once however it
// ends. Nil means bought and paid for, not delivered.
//
// Errors: *execution.RejectedError, the market refused and took no money;
// *execution.RetryLaterError, nothing happened. After any other error the
// outcome is open until GetInfoByCustomIDs tells it.
// https://skinsback.com/docs/api/v1/market_buy
func (c *Client) Buy(ctx context.Context, r BuyRequest) (Purchase, error) {
	if err := c.take(ctx, fetch.ForPurchase, c.cfg.Timeout); err != nil {
		return Purchase{}, fmt.Errorf("market_buy: %w: %w", &execution.RetryLaterError{After: unsentPause, Reason: "no permit"}, err)
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
	p := params{
		"partner":   c.cfg.Recipient.Partner,
		"token":     c.cfg.Recipient.Token,
		"max_price": r.MaxPrice.String(),
		"custom_id": r.CustomID,
	}
	if r.ID != "" {
		p["id"] = r.ID
	} else {
		p["name"], p["game"] = r.Name, string(r.Game)
	}
	var answer purchaseFields
	if err := c.purchase(ctx, p, wrote, &answer); err != nil {
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
	var answer purchaseList
	if err := c.read(ctx, "market_getinfo", params{by: ids}, &answer); err != nil {
		return nil, err
	}
	return answer.purchases("market_getinfo")
}

// maxPages bounds GetHistory: a hundred thousand purchases.
const maxPages = 100

// GetHistory gives every purchase made from one time to another, once each. The
// order is the market's, which is not documented.
//
// Errors are those of GetInfo; and pages that do not end.
// https://skinsback.com/docs/api/v1/market_history
func (c *Client) GetHistory(ctx context.Context, from, to time.Time) ([]Purchase, error) {
	var all []Purchase
	place := map[string]int{} // in all, by BuyID
	asked := map[text]bool{}  // cursors
	cursor := text("")
	for range maxPages {
		p := params{
			"starting": strconv.FormatInt(max(0, from.Unix()), 10),
			"ending":   strconv.FormatInt(max(0, to.Unix()), 10),
		}
		if cursor != "" {
			p["start_from"] = string(cursor)
		}
		var answer historyPage
		if err := c.read(ctx, "market_history", p, &answer); err != nil {
			return nil, err
		}
		page, err := answer.purchases("market_history")
		if err != nil {
			return nil, err
		}
		// A purchase made meanwhile may shift the pages, so that one comes again.
		for _, bought := range page {
			if i, ok := place[bought.BuyID]; ok && bought.BuyID != "" {
				all[i] = bought
				continue
			}
			place[bought.BuyID] = len(all)
			all = append(all, bought)
		}
		more, err := answer.HasMore.flag()
		switch {
		case err != nil:
			return nil, fmt.Errorf("market_history: has_more: %w", err)
		case !more:
			return all, nil
		}
		asked[cursor] = true
		if cursor = answer.StartFrom; asked[cursor] {
			return nil, errors.New("market_history: more pages are promised and none comes")
		}
	}
	return nil, fmt.Errorf("market_history: more than %d pages", maxPages)
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

// purchaseList is an answer with purchases. Items is nil when it has none, which
// is not the same as an empty list: that one says that nothing was found.
type purchaseList struct {
	Items *list[purchaseFields] `json:"items"`
}

func (l purchaseList) purchases(method string) ([]Purchase, error) {
	if l.Items == nil {
		return nil, fmt.Errorf("%s: the answer has no items", method)
	}
	all := make([]Purchase, 0, len(*l.Items))
	for _, f := range *l.Items {
		all = append(all, f.purchase())
	}
	return all, nil
}

type historyPage struct {
	purchaseList
	HasMore   text `json:"has_more"`
	StartFrom text `json:"start_from"`
}
