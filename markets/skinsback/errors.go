package skinsback

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"skinarb/execution"
	"skinarb/fetch"
)

// APIError is an error object of SkinsBack's. It wraps the decision that
// follows from it, if one does: see the package comment.
type APIError struct {
	Method  string
	Code    int    // negative ones are any method's, positive ones mean something else in each
	Message string // snake case, such as "skin_unavailable"; cleaned and at most 100 bytes

	decision error
}

func (e *APIError) Error() string {
	return fmt.Sprintf("%s answered error %d %s", e.Method, e.Code, e.Message)
}

func (e *APIError) Unwrap() error { return e.decision }

// AnswerError is an answer that is no answer of SkinsBack's: a gateway's page,
// something cut off or garbled, or success without the fields of one.
type AnswerError struct {
	Method string
	Status int    // of HTTP
	Quote  string // how the body begins, cleaned, at most 200 bytes
	cause  error
}

func (e *AnswerError) Error() string {
	return fmt.Sprintf("%s: unusable answer with HTTP status %d: %v; it begins %q", e.Method, e.Status, e.cause, e.Quote)
}

func (e *AnswerError) Unwrap() error { return e.cause }

// noAnswerError is a request on which the connection failed.
type noAnswerError struct {
	method string
	detail string
	cause  error
}

func (e *noAnswerError) Error() string { return e.method + ": no answer: " + e.detail }
func (e *noAnswerError) Unwrap() error { return e.cause }

// noAnswer leaves out what net/http adds, which is the URL, and cleans the rest:
// net/http quotes what it cannot read.
func (c *Client) noAnswer(method string, err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return &noAnswerError{method, c.clean(err.Error(), 300), err}
}

// verdict is what an error object means.
type verdict int

const (
	undecided verdict = iota // says nothing about money
	refused                  // nothing was bought and a repetition would not help
	later                    // nothing was done, and may be asked again
)

// generalErrors are those of any method, by text. Each of them is given before
// the method does anything.
// https://skinsback.com/docs/api/v1/main
var generalErrors = map[string]verdict{
	"please_use_post_method": refused,
	"invalid_shopid":         refused,
	"invalid_signature":      refused,
	"shop_not_active":        refused,
	"invalid_method":         refused,
	"market_disabled":        refused,
	"request_limit_reached":  later,
	"invalid_ip_address":     refused,
	"under_maintenance":      later,
}

// buyErrors are those of market_buy, by text. custom_id_already_exists is not
// refused: the purchase that has the ID may be the one that we ask for, sent
// before and never answered.
// https://skinsback.com/docs/api/v1/market_buy
var buyErrors = map[string]verdict{
	"missing_name_and_id":                refused,
	"name_min_length_3":                  refused,
	"missing_partner_or_token":           refused,
	"insufficient_funds":                 refused,
	"skin_unavailable":                   refused,
	"skins_not_found_at_specified_price": refused,
	"custom_id_already_exists":           undecided,
	"invalid_partner_value":              refused,
}

// writeErrors are those of all methods that move money or items, by text. What is
// not here decides nothing: the request may have been carried out.
//
// Of a batch only what is checked before its first purchase is a refusal of the
// whole; its items have errors of their own. An order_id_already_exists is not
// refused, since the deposit that has the ID may be the one that we asked for.
// Of create_from_user_inventory only two texts are known; the others are those
// that create has for the same parameters.
var writeErrors = map[string]map[string]verdict{
	"market_buy": buyErrors,
	"market_batch_buy": {
		"missing_partner_or_token": refused,
		"invalid_partner_value":    refused,
	},
	"create": createErrors,
	"create_from_user_inventory": {
		"invalid_order_id":            refused,
		"invalid_steam_id":            refused,
		"invalid_trade_token":         refused,
		"deposit_amount_less_minimum": refused,
		orderIDTaken:                  undecided,
	},
	"offer_approve": {
		"order_id_or_transaction_id_missing": refused,
		"invalid_order_id":                   refused,
		"invalid_transaction_id":             refused,
		// It may be approved by us, before and never answered.
		"offer_already_approved_or_canceled": undecided,
	},
}

