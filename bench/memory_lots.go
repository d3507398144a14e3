package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"

	"github.com/klauspost/compress/gzip"

	"skinarb/fetch"
)

const (
	lotsHeld = "full list, as a catalog"
	lotsPeer = "full list, every lot by encoding/json"
)

func lotsSubject(l *listServer) string { return fmt.Sprintf("full list of %d rows", l.rows) }

// makeLists makes a list of each length.
func (m *holdings) makeLists(ctx context.Context) error {
	names := m.opts.items
	if names == 0 {
		names = usualNames
	}
	for _, lots := range lotsPerName {
		l, err := newLotList(m.opts.seed, names, lots)
		if err != nil {
			return err
		}
		m.lists = append(m.lists, l)
		if _, err := l.client.PullLots(ctx, game); err != nil { // the names are known from then on
			return err
		}
	}
	m.peaks = make([]float64, len(m.lists))
	return nil
}

// newLotList serves a full list of so many names. Ids and prices are random, so
// that it compresses no better than a real one.
func newLotList(seed uint64, names, lotsPerName int) (*listServer, error) {
	return serveList(func(yield func([]byte) bool) {
		random := rand.New(rand.NewPCG(seed, 2))
		var row []byte
		for i := range names * lotsPerName {
			name := i / lotsPerName
			row = fmt.Appendf(row[:0], `{"id":"%d","name":"AK-47 | Redline %d (Field-Tested)","price":%d.%02d,"classid":"%d"}`,
				1e9+random.Int64N(9e9), name, 1+random.IntN(200), random.IntN(100), 310_000_000+name)
			if !yield(row) {
				return
			}
		}
	})
}

// lotTasks measures what is kept of the middle list, and the peak of each.
func (m *holdings) lotTasks(ctx context.Context) []task {
	middle := m.lists[len(m.lists)/2]
	tasks := []task{
		{lotsHeld, func() error { return m.catalogOfLots(ctx, middle) }},
		{lotsPeer, func() error { return m.allLots(middle) }},
	}
	for i, l := range m.lists {
		tasks = append(tasks, task{lotsSubject(l), func() error {
			peak, err := peakHeap(func() error { _, err := l.client.PullLots(ctx, game); return err })
			if err != nil {
				return err
			}
			m.peaks[i] = max(1, float64(peak)) // short ones can be over between two looks
			m.out.add(lotsSubject(l), "peak live heap", "MB", m.peaks[i]/1e6)
			return nil
		}})
	}
	return tasks
}

// catalogOfLots measures the catalog that a list comes to.
func (m *holdings) catalogOfLots(ctx context.Context, l *listServer) error {
	bytes, pull, err := held(func() (fetch.Pull, error) { return l.client.PullLots(ctx, game) })
	if err != nil {
		return err
	}
	m.oursLots = bytes / float64(l.rows)
	m.out.add(lotsHeld, "held", "B/lot", m.oursLots)
	m.out.add(lotsHeld, "held, of a name", "B/name", bytes/float64(len(pull.Listings)))
	return nil
}

// wireLot is a row of the list.
type wireLot struct {
	ID    string      `json:"id"`
	Name  string      `json:"name"`
	Price json.Number `json:"price"`
	Class string      `json:"classid"`
}

// allLots measures all rows.
func (m *holdings) allLots(l *listServer) error {
	bytes, lots, err := held(func() ([]wireLot, error) { return decodeLots(l.body) })
	if err != nil {
		return err
	}
	m.peerLots = bytes / float64(len(lots))
	m.out.add(lotsPeer, "held", "B/lot", m.peerLots)
	return nil
}

func decodeLots(compressed []byte) ([]wireLot, error) {
	inflated, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return nil, err
	}
	var list struct {
		Items []wireLot `json:"items"`
	}
	err = json.NewDecoder(inflated).Decode(&list)
	return list.Items, err
}
