package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"skinarb/execution"
	"skinarb/internal/alert"
	"skinarb/pricing"
)

// fakeLedger is a journal's summary side. Orders are newest first.
type fakeLedger struct {
	mu     *sync.Mutex
	orders []execution.Order
	totals execution.Totals
	usage  execution.Usage
	err    error
	lists  int
}

func (l *fakeLedger) List(_ context.Context, q execution.Query) ([]execution.Order, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lists++
	rest := l.orders
	if q.After != "" {
		rest = rest[1+slices.IndexFunc(rest, func(o execution.Order) bool { return o.ID == q.After }):]
	}
	return rest[:min(len(rest), q.PageLimit())], l.err
}

func (l *fakeLedger) Totals(context.Context) (execution.Totals, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.totals, l.err
}

func (l *fakeLedger) Usage(context.Context, time.Time) (execution.Usage, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.usage, l.err
}

// watching is a watch with all that it looks at, in a synctest bubble, where the
// clock begins at midnight UTC.
type watching struct {
	*watch
	mu       sync.Mutex // guards what follows; a test holds it except when it sleeps
	statuses []pricing.FeedStatus
	ledger   fakeLedger
	stopped  execution.Trading
	balance  map[pricing.Market]execution.Balance
	logged   bytes.Buffer
	alerts   []alert.Alert
}

func startWatch(t *testing.T) *watching {
	t.Helper()
	w := &watching{}
	w.ledger.mu = &w.mu
	w.watch = &watch{
		feeds: func() []pricing.FeedStatus {
			w.mu.Lock()
			defer w.mu.Unlock()
			return slices.Clone(w.statuses)
		},
		trading: func(context.Context) (execution.Trading, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.stopped, nil
		},
		balances: func() map[pricing.Market]execution.Balance {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.balance
		},
		alert: func(a alert.Alert) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.alerts = append(w.alerts, a)
		},
		maxAge: 5 * time.Minute, journal: &w.ledger, now: time.Now,
		log: slog.New(slog.NewTextHandler(&w.logged, nil)),
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { w.run(ctx); close(done) }()
	w.mu.Lock()
	t.Cleanup(func() { w.mu.Unlock(); cancel(); <-done })
	w.sleep(watchEvery / 2) // from here on the test acts between two looks
	return w
}

func (w *watching) sleep(d time.Duration) {
	w.mu.Unlock()
	defer w.mu.Lock()
	time.Sleep(d)
	synctest.Wait()
}

// pass lets time go by, with a good pull of the given feeds every minute.
func (w *watching) pass(minutes int, pulled ...int) {
	for range minutes {
		for _, i := range pulled {
			w.statuses[i].LastSuccess = time.Now()
		}
		w.sleep(time.Minute)
	}
}

// take gives the alerts since it was last called.
func (w *watching) take() []alert.Alert {
	out := w.alerts
	w.alerts = nil
	return out
}

func (w *watching) want(t *testing.T, when string, texts ...string) {
	t.Helper()
	var got []string
	for _, a := range w.take() {
		got = append(got, a.Text)
		if a.At.IsZero() || a.Urgent || a.Kind != "feed" {
			t.Errorf("%s: got the alert %+v, want one of a feed, with its time, not urgent", when, a)
		}
	}
	if !slices.Equal(got, texts) {
		t.Errorf("%s: got the alerts %q, want %q", when, got, texts)
	}
}

func feedStatus(m pricing.Market, g pricing.Game) pricing.FeedStatus {
	return pricing.FeedStatus{Feed: pricing.Feed{Market: m, Game: g}, State: pricing.Fresh, LastSuccess: time.Now()}
}

func TestWatchTellsOfFeeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := startWatch(t)
		sih := feedStatus(pricing.SIH, pricing.CS2)
		sih.State, sih.LastSuccess, sih.Reason = pricing.Down, time.Time{}, "not pulled yet"
		off := pricing.FeedStatus{Feed: pricing.Feed{Market: pricing.SIH, Game: pricing.TF2}, State: pricing.Off, Reason: "the market does not sell this game"}
		w.statuses = []pricing.FeedStatus{feedStatus(pricing.SkinsBack, pricing.CS2), sih, off}

		w.sleep(40 * time.Second) // a program that starts
		w.statuses[1] = feedStatus(pricing.SIH, pricing.CS2)
		w.pass(10, 0, 1)
		w.want(t, "healthy feeds")

		w.statuses[1].LastError = "pull sih/cs2: no answer"
		w.pass(5, 0)
		w.want(t, "a feed that just grew old")
		w.pass(2, 0)
		w.want(t, "a stale feed", "sih/cs2 is stale: pull sih/cs2: no answer; its prices are 6 min old and not traded on")
		w.pass(30, 0)
		w.want(t, "the same trouble goes on")

		w.statuses[1].State, w.statuses[1].Reason = pricing.Held, "the catalog is empty"
		w.pass(2, 0)
		w.want(t, "another trouble", "sih/cs2 is held: the catalog is empty; its prices are 38 min old and not traded on")

		w.statuses[1] = feedStatus(pricing.SIH, pricing.CS2)
		w.pass(2, 0, 1)
		w.want(t, "the end of it", "sih/cs2 is fresh again after 35 min")
		w.pass(20, 0, 1)
		w.want(t, "healthy again")

		// A held catalog is news however short; any other short trouble, and one of a
		// feed that is then turned off, are none.
		w.statuses[0].State = pricing.Held
		w.sleep(15 * time.Second)
		w.statuses[0].State = pricing.Fresh
		w.pass(2, 0, 1)
		w.want(t, "a short hold", "skinsback/cs2 is held; its prices are 1 min old and not traded on", "skinsback/cs2 is fresh again after 20 s")
		w.statuses[0].State = pricing.Down
		w.sleep(30 * time.Second)
		w.statuses[0].State = pricing.Fresh
		w.pass(2, 0, 1)
		w.statuses[0].State = pricing.Down
		w.sleep(30 * time.Second)
		w.statuses[0].State = pricing.Off
		w.pass(5, 1)
		w.want(t, "short troubles")
	})
}

func TestWatchSaysDownAfterStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := startWatch(t)
		st := feedStatus(pricing.SkinsBack, pricing.Rust)
		st.State, st.LastSuccess, st.Reason = pricing.Down, time.Time{}, "not pulled yet"
		w.statuses = []pricing.FeedStatus{st}
		w.pass(3)
		w.want(t, "a feed that never came up", "skinsback/rust is down: not pulled yet; it has no prices")
	})
}

// TestWatchNamesEveryTrouble: of the alerts on one market only the newest may be
// delivered, so each is complete.
func TestWatchNamesEveryTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := startWatch(t)
		w.statuses = []pricing.FeedStatus{
			feedStatus(pricing.SIH, pricing.CS2), feedStatus(pricing.SIH, pricing.Rust), feedStatus(pricing.SkinsBack, pricing.CS2),
		}
		w.statuses[0].State = pricing.Held
		w.pass(2, 0, 1, 2)
		w.want(t, "the first", "sih/cs2 is held; its prices are 5 s old and not traded on")
		w.statuses[1].State, w.statuses[2].State = pricing.Held, pricing.Held
		w.pass(2, 0, 1, 2)
		w.want(t, "two more",
			"skinsback/cs2 is held; its prices are 5 s old and not traded on",
			"sih/cs2 is held; its prices are 5 s old and not traded on\nsih/rust is held; its prices are 5 s old and not traded on")
		w.statuses[0].State = pricing.Fresh
		w.pass(1, 0, 1, 2)
		if got := w.take(); len(got) != 1 || got[0].Market != "sih" || !strings.Contains(got[0].Text, "fresh again") || !strings.Contains(got[0].Text, "sih/rust is held") {
			t.Errorf("got %+v, want one alert that names what is fresh again and what is not", got)
		}
	})
}

func TestDailySummary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := startWatch(t)
		midnight := time.Now().UTC().Truncate(24 * time.Hour)
		for i, s := range []execution.State{execution.InDoubt, execution.Delivered, execution.Delivered, execution.RolledBack, execution.Rejected} {
			w.ledger.orders = append(w.ledger.orders, execution.Order{
				ID: execution.OrderID(fmt.Sprint("sa-", i)), State: s, CreatedAt: midnight.Add(-time.Duration(i) * time.Hour),
				Request: execution.Request{Cost: 10 * pricing.Dollar, Proceeds: 12 * pricing.Dollar},
			})
		}
		old := w.ledger.orders[1]
		old.CreatedAt = midnight.Add(-16*time.Hour - time.Second) // before 08:00 of the day before
		w.ledger.orders = append(w.ledger.orders, old)
		w.ledger.totals.All = execution.Amounts{Orders: 6, Spent: 40 * pricing.Dollar, Settled: pricing.Dollar, ExpectedProfit: 8 * pricing.Dollar, RealisedLoss: 10 * pricing.Dollar}
		w.ledger.usage.MarketUsage = execution.MarketUsage{Open: 3, InDoubt: 1, Locked: 30 * pricing.Dollar}
		w.balance = map[pricing.Market]execution.Balance{
			pricing.SkinsBack: {Amount: 12_340_000, Known: true}, pricing.SIH: {Amount: pricing.Dollar},
		}

		w.sleep(time.Until(midnight.Add(8*time.Hour - watchEvery/2)))
		if got := w.take(); len(got) != 0 {
			t.Fatalf("got %+v before 08:00 UTC", got)
		}
		w.sleep(watchEvery)
		day := midnight.AddDate(0, 0, -1).Format("2 Jan")
		want := []alert.Alert{{Kind: "daily_summary", At: midnight.Add(8 * time.Hour), Text: "trading is running\n" +
			"since " + day + " 08:00 UTC: 5 orders (1 in doubt, 2 delivered, 1 rolled back, 1 rejected), spent 30.00 USD, expected profit 6.00 USD\n" +
			"now: 3 open, 1 in doubt, 30.00 USD not settled\n" +
			"in all: 6 orders, spent 40.00 USD, settled 1.00 USD, expected profit 8.00 USD, lost 10.00 USD\n" +
			"balances: skinsback 12.34 USD, sih not known"}}
		if diff := cmp.Diff(want, w.take()); diff != "" {
			t.Errorf("wrong summary (-want +got):\n%s", diff)
		}

		// The next day: nothing new, trading stopped, and the journal silent for a while.
		w.stopped = execution.Trading{Stopped: true, Reason: "too many in doubt", By: "breaker", At: midnight}
		w.ledger.err = errors.New("disk full")
		w.balance = nil
		w.sleep(24 * time.Hour)
		if got := w.take(); len(got) != 0 || !strings.Contains(w.logged.String(), "disk full") {
			t.Errorf("got %+v and the log %q, want no summary and the reason in the log", got, w.logged.String())
		}
		w.ledger.err = nil
		w.sleep(summaryAgain + watchEvery)
		got := w.take()
		if len(got) != 1 {
			t.Fatalf("got %d summaries, want the one that was missing", len(got))
		}
		for _, line := range []string{
			"trading is stopped since " + midnight.Format("2 Jan") + " 00:00 UTC by breaker: too many in doubt",
			"since " + midnight.Format("2 Jan") + " 08:00 UTC: no orders",
			"balances: no market",
		} {
			if !strings.Contains(got[0].Text, line) {
				t.Errorf("got the summary %q, want the line %q", got[0].Text, line)
			}
		}
		w.sleep(3 * 24 * time.Hour)
		if got := w.take(); len(got) != 3 {
			t.Errorf("got %d summaries in three days, want one a day", len(got))
		}
	})
}

