package redisstore

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/bsm/redislock"
	"github.com/redis/go-redis/v9"

	"skinarb/fetch"
	"skinarb/pricing"
)

const (
	callLimit    = 5 * time.Second  // longest that a small call may take, repetitions included
	catalogLimit = 20 * time.Second // the same for a whole catalog

	// releaseLimit is how long the operator's word waits for the fetcher, which
	// looks every second and after each pull.
	releaseLimit = 2 * time.Minute
)

// Store is a Redis, or the embedded stand-in for one. Open it with Open or
// OpenEmbedded. All methods are safe for concurrent use.
type Store struct {
	client  redis.UniversalClient
	connect func() redis.UniversalClient // another client of the same servers
	locks   *redislock.Client
	cluster bool

	// loses says how this Redis may lose what it acknowledged, however it is set;
	// empty when that is a matter of settings. See Journal.Durable.
	loses string

	// files is set on an embedded store that survives restarts. mu makes its
	// file and the publication one step.
	files *files
	mu    sync.Mutex

	closing func() error
}

var (
	_ fetch.Store  = (*Store)(nil)
	_ fetch.Leaser = (*Store)(nil)
)

func newStore(connect func() redis.UniversalClient) *Store {
	client := connect()
	_, cluster := client.(*redis.ClusterClient)
	s := &Store{client: client, connect: connect, locks: redislock.New(client), cluster: cluster, closing: client.Close}
	if cluster {
		s.loses = "a cluster may put a replica in a master's place that has not heard of the last writes"
	}
	return s
}

// Close ends all connections.
func (s *Store) Close() error { return s.closing() }

// Ping tells whether Redis answers.
func (s *Store) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	if err := s.client.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("ping redis: %w", err)
	}
	return nil
}

// Catalog gives the catalog in force, or fetch.ErrNoCatalog. When changes since the
// last snapshot are lost it puts that in force again, so it is for who leads f.
func (s *Store) Catalog(ctx context.Context, f pricing.Feed) (pricing.Catalog, error) {
	return s.catalog(ctx, f, true)
}

// catalog gives the catalog in force, or fetch.ErrNoCatalog; when changes are lost
// it is an error, unless it may fall back to the snapshot.
func (s *Store) catalog(ctx context.Context, f pricing.Feed, fallBack bool) (pricing.Catalog, error) {
	ctx, cancel := context.WithTimeout(ctx, catalogLimit)
	defer cancel()
	k := keysOf(f)
	parts, err := catalogScript.Run(ctx, s.client, []string{k.catalog, k.changes}, fallBack).StringSlice()
	if errors.Is(err, redis.Nil) {
		return pricing.Catalog{}, fetch.ErrNoCatalog
	}
	if err == nil && len(parts) < 2 {
		err = errBlob
	}
	if err != nil {
		return pricing.Catalog{}, fmt.Errorf("read catalog %s: %w", f, err)
	}
	c, err := decodeCatalog([]byte(parts[1]))
	if err != nil {
		return pricing.Catalog{}, fmt.Errorf("read catalog %s: %w", f, err)
	}
	changes := make([]pricing.Change, 0, len(parts)-2)
	for _, part := range parts[2:] {
		ch, err := decodeChange([]byte(part))
		if err != nil {
			return pricing.Catalog{}, fmt.Errorf("read catalog %s: %w", f, err)
		}
		changes = append(changes, ch)
	}
	if c, err = replay(c, changes); err != nil {
		return pricing.Catalog{}, fmt.Errorf("read catalog %s: %w", f, err)
	}
	if c.Feed != f || version(c.Version) != parts[0] {
		return pricing.Catalog{}, fmt.Errorf("read catalog %s: version %s is in force and %s of %s is stored", f, parts[0], version(c.Version), c.Feed)
	}
	return c, nil
}

// replay applies changes to a catalog, in order.
func replay(c pricing.Catalog, changes []pricing.Change) (pricing.Catalog, error) {
	if len(changes) == 0 {
		return c, nil
	}
	at := make(map[pricing.Item]int, len(c.Listings))
	for i := range c.Listings {
		at[c.Listings[i].Item] = i
	}
	for _, ch := range changes {
		if ch.Feed != c.Feed || ch.From != c.Version {
			return pricing.Catalog{}, fmt.Errorf("a change of %s from version %d does not fit %s at %d", ch.Feed, ch.From, c.Feed, c.Version)
		}
		for _, it := range ch.Gone {
			if i, ok := at[it]; ok { // the last one takes its place
				last := len(c.Listings) - 1
				c.Listings[i] = c.Listings[last]
				at[c.Listings[i].Item] = i
				c.Listings = c.Listings[:last]
				delete(at, it)
			}
		}
		for _, l := range ch.Set {
			if i, ok := at[l.Item]; ok {
				c.Listings[i] = l
				continue
			}
			at[l.Item] = len(c.Listings)
			c.Listings = append(c.Listings, l)
		}
		c.Version, c.ObservedAt = ch.To, ch.ObservedAt
	}
	return c, nil
}

// Publish puts c in force and tells the followers, if ch.From is still the
// version in force; else fetch.ErrSuperseded.
func (s *Store) Publish(ctx context.Context, c pricing.Catalog, ch pricing.Change) error {
	if c.Feed != ch.Feed || c.Version != ch.To || ch.To <= ch.From {
		return fmt.Errorf("publish %s: version %d of %s, and a change from %d to %d", ch.Feed, c.Version, c.Feed, ch.From, ch.To)
	}
	ctx, cancel := context.WithTimeout(ctx, catalogLimit)
	defer cancel()
	var err error
	if s.files != nil {
		err = s.publishSaved(ctx, c, ch)
	} else {
		err = s.publish(ctx, ch, func() ([]byte, error) { return encodeCatalog(c) })
	}
	if err != nil {
		return fmt.Errorf("publish version %d of %s: %w", c.Version, c.Feed, err)
	}
	return nil
}

