package backtoback

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"skinarb/execution"
	"skinarb/pricing"
	"skinarb/selling"
)

// Rules is what the operator has set.
type Rules struct {
	Buy, Sell pricing.Fees  // of SkinsBack and of SIH
	MinProfit pricing.Money // of one sale, after both

	MaxListings  int           // at the same time
	RepriceEvery time.Duration // least time for which a price that is not wrong stays
}

// Terms is what an item can be had for now, by prices that may be traded on.
type Terms struct {
	MarketName string        // SkinsBack's spelling
	Ask        pricing.Money // SkinsBack's lowest
	Lowest     pricing.Money // SIH's lowest ask, which may be our own; 0 where nobody offers it
}

// floor gives the lowest price on SIH that leaves the least profit when SkinsBack
// asks for so much; a ceiling is in whole cents.
func (r Rules) floor(ask pricing.Money) (pricing.Money, error) {
	return selling.Floor(r.Sell, r.Buy.Cost(ask.CeilCent())+r.MinProfit)
}

// ceiling gives the highest ask on SkinsBack that leaves the least profit when SIH
// pays so much, and what that sale brings; 0 where there is none.
func (r Rules) ceiling(price pricing.Money) (ask, proceeds pricing.Money) {
	proceeds = selling.Proceeds(r.Sell, price)
	budget := proceeds - r.MinProfit
	if budget <= 0 {
		return 0, proceeds
	}
	ask = pricing.Money(int64(budget) / int64(10_000+r.Buy.BuyBps) * 10_000).FloorCent()
	for ask+pricing.Cent <= budget && r.Buy.Cost(ask+pricing.Cent) <= budget {
		ask += pricing.Cent
	}
	return ask, proceeds
}

// wish gives what is to be bought when SIH pays so much for an item; its buyer is
// still to be named.
func (r Rules) wish(it pricing.Item, t Terms, price pricing.Money) execution.Request {
	ask, proceeds := r.ceiling(price)
	return execution.Request{
		Market: pricing.SkinsBack, SellOn: pricing.SIH, Item: it, MarketName: t.MarketName,
		Ask: ask, Cost: r.Buy.Cost(ask), Proceeds: proceeds,
	}
}

// plan is what to do about listings.
type plan struct {
	withdraw []withdrawal
	list     []offer
}

type withdrawal struct {
	listing selling.Listing
	why     string
}

type offer struct {
	item  pricing.Item
	price pricing.Money
	floor pricing.Money
}

// view is what a plan rests on.
type view struct {
	now    time.Time
	open   []selling.Listing // ours that may be on sale
	recent []selling.Listing // ours that ended so lately that SIH's catalog may still have them
	wanted []pricing.Item    // worth listing, best first
	terms  func(pricing.Item) (Terms, bool)
	admits func(execution.Request) error // what the limits say of buying it
}

// plan says what to take off sale and what to offer. It is a function of its
// arguments.
func (r Rules) plan(v view) plan {
	var p plan
	ours := map[pricing.Item][]pricing.Money{}
	for _, l := range slices.Concat(v.open, v.recent) {
		ours[l.Item] = append(ours[l.Item], l.Price)
	}
	busy := map[pricing.Item]bool{}
	left := r.MaxListings
	for _, l := range v.open {
		if l.State == selling.Gone {
			continue // sold, most likely, and not paid yet
		}
		left--
		busy[l.Item] = true
		if l.State != selling.Listed {
			continue // it is on its way on or off, or sold
		}
		if why := r.wrong(v, l, ours[l.Item]); why != "" {
			p.withdraw = append(p.withdraw, withdrawal{l, why})
		}
	}
	for _, it := range v.wanted {
		if len(p.list) >= left {
			break
		}
		t, ok := v.terms(it)
		if busy[it] || !ok || t.Lowest <= 0 {
			continue
		}
		floor, err := r.floor(t.Ask)
		if err != nil {
			continue
		}
		// An offer that is not the cheapest is bought by nobody.
		price := selling.Undercut(t.Lowest, floor, ours[it])
		cheapest := price < t.Lowest || price == t.Lowest && slices.Contains(ours[it], price)
		if cheapest && v.admits(r.wish(it, t, price)) == nil {
			p.list = append(p.list, offer{it, price, floor})
			busy[it] = true
		}
	}
	return p
}

// anotherItem is in the reason of a refusal when SIH listed another item than was
// meant: for a moment a wrong one was on sale.
const anotherItem = "another_item"

// rest gives how long the item of a listing that was just sent is not offered again;
// 0 where SIH may have taken it.
func (r Rules) rest(l selling.Listing) time.Duration {
	switch {
	case l.State == selling.Unsent:
		return unsentRest
	case l.State != selling.Refused:
		return 0
	case strings.Contains(l.Error, anotherItem):
		return mistakenRest
	}
	return r.RepriceEvery
}

// wrong tells why a listing must not stay as it is, or nothing.
func (r Rules) wrong(v view, l selling.Listing, ours []pricing.Money) string {
	t, ok := v.terms(l.Item)
	if !ok {
		return "skinsback has no offer of it that may be traded on"
	}
	floor, err := r.floor(t.Ask)
	switch {
	case err != nil:
		return err.Error()
	case l.Price < floor:
		return fmt.Sprintf("skinsback asks %s: the floor is %s", t.Ask, floor)
	case t.Lowest > 0 && t.Lowest < floor && !slices.Contains(ours, t.Lowest):
		return fmt.Sprintf("sih has it for %s, less than the floor of %s", t.Lowest, floor)
	}
	if err := v.admits(r.wish(l.Item, t, l.Price)); err != nil {
		return err.Error()
	}
	price := max(l.Price, floor)
	if t.Lowest > 0 {
		price = selling.Undercut(t.Lowest, floor, ours)
	}
	if price != l.Price && v.now.Sub(l.CreatedAt) >= r.RepriceEvery {
		return fmt.Sprintf("to be listed for %s", price)
	}
	return ""
}
