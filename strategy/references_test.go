package strategy

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"skinarb/pricing"
)

// watcher lets references watch a book into which one ask at a time is put.
type watcher struct {
	refs    *References
	book    *pricing.Book
	version uint64
}

func newWatcher() *watcher { return &watcher{refs: NewReferences(), book: pricing.NewBook()} }

// see observes an ask of an item at a time, as a pull at that time.
func (w *watcher) see(m pricing.Market, it pricing.Item, ask pricing.Money, at time.Time) {
	w.version++
	var changed []int
	w.book, changed = w.book.With(catalog(m, it.Game, w.version, at, pricing.Listing{Item: it, Ask: ask, Count: 1}))
	w.refs.Observe(w.book, changed, false, at)
}

func (w *watcher) want(t *testing.T, it pricing.Item, at time.Time, want pricing.Money) {
	t.Helper()
	got, ok := w.refs.Median(it, at)
	if got != want || ok != (want != 0) {
		t.Errorf("median of %s at %s: got %s %t, want %s", it, at.Format(time.DateTime), got, ok, want)
	}
}

func TestMedianNeedsADay(t *testing.T) {
	w := newWatcher()
	for h := range 30 {
		at := noon.Add(time.Duration(h) * time.Hour)
		w.see(pricing.SIH, redline, 10*pricing.Dollar, at)
		if h < 24 {
			w.want(t, redline, at, 0)
		}
	}
	w.want(t, redline, noon.Add(30*time.Hour), 10*pricing.Dollar)
	w.want(t, karambit(pricing.Ruby), noon, 0)
}

func TestMedianOfManyPulls(t *testing.T) {
	w := newWatcher()
	for n := range 12 {
		w.see(pricing.SIH, redline, 10*pricing.Dollar, noon.Add(time.Duration(n)*6*time.Hour))
	}
	// A price that has just become absurd is pulled every minute for five hours.
	now := noon.AddDate(0, 0, 3)
	for range 300 {
		w.see(pricing.SIH, redline, 900*pricing.Dollar, now)
		w.see(pricing.SkinsBack, redline, 900*pricing.Dollar, now)
		now = now.Add(time.Minute)
	}
	w.want(t, redline, now, 10*pricing.Dollar)
}

func TestFirstAskOfASlotStays(t *testing.T) {
	w := newWatcher()
	for d := range 3 {
		for i, ask := range []pricing.Money{7, 1, 100} {
			w.see(pricing.SkinsBack, redline, ask*pricing.Dollar, noon.AddDate(0, 0, d).Add(time.Duration(i)*time.Hour))
		}
	}
	w.want(t, redline, noon.AddDate(0, 0, 2).Add(2*time.Hour), 7*pricing.Dollar)
}

func TestMedianIsTheLowerOfTwo(t *testing.T) {
	w := newWatcher()
	for d, ask := range []pricing.Money{4, 9, 2, 7} {
		w.see(pricing.SkinsBack, redline, ask*pricing.Dollar, noon.AddDate(0, 0, d))
	}
	w.want(t, redline, noon.AddDate(0, 0, 3), 4*pricing.Dollar)
}

func TestMedianOfBothMarkets(t *testing.T) {
	w := newWatcher()
	for d := range 2 {
		w.see(pricing.SkinsBack, redline, 4*pricing.Dollar, noon.AddDate(0, 0, d))
		w.see(pricing.SIH, redline, 9*pricing.Dollar, noon.AddDate(0, 0, d))
	}
	w.see(pricing.SIH, redline, 9*pricing.Dollar, noon.AddDate(0, 0, 2))
	w.book, _ = w.book.With(catalog(pricing.SkinsBack, pricing.CS2, 99, noon)) // sold out there
	w.want(t, redline, noon.AddDate(0, 0, 2), 9*pricing.Dollar)
}

func TestMedianForgetsAfterAWeek(t *testing.T) {
	w := newWatcher()
	w.see(pricing.SIH, redline, 1*pricing.Dollar, noon)
	w.see(pricing.SIH, redline, 1*pricing.Dollar, noon.AddDate(0, 0, 1))
	w.see(pricing.SIH, redline, 8*pricing.Dollar, noon.AddDate(0, 0, 4))
	w.see(pricing.SIH, redline, 8*pricing.Dollar, noon.AddDate(0, 0, 6))
	w.want(t, redline, noon.AddDate(0, 0, 6), 1*pricing.Dollar)
	w.want(t, redline, noon.AddDate(0, 0, 8), 8*pricing.Dollar)
	w.want(t, redline, noon.AddDate(0, 0, 12), 0) // one sample left
	w.see(pricing.SIH, karambit(pricing.Ruby), 1*pricing.Dollar, noon.AddDate(0, 0, 20))
	if got := len(w.refs.histories); got != 1 {
		t.Errorf("after everything of an item has aged: got %d histories, want 1", got)
	}
}

