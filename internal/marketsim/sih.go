package marketsim

import (
	"cmp"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// sihPrefix is where SIH's API starts on its host.
const sihPrefix = "/api/v1/"

// sihGames are SIH's games by Steam's app id.
var sihGames = map[int64]string{730: cs2, 440: tf2, 252490: rust}

// sihRequest is what SIH's endpoints read from.
type sihRequest struct {
	query url.Values
	path  []string // values of the path's variables
	body  []byte
	fault *rule
}

// sihEndpoints are the endpoints understood here, by method and path.
var sihEndpoints = map[string]func(*World, sihRequest) reply{
	"GET project":           (*World).sihProject,
	"GET set-webhook":       (*World).sihSetWebhook,
	"GET get-items":         (*World).sihItems,
	"GET get-min-item":      (*World).sihMinItem,
	"POST create-order":     (*World).sihCreateOrder,
	"GET get-order":         (*World).sihGetOrder,
	"GET get-order-history": (*World).sihHistory,
	"POST get-orders":       (*World).sihGetOrders,
	"GET wallet/history":    (*World).sihWallet,

	"POST project/user":                           (*World).sihAddUser,
	"GET project/user/{steamId}":                  (*World).sihUser,
	"GET project/users":                           (*World).sihUsers,
	"POST project/user/{steamId}/online/{online}": (*World).sihUserOnline,
	"POST project/users/online/{online}":          (*World).sihUsersOnline,
	"POST project/deposit":                        (*World).sihDeposit,
	"GET project/deposits":                        (*World).sihDeposits,
	"POST project/delete-deposit":                 (*World).sihDeleteDeposit,
}

// SIH serves the SIH Market API under /api/v1.
func (w *World) SIH() http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, maxRequest))
		if err != nil {
			http.Error(rw, "request too large or cut off", http.StatusBadRequest)
			return
		}
		path, values := sihPattern(strings.TrimPrefix(r.URL.Path, sihPrefix))
		endpoint := sihEndpoints[r.Method+" "+path]
		c := call{
			market:  w.sih,
			method:  path,
			catalog: path == "get-items",
			refusal: func(arg string) reply {
				if arg == "" {
					arg = "unknown error"
				}
				return sihError(http.StatusBadRequest, arg)
			},
			tooMany: func(arg string) reply {
				if arg == "" {
					arg = "30"
				}
				rep := sihError(http.StatusTooManyRequests, "too many requests")
				rep.retryAfter = arg
				return rep
			},
		}
		if endpoint == nil {
			c.method = "unknown"
		}
		c.act = func(fault *rule) reply {
			if subtle.ConstantTimeCompare([]byte(r.Header.Get("apikey")), []byte(w.cfg.APIKey)) == 0 {
				return sihError(http.StatusUnauthorized, "invalid api key")
			}
			if endpoint == nil {
				return sihError(http.StatusNotFound, "not found")
			}
			return endpoint(w, sihRequest{r.URL.Query(), values, raw, fault})
		}
		w.answer(rw, r, c)
	})
}

func sihOK(v any) reply { return reply{status: http.StatusOK, body: encode(v)} }

func sihError(status int, text string) reply {
	return reply{status: status, body: encode(struct {
		Success bool   `json:"success"`
		Error   string `json:"error"`
	}{false, text})}
}

var (
	sihUnknown  = sihError(http.StatusBadRequest, "unknown error")
	sihNotFound = sihError(http.StatusBadRequest, "order is not found")
)

// usd is an amount in micro-dollars that SIH writes as a number.
type usd int64

func (u usd) MarshalJSON() ([]byte, error) { return appendMoney(nil, int64(u)), nil }

// loose is a scalar that clients send as a number or as a string.
type loose string

func (l *loose) UnmarshalJSON(b []byte) error {
	var v any
	dec := json.NewDecoder(strings.NewReader(string(b)))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		return err
	}
	switch v := v.(type) {
	case string:
		*l = loose(v)
	case json.Number:
		*l = loose(v)
	case nil:
	default:
		return fmt.Errorf("want a string or a number, got %s", b)
	}
	return nil
}

func (w *World) sihProject(sihRequest) reply {
	type project struct {
		ID      int     `json:"id"`
		Name    string  `json:"name"`
		Balance usd     `json:"balance"`
		Webhook *string `json:"webhook"`
	}
	return sihOK(struct {
		Success bool    `json:"success"`
		Project project `json:"project"`
	}{true, project{412, "skinarb-demo", usd(w.sih.balance), optional(w.sih.webhook)}})
}

// sihSetWebhook stores the address that events are sent to. The calls themselves
// are not documented: see sihEvent.
func (w *World) sihSetWebhook(r sihRequest) reply {
	address := r.query.Get("url")
	if !webhookAddress(address) {
		return sihError(http.StatusBadRequest, "invalid url")
	}
	w.sih.webhook = address
	return sihOK(struct {
		Success bool `json:"success"`
	}{true})
}

// sihGame is the game of an appId, "" if there is none such.
func sihGame(appID string) string {
	if appID == "" {
		return cs2
	}
	return sihGames[number64(appID)]
}

