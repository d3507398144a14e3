package scan

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
)

func TestAheadGivesWhatIsRead(t *testing.T) {
	body := []byte(strings.Repeat("0123456789", 300_000)) // more than all chunks
	broken := errors.New("broken wire")
	for name, tc := range map[string]struct {
		r    io.Reader
		want error
	}{
		"whole":       {bytes.NewReader(body), nil},
		"halves":      {iotest.HalfReader(bytes.NewReader(body)), nil},
		"end at once": {iotest.DataErrReader(bytes.NewReader(body)), nil},
		"broken":      {io.MultiReader(bytes.NewReader(body), iotest.ErrReader(broken)), broken},
	} {
		a := ReadAhead(tc.r)
		got, err := io.ReadAll(a)
		if !bytes.Equal(got, body) || !errors.Is(err, tc.want) {
			t.Errorf("%s: got %d bytes, %v, want %d, %v", name, len(got), err, len(body), tc.want)
		}
		_, first := a.Read(make([]byte, 1))
		_, second := a.Read(make([]byte, 1))
		if first != second || first == nil {
			t.Errorf("%s: got %v and then %v after the end, want the same", name, first, second)
		}
		a.Close()
	}
}

// TestAheadIsBounded: a reader that nobody follows is not read without end, and
// Close ends it wherever it stands.
func TestAheadIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, follow := range []int{0, 1, chunkSize, 3 * chunkSize / 2, 5 * chunks * chunkSize} {
			var r counter
			a := ReadAhead(&r)
			if _, err := io.ReadFull(a, make([]byte, follow)); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if most := follow + (chunks+1)*chunkSize; r.n > most {
				t.Errorf("%d bytes read by us: %d were read ahead, want at most %d", follow, r.n, most)
			}
			a.Close()
		}
	})
}

type counter struct{ n int }

func (c *counter) Read(p []byte) (int, error) {
	c.n += len(p)
	return len(p), nil
}

// TestAheadClose ends a read that would last for ever by closing what it reads.
func TestAheadClose(t *testing.T) {
	r, w := io.Pipe()
	a := ReadAhead(r)
	r.Close()
	a.Close()
	w.Close()
}

func TestAheadPassesAPanicOn(t *testing.T) {
	a := ReadAhead(crashing{})
	defer a.Close()
	if _, err := a.Read(make([]byte, 1)); err == nil || !strings.Contains(err.Error(), "a fault of the inflater") {
		t.Errorf("got %v, want the panic", err)
	}
}

type crashing struct{}

func (crashing) Read([]byte) (int, error) { panic("a fault of the inflater") }
