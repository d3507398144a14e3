package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"skinarb/execution"
	"skinarb/internal/alert"
	"skinarb/pricing"
)

const (
	watchEvery   = 10 * time.Second
	lasting      = time.Minute // before a feed's trouble is told, unless it is held: a program that starts has no prices yet
	summaryHour  = 8           // of the day in UTC
	summaryAgain = 5 * time.Minute
	summaryMost  = 10_000 // orders that a summary looks at
)

// Kinds of alerts besides those of notices.
const (
	alertFeed    = "feed"
	alertSummary = "daily_summary"
)

// ledger is what the daily summary asks of the journal.
type ledger interface {
	List(ctx context.Context, q execution.Query) ([]execution.Order, error)
	Totals(ctx context.Context) (execution.Totals, error)
	Usage(ctx context.Context, now time.Time) (execution.Usage, error)
}

// watch raises the alerts that nobody else does: that a feed is in trouble or
// fresh again, and once a day what was done. One goroutine runs it.
type watch struct {
	feeds    func() []pricing.FeedStatus
	maxAge   time.Duration // of prices, until they are stale
	journal  ledger
	trading  func(ctx context.Context) (execution.Trading, error)
	balances func() map[pricing.Market]execution.Balance
	alert    func(alert.Alert) // must not block
	now      func() time.Time
	log      *slog.Logger

	troubles   map[pricing.Feed]*trouble
	summaryDue time.Time
	notBefore  time.Time // the next try of a summary that could not be read
}

// trouble is a time in which a feed is not fresh.
type trouble struct {
	began time.Time
	state pricing.FeedState
	since time.Time         // when it came into that state
	told  pricing.FeedState // empty when nobody was told yet
}

// run watches until ctx ends.
func (w *watch) run(ctx context.Context) {
	w.troubles = map[pricing.Feed]*trouble{}
	w.summaryDue = nextSummary(w.now())
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			w.lookAtFeeds()
			w.summarize(ctx)
		}
	}
}

// lookAtFeeds tells of every market whose feeds have changed for better or
// worse. An alert names all of the market's feeds that are in trouble, so that
// the newest is enough.
func (w *watch) lookAtFeeds() {
	now := w.now()
	news := map[pricing.Market]bool{}
	lines := map[pricing.Market][]string{}
	for _, st := range w.feeds() {
		m := st.Feed.Market
		fresh, changed := w.follow(st, now)
		switch t := w.troubles[st.Feed]; {
		case fresh > 0:
			lines[m] = append(lines[m], fmt.Sprintf("%s is fresh again after %s", st.Feed, span(fresh)))
		case t != nil && t.told != "":
			lines[m] = append(lines[m], describe(st, t.told, now))
		}
		news[m] = news[m] || changed
	}
	for _, m := range pricing.Markets {
		if news[m] {
			w.alert(alert.Alert{Kind: alertFeed, Market: string(m), Text: strings.Join(lines[m], "\n"), At: now})
		}
	}
}

// follow brings what is known of a feed up to date. changed means that there is
// something to tell, and a positive fresh that it is the end of a trouble that
// was told, after that long.
func (w *watch) follow(st pricing.FeedStatus, now time.Time) (fresh time.Duration, changed bool) {
	state := st.Judge(now, w.maxAge)
	t := w.troubles[st.Feed]
	switch {
	case state == pricing.Fresh && t != nil && t.told != "":
		delete(w.troubles, st.Feed)
		return now.Sub(t.began), true
	case state == pricing.Fresh || state == pricing.Off:
		delete(w.troubles, st.Feed)
		return 0, false
	case t == nil:
		t = &trouble{began: now, state: state, since: now}
		w.troubles[st.Feed] = t
	case t.state != state:
		t.state, t.since = state, now
	}
	// A held catalog is told at once: that is the feed's considered word.
	if t.state == t.told || t.state != pricing.Held && now.Sub(t.since) < lasting {
		return 0, false
	}
	t.told = t.state
	return 0, true
}

// describe gives "sih/cs2 is stale: no answer; its prices are 12 min old and not
// traded on".
func describe(st pricing.FeedStatus, state pricing.FeedState, now time.Time) string {
	text := fmt.Sprintf("%s is %s", st.Feed, state)
	if why := cmp.Or(st.Reason, st.LastError); why != "" {
		text += ": " + why
	}
	if st.LastSuccess.IsZero() {
		return text + "; it has no prices"
	}
	return fmt.Sprintf("%s; its prices are %s old and not traded on", text, span(now.Sub(st.LastSuccess)))
}

// summarize tells once a day what was done. What cannot be read is tried again.
func (w *watch) summarize(ctx context.Context) {
	now := w.now()
	if now.Before(w.summaryDue) || now.Before(w.notBefore) {
		return
	}
	text, err := w.summary(ctx, w.summaryDue.Add(-24*time.Hour), now)
	if err != nil {
		if ctx.Err() == nil {
			w.log.Error("no daily summary yet", "err", err)
		}
		w.notBefore = now.Add(summaryAgain)
		return
	}
	w.alert(alert.Alert{Kind: alertSummary, Text: text, At: now})
	w.summaryDue = nextSummary(now)
}

