package httpapi

import (
	"context"
	"errors"
	"fmt"

	"github.com/gofiber/fiber/v2"

	"skinarb/execution"
)

// The codes of errors. They are stable: clients branch on them.
const (
	codeBadRequest       = "bad_request"
	codeInvalidParameter = "invalid_parameter"
	codeMissingParameter = "missing_parameter"
	codeInvalidBody      = "invalid_body"
	codeUnauthorized     = "unauthorized"
	codeForbidden        = "forbidden"
	codeNotFound         = "not_found"
	codeItemNotFound     = "item_not_found"
	codeFeedNotFound     = "feed_not_found"
	codeOrderNotFound    = "order_not_found"
	codeMarketNotFound   = "market_not_found"
	codeMethodNotAllowed = "method_not_allowed"
	codeRequestTimeout   = "request_timeout"
	codeNotHeld          = "not_held"
	codeWouldLoosen      = "would_loosen"
	codeBodyTooLarge     = "body_too_large"
	codeMediaType        = "unsupported_media_type"
	codeHeaderTooLarge   = "header_too_large"
	codeInternal         = "internal"
	codeNotReady         = "not_ready"
	codeTimeout          = "timeout"
	codeTooManyStreams   = "too_many_streams"
	codeStopIncomplete   = "stop_incomplete"
)

// problems is the one place that knows which error is which status. Of a status
// that Fiber gives, the first row applies.
var problems = []struct {
	code    string
	status  int
	cause   error  // an error of ours that means this, if there is one
	message string // what is said when the error brings no message of its own
}{
	{codeBadRequest, 400, nil, "this is not a valid HTTP request"},
	{codeInvalidParameter, 400, nil, "a parameter is not valid"},
	{codeMissingParameter, 400, nil, "a parameter is missing"},
	{codeInvalidBody, 400, nil, "the body is not the JSON that this endpoint takes"},
	{codeUnauthorized, 401, nil, "this needs the header Authorization: Bearer and a token"},
	{codeForbidden, 403, nil, "this token does not allow it"},
	{codeNotFound, 404, nil, "there is no such endpoint"},
	{codeItemNotFound, 404, nil, "no market has this item"},
	{codeFeedNotFound, 404, nil, "no such feed is configured"},
	{codeOrderNotFound, 404, execution.ErrNoOrder, "there is no such order"},
	{codeMarketNotFound, 404, nil, "no such market is configured"},
	{codeMethodNotAllowed, 405, nil, "this endpoint does not take this method"},
	{codeRequestTimeout, 408, nil, "the request took too long to arrive"},
	{codeNotHeld, 409, nil, "this feed holds no catalog"},
	{codeWouldLoosen, 409, nil, "limits can only be made smaller while the trader runs"},
	{codeBodyTooLarge, 413, nil, "a body may have 1 MiB at most"},
	{codeMediaType, 415, nil, "the body must be application/json, not compressed"},
	{codeHeaderTooLarge, 431, nil, "request line and headers may have 8 KiB at most"},
	{codeInternal, 500, nil, "internal error; the log has the details"},
	{codeNotReady, 503, nil, "not ready"},
	{codeTimeout, 503, context.DeadlineExceeded, "this took too long; it may or may not have happened"},
	{codeTooManyStreams, 503, nil, "too many streams are open"},
	{codeStopIncomplete, 503, nil, "trading is stopped in this process, but not all is sure"},
}

// apiError is an error that the client is told.
type apiError struct {
	code    string
	status  int
	message string
}

func (e *apiError) Error() string { return e.code + ": " + e.message }

// problem gives an error of a code with a message of its own.
func problem(code, format string, args ...any) *apiError {
	for _, p := range problems {
		if p.code == code {
			return &apiError{code, p.status, fmt.Sprintf(format, args...)}
		}
	}
	panic("httpapi: code " + code + " is not in the table")
}

// describe says what the client is told of err. The text of an error that
// nobody classified stays inside.
func describe(err error) *apiError {
	if own, ok := errors.AsType[*apiError](err); ok {
		return own
	}
	if loose, ok := errors.AsType[*execution.LoosenError](err); ok {
		return problem(codeWouldLoosen, "%s", loose)
	}
	if held, ok := errors.AsType[*execution.HeldError](err); ok {
		return problem(codeStopIncomplete, "trading is stopped in this process, but %s", held.What)
	}
	fromFiber, isFiber := errors.AsType[*fiber.Error](err)
	for _, p := range problems {
		if isFiber && p.status == fromFiber.Code || p.cause != nil && errors.Is(err, p.cause) {
			return &apiError{p.code, p.status, p.message}
		}
	}
	if isFiber && fromFiber.Code < 500 {
		return problem(codeBadRequest, "this is not a valid HTTP request")
	}
	return problem(codeInternal, "internal error; the log has the details")
}

// appendJSON appends the one shape that every error has.
func (e *apiError) appendJSON(b []byte) []byte {
	b = append(b, `{"error":{"code":`...)
	b = appendString(b, e.code)
	b = append(b, `,"message":`...)
	b = appendString(b, e.message)
	return append(b, `}}`...)
}

// writeError answers with an error. What is our fault goes to the log, without
// the query: the route is enough to find it.
func (s *Server) writeError(c *fiber.Ctx, err error) {
	e := describe(err)
	if e.status == fiber.StatusInternalServerError || e.code == codeTimeout || e.code == codeStopIncomplete {
		s.log.Error("request failed", "method", c.Method(), "route", c.Route().Path, "error", err)
	}
	if e.code == codeUnauthorized {
		c.Set(fiber.HeaderWWWAuthenticate, `Bearer realm="skinarb"`)
	}
	c.Status(e.status)
	writeJSON(c, e.appendJSON(nil))
}
