package sih

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

type dialFunc func(ctx context.Context, network, addr string) (net.Conn, error)

// noRedirects hands a redirect out as it is: following one would take the key
// or an order to a place that nobody configured.
func noRedirects(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// readClient keeps its connections.
func readClient(dial dialFunc) *http.Client {
	return &http.Client{
		CheckRedirect: noRedirects,
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            timed(dial),
			TLSHandshakeTimeout:    dialTimeout,
			MaxIdleConnsPerHost:    4,
			IdleConnTimeout:        90 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
			DisableCompression:     true, // we inflate ourselves, faster and bounded
		},
	}
}

// purchaseClient opens a connection for each request and speaks HTTP/1.1 only:
// net/http repeats requests by itself on connections that it used before and in
// HTTP/2. It does its own TLS, so that a watchedConn sees the request as it is
// handed over and not the records that it becomes. Without roots in config those
// of the system are used.
func purchaseClient(dial dialFunc, config *tls.Config) *http.Client {
	dial = timed(dial)
	var http1 http.Protocols
	http1.SetHTTP1(true)
	return &http.Client{
		CheckRedirect: noRedirects,
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

func timed(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, dialTimeout)
		defer cancel()
		return dial(ctx, network, addr)
	}
}

func dialTLS(ctx context.Context, dial dialFunc, config *tls.Config, network, addr string) (net.Conn, error) {
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
