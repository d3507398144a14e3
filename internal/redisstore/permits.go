package redisstore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"skinarb/pricing"
)

// An embedded store forgets its budget when the process ends, and the market
// does not: two lives within a minute could send twice what it allows. So each
// permit's time is appended to a file before the request leaves, and what is
// younger than the window is put back at the next start. So is a pause that the
// market asked for.

// permitFiles are the open files by market.
type permitFiles struct {
	mu   sync.Mutex
	open map[pricing.Market]*permitFile
}

type permitFile struct {
	*os.File
	written int // since the file was last shortened
}

const (
	permitSize  = 8       // bytes: milliseconds since 1970, big endian
	permitsMost = 100_000 // in a file before it is shortened
	pauseField  = 8       // bytes: milliseconds, big endian; first the pause's end since 1970, then its length
)

func (d *files) permitPath(m pricing.Market) string {
	return filepath.Join(d.dir, "permits-"+string(m))
}

// notePermit writes down that a permit was granted at now.
func (d *files) notePermit(m pricing.Market, now time.Time) error {
	d.permits.mu.Lock()
	defer d.permits.mu.Unlock()
	f := d.permits.open[m]
	if f == nil || f.written >= permitsMost {
		young, err := d.youngPermits(m, now)
		if err != nil {
			return err
		}
		if f, err = d.startPermits(m, f, young); err != nil {
			return err
		}
	}
	if _, err := f.Write(binary.BigEndian.AppendUint64(nil, uint64(now.UnixMilli()))); err != nil {
		return fmt.Errorf("note a permit of %s: %w", m, err)
	}
	f.written++
	return nil
}

// startPermits replaces a market's file with one that holds only the young ones.
func (d *files) startPermits(m pricing.Market, old *permitFile, young []int64) (*permitFile, error) {
	if old != nil {
		old.Close()
	}
	var b []byte
	for _, at := range young {
		b = binary.BigEndian.AppendUint64(b, uint64(at))
	}
	part := d.permitPath(m) + ".part"
	if err := os.WriteFile(part, b, 0o600); err != nil {
		return nil, fmt.Errorf("keep the permits of %s: %w", m, err)
	}
	if err := os.Rename(part, d.permitPath(m)); err != nil {
		return nil, fmt.Errorf("keep the permits of %s: %w", m, err)
	}
	file, err := os.OpenFile(d.permitPath(m), os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("keep the permits of %s: %w", m, err)
	}
	if d.permits.open == nil {
		d.permits.open = map[pricing.Market]*permitFile{}
	}
	f := &permitFile{File: file}
	d.permits.open[m] = f
	return f, nil
}

// youngPermits reads the permits that the market may still count. One from the
// future was granted before the clock was set back, and counts as just granted.
func (d *files) youngPermits(m pricing.Market, now time.Time) ([]int64, error) {
	b, err := os.ReadFile(d.permitPath(m))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the permits of %s: %w", m, err)
	}
	var young []int64
	for ; len(b) >= permitSize; b = b[permitSize:] {
		at := min(int64(binary.BigEndian.Uint64(b)), now.UnixMilli())
		if at > now.Add(-window).UnixMilli() {
			young = append(young, at)
		}
	}
	return young, nil
}

func (d *files) pausePath(m pricing.Market) string {
	return filepath.Join(d.dir, "pause-"+string(m))
}

// notePause writes down that the market's permits are paused from now on for a time,
// unless a pause is written down of which more is left.
func (d *files) notePause(m pricing.Market, now time.Time, pause time.Duration) error {
	d.permits.mu.Lock()
	defer d.permits.mu.Unlock()
	left, err := d.pauseLeft(m, now)
	if err != nil || left >= pause {
		return err
	}
	b := binary.BigEndian.AppendUint64(nil, uint64(now.Add(pause).UnixMilli()))
	b = binary.BigEndian.AppendUint64(b, uint64(pause.Milliseconds()))
	part := d.pausePath(m) + ".part"
	if err := os.WriteFile(part, b, 0o600); err != nil {
		return fmt.Errorf("note the pause of %s: %w", m, err)
	}
	if err := os.Rename(part, d.pausePath(m)); err != nil {
		return fmt.Errorf("note the pause of %s: %w", m, err)
	}
	return nil
}

// pauseLeft reads how much is left of the pause that was written down; not more
// than the market asked for, although the clock may have been set back since.
func (d *files) pauseLeft(m pricing.Market, now time.Time) (time.Duration, error) {
	b, err := os.ReadFile(d.pausePath(m))
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(b) != 2*pauseField {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read the pause of %s: %w", m, err)
	}
	end := time.UnixMilli(int64(binary.BigEndian.Uint64(b)))
	asked := time.Duration(binary.BigEndian.Uint64(b[pauseField:])) * time.Millisecond
	return min(end.Sub(now), asked), nil
}

// recallPause goes on with the last run's pause.
func (s *Store) recallPause(d *files, m pricing.Market) error {
	left, err := d.pauseLeft(m, time.Now())
	if err != nil || left <= 0 {
		return err
	}
	return s.Budget(m, 1).Pause(context.Background(), left)
}

// recallPermits puts the last run's young permits back into the window.
func (s *Store) recallPermits(d *files, m pricing.Market) error {
	young, err := d.youngPermits(m, time.Now())
	if err != nil || len(young) == 0 {
		return err
	}
	granted, _ := budgetKeys(m)
	members := make([]redis.Z, len(young))
	for i, at := range young {
		members[i] = redis.Z{Score: float64(at), Member: fmt.Sprintf("last-run-%d", i)}
	}
	ctx, cancel := context.WithTimeout(context.Background(), callLimit)
	defer cancel()
	if err := s.client.ZAdd(ctx, granted, members...).Err(); err != nil {
		return fmt.Errorf("recall the permits of %s: %w", m, err)
	}
	return s.client.PExpire(ctx, granted, window).Err()
}

func (d *files) close() error {
	d.permits.mu.Lock()
	defer d.permits.mu.Unlock()
	var errs []error
	for _, f := range d.permits.open {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}
