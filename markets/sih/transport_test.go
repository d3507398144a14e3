package sih

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"skinarb/execution"
	"skinarb/fetch"
	"skinarb/internal/sendonce"
	"skinarb/pricing"
)

// piped gives a client whose connections are pipes, served by peer in turn.
func piped(t *testing.T, peer func(net.Conn)) *Client {
	t.Helper()
	return client(t, "http://sih.test/api/v1", func(cfg *Config) {
		cfg.Dial = func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go peer(theirs)
			return ours, nil
		}
	})
}

// TestWroteIsCalledWhenTheRequestHasLeft: not while bytes of it may still leave,
// and not as late as the answer.
func TestWroteIsCalledWhenTheRequestHasLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var wrote atomic.Int32
		check := func(when string, want int32) {
			synctest.Wait()
			if got := wrote.Load(); got != want {
				t.Errorf("%s: wrote was called %d times, want %d", when, got, want)
			}
		}
		c := piped(t, func(conn net.Conn) {
			defer conn.Close()
			check("before the first byte", 0)
			r := bufio.NewReaderSize(conn, 16) // takes 16 bytes at most
			r.Peek(1)
			check("after the first bytes", 0)
			req, err := http.ReadRequest(r)
			if err != nil {
				t.Error(err)
				return
			}
			check("after the header", 0)
			body, err := io.ReadAll(req.Body)
			if err != nil || !strings.Contains(string(body), `"customId":"arb-000123"`) {
				t.Errorf("got body %s, %v", body, err)
			}
			check("after the last byte", 1)
			time.Sleep(10 * time.Second)
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 24\r\n\r\n"+`{"success":true,"id":42}`)
		})
		got, err := c.Place(t.Context(), buy, execution.Offer{}, func() { wrote.Add(1) })
		if err != nil || got.MarketRef != "42" {
			t.Errorf("got %+v, %v, want order 42", got, err)
		}
		check("at the end", 1)
	})
}

// TestPlaceHangs: a market that takes the request and never answers holds us for
// the time-out and no longer, and the outcome is unknown. One whose connections
// never come about has done nothing.
func TestPlaceHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := piped(t, func(conn net.Conn) { io.Copy(io.Discard, conn) })
		start := time.Now()
		_, err := c.Place(t.Context(), buy, execution.Offer{}, nil)
		if took := time.Since(start); outcome(err) != "unknown" || !errors.Is(err, context.DeadlineExceeded) || took != DefaultTimeout {
			t.Errorf("got %v after %s, want a time-out after %s", err, took, DefaultTimeout)
		}

		c = client(t, "http://sih.test", func(cfg *Config) {
			cfg.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			}
		})
		if _, err := c.Place(t.Context(), buy, execution.Offer{}, nil); outcome(err) != "later" {
			t.Errorf("no connection: got %v, want to try later", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := c.Place(ctx, buy, execution.Offer{}, nil); outcome(err) != "later" {
			t.Errorf("cancelled before it was sent: got %v, want to try later", err)
		}
	})
}

// TestPlaceCutWhileWriting: some bytes left, so the outcome is unknown.
func TestPlaceCutWhileWriting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		connections := 0
		c := piped(t, func(conn net.Conn) {
			connections++
			io.ReadFull(conn, make([]byte, 10))
			conn.Close()
		})
		if _, err := c.Place(t.Context(), buy, execution.Offer{}, nil); outcome(err) != "unknown" || connections != 1 {
			t.Errorf("got %v over %d connections, want an unknown outcome over one", err, connections)
		}
	})
}

func TestPlaceOverTLS(t *testing.T) {
	read := make(chan struct{})
	var proto string
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		proto = r.Proto
		io.Copy(io.Discard, r.Body)
		select { // answer only after the client knows that all has left
		case <-read:
		case <-r.Context().Done():
		}
		io.WriteString(w, sample(t, "create-order.ok.json"))
	}))
	s.EnableHTTP2 = true
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()

	c := client(t, s.URL, func(cfg *Config) { cfg.Timeout = 20 * time.Second })
	_, err := c.Place(t.Context(), buy, execution.Offer{}, func() {})
	if got := outcome(err); got != "later" || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate that nobody signed: got %s (%v), want later", got, err)
	}

	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	c.purchases = sendonce.New((&net.Dialer{}).DialContext, &tls.Config{RootCAs: roots})
	if _, err := c.Place(t.Context(), buy, execution.Offer{}, func() { close(read) }); err != nil || proto != "HTTP/1.1" {
		t.Errorf("got %v over %s, want a purchase over HTTP/1.1", err, proto)
	}
}

func TestPlaceNobodyListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	wrote := 0
	_, err = client(t, "http://"+l.Addr().String(), nil).Place(t.Context(), buy, execution.Offer{}, func() { wrote++ })
	if outcome(err) != "later" || wrote != 1 {
		t.Errorf("got %v, wrote %d times, want to try later and once", err, wrote)
	}
}

// TestPurchasesDoNotShareConnections: net/http may repeat a request by itself on
// a connection that it has used before.
func TestPurchasesDoNotShareConnections(t *testing.T) {
	peers := map[string]bool{}
	c := served(t, func(w http.ResponseWriter, r *http.Request) {
		peers[r.RemoteAddr] = true
		io.WriteString(w, sample(t, "create-order.ok.json"))
	})
	for range 3 {
		if _, err := c.Place(t.Context(), buy, execution.Offer{}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if len(peers) != 3 {
		t.Errorf("three purchases came over %d connections, want 3", len(peers))
	}
}

func TestReadsAreTriedAgain(t *testing.T) {
	ok := `{"success":true,"items":{"A":1}}`
	abort := func(http.ResponseWriter) { panic(http.ErrAbortHandler) }
	status := func(code int, body string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) { w.WriteHeader(code); io.WriteString(w, body) }
	}
	short := func(w http.ResponseWriter) {
		w.Header().Set("Content-Length", "100")
		io.WriteString(w, ok[:10])
	}
	for _, tc := range []struct {
		name     string
		answers  []func(http.ResponseWriter)
		requests int
		ok       bool
	}{
		{"at once", []func(http.ResponseWriter){status(200, ok)}, 1, true},
		{"server errors", []func(http.ResponseWriter){status(500, "{}"), status(503, "<html>"), status(200, ok)}, 3, true},
		{"too many server errors", []func(http.ResponseWriter){status(500, ""), status(500, ""), status(500, ""), status(200, ok)}, 3, false},
		{"cut off", []func(http.ResponseWriter){short, status(200, ok)}, 2, true},
		{"no answer", []func(http.ResponseWriter){abort, abort, status(200, ok)}, 3, true},
		{"refused", []func(http.ResponseWriter){status(400, `{"success":false,"error":"no"}`), status(200, ok)}, 1, false},
		{"garbage", []func(http.ResponseWriter){status(200, "<html>"), status(200, ok)}, 1, false},
		{"closed but whole", []func(http.ResponseWriter){status(200, ok[:10]), status(200, ok)}, 1, false},
		{"redirect", []func(http.ResponseWriter){func(w http.ResponseWriter) { w.Header().Set("Location", "/"); w.WriteHeader(302) }, status(200, ok)}, 1, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			requests := 0
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests++
				tc.answers[min(requests, len(tc.answers))-1](w)
			}))
			s.Config.SetKeepAlivesEnabled(false) // so that net/http repeats nothing by itself
			s.Start()
			defer s.Close()
			b := &budget{}
			c := client(t, s.URL, func(cfg *Config) { cfg.Budget = b })
			pull, err := c.Pull(t.Context(), pricing.CS2)
			if (err == nil) != tc.ok || tc.ok && len(pull.Listings) != 1 {
				t.Errorf("got %d listings, %v, want success: %v", len(pull.Listings), err, tc.ok)
			}
			if taken, _ := b.counts(); requests != tc.requests || taken[fetch.ForCatalog] != tc.requests {
				t.Errorf("got %d requests on %d permits, want %d", requests, taken[fetch.ForCatalog], tc.requests)
			}
		})
	}
}

// TestReadsAreBounded: a market that never answers costs three time-outs and the
// waits between, not more.
func TestReadsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := piped(t, func(conn net.Conn) { io.Copy(io.Discard, conn) })
		c.firstWait = 500 * time.Millisecond
		start := time.Now()
		_, err := c.Balance(t.Context())
		if took := time.Since(start); !errors.Is(err, context.DeadlineExceeded) || took < 3*DefaultTimeout || took > 3*DefaultTimeout+5*time.Second {
			t.Errorf("got %v after %s, want three time-outs of %s", err, took, DefaultTimeout)
		}
		start = time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.Pull(ctx, pricing.CS2); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("got %v after %s, want the caller's second", err, time.Since(start))
		}
	})
}

