package httpapi

import (
	"bytes"
	"unicode/utf8"

	"skinarb/pricing"
)

// batch is what POST /v1/prices asks for. A plain one is kept from one request to
// the next.
type batch struct {
	names [][]byte
	found []found // by name

	unescaped []byte // names that had escapes
}

// found is what there is to say of a name.
type found struct {
	answer *answer // nil where no market has it
	same   bool    // the name is spelled as in its answer
}

func (q *batch) clear() {
	clear(q.names)
	clear(q.found)
	q.names, q.found, q.unescaped = q.names[:0], q.found[:0], q.unescaped[:0]
}

// find finds the answers of all names, and tells whether those that are not
// spelled as we do are plain text at least: nobody has looked.
//
// All are found before any is written: the waits for memory of a thousand
// look-ups in a row overlap, those between two texts would not.
func (q *batch) find(e *edition) (plain bool) {
	plain = true
	for _, name := range q.names {
		pos, ok := e.book.Find(e.game, name, pricing.NoPhase)
		if ok {
			a := e.at(pos)
			q.found = append(q.found, found{a, a.family == ""}) // a phase would be in it
			continue
		}
		plain = plain && plainText(name)
		var a *answer
		if it, err := pricing.ParseItem(e.game, string(name), ""); err == nil {
			a = e.of(it)
		}
		q.found = append(q.found, found{a, false})
	}
	return plain
}

// plainText tells whether b is UTF-8 without control characters.
func plainText(b []byte) bool {
	for _, c := range b {
		if c < ' ' {
			return false
		}
	}
	return utf8.Valid(b)
}

// read reads {"game":"cs2","names":["a","b"]}, its members in either order and
// the game optional. It reports false for what only encoding/json should judge:
// other members, white space but blanks, more names than are allowed, and
// everything that is wrong.
func (q *batch) read(body []byte) (game []byte, ok bool) {
	r := plainReader{rest: body, unescaped: q.unescaped}
	defer func() { q.unescaped = r.unescaped }()
	if !r.take('{') {
		return nil, false
	}
	named := false
	for {
		member, ok := r.text()
		if !ok || !r.take(':') {
			return nil, false
		}
		switch {
		case string(member) == "game" && game == nil:
			if game, ok = r.text(); !ok || len(game) == 0 {
				return nil, false
			}
		case string(member) == "names" && !named:
			named = true
			if q.names, ok = r.texts(q.names); !ok {
				return nil, false
			}
		default:
			return nil, false
		}
		if !r.take(',') {
			break
		}
	}
	return game, named && r.take('}') && r.end()
}

// plainReader reads plain JSON, token by token.
type plainReader struct {
	rest      []byte
	unescaped []byte // strings that had escapes, one after the other
}

func (r *plainReader) skipBlanks() {
	for len(r.rest) > 0 && r.rest[0] == ' ' {
		r.rest = r.rest[1:]
	}
}

// take takes one character of punctuation, if it comes next.
func (r *plainReader) take(c byte) bool {
	r.skipBlanks()
	if len(r.rest) == 0 || r.rest[0] != c {
		return false
	}
	r.rest = r.rest[1:]
	return true
}

// text takes a string. It does not look whether that is plain text: a name that
// is one of ours is, and find looks at the others.
func (r *plainReader) text() ([]byte, bool) {
	if !r.take('"') {
		return nil, false
	}
	end := bytes.IndexByte(r.rest, '"')
	if end < 0 {
		return nil, false
	}
	s := r.rest[:end]
	if bytes.IndexByte(s, '\\') >= 0 {
		return r.escapedText()
	}
	r.rest = r.rest[end+1:]
	return s, true
}

// escapedText is text after the quotation mark. Half a pair of surrogates, and
// the pairs, are encoding/json's.
func (r *plainReader) escapedText() ([]byte, bool) {
	from := len(r.unescaped)
	for i := 0; i < len(r.rest); i++ {
		c := r.rest[i]
		if c == '"' {
			r.rest = r.rest[i+1:]
			return r.unescaped[from:], true
		}
		if c != '\\' {
			r.unescaped = append(r.unescaped, c)
			continue
		}
		if i++; i == len(r.rest) {
			return nil, false
		}
		switch c = r.rest[i]; c {
		case '"', '\\', '/':
			r.unescaped = append(r.unescaped, c)
		case 'u':
			if i+4 >= len(r.rest) {
				return nil, false
			}
			char := rune(0)
			for _, digit := range r.rest[i+1 : i+5] {
				n := unhex(digit)
				if n > 0xf {
					return nil, false
				}
				char = char<<4 | rune(n)
			}
			if !utf8.ValidRune(char) {
				return nil, false
			}
			r.unescaped = utf8.AppendRune(r.unescaped, char)
			i += 4
		default:
			return nil, false // control characters, which no name has
		}
	}
	return nil, false
}

// texts takes a list of at most maxNames strings and appends them.
func (r *plainReader) texts(out [][]byte) ([][]byte, bool) {
	if !r.take('[') {
		return out, false
	}
	if r.take(']') {
		return out, true
	}
	for len(out) < maxNames {
		s, ok := r.text()
		if !ok {
			return out, false
		}
		out = append(out, s)
		if !r.take(',') {
			return out, r.take(']')
		}
	}
	return out, false
}

// end tells whether nothing follows.
func (r *plainReader) end() bool {
	r.skipBlanks()
	return len(r.rest) == 0
}
