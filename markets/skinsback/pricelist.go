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

// PullLots is Pull out of the list of all lots, whatever Config says: of every name
// the lowest ask, the lot that asks it, and how many lots there are. Of lots that
// ask the same it is the one whose id is the smallest as text, as with Check: the
// order of the rows decides nothing. However long the list, no more is held than
// one entry for each name.
func (c *Client) PullLots(ctx context.Context, g pricing.Game) (fetch.Pull, error) {
	names := c.names.Take(g)
	defer c.names.Return(names)
	lots := lowestLots{names: names}
	list, err := c.list(ctx, c.pricelist(params{"game": string(g), "full": "1"}), lots.row)
	if err != nil {
		return fetch.Pull{}, fmt.Errorf("pull the lots of %s from skinsback: %w", g, err)
	}
	shelf := lots.shelve(list.Rejected)
	return shelf.pull(list), nil
}

// lowestLots finds the cheapest lot of each name, and counts them all.
type lowestLots struct {
	names *scan.Names
	found []*scan.Name // in the order of their first lots
	of    []lowest     // by the name's index
	ids   []byte       // of the cheapest lots, where they say
}

// lowest is what is known of the lots of a name.
type lowest struct {
	ask   pricing.Money
	count int // 0 where there was no lot yet

	// Where the id of the lot at ask stands in ids, and how much room it has there.
	// That of a cheaper lot is written over it, and only a longer one put elsewhere,
	// so that falling asks take no more memory than rising ones.
	from, length, room int
}

// row takes a lot, or tells why it is of no use.
func (l *lowestLots) row(r *listRow) (string, error) {
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
	if more := name.Index + 1 - len(l.of); more > 0 {
		l.of = append(l.of, make([]lowest, more)...)
	}
	low := &l.of[name.Index]
	if low.count == 0 {
		l.found = append(l.found, name)
	}
	if low.count == 0 || ask < low.ask || ask == low.ask && string(r.id.bytes()) < string(l.id(low)) {
		low.ask = ask
		l.keep(low, r.id.bytes())
	}
	low.count++
	return "", nil
}

func (l *lowestLots) id(low *lowest) []byte { return l.ids[low.from : low.from+low.length] }

// keep makes id the lot at low's ask.
func (l *lowestLots) keep(low *lowest, id []byte) {
	if len(id) > low.room {
		low.from, low.room = len(l.ids), len(id)
		l.ids = append(l.ids, id...)
	}
	low.length = copy(l.ids[low.from:], id)
}

// shelve puts the lowest lots up, and adds to rejected the spellings of an item
// that have another one beside them. The ids of all lots are one piece of memory.
func (l *lowestLots) shelve(rejected map[string]int) shelf {
	shelf := shelf{l.names, l.names.Catalog()}
	ids := string(l.ids)
	for _, name := range l.found {
		low := &l.of[name.Index]
		if reason := shelf.add(name, low.ask, low.count, ids[low.from:low.from+low.length]); reason != "" {
			rejected[reason]++
		}
	}
	return shelf
}

func (c *Client) pricelist(p params) call {
	return call{"market_pricelist", p, fetch.ForCatalog, c.cfg.ListTimeout, c.cfg.MaxListBody}
}
