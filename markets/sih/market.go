package sih

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"skinarb/execution"
	"skinarb/pricing"
)

// Check asks for the lowest ask of an item now. An entry under another name than
// the one asked for counts only if it is the only one and the same item.
func (c *Client) Check(ctx context.Context, it pricing.Item, marketName string) (execution.Offer, error) {
	if it.Phase == pricing.UnknownPhase {
		return execution.Offer{}, fmt.Errorf("sih: check %q: a phase that is not told cannot be bought: %w", it.Name, execution.ErrNotOffered)
	}
	cat, err := c.minItem(ctx, it.Game, marketName)
	switch {
	case isNotFound(err):
		return execution.Offer{}, fmt.Errorf("%w (%w)", execution.ErrNotOffered, err)
	case err != nil:
		return execution.Offer{}, err
	case len(cat.rejected) > 0:
		return execution.Offer{}, fmt.Errorf("sih get-min-item: cannot read what it offers for %q: %v", marketName, cat.rejected)
	}
	for _, l := range cat.found.Listings {
		if l.Item == it && (l.MarketName == marketName || cat.rows == 1) {
			return execution.Offer{Ask: l.Ask, Count: l.Count}, nil
		}
	}
	return execution.Offer{}, fmt.Errorf("sih: check %q: %w", marketName, execution.ErrNotOffered)
}

// Place buys o for at most o.Ask, which is booked in full: SIH gives back later
// what the item cost less. An order that SIH has already under o.ID is ours and
// its state is the evidence, unless it is not what we ask for now: then the
// outcome is unknown, and a person has to look.
func (c *Client) Place(ctx context.Context, o execution.Order, _ execution.Offer, wrote func()) (execution.Evidence, error) {
	if o.Buyer != (execution.Buyer{}) { // the project's own account gets what is bought
		wrote()
		return execution.Evidence{}, fmt.Errorf("sih create-order %s: %w", o.ID, &execution.RejectedError{Reason: "not_for_somebody_else"})
	}
	done, err := c.CreateOrder(ctx, NewOrder{
		Game:     o.Item.Game,
		Item:     o.MarketName,
		Amount:   o.Ask,
		CustomID: string(o.ID),
	}, wrote)
	var duplicate *DuplicateError
	switch {
	case err == nil:
		return execution.Evidence{
			ID:         o.ID,
			MarketRef:  strconv.FormatInt(done.ID, 10),
			Event:      execution.OnPlaced,
			MarketName: o.MarketName,
			Paid:       o.Ask,
		}, nil
	case errors.As(err, &duplicate):
		if err := c.same(o, duplicate.Order); err != nil {
			return execution.Evidence{}, fmt.Errorf("sih create-order %s: %w", o.ID, err)
		}
		return duplicate.Order.evidence(), nil
	}
	return execution.Evidence{}, err
}

// same tells in what an order that SIH has differs from the one we want.
func (c *Client) same(want execution.Order, has Order) error {
	item, err := pricing.ParseItem(want.Item.Game, has.Item, "")
	switch {
	case has.Item != want.MarketName && (err != nil || item != want.Item):
		return fmt.Errorf("order %d has our id but is for %q, not %q", has.ID, c.clean(has.Item), want.MarketName)
	case has.Amount > want.Ask:
		return fmt.Errorf("order %d has our id but pays %s, not %s", has.ID, has.Amount, want.Ask)
	case has.SteamID != c.cfg.Recipient.SteamID:
		return fmt.Errorf("order %d has our id but goes to %q, not %s", has.ID, c.clean(has.SteamID), c.cfg.Recipient.SteamID)
	case has.evidence().Event == "":
		return fmt.Errorf("order %d has our id and a status we do not know: %q", has.ID, has.Status)
	}
	return nil
}

// Lookup asks what SIH knows of an order by its ID.
func (c *Client) Lookup(ctx context.Context, o execution.Order) (execution.Evidence, error) {
	found, err := c.GetOrder(ctx, 0, string(o.ID))
	if err != nil {
		return execution.Evidence{}, err
	}
	return found.evidence(), nil
}

