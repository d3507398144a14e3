package skinsback

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"

	"github.com/cenkalti/backoff/v5"
	"github.com/go-faster/jx"

	"skinarb/pricing"
)

// Reasons for which a row of a list is not used.
const (
	badRow       = "row"          // not an object
	badName      = "name"         // missing, or not an item's name
	badPhase     = "phase"        // a Doppler phase that is not known, or does not exist
	badPrice     = "price"        // missing, no amount, or not positive
	badCount     = "count"        // told, and no count
	badID        = "id"           // a lot without one
	outOfStock   = "out_of_stock" // count 0: nothing is wrong with it
	duplicateRow = "duplicate"    // another row has the item for no more
)

// maxField bounds a text that is kept of a row, in bytes.
const maxField = 1 << 10

// list asks for rows and hands them to use, which gives the reason for which a
// row is not used, or else an error to end it all with.
func (c *Client) list(ctx context.Context, q call, use func(*listRow) (string, error)) (List, error) {
	var l List
	err := c.retry(ctx, q, func(resp *http.Response) error {
		if resp.StatusCode != http.StatusOK {
			return c.answer(q.method, resp, &struct{}{})
		}
		now := c.cfg.Now()
		b, err := newBody(resp, q.maxBody)
		if err != nil {
			return c.noAnswer(q.method, err)
		}
		r := newListReader(q.method, b, use)
		if err := c.judgeList(r, resp, r.read()); err != nil {
			if r.used {
				return backoff.Permanent(err) // another try would hand out rows twice
			}
			return err
		}
		l = List{ObservedAt: now, LastUpdate: string(r.lastUpdate), Rejected: r.rejected, Bytes: b.read}
		return nil
	})
	return l, err
}

// judgeList gives the error that reading a list came to.
func (c *Client) judgeList(r *listReader, resp *http.Response, err error) error {
	var api *APIError
	var large *tooLargeError
	switch {
	case err == nil:
		return nil
	case r.userErr != nil:
		return r.userErr
	case errors.As(err, &api):
		return c.decide(api, c.retryAfterOf(resp))
	case r.body.err != nil && !errors.As(r.body.err, &large):
		return c.noAnswer(r.method, r.body.err)
	}
	return c.answerError(r.method, resp.StatusCode, r.body.head, cutOff(err))
}

// listReader reads an answer with rows, one at a time, wherever in the object
// they stand.
type listReader struct {
	method     string
	body       *body
	use        func(*listRow) (string, error)
	row        listRow
	rejected   map[string]int
	lastUpdate text
	used       bool  // a row was handed out
	listed     bool  // the answer has its rows
	userErr    error // of use
}

func newListReader(method string, b *body, use func(*listRow) (string, error)) *listReader {
	return &listReader{method: method, body: b, use: use, rejected: map[string]int{}}
}

// read reads the whole answer, to its very end: a list that is cut off must not
// look like a short one.
func (r *listReader) read() error {
	d := jx.Decode(r.body, 64<<10)
	var status, code, message field
	err := d.ObjBytes(func(d *jx.Decoder, key []byte) error {
		switch string(key) {
		case "status":
			return status.read(d)
		case "error_code":
			return code.read(d)
		case "error_message":
			return message.read(d)
		case "last_update":
			var f field
			err := f.read(d)
			r.lastUpdate = f.text()
			return err
		case "items":
			return r.items(d)
		}
		return d.Skip()
	})
	if err != nil {
		return err
	}
	if err := d.Skip(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("something follows the answer: %w", errors.Join(err))
	}
	e := envelope{Status: status.text(), Message: message.text()}
	if code.told() {
		t := code.text()
		e.Code = &t
	}
	if err := e.check(r.method); err != nil {
		return err
	}
	if !r.listed {
		return errors.New("the answer has no items")
	}
	return nil
}

// items reads the rows: a list, or what PHP makes of one.
func (r *listReader) items(d *jx.Decoder) error {
	if r.listed {
		return errors.New("the answer has items twice")
	}
	r.listed = true
	switch d.Next() {
	case jx.Array:
		return d.Arr(r.item)
	case jx.Object:
		return d.ObjBytes(func(d *jx.Decoder, key []byte) error {
			if !digits(string(key)) {
				return errors.New("items is an object, not a list")
			}
			return r.item(d)
		})
	case jx.Null:
		return d.Null()
	}
	return errors.New("items is no list")
}

func (r *listReader) item(d *jx.Decoder) error {
	reason := badRow
	if d.Next() == jx.Object {
		if err := r.row.read(d); err != nil {
			return err
		}
		if reason, r.userErr = r.use(&r.row); r.userErr != nil {
			r.used = true
			return r.userErr
		}
	} else if err := d.Skip(); err != nil {
		return err
	}
	if reason == "" {
		r.used = true
	} else {
		r.rejected[reason]++
	}
	return nil
}

