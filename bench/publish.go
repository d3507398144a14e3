package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"skinarb/fetch"
	"skinarb/internal/redisstore"
	"skinarb/markets/skinsback"
	"skinarb/pricing"
)

const (
	changeShare = 50 // one of so many listings changes: 2 %
	deltas      = 50 // publications of what changed, one after another
)

// runPublish measures putting catalogs in force: whole, and what changed of one.
func runPublish(ctx context.Context, s *session) error {
	s.progress.say("publish: making the catalogs")
	catalog, err := s.rig.catalog(ctx, s.rig.sources[1], 1)
	if err != nil {
		return err
	}
	list, err := newLongList(ctx, s)
	if err != nil {
		return err
	}
	defer list.close()
	servers, stop, err := openPublishRedises(ctx, s)
	if err != nil {
		return err
	}
	defer stop()

	s.out.note("Whole: the first catalog of a feed, %d listings. Delta: %d publications of which each changes every %dth ask; the mean has the snapshots that fall due among them, the median none.", len(catalog.Listings), deltas, changeShare)
	s.out.note("The peers write the same listings, each as encoding/json makes it: a hash for each item, all fields of one hash, or one value that a second name is swapped with. They check no version, keep no history, and tell nobody. The embedded Redis, which is miniredis behind a port of loopback here, is far too slow with a key for each item to be asked for that.")
	s.out.note("Visible: from a market's whole body, still compressed in memory, over inflating, decoding, checking, diffing and publishing to the first answer of another replica's HTTP API that has the new version. The replica has connections of its own and is asked without pause.")
	s.out.note("Round trips are counted by a relay between the store and Redis, which stands in the way of no other figure. Bytes are what MEMORY USAGE says of all keys.")
	for _, r := range servers {
		p := &publishing{session: s, redis: r, catalog: catalog, list: list, took: map[string]time.Duration{}}
		if err := p.measure(ctx); err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
	}
	return nil
}

// publishing is all that is measured on one Redis. Every task begins with an
// empty one.
type publishing struct {
	*session
	redis   *publishRedis
	catalog pricing.Catalog
	list    *listServer
	took    map[string]time.Duration // of the last round, by subject
}

func (p *publishing) subject(what string) string { return what + " → " + p.redis.name }

func (p *publishing) measure(ctx context.Context) error {
	whole, delta := p.subject("publish, whole"), p.subject("publish, delta of 2 %")
	full, floor := p.subject("skinsback full=1"), p.subject("skinsback full=1, inflate alone, for")
	tasks := []task{
		{whole, func() error { return p.whole(ctx, whole) }},
		{delta, func() error { return p.deltas(ctx, delta) }},
	}
	var peers []publishPeer
	for _, peer := range publishPeers {
		if peer.realOnly && !p.redis.real {
			continue
		}
		peers = append(peers, peer)
		subject := p.subject(peer.name)
		tasks = append(tasks, task{subject, func() error { return p.peer(ctx, subject, peer) }})
	}
	for _, src := range p.rig.sources {
		subject := p.subject(string(src.Market()) + ": visible")
		tasks = append(tasks, task{subject, func() error { return p.visible(ctx, subject, src) }})
	}
	tasks = append(tasks,
		task{full, func() error { return p.full(ctx, full) }},
		task{floor, func() error {
			d, _, err := timed(func() error { _, err := p.list.inflate(ctx); return err })
			p.took[floor] = d
			return err
		}},
	)
	if _, err := p.list.client.PullLots(ctx, game); err != nil { // the names are known from then on
		return err
	}
	return p.rounds(ctx, round{tasks: tasks, after: func() error {
		p.out.add(delta, "speed against whole", "x", p.took[whole].Seconds()/p.took[delta].Seconds())
		for _, peer := range peers {
			against := "speed against " + peer.name
			p.out.add(whole, against, "x", p.took[p.subject(peer.name)].Seconds()/p.took[whole].Seconds())
			p.out.add(delta, against, "x", p.took[p.subject(peer.name)].Seconds()/p.took[delta].Seconds())
		}
		p.out.add(full, "published, against inflating alone", "x", p.took[floor].Seconds()/p.took[full].Seconds())
		return p.countTrips(ctx, whole, delta)
	}})
}

// whole publishes the first catalog of a feed.
func (p *publishing) whole(ctx context.Context, subject string) error {
	if err := p.redis.empty(ctx); err != nil {
		return err
	}
	took, _, err := timed(func() error { return first(ctx, p.redis.store, p.catalog) })
	if err != nil {
		return err
	}
	p.took[subject] = took
	p.out.add(subject, "time", "ms", took.Seconds()*1e3)
	p.out.add(subject, "items", "items/s", float64(len(p.catalog.Listings))/took.Seconds())
	return p.addStored(ctx, subject)
}

