package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"testing"
)

func TestHeldTellsWhatIsKept(t *testing.T) {
	const size = 64 << 20
	kept, block, err := held(func() ([]byte, error) { return make([]byte, size), nil })
	if err != nil || kept < size*0.9 || kept > size*1.5 {
		t.Errorf("a block of %d bytes: got %.0f, %v", size, kept, err)
	}
	runtime.KeepAlive(block)
	dropped, _, err := held(func() (int, error) { return len(make([]byte, size+int(block[0]))), nil })
	if err != nil || dropped > size/2 {
		t.Errorf("a block that is dropped: got %.0f bytes, %v, want next to none", dropped, err)
	}
}

func TestLotListIsReadWhole(t *testing.T) {
	l, err := newLotList(1, 40, 5)
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	pull, err := l.client.PullLots(t.Context(), game)
	if err != nil || len(pull.Listings) != 40 || len(pull.Rejected) != 0 {
		t.Fatalf("got %d names, rejected %v, %v, want 40 and none", len(pull.Listings), pull.Rejected, err)
	}
	for _, listing := range pull.Listings {
		if listing.Count != 5 || listing.Ask <= 0 {
			t.Errorf("%s: got %d lots from %s, want 5 at a price", listing.Item, listing.Count, listing.Ask)
		}
	}
	lots, err := decodeLots(l.body)
	if err != nil || len(lots) != l.rows {
		t.Errorf("the peer: got %d lots, %v, want %d", len(lots), err, l.rows)
	}
}

func TestResidentBytes(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has /proc")
	}
	rss, peak, err := residentBytes(os.Getpid())
	if err != nil || rss < 1<<20 || peak < rss {
		t.Errorf("this process: got %d bytes, at most %d, %v, want a megabyte at least", rss, peak, err)
	}
	if _, _, err := residentBytes(1 << 30); err == nil {
		t.Error("a process that cannot be: got no error")
	}
}

func TestCountItemsWaitsForEveryFeed(t *testing.T) {
	for body, want := range map[string]int{
		`{"feeds":[]}`:                         0,
		`{"feeds":[{"items":7},{"items":0}]}`:  0,
		`{"feeds":[{"items":7},{"items":12}]}`: 19,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(body))
		}))
		got, err := countItems(t.Context(), server.URL)
		if err != nil || got != want {
			t.Errorf("%s: got %d, %v, want %d", body, got, err, want)
		}
		server.Close()
	}
}
