package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

const requestTimeout = 10 * time.Second

// request is what a load sends: a GET, or a POST of JSON if it has a body.
type request struct {
	uri  string
	body []byte
}

func (r request) prepare(req *fasthttp.Request, address string) {
	req.SetRequestURI(r.uri)
	req.SetHost(address)
	if r.body != nil {
		req.Header.SetMethod(fasthttp.MethodPost)
		req.Header.SetContentType("application/json")
		req.SetBodyRaw(r.body)
	}
}

// rate is what a load came to.
type rate struct {
	perSecond float64
	p50, p99  time.Duration // from before a request was sent to after its answer was read
}

// load sends requests over some connections for some time, on each the next one
// as soon as the last was answered. Any answer but 200 is an error, and so is
// an end of ctx.
func load(ctx context.Context, address string, requests []request, connections int, length time.Duration) (rate, error) {
	return pacedLoad(ctx, address, requests, connections, length, 0, nil)
}

// answerCheck looks at answers. What asked gives before a request is handed to
// answered with the body that came of it. Both are called concurrently.
type answerCheck interface {
	asked() uint64
	answered(then uint64, body []byte)
}

// pacedLoad is load at so many requests a second at most, if that is not 0. Each
// connection has its times to send, spread evenly. One that is late sends at
// once, and the time that its request takes begins then: a timer that woke late
// is no fault of the server. A check may be nil.
func pacedLoad(ctx context.Context, address string, requests []request, connections int, length time.Duration, perSecond int, check answerCheck) (rate, error) {
	var (
		over    atomic.Bool
		workers sync.WaitGroup
		took    = make([][]time.Duration, connections)
		errs    = make([]error, connections)
	)
	client := &fasthttp.HostClient{
		Addr: address, MaxConns: connections, ReadTimeout: requestTimeout, WriteTimeout: requestTimeout,
		DisablePathNormalizing: true, NoDefaultUserAgentHeader: true,
	}
	defer client.CloseIdleConnections()
	defer context.AfterFunc(ctx, func() { over.Store(true) })()
	start := time.Now()
	timer := time.AfterFunc(length, func() { over.Store(true) })
	defer timer.Stop()
	for w := range connections {
		workers.Go(func() {
			req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
			defer fasthttp.ReleaseRequest(req)
			defer fasthttp.ReleaseResponse(resp)
			for i := 0; ; i++ {
				requests[(w*len(requests)/connections+i)%len(requests)].prepare(req, address)
				if perSecond > 0 {
					nth := time.Duration(i*connections + w)
					time.Sleep(time.Until(start.Add(nth * time.Second / time.Duration(perSecond))))
				}
				var then uint64
				if check != nil {
					then = check.asked()
				}
				sent := time.Now()
				err := client.Do(req, resp)
				took[w] = append(took[w], time.Since(sent))
				if err == nil && resp.StatusCode() != fasthttp.StatusOK {
					err = fmt.Errorf("got status %d: %.200s", resp.StatusCode(), resp.Body())
				}
				switch {
				case err != nil:
					errs[w] = err
					over.Store(true)
				case check != nil:
					check.answered(then, resp.Body())
				}
				if over.Load() {
					return
				}
			}
		})
	}
	workers.Wait()
	elapsed := time.Since(start)
	if err := errors.Join(ctx.Err(), errors.Join(errs...)); err != nil {
		return rate{}, err
	}
	all := slices.Concat(took...)
	slices.Sort(all)
	return rate{float64(len(all)) / elapsed.Seconds(), all[len(all)/2], all[len(all)*99/100]}, nil
}
