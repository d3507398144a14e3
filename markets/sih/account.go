package sih

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"skinarb/execution"
	"skinarb/fetch"
)

// Bounds of lists of accounts. The sizes of pages are SIH's own; it names no
// maximum for switching several.
const (
	checkedPage   = 100
	uncheckedPage = 1000
	// MaxAccounts is how many accounts SetAccountsOnline switches at once.
	MaxAccounts = 100
)

// Account is a Steam account that sells for the project, and what it may do now.
type Account struct {
	SteamID string     // SteamID64
	Trade   Permission // to trade on Steam at all
	P2P     Permission // to sell through SIH's browser extension, which has to run
}

// Permission is whether something is allowed, and if not, why. Whatever SIH says
// that is not plainly yes is no.
type Permission struct {
	OK     bool
	Reason string // SIH's own word; empty when allowed or not told
}

// AccountState is an account as SIH has it stored, not checked with Steam.
type AccountState struct {
	SteamID string
	Online  bool // what it has on sale can be bought
}

// wireAccount is the object of one account. The documentation prints the type
// names of its booleans in quotes in some places and true in others, so both
// forms are read.
type wireAccount struct {
	SteamID  text                     `json:"steamId"`
	CanTrade optional[wirePermission] `json:"canTrade"`
	CanP2P   optional[wirePermission] `json:"canP2P"`
}

type wirePermission struct {
	Success optional[flag] `json:"success"`
	Error   optional[text] `json:"error"`
}

func (c *Client) account(w wireAccount) (Account, error) {
	if !isSteamID(string(w.SteamID)) {
		return Account{}, errors.New("an account without a SteamID64")
	}
	permission := func(p wirePermission) Permission {
		return Permission{bool(p.Success.V), c.clean(string(p.Error.V))}
	}
	return Account{string(w.SteamID), permission(w.CanTrade.V), permission(w.CanP2P.V)}, nil
}

// refused gives what keeps an account from selling, or nothing.
func (a Account) refused() string {
	switch {
	case !a.Trade.OK:
		return a.Trade.Reason
	case !a.P2P.OK:
		return a.P2P.Reason
	}
	return ""
}

// isSteamID tells whether s is the SteamID64 of a person: an account number of 32
// bits above Steam's base.
func isSteamID(s string) bool {
	const base = 76561197960265728
	n, err := strconv.ParseUint(s, 10, 64)
	return err == nil && len(s) == 17 && n > base && n-base < 1<<32
}

// AddAccount attaches a selling account by the two parts of its trade URL (POST
// /project/user). The token appears in no error.
//
// SIH refuses with status 400 and the account's permissions in the body, where
// success is true all the same. That is a *execution.RejectedError, and the
// Account comes with it. Other errors are those of every change: a
// *execution.RetryLaterError when nothing happened, else the outcome is unknown,
// and Account tells. Whether a refused account is attached nevertheless, and
// whether a known one gets the new token, is not documented.
func (c *Client) AddAccount(ctx context.Context, steamID, tradeToken string) (Account, error) {
	c = c.hiding(tradeToken)
	if !isSteamID(steamID) || tradeToken == "" || len(tradeToken) > 64 {
		return Account{}, fmt.Errorf("sih project/user: %w", &execution.RejectedError{Reason: "not_an_account"})
	}
	var added Account
	err := c.change(ctx, request{path: "project/user", payload: struct {
		SteamID string `json:"steamId"`
		Token   string `json:"tradeToken"`
	}{steamID, tradeToken}}, func(a *answer) (err error) {
		added, err = c.decodeAdded(a, steamID)
		return err
	})
	return added, err
}

// decodeAdded judges the answer to a new account: 400 is a refusal although it
// calls itself a success.
func (c *Client) decodeAdded(a *answer, steamID string) (Account, error) {
	var in struct {
		Data wireAccount `json:"data"`
	}
	if err := c.decodeChange(a, &in, http.StatusBadRequest); err != nil {
		return Account{}, err
	}
	added, err := c.account(in.Data)
	if err == nil && added.SteamID != steamID {
		err = errors.New("it is about another account")
	}
	if err != nil {
		return Account{}, unknown(c.unreadable(a, err))
	}
	if a.status == http.StatusBadRequest {
		return added, c.rejected(&APIError{Status: a.status, Text: added.refused()})
	}
	return added, nil
}

// Account asks what an attached account may do (GET /project/user/{steamId}).
// What SIH says of one that is not attached is not documented; any *APIError
// may mean that.
func (c *Client) Account(ctx context.Context, steamID string) (Account, error) {
	if !isSteamID(steamID) {
		return Account{}, fmt.Errorf("sih project/user: %q is no SteamID64", c.clean(steamID))
	}
	var found Account
	err := c.read(ctx, request{path: "project/user/" + steamID, class: fetch.ForStatus}, func(a *answer) (err error) {
		found, err = c.decodeAccount(a)
		if err == nil && found.SteamID != steamID {
			err = c.unreadable(a, errors.New("it is about another account"))
		}
		return err
	})
	return found, err
}

func (c *Client) decodeAccount(a *answer) (Account, error) {
	var in struct {
		Data *wireAccount `json:"data"`
	}
	if err := c.decode(a, &in); err != nil {
		return Account{}, err
	}
	if in.Data == nil {
		return Account{}, c.unreadable(a, errors.New("no data in it"))
	}
	found, err := c.account(*in.Data)
	if err != nil {
		return Account{}, c.unreadable(a, err)
	}
	return found, nil
}

