package marketsim

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// A deposit's life is drawn when it is made, as an order's is:
//
//	pending ─> in_hold ─> success
//	   │         │ └────> hold_returned
//	   │         └─ offer_approve ─> hold_approved
//	   └─> fail | success
//
// The page of create is visited at once, and the user offers there what he has.
// Items of CS2 are in hold while Steam's protection lasts; others are a success
// when they come. The balance grows with success or hold_approved. After
// hold_approved nothing more happens: who bears a reversed trade then is not
// documented.

// sbDeposits are SkinsBack's. Guarded by World.mu.
type sbDeposits struct {
	all       []*sbDeposit // deposit i has the id firstTransaction+i
	byOrder   map[string]*sbDeposit
	resultURL string // of the project, for callbacks; empty: none
	calls     []callback
	failed    []failedCallback
}

const firstTransaction = 116_700_001

// Bounds of deposits.
const (
	leastDeposit   = dollar / 2
	userMultiplier = 1_100_000 // what a user gets of the amount, in millionths
	depositPage    = 1000      // rows of an answer
)

type sbDeposit struct {
	id        int64
	orderID   string
	steamID   string
	game      string
	resultURL string
	created   time.Time
	offered   time.Time
	sent      time.Time
	offerID   int64

	state    string
	assets   []offerable
	prices   []int64 // of assets when they were offered, micro-dollars
	sum      int64   // of prices
	credited int64   // micro-dollars

	plan []depositChange
	due  time.Time // of plan[0]
}

// depositChange is one step in the life of a deposit.
type depositChange struct {
	after  time.Duration
	state  string // "" keeps it
	offer  bool   // the user has chosen, and an offer is made
	came   bool   // the items have come
	credit bool
}

// valued tells whether the amount is told.
func (d *sbDeposit) valued() bool {
	return d.state == "success" || d.state == "in_hold" || d.state == "hold_approved"
}

// open makes a deposit.
func (w *World) open(d *sbDeposit) {
	d.id = firstTransaction + int64(len(w.sbDeposits.all))
	d.created, d.state = w.now, "pending"
	if d.resultURL == "" {
		d.resultURL = w.sbDeposits.resultURL
	}
	d.plan = w.planDeposit(d)
	d.due = w.now.Add(d.plan[0].after)
	w.sbDeposits.all = append(w.sbDeposits.all, d)
	if w.sbDeposits.byOrder == nil {
		w.sbDeposits.byOrder = map[string]*sbDeposit{}
	}
	w.sbDeposits.byOrder[d.orderID] = d
}

// planDeposit draws the life of a deposit, from its beginning if nothing is
// offered yet.
func (w *World) planDeposit(d *sbDeposit) []depositChange {
	t, odds := w.cfg.Timing, w.cfg.Outcomes
	draw := below(roll(w.cfg.Seed, aboutDeposit, uint64(d.id)), 100)
	var plan []depositChange
	if d.assets == nil {
		plan = append(plan, depositChange{after: w.span(t.TradeCreation), offer: true})
	}
	came := depositChange{after: w.span(t.Acceptance), came: true, state: "in_hold"}
	switch {
	case draw < odds.Fail:
		return append(plan, depositChange{after: w.span(t.Acceptance), state: "fail"})
	case draw < odds.Fail+odds.Timeout:
		return append(plan, depositChange{after: w.span(t.AcceptTimeout), state: "fail"})
	case d.game != cs2:
		came.state, came.credit = "success", true
		return append(plan, came)
	case draw < odds.Fail+odds.Timeout+odds.Rollback:
		return append(plan, came, depositChange{after: w.span(t.Protection) / 2, state: "hold_returned"})
	}
	return append(plan, came, depositChange{after: w.span(t.Protection), state: "success", credit: true})
}

// advanceDeposits makes everything happen that was to happen until now.
func (w *World) advanceDeposits() {
	for _, d := range w.sbDeposits.all {
		for len(d.plan) > 0 && !d.due.After(w.now) {
			w.stepDeposit(d)
		}
	}
}

