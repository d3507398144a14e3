package marketsim

import (
	"crypto/subtle"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// maxRequest bounds the body of a request, in bytes.
const maxRequest = 4 << 20

// sbError is an error of SkinsBack's, sent with status 200.
type sbError struct {
	code int
	text string
}

func (e *sbError) reply() reply {
	return reply{status: http.StatusOK, body: encode(struct {
		Status  string `json:"status"`
		Code    int    `json:"error_code"`
		Message string `json:"error_message"`
	}{"error", e.code, e.text})}
}

// Errors that more than one method may give. The negative ones are any
// method's; the others mean something else in each, and are those of purchases
// and searches.
var (
	errNotPost       = &sbError{-1, "please_use_post_method"}
	errShop          = &sbError{-2, "invalid_shopid"}
	errSignature     = &sbError{-3, "invalid_signature"}
	errMethod        = &sbError{-5, "invalid_method"}
	errTooMany       = &sbError{-7, "request_limit_reached"}
	errMaintenance   = &sbError{-9, "under_maintenance"}
	errPartner       = &sbError{8, "invalid_partner_value"}
	errShortName     = &sbError{2, "name_min_length_3"}
	errFunds         = &sbError{4, "insufficient_funds"}
	errUnavailable   = &sbError{5, "skin_unavailable"}
	errAbovePrice    = &sbError{6, "skins_not_found_at_specified_price"}
	errCustomIDTaken = &sbError{7, "custom_id_already_exists"}
	errNoItems       = &sbError{27, "missing_items"} // what the market says then is not documented
)

// skinsBackMethods are the methods understood here. Each returns what goes
// beside "status":"success".
var skinsBackMethods = map[string]func(*World, params) (any, *sbError){
	"market_search":    (*World).sbSearch,
	"market_buy":       (*World).sbBuy,
	"market_batch_buy": (*World).sbBatchBuy,
	"market_getinfo":   (*World).sbGetInfo,
	"market_history":   (*World).sbHistory,
	"balance":          (*World).sbBalance,
	"currencies":       (*World).sbCurrencies,
	"status":           (*World).sbStatus,

	"create":              (*World).sbCreate,
	"orderstatus":         (*World).sbOrderStatus,
	"orders":              (*World).sbOrders,
	"offer_approve":       (*World).sbApprove,
	"callback_error_list": (*World).sbCallbackErrors,

	"user_inventory":             (*World).sbInventory,
	"create_from_user_inventory": (*World).sbSell,
}

// SkinsBack serves the SkinsBack merchant API on any path.
func (w *World) SkinsBack() http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, maxRequest))
		if err != nil {
			http.Error(rw, "request too large or cut off", http.StatusBadRequest)
			return
		}
		p := parseParams(r.Header.Get("Content-Type"), raw)
		method := p.text("method")
		c := call{
			market:  w.skinsback,
			method:  method,
			catalog: method == "market_pricelist",
			refusal: sbRefusal,
			tooMany: func(string) reply { return errTooMany.reply() },
		}
		if skinsBackMethods[method] == nil && !c.catalog {
			c.method = "unknown"
		}
		c.act = func(fault *rule) reply { return w.skinsBackReply(r, p, fault) }
		w.answer(rw, r, c)
	})
}

func (w *World) skinsBackReply(r *http.Request, p params, fault *rule) reply {
	if r.Method != http.MethodPost {
		return errNotPost.reply()
	}
	if err := w.authorize(r.Header, p); err != nil {
		return err.reply()
	}
	method := p.text("method")
	if method == "market_pricelist" {
		return reply{status: http.StatusOK, body: w.priceList(p, fault)}
	}
	act := skinsBackMethods[method]
	if act == nil {
		return errMethod.reply()
	}
	answer, err := act(w, p)
	if err != nil {
		return err.reply()
	}
	return reply{status: http.StatusOK, body: encode(answer)}
}

// authorize accepts the two headers, or else shopid and sign in the body.
func (w *World) authorize(h http.Header, p params) *sbError {
	id, secret := h.Get("X-Client-Id"), h.Get("X-Client-Secret")
	want := w.cfg.ClientSecret
	if id == "" && secret == "" {
		id, secret = p.text("shopid"), p.text("sign")
		want = p.signature(w.cfg.ClientSecret)
	}
	// Both are compared whatever the first says, so that timing tells nothing.
	goodID := subtle.ConstantTimeCompare([]byte(id), []byte(w.cfg.ClientID))
	goodSecret := subtle.ConstantTimeCompare([]byte(secret), []byte(want))
	switch {
	case goodID == 0:
		return errShop
	case goodSecret == 0:
		return errSignature
	}
	return nil
}

