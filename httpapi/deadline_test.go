package httpapi

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// countingConn counts the deadlines that are put in force.
type countingConn struct {
	net.Conn
	reads, writes int
}

func (c *countingConn) SetReadDeadline(t time.Time) error {
	c.reads++
	return c.Conn.SetReadDeadline(t)
}

func (c *countingConn) SetWriteDeadline(t time.Time) error {
	c.writes++
	return c.Conn.SetWriteDeadline(t)
}

// TestDeadlinesHold as well as if they were put in force at once: at most
// deadlineSlack early, never late.
func TestDeadlinesHold(t *testing.T) {
	for _, asked := range [][]time.Duration{ // one after the other, before anything waits
		{15 * time.Second}, {60 * time.Second, 15 * time.Second}, {15 * time.Second, 60 * time.Second}, {15 * time.Second, 15*time.Second + deadlineSlack/2},
	} {
		synctest.Test(t, func(t *testing.T) {
			client, server := net.Pipe()
			defer client.Close()
			c := &lingerConn{Conn: server}
			defer c.Close()
			for side, wait := range map[string]func() error{
				"Read":  func() error { _, err := c.Read(make([]byte, 1)); return err },
				"Write": func() error { _, err := c.Write(make([]byte, 1)); return err },
			} {
				began := time.Now()
				for _, d := range asked {
					if err := c.SetDeadline(began.Add(d)); err != nil {
						t.Fatal(err)
					}
				}
				err := wait()
				want := asked[len(asked)-1]
				if took := time.Since(began); !errors.Is(err, os.ErrDeadlineExceeded) || took > want || took < want-deadlineSlack {
					t.Errorf("%s after %v: got %v after %s, want the deadline after %s", side, asked, err, took, want)
				}
			}
		})
	}
}

// TestDeadlinesAreTakenAway by the zero time.
func TestDeadlinesAreTakenAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		defer client.Close()
		c := &lingerConn{Conn: server}
		defer c.Close()
		for _, at := range []time.Time{time.Now().Add(15 * time.Second), {}} {
			if err := c.SetReadDeadline(at); err != nil {
				t.Fatal(err)
			}
			time.AfterFunc(10*time.Second, func() { _, _ = client.Write([]byte{1}) })
			if n, err := c.Read(make([]byte, 1)); n != 1 || err != nil {
				t.Fatalf("got %d bytes, %v, want one", n, err)
			}
		}
		time.AfterFunc(time.Hour, func() { _, _ = client.Write([]byte{1}) })
		if n, err := c.Read(make([]byte, 1)); n != 1 || err != nil {
			t.Errorf("an hour without a deadline: got %d bytes, %v, want one", n, err)
		}
	})
}

// TestALongBodyMayTakeLong: a reader of megabytes may be slow, and is dropped when
// it stands still.
func TestALongBodyMayTakeLong(t *testing.T) {
	body := make([]byte, 5*maxWrite+1)
	for name, tc := range map[string]struct {
		reads int
		whole bool
	}{"slow": {6, true}, "stands still": {3, false}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, server := net.Pipe()
				defer client.Close()
				c := &lingerConn{Conn: server}
				defer c.Close()
				go func() {
					for range tc.reads {
						time.Sleep(writeTimeout - time.Second)
						_, _ = io.ReadFull(client, make([]byte, min(maxWrite, len(body))))
					}
				}()
				_ = c.SetWriteDeadline(time.Now().Add(writeTimeout))
				n, err := c.Write(body)
				if tc.whole && (n != len(body) || err != nil) || !tc.whole && (!errors.Is(err, os.ErrDeadlineExceeded) || n != tc.reads*maxWrite) {
					t.Errorf("wrote %d of %d bytes: %v", n, len(body), err)
				}
			})
		})
	}
}

// TestBusyConnectionsKeepTheirDeadline: a thousand requests a second, with the
// deadlines that fasthttp asks for, put hardly one in force each second.
func TestBusyConnectionsKeepTheirDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		defer client.Close()
		under := &countingConn{Conn: server}
		c := &lingerConn{Conn: under}
		defer c.Close()
		const requests, seconds = 5000, 5
		for range requests {
			_ = c.SetReadDeadline(time.Now().Add(idleTimeout))
			time.AfterFunc(time.Second*seconds/requests, func() { _, _ = client.Write([]byte{1}) })
			if _, err := c.Read(make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
			_ = c.SetReadDeadline(time.Now().Add(readTimeout)) // nothing is left to read
			_ = c.SetWriteDeadline(time.Now().Add(writeTimeout))
			go func() { _, _ = client.Read(make([]byte, 1)) }()
			if _, err := c.Write([]byte{1}); err != nil {
				t.Fatal(err)
			}
		}
		if under.reads > seconds+1 || under.writes > seconds+1 {
			t.Errorf("in %d s: %d and %d deadlines were put in force, want one a second", seconds, under.reads, under.writes)
		}
	})
}
