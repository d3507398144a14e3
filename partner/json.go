package partner

import (
	"math"
	"strconv"
)

// SIH signs JSON.stringify of the value, not the bytes that it sends: what arrives
// is parsed and printed again exactly as JavaScript does both. encoding/json
// cannot: it sorts members, escapes other characters, and has no lone surrogates
// and no infinity.
// https://tc39.es/ecma262/#sec-json.parse
// https://tc39.es/ecma262/#sec-json.stringify

// maxSafe is the largest integer up to which a double of JavaScript's has them all.
const maxSafe = 1<<53 - 1

// kind is a type of JSON's. The zero value is no value at all.
type kind byte

const (
	isNull kind = iota + 1
	isFalse
	isTrue
	isNumber
	isString
	isArray
	isObject
)

// value is a value of JSON's.
type value struct {
	kind    kind
	number  float64  // of a number
	text    string   // of a string; a lone surrogate is three bytes, as if UTF-8 had it
	items   []value  // of an array
	members []member // of an object, in JavaScript's order
}

type member struct {
	key   string
	value value
}

// member gives a member of an object, or the zero value.
func (v value) member(key string) value {
	for _, m := range v.members {
		if m.key == key {
			return m.value
		}
	}
	return value{}
}

// append appends v as JSON.stringify prints it.
func (v value) append(b []byte) []byte {
	switch v.kind {
	case isFalse:
		return append(b, "false"...)
	case isTrue:
		return append(b, "true"...)
	case isNumber:
		return appendNumber(b, v.number)
	case isString:
		return appendString(b, v.text)
	case isArray:
		b = append(b, '[')
		for i, item := range v.items {
			if i > 0 {
				b = append(b, ',')
			}
			b = item.append(b)
		}
		return append(b, ']')
	case isObject:
		b = append(b, '{')
		for i, m := range v.members {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendString(b, m.key), ':')
			b = m.value.append(b)
		}
		return append(b, '}')
	}
	return append(b, "null"...)
}

// appendNumber appends the shortest decimal that reads as f again, in exponent
// form below 1e-6 and from 1e21 on.
func appendNumber(b []byte, f float64) []byte {
	size := math.Abs(f)
	switch {
	case size == 0:
		return append(b, '0') // minus zero, too
	case math.IsInf(f, 0):
		return append(b, "null"...)
	case size >= 1e-6 && size < 1e21:
		return strconv.AppendFloat(b, f, 'f', -1, 64)
	}
	b = strconv.AppendFloat(b, f, 'e', -1, 64)
	if n := len(b); b[n-4] == 'e' && b[n-2] == '0' { // Go has two digits of exponent at least, JavaScript one
		b = append(b[:n-2], b[n-1])
	}
	return b
}

// appendString escapes quotes, backslashes, control characters and lone
// surrogates, and nothing else.
func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ':
			if short := shortEscape(c); short != 0 {
				b = append(b, '\\', short)
			} else {
				b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			}
		case c == surrogateLead && s[i+1] >= surrogateSecond:
			b = append(b, '\\', 'u', 'd', hex[s[i+1]>>2&15], hex[s[i+1]<<2&12|s[i+2]>>4&3], hex[s[i+2]&15])
			i += 2
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// A surrogate in three bytes of UTF-8's pattern begins with surrogateLead and a
// byte from surrogateSecond on. No valid UTF-8 has such a pair.
const (
	surrogateLead   = 0xED
	surrogateSecond = 0xA0
)

func shortEscape(c byte) byte {
	switch c {
	case '\b':
		return 'b'
	case '\t':
		return 't'
	case '\n':
		return 'n'
	case '\f':
		return 'f'
	case '\r':
		return 'r'
	}
	return 0
}
