package redisstore

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"skinarb/execution"
	"skinarb/pricing"
)

// loss loses the next replies to one script: the command was carried out, and
// the caller never hears of it. meanwhile is called before the caller can try
// again.
type loss struct {
	script    string // its hash; guarded by the test's being the only caller
	replies   int
	meanwhile func()
}

type lossConn struct {
	net.Conn
	loss *loss
	deaf bool // it loses the next reply
	cut  bool // it has
}

func (c *lossConn) Write(b []byte) (int, error) {
	if c.loss.replies > 0 && bytes.Contains(b, []byte(c.loss.script)) {
		c.loss.replies--
		c.deaf = true
	}
	return c.Conn.Write(b)
}

func (c *lossConn) Read(b []byte) (int, error) {
	if c.cut {
		return 0, io.EOF
	}
	n, err := c.Conn.Read(b)
	if err == nil && c.deaf {
		c.cut = true
		c.loss.meanwhile()
		return 0, io.EOF
	}
	return n, err
}

// TestALostReplyIsNoSecondWrite loses one reply and two of every write, while
// another process uses the kill switch in between.
func TestALostReplyIsNoSecondWrite(t *testing.T) {
	server := miniredis.NewMiniRedis()
	server.ClockTTL(true)
	t.Cleanup(server.Close)
	lost := &loss{}
	plain := options().Simple()
	plain.Dialer = func(context.Context, string, string) (net.Conn, error) { return server.Dial() }
	lossy := options().Simple()
	lossy.Dialer = func(context.Context, string, string) (net.Conn, error) {
		conn, err := server.Dial()
		return &lossConn{Conn: conn, loss: lost}, err
	}
	s := newStore(func() redis.UniversalClient { return redis.NewClient(lossy) })
	t.Cleanup(closing(t, s))
	other := newStore(func() redis.UniversalClient { return redis.NewClient(plain) })
	t.Cleanup(closing(t, other))
	standby := other.Journal("live")
	switched := 0
	lost.meanwhile = func() {
		switched++
		if err := standby.SetTrading(context.Background(), execution.Trading{Reason: strconv.Itoa(switched)}); err != nil {
			t.Errorf("set trading meanwhile: %v", err)
		}
	}

	ctx := t.Context()
	j := s.Journal("live")
	_, release := mustLead(t, j) // makes the scripts known to the server, as the next line does
	mustReserve(t, j, wish(100))
	release()
	generation := func() int {
		n, err := other.client.HGet(ctx, j.keys.head, "generation").Int()
		if err != nil {
			t.Fatalf("read the generation: %v", err)
		}
		return n
	}
	lose := func(what string, script *redis.Script, replies, writes int, call func() error) {
		t.Helper()
		lost.script, lost.replies, switched = script.Hash(), replies, 0
		before := generation()
		if err := call(); err != nil {
			t.Errorf("%s with %d lost replies: %v", what, replies, err)
		}
		if lost.replies > 0 || switched != replies {
			t.Errorf("%s: %d replies were to be lost, %d were", what, replies, switched)
		}
		if got, want := generation()-before, writes+switched; got != want {
			t.Errorf("%s with %d lost replies: got %d writes, want %d", what, replies, got, want)
		}
		lost.replies = 0
	}
	for replies := 1; replies <= 2; replies++ {
		fence := j.lead.Load().fence
		lose("lead", journalFenceScript, replies, 0, func() error {
			var err error
			_, release, err = j.Lead(ctx)
			return err
		})
		if was, now := must(strconv.Atoi(fence)), must(strconv.Atoi(j.lead.Load().fence)); now != was+1 {
			t.Errorf("the fencing number after %d: got %d, want one more", was, now)
		}
		var o execution.Order
		lose("reserve", journalWriteScript, replies, 1, func() (err error) {
			var created bool
			if o, created, err = j.Reserve(ctx, wish(replies), admitAll); err == nil && !created {
				err = errors.New("created is false")
			}
			return err
		})
		lose("advance", journalWriteScript, replies, 1, func() (err error) {
			o, err = j.Advance(ctx, first(to(o, execution.Placed)), execution.Step{At: began, State: execution.Placed})
			return err
		})
		if o.Rev != 2 || len(o.History) != 2 {
			t.Errorf("reserved and advanced: got revision %d with %d steps, want 2 and 2", o.Rev, len(o.History))
		}
		lose("adopt", journalWriteScript, replies, 1, func() error {
			_, err := j.Adopt(ctx, wish(10+replies))
			return err
		})
		lose("open books", journalWriteScript, replies, 1, func() error { return j.OpenBooks(ctx, pricing.SIH, pricing.Dollar, began) })
		lose("set trading", journalWriteScript, replies, 1, func() error { return j.SetTrading(ctx, execution.Trading{Stopped: true, Reason: "mine"}) })
		// What was set meanwhile came after ours, and stays.
		if trading, err := j.Trading(ctx); err != nil || trading.Reason != strconv.Itoa(switched) || trading.Stopped {
			t.Errorf("the kill switch: got %+v, %v, want what was set last", trading, err)
		}
		lose("ping", journalPingScript, replies, 0, func() error { return j.Ping(ctx) })
		release()
	}
	checkSums(t, j, began)
	if got := read(t, j); len(got.Orders) != 5 {
		t.Errorf("%d orders, want 5", len(got.Orders))
	}
}

