package marketsim

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Server is a world at an address.
type Server struct {
	SkinsBackURL string // the single endpoint, ends in /api.php
	SIHURL       string // the base, ends in /api/v1
	SocketURL    string // of SkinsBack's events, ends in /ws/
	ControlURL   string // the base, ends in /sim

	http     *http.Server
	couriers *couriers
	done     chan error // Serve's result
}

// Serve starts serving both markets and the control API on one address; ""
// means a free port on loopback. The control API asks nobody who they are, so
// the address should stay on loopback. A world that is served also tells its
// events, over SkinsBack's socket and by webhooks, and asks its Partner. The caller
// closes the server.
func Serve(w *World, addr string) (*Server, error) {
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("marketsim: %w", err)
	}
	couriers := newCouriers(w)
	mux := http.NewServeMux()
	mux.Handle("/api.php", w.SkinsBack())
	mux.Handle(sihPrefix, w.SIH())
	mux.Handle("GET /ws/", couriers)
	mux.Handle("/sim/", w.Control())
	mux.HandleFunc("GET /sim/sockets", couriers.controlSockets)
	mux.HandleFunc("DELETE /sim/sockets", couriers.controlCut)

	host := listener.Addr().String()
	s := &Server{
		SkinsBackURL: "http://" + host + "/api.php",
		SIHURL:       "http://" + host + "/api/v1",
		SocketURL:    "ws://" + host + "/ws/",
		ControlURL:   "http://" + host + "/sim",
		http:         &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second},
		couriers:     couriers,
		done:         make(chan error, 1),
	}
	go func() { s.done <- s.http.Serve(listener) }()
	couriers.running.Go(func() { w.runPartner(couriers.ctx) })
	return s, nil
}

// Sockets tells how many clients are logged in to SkinsBack's events.
func (s *Server) Sockets() int { return s.couriers.connected() }

// CutSockets breaks their connections.
func (s *Server) CutSockets() { s.couriers.cut() }

// Close ends every connection, also those that hang, and frees the address.
func (s *Server) Close() error {
	s.couriers.close()
	err := s.http.Close()
	if end := <-s.done; !errors.Is(end, http.ErrServerClosed) {
		err = errors.Join(err, end)
	}
	s.done <- http.ErrServerClosed // for a second Close
	return err
}
