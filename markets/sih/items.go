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
	"skinarb/internal/scan"
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
	names := c.names.Take(g)
	defer c.names.Return(names)
	var cat *catalog
	err = c.read(ctx, request{
		path: "get-items", query: query, class: fetch.ForCatalog,
		timeout: c.cfg.CatalogTimeout, limit: c.cfg.MaxCatalogBytes,
	}, func(a *answer) (err error) {
		defer a.readAhead()()
		cat, err = c.readCatalog(a, names)
		return err
	})
	if err != nil {
		return fetch.Pull{}, err
	}
	cat.found.Done()
	return cat.pull(), nil
}

// ReadItems reads a catalog that was kept from an answer of GetItems, inflated, as
// GetItems would have read it now.
func (c *Client) ReadItems(g pricing.Game, body io.Reader) (fetch.Pull, error) {
	if _, err := appID(g); err != nil {
		return fetch.Pull{}, err
	}
	names := c.names.Take(g)
	defer c.names.Return(names)
	a, err := open(&http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(body)}, c.cfg.MaxCatalogBytes, c.keep(), c.cfg.Now())
	if err != nil {
		return fetch.Pull{}, err
	}
	cat, err := c.readCatalog(a, names)
	if err != nil {
		return fetch.Pull{}, fmt.Errorf("read a kept catalog: %w", err)
	}
	cat.found.Done()
	return cat.pull(), nil
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
	var cat *catalog
	err = c.read(ctx, request{path: "get-min-item", query: query, class: fetch.ForPurchase}, func(a *answer) (err error) {
		cat, err = c.decodeItems(a, g)
		return err
	})
	return cat, err
}

// maxRows bounds a catalog, in entries. The largest game has 20,000.
const maxRows = 1 << 20

// catalog collects the entries of an answer.
type catalog struct {
	names    *scan.Names
	found    *scan.Catalog
	rejected map[string]int
	rows     int // entries of every kind
	arrived  time.Time
	bytes    int64

	scan       *scan.Scanner
	shape      *scan.Shape // of records
	words      words
	odd        *jx.Decoder // of values that quick leaves alone
	quickOffer offer       // that quick has read last
}

func newCatalog(names *scan.Names, body io.Reader) *catalog {
	return &catalog{
		names: names, found: names.Catalog(), rejected: map[string]int{},
		scan: scan.New(body), shape: scan.NewShape(memberOf), words: newWords(), odd: jx.DecodeBytes(nil),
	}
}

// pull gives what others see of a catalog; nothing of nil.
func (cat *catalog) pull() fetch.Pull {
	if cat == nil {
		return fetch.Pull{}
	}
	return fetch.Pull{ObservedAt: cat.arrived, Listings: cat.found.Listings, Rejected: cat.rejected, Bytes: cat.bytes}
}

// decodeItems reads a small answer of get-items or get-min-item. Its names are
// not worth remembering.
func (c *Client) decodeItems(a *answer, g pricing.Game) (*catalog, error) {
	return c.readCatalog(a, scan.NewNames(g))
}

// readCatalog reads an answer of get-items or get-min-item.
func (c *Client) readCatalog(a *answer, names *scan.Names) (*catalog, error) {
	if a.status != http.StatusOK {
		return nil, c.decode(a, &struct{}{})
	}
	cat := newCatalog(names, a.body)
	env, err := cat.read()
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
func (cat *catalog) read() (head, error) {
	var h head
	err := cat.scan.Object(func(key []byte) error {
		kind, err := cat.scan.Kind()
		if err != nil {
			return err
		}
		if string(key) == "items" && kind == jx.Object {
			if h.items {
				return errors.New("items come twice")
			}
			h.items = true
			return cat.scan.Object(cat.row)
		}
		v, err := cat.scan.Value()
		switch {
		case err != nil:
		case string(key) == "success" && kind == jx.Bool:
			h.success = string(v) == "true"
		case string(key) == "error" && kind == jx.String:
			cat.odd.ResetBytes(v)
			h.err, err = cat.odd.Str()
		}
		return err
	})
	if err != nil {
		return h, err
	}
	return h, cat.scan.End()
}

// row reads one member of items. An error means that the body is broken.
func (cat *catalog) row(name []byte) error {
	if cat.rows++; cat.rows > maxRows {
		return fmt.Errorf("more than %d entries", maxRows)
	}
	odd, err := cat.scan.Take(cat.quick)
	if err != nil {
		return err
	}
	o := &cat.quickOffer
	reason := o.fault()
	if odd != nil {
		cat.odd.ResetBytes(odd)
		if *o, reason, err = cat.offers(cat.odd); err != nil {
			return err
		}
	}
	if reason == "" {
		if reason, err = cat.add(name, o); err != nil {
			return err
		}
	}
	if reason != "" {
		cat.rejected[reason]++
	}
	return nil
}

// add puts an offer where it belongs, or tells why it cannot.
func (cat *catalog) add(spelling []byte, o *offer) (reason string, err error) {
	name, err := cat.names.Find(spelling, o.phase)
	switch {
	case err != nil:
		return "", err
	case errors.Is(name.Err, pricing.ErrName):
		return "name", nil
	case name.Err != nil:
		return "phase", nil
	case o.count == 0:
		return "", nil // sold out
	}
	l, taken := cat.found.Place(name)
	if taken {
		reason = "duplicate"
		// The names decide between equal asks: the order of a JSON object may be
		// another one in the next pull.
		if o.ask > l.Ask || o.ask == l.Ask && name.Spelling >= l.MarketName {
			return reason, nil
		}
	}
	l.MarketName, l.Ask, l.Count = name.Spelling, o.ask, o.count
	l.Steam, l.SellHint, l.Source = o.steam, o.sell, o.source
	return reason, nil
}