func TestSummaryReadsBoundedPages(t *testing.T) {
	now := time.Date(2026, 3, 4, 8, 0, 0, 0, time.UTC)
	l := &fakeLedger{mu: &sync.Mutex{}}
	for i := range summaryMost + 5000 {
		l.orders = append(l.orders, execution.Order{ID: execution.OrderID(fmt.Sprint(i)), State: execution.Cancelled, CreatedAt: now})
	}
	w := &watch{journal: l}
	got, err := w.ordersSince(t.Context(), now.Add(-time.Hour))
	if err != nil || len(got) != summaryMost || l.lists != 10 {
		t.Errorf("got %d orders in %d pages, %v; want %d in 10", len(got), l.lists, err, summaryMost)
	}
}

func TestNextSummary(t *testing.T) {
	at := func(s string) time.Time {
		tm, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return tm
	}
	for _, c := range []struct{ now, want string }{
		{"2026-03-04T07:59:59Z", "2026-03-04T08:00:00Z"},
		{"2026-03-04T08:00:00Z", "2026-03-05T08:00:00Z"},
		{"2026-12-31T23:00:00Z", "2027-01-01T08:00:00Z"},
		{"2026-03-05T01:00:00+05:00", "2026-03-05T08:00:00Z"}, // still the 4th in UTC
		{"2026-03-04T23:30:00-05:00", "2026-03-05T08:00:00Z"},
	} {
		if got := nextSummary(at(c.now)); !got.Equal(at(c.want)) {
			t.Errorf("nextSummary(%s): got %s, want %s", c.now, got, c.want)
		}
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0 s", 45900 * time.Millisecond: "45 s", time.Minute: "1 min", 12*time.Minute + 59*time.Second: "12 min",
		time.Hour: "1 h 0 min", 3*time.Hour + 5*time.Minute: "3 h 5 min", 52 * time.Hour: "2 d 4 h",
	} {
		if got := span(d); got != want {
			t.Errorf("span(%d ns): got %q, want %q", d, got, want)
		}
	}
}

func TestFromNotice(t *testing.T) {
	at := time.Date(2026, 3, 4, 8, 0, 0, 0, time.UTC)
	for kind, is := range map[string]struct{ urgent, always bool }{
		execution.NoticeStopped: {true, true}, execution.NoticeStarted: {true, true}, execution.NoticeTightened: {false, true},
		execution.NoticeDifference: {true, false}, execution.NoticeBreaker: {true, false},
		execution.NoticeDoubt: {}, execution.NoticeLimit: {}, "new": {},
	} {
		got := fromNotice(execution.Notice{Kind: kind, Market: pricing.SIH, Order: "sa-1", Rule: execution.BreakDoubts, Text: "t"}, at)
		want := alert.Alert{Kind: kind, Market: "sih", Order: "sa-1", About: string(execution.BreakDoubts), Text: "t", At: at, Urgent: is.urgent, Always: is.always}
		if got != want {
			t.Errorf("notice %s: got %+v, want %+v", kind, got, want)
		}
	}
}
