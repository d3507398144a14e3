package main

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestQuantile(t *testing.T) {
	tests := []struct {
		values []float64
		q      float64
		want   float64
	}{
		{[]float64{7}, 0.25, 7},
		{[]float64{1, 2, 3, 4}, 0, 1},
		{[]float64{1, 2, 3, 4}, 0.5, 2.5},
		{[]float64{1, 2, 3, 4, 5}, 0.25, 2},
		{[]float64{1, 2, 3, 4}, 0.75, 3.25},
		{[]float64{1, 2, 3, 4}, 1, 4},
	}
	for _, tt := range tests {
		if got := quantile(tt.values, tt.q); got != tt.want {
			t.Errorf("quantile(%v, %g): got %g, want %g", tt.values, tt.q, got, tt.want)
		}
	}
}

// The probabilities are those of published tables and of counting by hand.
func TestMannWhitney(t *testing.T) {
	tests := []struct {
		name string
		a, b []float64
		want float64
	}{
		{"nothing on one side", nil, []float64{1, 2}, 1},
		{"one each", []float64{1}, []float64{2}, 1},
		{"three wholly below three", []float64{1, 2, 3}, []float64{4, 5, 6}, 2.0 / 20},
		{"four wholly above four", []float64{5, 6, 7, 8}, []float64{1, 2, 3, 4}, 2.0 / 70},
		{"five wholly below five", []float64{1, 2, 3, 4, 5}, []float64{6, 7, 8, 9, 10}, 2.0 / 252},
		{"five below five but for one pair", []float64{1, 2, 3, 4, 6}, []float64{5, 7, 8, 9, 10}, 4.0 / 252},
		{"all the same", []float64{3, 3, 3}, []float64{3, 3, 3, 3}, 1},
		{"ties across the sides", []float64{1, 2}, []float64{2, 3}, 4.0 / 6},
		{"an outlier decides nothing", []float64{1, 2, 3, 1e9}, []float64{1.5, 2.5, 3.5, 4.5}, 62.0 / 70},
	}
	for _, tt := range tests {
		if got := mannWhitney(tt.a, tt.b); math.Abs(got-tt.want) > 1e-12 {
			t.Errorf("%s: mannWhitney(%v, %v): got %.6f, want %.6f", tt.name, tt.a, tt.b, got, tt.want)
		}
	}
}

func samples(least, most int) *rapid.Generator[[]float64] {
	return rapid.SliceOfN(rapid.Map(rapid.IntRange(-20, 20), func(n int) float64 { return float64(n) / 2 }), least, most)
}

func TestMannWhitneyProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := samples(1, 9).Draw(t, "a"), samples(1, 9).Draw(t, "b")
		p := mannWhitney(a, b)
		if p <= 0 || p > 1 {
			t.Fatalf("got %g, want a probability above 0", p)
		}
		if other := mannWhitney(b, a); math.Abs(p-other) > 1e-12 {
			t.Errorf("the sides swapped: got %g, want %g", other, p)
		}
		if same := mannWhitney(a, a); same != 1 {
			t.Errorf("a sample beside itself: got %g, want 1", same)
		}
		scaled := func(values []float64) []float64 {
			out := slices.Clone(values)
			for i, v := range out {
				out[i] = math.Exp(v) // grows with v, and is no straight line
			}
			return out
		}
		if other := mannWhitney(scaled(a), scaled(b)); math.Abs(p-other) > 1e-12 {
			t.Errorf("on another scale: got %g, want %g: only ranks count", other, p)
		}
	})
}

// Moved wholly apart, two samples without ties are as far apart as they can be.
func TestMannWhitneyOfSamplesApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		whole := rapid.Map(rapid.IntRange(-100, 100), func(n int) float64 { return float64(n) })
		all := rapid.SliceOfNDistinct(whole, 2, 12, rapid.ID[float64]).Draw(t, "values")
		cut := rapid.IntRange(1, len(all)-1).Draw(t, "cut")
		a, b := all[:cut], slices.Clone(all[cut:])
		p := mannWhitney(a, b)
		for i := range b {
			b[i] += 1000
		}
		if got := mannWhitney(a, b); got > p+1e-12 || math.Abs(got-leastP(len(a), len(b))) > 1e-12 {
			t.Errorf("%v and %v: got %g, want the least there is and at most %g", a, b, got, p)
		}
	})
}

// Counting and the normal distribution must agree where one gives way to the
// other.
func TestMannWhitneyIsSmooth(t *testing.T) {
	for shift := range 12 {
		var a, b []float64
		for i := range exactUpTo / 2 {
			a = append(a, float64(2*i))
			b = append(b, float64(2*i+1+2*shift))
		}
		exact := mannWhitney(a, b)
		close := mannWhitney(append(a, 19.5), append(b, 20.5+float64(2*shift)))
		if math.Abs(exact-close) > 0.05 {
			t.Errorf("shifted by %d: got %g with %d values and %g with two more, want about the same", shift, exact, exactUpTo, close)
		}
	}
}

// Rounds of one and the same thing seem to differ as rarely as was promised.
func TestMannWhitneyFalseAlarms(t *testing.T) {
	const of = 2000
	alarms := 0
	random := newNoise(1)
	for range of {
		a, b := random.values(7), random.values(7)
		if mannWhitney(a, b) < maxChance {
			alarms++
		}
	}
	if share := float64(alarms) / of; share > maxChance+0.01 || share == 0 {
		t.Errorf("got %d false alarms of %d, want at most %g and some", alarms, of, maxChance)
	}
}

func TestLeastP(t *testing.T) {
	for n := 1; n < 8; n++ {
		for m := 1; m < 8; m++ {
			var a, b []float64
			for i := range n {
				a = append(a, float64(i))
			}
			for i := range m {
				b = append(b, float64(100+i))
			}
			if got, want := leastP(n, m), mannWhitney(a, b); math.Abs(got-want) > 1e-12 {
				t.Errorf("%d and %d values: got %g, want %g", n, m, got, want)
			}
		}
	}
}

func TestFitLine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := line{float64(rapid.IntRange(-50, 50).Draw(t, "at 0")), float64(rapid.IntRange(-50, 50).Draw(t, "slope"))}
		n := rapid.IntRange(5, 40).Draw(t, "points")
		xs, ys := make([]float64, n), make([]float64, n)
		for i := range n {
			xs[i], ys[i] = float64(i), want.at(float64(i))
		}
		wild := rapid.IntRange(0, n-1).Draw(t, "wild point")
		ys[wild] = 1e6
		if got := fitLine(xs, ys); math.Abs(got.Slope-want.Slope) > 1e-9 || math.Abs(got.At0-want.At0) > 1e-9 {
			t.Errorf("%d points, number %d wild: got %+v, want %+v", n, wild, got, want)
		}
	})
	if got := fitLine([]float64{3, 3}, []float64{1, 5}); got.Slope != 0 || got.At0 != 3 {
		t.Errorf("two points above each other: got %+v, want flat in their middle", got)
	}
	if got := fitLine(nil, nil); got != (line{}) {
		t.Errorf("no points: got %+v, want nothing", got)
	}
}