// spyConn calls before, once, when a command with a text is about to leave.
type spyConn struct {
	net.Conn
	text   string
	before *func()
}

func (c *spyConn) Write(b []byte) (int, error) {
	if f := *c.before; f != nil && bytes.Contains(b, []byte(c.text)) {
		*c.before = nil
		f()
	}
	return c.Conn.Write(b)
}

// What a reservation reads is of one moment, although it reads twice: here
// another process makes the same reservation in between.
func TestAReservationReadsOneMoment(t *testing.T) {
	s := embedded(t)
	t.Cleanup(closing(t, s))
	other := leader(t, s)
	mustReserve(t, other, wish(1)) // makes the scripts known to the server
	var before func()
	o := *s.client.(*redis.Client).Options()
	dial := o.Dialer
	o.Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		return &spyConn{conn, journalUsageScript.Hash(), &before}, err
	}
	spied := newStore(func() redis.UniversalClient { return redis.NewClient(&o) })
	t.Cleanup(closing(t, spied))
	j := spied.Journal("live")
	j.lead.Store(other.lead.Load()) // as if fencing had failed

	var first execution.Order
	before = func() { first = mustReserve(t, other, wish(2)) }
	got, created, err := j.Reserve(t.Context(), wish(2), admitAll)
	if err != nil || created || got.Rev != first.Rev || before != nil {
		t.Errorf("got created %t at revision %d, error %v, want the order of the other process", created, got.Rev, err)
	}
	checkSums(t, other, began)
}

// A Redis that lost the journal is noticed by whoever knew it, and nothing is
// put in its place as long as he lives.
func TestALostJournalIsNoticed(t *testing.T) {
	servers(t, func(t *testing.T, open func(rapid.TB) *Store) {
		for name, lose := range map[string]func(*Journal) error{
			"emptied": func(j *Journal) error { return j.store.client.FlushAll(context.Background()).Err() },
			"back to older data": func(j *Journal) error {
				return j.store.client.HSet(context.Background(), j.keys.head, "generation", "1").Err()
			},
			"another in its place": func(j *Journal) error {
				return j.store.client.HSet(context.Background(), j.keys.head, "identity", "x").Err()
			},
		} {
			t.Run(name, func(t *testing.T) {
				s := open(t)
				t.Cleanup(closing(t, s))
				j := s.Journal("live")
				led, release := mustLead(t, j)
				defer release()
				known := mustReserve(t, j, wish(1))
				mustReserve(t, j, wish(2))
				standby := sibling(t, s).Journal("live")
				if err := standby.Ping(t.Context()); err != nil {
					t.Fatalf("ping: %v", err)
				}
				if err := lose(j); err != nil {
					t.Fatalf("lose: %v", err)
				}
				wantLost := func(when string) {
					t.Helper()
					for name, call := range ordersOnly(j, known) {
						if err := call(); !errors.Is(err, ErrLost) {
							t.Errorf("%s %s: got %v, want ErrLost", name, when, err)
						}
					}
					for who, j := range map[string]*Journal{"the leader": j, "the standby": standby} {
						for name, call := range others(j, known.ID) {
							if err := call(); !errors.Is(err, ErrLost) {
								t.Errorf("%s of %s %s: got %v, want ErrLost", name, who, when, err)
							}
						}
					}
				}
				wantLost("after it was lost")
				if err := j.Leading(); !errors.Is(err, ErrFenced) || led.Err() == nil {
					t.Errorf("after a write was refused: leading %v, led %v, want both over", err, led.Err())
				}
				if name != "emptied" {
					return
				}
				release()
				if _, _, err := j.Lead(t.Context()); !errors.Is(err, ErrLost) {
					t.Errorf("lead: got %v, want ErrLost", err)
				}
				fresh := sibling(t, s).Journal("live")
				_, releaseFresh := mustLead(t, fresh)
				defer releaseFresh()
				if got := read(t, fresh); len(got.Orders) != 0 || got.Usage.Open != 0 {
					t.Errorf("a fresh process: got %d orders, %d open, want none", len(got.Orders), got.Usage.Open)
				}
				mustReserve(t, fresh, wish(1))
				wantLost("after another began anew")
			})
		}
	})
}

