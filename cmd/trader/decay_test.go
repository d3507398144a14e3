package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"skinarb/execution"
	"skinarb/httpapi"
	"skinarb/internal/sqlitejournal"
	"skinarb/pricing"
	"skinarb/strategy"
)

func openJournal(t *testing.T) execution.Journal {
	t.Helper()
	j, err := sqlitejournal.Open(filepath.Join(t.TempDir(), "paper.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

var redline = pricing.Item{Game: pricing.CS2, Name: "AK-47 | Redline (Field-Tested)"}

// adopt stores an order in a state.
func adopt(t *testing.T, j execution.Journal, n int, s execution.State) execution.Order {
	t.Helper()
	now := time.Now()
	o, err := j.Adopt(t.Context(), execution.Order{
		ID: execution.OrderID(fmt.Sprintf("sa-%d", n)), State: s, CreatedAt: now, UpdatedAt: now, SpentAt: now,
		Request: execution.Request{Market: pricing.SIH, Item: redline, MarketName: redline.Name, Ask: pricing.Dollar, Cost: pricing.Dollar, ExpiresAt: now},
	})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// TestPracticeCounts: counting step by step comes to what counting the journal
// anew comes to.
func TestPracticeCounts(t *testing.T) {
	j := openJournal(t)
	p := newPractice()
	p.step(execution.Step{State: execution.Placed})
	if got := p.tell(); got.Paper != nil {
		t.Errorf("before the journal is read: got %+v, want nothing", *got.Paper)
	}
	n := 0
	for _, s := range execution.States {
		n++
		adopt(t, j, n, s)
	}
	if err := p.count(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	// Placed, delivered, settled, failed, rejected; no paper order gets anywhere else.
	want := httpapi.PaperFills{Placed: 5, Filled: 2, Gone: 2}
	if diff := cmp.Diff(&want, p.tell().Paper); diff != "" {
		t.Fatalf("counted from the journal (-want +got):\n%s", diff)
	}

	for _, life := range [][]execution.State{
		{execution.Planned, execution.Sent, execution.Placed, execution.Delivered, execution.Settled},
		{execution.Planned, execution.Sent, execution.Placed, execution.Failed},
		{execution.Planned, execution.Sent, execution.Rejected},
		{execution.Planned, execution.Sent, execution.Placed},
		{execution.Planned, execution.Cancelled},
	} {
		n++
		adopt(t, j, n, life[len(life)-1])
		for _, s := range life {
			p.step(execution.Step{State: s})
		}
	}
	anew := newPractice()
	if err := anew.count(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(anew.tell().Paper, p.tell().Paper); diff != "" {
		t.Errorf("step by step (-counted anew +got):\n%s", diff)
	}
}

func TestPracticeCountsEveryPage(t *testing.T) {
	j := openJournal(t)
	const orders = 1001 // one more than a page
	for n := range orders {
		adopt(t, j, n, execution.Delivered)
	}
	p := newPractice()
	if err := p.count(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&httpapi.PaperFills{Placed: orders, Filled: orders}, p.tell().Paper); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// account is a market of which only the name is asked for.
type account struct {
	anyMarket
	name pricing.Market
}

type anyMarket = execution.Market

func (a account) Market() pricing.Market { return a.name }

// TestPapers: a paper market hears of every catalog, and does not sell a unit
// twice.
func TestPapers(t *testing.T) {
	j := openJournal(t)
	feed := pricing.Feed{Market: pricing.SIH, Game: pricing.CS2}
	catalog := func(version uint64, ask pricing.Money) *pricing.Book {
		b, _ := pricing.NewBook().With(pricing.Catalog{Feed: feed, Version: version, ObservedAt: time.Now(), Listings: []pricing.Listing{
			{Item: redline, MarketName: redline.Name, Ask: ask, Count: 1, Since: version},
		}})
		return b
	}
	book := catalog(1, pricing.Dollar)
	var told []func(*pricing.Book, pricing.Feed, []int, bool)
	ms := papers([]execution.Market{account{name: pricing.SIH}, account{name: pricing.SkinsBack}}, func() *pricing.Book { return book }, j,
		func(fn func(*pricing.Book, pricing.Feed, []int, bool)) { told = append(told, fn) })
	if len(ms) != 2 || ms[0].Market() != pricing.SIH || ms[1].Market() != pricing.SkinsBack || len(told) != 2 {
		t.Fatalf("got %d markets and %d subscribers, want one of each for SIH and SkinsBack", len(ms), len(told))
	}

	if _, err := ms[0].Check(t.Context(), redline, redline.Name); err != nil {
		t.Errorf("check: got %v, want the offer", err)
	}
	o := execution.Order{ID: "sa-1", State: execution.Sent, SentAt: time.Now().Add(-time.Second), Request: execution.Request{Market: pricing.SIH, Item: redline, Ask: pricing.Dollar, Cost: pricing.Dollar}}
	ev, err := ms[0].Place(t.Context(), o, execution.Offer{}, func() {})
	if err != nil {
		t.Fatal(err)
	}
	adopt(t, j, 1, execution.Placed)
	if _, err := ms[0].Check(t.Context(), redline, redline.Name); !errors.Is(err, execution.ErrNotOffered) {
		t.Errorf("check of what was bought: got %v, want ErrNotOffered", err)
	}
	for v := uint64(2); v <= 3; v++ { // there in the next catalog, dearer in the one after
		book = catalog(v, pricing.Dollar*pricing.Money(v-1))
		for _, fn := range told {
			fn(book, feed, nil, true)
		}
	}
	o.State, o.MarketRef = execution.Placed, ev.MarketRef
	if ev, err := ms[0].Lookup(t.Context(), o); err != nil || ev.Event != execution.OnDelivered {
		t.Errorf("got %s (%s), error %v, want delivered: the next catalog had it", ev.Event, ev.Error, err)
	}
}

// TestPracticeWatches: a book is looked at when it comes.
func TestPracticeWatches(t *testing.T) {
	p := newPractice()
	if got := p.tell(); !got.Since.IsZero() {
		t.Errorf("before anything was looked at: got since %s, want none", got.Since)
	}
	subscribed := make(chan func(*pricing.Book, pricing.Feed, []int, bool), 1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.watch(t.Context(), strategy.New(strategy.DefaultRules()), func(fn func(*pricing.Book, pricing.Feed, []int, bool)) { subscribed <- fn })
	}()
	t.Cleanup(func() { <-ended }) // the test's context ends before
	(<-subscribed)(pricing.NewBook(), pricing.Feed{}, nil, true)
	if got := p.tell(); got.Since.IsZero() || len(got.Decay) != 5 {
		t.Errorf("got since %s and %d horizons, want a time and 5", got.Since, len(got.Decay))
	}
}
