package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// wrkScript has wrk send the requests of a list in turn and tell in one line of
// JSON what came of them.
//
//go:embed wrk.lua
var wrkScript string

// wrkNames is how many different requests wrk gets.
const wrkNames = 10_000

// wrk is a load generator in C, which leaves more of the cores to the server than
// ours does. It is a process of its own with one thread.
type wrk struct {
	program string
	dir     string // of its script and lists
	length  time.Duration
}

// newWrk prepares wrk for loads of whole seconds, as it knows no shorter ones.
func newWrk(program, dir string, length time.Duration) (*wrk, error) {
	w := &wrk{program: program, dir: dir, length: max(time.Second, length.Round(time.Second))}
	return w, os.WriteFile(w.script(), []byte(wrkScript), 0o600)
}

func (w *wrk) script() string { return filepath.Join(w.dir, "wrk.lua") }

// list writes the requests of one kind down for wrk and gives the file's name.
func (w *wrk) list(name string, requests []request) (string, error) {
	var b strings.Builder
	for _, r := range requests[:min(wrkNames, len(requests))] {
		b.WriteString(r.uri + "\n")
	}
	path := filepath.Join(w.dir, name)
	return path, os.WriteFile(path, []byte(b.String()), 0o600)
}

// load is what load does, by wrk.
func (w *wrk) load(ctx context.Context, address, list string) (rate, error) {
	run := exec.CommandContext(ctx, w.program, "-t1", fmt.Sprintf("-c%d", connections), fmt.Sprintf("-d%ds", int(w.length.Seconds())),
		"--timeout", requestTimeout.String(), "-s", w.script(), "http://"+address+"/", "--", list)
	out, err := run.CombinedOutput()
	if err != nil {
		return rate{}, fmt.Errorf("%s: %w: %s", w.program, err, beginning(out))
	}
	return readWrk(out)
}

// readWrk reads what the script said, which is the last line.
func readWrk(out []byte) (rate, error) {
	out = bytes.TrimSpace(out)
	var r struct {
		Requests float64 `json:"requests"`
		Seconds  float64 `json:"seconds"`
		Failed   int     `json:"failed"`
		P50      int64   `json:"p50_us"`
		P99      int64   `json:"p99_us"`
	}
	if err := json.Unmarshal(out[bytes.LastIndexByte(out, '\n')+1:], &r); err != nil {
		return rate{}, fmt.Errorf("wrk said something else than its script: %s", beginning(out))
	}
	if r.Failed > 0 || r.Requests == 0 || r.Seconds == 0 {
		return rate{}, fmt.Errorf("wrk: %d of %.0f requests failed", r.Failed, r.Requests)
	}
	return rate{r.Requests / r.Seconds, time.Duration(r.P50) * time.Microsecond, time.Duration(r.P99) * time.Microsecond}, nil
}
