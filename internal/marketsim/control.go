package marketsim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// Control serves the tool for steering a running world, JSON both ways, money
// in dollars:
//
//	GET    /sim/purchases  every purchase of both markets
//	GET    /sim/balances   {"skinsback": 10000, "sih": 10000}
//	GET    /sim/requests   per market: by method, and the most in any minute
//	GET    /sim/faults     the faults at work, with how often they hit
//	POST   /sim/faults     {"market","method","kind","times","percent","delay":"2s","arg"} adds one
//	DELETE /sim/faults     removes all
//	POST   /sim/price      {"market","name","ask"} pins an ask; 0 lets it go
//	POST   /sim/stock      {"market","name","count"} pins the stock; -1 lets it go
//	POST   /sim/webhook    {"market","url"} sends the market's events there; "" ends it
//	GET    /sim/deposits   every deposit at SkinsBack
//	POST   /sim/result-url {"url"} sends SkinsBack's callbacks about deposits there; "" ends it
//	POST   /sim/attack     {"market","kind","for":"20s"} sends hostile webhooks: see Attack
//
// Of the partner whom SIH asks about what it sells:
//
//	GET    /sim/partner            {"orders", "open", "requests", "unreachable", "faults": how many}, and where it is
//	POST   /sim/partner            {"purchase_url","check_url","hostile":true or "shares":{"lost":8}} sets it, with DefaultHostility or these; "" ends it
//	GET    /sim/partner/purchases  every order that it was asked for, and what it bought for it on SkinsBack
//	GET    /sim/partner/faults     {"count", "faults": what its answers and its purchases had wrong}
//	POST   /sim/partner/items      {"steam_id","id","custom_id","name","price"} puts an item on sale: see Consign
//
// A world that is served has also
//
//	GET    /sim/sockets    {"connected": 1}, of SkinsBack's events
//	DELETE /sim/sockets    cuts them all
func (w *World) Control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /sim/purchases", w.controlPurchases)
	mux.HandleFunc("GET /sim/balances", w.controlBalances)
	mux.HandleFunc("GET /sim/requests", w.controlRequests)
	mux.HandleFunc("GET /sim/faults", w.controlFaults)
	mux.HandleFunc("POST /sim/faults", w.controlInject)
	mux.HandleFunc("DELETE /sim/faults", func(rw http.ResponseWriter, r *http.Request) {
		w.ClearFaults()
		respond(rw, r, struct{}{})
	})
	mux.HandleFunc("POST /sim/price", w.controlPrice)
	mux.HandleFunc("POST /sim/stock", w.controlStock)
	mux.HandleFunc("POST /sim/webhook", w.controlWebhook)
	mux.HandleFunc("GET /sim/deposits", w.controlDeposits)
	mux.HandleFunc("POST /sim/result-url", w.controlResultURL)
	mux.HandleFunc("POST /sim/attack", w.controlAttack)
	mux.HandleFunc("GET /sim/partner", w.controlPartner)
	mux.HandleFunc("POST /sim/partner", w.controlSetPartner)
	mux.HandleFunc("GET /sim/partner/purchases", w.controlPartnerOrders)
	mux.HandleFunc("GET /sim/partner/faults", w.controlPartnerFaults)
	mux.HandleFunc("POST /sim/partner/items", w.controlConsign)
	return mux
}

func respond(rw http.ResponseWriter, r *http.Request, v any) {
	reply{status: http.StatusOK, body: encode(v)}.send(rw, r)
}

func complain(rw http.ResponseWriter, r *http.Request, err error) {
	reply{status: http.StatusBadRequest, body: encode(map[string]string{"error": err.Error()})}.send(rw, r)
}

// read decodes a request into v, and complains if it cannot.
func read(rw http.ResponseWriter, r *http.Request, v any) bool {
	dec := json.NewDecoder(http.MaxBytesReader(rw, r.Body, maxRequest))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		complain(rw, r, err)
		return false
	}
	return true
}

