package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"github.com/valyala/fasthttp"

	"skinarb/internal/freeport"
	"skinarb/pricing"
)

// httpPeer is another way to answer the question that GET /v1/prices answers.
type httpPeer struct {
	name     string
	address  string
	requests []request
	list     string // the requests, as wrk reads them

	last, lastWrk rate // of the last round
}

// lookupPeers are the peers of the suite lookup. All answer with bodies of the
// size of ours, from what they are best at; none parses, encodes or checks
// anything else.
type lookupPeers struct {
	out     *Suite
	dir     string
	http    []*httpPeer
	redis   *answersRedis // nil without a redis-server
	lastGet rate
	wrk     *wrk // nil without it
	closing []func()
}

// openLookupPeers starts every peer that is installed and names those that are
// not. The answers are ours to the requests, which are one for each item.
func openLookupPeers(ctx context.Context, s *session, items []pricing.Item, requests []request, answers [][]byte) (_ *lookupPeers, err error) {
	dir, err := os.MkdirTemp("", "bench-lookup-")
	if err != nil {
		return nil, err
	}
	p := &lookupPeers{out: s.out, dir: dir, closing: []func(){func() { os.RemoveAll(dir) }}}
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	if err := p.openOurs(requests, items, answers); err != nil {
		return nil, err
	}
	if s.opts.noPeers {
		s.out.note("The peers that are programs of their own (redis-server, webdis, nginx) and the load generator wrk were left out as asked for.")
		return p, nil
	}
	s.progress.say("lookup: starting the peers")
	for _, open := range []struct {
		program, debian, missing string
		run                      func(program string) error
	}{
		{"redis-server", "redis-server", "Redis GET, Fiber with a Redis HGET per request, webdis", func(program string) error {
			return p.openRedis(ctx, program, items, requests, answers)
		}},
		{"webdis", "webdis", "webdis", func(program string) error { return p.openWebdis(ctx, program, len(answers)) }},
		{"nginx", "nginx-light", "nginx, static file", func(program string) error { return p.openNginx(ctx, program, bodyOf(meanSize(answers))) }},
		{"wrk", "wrk", "the figures with wrk as the client", func(program string) error { return p.openWrk(program, s.opts.length/3) }},
	} {
		program, err := findProgram(open.program)
		if err == nil {
			err = open.run(program)
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			s.out.note("Not measured: %s: %v (Debian package %s).", open.missing, err, open.debian)
		}
	}
	return p, nil
}

// findProgram finds a program also where servers are, which is in no user's PATH.
func findProgram(name string) (string, error) {
	path, err := exec.LookPath(name)
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin"} {
		if err != nil {
			path, err = exec.LookPath(filepath.Join(dir, name))
		}
	}
	if err != nil {
		return "", fmt.Errorf("%s is not installed", name)
	}
	return path, nil
}

func (p *lookupPeers) close() {
	for i := len(p.closing) - 1; i >= 0; i-- {
		p.closing[i]()
	}
}

func (p *lookupPeers) add(name, address string, requests []request) {
	p.http = append(p.http, &httpPeer{name: name, address: address, requests: requests})
}

// bare is the peer that nothing over HTTP in Go is faster than.
func (p *lookupPeers) bare() *httpPeer { return p.http[0] }

// openOurs starts the peers that live in this process.
func (p *lookupPeers) openOurs(requests []request, items []pricing.Item, answers [][]byte) error {
	size := meanSize(answers)
	bare := bareServer(bodyOf(size))
	address, err := listen(bare.Serve)
	if err != nil {
		return err
	}
	p.closing = append(p.closing, func() { _ = bare.Shutdown() })
	p.add("bare fasthttp", address, requests)
	p.out.note("Bare fasthttp answers every request with the same %d bytes, the mean size of ours.", size)

	plain := mapServer(items, answers)
	if address, err = listen(plain.Serve); err != nil {
		return err
	}
	p.closing = append(p.closing, func() { plain.Close() })
	p.add("net/http with a map", address, requests)
	p.out.note("net/http with a map finds the name in a map of our own answers, encoded before.")
	return nil
}

