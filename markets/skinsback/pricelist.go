package skinsback

import (
	"context"
	"time"

	"skinarb/fetch"
	"skinarb/pricing"
)

// Group is one name's entry in a grouped price list.
type Group struct {
	Name    string        // the market's own spelling, with a Doppler's phase
	Ask     pricing.Money // lowest price of the name; positive
	Count   int           // at least 1, or pricing.CountUnknown
	ClassID string        // of Steam's economy
}

// Lot is one thing on offer. A Doppler's lot is listed twice under one ID, with
// the phase in its name and without.
type Lot struct {
	ID      string
	Name    string
	Ask     pricing.Money // positive
	ClassID string

	// What extended=1 adds, as far as it is known; empty where it is not told.
	Extra    Extra
	Stickers []string // without "Sticker | "
}

// Extra describes a lot in Steam's words.
type Extra struct {
	Type, Weapon, Exterior, Quality, Rarity string
}

// List tells of a price list what is not in its rows.
type List struct {
	ObservedAt time.Time      // when the answer arrived
	LastUpdate string         // as sent: seconds since 1970, or a date
	Rejected   map[string]int // rows that were not handed out, by reason
	Bytes      int64          // of the body, inflated
}

// Pricelist reads the names on offer in a game, with lowest price and count,
// row by row. An error of row ends it and is returned. Rows handed out before
// any error, a cut-off body's too, are worth nothing.
//
// Errors: *fetch.PauseError, *APIError, *AnswerError, or the network's. It is
// tried again only as long as no row was handed out.
// https://skinsback.com/docs/api/v1/market_pricelist
func (c *Client) Pricelist(ctx context.Context, g pricing.Game, row func(Group) error) (List, error) {
	return c.list(ctx, c.pricelist(params{"game": string(g)}), func(r *listRow) (string, error) {
		group, reason := r.group()
		if reason != "" {
			return reason, nil
		}
		return "", row(group)
	})
}

// FullPricelist reads every lot on offer in a game, with Extra and Stickers if
// extended. All else is as with Pricelist; the body can be hundreds of
// megabytes and is never held whole.
func (c *Client) FullPricelist(ctx context.Context, g pricing.Game, extended bool, row func(Lot) error) (List, error) {
	p := params{"game": string(g), "full": "1"}
	if extended {
		p["extended"] = "1"
	}
	return c.list(ctx, c.pricelist(p), lots(row))
}

func (c *Client) pricelist(p params) call {
	return call{"market_pricelist", p, fetch.ForCatalog, c.cfg.ListTimeout, c.cfg.MaxListBody}
}
