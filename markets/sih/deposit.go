package sih

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"skinarb/execution"
	"skinarb/fetch"
	"skinarb/pricing"
)

// MaxDeposits is how many items Deposit puts on sale, and DeleteDeposits takes
// off, at once. SIH names no maximum.
const MaxDeposits = 100

// maxCustomID bounds our ids of items on sale, in bytes.
const maxCustomID = 36

// DepositID is SIH's id of an item on sale. It is text of digits in every
// example, and has nothing to do with ids of orders.
type DepositID string

// AssetID is Steam's id of an item in an inventory.
type AssetID string

// NewDeposit is what Deposit takes: items of one account and one game.
type NewDeposit struct {
	SteamID string // SteamID64 of an attached account
	Game    pricing.Game
	Items   []NewDepositItem
}

// NewDepositItem is an item to be put on sale.
type NewDepositItem struct {
	AssetID  AssetID
	Price    pricing.Money // for which it is sold, each; what SIH keeps of it is not documented
	CustomID string        // ours, at most 36 of A-Z, a-z, 0-9 and -, new for every attempt: the one sign by which to find it in Deposits
	Quantity int           // units; 0 means 1. SIH calls it amount

	// Name is Steam's name, with the phase in it, of an item that no account holds:
	// a project in polling mode is asked for what it lists under ids of its own, and
	// SIH does not document how it learns what that is. It is sent as item, which is
	// what the answer calls it. Empty: it is not sent.
	Name string
}

// Deposited is the answer to Deposit.
type Deposited struct {
	Items []Listed // that are on sale now
	// Left are those that the answer does not name: most likely refused, for which
	// Problems has the reasons in SIH's words, in no documented order.
	Left     []NewDepositItem
	Problems []string
}

// Listed is an item that SIH put on sale.
type Listed struct {
	ID       DepositID
	CustomID string // ours, found by the asset: SIH does not repeat it here
	AssetID  AssetID
	Name     string        // Steam's name; whether a phase stands in it is not documented
	Phase    string        // of a Doppler; empty when not told
	Price    pricing.Money // as SIH has it: compare with what was asked for
	Quantity int           // 0 when not told
	Float    string        // wear, a decimal between 0 and 1; empty when not told
	Stickers []string      // their names
}

// OnSale is an item that is on sale, or paused because its account is offline:
// SIH does not tell which.
type OnSale struct {
	ID       DepositID
	CustomID string // ours; empty for what has none that we could have given it
	Price    pricing.Money
}

// Deposit puts items on sale (POST /project/deposit). Each succeeds or fails by
// itself: see Deposited. It sends once.
//
// A *execution.RejectedError: refused, nothing is on sale; where SIH says that
// it is about the account, Account is set. A *execution.RetryLaterError: nothing
// happened. After any other error the outcome is unknown. Then Deposits tells
// what is on sale by our CustomID, and what is missing there never was on sale or
// is sold already, which the wallet and the inventory tell apart. What SIH makes
// of a second deposit of the same item or the same CustomID is not documented,
// so an item must not be sent again before that.
func (c *Client) Deposit(ctx context.Context, d NewDeposit) (Deposited, error) {
	id, err := appID(d.Game)
	if err == nil {
		err = d.check()
	}
	if err != nil {
		return Deposited{}, fmt.Errorf("sih project/deposit: %w (%w)", &execution.RejectedError{Reason: "not_a_deposit"}, err)
	}
	type item struct {
		ID       AssetID     `json:"id"`
		Price    json.Number `json:"price"`
		CustomID string      `json:"customId"`
		Amount   int         `json:"amount"` // units here; money in an order
		Name     string      `json:"item,omitempty"`
	}
	items := make([]item, len(d.Items))
	for i, it := range d.Items {
		items[i] = item{it.AssetID, json.Number(it.Price.String()), it.CustomID, max(it.Quantity, 1), it.Name}
	}
	var done Deposited
	err = c.change(ctx, request{path: "project/deposit", payload: struct {
		SteamID string `json:"steamId"`
		AppID   int    `json:"appId"`
		Items   []item `json:"items"`
	}{d.SteamID, id, items}}, func(a *answer) (err error) {
		done, err = c.decodeDeposited(a, d.Items)
		return err
	})
	return done, err
}

// check tells what is wrong with a deposit before anybody else sees it.
func (d NewDeposit) check() error {
	if !isSteamID(d.SteamID) {
		return errors.New("the account is no SteamID64")
	}
	if len(d.Items) == 0 || len(d.Items) > MaxDeposits {
		return fmt.Errorf("%d items, want 1 to %d", len(d.Items), MaxDeposits)
	}
	seen := map[string]bool{}
	for i, it := range d.Items {
		switch {
		case !digits(string(it.AssetID)):
			return fmt.Errorf("item %d has no asset id", i)
		case it.Price <= 0 || it.Price > pricing.MaxMoney:
			return fmt.Errorf("item %d has a price of %s", i, it.Price)
		case it.Quantity < 0:
			return fmt.Errorf("item %d has a quantity of %d", i, it.Quantity)
		case !isCustomID(it.CustomID):
			return fmt.Errorf("item %d has no customId of 1 to %d letters, digits and dashes", i, maxCustomID)
		case seen["asset "+string(it.AssetID)] || seen["custom "+it.CustomID]:
			return fmt.Errorf("item %d comes twice", i)
		}
		seen["asset "+string(it.AssetID)], seen["custom "+it.CustomID] = true, true
	}
	return nil
}

// isCustomID tells whether s can be an id of ours. What SIH allows is not
// documented, so we stay with what nobody changes on the way.
func isCustomID(s string) bool {
	return len(s) > 0 && len(s) <= maxCustomID && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}