// Track asks for the state of many orders, MaxBatch at a time. On an error it
// gives what it has learned until then.
func (c *Client) Track(ctx context.Context, orders []execution.Order) ([]execution.Evidence, error) {
	wanted := make(map[string]bool, len(orders))
	var ids []string
	for _, o := range orders {
		if id := string(o.ID); !wanted[id] {
			wanted[id] = true
			ids = append(ids, id)
		}
	}
	var out []execution.Evidence
	for batch := range slices.Chunk(ids, MaxBatch) {
		found, err := c.GetOrders(ctx, nil, batch)
		if err != nil {
			return out, err
		}
		for _, o := range found {
			if wanted[o.CustomID] {
				wanted[o.CustomID] = false // once
				out = append(out, o.evidence())
			}
		}
	}
	return out, nil
}

// History gives every purchase of the account since a time. Those whose time SIH
// does not tell are among them.
func (c *Client) History(ctx context.Context, since time.Time) ([]execution.Evidence, error) {
	orders, err := c.GetOrderHistory(ctx, since)
	if err != nil {
		return nil, err
	}
	out := make([]execution.Evidence, len(orders))
	for i, o := range orders {
		out[i] = o.evidence()
	}
	return out, nil
}

// Bookings gives what the wallet says of every order since a time: what was
// taken for it, and all that came back for whatever reason.
func (c *Client) Bookings(ctx context.Context, since time.Time) ([]execution.Booking, error) {
	moves, err := c.WalletHistory(ctx, MainWallet, since, WalletPurchase, WalletRefund, WalletFairPrice, WalletManualRefund, WalletProtectionRefund)
	if err != nil {
		return nil, err
	}
	var out []execution.Booking
	place := map[int64]int{} // in out, by order
	for _, m := range moves {
		if m.OrderID == 0 {
			continue // a refund that names no order shows in the balance only
		}
		i, ok := place[m.OrderID]
		if !ok {
			i = len(out)
			place[m.OrderID] = i
			out = append(out, execution.Booking{MarketRef: strconv.FormatInt(m.OrderID, 10)})
		}
		if m.Type == WalletPurchase {
			out[i].Taken -= m.Amount
		} else {
			out[i].Returned += m.Amount
		}
	}
	return out, nil
}

// evidence is what an order says in the words of execution. What an item cost
// less than was offered comes back when it is delivered. What SIH gives back for
// a failed order the order does not tell, and for a penalized one neither: the
// wallet does.
func (o Order) evidence() execution.Evidence {
	e := execution.Evidence{
		ID:         execution.OrderID(o.CustomID),
		MarketRef:  strconv.FormatInt(o.ID, 10),
		Status:     o.Status,
		MarketName: o.Item,
		Paid:       o.Amount,
		OfferID:    o.OfferID,
		Error:      o.Error,
		At:         o.Created,
	}
	switch o.Status {
	case StatusCreated, StatusProcessing:
		e.Event = execution.OnPlaced
	case StatusSent:
		e.Event = execution.OnDelivering
	case StatusFailed:
		e.Event = execution.OnFailed
	case StatusPenalized:
		e.Event = execution.OnPenalized
	case StatusFinished:
		e.Event = execution.OnDelivered
		if o.Expected > 0 && o.Expected < o.Amount {
			e.Refunded = o.Amount - o.Expected
		}
		o.protect(&e)
	}
	return e
}

// protect adds what a delivered order's trade protection means. The order's own
// status stays finished when the trade is reversed.
func (o Order) protect(e *execution.Evidence) {
	switch o.Protection {
	case "":
		return
	case ProtectionFinished:
		e.Event, e.Protection = execution.OnSettled, execution.ProtectionOver
	case ProtectionFailed:
		e.Event = execution.OnRolledBack
		e.Refunded += o.RollbackAmount
		if e.Error == "" {
			e.Error = o.ProtectionError
		}
	default: // runs, or is in a state that we do not know and that must not settle by time
		e.Protection = execution.ProtectionOpen
	}
}
