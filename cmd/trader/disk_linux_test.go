package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"skinarb/internal/marketsim"
)

// smallDisk gives a directory on a file system of so many bytes, which only
// root may make.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "small")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "size="+size)
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENODEV) {
		t.Skipf("a small file system cannot be mounted here, which takes root: %v", err)
	}
	if err != nil {
		t.Fatalf("mount a small file system: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
	})
	return dir
}

// fill takes all that is left of a file system, and gives what frees it again.
func fill(t *testing.T, dir string) (free func()) {
	t.Helper()
	path := filepath.Join(dir, "filler")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatalf("fill %s: %v", dir, err)
	}
	return func() {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

// endsBuying waits for three seconds without a purchase, and gives how many there
// were. After a disk is full a little can still be written, into what the journal
// had of it before.
func (m *markets) endsBuying(t *testing.T) (requests int) {
	t.Helper()
	eventually(t, "three seconds without a purchase", func() (bool, string) {
		before := m.buyRequests()
		<-time.After(3 * time.Second)
		requests = m.buyRequests()
		return requests == before, fmt.Sprintf("%d purchase requests, then %d", before, requests)
	})
	return requests
}

// When the disk is full nothing is bought, because nothing could be written
// down; what was on the wire is found again; and once there is space the trader
// goes on by itself.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	m := newMarkets(t)
	m.manyLives()
	dir := smallDisk(t, "16m") // the journal alone takes 4 MB before SQLite uses its write-ahead log again
	m.set("DATA_DIR", dir)
	m.set("MAX_OPEN_ORDERS", "30")
	m.set("MAX_ITEM_UNITS", "3")
	// Answers take a while, so that purchases are on the wire when the disk fills.
	m.world.Inject(marketsim.Fault{Method: "market_buy", Kind: marketsim.FaultDelay, Delay: time.Second})
	m.world.Inject(marketsim.Fault{Method: "create-order", Kind: marketsim.FaultDelay, Delay: time.Second})
	p := m.start(t)
	m.waitBuying(t, 3)

	free := fill(t, dir)
	p.waitUnready(t, "the journal cannot be written")
	m.world.ClearFaults()
	atFull := m.endsBuying(t)
	free()
	p.waitUp(t)
	m.waitBuying(t, atFull+2)

	// The same over a power cut: a trader that starts on a full disk buys nothing,
	// if it starts at all.
	free = fill(t, dir)
	p.kill(t)
	p = m.launch(t)
	atFull = m.endsBuying(t)
	p.kill(t)
	free()
	p = m.start(t)
	m.waitBuying(t, atFull+1)
	m.settle(t, p)
	b := m.wantSound(t, p)
	if b.doubted == 0 {
		t.Errorf("got %v, want a purchase whose answer could not be written down", b)
	}
	t.Log(b)
}
