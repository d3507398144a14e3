package httpapi

import "bytes"

// beginning is how the request in hand begins on its connection. fasthttp forgets
// a request whose headers or chunks it refuses, and there are paths whose answers
// have to be right even then.
type beginning struct {
	text [64]byte // longer than any method with such a path
	size int
	over bool // its answer is being written: what is read next is another request
}

// read takes what was read from the connection.
func (r *beginning) read(b []byte) {
	if r.over {
		r.size, r.over = 0, false
	}
	if r.size < len(r.text) {
		r.size += copy(r.text[r.size:], b)
	}
}

var continues = []byte("HTTP/1.1 100 ")

// wrote takes what is written to the connection.
func (r *beginning) wrote(b []byte) { r.over = !bytes.HasPrefix(b, continues) }

// path gives the path that was asked for, or "" if it is none or too long.
func (r *beginning) path() string {
	_, target, _ := bytes.Cut(r.text[:r.size], []byte(" "))
	if end := bytes.IndexAny(target, " ?#"); end >= 0 {
		return string(target[:end])
	}
	return ""
}
