package redisstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"skinarb/fetch"
	"skinarb/pricing"
)

const (
	statusEvery = time.Second
	blockFor    = time.Second // one read of the streams
	maxEntries  = 100         // of one read
	maxPause    = 5 * time.Second
)

// Replica keeps the catalogs of some feeds in memory and follows their changes,
// so that no look-up waits for Redis. When Redis is away the book stays, with
// its true age. All methods are safe for concurrent use.
type Replica struct {
	store *Store
	feeds []pricing.Feed
	log   *slog.Logger

	book     atomic.Pointer[pricing.Book]
	statuses atomic.Pointer[[]pricing.FeedStatus]
	ready    atomic.Bool

	mu          sync.Mutex // serialises new books and the calls to subscribers
	known       map[pricing.Feed]bool
	subscribers []func(*pricing.Book, pricing.Feed, []int, bool)
}

// NewReplica gives a replica with an empty book; Run fills it. A nil log
// discards.
func NewReplica(s *Store, feeds []pricing.Feed, log *slog.Logger) *Replica {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	r := &Replica{store: s, feeds: slices.Clone(feeds), log: log, known: map[pricing.Feed]bool{}}
	r.book.Store(pricing.NewBook())
	r.statuses.Store(&[]pricing.FeedStatus{})
	r.ready.Store(len(feeds) == 0)
	return r
}

// Book gives the newest book, without waiting.
func (r *Replica) Book() *pricing.Book { return r.book.Load() }

// Ready tells whether each feed has been loaded or found to have no catalog.
func (r *Replica) Ready() bool { return r.ready.Load() }

// Statuses gives what Store.Statuses gave within the last second or so, without
// waiting. The slice must not be changed.
func (r *Replica) Statuses() []pricing.FeedStatus { return *r.statuses.Load() }

// Subscribe has fn called with every new book, the feed that made it, and the
// positions of the items that changed, none when only the age did. full tells
// that the feed was loaded as a whole; the positions are then those that differ
// from the book before. Calls come one at a time and in order; the replica
// waits for fn.
func (r *Replica) Subscribe(fn func(book *pricing.Book, feed pricing.Feed, changed []int, full bool)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.subscribers = append(r.subscribers, fn)
}

// Run follows the feeds until ctx ends.
func (r *Replica) Run(ctx context.Context) {
	var running sync.WaitGroup
	running.Go(func() { r.watchStatuses(ctx) })
	// One read waits for all streams of a server. On a cluster they live in
	// different slots, which one command cannot name.
	groups := [][]pricing.Feed{r.feeds}
	if r.store.cluster {
		groups = slices.Collect(slices.Chunk(r.feeds, 1))
	}
	for _, feeds := range groups {
		if len(feeds) > 0 {
			running.Go(func() { newFollower(r, feeds).run(ctx) })
		}
	}
	running.Wait()
}

func (r *Replica) watchStatuses(ctx context.Context) {
	for {
		if s, err := r.store.Statuses(ctx); err == nil {
			r.statuses.Store(&s)
		} // else the followers tell that Redis is away
		if sleep(ctx, statusEvery) != nil {
			return
		}
	}
}

// replace puts a whole catalog into the book.
func (r *Replica) replace(c pricing.Catalog) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.book.Load().Share(c.Listings)
	book, changed := r.book.Load().With(c)
	r.tell(book, c.Feed, changed, true)
}

// apply puts a change into the book, unless it does not fit.
func (r *Replica) apply(ch pricing.Change) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.book.Load().Share(ch.Set)
	book, changed, ok := r.book.Load().Apply(ch)
	if ok {
		r.tell(book, ch.Feed, changed, false)
	}
	return ok
}

// absent remembers that nothing is published for the feed. What the book has of
// it stays.
func (r *Replica) absent(f pricing.Feed) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.settle(f)
}

// tell makes book the newest. The caller holds mu.
func (r *Replica) tell(book *pricing.Book, f pricing.Feed, changed []int, full bool) {
	r.book.Store(book)
	r.settle(f)
	for _, fn := range r.subscribers {
		fn(book, f, changed, full)
	}
}

// settle counts the feed as loaded or absent. The caller holds mu.
func (r *Replica) settle(f pricing.Feed) {
	r.known[f] = true
	r.ready.Store(len(r.known) == len(r.feeds))
}

