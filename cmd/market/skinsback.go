package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"skinarb/execution"
	"skinarb/markets/skinsback"
	"skinarb/pricing"
)

// skinsbackCommands are those of SkinsBack, after the pages of its documentation.
// https://skinsback.com/docs/api/v1/
var skinsbackCommands = []command{
	{
		market: pricing.SkinsBack, name: "status", method: "status",
		does: "Tells whether the market works.", single: true,
		columns: []string{"state", "reason"},
		run: func(ctx context.Context, s *session) error {
			st, err := s.skinsback.Status(ctx)
			if err == nil {
				s.out.add(map[bool]string{true: "available", false: "unavailable"}[st.Available], st.Reason)
			}
			return err
		},
	},
	{
		market: pricing.SkinsBack, name: "balance", method: "balance",
		does: "Shows the money of the account.", single: true,
		more:    "usd can be spent. plain is in a currency that SkinsBack does not name, dollars or roubles; disagree says that it is not what usd is.",
		columns: []string{"usd", "plain", "deals", "withdrawn", "disagree"},
		run: func(ctx context.Context, s *session) error {
			b, err := s.skinsback.GetBalance(ctx)
			if err == nil {
				s.out.add(b.USD, told(b.Plain), told(b.Deals), told(b.Withdrawn), b.Disagree)
			}
			return err
		},
	},
	{
		market: pricing.SkinsBack, name: "currencies", method: "currencies",
		does:    "Lists the currencies, with rates relative to the dollar's.",
		columns: []string{"code", "name", "rate"},
		run: func(ctx context.Context, s *session) error {
			all, err := s.skinsback.GetCurrencies(ctx)
			for _, c := range all {
				s.out.add(c.Code, c.Name, c.Rate)
			}
			return err
		},
	},
	{
		market: pricing.SkinsBack, name: "prices", method: "market_pricelist",
		does:    "Lists every name on offer, with the lowest ask and how many there are.",
		options: []option{inGame, byName, upTo},
		columns: []string{"name", "ask", "count", "class_id"},
		run: func(ctx context.Context, s *session) error {
			l, err := s.skinsback.Pricelist(ctx, s.in.game, func(g skinsback.Group) error {
				s.note.row()
				s.out.add(g.Name, g.Ask, known(g.Count), g.ClassID)
				return s.out.err
			})
			s.skipped(l.Rejected)
			return err
		},
	},
	{
		market: pricing.SkinsBack, name: "lots", method: "market_pricelist (full)",
		does:    "Lists every lot on offer, one by one: hundreds of megabytes at times.",
		more:    "A Doppler's lot is listed twice, with the phase in its name and without.",
		options: []option{inGame, byName, upTo, {name: "extended", help: "Ask for type to stickers, too, which makes the list longer still."}},
		columns: lotColumns,
		brief:   []string{"lot_id", "name", "ask", "stickers"},
		run: func(ctx context.Context, s *session) error {
			l, err := s.skinsback.FullPricelist(ctx, s.in.game, s.in.on("extended"), func(lot skinsback.Lot) error {
				s.note.row()
				s.addLot(lot)
				return s.out.err
			})
			s.skipped(l.Rejected)
			return err
		},
	},
	{
		market: pricing.SkinsBack, name: "search", method: "market_search",
		does: "Finds the lots on offer now whose name has this text in it.",
		args: "TEXT", least: 1, most: 1, arg: atLeastThree,
		options: []option{inGame, upTo},
		columns: lotColumns, brief: lotBrief,
		run: func(ctx context.Context, s *session) error {
			lots, err := s.skinsback.Search(ctx, s.in.game, s.in.args[0])
			return s.addLots(lots, err)
		},
	},
	{
		market: pricing.SkinsBack, name: "search-names", method: "market_search",
		does: "Finds the lots on offer now that have one of these names exactly.",
		args: "NAME...", least: 1, most: 50, arg: atLeastThree,
		options: []option{inGame, upTo},
		columns: lotColumns, brief: lotBrief,
		run: func(ctx context.Context, s *session) error {
			lots, err := s.skinsback.SearchNames(ctx, s.in.game, s.in.args)
			return s.addLots(lots, err)
		},
	},
	{
		market: pricing.SkinsBack, name: "purchase", method: "market_getinfo",
		does: "Shows purchases by their IDs.",
		args: "ID...", least: 1, most: 50,
		options: []option{ours},
		columns: purchaseColumns, brief: purchaseBrief,
		run: func(ctx context.Context, s *session) error {
			ask, idOf := s.skinsback.GetInfoMany, func(p skinsback.Purchase) string { return p.BuyID }
			if s.in.on(ours.name) {
				ask, idOf = s.skinsback.GetInfoByCustomIDs, func(p skinsback.Purchase) string { return p.CustomID }
			}
			all, err := ask(ctx, s.in.args)
			if err != nil {
				return err
			}
			return showFound(s, all, idOf, purchaseRow)
		},
	},
	{
		market: pricing.SkinsBack, name: "purchases", method: "market_history",
		does:    "Lists the purchases of the account, newest first.",
		more:    "States: creating_trade, waiting_accept, accepted, canceled, timeout, invalid_trade_token, user_not_tradable, trade_create_error, rollback_user, rollback_supplier.",
		options: []option{byState, since, until, upTo},
		columns: purchaseColumns, brief: purchaseBrief,
		run: func(ctx context.Context, s *session) error {
			all, err := s.skinsback.GetHistory(ctx, s.from(), s.in.until)
			return showNewest(s, all, err, func(p skinsback.Purchase) (time.Time, string) { return p.At, p.BuyID }, purchaseRow)
		},
	},
	{
		market: pricing.SkinsBack, name: "inventory", method: "user_inventory",
		does:          "Lists what the account of TRADE_URL has, and what SkinsBack pays for it.",
		more:          "price is in dollars; local and local_multiplied are in the currency asked for, and in dollars that times --multiplier.",
		needsTradeURL: true,
		options: []option{
			inGame, byName, upTo,
			text("currency", "CODE", "Currency of local prices, as market skinsback currencies has it."),
			number("multiplier", "Multiplier of local prices, 0.5 to 2.", skinsback.LeastMultiplier, skinsback.MostMultiplier, func(in *input) *decimal.Decimal { return &in.multiplier }),
			{"custom-currency", "NAME", "", "A currency of your own for local prices, up to 4 characters; needs --custom-rate.", func(_ *input, v string) error {
				if len(v) > skinsback.MaxCustomCurrency {
					return fmt.Errorf("it has %d characters at most", skinsback.MaxCustomCurrency)
				}
				return nil
			}},
			number("custom-rate", "Its rate, at least 0.1.", skinsback.LeastCustomRate, decimal.Zero, func(in *input) *decimal.Decimal { return &in.rate }),
		},
		check:   ownCurrency,
		columns: []string{"asset_id", "name", "price", "sellable", "tradable", "disabled", "local", "local_multiplied", "local_currency", "app_id", "class_id", "icon_url"},
		brief:   []string{"asset_id", "name", "price", "sellable", "tradable"},
		run: func(ctx context.Context, s *session) error {
			inv, err := s.skinsback.GetInventory(ctx, skinsback.InventoryRequest{
				Game: s.in.game, SteamID: s.cfg.recipient.SteamID, TradeToken: s.cfg.recipient.Token,
				Currency: s.in.given["currency"], Multiplier: s.in.multiplier,
				CustomCurrency: s.in.given["custom-currency"], CustomRate: s.in.rate,
			})
			for _, i := range inv.Items {
				s.out.add(i.AssetID, i.Name, told(i.Price), i.Sellable(), i.Tradable, i.Disabled, rational(i.Local), rational(i.LocalMultiplied), told(inv.Currency), i.AppID, i.ClassID, i.IconURL)
			}
			s.skipped(map[string]int{"no asset id": inv.Rejected})
			return err
		},
	},
	{
		market: pricing.SkinsBack, name: "sell", method: "create_from_user_inventory",
		does: "Offers items of the account of TRADE_URL to SkinsBack, for what it pays.",
		more: "SkinsBack makes a trade offer. Nothing has changed hands before it is accepted on Steam: compare the bot before that, and let the offer expire when usd is too little.",
		args: "ASSET...", least: 1, most: skinsback.MaxSale, arg: assetOnce,
		needsTradeURL: true,
		gives:         "SkinsBack makes a trade offer for these items",
		lookup:        "market skinsback deposit --custom ORDER_ID",
		options: []option{
			inGame,
			{"order-id", "ID", "", "Our ID of it, never used before: up to 64 letters, digits, - and _. Without it one is made of the time.", depositID},
			text("currency", "CODE", "Currency of local sums."),
			text("result-url", "URL", "Where SkinsBack sends callbacks; without it the project's."),
		},
		columns: []string{"order_id", "transaction_id", "usd", "local", "local_multiplied", "local_currency", "offer_id", "offer_expires_at", "bot_steam_id", "bot_name"},
		single:  true,
		run:     sell,
	},
	{
		market: pricing.SkinsBack, name: "deposit-page", method: "create",
		does:    "Opens a deposit for a user, and gives the page to send the user to.",
		more:    "Whoever has the page's address can make the deposit: give it to the user alone. It is said to work for 25 minutes. Where TRADE_URL is the user's, its token is sent.",
		args:    "ORDER_ID STEAM_ID",
		least:   2,
		most:    2,
		arg:     depositOfUser,
		check:   leastAndMost,
		lookup:  "market skinsback deposit --custom ORDER_ID",
		columns: []string{"order_id", "transaction_id", "url"},
		single:  true,
		options: []option{
			worth(0, "min", "Least that the deposit may be worth."),
			worth(1, "max", "Most that it may be worth."),
			text("result-url", "URL", "Where SkinsBack sends callbacks; without it the project's."),
			text("success-url", "URL", "Where the user goes afterwards; without it the project's."),
			text("fail-url", "URL", "Where the user goes when it came to nothing; without it the project's."),
		},
		run: func(ctx context.Context, s *session) error {
			r := skinsback.DepositRequest{
				OrderID: s.in.args[0], SteamID: s.in.args[1], Min: s.in.worths[0], Max: s.in.worths[1],
				ResultURL: s.in.given["result-url"], SuccessURL: s.in.given["success-url"], FailURL: s.in.given["fail-url"],
			}
			if s.cfg.recipient.SteamID == r.SteamID {
				r.TradeToken = s.cfg.recipient.Token
			}
			return s.send(ctx, func(ctx context.Context) error {
				page, err := s.skinsback.CreateDeposit(ctx, r)
				if err == nil {
					s.out.add(r.OrderID, page.TransactionID, page.URL)
				}
				return err
			})
		},
	},
	{
		market: pricing.SkinsBack, name: "deposit", method: "orderstatus",
		does: "Shows a deposit, by SkinsBack's transaction ID.",
		args: "ID", least: 1, most: 1,
		options: []option{ours},
		columns: depositColumns, single: true,
		run: func(ctx context.Context, s *session) error {
			d, err := s.skinsback.GetDeposit(ctx, s.depositRef())
			if err == nil {
				s.out.add(depositRow(d)...)
			}
			return err
		},
	},
	{
		market: pricing.SkinsBack, name: "deposits", method: "orders",
		does:    "Lists deposits, newest first.",
		more:    "States: pending, success, fail, in_hold, hold_approved, hold_returned.",
		options: []option{byState, since, until, upTo},
		columns: depositColumns, brief: []string{"created_at", "state", "order_id", "transaction_id", "usd", "items"},
		run: func(ctx context.Context, s *session) error {
			all, err := s.skinsback.GetDeposits(ctx, s.from(), s.in.until)
			return showNewest(s, all, err, func(d skinsback.Deposit) (time.Time, string) { return d.CreatedAt, d.TransactionID }, depositRow)
		},
	},
	{
		market: pricing.SkinsBack, name: "approve", method: "offer_approve",
		does: "Takes a deposit that is in hold without waiting for the end of the hold.",
		args: "ID", least: 1, most: 1,
		gives:   "from now on a reversed trade is our loss",
		lookup:  "market skinsback deposit ID",
		options: []option{ours},
		columns: depositColumns, single: true,
		run: func(ctx context.Context, s *session) error {
			d, err := s.skinsback.GetDeposit(ctx, s.depositRef())
			if err != nil {
				return fmt.Errorf("nothing was approved: %w", &unsentError{err})
			}
			err = s.confirm(ctx, fmt.Sprintf("%s, order %s, %s, %s", d.TransactionID, d.OrderID, d.Status, d.USD))
			if err != nil {
				return err
			}
			return s.send(ctx, func(ctx context.Context) error {
				if err := s.skinsback.ApproveDeposit(ctx, s.depositRef()); err != nil {
					return err
				}
				if after, err := s.skinsback.GetDeposit(ctx, s.depositRef()); err == nil {
					d = after
				}
				s.out.add(depositRow(d)...)
				return nil
			})
		},
	},
	{
		market: pricing.SkinsBack, name: "callback-errors", method: "callback_error_list",
		does:    "Lists the callbacks about deposits that did not reach us.",
		columns: []string{"transaction_id", "order_id", "http_code"},
		run: func(ctx context.Context, s *session) error {
			all, err := s.skinsback.GetCallbackErrors(ctx)
			for _, e := range all {
				s.out.add(e.TransactionID, e.OrderID, e.HTTPCode)
			}
			return err
		},
	},
	{
		market: pricing.SkinsBack, name: "events", method: "events over the WebSocket",
		does: "Shows what SkinsBack says by itself, as it comes, until Ctrl-C.",
		more: "An event says where to look and proves nothing: it may be late, lost, repeated or old. Whether SkinsBack sends each to two that listen at once, such as this and a trader, is not documented.",
		live: true, needsSocket: true,
		options: []option{byState, forTime},
		columns: []string{"received_at", "kind", "state", "buy_id", "custom_id"},
		longest: []string{"", "balance_change", string(skinsback.InvalidTradeToken), "1234567890", ""}, // a time is as long as any other
		run: func(ctx context.Context, s *session) error {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			if s.in.lasts > 0 {
				defer time.AfterFunc(s.in.lasts, cancel).Stop()
			}
			return s.skinsback.Listen(ctx, s.cfg.socketURL, func() { s.note.say("listening") }, func(e skinsback.Event) {
				s.out.add(s.env.now(), told(e.Kind), told(e.Status), told(e.BuyID), told(e.CustomID))
				if s.out.err != nil {
					cancel() // nobody reads any more
				}
			})
		},
	},
}

