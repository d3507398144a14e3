package marketsim

import (
	"maps"
	"time"
)

// traffic counts a market's requests and, on SkinsBack, limits them.
type traffic struct {
	by      map[string]int // requests by method
	recent  []time.Time    // of the last minute, oldest first
	most    int            // the longest recent has been
	blocked time.Time      // refused until then
}

// note counts one request. Every request counts, answered or not.
func (t *traffic) note(method string, now time.Time) {
	if t.by == nil {
		t.by = map[string]int{}
	}
	t.by[method]++
	for len(t.recent) > 0 && now.Sub(t.recent[0]) >= time.Minute {
		t.recent = t.recent[1:]
	}
	t.recent = append(t.recent, now)
	t.most = max(t.most, len(t.recent))
}

// admit reports whether the request just noted is within the limit. One too
// many starts a block; asking while blocked does not prolong it, but still
// counts for what comes after.
func (t *traffic) admit(limit int, block time.Duration, now time.Time) bool {
	if now.Before(t.blocked) {
		return false
	}
	if len(t.recent) > limit {
		t.blocked = now.Add(block)
		return false
	}
	return true
}

func (t *traffic) counts() map[string]int { return maps.Clone(t.by) }
