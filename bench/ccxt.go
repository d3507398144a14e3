package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
)

// installLimit bounds how long npm may take.
const installLimit = 3 * time.Minute

// ccxtProgram is an installed ccxt and what runs it.
type ccxtProgram struct {
	node, script string
	directory    string // that has ccxt in its node_modules
}

// findCcxt installs ccxt, in the versions that bench/peers/ccxt pins, into a
// directory of its own below the user's cache, if it is not there yet.
func findCcxt(ctx context.Context, s *session) (ccxtProgram, error) {
	if s.opts.noPeers {
		return ccxtProgram{}, errors.New("left out as asked for")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		return ccxtProgram{}, errors.New("node is not installed (Debian packages nodejs and npm)")
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		return ccxtProgram{}, errors.New("npm is not installed (Debian package npm)")
	}
	source, err := peersSource(ctx)
	if err != nil {
		return ccxtProgram{}, err
	}
	source = filepath.Join(source, "ccxt")
	lock, err := os.ReadFile(filepath.Join(source, "package-lock.json"))
	if err != nil {
		return ccxtProgram{}, err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return ccxtProgram{}, err
	}
	p := ccxtProgram{
		node: node, script: filepath.Join(source, "tickers.js"),
		directory: filepath.Join(cache, "skinarb-bench", fmt.Sprintf("ccxt-%x", sha256.Sum256(lock))[:16]),
	}
	if _, err := os.Stat(filepath.Join(p.directory, "node_modules", "ccxt")); err == nil {
		return p, nil
	}
	s.progress.say("ingest: installing ccxt, which takes a while the first time")
	if err := install(ctx, npm, source, p.directory); err != nil {
		return ccxtProgram{}, err
	}
	return p, nil
}

// install has npm put what a package-lock.json pins into a directory. It appears
// there whole, and so may be installed by two at once.
func install(ctx context.Context, npm, source, directory string) (err error) {
	if err := os.MkdirAll(filepath.Dir(directory), 0o755); err != nil {
		return err
	}
	fresh, err := os.MkdirTemp(filepath.Dir(directory), "install-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(fresh)
	for _, name := range []string{"package.json", "package-lock.json"} {
		text, err := os.ReadFile(filepath.Join(source, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(fresh, name), text, 0o644)
		}
		if err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, installLimit)
	defer cancel()
	ci := exec.CommandContext(ctx, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=optional")
	ci.Dir = fresh
	ci.WaitDelay = time.Second // npm's children may hold its output open
	if out, err := ci.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci: %w: %s", err, beginning(out))
	}
	if err := os.Rename(fresh, directory); err != nil {
		if _, there := os.Stat(directory); there != nil {
			return err
		} // else somebody else was faster
	}
	return nil
}

// ccxtPeer reads as many tickers as a market's catalog has items, from a body of
// the same size.
type ccxtPeer struct {
	subject   string
	peer      *peer
	server    *http.Server
	perSecond float64 // items, of the last round
}

// startCcxt serves the tickers and starts ccxt on them.
func startCcxt(p ccxtProgram, market string, items, size int) (*ccxtPeer, error) {
	body, err := zipped(tickers(items, size))
	if err != nil {
		return nil, err
	}
	c := &ccxtPeer{server: zippedServer(body)}
	address, err := listen(c.server.Serve)
	if err != nil {
		return nil, err
	}
	c.peer, err = startPeer(peerKind{
		name: "ccxt", program: program{path: p.node},
		args: []string{p.script, p.directory, "http://" + address, fmt.Sprint(items)},
	})
	if err != nil {
		c.server.Close()
		return nil, err
	}
	c.subject = fmt.Sprintf("%s: %s fetchTickers", market, c.peer.name)
	if _, err := c.peer.ask(peerCommand{Do: "tickers"}); err != nil { // the first is compiled as it runs
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

func (c *ccxtPeer) close() error { return errors.Join(c.peer.stop(), c.server.Close()) }

func (c *ccxtPeer) measure(ctx context.Context, out *Suite) error {
	r, err := c.peer.ask(peerCommand{Do: "tickers"})
	if err != nil {
		return errors.Join(ctx.Err(), err)
	}
	c.perSecond = r.PerSecond
	out.add(c.subject, "rows decoded", "items/s", r.PerSecond)
	out.add(c.subject, "until decoded", "ms", r.P50/1e3)
	return nil
}

// tickerFields are those of a ticker of KuCoin's, those first that a price needs.
// https://www.kucoin.com/docs-new/rest/spot-trading/market-data/get-all-tickers
var tickerFields = []string{
	`"symbolName":"S%d-USDT"`, `"high":"11%d.61"`, `"low":"10%d.2"`, `"vol":"2282.70%d"`, `"volValue":"2598494.%d"`,
	`"changeRate":"-0.00%d"`, `"changePrice":"-0.6%d"`, `"averagePrice":"11.36%d"`, `"takerFeeRate":"0.001"`,
	`"makerFeeRate":"0.001"`, `"takerCoefficient":"1"`, `"makerCoefficient":"1"`,
}

// tickers gives an answer of KuCoin's with so many tickers, of about size bytes.
// Small ones have fewer fields than real ones, which is less work; large ones
// have one more that nobody reads.
func tickers(items, size int) []byte {
	b := make([]byte, 0, size+size/8)
	b = append(b, `{"code":"200000","data":{"time":1760000000000,"ticker":[`...)
	for i := range items {
		end := (i + 1) * size / items // where this ticker should end
		if i > 0 {
			b = append(b, ',')
		}
		b = fmt.Appendf(b, `{"symbol":"S%d-USDT","buy":"%d.29","sell":"%d.31","last":"%d.3"`, i, 1+i%97, 1+i%97, 1+i%97)
		for _, field := range tickerFields {
			text := field
			if strings.Contains(field, "%d") {
				text = fmt.Sprintf(field, i)
			}
			if len(b)+len(text)+2 > end {
				break
			}
			b = append(append(b, ','), text...)
		}
		const pad = `,"pad":""`
		if room := end - len(b) - len(pad) - 1; room > 0 {
			b = append(b, pad[:len(pad)-1]...)
			for n := range room {
				b = append(b, 'a'+byte((i*7+n*n)%26))
			}
			b = append(b, '"')
		}
		b = append(b, '}')
	}
	return append(b, `]}}`...)
}

func zipped(body []byte) ([]byte, error) {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(body)
	err = errors.Join(err, w.Close())
	return out.Bytes(), err
}

// zippedServer answers everything with one compressed body.
func zippedServer(body []byte) *http.Server {
	return &http.Server{ReadHeaderTimeout: requestTimeout, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(body) // a client that left gets nothing
	})}
}