// TestSilentFeedAddsNothing: the last ask of a feed that stopped is one sample,
// however often the book is looked at.
func TestSilentFeedAddsNothing(t *testing.T) {
	w := newWatcher()
	w.see(pricing.SIH, redline, 5*pricing.Dollar, noon)
	for h := range 6 * 24 {
		w.refs.Observe(w.book, nil, true, noon.Add(time.Duration(h)*time.Hour))
	}
	w.want(t, redline, noon.AddDate(0, 0, 6), 0)
}

func TestUnknownPhaseHasNoReference(t *testing.T) {
	w := newWatcher()
	for d := range 3 {
		w.see(pricing.SIH, karambit(pricing.UnknownPhase), pricing.Dollar, noon.AddDate(0, 0, d))
		w.see(pricing.SIH, karambit(pricing.Phase1), pricing.Dollar, noon.AddDate(0, 0, d))
	}
	w.want(t, karambit(pricing.UnknownPhase), noon.AddDate(0, 0, 2), 0)
	w.want(t, karambit(pricing.Phase1), noon.AddDate(0, 0, 2), pricing.Dollar)
}

// TestClockThatWasWrong: samples of a far future do not block the present.
func TestClockThatWasWrong(t *testing.T) {
	w := newWatcher()
	w.see(pricing.SIH, redline, 70*pricing.Dollar, noon.AddDate(1, 0, 0))
	for d := range 3 {
		w.see(pricing.SIH, redline, 7*pricing.Dollar, noon.AddDate(0, 0, d))
	}
	w.want(t, redline, noon.AddDate(0, 0, 2), 7*pricing.Dollar)
}

// TestMedianAgainstSamples compares with a plain list of what was seen.
func TestMedianAgainstSamples(t *testing.T) {
	type key struct {
		m pricing.Market
		s slot
	}
	rapid.Check(t, func(t *rapid.T) {
		w, now, first := newWatcher(), noon, map[key]pricing.Money{}
		for range rapid.IntRange(1, 80).Draw(t, "pulls") {
			now = now.Add(time.Duration(rapid.IntRange(1, 30).Draw(t, "hours")) * time.Hour)
			m := rapid.SampledFrom(pricing.Markets).Draw(t, "market")
			ask := pricing.Money(rapid.Int64Range(1, 50).Draw(t, "ask"))
			w.see(m, redline, ask, now)
			if k := (key{m, slotOf(now)}); first[k] == 0 {
				first[k] = ask
			}
		}
		var asks []pricing.Money
		var slots []slot
		for k, ask := range first {
			if k.s > slotOf(now)-week {
				asks, slots = append(asks, ask), append(slots, k.s)
			}
		}
		var want pricing.Money
		if len(asks) > 0 && slices.Max(slots)-slices.Min(slots) >= minSpan {
			slices.Sort(asks)
			want = asks[(len(asks)-1)/2]
		}
		if got, ok := w.refs.Median(redline, now); got != want || ok != (want > 0) {
			t.Errorf("got %s %t, want %s of %v", got, ok, want, asks)
		}
	})
}

// TestMedianIsTheReference: an engine that has watched for two days refuses a
// leg far from the median, where Steam's price does not count.
func TestMedianIsTheReference(t *testing.T) {
	s := newScene(t)
	s.item, s.sell.Steam = karambit(pricing.Sapphire), 0
	s.rules.MaxEdgeBps = 100_000
	e := New(s.rules)
	now := noon
	for range 9 { // the usual price for two days
		s.buyAt, s.sellAt = now, now
		e.Update(s.book(), nil, true, healthy(now), now)
		now = now.Add(6 * time.Hour)
	}
	if got := e.Opportunities(now.Add(-6 * time.Hour)); len(got) != 1 {
		t.Fatalf("at the usual price: got %d opportunities, want 1", len(got))
	}
	for _, c := range []struct {
		sell string
		want int
	}{{"30", 1}, {"30.000001", 0}, {"13", 1}} { // the median is 10.00, the lower of the two asks
		s.buyAt, s.sellAt = now, now
		s.buy.Ask, s.sell.Ask = usd(t, "15"), usd(t, c.sell)
		if c.sell == "13" {
			s.buy.Ask = usd(t, "10")
		}
		e.Update(s.book(), nil, true, healthy(now), now)
		if got := e.Opportunities(now); len(got) != c.want {
			t.Errorf("sold at %s: got %d opportunities, want %d: %+v", c.sell, len(got), c.want, e.Verdicts(s.item, now))
		}
	}
}

