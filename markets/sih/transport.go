package sih

import (
	"context"
	"net"
	"net/http"
	"time"
)

// dialTimeout bounds opening a connection: it goes on by itself when the request
// that wanted it has given up.
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

func timed(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, dialTimeout)
		defer cancel()
		return dial(ctx, network, addr)
	}
}
