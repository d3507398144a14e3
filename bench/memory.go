package main

import (
	"context"
	"runtime"
	"time"

	"github.com/shopspring/decimal"

	"skinarb/httpapi"
	"skinarb/internal/redisstore"
	"skinarb/pricing"
)

// usualNames is how many names the lists of lots have unless --items says so.
const usualNames = 20_000

// lotsPerName make lists of 100,000, 500,000 and a million rows of the usual
// names.
var lotsPerName = []int{5, 25, 50}

// runMemory measures what is held in memory, and what a long list takes while it
// is read.
func runMemory(ctx context.Context, s *session) error {
	s.progress.say("memory: making the lists")
	m := &holdings{session: s}
	defer m.close()
	if err := m.publish(ctx); err != nil {
		return err
	}
	if err := m.makeLists(ctx); err != nil {
		return err
	}
	s.out.note("Held: the live heap after two collections, less what it was before, while only what is named is held. An item is one that either market has.")
	s.out.note("The book is that of a replica: read back from a Redis, so that it shares no text with whoever pulled the catalogs. Its peer is a map for each market, from names to structs with decimals.")
	s.out.note("Of a list of all lots only the lowest ask and the number of lots of each name are kept: nothing here keeps the lots themselves. The peer does, as encoding/json gives them.")
	s.out.note("Peak: how far the live heap rises while a list comes over HTTP, with gzip, and is read to its catalog. Against the shortest list, 1 means that length costs nothing.")
	tasks := []task{
		{bookHeld, func() error { return m.book(ctx) }},
		{bookPeer, func() error { return m.bookPeer(ctx) }},
	}
	tasks = append(tasks, m.lotTasks(ctx)...)
	aggregator, err := startAggregator(ctx, s)
	if err != nil {
		s.out.note("The memory of an idle aggregator was not measured: %v", err)
	} else {
		defer aggregator.close()
		s.out.note("The idle aggregator is cmd/aggregator as a process of its own with its embedded Redis, some seconds after it pulled both catalogs, %d items. The runtime gives memory back slowly.", aggregator.items)
		tasks = append(tasks, task{idleAggregator, func() error { return aggregator.measure(s.out) }})
	}
	return s.rounds(ctx, round{tasks: tasks, after: m.compare})
}

const (
	bookHeld       = "book of both catalogs"
	bookAnswers    = "book with the API's answers"
	bookPeer       = "maps of structs with decimals"
	idleAggregator = "idle aggregator"
)

// holdings is what the suite measures.
type holdings struct {
	*session
	store *redisstore.Store // that has both catalogs
	lists []*listServer     // by ascending length

	// Of the last round.
	ours, peer         float64   // bytes of an item
	oursLots, peerLots float64   // bytes of a lot
	peaks              []float64 // bytes, by lists
}

func (m *holdings) close() {
	for _, l := range m.lists {
		l.close()
	}
	if m.store != nil {
		m.store.Close()
	}
}

// publish puts both catalogs where a replica would find them.
func (m *holdings) publish(ctx context.Context) (err error) {
	if m.store, err = redisstore.OpenEmbedded(""); err != nil {
		return err
	}
	for _, src := range m.rig.sources {
		c, err := m.rig.catalog(ctx, src, 1)
		if err != nil {
			return err
		}
		if err := first(ctx, m.store, c); err != nil {
			return err
		}
	}
	return nil
}

// held tells how many bytes of live heap are needed for what do gives.
func held[T any](do func() (T, error)) (bytes float64, v T, err error) {
	settle := func() float64 {
		runtime.GC()
		runtime.GC() // what the first one finds in pools, the second one takes
		return float64(readMetric(liveBytes))
	}
	before := settle()
	v, err = do()
	after := settle()
	runtime.KeepAlive(v)                // also what the caller does not look at
	return max(1, after-before), v, err // so little can drown in what others free
}

// read gives the catalogs as a replica reads them, one after another.
func (m *holdings) read(ctx context.Context, use func(pricing.Catalog)) error {
	for _, market := range pricing.Markets {
		c, err := m.store.Catalog(ctx, feedOf(market))
		if err != nil {
			return err
		}
		use(c)
	}
	return nil
}

// book measures the book, and what the API adds to it when it has encoded all
// answers.
func (m *holdings) book(ctx context.Context) error {
	bytes, book, err := held(func() (*pricing.Book, error) {
		b := pricing.NewBook()
		err := m.read(ctx, func(c pricing.Catalog) { b, _ = b.With(c) })
		return b, err
	})
	if err != nil {
		return err
	}
	more, api, err := held(func() (*httpapi.Server, error) {
		prices := &liveBook{}
		prices.book.Store(book)
		api := httpapi.New(httpapi.Config{Prices: prices, MaxQuoteAge: time.Hour})
		for _, market := range pricing.Markets {
			api.Publish(book, feedOf(market), nil, true)
		}
		return api, nil
	})
	if err != nil {
		return err
	}
	items := float64(book.Len())
	m.ours = bytes / items
	m.out.add(bookHeld, "held", "B/item", m.ours)
	m.out.add(bookAnswers, "held", "B/item", (bytes+more)/items)
	runtime.KeepAlive(api)
	return nil
}

// quoteInMap is what one would write first for a quote.
type quoteInMap struct {
	Name, Phase, MarketName, Source string
	Ask, Steam, Sell                decimal.Decimal
	Count                           int
	ObservedAt                      time.Time
}

func (m *holdings) bookPeer(ctx context.Context) error {
	items := map[string]struct{}{}
	bytes, byMarket, err := held(func() (map[pricing.Market]map[string]*quoteInMap, error) {
		out := map[pricing.Market]map[string]*quoteInMap{}
		err := m.read(ctx, func(c pricing.Catalog) {
			quotes := make(map[string]*quoteInMap, len(c.Listings))
			for _, l := range c.Listings {
				quotes[l.Item.String()] = &quoteInMap{
					Name: l.Item.Name, Phase: string(l.Item.Phase), MarketName: l.MarketName, Source: l.Source,
					Ask: decimalOf(l.Ask), Steam: decimalOf(l.Steam), Sell: decimalOf(l.SellHint),
					Count: l.Count, ObservedAt: c.ObservedAt,
				}
			}
			out[c.Feed.Market] = quotes
		})
		return out, err
	})
	if err != nil {
		return err
	}
	for _, quotes := range byMarket {
		for name := range quotes {
			items[name] = struct{}{}
		}
	}
	m.peer = bytes / float64(len(items))
	m.out.add(bookPeer, "held", "B/item", m.peer)
	return nil
}

func decimalOf(m pricing.Money) decimal.Decimal { return decimal.New(int64(m), -6) }

// compare gives the ratios of one round.
func (m *holdings) compare() error {
	m.out.add(bookHeld, "size of maps of structs against it", "x", m.peer/m.ours)
	m.out.add(lotsHeld, "size of all lots, kept, against it", "x", m.peerLots/m.oursLots)
	for i, l := range m.lists[1:] {
		m.out.add(lotsSubject(l), "peak of the shortest against it", "x", m.peaks[0]/m.peaks[i+1])
	}
	return nil
}