func (w *World) stepDeposit(d *sbDeposit) {
	c, at := d.plan[0], d.due
	if d.plan = d.plan[1:]; len(d.plan) > 0 {
		d.due = at.Add(d.plan[0].after)
	}
	if c.offer {
		w.chooseItems(d)
		if w.makeOffer(d, at); d.sum == 0 {
			c.state, d.plan = "fail", nil // an empty inventory
		}
	}
	if c.came {
		d.sent = at
	}
	if c.credit {
		w.credit(d)
	}
	if c.state == "fail" || c.state == "hold_returned" {
		for _, a := range d.assets {
			w.handBack(d.steamID, a.id)
		}
	}
	if c.state != "" {
		d.state = c.state
		w.callBack(d)
	}
}

// chooseItems offers the first few things that a user has.
func (w *World) chooseItems(d *sbDeposit) {
	for _, a := range w.offerables(d.game, d.steamID) {
		if a.tradable && !a.disabled && len(d.assets) < 3 {
			w.addAsset(d, a)
		}
	}
}

func (w *World) addAsset(d *sbDeposit, a offerable) {
	price := w.credits(a)
	d.assets, d.prices, d.sum = append(d.assets, a), append(d.prices, price), d.sum+price
}

// makeOffer makes the trade offer. What is offered is nobody else's to have.
func (w *World) makeOffer(d *sbDeposit, at time.Time) {
	for _, a := range d.assets {
		w.handOver(d.steamID, a.id)
	}
	d.offered = at
	d.offerID = 7_100_000_000 + int64(below(roll(0, aboutDeposit, uint64(d.id), 1), 99_000_000))
}

// credit pays for a deposit.
func (w *World) credit(d *sbDeposit) {
	d.credited = d.sum
	m := w.skinsback
	m.balance += d.sum
	if m.listening() {
		m.outbox.news = lastOf(append(m.outbox.news, m.sbBalanceEvent()), maxNews)
	}
}

// depositRow is a deposit as orderstatus and orders tell it, and with more in a
// callback.
func (w *World) depositRow(d *sbDeposit) params {
	row := params{
		"status":         d.state,
		"transaction_id": strconv.FormatInt(d.id, 10),
		"order_id":       d.orderID,
		"steam_id":       d.steamID,
		"date":           d.created.Unix(),
	}
	if !d.offered.IsZero() {
		row["offer_date"] = d.offered.Unix()
	}
	if !d.valued() {
		return row
	}
	user := scale(d.sum, userMultiplier)
	row["amount"], row["amount_currency"] = w.number(formatMoney(d.sum)), "usd"
	row["amount_in_currencies"] = inCurrencies(d.sum)
	row["user_amount"], row["user_amount_in_currencies"] = w.number(formatMoney(user)), inCurrencies(user)
	row["skins_send_date"] = d.sent.Unix()
	var skins []any
	for i, a := range d.assets {
		skins = append(skins, map[string]any{"name": a.listing.name, "price": formatMoney(d.prices[i])})
	}
	row["skins"] = skins
	return row
}

// inCurrencies writes an amount in every currency.
func inCurrencies(amount int64) map[string]any {
	all := make(map[string]any, len(currencies))
	for _, c := range currencies {
		all[c.code] = formatMills(scale(amount, c.rate))
	}
	return all
}

