package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"skinarb/execution"
	"skinarb/internal/settings"
)

// reader reads the limits again as they are set now: the environment of a
// running program does not change, but its settings file does.
func reader(args []string, lookup func(string) (string, bool)) func() (execution.Limits, error) {
	return func() (execution.Limits, error) {
		var c config
		set := settings.New("trader", about)
		c.declare(set)
		if err := errors.Join(append([]error{set.Load(args, lookup, io.Discard)}, c.validate()...)...); err != nil {
			return execution.Limits{}, err
		}
		return c.Limits, nil
	}
}

// reload tightens the limits at each SIGHUP, until ctx ends. What the file would
// loosen waits for a restart.
func reload(ctx context.Context, read func() (execution.Limits, error), executor func() *execution.Executor, log *slog.Logger) {
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGHUP)
	defer signal.Stop(told)
	for {
		select {
		case <-ctx.Done():
			return
		case <-told:
			retighten(read, executor(), log)
		}
	}
}

func retighten(read func() (execution.Limits, error), x *execution.Executor, log *slog.Logger) {
	wanted, err := read()
	if err != nil {
		log.Error("SIGHUP: the settings have mistakes, and the limits stay as they are", "error", err)
		return
	}
	now := x.Limits()
	if looser := now.Looser(wanted); len(looser) > 0 {
		log.Warn("SIGHUP: a running trader's limits can only be made smaller; restart it to loosen these", "rules", looser)
	}
	if err := x.Tighten(now.Tightest(wanted), "SIGHUP"); err != nil {
		log.Error("SIGHUP", "error", err)
	}
}