func TestNoPermitNoRequest(t *testing.T) {
	requests := 0
	c := served(t, func(http.ResponseWriter, *http.Request) { requests++ })
	refused := errors.New("stopped")
	c.cfg.Budget = &budget{refuse: refused}
	ctx := t.Context()
	for name, call := range map[string]func() error{
		"Pull":     func() error { _, err := c.Pull(ctx, pricing.CS2); return err },
		"Check":    func() error { _, err := c.Check(ctx, cs2(redline), redline); return err },
		"Lookup":   func() error { _, err := c.Lookup(ctx, buy); return err },
		"Track":    func() error { _, err := c.Track(ctx, []execution.Order{buy}); return err },
		"History":  func() error { _, err := c.History(ctx, time.Time{}); return err },
		"Balance":  func() error { _, err := c.Balance(ctx); return err },
		"Wallet":   func() error { _, err := c.WalletHistory(ctx, MainWallet, time.Time{}); return err },
		"Account":  func() error { _, err := c.Account(ctx, testSteam); return err },
		"Accounts": func() error { _, err := c.Accounts(ctx); return err },
		"States":   func() error { _, err := c.AccountStates(ctx); return err },
		"Deposits": func() error { _, err := c.Deposits(ctx); return err },
	} {
		if err := call(); !errors.Is(err, refused) || requests != 0 {
			t.Errorf("%s: got %v after %d requests, want none", name, err, requests)
		}
	}
}

// TestSecretsStayOut: a peer that sends our secrets back cannot get them into an
// error, also where the quote ends in the middle of one.
func TestSecretsStayOut(t *testing.T) {
	for _, status := range []int{200, 400, 401, 409, 502} {
		for pad := 150; pad < 215; pad++ {
			body := strings.Repeat("x", pad) + testKey + " " + testToken
			for _, body := range []string{body, `{"success":false,"error":"` + body + `"}`, `{"success":true,"order":{"status":"` + body + `"}}`} {
				c := decoding(t)
				_, err := c.decodeCreated(received(t, c, status, strings.NewReader(body)), "x")
				err2 := c.decode(received(t, c, status, strings.NewReader(body)), &struct{ Order int }{})
				_, err3 := c.decodeItems(received(t, c, status, strings.NewReader(body)), pricing.CS2)
				for _, err := range []error{err, err2, err3} {
					if err != nil && (strings.Contains(err.Error(), testKey[:4]) || strings.Contains(err.Error(), testToken[:4])) {
						t.Fatalf("status %d, %d bytes before the secrets: %v", status, pad, err)
					}
				}
			}
		}
	}
}

func TestNewReportsEveryMistake(t *testing.T) {
	_, err := New(Config{URL: "ftp://x", APIKey: "a\nb", Timeout: -1})
	for _, part := range []string{"URL", "APIKey", "Timeout"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("got %v, want %s named", err, part)
		}
	}
	for _, bad := range []string{"x", "http://", "https://user@host", "https://host?a=b", "https://host#f", ":"} {
		if _, err := New(Config{URL: bad, APIKey: "k"}); err == nil {
			t.Errorf("URL %q: got no error", bad)
		}
	}
	if c, err := New(Config{APIKey: "k"}); err != nil || c.Market() != pricing.SIH || len(c.Games()) != 3 {
		t.Errorf("got %v, %v, want a client for the default URL", c, err)
	}
}

// TestHiding: secrets of one call are hidden in its errors, the longer of two
// that overlap as a whole, and are forgotten with it.
func TestHiding(t *testing.T) {
	c := decoding(t)
	hiding := c.hiding("hook", "https://x.example/hook", "", "/")
	for in, want := range map[string]string{
		"at https://x.example/hook now":     "at [secret] now",
		"hook " + testKey + " " + testToken: "[secret] [secret] [secret]",
		"":                                  "",
	} {
		if got := hiding.clean(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	if got, want := c.clean("hook "+testKey), "hook [secret]"; got != want {
		t.Errorf("after the call: got %q, want %q", got, want)
	}
	if got, want := hiding.keep(), quoteLen+len("https://x.example/hook"); got != want {
		t.Errorf("got %d bytes kept, want %d", got, want)
	}
}