// nextSummary gives the first time after now at which a summary is due.
func nextSummary(now time.Time) time.Time {
	year, month, day := now.UTC().Date()
	due := time.Date(year, month, day, summaryHour, 0, 0, 0, time.UTC)
	if !due.After(now) {
		due = due.AddDate(0, 0, 1)
	}
	return due
}

// summary says what the orders made since a time came to, and how things stand.
func (w *watch) summary(ctx context.Context, since, now time.Time) (string, error) {
	recent, err := w.ordersSince(ctx, since)
	if err != nil {
		return "", fmt.Errorf("read the orders since %s: %w", since, err)
	}
	totals, err := w.journal.Totals(ctx)
	if err != nil {
		return "", fmt.Errorf("read the totals: %w", err)
	}
	usage, err := w.journal.Usage(ctx, now)
	if err != nil {
		return "", fmt.Errorf("read the usage: %w", err)
	}
	trading, err := w.trading(ctx)
	if err != nil {
		return "", fmt.Errorf("read whether trading is stopped: %w", err)
	}
	all := totals.All
	return strings.Join([]string{
		tradingLine(trading),
		"since " + since.Format("2 Jan 15:04 UTC") + ": " + outcomes(recent),
		fmt.Sprintf("now: %d open, %d in doubt, %s USD not settled", usage.Open, usage.InDoubt, usage.Locked),
		fmt.Sprintf("in all: %d orders, spent %s USD, settled %s USD, expected profit %s USD, lost %s USD",
			all.Orders, all.Spent, all.Settled, all.ExpectedProfit, all.RealisedLoss),
		balancesLine(w.balances()),
	}, "\n"), nil
}

// ordersSince gives the orders made since a time, newest first.
func (w *watch) ordersSince(ctx context.Context, since time.Time) ([]execution.Order, error) {
	var recent []execution.Order
	q := execution.Query{}
	for len(recent) < summaryMost {
		page, err := w.journal.List(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, o := range page {
			if o.CreatedAt.Before(since) {
				return recent, nil
			}
			recent = append(recent, o)
		}
		if len(page) < q.PageLimit() {
			break
		}
		q.After = page[len(page)-1].ID
	}
	return recent, nil
}

// outcomes gives "3 orders (2 delivered, 1 rejected), spent 20.00 USD, expected
// profit 3.10 USD".
func outcomes(orders []execution.Order) string {
	if len(orders) == 0 {
		return "no orders"
	}
	var sum execution.Amounts
	count := map[execution.State]int{}
	for _, o := range orders {
		sum.Add(execution.SumOf(o))
		count[o.State]++
	}
	var states []string
	for _, s := range execution.States {
		if count[s] > 0 {
			states = append(states, fmt.Sprintf("%d %s", count[s], strings.ReplaceAll(string(s), "_", " ")))
		}
	}
	return fmt.Sprintf("%d orders (%s), spent %s USD, expected profit %s USD",
		len(orders), strings.Join(states, ", "), sum.Spent, sum.ExpectedProfit)
}

func tradingLine(t execution.Trading) string {
	if !t.Stopped {
		return "trading is running"
	}
	return fmt.Sprintf("trading is stopped since %s by %s: %s",
		t.At.UTC().Format("2 Jan 15:04 UTC"), cmp.Or(t.By, "somebody"), cmp.Or(t.Reason, "no reason given"))
}

func balancesLine(balances map[pricing.Market]execution.Balance) string {
	var parts []string
	for _, m := range pricing.Markets {
		b, ok := balances[m]
		switch {
		case ok && b.Known:
			parts = append(parts, fmt.Sprintf("%s %s USD", m, b.Amount))
		case ok:
			parts = append(parts, fmt.Sprintf("%s not known", m))
		}
	}
	return "balances: " + cmp.Or(strings.Join(parts, ", "), "no market")
}

// span gives a duration as people say it: "45 s", "12 min", "3 h 5 min", "2 d 4 h".
func span(d time.Duration) string {
	d = max(d, 0)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 24*time.Hour:
		return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%d d %d h", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
}

// fromNotice turns what the executor has to say into an alert. Those that money
// may hang on go before others.
func fromNotice(n execution.Notice, at time.Time) alert.Alert {
	a := alert.Alert{Kind: n.Kind, Market: string(n.Market), Order: string(n.Order), About: string(n.Rule), Text: n.Text, At: at}
	switch n.Kind {
	case execution.NoticeStopped, execution.NoticeStarted: // in the order in which they were done
		a.Urgent, a.Always = true, true
	case execution.NoticeTightened:
		a.Always = true
	case execution.NoticeDifference, execution.NoticeBreaker:
		a.Urgent = true
	}
	return a
}
