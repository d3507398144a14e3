package main

import "strings"

// goal is what the project wants of a figure, and what it must not fall behind.
// Both are ratios to a peer or a limit of the same run where speed is meant,
// since only those say something on any machine.
type goal struct {
	suite, subject, measure string // a subject that ends with * stands for all that begin so
	goal, floor             float64
}

// wholeCatalog is from how many items on a catalog is as long as those that the
// goals are meant for.
const wholeCatalog = 20_000

// goals are by the names of figures.
var goals = []goal{
	{"ingest", "sih, in memory: scanner", "against encoding/json", 10, 7},
	{"ingest", "sih, in memory: scanner", "against finding every quote", 0.45, 0.35},
	// None for a name that is known; a handful for the whole catalog is all.
	{"ingest", "skinsback, in memory: scanner", "allocations", 0.001, 0.01},
	{"ingest", "sih, in memory: scanner", "allocations", 0.001, 0.01},
	{"ingest", "sih → *", "published, against inflating alone", 0.80, 0.60},
	{"ingest", "sih → *", "published, against the first-written stack", 8, 5},

	{"full", "skinsback full=1 → lowest", "speed against inflating alone", 0.85, 0.70},
	{"full", "skinsback full=1 → *", "peak live heap", 32, 48},
	{"memory", "full list of *", "peak live heap", 32, 48},

	{"publish", "publish, delta of 2 % → *", "speed against whole", 10, 5},
	{"publish", "skinsback full=1 → *", "published, against inflating alone", 0.85, 0.70},
	{"publish", "sih: visible → *", "from the body to another's answer, p50", 50, 200},
	{"publish", "skinsback: visible → *", "from the body to another's answer, p50", 50, 200},

	{"lookup", "GET /v1/prices", "requests against bare fasthttp", 0.88, 0.80},
	{"lookup", "GET /v1/prices, wrk", "requests against bare fasthttp", 0.88, 0.80},
	{"lookup", "GET /v1/prices", "requests against webdis", 2.5, 2},
	{"lookup", "GET /v1/prices, wrk", "requests against webdis", 2.5, 2},
	{"lookup", "GET /v1/prices", "requests against Fiber with a Redis HGET", 2.2, 1.8},
	{"lookup", "GET /v1/prices, wrk", "requests against Fiber with a Redis HGET", 2.2, 1.8},
	// At most 1.15 and 1.5 times its p99, the other way up.
	{"lookup", "GET /v1/prices at 5000/s", "p99 of bare fasthttp against ours", 1 / 1.15, 1 / 1.5},
	{"lookup", "GET /v1/prices, 2 % change a second", "requests against no change", 0.95, 0.90},
	{"lookup", "GET /v1/prices, 2 % change a second, wrk", "requests against no change", 0.95, 0.90},
	{"lookup", "POST /v1/prices, 100 names", "names against single look-ups", 25, 18},

	{"strategy", "Engine.Update, all items", "speed against normalise + map + decimal", 300, 100},
	{"strategy", "Engine.Update, what changed in a tick", "speed against all items", 30, 10},
}

func (g goal) isOf(suite, subject, measure string) bool {
	beginning, all := strings.CutSuffix(g.subject, "*")
	return g.suite == suite && g.measure == measure && (subject == g.subject || all && strings.HasPrefix(subject, beginning))
}

// goalOf gives the goal of a figure, or nil.
func goalOf(suite, subject, measure string) *Goal {
	for _, g := range goals {
		if g.isOf(suite, subject, measure) {
			return &Goal{Goal: g.goal, Floor: g.floor}
		}
	}
	return nil
}

// Goal is a figure's goal with what came of it.
type Goal struct {
	Goal    float64 `json:"goal"`
	Floor   float64 `json:"floor"`
	Verdict string  `json:"verdict"` // one of the verdicts below
}

// Verdicts on a goal.
const (
	reached    = "reached"
	aboveFloor = "above the floor" // on the better side of it
	belowFloor = "below the floor"
)

// judge sets the verdict on a figure's median.
func (g *Goal) judge(median float64, better string) {
	atLeast := func(limit float64) bool {
		if better == lower {
			return median <= limit
		}
		return median >= limit
	}
	switch {
	case atLeast(g.Goal):
		g.Verdict = reached
	case atLeast(g.Floor):
		g.Verdict = aboveFloor
	default:
		g.Verdict = belowFloor
	}
}
