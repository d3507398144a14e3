package httpapi

import (
	"context"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/valyala/fasthttp/fasthttpadaptor"
)

// getHealth answers GET /healthz: the process serves requests.
func (s *Server) getHealth(c *fiber.Ctx, _ params) error {
	return writeValue(c, map[string]string{"status": "ok", "version": s.cfg.Version})
}

// getReady answers GET /readyz.
func (s *Server) getReady(c *fiber.Ctx, _ params) error {
	var missing []string
	if ok, why := s.cfg.Prices.Ready(); !ok {
		missing = append(missing, why)
	}
	if s.cfg.Trading != nil {
		ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
		defer cancel()
		if ok, why := s.cfg.Trading.Ready(ctx); !ok {
			missing = append(missing, why)
		}
	}
	if len(missing) > 0 {
		return problem(codeNotReady, "not ready: %s", strings.Join(missing, "; "))
	}
	return writeValue(c, map[string]string{"status": "ready"})
}

// getConfig answers GET /v1/config.
func (s *Server) getConfig(c *fiber.Ctx, _ params) error {
	return writeValue(c, map[string]any{"version": s.cfg.Version, "settings": s.cfg.Settings})
}

// getMetrics answers GET /metrics.
func (s *Server) getMetrics() handler {
	h := fasthttpadaptor.NewFastHTTPHandler(promhttp.HandlerFor(s.cfg.Metrics, promhttp.HandlerOpts{}))
	return func(c *fiber.Ctx, _ params) error {
		h(c.Context())
		return nil
	}
}