// sbCreate opens a deposit and gives its page.
func (w *World) sbCreate(p params) (any, *sbError) {
	orderID := p.text("order_id")
	low, high, currency := p.text("min_amount"), p.text("max_amount"), p.text("currency")
	least, lowOK := parseMoney(low)
	most, highOK := parseMoney(high)
	_, rate := currencyRate(currency)
	switch {
	case orderID == "" || len(orderID) > 100:
		return nil, errOrderID
	case !validSteamID(p.text("steam_id")):
		return nil, errSteamID
	case p.text("trade_token") != "" && len(p.text("trade_token")) != 8:
		return nil, errTradeToken
	case low+high != "" && currency == "":
		return nil, &sbError{4, "min_amount_requires_currency"}
	case w.sbDeposits.byOrder[orderID] != nil:
		return nil, &sbError{5, "order_id_already_exists"}
	case low != "" && (!lowOK || least < 0), high != "" && (!highOK || most < least):
		return nil, &sbError{7, "invalid_max_amount"}
	case rate == 0:
		return nil, errCurrency
	case !webhookAddress(p.text("result_url")):
		return nil, &sbError{23, "invalid_result_url"}
	}
	d := &sbDeposit{orderID: orderID, steamID: p.text("steam_id"), game: cs2, resultURL: p.text("result_url")}
	w.open(d)
	return struct {
		Status string `json:"status"`
		URL    string `json:"url"`
		ID     any    `json:"transaction_id"`
	}{"success", fmt.Sprintf("https://skinsback.example/pay.php?hash=%032x", roll(w.cfg.Seed, aboutDeposit, uint64(d.id), 2)), d.id}, nil
}

// sbSell opens a deposit of chosen items and makes the trade offer.
func (w *World) sbSell(p params) (any, *sbError) {
	orderID := p.text("order_id")
	wanted, _ := p.texts("item_asset_ids")
	steamID, err := owner(p)
	currency, rate := currencyRate(p.text("currency"))
	switch {
	case orderID == "" || len(orderID) > 100:
		return nil, errOrderID
	case err != nil:
		return nil, err
	case w.sbDeposits.byOrder[orderID] != nil:
		return nil, &sbError{7, "order_id_already_exists"}
	case rate == 0:
		return nil, errCurrency
	case len(wanted) == 0:
		return nil, &sbError{24, "item_asset_ids_required"}
	case !webhookAddress(p.text("result_url")):
		return nil, &sbError{23, "invalid_result_url"}
	}
	d := &sbDeposit{orderID: orderID, steamID: steamID, game: p.text("game"), resultURL: p.text("result_url")}
	has := map[string]offerable{}
	for _, a := range w.offerables(d.game, steamID) {
		if a.tradable && !a.disabled {
			has[a.id] = a
		}
	}
	for _, id := range wanted {
		a, ok := has[id]
		if !ok {
			return nil, &sbError{25, "items_unavailable"}
		}
		delete(has, id) // nor twice
		w.addAsset(d, a)
	}
	if d.sum < leastDeposit {
		return nil, &sbError{26, "deposit_amount_less_minimum"}
	}
	w.open(d)
	w.makeOffer(d, w.now)

	type fields struct {
		ID              int64  `json:"transaction_id"`
		Sum             any    `json:"sum"`
		Local           any    `json:"local_sum"`
		LocalMultiplied any    `json:"local_sum_multiplied"`
		Currency        string `json:"local_currency"`
		OfferID         string `json:"trade_offer_id"`
		OfferExpires    string `json:"trade_offer_expiry_at"`
		BotSteamID      string `json:"bot_steam_id"`
		BotName         string `json:"bot_name"`
	}
	local := scale(d.sum, rate)
	return struct {
		Status string `json:"status"`
		Data   fields `json:"data"`
	}{"success", fields{
		ID:              d.id,
		Sum:             w.number(formatMoney(d.sum)),
		Local:           w.number(formatMoney(local)),
		LocalMultiplied: w.number(formatMoney(scale(local, userMultiplier))),
		Currency:        currency,
		OfferID:         strconv.FormatInt(d.offerID, 10),
		OfferExpires:    w.now.Add(w.span(w.cfg.Timing.AcceptTimeout)).UTC().Format("2006-01-02T15:04:05.000000Z"),
		BotSteamID:      "76561198060000002",
		BotName:         "Bot 12",
	}}, nil
}

