package main

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"skinarb/pricing"
)

func TestScaleSizes(t *testing.T) {
	for items, want := range map[int][]int{
		0: {1000, 10_000, 100_000, 1_000_000}, 300: {1, 3, 30, 300}, 5: {1, 5}, 1: {1}, 20_000: {20, 200, 2000, 20_000},
	} {
		if got := scaleSizes(items); !slices.Equal(got, want) {
			t.Errorf("scaleSizes(%d): got %v, want %v", items, got, want)
		}
	}
}

// A quantity that is a power of the size is recognised as that power, whatever
// the order of the sizes and whatever the smallest one costs.
func TestGrowthIsThePower(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		power := rapid.Float64Range(-1, 3).Draw(t, "power")
		factor := rapid.Float64Range(1e-9, 1e3).Draw(t, "factor")
		sizes := rapid.Permutation([]int{10, 100, 1000, 10_000}).Draw(t, "sizes")
		g := grown{name: "x"}
		for _, n := range sizes {
			total := factor * math.Pow(float64(n), power)
			if n == 10 {
				total *= 1000
			}
			g.add(n, total)
		}
		got, ok := g.fit()
		if !ok || math.Abs(got-power) > 1e-6 {
			t.Fatalf("got %g, %t, want %g", got, ok, power)
		}
		if _, ok := g.fit(); ok {
			t.Fatal("the next round has the values of this one")
		}
	})
}

func TestGrowthNeedsThreeSizes(t *testing.T) {
	g := grown{name: "x"}
	g.add(10, 1)
	g.add(100, 10)
	g.add(1000, 0) // was not measured
	if got, ok := g.fit(); ok {
		t.Errorf("got %g of two sizes, want none", got)
	}
}

func TestKindOfGrowth(t *testing.T) {
	for exponent, want := range map[float64]string{0: "less than linear", 0.89: "less than linear", 0.9: "linear", 1: "linear", 1.1: "linear", 1.2: "more than linear"} {
		if got := kind(exponent); got != want {
			t.Errorf("kind(%g): got %s, want %s", exponent, got, want)
		}
	}
}

// What is pulled from a shelf is what its catalog says.
func TestShelfServesItsCatalog(t *testing.T) {
	s, err := newShelf(500)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	pull, err := s.client.Pull(t.Context(), game)
	if err != nil {
		t.Fatal(err)
	}
	want := s.catalog(pricing.SkinsBack).Listings
	if len(pull.Listings) != len(want) {
		t.Fatalf("got %d listings, want %d", len(pull.Listings), len(want))
	}
	for i, l := range pull.Listings {
		if w := want[i]; l.Item != w.Item || l.Ask != w.Ask || l.Count != w.Count {
			t.Fatalf("listing %d: got %+v, want %+v", i, l, w)
		}
	}
	if got := s.book().Len(); got != 500 {
		t.Errorf("got a book of %d items, want 500", got)
	}
}

// Processes on one Redis, at their smallest: needs a redis-server and a checkout.
func TestProcessesFollowWhatIsPublished(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds and starts programs")
	}
	if _, err := findProgram("redis-server"); err != nil {
		t.Skip(err)
	}
	s := testSession(t, "--items", "300", "--rounds", "1", "--for", "80ms")
	f, err := openFleet(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	first := f.inForce.Version
	for _, n := range []int{1, 2} {
		if err := f.measure(t.Context(), n); err != nil {
			t.Fatal(err)
		}
		sp := f.last[n]
		if sp.lookups <= 0 || sp.perCore <= 0 || sp.redisBytes <= 0 || sp.memory <= 0 {
			t.Errorf("%d processes: got %+v, want all above 0", n, sp)
		}
	}
	if got, want := f.inForce.Version, first+2*changesSeen; got != want {
		t.Errorf("got version %d in force, want %d", got, want)
	}
}
