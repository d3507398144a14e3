package sih

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"skinarb/execution"
	"skinarb/fetch"
	"skinarb/pricing"
)

// Statuses of an order. More may come: an unknown one is no reason to act.
const (
	StatusCreated    = "created"    // accepted, an item is being looked for
	StatusProcessing = "processing" // the seller must send the offer; may come again after sent
	StatusSent       = "sent"       // the trade offer is out
	StatusFinished   = "finished"   // the recipient accepted
	StatusFailed     = "failed"     // see Error
	StatusPenalized  = "penalized"  // failed, and a penalty was kept
)

// Statuses of an order's trade protection.
const (
	ProtectionProcessing = "processing" // it runs
	ProtectionFinished   = "finished"   // over, the trade is safe
	ProtectionFailed     = "failed"     // a side reversed the trade
)

// Order is a purchase as SIH tells it. Zero values were not told.
type Order struct {
	ID       int64
	CustomID string // ours
	SteamID  string // the recipient
	Item     string
	Amount   pricing.Money // what we offered
	Expected pricing.Money // expectedAmount: most likely the real price
	Status   string        // one of the Status constants, or new
	Error    string        // why it failed

	OfferID       string // Steam trade offer
	OfferDeadline time.Time

	Protection      string // one of the Protection constants, or new; empty before delivery
	ProtectionError string // "rollback user" or "rollback supplier"
	RollbackAt      time.Time
	RollbackAmount  pricing.Money // what came back when the trade was reversed

	Created, Updated time.Time
}

// wireOrder is the order object of get-order, get-orders, get-order-history and
// of a duplicate, which lacks expectedAmount and protection.
type wireOrder struct {
	ID       text           `json:"id"`
	CustomID text           `json:"customId"`
	SteamID  text           `json:"steamId"`
	Item     text           `json:"item"`
	Amount   text           `json:"amount"`
	Expected optional[text] `json:"expectedAmount"`
	Status   string         `json:"status"`
	Error    optional[text] `json:"error"`
	Sender   optional[struct {
		OfferID text           `json:"offerId"`
		Timeout optional[text] `json:"timeout"`
	}] `json:"sender"`
	Protection struct {
		Status         text           `json:"status"`
		Error          optional[text] `json:"error"`
		RollbackAt     optional[text] `json:"rollbackAt"`
		RollbackAmount optional[text] `json:"rollbackAmount"`
	} `json:"protection"`
	Created optional[text] `json:"created"`
	Updated optional[text] `json:"updated"`
}

// order reads one order. Without an id, a status and an amount it says nothing
// that money could be booked on.
func (c *Client) order(w wireOrder) (Order, error) {
	id, ok := w.ID.integer()
	if !ok || id <= 0 {
		return Order{}, errors.New("an order without an id")
	}
	amount, ok := w.Amount.money()
	if !ok || amount < 0 {
		return Order{}, fmt.Errorf("order %d has no readable amount", id)
	}
	if w.Status == "" {
		return Order{}, fmt.Errorf("order %d has no status", id)
	}
	return Order{
		ID:              id,
		CustomID:        string(w.CustomID),
		SteamID:         string(w.SteamID),
		Item:            string(w.Item),
		Amount:          amount,
		Expected:        told(w.Expected.V),
		Status:          c.clean(w.Status),
		Error:           c.clean(string(w.Error.V)),
		OfferID:         c.clean(string(w.Sender.V.OfferID)),
		OfferDeadline:   w.Sender.V.Timeout.V.time(),
		Protection:      c.clean(string(w.Protection.Status)),
		ProtectionError: c.clean(string(w.Protection.Error.V)),
		RollbackAt:      w.Protection.RollbackAt.V.time(),
		RollbackAmount:  told(w.Protection.RollbackAmount.V),
		Created:         w.Created.V.time(),
		Updated:         w.Updated.V.time(),
	}, nil
}

// told gives a positive amount, or 0 for one that was not told.
func told(t text) pricing.Money {
	m, _ := t.money()
	return max(m, 0)
}

