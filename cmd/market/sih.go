package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"skinarb/markets/sih"
	"skinarb/pricing"
)

// sihCommands are those of SIH Market, after its guide. https://docs.sih.app/guide
var sihCommands = []command{
	{
		market: pricing.SIH, name: "project", method: "GET /project",
		does: "Shows the account: its name, its balance, and where events are sent.", single: true,
		more:    "Of the webhook only the server is shown: its path ends in a secret.",
		columns: []string{"id", "name", "balance", "webhook"},
		run: func(ctx context.Context, s *session) error {
			p, err := s.sih.Project(ctx)
			if err == nil {
				s.out.add(p.ID, p.Name, p.Balance, told(serverOf(p.Webhook)))
			}
			return err
		},
	},
	{
		market: pricing.SIH, name: "set-webhook", method: "GET /set-webhook",
		does: "Has SIH send events to a trader at this address.",
		more: "ADDRESS is how the trader is reached from outside, such as https://trader.example.com; /webhooks/sih/ and SIH_WEBHOOK_SECRET are added to it.",
		args: "ADDRESS", least: 1, most: 1, arg: publicAddress,
		needsWebhook: true,
		lookup:       "market sih project",
		columns:      []string{"webhook"}, single: true,
		run: func(ctx context.Context, s *session) error {
			base, err := url.Parse(s.in.args[0])
			if err != nil {
				return err // publicAddress has parsed it
			}
			address := base.JoinPath("webhooks", "sih", s.cfg.webhookSecret).String()
			return s.send(ctx, func(ctx context.Context) error {
				err := s.sih.SetWebhook(ctx, address)
				if err == nil {
					s.out.add(serverOf(address))
				}
				return err
			})
		},
	},
	{
		market: pricing.SIH, name: "remove-webhook", method: "GET /set-webhook",
		does:    "Ends the sending of events.",
		lookup:  "market sih project",
		columns: []string{"webhook"}, single: true,
		run: func(ctx context.Context, s *session) error {
			return s.send(ctx, func(ctx context.Context) error {
				err := s.sih.RemoveWebhook(ctx)
				if err == nil {
					s.out.add(nil)
				}
				return err
			})
		},
	},
	{
		market: pricing.SIH, name: "items", method: "GET /get-items",
		does: "Lists every item on offer, with the lowest ask and how many there are.",
		options: []option{
			atSIH, byName, upTo,
			{name: "minified", help: "Ask for SIH's short form."},
			{name: "extended", help: "Ask for SIH's long form."},
		},
		columns: itemColumns, brief: itemBrief,
		run: func(ctx context.Context, s *session) error {
			pull, err := s.sih.GetItems(ctx, s.in.game, sih.Flags{Minified: s.in.on("minified"), Extended: s.in.on("extended")})
			if err != nil {
				return err
			}
			for _, l := range pull.Listings {
				s.out.add(itemRow(l)...)
			}
			s.skipped(pull.Rejected)
			return nil
		},
	},
	{
		market: pricing.SIH, name: "min-item", method: "GET /get-min-item",
		does: "Shows the lowest ask of one item now, by SIH's spelling of its name.",
		args: "NAME", least: 1, most: 1,
		options: []option{atSIH},
		columns: itemColumns, brief: itemBrief,
		run: func(ctx context.Context, s *session) error {
			pull, err := s.sih.GetMinItem(ctx, s.in.game, s.in.args[0])
			if err != nil {
				return err
			}
			for _, l := range pull.Listings {
				s.out.add(itemRow(l)...)
			}
			s.skipped(pull.Rejected)
			return nil
		},
	},
	{
		market: pricing.SIH, name: "order", method: "GET /get-order, POST /get-orders",
		does: "Shows orders by their IDs.",
		args: "ID...", least: 1, most: sih.MaxBatch, arg: orderNumber,
		options: []option{ours},
		columns: orderColumns, brief: orderBrief,
		run: showOrders,
	},
	{
		market: pricing.SIH, name: "orders", method: "GET /get-order-history",
		does:    "Lists the orders of the account, newest first.",
		more:    "States: created, processing, sent, finished, failed, penalized.",
		options: []option{byState, since, upTo},
		columns: orderColumns, brief: orderBrief,
		run: func(ctx context.Context, s *session) error {
			all, err := s.sih.GetOrderHistory(ctx, s.in.since)
			return showNewest(s, all, err, func(o sih.Order) (time.Time, string) { return o.Created, strconv.FormatInt(o.ID, 10) }, orderRow)
		},
	},
	{
		market: pricing.SIH, name: "wallet", method: "GET /wallet/history",
		does: "Lists the movements of a wallet, newest first.",
		more: "Types: 1 purchase, 2 refund, 3 transfer from or to the sih.app balance, 4 sale of an item, 5 part of a purchase's amount that the item cost less, 6 manual refund, 12 refund after a reversed trade. Others are not documented.",
		options: []option{
			{name: "wallet", value: "WALLET", def: mainWallet, help: "main, which pays for purchases, or deposit, which sales go to.", parse: oneOf(mainWallet, depositWallet)},
			{name: "types", value: "N,...", help: "Only movements of these types.", parse: movementTypes},
			since, upTo,
		},
		columns: []string{"created_at", "amount", "type", "meaning", "order_id", "id", "data"},
		brief:   []string{"created_at", "amount", "type", "meaning", "order_id"},
		run: func(ctx context.Context, s *session) error {
			wallet := map[string]sih.Wallet{mainWallet: sih.MainWallet, depositWallet: sih.DepositWallet}[s.in.given["wallet"]]
			all, err := s.sih.WalletHistory(ctx, wallet, s.in.since, s.in.types...)
			return showNewest(s, all, err, func(m sih.Movement) (time.Time, string) { return m.Created, "" }, func(m sih.Movement) []any {
				return []any{at(m.Created), m.Amount, m.Type, told(meanings[m.Type]), told(m.OrderID), m.ID, told(m.Data)}
			})
		},
	},
	{
		market: pricing.SIH, name: "accounts", method: "GET /project/users?check=false",
		does:    "Lists the attached Steam accounts, and whether they are online.",
		options: []option{byState},
		columns: []string{"steam_id", "state"},
		run: func(ctx context.Context, s *session) error {
			all, err := s.sih.AccountStates(ctx)
			for _, a := range all {
				s.out.add(a.SteamID, onlineWord(a.Online))
			}
			return err
		},
	},
	{
		market: pricing.SIH, name: "check-accounts", method: "GET /project/users?check=true",
		does:    "Has SIH ask Steam what every attached account may do now, which takes a while.",
		columns: accountColumns,
		run: func(ctx context.Context, s *session) error {
			all, err := s.sih.Accounts(ctx)
			for _, a := range all {
				s.out.add(accountRow(a)...)
			}
			return err
		},
	},
	{
		market: pricing.SIH, name: "account", method: "GET /project/user/{steamId}",
		does: "Shows what an attached Steam account may do now.",
		args: "STEAM_ID", least: 1, most: 1, arg: steamID,
		columns: accountColumns, single: true,
		run: func(ctx context.Context, s *session) error {
			a, err := s.sih.Account(ctx, s.in.args[0])
			if err == nil {
				s.out.add(accountRow(a)...)
			}
			return err
		},
	},
	{
		market: pricing.SIH, name: "add-account", method: "POST /project/user",
		does:          "Attaches the account of TRADE_URL, so that it can sell.",
		needsTradeURL: true,
		lookup:        "market sih accounts",
		columns:       accountColumns, single: true,
		run: func(ctx context.Context, s *session) error {
			return s.send(ctx, func(ctx context.Context) error {
				a, err := s.sih.AddAccount(ctx, s.cfg.recipient.SteamID, s.cfg.recipient.Token)
				if a != (sih.Account{}) { // a refusal says why in it
					s.out.add(accountRow(a)...)
				}
				return err
			})
		},
	},
	switching("online", "Switches attached accounts on: what they have on sale can be bought.", true),
	switching("offline", "Switches attached accounts off: what they have on sale pauses.", false),
	{
		market: pricing.SIH, name: "on-sale", method: "GET /project/deposits",
		does:    "Lists what is on sale, or paused.",
		options: []option{upTo},
		columns: []string{"id", "custom_id", "price"},
		run: func(ctx context.Context, s *session) error {
			all, err := s.sih.Deposits(ctx)
			for _, d := range all {
				s.out.add(d.ID, told(d.CustomID), d.Price)
			}
			return err
		},
	},
	{
		market: pricing.SIH, name: "deposit", method: "POST /project/deposit",
		does: "Puts items of an attached account on sale, each for a price of ours.",
		more: "ASSET=PRICE is an item and what one of it is sold for, in dollars; ASSET=PRICExN are N of them. What SIH keeps of it is not documented.",
		args: "ASSET=PRICE...", least: 1, most: sih.MaxDeposits, arg: assetForPrice,
		gives:         "these are sold to whoever pays the price",
		needsTradeURL: true,
		lookup:        "market sih on-sale",
		options:       []option{atSIH},
		columns:       []string{"state", "asset_id", "name", "phase", "price", "quantity", "id", "custom_id", "float", "stickers"},
		brief:         []string{"state", "asset_id", "name", "price", "quantity", "id", "custom_id"},
		run:           deposit,
	},
	{
		market: pricing.SIH, name: "delete-deposit", method: "POST /project/delete-deposit",
		does: "Takes items off sale. What the answer does not name may be on sale still, or sold.",
		args: "ID...", least: 1, most: sih.MaxDeposits,
		lookup:  "market sih on-sale",
		options: []option{ours},
		columns: []string{"id"},
		run: func(ctx context.Context, s *session) error {
			var ids []sih.DepositID
			custom := s.in.args
			if !s.in.on(ours.name) {
				custom = nil
				for _, id := range s.in.args {
					ids = append(ids, sih.DepositID(id))
				}
			}
			return s.send(ctx, func(ctx context.Context) error {
				named, err := s.sih.DeleteDeposits(ctx, ids, custom)
				for _, id := range named {
					s.out.add(id)
				}
				if left := len(s.in.args) - len(named); err == nil && left > 0 {
					return &partlyError{left: left, all: len(s.in.args), reasons: []string{"they are not named in the answer; see market sih on-sale"}}
				}
				return err
			})
		},
	},
}

