package main

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strings"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"short": short, "chance": chance, "signed": signed,
	"class": func(verdict string) string { return strings.ReplaceAll(verdict, " ", "-") },
}).Parse(pageText))

// Sizes of the drawings, whose width is 900.
const (
	barLeft  = 330 // where bars begin
	barSpace = 430 // of the longest
	textLeft = 772 // where their figures begin
	barStep  = 26
	tallStep = 38 // of bars with two lines of text
)

// page is what page.html draws: a report, with every position worked out.
type page struct {
	*Report
	Goals   []goalBar
	Changes []changeBar // better and worse only, the largest first
	Times   []timePlot
	Plots   []pageSuite

	GoalLine float64 // where the goals' bars reach their goal
	Middle   float64 // where the changes' bars begin

	GoalsHeight, ChangesHeight int
	Left, TextLeft             int
}

type pageSuite struct {
	*Suite
	Charts []*chart
}

// chart is one measure of a suite with a bar for each subject.
type chart struct {
	Measure, Unit, Better string
	Bars                  []bar
	Height                int
	One                   float64 // where a ratio is 1; 0 elsewhere
}

// bar is a median with its spread; positions are in the units of the drawing.
type bar struct {
	Label, Text, Title string
	Y                  int
	Width              float64 // to the median
	Low, High          float64 // of all rounds
	Q1, Half           float64 // where half of them begins, and how wide it is
	Goal, Floor        float64 // 0: there is none
	Verdict            string  // on the goal
}

// goalBar is how much of a goal was reached.
type goalBar struct {
	judgedFigure
	Y            int
	Width, Floor float64
}

// changeBar is a change that counts.
type changeBar struct {
	*Change
	Y    int
	X, W float64
	Text string
}

// timePlot is one quantity of a soak over time.
type timePlot struct {
	Trend
	Points     string // of the line
	Fit        string // of the trend's line
	Top, Span  string // what the axes end with
	Beyond     string // what lies above the top; empty: nothing
	FromX      float64
	Width, Low int
}

// writePage writes a report as one page that needs nothing else.
func writePage(w io.Writer, r *Report) error {
	p := page{
		Report: r, Goals: goalBars(r), Left: barLeft, TextLeft: textLeft,
		GoalLine: barLeft + barSpace/goalRoom, Middle: barLeft + barSpace/2,
	}
	if r.Comparison != nil {
		p.Changes = changeBars(r.Comparison)
	}
	p.GoalsHeight, p.ChangesHeight = len(p.Goals)*tallStep, len(p.Changes)*tallStep
	if r.Soak != nil {
		p.Times = timePlots(r.Soak)
	}
	for _, s := range r.Suites {
		p.Plots = append(p.Plots, pageSuite{s, charts(s)})
	}
	return pageTemplate.Execute(w, p)
}

// charts groups a suite's figures by what can be compared, each on a scale of
// its own that begins at zero.
func charts(s *Suite) []*chart {
	var out []*chart
	by := map[[2]string]*chart{}
	figures := map[*chart][]*Figure{}
	for _, f := range s.Figures {
		key := [2]string{f.Measure, f.Unit}
		c := by[key]
		if c == nil {
			c = &chart{Measure: f.Measure, Unit: f.Unit, Better: f.Better}
			by[key] = c
			out = append(out, c)
		}
		figures[c] = append(figures[c], f)
	}
	for _, c := range out {
		c.draw(figures[c])
	}
	return out
}

func (c *chart) draw(figures []*Figure) {
	most := 0.0
	for _, f := range figures {
		most = max(most, f.Max)
		if f.Goal != nil {
			most = max(most, f.Goal.Goal, f.Goal.Floor)
		}
	}
	if c.Unit == "x" {
		most = max(most, 1)
	}
	if most == 0 {
		most = 1
	}
	at := func(v float64) float64 { return barLeft + barSpace*v/most }
	if c.Unit == "x" {
		c.One = at(1)
	}
	c.Height = len(figures)*barStep + 4
	for i, f := range figures {
		b := bar{
			Label: f.Subject, Text: short(f.Median), Y: i * barStep, Width: at(f.Median) - barLeft,
			Low: at(f.Min), High: at(f.Max), Q1: at(f.Q1), Half: at(f.Q3) - at(f.Q1),
			Title: fmt.Sprintf("%s: median %s %s, half of %d rounds from %s to %s, all from %s to %s", f.Subject, short(f.Median), f.Unit, f.Rounds, short(f.Q1), short(f.Q3), short(f.Min), short(f.Max)),
		}
		if f.Goal != nil {
			b.Goal, b.Floor, b.Verdict = at(f.Goal.Goal), at(f.Goal.Floor), f.Goal.Verdict
		}
		c.Bars = append(c.Bars, b)
	}
}

