package sih

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// APIError is a refusal in SIH's own words: a JSON answer that is no success.
type APIError struct {
	Status int
	Text   string // the member error, cleaned; empty when it had none
}

func (e *APIError) Error() string {
	if e.Text == "" {
		return fmt.Sprintf("HTTP %d, refused without a text", e.Status)
	}
	return fmt.Sprintf("HTTP %d, refused: %s", e.Status, e.Text)
}

// isNotFound tells whether SIH said that it does not have what we asked for. The
// texts are not documented; a status other than 400 is no word of the API's.
func isNotFound(err error) bool {
	var refused *APIError
	return errors.As(err, &refused) && refused.Status == http.StatusBadRequest &&
		strings.Contains(strings.ToLower(refused.Text), "not found")
}

// DuplicateError is the answer to a customId that SIH knows already. Order is
// what it stored under it, in its current state; the request did nothing.
type DuplicateError struct {
	Order Order
}

func (e *DuplicateError) Error() string {
	return fmt.Sprintf("the customId %q exists already: order %d is %s", e.Order.CustomID, e.Order.ID, e.Order.Status)
}

// Bounds of a wait that the market asks for.
const (
	defaultPause = time.Minute
	maxPause     = time.Hour
)

// parseRetryAfter reads the header Retry-After, in seconds or as a date; 0 means
// that it does not tell.
func parseRetryAfter(s string, now time.Time) time.Duration {
	s = strings.TrimSpace(s)
	var d time.Duration
	if seconds, err := strconv.ParseInt(s, 10, 32); err == nil {
		d = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(s); err == nil {
		d = at.Sub(now)
	}
	return min(max(d, 0), maxPause)
}
