package skinsback

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"skinarb/fetch"
	"skinarb/internal/scan"
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
	names := c.names.Take(g)
	defer c.names.Return(names)
	return c.list(ctx, c.pricelist(p), lots(func(b []byte) (string, error) {
		name, err := names.Find(b, "")
		if err != nil {
			return "", err
		}
		return name.Spelling, nil
	}, row))
}

// ReadPricelist reads a grouped price list that was kept from an answer,
// inflated, as Pull would have read it now.
func (c *Client) ReadPricelist(g pricing.Game, list io.Reader) (fetch.Pull, error) {
	names := c.names.Take(g)
	defer c.names.Return(names)
	shelf := shelf{names, names.Catalog()}
	l, _, err := c.receiveList(&http.Response{Body: io.NopCloser(list)}, c.pricelist(nil), shelf.row)
	if err != nil {
		return fetch.Pull{}, fmt.Errorf("read a kept price list: %w", err)
	}
	return shelf.pull(l), nil
}

// PullLots is Pull out of the list of all lots: of every name the lowest ask, and
// how many lots there are. However long the list, no more is held than one entry
// for each name.
func (c *Client) PullLots(ctx context.Context, g pricing.Game) (fetch.Pull, error) {
	names := c.names.Take(g)
	defer c.names.Return(names)
	lots := lotColumns{names: names}
	list, err := c.list(ctx, c.pricelist(params{"game": string(g), "full": "1"}), lots.row)
	if err != nil {
		return fetch.Pull{}, fmt.Errorf("pull the lots of %s from skinsback: %w", g, err)
	}
	shelf := shelf{names, names.Catalog()}
	for _, name := range lots.found {
		if reason := shelf.add(name, lots.asks[name.Index], lots.counts[name.Index]); reason != "" {
			list.Rejected[reason]++
		}
	}
	return shelf.pull(list), nil
}

// lotColumns counts lots by name, in columns by the name's index.
type lotColumns struct {
	names  *scan.Names
	found  []*scan.Name
	asks   []pricing.Money // the lowest
	counts []int           // 0 where there was no lot yet
}

// row takes a lot, or tells why it is of no use.
func (l *lotColumns) row(r *listRow) (string, error) {
	ask, reason := r.lotAsk()
	if reason != "" {
		return reason, nil
	}
	name, err := l.names.Find(r.name.bytes(), "")
	if err != nil {
		return "", err
	}
	if name.Err != nil {
		return reasonOf(name.Err), nil
	}
	if more := name.Index + 1 - len(l.asks); more > 0 {
		l.asks = append(l.asks, make([]pricing.Money, more)...)
		l.counts = append(l.counts, make([]int, more)...)
	}
	lowest, count := &l.asks[name.Index], &l.counts[name.Index]
	if *count == 0 {
		l.found = append(l.found, name)
		*lowest = ask
	}
	*lowest, *count = min(*lowest, ask), *count+1
	return "", nil
}

func (c *Client) pricelist(p params) call {
	return call{"market_pricelist", p, fetch.ForCatalog, c.cfg.ListTimeout, c.cfg.MaxListBody}
}
