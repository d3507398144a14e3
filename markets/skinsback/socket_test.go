package skinsback

import (
	"bufio"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"skinarb/internal/marketsim"
)

// scene is a Listen against a scripted server, on pipes and in a bubble: every
// duration in it is exact and passes at once.
type scene struct {
	t     *testing.T
	began time.Time
	log   strings.Builder
	lines []string // what happened, each with its second

	mu sync.Mutex // guards lines and log
}

func (s *scene) note(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, fmt.Sprintf("%d ", int(time.Since(s.began).Seconds()))+fmt.Sprintf(format, args...))
}

func (s *scene) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(p)
}

// listen runs Listen for a time. serve answers the connections, of which it gets
// the number from 1.
func (s *scene) listen(during time.Duration, serve func(n int, rw http.ResponseWriter, r *http.Request)) {
	s.t.Helper()
	s.began = time.Now()
	ctx, cancel := context.WithTimeout(s.t.Context(), during)
	defer cancel()
	ends := newPipes()
	var dials int
	server := &http.Server{Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		dials++
		serve(dials, rw, r)
	})}
	var running sync.WaitGroup
	running.Go(func() { server.Serve(ends) })
	c := newClient(s.t, "http://127.0.0.1", func(cfg *Config) {
		cfg.Dial = ends.dial
		cfg.Log = slog.New(slog.NewTextHandler(s, nil))
	})
	err := c.Listen(ctx, "ws://127.0.0.1/ws/", func() { s.note("connected") }, func(e Event) { s.note("%s %s", e.Kind, e.BuyID) })
	if err != nil || time.Since(s.began) != during {
		s.t.Errorf("Listen: got %v after %v, want nil as soon as its context ends, after %v", err, time.Since(s.began), during)
	}
	server.Close()
	ends.Close()
	running.Wait()
}

func (s *scene) want(lines ...string) {
	s.t.Helper()
	if got, want := strings.Join(s.lines, "\n"), strings.Join(lines, "\n"); got != want {
		s.t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// pipes is a listener whose connections are dialled in memory.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.conns <- far:
		return near, nil
	case <-p.done:
		return nil, errors.New("no server")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// upgrade makes a socket of a request.
func (s *scene) upgrade(rw http.ResponseWriter, r *http.Request) *websocket.Conn {
	conn, err := websocket.Accept(rw, r, nil)
	if err != nil {
		s.t.Errorf("accept: %v", err)
	}
	conn.SetReadLimit(100)
	return conn
}

// say writes frames.
func (s *scene) say(conn *websocket.Conn, frames ...string) {
	for _, f := range frames {
		if err := conn.Write(context.Background(), websocket.MessageText, []byte(f)); err != nil {
			s.note("the client left")
			return
		}
	}
}

// hear reads, and so answers the protocol's pings, until the client leaves.
func (s *scene) hear(conn *websocket.Conn, each func(frame string)) {
	for {
		_, frame, err := conn.Read(context.Background())
		if err != nil {
			return
		}
		each(string(frame))
	}
}

func TestSocketSignature(t *testing.T) {
	for _, tt := range []struct{ id, secret, want string }{
		{"11111111-2222-4333-8444-555555555555", "test-secret", "9d75bfb0f8c22b6c7be9821a96696227"},
		{"1", "123", "2cfd4560539f887a5e420412b370b361"},
	} {
		if got := socketSignature(tt.id, tt.secret); got != tt.want {
			t.Errorf("%s and %s: got %s, want %s", tt.id, tt.secret, got, tt.want)
		}
	}
}

// acceptKey is a server's answer to a Sec-WebSocket-Key.
func acceptKey(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

const success = `{"event":"auth_success"}`

func status(buyID string) string {
	return `{"event":"status_change","data":{"buy_id":"` + buyID + `"}}`
}

// TestListen logs in as documented, sends ping every 30 s, hands events on, and
// is not put off by what is none.
func TestListen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scene{t: t}
		s.listen(95*time.Second, func(_ int, rw http.ResponseWriter, r *http.Request) {
			if got, want := r.URL.RequestURI(), "/ws/?shopid="+testID+"&signature="+socketSignature(testID, testSecret); got != want {
				t.Errorf("got the request %s, want %s", got, want)
			}
			conn := s.upgrade(rw, r)
			defer conn.CloseNow()
			s.say(conn, success, "pong", "[1]", `{"data":{}}`, "\xff", status("1"), `{"event":"balance_change","data":{"balance_value":1.5}}`, `{"event":"new_one","data":null}`)
			s.hear(conn, func(frame string) {
				s.note("got %s", frame)
				s.say(conn, "pong")
			})
		})
		s.want("0 connected", "0 status_change 1", "0 balance_change ", "0 new_one ", "30 got ping", "60 got ping", "90 got ping")
	})
}

