package pricefeed

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"skinarb/httpapi"
	"skinarb/internal/settings"
	"skinarb/pricing"
)

// NewRegistry gives a registry that already tells about the process.
func NewRegistry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// Listen takes the address of the API, so that a taken port is an error at start.
func Listen(ctx context.Context, addr string) (net.Listener, error) {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("LISTEN_ADDR: cannot listen on %s: %w", addr, err)
	}
	return ln, nil
}

// API gives the server over these prices; strategy, trading, hooks and the partner
// side may differ from program to program.
func (f *PriceFeed) API(s httpapi.Strategy, t httpapi.Trading, h httpapi.Hooks, p httpapi.Partner) *httpapi.Server {
	set := f.cfg.Settings
	var all []pricing.Feed
	for _, st := range f.Statuses() {
		all = append(all, st.Feed)
	}
	api := httpapi.New(httpapi.Config{
		Prices: f, Strategy: s, Trading: t, Hooks: h, Partner: p, Feeds: all, MaxQuoteAge: set.MaxQuoteAge, Now: f.cfg.Now,
		APIToken: set.APIToken, ReadTokens: set.ReadTokens,
		Metrics: f.cfg.Registry, Registerer: f.cfg.Registry,
		Version: settings.Version(), Settings: set.Shown(), Logger: f.cfg.Log,
	})
	f.replica.Subscribe(api.Publish)
	return api
}

// Serve answers requests until ctx ends, and then finishes those under way.
func Serve(ctx context.Context, api *httpapi.Server, ln net.Listener) error {
	failed := make(chan error, 1)
	go func() { failed <- api.Serve(ln) }()
	select {
	case err := <-failed:
		if err == nil || errors.Is(err, http.ErrServerClosed) {
			return nil
		}
		return fmt.Errorf("serve the API: %w", err)
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return api.Shutdown(ctx)
}