func (w *World) controlPurchases(rw http.ResponseWriter, r *http.Request) {
	type row struct {
		Market     string    `json:"market"`
		CustomID   string    `json:"custom_id"`
		Ref        string    `json:"ref"`
		Name       string    `json:"name"`
		Game       string    `json:"game"`
		Price      usd       `json:"price"`
		Debited    usd       `json:"debited"`
		Refunded   usd       `json:"refunded"`
		State      string    `json:"state"`
		Protection string    `json:"protection,omitempty"`
		At         time.Time `json:"at"`
		Partner    string    `json:"partner,omitempty"`
		Token      string    `json:"token,omitempty"`
		SteamID    string    `json:"steam_id"`
	}
	rows := []row{}
	for _, p := range w.Purchases() {
		rows = append(rows, row{
			p.Market, p.CustomID, p.Ref, p.Name, p.Game, usd(p.Price), usd(p.Debited), usd(p.Refunded),
			p.State, p.Protection, p.At.UTC(), p.Partner, p.Token, p.SteamID,
		})
	}
	respond(rw, r, rows)
}

func (w *World) controlBalances(rw http.ResponseWriter, r *http.Request) {
	respond(rw, r, map[string]usd{SkinsBack: usd(w.Balance(SkinsBack)), SIH: usd(w.Balance(SIH))})
}

func (w *World) controlRequests(rw http.ResponseWriter, r *http.Request) {
	type counts struct {
		Methods      map[string]int `json:"methods"`
		MaxPerMinute int            `json:"max_per_minute"`
	}
	all := map[string]counts{}
	for _, market := range []string{SkinsBack, SIH} {
		all[market] = counts{w.Requests(market), w.MaxPerMinute(market)}
	}
	respond(rw, r, all)
}

// controlFault is a Fault as the control API has it.
type controlFault struct {
	ID      int    `json:"id,omitempty"`
	Market  string `json:"market"`
	Method  string `json:"method"`
	Kind    string `json:"kind"`
	Times   int    `json:"times"`
	Percent int    `json:"percent"`
	Delay   string `json:"delay"` // as in Go: "1.5s"
	Arg     string `json:"arg"`
	Hits    int    `json:"hits"`
}

func (w *World) controlFaults(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	rows := []controlFault{}
	for _, f := range w.faults.rules {
		rows = append(rows, controlFault{f.id, f.Market, f.Method, f.Kind, f.Times, f.Percent, f.Delay.String(), f.Arg, f.hits})
	}
	w.mu.Unlock()
	respond(rw, r, rows)
}

func (w *World) controlInject(rw http.ResponseWriter, r *http.Request) {
	var in controlFault
	if !read(rw, r, &in) {
		return
	}
	f := Fault{Market: in.Market, Method: in.Method, Kind: in.Kind, Times: in.Times, Percent: in.Percent, Arg: in.Arg}
	if in.Delay != "" {
		var err error
		if f.Delay, err = time.ParseDuration(in.Delay); err != nil {
			complain(rw, r, err)
			return
		}
	}
	if err := f.check(); err != nil {
		complain(rw, r, err)
		return
	}
	respond(rw, r, map[string]int{"id": w.Inject(f)})
}

func (w *World) controlPrice(rw http.ResponseWriter, r *http.Request) {
	var in struct {
		Market string `json:"market"`
		Name   string `json:"name"`
		Ask    loose  `json:"ask"`
	}
	if !read(rw, r, &in) {
		return
	}
	ask, err := ParseUSD(string(in.Ask))
	if err != nil {
		complain(rw, r, fmt.Errorf("ask: %w", err))
		return
	}
	if err := w.SetAsk(in.Market, in.Name, ask); err != nil {
		complain(rw, r, err)
		return
	}
	respond(rw, r, struct{}{})
}

func (w *World) controlStock(rw http.ResponseWriter, r *http.Request) {
	var in struct {
		Market string `json:"market"`
		Name   string `json:"name"`
		Count  int    `json:"count"`
	}
	if !read(rw, r, &in) {
		return
	}
	if err := w.SetCount(in.Market, in.Name, in.Count); err != nil {
		complain(rw, r, err)
		return
	}
	respond(rw, r, struct{}{})
}
