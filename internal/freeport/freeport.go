// Package freeport finds a port for a server that is told its port when it
// starts, and that may be started at it again.
package freeport

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// The ports that Pick chooses from. No system hands these out by itself, so what
// was free stays free, also between two lives of a server; nor those 10,000 above,
// which a node of a Redis Cluster takes as well.
const (
	lowest  = 10_000
	highest = 22_767
)

// Pick gives a port of loopback that nobody listens on.
func Pick() (int, error) {
	var err error
	for range 100 {
		port := lowest + rand.IntN(highest-lowest+1)
		var ln net.Listener
		if ln, err = net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			ln.Close()
			return port, nil
		}
	}
	return 0, fmt.Errorf("find a free port: %w", err)
}
