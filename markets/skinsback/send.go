package skinsback

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"

	"skinarb/execution"
	"skinarb/fetch"
	"skinarb/internal/sendonce"
)

// maxTries is how often a read is sent at most.
const maxTries = 3

// pauseWait bounds how long telling the budget of a pause may take.
const pauseWait = 5 * time.Second

// call is a read to be made.
type call struct {
	method  string
	params  params
	class   fetch.Class
	timeout time.Duration // of one try, and of waiting for its permit
	maxBody int64         // bytes, inflated
}

// take waits for a permit.
func (c *Client) take(ctx context.Context, class fetch.Class, wait time.Duration) error {
	if c.cfg.Budget == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	if err := c.cfg.Budget.Take(ctx, class); err != nil {
		return fmt.Errorf("wait for a permit: %w", err)
	}
	return nil
}

// relay passes on what an answer said about the whole account: err, which it
// returns, may ask for a pause.
func (c *Client) relay(ctx context.Context, err error) error {
	after, ok := pauseOf(err)
	if !ok || c.cfg.Budget == nil {
		return err
	}
	// The caller's context may have ended, the pause must be told nevertheless.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pauseWait)
	defer cancel()
	if failed := c.cfg.Budget.Pause(ctx, after); failed != nil {
		return fmt.Errorf("%w (and the budget could not be paused: %w)", err, failed)
	}
	return err
}

// request makes the HTTP request of a method.
func (c *Client) request(ctx context.Context, method string, p params) (*http.Request, error) {
	p["method"] = method
	if c.cfg.Auth == AuthSignature {
		p = p.signed(c.cfg.ClientID, c.cfg.ClientSecret)
	}
	contentType, body := "application/json", []byte(nil)
	if c.cfg.FormBody {
		contentType, body = "application/x-www-form-urlencoded", p.form()
	} else {
		var err error
		if body, err = p.json(); err != nil {
			return nil, fmt.Errorf("%s: %w", method, err)
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.cfg.URL, bytes.NewReader(body))
	if err != nil {
		return nil, c.noAnswer(method, err)
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Accept-Encoding", "gzip")
	req.Header.Set("User-Agent", "skinarb")
	if c.cfg.Auth == AuthHeaders {
		req.Header.Set("X-CLIENT-ID", c.cfg.ClientID)
		req.Header.Set("X-CLIENT-SECRET", c.cfg.ClientSecret)
	}
	return req, nil
}

// read asks for something small and decodes it into v, a pointer to a struct.
func (c *Client) read(ctx context.Context, method string, p params, v any) error {
	q := call{method, p, fetch.ForStatus, c.cfg.Timeout, c.cfg.MaxBody}
	return c.retry(ctx, q, func(resp *http.Response) error { return c.answer(method, resp, v) })
}

// retry sends a read, and again if the network or a gateway failed. receive
// reads the answer; what it marks as permanent is final.
func (c *Client) retry(ctx context.Context, q call, receive func(*http.Response) error) error {
	pace := backoff.NewExponentialBackOff()
	pace.InitialInterval = c.retryAfter
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		err := c.try(ctx, q, receive)
		if err != nil && !again(err) {
			err = backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithBackOff(pace), backoff.WithMaxTries(maxTries), backoff.WithMaxElapsedTime(0))
	for permanent := new(backoff.PermanentError); errors.As(err, &permanent); {
		err = permanent.Unwrap()
	}
	return err
}

func (c *Client) try(ctx context.Context, q call, receive func(*http.Response) error) error {
	if err := c.take(ctx, q.class, q.timeout); err != nil {
		return fmt.Errorf("%s: %w", q.method, err)
	}
	sending, cancel := context.WithTimeout(ctx, q.timeout)
	defer cancel()
	req, err := c.request(sending, q.method, q.params)
	if err != nil {
		return err
	}
	resp, err := c.reads.Do(req)
	if err != nil {
		return c.noAnswer(q.method, err)
	}
	defer resp.Body.Close()
	return c.relay(ctx, receive(resp))
}

// again tells whether a read is worth another try. One that timed out has
// waited long enough.
func again(err error) bool {
	var answer *AnswerError
	var none *noAnswerError
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return false
	case errors.As(err, &answer):
		return answer.Status >= 500
	}
	return errors.As(err, &none)
}

// answer reads a small answer whole and decodes it into v.
func (c *Client) answer(method string, resp *http.Response, v any) error {
	body, err := c.readAll(resp, c.cfg.MaxBody)
	if err != nil {
		var large *tooLargeError
		if errors.As(err, &large) {
			return c.answerError(method, resp.StatusCode, body, err)
		}
		return c.noAnswer(method, err)
	}
	err = decode(method, body, v)
	var api *APIError
	switch {
	case errors.As(err, &api):
		return c.decide(api, c.retryAfterOf(resp))
	case resp.StatusCode == http.StatusOK && err == nil:
		return nil
	case err == nil:
		err = errors.New("success with a status that says otherwise")
	case resp.StatusCode == http.StatusTooManyRequests:
		after := cmp.Or(c.retryAfterOf(resp), limitPause)
		err = fmt.Errorf("%w: %w", pause(method, after, "too_many_requests"), err)
	}
	return c.answerError(method, resp.StatusCode, body, err)
}

// readAll reads a body of at most limit bytes, and what came before an error.
func (c *Client) readAll(resp *http.Response, limit int64) ([]byte, error) {
	r, err := newBody(resp, limit)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// permit waits for a permit to move money or items.
func (c *Client) permit(ctx context.Context, method string) error {
	if err := c.take(ctx, fetch.ForPurchase, c.cfg.Timeout); err != nil {
		return fmt.Errorf("%s: %w: %w", method, &execution.RetryLaterError{After: unsentPause, Reason: "no permit"}, err)
	}
	return nil
}

// once sends what moves money or items, and never a second time. wrote is called
// when no further byte of the request can leave.
func (c *Client) once(ctx context.Context, method string, p params, wrote func(), v any) error {
	sending, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	var connected atomic.Bool
	sending = httptrace.WithClientTrace(sending, sendonce.Watch(&connected, wrote))
	req, err := c.request(sending, method, p)
	if err != nil {
		return err
	}
	req.GetBody = nil // without it nothing can send the body a second time
	resp, err := c.purchases.Do(req)
	if err != nil {
		if !connected.Load() {
			// net/http hands out a connection before it writes to it.
			return fmt.Errorf("%w: %w", &execution.RetryLaterError{After: unsentPause, Reason: "not connected"}, c.noAnswer(method, err))
		}
		return c.noAnswer(method, err)
	}
	defer resp.Body.Close()
	return c.relay(ctx, c.answer(method, resp, v))
}

// unsentPause is how long to wait when a purchase could not be sent at all.
const unsentPause = 5 * time.Second
