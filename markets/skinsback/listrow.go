package skinsback

import (
	"math"
	"strconv"

	"github.com/go-faster/jx"

	"skinarb/internal/scan"
	"skinarb/pricing"
)

// maxField bounds a text that is kept of a row, in bytes.
const maxField = 1 << 10

// listRow is one row as sent. It is used again for the next one.
type listRow struct {
	id, name, price, classID, count field
	extra                           Extra
	stickers                        []string
	shape                           *scan.Shape
	texts                           scan.Block
	visit                           func(*jx.Decoder, []byte) error // r.field, made once
}

func (r *listRow) clear() {
	r.id.kind, r.name.kind, r.price.kind, r.classID.kind, r.count.kind = untold, untold, untold, untold, untold
	r.extra, r.stickers = Extra{}, nil
}

// members are what a row may have for us.
const (
	unused = iota // skipped
	idMember
	nameMember
	priceMember
	classIDMember
	countMember
	extraMember
	stickersMember
)

func memberOf(key []byte) int {
	switch string(key) {
	case "id":
		return idMember
	case "name":
		return nameMember
	case "price":
		return priceMember
	case "classid":
		return classIDMember
	case "count":
		return countMember
	case "extra":
		return extraMember
	case "stickers":
		return stickersMember
	}
	return unused
}

// scalar gives the field that a member goes to, or nil.
func (r *listRow) scalar(member int) *field {
	switch member {
	case idMember:
		return &r.id
	case nameMember:
		return &r.name
	case priceMember:
		return &r.price
	case classIDMember:
		return &r.classID
	case countMember:
		return &r.count
	}
	return nil
}

// quick reads a row at the beginning of b and gives its length; 0 when it is not
// of the ordinary kind. Its fields are then part of b. It reads nothing that read
// would not read in the same way.
func (r *listRow) quick(b []byte) int {
	r.clear()
	row := r.shape.Open(b)
	for row.Next() {
		switch row.Member {
		case unused:
			row.Skip()
		case extraMember, stickersMember:
			row.Scalar() // with content they are not ordinary
		default:
			r.scalar(row.Member).set(row.Scalar())
		}
	}
	return row.End()
}

// read reads a row of any kind.
func (r *listRow) read(d *jx.Decoder) error {
	r.clear()
	if r.visit == nil {
		r.visit = r.field
	}
	return d.ObjBytes(r.visit)
}

func (r *listRow) field(d *jx.Decoder, key []byte) error {
	switch m := memberOf(key); {
	case m == extraMember && d.Next() == jx.Object: // an empty one may be a list
		return d.ObjBytes(r.readExtra)
	case m == stickersMember && d.Next() == jx.Array:
		return d.Arr(r.readSticker)
	default:
		if f := r.scalar(m); f != nil {
			return f.read(d)
		}
		return d.Skip()
	}
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

// offer gives what one row of a grouped list asks and how much there is of it,
// or why it is none.
func (r *listRow) offer() (ask pricing.Money, count int, reason string) {
	if len(r.name.bytes()) == 0 {
		return 0, 0, badName
	}
	ask, ok := r.ask()
	if !ok {
		return 0, 0, badPrice
	}
	told := r.count.bytes()
	if len(told) == 0 && r.count.kind != unusable {
		return ask, pricing.CountUnknown, ""
	}
	switch n, ok := scan.Whole(told); {
	case !ok || n < 0 || n > math.MaxInt32:
		return 0, 0, badCount
	case n == 0:
		return 0, 0, outOfStock
	default:
		return ask, int(n), ""
	}
}

// group gives the row as one of a grouped list, or why it is none.
func (r *listRow) group() (Group, string) {
	ask, count, reason := r.offer()
	if reason != "" {
		return Group{}, reason
	}
	return Group{Name: string(r.name.text()), Ask: ask, Count: count, ClassID: string(r.classID.text())}, ""
}

// lots makes a use for list out of what wants lots. names gives the text of a
// name.
func lots(names func([]byte) (string, error), row func(Lot) error) func(*listRow) (string, error) {
	return func(r *listRow) (string, error) {
		ask, reason := r.lotAsk()
		if reason != "" {
			return reason, nil
		}
		name, err := names(r.name.bytes())
		if err != nil {
			return "", err
		}
		return "", row(Lot{
			ID: r.texts.Text(r.id.bytes()), Name: name, Ask: ask, ClassID: r.texts.Text(r.classID.bytes()),
			Extra: r.extra, Stickers: r.stickers,
		})
	}
}

// lotAsk gives what a row asks as one lot, or why it is none.
func (r *listRow) lotAsk() (pricing.Money, string) {
	ask, ok := r.ask()
	switch {
	case len(r.name.bytes()) == 0:
		return 0, badName
	case !ok:
		return 0, badPrice
	case len(r.id.bytes()) == 0:
		return 0, badID
	}
	return ask, ""
}

// ask gives the price, and false unless it is positive.
func (r *listRow) ask() (pricing.Money, bool) {
	ask, ok := scan.Money(r.price.bytes())
	return ask, ok && ask > 0
}

// field is a scalar in a stream: what text is in a small answer. It is good
// until the next row is read, so what is kept of it must be copied.
type field struct {
	kind fieldKind
	b    []byte
	own  []byte // what b is part of after read
}

type fieldKind int

const (
	untold   fieldKind = iota // absent or null
	scalar                    // a string, a number or a boolean
	unusable                  // a list or an object with content, or longer than maxField
)

// set takes what a scan.Row has read.
func (f *field) set(b []byte, kind jx.Type) {
	f.kind, f.b = scalar, b
	switch {
	case kind == jx.Null:
		f.kind = untold
	case len(b) > maxField:
		f.kind = unusable
	}
}

func (f *field) read(d *jx.Decoder) (err error) {
	f.kind = scalar
	b := f.own[:0]
	switch d.Next() {
	case jx.String:
		b, err = d.StrAppend(b)
	case jx.Number:
		var n jx.Num
		n, err = d.NumAppend(jx.Num(b))
		b = []byte(n)
	case jx.Bool:
		var yes bool
		yes, err = d.Bool()
		b = strconv.AppendBool(b, yes)
	case jx.Null:
		f.kind = untold
		err = d.Null()
	default:
		f.kind = unusable
		err = d.Skip()
	}
	f.b, f.own = b, b
	if len(b) > maxField {
		f.kind, f.own = unusable, nil
	}
	return err
}

func (f *field) told() bool { return f.kind != untold }

// bytes gives the value, empty unless it is a scalar.
func (f *field) bytes() []byte {
	if f.kind != scalar {
		return nil
	}
	return f.b
}

// text gives a copy of bytes.
func (f *field) text() text { return text(f.bytes()) }
