package sih

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"

	"skinarb/internal/scan"
)

// answer is a response whose body has not been read yet.
type answer struct {
	status     int
	retryAfter string
	arrived    time.Time

	body io.Reader // inflated and bounded
	size *meter    // of body
	wire *wire     // below body
}

// wireBuffer is how much of a compressed body is read at once, in bytes.
const wireBuffer = 64 << 10

// open makes an answer of a response. The body is inflated as it is read, and
// reading more than limit bytes of it is an error.
func open(resp *http.Response, limit int64, keep int, arrived time.Time) (*answer, error) {
	a := &answer{
		status:     resp.StatusCode,
		retryAfter: resp.Header.Get("Retry-After"),
		arrived:    arrived,
		wire:       &wire{body: resp.Body},
	}
	var plain io.Reader = a.wire
	switch coding := strings.ToLower(resp.Header.Get("Content-Encoding")); coding {
	case "", "identity":
	case "gzip":
		inflated, err := gzip.NewReader(bufio.NewReaderSize(plain, wireBuffer))
		if err != nil {
			a.wire.blame(err)
			return a, fmt.Errorf("HTTP %d, inflate: %w", a.status, err)
		}
		plain = inflated
	default:
		return a, fmt.Errorf("HTTP %d in an encoding that was not asked for", a.status)
	}
	a.size = &meter{r: plain, wire: a.wire, limit: limit, keep: keep}
	a.body = a.size
	return a, nil
}

// readAhead inflates in a goroutine of its own, beside whoever reads. stop ends
// that, and with it the body.
func (a *answer) readAhead() (stop func()) {
	ahead := scan.ReadAhead(a.size.r)
	a.size.r = ahead
	return func() {
		a.wire.body.Close()
		ahead.Close()
	}
}

// wire marks what ended the body before its time. Garbage has to be told apart
// from a connection that broke, which is worth another try.
type wire struct {
	body io.ReadCloser
	err  error // that the reader of the answer has seen; see blame
}

// wireError is an error of the connection.
type wireError struct{ error }

func (e wireError) Unwrap() error { return e.error }

func (w *wire) Read(p []byte) (int, error) {
	n, err := w.body.Read(p)
	if err != nil && err != io.EOF {
		err = wireError{err}
	}
	return n, err
}

// blame keeps err if it is the wire's. It belongs to the goroutine that reads the
// answer, which is not always the one that reads the wire.
func (w *wire) blame(err error) {
	if broken := (wireError{}); errors.As(err, &broken) {
		w.err = broken.error
	}
}

var errTooLarge = errors.New("the answer is larger than allowed")

// meter counts a body, bounds it, and keeps its beginning for errors.
type meter struct {
	r     io.Reader
	wire  *wire
	n     int64
	limit int64
	head  []byte
	keep  int // bytes of head
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	if err != nil {
		m.wire.blame(err)
	}
	m.n += int64(n)
	if room := m.keep - len(m.head); room > 0 {
		m.head = append(m.head, p[:min(n, room)]...)
	}
	if m.n > m.limit {
		return 0, fmt.Errorf("%w: %d bytes", errTooLarge, m.limit)
	}
	return n, err
}
