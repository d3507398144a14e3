package fetch

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
)

// durations remembers how long the last pulls took.
type durations struct {
	last [64]time.Duration
	n    int // pulls so far
}

func (d *durations) add(took time.Duration) {
	d.last[d.n%len(d.last)] = took
	d.n++
}

// percentile gives the smallest duration that p percent of the pulls did not
// exceed, 0 when there was none.
func (d *durations) percentile(p int) time.Duration {
	known := slices.Clone(d.last[:min(d.n, len(d.last))])
	if len(known) == 0 {
		return 0
	}
	slices.Sort(known)
	return known[(len(known)*p+99)/100-1]
}

// address finds URLs. Their paths and queries may carry a signature or a key.
var address = regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*://)(?:[^\s/@"]*@)?([^\s/?#"]*)[^\s"]*`)

// maxError bounds an error's text in bytes.
const maxError = 200

// shortError gives an error as one short line that may be shown to anybody.
func shortError(err error) string {
	s := address.ReplaceAllString(strings.ToValidUTF8(err.Error(), "?"), "$1$2")
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
	if len(s) > maxError {
		s = strings.ToValidUTF8(s[:maxError], "") + "…"
	}
	return s
}
