package httpapi

import (
	"bytes"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"skinarb/pricing"
)

// maxParams is the most query parameters that an endpoint has.
const maxParams = 4

// params are the query parameters of a request, copied out of it. An empty
// value is the same as none.
type params struct {
	names  []string
	values [maxParams]string
}

// get gives a parameter that the route has listed, or "".
func (q *params) get(name string) string {
	if i := slices.Index(q.names, name); i >= 0 {
		return q.values[i]
	}
	panic("httpapi: parameter " + name + " is not listed in its route")
}

// parseParams reads a query. It refuses, with invalid_parameter, every name
// that is not listed, a name that comes twice, a wrong escape, and what is not
// UTF-8: a filter that is silently ignored gives a wrong answer.
func parseParams(raw []byte, names []string) (params, error) {
	q := params{names: names}
	var seen [maxParams]bool
	for len(raw) > 0 {
		var pair []byte
		pair, raw, _ = bytes.Cut(raw, []byte("&"))
		if len(pair) == 0 {
			continue
		}
		escapedName, escapedValue, _ := bytes.Cut(pair, []byte("="))
		name, err := unescape(escapedName)
		if err != nil {
			return params{}, problem(codeInvalidParameter, "the name of a query parameter is not valid UTF-8 in percent escapes")
		}
		i := slices.Index(names, name)
		switch {
		case i < 0:
			return params{}, problem(codeInvalidParameter, "unknown query parameter %s%s", quoted(name), known(names))
		case seen[i]:
			return params{}, problem(codeInvalidParameter, "query parameter %s is given twice", name)
		}
		seen[i] = true
		if q.values[i], err = unescape(escapedValue); err != nil {
			return params{}, problem(codeInvalidParameter, "query parameter %s is not valid UTF-8 in percent escapes", name)
		}
	}
	return q, nil
}

// unescape copies b, with + as space and percent escapes undone.
func unescape(b []byte) (string, error) {
	s, err := url.QueryUnescape(string(b))
	if err == nil && !utf8.ValidString(s) {
		err = errNotUTF8
	}
	return s, err
}

const errNotUTF8 = url.EscapeError("not UTF-8")

// quoted shows what a client sent, cut to a length that suits a message.
func quoted(s string) string {
	const most = 40
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return strconv.Quote(s)
}

func known(names []string) string {
	if len(names) == 0 {
		return ": this endpoint takes none"
	}
	return ": this endpoint takes " + strings.Join(names, ", ")
}

// pathParam gives a copy of a part of the path, unescaped.
func pathParam(c *fiber.Ctx, name string) (string, bool) {
	s, err := url.PathUnescape(strings.Clone(c.Params(name)))
	return s, err == nil && utf8.ValidString(s)
}

// game gives the parameter game; without it, the game that settings default to.
func (q *params) game() (pricing.Game, error) { return parseGame(q.get("game")) }

func parseGame(s string) (pricing.Game, error) {
	if s == "" {
		return pricing.CS2, nil
	}
	g, err := pricing.ParseGame(s)
	if err != nil {
		return "", problem(codeInvalidParameter, "unknown game %s: it is one of cs2, rust, dota2, tf2", quoted(s))
	}
	return g, nil
}

// limit gives the parameter limit, which is from 1 to most.
func (q *params) limit(standard, most int) (int, error) {
	s := q.get("limit")
	if s == "" {
		return standard, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > most || s[0] == '+' {
		return 0, problem(codeInvalidParameter, "limit %s is not a whole number from 1 to %d", quoted(s), most)
	}
	return n, nil
}

// item gives the item that the parameters game, name and phase mean.
func (q *params) item() (pricing.Item, error) {
	g, err := q.game()
	if err != nil {
		return pricing.Item{}, err
	}
	if q.get("name") == "" {
		return pricing.Item{}, problem(codeMissingParameter, "name is missing: the market_hash_name of an item")
	}
	phase, err := pricing.ParsePhase(q.get("phase"))
	if err != nil {
		return pricing.Item{}, problem(codeInvalidParameter, "unknown phase %s", quoted(q.get("phase")))
	}
	it, err := pricing.ParseItem(g, q.get("name"), string(phase))
	if err != nil {
		return pricing.Item{}, problem(codeInvalidParameter, "name %s: %s", quoted(q.get("name")), reason(err))
	}
	switch phase {
	case pricing.NoPhase, it.Phase:
		return it, nil
	}
	if it.Phase == pricing.NoPhase {
		return pricing.Item{}, problem(codeInvalidParameter, "this item has no phases")
	}
	// The name tells a phase, and the question is for the one that is not known.
	return pricing.Item{}, problem(codeInvalidParameter, "name %s: %s", quoted(q.get("name")), pricing.ErrPhaseClash)
}