func (p *lookupPeers) openRedis(ctx context.Context, program string, items []pricing.Item, requests []request, answers [][]byte) (err error) {
	if p.redis, err = openAnswersRedis(ctx, program, p.dir, items, answers); err != nil {
		return err
	}
	p.closing = append(p.closing, p.redis.stop)
	app := hgetServer(p.redis.client)
	address, err := listen(app.Listener)
	if err != nil {
		return err
	}
	p.closing = append(p.closing, func() { _ = app.ShutdownWithTimeout(endLimit) })
	p.add("Fiber with a Redis HGET", address, requests)
	p.out.note("Fiber with a Redis HGET has our answers in one hash of a redis-server and asks it for each request, by go-redis over a unix socket with %d connections.", connections)
	p.out.note("Redis GET: the same redis-server without HTTP, one key at a time on each of %d connections to its unix socket, no pipelining. Its client has less to do than one of HTTP.", connections)
	return nil
}

func (p *lookupPeers) openWebdis(ctx context.Context, program string, answers int) error {
	if p.redis == nil {
		return errors.New("it needs a redis-server")
	}
	address, s, err := startWebdis(ctx, program, p.dir, p.redis.socket)
	if err != nil {
		return err
	}
	p.closing = append(p.closing, s.stop)
	p.add("webdis", address, webdisRequests(answers))
	p.out.note("webdis gets keys of the same redis-server as plain text, over its unix socket, with %d threads, %d connections to Redis, keep-alive, nothing logged. A thread accepts and the others answer; Redis has one.", runtime.NumCPU(), connections)
	return nil
}

// openNginx has nginx serve one body for every path.
func (p *lookupPeers) openNginx(ctx context.Context, program string, body []byte) error {
	// Started by root, its workers are nobody, who must get to the file.
	dir := filepath.Join(p.dir, "nginx")
	err := errors.Join(os.Chmod(p.dir, 0o711), os.Mkdir(dir, 0o755), os.WriteFile(filepath.Join(dir, "body.json"), body, 0o644))
	if err != nil {
		return err
	}
	port, err := freeport.Pick()
	if err != nil {
		return err
	}
	address := fmt.Sprintf("127.0.0.1:%d", port)
	config := fmt.Sprintf(`daemon off; worker_processes %d; pid nginx.pid; error_log stderr error;
events { worker_connections 512; }
http {
  access_log off; keepalive_requests 100000000; keepalive_timeout 60s; sendfile on; tcp_nodelay on;
  open_file_cache max=16 inactive=60s; open_file_cache_valid 60s;
  types { } default_type application/json;
  client_body_temp_path client; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  server { listen %s; root %q; location / { try_files /body.json =404; } }
}
`, runtime.NumCPU(), address, dir)
	path := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		return err
	}
	s, err := startServer(ctx, exec.Command(program, "-p", dir, "-c", path, "-e", "stderr"), address)
	if err != nil {
		return err
	}
	p.closing = append(p.closing, s.stop)
	p.add("nginx, static file", address, []request{{uri: "/body.json"}})
	p.out.note("nginx serves one file of the same size with %d workers, sendfile, the open file cached, keep-alive, no access log.", runtime.NumCPU())
	return nil
}

func (p *lookupPeers) openWrk(program string, length time.Duration) (err error) {
	if p.wrk, err = newWrk(program, p.dir, length); err != nil {
		return err
	}
	for i, peer := range p.http {
		if peer.list, err = p.wrk.list(fmt.Sprintf("requests-%d", i), peer.requests); err != nil {
			return err
		}
	}
	p.out.note("Figures that name wrk: the same requests, %d of them at most, over %d connections from one thread of wrk for %s. Its client takes less of the cores, so that more of a figure is the server.", wrkNames, connections, p.wrk.length)
	return nil
}

// mapServer answers from a map of encoded bodies.
func mapServer(items []pricing.Item, answers [][]byte) *http.Server {
	bodies := make(map[string][]byte, len(items))
	for n, it := range items {
		bodies[it.String()] = answers[n]
	}
	return &http.Server{ReadHeaderTimeout: requestTimeout, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		name := query.Get("name")
		if phase := query.Get("phase"); phase != "" {
			name = (pricing.Item{Name: name, Phase: pricing.Phase(phase)}).String()
		}
		body, ok := bodies[name]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body) // a client that left gets nothing
	})}
}

