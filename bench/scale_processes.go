package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/sourcegraph/conc/pool"
	"github.com/valyala/fasthttp"

	"skinarb/internal/freeport"
	"skinarb/internal/marketsim"
	"skinarb/internal/redisstore"
	"skinarb/pricing"
)

const (
	changesSeen = 10              // in one measurement of how they spread
	spreadLimit = 5 * time.Second // for one of them to be everywhere
	lookEvery   = 500 * time.Microsecond
)

// processCounts is how many processes answer on one Redis.
var processCounts = []int{1, 2, 4, 8}

// scaleProcesses measures aggregators, as processes of their own, that stand by
// on one redis-server: this process leads the feeds and publishes.
func scaleProcesses(ctx context.Context, s *session) error {
	if s.opts.noPeers {
		s.out.note("API processes on one Redis were left out, as everything that is started as a program of its own.")
		return nil
	}
	f, err := openFleet(ctx, s)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.out.note("API processes on one Redis were not measured: %v.", err)
		return nil
	}
	defer f.close()
	s.out.note("API processes: cmd/aggregator, each a process with both markets' %d items, following one redis-server. Fetching is led by the bench, which publishes every %dth ask of SkinsBack anew, %d times in a row.", f.items, changeShare, changesSeen)
	s.out.note("Seen by all: from before a change is published until every process answers with it, asked every %s over HTTP. Redis's bytes and time are what INFO tells, for each change and process.", lookEvery)
	var tasks []task
	for _, n := range processCounts {
		tasks = append(tasks, task{processSubject(n), func() error { return f.measure(ctx, n) }})
	}
	err = s.rounds(ctx, round{tasks: tasks, after: func() error {
		most := processCounts[len(processCounts)-1]
		s.out.add(processSubject(most), "look-ups against one process", "x", f.last[most].lookups/f.last[1].lookups)
		return nil
	}})
	if err == nil {
		s.out.note("%s", f.end())
	}
	return err
}

func processSubject(n int) string {
	if n == 1 {
		return "1 API process"
	}
	return fmt.Sprintf("%d API processes", n)
}

// fleet is a redis-server, the catalogs that are in force in it, and the program
// that answers from them.
type fleet struct {
	session *session
	program string
	dir     string
	address string // of Redis
	store   *redisstore.Store
	client  *redis.Client
	items   int
	inForce pricing.Catalog // of SkinsBack, which changes
	other   uint64          // version of the rest of the book
	probes  []request       // for look-ups
	closing []func()

	last  map[int]spread   // of the last round, by number of processes
	every map[int][]spread // of all rounds
}

// spread is what one measurement of some processes came to.
type spread struct {
	lookups    float64 // a second, over all processes
	perCore    float64 // look-ups for each second of the processes' CPU
	redisCPU   float64 // seconds for each change, in all
	redisBytes float64 // sent for each change and process
	memory     float64 // bytes of a process
}

func openFleet(ctx context.Context, s *session) (_ *fleet, err error) {
	redisServer, err := findProgram("redis-server")
	if err != nil {
		return nil, err
	}
	f := &fleet{session: s, last: map[int]spread{}, every: map[int][]spread{}}
	defer func() {
		if err != nil {
			f.close()
		}
	}()
	if f.dir, err = os.MkdirTemp("", "bench-scale-"); err != nil {
		return nil, err
	}
	f.closing = append(f.closing, func() { os.RemoveAll(f.dir) })
	s.progress.say("scale: building the aggregator")
	if err := f.build(ctx); err != nil {
		return nil, err
	}
	var stop func()
	if f.store, f.address, stop, err = startRedisWith(ctx, redisServer, "--appendonly", "no"); err != nil {
		return nil, err
	}
	f.closing = append(f.closing, stop)
	f.client = redis.NewClient(&redis.Options{Addr: f.address})
	f.closing = append(f.closing, func() { f.client.Close() })
	return f, f.lead(ctx)
}

func (f *fleet) close() {
	for _, end := range slices.Backward(f.closing) {
		end()
	}
}

// build builds cmd/aggregator from this program's source.
func (f *fleet) build(ctx context.Context) error {
	source, err := peersSource(ctx)
	if err != nil {
		return err
	}
	f.program = filepath.Join(f.dir, "aggregator")
	build := exec.CommandContext(ctx, "go", "build", "-o", f.program, "./cmd/aggregator")
	build.Dir = filepath.Dir(filepath.Dir(source))
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("go build ./cmd/aggregator: %w: %s", err, beginning(out))
	}
	return nil
}

// lead takes the lead of both feeds, so that every process stands by, and
// publishes them.
func (f *fleet) lead(ctx context.Context) error {
	book := pricing.NewBook()
	for _, src := range f.session.rig.sources {
		_, release, err := f.store.Lease(ctx, feedOf(src.Market()))
		if err != nil {
			return err
		}
		f.closing = append(f.closing, release)
		c, err := f.session.rig.catalog(ctx, src, 1)
		if err != nil {
			return err
		}
		if err := first(ctx, f.store, c); err != nil {
			return err
		}
		if src.Market() == pricing.SkinsBack {
			f.inForce = c
		} else {
			f.other += c.Version
		}
		book, _ = book.With(c)
	}
	items := onOffer(book, f.session.opts.seed)
	if len(items) == 0 {
		return errNothingOnOffer
	}
	f.items, f.probes = book.Len(), singleRequests(items)
	return nil
}

