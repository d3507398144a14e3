package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"time"

	"github.com/klauspost/compress/gzip"

	"skinarb/markets/skinsback"
	"skinarb/pricing"
)

// runFull measures SkinsBack's full list, which is too large to be held whole.
func runFull(ctx context.Context, s *session) error {
	const floor = "inflate alone"
	s.out.note("The simulated market's lots, seven of each, under ids and at prices of their own, from a server that has the list ready.")
	s.out.note("lowest: the lowest price and the number of lots of each name, as a catalog. lots: each handed out and dropped.")
	s.out.note("The floor gets the same body and inflates it, and looks at none of it.")
	s.progress.say("full: making the list")
	list, err := newLongList(ctx, s)
	if err != nil {
		return err
	}
	defer list.Close()

	var (
		inflated  int64
		floorTook time.Duration
		took      = map[string]time.Duration{}
		ours      = []struct {
			subject string
			run     func() (int64, error)
		}{
			{"skinsback full=1 → lowest", func() (int64, error) {
				pull, err := list.client.PullLots(ctx, game)
				return pull.Bytes, err
			}},
			{"skinsback full=1 → lots", func() (int64, error) {
				l, err := list.client.FullPricelist(ctx, game, false, func(skinsback.Lot) error { return nil })
				return l.Bytes, err
			}},
		}
		tasks []task
	)
	for _, o := range ours {
		tasks = append(tasks, task{o.subject, func() error {
			var n int64
			d, objects, err := timed(func() (err error) { n, err = o.run(); return err })
			if err != nil {
				return err
			}
			took[o.subject], inflated = d, n
			s.out.add(o.subject, "rows", "rows/s", float64(list.rows)/d.Seconds())
			s.out.add(o.subject, "inflated", "MB/s", float64(n)/1e6/d.Seconds())
			s.out.add(o.subject, "whole list", "ms", d.Seconds()*1e3)
			s.out.add(o.subject, "allocations", "/row", float64(objects)/float64(list.rows))
			return nil
		}})
	}
	tasks = append(tasks, task{floor, func() error {
		var n int64
		d, _, err := timed(func() (err error) { n, err = list.inflate(ctx); return err })
		if err != nil {
			return err
		}
		floorTook = d
		s.out.add(floor, "inflated", "MB/s", float64(n)/1e6/d.Seconds())
		s.out.add(floor, "whole list", "ms", d.Seconds()*1e3)
		return nil
	}})
	if _, err := ours[0].run(); err != nil { // the names are known from then on
		return err
	}
	return s.rounds(ctx, round{tasks: tasks, after: func() error {
		s.out.note("The list has %d rows and %.1f MB, %.1f MB compressed.", list.rows, float64(inflated)/1e6, float64(len(list.body))/1e6)
		for _, o := range ours {
			s.out.add(o.subject, "speed against inflating alone", "x", floorTook.Seconds()/took[o.subject].Seconds())
			if err := s.addPeak(o.subject, func() error { _, err := o.run(); return err }); err != nil {
				return err
			}
		}
		return s.addPeak(floor, func() error { _, err := list.inflate(ctx); return err })
	}})
}

// longList is a server with one answer, a full list as long as a real one, and a
// client of it.
type longList struct {
	rows   int
	body   []byte // gzip
	url    string
	client *skinsback.Client
	http   *http.Client
	server *http.Server
	done   chan struct{}
}

// copies is how many lots of the list come of one of the simulated market, which
// has fewer than a real one.
const copies = 7

func newLongList(ctx context.Context, s *session) (*longList, error) {
	l := &longList{http: &http.Client{Transport: &http.Transport{DisableCompression: true}}, done: make(chan struct{})}
	if err := l.write(ctx, s); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	l.url = "http://" + listener.Addr().String()
	l.server = &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(l.body) // a client that left gets nothing
	})}
	go func() {
		_ = l.server.Serve(listener) // until it is closed
		close(l.done)
	}()
	if l.client, err = skinsback.New(skinsback.Config{URL: l.url, ClientID: "bench", ClientSecret: "bench"}); err != nil {
		l.Close()
		return nil, fmt.Errorf("make a client of the long list: %w", err)
	}
	return l, nil
}

// write makes the body. Ids are random, so that it compresses no better than a
// real one.
func (l *longList) write(ctx context.Context, s *session) error {
	var lots []skinsback.Lot
	if _, err := s.rig.skinsback.FullPricelist(ctx, game, false, func(lot skinsback.Lot) error {
		lots = append(lots, lot)
		return nil
	}); err != nil {
		return err
	}
	var body bytes.Buffer
	zip := gzip.NewWriter(&body)
	random := rand.New(rand.NewPCG(s.opts.seed, 1))
	row := []byte(`{"status":"success","last_update":"1760000000","items":[`)
	for _, lot := range lots {
		for range copies {
			if l.rows++; l.rows > 1 {
				row = append(row, ',')
			}
			price := lot.Ask + pricing.Cent*pricing.Money(random.IntN(100))
			row = fmt.Appendf(row, `{"id":"%d","name":%q,"price":%s,"classid":%q}`, 1e9+random.Int64N(9e9), lot.Name, price, lot.ClassID)
			if _, err := zip.Write(row); err != nil {
				return err
			}
			row = row[:0]
		}
	}
	_, err := zip.Write(append(row, `]}`...))
	err = errors.Join(err, zip.Close())
	l.body = body.Bytes()
	return err
}

// Close ends the server and waits for it.
func (l *longList) Close() {
	if l.client != nil {
		l.client.Close()
	}
	l.http.CloseIdleConnections()
	_ = l.server.Close() // nobody needs it any more
	<-l.done
}

// inflate gets the list and inflates it.
func (l *longList) inflate(ctx context.Context) (int64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.url, http.NoBody)
	if err != nil {
		return 0, err
	}
	resp, err := l.http.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	return inflate(resp.Body)
}

// inflate inflates a body to its end.
func inflate(body io.Reader) (int64, error) {
	r, err := gzip.NewReader(body)
	if err != nil {
		return 0, err
	}
	return io.Copy(io.Discard, r)
}
