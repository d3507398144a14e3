package main

import (
	"math"
	"slices"
)

// quantile gives the value below which a share q, 0 to 1, of the values lies,
// straight between the two nearest ones. The values are ascending and not none.
func quantile(ascending []float64, q float64) float64 {
	at := q * float64(len(ascending)-1)
	low := int(at)
	high := min(low+1, len(ascending)-1)
	return ascending[low] + (at-float64(low))*(ascending[high]-ascending[low])
}

// median gives the middle of values in any order; of none it is 0.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	return quantile(slices.Sorted(slices.Values(values)), 0.5)
}

// exactUpTo is how many values, of both sides together, mannWhitney counts
// arrangements for. Beyond it the normal distribution is as good.
const exactUpTo = 40

// mannWhitney gives the probability that two samples of one and the same thing
// lie at least as far apart as these do, in either direction (Mann and Whitney,
// 1947). It looks at ranks only, so a single outlier cannot decide. Equal values
// share their mean rank. It is 1 when a side has no values.
func mannWhitney(a, b []float64) float64 {
	if len(a) == 0 || len(b) == 0 {
		return 1
	}
	ranks, ties := doubledRanks(a, b)
	sum := 0
	for _, r := range ranks[:len(a)] {
		sum += r
	}
	// The mean of the doubled rank sum is a whole number, whatever the ties.
	off := sum - len(a)*(len(ranks)+1)
	if off < 0 {
		off = -off
	}
	if len(ranks) <= exactUpTo {
		return exactTail(ranks, len(a), off)
	}
	n, m, all := float64(len(a)), float64(len(b)), float64(len(ranks))
	variance := n * m / 12 * (all + 1 - ties/(all*(all-1))) // of the rank sum, not doubled
	if variance <= 0 {
		return 1
	}
	z := max(0, float64(off)/2-0.5) / math.Sqrt(variance)
	return math.Erfc(z / math.Sqrt2)
}

// doubledRanks gives twice the rank of each value among all, a's first, and the
// sum of t³-t over all groups of t equal ones. Doubling keeps mean ranks whole.
func doubledRanks(a, b []float64) (ranks []int, ties float64) {
	all := slices.Concat(a, b)
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		switch {
		case all[i] < all[j]:
			return -1
		case all[i] > all[j]:
			return 1
		}
		return 0
	})
	ranks = make([]int, len(all))
	for from := 0; from < len(order); {
		to := from + 1
		for to < len(order) && all[order[to]] == all[order[from]] {
			to++
		}
		for _, i := range order[from:to] {
			ranks[i] = from + 1 + to // the mean of from+1 .. to, twice
		}
		t := float64(to - from)
		ties += t*t*t - t
		from = to
	}
	return ranks, ties
}

// exactTail counts, of all ways to choose n of the ranks, those whose sum is off
// the mean by as much or more.
func exactTail(ranks []int, n, off int) float64 {
	total := 0
	for _, r := range ranks {
		total += r
	}
	ways := make([][]float64, n+1) // by how many were chosen, by their sum
	for k := range ways {
		ways[k] = make([]float64, total+1)
	}
	ways[0][0] = 1
	for _, r := range ranks {
		for k := n; k > 0; k-- {
			for sum := total; sum >= r; sum-- {
				ways[k][sum] += ways[k-1][sum-r]
			}
		}
	}
	mean, far, all := n*(len(ranks)+1), 0.0, 0.0
	for sum, w := range ways[n] {
		all += w
		if sum-mean >= off || mean-sum >= off {
			far += w
		}
	}
	return far / all
}

// leastP is the least probability that mannWhitney can give for samples of these
// sizes without ties: that of the two arrangements in which one lies wholly above
// the other.
func leastP(n, m int) float64 {
	ways := 1.0 // n+m choose n
	for i := 1; i <= n; i++ {
		ways *= float64(m+i) / float64(i)
	}
	return min(1, 2/ways)
}

// line is y = At0 + Slope*x.
type line struct{ At0, Slope float64 }

func (l line) at(x float64) float64 { return l.At0 + l.Slope*x }

// fitLine gives the line whose slope is the median of the slopes between all
// pairs of points (Theil and Sen): up to a quarter of the points may be wild
// without bending it. With fewer than two different x it is flat.
func fitLine(xs, ys []float64) line {
	var slopes []float64
	for i := range xs {
		for j := range i {
			if xs[i] != xs[j] {
				slopes = append(slopes, (ys[i]-ys[j])/(xs[i]-xs[j]))
			}
		}
	}
	l := line{Slope: median(slopes)}
	rest := make([]float64, len(ys))
	for i := range ys {
		rest[i] = ys[i] - l.Slope*xs[i]
	}
	l.At0 = median(rest)
	return l
}
