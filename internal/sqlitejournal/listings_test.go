package sqlitejournal

import (
	"path/filepath"
	"testing"

	"skinarb/execution"
	"skinarb/internal/storetest"
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