// GetOrder asks for one order by SIH's id, or by our customId if id is 0 (GET
// /get-order). An order that SIH does not know is execution.ErrNotFound; every
// other error means that it said nothing.
func (c *Client) GetOrder(ctx context.Context, id int64, customID string) (Order, error) {
	query := url.Values{}
	if id != 0 {
		query.Set("id", strconv.FormatInt(id, 10))
	} else {
		query.Set("customId", customID)
	}
	var o Order
	err := c.read(ctx, request{path: "get-order", query: query, class: fetch.ForStatus}, func(a *answer) (err error) {
		o, err = c.decodeOrder(a)
		return err
	})
	if isNotFound(err) {
		err = fmt.Errorf("%w (%w)", execution.ErrNotFound, err)
	}
	if err == nil && (id != 0 && o.ID != id || id == 0 && o.CustomID != customID) {
		return Order{}, fmt.Errorf("sih get-order: asked for order %d %q, got %d %q", id, customID, o.ID, c.clean(o.CustomID))
	}
	return o, err
}

func (c *Client) decodeOrder(a *answer) (Order, error) {
	var in struct {
		Order *wireOrder `json:"order"`
	}
	if err := c.decode(a, &in); err != nil {
		return Order{}, err
	}
	if in.Order == nil {
		return Order{}, c.unreadable(a, errors.New("no order in it"))
	}
	o, err := c.order(*in.Order)
	if err != nil {
		return Order{}, c.unreadable(a, err)
	}
	return o, nil
}

// MaxBatch is how many orders GetOrders asks for at once. SIH names no maximum.
const MaxBatch = 100

// GetOrders asks for up to MaxBatch orders by SIH's ids and our customIds (POST
// /get-orders). They come in any order, and those that SIH does not know are
// missing.
func (c *Client) GetOrders(ctx context.Context, ids []int64, customIDs []string) ([]Order, error) {
	if n := len(ids) + len(customIDs); n > MaxBatch {
		return nil, fmt.Errorf("sih get-orders: %d orders asked for, at most %d are allowed", n, MaxBatch)
	}
	// Empty lists, not null.
	payload := struct {
		IDs       []int64  `json:"ids"`
		CustomIDs []string `json:"customIds"`
	}{append([]int64{}, ids...), append([]string{}, customIDs...)}
	var orders []Order
	err := c.read(ctx, request{path: "get-orders", payload: payload, class: fetch.ForStatus}, func(a *answer) (err error) {
		orders, _, err = c.decodeOrders(a)
		return err
	})
	return orders, err
}

// GetOrderHistory asks for every order since a time, or all of them if since is
// zero, and those whose time was not told (GET /get-order-history). Each comes
// once, in the order in which SIH tells them. An account with more than maxPages
// pages of orders is an error, unless they come newest first and reach since.
func (c *Client) GetOrderHistory(ctx context.Context, since time.Time) ([]Order, error) {
	return collect(since, func(offset int) (page[Order], error) {
		var p page[Order]
		query := url.Values{"limit": {strconv.Itoa(pageSize)}, "offset": {strconv.Itoa(offset)}}
		err := c.read(ctx, request{path: "get-order-history", query: query, class: fetch.ForStatus}, func(a *answer) (err error) {
			p.rows, p.count, err = c.decodeOrders(a)
			return err
		})
		return p, err
	}, func(o Order) (int64, time.Time) { return o.ID, o.Created })
}

// decodeOrders reads a list of orders, and the count of all there are if the
// answer is a page. One unreadable order spoils the list: it may be a purchase
// that we know nothing of.
func (c *Client) decodeOrders(a *answer) ([]Order, int, error) {
	var in struct {
		Orders     *[]wireOrder         `json:"orders"`
		Pagination optional[pagination] `json:"pagination"`
	}
	if err := c.decode(a, &in); err != nil {
		return nil, 0, err
	}
	if in.Orders == nil {
		return nil, 0, c.unreadable(a, errors.New("no orders in it"))
	}
	orders := make([]Order, 0, len(*in.Orders))
	for _, w := range *in.Orders {
		o, err := c.order(w)
		if err != nil {
			return nil, 0, c.unreadable(a, err)
		}
		orders = append(orders, o)
	}
	return orders, in.Pagination.V.total(), nil
}
