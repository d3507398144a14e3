package redisstore

import (
	"context"
	"crypto/rand"
	"fmt"
)

// leadership is a lease and the fencing number that was taken under it.
type leadership struct {
	*lease
	fence string
}

// Lead waits until this process leads, and takes a fencing number above all
// before it: from then on whoever led before is refused, even one that does not
// know yet. led ends when the lease is released, lost, or not confirmed in time;
// the lease of a process that died is free after 15 s at most. Until another
// leads, this process may still write down what it knows.
func (j *Journal) Lead(ctx context.Context) (led context.Context, release func(), err error) {
	l, err := j.store.lease(ctx, j.keys.lease)
	if err != nil {
		return nil, nil, fmt.Errorf("lead the journal: %w", err)
	}
	fence, err := j.fence(ctx, l)
	if err != nil {
		l.release()
		return nil, nil, fmt.Errorf("lead the journal: %w", err)
	}
	j.lead.Store(&leadership{l, fence})
	return l.led, l.release, nil
}

// fence takes a new fencing number; ErrFenced means that the lease is gone.
func (j *Journal) fence(ctx context.Context, l *lease) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	_, rest, err := j.ask(ctx, journalFenceScript, []string{j.keys.written(rand.Text()), j.keys.lease}, l.lock.Token(), writtenFor.Milliseconds())
	if err != nil {
		return "", fmt.Errorf("take a fencing number: %w", err)
	}
	if len(rest) != 1 {
		return "", fmt.Errorf("take a fencing number: the script gave %q", rest)
	}
	return rest[0], nil
}

// Leading is nil while this process surely leads, by its own clocks; else
// ErrFenced. It asks nobody, so that it can be called right before the bytes of
// a purchase leave.
func (j *Journal) Leading() error {
	if lead := j.lead.Load(); lead == nil || !lead.holds() {
		return ErrFenced
	}
	return nil
}
