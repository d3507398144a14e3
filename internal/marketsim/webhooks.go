package marketsim

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Bounds of what a market tells.
const (
	maxNews     = 1000 // events that wait to be sent
	maxSent     = 50   // events that are kept to be sent again by an Attack
	postTimeout = 5 * time.Second
	maxAnswer   = 4 << 10 // bytes of a receiver's answer that are read
)

// outbox is what a market has to tell of its orders. It fills only while
// somebody listens. Guarded by World.mu.
type outbox struct {
	sockets int      // SkinsBack: that have logged in
	news    [][]byte // events not yet sent, oldest first
	sent    [][]byte // the last ones that were, oldest first
}

// listening tells whether anybody would hear of an event.
func (m *market) listening() bool { return m.webhook != "" || m.outbox.sockets > 0 }

// tell puts an event of an order into its market's outbox: on SkinsBack a
// purchase or a change of status, and one more when money moved.
func (w *World) tell(o *order, bought, paid bool) {
	m := o.market
	if !m.listening() {
		return
	}
	var events [][]byte
	if m.name == SIH {
		events = append(events, o.sihEvent())
	} else {
		events = append(events, o.sbEvent(bought))
		if paid {
			events = append(events, o.sbBalanceEvent())
		}
	}
	m.outbox.news = lastOf(append(m.outbox.news, events...), maxNews)
}

// lastOf gives the last most of all.
func lastOf[T any](all []T, most int) []T { return all[max(0, len(all)-most):] }

// news empties a market's outbox and tells where webhooks go. With nobody
// listening it does not even look at the clock.
func (w *World) news(m *market) (events [][]byte, webhook string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if m.listening() {
		w.advance()
	}
	events, m.outbox.news = m.outbox.news, nil
	m.outbox.sent = lastOf(append(m.outbox.sent, events...), maxSent)
	return events, m.webhook
}

// sbItemEvent is the item of an event. Every number of an event is a string.
type sbItemEvent struct {
	ID      string `json:"id"`
	Name    string `json:"name,omitempty"`
	Price   string `json:"price,omitempty"`
	ClassID string `json:"classid,omitempty"`
}

type sbBought struct {
	Item     sbItemEvent `json:"item"`
	BuyID    string      `json:"buy_id"`
	Status   string      `json:"offer_status"`
	Debited  string      `json:"balance_debited_sum"`
	CustomID *string     `json:"custom_id"`
}

type sbChanged struct {
	Item         sbItemEvent `json:"item"`
	BuyID        string      `json:"buy_id"`
	Status       string      `json:"offer_status"`
	Reason       *string     `json:"error_reason"`
	TradeOfferID *string     `json:"tradeofferid"`
	CustomID     *string     `json:"custom_id"`
}

func sbEvent(kind string, data any) []byte {
	return encode(struct {
		Event string `json:"event"`
		Data  any    `json:"data"`
	}{kind, data}).plain
}

func (o *order) sbEvent(bought bool) []byte {
	if bought {
		return sbEvent("buy_item", o.sbBought())
	}
	info := o.sbInfo()
	return sbEvent("status_change", sbChanged{
		Item:         sbItemEvent{ID: strconv.FormatInt(o.lot.id, 10)},
		BuyID:        info.BuyID,
		Status:       o.state,
		TradeOfferID: info.TradeOfferID,
		CustomID:     info.CustomID,
	})
}

func (o *order) sbBought() sbBought {
	return sbBought{
		Item: sbItemEvent{
			ID:      strconv.FormatInt(o.lot.id, 10),
			Name:    o.listing.name,
			Price:   formatMoney(o.lot.price),
			ClassID: o.listing.classID(),
		},
		BuyID:    strconv.FormatInt(o.id, 10),
		Status:   o.state,
		Debited:  formatMoney(o.debited),
		CustomID: optional(o.customID),
	}
}

// sbBalanceEvent is what clients see, except that every fourth order gets what
// the documentation shows, which is a purchase over again.
func (o *order) sbBalanceEvent() []byte {
	if o.id%4 == 0 {
		return sbEvent("buy_item", o.sbBought())
	}
	return o.market.sbBalanceEvent()
}

func (m *market) sbBalanceEvent() []byte {
	return sbEvent("balance_change", struct {
		Value string `json:"balance_value"`
	}{formatMoney(m.balance)})
}

