// Package sih speaks the API of SIH Market (Steam Inventory Helper,
// https://docs.sih.app/guide), as far as buying needs it: the catalog, the
// minimum price of an item, orders, the wallet and the project. Nobody else
// knows that wire format.
//
// A Client has one method for each endpoint, which return our own types, and
// implements fetch.Source and execution.Market on top of them. All its methods
// may be called concurrently, and every one bounds its own wait and the size of
// what it reads.
//
// The API in short. Every request carries the project's key in the header
// "apikey". An answer is a JSON object with a boolean success; a refusal has
// status 400 and a text, most of which are not documented. Prices are JSON
// numbers in US dollars, with more than two decimals at times; we read them as
// text. Order times are Unix seconds and wallet times milliseconds. No limits
// are documented, so unknown members are ignored and odd rows are skipped.
//
// # Reads and purchases
//
// A read that fails on the wire or with a status of 500 and above is tried
// again, three times in all. Each try takes its own permit from the budget.
//
// A purchase is sent once. It has a connection of its own, which carries
// nothing before or after it, so that neither net/http nor this package can send
// it again. Its answer counts only if we understand all of it:
//
//	answer                                         outcome
//	200, success, an order id                      bought
//	409 and the order under our customId           bought before: that order
//	400 and a text that tells of the recipient     *execution.RejectedError
//	401 or 403 and a JSON error                    *execution.RejectedError
//	429                                            *execution.RetryLaterError
//	no connection                                  *execution.RetryLaterError
//	anything else                                  unknown, look it up
package sih
