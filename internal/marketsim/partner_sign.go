package marketsim

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// SIH signs what JavaScript makes of a request: JSON.stringify of the parsed body,
// or of an object with the one member customId. encoding/json cannot say that: it
// has no lone surrogates, no order of members and no overflowing numbers. The
// strict checks of answers read with the same parser, since they must see case,
// order and duplicates, too.

// partnerSignature is the header of a request that was made of text, in
// JavaScript's spelling.
func partnerSignature(key, text string) string {
	mac := hmac.New(sha1.New, []byte(key))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

// pollText is what is signed of a poll.
func pollText(customID string) string {
	return string(appendJS(nil, jsValue{kind: jsObject, members: []jsMember{{"customId", jsValue{kind: jsString, text: customID}}}}))
}

// jsKind is the type of a JSON value.
type jsKind string

const (
	jsNull   jsKind = "null"
	jsBool   jsKind = "boolean"
	jsNumber jsKind = "number"
	jsString jsKind = "string"
	jsArray  jsKind = "array"
	jsObject jsKind = "object"
)

// jsValue is a JSON value as it was written.
type jsValue struct {
	kind    jsKind
	text    string     // of a number its digits; of a string what it means, lone surrogates as three bytes each
	list    []jsValue  // of an array
	members []jsMember // of an object, in order and with duplicates
}

type jsMember struct {
	name  string
	value jsValue
}

// maxNesting bounds how deep a value may be.
const maxNesting = 64

var errNotJSON = errors.New("no JSON")

// parseJS reads one JSON value, strictly.
func parseJS(text string) (jsValue, error) {
	p := jsParser{rest: text}
	v, ok := p.value(maxNesting)
	p.space()
	if !ok || p.rest != "" || !utf8.ValidString(text) {
		return jsValue{}, errNotJSON
	}
	return v, nil
}

type jsParser struct{ rest string }

func (p *jsParser) space() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

// skip drops a prefix, if it is there.
func (p *jsParser) skip(prefix string) (ok bool) {
	p.rest, ok = strings.CutPrefix(p.rest, prefix)
	return ok
}

func (p *jsParser) value(depth int) (v jsValue, ok bool) {
	p.space()
	switch {
	case p.rest == "" || depth == 0:
		return v, false
	case p.skip("null"):
		return jsValue{kind: jsNull}, true
	case p.skip("true"):
		return jsValue{kind: jsBool, text: "true"}, true
	case p.skip("false"):
		return jsValue{kind: jsBool, text: "false"}, true
	case p.rest[0] == '"':
		text, ok := p.string()
		return jsValue{kind: jsString, text: text}, ok
	case p.skip("["):
		v.kind = jsArray
		return v, p.elements("]", func() bool {
			e, ok := p.value(depth - 1)
			v.list = append(v.list, e)
			return ok
		})
	case p.skip("{"):
		v.kind = jsObject
		return v, p.elements("}", func() bool {
			p.space()
			name, ok := p.string()
			p.space()
			if !ok || !p.skip(":") {
				return false
			}
			e, ok := p.value(depth - 1)
			v.members = append(v.members, jsMember{name, e})
			return ok
		})
	}
	text, ok := p.number()
	return jsValue{kind: jsNumber, text: text}, ok
}

// elements reads what stands between brackets, the first of which is read.
func (p *jsParser) elements(end string, one func() bool) bool {
	p.space()
	if p.skip(end) {
		return true
	}
	for one() {
		p.space()
		if p.skip(end) {
			return true
		}
		if !p.skip(",") {
			return false
		}
	}
	return false
}

func (p *jsParser) number() (string, bool) {
	begin := p.rest
	digits := func() bool {
		n := len(p.rest)
		p.rest = strings.TrimLeft(p.rest, "0123456789")
		return len(p.rest) < n
	}
	p.skip("-")
	if !p.skip("0") && !digits() {
		return "", false
	}
	if p.skip(".") && !digits() {
		return "", false
	}
	if p.skip("e") || p.skip("E") {
		if !p.skip("+") {
			p.skip("-")
		}
		if !digits() {
			return "", false
		}
	}
	return begin[:len(begin)-len(p.rest)], true
}

// string reads a string with its quotes.
func (p *jsParser) string() (string, bool) {
	if !p.skip(`"`) {
		return "", false
	}
	var units []uint16 // as JavaScript has them: only so do two halves find together
	for p.rest != "" {
		r, size := utf8.DecodeRuneInString(p.rest)
		p.rest = p.rest[size:]
		switch {
		case r == '"':
			return fromUnits(units), true
		case r < ' ':
			return "", false
		case r != '\\':
			units = utf16.AppendRune(units, r)
			continue
		}
		if p.rest == "" {
			return "", false
		}
		escape := p.rest[0]
		p.rest = p.rest[1:]
		if escape == 'u' {
			if len(p.rest) < 4 {
				return "", false
			}
			unit, err := strconv.ParseUint(p.rest[:4], 16, 16)
			if err != nil {
				return "", false
			}
			units = append(units, uint16(unit))
			p.rest = p.rest[4:]
			continue
		}
		i := strings.IndexByte(`"\/bfnrt`, escape)
		if i < 0 {
			return "", false
		}
		units = append(units, uint16("\"\\/\b\f\n\r\t"[i]))
	}
	return "", false
}

// fromUnits is UTF-8, except that a surrogate without its other half is written
// like any other character, which UTF-8 does not allow.
func fromUnits(units []uint16) string {
	var b []byte
	for i := 0; i < len(units); i++ {
		r := rune(units[i])
		if utf16.IsSurrogate(r) {
			if i+1 < len(units) {
				if both := utf16.DecodeRune(r, rune(units[i+1])); both != utf8.RuneError {
					b = utf8.AppendRune(b, both)
					i++
					continue
				}
			}
			b = append(b, 0xed, byte(0x80|r>>6&0x3f), byte(0x80|r&0x3f))
			continue
		}
		b = utf8.AppendRune(b, r)
	}
	return string(b)
}

// appendJS appends a value as JSON.stringify prints it.
func appendJS(b []byte, v jsValue) []byte {
	switch v.kind {
	case jsNumber:
		return appendJSNumber(b, v.text)
	case jsString:
		return appendJSString(b, v.text)
	case jsArray:
		b = append(b, '[')
		for i, e := range v.list {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendJS(b, e)
		}
		return append(b, ']')
	case jsObject:
		b = append(b, '{')
		for i, m := range jsOrder(v.members) {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendJSString(b, m.name), ':')
			b = appendJS(b, m.value)
		}
		return append(b, '}')
	case jsBool:
		return append(b, v.text...)
	default:
		return append(b, "null"...)
	}
}

