package main

import (
	_ "embed"
	"html/template"
	"io"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// chart is one measure of a suite with a bar for each subject.
type chart struct {
	Measure, Unit, Better string
	Bars                  []bar
	Height                int
}

// bar is drawn from Left; positions are in the units of the drawing.
type bar struct {
	Label, Text string
	Y           int
	Width       float64 // to the median
	Low, High   float64 // the whisker's ends
}

// Sizes of the drawing, whose width is 900.
const (
	barLeft  = 320
	barSpace = 400
	barStep  = 26
)

type pageSuite struct {
	*Suite
	Charts []*chart
}

// writePage writes a report as one page that needs nothing else.
func writePage(w io.Writer, r *Report) error {
	data := struct {
		*Report
		Plots []pageSuite
		Left  int
	}{Report: r, Left: barLeft}
	for _, s := range r.Suites {
		data.Plots = append(data.Plots, pageSuite{s, charts(s)})
	}
	return pageTemplate.Execute(w, data)
}

// charts groups a suite's figures by what can be compared, each on a scale of
// its own that begins at zero.
func charts(s *Suite) []*chart {
	var out []*chart
	by := map[[2]string]*chart{}
	most := map[*chart]float64{}
	for _, f := range s.Figures {
		key := [2]string{f.Measure, f.Unit}
		c := by[key]
		if c == nil {
			c = &chart{Measure: f.Measure, Unit: f.Unit, Better: f.Better}
			by[key] = c
			out = append(out, c)
		}
		most[c] = max(most[c], f.Max)
		c.Bars = append(c.Bars, bar{
			Label: f.Subject, Text: short(f.Median), Y: len(c.Bars) * barStep,
			Width: f.Median, Low: f.Min, High: f.Max,
		})
	}
	for _, c := range out {
		c.Height = len(c.Bars) * barStep
		scale := 0.0
		if most[c] > 0 {
			scale = barSpace / most[c]
		}
		for i := range c.Bars {
			b := &c.Bars[i]
			b.Width, b.Low, b.High = b.Width*scale, barLeft+b.Low*scale, barLeft+b.High*scale
		}
	}
	return out
}