func (w *World) sihItems(r sihRequest) reply {
	game := sihGame(r.query.Get("appId"))
	if game == "" {
		return sihUnknown
	}
	f := form{game: game, shape: "plain"}
	switch {
	case r.query.Get("minified") == "true":
		f.shape = "minified"
	case r.query.Get("extended") == "true":
		f.shape = "extended"
	}
	return reply{status: http.StatusOK, body: w.catalogBody(w.sih, r.fault, f, w.itemMap)}
}

func (w *World) sihMinItem(r sihRequest) reply {
	type item struct {
		Price usd `json:"price"`
		Count int `json:"count"`
	}
	name, game := r.query.Get("item"), sihGame(r.query.Get("appId"))
	if name == "" || game == "" {
		return sihUnknown
	}
	items := map[string]item{}
	if l, best, ok := w.cheapest(w.sih, key{game, name}); ok {
		items[name] = item{usd(best.price), len(w.shelf(w.sih, l))}
	}
	return sihOK(struct {
		Success bool            `json:"success"`
		Items   map[string]item `json:"items"`
	}{true, items})
}

func (w *World) sihCreateOrder(r sihRequest) reply {
	var in struct {
		SteamID  loose  `json:"steamId"`
		Token    string `json:"token"`
		Amount   loose  `json:"amount"`
		Item     string `json:"item"`
		CustomID loose  `json:"customId"`
		Test     bool   `json:"test"`
		AppID    loose  `json:"appId"`
	}
	if json.Unmarshal(r.body, &in) != nil || in.CustomID == "" {
		return sihUnknown
	}
	if stored := w.sih.byCustom[string(in.CustomID)]; stored != nil {
		return reply{status: http.StatusConflict, body: encode(struct {
			Success bool     `json:"success"`
			Error   string   `json:"error"`
			Order   sihOrder `json:"order"`
		}{false, "custom id already exists", stored.sihOrder().reduced()})}
	}
	amount, ok := parseMoney(string(in.Amount))
	if !ok || amount <= 0 {
		return sihUnknown
	}
	if steamID := number64(string(in.SteamID)); steamID <= 76561197960265728 || in.Token == "" {
		return sihError(http.StatusBadRequest, "invalid tradelink")
	}
	l, best, ok := w.cheapest(w.sih, key{sihGame(string(in.AppID)), in.Item})
	switch {
	case !ok:
		return sihError(http.StatusBadRequest, "item not found")
	case best.price > amount:
		return sihError(http.StatusBadRequest, "item price changed")
	case amount > w.sih.balance && !in.Test:
		return sihError(http.StatusBadRequest, "not enough balance")
	case !in.Test && w.soldOut(w.sih, l, best.id):
		return sihError(http.StatusBadRequest, "item not found")
	}
	o := w.place(w.sih, purchaseTerms{
		listing:  l,
		lot:      best,
		customID: string(in.CustomID),
		steamID:  string(in.SteamID),
		amount:   amount,
		test:     in.Test,
	})
	return sihOK(struct {
		Success bool  `json:"success"`
		ID      int64 `json:"id"`
		Balance usd   `json:"balance"`
	}{true, o.id, usd(w.sih.balance)})
}

type sihOrder struct {
	ID         int64          `json:"id"`
	CustomID   string         `json:"customId"`
	SteamID    string         `json:"steamId"`
	Item       string         `json:"item"`
	Amount     usd            `json:"amount"`
	Expected   *usd           `json:"expectedAmount,omitempty"`
	Status     string         `json:"status"`
	Error      *string        `json:"error"`
	Sender     *sihSender     `json:"sender"`
	Protection *sihProtection `json:"protection,omitempty"`
	Created    int64          `json:"created"` // unix seconds
	Updated    int64          `json:"updated"`
}

type sihSender struct {
	OfferID  int64  `json:"offerId"`
	Timeout  int64  `json:"timeout"` // unix seconds
	Nickname string `json:"nickname"`
	Avatar   string `json:"avatar"`
}

type sihProtection struct {
	Status         string `json:"status"`
	Error          string `json:"error,omitempty"`
	RollbackAt     int64  `json:"rollbackAt,omitempty"` // unix seconds
	RollbackAmount *usd   `json:"rollbackAmount,omitempty"`
}

func (o *order) sihOrder() sihOrder {
	price := usd(o.lot.price)
	out := sihOrder{
		ID:       o.id,
		CustomID: o.customID,
		SteamID:  o.steamID,
		Item:     o.listing.name,
		Amount:   usd(o.amount),
		Expected: &price,
		Status:   o.state,
		Created:  o.created.Unix(),
		Updated:  o.updated.Unix(),
	}
	if o.offerID != 0 {
		none := ""
		out.Error = &none // null until there is an offer
		out.Sender = &sihSender{
			OfferID:  o.offerID,
			Timeout:  o.expires.Unix(),
			Nickname: "supplier-bot-" + strconv.Itoa(1+int(o.offerID%40)),
			Avatar:   "https://avatars.akamai.steamstatic.com/" + image(uint64(o.offerID), 40) + "_medium.jpg",
		}
	}
	if o.protection != "" {
		out.Protection = &sihProtection{Status: o.protection}
	}
	switch {
	case o.protection == "failed":
		out.Protection.Error = o.reason
		out.Protection.RollbackAt = o.rollbackAt.Unix()
		out.Protection.RollbackAmount = &price
	case o.reason != "":
		out.Error = &o.reason
	}
	return out
}

