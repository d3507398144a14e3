// Package marketsim simulates the two markets this project trades on,
// SkinsBack and SIH Market, over real HTTP: for the demo, for tests and
// benchmarks, and for anyone who wants to try the rest without accounts. It
// shares no code with the clients it serves, so that a misreading of a
// market's documentation cannot hide on both ends of the wire.
//
//	w, err := marketsim.New(marketsim.Config{Seed: 1})
//	s, err := marketsim.Serve(w, "") // a free port on loopback
//	defer s.Close()
//	// point a client at s.SkinsBackURL or s.SIHURL, with DemoClientID,
//	// DemoClientSecret and DemoAPIKey
//
// A World is lazy. It owns no goroutine and no timer: prices, stock and the
// lives of orders are worked out from the seed and the clock when somebody
// looks. The same seed, clock and requests give the same bytes, and a test
// that sets the clock forward by eight days sees trade protection end at once.
//
// # What is simulated
//
// Prices. Every item has a reference price, close to what Steam would show.
// Each market asks about 0.65 of it, with a deviation of its own that drifts
// from tick to tick. A few items are hostile: their ask is 10 times too high or
// 20 times too low on one market. Buying a bargain of that kind never ends in
// an item.
//
// Stock. An item is a short shelf of lots with ascending prices. Lots come and
// go as other people trade; what a client bought stays gone. SkinsBack shows
// the lots with full=1, SIH only the cheapest price and the count.
//
// Orders. See orders.go for the life of an order on each market. Failures give
// the money back; the books always balance:
//
//	balance = starting balance - sum of debits + sum of refunds
//
// Deposits. Every Steam account has an inventory: a few things drawn from the
// seed, and what was delivered to it. SkinsBack takes them for a part of its own
// ask, after trade protection, and tells of each change by a signed callback to
// the result URL: see sb_deposits.go. With them
//
//	balance = starting balance - debits + refunds + credited deposits
//
// Sales. What a client puts on sale at SIH stands in its catalog and is sold, the
// sooner the cheaper it is against the others' ask: see sih_sales.go. The money
// comes into a wallet of its own, after trade protection.
//
// Trouble. Inject adds a fault: refused and lost connections, lost answers,
// mangled bodies, wrong catalogs, error answers. Fault tells the kinds.
//
// Events. Served, both markets tell what happens to their orders: SkinsBack over
// its socket, both by webhooks to the address that they were given. Attack sends
// webhooks that no market would.
//
// # Units
//
// Money is an int64 of micro-dollars: 1_000_000 is one US dollar. It becomes
// decimal text only on the wire. Ratios are worked out in floating point, but
// rounded to millionths before they touch money.
package marketsim
