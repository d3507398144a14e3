// Package backtoback sells on SIH what SkinsBack sells, and buys it only when
// somebody has bought it from us: the purchase goes straight to that buyer, and
// nothing is ever held.
//
// The protocol of a sale, in which a crash at any point leaves neither an item
// that is bought twice nor a buyer who is told of something that may not come:
//
//  1. What is worth buying on SkinsBack to sell on SIH is listed on SIH, under an
//     id of our own for the goods, at a price that holds after both fees
//     (Rules.plan). Listings follow the book: one whose price is wrong by now, or
//     whose item SkinsBack's prices do not offer any more, is withdrawn. Those of
//     a feed that is stale or held offer nothing.
//  2. A buyer's order (package partner) is taken only while SkinsBack still asks
//     little enough for it (Dealer.Ask).
//  3. While SIH asks for the order, and so has not given it up, it is bought
//     on SkinsBack for the buyer, for no more than leaves us the least profit:
//     through the same executor, limits and journal as all that we buy, as an
//     intent whose key is SIH's id of the order and nothing else.
//  4. What becomes of that purchase is told to SIH (news). That it failed is told
//     only when it can no longer come.
//
// A Dealer that is closed takes everything off sale and begins nothing, and goes on
// with step 4 until what was begun has come to its end.
//
// There is no state besides the three journals: listings (package selling),
// buyers' orders (package partner) and purchases (package execution). Whatever
// is told here is worked out from them anew after a restart.
package backtoback
