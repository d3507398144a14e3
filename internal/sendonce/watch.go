package sendonce

import (
	"net"
	"net/http/httptrace"
	"sync/atomic"
)

// watchedConn tells when a request has been handed over whole. net/http reports
// a request as written when it still stands in a buffer, so we wait for the
// write that empties it.
type watchedConn struct {
	net.Conn
	buffered atomic.Bool // all of the request is in the buffer or beyond it
	wrote    func()      // set before the request is written
}

func (c *watchedConn) Write(p []byte) (int, error) {
	last := c.buffered.Load()
	n, err := c.Conn.Write(p)
	if last {
		c.wrote()
	}
	return n, err
}

// Watch makes a trace of one request that is sent by a client of New.
// It sets connected before any byte can leave, and calls wrote as soon as none
// can leave any more: after the last write, or, through a proxy that hides the
// writes, when an answer arrives.
func Watch(connected *atomic.Bool, wrote func()) *httptrace.ClientTrace {
	var conn *watchedConn
	return &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) {
			connected.Store(true)
			if w, ok := info.Conn.(*watchedConn); ok {
				w.wrote = wrote
				conn = w
			}
		},
		WroteRequest: func(info httptrace.WroteRequestInfo) {
			if conn != nil {
				conn.buffered.Store(true)
			}
		},
		GotFirstResponseByte: wrote,
	}
}
