package skinsback

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/klauspost/compress/gzip"

	"skinarb/internal/scan"
)

// tooLargeError is a body beyond its bound.
type tooLargeError struct{ limit int64 }

func (e *tooLargeError) Error() string {
	return fmt.Sprintf("the body is larger than %d bytes", e.limit)
}

// wireBuffer is how much of a compressed body is read at once, in bytes.
const wireBuffer = 64 << 10

// body inflates an answer, counts and bounds it, and remembers how it begins.
type body struct {
	wire  io.Closer
	r     io.Reader
	read  int64
	limit int64
	head  []byte
	err   error // what ended it, other than EOF
}

func newBody(resp *http.Response, limit int64) (*body, error) {
	b := &body{wire: resp.Body, r: resp.Body, limit: limit}
	switch strings.ToLower(resp.Header.Get("Content-Encoding")) {
	case "gzip", "x-gzip":
		zr, err := gzip.NewReader(bufio.NewReaderSize(resp.Body, wireBuffer))
		if err != nil {
			return nil, fmt.Errorf("inflate: %w", cutOff(err))
		}
		b.r = zr
	}
	return b, nil
}

// readAhead inflates in a goroutine of its own, beside whoever reads. stop ends
// that, and with it the body. What is not compressed is read as before.
func (b *body) readAhead() (stop func()) {
	if _, inflates := b.r.(*gzip.Reader); !inflates {
		return func() {}
	}
	ahead := scan.ReadAhead(b.r)
	b.r = ahead
	return func() {
		b.wire.Close()
		ahead.Close()
	}
}

func (b *body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.r.Read(p)
	b.read += int64(n)
	if room := quoteWindow + 1 - len(b.head); room > 0 {
		b.head = append(b.head, p[:min(n, room)]...)
	}
	if b.read > b.limit {
		n, err = 0, &tooLargeError{b.limit}
	}
	if err != nil && err != io.EOF {
		b.err = err
	}
	return n, err
}