// The wallets' names here.
const (
	mainWallet    = "main"
	depositWallet = "deposit"
)

// meanings of wallet movements.
var meanings = map[int]string{
	sih.WalletPurchase: "purchase", sih.WalletRefund: "refund", sih.WalletTransfer: "transfer", sih.WalletDeposit: "sale",
	sih.WalletFairPrice: "cost less", sih.WalletManualRefund: "manual refund", sih.WalletProtectionRefund: "reversed trade",
}

func movementTypes(in *input, v string) error {
	for part := range strings.SplitSeq(v, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil || n < 1 || n > 1000 {
			return errors.New("it is a comma list of numbers, such as 1,2,12")
		}
		in.types = append(in.types, n)
	}
	return nil
}

var (
	itemColumns    = []string{"name", "item", "phase", "ask", "count", "steam", "sell_hint", "source"}
	itemBrief      = []string{"name", "ask", "count", "steam"}
	orderColumns   = []string{"created_at", "state", "name", "amount", "expected", "id", "custom_id", "steam_id", "offer_id", "offer_deadline", "protection", "protection_error", "rollback_at", "rollback_amount", "updated_at", "error"}
	orderBrief     = []string{"created_at", "state", "name", "amount", "expected", "id", "custom_id", "protection", "error"}
	accountColumns = []string{"steam_id", "trade", "trade_reason", "p2p", "p2p_reason"}
)

