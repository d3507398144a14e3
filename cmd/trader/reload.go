package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"skinarb/execution"
	"skinarb/internal/settings"
)

// reader reads the settings again as they are now: the environment of a running
// program does not change, but its settings file does.
func reader(args []string, lookup func(string) (string, bool)) func() (*config, error) {
	return func() (*config, error) {
		c := new(config)
		set := settings.New("trader", about)
		c.declare(set)
		if err := errors.Join(append([]error{set.Load(args, lookup, io.Discard)}, c.validate()...)...); err != nil {
			return nil, err
		}
		return c, nil
	}
}

// reload tightens the limits at each SIGHUP, until ctx ends. What the file would
// loosen waits for a restart, and so does everything else in it.
func (c *config) reload(ctx context.Context, read func() (*config, error), executor func() *execution.Executor, log *slog.Logger) {
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGHUP)
	defer signal.Stop(told)
	for {
		select {
		case <-ctx.Done():
			return
		case <-told:
			c.retighten(read, executor(), log)
		}
	}
}

func (c *config) retighten(read func() (*config, error), x *execution.Executor, log *slog.Logger) {
	wanted, err := read()
	if err != nil {
		log.Error("SIGHUP: the settings have mistakes, and the limits stay as they are", "error", err)
		return
	}
	now := x.Limits()
	if looser := now.Looser(wanted.Limits); len(looser) > 0 {
		log.Warn("SIGHUP: a running trader's limits can only be made smaller; restart it to loosen these", "rules", looser)
	}
	if others := c.changed(wanted); len(others) > 0 {
		log.Warn("SIGHUP: only limits are taken over; restart the trader for these", "settings", others)
	}
	if err := x.Tighten(now.Tightest(wanted.Limits), "SIGHUP"); err != nil {
		log.Error("SIGHUP", "error", err)
	}
}

// limitNames are the settings that SIGHUP takes over, also with a market's prefix.
var limitNames = []string{"MAX_ORDER_USD", "MAX_DAY_USD", "MAX_LOCKED_USD", "MAX_OPEN_ORDERS", "MAX_ITEM_UNITS", "MIN_BALANCE_USD"}

// changed names the settings, limits aside, that are not what they are in c. That
// one secret took the place of another cannot be seen.
func (c *config) changed(to *config) (names []string) {
	was := c.Shown()
	for name, value := range to.Shown() {
		isLimit := slices.ContainsFunc(limitNames, func(limit string) bool { return name == limit || strings.HasSuffix(name, "_"+limit) })
		if !isLimit && value != was[name] {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
