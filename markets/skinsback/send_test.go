package skinsback

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"skinarb/execution"
	"skinarb/fetch"
	"skinarb/pricing"
)

// rawServer answers every request with the same bytes and hangs up.
func rawServer(t *testing.T, answer string) (address string) {
	t.Helper()
	return tcpServer(t, func(conn net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
			io.WriteString(conn, answer)
		}
	})
}

// tcpServer gives every connection to handle and closes it then.
func tcpServer(t *testing.T, handle func(net.Conn)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer conn.Close()
				conn.SetDeadline(time.Now().Add(10 * time.Second))
				handle(conn)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		all.Wait()
	})
	return "http://" + l.Addr().String()
}

func TestRequestsCarryTheAccount(t *testing.T) {
	type sent struct {
		header http.Header
		body   string
		proto  string
	}
	for _, tc := range []struct {
		auth        Auth
		form        bool
		contentType string
		body        string
	}{
		{AuthHeaders, false, "application/json", `{"custom_id":"ord-0001","game":"cs2","max_price":"0.285","method":"market_buy","name":"Kilowatt Case","partner":"100000001","token":"AbCdEf12"}`},
		{AuthHeaders, true, "application/x-www-form-urlencoded", "custom_id=ord-0001&game=cs2&max_price=0.285&method=market_buy&name=Kilowatt+Case&partner=100000001&token=AbCdEf12"},
		{AuthSignature, false, "application/json", ""},
		{AuthSignature, true, "application/x-www-form-urlencoded", ""},
	} {
		var got sent
		c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			got = sent{r.Header, string(b), r.Proto}
			io.WriteString(w, sample(t, "market_buy.json"))
		}, func(cfg *Config) { cfg.Auth, cfg.FormBody = tc.auth, tc.form })
		if _, err := c.Buy(t.Context(), testRequest); err != nil {
			t.Fatalf("%s: %v", tc.auth, err)
		}
		if got.header.Get("Content-Type") != tc.contentType || got.proto != "HTTP/1.1" || got.header.Get("Connection") != "close" {
			t.Errorf("%s: got %s over %s, connection %q", tc.auth, got.header.Get("Content-Type"), got.proto, got.header.Get("Connection"))
		}
		if tc.auth == AuthHeaders {
			if got.header.Get("X-CLIENT-ID") != testID || got.header.Get("X-CLIENT-SECRET") != testSecret {
				t.Errorf("got id %q and secret %q", got.header.Get("X-CLIENT-ID"), got.header.Get("X-CLIENT-SECRET"))
			}
			if got.body != tc.body {
				t.Errorf("form %v: got %s, want %s", tc.form, got.body, tc.body)
			}
			continue
		}
		if got.header.Get("X-CLIENT-SECRET") != "" || strings.Contains(got.body, "s3cret") {
			t.Error("a signed request carries the secret")
		}
		sign := params{
			"custom_id": "ord-0001", "game": "cs2", "max_price": "0.285", "method": "market_buy", "name": "Kilowatt Case",
			"partner": "100000001", "token": "AbCdEf12", "shopid": testID,
		}.signature(testSecret)
		if !strings.Contains(got.body, sign) || !strings.Contains(got.body, testID) {
			t.Errorf("form %v: %s has no shopid or not the signature %s", tc.form, got.body, sign)
		}
		if !tc.form {
			var all map[string]string // every scalar is a string
			if err := json.Unmarshal([]byte(got.body), &all); err != nil {
				t.Errorf("%s: %v", got.body, err)
			}
		}
	}
}

// TestAPurchaseIsSentOnce crosses every way in which a purchase, or anything else that
// moves money or items, can go wrong with what the client may do about it, which
// is nothing.
func TestAPurchaseIsSentOnce(t *testing.T) {
	for name, answer := range map[string]string{
		"closed without an answer": "",
		"half a header":            "HTTP/1.1 200 OK\r\nContent-",
		"half a body":              "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"status\":\"succ",
		"a gateway":                "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
		"come back here":           "HTTP/1.1 307 Temporary Redirect\r\nLocation: /api.php\r\nContent-Length: 0\r\n\r\n",
		"found elsewhere":          "HTTP/1.1 302 Found\r\nLocation: /api.php\r\nContent-Length: 0\r\n\r\n",
		"see other":                "HTTP/1.1 303 See Other\r\nLocation: /api.php\r\nContent-Length: 0\r\n\r\n",
		"come back there":          "HTTP/1.1 308 Permanent Redirect\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
		"request time-out":         "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n",
		"misdirected":              "HTTP/1.1 421 Misdirected Request\r\nContent-Length: 0\r\n\r\n",
		"too early":                "HTTP/1.1 425 Too Early\r\nContent-Length: 0\r\n\r\n",
		"not HTTP":                 "SSH-2.0-OpenSSH\r\n",
		"gzip that is none":        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
	} {
		var requests atomic.Int32
		address := tcpServer(t, func(conn net.Conn) {
			if r, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				io.Copy(io.Discard, r.Body)
				requests.Add(1)
				io.WriteString(conn, answer)
			}
		})
		for range 3 { // a client with a past behaves no differently
			for method, write := range writes {
				requests.Store(0)
				err := write(t, newClient(t, address))
				if got := outcome(err); got != "in doubt" {
					t.Errorf("%s, %s: got %s (%v), want in doubt", method, name, got, err)
				}
				if n := requests.Load(); n != 1 {
					t.Errorf("%s, %s: sent %d times, want once", method, name, n)
				}
			}
		}
	}
}

