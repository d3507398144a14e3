package skinsback

import (
	"errors"
	"io"
	"net/http"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/klauspost/compress/gzip"

	"skinarb/internal/scan"
	"skinarb/pricing"
)

// TestPeakMemoryOfALongList: whatever its length, a full list takes less than
// 48 MB while it is inflated and read, and no more when it is ten times as long.
// What is in use is looked at after collections without pause; what lives for
// less than one of them can be missed, but not what is kept.
func TestPeakMemoryOfALongList(t *testing.T) {
	const most, spread = 48_000_000, 4_000_000 // bytes
	c, err := New(Config{ClientID: testID, ClientSecret: testSecret})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	names := scan.NewNames(pricing.CS2)
	pull := func(rows int) {
		lots := lowestLots{names: names}
		body, compressed := io.Pipe()
		go func() {
			zip := gzip.NewWriter(compressed)
			_, err := io.Copy(zip, &longList{n: rows})
			compressed.CloseWithError(errors.Join(err, zip.Close()))
		}()
		resp := &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Encoding": {"gzip"}}, Body: body}
		list, _, err := c.receiveList(resp, c.pricelist(nil), lots.row)
		if err != nil || len(list.Rejected) != 0 || len(lots.found) != 1000 {
			t.Errorf("%d rows: got %v, rejected %v, %d names, want 1000", rows, err, list.Rejected, len(lots.found))
		}
	}
	pull(10_000) // the names are known from then on
	short, long := peak(func() { pull(50_000) }), peak(func() { pull(500_000) })
	if short > most || long > most {
		t.Errorf("got %d bytes for 50,000 rows and %d for 500,000, want at most %d", short, long, most)
	}
	if long > short+spread {
		t.Errorf("got %d bytes for 50,000 rows and %d for 500,000, want about the same", short, long)
	}
	t.Logf("%d bytes for 50,000 rows, %d for 500,000", short, long)
}

// peak tells how many bytes more than before were in use at most while do ran.
func peak(do func()) uint64 {
	inUse := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := inUse()
	var over atomic.Bool
	most := make(chan uint64)
	go func() {
		highest := before
		for !over.Load() {
			highest = max(highest, inUse())
		}
		most <- highest
	}()
	do()
	over.Store(true)
	return <-most - before
}
