package httpapi

import (
	"bytes"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"skinarb/pricing"
)

const pricesPath = "/v1/prices"

// maxValue is the longest parameter, in bytes, of a plain question. No name of an
// item is longer.
const maxValue = 200

// plainFirst answers plain questions for prices itself and hands everything else
// to next. Plain is a request that may pass and names items as we spell them,
// with nothing unusual about it: practically every one of a program that asks
// thousands of times a second. Such a request then costs no garbage and no
// router.
//
// It gives no answer but success. Whatever it does not understand, does not find
// or must refuse is next's, from the start: so there is one place that decides
// what is an error and how it is told, and a plain answer is what next would
// have answered, only sooner.
func (s *Server) plainFirst(next fasthttp.RequestHandler) fasthttp.RequestHandler {
	observe := s.metrics.of(pricesPath)
	return func(ctx *fasthttp.RequestCtx) {
		if !s.answerPlain(ctx) {
			next(ctx)
			return
		}
		setSafeHeaders(&ctx.Response.Header)
		observe(fasthttp.StatusOK, time.Since(ctx.Time()))
	}
}

// answerPlain answers a plain question, or reports false with nothing answered.
func (s *Server) answerPlain(ctx *fasthttp.RequestCtx) (answered bool) {
	if string(ctx.URI().PathOriginal()) != pricesPath {
		return false
	}
	defer func() {
		if recover() != nil {
			answered = false // next comes to the same place, and reports it
		}
	}()
	if !s.guard.open(accessRead) && s.guard.check(accessRead, ctx.Request.Header.PeekAll(fasthttp.HeaderAuthorization)) != nil {
		return false
	}
	switch query := ctx.URI().QueryString(); {
	case ctx.IsGet():
		return s.answerPlainQuery(ctx, query)
	case ctx.IsPost() && len(query) == 0 && len(ctx.Request.Header.ContentEncoding()) == 0:
		return s.answerPlainBatch(ctx)
	}
	return false
}

// answerPlainQuery is answerPlain for GET.
func (s *Server) answerPlainQuery(ctx *fasthttp.RequestCtx, query []byte) bool {
	var q plainQuery
	if !q.read(query) {
		return false
	}
	g, ok := plainGame(q.game.bytes())
	if !ok {
		return false
	}
	p, ok := plainPhase(q.phase.bytes())
	if !ok {
		return false
	}
	e := s.edition(g)
	pos, ok := e.book.Find(g, q.name.bytes(), p)
	return ok && s.writePrice(&ctx.Response, e, e.at(pos))
}

// answerPlainBatch is answerPlain for POST.
func (s *Server) answerPlainBatch(ctx *fasthttp.RequestCtx) bool {
	q := batches.Get().(*batch)
	defer batches.Put(q)
	defer q.clear() // what it has belongs to the request
	game, ok := q.read(ctx.Request.Body())
	if !ok {
		return false
	}
	g, ok := plainGame(game)
	if !ok {
		return false
	}
	e := s.edition(g)
	if !q.find(e) {
		return false
	}
	s.writePrices(&ctx.Response, e, q)
	return true
}

// batches keeps what plain batches are read into.
var batches = sync.Pool{New: func() any {
	return &batch{names: make([][]byte, 0, maxNames), found: make([]found, 0, maxNames)}
}}

// plainQuery has the values of a query; empty is the same as none.
type plainQuery struct{ game, name, phase plainValue }

// read reads a query, or reports false when parseParams should.
func (q *plainQuery) read(query []byte) bool {
	for len(query) > 0 {
		var pair []byte
		pair, query, _ = bytes.Cut(query, []byte{'&'})
		name, escaped, _ := bytes.Cut(pair, []byte{'='})
		var v *plainValue
		switch string(name) {
		case "game":
			v = &q.game
		case "name":
			v = &q.name
		case "phase":
			v = &q.phase
		default:
			return false
		}
		if v.size > 0 || len(escaped) == 0 || !v.read(escaped) {
			return false
		}
	}
	return true
}

// plainValue is a parameter that stays on the stack of its request.
type plainValue struct {
	text [maxValue]byte
	size int
}

func (v *plainValue) bytes() []byte { return v.text[:v.size] }

// read undoes the escapes of a value, if there is room for what remains.
func (v *plainValue) read(escaped []byte) bool {
	for i := 0; i < len(escaped); i++ {
		c := escaped[i]
		switch c {
		case '+':
			c = ' '
		case '%':
			if i+2 >= len(escaped) {
				return false
			}
			high, low := unhex(escaped[i+1]), unhex(escaped[i+2])
			if high > 0xf || low > 0xf {
				return false
			}
			c = high<<4 | low
			i += 2
		}
		if v.size == maxValue {
			return false
		}
		v.text[v.size] = c
		v.size++
	}
	return true
}

// unhex gives the value of a digit, or more than 0xf.
func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 0xff
}

// plainGame reads a game as we write it; without one, the default.
func plainGame(s []byte) (pricing.Game, bool) {
	if len(s) == 0 {
		return pricing.CS2, true
	}
	for _, g := range pricing.Games {
		if string(s) == string(g) {
			return g, true
		}
	}
	return "", false
}

// plainPhase reads a phase as we write it; without one, NoPhase.
func plainPhase(s []byte) (pricing.Phase, bool) {
	for _, p := range pricing.Phases {
		if string(s) == string(p) {
			return p, true
		}
	}
	return "", false
}
