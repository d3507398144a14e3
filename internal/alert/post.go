package alert

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

const (
	postTimeout = 10 * time.Second // of one POST, from dialing to the end of the answer
	maxAnswer   = 16 << 10         // bytes of an answer that are read
	maxQuote    = 200              // characters of it that are logged
	longestWait = time.Hour        // that a target may ask for
)

// refusedError is an answer that another try would not change.
type refusedError struct{ detail string }

func (e *refusedError) Error() string { return e.detail }

// laterError is a failure that may pass.
type laterError struct {
	after  time.Duration // that the target asks for, 0 when it does not
	detail string
}

func (e *laterError) Error() string { return e.detail }

// newClient gives a client that follows no redirect: it would lead to a place
// that nobody configured.
func newClient(transport http.RoundTripper) *http.Client {
	if transport == nil {
		transport = &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            (&net.Dialer{Timeout: postTimeout}).DialContext,
			TLSHandshakeTimeout:    postTimeout,
			IdleConnTimeout:        time.Minute,
			MaxIdleConnsPerHost:    1,
			MaxResponseHeaderBytes: 64 << 10,
			ForceAttemptHTTP2:      true,
		}
	}
	return &http.Client{
		Transport:     transport,
		Timeout:       postTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// post hands a body to the target. It returns nil, a *refusedError or a
// *laterError.
func (b *box) post(ctx context.Context, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.target.url.String(), bytes.NewReader(body))
	if err != nil {
		return &refusedError{"the address cannot be used"} // err quotes it
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "skinarb")
	resp, err := b.client.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // without the address
		}
		return &laterError{detail: "no answer: " + b.clean.text(err.Error(), maxQuote)}
	}
	defer resp.Body.Close()
	// The status has decided; of an answer that breaks off, what came will do.
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if resp.StatusCode/100 == 2 {
		return nil
	}
	detail := fmt.Sprintf("status %d: %q", resp.StatusCode, b.clean.text(string(answer), maxQuote))
	switch {
	case resp.StatusCode == http.StatusTooManyRequests, resp.StatusCode == http.StatusRequestTimeout, resp.StatusCode >= 500:
		return &laterError{after: retryAfter(resp.Header.Get("Retry-After"), answer, b.now()), detail: detail}
	}
	return &refusedError{detail}
}

// retryAfter gives the pause that a target asks for, 0 when it asks for none. It
// is in the header as seconds or a time, in Discord's answer as retry_after, and
// in Telegram's as parameters.retry_after, both in seconds.
func retryAfter(header string, answer []byte, now time.Time) time.Duration {
	if at, err := http.ParseTime(header); err == nil {
		return min(max(at.Sub(now), 0), longestWait)
	}
	var said struct {
		RetryAfter float64 `json:"retry_after"`
		Parameters struct {
			RetryAfter float64 `json:"retry_after"`
		} `json:"parameters"`
	}
	if json.Unmarshal(answer, &said) != nil {
		said.RetryAfter, said.Parameters.RetryAfter = 0, 0
	}
	inHeader, err := strconv.ParseFloat(header, 64)
	if err != nil || math.IsNaN(inHeader) {
		inHeader = 0
	}
	seconds := cmp.Or(inHeader, said.RetryAfter, said.Parameters.RetryAfter)
	seconds = min(max(seconds, 0), longestWait.Seconds())
	return time.Duration(math.Ceil(seconds * float64(time.Second)))
}