// sbRefusal turns a fault's "-9 under_maintenance" into that error.
func sbRefusal(arg string) reply {
	code, text, _ := strings.Cut(arg, " ")
	n, err := strconv.Atoi(code)
	if err != nil {
		return errMaintenance.reply()
	}
	return (&sbError{n, text}).reply()
}

// number writes an amount or a count the way this world writes numbers in
// lists and answers to purchases.
func (w *World) number(text string) any {
	if w.cfg.NumberStrings {
		return text
	}
	return json.Number(text)
}

type sbItem struct {
	ID      any    `json:"id"`
	Name    string `json:"name"`
	Price   any    `json:"price"`
	ClassID string `json:"classid"`
}

// sbPurchase is a purchase in the answers to market_buy and market_batch_buy.
type sbPurchase struct {
	Status      string  `json:"status,omitempty"`
	Item        sbItem  `json:"item"`
	BuyID       any     `json:"buy_id"`
	OfferStatus string  `json:"offer_status"`
	Debited     any     `json:"balance_debited_sum"`
	CustomID    *string `json:"custom_id"`
}

// sbInfo is a purchase in market_getinfo and market_history, where every number
// is a string.
type sbInfo struct {
	Status       string  `json:"status,omitempty"`
	Item         sbItem  `json:"item"`
	BuyID        string  `json:"buy_id"`
	OfferStatus  string  `json:"offer_status"`
	SteamID      string  `json:"steamid"`
	Date         string  `json:"date"`
	Debited      string  `json:"balance_debited_sum"`
	TradeOfferID *string `json:"tradeofferid"`
	CustomID     *string `json:"custom_id"`
	ErrorReason  *string `json:"error_reason"`
}

func (o *order) sbPurchase(number func(string) any) sbPurchase {
	price := formatMoney(o.lot.price)
	return sbPurchase{
		Item: sbItem{
			ID:      number(strconv.FormatInt(o.lot.id, 10)),
			Name:    o.listing.name,
			Price:   number(price),
			ClassID: o.listing.classID(),
		},
		BuyID:       number(strconv.FormatInt(o.id, 10)),
		OfferStatus: o.state,
		Debited:     number(formatMoney(o.debited)),
		CustomID:    optional(o.customID),
	}
}

func (o *order) sbInfo() sbInfo {
	info := sbInfo{
		Item: sbItem{
			ID:      strconv.FormatInt(o.lot.id, 10),
			Name:    o.listing.name,
			Price:   formatMoney(o.lot.price),
			ClassID: o.listing.classID(),
		},
		BuyID:       strconv.FormatInt(o.id, 10),
		OfferStatus: o.state,
		SteamID:     o.steamID,
		Date:        strconv.FormatInt(o.created.Unix(), 10),
		Debited:     formatMoney(o.debited),
		CustomID:    optional(o.customID),
	}
	if o.offerID != 0 {
		info.TradeOfferID = optional(strconv.FormatInt(o.offerID, 10))
	}
	return info
}

// optional is null for an empty string.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func (w *World) sbBuy(p params) (any, *sbError) {
	id, name := p.text("id"), p.text("name")
	to, err := recipient(p)
	switch {
	case id == "" && name == "":
		return nil, &sbError{1, "missing_name_and_id"}
	case err != nil:
		return nil, err
	case id == "" && tooShort(name):
		return nil, errShortName
	}
	o, err := w.sbOrder(p, to, func() (*listing, lot, bool) {
		if id != "" {
			return w.findLot(w.skinsback, number64(id))
		}
		return w.cheapest(w.skinsback, key{game(p), name})
	})
	if err != nil {
		return nil, err
	}
	bought := o.sbPurchase(w.number)
	bought.Status = "success"
	return bought, nil
}