// findDeposit finds the one that a request names.
func (w *World) findDeposit(p params) (*sbDeposit, *sbError) {
	orderID, id := p.text("order_id"), p.text("transaction_id")
	var d *sbDeposit
	switch {
	case orderID == "" && id == "":
		return nil, &sbError{1, "order_id_or_transaction_id_missing"}
	case len(orderID) > 100:
		return nil, &sbError{2, "invalid_order_id"}
	case orderID != "":
		d = w.sbDeposits.byOrder[orderID]
	case number64(id) < 0:
		return nil, &sbError{3, "invalid_transaction_id"}
	default:
		if i := number64(id) - firstTransaction; i >= 0 && i < int64(len(w.sbDeposits.all)) {
			d = w.sbDeposits.all[i]
		}
	}
	if d == nil {
		return nil, &sbError{4, "transaction_not_found"}
	}
	return d, nil
}

func (w *World) sbOrderStatus(p params) (any, *sbError) {
	d, err := w.findDeposit(p)
	if err != nil {
		return nil, err
	}
	return w.depositRow(d), nil
}

func (w *World) sbOrders(p params) (any, *sbError) {
	if p.text("starting") == "" || p.text("ending") == "" {
		return nil, &sbError{1, "missing_starting_or_ending"}
	}
	from, to := number64(p.text("starting")), number64(p.text("ending"))
	rows := []any{}
	for _, d := range w.sbDeposits.all {
		if at := d.created.Unix(); at >= from && at <= to {
			rows = append(rows, w.depositRow(d))
		}
	}
	return sbPage(p, rows), nil
}

// sbPage gives the rows from start_from on, which counts rows.
func sbPage(p params, rows []any) any {
	first := min(max(number64(p.text("start_from")), 0), int64(len(rows)))
	last := min(first+depositPage, int64(len(rows)))
	return struct {
		Status    string `json:"status"`
		Total     int    `json:"total_count"`
		HasMore   bool   `json:"has_more"`
		StartFrom int64  `json:"start_from"`
		Items     []any  `json:"items"`
	}{"success", len(rows), last < int64(len(rows)), last, rows[first:last]}
}

// sbApprove takes a deposit out of hold.
func (w *World) sbApprove(p params) (any, *sbError) {
	d, err := w.findDeposit(p)
	if err != nil {
		return nil, err
	}
	if d.state != "in_hold" {
		return nil, &sbError{5, "offer_already_approved_or_canceled"}
	}
	d.plan = nil
	d.state = "hold_approved"
	w.credit(d)
	w.callBack(d)
	return map[string]string{"status": "success"}, nil
}

// Deposit is one deposit as the market sees it: what a client's own books are
// checked against.
type Deposit struct {
	OrderID  string
	Ref      string // the market's own id: transaction_id
	SteamID  string
	Game     string
	State    string
	AssetIDs []string
	Worth    int64 // micro-dollars
	Credited int64 // to the balance, micro-dollars
	At       time.Time
}

// Deposits returns every deposit ever made on SkinsBack, in the order made.
func (w *World) Deposits() []Deposit {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance()
	all := make([]Deposit, len(w.sbDeposits.all))
	for i, d := range w.sbDeposits.all {
		all[i] = Deposit{
			OrderID: d.orderID, Ref: strconv.FormatInt(d.id, 10), SteamID: d.steamID, Game: d.game,
			State: d.state, AssetIDs: []string{}, Worth: d.sum, Credited: d.credited, At: d.created,
		}
		for _, a := range d.assets {
			all[i].AssetIDs = append(all[i].AssetIDs, a.id)
		}
		slices.Sort(all[i].AssetIDs)
	}
	return all
}

func (w *World) controlDeposits(rw http.ResponseWriter, r *http.Request) {
	type row struct {
		OrderID  string    `json:"order_id"`
		Ref      string    `json:"ref"`
		SteamID  string    `json:"steam_id"`
		Game     string    `json:"game"`
		State    string    `json:"state"`
		AssetIDs []string  `json:"asset_ids"`
		Worth    usd       `json:"worth"`
		Credited usd       `json:"credited"`
		At       time.Time `json:"at"`
	}
	rows := []row{}
	for _, d := range w.Deposits() {
		rows = append(rows, row{d.OrderID, d.Ref, d.SteamID, d.Game, d.State, d.AssetIDs, usd(d.Worth), usd(d.Credited), d.At.UTC()})
	}
	respond(rw, r, rows)
}
