package sqlitejournal

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"skinarb/internal/storetest"
	"skinarb/partner"
	"skinarb/pricing"
)

func TestPurchases(t *testing.T) {
	storetest.Purchases(t, func(t testing.TB) (partner.Store, func() partner.Store) {
		path := filepath.Join(t.TempDir(), "journal.db")
		j, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = j.Close() })
		return j.Purchases(), func() partner.Store {
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			if j, err = Open(path); err != nil {
				t.Fatal(err)
			}
			return j.Purchases()
		}
	})
}

func aPurchase(n int) partner.Purchase {
	return partner.Purchase{
		CustomID: fmt.Sprintf("fast-%d", n), ItemID: fmt.Sprint(n), Price: pricing.Dollar,
		Buyer: partner.Buyer{SteamID: "76561198000000000", Token: "SSH18JS"}, State: partner.Created,
		CreatedAt: time.Unix(1_770_000_000, 0), UpdatedAt: time.Unix(1_770_000_000, 0),
	}
}

// TestPurchasesFailingWrites: a write that fails leaves nothing of itself, and says
// so without the token.
func TestPurchasesFailingWrites(t *testing.T) {
	j := mustOpen(t, filepath.Join(t.TempDir(), "journal.db"))
	s := j.Purchases()
	before, _, err := s.Create(t.Context(), aPurchase(1))
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"INSERT", "UPDATE"} {
		if _, err := j.writer.Exec("CREATE TRIGGER broken" + verb + " AFTER " + verb + " ON purchases BEGIN SELECT raise(ABORT, 'broken'); END"); err != nil {
			t.Fatal(err)
		}
	}
	_, created, create := s.Create(t.Context(), aPurchase(2))
	_, advance := s.Advance(t.Context(), "fast-1", partner.News{State: partner.Failed, Reason: partner.SendTimeout})
	for name, err := range map[string]error{"create": create, "advance": advance} {
		if err == nil || !strings.Contains(err.Error(), "fast-") || strings.Contains(err.Error(), "SSH18JS") {
			t.Errorf("%s: got error %v, want one that names the purchase and no token", name, err)
		}
	}
	all, err := s.Open(t.Context())
	if err != nil || created || len(all) != 1 || all[0] != before {
		t.Errorf("left behind: %+v, error %v, want the first purchase as it was", all, err)
	}
}

// TestPurchasesClosed: every method says that the journal is closed.
func TestPurchasesClosed(t *testing.T) {
	j := mustOpen(t, filepath.Join(t.TempDir(), "journal.db"))
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	s, ctx := j.Purchases(), t.Context()
	_, _, create := s.Create(ctx, aPurchase(1))
	_, get := s.Get(ctx, "fast-1")
	_, ofItem := s.OfItem(ctx, "1")
	_, advance := s.Advance(ctx, "fast-1", partner.News{State: partner.Sent, OfferID: 1})
	_, list := s.Open(ctx)
	for name, err := range map[string]error{"Create": create, "Get": get, "OfItem": ofItem, "Advance": advance, "Open": list} {
		if err == nil {
			t.Errorf("%s on a closed journal: got no error, want one", name)
		}
	}
}

// oneDesk sells everything for a dollar.
type oneDesk struct{}

func (oneDesk) Goods(id string) string           { return id }
func (oneDesk) Ask(string) (pricing.Money, bool) { return pricing.Dollar, true }

func sign(text string) string {
	mac := hmac.New(sha1.New, []byte("key"))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

func partnerServer(b *testing.B) *partner.Server {
	b.Helper()
	j, err := Open(filepath.Join(b.TempDir(), "journal.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = j.Close() })
	s, err := partner.New(partner.Config{Key: []byte("key"), Store: j.Purchases(), Desk: oneDesk{}})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func takeOrder(b *testing.B, s *partner.Server, n int) {
	b.Helper()
	body := fmt.Sprintf(`{"id":"%d","steamId":"76561198000000000","token":"SSH18JS","price":1.23,"customId":"fast-%d"}`, n, n)
	if got := s.Create(context.Background(), []byte(body), sign(body)); !strings.HasPrefix(string(got), `{"success":true`) {
		b.Fatalf("order %d: got %s", n, got)
	}
}

// BenchmarkCreatePurchase is how long SIH waits for an order: signature, look-up and
// one durable commit.
func BenchmarkCreatePurchase(b *testing.B) {
	s := partnerServer(b)
	for n := 0; b.Loop(); n++ {
		takeOrder(b, s, n)
	}
}

// BenchmarkGetPurchase is one poll.
func BenchmarkGetPurchase(b *testing.B) {
	s := partnerServer(b)
	for n := range 1000 {
		takeOrder(b, s, n)
	}
	signature := sign(`{"customId":"fast-500"}`)
	for b.Loop() {
		if got := s.Get(context.Background(), "customId=fast-500", signature); !strings.HasPrefix(string(got), `{"success":true`) {
			b.Fatalf("got %s", got)
		}
	}
}
