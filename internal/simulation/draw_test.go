package simulation

import (
	"hash/fnv"
	"math/rand/v2"
	"time"

	"skinarb/execution"
	"skinarb/internal/marketsim"
	"skinarb/pricing"
)

// dice are a seed's draws. Only the driver throws them, so that their order is
// the order of its steps.
type dice struct{ *rand.Rand }

func newDice(seed uint64) dice { return dice{rand.New(rand.NewPCG(seed, 0x736b696e))} }

// chance is true in percent of all cases.
func (d dice) chance(percent int) bool { return d.IntN(100) < percent }

// between draws from low to high, both included.
func (d dice) between(low, high int) int { return low + d.IntN(high-low+1) }

// one draws a member of a list that is not empty.
func one[T any](d dice, of ...T) T { return of[d.IntN(len(of))] }

// whim decides about one call what the seed wants of calls like it. Goroutines
// ask for it by themselves, so it is no throw: equal calls in one step get the
// same answer, whichever of them comes first.
func whim(seed uint64, step int, label string, percent int) bool {
	h := fnv.New64a()
	var key [16]byte
	for i := range 8 {
		key[i], key[8+i] = byte(seed>>(8*i)), byte(step>>(8*i))
	}
	_, _ = h.Write(key[:])
	_, _ = h.Write([]byte(label))
	return int(h.Sum64()>>7%100) < percent
}

// plan is what a seed draws before its first step: the world, the limits, and
// which kinds of trouble it is about. Most seeds have only some kinds, because
// those that have all of them hardly ever get anywhere.
type plan struct {
	world  marketsim.Config
	limits execution.Limits
	exec   execution.Config // durations and counts
	feeBps int

	steps   int
	smooth  int            // percent of the processes that begin undisturbed
	weights map[string]int // of the driver's actions, by name
	parks   map[kind]int   // percent of the calls of a kind that wait for the driver
	refuse  int            // percent of the purchases that go wrong
	deafen  int            // percent of the other requests that do
	linger  int            // percent of the times that a purchase under way is passed over
	disk    int            // percent of the journal's reads and writes that go wrong
	kept    string         // where the journal is
	scarce  time.Duration  // between two permits for purchases; 0: they are at hand
}

// catalog is what both markets sell: some names that contain others, and two
// phases of a Doppler, which SkinsBack sells by lot.
var catalog = map[string]int64{
	"AK-47 | Redline (Field-Tested)":             20_000_000,
	"AWP | Asiimov (Battle-Scarred)":             30_000_000,
	"P250 | Sand Dune (Field-Tested)":            1_000_000,
	"StatTrak™ P250 | Sand Dune (Field-Tested)":  3_000_000,
	"★ Karambit | Doppler Phase 2 (Factory New)": 9_000_000,
	"★ Karambit | Doppler Ruby (Factory New)":    12_000_000,
}

// openAmid demands that books which were opened while purchases were under way
// agree with the balance at rest, too. A refund that the balance has and the
// orders do not tell yet goes into the opening, and is missed later.
const openAmid = false

// long is a trade protection that outlasts the day that limits and reviews look
// back, in seconds.
const long = 30 * 3600

func newPlan(seed uint64, d dice) plan {
	dollars := func(low, high int) pricing.Money { return pricing.Money(d.between(low, high)) * pricing.Dollar }
	p := plan{
		world: marketsim.Config{
			Seed: seed, Now: clock, Catalog: catalog, MovePct: -1,
			Timing: marketsim.Timing{
				TradeCreation: one[time.Duration](d, 4, 10) * time.Second,
				Acceptance:    one[time.Duration](d, 4, 20) * time.Second,
				AcceptTimeout: 30 * time.Second,
				Protection:    one[time.Duration](d, 20, 60, 60, 60, 60, long) * time.Second,
			},
			Balance: int64(one(d, dollars(15, 40), dollars(100, 300))),
		},
		limits: execution.Limits{
			Order: dollars(5, 9), Day: dollars(8, 60), Locked: dollars(6, 40),
			OpenOrders: d.between(1, 6), ItemUnits: d.between(1, 4),
			MinBalance: one(d, 0, dollars(5, 20)),
			Markets: map[pricing.Market]execution.MarketLimits{
				pricing.SIH: {Day: one(d, 0, dollars(6, 20)), Locked: one(d, 0, dollars(6, 20)), OpenOrders: one(d, 0, 2)},
			},
		},
		exec: execution.Config{
			Now:            clock,
			PlaceTimeout:   one[time.Duration](d, 20, 40, 60) * time.Second,
			TrackEvery:     one[time.Duration](d, 10, 16, 30) * time.Second,
			ReconcileEvery: one[time.Duration](d, 20, 60, 120) * time.Second,
			MaxInFlight:    64, // who gets a slot first is up to Go's scheduler
			MaxInDoubt:     one(d, 0, 0, 2),
		},
		feeBps: one(d, 0, 0, 250),
		steps:  d.between(40, 200),
		smooth: one(d, 0, 60, 100),
		refuse: one(d, 0, 10, 40, 90),
		deafen: one(d, 0, 0, 10, 40, 80),
		linger: one(d, 0, 0, 80, 95),
		disk:   one(d, 0, 0, 0, 5, 15),
		kept:   inMemory,
		scarce: one[time.Duration](d, 0, 0, 0, 20, 40) * time.Second,
	}
	if d.chance(60) {
		p.world.Outcomes = marketsim.Outcomes{
			Fail: one(d, 0, 10), Penalize: one(d, 0, 10), Timeout: one(d, 0, 10),
			Rollback: one(d, 0, 10), Reprocess: one(d, 0, 20), SoldOut: one(d, 0, 10, 30),
		}
	}
	// SkinsBack tells nothing of Steam's protection: an item is ours some time
	// after it is over. How often SIH is asked for it depends on the same setting.
	p.exec.Protection = map[pricing.Market]time.Duration{}
	for _, m := range pricing.Markets {
		p.exec.Protection[m] = p.world.Timing.Protection + 20*time.Second
	}
	p.weights = map[string]int{}
	for _, a := range actions {
		p.weights[a.name] = one(d, a.weights...)
	}
	if p.world.Timing.Protection > execution.Day && d.chance(50) {
		p.world.Outcomes.Rollback = 50
	}
	switch n := d.IntN(100); {
	case n < 2:
		p.kept = onDisk
	case n < 3:
		p.kept = onRedis
	}
	if p.kept != inMemory {
		p.weights["take over"], p.weights["take over from a sender"] = 0, 0
	}
	p.parks = map[kind]int{
		journalWrite: 100, purchase: 100,
		journalRead: one(d, 0, 0, 10, 40), orderRead: one(d, 0, 0, 30, 100),
		permit:     one(d, 0, 50),
		marketRead: one(d, 0, 30, 100), answer: one(d, 0, 0, 30, 100),
	}
	return p
}