// TestReconnect cuts connections. Every login is told of, the pauses grow and
// stay bounded, and a connection that held makes them short again.
func TestReconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scene{t: t}
		var at []time.Duration
		s.listen(30*time.Minute, func(n int, rw http.ResponseWriter, r *http.Request) {
			at = append(at, time.Since(s.began))
			if n <= 20 && n%2 == 0 {
				rw.WriteHeader(http.StatusBadGateway)
				return
			}
			conn := s.upgrade(rw, r)
			defer conn.CloseNow()
			s.say(conn, success, status(fmt.Sprint(n)))
			switch {
			case n == 21:
				time.AfterFunc(5*time.Minute, func() { conn.CloseNow() })
				s.hear(conn, func(string) {})
			case n > 21:
				s.hear(conn, func(string) {})
			}
		})
		if len(at) != 22 {
			t.Fatalf("got %d connections, want 22", len(at))
		}
		logins := 0
		for _, line := range s.lines {
			if strings.HasSuffix(line, " connected") {
				logins++
			}
		}
		if logins != 12 {
			t.Errorf("connected was called %d times, want 12", logins)
		}
		for i := 1; i < 21; i++ {
			pause, most := at[i]-at[i-1], min(time.Second<<(i-1), time.Minute)*3/2
			if pause < most/4 || pause > most {
				t.Errorf("pause %d: got %v, want about %v", i, pause, most*2/3)
			}
		}
		if pause := at[21] - at[20] - 5*time.Minute; pause < 0 || pause > 2*time.Second {
			t.Errorf("after a connection that held: got a pause of %v, want about a second", pause)
		}
	})
}

// TestAuthFailed waits long: trying again will hardly help.
func TestAuthFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scene{t: t}
		s.listen(30*time.Minute, func(_ int, rw http.ResponseWriter, r *http.Request) {
			s.note("dial")
			conn := s.upgrade(rw, r)
			defer conn.CloseNow()
			s.say(conn, `{"event":"auth_failed"}`)
			s.hear(conn, func(string) {})
		})
		if n := len(s.lines); n < 4 || n > 6 {
			t.Errorf("got %v, want a try about every 5 to 6 minutes", s.lines)
		}
		if !strings.Contains(s.log.String(), "auth_failed") {
			t.Errorf("got the log\n%s\nwant it to say why", s.log.String())
		}
	})
}

// TestSilence crosses what servers may do with what they owe us.
func TestSilence(t *testing.T) {
	for _, tt := range []struct {
		name  string
		serve func(s *scene, conn *websocket.Conn)
		after int // seconds to the first reconnect, without its pause
	}{
		{"nothing after the connection", func(s *scene, conn *websocket.Conn) {
			s.hear(conn, func(string) {})
		}, 30},
		{"answers pings for five minutes, then dies", func(s *scene, conn *websocket.Conn) {
			s.say(conn, success)
			time.AfterFunc(5*time.Minute-time.Second, func() { conn.CloseNow() })
			s.hear(conn, func(string) {})
		}, 299},
		{"says nothing at all and does not even read", func(s *scene, conn *websocket.Conn) {
			s.say(conn, success)
			time.Sleep(20 * time.Minute)
		}, 50}, // the first ping gets stuck after its 20 s
		{"answers pings and has no news", func(s *scene, conn *websocket.Conn) {
			s.say(conn, success)
			s.hear(conn, func(string) {})
		}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &scene{t: t}
				s.listen(time.Hour, func(n int, rw http.ResponseWriter, r *http.Request) {
					s.note("dial")
					conn := s.upgrade(rw, r)
					defer conn.CloseNow()
					if n == 1 {
						tt.serve(s, conn)
						return
					}
					s.say(conn, success)
					s.hear(conn, func(string) {})
				})
				s.wantSecondDial(tt.after)
			})
		})
	}
}

