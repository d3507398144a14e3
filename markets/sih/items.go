package sih

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/go-faster/jx"

	"skinarb/fetch"
	"skinarb/pricing"
)

// Flags choose the form of a catalog. What they add or leave out is hardly
// documented; GetItems reads every form.
type Flags struct {
	Minified bool
	Extended bool
}

// GetItems reads the whole catalog of a game (GET /get-items), as it arrives.
// The entries' order means nothing. Of several that are one item, as two
// spellings of a name are, the one with the lower ask stays. Entries that are
// sold out are left out, and those that make no sense are counted in Rejected:
//
//	name       not the name of an item
//	phase      a Doppler whose phase is unknown or contradicts itself
//	price      no price, or none above zero
//	count      not a number of units
//	shape      neither a price nor an entry nor a list of entries
//	duplicate  dearer than another entry for the same item
//
// A catalog that is cut off, garbled, larger than allowed, refused or no catalog
// is an error.
func (c *Client) GetItems(ctx context.Context, g pricing.Game, f Flags) (fetch.Pull, error) {
	id, err := appID(g)
	if err != nil {
		return fetch.Pull{}, err
	}
	query := url.Values{"appId": {strconv.Itoa(id)}}
	if f.Minified {
		query.Set("minified", "true")
	}
	if f.Extended {
		query.Set("extended", "true")
	}
	cat, err := c.readItems(ctx, g, request{
		path: "get-items", query: query, class: fetch.ForCatalog,
		timeout: c.cfg.CatalogTimeout, limit: c.cfg.MaxCatalogBytes,
	})
	return cat.pull(), err
}

// GetMinItem asks for the lowest ask of one item by SIH's spelling of its name
// (GET /get-min-item). The answer has the form of a catalog, and of no entries
// when there are none on offer; SIH may also refuse with a text. It need not be
// about the item that was asked for: see Check.
func (c *Client) GetMinItem(ctx context.Context, g pricing.Game, name string) (fetch.Pull, error) {
	cat, err := c.minItem(ctx, g, name)
	return cat.pull(), err
}

func (c *Client) minItem(ctx context.Context, g pricing.Game, name string) (*catalog, error) {
	id, err := appID(g)
	if err != nil {
		return nil, err
	}
	// It is asked right before a purchase, and as urgent.
	query := url.Values{"item": {name}, "appId": {strconv.Itoa(id)}}
	return c.readItems(ctx, g, request{path: "get-min-item", query: query, class: fetch.ForPurchase})
}

// readItems asks for a catalog, or a part of one; it is nil when there is an
// error.
func (c *Client) readItems(ctx context.Context, g pricing.Game, r request) (*catalog, error) {
	var cat *catalog
	err := c.read(ctx, r, func(a *answer) (err error) {
		cat, err = c.decodeItems(a, g)
		return err
	})
	return cat, err
}

// maxRows bounds a catalog, in entries. The largest game has 20,000.
const maxRows = 1_000_000

// catalog collects the entries of an answer.
type catalog struct {
	game     pricing.Game
	listings []pricing.Listing
	position map[pricing.Item]int // in listings
	rejected map[string]int
	rows     int // entries of every kind
	arrived  time.Time
	bytes    int64
}

// pull gives what others see of a catalog; nothing of nil.
func (cat *catalog) pull() fetch.Pull {
	if cat == nil {
		return fetch.Pull{}
	}
	return fetch.Pull{ObservedAt: cat.arrived, Listings: cat.listings, Rejected: cat.rejected, Bytes: cat.bytes}
}

// decodeItems reads an answer of get-items or get-min-item.
func (c *Client) decodeItems(a *answer, g pricing.Game) (*catalog, error) {
	if a.status != http.StatusOK {
		return nil, c.decode(a, &struct{}{})
	}
	cat := &catalog{game: g, position: map[pricing.Item]int{}, rejected: map[string]int{}}
	env, err := cat.read(jx.Decode(a.body, 64<<10))
	switch {
	case a.wire.err != nil:
		return nil, fmt.Errorf("cut off after %d bytes: %w", a.size.n, a.wire.err)
	case errors.Is(err, errTooLarge):
		return nil, err
	case err != nil:
		return nil, c.unreadable(a, errors.New(c.clean(err.Error()))) // it may quote the body
	case !env.success:
		return nil, &APIError{Status: a.status, Text: c.clean(env.err)}
	case !env.items:
		return nil, c.unreadable(a, errors.New("no items in it"))
	}
	cat.arrived, cat.bytes = a.arrived, a.size.n
	return cat, nil
}

// head is what stands around the items.
type head struct {
	success bool
	err     string
	items   bool // there were some, perhaps none
}

// read reads the whole body, to its very end: a catalog that lacks its closing
// brackets is not a short one.
func (cat *catalog) read(d *jx.Decoder) (head, error) {
	var h head
	err := d.ObjBytes(func(d *jx.Decoder, key []byte) (err error) {
		switch {
		case string(key) == "success" && d.Next() == jx.Bool:
			h.success, err = d.Bool()
		case string(key) == "error" && d.Next() == jx.String:
			h.err, err = d.Str()
		case string(key) == "items" && d.Next() == jx.Object:
			if h.items {
				return errors.New("items come twice")
			}
			h.items = true
			err = d.Obj(cat.row)
		default:
			err = d.Skip()
		}
		return err
	})
	if err != nil {
		return h, err
	}
	if err := d.Skip(); !errors.Is(err, io.EOF) {
		return h, fmt.Errorf("more after the end: %w", err)
	}
	return h, nil
}

// row reads one member of items. An error means that the body is broken.
func (cat *catalog) row(d *jx.Decoder, name string) error {
	if cat.rows++; cat.rows > maxRows {
		return fmt.Errorf("more than %d entries", maxRows)
	}
	o, reason, err := readOffers(d)
	if err != nil {
		return err
	}
	if reason != "" {
		cat.rejected[reason]++
		return nil
	}
	cat.add(name, o)
	return nil
}

// add puts an offer where it belongs.
func (cat *catalog) add(name string, o offer) {
	item, err := pricing.ParseItem(cat.game, name, o.phase)
	switch {
	case errors.Is(err, pricing.ErrName):
		cat.rejected["name"]++
		return
	case err != nil:
		cat.rejected["phase"]++
		return
	case o.count == 0:
		return // sold out
	}
	l := pricing.Listing{
		Item:       item,
		MarketName: name,
		Ask:        o.ask,
		Count:      o.count,
		Steam:      o.steam,
		SellHint:   o.sell,
		Source:     o.source,
	}
	i, ok := cat.position[item]
	if !ok {
		cat.position[item] = len(cat.listings)
		cat.listings = append(cat.listings, l)
		return
	}
	cat.rejected["duplicate"]++
	// The names decide between equal asks: the order of a JSON object may be
	// another one in the next pull.
	if had := cat.listings[i]; l.Ask < had.Ask || l.Ask == had.Ask && l.MarketName < had.MarketName {
		cat.listings[i] = l
	}
}