// goalRoom is how many times a goal the bars of goals have room for.
const goalRoom = 1.6

func goalBars(r *Report) (bars []goalBar) {
	for i, f := range r.judged() {
		share, floor := f.Median/f.Goal.Goal, f.Goal.Floor/f.Goal.Goal
		if f.Better == lower { // half of what is allowed is twice as good
			share, floor = f.Goal.Goal/f.Median, f.Goal.Goal/f.Goal.Floor
		}
		bars = append(bars, goalBar{
			judgedFigure: f, Y: i * tallStep,
			Width: barSpace * min(goalRoom, share) / goalRoom, Floor: barLeft + barSpace*floor/goalRoom,
		})
	}
	return bars
}

// changeBars draws what got better or worse by how many times, so that half and
// double are equally far from the middle; the scale ends at eight times.
func changeBars(c *Comparison) (bars []changeBar) {
	for _, ch := range c.Figures {
		if ch.Verdict == gotBetter || ch.Verdict == gotWorse {
			bars = append(bars, changeBar{Change: ch, Text: fmt.Sprintf("%+.1f %%", ch.Percent)})
		}
	}
	length := func(ch *Change) float64 {
		if ch.Old <= 0 || ch.New <= 0 {
			return math.Copysign(1, ch.New-ch.Old)
		}
		return max(-1, min(1, math.Log2(ch.New/ch.Old)/3))
	}
	slices.SortStableFunc(bars, func(a, b changeBar) int {
		switch da, db := math.Abs(length(a.Change)), math.Abs(length(b.Change)); {
		case da > db:
			return -1
		case da < db:
			return 1
		}
		return 0
	})
	for i := range bars {
		b := &bars[i]
		w := length(b.Change) * barSpace / 2
		b.Y, b.X, b.W = i*tallStep, barLeft+barSpace/2+min(0, w), math.Abs(w)
	}
	return bars
}

// Size of a plot over time.
const (
	timeWidth  = 780
	timeHeight = 150
)

func timePlots(s *Soak) (plots []timePlot) {
	if len(s.Samples) == 0 {
		return nil
	}
	last := s.Samples[len(s.Samples)-1].Seconds
	for i, m := range soakMeasures {
		if i >= len(s.Trends) {
			break
		}
		trend := s.Trends[i]
		var values []float64
		for _, sample := range s.Samples {
			values = append(values, m.of(sample))
		}
		slices.Sort(values)
		highest, beyond := values[len(values)-1], ""
		most := max(trend.First, trend.Last, highest)
		if usual := quantile(values, 0.95); usual > 0 && most > 5*usual { // else a single peak flattens all the rest
			most, beyond = 2*usual, fmt.Sprintf("cut off at %s, highest %s", short(2*usual), short(highest))
		}
		if most <= 0 {
			most = 1
		}
		x := func(v float64) float64 { return timeWidth * v / last }
		y := func(v float64) float64 { return timeHeight * (1 - min(1, v/most)) }
		var points strings.Builder
		for _, sample := range s.Samples {
			fmt.Fprintf(&points, "%.1f,%.1f ", x(sample.Seconds), y(m.of(sample)))
		}
		plots = append(plots, timePlot{
			Trend: trend, Points: points.String(), FromX: x(s.From),
			Fit: fmt.Sprintf("%.1f,%.1f %.1f,%.1f", x(s.From), y(trend.First), x(last), y(trend.Last)),
			Top: short(most), Span: clockTime(seconds(last)), Beyond: beyond,
			Width: timeWidth, Low: timeHeight,
		})
	}
	return plots
}