// sihEvent is the order in one of the shapes that clients expect: alone, or
// under order or data.
func (o *order) sihEvent() []byte {
	switch o.seq % 3 {
	case 0:
		return encode(o.sihOrder()).plain
	case 1:
		return encode(map[string]sihOrder{"order": o.sihOrder()}).plain
	default:
		return encode(map[string]sihOrder{"data": o.sihOrder()}).plain
	}
}

// SetWebhook makes a market send its events to an address; "" ends that. On SIH
// clients can do the same. Events are sent only by a world that is served.
func (w *World) SetWebhook(market, address string) error {
	m := w.market(market)
	if m == nil {
		return fmt.Errorf("no market %q", market)
	}
	if !webhookAddress(address) {
		return errors.New("the address of a webhook is an http or https URL")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance() // what was to happen until now happens unheard
	m.webhook = address
	return nil
}

// webhookAddress tells whether events can be sent to an address, or to none.
func webhookAddress(address string) bool {
	u, err := url.Parse(address)
	return address == "" || err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// xSign is the constant that SkinsBack's webhooks and socket know a project by.
func (w *World) xSign() string {
	sum := md5.Sum([]byte(w.cfg.ClientID + w.cfg.ClientSecret))
	return hex.EncodeToString(sum[:])
}

// signature is the HMAC-SHA256 of a webhook's body.
func (w *World) signature(body []byte) string {
	mac := hmac.New(sha256.New, []byte(w.cfg.ClientSecret))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// post is one webhook on its way.
type post struct {
	address string
	header  http.Header
	body    io.Reader
}

// genuine is a webhook as the market sends it: SkinsBack signs, SIH does not.
func (w *World) genuine(market, address string, event []byte) post {
	p := post{address, http.Header{}, bytes.NewReader(event)}
	if market == SkinsBack {
		p.header.Set("Signature", w.signature(event))
		p.header.Set("X-SIGN", w.xSign())
	}
	return p
}

// Answer is what the receiver of a webhook made of it.
type Answer struct {
	Status int    // of HTTP; 0: none came
	Body   string // how it begins
	Err    string // why none came
	Took   time.Duration
}

// webhookClient keeps no connection, so that none outlives a test.
var webhookClient = &http.Client{
	Transport:     &http.Transport{DisableKeepAlives: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// send makes a delivery and waits for its answer.
func (p post) send(ctx context.Context) Answer {
	began := time.Now()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.address, p.body)
	if err != nil {
		return Answer{Err: err.Error()}
	}
	req.Header = p.header
	if req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := webhookClient.Do(req)
	if err != nil {
		return Answer{Err: err.Error(), Took: time.Since(began)}
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer)) // what came will do
	return Answer{Status: resp.StatusCode, Body: string(body), Took: time.Since(began)}
}

// controlWebhook sets where a market sends its events.
func (w *World) controlWebhook(rw http.ResponseWriter, r *http.Request) {
	var in struct {
		Market string `json:"market"`
		URL    string `json:"url"`
	}
	if !read(rw, r, &in) {
		return
	}
	if err := w.SetWebhook(in.Market, in.URL); err != nil {
		complain(rw, r, err)
		return
	}
	respond(rw, r, struct{}{})
}

// controlAttack makes an Attack and gives the answers that it got.
func (w *World) controlAttack(rw http.ResponseWriter, r *http.Request) {
	var in struct {
		Market string `json:"market"`
		Kind   string `json:"kind"`
		For    string `json:"for"` // as in Go: "20s"
	}
	if !read(rw, r, &in) {
		return
	}
	a := Attack{Market: in.Market, Kind: in.Kind}
	if in.For != "" {
		var err error
		if a.For, err = time.ParseDuration(in.For); err != nil {
			complain(rw, r, err)
			return
		}
	}
	answers, err := w.Attack(r.Context(), a)
	if err != nil {
		complain(rw, r, err)
		return
	}
	type row struct {
		Status int    `json:"status"`
		Body   string `json:"body,omitempty"`
		Error  string `json:"error,omitempty"`
		TookMS int64  `json:"took_ms"`
	}
	rows := []row{}
	for _, a := range answers {
		rows = append(rows, row{a.Status, a.Body, a.Err, a.Took.Milliseconds()})
	}
	respond(rw, r, rows)
}