// Accounts asks for every attached account and what it may do now (GET
// /project/users with check=true). SIH asks Steam about each, so a page takes as
// long as a catalog may; AccountStates is the quick list.
func (c *Client) Accounts(ctx context.Context) ([]Account, error) {
	return pages(ctx, c, "true", checkedPage, c.cfg.CatalogTimeout, func(w wireListed) (Account, error) {
		return c.account(w.wireAccount)
	}, func(a Account) string { return a.SteamID })
}

// AccountStates asks for every attached account and whether it is online (GET
// /project/users with check=false). What is not plainly online is offline.
func (c *Client) AccountStates(ctx context.Context) ([]AccountState, error) {
	return pages(ctx, c, "false", uncheckedPage, c.cfg.Timeout, func(w wireListed) (AccountState, error) {
		a, err := c.account(w.wireAccount)
		return AccountState{a.SteamID, bool(w.Online.V)}, err
	}, func(a AccountState) string { return a.SteamID })
}

// wireListed is a row of the list of accounts in either mode.
type wireListed struct {
	wireAccount
	Online optional[flag] `json:"online"`
}

// pages reads the list of accounts to its end.
func pages[T any](ctx context.Context, c *Client, check string, size int, timeout time.Duration, convert func(wireListed) (T, error), key func(T) string) ([]T, error) {
	return collect(time.Time{}, func(offset int) (page[T], error) {
		var p page[T]
		query := url.Values{"check": {check}, "limit": {strconv.Itoa(size)}, "offset": {strconv.Itoa(offset)}}
		err := c.read(ctx, request{path: "project/users", query: query, class: fetch.ForStatus, timeout: timeout}, func(a *answer) (err error) {
			p, err = decodeAccounts(c, a, convert)
			return err
		})
		return p, err
	}, func(row T) (string, time.Time) { return key(row), time.Time{} })
}

// decodeAccounts reads a page of accounts. One that cannot be read spoils it: an
// account that sells must not go missing.
func decodeAccounts[T any](c *Client, a *answer, convert func(wireListed) (T, error)) (page[T], error) {
	var in struct {
		Data       *[]wireListed        `json:"data"`
		Pagination optional[pagination] `json:"pagination"`
	}
	if err := c.decode(a, &in); err != nil {
		return page[T]{}, err
	}
	if in.Data == nil {
		return page[T]{}, c.unreadable(a, errors.New("no data in it"))
	}
	p := page[T]{count: in.Pagination.V.total()}
	for _, w := range *in.Data {
		row, err := convert(w)
		if err != nil {
			return page[T]{}, c.unreadable(a, err)
		}
		p.rows = append(p.rows, row)
	}
	return p, nil
}

// SetAccountOnline switches one account on or off, and what it has on sale with
// it (POST /project/user/{steamId}/online/{online}). The errors are those of
// every change; AccountStates tells what an unknown outcome has become. That the
// switch is spelled true or false, and whether it takes effect at once and how
// long it holds, is not documented.
func (c *Client) SetAccountOnline(ctx context.Context, steamID string, online bool) error {
	if !isSteamID(steamID) {
		return fmt.Errorf("sih project/user/online: %w", &execution.RejectedError{Reason: "not_an_account"})
	}
	path := "project/user/" + steamID + "/online/" + strconv.FormatBool(online)
	return c.change(ctx, request{path: path, payload: struct{}{}}, func(a *answer) error { return c.decodeOnline(a, online) })
}

// SetAccountsOnline switches up to MaxAccounts accounts on or off (POST
// /project/users/online/{online}), as SetAccountOnline does one. The answer is
// one word for all of them.
func (c *Client) SetAccountsOnline(ctx context.Context, steamIDs []string, online bool) error {
	path := "project/users/online/" + strconv.FormatBool(online)
	for _, id := range steamIDs {
		if !isSteamID(id) {
			return fmt.Errorf("sih %s: %w", path, &execution.RejectedError{Reason: "not_an_account"})
		}
	}
	if len(steamIDs) == 0 || len(steamIDs) > MaxAccounts {
		return fmt.Errorf("sih %s: %d accounts: %w", path, len(steamIDs), &execution.RejectedError{Reason: "not_a_batch"})
	}
	return c.change(ctx, request{path: path, payload: struct {
		SteamIDs []string `json:"steamIds"`
	}{steamIDs}}, func(a *answer) error { return c.decodeOnline(a, online) })
}

// decodeOnline judges the answer to a switch: it has to say what we asked for.
func (c *Client) decodeOnline(a *answer, want bool) error {
	var in struct {
		Data struct {
			Online json.RawMessage `json:"online"`
		} `json:"data"`
	}
	if err := c.decodeChange(a, &in); err != nil {
		return err
	}
	if plain(in.Data.Online) != strconv.FormatBool(want) {
		return unknown(c.unreadable(a, errors.New("it does not say the state that was asked for")))
	}
	return nil
}

// flag is a boolean; whatever is not plainly true is false.
type flag bool

func (f *flag) UnmarshalJSON(b []byte) error {
	*f = plain(b) == "true"
	return nil
}

// plain is a boolean without the quotes that it may stand in.
func plain(b []byte) string { return strings.ToLower(strings.Trim(string(b), `"`)) }
