package sih

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// row stands for an order: its id and its age.
type row struct {
	id int
	at time.Time
}

func identifyRow(r row) (int, time.Time) { return r.id, r.at }

// TestCollect reads lists newest first, oldest first or in no order, in pages of any
// size that the server likes, counts told or not, and gives each row that is young
// enough once.
func TestCollect(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		since := time.Unix(1_000_000, 0)
		list := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) row {
			id := rapid.IntRange(1, 1000).Draw(t, "id")
			if rapid.IntRange(0, 9).Draw(t, "untold") == 0 {
				return row{id: id}
			}
			return row{id, since.Add(time.Duration(rapid.IntRange(-5, 5).Draw(t, "age")) * time.Second)}
		}), 0, 60, func(r row) int { return r.id }).Draw(t, "list")
		order := rapid.SampledFrom([]string{"newest first", "oldest first", "none"}).Draw(t, "order")
		if order == "none" { // as its second row shows, or one without a time
			list = append([]row{{1001, since}, {1002, since.Add(time.Second)}}, list...)
		} else {
			list = slices.DeleteFunc(list, func(r row) bool { return order == "newest first" && r.at.IsZero() })
			slices.SortStableFunc(list, func(a, b row) int { return a.at.Compare(b.at) })
		}
		if order == "newest first" {
			slices.Reverse(list)
		}
		size := rapid.IntRange(1, 20).Draw(t, "size")
		counted := rapid.Bool().Draw(t, "counted")
		got, err := collect(since, func(offset int) (page[row], error) {
			p := page[row]{count: -1}
			if counted {
				p.count = len(list)
			}
			from := min(offset, len(list))
			p.rows = list[from:min(from+size, len(list))]
			return p, nil
		}, identifyRow)
		if err != nil {
			t.Fatal(err)
		}
		want := slices.DeleteFunc(slices.Clone(list), func(r row) bool { return !r.at.IsZero() && r.at.Before(since) })
		if !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

func TestCollectEnds(t *testing.T) {
	now := time.Unix(2_000_000, 0)
	newest := func(offset int) (page[row], error) {
		return page[row]{[]row{{offset, now.Add(-time.Duration(offset) * time.Second)}}, 1 << 30}, nil
	}
	oldest := func(offset int) (page[row], error) {
		return page[row]{[]row{{offset, now.Add(time.Duration(offset) * time.Second)}}, 1 << 30}, nil
	}
	atOnce := func(offset int) (page[row], error) { return page[row]{[]row{{offset, now}}, 1 << 30}, nil }
	same := func(int) (page[row], error) { return page[row]{[]row{{1, now}}, 1 << 30}, nil }
	broken := errors.New("broken")
	for _, tc := range []struct {
		name  string
		since time.Time
		read  func(int) (page[row], error)
		want  int
		pages int
		err   error
	}{
		{"newest first, old enough", now.Add(-50 * time.Second), newest, 51, 52, nil},
		{"newest first, as far as a few rows show", now, newest, 1, inOrder, nil},
		{"newest first, not old enough", now.Add(-500 * time.Second), newest, 0, maxPages, errPages},
		{"oldest first", now, oldest, 0, maxPages, errPages},
		{"oldest first, all of them old", now.Add(time.Hour), oldest, 0, maxPages, errPages},
		{"all at once", now.Add(time.Hour), atOnce, 0, maxPages, errPages},
		{"the same page for ever", now, same, 0, 2, errPages},
		{"a page fails", now, func(int) (page[row], error) { return page[row]{}, broken }, 0, 1, broken},
	} {
		pages := 0
		got, err := collect(tc.since, func(offset int) (page[row], error) { pages++; return tc.read(offset) }, identifyRow)
		if len(got) != tc.want || pages != tc.pages || !errors.Is(err, tc.err) {
			t.Errorf("%s: got %d rows of %d pages, %v, want %d of %d, %v", tc.name, len(got), pages, err, tc.want, tc.pages, tc.err)
		}
	}
}

func TestOrderHistorySamples(t *testing.T) {
	c := served(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("limit") != "100" {
			t.Errorf("got %s, want a limit of 100", r.URL)
		}
		if r.URL.Query().Get("offset") == "0" {
			io.WriteString(w, sample(t, "get-order-history.ok.json"))
			return
		}
		io.WriteString(w, sample(t, "get-order-history.empty.ok.json"))
	})
	orders, err := c.GetOrderHistory(t.Context(), time.Time{})
	if err != nil || len(orders) != 2 || orders[0].ID != 700123 || orders[1].ID != 700122 {
		t.Errorf("got %+v, %v, want the two orders of the sample", orders, err)
	}
	if orders, err := c.GetOrderHistory(t.Context(), created.Add(time.Second)); err != nil || len(orders) != 0 {
		t.Errorf("since after both: got %+v, %v, want none", orders, err)
	}
	if _, err := answering(t, 400, sample(t, "get-order-history.error.json")).History(t.Context(), time.Time{}); err == nil {
		t.Error("refused: got no error")
	}
}

func TestWalletSample(t *testing.T) {
	var asked string
	c := served(t, func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.String()
		io.WriteString(w, sample(t, "wallet-history.ok.json"))
	})
	got, err := c.WalletHistory(t.Context(), MainWallet, time.Time{}, WalletPurchase, WalletProtectionRefund)
	if err != nil {
		t.Fatal(err)
	}
	if want := "/wallet/history?limit=100&offset=0&typeIds=1%2C12&walletTypeId=1"; asked != want {
		t.Errorf("asked %s, want %s", asked, want)
	}
	if _, err := c.WalletHistory(t.Context(), DepositWallet, time.Time{}); err != nil || asked != "/wallet/history?limit=100&offset=0&walletTypeId=2" {
		t.Errorf("the deposit wallet: asked %s, %v", asked, err)
	}
	id := func(n int) string { return "527ee278-49e3-4138-b941-f32cc141f00" + strconv.Itoa(n) }
	at := func(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
	want := []Movement{
		{id(1), money("-1.01"), WalletPurchase, 700123, `{"orderId":700123}`, at(1769136000387)},
		{id(2), money("0.02"), WalletFairPrice, 700123, `{"orderId":700123}`, at(1769137200112)},
		{id(3), money("0.99"), WalletProtectionRefund, 700123, `{"orderId":700123}`, at(1769400010900)},
		{id(4), money("-2.5"), WalletPurchase, 700122, `{"orderId":700122}`, at(1769130000001)},
		{id(5), money("2.5"), WalletRefund, 700122, `{"orderId":700122}`, at(1769130900001)},
		{id(6), money("500"), WalletTransfer, 0, `{}`, at(1769100000000)},
		{id(7), money("12.3"), WalletDeposit, 0, `{}`, at(1769100500000)},
		{id(8), money("5"), WalletManualRefund, 0, `{}`, at(1769100600000)},
		{id(9), money("-0.4"), 7, 0, `{}`, at(1769100700000)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for status, bodies := range map[int][]string{
		400: {sample(t, "wallet-history.error.json")},
		200: {`{"success":true}`, `{"success":true,"history":[]}`, `{"success":true,"data":{}}`, `{"success":true,"data":[{"id":"x"}]}`, `{"success":true,"data":[{"amount":1}]}`},
	} {
		for _, body := range bodies {
			if rows, err := answering(t, status, body).WalletHistory(t.Context(), MainWallet, time.Time{}); err == nil {
				t.Errorf("%d %s: got %+v and no error", status, body, rows)
			}
		}
	}
}
