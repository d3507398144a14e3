package main

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"skinarb/httpapi"
	"skinarb/pricing"
)

// refreshEvery is the pause between two refreshes of all catalogs, many times
// shorter than any that a market allows.
const refreshEvery = time.Second

// liveBook is a price side in which nothing happens unless it is refreshed.
type liveBook struct{ book atomic.Pointer[pricing.Book] }

func (l *liveBook) Book() *pricing.Book                       { return l.book.Load() }
func (*liveBook) Statuses() []pricing.FeedStatus              { return nil }
func (*liveBook) Release(context.Context, pricing.Feed) error { return errors.New("nothing is held") }
func (*liveBook) Ready() (bool, string)                       { return true, "" }

// refresh gives every share-th listing of each market another ask, and tells the
// API, as a replica does.
func (l *liveBook) refresh(api *httpapi.Server, share int) error {
	for _, m := range pricing.Markets {
		feed := pricing.Feed{Market: m, Game: game}
		book := l.Book()
		c, _ := book.Catalog(feed)
		ch := pricing.Change{Feed: feed, From: c.Version, To: c.Version + 1, ObservedAt: time.Now()}
		listings, _ := book.Column(feed)
		for pos, was := range listings {
			if was != nil && (pos+int(c.Version))%share == 0 {
				is := *was
				is.Ask ^= pricing.Cent // up by one or down by one
				ch.Set = append(ch.Set, is)
			}
		}
		next, changed, ok := book.Apply(ch)
		if !ok {
			return errors.New("a change did not fit the book that it was made for")
		}
		l.book.Store(next)
		api.Publish(next, feed, changed, false)
	}
	return nil
}

// refreshing refreshes at once and every refreshEvery until stop is called, which
// waits for the end of the last one.
func (l *liveBook) refreshing(api *httpapi.Server, share int) (stop func() error) {
	var (
		running sync.WaitGroup
		failed  error
	)
	done := make(chan struct{})
	running.Go(func() {
		tick := time.NewTicker(refreshEvery)
		defer tick.Stop()
		for {
			if failed = l.refresh(api, share); failed != nil {
				return
			}
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	})
	return func() error {
		close(done)
		running.Wait()
		return failed
	}
}
