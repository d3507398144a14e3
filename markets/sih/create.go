package sih

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"skinarb/execution"
	"skinarb/pricing"
)

// NewOrder is what create-order takes. The recipient is the client's.
type NewOrder struct {
	Game     pricing.Game
	Item     string        // SIH's own spelling, to the letter
	Amount   pricing.Money // the most that we pay
	CustomID string        // our key: one purchase for each
	Test     bool          // simulate: no money moves
}

// Created is SIH's acknowledgement of an order. It says nothing of delivery.
type Created struct {
	ID      int64
	Balance pricing.Money // after the debit, as far as is known; 0 when not told
}

// refusals are the documented texts that tell of the recipient, and the stable
// words for them. Everything else that SIH may say is unclassified: it is not
// documented, and what it means for the money has to be looked up.
var refusals = map[string]string{
	"invalid tradelink":          "invalid_tradelink",
	"private inventory":          "private_inventory",
	"steam guard is not enabled": "steam_guard_not_enabled",
	"steam trade ban":            "steam_trade_ban",
	"steam guard is in hold":     "steam_guard_in_hold",
}

// CreateOrder buys one unit (POST /create-order). It takes no permit of the
// budget, since the caller has done that, and sends the request once. wrote, if
// not nil, is called once, as soon as no byte of the request can leave any more.
//
// A *execution.RejectedError: refused, no money moved. A
// *execution.RetryLaterError: nothing happened. A *DuplicateError: the customId
// was used before, and this is its order. After any other error the outcome is
// unknown.
func (c *Client) CreateOrder(ctx context.Context, o NewOrder, wrote func()) (Created, error) {
	if wrote == nil {
		wrote = func() {}
	}
	wrote = sync.OnceFunc(wrote)
	defer wrote()

	done, err := c.createOrder(ctx, o, wrote)
	if err != nil {
		return Created{}, fmt.Errorf("sih create-order %s: %w", c.clean(o.CustomID), err)
	}
	return done, nil
}

func (c *Client) createOrder(ctx context.Context, o NewOrder, wrote func()) (Created, error) {
	id, err := appID(o.Game)
	switch {
	case err != nil || o.Item == "" || o.Amount <= 0 || o.CustomID == "":
		return Created{}, &execution.RejectedError{Reason: "not_an_order"}
	case c.cfg.Recipient.SteamID == "" || c.cfg.Recipient.Token == "":
		return Created{}, &execution.RejectedError{Reason: "no_recipient"}
	}
	var done Created
	err = c.once(ctx, request{path: "create-order", payload: struct {
		SteamID  string      `json:"steamId"`
		Token    string      `json:"token"`
		Amount   json.Number `json:"amount"` // exact; rounding to cents would fall below the ask
		Item     string      `json:"item"`
		CustomID string      `json:"customId"`
		Test     bool        `json:"test"`
		AppID    int         `json:"appId"`
	}{c.cfg.Recipient.SteamID, c.cfg.Recipient.Token, json.Number(o.Amount.String()), o.Item, o.CustomID, o.Test, id}}, wrote, func(a *answer) (err error) {
		done, err = c.decodeCreated(a, o.CustomID)
		return err
	})
	return done, err
}

// decodeCreated judges the answer to an order. Whatever it does not wholly
// understand leaves the outcome unknown.
func (c *Client) decodeCreated(a *answer, customID string) (Created, error) {
	var in struct {
		ID      optional[text]      `json:"id"`
		Balance optional[text]      `json:"balance"`
		Order   optional[wireOrder] `json:"order"` // with 409
	}
	data, env, err := c.parse(a)
	if err != nil {
		return Created{}, unknown(err)
	}
	if err := json.Unmarshal(data, &in); err != nil {
		return Created{}, unknown(c.unreadable(a, errors.New("not an answer to an order")))
	}
	refused := env.Success == nil || !*env.Success
	reason, listed := refusals[strings.ToLower(strings.TrimSpace(string(env.Error.V)))]
	switch {
	case a.status == http.StatusOK && !refused:
		id, ok := in.ID.V.integer()
		if !ok || id <= 0 {
			return Created{}, unknown(c.unreadable(a, errors.New("a success without an order id")))
		}
		return Created{ID: id, Balance: told(in.Balance.V)}, nil
	case a.status == http.StatusConflict:
		o, err := c.order(in.Order.V)
		if err == nil && o.CustomID != customID {
			err = errors.New("the order has another customId")
		}
		if err != nil {
			return Created{}, unknown(c.unreadable(a, err))
		}
		return Created{}, &DuplicateError{Order: o}
	case a.status == http.StatusBadRequest && refused && listed:
		return Created{}, &execution.RejectedError{Reason: reason, Account: true}
	case (a.status == http.StatusUnauthorized || a.status == http.StatusForbidden) && refused && env.Error.V != "":
		return Created{}, &execution.RejectedError{Reason: "unauthorized", Account: true}
	}
	return Created{}, unknown(&APIError{Status: a.status, Text: c.clean(string(env.Error.V))})
}
