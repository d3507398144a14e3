package main

import (
	"bytes"
	"context"
	"errors"
	"strconv"
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
type liveBook struct {
	book   atomic.Pointer[pricing.Book]
	served atomic.Uint64 // version that the API has been told of
}

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
		l.served.Store(next.Version(game))
	}
	return nil
}

// outdated counts answers that are older than what had been published before
// they were asked for. There must be none.
type outdated struct {
	prices         *liveBook
	answers, stale atomic.Int64
}

func (o *outdated) asked() uint64 { return o.prices.served.Load() }

func (o *outdated) answered(then uint64, body []byte) {
	o.answers.Add(1)
	if v, ok := versionOf(body); !ok || v < then {
		o.stale.Add(1)
	}
}

// versionOf reads the version that an answer ends with.
func versionOf(body []byte) (version uint64, ok bool) {
	const key = `"version":`
	at := bytes.LastIndex(body, []byte(key))
	if at < 0 {
		return 0, false
	}
	digits := body[at+len(key):]
	n := 0
	for n < len(digits) && '0' <= digits[n] && digits[n] <= '9' {
		n++
	}
	version, err := strconv.ParseUint(string(digits[:n]), 10, 64)
	return version, err == nil
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
