package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// workMeasure is from an intent, or an insert, until somebody begins to act on
// what was written. Ours is without the check, which no peer makes.
const workMeasure = "written until work begins"

// peerEnd bounds how long a peer may take to put its server away.
const peerEnd = time.Minute

// peerKind is one way to start a program of bench/peers.
type peerKind struct {
	name    string // as it is called when it cannot be measured
	program program
	args    []string
}

// program is a build of bench/peers, or why there is none.
type program struct {
	path string
	err  error
}

// openPeers builds and starts the other queues. One that cannot be had is named
// in a note, with what is missing.
func (o *orders) openPeers(ctx context.Context) error {
	if o.opts.noPeers {
		o.out.note("The peers, River and asynq, were left out as asked for.")
		return nil
	}
	source, err := peersSource(ctx)
	if err != nil {
		o.out.note("The peers, River and asynq, were not measured: %v.", err)
		return ctx.Err()
	}
	o.progress.say("orders: building the peers, which takes a while the first time")
	newest := o.build(ctx, source, "peers")
	sqlite := o.build(ctx, source, "peers-sqlite", "-modfile", "riversqlite.mod", "-tags", "riversqlite")
	kinds := []peerKind{
		{"River on PostgreSQL", newest, []string{"river-postgres"}},
		{"River on SQLite", sqlite, []string{"river-sqlite"}},
	}
	if o.servers.always != nil {
		kinds = append(kinds,
			peerKind{"asynq, appendfsync always", newest, []string{"asynq", o.servers.always.address}},
			peerKind{"asynq, appendfsync everysec", newest, []string{"asynq", o.servers.everysec.address}})
	}
	for _, k := range kinds {
		o.progress.say("orders: starting " + k.name)
		p, err := startPeer(k)
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			o.out.note("%s was not measured: %v.", k.name, err)
			continue
		}
		o.onClose(p.stop)
		o.peers = append(o.peers, p)
		o.out.note("%s: %s. %s.", p.name, p.Durability, p.Settings)
	}
	return nil
}

// peersSource finds the peers' module beside this program's source.
func peersSource(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-f", "{{.Dir}}", "skinarb/bench").Output()
	if err != nil {
		return "", fmt.Errorf("they are built from bench/peers by the go command, in a checkout: %w", err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "peers"), nil
}

// peer is a queue in a process of its own, which answers one command at a time.
type peer struct {
	peerHello
	name     string
	process  *exec.Cmd
	commands io.WriteCloser
	answers  *json.Decoder
	said     *bytes.Buffer // on stderr; read once the process has ended

	inserted []float64 // units/s of the last round, by callerCounts
}

// What a peer writes: see bench/peers.
type (
	peerHello struct {
		Name       string `json:"name"`
		Durability string `json:"durability"`
		Settings   string `json:"settings"`
	}
	peerCommand struct {
		Do      string  `json:"do"`
		Callers int     `json:"callers"`
		Seconds float64 `json:"seconds"`
	}
	peerResult struct {
		PerSecond float64 `json:"per_second"`
		P50       float64 `json:"p50_us"`
		P99       float64 `json:"p99_us"`
		Error     string  `json:"error"`
	}
)

// build builds the peers with some flags.
func (o *orders) build(ctx context.Context, source, name string, flags ...string) program {
	path := filepath.Join(o.dir, name)
	build := exec.CommandContext(ctx, "go", append(append([]string{"build", "-o", path}, flags...), ".")...)
	build.Dir = source
	build.Env = append(build.Environ(), "GOWORK=off", "GOFLAGS=") // theirs are not ours
	if out, err := build.CombinedOutput(); err != nil {
		return program{err: fmt.Errorf("go build in %s: %w: %s", source, err, beginning(out))}
	}
	return program{path: path}
}

// startPeer starts a peer and waits until it is open.
func startPeer(k peerKind) (*peer, error) {
	if k.program.err != nil {
		return nil, k.program.err
	}
	p := &peer{name: k.name, process: exec.Command(k.program.path, k.args...), said: &bytes.Buffer{}}
	p.process.Stderr = p.said
	var err error
	if p.commands, err = p.process.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.answers = json.NewDecoder(out)
	if err := p.process.Start(); err != nil {
		return nil, err
	}
	if err := p.answers.Decode(&p.peerHello); err != nil {
		_ = p.stop() // what it said is what matters
		return nil, errors.New(beginning(bytes.TrimPrefix(p.said.Bytes(), []byte("peers: "))))
	}
	p.name = p.peerHello.Name
	return p, nil
}

// beginning gives the first part of what a program said.
func beginning(out []byte) string { return fmt.Sprintf("%.600s", bytes.TrimSpace(out)) }

func (p *peer) insertSubject() string { return p.name + ": unique insert" }

// stop ends the peer by ending its input, which lets it put its server away.
func (p *peer) stop() error {
	_ = p.commands.Close() // it may have ended by itself
	late := time.AfterFunc(peerEnd, func() { _ = p.process.Process.Kill() })
	defer late.Stop()
	if err := p.process.Wait(); err != nil {
		return fmt.Errorf("%s: %w: %s", p.name, err, beginning(p.said.Bytes()))
	}
	return nil
}

func (p *peer) ask(c peerCommand) (r peerResult, err error) {
	if err = json.NewEncoder(p.commands).Encode(c); err == nil {
		err = p.answers.Decode(&r)
	}
	if err == nil && r.Error != "" {
		err = errors.New(r.Error)
	}
	if err != nil {
		return peerResult{}, fmt.Errorf("%s: %w", p.name, err)
	}
	return r, nil
}

func (p *peer) measure(ctx context.Context, out *Suite, length time.Duration) error {
	p.inserted = p.inserted[:0]
	for _, callers := range callerCounts {
		r, err := p.ask(peerCommand{Do: "insert", Callers: callers, Seconds: length.Seconds()})
		if err != nil {
			return errors.Join(ctx.Err(), err)
		}
		out.addRate(p.insertSubject(), callers, r.rate())
		p.inserted = append(p.inserted, r.PerSecond)
	}
	r, err := p.ask(peerCommand{Do: "work", Seconds: length.Seconds()})
	if err != nil {
		return errors.Join(ctx.Err(), err)
	}
	out.add(p.insertSubject(), workMeasure+", p50", "µs", r.P50)
	out.add(p.insertSubject(), workMeasure+", p99", "µs", r.P99)
	return nil
}

func (r peerResult) rate() rate {
	of := func(n float64) time.Duration { return time.Duration(n * float64(time.Microsecond)) }
	return rate{r.PerSecond, of(r.P50), of(r.P99)}
}
