// Package selling sells what we hold, and keeps on sale what is to be sold.
//
// It has two parts. A Keeper holds listings to a discipline: whatever crashes,
// and whatever answer is lost, nothing is on sale twice. It does not know what is
// sold or why; whoever wants something on sale gives it an Offer. A Seller is one
// such holder: each settled purchase becomes a Position, which it keeps on sale on
// the market other than where it was bought until it is sold. One Keeper serves
// all holders of a journal.
//
// The protocol of a listing:
//
//  1. The kill switch is read, and the listing journaled in state listing, in one
//     step with the check that neither its goods nor its holder have an open one
//     (Listings.Begin). A journal refuses it while trading is stopped.
//  2. The request leaves, once. No listing is ever sent again: whatever the holder
//     offers next is another listing, with another ID.
//  3. The answer is journaled. No usable answer is in_doubt.
//  4. Only the market moves it from there. Shown on sale it is listed; or it is taken
//     off, where the market cannot tell that it is what was meant. Not shown by two
//     looks, the first of them after a grace period, it is gone: it never was on
//     sale, or is not any more.
//  5. Of what is gone the market may say that it was paid for, or show it again.
//     What else became of it only the holder can tell, who knows where the goods
//     are: they came back, or they vanished (Keeper.Conclude).
//  6. A price is changed by taking the listing off sale, seeing it gone, and
//     offering the goods again. Taking off may be asked for again and again, since
//     doing it twice is doing it once.
//  7. What is on sale under a listing that has ended, or below its floor, is taken
//     off, and a person hears of it. Money for one that has ended is believed, for
//     two weeks; what its holder has on sale by then is taken off.
//  8. What ended without money is forgotten after 60 days, unless it is a position's
//     last or a buyer's order is for it. If a market showed one on sale after that,
//     it would be taken for another journal's.
//
// At start recovery puts in doubt what was sent when the last run ended. The
// states and their moves:
//
//	listing ──▶ listed ⇄ gone ──▶ sold, returned, vanished
//	 │  │ │       │        ▲│
//	 │  │ ▼       ▼        │▼
//	 │  │ in_doubt ──▶ withdrawing ──▶ withdrawn
//	 │  ▼       (or listed, or gone)
//	 │ refused
//	 ▼
//	unsent
//
// A position is held while it has no open listing, and otherwise stands where its
// listing does. What its Seller decides is a function of what it sees (Rules):
//
//   - It sells one asset of its item in the Steam inventory, tradable, which no
//     other position has, found by name and phase.
//   - Its floor is the lowest price whose proceeds, after the selling fee, are its
//     cost and the least profit. Nothing is listed below it.
//   - On SIH it asks one cent less than the lowest ask there that is not ours, and
//     its floor where that is higher. Where nobody else offers the item it asks
//     what was expected when it was bought.
//   - SkinsBack names its price, which is taken when it is not below the floor. A
//     person then has to accept its trade offer on Steam.
//   - On SIH it is listed anew when the price that it should have differs, at most
//     every RepriceEvery, by asks from after it was listed, and not while it is
//     unknown whether another position is on sale.
//   - Nothing is listed or re-priced on prices that may not be traded on, or while
//     trading is stopped. Taking off goes on.
//   - What is on sale when its purchase is reversed is taken off.
//   - Gone and in the inventory for longer than a buyer has to accept a trade means
//     returned: held again. Gone and nowhere until long after the money should have come means vanished, which a
//     person hears of. What was sold is in trade protection before it is paid for,
//     so that being gone for days is nothing odd.
package selling