// listRow is one row as sent. It is used again for the next one.
type listRow struct {
	id, name, price, classID, count field
	extra                           Extra
	stickers                        []string
	visit                           func(*jx.Decoder, []byte) error // r.field, made once
}

func (r *listRow) read(d *jx.Decoder) error {
	for _, f := range []*field{&r.id, &r.name, &r.price, &r.classID, &r.count} {
		f.kind = untold
	}
	r.extra, r.stickers = Extra{}, nil
	if r.visit == nil {
		r.visit = r.field
	}
	return d.ObjBytes(r.visit)
}

func (r *listRow) field(d *jx.Decoder, key []byte) error {
	switch string(key) {
	case "id":
		return r.id.read(d)
	case "name":
		return r.name.read(d)
	case "price":
		return r.price.read(d)
	case "classid":
		return r.classID.read(d)
	case "count":
		return r.count.read(d)
	case "extra":
		if d.Next() == jx.Object { // an empty one may be a list
			return d.ObjBytes(r.readExtra)
		}
	case "stickers":
		if d.Next() == jx.Array {
			return d.Arr(r.readSticker)
		}
	}
	return d.Skip()
}

func (r *listRow) readExtra(d *jx.Decoder, key []byte) error {
	into := map[string]*string{
		"type": &r.extra.Type, "weapon": &r.extra.Weapon, "exterior": &r.extra.Exterior,
		"quality": &r.extra.Quality, "rarity": &r.extra.Rarity,
	}[string(key)]
	if into == nil {
		return d.Skip()
	}
	var f field
	err := f.read(d)
	*into = string(f.text())
	return err
}

func (r *listRow) readSticker(d *jx.Decoder) error {
	if d.Next() != jx.Object {
		return d.Skip()
	}
	return d.ObjBytes(func(d *jx.Decoder, key []byte) error {
		if string(key) != "name" {
			return d.Skip()
		}
		var f field
		err := f.read(d)
		if t := f.text(); t != "" {
			r.stickers = append(r.stickers, string(t))
		}
		return err
	})
}

// group gives the row as one of a grouped list, or why it is none.
func (r *listRow) group() (Group, string) {
	if r.name.text() == "" {
		return Group{}, badName
	}
	ask, ok := r.ask()
	if !ok {
		return Group{}, badPrice
	}
	count := pricing.CountUnknown
	if t := r.count.text(); t != "" || r.count.kind == unusable {
		n, ok := t.whole()
		switch {
		case !ok || n < 0 || n > math.MaxInt32:
			return Group{}, badCount
		case n == 0:
			return Group{}, outOfStock
		}
		count = int(n)
	}
	return Group{Name: string(r.name.text()), Ask: ask, Count: count, ClassID: string(r.classID.text())}, ""
}

// lots makes a use for list out of what wants lots.
func lots(row func(Lot) error) func(*listRow) (string, error) {
	return func(r *listRow) (string, error) {
		lot, reason := r.lot()
		if reason != "" {
			return reason, nil
		}
		return "", row(lot)
	}
}

// lot gives the row as one lot, or why it is none.
func (r *listRow) lot() (Lot, string) {
	ask, ok := r.ask()
	switch {
	case r.name.text() == "":
		return Lot{}, badName
	case !ok:
		return Lot{}, badPrice
	case r.id.text() == "":
		return Lot{}, badID
	}
	return Lot{
		ID: string(r.id.text()), Name: string(r.name.text()), Ask: ask, ClassID: string(r.classID.text()),
		Extra: r.extra, Stickers: r.stickers,
	}, ""
}

// ask gives the price, and false unless it is positive.
func (r *listRow) ask() (pricing.Money, bool) {
	ask, ok := r.price.text().money()
	return ask, ok && ask > 0
}

// field is a scalar in a stream: what text is in a small answer. Its buffer is
// used again for the next row, so what is kept of it must be copied.
type field struct {
	kind fieldKind
	buf  []byte
}

type fieldKind int

const (
	untold   fieldKind = iota // absent or null
	scalar                    // a string, a number or a boolean
	unusable                  // a list or an object with content, or longer than maxField
)

func (f *field) read(d *jx.Decoder) (err error) {
	f.kind = scalar
	switch d.Next() {
	case jx.String:
		f.buf, err = d.StrAppend(f.buf[:0])
	case jx.Number:
		var n jx.Num
		n, err = d.NumAppend(jx.Num(f.buf[:0]))
		f.buf = n
	case jx.Bool:
		var b bool
		b, err = d.Bool()
		f.buf = strconv.AppendBool(f.buf[:0], b)
	case jx.Null:
		f.kind = untold
		err = d.Null()
	default:
		f.kind = unusable
		err = d.Skip()
	}
	if len(f.buf) > maxField {
		f.kind, f.buf = unusable, nil
	}
	return err
}

func (f *field) told() bool { return f.kind != untold }

// text gives a copy of the value, empty unless it is a scalar.
func (f *field) text() text {
	if f.kind != scalar {
		return ""
	}
	return text(f.buf)
}
