package httpapi

import (
	"errors"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

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
	e := s.edition(it.Game)
	if !s.writePrice(c.Response(), e, e.of(it)) {
		return problem(codeItemNotFound, "no market has %s", quoted(it.String()))
	}
	return nil
}

// postPrices answers POST /v1/prices.
func (s *Server) postPrices(c *fiber.Ctx, _ params) error {
	var body struct {
		Game  string   `json:"game"`
		Names []string `json:"names"`
	}
	if err := readBody(c, &body); err != nil {
		return err
	}
	if err := checkText(c.Request().Body()); err != nil {
		return err // a name that nobody sent would be answered
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
	var asked batch
	for _, name := range body.Names {
		asked.names = append(asked.names, []byte(name))
	}
	e := s.edition(g)
	asked.find(e)
	s.writePrices(c.Response(), e, &asked)
	return nil
}

// edition gives the edition in force.
func (s *Server) edition(g pricing.Game) *edition { return s.editions[g].of(s.cfg.Prices.Book()) }

// writePrice answers with one item's price, or reports false and answers nothing
// when no market has it.
func (s *Server) writePrice(resp *fasthttp.Response, e *edition, a *answer) bool {
	var t ages
	e.tell(&t, s.now(), s.cfg.MaxQuoteAge)
	b, found := e.appendPrice(append(takeBody(resp), '{'), a, &t)
	if !found {
		putBody(resp, b[:0])
		return false
	}
	putBody(resp, append(b, '}'))
	resp.Header.SetContentType(fiber.MIMEApplicationJSON)
	return true
}

// writePrices answers with the prices of many names, in their order. A name that
// is none, or whose phase we do not know, is among those not found: one bad name
// must not cost the others.
func (s *Server) writePrices(resp *fasthttp.Response, e *edition, q *batch) {
	var t ages
	e.tell(&t, s.now(), s.cfg.MaxQuoteAge)
	b := append(takeBody(resp), `{"prices":[`...)
	first := true
	for i, f := range q.found {
		a := f.answer
		if a == nil {
			continue
		}
		before := len(b)
		if !first {
			b = append(b, ',')
		}
		b = append(b, `{"asked":`...)
		if f.same {
			b = append(b, a.text[a.name[0]:a.name[1]]...)
		} else {
			b = appendString(b, q.names[i])
		}
		b = append(b, ',')
		var known bool
		if b, known = e.appendPrice(b, a, &t); !known {
			b, q.found[i].answer = b[:before], nil
			continue
		}
		b = append(b, '}')
		first = false
	}
	b = append(b, `],"not_found":[`...)
	first = true
	for i, f := range q.found {
		if f.answer != nil {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = appendString(b, q.names[i])
	}
	b = append(b, `],"version":`...)
	b = append(b, e.version...)
	putBody(resp, append(b, '}'))
	resp.Header.SetContentType(fiber.MIMEApplicationJSON)
}
