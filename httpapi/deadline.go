package httpapi

import (
	"slices"
	"sync/atomic"
	"time"
)

// deadlineSlack is how much earlier than asked a deadline may come. All that are
// asked for here are many seconds away.
const deadlineSlack = time.Second

// deadline is until when one side of a connection may wait.
//
// fasthttp asks for three of them with every request, and practically nothing
// ever waits for one: a request arrives whole, and the next deadline is asked
// for before this one is near. To put one in force is work for the runtime's
// timers, more than to answer a look-up. So it is only noted, and put in force
// before something is read or written, unless the one in force will do.
type deadline struct{ asked, inForce atomic.Int64 } // Unix nanoseconds; 0 is none

func (d *deadline) ask(t time.Time) {
	if t.IsZero() {
		d.asked.Store(0)
	} else {
		d.asked.Store(t.UnixNano())
	}
}

// due gives the deadline that has to be put in force, if there is one.
func (d *deadline) due() (t time.Time, ok bool) {
	asked, inForce := d.asked.Load(), d.inForce.Load()
	if asked == inForce || asked != 0 && inForce != 0 && asked > inForce && asked-inForce < int64(deadlineSlack) {
		return time.Time{}, false
	}
	d.inForce.Store(asked)
	if asked == 0 {
		return time.Time{}, true
	}
	return time.Unix(0, asked), true
}

// SetDeadline is SetReadDeadline and SetWriteDeadline.
func (c *lingerConn) SetDeadline(t time.Time) error {
	c.reading.ask(t)
	c.writing.ask(t)
	return nil
}

// SetReadDeadline limits the wait of each Read that begins from now on.
func (c *lingerConn) SetReadDeadline(t time.Time) error {
	c.reading.ask(t)
	return nil
}

// SetWriteDeadline limits the wait of each Write that begins from now on.
func (c *lingerConn) SetWriteDeadline(t time.Time) error {
	c.writing.ask(t)
	return nil
}

func (c *lingerConn) Read(b []byte) (int, error) {
	if t, ok := c.reading.due(); ok {
		if err := c.Conn.SetReadDeadline(t); err != nil {
			return 0, err
		}
	}
	n, err := c.Conn.Read(b)
	c.beginning.read(b[:n])
	return n, err
}

// maxWrite is how much, in bytes, has to be taken within one deadline. A body of
// megabytes gets a new one with each part: a reader may be slow, and must not
// stand still.
const maxWrite = 256 << 10

func (c *lingerConn) Write(b []byte) (int, error) {
	c.beginning.wrote(b)
	if t, ok := c.writing.due(); ok {
		if err := c.Conn.SetWriteDeadline(t); err != nil {
			return 0, err
		}
	}
	if len(b) <= maxWrite {
		return c.Conn.Write(b)
	}
	written := 0
	for part := range slices.Chunk(b, maxWrite) {
		if written > 0 {
			t := time.Now().Add(writeTimeout)
			c.writing.inForce.Store(t.UnixNano())
			if err := c.Conn.SetWriteDeadline(t); err != nil {
				return written, err
			}
		}
		n, err := c.Conn.Write(part)
		if written += n; err != nil {
			return written, err
		}
	}
	return written, nil
}
