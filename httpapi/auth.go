package httpapi

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
)

// access is who may ask an endpoint.
type access int

const (
	accessOpen     access = iota // anybody
	accessRead                   // anybody, or a read token once there are some
	accessOperator               // anybody, or the operator once there is one
	accessChange                 // the operator; nobody while there is none
	accessSigned                 // whoever signs the request: its handler looks, and gives every answer
)

// guard knows tokens by their hashes. Hashing makes them equally long, so that
// comparing them takes the same time whatever was sent.
type guard struct {
	operator *[sha256.Size]byte // nil when API_TOKEN is not set
	readers  [][sha256.Size]byte
}

func newGuard(operator string, readers []string) guard {
	var g guard
	if operator != "" {
		sum := sha256.Sum256([]byte(operator))
		g.operator = &sum
	}
	for _, r := range readers {
		if r != "" {
			g.readers = append(g.readers, sha256.Sum256([]byte(r)))
		}
	}
	return g
}

// open tells whether anybody may pass.
func (g guard) open(a access) bool {
	return a == accessOpen ||
		a == accessRead && len(g.readers) == 0 ||
		a == accessOperator && g.operator == nil
}

// check gives nil when a request with these Authorization headers may pass.
//
// What changes something always needs the header. A browser adds it to no
// request of a foreign page, so such a page can change nothing.
func (g guard) check(a access, headers [][]byte) error {
	switch {
	case g.open(a):
		return nil
	case a == accessChange && g.operator == nil:
		return problem(codeForbidden, "nothing can be changed here: set API_TOKEN and send it as Authorization: Bearer")
	}
	token, ok := bearer(headers)
	if !ok {
		return problem(codeUnauthorized, "this needs the header Authorization: Bearer and a token")
	}
	operator, reader := g.holder(token)
	switch {
	case operator, reader && a == accessRead:
		return nil
	case reader:
		return problem(codeForbidden, "a read token does not allow this: it needs API_TOKEN")
	}
	return problem(codeUnauthorized, "this token is not known")
}

// holder tells whose token it is. It compares with every token, so that the
// time does not tell which one came close.
func (g guard) holder(token []byte) (operator, reader bool) {
	sum := sha256.Sum256(token)
	if g.operator != nil {
		operator = subtle.ConstantTimeCompare(sum[:], g.operator[:]) == 1
	}
	for i := range g.readers {
		if subtle.ConstantTimeCompare(sum[:], g.readers[i][:]) == 1 {
			reader = true
		}
	}
	return operator, reader
}

// bearer gives the token of the one Authorization header that there must be.
func bearer(headers [][]byte) ([]byte, bool) {
	if len(headers) != 1 {
		return nil, false
	}
	scheme, token, ok := bytes.Cut(headers[0], []byte(" "))
	token = bytes.TrimSpace(token)
	return token, ok && len(token) > 0 && bytes.EqualFold(scheme, []byte("bearer"))
}
