package marketsim

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// body is an encoded answer. It may be served to many requests at once and is
// compressed at most once.
type body struct {
	plain  []byte
	once   sync.Once
	zipped []byte
}

// worthZipping is the size, in bytes, from which answers are compressed.
const worthZipping = 1024

func (b *body) gzip() []byte {
	b.once.Do(func() {
		var buf bytes.Buffer
		zw, _ := gzip.NewWriterLevel(&buf, gzip.BestSpeed) // the level is valid
		zw.Write(b.plain)
		zw.Close()
		b.zipped = buf.Bytes()
	})
	return b.zipped
}

// encode makes a body of a small answer. It panics on what is not JSON, which
// would be our own mistake.
func encode(v any) *body {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err)
	}
	return &body{plain: bytes.TrimSuffix(b.Bytes(), []byte("\n"))}
}

// reply is an answer ready to be sent.
type reply struct {
	status     int
	retryAfter string // seconds; "" means no such header
	html       bool
	body       *body
}

// header fills in the headers and returns the bytes that follow them.
func (rep reply) header(rw http.ResponseWriter, r *http.Request) []byte {
	h := rw.Header()
	h.Set("Content-Type", "application/json")
	if rep.html {
		h.Set("Content-Type", "text/html; charset=utf-8")
	}
	if rep.retryAfter != "" {
		h.Set("Retry-After", rep.retryAfter)
	}
	data := rep.body.plain
	if len(data) >= worthZipping {
		h.Set("Vary", "Accept-Encoding")
		if acceptsGzip(r) {
			h.Set("Content-Encoding", "gzip")
			data = rep.body.gzip()
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(data)))
	return data
}

func (rep reply) send(rw http.ResponseWriter, r *http.Request) {
	data := rep.header(rw, r)
	rw.WriteHeader(rep.status)
	rw.Write(data) // a client that left does not matter
}

func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		coding, quality, _ := strings.Cut(strings.ReplaceAll(part, " ", ""), ";q=")
		if coding == "gzip" || coding == "*" {
			return strings.Trim(quality, "0.") != "" || quality == ""
		}
	}
	return false
}

// bodies keeps the catalogs a market has encoded until its prices or stock
// change.
type bodies struct {
	tick    int64
	version uint64
	byForm  map[form]*body
}

// form is one way to ask for a catalog, and the fault it suffers from.
type form struct {
	game    string
	shape   string // the market's own flags
	percent int    // of the rows
	factor  int64  // on every price
}

// get returns the body of a form, made by build unless the stored one is still
// good.
func (b *bodies) get(f form, tick int64, version uint64, build func() []byte) *body {
	if b.byForm == nil || b.tick != tick || b.version != version {
		*b = bodies{tick, version, map[form]*body{}}
	}
	if b.byForm[f] == nil {
		b.byForm[f] = &body{plain: build()}
	}
	return b.byForm[f]
}
