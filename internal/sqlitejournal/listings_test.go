package sqlitejournal

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"skinarb/execution"
	"skinarb/internal/storetest"
	"skinarb/partner"
	"skinarb/pricing"
	"skinarb/selling"
)

func TestSelling(t *testing.T) {
	storetest.Selling(t, func(t *testing.T) storetest.SellingStore {
		path := filepath.Join(t.TempDir(), "journal.db")
		j := mustOpen(t, path)
		return storetest.SellingStore{
			Journal: j.Selling(),
			Adopt:   func(o execution.Order) error { _, err := j.Adopt(t.Context(), o); return err },
			Stop:    func(stopped bool) error { return j.SetTrading(t.Context(), execution.Trading{Stopped: stopped}) },
			Reopen: func() selling.Journal {
				if err := j.Close(); err != nil {
					t.Fatal(err)
				}
				return mustOpen(t, path).Selling()
			},
		}
	})
}

// TestGoodsAreOpenOnce: even a journal that forgot to look would not store two
// open listings of the same goods.
func TestGoodsAreOpenOnce(t *testing.T) {
	j := mustOpen(t, filepath.Join(t.TempDir(), "journal.db"))
	insert := func(id, holder, goods string, open int) error {
		_, err := j.writer.ExecContext(t.Context(), `INSERT INTO listings VALUES (?,?,1,'sih','cs2','n','',?,1,1,'listed',?,1,'','',0,'','',0,0,0,0)`, id, holder, goods, open)
		return err
	}
	if err := insert("a", "a", "1", 1); err != nil {
		t.Fatal(err)
	}
	if err := insert("b", "b", "1", 1); err == nil {
		t.Error("a second open listing of the same goods was stored")
	}
	if err := insert("c", "c", "1", 0); err != nil {
		t.Errorf("one that has ended: got error %v, want none", err)
	}
}

// TestPruneKeepsWhatABuyerOrdered: the listing tells what the goods of a buyer's
// order are.
func TestPruneKeepsWhatABuyerOrdered(t *testing.T) {
	j := mustOpen(t, filepath.Join(t.TempDir(), "journal.db"))
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	buyer, err := partner.ParseBuyer("76561198000000000", "SSH18JS")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := j.Purchases().Create(t.Context(), partner.Purchase{CustomID: "fast-1", ItemID: "2", Buyer: buyer, Price: pricing.Dollar, State: partner.Created, CreatedAt: at, UpdatedAt: at}); err != nil {
		t.Fatal(err)
	}
	for _, goods := range []string{"1", "2", "3"} {
		l, err := j.Selling().Begin(t.Context(), selling.Offer{Holder: "btb " + goods, Market: pricing.SIH, Goods: goods, Price: pricing.Dollar}, at)
		if err != nil {
			t.Fatal(err)
		}
		l.State = selling.Withdrawn
		if _, err := j.Selling().Advance(t.Context(), l); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := j.Selling().Prune(t.Context(), at.Add(time.Hour), 10); err != nil || got != 2 {
		t.Errorf("pruned %d, error %v, want all but what was ordered", got, err)
	}
	left, err := j.Selling().InStates(t.Context(), pricing.SIH, time.Time{}, selling.Withdrawn)
	if err != nil || len(left) != 1 || left[0].Goods != "2" {
		t.Errorf("left are %+v, error %v, want what was ordered", left, err)
	}
	// Nobody waits for a look that finds nothing to forget.
	err = j.write(t.Context(), func(ctx context.Context, _ *sql.Tx) error {
		got, err := j.Selling().Prune(ctx, at.Add(time.Hour), 10)
		if err == nil && got != 0 {
			err = fmt.Errorf("pruned %d", got)
		}
		return err
	})
	if err != nil {
		t.Errorf("while another writes: %v", err)
	}
}

// TestPruneVisitsFewRows: the search for what may be forgotten begins with what is
// old, and reads no table from end to end.
func TestPruneVisitsFewRows(t *testing.T) {
	j := mustOpen(t, filepath.Join(t.TempDir(), "journal.db"))
	rows, err := j.readers.QueryContext(t.Context(), `EXPLAIN QUERY PLAN `+prunable, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var plan []string
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			t.Fatal(err)
		}
		plan = append(plan, step)
	}
	text := strings.Join(plan, "\n")
	if rows.Err() != nil || !strings.Contains(text, "INDEX listings_state (state=? AND updated_at<?)") || strings.Contains(text, "SCAN") || strings.Contains(text, "TEMP B-TREE") {
		t.Errorf("error %v, the plan is\n%s", rows.Err(), text)
	}
}

