package sih

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"skinarb/execution"
	"skinarb/fetch"
	"skinarb/internal/sendonce"
)

// retryUnsent is how long to wait when no connection could be had.
const retryUnsent = 5 * time.Second

// once sends a request that must not be sent twice, and hands the answer to
// decode. It takes no permit. wrote is called as soon as no byte of the request
// can leave any more.
//
// A *execution.RetryLaterError: nothing happened. What decode returns is
// returned as it is. After any other error the outcome is unknown.
func (c *Client) once(ctx context.Context, r request, wrote func(), decode func(*answer) error) error {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	var connected atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, sendonce.Watch(&connected, wrote))
	req, err := c.build(ctx, r)
	if err != nil {
		return &execution.RejectedError{Reason: "not_a_request"}
	}
	resp, err := c.purchases.Do(req)
	if err != nil {
		if !connected.Load() {
			return &execution.RetryLaterError{After: retryUnsent, Reason: "no connection: " + c.clean(bare(err).Error())}
		}
		return unknown(bare(err))
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusTooManyRequests {
		return c.tooMany(ctx, resp)
	}
	a, err := open(resp, maxAnswer, c.keep(), c.cfg.Now())
	if err != nil {
		return unknown(err)
	}
	return decode(a)
}

// tooMany is the answer 429: SIH did not take the request up.
func (c *Client) tooMany(ctx context.Context, resp *http.Response) error {
	after := parseRetryAfter(resp.Header.Get("Retry-After"), c.cfg.Now())
	if after == 0 {
		after = defaultPause
	}
	return errors.Join(&execution.RetryLaterError{After: after, Reason: "too many requests", Throttled: true}, c.pause(ctx, after))
}

// unknown says that a request may have been carried out, and why we cannot tell.
func unknown(err error) error {
	return fmt.Errorf("sent, and the outcome is unknown: %w", err)
}

// change sends a request that changes something other than orders: settings,
// accounts, what is on sale. It takes a permit and sends the request once. decode
// judges the answer, by decodeChange and what it knows besides.
//
// The errors are those of a purchase. A *execution.RejectedError: refused,
// nothing was changed. A *execution.RetryLaterError: nothing happened, or no
// permit could be had. After any other error the outcome is unknown, and has to
// be read from SIH before the change is asked for again.
func (c *Client) change(ctx context.Context, r request, decode func(*answer) error) error {
	err := c.take(ctx, fetch.ForStatus, c.cfg.Timeout)
	if err != nil {
		err = fmt.Errorf("%w (%w)", &execution.RetryLaterError{After: retryUnsent, Reason: "no permit"}, err)
	} else {
		err = c.once(ctx, r, func() {}, decode)
	}
	if err != nil {
		return fmt.Errorf("sih %s: %w", r.path, err)
	}
	return nil
}

// decodeChange reads the answer to a change into v, if it is a success: its
// status is 200, or one of those that the caller judges himself.
func (c *Client) decodeChange(a *answer, v any, judged ...int) error {
	data, env, err := c.parse(a)
	switch {
	case err != nil:
		return unknown(err)
	case env.Success == nil || !*env.Success:
		return c.refusal(a, env)
	case a.status != http.StatusOK && !slices.Contains(judged, a.status):
		return unknown(c.unreadable(a, errors.New("a success with the status of a failure")))
	}
	if err := json.Unmarshal(data, v); err != nil {
		return unknown(c.unreadable(a, errors.New(c.clean(err.Error())))) // it may quote the body
	}
	return nil
}

// refusal judges an answer that is no success. The texts for changes are not
// documented, and unlike with a purchase the only documented meaning of a 400
// with a text is that the request was refused. "unknown error" is no text in
// that sense: SIH itself does not know.
func (c *Client) refusal(a *answer, env envelope) error {
	said := &APIError{Status: a.status, Text: c.clean(string(env.Error.V))}
	switch {
	case a.status == http.StatusBadRequest && env.Success != nil:
		return c.rejected(said)
	case (a.status == http.StatusUnauthorized || a.status == http.StatusForbidden) && said.Text != "":
		return fmt.Errorf("%w (%w)", &execution.RejectedError{Reason: "unauthorized", Account: true}, said)
	}
	return unknown(said)
}

// rejected is a refusal in a stable word, where SIH's text is documented, and in
// its own.
func (c *Client) rejected(said *APIError) error {
	text := strings.ToLower(strings.TrimSpace(said.Text))
	reason, listed := refusals[text]
	switch {
	case text == "" || text == "unknown error":
		return unknown(said)
	case !listed:
		reason = "refused"
	}
	return fmt.Errorf("%w (%w)", &execution.RejectedError{Reason: reason, Account: listed}, said)
}
