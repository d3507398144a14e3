package redisstore

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"skinarb/execution"
	"skinarb/pricing"
)

// What the orders of a market come to is kept up with each write, so that nobody
// has to count them all: a number for each day of creation, state and column,
// and one for each state and column over all days.

// everyDay stands for the day in sums over all days, and fieldOpening holds the
// opening of the books.
const (
	everyDay     = "all"
	fieldOpening = "opening"
)

// columns are what is summed, in the order of a tally.
var columns = [...]string{"orders", "committed", "refunded", "profit"}

// tally is an execution.Sum as it is stored.
type tally [len(columns)]int64

func tallyOf(s execution.Sum) tally {
	return tally{int64(s.Orders), int64(s.Committed), int64(s.Refunded), int64(s.Profit)}
}

func (t tally) sum(s execution.State) execution.Sum {
	return execution.Sum{State: s, Orders: int(t[0]), Committed: pricing.Money(t[1]), Refunded: pricing.Money(t[2]), Profit: pricing.Money(t[3])}
}

// sumKey is a group of orders of one market.
type sumKey struct {
	day   string // YYYY-MM-DD, or everyDay
	state execution.State
}

func (g sumKey) field(column string) string { return g.day + "/" + string(g.state) + "/" + column }

// recount gives what to write so that after counts instead of before.
func (k journalKeys) recount(before, after execution.Order) []command {
	type cell struct{ key, field string }
	changes := map[cell]int64{}
	count := func(o execution.Order, sign int64) {
		if o.ID == "" {
			return
		}
		for _, day := range []string{everyDay, o.CreatedAt.UTC().Format(time.DateOnly)} {
			for i, n := range tallyOf(execution.SumOf(o)) {
				changes[cell{k.sums(o.Market), sumKey{day, o.State}.field(columns[i])}] += sign * n
			}
		}
	}
	count(before, -1)
	count(after, +1)
	var commands []command
	for c, n := range changes {
		if n != 0 {
			commands = append(commands, command{"HINCRBY", c.key, c.field, strconv.FormatInt(n, 10)})
		}
	}
	return commands
}

// tallies are read field by field.
type tallies map[sumKey]*tally

// add counts what a field holds.
func (ts tallies) add(group sumKey, column, value string) error {
	i := slices.Index(columns[:], column)
	n, err := strconv.ParseInt(value, 10, 64)
	if i < 0 || err != nil {
		return fmt.Errorf("the sum %s is %q", group.field(column), value)
	}
	if ts[group] == nil {
		ts[group] = new(tally)
	}
	ts[group][i] += n
	return nil
}

// Totals implements execution.Journal.
func (j *Journal) Totals(ctx context.Context) (execution.Totals, error) {
	ctx, cancel := context.WithTimeout(ctx, journalWait)
	defer cancel()
	t, err := j.totals(ctx)
	if err != nil {
		return execution.Totals{}, fmt.Errorf("total the journal: %w", err)
	}
	return t, nil
}

func (j *Journal) totals(ctx context.Context) (t execution.Totals, err error) {
	var keys []string
	for _, m := range pricing.Markets {
		keys = append(keys, j.keys.sums(m))
	}
	_, rest, err := j.ask(ctx, journalHashesScript, keys)
	if err != nil {
		return t, err
	}
	found := tallies{}
	for i := 0; i+1 < len(rest); i += 2 {
		parts := strings.Split(rest[i], "/")
		if len(parts) != 3 || parts[0] == everyDay {
			continue
		}
		if err := found.add(sumKey{parts[0], execution.State(parts[1])}, parts[2], rest[i+1]); err != nil {
			return t, err
		}
	}
	byDay := map[string]*execution.DayAmounts{}
	for group, tally := range found {
		if byDay[group.day] == nil {
			day, err := time.Parse(time.DateOnly, group.day)
			if err != nil {
				return t, fmt.Errorf("a sum is of the day %q", group.day)
			}
			byDay[group.day] = &execution.DayAmounts{Day: day}
		}
		byDay[group.day].Add(tally.sum(group.state))
		t.All.Add(tally.sum(group.state))
	}
	for _, day := range slices.Backward(slices.Sorted(maps.Keys(byDay))) {
		t.Days = append(t.Days, *byDay[day])
	}
	return t, nil
}

