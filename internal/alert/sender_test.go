package alert

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"
)

// chat is a target that remembers what arrived.
type chat struct {
	mu       sync.Mutex
	began    time.Time
	arrived  []arrival
	attempts int
	// fault decides one request; nil delivers it.
	fault func(*http.Request) (*http.Response, error)
}

type arrival struct {
	after time.Duration // since the chat was opened
	host  string
	text  string
}

func newChat() *chat { return &chat{began: time.Now()} }

func (c *chat) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	c.attempts++
	fault := c.fault
	c.mu.Unlock()
	if fault != nil {
		if resp, err := fault(r); resp != nil || err != nil {
			return resp, err
		}
	}
	var body struct{ Text, Content string }
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.arrived = append(c.arrived, arrival{time.Since(c.began), r.URL.Host, body.Text + body.Content})
	return answer(http.StatusOK, "ok"), nil
}

func (c *chat) setFault(fault func(*http.Request) (*http.Response, error)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fault = fault
}

// take gives what arrived since it was last called.
func (c *chat) take() []arrival {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := c.arrived
	c.arrived = nil
	return out
}

func (c *chat) tries() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.attempts
}

func answer(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
}

func hang(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func refuse(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") }

// texts compares what arrived, without its time.
func wantTexts(t *testing.T, got []arrival, want ...string) {
	t.Helper()
	var texts []string
	for _, a := range got {
		texts = append(texts, a.text)
	}
	if !slices.Equal(texts, want) {
		t.Errorf("got messages %q, want %q", texts, want)
	}
}

func TestTopicIsSpokenOfEveryFiveMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChat()
		s := New(Config{Targets: mustParse(t, webhookURL), Transport: c})
		defer start(s)()
		say := func(kind, market, text string) { s.Send(Alert{Kind: kind, Market: market, Text: text}) }

		say("breaker", "sih", "first")
		for i := range 4 {
			time.Sleep(time.Second)
			say("breaker", "sih", fmt.Sprintf("again %d", i))
		}
		say("breaker", "skinsback", "another market")
		say("limit", "sih", "another kind")
		synctest.Wait()
		wantTexts(t, c.take(), "first", "another market", "another kind")

		time.Sleep(4 * time.Minute)
		wantTexts(t, c.take())
		time.Sleep(time.Minute)
		wantTexts(t, c.take(), "again 3\n(and 3 more)") // the last word, though nothing followed

		time.Sleep(time.Minute)
		say("breaker", "sih", "within the next five minutes")
		synctest.Wait()
		wantTexts(t, c.take())
		time.Sleep(5 * time.Minute)
		wantTexts(t, c.take(), "within the next five minutes")

		time.Sleep(11 * time.Minute)
		say("breaker", "sih", "long after")
		synctest.Wait()
		wantTexts(t, c.take(), "long after")
		time.Sleep(11 * time.Minute)
		wantTexts(t, c.take())
	})
}

// TestTopicsOfTheirOwn: what a person did is always told, in order, and two rules
// of one market are two topics.
func TestTopicsOfTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChat()
		s := New(Config{Targets: mustParse(t, webhookURL), Transport: c})
		defer start(s)()
		for _, kind := range []string{"stopped", "started", "stopped"} {
			s.Send(Alert{Kind: kind, Text: kind, Urgent: true, Always: true})
			time.Sleep(10 * time.Second)
		}
		wantTexts(t, c.take(), "stopped", "started", "stopped")
		s.Send(Alert{Kind: "breaker", Market: "sih", About: "refused", Text: "refused"})
		s.Send(Alert{Kind: "breaker", Market: "sih", About: "failures", Text: "failures"})
		synctest.Wait()
		wantTexts(t, c.take(), "refused", "failures")
	})
}

// TestTopicsProperty: of every topic the first and the last word are said, no
// two messages are less than five minutes apart, and every alert is counted.
func TestTopicsProperty(t *testing.T) {
	outer := t
	rapid.Check(t, func(t *rapid.T) {
		pauses := rapid.SliceOfN(rapid.IntRange(0, 400), 1, 30).Draw(t, "seconds after each alert")
		var got []arrival
		synctest.Test(outer, func(*testing.T) {
			c := newChat()
			s := New(Config{Targets: mustParse(outer, webhookURL), Transport: c})
			stop := start(s)
			for i, seconds := range pauses {
				s.Send(Alert{Kind: "k", Text: fmt.Sprint(i)})
				time.Sleep(time.Duration(seconds) * time.Second)
			}
			time.Sleep(quiet + time.Minute)
			stop()
			got = c.take()
		})
		told := 0
		for i, a := range got {
			told++
			if _, more, ok := strings.Cut(a.text, "\n(and "); ok {
				var n int
				fmt.Sscan(more, &n)
				told += n
			}
			if i > 0 && a.after-got[i-1].after < quiet {
				t.Fatalf("messages at %s and %s: less than five minutes apart", got[i-1].after, a.after)
			}
		}
		if told != len(pauses) {
			t.Fatalf("got %d alerts told of, want %d: %v", told, len(pauses), got)
		}
		last, _, _ := strings.Cut(got[len(got)-1].text, "\n")
		if want := fmt.Sprint(len(pauses) - 1); got[0].text != "0" || last != want {
			t.Fatalf("got %q first and %q last, want 0 and %s", got[0].text, last, want)
		}
	})
}

