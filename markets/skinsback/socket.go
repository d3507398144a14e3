package skinsback

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/coder/websocket"
)

// The socket's times. Whether SkinsBack's server answers the protocol's own
// pings is not documented: where it does, one that stays out is a dead
// connection; where it does not, only a long silence can be taken for one.
// https://skinsback.com/docs/api/v1/api_event_websocket
const (
	handshakeTime = 30 * time.Second // to connect, and again to say auth_success
	pingEvery     = 30 * time.Second // as documented
	pingPatience  = 20 * time.Second // for a frame to leave, and for the answer to a ping
	maxSilence    = 15 * time.Minute // of a server that answers no pings

	reconnectFirst = time.Second
	reconnectMost  = time.Minute
	refusedPause   = 5 * time.Minute // after auth_failed, which repetition will hardly change
	lasting        = 2 * time.Minute // a connection that held so long was a good one
)

// maxFrame bounds a frame of the socket, in bytes.
const maxFrame = 64 << 10

var (
	errRefused = errors.New("the server answered auth_failed")
	errNoAuth  = errors.New("the server says neither auth_success nor auth_failed")
	errSilent  = errors.New("the server has fallen silent")
)

// Listen receives events over the socket at an address such as
// wss://skinsback.com/ws/ until ctx ends, and then returns nil. An address that
// is none is the only error, and returned at once; a connection that fails or
// falls silent goes to the log and is made anew, after a pause that grows.
//
// Nothing is sent again that was missed meanwhile, so connected is called after
// every login for the caller to look all open orders up. Events go to handle.
// Both are called by one goroutine, which does nothing else meanwhile.
func (c *Client) Listen(ctx context.Context, address string, connected func(), handle func(Event)) error {
	s := socket{
		client:    c,
		signature: socketSignature(c.cfg.ClientID, c.cfg.ClientSecret),
		http:      &http.Client{Transport: transport(c.cfg), CheckRedirect: stay},
		connected: connected,
		handle:    handle,
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "wss" && u.Scheme != "ws" || u.Host == "" || u.User != nil {
		return errors.New("listen to skinsback: the address of the socket is no ws or wss address")
	}
	q := u.Query()
	q.Set("shopid", c.cfg.ClientID)
	q.Set("signature", s.signature)
	u.RawQuery = q.Encode()
	s.url = u.String()

	pace := backoff.NewExponentialBackOff()
	pace.InitialInterval, pace.MaxInterval, pace.Multiplier = reconnectFirst, reconnectMost, 2
	for ctx.Err() == nil {
		began := time.Now()
		err := s.session(ctx)
		if time.Since(began) >= lasting {
			pace.Reset()
		}
		pause := pace.NextBackOff() // with jitter
		if errors.Is(err, errRefused) {
			pause += refusedPause
		}
		if ctx.Err() == nil {
			c.cfg.Log.WarnContext(ctx, "no events from SkinsBack's socket for now; purchases are still asked for", "error", s.describe(err), "again_in", pause.Round(time.Second))
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
	return nil
}

// socketSignature is what a socket logs in with. It is the same every time.
func socketSignature(clientID, secret string) string {
	sum := md5.Sum([]byte(clientID + secret))
	return hex.EncodeToString(sum[:])
}

// socket is what all connections of one Listen have in common.
type socket struct {
	client    *Client
	url       string // with the signature: a secret
	signature string // md5 of id and secret, worth as much as the secret itself
	http      *http.Client
	connected func()
	handle    func(Event)
}

// describe makes an error fit to be seen. Several of those that come from below
// quote the URL, or what the server said.
func (s *socket) describe(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return s.client.clean(strings.ReplaceAll(err.Error(), s.signature, "[signature]"), 300)
}

// session is one connection, from the dial to its end. The error says why it
// ended.
func (s *socket) session(ctx context.Context) error {
	dialing, cancel := context.WithTimeout(ctx, handshakeTime)
	defer cancel()
	//nolint:bodyclose // the body is the connection, or closed already
	conn, _, err := websocket.Dial(dialing, s.url, &websocket.DialOptions{HTTPClient: s.http, HTTPHeader: http.Header{"User-Agent": {"skinarb"}}})
	if err != nil {
		return err
	}
	defer func() { _ = conn.CloseNow() }() // with what error is all one
	conn.SetReadLimit(maxFrame)

	ctx, end := context.WithCancelCause(ctx)
	l := link{conn: conn, end: end}
	l.hear()
	var keeping sync.WaitGroup
	defer keeping.Wait()
	defer end(nil) // before the wait
	keeping.Go(func() { l.keep(ctx) })

	login := time.AfterFunc(handshakeTime, func() { end(errNoAuth) })
	defer login.Stop()
	for {
		_, frame, err := conn.Read(ctx)
		if err != nil {
			if cause := context.Cause(ctx); cause != nil {
				return cause
			}
			return err
		}
		l.hear()
		switch e, ok := readEvent(frame); {
		case !ok: // whatever is answered to "ping", for one
		case e.Kind == authFailed:
			return errRefused
		case e.Kind == authSuccess:
			login.Stop()
			s.client.cfg.Log.InfoContext(ctx, "events come from SkinsBack's socket")
			s.connected()
		default:
			s.handle(e)
		}
	}
}

// link is a connection that is kept alive while it is read.
type link struct {
	conn  *websocket.Conn
	end   context.CancelCauseFunc
	heard atomic.Int64 // when the last frame came, in nanoseconds since 1970
}

func (l *link) hear() { l.heard.Store(time.Now().UnixNano()) }

// keep sends pings, SkinsBack's and the protocol's, and ends the connection when
// it is dead.
func (l *link) keep(ctx context.Context) {
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	for answers := false; ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := l.write(ctx, "ping"); err != nil {
			l.end(fmt.Errorf("send a ping: %w", err))
			return
		}
		switch err := l.ping(ctx); {
		case err == nil:
			answers = true
			l.hear()
		case answers, time.Since(time.Unix(0, l.heard.Load())) >= maxSilence:
			l.end(errSilent)
			return
		}
	}
}

func (l *link) write(ctx context.Context, frame string) error {
	ctx, cancel := context.WithTimeout(ctx, pingPatience)
	defer cancel()
	return l.conn.Write(ctx, websocket.MessageText, []byte(frame))
}

// ping asks the server to answer, and waits for it.
func (l *link) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, pingPatience)
	defer cancel()
	return l.conn.Ping(ctx)
}
