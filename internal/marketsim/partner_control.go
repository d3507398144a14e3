package marketsim

import (
	"fmt"
	"net/http"
	"time"
)

func (w *World) controlPartner(rw http.ResponseWriter, r *http.Request) {
	_, faults := w.PartnerFaults()
	sent, unreachable := w.PartnerRequests()
	w.mu.Lock()
	p := w.partner.Partner
	orders, open := len(w.partner.orders), 0
	for _, o := range w.partner.open {
		if !o.final {
			open++
		}
	}
	w.mu.Unlock()
	respond(rw, r, struct {
		PurchaseURL string `json:"purchase_url"`
		CheckURL    string `json:"check_url"`
		Orders      int    `json:"orders"`
		Open        int    `json:"open"`
		Requests    int    `json:"requests"`
		Unreachable int    `json:"unreachable"`
		Faults      int    `json:"faults"`
	}{p.PurchaseURL, p.CheckURL, orders, open, sent, unreachable, faults})
}

func (w *World) controlSetPartner(rw http.ResponseWriter, r *http.Request) {
	var in struct {
		PurchaseURL string    `json:"purchase_url"`
		CheckURL    string    `json:"check_url"`
		Hostile     bool      `json:"hostile"`
		Shares      Hostility `json:"shares"`
	}
	if !read(rw, r, &in) {
		return
	}
	w.mu.Lock()
	p := w.partner.Partner // its key, and its pauses
	w.mu.Unlock()
	p.PurchaseURL, p.CheckURL, p.Hostility = in.PurchaseURL, in.CheckURL, in.Shares
	if in.Hostile {
		p.Hostility = DefaultHostility
	}
	if err := w.SetPartner(p); err != nil {
		complain(rw, r, err)
		return
	}
	respond(rw, r, struct{}{})
}

func (w *World) controlPartnerOrders(rw http.ResponseWriter, r *http.Request) {
	type row struct {
		CustomID   string    `json:"custom_id"`
		ItemID     string    `json:"item_id"`
		Name       string    `json:"name,omitempty"`
		Price      usd       `json:"price"`
		SteamID    string    `json:"steam_id"`
		Partner    string    `json:"partner,omitempty"`
		Token      string    `json:"token,omitempty"`
		State      string    `json:"state"`
		Protection string    `json:"protection,omitempty"`
		Error      string    `json:"error,omitempty"`
		Final      bool      `json:"final"`
		Forged     bool      `json:"forged"`
		Ref        string    `json:"ref,omitempty"`
		OfferID    string    `json:"offer_id,omitempty"`
		Creates    int       `json:"creates"`
		Polls      int       `json:"polls"`
		Credited   usd       `json:"credited"`
		Bought     []string  `json:"bought"`
		At         time.Time `json:"at"`
	}
	rows := []row{}
	for _, o := range w.PartnerOrders() {
		rows = append(rows, row{
			o.CustomID, o.ItemID, o.Name, usd(o.Price), o.SteamID, o.Partner, o.Token, o.State, o.Protection, o.Error,
			o.Final, o.Forged, o.Ref, o.OfferID, o.Creates, o.Polls, usd(o.Credited), append([]string{}, o.Bought...), o.At.UTC(),
		})
	}
	respond(rw, r, rows)
}

func (w *World) controlPartnerFaults(rw http.ResponseWriter, r *http.Request) {
	type row struct {
		At       time.Time `json:"at"`
		CustomID string    `json:"custom_id,omitempty"`
		Rule     string    `json:"rule"`
		Detail   string    `json:"detail"`
		Request  string    `json:"request,omitempty"`
		Answer   string    `json:"answer,omitempty"`
	}
	rows := []row{}
	faults, count := w.PartnerFaults()
	for _, f := range faults {
		rows = append(rows, row{f.At.UTC(), f.CustomID, f.Rule, f.Detail, f.Request, f.Answer})
	}
	respond(rw, r, struct {
		Count  int   `json:"count"`
		Faults []row `json:"faults"`
	}{count, rows})
}

func (w *World) controlConsign(rw http.ResponseWriter, r *http.Request) {
	var in struct {
		SteamID  string `json:"steam_id"`
		ID       string `json:"id"`
		CustomID string `json:"custom_id"`
		Name     string `json:"name"`
		Price    loose  `json:"price"`
	}
	if !read(rw, r, &in) {
		return
	}
	price, err := ParseUSD(string(in.Price))
	if err != nil {
		complain(rw, r, fmt.Errorf("price: %w", err))
		return
	}
	id, err := w.Consign(in.SteamID, in.ID, in.CustomID, in.Name, price)
	if err != nil {
		complain(rw, r, err)
		return
	}
	respond(rw, r, map[string]string{"id": id})
}