// publish runs the script; snapshot is called when it needs one.
func (s *Store) publish(ctx context.Context, ch pricing.Change, snapshot func() ([]byte, error)) error {
	var change, blob []byte
	var err error
	if ch.From == 0 { // everything is new: followers load the snapshot
		blob, err = snapshot()
	} else {
		change, err = encodeChange(ch)
	}
	if err != nil {
		return err
	}
	k, token := keysOf(ch.Feed), rand.Text()
	for {
		answer, err := publishScript.Run(ctx, s.client, []string{k.catalog, k.changes},
			version(ch.From), version(ch.To), token, change, blob).Text()
		switch {
		case err != nil:
			return err
		case answer == "done":
			return nil
		case answer == "superseded":
			return fetch.ErrSuperseded
		case answer != "snapshot" || blob != nil:
			return fmt.Errorf("the script answered %q", answer)
		}
		if blob, err = snapshot(); err != nil {
			return err
		}
	}
}

// versions gives the version in force of each feed, 0 where there is none.
func (s *Store) versions(ctx context.Context, feeds []pricing.Feed) ([]uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	answers := make([]*redis.StringCmd, len(feeds))
	// Commands that found nothing make Pipelined fail: each answer is asked.
	_, _ = s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, f := range feeds {
			answers[i] = p.HGet(ctx, keysOf(f).catalog, "version")
		}
		return nil
	})
	found := make([]uint64, len(feeds))
	for i, a := range answers {
		v, err := a.Uint64()
		if err != nil && !errors.Is(err, redis.Nil) {
			return nil, fmt.Errorf("read the version of %s: %w", feeds[i], err)
		}
		found[i] = v
	}
	return found, nil
}

func version(v uint64) string { return strconv.FormatUint(v, 10) }

// wireStatus is a feed's status as it is stored.
type wireStatus struct {
	State       pricing.FeedState `json:"state"`
	Reason      string            `json:"reason,omitempty"`
	Items       int               `json:"items"`
	Changed     int               `json:"changed"`
	Rejected    int               `json:"rejected"`
	LastSuccess time.Time         `json:"last_success"`
	LastError   string            `json:"last_error,omitempty"`
	PullP50     time.Duration     `json:"pull_p50_ns"`
	PullP95     time.Duration     `json:"pull_p95_ns"`
	Version     uint64            `json:"version"`
}

// SetStatus keeps what is known of a feed.
func (s *Store) SetStatus(ctx context.Context, st pricing.FeedStatus) error {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	text, err := json.Marshal(wireStatus{st.State, st.Reason, st.Items, st.Changed, st.Rejected,
		st.LastSuccess, st.LastError, st.PullP50, st.PullP95, st.Version})
	if err == nil {
		err = s.client.Set(ctx, keysOf(st.Feed).status, text, 0).Err()
	}
	if err != nil {
		return fmt.Errorf("write the status of %s: %w", st.Feed, err)
	}
	return nil
}

// Statuses gives the status of every feed that has one, in the order of
// pricing.Markets and pricing.Games.
func (s *Store) Statuses(ctx context.Context) ([]pricing.FeedStatus, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	var feeds []pricing.Feed
	var answers []*redis.StringCmd
	_, _ = s.client.Pipelined(ctx, func(p redis.Pipeliner) error { // each answer is asked below
		for _, m := range pricing.Markets {
			for _, g := range pricing.Games {
				f := pricing.Feed{Market: m, Game: g}
				feeds = append(feeds, f)
				answers = append(answers, p.Get(ctx, keysOf(f).status))
			}
		}
		return nil
	})
	var out []pricing.FeedStatus
	for i, a := range answers {
		text, err := a.Bytes()
		if errors.Is(err, redis.Nil) {
			continue
		}
		var w wireStatus
		if err == nil {
			err = json.Unmarshal(text, &w)
		}
		if err != nil {
			return nil, fmt.Errorf("read the status of %s: %w", feeds[i], err)
		}
		out = append(out, pricing.FeedStatus{Feed: feeds[i], State: w.State, Reason: w.Reason, Items: w.Items,
			Changed: w.Changed, Rejected: w.Rejected, LastSuccess: w.LastSuccess, LastError: w.LastError,
			PullP50: w.PullP50, PullP95: w.PullP95, Version: w.Version})
	}
	return out, nil
}

// Release asks whoever fetches f to accept the catalog that it holds. The
// request is forgotten when nobody takes it within two minutes.
func (s *Store) Release(ctx context.Context, f pricing.Feed) error {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	if err := s.client.Set(ctx, keysOf(f).release, "asked", releaseLimit).Err(); err != nil {
		return fmt.Errorf("release %s: %w", f, err)
	}
	return nil
}

// TakeRelease tells whether a release of f was asked for, once.
func (s *Store) TakeRelease(ctx context.Context, f pricing.Feed) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	took, err := takeReleaseScript.Run(ctx, s.client, []string{keysOf(f).release}, rand.Text(), releaseLimit.Milliseconds()).Bool()
	if err != nil {
		return false, fmt.Errorf("look for a release of %s: %w", f, err)
	}
	return took, nil
}