// measure starts so many processes, measures them, and ends them.
func (f *fleet) measure(ctx context.Context, n int) (err error) {
	processes, err := f.start(ctx, n)
	defer func() {
		for _, p := range processes {
			p.server.stop()
		}
	}()
	if err != nil {
		return err
	}
	var sp spread
	if err := f.load(ctx, processes, &sp); err != nil {
		return err
	}
	if err := f.follow(ctx, processes, &sp); err != nil {
		return err
	}
	for _, p := range processes {
		m, err := p.metrics()
		if err != nil {
			return err
		}
		sp.memory += m.memory / float64(n)
	}
	out, subject := f.session.out, processSubject(n)
	out.add(subject, "memory of a process", "MB", sp.memory/1e6)
	f.last[n] = sp
	f.every[n] = append(f.every[n], sp)
	return nil
}

// apiProcess is one aggregator.
type apiProcess struct {
	address string
	server  *server
}

// start starts processes and waits until each has loaded all prices. Those that
// were started are given with an error, too.
func (f *fleet) start(ctx context.Context, n int) (started []*apiProcess, err error) {
	rig := f.session.rig.server
	for i := range n {
		port, err := freeport.Pick()
		if err != nil {
			return started, err
		}
		p := &apiProcess{address: "127.0.0.1:" + strconv.Itoa(port)}
		process := exec.Command(f.program)
		process.Dir = f.dir
		process.Env = []string{
			"REDIS_URL=redis://" + f.address, "LISTEN_ADDR=" + p.address, "LOG_LEVEL=error", "LOG_FORMAT=text",
			"DATA_DIR=" + filepath.Join(f.dir, strconv.Itoa(i)), "FETCH_INTERVAL=1h", "MAX_QUOTE_AGE=24h",
			"SKINSBACK_URL=" + rig.SkinsBackURL, "SKINSBACK_WS_URL=", "SIH_URL=" + rig.SIHURL,
			"SKINSBACK_CLIENT_ID=" + marketsim.DemoClientID, "SKINSBACK_CLIENT_SECRET=" + marketsim.DemoClientSecret,
			"SIH_API_KEY=" + marketsim.DemoAPIKey,
		}
		if p.server, err = startServer(ctx, process, p.address); err != nil {
			return started, err
		}
		started = append(started, p)
	}
	for _, p := range started {
		if _, err := f.await(ctx, p, time.Now().Add(startLimit)); err != nil {
			return started, err
		}
	}
	return started, nil
}

// version is that of the book that everybody should have.
func (f *fleet) version() uint64 { return f.inForce.Version + f.other }

// await waits until a process answers with the prices in force and tells when.
func (f *fleet) await(ctx context.Context, p *apiProcess, limit time.Time) (time.Time, error) {
	client := fasthttp.HostClient{Addr: p.address}
	defer client.CloseIdleConnections()
	req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(resp)
	f.probes[0].prepare(req, p.address)
	for {
		if err := client.DoDeadline(req, resp, limit); err != nil {
			return time.Time{}, fmt.Errorf("ask an aggregator for a price: %w", err)
		}
		now := time.Now()
		v, ok := versionOf(resp.Body())
		if ok && v == f.version() {
			return now, nil
		}
		if now.After(limit) || ctx.Err() != nil {
			return now, fmt.Errorf("version %d did not come to an aggregator, which has %d: %w", f.version(), v, errors.Join(context.DeadlineExceeded, ctx.Err()))
		}
		time.Sleep(lookEvery)
	}
}

// load asks all processes at once for prices.
func (f *fleet) load(ctx context.Context, processes []*apiProcess, sp *spread) error {
	before, err := usedCPU(processes)
	if err != nil {
		return err
	}
	length := f.session.opts.length / 4
	rates := pool.NewWithResults[rate]().WithErrors()
	for _, p := range processes {
		rates.Go(func() (rate, error) {
			return load(ctx, p.address, f.probes, connections/len(processes), length)
		})
	}
	got, err := rates.Wait()
	if err != nil {
		return err
	}
	after, err := usedCPU(processes)
	if err != nil {
		return err
	}
	var slowest time.Duration
	for _, r := range got {
		sp.lookups += r.perSecond
		slowest = max(slowest, r.p99)
	}
	sp.perCore = sp.lookups * length.Seconds() / max(after-before, 1e-3)
	out, subject := f.session.out, processSubject(len(processes))
	out.add(subject, "look-ups", "requests/s", sp.lookups)
	out.add(subject, "look-ups for each second of CPU", "requests/s", sp.perCore)
	out.add(subject, "p99 of the slowest", "µs", float64(slowest)/1e3)
	return nil
}