var (
	lotColumns      = []string{"lot_id", "name", "ask", "class_id", "type", "weapon", "exterior", "quality", "rarity", "stickers"}
	lotBrief        = []string{"lot_id", "name", "ask"}
	purchaseColumns = []string{"created_at", "state", "name", "price", "debited", "buy_id", "custom_id", "item_id", "offer_id", "steam_id", "error"}
	purchaseBrief   = []string{"created_at", "state", "name", "debited", "buy_id", "custom_id", "error"}
	depositColumns  = []string{"created_at", "state", "order_id", "transaction_id", "usd", "user_usd", "amount", "currency", "steam_id", "offered_at", "sent_at", "items"}
)

func (s *session) addLot(l skinsback.Lot) {
	s.out.add(l.ID, l.Name, l.Ask, told(l.ClassID), told(l.Extra.Type), told(l.Extra.Weapon), told(l.Extra.Exterior), told(l.Extra.Quality), told(l.Extra.Rarity), l.Stickers)
}

func (s *session) addLots(lots []skinsback.Lot, err error) error {
	for _, l := range lots {
		s.addLot(l)
	}
	return err
}

func purchaseRow(p skinsback.Purchase) []any {
	return []any{at(p.At), p.OfferStatus, p.Name, told(p.Price), told(p.Debited), p.BuyID, told(p.CustomID), told(p.ItemID), told(p.TradeOfferID), told(p.SteamID), told(p.ErrorReason)}
}