// wantSecondDial asserts when there was a second connection; 0 means never.
func (s *scene) wantSecondDial(after int) {
	s.t.Helper()
	var at []int
	for _, line := range s.lines {
		var second int
		if n, _ := fmt.Sscanf(line, "%d dial", &second); n == 1 && strings.HasSuffix(line, "dial") {
			at = append(at, second)
		}
	}
	switch {
	case after == 0 && len(at) != 1:
		s.t.Errorf("dialled at %v, want only once", at)
	case after > 0 && (len(at) < 2 || at[1] < after || at[1] > after+2):
		s.t.Errorf("dialled at %v, want a second time about %d s after the first", at, after)
	}
}

// TestSilentPeer is a server that takes every frame and answers none, not even
// the protocol's pings; a real library cannot be made to.
func TestSilentPeer(t *testing.T) {
	for _, tt := range []struct {
		name  string
		pongs int // that it answers before it stops
		after int // seconds
	}{
		{"never answered", 0, 15*60 + 20},
		{"answered twice", 2, 3*30 + 20},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &scene{t: t}
				s.listen(40*time.Minute, func(n int, rw http.ResponseWriter, r *http.Request) {
					s.note("dial")
					key := r.Header.Get("Sec-WebSocket-Key")
					raw, buf, err := http.NewResponseController(rw).Hijack()
					if err != nil {
						t.Errorf("hijack: %v", err)
						return
					}
					defer raw.Close()
					fmt.Fprintf(raw, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n", acceptKey(key))
					raw.Write(append([]byte{0x81, byte(len(success))}, success...))
					answerPings(raw, buf.Reader, tt.pongs)
				})
				s.wantSecondDial(tt.after)
			})
		})
	}
}

// answerPings reads frames of at most 125 bytes, as ours are, and answers the
// first pings.
func answerPings(w net.Conn, r *bufio.Reader, pongs int) {
	for {
		head := make([]byte, 6) // opcode, length, mask
		for i := range head {
			b, err := r.ReadByte()
			if err != nil {
				return
			}
			head[i] = b
		}
		payload := make([]byte, head[1]&0x7f)
		for i := range payload {
			b, err := r.ReadByte()
			if err != nil {
				return
			}
			payload[i] = b ^ head[2+i%4]
		}
		if head[0] == 0x89 && pongs > 0 {
			pongs--
			w.Write(append([]byte{0x8a, byte(len(payload))}, payload...))
		}
	}
}

// TestHugeFrame is not read to its end.
func TestHugeFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scene{t: t}
		s.listen(10*time.Second, func(n int, rw http.ResponseWriter, r *http.Request) {
			conn := s.upgrade(rw, r)
			defer conn.CloseNow()
			s.say(conn, success)
			if n == 1 {
				s.say(conn, `{"event":"`+strings.Repeat("x", maxFrame)+`"}`)
			}
			s.say(conn, status("2"))
			s.hear(conn, func(string) {})
		})
		if got := strings.Join(s.lines, "\n"); strings.Count(got, "connected") != 2 || !strings.HasSuffix(got, "status_change 2") {
			t.Errorf("got\n%s\nwant a second connection, and its event", got)
		}
	})
}