// A server that does not write is told by Ping, refuses every write, and does
// nothing by halves.
func TestAServerThatRefusesWrites(t *testing.T) {
	for name, tc := range map[string]struct{ setting, refuse, allow string }{
		"too few replicas": {"min-replicas-to-write", "1", "0"},
		"memory is full":   {"maxmemory", "1", "0"},
	} {
		t.Run(name, func(t *testing.T) {
			s := fresh(t, realServer(t))
			t.Cleanup(closing(t, s))
			j := leader(t, s)
			known := mustReserve(t, j, wish(1))
			before := read(t, j)
			if err := s.client.ConfigSet(t.Context(), tc.setting, tc.refuse).Err(); err != nil {
				t.Fatalf("config: %v", err)
			}
			calls := writes(j, known)
			calls["Ping"] = func() error { return j.Ping(t.Context()) }
			calls["SetTrading"] = func() error { return j.SetTrading(t.Context(), execution.Trading{Stopped: true}) }
			for name, call := range calls {
				if err := call(); err == nil || errors.Is(err, ErrFenced) || errors.Is(err, ErrLost) {
					t.Errorf("%s: got %v, want the server's refusal", name, err)
				}
			}
			wantContents(t, j, before)
			if err := s.client.ConfigSet(t.Context(), tc.setting, tc.allow).Err(); err != nil {
				t.Fatalf("config: %v", err)
			}
			wantContents(t, j, before)
			if err := j.Ping(t.Context()); err != nil {
				t.Errorf("ping when it writes again: %v", err)
			}
			mustReserve(t, j, wish(2))
		})
	}
}

func TestAReplicaOnlyReads(t *testing.T) {
	master := fresh(t, realServer(t, "--repl-diskless-sync-delay", "0"))
	t.Cleanup(closing(t, master))
	j := leader(t, master)
	mustReserve(t, j, wish(1))
	replica := replicaOf(t, master)
	other := replica.Journal("live")
	wantContents(t, other, read(t, j))
	if err := other.Ping(t.Context()); err == nil {
		t.Error("ping of a replica: no error")
	}
	if _, _, err := other.Lead(t.Context()); err == nil {
		t.Error("lead on a replica: no error")
	}
}

// replicaOf starts a replica that has what its master has.
func replicaOf(t *testing.T, master *Store) *Store {
	t.Helper()
	s := must(Open(t.Context(), realServer(t)))
	t.Cleanup(closing(t, s))
	host, port, err := net.SplitHostPort(master.client.(*redis.Client).Options().Addr)
	if err == nil {
		err = s.client.Do(t.Context(), "REPLICAOF", host, port).Err()
	}
	if err != nil {
		t.Fatalf("make a replica: %v", err)
	}
	awaitSuccess(t, "the replica does not follow its master", func() error {
		info, err := s.client.Info(t.Context(), "replication").Result()
		if err == nil && !strings.Contains(info, "master_link_status:up") {
			err = errors.New(info)
		}
		return err
	})
	return s
}

// A server that takes everything and answers nothing holds nobody up for longer
// than a method may take, whatever the caller's patience.
func TestNoMethodWaitsLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := options().Simple()
		o.Dialer = func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go func() { _, _ = io.Copy(io.Discard, theirs) }() // until ours is closed
			return ours, nil
		}
		s := newStore(func() redis.UniversalClient { return redis.NewClient(o) })
		defer closing(t, s)()
		j := s.Journal("live")
		over, end := context.WithCancel(t.Context())
		j.lead.Store(&leadership{&lease{led: over, end: end}, "1"})
		calls := ordersOnly(j, wish(1))
		maps.Copy(calls, others(j, wish(1).ID))
		calls["Durable"] = func() error { return j.Durable(context.Background()) }
		calls["Lead"] = func() error { _, _, err := j.Lead(context.Background()); return err }
		for name, call := range calls {
			asked := time.Now()
			if err := call(); err == nil {
				t.Errorf("%s: no error", name)
			}
			if took := time.Since(asked); took > journalWait {
				t.Errorf("%s: took %s, want at most %s", name, took, journalWait)
			}
		}
	})
}
