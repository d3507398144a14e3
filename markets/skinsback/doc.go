// Package skinsback is the client of SkinsBack's merchant API, version 1, for
// buying: price lists, search, purchases and what became of them, balance and
// server status. Client is also what fetch asks of a source (source.go) and what
// execution asks of a market (market.go).
//
// The API is one URL that takes POST requests with a method name among the
// parameters, described at https://skinsback.com/docs/api/v1/. What that
// description leaves open is read defensively: every number may come as a
// string, an empty object as a list, a list as an object with numbers for
// keys. Unknown fields are ignored, unknown states are handed on as they are.
//
// # What an error says
//
// An answer is judged by its body first and its HTTP status second, because
// SkinsBack sends errors with status 200. An error object becomes an *APIError,
// which wraps the decision that follows from it:
//
//   - *execution.RetryLaterError (of a price list *fetch.PauseError): too many
//     requests, or maintenance. Nothing happened.
//   - *execution.RejectedError, of purchases only: the market refused and took
//     no money.
//   - execution.ErrNotFound, of market_getinfo: there is no such purchase.
//   - none of these: the answer decides nothing. For a purchase that means in doubt.
//
// A purchase whose connection never came to be is a RetryLaterError too. All
// else, time-outs, resets, gateway pages, answers that cannot be read, leaves
// its outcome open: only Lookup can tell.
//
// # What is sent twice
//
// A purchase never is: it has a connection of its own, which is not reused, and
// no redirect is followed. Reads are tried up to three times when the network
// or a gateway fails, each time with a permit of its own.
//
// Credentials appear in no error text, whatever the server echoes.
package skinsback
