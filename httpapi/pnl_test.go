package httpapi

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"skinarb/strategy"
)

// TestPnLPractice asserts what is null when: an operator must be able to tell
// "nothing is known" from "nothing was filled".
func TestPnLPractice(t *testing.T) {
	for name, tt := range map[string]struct {
		practice Practice
		paper    string
		decay    string
	}{
		"live, nothing watched": {
			Practice{},
			`null`,
			`{"since":null,"horizons":[]}`,
		},
		"no paper order yet": {
			Practice{Paper: &PaperFills{}, Since: now},
			`{"placed":0,"filled":0,"gone":0,"would_have_filled_bps":null}`,
			`{"since":"2026-11-22T12:00:00.000Z","horizons":[]}`,
		},
		"none decided": {
			Practice{Paper: &PaperFills{Placed: 2}, Since: now},
			`{"placed":2,"filled":0,"gone":0,"would_have_filled_bps":null}`,
			`{"since":"2026-11-22T12:00:00.000Z","horizons":[]}`,
		},
		"none filled": {
			Practice{Paper: &PaperFills{Placed: 2, Gone: 1}},
			`{"placed":2,"filled":0,"gone":1,"would_have_filled_bps":0}`,
			`{"since":null,"horizons":[]}`,
		},
		"the rate is rounded down": {
			Practice{Paper: &PaperFills{Placed: 4, Filled: 2, Gone: 1}},
			`{"placed":4,"filled":2,"gone":1,"would_have_filled_bps":6666}`,
			`{"since":null,"horizons":[]}`,
		},
		"an edge that went, and a horizon without any": {
			Practice{Since: now, Decay: []strategy.Horizon{{After: "1m", Observed: 1, FirstBps: 900}, {After: "5m"}}},
			`null`,
			`{"since":"2026-11-22T12:00:00.000Z","horizons":[` +
				`{"after":"1m","observed":1,"still":0,"edge_bps_at_first":900,"edge_bps_then":0},` +
				`{"after":"5m","observed":0,"still":0,"edge_bps_at_first":null,"edge_bps_then":null}]}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			w.trading.practice = tt.practice
			got := ask(t, New(w.cfg), request("GET", "/v1/pnl", ""))
			var answer struct {
				Paper json.RawMessage `json:"paper"`
				Decay json.RawMessage `json:"edge_decay"`
			}
			if err := json.Unmarshal([]byte(got.body), &answer); err != nil {
				t.Fatalf("got %d %s: %v", got.status, got.body, err)
			}
			if diff := cmp.Diff(tt.paper, string(answer.Paper)); diff != "" {
				t.Errorf("paper (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.decay, string(answer.Decay)); diff != "" {
				t.Errorf("edge_decay (-want +got):\n%s", diff)
			}
		})
	}
}
