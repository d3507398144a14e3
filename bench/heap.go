package main

import (
	"runtime"
	"runtime/metrics"
	"time"
)

// Runtime metrics that are read.
const (
	liveBytes    = "/gc/heap/live:bytes"
	allocObjects = "/gc/heap/allocs:objects"
)

func readMetric(name string) uint64 {
	sample := []metrics.Sample{{Name: name}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// peakHeap tells how far the live heap rose above what it was, in bytes, while
// do ran. It collects garbage without pause and looks at what each collection
// left, because the size of an untidied heap tells more about the collector's
// mood, and about the simulator's own memory, than about the work. Times in do
// are therefore worth nothing. What lives for less than one collection, a few
// milliseconds, can be missed.
func peakHeap(do func() error) (uint64, error) {
	runtime.GC()
	before := readMetric(liveBytes)
	peak, done, stopped := before, make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			runtime.GC()
			peak = max(peak, readMetric(liveBytes))
			select {
			case <-done:
				return
			case <-time.After(time.Millisecond):
			}
		}
	}()
	err := do()
	close(done)
	<-stopped
	return peak - before, err
}

// timed tells how long do took and how many objects were allocated meanwhile,
// by the simulated markets' side of the connection too.
func timed(do func() error) (time.Duration, uint64, error) {
	runtime.GC() // the garbage of whatever ran before is not ours
	objects, start := readMetric(allocObjects), time.Now()
	err := do()
	return time.Since(start), readMetric(allocObjects) - objects, err
}

// addPeak measures the peak heap of do.
func (s *session) addPeak(subject string, do func() error) error {
	peak, err := peakHeap(do)
	if err != nil {
		return err
	}
	s.out.add(subject, "peak live heap", "MB", float64(peak)/1e6)
	return nil
}