func TestPaceAndUrgency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChat()
		s := New(Config{Targets: mustParse(t, webhookURL), Transport: c})
		for i := range 40 {
			s.Send(Alert{Kind: fmt.Sprint("routine", i), Text: "routine"})
		}
		s.Send(Alert{Kind: "stopped", Text: "urgent", Urgent: true})
		defer start(s)()
		synctest.Wait()
		got := c.take()
		if len(got) != perMinute-reserved {
			t.Fatalf("got %d messages at once, want %d", len(got), perMinute-reserved)
		}
		if got[0].text != "urgent" {
			t.Errorf("got %q first, want the urgent one", got[0].text)
		}
		s.Send(Alert{Kind: "breaker", Text: "urgent too", Urgent: true})
		synctest.Wait()
		wantTexts(t, c.take(), "urgent too") // the minute is used up, but not the reserve

		time.Sleep(10 * time.Minute)
		rest := c.take()
		if got, want := len(rest), 40-(perMinute-reserved-1); got != want {
			t.Errorf("got %d messages later, want %d", got, want)
		}
		all := append(got, rest...)
		for i := range all {
			if i+perMinute < len(all) && all[i+perMinute].after-all[i].after < time.Minute {
				t.Errorf("more than %d messages within a minute from %s", perMinute, all[i].after)
			}
		}
	})
}

func TestUrgentAlertsHaveAPaceToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChat()
		s := New(Config{Targets: mustParse(t, webhookURL), Transport: c})
		defer start(s)()
		for i := range 30 {
			s.Send(Alert{Kind: fmt.Sprint("stopped", i), Text: "x", Urgent: true})
		}
		synctest.Wait()
		if n := len(c.take()); n != perMinute {
			t.Errorf("got %d messages at once, want %d", n, perMinute)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := len(c.take()); n != 30-perMinute {
			t.Errorf("got %d messages a minute later, want %d", n, 30-perMinute)
		}
	})
}

func TestHangingTargetDelaysNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChat()
		c.setFault(func(r *http.Request) (*http.Response, error) {
			if r.URL.Host == "hooks.slack.com" {
				return hang(r)
			}
			return nil, nil
		})
		s := New(Config{Targets: mustParse(t, slackURL, webhookURL), Transport: c})
		stop := start(s)
		began := time.Now()
		for i := range 1000 {
			s.Send(Alert{Kind: fmt.Sprint(i % 10), Text: "x"})
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("Send took %s, want no waiting", took)
		}
		synctest.Wait()
		if got := c.take(); len(got) != 10 || got[0].host != "hooks.example.net" {
			t.Errorf("got %v, want ten messages at the other target", got)
		}
		began = time.Now()
		stop()
		if took := time.Since(began); took > flushLimit {
			t.Errorf("Run took %s to end, want at most %s", took, flushLimit)
		}
	})
}

func TestSendWithoutRunIsBounded(t *testing.T) {
	s := New(Config{Targets: mustParse(t, webhookURL)})
	for i := range 10_000 {
		s.Send(Alert{Kind: fmt.Sprint(i), Text: "x"})
	}
	b := s.boxes[0]
	if n := len(b.routine); n != maxQueue {
		t.Errorf("got %d letters in the queue, want %d", n, maxQueue)
	}
	if n := len(s.topics); n != maxTopics {
		t.Errorf("got %d topics remembered, want %d", n, maxTopics)
	}
	if want := 10_000 - maxQueue; b.lost != want {
		t.Errorf("got %d counted as lost, want %d", b.lost, want)
	}
}

func TestFullQueueDropsTheOldestAndSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChat()
		registry := prometheus.NewRegistry()
		s := New(Config{Targets: mustParse(t, webhookURL), Transport: c, Registerer: registry})
		for i := range 10 {
			s.Send(Alert{Kind: fmt.Sprint("stopped", i), Text: fmt.Sprint("urgent ", i), Urgent: true})
		}
		for i := range maxQueue {
			s.Send(Alert{Kind: fmt.Sprint("routine", i), Text: fmt.Sprint("routine ", i)})
		}
		defer start(s)()
		time.Sleep(20 * time.Minute)
		got := c.take()
		if len(got) != maxQueue {
			t.Fatalf("got %d messages, want %d", len(got), maxQueue)
		}
		if want := "urgent 0\n(alerts lost before this one: 10)"; got[0].text != want {
			t.Errorf("got %q first, want %q", got[0].text, want)
		}
		if want := "urgent 1"; got[1].text != want {
			t.Errorf("got %q second, want %q", got[1].text, want)
		}
		if want := "routine 10"; got[10].text != want {
			t.Errorf("got %q after the urgent ones, want %q: the oldest are dropped", got[10].text, want)
		}
		wantMetrics(t, registry, "webhook", map[string]int{"sent": maxQueue, "dropped": 10})
	})
}

// TestLostMeanwhile: what is lost while a message is on its way is told by the
// next one.
func TestLostMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChat()
		var s *Sender
		c.setFault(func(*http.Request) (*http.Response, error) {
			c.setFault(nil)
			for i := range maxQueue + 2 {
				s.Send(Alert{Kind: fmt.Sprint("routine", i), Text: fmt.Sprint(i)})
			}
			return nil, nil
		})
		s = New(Config{Targets: mustParse(t, webhookURL), Transport: c})
		defer start(s)()
		s.Send(Alert{Kind: "a", Text: "x"})
		synctest.Wait()
		wantTexts(t, c.take()[:3], "x", "2\n(alerts lost before this one: 2)", "3")
	})
}

func TestUrgentIsDroppedLast(t *testing.T) {
	s := New(Config{Targets: mustParse(t, webhookURL)})
	for i := range maxQueue + 1 {
		s.Send(Alert{Kind: fmt.Sprint("stopped", i), Text: fmt.Sprint(i), Urgent: true})
	}
	s.Send(Alert{Kind: "routine"})
	b := s.boxes[0]
	if len(b.urgent) != maxQueue || len(b.routine) != 0 || b.urgent[0].Text != "1" || b.lost != 2 {
		t.Errorf("got %d urgent from %q, %d others, %d lost; want %d from 1, none, 2",
			len(b.urgent), b.urgent[0].Text, len(b.routine), b.lost, maxQueue)
	}
}

func TestRetries(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault func(*http.Request) (*http.Response, error)
	}{
		{"refused connection", refuse},
		{"server error", func(*http.Request) (*http.Response, error) { return answer(503, "busy"), nil }},
		{"no answer", hang},
	} {
		synctest.Test(t, func(t *testing.T) {
			chat := newChat()
			chat.setFault(c.fault)
			registry := prometheus.NewRegistry()
			s := New(Config{Targets: mustParse(t, webhookURL), Transport: chat, Registerer: registry})
			defer start(s)()
			s.Send(Alert{Kind: "down", Text: "first"})
			s.Send(Alert{Kind: "up", Text: "second"})
			time.Sleep(5 * time.Minute)
			if n := chat.tries(); n < 3 || n > 15 {
				t.Errorf("%s: got %d tries in five minutes, want a few", c.name, n)
			}
			chat.setFault(nil)
			time.Sleep(mostPause + time.Second)
			wantTexts(t, chat.take(), "first", "second") // in order, none lost
			wantMetrics(t, registry, "webhook", map[string]int{"sent": 2, "failed": 0})
		})
	}
}

// TestPausesGrow: with each failure in a row, and from the beginning once a
// message has arrived.
func TestPausesGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChat()
		s := New(Config{Targets: mustParse(t, webhookURL), Transport: c})
		defer start(s)()
		for _, kind := range []string{"a", "b"} {
			began := time.Now()
			var tries []time.Duration
			c.setFault(func(*http.Request) (*http.Response, error) {
				if tries = append(tries, time.Since(began)); len(tries) < 5 {
					return answer(500, ""), nil
				}
				return nil, nil
			})
			s.Send(Alert{Kind: kind, Text: kind})
			time.Sleep(time.Minute)
			wantTexts(t, c.take(), kind)
			want := []time.Duration{0, time.Second, 3 * time.Second, 7 * time.Second, 15 * time.Second}
			if !slices.Equal(tries, want) {
				t.Errorf("%s: got tries after %v, want %v", kind, tries, want)
			}
		}
	})
}

func TestGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChat()
		c.setFault(refuse)
		registry := prometheus.NewRegistry()
		s := New(Config{Targets: mustParse(t, webhookURL), Transport: c, Registerer: registry})
		defer start(s)()
		s.Send(Alert{Kind: "a", Text: "never arrives"})
		s.Send(Alert{Kind: "b", Text: "never arrives either", Urgent: true})
		time.Sleep(patience + mostPause)
		tries := c.tries()
		time.Sleep(time.Hour)
		if n := c.tries(); n != tries {
			t.Errorf("got %d more tries after %s, want none", n-tries, patience)
		}
		c.setFault(nil)
		s.Send(Alert{Kind: "c", Text: "arrives"})
		time.Sleep(mostPause)
		s.Send(Alert{Kind: "d", Text: "and this"})
		synctest.Wait()
		wantTexts(t, c.take(), "arrives\n(alerts lost before this one: 2)", "and this")
		wantMetrics(t, registry, "webhook", map[string]int{"sent": 2, "failed": 2})
	})
}

func TestRefusalIsNotRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChat()
		c.setFault(func(*http.Request) (*http.Response, error) { return answer(404, `{"message":"Unknown Webhook"}`), nil })
		var log bytes.Buffer
		s := New(Config{Targets: mustParse(t, discordURL), Transport: c, Log: slog.New(slog.NewTextHandler(&log, nil))})
		stop := start(s)
		s.Send(Alert{Kind: "a", Text: "x"})
		time.Sleep(time.Hour)
		stop()
		if n := c.tries(); n != 1 {
			t.Errorf("got %d tries, want 1", n)
		}
		if !strings.Contains(log.String(), "Unknown Webhook") || !strings.Contains(log.String(), "discord at discord.com") {
			t.Errorf("got the log %q, want it to say who refused and why", log.String())
		}
	})
}

func TestTooManyRequests(t *testing.T) {
	for _, c := range []struct {
		name, header, body string
		want               time.Duration
	}{
		{"header", "30", "", 30 * time.Second},
		{"Discord's body", "", `{"message":"You are being rate limited.","retry_after":7.25,"global":false}`, 7250 * time.Millisecond},
		{"Telegram's body", "", `{"ok":false,"error_code":429,"parameters":{"retry_after":90}}`, 90 * time.Second},
		{"nothing said", "", "", firstPause},
	} {
		synctest.Test(t, func(t *testing.T) {
			chat := newChat()
			once := true
			chat.setFault(func(*http.Request) (*http.Response, error) {
				if !once {
					return nil, nil
				}
				once = false
				resp := answer(429, c.body)
				if c.header != "" {
					resp.Header.Set("Retry-After", c.header)
				}
				return resp, nil
			})
			s := New(Config{Targets: mustParse(t, telegramURL), Transport: chat})
			defer start(s)()
			s.Send(Alert{Kind: "a", Text: "x"})
			time.Sleep(time.Millisecond)
			s.Send(Alert{Kind: "b", Text: "y", Urgent: true}) // waits as well
			time.Sleep(2 * time.Minute)
			got := chat.take()
			if len(got) != 2 || got[0].after != c.want || got[1].after != c.want {
				t.Errorf("%s: got %v, want two messages after %s", c.name, got, c.want)
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	for _, c := range []struct {
		header, body string
		want         time.Duration
	}{
		{"", "", 0},
		{"5", "", 5 * time.Second},
		{"0.5", "", 500 * time.Millisecond},
		{"5", `{"retry_after":9}`, 5 * time.Second},
		{"soon", `{"retry_after":9}`, 9 * time.Second},
		{"NaN", `{"retry_after":9}`, 9 * time.Second},
		{"Inf", "", longestWait},
		{"-5", "", 0},
		{"1e300", "", longestWait},
		{"", `{"retry_after":"text"}`, 0},
		{"", `{"retry_after":1e300}`, longestWait},
		{"", "<html>", 0},
		{noon.Add(20 * time.Second).Format(http.TimeFormat), "", 20 * time.Second},
		{noon.Add(-time.Hour).Format(http.TimeFormat), "", 0},
		{noon.AddDate(1, 0, 0).Format(http.TimeFormat), "", longestWait},
	} {
		if got := retryAfter(c.header, []byte(c.body), noon); got != c.want {
			t.Errorf("retryAfter(%q, %q): got %s, want %s", c.header, c.body, got, c.want)
		}
	}
}

func TestFlushAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChat()
		s := New(Config{Targets: mustParse(t, webhookURL), Transport: c})
		stop := start(s)
		for i := range 30 { // more than a minute takes
			s.Send(Alert{Kind: fmt.Sprint(i), Text: "queued"})
		}
		s.Send(Alert{Kind: "0", Text: "held back"})
		s.Send(Alert{Kind: "0", Text: "held back too"})
		stop()
		got := c.take()
		if len(got) != 31 || got[30].text != "held back too\n(and 1 more)" {
			t.Errorf("got %d messages, the last %q; want 31 and what was held back", len(got), got[len(got)-1].text)
		}
	})
}

// TestHeldBackComesInOrder: what several topics held back is told in the order
// in which it happened.
func TestHeldBackComesInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChat()
		s := New(Config{Targets: mustParse(t, webhookURL), Transport: c})
		stop := start(s)
		var want []string
		for round := range 2 {
			for i := range 10 {
				text := fmt.Sprint(round, ".", i)
				s.Send(Alert{Kind: fmt.Sprint(i), Text: text})
				want = append(want, text)
				time.Sleep(time.Second)
			}
		}
		stop()
		wantTexts(t, c.take(), want...)
	})
}

