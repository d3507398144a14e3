// Package execution turns one intent into at most one purchase.
//
// The protocol of a purchase, in which a crash at any point leaves an order
// that recovery can finish and never a purchase that nobody recorded:
//
//  1. The market is asked for its ask now; a price that moved ends it here.
//  2. The order is journaled as planned, and its cost reserved in the same
//     atomic step, if no limit forbids it (Limits, Journal.Reserve).
//  3. A permit is taken from the account's request budget. Orders to one recipient
//     that wait for one at the same time travel in one request, where the market
//     takes several (Batcher); each goes through the next steps as if it were alone.
//  4. Counted among what is leaving, which Stop waits for: the kill switch is
//     read, the order journaled as sent, and the request handed to the market.
//  5. The answer is journaled. No usable answer is in_doubt, and counts as
//     spent.
//  6. Only evidence of the market moves an order that was sent. One that the
//     market says it does not know, asked twice after a grace period, goes back
//     to planned and may be sent again with the same ID; one that it once gave a
//     reference for never does.
//  7. Tracking follows a purchase to settled or rolled back, through the whole
//     trade protection window.
//
// An intent is what the ID of an order is derived from (Request.ID): an offer of a
// market that persists, or somebody else's order that the purchase is for (Buyer).
// The latter is bought once whatever its price becomes meanwhile, and is delivered to
// its buyer; limits, journal and states are those of everything else.
//
// At start, before anything is bought, recovery makes sent orders in doubt and
// looks every unfinished order up, through the same functions.
//
//	planned ──▶ sent ──▶ placed ⇄ delivering ──▶ delivered ──▶ settled
//	   │  ▲      │ ├───▶ rejected      │             │            │
//	   ▼  └──────┘ ▼                   ▼             ▼            ▼
//	cancelled    in_doubt ──▶ …   failed, penalized  └─▶ rolled_back
//
// A market's word is believed also for an order that we hold for planned,
// rejected or cancelled: what it took is gone. A word that fits no arrow moves
// nothing, and is noted for a person to see.
package execution
