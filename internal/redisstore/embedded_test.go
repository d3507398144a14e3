package redisstore

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"skinarb/fetch"
	"skinarb/internal/storetest"
	"skinarb/pricing"
)

func openIn(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := OpenEmbedded(dir)
	if err != nil {
		t.Fatalf("open an embedded store in %s: %v", dir, err)
	}
	return s
}

func TestARestartKeepsVersionsAndSince(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "prices")
	var c pricing.Catalog
	for version := uint64(1); version <= 60; version++ { // more than one snapshot
		s := openIn(t, dir)
		old := pricing.Listing{Item: pricing.Item{Game: storetest.Feed.Game, Name: "an item"}, Ask: pricing.Dollar}
		young := old
		young.Item.Name, young.Ask = "another", pricing.Money(version)
		next, ch := storetest.Follow(c, []pricing.Listing{old, young})
		if err := s.Publish(t.Context(), next, ch); err != nil {
			t.Fatalf("publish version %d: %v", version, err)
		}
		closing(t, s)()
		c = next
	}
	s := openIn(t, dir)
	defer closing(t, s)()
	got, err := s.Catalog(t.Context(), storetest.Feed)
	if diff := cmp.Diff(storetest.Sorted(c), storetest.Sorted(got)); err != nil || diff != "" {
		t.Errorf("after 60 restarts: %v (-want +got):\n%s", err, diff)
	}
	if got.Listings[0].Since != 1 || got.Listings[1].Since != 60 {
		t.Errorf("since: got %d and %d, want 1 and 60", got.Listings[0].Since, got.Listings[1].Since)
	}
}

func TestADamagedFileIsPutAside(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, dir)
	c, ch := storetest.Follow(pricing.Catalog{}, nil)
	if err := s.Publish(t.Context(), c, ch); err != nil {
		t.Fatalf("publish: %v", err)
	}
	path := s.files.path(c.Feed)
	closing(t, s)()
	blob, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("read the file: %v", err)
	}
	if err := os.WriteFile(path, blob[:len(blob)-1], 0o600); err != nil {
		t.Fatalf("cut the file: %v", err)
	}
	s = openIn(t, dir)
	defer closing(t, s)()
	if _, err := s.Catalog(t.Context(), c.Feed); !errors.Is(err, fetch.ErrNoCatalog) {
		t.Errorf("catalog from a damaged file: got %v, want ErrNoCatalog", err)
	}
	if _, err := os.Stat(path + ".unreadable"); err != nil {
		t.Errorf("the damaged file: got %v, want it put aside", err)
	}
	if err := s.Publish(t.Context(), c, ch); err != nil {
		t.Errorf("publish anew: %v", err)
	}
}

func TestAVersionIsNotSeenUnlessItIsKept(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, dir)
	defer closing(t, s)()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatalf("remove the directory: %v", err)
	}
	c, ch := storetest.Follow(pricing.Catalog{}, nil)
	if err := s.Publish(t.Context(), c, ch); err == nil {
		t.Error("publish without a place for the file: got no error")
	}
	if _, err := s.Catalog(t.Context(), c.Feed); !errors.Is(err, fetch.ErrNoCatalog) {
		t.Errorf("after that: got %v, want ErrNoCatalog", err)
	}
}
