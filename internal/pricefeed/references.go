package pricefeed

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// keepEvery is how often the week of asks that reference prices rest on is
// written to a file. One sample is taken in six hours, so little is ever lost.
const keepEvery = 10 * time.Minute

func (f *PriceFeed) referencesPath() string { return filepath.Join(f.cfg.Dir, "references") }

// loadReferences reads what the last run kept. Without it, items that Steam does
// not price have no reference for a day, and MAX_EDGE_BPS bounds them.
func (f *PriceFeed) loadReferences() {
	b, err := os.ReadFile(f.referencesPath())
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err == nil {
		err = f.engine.References().UnmarshalBinary(b)
	}
	if err != nil {
		f.cfg.Log.Warn("reference prices of the last run are lost; new ones take a day", "error", err)
	}
}

// keepReferences writes them down from time to time, and when ctx ends.
func (f *PriceFeed) keepReferences(ctx context.Context) {
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
		if err := f.saveReferences(); err != nil {
			f.cfg.Log.Warn("reference prices are not kept", "error", err)
		}
		if ctx.Err() != nil {
			return
		}
	}
}

// saveReferences replaces the file whole, so that a crash leaves the old one.
func (f *PriceFeed) saveReferences() error {
	b, err := f.engine.References().MarshalBinary()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(f.cfg.Dir, 0o700); err != nil {
		return err
	}
	part := f.referencesPath() + ".part"
	if err := os.WriteFile(part, b, 0o600); err != nil {
		return fmt.Errorf("keep reference prices: %w", err)
	}
	return os.Rename(part, f.referencesPath())
}
