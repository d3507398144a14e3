package scan

import "strings"

// Bounds of what Words remember.
const (
	maxWords = 1 << 10
	maxWord  = 64 // bytes
)

// Words reads short texts that come again and again, without doing it each time.
// It is not for concurrent use.
type Words struct {
	read  func(string) string
	known map[string]string
}

// NewWords makes a memory of what read makes of texts. It must always make the
// same of one.
func NewWords(read func(string) string) *Words {
	return &Words{read, map[string]string{}}
}

// Read gives what read makes of b.
func (w *Words) Read(b []byte) string {
	if v, ok := w.known[string(b)]; ok {
		return v
	}
	s := string(b)
	v := w.read(s)
	if len(s) <= maxWord {
		if len(w.known) >= maxWords {
			clear(w.known)
		}
		w.known[s] = v
	}
	return v
}

// Block makes strings that share their memory, one allocation for a few hundred
// short ones: for texts that are different every time. Whoever keeps one of them
// keeps at most blockSize bytes. The zero value is ready; it is not for concurrent
// use.
type Block struct{ b strings.Builder }

const blockSize = 4 << 10

// Text gives b as a string.
func (t *Block) Text(b []byte) string {
	if len(b) > blockSize/4 {
		return string(b)
	}
	if t.b.Cap()-t.b.Len() < len(b) {
		t.b = strings.Builder{}
		t.b.Grow(blockSize)
	}
	from := t.b.Len()
	t.b.Write(b)
	return t.b.String()[from:]
}
