package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"

	"skinarb/internal/freeport"
	"skinarb/internal/redisstore"
)

// startRedisWith starts a redis-server of our own with some settings on a free
// port of loopback, in a directory that stop removes, and connects to it.
func startRedisWith(ctx context.Context, program string, settings ...string) (store *redisstore.Store, address string, stop func(), err error) {
	dir, err := os.MkdirTemp("", "bench-redis-")
	if err != nil {
		return nil, "", nil, err
	}
	port, err := freeport.Pick()
	if err != nil {
		os.RemoveAll(dir)
		return nil, "", nil, err
	}
	address = "127.0.0.1:" + strconv.Itoa(port)
	server := exec.Command(program, append([]string{"--bind", "127.0.0.1", "--port", strconv.Itoa(port), "--dir", dir, "--save", ""}, settings...)...)
	if err := server.Start(); err != nil {
		os.RemoveAll(dir)
		return nil, "", nil, fmt.Errorf("start %s: %w", program, err)
	}
	end := func() {
		_ = server.Process.Kill() // nothing in it is worth keeping
		_ = server.Wait()
		_ = os.RemoveAll(dir)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		store, err = redisstore.Open(ctx, "redis://"+address)
		if err == nil {
			if err = store.Ping(ctx); err == nil {
				return store, address, func() { store.Close(); end() }, nil
			}
			store.Close()
		}
		select {
		case <-ctx.Done():
			end()
			return nil, "", nil, fmt.Errorf("wait for %s: %w", program, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
