package httpapi

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"skinarb/execution"
	"skinarb/pricing"
)

// Page sizes of the orders.
const (
	ordersStandard = 100
	ordersMost     = 500
)

// orderID is what an order's id may look like; nothing else reaches the journal.
var orderID = regexp.MustCompile(`^[A-Za-z0-9-]{1,36}$`)

type stepJSON struct {
	At    *string         `json:"at"`
	State execution.State `json:"state"`
	Event execution.Event `json:"event"`
	Note  string          `json:"note"`
}

// orderJSON is an order in an answer. What is not known yet is null.
type orderJSON struct {
	ID             execution.OrderID `json:"id"`
	Market         pricing.Market    `json:"market"`
	Item           itemJSON          `json:"item"`
	MarketName     string            `json:"market_name"`
	State          execution.State   `json:"state"`
	MaxPrice       string            `json:"max_price"`
	Cost           string            `json:"cost"`
	Paid           *string           `json:"paid"`
	Refunded       *string           `json:"refunded"`
	SellOn         *string           `json:"sell_on"`
	BuyerOrder     *string           `json:"buyer_order"`
	ExpectedProfit *string           `json:"expected_profit"` // null for what nobody planned to sell
	MarketRef      *string           `json:"market_ref"`
	OfferID        *string           `json:"offer_id"`
	CreatedAt      *string           `json:"created_at"`
	UpdatedAt      *string           `json:"updated_at"`
	Error          *string           `json:"error"`
	History        []stepJSON        `json:"history"`
}

func toOrder(o execution.Order) orderJSON {
	steps := make([]stepJSON, len(o.History))
	for i, h := range o.History {
		steps[i] = stepJSON{instant(h.At), h.State, h.Event, h.Note}
	}
	var profit *string
	if o.Proceeds > 0 {
		profit = new(o.Profit().String())
	}
	return orderJSON{
		ID: o.ID, Market: o.Market, Item: toItem(o.Item), MarketName: o.MarketName, State: o.State,
		MaxPrice: o.Ask.String(), Cost: o.Cost.String(), Paid: amount(o.Paid), Refunded: amount(o.Refunded),
		SellOn: text(string(o.SellOn)), BuyerOrder: text(o.Buyer.Ref), ExpectedProfit: profit,
		MarketRef: text(o.MarketRef), OfferID: text(o.OfferID),
		CreatedAt: instant(o.CreatedAt), UpdatedAt: instant(o.UpdatedAt),
		Error: text(o.Error), History: steps,
	}
}

// getOrders answers GET /v1/orders. The cursor is the id of the last order of
// the page before.
func (s *Server) getOrders(c *fiber.Ctx, q params) error {
	limit, err := q.limit(ordersStandard, ordersMost)
	if err != nil {
		return err
	}
	query := execution.Query{Limit: limit + 1, After: execution.OrderID(q.get("cursor"))} // one more tells whether a page follows
	if query.After != "" && !orderID.MatchString(q.get("cursor")) {
		return problem(codeInvalidParameter, "cursor is not one that this endpoint gave")
	}
	if query.States, err = parseStates(q.get("state")); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	orders, err := s.cfg.Trading.Orders(ctx, query)
	switch {
	case errors.Is(err, execution.ErrNoOrder) && query.After != "":
		return problem(codeInvalidParameter, "cursor is not one that this endpoint gave")
	case err != nil:
		return fmt.Errorf("list orders: %w", err)
	}
	answer := struct {
		Orders     []orderJSON `json:"orders"`
		NextCursor *string     `json:"next_cursor"`
	}{Orders: []orderJSON{}}
	for i, o := range orders {
		if i == limit {
			answer.NextCursor = text(string(orders[i-1].ID))
			break
		}
		answer.Orders = append(answer.Orders, toOrder(o))
	}
	return writeValue(c, answer)
}

// parseStates reads a comma list of order states; empty means all.
func parseStates(s string) ([]execution.State, error) {
	if s == "" {
		return nil, nil
	}
	var states []execution.State
	for name := range strings.SplitSeq(s, ",") {
		if !slices.Contains(execution.States, execution.State(name)) {
			return nil, problem(codeInvalidParameter, "unknown order state %s", quoted(name))
		}
		if !slices.Contains(states, execution.State(name)) {
			states = append(states, execution.State(name))
		}
	}
	return states, nil
}

// getOrder answers GET /v1/orders/{id}.
func (s *Server) getOrder(c *fiber.Ctx, _ params) error {
	id, ok := pathParam(c, "id")
	if !ok || !orderID.MatchString(id) {
		return execution.ErrNoOrder
	}
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	o, err := s.cfg.Trading.Order(ctx, execution.OrderID(id))
	if err != nil {
		return fmt.Errorf("get order %s: %w", id, err)
	}
	return writeValue(c, toOrder(o))
}
