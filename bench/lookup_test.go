package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"

	"skinarb/httpapi"
	"skinarb/pricing"
)

// testSession is a session on markets of its own.
func testSession(t *testing.T, args ...string) *session {
	t.Helper()
	opts, err := parseOptions(args)
	if err != nil {
		t.Fatal(err)
	}
	rig, err := newRig(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(rig.Close)
	var said bytes.Buffer
	return &session{opts: opts, rig: rig, out: &Suite{Name: t.Name()}, progress: newProgress(&said)}
}

func TestVersionOfAnswer(t *testing.T) {
	tests := []struct {
		body string
		want uint64
		ok   bool
	}{
		{`{"item":{},"version":17}`, 17, true},
		{`{"x":{"version":3},"version":18}`, 18, true},
		{`{"version":18446744073709551615}`, 18446744073709551615, true},
		{`{"version":18446744073709551616}`, 0, false},
		{`{"version":"4"}`, 0, false},
		{`{"version":`, 0, false},
		{`xxxx`, 0, false},
		{``, 0, false},
	}
	for _, tt := range tests {
		if got, ok := versionOf([]byte(tt.body)); got != tt.want && ok || ok != tt.ok {
			t.Errorf("%s: got %d, %t, want %d, %t", tt.body, got, ok, tt.want, tt.ok)
		}
	}
}

func TestOutdatedCountsOnlyWhatIsOlderThanItsRequest(t *testing.T) {
	prices := &liveBook{}
	prices.served.Store(7)
	o := &outdated{prices: prices}
	then := o.asked()
	prices.served.Store(9) // published while the request was on its way
	for _, body := range []string{`{"version":7}`, `{"version":8}`, `{"version":9}`} {
		o.answered(then, []byte(body))
	}
	if got := o.stale.Load(); got != 0 {
		t.Errorf("got %d outdated answers, want 0", got)
	}
	o.answered(o.asked(), []byte(`{"version":8}`))
	o.answered(o.asked(), []byte(`none`))
	if got, all := o.stale.Load(), o.answers.Load(); got != 2 || all != 5 {
		t.Errorf("got %d outdated answers of %d, want 2 of 5", got, all)
	}
}

// Every peer answers every question as we do, or with as many bytes.
func TestLookupPeersAnswerTheSame(t *testing.T) {
	s := testSession(t, "--items", "300", "--for", "20ms")
	book, err := s.rig.book(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	items := onOffer(book, 1)
	prices := &liveBook{}
	prices.book.Store(book)
	api := httpapi.New(httpapi.Config{Prices: prices, MaxQuoteAge: time.Hour})
	address, err := listen(api.Serve)
	if err != nil {
		t.Fatal(err)
	}
	defer api.Shutdown(context.Background())
	requests := singleRequests(items)
	answers, err := answersTo(t.Context(), address, requests)
	if err != nil {
		t.Fatal(err)
	}
	peers, err := openLookupPeers(t.Context(), s, items, requests, answers)
	if err != nil {
		t.Fatal(err)
	}
	defer peers.close()
	for _, peer := range peers.http {
		got, err := answersTo(t.Context(), peer.address, peer.requests)
		if err != nil {
			t.Fatalf("%s: %v", peer.name, err)
		}
		for i, body := range got {
			same := bytes.Equal(body, answers[i])
			if peer == peers.bare() || len(peer.requests) == 1 {
				same = len(body) == meanSize(answers)
			}
			if !same {
				t.Fatalf("%s, %s: got %d bytes %.80q, want %.80q", peer.name, peer.requests[i].uri, len(body), body, answers[i])
			}
		}
	}
	for _, program := range []string{"redis-server", "webdis", "nginx", "wrk"} {
		_, missing := findProgram(program)
		told := strings.Contains(strings.Join(s.out.Notes, "\n"), program+" is not installed (Debian package ")
		if (missing != nil) != told {
			t.Errorf("%s: got missing %t and told %t in the notes:\n%s", program, missing != nil, told, strings.Join(s.out.Notes, "\n"))
		}
	}
	if peers.wrk != nil {
		got, err := peers.wrk.load(t.Context(), address, peers.bare().list)
		if err != nil || got.perSecond <= 0 || got.p99 < got.p50 {
			t.Errorf("wrk: got %+v, %v, want a rate", got, err)
		}
	}
	if peers.redis != nil {
		got, err := getLoad(t.Context(), peers.redis.socket, len(answers), 4, 200*time.Millisecond)
		if err != nil || got.perSecond <= 0 {
			t.Errorf("Redis GET: got %+v, %v, want a rate", got, err)
		}
		if _, err := getLoad(t.Context(), peers.redis.socket, len(answers)+100, 200, 200*time.Millisecond); err == nil {
			t.Error("Redis GET of keys that are not there: got no error")
		}
	}
}

func TestReadWrk(t *testing.T) {
	const said = "Running 1s test\n  64 connections\n"
	tests := []struct {
		out  string
		want rate
		err  string
	}{
		{said + `{"requests":3000,"seconds":1.5,"failed":0,"p50_us":40,"p99_us":900}` + "\n", rate{2000, 40 * time.Microsecond, 900 * time.Microsecond}, ""},
		{said + `{"requests":3000,"seconds":1.5,"failed":2,"p50_us":40,"p99_us":900}`, rate{}, "2 of 3000"},
		{said + `{"requests":0,"seconds":1,"failed":0,"p50_us":0,"p99_us":0}`, rate{}, "0 of 0"},
		{"unable to connect", rate{}, "unable to connect"},
		{"", rate{}, "something else"},
	}
	for _, tt := range tests {
		got, err := readWrk([]byte(tt.out))
		if got != tt.want || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%q: got %+v, %v, want %+v, %q", tt.out, got, err, tt.want, tt.err)
		}
	}
}

func TestSkipBulk(t *testing.T) {
	for in, want := range map[string]string{
		"$3\r\nabc\r\nrest": "rest", "$0\r\n\r\nrest": "rest", "$4\r\n\r\n\r\n\r\nx": "x",
		"$-1\r\n": "error", "-ERR no\r\n": "error", "$3\r\nab": "error", "": "error", ":3\r\n": "error",
	} {
		r := bufio.NewReader(strings.NewReader(in))
		got := "error"
		if err := skipBulk(r); err == nil {
			rest, _ := r.ReadString(0)
			got = rest
		}
		if got != want {
			t.Errorf("%q: got %q left, want %q", in, got, want)
		}
	}
}

func TestStartServerTellsWhyItEnded(t *testing.T) {
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip(err)
	}
	_, err = startServer(t.Context(), exec.Command(shell, "-c", "echo no such port >&2; exit 3"), "127.0.0.1:1")
	if err == nil || !strings.Contains(err.Error(), "no such port") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("got %v, want what it said and its status", err)
	}
}

