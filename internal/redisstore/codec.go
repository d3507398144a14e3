package redisstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/klauspost/compress/zstd"

	"skinarb/pricing"
)

// A blob is one byte that names the format, and a zstd frame of the body. In a
// body, integers are varints and strings carry their length. Items are stored
// without their game: it is the feed's.
const (
	formatCatalog = 'c'
	formatChange  = 'd'

	maxBody = 64 << 20 // bytes; some ten times the largest catalog known
)

// errBlob is what every failure to decode wraps.
var errBlob = errors.New("not a blob of this version")

var (
	// Catalogs are published once a minute: speed is not worth a history of
	// megabytes for every core.
	compressor   = must(zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20), zstd.WithLowerEncoderMem(true)))
	decompressor = must(zstd.NewReader(nil, zstd.WithDecoderMaxMemory(maxBody)))
)

// must is for constructors that fail only on options that do not exist.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func encodeCatalog(c pricing.Catalog) ([]byte, error) {
	b := make([]byte, 0, 64+64*len(c.Listings))
	b = appendString(b, string(c.Feed.Market))
	b = appendString(b, string(c.Feed.Game))
	b = binary.AppendUvarint(b, c.Version)
	b = appendTime(b, c.ObservedAt)
	b, err := appendListings(b, c.Feed.Game, c.Listings)
	if err != nil {
		return nil, fmt.Errorf("encode catalog %s: %w", c.Feed, err)
	}
	return seal(formatCatalog, b)
}

func encodeChange(ch pricing.Change) ([]byte, error) {
	b := make([]byte, 0, 64+64*(len(ch.Set)+len(ch.Gone)))
	b = appendString(b, string(ch.Feed.Market))
	b = appendString(b, string(ch.Feed.Game))
	b = binary.AppendUvarint(b, ch.From)
	b = binary.AppendUvarint(b, ch.To)
	b = appendTime(b, ch.ObservedAt)
	b, err := appendListings(b, ch.Feed.Game, ch.Set)
	if err != nil {
		return nil, fmt.Errorf("encode change of %s: %w", ch.Feed, err)
	}
	b = binary.AppendUvarint(b, uint64(len(ch.Gone)))
	for _, it := range ch.Gone {
		if it.Game != ch.Feed.Game {
			return nil, fmt.Errorf("encode change of %s: %q is an item of %q", ch.Feed, it, it.Game)
		}
		b = appendString(b, it.Name)
		b = appendString(b, string(it.Phase))
	}
	return seal(formatChange, b)
}

func decodeCatalog(blob []byte) (pricing.Catalog, error) {
	d, err := open(formatCatalog, blob)
	if err != nil {
		return pricing.Catalog{}, fmt.Errorf("decode catalog: %w", err)
	}
	c := pricing.Catalog{Feed: d.feed(), Version: d.uvarint(), ObservedAt: d.time()}
	c.Listings = d.listings(c.Feed.Game)
	if err := d.end(); err != nil {
		return pricing.Catalog{}, fmt.Errorf("decode catalog: %w", err)
	}
	return c, nil
}

func decodeChange(blob []byte) (pricing.Change, error) {
	d, err := open(formatChange, blob)
	if err != nil {
		return pricing.Change{}, fmt.Errorf("decode change: %w", err)
	}
	ch := pricing.Change{Feed: d.feed(), From: d.uvarint(), To: d.uvarint(), ObservedAt: d.time()}
	ch.Set = d.listings(ch.Feed.Game)
	if n := d.count(2); n > 0 {
		ch.Gone = make([]pricing.Item, n)
		for i := range ch.Gone {
			ch.Gone[i] = pricing.Item{Game: ch.Feed.Game, Name: d.string(), Phase: pricing.Phase(d.word())}
		}
	}
	if err := d.end(); err != nil {
		return pricing.Change{}, fmt.Errorf("decode change: %w", err)
	}
	return ch, nil
}

// What a listing has beyond its name, ask, count and since.
const (
	hasPhase = 1 << iota
	hasMarketName
	hasSteam
	hasSellHint
	hasSource
	hasLot
	notKnown // and all above: written by a later version, whose fields we could not pass over
)

// minListing is the fewest bytes of a listing: flags, empty name, ask, count,
// since.
const minListing = 5