// createErrors are those of create.
// https://skinsback.com/docs/api/v1/createorder
var createErrors = map[string]verdict{
	"invalid_order_id":             refused,
	"invalid_steam_id":             refused,
	"invalid_trade_token":          refused,
	"min_amount_requires_currency": refused,
	orderIDTaken:                   undecided,
}

// orderIDTaken is the word for an order_id that has a deposit already.
const orderIDTaken = "order_id_already_exists"

// accountErrors are those of writeErrors that any other request of the kind would
// get, too.
var accountErrors = map[string]bool{
	"missing_partner_or_token": true,
	"insufficient_funds":       true,
	"invalid_partner_value":    true,
}

// The words for a purchase and for a deposit that do not exist.
const (
	offerNotFound       = "offer_not_found"
	transactionNotFound = "transaction_not_found"
)

// errorTexts gives the text of a code where the answer has none that is known.
// The texts of reads that nobody decides on are here too, so that an error
// always has a name.
var errorTexts = map[string]map[int]string{
	"": {
		-1: "please_use_post_method",
		-2: "invalid_shopid",
		-3: "invalid_signature",
		-4: "shop_not_active",
		-5: "invalid_method",
		-6: "market_disabled",
		-7: "request_limit_reached",
		-8: "invalid_ip_address",
		-9: "under_maintenance",
	},
	"market_buy": {
		1: "missing_name_and_id",
		2: "name_min_length_3",
		3: "missing_partner_or_token",
		4: "insufficient_funds",
		5: "skin_unavailable",
		6: "skins_not_found_at_specified_price",
		7: "custom_id_already_exists",
		8: "invalid_partner_value",
	},
	"create": {
		1: "invalid_order_id",
		2: "invalid_steam_id",
		3: "invalid_trade_token",
		4: "min_amount_requires_currency",
		5: orderIDTaken,
	},
	"create_from_user_inventory": {7: orderIDTaken},
	"orderstatus":                depositErrors,
	"offer_approve":              withText(depositErrors, 5, "offer_already_approved_or_canceled"),
	"market_search":              {1: "name_or_names_required", 2: "name_min_length_3"},
	"market_getinfo":             {1: "missing_buy_id", 2: offerNotFound},
	"market_history":             {1: "missing_starting_or_ending"},
}

// depositErrors are those of methods that ask for one deposit.
// https://skinsback.com/docs/api/v1/orderstatus
var depositErrors = map[int]string{
	1: "order_id_or_transaction_id_missing",
	2: "invalid_order_id",
	3: "invalid_transaction_id",
	4: transactionNotFound,
}

// withText gives a copy of texts with one more.
func withText(texts map[int]string, code int, text string) map[int]string {
	all := maps.Clone(texts)
	all[code] = text
	return all
}

// canonical gives the text by which an error is judged: its own if that is
// known, else the one of its code.
func canonical(e *APIError) string {
	if _, ok := generalErrors[e.Message]; ok {
		return e.Message
	}
	if _, ok := writeErrors[e.Method][e.Message]; ok {
		return e.Message
	}
	for _, text := range errorTexts[e.Method] {
		if text == e.Message {
			return text
		}
	}
	if text, ok := errorTexts[""][e.Code]; ok {
		return text
	}
	return errorTexts[e.Method][e.Code]
}

// limitPause is how long the account is left alone after a -7 or -9, or a 429
// that does not say how long. What SkinsBack's block lasts is not documented.
const limitPause = time.Minute

// decide completes e with what follows from it. retryAfter is the server's wish
// in the headers, 0 if it has none.
func (c *Client) decide(e *APIError, retryAfter time.Duration) *APIError {
	text := canonical(e)
	v := generalErrors[text]
	if v == undecided {
		v = writeErrors[e.Method][text]
	}
	if e.Message = c.clean(e.Message, 100); e.Message == "" {
		e.Message = text
	}
	switch {
	case v == later:
		e.decision = pause(e.Method, max(limitPause, retryAfter), text)
	case v == refused && writeErrors[e.Method] != nil:
		_, general := generalErrors[text]
		e.decision = &execution.RejectedError{Reason: text, Account: general || accountErrors[text]}
	case text == offerNotFound, text == transactionNotFound:
		e.decision = execution.ErrNotFound
	}
	return e
}

