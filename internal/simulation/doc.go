// Package simulation runs the whole trading path in one process on one seed: the
// real executor, gate, journal, recovery and clients against the simulated
// markets. The seed draws who goes next, how time passes, what fails and when a
// process dies; after every step the invariants are checked from outside. It is
// all tests:
//
//	make sim SEEDS=5000
//	go test ./internal/simulation -run TestSeed -seed=4711 -v
//
// The protocol of a seed, which lives in a testing/synctest bubble of its own:
//
//  1. It draws a plan: the market's asks, stock and outcomes, limits, the
//     executor's settings, and how much of each kind of trouble there is. Most
//     seeds have only some kinds, since with all of them little is ever bought.
//  2. Whatever a process does to the world waits at a parking for the driver: a
//     call of the journal, a permit, the first byte of a purchase, a request that
//     the market has and has not acted on, an answer that has not been sent. A
//     dead process never gets past it.
//  3. In each step the driver lets all goroutines come to rest, checks the
//     invariants and draws one thing to do: release one call or let it fail, let
//     time pass, wish for something, move a price, stop, start, tighten, reset,
//     hint, take a market down, kill the process, end it in order, begin the next
//     at once or a day later, let one lead while the one before does not know, buy
//     something past us.
//  4. After the last step everything works, and time passes until the journal
//     and the markets' books agree. They must, within a quarter of an hour.
//
// What must hold at every step:
//
//   - For every wish there is at most one purchase, and no market is asked again
//     for what it has sold. That it would see the duplicate is its merit.
//   - Every purchase of ours is in the journal as soon as it exists, in a state
//     that counts as spent.
//   - What our orders take, unknown outcomes included, is within every limit; so
//     is what the markets took.
//   - No byte of a purchase leaves a process after a stop has been confirmed, nor
//     a process that is dead.
//   - No order moves against the table of states, or forgets a step.
//
// And at rest: nothing is open, every purchase is in the journal, also those of
// others; what it says of each is what the market took and gave back, and the
// balances are those that the books expect.
//
// The same seed takes the same steps. Go's scheduler is not ours, so goroutines
// may only race between two places where they wait if the order makes no
// difference: calls that look alike are released together, whether one waits
// depends on the step and its label alone, and connections are not reused. The
// clients' pauses between tries are random; they are shorter than the steps in
// which time passes, and what comes between two seconds, where they end, always
// waits.
//
// A harness that finds nothing may be blind: TestMutations breaks one thing at a
// time and demands that it is found, for the right reason.
package simulation