func appendListings(b []byte, g pricing.Game, ls []pricing.Listing) ([]byte, error) {
	b = binary.AppendUvarint(b, uint64(len(ls)))
	for i := range ls {
		l := &ls[i]
		if l.Item.Game != g {
			return nil, fmt.Errorf("%q is an item of %q", l.Item, l.Item.Game)
		}
		at := len(b)
		b = append(b, 0)
		b = appendString(b, l.Item.Name)
		flags := byte(0)
		if l.Item.Phase != pricing.NoPhase {
			flags |= hasPhase
			b = appendString(b, string(l.Item.Phase))
		}
		if l.MarketName != l.Item.Name {
			flags |= hasMarketName
			b = appendString(b, l.MarketName)
		}
		b = binary.AppendVarint(b, int64(l.Ask))
		b = binary.AppendVarint(b, int64(l.Count))
		b = binary.AppendUvarint(b, l.Since)
		if l.Steam != 0 {
			flags |= hasSteam
			b = binary.AppendVarint(b, int64(l.Steam))
		}
		if l.SellHint != 0 {
			flags |= hasSellHint
			b = binary.AppendVarint(b, int64(l.SellHint))
		}
		if l.Source != "" {
			flags |= hasSource
			b = appendString(b, l.Source)
		}
		if l.Lot != "" {
			flags |= hasLot
			b = appendString(b, l.Lot)
		}
		b[at] = flags
	}
	return b, nil
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendTime(b []byte, t time.Time) []byte {
	return binary.AppendUvarint(binary.AppendVarint(b, t.Unix()), uint64(t.Nanosecond()))
}

// seal compresses a body. One that could not be decoded is refused here, before
// it is in force.
func seal(format byte, body []byte) ([]byte, error) {
	if len(body) > maxBody {
		return nil, fmt.Errorf("encode: %d bytes are more than %d", len(body), maxBody)
	}
	return compressor.EncodeAll(body, []byte{format}), nil
}

// decoder reads a body. After an error it gives zero values; end tells.
type decoder struct {
	b     []byte
	words map[string]string // short strings that repeat, so that each is kept once
	err   error
}

func open(format byte, blob []byte) (*decoder, error) {
	if len(blob) == 0 || blob[0] != format {
		return nil, errBlob
	}
	body, err := decompressor.DecodeAll(blob[1:], nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errBlob, err)
	}
	return &decoder{b: body, words: map[string]string{}}, nil
}

func (d *decoder) fail() {
	d.b, d.err = nil, errBlob
}

// end tells whether the body was read without an error and to its end.
func (d *decoder) end() error {
	if d.err == nil && len(d.b) > 0 {
		d.fail()
	}
	return d.err
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) byte() byte {
	if len(d.b) == 0 {
		d.fail()
		return 0
	}
	v := d.b[0]
	d.b = d.b[1:]
	return v
}

// bytes gives the next string's bytes, valid until the body is dropped.
func (d *decoder) bytes() []byte {
	n := d.uvarint()
	if n > uint64(len(d.b)) {
		d.fail()
		return nil
	}
	v := d.b[:n]
	d.b = d.b[n:]
	return v
}

// string copies, so that one name kept does not keep the whole body.
func (d *decoder) string() string { return string(d.bytes()) }

func (d *decoder) word() string {
	v := d.bytes()
	if w, ok := d.words[string(v)]; ok {
		return w
	}
	w := string(v)
	d.words[w] = w
	return w
}

// count reads how many entries of at least size bytes follow.
func (d *decoder) count(size int) int {
	n := d.uvarint()
	if n > uint64(len(d.b)/size) {
		d.fail()
		return 0
	}
	return int(n)
}

func (d *decoder) feed() pricing.Feed {
	return pricing.Feed{Market: pricing.Market(d.string()), Game: pricing.Game(d.string())}
}

func (d *decoder) time() time.Time {
	sec, nsec := d.varint(), d.uvarint()
	if nsec >= 1e9 {
		d.fail()
		return time.Time{}
	}
	return time.Unix(sec, int64(nsec)).UTC()
}

func (d *decoder) listings(g pricing.Game) []pricing.Listing {
	n := d.count(minListing)
	if n == 0 {
		return nil
	}
	ls := make([]pricing.Listing, n)
	for i := range ls {
		l, flags := &ls[i], d.byte()
		if flags >= notKnown {
			d.fail()
			return nil
		}
		l.Item = pricing.Item{Game: g, Name: d.string()}
		if flags&hasPhase != 0 {
			l.Item.Phase = pricing.Phase(d.word())
		}
		l.MarketName = l.Item.Name
		if flags&hasMarketName != 0 {
			l.MarketName = d.string()
		}
		l.Ask = pricing.Money(d.varint())
		l.Count = int(d.varint())
		l.Since = d.uvarint()
		if flags&hasSteam != 0 {
			l.Steam = pricing.Money(d.varint())
		}
		if flags&hasSellHint != 0 {
			l.SellHint = pricing.Money(d.varint())
		}
		if flags&hasSource != 0 {
			l.Source = d.word()
		}
		if flags&hasLot != 0 {
			l.Lot = d.string()
		}
		if d.err != nil {
			return nil
		}
	}
	return ls
}
