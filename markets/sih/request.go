package sih

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/cenkalti/backoff/v5"

	"skinarb/fetch"
)

// maxTries is how often a read is sent at most.
const maxTries = 3

// request is one call of the API.
type request struct {
	path    string // below the base URL
	query   url.Values
	payload any // JSON of a POST; nil means GET
	class   fetch.Class
	timeout time.Duration // 0 means Config.Timeout
	limit   int64         // on the inflated body; 0 means maxAnswer
}

// build makes the HTTP request.
func (c *Client) build(ctx context.Context, r request) (*http.Request, error) {
	u := c.url.JoinPath(r.path)
	u.RawQuery = r.query.Encode()
	method, body := http.MethodGet, io.Reader(nil)
	if r.payload != nil {
		data, err := json.Marshal(r.payload)
		if err != nil {
			return nil, fmt.Errorf("encode the request: %w", err)
		}
		method, body = http.MethodPost, bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return nil, err
	}
	req.GetBody = nil // nothing can send it again
	req.Header.Set("apikey", c.cfg.APIKey)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Accept-Encoding", "gzip")
	req.Header.Set("User-Agent", "skinarb")
	if r.payload != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}

// read sends a request that changes nothing and hands the answer to consume,
// again from the start if the wire broke or the status is 500 or above.
func (c *Client) read(ctx context.Context, r request, consume func(*answer) error) error {
	waits := backoff.NewExponentialBackOff()
	waits.InitialInterval = c.firstWait
	waits.MaxInterval = 5 * time.Second
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		again, err := c.try(ctx, r, consume)
		if err != nil && !again {
			err = backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithBackOff(waits), backoff.WithMaxTries(maxTries), backoff.WithMaxElapsedTime(0))
	if err != nil {
		return fmt.Errorf("sih %s: %w", r.path, err)
	}
	return nil
}

// try sends a read once and tells whether another try may help.
func (c *Client) try(ctx context.Context, r request, consume func(*answer) error) (again bool, err error) {
	timeout := cmp.Or(r.timeout, c.cfg.Timeout)
	if err := c.take(ctx, r.class, timeout); err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := c.build(ctx, r)
	if err != nil {
		return false, err
	}
	resp, err := c.reads.Do(req)
	if err != nil {
		return true, bare(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusTooManyRequests {
		after := parseRetryAfter(resp.Header.Get("Retry-After"), c.cfg.Now())
		return false, errors.Join(&fetch.PauseError{After: after, Reason: "too many requests"}, c.pause(ctx, after))
	}
	a, err := open(resp, cmp.Or(r.limit, maxAnswer), c.keep(), c.cfg.Now())
	if err == nil {
		err = consume(a)
	}
	if err == nil {
		return false, nil
	}
	return a.status >= 500 || a.wire.err != nil, err
}

// take waits for a permit, if there is a budget, at most for as long as the
// request itself may last.
func (c *Client) take(ctx context.Context, class fetch.Class, timeout time.Duration) error {
	if c.cfg.Budget == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := c.cfg.Budget.Take(ctx, class); err != nil {
		return fmt.Errorf("wait for a permit: %w", err)
	}
	return nil
}

// pause stops the account's budget because the market said that we are too
// many; after is what it asked for, or 0. It is done even when ctx ends, since
// the market will not forget either.
func (c *Client) pause(ctx context.Context, after time.Duration) error {
	if c.cfg.Budget == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := c.cfg.Budget.Pause(ctx, cmp.Or(after, defaultPause)); err != nil {
		return fmt.Errorf("pause the budget: %w", err)
	}
	return nil
}

// bare takes the address off an error of net/http: it is the same for all, long,
// and we name the call ourselves.
func bare(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// decode reads a small answer into v, if it is a success.
func (c *Client) decode(a *answer, v any) error {
	data, env, err := c.parse(a)
	switch {
	case err != nil:
		return err
	case env.Success == nil:
		return c.unreadable(a, errors.New("no success in it"))
	case !*env.Success:
		return &APIError{Status: a.status, Text: c.clean(string(env.Error.V))}
	case a.status != http.StatusOK:
		return c.unreadable(a, errors.New("a success with the status of a failure"))
	}
	if err := json.Unmarshal(data, v); err != nil {
		return c.unreadable(a, errors.New(c.clean(err.Error()))) // it may quote the body
	}
	return nil
}

// parse reads a small answer whatever its status: a refusal has its reason in
// the body, and a proxy's page is no word of the market even with status 200.
func (c *Client) parse(a *answer) ([]byte, envelope, error) {
	var env envelope
	data, err := io.ReadAll(a.body)
	if err != nil {
		return nil, env, fmt.Errorf("HTTP %d, read the answer: %w", a.status, err)
	}
	if err := json.Unmarshal(data, &env); err != nil {
		return nil, env, c.unreadable(a, errors.New(c.clean(err.Error())))
	}
	return data, env, nil
}

// unreadable says that an answer is not what it should be, and shows the
// beginning of it.
func (c *Client) unreadable(a *answer, err error) error {
	return fmt.Errorf("HTTP %d, unreadable answer of %d bytes (%s...): %w", a.status, a.size.n, c.quote(a.size.head), err)
}
