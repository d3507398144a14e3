package sih

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"skinarb/fetch"
	"skinarb/pricing"
)

// Types of wallet movements. 7 to 11 exist and are not documented.
const (
	WalletPurchase         = 1
	WalletRefund           = 2
	WalletTransfer         = 3 // to or from the sih.app balance
	WalletDeposit          = 4 // of an item
	WalletFairPrice        = 5 // part of a finished purchase's amount
	WalletManualRefund     = 6
	WalletProtectionRefund = 12
)

// Wallet is one of the project's wallets, by SIH's number.
type Wallet int

// The wallets.
const (
	MainWallet    Wallet = 1 // that purchases are paid from, and most likely the one of Project.Balance
	DepositWallet Wallet = 2 // of what we sell, by its name
)

// Movement is one change of a wallet's balance. For each order the sum of its
// movements is its true cost, negative. Only the sign of a purchase is
// documented; refunds and what a sale brings are taken to be positive.
type Movement struct {
	ID      string // UUID
	Amount  pricing.Money
	Type    int       // one of the Wallet constants, or another
	OrderID int64     // SIH's id of the order; 0 when not told
	Data    string    // JSON of what it is about, as SIH sent it: only that of a purchase is documented
	Created time.Time // zero when not told
}

// WalletHistory asks for a wallet's movements since a time, or all of them if
// since is zero, of the given types or of all if there are none (GET
// /wallet/history). Each comes once. Pages are read until since where they come
// newest first, else to the end; more than maxPages of them are an error.
func (c *Client) WalletHistory(ctx context.Context, w Wallet, since time.Time, types ...int) ([]Movement, error) {
	query := url.Values{"walletTypeId": {strconv.Itoa(int(w))}, "limit": {strconv.Itoa(pageSize)}}
	if len(types) > 0 {
		words := make([]string, len(types))
		for i, t := range types {
			words[i] = strconv.Itoa(t)
		}
		query.Set("typeIds", strings.Join(words, ","))
	}
	return collect(since, func(offset int) (page[Movement], error) {
		var p page[Movement]
		query.Set("offset", strconv.Itoa(offset))
		err := c.read(ctx, request{path: "wallet/history", query: query, class: fetch.ForStatus}, func(a *answer) (err error) {
			p.rows, p.count, err = c.decodeWallet(a)
			return err
		})
		return p, err
	}, func(m Movement) (string, time.Time) { return m.ID, m.Created })
}

func (c *Client) decodeWallet(a *answer) ([]Movement, int, error) {
	var in struct {
		Data *[]struct {
			ID      text            `json:"id"`
			Amount  text            `json:"amount"`
			TypeID  optional[text]  `json:"typeId"`
			Data    optional[about] `json:"data"`
			Created optional[text]  `json:"created"`
		} `json:"data"`
		Pagination optional[pagination] `json:"pagination"`
	}
	if err := c.decode(a, &in); err != nil {
		return nil, 0, err
	}
	if in.Data == nil {
		return nil, 0, c.unreadable(a, errors.New("no data in it"))
	}
	rows := make([]Movement, 0, len(*in.Data))
	for i, w := range *in.Data {
		amount, ok := w.Amount.money()
		if w.ID == "" || !ok {
			return nil, 0, c.unreadable(a, fmt.Errorf("row %d has no id or no readable amount", i))
		}
		kind, _ := w.TypeID.V.integer()
		order, _ := w.Data.V.OrderID.integer()
		rows = append(rows, Movement{
			ID:      string(w.ID),
			Amount:  amount,
			Type:    int(kind),
			OrderID: order,
			Data:    w.Data.V.plain,
			Created: w.Created.V.time(),
		})
	}
	return rows, in.Pagination.V.total(), nil
}

// about is what a movement is about.
type about struct {
	OrderID text
	plain   string // all of it, without white space
}

func (ab *about) UnmarshalJSON(b []byte) error {
	var plain bytes.Buffer
	if err := json.Compact(&plain, b); err != nil {
		return err
	}
	ab.plain = plain.String()
	var in optional[struct {
		OrderID text `json:"orderId"`
	}]
	err := json.Unmarshal(b, &in)
	ab.OrderID = in.V.OrderID
	return err
}
