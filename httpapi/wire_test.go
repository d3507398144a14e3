package httpapi

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"skinarb/execution"
	"skinarb/pricing"
)

// serve runs a server on a real socket and gives its address. At the end it
// asserts that the server stops within 10 s and leaves no goroutine.
func serve(t *testing.T, cfg Config, change ...func(*Server)) (*Server, string) {
	t.Helper()
	leaks := goleak.IgnoreCurrent()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, done := New(cfg), make(chan error, 1)
	for _, f := range change {
		f(s)
	}
	go func() { done <- s.Serve(ln) }()
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: got %v, want nil", err)
		}
		if err := <-done; err != nil {
			t.Errorf("Serve: got %v, want nil after Shutdown", err)
		}
		// fasthttp keeps a clock for the Date header and cleans its pool now and then.
		if err := goleak.Find(leaks,
			goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
			goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2")); err != nil {
			t.Error(err)
		}
	})
	return s, ln.Addr().String()
}

// exchange writes raw bytes on a new connection and reads one answer.
func exchange(t *testing.T, addr string, raw io.Reader) reply {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	// A server that refuses may close before it has read all: what counts is
	// whether its answer arrives.
	_, writing := io.Copy(c, raw)
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatalf("read the answer: %v (writing: %v)", err, writing)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(body)}
}

// TestRefusedOnTheWire sends what fasthttp refuses before a handler runs.
func TestRefusedOnTheWire(t *testing.T) {
	_, addr := serve(t, newWorld().cfg)
	const post = "POST /v1/prices HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
	big := strings.Repeat(" ", 4<<20)
	for _, tt := range []struct {
		name   string
		raw    string
		status int
		code   string
	}{
		{"body one byte too large", post + fmt.Sprintf("Content-Length: %d\r\n\r\n", maxBody+1) + big[:maxBody+1], 413, "body_too_large"},
		{"body much too large", post + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(big)) + big, 413, "body_too_large"},
		{"body without length too large", post + fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n", len(big)) + big + "\r\n0\r\n\r\n", 413, "body_too_large"},
		{"too large at an endpoint that is not there", "POST /nothing HTTP/1.1\r\nHost: x\r\n" + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(big)) + big, 413, "body_too_large"},
		{"a largest body", post + fmt.Sprintf("Content-Length: %d\r\n\r\n", maxBody) + big[:maxBody], 400, "invalid_body"},
		{"a long address", "GET /v1/prices?name=" + strings.Repeat("x", 64<<10) + " HTTP/1.1\r\nHost: x\r\n\r\n", 431, "header_too_large"},
		{"no HTTP", "hello\r\n\r\n", 400, "bad_request"},
		{"a method that is none", "BREW /v1/prices HTTP/1.1\r\nHost: x\r\n\r\n", 405, "method_not_allowed"},
		{"a wrong length", post + "Content-Length: x\r\n\r\n", 400, "bad_request"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wantError(t, tt.name, exchange(t, addr, strings.NewReader(tt.raw)), tt.status, tt.code)
		})
	}
}