func itemRow(l pricing.Listing) []any {
	return []any{l.MarketName, l.Item.Name, told(l.Item.Phase), l.Ask, known(l.Count), told(l.Steam), told(l.SellHint), told(l.Source)}
}

func orderRow(o sih.Order) []any {
	return []any{
		at(o.Created), o.Status, o.Item, o.Amount, told(o.Expected), o.ID, told(o.CustomID), told(o.SteamID), told(o.OfferID), at(o.OfferDeadline),
		told(o.Protection), told(o.ProtectionError), at(o.RollbackAt), told(o.RollbackAmount), at(o.Updated), told(o.Error),
	}
}

func accountRow(a sih.Account) []any {
	return []any{a.SteamID, a.Trade.OK, told(a.Trade.Reason), a.P2P.OK, told(a.P2P.Reason)}
}

func onlineWord(online bool) string {
	if online {
		return "online"
	}
	return "offline"
}

// switching is one of the two commands that switch accounts.
func switching(name, does string, online bool) command {
	return command{
		market: pricing.SIH, name: name, does: does,
		method: "POST /project/user/{steamId}/online/{online}, POST /project/users/online/{online}",
		args:   "STEAM_ID...", least: 1, most: sih.MaxAccounts, arg: steamID,
		lookup:  "market sih accounts",
		columns: []string{"steam_id", "state"},
		run: func(ctx context.Context, s *session) error {
			return s.send(ctx, func(ctx context.Context) (err error) {
				if len(s.in.args) == 1 {
					err = s.sih.SetAccountOnline(ctx, s.in.args[0], online)
				} else {
					err = s.sih.SetAccountsOnline(ctx, s.in.args, online)
				}
				if err != nil {
					return err
				}
				for _, id := range s.in.args {
					s.out.add(id, onlineWord(online))
				}
				return nil
			})
		},
	}
}

