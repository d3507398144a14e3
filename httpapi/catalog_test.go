package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"skinarb/pricing"
)

const catalogTarget = "/v1/catalog?game=cs2&market=skinsback"

// TestCatalog expects every listing of the feed once, as quotes are everywhere.
func TestCatalog(t *testing.T) {
	s := New(newWorld().cfg)
	got := ask(t, s, request("GET", catalogTarget, ""))
	if got.status != 200 || got.header.Get("Content-Type") != "application/x-ndjson" {
		t.Fatalf("got %d %s, want 200 and NDJSON", got.status, got.header.Get("Content-Type"))
	}
	lines := strings.Split(strings.TrimSuffix(got.body, "\n"), "\n")
	if want := testBook().Live(sbCS2); len(lines) != want {
		t.Errorf("got %d lines, want %d", len(lines), want)
	}
	golden(t, "catalog", "["+strings.Join(lines, ",")+"]")
	if head := ask(t, s, request("HEAD", catalogTarget, "")); head.status != 200 || head.body != "" || head.header.Get("ETag") != got.header.Get("ETag") {
		t.Errorf("HEAD: got %d %q with ETag %s, want the headers of GET alone", head.status, head.body, head.header.Get("ETag"))
	}
}

// TestCatalogIsCompressed as the client allows, also when it spans many chunks.
func TestCatalogIsCompressed(t *testing.T) {
	w := newWorld()
	var listings []pricing.Listing
	for i := range 3000 {
		listings = append(listings, listing(pricing.CS2, "Item "+strings.Repeat("x", i%50)+" "+string(rune('a'+i%26))+time.Duration(i).String(), "1.50", i))
	}
	w.prices.book, _ = pricing.NewBook().With(pricing.Catalog{Feed: sbCS2, Version: 1, ObservedAt: now, Listings: listings})
	s := New(w.cfg)
	plain := ask(t, s, request("GET", catalogTarget, "")).body
	if n := strings.Count(plain, "\n"); n != len(listings) || len(plain) < 4*catalogChunk {
		t.Fatalf("got %d lines in %d bytes, want %d lines in several chunks", n, len(plain), len(listings))
	}
	for _, tt := range []struct{ accept, want string }{
		{"gzip", "gzip"}, {"zstd", "zstd"}, {"gzip, deflate, br, zstd", "zstd"}, {"GZIP", "gzip"}, {"zstd;q=0, gzip;q=0.5", "gzip"},
		{"*", "zstd"}, {"*;q=0", ""}, {"zstd; q=0, *", "gzip"}, {"br", ""}, {"", ""}, {"identity", ""}, {"gzip;q=x", ""}, {"gzipped", ""},
	} {
		got := ask(t, s, request("GET", catalogTarget, "", "Accept-Encoding: "+tt.accept))
		if enc := got.header.Get("Content-Encoding"); enc != tt.want || got.header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("Accept-Encoding %q: got %q, Vary %q, want %q", tt.accept, enc, got.header.Get("Vary"), tt.want)
			continue
		}
		if body := inflate(t, tt.want, got.body); body != plain {
			t.Errorf("Accept-Encoding %q: got %d other bytes, want the plain %d", tt.accept, len(body), len(plain))
		}
	}
}

// TestChooseEncoding weighs as RFC 9110, section 12.5.3, has it.
func TestChooseEncoding(t *testing.T) {
	for _, tt := range []struct{ accept, want string }{
		{"", ""}, {"gzip", "gzip"}, {"zstd", "zstd"}, {"GZip", "gzip"}, {"br", ""}, {"gzipped", ""}, {",, gzip ,", "gzip"},
		{"gzip, zstd", "zstd"}, {"gzip;q=0.5, zstd;q=0.5", "zstd"}, {"identity, gzip", "gzip"}, {"identity, zstd, gzip", "zstd"},
		{"gzip;q=0.9, zstd;q=0.1", "gzip"}, {"gzip;q=0.1, zstd;q=0.9", "zstd"}, {"zstd;q=0.999, gzip", "gzip"}, {"br, gzip;q=0.2, zstd;q=0.1", "gzip"},
		{"identity;q=0.9, gzip;q=0.1", ""}, {"identity;q=0.1, gzip;q=0.9", "gzip"}, {"identity", ""}, {"gzip;q=0.001", "gzip"},
		{"identity;q=0, gzip;q=0.1", "gzip"}, {"identity;q=0", ""}, {"*;q=0", ""}, {"*;q=0, gzip;q=0.1", "gzip"}, // refused all: plain is as good as 406
		{"*", "zstd"}, {"zstd;q=0, *", "gzip"}, {"zstd;q=0.2, *;q=0.5", "gzip"}, {"gzip, *;q=0.5", "gzip"}, {"identity;q=0.5, *;q=0.1", ""},
		{"gzip;q=0", ""}, {"gzip;q=0.000", ""}, {"gzip;q=1.000", "gzip"}, {"gzip;q=1.", "gzip"},
		{"gzip;q=x", ""}, {"gzip;q=", ""}, {"gzip;q", ""}, {"gzip;q=2", ""}, {"gzip;q=-1", ""}, {"gzip;q=+1", ""}, {"gzip;q=1e0", ""}, {"gzip;q=NaN", ""}, {"gzip;q=Inf", ""}, {"gzip;q=0x1p-1", ""}, {"gzip;q=0.1234", ""}, {"gzip;q=1.001", ""}, {"gzip;q=.5", ""}, {"gzip;q=x, zstd;q=0.1", "zstd"}, {"zstd;q=x, *", "gzip"},
		{"gzip ; q=0.9 ,\tzstd; Q=0.1", "gzip"}, {"gzip;level=9;q=0.9, zstd;q=0.5", "gzip"}, {"gzip;level=9, zstd;q=0.5", "gzip"},
	} {
		if got := chooseEncoding(tt.accept); got != tt.want {
			t.Errorf("Accept-Encoding %q: got %q, want %q", tt.accept, got, tt.want)
		}
	}
}

