package scan

import (
	"fmt"
	"io"

	"github.com/go-faster/jx"
)

// Sizes in bytes.
const (
	firstWindow = 4 << 10   // enough for a small answer
	fullWindow  = 128 << 10 // as large as it becomes for the sake of speed
	maxValue    = 8 << 20   // as large as it becomes for the sake of one value
)

// SyntaxError says where a body is not the JSON that it should be. It quotes
// nothing.
type SyntaxError struct {
	Offset int64 // bytes before the fault, or before the value that has it
	Reason string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s after %d bytes", e.Reason, e.Offset)
}

// Scanner reads a JSON object or list from a stream and gives its parts in order. The
// errors of its methods are the reader's own, io.ErrUnexpectedEOF where it ends
// too early, or a *SyntaxError; after one the scanner is worth nothing. It is
// not for concurrent use.
type Scanner struct {
	r        io.Reader
	buf      []byte
	pos, end int   // what is read and not yet scanned is buf[pos:end]
	err      error // for who needs more of r
	ended    bool  // r gave all that it has
	read     int64 // bytes taken from r
	key      []byte
}

// New makes a scanner of r, of which it reads nothing yet. It may read beyond
// the end of the value.
func New(r io.Reader) *Scanner { return &Scanner{r: r} }

// more reads until the window is full or r ends. It is an error if there is
// nothing more. What was not scanned yet moves to the front.
func (s *Scanner) more() error {
	if s.err != nil {
		return s.err
	}
	rest := s.buf[s.pos:s.end]
	if size := s.nextSize(len(rest)); size > len(s.buf) {
		s.buf = make([]byte, size)
	}
	s.pos, s.end = 0, copy(s.buf, rest)
	if s.end == len(s.buf) {
		return s.syntax("a value is too large")
	}
	had := s.end
	for idle := 0; s.err == nil && s.end < len(s.buf); {
		n, err := s.r.Read(s.buf[s.end:])
		s.end, s.read, s.err = s.end+n, s.read+int64(n), err
		if err == io.EOF {
			s.ended, s.err = true, io.ErrUnexpectedEOF
		}
		if idle++; n > 0 {
			idle = 0
		} else if idle > 100 && err == nil {
			s.err = io.ErrNoProgress
		}
	}
	if s.end == had {
		return s.err
	}
	return nil
}

// nextSize gives the window's size for the next read. It begins small, and a
// value that does not fit makes it grow without end but maxValue.
func (s *Scanner) nextSize(rest int) int {
	switch n := len(s.buf); {
	case n == 0:
		return firstWindow
	case n < fullWindow, rest == n && n < maxValue:
		return 2 * n
	default:
		return n
	}
}

func (s *Scanner) syntax(reason string) error {
	return &SyntaxError{s.read - int64(s.end-s.pos), reason}
}

// next gives the next byte that is not white space, without taking it.
func (s *Scanner) next() (byte, error) {
	for {
		if s.pos = space(s.buf[:s.end], s.pos); s.pos < s.end {
			return s.buf[s.pos], nil
		}
		if err := s.more(); err != nil {
			return 0, err
		}
	}
}

// Kind tells what the next value is, by its first byte.
func (s *Scanner) Kind() (jx.Type, error) {
	c, err := s.next()
	switch {
	case err != nil:
		return jx.Invalid, err
	case c == '"':
		return jx.String, nil
	case c == '{':
		return jx.Object, nil
	case c == '[':
		return jx.Array, nil
	case c == 'n':
		return jx.Null, nil
	case c == 't', c == 'f':
		return jx.Bool, nil
	case c == '-', digit(c):
		return jx.Number, nil
	}
	return jx.Invalid, s.syntax("something else stands where a value belongs")
}

// Value gives the next value whole and checked, without white space around it.
// The bytes are the scanner's, until its next method is called.
func (s *Scanner) Value() ([]byte, error) {
	if _, err := s.next(); err != nil {
		return nil, err
	}
	for {
		end := valueEnd(s.buf[:s.end], s.pos, 0)
		if end >= 0 {
			v := s.buf[s.pos:end]
			s.pos = end
			return v, nil
		}
		if end == bad {
			return nil, s.syntax("no valid JSON")
		}
		if err := s.more(); err != nil {
			return nil, err
		}
	}
}

// Take hands what the window has of the next value to quick, which returns how
// many bytes it took, or 0 to leave the value alone; Take then returns nil. What
// quick does not take is returned as from Value.
func (s *Scanner) Take(quick func(b []byte) int) ([]byte, error) {
	if _, err := s.next(); err != nil {
		return nil, err
	}
	had := s.end - s.pos
	if n := quick(s.buf[s.pos:s.end]); n > 0 {
		s.pos += n
		return nil, nil
	}
	v, err := s.Value()
	if err == nil && len(v) > had && quick(v) > 0 { // the window had cut it
		return nil, nil
	}
	return v, err
}

// Object reads an object and calls member for each key, which is stable until
// the next one. member must take the value.
func (s *Scanner) Object(member func(key []byte) error) error {
	return s.list('{', func() error {
		if err := s.readKey(); err != nil {
			return err
		}
		return member(s.key)
	})
}

// Array reads a list and calls element for each element, which it must take.
func (s *Scanner) Array(element func() error) error { return s.list('[', element) }

// list reads what stands between brackets.
func (s *Scanner) list(opening byte, part func() error) error {
	closing := opening + bracketPair
	c, err := s.next()
	if err != nil {
		return err
	}
	if c != opening {
		return s.syntax("something else stands where a list or an object belongs")
	}
	s.pos++
	if c, err = s.next(); err != nil {
		return err
	}
	if c == closing {
		s.pos++
		return nil
	}
	for {
		if err := part(); err != nil {
			return err
		}
		if c, err = s.next(); err != nil {
			return err
		}
		switch c {
		case ',':
			s.pos++
		case closing:
			s.pos++
			return nil
		default:
			return s.syntax("no comma where one belongs")
		}
	}
}

// readKey reads a key and its colon into s.key.
func (s *Scanner) readKey() error {
	c, err := s.next()
	if err != nil {
		return err
	}
	if c != '"' {
		return s.syntax("something else stands where a key belongs")
	}
	end := special(s.buf[:s.end], s.pos+1)
	for end == s.end { // the window cuts the key
		if err := s.more(); err != nil {
			return err
		}
		end = special(s.buf[:s.end], s.pos+1)
	}
	if s.buf[end] == '"' {
		s.key = append(s.key[:0], s.buf[s.pos+1:end]...)
		s.pos = end + 1
	} else if err := s.readOddKey(); err != nil {
		return err
	}
	if c, err = s.next(); err != nil {
		return err
	}
	if c != ':' {
		return s.syntax("no colon where one belongs")
	}
	s.pos++
	return nil
}

// readOddKey reads a key with escapes.
func (s *Scanner) readOddKey() error {
	raw, err := s.Value()
	if err != nil {
		return err
	}
	if s.key, err = jx.DecodeBytes(raw).StrAppend(s.key[:0]); err != nil {
		return s.syntax("a key with a bad escape")
	}
	return nil
}

// End makes sure that nothing but white space follows, to the very end of r.
func (s *Scanner) End() error {
	_, err := s.next()
	switch {
	case err == nil:
		return s.syntax("something follows the end")
	case s.ended:
		return nil
	}
	return err
}
