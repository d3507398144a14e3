package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/valyala/fasthttp"

	"skinarb/httpapi"
	"skinarb/internal/freeport"
	"skinarb/pricing"
)

// apis are servers of the API over one book, as several processes would be on one
// Redis: each serves a bounded number of streams.
type apis struct {
	prices  *liveBook
	servers []*apiServer
}

type apiServer struct {
	*httpapi.Server
	address string
}

// start starts one more.
func (a *apis) start() error {
	api := httpapi.New(httpapi.Config{Prices: a.prices, MaxQuoteAge: time.Hour})
	address, err := listen(api.Serve)
	if err != nil {
		return err
	}
	a.servers = append(a.servers, &apiServer{api, address})
	return nil
}

func (a *apis) close() {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownLimit)
	defer cancel()
	for _, s := range a.servers {
		_ = s.Shutdown(ctx) // all its clients are here, and gone
	}
}

// change gives some listings of a market another ask and tells every server,
// each as its replica would.
func (a *apis) change(feed pricing.Feed, positions []int) error {
	book := a.prices.Book()
	c, _ := book.Catalog(feed)
	ch := pricing.Change{Feed: feed, From: c.Version, To: c.Version + 1, ObservedAt: time.Now()}
	for _, pos := range positions {
		is := *book.At(feed, pos)
		is.Ask ^= pricing.Cent // up by one or down by one
		ch.Set = append(ch.Set, is)
	}
	next, changed, ok := book.Apply(ch)
	if !ok {
		return fmt.Errorf("a change of %s did not fit the book that it was made for", feed)
	}
	a.prices.book.Store(next)
	for _, s := range a.servers {
		s.Publish(next, feed, changed, false)
	}
	return nil
}

// onShelf gives the positions of every share-th listing of a feed.
func onShelf(book *pricing.Book, feed pricing.Feed, share int) (positions []int) {
	listings, _ := book.Column(feed)
	n := 0
	for pos, l := range listings {
		if l == nil {
			continue
		}
		if n%share == 0 {
			positions = append(positions, pos)
		}
		n++
	}
	return positions
}

// fileServer serves a few bodies from memory, or from files, with nothing to do
// for them.
type fileServer struct {
	name    string
	address string
	close   func()
}

// startBare serves bodies by their paths with nothing but fasthttp.
func startBare(bodies map[string][]byte) (*fileServer, error) {
	server := &fasthttp.Server{
		Handler: func(c *fasthttp.RequestCtx) {
			body, ok := bodies[string(c.Path())]
			if !ok {
				c.SetStatusCode(fasthttp.StatusNotFound)
				return
			}
			c.SetContentType("application/x-ndjson")
			c.SetBody(body)
		},
		CloseOnShutdown: true,
	}
	address, err := listen(server.Serve)
	if err != nil {
		return nil, err
	}
	return &fileServer{"bare fasthttp", address, func() { _ = server.Shutdown() }}, nil
}

// startNginx serves bodies by their paths as files of nginx, which must be
// installed.
func startNginx(ctx context.Context, program string, bodies map[string][]byte) (_ *fileServer, err error) {
	dir, err := os.MkdirTemp("", "bench-nginx-")
	if err != nil {
		return nil, err
	}
	port, err := freeport.Pick()
	if err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	address := fmt.Sprintf("127.0.0.1:%d", port)
	if err := writeSite(dir, address, bodies); err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	server, err := startServer(ctx, exec.Command(program, "-p", dir, "-c", filepath.Join(dir, "nginx.conf"), "-e", "stderr"), address)
	if err != nil {
		os.RemoveAll(dir)
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	return &fileServer{"nginx, static", address, func() { server.stop(); os.RemoveAll(dir) }}, nil
}

// writeSite writes the bodies and the configuration of an nginx that runs as one
// process, in the foreground, and writes nowhere else.
func writeSite(dir, address string, bodies map[string][]byte) error {
	for path, body := range bodies {
		if err := os.WriteFile(filepath.Join(dir, path), body, 0o600); err != nil {
			return err
		}
	}
	config := fmt.Sprintf(`daemon off; master_process off; pid nginx.pid;
events { worker_connections 512; }
http {
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000;
  default_type application/x-ndjson;
  client_body_temp_path client; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  server { listen %s; root %q; }
}
`, address, dir)
	return os.WriteFile(filepath.Join(dir, "nginx.conf"), []byte(config), 0o600)
}