func stored(t testing.TB) []byte {
	t.Helper()
	w := newWatcher()
	for d := range 3 {
		w.see(pricing.SIH, redline, 7*pricing.Dollar, noon.AddDate(0, 0, d))
		w.see(pricing.SkinsBack, karambit(pricing.BlackPearl), 900*pricing.Dollar, noon.AddDate(0, 0, d))
	}
	b, err := w.refs.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestReferencesOutliveARestart(t *testing.T) {
	w := newWatcher()
	if err := w.refs.UnmarshalBinary(stored(t)); err != nil {
		t.Fatal(err)
	}
	w.want(t, redline, noon.AddDate(0, 0, 2), 7*pricing.Dollar)
	w.want(t, karambit(pricing.BlackPearl), noon.AddDate(0, 0, 2), 900*pricing.Dollar)
	w.want(t, karambit(pricing.Phase1), noon.AddDate(0, 0, 2), 0)
}

// TestDamagedReferences: nothing but the whole is read, and a failure leaves
// what was there.
func TestDamagedReferences(t *testing.T) {
	good := stored(t)
	w := newWatcher()
	if err := w.refs.UnmarshalBinary(good); err != nil {
		t.Fatal(err)
	}
	for n := range good {
		if err := w.refs.UnmarshalBinary(good[:n]); err == nil {
			t.Errorf("cut off after %d of %d bytes: got nil, want an error", n, len(good))
		}
		bad := slices.Clone(good)
		bad[n] ^= 4
		if err := w.refs.UnmarshalBinary(bad); err == nil {
			t.Errorf("byte %d changed: got nil, want an error", n)
		}
	}
	w.want(t, redline, noon.AddDate(0, 0, 2), 7*pricing.Dollar)
}

// FuzzUnmarshalReferences: whatever is accepted is given back byte by byte the
// same, and can be asked and added to.
func FuzzUnmarshalReferences(f *testing.F) {
	body := stored(f)
	f.Add(body[:len(body)-4])
	f.Add([]byte(referenceMagic + "\x00"))
	f.Add([]byte(referenceMagic + "\x01\x03cs2\x01A\x00\x80\x80\x80\x10"))
	f.Fuzz(func(t *testing.T, body []byte) {
		// The checksum would keep the fuzzer out; it is put right here.
		b := binary.BigEndian.AppendUint32(slices.Clip(body), crc32.ChecksumIEEE(body))
		w := newWatcher()
		if err := w.refs.UnmarshalBinary(b); err != nil {
			return
		}
		again := NewReferences()
		out, err := w.refs.MarshalBinary()
		if err != nil {
			t.Fatalf("marshal what was read: %v", err)
		}
		if err := again.UnmarshalBinary(out); err != nil {
			t.Fatalf("read again: %v", err)
		}
		if out2, _ := again.MarshalBinary(); !slices.Equal(out, out2) {
			t.Fatalf("got %x, want %x", out2, out)
		}
		for it := range again.histories {
			if m, ok := again.Median(it, noon); ok && (m <= 0 || m > pricing.MaxMoney) {
				t.Fatalf("median of %v: got %s", it, m)
			}
		}
		w.see(pricing.SIH, redline, pricing.Dollar, noon)
	})
}

func TestReferencesAreBounded(t *testing.T) {
	r := NewReferences()
	for i := range maxHistories {
		r.histories[pricing.Item{Game: pricing.CS2, Name: fmt.Sprint(i)}] = &history{newest: slotOf(noon)}
	}
	w := &watcher{refs: r, book: pricing.NewBook()}
	for d := range 3 {
		w.see(pricing.SIH, redline, pricing.Dollar, noon.Add(time.Duration(d)*24*time.Hour))
	}
	w.want(t, redline, noon.AddDate(0, 0, 2), 0)
	if got := len(r.histories); got != maxHistories {
		t.Errorf("got %d histories, want %d", got, maxHistories)
	}
}