// reduced is the shape in which a duplicate's order comes back.
func (o sihOrder) reduced() sihOrder {
	o.Expected, o.Protection = nil, nil
	return o
}

type pagination struct {
	Limit  int `json:"limit"`
	Offset int `json:"offset"`
	Count  int `json:"count"` // of all there are
}

// page reads limit and offset and returns what they cut out of all.
func page[T any](q url.Values, all []T) ([]T, pagination, bool) {
	p := pagination{Limit: 100, Count: len(all)}
	for name, n := range map[string]*int{"limit": &p.Limit, "offset": &p.Offset} {
		if text := q.Get(name); text != "" {
			if *n = int(number64(text)); *n < 0 {
				return nil, p, false
			}
		}
	}
	from := min(p.Offset, len(all))
	return all[from:min(from+p.Limit, len(all))], p, true
}

func (w *World) sihGetOrder(r sihRequest) reply {
	o := w.sih.byCustom[r.query.Get("customId")]
	if id := r.query.Get("id"); id != "" {
		o = w.sih.order(number64(id))
	}
	if o == nil {
		return sihNotFound
	}
	return sihOK(struct {
		Success bool     `json:"success"`
		Order   sihOrder `json:"order"`
	}{true, o.sihOrder()})
}

func (w *World) sihHistory(r sihRequest) reply {
	newest := slices.Clone(w.sih.orders)
	slices.Reverse(newest)
	cut, p, ok := page(r.query, newest)
	if !ok {
		return sihUnknown
	}
	orders := make([]sihOrder, len(cut))
	for i, o := range cut {
		orders[i] = o.sihOrder()
	}
	return sihOK(struct {
		Success    bool       `json:"success"`
		Orders     []sihOrder `json:"orders"`
		Pagination pagination `json:"pagination"`
	}{true, orders, p})
}

func (w *World) sihGetOrders(r sihRequest) reply {
	var in struct {
		IDs       []loose `json:"ids"`
		CustomIDs []loose `json:"customIds"`
	}
	if json.Unmarshal(r.body, &in) != nil {
		return sihUnknown
	}
	orders, seen := []sihOrder{}, map[*order]bool{nil: true}
	add := func(o *order) {
		if !seen[o] {
			seen[o] = true
			orders = append(orders, o.sihOrder())
		}
	}
	for _, id := range in.IDs {
		add(w.sih.order(number64(string(id))))
	}
	for _, id := range in.CustomIDs {
		add(w.sih.byCustom[string(id)])
	}
	return sihOK(struct {
		Success bool       `json:"success"`
		Orders  []sihOrder `json:"orders"`
	}{true, orders})
}

// SIH's wallets, as queries name them. Without a name both are told.
const (
	mainWallet    = "1"
	depositWallet = "2"
)

func (w *World) sihWallet(r sihRequest) reply {
	type about struct {
		OrderID int64  `json:"orderId,omitempty"`
		ItemID  string `json:"itemId,omitempty"` // of a sale; what the real one has is not documented
	}
	type row struct {
		ID      string `json:"id"`
		Amount  usd    `json:"amount"`
		TypeID  int    `json:"typeId"`
		Data    about  `json:"data"`
		Created int64  `json:"created"` // unix milliseconds
	}
	rows := []row{}
	types, wallet := r.query.Get("typeIds"), r.query.Get("walletTypeId")
	for i, mv := range w.sih.wallet {
		if wallet == mainWallet && mv.sale != nil || wallet == depositWallet && mv.order != nil ||
			types != "" && !slices.Contains(strings.Split(types, ","), strconv.Itoa(mv.kind)) {
			continue
		}
		what := about{}
		if mv.sale != nil {
			what.ItemID = mv.sale.text()
		} else {
			what.OrderID = mv.order.id
		}
		rows = append(rows, row{
			ID:      w.walletID(i),
			Amount:  usd(mv.amount),
			TypeID:  mv.kind,
			Data:    what,
			Created: mv.at.UnixMilli(),
		})
	}
	slices.Reverse(rows)
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(b.Created, a.Created) }) // newest first
	cut, p, ok := page(r.query, rows)
	if !ok {
		return sihUnknown
	}
	return sihOK(struct {
		Success    bool       `json:"success"`
		Data       []row      `json:"data"`
		Pagination pagination `json:"pagination"`
	}{true, cut, p})
}

// walletID makes the UUID of a movement, in the form of a random one.
func (w *World) walletID(i int) string {
	a := roll(w.cfg.Seed, aboutWallet, uint64(i))
	b := mix(a)
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", a>>32, a>>16&0xffff, a&0xfff, b>>48&0x3fff|0x8000, b&0xffffffffffff)
}
