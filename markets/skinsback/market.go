package skinsback

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"skinarb/execution"
	"skinarb/pricing"
)

// The methods in this file are what execution asks of a market. SkinsBack tells
// neither refunds nor Steam's trade protection, so their evidence has none. A
// debit above the price that was allowed is passed on as told.
var (
	_ execution.Batcher    = (*Client)(nil)
	_ execution.Bookkeeper = (*Client)(nil)
)

// Bookings is empty: SkinsBack has no account book that can be read by purchase.
// Its balance is compared all the same.
func (c *Client) Bookings(context.Context, time.Time) ([]execution.Booking, error) { return nil, nil }

// Check searches for the lots of an item and gives the cheapest ask, its lot in
// ListingID, and their number. An item of unknown phase is never offered.
func (c *Client) Check(ctx context.Context, it pricing.Item, marketName string) (execution.Offer, error) {
	if it.Phase == pricing.UnknownPhase {
		return execution.Offer{}, fmt.Errorf("check %s on skinsback: its phase is not known: %w", it, execution.ErrNotOffered)
	}
	found, err := c.Search(ctx, it.Game, marketName)
	if err != nil {
		return execution.Offer{}, fmt.Errorf("check %s on skinsback: %w", it, err)
	}
	offer, ok := cheapest(it, found)
	if !ok {
		return execution.Offer{}, fmt.Errorf("check %s on skinsback: %w", it, execution.ErrNotOffered)
	}
	return offer, nil
}

// cheapest gives the offer of an item among lots.
func cheapest(it pricing.Item, found []Lot) (execution.Offer, bool) {
	offers := lotsOf(it, found)
	if len(offers) == 0 {
		return execution.Offer{}, false
	}
	best := offers[0]
	best.Count = len(offers)
	return best, true
}

// lotsOf gives the lots of an item, the cheapest first. Of a lot that comes twice,
// the row that tells the phase counts; one that is told to have two different
// phases could be either, and is left out.
func lotsOf(it pricing.Item, found []Lot) []execution.Offer {
	asks := map[string]pricing.Money{} // of it, by lot
	other := map[string]bool{}         // lots that are something else
	for _, lot := range found {
		switch is, err := pricing.ParseItem(it.Game, lot.Name, ""); {
		case err != nil || is.Phase == pricing.UnknownPhase:
		case is == it:
			asks[lot.ID] = max(asks[lot.ID], lot.Ask)
		default:
			other[lot.ID] = true
		}
	}
	var offers []execution.Offer
	for id, ask := range asks {
		if !other[id] {
			offers = append(offers, execution.Offer{Ask: ask, Count: 1, ListingID: id})
		}
	}
	slices.SortFunc(offers, func(a, b execution.Offer) int {
		return cmp.Or(cmp.Compare(a.Ask, b.Ask), cmp.Compare(a.ListingID, b.ListingID))
	})
	return offers
}

// Place buys: an item with a phase by lot, since its name may not tell, and
// everything else by name, since another lot may be as cheap when that one is gone.
// It takes no permit: its caller has.
func (c *Client) Place(ctx context.Context, o execution.Order, offer execution.Offer, wrote func()) (execution.Evidence, error) {
	var once sync.Once
	said := func() { once.Do(wrote) }
	defer said()

	to, err := recipient(o)
	if err != nil {
		return execution.Evidence{}, fmt.Errorf("place %s on skinsback: %w", o.ID, err)
	}
	c = c.hiding(to.Token)
	r := BuyRequest{Name: o.MarketName, Game: o.Item.Game, MaxPrice: o.Ask, CustomID: string(o.ID), Recipient: to}
	if o.Item.IsDoppler() {
		if r.ID = offer.ListingID; r.ID == "" || o.Item.Phase == pricing.UnknownPhase {
			return execution.Evidence{}, fmt.Errorf("place %s on skinsback: %w", o.ID, &execution.RejectedError{Reason: "no_listing_of_this_phase"})
		}
	}
	bought, err := c.buy(ctx, r, said)
	if err != nil {
		return execution.Evidence{}, fmt.Errorf("place %s on skinsback: %w", o.ID, err)
	}
	return c.placed(bought), nil
}

// recipient gives who gets an order, if it is not for us. One for a buyer of whom
// something is missing is refused: without anything it would be delivered to us.
func recipient(o execution.Order) (Recipient, error) {
	to := Recipient{Partner: o.Buyer.To.Partner, Token: o.Buyer.To.Token}
	if o.Buyer.Ref != "" && (to.Partner == "" || to.Token == "") {
		return to, &execution.RejectedError{Reason: "buyer_without_recipient"}
	}
	return to, nil
}

