package httpapi

import (
	"strings"
	"testing"
)

// TestBeginning reads a request in parts, as it may arrive.
func TestBeginning(t *testing.T) {
	for raw, want := range map[string]string{
		"POST /a/b HTTP/1.1\r\nHost: /x \r\n": "/a/b",
		"\r\nGET /a/?b=/c HTTP/1.1\r\n":       "/a/",
		"GET /a#b HTTP/1.1\r\n":               "/a",
		"GET /a":                              "", // not all of it
		"GET":                                 "",
		"GET /" + strings.Repeat("a", 80) + " HTTP/1": "",
	} {
		for size := 1; size <= len(raw)+1; size++ {
			var r beginning
			r.read([]byte("GET /before HTTP/1.1\r\n"))
			r.wrote([]byte("HTTP/1.1 200 OK\r\n"))
			for i := 0; i < len(raw); i += size {
				r.read([]byte(raw[i:min(i+size, len(raw))]))
				r.wrote([]byte("HTTP/1.1 100 Continue\r\n"))
			}
			if got := r.path(); got != want {
				t.Errorf("%.40q in parts of %d: got %q, want %q", raw, size, got, want)
			}
		}
	}
}
