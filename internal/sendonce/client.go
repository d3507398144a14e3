package sendonce

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

// dialTimeout bounds opening a connection, TLS included: it goes on by itself
// when the request that wanted it has given up.
const dialTimeout = 10 * time.Second

// Dial opens a connection, as net.Dialer.DialContext does.
type Dial = func(ctx context.Context, network, addr string) (net.Conn, error)

// New gives a client that opens a connection for each request, speaks HTTP/1.1
// only, and follows no redirect: net/http repeats requests by itself on
// connections that it used before and in HTTP/2, and a redirect would take an
// order to a place that nobody configured. It does its own TLS, so that Watch
// sees the request as it is handed over and not the records that it becomes.
// Without roots in config those of the system are used.
func New(dial Dial, config *tls.Config) *http.Client {
	dial = timed(dial)
	var http1 http.Protocols
	http1.SetHTTP1(true)
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment,
			DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
				conn, err := dial(ctx, network, addr)
				if err != nil {
					return nil, err
				}
				return &watchedConn{Conn: conn}, nil
			},
			DialTLSContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
				conn, err := dialTLS(ctx, dial, config, network, addr)
				if err != nil {
					return nil, err
				}
				return &watchedConn{Conn: conn}, nil
			},
			TLSClientConfig:        config,
			TLSHandshakeTimeout:    dialTimeout,
			Protocols:              &http1,
			DisableKeepAlives:      true,
			DisableCompression:     true,
			MaxResponseHeaderBytes: 64 << 10,
		},
	}
}

func timed(dial Dial) Dial {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, dialTimeout)
		defer cancel()
		return dial(ctx, network, addr)
	}
}

func dialTLS(ctx context.Context, dial Dial, config *tls.Config, network, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	raw, err := dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	if config == nil {
		config = &tls.Config{}
	}
	config = config.Clone()
	if config.ServerName == "" {
		if config.ServerName, _, err = net.SplitHostPort(addr); err != nil {
			raw.Close()
			return nil, err
		}
	}
	config.NextProtos = []string{"http/1.1"}
	conn := tls.Client(raw, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, err
	}
	return conn, nil
}