// follower keeps some feeds of a replica. One goroutine owns it.
type follower struct {
	*Replica
	client redis.UniversalClient // for reads that wait; closed when the follower stops
	feeds  []pricing.Feed
	byKey  map[string]pricing.Feed
	at     map[pricing.Feed]uint64 // version in the book; 0 is none
	lost   map[pricing.Feed]bool   // must be loaded as a whole
	failed int                     // reads in a row
}

func newFollower(r *Replica, feeds []pricing.Feed) *follower {
	f := &follower{Replica: r, feeds: feeds, byKey: map[string]pricing.Feed{}, at: map[pricing.Feed]uint64{}, lost: map[pricing.Feed]bool{}}
	for _, feed := range feeds {
		f.byKey[keysOf(feed).changes] = feed
		f.lost[feed] = true
	}
	return f
}

func (f *follower) run(ctx context.Context) {
	f.client = f.store.connect()
	closed := make(chan struct{})
	context.AfterFunc(ctx, func() { // a read that waits does not see the context
		defer close(closed)
		_ = f.client.Close()
	})
	defer func() { <-closed }()
	for ctx.Err() == nil {
		err := f.step(ctx)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			if f.failed > 0 {
				f.log.Info("following prices again", "feeds", f.feeds)
			}
			f.failed = 0
			continue
		}
		if f.failed++; f.failed == 1 {
			f.log.Warn("cannot follow prices; those in memory grow old", "feeds", f.feeds, "error", err)
		}
		pause := min(maxPause, 100*time.Millisecond<<min(f.failed, 10))
		_ = sleep(ctx, pause/2+rand.N(pause)) // the loop sees that ctx ended
	}
}

// step loads what is lost and reads the streams once.
func (f *follower) step(ctx context.Context) error {
	var failed []error
	for _, feed := range f.feeds {
		if f.lost[feed] {
			if err := f.load(ctx, feed); err != nil {
				failed = append(failed, err)
			}
		}
	}
	if err := f.read(ctx); err != nil {
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

func (f *follower) load(ctx context.Context, feed pricing.Feed) error {
	c, err := f.store.catalog(ctx, feed, false)
	switch {
	case errors.Is(err, fetch.ErrNoCatalog):
		f.absent(feed)
	case err != nil:
		return err
	default:
		f.replace(c)
		f.at[feed] = c.Version
	}
	f.lost[feed] = false
	return nil
}

// read waits for entries of all streams that are not lost and applies them.
func (f *follower) read(ctx context.Context) error {
	var names, ids []string
	for _, feed := range f.feeds {
		if !f.lost[feed] {
			names = append(names, keysOf(feed).changes)
			ids = append(ids, version(f.at[feed])+"-0")
		}
	}
	if len(names) == 0 {
		return nil
	}
	streams, err := f.client.XRead(ctx, &redis.XReadArgs{
		Streams: append(names, ids...), Count: maxEntries, Block: blockFor,
	}).Result()
	if errors.Is(err, redis.Nil) {
		return f.compare(ctx)
	}
	if err != nil {
		return fmt.Errorf("read changes: %w", err)
	}
	for _, s := range streams {
		f.take(f.byKey[s.Stream], s.Messages)
	}
	return nil
}

// take applies entries in order. The first that does not fit makes the feed
// lost: the reader missed one, or the entry says to load.
func (f *follower) take(feed pricing.Feed, entries []redis.XMessage) {
	for _, e := range entries {
		text, _ := e.Values["change"].(string)
		if text != "" {
			ch, err := decodeChange([]byte(text))
			if err == nil && ch.Feed == feed && ch.From == f.at[feed] && f.apply(ch) {
				f.at[feed] = ch.To
				continue
			}
		}
		f.log.Debug("loading the whole catalog", "feed", feed, "have", f.at[feed], "entry", strings.TrimSuffix(e.ID, "-0"))
		f.lost[feed] = true
		return
	}
}

// compare finds feeds whose stream has nothing new although another version is
// in force: Redis lost its data and versions began anew below ours.
func (f *follower) compare(ctx context.Context) error {
	now, err := f.store.versions(ctx, f.feeds)
	if err != nil {
		return err
	}
	for i, feed := range f.feeds {
		if now[i] != 0 && now[i] != f.at[feed] {
			f.lost[feed] = true
		}
	}
	return nil
}