func (w *World) sbBatchBuy(p params) (any, *sbError) {
	to, err := recipient(p)
	if err != nil {
		return nil, err
	}
	type refused struct {
		ID       string  `json:"id"`
		CustomID *string `json:"custom_id"`
		Code     int     `json:"error_code"`
		Message  string  `json:"error_message"`
	}
	answer := struct {
		Status      string       `json:"status"`
		Purchased   []sbPurchase `json:"purchased"`
		Unavailable []refused    `json:"unavailable"`
	}{"success", []sbPurchase{}, []refused{}}

	wanted, _ := p.elements("items")
	if len(wanted) == 0 {
		return nil, errNoItems
	}
	for _, want := range wanted {
		fields, _ := want.(map[string]any)
		one := params(fields)
		id := one.text("id")
		o, err := w.sbOrder(one, to, func() (*listing, lot, bool) {
			return w.findLot(w.skinsback, number64(id))
		})
		if err != nil {
			answer.Unavailable = append(answer.Unavailable, refused{id, optional(one.text("custom_id")), err.code, err.text})
			continue
		}
		answer.Purchased = append(answer.Purchased, o.sbPurchase(func(s string) any { return s }))
	}
	return answer, nil
}

// sbOrder buys what find finds on the terms of p: max_price and custom_id.
func (w *World) sbOrder(p params, to tradeURL, find func() (*listing, lot, bool)) (*order, *sbError) {
	m := w.skinsback
	customID := p.text("custom_id")
	if customID != "" && m.byCustom[customID] != nil {
		return nil, errCustomIDTaken
	}
	l, lot, ok := find()
	if !ok {
		return nil, errUnavailable
	}
	if text := p.text("max_price"); text != "" {
		if ceiling, ok := parseMoney(text); !ok || lot.price > ceiling {
			return nil, errAbovePrice
		}
	}
	if lot.price > m.balance {
		return nil, errFunds
	}
	if w.soldOut(m, l, lot.id) {
		return nil, errUnavailable
	}
	return w.place(m, purchaseTerms{
		listing:  l,
		lot:      lot,
		customID: customID,
		partner:  to.partner,
		token:    to.token,
		steamID:  strconv.FormatInt(76561197960265728+number64(to.partner), 10),
		amount:   lot.price,
	}), nil
}

// tradeURL is where a purchase goes.
type tradeURL struct{ partner, token string } // partner is the account id

func recipient(p params) (tradeURL, *sbError) {
	to := tradeURL{p.text("partner"), p.text("token")}
	if to.partner == "" || to.token == "" {
		return to, &sbError{3, "missing_partner_or_token"}
	}
	if n := number64(to.partner); n <= 0 || n > 1<<32 {
		return to, errPartner
	}
	return to, nil
}

// number64 reads a whole number; anything else is -1.
func number64(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return -1
	}
	return n
}

func tooShort(name string) bool { return len([]rune(name)) < 3 }

// game is the game asked about, CS2 if none is named.
func game(p params) string {
	if g := p.text("game"); g != "" {
		return g
	}
	return cs2
}

func (w *World) sbGetInfo(p params) (any, *sbError) {
	if id := p.text("buy_id"); id != "" {
		o := w.skinsback.order(number64(id))
		if o == nil {
			return nil, &sbError{2, "offer_not_found"}
		}
		info := o.sbInfo()
		info.Status = "success"
		return info, nil
	}
	answer := struct {
		Status string   `json:"status"`
		Items  []sbInfo `json:"items"`
	}{"success", []sbInfo{}}
	add := func(o *order) {
		if o != nil {
			answer.Items = append(answer.Items, o.sbInfo())
		}
	}
	if ids, ok := p.texts("buy_ids"); ok {
		for _, id := range ids {
			add(w.skinsback.order(number64(id)))
		}
		return answer, nil
	}
	if ids, ok := p.texts("custom_ids"); ok {
		for _, id := range ids {
			add(w.skinsback.byCustom[id])
		}
		return answer, nil
	}
	return nil, &sbError{1, "missing_buy_id"}
}

// historyPage is the most purchases in one answer of market_history.
const historyPage = 1000

