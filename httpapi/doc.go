// Package httpapi serves the query API: prices, search, feeds, opportunities
// and verdicts; on a trader also orders, PnL and the kill switch; and the
// dashboard, metrics and health. It decides nothing about prices or money: it
// reads a request into our own types, asks one of three small interfaces, and
// writes the answer. It is the only package that knows Fiber.
//
// A look-up never waits: it reads the immutable book in memory, of which
// practically all of the answer is encoded when prices change (edition.go). A
// plain one does not even pass the router (lookup.go). What may wait,
// because it asks the journal or the feed store, waits at most askTimeout.
//
// Fiber reuses the memory of a request for the next one, so no string of a
// request outlives its handler unless it was copied. Two functions read what
// the handlers keep, parseParams and pathParam, and both copy.
//
// Every answer that is not a success has one shape, also those that Fiber and
// fasthttp give by themselves; errors.go holds the table of codes.
package httpapi
