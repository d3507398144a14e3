package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"slices"
	"time"

	"skinarb/pricing"
)

// readerCounts are how many read at a time.
var readerCounts = []int{1, 10, 100, 1000}

const (
	beside = 100 // readers that a slow one is among

	eventPause     = 5 * time.Millisecond // between two changes that are followed
	fewestFollowed = 20                   // changes of a measurement
	floodBurst     = 2000                 // changes at once to bury a slow reader
	flood          = 16 << 20             // bytes of events: more than the sockets hold and the server keeps
	slowPatience   = 3 * time.Second      // for the end of what the slow one missed
)

// What is measured with a slow reader.
var (
	besideSlow = readersSubject(beside) + " and a slow one"
	afterSlow  = readersSubject(beside) + ", a slow one has left"
)

// events measures /v1/stream: how long a change takes to its readers.
type events struct {
	*session
	prices *liveBook
	feed   pricing.Feed
	one    []int // position of the listing that changes
	many   []int // those that bury a slow reader

	with, without time.Duration // p99 of the last round, beside a slow reader and after it
}

func newEvents(s *session, prices *liveBook) (*events, error) {
	e := &events{session: s, prices: prices, feed: feedOf(pricing.SIH)}
	e.many = onShelf(prices.Book(), e.feed, 1)
	if len(e.many) == 0 {
		return nil, errNothingOnOffer
	}
	e.one, e.many = e.many[:1], e.many[:min(len(e.many), floodBurst)]
	s.out.note("/v1/stream: from before one changed price is published in the process to when each reader has the whole event; the next change waits for all of them. The readers run here too, and an event wakes every one of them: with many, the time is that of the cores to serve them one after another.")
	return e, nil
}

func readersSubject(n int) string {
	if n == 1 {
		return "GET /v1/stream, 1 reader"
	}
	return fmt.Sprintf("GET /v1/stream, %d readers", n)
}

func (e *events) tasks(ctx context.Context) []task {
	var tasks []task
	for _, n := range readerCounts {
		tasks = append(tasks, task{readersSubject(n), func() error { return e.measure(ctx, readersSubject(n), n) }})
	}
	return append(tasks,
		task{besideSlow, func() (err error) { e.with, err = e.slow(ctx, besideSlow, true); return err }},
		task{afterSlow, func() (err error) { e.without, err = e.slow(ctx, afterSlow, false); return err }},
	)
}

// measure follows changes with some readers.
func (e *events) measure(ctx context.Context, subject string, readers int) error {
	a := newAudience(e.prices)
	defer a.close()
	if err := a.join(readers); err != nil {
		return fmt.Errorf("%s: %w", subject, err)
	}
	if n := len(a.apis.servers); n > 1 {
		e.out.note("One server refuses that many streams. %s were spread over %d servers, and each change was published to one after another.", subject, n)
	}
	_, err := e.follow(ctx, a, subject)
	return err
}

// slow follows changes beside a reader that never reads or, when it does not
// stay, after one was there: all else is the same.
func (e *events) slow(ctx context.Context, subject string, stays bool) (p99 time.Duration, err error) {
	a := newAudience(e.prices)
	defer a.close()
	slow, err := e.bury(ctx, a)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", subject, err)
	}
	defer slow.Close()
	if !stays {
		slow.Close()
	}
	if err := a.join(beside - len(a.readers)); err != nil {
		return 0, fmt.Errorf("%s: %w", subject, err)
	}
	if p99, err = e.follow(ctx, a, subject); err != nil || !stays {
		return p99, err
	}
	return p99, e.awaken(slow)
}

// compare gives the ratio of one round.
func (e *events) compare() {
	e.out.add(besideSlow, "p99 after it has left against beside it", "x", e.without.Seconds()/e.with.Seconds())
}

// follow publishes changes of one price, and adds how long they took to the
// readers. It gives the p99.
func (e *events) follow(ctx context.Context, a *audience, subject string) (p99 time.Duration, err error) {
	runtime.GC() // what was done before leaves no pause to this
	var times []time.Duration
	length := e.opts.length / 6
	for begin, n := time.Now(), 0; n < fewestFollowed || time.Since(begin) < length; n++ {
		wait := a.expect(1)
		start := time.Now()
		if err := a.apis.change(e.feed, e.one); err != nil {
			return 0, err
		}
		if err := wait(ctx); err != nil {
			return 0, fmt.Errorf("%s: %w", subject, err)
		}
		for _, r := range a.readers {
			times = append(times, r.at.Sub(start))
		}
		time.Sleep(eventPause) // so that everybody is at rest again
	}
	slices.Sort(times)
	p99 = times[len(times)*99/100]
	e.out.add(subject, "p50", "µs", micros(times[len(times)/2]))
	e.out.add(subject, "p99", "µs", micros(p99))
	return p99, nil
}

// bury opens a stream that nobody reads, and publishes more than it can hold
// while another reader reads on.
func (e *events) bury(ctx context.Context, a *audience) (slow net.Conn, err error) {
	if err := a.join(1); err != nil {
		return nil, err
	}
	if slow, err = askForStream(a.apis.servers[0].address); err != nil {
		return nil, err
	}
	for a.readers[0].bytes.Load() < flood {
		wait := a.expect(len(e.many))
		if err = a.apis.change(e.feed, e.many); err == nil {
			err = wait(ctx)
		}
		if err != nil {
			slow.Close()
			return nil, err
		}
	}
	return slow, nil
}

// awaken reads what the slow reader has missed, and notes what became of it.
func (e *events) awaken(slow net.Conn) error {
	s, err := beginStream(slow)
	if err != nil {
		return fmt.Errorf("the slow reader: %w", err)
	}
	if err := slow.SetReadDeadline(time.Now().Add(slowPatience)); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, s.body)
	switch {
	case err == nil:
		e.out.note("The slow reader read nothing while another got %d MB. When it read at last, it found what its connection had held, and that the server had ended its stream.", flood>>20)
	case errors.Is(err, os.ErrDeadlineExceeded):
		e.out.note("The slow reader read nothing while another got %d MB. When it read at last, its stream still went on.", flood>>20)
	default:
		e.out.note("The slow reader read nothing while another got %d MB. When it read at last, the server had cut its connection.", flood>>20)
	}
	return nil
}
