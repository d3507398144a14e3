package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"skinarb/internal/freeport"
	"skinarb/internal/marketsim"
)

const (
	startPatience = 30 * time.Second // for both catalogs to be there
	restBefore    = 2 * time.Second  // after that, before anything is measured
)

// aggregator is the program as a process of its own.
type aggregator struct {
	*server
	dir   string
	items int
}

// startAggregator builds the program, starts it at the simulated markets, and
// waits until it has both catalogs and rests.
func startAggregator(ctx context.Context, s *session) (_ *aggregator, err error) {
	if runtime.GOOS != "linux" {
		return nil, errors.New("only Linux tells it in /proc")
	}
	dir, err := os.MkdirTemp("", "bench-aggregator-")
	if err != nil {
		return nil, err
	}
	a := &aggregator{dir: dir}
	defer func() {
		if err != nil {
			a.close()
		}
	}()
	s.progress.say("memory: building the aggregator")
	program := filepath.Join(dir, "aggregator")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", program, "skinarb/cmd/aggregator").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build it, from the directory of this project: %w: %.300s", err, out)
	}
	port, err := freeport.Pick()
	if err != nil {
		return nil, err
	}
	address := "127.0.0.1:" + strconv.Itoa(port)
	process := exec.Command(program)
	process.Dir = dir
	process.Env = []string{ // and nothing of ours
		"SKINSBACK_URL=" + s.rig.server.SkinsBackURL, "SKINSBACK_WS_URL=",
		"SKINSBACK_CLIENT_ID=" + marketsim.DemoClientID, "SKINSBACK_CLIENT_SECRET=" + marketsim.DemoClientSecret,
		"SIH_URL=" + s.rig.server.SIHURL, "SIH_API_KEY=" + marketsim.DemoAPIKey,
		"LISTEN_ADDR=" + address, "DATA_DIR=" + filepath.Join(dir, "data"), "FETCH_INTERVAL=1h",
	}
	s.progress.say("memory: starting the aggregator")
	if a.server, err = startServer(ctx, process, address); err != nil {
		return nil, err
	}
	if err := a.await(ctx, "http://"+address+"/v1/feeds"); err != nil {
		return nil, err
	}
	return a, sleep(ctx, restBefore)
}

// await asks until every feed has items.
func (a *aggregator) await(ctx context.Context, feeds string) error {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	for {
		items, err := countItems(ctx, feeds)
		if err == nil && items > 0 {
			a.items = items
			return nil
		}
		if sleep(ctx, 50*time.Millisecond) != nil {
			return fmt.Errorf("wait for its catalogs: %w", errors.Join(ctx.Err(), err))
		}
	}
}

// countItems sums up the items of all feeds; 0 while one has none.
func countItems(ctx context.Context, feeds string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, feeds, http.NoBody)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	var answer struct {
		Feeds []struct {
			State string `json:"state"`
			Items int    `json:"items"`
		} `json:"feeds"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return 0, err
	}
	total := 0
	for _, f := range answer.Feeds {
		if f.Items == 0 {
			return 0, nil
		}
		total += f.Items
	}
	return total, nil
}

// measure reads what the process holds now.
func (a *aggregator) measure(out *Suite) error {
	rss, peak, err := residentBytes(a.process.Process.Pid)
	if err != nil {
		return err
	}
	out.add(idleAggregator, "resident", "MB", float64(rss)/1e6)
	out.add(idleAggregator, "resident at most", "MB", float64(peak)/1e6)
	return nil
}

// close ends the process and removes what it wrote.
func (a *aggregator) close() {
	if a.server != nil {
		a.stop()
	}
	os.RemoveAll(a.dir)
}

// residentBytes tells how much memory a process has now, and had at most.
func residentBytes(pid int) (rss, peak int64, err error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		into := map[string]*int64{"VmRSS": &rss, "VmHWM": &peak}[name]
		if into == nil {
			continue
		}
		if _, err := fmt.Sscanf(value, "%d kB", into); err != nil {
			return 0, 0, fmt.Errorf("read %s of process %d: %w", name, pid, err)
		}
		*into *= 1024
	}
	if rss == 0 || peak == 0 {
		return 0, 0, fmt.Errorf("process %d tells nothing of its memory", pid)
	}
	return rss, peak, nil
}

// sleep waits, and returns ctx's error if that ends first.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
