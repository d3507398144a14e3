package sendonce

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// heldConn writes nothing until it may.
type heldConn struct {
	net.Conn
	may chan struct{}
}

func (c heldConn) Write(p []byte) (int, error) {
	<-c.may
	return c.Conn.Write(p)
}

// TestWroteIsAfterTheLastByte: net/http calls a request written while it stands
// in a buffer; whoever waits for the last byte must go on waiting.
func TestWroteIsAfterTheLastByte(t *testing.T) {
	for name, body := range map[string]string{"small": "buy", "larger than a buffer": strings.Repeat("buy", 4000)} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				may := make(chan struct{})
				got := make(chan string, 1)
				dial := func(context.Context, string, string) (net.Conn, error) {
					ours, theirs := net.Pipe()
					go func() {
						defer theirs.Close()
						r, err := http.ReadRequest(bufio.NewReader(theirs))
						if err != nil {
							t.Errorf("read the request: %v", err)
							return
						}
						all, _ := io.ReadAll(r.Body)
						got <- string(all)
						io.WriteString(theirs, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
					}()
					return heldConn{ours, may}, nil
				}
				var connected, wrote atomic.Bool
				ctx := httptrace.WithClientTrace(t.Context(), Watch(&connected, func() { wrote.Store(true) }))
				req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://market.test/", strings.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				done := make(chan error)
				go func() {
					resp, err := New(dial, nil).Do(req)
					if err == nil {
						err = resp.Body.Close()
					}
					done <- err
				}()
				synctest.Wait()
				if !connected.Load() || wrote.Load() {
					t.Fatalf("before any byte left: connected %t, wrote %t, want only the first", connected.Load(), wrote.Load())
				}
				close(may)
				if err := <-done; err != nil || !wrote.Load() {
					t.Errorf("afterwards: error %v, wrote %t, want it to have left", err, wrote.Load())
				}
				if sent := <-got; sent != body {
					t.Errorf("%d bytes arrived, want %d", len(sent), len(body))
				}
			})
		})
	}
}

// TestNothingIsRepeated: a server that takes a request and cuts the connection
// has had it once, and so has one that redirects.
func TestNothingIsRepeated(t *testing.T) {
	for name, answer := range map[string]string{
		"cut":      "",
		"redirect": "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://elsewhere.test/\r\nContent-Length: 0\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			var requests atomic.Int64
			dial := func(context.Context, string, string) (net.Conn, error) {
				ours, theirs := net.Pipe()
				go func() {
					defer theirs.Close()
					if r, err := http.ReadRequest(bufio.NewReader(theirs)); err == nil {
						_, _ = io.Copy(io.Discard, r.Body)
						requests.Add(1)
						_, _ = io.WriteString(theirs, answer)
					}
				}()
				return ours, nil
			}
			client := New(dial, nil)
			for want := int64(1); want <= 2; want++ { // the second one must not go over the first one's connection
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://market.test/", strings.NewReader("buy"))
				if err != nil {
					t.Fatal(err)
				}
				resp, err := client.Do(req)
				if err == nil {
					resp.Body.Close()
				}
				if got := requests.Load(); got != want {
					t.Errorf("%d requests arrived, error %v, want %d", got, err, want)
				}
			}
		})
	}
}