// bareServer answers everything with one body.
func bareServer(body []byte) *fasthttp.Server {
	return &fasthttp.Server{
		Handler: func(c *fasthttp.RequestCtx) {
			c.SetContentType("application/json")
			c.SetBody(body)
		},
		CloseOnShutdown: true,
	}
}

// bodyOf gives a body of some size.
func bodyOf(size int) []byte {
	body := make([]byte, size)
	for i := range body {
		body[i] = 'x'
	}
	return body
}

func meanSize(bodies [][]byte) int {
	total := 0
	for _, b := range bodies {
		total += len(b)
	}
	return total / len(bodies)
}

// answersTo gives the bodies that a server answers requests with.
func answersTo(ctx context.Context, address string, requests []request) ([][]byte, error) {
	client := fasthttp.HostClient{Addr: address}
	defer client.CloseIdleConnections()
	req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(resp)
	answers := make([][]byte, len(requests))
	for i, r := range requests {
		r.prepare(req, address)
		err := client.DoTimeout(req, resp, requestTimeout)
		if err == nil && resp.StatusCode() != fasthttp.StatusOK {
			err = unexpected(r.uri, resp.StatusCode(), resp.Body())
		}
		if err := errors.Join(err, ctx.Err()); err != nil {
			return nil, err
		}
		answers[i] = append([]byte(nil), resp.Body()...)
	}
	return answers, nil
}

// tasks measure every peer with our load, but the bare one, whose turn is beside
// ours.
func (p *lookupPeers) tasks(ctx context.Context, length time.Duration) []task {
	var tasks []task
	for _, peer := range p.http[1:] {
		tasks = append(tasks, measured(p.out, peer.name, &peer.last, func() (rate, error) {
			return load(ctx, peer.address, peer.requests, connections, length)
		}))
	}
	if p.redis != nil {
		keys := len(p.http[0].requests)
		tasks = append(tasks, measured(p.out, redisGet, &p.lastGet, func() (rate, error) {
			return getLoad(ctx, p.redis.socket, keys, connections, length)
		}))
	}
	if p.wrk != nil {
		for _, peer := range p.http {
			tasks = append(tasks, measured(p.out, byWrk(peer.name), &peer.lastWrk, func() (rate, error) {
				return p.wrk.load(ctx, peer.address, peer.list)
			}))
		}
	}
	return tasks
}

const redisGet = "Redis GET, no HTTP"

func byWrk(subject string) string { return subject + ", wrk" }

// measured is a task that keeps and reports what a load came to.
func measured(out *Suite, subject string, into *rate, run func() (rate, error)) task {
	return task{subject, func() error {
		got, err := run()
		if err != nil {
			return fmt.Errorf("%s: %w", subject, err)
		}
		*into = got
		out.add(subject, "requests", "requests/s", got.perSecond)
		out.add(subject, "p50", "µs", float64(got.p50)/1e3)
		out.add(subject, "p99", "µs", float64(got.p99)/1e3)
		return nil
	}}
}

// warm has every peer answer for a moment.
func (p *lookupPeers) warm(ctx context.Context, length time.Duration) error {
	for _, peer := range p.http {
		if _, err := load(ctx, peer.address, peer.requests, connections, length); err != nil {
			return fmt.Errorf("%s: %w", peer.name, err)
		}
	}
	return nil
}

// compare gives the ratios of one round: ours by our load, and by wrk.
func (p *lookupPeers) compare(subject string, ours, oursByWrk rate) {
	for _, peer := range p.http {
		p.out.add(subject, "requests against "+peer.name, "x", ours.perSecond/peer.last.perSecond)
	}
	if p.redis != nil {
		p.out.add(subject, "requests against "+redisGet, "x", ours.perSecond/p.lastGet.perSecond)
	}
	if p.wrk != nil {
		for _, peer := range p.http {
			p.out.add(byWrk(subject), "requests against "+peer.name, "x", oursByWrk.perSecond/peer.lastWrk.perSecond)
		}
	}
}
