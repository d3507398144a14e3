package skinsback

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"skinarb/execution"
	"skinarb/pricing"
)

// DepositStatus is how far a deposit is. SkinsBack may send others than these.
type DepositStatus string

// The states that are documented. A deposit begins as pending. What is reversible
// under Steam's trade protection is then in hold for eight days, after which it is
// a success; projects to which SkinsBack allows it may approve it before that, and
// see hold_returned when the items went back. Which other moves there are is not
// documented.
// https://skinsback.com/docs/api/v1/orderstatus
const (
	DepositPending      DepositStatus = "pending"
	DepositSuccess      DepositStatus = "success"
	DepositFail         DepositStatus = "fail"
	DepositInHold       DepositStatus = "in_hold"
	DepositHoldApproved DepositStatus = "hold_approved"
	DepositHoldReturned DepositStatus = "hold_returned"
)

// Deposit is items that somebody gives to SkinsBack, for which our balance is
// credited. Fields that were not told, or cannot be read, are zero.
type Deposit struct {
	TransactionID string // SkinsBack's
	OrderID       string // ours
	SteamID       string // SteamID64 of who gives the items
	Status        DepositStatus

	// USD is what it is worth to us, digits beyond the sixth rounded down; told
	// from in_hold and success on.
	USD pricing.Money
	// UserUSD is the same times the multiplier of the project: what its user gets.
	UserUSD pricing.Money
	// Amount is what it is worth in Currency, which is in lower case.
	Amount   decimal.Decimal
	Currency string

	CreatedAt time.Time
	OfferedAt time.Time // when the trade offer was made
	SentAt    time.Time // when the items came
	Items     []DepositItem
}

// DepositItem is one thing in a deposit.
type DepositItem struct {
	Name string
	USD  pricing.Money // its part of the worth, rounded down; taken for dollars, which is not documented
}

// DepositRequest describes a deposit that a user makes on SkinsBack's page.
type DepositRequest struct {
	// OrderID is ours, never used before; needed. Up to 64 letters, digits, - and
	// _, so that it can stand unambiguously in what is signed.
	OrderID    string
	SteamID    string // SteamID64 of the user; needed, though the user may change it
	TradeToken string // 8 characters of the user's trade URL; may be empty

	// Where SkinsBack sends the callback, and the user afterwards; empty means the
	// settings of the project.
	ResultURL, SuccessURL, FailURL string

	Min, Max pricing.Money // bounds of the worth; 0 means none
}

// ValidOrderID tells whether s can be the OrderID of a deposit.
func ValidOrderID(s string) bool { return validOrderID(s) }

// DepositPage is where a user makes a deposit.
type DepositPage struct {
	URL           string // for the user alone: whoever has it can make the deposit. Said to work for 25 minutes
	TransactionID string
}

// CreateDeposit opens a deposit and gives the page to which its user is sent. It
// is asked for once.
//
// Errors are those of Sell: after one that is neither a *execution.RejectedError
// nor a *execution.RetryLaterError the deposit may exist, and GetDeposit tells.
// The parameters are documented; which are needed, and the codes of the errors,
// are known from clients.
// https://skinsback.com/docs/api/v1/createorder
func (c *Client) CreateDeposit(ctx context.Context, r DepositRequest) (DepositPage, error) {
	const method = "create"
	if reason := r.unfit(); reason != "" {
		return DepositPage{}, fmt.Errorf("%s: %w", method, &execution.RejectedError{Reason: reason})
	}
	p := params{"order_id": r.OrderID, "steam_id": r.SteamID}
	p.tell("trade_token", r.TradeToken)
	p.tell("result_url", r.ResultURL)
	p.tell("success_url", r.SuccessURL)
	p.tell("fail_url", r.FailURL)
	if r.Min > 0 {
		p["min_amount"], p["currency"] = r.Min.String(), "usd"
	}
	if r.Max > 0 {
		p["max_amount"], p["currency"] = r.Max.String(), "usd"
	}
	if err := c.permit(ctx, method); err != nil {
		return DepositPage{}, err
	}
	var answer struct {
		URL           text `json:"url"`
		TransactionID text `json:"transaction_id"`
	}
	if err := c.once(ctx, method, p, func() {}, &answer); err != nil {
		return DepositPage{}, err
	}
	if answer.URL == "" || answer.TransactionID == "" {
		return DepositPage{}, errors.New("create: the answer says success and has no url or no transaction_id")
	}
	return DepositPage{string(answer.URL), string(answer.TransactionID)}, nil
}

func (r DepositRequest) unfit() (reason string) {
	switch {
	case !validOrderID(r.OrderID):
		return "invalid_order_id"
	case !validSteamID(r.SteamID):
		return "invalid_steam_id"
	case r.TradeToken != "" && !validToken(r.TradeToken):
		return "invalid_trade_token"
	case r.Min < 0 || r.Max < 0 || r.Max > 0 && r.Min > r.Max:
		return "invalid_min_or_max_amount"
	}
	return ""
}

// DepositRef names a deposit by one of its two IDs; with both, OrderID counts.
type DepositRef struct {
	OrderID       string // ours
	TransactionID string // SkinsBack's
}

func (r DepositRef) params() params {
	if r.OrderID != "" {
		return params{"order_id": r.OrderID}
	}
	return params{"transaction_id": r.TransactionID}
}