// digits tells whether s is a number that Steam or SIH may use as an id.
func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return len(s) > 0 && len(s) <= 20
}

// decodeDeposited judges the answer to a deposit. One item of it that cannot be
// read, or that we did not send, leaves all of them unknown: it is on sale.
func (c *Client) decodeDeposited(a *answer, sent []NewDepositItem) (Deposited, error) {
	var in struct {
		Errors optional[[]text] `json:"errors"`
		Data   *[]struct {
			ID       clue             `json:"id"`
			Item     optional[text]   `json:"item"`
			Price    text             `json:"price"`
			AssetID  text             `json:"assetid"`
			Amount   optional[text]   `json:"amount"`
			Float    optional[text]   `json:"float"`
			Phase    optional[text]   `json:"phase"`
			Stickers optional[[]text] `json:"stickers"`
		} `json:"data"`
	}
	if err := c.decodeChange(a, &in); err != nil {
		return Deposited{}, err
	}
	if in.Data == nil {
		return Deposited{}, unknown(c.unreadable(a, errors.New("no data in it")))
	}
	done := Deposited{Left: slices.Clone(sent)}
	for i, w := range *in.Data {
		at := slices.IndexFunc(done.Left, func(it NewDepositItem) bool { return string(it.AssetID) == string(w.AssetID) })
		price, ok := w.Price.money()
		switch {
		case w.ID == "" || !ok || price <= 0:
			return Deposited{}, unknown(c.unreadable(a, fmt.Errorf("item %d has no id or no readable price", i)))
		case at < 0:
			return Deposited{}, unknown(c.unreadable(a, fmt.Errorf("item %d was not sent, or comes twice", i)))
		}
		listed := Listed{
			ID:       DepositID(w.ID),
			CustomID: done.Left[at].CustomID,
			AssetID:  done.Left[at].AssetID,
			Name:     c.clean(string(w.Item.V)),
			Phase:    c.clean(string(w.Phase.V)),
			Price:    price,
			Float:    c.clean(string(w.Float.V)),
		}
		if n, ok := w.Amount.V.integer(); ok && n > 0 && n <= maxCount {
			listed.Quantity = int(n)
		}
		for _, s := range w.Stickers.V {
			listed.Stickers = append(listed.Stickers, c.clean(string(s)))
		}
		done.Items = append(done.Items, listed)
		done.Left = slices.Delete(done.Left, at, at+1)
	}
	for _, s := range in.Errors.V {
		done.Problems = append(done.Problems, c.clean(string(s)))
	}
	return done, nil
}

// Deposits asks for everything that is still on sale or paused, in one answer
// (GET /project/deposits). What was sold or deleted is simply not in it. One item
// that cannot be read is an error: whoever misses it would put it on sale again.
func (c *Client) Deposits(ctx context.Context) ([]OnSale, error) {
	var all []OnSale
	err := c.read(ctx, request{path: "project/deposits", class: fetch.ForStatus, limit: maxDeposits}, func(a *answer) (err error) {
		all, err = c.decodeDeposits(a)
		return err
	})
	return all, err
}

// maxDeposits bounds the answer of Deposits, which has no pages, in bytes.
const maxDeposits = 64 << 20

func (c *Client) decodeDeposits(a *answer) ([]OnSale, error) {
	var in struct {
		Data *[]struct {
			ID       clue `json:"id"`
			CustomID clue `json:"customId"`
			Price    text `json:"price"`
		} `json:"data"`
	}
	if err := c.decode(a, &in); err != nil {
		return nil, err
	}
	if in.Data == nil {
		return nil, c.unreadable(a, errors.New("no data in it"))
	}
	all := make([]OnSale, 0, len(*in.Data))
	for i, w := range *in.Data {
		price, ok := w.Price.money()
		if w.ID == "" || !ok || price < 0 {
			return nil, c.unreadable(a, fmt.Errorf("item %d has no id or no readable price", i))
		}
		all = append(all, OnSale{DepositID(w.ID), string(w.CustomID), price})
	}
	return all, nil
}

// DeleteDeposits takes up to MaxDeposits items off sale, by SIH's ids and ours
// (POST /project/delete-deposit), and gives what the answer names: most likely
// SIH's ids of those that it took off, which is not documented. What it does not
// name may be on sale still, or sold. There is no call to change a price but to
// delete and to deposit again.
//
// The errors are those of Deposit; Deposits tells what an unknown outcome has
// become. Whether an item can be deleted while its buyer waits for it is not
// documented either, so a deletion is no proof that nobody has bought it.
func (c *Client) DeleteDeposits(ctx context.Context, ids []DepositID, customIDs []string) ([]DepositID, error) {
	if n := len(ids) + len(customIDs); n == 0 || n > MaxDeposits {
		return nil, fmt.Errorf("sih project/delete-deposit: %d items: %w", n, &execution.RejectedError{Reason: "not_a_batch"})
	}
	var named []DepositID
	err := c.change(ctx, request{path: "project/delete-deposit", payload: struct {
		IDs       []DepositID `json:"ids"` // empty lists, not null
		CustomIDs []string    `json:"customIds"`
	}{append([]DepositID{}, ids...), append([]string{}, customIDs...)}}, func(a *answer) (err error) {
		named, err = c.decodeDeleted(a)
		return err
	})
	return named, err
}

func (c *Client) decodeDeleted(a *answer) ([]DepositID, error) {
	var in struct {
		Data *[]clue `json:"data"`
	}
	if err := c.decodeChange(a, &in); err != nil {
		return nil, err
	}
	if in.Data == nil {
		return nil, unknown(c.unreadable(a, errors.New("no data in it")))
	}
	var named []DepositID
	for _, id := range *in.Data {
		if id != "" {
			named = append(named, DepositID(id))
		}
	}
	return named, nil
}
