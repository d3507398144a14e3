package sih

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"skinarb/execution"
	"skinarb/pricing"
	"skinarb/selling"
)

var _ selling.Market = Shop{}

// Shop is what selling asks of a market: items of one attached Steam account, put
// on sale as deposits.
type Shop struct {
	c       *Client
	steamID string
	unheld  bool // goods have ids of our own, and SIH is told what they are
	wallet  *walletLook
}

// Shop gives the shop of the account that receives purchases.
func (c *Client) Shop() Shop {
	return Shop{c: c, steamID: c.cfg.Recipient.SteamID, wallet: &walletLook{}}
}

// Consignments gives a shop for what that account does not hold: SIH asks us for it
// when it is sold, which only a project in polling mode does.
func (c *Client) Consignments() Shop {
	s := c.Shop()
	s.unheld = true
	return s
}

// Market names the market.
func (s Shop) Market() pricing.Market { return pricing.SIH }

// Attach makes the account one that may sell for the project, if it is not one
// yet. Whether it then can is between its owner, SIH's browser extension and
// Steam: a deposit says so.
func (s Shop) Attach(ctx context.Context) error {
	attached, err := s.c.AccountStates(ctx)
	if err != nil {
		return err
	}
	for _, a := range attached {
		if a.SteamID == s.steamID {
			return nil
		}
	}
	_, err = s.c.AddAccount(ctx, s.steamID, s.c.cfg.Recipient.Token)
	return err
}

// List deposits one item. Why SIH left it out of an answer that says success is
// told in texts that are not documented, so that it is no refusal: it may be on
// sale already.
func (s Shop) List(ctx context.Context, l selling.Listing) (selling.Word, error) {
	item := NewDepositItem{AssetID: AssetID(l.Goods), Price: l.Price, CustomID: string(l.ID)}
	if s.unheld {
		item.Name = l.Item.String()
	}
	done, err := s.c.Deposit(ctx, NewDeposit{SteamID: s.steamID, Game: l.Item.Game, Items: []NewDepositItem{item}})
	if err != nil {
		return selling.Word{}, err
	}
	if len(done.Items) != 1 {
		return selling.Word{}, unknown(fmt.Errorf("the answer does not name the item, and says %q", strings.Join(done.Problems, "; ")))
	}
	it := done.Items[0]
	if s.unheld {
		if err := s.same(ctx, l, it); err != nil {
			return selling.Word{}, err
		}
	}
	return selling.Word{ID: l.ID, Event: selling.OnListed, Shown: true, MarketRef: string(it.ID), Price: it.Price}, nil
}

// same takes what is listed off sale again if SIH lists another item than we meant:
// how it learns what is behind an id of ours is not documented.
func (s Shop) same(ctx context.Context, l selling.Listing, listed Listed) error {
	it, err := pricing.ParseItem(l.Item.Game, listed.Name, listed.Phase)
	if err == nil && it == l.Item {
		return nil
	}
	l.MarketRef = string(listed.ID)
	if err := s.Withdraw(ctx, l); err != nil {
		return unknown(fmt.Errorf("sih lists %q for our id of %s: %w", s.c.clean(listed.Name), l.Item, err))
	}
	return fmt.Errorf("sih lists %q for our id of %s: %w", s.c.clean(listed.Name), l.Item, &execution.RejectedError{Reason: "another_item"})
}

// Withdraw deletes a deposit, by our id and by SIH's where we know it. An answer
// that names nothing says nothing.
func (s Shop) Withdraw(ctx context.Context, l selling.Listing) error {
	var ids []DepositID
	if l.MarketRef != "" {
		ids = []DepositID{DepositID(l.MarketRef)}
	}
	named, err := s.c.DeleteDeposits(ctx, ids, []string{string(l.ID)})
	if err == nil && len(named) == 0 {
		err = errors.New("sih project/delete-deposit: the answer names nothing that was taken off sale")
	}
	return err
}