func depositRow(d skinsback.Deposit) []any {
	items := several{}
	for _, i := range d.Items {
		items = append(items, thing{i.Name, i.USD})
	}
	return []any{at(d.CreatedAt), d.Status, told(d.OrderID), d.TransactionID, told(d.USD), told(d.UserUSD), rational(d.Amount), told(d.Currency), told(d.SteamID), at(d.OfferedAt), at(d.SentAt), items}
}

// depositRef names the deposit that the argument is about.
func (s *session) depositRef() skinsback.DepositRef {
	if s.in.on(ours.name) {
		return skinsback.DepositRef{OrderID: s.in.args[0]}
	}
	return skinsback.DepositRef{TransactionID: s.in.args[0]}
}

// from gives --since for a market that wants a time to begin with.
func (s *session) from() time.Time {
	if s.in.since.IsZero() {
		return time.Unix(0, 0)
	}
	return s.in.since
}

// sell looks the items up, so that a person sees what they are and what they
// bring, before it offers them.
func sell(ctx context.Context, s *session) error {
	r := skinsback.SellRequest{
		OrderID: s.in.given["order-id"], Game: s.in.game, SteamID: s.cfg.recipient.SteamID, TradeToken: s.cfg.recipient.Token,
		AssetIDs: s.in.args, Currency: s.in.given["currency"], ResultURL: s.in.given["result-url"],
	}
	if r.OrderID == "" {
		r.OrderID = fmt.Sprintf("hand-%d", s.in.now.UnixMilli())
	}
	inv, err := s.skinsback.GetInventory(ctx, skinsback.InventoryRequest{Game: r.Game, SteamID: r.SteamID, TradeToken: r.TradeToken})
	if err != nil {
		return fmt.Errorf("nothing was offered: %w", &unsentError{err})
	}
	var sum pricing.Money
	var what, missing []string
	for _, id := range r.AssetIDs {
		i := slices.IndexFunc(inv.Items, func(it skinsback.InventoryItem) bool { return it.AssetID == id })
		if i < 0 || !inv.Items[i].Sellable() {
			missing = append(missing, id)
			continue
		}
		sum += inv.Items[i].Price
		what = append(what, fmt.Sprintf("%s  %s  %s", id, inv.Items[i].Name, inv.Items[i].Price))
	}
	if len(missing) > 0 {
		return fmt.Errorf("nothing was offered: %w", &unsentError{fmt.Errorf("SkinsBack would not take %s now; see market skinsback inventory", strings.Join(missing, ", "))})
	}
	what = append(what, fmt.Sprintf("together %s, as order %s", sum, r.OrderID))
	if err := s.confirm(ctx, what...); err != nil {
		return err
	}
	return s.send(ctx, func(ctx context.Context) error {
		done, err := s.skinsback.Sell(ctx, r, nil)
		if err != nil {
			return fmt.Errorf("order %s: %w", r.OrderID, err)
		}
		s.out.add(done.OrderID, done.TransactionID, told(done.USD), rational(done.Local), rational(done.LocalMultiplied), told(done.LocalCurrency), told(done.OfferID), at(done.OfferExpires), told(done.BotSteamID), told(done.BotName))
		return nil
	})
}

