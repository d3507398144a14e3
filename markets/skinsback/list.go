package skinsback

import (
	"context"
	"errors"
	"net/http"

	"github.com/cenkalti/backoff/v5"
	"github.com/go-faster/jx"

	"skinarb/fetch"
	"skinarb/internal/scan"
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

// list asks for rows and hands them to use, which gives the reason for which a
// row is not used, or else an error to end it all with.
func (c *Client) list(ctx context.Context, q call, use func(*listRow) (string, error)) (List, error) {
	var l List
	err := c.retry(ctx, q, func(resp *http.Response) (err error) {
		if resp.StatusCode != http.StatusOK {
			return c.answer(q.method, resp, &struct{}{})
		}
		var used bool
		if l, used, err = c.receiveList(resp, q, use); used && err != nil {
			return backoff.Permanent(err) // another try would hand out rows twice
		}
		return err
	})
	return l, err
}

// receiveList reads an answer with rows, and tells whether any was used.
func (c *Client) receiveList(resp *http.Response, q call, use func(*listRow) (string, error)) (l List, used bool, err error) {
	now := c.cfg.Now()
	b, err := newBody(resp, q.maxBody)
	if err != nil {
		return List{}, false, c.noAnswer(q.method, err)
	}
	if q.class == fetch.ForCatalog {
		defer b.readAhead()()
	}
	r := newListReader(q.method, b, use)
	if err := c.judgeList(r, resp, r.read()); err != nil {
		return List{}, r.used, err
	}
	return List{ObservedAt: now, LastUpdate: string(r.lastUpdate), Rejected: r.rejected, Bytes: b.read}, r.used, nil
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
	scan       *scan.Scanner
	odd        *jx.Decoder // of values that a scan.Row cannot read
	use        func(*listRow) (string, error)
	row        listRow
	rejected   map[string]int
	lastUpdate text
	used       bool  // a row was handed out
	listed     bool  // the answer has its rows
	userErr    error // of use
}

func newListReader(method string, b *body, use func(*listRow) (string, error)) *listReader {
	return &listReader{
		method: method, body: b, scan: scan.New(b), odd: jx.DecodeBytes(nil), use: use,
		row: listRow{shape: scan.NewShape(memberOf)}, rejected: map[string]int{},
	}
}

// read reads the whole answer, to its very end: a list that is cut off must not
// look like a short one.
func (r *listReader) read() error {
	var status, code, message, lastUpdate field
	err := r.scan.Object(func(key []byte) error {
		switch string(key) {
		case "status":
			return r.scalar(&status)
		case "error_code":
			return r.scalar(&code)
		case "error_message":
			return r.scalar(&message)
		case "last_update":
			return r.scalar(&lastUpdate)
		case "items":
			return r.items()
		}
		_, err := r.scan.Value()
		return err
	})
	if err != nil {
		return err
	}
	if err := r.scan.End(); err != nil {
		return err
	}
	r.lastUpdate = lastUpdate.text()
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

// scalar reads a field of the answer itself.
func (r *listReader) scalar(f *field) error {
	raw, err := r.scan.Value()
	if err != nil {
		return err
	}
	r.odd.ResetBytes(raw)
	return f.read(r.odd)
}

// items reads the rows: a list, or what PHP makes of one.
func (r *listReader) items() error {
	if r.listed {
		return errors.New("the answer has items twice")
	}
	r.listed = true
	kind, err := r.scan.Kind()
	if err != nil {
		return err
	}
	switch kind {
	case jx.Array:
		return r.scan.Array(r.item)
	case jx.Object:
		return r.scan.Object(func(key []byte) error {
			if !digits(string(key)) {
				return errors.New("items is an object, not a list")
			}
			return r.item()
		})
	case jx.Null:
		_, err := r.scan.Value()
		return err
	}
	return errors.New("items is no list")
}

func (r *listReader) item() error {
	odd, err := r.scan.Take(r.row.quick)
	if err != nil {
		return err
	}
	reason := ""
	if odd != nil {
		if reason, err = r.readOdd(odd); err != nil {
			return err
		}
	}
	if reason == "" {
		if reason, r.userErr = r.use(&r.row); r.userErr != nil {
			r.used = true
			return r.userErr
		}
	}
	if reason == "" {
		r.used = true
	} else {
		r.rejected[reason]++
	}
	return nil
}

// readOdd reads a row that is not of the ordinary kind, or tells why it is none.
func (r *listReader) readOdd(raw []byte) (string, error) {
	r.odd.ResetBytes(raw)
	if r.odd.Next() != jx.Object {
		return badRow, nil
	}
	return "", r.row.read(r.odd)
}