func TestStartServerGivesUpWithItsContext(t *testing.T) {
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err = startServer(ctx, exec.Command(shell, "-c", "exec sleep 60"), "127.0.0.1:1"); err == nil {
		t.Error("got a server that never listened")
	}
}

func TestOpeningIsBounded(t *testing.T) {
	var o opening
	for range 100 {
		if n, err := o.Write(make([]byte, 100)); n != 100 || err != nil {
			t.Fatalf("got %d, %v, want 100", n, err)
		}
	}
	if o.Len() != mostSaid {
		t.Errorf("got %d bytes kept, want %d", o.Len(), mostSaid)
	}
}

// An interruption while peers are started is told as one, and leaves none behind.
func TestOpeningPeersCanBeInterrupted(t *testing.T) {
	s := testSession(t, "--items", "300", "--for", "20ms")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	items := []pricing.Item{{Game: game, Name: "AK-47 | Redline (Field-Tested)"}}
	for what, open := range map[string]func() error{
		"lookup": func() error {
			_, err := openLookupPeers(ctx, s, items, singleRequests(items), [][]byte{[]byte("{}")})
			return err
		},
		"publish": func() error { _, _, err := openPublishRedises(ctx, s); return err },
	} {
		if err := open(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v, want that it was interrupted", what, err)
		}
	}
}
