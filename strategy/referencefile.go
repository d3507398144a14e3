package strategy

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"

	"skinarb/pricing"
)

// The stored form of References:
//
//	magic, number of items, items, CRC-32 of all before (4 bytes, big endian)
//
// An item is game, name and phase (each a length and bytes), its newest slot,
// and for each market 28 asks in micro-dollars from the slot newest-27 on, 0
// where none. Numbers are varints.
const (
	referenceMagic = "skinarb references 1\n"
	maxStored      = 256 << 20 // bytes
	maxText        = 256       // bytes of a name
	maxSlot        = 1 << 24   // eleven thousand years from 1970
)

// errStored is what every failure of UnmarshalBinary wraps.
var errStored = errors.New("not stored reference prices")

// MarshalBinary gives all samples, so that they outlive a restart. The same
// samples give the same bytes.
func (r *References) MarshalBinary() ([]byte, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	items := make([]pricing.Item, 0, len(r.histories))
	for it := range r.histories {
		items = append(items, it)
	}
	slices.SortFunc(items, func(x, y pricing.Item) int {
		return cmp.Or(cmp.Compare(x.Game, y.Game), strings.Compare(x.Name, y.Name), cmp.Compare(x.Phase, y.Phase))
	})
	b := binary.AppendUvarint([]byte(referenceMagic), uint64(len(items)))
	for _, it := range items {
		for _, s := range []string{string(it.Game), it.Name, string(it.Phase)} {
			b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
		}
		h := r.histories[it]
		b = binary.AppendVarint(b, int64(h.newest))
		for m := range h.asks {
			for s := h.newest - week + 1; s <= h.newest; s++ {
				b = binary.AppendUvarint(b, uint64(h.asks[m][s.index()]))
			}
		}
	}
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b)), nil
}

// UnmarshalBinary replaces all samples by stored ones. Anything but what
// MarshalBinary gave is an error and changes nothing.
func (r *References) UnmarshalBinary(b []byte) error {
	if len(b) > maxStored {
		return fmt.Errorf("%w: %d bytes", errStored, len(b))
	}
	if len(b) < len(referenceMagic)+4 || !bytes.HasPrefix(b, []byte(referenceMagic)) {
		return fmt.Errorf("%w: another beginning", errStored)
	}
	body, sum := b[:len(b)-4], binary.BigEndian.Uint32(b[len(b)-4:])
	if crc32.ChecksumIEEE(body) != sum {
		return fmt.Errorf("%w: the checksum differs", errStored)
	}
	d := decoder{rest: body[len(referenceMagic):]}
	histories := map[pricing.Item]*history{}
	for n := d.number(maxHistories); n > 0 && d.err == nil; n-- {
		it, h := d.item(), d.history()
		if d.err == nil && histories[it] != nil {
			d.fail("%s twice", it)
		}
		histories[it] = h
	}
	if d.err == nil && len(d.rest) > 0 {
		d.fail("%d bytes too many", len(d.rest))
	}
	if d.err != nil {
		return d.err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.histories = histories
	r.book, r.feeds = nil, map[pricing.Feed]slot{} // all that Observe knows to be done is not
	return nil
}

// decoder reads a body; after its first failure it gives zeros.
type decoder struct {
	rest []byte
	err  error
}

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf("%w: %w", errStored, fmt.Errorf(format, args...))
	}
	d.rest = nil
}

func (d *decoder) number(most uint64) uint64 {
	v, n := binary.Uvarint(d.rest)
	if n <= 0 || v > most {
		d.fail("a number is cut off or above %d", most)
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

func (d *decoder) text() string {
	n := d.number(maxText)
	if n > uint64(len(d.rest)) {
		d.fail("a text is cut off")
		return ""
	}
	s := string(d.rest[:n])
	d.rest = d.rest[n:]
	return s
}

func (d *decoder) item() pricing.Item {
	game, name, phase := d.text(), d.text(), pricing.Phase(d.text())
	g, err := pricing.ParseGame(game)
	if err != nil {
		d.fail("%w", err)
		return pricing.Item{}
	}
	it := pricing.Item{Game: g, Name: name, Phase: phase}
	// Only what ParseItem gives is an item.
	if same, err := pricing.ParseItem(g, it.String(), string(phase)); err != nil || same != it {
		d.fail("%q with phase %q is not an item", name, phase)
	}
	return it
}

func (d *decoder) history() *history {
	newest, n := binary.Varint(d.rest)
	if n <= 0 || max(newest, -newest) > maxSlot {
		d.fail("a slot is cut off or too far away")
		return nil
	}
	d.rest = d.rest[n:]
	h := &history{since: slot(newest) - week, newest: slot(newest)}
	for m := range h.asks {
		for s := h.newest - week + 1; s <= h.newest && d.err == nil; s++ {
			h.asks[m][s.index()] = pricing.Money(d.number(uint64(pricing.MaxMoney)))
		}
	}
	return h
}
