package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"syscall"
	"time"
)

const (
	startLimit = 10 * time.Second // for a server to listen
	endLimit   = 5 * time.Second  // for it to end when it is asked to
	mostSaid   = 4 << 10          // bytes that are kept of what it says
)

// server is a program that listens on an address of ours until it is stopped.
type server struct {
	process *exec.Cmd
	said    *opening
	ended   chan struct{} // closed when it has
	err     error         // what came of it, once it has ended
}

// startServer starts a program and waits until it listens on an address.
func startServer(ctx context.Context, process *exec.Cmd, address string) (*server, error) {
	s := &server{process: process, said: &opening{}, ended: make(chan struct{})}
	process.Stdout, process.Stderr = s.said, s.said
	if err := process.Start(); err != nil {
		return nil, err
	}
	go func() {
		s.err = process.Wait()
		close(s.ended)
	}()
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			conn.Close()
			return s, nil
		}
		select {
		case <-s.ended:
			return nil, fmt.Errorf("%s ended at once: %w: %s", process.Path, cmp.Or(s.err, errors.New("exit status 0")), beginning(s.said.Bytes()))
		case <-ctx.Done():
			s.stop()
			return nil, fmt.Errorf("wait until %s listens: %w: %s", process.Path, ctx.Err(), beginning(s.said.Bytes()))
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// stop asks the program to end, which lets it end its own workers, and kills it
// when it does not.
func (s *server) stop() {
	_ = s.process.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	late := time.AfterFunc(endLimit, func() { _ = s.process.Process.Kill() })
	defer late.Stop()
	<-s.ended
}

// opening keeps the first of what is written to it.
type opening struct{ bytes.Buffer }

func (o *opening) Write(p []byte) (int, error) {
	o.Buffer.Write(p[:min(len(p), max(0, mostSaid-o.Len()))])
	return len(p), nil
}
