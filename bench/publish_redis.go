package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os/exec"
	"sync"
	"sync/atomic"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"skinarb/internal/redisstore"
)

// publishRedis is a Redis that is reached over loopback by everybody alike.
type publishRedis struct {
	name    string
	real    bool
	address string
	store   *redisstore.Store // that publishes
	counted *redisstore.Store // the same, over relay
	relay   *relay
	client  *redis.Client // of the peers
}

// openPublishRedises starts the embedded Redis and, when there is one, a real one.
func openPublishRedises(ctx context.Context, s *session) (_ []*publishRedis, _ func(), err error) {
	var servers []*publishRedis
	var stops []func()
	stop := func() {
		for i := len(stops) - 1; i >= 0; i-- {
			stops[i]()
		}
	}
	defer func() {
		if err != nil {
			stop()
		}
	}()
	open := func(r *publishRedis) error {
		if err := r.connect(ctx); err != nil {
			return err
		}
		servers, stops = append(servers, r), append(stops, r.close)
		return nil
	}

	embedded := miniredis.NewMiniRedis()
	embedded.ClockTTL(true)
	if err := embedded.Start(); err != nil {
		return nil, nil, fmt.Errorf("start the embedded redis: %w", err)
	}
	stops = append(stops, embedded.Close)
	if err := open(&publishRedis{name: "embedded Redis", address: embedded.Addr()}); err != nil {
		return nil, nil, err
	}
	program, err := exec.LookPath("redis-server")
	if err != nil {
		s.out.note("No redis-server in PATH: publishing to a real one was not measured, nor the bytes that it needs.")
		return servers, stop, nil
	}
	s.progress.say("publish: starting " + program)
	_, address, end, err := startRedisWith(ctx, program, "--appendonly", "no") // end closes the store
	if err != nil {
		return nil, nil, err
	}
	stops = append(stops, end)
	if err := open(&publishRedis{name: "redis-server", real: true, address: address}); err != nil {
		return nil, nil, err
	}
	return servers, stop, nil
}

// connect opens the connections to a server that runs.
func (r *publishRedis) connect(ctx context.Context) (err error) {
	defer func() {
		if err != nil {
			r.close()
		}
	}()
	r.client = redis.NewClient(&redis.Options{Addr: r.address})
	if r.store, err = redisstore.Open(ctx, "redis://"+r.address); err != nil {
		return err
	}
	if r.relay, err = newRelay(r.address); err != nil {
		return err
	}
	r.counted, err = redisstore.Open(ctx, "redis://"+r.relay.address())
	return err
}

func (r *publishRedis) close() {
	if r.counted != nil {
		r.counted.Close()
	}
	if r.relay != nil {
		r.relay.close()
	}
	if r.store != nil {
		r.store.Close()
	}
	r.client.Close()
}

func (r *publishRedis) empty(ctx context.Context) error {
	if err := r.client.FlushDB(ctx).Err(); err != nil {
		return fmt.Errorf("empty the %s: %w", r.name, err)
	}
	return nil
}

// stored gives the bytes that all keys need, their names and the table of keys
// included.
func (r *publishRedis) stored(ctx context.Context) (bytes int64, err error) {
	keys, err := r.client.Keys(ctx, "*").Result()
	if err != nil {
		return 0, fmt.Errorf("list the keys of the %s: %w", r.name, err)
	}
	for from := 0; from < len(keys); from += pipelineLength {
		var sizes []*redis.IntCmd
		_, err := r.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
			for _, key := range keys[from:min(from+pipelineLength, len(keys))] {
				sizes = append(sizes, pipe.MemoryUsage(ctx, key, 0)) // 0: look at all of it
			}
			return nil
		})
		if err != nil {
			return 0, fmt.Errorf("ask the %s for the size of keys: %w", r.name, err)
		}
		for _, size := range sizes {
			bytes += size.Val()
		}
	}
	return bytes, nil
}

// relay passes bytes on to a Redis and counts round trips: how often an answer
// began after something was asked. It is right for clients that wait for each
// answer before they ask again.
type relay struct {
	trips  atomic.Int64
	to     string
	ln     net.Listener
	served sync.WaitGroup

	mu    sync.Mutex
	conns []net.Conn // nil after close
	over  bool
}

func newRelay(to string) (*relay, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &relay{to: to, ln: ln}
	r.served.Go(func() {
		for {
			client, err := ln.Accept()
			if err != nil {
				return // closed
			}
			r.served.Go(func() { r.serve(client) })
		}
	})
	return r, nil
}

func (r *relay) address() string { return r.ln.Addr().String() }

// close ends every connection.
func (r *relay) close() {
	r.ln.Close()
	r.mu.Lock()
	r.over = true
	for _, c := range r.conns {
		c.Close()
	}
	r.mu.Unlock()
	r.served.Wait()
}

// keep has close end these connections; it reports false after close.
func (r *relay) keep(conns ...net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conns = append(r.conns, conns...)
	return !r.over
}

func (r *relay) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", r.to)
	if err != nil {
		return // the client sees its connection end
	}
	defer server.Close()
	if !r.keep(client, server) {
		return
	}
	var asked atomic.Bool
	var running sync.WaitGroup
	running.Go(func() {
		pass(server, client, func() { asked.Store(true) })
		server.Close()
	})
	pass(client, server, func() {
		if asked.Swap(false) {
			r.trips.Add(1)
		}
	})
	client.Close()
	running.Wait()
}

// pass copies until either end is closed, and calls seen before it passes
// something on.
func pass(to io.Writer, from io.Reader, seen func()) {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			seen()
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
