package main

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/shopspring/decimal"

	"skinarb/pricing"
)

// firstStack is the whole refresh as one would write it first: what jsonPeer
// does, then money as decimals, and a hash in Redis for each item, many of them in
// a pipeline. It checks nothing, knows no versions and writes everything each time.
type firstStack struct {
	*jsonPeer
	client *redis.Client
	took   time.Duration // of the last measured run
}

func newFirstStack(r *rig, m pricing.Market, t target) *firstStack {
	subject := fmt.Sprintf("%s: first-written stack → %s", m, t.name)
	return &firstStack{&jsonPeer{rig: r, market: m, subject: subject}, redis.NewClient(&redis.Options{Addr: t.address}), 0}
}

func (f *firstStack) close() { f.client.Close() }

func (f *firstStack) measure(ctx context.Context, out *Suite) error {
	took, _, err := timed(func() error { return f.run(ctx) })
	if err != nil {
		return fmt.Errorf("%s: %w", f.subject, err)
	}
	out.add(f.subject, "items stored", "items/s", float64(f.items)/took.Seconds())
	out.add(f.subject, "whole refresh", "ms", took.Seconds()*1e3)
	f.took = took
	return nil
}

func (f *firstStack) run(ctx context.Context) error {
	list, err := f.pull(ctx)
	if err != nil {
		return err
	}
	pipe := f.client.Pipeline()
	for name, item := range list.all() {
		ask, err := decimalIn(item.Price)
		if err != nil {
			continue // a row or two have no price that is a number
		}
		fields := []any{"ask", ask.String(), "count", string(bytes.Trim(item.Count, `"`))}
		for field, text := range map[string][]byte{"steam": item.Steam, "sell": item.Sell} {
			if money, err := decimalIn(text); err == nil {
				fields = append(fields, field, money.String())
			}
		}
		if item.Phase != nil {
			fields = append(fields, "phase", *item.Phase)
		}
		if item.Image != "" {
			fields = append(fields, "image", item.Image, "color", item.Color)
		}
		if pipe.HSet(ctx, "first:"+string(f.market)+":"+name, fields...); pipe.Len() == pipelineLength {
			if _, err := pipe.Exec(ctx); err != nil {
				return err
			}
		}
	}
	_, err = pipe.Exec(ctx)
	return err
}

// decimalIn reads a number that JSON has as one or as text.
func decimalIn(text []byte) (decimal.Decimal, error) {
	return decimal.NewFromString(string(bytes.Trim(text, `"`)))
}

// wireList is a market's catalog as encoding/json leaves it, one of the two.
type wireList struct {
	rows   []wireItem           // of SkinsBack
	byName map[string]*wireItem // of SIH
}

func (l wireList) len() int { return len(l.rows) + len(l.byName) }

// all gives every item with its name. A market has names with nothing behind them.
func (l wireList) all() iter.Seq2[string, *wireItem] {
	return func(yield func(string, *wireItem) bool) {
		for i := range l.rows {
			if !yield(l.rows[i].Name, &l.rows[i]) {
				return
			}
		}
		for name, item := range l.byName {
			if item != nil && !yield(name, item) {
				return
			}
		}
	}
}