// TestLargeBodyThroughClient asks as most do: through net/http.
func TestLargeBodyThroughClient(t *testing.T) {
	_, addr := serve(t, newWorld().cfg)
	for _, expect := range []string{"", "100-continue"} {
		r, err := http.NewRequest("POST", "http://"+addr+"/v1/prices", bytes.NewReader(make([]byte, 3<<20)))
		if err != nil {
			t.Fatal(err)
		}
		if expect != "" {
			r.Header.Set("Expect", expect)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatalf("Expect %q: %v", expect, err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		wantError(t, "3 MiB with Expect "+expect, reply{resp.StatusCode, resp.Header, string(body)}, 413, "body_too_large")
	}
}

// TestHeaders says nothing of what serves, and lets nothing be kept.
func TestHeaders(t *testing.T) {
	_, addr := serve(t, newWorld().cfg)
	got := exchange(t, addr, strings.NewReader("GET /v1/feeds HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
	for name, want := range map[string]string{"Server": "", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"} {
		if h := got.header.Get(name); h != want {
			t.Errorf("header %s: got %q, want %q", name, h, want)
		}
	}
}

// TestConcurrentRequests asks many different things at once: a string of a
// request that was kept would show up in another one's answer.
func TestConcurrentRequests(t *testing.T) {
	w := newWorld()
	var listings []pricing.Listing
	for i := range 50 {
		listings = append(listings, listing(pricing.CS2, fmt.Sprintf("Item number %d", i), fmt.Sprintf("%d.50", i+1), i))
	}
	w.prices.book, _ = pricing.NewBook().With(pricing.Catalog{Feed: sbCS2, Version: 1, ObservedAt: now, Listings: listings})
	for i := range w.trading.orders {
		w.trading.orders[i].MarketRef = string(w.trading.orders[i].ID)
	}
	_, addr := serve(t, w.cfg)

	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := range 100 {
				n := (worker*31 + i) % 50
				target, want := fmt.Sprintf("/v1/prices?name=Item+number+%d", n), fmt.Sprintf(`"ask":"%d.50","count":%d,`, n+1, n)
				if i%3 == 0 {
					id := w.trading.orders[i%len(w.trading.orders)].ID
					target, want = "/v1/orders/"+string(id), fmt.Sprintf(`"market_ref":"%s"`, id)
				}
				resp, err := http.Get("http://" + addr + target)
				if err != nil {
					t.Errorf("GET %s: %v", target, err)
					return
				}
				body, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if err != nil || !strings.Contains(string(body), want) {
					t.Errorf("GET %s: got %s (%v), want %s in it", target, body, err, want)
				}
			}
		})
	}
	wg.Go(func() { // the book changes meanwhile
		for v := range uint64(20) {
			next, _ := w.prices.Book().With(pricing.Catalog{Feed: sbCS2, Version: v + 2, ObservedAt: now, Listings: listings})
			w.prices.mu.Lock()
			w.prices.book = next
			w.prices.mu.Unlock()
		}
	})
	wg.Wait()
}

// TestShutdownWithOpenConnections has a client that keeps its connection and one
// whose request is being answered. The first is cut, the second answered.
func TestShutdownWithOpenConnections(t *testing.T) {
	w := newWorld()
	slow := &slowTrading{fakeTrading: w.trading, entered: make(chan struct{}), release: make(chan struct{})}
	w.cfg.Trading = slow
	s, addr := serve(t, w.cfg)

	idle, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	fmt.Fprint(idle, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
	reader := bufio.NewReader(idle)
	resp, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(resp.Body); err != nil {
		t.Fatal(err)
	}

	answered := make(chan reply, 1)
	go func() {
		answered <- exchange(t, addr, strings.NewReader("GET /v1/pnl HTTP/1.1\r\nHost: x\r\n\r\n"))
	}()
	<-slow.entered

	stopped := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		stopped <- s.Shutdown(ctx)
	}()
	if err := idle.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := reader.ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("the idle connection: got %v, want it closed", err)
	}
	close(slow.release)
	if got := <-answered; got.status != 200 {
		t.Errorf("the request under way: got %d %s, want 200", got.status, got.body)
	}
	if err := <-stopped; err != nil {
		t.Errorf("Shutdown: got %v, want nil", err)
	}
	if c, err := net.Dial("tcp", addr); err == nil {
		c.Close()
		t.Error("a connection after Shutdown was taken, want it refused")
	}
}

// TestShutdownDoesNotFailByItsClients: one that never ends its request is waited
// for as long as the caller says, and no longer.
func TestShutdownDoesNotFailByItsClients(t *testing.T) {
	s, addr := serve(t, newWorld().cfg)
	half, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer half.Close()
	fmt.Fprint(half, "GET /healthz HTTP/1.1\r\n")
	for s.app.Server().GetOpenConnectionsCount() == 0 {
		runtime.Gosched()
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Shutdown(ctx); err != nil {
		t.Errorf("got %v, want nil", err)
	}
}

// slowTrading answers Totals when it is told to.
type slowTrading struct {
	*fakeTrading
	entered, release chan struct{}
}

func (s *slowTrading) Totals(ctx context.Context) (execution.Totals, error) {
	close(s.entered)
	<-s.release
	return s.fakeTrading.Totals(ctx)
}

// TestShutdownBeforeServe must not leave a server that nobody stops.
func TestShutdownBeforeServe(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := New(newWorld().cfg)
	if err := s.Shutdown(context.Background()); err != nil {
		t.Fatalf("Shutdown: got %v, want nil", err)
	}
	if err := s.Serve(ln); err != nil {
		t.Errorf("Serve after Shutdown: got %v, want nil", err)
	}
	if _, err := net.Dial("tcp", ln.Addr().String()); err == nil {
		t.Error("the listener still takes connections, want it closed")
	}
}

// TestServeFails on a listener that is closed by somebody else.
func TestServeFails(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := New(newWorld().cfg)
	done := make(chan error, 1)
	go func() { done <- s.Serve(failingListener{ln}) }()
	if err := <-done; err == nil || !strings.Contains(err.Error(), "out of sockets") {
		t.Errorf("Serve: got %v, want the listener's error", err)
	}
	ln.Close()
}

type failingListener struct{ net.Listener }

func (failingListener) Accept() (net.Conn, error) { return nil, errors.New("out of sockets") }

// TestLinger lets a client that is still sending finish, so that it comes to
// read the answer.
func TestLinger(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	client, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	server, err := lingerListener{ln}.Accept()
	if err != nil {
		t.Fatal(err)
	}
	closed := make(chan error, 1)
	linger(server)
	go func() { closed <- server.Close() }()

	if _, err := client.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the client reads %v, want the end of the answer", err)
	}
	for i := range 64 { // more than any socket buffers
		if _, err := client.Write(make([]byte, 128<<10)); err != nil {
			t.Fatalf("the client's write %d: got %v, want it taken", i, err)
		}
	}
	client.Close()
	if err := <-closed; err != nil {
		t.Errorf("Close: got %v, want nil", err)
	}
}