// Look asks what is on sale and, if something that was asked for is not, what the
// deposit wallet was credited since, as it was read a few minutes ago at most. What a
// credit is about is not documented: one whose data has the listing's id anywhere,
// ours or SIH's, is taken for its sale, and one that names none of ours is told so.
//
// That a consignment on sale is what we meant only the answer to its deposit says.
// One that had no such answer is told as to be taken off.
func (s Shop) Look(ctx context.Context, ls []selling.Listing) ([]selling.Word, []selling.Credit, error) {
	onSale, err := s.c.Deposits(ctx)
	if err != nil {
		return nil, nil, err
	}
	asked, ours := map[selling.ListingID]selling.Listing{}, map[DepositID]selling.ListingID{}
	for _, l := range ls {
		asked[l.ID] = l
		if l.MarketRef != "" {
			ours[DepositID(l.MarketRef)] = l.ID
		}
	}
	words, shown := make([]selling.Word, 0, len(onSale)), map[selling.ListingID]bool{}
	for _, d := range onSale {
		id := selling.ListingID(d.CustomID)
		if id == "" {
			id = ours[d.ID]
		}
		shown[id] = true
		w := selling.Word{ID: id, Event: selling.OnListed, Shown: true, MarketRef: string(d.ID), Price: d.Price}
		if l := asked[id]; s.unheld && l.State.Open() && l.ListedAt.IsZero() {
			w.Event, w.Status = selling.OnWithdraw, "on sale without an answer that says as what"
		}
		words = append(words, w)
	}
	missing := slices.DeleteFunc(slices.Clone(ls), func(l selling.Listing) bool { return shown[l.ID] })
	if len(missing) == 0 {
		return words, nil, nil
	}
	moves, err := s.wallet.since(ctx, s.c, oldest(missing))
	if err != nil {
		return words, nil, err // nothing can be said of what is missing
	}
	sold, credits := sales(missing, moves)
	return append(words, sold...), credits, nil
}

// oldest gives when the first of some listings was created.
func oldest(ls []selling.Listing) time.Time {
	return slices.MinFunc(ls, func(a, b selling.Listing) int { return a.CreatedAt.Compare(b.CreatedAt) }).CreatedAt
}

const (
	walletEvery  = 2 * time.Minute     // between two readings of the wallet: money comes days after a sale
	walletMargin = time.Hour           // how far a clock of SIH's may be behind ours
	walletWindow = 30 * 24 * time.Hour // how far back the wallet is read for what is off sale
)

// walletLook is what the deposit wallet was credited, as it was last read.
type walletLook struct {
	mu    sync.Mutex // held while it is read
	at    time.Time  // of the last reading; zero: none yet
	from  time.Time  // how far back it went
	moves []Movement
	err   error
}

// since gives the credits since a time, and perhaps older ones. It reads them anew
// when the last reading is old or, unless that failed, does not go back so far.
func (w *walletLook) since(ctx context.Context, c *Client, from time.Time) ([]Movement, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := c.cfg.Now()
	if from = from.Add(-walletMargin); from.Before(now.Add(-walletWindow)) {
		from = now.Add(-walletWindow)
	}
	recent := !w.at.IsZero() && now.Sub(w.at) < walletEvery && !now.Before(w.at)
	if !recent || w.err == nil && from.Before(w.from) {
		moves, err := c.WalletHistory(ctx, DepositWallet, from, WalletDeposit)
		if err != nil && ctx.Err() != nil {
			return nil, err // says nothing of the wallet
		}
		w.at, w.from, w.moves, w.err = now, from, moves, err
	}
	return w.moves, w.err
}

// sales tells of listings that are not on sale, by the movements of the deposit
// wallet. An id of ours in one decides whose it is, if need be that of a listing
// that was not asked about; else SIH's does, and of several the first listing's.
func sales(missing []selling.Listing, moves []Movement) ([]selling.Word, []selling.Credit) {
	words := make([]selling.Word, len(missing))
	index := make(map[string]int, 2*len(missing)) // by both ids
	for i, l := range slices.Backward(missing) {
		words[i].ID = l.ID
		index[string(l.ID)] = i
		if l.MarketRef != "" {
			index[l.MarketRef] = i
		}
	}
	var credits []selling.Credit
	for _, m := range moves {
		if m.Amount <= 0 {
			continue
		}
		const none = math.MaxInt
		byOurs, byTheirs, ours := none, none, false
		for id := range scalars(m.Data) {
			i, ok := index[id]
			switch {
			case strings.HasPrefix(id, selling.ListingPrefix):
				ours = true
				if ok {
					byOurs = min(byOurs, i)
				}
			case ok:
				byTheirs = min(byTheirs, i)
			}
		}
		i := byTheirs
		if ours {
			i = byOurs
		}
		switch {
		case i != none:
			w := &words[i]
			w.Event, w.Shown, w.Proceeds, w.CreditRef = selling.OnSold, true, m.Amount, m.ID
		case !ours:
			credits = append(credits, selling.Credit{Ref: m.ID, Amount: m.Amount, At: m.Created})
		}
	}
	return words, credits
}

// scalars gives every text and number in a JSON document; none of what is none.
func scalars(doc string) map[string]bool {
	found := map[string]bool{}
	d := json.NewDecoder(strings.NewReader(doc))
	d.UseNumber()
	for {
		t, err := d.Token()
		if err != nil {
			return found
		}
		switch v := t.(type) {
		case string:
			found[v] = true // names of members, too, which are no ids
		case json.Number:
			found[v.String()] = true
		}
	}
}
