package freeport

import (
	"fmt"
	"net"
	"testing"
)

// Ports that are in use are passed over, and none is one that a system hands out.
func TestPick(t *testing.T) {
	taken := map[int]bool{}
	for range 200 {
		port, err := Pick()
		if err != nil {
			t.Fatal(err)
		}
		if taken[port] || port < 1024 || port+10_000 > 32_767 {
			t.Fatalf("got port %d, want another than %v, with its neighbour below those that systems hand out", port, taken)
		}
		taken[port] = true
		ln, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			t.Fatalf("listen on port %d: %v", port, err)
		}
		defer ln.Close()
	}
}
