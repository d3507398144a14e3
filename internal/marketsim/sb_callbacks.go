package marketsim

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// callback is a post about a deposit, to be sent.
type callback struct {
	id      int64 // of the deposit
	orderID string
	post    post
}

// failedCallback is one that did not arrive.
type failedCallback struct {
	id      int64
	orderID string
	code    int // of HTTP; 0: no answer
}

// SetResultURL sets where SkinsBack sends callbacks about deposits that name no
// address of their own; "" means nowhere. They are sent only by a world that is
// served.
func (w *World) SetResultURL(address string) error {
	if !webhookAddress(address) {
		return errors.New("the address of a callback is an http or https URL")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance()
	w.sbDeposits.resultURL = address
	return nil
}

// callBack prepares the callback about a deposit that changed: of every other one
// as a form, since the documentation does not say which it is.
func (w *World) callBack(d *sbDeposit) {
	if d.resultURL == "" {
		return
	}
	p := params{}
	for name, value := range w.depositRow(d) {
		if text, ok := scalarText(value); ok {
			value = text // callbacks have texts only
		}
		p[name] = value
	}
	if d.state == "in_hold" {
		p["user_risk"] = w.userRisk(d)
	}
	p["sign"] = p.signature(w.cfg.ClientSecret)

	out := post{address: d.resultURL, header: http.Header{}}
	out.header.Set("X-SIGN", w.xSign())
	if d.id%2 == 0 {
		out.header.Set("Content-Type", "application/x-www-form-urlencoded")
		form := url.Values{}
		addForm(form, "", map[string]any(p))
		out.body = strings.NewReader(form.Encode())
	} else {
		out.header.Set("Content-Type", "application/json")
		out.body = strings.NewReader(string(encode(p).plain))
	}
	w.sbDeposits.calls = lastOf(append(w.sbDeposits.calls, callback{d.id, d.orderID, out}), maxNews)
}

// scalarText is the text of a scalar of a deposit.
func scalarText(v any) (string, bool) {
	switch v := v.(type) {
	case int64:
		return strconv.FormatInt(v, 10), true
	case nil:
		return "", false
	}
	return scalar(v)
}

// addForm adds a value as PHP writes forms.
func addForm(form url.Values, name string, v any) {
	inner := func(k string) string {
		if name == "" {
			return k
		}
		return name + "[" + k + "]"
	}
	switch v := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			addForm(form, inner(k), v[k])
		}
	case []any:
		for i, element := range v {
			addForm(form, inner(strconv.Itoa(i)), element)
		}
	default:
		text, _ := scalarText(v)
		form.Set(name, text)
	}
}

// userRisk is what SkinsBack knows of the user of a deposit.
func (w *World) userRisk(d *sbDeposit) map[string]any {
	var count, sum, undone, undoneSum int64
	for _, other := range w.sbDeposits.all {
		if other.steamID != d.steamID || other == d {
			continue
		}
		count, sum = count+1, sum+other.credited
		if other.state == "hold_returned" {
			undone, undoneSum = undone+1, undoneSum+other.sum
		}
	}
	inventory := map[string]any{}
	for _, game := range sbGames {
		var worth int64
		for _, a := range w.offerables(game, d.steamID) {
			worth += w.credits(a)
		}
		inventory[game] = map[string]any{
			"last_updated_at": w.now.UTC().Format("2006-01-02T15:04:05.000000Z"),
			"sum":             w.number(formatMoney(worth)),
		}
	}
	return map[string]any{
		"total_deposits_count":          count,
		"total_deposits_sum":            w.number(formatMoney(sum)),
		"total_rollback_deposits_count": undone,
		"total_rollback_deposits_sum":   w.number(formatMoney(undoneSum)),
		"joined_at":                     w.start.UTC().Format(time.DateTime),
		"last_deposit_at":               d.created.UTC().Format(time.DateTime),
		"user_inventory":                inventory,
	}
}

// callBackAll sends callbacks, each once and in order, until close.
func (c *couriers) callBackAll() {
	tick := time.NewTicker(newsEvery)
	defer tick.Stop()
	for {
		for _, call := range c.world.callbacks() {
			ctx, cancel := context.WithTimeout(c.ctx, postTimeout)
			answer := call.post.send(ctx)
			cancel()
			if c.ctx.Err() == nil {
				c.world.calledBack(call, answer)
			}
		}
		select {
		case <-c.ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// callbacks takes those that are to be sent. While nobody deposits it does not
// even look at the clock.
func (w *World) callbacks() []callback {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.sbDeposits.all) > 0 {
		w.advance()
	}
	calls := w.sbDeposits.calls
	w.sbDeposits.calls = nil
	return calls
}

// calledBack notes what became of a callback: of each deposit the last.
func (w *World) calledBack(call callback, answer Answer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sbDeposits.failed = slices.DeleteFunc(w.sbDeposits.failed, func(f failedCallback) bool { return f.id == call.id })
	if answer.Status < 200 || answer.Status > 299 {
		w.sbDeposits.failed = append(w.sbDeposits.failed, failedCallback{call.id, call.orderID, answer.Status})
	}
}

func (w *World) sbCallbackErrors(p params) (any, *sbError) {
	rows := []any{}
	for _, f := range w.sbDeposits.failed {
		rows = append(rows, struct {
			ID       int64  `json:"transaction_id"`
			OrderID  string `json:"order_id"`
			HTTPCode string `json:"http_code"`
		}{f.id, f.orderID, strconv.Itoa(f.code)})
	}
	return sbPage(p, rows), nil
}

func (w *World) controlResultURL(rw http.ResponseWriter, r *http.Request) {
	var in struct {
		URL string `json:"url"`
	}
	if !read(rw, r, &in) {
		return
	}
	if err := w.SetResultURL(in.URL); err != nil {
		complain(rw, r, err)
		return
	}
	respond(rw, r, struct{}{})
}
