// Package partner is the seller's side of SIH Market's polling protocol: SIH
// calls us when a buyer took an item that we listed, and asks from then on how
// the trade stands. It decides whether a call is SIH's, whether an order is
// taken, and what is answered. It knows neither HTTP nor SQL, and it moves no
// item: that is the work of the desk, which learns of purchases here and tells
// what becomes of them.
//
// The protocol of a purchase, in which a crash at any point leaves neither an
// item that is sold twice nor one that is bought for an order that is none:
//
//  1. SIH sends create-purchase, signed. A customId that we know is answered with
//     what is stored, whatever else the call says.
//  2. A new one must be well-formed, of an item that is for sale, and at no less
//     than the desk's price for it. It is stored, and the item reserved, in one
//     durable step; only then is it answered. The desk is woken, and nothing
//     waits for it.
//  3. SIH polls get-purchase every few seconds. The first poll is what the desk
//     waits for before it spends anything (Server.Polled): an answer that was
//     lost on its way may have failed the order at SIH, and an order that failed
//     there is polled by nobody and paid by nobody. The desk fails a purchase that
//     is never polled as not sent in time, which frees its item.
//  4. The desk writes each piece of news into the store (Store.Advance), and polls
//     are answered from there. News never leads backwards, and what was once told
//     to SIH stays as it was told.
//  5. SIH goes on polling through Steam's trade protection, until the purchase is
//     settled or rolled back.
//
// After a restart the desk finds its work in Store.Open: a purchase that is stored
// needs no other record.
//
//	created ──▶ sent ──▶ accepted ──▶ protected ──▶ settled
//	      │      │          │             │
//	      └──┬───┘          └──────┬──────┘
//	         ▼                     ▼
//	       failed             rolled_back
//
// Steps may be left out, since news may be missed. To SIH accepted, protected,
// settled and rolled_back are all finished, and a block about the protection tells
// them apart.
//
// Whatever happens, SIH gets an answer of the protocol, since to it any other is a
// broken network. When the store fails, create-purchase is refused, which fails
// the order at SIH while nothing was spent; and get-purchase says not found, the
// one word that is documented to be harmless, for 15 minutes.
package partner
