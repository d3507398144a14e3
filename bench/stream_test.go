package main

import (
	"bufio"
	"io"
	"os/exec"
	"strings"
	"testing"
	"time"

	"skinarb/pricing"
)

// smallBook is a book of one market with some listings.
func smallBook(t *testing.T, listings int) *liveBook {
	t.Helper()
	c := twoThousand()
	c.Listings = c.Listings[:listings]
	book, _ := pricing.NewBook().With(c)
	prices := &liveBook{}
	prices.book.Store(book)
	return prices
}

func TestAudienceHearsEveryChange(t *testing.T) {
	prices := smallBook(t, 10)
	a := newAudience(prices)
	defer a.close()
	if err := a.join(3); err != nil {
		t.Fatal(err)
	}
	feed := feedOf(pricing.SIH)
	for _, positions := range [][]int{{4}, {1, 2, 3}, onShelf(prices.Book(), feed, 1)} {
		wait := a.expect(len(positions))
		start := time.Now()
		if err := a.apis.change(feed, positions); err != nil {
			t.Fatal(err)
		}
		if err := wait(t.Context()); err != nil {
			t.Fatalf("%d changes: %v", len(positions), err)
		}
		for i, r := range a.readers {
			if took := r.at.Sub(start); took <= 0 || took > eventPatience {
				t.Errorf("%d changes: got them after %s at reader %d, want between 0 and %s", len(positions), took, i, eventPatience)
			}
		}
	}
}

func TestAudienceTellsOfAStreamThatEnds(t *testing.T) {
	a := newAudience(smallBook(t, 1))
	defer a.close()
	if err := a.join(2); err != nil {
		t.Fatal(err)
	}
	wait := a.expect(1)
	a.readers[1].stream.conn.Close()
	if err := wait(t.Context()); err == nil {
		t.Error("got no error, want the one of the reader whose connection ended")
	}
}

func TestNextReadsPrices(t *testing.T) {
	const price = "id: 1\nevent: price\ndata: {}\n\n"
	for text, want := range map[string]struct {
		size int
		err  string
	}{
		price:                                    {len(price), ""},
		": heartbeat\n\n" + price:                {len(": heartbeat\n\n" + price), ""},
		"id: 1\nevent: reset\ndata: {}\n\n":      {0, "missed"},
		"id: 1\nevent: price\ndata: {}\n":        {0, "EOF"},
		"event: price\ndata: {}\nid: 3\n\nid: 2": {len("event: price\ndata: {}\nid: 3\n\n"), ""},
	} {
		s := stream{body: bufio.NewReader(strings.NewReader(text))}
		size, err := s.next()
		if want.err == "" && (err != nil || size != want.size) {
			t.Errorf("%q: got %d bytes, %v, want %d", text, size, err, want.size)
		}
		if want.err != "" && (err == nil || !strings.Contains(err.Error(), want.err)) {
			t.Errorf("%q: got error %v, want %q", text, err, want.err)
		}
	}
}

func TestFileServersServeTheBodies(t *testing.T) {
	bodies := map[string][]byte{"/identity": []byte("{}\n"), "/gzip": {1, 2, 3}}
	servers := map[string]func() (*fileServer, error){
		"bare": func() (*fileServer, error) { return startBare(bodies) },
	}
	if program, err := exec.LookPath("nginx"); err == nil {
		servers["nginx"] = func() (*fileServer, error) { return startNginx(t.Context(), program, bodies) }
	}
	for name, start := range servers {
		s, err := start()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		defer s.close()
		for path, body := range bodies {
			var got strings.Builder
			n, err := download(wanted{path, "identity"}, s.address, &got)
			if err != nil || n != int64(len(body)) || got.String() != string(body) {
				t.Errorf("%s%s: got %q, %v, want %q", name, path, got.String(), err, body)
			}
		}
		if _, err := download(wanted{"/nothing", "identity"}, s.address, io.Discard); err == nil {
			t.Errorf("%s: got no error for a path that it does not have", name)
		}
	}
}

func TestNginxThatFailsTellsWhy(t *testing.T) {
	if _, err := startNginx(t.Context(), "/nothing/nginx", nil); err == nil || !strings.Contains(err.Error(), "/nothing/nginx") {
		t.Errorf("got %v, want an error that names the program", err)
	}
}

func TestOnShelfTakesEveryNth(t *testing.T) {
	prices, feed := smallBook(t, 100), feedOf(pricing.SIH)
	for share, want := range map[int]int{1: 100, 50: 2, 1000: 1} {
		if got := len(onShelf(prices.Book(), feed, share)); got != want {
			t.Errorf("every %dth of 100: got %d, want %d", share, got, want)
		}
	}
	if got := onShelf(prices.Book(), feedOf(pricing.SkinsBack), 1); len(got) != 0 {
		t.Errorf("a market without a catalog: got %d, want none", len(got))
	}
}