// TestARedirectIsNotFollowed: it would take the credentials elsewhere.
func TestARedirectIsNotFollowed(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		requests := 0
		c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			requests++
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
		})
		var answer *AnswerError
		if _, err := c.GetBalance(t.Context()); !errors.As(err, &answer) || answer.Status != status || requests != 1 {
			t.Errorf("HTTP %d: got %v after %d requests, want an unusable answer after 1", status, err, requests)
		}
	}
}

func TestPurchasesNeverReuseAConnection(t *testing.T) {
	var conns atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, sample(t, "market_buy.json"))
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			conns.Add(1)
		}
	}
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	c := newClient(t, s.URL, func(cfg *Config) {
		cfg.TLS = s.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	})
	for range 3 {
		if _, err := c.Buy(t.Context(), testRequest); err != nil {
			t.Fatal(err)
		}
	}
	if n := conns.Load(); n != 3 {
		t.Errorf("3 purchases took %d connections, want 3", n)
	}
}

func TestAPurchaseThatNeverConnectedDidNotHappen(t *testing.T) {
	end := make(chan struct{})
	defer close(end)
	for name, dial := range map[string]func(context.Context, string, string) (net.Conn, error){
		"refused": func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("connection refused") },
		"slow": func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-end // longer than the request waits
			return nil, errors.New("too late")
		},
	} {
		c := newClient(t, "http://127.0.0.1:1/", func(cfg *Config) {
			cfg.Dial = dial
			cfg.Timeout = 20 * time.Millisecond
		})
		_, err := c.Buy(t.Context(), testRequest)
		if got := outcome(err); got != "later" {
			t.Errorf("%s: got %s (%v), want later", name, got, err)
		}
	}
	// A handshake that fails comes before the request too.
	address := tcpServer(t, func(conn net.Conn) { io.CopyN(io.Discard, conn, 1) })
	c := newClient(t, strings.Replace(address, "http:", "https:", 1))
	if _, err := c.Buy(t.Context(), testRequest); outcome(err) != "later" {
		t.Errorf("no TLS: got %s (%v), want later", outcome(err), err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.buy(ended, testRequest, func() {}); outcome(err) != "later" {
		t.Errorf("ended context: got %s (%v), want later", outcome(err), err)
	}
}

func TestAPurchaseWithoutALimitIsNotSent(t *testing.T) {
	c := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") })
	for _, r := range []BuyRequest{
		{Name: "Kilowatt Case", Game: pricing.CS2, CustomID: "a"},
		{Name: "Kilowatt Case", Game: pricing.CS2, CustomID: "a", MaxPrice: -1},
		{Name: "Kilowatt Case", Game: pricing.CS2, MaxPrice: 1},
	} {
		if _, err := c.Buy(t.Context(), r); !strings.HasPrefix(outcome(err), "rejected") {
			t.Errorf("%+v: got %v, want a refusal", r, err)
		}
	}
}

func TestEveryRequestTakesOnePermit(t *testing.T) {
	for _, tc := range []struct {
		name    string
		answers []int // HTTP statuses
		ask     func(*Client) error
		class   fetch.Class
		want    int // requests
	}{
		{"list", []int{500, 503}, func(c *Client) error { _, err := c.Pull(t.Context(), pricing.CS2); return err }, fetch.ForCatalog, 3},
		{"search", []int{502}, func(c *Client) error { _, err := c.Search(t.Context(), pricing.CS2, "AK-47"); return err }, fetch.ForPurchase, 2},
		{"balance", nil, func(c *Client) error { _, err := c.Balance(t.Context()); return err }, fetch.ForStatus, 1},
		{"balance forever down", []int{500, 500, 500, 500}, func(c *Client) error { _, err := c.Balance(t.Context()); return err }, fetch.ForStatus, 3},
		{"forbidden is final", []int{403, 200}, func(c *Client) error { _, err := c.Balance(t.Context()); return err }, fetch.ForStatus, 1},
		{"buy", []int{500, 500}, func(c *Client) error { _, err := c.Buy(t.Context(), testRequest); return err }, fetch.ForPurchase, 1},
	} {
		b := &budget{}
		var requests int
		c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			requests++
			if len(b.taken) != requests {
				t.Errorf("%s: request %d came with %d permits taken", tc.name, requests, len(b.taken))
			}
			if requests <= len(tc.answers) {
				w.WriteHeader(tc.answers[requests-1])
				return
			}
			io.WriteString(w, `{"status":"success","items":[],"balance":"1"}`)
		}, with(b))
		err := tc.ask(c)
		if requests != tc.want || len(b.taken) != tc.want {
			t.Errorf("%s: got %d requests and %d permits, want %d (%v)", tc.name, requests, len(b.taken), tc.want, err)
		}
		for _, class := range b.taken {
			if class != tc.class {
				t.Errorf("%s: took class %d, want %d", tc.name, class, tc.class)
			}
		}
		if succeeds := len(tc.answers) < tc.want; (err == nil) != succeeds {
			t.Errorf("%s: got %v, want success %v", tc.name, err, succeeds)
		}
	}
}

