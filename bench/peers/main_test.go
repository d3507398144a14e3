package main

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
)

// fakeQueue is a queue in memory, with faults.
type fakeQueue struct {
	units      map[string]bool
	forgetful  bool // takes every unit for a new one
	wrongUnit  bool // works another unit than the one that was inserted
	do         func(unit)
	closed     bool
	everything int // that was ever inserted
}

func (*fakeQueue) hello() hello { return hello{Name: "fake v1", Durability: "none"} }

func (q *fakeQueue) insert(_ context.Context, u unit) (bool, error) {
	if q.units[u.ID] && !q.forgetful {
		return false, nil
	}
	q.units[u.ID] = true
	q.everything++
	if q.do != nil {
		if q.wrongUnit {
			u.ID = "another"
		}
		q.do(u)
	}
	return true, nil
}

func (q *fakeQueue) work(_ context.Context, do func(unit)) (func() error, error) {
	q.do = do
	return func() error { q.do = nil; return nil }, nil
}

func (q *fakeQueue) clear(context.Context) error { clear(q.units); return nil }
func (q *fakeQueue) close() error                { q.closed = true; return nil }

// play runs the program on q and gives what it wrote.
func play(t *testing.T, q *fakeQueue, commands ...string) (string, error) {
	t.Helper()
	q.units = map[string]bool{}
	open["fake"] = func(context.Context, []string) (queue, error) { return q, nil }
	t.Cleanup(func() { delete(open, "fake") })
	var out bytes.Buffer
	err := run(t.Context(), []string{"fake"}, strings.NewReader(strings.Join(commands, "\n")), &out)
	if !q.closed {
		t.Error("the queue is still open")
	}
	return out.String(), err
}

func TestRunAnswersEveryCommand(t *testing.T) {
	q := &fakeQueue{}
	out, err := play(t, q, `{"do":"insert","callers":1,"seconds":0.01}`, `{"do":"work","seconds":0.01}`, `{"do":"sing","seconds":1}`, `{"do":"insert","callers":0,"seconds":1}`)
	if err != nil {
		t.Fatal(err)
	}
	answers := json.NewDecoder(strings.NewReader(out))
	var h hello
	if err := answers.Decode(&h); err != nil || h != q.hello() {
		t.Errorf("got %+v, error %v, want %+v", h, err, q.hello())
	}
	for _, want := range []string{"", "", "the commands are insert, work", "1 to 64 callers"} {
		var r result
		if err := answers.Decode(&r); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(r.Error, want) || (r.Error == "") != (want == "") || want == "" && (r.PerSecond <= 0 || r.P50 < 0 || r.P99 < r.P50) {
			t.Errorf("got %+v, want error %q, or else a rate and ascending times", r, want)
		}
	}
	if len(q.units) != 0 || q.everything < 3 {
		t.Errorf("got %d units left of %d, want none", len(q.units), q.everything)
	}
}

func TestRunRefusesAQueueThatTakesTheSameTwice(t *testing.T) {
	out, err := play(t, &fakeQueue{forgetful: true}, `{"do":"insert","callers":1,"seconds":0.01}`)
	if err == nil || !strings.Contains(err.Error(), "the same unit again") || out != "" {
		t.Errorf("got %q, error %v, want nothing and an error about the same unit", out, err)
	}
}

func TestWorkOfAnotherUnitIsAnError(t *testing.T) {
	out, err := play(t, &fakeQueue{wrongUnit: true}, `{"do":"work","seconds":0.01}`)
	if err != nil || !strings.Contains(out, "another was worked") {
		t.Errorf("got %s, error %v, want an answer that says what was worked", out, err)
	}
}

func TestRunNamesNoQueue(t *testing.T) {
	for _, args := range [][]string{nil, {"kafka"}} {
		if err := run(t.Context(), args, strings.NewReader(""), &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "name one of the queues") {
			t.Errorf("%q: got %v, want to be told to name one", args, err)
		}
	}
}
