package selling

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"skinarb/pricing"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// TestMoves holds every state and event against the table that a person can
// read; what is not in it is refused.
func TestMoves(t *testing.T) {
	want := map[string]string{
		"listing": "unsent→unsent refuse→refused silence→in_doubt listed→listed sold→sold returned→returned",

		"in_doubt":    "withdraw→withdrawing missed→gone listed→listed sold→sold returned→returned",
		"listed":      "withdraw→withdrawing missed→gone listed→listed sold→sold returned→returned",
		"withdrawing": "withdraw→withdrawing taken→withdrawn missed→gone listed→withdrawing sold→sold returned→returned",
		"gone":        "withdraw→withdrawing listed→listed sold→sold returned→returned vanished→vanished",
		"sold":        "sold→sold",
		"withdrawn":   "sold→sold",
		"returned":    "sold→sold returned→returned",
		"refused":     "",
		"unsent":      "",
		"vanished":    "sold→sold",
	}
	if len(want) != len(States) {
		t.Errorf("the table has %d states, want %d", len(want), len(States))
	}
	for _, s := range States {
		var got []string
		for _, e := range Events {
			if to, err := s.Next(e); err == nil {
				got = append(got, fmt.Sprintf("%s→%s", e, to))
			} else if to != s {
				t.Errorf("%s refuses %s and gives %s", s, e, to)
			}
		}
		if got := strings.Join(got, " "); got != want[string(s)] {
			t.Errorf("%s: got %q, want %q", s, got, want[string(s)])
		}
	}
}

// TestNothingEndedOpensAgain: goods of a listing that has ended may be on sale
// under another one.
func TestNothingEndedOpensAgain(t *testing.T) {
	for _, s := range States {
		for _, e := range Events {
			if to, err := s.Next(e); err == nil && !s.Open() && to.Open() {
				t.Errorf("%s becomes %s by %s", s, to, e)
			}
		}
	}
}

func TestListingIDs(t *testing.T) {
	form := regexp.MustCompile(`^[a-z0-9-]{1,36}$`)
	seen := map[ListingID]string{}
	for _, holder := range []string{"sa-1", "sa-2", "sa-1\x001", strings.Repeat("x", 200)} {
		for _, m := range pricing.Markets {
			for round := 1; round <= 20; round++ {
				id := NewListing(Offer{Holder: holder, Market: m}, round, start).ID
				what := fmt.Sprintf("%q on %s, round %d", holder, m, round)
				if before, ok := seen[id]; ok {
					t.Errorf("%s has the ID of %s", what, before)
				}
				if !form.MatchString(string(id)) {
					t.Errorf("%s: got ID %q, want one that both markets take", what, id)
				}
				seen[id] = what
			}
		}
	}
	again := NewListing(Offer{Holder: "sa-1", Market: pricing.SIH, Price: 5}, 1, start.Add(time.Hour))
	if first := NewListing(Offer{Holder: "sa-1", Market: pricing.SIH}, 1, start); again.ID != first.ID {
		t.Errorf("the same round has IDs %s and %s, want one", first.ID, again.ID)
	}
}

// TestApply: whatever a market says, in whatever order, a listing stays what it
// was for, its first money stays, and nothing that has ended opens again.
func TestApply(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := NewListing(Offer{Holder: "sa-1", Market: pricing.SIH, Goods: "1", Price: 10, Floor: 9}, 1, start)
		at := start
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			at = at.Add(time.Second)
			before := l
			if rapid.Bool().Draw(t, "a word") {
				w := Word{
					ID: l.ID, Event: rapid.SampledFrom([]Event{"", OnListed, OnSold, OnReturned}).Draw(t, "event"), Shown: true,
					Proceeds: pricing.Money(rapid.IntRange(0, 20).Draw(t, "proceeds")), CreditRef: rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "ref"),
					Status: strings.Repeat("é", rapid.IntRange(0, 400).Draw(t, "status")),
				}
				next, err := apply(l, w, at)
				if err != nil && next != l {
					t.Fatalf("a refused word changed %+v into %+v", l, next)
				}
				l = next
			} else if next, err := move(l, rapid.SampledFrom(Events).Draw(t, "ours"), "why", at); err == nil {
				l = next
			}
			switch {
			case l.ID != before.ID || l.Offer != before.Offer || l.Round != before.Round || l.CreatedAt != before.CreatedAt || l.Rev != before.Rev:
				t.Fatalf("%+v became another listing: %+v", before, l)
			case before.State == Sold && (l.Proceeds != before.Proceeds || l.CreditRef != before.CreditRef):
				t.Fatalf("what was credited was %s by %q and became %s by %q", before.Proceeds, before.CreditRef, l.Proceeds, l.CreditRef)
			case l.State.Open() && !before.State.Open():
				t.Fatalf("%s opened again as %s", before.State, l.State)
			case l.State == Listed && (l.ListedAt.IsZero() || !l.GoneAt.IsZero()), l.State == Gone && l.GoneAt.IsZero():
				t.Fatalf("%s has listed at %s, gone at %s", l.State, l.ListedAt, l.GoneAt)
			case len(l.Error) > maxReason+len("…"):
				t.Fatalf("a reason of %d bytes is kept", len(l.Error))
			}
		}
	})
}
