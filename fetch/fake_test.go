package fetch_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"skinarb/fetch"
	"skinarb/internal/storetest"
	"skinarb/pricing"
)

var feed = storetest.Feed

// memStore is a Store in memory.
type memStore struct {
	mu       sync.Mutex
	catalogs map[pricing.Feed]pricing.Catalog
	statuses map[pricing.Feed]pricing.FeedStatus
	asked    map[pricing.Feed]bool

	// fault decides what a Publish says, and whether it happens before that.
	fault func(c pricing.Catalog) (happens bool, err error)
}

func newMemStore() *memStore {
	return &memStore{catalogs: map[pricing.Feed]pricing.Catalog{}, statuses: map[pricing.Feed]pricing.FeedStatus{}, asked: map[pricing.Feed]bool{}}
}

func (s *memStore) Catalog(_ context.Context, f pricing.Feed) (pricing.Catalog, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.catalogs[f]
	if !ok {
		return pricing.Catalog{}, fetch.ErrNoCatalog
	}
	return c, nil
}

func (s *memStore) Publish(_ context.Context, c pricing.Catalog, ch pricing.Change) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	happens, err := true, error(nil)
	if s.fault != nil {
		happens, err = s.fault(c)
	}
	if happens {
		if s.catalogs[c.Feed].Version != ch.From {
			return fetch.ErrSuperseded
		}
		s.catalogs[c.Feed] = c
	}
	return err
}

func (s *memStore) SetStatus(_ context.Context, st pricing.FeedStatus) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.statuses[st.Feed] = st
	return nil
}

func (s *memStore) Statuses(context.Context) ([]pricing.FeedStatus, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []pricing.FeedStatus
	for _, st := range s.statuses {
		out = append(out, st)
	}
	return out, nil
}

func (s *memStore) Release(_ context.Context, f pricing.Feed) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked[f] = true
	return nil
}

func (s *memStore) TakeRelease(_ context.Context, f pricing.Feed) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := s.asked[f]
	s.asked[f] = false
	return asked, nil
}

func TestMemStoreIsAStore(t *testing.T) {
	storetest.RunStore(t, func(rapid.TB) (fetch.Store, func()) { return newMemStore(), func() {} })
}

// fakeSource answers the nth pull, counted from 0, as answer says.
type fakeSource struct {
	answer func(n int) (fetch.Pull, error)

	mu    sync.Mutex
	pulls []time.Time
}

func (s *fakeSource) Market() pricing.Market { return feed.Market }
func (s *fakeSource) Games() []pricing.Game  { return []pricing.Game{pricing.CS2, pricing.Rust} }

func (s *fakeSource) Pull(_ context.Context, _ pricing.Game) (fetch.Pull, error) {
	s.mu.Lock()
	n := len(s.pulls)
	s.pulls = append(s.pulls, time.Now())
	s.mu.Unlock()
	p, err := s.answer(n)
	p.ObservedAt = time.Now()
	return p, err
}

// gaps gives the time between successive pulls.
func (s *fakeSource) gaps() []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []time.Duration
	for i := 1; i < len(s.pulls); i++ {
		out = append(out, s.pulls[i].Sub(s.pulls[i-1]))
	}
	return out
}

// world is a fetcher of one feed at work, in a synctest bubble.
type world struct {
	*testing.T
	*memStore
	src    *fakeSource
	config fetch.Config
	stop   func() // ends the fetcher and waits for it

	heard  sync.Mutex
	alerts []string
	seen   []fetch.Observation
}

// inWorld runs a test in a bubble, where waiting takes no time. The fetcher
// pulls every minute once test has called start.
func inWorld(t *testing.T, answer func(n int) (fetch.Pull, error), test func(w *world)) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{T: t, memStore: newMemStore(), src: &fakeSource{answer: answer}, stop: func() {}}
		w.config = fetch.Config{
			Sources: []fetch.Source{w.src}, Games: []pricing.Game{pricing.CS2, pricing.TF2}, Store: w.memStore,
			Interval: time.Minute, MaxAge: 5 * time.Minute,
			Alert: func(_ context.Context, text string) {
				w.heard.Lock()
				defer w.heard.Unlock()
				w.alerts = append(w.alerts, text)
			},
			Observe: func(o fetch.Observation) {
				w.heard.Lock()
				defer w.heard.Unlock()
				w.seen = append(w.seen, o)
			},
		}
		test(w)
		w.stop()
	})
}

// start runs a fetcher until the bubble waits for its next pull.
func (w *world) start() {
	ctx, cancel := context.WithCancel(w.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		fetch.New(w.config).Run(ctx)
	}()
	w.stop = func() {
		cancel()
		<-done
	}
	synctest.Wait()
}

// after lets d pass and everything settle.
func (w *world) after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// inForce gives the catalog in force; zero when there is none.
func (w *world) inForce() pricing.Catalog {
	c, _ := w.Catalog(w.Context(), feed)
	return c
}

func (w *world) status() pricing.FeedStatus {
	w.memStore.mu.Lock()
	defer w.memStore.mu.Unlock()
	return w.statuses[feed]
}

// want compares the catalog in force and the feed's state.
func (w *world) want(when string, items int, ask pricing.Money, state pricing.FeedState) {
	w.Helper()
	c, s := w.inForce(), w.status()
	gotAsk := pricing.Money(0)
	if len(c.Listings) > 0 {
		gotAsk = c.Listings[0].Ask
	}
	if len(c.Listings) != items || gotAsk != ask || s.State != state || s.Items != items {
		w.Errorf("%s: got %d items at %s, %s with %d (%s, %q), want %d at %s, %s",
			when, len(c.Listings), gotAsk, s.State, s.Items, s.Reason, s.LastError, items, ask, state)
	}
}

// answerOf gives a pull of n items that all cost ask.
func answerOf(n int, ask pricing.Money) (fetch.Pull, error) {
	p := fetch.Pull{Bytes: int64(n), Rejected: map[string]int{"no price": 2, "name": 1}}
	for i := range n {
		p.Listings = append(p.Listings, pricing.Listing{Item: pricing.Item{Game: feed.Game, Name: fmt.Sprint(i)}, Ask: ask})
	}
	return p, nil
}

// inTurn answers with each catalog once, then with the last one.
func inTurn(answers ...func() (fetch.Pull, error)) func(int) (fetch.Pull, error) {
	return func(n int) (fetch.Pull, error) { return answers[min(n, len(answers)-1)]() }
}

func items(n int, ask pricing.Money) func() (fetch.Pull, error) {
	return func() (fetch.Pull, error) { return answerOf(n, ask) }
}

func failing(err error) func() (fetch.Pull, error) {
	return func() (fetch.Pull, error) { return fetch.Pull{}, err }
}

func repeated(n int, f func() (fetch.Pull, error)) []func() (fetch.Pull, error) {
	return slices.Repeat([]func() (fetch.Pull, error){f}, n)
}