// TestProfits: what a buyer's order brought counts on the day of the
// purchase that was made for it, once its listing is paid for; and the same of a
// position.
func TestProfits(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	const d = pricing.Dollar
	for name, tt := range map[string]struct {
		state    execution.State
		paid     pricing.Money // for an ask of 9 with a fee of 0.45
		refunded pricing.Money
		want     pricing.Money // sold for 9.90
	}{
		"the fee comes on top":                                {execution.Settled, 9 * d, 0, 450_000},
		"the fee is in the price":                             {execution.Settled, 9_400_000, 0, 500_000},
		"the price was not told":                              {execution.Settled, 0, 0, 450_000},
		"some came back":                                      {execution.Settled, 9 * d, d, 1_450_000},
		"taken back when it was sold, which its order counts": {execution.RolledBack, 9 * d, 0, 9_900_000},
	} {
		for _, buyers := range []bool{true, false} {
			r := execution.Request{
				Market: pricing.SkinsBack, SellOn: pricing.SIH, Item: pricing.Item{Game: pricing.CS2, Name: "Kilowatt Case"}, MarketName: "Kilowatt Case",
				Ask: 9 * d, Cost: 9_450_000, Proceeds: 10 * d,
			}
			if buyers {
				r.Buyer = execution.Buyer{Ref: "fast-1"}
			}
			o := execution.Order{ID: r.ID(), Request: r, State: tt.state, Paid: tt.paid, Refunded: tt.refunded, CreatedAt: at, UpdatedAt: at, SpentAt: at}
			j := mustOpen(t, filepath.Join(t.TempDir(), "journal.db"))
			if _, err := j.Adopt(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			if buyers {
				ordered(t, j, "fast-1", at)
			} else if err := j.Selling().Enter(t.Context(), selling.PositionOf(o, at)); err != nil {
				t.Fatal(err)
			}
			l, err := j.Selling().Begin(t.Context(), selling.Offer{Holder: string(o.ID), Market: pricing.SIH, Item: r.Item, Goods: "1", Price: 11 * d}, at)
			if err != nil {
				t.Fatal(err)
			}
			profits := func() []selling.Profit {
				t.Helper()
				all, err := j.Selling().Profits(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				return all
			}
			if got := profits(); len(got) != 0 {
				t.Errorf("%s: before it is paid for: got %+v", name, got)
			}
			l.State, l.Proceeds, l.CreditRef = selling.Sold, 9_900_000, "w-1"
			if _, err := j.Selling().Advance(t.Context(), l); err != nil {
				t.Fatal(err)
			}
			want := []selling.Profit{{Day: at.Truncate(24 * time.Hour), Amount: tt.want}}
			if diff := cmp.Diff(want, profits()); diff != "" {
				t.Errorf("%s, for a buyer %t: profits (-want +got):\n%s", name, buyers, diff)
			}
		}
	}
}

// ordered enters a buyer's order of goods 1.
func ordered(t *testing.T, j *Journal, customID string, at time.Time) {
	t.Helper()
	buyer, err := partner.ParseBuyer("76561198000000000", "SSH18JS")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := j.Purchases().Create(t.Context(), partner.Purchase{CustomID: customID, ItemID: "1", Buyer: buyer, Price: 11 * pricing.Dollar, State: partner.Created, CreatedAt: at, UpdatedAt: at}); err != nil {
		t.Fatal(err)
	}
}
