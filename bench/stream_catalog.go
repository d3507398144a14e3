package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"skinarb/pricing"
)

// downloaders is how many connections ask for whole catalogs at a time.
const downloaders = 4

// encodings are those in which a catalog can be had; identity is none.
var encodings = []string{"identity", "gzip", "zstd"}

// downloads measures /v1/catalog beside servers that have the same bytes ready.
type downloads struct {
	*session
	apis  *apis
	feed  pricing.Feed
	peers []*fileServer

	items int            // of the catalog
	lines map[string]int // bytes on the wire, by encoding

	// Of the last round.
	rates        map[string]float64       // requests/s, by subject
	first, again map[string]time.Duration // by encoding
}

func newDownloads(ctx context.Context, s *session, apis *apis) (*downloads, error) {
	d := &downloads{
		session: s, apis: apis, feed: feedOf(pricing.SIH), lines: map[string]int{}, rates: map[string]float64{},
		first: map[string]time.Duration{}, again: map[string]time.Duration{},
	}
	bodies := map[string][]byte{}
	for _, e := range encodings {
		var body bytes.Buffer
		if _, err := download(d.request(e), d.address(), &body); err != nil {
			return nil, err
		}
		bodies["/"+e] = body.Bytes()
		d.lines[e] = body.Len()
	}
	if d.items = bytes.Count(bodies["/identity"], []byte{'\n'}); d.items == 0 {
		return nil, errNothingOnOffer
	}
	s.out.note("/v1/catalog of %s: %d items, %.1f MB as lines, %.2f MB as gzip, %.2f MB as zstd; %d connections, each asking again at once. MB/s are those on the wire. Compressed catalogs are made anew each second, because lines tell ages.",
		d.feed, d.items, float64(d.lines["identity"])/1e6, float64(d.lines["gzip"])/1e6, float64(d.lines["zstd"])/1e6, downloaders)
	s.out.note("First: after a new version was published. Again: the next request.")
	bare, err := startBare(bodies)
	if err != nil {
		return nil, err
	}
	d.peers = append(d.peers, bare)
	program, err := exec.LookPath("nginx")
	if err != nil {
		s.out.note("nginx is not installed: static files of it were not measured.")
		return d, nil
	}
	nginx, err := startNginx(ctx, program, bodies)
	if err != nil {
		s.out.note("nginx could not be measured: %v", err)
		return d, nil
	}
	d.peers = append(d.peers, nginx)
	return d, nil
}

func (d *downloads) close() {
	for _, p := range d.peers {
		p.close()
	}
}

func (d *downloads) address() string { return d.apis.servers[0].address }

// wanted is a body that is asked for.
type wanted struct{ uri, encoding string }

func (d *downloads) request(encoding string) wanted {
	return wanted{fmt.Sprintf("/v1/catalog?game=%s&market=%s", d.feed.Game, d.feed.Market), encoding}
}

func (d *downloads) subject(server, encoding string) string { return server + ", " + encoding }

const ourCatalog = "GET /v1/catalog"

func (d *downloads) tasks(ctx context.Context) []task {
	var tasks []task
	for _, e := range encodings {
		ours := d.subject(ourCatalog, e)
		tasks = append(tasks, task{ours, func() error { return d.measure(ctx, ours, d.address(), d.request(e)) }})
		for _, p := range d.peers {
			subject := d.subject(p.name, e)
			tasks = append(tasks, task{subject, func() error { return d.measure(ctx, subject, p.address, wanted{"/" + e, "identity"}) }})
		}
		if e != "identity" {
			tasks = append(tasks, task{ours + ", a new version", func() error { return d.fresh(ours, e) }})
		}
	}
	return tasks
}

// measure downloads over and over.
func (d *downloads) measure(ctx context.Context, subject, address string, w wanted) error {
	var (
		over    atomic.Bool
		sent    atomic.Int64 // bytes
		bodies  atomic.Int64
		workers sync.WaitGroup
		errs    = make([]error, downloaders)
	)
	defer context.AfterFunc(ctx, func() { over.Store(true) })()
	timer := time.AfterFunc(d.opts.length/6, func() { over.Store(true) })
	defer timer.Stop()
	start := time.Now()
	for i := range downloaders {
		workers.Go(func() {
			client := newDownloadClient(address)
			defer client.CloseIdleConnections()
			for n := 0; n == 0 || !over.Load(); n++ { // at least one each
				size, err := downloadWith(client, w, io.Discard)
				if err != nil {
					errs[i] = err
					over.Store(true)
					return
				}
				sent.Add(size)
				bodies.Add(1)
			}
		})
	}
	workers.Wait()
	took := time.Since(start)
	if err := errors.Join(ctx.Err(), errors.Join(errs...)); err != nil {
		return fmt.Errorf("%s: %w", subject, err)
	}
	d.rates[subject] = float64(bodies.Load()) / took.Seconds()
	d.out.add(subject, "sent", "MB/s", float64(sent.Load())/1e6/took.Seconds())
	d.out.add(subject, "items", "items/s", d.rates[subject]*float64(d.items))
	return nil
}

// fresh publishes a new version and downloads it twice.
func (d *downloads) fresh(subject, encoding string) error {
	if err := d.apis.change(d.feed, onShelf(d.apis.prices.Book(), d.feed, changeShare)); err != nil {
		return err
	}
	for _, f := range []struct {
		measure string
		took    map[string]time.Duration
	}{{"first of a version", d.first}, {"again", d.again}} {
		start := time.Now()
		if _, err := download(d.request(encoding), d.address(), io.Discard); err != nil {
			return err
		}
		f.took[encoding] = time.Since(start)
		d.out.add(subject, f.measure, "ms", f.took[encoding].Seconds()*1e3)
	}
	return nil
}

// compare gives the ratios of one round.
func (d *downloads) compare() {
	for _, e := range encodings {
		ours := d.subject(ourCatalog, e)
		for _, p := range d.peers {
			d.out.add(ours, "requests against "+p.name, "x", d.rates[ours]/d.rates[d.subject(p.name, e)])
		}
		if e != "identity" {
			d.out.add(ours, "speed again, against the first of a version", "x", d.first[e].Seconds()/d.again[e].Seconds())
		}
	}
}

func newDownloadClient(address string) *fasthttp.HostClient {
	return &fasthttp.HostClient{
		Addr: address, MaxConns: 1, ReadTimeout: requestTimeout, WriteTimeout: requestTimeout,
		StreamResponseBody: true, DisablePathNormalizing: true, NoDefaultUserAgentHeader: true,
	}
}

// download gets one body over a connection of its own and gives its bytes on the
// wire.
func download(w wanted, address string, to io.Writer) (int64, error) {
	client := newDownloadClient(address)
	defer client.CloseIdleConnections()
	return downloadWith(client, w, to)
}

func downloadWith(client *fasthttp.HostClient, w wanted, to io.Writer) (int64, error) {
	req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(resp)
	request{uri: w.uri}.prepare(req, client.Addr)
	req.Header.Set(fasthttp.HeaderAcceptEncoding, w.encoding)
	if err := client.Do(req, resp); err != nil {
		return 0, err
	}
	if resp.StatusCode() != fasthttp.StatusOK {
		return 0, unexpected(w.uri, resp.StatusCode(), resp.Body())
	}
	n, err := io.Copy(to, resp.BodyStream())
	return n, errors.Join(err, resp.CloseBodyStream())
}
