package main

import (
	"bytes"
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"skinarb/fetch"
	"skinarb/pricing"
)

// TestProgress: nothing is told before two seconds have passed, and then how much
// has come.
func TestProgress(t *testing.T) {
	for _, c := range []struct {
		terminal bool
		lasts    time.Duration
		want     []string // lines
	}{
		{false, firstSign - 1, nil},
		{true, firstSign - 1, nil},
		{false, 13 * time.Second, []string{"sih items: 2s, 1.5 MB, 2 rows so far", "sih items: 12s, 1.5 MB, 2 rows so far"}},
		{true, 2600 * time.Millisecond, []string{"\r\x1b[K\x1b[?7lsih items: 2s, 1.5 MB, 2 rows so far\x1b[?7h\r\x1b[K\x1b[?7lsih items: 3s, 1.5 MB, 2 rows so far\x1b[?7h\r\x1b[K"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			var b bytes.Buffer
			p := newProgress(&b, c.terminal)
			p.bytes = 1_500_000
			p.begin("sih items")
			p.row()
			p.row()
			time.Sleep(c.lasts)
			p.end()
			got := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
			if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
				t.Errorf("terminal %v, %s: got %q, want %q", c.terminal, c.lasts, got, c.want)
			}
		})
	}
}

// TestProgressKeepsStill while somebody is being asked.
func TestProgressKeepsStill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		p := newProgress(&b, true)
		p.begin("sih deposit")
		answered := p.ask("sure? ")
		time.Sleep(time.Minute)
		if got := b.String(); got != "sure? " {
			t.Errorf("got %q, want the question alone", got)
		}
		answered()
		time.Sleep(onScreen * 3 / 2) // drawn once or twice
		p.say("done")
		p.end()
		if got := b.String(); !strings.HasSuffix(got, "\r\x1b[Kdone\n") {
			t.Errorf("got %q, want that the line is wiped before something stays", got)
		}
	})
}

func TestCounting(t *testing.T) {
	here, there := net.Pipe()
	p := newProgress(&bytes.Buffer{}, false)
	dial := p.counting(func(context.Context, string, string) (net.Conn, error) { return here, nil })
	conn, err := dial(t.Context(), "tcp", "x")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		there.Write([]byte("12345"))
		there.Close()
	}()
	var b bytes.Buffer
	if _, err := b.ReadFrom(conn); err != nil || p.bytes != 5 {
		t.Errorf("counted %d bytes, %v, want 5", p.bytes, err)
	}
	none := p.counting(func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no") })
	if _, err := none(t.Context(), "tcp", "x"); err == nil {
		t.Error("got a connection, want the error of dialling")
	}
}

// slowBudget gives a permit after a while.
type slowBudget time.Duration

func (s slowBudget) Take(ctx context.Context, _ fetch.Class) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Duration(s)):
		return nil
	}
}

func (slowBudget) Pause(context.Context, time.Duration) error { return nil }

func TestWaitingIsTold(t *testing.T) {
	for wait, want := range map[time.Duration]string{
		noticeable / 2: "", 30 * time.Second: "waiting: the budget of 300 requests a minute at sih is used up for now\n",
	} {
		synctest.Test(t, func(t *testing.T) {
			var b bytes.Buffer
			budget := announced{slowBudget(wait), newProgress(&b, false), pricing.SIH, 300}
			if err := budget.Take(t.Context(), fetch.ForStatus); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if b.String() != want {
				t.Errorf("%s: got %q, want %q", wait, &b, want)
			}
		})
	}
}

// TestAChangeIsNotCutOff: after Ctrl-C a change goes on for a while, since an
// answer that nobody waits for leaves its outcome unknown.
func TestAChangeIsNotCutOff(t *testing.T) {
	for takes, want := range map[time.Duration]error{afterwards / 2: nil, 2 * afterwards: context.Canceled} {
		synctest.Test(t, func(t *testing.T) {
			var b bytes.Buffer
			s := &session{note: newProgress(&b, false)}
			ctx, interrupt := context.WithCancel(t.Context())
			err := s.send(ctx, func(ctx context.Context) error {
				interrupt()
				return slowBudget(takes).Take(ctx, fetch.ForPurchase)
			})
			synctest.Wait()
			if !errors.Is(err, want) {
				t.Errorf("%s: got %v, want %v", takes, err, want)
			}
			if !strings.Contains(b.String(), "Ctrl-C again") {
				t.Errorf("%s: got %q, want to be told of the wait", takes, &b)
			}
		})
	}
}