// showFound shows what was found of what the arguments ask for, and fails if
// something was not.
func showFound[T any](s *session, all []T, idOf func(T) string, row func(T) []any) error {
	found := map[string]bool{}
	for _, v := range all {
		found[idOf(v)] = true
		s.out.add(row(v)...)
	}
	var missing []string
	for _, id := range s.in.args {
		if !found[id] {
			missing = append(missing, id)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("%s: %w", strings.Join(missing, ", "), execution.ErrNotFound)
	}
	return nil
}

// showNewest shows a history, the newest first. made tells when something was, and
// the market's number of it, which is larger for the later of one second; without
// numbers the market's order stays.
func showNewest[T any](s *session, all []T, err error, made func(T) (at time.Time, number string), row func(T) []any) error {
	if err != nil {
		return err
	}
	slices.SortStableFunc(all, func(a, b T) int {
		atA, numberA := made(a)
		atB, numberB := made(b)
		return cmp.Or(atB.Compare(atA), len(numberB)-len(numberA), strings.Compare(numberB, numberA))
	})
	for _, v := range all {
		s.out.add(row(v)...)
	}
	return nil
}

// skipped tells of rows that the market sent and nobody could use.
func (s *session) skipped(byReason map[string]int) {
	var parts []string
	for reason, n := range byReason {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, reason))
		}
	}
	if len(parts) > 0 {
		slices.Sort(parts)
		s.note.say("rows left out that could not be used: " + strings.Join(parts, ", "))
	}
}

// known is a count, if the market told it.
func known(n int) any {
	if n == pricing.CountUnknown {
		return nil
	}
	return n
}
