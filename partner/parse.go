package partner

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// Bounds of what is parsed.
const (
	maxText  = 64 << 10 // bytes; what SIH sends has about 150
	maxDepth = 32
)

// errNotJSON is every failure to parse.
var errNotJSON = errors.New("not JSON, too long or too deep")

// parse reads one JSON value as JSON.parse does. What it returns keeps nothing of
// text.
func parse(text []byte) (value, error) {
	if len(text) > maxText || !utf8.Valid(text) {
		return value{}, errNotJSON
	}
	p := parser{text: text}
	v, ok := p.value(maxDepth)
	p.space()
	if !ok || p.at < len(p.text) {
		return value{}, errNotJSON
	}
	return v, nil
}

// parser reads text from at on. Its methods report false for what is not JSON.
type parser struct {
	text []byte
	at   int
}

// peek gives the next byte, or 0 at the end, which nothing in JSON begins with.
func (p *parser) peek() byte {
	if p.at == len(p.text) {
		return 0
	}
	return p.text[p.at]
}

// take passes the next byte if it is c.
func (p *parser) take(c byte) bool {
	if p.peek() != c {
		return false
	}
	p.at++
	return true
}

func (p *parser) space() {
	for c := p.peek(); c == ' ' || c == '\t' || c == '\n' || c == '\r'; c = p.peek() {
		p.at++
	}
}

// value reads a value with the space before it. Within it there may be depth
// levels more.
func (p *parser) value(depth int) (value, bool) {
	p.space()
	switch c := p.peek(); {
	case c == '{' && depth > 0:
		return p.object(depth - 1)
	case c == '[' && depth > 0:
		return p.array(depth - 1)
	case c == '"':
		s, ok := p.string()
		return value{kind: isString, text: s}, ok
	case c == '-' || isDigit(c):
		return p.number()
	case c == 'n':
		return p.word("null", isNull)
	case c == 't':
		return p.word("true", isTrue)
	case c == 'f':
		return p.word("false", isFalse)
	}
	return value{}, false
}

func (p *parser) word(word string, k kind) (value, bool) {
	for i := range len(word) {
		if !p.take(word[i]) {
			return value{}, false
		}
	}
	return value{kind: k}, true
}

func (p *parser) array(depth int) (value, bool) {
	v := value{kind: isArray}
	p.at++ // [
	if p.space(); p.take(']') {
		return v, true
	}
	for {
		item, ok := p.value(depth)
		if !ok {
			return value{}, false
		}
		v.items = append(v.items, item)
		switch p.space(); {
		case p.take(']'):
			return v, true
		case !p.take(','):
			return value{}, false
		}
	}
}

// object reads an object. A key that comes again keeps its place and takes the new
// value.
func (p *parser) object(depth int) (value, bool) {
	v := value{kind: isObject}
	p.at++ // {
	if p.space(); p.take('}') {
		return v, true
	}
	place := map[string]int{} // in v.members
	for {
		p.space()
		key, ok := p.string()
		if p.space(); !ok || !p.take(':') {
			return value{}, false
		}
		inner, ok := p.value(depth)
		if !ok {
			return value{}, false
		}
		if i, again := place[key]; again {
			v.members[i].value = inner
		} else {
			place[key] = len(v.members)
			v.members = append(v.members, member{key, inner})
		}
		switch p.space(); {
		case p.take('}'):
			arrange(v.members)
			return v, true
		case !p.take(','):
			return value{}, false
		}
	}
}

func (p *parser) number() (value, bool) {
	start := p.at
	p.take('-')
	if !p.take('0') && !p.digits() {
		return value{}, false
	}
	if p.take('.') && !p.digits() {
		return value{}, false
	}
	if p.take('e') || p.take('E') {
		if !p.take('+') {
			p.take('-')
		}
		if !p.digits() {
			return value{}, false
		}
	}
	// The only error left is that it is too large, and then f is infinite.
	f, _ := strconv.ParseFloat(string(p.text[start:p.at]), 64)
	return value{kind: isNumber, number: f}, true
}

// digits passes digits, of which there must be one.
func (p *parser) digits() bool {
	start := p.at
	for isDigit(p.peek()) {
		p.at++
	}
	return p.at > start
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func (p *parser) string() (string, bool) {
	if !p.take('"') {
		return "", false
	}
	var out []byte
	for p.at < len(p.text) {
		c := p.text[p.at]
		p.at++
		switch {
		case c == '"':
			return string(out), true
		case c < ' ':
			return "", false
		case c != '\\':
			out = append(out, c)
		default:
			var ok bool
			if out, ok = p.escape(out); !ok {
				return "", false
			}
		}
	}
	return "", false
}

// escape appends the character that an escape stands for. The backslash has been
// read.
func (p *parser) escape(out []byte) ([]byte, bool) {
	c := p.peek()
	p.at = min(p.at+1, len(p.text))
	switch c {
	case '"', '\\', '/':
		return append(out, c), true
	case 'b':
		return append(out, '\b'), true
	case 'f':
		return append(out, '\f'), true
	case 'n':
		return append(out, '\n'), true
	case 'r':
		return append(out, '\r'), true
	case 't':
		return append(out, '\t'), true
	case 'u':
	default:
		return nil, false
	}
	r, ok := p.unit()
	if !ok {
		return nil, false
	}
	if r < 0xD800 || r > 0xDFFF {
		return utf8.AppendRune(out, r), true
	}
	after := p.at
	if r <= 0xDBFF && p.take('\\') && p.take('u') {
		if low, ok := p.unit(); ok && low >= 0xDC00 && low <= 0xDFFF {
			return utf8.AppendRune(out, 0x10000+(r-0xD800)<<10+(low-0xDC00)), true
		}
	}
	p.at = after // what follows is no second half: it is read for itself
	return appendSurrogate(out, r), true
}

// unit reads the four hex digits of a UTF-16 code unit.
func (p *parser) unit() (rune, bool) {
	if len(p.text)-p.at < 4 {
		return 0, false
	}
	var r rune
	for _, c := range p.text[p.at : p.at+4] {
		switch {
		case isDigit(c):
			r = r<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	p.at += 4
	return r, true
}

func appendSurrogate(b []byte, r rune) []byte {
	return append(b, surrogateLead, 0x80|byte(r>>6&0x3F), 0x80|byte(r&0x3F))
}

// arrange puts members into JavaScript's order: keys that are array indexes come
// first, ascending, and all others as they first appeared.
func arrange(members []member) {
	slices.SortStableFunc(members, func(a, b member) int {
		i, isIndex := arrayIndex(a.key)
		j, isAlso := arrayIndex(b.key)
		switch {
		case isIndex && isAlso:
			return cmp.Compare(i, j)
		case isIndex:
			return -1
		case isAlso:
			return 1
		}
		return 0
	})
}

// arrayIndex reads a whole number from 0 to 2³²-2 in its one plain spelling.
func arrayIndex(key string) (uint32, bool) {
	if len(key) == 0 || len(key) > 10 || key[0] == '0' && key != "0" {
		return 0, false
	}
	for _, c := range []byte(key) {
		if !isDigit(c) {
			return 0, false
		}
	}
	n, err := strconv.ParseUint(key, 10, 32)
	return uint32(n), err == nil && n < math.MaxUint32
}