// names tells whether a deposit is the one that was asked for.
func (r DepositRef) names(d Deposit) bool {
	if r.OrderID != "" {
		return d.OrderID == r.OrderID
	}
	return r.TransactionID != "" && d.TransactionID == r.TransactionID
}

// GetDeposit gives one deposit, however it was made.
//
// Errors: execution.ErrNotFound, there is none; else those of GetBalance, which
// say nothing about it. Fields up to amount_currency are documented, the others
// known from clients.
// https://skinsback.com/docs/api/v1/orderstatus
func (c *Client) GetDeposit(ctx context.Context, ref DepositRef) (Deposit, error) {
	if ref == (DepositRef{}) {
		return Deposit{}, errors.New("orderstatus: no deposit is named")
	}
	var answer depositFields
	if err := c.read(ctx, "orderstatus", ref.params(), &answer); err != nil {
		return Deposit{}, err
	}
	d := answer.deposit()
	if !ref.names(d) {
		return Deposit{}, errors.New("orderstatus: the answer is about another deposit")
	}
	return d, nil
}

// GetDeposits gives every deposit made from one time to another, once each, in the
// market's order, which is not documented. Whether the range is of creation or of
// the last change is not either: creation is assumed.
//
// Errors are those of GetHistory.
// https://skinsback.com/docs/api/v1/orders
func (c *Client) GetDeposits(ctx context.Context, from, to time.Time) ([]Deposit, error) {
	return allPages(ctx, c, "orders", within(from, to), depositFields.deposit, func(d Deposit) string { return d.TransactionID })
}

// ApproveDeposit takes a deposit that is in hold without waiting for the end of
// the hold: from then on a reversed trade is our loss. It is asked for once.
//
// Errors: *execution.RejectedError, it is not approved by this; execution.ErrNotFound;
// *execution.RetryLaterError, nothing happened. After any other, that it is
// approved or cancelled already among them, GetDeposit tells.
// https://skinsback.com/docs/api/v1/offer_approve
func (c *Client) ApproveDeposit(ctx context.Context, ref DepositRef) error {
	const method = "offer_approve"
	if ref == (DepositRef{}) {
		return fmt.Errorf("%s: %w", method, &execution.RejectedError{Reason: "order_id_or_transaction_id_missing"})
	}
	if err := c.permit(ctx, method); err != nil {
		return err
	}
	return c.once(ctx, method, ref.params(), func() {}, &struct{}{})
}

// CallbackError is a callback about a deposit that did not reach us.
type CallbackError struct {
	TransactionID string
	OrderID       string
	HTTPCode      string // what our receiver answered, as told
}

// GetCallbackErrors gives the callbacks about deposits that did not reach us, one
// for each deposit, the last. It has no range of time: all that SkinsBack still
// knows of are given.
//
// Errors are those of GetHistory.
// https://skinsback.com/docs/api/v1/callback_errors
func (c *Client) GetCallbackErrors(ctx context.Context) ([]CallbackError, error) {
	return allPages(ctx, c, "callback_error_list", params{}, func(f callbackErrorFields) CallbackError {
		return CallbackError{string(f.TransactionID), string(f.OrderID), string(f.HTTPCode)}
	}, func(e CallbackError) string { return e.TransactionID })
}

type callbackErrorFields struct {
	TransactionID text `json:"transaction_id"`
	OrderID       text `json:"order_id"`
	HTTPCode      text `json:"http_code"`
}

// depositFields is a deposit as sent.
type depositFields struct {
	Status        text                      `json:"status"`
	TransactionID text                      `json:"transaction_id"`
	OrderID       text                      `json:"order_id"`
	SteamID       text                      `json:"steam_id"`
	Date          text                      `json:"date"`
	Amount        text                      `json:"amount"`
	Currency      text                      `json:"amount_currency"`
	AmountIn      optional[map[string]text] `json:"amount_in_currencies"`
	UserAmount    text                      `json:"user_amount"`
	UserAmountIn  optional[map[string]text] `json:"user_amount_in_currencies"`
	OfferDate     text                      `json:"offer_date"`
	SendDate      text                      `json:"skins_send_date"`
	Skins         optional[list[struct {
		Name  text `json:"name"`
		Price text `json:"price"`
	}]] `json:"skins"`
}

func (f depositFields) deposit() Deposit {
	d := Deposit{
		TransactionID: string(f.TransactionID),
		OrderID:       string(f.OrderID),
		SteamID:       string(f.SteamID),
		Status:        DepositStatus(f.Status),
		USD:           dollars(f.AmountIn.Value, f.Amount, f.Currency),
		UserUSD:       dollars(f.UserAmountIn.Value, f.UserAmount, f.Currency),
		Amount:        f.Amount.decimal(),
		Currency:      strings.ToLower(string(f.Currency)),
		CreatedAt:     f.Date.unix(),
		OfferedAt:     f.OfferDate.unix(),
		SentAt:        f.SendDate.unix(),
	}
	for _, s := range f.Skins.Value {
		usd, _ := s.Price.proceeds()
		d.Items = append(d.Items, DepositItem{string(s.Name), usd})
	}
	return d
}

// dollars prefers the amount that says it is in dollars. An amount in another
// currency alone gives zero: the base of SkinsBack's rates is not documented.
func dollars(inCurrencies map[string]text, amount, currency text) pricing.Money {
	if usd, ok := inCurrencies["usd"].proceeds(); ok {
		return usd
	}
	if !strings.EqualFold(string(currency), "usd") {
		return 0
	}
	usd, _ := amount.proceeds()
	return usd
}
