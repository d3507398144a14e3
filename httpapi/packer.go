package httpapi

import (
	"bytes"
	"io"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// packedFor is how long a compressed catalog is given to all who ask for the
// same version. Its lines tell ages, which cannot be written into what is
// compressed: so they are up to this much too low, and no more.
const packedFor = time.Second

// packer compresses the catalog of one feed, once for all who ask, and keeps what
// it made last. The zero value is ready, and safe for concurrent use.
type packer struct {
	mu   sync.Mutex // guards last, not the compressing
	last map[string]*packed
}

// packed is a catalog in one encoding, made when the first one asks for body.
type packed struct {
	tag  string
	made time.Time
	body func() ([]byte, error)
}

// of gives the lines in an encoding. The tag tells versions apart. Nobody waits
// but for a catalog that all of them need.
func (p *packer) of(tag, encoding string, lines catalogLines) ([]byte, error) {
	p.mu.Lock()
	last := p.last[encoding]
	if last == nil || last.tag != tag || lines.now.Sub(last.made).Abs() > packedFor {
		last = &packed{tag, lines.now, sync.OnceValues(func() ([]byte, error) { return pack(encoding, lines) })}
		if p.last == nil {
			p.last = map[string]*packed{}
		}
		p.last[encoding] = last
	}
	p.mu.Unlock()
	return last.body()
}

func pack(encoding string, lines catalogLines) ([]byte, error) {
	var buf bytes.Buffer
	w, err := compressor(&buf, encoding)
	if err != nil {
		return nil, err
	}
	if err := lines.write(w, func() {}); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return bytes.Clone(buf.Bytes()), nil // it is kept: without the spare room
}

// compressor wraps w. Closing what it gives ends the encoding, not w.
func compressor(w io.Writer, encoding string) (io.WriteCloser, error) {
	if encoding == "zstd" {
		return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
	}
	return gzip.NewWriter(w), nil
}
