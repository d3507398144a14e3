package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/klauspost/compress/gzip"

	"skinarb/fetch"
	"skinarb/pricing"
)

// memory measures the decoders alone, on a body that lies inflated in memory:
// ours, encoding/json, and the search for every quote, which no decoder can do
// without.
type memory struct {
	rig    *rig
	src    fetch.Source
	peer   *jsonPeer
	body   []byte
	pull   fetch.Pull // of the last run of ours
	ours   time.Duration
	json   time.Duration
	quotes time.Duration
}

// fetch gets the body that the market has now.
func (m *memory) fetch(ctx context.Context) error {
	body, err := m.rig.open(ctx, m.src.Market(), false)
	if err != nil {
		return err
	}
	defer body.Close()
	inflated, err := gzip.NewReader(body)
	if err != nil {
		return err
	}
	m.body, err = io.ReadAll(inflated)
	return err
}

// tasks measure each way to decode, several times as short as it is.
func (m *memory) tasks(out *Suite) []task {
	market := m.src.Market()
	var tasks []task
	for _, way := range []struct {
		name string
		took *time.Duration
		run  func() error
	}{
		{"scanner", &m.ours, m.decode},
		{"encoding/json", &m.json, func() error { _, err := m.peer.decode(m.body); return err }},
		{"every quote", &m.quotes, m.findQuotes},
	} {
		subject := fmt.Sprintf("%s, in memory: %s", market, way.name)
		tasks = append(tasks, task{subject, func() error {
			const times = 5
			took, objects, err := timed(func() error {
				for range times {
					if err := way.run(); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
			*way.took = took / times
			out.add(subject, "decoded", "MB/s", float64(len(m.body))*times/1e6/took.Seconds())
			if way.took != &m.quotes {
				out.add(subject, "allocations", "/item", float64(objects)/times/float64(m.peer.items))
			}
			return nil
		}})
	}
	return tasks
}

// compare gives the ratios of one round.
func (m *memory) compare(out *Suite) {
	subject := fmt.Sprintf("%s, in memory: scanner", m.src.Market())
	out.add(subject, "against encoding/json", "x", m.json.Seconds()/m.ours.Seconds())
	out.add(subject, "against finding every quote", "x", m.quotes.Seconds()/m.ours.Seconds())
}

func (m *memory) decode() (err error) {
	m.pull, err = readBody(m.src, bytes.NewReader(m.body))
	if err == nil && len(m.pull.Listings) == 0 {
		err = fmt.Errorf("%s: nothing was decoded", m.src.Market())
	}
	return err
}

func (m *memory) findQuotes() error {
	for rest := m.body; len(rest) > 0; {
		i := bytes.IndexByte(rest, '"')
		if i < 0 {
			break
		}
		rest = rest[i+1:]
	}
	return nil
}

// floor is what a refresh cannot be faster than: the body fetched and inflated.
type floor struct {
	rig     *rig
	market  pricing.Market
	subject string
	took    time.Duration // of the last measured run
}

func (f *floor) measure(ctx context.Context, out *Suite) error {
	var n int64
	took, _, err := timed(func() error {
		body, err := f.rig.open(ctx, f.market, false)
		if err != nil {
			return err
		}
		defer body.Close()
		n, err = inflate(body)
		return err
	})
	if err != nil {
		return err
	}
	out.add(f.subject, "inflated", "MB/s", float64(n)/1e6/took.Seconds())
	f.took = took
	return nil
}
