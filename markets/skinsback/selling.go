package skinsback

import (
	"context"
	"errors"
	"fmt"

	"skinarb/execution"
	"skinarb/pricing"
	"skinarb/selling"
)

var (
	_ selling.Market    = Shop{}
	_ selling.Inventory = Shop{}
)

// Shop is what selling asks of a market: items of one Steam account, which
// SkinsBack takes by a trade offer for the price that it names.
type Shop struct {
	c       *Client
	steamID string
}

// Shop gives the shop of the account that receives purchases, whose SteamID64 is
// given.
func (c *Client) Shop(steamID string) Shop { return Shop{c, steamID} }

// Market names the market.
func (s Shop) Market() pricing.Market { return pricing.SkinsBack }

// Assets gives the inventory of the account, with what SkinsBack pays now.
func (s Shop) Assets(ctx context.Context, g pricing.Game) ([]selling.Asset, error) {
	inv, err := s.c.GetInventory(ctx, InventoryRequest{Game: g, SteamID: s.steamID, TradeToken: s.c.cfg.Recipient.Token})
	if err != nil {
		return nil, err
	}
	assets := make([]selling.Asset, len(inv.Items))
	for i, it := range inv.Items {
		assets[i] = selling.Asset{ID: it.AssetID, Name: it.Name, Tradable: it.Tradable}
		if it.Sellable() {
			assets[i].Pays = it.Price
		}
	}
	return assets, nil
}

// List offers one asset to SkinsBack, which names the price again: it is in the
// word.
func (s Shop) List(ctx context.Context, l selling.Listing) (selling.Word, error) {
	sale, err := s.c.Sell(ctx, SellRequest{
		OrderID: string(l.ID), Game: l.Item.Game, SteamID: s.steamID, TradeToken: s.c.cfg.Recipient.Token, AssetIDs: []string{l.Goods},
	}, func() {})
	if err != nil {
		return selling.Word{}, err
	}
	return selling.Word{ID: l.ID, Event: selling.OnListed, Shown: true, MarketRef: sale.TransactionID, OfferID: sale.OfferID, Price: sale.USD}, nil
}

// errNoWithdrawal says what SkinsBack has no method for.
var errNoWithdrawal = errors.New("skinsback: a sale cannot be withdrawn; its trade offer can be declined on Steam")

// Withdraw always fails.
func (s Shop) Withdraw(context.Context, selling.Listing) error { return errNoWithdrawal }

// Look asks for one deposit after another. After an error the others have no
// word.
func (s Shop) Look(ctx context.Context, ls []selling.Listing) ([]selling.Word, []selling.Credit, error) {
	var words []selling.Word
	for _, l := range ls {
		d, err := s.c.GetDeposit(ctx, DepositRef{OrderID: string(l.ID)})
		switch {
		case errors.Is(err, execution.ErrNotFound):
			words = append(words, selling.Word{ID: l.ID})
		case err != nil:
			return words, nil, fmt.Errorf("look at %s on skinsback: %w", l.ID, err)
		default:
			words = append(words, d.word())
		}
	}
	return words, nil, nil
}

// saleEvents translates the states of a deposit. One that is not here is not
// known. With success, or when a hold was approved by a person, our balance has
// the money.
var saleEvents = map[DepositStatus]selling.Event{
	DepositPending:      selling.OnListed,
	DepositInHold:       selling.OnListed,
	DepositSuccess:      selling.OnSold,
	DepositHoldApproved: selling.OnSold,
	DepositFail:         selling.OnReturned,
	DepositHoldReturned: selling.OnReturned,
}

// word is a deposit in the words of selling.
func (d Deposit) word() selling.Word {
	w := selling.Word{
		ID: selling.ListingID(d.OrderID), Event: saleEvents[d.Status], Shown: true,
		MarketRef: d.TransactionID, Status: string(d.Status),
	}
	if w.Event == selling.OnSold {
		w.Proceeds, w.CreditRef = d.USD, d.TransactionID
	}
	return w
}