func (w *World) sbHistory(p params) (any, *sbError) {
	if p.text("starting") == "" || p.text("ending") == "" {
		return nil, &sbError{1, "missing_starting_or_ending"}
	}
	from, to := number64(p.text("starting")), number64(p.text("ending"))
	var within []*order
	for _, o := range w.skinsback.orders {
		if at := o.created.Unix(); at >= from && at <= to {
			within = append(within, o)
		}
	}
	answer := struct {
		Status    string   `json:"status"`
		Total     string   `json:"total_count"`
		HasMore   bool     `json:"has_more"`
		StartFrom string   `json:"start_from,omitempty"`
		Items     []sbInfo `json:"items"`
	}{Status: "success", Total: strconv.Itoa(len(within)), Items: []sbInfo{}}

	first := min(max(number64(p.text("start_from")), 0), int64(len(within)))
	last := min(first+historyPage, int64(len(within)))
	for _, o := range within[first:last] {
		answer.Items = append(answer.Items, o.sbInfo())
	}
	if answer.HasMore = last < int64(len(within)); answer.HasMore {
		answer.StartFrom = strconv.FormatInt(last, 10)
	}
	return answer, nil
}

// currencies are the ones SkinsBack knows: units for a dollar, in millionths.
var currencies = []struct {
	code, name string
	rate       int64
}{
	{"usd", "US Dollar", 1_000_000},
	{"rub", "Russian Ruble", 81_250_000},
	{"uah", "Ukrainian Hryvnia", 41_600_000},
	{"eur", "Euro", 860_000},
	{"cny", "Chinese Yuan", 7_130_000},
	{"kzt", "Kazakhstani Tenge", 540_200_000},
	{"aud", "Australian Dollar", 1_520_000},
	{"cad", "Canadian Dollar", 1_400_000},
	{"brl", "Brazilian Real", 5_370_000},
	{"nzd", "New Zealand Dollar", 1_740_000},
}

func (w *World) sbCurrencies(params) (any, *sbError) {
	type row struct {
		Code string `json:"code"`
		Name string `json:"name"`
		Rate string `json:"rate"`
	}
	rows := make([]row, len(currencies))
	for i, c := range currencies {
		rows[i] = row{c.code, c.name, formatMoney(c.rate)}
	}
	return struct {
		Status string `json:"status"`
		Items  []row  `json:"items"`
	}{"success", rows}, nil
}

func (w *World) sbBalance(params) (any, *sbError) {
	var deals int64
	for _, o := range w.skinsback.orders {
		deals += o.debited - o.refunded
	}
	balance := w.skinsback.balance
	return struct {
		Status      string         `json:"status"`
		Balance     string         `json:"balance"`
		BalanceIn   map[string]any `json:"balance_in_currencies"`
		Deals       string         `json:"deals_sum"`
		DealsIn     map[string]any `json:"deals_sum_in_currencies"`
		Withdrawn   string         `json:"withdraw_sum"`
		WithdrawnIn map[string]any `json:"withdraw_sum_in_currencies"`
	}{
		"success",
		formatMills(balance), inCurrencies(balance),
		formatMills(deals), inCurrencies(deals),
		formatMills(0), inCurrencies(0),
	}, nil
}

func (w *World) sbStatus(params) (any, *sbError) {
	return struct {
		Status    string `json:"status"`
		Available bool   `json:"available"`
	}{"success", true}, nil
}

// sbSearch finds lots whose name contains name, or is one of names.
func (w *World) sbSearch(p params) (any, *sbError) {
	part := p.text("name")
	names, many := p.texts("names")
	switch {
	case part == "" && len(names) == 0:
		return nil, &sbError{1, "name_or_names_required"}
	case part != "" && tooShort(part), many && slices.ContainsFunc(names, tooShort):
		return nil, errShortName
	}
	part = strings.ToLower(part)
	fits := func(name string) bool {
		return part != "" && strings.Contains(strings.ToLower(name), part) || slices.Contains(names, name)
	}
	answer := struct {
		Status string   `json:"status"`
		Items  []sbItem `json:"items"`
	}{"success", []sbItem{}}
	for _, l := range w.skinsback.listings {
		if l.item.game != game(p) || l.blemish.unsaleable() {
			continue
		}
		for _, name := range l.names() {
			if !fits(name) {
				continue
			}
			for _, lot := range w.shelf(w.skinsback, l) {
				answer.Items = append(answer.Items, sbItem{
					ID:      strconv.FormatInt(lot.id, 10),
					Name:    name,
					Price:   formatMoney(lot.price),
					ClassID: l.classID(),
				})
			}
		}
	}
	return answer, nil
}
