package httpapi

import (
	"errors"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"skinarb/pricing"
)

// maxNames bounds a batch of prices.
const maxNames = 1000

// reason says in our words why a name was refused: the error itself repeats the
// name, which a client may have made long and strange.
func reason(err error) string {
	for _, known := range []error{pricing.ErrUnknownPhase, pricing.ErrPhasePair, pricing.ErrPhaseClash} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return pricing.ErrName.Error()
}

// getPrice answers GET /v1/prices.
func (s *Server) getPrice(c *fiber.Ctx, q params) error {
	it, err := q.item()
	if err != nil {
		return err
	}
	book, now, found := s.cfg.Prices.Book(), s.now(), false
	writeAppended(c, func(b []byte) []byte {
		b = append(b, '{')
		b, found = s.appendPrice(b, book, it, now)
		return append(b, '}')
	})
	if !found {
		return problem(codeItemNotFound, "no market has %s", quoted(it.String()))
	}
	return nil
}

// postPrices answers POST /v1/prices. A name that is none, or whose phase we do
// not know, is among those not found: one bad name must not cost the others.
func (s *Server) postPrices(c *fiber.Ctx, _ params) error {
	var body struct {
		Game  string   `json:"game"`
		Names []string `json:"names"`
	}
	if err := readBody(c, &body); err != nil {
		return err
	}
	g, err := parseGame(body.Game)
	switch {
	case err != nil:
		return err
	case body.Names == nil:
		return problem(codeMissingParameter, "names is missing: a list of item names")
	case len(body.Names) > maxNames:
		return problem(codeInvalidParameter, "%d names are more than %d", len(body.Names), maxNames)
	}

	book, now := s.cfg.Prices.Book(), s.now()
	var notFound []string
	writeAppended(c, func(b []byte) []byte {
		b = append(b, `{"prices":[`...)
		first := true
		for _, name := range body.Names {
			before := len(b)
			if !first {
				b = append(b, ',')
			}
			b = append(b, `{"asked":`...)
			b = appendString(b, name)
			b = append(b, ',')
			it, err := pricing.ParseItem(g, name, "")
			found := false
			if err == nil {
				b, found = s.appendPrice(b, book, it, now)
			}
			if !found {
				b, notFound = b[:before], append(notFound, name)
				continue
			}
			b = append(b, '}')
			first = false
		}
		b = append(b, `],"not_found":[`...)
		for i, name := range notFound {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendString(b, name)
		}
		b = append(b, `],"version":`...)
		b = strconv.AppendUint(b, book.Version(g), 10)
		return append(b, '}')
	})
	return nil
}

// appendPrice appends the members of one item's price. It reports false, with
// nothing of use appended, when no market has the name in any phase. An item
// whose name is on offer in other phases only has no quotes, and its phases
// tell where to look.
func (s *Server) appendPrice(b []byte, book *pricing.Book, it pricing.Item, now time.Time) ([]byte, bool) {
	found := false
	var best pricing.Quote
	b = append(b, `"item":`...)
	b = appendItem(b, it)
	b = append(b, `,"quotes":[`...)
	for _, m := range pricing.Markets {
		q, ok := book.Quote(m, it)
		if !ok {
			continue
		}
		if found {
			b = append(b, ',')
		}
		found = true
		b = appendQuote(b, q, now, s.cfg.MaxQuoteAge)
		if s.buyable(q, now) && (best.Ask == 0 || q.Ask < best.Ask) {
			best = q
		}
	}
	b = append(b, `],"best_ask":`...)
	if best.Ask == 0 {
		b = append(b, `null`...)
	} else {
		b = append(b, `{"market":`...)
		b = appendString(b, string(best.Market))
		b = append(b, `,"ask":`...)
		b = appendMoney(b, best.Ask)
		b = append(b, '}')
	}
	b = append(b, `,"phases":[`...)
	if it.IsDoppler() {
		phases := book.PhasesOf(it.Game, it.Name)
		found = found || len(phases) > 0
		first := true
		for _, p := range phases {
			if p == pricing.UnknownPhase {
				continue
			}
			if !first {
				b = append(b, ',')
			}
			first = false
			b = appendString(b, string(p))
		}
	}
	b = append(b, `],"version":`...)
	b = strconv.AppendUint(b, book.Version(it.Game), 10)
	return b, found
}

// buyable tells whether a quote may be called the best: fresh, and not sold out.
func (s *Server) buyable(q pricing.Quote, now time.Time) bool {
	return q.Age(now) <= s.cfg.MaxQuoteAge && q.Count != 0
}