// wireOpening is the opening of an account's books as it is stored.
type wireOpening struct {
	Opening pricing.Money `json:"opening_micros"`
	At      time.Time     `json:"at"`
}

// Books implements execution.Journal.
func (j *Journal) Books(ctx context.Context, m pricing.Market) (execution.Books, error) {
	ctx, cancel := context.WithTimeout(ctx, journalWait)
	defer cancel()
	b, err := j.books(ctx, m)
	if err != nil {
		return execution.Books{}, fmt.Errorf("sum up the books of %s: %w", m, err)
	}
	return b, nil
}

func (j *Journal) books(ctx context.Context, m pricing.Market) (b execution.Books, err error) {
	fields := []any{fieldOpening}
	for _, s := range execution.States {
		for _, c := range columns {
			fields = append(fields, sumKey{everyDay, s}.field(c))
		}
	}
	_, rest, err := j.ask(ctx, journalFieldsScript, []string{j.keys.sums(m)}, fields...)
	if err != nil {
		return b, err
	}
	if len(rest) != len(fields) {
		return b, fmt.Errorf("the script gave %d of %d fields", len(rest), len(fields))
	}
	if rest[0] != "" {
		var w wireOpening
		if err := json.Unmarshal([]byte(rest[0]), &w); err != nil {
			return b, fmt.Errorf("read the opening: %w", err)
		}
		b.Opening, b.OpenedAt = w.Opening, w.At
	}
	found := tallies{}
	for i, value := range rest[1:] {
		if value == "" {
			continue
		}
		state, column := execution.States[i/len(columns)], columns[i%len(columns)]
		if err := found.add(sumKey{everyDay, state}, column, value); err != nil {
			return b, err
		}
	}
	for group, tally := range found {
		b.Add(tally.sum(group.state))
	}
	return b, nil
}

// OpenBooks implements execution.Journal.
func (j *Journal) OpenBooks(ctx context.Context, m pricing.Market, opening pricing.Money, at time.Time) error {
	err := j.write(ctx, func(context.Context, string) (string, []command, error) {
		text, err := json.Marshal(wireOpening{opening, at.UTC()})
		return "", []command{{"HSET", j.keys.sums(m), fieldOpening, string(text)}}, err
	})
	if err != nil {
		return fmt.Errorf("open the books of %s: %w", m, err)
	}
	return nil
}

// Usage implements execution.Journal.
func (j *Journal) Usage(ctx context.Context, now time.Time) (execution.Usage, error) {
	ctx, cancel := context.WithTimeout(ctx, journalWait)
	defer cancel()
	_, u, err := j.usage(ctx, now)
	if err != nil {
		return execution.Usage{}, fmt.Errorf("sum up the journal: %w", err)
	}
	return u, nil
}

// usage reads the orders that can count, those in a state that always does and
// those whose money was spent within a day, and lets execution.Usage say what
// they count for.
func (j *Journal) usage(ctx context.Context, now time.Time) (generation string, u execution.Usage, err error) {
	keys := []string{j.keys.orders, j.keys.spent}
	for _, m := range pricing.Markets {
		for _, s := range execution.States {
			if s.Locked() {
				keys = append(keys, j.keys.index(m, s))
			}
		}
	}
	generation, rest, err := j.ask(ctx, journalUsageScript, keys, placeTime, now.Add(-execution.Day).Unix())
	if err != nil {
		return "", execution.Usage{}, err
	}
	for _, text := range rest {
		o, err := decodeOrder(text)
		if err != nil {
			return "", execution.Usage{}, err
		}
		u.Add(o, now)
	}
	return generation, u, nil
}