// pause says that nothing happened, in the words of whoever asked.
func pause(method string, after time.Duration, reason string) error {
	if method == "market_pricelist" {
		return &fetch.PauseError{After: after, Reason: reason}
	}
	return &execution.RetryLaterError{After: after, Reason: reason, Throttled: true}
}

// pauseOf gives how long err asks to leave the account alone.
func pauseOf(err error) (time.Duration, bool) {
	var p *fetch.PauseError
	var r *execution.RetryLaterError
	switch {
	case errors.As(err, &p):
		return p.After, true
	case errors.As(err, &r):
		return r.After, true
	}
	return 0, false
}

// answerError describes an answer of which body is the beginning.
func (c *Client) answerError(method string, status int, body []byte, cause error) *AnswerError {
	return &AnswerError{Method: method, Status: status, Quote: c.clean(string(body), 200), cause: cause}
}

// maxRetryAfter bounds what a Retry-After header can ask for.
const maxRetryAfter = time.Hour

// retryAfterOf reads the Retry-After header, seconds or a date; 0 without one.
func (c *Client) retryAfterOf(resp *http.Response) time.Duration {
	h := resp.Header.Get("Retry-After")
	var d time.Duration
	if n, err := strconv.Atoi(h); err == nil {
		d = time.Duration(min(n, int(maxRetryAfter/time.Second))) * time.Second
	} else if at, err := http.ParseTime(h); err == nil {
		d = at.Sub(c.cfg.Now())
	}
	return min(max(d, 0), maxRetryAfter)
}

// secrets are what no error may show, whatever a server sends back.
type secrets struct {
	all     []string // as they are
	longest int      // of the forms in which one may be echoed, in bytes
	replace *strings.Replacer
}

// leastSecret is the length below which nothing is a secret, in bytes: to hide it
// would spoil every text.
const leastSecret = 4

// newSecrets hides every form in which a server may echo a secret. It leaves out
// what is too short to be one.
func newSecrets(all ...string) secrets {
	all = slices.DeleteFunc(all, func(s string) bool { return len(s) < leastSecret })
	var forms []string
	for _, s := range all {
		inJSON, _ := json.Marshal(s) // a string cannot fail
		plainJSON := string(inJSON[1 : len(inJSON)-1])
		forms = append(forms, s, plainJSON, strings.ReplaceAll(plainJSON, "/", `\/`), url.QueryEscape(s), url.PathEscape(s))
	}
	// Longest first, so that none is left of one that holds another.
	slices.SortStableFunc(forms, func(a, b string) int { return len(b) - len(a) })
	hidden := secrets{all: all}
	var pairs []string
	for _, form := range forms {
		pairs = append(pairs, form, "[secret]")
		hidden.longest = max(hidden.longest, len(form))
	}
	hidden.replace = strings.NewReplacer(pairs...)
	return hidden
}

// hiding gives a client for one call that has more secrets: the trade tokens of
// whoever is to get what it buys.
func (c *Client) hiding(more ...string) *Client {
	hiding := *c
	hiding.hidden = newSecrets(slices.Concat(c.hidden.all, more)...)
	return &hiding
}

// quoteWindow is how much of a body is looked at to quote from it.
const quoteWindow = 4 << 10

// clean makes text of the server's fit for an error: secrets replaced, nothing but printable characters, at most limit bytes.
func (c *Client) clean(s string, limit int) string {
	window := s[:min(len(s), quoteWindow)]
	kept := c.hidden.replace.Replace(window)
	if len(window) < len(s) { // a secret may have been cut in two
		kept = kept[:max(0, len(kept)-c.hidden.longest)]
	}
	var b strings.Builder
	for _, r := range strings.ToValidUTF8(kept, "?") {
		if !unicode.IsPrint(r) {
			r = ' '
		}
		if b.Len()+len(string(r)) > limit {
			break
		}
		b.WriteRune(r)
	}
	return strings.TrimSpace(b.String())
}

// cutOff gives an EOF in the middle of something its right name.
func cutOff(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