func TestWithoutAPermitNothingIsSent(t *testing.T) {
	no := errors.New("the budget is closed")
	b := &budget{refuse: no}
	c := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") }, with(b))
	if _, err := c.Balance(t.Context()); !errors.Is(err, no) {
		t.Errorf("balance: got %v, want %v", err, no)
	}
	if _, err := c.Buy(t.Context(), testRequest); !errors.Is(err, no) || outcome(err) != "later" {
		t.Errorf("buy: got %v, want later, and %v", err, no)
	}
	if len(b.taken) != 2 {
		t.Errorf("asked %d times for a permit, want 2", len(b.taken))
	}
}

func TestTheCallersLimitsHold(t *testing.T) {
	hang := func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}
	var requests atomic.Int32
	c := serve(t, func(w http.ResponseWriter, r *http.Request) { requests.Add(1); hang(w, r) }, func(cfg *Config) {
		cfg.Timeout, cfg.ListTimeout = time.Second, time.Second
	})
	if _, err := c.Buy(t.Context(), testRequest); outcome(err) != "in doubt" {
		t.Errorf("buy: got %s (%v), want in doubt", outcome(err), err)
	}
	if _, err := c.Balance(t.Context()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("balance: got %v, want %v", err, context.DeadlineExceeded)
	}
	if _, err := c.Pull(t.Context(), pricing.CS2); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("pull: got %v, want %v", err, context.DeadlineExceeded)
	}
	if n := requests.Load(); n != 3 {
		t.Errorf("got %d requests, want 3: what timed out is not tried again", n)
	}
}

func TestWroteIsSaidOnceAndBeforeTheAnswer(t *testing.T) {
	said := make(chan struct{})
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		<-said // the answer waits: it must have been said because of the request
		io.WriteString(w, sample(t, "market_buy.json"))
	})
	n := 0
	o := execution.Order{ID: "ord-0001", Request: execution.Request{
		Item: pricing.Item{Game: pricing.CS2, Name: "Kilowatt Case"}, MarketName: "Kilowatt Case", Ask: 285_000,
	}}
	if _, err := c.Place(t.Context(), o, execution.Offer{}, func() { n++; close(said) }); err != nil {
		t.Fatal(err)
	}
	if n != 1 {
		t.Errorf("said %d times, want once", n)
	}
	for name, c := range map[string]*Client{
		"unreachable": newClient(t, "http://127.0.0.1:1/", func(cfg *Config) {
			cfg.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no route") }
		}),
		"refused": answering(t, 200, sample(t, "error_market_buy_5_skin_unavailable.json")),
	} {
		n := 0
		if _, err := c.Place(t.Context(), o, execution.Offer{}, func() { n++ }); err == nil || n != 1 {
			t.Errorf("%s: said %d times, want once (%v)", name, n, err)
		}
	}
}

func TestGzip(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "gzip" {
			t.Errorf("Accept-Encoding: got %q, want gzip", r.Header.Get("Accept-Encoding"))
		}
		w.Header().Set("Content-Encoding", "gzip")
		zw := gzip.NewWriter(w)
		io.WriteString(zw, sample(t, "market_pricelist_grouped.json"))
		if r.URL.RawQuery != "cut" {
			zw.Close()
		} else {
			zw.Flush() // everything is there but the checksum
		}
	})
	pull, err := c.Pull(t.Context(), pricing.CS2)
	if size := int64(len(sample(t, "market_pricelist_grouped.json"))); err != nil || pull.Bytes != size {
		t.Errorf("got %d bytes, %v, want %d", pull.Bytes, err, size)
	}
	c.cfg.URL += "?cut"
	if _, err := c.Pull(t.Context(), pricing.CS2); err == nil {
		t.Error("an archive without its end: got no error")
	}
}

func TestBodiesAreBounded(t *testing.T) {
	// A hundred megabytes of spaces are a hundred kilobytes on the wire.
	bomb := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		zw := gzip.NewWriter(w)
		spaces := strings.Repeat(" ", 1<<20)
		for range 100 {
			if _, err := io.WriteString(zw, spaces); err != nil {
				return
			}
		}
		zw.Close()
	}
	c := serve(t, bomb, func(cfg *Config) { cfg.MaxListBody = 1 << 20 })
	var large *tooLargeError
	if _, err := c.Balance(t.Context()); !errors.As(err, &large) || large.limit != 4<<20 {
		t.Errorf("balance: got %v, want too large", err)
	}
	if _, err := c.Pull(t.Context(), pricing.CS2); !errors.As(err, &large) || large.limit != 1<<20 {
		t.Errorf("pull: got %v, want too large", err)
	}
}