// showOrders asks for orders, by SIH's numbers or by our IDs.
func showOrders(ctx context.Context, s *session) error {
	var custom []string
	if s.in.on(ours.name) {
		custom = s.in.args
	}
	var all []sih.Order
	var err error
	switch {
	case len(s.in.args) > 1:
		all, err = s.sih.GetOrders(ctx, s.in.orders, custom)
	default:
		all = make([]sih.Order, 1)
		if custom != nil {
			all[0], err = s.sih.GetOrder(ctx, 0, custom[0])
		} else {
			all[0], err = s.sih.GetOrder(ctx, s.in.orders[0], "")
		}
	}
	if err != nil {
		return err
	}
	return showFound(s, all, func(o sih.Order) string {
		if custom != nil {
			return o.CustomID
		}
		return strconv.FormatInt(o.ID, 10)
	}, orderRow)
}

// deposit puts on sale what the arguments say. Our IDs are made of the asset and
// the time, so that every attempt has its own.
func deposit(ctx context.Context, s *session) error {
	d := sih.NewDeposit{SteamID: s.cfg.recipient.SteamID, Game: s.in.game}
	var what []string
	for _, one := range s.in.sales {
		id := fmt.Sprintf("hand-%s-%s", one.asset, strconv.FormatInt(s.in.now.Unix(), 36))
		d.Items = append(d.Items, sih.NewDepositItem{AssetID: sih.AssetID(one.asset), Price: one.price, CustomID: id, Quantity: one.quantity})
		what = append(what, fmt.Sprintf("%s  %d for %s each, as %s", one.asset, one.quantity, one.price, id))
	}
	if err := s.confirm(ctx, append(what, "of account "+d.SteamID)...); err != nil {
		return err
	}
	return s.send(ctx, func(ctx context.Context) error {
		done, err := s.sih.Deposit(ctx, d)
		if err != nil {
			return err
		}
		for _, l := range done.Items {
			s.out.add("on_sale", string(l.AssetID), told(l.Name), told(l.Phase), l.Price, told(l.Quantity), l.ID, l.CustomID, told(l.Float), l.Stickers)
		}
		for _, l := range done.Left {
			s.out.add("refused", string(l.AssetID), nil, nil, l.Price, l.Quantity, nil, l.CustomID, nil, nil)
		}
		if len(done.Left) > 0 {
			return &partlyError{left: len(done.Left), all: len(d.Items), reasons: done.Problems}
		}
		return nil
	})
}

// publicAddress checks what a webhook's address begins with.
func publicAddress(_ *input, v string) error {
	if address("", v) != nil {
		return errors.New("it is a plain http or https address, such as https://trader.example.com")
	}
	return nil
}

// serverOf gives of an address what is no secret.
func serverOf(address string) string {
	u, err := url.Parse(address)
	switch {
	case address == "":
		return ""
	case err != nil || u.Host == "":
		return "(set)"
	}
	return u.Scheme + "://" + u.Host + "/..."
}
