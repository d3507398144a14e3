package redisstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"skinarb/fetch"
	"skinarb/pricing"
)

// OpenEmbedded starts a Redis inside this process, reachable from nowhere else.
// It is for one program alone.
//
// With a dir, every catalog is also kept in a file there, and loaded again at
// the next start: prices are not traded on until the first pull, and versions and
// Since go on where they were, so that orders keep their names. A dir belongs to one
// process. An empty dir keeps nothing.
func OpenEmbedded(dir string) (*Store, error) {
	server := miniredis.NewMiniRedis()
	server.ClockTTL(true) // else leases and pauses would never end
	o := options().Simple()
	o.Dialer = func(context.Context, string, string) (net.Conn, error) { return server.Dial() }
	s := newStore(func() redis.UniversalClient { return redis.NewClient(o) })
	s.loses = "the embedded Redis forgets everything when the program ends"
	s.closing = func() error {
		err := s.client.Close()
		server.Close()
		if s.files != nil {
			err = errors.Join(err, s.files.close())
		}
		return err
	}
	if dir == "" {
		return s, nil
	}
	if err := s.load(dir); err != nil {
		return nil, errors.Join(fmt.Errorf("load catalogs from %s: %w", dir, err), s.Close())
	}
	return s, nil
}

// load publishes what the files hold, and keeps them from now on.
func (s *Store) load(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	stored := &files{dir: dir}
	for _, m := range pricing.Markets {
		for _, g := range pricing.Games {
			f := pricing.Feed{Market: m, Game: g}
			c, blob, err := stored.read(f)
			if errors.Is(err, fetch.ErrNoCatalog) {
				continue
			}
			if err != nil {
				return err
			}
			ch := pricing.Change{Feed: f, To: c.Version}
			if err := s.publish(context.Background(), ch, func() ([]byte, error) { return blob, nil }); err != nil {
				return err
			}
		}
	}
	for _, m := range pricing.Markets {
		if err := errors.Join(s.recallPermits(stored, m), s.recallPause(stored, m)); err != nil {
			return err
		}
	}
	s.files = stored
	return nil
}

// publishSaved writes the file before anybody can see the version: a version
// that was seen must not be given to another catalog after a crash.
func (s *Store) publishSaved(ctx context.Context, c pricing.Catalog, ch pricing.Change) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, err := s.versions(ctx, []pricing.Feed{c.Feed})
	if err != nil {
		return err
	}
	if now[0] != ch.From {
		return fetch.ErrSuperseded
	}
	blob, err := encodeCatalog(c)
	if err != nil {
		return err
	}
	if err := s.files.write(c.Feed, blob); err != nil {
		return err
	}
	return s.publish(ctx, ch, func() ([]byte, error) { return blob, nil })
}

// files keeps one file for each feed, the same blob as in Redis.
type files struct {
	dir     string
	permits permitFiles
}

func (d *files) path(f pricing.Feed) string {
	return filepath.Join(d.dir, fmt.Sprintf("catalog-%s-%s.zst", f.Market, f.Game))
}

// read gives a feed's catalog and its blob, or fetch.ErrNoCatalog. A file that
// cannot be decoded is put aside and counts as none: the next pull replaces it.
func (d *files) read(f pricing.Feed) (pricing.Catalog, []byte, error) {
	blob, err := os.ReadFile(d.path(f))
	if errors.Is(err, fs.ErrNotExist) {
		return pricing.Catalog{}, nil, fetch.ErrNoCatalog
	}
	if err != nil {
		return pricing.Catalog{}, nil, err
	}
	c, err := decodeCatalog(blob)
	if err == nil && (c.Feed != f || c.Version == 0) {
		err = errBlob
	}
	if err != nil {
		if err := os.Rename(d.path(f), d.path(f)+".unreadable"); err != nil {
			return pricing.Catalog{}, nil, err
		}
		return pricing.Catalog{}, nil, fetch.ErrNoCatalog
	}
	return c, blob, nil
}

// write replaces the feed's file in one step.
func (d *files) write(f pricing.Feed, blob []byte) error {
	tmp, err := os.CreateTemp(d.dir, ".catalog-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // it is gone already when all went well
	_, err = tmp.Write(blob)
	if err == nil {
		err = tmp.Sync()
	}
	if err := errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), d.path(f))
}