// jsOrder is the order of an object's properties: those that look like indexes of
// an array by number, then the others as they came. A name that came twice keeps
// its first place and its last value.
func jsOrder(members []jsMember) []jsMember {
	var all []jsMember
	at := map[string]int{}
	for _, m := range members {
		i, again := at[m.name]
		if again {
			all[i].value = m.value
			continue
		}
		at[m.name] = len(all)
		all = append(all, m)
	}
	const notIndex = math.MaxUint32 // one more than the greatest
	index := func(name string) uint64 {
		n, err := strconv.ParseUint(name, 10, 32)
		if err != nil || n == notIndex || strconv.FormatUint(n, 10) != name {
			return notIndex
		}
		return n
	}
	slices.SortStableFunc(all, func(a, b jsMember) int { return int(index(a.name)) - int(index(b.name)) })
	return all
}

// appendJSNumber writes the nearest double in as few digits as tell it.
func appendJSNumber(b []byte, text string) []byte {
	f, _ := strconv.ParseFloat(text, 64) // beyond the range it is infinite
	switch size := math.Abs(f); {
	case math.IsInf(f, 0):
		return append(b, "null"...)
	case f == 0:
		return append(b, '0') // also minus zero
	case size >= 1e-6 && size < 1e21:
		return strconv.AppendFloat(b, f, 'f', -1, 64)
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'e', -1, 64), "e")
	b = append(append(b, mantissa...), 'e', exponent[0])
	return append(b, strings.TrimLeft(exponent[1:], "0")...)
}

func appendJSString(b []byte, s string) []byte {
	const hexDigits = "0123456789abcdef"
	b = append(b, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ':
			if short := strings.IndexByte("\b\f\n\r\t", c); short >= 0 {
				b = append(b, '\\', "bfnrt"[short])
			} else {
				b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
			}
		case c == 0xed && i+2 < len(s) && s[i+1] >= 0xa0: // a lone surrogate
			b = append(b, '\\', 'u')
			b = strconv.AppendUint(b, 0xd000|uint64(s[i+1]&0x3f)<<6|uint64(s[i+2]&0x3f), 16)
			i += 2
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}