// TestSocketSecrets lets a server say the secrets in every way it can, and looks
// for them in the log.
func TestSocketSecrets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scene{t: t}
		tell := testSecret + " " + socketSignature(testID, testSecret)
		s.listen(10*time.Minute, func(n int, rw http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/ws/" {
				t.Errorf("the secret went to %s", r.URL.Path)
			}
			switch n {
			case 1:
				http.Error(rw, r.URL.String()+tell, http.StatusForbidden)
			case 2:
				http.Redirect(rw, r, "http://127.0.0.1/elsewhere?"+r.URL.RawQuery, http.StatusFound)
			case 3:
				rw.Header().Set("Upgrade", tell)
				rw.Header().Set("Connection", "upgrade")
				rw.WriteHeader(http.StatusSwitchingProtocols)
			case 4:
				raw, _, err := http.NewResponseController(rw).Hijack()
				if err != nil {
					t.Errorf("hijack: %v", err)
					return
				}
				fmt.Fprintf(raw, "%s\r\n", tell)
				raw.Close()
			case 5:
				panic(http.ErrAbortHandler)
			default:
				s.upgrade(rw, r).Close(websocket.StatusPolicyViolation, tell)
			}
		})
		log := s.log.String()
		if strings.Count(log, "\n") < 7 || !strings.Contains(log, "status 403") && !strings.Contains(log, "got 403") || !strings.Contains(log, "[signature]") {
			t.Errorf("got the log\n%s\nwant every failure in it", log)
		}
		for _, secret := range []string{testSecret, `k/9+s3cret\"x`, `k/9+s3cret\\\"x`, "s3cret", socketSignature(testID, testSecret), "signature="} {
			if strings.Contains(log, secret) {
				t.Errorf("the log has %s:\n%s", secret, log)
			}
		}
	})
}

// TestListenRefusesAddresses that are none, without showing them: somebody may
// have put a secret there.
func TestListenRefusesAddresses(t *testing.T) {
	c := newClient(t, "")
	for _, address := range []string{"", "wss://", "https://skinsback.com/ws/", "skinsback.com/ws/", "wss://u:hush@skinsback.com/ws/", "wss://hush\x00/"} {
		err := c.Listen(t.Context(), address, func() { t.Error("connected") }, func(Event) {})
		if err == nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("%q: got %v, want an error that does not show it", address, err)
		}
	}
}

// TestSocketOfTheSimulator buys on marketsim and waits for what its socket says,
// through cuts and with a wrong secret.
func TestSocketOfTheSimulator(t *testing.T) {
	w, err := marketsim.New(marketsim.Config{
		Catalog: map[string]int64{simRedline: 20_000_000},
		Timing:  marketsim.Timing{TradeCreation: 50 * time.Millisecond, Acceptance: 50 * time.Millisecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	server, err := marketsim.Serve(w, "")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	account := func(cfg *Config) {
		cfg.ClientID, cfg.ClientSecret = marketsim.DemoClientID, marketsim.DemoClientSecret
	}
	c := newClient(t, server.SkinsBackURL, account)

	logins, events := make(chan struct{}, 10), make(chan Event, 100)
	ctx, cancel := context.WithCancel(t.Context())
	var listening sync.WaitGroup
	listening.Go(func() {
		if err := c.Listen(ctx, server.SocketURL, func() { logins <- struct{}{} }, func(e Event) { events <- e }); err != nil {
			t.Errorf("Listen: %v", err)
		}
	})
	defer listening.Wait()
	defer cancel()

	for round := range 2 {
		receive(t, logins, "login")
		id := fmt.Sprintf("ord-%d", round)
		bought, err := c.Buy(ctx, BuyRequest{Name: simRedline, Game: "cs2", MaxPrice: 100_000_000, CustomID: id})
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []OfferStatus{CreatingTrade, WaitingAccept, Accepted} {
			e := receive(t, events, string(want))
			for e.Kind == "balance_change" || e.Kind == "buy_item" && want != CreatingTrade {
				e = receive(t, events, string(want))
			}
			if e.CustomID != id || e.BuyID != bought.BuyID || e.Status != want {
				t.Errorf("round %d: got %+v, want %s of %s", round, e, want, id)
			}
		}
		server.CutSockets()
	}
	receive(t, logins, "login after the second cut")

	wrong := newClient(t, server.SkinsBackURL, account, func(cfg *Config) { cfg.ClientSecret = "wrong" })
	var log strings.Builder
	wrong.cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
	short, end := context.WithTimeout(t.Context(), 2*time.Second)
	defer end()
	if err := wrong.Listen(short, server.SocketURL, func() { t.Error("logged in with a wrong secret") }, func(Event) {}); err != nil {
		t.Errorf("Listen: %v", err)
	}
	if !strings.Contains(log.String(), "auth_failed") {
		t.Errorf("got the log %q, want auth_failed", log.String())
	}
}

// receive waits for what must come.
func receive[T any](t *testing.T, from <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(20 * time.Second):
		t.Fatalf("no %s came", what)
		panic("unreachable")
	}
}