// tokensOf gives the trade tokens of those whom orders are for.
func tokensOf(orders ...execution.Order) []string {
	tokens := make([]string, len(orders))
	for i, o := range orders {
		tokens[i] = o.Buyer.To.Token
	}
	return tokens
}

// placed is the evidence of an answer that says success: the money is taken,
// whatever the state is called.
func (c *Client) placed(bought Purchase) execution.Evidence {
	e := c.evidence(bought)
	if e.Event == "" {
		e.Event = execution.OnPlaced
	}
	return e
}

// Lookup asks for a purchase by our ID.
func (c *Client) Lookup(ctx context.Context, o execution.Order) (execution.Evidence, error) {
	c = c.hiding(tokensOf(o)...)
	found, err := c.GetInfoByCustomIDs(ctx, []string{string(o.ID)})
	if err == nil && len(found) == 0 {
		err = execution.ErrNotFound
	}
	if err != nil {
		return execution.Evidence{}, fmt.Errorf("look up %s on skinsback: %w", o.ID, err)
	}
	for _, bought := range found {
		if bought.CustomID == string(o.ID) {
			return c.evidence(bought), nil
		}
	}
	// Something was found, and may be the order: it must not be sent again.
	return execution.Evidence{}, fmt.Errorf("look up %s on skinsback: the answer is about another custom_id", o.ID)
}

// trackChunk is how many purchases are asked for at once. The most that
// SkinsBack allows is not documented.
const trackChunk = 50

// Track asks for many purchases, 50 at a time. When a request fails, the
// evidence gathered before comes with the error.
func (c *Client) Track(ctx context.Context, orders []execution.Order) ([]execution.Evidence, error) {
	var news []execution.Evidence
	for len(orders) > 0 {
		chunk := orders[:min(trackChunk, len(orders))]
		orders = orders[len(chunk):]
		c := c.hiding(tokensOf(chunk...)...)
		ids, asked := make([]string, len(chunk)), make(map[string]bool, len(chunk))
		for i, o := range chunk {
			ids[i], asked[string(o.ID)] = string(o.ID), true
		}
		found, err := c.GetInfoByCustomIDs(ctx, ids)
		if err != nil && !errors.Is(err, execution.ErrNotFound) {
			return news, fmt.Errorf("track %d orders on skinsback: %w", len(chunk), err)
		}
		for _, bought := range found {
			if asked[bought.CustomID] {
				news = append(news, c.evidence(bought))
			}
		}
	}
	return news, nil
}

// clockSlack is how far the market's clock may be ahead of ours.
const clockSlack = time.Hour

// History gives every purchase of the account since a time.
func (c *Client) History(ctx context.Context, since time.Time) ([]execution.Evidence, error) {
	all, err := c.GetHistory(ctx, since, c.cfg.Now().Add(clockSlack))
	if err != nil {
		return nil, fmt.Errorf("history of skinsback: %w", err)
	}
	evidence := make([]execution.Evidence, len(all))
	for i, bought := range all {
		evidence[i] = c.evidence(bought)
	}
	return evidence, nil
}

// Balance gives the dollars that can be spent. That SkinsBack's two figures
// disagree goes to the log.
func (c *Client) Balance(ctx context.Context) (pricing.Money, error) {
	b, err := c.GetBalance(ctx)
	if err != nil {
		return 0, fmt.Errorf("balance of skinsback: %w", err)
	}
	if b.Disagree {
		c.cfg.Log.WarnContext(ctx, "SkinsBack's balance in dollars is not its plain balance: is the account in dollars?",
			"usd", b.USD.String(), "plain", b.Plain.String())
	}
	return b.USD, nil
}

// events translates states. One that is not here is not known.
var events = map[OfferStatus]execution.Event{
	CreatingTrade:     execution.OnPlaced,
	WaitingAccept:     execution.OnDelivering,
	Accepted:          execution.OnDelivered,
	Canceled:          execution.OnFailed,
	Timeout:           execution.OnFailed,
	InvalidTradeToken: execution.OnFailed,
	UserNotTradable:   execution.OnFailed,
	TradeCreateError:  execution.OnFailed,
	RollbackUser:      execution.OnRolledBack,
	RollbackSupplier:  execution.OnRolledBack,
}

func (c *Client) evidence(p Purchase) execution.Evidence {
	return execution.Evidence{
		ID:         execution.OrderID(p.CustomID),
		MarketRef:  p.BuyID,
		Event:      events[p.OfferStatus],
		Status:     c.clean(string(p.OfferStatus), 100),
		MarketName: p.Name,
		Paid:       p.Debited,
		OfferID:    p.TradeOfferID,
		Error:      c.clean(p.ErrorReason, 200),
		At:         p.At,
	}
}