// deltas publishes changes of a catalog that is in force.
func (p *publishing) deltas(ctx context.Context, subject string) error {
	if err := p.redis.empty(ctx); err != nil {
		return err
	}
	if err := first(ctx, p.redis.store, p.catalog); err != nil {
		return err
	}
	c, times, total := p.catalog, []time.Duration{}, time.Duration(0)
	for range deltas {
		next, change := changed(c)
		start := time.Now()
		if err := p.redis.store.Publish(ctx, next, change); err != nil {
			return err
		}
		c = next
		times, total = append(times, time.Since(start)), total+time.Since(start)
	}
	slices.Sort(times)
	p.took[subject] = times[len(times)/2]
	p.out.add(subject, "time", "ms", p.took[subject].Seconds()*1e3)
	p.out.add(subject, "time, mean", "ms", total.Seconds()*1e3/deltas)
	return p.addStored(ctx, subject)
}

// peer writes the catalog as a peer does.
func (p *publishing) peer(ctx context.Context, subject string, peer publishPeer) error {
	if err := p.redis.empty(ctx); err != nil {
		return err
	}
	trips := 0
	took, _, err := timed(func() (err error) {
		trips, err = peer.write(ctx, p.redis.client, p.catalog)
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", subject, err)
	}
	p.took[subject] = took
	p.out.add(subject, "time", "ms", took.Seconds()*1e3)
	p.out.add(subject, "items", "items/s", float64(len(p.catalog.Listings))/took.Seconds())
	p.out.add(subject, "round trips", "round trips", float64(trips))
	return p.addStored(ctx, subject)
}

// full pulls the list of all lots, from HTTP, and publishes what it comes to.
func (p *publishing) full(ctx context.Context, subject string) error {
	if err := p.redis.empty(ctx); err != nil {
		return err
	}
	r := &refresh{src: lotSource{p.list.client}, store: p.redis.store, subject: subject}
	if err := r.measure(ctx, p.out); err != nil {
		return err
	}
	p.out.add(subject, "rows", "rows/s", float64(p.list.rows)/r.took.Seconds())
	p.took[subject] = r.took
	return nil
}

// lotSource is SkinsBack as a source that reads all lots.
type lotSource struct{ *skinsback.Client }

func (l lotSource) Pull(ctx context.Context, g pricing.Game) (fetch.Pull, error) {
	return l.PullLots(ctx, g)
}

// countTrips publishes once more over the relay.
func (p *publishing) countTrips(ctx context.Context, whole, delta string) error {
	if err := p.redis.empty(ctx); err != nil {
		return err
	}
	next, change := changed(p.catalog)
	for _, publication := range []struct {
		subject string
		run     func() error
	}{
		{whole, func() error { return first(ctx, p.redis.counted, p.catalog) }},
		{delta, func() error { return p.redis.counted.Publish(ctx, next, change) }},
	} {
		before := p.redis.relay.trips.Load()
		if err := publication.run(); err != nil {
			return err
		}
		p.out.add(publication.subject, "round trips", "round trips", float64(p.redis.relay.trips.Load()-before))
	}
	return nil
}

// addStored adds what Redis needs for all that is in it.
func (p *publishing) addStored(ctx context.Context, subject string) error {
	if !p.redis.real {
		return nil // the embedded one cannot tell
	}
	bytes, err := p.redis.stored(ctx)
	if err != nil {
		return err
	}
	p.out.add(subject, "in Redis", "B/item", float64(bytes)/float64(len(p.catalog.Listings)))
	return nil
}

// first publishes the first catalog of its feed.
func first(ctx context.Context, store *redisstore.Store, c pricing.Catalog) error {
	return store.Publish(ctx, c, fetch.Diff(pricing.Catalog{Feed: c.Feed}, c))
}

// changed gives the catalog that follows c, in which every changeShare-th listing
// has another ask, and the change that leads there.
func changed(c pricing.Catalog) (pricing.Catalog, pricing.Change) {
	next := c
	next.Version, next.ObservedAt = c.Version+1, c.ObservedAt.Add(time.Minute)
	next.Listings = slices.Clone(c.Listings)
	for i := int(c.Version) % changeShare; i < len(next.Listings); i += changeShare {
		next.Listings[i].Ask += pricing.Cent
	}
	return next, fetch.Diff(c, next)
}