func TestEndIsBounded(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault func(*http.Request) (*http.Response, error)
		most  time.Duration
	}{
		{"no answer", hang, flushLimit},
		{"refused connection", refuse, 0},
		{"too many requests", func(*http.Request) (*http.Response, error) { return answer(429, `{"retry_after":60}`), nil }, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			chat := newChat()
			chat.setFault(c.fault)
			registry := prometheus.NewRegistry()
			s := New(Config{Targets: mustParse(t, webhookURL), Transport: chat, Registerer: registry})
			stop := start(s)
			for i := range 20 {
				s.Send(Alert{Kind: fmt.Sprint(i), Text: "x"})
			}
			synctest.Wait()
			began := time.Now()
			stop()
			if took := time.Since(began); took > c.most {
				t.Errorf("%s: Run took %s to end, want at most %s", c.name, took, c.most)
			}
			if n := chat.tries(); n > 3 {
				t.Errorf("%s: got %d tries, want no hammering", c.name, n)
			}
			wantMetrics(t, registry, "webhook", map[string]int{"sent": 0, "failed": 20})
			s.Send(Alert{Kind: "after the end", Text: "x"}) // goes nowhere, and does no harm
		})
	}
}

func TestNoTargets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{})
		stop := start(s)
		for i := range 10 {
			s.Send(Alert{Kind: fmt.Sprint(i), Text: "x"})
		}
		stop()
		if n := len(s.topics); n != 0 {
			t.Errorf("got %d topics remembered for nobody", n)
		}
	})
}

// TestNothingLogsAnAddress: net/http puts the address into every error of its
// own, and a target may answer with it.
func TestNothingLogsAnAddress(t *testing.T) {
	urls := []string{discordURL, telegramURL, slackURL, webhookURL}
	for _, fault := range []func(*http.Request) (*http.Response, error){
		refuse,
		func(r *http.Request) (*http.Response, error) { return nil, fmt.Errorf("dial %s: refused", r.URL) },
		func(r *http.Request) (*http.Response, error) {
			return answer(404, "no such hook: "+r.URL.RequestURI()+" password "+"p4ssw0rd"), nil
		},
		func(r *http.Request) (*http.Response, error) { return answer(500, r.URL.String()), nil },
	} {
		synctest.Test(t, func(t *testing.T) {
			c := newChat()
			c.setFault(fault)
			var log bytes.Buffer
			s := New(Config{
				Targets: mustParse(t, urls...), Secrets: []string{"p4ssw0rd"}, Transport: c,
				Log: slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
			})
			stop := start(s)
			s.Send(Alert{Kind: "a", Text: "x"})
			time.Sleep(time.Hour)
			s.Send(Alert{Kind: "b", Text: "x"})
			stop()
			if !strings.Contains(log.String(), "hooks.slack.com") {
				t.Errorf("got the log %q, want it to name the hosts", log.String())
			}
			for _, secret := range []string{"ToKeN", "tElEgRaM", "kEyIn", "/services/", "chat_id", "p4ssw0rd", "Post "} {
				if strings.Contains(log.String(), secret) {
					t.Errorf("the log shows %q:\n%s", secret, log.String())
				}
			}
		})
	}
}

// wantMetrics compares the counters of some results.
func wantMetrics(t *testing.T, registry *prometheus.Registry, kind string, want map[string]int) {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			if f.GetName() != "skinarb_alerts_total" || labels["target_kind"] != kind {
				t.Errorf("unexpected metric %s %v", f.GetName(), labels)
			}
			got[labels["result"]] = int(m.GetCounter().GetValue())
		}
	}
	for result, n := range want {
		if got[result] != n {
			t.Errorf("counter of %q: got %d, want %d", result, got[result], n)
		}
	}
}
