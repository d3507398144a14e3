package skinsback

import (
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/klauspost/compress/gzip"
)

// tooLargeError is a body beyond its bound.
type tooLargeError struct{ limit int64 }

func (e *tooLargeError) Error() string {
	return fmt.Sprintf("the body is larger than %d bytes", e.limit)
}

// body inflates an answer, counts and bounds it, and remembers how it begins.
type body struct {
	r     io.Reader
	read  int64
	limit int64
	head  []byte
	err   error // what ended it, other than EOF
}

func newBody(resp *http.Response, limit int64) (*body, error) {
	b := &body{r: resp.Body, limit: limit}
	switch strings.ToLower(resp.Header.Get("Content-Encoding")) {
	case "gzip", "x-gzip":
		zr, err := gzip.NewReader(resp.Body)
		if err != nil {
			return nil, fmt.Errorf("inflate: %w", cutOff(err))
		}
		b.r = zr
	}
	return b, nil
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
