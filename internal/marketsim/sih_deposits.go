package marketsim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
)

// maxDeposit is how many items one call may put on sale.
const maxDeposit = 100

// sihDeposit puts items on sale. What is wrong with one of them does not keep
// the others away: it becomes a text among the errors of a success.
func (w *World) sihDeposit(r sihRequest) reply {
	type item struct {
		ID       loose `json:"id"`
		Price    loose `json:"price"`
		CustomID loose `json:"customId"`
		Amount   loose `json:"amount"`
		Item     loose `json:"item"` // of what nobody holds; not documented
	}
	var in struct {
		SteamID loose  `json:"steamId"`
		AppID   loose  `json:"appId"`
		Items   []item `json:"items"`
	}
	if json.Unmarshal(r.body, &in) != nil || len(in.Items) == 0 || len(in.Items) > maxDeposit || sihGame(string(in.AppID)) == "" {
		return sihUnknown
	}
	steamID := string(in.SteamID)
	if a := w.checkAccount(steamID); a.problem() != "" {
		return reply{status: http.StatusBadRequest, body: encode(struct {
			Success bool       `json:"success"`
			Error   string     `json:"error"`
			Data    sihAccount `json:"data"`
		}{false, a.problem(), a})}
	}
	type listed struct {
		ID       string      `json:"id"`
		Item     string      `json:"item"`
		Price    usd         `json:"price"`
		AssetID  string      `json:"assetid"`
		Amount   int         `json:"amount"`
		Float    json.Number `json:"float"`
		Phase    string      `json:"phase"`
		Stickers []string    `json:"stickers"`
	}
	out := struct {
		Success bool     `json:"success"`
		Errors  []string `json:"errors"`
		Data    []listed `json:"data"`
	}{true, []string{}, []listed{}}
	for _, it := range in.Items {
		price, priced := parseMoney(string(it.Price))
		d := &deposit{customID: string(it.CustomID), steamID: steamID, asset: string(it.ID), price: price}
		own, has := w.asset(steamID, d.asset)
		if has && own.item.game == sihGame(string(in.AppID)) {
			d.listing = w.sih.bySteam[key{own.item.game, own.item.name}]
		}
		if l := w.sih.bySteam[key{sihGame(string(in.AppID)), string(it.Item)}]; !has && w.partner.on() && l != nil {
			d.listing, own.item, own.tradable = l, l.item, true // the partner gets hold of it once it is ordered
		}
		problem := ""
		switch {
		case d.listing == nil:
			problem = "is not in the inventory"
		case !own.tradable:
			problem = "is not tradable"
		case !priced || price <= 0:
			problem = "has no price"
		case it.Amount != "1":
			problem = "has another amount"
		case w.seller.onSale(d.asset, steamID):
			problem = "is on sale already"
		case d.customID != "" && w.seller.byCustomID(d.customID) != nil:
			problem = "has a custom id that already exists"
		}
		if problem != "" {
			out.Errors = append(out.Errors, fmt.Sprintf("item %s %s", d.asset, problem))
			continue
		}
		w.offer(d)
		wear := int64(below(roll(w.cfg.Seed, aboutFloat, hashName(d.asset)), 10_000))
		out.Data = append(out.Data, listed{
			ID:       d.text(),
			Item:     own.item.bare,
			Price:    usd(price),
			AssetID:  d.asset,
			Amount:   1,
			Float:    json.Number(strconv.FormatFloat(float64(wear)/10_000, 'f', -1, 64)),
			Phase:    own.item.phase,
			Stickers: []string{},
		})
	}
	return sihOK(out)
}

// onSale tells whether an item is on sale or sold already.
func (s *seller) onSale(asset, steamID string) bool {
	for _, d := range s.open {
		if d.asset == asset && d.steamID == steamID && !d.closed() {
			return true
		}
	}
	return false
}

// byCustomID finds what was put on sale under a client's id, whatever became of
// it.
func (s *seller) byCustomID(id string) *deposit {
	for _, d := range s.deposits {
		if d.customID == id {
			return d
		}
	}
	return nil
}

// sihDeposits lists what is still on sale, also what pauses.
func (w *World) sihDeposits(sihRequest) reply {
	type row struct {
		ID       string `json:"id"`
		CustomID string `json:"customId"`
		Price    usd    `json:"price"`
	}
	rows := []row{}
	for _, d := range w.seller.open {
		if d.state == "new" {
			rows = append(rows, row{d.text(), d.customID, usd(d.price)})
		}
	}
	return sihOK(struct {
		Success bool  `json:"success"`
		Data    []row `json:"data"`
	}{true, rows})
}

// sihDeleteDeposit takes items off sale and names those that it took. Of what is
// not on sale, or not any more, it says nothing, unless that is all.
func (w *World) sihDeleteDeposit(r sihRequest) reply {
	var in struct {
		IDs       []loose `json:"ids"`
		CustomIDs []loose `json:"customIds"`
	}
	if json.Unmarshal(r.body, &in) != nil {
		return sihUnknown
	}
	deleted := []string{}
	withdraw := func(d *deposit) {
		if w.withdraw(d) {
			deleted = append(deleted, d.text())
		}
	}
	for _, id := range in.IDs {
		if i := number64(string(id)) - firstDeposit; i >= 0 && i < int64(len(w.seller.deposits)) {
			withdraw(w.seller.deposits[i])
		}
	}
	for _, id := range in.CustomIDs {
		withdraw(w.seller.byCustomID(string(id)))
	}
	if len(deleted) == 0 {
		return sihError(http.StatusBadRequest, "items not found")
	}
	return sihOK(struct {
		Success bool     `json:"success"`
		Data    []string `json:"data"`
	}{true, deleted})
}