// TestAcceptEncodingInTwoLines is the same as in one.
func TestAcceptEncodingInTwoLines(t *testing.T) {
	got := ask(t, New(newWorld().cfg), request("GET", catalogTarget, "", "Accept-Encoding: zstd;q=0.1", "Accept-Encoding: gzip"))
	if enc := got.header.Get("Content-Encoding"); enc != "gzip" {
		t.Errorf("got %q, want gzip", enc)
	}
}

func inflate(t *testing.T, encoding, body string) string {
	t.Helper()
	var r io.Reader = strings.NewReader(body)
	var err error
	switch encoding {
	case "gzip":
		r, err = gzip.NewReader(r)
	case "zstd":
		var d *zstd.Decoder
		if d, err = zstd.NewReader(r); err == nil {
			defer d.Close()
			r = d
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("inflate %s: %v", encoding, err)
	}
	return string(out)
}

// TestCatalogIsAskedAgain with the tag of the last answer.
func TestCatalogIsAskedAgain(t *testing.T) {
	w := newWorld()
	clock := now
	w.cfg.Now = func() time.Time { return clock }
	s := New(w.cfg)
	first := ask(t, s, request("GET", catalogTarget, ""))
	tag := first.header.Get("ETag")
	for _, tt := range []struct {
		header string
		status int
	}{
		{tag, 304}, {strings.TrimPrefix(tag, "W/"), 304}, {`"x", ` + tag, 304}, {"*", 304}, {`W/"x"`, 200}, {"", 200}, {",", 200},
	} {
		got := ask(t, s, request("GET", catalogTarget, "", "If-None-Match: "+tt.header))
		if got.status != tt.status || (got.status == 304) != (got.body == "") || got.header.Get("ETag") != tag {
			t.Errorf("If-None-Match %s: got %d with %d bytes and ETag %s, want %d", tt.header, got.status, len(got.body), got.header.Get("ETag"), tt.status)
		}
	}

	for _, later := range []time.Duration{10 * time.Minute, -10 * time.Minute} { // or the clock was set back
		clock = now.Add(later) // the same catalog is stale now, and must say so
		got := ask(t, s, request("GET", catalogTarget, "", "If-None-Match: "+tag))
		if got.status != 200 || strings.Contains(got.body, `"stale":false`) {
			t.Errorf("%s later: got %d %.200s, want 200 with stale quotes", later, got.status, got.body)
		}
	}
	clock = now
	w.prices.book, _ = w.prices.book.With(pricing.Catalog{Feed: sbCS2, Version: 4, ObservedAt: now, Listings: []pricing.Listing{listing(pricing.CS2, redline, "1", 1)}})
	got := ask(t, s, request("GET", catalogTarget, "", "If-None-Match: "+tag))
	if got.status != 200 || strings.Count(got.body, "\n") != 1 {
		t.Errorf("after a new version: got %d %.200s, want 200 with its one line", got.status, got.body)
	}
	dec := json.NewDecoder(bytes.NewReader([]byte(got.body)))
	var line struct {
		Item itemJSON
		quoteJSON
	}
	dec.DisallowUnknownFields()
	if err := dec.Decode(&line); err != nil || line.Item.Name != redline || line.Ask != "1.00" {
		t.Errorf("got line %+v (%v), want %s at 1.00", line, err, redline)
	}
}

// TestCatalogIsCompressedOnce for all who ask for a version within a second.
func TestCatalogIsCompressedOnce(t *testing.T) {
	for _, encoding := range []string{"gzip", "zstd"} {
		w := newWorld()
		clock := now
		w.cfg.Now = func() time.Time { return clock }
		s := New(w.cfg)
		get := func() (body string, kept *packed) {
			body = ask(t, s, request("GET", catalogTarget, "", "Accept-Encoding: "+encoding)).body
			return inflate(t, encoding, body), s.packers[sbCS2].last[encoding]
		}
		_, first := get()
		clock = now.Add(packedFor)
		if _, kept := get(); kept != first {
			t.Errorf("%s, %s later: it was compressed again, want it kept", encoding, packedFor)
		}
		for _, later := range []time.Duration{packedFor + time.Millisecond, 10 * time.Second} {
			clock = now.Add(later)
			want := fmt.Sprintf(`"age_ms":%d,`, (later + 1500*time.Millisecond).Milliseconds())
			if got, _ := get(); !strings.Contains(got, want) {
				t.Errorf("%s, %s later: got %.300s, want %s", encoding, later, got, want)
			}
		}
		w.prices.book, _ = w.prices.book.With(pricing.Catalog{Feed: sbCS2, Version: 4, ObservedAt: now, Listings: []pricing.Listing{listing(pricing.CS2, redline, "1", 1)}})
		if got, _ := get(); strings.Count(got, "\n") != 1 {
			t.Errorf("%s of a new version: got %s, want its one line", encoding, got)
		}
	}
}
