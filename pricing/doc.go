// Package pricing holds the words that every other package shares: game,
// market, item, phase, money, listing, quote, fees, and the book that answers
// what something costs. It is pure: no I/O, no clock, no wire format.
//
// Two listings are the same Item only when game, name and phase all agree.
// ParseItem turns every spelling that a market is known to use into one Item
// and refuses what it does not know; it never guesses, because the phases of
// one Doppler name differ in price by four times and more.
//
// Money is an integer number of millionths of a dollar. Costs are rounded up
// to the cent and proceeds down, in fees.go and nowhere else.
package pricing