// follow publishes changes and waits for each to be everywhere.
func (f *fleet) follow(ctx context.Context, processes []*apiProcess, sp *spread) error {
	before, err := f.redisUse(ctx)
	if err != nil {
		return err
	}
	var seen []float64
	for range changesSeen {
		next, change := changed(f.inForce)
		start := time.Now()
		if err := f.store.Publish(ctx, next, change); err != nil {
			return err
		}
		f.inForce = next
		times := pool.NewWithResults[time.Time]().WithErrors()
		for _, p := range processes {
			times.Go(func() (time.Time, error) { return f.await(ctx, p, start.Add(spreadLimit)) })
		}
		arrived, err := times.Wait()
		if err != nil {
			return err
		}
		seen = append(seen, slices.MaxFunc(arrived, time.Time.Compare).Sub(start).Seconds())
	}
	after, err := f.redisUse(ctx)
	if err != nil {
		return err
	}
	sp.redisCPU = (after.cpu - before.cpu) / changesSeen
	sp.redisBytes = (after.bytes - before.bytes) / changesSeen / float64(len(processes))
	out, subject := f.session.out, processSubject(len(processes))
	out.add(subject, "a change seen by all", "ms", median(seen)*1e3)
	out.add(subject, "Redis's CPU for a change", "µs", sp.redisCPU*1e6)
	out.add(subject, "sent by Redis for a change and process", "B", sp.redisBytes)
	return nil
}

// use is what a redis-server has used since it began.
type use struct{ cpu, bytes float64 }

func (f *fleet) redisUse(ctx context.Context) (use, error) {
	text, err := f.client.Info(ctx, "cpu", "stats").Result()
	if err != nil {
		return use{}, fmt.Errorf("ask redis what it has used: %w", err)
	}
	values := map[string]float64{}
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			if v, err := strconv.ParseFloat(value, 64); err == nil {
				values[key] = v
			}
		}
	}
	return use{values["used_cpu_user"] + values["used_cpu_sys"], values["total_net_output_bytes"]}, nil
}

// processUse is what a process tells about itself.
type processUse struct{ cpu, memory float64 } // seconds, bytes

// metrics asks a process what it has used.
func (p *apiProcess) metrics() (processUse, error) {
	client := http.Client{Timeout: requestTimeout}
	defer client.CloseIdleConnections()
	resp, err := client.Get("http://" + p.address + "/metrics")
	if err != nil {
		return processUse{}, fmt.Errorf("ask an aggregator for its metrics: %w", err)
	}
	defer resp.Body.Close()
	var u processUse
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		switch name {
		case "process_cpu_seconds_total":
			u.cpu, err = strconv.ParseFloat(value, 64)
		case "process_resident_memory_bytes":
			u.memory, err = strconv.ParseFloat(value, 64)
		}
		if err != nil {
			return processUse{}, fmt.Errorf("an aggregator's %s: %w", name, err)
		}
	}
	if err := lines.Err(); err != nil {
		return processUse{}, fmt.Errorf("read an aggregator's metrics: %w", err)
	}
	if u.memory == 0 {
		return processUse{}, errors.New("an aggregator does not tell its CPU and memory; this system may not know them")
	}
	return u, nil
}

// usedCPU gives the CPU that all processes have used, in seconds.
func usedCPU(processes []*apiProcess) (sum float64, err error) {
	for _, p := range processes {
		u, err := p.metrics()
		if err != nil {
			return 0, err
		}
		sum += u.cpu
	}
	return sum, nil
}

// network is what Redis's side of a network is taken to carry, bytes a second: 1
// Gbit/s.
const network = 1e9 / 8

// end tells which resource ends the growth, from what was measured, when both
// catalogs change once a second.
func (f *fleet) end() string {
	const changes = 2 // a second, one of each market
	of := func(n int, quantity func(spread) float64) float64 {
		var values []float64
		for _, sp := range f.every[n] {
			values = append(values, quantity(sp))
		}
		return median(values)
	}
	var counts, cpu, perCore []float64
	for _, n := range processCounts {
		counts = append(counts, float64(n))
		cpu = append(cpu, of(n, func(sp spread) float64 { return sp.redisCPU }))
		perCore = append(perCore, of(n, func(sp spread) float64 { return sp.perCore }))
	}
	most := processCounts[len(processCounts)-1]
	redis := fitLine(counts, cpu)
	byCPU := (1.0/changes - max(0, redis.At0)) / max(redis.Slope, 1e-9)
	byNetwork := network / changes / of(most, func(sp spread) float64 { return sp.redisBytes })
	memory := of(most, func(sp spread) float64 { return sp.memory })
	limit, what := byCPU, "the one core that it uses"
	if byNetwork < limit {
		limit, what = byNetwork, "1 Gbit/s of network"
	}
	return fmt.Sprintf(
		"What ends it: look-ups need about one core for each %s a second, in however many processes; here that is all %d cores. With cores for every process, and both catalogs changed once a second, Redis ends it next by %s, extrapolated to about %s processes (by CPU %s, by 1 Gbit/s %s). Memory: a process needs %s MB, so that 16 GB hold %s.",
		short(median(perCore)), runtime.NumCPU(), what, short(limit), short(byCPU), short(byNetwork), short(memory/1e6), short(16e9/memory))
}
