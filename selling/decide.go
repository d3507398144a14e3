package selling

import (
	"fmt"
	"time"

	"skinarb/pricing"
)

// Rules are what the operator has set of selling.
type Rules struct {
	Fees      map[pricing.Market]pricing.Fees
	MinProfit pricing.Money // of one position, after fees

	RepriceEvery time.Duration // least time between two listings of a position
	// ReturnAfter is how long goods must be off sale and in the inventory before they
	// count as returned. Goods that are sold stay in the inventory until their buyer
	// accepts the trade, so it has to be longer than a buyer can take for that.
	ReturnAfter time.Duration
	VanishAfter time.Duration // how long goods must be off sale and nowhere before a position is given up
}

// view is what a decision about a position rests on.
type view struct {
	now      time.Time
	stopped  bool    // the kill switch
	reversed bool    // the purchase is not settled any more
	assets   []Asset // of the game
	blind    string  // why assets are not known; empty: they are

	quote   pricing.Quote // lowest ask on the market that sells it
	offered bool          // there is one
	stale   string        // why quotes there are not to be relied on; empty: they are

	ours     []pricing.Money // prices of our own open listings of the item there
	doubtful bool            // whether one of our listings there is on sale is not known
	held     []Position      // all that are not done
}

// action is what to do about a position now.
type action string

const (
	wait     action = "wait"
	list     action = "list"     // begin a listing of asset for price
	withdraw action = "withdraw" // take the listing off sale
	giveBack action = "return"   // the goods are there: held again
	giveUp   action = "vanish"   // neither goods nor money came
)

// decision is an action with what it needs, and what to note of it.
type decision struct {
	do    action
	asset Asset
	price pricing.Money
	floor pricing.Money
	note  string
}

// decide says what to do about a position. It is a function of its arguments.
func (r Rules) decide(p Position, v view) decision {
	d := decision{do: wait, floor: p.Floor}
	floor, err := r.floor(p)
	if err != nil {
		d.note = err.Error()
	} else {
		d.floor = floor
	}
	switch p.State() {
	case Held:
		if err != nil {
			return d
		}
		return r.decideHeld(p, v, d)
	case PositionState(Listed):
		if v.reversed {
			return offSale(p, d)
		}
		d.note = p.Note
		if err != nil {
			return d
		}
		return r.decideListed(p, v, d)
	case PositionState(Gone):
		return r.decideGone(p, v, d)
	}
	d.note = p.Listing.Error
	return d
}

// floor gives the lowest price at which a position is sold: that whose proceeds
// are the cost and the least profit.
func (r Rules) floor(p Position) (pricing.Money, error) {
	return Floor(r.Fees[p.SellOn], p.Cost+r.MinProfit)
}

func (r Rules) decideHeld(p Position, v view, d decision) decision {
	switch {
	case v.stopped:
		d.note = "trading is stopped"
	case v.reversed:
		d.note = "its purchase is not settled any more"
	case v.now.Before(r.again(p.Listing)):
		d.note = "its last listing is " + string(p.Listing.State)
		if p.Listing.Error != "" {
			d.note += ": " + p.Listing.Error
		}
	case v.stale != "":
		d.note = v.stale
	case v.blind != "":
		d.note = v.blind
	default:
		asset, reason := findAsset(p, v.assets, v.held)
		if reason != "" {
			d.note = reason
			return d
		}
		d.asset = asset
		d.do, d.price, d.note = r.price(p, v, asset, d.floor)
	}
	return d
}

// unsentPause is how long to leave a market alone after it took nothing up.
const unsentPause = time.Minute

// again gives when a position may be listed after a listing.
func (r Rules) again(last Listing) time.Time {
	switch last.State {
	case Refused, Returned: // the same would most likely happen again
		return last.UpdatedAt.Add(r.RepriceEvery)
	case Withdrawn: // over by then, unless it was not taken off for its price
		return last.CreatedAt.Add(r.RepriceEvery)
	case Unsent:
		return last.UpdatedAt.Add(unsentPause)
	}
	return time.Time{}
}

// price decides whether an asset is listed now and for what. Where the market
// names the price, it is taken or left.
func (r Rules) price(p Position, v view, asset Asset, floor pricing.Money) (action, pricing.Money, string) {
	if p.SellOn == pricing.SkinsBack {
		switch {
		case asset.Pays <= 0:
			return wait, 0, "skinsback does not take it now"
		case asset.Pays < floor:
			return wait, 0, fmt.Sprintf("skinsback pays %s, less than the floor", asset.Pays)
		}
		return list, asset.Pays, ""
	}
	price, note := r.ask(p, v, floor)
	return list, price, note
}

// ask gives the price to ask for. Where nobody else offers the item, it is the
// one that was expected when it was bought.
func (r Rules) ask(p Position, v view, floor pricing.Money) (pricing.Money, string) {
	if !v.offered {
		expected, err := Floor(r.Fees[p.SellOn], p.Expected)
		if err != nil {
			expected = floor
		}
		return max(expected, floor), "nobody else offers it there"
	}
	price := Undercut(v.quote.Ask, floor, v.ours)
	if price == floor && floor >= v.quote.Ask {
		return price, fmt.Sprintf("at its floor: the lowest ask there is %s", v.quote.Ask)
	}
	return price, ""
}

// offSale takes a listing off whose purchase was reversed: the goods are the
// market's again, and a buyer could not get them. Where nothing can be withdrawn, a
// person declines the trade offer.
func offSale(p Position, d decision) decision {
	d.note = "its purchase is not settled any more"
	if p.SellOn == pricing.SkinsBack {
		d.note += ": decline the trade offer"
		return d
	}
	d.do = withdraw
	return d
}

// decideListed re-prices: it takes a listing off sale that should have another
// price by now, and by asks that the market gave while it was on sale.
func (r Rules) decideListed(p Position, v view, d decision) decision {
	l := p.Listing
	switch {
	case p.SellOn == pricing.SkinsBack, v.stopped, v.stale != "", v.doubtful, !v.offered:
		return d
	case v.now.Sub(l.CreatedAt) < r.RepriceEvery, !v.quote.ObservedAt.After(l.ListedAt):
		return d
	}
	price, note := r.ask(p, v, d.floor)
	if price != l.Price {
		d.do, d.price, d.note = withdraw, price, fmt.Sprintf("to be listed for %s instead of %s", price, l.Price)
	} else {
		d.note = note
	}
	return d
}

// decideGone says what became of goods that are off sale, by where they are.
// Whether they were sold the market says, by its credit.
func (r Rules) decideGone(p Position, v view, d decision) decision {
	l := p.Listing
	off := v.now.Sub(l.GoneAt)
	switch {
	case v.blind != "":
		d.note = v.blind
	case indexAsset(v.assets, l.Goods) >= 0:
		d.note = "off sale, and in the inventory"
		if off >= r.ReturnAfter {
			d.do = giveBack
		}
	default:
		d.note = "off sale, and not in the inventory: most likely sold, and not paid yet"
		if off >= r.VanishAfter {
			d.do, d.note = giveUp, "off sale, not in the inventory, and not paid for"
		}
	}
	return d
}
