package scan

import (
	"slices"

	"github.com/go-faster/jx"
)

// Shape remembers how the rows of a list are written: which keys they have, in
// which order, with which white space between them. All rows of a list are written
// by the same program, so most of what stands between two values need only be
// compared with what stood there last time. It is not for concurrent use.
type Shape struct {
	member func(key []byte) int
	gaps   []gap
}

// gap is what stands before a value: `,"price":`, or `{"price":` before the first.
type gap struct {
	text   string
	member int
}

// maxGaps bounds what a Shape remembers.
const maxGaps = 24

// NewShape makes the shape of rows whose keys member gives numbers.
func NewShape(member func(key []byte) int) *Shape { return &Shape{member: member} }

// Row reads an object where it lies, member by member, as long as it is of the
// ordinary kind. It gives up, for good, on everything else:
//
//	row := shape.Open(b)
//	for row.Next() {
//		switch row.Member {
//		case price:
//			text, kind = row.Scalar()
//		default:
//			row.Skip()
//		}
//	}
//	n := row.End()
//
// Whatever was read of a row that ends with 0 is void.
type Row struct {
	Member int // that Next has found, as Shape's function numbers it

	shape *Shape
	gap   int // of the shape, expected next
	b     []byte
	i     int // in b; 0 until a gap was read
	end   int // after the closing bracket; 0 until it was seen
}

// Open begins to read the object at the beginning of b, which may go on after it.
func (s *Shape) Open(b []byte) Row {
	if len(b) == 0 || b[0] != '{' {
		return Row{shape: s}
	}
	return Row{shape: s, b: b}
}

// Next goes to the next member, whose value must then be read by Scalar or
// skipped by Skip.
func (r *Row) Next() bool {
	b, i := r.b, r.i
	if i >= len(b) {
		return r.giveUp()
	}
	if b[i] != '}' {
		// A member that this row lacks is passed over.
		for k := r.gap; k < len(r.shape.gaps); k++ {
			g := &r.shape.gaps[k]
			if to := i + len(g.text); to <= len(b) && string(b[i:to]) == g.text {
				r.i, r.gap, r.Member = to, k+1, g.member
				return true
			}
		}
	}
	return r.learn()
}

// learn reads the next gap as JSON, and adds it to the shape.
func (r *Row) learn() bool {
	b, i, first := r.b, r.i, r.i == 0
	if first {
		i++ // the bracket
	}
	i = space(b, i)
	switch {
	case i >= len(b):
		return r.giveUp()
	case b[i] == '}':
		r.end = i + 1
		return false
	case first:
	case b[i] != ',':
		return r.giveUp()
	default:
		i = space(b, i+1)
	}
	if i >= len(b) || b[i] != '"' {
		return r.giveUp()
	}
	key := i + 1
	i = special(b, key)
	if i >= len(b) || b[i] != '"' {
		return r.giveUp()
	}
	m := r.shape.member(b[key:i])
	i = space(b, i+1)
	if i >= len(b) || b[i] != ':' {
		return r.giveUp()
	}
	i = space(b, i+1)
	if s := r.shape; len(s.gaps) < maxGaps && i-r.i <= maxWord {
		s.gaps = slices.Insert(s.gaps, min(r.gap, len(s.gaps)), gap{string(b[r.i:i]), m})
		r.gap++
	}
	r.i, r.Member = i, m
	return true
}

// giveUp makes Next, Scalar and Skip find nothing any more.
func (r *Row) giveUp() bool {
	r.b, r.i = nil, 0
	return false
}

// Scalar reads a value: the content of a string without escapes, a number or a
// boolean as it is written, or null, which has no content. On other values it
// gives up. The bytes are part of the row.
func (r *Row) Scalar() ([]byte, jx.Type) {
	b, from := r.b, r.i
	if from >= len(b) {
		r.giveUp()
		return nil, jx.Invalid
	}
	if b[from] == '"' {
		end := special(b, from+1)
		if end >= len(b) || b[end] != '"' {
			r.giveUp()
			return nil, jx.Invalid
		}
		r.i = end + 1
		return b[from+1 : end], jx.String
	}
	kind := jx.Number
	switch b[from] {
	case '{', '[':
		r.giveUp()
		return nil, jx.Invalid
	case 't', 'f':
		kind = jx.Bool
	case 'n':
		kind = jx.Null
	}
	end := valueEnd(b, from, 0)
	if end < 0 {
		r.giveUp()
		return nil, jx.Invalid
	}
	r.i = end
	if kind == jx.Null {
		return nil, kind
	}
	return b[from:end], kind
}

// Skip passes over a value of any kind, which it checks.
func (r *Row) Skip() {
	if r.i = valueEnd(r.b, r.i, 1); r.i < 0 {
		r.giveUp()
	}
}

// End gives how many bytes the row has, 0 if it was given up.
func (r *Row) End() int { return r.end }
