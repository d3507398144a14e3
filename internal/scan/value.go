package scan

import (
	"encoding/binary"
	"math/bits"
)

// What functions over bytes return instead of a position.
const (
	cut = -1 // the bytes end before the value does
	bad = -2 // no continuation can make this JSON
)

// maxDepth bounds nesting, as encoding/json does.
const maxDepth = 10_000

// space gives the position of the next byte that is not white space.
func space(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	return i
}

const (
	everyByte = 0x0101010101010101
	highBits  = 0x8080808080808080
)

// special gives the position of the first byte from i on that a string cannot
// simply contain: a quote, a backslash or a control character; or len(b).
//
// It looks at eight bytes at a time. Xor makes a zero of the byte that is sought,
// and subtracting one carries into the high bit of a zero and of no other byte
// below 0x80. A carry may flag the bytes after the first one falsely, never those
// before it.
func special(b []byte, i int) int {
	for ; i+8 <= len(b); i += 8 {
		w := binary.LittleEndian.Uint64(b[i:])
		quote, slash, control := w^everyByte*'"'-everyByte, w^everyByte*'\\'-everyByte, w-everyByte*' '
		if found := (quote | slash | control) &^ w & highBits; found != 0 {
			return i + bits.TrailingZeros64(found)>>3
		}
	}
	for i < len(b) && b[i] >= ' ' && b[i] != '"' && b[i] != '\\' {
		i++
	}
	return i
}

// stringEnd gives the position after the string whose first quote is before i.
func stringEnd(b []byte, i int) int {
	for {
		i = special(b, i)
		switch {
		case i >= len(b):
			return cut
		case b[i] == '"':
			return i + 1
		case b[i] != '\\':
			return bad
		case i+1 >= len(b):
			return cut
		}
		switch b[i+1] {
		case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			i += 2
		case 'u':
			for k := i + 2; k < i+6; k++ {
				if k >= len(b) {
					return cut
				}
				if !hex(b[k]) {
					return bad
				}
			}
			i += 6
		default:
			return bad
		}
	}
}

func hex(c byte) bool {
	return digit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func digit(c byte) bool { return c-'0' <= 9 }

// numberEnd gives the position after the number at i. One that reaches the end
// of b is cut: more digits may follow.
func numberEnd(b []byte, i int) int {
	if b[i] == '-' {
		i++
	}
	from := i
	for i < len(b) && digit(b[i]) {
		i++
	}
	switch {
	case i >= len(b):
		return cut
	case i == from, b[from] == '0' && i > from+1:
		return bad
	}
	if b[i] == '.' {
		if i = digits(b, i+1); i < 0 {
			return i
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		if i++; i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		if i = digits(b, i); i < 0 {
			return i
		}
	}
	if i >= len(b) {
		return cut
	}
	return i
}

// digits gives the position after the digits at i, of which there must be one.
func digits(b []byte, i int) int {
	from := i
	for i < len(b) && digit(b[i]) {
		i++
	}
	switch {
	case i > from:
		return i
	case i >= len(b):
		return cut
	}
	return bad
}

// literalEnd gives the position after a word such as null.
func literalEnd(b []byte, i int, word string) int {
	have := b[i:min(len(b), i+len(word))]
	switch {
	case string(have) == word:
		return i + len(word)
	case string(have) == word[:len(have)]:
		return cut
	}
	return bad
}

// valueEnd gives the position after the value at i, which it checks.
func valueEnd(b []byte, i, depth int) int {
	if i >= len(b) {
		return cut
	}
	switch c := b[i]; {
	case c == '"':
		return stringEnd(b, i+1)
	case c == '{' || c == '[':
		if depth >= maxDepth {
			return bad
		}
		return nestedEnd(b, i, depth+1)
	case c == '-' || digit(c):
		return numberEnd(b, i)
	case c == 't':
		return literalEnd(b, i, "true")
	case c == 'f':
		return literalEnd(b, i, "false")
	case c == 'n':
		return literalEnd(b, i, "null")
	}
	return bad
}

// bracketPair is how far a closing bracket is from its opening one in ASCII.
const bracketPair = '}' - '{'

// nestedEnd gives the position after the object or the list at i.
func nestedEnd(b []byte, i, depth int) int {
	object, closing := b[i] == '{', b[i]+bracketPair
	i = space(b, i+1)
	if i < len(b) && b[i] == closing {
		return i + 1
	}
	for {
		if object {
			if i = keyEnd(b, i); i < 0 {
				return i
			}
		}
		if i = valueEnd(b, i, depth); i < 0 {
			return i
		}
		switch i = space(b, i); {
		case i >= len(b):
			return cut
		case b[i] == closing:
			return i + 1
		case b[i] != ',':
			return bad
		}
		i = space(b, i+1)
	}
}

// keyEnd gives the position of the value that belongs to the key at i.
func keyEnd(b []byte, i int) int {
	if i >= len(b) {
		return cut
	}
	if b[i] != '"' {
		return bad
	}
	if i = stringEnd(b, i+1); i < 0 {
		return i
	}
	switch i = space(b, i); {
	case i >= len(b):
		return cut
	case b[i] != ':':
		return bad
	}
	return space(b, i+1)
}
