package marketsim

import "math"

// Everything that looks random here is a hash of the seed and of what is being
// decided. No state is kept between draws, so the order in which things are
// looked at does not matter.

// topic keeps draws about different things independent of each other.
type topic uint64

const (
	aboutPrice topic = iota + 1
	aboutWander
	aboutStock
	aboutShelf
	aboutLot
	aboutRounding
	aboutPace
	aboutOutlier
	aboutRecord
	aboutBare
	aboutSpelling
	aboutOutcome
	aboutSoldOut
	aboutOffer
	aboutWallet
	aboutFault
	aboutNames
	aboutSteam
)

// roll mixes a seed, a topic and any number of keys into 64 even bits.
func roll(seed uint64, about topic, keys ...uint64) uint64 {
	h := mix(seed ^ uint64(about)*0x9e3779b97f4a7c15)
	for _, k := range keys {
		h = mix(h ^ k)
	}
	return h
}

// mix is the finalizer of SplitMix64 after one step of its sequence.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// hashName is FNV-1a: the key of an item in every draw about it.
func hashName(s string) uint64 {
	h := uint64(0xcbf29ce484222325)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 0x100000001b3
	}
	return h
}

// below turns a draw into a number in [0, n).
func below(draw uint64, n int) int { return int(draw >> 11 % uint64(n)) }

// hits reports whether a draw falls into the given percentage.
func hits(draw uint64, percent int) bool { return below(draw, 100) < percent }

// normal turns a draw into a nearly normal deviate with mean 0 and standard
// deviation 1, at most 3.5 either way: the sum of the draw's four 16-bit lanes.
func normal(draw uint64) float64 {
	sum := draw&0xffff + draw>>16&0xffff + draw>>32&0xffff + draw>>48
	return (float64(sum)/0xffff - 2) * math.Sqrt(3)
}

// wander is a smooth random path through whole steps, about as wide as normal:
// a slow swell with a faster ripple on it. It stays bounded for ever, unlike a
// random walk, and any step can be had without the ones before it.
func wander(seed, key uint64, step int64) float64 {
	return 0.85*path(seed, key, step, 12) + 0.45*path(seed, key+1, step, 3)
}

// path draws a deviate every wavelength steps and a straight line in between.
func path(seed, key uint64, step, wavelength int64) float64 {
	i, part := step/wavelength, float64(step%wavelength)/float64(wavelength)
	from := normal(roll(seed, aboutWander, key, uint64(i)))
	to := normal(roll(seed, aboutWander, key, uint64(i+1)))
	return from + (to-from)*part
}

// ratio is e^z in millionths.
func ratio(z float64) int64 { return int64(math.Exp(z) * million) }
