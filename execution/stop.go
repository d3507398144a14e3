package execution

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"skinarb/internal/crashpoint"
)

// switches hold trading while a stop could not be written down, or is about to
// be, in all executors that inherit them. Once written the journal's word is the
// only one: it refuses reservations and steps to sent, in every process that
// shares it.
type switches struct {
	turn sync.Mutex // one Stop or Start at a time
	mu   sync.Mutex
	hold *Trading
}

func (s *switches) held() bool { return s.get() != nil }

func (s *switches) get() *Trading {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hold
}

func (s *switches) set(t *Trading) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hold = t
}

// HeldError says that a stop holds in this process, but not yet all that Stop
// promises.
type HeldError struct {
	What string // that is missing, for the operator
	Err  error  // why
}

func (e *HeldError) Error() string {
	return "trading is stopped in this process, but " + e.What + ": " + e.Err.Error()
}

func (e *HeldError) Unwrap() error { return e.Err }

// Trading gives the kill switch as it works, also when it could not be written.
func (x *Executor) Trading(ctx context.Context) (Trading, error) {
	if t := x.switches.get(); t != nil {
		return *t, nil
	}
	return x.cfg.Journal.Trading(ctx)
}

// Stop ends buying: once it has returned nil, no purchase request leaves any
// process that shares the journal. What is on the wire is followed as ever. When
// that cannot be made sure it returns a *HeldError; while the switch cannot be
// written, KeepStop goes on trying.
func (x *Executor) Stop(ctx context.Context, reason, by string) error {
	t := Trading{Stopped: true, Reason: clip(reason), By: clip(by), At: x.now()}
	x.switches.turn.Lock()
	x.switches.set(&t)
	err := x.writeSwitch(ctx, t)
	crashpoint.At(crashpoint.StopWritten)
	x.switches.turn.Unlock()
	x.log.Warn("trading stopped", "reason", t.Reason, "by", t.By)
	x.cfg.Notify(Notice{Kind: NoticeStopped, Text: fmt.Sprintf("trading stopped by %s: %s", t.By, or(t.Reason, "no reason given"))})

	var leaving error
	select {
	case <-x.leaving.Quiet(): // PlaceTimeout bounds it
	case <-ctx.Done():
		leaving = ctx.Err()
	}
	switch {
	case err != nil:
		return &HeldError{"it could not be written down: a restart would forget it, and other traders on the same journal go on; it is tried until it works", errors.Join(err, leaving)}
	case leaving != nil:
		return &HeldError{"a purchase is still being handed over to a market", leaving}
	}
	return x.quietElsewhere(ctx)
}

// quietElsewhere waits for the requests of other processes on the same journal.
// No new one is sent, since the switch is written; one that the journal calls
// sent has left by the time that Place may take.
func (x *Executor) quietElsewhere(ctx context.Context) error {
	states := []State{Sent}
	if x.shared { // what another process sent, and recovery found
		states = append(states, InDoubt)
	}
	for {
		sent, err := x.all(ctx, "", states...)
		if err != nil {
			return &HeldError{"whether other processes are still sending could not be seen", err}
		}
		waiting := false
		for _, o := range sent {
			if !x.sentHere.has(o) && x.now().Sub(o.SentAt) < x.cfg.PlaceTimeout { // if clocks differ, wait rather
				waiting = true
			}
		}
		if !waiting {
			return nil
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return &HeldError{"a purchase of another process may still be leaving", ctx.Err()}
		}
	}
}

// Start allows buying again. It changes nothing when it fails.
func (x *Executor) Start(ctx context.Context, by string) error {
	x.switches.turn.Lock()
	defer x.switches.turn.Unlock()
	if err := x.writeSwitch(ctx, Trading{By: clip(by), At: x.now()}); err != nil {
		return fmt.Errorf("start trading: %w", err)
	}
	x.log.Warn("trading started", "by", clip(by))
	x.cfg.Notify(Notice{Kind: NoticeStarted, Text: "trading started by " + clip(by)})
	return nil
}

// writeSwitch writes t, and lets go of the hold when that worked. It must be
// called with turn held.
func (x *Executor) writeSwitch(ctx context.Context, t Trading) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	if err := x.cfg.Journal.SetTrading(ctx, t); err != nil {
		return err
	}
	x.switches.set(nil)
	return nil
}

// Inherit makes x and the one before it hold trading together: what was told to
// either and could not be written is kept by both, until it is written or a Start
// is. It must be called before x is used.
func (x *Executor) Inherit(last *Executor) { x.switches = last.switches }

// KeepStop tries every second to write a stop that only memory knows, for x and all
// that inherit from it, until ctx ends. It is not part of Run because one that is told
// to stop need not be running: it may stand by for others to end.
func (x *Executor) KeepStop(ctx context.Context) {
	x.every(ctx, attendEvery, func() { x.rewriteSwitch(ctx) })
}

func (x *Executor) rewriteSwitch(ctx context.Context) {
	x.switches.turn.Lock()
	defer x.switches.turn.Unlock()
	if t := x.switches.get(); t != nil {
		if err := x.writeSwitch(ctx, *t); err != nil {
			x.log.Error("the stop is not written yet", "err", err)
		}
	}
}
