package partner_test

import (
	"context"
	"maps"
	"slices"
	"sync"
	"testing"

	"skinarb/internal/storetest"
	"skinarb/partner"
)

// memStore is a store in memory. fault decides one call: whether it happens, and
// what the caller hears; nil is a store that works.
type memStore struct {
	mu     sync.Mutex
	all    map[string]partner.Purchase
	nextID int64
	fault  func(call string) (happens bool, err error)
}

func newMemStore() *memStore { return &memStore{all: map[string]partner.Purchase{}, nextID: 1001} }

func TestMemStore(t *testing.T) {
	storetest.Purchases(t, func(testing.TB) (partner.Store, func() partner.Store) {
		s := newMemStore()
		return s, func() partner.Store { return s }
	})
}

// begin locks the store, and tells whether the call happens and what is to be
// answered although it did.
func (s *memStore) begin(ctx context.Context, call string) (happens bool, lost error) {
	s.mu.Lock()
	if err := ctx.Err(); err != nil {
		return false, err
	}
	if s.fault == nil {
		return true, nil
	}
	return s.fault(call)
}

func (s *memStore) Create(ctx context.Context, p partner.Purchase) (partner.Purchase, bool, error) {
	happens, lost := s.begin(ctx, "create")
	defer s.mu.Unlock()
	if !happens {
		return partner.Purchase{}, false, lost
	}
	stored, known := s.all[p.CustomID]
	if !known {
		for _, other := range s.all {
			if other.ItemID == p.ItemID && other.State.Holds() {
				return partner.Purchase{}, false, partner.ErrItemTaken
			}
		}
		stored = p
		stored.ID = s.nextID
		s.nextID++
		s.all[p.CustomID] = stored
	}
	if lost != nil {
		return partner.Purchase{}, false, lost
	}
	return stored, !known, nil
}

func (s *memStore) Get(ctx context.Context, customID string) (partner.Purchase, error) {
	happens, lost := s.begin(ctx, "get")
	defer s.mu.Unlock()
	p, known := s.all[customID]
	switch {
	case !happens || lost != nil:
		return partner.Purchase{}, lost
	case !known:
		return partner.Purchase{}, partner.ErrNoPurchase
	}
	return p, nil
}

func (s *memStore) OfItem(ctx context.Context, itemID string) (newest partner.Purchase, err error) {
	happens, lost := s.begin(ctx, "of item")
	defer s.mu.Unlock()
	if !happens || lost != nil {
		return partner.Purchase{}, lost
	}
	for _, p := range s.all {
		if p.ItemID == itemID && p.ID > newest.ID {
			newest = p
		}
	}
	if newest.ID == 0 {
		return partner.Purchase{}, partner.ErrNoPurchase
	}
	return newest, nil
}

func (s *memStore) Advance(ctx context.Context, customID string, n partner.News) (partner.Purchase, error) {
	happens, lost := s.begin(ctx, "advance")
	defer s.mu.Unlock()
	p, known := s.all[customID]
	switch {
	case !happens:
		return partner.Purchase{}, lost
	case !known:
		return partner.Purchase{}, partner.ErrNoPurchase
	}
	next, err := p.With(n)
	if err != nil {
		return partner.Purchase{}, err
	}
	s.all[customID] = next
	return next, lost
}

func (s *memStore) Open(ctx context.Context) ([]partner.Purchase, error) {
	happens, lost := s.begin(ctx, "open")
	defer s.mu.Unlock()
	if !happens || lost != nil {
		return nil, lost
	}
	all := slices.Collect(maps.Values(s.all))
	all = slices.DeleteFunc(all, func(p partner.Purchase) bool { return !p.State.Open() })
	slices.SortFunc(all, func(a, b partner.Purchase) int { return int(a.ID - b.ID) })
	return all, nil
}
